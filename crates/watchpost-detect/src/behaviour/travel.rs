//! One user in two places that are too far apart for the time between: more than 900 km/h over more than 100 km.

use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Event, Outcome};
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;

use super::facts::Facts;
use super::table::{Group, Saved, Table, key_of};
use super::{Unusual, length, unusual};
use crate::rules::Behaviour;

/// Location files are wrong by less.
const DISTANCE_KM_MIN: f64 = 100.0;
const DAY_MS: i64 = 86_400_000;

/// Where a user was last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spot {
    at_ms: i64,
    point: Option<(f64, f64)>,
    name: String,
    /// Day and pair of places that were reported last: a second device must not be told every minute.
    reported: (i64, u64),
}

impl Group for Spot {
    fn newest_ms(&self) -> i64 {
        self.at_ms
    }

    fn n_entries(&self) -> usize {
        self.name.len() / 8
    }
}

/// Users seen lately with a place.
#[derive(Debug)]
pub(super) struct Travels {
    table: Table<Spot>,
}

impl Travels {
    pub(super) fn new(max: usize) -> Self {
        Self { table: Table::new(max, 7 * DAY_MS) }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn observe(
        &mut self,
        row: Option<&Behaviour>,
        event: &Event,
        facts: &Facts<'_>,
        place: &Place,
        findings: &mut Vec<Finding>,
        evicted: &mut u64,
    ) {
        let (Some(row), Some(user), Some(point)) = (row, facts.user, place.point()) else { return };
        // Who fails to log in as somebody does not say where that person is.
        if event.outcome == Outcome::Failure {
            return;
        }
        let at_ms = facts.at_ms;
        let name = place_name(place);
        let day = at_ms.div_euclid(DAY_MS);
        let jump = self.table.change(key_of(&[user]), at_ms, evicted, |spot| {
            let before =
                Place { lat: spot.point.map(|p| p.0), lon: spot.point.map(|p| p.1), ..Place::default() };
            let km = before.distance_km(place).unwrap_or(0.0);
            let seconds = ((at_ms - spot.at_ms).unsigned_abs() / 1_000).max(1);
            #[expect(clippy::cast_precision_loss, reason = "seconds of a few days")]
            let speed = km / (seconds as f64 / 3_600.0);
            let from = spot.name.clone();
            let (first, second) = if from < name { (&from, &name) } else { (&name, &from) };
            let pair = key_of(&[first, second]);
            let is_jump = km > DISTANCE_KM_MIN
                && speed > f64::from(row.threshold)
                && seconds <= u64::from(row.window_s)
                && spot.reported != (day, pair);
            if is_jump {
                spot.reported = (day, pair);
            }
            if at_ms >= spot.at_ms || spot.point.is_none() {
                spot.at_ms = at_ms;
                spot.point = Some(point);
                spot.name.clone_from(&name);
            }
            is_jump.then_some((from, km, seconds, speed, pair))
        });
        let Some((from, km, seconds, speed, pair)) = jump else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, capped")]
        let speed = speed.min(1e9) as u64;
        findings.push(unusual(
            row,
            event,
            event.at,
            Unusual {
                entity: Entity::new(EntityKind::User, user),
                summary: format!(
                    "{user} was in {from}, and {} later in {name}: {km:.0} km away",
                    length(seconds)
                ),
                counter: (speed, u64::from(row.threshold)),
                identity: &[&day.to_string(), &pair.to_string()],
                severity: row.info.severity,
            },
        ));
    }

    pub(super) fn save(&self) -> Saved<Spot> {
        self.table.save()
    }

    pub(super) fn restore(&mut self, saved: Saved<Spot>) {
        self.table.restore(saved);
    }
}

fn place_name(place: &Place) -> String {
    let known = Place { asn: None, org: None, ..place.clone() };
    known.to_string().chars().take(64).collect()
}
