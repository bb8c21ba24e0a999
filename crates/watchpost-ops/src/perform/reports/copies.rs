//! Approving a report, and giving out copies that say how far it is.

use std::sync::Arc;

use serde_json::Value;
use watchpost_model::audit::Change;
use watchpost_model::report::{Approval, ReportFormat, ReportRecord, ReportStatus};
use watchpost_report::Standing;
use watchpost_store::{NoteCheck, Store};

use super::{files, kept};
use crate::contract::{ReportApprove, ReportChecked, ReportCopied, ReportCopy};
use crate::door::Context;
use crate::error::OpError;
use crate::perform::required;

pub(crate) async fn report_approve(cx: Context, request: ReportApprove) -> Result<ReportRecord, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let note = required("note", &request.note, 2_000)?;
    let record = store.report(request.id).await?;
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
fn signed_text(record: &ReportRecord, by: &str) -> String {
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
    files::not_of_a_final(store, &request.files).await?;
    let report = store.report(request.id).await?;
    let mut document = kept(store, request.id).await?;
    document.standing = Standing { status: report.status, approval: report.approval.clone() };
    let making = cx.console.0.makings.begin(None)?;
    making.steps(request.files.len());
    let written = files::write(&Arc::new(document), request.files, request.archive, &making).await?;
    let mut changes = vec![Change::new("status", Value::Null, report.status.as_str())];
    changes.extend(files::changes(&written.files));
    let entry = cx.record(format!("report/{}", report.id), changes, None);
    store.audit_append(entry).await?;
    let files = written.files.clone();
    written.keep();
    Ok(ReportCopied { report, files })
}

/// Says whether the signature of a final report holds; one that does not is a problem.
pub(super) fn check_signature(store: &Store, report: &ReportRecord, found: &mut ReportChecked) {
    let Some(approval) = &report.approval else { return };
    let Some(note) = &approval.signed_note else {
        found.signature = Some("none: the console had no key that is kept when it was approved".to_owned());
        return;
    };
    let text = signed_text(report, &approval.by);
    let words = match store.note_check(note, &text) {
        NoteCheck::Holds(name) => format!("by {name}, holds"),
        NoteCheck::OtherKey(name) => {
            format!("by {name}, whose key this console does not have: not checked")
        }
        NoteCheck::Broken => {
            found.problems.push("the signature of the approval does not hold".to_owned());
            "does not hold".to_owned()
        }
    };
    found.signature = Some(words);
    if report.status == ReportStatus::Draft {
        found.problems.push("a draft has an approval: its record was changed".to_owned());
    }
}
