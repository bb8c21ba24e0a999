//! The newest events of a log, in short: where those came from that a behaviour counted before it spoke.
//!
//! A finding about a user, a session or an endpoint names the event that completed it. Its source is known; those of
//! the events before it are looked up here, because an analysis has no archive to ask.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome};
use watchpost_model::finding::CountedEvents;

/// Events that are remembered.
const EVENTS_MAX: usize = 200_000;

struct Brief {
    at: DateTime<Utc>,
    category: Category,
    outcome: Outcome,
    status: Option<u16>,
    source: Box<str>,
    /// The entities that it is remembered under.
    keys: [Option<u64>; 3],
}

#[derive(Default)]
pub(super) struct Recent {
    events: VecDeque<Brief>,
    /// Number of the first of them.
    first: u64,
    /// The numbers of the events of an entity.
    by_entity: HashMap<u64, VecDeque<u64>>,
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
        let Some(source) = event.source_ip.as_deref() else { return };
        if self.events.len() >= EVENTS_MAX {
            self.forget_first();
        }
        let keys = [
            event.actor.as_deref().map(|value| key(EntityKind::User, value)),
            event.session.as_deref().map(|value| key(EntityKind::Session, value)),
            Some(key(EntityKind::Endpoint, event.endpoint())),
        ];
        let number = self.first + self.events.len() as u64;
        for key in keys.into_iter().flatten() {
            self.by_entity.entry(key).or_default().push_back(number);
        }
        self.events.push_back(Brief {
            at: event.at,
            category: event.category,
            outcome: event.outcome,
            status: event.http.as_ref().and_then(|http| http.status),
            source: source.into(),
            keys,
        });
    }

    fn forget_first(&mut self) {
        let Some(gone) = self.events.pop_front() else { return };
        self.first += 1;
        for key in gone.keys.into_iter().flatten() {
            if let Some(numbers) = self.by_entity.get_mut(&key) {
                numbers.pop_front();
                if numbers.is_empty() {
                    self.by_entity.remove(&key);
                }
            }
        }
    }

    /// Source and time of the events of `entity` that were counted, the newest first.
    pub(super) fn counted<'a>(
        &'a self,
        entity: &Entity,
        counted: &'a CountedEvents,
    ) -> impl Iterator<Item = (&'a str, DateTime<Utc>)> {
        let numbers = self.by_entity.get(&key(entity.kind, &entity.value));
        let events = numbers.into_iter().flatten().rev();
        events
            .filter_map(|number| self.events.get(usize::try_from(number - self.first).ok()?))
            .filter(|event| (counted.from..=counted.to).contains(&event.at))
            .filter(|event| fits(counted, event.category, event.outcome, event.status))
            .map(|event| (&*event.source, event.at))
    }
}
