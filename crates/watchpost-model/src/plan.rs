//! When maintenance runs by itself: which jobs, how often, and in which hours of which time zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Duration, LocalResult, Months, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::copies::{CopyEncryption, CopyKey, Generations};
use crate::job::JobKind;
use crate::period::Period;
use crate::words;

/// A day of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are the days of the week")]
pub enum WeekDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

words!(WeekDay {
    Monday = "monday",
    Tuesday = "tuesday",
    Wednesday = "wednesday",
    Thursday = "thursday",
    Friday = "friday",
    Saturday = "saturday",
    Sunday = "sunday",
});

/// How often a job runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "every")]
pub enum Rhythm {
    /// Each day.
    Day,
    /// On one day of each week.
    Week {
        /// Which.
        on: WeekDay,
    },
    /// On one day of each month.
    Month {
        /// Which, 1 to 28: every month has these.
        on: u8,
    },
}

impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day => f.write_str("daily"),
            Self::Week { on } => write!(f, "weekly on {on}"),
            Self::Month { on } => write!(f, "monthly on day {on}"),
        }
    }
}

impl Rhythm {
    /// The newest day of the rhythm that is not after `day`.
    fn newest(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(day),
            Self::Week { on } => {
                let back = (day.weekday().num_days_from_monday() + 7 - on as u32) % 7;
                day.checked_sub_days(Days::new(back.into()))
            }
            Self::Month { on } => {
                let this = day.with_day(on.into())?;
                if this <= day { Some(this) } else { this.checked_sub_months(Months::new(1)) }
            }
        }
    }

    /// The first day of the rhythm after `day`, which is one of it.
    fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => day.succ_opt(),
            Self::Week { .. } => day.checked_add_days(Days::new(7)),
            Self::Month { .. } => day.checked_add_months(Months::new(1)),
        }
    }
}

/// A time of day to the minute, as `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(as = "String")]
pub struct ClockTime(u16);

impl ClockTime {
    /// By hour and minute; `None` if there is no such time.
    #[must_use]
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for ClockTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(hour, minute)| {
            let digits = |text: &str, most: usize| {
                (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
            };
            if !digits(hour, 2) || !digits(minute, 2) {
                return None;
            }
            Self::new(hour.parse().ok()?, minute.parse().ok()?)
        });
        parsed.ok_or_else(|| format!("{text:?} is no time of day: write HH:MM, 00:00 to 23:59"))
    }
}

impl TryFrom<String> for ClockTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        time.to_string()
    }
}

/// One job that runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PlannedJob {
    /// Which: one of [`Plan::KINDS`].
    pub kind: JobKind,
    /// How often.
    pub rhythm: Rhythm,
    /// Does it run?
    pub on: bool,
    /// Since when it runs in this rhythm; set by Watchpost. What was to run before that was not missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub since: Option<DateTime<Utc>>,
    /// Of backups and of copies of the database: the folder for the files, on the machine that runs the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<String>,
    /// Of backups: so many of its own files stay in the folder, 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub keep: Option<u32>,
    /// Of copies of the database: those of how many days, weeks and months stay in the folder; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub generations: Option<Generations>,
    /// Of rehearsals: the newest copy of the database is not to be older than so many days, 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub max_age_days: Option<u32>,
    /// Of backups and of copies of the database: for whom they are encrypted; they are not if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub encryption: Option<CopyEncryption>,
    /// Of rehearsals: what opens encrypted copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<CopyKey>,
}

impl PlannedJob {
    /// A job that is switched off, in this rhythm.
    #[must_use]
    pub const fn off(kind: JobKind, rhythm: Rhythm) -> Self {
        Self {
            kind,
            rhythm,
            on: false,
            since: None,
            folder: None,
            keep: None,
            generations: None,
            max_age_days: None,
            encryption: None,
            key: None,
        }
    }

    /// Can it be kept?
    fn check(&self) -> Result<(), String> {
        let kind = self.kind;
        if let Rhythm::Month { on } = self.rhythm
            && !(1..=28).contains(&on)
        {
            return Err(format!("{kind}: a day of the month is 1 to 28, not {on}"));
        }
        if self.keep.is_some_and(|keep| !(1..=1_000).contains(&keep)) {
            return Err(format!("{kind}: keep 1 to 1,000 files"));
        }
        if self.max_age_days.is_some_and(|days| !(1..=1_000).contains(&days)) {
            return Err(format!("{kind}: a copy may be 1 to 1,000 days old"));
        }
        if let Some(generations) = self.generations {
            generations.check().map_err(|problem| format!("{kind}: {problem}"))?;
        }
        let writes = matches!(kind, JobKind::Backup | JobKind::DatabaseBackup);
        if !writes && (self.folder.is_some() || self.keep.is_some()) {
            return Err(format!("{kind} writes no files"));
        }
        if kind == JobKind::DatabaseBackup && self.keep.is_some() {
            return Err(format!("{kind} keeps copies of days, weeks and months, not a number of files"));
        }
        if kind != JobKind::DatabaseBackup && self.generations.is_some() {
            return Err(format!("{kind} keeps nothing by days, weeks and months"));
        }
        if kind != JobKind::DatabaseRehearsal && self.max_age_days.is_some() {
            return Err(format!("{kind} looks at no age of copies"));
        }
        if let Some(encryption) = &self.encryption {
            if !writes {
                return Err(format!("{kind} encrypts no files"));
            }
            encryption.check().map_err(|problem| format!("{kind}: {problem}"))?;
        }
        if let Some(key) = &self.key {
            if kind != JobKind::DatabaseRehearsal {
                return Err(format!("{kind} opens no copies of the database"));
            }
            key.check().map_err(|problem| format!("{kind}: {problem}"))?;
        }
        if writes && self.on && self.folder.is_none() {
            let what = if kind == JobKind::Backup { "a backup" } else { "copying the database" };
            return Err(format!("{what} that runs by itself needs a folder"));
        }
        Ok(())
    }
}

/// When maintenance runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(rename = "JobPlan")]
pub struct Plan {
    /// IANA name of the time zone of the hours: `Europe/Berlin`.
    pub time_zone: String,
    /// The off-peak hours begin.
    pub from: ClockTime,
    /// They end; on the next day, if that is not after their beginning.
    pub to: ClockTime,
    /// The jobs.
    pub jobs: Vec<PlannedJob>,
}

impl Default for Plan {
    /// What is recommended (docs/redis.md), switched off: nothing touches somebody's server before somebody says so.
    fn default() -> Self {
        let job = PlannedJob::off;
        Self {
            time_zone: "UTC".to_owned(),
            from: ClockTime(2 * 60),
            to: ClockTime(5 * 60),
            jobs: vec![
                job(JobKind::Cleanup, Rhythm::Day),
                job(JobKind::Aggregate, Rhythm::Day),
                job(JobKind::Optimize, Rhythm::Week { on: WeekDay::Sunday }),
                job(JobKind::Benchmark, Rhythm::Week { on: WeekDay::Sunday }),
                PlannedJob { keep: Some(12), ..job(JobKind::Backup, Rhythm::Month { on: 1 }) },
                PlannedJob {
                    generations: Some(Generations::default()),
                    ..job(JobKind::DatabaseBackup, Rhythm::Day)
                },
                PlannedJob {
                    max_age_days: Some(7),
                    ..job(JobKind::DatabaseRehearsal, Rhythm::Month { on: 1 })
                },
            ],
        }
    }
}

impl Plan {
    /// What can run by itself, in the order in which jobs of one night run.
    pub const KINDS: [JobKind; 8] = [
        JobKind::Backup,
        JobKind::DatabaseBackup,
        JobKind::DatabaseRehearsal,
        JobKind::Retention,
        JobKind::Cleanup,
        JobKind::Aggregate,
        JobKind::Optimize,
        JobKind::Benchmark,
    ];

    /// The time zone.
    ///
    /// # Errors
    /// In words, if there is none of this name.
    pub fn zone(&self) -> Result<Tz, String> {
        let unknown = |_| {
            format!("there is no time zone {:?}: write an IANA name such as Europe/Berlin", self.time_zone)
        };
        self.time_zone.parse().map_err(unknown)
    }

    /// Can it be kept?
    ///
    /// # Errors
    /// The field and what is wrong with it, in words.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        self.zone().map_err(|problem| ("time_zone", problem))?;
        if self.from == self.to {
            return Err(("to", "the off-peak hours end when they begin".to_owned()));
        }
        for (index, job) in self.jobs.iter().enumerate() {
            let kind = job.kind;
            if !Self::KINDS.contains(&kind) {
                return Err(("jobs", format!("{kind} does not run by itself")));
            }
            if self.jobs[..index].iter().any(|other| other.kind == kind) {
                return Err(("jobs", format!("{kind} is there twice")));
            }
            job.check().map_err(|problem| ("jobs", problem))?;
        }
        Ok(())
    }

    /// The job of a kind.
    #[must_use]
    pub fn job(&self, kind: JobKind) -> Option<&PlannedJob> {
        self.jobs.iter().find(|job| job.kind == kind)
    }

    /// What a rehearsal lacks to open copies of the database as they are encrypted, for people; `None` if nothing.
    #[must_use]
    pub fn rehearsal_lacks(&self) -> Option<&'static str> {
        let encryption = self.job(JobKind::DatabaseBackup)?.encryption.as_ref()?;
        let key = self.job(JobKind::DatabaseRehearsal).and_then(|job| job.key.as_ref());
        let (named, lacks) = match encryption.passphrase_file {
            None => (
                key.and_then(|key| key.identity.as_ref()),
                "copies are encrypted for recipients, and no identity file that opens them is named",
            ),
            Some(_) => (
                key.and_then(|key| key.passphrase_file.as_ref()),
                "copies are encrypted with a passphrase, and no file with it is named that opens them",
            ),
        };
        named.is_none().then_some(lacks)
    }

    /// The same with what can run by itself since it was kept, switched off.
    #[must_use]
    pub fn with_new_jobs(mut self) -> Self {
        let new = Self::default().jobs.into_iter().filter(|job| self.job(job.kind).is_none());
        let new: Vec<PlannedJob> = new.collect();
        self.jobs.extend(new);
        self
    }

    /// The off-peak hours that begin on `day`.
    fn hours(&self, zone: Tz, day: NaiveDate) -> Option<Period> {
        let at = |day: NaiveDate, time: ClockTime| {
            let (hour, minute) = (u32::from(time.0 / 60), u32::from(time.0 % 60));
            Some(instant(zone, day.and_hms_opt(hour, minute, 0)?))
        };
        let from = at(day, self.from)?;
        let last = if self.to > self.from { day } else { day.succ_opt()? };
        let to = at(last, self.to)?;
        // Hours that a change of the clocks swallows are as long as ever, after it.
        let long = Duration::minutes((i64::from(self.to.0) - i64::from(self.from.0)).rem_euclid(24 * 60));
        Some(Period { from, to: if to > from { to } else { from + long } })
    }

    /// The newest hours of a rhythm that have begun at `now`.
    #[must_use]
    pub fn newest(&self, rhythm: Rhythm, now: DateTime<Utc>) -> Option<Period> {
        let zone = self.zone().ok()?;
        // A change of the clocks may move what begins on a day to its next one.
        let day = now.with_timezone(&zone).date_naive();
        let newest = rhythm.newest(day.succ_opt()?)?;
        let earlier = rhythm.newest(newest.pred_opt()?)?;
        let earliest = rhythm.newest(earlier.pred_opt()?)?;
        [newest, earlier, earliest]
            .into_iter()
            .filter_map(|day| self.hours(zone, day))
            .find(|hours| hours.from <= now)
    }

    /// The next hours of a rhythm that begin after `now`.
    #[must_use]
    pub fn next(&self, rhythm: Rhythm, now: DateTime<Utc>) -> Option<Period> {
        let zone = self.zone().ok()?;
        let mut day = rhythm.newest(now.with_timezone(&zone).date_naive().pred_opt()?)?;
        for _ in 0..5 {
            match self.hours(zone, day) {
                Some(hours) if hours.from > now => return Some(hours),
                _ => day = rhythm.after(day)?,
            }
        }
        None
    }

    /// The off-peak hours in which `now` lies, of any day.
    #[must_use]
    pub fn open(&self, now: DateTime<Utc>) -> Option<Period> {
        self.newest(Rhythm::Day, now).filter(|hours| now < hours.to)
    }
}

/// The instant of a time of a zone: the first of two when the clocks go back, the next that there is when they go forward.
fn instant(zone: Tz, local: chrono::NaiveDateTime) -> DateTime<Utc> {
    // No zone ever left out more than a day.
    for minutes in 0..=25 * 60 {
        match zone.from_local_datetime(&(local + Duration::minutes(minutes))) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.to_utc(),
            LocalResult::None => {}
        }
    }
    local.and_utc()
}

#[cfg(test)]
mod tests {
    use super::{ClockTime, Plan, PlannedJob, Rhythm, WeekDay};
    use crate::copies::{CopyEncryption, CopyKey, Generations};
    use crate::job::JobKind;
    use chrono::{DateTime, Duration, Utc};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn plan(zone: &str, from: &str, to: &str) -> Plan {
        Plan {
            time_zone: zone.to_owned(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            ..Plan::default()
        }
    }

    #[test]
    fn hours_begin_by_the_clock_of_the_zone() {
        let cases = [
            // Winter and summer of Berlin.
            (
                "Europe/Berlin",
                "02:00",
                "05:00",
                "2026-01-10T12:00:00Z",
                "2026-01-11T01:00:00Z",
                "2026-01-11T04:00:00Z",
            ),
            (
                "Europe/Berlin",
                "02:00",
                "05:00",
                "2026-07-10T12:00:00Z",
                "2026-07-11T00:00:00Z",
                "2026-07-11T03:00:00Z",
            ),
            // 02:00 to 03:00 does not exist on 2026-03-29: the hours begin when there is a time again.
            (
                "Europe/Berlin",
                "02:30",
                "05:00",
                "2026-03-28T12:00:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T03:00:00Z",
            ),
            (
                "Europe/Berlin",
                "02:10",
                "02:50",
                "2026-03-28T12:00:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:40:00Z",
            ),
            // It exists twice on 2026-10-25: they begin the first time.
            (
                "Europe/Berlin",
                "02:30",
                "05:00",
                "2026-10-24T12:00:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T04:00:00Z",
            ),
            // Over midnight.
            (
                "America/New_York",
                "23:00",
                "01:00",
                "2026-01-10T12:00:00Z",
                "2026-01-11T04:00:00Z",
                "2026-01-11T06:00:00Z",
            ),
            (
                "Asia/Kolkata",
                "00:00",
                "01:00",
                "2026-01-10T12:00:00Z",
                "2026-01-10T18:30:00Z",
                "2026-01-10T19:30:00Z",
            ),
        ];
        for (zone, from, to, now, begins, ends) in cases {
            let next = plan(zone, from, to).next(Rhythm::Day, at(now)).unwrap();
            assert_eq!((next.from, next.to), (at(begins), at(ends)), "{zone} {from} {now}");
        }
    }

    #[test]
    fn rhythms_keep_their_days() {
        let plan = plan("UTC", "02:00", "05:00");
        let cases = [
            (Rhythm::Week { on: WeekDay::Sunday }, "2026-11-21T12:00:00Z", "2026-11-15", "2026-11-22"),
            (Rhythm::Week { on: WeekDay::Saturday }, "2026-11-21T01:59:59Z", "2026-11-14", "2026-11-21"),
            (Rhythm::Week { on: WeekDay::Saturday }, "2026-11-21T02:00:00Z", "2026-11-21", "2026-11-28"),
            (Rhythm::Month { on: 1 }, "2026-12-31T12:00:00Z", "2026-12-01", "2027-01-01"),
            (Rhythm::Month { on: 28 }, "2026-03-01T12:00:00Z", "2026-02-28", "2026-03-28"),
        ];
        for (rhythm, now, newest, next) in cases {
            let day = |text: &str| at(&format!("{text}T02:00:00Z"));
            assert_eq!(plan.newest(rhythm, at(now)).unwrap().from, day(newest), "{rhythm} {now}");
            assert_eq!(plan.next(rhythm, at(now)).unwrap().from, day(next), "{rhythm} {now}");
        }
    }

    /// Over two years, hour by hour: nothing is left out, nothing comes twice, and hours always have a length.
    #[test]
    fn hours_follow_each_other() {
        for zone in [
            "UTC",
            "Europe/Berlin",
            "America/Sao_Paulo",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Asia/Kathmandu",
        ] {
            for (from, to) in [("02:00", "05:00"), ("23:30", "00:15"), ("00:00", "23:59"), ("02:15", "02:45")]
            {
                let plan = plan(zone, from, to);
                for rhythm in [Rhythm::Day, Rhythm::Week { on: WeekDay::Sunday }, Rhythm::Month { on: 28 }] {
                    let mut now = at("2011-12-01T00:30:00Z");
                    while now < at("2012-12-01T00:00:00Z") {
                        let (newest, next) =
                            (plan.newest(rhythm, now).unwrap(), plan.next(rhythm, now).unwrap());
                        assert!(newest.from <= now && now < next.from, "{zone} {from} {rhythm} {now}");
                        assert!(
                            newest.from < newest.to && next.from < next.to,
                            "{zone} {from} {rhythm} {now}"
                        );
                        assert_eq!(
                            plan.newest(rhythm, next.from),
                            Some(next),
                            "{zone} {from} {rhythm} {now}"
                        );
                        assert_eq!(
                            plan.next(rhythm, newest.from),
                            Some(next),
                            "{zone} {from} {rhythm} {now}"
                        );
                        now += Duration::hours(7);
                    }
                }
            }
        }
    }

    #[test]
    fn times_of_day_are_read_and_written() {
        for (text, written) in [("02:00", "02:00"), ("2:05", "02:05"), ("23:59", "23:59"), ("0:00", "00:00")]
        {
            assert_eq!(text.parse::<ClockTime>().unwrap().to_string(), written);
        }
        for bad in ["", "24:00", "12:60", "12", "12:0x", "-1:00", "+1:00", "012:00", "12:000", "1 2:00"] {
            assert!(bad.parse::<ClockTime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_run_is_refused() {
        assert_eq!(Plan::default().check(), Ok(()));
        let with = |change: &dyn Fn(&mut Plan)| {
            let mut plan = Plan::default();
            change(&mut plan);
            plan.check().unwrap_err().0
        };
        assert_eq!(with(&|plan| plan.time_zone = "Mars/Olympus".to_owned()), "time_zone");
        assert_eq!(with(&|plan| plan.to = plan.from), "to");
        assert_eq!(with(&|plan| plan.jobs[0].kind = JobKind::Restore), "jobs");
        assert_eq!(with(&|plan| plan.jobs[1].kind = JobKind::Cleanup), "jobs");
        assert_eq!(with(&|plan| plan.jobs[0].rhythm = Rhythm::Month { on: 29 }), "jobs");
        assert_eq!(with(&|plan| plan.jobs[0].folder = Some("/x".to_owned())), "jobs");
        assert_eq!(with(&|plan| plan.jobs[4].on = true), "jobs", "no folder");
        assert_eq!(with(&|plan| plan.jobs[4].keep = Some(0)), "jobs");
        assert_eq!(with(&|plan| plan.jobs[5].on = true), "jobs", "no folder for copies");
        assert_eq!(with(&|plan| plan.jobs[5].keep = Some(3)), "jobs", "generations say what stays");
        let many = Generations { weekly: 1_001, ..Generations::default() };
        assert_eq!(with(&|plan| plan.jobs[5].generations = Some(many)), "jobs");
        assert_eq!(with(&|plan| plan.jobs[4].generations = Some(Generations::default())), "jobs");
        assert_eq!(with(&|plan| plan.jobs[6].max_age_days = Some(0)), "jobs");
        assert_eq!(with(&|plan| plan.jobs[6].folder = Some("/x".to_owned())), "jobs");
        let encryption = CopyEncryption { recipients: vec!["age1...".to_owned()], passphrase_file: None };
        assert_eq!(with(&|plan| plan.jobs[3].encryption = Some(encryption.clone())), "jobs");
        for writes in [4, 5] {
            let mut plan = Plan::default();
            plan.jobs[writes].encryption = Some(encryption.clone());
            assert_eq!(plan.check(), Ok(()));
            assert_eq!(with(&|plan| plan.jobs[writes].encryption = Some(CopyEncryption::default())), "jobs");
        }
        let key = CopyKey { identity: Some("/etc/key.txt".to_owned()), passphrase_file: None };
        assert_eq!(
            with(&|plan| plan.jobs[5].key = Some(key.clone())),
            "jobs",
            "a copy is made without a key"
        );
        assert_eq!(with(&|plan| plan.jobs[6].key = Some(CopyKey::default())), "jobs");
        let mut older = Plan::default();
        older.jobs.retain(|job| !job.kind.is_of_database());
        assert_eq!(older.with_new_jobs(), Plan::default(), "a plan from before copies has them, off");
        let json = serde_json::to_string(&Plan::default()).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), Plan::default());
        assert!(
            serde_json::from_str::<PlannedJob>(r#"{"kind":"cleanup","rhythm":{"every":"week"},"on":true}"#)
                .is_err()
        );
    }
}
