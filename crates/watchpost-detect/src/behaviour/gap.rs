//! Sources of events that report regularly and fall silent: a broken sensor, or somebody who cut it off.
//!
//! A source is an application (named in the details as `app`, `service` or `host`) and a category. It is regular after
//! a hundred events over a day; silence is a pause of three times the longest one of the last days, and of a quarter of
//! an hour at least. Nights and weekends are pauses that it learns.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use watchpost_model::event::{Category, Entity, EntityKind, Event};
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;

use super::{Unusual, length, unusual};
use crate::rules::Behaviour;

/// Most sources that are watched; more are not.
const SOURCES_MAX: usize = 256;
/// What makes a source regular.
const EVENTS_MIN: u64 = 100;
const DAY_MS: i64 = 86_400_000;
/// Days whose longest pause is remembered.
const DAYS: usize = 8;
/// An event that comes so late after its time does not say that its source is at work now.
const LIVE_MS: i64 = 900_000;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gap {
    n: u64,
    first_ms: i64,
    last_ms: i64,
    last_event: Uuid,
    /// Day and its longest pause in milliseconds, newest last.
    longest: Vec<(i64, i64)>,
    /// The last event came when it happened.
    is_live: bool,
}

impl Gap {
    fn longest_ms(&self) -> i64 {
        self.longest.iter().map(|(_, pause)| *pause).max().unwrap_or(0)
    }

    /// The limit of silence, for a source that is regular.
    fn limit_ms(&self, row: &Behaviour) -> Option<i64> {
        let is_regular = self.n >= EVENTS_MIN && self.last_ms - self.first_ms >= DAY_MS;
        let times = self.longest_ms().saturating_mul(i64::from(row.threshold));
        is_regular.then(|| times.max(i64::from(row.window_s) * 1_000))
    }

    fn learn(&mut self, at_ms: i64) {
        let (day, pause) = (at_ms.div_euclid(DAY_MS), at_ms - self.last_ms);
        match self.longest.last_mut() {
            Some(last) if last.0 == day => last.1 = last.1.max(pause),
            _ => self.longest.push((day, pause)),
        }
        if self.longest.len() > DAYS {
            self.longest.remove(0);
        }
    }
}

/// Sources of events, by name and category.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    sources: BTreeMap<(String, Category), Gap>,
}

impl Gaps {
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    pub(super) fn observe(
        &mut self,
        row: Option<&Behaviour>,
        event: &Event,
        now: DateTime<Utc>,
        findings: &mut Vec<Finding>,
    ) {
        let Some(row) = row else { return };
        let app = ["app", "application", "service", "host"]
            .iter()
            .find_map(|name| event.details.get(*name)?.as_str())
            .unwrap_or("");
        let at_ms = event.at.timestamp_millis();
        let key = (app.chars().take(64).collect::<String>(), event.category);
        if self.sources.len() >= SOURCES_MAX && !self.sources.contains_key(&key) {
            return;
        }
        let gap = self.sources.entry(key.clone()).or_default();
        if gap.n == 0 {
            (gap.first_ms, gap.last_ms) = (at_ms, at_ms);
        }
        gap.n += 1;
        if at_ms >= gap.last_ms {
            if let Some(limit_ms) = gap.limit_ms(row)
                && at_ms - gap.last_ms > limit_ms
            {
                findings.push(silent(row, &key, gap, event, at_ms));
            }
            gap.learn(at_ms);
            gap.last_ms = at_ms;
            gap.last_event = event.id.0;
            gap.is_live = (now.timestamp_millis() - at_ms).abs() < LIVE_MS;
        }
    }

    /// Sources that were at work and are silent at `now`.
    pub(super) fn tick(&self, row: Option<&Behaviour>, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
        let Some(row) = row else { return };
        for (key, gap) in self.sources.iter().filter(|(_, gap)| gap.is_live) {
            let now_ms = now.timestamp_millis();
            let Some(limit_ms) = gap.limit_ms(row).filter(|limit_ms| now_ms - gap.last_ms > *limit_ms) else {
                continue;
            };
            let at = DateTime::from_timestamp_millis(gap.last_ms + limit_ms).unwrap_or(now);
            // The finding hangs on the last event that there was.
            let last = Event::new(EventId(gap.last_event), at, key.1, "silence");
            findings.push(silent(row, key, gap, &last, now_ms));
        }
    }

    pub(super) fn save(&self) -> Vec<(String, String, Gap)> {
        let text = |(app, category): &(String, Category)| (app.clone(), category.as_str().to_owned());
        self.sources
            .iter()
            .map(|(key, gap)| {
                let (app, category) = text(key);
                (app, category, gap.clone())
            })
            .collect()
    }

    pub(super) fn restore(&mut self, saved: Vec<(String, String, Gap)>) {
        let named = |(app, category, gap): (String, String, Gap)| Some(((app, category.parse().ok()?), gap));
        self.sources = saved.into_iter().filter_map(named).take(SOURCES_MAX).collect();
    }
}

/// The same id whether the next event tells it or the passing of time.
fn silent(row: &Behaviour, key: &(String, Category), gap: &Gap, event: &Event, now_ms: i64) -> Finding {
    let name = if key.0.is_empty() { key.1.to_string() } else { format!("{} {}", key.0, key.1) };
    let seconds = |ms: i64| (ms / 1_000).unsigned_abs();
    let longest_s = seconds(gap.longest_ms());
    unusual(
        row,
        event,
        DateTime::from_timestamp_millis(gap.last_ms).unwrap_or(event.at),
        Unusual {
            entity: Entity::new(EntityKind::Endpoint, format!("log:{name}")),
            summary: format!(
                "no {name} events for {}; the longest pause of the last days was {}",
                length(seconds(now_ms - gap.last_ms)),
                length(longest_s)
            ),
            counter: (seconds(now_ms - gap.last_ms), longest_s.max(1)),
            identity: &[&gap.last_ms.to_string()],
            severity: row.info.severity,
        },
    )
}
