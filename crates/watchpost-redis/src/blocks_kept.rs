//! Are the blocks that the database holds in force?

use watchpost_model::block::BlockTarget;
use watchpost_model::health::Metric;
use watchpost_model::health::Unit;

use crate::error::RedisError;
use crate::link::PIPELINE_COMMANDS;
use crate::reply;
use crate::store::EventStore;

/// Targets that a basis names.
const NAMED: usize = 3;

impl EventStore {
    /// Those of `targets` whose key is not there, or never ends.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `NoPermission` after a single refused command.
    pub async fn blocks_not_in_force(&self, targets: &[BlockTarget]) -> Result<Vec<BlockTarget>, RedisError> {
        let probe = &self.inner.probe;
        let key = |target: &BlockTarget| self.inner.keys.block(*target);
        // The server counts refusals: one will do.
        if let Some(first) = targets.first() {
            let mut cmd = redis::cmd("PTTL");
            cmd.arg(key(first));
            probe.query::<i64>(&cmd).await?;
        }
        let mut wrong = Vec::new();
        for chunk in targets.chunks(PIPELINE_COMMANDS) {
            let mut pipe = redis::pipe();
            for target in chunk {
                pipe.cmd("PTTL").arg(key(target));
            }
            for (target, ttl) in chunk.iter().zip(probe.pipe(pipe).await?) {
                let ttl = ttl.map_err(|error| self.classify(error))?;
                if reply::int(&ttl).is_some_and(|ttl| ttl < 0) {
                    wrong.push(*target);
                }
            }
        }
        Ok(wrong)
    }
}

/// Blocks that are in force by the database and not in Redis, out of `total`; `None` with the reason where that is not
/// known.
#[must_use]
pub fn blocks_metric(wrong: Option<&[BlockTarget]>, total: usize, reason: &str) -> Metric {
    let basis = match wrong {
        None => reason.to_owned(),
        Some([]) => format!("all {total} that the database holds are in Redis and end there"),
        Some(wrong) => {
            let named: Vec<String> = wrong.iter().take(NAMED).map(ToString::to_string).collect();
            format!(
                "of {total} that the database holds, not in Redis or without an end there: {}{}",
                named.join(", "),
                if wrong.len() > NAMED { ", ..." } else { "" }
            )
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of blocks stay far below 2^53")]
    let value = wrong.map(|wrong| wrong.len() as f64);
    Metric::judged("blocks_missing", "Blocks not in force", Unit::Count, value, Some((0.0, 0.0)), basis)
}
