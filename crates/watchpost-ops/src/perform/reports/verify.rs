//! Checking a report file: by itself, against the audit trail, against the signature of its approval.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use watchpost_model::audit::{AuditRecord, Change};
use watchpost_model::ids::ReportId;
use watchpost_model::report::ReportRecord;
use watchpost_model::text::visible;
use watchpost_report::{self as report, Framework, ReportDocument};
use watchpost_store::{
    NoteCheck, NoteProblem, Store, StoreError, open_note, question_columns, question_words,
};

use super::copies::signed_text;
use super::standing::{Told, all, content_problem};
use super::{generator, parts};
use crate::blocking::off_the_runtime;
use crate::contract::{ReportChecked, ReportProof, ReportVerify};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

/// A report file larger than this is not one of ours.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Of a name that somebody else wrote.
const NAME_SHOWN_MAX: usize = 120;

/// A signed note or a public key is a few lines.
const PROOF_BYTES_MAX: u64 = 16 << 10;

pub(crate) async fn report_verify(cx: Context, request: ReportVerify) -> Result<ReportChecked, OpError> {
    crate::perform::at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let ReportVerify { path, proof } = request;
    let alone = proof.is_some();
    let (mut found, other_edition) = off_the_runtime(move || checked(&path, proof.as_ref())).await??;
    if alone {
        found.problems.extend(other_edition);
        return Ok(found);
    }
    if let Some((_, problem)) = workspace.witness().problem() {
        found.problems.push(format!("the audit trail that says so is in doubt itself: {problem}"));
    }
    let sha256 = found.sha256.clone();
    // The trail is the authority: the hash has to stand in the record of the making, or of a copy.
    let begins = |text: &str| text.split(' ').next() == Some(&sha256);
    let names = |change: &Change| change.new.as_str().is_some_and(begins);
    let names_it = |record: &AuditRecord| record.changes.iter().any(names);
    let mut record = all(store, "report_generate").await?.into_iter().find(names_it);
    if record.is_none() {
        record = all(store, "report_copy").await?.into_iter().find(names_it);
    }
    let Some(record) = record else {
        found.problems.extend(other_edition);
        found.problems.push(
            "no report with this hash stands in this audit trail: it was made elsewhere or changed"
                .to_owned(),
        );
        return Ok(found);
    };
    found.audit_seq = Some(record.seq);
    if let Some(id) = record.object.strip_prefix("report/").and_then(|id| id.parse().ok()) {
        let told = Told::read(store).await?;
        let kept = match store.report(id).await {
            Ok(kept) => kept,
            Err(StoreError::NotFound(message)) => {
                found.problems.push(told.gone(id).unwrap_or(message));
                return Ok(found);
            }
            Err(StoreError::Corrupt(message)) => {
                found.problems.push(message);
                return Ok(found);
            }
            Err(error) => return Err(error.into()),
        };
        let known = record.action == "report_copy"
            || kept.content_sha256 == sha256
            || kept.files.iter().any(|file| file.sha256 == sha256)
            || record.changes.iter().any(|change| change.field.starts_with("attached.") && names(change));
        if !known {
            found
                .problems
                .push("the record of the report does not name this file, the audit trail does".to_owned());
        }
        found.problems.extend(told.problems(&kept)?);
        found.problems.extend(content_problem(store, &kept).await?);
        check_signature(store, &kept, &mut found).await?;
        found.report = Some(kept);
    }
    Ok(found)
}

/// Checks a report file by itself, and with `proof` the signature of its approval: no console, no database and no audit trail
/// is asked.
///
/// # Errors
/// `Unavailable` or `Validation` for a file that cannot be read or is none of ours.
pub fn checked_alone(path: &str, proof: Option<&ReportProof>) -> Result<ReportChecked, OpError> {
    let (mut found, other_edition) = checked(path, proof)?;
    found.problems.extend(other_edition);
    Ok(found)
}

/// The same, and apart from the problems why the words of a report could not be compared with those of its framework: an
/// audit trail that knows the file vouches for them.
fn checked(path: &str, proof: Option<&ReportProof>) -> Result<(ReportChecked, Option<String>), OpError> {
    let bytes = read_file("path", path, FILE_BYTES_MAX)?;
    let proof = proof.map(Proof::read).transpose()?;
    let mut found = ReportChecked {
        sha256: hex::encode(Sha256::digest(&bytes)),
        report: None,
        signature: None,
        audit_seq: None,
        checked: 0,
        problems: Vec::new(),
    };
    let mut other_edition = None;
    let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if looks_like_json {
        match report::verify_json(&bytes) {
            Ok((document, verified)) => {
                found.checked = verified.checked;
                found.problems = verified.problems;
                found.problems.extend(asked_otherwise(&document));
                found.problems.extend(of_other_parts(&document));
                other_edition = verified.other_edition;
            }
            Err(problem) => found.problems.push(problem),
        }
    }
    if let Some(proof) = proof {
        proof.check(&mut found)?;
    }
    Ok((found, other_edition))
}

/// Checks of a report by this very version whose question is told in other words than this program has for it.
fn asked_otherwise(document: &ReportDocument) -> Vec<String> {
    let mut problems = Vec::new();
    let own = Framework::by_id(&document.framework.id)
        .filter(|own| own.version == document.framework.version && document.scope.generator == generator());
    for control in own.iter().flat_map(|own| &own.controls) {
        let Some(found) = document.controls.iter().find(|found| found.id == control.id) else { continue };
        for (index, (check, known)) in found.checks.iter().zip(&control.checks).enumerate() {
            let (basis, texts) = question_words(&known.ask, document.scope.period);
            let same = check.basis == basis && texts.contains(&check.text);
            // What was not answered has no words.
            if !same && check.query == known.ask.query && !check.basis.is_empty() {
                problems.push(format!(
                    "{}, check {}: what it says was counted, or asked of the database, is not the question of this program",
                    control.id,
                    index + 1
                ));
            }
            // The evidence may list something else than members; that it else has the columns of its sample is seen without us.
            let shown = if check.sample.seed.is_empty() { &check.columns } else { &check.sample.columns };
            let headed = question_columns(&known.ask).is_none_or(|columns| *shown == columns);
            if !headed && check.query == known.ask.query && !check.basis.is_empty() {
                problems.push(format!(
                    "{}, check {}: its columns are not those of the question",
                    control.id,
                    index + 1
                ));
            }
        }
    }
    problems
}

/// What a report by this very version has of other parts than those of its kind.
fn of_other_parts(document: &ReportDocument) -> Vec<String> {
    let known = parts::of(document.kind).filter(|_| document.scope.generator == generator());
    let Some(known) = known else { return Vec::new() };
    let titles = document.sections.iter().map(|part| part.title.as_str());
    if titles.ne(known.iter().map(|(title, _)| *title)) {
        return vec!["its parts are not those of a report of this kind".to_owned()];
    }
    let parts = document.sections.iter().zip(known);
    parts
        .filter(|(part, (_, columns))| part.columns != *columns)
        .map(|(_, (title, _))| format!("{title}: its columns are not those of a report of this kind"))
        .collect()
}

/// Says whether the signature of a final report holds; one that does not is a problem.
async fn check_signature(
    store: &Store,
    report: &ReportRecord,
    found: &mut ReportChecked,
) -> Result<(), OpError> {
    let Some(approval) = &report.approval else { return Ok(()) };
    let Some(note) = &approval.signed_note else {
        let words = match found.problems.as_slice() {
            [] => "none: the console had no key that is kept when it was approved",
            _ => "none",
        };
        found.signature = Some(words.to_owned());
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
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| OpError::invalid(field, format!("{path} is no text")))?;
            // Mail and editors of other systems end lines their own way; no signed text holds a carriage return.
            Ok::<_, OpError>(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
        };
        Ok(Self { note: text("approval", &files.approval)?, pem: text("key", &files.key)? })
    }

    /// Holds the signature for this file? There is no trail to ask.
    fn check(&self, found: &mut ReportChecked) -> Result<(), OpError> {
        let note = match open_note(&self.note, &self.pem) {
            Ok(note) => note,
            Err(problem @ NoteProblem::NotSigned) => {
                found.signature = Some("does not hold".to_owned());
                found.problems.push(format!("the approval: {problem}"));
                return Ok(());
            }
            Err(problem) => return Err(OpError::invalid("key", problem.to_string())),
        };
        let lines: Vec<&str> = note.text.lines().collect();
        let id = |line: &str| line.strip_prefix("watchpost report ")?.parse::<ReportId>().ok();
        let (by, of) = match lines.as_slice() {
            [report, hash, by] if id(report).is_some() && !by.trim().is_empty() => (*by, *hash),
            _ => {
                found.signature =
                    Some(format!("of something else, by {}", visible(note.name, NAME_SHOWN_MAX)));
                found.problems.push("the signed text is no approval of a report".to_owned());
                return Ok(());
            }
        };
        if of != found.sha256 {
            found
                .problems
                .push("the approval is of another file: only the JSON is signed, to the byte".to_owned());
        }
        found.signature = Some(format!(
            "by {}, holds with the key given (SHA-256 of the key: {}); approved by {}",
            visible(note.name, NAME_SHOWN_MAX),
            note.key_sha256,
            visible(by, NAME_SHOWN_MAX)
        ));
        Ok(())
    }
}

fn read_file(field: &str, path: &str, bytes_max: u64) -> Result<Vec<u8>, OpError> {
    let unreadable = |error: std::io::Error| OpError {
        field: Some(field.to_owned()),
        ..OpError::new(ErrorCode::Unavailable, format!("cannot read {path}: {error}"))
    };
    // A pipe is waited for when it is opened.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(OpError::invalid(field, format!("{path} is no file")));
    }
    // What a path leads to may have no end, or grow.
    let mut bytes = Vec::new();
    let file = std::fs::File::open(Path::new(path)).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(OpError::invalid(field, format!("{path} is too large to be one of ours")));
    }
    Ok(bytes)
}
