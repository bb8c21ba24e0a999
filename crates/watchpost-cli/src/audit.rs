//! The verbs of the audit trail.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use watchpost_model::audit::{AuditFilter, AuditRecord};
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    AuditAccept, AuditDetail, AuditExport, AuditExported, AuditFigures, AuditPage, AuditPageRequest,
    AuditPlace, AuditPlaceKind, AuditPlaces, AuditPlacesPut, AuditRef, AuditSetApart, AuditStatisticsRequest,
    AuditTrust, AuditVerify, AuditWebhook, Nothing,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::args::Output;
use crate::audit_evidence::{evidence, verification};
use crate::output::{at, line, one_line, table};
use crate::progress;
use crate::session::Session;
use crate::show::{either, or_dash};

/// The audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List it, newest first.
    List {
        /// Words in action, object, actor, login or reason.
        text: Option<String>,
        /// Rows.
        #[arg(long, short = 'n', default_value_t = 50)]
        limit: u32,
    },
    /// Look for records, newest first: by words, person, action, outcome, time.
    Search(Search),
    /// Show one record: what changed, why, and the leaf that the tree holds of it.
    Show {
        /// Its number.
        seq: i64,
    },
    /// Count the records by actor, login, action, outcome and permission, and tell what they are worth as evidence.
    Statistics {
        /// How far back: `90m`, `24h`, `7d`, or `all`.
        #[arg(long, default_value = "all", value_parser = crate::period::parse_last)]
        last: crate::period::LastPeriod,
    },
    /// Prove that a record is in the log, for somebody without it: C2SP tlog-proof, which the `verify.py` of an export
    /// checks.
    Prove {
        /// Number of the record.
        seq: i64,
        /// Write the proof to this file instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Export the trail to a new folder that verifies without Watchpost: with `sha256sum`, `openssl` and a script of
    /// Python's standard library (docs/audit.md).
    Export {
        /// The folder; it must not be there.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Records from this day or instant on; the hashes of all records are in it, whatever the period.
        #[arg(long, value_parser = crate::period::parse_instant)]
        from: Option<DateTime<Utc>>,
        /// Records before this day or instant: a day is left out itself, so name the one after the last.
        #[arg(long, value_parser = crate::period::parse_instant)]
        to: Option<DateTime<Utc>>,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Recompute the tree and check records and checkpoints, here and in the places outside the database. Exit code 1
    /// when something does not hold.
    ///
    /// Goes on where the last good check of this console ended, and reads every record once a week. A log that was
    /// emptied, rolled back or replaced does not hold: this console remembers what it saw, outside the database.
    ///
    /// The check is recorded; a standby, or a server that is set to read-only, takes no record, and the answer says so.
    Verify {
        /// Read every record, also those that an earlier check found good.
        #[arg(long, conflicts_with = "bundle")]
        full: bool,
        /// Check the export in this folder instead, as its `verify.py` does, but on all cores. Needs no database.
        #[arg(long, value_name = "DIR")]
        bundle: Option<PathBuf>,
        /// The key of the log that you trust: name+id+base64. The bundle is signed by it, or by one that it led to.
        #[arg(long, requires = "bundle")]
        key: Option<String>,
        /// Open no record of the bundle, and compare no sums.
        #[arg(long, requires = "bundle")]
        leaves_only: bool,
    },
    /// Sign the state of the log now, if something was added since, and print the newest checkpoint: a C2SP signed note.
    /// Exit code 1 when there is no key to sign newer records with, or a place outside the database did not take it.
    Checkpoint {
        /// Write it to this file instead.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Take the content of records away that are past the years of their class (`watchpost config audit-retention`).
    ///
    /// Leaves, tree and proofs stay, and a record says what was taken. What a legal hold keeps is not touched. Needs a
    /// second person where there is one.
    Purge(crate::audit_purge::Purge),
    /// The keys that sign the log.
    #[command(subcommand)]
    Key(crate::audit_key::Key),
    /// Time stamps of checkpoints.
    #[command(subcommand)]
    Timestamp(crate::audit_timestamp::Timestamp),
    /// Show where checkpoints are kept outside the database; with a flag, set that.
    Places(Places),
    /// Set a record apart whose writer sealed nothing that opens, or said of it what does not fit: `audit verify` names it, and
    /// nothing makes it good. From then on the trail holds for the rest. What was altered later is not set apart.
    SetApart {
        /// Its number.
        seq: i64,
        /// Why: who wrote it, and what came of that.
        #[arg(long)]
        reason: String,
    },
    /// Take the log as it is from now on, although it does not continue what this console saw: after a backup was put
    /// back, for example. What was held against it stands in the trail, and stays in this console's memory.
    Accept {
        /// Why that is right.
        #[arg(long)]
        reason: String,
    },
}

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words in action, object, actor, login or reason; all of them must be there.
    text: Vec<String>,
    /// By this person, or with this login at the database.
    #[arg(long)]
    actor: Option<String>,
    /// This action: `incident_resolve`.
    #[arg(long)]
    action: Option<String>,
    /// Ended like this.
    #[arg(long, value_parser = ["started", "success", "failure", "denied"])]
    outcome: Option<String>,
    /// From this day or instant on.
    #[arg(long, value_parser = crate::period::parse_instant)]
    from: Option<DateTime<Utc>>,
    /// Before this day or instant.
    #[arg(long, value_parser = crate::period::parse_instant)]
    to: Option<DateTime<Utc>>,
    /// Older than the record with this number: the next page.
    #[arg(long, value_name = "SEQ")]
    before: Option<i64>,
    /// Rows.
    #[arg(long, short = 'n', default_value_t = 50)]
    limit: u32,
}

/// Places for checkpoints. What is named is all there is afterwards.
#[derive(Debug, Args)]
pub(crate) struct Places {
    /// A folder: a share, or a medium that is taken away. Repeatable.
    #[arg(long, value_name = "DIR")]
    folder: Vec<PathBuf>,
    /// The Redis that is watched.
    #[arg(long)]
    redis: bool,
    /// A service that gets each checkpoint by POST and answers 2xx: https://, and http:// on this machine only. A token
    /// for it is read from the file that WATCHPOST_WEBHOOK_PASSWORD_FILE names, or from the systemd credential
    /// webhook-password, by whoever delivers (`watchpost serve`, the window).
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Private certificate authority of the webhook, PEM; that of the system if absent.
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_ca: Option<PathBuf>,
    /// None at all.
    #[arg(long, conflicts_with_all = ["folder", "redis", "webhook"])]
    none: bool,
    /// Why; it stands in the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

/// Runs a verb; true means that something does not hold.
pub(crate) async fn run(session: &Session, form: Output, verb: Audit) -> anyhow::Result<bool> {
    match verb {
        Audit::List { text, limit } => {
            let filter = AuditFilter { text, ..Default::default() };
            let request = AuditPageRequest { filter, before: None, limit };
            list(form, &session.ask::<operation::audit_page>(request).await?)?;
        }
        Audit::Search(wanted) => {
            let words = wanted.text.join(" ");
            let filter = AuditFilter {
                actor: wanted.actor,
                action: wanted.action,
                text: Some(words).filter(|words| !words.is_empty()),
                outcome: wanted.outcome.and_then(|word| word.parse().ok()),
                from: wanted.from,
                to: wanted.to,
            };
            let request = AuditPageRequest { filter, before: wanted.before, limit: wanted.limit };
            let page = session.ask::<operation::audit_page>(request).await?;
            list(form, &page)?;
            if let (Some(next), Output::Table) = (page.next, form) {
                line(format!("there may be more: --before {next}"))?;
            }
        }
        Audit::Show { seq } => detail(form, &session.ask::<operation::audit_show>(AuditRef { seq }).await?)?,
        Audit::Statistics { last } => {
            let request = AuditStatisticsRequest { period: last.ending(session.console.now()) };
            let figures = session.ask::<operation::audit_statistics>(request).await?;
            either(form, &figures, || statistics(&figures))?;
            return Ok(!figures.trust.ok);
        }
        Audit::Prove { seq, out } => {
            let proof = session.ask::<operation::audit_prove>(AuditRef { seq }).await?;
            match out {
                Some(path) => {
                    write(&path, &proof.text)?;
                    let file = path.display();
                    either(form, &proof, || {
                        line(format!("record {seq} is in the log of {} records: {file}", proof.size))?;
                        line(format!("check it with: python3 verify.py --proof {file} --key '{}'", proof.key))
                    })?;
                }
                None => either(form, &proof, || line(proof.text.trim_end_matches('\n')))?,
            }
        }
        Audit::Export { out, from, to, reason } => {
            let request = AuditExport {
                directory: absolute(&out)?,
                from,
                to,
                reason,
                ticket: Some(format!("export-{}", std::process::id())),
            };
            let exported = progress::of_export(session, request).await?;
            told(session, form, &exported).await?;
        }
        Audit::Verify { full, .. } => {
            let ticket = Some(format!("verify-{}", std::process::id()));
            let checked = progress::of_verification(session, AuditVerify { full, ticket }).await?;
            verification(form, &checked)?;
            return Ok(!checked.ok);
        }
        Audit::Checkpoint { out } => return checkpoint(session, form, out).await,
        Audit::Purge(wanted) => crate::audit_purge::run(session, form, wanted).await?,
        Audit::Key(verb) => crate::audit_key::run(session, form, verb).await?,
        Audit::Timestamp(verb) => crate::audit_timestamp::run(session, form, verb).await?,
        Audit::Places(wanted) => {
            let names_some = wanted.redis || !wanted.folder.is_empty() || wanted.webhook.is_some();
            let trust = if wanted.none || names_some {
                let folders =
                    wanted.folder.iter().map(|path| absolute(path)).collect::<anyhow::Result<_>>()?;
                let ca = wanted.webhook_ca.as_deref().map(absolute).transpose()?;
                let webhook = wanted.webhook.map(|url| AuditWebhook { url, ca });
                let places = AuditPlaces { folders, redis: wanted.redis, webhook };
                let request = AuditPlacesPut { places, reason: wanted.reason };
                session.ask::<operation::audit_places_put>(request).await?
            } else {
                session.ask::<operation::audit_trust>(Nothing {}).await?
            };
            either(form, &trust.places, || places(&trust))?;
            return Ok(!trust.ok);
        }
        Audit::SetApart { seq, reason } => {
            let apart = session.ask::<operation::audit_set_apart>(AuditSetApart { seq, reason }).await?;
            either(form, &apart, || {
                line(format!("record {} is set apart by record {}", apart.record, apart.by))?;
                line(format!("  {}", visible(&apart.problem, 400)))
            })?;
        }
        Audit::Accept { reason } => {
            let trust = session.ask::<operation::audit_accept>(AuditAccept { reason }).await?;
            either(form, &trust, || {
                line(format!("this console watches the log {} from record {} on", trust.log, trust.size))
            })?;
            return Ok(!trust.ok);
        }
    }
    Ok(false)
}

/// What was exported, with a warning of what nobody can read in it.
async fn told(session: &Session, form: Output, exported: &AuditExported) -> anyhow::Result<()> {
    let own_fault = first_own_fault(session, &exported.unreadable).await?;
    either(form, exported, || {
        line(format!(
            "{} records of {}, root {}, in {}",
            exported.records, exported.size, exported.root, exported.directory
        ))?;
        line(format!("signed by {}", exported.key))?;
        line(format!("check it with: python3 {}/verify.py --key '{}'", exported.directory, exported.key))?;
        if exported.uncovered > 0 {
            line(format!(
                "warning: {} newer records are not in it: this console has no key that is kept, and no checkpoint stands \
                 for them. Export where there is a key: in the window, or with the keychain of this account or a file of \
                 secrets that is open",
                exported.uncovered
            ))?;
        }
        unreadable(&exported.unreadable, own_fault)
    })
}

/// The first of these that its own writer made so: that can be set apart, and what was altered cannot.
async fn first_own_fault(session: &Session, records: &[i64]) -> anyhow::Result<Option<i64>> {
    for seq in records {
        if session.ask::<operation::audit_show>(AuditRef { seq: *seq }).await?.own_fault.is_some() {
            return Ok(Some(*seq));
        }
    }
    Ok(None)
}

fn unreadable(records: &[i64], own_fault: Option<i64>) -> anyhow::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = records.iter().map(ToString::to_string).collect();
    let advice = match own_fault {
        Some(seq) => {
            format!("`watchpost audit set-apart {seq} --reason TEXT` sets {seq} apart for the next export")
        }
        None => "what was altered after it was written is not set apart: a copy from before has it as it was"
            .to_owned(),
    };
    line(format!(
        "warning: nobody can read {} {}, and no record excuses that: this export does not verify. `watchpost audit verify` \
         says why; {advice}",
        if records.len() == 1 { "record" } else { "records" },
        named.join(", ")
    ))
}

/// Signs and prints; true where nothing was signed for the newest records, or a place did not take it.
#[expect(clippy::print_stderr, reason = "standard output holds the note alone")]
async fn checkpoint(session: &Session, form: Output, out: Option<PathBuf>) -> anyhow::Result<bool> {
    let checkpoint = session.ask::<operation::audit_checkpoint>(Nothing {}).await?;
    let trust = session.ask::<operation::audit_trust>(Nothing {}).await?;
    match out {
        Some(path) => {
            write(&path, &checkpoint.note)?;
            either(form, &checkpoint, || {
                line(format!("checkpoint of {} records in {}", checkpoint.size, path.display()))
            })?;
        }
        None => either(form, &checkpoint, || line(checkpoint.note.trim_end_matches('\n')))?,
    }
    let newer = trust.size - checkpoint.size;
    let unsigned = trust.signer.is_none() && newer > 0;
    if unsigned {
        eprintln!(
            "watchpost: nothing was signed: this console has no key that is kept; the checkpoint is of {}, by {}, and \
             {newer} newer records are in none",
            at(checkpoint.at),
            one_line(&checkpoint.key_name)
        );
        eprintln!("  the keychain of this account, or a file of secrets that is open, keeps one");
    }
    let failing: Vec<_> = trust.places.iter().filter(|place| !place.ok).collect();
    for place in &failing {
        eprintln!("watchpost: {} does not have it: {}", place_name(place), one_line(&place.detail));
    }
    Ok(unsigned || !failing.is_empty())
}

fn place_name(place: &AuditPlace) -> String {
    match place.kind {
        AuditPlaceKind::Folder | AuditPlaceKind::Webhook => one_line(&place.name),
        AuditPlaceKind::Redis => "redis".to_owned(),
    }
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
}

/// A file that was named; replaced if it is there.
fn write(path: &Path, text: &str) -> Result<(), OpError> {
    std::fs::write(path, text.as_bytes()).map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("cannot write {}: {error}", path.display()))
    })
}

fn detail(form: Output, detail: &AuditDetail) -> anyhow::Result<()> {
    let record = &detail.record;
    either(form, detail, || {
        let row = |name: &str, value: String| [name.to_owned(), value];
        table(
            ["", ""],
            [
                row("record", record.seq.to_string()),
                row("at", at(record.at)),
                row("who", record.actor.clone()),
                row("login", or_dash(record.login.as_ref())),
                row("through", record.origin.clone()),
                row("from machine", record.host.clone()),
                row("action", record.action.clone()),
                row("on", record.object.clone()),
                row("permission", record.permission.clone()),
                row("outcome", record.outcome.to_string()),
                row("risk", record.risk.to_string()),
                row("reason", or_dash(record.reason.as_ref())),
                row("leaf hash", record.leaf_hash.clone()),
                row(
                    "covered by",
                    detail.covered_by.map_or_else(
                        || "no checkpoint yet".to_owned(),
                        |size| format!("the checkpoint of {size} records"),
                    ),
                ),
            ],
        )?;
        if let Some(by) = detail.erased_by {
            match detail.purged {
                Some(class) => line(format!("its content was purged by record {by} (retention of {class})"))?,
                None => line(format!("its content was erased by record {by}"))?,
            }
        }
        if !record.changes.is_empty() {
            line("")?;
            let text = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            table(
                ["FIELD", "BEFORE", "AFTER"],
                record
                    .changes
                    .iter()
                    .map(|change| [change.field.clone(), text(&change.old), text(&change.new)]),
            )?;
        }
        line("")?;
        line(format!("leaf: {}", visible(&detail.leaf, 5_000)))
    })
}

fn statistics(figures: &AuditFigures) -> anyhow::Result<()> {
    let (all, trust) = (&figures.statistics, &figures.trust);
    let time = |time: Option<DateTime<Utc>>| time.map_or_else(|| "-".to_owned(), at);
    let row = |name: &str, value: String| [name.to_owned(), value];
    table(
        ["", ""],
        [
            row("records", all.records.to_string()),
            row("first", time(all.first_at)),
            row("last", time(all.last_at)),
            row("actors", all.actors.to_string()),
            row("actions", all.actions.to_string()),
            row("sealed", format!("{} bytes", all.sealed_bytes)),
            row("erased", all.erased.to_string()),
            row("log", trust.log.clone()),
            row("size", trust.size.to_string()),
            row("root", trust.root.clone()),
            row(
                "newest checkpoint",
                trust.checkpoint.as_ref().map_or_else(
                    || "none".to_owned(),
                    |newest| format!("{} records, {}, by {}", newest.size, at(newest.at), newest.key_name),
                ),
            ),
            row("watched since", time(trust.watched_since)),
            row("last good check", time(trust.verified_at)),
            row("all records read", time(trust.full_at)),
        ],
    )?;
    for (title, counts) in [
        ("OUTCOME", &all.by_outcome),
        ("ACTOR", &all.by_actor),
        ("LOGIN", &all.by_login),
        ("ACTION", &all.by_action),
        ("PERMISSION", &all.by_permission),
    ] {
        if counts.is_empty() {
            continue;
        }
        line("")?;
        table([title, "RECORDS"], counts.iter().map(|count| [count.name.clone(), count.n.to_string()]))?;
    }
    line("")?;
    if let Some(problem) = &trust.problem {
        line(format!("THE LOG DOES NOT HOLD: {}", visible(problem, 400)))?;
    }
    evidence(trust.strength, trust.witnesses, trust.stamp.as_ref())
}

/// The person; the login at the database first, where it says another one.
fn who(record: &AuditRecord) -> String {
    match &record.login {
        Some(login) if *login != record.actor => format!("{login} ({})", record.actor),
        _ => record.actor.clone(),
    }
}

fn list(form: Output, page: &AuditPage) -> anyhow::Result<()> {
    either(form, page, || {
        table(
            ["SEQ", "AT", "WHO", "ACTION", "ON", "OUTCOME", "REASON"],
            page.rows.iter().map(|record| {
                [
                    record.seq.to_string(),
                    at(record.at),
                    who(record),
                    record.action.clone(),
                    record.object.clone(),
                    record.outcome.to_string(),
                    or_dash(record.reason.as_ref()),
                ]
            }),
        )?;
        line(format!("{} records in the log", page.size))
    })
}

fn places(trust: &AuditTrust) -> anyhow::Result<()> {
    table(
        ["PLACE", "STATE", "CHECKPOINT OF", "DETAIL"],
        trust.places.iter().map(|place| {
            [
                place_name(place),
                if place.ok { "ok" } else { "FAILS" }.to_owned(),
                match place.size {
                    Some(size) => format!("{size} records"),
                    // What a place may have of a log that is doubted is not for this word.
                    None if trust.ok => "none yet".to_owned(),
                    None => "-".to_owned(),
                },
                place.detail.clone(),
            ]
        }),
    )?;
    evidence(trust.strength, trust.witnesses, trust.stamp.as_ref())
}
