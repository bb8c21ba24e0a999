//! Working on incidents through the door: what is asked for is done, recorded, and refused with a reason where it must be.

use watchpost_model::audit::AuditOutcome;
use watchpost_model::event::Severity;
use watchpost_model::incident::{BulkAction, IncidentFilter, PauseReason, Status, Verdict, VerdictCause};
use watchpost_model::suppression::SuppressionScope;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditVerify, IncidentBulk, IncidentEscalate, IncidentEventsRequest, IncidentHandover, IncidentMerge,
    IncidentPageRequest, IncidentPause, IncidentRef, IncidentResolve, IncidentSimilar, IncidentSplit,
    IncidentStepCheck, IncidentUndo, Nothing, SuppressionAdd, SuppressionFindings, SuppressionPreviewRequest,
    SuppressionRemove,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, desk, folder};

/// Numbers of the incidents that a simulated day makes, oldest first.
async fn numbers(desk: &Desk) -> Vec<i64> {
    let request = IncidentPageRequest { limit: 500, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(request).await.expect("a page of incidents");
    let mut numbers: Vec<i64> = page.rows.iter().map(|row| row.number).collect();
    numbers.sort_unstable();
    assert!(numbers.len() >= 3, "the simulation holds several attacks: {numbers:?}");
    numbers
}

#[tokio::test]
async fn an_incident_is_worked_on_to_its_end() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let number = numbers(&desk).await[0];
    let version = None;

    let mut request = IncidentEventsRequest { number, after: None, limit: 2 };
    let mut seen = 0;
    let total = loop {
        let page = desk.ask::<operation::incident_events>(request.clone()).await.unwrap();
        seen += page.rows.len() as u64;
        assert!(page.rows.iter().all(|row| row.event.is_some()));
        request.after = page.next;
        if request.after.is_none() {
            break page.total;
        }
    };
    assert_eq!(seen, total, "page by page, all of them");

    let handover = |note: &str| IncidentHandover { number, to: "robin".into(), note: note.into(), version };
    let error = desk.ask::<operation::incident_handover>(handover(" ")).await.unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Validation, Some("note")));
    let handed =
        desk.ask::<operation::incident_handover>(handover("the vendor answers today")).await.unwrap();
    assert_eq!(handed.assignee.as_deref(), Some("robin"));

    let escalate = |severity, to: Option<&str>| IncidentEscalate {
        number,
        severity,
        to: to.map(ToOwned::to_owned),
        reason: "it goes on".to_owned(),
        version,
    };
    let error = desk.ask::<operation::incident_escalate>(escalate(None, None)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Validation, "{error}");
    let called = desk.ask::<operation::incident_escalate>(escalate(None, Some("lead"))).await.unwrap();
    assert_eq!(called.escalated_to.as_deref(), Some("lead"));
    let error =
        desk.ask::<operation::incident_escalate>(escalate(Some(Severity::Info), None)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Precondition, "{error}");

    let reason = PauseReason::ChangeWindow;
    let pause = IncidentPause { number, reason, note: "Tuesday at ten".into(), version };
    let paused = desk.ask::<operation::incident_pause>(pause).await.unwrap();
    assert_eq!(paused.paused.map(|paused| paused.reason), Some(reason));
    let resumed = desk.ask::<operation::incident_resume>(IncidentRef { number }).await.unwrap();
    assert_eq!(resumed.paused, None);

    let detail = desk.ask::<operation::incident_detail>(IncidentRef { number }).await.unwrap();
    let step = detail.playbook.unwrap().steps.remove(0).id;
    let check = |step: &str| IncidentStepCheck { number, step: step.to_owned(), done: true, note: None };
    let error = desk.ask::<operation::incident_step_check>(check("nonsense")).await.unwrap_err();
    assert!(error.hint.unwrap().contains(&step), "the hint names the steps");
    let detail = desk.ask::<operation::incident_step_check>(check(&step)).await.unwrap();
    let playbook = detail.playbook.unwrap();
    assert_eq!((playbook.done, playbook.steps[0].checked_by.as_deref()), (1, Some("dana")));

    let resolve = |cause, reason: &str| IncidentResolve {
        number,
        verdict: Verdict::TruePositive,
        cause,
        reason: reason.to_owned(),
        duplicate_of: None,
        version,
    };
    for (cause, reason) in [(None, ""), (Some(VerdictCause::Other), " "), (Some(VerdictCause::Pentest), "x")]
    {
        let error = desk.ask::<operation::incident_resolve>(resolve(cause, reason)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Validation, "{cause:?} {reason:?}: {error}");
    }
    let done = desk.ask::<operation::incident_resolve>(resolve(Some(VerdictCause::AttackFailed), "")).await;
    assert_eq!(done.unwrap().verdict_cause, Some(VerdictCause::AttackFailed));
    let rules = desk.ask::<operation::rule_feedback>(Nothing {}).await.unwrap().rules;
    assert_eq!(rules.iter().map(|rule| rule.true_positive).max(), Some(1));
    assert!(rules.iter().all(|rule| rule.precision.is_none()), "one verdict is no record");

    let kinds: Vec<String> = desk
        .ask::<operation::incident_detail>(IncidentRef { number })
        .await
        .unwrap()
        .timeline
        .into_iter()
        .filter(|line| line.actor == "dana")
        .map(|line| line.kind)
        .collect();
    assert_eq!(kinds, ["handover", "escalated", "pause", "resume", "step", "verdict", "status"]);
    for (action, outcome, n) in [
        ("incident_handover", AuditOutcome::Success, 1),
        ("incident_handover", AuditOutcome::Failure, 1),
        ("incident_escalate", AuditOutcome::Success, 1),
        ("incident_escalate", AuditOutcome::Failure, 2),
        ("incident_pause", AuditOutcome::Success, 1),
        ("incident_resume", AuditOutcome::Success, 1),
        ("incident_step_check", AuditOutcome::Success, 1),
        ("incident_resolve", AuditOutcome::Failure, 3),
    ] {
        assert_eq!(desk.trail(action, outcome).await, n, "{action} {outcome}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn several_are_merged_and_changed_at_once() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let numbers = numbers(&desk).await;
    let (one, two) = (numbers[0], numbers[1]);
    let merge = IncidentMerge { numbers: vec![two], into: one, reason: "one campaign".into() };
    let merged = desk.ask::<operation::incident_merge>(merge).await.unwrap();
    assert_eq!(merged.number, one);
    let rest = self::numbers(&desk).await;
    assert!(!rest.contains(&two), "a merged one is in no list");
    let split = IncidentSplit { number: two, reason: "two campaigns".into() };
    desk.ask::<operation::incident_split>(split).await.unwrap();
    assert_eq!(self::numbers(&desk).await, numbers);
    let similar = IncidentSimilar { number: one, limit: 5 };
    let similar = desk.ask::<operation::incident_similar>(similar).await.unwrap().rows;
    assert!(similar.iter().all(|row| row.incident.number != one && !row.because.is_empty()));

    let action = BulkAction::Assign { assignee: Some("robin".to_owned()) };
    let bulk = |expected| IncidentBulk {
        numbers: Vec::new(),
        filter: Some(IncidentFilter { status: vec![Status::Open], ..IncidentFilter::default() }),
        expected,
        action: action.clone(),
    };
    let count = numbers.len() as u64;
    let error = desk.ask::<operation::incident_bulk>(bulk(None)).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("expected"));
    let error = desk.ask::<operation::incident_bulk>(bulk(Some(count + 1))).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict, "{error}");
    let done = desk.ask::<operation::incident_bulk>(bulk(Some(count))).await.unwrap();
    assert_eq!((done.changed.len() as u64, done.skipped.len()), (count, 0));
    let undo = IncidentUndo { undo: done.undo.unwrap() };
    let undone = desk.ask::<operation::incident_undo>(undo.clone()).await.unwrap();
    assert_eq!(undone.changed.len() as u64, count);
    let error = desk.ask::<operation::incident_undo>(undo).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Precondition, "{error}");

    // One that was changed by itself, by its number and the version that it has then.
    let taken = desk.ask::<operation::incident_take>(IncidentRef { number: one }).await.unwrap();
    let undo = IncidentUndo { undo: format!("{one}@{}", taken.version) };
    let undone = desk.ask::<operation::incident_undo>(undo.clone()).await.unwrap();
    assert_eq!((undone.changed, undone.undo), (vec![one], None));
    let error = desk.ask::<operation::incident_undo>(undo).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Precondition, "{error}");
    assert!(desk.ask::<operation::audit_verify>(AuditVerify::default()).await.unwrap().ok, "the trail holds");
    desk.console.close().await;
}

#[tokio::test]
async fn what_is_suppressed_opens_nothing() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    // Everything of the first rule that will fire is suppressed before the traffic comes.
    let rule = "wp.sqli.tautology";
    let scope = SuppressionScope { rule: Some(rule.to_owned()), ..SuppressionScope::default() };
    let in_days = |days| desk.console.now() + chrono::Duration::days(days);
    let add = |scope: SuppressionScope, expires_at| SuppressionAdd {
        scope,
        owner: None,
        reason: "known".to_owned(),
        expires_at,
    };
    for (scope, until) in [(SuppressionScope::default(), in_days(1)), (scope.clone(), in_days(91))] {
        let error = desk.ask::<operation::suppression_add>(add(scope, until)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Validation, "{error}");
    }
    let misspelt =
        SuppressionScope { rule: Some("wp.sqli.tautolgy".to_owned()), ..SuppressionScope::default() };
    let look = SuppressionPreviewRequest { scope: misspelt.clone(), days: 30 };
    let looked = desk.ask::<operation::suppression_preview>(look).await.unwrap_err();
    let error = desk.ask::<operation::suppression_add>(add(misspelt, in_days(1))).await.unwrap_err();
    for error in [looked, error] {
        assert_eq!(
            (error.code, error.field.as_deref()),
            (ErrorCode::Validation, Some("scope.rule")),
            "{error}"
        );
        assert!(error.hint.as_deref().is_some_and(|hint| hint.contains(rule)), "{error:?}");
    }
    let made = desk.ask::<operation::suppression_add>(add(scope.clone(), in_days(1))).await.unwrap();
    assert_eq!(made.owner, "dana", "who makes it answers for it");
    desk.fill().await;
    let list = desk.ask::<operation::suppression_list>(Nothing {}).await.unwrap();
    assert_eq!((list.rows.len(), list.in_force), (1, 1));
    let hidden = list.rows[0].hidden;
    assert!(hidden > 0, "the simulation holds tautologies");
    let request = SuppressionFindings { id: made.id, after: None, limit: 500 };
    let rows = desk.ask::<operation::suppression_findings>(request).await.unwrap().rows;
    assert_eq!(rows.len() as u64, hidden.min(500));
    assert!(rows.iter().all(|row| row.finding.rule_id == rule));
    let preview = SuppressionPreviewRequest { scope, days: 30 };
    let preview = desk.ask::<operation::suppression_preview>(preview).await.unwrap();
    assert_eq!(preview.findings_hidden, 0, "what was hidden is in no incident");
    assert!(preview.findings > 0);
    let remove = SuppressionRemove { id: made.id, reason: "over".to_owned() };
    desk.ask::<operation::suppression_remove>(remove).await.unwrap();
    assert_eq!(desk.ask::<operation::suppression_list>(Nothing {}).await.unwrap().in_force, 0);
    desk.console.close().await;
}
