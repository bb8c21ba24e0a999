//! What is worth a notice to people who do not look at the window.

use std::collections::{BTreeSet, VecDeque};

use watchpost_model::ids::ConnectionId;
use watchpost_model::incident::{Incident, Status};

/// Incidents that are remembered as told; far more than wait at once.
const TOLD_MAX: usize = 10_000;

/// Which critical incidents are news: those that opened, were raised to critical or were reopened since the last look.
#[derive(Debug, Default)]
pub struct News {
    connection: Option<ConnectionId>,
    told: BTreeSet<(i64, bool)>,
    in_order: VecDeque<(i64, bool)>,
}

impl News {
    /// Those of `waiting` (critical, taken by nobody) that were not told yet. What waits at the first look at a connection
    /// stands in the window and is no news. Call it only with an answer of the database.
    pub fn look<'a>(&mut self, connection: ConnectionId, waiting: &'a [Incident]) -> Vec<&'a Incident> {
        let is_first = self.connection != Some(connection);
        if is_first {
            *self = Self { connection: Some(connection), ..Self::default() };
        }
        let mut fresh = Vec::new();
        for incident in waiting {
            let key = (incident.number, incident.status == Status::Reopened);
            if self.told.insert(key) {
                self.in_order.push_back(key);
                if !is_first {
                    fresh.push(incident);
                }
            }
        }
        while self.told.len() > TOLD_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.told.remove(&oldest);
        }
        fresh
    }
}
