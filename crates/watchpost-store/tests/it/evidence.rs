//! The named questions of the compliance frameworks, each on both engines.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::access::{Caller, Origin};
use watchpost_model::audit::{AuditDraft, Change, JOB_ENDED};
use watchpost_model::event::{Category, Outcome, Severity};
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceParams, EvidenceQuery};
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::EntryId;
use watchpost_model::incident::{Status, Verdict};
use watchpost_model::period::Period;
use watchpost_model::playbook::steps_of;
use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind};
use watchpost_model::sample;
use watchpost_store::{IncidentPatch, Signer, StoreError, VerifyPlan};

use crate::support::{World, both, caller, draft, events, finding};

both!(
    every_question_has_an_answer,
    the_register_is_judged,
    breaches_have_their_clock,
    samples_are_drawn_again,
    the_log_and_its_evidence_are_judged,
    shared_accounts_do_not_decide,
    feeds_and_rules_are_judged,
    entries_have_versions,
    charts_count_exactly,
);

pub(crate) const SEED: [u8; 32] = [9; 32];

pub(crate) fn entry(world: &World, kind: RegisterKind, subject: &str, opened: Duration) -> RegisterEntry {
    let opened_at = world.now() - opened;
    RegisterEntry {
        id: EntryId::at(opened_at),
        kind,
        subject: subject.to_owned(),
        opened_at,
        due_at: opened_at + kind.due_after(),
        closed_at: None,
        owner: "dana".to_owned(),
        approver: String::new(),
        result: EntryResult::Open,
        fields: Default::default(),
        note: String::new(),
        written_by: "dana".to_owned(),
        written_at: opened_at,
        version: 1,
    }
}

pub(crate) fn good(mut entry: RegisterEntry, after: Duration) -> RegisterEntry {
    entry.closed_at = Some(entry.opened_at + after);
    entry.result = EntryResult::Good;
    entry
}

pub(crate) fn with(mut entry: RegisterEntry, facts: &[(&str, &str)]) -> RegisterEntry {
    entry.fields.extend(facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    entry
}

pub(crate) async fn put(world: &World, entries: impl IntoIterator<Item = RegisterEntry>) {
    for entry in entries {
        world.store.register_put(&entry, draft("register_add")).await.unwrap();
    }
}

fn month(now: DateTime<Utc>) -> Period {
    Period::new(now - Duration::days(30), now + Duration::hours(1)).unwrap()
}

/// Parameters that suit every question.
pub(crate) fn params(kind: RegisterKind) -> EvidenceParams {
    EvidenceParams {
        kind: Some(kind),
        field: Some("change".to_owned()),
        good_within: Some("2d".parse().unwrap()),
        warn_within: Some("5d".parse().unwrap()),
        minimum: Some(10),
        ..EvidenceParams::default()
    }
}

pub(crate) async fn ask(world: &World, query: EvidenceQuery, params: EvidenceParams) -> EvidenceAnswer {
    let ask = EvidenceAsk { query, params };
    let answer = world.store.evidence(&ask, month(world.now()), world.now(), &SEED).await.unwrap();
    assert!(answer.exceptions + answer.warnings <= answer.population, "{query}: {answer:?}");
    assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()), "{query}: {answer:?}");
    assert!(answer.sample.rows.iter().all(|row| row.len() == answer.sample.columns.len()), "{query}");
    assert_eq!(answer.sample.rows.len(), answer.sample.positions.len(), "{query}: {answer:?}");
    assert!(!answer.basis.is_empty() && answer.text.contains("SELECT"), "{query} says what it asked");
    answer
}

pub(crate) fn counts(answer: &EvidenceAnswer) -> (u64, u64, u64) {
    (answer.population, answer.warnings, answer.exceptions)
}

async fn every_question_has_an_answer(world: World) {
    let families = EvidenceParams { families: vec![AttackFamily::Sqli], ..params(RegisterKind::Backup) };
    for query in EvidenceQuery::ALL {
        let empty = ask(&world, *query, families.clone()).await;
        assert!(empty.exceptions == 0 || empty.population > 0, "{query} on an empty database: {empty:?}");
    }
    let batch = events(40, world.now() - Duration::hours(3));
    let hits: Vec<_> =
        (0..3).map(|n| finding(n, &batch[n as usize].0, AttackFamily::Sqli, "198.51.100.1")).collect();
    world.ingest(&batch, &hits).await;
    put(&world, [good(entry(&world, RegisterKind::Backup, "db", Duration::days(1)), Duration::hours(1))])
        .await;
    for query in EvidenceQuery::ALL {
        let narrow = EvidenceParams {
            category: Some(Category::ApiUsage),
            severity_min: Some(Severity::Low),
            permission: Some(watchpost_model::access::Permission::Triage),
            ..families.clone()
        };
        ask(&world, *query, families.clone()).await;
        ask(&world, *query, narrow).await;
        let bare = EvidenceAsk::from(*query);
        let found = world.store.evidence(&bare, month(world.now()), world.now(), &SEED).await;
        match bare.check() {
            Ok(()) => drop(found.unwrap()),
            Err(name) => {
                let refused = found.unwrap_err();
                assert!(
                    matches!(&refused, StoreError::Validation(text) if text.contains(name)),
                    "{query}: {refused}"
                );
            }
        }
    }
}

async fn the_register_is_judged(world: World) {
    use RegisterKind as K;
    let days = Duration::days;
    let of = |kind, subject: &str, opened| entry(&world, kind, subject, opened);
    put(
        &world,
        [
            good(of(K::Leaver, "account/a", days(9)), Duration::hours(3)),
            good(of(K::Leaver, "account/b", days(8)), days(4)),
            good(of(K::Leaver, "account/c", days(12)), days(6)),
            of(K::Leaver, "account/d", Duration::hours(5)),
            RegisterEntry { approver: "kim".to_owned(), ..of(K::Change, "rule/1", days(2)) },
            RegisterEntry { approver: "DANA ".to_owned(), ..of(K::Change, "rule/2", days(2)) },
            with(of(K::Change, "rule/3", days(1)), &[("test", "tried"), ("change", "rule 3")]),
            good(of(K::RestoreTest, "db", days(4)), Duration::hours(1)),
            RegisterEntry {
                result: EntryResult::Bad,
                ..good(of(K::RestoreTest, "db", days(1)), Duration::hours(1))
            },
            good(of(K::Playbook, "a", days(1)), Duration::hours(1)),
            good(of(K::Playbook, "b", days(4)), Duration::hours(1)),
            good(of(K::Playbook, "c", days(9)), Duration::hours(1)),
            good(of(K::Playbook, "c", days(20)), Duration::hours(1)),
            of(K::SubjectRequest, "account/x", days(40)),
            of(K::SubjectRequest, "account/y", days(29)),
            of(K::SubjectRequest, "account/z", days(3)),
        ],
    )
    .await;
    for (query, kind, expect) in [
        (EvidenceQuery::RegisterClosed, K::Leaver, (4, 1, 1)),
        (EvidenceQuery::RegisterTimely, K::Leaver, (4, 2, 1)),
        (EvidenceQuery::RegisterApproved, K::Change, (3, 0, 2)),
        (EvidenceQuery::RegisterComplete, K::Change, (3, 2, 0)),
        (EvidenceQuery::RegisterField, K::Change, (3, 0, 2)),
        (EvidenceQuery::RegisterGood, K::RestoreTest, (2, 0, 1)),
        (EvidenceQuery::RegisterFresh, K::RestoreTest, (1, 1, 0)),
        (EvidenceQuery::RegisterFresh, K::Playbook, (3, 1, 1)),
        (EvidenceQuery::RegisterFresh, K::Exercise, (0, 0, 0)),
        (EvidenceQuery::RegisterCurrent, K::Playbook, (3, 1, 1)),
        (EvidenceQuery::RegisterCurrent, K::RestoreTest, (1, 0, 1)),
        (EvidenceQuery::RegisterTimely, K::SubjectRequest, (3, 1, 1)),
        (EvidenceQuery::RegisterGaps, K::Playbook, (4, 2, 1)),
    ] {
        let answer = ask(&world, query, params(kind)).await;
        assert_eq!(counts(&answer), expect, "{query} {kind}: {answer:?}");
    }
    let strict = EvidenceParams { warn_within: None, ..params(K::Leaver) };
    let late = ask(&world, EvidenceQuery::RegisterTimely, strict).await;
    assert_eq!(counts(&late), (4, 1, 2), "any delay is one: {late:?}");
    // What was written later about the past says when.
    let backdated =
        RegisterEntry { written_at: world.now(), ..entry(&world, K::Baseline, "db", Duration::days(4)) };
    put(&world, [backdated]).await;
    let answer = ask(&world, EvidenceQuery::RegisterTimely, params(K::Baseline)).await;
    let cell = |name: &str| {
        let place = answer.columns.iter().position(|column| column == name).expect("a column");
        answer.rows[0][place].clone()
    };
    let told = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(cell("opened"), told(world.now() - Duration::days(4)));
    assert_eq!(cell("recorded"), told(world.now()));
    let daily = ask(&world, EvidenceQuery::RegisterDaily, params(K::Playbook)).await;
    assert_eq!(daily.population - daily.exceptions, 4, "four days have one: {daily:?}");
}

async fn breaches_have_their_clock(world: World) {
    let batch = events(20, world.now() - Duration::hours(3));
    let hits: Vec<_> = (0..4)
        .map(|n| finding(n, &batch[n as usize].0, AttackFamily::DataLeak, &format!("198.51.100.{n}")))
        .collect();
    let opened = world.ingest(&batch, &hits).await.opened;
    for incident in &opened[..3] {
        let patch = IncidentPatch {
            status: Some(Status::Resolved),
            verdict: Some((Verdict::TruePositive, "seen".into())),
            assignee: Some(Some("dana".into())),
            ..IncidentPatch::default()
        };
        world.store.incident_change(incident.id, 1, patch, draft("incident_resolve")).await.unwrap();
    }
    world.clock.advance(Duration::days(6));
    let breach = |n: usize, hours: i64, facts: &[(&str, &str)]| {
        let subject = format!("incident/{}", opened[n].number);
        with(entry(&world, RegisterKind::Breach, &subject, Duration::hours(hours)), facts)
    };
    let notifiable = ("decision", "notifiable");
    put(
        &world,
        [
            breach(0, 10, &[notifiable, ("risk", "high")]),
            breach(1, 60, &[notifiable, ("risk", "High "), ("told_at", "2026-01-02")]),
            breach(1, 80, &[notifiable]),
            good(
                with(entry(&world, RegisterKind::Breach, "laptop/7", Duration::hours(140)), &[notifiable]),
                Duration::hours(90),
            ),
            entry(&world, RegisterKind::Breach, "laptop/8", Duration::hours(73)),
            with(
                entry(&world, RegisterKind::Breach, "laptop/9", Duration::hours(73)),
                &[("decision", "not_notifiable")],
            ),
            good(breach(2, 140, &[notifiable, ("delay_reason", "phased")]), Duration::hours(90)),
            breach(2, 100, &[("decision", "no_personal_data"), ("risk", "high")]),
        ],
    )
    .await;
    let one_day =
        EvidenceParams { good_within: Some("24h".parse().unwrap()), ..params(RegisterKind::Breach) };
    let clock = ask(&world, EvidenceQuery::BreachClock, one_day).await;
    // In time; over it since the earlier of two entries; late without and with a reason; undecided and over it. Whoever
    // decided against it is not among them.
    assert_eq!(counts(&clock), (5, 1, 3), "{clock:?}");
    let told = ask(&world, EvidenceQuery::BreachTold, params(RegisterKind::Breach)).await;
    assert_eq!(counts(&told), (3, 1, 1), "{told:?}");
    let decided = ask(&world, EvidenceQuery::BreachDecided, params(RegisterKind::Breach)).await;
    assert_eq!(counts(&decided), (3, 0, 0), "{decided:?}");
    let leaks = ask(&world, EvidenceQuery::SensitiveData, params(RegisterKind::Breach)).await;
    assert_eq!(counts(&leaks), (20, 0, 1), "one was never handled: {leaks:?}");
    let confirmed = ask(&world, EvidenceQuery::IncidentsConfirmedOpen, EvidenceParams::default()).await;
    assert_eq!(counts(&confirmed), (4, 3, 0), "{confirmed:?}");
    let reviewed = ask(&world, EvidenceQuery::IncidentsReviewed, params(RegisterKind::Breach)).await;
    assert_eq!(counts(&reviewed), (3, 0, 3), "nobody reviewed: {reviewed:?}");
    let subject = format!("incident/{}", opened[0].number);
    put(
        &world,
        [good(entry(&world, RegisterKind::IncidentReview, &subject, Duration::days(5)), Duration::hours(2))],
    )
    .await;
    let reviewed = ask(&world, EvidenceQuery::IncidentsReviewed, params(RegisterKind::Breach)).await;
    assert_eq!(counts(&reviewed), (3, 0, 2), "one is: {reviewed:?}");
    let complete = ask(&world, EvidenceQuery::IncidentsComplete, EvidenceParams::default()).await;
    assert_eq!(counts(&complete), (3, 0, 0), "{complete:?}");
    let wrong = ask(&world, EvidenceQuery::FalsePositives, EvidenceParams::default()).await;
    assert_eq!(counts(&wrong), (3, 0, 0), "{wrong:?}");
    playbooks_count_by_their_steps(&world, opened[0].number).await;
}

async fn playbooks_count_by_their_steps(world: &World, number: i64) {
    let followed = async || ask(world, EvidenceQuery::PlaybooksFollowed, EvidenceParams::default()).await;
    let none = followed().await;
    assert_eq!(counts(&none), (3, 0, 3), "nobody did anything: {none:?}");
    for n in 0..steps_of(AttackFamily::DataLeak) {
        assert_eq!(counts(&followed().await), (3, 0, 3), "{n} steps are not all");
        let step = format!("step-{n}");
        world
            .store
            .incident_step(number, (step.as_str(), "A step"), true, None, draft("incident_step"))
            .await
            .unwrap();
    }
    let one = followed().await;
    assert_eq!(counts(&one), (3, 0, 2), "{one:?}");
}

async fn samples_are_drawn_again(world: World) {
    world.ingest(&events(600, world.now() - Duration::hours(10)), &[]).await;
    let query = EvidenceQuery::EventsNamed;
    let answer = ask(&world, query, EvidenceParams::default()).await;
    assert_eq!(counts(&answer), (600, 0, 0));
    assert_eq!(answer.sample.positions, sample::draw(&SEED, 600), "what the seed draws");
    let mut all = Vec::new();
    let filter = watchpost_store::EventFilter::default();
    let mut before = None;
    loop {
        let page = world.store.event_page(&filter, before, 500).await.unwrap();
        all.extend(page.rows.iter().map(|event| event.id.to_string()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    all.reverse();
    let drawn: Vec<&String> = answer.sample.rows.iter().map(|row| &row[1]).collect();
    let expected: Vec<&String> =
        answer.sample.positions.iter().map(|at| &all[usize::try_from(*at).unwrap()]).collect();
    assert_eq!(drawn, expected, "the members at these places in the order of time");
    let ask = EvidenceAsk::from(query);
    let other = world.store.evidence(&ask, month(world.now()), world.now(), &[8; 32]).await.unwrap();
    assert_ne!(other.sample.positions, answer.sample.positions, "another seed, another sample");
}

async fn the_log_and_its_evidence_are_judged(world: World) {
    let batch = events(10, world.now() - Duration::hours(1));
    world.ingest(&batch, &[finding(0, &batch[0].0, AttackFamily::Xss, "198.51.100.1")]).await;
    let none = ask(&world, EvidenceQuery::AuditSigned, params(RegisterKind::Backup)).await;
    assert_eq!(none.exceptions + none.warnings, 0, "nothing is old enough yet: {none:?}");
    let mut admin = draft("settings_put");
    admin.permission = watchpost_model::access::Permission::Admin;
    admin.reason = None;
    world.store.audit_append(admin.clone()).await.unwrap();
    admin.reason = Some("asked by the board".to_owned());
    world.store.audit_append(admin).await.unwrap();
    let explained = EvidenceParams {
        permission: Some(watchpost_model::access::Permission::Admin),
        ..EvidenceParams::default()
    };
    assert_eq!(counts(&ask(&world, EvidenceQuery::AuditExplained, explained).await), (2, 0, 1));
    only_reasons_of_people_count(&world).await;
    assert_eq!(
        counts(&ask(&world, EvidenceQuery::AdminsApproved, EvidenceParams::default()).await),
        (1, 0, 1)
    );
    let approved = RegisterEntry {
        approver: "kim".to_owned(),
        ..entry(&world, RegisterKind::PrivilegedAccount, "account/dana", Duration::days(9))
    };
    put(&world, [approved]).await;
    assert_eq!(
        counts(&ask(&world, EvidenceQuery::AdminsApproved, EvidenceParams::default()).await),
        (1, 0, 0)
    );
    let sealed = ask(&world, EvidenceQuery::PayloadsSealed, EvidenceParams::default()).await;
    assert!(sealed.population > 2 && sealed.exceptions == 0, "{sealed:?}");
    let whole = ask(&world, EvidenceQuery::AuditComplete, EvidenceParams::default()).await;
    assert!(whole.population > 2 && whole.exceptions == 0, "{whole:?}");
    world.clock.advance(Duration::days(3));
    world.store.set_signer(Signer::from_seed(&[3; 32], "watchpost/desk").unwrap()).await.unwrap();
    assert!(
        world.store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap().ok
    );
    world.clock.advance(Duration::minutes(1));
    if !world.is_postgres() {
        // The clock of PostgreSQL is its own; there the records are as old as the test.
        let late = ask(&world, EvidenceQuery::AuditSigned, params(RegisterKind::Backup)).await;
        assert!(late.warnings > 0 && late.exceptions == 0, "signed after three days: {late:?}");
    }
    let fresh = ask(&world, EvidenceQuery::AuditVerificationFresh, params(RegisterKind::Backup)).await;
    assert_eq!(fresh.population, 1, "{fresh:?}");
    let rights = ask(&world, EvidenceQuery::AuditProtected, EvidenceParams::default()).await;
    assert_eq!(counts(&rights), (4, 4, 0), "only the owner: {rights:?}");
    if world.is_postgres() {
        world.tamper("GRANT TRUNCATE ON audit_leaf_first TO PUBLIC").await;
        let rights = ask(&world, EvidenceQuery::AuditProtected, EvidenceParams::default()).await;
        assert_eq!(counts(&rights), (4, 3, 1), "a part of the log is the log: {rights:?}");
        world.tamper("REVOKE TRUNCATE ON audit_leaf_first FROM PUBLIC").await;
        world.tamper("GRANT UPDATE ON audit_leaf TO PUBLIC").await;
        let rights = ask(&world, EvidenceQuery::AuditProtected, EvidenceParams::default()).await;
        assert_eq!(counts(&rights), (4, 3, 1), "everybody may change a table: {rights:?}");
    }
    assert_eq!(
        counts(&ask(&world, EvidenceQuery::EvidenceIntact, EvidenceParams::default()).await),
        (1, 0, 0)
    );
    world.tamper("UPDATE evidence SET body = '{}'").await;
    let changed = ask(&world, EvidenceQuery::EvidenceIntact, EvidenceParams::default()).await;
    assert_eq!(counts(&changed), (1, 0, 1), "changed evidence is found: {changed:?}");
    world.tamper("UPDATE audit_payload SET sealed = nonce WHERE seq = 0").await;
    world.tamper("DELETE FROM audit_leaf WHERE seq = 1").await;
    let gap = ask(&world, EvidenceQuery::AuditComplete, EvidenceParams::default()).await;
    assert!(gap.exceptions > 0, "a removed record is found: {gap:?}");
}

async fn only_reasons_of_people_count(world: &World) {
    let maintain = watchpost_model::access::Permission::Maintain;
    let asked = EvidenceParams { permission: Some(maintain), ..EvidenceParams::default() };
    let ended = Change::new(JOB_ENDED, serde_json::Value::Null, "done");
    let job = |action: &str, changes: Vec<Change>, reason: &str, origin| AuditDraft {
        caller: Caller { origin, ..caller("dana") },
        object: "job/7".to_owned(),
        permission: maintain,
        changes,
        reason: Some(reason.to_owned()),
        ..draft(action)
    };
    let run = "retention_run";
    let cases = [
        (job(run, Vec::new(), "removed 700", Origin::Cli), (1, 0, 1), "figures are no reason"),
        (job(run, vec![ended], "the disk is full", Origin::Cli), (2, 0, 1), "what a person said is one"),
        (job("job_cancel", Vec::new(), "", Origin::Cli), (2, 0, 1), "a stop decides nothing"),
        (job(run, Vec::new(), "daily at 03:00", Origin::Schedule), (2, 0, 1), "a schedule neither"),
        (job(run, Vec::new(), "the policy", Origin::Engine), (2, 0, 1), "nor the engine"),
    ];
    for (record, expected, why) in cases {
        world.store.audit_append(record).await.unwrap();
        let answer = ask(world, EvidenceQuery::AuditExplained, asked.clone()).await;
        assert_eq!(counts(&answer), expected, "{why}: {answer:?}");
    }
}

async fn shared_accounts_do_not_decide(world: World) {
    let acts = |name: &'static str| AuditDraft {
        caller: caller(name),
        permission: watchpost_model::access::Permission::Admin,
        ..draft("settings_put")
    };
    let asked = async || counts(&ask(&world, EvidenceQuery::ActorsPersonal, EvidenceParams::default()).await);
    world.store.audit_append(acts("dana")).await.unwrap();
    world.store.audit_append(draft("incident_take")).await.unwrap();
    assert_eq!(asked().await, (1, 0, 0));
    for name in ["root", "Admin", "shared"] {
        world.store.audit_append(acts(name)).await.unwrap();
    }
    assert_eq!(asked().await, (4, 0, 3));
    put(&world, [entry(&world, RegisterKind::Exception, "account/root", Duration::hours(1))]).await;
    assert_eq!(asked().await, (4, 1, 2), "one is excused for now");
    let reports = EvidenceParams {
        permission: Some(watchpost_model::access::Permission::Report),
        ..EvidenceParams::default()
    };
    assert_eq!(counts(&ask(&world, EvidenceQuery::ActorsPersonal, reports).await), (0, 0, 0));
}

async fn feeds_and_rules_are_judged(world: World) {
    let now = world.now();
    let mut batch = events(48, now - Duration::hours(48));
    for (n, (event, _)) in (0_i64..).zip(batch.iter_mut()) {
        event.at = now - Duration::hours(48 - n);
        event.category = if n < 30 { Category::Authentication } else { Category::DataAccess };
        event.outcome = if n == 3 { Outcome::Unknown } else { Outcome::Success };
        event.actor = Some(if n < 4 { "admin".to_owned() } else { format!("user{n}") });
    }
    world.ingest(&batch, &[finding(0, &batch[0].0, AttackFamily::Xss, "198.51.100.1")]).await;
    let none = EvidenceParams::default;
    let quiet = EvidenceParams {
        good_within: Some("2h".parse().unwrap()),
        warn_within: Some("12h".parse().unwrap()),
        ..none()
    };
    let silent = ask(&world, EvidenceQuery::FeedSilence, quiet.clone()).await;
    assert_eq!(counts(&silent), (2, 0, 1), "authentication fell silent 18 hours ago: {silent:?}");
    let reporting = ask(&world, EvidenceQuery::CategoriesReporting, none()).await;
    assert_eq!(counts(&reporting), (5, 0, 3), "{reporting:?}");
    let excused = RegisterEntry {
        due_at: now + Duration::days(30),
        ..entry(&world, RegisterKind::Exception, "category/configuration", Duration::days(3))
    };
    let shared = RegisterEntry {
        due_at: now + Duration::days(30),
        ..entry(&world, RegisterKind::Exception, "account/admin", Duration::days(3))
    };
    assert_eq!(counts(&ask(&world, EvidenceQuery::AccountsPersonal, none()).await), (27, 0, 1));
    put(&world, [excused, shared]).await;
    assert_eq!(counts(&ask(&world, EvidenceQuery::AccountsPersonal, none()).await), (27, 1, 0));
    assert_eq!(counts(&ask(&world, EvidenceQuery::CategoriesReporting, none()).await), (5, 1, 2));
    let nights = entry(&world, RegisterKind::Exception, "category/authentication", Duration::days(3));
    put(&world, [nights]).await;
    let silent = ask(&world, EvidenceQuery::FeedSilence, quiet).await;
    assert_eq!(counts(&silent), (2, 1, 0), "its quiet hours are known: {silent:?}");
    assert_eq!(counts(&ask(&world, EvidenceQuery::FailuresReported, none()).await), (1, 0, 1));
    let test = entry(&world, RegisterKind::TestEvent, "category/authentication", Duration::days(1));
    put(
        &world,
        [
            test,
            good(
                entry(&world, RegisterKind::TestEvent, "family/sqli", Duration::days(3)),
                Duration::hours(1),
            ),
        ],
    )
    .await;
    assert_eq!(counts(&ask(&world, EvidenceQuery::FailuresReported, none()).await), (1, 0, 0));
    let families = EvidenceParams {
        families: vec![AttackFamily::Xss, AttackFamily::Sqli, AttackFamily::Cmdi],
        good_within: Some("2d".parse().unwrap()),
        warn_within: Some("5d".parse().unwrap()),
        ..none()
    };
    let fired = ask(&world, EvidenceQuery::RulesFired, families).await;
    assert_eq!(counts(&fired), (3, 1, 1), "fired, tested three days ago, neither: {fired:?}");
    let complete = ask(&world, EvidenceQuery::EventsComplete, none()).await;
    assert_eq!(counts(&complete), (48, 0, 1), "{complete:?}");
    let registered = EvidenceParams { kind: Some(RegisterKind::DataClass), ..none() };
    assert_eq!(counts(&ask(&world, EvidenceQuery::CategoriesRegistered, registered).await), (2, 0, 2));
    let policy = EvidenceParams { minimum: Some(365), ..none() };
    assert_eq!(counts(&ask(&world, EvidenceQuery::RetentionPolicy, policy).await), (5, 0, 2));
    world
        .tamper("UPDATE event SET stored_at = stored_at - 8208000000000 WHERE category = 'authentication'")
        .await;
    let over = ask(&world, EvidenceQuery::RetentionLimits, params(RegisterKind::Backup)).await;
    assert_eq!(counts(&over), (5, 1, 0), "95 days back with a limit of 90 and five of grace: {over:?}");
    world
        .tamper("UPDATE event SET stored_at = stored_at - 86400000000 WHERE category = 'authentication'")
        .await;
    let over = ask(&world, EvidenceQuery::RetentionLimits, params(RegisterKind::Backup)).await;
    assert_eq!(over.exceptions, 1, "{over:?}");
}

async fn entries_have_versions(world: World) {
    let store = &world.store;
    let first = entry(&world, RegisterKind::AccessReview, "all", Duration::days(1));
    store.register_put(&first, draft("register_add")).await.unwrap();
    let second = with(RegisterEntry { version: 2, ..first.clone() }, &[("scope", "all accounts")]);
    store.register_put(&second, draft("register_change")).await.unwrap();
    let stale = store.register_put(&second, draft("register_change")).await.unwrap_err();
    assert!(matches!(stale, StoreError::Conflict(_)), "{stale}");
    let nothing = RegisterEntry { id: EntryId::at(world.now()), version: 2, ..first.clone() };
    let missing = store.register_put(&nothing, draft("register_change")).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound(_)), "{missing}");
    let long =
        with(RegisterEntry { id: EntryId::at(world.now()), ..first.clone() }, &[("x", &"y".repeat(5_000))]);
    let refused = store.register_put(&long, draft("register_add")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Validation(_)), "{refused}");
    assert_eq!(store.register_entry(first.id).await.unwrap(), second);
    assert_eq!(store.register_entries(None, Some("all"), 10).await.unwrap(), std::slice::from_ref(&second));
    assert!(store.register_entries(Some(RegisterKind::Breach), None, 10).await.unwrap().is_empty());
    let trail = store.audit_page(&watchpost_model::audit::AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!(trail[0].object, format!("register/access_review/{}", first.id));
    assert_eq!(trail[0].changes.len(), 1, "only the facts changed: {:?}", trail[0].changes);
}

async fn charts_count_exactly(world: World) {
    let start: DateTime<Utc> = "2026-03-02T00:00:00Z".parse().unwrap();
    let mut batch = events(300, start);
    for (n, (event, _)) in (0_i64..).zip(batch.iter_mut()) {
        event.at = start + Duration::minutes(n * 13 + 7);
    }
    world.ingest(&batch, &[]).await;
    for (from, to) in [(0, 300 * 13 + 8), (7, 8), (8, 1_000), (121, 3_333), (0, 60 * 24 * 90)] {
        let period = Period::new(start + Duration::minutes(from), start + Duration::minutes(to)).unwrap();
        let charts = world.store.report_charts(period, world.now()).await.unwrap();
        let inside = batch.iter().filter(|(event, _)| period.contains(event.at)).count() as u64;
        let total: u64 = charts.by_category.series.iter().flat_map(|series| &series.counts).sum();
        assert_eq!(total, inside, "{period:?}");
        assert_eq!(charts.by_hour.iter().flatten().sum::<u64>(), inside, "{period:?}");
        let bars = charts.by_category.series[0].counts.len();
        assert!((1..=63).contains(&bars), "{bars} bars for {period:?}");
        let round = charts.by_category.bucket_s.min(86_400);
        assert_eq!(
            charts.by_category.start.timestamp() % i64::try_from(round).unwrap(),
            0,
            "bars begin at round times"
        );
    }
    let monday = Period::new(start, start + Duration::days(1)).unwrap();
    let hours = world.store.report_charts(monday, world.now()).await.unwrap().by_hour;
    assert_eq!(hours[0].iter().sum::<u64>(), 111, "2 March 2026 is a Monday: {hours:?}");
}
