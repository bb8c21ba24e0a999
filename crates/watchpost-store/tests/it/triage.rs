//! Clocks, verdicts, many at once and one undo, suppressions, playbooks, what resembles, and what rules are worth.

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::event::{Entity, EntityKind, Http, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{
    BulkAction, Incident, IncidentFilter, PauseReason, RuleAdvice, Sla, Status, Verdict, VerdictCause,
};
use watchpost_model::suppression::SuppressionScope;
use watchpost_store::{BulkTarget, IncidentPatch, NewSuppression, StoreError};

use crate::support::{World, both, draft, event, events, finding};

both!(
    paused_time_does_not_count,
    a_rising_severity_ends_the_pause,
    verdicts_have_causes_of_their_own,
    many_at_once_and_one_undo,
    taking_many_is_taking_each,
    the_change_of_one_is_taken_back_once,
    a_filter_must_describe_what_was_seen,
    suppressed_findings_open_nothing_and_are_kept,
    a_preview_tells_what_would_be_hidden,
    steps_are_checked_once,
    what_resembles_says_why,
    a_common_user_agent_alone_makes_nothing_similar,
    rules_are_judged_by_verdicts,
);

async fn seed(world: &World, count: u32, family: AttackFamily) -> Vec<Incident> {
    let batch = events(count, world.now() - Duration::hours(1));
    let findings: Vec<_> = (0..)
        .zip(&batch)
        .map(|(n, (event, _))| finding(n, event, family, &format!("198.51.100.{n}")))
        .collect();
    world.ingest(&batch, &findings).await.opened
}

async fn change(world: &World, number: i64, patch: IncidentPatch) -> Result<Incident, StoreError> {
    let incident = world.store.incident_row(number).await.unwrap();
    world.store.incident_change(incident.id, incident.version, patch, draft("incident_change")).await
}

fn pause(reason: PauseReason) -> IncidentPatch {
    IncidentPatch { pause: Some((reason, "asked them".to_owned())), ..IncidentPatch::default() }
}

fn verdict(verdict: Verdict, cause: Option<VerdictCause>, reason: &str) -> IncidentPatch {
    IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((verdict, reason.to_owned())),
        cause,
        ..IncidentPatch::default()
    }
}

async fn paused_time_does_not_count(world: World) {
    let opened = seed(&world, 2, AttackFamily::Sqli).await.remove(0);
    let due = opened.opened_at + Sla::of(Severity::High).resolve;
    world.clock.advance(Duration::minutes(10));
    let paused = change(&world, 1, pause(PauseReason::WaitingForVendor)).await.unwrap();
    assert_eq!(
        paused.paused.map(|p| (p.reason, p.since)),
        Some((PauseReason::WaitingForVendor, world.now()))
    );
    assert_eq!(paused.acknowledged_at, Some(world.now()));
    let twice = change(&world, 1, pause(PauseReason::ChangeWindow)).await;
    assert!(matches!(twice, Err(StoreError::Precondition(_))), "{twice:?}");
    let order = watchpost_model::incident::IncidentOrder::Due;
    let page = world.store.incident_page(&IncidentFilter::default(), order, None, 10).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1], "no clock of it runs");
    world.clock.advance(Duration::hours(30));
    let resume = IncidentPatch { resume: true, ..IncidentPatch::default() };
    let running = change(&world, 1, resume.clone()).await.unwrap();
    assert_eq!((running.paused, running.paused_s), (None, 30 * 3_600));
    assert_eq!(running.resolve_due, due + Duration::hours(30));
    let again = change(&world, 1, resume).await;
    assert!(matches!(again, Err(StoreError::Precondition(_))), "{again:?}");
    change(&world, 1, pause(PauseReason::ChangeWindow)).await.unwrap();
    world.clock.advance(Duration::hours(1));
    let patch = verdict(Verdict::TruePositive, Some(VerdictCause::AttackBlocked), "");
    let resolved = change(&world, 1, patch).await.unwrap();
    assert_eq!(
        (resolved.paused, resolved.resolve_due),
        (None, due + Duration::hours(31)),
        "resolving ends it"
    );
    world.clock.advance(Duration::hours(5));
    let reopened = IncidentPatch { status: Some(Status::Reopened), ..IncidentPatch::default() };
    let reopened = change(&world, 1, reopened).await.unwrap();
    assert_eq!(reopened.resolve_due, due + Duration::hours(36), "nor does the time in which it was resolved");
    assert_eq!(
        (reopened.verdict, reopened.verdict_cause, reopened.verdict_reason.as_deref()),
        (Verdict::Unjudged, None, None),
        "it is to be judged again"
    );
    let told = world.store.incident_by_number(1).await.unwrap().timeline;
    assert!(told.iter().any(|line| line.text == "Verdict true_positive taken back"), "{told:?}");
    let pauses = world.store.incident_by_number(1).await.unwrap().pauses;
    assert_eq!(pauses.len(), 2);
    assert!(pauses.iter().all(|pause| pause.until.is_some() && pause.started_by == "dana"));
}

async fn a_rising_severity_ends_the_pause(world: World) {
    seed(&world, 1, AttackFamily::Sqli).await;
    change(&world, 1, pause(PauseReason::WaitingForCustomer)).await.unwrap();
    world.clock.advance(Duration::hours(2));
    let later = event(50, world.now());
    let mut worse = finding(50, &later, AttackFamily::Sqli, "198.51.100.0");
    worse.severity = Severity::Critical;
    let updated = world.ingest(&[(later, "security:api:x:50".to_owned())], &[worse]).await.updated.remove(0);
    assert_eq!((updated.severity, updated.paused, updated.paused_s), (Severity::Critical, None, 7_200));
    assert_eq!(
        updated.resolve_due,
        updated.opened_at + Sla::of(Severity::Critical).resolve + Duration::hours(2)
    );
    let detail = world.store.incident_by_number(1).await.unwrap();
    assert_eq!(detail.pauses[0].ended_by.as_deref(), Some("engine"));
    let up = |severity| IncidentPatch {
        severity: Some((severity, "customers are hit".to_owned())),
        ..IncidentPatch::default()
    };
    let down = change(&world, 1, up(Severity::High)).await;
    assert!(matches!(down, Err(StoreError::Precondition(_))), "escalating only raises: {down:?}");
}

async fn verdicts_have_causes_of_their_own(world: World) {
    seed(&world, 3, AttackFamily::Xss).await;
    let wrong = change(&world, 1, verdict(Verdict::FalsePositive, Some(VerdictCause::Pentest), "x")).await;
    assert!(matches!(wrong, Err(StoreError::Validation(_))), "{wrong:?}");
    let other = change(&world, 1, verdict(Verdict::FalsePositive, None, " ")).await;
    assert!(matches!(other, Err(StoreError::Validation(_))), "another cause needs words: {other:?}");
    let judged = change(&world, 1, verdict(Verdict::FalsePositive, Some(VerdictCause::BadPattern), "")).await;
    let judged = judged.unwrap();
    assert_eq!(judged.verdict_cause, Some(VerdictCause::BadPattern));
    assert_eq!(judged.verdict_reason.as_deref(), Some("bad pattern"));
    let patch = IncidentPatch {
        duplicate_of: Some(3),
        ..verdict(Verdict::Duplicate, Some(VerdictCause::SameCampaign), "")
    };
    change(&world, 2, patch).await.unwrap();
    let related = world.store.incident_by_number(2).await.unwrap().related;
    assert_eq!(
        (related[0].kind.as_str(), related[0].outgoing, related[0].incident.number),
        ("duplicate", true, 3)
    );
    // Judged without saying which one is kept, it can still be said: once, and not of itself.
    let duplicate = || verdict(Verdict::Duplicate, Some(VerdictCause::SameCampaign), "");
    change(&world, 3, duplicate()).await.unwrap();
    let of = |number| IncidentPatch { duplicate_of: Some(number), ..duplicate() };
    let itself = change(&world, 3, of(3)).await;
    assert!(matches!(itself, Err(StoreError::Validation(_))), "{itself:?}");
    change(&world, 3, of(1)).await.unwrap();
    let detail = world.store.incident_by_number(3).await.unwrap();
    assert!(
        detail.related.iter().any(|one| one.outgoing && one.incident.number == 1),
        "{:?}",
        detail.related
    );
    let again = change(&world, 3, of(1)).await;
    assert!(matches!(again, Err(StoreError::Precondition(_))), "nothing changes: {again:?}");
}

async fn many_at_once_and_one_undo(world: World) {
    let opened = seed(&world, 6, AttackFamily::Sqli).await;
    change(&world, 5, verdict(Verdict::TruePositive, None, "seen")).await.unwrap();
    let store = &world.store;
    let mut before = Vec::new();
    for n in 1..=6 {
        before.push(store.incident_row(n).await.unwrap());
    }
    let action = BulkAction::Resolve {
        verdict: Verdict::BenignTruePositive,
        cause: Some(VerdictCause::Pentest),
        reason: String::new(),
    };
    world.clock.advance(Duration::minutes(5));
    let target = BulkTarget::Numbers(vec![1, 2, 3, 5, 3, 99]);
    let done = store.incident_bulk(&target, &action, draft("incident_bulk")).await.unwrap();
    assert_eq!(done.changed, [1, 2, 3]);
    assert_eq!(done.skipped.iter().map(|s| s.number).collect::<Vec<_>>(), [99, 5]);
    assert!(done.skipped.iter().all(|s| !s.reason.is_empty()));
    let resolved = store.incident_row(2).await.unwrap();
    assert_eq!((resolved.status, resolved.verdict), (Status::Resolved, Verdict::BenignTruePositive));
    assert_eq!(resolved.assignee.as_deref(), Some("dana"));
    // Somebody works on one of them before it is taken back; a note on another one changes nothing of it.
    let mine = IncidentPatch { assignee: Some(Some("robin".to_owned())), ..IncidentPatch::default() };
    change(&world, 3, mine).await.unwrap();
    store.note_add(opened[1].id, "I was here", "robin", draft("n")).await.unwrap();
    let token = done.undo.unwrap();
    let undone = store.incident_undo(&token, draft("incident_undo")).await.unwrap();
    assert_eq!((undone.changed, undone.skipped.len()), (vec![1, 2], 1));
    for n in [0, 1] {
        let now = store.incident_row(n + 1).await.unwrap();
        let was = &before[usize::try_from(n).unwrap()];
        assert_eq!(now.acknowledged_at.is_some(), n == 1, "who wrote a note has looked at it");
        let acknowledged_at = was.acknowledged_at;
        assert_eq!(Incident { version: was.version, acknowledged_at, ..now }, *was, "as it was");
    }
    assert_eq!(store.incident_row(3).await.unwrap().status, Status::Resolved, "changed since: left alone");
    let twice = store.incident_undo(&token, draft("incident_undo")).await;
    assert!(matches!(twice, Err(StoreError::Precondition(_))), "one undo: {twice:?}");
    let unknown = store.incident_undo("nothing", draft("incident_undo")).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))), "{unknown:?}");
    let of = async |action: &str| {
        let filter = AuditFilter { action: Some(action.to_owned()), ..Default::default() };
        store.audit_page(&filter, None, 100).await.unwrap().len()
    };
    assert_eq!((of("incident_bulk").await, of("incident_undo").await), (4, 3), "each change and the whole");
    // A note and an assignment are taken back too.
    let note = BulkAction::Note { text: "looked at all of them".to_owned() };
    let done = store.incident_bulk(&BulkTarget::Numbers(vec![4, 6]), &note, draft("b")).await.unwrap();
    assert_eq!(store.incident_by_number(4).await.unwrap().notes.len(), 1);
    store.incident_undo(&done.undo.unwrap(), draft("u")).await.unwrap();
    assert!(store.incident_by_number(4).await.unwrap().notes.is_empty());
    let assign = BulkAction::Assign { assignee: Some("robin".to_owned()) };
    let done = store.incident_bulk(&BulkTarget::Numbers(vec![4, 6]), &assign, draft("b")).await.unwrap();
    store.incident_undo(&done.undo.unwrap(), draft("u")).await.unwrap();
    assert_eq!(store.incident_row(4).await.unwrap().assignee, None);
}

async fn taking_many_is_taking_each(world: World) {
    seed(&world, 4, AttackFamily::Sqli).await;
    let contained = IncidentPatch { status: Some(Status::Contained), ..IncidentPatch::default() };
    change(&world, 2, contained).await.unwrap();
    change(&world, 3, verdict(Verdict::TruePositive, None, "seen")).await.unwrap();
    let store = &world.store;
    let target = BulkTarget::Numbers(vec![1, 2, 3]);
    let done = store.incident_bulk(&target, &BulkAction::Take, draft("incident_bulk")).await.unwrap();
    assert_eq!(done.changed, [1, 2]);
    assert_eq!(done.skipped.iter().map(|one| one.number).collect::<Vec<_>>(), [3], "it is resolved");
    let one = store.incident_row(1).await.unwrap();
    assert_eq!((one.status, one.assignee.as_deref()), (Status::Investigating, Some("dana")));
    let two = store.incident_row(2).await.unwrap();
    assert_eq!((two.status, two.assignee.as_deref()), (Status::Contained, Some("dana")), "as far as it was");
    // What is taken already is left alone, and one undo gives back what was taken.
    let again = store.incident_bulk(&target, &BulkAction::Take, draft("incident_bulk")).await.unwrap();
    assert_eq!((again.changed.len(), again.skipped.len(), again.undo), (0, 3, None));
    store.incident_undo(&done.undo.unwrap(), draft("incident_undo")).await.unwrap();
    let one = store.incident_row(1).await.unwrap();
    assert_eq!((one.status, one.assignee), (Status::Open, None));
    assert_eq!(store.incident_row(2).await.unwrap().status, Status::Contained);
}

async fn the_change_of_one_is_taken_back_once(world: World) {
    seed(&world, 3, AttackFamily::Sqli).await;
    let store = &world.store;
    let before = store.incident_row(1).await.unwrap();
    let patches = [
        verdict(Verdict::FalsePositive, Some(VerdictCause::BadPattern), ""),
        IncidentPatch { assignee: Some(Some("robin".to_owned())), ..IncidentPatch::default() },
        IncidentPatch {
            severity: Some((Severity::Critical, "customers are hit".to_owned())),
            escalate: Some(("lead".to_owned(), "customers are hit".to_owned())),
            ..IncidentPatch::default()
        },
        IncidentPatch {
            duplicate_of: Some(2),
            ..verdict(Verdict::Duplicate, Some(VerdictCause::SameCampaign), "")
        },
    ];
    for patch in patches {
        world.clock.advance(Duration::minutes(1));
        let changed = change(&world, 1, patch).await.unwrap();
        let token = format!("1@{}", changed.version);
        let undone = store.incident_undo(&token, draft("incident_undo")).await.unwrap();
        assert_eq!((undone.changed, undone.skipped.len(), undone.undo), (vec![1], 0, None));
        let now = store.incident_row(1).await.unwrap();
        assert_eq!(Incident { version: before.version, ..now }, before, "as it was");
        let twice = store.incident_undo(&token, draft("incident_undo")).await;
        assert!(matches!(twice, Err(StoreError::Precondition(_))), "once: {twice:?}");
    }
    let detail = store.incident_by_number(1).await.unwrap();
    assert!(detail.related.is_empty(), "it is no duplicate any more: {:?}", detail.related);
    assert_eq!(detail.timeline.iter().filter(|line| line.text == "A change was taken back").count(), 4);
    // What somebody changed since is left alone, which is said as a refusal; a note changes nothing.
    let give =
        |name: &str| IncidentPatch { assignee: Some(Some(name.to_owned())), ..IncidentPatch::default() };
    let taken = change(&world, 1, give("dana")).await.unwrap();
    let given = change(&world, 1, give("robin")).await.unwrap();
    let late = store.incident_undo(&format!("1@{}", taken.version), draft("incident_undo")).await;
    let Err(StoreError::Precondition(reason)) = late else {
        panic!("nothing was left to take back: {late:?}")
    };
    assert_eq!(reason, "incident 1 was changed since");
    assert_eq!(store.incident_row(1).await.unwrap().assignee.as_deref(), Some("robin"));
    let note = store.note_add(given.id, "I was here", "dana", draft("n")).await.unwrap();
    store.incident_undo(&format!("1@{}", given.version), draft("incident_undo")).await.unwrap();
    let detail = store.incident_by_number(1).await.unwrap();
    assert_eq!((detail.incident.assignee.as_deref(), detail.notes), (Some("dana"), vec![note]));
    let paused = change(&world, 3, pause(PauseReason::ChangeWindow)).await.unwrap();
    let paused = store.incident_undo(&format!("3@{}", paused.version), draft("incident_undo")).await;
    assert!(matches!(paused, Err(StoreError::NotFound(_))), "{paused:?}");
}

async fn a_filter_must_describe_what_was_seen(world: World) {
    seed(&world, 4, AttackFamily::Sqli).await;
    let filter = IncidentFilter { status: vec![Status::Open], ..IncidentFilter::default() };
    let assign = BulkAction::Assign { assignee: Some("robin".to_owned()) };
    let target = |expected| BulkTarget::Filter { filter: Box::new(filter.clone()), expected };
    let store = &world.store;
    let wrong = store.incident_bulk(&target(3), &assign, draft("b")).await;
    assert!(matches!(wrong, Err(StoreError::Conflict(_))), "{wrong:?}");
    assert_eq!(store.incident_row(1).await.unwrap().assignee, None, "nothing was changed");
    let done = store.incident_bulk(&target(4), &assign, draft("b")).await.unwrap();
    assert_eq!(done.changed, [1, 2, 3, 4]);
    let suppress = BulkAction::Suppress { reason: "a test of ours".to_owned(), days: 5 };
    let done = store.incident_bulk(&target(4), &suppress, draft("b")).await.unwrap();
    let list = store.suppression_list().await.unwrap();
    assert_eq!(list.iter().filter(|s| s.is_in_force(world.now())).count(), 4);
    store.incident_undo(&done.undo.unwrap(), draft("u")).await.unwrap();
    let list = store.suppression_list().await.unwrap();
    assert_eq!(list.iter().filter(|s| s.is_in_force(world.now())).count(), 0);
}

fn scope(network: &str) -> SuppressionScope {
    SuppressionScope {
        family: Some(AttackFamily::Sqli),
        network: Some(network.to_owned()),
        ..SuppressionScope::default()
    }
}

async fn suppressed_findings_open_nothing_and_are_kept(world: World) {
    let store = &world.store;
    let new = |days| NewSuppression {
        scope: scope("198.51.100.0/24"),
        owner: "robin".to_owned(),
        reason: "our scanner".to_owned(),
        expires_at: world.now() + Duration::days(days),
    };
    for bad in [
        new(91),
        new(0),
        NewSuppression { owner: " ".to_owned(), ..new(5) },
        NewSuppression { scope: SuppressionScope::default(), ..new(5) },
    ] {
        let refused = store.suppression_add(&bad, draft("suppression_add")).await;
        assert!(matches!(refused, Err(StoreError::Validation(_))), "{bad:?}");
    }
    let made = store.suppression_add(&new(90), draft("suppression_add")).await.unwrap();
    let batch = events(9, world.now() - Duration::hours(1));
    let mut findings = Vec::new();
    for (n, (event, _)) in (0..).zip(&batch) {
        let source = if n < 6 { "198.51.100.9" } else { "203.0.113.9" };
        findings.push(finding(n, event, AttackFamily::Sqli, source));
    }
    let outcome = world.ingest(&batch, &findings).await;
    assert_eq!((outcome.findings, outcome.suppressed, outcome.opened.len()), (3, 6, 1));
    let again = world.ingest(&batch, &findings).await;
    assert_eq!((again.findings, again.suppressed), (0, 0), "a replay adds nothing");
    let listed = store.suppression_list().await.unwrap();
    assert_eq!((listed[0].hidden, listed[0].last_hidden), (6, Some(batch[5].0.at)), "counted");
    let page = store.suppressed_findings(made.id, None, 4).await.unwrap();
    let rest = store.suppressed_findings(made.id, page.next, 4).await.unwrap();
    let mut all: Vec<_> = page.rows.iter().chain(&rest.rows).map(|row| row.finding.clone()).collect();
    all.reverse();
    assert_eq!(all, findings[..6], "and listed, every one of them");
    assert!(rest.next.is_none());
    store.suppression_remove(made.id, draft("suppression_remove")).await.unwrap();
    let twice = store.suppression_remove(made.id, draft("suppression_remove")).await;
    assert!(matches!(twice, Err(StoreError::Precondition(_))), "{twice:?}");
    let later = event(60, world.now());
    let found = finding(60, &later, AttackFamily::Sqli, "198.51.100.9");
    let outcome = world.ingest(&[(later, "security:api:x:60".to_owned())], &[found]).await;
    assert_eq!(outcome.opened.len(), 1, "taken back, it hides no more");
    // One that has ended hides no more either.
    store.suppression_add(&new(1), draft("suppression_add")).await.unwrap();
    world.clock.advance(Duration::days(2));
    let later = event(61, world.now());
    let found = finding(61, &later, AttackFamily::Sqli, "198.51.100.8");
    assert_eq!(world.ingest(&[(later, "security:api:x:61".to_owned())], &[found]).await.opened.len(), 1);
}

async fn a_preview_tells_what_would_be_hidden(world: World) {
    let batch = events(20, world.now() - Duration::hours(1));
    let mut findings = Vec::new();
    for (n, (event, _)) in (0..).zip(&batch) {
        // Two incidents in the network, one of them with findings of a rule outside of the scope; one elsewhere.
        let source = ["198.51.100.1", "198.51.100.2", "203.0.113.1"][n as usize % 3];
        let mut one = finding(n, event, AttackFamily::Sqli, source);
        if n == 1 {
            one.rule_id = "wp.sqli.other".to_owned();
        }
        findings.push(one);
    }
    world.ingest(&batch, &findings).await;
    let wanted = SuppressionScope { rule: Some("wp.sqli.one".to_owned()), ..scope("198.51.100.0/24") };
    let from = world.now() - Duration::days(1);
    let preview = world.store.suppression_preview(&wanted, from).await.unwrap();
    assert_eq!((preview.findings, preview.findings_hidden), (20, 13), "7 of the first, 6 of the second");
    assert_eq!(
        (preview.incidents_hidden, preview.incidents_smaller, preview.true_positives_hidden),
        (1, 1, 0)
    );
    assert_eq!(preview.samples[0].entity, Entity::new(EntityKind::Ip, "198.51.100.1"));
    let number = preview.samples[0].number;
    change(&world, number, verdict(Verdict::TruePositive, None, "seen")).await.unwrap();
    let preview = world.store.suppression_preview(&wanted, from).await.unwrap();
    assert_eq!(preview.true_positives_hidden, 1, "a warning");
    let later = world.store.suppression_preview(&wanted, world.now()).await.unwrap();
    assert_eq!(later.findings, 0);
}

async fn steps_are_checked_once(world: World) {
    seed(&world, 1, AttackFamily::Sqli).await;
    let store = &world.store;
    let check = async |done, note| store.incident_step(1, ("span", "Read it"), done, note, draft("s")).await;
    check(true, Some("complete")).await.unwrap();
    assert!(matches!(check(true, None).await, Err(StoreError::Precondition(_))));
    let detail = store.incident_by_number(1).await.unwrap();
    assert_eq!(detail.checks.len(), 1);
    assert_eq!((detail.checks[0].by.as_str(), detail.checks[0].note.as_deref()), ("dana", Some("complete")));
    assert_eq!(detail.incident.acknowledged_at, Some(world.now()));
    check(false, None).await.unwrap();
    assert!(store.incident_by_number(1).await.unwrap().checks.is_empty());
    assert!(matches!(check(false, None).await, Err(StoreError::Precondition(_))));
}

async fn what_resembles_says_why(world: World) {
    let batch = events(6, world.now() - Duration::hours(1));
    let of = |n: usize, family, source: &str, rule: &str| {
        let mut one = finding(u32::try_from(n).unwrap(), &batch[n].0, family, source);
        one.rule_id = rule.to_owned();
        one
    };
    let findings = [
        of(0, AttackFamily::Sqli, "198.51.100.1", "a"),
        of(1, AttackFamily::Xss, "198.51.100.1", "b"),
        of(2, AttackFamily::Sqli, "198.51.100.77", "a"),
        of(3, AttackFamily::Xss, "203.0.113.1", "b"),
        of(4, AttackFamily::Cmdi, "198.51.101.1", "c"),
    ];
    for (n, one) in findings.iter().enumerate() {
        world.ingest(&batch[n..=n], std::slice::from_ref(one)).await;
    }
    let similar = world.store.incident_similar(1, 10).await.unwrap();
    let rows: Vec<(i64, u8)> = similar.iter().map(|row| (row.incident.number, row.score)).collect();
    assert_eq!(rows, [(3, 57), (2, 35)], "rule, endpoint and network before the same address alone");
    let why = |row: usize| similar[row].because.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(why(0), ["the same rule a", "the same attack on /search", "the same /24 network"]);
    assert_eq!(why(1), ["the same ip"]);
    assert_eq!(world.store.incident_similar(1, 1).await.unwrap().len(), 1);
}

async fn a_common_user_agent_alone_makes_nothing_similar(world: World) {
    // Eight with the browser of everybody, the second of them by the rule of the first; two with one tool.
    for n in 0..10_u32 {
        let mut event = event(n, world.now() - Duration::hours(1));
        let agent = if n < 8 { "Mozilla/5.0" } else { "tool/7" };
        let headers = [("user-agent".to_owned(), agent.to_owned())].into();
        event.http = Some(Http { headers, ..Http::default() });
        event.resource = Some(format!("/page/{n}"));
        let mut found = finding(n, &event, AttackFamily::Sqli, &format!("198.51.{n}.1"));
        found.rule_id = format!("rule {}", if n == 1 { 0 } else { n });
        world.ingest(&[(event, format!("security:api:agent:{n}"))], &[found]).await;
    }
    let rows = async |number: i64| {
        let similar = world.store.incident_similar(number, 10).await.unwrap();
        similar.iter().map(|row| (row.incident.number, row.score)).collect::<Vec<_>>()
    };
    assert_eq!(rows(1).await, [(2, 33)], "the rule, and then the agent too");
    assert!(rows(3).await.is_empty(), "nothing but what everybody has");
    assert_eq!(rows(9).await, [(10, 8)], "few have this one");
}

async fn rules_are_judged_by_verdicts(world: World) {
    seed(&world, 8, AttackFamily::Sqli).await;
    for number in 1..=4 {
        change(&world, number, verdict(Verdict::FalsePositive, Some(VerdictCause::BadPattern), ""))
            .await
            .unwrap();
    }
    let rule = async || world.store.rule_feedback().await.unwrap().remove(0);
    let four = rule().await;
    assert_eq!((four.incidents, four.false_positive, four.precision, four.advice), (8, 4, None, None));
    change(&world, 5, verdict(Verdict::TruePositive, None, "seen")).await.unwrap();
    let five = rule().await;
    assert_eq!((five.precision, five.advice), (Some(0.2), Some(RuleAdvice::Tune)));
    change(&world, 6, verdict(Verdict::Duplicate, Some(VerdictCause::SameSource), "")).await.unwrap();
    assert_eq!(rule().await.incidents, 7, "a duplicate says nothing of the rule");
    // Merged ones are judged with their target, as one.
    world.store.incident_merge(&[7], 8, "one", draft("m")).await.unwrap();
    change(&world, 8, verdict(Verdict::TruePositive, None, "seen")).await.unwrap();
    let merged = rule().await;
    assert_eq!((merged.incidents, merged.true_positive), (6, 2));
}
