//! Which copies of the audit database stay: some of the last days, weeks and months; for whom they are encrypted, and what
//! opens them.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How many copies stay: the newest one of each of so many days, weeks and months in which one was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Generations {
    /// Days, 0 to 1,000.
    pub daily: u32,
    /// Weeks, Monday first, 0 to 1,000.
    pub weekly: u32,
    /// Months, 0 to 1,000.
    pub monthly: u32,
}

impl Default for Generations {
    fn default() -> Self {
        Self { daily: 7, weekly: 5, monthly: 12 }
    }
}

/// The year and the number of the day, week or month that a day is in.
type Name = fn(NaiveDate) -> (i32, u32);

impl Generations {
    /// Most of a generation.
    pub const MAX: u32 = 1_000;

    /// Can it be kept?
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(self) -> Result<(), String> {
        match [self.daily, self.weekly, self.monthly].into_iter().find(|n| *n > Self::MAX) {
            Some(n) => Err(format!("keep at most {} copies of days, weeks or months, not {n}", Self::MAX)),
            None => Ok(()),
        }
    }

    /// Which of the copies that were made at these times stay, in the same order. The newest one always does. Days, weeks and
    /// months are those of `zone`.
    #[must_use]
    pub fn kept(self, made: &[DateTime<Utc>], zone: Tz) -> Vec<bool> {
        let day = |at: &DateTime<Utc>| at.with_timezone(&zone).date_naive();
        let mut newest_first: Vec<(usize, NaiveDate)> =
            made.iter().enumerate().map(|(index, at)| (index, day(at))).collect();
        newest_first.sort_by_key(|(index, _)| std::cmp::Reverse((made.get(*index).copied(), *index)));
        let mut kept: BTreeSet<usize> = newest_first.first().map(|(index, _)| *index).into_iter().collect();
        let name_of: [(u32, Name); 3] = [
            (self.daily, |day| (day.year(), day.ordinal())),
            (self.weekly, |day| (day.iso_week().year(), day.iso_week().week())),
            (self.monthly, |day| (day.year(), day.month())),
        ];
        for (most, name) in name_of {
            let mut seen = BTreeSet::new();
            for (index, day) in &newest_first {
                if seen.len() >= most as usize {
                    break;
                }
                if seen.insert(name(*day)) {
                    kept.insert(*index);
                }
            }
        }
        (0..made.len()).map(|index| kept.contains(&index)).collect()
    }
}

/// For whom a copy of the audit database, or a backup of Redis, is encrypted, in the age format: for recipients, or for
/// whoever has a passphrase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct CopyEncryption {
    /// Public keys (X25519, `age1...`), at most [`Self::RECIPIENTS_MAX`]. None with a passphrase.
    pub recipients: Vec<String>,
    /// The full path of the file that holds the passphrase, on the machine that makes the copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub passphrase_file: Option<String>,
}

impl CopyEncryption {
    /// Most recipients of a copy.
    pub const RECIPIENTS_MAX: usize = 50;

    /// Can a copy be encrypted so? Whether the recipients are some is another matter.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        match (&self.recipients[..], &self.passphrase_file) {
            ([], None) => Err("name a recipient, or a file with a passphrase".to_owned()),
            ([_, ..], Some(_)) => {
                Err("a copy is encrypted for recipients or with a passphrase, not both".to_owned())
            }
            (many, _) if many.len() > Self::RECIPIENTS_MAX => {
                Err(format!("a copy has at most {} recipients", Self::RECIPIENTS_MAX))
            }
            (_, Some(file)) => full("the file with the passphrase", file),
            (_, None) => Ok(()),
        }
    }
}

/// What opens an encrypted copy of the audit database, or a backup of Redis: files on the machine that opens it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct CopyKey {
    /// The full path of an age identity file: a line `AGE-SECRET-KEY-1...` of each key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub identity: Option<String>,
    /// The full path of the file that holds the passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub passphrase_file: Option<String>,
}

impl CopyKey {
    /// Does it name what may open a copy?
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.identity.is_none() && self.passphrase_file.is_none() {
            return Err("name an identity file, or a file with a passphrase".to_owned());
        }
        self.identity.as_deref().map_or(Ok(()), |file| full("the identity file", file))?;
        self.passphrase_file.as_deref().map_or(Ok(()), |file| full("the file with the passphrase", file))
    }
}

fn full(what: &str, path: &str) -> Result<(), String> {
    if std::path::Path::new(path).is_absolute() {
        Ok(())
    } else {
        Err(format!("write {what} as an absolute path, not {path:?}"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration, Utc};
    use chrono_tz::Tz;

    use super::{CopyEncryption, CopyKey, Generations};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant of this test")
    }

    fn left(generations: Generations, made: &[DateTime<Utc>], zone: Tz) -> Vec<String> {
        let kept = generations.kept(made, zone);
        let left = made.iter().zip(kept).filter(|(_, kept)| *kept);
        left.map(|(at, _)| at.format("%m-%d %H").to_string()).collect()
    }

    #[test]
    fn the_newest_of_days_weeks_and_months_stay() {
        // Each night at two from 1 August; 2026-11-22 is a Sunday.
        let nights: Vec<DateTime<Utc>> =
            (0..114).map(|day| at("2026-08-01T02:00:00Z") + Duration::days(day)).collect();
        let some = Generations { daily: 3, weekly: 3, monthly: 3 };
        let stay = ["09-30 02", "10-31 02", "11-08 02", "11-15 02", "11-20 02", "11-21 02", "11-22 02"];
        assert_eq!(left(some, &nights, Tz::UTC), stay);
        // In any order.
        let backwards: Vec<DateTime<Utc>> = nights.iter().rev().copied().collect();
        let mut again = left(some, &backwards, Tz::UTC);
        again.reverse();
        assert_eq!(again, stay);
        assert_eq!(
            left(Generations::default(), &nights, Tz::UTC).len(),
            7 + 4 + 3,
            "no month has its last day twice"
        );
        // Pruned each night or once: what stays is the same.
        let mut there: Vec<DateTime<Utc>> = Vec::new();
        for night in &nights {
            there.push(*night);
            let kept = some.kept(&there, Tz::UTC);
            there = there.iter().zip(kept).filter(|(_, kept)| *kept).map(|(at, _)| *at).collect();
        }
        assert_eq!(left(some, &there, Tz::UTC), stay);
    }

    #[test]
    fn the_newest_always_stays() {
        let none = Generations { daily: 0, weekly: 0, monthly: 0 };
        let made = [at("2026-11-21T02:00:00Z"), at("2026-11-22T02:00:00Z"), at("2026-11-22T01:00:00Z")];
        assert_eq!(none.kept(&made, Tz::UTC), [false, true, false]);
        assert_eq!(none.kept(&[], Tz::UTC), Vec::<bool>::new());
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let made = [at("2026-11-20T23:30:00Z"), at("2026-11-21T22:30:00Z")];
        let one_day = Generations { daily: 2, weekly: 0, monthly: 0 };
        assert_eq!(left(one_day, &made, Tz::Europe__Berlin), ["11-21 22"], "both are on the 21st there");
        assert_eq!(left(one_day, &made, Tz::UTC), ["11-20 23", "11-21 22"]);
    }

    #[test]
    fn a_copy_has_recipients_or_a_passphrase_and_files_by_their_full_paths() {
        let recipients = |n: usize| vec!["age1...".to_owned(); n];
        let encryption = |n: usize, file: Option<&str>| {
            CopyEncryption { recipients: recipients(n), passphrase_file: file.map(str::to_owned) }.check()
        };
        assert_eq!(encryption(1, None), Ok(()));
        assert_eq!(encryption(CopyEncryption::RECIPIENTS_MAX, None), Ok(()));
        assert_eq!(encryption(0, Some("/run/pass")), Ok(()));
        assert!(encryption(0, None).is_err());
        assert!(encryption(1, Some("/run/pass")).is_err_and(|problem| problem.contains("not both")));
        assert!(encryption(CopyEncryption::RECIPIENTS_MAX + 1, None).is_err());
        assert!(encryption(0, Some("pass")).is_err_and(|problem| problem.contains("absolute")));
        let key = |identity: Option<&str>, file: Option<&str>| {
            CopyKey { identity: identity.map(str::to_owned), passphrase_file: file.map(str::to_owned) }
                .check()
        };
        assert_eq!(key(Some("/etc/key.txt"), None), Ok(()));
        assert_eq!(key(Some("/etc/key.txt"), Some("/run/pass")), Ok(()));
        assert!(key(None, None).is_err());
        assert!(key(Some("key.txt"), None).is_err());
        assert!(key(None, Some("pass")).is_err());
    }
}
