//! The numbers behind the charts as tables, for the formats that draw nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use watchpost_model::overview::{Histogram, Series};

use crate::document::{ChartData, ReportDocument};

/// Days of the week, as the rows of the heat map.
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A chart as a table.
pub(crate) struct ChartTable {
    pub(crate) title: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The charts of a report; none if it draws none.
pub(crate) fn tables(document: &ReportDocument) -> Vec<ChartTable> {
    let Some(charts) = drawn(document) else { return Vec::new() };
    let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut tables = vec![
        over_time("Authentication", &charts.authentication),
        over_time("Events by category", &charts.by_category),
        ChartTable {
            title: "Incidents in the period, by severity",
            columns: names(&["severity", "incidents"]),
            rows: charts
                .incidents_by_severity
                .iter()
                .map(|count| vec![count.severity.to_string(), count.incidents.to_string()])
                .collect(),
        },
        ChartTable {
            title: "Active incidents at the end, by age",
            columns: names(&["age", "incidents"]),
            rows: charts
                .incidents_by_age
                .iter()
                .map(|count| vec![count.age.clone(), count.incidents.to_string()])
                .collect(),
        },
    ];
    let hours = (0..24).map(|hour| format!("{hour:02}")).collect::<Vec<_>>();
    tables.push(ChartTable {
        title: "Events by day of the week and hour, UTC",
        columns: std::iter::once("day".to_owned()).chain(hours).collect(),
        rows: WEEKDAYS
            .iter()
            .zip(&charts.by_hour)
            .map(|(day, counts)| {
                std::iter::once((*day).to_owned()).chain(counts.iter().map(ToString::to_string)).collect()
            })
            .collect(),
    });
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// The charts as far as there can be data: what lies after the time of making is no zero but not known.
pub(crate) fn drawn(document: &ReportDocument) -> Option<ChartData> {
    let mut charts = document.charts.clone()?;
    for histogram in [&mut charts.authentication, &mut charts.by_category] {
        end_at(histogram, document.scope.generated_at);
    }
    Some(charts)
}

/// Leaves out the buckets that begin after `at`.
pub(crate) fn end_at(histogram: &mut Histogram, at: DateTime<Utc>) {
    let step = i64::try_from(histogram.bucket_s).unwrap_or(i64::MAX).max(1);
    let n = (at - histogram.start).num_seconds().max(0) as u64;
    let n = usize::try_from(n / step.unsigned_abs()).unwrap_or(usize::MAX).saturating_add(1);
    for Series { counts, .. } in &mut histogram.series {
        counts.truncate(n);
    }
}

fn over_time(title: &'static str, histogram: &Histogram) -> ChartTable {
    let n = histogram.series.iter().map(|series| series.counts.len()).max().unwrap_or(0);
    let start = |index: usize| {
        let at = histogram.start.timestamp() + i64::try_from(histogram.bucket_s).unwrap_or(0) * index as i64;
        let at = DateTime::<Utc>::from_timestamp(at, 0).unwrap_or(histogram.start);
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    };
    ChartTable {
        title,
        columns: std::iter::once("from".to_owned())
            .chain(histogram.series.iter().map(|series| series.name.clone()))
            .collect(),
        rows: (0..n)
            .map(|index| {
                let count = |counts: &[u64]| counts.get(index).copied().unwrap_or(0).to_string();
                std::iter::once(start(index))
                    .chain(histogram.series.iter().map(|series| count(&series.counts)))
                    .collect()
            })
            .collect(),
    }
}
