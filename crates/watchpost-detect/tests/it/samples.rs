//! Every rule keeps the promises of its samples.

use crate::support::start;
use watchpost_detect::{Config, Engine, RuleKind, RuleSet, Sample, inspect_value};

#[test]
fn every_rule_has_samples_and_they_hold() {
    let set = RuleSet::embedded();
    assert_eq!(set.problems(), [], "what ships is sound");
    for rule in set.rules().iter().map(|rule| &rule.info) {
        assert!(
            rule.fires.len() >= 3 && rule.near_misses.len() >= 3,
            "{} has at least three of each",
            rule.id
        );
        let mut samples = rule.fires.iter().chain(&rule.near_misses);
        assert!(samples.all(|sample| !sample.events().is_empty()), "{}: samples make events", rule.id);
    }
    let report = set.test(None);
    assert_eq!(report.rules, set.rules().len() as u64, "all are tested");
    let wrong = report.failures.iter().map(|failure| format!("{failure:?}")).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{} samples are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_documentation_counts_what_ships() {
    let set = RuleSet::embedded();
    let n = |kind: RuleKind| set.rules().iter().filter(|rule| rule.kind == kind).count();
    let (n_signatures, n_behaviours) = (n(RuleKind::Signature), n(RuleKind::Behaviour));
    assert_eq!(n_signatures + n_behaviours, set.rules().len(), "plain Sigma ships as well: tell of it");
    let told = format!("{n_signatures} signatures and {n_behaviours} behaviours.");
    let document = include_str!("../../../../docs/rules.md");
    assert!(document.contains(&told), "docs/rules.md says otherwise than {told:?}");
}

#[test]
fn rule_ids_are_unique_and_say_their_family() {
    let set = RuleSet::embedded();
    let mut ids: Vec<&str> = set.rules().iter().map(|rule| rule.info.id.as_str()).collect();
    let n_all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n_all, "no id twice");
    for rule in set.rules().iter().map(|rule| &rule.info) {
        assert!(rule.id.starts_with("wp.") && rule.confidence <= 100, "{}", rule.id);
        assert!(
            !rule.attack.is_empty() && !rule.controls.is_empty(),
            "{} names technique and controls",
            rule.id
        );
    }
}

/// The span that a finding shows is the match: fed back alone, it fires the same rule.
#[test]
fn matched_spans_fire_again() {
    let set = RuleSet::embedded();
    let mut wrong = Vec::new();
    for rule in set.rules().iter().map(|rule| &rule.info) {
        for sample in rule.fires.iter().filter(|sample| matches!(sample, Sample::Value(_))) {
            for found in set.findings_of(rule, sample) {
                let matched = found.matched.expect("a signature shows its match");
                let last = matched.layers.last().expect("never empty");
                let (start, end) = last.span.expect("the layer that matched has a span");
                let span: String =
                    last.text.chars().skip(start as usize).take((end - start) as usize).collect();
                let again = inspect_value(&span);
                if !again.findings.iter().any(|found| found.rule_id == rule.id) {
                    wrong.push(format!("{}: {span:?} of {sample:?}", rule.id));
                }
                assert_eq!(matched.layers[0].decoder, "raw", "raw comes first");
                assert!(
                    matched.layers[0].span.is_some(),
                    "{}: {sample:?} can be marked in the raw text",
                    rule.id
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{} spans do not fire alone:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules about something else than one value of the request: the raw span says nothing by itself as a parameter.
const NOT_OF_ONE_VALUE: &[(&str, &str)] = &[
    ("wp.header.internal", "the name of the header"),
    ("wp.csrf.reported", "the event's type"),
    ("wp.csrf.origin", "a header beside the host, the method and the body"),
    ("wp.csrf.cross_site", "a header beside the method and a cookie"),
    ("wp.csrf.fixation", "a parameter beside the referrer"),
    ("wp.jwt.expired", "a token beside the time of the event, which says that the token was taken"),
    ("wp.header.host", "the host and its like"),
    ("wp.header.smuggling", "lengths of the body"),
    ("wp.leak.card", "answers"),
    ("wp.leak.file", "answers"),
    ("wp.leak.key", "answers"),
    ("wp.leak.listing", "answers"),
    ("wp.leak.sql", "answers"),
    ("wp.leak.token", "answers"),
    ("wp.leak.trace", "answers"),
    ("wp.scanner.agent", "the user agent"),
    ("wp.scanner.probe", "the path"),
    ("wp.traversal.secret", "the path"),
    ("wp.upload.active", "files of a multipart body"),
    ("wp.upload.bomb", "files of a multipart body"),
    ("wp.upload.eicar", "files of a multipart body"),
    ("wp.upload.macro", "files of a multipart body"),
    ("wp.upload.part", "files of a multipart body"),
    ("wp.upload.polyglot", "files of a multipart body"),
    ("wp.upload.shell", "files of a multipart body"),
    ("wp.upload.slip", "files of a multipart body"),
    ("wp.upload.type", "files of a multipart body"),
];

/// What a finding marks in the raw text suffices: as the only parameter of a request it fires the same rule. All rules
/// that look at one value, all samples, wherever in the request the value stood.
#[test]
fn raw_spans_fire_alone_as_a_parameter() {
    let set = RuleSet::embedded();
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let mut n_spans = 0;
    for rule in set.rules().iter().map(|rule| &rule.info) {
        for sample in &rule.fires {
            for matched in set.findings_of(rule, sample).into_iter().filter_map(|found| found.matched) {
                n_spans += 1;
                let raw = &matched.layers[0];
                let (start, end) = raw.span.expect("the raw text is marked");
                let span: String =
                    raw.text.chars().skip(start as usize).take((end - start) as usize).collect();
                // A query is raw as it is; what stood elsewhere is encoded as a browser would.
                let (name, value) = match matched.field.strip_prefix("http.query") {
                    Some(name) => (name.trim_start_matches('.'), span.clone()),
                    None => {
                        let name = matched.field.strip_prefix("http.body.");
                        let name =
                            name.or_else(|| matched.field.strip_prefix("http.headers.x-")).unwrap_or("q");
                        (name, crate::support::percent(&span))
                    }
                };
                let name = if name.is_empty() { "q" } else { name };
                let verdict = watchpost_detect::inspect_request(
                    "GET",
                    &format!("/search?{name}={value}"),
                    &Default::default(),
                    None,
                );
                if !verdict.findings.iter().any(|found| found.rule_id == rule.id) {
                    wrong.push((&rule.id, format!("{span:?} in {} of {sample:?}", matched.field)));
                }
            }
        }
    }
    assert!(n_spans > 300, "{n_spans} spans");
    for (id, about) in NOT_OF_ONE_VALUE {
        assert!(wrong.iter().any(|(wrong, _)| wrong == id), "{id} ({about}) is no exception any more");
    }
    wrong.retain(|(id, _)| NOT_OF_ONE_VALUE.iter().all(|(known, _)| known != id));
    assert!(wrong.is_empty(), "{} spans do not suffice: {wrong:#?}", wrong.len());
}

/// What is encoded as a whole, or means something only before other words, is marked so far that it fires by itself.
#[test]
fn a_match_that_needs_more_is_marked_wider() {
    for query in [
        "q=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
        "q=cmVxdWlyZSgiY2hpbGRfcHJvY2VzcyIpLmV4ZWMoJ3dob2FtaScp",
        "q=..%5C..%5C..%5C..%5Cwinnt%5Cwin.ini",
        "q=%5B%5D.sort.call%60%24%7Balert%7D1337%60",
        "q=nc%20-lvvp%204445%20-e%20%2Fbin%2Fsh",
        "q=%3B%20test()%20%7B%20test%20%7C%20test%20%26%20%7D%20test",
    ] {
        let look = |query: &str| {
            watchpost_detect::inspect_request("GET", &format!("/x?{query}"), &Default::default(), None)
        };
        let told = look(query);
        assert!(told.is_detected(), "{query}");
        for found in &told.findings {
            let raw = &found.matched.as_ref().expect("a signature shows its match").layers[0];
            let (start, end) = raw.span.expect("the raw text is marked");
            let span: String = raw.text.chars().skip(start as usize).take((end - start) as usize).collect();
            let alone = look(&format!("q={span}"));
            assert!(
                alone.findings.iter().any(|again| again.rule_id == found.rule_id),
                "{query}: {span} does not fire {}",
                found.rule_id
            );
        }
    }
}

#[test]
fn evasions_are_seen_through() {
    for (query, family) in [
        ("q=%2527%2520or%25201%253D1--", "sqli"),
        ("q=%u0027%u006fr%201=1", "sqli"),
        ("q=1/*x*/union/*y*/select/**/1,2", "sqli"),
        ("q=1%0aUnIoN%0bSeLeCt%0c1,2", "sqli"),
        ("q=%EF%BC%87%20or%201=1", "sqli"),
        ("q=%26lt%3Bscript%26gt%3Balert(1)", "xss"),
        ("q=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "xss"),
        ("q=%5Cu003cscript%5Cu003ealert(1)", "xss"),
        ("q=%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", "traversal"),
        ("q=..%252f..%252f..%252fetc%252fpasswd", "traversal"),
        ("q=;c%27%27at%20/etc/issue", "cmdi"),
        ("q=;cat%24%7BIFS%7D/etc/issue", "cmdi"),
    ] {
        let verdict =
            watchpost_detect::inspect_request("GET", &format!("/x?{query}"), &Default::default(), None);
        let names: Vec<&str> = verdict.categories.iter().map(|family| family.as_str()).collect();
        assert!(names.contains(&family), "{query}: {family} is not in {names:?}");
    }
}

#[test]
fn an_attack_at_the_end_of_a_large_body_is_found() {
    for n_kib in [8_usize, 64, 128, 1_024] {
        let filler = "The quick brown fox doesn't jump, it's lazy. ".repeat(n_kib * 1_024 / 45);
        for attack in ["1' or '1'='1", "<script>alert(1)</script>", "1 union select a,b from c"] {
            let body = format!("{{\"text\":\"{filler}\",\"q\":\"{attack}\"}}");
            let headers = [("Content-Type".to_owned(), "application/json".to_owned())].into();
            let verdict = watchpost_detect::inspect_request("POST", "/x", &headers, Some(&body));
            assert!(verdict.is_detected(), "{attack} behind {n_kib} KiB");
        }
    }
}

/// As large as a body may be, and pieces of larger ones: cut anywhere, and in other alphabets.
#[test]
fn an_attack_at_the_end_of_large_base64_is_found() {
    use base64::Engine as _;
    for n_kib in [40_usize, 64, 128, 300, 1_000] {
        for (line, n_shift) in
            [("The quick brown fox jumps over it. ", 0), ("Über jene Höhe flog die Krähe. ", 1)]
        {
            let filler = line.repeat(n_kib * 1_024 / line.len());
            let text = format!("{}{filler}<script>alert(1)</script>", "x".repeat(n_shift));
            let encoded = base64::engine::general_purpose::STANDARD.encode(text);
            let body = format!("{{\"data\":\"{encoded}\"}}");
            let headers = [("Content-Type".to_owned(), "application/json".to_owned())].into();
            let verdict = watchpost_detect::inspect_request("POST", "/x", &headers, Some(&body));
            assert!(verdict.is_detected(), "{line} of {n_kib} KiB");
        }
    }
}

#[test]
fn a_finding_explains_itself() {
    let mut engine = Engine::new(Config::default());
    let event = crate::support::request(
        start(),
        1,
        "/item",
        Some("page=1&id=1%2527%2520or%2520%25271%2527%253D%25271"),
    );
    let findings = engine.observe(&event, event.at);
    let found = findings.iter().find(|found| found.rule_id == "wp.sqli.tautology").expect("found");
    let matched = found.matched.as_ref().expect("explained");
    assert_eq!(matched.field, "http.query.id");
    assert_eq!(
        matched.layers.iter().map(|layer| layer.decoder.as_str()).collect::<Vec<_>>(),
        ["raw", "percent", "percent"]
    );
    assert!(matched.layers.iter().all(|layer| layer.span.is_some()), "marked in every layer: {matched:?}");
    assert_eq!(found.entity.to_string(), "ip:198.51.100.7");
}
