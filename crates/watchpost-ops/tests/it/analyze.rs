//! A log alone, with what is known beyond it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use watchpost_detect::{RuleFile, RuleSet};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{EntityKind, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::risk::RiskFactorKind;
use watchpost_ops::analyze::{Analysis, Basis, Context, Span, analyze};
use watchpost_ops::error::ErrorCode;

use crate::door::folder;
use crate::mmdb::{city, mmdb};

fn start() -> DateTime<Utc> {
    "2026-11-03T08:00:00Z".parse().expect("a literal time")
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("the folder is ours");
    path
}

fn failure(n: i64) -> String {
    let at = (start() + Duration::seconds(n * 10)).to_rfc3339();
    format!(
        r#"{{"at": "{at}", "category": "authentication", "type": "login_failure", "outcome": "failure", "actor": "anna", "source_ip": "203.0.113.7"}}"#
    )
}

fn injection(minute: i64, source: &str) -> String {
    let at = (start() + Duration::minutes(minute)).to_rfc3339();
    format!(
        r#"{{"at": "{at}", "category": "api_usage", "type": "request", "source_ip": "{source}", "http": {{"method": "GET", "path": "/shop/items", "query": "id=1%27%20UNION%20SELECT%20password%20FROM%20users--", "status": 200}}}}"#
    )
}

fn run(log: &Path, context: Context) -> Analysis {
    analyze(log, "jsonl", Basis::of_rules(RuleSet::embedded()), context, start() + Duration::days(1))
        .expect("the log is read")
}

#[test]
fn incidents_say_when_their_events_were() {
    let home = folder();
    // Forty failures: the threshold is passed early, the count doubles now and then, and the last ones say nothing new.
    let log: Vec<String> = (0..40).map(failure).collect();
    let told = run(&write(home.path(), "auth.jsonl", log.join("\n")), Context::default());
    let brute: Vec<_> =
        told.incidents.iter().filter(|incident| incident.family == AttackFamily::BruteForce).collect();
    assert!(!brute.is_empty(), "{:?}", told.incidents);
    for incident in brute {
        assert_eq!(
            incident.first_seen,
            start(),
            "the first of what was counted: {}",
            incident.example.summary
        );
        assert_eq!(incident.last_seen, start() + Duration::seconds(390), "and the last that followed");
        assert!(incident.sources.contains_key("203.0.113.7"));
        if matches!(incident.entity.kind, EntityKind::Ip | EntityKind::User) {
            assert_eq!(incident.events, 40, "{}: before the threshold, and after it", incident.entity);
        }
    }
    let source = told.sources.first().expect("one source");
    assert_eq!((source.first_seen, source.last_seen), (start(), start() + Duration::seconds(390)));
}

/// Within ten minutes the order of the lines is nothing: the incident is the same, with its times.
#[test]
fn a_log_backwards_says_the_same() {
    let home = folder();
    let told = |name: &str, log: &[String]| {
        let told = run(&write(home.path(), name, log.join("\n")), Context::default());
        assert_eq!(told.late, 0);
        let incidents = told.incidents.iter().map(|incident| {
            let seen = (incident.first_seen, incident.last_seen, incident.sources.clone());
            (incident.entity.to_string(), incident.events, incident.findings, seen)
        });
        incidents.collect::<Vec<_>>()
    };
    let mut log: Vec<String> = (0..6).map(failure).collect();
    let forth = told("forth.jsonl", &log);
    let of_source = forth.iter().find(|incident| incident.0 == "ip:203.0.113.7").expect("six failures");
    assert_eq!((of_source.1, of_source.3.0), (6, start()));
    log.reverse();
    assert_eq!(told("back.jsonl", &log), forth);
}

/// A correlation names the events that it counted: they are part of the incident, with their times and sources.
#[test]
fn what_a_correlation_links_belongs_to_the_incident() {
    let home = folder();
    let rules = "title: Probe\nid: own.probe\nname: own_probe\nlogsource: { category: webserver }\nlevel: low\n\
                 detection:\n  sel:\n    c-uri|contains: /probe\n  condition: sel\n---\n\
                 title: Probes\nid: own.probes\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [own_probe]\n  \
                 group-by: [cs-username]\n  timespan: 30m\n  condition: { gte: 3 }\n";
    let file = RuleFile { name: "own.yml".to_owned(), text: rules.to_owned() };
    let rules = Arc::new(RuleSet::load(&[file], &BTreeMap::new()));
    assert_eq!(rules.problems(), []);
    let log: Vec<String> = (0..3)
        .map(|n| {
            let at = (start() + Duration::minutes(n * 5)).to_rfc3339();
            format!(
                r#"{{"at": "{at}", "category": "api_usage", "type": "request", "actor": "anna", "source_ip": "203.0.113.{n}", "http": {{"method": "GET", "path": "/probe/{n}", "status": 404}}}}"#
            )
        })
        .collect();
    let log = write(home.path(), "probes.jsonl", log.join("\n"));
    let basis = Basis::of_rules(rules);
    let told = analyze(&log, "jsonl", basis, Context::default(), start() + Duration::days(1)).expect("read");
    let found: Vec<_> =
        told.incidents.iter().filter(|incident| incident.rules.contains_key("own.probes")).collect();
    let [incident] = found.as_slice() else { panic!("one of the correlation: {:?}", told.incidents) };
    assert_eq!(incident.entity.to_string(), "user:anna");
    assert_eq!((incident.findings, incident.events), (1, 3));
    assert_eq!((incident.first_seen, incident.last_seen), (start(), start() + Duration::minutes(10)));
    for n in 0..3 {
        let at = start() + Duration::minutes(n * 5);
        let seen = incident.sources.get(&format!("203.0.113.{n}")).expect("it probed");
        assert_eq!(*seen, Span { first_seen: at, last_seen: at });
    }
}

/// A user's incident has the failures of several addresses; each address has its own times, also those before the
/// threshold, and an incident of another address does not stretch them.
#[test]
fn each_source_has_its_own_times() {
    let home = folder();
    let failure = |n: i64, source: &str| {
        let at = (start() + Duration::seconds(n * 10)).to_rfc3339();
        format!(
            r#"{{"at": "{at}", "category": "authentication", "type": "login_failure", "outcome": "failure", "actor": "anna", "source_ip": "{source}"}}"#
        )
    };
    // Each address fails five times in its own minutes: too few for one of them, enough for the user.
    let log: Vec<String> = (0..40).map(|n| failure(n, &format!("203.0.113.{}", n / 5))).collect();
    let told = run(&write(home.path(), "spread.jsonl", log.join("\n")), Context::default());
    let user = told
        .incidents
        .iter()
        .find(|incident| incident.entity.kind == EntityKind::User)
        .expect("many failures of one user");
    assert_eq!(user.first_seen, start());
    let at = |n: i64| start() + Duration::seconds(n * 10);
    for n in 0..8 {
        let seen = user.sources.get(&format!("203.0.113.{n}")).expect("it failed");
        assert_eq!(*seen, Span { first_seen: at(n * 5), last_seen: at(n * 5 + 4) }, "address {n}");
    }
    let first = told.sources.iter().find(|source| source.address == "203.0.113.0").expect("a source");
    assert_eq!((first.first_seen, first.last_seen), (at(0), at(4)), "not those of the user's incident");
}

#[test]
fn lines_that_cannot_be_read_are_told_and_a_log_of_nothing_else_is_refused() {
    let home = folder();
    let mut log: Vec<String> = (0..8).map(failure).collect();
    log.insert(3, "{\"at\": 7}".to_owned());
    log.extend((0..12).map(|n| format!("\u{1b}[31mno JSON {n}")));
    let told = run(&write(home.path(), "mixed.jsonl", log.join("\n")), Context::default());
    assert_eq!((told.events, told.bad, told.bad_lines.len()), (8, 13, 10));
    let first = told.bad_lines.first().expect("ten are told");
    assert_eq!(first.line, 4);
    assert!(!first.reason.is_empty() && told.bad_lines.iter().all(|bad| !bad.excerpt.contains('\u{1b}')));

    let other = write(home.path(), "access.log", "203.0.113.7 - - [x] \"GET / HTTP/1.1\" 200 1\n");
    let refused = analyze(&other, "jsonl", Basis::of_rules(RuleSet::embedded()), Context::default(), start())
        .unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("format")));
    assert!(refused.hint.is_some_and(|hint| hint.starts_with("line 1: ")));
    let empty = run(&write(home.path(), "empty.jsonl", ""), Context::default());
    assert_eq!((empty.events, empty.bad), (0, 0), "nothing happened, and that is known");
}

#[test]
fn events_that_behaviours_cannot_count_are_told() {
    let home = folder();
    let mut log: Vec<String> = (0..8).map(|n| failure(n * 30)).collect();
    // Fifteen minutes behind the newest.
    log.push(failure(120));
    log.push(failure(120));
    log.push(failure(100_000));
    let told = run(&write(home.path(), "late.jsonl", log.join("\n")), Context::default());
    assert_eq!((told.events, told.late, told.future), (11, 2, 1));
}

#[test]
fn what_is_known_of_sources_is_told_source_by_source() {
    let home = folder();
    let log = [injection(0, "203.0.113.9"), injection(1, "198.51.100.9"), injection(2, "203.0.113.9")];
    let log = write(home.path(), "shop.jsonl", log.join("\n"));
    let plain = run(&log, Context::default());
    assert_eq!(plain.sources.len(), 2);
    assert!(plain.sources.iter().all(|source| source.place.is_none() && source.threats.is_empty()));

    let places =
        mmdb("Test-City", 1_760_000_000, &[("203.0.113.0", 24, city("DE", "Berlin", 52.52, 13.405))]);
    let context = Context {
        city: Some(write(home.path(), "city.mmdb", places)),
        asn: None,
        threats: vec![write(home.path(), "drop.txt", "203.0.113.0/24 ; SBL1\n")],
        threat_confidence: 90,
        assets: vec![AssetRule {
            kind: EntityKind::Endpoint,
            pattern: "/shop".to_owned(),
            label: "shop".to_owned(),
            weight: 0.5,
        }],
    };
    let told = run(&log, context);
    let first = &told.sources[0];
    assert_eq!(first.address, "203.0.113.9", "the riskiest comes first");
    assert_eq!(first.place.as_ref().map(ToString::to_string).as_deref(), Some("Berlin, DE"));
    assert_eq!(first.threats[0].list, "drop.txt");
    assert!(
        first.families.contains(&AttackFamily::ThreatListed),
        "a list that is sure is a finding of its own"
    );
    assert!(first.risk > told.sources[1].risk, "{} {}", first.risk, told.sources[1].risk);
    assert_eq!((first.first_seen, first.last_seen), (start(), start() + Duration::minutes(2)));
    assert!(first.severity >= Severity::High);
    let sqli = told
        .incidents
        .iter()
        .find(|incident| {
            incident.family == AttackFamily::Sqli && incident.sources.contains_key("203.0.113.9")
        })
        .expect("it attacked");
    let factors = &sqli.example.enrichment.risk;
    for kind in [RiskFactorKind::ThreatList, RiskFactorKind::Asset] {
        assert!(factors.iter().any(|factor| factor.kind == kind), "{factors:?}");
    }
    assert_eq!(i32::from(sqli.risk), factors.iter().map(|factor| factor.points).sum::<i32>());
}

#[test]
fn what_cannot_be_read_is_named() {
    let home = folder();
    let log = write(home.path(), "shop.jsonl", injection(0, "203.0.113.9"));
    let gone = || home.path().join("gone");
    for (field, log, context) in [
        ("path", gone(), Context::default()),
        ("city", log.clone(), Context { city: Some(gone()), ..Context::default() }),
        ("threats", log.clone(), Context { threats: vec![gone()], ..Context::default() }),
    ] {
        let refused = analyze(&log, "jsonl", Basis::of_rules(RuleSet::embedded()), context, start())
            .expect_err("it is not there");
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Unavailable, Some(field)));
    }
    let context = Context { city: Some(log.clone()), ..Context::default() };
    let refused = analyze(&log, "jsonl", Basis::of_rules(RuleSet::embedded()), context, start())
        .expect_err("it is no such file");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("city")));
}

/// The archive knows an event by its id; so does an analysis.
#[test]
fn an_event_that_comes_again_adds_nothing() {
    let home = folder();
    let with_id = |n: u32| {
        let id = uuid::Uuid::from_u128(u128::from(n)).to_string();
        failure(i64::from(n)).replacen('{', &format!(r#"{{"id": "{id}", "#), 1)
    };
    let pair = [with_id(1), with_id(2)].join("\n");
    let log = write(home.path(), "replay.jsonl", [pair.as_str(); 5].join("\n"));
    let told = run(&log, Context::default());
    assert_eq!((told.events, told.repeated), (10, 8));
    assert!(told.incidents.is_empty(), "two failures are no attack: {:?}", told.incidents);
}
