//! One session with another agent or from another network: somebody else may have its token.

use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Event};
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;

use super::facts::Facts;
use super::table::{Group, Key, Saved, Table, key_of, short};
use super::{Unusual, length, unusual};
use crate::baseline::agent_family;
use crate::rules::{Behaviour, By};

const AGENT: u8 = 1;
const NETWORK: u8 = 2;
/// How many agents and addresses are known at a time.
const KNOWN: usize = 1_024;

/// What a session was last seen with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    last_ms: i64,
    agent: u32,
    network: u32,
    asn: u32,
    reported: u8,
}

impl Group for Session {
    fn newest_ms(&self) -> i64 {
        self.last_ms
    }

    fn n_entries(&self) -> usize {
        0
    }
}

/// Sessions seen lately.
#[derive(Debug)]
pub(super) struct Sessions {
    table: Table<Session>,
    /// What was worked out of an agent or address lately, by its hash: the short hash of its family or network.
    known: Box<[(Key, u32); KNOWN]>,
}

impl Sessions {
    pub(super) fn new(max: usize) -> Self {
        Self { table: Table::new(max, 86_400_000), known: Box::new([(0, 0); KNOWN]) }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn observe(
        &mut self,
        (by_agent, by_network): (Option<&Behaviour>, Option<&Behaviour>),
        event: &Event,
        facts: &Facts<'_>,
        place: Option<&Place>,
        findings: &mut Vec<Finding>,
        evicted: &mut u64,
    ) {
        let Some(name) = facts.session else { return };
        let agent = facts.agent.zip(facts.agent_key());
        // An agent may be written like an address.
        let agent = agent.map_or(0, |(agent, key)| self.known(!key, || agent_family(agent)));
        let net_key = facts.group_key(By::Source);
        let net_hash = net_key.map_or(0, |key| self.known(key, || facts.network().unwrap_or_default()));
        let asn = place.and_then(|place| place.asn).unwrap_or(0);
        let at_ms = facts.at_ms;
        let (before, is_agent, is_network) = self.table.change(key_of(&[name]), at_ms, evicted, |session| {
            let before = session.clone();
            let apart = |row: Option<&Behaviour>| {
                row.is_some_and(|row| (at_ms - before.last_ms).abs() <= i64::from(row.window_s) * 1_000)
            };
            let is_new = before.last_ms == 0;
            let is_agent = !is_new && agent != 0 && before.agent != 0 && agent != before.agent;
            let is_network = !is_new
                && if asn != 0 && before.asn != 0 {
                    asn != before.asn
                } else {
                    net_hash != 0 && before.network != 0 && net_hash != before.network
                };
            let is_agent = is_agent && apart(by_agent) && before.reported & AGENT == 0;
            let is_network = is_network && apart(by_network) && before.reported & NETWORK == 0;
            if at_ms >= session.last_ms {
                session.last_ms = at_ms;
                session.agent = if agent == 0 { session.agent } else { agent };
                session.network = if net_hash == 0 { session.network } else { net_hash };
                session.asn = if asn == 0 { session.asn } else { asn };
            }
            session.reported |= if is_agent { AGENT } else { 0 } | if is_network { NETWORK } else { 0 };
            (before, is_agent, is_network)
        });
        let seconds = (at_ms - before.last_ms).unsigned_abs() / 1_000;
        let who = facts.user.unwrap_or("an unknown user");
        for (row, is_other, what) in [(by_agent, is_agent, "user agent"), (by_network, is_network, "network")]
        {
            let Some(row) = row.filter(|_| is_other) else { continue };
            let detail = match what {
                "network" => facts.network().unwrap_or_default().to_owned(),
                _ => facts.agent.unwrap_or("").to_owned(),
            };
            let detail: String = detail.chars().take(80).collect();
            findings.push(unusual(
                row,
                event,
                event.at,
                Unusual {
                    entity: Entity::new(EntityKind::Session, name),
                    summary: format!(
                        "the session of {who} goes on with another {what} after {}: {detail}",
                        length(seconds.max(1))
                    ),
                    counter: (2, u64::from(row.threshold)),
                    identity: &[what],
                    severity: row.info.severity,
                },
            ));
        }
    }

    /// The short hash of what `made` makes of the text behind `key`; looked up where it was asked for lately.
    fn known<T: AsRef<str>>(&mut self, key: Key, made: impl FnOnce() -> T) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        let slot = &mut self.known[key as usize % KNOWN];
        if slot.0 != key || slot.1 == 0 {
            *slot = (key, short(key_of(&[made().as_ref()])).max(1));
        }
        slot.1
    }

    pub(super) fn save(&self) -> Saved<Session> {
        self.table.save()
    }

    pub(super) fn restore(&mut self, saved: Saved<Session>) {
        self.table.restore(saved);
    }
}
