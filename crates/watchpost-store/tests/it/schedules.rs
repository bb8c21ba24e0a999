//! Schedules of reports, comments on controls, and one look at the database for a whole report.

use chrono::Duration;
use watchpost_model::event::{Category, Outcome};
use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery};
use watchpost_model::ids::{CommentId, ScheduleId};
use watchpost_model::period::Period;
use watchpost_model::report::{Cadence, ControlComment, ReportFormat, ReportSchedule, ScheduleRun};
use watchpost_store::{IngestBatch, StoreError};

use crate::support::{World, both, draft, event};

both!(schedules_are_due_once, comments_are_kept, a_snapshot_stands_still);

fn schedule(world: &World, due: Duration) -> ReportSchedule {
    ReportSchedule {
        id: ScheduleId::at(world.now()),
        framework: "soc2".to_owned(),
        subject: None,
        cadence: Cadence::Monthly,
        formats: vec![ReportFormat::Pdf],
        archive: true,
        folder: "/reports".to_owned(),
        made_by: "dana".to_owned(),
        made_at: world.now(),
        due_at: world.now() + due,
        paused: false,
        last: None,
    }
}

async fn schedules_are_due_once(world: World) {
    let (store, now) = (&world.store, world.now());
    let (soon, late) = (schedule(&world, Duration::hours(1)), schedule(&world, Duration::days(40)));
    for one in [&late, &soon] {
        store.report_schedule_put(one, draft("report_schedule_add")).await.unwrap();
    }
    assert_eq!(store.report_schedules().await.unwrap().0, [soon.clone(), late.clone()], "the next one first");
    assert!(store.report_schedules_due(now).await.unwrap().is_empty(), "not yet");
    let then = now + Duration::hours(1);
    let paused = ReportSchedule { paused: true, ..soon.clone() };
    store.report_schedule_put(&paused, draft("report_schedule_pause")).await.unwrap();
    assert!(store.report_schedules_due(then).await.unwrap().is_empty(), "not while it is paused");
    assert_eq!(
        store.report_schedules().await.unwrap().0,
        [late.clone(), paused.clone()],
        "the paused ones last"
    );
    store.report_schedule_ran(&soon, draft("report_schedule_run")).await.unwrap();
    assert!(
        store.report_schedules_due(then).await.unwrap().is_empty(),
        "a run that was under way resumes nothing"
    );
    store.report_schedule_put(&soon, draft("report_schedule_pause")).await.unwrap();
    assert_eq!(store.report_schedules_due(then).await.unwrap(), std::slice::from_ref(&soon));
    let period = Period { from: now - Duration::days(30), to: now };
    let last = Some(ScheduleRun { at: then, period, report: None, error: Some("full".to_owned()) });
    let ran = ReportSchedule { due_at: then + Duration::days(30), last, ..soon };
    store.report_schedule_ran(&ran, draft("report_schedule_run")).await.unwrap();
    assert!(store.report_schedules_due(then).await.unwrap().is_empty(), "it ran");
    assert_eq!(store.report_schedules().await.unwrap().0[0], ran);
    let id = ran.id.to_string();
    store.report_schedule_remove(&id, draft("report_schedule_remove")).await.unwrap();
    for result in [
        store.report_schedule_remove(&id, draft("report_schedule_remove")).await,
        store.report_schedule_ran(&ran, draft("report_schedule_run")).await,
    ] {
        assert!(matches!(result, Err(StoreError::NotFound(_))), "{result:?}");
    }
    assert_eq!(store.report_schedules().await.unwrap().0, [late], "it does not come back");
}

async fn comments_are_kept(world: World) {
    let (store, now) = (&world.store, world.now());
    let comment = |framework: &str, after: i64| ControlComment {
        id: CommentId::at(now + Duration::minutes(after)),
        key: None,
        framework: framework.to_owned(),
        control: "CC6.1".to_owned(),
        row: vec!["dana".to_owned(), "=1+1".to_owned()],
        text: "a test \u{202e} account".to_owned(),
        by: "erik".to_owned(),
        at: now + Duration::minutes(after),
    };
    let all = [comment("soc2", 0), comment("soc2", 1), comment("gdpr", 0)];
    for one in all.iter().rev() {
        store.control_comment_add(one, draft("report_comment_add")).await.unwrap();
    }
    let until = now + Duration::minutes(1);
    let look = store.snapshot().await.unwrap();
    assert_eq!(
        look.control_comments("soc2", until, 10).await.unwrap(),
        (all[..2].to_vec(), 0),
        "oldest first, of this framework"
    );
    let before = look.control_comments("soc2", now, 10).await.unwrap();
    assert_eq!(before, (all[..1].to_vec(), 0), "not what was said later");
    let newest = look.control_comments("soc2", until, 1).await.unwrap();
    assert_eq!(newest, (all[1..2].to_vec(), 1), "the older one is left out, and counted");
    drop(look);
    store.control_comment_remove(all[0].id, draft("report_comment_withdraw")).await.unwrap();
    let gone = store.control_comment_remove(all[0].id, draft("report_comment_withdraw")).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
    assert!(matches!(store.control_comment(all[0].id).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.control_comment(all[1].id).await.unwrap(), all[1]);
}

async fn a_snapshot_stands_still(world: World) {
    let (store, now) = (&world.store, world.now());
    let period = Period { from: now - Duration::hours(1), to: now + Duration::hours(1) };
    let ask = EvidenceAsk::from(EvidenceQuery::AuthenticationEvents);
    let sign_in = |n: u32, outcome: Outcome| {
        let mut one = event(n, now);
        (one.category, one.outcome) = (Category::Authentication, outcome);
        vec![(one, format!("security:auth:{n}"))]
    };
    let first = sign_in(1, Outcome::Failure);
    store.ingest(IngestBatch { events: &first, findings: &[], now }).await.unwrap();
    let look = store.snapshot().await.unwrap();
    let head = look.audit_head().await.unwrap();
    let before = look.overview(period, now, 60).await.unwrap();
    let later = sign_in(2, Outcome::Success);
    store.ingest(IngestBatch { events: &later, findings: &[], now }).await.unwrap();
    store.audit_append(draft("later")).await.unwrap();
    let seed = [7; 32];
    let answer = look.evidence(&ask, period, now, &seed).await.unwrap();
    assert_eq!((answer.population, answer.exceptions), (1, 1), "as of its making");
    assert_eq!(look.audit_head().await.unwrap(), head, "and the head of the log with it");
    assert_eq!(look.overview(period, now, 60).await.unwrap(), before, "and every figure");
    let several: Vec<_> = (0..look.lanes()).map(|_| look.evidence(&ask, period, now, &seed)).collect();
    for answer in futures_util::future::join_all(several).await {
        assert_eq!(answer.unwrap().population, 1, "all questions at a time see the same");
    }
    let error = look.audit_append(draft("through a look")).await.unwrap_err();
    assert!(matches!(error, StoreError::Validation(_)), "{error}");
    let fresh = store.evidence(&ask, period, now, &seed).await.unwrap();
    assert_eq!(fresh.population, 2, "a new look sees it");
    assert_ne!(store.overview(period, now, 60).await.unwrap(), before, "in every figure");
}
