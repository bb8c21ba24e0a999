use std::collections::BTreeMap;

use chrono::Duration;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery};
use watchpost_model::ids::ProofId;
use watchpost_model::period::Period;
use watchpost_model::register::{Proof, ProofFile};
use watchpost_report::{CheckResult, Control, Framework, State, evaluate};

use crate::common::{answer, clean, scope, soc2};

const ONE: &str = r#"
id = "one"
name = "One"
version = "1"
note = "n"
[[control]]
id = "A"
title = "t"
text = "x"
relies_on = ["days_with_events"]
remedy = "do"
[[control.check]]
query = "blocks_justified"
rule = { pass = { percent_max = 5 }, warn = { percent_max = 20 }, population_min = 10 EMPTY }
"#;

fn framework(empty: &str) -> Framework {
    Framework::parse(&ONE.replace("EMPTY", empty)).expect("the framework of the test")
}

fn ask(query: EvidenceQuery) -> EvidenceAsk {
    EvidenceAsk::from(query)
}

#[test]
fn the_rule_decides_the_state() {
    let query = ask(EvidenceQuery::BlocksJustified);
    for (population, warnings, exceptions, empty, expect) in [
        (100, 0, 0, "", State::Pass),
        (100, 0, 5, "", State::Pass),
        (100, 1, 5, "", State::Warn),
        (100, 1, 0, "", State::Warn),
        (100, 50, 0, ", warnings_percent_max = 50", State::Pass),
        (100, 51, 0, ", warnings_percent_max = 50", State::Warn),
        (100, 0, 6, "", State::Warn),
        (100, 0, 20, "", State::Warn),
        (100, 0, 21, "", State::Fail),
        (10, 0, 0, "", State::Pass),
        (9, 0, 0, "", State::NoData),
        (9, 0, 1, "", State::Warn),
        (9, 0, 9, "", State::Fail),
        (0, 0, 0, "", State::NoData),
        (0, 0, 0, ", if_any = true", State::NoData),
        (0, 0, 0, ", empty = \"warn\"", State::Warn),
        (0, 0, 0, ", empty = \"fail\"", State::Fail),
        (0, 0, 3, "", State::NoData),
        (3, 0, 4, "", State::NoData),
        (3, 2, 2, "", State::NoData),
        (u64::MAX, 0, u64::MAX, "", State::Fail),
    ] {
        let framework = framework(empty);
        let mut answers = clean(&framework);
        answers.insert(query.clone(), answer_of(&query, population, warnings, exceptions));
        let document = evaluate(&framework, scope(), &answers, &[], None);
        let control = &document.controls[0];
        let case = format!("{exceptions} and {warnings} of {population}, {empty:?}: {}", control.reason);
        assert_eq!(control.state, expect, "{case}");
        assert_eq!(
            control.remedy.is_empty(),
            expect == State::Pass,
            "a remedy exactly when it did not pass: {case}"
        );
        assert_eq!(document.summary.of(expect), 1, "the summary counts it");
        assert_eq!(
            document.gaps.len(),
            usize::from(expect == State::NoData || (population == 0 && expect != State::Pass)),
            "a gap where nothing shows: {case}"
        );
    }
}

/// Without a sample: the populations of these cases are absurd.
fn answer_of(ask: &EvidenceAsk, population: u64, warnings: u64, exceptions: u64) -> EvidenceAnswer {
    EvidenceAnswer { population, warnings, exceptions, ..answer(ask, 0, 0, 0) }
}

/// Answers that are clean but for every check of `control`, which gets `found`.
fn all_but(
    framework: &Framework,
    control: &Control,
    found: [u64; 3],
) -> BTreeMap<EvidenceAsk, EvidenceAnswer> {
    let mut answers = clean(framework);
    for check in &control.checks {
        answers.insert(check.ask.clone(), answer_of(&check.ask, found[0], found[1], found[2]));
    }
    answers
}

#[test]
fn every_control_of_every_framework_reaches_its_states() {
    let mut n_controls = 0;
    for framework in Framework::builtin() {
        for control in &framework.controls {
            n_controls += 1;
            let state = |answers: &BTreeMap<EvidenceAsk, EvidenceAnswer>| {
                let document = evaluate(&framework, scope(), answers, &[], None);
                document.controls.iter().find(|found| found.id == control.id).expect("a result").clone()
            };
            let name = format!("{} {}", framework.id, control.id);
            if control.checks.is_empty() {
                for found in [[100, 0, 0], [100, 0, 100], [0, 0, 0]] {
                    let manual = state(&all_but(&framework, control, found));
                    assert_eq!(manual.state, State::Manual, "{name} is for a person whatever the data say");
                }
                continue;
            }
            let pass = state(&all_but(&framework, control, [1_000_000, 0, 0]));
            assert_eq!(pass.state, State::Pass, "{name}: {}", pass.reason);
            // More warnings than some rules take fail.
            let most = control.checks.iter().filter_map(|check| check.rule.warnings_max).min();
            let warn = state(&all_but(&framework, control, [1_000_000, most.unwrap_or(999_999), 0]));
            if let Some(most) = most {
                let fail = state(&all_but(&framework, control, [1_000_000, most + 1, 0]));
                assert_eq!(fail.state, State::Fail, "{name}: {}", fail.reason);
            }
            assert_eq!(warn.state, State::Warn, "{name}: {}", warn.reason);
            let fail = state(&all_but(&framework, control, [1_000_000, 0, 999_999]));
            assert_eq!(fail.state, State::Fail, "{name}: {}", fail.reason);
            assert!(!fail.remedy.is_empty(), "{name} says what to do");
            let broken = state(&all_but(&framework, control, [1, 1, 1]));
            assert_eq!(
                broken.state,
                State::NoData,
                "{name}: an answer that contradicts itself is none: {}",
                broken.reason
            );
            let empty = state(&all_but(&framework, control, [0, 0, 0]));
            assert_ne!(empty.state, State::Pass, "{name} never passes on nothing");
            assert_ne!(empty.state, State::Manual, "{name} is not for a person");
            let unanswered = state(&BTreeMap::new());
            assert_eq!(unanswered.state, State::NoData, "{name}: {}", unanswered.reason);
            // One bad check is enough, wherever it stands.
            for check in &control.checks {
                let mut answers = all_but(&framework, control, [1_000_000, 0, 0]);
                answers.insert(check.ask.clone(), answer_of(&check.ask, 1_000_000, 0, 1_000_000));
                let one = state(&answers);
                assert_eq!(one.state, State::Fail, "{name}: {} alone", check.ask.query);
                assert!(one.reason.contains(&check.what), "{name} says which: {}", one.reason);
            }
        }
    }
    assert!(n_controls >= 80, "{n_controls} controls");
}

#[test]
fn an_empty_population_never_passes_in_any_built_in_framework() {
    for framework in Framework::builtin() {
        let answers = framework.asks().into_iter().map(|ask| (ask.clone(), answer(&ask, 0, 0, 0))).collect();
        let document = evaluate(&framework, scope(), &answers, &[], None);
        assert_eq!(document.summary.pass, 0, "{}: nothing passes on nothing", framework.id);
        let document = evaluate(&framework, scope(), &BTreeMap::new(), &[], None);
        assert_eq!(document.summary.pass, 0, "{}: nothing passes unanswered", framework.id);
        let total: u32 = State::ALL.iter().map(|state| document.summary.of(*state)).sum();
        assert_eq!(total as usize, framework.controls.len(), "every control is counted once");
    }
}

#[test]
fn what_did_not_happen_is_left_out_where_another_check_shows_something() {
    let framework = soc2();
    let control = framework.controls.iter().find(|control| control.id == "CC6.3").expect("it is there");
    let mut answers = clean(&framework);
    let mut n_left_out = 0;
    for check in control.checks.iter().filter(|check| check.rule.if_any) {
        answers.insert(check.ask.clone(), answer(&check.ask, 0, 0, 0));
        n_left_out += 1;
    }
    assert!(n_left_out > 1 && n_left_out < control.checks.len(), "some may be left out, not all");
    let document = evaluate(&framework, scope(), &answers, &[], None);
    let found = document.controls.iter().find(|found| found.id == "CC6.3").expect("a result");
    assert_eq!(found.state, State::Pass, "{}", found.reason);
    assert_eq!(found.checks.iter().filter(|check| check.state.is_none()).count(), n_left_out, "they say so");
}

#[test]
fn a_control_is_never_better_than_its_inputs() {
    let query = ask(EvidenceQuery::DaysWithEvents);
    for (doubt, expect) in [
        (Some(answer(&query, 31, 0, 0)), State::Pass),
        (Some(answer(&query, 31, 0, 1)), State::Warn),
        (Some(answer(&query, 0, 0, 0)), State::Warn),
        (None, State::Warn),
    ] {
        let framework = framework("");
        let mut answers = clean(&framework);
        answers.remove(&query);
        answers.extend(doubt.clone().map(|answer| (query.clone(), answer)));
        let document = evaluate(&framework, scope(), &answers, &[], None);
        let control = &document.controls[0];
        assert_eq!(control.state, expect, "{doubt:?}");
        assert_eq!(control.reason.contains("days with events"), expect == State::Warn, "{}", control.reason);
    }
}

/// What the table of controls says of these, beyond what other tests hold.
#[test]
fn the_shipped_rules_are_as_strict_as_the_table() {
    use EvidenceQuery as Q;
    let kind = |name: &'static str| Some(("kind", name));
    let cases = [
        ("soc2", "C1.2", Q::RegisterGood, kind("erasure_request"), (9, 0, 1), State::Fail),
        ("soc2", "C1.2", Q::RetentionRuns, None, (9, 0, 1), State::Fail),
        ("iso27001", "A.8.10", Q::RegisterGood, kind("erasure_request"), (9, 0, 1), State::Fail),
        ("iso27001", "A.5.26", Q::PlaybooksFollowed, None, (100, 0, 5), State::Warn),
        ("iso27001", "A.5.26", Q::PlaybooksFollowed, None, (100, 0, 6), State::Fail),
        ("soc2", "CC7.4", Q::PlaybooksFollowed, None, (100, 0, 6), State::Fail),
        ("gdpr", "Art. 30(1)", Q::RegisterComplete, kind("processing_record"), (100, 0, 5), State::Warn),
        ("gdpr", "Art. 30(1)", Q::RegisterComplete, kind("processing_record"), (5, 0, 1), State::Fail),
        ("gdpr", "Art. 32(1)(a)", Q::EncryptionKnown, None, (2, 1, 0), State::Warn),
        ("gdpr", "Art. 32(1)(a)", Q::EncryptionKnown, None, (9, 0, 1), State::Fail),
        ("gdpr", "Art. 32(1)(a)", Q::PayloadsSealed, None, (9, 0, 1), State::Fail),
        ("soc2", "CC4.2", Q::RegisterTimely, Some(("good_within", "0d")), (100, 0, 10), State::Warn),
        ("soc2", "CC4.2", Q::RegisterTimely, Some(("warn_within", "30d")), (100, 0, 1), State::Fail),
        ("soc2", "CC4.2", Q::RegisterTimely, Some(("warn_within", "30d")), (100, 9, 0), State::Warn),
        ("owasp-top10", "A09:2025", Q::SensitiveData, None, (100, 0, 1), State::Fail),
        ("pci-dss", "10.2.1.6", Q::FeedSilence, Some(("families", "log_gap")), (5, 0, 1), State::Fail),
        ("pci-dss", "10.3.1", Q::AdminsApproved, kind("log_reader"), (5, 0, 1), State::Fail),
        ("pci-dss", "10.4.1", Q::RegisterDaily, None, (30, 0, 1), State::Fail),
        ("pci-dss", "10.4.1", Q::RegisterDaily, None, (30, 2, 0), State::Warn),
        ("pci-dss", "10.4.1", Q::RegisterDaily, None, (30, 3, 0), State::Fail),
        ("pci-dss", "10.5.1", Q::RegisterFresh, kind("archive_proof"), (1, 1, 0), State::Warn),
        ("pci-dss", "10.5.1", Q::HistoryKept, None, (5, 0, 1), State::Fail),
        ("iso27001", "A.8.15", Q::RegisterDaily, None, (100, 50, 5), State::Pass),
        ("pci-dss", "10.2.1.6", Q::FeedSilence, Some(("good_within", "5min")), (5, 1, 0), State::Warn),
        ("iso27001", "A.5.25", Q::RegisterFresh, kind("criteria"), (0, 0, 0), State::Fail),
        ("iso27001", "A.5.25", Q::RegisterFresh, kind("criteria"), (1, 0, 0), State::Pass),
        ("iso27001", "A.5.25", Q::RegisterComplete, kind("criteria"), (1, 0, 1), State::Fail),
        ("nist-800-53", "AU-4", Q::RegisterGood, kind("capacity_check"), (1, 1, 0), State::Warn),
        ("nist-800-53", "IR-5", Q::IncidentsComplete, None, (100, 0, 6), State::Fail),
    ];
    for (id, control, query, parameter, counts, expect) in cases {
        let framework = Framework::by_id(id).expect("it is built in");
        let asked = framework.controls.iter().find(|found| found.id == control).expect("it has the control");
        let meant = |ask: &EvidenceAsk| {
            let given = ask.parameters();
            ask.query == query
                && parameter.is_none_or(|(name, text)| given.iter().any(|one| one.0 == name && one.1 == text))
        };
        let check = asked.checks.iter().find(|check| meant(&check.ask)).expect("it asks that");
        let mut answers = clean(&framework);
        let (population, warnings, exceptions) = counts;
        answers.insert(check.ask.clone(), answer(&check.ask, population, warnings, exceptions));
        let document = evaluate(&framework, scope(), &answers, &[], None);
        let found = document.controls.iter().find(|found| found.id == control).expect("judged");
        assert_eq!(found.state, expect, "{id} {control} {query}: {}", found.reason);
    }
}

#[test]
fn what_failed_has_to_be_followed_up() {
    let framework = soc2();
    let find = |query| framework.asks().into_iter().find(|ask| ask.query == query).expect("it is asked");
    let (resolved, followed) =
        (find(EvidenceQuery::IncidentsResolved), find(EvidenceQuery::ControlsFollowed));
    let mut answers = clean(&framework);
    let state = |answers: &BTreeMap<EvidenceAsk, EvidenceAnswer>| {
        let document = evaluate(&framework, scope(), answers, &[], None);
        let failed: Vec<String> = document
            .controls
            .iter()
            .filter(|control| control.state == State::Fail && control.id != "CC4.2")
            .map(|control| control.id.clone())
            .collect();
        let bytes = watchpost_report::render_json(&document).expect("JSON").into_bytes();
        let (_, verified) = watchpost_report::verify_json(&bytes).expect("a report");
        assert_eq!(verified.problems, Vec::<String>::new());
        let found = document.controls.iter().find(|found| found.id == "CC4.2").expect("judged");
        let asked = |check: &&CheckResult| check.query == EvidenceQuery::ControlsFollowed;
        let check = found.checks.iter().find(asked).expect("it is asked");
        (found.state, failed, (check.population, check.exceptions))
    };
    let entries = |subjects: &[String]| EvidenceAnswer {
        columns: vec!["subject".to_owned(), "owner".to_owned()],
        rows: subjects.iter().map(|subject| vec![subject.clone(), "dana".to_owned()]).collect(),
        ..answer_of(&followed, subjects.len() as u64, 0, 0)
    };
    answers.insert(followed.clone(), entries(&["finding/7".to_owned()]));
    assert_eq!(state(&answers), (State::Pass, Vec::new(), (1, 0)), "nothing failed");
    answers.insert(resolved.clone(), answer(&resolved, 40, 0, 40));
    let (found, failed, counts) = state(&answers);
    let n = failed.len() as u64;
    assert!(n > 0, "incidents were late");
    assert_eq!((found, counts), (State::Fail, (1 + n, n)), "nobody has what failed");
    let subjects: Vec<String> = failed.iter().map(|id| format!("Control/{id}")).collect();
    answers.insert(followed.clone(), entries(&subjects[1..]));
    assert_eq!(state(&answers), (State::Fail, failed.clone(), (n, 1)), "one is forgotten among all");
    answers.insert(followed.clone(), entries(&subjects));
    assert_eq!(state(&answers), (State::Pass, failed, (n, 0)), "each has an owner, and counts once");
}

#[test]
fn short_rows_are_filled_up() {
    let query = ask(EvidenceQuery::BlocksJustified);
    let framework = framework("");
    let mut answers = clean(&framework);
    let mut short = answer(&query, 100, 0, 1);
    short.rows = vec![vec!["only".to_owned()]];
    answers.insert(query, short);
    let document = evaluate(&framework, scope(), &answers, &[], None);
    assert_eq!(document.controls[0].checks[0].rows, [["only", ""]], "as wide as the columns");
}

#[test]
fn what_people_gave_counts_for_its_time_and_closes_the_gap() {
    let framework = Framework::by_id("iso27001").expect("it is built in");
    let period = scope().period;
    let proof = |days: i64, length: i64, expires: i64| Proof {
        id: ProofId::at(period.from),
        framework: "iso27001".to_owned(),
        control: "A.8.11".to_owned(),
        period: Period {
            from: period.from + Duration::days(days),
            to: period.from + Duration::days(days + length),
        },
        statement: "Tested with a viewer.".to_owned(),
        file: None,
        owner: "dana".to_owned(),
        given_by: "dana".to_owned(),
        given_at: period.from,
        expires_at: period.to + Duration::days(expires),
    };
    for (proofs, counts) in [
        (vec![], 0),
        (vec![proof(0, 31, 300)], 1),
        (vec![proof(30, 90, 300)], 1),
        (vec![proof(-90, 90, 300)], 0),
        (vec![proof(31, 31, 300)], 0),
        (vec![proof(0, 31, -1)], 0),
        (vec![proof(0, 31, 0)], 0),
        (vec![proof(0, 31, 300), proof(1, 2, 300)], 2),
    ] {
        let document = evaluate(&framework, scope(), &clean(&framework), &proofs, None);
        let control = document.controls.iter().find(|found| found.id == "A.8.11").expect("it is manual");
        assert_eq!(control.proofs.len(), counts, "{proofs:?}");
        assert_eq!(control.state, State::Manual, "a statement never turns into a pass");
        let gap = document.gaps.iter().any(|gap| gap.control == "A.8.11");
        assert_eq!(gap, counts == 0, "a gap as long as nothing counts");
    }
}

#[test]
fn what_people_gave_is_told_without_the_cards_in_it() {
    let framework = Framework::by_id("iso27001").expect("it is built in");
    let mut scope = scope();
    scope.organisation = "Org password=zzORG1x 4539578763621486".to_owned();
    let period = scope.period;
    let proof = Proof {
        id: ProofId::at(period.from),
        framework: "iso27001".to_owned(),
        control: "A.8.11".to_owned(),
        period,
        statement: "Tested with 4539578763621486.".to_owned(),
        file: Some(ProofFile {
            name: "card 4539578763621486.pdf".to_owned(),
            sha256: "0".repeat(64),
            bytes: 7,
        }),
        owner: "dana, pass=zzOWN1x9".to_owned(),
        given_by: "dana".to_owned(),
        given_at: period.from,
        expires_at: period.to + Duration::days(300),
    };
    let document = evaluate(&framework, scope, &clean(&framework), &[proof], None);
    let given = document.controls.iter().flat_map(|control| &control.proofs).next().expect("it counts");
    assert_eq!(given.statement, "Tested with 453957******1486.");
    assert_eq!(given.owner, "dana, pass=[not shown: secret]");
    assert_eq!(document.scope.organisation, "Org password=[not shown: secret] 453957******1486");
    let file = given.file.as_ref().expect("its file");
    assert_eq!(file.name, "card 453957******1486.pdf");
}

#[test]
fn the_summary_in_a_line_and_a_word() {
    for (population, exceptions, worst) in
        [(100, 0, State::Pass), (0, 0, State::NoData), (100, 9, State::Warn), (100, 50, State::Fail)]
    {
        let framework = framework("");
        let mut answers = clean(&framework);
        let query = ask(EvidenceQuery::BlocksJustified);
        answers.insert(query.clone(), answer(&query, population, 0, exceptions));
        let summary = evaluate(&framework, scope(), &answers, &[], None).summary;
        assert_eq!(summary.worst(), worst, "{summary:?}");
        let part = format!("1 {}", worst.title().to_lowercase());
        assert!(summary.line().split(", ").any(|count| count == part), "{part:?} in {}", summary.line());
    }
}

#[test]
fn a_row_is_meant_by_its_key_or_cell_by_cell_as_any_format_shows_it() {
    let mut document = crate::common::document();
    let control =
        document.controls.iter_mut().find(|one| !one.checks.is_empty()).expect("a control with a check");
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    control.checks.truncate(1);
    control.checks[0].columns = row(["account", "failures"]);
    control.checks[0].rows =
        vec![row(["dana", "12"]), row(["=cmd()", "5"]), row(["eve", "1"]), row(["eve", "2"])];
    let meant =
        |cells: &[&str]| control.row_meant(&cells.iter().map(ToString::to_string).collect::<Vec<_>>());
    let dana = Some((row(["dana", "12"]), Some("dana".to_owned())));
    assert_eq!((meant(&["dana"]), meant(&["dana", "12"])), (dana.clone(), dana));
    let formula = Some((row(["=cmd()", "5"]), Some("=cmd()".to_owned())));
    assert_eq!(meant(&["'=cmd()", "5"]), formula.clone(), "as the CSV has it");
    assert_eq!(meant(&["=cmd()"]), formula, "as the JSON has it");
    assert_eq!(meant(&["eve", "2"]), Some((row(["eve", "2"]), None)), "the key alone would not tell it");
    for nothing in [&["dana", "13"][..], &["12"], &["dana", "12", ""], &["nobody"]] {
        assert_eq!(meant(nothing), None, "{nothing:?}");
    }

    // The next report has another count: what is known by its key is told as it is now.
    let said = |cells: &[&str]| {
        let (row, key) = meant(cells).expect("there");
        watchpost_model::report::ControlComment {
            id: watchpost_model::ids::CommentId::at(crate::common::at("2026-01-01T00:00:00Z")),
            framework: "soc2".to_owned(),
            control: control.id.clone(),
            key,
            row,
            text: cells.join(" "),
            by: "erik".to_owned(),
            at: crate::common::at("2026-01-01T00:00:00Z"),
        }
    };
    let comments = [said(&["dana"]), said(&["eve", "2"]), said(&["eve", "1"])];
    let (id, check) = (control.id.clone(), &mut control.checks[0]);
    check.rows = vec![row(["eve", "2"]), row(["dana", "13"])];
    let document = document.with_comments(&comments);
    let control = document.controls.iter().find(|one| one.id == id).expect("there");
    let told: Vec<&Vec<String>> = control.comments.iter().map(|comment| &comment.row).collect();
    assert_eq!(told, [&row(["dana", "13"]), &row(["eve", "2"])]);
}
