//! What changed between two baselines, with numbers.

use std::collections::BTreeMap;

use watchpost_model::baseline::{Baseline, Drift, DriftKind, HabitValue, UserBaseline, Volume};
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
                let (requests, kib) = ("requests an hour", "KiB an hour");
                drifts.extend(volume(
                    &entity,
                    DriftKind::Requests,
                    requests,
                    &old.hour_requests,
                    &new.hour_requests,
                ));
                drifts.extend(volume(&entity, DriftKind::Volume, kib, &old.hour_kib, &new.hour_kib));
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
    let (there, absent) = (format!("{events} events"), "not there".to_owned());
    let (before, after) = if kind == DriftKind::New { (absent, there) } else { (there, absent) };
    Drift { entity, kind, before, after, size: events as f64 }
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
    drifts.extend(volume(entity, DriftKind::Volume, "KiB a day", &old.day_kib, &new.day_kib));
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
        size: fresh.len() as f64,
    })
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
    (moved >= MOVED_PERCENT).then(|| Drift {
        entity: entity.clone(),
        kind: DriftKind::Hours,
        before: busiest(&before),
        after: busiest(&after),
        size: moved.round(),
    })
}

/// The four busiest hours, for people.
fn busiest(shares: &[f64]) -> String {
    let mut by_share: Vec<(usize, f64)> = shares.iter().copied().enumerate().collect();
    by_share.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut top: Vec<usize> =
        by_share.iter().take(4).filter(|hour| hour.1 > 0.0).map(|hour| hour.0).collect();
    top.sort_unstable();
    let names: Vec<String> = top.iter().map(|hour| format!("{hour:02}:00")).collect();
    format!("mostly {}", names.join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "volumes for people")]
fn volume(entity: &Entity, kind: DriftKind, unit: &str, old: &Volume, new: &Volume) -> Option<Drift> {
    if old.history.len() < PERIODS_MIN || new.history.len() < PERIODS_MIN {
        return None;
    }
    let (before, after) = (old.median.max(1) as f64, new.median.max(1) as f64);
    let factor = (after / before).max(before / after);
    (factor >= FACTOR).then(|| Drift {
        entity: entity.clone(),
        kind,
        before: format!("{} {unit} (deviation {})", old.median, old.deviation),
        after: format!("{} {unit} (deviation {})", new.median, new.deviation),
        size: (factor * 10.0).round() / 10.0,
    })
}
