//! The events of a log in the order of their times, as far as one that comes late still counts.
//!
//! The running engine observes each batch in the order of its times; a log is one long batch, of which only as much is
//! held as may still come late.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_detect::Config;
use watchpost_model::event::Event;

/// Events that are held at most; the earliest of more is not waited for any longer.
const HELD_MAX: usize = 20_000;

/// What is to be observed next.
pub(super) enum Next {
    /// In its order.
    Due(Event),
    /// Further behind the newest than behaviours count.
    Late(Event),
}

pub(super) struct Ordered {
    lateness_max: Duration,
    /// A time beyond it is a mistake of its sender and makes nothing late.
    ahead: DateTime<Utc>,
    newest: DateTime<Utc>,
    /// By time; those of one instant as they came.
    held: BTreeMap<(DateTime<Utc>, u64), Event>,
    n: u64,
}

impl Ordered {
    pub(super) fn new(config: Config, now: DateTime<Utc>) -> Self {
        Self {
            lateness_max: config.lateness_max,
            ahead: now + config.skew_max,
            newest: DateTime::<Utc>::MIN_UTC,
            held: BTreeMap::new(),
            n: 0,
        }
    }

    /// Takes an event in and gives out what nothing comes before any more.
    pub(super) fn push(&mut self, event: Event) -> Vec<Next> {
        if event.at <= self.ahead {
            self.newest = self.newest.max(event.at);
        }
        let over = self.newest.checked_sub_signed(self.lateness_max).unwrap_or(DateTime::<Utc>::MIN_UTC);
        if event.at < over {
            return vec![Next::Late(event)];
        }
        self.n += 1;
        self.held.insert((event.at, self.n), event);
        let mut due = Vec::new();
        while self.held.len() > HELD_MAX || self.held.keys().next().is_some_and(|(at, _)| *at < over) {
            let Some((_, first)) = self.held.pop_first() else { break };
            due.push(Next::Due(first));
        }
        due
    }

    /// What is held when the log is over.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Event> {
        std::mem::take(&mut self.held).into_values()
    }
}
