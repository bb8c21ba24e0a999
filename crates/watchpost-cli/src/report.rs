//! `report` and `register`.

use std::path::PathBuf;

use anyhow::Context as _;
use watchpost_model::ids::{EntryId, ScheduleId};
use watchpost_model::period::Period;
use watchpost_model::register::{RegisterEntry, RegisterKind, WITHDRAWN, WITHDRAWN_AT};
use watchpost_model::report::{ControlComment, ReportFile, ReportFormat, ReportRecord, ReportSchedule};
use watchpost_model::sensitive::masked;
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    FrameworkList, Nothing, ProofAdd, RegisterAdd, RegisterChange, RegisterList, RegisterRequest,
    ReportApprove, ReportChanges, ReportChecked, ReportCommentAdd, ReportCommentRef, ReportCommentsRequest,
    ReportCompare, ReportCopy, ReportGenerate, ReportList, ReportPageRequest, ReportProof, ReportScheduleAdd,
    ReportScheduleList, ReportSchedulePause, ReportScheduleRef, ReportScheduleRemove, ReportVerify,
    SCHEDULE_ID_SHOWN_MAX,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_ops::{checked_alone, report_targets};

use crate::args::Output;
use crate::output::{at, line, table};
use crate::progress;
use crate::report_args::{Register, Report, Schedule};
use crate::session::Session;
use crate::show::{either, or_dash};

/// How often a name that was taken meanwhile is replaced by the next.
const NAMES_TRIED_MAX: u32 = 20;

/// Runs a verb; its exit code.
pub(crate) async fn report(session: &Session, form: Output, verb: Report) -> anyhow::Result<u8> {
    match verb {
        Report::Frameworks => {
            frameworks(form, &session.ask::<operation::report_frameworks>(Nothing {}).await?)?;
            Ok(0)
        }
        Report::List { framework, limit, before } => {
            let request = ReportPageRequest { framework, id: None, before, limit: Some(limit) };
            list(form, &session.ask::<operation::report_list>(request).await?)?;
            Ok(0)
        }
        Report::Generate {
            framework,
            from,
            to,
            subject,
            format,
            out,
            force,
            archive,
            supersedes,
            reason,
        } => {
            let session = &session.because(reason);
            let period = Period { from, to };
            let out = std::path::absolute(&out)?;
            let about = subject.as_deref();
            let mut tries = 0;
            let made = loop {
                let files = report_targets(&out, &framework, about, period, &formats(&format), force)?;
                let request = ReportGenerate {
                    framework: framework.clone(),
                    period,
                    subject: subject.clone(),
                    files,
                    archive,
                    ticket: Some(format!("cli-{}", std::process::id())),
                    supersedes,
                };
                match progress::of_report(session, request).await {
                    // Another report took the name while this one was made.
                    Err(problem) if problem.code == ErrorCode::Conflict && tries < NAMES_TRIED_MAX => {
                        tries += 1
                    }
                    made => break made?,
                }
            };
            record(form, &made)?;
            Ok(judged(&made.worst))
        }
        Report::Schedule(verb) => schedule(session, form, verb).await.map(|()| 0),
        Report::Comment { framework, control, row, from, to, text } => {
            let period = from.zip(to).map(|(from, to)| Period { from, to });
            let request = ReportCommentAdd { framework, control, row, period, text };
            let said = session.ask::<operation::report_comment_add>(request).await?;
            either(form, &said, || comments(std::slice::from_ref(&said)))?;
            Ok(0)
        }
        Report::Comments { framework } => {
            let request = ReportCommentsRequest { framework };
            let found = session.ask::<operation::report_comment_list>(request).await?;
            either(form, &found, || {
                comments(&found.comments)?;
                if found.left_out > 0 {
                    line(format!("{} older ones are not shown", found.left_out))
                } else {
                    Ok(())
                }
            })?;
            Ok(0)
        }
        Report::Withdraw { id, reason } => {
            let session = session.because(reason);
            let said = session.ask::<operation::report_comment_withdraw>(ReportCommentRef { id }).await?;
            either(form, &said, || comments(std::slice::from_ref(&said)))?;
            Ok(0)
        }
        Report::Verify { file, key, approval } => {
            let (path, proof) = verify_paths(file, key, approval)?;
            let found = session.ask::<operation::report_verify>(ReportVerify { path, proof }).await?;
            verified(form, &found)
        }
        Report::Approve { id, note } => {
            record(form, &session.ask::<operation::report_approve>(ReportApprove { id, note }).await?)?;
            Ok(0)
        }
        Report::Copy { id, format, out, archive, reason } => {
            let session = &session.because(reason);
            let out = std::path::absolute(&out)?;
            let request = ReportPageRequest { id: Some(id), ..ReportPageRequest::default() };
            let all = session.ask::<operation::report_list>(request).await?;
            let Some(report) = all.reports.first() else {
                let doubted = all.doubted.iter().find(|doubted| doubted.id == id.to_string());
                return Err(match doubted {
                    Some(doubted) => {
                        OpError::precondition(format!("report {id}: {}", doubted.problems.join("; ")))
                    }
                    None => OpError::not_found(format!("report {id}")),
                }
                .into());
            };
            let about = report.subject.as_deref();
            let files =
                report_targets(&out, &report.framework, about, report.period, &formats(&format), false)?;
            let copied = session.ask::<operation::report_copy>(ReportCopy { id, files, archive }).await?;
            either(form, &copied, || {
                standing(&copied.report)?;
                files_table(&copied.files)?;
                match &copied.proof {
                    Some(proof) => {
                        let (approval, key) = (shown(&proof.approval), shown(&proof.key));
                        line(format!("signed approval  {approval}\nits public key   {key}"))
                    }
                    None => Ok(()),
                }
            })?;
            Ok(0)
        }
        Report::Compare { id, before } => {
            let found = session.ask::<operation::report_compare>(ReportCompare { id, before }).await?;
            changes(form, &found)?;
            Ok(u8::from(!found.rows.is_empty()))
        }
        Report::Attach { framework, control, from, to, statement, file, owner, expires } => {
            let path =
                file.map(std::path::absolute).transpose()?.map(|path| path.to_string_lossy().into_owned());
            let period = Period { from, to };
            let request =
                ProofAdd { framework, control, period, statement, path, owner, expires_at: expires };
            let proof = session.ask::<operation::proof_add>(request).await?;
            either(form, &proof, || {
                let (framework, control) = (shown(&proof.framework), shown(&proof.control));
                line(format!("{framework} {control}: {}", shown(&proof.statement)))?;
                match &proof.file {
                    Some(file) => line(format!("{}  {}", file.sha256, shown(&file.name))),
                    None => Ok(()),
                }
            })?;
            Ok(0)
        }
    }
}

/// Checks a file with a key that is given: needs no console, and makes none.
pub(crate) fn verify_alone(
    form: Output,
    file: PathBuf,
    key: PathBuf,
    approval: Option<PathBuf>,
) -> anyhow::Result<u8> {
    let (path, proof) = verify_paths(file, Some(key), approval)?;
    verified(form, &checked_alone(&path, proof.as_ref())?)
}

fn verified(form: Output, found: &ReportChecked) -> anyhow::Result<u8> {
    checked(form, found)?;
    Ok(u8::from(!found.problems.is_empty()))
}

fn verify_paths(
    file: PathBuf,
    key: Option<PathBuf>,
    approval: Option<PathBuf>,
) -> anyhow::Result<(String, Option<ReportProof>)> {
    let text = |path: PathBuf| std::path::absolute(path).map(|path| path.to_string_lossy().into_owned());
    let proof = match key {
        Some(key) => {
            let approval = approval.unwrap_or_else(|| file.with_extension("approval.txt"));
            Some(ReportProof { approval: text(approval)?, key: text(key)? })
        }
        None => None,
    };
    Ok((text(file)?, proof))
}

/// Runs a verb of the register.
pub(crate) async fn register(session: &Session, form: Output, verb: Register) -> anyhow::Result<bool> {
    match verb {
        Register::List { kind, subject } => {
            let found = session.ask::<operation::register_list>(RegisterRequest { kind, subject }).await?;
            entries(form, &found)?;
        }
        Register::Add { kind, subject, at, due, owner, result, facts, note } => {
            let fields = facts.into_iter().collect();
            let request =
                RegisterAdd { kind, subject, opened_at: at, due_at: due, owner, result, fields, note };
            entry(form, &session.ask::<operation::register_add>(request).await?)?;
        }
        Register::Withdraw { id, how, at } => {
            let version = version(session, Some(RegisterKind::Consent), id).await?;
            let at = at.map(|at| (WITHDRAWN_AT.to_owned(), at.to_rfc3339()));
            let fields = at.into_iter().chain([(WITHDRAWN.to_owned(), how)]).collect();
            let request = RegisterChange {
                id,
                version,
                result: None,
                due_at: None,
                approve: false,
                fields,
                reason: "the consent was withdrawn".to_owned(),
            };
            entry(form, &session.ask::<operation::register_change>(request).await?)?;
        }
        Register::Change { id, result, due, approve, facts, reason } => {
            let version = version(session, None, id).await?;
            let fields = facts.into_iter().collect();
            let request = RegisterChange { id, version, result, due_at: due, approve, fields, reason };
            entry(form, &session.ask::<operation::register_change>(request).await?)?;
        }
    }
    Ok(false)
}

/// The version of an entry as it stands.
async fn version(session: &Session, kind: Option<RegisterKind>, id: EntryId) -> anyhow::Result<i64> {
    let request = RegisterRequest { kind, subject: None };
    let all = session.ask::<operation::register_list>(request).await?;
    let found = all.entries.iter().find(|entry| entry.id == id);
    found.map(|entry| entry.version).with_context(|| match kind {
        Some(kind) => format!("there is no {kind} {id}"),
        None => format!("there is no entry {id}"),
    })
}

/// Runs a verb of the schedules.
async fn schedule(session: &Session, form: Output, verb: Schedule) -> anyhow::Result<()> {
    match verb {
        Schedule::List => schedules(form, &session.ask::<operation::report_schedule_list>(Nothing {}).await?),
        Schedule::Add { framework, every, subject, format, archive, out, reason } => {
            let folder = std::path::absolute(out)?.to_string_lossy().into_owned();
            let request = ReportScheduleAdd {
                framework,
                subject,
                cadence: every,
                formats: formats(&format),
                archive,
                folder,
                reason,
            };
            let added = session.ask::<operation::report_schedule_add>(request).await?;
            one_schedule(form, &added)
        }
        Schedule::Remove { id, reason } => {
            let session = session.because(reason);
            let left = session.ask::<operation::report_schedule_remove>(ReportScheduleRemove { id }).await?;
            schedules(form, &left)
        }
        Schedule::Pause { id, reason } => pause(&session.because(reason), form, id, true).await,
        Schedule::Resume { id, reason } => pause(&session.because(reason), form, id, false).await,
        Schedule::Run { id, reason } => {
            let session = session.because(reason);
            let ran = session.ask::<operation::report_schedule_run>(ReportScheduleRef { id }).await?;
            one_schedule(form, &ran)
        }
    }
}

async fn pause(session: &Session, form: Output, id: ScheduleId, paused: bool) -> anyhow::Result<()> {
    let request = ReportSchedulePause { id, paused };
    one_schedule(form, &session.ask::<operation::report_schedule_pause>(request).await?)
}

fn schedules(form: Output, list: &ReportScheduleList) -> anyhow::Result<()> {
    either(form, list, || {
        schedule_table(list.schedules.iter())?;
        for id in &list.unreadable {
            let id = visible(id, SCHEDULE_ID_SHOWN_MAX);
            line(format!(
                "UNREADABLE  schedule {id} was changed behind the back of Watchpost and makes nothing; \
                 `watchpost report schedule remove {}` takes it away",
                as_argument(&id)
            ))?;
        }
        Ok(())
    })
}

/// An id as it can be pasted into a shell, whoever wrote it.
fn as_argument(id: &str) -> String {
    match id.parse::<ScheduleId>() {
        Ok(id) => id.to_string(),
        Err(_) => format!("-- '{}'", id.replace('\'', "'\\''")),
    }
}

fn one_schedule(form: Output, schedule: &ReportSchedule) -> anyhow::Result<()> {
    either(form, schedule, || schedule_table([schedule].into_iter()))
}

fn schedule_table<'s>(rows: impl Iterator<Item = &'s ReportSchedule>) -> anyhow::Result<()> {
    table(
        ["REPORT", "EVERY", "DUE", "LAST", "WENT", "FOLDER", "ID"],
        rows.map(|schedule| {
            let (last, went) = match &schedule.last {
                None => ("-".to_owned(), "-".to_owned()),
                Some(run) => {
                    let went = run.error.clone().or_else(|| run.report.map(|id| id.to_string()));
                    (at(run.at), went.unwrap_or_default())
                }
            };
            let about = schedule.subject.as_ref().map_or_else(String::new, |text| format!(" {text}"));
            [
                format!("{}{about}", schedule.framework),
                schedule.cadence.to_string(),
                if schedule.paused { "paused".to_owned() } else { at(schedule.due_at) },
                last,
                went,
                schedule.folder.clone(),
                schedule.id.to_string(),
            ]
        }),
    )
}

fn comments(rows: &[ControlComment]) -> anyhow::Result<()> {
    table(
        ["SAID", "CONTROL", "ABOUT", "TEXT", "BY", "ID"],
        rows.iter().map(|one| {
            let about = one.key.clone().unwrap_or_else(|| one.row.join(" / "));
            [
                at(one.at),
                one.control.clone(),
                if about.is_empty() { "-".to_owned() } else { about },
                one.text.clone(),
                one.by.clone(),
                one.id.to_string(),
            ]
        }),
    )
}

fn formats(words: &[String]) -> Vec<ReportFormat> {
    words
        .iter()
        .map(|word| match word.as_str() {
            "pdf" => ReportFormat::Pdf,
            "csv" => ReportFormat::Csv,
            "json" => ReportFormat::Json,
            _ => ReportFormat::Markdown,
        })
        .collect()
}

/// What files and people say, in a line.
fn shown(text: &str) -> String {
    visible(text, 4_000)
}

fn frameworks(form: Output, list: &FrameworkList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["ID", "NAME", "CONTROLS", "NEEDS", "VERSION"],
            list.frameworks.iter().map(|one| {
                let controls = if one.controls == 0 { "-".to_owned() } else { one.controls.to_string() };
                [
                    one.id.clone(),
                    one.name.clone(),
                    controls,
                    or_dash(one.subject.as_ref()),
                    one.version.clone(),
                ]
            }),
        )?;
        for broken in &list.broken {
            line(format!("cannot be used: {}", shown(broken)))?;
        }
        line(format!("framework files of your own: {}", shown(&list.folder)))
    })
}

/// The exit code of a report by the worst state of its controls, told apart for those who build on it. A kind that judges
/// nothing is done.
fn judged(worst: &str) -> u8 {
    match worst {
        "fail" => 1,
        "warn" => 5,
        "no_data" | "manual" => 6,
        _ => 0,
    }
}

fn list(form: Output, list: &ReportList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["MADE", "REPORT", "ABOUT", "FROM", "TO", "STATUS", "RESULT", "BY", "ID"],
            list.reports.iter().map(|report| {
                [
                    at(report.made_at),
                    report.framework.clone(),
                    report.subject.clone().unwrap_or_default(),
                    at(report.period.from),
                    at(report.period.to),
                    if list.doubted.iter().any(|doubted| doubted.id == report.id.to_string()) {
                        "DOUBTED".to_owned()
                    } else {
                        report.status.to_string()
                    },
                    report.summary.clone(),
                    report.made_by.clone(),
                    report.id.to_string(),
                ]
            }),
        )?;
        let shown = list.reports.len() as u64;
        if let Some(last) = list.reports.last().filter(|_| shown < list.total) {
            line(format!(
                "{shown} of {} reports are shown; `--before {}` goes on behind them",
                list.total, last.id
            ))?;
        }
        for doubted in &list.doubted {
            let problems = visible(&doubted.problems.join("; "), 1_000);
            line(format!("DOUBTED  report {}: {problems}", visible(&doubted.id, 40)))?;
        }
        Ok(())
    })
}

fn record(form: Output, record: &ReportRecord) -> anyhow::Result<()> {
    either(form, record, || {
        line(shown(&record.summary))?;
        standing(record)?;
        line(format!("report {}", record.id))?;
        files_table(&record.files)
    })
}

/// How far a report is, and what its approval is worth.
fn standing(record: &ReportRecord) -> anyhow::Result<()> {
    let Some(approval) = &record.approval else { return line(record.status.as_str()) };
    line(format!("{}, approved by {}", record.status, shown(&approval.by)))?;
    if approval.signed_note.is_none() {
        line("not signed: this console has no key that is kept (see `watchpost doctor`)")?;
    }
    Ok(())
}

fn files_table(files: &[ReportFile]) -> anyhow::Result<()> {
    table(
        ["FILE", "BYTES", "SHA-256"],
        files.iter().map(|file| [file.path.clone(), file.bytes.to_string(), file.sha256.clone()]),
    )
}

fn checked(form: Output, found: &ReportChecked) -> anyhow::Result<()> {
    either(form, found, || {
        let word = match (found.problems.as_slice(), &found.report) {
            ([], _) => "holds",
            // One problem, and it is that the trail does not know the file.
            ([_], None) if found.checked > 0 && found.signature.is_none() && found.audit_seq.is_none() => {
                "agrees with itself, but this console did not make it"
            }
            _ => "DOES NOT HOLD",
        };
        line(format!("the file {word}: SHA-256 {}", found.sha256))?;
        if let (Some(report), Some(seq)) = (&found.report, found.audit_seq) {
            line(format!(
                "report {}, {}, made by {}, audit record {seq}",
                report.id,
                report.status,
                shown(&report.made_by)
            ))?;
        }
        if let Some(approval) = found.report.as_ref().and_then(|report| report.approval.as_ref()) {
            let note = masked("", &approval.note).unwrap_or_else(|| approval.note.clone());
            let (by, note) = (shown(&approval.by), shown(&note));
            line(format!("approved by {by} at {}: {note}", at(approval.at)))?;
        }
        if let Some(signature) = &found.signature {
            line(format!("signature of the approval: {}", shown(signature)))?;
        }
        if found.checked > 0 {
            line(format!("controls, checks and samples looked at: {}", found.checked))?;
        }
        for problem in &found.problems {
            line(format!("  {}", visible(problem, 400)))?;
        }
        Ok(())
    })
}

fn changes(form: Output, found: &ReportChanges) -> anyhow::Result<()> {
    either(form, found, || {
        for (word, report) in [("before", &found.before), ("now", &found.now)] {
            let (from, to, made) = (at(report.period.from), at(report.period.to), at(report.made_at));
            line(format!("{word}: {from} to {to}, made {made}, report {}", report.id))?;
        }
        for note in &found.notes {
            line(format!("note: {}", shown(note)))?;
        }
        table(
            ["CONTROL", "TITLE", "BEFORE", "NOW", "EXCEPTIONS BEFORE", "EXCEPTIONS NOW"],
            found.rows.iter().map(|row| std::array::from_fn(|n| row.get(n).cloned().unwrap_or_default())),
        )
    })
}

fn entries(form: Output, list: &RegisterList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["OPENED", "KIND", "SUBJECT", "DUE", "RESULT", "OWNER", "APPROVER", "ID"],
            list.entries.iter().map(cells),
        )
    })
}

fn entry(form: Output, entry: &RegisterEntry) -> anyhow::Result<()> {
    either(form, entry, || {
        table(["OPENED", "KIND", "SUBJECT", "DUE", "RESULT", "OWNER", "APPROVER", "ID"], [cells(entry)])
    })
}

fn cells(entry: &RegisterEntry) -> [String; 8] {
    [
        at(entry.opened_at),
        entry.kind.to_string(),
        entry.subject.clone(),
        at(entry.due_at),
        entry.result.to_string(),
        entry.owner.clone(),
        entry.approver.clone(),
        entry.id.to_string(),
    ]
}
