//! Approving a report, and giving out copies that say how far it is.

use std::sync::Arc;

use serde_json::Value;
use watchpost_model::audit::Change;
use watchpost_model::report::{Approval, ReportFormat, ReportRecord};
use watchpost_report::Standing;
use watchpost_store::Store;

use super::standing::trusted;
use super::{files, kept};
use crate::contract::{ReportApprove, ReportCopied, ReportCopy, ReportProof, ReportTarget};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::perform::required;

pub(crate) async fn report_approve(cx: Context, request: ReportApprove) -> Result<ReportRecord, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let note = required("note", &request.note, 2_000)?;
    let (record, _) = trusted(store, request.id).await?;
    if record.made_by.trim().to_lowercase() == cx.caller.name.trim().to_lowercase() {
        let message = "a report is approved by somebody who did not make it";
        return Err(OpError::new(ErrorCode::Permission, message)
            .hint(format!("{} made this one: a second person approves it", record.made_by)));
    }
    let approval = Approval {
        by: cx.caller.name.clone(),
        at: workspace.now(),
        note: note.clone(),
        signed_note: store.sign_note(&signed_text(&record, &cx.caller.name)),
    };
    let entry = cx.record(format!("report/{}", record.id), Vec::new(), Some(note));
    Ok(store.report_approve(request.id, approval, entry).await?)
}

/// What the signature of an approval is over: the report, the hash of its JSON, and who approved it, a line each.
pub(super) fn signed_text(record: &ReportRecord, by: &str) -> String {
    format!("watchpost report {}\n{}\n{by}\n", record.id, record.content_sha256)
}

/// Writes a report that was made earlier once more, from its kept content: the JSON is the same to the byte, the other
/// formats say how far it is now.
pub(crate) async fn report_copy(cx: Context, request: ReportCopy) -> Result<ReportCopied, OpError> {
    crate::perform::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let store = workspace.store();
    if request.files.is_empty() {
        return Err(OpError::invalid("files", "choose at least one file to write"));
    }
    if request.archive && request.files.iter().all(|file| file.format != ReportFormat::Pdf) {
        return Err(OpError::invalid("archive", "only a PDF has an archive copy: add the format pdf"));
    }
    files::unoccupied(&request.files)?;
    let json = request.files.iter().find(|file| file.format == ReportFormat::Json).cloned();
    files::not_of_a_final(store, &request.files).await?;
    let (report, told) = trusted(store, request.id).await?;
    let mut document = kept(store, request.id).await?;
    document.standing = Standing {
        status: report.status,
        approval: report.approval.clone(),
        successor: told.successor(&report),
    };
    let making = cx.console.0.makings.begin(None)?;
    making.steps(request.files.len());
    let proof = match json {
        Some(json) => proof(store, &report, &json).await?,
        None => None,
    };
    let document = Arc::new(document);
    let mut written = files::write(&document, request.files, request.archive, &making).await?;
    if let Some((files, texts, replace)) = &proof {
        written.beside(&files.approval, &texts.0, *replace)?;
        written.beside(&files.key, &texts.1, *replace)?;
    }
    let mut changes = vec![Change::new("status", Value::Null, report.status.as_str())];
    changes.extend(files::changes(&written.files));
    changes.extend(files::attached(&document, request.archive).await?);
    let entry = cx.record(format!("report/{}", report.id), changes, None);
    store.audit_append(entry).await?;
    let files = written.files.clone();
    written.keep(report.id)?;
    Ok(ReportCopied { report, files, proof: proof.map(|(files, ..)| files) })
}

/// What goes beside the JSON of an approved report, so that whoever has neither this console nor its database can check the
/// signature: the signed approval and the public key, as files and as their texts, and whether they may replace others.
async fn proof(
    store: &Store,
    report: &ReportRecord,
    json: &ReportTarget,
) -> Result<Option<(ReportProof, (String, String), bool)>, OpError> {
    let Some(note) = report.approval.as_ref().and_then(|approval| approval.signed_note.clone()) else {
        return Ok(None);
    };
    let Some(key) = store.note_key(&note).await? else { return Ok(None) };
    let files = files::beside_json(&json.path);
    if !json.replace {
        files::unoccupied_paths([&files.approval, &files.key].into_iter().cloned())?;
    }
    Ok(Some((files, (note, key), json.replace)))
}
