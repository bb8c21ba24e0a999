//! Every modifier, condition and correlation that Sigma knows is loaded; what it has taken out is refused with what to do.

use watchpost_detect::{Problem, ProblemKind, RuleSet};
use watchpost_model::event::Event;

use crate::ruleset::{file, load};
use crate::support::{request, start};

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
fn a_correlation_that_makes_no_sense_is_refused_and_the_others_run() {
    let base = rule("  sel:\n    c-uri|contains: a\n  condition: sel");
    let of = |own: &str, kind: &str, rules: &str, group: &str, span: &str, condition: &str| {
        format!(
            "title: C {own}\nid: {own}\nlevel: high\ncorrelation:\n  type: {kind}\n  rules: {rules}\n  group-by: {group}\n  \
             timespan: {span}\n  condition: {condition}\n"
        )
    };
    let (count, values, ours, ip) = ("event_count", "value_count", "[own_rule]", "[src_ip]");
    for (text, line, words) in [
        (of("own.c", count, ours, ip, "0s", "{ gte: 3 }"), 8, "no window from 1s to 31d"),
        (of("own.c", count, ours, ip, "90d", "{ gte: 3 }"), 8, "no window from 1s to 31d"),
        (of("own.c", count, ours, ip, "-5m", "{ gte: 3 }"), 8, "-5m"),
        (of("own.c", count, ours, ip, "5m", "{ gte: 0 }"), 9, "at least 1"),
        (of("own.c", count, ours, ip, "5m", "{ gte: -3 }"), 9, "not negative"),
        (of("own.c", count, ours, ip, "5m", "{ gt: 9, lt: 5 }"), 9, "never holds"),
        (of("own.c", count, ours, ip, "5m", "{ gte: 20000 }"), 9, "never holds"),
        (of("own.c", values, ours, ip, "5m", "{ field: c-uri, gte: 1 }"), 9, "begins at 2"),
        (of("own.c", values, ours, ip, "5m", "{ gte: 3 }"), 9, "needs the `field`"),
        (of("own.c", count, ours, "[src_ip, src_ip]", "5m", "{ gte: 3 }"), 7, "twice"),
        (of("own.c", count, ours, "[]", "5m", "{ gte: 3 }"), 7, "names no field"),
        (of("own.c", count, "[]", ip, "5m", "{ gte: 3 }"), 6, "correlates no rules"),
        (of("own.c", count, "[own.c]", ip, "5m", "{ gte: 3 }"), 6, "correlates itself"),
        (of("own.c", "temporal", ours, ip, "5m", "{ gte: 2 }"), 9, "asks for 2 of 1 rules"),
    ] {
        let set = load(&[file("base.yml", &base), file("own.yml", &text)]);
        assert!(
            matches!(set.problems(), [told] if (told.file.as_str(), told.line, told.is_warning) == ("own.yml", line, false)
                && told.reason.contains(words) && told.rule_id.as_deref() == Some("own.c")),
            "{words}: {:?}",
            set.problems()
        );
        assert!(set.rule("own.c").is_none() && set.rule("own.rule").is_some(), "{words}: the others run");
    }
    // In a circle: each of them, and none that is beside it.
    let circle = [
        of("own.a", count, "[own.b]", ip, "5m", "{ gte: 3 }"),
        of("own.b", count, "[own.c]", ip, "5m", "{ gte: 3 }"),
        of("own.c", count, "[own.a]", ip, "5m", "{ gte: 3 }"),
        of("own.fine", count, ours, ip, "5m", "{ gte: 3 }"),
        of("own.near", count, "[own_rul]", ip, "5m", "{ gte: 3 }"),
    ]
    .join("---\n");
    let set = load(&[file("base.yml", &base), file("own.yml", &circle)]);
    let told = |id: &str| {
        let told = set.problems().iter().find(|told| told.rule_id.as_deref() == Some(id));
        told.map(|told| (told.line, told.reason.as_str()))
    };
    assert_eq!(told("own.a"), Some((6, "correlates itself in a circle: own.a, own.b, own.c, own.a")));
    assert_eq!(told("own.c"), Some((26, "correlates itself in a circle: own.c, own.a, own.b, own.c")));
    assert_eq!(
        told("own.near"),
        Some((46, "correlates rules that are not there: own_rul; is `own_rule` meant?"))
    );
    assert_eq!((set.problems().len(), told("own.fine")), (4, None), "{:?}", set.problems());
    assert!(set.rule("own.fine").is_some() && set.rule("own.a").is_none());
    // What only details may have is told, and runs.
    let elsewhere = of("own.c", count, ours, "[TargetUser]", "5m", "{ gte: 3 }");
    let set = load(&[file("base.yml", &base), file("own.yml", &elsewhere)]);
    assert!(
        matches!(set.problems(), [told] if told.is_warning && told.line == 7 && told.reason.contains("TargetUser")),
        "{:?}",
        set.problems()
    );
    assert!(set.rule("own.c").is_some());
}

/// Who names a rule that is not there is told the file and the line of the name.
#[test]
fn a_name_of_no_rule_is_told_at_its_own_line() {
    let base = rule("  sel:\n    c-uri|contains: a\n  condition: sel");
    let correlation = |rules: &str| {
        format!(
            "title: C\nid: own.c\nlevel: high\ncorrelation:\n  type: event_count\n  timespan: 5m\n  rules: {rules}\n  \
             condition: {{ gte: 3 }}\n"
        )
    };
    let filter = "title: F\nid: own.f\nlogsource: { category: webserver }\nfilter:\n  rules:\n    - own.rule\n    \
                  - own.gone\n  selection:\n    cs-username: anna\n  condition: not selection\n";
    let global =
        format!("action: global\nauthor: x\n---\n{base}---\n{}", correlation("[own_rule, own_gone]"));
    let n_before = global.lines().position(|line| line == "title: C").expect("is there") as u64;
    for (text, line, is_warning) in [
        (correlation("[own_rule, own_gone]"), 7, false),
        (correlation("\n    - own_rule\n    - own_gone"), 9, false),
        (format!("# own_gone\n\n---\n{}", correlation("\n    - own_gone\n    - own_rule")), 11, false),
        (filter.to_owned(), 7, true),
        (global, n_before + 7, false),
    ] {
        let set = load(&[file("base.yml", &base), file("sub/own.yml", &text)]);
        let told: Vec<_> = set.problems().iter().filter(|told| told.kind == ProblemKind::Reference).collect();
        assert!(
            matches!(told.as_slice(), [told] if told.reason.contains("gone") && told.file == "sub/own.yml"
                && (told.line, told.is_warning) == (line, is_warning)),
            "{line}: {:?}\n{text}",
            set.problems()
        );
        let printed = told[0].to_string();
        assert!(printed.starts_with(&format!("sub/own.yml:{line}: ")), "{printed}");
    }
}

/// The line of the expression, not of another one or of a word that looks like a part of it.
#[test]
fn a_refused_expression_is_told_at_its_own_line() {
    for (pattern, line) in [
        ("'(?=x)A'", 12),
        ("'(?!a)b'", 12),
        ("\"(?<=\\\\d)e\"", 12),
        ("'it''s (?=q)'", 12),
        ("|-\n      (?=x)zz", 13),
    ] {
        let detection = format!(
            "  first:\n    c-uri|re: 'b+A'\n  second:\n    cs-method: GET\n    c-uri|re: {pattern}\n  condition: first and second"
        );
        let set = load(&[file("own.yml", &rule(&detection))]);
        assert!(
            matches!(set.problems(), [told] if told.line == line && told.kind == ProblemKind::Expression
                && told.reason.contains("look-around")),
            "{pattern}: {:?}",
            set.problems()
        );
    }
}

#[test]
fn misspelt_keys_and_ids_that_are_no_text_are_told() {
    let base = rule("  sel:\n    c-uri: x\n  condition: sel");
    for (text, line, is_warning, words) in [
        (
            format!("{base}watchpst:\n  confidence: 90\n"),
            11,
            false,
            "`watchpst` is no key of a rule; is `watchpost` meant?",
        ),
        (format!("{base}Watchpost: {{ confidence: 90 }}\n"), 11, false, "is `watchpost` meant?"),
        (format!("{base}watchpost:\n  confidance: 90\n"), 12, false, "is `confidence` meant?"),
        (format!("{base}watchpost:\n  mach: x\n"), 12, false, "is `match` meant?"),
        (base.replace("level:", "levle:"), 6, true, "`levle` is no key of a rule; is `level` meant?"),
        (
            base.replace("id: own.rule", "id: 123456789012345678901234567890"),
            2,
            false,
            "is no text: put it in quotes",
        ),
        (base.replace("id: own.rule", "id: 0x1F # why not"), 2, false, "is no text"),
    ] {
        let set = load(&[file("own.yml", &text)]);
        assert!(
            matches!(set.problems(), [told] if (told.line, told.is_warning) == (line, is_warning) && told.reason.contains(words)),
            "{words}: {:?}",
            set.problems()
        );
        assert_eq!(set.rule("own.rule").is_some(), is_warning, "{words}");
    }
    let numbered = base.replace("id: own.rule", "id: '12345'");
    assert_eq!(load(&[file("own.yml", &numbered)]).problems(), [], "in quotes it is text");
    assert_eq!(
        load(&[file("own.yml", &format!("{base}simulation: x\n"))]).problems(),
        [],
        "keys of one's own"
    );
    let set = load(&[file("own.yml", "id: wp.sqli.unoin\nenabled: false\n")]);
    assert!(
        matches!(set.problems(), [told] if told.reason.contains("`wp.sqli.union` meant")),
        "{:?}",
        set.problems()
    );
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
    // One field that every event has does not make it a rule for requests.
    let mixed = process.replace("OriginalFileName: whoami.exe", "User|contains: SYSTEM");
    let set = loads(&mixed);
    assert!(
        matches!(set.problems(), [told] if told.is_warning && told.kind == ProblemKind::OtherLogs
            && told.reason.contains("Image") && !told.reason.contains("User")),
        "{:?}",
        set.problems()
    );
}

/// A rule as the public ones are written, with everything that stands in them.
fn public(logsource: &str, detection: &str) -> String {
    format!(
        "title: Rule In The Form Of The Public Ones\nid: 5f6c2b0a-0f0f-4b7e-9f3e-000000000001\nrelated:\n    - id: 5f6c2b0a-0f0f-4b7e-9f3e-000000000002\n      type: similar\n\
         status: test\ndescription: |\n    Several lines\n    of words\nreferences:\n    - https://example.org/a\nauthor: Somebody, Another One (Team)\ndate: 2026-01-02\n\
         modified: 2026-02-03\ntags:\n    - attack.initial-access\n    - attack.t1190\n    - cve.2026-0001\n    - detection.emerging-threats\nlogsource:\n    {logsource}\n\
         detection:\n{detection}\nfalsepositives:\n    - Unknown\nlevel: medium\n"
    )
}

#[test]
fn rules_in_the_form_of_the_public_web_rules_fire_as_written() {
    let (web, proxy) = ("category: webserver", "category: proxy");
    let all = "    selection:\n        cs-method: 'GET'\n        cs-uri-query|contains|all:\n            - 'cmd='\n            - 'wget'\n    condition: selection";
    let re =
        "    selection:\n        cs-uri-stem|re: '/wp-config\\.php(\\.bak|~)$'\n    condition: selection";
    let cidr = "    selection:\n        cs-uri-stem|endswith:\n            - '/actuator/env'\n            - '/actuator/heapdump'\n        sc-status: 200\n    \
                filter_main_own:\n        c-ip|cidr:\n            - '10.0.0.0/8'\n            - '198.51.100.0/28'\n    condition: selection and not 1 of filter_main_*";
    let some = "    selection_agent:\n        cs-user-agent|startswith: 'probe/'\n    selection_path:\n        - cs-uri-stem|startswith: '/_ignition/'\n        \
                - cs-uri-query|contains: 'allow_url_include%3d'\n    filter_optional_health:\n        cs-uri-query: 'health=1'\n    \
                condition: 1 of selection_* and not filter_optional_health";
    let words = "    keywords:\n        - '@@version'\n        - 'information_schema'\n    filter_main_status:\n        sc-status: 404\n    \
                 condition: keywords and not 1 of filter_main_*";
    let agent = "    selection:\n        c-uri|endswith: '/gate.php'\n        c-useragent|contains: 'loader'\n        cs-host|endswith: '.example'\n    condition: selection";
    let event = |path: &str, query: Option<&str>, agent: &str, status: u16| {
        let mut event = request(start(), 1, path, query);
        let http = event.http.as_mut().expect("a request");
        http.headers.insert("user-agent".to_owned(), agent.to_owned());
        http.headers.insert("host".to_owned(), "shop.example".to_owned());
        http.status = Some(status);
        event
    };
    let ours = |mut event: Event| {
        event.source_ip = Some("198.51.100.64".to_owned());
        event
    };
    for (logsource, detection, fires, quiet) in [
        (web, all, event("/a", Some("cmd=wget%20x"), "a", 200), event("/a", Some("cmd=ls"), "a", 200)),
        (web, re, event("/wp-config%2ephp.bak", None, "a", 200), event("/wp-config.php", None, "a", 200)),
        (web, cidr, ours(event("/actuator/env", None, "a", 200)), event("/actuator/env", None, "a", 200)),
        (
            web,
            cidr,
            ours(event("/x/actuator/heapdump", None, "a", 200)),
            ours(event("/actuator/env", None, "a", 403)),
        ),
        (web, some, event("/a", None, "probe/2.1", 200), event("/a", Some("health=1"), "probe/2.1", 200)),
        (web, some, event("/_ignition/x", None, "a", 200), event("/ignition", None, "a", 200)),
        (
            web,
            words,
            event("/a", Some("q=%40%40version"), "a", 200),
            event("/a", Some("q=%40%40version"), "a", 404),
        ),
        (
            proxy,
            agent,
            event("/gate.php", None, "my loader 1", 200),
            event("/gate.php", None, "browser", 200),
        ),
    ] {
        let text = public(logsource, detection);
        let set = load(&[file("public.yml", &text)]);
        assert_eq!(set.problems(), [], "{text}");
        let id = "5f6c2b0a-0f0f-4b7e-9f3e-000000000001";
        let is_found =
            |event: &Event| set.inspect_event(event).findings.iter().any(|found| found.rule_id == id);
        assert!(is_found(&fires), "fires on {:?}\n{text}", fires.http);
        assert!(!is_found(&quiet), "does not fire on {:?}\n{text}", quiet.http);
    }
    // The aggregation of old: refused with what to write instead.
    let counting = "    selection:\n        cs-uri-stem: '/login'\n        sc-status: 401\n    timeframe: 5m\n    condition: selection | count() by c-ip > 10";
    let set = load(&[file("public.yml", &public(web, counting))]);
    let told = |told: &Problem| {
        told.kind == ProblemKind::Aggregation && !told.is_warning && told.reason.contains("correlation")
    };
    assert!(set.problems().iter().any(told), "{:?}", set.problems());
}

#[test]
fn what_cannot_be_used_is_told_in_words_of_a_rule_author_with_its_line() {
    use ProblemKind::{Condition, Expression, Selection, Yaml};
    let sel = "  sel:\n    cs-method: GET\n    c-uri";
    for (detection, line, kind, words) in [
        (format!("{sel}|containz: x\n  condition: sel"), 10, Selection, "`|containz` is no modifier"),
        (
            format!("{sel}|re: '(open'\n  condition: sel"),
            10,
            Expression,
            "`(open` cannot be used: unclosed group",
        ),
        (format!("{sel}|re: '^(?!/a)b$'\n  condition: sel"), 10, Expression, "look-around"),
        (format!("{sel}|re: '(a)\\1'\n  condition: sel"), 10, Expression, "backreferences"),
        (
            format!("{sel}: x\n    src_ip|cidr: here\n  condition: sel"),
            11,
            Selection,
            "selection `sel`: a value of `|cidr`",
        ),
        (format!("{sel}: x\n    sc-status|gt: many\n  condition: sel"), 11, Selection, "`many` is no number"),
        (format!("{sel}|contains|all: x\n  condition: sel"), 10, Selection, "`|all` needs a list"),
        (format!("{sel}|re|contains: x\n  condition: sel"), 10, Selection, "|contains, |re"),
        ("  sel: {}\n  condition: sel".to_owned(), 8, Selection, "selection `sel`: it is empty"),
        (
            format!("{sel}: x\n  condition: sel and other"),
            11,
            Condition,
            "names `other`, and no selection has that name: there is sel",
        ),
        (format!("{sel}: x\n  condition: sel and and sel"), 11, Condition, "from `and sel` on"),
        (format!("{sel}: x\n  condition: (sel"), 11, Condition, "ends too early"),
        (format!("{sel}: x\n  condition: ''"), 11, Condition, "is empty"),
        (
            format!("{sel}: x\n  condition: {}sel{}", "(".repeat(100), ")".repeat(100)),
            11,
            Condition,
            "deeper",
        ),
        (format!("{sel}: x\n    c-uri: y\n  condition: sel"), 11, Yaml, "duplicate mapping key: c-uri"),
    ] {
        let text = rule(&detection);
        let set = load(&[file("own.yml", &text)]);
        let told = set.problems();
        assert!(
            matches!(told, [told] if (told.line, told.kind, told.is_warning) == (line, kind, false)
                && told.reason.contains(words) && told.reason.chars().count() <= 303),
            "{words}: {told:?}"
        );
        assert!(set.rule("own.rule").is_none(), "{words}");
    }
}

#[test]
fn a_document_that_is_no_rule_says_what_it_lacks() {
    let whole = rule("  sel:\n    c-uri: x\n  condition: sel");
    let without = |line: &str| whole.replace(&format!("{line}\n"), "");
    for (text, words) in [
        (without("title: A rule"), "no `title`"),
        (without("  condition: sel"), "no `condition`"),
        ("- a\n- list\n".to_owned(), "`key: value` lines"),
        ("nothing but words\n".to_owned(), "`key: value` lines"),
        (format!("title: x\ndetection: {}{}\n", "[".repeat(50_000), "]".repeat(50_000)), "nested deeper"),
    ] {
        let set = load(&[file("own.yml", &text)]);
        assert!(
            matches!(set.problems(), [told] if told.reason.contains(words) && !told.is_warning),
            "{words}: {:?}",
            set.problems()
        );
    }
    // A mark that editors put before the first line, and line ends of another system, are no mistake.
    for text in [format!("\u{feff}{whole}"), whole.replace('\n', "\r\n")] {
        assert!(loads(&text).problems().is_empty(), "{text:?}");
    }
}

#[test]
fn a_condition_that_can_never_hold_is_told() {
    let parts = "  sel_a:\n    c-uri: x\n  sel_b:\n    c-uri: y\n";
    for condition in ["1 of filter_*", "all of selection*", "sel_a and 3 of sel_*", "1 of x or 1 of y"] {
        let set = loads(&rule(&format!("{parts}  condition: {condition}")));
        assert!(
            matches!(set.problems(), [told] if told.is_warning && told.kind == ProblemKind::NeverFires && told.line == 12
                && told.reason.contains("sel_a, sel_b")),
            "{condition}: {:?}",
            set.problems()
        );
    }
    for condition in
        ["1 of sel_* and not 1 of filter_*", "2 of sel_*", "sel_a or 1 of filter_*", "all of them"]
    {
        let set = loads(&rule(&format!("{parts}  condition: {condition}")));
        assert!(set.problems().is_empty(), "{condition}: {:?}", set.problems());
    }
}

#[test]
fn rules_of_a_file_with_a_common_part_all_load() {
    let head = "action: global\ntitle: Shared\nid: own.rule\nlevel: low\ndetection:\n  condition: sel\n";
    let part = "---\nlogsource: { category: webserver }\ndetection:\n  sel:\n    c-uri: ";
    let set = loads(&format!("{head}{part}/a\n{part}/b\n{part}/c\n"));
    assert_eq!(set.problems(), []);
    for id in ["own.rule", "own.rule-2", "own.rule-3"] {
        assert!(
            set.rule(id).is_some(),
            "{id}: {:?}",
            set.rules().iter().map(|rule| &rule.info.id).collect::<Vec<_>>()
        );
    }
}
