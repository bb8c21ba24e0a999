//! What the times of the records tell of the clocks that wrote them. A clock that is set right is no forgery, so it is no
//! problem of the trail: it is told.

use chrono::SecondsFormat;

use super::PROBLEMS_MAX;
use crate::engine::micros;

/// Records of several hosts may be so much out of order.
const APART: i64 = 5_000_000;
/// A purge may be ahead of the records after it by so much.
const PURGE_AHEAD: i64 = 86_400_000_000;

/// The times of the records so far, in microseconds.
#[derive(Debug, Default)]
pub(in crate::audit) struct Times {
    /// The latest, with the number of its record.
    latest: Option<(i64, i64)>,
    /// The first record that is earlier than one before it, with its time, and that one.
    first: Option<[(i64, i64); 2]>,
    n: u64,
    most: i64,
    /// Purges by the numbers of their records, with their times.
    purges: Vec<(i64, i64)>,
    /// Those that are later than a record after them: how it is told.
    ahead: Vec<String>,
}

impl Times {
    /// Takes the time of the next record.
    pub(in crate::audit) fn take(&mut self, seq: i64, at: i64, is_purge: bool) {
        let ahead = &mut self.ahead;
        self.purges.retain(|(purge, then)| {
            let fits = then.saturating_sub(at) <= PURGE_AHEAD;
            if !fits && ahead.len() < PROBLEMS_MAX {
                ahead.push(format!(
                    "record {purge} purged by a clock that was ahead: it is of {}, and record {seq} after it of {}; look at \
                     what it took before its time",
                    told(*then),
                    told(at)
                ));
            }
            fits
        });
        if is_purge {
            self.purges.push((seq, at));
        }
        match self.latest {
            Some((latest, then)) if then >= at => {
                let back = then.saturating_sub(at);
                if back > APART {
                    self.first.get_or_insert([(seq, at), (latest, then)]);
                    self.n += 1;
                    self.most = self.most.max(back);
                }
            }
            _ => self.latest = Some((seq, at)),
        }
    }

    /// What there is to tell, for people.
    pub(in crate::audit) fn warnings(self) -> Vec<String> {
        let back = self.first.map(|[(seq, at), (before, then)]| {
            format!(
                "record {seq} is of {}, and record {before} before it of {}: a clock was wrong, or was set back; {} earlier \
                 than one before {}, by up to {}",
                told(at),
                told(then),
                if self.n == 1 { "1 record is".to_owned() } else { format!("{} records are", self.n) },
                if self.n == 1 { "it" } else { "them" },
                span(self.most)
            )
        });
        back.into_iter().chain(self.ahead).collect()
    }
}

fn told(at: i64) -> String {
    micros(at).map_or_else(|_| at.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn span(micros: i64) -> String {
    match micros / 1_000_000 {
        seconds @ ..=7_200 => format!("{seconds} seconds"),
        seconds @ ..=172_800 => format!("{} hours", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
