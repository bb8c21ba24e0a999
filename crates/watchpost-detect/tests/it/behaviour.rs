//! Windows, growth, lateness, caps and replays.

use chrono::Duration;
use watchpost_detect::{Burst, Config, Engine, RuleSet, TrafficKind};
use watchpost_model::event::{EntityKind, Event};
use watchpost_model::finding::Finding;

use crate::support::{start, traffic};

fn run(engine: &mut Engine, events: &[Event]) -> Vec<Finding> {
    events.iter().flat_map(|event| engine.observe(event, event.at)).collect()
}

fn burst(kind: TrafficKind, n_events: u32, every_ms: u32) -> Burst {
    Burst::new(kind, n_events, 1, 1, every_ms)
}

#[test]
fn growth_is_reported_when_it_doubles() {
    let events = traffic(&[burst(TrafficKind::LoginFailure, 100, 100)]);
    let findings = run(&mut Engine::new(Config::default()), &events);
    let seen: Vec<u64> = findings
        .iter()
        .filter(|found| found.rule_id == "wp.brute.source")
        .map(|found| found.counter.as_ref().expect("counted").seen)
        .collect();
    assert_eq!(seen, [5, 10, 20, 40, 80], "threshold, then doublings");
}

#[test]
fn a_repeated_message_counts_as_often_as_it_says() {
    let mut events = traffic(&[burst(TrafficKind::LoginFailure, 1, 100)]);
    events[0].count = 5;
    let findings = run(&mut Engine::new(Config::default()), &events);
    assert!(findings.iter().any(|found| found.rule_id == "wp.brute.source"), "{findings:?}");
}

#[test]
fn a_replay_makes_the_same_ids() {
    let events = traffic(&[
        burst(TrafficKind::LoginFailure, 30, 1_000),
        burst(TrafficKind::LoginSuccess, 1, 1_000),
        burst(TrafficKind::Request(404), 400, 50),
    ]);
    let first = run(&mut Engine::new(Config::default()), &events);
    let second = run(&mut Engine::new(Config::default()), &events);
    assert!(first.len() > 5, "something was found");
    assert_eq!(first, second);
    // Restart in the middle: replay what the window asks for, then go on. Nothing new may come out.
    let middle = events.len() / 2;
    let since = events[middle].at - Config::default().replay_window(&RuleSet::embedded());
    let mut engine = Engine::new(Config::default());
    let replayed: Vec<Event> = events[..middle].iter().filter(|event| event.at >= since).cloned().collect();
    let mut third = run(&mut engine, &replayed);
    third.extend(run(&mut engine, &events[middle..]));
    for found in &third {
        assert!(first.iter().any(|known| known.id == found.id), "{found:?} is known");
    }
}

#[test]
fn out_of_order_events_count_and_too_late_ones_are_counted() {
    let mut events = traffic(&[burst(TrafficKind::LoginFailure, 5, 10_000)]);
    events.reverse();
    let mut engine = Engine::new(Config::default());
    let findings = run(&mut engine, &events);
    // The first of the reversed events is the newest: each later one is counted up to its own time only,
    // and the next in-order event sees all of them.
    let mut next = events[0].clone();
    next.at += Duration::seconds(1);
    let after = engine.observe(&next, next.at);
    let reported = findings.iter().chain(&after).any(|found| found.rule_id == "wp.brute.source");
    assert!(reported, "late events are not lost");
    let mut old = events[0].clone();
    old.at -= Duration::hours(2);
    assert!(engine.observe(&old, next.at).is_empty());
    assert_eq!(engine.counters().events_late_total, 1);
    let mut future = events[0].clone();
    future.at += Duration::days(400);
    assert!(engine.observe(&future, next.at).is_empty());
    assert_eq!(engine.counters().events_future_total, 1, "a wrong clock does not move the windows");
}

#[test]
fn tables_are_capped_and_say_so() {
    let config = Config { login_groups_max: 100, request_groups_max: 100, ..Config::default() };
    let mut engine = Engine::new(config);
    for n in 0..5_000_u32 {
        let mut event = traffic(&[burst(TrafficKind::LoginFailure, 1, 1)]).remove(0);
        event.at = start() + Duration::milliseconds(i64::from(n));
        event.source_ip = Some(format!("2001:db8::{n:x}"));
        event.actor = Some(format!("u{n}"));
        engine.observe(&event, event.at);
    }
    let counters = engine.counters();
    assert!(counters.groups <= 2_500, "{counters:?}");
    assert!(counters.groups_evicted_total >= 9_000, "{counters:?}");
}

/// Attackers of IPv6 have a network of addresses, and names of users are written in any case.
#[test]
fn one_subscriber_and_one_user_are_counted_as_one() {
    let of = |rule: &str, findings: &[Finding]| findings.iter().any(|found| found.rule_id == rule);
    let mut events = traffic(&[burst(TrafficKind::LoginFailure, 6, 1_000)]);
    for (nth, event) in events.iter_mut().enumerate() {
        event.source_ip = Some(format!("2001:db8:1:2::{nth:x}"));
        event.actor = Some(format!("user{nth}"));
    }
    let found = run(&mut Engine::new(Config::default()), &events);
    assert!(of("wp.brute.source", &found), "one network of 64 bits: {found:?}");
    for (nth, event) in events.iter_mut().enumerate() {
        event.source_ip = Some(format!("2001:db8:1:{nth:x}::1"));
    }
    let found = run(&mut Engine::new(Config::default()), &events);
    assert!(!of("wp.brute.source", &found), "six networks: {found:?}");
    let mut events = traffic(&[Burst::new(TrafficKind::LoginFailure, 30, 30, 1, 1_000)]);
    for (nth, event) in events.iter_mut().enumerate() {
        event.actor = Some(if nth % 2 == 0 { "Alice".to_owned() } else { "alice".to_owned() });
    }
    let found = run(&mut Engine::new(Config::default()), &events);
    let most = found
        .iter()
        .filter(|found| found.rule_id == "wp.brute.user")
        .filter_map(|found| found.counter.as_ref().map(|counter| counter.seen))
        .max();
    assert!(most > Some(15), "both spellings are one user: {most:?}");
}

/// Another agent each time, or no request at all: neither a source nor an agent has many failures.
#[test]
fn stolen_passwords_from_many_sources_are_seen() {
    let mut events = traffic(&[Burst::new(TrafficKind::LoginFailure, 300, 300, 300, 2_000)]);
    let found = run(&mut Engine::new(Config::default()), &events);
    assert!(found.iter().any(|found| found.rule_id == "wp.brute.stuffing_sources"), "{found:?}");
    for (nth, event) in events.iter_mut().enumerate() {
        let mut http = watchpost_model::event::Http {
            method: "POST".to_owned(),
            path: "/login".to_owned(),
            ..Default::default()
        };
        http.headers.insert("user-agent".to_owned(), format!("agent {nth}"));
        event.http = Some(http);
    }
    let found = run(&mut Engine::new(Config::default()), &events);
    assert!(found.iter().any(|found| found.rule_id == "wp.brute.stuffing_sources"), "{found:?}");
}

/// Stolen passwords among the logins of everybody else; and everybody else alone.
#[test]
fn ordinary_logins_do_not_hide_stolen_passwords() {
    let mixed = |n_failing: u32, n_working: u32| -> Vec<Event> {
        let mut events = traffic(&[Burst::new(
            TrafficKind::LoginFailure,
            n_failing,
            n_failing,
            n_failing,
            500_000 / n_failing,
        )]);
        let people = Burst {
            network: 1,
            ..Burst::new(TrafficKind::LoginSuccess, n_working, n_working, n_working, 500_000 / n_working)
        };
        for (nth, mut event) in traffic(&[people]).into_iter().enumerate() {
            event.id = crate::support::id(event.at, 10_000 + nth as u64);
            event.actor = Some(format!("person{nth}"));
            events.push(event);
        }
        events.sort_by_key(|event| event.at);
        events
    };
    let of = |events: &[Event]| {
        let found = run(&mut Engine::new(Config::default()), events);
        found.into_iter().any(|found| found.rule_id == "wp.brute.stuffing_sources")
    };
    assert!(of(&mixed(200, 200)), "as many ordinary logins");
    assert!(of(&mixed(200, 350)), "more of them");
    assert!(!of(&mixed(80, 400)), "one in six mistypes");
    assert!(!of(&mixed(40, 40)), "few people, of whom many mistype");
}

/// What completes a sequence may come before what it completes, by as much as events may be late.
#[test]
fn a_login_that_worked_is_found_in_whatever_order_its_failures_come() {
    let of = |rule: &str, events: &[Event]| {
        let found = run(&mut Engine::new(Config::default()), events);
        found.into_iter().find(|found| found.rule_id == rule)
    };
    let ordered =
        traffic(&[burst(TrafficKind::LoginFailure, 6, 5_000), burst(TrafficKind::LoginSuccess, 1, 5_000)]);
    let expect = of("wp.brute.success", &ordered).expect("in order");
    for first in 0..=6 {
        let mut events = ordered.clone();
        // After so many failures comes the success, and then the others, the newest first.
        let success = events.pop().expect("seven events");
        let worked = success.id;
        events.insert(first, success);
        events[first + 1..].reverse();
        let found = of("wp.brute.success", &events);
        let found = found.unwrap_or_else(|| panic!("{first} failures come before the success"));
        let is_of_it = found.event_id == worked || found.linked == [worked];
        assert!(is_of_it, "the login that worked is not said: {found:?}");
        let counter = found.counter.expect("counted");
        assert!(counter.seen >= counter.threshold, "{counter:?}");
        assert_eq!(
            found.counted.map(|counted| counted.to),
            expect.counted.as_ref().map(|counted| counted.to)
        );
    }
    let spread = traffic(&[
        Burst::new(TrafficKind::LoginFailure, 6, 3, 1, 5_000),
        Burst::new(TrafficKind::LoginSuccess, 1, 1, 1, 5_000),
    ]);
    let backwards: Vec<Event> = spread.into_iter().rev().collect();
    let found = of("wp.brute.success_user", &backwards).expect("of one user from several sources");
    assert_eq!(found.linked, [backwards[0].id], "the finding names the login that worked");
    let refused = TrafficKind::Denied("/admin/users".to_owned());
    let granted = traffic(&[
        burst(refused, 6, 5_000),
        burst(TrafficKind::Allowed("/admin/users".to_owned()), 1, 5_000),
    ]);
    let backwards: Vec<Event> = granted.into_iter().rev().collect();
    let found = of("wp.priv.granted", &backwards).expect("refused, and then not");
    assert_eq!(found.linked, [backwards[0].id], "the finding names the access");
    // What fails after the success does not lead to it, in whatever order that comes.
    let mut after = traffic(&[
        burst(TrafficKind::LoginSuccess, 1, 5_000),
        burst(TrafficKind::LoginFailure, 4, 5_000),
        burst(TrafficKind::LoginFailure, 4, 5_000),
    ]);
    assert_eq!(of("wp.brute.success", &after), None);
    after.reverse();
    assert_eq!(of("wp.brute.success", &after), None, "it comes last and happened first");
}

/// Who gets in from an address that had not failed is told, unless the network is known of the user; in any order.
#[test]
fn a_distributed_attack_that_succeeds_from_elsewhere_is_found() {
    let of = |events: &[Event]| {
        let found = run(&mut Engine::new(Config::default()), events);
        found.into_iter().find(|found| found.rule_id == "wp.brute.success_elsewhere")
    };
    let failures = || Burst::new(TrafficKind::LoginFailure, 10, 10, 1, 5_000);
    let success = |network| Burst { network, ..Burst::new(TrafficKind::LoginSuccess, 1, 1, 1, 5_000) };
    let mut events = traffic(&[failures(), success(1)]);
    let worked = events[10].id;
    let found = of(&events).expect("the eleventh address gets in");
    assert_eq!((found.event_id, found.entity.kind), (worked, EntityKind::User));
    events.reverse();
    let late = of(&events).expect("the failures come after it");
    assert_eq!(late.linked, [worked], "the finding names the login");
    assert_eq!(of(&traffic(&[success(1), failures(), success(1)])), None, "at home");
    assert!(of(&traffic(&[success(2), failures(), success(1)])).is_some(), "not at home");
}

#[test]
fn a_message_that_said_much_is_over_with_its_window() {
    let mut events = traffic(&[
        burst(TrafficKind::LoginFailure, 1, 1_000),
        burst(TrafficKind::LoginSuccess, 1, 3 * 3_600_000),
    ]);
    events[0].count = 8;
    let found = run(&mut Engine::new(Config::default()), &events);
    assert!(found.iter().all(|found| found.rule_id != "wp.brute.success"), "hours later: {found:?}");
}

/// Logins from one address: did it work, whose, after how many seconds.
fn logins(all: &[(bool, String, i64)]) -> Vec<Event> {
    let failed = traffic(&[burst(TrafficKind::LoginFailure, 1, 1)]).remove(0);
    let worked = traffic(&[burst(TrafficKind::LoginSuccess, 1, 1)]).remove(0);
    let one = |(nth, (works, user, at_s)): (usize, &(bool, String, i64))| {
        let mut event = if *works { worked.clone() } else { failed.clone() };
        event.at = start() + Duration::seconds(*at_s);
        event.id = crate::support::id(event.at, nth as u64);
        event.actor = Some(user.clone());
        event
    };
    all.iter().enumerate().map(one).collect()
}

/// Who mistypes and gets in is nobody's attack, however many of them share an address.
#[test]
fn an_office_behind_one_address_is_no_attack() {
    let is_found = |all: &[(bool, String, i64)]| {
        let found = run(&mut Engine::new(Config::default()), &logins(all));
        found.into_iter().find(|found| found.rule_id == "wp.brute.success")
    };
    let person = |n: i64| format!("person{n}");
    let five: Vec<_> =
        (0..5).flat_map(|n| [(false, person(n), n * 600), (true, person(n), n * 600 + 10)]).collect();
    assert_eq!(is_found(&five), None, "five mistype once each");
    let quick = five.iter().map(|(works, user, at_s)| (*works, user.clone(), at_s / 10));
    let late: Vec<_> = quick.rev().collect();
    assert_eq!(is_found(&late), None, "and their logins come before what they mistyped");
    let forty: Vec<_> = (0..40)
        .flat_map(|n| {
            let slip = (n % 6 == 0).then(|| (false, person(n), n * 80));
            slip.into_iter().chain([(true, person(n), n * 80 + 10)])
        })
        .collect();
    assert_eq!(forty.iter().filter(|(works, ..)| !works).count(), 7);
    assert_eq!(is_found(&forty), None, "seven of forty mistype once each");
    let again: Vec<_> =
        (0..6).flat_map(|n| [(false, person(0), n * 500), (true, person(0), n * 500 + 10)]).collect();
    assert_eq!(is_found(&again), None, "one mistypes each time");
    let mut forgot: Vec<_> = (0..6).map(|n| (false, person(1), n * 20)).collect();
    forgot.push((true, person(2), 200));
    assert_eq!(is_found(&forgot), None, "one forgot the password, and a colleague logs in");
    forgot.push((true, person(1), 300));
    assert!(is_found(&forgot).is_some(), "after many failures the same account works");
}

/// Logins that work in between hide no attack.
#[test]
fn logins_of_others_hide_no_success_of_an_attack() {
    let seen = |all: &[(bool, String, i64)]| {
        let found = run(&mut Engine::new(Config::default()), &logins(all));
        let counted = found.into_iter().filter(|found| found.rule_id == "wp.brute.success");
        counted.filter_map(|found| Some(found.counter?.seen)).max()
    };
    let name = |n: i64| format!("name{n}");
    let mut spraying: Vec<_> = (0..8).map(|n| (false, name(n), n * 60)).collect();
    spraying.push((true, name(3), 600));
    assert_eq!(seen(&spraying), Some(8), "one of those that were tried works");
    spraying[8].1 = "other".to_owned();
    assert_eq!(seen(&spraying), Some(8), "another one works");
    let mut own: Vec<_> =
        (0..10).flat_map(|n| [(false, name(0), n * 20), (true, "mallory".to_owned(), n * 20 + 5)]).collect();
    assert_eq!(seen(&own), None, "an own account of the attacker works, that of the victim does not");
    own.push((true, name(0), 300));
    assert_eq!(seen(&own), Some(10), "the logins with an own account hide nothing");
}
