//! What `report` and `register` can be told.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use watchpost_model::ids::{CommentId, EntryId, ReportId, ScheduleId};
use watchpost_model::register::{EntryResult, RegisterKind};
use watchpost_model::report::Cadence;

/// Reports.
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// List the frameworks and the other kinds of reports.
    Frameworks,
    /// List produced reports, newest first. What the audit trail doubts is named whichever are shown.
    List {
        /// Of this framework or kind only.
        #[arg(long)]
        framework: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Those older than this report.
        #[arg(long, value_name = "ID")]
        before: Option<ReportId>,
    },
    /// Make a report over a period and write files. Exit code 0 when every control passes (or nothing is judged), 1 when one
    /// fails, 5 when one warns and none fails, 6 when nothing is worse than what could not be shown.
    Generate {
        /// Which framework or kind: soc2, gdpr, ... or summary, executive, kpi, incident, ...
        #[arg(long)]
        framework: String,
        /// First day, or instant (RFC 3339).
        #[arg(long, value_parser = crate::period::parse_instant)]
        from: DateTime<Utc>,
        /// First day after, or instant (RFC 3339).
        #[arg(long, value_parser = crate::period::parse_instant)]
        to: DateTime<Utc>,
        /// What the kind is about: the number of an incident, a person or an address.
        #[arg(long)]
        subject: Option<String>,
        /// Formats.
        #[arg(long, value_delimiter = ',', default_value = "pdf,csv", value_parser = ["pdf", "csv", "json", "md"])]
        format: Vec<String>,
        /// Folder for the files.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// Write over files of the same names; without it, a name that no file has is found.
        #[arg(long)]
        force: bool,
        /// The PDF as an archive copy: PDF/A-3 with tags, the JSON and the CSV of the report attached.
        #[arg(long)]
        archive: bool,
        /// The report in whose place this one stands; a final one stands until this one is approved.
        #[arg(long)]
        supersedes: Option<ReportId>,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Reports that are made by themselves, by whoever runs the engine.
    #[command(subcommand)]
    Schedule(Schedule),
    /// Say something about an exception of a control; the next reports show it.
    Comment {
        /// Which framework.
        #[arg(long)]
        framework: String,
        /// Which control.
        #[arg(long)]
        control: String,
        /// The row of evidence: the one cell by which it is known (its id, or its first), or cell by cell, each with its own
        /// --cell, as the CSV or the JSON has it. Without any, the control as a whole.
        #[arg(long = "cell", allow_hyphen_values = true)]
        row: Vec<String>,
        /// First day of the period whose evidence holds the row; without a period, the newest report that was made.
        #[arg(long, value_parser = crate::period::parse_instant, requires = "to")]
        from: Option<DateTime<Utc>>,
        /// First day after it.
        #[arg(long, value_parser = crate::period::parse_instant, requires = "from")]
        to: Option<DateTime<Utc>>,
        /// What you say.
        text: String,
    },
    /// List what was said about the controls of a framework.
    Comments {
        /// Which framework.
        #[arg(long)]
        framework: String,
    },
    /// Take back what was said about a control; the audit trail keeps it.
    Withdraw {
        /// Which comment.
        id: CommentId,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Check a report file by itself and against the audit trail. Exit code 1 when something does not hold.
    Verify {
        /// The file, in any format; with --key, the JSON.
        file: PathBuf,
        /// The public key (PEM) of the console that made it: checks the signature of the approval with it and asks no audit
        /// trail, for a report that was made elsewhere. Get it by a way you trust.
        #[arg(long)]
        key: Option<PathBuf>,
        /// The signed approval, as `report copy` writes it; without this, FILE with the ending approval.txt.
        #[arg(long, requires = "key")]
        approval: Option<PathBuf>,
    },
    /// Make a draft final, as a second person.
    Approve {
        /// Which report.
        id: ReportId,
        /// What you say about it.
        #[arg(long)]
        note: String,
    },
    /// Write a report that was made earlier once more. The JSON is the same to the byte; the other formats say how far the
    /// report is now: draft, final with who approved it, or superseded.
    Copy {
        /// Which report.
        id: ReportId,
        /// Formats.
        #[arg(long, value_delimiter = ',', default_value = "pdf,csv", value_parser = ["pdf", "csv", "json", "md"])]
        format: Vec<String>,
        /// Folder for the files.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// The PDF as an archive copy.
        #[arg(long)]
        archive: bool,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Tell what changed since an earlier report of the same framework. Exit code 1 when something did.
    Compare {
        /// The later report.
        id: ReportId,
        /// The earlier one; without it the newest one before about a period of the same length.
        #[arg(long)]
        before: Option<ReportId>,
    },
    /// Give evidence for a control: a statement, and a file by its hash.
    Attach {
        /// Which framework.
        #[arg(long)]
        framework: String,
        /// Which control.
        #[arg(long)]
        control: String,
        /// First day for which it counts.
        #[arg(long, value_parser = crate::period::parse_instant)]
        from: DateTime<Utc>,
        /// First day for which it no longer counts.
        #[arg(long, value_parser = crate::period::parse_instant)]
        to: DateTime<Utc>,
        /// What it says.
        #[arg(long)]
        statement: String,
        /// The file that shows it; it stays where it is.
        #[arg(long)]
        file: Option<PathBuf>,
        /// Who answers for it; you, without this.
        #[arg(long)]
        owner: Option<String>,
        /// It says nothing from then on.
        #[arg(long, value_parser = crate::period::parse_instant)]
        expires: DateTime<Utc>,
    },
}

/// Schedules of reports.
#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// List them with how the last run went.
    List,
    /// Have a report made whenever a day, week, month or quarter (UTC) has ended. What was missed is made once, about the
    /// newest period.
    Add {
        /// Which framework or kind: soc2, gdpr, ... or summary, executive, kpi, ...
        #[arg(long)]
        framework: String,
        /// How often: daily, weekly, monthly or quarterly.
        #[arg(long, default_value = "monthly")]
        every: Cadence,
        /// What the kind is about.
        #[arg(long)]
        subject: Option<String>,
        /// Formats.
        #[arg(long, value_delimiter = ',', default_value = "pdf,csv,json", value_parser = ["pdf", "csv", "json", "md"])]
        format: Vec<String>,
        /// The PDF as an archive copy (PDF/A-3).
        #[arg(long)]
        archive: bool,
        /// Folder for the files, on the machine that runs the engine.
        #[arg(long)]
        out: PathBuf,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take one away.
    Remove {
        /// Which one; also one that cannot be read, as the list shows it.
        id: String,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Keep one without anything being made.
    Pause {
        /// Which one.
        id: ScheduleId,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Go on with one that is paused; what ended meanwhile is not made.
    Resume {
        /// Which one.
        id: ScheduleId,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Make one now, about the newest period that has ended.
    Run {
        /// Which one.
        id: ScheduleId,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// The register.
#[derive(Debug, Subcommand)]
pub(crate) enum Register {
    /// List entries, newest first.
    List {
        /// Of this kind only.
        #[arg(long)]
        kind: Option<RegisterKind>,
        /// About this only: incident/12, account/dana, host/db1.
        #[arg(long)]
        subject: Option<String>,
    },
    /// Write an entry.
    Add {
        /// What it is about: access_review, restore_test, breach, backup, consent, ...
        #[arg(long)]
        kind: RegisterKind,
        /// About whom or what: incident/12, account/dana, host/db1.
        #[arg(long)]
        subject: String,
        /// When it began; now, without this.
        #[arg(long, value_parser = crate::period::parse_instant)]
        at: Option<DateTime<Utc>>,
        /// Until when it has to be closed; by its kind, without this.
        #[arg(long, value_parser = crate::period::parse_instant)]
        due: Option<DateTime<Utc>>,
        /// Whose it is; yours, without this.
        #[arg(long)]
        owner: Option<String>,
        /// How it ended: open, good or bad.
        #[arg(long, default_value = "open")]
        result: EntryResult,
        /// A fact, as NAME=VALUE; may be given several times.
        #[arg(long = "set", value_parser = fact)]
        facts: Vec<(String, String)>,
        /// Free text.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Withdraw a consent (an entry of the kind `consent`).
    Withdraw {
        /// Which entry.
        id: EntryId,
        /// How it was withdrawn: by mail, at the desk, by the switch in the account.
        #[arg(long)]
        how: String,
        /// When; now, without this.
        #[arg(long, value_parser = crate::period::parse_instant)]
        at: Option<DateTime<Utc>>,
    },
    /// Change, approve or close an entry.
    Change {
        /// Which entry.
        id: EntryId,
        /// Close it as good or bad, or open it again.
        #[arg(long)]
        result: Option<EntryResult>,
        /// A new due time.
        #[arg(long, value_parser = crate::period::parse_instant)]
        due: Option<DateTime<Utc>>,
        /// Approve it, as a second person.
        #[arg(long)]
        approve: bool,
        /// A fact, as NAME=VALUE; an empty value removes it.
        #[arg(long = "set", value_parser = fact)]
        facts: Vec<(String, String)>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

fn fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.trim().is_empty() {
        Err("the name is empty".to_owned())
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}
