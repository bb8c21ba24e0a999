use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::evidence::EvidenceQuery;
use watchpost_report::Framework;

const GOOD: &str = r#"id = "mine"
name = "Mine"
version = "1"
note = "n"

[[control]]
id = "A"
title = "t"
text = "x"
remedy = "do"
[[control.check]]
query = "register_closed"
with = { kind = "leaver", good_within = "24h", warn_within = "72h" }
rule = { pass = { exceptions_max = 0 }, warn = { percent_max = 20 } }

[[control]]
id = "B"
title = "t"
text = "x"
manual = "attest it"
"#;

#[test]
fn the_words_of_a_file_are_read_without_the_cards_and_secrets_in_them() {
    let mut text = GOOD.replace("note = \"n\"", "note = \"paid with 4539578763621486, pass=zzNOTE1x\"");
    for (from, to) in [
        ("name = \"Mine\"", "name = \"Mine pass=zzNAME1x\""),
        ("version = \"1\"", "version = \"1 pass=zzVERS1x\""),
        ("title = \"t\"", "title = \"t password=zzTITL1x\""),
        ("text = \"x\"", "text = \"x password=zzTEXT1x\""),
        ("remedy = \"do\"", "remedy = \"do password=zzREME1x\""),
        ("query = \"register_closed\"", "what = \"w password=zzWHAT1x\"\nquery = \"register_closed\""),
        ("manual = \"attest it\"", "manual = \"attest it password=zzATTE1x\""),
    ] {
        assert!(text.contains(from), "the case {from:?} changes something");
        text = text.replace(from, to);
    }
    let framework = Framework::parse(&text).expect("a good file");
    assert_eq!(framework.note, "paid with 453957******1486, pass=[not shown: secret]");
    assert_eq!(framework.name, "Mine pass=[not shown: secret]");
    assert_eq!(framework.version, "1 pass=[not shown: secret]");
    let (asked, attested) = (&framework.controls[0], &framework.controls[1]);
    for (said, what) in [
        (&asked.title, "t"),
        (&asked.text, "x"),
        (&asked.remedy, "do"),
        (&asked.checks[0].what, "w"),
        (attested.attest.as_ref().expect("it is attested"), "attest it"),
    ] {
        assert_eq!(said, &format!("{what} password=[not shown: secret]"));
    }
    let built_in = format!("{:?}", Framework::builtin());
    assert!(!built_in.contains("[not shown: ") && !built_in.contains("**"), "ours hold none");
}

#[test]
fn the_built_in_files_are_sound() {
    let frameworks = Framework::builtin();
    let ids: BTreeSet<&str> = frameworks.iter().map(|framework| framework.id.as_str()).collect();
    assert_eq!(
        ids,
        BTreeSet::from(["gdpr", "iso27001", "nist-800-53", "owasp-top10", "pci-dss", "soc2"]),
        "each under its own id"
    );
    for framework in &frameworks {
        assert!(framework.note.contains("does not replace"), "{} says what it is not", framework.id);
        for control in &framework.controls {
            let words = [&control.title, &control.text];
            assert!(
                words.iter().all(|text| text.len() > 8),
                "{} {} says what it is",
                framework.id,
                control.id
            );
            assert!(control.remedy.len() > 20 || control.attest.is_some(), "{} says what to do", control.id);
        }
    }
    assert!(Framework::by_id("nonesuch").is_none(), "an unknown id is none");
}

#[test]
fn a_bad_file_is_refused_with_its_line() {
    Framework::parse(GOOD).expect("the good one is good");
    for (from, to, line, reason) in [
        ("note = \"n\"", "note = \"n\"\nextra = 1", 5, "unknown field `extra`"),
        ("remedy = \"do\"", "remedy = \"do\"\ncolour = 1", 11, "unknown field `colour`"),
        ("warn = { percent_max", "warn = { percent_most", 14, "unknown field `percent_most`"),
        ("register_closed", "register_imagined", 12, "unknown variant `register_imagined`"),
        ("register_closed", "registr_closed", 12, "names, the nearest `register_closed`, `"),
        ("register_closed", "registr_closed", 12, "docs/questions.md"),
        ("kind = \"leaver\"", "kind = \"lever\"", 13, "names, the nearest `leaver`, `"),
        ("kind = \"leaver\"", "kind = \"lover\"", 13, "unknown variant `lover`"),
        ("24h", "24 hours", 13, "no length of time"),
        ("kind = \"leaver\", ", "", 7, "needs kind"),
        (", warn_within = \"72h\"", "", 7, "needs warn_within"),
        ("id = \"B\"", "id = \"A\"", 17, "twice"),
        ("manual = \"attest it\"", "", 17, "needs a check"),
        (
            "manual = \"attest it\"",
            "manual = \"a\"\n[[control.check]]\nquery = \"retention_runs\"",
            17,
            "needs a check",
        ),
        ("remedy = \"do\"", "", 7, "no remedy"),
        ("remedy = \"do\"", "remedy = \"do\"\nrelies_on = [\"register_good\"]", 7, "cannot rely on"),
        ("id = \"mine\"", "id = \"Mine!\"", 1, "lower case"),
        (
            "exceptions_max = 0 }, warn = { percent_max = 20",
            "percent_max = 20 }, warn = { percent_max = 5",
            7,
            "tighter",
        ),
        ("percent_max = 20", "percent_max = 120", 7, "over 100"),
        ("percent_max = 20", "percent_max = 300", 7, "over 100"),
        ("percent_max = 20", "percent_max = -1", 14, "a share of -1 is below 0"),
        ("percent_max = 20", "percent_max = 2.5", 14, "expected a whole number"),
        ("percent_max = 20", "permille_max = 1200", 7, "over 100"),
        ("percent_max = 20", "permille_max = 70000", 7, "over 100"),
        ("percent_max = 20 } }", "percent_max = 20 }, warnings_percent_max = 101 }", 7, "over 100"),
        ("percent_max = 20 } }", "percent_max = 20 }, warnings_percent_max = 300 }", 7, "over 100"),
        ("exceptions_max = 0", "exceptions_max = -1", 14, "expected a whole number from 0 on"),
        ("{ exceptions_max = 0 }", "{ }", 7, "is empty"),
        ("percent_max = 20 } }", "percent_max = 20 }, population_min = 0 }", 7, "never passes"),
        ("percent_max = 20 } }", "percent_max = 20 }, empty = \"pass\" }", 14, "unknown variant `pass`"),
        (
            "query = \"register_closed\"\nwith = { kind = \"leaver\", ",
            "query = \"sensitive_data\"\nwith = { field = \"shoe_size\", ",
            7,
            "\"shoe_size\" is not one of card_number, secret, personal",
        ),
        ("title = \"t\"", "title = ", 8, ""),
    ] {
        assert!(GOOD.contains(from), "the case {from:?} changes something");
        let error = Framework::parse(&GOOD.replacen(from, to, 1)).expect_err(to);
        assert!(error.reason.contains(reason), "{to:?}: {error}");
        assert_eq!(error.line, line, "{to:?}: {error}");
        assert!(error.reason.len() < 240, "nobody reads more: {error}");
    }
}

/// The table of controls that the frameworks are made for.
const CONTROLS: &str = include_str!("../../frameworks/controls.csv");

#[test]
fn every_row_of_the_table_is_a_control() {
    let ids = BTreeMap::from([
        ("GDPR (EU) 2016/679", "gdpr"),
        ("SOC 2 TSC 2017 (2022 points of focus)", "soc2"),
        ("ISO/IEC 27001:2022 Annex A", "iso27001"),
        ("PCI DSS v4.0.1", "pci-dss"),
        ("OWASP Top 10:2025", "owasp-top10"),
        ("NIST SP 800-53 Rev. 5 (with SP 800-92 practice)", "nist-800-53"),
    ]);
    let mut reader = csv::Reader::from_reader(CONTROLS.as_bytes());
    let mut n_rows = 0;
    for row in reader.records() {
        let row = row.expect("RFC 4180");
        let framework = Framework::by_id(ids[&row[0]]).expect("built in");
        let control = framework.controls.iter().find(|control| control.id == row[1]);
        let control = control.unwrap_or_else(|| panic!("{} has no control {}", framework.id, &row[1]));
        assert_ne!(control.checks.is_empty(), control.attest.is_none(), "{}: asked or attested", control.id);
        n_rows += 1;
    }
    assert_eq!(n_rows, 80, "all rows");
}

#[test]
fn a_folder_of_files_is_read_and_bad_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    put("a.toml", GOOD);
    put("b.toml", &GOOD.replace("mine", "soc2"));
    put("c.toml", &GOOD.replace("mine", "other").replace("24h", "soon"));
    put("d.toml", "id = \u{0}");
    put("e.toml", GOOD);
    put("f.toml", &GOOD.replace("mine", "executive"));
    put("notes.txt", "not a framework");
    let (found, broken) = Framework::read_folder(folder.path(), &["executive"]);
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["mine"]);
    let words: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), 5, "{words:?}");
    for (words, part) in words.iter().zip([
        "b.toml, line 1: the id \"soc2\" is taken",
        "c.toml, line 13:",
        "d.toml, line 1:",
        "e.toml, line 1: the id \"mine\" is taken",
        "f.toml, line 1: the id \"executive\" is taken",
    ]) {
        assert!(words.contains(part), "{words:?} says {part:?}");
    }
    let (none, broken) = Framework::read_folder(&folder.path().join("none"), &[]);
    assert!(none.is_empty() && broken.is_empty(), "no folder, no framework");
}

/// Whoever writes a framework file looks the questions up there.
#[test]
fn every_question_and_parameter_is_described() {
    let text = include_str!("../../../../docs/questions.md");
    for query in EvidenceQuery::ALL {
        assert!(text.contains(&format!("| `{query}` |")), "{query} is missing in docs/questions.md");
    }
}
