//! Redis health.

use std::time::Duration;

use watchpost_model::health::RedisHealth;
use watchpost_model::health_forecast::{self, forecast};
use watchpost_model::period::Period;
use watchpost_redis::stats::{PatternStats, stats};

use super::events::checked;
use crate::console::Workspace;
use crate::contract::{
    HealthHistory, HealthHistoryRequest, LargeKey, Nothing, PatternCount, PatternCounts, PatternRequest,
};
use crate::door::Context;
use crate::error::OpError;

/// An owner samples every ten seconds; an answer that old is as good as a new one.
const FRESH: chrono::Duration = chrono::Duration::seconds(12);
/// Rates need two samples; a guest takes both itself, this far apart.
const APART: Duration = Duration::from_millis(700);
/// Means that the history of a week is looked at in: as many of each hour, however many samples it has.
const FORECAST_POINTS: u32 = 500;

pub(crate) async fn redis_health(cx: Context, _: Nothing) -> Result<RedisHealth, OpError> {
    let workspace = cx.workspace()?;
    if workspace.events().is_err() {
        // Why it does not answer; of a cluster what its other nodes tell.
        let health = workspace.sample_health().await?.0;
        return Ok(with_forecast(&workspace, health).await);
    }
    if let Some(health) = workspace.recent_health(FRESH).await.filter(|_| cx.console.is_owner()) {
        return Ok(with_forecast(&workspace, health).await);
    }
    workspace.sample_health().await?;
    tokio::time::sleep(APART).await;
    let health = workspace.sample_health().await?.0;
    Ok(with_forecast(&workspace, health).await)
}

/// With what the stored history says about what comes; without a database the server is as healthy as it is.
async fn with_forecast(workspace: &Workspace, health: RedisHealth) -> RedisHealth {
    let now = workspace.now();
    // Past the newest sample, which may have been stored at this moment.
    let period = Period {
        from: now - chrono::Duration::days(health_forecast::DAYS),
        to: now + chrono::Duration::seconds(1),
    };
    let forecast = match workspace.store().health_samples(period, FORECAST_POINTS).await {
        Ok(samples) => Some(forecast(&samples, health.memory_limit, now)),
        Err(problem) => {
            tracing::debug!(%problem, "no forecast");
            None
        }
    };
    RedisHealth { forecast, ..health }
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
    let last = if workspace.events().is_err() { workspace.last_health().await } else { None };
    Ok(HealthHistory { samples, last })
}

/// Patterns that may be asked for at once, and their length.
const PATTERNS_MAX: usize = 100;
const PATTERN_BYTES_MAX: usize = 512;

pub(crate) async fn redis_patterns(cx: Context, request: PatternRequest) -> Result<PatternCounts, OpError> {
    let workspace = cx.workspace()?;
    if request.patterns.len() > PATTERNS_MAX {
        return Err(OpError::invalid("patterns", format!("at most {PATTERNS_MAX} patterns")));
    }
    if request.patterns.iter().any(|pattern| pattern.is_empty() || pattern.len() > PATTERN_BYTES_MAX) {
        return Err(OpError::invalid("patterns", format!("a pattern has 1 to {PATTERN_BYTES_MAX} bytes")));
    }
    let events = workspace.events()?;
    let counting = stats(&events, &request.patterns, &|_| (), workspace.stop_token());
    let counted = Box::pin(counting).await?;
    let rows = |stats: Vec<PatternStats>| stats.into_iter().map(row).collect();
    let largest = counted.largest.into_iter().map(|(key, bytes)| LargeKey { key, bytes });
    let mut notes = counted.notes;
    if counted.encodings_every > 1 {
        notes.push(format!("encodings are those of 1 key in {}", counted.encodings_every));
    }
    Ok(PatternCounts {
        node: events.node(),
        patterns: rows(counted.patterns),
        asked: rows(counted.asked),
        largest: largest.collect(),
        unending: counted.unending,
        notes,
    })
}

fn row(stats: PatternStats) -> PatternCount {
    let joined = |counts: &[(String, u64)]| {
        let counts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        counts.join(", ")
    };
    PatternCount {
        pattern: stats.pattern,
        keys: stats.keys,
        bytes: stats.bytes,
        without_ttl: stats.without_ttl,
        unending: stats.unending,
        types: joined(&stats.types),
        encodings: joined(&stats.encodings),
        oldest: stats.oldest,
        newest: stats.newest,
    }
}
