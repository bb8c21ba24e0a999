//! Every modifier, condition and correlation that Sigma knows is loaded; what it has taken out is refused with what to do.

use watchpost_detect::RuleSet;

use crate::ruleset::{file, load};

fn rule(detection: &str) -> String {
    format!(
        "title: A rule\nid: own.rule\nname: own_rule\nstatus: test\nlogsource: {{ category: webserver }}\nlevel: low\n\
         detection:\n{detection}\n"
    )
}

#[track_caller]
fn loads(text: &str) -> std::sync::Arc<RuleSet> {
    let set = load(&[file("own.yml", text)]);
    let errors: Vec<_> = set.problems().iter().filter(|told| !told.is_warning).collect();
    assert!(errors.is_empty(), "{errors:?} of\n{text}");
    assert!(set.rule("own.rule").is_some(), "{text}");
    set
}

#[test]
fn all_modifiers_are_known() {
    for item in [
        "c-uri|contains: x",
        "c-uri|startswith|cased: /X",
        "c-uri|endswith: .php",
        "c-uri|contains|all: [a, b]",
        "c-uri|base64|contains: whoami",
        "c-uri|base64offset|contains: ['http://', 'https://']",
        "cs-body|wide|base64offset|contains: 'Net.WebClient'",
        "cs-body|utf16le|base64offset|contains: whoami",
        "cs-body|utf16be|base64offset|contains: whoami",
        "cs-body|utf16|base64offset|contains: whoami",
        "cs-body|windash|contains: ' -enc '",
        "cs-body|contains|all|windash: ['-a ', '-b ']",
        "c-uri|re: '^/[a-z]{3}$'",
        "c-uri|re|i: 'SELECT.+FROM'",
        "cs-body|re|m|s: '^a.b$'",
        "src_ip|cidr: ['10.0.0.0/8', '2001:db8::/32']",
        "cs-cookie|exists: true",
        "cs-cookie|exists: false",
        "c-uri|expand: '%paths%'",
        "cs-username|fieldref: owner",
        "cs-username|fieldref|startswith: owner",
        "sc-status|gte: 500",
        "sc-status|lt: 300",
        "sc-bytes|gt: 1000",
        "sc-bytes|lte: 1000",
        "cs-method|neq: GET",
        "'@timestamp|hour': 3",
        "'@timestamp|minute': 30",
        "cs-referer: null",
        "cs-referer: ''",
        "c-uri: '*/admin/*.ph?'",
        "c-uri: '\\*literal\\?'",
        "sc-status: [404, '403']",
    ] {
        loads(&rule(&format!("  sel:\n    {item}\n  condition: sel")));
    }
}

#[test]
fn all_conditions_are_known() {
    let parts = "  sel_a:\n    c-uri: /a\n  sel_b:\n    - c-uri: /b\n    - cs-method: [PUT, DELETE]\n  filter_main:\n    src_ip: 10.0.0.1\n  \
                 keywords: [one, 'two words']\n";
    for condition in [
        "sel_a",
        "sel_a and sel_b",
        "sel_a or not sel_b",
        "not (sel_a or sel_b) and keywords",
        "1 of sel_*",
        "all of sel_*",
        "2 of sel_*",
        "1 of them",
        "all of them",
        "any of sel_*",
        "1 of sel_* and not 1 of filter_*",
        "[sel_a, sel_b]",
        "sel_a AND (NOT sel_b OR keywords)",
        "1 OF sel_* AND NOT ALL OF filter_*",
    ] {
        loads(&rule(&format!("{parts}  condition: {condition}")));
    }
    loads(&rule("  keywords:\n    '|all': [one, two]\n  condition: keywords"));
    loads(&rule("  sel:\n    c-uri: /a\n  timeframe: 5m\n  condition: sel"));
}

#[test]
fn all_correlations_are_known() {
    let base = rule("  sel:\n    c-uri|contains: a\n  condition: sel");
    let other = base.replace("own.rule", "own.other").replace("own_rule", "own_other");
    for (kind, rules, condition) in [
        ("event_count", "[own_rule]", "{ gte: 10 }"),
        ("event_count", "[own_rule]", "{ gt: 2, lte: 100 }"),
        ("value_count", "[own_rule]", "{ field: cs-uri-stem, gte: 3 }"),
        ("value_sum", "[own_rule]", "{ field: sc-bytes, gt: 1000 }"),
        ("value_avg", "[own_rule]", "{ field: sc-bytes, gt: 1000 }"),
        ("value_median", "[own_rule]", "{ field: sc-bytes, gt: 1000 }"),
        ("value_percentile", "[own_rule]", "{ field: sc-bytes, percentile: 90, gt: 1000 }"),
        ("temporal", "[own_rule, own_other]", "{ gte: 2 }"),
        ("temporal_ordered", "[own_rule, own_other]", "{ gte: 2 }"),
        ("temporal", "[own_rule, own_other]", "own_rule and not own_other"),
    ] {
        let correlation = format!(
            "title: C\nid: own.correlation\nlevel: high\ncorrelation:\n  type: {kind}\n  rules: {rules}\n  \
             group-by: [src_ip, cs-username]\n  timespan: 15m\n  condition: {condition}\n"
        );
        let set = loads(&format!("{base}---\n{other}---\n{correlation}"));
        assert!(set.rule("own.correlation").is_some(), "{kind}: {:?}", set.problems());
    }
}

#[test]
fn what_sigma_has_taken_out_is_refused_with_what_to_do() {
    for condition in [
        "sel | count() > 5",
        "sel | count() by src_ip > 10",
        "sel | count(cs-username) by src_ip >= 10",
        "sel | near sel and not other",
        "sel | sum(sc-bytes) by src_ip > 1000",
    ] {
        let text = rule(&format!("  sel:\n    c-uri: /a\n  timeframe: 5m\n  condition: {condition}"));
        let set = load(&[file("old.yml", &text)]);
        let told = set.problems();
        assert!(
            told.iter()
                .any(|told| !told.is_warning && told.line == 11 && told.reason.contains("correlation")),
            "{condition}: {told:?}"
        );
        assert!(set.rule("own.rule").is_none(), "{condition} is not half loaded");
    }
}

#[test]
fn a_rule_for_other_logs_is_loaded_and_says_so() {
    let process = "title: P\nid: own.rule\nstatus: test\nlogsource: { category: process_creation, product: windows }\nlevel: high\n\
                   detection:\n  selection_img:\n    - Image|endswith: '\\whoami.exe'\n    - OriginalFileName: whoami.exe\n  \
                   selection_cli:\n    CommandLine|contains: ' -all'\n  condition: all of selection_*\n";
    let set = loads(process);
    let told = set.problems();
    assert!(
        matches!(told, [told] if told.is_warning && told.line == 4 && told.reason.contains("CommandLine")
            && told.reason.contains("details")),
        "{told:?}"
    );
    assert_eq!(loads(&rule("  sel:\n    c-uri: /a\n    Image: x\n  condition: sel")).problems(), []);
}
