//! The register: what people do and no event shows. Reviews, requests, breaches, restore tests, approvals, exceptions.
//!
//! One shape serves all kinds, so that the evidence questions can judge each by who, when, until when and how it ended.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{EntryId, ProofId};
use crate::period::Period;
use crate::words;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RegisterKind {
    /// A decision on personal data in an incident; opened when somebody became aware, closed when the authority knew.
    Breach,
    /// Somebody asked what is kept about them.
    SubjectRequest,
    /// Somebody asked to be erased.
    ErasureRequest,
    /// A refusal or a hold that delays erasure.
    LegalHold,
    /// The entry of a source or category in the record of processing.
    ProcessingRecord,
    /// The data class of an event category.
    DataClass,
    /// State of encryption of a disk, database or backup.
    Encryption,
    /// A restore was tried.
    RestoreTest,
    /// A backup was made.
    Backup,
    /// A weakness or failed control that somebody follows up.
    FollowUp,
    /// An exception from a rule, with an end.
    Exception,
    /// A new account with its approval.
    AccountApproval,
    /// A change of rights with its approval.
    RoleChange,
    /// Somebody left; closed when the last access was removed.
    Leaver,
    /// Who may do what was looked through.
    AccessReview,
    /// A right that a review took away; closed when it was gone.
    AccessRemoval,
    /// Files or data that went out.
    Disclosure,
    /// A scan against the baseline or for changed files.
    BaselineScan,
    /// A drift or changed file that somebody handles.
    Drift,
    /// The approved baseline of a target.
    Baseline,
    /// The review after an incident.
    IncidentReview,
    /// A change of rules, retention, roles or settings.
    Change,
    /// A playbook as of its last review.
    Playbook,
    /// An exercise of the response plan.
    Exercise,
    /// An event that a person reported; closed when they got an answer.
    UserReport,
    /// An account with administrative rights, approved.
    PrivilegedAccount,
    /// Somebody who may read the logs, approved.
    LogReader,
    /// The daily look at the logs.
    DailyReview,
    /// A clock was compared with its reference.
    ClockCheck,
    /// The log was copied to where nobody here can change it.
    LogCopy,
    /// A change was planted in the log to see whether it is noticed.
    PlantedChange,
    /// A rule or a feed was tried with a test event.
    TestEvent,
    /// Keys, methods and transports were looked at.
    KeyReview,
    /// A class of errors or crashes that somebody handles.
    ErrorClass,
    /// A failure of logging; closed when it was handled.
    LogFailure,
    /// The logging policy was reviewed.
    LoggingPolicy,
    /// Room for logs was forecast.
    CapacityCheck,
    /// An archive was read back.
    ArchiveProof,
    /// The written criteria by which events become incidents, as of a version.
    Criteria,
    /// What a person agreed to; open while it stands, ended when it was withdrawn.
    Consent,
}

words!(RegisterKind {
    Breach = "breach",
    SubjectRequest = "subject_request",
    ErasureRequest = "erasure_request",
    LegalHold = "legal_hold",
    ProcessingRecord = "processing_record",
    DataClass = "data_class",
    Encryption = "encryption",
    RestoreTest = "restore_test",
    Backup = "backup",
    FollowUp = "follow_up",
    Exception = "exception",
    AccountApproval = "account_approval",
    RoleChange = "role_change",
    Leaver = "leaver",
    AccessReview = "access_review",
    AccessRemoval = "access_removal",
    Disclosure = "disclosure",
    BaselineScan = "baseline_scan",
    Drift = "drift",
    Baseline = "baseline",
    IncidentReview = "incident_review",
    Change = "change",
    Playbook = "playbook",
    Exercise = "exercise",
    UserReport = "user_report",
    PrivilegedAccount = "privileged_account",
    LogReader = "log_reader",
    DailyReview = "daily_review",
    ClockCheck = "clock_check",
    LogCopy = "log_copy",
    PlantedChange = "planted_change",
    TestEvent = "test_event",
    KeyReview = "key_review",
    ErrorClass = "error_class",
    LogFailure = "log_failure",
    LoggingPolicy = "logging_policy",
    CapacityCheck = "capacity_check",
    ArchiveProof = "archive_proof",
    Criteria = "criteria",
    Consent = "consent",
});

impl RegisterKind {
    /// The fields that an entry has to have before it is complete.
    #[must_use]
    pub const fn required(self) -> &'static [&'static str] {
        match self {
            Self::Breach => &["nature", "people", "records", "contact", "effects", "measures"],
            Self::LegalHold => &["ground"],
            Self::ProcessingRecord => &["purpose", "people", "data", "recipients", "limit", "transfer"],
            Self::DataClass => &["class", "protection"],
            Self::Encryption => &["method"],
            Self::RestoreTest => &["backup", "records"],
            Self::IncidentReview => &["actions"],
            Self::Disclosure => &["purpose", "recipient"],
            Self::Exception => &["ground"],
            Self::Change => &["test"],
            Self::Criteria => &["version"],
            Self::Consent => &["purpose", "text", "how"],
            Self::SubjectRequest
            | Self::ErasureRequest
            | Self::Backup
            | Self::FollowUp
            | Self::AccountApproval
            | Self::RoleChange
            | Self::Leaver
            | Self::AccessReview
            | Self::AccessRemoval
            | Self::BaselineScan
            | Self::Drift
            | Self::Baseline
            | Self::Playbook
            | Self::Exercise
            | Self::UserReport
            | Self::PrivilegedAccount
            | Self::LogReader
            | Self::DailyReview
            | Self::ClockCheck
            | Self::LogCopy
            | Self::PlantedChange
            | Self::TestEvent
            | Self::KeyReview
            | Self::ErrorClass
            | Self::LogFailure
            | Self::LoggingPolicy
            | Self::CapacityCheck
            | Self::ArchiveProof => &[],
        }
    }

    /// How long an entry may stay open when nobody says otherwise. For a breach it is the clock of 72 hours, for a consent
    /// the time after which somebody asks again.
    #[must_use]
    pub const fn due_after(self) -> Duration {
        match self {
            Self::Breach => Duration::hours(72),
            Self::Leaver | Self::LogFailure | Self::UserReport => Duration::hours(24),
            Self::AccessRemoval | Self::Drift => Duration::days(7),
            Self::IncidentReview => Duration::days(14),
            Self::Consent => Duration::days(730),
            _ => Duration::days(30),
        }
    }
}

impl RegisterKind {
    /// Does an entry say how its subject is, until a newer one says otherwise? Others tell of something that begins and ends.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(
            self,
            Self::ProcessingRecord
                | Self::DataClass
                | Self::Encryption
                | Self::Baseline
                | Self::Playbook
                | Self::PrivilegedAccount
                | Self::LogReader
                | Self::LoggingPolicy
                | Self::Criteria
        )
    }

    /// Is a subject judged by its newest entry, until one with the fact [`RETIRED`] that a second person approved?
    #[must_use]
    pub const fn retires(self) -> bool {
        self.stands() || matches!(self, Self::CapacityCheck | Self::ClockCheck | Self::KeyReview)
    }

    /// Does an entry count only once a second person approved it?
    #[must_use]
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::LogReader | Self::Baseline | Self::PrivilegedAccount)
    }

    /// The time that the law gives for an answer from its receipt, and that with an extension of which the person was told
    /// within the first. No due time of an entry is later.
    #[must_use]
    pub const fn answered_within(self) -> Option<(Duration, Duration)> {
        match self {
            Self::SubjectRequest | Self::ErasureRequest => Some((Duration::days(30), Duration::days(90))),
            _ => None,
        }
    }
}

/// The fact that says why a subject has gone, in an entry of its own; see [`RegisterKind::retires`].
pub const RETIRED: &str = "retired";
/// The fact of a consent that says how it was withdrawn.
pub const WITHDRAWN: &str = "withdrawn";
/// The fact of a consent that says when it was withdrawn.
pub const WITHDRAWN_AT: &str = "withdrawn_at";
/// The facts of a request for erasure that [`ErasureClock::fault`] knows.
pub const ERASURE_FACTS: [&str; 3] = ["key_destroyed", "residue", "backups_until"];
/// How many days after a request for erasure ended a backup may still hold what was erased.
const BACKUP_DAYS_MAX: i64 = 90;

/// The times that the facts of a request for erasure are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureClock {
    /// When the request was received.
    pub received_at: DateTime<Utc>,
    /// When the request ended.
    pub ended_at: DateTime<Utc>,
    /// A day before this one is past.
    pub end: DateTime<Utc>,
    /// What lies after this is in the future.
    pub now: DateTime<Utc>,
}

impl ErasureClock {
    /// What is wrong with what a fact says, in words that follow its name.
    #[must_use]
    pub fn fault(self, name: &str, text: &str) -> Option<&'static str> {
        match name {
            "key_destroyed" => match moment(text) {
                None => Some("is neither an instant such as 2026-11-19T08:00:00Z nor a day"),
                Some(at) if at > self.now => Some("lies in the future"),
                Some(at) if at < self.received_at && !self.is_day_of_receipt(text) => {
                    Some("lies before the request was received")
                }
                Some(_) => None,
            },
            "residue" if !text.trim().eq_ignore_ascii_case("none") => Some("is not none"),
            "backups_until" => match moment(text).map(|at| at.date_naive()) {
                None => Some("is no day such as 2026-11-19"),
                Some(day) if day < self.end.date_naive() => Some("is past"),
                Some(day) if day > (self.ended_at + Duration::days(BACKUP_DAYS_MAX)).date_naive() => {
                    Some("lies more than 90 days after the request ended")
                }
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// A day alone leaves its hour open: that of the receipt is not before it.
    fn is_day_of_receipt(self, text: &str) -> bool {
        text.trim().parse::<NaiveDate>().is_ok_and(|day| day == self.received_at.date_naive())
    }
}

/// An instant, or the begin of a day (UTC).
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    text.parse::<DateTime<Utc>>().ok().or_else(day)
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EntryResult {
    /// It has not ended.
    #[default]
    Open,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

words!(EntryResult { Open = "open", Good = "good", Bad = "bad" });

/// One entry as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RegisterEntry {
    /// Identity.
    pub id: EntryId,
    /// What it is about.
    pub kind: RegisterKind,
    /// About whom or what: `incident/12`, `account/dana`, `host/db1`. No text of its own meaning is kept elsewhere.
    pub subject: String,
    /// When it began: a request was received, a breach became known, a check was made.
    pub opened_at: DateTime<Utc>,
    /// Until when it has to be closed.
    pub due_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Whose it is.
    pub owner: String,
    /// Who approved it; has to be somebody else.
    pub approver: String,
    /// How it ended.
    pub result: EntryResult,
    /// Further facts by name; which ones a kind needs, [`RegisterKind::required`] says.
    pub fields: BTreeMap<String, String>,
    /// Free text.
    pub note: String,
    /// Who wrote the entry.
    pub written_by: String,
    /// When.
    pub written_at: DateTime<Utc>,
    /// Grows by one with every change.
    pub version: i64,
}

impl RegisterEntry {
    /// How many required fields are empty.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let blank = |name: &&str| self.fields.get(*name).is_none_or(|value| value.trim().is_empty());
        self.kind.required().iter().copied().filter(|name| blank(name)).count() as u64
    }
}

/// What a person gave for a control: a file, a statement, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Proof {
    /// Control id.
    pub control: String,
    /// It says nothing from then on.
    pub expires_at: DateTime<Utc>,
    /// The file, if there is one; the file itself stays where it is.
    pub file: Option<ProofFile>,
    /// Framework id.
    pub framework: String,
    /// When.
    pub given_at: DateTime<Utc>,
    /// Who gave it.
    pub given_by: String,
    /// Identity.
    pub id: ProofId,
    /// Who answers for it.
    pub owner: String,
    /// For which time it counts.
    pub period: Period,
    /// What it says, in the person's words.
    pub statement: String,
}

/// A file that is evidence, by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProofFile {
    /// Its size.
    pub bytes: u64,
    /// Its name, without folders.
    pub name: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}
