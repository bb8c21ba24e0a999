//! Compliance reports.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use watchpost_model::audit::Change;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceQuery};
use watchpost_model::ids::ReportId;
use watchpost_model::period::Period;
use watchpost_model::report::{ReportFile, ReportFormat, ReportRecord};
use watchpost_report::{self as report, ChartData, Framework, LogHead, ReportDocument, Scope};

use super::events::checked;
use super::settings;
use crate::console::Workspace;
use crate::contract::{FrameworkInfo, FrameworkList, Nothing, ReportGenerate, ReportList, ReportRequest};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

fn framework(id: &str) -> Result<Framework, OpError> {
    Framework::by_id(id).ok_or_else(|| {
        let known: Vec<String> = Framework::builtin().into_iter().map(|framework| framework.id).collect();
        OpError::invalid("framework", format!("there is no framework {id:?}"))
            .hint(format!("known: {}", known.join(", ")))
    })
}

pub(crate) async fn report_frameworks(_: Context, _: Nothing) -> Result<FrameworkList, OpError> {
    let frameworks = Framework::builtin()
        .into_iter()
        .map(|framework| FrameworkInfo {
            controls: u32::try_from(framework.controls.len()).unwrap_or(u32::MAX),
            id: framework.id,
            name: framework.name,
            version: framework.version,
        })
        .collect();
    Ok(FrameworkList { frameworks })
}

pub(crate) async fn report_preview(cx: Context, request: ReportRequest) -> Result<ReportDocument, OpError> {
    document(&cx, &request.framework, request.period).await
}

pub(crate) async fn report_generate(cx: Context, request: ReportGenerate) -> Result<ReportRecord, OpError> {
    super::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    if request.files.is_empty() {
        return Err(OpError::invalid("files", "choose at least one file to write"));
    }
    let document = document(&cx, &request.framework, request.period).await?;
    let mut files = Vec::new();
    for target in request.files {
        let document = document.clone();
        // Rendering is CPU work; writing waits for the disk.
        let written =
            tokio::task::spawn_blocking(move || write(&document, target.format, &target.path)).await;
        files.push(written.map_err(|error| OpError::internal(format!("rendering failed: {error}")))??);
    }
    let content_sha256 = document
        .sha256()
        .map_err(|error| OpError::internal(format!("the report has no canonical form: {error}")))?;
    let record = ReportRecord {
        id: ReportId::at(workspace.now()),
        framework: request.framework,
        period: request.period,
        made_at: document.scope.generated_at,
        made_by: cx.caller.name.clone(),
        content_sha256,
        summary: document.summary.line(),
        worst: document.summary.worst().as_str().to_owned(),
        files,
    };
    let changes = record
        .files
        .iter()
        .map(|file| {
            Change::new(
                &format!("file.{}", file.format),
                Value::Null,
                format!("{} {}", file.sha256, file.path),
            )
        })
        .collect();
    let entry = cx.record(format!("report/{}", record.id), changes, Some(record.summary.clone()));
    workspace.store().report_add(&record, entry).await?;
    Ok(record)
}

pub(crate) async fn report_list(cx: Context, _: Nothing) -> Result<ReportList, OpError> {
    Ok(ReportList { reports: cx.workspace()?.store().reports(200).await? })
}

/// Buckets of a report's charts: whole hours or days where the period allows it, at most 62.
fn buckets(period: Period) -> u32 {
    const STEPS_H: [i64; 7] = [1, 3, 6, 12, 24, 24 * 7, 24 * 30];
    let hours = (period.seconds() / 3_600).max(1);
    let fitting = STEPS_H.iter().find(|&&step| hours % step == 0 && hours / step <= 62);
    fitting.map_or(60, |step| u32::try_from(hours / step).unwrap_or(60)).max(1)
}

/// Asks the store every question of the framework and evaluates the answers.
async fn document(cx: &Context, id: &str, period: Period) -> Result<ReportDocument, OpError> {
    let workspace = cx.workspace()?;
    let framework = framework(id)?;
    let period = checked(period)?;
    let now = workspace.now();
    if period.from > now {
        return Err(OpError::invalid("period", "the period lies in the future"));
    }
    let mut answers: BTreeMap<EvidenceQuery, EvidenceAnswer> = BTreeMap::new();
    for query in framework.queries() {
        answers.insert(query, workspace.store().evidence(query, period, now).await?);
    }
    let scope = scope(cx, &workspace, period).await?;
    let overview = workspace.store().overview(period, now, buckets(period)).await?;
    let charts = ChartData::from_overview(&overview);
    Ok(report::evaluate(&framework, scope, &answers, charts))
}

async fn scope(cx: &Context, workspace: &Workspace, period: Period) -> Result<Scope, OpError> {
    let store = workspace.store();
    let head = store.audit_head().await?;
    Ok(Scope {
        organisation: settings::current(workspace).await?.organisation,
        workspace: workspace.connection().name.clone(),
        period,
        generated_at: workspace.now(),
        generated_by: cx.caller.name.clone(),
        generator: format!("Watchpost {}", env!("CARGO_PKG_VERSION")),
        log: LogHead { id: head.log_id, size: head.size, root: head.root },
        sources: vec![workspace.redis_part().detail, store.engine_name().to_owned()],
    })
}

fn write(document: &ReportDocument, format: ReportFormat, path: &str) -> Result<ReportFile, OpError> {
    let broken =
        |error: report::ReportError| OpError::internal(format!("cannot render the {format}: {error}"));
    let bytes = match format {
        ReportFormat::Pdf => report::render_pdf(document).map_err(broken)?,
        ReportFormat::Csv => report::render_csv(document).map_err(broken)?,
        ReportFormat::Json => report::render_json(document).map_err(broken)?.into_bytes(),
        ReportFormat::Markdown => report::render_markdown(document).map_err(broken)?.into_bytes(),
    };
    let sha256 = report::write_atomically(Path::new(path), &bytes).map_err(|error| {
        OpError { field: Some("files".to_owned()), ..OpError::new(ErrorCode::Unavailable, error.to_string()) }
            .hint("choose another folder")
    })?;
    Ok(ReportFile { format, path: path.to_owned(), sha256, bytes: bytes.len() as u64 })
}
