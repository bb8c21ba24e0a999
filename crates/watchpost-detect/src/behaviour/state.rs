//! The state of all behaviours as it is saved and restored.

use serde::{Deserialize, Serialize};

use super::Behaviours;
use super::cell::Cell;
use super::chain::Chain;
use super::gap::Gap;
use super::sequence::Sequence;
use super::session::Session;
use super::table::Saved;
use super::travel::Spot;
use crate::baseline::SavedBaselines;

/// Everything that is remembered, in a fixed order: equal states are equal bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    newest_ms: i64,
    counting: Vec<(String, Saved<Cell>)>,
    sequences: Vec<(String, Saved<Sequence>)>,
    sessions: Saved<Session>,
    travels: Saved<Spot>,
    baselines: SavedBaselines,
    gaps: Vec<(String, String, Gap)>,
    chains: Saved<Chain>,
}

impl Behaviours {
    pub(crate) fn save(&self) -> State {
        State {
            newest_ms: self.newest_ms,
            counting: self.counting.save(),
            sequences: self.counting.save_sequences(),
            sessions: self.sessions.save(),
            travels: self.travels.save(),
            baselines: self.baselines.save(),
            gaps: self.gaps.save(),
            chains: self.chains.save(),
        }
    }

    pub(crate) fn restore(&mut self, state: State) {
        self.newest_ms = state.newest_ms;
        self.counting.restore(state.counting);
        self.counting.restore_sequences(state.sequences);
        self.sessions.restore(state.sessions);
        self.travels.restore(state.travels);
        self.baselines.restore(state.baselines);
        self.gaps.restore(state.gaps);
        self.chains.restore(state.chains);
    }
}
