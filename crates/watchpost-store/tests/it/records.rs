//! Settings, leases, jobs, reports, health samples, revisions, the Overview and the answers to compliance questions.

use std::time::Duration as StdDuration;

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::block::{Block, BlockState};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome, Severity};
use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery};
use watchpost_model::finding::AttackFamily;
use watchpost_model::health::HealthSample;
use watchpost_model::ids::{BlockId, JobId, ReportId};
use watchpost_model::incident::{IncidentFilter, IncidentOrder, Status, Verdict};
use watchpost_model::job::{JobKind, JobPosition, JobProgress, JobRun, JobState};
use watchpost_model::overview::{ApiUsage, ChangeUnit, Kpi, Overview, ThreatLevel};
use watchpost_model::period::Period;
use watchpost_model::report::{Approval, ReportFile, ReportFormat, ReportRecord, ReportStatus};
use watchpost_model::suppression::SuppressionScope;
use watchpost_store::{
    EventFilter, IncidentPatch, NewSuppression, NoteCheck, Signer, StoreError, VerifyPlan, open_note,
};

use crate::support::{World, both, caller, draft, events, finding};

both!(
    settings_are_recorded,
    leases_have_one_holder,
    dead_jobs_fail,
    positions_of_other_parameters_are_forgotten,
    reports_and_samples,
    notes_are_checked_by_the_keys_of_the_trail,
    revisions_grow,
    the_overview_counts,
    an_alert_on_redis_is_no_call,
    new_incidents_of_the_overview_are_found,
    evidence_is_answered,
);

async fn settings_are_recorded(world: World) {
    let store = &world.store;
    assert_eq!(store.setting_get("policy").await.unwrap(), None);
    let value = serde_json::json!({"days": 7, "name": "\u{1f980}"});
    store.setting_put("policy", None, &value, draft("setting_put")).await.unwrap();
    let unseen = store.setting_put("policy", None, &serde_json::json!(1), draft("setting_put")).await;
    assert!(matches!(unseen, Err(StoreError::Conflict(_))), "{unseen:?}");
    let null = serde_json::json!(null);
    store.setting_put("policy", Some(&value), &null, draft("setting_put")).await.unwrap();
    assert_eq!(store.setting_get("policy").await.unwrap(), Some(serde_json::Value::Null));
    let trail = store.audit_page(&AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!((&trail[0].changes[0].old, trail[0].object.as_str()), (&value, "thing/1"));
}

async fn leases_have_one_holder(world: World) {
    let (store, now) = (&world.store, world.now());
    let minute = StdDuration::from_secs(60);
    assert!(store.lease_acquire("retention", "a", minute, now).await.unwrap());
    assert!(!store.lease_acquire("retention", "b", minute, now).await.unwrap(), "somebody has it");
    assert!(
        store.lease_acquire("retention", "a", minute, now + Duration::seconds(50)).await.unwrap(),
        "renewed"
    );
    assert!(!store.lease_acquire("retention", "b", minute, now + Duration::seconds(70)).await.unwrap());
    store.lease_release("retention", "b").await.unwrap();
    assert!(!store.lease_acquire("retention", "b", minute, now + Duration::seconds(71)).await.unwrap());
    assert!(
        store.lease_acquire("retention", "b", minute, now + Duration::seconds(110)).await.unwrap(),
        "ran out"
    );
    store.lease_release("retention", "b").await.unwrap();
    assert!(store.lease_acquire("retention", "a", minute, now).await.unwrap(), "given back");
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
        progress: JobProgress { done: 3, total: Some(9), unit: "keys".into(), step: "archiving".into() },
        report: None,
        error: None,
    }
}

async fn dead_jobs_fail(world: World) {
    let (living, dead, far) =
        (run(&world, JobState::Running), run(&world, JobState::Running), run(&world, JobState::Running));
    for job in [&living, &dead, &far] {
        world.store.job_run_put(job, Some(draft("retention_run"))).await.unwrap();
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let owner = format!("{}:999999999:1", boot.trim());
    assert_eq!(
        world.tamper(&format!("UPDATE job_run SET owner = '{owner}' WHERE id = '{}'", dead.id)).await,
        1
    );
    assert_eq!(
        world.tamper(&format!("UPDATE job_run SET owner = 'elsewhere:1:1' WHERE id = '{}'", far.id)).await,
        1
    );
    let position = JobPosition {
        job: dead.id,
        kind: dead.kind,
        parameters: dead.parameters.clone(),
        node: "here".to_owned(),
        run_id: "abc".to_owned(),
        cursor: "17".to_owned(),
        done: Vec::new(),
        progress: Some(JobProgress { done: 7, ..dead.progress.clone() }),
    };
    world.store.job_position_put(&position).await.unwrap();
    let elsewhere = world.store.job_running_elsewhere().await.unwrap().map(|job| job.id);
    assert_eq!(elsewhere, Some(far.id), "neither that of this process nor that of a dead one");
    let other = world.another().await;
    let next = JobRun { started_by: "kim".to_owned(), ..run(&world, JobState::Running) };
    let refused =
        other.job_run_begin(&next, &[JobKind::Retention, JobKind::Cleanup], draft("retention_run")).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Precondition(words) if words.contains("started by dana")),
        "{refused}"
    );
    other.job_run_begin(&next, &[JobKind::Optimize], draft("retention_run")).await.unwrap();
    let state =
        async |id: JobId| other.job_runs(10).await.unwrap().into_iter().find(|job| job.id == id).unwrap();
    assert_eq!(state(living.id).await, living, "its process is alive");
    let failed = state(dead.id).await;
    assert_eq!((failed.state, failed.ended_at), (JobState::Failed, Some(world.now())));
    assert!(failed.error.is_some());
    assert_eq!(failed.progress.done, 7, "as far as its position says");
    assert_eq!(state(far.id).await.state, JobState::Running, "another machine may be slow");
    let further = JobRun { progress: JobProgress { done: 5, ..far.progress.clone() }, ..far.clone() };
    world.store.job_run_seen(&further).await.unwrap();
    assert_eq!(state(far.id).await, further, "others see how far it is");
    world.clock.advance(Duration::minutes(11));
    assert_eq!(world.store.job_running_elsewhere().await.unwrap(), None, "it was silent for too long");
    let after = run(&world, JobState::Running);
    other.job_run_begin(&after, &[JobKind::Retention], draft("retention_run")).await.unwrap();
    assert_eq!(other.jobs_fail_orphans().await.unwrap(), 1, "but not for ever");
    assert_eq!(state(far.id).await.state, JobState::Failed);
    let done = JobRun { state: JobState::Done, ended_at: Some(world.now()), ..living };
    world.store.job_run_put(&done, None).await.unwrap();
    assert_eq!(state(done.id).await, done);
}

/// What undoes a job lets no later run of it go on in the middle.
async fn positions_of_other_parameters_are_forgotten(world: World) {
    let since = world.now() - Duration::hours(24);
    let position = |kind, parameters: &str, node: &str| JobPosition {
        job: JobId::at(world.now()),
        kind,
        parameters: parameters.to_owned(),
        node: node.to_owned(),
        run_id: "abc".to_owned(),
        cursor: "17".to_owned(),
        done: Vec::new(),
        progress: None,
    };
    let kept = [
        position(JobKind::Optimize, "revert, all", "here"),
        position(JobKind::Optimize, "all", "there"),
        position(JobKind::Retention, "all", "here"),
    ];
    let forgotten = position(JobKind::Optimize, "all", "here");
    for one in kept.iter().chain([&forgotten]) {
        world.store.job_position_put(one).await.unwrap();
    }
    world.store.job_positions_clear_others(JobKind::Optimize, "revert, all", "here").await.unwrap();
    let find = async |one: &JobPosition| {
        world.store.job_position(one.kind, &one.parameters, &one.node, since).await.unwrap()
    };
    for one in &kept {
        assert_eq!(find(one).await.as_ref(), Some(one));
    }
    assert_eq!(find(&forgotten).await, None);
}

async fn reports_and_samples(world: World) {
    let period = Period::ending(world.now(), Duration::days(1));
    let record = ReportRecord {
        id: ReportId::at(world.now()),
        framework: "pci-dss-4.0.1".to_owned(),
        period,
        files: vec![ReportFile {
            format: ReportFormat::Pdf,
            path: "/x/r.pdf".into(),
            sha256: "ab".repeat(32),
            bytes: 9,
        }],
        made_by: "dana".to_owned(),
        made_at: world.now(),
        content_sha256: "a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3".to_owned(),
        summary: "12 pass, 1 fail".to_owned(),
        worst: "fail".to_owned(),
        subject: None,
        status: ReportStatus::Draft,
        approval: None,
        supersedes: None,
    };
    let store = &world.store;
    let other = store.report_add(&record, "124", draft("report_generate")).await.unwrap_err();
    assert!(matches!(other, StoreError::Validation(_)), "the content is what the hash says: {other}");
    store.report_add(&record, "123", draft("report_generate")).await.unwrap();
    assert_eq!(store.reports().await.unwrap(), (vec![record.clone()], Vec::new()));
    assert_eq!(store.report_content(record.id).await.unwrap(), "123");
    let approval = |by: &str| Approval {
        by: by.to_owned(),
        at: world.now(),
        note: "looked at".to_owned(),
        signed_note: store.sign_note("x\n"),
    };
    for by in ["dana", " Dana ", " "] {
        let refused =
            store.report_approve(record.id, approval(by), draft("report_approve")).await.unwrap_err();
        assert!(matches!(refused, StoreError::Precondition(_)), "{by:?} is no second person: {refused}");
    }
    let approved = store.report_approve(record.id, approval("kim"), draft("report_approve")).await.unwrap();
    assert_eq!(approved.status, ReportStatus::Final);
    let again = store.report_approve(record.id, approval("lee"), draft("report_approve")).await.unwrap_err();
    assert!(matches!(again, StoreError::Precondition(_)), "a final one cannot change: {again}");
    let later = ReportRecord { id: ReportId::at(world.now()), supersedes: Some(record.id), ..record.clone() };
    store.report_add(&later, "123", draft("report_generate")).await.unwrap();
    let old = store.report(record.id).await.unwrap();
    assert_eq!(old.status, ReportStatus::Final, "a draft takes nobody's place");
    store.report_approve(later.id, approval("kim"), draft("report_approve")).await.unwrap();
    let old = store.report(record.id).await.unwrap();
    assert_eq!((old.status, old.approval.unwrap().by.as_str()), (ReportStatus::Superseded, "kim"));
    let twice = ReportRecord { id: ReportId::at(world.now()), ..later.clone() };
    let twice = store.report_add(&twice, "123", draft("report_generate")).await.unwrap_err();
    assert!(matches!(twice, StoreError::Precondition(_)), "superseded once: {twice}");
    world.tamper("UPDATE report_content SET body = '124'").await;
    let changed = store.report_content(record.id).await.unwrap_err();
    assert!(matches!(changed, StoreError::Corrupt(_)), "a changed content is found: {changed}");
    for n in 0..100_i32 {
        let sample = HealthSample {
            at: period.from + Duration::minutes(i64::from(n)),
            memory_bytes: Some(f64::from(n)),
            ops_per_s: (n % 2 == 0).then_some(4.0),
            latency_ms: None,
            expired_per_s: Some(f64::NAN),
            events_per_min: Some(1.0),
            backlog: Some(0.0),
        };
        world.store.health_sample_add(&sample).await.unwrap();
    }
    let all = world.store.health_samples(period, 200).await.unwrap();
    assert_eq!(all.len(), 100);
    assert_eq!((all[99].memory_bytes, all[99].ops_per_s, all[99].expired_per_s), (Some(99.0), None, None));
    let few = world.store.health_samples(period, 10).await.unwrap();
    assert!((1..=10).contains(&few.len()), "{}", few.len());
    assert!(few.is_sorted_by_key(|sample| sample.at));
    assert!(few.iter().all(|sample| sample.ops_per_s == Some(4.0)), "means leave out what is not known");
}

async fn notes_are_checked_by_the_keys_of_the_trail(world: World) {
    let first = Signer::from_seed(&[1; 32], "watchpost/first").unwrap();
    world.store.set_signer(first).await.unwrap();
    let text = "watchpost report 1\nabc\nkim\n";
    let note = world.store.sign_note(text).expect("the key is kept");
    let second = world.another().await;
    second.set_signer(Signer::from_seed(&[2; 32], "watchpost/second").unwrap()).await.unwrap();
    for store in [&world.store, &second] {
        assert_eq!(
            store.note_check(&note, text).await.unwrap(),
            NoteCheck::Holds("watchpost/first".to_owned()),
            "the trail names the key of the other console"
        );
        let pem = store.note_key(&note).await.unwrap().expect("the trail names it");
        let open = open_note(&note, &pem).expect("it signed it");
        assert_eq!((open.text, open.name), (text, "watchpost/first"));
        for broken in [note.replace("abc", "abd"), note.replace("\u{2014} watchpost/first ", "")] {
            assert_eq!(store.note_check(&broken, text).await.unwrap(), NoteCheck::Broken, "{broken}");
            assert_eq!(store.note_key(&broken).await.unwrap(), None, "{broken}");
        }
        assert_eq!(store.note_check(&note, "another text\n").await.unwrap(), NoteCheck::Broken);
    }
    let stranger = note.replace("watchpost/first", "watchpost/other");
    let other = world.store.note_check(&stranger, text).await.unwrap();
    assert_eq!(other, NoteCheck::OtherKey("watchpost/other".to_owned()));
}

async fn revisions_grow(world: World) {
    let other = world.another().await;
    let before = other.revisions().await.unwrap();
    assert_eq!(before.len(), 8);
    world.store.setting_put("x", None, &serde_json::json!(1), draft("setting_put")).await.unwrap();
    let after = other.revisions().await.unwrap();
    assert_eq!((after["settings"], after["audit"]), (before["settings"] + 1, before["audit"] + 1));
    assert_eq!(after["incidents"], before["incidents"]);
    let batch = events(3, world.now());
    let found = finding(1, &batch[0].0, AttackFamily::Xss, "203.0.113.1");
    world.ingest(&batch, &[found]).await;
    let last = other.revisions().await.unwrap();
    assert_eq!((last["events"], last["incidents"]), (after["events"] + 1, after["incidents"] + 1));
}

fn kpi<'a>(overview: &'a Overview, name: &str) -> &'a Kpi {
    overview.kpis.iter().find(|kpi| kpi.name == name).unwrap()
}

/// What is said of interfaces agrees with the events, the table of counts and the list of targets.
fn api_adds_up(overview: &Overview, batch: &[(Event, String)]) {
    let calls: Vec<&Event> =
        batch.iter().map(|(event, _)| event).filter(|event| event.category == Category::ApiUsage).collect();
    let failures = calls.iter().filter(|event| event.outcome == Outcome::Failure).count() as u64;
    let api = &overview.api;
    assert_eq!((api.calls, api.failures), (calls.len() as u64, failures));
    assert_eq!(api.failure_ratio, ApiUsage::ratio(api.failures, api.calls));
    assert_eq!(api.over_time.series.iter().flat_map(|series| &series.counts).sum::<u64>(), api.calls);
    let counted: u64 = overview
        .counts
        .iter()
        .filter(|count| count.category == Category::ApiUsage)
        .map(|count| count.events)
        .sum();
    assert_eq!(counted, api.calls);
    let called: u64 = api.endpoints.iter().map(|endpoint| endpoint.events).sum();
    assert_eq!(called, api.calls, "one endpoint was called");
    let failed: u64 = api.endpoints.iter().map(|endpoint| endpoint.failures).sum();
    assert_eq!(failed, failures);
}

async fn an_alert_on_redis_is_no_call(world: World) {
    let scope = SuppressionScope { rule: Some("wp.redis.slow".to_owned()), ..SuppressionScope::default() };
    let (owner, reason) = ("dana".to_owned(), "is known".to_owned());
    let new = NewSuppression { scope, owner, reason, expires_at: world.now() + Duration::days(1) };
    world.store.suppression_add(&new, draft("suppression_add")).await.unwrap();
    let mut batch = events(7, world.now() - Duration::minutes(30));
    let mut findings = Vec::new();
    for (n, at, rule, about) in [
        (1, 5, "wp.redis.memory", "Memory use on 10.0.0.7:6379"),
        (2, 6, "wp.redis.slow", "Slow commands on 10.0.0.7:6379"),
    ] {
        let (alert, _) = &mut batch[at];
        alert.kind = "redis_health".to_owned();
        alert.outcome = Outcome::Failure;
        alert.resource = Some(about.to_owned());
        let mut found = finding(n, alert, AttackFamily::RedisHealth, "");
        found.rule_id = rule.to_owned();
        found.entity = Entity::new(EntityKind::Endpoint, about);
        findings.push(found);
    }
    let outcome = world.ingest(&batch, &findings).await;
    assert_eq!(outcome.opened.len(), 1, "a suppression hides the other one");
    let now = world.now() + Duration::microseconds(1);
    let overview = world.store.overview(Period::ending(now, Duration::hours(3)), now, 12).await.unwrap();
    assert_eq!(kpi(&overview, "events").value, Some(7.0));
    let failed = batch[..5].iter().filter(|(event, _)| event.outcome == Outcome::Failure).count() as u64;
    assert_eq!((overview.api.calls, overview.api.failures), (5, failed));
    assert_eq!(overview.api.over_time.series.iter().flat_map(|series| &series.counts).sum::<u64>(), 5);
    let called: Vec<&str> = overview.api.endpoints.iter().map(|top| top.entity.value.as_str()).collect();
    assert_eq!(called, ["/search"]);
}

async fn new_incidents_of_the_overview_are_found(world: World) {
    let hours = Duration::hours;
    // Logs of the day before, brought in now.
    let batch = events(2, world.now() - hours(30));
    let findings = [
        finding(1, &batch[0].0, AttackFamily::Sqli, "203.0.113.3"),
        finding(2, &batch[1].0, AttackFamily::Xss, "203.0.113.4"),
    ];
    let opened = world.ingest(&batch, &findings).await.opened;
    assert_eq!(opened.len(), 2);
    world.clock.advance(Duration::seconds(90));
    let patch = IncidentPatch { assignee: Some(Some("dana".into())), ..IncidentPatch::default() };
    world.store.incident_change(opened[0].id, 1, patch, draft("incident_take")).await.unwrap();
    let now = world.now() + Duration::microseconds(1);
    for (to, began, acknowledged) in [(now, 0, 1), (now - hours(24), 2, 0), (now - hours(40), 0, 0)] {
        let period = Period::ending(to, hours(12));
        let overview = world.store.overview(period, now, 12).await.unwrap();
        let found = async |filter: IncidentFilter| {
            let total = world.store.incident_counts(&filter).await.unwrap().total;
            let page = world.store.incident_page(&filter, IncidentOrder::Newest, None, 10).await.unwrap();
            assert_eq!(page.rows.len() as u64, total);
            total
        };
        let any = IncidentFilter::default;
        let new = found(IncidentFilter { began: Some(period), ..any() }).await;
        assert_eq!((new, kpi(&overview, "incidents_opened").value), (began, Some(began as f64)), "{to}");
        let taken = IncidentFilter { opened: Some(period), acknowledged: Some(true), ..any() };
        assert_eq!(found(taken).await, acknowledged, "{to}");
        assert_eq!(kpi(&overview, "mtta_s").value.is_some(), acknowledged > 0, "{to}");
        let waiting = IncidentFilter { opened: Some(period), acknowledged: Some(false), ..any() };
        assert_eq!(found(waiting).await, acknowledged, "one of the two was taken");
    }
}

async fn the_overview_counts(world: World) {
    let now = world.now();
    let period = Period::ending(now, Duration::hours(3));
    let empty = world.store.overview(period, now, 12).await.unwrap();
    assert_eq!((empty.threat, kpi(&empty, "mtta_s").value), (ThreatLevel::Calm, None));
    let mut batch = events(120, now - Duration::minutes(90));
    for (event, _) in &mut batch[..30] {
        event.category = Category::Authentication;
    }
    let mut old = events(7, now - Duration::hours(4));
    for (n, (event, _)) in old.iter_mut().enumerate() {
        event.id = watchpost_model::ids::EventId::derived(
            event.at.timestamp_millis(),
            [u8::try_from(n).unwrap(); 16],
        );
    }
    world.ingest(&old, &[]).await;
    let one = finding(1, &batch[7].0, AttackFamily::Sqli, "203.0.113.3");
    let opened = world.ingest(&batch, &[one]).await.opened;
    world.clock.advance(Duration::seconds(90));
    let patch = IncidentPatch { assignee: Some(Some("dana".into())), ..IncidentPatch::default() };
    world.store.incident_change(opened[0].id, 1, patch, draft("incident_take")).await.unwrap();
    let block = Block {
        id: BlockId::at(world.now()),
        target: "203.0.113.2/31".parse().unwrap(),
        reason: "x".into(),
        created_by: "dana".into(),
        created_at: world.now(),
        expires_at: world.now() + Duration::hours(1),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: Some(opened[0].id),
    };
    world.store.block_insert(&block, draft("block_add")).await.unwrap();
    world.store.block_state_set(block.id, BlockState::Active, None, draft("block_add")).await.unwrap();
    let now = world.now() + Duration::microseconds(1);
    let period = Period::ending(now, Duration::hours(3));
    let overview = world.store.overview(period, now, 12).await.unwrap();
    let failures = batch[..30].iter().filter(|(event, _)| event.outcome == Outcome::Failure).count();
    let value = |name: &str| (kpi(&overview, name).value, kpi(&overview, name).previous);
    assert_eq!(value("events"), (Some(120.0), Some(7.0)));
    assert_eq!(value("auth_failures").0, Some(failures as f64));
    assert_eq!(value("incidents_opened"), (Some(1.0), Some(0.0)));
    assert_eq!(value("incidents_active"), (Some(1.0), Some(0.0)));
    assert_eq!(value("blocks_active"), (Some(1.0), Some(0.0)));
    assert_eq!(value("mtta_s"), (Some(90.0), None));
    for name in ["events", "incidents_opened"] {
        let kpi = kpi(&overview, name);
        assert_eq!(Some(kpi.series.iter().sum::<f64>()), kpi.value, "the course of {name} adds up");
        assert!(kpi.series.len() <= 12, "{}", kpi.series.len());
    }
    for chart in [&overview.by_category, &overview.by_severity] {
        let sum: u64 = chart.series.iter().flat_map(|series| &series.counts).sum();
        assert_eq!(sum, 120);
        assert!(
            chart.series.iter().all(|series| series.counts.len() == kpi(&overview, "events").series.len())
        );
    }
    assert_eq!(overview.authentication.series.iter().flat_map(|s| &s.counts).sum::<u64>(), 30);
    assert_eq!(overview.threat, ThreatLevel::Elevated, "{}", overview.threat_reason);
    assert_eq!(overview.incidents.len(), 1);
    assert_eq!(overview.top_sources.len(), 7);
    assert!(overview.top_sources.is_sorted_by_key(|top| std::cmp::Reverse(top.events)));
    for top in &overview.top_sources {
        let expect =
            batch.iter().filter(|(e, _)| e.source_ip.as_ref() == Some(&top.entity.value)).count() as u64;
        assert_eq!(top.events, expect, "{}", top.entity);
        assert_eq!(
            top.blocked,
            ["203.0.113.2", "203.0.113.3"].contains(&top.entity.value.as_str()),
            "{}",
            top.entity
        );
        assert_eq!(top.incidents, u64::from(top.entity.value == "203.0.113.3"));
    }
    assert_eq!(overview.top_targets[0].events, 120);
    api_adds_up(&overview, &batch);
    let unplaced: Vec<(Option<&str>, u64, u64)> =
        overview.by_country.iter().map(|one| (one.country.as_deref(), one.events, one.sources)).collect();
    assert_eq!(unplaced, [(None, 120, 7)], "no location file was asked");
    world.store.keep_places(true);
    world.store.sources_fill().await.unwrap();
    let sources = world.store.sources_unplaced("city", 500).await.unwrap();
    let places: Vec<(String, Option<String>)> = sources
        .into_iter()
        .map(|source| {
            let country = match source.as_str() {
                "203.0.113.1" | "203.0.113.2" => Some("de".to_owned()),
                "203.0.113.3" => Some("NZ".to_owned()),
                _ => None,
            };
            (source, country)
        })
        .collect();
    world.store.sources_placed("city", &places).await.unwrap();
    let overview = world.store.overview(period, now, 12).await.unwrap();
    assert!(overview.by_country.is_sorted_by_key(|one| std::cmp::Reverse(one.events)));
    for (country, query, sources) in
        [(Some("DE"), "country:DE", 2), (Some("NZ"), "country:nz", 1), (None, "ip:* -country:*", 4)]
    {
        let found = overview.by_country.iter().find(|one| one.country.as_deref() == country).unwrap();
        let filter = EventFilter { query: query.parse().unwrap(), ..EventFilter::default() };
        let figures = world.store.event_figures(&filter, period, 1, &[]).await.unwrap();
        assert_eq!((found.events, found.sources), (figures.total, sources), "{query} opens what was counted");
    }
    world.store.sources_placed("city", &[("192.0.2.99".to_owned(), Some("FR".to_owned()))]).await.unwrap();
    assert!(!world.store.sources_unplaced("another", 500).await.unwrap().contains(&"192.0.2.99".to_owned()));
    assert_eq!(
        world.store.sources_unplaced("another", 500).await.unwrap().len(),
        7,
        "another file is asked anew"
    );
    assert_eq!(world.store.sources_prune().await.unwrap(), 0, "all of them have events");
    for (name, unit) in [("events", ChangeUnit::Times), ("incidents_opened", ChangeUnit::Percent)] {
        let kpi = kpi(&overview, name);
        assert_eq!(kpi.change.is_some(), kpi.previous.is_some_and(|n| n > 0.0), "{name}");
        assert!(kpi.change.is_none_or(|change| change.unit == unit), "{name}: {:?}", kpi.change);
    }
    let sums: u64 = overview.by_category.series.iter().filter_map(|series| series.total).sum();
    assert_eq!(sums, 120, "each series says its total");
}

async fn evidence_is_answered(world: World) {
    let store = &world.store;
    let mut batch = events(60, world.now() - Duration::minutes(30));
    let categories = [Category::Authentication, Category::Authorization, Category::DataAccess];
    for (n, (event, _)) in batch.iter_mut().enumerate() {
        event.category = categories[n % 3];
        event.outcome = if n % 4 == 0 { Outcome::Failure } else { Outcome::Success };
    }
    let families =
        [AttackFamily::BruteForce, AttackFamily::BruteForce, AttackFamily::Sqli, AttackFamily::Scanner];
    let mut findings = Vec::new();
    for (n, family) in (0_u32..).zip(families) {
        let mut one = finding(n, &batch[n as usize].0, family, &format!("198.51.100.{n}"));
        one.severity = if n == 3 { Severity::Low } else { Severity::Critical };
        findings.push(one);
    }
    let opened = world.ingest(&batch, &findings).await.opened;
    store.set_signer(Signer::from_seed(&[3; 32], "watchpost/desk").unwrap()).await.unwrap();
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "seen".into())),
        assignee: Some(Some("dana".into())),
        ..IncidentPatch::default()
    };
    store.incident_change(opened[0].id, 1, patch, draft("incident_resolve")).await.unwrap();
    world.clock.advance(Duration::hours(5));
    let patch = IncidentPatch { status: Some(Status::Resolved), ..IncidentPatch::default() };
    store.incident_change(opened[2].id, 1, patch, draft("incident_resolve")).await.unwrap();
    let mut retention = run(&world, JobState::Failed);
    retention.error = Some("no".into());
    store.job_run_put(&retention, None).await.unwrap();
    for state in [JobState::Done, JobState::Cancelled, JobState::Running] {
        store.job_run_put(&run(&world, state), None).await.unwrap();
    }
    let mut admin = draft("setting_put");
    admin.permission = watchpost_model::access::Permission::Admin;
    store.setting_put("x", None, &serde_json::json!(1), admin).await.unwrap();
    let mut nameless = draft("note_add");
    nameless.caller.name = " ".into();
    store.audit_append(nameless).await.unwrap();
    assert!(store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap().ok);
    let now = world.now();
    let period = Period::new(now - Duration::days(2), now + Duration::hours(1)).unwrap();
    let trail = store.audit_page(&AuditFilter::default(), None, 500).await.unwrap().len() as u64;
    let expected = [
        (EvidenceQuery::AuthenticationEvents, 20, 5),
        (EvidenceQuery::AuthorizationEvents, 20, 5),
        (EvidenceQuery::DataAccessEvents, 20, 5),
        (EvidenceQuery::BruteForceIncidents, 2, 1),
        // One may still be answered in time.
        (EvidenceQuery::IncidentsAcknowledged, 3, 2),
        (EvidenceQuery::IncidentsResolved, 3, 2),
        (EvidenceQuery::IncidentsJudged, 2, 1),
        (EvidenceQuery::IncidentsAssigned, 3, 2),
        (EvidenceQuery::WebAttackIncidents, 1, 0),
        (EvidenceQuery::BlocksJustified, 0, 0),
        (EvidenceQuery::AuditRecordsNamed, trail, 1),
        (EvidenceQuery::AuditVerifications, 1, 0),
        (EvidenceQuery::AuditCheckpoints, 1, 0),
        (EvidenceQuery::RetentionRuns, 3, 2),
        (EvidenceQuery::ConfigurationChanges, 1, 0),
    ];
    for (query, population, exceptions) in expected {
        let ask = EvidenceAsk::from(query);
        let answer = store.evidence(&ask, period, now, &[7; 32]).await.unwrap();
        assert_eq!((answer.population, answer.exceptions), (population, exceptions), "{query}: {answer:?}");
        assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()), "{query}");
        assert_eq!(answer.rows.is_empty(), population == 0, "{query} shows what it counted");
        let again = store.evidence(&ask, period, now, &[7; 32]).await.unwrap();
        assert_eq!(again, answer, "{query}: asked again, the same to the byte");
    }
    let days = store.evidence(&EvidenceQuery::DaysWithEvents.into(), period, now, &[7; 32]).await.unwrap();
    assert_eq!(days.population, 3);
    assert!((1..=2).contains(&days.exceptions), "{days:?}");
    world.tamper("UPDATE audit_checkpoint SET root = 'AAAA'").await;
    let forged =
        store.evidence(&EvidenceQuery::AuditCheckpoints.into(), period, now, &[7; 32]).await.unwrap();
    assert_eq!((forged.population, forged.exceptions), (1, 1), "a forged checkpoint is an exception");
}
