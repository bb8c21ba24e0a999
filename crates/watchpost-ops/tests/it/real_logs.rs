//! Real logs, where they are at hand.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use watchpost_detect::{Config, Engine};
use watchpost_ingest::{Import, ImportOptions, Importer, LogFormat, Parsed, open_reader};
use watchpost_model::event::Event;

/// The logs of the shared data, or `None` with a message.
#[expect(clippy::print_stdout, reason = "says why a test did nothing")]
fn log(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/logs").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not at hand");
    None
}

fn importer(format: LogFormat) -> Importer {
    let now = "2026-02-10T12:00:00Z".parse().expect("a literal time");
    Importer::new(format, ImportOptions::new(now, "test.log"))
}

/// Events, number of skipped lines, reasons of bad ones.
fn read(path: &PathBuf, format: LogFormat) -> (Vec<Event>, u64, Vec<String>) {
    let reader = open_reader(File::open(path).expect("it is there")).expect("it can be read");
    let (mut events, mut n_skipped, mut bad) = (Vec::new(), 0, Vec::new());
    for item in Import::new(reader, 0, importer(format)) {
        match item.expect("the log is whole").1 {
            Parsed::Event(event) => events.push(*event),
            Parsed::Skipped(_) => n_skipped += 1,
            Parsed::Bad { reason, excerpt, .. } => bad.push(format!("{reason}: {excerpt}")),
        }
    }
    (events, n_skipped, bad)
}

#[test]
fn ten_thousand_lines_of_a_web_server() {
    let Some(path) = log("apache_combined_10k.log.gz") else { return };
    let (events, _, bad) = read(&path, LogFormat::Combined);
    assert_eq!((events.len(), bad.len()), (10_000, 0), "{bad:?}");
    let mut engine = Engine::new(Config::default());
    let mut by_rule: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        for found in engine.observe(event, event.at) {
            *by_rule.entry(found.rule_id).or_default() += 1;
        }
    }
    println!("{by_rule:?}");
    let n_findings: u64 = by_rule.values().sum();
    assert!(n_findings < 200, "an ordinary site is mostly quiet: {by_rule:?}");
}

#[test]
fn samples_of_web_logs_are_read() {
    for (name, n_bad_max) in [
        ("hub-apache-http-probing.log", 0),
        ("hub-apache2-malformed.log", 0),
        ("hub-nginx-http-malformed.log", 0),
        ("hub-nginx_http-logs.log", 2),
        ("hub-apache2-logs.log", 2),
    ] {
        let Some(path) = log(name) else { return };
        let (events, _, bad) = read(&path, LogFormat::Combined);
        assert!(!events.is_empty() && bad.len() <= n_bad_max, "{name}: {} events, {bad:?}", events.len());
    }
}

#[test]
fn samples_of_sshd_are_read_and_brute_force_is_found() {
    for (name, is_attack) in [
        ("hub-ssh-bf.log", true),
        ("hub-ssh-slow-bf.log", true),
        ("hub-sshd-invalid-bf.log", true),
        ("hub-sshd-success-logs.log", false),
    ] {
        let Some(path) = log(name) else { return };
        let (events, _, bad) = read(&path, LogFormat::Sshd);
        assert!(!events.is_empty() && bad.is_empty(), "{name}: {bad:?}");
        let mut engine = Engine::new(Config::default());
        let n_found: usize = events.iter().map(|event| engine.observe(event, event.at).len()).sum();
        assert_eq!(n_found > 0, is_attack, "{name}: {n_found} findings in {} events", events.len());
    }
}

/// What the scenarios of the logs' source find, with the rule that finds it here.
#[test]
fn behaviours_are_found_in_logs_of_attacks() {
    for (name, format, rules) in [
        ("hub-ssh-bf.log", LogFormat::Sshd, &["wp.brute.source"][..]),
        ("hub-ssh-slow-bf.log", LogFormat::Sshd, &["wp.brute.slow"]),
        ("hub-ssh-time-based-bf.log", LogFormat::Sshd, &["wp.brute.unknown_users"]),
        ("hub-sshd-invalid-bf.log", LogFormat::Sshd, &["wp.brute.source"]),
        ("hub-apache-http-probing.log", LogFormat::Combined, &["wp.probe.paths"]),
    ] {
        let Some(path) = log(name) else { return };
        let (events, _, _) = read(&path, format);
        let mut engine = Engine::new(Config::default());
        let fired: std::collections::BTreeSet<String> = events
            .iter()
            .flat_map(|event| engine.observe(event, event.at))
            .map(|found| found.rule_id)
            .collect();
        for rule in rules {
            assert!(fired.contains(*rule), "{name}: {rule} is not in {fired:?}");
        }
    }
}

/// Three or four names in an hour or more, none of which exists: no count of failures is reached. One of the sources
/// gets in with a password, and is somebody who mistyped.
#[test]
fn guessed_names_are_found_however_slowly_they_come() {
    let Some(path) = log("hub-ssh-time-based-bf.log") else { return };
    let (events, _, _) = read(&path, LogFormat::Sshd);
    let mut engine = Engine::new(Config::default());
    let sources: std::collections::BTreeSet<String> = events
        .iter()
        .flat_map(|event| engine.observe(event, event.at))
        .filter(|found| found.rule_id == "wp.brute.unknown_users")
        .map(|found| found.entity.value)
        .collect();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["10.0.0.100", "10.0.0.101", "10.0.0.103"]);
}
