//! The Redis maintenance report: health over the period, and what the jobs did.

use watchpost_model::health::{HealthSample, RedisHealth, Unit};
use watchpost_model::period::Period;
use watchpost_report::{Parameter, Section};
use watchpost_store::Store;

use super::compose::{names, opt_time, time};
use crate::error::OpError;

type Reader = fn(&HealthSample) -> Option<f64>;

const METRICS: [(&str, Reader, Unit); 6] = [
    ("memory in use", |sample| sample.memory_bytes, Unit::Bytes),
    ("commands", |sample| sample.ops_per_s, Unit::PerSecond),
    ("round trip", |sample| sample.latency_ms, Unit::Milliseconds),
    ("keys expired", |sample| sample.expired_per_s, Unit::PerSecond),
    ("events processed", |sample| sample.events_per_min, Unit::PerMinute),
    ("backlog", |sample| sample.backlog, Unit::Count),
];

/// `now` is the health at the moment of making; `None` if Redis did not answer.
pub(super) async fn sections(
    store: &Store,
    period: Period,
    now: Option<&RedisHealth>,
) -> Result<Vec<Section>, OpError> {
    let samples = store.health_samples(period, 5_000).await?;
    let runs: Vec<_> =
        store.job_runs(500).await?.into_iter().filter(|run| period.contains(run.started_at)).collect();
    let failed = runs.iter().filter(|run| run.error.is_some()).count();
    let rows = METRICS
        .iter()
        .map(|(name, read, unit)| {
            let mut values: Vec<f64> = samples.iter().filter_map(read).collect();
            values.sort_by(f64::total_cmp);
            let at = |percent: usize| match values.len() {
                0 => "-".to_owned(),
                n => number(values[((n * percent).div_ceil(100)).clamp(1, n) - 1], *unit),
            };
            vec![(*name).to_owned(), values.len().to_string(), at(0), at(50), at(90), at(100)]
        })
        .collect();
    let metrics = now.map(|health| health.metrics.as_slice()).unwrap_or_default();
    let server = now.map_or_else(|| "Redis did not answer".to_owned(), |health| health.server.clone());
    Ok(vec![
        Section {
            title: "Health over the period".to_owned(),
            text: vec![format!(
                "{server} at the moment of making. Median, p90 and extremes are of the samples taken in the period."
            )],
            figures: vec![
                Parameter::new("Samples", samples.len().to_string()),
                Parameter::new("Job runs", runs.len().to_string()),
                Parameter::new("Failed runs", failed.to_string()),
                Parameter::new(
                    "Verdict now",
                    now.map_or_else(
                        || "-".to_owned(),
                        |health| format!("{:?}", health.verdict).to_lowercase(),
                    ),
                ),
            ],
            caption: "Samples of the period".to_owned(),
            columns: names(&["metric", "samples", "least", "median", "p90", "most"]),
            rows,
        },
        Section {
            title: "Metrics now".to_owned(),
            caption: "Each with its thresholds".to_owned(),
            columns: names(&["metric", "value", "warning above", "critical above", "verdict"]),
            rows: metrics
                .iter()
                .map(|metric| {
                    let bound = |value: Option<f64>| {
                        value.map_or_else(String::new, |value| number(value, metric.unit))
                    };
                    vec![
                        metric.title.clone(),
                        metric.value.map_or_else(|| "-".to_owned(), |value| number(value, metric.unit)),
                        bound(metric.warning),
                        bound(metric.critical),
                        format!("{:?}", metric.verdict).to_lowercase(),
                    ]
                })
                .collect(),
            ..Section::default()
        },
        Section {
            title: "Jobs".to_owned(),
            caption: "Runs begun in the period, newest first".to_owned(),
            columns: names(&["job", "started", "ended", "by", "state", "with", "did"]),
            rows: runs
                .into_iter()
                .map(|run| {
                    let did: Vec<String> = run
                        .report
                        .iter()
                        .flat_map(|report| &report.figures)
                        .map(|figure| format!("{} {}", figure.title, number(figure.value, figure.unit)))
                        .collect();
                    vec![
                        run.kind.to_string(),
                        time(run.started_at),
                        opt_time(run.ended_at),
                        run.started_by,
                        run.state.to_string(),
                        run.parameters,
                        run.error.unwrap_or_else(|| did.join(", ")),
                    ]
                })
                .collect(),
            ..Section::default()
        },
    ])
}

/// A value with its unit, to a fixed number of digits.
fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{:.1} %", value * 100.0),
        Unit::Bytes => format!("{:.1} MiB", value / 1_048_576.0),
        Unit::Milliseconds => format!("{value:.2} ms"),
        Unit::PerSecond => format!("{value:.1}/s"),
        Unit::PerMinute => format!("{value:.0}/min"),
        Unit::Count => format!("{value:.0}"),
        Unit::Seconds => format!("{value:.0} s"),
    }
}
