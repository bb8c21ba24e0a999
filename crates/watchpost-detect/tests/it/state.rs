//! The order of late events does not matter, and a saved state goes on as if nothing had happened.

use std::collections::BTreeSet;

use chrono::Duration;
use proptest::prelude::*;
use watchpost_detect::{Burst, Config, Engine, Sample, StateError, TrafficKind};
use watchpost_model::baseline::{DriftUnit, DriftValue};
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;

type Placed = (Event, Option<Place>);

fn kind() -> impl Strategy<Value = TrafficKind> {
    prop_oneof![
        4 => Just(TrafficKind::LoginFailure),
        1 => Just(TrafficKind::LoginSuccess),
        2 => Just(TrafficKind::Page("/old/{}".to_owned(), 404)),
        1 => Just(TrafficKind::Page("/p/{}".to_owned(), 200)),
        1 => Just(TrafficKind::Denied("/admin/{}".to_owned())),
        1 => Just(TrafficKind::Allowed("/admin/3".to_owned())),
        1 => Just(TrafficKind::Download(300_000)),
        1 => Just(TrafficKind::Grant("admin".to_owned(), "user0".to_owned())),
        1 => Just(TrafficKind::Reported("csrf_failure".to_owned())),
    ]
}

fn bursts() -> impl Strategy<Value = Vec<Burst>> {
    let burst =
        (kind(), 1_u32..14, 0_u32..4, 0_u32..12, prop_oneof![10_u32..3_000, 20_000_u32..4_000_000], 0_u8..3)
            .prop_map(|(kind, n, sources, users, every, network)| Burst {
                network,
                session: Some(format!("s{}", n % 3)),
                agent: Some(if n % 2 == 0 { "curl/8" } else { "Mozilla/5.0" }.to_owned()),
                from: (n % 4 == 0).then_some(watchpost_detect::City::Berlin),
                ..Burst::new(kind, n, sources, users, every)
            });
    proptest::collection::vec(burst, 1..12)
}

fn run(engine: &mut Engine, events: &[Placed]) -> Vec<Finding> {
    events.iter().flat_map(|(event, place)| engine.observe_at(event, place.as_ref(), event.at)).collect()
}

/// Bursts of failures and refusals alone: what only ever adds up.
fn adding_bursts() -> impl Strategy<Value = Vec<Burst>> {
    let kind = prop_oneof![
        Just(TrafficKind::LoginFailure),
        Just(TrafficKind::Page("/old/{}".to_owned(), 404)),
        Just(TrafficKind::Reported("csrf_failure".to_owned())),
        Just(TrafficKind::Reported("jwt_invalid".to_owned())),
    ];
    let burst = (kind, 1_u32..12, 1_u32..3, 10_u32..60_000)
        .prop_map(|(kind, n, sources, every)| Burst::new(kind, n, sources, n.min(11), every));
    proptest::collection::vec(burst, 1..5)
}

/// The events as they come in when each is on its way for so many milliseconds.
fn in_order_of_arrival(events: &[Placed], delays: &[i64]) -> Vec<Placed> {
    let mut late: Vec<(i64, &Placed)> = events
        .iter()
        .enumerate()
        .map(|(nth, placed)| (placed.0.at.timestamp_millis() + delays[nth % delays.len()], placed))
        .collect();
    late.sort_by_key(|(at, placed)| (*at, placed.0.id));
    late.into_iter().map(|(_, placed)| placed.clone()).collect()
}

/// Failed logins, and some that work.
fn failing_and_working_bursts() -> impl Strategy<Value = Vec<Burst>> {
    let kind = prop_oneof![2 => Just(TrafficKind::LoginFailure), 1 => Just(TrafficKind::LoginSuccess)];
    let burst = (kind, 1_u32..9, 1_u32..4, 10_u32..60_000)
        .prop_map(|(kind, n, sources, every)| Burst::new(kind, n, sources, n.min(2), every));
    proptest::collection::vec(burst, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_at_any_point_changes_nothing(bursts in bursts(), cut in 0.0_f64..1.0) {
        let events = Sample::Traffic(bursts).placed_events();
        let mut whole = Engine::new(Config::default());
        let expect = run(&mut whole, &events);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let cut = (events.len() as f64 * cut) as usize;
        let mut first = Engine::new(Config::default());
        let mut found = run(&mut first, &events[..cut]);
        let saved = first.save();
        let mut second = Engine::new(Config::default());
        second.restore(&saved).expect("just saved");
        prop_assert_eq!(second.save(), saved, "nothing is lost on the way");
        found.extend(run(&mut second, &events[cut..]));
        prop_assert_eq!(found, expect);
        prop_assert_eq!(second.save(), whole.save());
        let later = events.last().map_or_else(crate::support::start, |(event, _)| event.at) + Duration::days(2);
        prop_assert_eq!(second.tick(later), whole.tick(later));
    }

    /// Events that come at most as late as is allowed fire the same rules for the same entities in any order.
    #[test]
    fn lateness_within_the_bound_changes_nothing(
        bursts in adding_bursts(),
        delays in proptest::collection::vec(0_i64..600_000, 60),
    ) {
        let events = Sample::Traffic(bursts).placed_events();
        let late = in_order_of_arrival(&events, &delays);
        let fired = |events: &[Placed]| -> BTreeSet<(String, String)> {
            let mut engine = Engine::new(Config::default());
            let now = crate::support::start() + Duration::days(30);
            let found = events.iter().flat_map(|(event, _)| engine.observe(event, now));
            // A chain says in which order it saw its links; who completes it differs.
            let names = found.map(|found| (found.rule_id, found.entity.to_string())).collect();
            assert_eq!(engine.counters().events_late_total, 0, "all within the bound");
            names
        };
        prop_assert_eq!(fired(&late), fired(&events));
    }

    /// What completes a sequence and what it completes may come in any order. That somebody had got in before, so that
    /// failures were slips, may be known too late.
    #[test]
    fn lateness_hides_no_sequence(
        bursts in failing_and_working_bursts(),
        delays in proptest::collection::vec(0_i64..600_000, 60),
    ) {
        let events = Sample::Traffic(bursts).placed_events();
        let late = in_order_of_arrival(&events, &delays);
        let fired = |events: &[Placed]| -> BTreeSet<(String, String)> {
            let mut engine = Engine::new(Config::default());
            let now = crate::support::start() + Duration::days(30);
            let found = events.iter().flat_map(|(event, _)| engine.observe(event, now));
            let sequences = found.filter(|found| found.rule_id.starts_with("wp.brute.success"));
            sequences.map(|found| (found.rule_id, found.entity.to_string())).collect()
        };
        let (expect, seen) = (fired(&events), fired(&late));
        prop_assert!(seen.is_superset(&expect), "{expect:?} in order, {seen:?} late");
    }

    #[test]
    fn a_replay_adds_nothing(bursts in bursts()) {
        let events = Sample::Traffic(bursts).placed_events();
        let ids = |found: Vec<Finding>| found.into_iter().map(|found| found.id).collect::<BTreeSet<_>>();
        let first = run(&mut Engine::new(Config::default()), &events);
        prop_assert_eq!(ids(first.clone()).len(), first.len(), "no id twice");
        prop_assert_eq!(run(&mut Engine::new(Config::default()), &events), first);
    }

    #[test]
    fn damaged_states_are_refused_and_change_nothing(at in 0_usize..4_000, byte in any::<u8>(), keep in 0_usize..4_000) {
        let events = Sample::Traffic(vec![Burst::new(TrafficKind::LoginFailure, 30, 3, 5, 1_000)]).placed_events();
        let mut engine = Engine::new(Config::default());
        run(&mut engine, &events);
        let mut bytes = engine.save();
        let length = bytes.len();
        bytes.truncate(keep.min(length));
        if let Some(one) = bytes.get_mut(at) {
            *one ^= byte;
        }
        let mut other = Engine::new(Config::default());
        let before = other.save();
        if other.restore(&bytes).is_err() {
            prop_assert_eq!(other.save(), before);
        }
    }
}

#[test]
fn foreign_and_newer_states_are_named() {
    let mut engine = Engine::new(Config::default());
    assert!(matches!(engine.restore(b"hello"), Err(StateError::Foreign)));
    let mut bytes = engine.save();
    bytes[5] += 1;
    assert!(matches!(engine.restore(&bytes), Err(StateError::Version { found: 6 })));
    // One that an older program wrote is not read as if it were of this shape.
    bytes[5] -= 2;
    let before = engine.save();
    assert!(matches!(engine.restore(&bytes), Err(StateError::Version { found: 4 })));
    assert_eq!(engine.save(), before, "and changes nothing");
    let bytes = engine.save();
    assert!(matches!(engine.restore(&bytes[..bytes.len() - 1]), Err(StateError::Damaged(_))));
}

#[test]
fn counted_events_are_all_that_were_counted() {
    let events =
        Sample::Traffic(vec![Burst::new(TrafficKind::LoginFailure, 219, 1, 1, 1_000)]).placed_events();
    let found = run(&mut Engine::new(Config::default()), &events);
    let last = found.iter().rev().find(|found| found.rule_id == "wp.brute.source").expect("brute force");
    let counted = last.counted.as_ref().expect("it says what it counted");
    assert_eq!(counted.from, events[0].0.at, "from the first attempt");
    assert_eq!(counted.to, last.at);
    let first = found.iter().find(|found| found.rule_id == "wp.brute.source").expect("brute force");
    assert_eq!(first.counted.as_ref().map(|counted| counted.from), Some(events[0].0.at));
}

#[test]
fn silence_is_told_by_the_clock_and_by_the_next_event_alike() {
    let events =
        Sample::Traffic(vec![Burst::new(TrafficKind::Request(200), 500, 50, 0, 300_000)]).placed_events();
    let last = events.last().expect("500 events").0.clone();
    let mut engine = Engine::new(Config::default());
    assert_eq!(run(&mut engine, &events), [], "nothing is wrong yet");
    assert_eq!(engine.tick(last.at + Duration::minutes(10)), [], "a short pause");
    let by_clock = engine.tick(last.at + Duration::hours(1));
    assert_eq!(by_clock.iter().map(|found| found.rule_id.as_str()).collect::<Vec<_>>(), ["wp.gap.silence"]);
    assert_eq!(by_clock[0].event_id, last.id, "it hangs on the last event");
    let counter = by_clock[0].counter.as_ref().expect("counted");
    assert_eq!((counter.what.as_str(), counter.seen), ("seconds without events", 3_600));
    let mut next = last.clone();
    next.at += Duration::hours(2);
    let by_event = engine.observe(&next, next.at);
    assert_eq!(by_event.iter().map(|found| found.id).collect::<Vec<_>>(), [by_clock[0].id]);
    // What is read long after it happened says nothing about now.
    let mut history = Engine::new(Config::default());
    for (event, _) in &events {
        history.observe(event, last.at + Duration::days(9));
    }
    assert_eq!(history.tick(last.at + Duration::days(9)), []);
}

#[test]
fn a_silence_is_one_finding_however_often_it_is_looked_at() {
    let events =
        Sample::Traffic(vec![Burst::new(TrafficKind::Request(200), 500, 50, 0, 300_000)]).placed_events();
    let last = events.last().expect("500 events").0.clone();
    let mut engine = Engine::new(Config::default());
    run(&mut engine, &events);
    let mut told = Vec::new();
    for minutes in (5..600).step_by(5) {
        told.extend(engine.tick(last.at + Duration::minutes(minutes)));
        // A restart in the middle of it, and what an engine that was killed reads again.
        if minutes == 300 {
            let saved = engine.save();
            engine = Engine::new(Config::default());
            engine.restore(&saved).expect("just saved");
            told.extend(engine.observe(&last, last.at));
        }
    }
    let mut after = last.clone();
    after.at += Duration::minutes(600);
    told.extend(engine.observe(&after, after.at));
    assert!(told.len() > 2, "it was told of again and again: {}", told.len());
    let ids: BTreeSet<_> = told.iter().map(|found| (found.rule_id.as_str(), found.id)).collect();
    assert_eq!(ids.len(), 1, "and is one finding, which the archive keeps once: {ids:?}");
    // It speaks again: nothing is silent, and the next silence is another one.
    assert_eq!(engine.tick(after.at + Duration::minutes(5)), []);
    let next = engine.tick(after.at + Duration::days(3));
    assert!(matches!(&next[..], [found] if found.id != told[0].id), "{next:?}");
}

#[test]
fn a_baseline_goes_out_and_comes_in() {
    let day = 86_400_000;
    let habits = vec![
        Burst {
            agent: Some("Mozilla/5.0 Firefox/1".to_owned()),
            from: Some(watchpost_detect::City::Berlin),
            ..Burst::new(TrafficKind::LoginSuccess, 40, 1, 1, day)
        },
        Burst::new(TrafficKind::Download(1_000), 30, 1, 1, day),
    ];
    let events = Sample::Traffic(habits).placed_events();
    let mut engine = Engine::new(Config::default());
    for (event, place) in &events {
        engine.observe_behaviours(event, place.as_ref(), event.at);
    }
    let (from, to) = (events[0].0.at, events[69].0.at);
    let baseline = engine.baseline(from, to, 70);
    assert_eq!(baseline.users.len(), 1);
    assert_eq!(baseline.users[0].countries[0].value, "DE");
    assert_eq!(baseline.users[0].day_kib.median, 1_000);
    let json = serde_json::to_string(&baseline).expect("plain data");
    let back: watchpost_model::baseline::Baseline = serde_json::from_str(&json).expect("its own form");
    let mut fresh = Engine::new(Config::default());
    fresh.learn_baseline(&back);
    let mut odd = events[69].0.clone();
    odd.at += Duration::days(1);
    odd.details = serde_json::json!({ "bytes": 900_u64 << 20 });
    let found = fresh.observe(&odd, odd.at);
    let volume = found.iter().find(|found| found.rule_id == "wp.data.volume");
    let counter = volume.and_then(|found| found.counter.as_ref()).expect("what was learned holds");
    assert_eq!((counter.what.as_str(), counter.seen), ("MiB sent in a day", 900), "counted in what it says");
    assert_eq!(watchpost_detect::compare_baselines(&baseline, &back), [], "nothing has changed");
    let mut other = back;
    other.users[0].day_kib.median = 9_000;
    let drift = watchpost_detect::compare_baselines(&baseline, &other);
    assert_eq!(drift.len(), 1);
    assert!((drift[0].size - 9.0).abs() < 0.01 && !drift[0].fell, "{drift:?}");
    let (was, is) = &drift[0].values;
    assert!(matches!(was, DriftValue::Usual { unit: DriftUnit::DayKib, .. }), "{was:?}");
    assert!(matches!(is, DriftValue::Usual { median: 9_000, .. }), "as the text says it: {is:?}");
    let drift = watchpost_detect::compare_baselines(&other, &baseline);
    assert!((drift[0].size - 9.0).abs() < 0.01 && drift[0].fell, "the same the other way round: {drift:?}");
}

#[test]
fn a_change_is_told_in_words_that_people_would_choose() {
    use watchpost_model::baseline::{Baseline, EndpointBaseline, Volume};
    let now = chrono::DateTime::UNIX_EPOCH;
    let volume = |median, deviation| Volume { median, deviation, history: vec![median; 3] };
    let of = |endpoint: &str, hour_requests, hour_kib| EndpointBaseline {
        endpoint: endpoint.to_owned(),
        requests: 1,
        hour_requests,
        hour_kib,
    };
    let baseline =
        |endpoints| Baseline { version: 1, from: now, to: now, events: 1, users: Vec::new(), endpoints };
    let before = baseline(vec![of("/orders", volume(1, 0), volume(3_317, 512))]);
    let after =
        baseline(vec![of("/new", volume(1, 0), volume(0, 0)), of("/orders", volume(6, 2), volume(900, 0))]);
    let drift = watchpost_detect::compare_baselines(&before, &after);
    let told: Vec<_> = drift.iter().map(|drift| (drift.before.as_str(), drift.after.as_str())).collect();
    assert_eq!(
        told,
        [
            ("not there", "1 event"),
            ("1 request an hour", "6 requests an hour (± 2)"),
            ("3.2 MiB an hour (± 512 KiB)", "900 KiB an hour"),
        ]
    );
}
