//! What changed between two baselines, with numbers.

use std::collections::BTreeMap;

use watchpost_model::baseline::{
    Baseline, Drift, DriftKind, DriftUnit, DriftValue, HabitValue, UserBaseline, Volume,
};
use watchpost_model::event::{Entity, EntityKind};

/// A volume has changed when its median is so many times as large or as small.
const FACTOR: f64 = 2.0;
/// Hours have changed when so much of the activity has moved to others, in percent.
const MOVED_PERCENT: f64 = 30.0;
/// Fewer periods than this say nothing about volumes and hours.
const PERIODS_MIN: usize = 3;

/// What changed from `before` to `after`: users first, then endpoints, by name and kind.
#[must_use]
pub fn compare(before: &Baseline, after: &Baseline) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let users = |all: &Baseline| -> BTreeMap<String, UserBaseline> {
        all.users.iter().map(|user| (user.user.clone(), user.clone())).collect()
    };
    let (old, new) = (users(before), users(after));
    for name in names(&old, &new) {
        let entity = Entity::new(EntityKind::User, name.as_str());
        match (old.get(&name), new.get(&name)) {
            (Some(old), Some(new)) => user(&entity, old, new, &mut drifts),
            (Some(old), None) => drifts.push(only(entity, DriftKind::Gone, old.events)),
            (None, Some(new)) => drifts.push(only(entity, DriftKind::New, new.events)),
            (None, None) => {}
        }
    }
    let endpoints = |all: &Baseline| -> BTreeMap<String, watchpost_model::baseline::EndpointBaseline> {
        all.endpoints.iter().map(|endpoint| (endpoint.endpoint.clone(), endpoint.clone())).collect()
    };
    let (old, new) = (endpoints(before), endpoints(after));
    for name in names(&old, &new) {
        let entity = Entity::new(EntityKind::Endpoint, name.as_str());
        match (old.get(&name), new.get(&name)) {
            (Some(old), Some(new)) => {
                drifts.extend(volume(
                    &entity,
                    DriftKind::Requests,
                    DriftUnit::HourRequests,
                    &old.hour_requests,
                    &new.hour_requests,
                ));
                let (old, new) = (&old.hour_kib, &new.hour_kib);
                drifts.extend(volume(&entity, DriftKind::Volume, DriftUnit::HourKib, old, new));
            }
            (Some(old), None) => drifts.push(only(entity, DriftKind::Gone, old.requests)),
            (None, Some(new)) => drifts.push(only(entity, DriftKind::New, new.requests)),
            (None, None) => {}
        }
    }
    drifts
}

fn names<T>(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Vec<String> {
    let mut names: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names
}

#[expect(clippy::cast_precision_loss, reason = "counts for people")]
fn only(entity: Entity, kind: DriftKind, events: u64) -> Drift {
    let there = (counted(events, "event"), DriftValue::Events { n: events });
    let absent = ("not there".to_owned(), DriftValue::Absent);
    let ((before, was), (after, is)) = if kind == DriftKind::New { (absent, there) } else { (there, absent) };
    Drift { entity, kind, before, after, values: (was, is), size: events as f64, fell: false }
}

fn user(entity: &Entity, old: &UserBaseline, new: &UserBaseline, drifts: &mut Vec<Drift>) {
    for (kind, old, new) in [
        (DriftKind::Countries, &old.countries, &new.countries),
        (DriftKind::Agents, &old.agents, &new.agents),
        (DriftKind::Networks, &old.networks, &new.networks),
    ] {
        drifts.extend(values(entity, kind, old, new));
    }
    drifts.extend(hours(entity, old, new));
    drifts.extend(volume(entity, DriftKind::Volume, DriftUnit::DayKib, &old.day_kib, &new.day_kib));
}

#[expect(clippy::cast_precision_loss, reason = "counts for people")]
fn values(entity: &Entity, kind: DriftKind, old: &[HabitValue], new: &[HabitValue]) -> Option<Drift> {
    let fresh: Vec<&str> = new
        .iter()
        .filter(|value| !old.iter().any(|known| known.value == value.value))
        .map(|value| value.value.as_str())
        .collect();
    if fresh.is_empty() || old.is_empty() {
        return None;
    }
    let known: Vec<&str> = old.iter().map(|value| value.value.as_str()).collect();
    Some(Drift {
        entity: entity.clone(),
        kind,
        before: known.join(", "),
        after: format!("also {}", fresh.join(", ")),
        values: (occur(&known), occur(&fresh)),
        size: fresh.len() as f64,
        fell: false,
    })
}

fn occur(values: &[&str]) -> DriftValue {
    DriftValue::Values { values: values.iter().map(|&value| value.to_owned()).collect() }
}

fn hours(entity: &Entity, old: &UserBaseline, new: &UserBaseline) -> Option<Drift> {
    if (old.weekdays as usize) < PERIODS_MIN || (new.weekdays as usize) < PERIODS_MIN {
        return None;
    }
    let share = |hours: &[u32]| -> Vec<f64> {
        let sum: u32 = hours.iter().sum();
        hours.iter().map(|&n| f64::from(n) / f64::from(sum.max(1))).collect()
    };
    let (before, after) = (share(&old.weekday_hours), share(&new.weekday_hours));
    let moved = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).sum::<f64>() * 50.0;
    let (before, after) = (busiest(&before), busiest(&after));
    (moved >= MOVED_PERCENT).then(|| Drift {
        entity: entity.clone(),
        kind: DriftKind::Hours,
        before: mostly(&before),
        after: mostly(&after),
        values: (DriftValue::Hours { hours: before }, DriftValue::Hours { hours: after }),
        size: moved.round(),
        fell: false,
    })
}

/// The four busiest hours, ascending.
fn busiest(shares: &[f64]) -> Vec<u8> {
    let mut by_share: Vec<(usize, f64)> = shares.iter().copied().enumerate().collect();
    by_share.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let busy = by_share.iter().take(4).filter(|hour| hour.1 > 0.0);
    let mut top: Vec<u8> = busy.filter_map(|hour| u8::try_from(hour.0).ok()).collect();
    top.sort_unstable();
    top
}

fn mostly(hours: &[u8]) -> String {
    let names: Vec<String> = hours.iter().map(|hour| format!("{hour:02}:00")).collect();
    format!("mostly {}", names.join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "volumes for people")]
fn volume(entity: &Entity, kind: DriftKind, unit: DriftUnit, old: &Volume, new: &Volume) -> Option<Drift> {
    if old.history.len() < PERIODS_MIN || new.history.len() < PERIODS_MIN {
        return None;
    }
    let (before, after) = (old.median.max(1) as f64, new.median.max(1) as f64);
    let factor = (after / before).max(before / after);
    (factor >= FACTOR).then(|| Drift {
        entity: entity.clone(),
        kind,
        before: usual(old, unit),
        after: usual(new, unit),
        values: (usual_value(old, unit), usual_value(new, unit)),
        size: (factor * 10.0).round() / 10.0,
        fell: after < before,
    })
}

/// `6 requests an hour (± 2)`, `3.2 MiB a day`.
fn usual(volume: &Volume, unit: DriftUnit) -> String {
    let (requests, time) = match unit {
        DriftUnit::HourRequests => (true, "an hour"),
        DriftUnit::HourKib => (false, "an hour"),
        DriftUnit::DayKib => (false, "a day"),
    };
    let median = if requests { counted(volume.median, "request") } else { size(volume.median) };
    match volume.deviation {
        0 => format!("{median} {time}"),
        off if requests => format!("{median} {time} (± {off})"),
        off => format!("{median} {time} (± {})", size(off)),
    }
}

fn usual_value(volume: &Volume, unit: DriftUnit) -> DriftValue {
    DriftValue::Usual { median: volume.median, deviation: volume.deviation, unit }
}

fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// KiB in the unit that people would choose.
#[expect(clippy::cast_precision_loss, reason = "volumes for people")]
fn size(kib: u64) -> String {
    if kib < 1_024 {
        return format!("{kib} KiB");
    }
    let mut size = kib as f64 / 1_024.0;
    for unit in ["MiB", "GiB"] {
        if size < 1_024.0 {
            return format!("{size:.1} {unit}");
        }
        size /= 1_024.0;
    }
    format!("{size:.1} TiB")
}
