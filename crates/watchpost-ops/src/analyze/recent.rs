//! The newest events of a log, in short: those that a behaviour or a correlation counted before it spoke.
//!
//! A finding names the event that completed it. The events before it are looked up here, because an analysis has no
//! archive to ask.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, EntityKind, Event, Outcome};
use watchpost_model::finding::{CountedEvents, Finding};
use watchpost_model::ids::EventId;

/// Events that are remembered.
const EVENTS_MAX: usize = 200_000;

struct Brief {
    id: EventId,
    at: DateTime<Utc>,
    category: Category,
    outcome: Outcome,
    status: Option<u16>,
    source: Option<Box<str>>,
    /// The entities that it is remembered under.
    keys: [Option<u64>; 4],
}

/// An event that a finding was made of.
pub(super) struct Past<'a> {
    pub(super) id: EventId,
    pub(super) at: DateTime<Utc>,
    pub(super) source: Option<&'a str>,
}

#[derive(Default)]
pub(super) struct Recent {
    events: VecDeque<Brief>,
    /// Number of the first of them.
    first: u64,
    /// The numbers of the events of an entity.
    by_entity: HashMap<u64, VecDeque<u64>>,
    by_id: HashMap<EventId, u64>,
}

fn key(kind: EntityKind, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind as u8, value).hash(&mut hasher);
    hasher.finish()
}

/// What an event must be like to be among the counted ones, whenever it was.
pub(super) fn is_alike(counted: &CountedEvents, event: &Event) -> bool {
    let status = event.http.as_ref().and_then(|http| http.status);
    fits(counted, event.category, event.outcome, status)
}

fn fits(counted: &CountedEvents, category: Category, outcome: Outcome, status: Option<u16>) -> bool {
    counted.category.is_none_or(|wanted| wanted == category)
        && counted.outcome.is_none_or(|wanted| wanted == outcome)
        && counted.status.is_none_or(|(from, to)| status.is_some_and(|status| (from..=to).contains(&status)))
}

impl Recent {
    pub(super) fn push(&mut self, event: &Event) {
        if self.events.len() >= EVENTS_MAX {
            self.forget_first();
        }
        let keys = [
            event.actor.as_deref().map(|value| key(EntityKind::User, value)),
            event.session.as_deref().map(|value| key(EntityKind::Session, value)),
            Some(key(EntityKind::Endpoint, event.endpoint())),
            event.source_ip.as_deref().map(|value| key(EntityKind::Ip, value)),
        ];
        let number = self.first + self.events.len() as u64;
        for key in keys.into_iter().flatten() {
            self.by_entity.entry(key).or_default().push_back(number);
        }
        self.by_id.insert(event.id, number);
        self.events.push_back(Brief {
            id: event.id,
            at: event.at,
            category: event.category,
            outcome: event.outcome,
            status: event.http.as_ref().and_then(|http| http.status),
            source: event.source_ip.as_deref().map(Into::into),
            keys,
        });
    }

    fn forget_first(&mut self) {
        let Some(gone) = self.events.pop_front() else { return };
        self.first += 1;
        self.by_id.remove(&gone.id);
        for key in gone.keys.into_iter().flatten() {
            if let Some(numbers) = self.by_entity.get_mut(&key) {
                numbers.pop_front();
                if numbers.is_empty() {
                    self.by_entity.remove(&key);
                }
            }
        }
    }

    /// The events that `finding` counted, the newest first, and those that it names; the one that completed it may be
    /// among them.
    pub(super) fn behind(&self, finding: &Finding) -> Vec<Past<'_>> {
        let mut all = Vec::new();
        if let Some(counted) = &finding.counted {
            let numbers = self.by_entity.get(&key(finding.entity.kind, &finding.entity.value));
            let events = numbers.into_iter().flatten().rev().filter_map(|number| self.numbered(*number));
            let of_count = events
                .filter(|event| (counted.from..=counted.to).contains(&event.at))
                .filter(|event| fits(counted, event.category, event.outcome, event.status));
            all.extend(of_count.map(Brief::past));
        }
        let linked = finding.linked.iter().filter_map(|id| self.numbered(*self.by_id.get(id)?));
        all.extend(linked.map(Brief::past));
        all
    }

    fn numbered(&self, number: u64) -> Option<&Brief> {
        self.events.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
}

impl Brief {
    fn past(&self) -> Past<'_> {
        Past { id: self.id, at: self.at, source: self.source.as_deref() }
    }
}
