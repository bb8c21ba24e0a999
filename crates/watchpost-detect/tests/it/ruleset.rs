//! A directory of rules beside those that ship: adding, overriding, switching, and what is told of broken files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use watchpost_detect::{Adjust, Config, Engine, Problem, ProblemKind, RuleFile, RuleSet, RuleSource, Sample};

use crate::support::traffic;

pub(crate) fn file(name: &str, text: &str) -> RuleFile {
    RuleFile { name: name.to_owned(), text: text.to_owned() }
}

pub(crate) fn load(files: &[RuleFile]) -> Arc<RuleSet> {
    Arc::new(RuleSet::load(files, &BTreeMap::new()))
}

fn native(id: &str, matched: &str) -> String {
    format!(
        "title: Own rule\nid: {id}\nlevel: high\ntags: [attack.t1190]\nwatchpost:\n  family: custom\n  confidence: 50\n  \
         gate: [sesame]\n  match:\n    {matched}\n  fires: [value: open sesame, value: sesame!, value: x sesame]\n  \
         near_misses: [value: a, value: b, value: c]\n"
    )
}

#[test]
fn a_broken_document_names_file_line_and_reason_and_leaves_the_rest() {
    let text = [
        native("own.good", "regex: sesame"),
        native("own.regex", "regex:\n      - fine\n      - a(b"),
        native("own.shape", "sql: unio"),
        native("own.check", "check: nothing_like_it"),
        native("own.family", "regex: x").replace("family: custom", "family: sqlj"),
        native("own.typo", "regex: x").replace("gate:", "gat:"),
        "title: [unclosed\n".to_owned(),
        native("own.good", "regex: sesame again"),
        native("own.scope", "regex: x").replace("gate:", "scope: everywhere\n  gate:"),
        native("own.layers", "regex: sesame").replace("gate:", "layers: [raw, rot13]\n  gate:"),
        native("own.last", "regex: sesame"),
    ]
    .join("---\n");
    let set = load(&[file("own.yml", &text)]);
    let line_of =
        |needle: &str| text.lines().position(|line| line.contains(needle)).expect("is there") as u64 + 1;
    let problem = |needle: &str| {
        let found: Vec<&Problem> =
            set.problems().iter().filter(|told| told.reason.contains(needle)).collect();
        assert_eq!(found.len(), 1, "{needle}: {:?}", set.problems());
        assert_eq!((found[0].file.as_str(), found[0].is_warning), ("own.yml", false));
        found[0]
    };
    assert_eq!(problem("unclosed group").line, line_of("a(b"));
    assert_eq!(problem("unclosed group").rule_id.as_deref(), Some("own.regex"));
    assert_eq!(problem("unio").line, line_of("sql: unio"));
    assert_eq!(problem("nothing_like_it").line, line_of("check: nothing_like_it"));
    assert_eq!(problem("sqlj").line, line_of("family: sqlj"));
    assert_eq!(problem("`gat`").line, line_of("gat: "));
    assert_eq!(problem("taken by own.yml:1").rule_id.as_deref(), Some("own.good"));
    assert_eq!(problem("everywhere").line, line_of("scope: everywhere"));
    assert_eq!(problem("rot13").line, line_of("rot13"));
    assert_eq!(set.problems().len(), 9, "{:?}", set.problems());
    for id in ["own.good", "own.last", "wp.sqli.union"] {
        assert!(set.rule(id).is_some_and(|rule| rule.enabled), "{id} runs");
    }
    assert_eq!(set.test(None).failures, []);
}

#[test]
fn a_behaviour_that_makes_no_sense_is_refused() {
    let of = |span: &str, gte: &str, counts: &str| {
        format!(
            "title: Own\nid: own.counts\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [x]\n  group-by: [src_ip]\n  \
             timespan: {span}\n  condition: {{ gte: {gte} }}\nwatchpost:\n  family: custom\n  confidence: 50\n  counts: {counts}\n"
        )
    };
    let events = "{ when: login_failed, by: source, of: events }";
    let users = "{ when: login_failed, by: source, of: { distinct: user } }";
    let grouped =
        |fields: &str| of("5m", "5", events).replace("group-by: [src_ip]", &format!("group-by: {fields}"));
    for (text, line, words) in [
        (of("0s", "5", events), 8, "no timespan from 1s to 7d"),
        (of("-5m", "5", events), 8, "no timespan from 1s to 7d"),
        (of("8d", "5", events), 8, "no timespan from 1s to 7d"),
        (of("5m", "0", events), 9, "at least 1"),
        (of("5m", "-3", events), 9, "a whole number from 1 to"),
        (of("5m", "2.5", events), 9, "a whole number from 1 to"),
        (of("5m", "5000000000", events), 9, "a whole number from 1 to"),
        (of("5m", "99999999999999999999999", events), 9, "a whole number from 1 to"),
        (of("5m", "[5]", events), 9, "a whole number from 1 to"),
        (of("5m", "many", events), 9, "a whole number from 1 to"),
        (grouped("[]"), 7, "names no field"),
        (grouped(""), 7, "names no field"),
        (grouped("[src_ip, src_ip]"), 7, "\"src_ip\" twice"),
        (grouped("[src_ip, 7]"), 7, "is no text"),
        (grouped("[true]"), 7, "is no text"),
        (grouped("[[src_ip]]"), 7, "is no text"),
        (grouped("[\" \"]"), 7, "without a name"),
        (grouped("[src_ipp]"), 7, "no event has a field \"src_ipp\""),
        (grouped("\n    - src_ip\n    - shoe_size"), 9, "\"shoe_size\""),
        (of("5m", "1", users), 13, "a threshold of 1 for different values"),
        (of("5m", "1000", users), 13, "512 are remembered"),
        (
            of("5m", "5", "{ when: login_failed, by: source, of: events, also: { then: login_failed } }"),
            13,
            "names what is counted",
        ),
        (
            of("5m", "5", "{ when: login_failed, by: user, of: events, also: { at_least: [source, 1] } }"),
            13,
            "asks for 1 different",
        ),
        (of("5m", "5", "{ when: page, by: source, of: { leaky: [path, 0] } }"), 13, "never filled"),
    ] {
        let set = load(&[file("own.yml", &text)]);
        let errors: Vec<&Problem> = set.problems().iter().filter(|told| !told.is_warning).collect();
        assert!(
            matches!(errors.as_slice(), [told] if told.line == line && told.reason.contains(words)),
            "{words}: {:?}",
            set.problems()
        );
        assert!(set.rule("own.counts").is_none() && set.rule("wp.brute.source").is_some());
    }
    let fine = load(&[file("own.yml", &of("5m", "2", users))]);
    assert!(fine.rule("own.counts").is_some_and(|rule| rule.enabled), "{:?}", fine.problems());
}

#[test]
fn a_rule_that_yields_to_none_and_an_expression_in_a_block_are_told() {
    let set = load(&[file(
        "own.yml",
        &native("own.yields", "regex: sesame").replace("gate:", "yields: [wp.sqli.unoin]\n  gate:"),
    )]);
    assert!(
        matches!(set.problems(), [told] if told.is_warning && told.reason.contains("is `wp.sqli.union` meant?")),
        "{:?}",
        set.problems()
    );
    assert!(set.rule("own.yields").is_some_and(|rule| rule.enabled));
    let text = native("own.block", "regex:\n      - fine\n      - |-\n        a(?=b)");
    let line = text.lines().position(|line| line.contains("a(?=b)")).expect("is there") as u64 + 1;
    let set = load(&[file("own.yml", &text)]);
    assert!(
        matches!(set.problems(), [told] if told.line == line && told.reason.contains("look-around")),
        "{line}: {:?}",
        set.problems()
    );
}

#[test]
fn a_gate_that_turns_away_what_its_rule_matches_is_told() {
    let text =
        native("own.gap", "regex:\n      - open sesame\n      - say (?:sesame|abrakadabra)\n      - ^sesame");
    let line = text.lines().position(|line| line.contains("abrakadabra")).expect("is there") as u64 + 1;
    let set = load(&[file("own.yml", &text)]);
    assert!(
        matches!(set.problems(), [told] if told.is_warning && told.line == line && told.reason.contains("\"say abrakadabra\"")),
        "{line}: {:?}",
        set.problems()
    );
    assert!(set.rule("own.gap").is_some_and(|rule| rule.enabled));
    let without = text.replace("  gate: [sesame]\n", "");
    assert_eq!(load(&[file("own.yml", &without)]).problems(), []);
}

#[test]
fn no_gate_of_a_rule_that_ships_turns_away_what_its_expressions_match() {
    let set = RuleSet::embedded();
    let names: BTreeSet<&str> = set
        .rules()
        .iter()
        .filter_map(|rule| match &rule.source {
            RuleSource::Embedded(name) => Some(name.as_str()),
            RuleSource::Directory(_) => None,
        })
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let text = RuleSet::embedded_text(name).expect("it ships");
        let alone = RuleSet::only(&[file(name, text)]);
        let told: Vec<String> = alone
            .problems()
            .iter()
            .filter(|told| told.kind == ProblemKind::Expression)
            .map(ToString::to_string)
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

#[test]
fn samples_are_asked_for_and_played() {
    let without = native("own.a", "regex: sesame").replace("value: x sesame", "value: sesam");
    let few = native("own.b", "regex: sesame").replace("[value: a, value: b, value: c]", "[value: a]");
    let set = load(&[file("a.yml", &without), file("b.yml", &few)]);
    let report = set.test(Some("own.a"));
    assert_eq!((report.rules, report.samples, report.failures.len()), (1, 6, 1));
    assert_eq!(report.failures[0].sample, Sample::Value("sesam".to_owned()));
    assert!(
        matches!(set.problems(), [told] if told.is_warning && told.file == "b.yml"),
        "{:?}",
        set.problems()
    );
}

#[test]
fn a_file_overrides_what_ships_and_switches_it_off() {
    let own = native("wp.sqli.union", "regex: sesame");
    let off = "id: wp.sqli.tautology\nenabled: false\n---\nid: wp.no.such\nenabled: false\n";
    let set = load(&[file("own.yml", &own), file("z.yml", off)]);
    let rule = set.rule("wp.sqli.union").expect("still there");
    assert!(rule.overrides && rule.source == RuleSource::Directory("own.yml".to_owned()));
    assert_eq!(set.rules().len(), RuleSet::embedded().rules().len(), "in the place of the other");
    let rules = |value: &str| -> Vec<String> {
        let verdict = set.inspect_request("GET", &format!("/?q={value}"), &BTreeMap::new(), None);
        verdict.findings.into_iter().map(|found| found.rule_id).collect()
    };
    assert!(rules("sesame").contains(&"wp.sqli.union".to_owned()));
    assert!(!rules("1%20union%20select%201,2").contains(&"wp.sqli.union".to_owned()));
    assert!(!rules("'%20or%201=1").contains(&"wp.sqli.tautology".to_owned()), "off");
    assert!(
        matches!(set.problems(), [told] if told.file == "z.yml" && told.line == 4),
        "{:?}",
        set.problems()
    );
}

#[test]
fn an_administrator_adjusts_threshold_window_and_switch() {
    let adjust = [
        ("wp.brute.source", Adjust { threshold: Some(3), window_s: Some(60), enabled: None }),
        ("wp.rate.requests", Adjust { enabled: Some(false), ..Adjust::default() }),
        ("wp.gone", Adjust { enabled: Some(true), ..Adjust::default() }),
    ];
    let adjust = adjust.into_iter().map(|(id, adjust)| (id.to_owned(), adjust)).collect();
    let set = RuleSet::load(&[], &adjust);
    assert_eq!(set.rule("wp.brute.source").expect("there").counts, Some((3, 60)));
    assert!(!set.rule("wp.rate.requests").expect("there").enabled);
    assert!(
        matches!(set.problems(), [told] if told.is_warning && told.rule_id.as_deref() == Some("wp.gone"))
    );
}

#[test]
fn other_rules_take_over_without_losing_a_half_full_window() {
    let shipped = RuleSet::embedded().rule("wp.brute.source").expect("ships").info.fires[0].clone();
    let Sample::Traffic(bursts) = shipped else { panic!("a behaviour's sample is traffic") };
    let events = traffic(&bursts);
    let mut engine = Engine::new(Config::default());
    let (before, after) = events.split_at(3);
    for event in before {
        assert!(engine.observe(event, event.at).iter().all(|found| found.rule_id != "wp.brute.source"));
    }
    engine.replace_rules(load(&[file("own.yml", &native("own.rule", "regex: sesame"))]));
    assert!(engine.rules().rule("own.rule").is_some());
    let found: Vec<String> =
        after.iter().flat_map(|event| engine.observe(event, event.at)).map(|found| found.rule_id).collect();
    assert!(found.contains(&"wp.brute.source".to_owned()), "{found:?}");
}

/// What the documentation says to copy works.
#[test]
fn the_examples_of_the_documentation_hold() {
    let text = include_str!("../../../../docs/rules.md");
    let examples: Vec<RuleFile> = text
        .split("```yaml\n")
        .skip(1)
        .map(|rest| file("rules.md", rest.split("```").next().expect("begins with the example")))
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let set = load(std::slice::from_ref(&example));
        assert!(set.problems().iter().all(|told| told.is_warning), "{:?}", set.problems());
        assert!(set.rules().iter().any(|rule| rule.source == RuleSource::Directory("rules.md".to_owned())));
        assert_eq!(set.test(None).failures, []);
    }
}
