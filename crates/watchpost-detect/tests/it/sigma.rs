//! Sigma rules of a directory: modifiers, conditions, correlations and filters, over decoded values.

use chrono::Duration;
use watchpost_detect::{Config, Engine};
use watchpost_model::event::Event;
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::{EventId, FindingId};

use crate::ruleset::{file, load};
use crate::support::{request, start};

fn rule(id: &str, detection: &str) -> String {
    format!(
        "title: Own {id}\nid: {id}\nstatus: test\nlogsource: {{ category: webserver }}\nlevel: high\ntags: [attack.t1595.002]\n\
         detection:\n{detection}\n"
    )
}

/// An event with an encoded path and query, an agent, and details.
fn event(path: &str, query: &str) -> Event {
    let mut event = request(start(), 1, path, Some(query));
    let http = event.http.as_mut().expect("a request");
    http.headers.insert("user-agent".to_owned(), "Evil/1.0 (x)".to_owned());
    event.actor = Some("anna".to_owned());
    event.details = serde_json::json!({ "CommandLine": "tool /enc aGVsbG8gd29ybGQ= -q", "owner": "anna", "n": { "m": 7 } });
    event
}

fn fires(detection: &str, event: &Event) -> bool {
    let set = load(&[file("own.yml", &rule("own.sigma", detection))]);
    assert_eq!(set.problems(), [], "{detection}");
    let mut engine = Engine::with_rules(Config::default(), set);
    engine.observe(event, event.at).iter().any(|found| found.rule_id == "own.sigma")
}

#[test]
fn modifiers_and_conditions_hold_on_decoded_values() {
    let event = event("/a%2fb/secret%2ephp", "q=%27hello%27&dir=..%2f..%2fetc");
    for (items, expect) in [
        ("c-uri|contains: secret.php", true),
        ("cs-uri-stem|endswith: .php", true),
        ("cs-uri-stem|startswith: /a/b", true),
        ("cs-uri-stem|startswith: /b", false),
        ("cs-uri-query|contains: '../../etc'", true),
        ("cs-uri-query|contains: '%2f'", true),
        ("cs-uri-query|contains|all: [hello, etc]", true),
        ("cs-uri-query|contains|all: [hello, absent]", false),
        ("cs-uri-query|re: \"'h[a-z]+o'\"", true),
        ("c-useragent|startswith: evil", true),
        ("cs-method: GET", true),
        ("sc-status: 200", true),
        ("sc-status: 404", false),
        ("src_ip|cidr: 198.51.100.0/24", true),
        ("c-ip|cidr: 10.0.0.0/8", false),
        ("CommandLine|windash|contains: ' -enc '", true),
        ("CommandLine|base64offset|contains: world", true),
        ("cs-username|fieldref: owner", true),
        ("owner|expand: '%user.name%'", true),
        ("n.m: 7", true),
        ("absent: x", false),
    ] {
        let detection = format!("  sel:\n    {items}\n  condition: sel");
        assert_eq!(fires(&detection, &event), expect, "{items}");
    }
    let parts = "  sel_a:\n    cs-method: GET\n  sel_b:\n    cs-uri-query|contains: hello\n  filter_own:\n    cs-username: anna\n";
    for (condition, expect) in [
        ("all of sel_*", true),
        ("1 of sel_*", true),
        ("sel_a and not 1 of filter_*", false),
        ("sel_a and not sel_b or filter_own", true),
    ] {
        assert_eq!(fires(&format!("{parts}  condition: {condition}"), &event), expect, "{condition}");
    }
    assert!(fires("  keywords: [etc]\n  condition: keywords", &event), "keywords");
    assert!(!fires("  keywords: [no-such-word]\n  condition: keywords", &event));
}

#[test]
fn a_match_is_a_finding_with_all_that_the_rule_says() {
    let set =
        load(&[file("own.yml", &rule("own.sigma", "  sel:\n    c-uri|contains: secret\n  condition: sel"))]);
    let mut engine = Engine::with_rules(Config::default(), set);
    let event = event("/secret", "a=1");
    let findings = engine.observe(&event, event.at);
    let found = findings.iter().find(|found| found.rule_id == "own.sigma").expect("found");
    assert_eq!(
        (found.family, found.severity.as_str(), found.confidence),
        (AttackFamily::Scanner, "high", 65)
    );
    assert_eq!(
        (found.attack.clone(), found.entity.to_string()),
        (vec!["T1595.002".to_owned()], "ip:198.51.100.7".to_owned())
    );
    assert_eq!(found.matched.as_ref().expect("shown").field, "c-uri");
    let again = engine.observe(&event, event.at);
    assert_eq!(
        again.iter().find(|found| found.rule_id == "own.sigma").expect("found").id,
        found.id,
        "same id"
    );
}

#[test]
fn a_correlation_counts_in_event_time_and_its_parts_are_quiet() {
    let text = format!(
        "{}---\ntitle: Many probes\nid: own.many\nlevel: critical\ncorrelation:\n  type: event_count\n  rules: [own.probe]\n  \
         group-by: [src_ip]\n  timespan: 1m\n  condition:\n    gte: 3\n",
        rule("own.probe", "  sel:\n    c-uri|contains: probe\n  condition: sel")
    );
    let set = load(&[file("own.yml", &text)]);
    assert_eq!(set.problems(), []);
    let run = |every_s: i64| -> Vec<String> {
        let mut engine = Engine::with_rules(Config::default(), load(&[file("own.yml", &text)]));
        let events = (0..4)
            .map(|n| request(start() + Duration::seconds(n * every_s), n.unsigned_abs(), "/probe", None));
        let mut found = Vec::new();
        for (nth, event) in events.enumerate() {
            // A reload on the way keeps what was counted.
            if nth == 2 {
                engine.replace_rules(load(&[file("own.yml", &text)]));
            }
            found.extend(engine.observe(&event, event.at).into_iter().map(|found| found.rule_id));
        }
        found.into_iter().filter(|id| id.starts_with("own.")).collect()
    };
    assert_eq!(run(5), ["own.many"], "once, and not for each event");
    assert_eq!(run(50), Vec::<String>::new(), "too slow");
}

/// One of each kind of correlation, over the same probes.
fn correlations() -> String {
    let probe = rule("own.probe", "  sel:\n    c-uri|contains: probe\n  condition: sel");
    let login = rule("own.login", "  sel:\n    c-uri|contains: login\n  condition: sel");
    let correlation = |id: &str, body: &str| {
        format!(
            "---\ntitle: {id}\nid: {id}\nlevel: high\ncorrelation:\n  group-by: [src_ip]\n  timespan: 10m\n{body}"
        )
    };
    [
        probe,
        format!("---\n{login}"),
        correlation("own.count", "  type: event_count\n  rules: [own.probe]\n  condition:\n    gte: 5\n"),
        correlation(
            "own.values",
            "  type: value_count\n  rules: [own.probe]\n  condition:\n    field: cs-uri-stem\n    gte: 4\n",
        ),
        correlation("own.temporal", "  type: temporal\n  rules: [own.probe, own.login]\n"),
        correlation("own.ordered", "  type: temporal_ordered\n  rules: [own.probe, own.login]\n"),
        correlation("own.above", "  type: temporal_ordered\n  rules: [own.count, own.ordered]\n"),
    ]
    .concat()
}

#[test]
fn a_restart_in_the_middle_of_a_window_forgets_nothing() {
    let text = correlations();
    let engine = || {
        let set = load(&[file("own.yml", &text)]);
        assert_eq!(set.problems(), []);
        Engine::with_rules(Config::default(), set)
    };
    let events: Vec<Event> = (0..5_u32)
        .map(|n| (n, format!("/probe/{n}")))
        .chain([(5, "/login".to_owned())])
        .map(|(n, path)| request(start() + Duration::seconds(i64::from(n) * 60), u64::from(n), &path, None))
        .collect();
    let run = |engine: &mut Engine, events: &[Event]| -> Vec<(String, FindingId, Vec<EventId>)> {
        events
            .iter()
            .flat_map(|event| engine.observe(event, event.at))
            .filter(|found| found.rule_id.starts_with("own."))
            .map(|found| (found.rule_id, found.id, found.linked))
            .collect()
    };
    let mut whole = engine();
    let expect = run(&mut whole, &events);
    let ids: std::collections::BTreeSet<&str> = expect.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(
        ids.into_iter().collect::<Vec<_>>(),
        ["own.above", "own.count", "own.ordered", "own.temporal", "own.values"]
    );
    let probes: Vec<EventId> = events[..5].iter().map(|event| event.id).collect();
    let above = expect.iter().find(|(id, ..)| id == "own.above").expect("both happened");
    assert_eq!(
        above.2, probes,
        "what the correlations below it counted, and not the login that completes it"
    );
    for cut in 0..=events.len() {
        let mut first = engine();
        let mut found = run(&mut first, &events[..cut]);
        let saved = first.save();
        let mut second = engine();
        second.restore(&saved).expect("just saved");
        assert_eq!(second.save(), saved, "nothing is lost on the way at {cut}");
        assert_eq!(second.counters().groups, first.counters().groups, "groups at {cut}");
        found.extend(run(&mut second, &events[cut..]));
        assert_eq!(found, expect, "cut at {cut}");
        assert_eq!(second.save(), whole.save(), "cut at {cut}");
    }
    // Without its correlations a state is still one, and says nothing of them.
    let mut none = Engine::new(Config::default());
    none.restore(&whole.save()).expect("of this version");
    assert_eq!(run(&mut none, &events), []);
}

#[test]
fn a_filter_takes_away_and_missing_references_are_told() {
    let base = rule("own.sigma", "  sel:\n    c-uri|contains: secret\n  condition: sel");
    let filter = "title: Not anna\nid: own.filter\nlogsource: { category: webserver }\nfilter:\n  rules: [own.sigma]\n  \
                  selection:\n    cs-username: anna\n  condition: not selection\n";
    let fires = |files: &[watchpost_detect::RuleFile]| {
        let set = load(files);
        assert_eq!(set.problems(), []);
        let event = event("/secret", "a=1");
        let mut engine = Engine::with_rules(Config::default(), set);
        engine.observe(&event, event.at).iter().any(|found| found.rule_id == "own.sigma")
    };
    assert!(fires(&[file("a.yml", &base)]));
    assert!(!fires(&[file("a.yml", &base), file("b.yml", filter)]));
    let lost = "title: Lost\nid: own.lost\ncorrelation:\n  type: event_count\n  rules: [nothing]\n  group-by: [src_ip]\n  \
                timespan: 1m\n  condition: { gte: 3 }\n";
    let wrong = rule("own.wrong", "  sel:\n    c-uri|containz: x\n  condition: sel");
    let condition = rule("own.condition", "  sel:\n    c-uri: x\n  condition: sel and (");
    let set =
        load(&[file("a.yml", &base), file("l.yml", lost), file("w.yml", &wrong), file("c.yml", &condition)]);
    let told: Vec<(&str, u64)> = set.problems().iter().map(|told| (told.file.as_str(), told.line)).collect();
    assert!(
        told.contains(&("l.yml", 5)) && told.contains(&("w.yml", 9)) && told.contains(&("c.yml", 10)),
        "{:?}",
        set.problems()
    );
    assert!(set.rule("own.sigma").is_some_and(|rule| rule.enabled), "the others run");
}
