//! Reports that are made by themselves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_model::ids::ScheduleId;
use watchpost_model::report::{ReportFormat, ReportSchedule, ScheduleRun};
use watchpost_model::text::visible;

use super::{compose, files, framework};
use crate::blocking::off_the_runtime;
use crate::console::{Console, Workspace};
use crate::contract::{
    Nothing, ReportGenerate, ReportScheduleAdd, ReportScheduleList, ReportSchedulePause, ReportScheduleRef,
    ReportScheduleRemove, SCHEDULE_ID_SHOWN_MAX, Tag,
};
use crate::door::{Call, Context, operation};
use crate::engine::engine_caller;
use crate::error::{ErrorCode, OpError};

/// Who has it makes the reports that are due.
const LEASE: &str = "report_schedule";
/// A console that died while it made them is replaced after this long.
const LEASE_TTL: Duration = Duration::from_secs(15 * 60);

pub(crate) async fn report_schedule_list(cx: Context, _: Nothing) -> Result<ReportScheduleList, OpError> {
    let (schedules, unreadable) = cx.workspace()?.store().report_schedules().await?;
    Ok(ReportScheduleList { schedules, unreadable })
}

pub(crate) async fn report_schedule_add(
    cx: Context,
    request: ReportScheduleAdd,
) -> Result<ReportSchedule, OpError> {
    super::super::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let subject = request.subject.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match compose::KINDS.iter().find(|kind| kind.id == request.framework) {
        Some(kind) if kind.subject.is_some() != subject.is_some() => {
            let message = match kind.subject {
                Some(what) => format!("{} needs {what}", kind.name),
                None => format!("{} is about no single thing", kind.name),
            };
            return Err(OpError::invalid("subject", message));
        }
        Some(_) => {}
        None => {
            let framework = framework(&cx, &request.framework)?;
            if subject.is_some() {
                let message = format!("{} is about no single thing", framework.name);
                return Err(OpError::invalid("subject", message));
            }
        }
    }
    let mut formats = request.formats;
    formats.sort_unstable();
    formats.dedup();
    if formats.is_empty() {
        return Err(OpError::invalid("formats", "choose at least one format"));
    }
    if !Path::new(&request.folder).is_absolute() {
        return Err(OpError::invalid("folder", "write the folder as an absolute path"));
    }
    if request.archive && !formats.contains(&ReportFormat::Pdf) {
        return Err(OpError::invalid("archive", "only a PDF has an archive copy: add the format pdf"));
    }
    let folder = request.folder.clone();
    let made = off_the_runtime(move || files::make(Path::new(&folder))).await?;
    made.map_err(|why| OpError::invalid("folder", why))?;
    let now = workspace.now();
    let schedule = ReportSchedule {
        id: ScheduleId::at(now),
        framework: request.framework,
        subject,
        cadence: request.cadence,
        formats,
        archive: request.archive,
        folder: request.folder,
        made_by: cx.caller.name.clone(),
        made_at: now,
        due_at: request.cadence.next_due(now),
        paused: false,
        last: None,
    };
    let value =
        serde_json::to_value(&schedule).map_err(|error| OpError::internal(format!("schedule: {error}")))?;
    let changes = vec![Change::new("schedule", Value::Null, value)];
    let entry = cx.record(format!("report_schedule/{}", schedule.id), changes, request.reason);
    workspace.store().report_schedule_put(&schedule, entry).await?;
    Ok(schedule)
}

pub(crate) async fn report_schedule_remove(
    cx: Context,
    request: ReportScheduleRemove,
) -> Result<ReportScheduleList, OpError> {
    let workspace = cx.workspace()?;
    let (all, unreadable) = workspace.store().report_schedules().await?;
    let wanted = request.id.parse::<ScheduleId>().ok();
    let exactly = unreadable.iter().find(|id| **id == request.id);
    // One that somebody broke can be taken away as well, by what was shown of its id.
    let shown = || unreadable.iter().find(|id| visible(id, SCHEDULE_ID_SHOWN_MAX) == request.id);
    let (id, value) = match all.iter().find(|schedule| wanted == Some(schedule.id)) {
        Some(old) => {
            let value = serde_json::to_value(old);
            (old.id.to_string(), value.map_err(|error| OpError::internal(format!("schedule: {error}")))?)
        }
        None => match exactly.or_else(shown) {
            Some(id) => (id.clone(), Value::from("cannot be read")),
            None => return Err(missing(&request.id)),
        },
    };
    let changes = vec![Change::new("schedule", value, Value::Null)];
    let entry = cx.record(format!("report_schedule/{id}"), changes, None);
    workspace.store().report_schedule_remove(&id, entry).await?;
    report_schedule_list(cx, Nothing {}).await
}

pub(crate) async fn report_schedule_pause(
    cx: Context,
    request: ReportSchedulePause,
) -> Result<ReportSchedule, OpError> {
    let workspace = cx.workspace()?;
    let old = found(&workspace, request.id).await?;
    // What ended while it was paused is not made up for.
    let due_at = if request.paused { old.due_at } else { old.cadence.next_due(workspace.now()) };
    let changes = vec![Change::new("paused", old.paused, request.paused)];
    let schedule = ReportSchedule { paused: request.paused, due_at, ..old };
    let entry = cx.record(object(&schedule), changes, None);
    workspace.store().report_schedule_put(&schedule, entry).await?;
    Ok(schedule)
}

pub(crate) async fn report_schedule_run(
    cx: Context,
    request: ReportScheduleRef,
) -> Result<ReportSchedule, OpError> {
    super::super::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let schedule = found(&workspace, request.id).await?;
    // The run itself was confirmed at the door.
    let call = Call {
        caller: cx.caller.clone(),
        confirmation: Some(workspace.connection().name.clone()),
        // Who makes it by hand says why, or nobody does.
        reason: cx.reason.clone(),
    };
    let (schedule, made) = run(&cx.console, &workspace, &call, schedule).await;
    let entry = cx.record_as(outcome(&made), object(&schedule), went(&schedule), None);
    workspace.store().report_schedule_ran(&schedule, entry).await?;
    made.map(|()| schedule)
}

/// Makes what is due, each once for the newest period that has ended, however many were missed. Of several consoles on one
/// database one does.
pub(crate) async fn run_due(console: Console, workspace: Arc<Workspace>) {
    if let Err(problem) = try_due(&console, &workspace).await {
        tracing::warn!(%problem, "scheduled reports were not made");
    }
}

async fn try_due(console: &Console, workspace: &Arc<Workspace>) -> Result<(), OpError> {
    let store = workspace.store();
    if store.report_schedules_due(workspace.now()).await?.is_empty() {
        return Ok(());
    }
    let holder = uuid::Uuid::now_v7().to_string();
    if !store.lease_acquire(LEASE, &holder, LEASE_TTL, workspace.now()).await? {
        return Ok(());
    }
    // Another console may have made them before it let go of the lease.
    for schedule in store.report_schedules_due(workspace.now()).await? {
        let confirmation = Some(workspace.connection().name.clone());
        let why = Some(by_schedule(&schedule));
        let call = Call { caller: engine_caller(), confirmation, reason: why.clone() };
        let (schedule, made) = run(console, workspace, &call, schedule).await;
        let entry = AuditDraft {
            caller: engine_caller(),
            action: "report_schedule_run".to_owned(),
            object: object(&schedule),
            permission: watchpost_model::access::Permission::Report,
            outcome: outcome(&made),
            changes: went(&schedule),
            // Nobody decides here; who set the schedule up, and why, stands in the record of that.
            reason: why,
            at: workspace.now(),
            risk: 0,
        };
        match store.report_schedule_ran(&schedule, entry).await {
            // Taken away while it was made.
            Err(watchpost_store::StoreError::NotFound(_)) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        store.lease_acquire(LEASE, &holder, LEASE_TTL, workspace.now()).await?;
    }
    store.lease_release(LEASE, &holder).await?;
    console.announce(&[Tag::Reports, Tag::Audit]);
    Ok(())
}

/// Makes the report and notes how it went.
async fn run(
    console: &Console,
    workspace: &Workspace,
    call: &Call,
    schedule: ReportSchedule,
) -> (ReportSchedule, Result<(), OpError>) {
    let now = workspace.now();
    let period = schedule.cadence.newest_complete(now);
    let folder = Path::new(&schedule.folder);
    let subject = schedule.subject.as_deref();
    let targets =
        files::report_targets(folder, &schedule.framework, subject, period, &schedule.formats, false);
    let made = match targets {
        Ok(targets) => {
            let request = ReportGenerate {
                framework: schedule.framework.clone(),
                period,
                subject: schedule.subject.clone(),
                files: targets,
                archive: schedule.archive,
                ticket: None,
                supersedes: None,
            };
            Box::pin(console.call::<operation::report_generate>(call, request)).await
        }
        Err(error) => Err(error),
    };
    let (report, error) = match &made {
        Ok(record) => (Some(record.id), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let last = Some(ScheduleRun { at: now, period, report, error });
    // What could not be made is tried again with the next period, or by hand: a full disk is no reason to try each minute.
    let schedule = ReportSchedule { due_at: schedule.cadence.next_due(now), last, ..schedule };
    (schedule, made.map(drop))
}

/// Why a scheduled report is made.
fn by_schedule(schedule: &ReportSchedule) -> String {
    format!("{} by the schedule {}; the record of its setting up says why", schedule.cadence, schedule.id)
}

fn outcome(made: &Result<(), OpError>) -> AuditOutcome {
    match made {
        Ok(()) => AuditOutcome::Success,
        Err(_) => AuditOutcome::Failure,
    }
}

fn object(schedule: &ReportSchedule) -> String {
    format!("report_schedule/{}", schedule.id)
}

/// What the audit trail says of a run.
fn went(schedule: &ReportSchedule) -> Vec<Change> {
    let words = match &schedule.last {
        Some(ScheduleRun { report: Some(id), .. }) => format!("made report {id}"),
        Some(ScheduleRun { error: Some(error), .. }) => error.clone(),
        Some(_) | None => "nothing was made".to_owned(),
    };
    vec![Change::new("result", Value::Null, words)]
}

async fn found(workspace: &Workspace, id: ScheduleId) -> Result<ReportSchedule, OpError> {
    let (all, unreadable) = workspace.store().report_schedules().await?;
    if unreadable.contains(&id.to_string()) {
        return Err(OpError::precondition(format!(
            "schedule {id} cannot be read: it was changed behind the back of Watchpost"
        ))
        .hint("take it away, and set it up again"));
    }
    all.into_iter().find(|schedule| schedule.id == id).ok_or_else(|| missing(&id.to_string()))
}

fn missing(id: &str) -> OpError {
    let id = visible(id, SCHEDULE_ID_SHOWN_MAX);
    OpError::new(ErrorCode::NotFound, format!("there is no schedule {id}"))
}
