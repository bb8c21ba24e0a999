use std::collections::BTreeMap;

use watchpost_model::evidence::EvidenceQuery;
use watchpost_report::{Framework, State, evaluate};

use crate::common::{answer, charts, clean, scope, soc2};

const ONE: &str = r#"
id = "one"
name = "One"
version = "1"
note = "n"
[[control]]
id = "A"
title = "t"
text = "x"
query = "blocks_justified"
relies_on = ["days_with_events"]
remedy = "do"
rule = { pass = { percent_max = 5 }, warn = { percent_max = 20 }, population_min = 10 EMPTY }
"#;

fn framework(empty: &str) -> Framework {
    Framework::parse(&ONE.replace("EMPTY", empty)).expect("the framework of the test")
}

#[test]
fn the_rule_decides_the_state() {
    let query = EvidenceQuery::BlocksJustified;
    for (population, exceptions, empty, expect) in [
        (100, 0, "", State::Pass),
        (100, 5, "", State::Pass),
        (100, 6, "", State::Warn),
        (100, 20, "", State::Warn),
        (100, 21, "", State::Fail),
        (10, 0, "", State::Pass),
        (9, 0, "", State::NoData),
        (9, 1, "", State::Warn),
        (9, 9, "", State::Fail),
        (0, 0, "", State::NoData),
        (0, 0, ", empty = \"warn\"", State::Warn),
        (0, 0, ", empty = \"fail\"", State::Fail),
        (0, 3, "", State::NoData),
        (3, 4, "", State::NoData),
        (u64::MAX, u64::MAX, "", State::Fail),
    ] {
        let mut answers = clean();
        answers.insert(query, answer(query, population, exceptions));
        let document = evaluate(&framework(empty), scope(), &answers, charts());
        let control = &document.controls[0];
        assert_eq!(control.state, expect, "{exceptions} of {population}, {empty:?}: {}", control.reason);
        assert_eq!(control.remedy.is_empty(), expect == State::Pass, "a remedy exactly when it did not pass");
        assert_eq!(document.summary.of(expect), 1, "the summary counts it");
    }
}

#[test]
fn an_empty_population_never_passes_in_any_built_in_framework() {
    for framework in Framework::builtin() {
        let answers = EvidenceQuery::ALL.iter().map(|query| (*query, answer(*query, 0, 0))).collect();
        let document = evaluate(&framework, scope(), &answers, charts());
        assert_eq!(document.summary.pass, 0, "{}: nothing passes on nothing", framework.id);
        let document = evaluate(&framework, scope(), &BTreeMap::new(), charts());
        assert_eq!(document.summary.pass, 0, "{}: nothing passes unanswered", framework.id);
        let total: u32 = State::ALL.iter().map(|state| document.summary.of(*state)).sum();
        assert_eq!(total as usize, framework.controls.len(), "every control is counted once");
    }
}

#[test]
fn clean_answers_pass_everything_but_what_people_attest() {
    let document = evaluate(&soc2(), scope(), &clean(), charts());
    for control in &document.controls {
        let expect = if control.attest.is_some() { State::Manual } else { State::Pass };
        assert_eq!(control.state, expect, "{}: {}", control.id, control.reason);
    }
}

#[test]
fn a_control_is_never_better_than_its_inputs() {
    let query = EvidenceQuery::DaysWithEvents;
    for (doubt, expect) in [
        (Some(answer(query, 31, 0)), State::Pass),
        (Some(answer(query, 31, 1)), State::Warn),
        (Some(answer(query, 0, 0)), State::Warn),
        (None, State::Warn),
    ] {
        let mut answers = clean();
        answers.remove(&query);
        answers.extend(doubt.clone().map(|answer| (query, answer)));
        let document = evaluate(&framework(""), scope(), &answers, charts());
        let control = &document.controls[0];
        assert_eq!(control.state, expect, "{doubt:?}");
        assert_eq!(control.reason.contains("days_with_events"), expect == State::Warn, "{}", control.reason);
    }
}

#[test]
fn short_rows_are_filled_up() {
    let query = EvidenceQuery::BlocksJustified;
    let mut answers = clean();
    let mut short = answer(query, 100, 1);
    short.rows = vec![vec!["only".to_owned()]];
    answers.insert(query, short);
    let document = evaluate(&framework(""), scope(), &answers, charts());
    assert_eq!(document.controls[0].rows, [["only", ""]], "as wide as the columns");
}

#[test]
fn the_summary_in_a_line_and_a_word() {
    for (population, exceptions, worst) in
        [(100, 0, State::Pass), (0, 0, State::NoData), (100, 9, State::Warn), (100, 50, State::Fail)]
    {
        let mut answers = clean();
        let query = EvidenceQuery::BlocksJustified;
        answers.insert(query, answer(query, population, exceptions));
        let summary = evaluate(&framework(""), scope(), &answers, charts()).summary;
        assert_eq!(summary.worst(), worst, "{summary:?}");
        let part = format!("1 {}", worst.title().to_lowercase());
        assert!(summary.line().split(", ").any(|count| count == part), "{part:?} in {}", summary.line());
    }
}
