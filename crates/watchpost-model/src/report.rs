//! Produced reports: what was made, by whom, with the digests of its files.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{CommentId, ReportId, ScheduleId};
use crate::period::Period;
use crate::words;

/// Format of a report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// For people.
    Pdf,
    /// Rows for a spreadsheet.
    Csv,
    /// The canonical content.
    Json,
    /// Text.
    Markdown,
}

words!(ReportFormat { Pdf = "pdf", Csv = "csv", Json = "json", Markdown = "markdown" });

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportFile {
    /// In which format.
    pub format: ReportFormat,
    /// Where it was written.
    pub path: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// How far a report is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// Made, and nobody has approved it.
    #[default]
    Draft,
    /// Approved by a second person; it cannot change any more.
    Final,
    /// A later one stands in its place.
    Superseded,
}

words!(ReportStatus { Draft = "draft", Final = "final", Superseded = "superseded" });

/// Somebody's approval of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Approval {
    /// Who; never the one who made it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What they say about it.
    pub note: String,
    /// A C2SP signed note over the hash of the content with the console's key; `None` without a key.
    pub signed_note: Option<String>,
}

/// A produced report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportRecord {
    /// Identity.
    pub id: ReportId,
    /// Framework id.
    pub framework: String,
    /// Its period.
    pub period: Period,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom.
    pub made_by: String,
    /// SHA-256 of the canonical JSON, hex.
    pub content_sha256: String,
    /// `12 pass, 1 warn, 0 fail, 2 no data, 3 manual`.
    pub summary: String,
    /// Worst state: `pass`, `warn`, `fail`, `no_data`, `manual`.
    pub worst: String,
    /// The files.
    pub files: Vec<ReportFile>,
    /// What it was asked besides the period: an incident's number, a person.
    #[serde(default)]
    pub subject: Option<String>,
    /// How far it is.
    #[serde(default)]
    pub status: ReportStatus,
    /// The approval of a final one.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// The report in whose place this one stands.
    #[serde(default)]
    pub supersedes: Option<ReportId>,
}

/// How often a report is made by itself. Days, weeks (from Monday), months and quarters are those of the calendar in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each quarter.
    Quarterly,
}

words!(Cadence { Daily = "daily", Weekly = "weekly", Monthly = "monthly", Quarterly = "quarterly" });

impl Cadence {
    /// When the report about a period is due after its end: what happened at its end has to have arrived.
    pub const GRACE: Duration = Duration::hours(1);

    /// The beginning of the day, week, month or quarter that holds `at`.
    fn start(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let day = at.date_naive();
        let first = match self {
            Self::Daily => Some(day),
            Self::Weekly => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
            Self::Monthly => day.with_day(1),
            Self::Quarterly => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
        };
        first.unwrap_or(day).and_time(NaiveTime::MIN).and_utc()
    }

    /// The newest whole day, week, month or quarter whose report is due at `now`.
    #[must_use]
    pub fn newest_complete(self, now: DateTime<Utc>) -> Period {
        let to = self.start(now - Self::GRACE);
        Period { from: self.start(to - Duration::microseconds(1)), to }
    }

    /// When the next report is due after `now`.
    #[must_use]
    pub fn next_due(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let days = match self {
            Self::Daily => 1,
            Self::Weekly => 7,
            Self::Monthly => 31,
            Self::Quarterly => 92,
        };
        self.start(self.start(now - Self::GRACE) + Duration::days(days)) + Self::GRACE
    }
}

/// A report that is made by itself when a period of the calendar has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportSchedule {
    /// Identity.
    pub id: ScheduleId,
    /// Which framework or kind.
    pub framework: String,
    /// What the kind asks for besides.
    #[serde(default)]
    pub subject: Option<String>,
    /// How often.
    pub cadence: Cadence,
    /// In which formats.
    pub formats: Vec<ReportFormat>,
    /// The PDF as an archive copy.
    pub archive: bool,
    /// The folder of the machine that runs the engine, as an absolute path.
    pub folder: String,
    /// Who set it up.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// When it is due next; nothing is made while it is paused.
    pub due_at: DateTime<Utc>,
    /// Is it kept without anything being made?
    #[serde(default)]
    pub paused: bool,
    /// How it went the last time.
    #[serde(default)]
    pub last: Option<ScheduleRun>,
}

/// How making a scheduled report went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ScheduleRun {
    /// When.
    pub at: DateTime<Utc>,
    /// About which period.
    pub period: Period,
    /// What was made; `None` if nothing could be.
    pub report: Option<ReportId>,
    /// Why nothing could be made.
    pub error: Option<String>,
}

/// What somebody says about an exception of a control, or about the control as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ControlComment {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Control id.
    pub control: String,
    /// Framework id.
    pub framework: String,
    /// Identity.
    pub id: CommentId,
    /// By what the row is known in later reports, where that tells it from all others: an account, a number, an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<String>,
    /// The row of evidence that it is about, cell by cell; empty for the control as a whole.
    pub row: Vec<String>,
    /// What they say.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::Cadence;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        use Cadence::{Daily, Monthly, Quarterly, Weekly};
        for (cadence, now, from, to, due) in [
            (Daily, "2026-03-01T00:59:59Z", "2026-02-27", "2026-02-28", "2026-03-01"),
            (Daily, "2026-03-01T01:00:00Z", "2026-02-28", "2026-03-01", "2026-03-02"),
            // 1 March 2026 is a Sunday.
            (Weekly, "2026-03-01T12:00:00Z", "2026-02-16", "2026-02-23", "2026-03-02"),
            (Weekly, "2026-03-02T12:00:00Z", "2026-02-23", "2026-03-02", "2026-03-09"),
            (Monthly, "2026-01-31T12:00:00Z", "2025-12-01", "2026-01-01", "2026-02-01"),
            (Monthly, "2028-02-29T12:00:00Z", "2028-01-01", "2028-02-01", "2028-03-01"),
            (Monthly, "2026-03-01T00:30:00Z", "2026-01-01", "2026-02-01", "2026-03-01"),
            (Quarterly, "2026-07-01T01:00:00Z", "2026-04-01", "2026-07-01", "2026-10-01"),
            (Quarterly, "2026-12-31T23:00:00Z", "2026-07-01", "2026-10-01", "2027-01-01"),
        ] {
            let period = cadence.newest_complete(at(now));
            let day = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M").to_string();
            assert_eq!(day(period.from), format!("{from}T00:00"), "{cadence} from, at {now}");
            assert_eq!(day(period.to), format!("{to}T00:00"), "{cadence} to, at {now}");
            assert_eq!(day(cadence.next_due(at(now))), format!("{due}T01:00"), "{cadence} due, at {now}");
        }
    }
}
