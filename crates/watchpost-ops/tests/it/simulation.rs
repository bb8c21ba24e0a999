//! The simulator keeps its word, and the engine finds what it hides.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use watchpost_detect::{Config, Engine};
use watchpost_ingest::{CampaignKind, Simulation, SimulationConfig};
use watchpost_model::event::{Category, Event};

fn config(seed: u64, days: i64, campaigns: u32) -> SimulationConfig {
    let from: DateTime<Utc> = "2026-01-05T00:00:00Z".parse().expect("a literal time");
    SimulationConfig {
        seed,
        from,
        to: from + Duration::days(days),
        users: 60,
        events_per_day: 4_000,
        campaigns,
    }
}

#[test]
fn equal_seeds_make_equal_events() {
    let run = |seed| Simulation::new(config(seed, 1, 8)).collect::<Vec<Event>>();
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn events_are_ordered_unique_and_inside() {
    let config = config(3, 2, 8);
    let events: Vec<Event> = Simulation::new(config).collect();
    assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at), "in the order of time");
    assert!(events.iter().all(|event| event.at >= config.from && event.at < config.to), "inside");
    let ids: BTreeSet<_> = events.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), events.len(), "unique ids");
    for category in Category::ALL {
        assert!(events.iter().any(|event| event.category == *category), "{category} occurs");
    }
}

#[test]
fn the_volume_is_as_asked_and_follows_day_and_week() {
    let config = config(11, 14, 0);
    let events: Vec<Event> = Simulation::new(config).collect();
    let n_mean = events.len() as f64 / 14.0;
    assert!((3_000.0..5_000.0).contains(&n_mean), "about 4,000 a day, not {n_mean}");
    let n_on = |day: i64| events.iter().filter(|event| (event.at - config.from).num_days() == day).count();
    assert!(n_on(5) * 2 < n_on(1) && n_on(6) * 2 < n_on(2), "weekends are quiet");
    let n_at = |hours: std::ops::Range<i64>| {
        events.iter().filter(|event| hours.contains(&((event.at - config.from).num_hours() % 24))).count()
    };
    assert!(n_at(0..4) * 3 < n_at(9..13), "nights are quiet");
}

#[test]
fn the_truth_counts_what_is_there() {
    let simulation = Simulation::new(config(5, 3, 16));
    let truth = simulation.truth().clone();
    assert_eq!(truth.campaigns.len(), 16);
    for kind in CampaignKind::ALL {
        assert!(truth.campaigns.iter().any(|campaign| campaign.kind == *kind), "{kind} occurs");
    }
    let mut n_by_source: BTreeMap<String, u64> = BTreeMap::new();
    for event in simulation {
        *n_by_source.entry(event.source_ip.unwrap_or_default()).or_default() += 1;
    }
    for campaign in &truth.campaigns {
        assert_eq!(n_by_source.get(&campaign.entity.value), Some(&campaign.events), "{campaign:?}");
    }
    let json = serde_json::to_string(&truth).expect("truth is JSON");
    assert_eq!(serde_json::from_str::<watchpost_ingest::Truth>(&json).expect("and back"), truth);
}

#[test]
fn the_engine_finds_every_campaign_and_little_else() {
    let simulation = Simulation::new(config(2_026, 7, 24));
    let truth = simulation.truth().clone();
    let mut engine = Engine::new(Config::default());
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    let mut n_events = 0_u64;
    for event in simulation {
        n_events += 1;
        for finding in engine.observe(&event, event.at) {
            found.insert((finding.entity.value, finding.family.to_string()));
        }
    }
    for campaign in &truth.campaigns {
        let wanted = (campaign.entity.value.clone(), campaign.family.to_string());
        assert!(found.contains(&wanted), "{campaign:?} is not found");
    }
    let attackers: BTreeSet<&str> =
        truth.campaigns.iter().map(|campaign| campaign.entity.value.as_str()).collect();
    let false_alarms: Vec<_> =
        found.iter().filter(|(entity, _)| !attackers.contains(entity.as_str())).collect();
    assert!(n_events > 20_000, "a week of events, not {n_events}");
    assert!(false_alarms.len() <= 3, "ordinary traffic makes few incidents: {false_alarms:?}");
}
