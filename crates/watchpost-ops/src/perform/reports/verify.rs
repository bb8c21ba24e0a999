//! Checking a report file: by itself, against the audit trail, against the signature of its approval.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord, Change};
use watchpost_model::ids::ReportId;
use watchpost_model::report::{ReportRecord, ReportStatus};
use watchpost_report as report;
use watchpost_store::{NoteCheck, Store, open_note};

use super::copies::signed_text;
use crate::blocking::off_the_runtime;
use crate::contract::{ReportChecked, ReportProof, ReportVerify};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

/// A report file larger than this is not one of ours.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A signed note or a public key is a few lines.
const PROOF_BYTES_MAX: u64 = 16 << 10;

pub(crate) async fn report_verify(cx: Context, request: ReportVerify) -> Result<ReportChecked, OpError> {
    crate::perform::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let ReportVerify { path, proof } = request;
    let (bytes, proof) = off_the_runtime(move || {
        Ok::<_, OpError>((
            read_file("path", &path, FILE_BYTES_MAX)?,
            proof.as_ref().map(Proof::read).transpose()?,
        ))
    })
    .await??;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let mut found = ReportChecked {
        sha256: sha256.clone(),
        report: None,
        signature: None,
        audit_seq: None,
        checked: 0,
        problems: Vec::new(),
    };
    let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if looks_like_json {
        match report::verify_json(&bytes) {
            Ok((_, verified)) => {
                found.checked = verified.checked;
                found.problems = verified.problems;
            }
            Err(problem) => found.problems.push(problem),
        }
    }
    if let Some(proof) = proof {
        proof.check(&mut found);
        return Ok(found);
    }
    // The trail is the authority: the hash has to stand in the record of the making, or of a copy.
    let begins = |text: &str| text.split(' ').next() == Some(&sha256);
    let names = |change: &Change| change.new.as_str().is_some_and(begins);
    let names_it = |record: &AuditRecord| record.changes.iter().any(names);
    let mut record = newest(store, "report_generate", names_it).await?;
    if record.is_none() {
        record = newest(store, "report_copy", names_it).await?;
    }
    let Some(record) = record else {
        found.problems.push(
            "no report with this hash stands in this audit trail: it was made elsewhere or changed"
                .to_owned(),
        );
        return Ok(found);
    };
    found.audit_seq = Some(record.seq);
    if let Some(id) = record.object.strip_prefix("report/").and_then(|id| id.parse().ok()) {
        let kept = store.report(id).await?;
        let known = record.action == "report_copy"
            || kept.content_sha256 == sha256
            || kept.files.iter().any(|file| file.sha256 == sha256)
            || record.changes.iter().any(|change| change.field.starts_with("attached.") && names(change));
        if !known {
            found
                .problems
                .push("the record of the report does not name this file, the audit trail does".to_owned());
        }
        found.problems.extend(standing_problems(store, &kept).await?);
        check_signature(store, &kept, &mut found).await?;
        found.report = Some(kept);
    }
    Ok(found)
}

/// What the audit trail says otherwise of a report than its record: who made it, of what content, how far it is. The record
/// is a row that whoever has the database can change; the trail is not.
pub(super) async fn standing_problems(store: &Store, report: &ReportRecord) -> Result<Vec<String>, OpError> {
    let mut problems = Vec::new();
    let object = format!("report/{}", report.id);
    let content = store.report_content(report.id).await?;
    if hex::encode(Sha256::digest(content.as_bytes())) != report.content_sha256 {
        problems.push("the content that is kept is not the one that its record names".to_owned());
    }
    match newest(store, "report_generate", |record| record.object == object).await? {
        None => problems.push("the audit trail knows nothing of its making".to_owned()),
        Some(made) => {
            if !is_by(&made, &report.made_by) {
                problems.push(format!(
                    "the record of the report says that {} made it, the audit trail names {} (record {})",
                    report.made_by, made.actor, made.seq
                ));
            }
            let instead = made.changes.iter().find(|change| change.field == "supersedes");
            if instead.and_then(|change| change.new.as_str())
                != report.supersedes.map(|id| id.to_string()).as_deref()
            {
                problems.push(format!(
                    "it was made to take the place of another one (audit record {})",
                    made.seq
                ));
            }
            if !has_content(&made, report) {
                problems
                    .push(format!("its content is not the one that was made (audit record {})", made.seq));
            }
        }
    }
    let approved = newest(store, "report_approve", |record| record.object == object).await?;
    match (&report.approval, &approved) {
        (Some(claimed), None) => problems.push(format!(
            "the record of the report says that {} approved it, the audit trail knows of no approval",
            claimed.by
        )),
        (None, Some(record)) => problems.push(format!(
            "{} approved the report (audit record {}), its record says nothing of it",
            record.actor, record.seq
        )),
        (Some(claimed), Some(record)) => {
            if !is_by(record, &claimed.by) {
                problems.push(format!(
                    "the record of the report says that {} approved it, the audit trail names {} (record {})",
                    claimed.by, record.actor, record.seq
                ));
            }
            if record.reason.as_ref().is_some_and(|said| !said.starts_with('[') && *said != claimed.note) {
                problems.push(format!("{} said something else (audit record {})", claimed.by, record.seq));
            }
            if !has_content(record, report) {
                problems.push(format!("what was approved (audit record {}) is not this content", record.seq));
            }
        }
        (None, None) if report.status == ReportStatus::Final => {
            problems
                .push("the record of the report says final, the audit trail knows of no approval".to_owned());
        }
        (None, None) => {}
    }
    let instead = |record: &AuditRecord| is_instead_of(record, report);
    if report.status == ReportStatus::Superseded && successor(store, report).await?.is_none() {
        problems
            .push("the record of the report says superseded, the audit trail knows of no other".to_owned());
    }
    if report.status == ReportStatus::Final && approved.is_some() {
        // A final one stands until one that was made in its place is approved.
        let approvals = all(store, "report_approve").await?;
        let made = all(store, "report_generate").await?;
        let replaced = made
            .iter()
            .filter(|record| instead(record))
            .any(|record| approvals.iter().any(|approval| approval.object == record.object));
        if replaced {
            problems.push("a report made in the place of this one was approved: it is superseded".to_owned());
        }
    }
    Ok(problems)
}

/// Did this person do it? A name may have been erased.
fn is_by(record: &AuditRecord, name: &str) -> bool {
    record.actor.starts_with('[') || record.actor == name
}

fn has_content(record: &AuditRecord, report: &ReportRecord) -> bool {
    let named = record.changes.iter().find(|change| change.field == "content_sha256");
    named.is_none_or(|change| change.new == *report.content_sha256)
}

/// Was that report made to take the place of this one?
fn is_instead_of(record: &AuditRecord, report: &ReportRecord) -> bool {
    let id = report.id.to_string();
    record.changes.iter().any(|change| change.field == "supersedes" && change.new == *id)
}

/// The report that was made to take the place of a superseded one, the newest of several.
pub(super) async fn successor(store: &Store, report: &ReportRecord) -> Result<Option<ReportId>, OpError> {
    if report.status != ReportStatus::Superseded {
        return Ok(None);
    }
    let made = newest(store, "report_generate", |record| is_instead_of(record, report)).await?;
    Ok(made.and_then(|record| record.object.strip_prefix("report/")?.parse().ok()))
}

/// Says whether the signature of a final report holds; one that does not is a problem.
async fn check_signature(
    store: &Store,
    report: &ReportRecord,
    found: &mut ReportChecked,
) -> Result<(), OpError> {
    let Some(approval) = &report.approval else { return Ok(()) };
    if report.status == ReportStatus::Draft {
        found.problems.push("a draft has an approval: its record was changed".to_owned());
    }
    let Some(note) = &approval.signed_note else {
        found.signature = Some("none: the console had no key that is kept when it was approved".to_owned());
        return Ok(());
    };
    let words = match store.note_check(note, &signed_text(report, &approval.by)).await? {
        NoteCheck::Holds(name) => format!("by {name}, holds"),
        NoteCheck::OtherKey(name) => {
            format!("by {name}, a key that this console and its audit trail do not have: not checked")
        }
        NoteCheck::Broken => {
            found.problems.push("the signature of the approval does not hold".to_owned());
            "does not hold".to_owned()
        }
    };
    found.signature = Some(words);
    Ok(())
}

/// A signed approval and the key that is trusted for it, as they lie beside a copy.
struct Proof {
    note: String,
    pem: String,
}

impl Proof {
    fn read(files: &ReportProof) -> Result<Self, OpError> {
        let text = |field: &str, path: &str| {
            let bytes = read_file(field, path, PROOF_BYTES_MAX)?;
            String::from_utf8(bytes).map_err(|_| OpError::invalid(field, format!("{path} is no text")))
        };
        Ok(Self { note: text("approval", &files.approval)?, pem: text("key", &files.key)? })
    }

    /// Holds the signature for this file? There is no trail to ask.
    fn check(&self, found: &mut ReportChecked) {
        let Some((text, name)) = open_note(&self.note, &self.pem) else {
            found.signature = Some("does not hold".to_owned());
            found
                .problems
                .push("the approval is not signed by this key, or one of them was changed".to_owned());
            return;
        };
        let mut lines = text.lines();
        let (report, hash, by) = (lines.next(), lines.next(), lines.next().unwrap_or_default());
        if report.is_none_or(|line| !line.starts_with("watchpost report ")) || hash.is_none() {
            found.problems.push("the signed text is no approval of a report".to_owned());
        } else if hash != Some(&found.sha256) {
            found
                .problems
                .push("the approval is of another file: only the JSON is signed, to the byte".to_owned());
        }
        found.signature = Some(format!("by {name}, holds with the key given; approved by {by}"));
    }
}

/// The newest successful record of `action` that is so.
async fn newest(
    store: &Store,
    action: &str,
    is: impl Fn(&AuditRecord) -> bool,
) -> Result<Option<AuditRecord>, OpError> {
    Ok(all(store, action).await?.into_iter().find(|record| is(record)))
}

/// All successful records of `action`, newest first: reports are few.
async fn all(store: &Store, action: &str) -> Result<Vec<AuditRecord>, OpError> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        outcome: Some(AuditOutcome::Success),
        ..AuditFilter::default()
    };
    let (mut records, mut before) = (Vec::new(), None);
    loop {
        let page: Vec<AuditRecord> = store.audit_page(&filter, before, 500).await?;
        let Some(last) = page.last().map(|record| record.seq) else { return Ok(records) };
        records.extend(page);
        before = Some(last);
    }
}

fn read_file(field: &str, path: &str, bytes_max: u64) -> Result<Vec<u8>, OpError> {
    let unreadable = |error: std::io::Error| OpError {
        field: Some(field.to_owned()),
        ..OpError::new(ErrorCode::Unavailable, format!("cannot read {path}: {error}"))
    };
    // What a path leads to may have no end, or grow.
    let mut bytes = Vec::new();
    let file = std::fs::File::open(Path::new(path)).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(OpError::invalid(field, format!("{path} is too large to be one of ours")));
    }
    Ok(bytes)
}
