//! Whether the blocks that the database holds are in force in Redis, told beside its health.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::block::{Block, BlockState, BlockTarget};
use watchpost_model::health::{Metric, RedisHealth, Verdict};
use watchpost_redis::{EventStore, RedisError, blocks_metric};
use watchpost_store::Store;

/// How long an answer holds.
const HOLDS: Duration = Duration::seconds(60);
/// A block that ends so soon may be gone already by the server's clock.
const ENDING: Duration = Duration::seconds(5);
const BLOCKS_MAX: u32 = 5_000;

/// The last answer, and what was not there then.
#[derive(Default)]
pub(crate) struct Upheld {
    last: Option<(DateTime<Utc>, Metric)>,
    suspects: Vec<BlockTarget>,
}

impl Upheld {
    /// Adds the metric to `health`, and to its verdict. A database that does not answer leaves the rest as it is.
    pub(crate) async fn add_to(
        &mut self,
        health: &mut RedisHealth,
        store: &Store,
        events: &EventStore,
        now: DateTime<Utc>,
    ) {
        let metric = match &self.last {
            Some((at, metric)) if now - *at < HOLDS && self.suspects.is_empty() => metric.clone(),
            _ => {
                let metric = self.look(store, events, now).await;
                self.last = Some((now, metric.clone()));
                metric
            }
        };
        if metric.verdict == Verdict::Critical {
            health.verdict = Verdict::Critical;
        }
        health.metrics.push(metric);
    }

    async fn look(&mut self, store: &Store, events: &EventStore, now: DateTime<Utc>) -> Metric {
        let before = std::mem::take(&mut self.suspects);
        let blocks = match store.block_page(&[BlockState::Active], BLOCKS_MAX).await {
            Ok(blocks) => blocks,
            Err(error) => return blocks_metric(None, 0, &format!("the database does not tell: {error}")),
        };
        let lasts = |block: &&Block| block.expires_at > now + ENDING;
        let targets: Vec<BlockTarget> = blocks.iter().filter(lasts).map(|block| block.target).collect();
        match events.blocks_not_in_force(&targets).await {
            Ok(wrong) => {
                // One that is made or taken back at this moment is in one of both only.
                let twice: Vec<BlockTarget> =
                    wrong.iter().filter(|target| before.contains(target)).copied().collect();
                let is_new = twice.is_empty() && !wrong.is_empty();
                self.suspects = wrong;
                if is_new {
                    return blocks_metric(
                        None,
                        targets.len(),
                        "some were not there and are asked for once more",
                    );
                }
                blocks_metric(Some(&twice), targets.len(), "")
            }
            Err(RedisError::NoPermission(_)) => {
                blocks_metric(None, targets.len(), "the user may not ask when the keys of blocks end (PTTL)")
            }
            Err(error) => blocks_metric(None, targets.len(), &error.to_string()),
        }
    }
}
