//! Samples of the health of Redis, for the charts.

use watchpost_model::health::HealthSample;
use watchpost_model::period::Period;

use crate::engine::{Row, Sql, args};
use crate::error::StoreError;
use crate::store::{Store, Tag};

impl Store {
    /// Keeps a sample; a second one of the same moment replaces the first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn health_sample_add(&self, sample: &HealthSample) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
        let mut sql = Sql::new(
            "INSERT INTO health_sample (at, memory_bytes, ops_per_s, latency_ms, expired_per_s, events_per_min, backlog) \
             VALUES ",
        );
        sql.tuple(args![
            sample.at,
            finite(sample.memory_bytes),
            finite(sample.ops_per_s),
            finite(sample.latency_ms),
            finite(sample.expired_per_s),
            finite(sample.events_per_min),
            finite(sample.backlog),
        ]);
        sql.push(
            " ON CONFLICT (at) DO UPDATE SET memory_bytes = excluded.memory_bytes, ops_per_s = excluded.ops_per_s, \
             latency_ms = excluded.latency_ms, expired_per_s = excluded.expired_per_s, \
             events_per_min = excluded.events_per_min, backlog = excluded.backlog",
        );
        write.execute_sql(sql).await?;
        write.touch(Tag::Health);
        self.commit(write).await.map(drop)
    }

    /// Samples of a period, oldest first, at most `max_points` (1..=5,000): where there are more, means of equal spans.
    ///
    /// # Errors
    /// `Validation` if `max_points` is out of range; what the database says.
    pub async fn health_samples(
        &self,
        period: Period,
        max_points: u32,
    ) -> Result<Vec<HealthSample>, StoreError> {
        if !(1..=5000).contains(&max_points) {
            return Err(StoreError::Validation(format!("a chart has 1 to 5000 points, not {max_points}")));
        }
        let mut tx = self.read().await?;
        let bounds = args![period.from, period.to];
        let count = tx
            .fetch_one("SELECT COUNT(*) FROM health_sample WHERE at >= $1 AND at < $2", bounds)
            .await?
            .i64(0)?;
        // With one span for each microsecond nothing is averaged.
        let length = (period.to - period.from).num_microseconds().unwrap_or(i64::MAX);
        let width = if count <= i64::from(max_points) { 1 } else { length / i64::from(max_points) + 1 };
        let rows = tx
            .fetch(
                "SELECT MIN(at), AVG(memory_bytes), AVG(ops_per_s), AVG(latency_ms), AVG(expired_per_s), \
                 AVG(events_per_min), AVG(backlog) FROM health_sample WHERE at >= $1 AND at < $2 \
                 GROUP BY (at - $1) / $3 ORDER BY 1",
                args![period.from, period.to, width],
            )
            .await?;
        rows.iter().map(from_row).collect()
    }
}

fn from_row(row: &Row) -> Result<HealthSample, StoreError> {
    Ok(HealthSample {
        at: row.time(0)?,
        memory_bytes: row.opt_f64(1)?,
        ops_per_s: row.opt_f64(2)?,
        latency_ms: row.opt_f64(3)?,
        expired_per_s: row.opt_f64(4)?,
        events_per_min: row.opt_f64(5)?,
        backlog: row.opt_f64(6)?,
    })
}
