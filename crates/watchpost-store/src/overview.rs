//! The Overview: everything from one consistent read, so that its numbers agree with each other.
//!
//! Counts of events are exact for any period: whole hours and five minutes come from the rollups, the rests at both ends
//! from the events themselves. So are the sums by source and by endpoint, of hours and days that are packed ([`busiest`]).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Outcome, Severity};
use watchpost_model::finding::Finding;
use watchpost_model::health::Unit;
use watchpost_model::incident::Incident;
use watchpost_model::overview::{
    ApiUsage, CategoryCount, Histogram, Kpi, KpiChange, Overview, Series, ThreatLevel, TopEntity,
};
use watchpost_model::period::Period;

use crate::engine::{Tx, args, micros};
use crate::error::StoreError;
use crate::event::severity_of;
use crate::incident::{self, SELECT};
use crate::rollup::{BUCKET, HOUR, are_hours, parts};
use crate::store::Store;

mod busiest;

/// From this width on, buckets of a chart are whole hours, which are read at once. Those of a narrower one would be much wider.
const BY_HOURS: i64 = HOUR + HOUR / 2;

/// The buckets of the charts.
#[derive(Clone, Copy)]
struct Grid {
    start: i64,
    width: i64,
    len: usize,
}

impl Grid {
    /// At most `buckets` buckets over `period`, each a multiple of five minutes, or of an hour where they are wide.
    fn new(period: Period, buckets: u32) -> Self {
        let narrow = Self::of(BUCKET, period, buckets);
        if narrow.width < BY_HOURS { narrow } else { Self::of(HOUR, period, buckets) }
    }

    /// The narrowest whose buckets are multiples of `unit` and begin at one.
    fn of(unit: i64, period: Period, buckets: u32) -> Self {
        let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
        let start = from.div_euclid(unit) * unit;
        let span = to - start;
        let units = (span - 1).div_euclid(i64::from(buckets) * unit).saturating_add(1).max(1);
        let width = units.saturating_mul(unit);
        let len = usize::try_from((span + width - 1) / width).unwrap_or(1).max(1);
        Self { start, width, len }
    }

    fn index(self, at: i64) -> Option<usize> {
        usize::try_from((at - self.start).div_euclid(self.width)).ok().filter(|index| *index < self.len)
    }

    fn end(self, index: usize) -> i64 {
        self.start + self.width * (i64::try_from(index).unwrap_or(0) + 1)
    }
}

/// Events of one kind in one bucket of the grid.
#[derive(Clone, Copy)]
struct CellCount {
    index: usize,
    category: Category,
    severity: Severity,
    outcome: Outcome,
    n: u64,
}

impl Store {
    /// The Overview of `period` as of `now`, its charts with at most `buckets` (1..=200) buckets.
    ///
    /// # Errors
    /// `Validation` if `buckets` is out of range; what the database says.
    pub async fn overview(
        &self,
        period: Period,
        now: DateTime<Utc>,
        buckets: u32,
    ) -> Result<Overview, StoreError> {
        if !(1..=200).contains(&buckets) {
            return Err(StoreError::Validation(format!("a chart has 1 to 200 buckets, not {buckets}")));
        }
        let mut tx = self.read().await?;
        Box::pin(build(&mut tx, period, now, buckets)).await
    }
}

async fn build(
    tx: &mut Tx,
    period: Period,
    now: DateTime<Utc>,
    buckets: u32,
) -> Result<Overview, StoreError> {
    let grid = Grid::new(period, buckets);
    let cells = cell_counts(tx, period, grid).await?;
    let grid_before = Grid::new(period.previous(), 1);
    let before = cell_counts(tx, period.previous(), grid_before).await?;
    let hidden = hidden_alerts(tx, period).await?;
    let hidden_before = hidden_alerts(tx, period.previous()).await?;
    let calls = calls_among(tx, period, grid, &cells, &hidden).await?;
    let calls_before = calls_among(tx, period.previous(), grid_before, &before, &hidden_before).await?;
    let spans = incident_spans(tx, period).await?;
    let threat = threat(tx).await?;
    let busiest::Busiest { sources: top_sources, by_country, targets: top_targets, called } =
        busiest::of(tx, period, &hidden, now).await?;
    let mut kpis = event_kpis(&cells, &before, grid);
    kpis.extend(incident_kpis(&spans, period, now, grid));
    kpis.push(block_kpi(tx, period, now, grid).await?);
    kpis.push(mtta_kpi(&spans, period, grid));
    Ok(Overview {
        period,
        counted_at: period.to.min(now),
        threat: threat.level,
        threat_reason: threat.reason,
        threat_severity: threat.severity,
        threat_incidents: threat.incidents,
        threat_oldest: threat.oldest,
        kpis,
        authentication: histogram(grid, &cells, Outcome::ALL, |cell, outcome| {
            cell.category == Category::Authentication && cell.outcome == outcome
        })?,
        api: api_usage(&calls, &calls_before, grid, called)?,
        by_category: histogram(grid, &cells, Category::ALL, |cell, category| cell.category == category)?,
        by_severity: histogram(grid, &cells, Severity::ALL, |cell, severity| cell.severity == severity)?,
        counts: category_counts(&cells),
        incidents: incidents(tx, period).await?,
        top_sources,
        top_targets,
        has_location_data: by_country.iter().any(|one| one.country.is_some()),
        by_country,
    })
}

async fn cell_counts(tx: &mut Tx, period: Period, grid: Grid) -> Result<Vec<CellCount>, StoreError> {
    let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
    let mut cells = Vec::new();
    for part in parts(from, to, are_hours(grid.start, grid.width)) {
        let (table, at) = part.of.table();
        let sql = format!(
            "SELECT ({at} - $1) / $2, category, severity, outcome, CAST(SUM(n) AS BIGINT) FROM {table} \
             WHERE {at} >= $3 AND {at} < $4 GROUP BY 1, category, severity, outcome"
        );
        for row in tx.fetch(sql, args![grid.start, grid.width, part.from, part.to]).await? {
            let n = row.u64(4)?;
            let index = usize::try_from(row.i64(0)?).unwrap_or(0).min(grid.len - 1);
            if n > 0 {
                cells.push(CellCount {
                    index,
                    category: row.parse(1)?,
                    severity: severity_of(row.i64(2)?)?,
                    outcome: row.parse(3)?,
                    n,
                });
            }
        }
    }
    Ok(cells)
}

fn histogram<T: Copy + std::fmt::Display>(
    grid: Grid,
    cells: &[CellCount],
    names: &[T],
    is: impl Fn(&CellCount, T) -> bool,
) -> Result<Histogram, StoreError> {
    let series = names
        .iter()
        .map(|&name| {
            let mut counts = vec![0; grid.len];
            for cell in cells.iter().filter(|cell| is(cell, name)) {
                counts[cell.index] += cell.n;
            }
            Series::new(name.to_string(), counts).summed()
        })
        .collect();
    let bucket_s = u64::try_from(grid.width / 1_000_000).unwrap_or(0);
    Ok(Histogram { start: micros(grid.start)?, bucket_s, series })
}

/// Alerts on Redis that a suppression hid, which are in no incident: when each was, and what it is about.
async fn hidden_alerts(tx: &mut Tx, period: Period) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT f.at, f.body FROM suppression s JOIN suppressed_finding f ON f.suppression_id = s.id \
             WHERE f.at >= $1 AND f.at < $2 AND f.body LIKE '%\"rule_id\":\"wp.redis.%'",
            args![period.from, period.to],
        )
        .await?;
    rows.iter().map(|row| Ok((row.i64(0)?, row.json::<Finding>(1)?.entity.value))).collect()
}

/// The calls of interfaces among the counts: what Watchpost itself says of Redis has their category and is none of them.
async fn calls_among(
    tx: &mut Tx,
    period: Period,
    grid: Grid,
    cells: &[CellCount],
    hidden: &[(i64, String)],
) -> Result<Vec<CellCount>, StoreError> {
    let is_call = |cell: &&CellCount| cell.category == Category::ApiUsage;
    let mut calls: Vec<CellCount> = cells.iter().filter(is_call).copied().collect();
    let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
    let own = "SELECT (f.at - $1) / $2, COUNT(*) FROM incident i JOIN finding f ON f.incident_id = i.id \
        WHERE i.family = 'redis_health' AND f.rule_id LIKE 'wp.redis.%' AND f.at >= $3 AND f.at < $4 GROUP BY 1";
    let mut alerts: BTreeMap<usize, u64> = BTreeMap::new();
    for index in hidden.iter().filter_map(|(at, _)| grid.index(*at)) {
        *alerts.entry(index).or_default() += 1;
    }
    for row in tx.fetch(own, args![grid.start, grid.width, from, to]).await? {
        let index = usize::try_from(row.i64(0)?).unwrap_or(0).min(grid.len - 1);
        *alerts.entry(index).or_default() += row.u64(1)?;
    }
    for (index, mut own) in alerts {
        for cell in calls.iter_mut().filter(|cell| cell.index == index && cell.outcome == Outcome::Failure) {
            let taken = cell.n.min(own);
            cell.n -= taken;
            own -= taken;
        }
    }
    Ok(calls)
}

/// What the counts of calls come to, with the endpoints that were called most.
fn api_usage(
    calls: &[CellCount],
    before: &[CellCount],
    grid: Grid,
    endpoints: Vec<TopEntity>,
) -> Result<ApiUsage, StoreError> {
    let sum = |cells: &[CellCount]| -> u64 { cells.iter().map(|cell| cell.n).sum() };
    let (all, previous) = (sum(calls), sum(before));
    let failures = calls.iter().filter(|cell| cell.outcome == Outcome::Failure).map(|cell| cell.n).sum();
    Ok(ApiUsage {
        calls: all,
        change: KpiChange::between(Some(number(all)), Some(number(previous))),
        failures,
        failure_ratio: ApiUsage::ratio(failures, all),
        over_time: histogram(grid, calls, Outcome::ALL, |cell, outcome| cell.outcome == outcome)?,
        endpoints,
    })
}

fn category_counts(cells: &[CellCount]) -> Vec<CategoryCount> {
    let mut counts = Vec::new();
    for &category in Category::ALL {
        for &severity in Severity::ALL {
            let of = |cell: &&CellCount| cell.category == category && cell.severity == severity;
            let events = cells.iter().filter(of).map(|cell| cell.n).sum();
            if events > 0 {
                counts.push(CategoryCount { category, severity, events });
            }
        }
    }
    counts
}

#[expect(clippy::cast_precision_loss, reason = "counts of events stay far below 2^53")]
fn number(n: u64) -> f64 {
    n as f64
}

fn kpi(
    name: &str,
    title: &str,
    value: Option<f64>,
    previous: Option<f64>,
    unit: Unit,
    series: Vec<f64>,
) -> Kpi {
    let change = KpiChange::between(value, previous);
    Kpi { name: name.to_owned(), title: title.to_owned(), value, previous, change, unit, series }
}

fn event_kpis(cells: &[CellCount], before: &[CellCount], grid: Grid) -> Vec<Kpi> {
    let tile = |name: &str, title: &str, is: &dyn Fn(&CellCount) -> bool| {
        let mut series = vec![0; grid.len];
        for cell in cells.iter().filter(|cell| is(cell)) {
            series[cell.index] += cell.n;
        }
        let previous: u64 = before.iter().filter(|cell| is(cell)).map(|cell| cell.n).sum();
        let value = number(series.iter().sum());
        let series = series.into_iter().map(number).collect();
        kpi(name, title, Some(value), Some(number(previous)), Unit::Count, series)
    };
    vec![
        tile("events", "Events", &|_| true),
        tile("auth_failures", "Failed logins", &|cell| {
            cell.category == Category::Authentication && cell.outcome == Outcome::Failure
        }),
    ]
}

/// When an incident was there.
struct IncidentSpan {
    /// Event time of its first evidence: the Overview is about event time, also where a log of last week came in today.
    seen: i64,
    opened: i64,
    acknowledged: Option<i64>,
    resolved: Option<i64>,
}

impl IncidentSpan {
    fn is_active_at(&self, at: i64) -> bool {
        self.seen < at && self.resolved.is_none_or(|resolved| resolved >= at)
    }
}

/// Incidents that were there in the period or the one before.
async fn incident_spans(tx: &mut Tx, period: Period) -> Result<Vec<IncidentSpan>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT opened_at, acknowledged_at, resolved_at, first_seen FROM incident \
             WHERE (first_seen <= $1 OR opened_at <= $1) AND (resolved_at IS NULL OR resolved_at >= $2) \
             AND merged_into IS NULL",
            args![period.to, period.previous().from],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(IncidentSpan {
                seen: row.i64(3)?.min(row.i64(0)?),
                opened: row.i64(0)?,
                acknowledged: row.opt_i64(1)?,
                resolved: row.opt_i64(2)?,
            })
        })
        .collect()
}

fn in_period(period: Period, at: i64) -> bool {
    period.from.timestamp_micros() <= at && at < period.to.timestamp_micros()
}

fn incident_kpis(spans: &[IncidentSpan], period: Period, now: DateTime<Utc>, grid: Grid) -> Vec<Kpi> {
    let opened = |period: Period| spans.iter().filter(|span| in_period(period, span.seen)).count() as u64;
    let mut series = vec![0; grid.len];
    for span in spans.iter().filter(|span| in_period(period, span.seen)) {
        if let Some(index) = grid.index(span.seen) {
            series[index] += 1;
        }
    }
    let active_at = |at: i64| spans.iter().filter(|span| span.is_active_at(at)).count() as u64;
    // "Active" at the end counts what is open then; one microsecond later, so that a thing of this moment is in.
    let end = period.to.min(now).timestamp_micros().saturating_add(1);
    let active = (0..grid.len).map(|index| number(active_at(grid.end(index).min(end)))).collect();
    vec![
        kpi(
            "incidents_opened",
            "New incidents",
            Some(number(opened(period))),
            Some(number(opened(period.previous()))),
            Unit::Count,
            series.into_iter().map(number).collect(),
        ),
        kpi(
            "incidents_active",
            "Active incidents",
            Some(number(active_at(end))),
            Some(number(active_at(period.from.timestamp_micros()))),
            Unit::Count,
            active,
        ),
    ]
}

async fn block_kpi(tx: &mut Tx, period: Period, now: DateTime<Utc>, grid: Grid) -> Result<Kpi, StoreError> {
    let rows = tx
        .fetch(
            "SELECT created_at, CASE WHEN removed_at IS NOT NULL AND removed_at < expires_at THEN removed_at \
             ELSE expires_at END FROM block WHERE state <> 'failed' AND state <> 'pending' AND created_at <= $1 \
             AND expires_at >= $2",
            args![period.to, period.from],
        )
        .await?;
    let mut spans = Vec::with_capacity(rows.len());
    for row in &rows {
        let at = row.i64(0)?;
        spans.push(IncidentSpan { seen: at, opened: at, acknowledged: None, resolved: Some(row.i64(1)?) });
    }
    let active_at = |at: i64| number(spans.iter().filter(|span| span.is_active_at(at)).count() as u64);
    let end = period.to.min(now).timestamp_micros().saturating_add(1);
    Ok(kpi(
        "blocks_active",
        "Active blocks",
        Some(active_at(end)),
        Some(active_at(period.from.timestamp_micros())),
        Unit::Count,
        (0..grid.len).map(|index| active_at(grid.end(index).min(end))).collect(),
    ))
}

/// Mean time from opening to acknowledging, of the incidents opened in the period.
fn mtta_kpi(spans: &[IncidentSpan], period: Period, grid: Grid) -> Kpi {
    let waits = |is: &dyn Fn(&IncidentSpan) -> bool| -> Option<f64> {
        let waits: Vec<u64> = spans
            .iter()
            .filter(|span| is(span))
            .filter_map(|span| span.acknowledged.and_then(|at| u64::try_from(at - span.opened).ok()))
            .collect();
        let sum: f64 = waits.iter().map(|wait| number(*wait)).sum();
        (!waits.is_empty()).then(|| sum / number(waits.len() as u64) / 1e6)
    };
    let series = (0..grid.len)
        .map(|index| {
            waits(&|span| in_period(period, span.opened) && grid.index(span.opened) == Some(index))
                .unwrap_or(0.0)
        })
        .collect();
    kpi(
        "mtta_s",
        "Time to acknowledge",
        waits(&|span| in_period(period, span.opened)),
        waits(&|span| in_period(period.previous(), span.opened)),
        Unit::Seconds,
        series,
    )
}

/// The state of things, with what it comes from in parts: the window tells it in its own language.
struct Threat {
    level: ThreatLevel,
    reason: String,
    severity: Option<Severity>,
    incidents: u64,
    oldest: Option<i64>,
}

async fn threat(tx: &mut Tx) -> Result<Threat, StoreError> {
    let rows = tx
        .fetch(
            "SELECT severity, COUNT(*), MIN(number) FROM incident WHERE active = 1 GROUP BY severity \
             ORDER BY severity DESC",
            args![],
        )
        .await?;
    let Some(row) = rows.first() else {
        let reason = "No active incident".to_owned();
        return Ok(Threat { level: ThreatLevel::Calm, reason, severity: None, incidents: 0, oldest: None });
    };
    let severity = severity_of(row.i64(0)?)?;
    let (n, oldest) = (row.u64(1)?, row.i64(2)?);
    let level = match severity {
        Severity::Critical => ThreatLevel::Severe,
        Severity::High => ThreatLevel::Elevated,
        Severity::Medium => ThreatLevel::Guarded,
        Severity::Low | Severity::Info => ThreatLevel::Calm,
    };
    let reason = if n == 1 {
        format!("1 {severity} incident is active: #{oldest}")
    } else {
        format!("{n} {severity} incidents are active, the oldest is #{oldest}")
    };
    Ok(Threat { level, reason, severity: Some(severity), incidents: n, oldest: Some(oldest) })
}

async fn incidents(tx: &mut Tx, period: Period) -> Result<Vec<Incident>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE first_seen < $1 AND last_seen >= $2 AND merged_into IS NULL ORDER BY number DESC LIMIT 200"
    );
    let rows = tx.fetch(sql, args![period.to, period.from]).await?;
    let mut incidents: Vec<Incident> = rows.iter().map(incident::from_row).collect::<Result<_, _>>()?;
    incidents.sort_by_key(|incident| (incident.first_seen, incident.number));
    Ok(incidents)
}
