//! Redis health.

use watchpost_model::health::{HealthSample, RedisHealth};

use super::events::checked;
use crate::console::Workspace;
use crate::contract::{HealthHistory, HealthHistoryRequest, Nothing};
use crate::door::Context;
use crate::error::OpError;

pub(crate) async fn redis_health(cx: Context, _: Nothing) -> Result<RedisHealth, OpError> {
    let workspace = cx.workspace()?;
    Ok(health_now(&workspace).await?.0)
}

/// Reads health now; also the sample for the history.
pub(crate) async fn health_now(workspace: &Workspace) -> Result<(RedisHealth, HealthSample), OpError> {
    let events = workspace.events()?;
    let rate = workspace.engine().events_per_min(workspace.now());
    Ok(workspace.sample_health(&events, Some(rate)).await?)
}

pub(crate) async fn redis_history(cx: Context, request: HealthHistoryRequest) -> Result<HealthHistory, OpError> {
    let workspace = cx.workspace()?;
    if !(1..=1_000).contains(&request.points) {
        return Err(OpError::invalid("points", "between 1 and 1,000 points"));
    }
    let samples = workspace.store().health_samples(checked(request.period)?, request.points).await?;
    Ok(HealthHistory { samples })
}
