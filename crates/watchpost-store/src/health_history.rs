//! How the history of health ages: samples become means of five minutes, and these are removed in the end.

use chrono::{DateTime, Duration, Utc};

use crate::engine::{Value, args};
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// Of a mean, in microseconds; means stand at multiples of it, samples hardly ever.
const SPAN: i64 = 300_000_000;
/// What one step takes of what is too old.
const REMOVED: Duration = Duration::days(1);
/// Spans that one step makes means of.
const SPANS: i64 = 12;

impl Store {
    /// Makes means of some samples from before `average_before`, and removes some of what is from before `remove_before`;
    /// each in one transaction. True while there may be more.
    ///
    /// A mean leaves out what is not known; samples hold rates, so that counters that began anew are unknown in one of
    /// them and wrong in none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_history_step(
        &self,
        average_before: DateTime<Utc>,
        remove_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let until = average_before.timestamp_micros().div_euclid(SPAN) * SPAN;
        let mut tx = self.read().await?;
        let oldest = tx
            .fetch_one("SELECT MIN(at) FROM health_sample WHERE at < $1", args![remove_before])
            .await?
            .opt_time(0)?;
        let sample = tx
            .fetch_one(
                format!("SELECT MIN(at) FROM health_sample WHERE at < $1 AND at % {SPAN} <> 0"),
                args![until],
            )
            .await?
            .opt_i64(0)?;
        drop(tx);
        if let Some(oldest) = oldest {
            self.health_history_remove(remove_before.min(oldest + REMOVED)).await?;
            return Ok(true);
        }
        let Some(sample) = sample else { return Ok(false) };
        let from = sample.div_euclid(SPAN) * SPAN;
        self.health_history_average(from, until.min(from + SPANS * SPAN)).await?;
        Ok(true)
    }

    async fn health_history_remove(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write.execute("DELETE FROM health_sample WHERE at < $1", args![before]).await?;
        write.touch(Tag::Health);
        self.commit(write).await.map(drop)
    }

    /// Bounds are multiples of [`SPAN`].
    async fn health_history_average(&self, from: i64, until: i64) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let means = write
            .fetch(
                format!(
                    "SELECT at / {SPAN}, AVG(memory_bytes), AVG(ops_per_s), AVG(latency_ms), AVG(expired_per_s), \
                     AVG(events_per_min), AVG(backlog) FROM health_sample WHERE at >= $1 AND at < $2 \
                     GROUP BY at / {SPAN}"
                ),
                args![from, until],
            )
            .await?;
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(means.len());
        for mean in &means {
            rows.push(args![
                mean.i64(0)? * SPAN,
                mean.opt_f64(1)?,
                mean.opt_f64(2)?,
                mean.opt_f64(3)?,
                mean.opt_f64(4)?,
                mean.opt_f64(5)?,
                mean.opt_f64(6)?
            ]);
        }
        write.execute("DELETE FROM health_sample WHERE at >= $1 AND at < $2", args![from, until]).await?;
        write
            .insert_rows(
                "INSERT INTO health_sample (at, memory_bytes, ops_per_s, latency_ms, expired_per_s, \
                 events_per_min, backlog) VALUES ",
                &rows,
                "",
            )
            .await?;
        write.touch(Tag::Health);
        self.commit(write).await.map(drop)
    }
}
