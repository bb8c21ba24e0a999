//! How many events are past their days, by a look at a part of the names: asked before a person confirms that they go.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use chrono::Utc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::policy::RetentionRule;

use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::store::EventStore;
use crate::walk::Walk;

/// Keys that a sample looks at, and the time that it takes, at most.
pub const SAMPLE_KEYS: u64 = 20_000;
/// See [`SAMPLE_KEYS`].
pub const SAMPLE_TIME: Duration = Duration::from_secs(2);

/// Counts by their names how many of the first [`SAMPLE_KEYS`] keys of the walk are events past their days: the order of
/// `SCAN` is that of a hash, so these are any keys. The number of keys looked at comes second.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
pub async fn due_sample(
    store: &EventStore,
    rules: &[RetentionRule],
    now: DateTime<Utc>,
    cancel: CancellationToken,
) -> Result<(u64, u64), RedisError> {
    let cutoff = |rule: &RetentionRule| {
        let days = chrono::Duration::days(i64::from(rule.redis_days));
        (rule.category, (now - days).timestamp_millis())
    };
    let cutoffs: BTreeMap<Category, i64> = rules.iter().map(cutoff).collect();
    let mut walk = Walk::start(store, store.inner.keys.pattern(""), cancel).await?;
    let until = Instant::now() + SAMPLE_TIME;
    let mut due = 0;
    while !walk.finished() && walk.scanned() < SAMPLE_KEYS && Instant::now() < until {
        let Some(names) = walk.step(Vec::new()).await?.names else { break };
        for name in names {
            let Ok(key) = String::from_utf8(name) else { continue };
            let KeyKind::Event(parsed) = store.inner.keys.classify(&key) else { continue };
            if cutoffs.get(&parsed.category).is_some_and(|cutoff| parsed.at_ms < *cutoff) {
                due += 1;
            }
        }
    }
    // A page may hold fewer keys than were asked for.
    let looked_at = if walk.finished() { walk.expected() } else { walk.scanned().min(walk.expected()) };
    Ok((due, looked_at))
}
