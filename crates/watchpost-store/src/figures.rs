//! Figures for reports: charts with buckets that people can read, and the times of incidents. One consistent read each.

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Outcome, Severity};
use watchpost_model::incident::{Incident, Verdict};
use watchpost_model::overview::{Histogram, Series};
use watchpost_model::period::Period;

use crate::engine::{Tx, args, micros};
use crate::error::StoreError;
use crate::event::{rank, severity_of};
use crate::incident::{self, SELECT};
use crate::rollup::{BUCKET, HOUR, are_hours, parts};
use crate::store::Store;

const DAY: i64 = 24 * HOUR;
/// Widths of a bar that people can read, and how many bars fit on a page.
const WIDTHS: [i64; 12] = [
    BUCKET,
    3 * BUCKET,
    6 * BUCKET,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
];
const BARS_MAX: i64 = 62;
/// Upper bounds of the ages of active incidents.
const AGES: [(&str, i64); 5] = [
    ("under 1 day", DAY),
    ("1 to 3 days", 3 * DAY),
    ("3 to 7 days", 7 * DAY),
    ("7 to 30 days", 30 * DAY),
    ("over 30 days", i64::MAX),
];

/// The numbers behind the charts of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportCharts {
    /// Authentication events by outcome.
    pub authentication: Histogram,
    /// Events by category.
    pub by_category: Histogram,
    /// Incidents with evidence in the period, by severity; every severity is there.
    pub incidents_by_severity: Vec<(Severity, u64)>,
    /// Incidents active at the end of the period (or now), by age in words; every age is there.
    pub incidents_by_age: Vec<(String, u64)>,
    /// Events by day of the week (Monday first) and hour of the day (UTC): 7 rows of 24.
    pub by_hour: Vec<Vec<u64>>,
}

/// When an incident was what.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentTimes {
    /// Its number.
    pub number: i64,
    /// Highest severity.
    pub severity: Severity,
    /// What it was.
    pub verdict: Verdict,
    /// Event time of its first evidence.
    pub first_seen: DateTime<Utc>,
    /// When the engine opened it.
    pub opened_at: DateTime<Utc>,
    /// First action of a person.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Acknowledge by.
    pub acknowledge_due: DateTime<Utc>,
    /// Resolve by.
    pub resolve_due: DateTime<Utc>,
}

/// What stands open, and what of it waits for somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIncidents {
    /// All that are active.
    pub total: u64,
    /// Of these high or critical.
    pub severe: u64,
    /// Of the severe ones nobody's.
    pub severe_unassigned: u64,
    /// A clock has run out.
    pub overdue: u64,
    /// The first clock that ran out.
    pub overdue_since: Option<DateTime<Utc>>,
    /// The most severe first.
    pub worst: Vec<Incident>,
}

impl Store {
    /// The active incidents that were first seen before `until`: how many, and the worst of them, `limit` at most.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_incidents(
        &self,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<OpenIncidents, StoreError> {
        let mut tx = self.read().await?;
        let high = rank(Severity::High);
        let counts = tx
            .fetch_one(
                "SELECT COUNT(*), COUNT(CASE WHEN severity >= $1 THEN 1 END), \
                 COUNT(CASE WHEN severity >= $1 AND assignee IS NULL THEN 1 END), COUNT(CASE WHEN due < $2 THEN 1 END), \
                 MIN(CASE WHEN due < $2 THEN due END) FROM incident \
                 WHERE active = 1 AND first_seen < $3",
                args![high, now, until],
            )
            .await?;
        let sql = format!(
            "{SELECT} WHERE active = 1 AND first_seen < $1 \
             ORDER BY severity DESC, risk DESC, number LIMIT $2"
        );
        let worst = tx.fetch(sql, args![until, i64::from(limit)]).await?;
        Ok(OpenIncidents {
            total: counts.u64(0)?,
            severe: counts.u64(1)?,
            severe_unassigned: counts.u64(2)?,
            overdue: counts.u64(3)?,
            overdue_since: counts.opt_time(4)?,
            worst: worst.iter().map(incident::from_row).collect::<Result<_, _>>()?,
        })
    }

    /// The charts of a report over `period` as of `now`. Bars are 5 minutes to 364 days wide, at most 63 of them, and begin
    /// at round times of UTC; counts are those of the period exactly.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_charts(
        &self,
        period: Period,
        now: DateTime<Utc>,
    ) -> Result<ReportCharts, StoreError> {
        report_charts(&mut *self.read().await?, period, now).await
    }

    /// The times of the incidents that were there in the period: first seen before its end and not resolved before its
    /// beginning; by number.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident_times(&self, period: Period) -> Result<Vec<IncidentTimes>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT number, severity, verdict, first_seen, opened_at, acknowledged_at, resolved_at, acknowledge_due, \
                 resolve_due FROM incident WHERE merged_into IS NULL AND first_seen < $1 AND (resolved_at IS NULL OR resolved_at >= $2) \
                 ORDER BY number",
                args![period.to, period.from],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(IncidentTimes {
                    number: row.i64(0)?,
                    severity: severity_of(row.i64(1)?)?,
                    verdict: row.parse(2)?,
                    first_seen: row.time(3)?,
                    opened_at: row.time(4)?,
                    acknowledged_at: row.opt_time(5)?,
                    resolved_at: row.opt_time(6)?,
                    acknowledge_due: row.time(7)?,
                    resolve_due: row.time(8)?,
                })
            })
            .collect()
    }

    /// People (and programs) by what they did through Watchpost in the period: name, permission, how often, last time.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_people(
        &self,
        period: Period,
    ) -> Result<Vec<(String, String, u64, DateTime<Utc>)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT actor, permission, COUNT(*), MAX(at) FROM audit_record WHERE at >= $1 AND at < $2 \
                 GROUP BY actor, permission ORDER BY actor, permission",
                args![period.from, period.to],
            )
            .await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.u64(2)?, row.time(3)?))).collect()
    }

    /// Accounts that the applications reported in the period: name, events, failures, addresses, last time; at most 1,000,
    /// the busiest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn accounts(
        &self,
        period: Period,
    ) -> Result<Vec<(String, u64, u64, u64, DateTime<Utc>)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT actor, COUNT(*) AS times, COUNT(CASE WHEN outcome = 'failure' THEN 1 END), COUNT(DISTINCT source_ip), \
                 MAX(at) FROM event WHERE at >= $1 AND at < $2 AND COALESCE(actor, '') <> '' GROUP BY actor \
                 ORDER BY times DESC, actor LIMIT 1000",
                args![period.from, period.to],
            )
            .await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.u64(1)?, row.u64(2)?, row.u64(3)?, row.time(4)?)))
            .collect()
    }
}

pub(crate) async fn report_charts(
    tx: &mut Tx,
    period: Period,
    now: DateTime<Utc>,
) -> Result<ReportCharts, StoreError> {
    let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
    let width = WIDTHS.into_iter().find(|width| (to - from) / width <= BARS_MAX).unwrap_or(364 * DAY);
    // Weeks and more begin with the period, everything shorter at a round time.
    let start = if width > DAY { from.div_euclid(DAY) * DAY } else { from.div_euclid(width) * width };
    let bars = usize::try_from((to - start + width - 1) / width).unwrap_or(1).max(1);
    let mut outcomes = vec![vec![0_u64; bars]; Outcome::ALL.len()];
    let mut categories = vec![vec![0_u64; bars]; Category::ALL.len()];
    for part in parts(from, to, are_hours(start, width)) {
        let (table, at) = part.of.table();
        let sql = format!(
            "SELECT ({at} - $1) / $2, category, outcome, CAST(SUM(n) AS BIGINT) FROM {table} \
             WHERE {at} >= $3 AND {at} < $4 GROUP BY 1, category, outcome"
        );
        for row in tx.fetch(sql, args![start, width, part.from, part.to]).await? {
            let n = row.u64(3)?;
            let index = usize::try_from(row.i64(0)?).unwrap_or(0).min(bars - 1);
            let (category, outcome): (Category, Outcome) = (row.parse(1)?, row.parse(2)?);
            categories[category as usize][index] += n;
            if category == Category::Authentication {
                outcomes[outcome as usize][index] += n;
            }
        }
    }
    Ok(ReportCharts {
        authentication: histogram(start, width, Outcome::ALL, outcomes)?,
        by_category: histogram(start, width, Category::ALL, categories)?,
        incidents_by_severity: by_severity(tx, period).await?,
        incidents_by_age: by_age(tx, period.to.min(now)).await?,
        by_hour: by_hour(tx, from, to).await?,
    })
}

fn histogram<T: Copy + std::fmt::Display>(
    start: i64,
    width: i64,
    names: &[T],
    counts: Vec<Vec<u64>>,
) -> Result<Histogram, StoreError> {
    let series =
        names.iter().zip(counts).map(|(name, counts)| Series::new(name.to_string(), counts)).collect();
    Ok(Histogram { start: micros(start)?, bucket_s: width.unsigned_abs() / 1_000_000, series })
}

async fn by_severity(tx: &mut Tx, period: Period) -> Result<Vec<(Severity, u64)>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT severity, COUNT(*) FROM incident WHERE merged_into IS NULL AND first_seen < $1 AND last_seen >= $2 GROUP BY severity",
            args![period.to, period.from],
        )
        .await?;
    let mut counts: Vec<(Severity, u64)> = Severity::ALL.iter().map(|severity| (*severity, 0)).collect();
    for row in rows {
        let severity = severity_of(row.i64(0)?)?;
        if let Some(entry) = counts.iter_mut().find(|(known, _)| *known == severity) {
            entry.1 = row.u64(1)?;
        }
    }
    Ok(counts)
}

async fn by_age(tx: &mut Tx, end: DateTime<Utc>) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT first_seen FROM incident WHERE merged_into IS NULL AND first_seen <= $1 \
             AND (resolved_at IS NULL OR resolved_at > $1)",
            args![end],
        )
        .await?;
    let mut counts: Vec<(String, u64)> = AGES.iter().map(|(name, _)| ((*name).to_owned(), 0)).collect();
    for row in rows {
        let age = end.timestamp_micros() - row.i64(0)?;
        if let Some(index) = AGES.iter().position(|(_, bound)| age < *bound) {
            counts[index].1 += 1;
        }
    }
    Ok(counts)
}

async fn by_hour(tx: &mut Tx, from: i64, to: i64) -> Result<Vec<Vec<u64>>, StoreError> {
    let mut counts = vec![vec![0; 24]; 7];
    for part in parts(from, to, true) {
        let (table, at) = part.of.table();
        // Hours since Monday, 1970-01-05.
        let sql = format!(
            "SELECT (({at} / $1) + 72) % 168, CAST(SUM(n) AS BIGINT) FROM {table} WHERE {at} >= $2 AND {at} < $3 GROUP BY 1"
        );
        for row in tx.fetch(sql, args![HOUR, part.from, part.to]).await? {
            let hour = usize::try_from(row.i64(0)?).unwrap_or(0) % 168;
            counts[hour / 24][hour % 24] += row.u64(1)?;
        }
    }
    Ok(counts)
}
