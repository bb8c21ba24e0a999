use std::collections::BTreeMap;

use watchpost_model::event::{Category, Outcome};
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery};
use watchpost_model::overview::{Histogram, Series};
use watchpost_report::{
    ChartData, CheckResult, Parameter, ReportDocument, State, compare, compare_figures, evaluate,
    render_json, verify_json,
};

use crate::common::{answer, clean, scope, soc2};

fn document() -> ReportDocument {
    with_all_series(crate::common::document())
}

fn sections_document(kind: watchpost_report::ReportKind) -> ReportDocument {
    with_all_series(crate::common::sections_document(kind))
}

/// The charts have every outcome and every category, as the store counts them.
fn with_all_series(mut document: ReportDocument) -> ReportDocument {
    let all = |histogram: &mut Histogram, names: Vec<String>| {
        let given = std::mem::take(&mut histogram.series);
        let none = vec![0; given[0].counts.len()];
        let found = |name: &str| given.iter().find(|series| series.name == name).cloned();
        histogram.series = names
            .into_iter()
            .map(|name| found(&name).unwrap_or_else(|| Series::new(name, none.clone())))
            .collect();
    };
    let charts = charts(&mut document);
    all(&mut charts.authentication, Outcome::ALL.iter().map(ToString::to_string).collect());
    all(&mut charts.by_category, Category::ALL.iter().map(ToString::to_string).collect());
    document
}

#[test]
fn a_report_that_was_not_touched_holds() {
    for document in [document(), sections_document(watchpost_report::ReportKind::Kpi)] {
        let bytes = render_json(&document).expect("JSON").into_bytes();
        let (back, verified) = verify_json(&bytes).expect("a report");
        assert_eq!(back, document);
        assert_eq!((verified.problems, verified.other_edition), (Vec::new(), None));
        assert_eq!(verified.sha256, document.sha256().expect("digest"));
        assert!(verified.checked as usize > document.controls.len(), "it looked");
    }
}

#[test]
fn reasons_have_their_thousands_apart_and_those_of_earlier_builds_still_hold() {
    let framework = soc2();
    let mut answers = clean(&framework);
    for (ask, found) in &mut answers {
        let population = match ask.query {
            EvidenceQuery::RetentionRuns | EvidenceQuery::AuthorizationEvents => 0,
            _ => 3_068,
        };
        *found = answer(ask, population, 0, 0);
    }
    let document = evaluate(&framework, scope(), &answers, &[], None);
    let now = render_json(&document).expect("JSON");
    let lacking = "None was found in the period, and there has to be at least one.";
    let nothing = "There was nothing to judge in the period.";
    for reason in ["No exception among 3,068.", lacking, nothing] {
        assert!(now.contains(reason), "{reason}: {now}");
    }
    let earlier = now
        .replace("3,068", "3068")
        .replace(lacking, "Nothing of the kind happened, though it had to.")
        .replace(nothing, "Nothing of the kind happened in the period.");
    for text in [&now, &earlier] {
        let (_, verified) = verify_json(text.as_bytes()).expect("a report");
        assert_eq!(verified.problems, Vec::<String>::new());
    }
    let (_, verified) =
        verify_json(now.replace("among 3,068.", "among 3,069.").as_bytes()).expect("a report");
    assert!(!verified.problems.is_empty(), "another number is another reason");
}

#[test]
fn over_a_trail_in_doubt_nothing_passes_and_the_report_says_why() {
    let before = document();
    let doubted = document().in_doubt("the log was rolled back");
    assert!(before.summary.pass > 0 && doubted.summary.pass == 0, "{:?}", doubted.summary);
    assert_eq!(before.summary.fail, doubted.summary.fail);
    assert!(doubted.parameters.iter().any(|one| one.value.contains("rolled back")));
    let (_, verified) = verify_json(render_json(&doubted).expect("JSON").as_bytes()).expect("a report");
    assert_eq!(verified.problems, Vec::<String>::new(), "it agrees with itself");
    let mut other = doubted;
    other.controls[0].reason.push_str(" Nobody doubts it.");
    assert_found(&other, "not that of its checks");
}

#[test]
fn the_reason_of_an_input_in_doubt_has_the_words_of_what_was_counted() {
    let framework = soc2();
    let relied = framework.asks().into_iter().find(|ask| ask.query == EvidenceQuery::DaysWithEvents);
    let relied = relied.expect("it is asked");
    let mut answers = clean(&framework);
    let found =
        |answers: &BTreeMap<EvidenceAsk, EvidenceAnswer>| evaluate(&framework, scope(), answers, &[], None);
    let holds = |document: &ReportDocument| {
        let (_, verified) = verify_json(render_json(document).expect("JSON").as_bytes()).expect("a report");
        assert_eq!(verified.problems, Vec::<String>::new());
    };
    answers.insert(relied.clone(), answer(&relied, 40, 0, 7));
    let some = found(&answers);
    holds(&some);
    answers.remove(&relied);
    holds(&found(&answers));
    let doubted = some.controls.iter().position(|control| control.reason.contains("7 exceptions among 40."));
    let doubted = doubted.expect("some rely on it");
    for (from, to) in
        [("7 exceptions among 40.", "7 exceptions among 4000."), ("among 40.", "among 40. All is well.")]
    {
        let mut other = some.clone();
        let reason = &mut other.controls[doubted].reason;
        *reason = reason.replace(from, to);
        assert_found(&other, "not that of its checks");
    }
}

/// A check with several exceptions.
fn failing(document: &mut ReportDocument) -> &mut CheckResult {
    let mut checks = document.controls.iter_mut().flat_map(|control| &mut control.checks);
    checks.find(|check| check.exceptions > 1).expect("one fails")
}

/// The check whether failed controls are followed up; one is not.
fn followed(document: &mut ReportDocument) -> &mut CheckResult {
    let mut checks = document.controls.iter_mut().flat_map(|control| &mut control.checks);
    checks.find(|check| check.query == EvidenceQuery::ControlsFollowed).expect("it is asked")
}

fn charts(document: &mut ReportDocument) -> &mut ChartData {
    document.charts.as_mut().expect("it has charts")
}

fn assert_found(document: &ReportDocument, word: &str) {
    let bytes = render_json(document).expect("JSON").into_bytes();
    let (_, verified) = verify_json(&bytes).expect("still a report");
    let problems = verified.problems;
    assert!(problems.iter().any(|problem| problem.contains(word)), "{word}: {problems:?}");
}

type Change = (&'static str, fn(&mut ReportDocument));

#[test]
fn what_was_changed_in_a_chart_is_found() {
    let changes: [Change; 13] = [
        ("of authentication are not those of the period", |document| {
            charts(document).authentication.series[0].counts.truncate(30);
        }),
        ("by category are not those of the period", |document| {
            charts(document).by_category.start += chrono::Duration::days(1);
        }),
        ("authentication has other series", |document| charts(document).authentication.series.swap(0, 1)),
        ("authentication has other series", |document| {
            "seen".clone_into(&mut charts(document).authentication.series[0].name);
        }),
        ("authentication has other series", |document| drop(charts(document).authentication.series.pop())),
        ("category has other series", |document| {
            let none = charts(document).by_category.series[1].clone();
            charts(document).by_category.series.insert(1, none);
        }),
        ("another span", |document| charts(document).authentication.bucket_s += 1),
        ("another span", |document| charts(document).by_category.bucket_s = 43_200),
        ("do not count the same", |document| drop(charts(document).by_category.series.pop())),
        ("7 days of 24 hours", |document| charts(document).by_hour[6].truncate(23)),
        ("do not add up", |document| charts(document).authentication.series[1].counts[3] += 1),
        ("every severity", |document| charts(document).incidents_by_severity.truncate(4)),
        ("every age", |document| drop(charts(document).incidents_by_age.remove(0))),
    ];
    for (word, change) in changes {
        let mut document = document();
        change(&mut document);
        assert_found(&document, word);
    }
}

#[test]
fn what_was_changed_is_found() {
    let changes: [Change; 35] = [
        ("state", |document| document.controls[0].state = State::Fail),
        ("summary", |document| document.summary.fail += 1),
        ("sums", |document| document.controls[0].population += 1),
        ("seed", |document| document.scope.log.root.replace_range(0..1, "0")),
        ("seed", |document| document.scope.period.to += chrono::Duration::days(1)),
        ("sample is not", |document| document.controls[0].checks[0].sample.positions[0] += 1),
        ("sample lacks", |document| document.controls[0].checks[0].sample.rows.truncate(1)),
        ("does not follow from the rule", |document| failing(document).exceptions = 0),
        ("does not follow from the rule", |document| failing(document).state = Some(State::Pass)),
        ("do not fit", |document| drop(failing(document).rows.pop())),
        ("the gaps are not", |document| document.gaps.clear()),
        ("not that of its checks", |document| "All is well.".clone_into(&mut document.controls[0].reason)),
        ("not that of its checks", |document| {
            document.controls[0].reason.push_str(" All is well in the end, an auditor agreed.");
        }),
        ("not that of its checks", |document| {
            let relies = document.controls.iter_mut().find(|control| control.id == "CC6.6").expect("there");
            relies.reason.push_str(" It would pass, but its inputs are in doubt: nobody knows.");
        }),
        // Without questions only people can show it.
        ("not that of its checks", |document| document.controls[0].checks.clear()),
        ("not the one of the framework", |document| {
            failing(document).rule = "Pass with any number of exceptions.".to_owned();
        }),
        // Nobody here knows the rules of a framework of somebody's own; the reason tells what they were held against.
        ("does not tell", |document| {
            document.framework.id = "own".to_owned();
            failing(document).exceptions = 0;
        }),
        ("of format 9", |document| document.format = 9),
        ("its heading", |document| document.title.push('!')),
        ("its heading", |document| document.framework.note.clear()),
        ("title or its words", |document| document.controls[0].text = "Nothing is wanted.".to_owned()),
        ("its remedy", |document| {
            let failed = document.controls.iter_mut().find(|control| control.state == State::Fail);
            failed.expect("one fails").remedy = "Do nothing.".to_owned();
        }),
        ("its questions", |document| failing(document).what = "What went well".to_owned()),
        ("words of its gap", |document| document.gaps[0].remedy = "Do nothing.".to_owned()),
        ("stands there twice", |document| {
            let check = failing(document);
            check.rows[0] = check.rows[1].clone();
        }),
        ("which did not fail", |document| "control/CC0.0".clone_into(&mut followed(document).rows[0][0])),
        ("or twice", |document| {
            let again = followed(document).rows[0].clone();
            followed(document).rows.push(again);
        }),
        ("fewer things than controls failed", |document| followed(document).population = 0),
        ("too few entries", |document| {
            let check = followed(document);
            check.population = check.exceptions;
            check.rows[0][0] = "finding/7".to_owned();
        }),
        ("cells than there are columns", |document| drop(failing(document).rows[0].pop())),
        ("cells than there are columns", |document| drop(failing(document).columns.pop())),
        ("cells than there are columns", |document| {
            drop(document.controls[0].checks[0].sample.rows[0].pop());
        }),
        ("other columns", |document| "who".clone_into(&mut document.controls[0].checks[0].columns[0])),
        ("no such control", |document| document.controls[0].id = "CC0.0".to_owned()),
        ("are missing", |document| {
            let gone = document.controls.pop().expect("a control");
            match gone.state {
                State::Pass => document.summary.pass -= 1,
                State::Manual => document.summary.manual -= 1,
                State::NoData => document.summary.no_data -= 1,
                State::Warn => document.summary.warn -= 1,
                State::Fail => document.summary.fail -= 1,
            }
        }),
    ];
    for (word, change) in changes {
        let mut document = document();
        change(&mut document);
        assert_found(&document, word);
    }
    let mut document_of_parts = sections_document(watchpost_report::ReportKind::Kpi);
    drop(document_of_parts.sections[0].rows[0].pop());
    assert_found(&document_of_parts, "By severity: a row has more or fewer cells");
    let text = render_json(&document()).expect("JSON");
    let (_, spaced) = verify_json(text.replacen(':', ": ", 1).as_bytes()).expect("still a report");
    assert!(spaced.problems.iter().any(|problem| problem.contains("canonical")), "{:?}", spaced.problems);
    let mut other = document();
    other.framework.version = "edition 0".to_owned();
    let (_, verified) = verify_json(render_json(&other).expect("JSON").as_bytes()).expect("still a report");
    assert!(verified.other_edition.is_some_and(|words| words.contains("\"edition 0\"")), "it is told");
    let error = verify_json(b"{\"format\":9,\"new\":1}").expect_err("of another program");
    assert!(error.contains("format 9"), "{error}");
    for bad in ["", "{}", "[1]", "%PDF-1.7", "{\"format\":2"] {
        verify_json(bad.as_bytes()).expect_err(bad);
    }
}

#[test]
fn two_reports_are_compared_control_by_control() {
    let before = document();
    assert_eq!(compare(&before, &before), Vec::<Vec<String>>::new(), "nothing changed");
    let mut now = before.clone();
    now.controls[0].state = State::Fail;
    now.controls[1].exceptions += 3;
    let gone = now.controls.remove(2);
    let rows = compare(&before, &now);
    let ids: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids, [before.controls[0].id.as_str(), before.controls[1].id.as_str(), gone.id.as_str()]);
    assert_eq!((rows[0][2].as_str(), rows[0][3].as_str()), ("pass", "fail"));
    assert_eq!(rows[2][3], "-", "what is gone has no state now");
}

#[test]
fn two_reports_that_judge_nothing_are_compared_figure_by_figure() {
    let before = sections_document(watchpost_report::ReportKind::Kpi);
    assert_eq!(compare_figures(&before, &before), Vec::<Vec<String>>::new(), "nothing changed");
    let mut now = before.clone();
    let part = &mut now.sections[0];
    let title = part.title.clone();
    let changed = part.figures[0].clone();
    part.figures[0].value = "987".to_owned();
    let gone = part.figures.remove(1);
    part.figures.push(Parameter::new("Fresh", "1"));
    let row = |name: &str, old: &str, new: &str| {
        vec![title.clone(), name.to_owned(), old.to_owned(), new.to_owned()]
    };
    assert_eq!(
        compare_figures(&before, &now),
        [
            row(&changed.name, &changed.value, "987"),
            row("Fresh", "-", "1"),
            row(&gone.name, &gone.value, "-")
        ]
    );
}
