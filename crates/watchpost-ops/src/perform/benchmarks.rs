//! Measuring Redis.

use watchpost_model::job::{JobKind, JobReport, JobRun};
use watchpost_redis::benchmark::{BenchmarkPlan, Benchmarked, benchmark, preview};

use crate::contract::BenchmarkRequest;
use crate::door::Context;
use crate::error::OpError;
use crate::jobs::Ended;

pub(super) fn plan(request: BenchmarkRequest) -> Result<BenchmarkPlan, OpError> {
    for (field, value, range) in [
        ("ops", request.ops, 100..=1_000_000),
        ("value_bytes", request.value_bytes, 1..=16_384),
        ("pipeline", request.pipeline, 2..=100),
    ] {
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            return Err(OpError::invalid(field, format!("{field}: between {low} and {high}")));
        }
    }
    Ok(BenchmarkPlan { ops: request.ops, value_bytes: request.value_bytes, pipeline: request.pipeline })
}

pub(crate) async fn benchmark_preview(cx: Context, request: BenchmarkRequest) -> Result<JobReport, OpError> {
    let workspace = cx.workspace()?;
    Ok(preview(&workspace.events()?, plan(request)?).await?)
}

pub(crate) async fn benchmark_run(cx: Context, request: BenchmarkRequest) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let plan = plan(request)?;
    let events = workspace.events()?;
    let parameters =
        format!("{} operations a step, {} bytes, pipelines of {}", plan.ops, plan.value_bytes, plan.pipeline);
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Benchmark, parameters, move |ticket| async move {
            let progress = |progress| ticket.progress(progress);
            match benchmark(&events, plan, &progress, ticket.cancel.clone()).await {
                // The steps that came to their end are told, however it ended.
                Ok(Benchmarked { report, ended }) => Ended { report, error: ended.err().map(OpError::from) },
                Err(error) => Ended { report: JobReport::default(), error: Some(error.into()) },
            }
        })
        .await
}
