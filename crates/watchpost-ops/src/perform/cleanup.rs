//! The daily chores: what is past its days and left over in Redis, and the counts in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Category;
use watchpost_model::job::{Figure, JobKind, JobProgress, JobReport, JobRun};
use watchpost_model::period::Period;
use watchpost_model::plain::grouped;
use watchpost_redis::cleanup::{Leftovers, leftovers};
use watchpost_redis::optimize::Mode;

use super::{maintenance, share};
use crate::console::Workspace;
use crate::contract::{AggregateRequest, Nothing, RetentionRequest};
use crate::door::Context;
use crate::error::OpError;
use crate::jobs::{Ended, Ticket};

/// Days that an entry of the quarantine is kept after its key is gone.
const QUARANTINE_DAYS: i64 = 30;
/// Days that are brought up to date when no period is given.
const AGGREGATE_DAYS: i64 = 30;

pub(super) fn noted_before(workspace: &Workspace) -> DateTime<Utc> {
    workspace.now() - Duration::days(QUARANTINE_DAYS)
}

/// Adds what was left over to the report of retention.
fn with(mut report: JobReport, found: Leftovers, did: &str) -> JobReport {
    report.figures.push(Figure::count(
        "unindexed",
        &format!("Index entries without an event {did}"),
        found.unindexed,
    ));
    report.figures.push(Figure::count(
        "quarantined",
        &format!("Old entries of the quarantine {did}"),
        found.quarantined,
    ));
    if found.unreadable > 0 {
        let (keys, them) = match found.unreadable {
            1 => ("1 key has been".to_owned(), "it"),
            n => (format!("{} keys have been", grouped(n)), "them"),
        };
        report.notes.push(format!(
            "{keys} in the quarantine for over {QUARANTINE_DAYS} days and still there: mend or remove {them}"
        ));
    }
    report
}

pub(crate) async fn cleanup_preview(cx: Context, _: Nothing) -> Result<JobReport, OpError> {
    let workspace = cx.workspace()?;
    let (report, indexes) = maintenance::would_retain(&workspace, RetentionRequest::default()).await?;
    let before = noted_before(&workspace);
    let found = leftovers(&workspace.events()?, before, Mode::Preview, workspace.stop_token()).await?;
    let others = found.keys_with(&indexes);
    let mut report = with(report, found, "to remove");
    share::tell(&mut report, "removed", others, &workspace).await?;
    Ok(report)
}

pub(crate) async fn cleanup_run(cx: Context, _: Nothing) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    workspace.events_or_loading()?;
    let retention = maintenance::Retention::of(&workspace, RetentionRequest::default()).await?;
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Cleanup, "policy".to_owned(), move |ticket| async move {
            // What ran out while retention worked is left over afterwards.
            let Ended { report, error } = retention.run(&job, &ticket).await;
            if error.is_some() {
                return Ended { report, error };
            }
            match left_over(&job, &ticket).await {
                Ok(found) => Ended { report: with(report, found, "removed"), error: None },
                Err(error) => Ended { report, error: Some(error) },
            }
        })
        .await
}

async fn left_over(workspace: &Workspace, ticket: &Ticket) -> Result<Leftovers, OpError> {
    let (events, cancel) = (workspace.events()?, ticket.cancel.clone());
    Ok(leftovers(&events, noted_before(workspace), Mode::Run, cancel).await?)
}

/// Whole days of a request.
fn period(workspace: &Workspace, request: AggregateRequest) -> Result<Period, OpError> {
    let to = request.to.unwrap_or_else(|| workspace.now());
    let from = request.from.unwrap_or_else(|| to - Duration::days(AGGREGATE_DAYS));
    Period::new(from, to).map_err(|error| OpError::invalid("from", error.to_string()))
}

pub(crate) async fn aggregate_preview(cx: Context, request: AggregateRequest) -> Result<JobReport, OpError> {
    let workspace = cx.workspace()?;
    let period = period(&workspace, request)?;
    let mut sums = Sums::default();
    aggregate(&workspace, period, false, None, &mut sums).await?;
    Ok(sums.report("Archived events that no count has"))
}

pub(crate) async fn aggregate_run(cx: Context, request: AggregateRequest) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let period = period(&workspace, request)?;
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M").to_string();
    let parameters = format!("{} to {}", day(period.from), day(period.to));
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Aggregate, parameters, move |ticket| async move {
            let mut sums = Sums::default();
            let result = aggregate(&job, period, true, Some(&ticket), &mut sums).await;
            Ended { report: sums.report("Archived events added to the counts"), error: result.err() }
        })
        .await
}

#[derive(Default)]
struct Sums {
    events: BTreeMap<Category, u64>,
    buckets: u64,
    behind: u64,
}

impl Sums {
    fn report(self, behind: &str) -> JobReport {
        let mut figures = vec![
            Figure::count("buckets", "Five-minute counts", self.buckets),
            Figure::count("behind", behind, self.behind),
        ];
        for &category in Category::ALL {
            let n = self.events.get(&category).copied().unwrap_or(0);
            figures.push(Figure::count(
                category.as_str(),
                &format!("Events counted: {}", category.as_str().replace('_', " ").replace("api", "API")),
                n,
            ));
        }
        JobReport { figures, ..JobReport::default() }
    }
}

/// Day by day, so that no transaction is long.
async fn aggregate(
    workspace: &Workspace,
    period: Period,
    repair: bool,
    ticket: Option<&Ticket>,
    sums: &mut Sums,
) -> Result<(), OpError> {
    let whole = (period.to - period.from).num_days();
    let days = whole.unsigned_abs() + u64::from(period.from + Duration::days(whole) < period.to);
    let (mut from, mut done) = (period.from, 0);
    while from < period.to {
        if let Some(ticket) = ticket {
            ticket.check()?;
        }
        let to = (from + Duration::days(1)).min(period.to);
        let check = workspace.store().rollups_check(Period { from, to }, repair).await?;
        for (category, n) in check.events {
            *sums.events.entry(category).or_default() += n;
        }
        sums.buckets += check.buckets;
        sums.behind += check.behind;
        from = to;
        done += 1;
        if let Some(ticket) = ticket {
            ticket.progress(JobProgress {
                done,
                total: Some(days.max(done)),
                unit: "days".to_owned(),
                step: "comparing counts with the archive".to_owned(),
            });
        }
    }
    Ok(())
}
