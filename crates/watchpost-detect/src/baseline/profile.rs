//! What is remembered of one user and of one endpoint: bounded, whatever they do.

use serde::{Deserialize, Serialize};

use crate::behaviour::table::Group;

/// Values of one habit that are remembered; the one not seen longest makes room.
pub(super) const VALUES_MAX: usize = 16;
/// Periods whose volume is remembered.
pub(super) const PERIODS_MAX: usize = 60;

/// Values that occurred, each with how often and when last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Habit(pub(super) Vec<(String, u32, i64)>);

impl Habit {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, value: &str) -> bool {
        self.0.iter().any(|known| known.0 == value)
    }

    pub(super) fn learn(&mut self, value: &str, at_ms: i64) {
        if let Some(known) = self.0.iter_mut().find(|known| known.0 == value) {
            known.1 = known.1.saturating_add(1);
            known.2 = known.2.max(at_ms);
            return;
        }
        if self.0.len() >= VALUES_MAX
            && let Some((oldest, _)) = self.0.iter().enumerate().min_by_key(|(nth, known)| (known.2, *nth))
        {
            self.0.remove(oldest);
        }
        self.0.push((value.to_owned(), 1, at_ms));
    }

    /// Where a known value stands.
    pub(super) fn position(&self, is_it: impl Fn(&str) -> bool) -> Option<usize> {
        self.0.iter().position(|known| is_it(&known.0))
    }

    /// Learns that a known value came again, written like this now.
    pub(super) fn learn_again(&mut self, nth: usize, value: &str, at_ms: i64) {
        if let Some(known) = self.0.get_mut(nth) {
            if known.0 != value {
                value.clone_into(&mut known.0);
            }
            known.1 = known.1.saturating_add(1);
            known.2 = known.2.max(at_ms);
        }
    }

    /// The three most frequent values, for people.
    pub(super) fn usual(&self) -> String {
        self.usual_as(str::to_owned)
    }

    /// The same, each as `shown` writes it.
    pub(super) fn usual_as(&self, shown: impl Fn(&str) -> String) -> String {
        let mut values: Vec<&(String, u32, i64)> = self.0.iter().collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let all: Vec<String> =
            values.iter().take(3).map(|value| shown(&value.0).chars().take(60).collect::<String>()).collect();
        all.join(", ")
    }
}

/// A sum for the current period, and those of the last periods in which there was any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meter {
    pub(super) period: i64,
    pub(super) now: u64,
    pub(super) history: Vec<u64>,
    pub(super) reported: u8,
}

/// What a meter usually shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual {
    pub(super) median: u64,
    /// Median absolute deviation.
    pub(super) deviation: u64,
    pub(super) n: usize,
}

impl Usual {
    /// From so much on it is unusual: six deviations (scaled as for a normal distribution) above the median, `factor`
    /// times the median, and `least`.
    pub(super) const fn limit(self, factor: u64, least: u64) -> u64 {
        let spread = self.median.saturating_add(self.deviation.saturating_mul(89) / 10);
        let times = self.median.saturating_mul(factor);
        let limit = if spread > times { spread } else { times };
        if limit > least { limit } else { least }
    }
}

impl Meter {
    /// Adds to a period and returns its sum; what comes for an earlier period is left out.
    pub(super) fn add(&mut self, period: i64, n: u64) -> u64 {
        if period > self.period {
            if self.now > 0 {
                self.history.push(self.now);
            }
            if self.history.len() > PERIODS_MAX {
                self.history.remove(0);
            }
            (self.period, self.now, self.reported) = (period, 0, 0);
        }
        if period == self.period {
            self.now = self.now.saturating_add(n);
        }
        self.now
    }

    /// `None` before there were `least` whole periods.
    pub(super) fn usual(&self, least: usize) -> Option<Usual> {
        usual(&self.history, least)
    }

    /// The step, from one, if `now` has reached the limit or has doubled once more in this period.
    pub(super) fn step(&mut self, now: u64, limit: u64) -> Option<u8> {
        let step = u8::try_from((now / limit.max(1)).checked_ilog2()? + 1).unwrap_or(u8::MAX);
        if step <= self.reported {
            return None;
        }
        self.reported = step;
        Some(step)
    }
}

pub(super) fn usual(history: &[u64], least: usize) -> Option<Usual> {
    if history.len() < least.max(1) {
        return None;
    }
    let median = median(history.to_vec());
    let deviation = self::median(history.iter().map(|&one| one.abs_diff(median)).collect());
    Some(Usual { median, deviation, n: history.len() })
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// One user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserProfile {
    pub(super) name: String,
    pub(super) events: u32,
    pub(super) newest_ms: i64,
    /// Different days with events: weekdays, weekend days.
    pub(super) days: [u32; 2],
    /// On how many days there were events in this hour of day: of weekdays, of weekend days.
    pub(super) hours: [[u16; 24]; 2],
    pub(super) last_day: i64,
    /// The hour that was counted last, in hours since 1970.
    pub(super) hour_of_all: i64,
    pub(super) reported_day: i64,
    pub(super) countries: Habit,
    pub(super) agents: Habit,
    pub(super) networks: Habit,
    pub(super) last_agent: u64,
    pub(super) last_source: u64,
    pub(super) day_kib: Meter,
}

impl Group for UserProfile {
    fn newest_ms(&self) -> i64 {
        self.newest_ms
    }

    fn n_entries(&self) -> usize {
        // Its habits are bounded, but too many to walk through at each event.
        self.day_kib.history.len() / 4
    }
}

impl UserProfile {
    pub(super) const fn days(&self) -> u32 {
        self.days[0].saturating_add(self.days[1])
    }

    pub(super) fn learn_hour(&mut self, hour_of_all: i64, day: i64, is_weekend: bool, hour: usize) {
        if hour_of_all < self.hour_of_all {
            return;
        }
        self.hour_of_all = hour_of_all;
        let class = usize::from(is_weekend);
        self.hours[class][hour] = self.hours[class][hour].saturating_add(1);
        if day > self.last_day {
            self.last_day = day;
            self.days[class] = self.days[class].saturating_add(1);
        }
    }

    /// Days that there were, and on how many of them there was activity within an hour of `hour`. Weekends with few
    /// days are judged by all days.
    pub(super) fn activity_near(&self, is_weekend: bool, hour: usize) -> (u64, u64) {
        let own = usize::from(is_weekend);
        let classes: &[usize] = if self.days[own] >= 5 { &[own] } else { &[0, 1] };
        let mut sums = (0, 0);
        for &class in classes {
            sums.0 += u64::from(self.days[class]);
            sums.1 += [23, 0, 1].iter().map(|by| u64::from(self.hours[class][(hour + by) % 24])).sum::<u64>();
        }
        sums
    }

    /// The hours on at least a tenth of the days, for people.
    pub(super) fn usual_hours(&self, is_weekend: bool) -> String {
        let own = usize::from(is_weekend);
        let class = if self.days[own] >= 5 { own } else { 0 };
        let is_usual = |hour: usize| u32::from(self.hours[class][hour]) * 10 >= self.days[class].max(1);
        let mut spans: Vec<String> = Vec::new();
        let mut hour = 0;
        while hour < 24 {
            let end = (hour..24).find(|&at| !is_usual(at)).unwrap_or(24);
            if end > hour {
                spans.push(format!("{hour:02}:00 to {end:02}:00"));
            }
            hour = end + 1;
        }
        if spans.is_empty() { "no hour in particular".to_owned() } else { spans.join(", ") }
    }
}

/// One endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EndpointProfile {
    pub(super) name: String,
    pub(super) first_ms: i64,
    pub(super) newest_ms: i64,
    pub(super) requests: u64,
    pub(super) hour_requests: Meter,
    pub(super) hour_kib: Meter,
}

impl Group for EndpointProfile {
    fn newest_ms(&self) -> i64 {
        self.newest_ms
    }

    fn n_entries(&self) -> usize {
        self.hour_requests.history.len() / 4
    }
}
