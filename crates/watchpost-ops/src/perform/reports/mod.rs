//! Reports: evaluating, writing, approving, comparing, checking.

mod breach;
mod comments;
mod compose;
mod copies;
mod executive;
mod files;
mod incident;
mod kpi;
mod parts;
mod people;
mod redis;
mod schedule;
mod standing;
mod verify;

pub(crate) use people::subject_access;

pub(crate) use comments::{report_comment_add, report_comment_list, report_comment_withdraw};
pub(crate) use copies::{report_approve, report_copy};
pub(crate) use files::report_names;
pub use files::report_targets;
pub(crate) use schedule::{
    report_schedule_add, report_schedule_list, report_schedule_pause, report_schedule_remove,
    report_schedule_run, run_due,
};
pub use verify::checked_alone;
pub(crate) use verify::report_verify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use serde_json::Value;
use sha2::{Digest, Sha256};
use watchpost_model::audit::Change;
use watchpost_model::evidence::EvidenceAsk;
use watchpost_model::ids::ReportId;
use watchpost_model::period::Period;
use watchpost_model::report::{ReportFormat, ReportRecord, ReportStatus};
use watchpost_report::{
    self as report, AgeCount, ChartData, Framework, LogHead, Parameter, ReportDocument, ReportKind, Scope,
    SeverityCount,
};
use watchpost_store::{AuditHead, ReportCharts, Store};

use self::standing::{Told, about, trusted};
use super::events::checked;
use super::settings;
use crate::console::Workspace;
use crate::contract::{
    FrameworkInfo, FrameworkList, Nothing, ReportChanges, ReportCompare, ReportGenerate, ReportList,
    ReportPageRequest, ReportProgress, ReportRequest, ReportTicket,
};
use crate::door::Context;
use crate::error::OpError;
use crate::making::Making;

/// Rows of a check that a window is sent; the files have them all.
const ROWS_SHOWN_MAX: usize = 500;

/// Reports of a list, and most of one.
const REPORTS_SHOWN: u32 = 200;
const REPORTS_SHOWN_MAX: u32 = 10_000;

/// More statements or comments about one framework than this are not read: the oldest are left out, and counted.
const GIVEN_MAX: u32 = 10_000;

/// The built-in framework of this id, or the user's.
pub(super) fn framework(cx: &Context, id: &str) -> Result<Framework, OpError> {
    if let Some(framework) = Framework::by_id(id) {
        return Ok(framework);
    }
    let (own, broken) = Framework::read_folder(&cx.console.paths().frameworks(), &compose::ids());
    if let Some(framework) = own.iter().find(|framework| framework.id == id) {
        return Ok(framework.clone());
    }
    let broken = match broken.len() {
        0 => String::new(),
        n => format!("; of own files that cannot be used ({n}) it says why"),
    };
    Err(OpError::invalid("framework", format!("there is no framework and no kind of report {id:?}"))
        .hint(format!("`watchpost report frameworks` lists those there are{broken}")))
}

pub(crate) async fn report_frameworks(cx: Context, _: Nothing) -> Result<FrameworkList, OpError> {
    let folder = cx.console.paths().frameworks();
    let (own, broken) = Framework::read_folder(&folder, &compose::ids());
    let mut frameworks: Vec<FrameworkInfo> = Framework::builtin()
        .into_iter()
        .chain(own)
        .map(|framework| FrameworkInfo {
            controls: u32::try_from(framework.controls.len()).unwrap_or(u32::MAX),
            id: framework.id,
            name: framework.name,
            version: framework.version,
            kind: ReportKind::Framework,
            subject: None,
            about: framework.note,
        })
        .collect();
    frameworks.sort_by(|a, b| a.name.cmp(&b.name));
    frameworks.extend(compose::KINDS.iter().map(|kind| FrameworkInfo {
        id: kind.id.to_owned(),
        name: kind.name.to_owned(),
        version: String::new(),
        controls: 0,
        kind: kind.kind,
        subject: kind.subject.map(str::to_owned),
        about: kind.about.to_owned(),
    }));
    Ok(FrameworkList {
        frameworks,
        broken: broken.iter().map(ToString::to_string).collect(),
        folder: folder.to_string_lossy().into_owned(),
    })
}

pub(crate) async fn report_preview(cx: Context, request: ReportRequest) -> Result<ReportDocument, OpError> {
    let making = cx.console.0.makings.begin(request.ticket)?;
    let subject = request.subject.as_deref();
    let mut shown =
        Box::pin(document(&cx, &request.framework, request.period, subject, (&making, 0))).await?;
    for check in shown.controls.iter_mut().flat_map(|control| &mut control.checks) {
        check.rows.truncate(ROWS_SHOWN_MAX);
    }
    Ok(shown)
}

pub(crate) async fn report_generate(cx: Context, request: ReportGenerate) -> Result<ReportRecord, OpError> {
    super::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    if request.files.is_empty() {
        return Err(OpError::invalid("files", "choose at least one file to write"));
    }
    let paths: BTreeSet<&str> = request.files.iter().map(|file| file.path.as_str()).collect();
    if paths.len() < request.files.len() {
        return Err(OpError::invalid("files", "two files have the same path"));
    }
    if request.archive && request.files.iter().all(|file| file.format != ReportFormat::Pdf) {
        return Err(OpError::invalid("archive", "only a PDF has an archive copy: add the format pdf"));
    }
    files::unoccupied(&request.files)?;
    files::not_of_a_final(workspace.store(), &request.files).await?;
    if let Some(id) = request.supersedes {
        let old = workspace.store().report(id).await?;
        if (&old.framework, old.period, &old.subject)
            != (&request.framework, request.period, &request.subject)
        {
            let (from, to) = (compose::time(old.period.from), compose::time(old.period.to));
            let about = old.subject.as_ref().map(|text| format!(" about {text}")).unwrap_or_default();
            let message = format!("report {id} is another one: {}{about} from {from} to {to}", old.framework);
            return Err(OpError::invalid("supersedes", message));
        }
        if old.status == ReportStatus::Superseded {
            return Err(OpError::invalid("supersedes", format!("report {id} is superseded already")));
        }
    }
    let making = cx.console.0.makings.begin(request.ticket)?;
    let subject = request.subject.as_deref();
    let n_files = request.files.len();
    let document = document(&cx, &request.framework, request.period, subject, (&making, n_files));
    let document = Arc::new(Box::pin(document).await?);
    let archive = request.archive;
    let written = files::write(&document, request.files, archive, &making).await?;
    let content = document
        .canonical_json()
        .map_err(|error| OpError::internal(format!("the report has no canonical form: {error}")))?;
    let (summary, worst) = match document.kind {
        ReportKind::Framework => (document.summary.line(), document.summary.worst().as_str().to_owned()),
        // Nothing was judged, so nothing passed.
        _ => (compose::line(&document), "none".to_owned()),
    };
    let record = ReportRecord {
        id: ReportId::at(workspace.now()),
        framework: request.framework,
        period: request.period,
        made_at: document.scope.generated_at,
        made_by: cx.caller.name.clone(),
        content_sha256: hex::encode(Sha256::digest(content.as_bytes())),
        summary,
        worst,
        files: written.files.clone(),
        subject: request.subject,
        status: ReportStatus::Draft,
        approval: None,
        supersedes: request.supersedes,
    };
    let mut changes = about(&record.framework, record.subject.as_deref(), record.period);
    changes.extend([
        Change::new("content_sha256", Value::Null, record.content_sha256.as_str()),
        Change::new("result", Value::Null, record.summary.as_str()),
    ]);
    changes.extend(files::changes(&record.files));
    changes.extend(files::attached(&document, archive).await?);
    if archive {
        changes.push(Change::new("archive", Value::Null, "PDF/A-3a"));
    }
    if let Some(id) = record.supersedes {
        changes.push(Change::new("supersedes", Value::Null, id.to_string()));
    }
    let entry = cx.record(format!("report/{}", record.id), changes, None);
    workspace.store().report_add(&record, &content, entry).await?;
    written.keep(record.id)?;
    Ok(record)
}

pub(crate) async fn report_progress(cx: Context, request: ReportTicket) -> Result<ReportProgress, OpError> {
    Ok(cx.console.0.makings.progress(&request.ticket))
}

pub(crate) async fn report_cancel(cx: Context, request: ReportTicket) -> Result<ReportProgress, OpError> {
    Ok(cx.console.0.makings.cancel(&request.ticket))
}

pub(crate) async fn report_list(cx: Context, request: ReportPageRequest) -> Result<ReportList, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let (all, unreadable) = store.reports().await?;
    // What the trail doubts is told of all, whichever are shown.
    let doubted = Told::read(store).await?.doubted(store, &all, unreadable).await?;
    let fits = |report: &ReportRecord| {
        request.framework.as_ref().is_none_or(|framework| report.framework == *framework)
            && request.id.is_none_or(|id| report.id == id)
    };
    let mut reports: Vec<ReportRecord> = all.into_iter().filter(fits).collect();
    let total = reports.len() as u64;
    if let Some(before) = request.before {
        let after = reports.iter().position(|report| report.id == before).map(|at| at + 1);
        let missing = || OpError::invalid("before", format!("there is no report {before} in this list"));
        reports.drain(..after.ok_or_else(missing)?);
    }
    reports.truncate(request.limit.unwrap_or(REPORTS_SHOWN).clamp(1, REPORTS_SHOWN_MAX) as usize);
    Ok(ReportList { reports, total, doubted })
}

pub(crate) async fn report_compare(cx: Context, request: ReportCompare) -> Result<ReportChanges, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let (now, told) = trusted(store, request.id).await?;
    let mut notes = Vec::new();
    let earlier = match request.before {
        Some(id) => id,
        None => {
            let mut sound = Vec::new();
            for old in store.reports().await?.0 {
                // What was forged does not choose itself.
                if told.problems(&old)?.is_empty() {
                    sound.push(old);
                }
            }
            let n = told.passed_over(&now, &sound);
            let passed_over = (n > 0).then(|| {
                format!(
                    "{n} earlier of this framework and subject passed over: the audit trail doubts them, or their records \
                     are gone (`watchpost report list`)"
                )
            });
            let Some(found) = earlier_of(&now, sound) else {
                let missing = OpError::not_found("earlier report of this framework");
                return Err(match passed_over {
                    Some(words) => missing.hint(words),
                    None => missing,
                });
            };
            notes.extend(passed_over);
            found.id
        }
    };
    let (before, _) = trusted(store, earlier).await?;
    if before.framework != now.framework {
        return Err(OpError::invalid("before", "the two reports are about different frameworks"));
    }
    if before.subject != now.subject {
        return Err(OpError::invalid("before", "the two reports are about different subjects"));
    }
    let days = |report: &ReportRecord| (report.period.seconds() + 43_200) / 86_400;
    if days(&before) != days(&now) {
        notes.push(format!(
            "the periods differ in length, {} and {} days: more or fewer exceptions may mean no more than that",
            days(&before),
            days(&now)
        ));
    }
    let (old, new) = (kept(store, before.id).await?, kept(store, now.id).await?);
    let (columns, rows) = match new.kind {
        ReportKind::Framework => (
            vec!["control", "title", "before", "now", "exceptions before", "exceptions now"],
            report::compare(&old, &new),
        ),
        _ => (vec!["section", "figure", "before", "now"], report::compare_figures(&old, &new)),
    };
    Ok(ReportChanges { before, now, notes, columns: columns.into_iter().map(str::to_owned).collect(), rows })
}

/// Of the same framework and subject: the newest about a period of the same length that ended no later, else the newest
/// about any that did.
fn earlier_of(now: &ReportRecord, reports: Vec<ReportRecord>) -> Option<ReportRecord> {
    let mut earlier: Vec<ReportRecord> = reports
        .into_iter()
        .filter(|old| old.framework == now.framework && old.subject == now.subject)
        .filter(|old| old.period.to <= now.period.to && old.made_at < now.made_at)
        .collect();
    // Months and quarters are not of one length.
    let alike =
        |old: &ReportRecord| (old.period.seconds() - now.period.seconds()).abs() <= now.period.seconds() / 10;
    let place = earlier.iter().position(|old| old.period.to < now.period.to && alike(old));
    let place = place.or_else(|| earlier.iter().position(alike)).unwrap_or(0);
    (!earlier.is_empty()).then(|| earlier.swap_remove(place))
}

/// The document of a report that was made earlier.
async fn kept(store: &Store, id: ReportId) -> Result<ReportDocument, OpError> {
    serde_json::from_str(&store.report_content(id).await?).map_err(|error| {
        OpError::precondition(format!("report {id} was made by a version with another form: {error}"))
    })
}

/// Makes the document of a framework or of another kind, on one snapshot of the database, so that its figures fit each
/// other and the log's root. `making` is told of each step; that many files are to follow.
async fn document(
    cx: &Context,
    id: &str,
    period: Period,
    subject: Option<&str>,
    (making, n_files): (&Making, usize),
) -> Result<ReportDocument, OpError> {
    let workspace = cx.workspace()?;
    let period = checked(period)?;
    let now = workspace.now();
    if period.from > now {
        return Err(OpError::invalid("period", "the period lies in the future"));
    }
    let store = workspace.store().snapshot().await?;
    let head = store.audit_head().await?;
    let doubted = |document: ReportDocument| match workspace.witness().problem() {
        Some((_, problem)) => document.in_doubt(&problem),
        None => document,
    };
    if let Some(kind) = compose::KINDS.iter().find(|kind| kind.id == id) {
        making.steps(1 + n_files);
        let scope = scope(cx, &workspace, (id, subject, period), head).await?;
        let document = Box::pin(compose::document(cx, &store, kind, scope, subject));
        return making.step("composing", document).await.map(doubted);
    }
    let framework = framework(cx, id)?;
    if subject.is_some_and(|text| !text.trim().is_empty()) {
        return Err(OpError::invalid("subject", format!("{} is about no single thing", framework.name)));
    }
    let scope = scope(cx, &workspace, (id, None, period), head).await?;
    judged(&store, &framework, scope, (making, n_files)).await.map(doubted)
}

/// Asks each question of a framework and judges its controls.
async fn judged(
    store: &Store,
    framework: &Framework,
    scope: Scope,
    (making, n_files): (&Making, usize),
) -> Result<ReportDocument, OpError> {
    let (period, now) = (scope.period, scope.generated_at);
    let asks = framework.asks();
    making.steps(asks.len() + 2 + n_files);
    let asked = asks.into_iter().map(|ask| {
        let seed = report::sample_seed(&scope, &framework.id, &ask);
        let words = ask.query.as_str().replace('_', " ");
        async move {
            let answer = making.step(&words, store.evidence(&ask, period, now, &seed)).await?;
            Ok::<_, OpError>((ask, answer))
        }
    });
    let answers: BTreeMap<EvidenceAsk, _> =
        futures_util::stream::iter(asked).buffer_unordered(store.lanes()).try_collect().await?;
    let given = store.proofs(&framework.id, now, GIVEN_MAX);
    let (proofs, proofs_left_out) = making.step("what people gave", given).await?;
    let (comments, comments_left_out) = store.control_comments(&framework.id, now, GIVEN_MAX).await?;
    let charts = charts(making.step("charts", store.report_charts(period, now)).await?);
    let mut document =
        report::evaluate(framework, scope, &answers, &proofs, Some(charts)).with_comments(&comments);
    for (what, n) in
        [("proofs", proofs_left_out), ("comments", comments_left_out)].into_iter().filter(|(_, n)| *n > 0)
    {
        document.parameters.push(Parameter::new(format!("older {what} left out"), n.to_string()));
    }
    Ok(document)
}

/// The store's numbers in the shape of the document.
fn charts(found: ReportCharts) -> ChartData {
    ChartData {
        authentication: found.authentication,
        by_category: found.by_category,
        incidents_by_severity: found
            .incidents_by_severity
            .into_iter()
            .map(|(severity, incidents)| SeverityCount { severity, incidents })
            .collect(),
        incidents_by_age: found
            .incidents_by_age
            .into_iter()
            .map(|(age, incidents)| AgeCount { age, incidents })
            .collect(),
        by_hour: found.by_hour,
    }
}

/// This program, as reports name it.
fn generator() -> String {
    format!("Watchpost {}", env!("CARGO_PKG_VERSION"))
}

async fn scope(
    cx: &Context,
    workspace: &Workspace,
    (framework, subject, period): (&str, Option<&str>, Period),
    head: AuditHead,
) -> Result<Scope, OpError> {
    let earlier = Told::read(workspace.store()).await?.made_about(framework, subject, period);
    Ok(Scope {
        earlier,
        organisation: settings::current(workspace).await?.organisation,
        workspace: workspace.connection().name.clone(),
        period,
        generated_at: workspace.now(),
        generated_by: cx.caller.name.clone(),
        generator: generator(),
        log: LogHead { id: head.log_id, size: head.size, root: head.root },
        sources: vec![workspace.redis_part().detail, workspace.store().engine_name().to_owned()],
    })
}
