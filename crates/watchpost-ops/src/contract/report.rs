//! Reports: what can be made, making it, approving it, checking it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::ids::{CommentId, ReportId, ScheduleId};
use watchpost_model::period::Period;
use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind};
use watchpost_model::report::{
    Cadence, ControlComment, ReportFile, ReportFormat, ReportRecord, ReportSchedule,
};
use watchpost_report::ReportKind;

/// A framework or another kind of report that can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkInfo {
    /// `soc2`, `kpi`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Version of the framework file; empty for other kinds.
    pub version: String,
    /// Number of controls; 0 for other kinds.
    pub controls: u32,
    /// What kind of report it is.
    pub kind: ReportKind,
    /// What has to be said besides the period, for people: `the number of the incident`.
    pub subject: Option<String>,
    /// What it is for, in one sentence.
    pub about: String,
}

/// What can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkList {
    /// Frameworks by name, then the other kinds.
    pub frameworks: Vec<FrameworkInfo>,
    /// Framework files of the user that cannot be used: file, line and reason.
    pub broken: Vec<String>,
    /// The folder in which users put framework files.
    pub folder: String,
}

/// Evaluate a framework over a period, or make another report, without writing anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// Which framework or kind.
    pub framework: String,
    /// Which period.
    pub period: Period,
    /// What the kind asks for besides: an incident's number, a person or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
    /// A name that the caller makes up, by which it can ask how far the making is and stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportTarget {
    /// In which format.
    pub format: ReportFormat,
    /// Where to.
    pub path: String,
    /// May a file that is there be replaced? Only where somebody was asked: by a save dialog, or with `--force`.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub replace: bool,
}

/// Names for the files of a report in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportNames {
    /// Which framework or kind.
    pub framework: String,
    /// Which period.
    pub period: Period,
    /// What the kind asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
    /// In which formats.
    pub formats: Vec<ReportFormat>,
    /// The folder.
    pub folder: String,
}

/// Places that no file has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportTargets {
    /// One a format.
    pub files: Vec<ReportTarget>,
}

/// Produce a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportGenerate {
    /// Which framework or kind.
    pub framework: String,
    /// Which period.
    pub period: Period,
    /// What the kind asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
    /// The files; at least one.
    pub files: Vec<ReportTarget>,
    /// The PDF as an archive copy: PDF/A-3 with tags, the JSON and the CSV attached.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub archive: bool,
    /// A name that the caller makes up, by which it can ask how far the making is and stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
    /// The report in whose place this one stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub supersedes: Option<ReportId>,
}

/// Which produced reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportPageRequest {
    /// Of this framework or kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub framework: Option<String>,
    /// This one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<ReportId>,
    /// Those that come behind this one: older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<ReportId>,
    /// At most so many; 200 if it is not said, 10,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Produced reports, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportList {
    /// The rows.
    pub reports: Vec<ReportRecord>,
    /// How many fit in all, those of other pages included.
    pub total: u64,
    /// Reports that are not what the audit trail says of them, that cannot be read, or that are gone: their records were
    /// changed behind the back of Watchpost. Of all reports, whichever are in `reports`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<DoubtedReport>>", optional)]
    pub doubted: Vec<DoubtedReport>,
}

/// A report that the audit trail says something else of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DoubtedReport {
    /// Which; its record may not be readable, or not there.
    pub id: String,
    /// What is otherwise.
    pub problems: Vec<String>,
}

/// Make a draft final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportApprove {
    /// Which report.
    pub id: ReportId,
    /// What the second person says about it.
    pub note: String,
}

/// Write a report that was made earlier once more, with what is known of it now: who approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportCopy {
    /// Which report.
    pub id: ReportId,
    /// The files; at least one.
    pub files: Vec<ReportTarget>,
    /// The PDF as an archive copy.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub archive: bool,
}

/// Copies of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportCopied {
    /// Of which report.
    pub report: ReportRecord,
    /// What was written.
    pub files: Vec<ReportFile>,
    /// Beside the JSON of a report whose approval is signed: what is needed to check the signature elsewhere.
    pub proof: Option<ReportProof>,
}

/// A signed approval and the public key of the console that signed it, as files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportProof {
    /// The approval: a C2SP signed note over report, SHA-256 of its JSON, and who approved it, a line each.
    pub approval: String,
    /// The Ed25519 public key as PEM.
    pub key: String,
}

/// Compare a report with an earlier one of the same framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportCompare {
    /// The later report.
    pub id: ReportId,
    /// The earlier one; without it the newest one of the same framework before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<ReportId>,
}

/// What changed from one report to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportChanges {
    /// The earlier one.
    pub before: ReportRecord,
    /// The later one.
    pub now: ReportRecord,
    /// What to bear in mind, for people: the periods are not alike.
    pub notes: Vec<String>,
    /// Column names of `rows`.
    pub columns: Vec<String>,
    /// A line a control whose state or number of exceptions differs.
    pub rows: Vec<Vec<String>>,
}

/// Check a report file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportVerify {
    /// The file, in any format.
    pub path: String,
    /// Check the signature of its approval with this key instead of asking an audit trail: for a file that was made elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub proof: Option<ReportProof>,
}

/// What checking a report file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportChecked {
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// The report that the trail knows under this hash.
    pub report: Option<ReportRecord>,
    /// Of a final report: whose signature its approval has, and whether it holds; for people.
    pub signature: Option<String>,
    /// Number of the audit record in which it stands.
    pub audit_seq: Option<i64>,
    /// How many figures and samples were checked; 0 for formats other than JSON.
    pub checked: u64,
    /// What does not hold, for people; empty if everything does.
    pub problems: Vec<String>,
}

/// Which entries of the register.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// Of this kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub kind: Option<RegisterKind>,
    /// About this only: `incident/12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
}

/// Entries of the register, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RegisterList {
    /// The rows, at most 500.
    pub entries: Vec<RegisterEntry>,
}

/// Write an entry into the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RegisterAdd {
    /// What it is about.
    pub kind: RegisterKind,
    /// About whom or what.
    pub subject: String,
    /// When it began; now, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub opened_at: Option<DateTime<Utc>>,
    /// Until when it has to be closed; by its kind, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub due_at: Option<DateTime<Utc>>,
    /// Whose it is; the writer's, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub owner: Option<String>,
    /// How it ended, if it has.
    #[serde(default)]
    pub result: EntryResult,
    /// Further facts by name.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
    /// Free text.
    #[serde(default)]
    pub note: String,
}

/// Change an entry: what is given is set, the rest stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RegisterChange {
    /// Which entry.
    pub id: watchpost_model::ids::EntryId,
    /// The version that was looked at.
    pub version: i64,
    /// Close it with this result, or open it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub result: Option<EntryResult>,
    /// A new due time: an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub due_at: Option<DateTime<Utc>>,
    /// Approve it: the caller becomes the approver.
    #[serde(default)]
    pub approve: bool,
    /// Facts to set; an empty value removes one.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
    /// Why.
    pub reason: String,
}

/// Give evidence for a control: a statement, and a file by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProofAdd {
    /// Which framework.
    pub framework: String,
    /// Which control.
    pub control: String,
    /// For which time it counts.
    pub period: Period,
    /// What it says.
    pub statement: String,
    /// The file that shows it; it is read, hashed and left where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// Who answers for it; the caller, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub owner: Option<String>,
    /// It says nothing from then on.
    pub expires_at: DateTime<Utc>,
}

/// The making of a report, by the ticket that its caller made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportTicket {
    /// The ticket.
    pub ticket: String,
}

/// How far the making of a report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportProgress {
    /// What is done now, for people.
    pub step: String,
    /// Steps done.
    pub done: u32,
    /// Steps in all.
    pub total: u32,
    /// Is it being made? Not, before it begins and once it has ended.
    pub running: bool,
}

/// Have a report made whenever a period of the calendar has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportScheduleAdd {
    /// Which framework or kind.
    pub framework: String,
    /// What the kind asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
    /// How often.
    pub cadence: Cadence,
    /// In which formats; at least one.
    pub formats: Vec<ReportFormat>,
    /// The PDF as an archive copy.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub archive: bool,
    /// The folder for the files, as an absolute path on the machine that runs the engine.
    pub folder: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// A schedule to pause or to go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportSchedulePause {
    /// Which one.
    pub id: ScheduleId,
    /// Is nothing made from now on?
    pub paused: bool,
}

/// One schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportScheduleRef {
    /// Which one.
    pub id: ScheduleId,
}

/// Of the id of a schedule that somebody else wrote, this much is shown.
pub const SCHEDULE_ID_SHOWN_MAX: usize = 40;

/// A schedule to take away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportScheduleRemove {
    /// Its id; of one that cannot be read, as the list has it.
    pub id: String,
}

/// Schedules, the next one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportScheduleList {
    /// The rows, at most 500.
    pub schedules: Vec<ReportSchedule>,
    /// Ids of those that cannot be read: they were changed behind the back of Watchpost, and make nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub unreadable: Vec<String>,
}

/// Say something about an exception of a control, or about the control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportCommentAdd {
    /// Which framework.
    pub framework: String,
    /// Which control.
    pub control: String,
    /// The row of evidence: cell by cell, as the JSON or as the CSV has it, or only the cell by which it is known (its id, or
    /// its first). Empty for the control as a whole.
    #[serde(default)]
    pub row: Vec<String>,
    /// The period whose evidence holds the row; without it, the newest report of the framework that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub period: Option<Period>,
    /// What you say.
    pub text: String,
}

/// What was said about the controls of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportCommentsRequest {
    /// Which framework.
    pub framework: String,
}

/// Comments that stand, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportCommentList {
    /// The rows.
    pub comments: Vec<ControlComment>,
    /// How many older ones are not among them.
    pub left_out: u64,
}

/// Take a comment back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportCommentRef {
    /// Which one.
    pub id: CommentId,
}
