//! What indexes have left of events that are gone.

use std::collections::BTreeSet;

use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;

use super::Mode;
use super::Optimizer;
use super::flags;
use crate::error::RedisError;
use crate::link::Call;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;
use crate::walk::Walk;

const ZSCAN_COUNT: usize = 500;

/// Removes entries of the indexes whose event is gone, or counts them; tells which indexes they are of, too.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
pub(crate) async fn trim_indexes(
    store: &EventStore,
    mode: Mode,
    cancel: CancellationToken,
) -> Result<(u64, BTreeSet<Category>), RedisError> {
    let mut optimizer = Optimizer::of(store, mode);
    // Only its pace is used.
    let mut walk = Walk::start(store, store.inner.keys.pattern(""), cancel).await?;
    let mut indexes = BTreeSet::new();
    for &category in Category::ALL {
        let before = optimizer.sums.unindexed;
        optimizer.trim_index(category, &mut walk).await?;
        if optimizer.sums.unindexed > before {
            indexes.insert(category);
        }
    }
    Ok((optimizer.sums.unindexed, indexes))
}

impl Optimizer<'_> {
    /// Removes entries of one index whose event is gone, or counts them. The index is one key more that is touched.
    pub(super) async fn trim_index(&mut self, category: Category, walk: &mut Walk) -> Result<(), RedisError> {
        let before = self.sums.unindexed;
        let trimmed = self.trim_members(category, walk).await;
        self.sums.touched += u64::from(self.sums.unindexed > before);
        trimmed
    }

    async fn trim_members(&mut self, category: Category, walk: &mut Walk) -> Result<(), RedisError> {
        let jobs = &self.store.inner.jobs;
        let index = self.store.inner.keys.index(category);
        let mut cursor = 0u64;
        loop {
            walk.pace().await?;
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(&index).arg(cursor.to_string()).arg("COUNT").arg(ZSCAN_COUNT);
            let reply: Value = walk.read(jobs.query(&scan)).await?;
            let (next, rows) = reply::scan(reply).ok_or(RedisError::Answer { command: "ZSCAN" })?;
            let prefix = self.store.inner.target.prefix.as_bytes();
            let (members, foreign): (Vec<&Vec<u8>>, Vec<&Vec<u8>>) =
                rows.iter().step_by(2).partition(|member| member.starts_with(prefix));
            self.sums.unindexed += walk.write(drop_foreign(self.store, self.mode, &index, &foreign)).await?;
            let mut pipe = redis::pipe();
            for member in &members {
                pipe.cmd("EXISTS").arg(*member);
            }
            let exists = walk.read(jobs.pipe(pipe)).await?;
            let gone = members
                .into_iter()
                .zip(exists)
                .filter(|(_, exists)| matches!(exists, Ok(value) if reply::int(value) == Some(0)));
            let gone: Vec<&Vec<u8>> = gone.map(|(member, _)| member).collect();
            self.sums.unindexed += match self.mode {
                Mode::Preview => gone.len() as u64,
                Mode::Run => {
                    let call = |member: &&Vec<u8>| Call {
                        keys: vec![index.clone().into_bytes(), (*member).clone()],
                        args: Vec::new(),
                    };
                    let calls = gone.iter().map(call).collect();
                    flags(walk.write(jobs.eval_many(&scripts::UNINDEX, calls)).await?)?
                        .into_iter()
                        .filter(|done| *done)
                        .count() as u64
                }
            };
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

/// Drops members of an index that name no event of this prefix. They are not asked for: a cluster may keep them elsewhere.
async fn drop_foreign(
    store: &EventStore,
    mode: Mode,
    index: &str,
    members: &[&Vec<u8>],
) -> Result<u64, RedisError> {
    if members.is_empty() || mode == Mode::Preview {
        return Ok(members.len() as u64);
    }
    let mut cmd = redis::cmd("ZREM");
    cmd.arg(index).arg(members);
    store.inner.jobs.query(&cmd).await
}
