//! Redis health.

use std::time::Duration;

use watchpost_model::health::RedisHealth;

use super::events::checked;
use crate::contract::{HealthHistory, HealthHistoryRequest, Nothing};
use crate::door::Context;
use crate::error::OpError;

/// An owner samples every ten seconds; an answer that old is as good as a new one.
const FRESH: chrono::Duration = chrono::Duration::seconds(12);
/// Rates need two samples; a guest takes both itself, this far apart.
const APART: Duration = Duration::from_millis(700);

pub(crate) async fn redis_health(cx: Context, _: Nothing) -> Result<RedisHealth, OpError> {
    let workspace = cx.workspace()?;
    workspace.events()?;
    if let Some(health) = workspace.recent_health(FRESH).await.filter(|_| cx.console.is_owner()) {
        return Ok(health);
    }
    workspace.sample_health().await?;
    tokio::time::sleep(APART).await;
    Ok(workspace.sample_health().await?.0)
}

pub(crate) async fn redis_history(
    cx: Context,
    request: HealthHistoryRequest,
) -> Result<HealthHistory, OpError> {
    let workspace = cx.workspace()?;
    if !(1..=1_000).contains(&request.points) {
        return Err(OpError::invalid("points", "between 1 and 1,000 points"));
    }
    let samples = workspace.store().health_samples(checked(request.period)?, request.points).await?;
    Ok(HealthHistory { samples })
}
