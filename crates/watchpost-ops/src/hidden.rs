//! What suppressions hide, for those who look at findings outside of the engine: replays and analyses.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::ids::FindingId;
use watchpost_model::period::Period;
use watchpost_model::suppression::CompiledScope;
use watchpost_store::Store;

use crate::error::OpError;

/// Hidden findings of a period that are told apart by their ids; those beyond are known by the scopes in force only.
const IDS_MAX: u32 = 500_000;

/// The suppressions in force, and what others hid when it came in.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    scopes: Vec<CompiledScope>,
    ids: HashSet<FindingId>,
}

impl Hidden {
    /// What is hidden from now on.
    pub(crate) async fn in_force(store: &Store, now: DateTime<Utc>) -> Result<Self, OpError> {
        Ok(Self { scopes: store.suppression_scopes(now).await?, ids: HashSet::new() })
    }

    /// What is hidden from now on, and what was hidden in a period by suppressions that may be over.
    pub(crate) async fn over(store: &Store, period: Period, now: DateTime<Utc>) -> Result<Self, OpError> {
        let ids = store.suppressed_ids(period, IDS_MAX).await?;
        Ok(Self { ids, ..Self::in_force(store, now).await? })
    }

    /// The suppressions in force.
    pub(crate) fn scopes(&self) -> &[CompiledScope] {
        &self.scopes
    }

    /// Is this finding, completed by this event, hidden?
    pub(crate) fn covers(&self, finding: &Finding, event: &Event) -> bool {
        self.ids.contains(&finding.id) || self.scopes.iter().any(|scope| scope.covers(finding, event))
    }
}
