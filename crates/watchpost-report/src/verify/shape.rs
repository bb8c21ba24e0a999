//! Is a report file whole? What was taken out of a table or a chart leaves it in another shape than a report is made in.

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Outcome, Severity};
use watchpost_model::evidence::EvidenceQuery;
use watchpost_model::overview::Histogram;
use watchpost_model::period::Period;
use watchpost_model::text::visible;

use crate::charts::WEEKDAYS;
use crate::document::{ChartData, CheckResult, ReportDocument};

/// The bars of the chart of active incidents, in its order.
const AGES: [&str; 5] = ["under 1 day", "1 to 3 days", "3 to 7 days", "7 to 30 days", "over 30 days"];
/// How many seconds a bar may stand for: five minutes to a year of whole weeks.
const WIDTHS: [u64; 12] =
    [300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_419_200, 31_449_600];
/// Of a name in the file, which may be anybody's.
const NAME_SHOWN_MAX: usize = 120;

/// What is not in the shape in which a report is made.
pub(super) fn misfits(document: &ReportDocument) -> Vec<String> {
    let mut problems = Vec::new();
    for control in &document.controls {
        for (index, check) in control.checks.iter().enumerate() {
            let name = format!("{}, check {}", control.id, index + 1);
            if is_ragged(&check.columns, &check.rows) || is_ragged(&check.sample.columns, &check.sample.rows)
            {
                problems.push(format!("{name}: a row has more or fewer cells than there are columns"));
            }
            if !is_sample_of_rows(check) {
                problems.push(format!("{name}: its sample has other columns than its evidence"));
            }
        }
    }
    for section in document.sections.iter().filter(|section| is_ragged(&section.columns, &section.rows)) {
        let title = visible(&section.title, NAME_SHOWN_MAX);
        problems.push(format!("{title}: a row has more or fewer cells than there are columns"));
    }
    if let Some(charts) = &document.charts {
        problems.extend(of_charts(charts, document.scope.period));
    }
    problems
}

fn is_ragged(columns: &[String], rows: &[Vec<String>]) -> bool {
    rows.iter().any(|row| row.len() != columns.len())
}

/// Has a sample the columns of the evidence? It has, but where the evidence lists something else than members.
fn is_sample_of_rows(check: &CheckResult) -> bool {
    let lists_others = matches!(
        check.query,
        EvidenceQuery::AuthenticationEvents | EvidenceQuery::ActionsGranted | EvidenceQuery::SensitiveData
    );
    lists_others || check.sample.seed.is_empty() || check.sample.columns == check.columns
}

/// What of the charts does not fit the period, or the other charts: all count the same events.
fn of_charts(charts: &ChartData, period: Period) -> Vec<String> {
    let mut problems = Vec::new();
    let (authentication, by_category) = (&charts.authentication, &charts.by_category);
    let outcomes: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    let categories: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
    for (name, histogram, names) in
        [("authentication", authentication, outcomes), ("events by category", by_category, categories)]
    {
        if histogram.series.iter().map(|series| series.name.as_str()).ne(names) {
            problems.push(format!("the chart of {name} has other series, or in another order"));
        }
        if !WIDTHS.contains(&histogram.bucket_s) || histogram.bucket_s != authentication.bucket_s {
            problems.push(format!("the bars of the chart of {name} stand for another span than charts have"));
        }
        let n_bars = bars(histogram, period);
        if !histogram.series.iter().all(|series| Some(series.counts.len() as u64) == n_bars) {
            problems.push(format!("the bars of the chart of {name} are not those of the period"));
        }
    }
    if charts.by_hour.len() != WEEKDAYS.len() || charts.by_hour.iter().any(|hours| hours.len() != 24) {
        problems.push("the chart of events by hour has not 7 days of 24 hours".to_owned());
    }
    let in_all = sum(by_category.series.iter().flat_map(|series| &series.counts));
    let in_hours = sum(charts.by_hour.iter().flatten());
    if in_all != in_hours {
        problems.push(format!(
            "the charts do not count the same events: {in_all} by category, {in_hours} by hour"
        ));
    }
    let name = Category::Authentication.as_str();
    let of_category = by_category.series.iter().find(|series| series.name == name);
    let counted = of_category.map(|series| series.counts.as_slice()).unwrap_or_default();
    if totals(authentication) != counted {
        problems.push(
            "the outcomes of authentication do not add up to its events in the chart by category".to_owned(),
        );
    }
    let severities = charts.incidents_by_severity.iter().map(|count| count.severity);
    if severities.ne(Severity::ALL.iter().copied()) {
        problems.push("the chart of incidents by severity has not every severity once".to_owned());
    }
    if charts.incidents_by_age.iter().map(|count| count.age.as_str()).ne(AGES) {
        problems.push("the chart of active incidents has not every age once".to_owned());
    }
    problems
}

/// How many bars a chart with this begin and these steps has over the period; `None` if it does not begin with it.
fn bars(histogram: &Histogram, period: Period) -> Option<u64> {
    let micros = |at: DateTime<Utc>| i128::from(at.timestamp_micros());
    let (start, from, to) = (micros(histogram.start), micros(period.from), micros(period.to));
    let step = i128::from(histogram.bucket_s) * 1_000_000;
    if !(0..step).contains(&(from - start)) {
        return None;
    }
    u64::try_from((to - start + step - 1) / step).ok().map(|n| n.max(1))
}

/// All series together, bar by bar.
fn totals(histogram: &Histogram) -> Vec<u64> {
    let n_bars = histogram.series.iter().map(|series| series.counts.len()).max().unwrap_or(0);
    (0..n_bars).map(|bar| sum(histogram.series.iter().filter_map(|series| series.counts.get(bar)))).collect()
}

fn sum<'n>(counts: impl Iterator<Item = &'n u64>) -> u64 {
    counts.fold(0, |sum, n| sum.saturating_add(*n))
}
