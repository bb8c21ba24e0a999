//! What people change leaves a record in the same transaction, also when they do it with SQL and not with Watchpost; and
//! what does not fit the records is found.

use chrono::Duration;
use watchpost_model::audit::{AuditDraft, AuditFilter};
use watchpost_model::event::Category;
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::JobId;
use watchpost_model::job::{JobKind, JobProgress, JobRun, JobState};
use watchpost_model::privacy::{LegalHold, Subject, SubjectKind};
use watchpost_store::{IngestBatch, Store, StoreError, VerifyPlan};

use crate::roles::{Team, connect, holds, looked, refused};
use crate::support::{World, both, caller, draft, events, finding, of_hold};

const PEOPLE: [&str; 5] = ["viewer", "analyst", "lead", "auditor", "admin"];

/// Every one of these finds a row.
const CHANGES: [&str; 29] = [
    "DELETE FROM evidence",
    "DELETE FROM finding",
    "DELETE FROM block",
    "DELETE FROM incident",
    "DELETE FROM incident_timeline",
    "DELETE FROM suppression",
    "DELETE FROM response_action",
    "DELETE FROM report",
    "DELETE FROM register_entry",
    "DELETE FROM legal_hold",
    "DELETE FROM rollup",
    "DELETE FROM job_run",
    "DELETE FROM setting",
    "DELETE FROM incident_note",
    "DELETE FROM event",
    "UPDATE evidence SET incident_id = incident_id",
    "UPDATE finding SET rule_id = rule_id",
    "UPDATE incident SET title = 'nothing'",
    "UPDATE incident_note SET text = 'nothing'",
    "UPDATE legal_hold SET released_at = 1",
    "UPDATE legal_hold SET value = 'somebody else'",
    "UPDATE rollup SET n = 0",
    "UPDATE event SET stored_at = 0",
    "UPDATE setting SET value = '2'",
    "INSERT INTO legal_hold (id, kind, value, reason, owner, placed_at, placed_by) \
     VALUES ('x', 'user', 'x', 'x', 'x', 0, 'x')",
    "INSERT INTO job_run (id, kind, state, started_at, owner, seen_at, body) \
     VALUES ('x', 'retention', 'running', 0, 'x', 0, '{}')",
    // Records of nothing are no records, and neither is a table of one's own with their name.
    "BEGIN; UPDATE incident SET title = 'nothing'; SELECT watchpost_audit_append('[]'); COMMIT",
    "BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE incident SET title = 'nothing'; \
     SELECT 1 FROM watchpost_audit_head('x'); COMMIT",
    "BEGIN; CREATE TEMP TABLE audit_head AS SELECT * FROM public.audit_head; \
     CREATE TEMP TABLE audit_record AS SELECT * FROM public.audit_record; \
     UPDATE incident SET title = 'nothing'; COMMIT",
];

fn anna() -> Subject {
    Subject::new(SubjectKind::User, "anna").unwrap()
}

async fn place(store: &Store, by: &str) -> Result<LegalHold, StoreError> {
    store.hold_add(&anna(), "case 7", "legal", by, |hold| of_hold("hold_add", &hold.id)).await
}

async fn release(store: &Store, hold: &LegalHold, by: &str) -> Result<LegalHold, StoreError> {
    store.hold_release(&hold.id, by, "closed", of_hold("hold_release", &hold.id)).await
}

async fn open(team: &Team, role: &str) -> Store {
    Store::open(&team.target(role), team.world.clock.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_sql_of_people_changes_nothing_without_a_record() {
    let Some(team) = Team::new().await else { return };
    let now = team.world.now();
    let (analyst, lead, admin) =
        (open(&team, "analyst").await, open(&team, "lead").await, open(&team, "admin").await);
    // The engine takes in without records, as ever.
    let engine = open(&team, "engine").await;
    let batch = events(5, now);
    let found = finding(1, &batch.first().unwrap().0, AttackFamily::Sqli, "198.51.100.9");
    let taken = engine.ingest(IngestBatch { events: &batch, findings: &[found], now }).await.unwrap();
    // And people do their work through Watchpost, as ever.
    let incident = taken.opened.first().unwrap();
    analyst.note_add(incident.id, "seen", "dana", draft("incident_note")).await.unwrap();
    admin.setting_put("test", None, &serde_json::json!(1), draft("settings_put")).await.unwrap();
    place(&lead, "dana").await.unwrap();

    for role in PEOPLE {
        let store = open(&team, role).await;
        store.audit_append(looked("event_export")).await.unwrap();
        let mut person = connect(&team.target(role)).await;
        for sql in CHANGES {
            assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{role}: {sql}");
            assert_eq!(refused(&mut person, "ROLLBACK").await, None, "{role}: {sql}");
        }
        store.close().await;
    }
    assert_eq!(team.world.store.incident_row(incident.number).await.unwrap().title, incident.title);
    assert_eq!(team.world.store.setting_get("test").await.unwrap(), Some(serde_json::json!(1)));
    holds(&team.world.store).await;
    for store in [analyst, lead, admin, engine] {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_placed_a_hold_does_not_release_it_whatever_the_name() {
    let Some(team) = Team::new().await else { return };
    let (lead, admin) = (open(&team, "lead").await, open(&team, "admin").await);
    let hold = place(&lead, "dana").await.unwrap();
    let own = release(&lead, &hold, "robin").await;
    assert!(matches!(own, Err(StoreError::Denied(_))), "{own:?}");
    let unnamed = admin.hold_release(&hold.id, "robin", "closed", draft("hold_release")).await;
    assert!(matches!(unnamed, Err(StoreError::Denied(_))), "its record names it: {unnamed:?}");
    release(&admin, &hold, "robin").await.expect("a second login may");
    let mut person = connect(&team.target("admin")).await;
    for sql in ["UPDATE legal_hold SET released_at = NULL", "UPDATE legal_hold SET released_by = 'dana'"] {
        assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{sql}");
    }
    lead.close().await;
    admin.close().await;
    holds(&team.world.store).await;
}

fn run(world: &World, state: JobState) -> JobRun {
    JobRun {
        id: JobId::at(world.now()),
        kind: JobKind::Retention,
        state,
        parameters: "days 7".to_owned(),
        started_by: "dana".to_owned(),
        started_at: world.now(),
        ended_at: None,
        progress: JobProgress { done: 0, total: None, unit: "keys".into(), step: "archiving".into() },
        report: None,
        error: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_archive_is_changed_by_jobs_whose_start_is_recorded() {
    let Some(team) = Team::new().await else { return };
    let (now, batch) = (team.world.now(), events(5, team.world.now()));
    team.world.ingest(&batch, &[]).await;
    let (lead, admin) = (open(&team, "lead").await, open(&team, "admin").await);
    let cutoff = now - Duration::days(400);
    let prune = async |store: &Store| store.archive_prune(Category::ApiUsage, cutoff, 10).await;
    let denied = |result: Result<u64, StoreError>| matches!(result, Err(StoreError::Denied(_)));
    assert!(denied(prune(&lead).await), "no job runs");

    let job = run(&team.world, JobState::Running);
    let record = || Some(AuditDraft { object: format!("job/{}", job.id), ..draft("retention_run") });
    let silent = lead.job_run_put(&job, None).await;
    assert!(matches!(silent, Err(StoreError::Denied(_))), "a job begins with a record: {silent:?}");
    lead.job_run_put(&job, record()).await.unwrap();
    prune(&lead).await.expect("its job runs");
    lead.archive_upsert(&batch, None).await.expect("its job runs");
    assert!(denied(prune(&admin).await), "the job is of another login");
    let done = JobRun { state: JobState::Done, ended_at: Some(now), ..job.clone() };
    lead.job_run_put(&done, record()).await.unwrap();
    assert!(denied(prune(&lead).await), "the job is over");
    let silent = lead.job_run_put(&job, None).await;
    assert!(matches!(silent, Err(StoreError::Denied(_))), "and does not begin again: {silent:?}");
    lead.close().await;
    admin.close().await;
    holds(&team.world.store).await;
}

both!(holds_are_held_against_the_trail);

async fn holds_are_held_against_the_trail(world: World) {
    let (first, second) =
        (place(&world.store, "dana").await.unwrap(), place(&world.store, "dana").await.unwrap());
    release(&world.store, &second, "robin").await.unwrap();
    holds(&world.store).await;
    for (id, sql, back) in [
        (
            &first.id,
            "UPDATE legal_hold SET released_at = 1",
            Some("UPDATE legal_hold SET released_at = NULL"),
        ),
        (
            &second.id,
            "UPDATE legal_hold SET released_at = NULL",
            Some("UPDATE legal_hold SET released_at = 1"),
        ),
        (
            &first.id,
            "UPDATE legal_hold SET value = 'elsewhere1'",
            Some("UPDATE legal_hold SET value = 'anna'"),
        ),
        (&first.id, "UPDATE legal_hold SET kind = 'ip'", Some("UPDATE legal_hold SET kind = 'user'")),
        (&first.id, "UPDATE legal_hold SET reason = 'none'", Some("UPDATE legal_hold SET reason = 'case 7'")),
        (&first.id, "UPDATE legal_hold SET owner = 'none'", Some("UPDATE legal_hold SET owner = 'legal'")),
        (
            &second.id,
            "UPDATE legal_hold SET released_by = 'sam'",
            Some("UPDATE legal_hold SET released_by = 'robin'"),
        ),
        (&first.id, "DELETE FROM legal_hold", None),
    ] {
        assert_eq!(world.tamper(&format!("{sql} WHERE id = '{id}'")).await, 1);
        let found =
            world.store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
        let told = found.problems.iter().any(|problem| problem.contains(id.as_str()));
        assert!(!found.ok && told && found.first_bad_seq.is_some(), "{sql}: {:?}", found.problems);
        // Nothing is destroyed meanwhile, whomever the hold is said to be about.
        let erased = world.store.privacy_erase(&anna(), "dana", |_| draft("privacy_erase")).await;
        assert!(matches!(erased, Err(StoreError::Precondition(_))), "{sql}: {erased:?}");
        if let Some(back) = back {
            world.tamper(&format!("{back} WHERE id = '{id}'")).await;
            holds(&world.store).await;
        }
    }
}

both!(setting_the_columns_of_a_record_apart_excuses_no_hold_that_cannot_be_read);

async fn setting_the_columns_of_a_record_apart_excuses_no_hold_that_cannot_be_read(world: World) {
    let hold = place(&world.store, "dana").await.unwrap();
    let page = world.store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    let seq = page.iter().find(|row| row.action == "hold_add").map(|row| row.seq).unwrap();
    world.tamper(&format!("UPDATE audit_record SET search = 'nothing' WHERE seq = {seq}")).await;
    let apart = |_: &str, _: &str| draft("audit_set_apart");
    assert_eq!(world.store.audit_set_apart(seq, apart).await.unwrap().record, seq);
    let found = world.store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(found.ok, "{:?}", found.problems);

    world.tamper(&format!("UPDATE audit_payload SET sealed = nonce WHERE seq = {seq}")).await;
    world.tamper(&format!("UPDATE legal_hold SET value = 'elsewhere1' WHERE id = '{}'", hold.id)).await;
    let plan = VerifyPlan { from: found.verified, ..VerifyPlan::default() };
    let found = world.store.audit_verify(&caller("dana"), plan, &|_, _| true).await.unwrap();
    assert_eq!((found.ok, found.first_bad_seq, found.from), (false, Some(seq), 0), "{:?}", found.problems);
    let erased = world.store.privacy_erase(&anna(), "dana", |_| draft("privacy_erase")).await;
    assert!(matches!(erased, Err(StoreError::Precondition(_))), "{erased:?}");
}

both!(a_hold_that_no_record_placed_is_found);

async fn a_hold_that_no_record_placed_is_found(world: World) {
    let hold = place(&world.store, "dana").await.unwrap();
    let forged = "INSERT INTO legal_hold (id, kind, value, reason, owner, placed_at, placed_by) \
        VALUES ('f0f0f0f0', 'user', 'robin', 'case 8', 'legal', 1, 'dana')";
    assert_eq!(world.tamper(forged).await, 1);
    let found = world.store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(found.problems.iter().any(|problem| problem.contains("f0f0f0f0")), "{:?}", found.problems);
    world.tamper("DELETE FROM legal_hold WHERE id = 'f0f0f0f0'").await;
    holds(&world.store).await;
    // A record that was hidden from the search columns is found before anything is destroyed.
    let moved = format!("UPDATE legal_hold SET value = 'elsewhere1' WHERE id = '{}'", hold.id);
    assert_eq!(world.tamper(&moved).await, 1);
    world.tamper("UPDATE audit_record SET action = 'nothing' WHERE action = 'hold_add'").await;
    let erased = world.store.privacy_erase(&anna(), "dana", |_| draft("privacy_erase")).await;
    assert!(matches!(erased, Err(StoreError::Precondition(_))), "{erased:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_changes_no_hold_either() {
    let Some(team) = Team::new().await else { return };
    let engine = open(&team, "engine").await;
    place(&engine, "dana").await.expect("with a record it places one");
    engine.close().await;
    let mut person = connect(&team.target("engine")).await;
    for sql in [
        "UPDATE legal_hold SET value = 'elsewhere1'",
        "UPDATE legal_hold SET released_at = 1",
        "INSERT INTO legal_hold (id, kind, value, reason, owner, placed_at, placed_by) \
         VALUES ('x', 'user', 'x', 'x', 'x', 0, 'x')",
    ] {
        assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{sql}");
    }
    holds(&team.world.store).await;
}
