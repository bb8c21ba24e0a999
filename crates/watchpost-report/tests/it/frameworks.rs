use std::collections::BTreeSet;

use watchpost_report::Framework;

const GOOD: &str = r#"id = "mine"
name = "Mine"
version = "1"
note = "n"

[[control]]
id = "A"
title = "t"
text = "x"
query = "blocks_justified"
remedy = "do"
rule = { pass = { exceptions_max = 0 }, warn = { percent_max = 20 } }

[[control]]
id = "B"
title = "t"
text = "x"
manual = "attest it"
"#;

#[test]
fn the_built_in_files_are_sound() {
    let frameworks = Framework::builtin();
    let ids: BTreeSet<&str> = frameworks.iter().map(|framework| framework.id.as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["pci-dss", "soc2"]), "each under its own id");
    for framework in &frameworks {
        assert!(framework.controls.len() >= 12, "{} is thin", framework.id);
        assert!(
            framework.controls.iter().any(|control| control.attest.is_some()),
            "{} has manual ones",
            framework.id
        );
        assert!(framework.note.contains("does not replace"), "{} says what it is not", framework.id);
        assert!(framework.queries().len() >= 10, "{} asks enough", framework.id);
    }
    assert!(Framework::by_id("nonesuch").is_none(), "an unknown id is none");
}

#[test]
fn a_bad_file_is_refused_with_its_line() {
    Framework::parse(GOOD).expect("the good one is good");
    for (from, to, line, reason) in [
        ("note = \"n\"", "note = \"n\"\nextra = 1", 5, "unknown field `extra`"),
        ("remedy = \"do\"", "remedy = \"do\"\ncolour = 1", 12, "unknown field `colour`"),
        ("warn = { percent_max", "warn = { percent_most", 12, "unknown field `percent_most`"),
        ("blocks_justified", "blocks_imagined", 10, "unknown variant `blocks_imagined`"),
        ("id = \"B\"", "id = \"A\"", 15, "twice"),
        ("manual = \"attest it\"", "", 15, "needs a query and a rule"),
        (
            "manual = \"attest it\"",
            "manual = \"a\"\nquery = \"retention_runs\"",
            15,
            "needs a query and a rule",
        ),
        ("remedy = \"do\"", "", 7, "no remedy"),
        ("id = \"mine\"", "id = \"Mine!\"", 1, "lower case"),
        (
            "exceptions_max = 0 }, warn = { percent_max = 20",
            "percent_max = 20 }, warn = { percent_max = 5",
            7,
            "tighter",
        ),
        ("percent_max = 20", "percent_max = 120", 7, "over 100"),
        ("{ exceptions_max = 0 }", "{ }", 7, "is empty"),
        ("percent_max = 20 } }", "percent_max = 20 }, population_min = 0 }", 7, "never passes"),
        ("percent_max = 20 } }", "percent_max = 20 }, empty = \"pass\" }", 12, "unknown variant `pass`"),
        ("title = \"t\"", "title = ", 8, ""),
    ] {
        assert!(GOOD.contains(from), "the case {from:?} changes something");
        let error = Framework::parse(&GOOD.replacen(from, to, 1)).expect_err(to);
        assert!(error.reason.contains(reason), "{to:?}: {error}");
        assert_eq!(error.line, line, "{to:?}: {error}");
    }
}
