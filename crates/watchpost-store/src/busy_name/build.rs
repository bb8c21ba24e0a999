//! Packing hours and days that are over, behind whoever writes.

use chrono::{DateTime, Utc};

use super::{DAY, HOUR, Kind, Names, PACKED_MAX, Touched, start_of};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::store::Store;

/// So long after its end an hour is packed: until then most of what is late has come, in microseconds.
const WAIT: i64 = 600 * 1_000_000;

/// What one step of packing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusyStep {
    /// Nothing that is over is due.
    Rest,
    /// An hour or a day was packed.
    Packed,
    /// Somebody changed its events meanwhile: it stays due.
    Overtaken,
}

/// An hour or a day that is due.
struct Due {
    width: i64,
    start: i64,
    turn: i64,
}

impl Store {
    /// Packs the newest hour that is due and was over ten minutes before `now`, or, once there is none, the newest such day
    /// of which no hour is due. Call it again while it does not rest. Events are added up in a reading transaction; whoever
    /// writes waits for the writing of two rows.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn busy_names_step(&self, now: DateTime<Utc>) -> Result<BusyStep, StoreError> {
        let mut tx = self.read().await?;
        // The turn and the sums are of one moment. What a transaction changed that was not committed then is not in the sums:
        // it has given the hour another turn, or will, or waits to.
        let Some(due) = newest_due(&mut tx, now.timestamp_micros().saturating_sub(WAIT)).await? else {
            return Ok(BusyStep::Rest);
        };
        let mut rows = Vec::new();
        for kind in Kind::ALL {
            let mut names = Names::default();
            let is_whole = match due.width {
                DAY => of_hours(&mut tx, kind, due.start, &mut names).await?,
                _ => {
                    let time = (due.start, due.start.saturating_add(due.width));
                    names.add_events(&mut tx, kind, time, PACKED_MAX).await?
                }
            };
            if !names.0.is_empty() || !is_whole {
                let n = if is_whole { names.0.len() } else { PACKED_MAX + 1 };
                let packed = if is_whole { names.packed(kind)? } else { String::new() };
                rows.push(args![
                    due.width,
                    due.start,
                    kind.word(),
                    i64::try_from(n).unwrap_or(i64::MAX),
                    packed
                ]);
            }
        }
        drop(tx);
        let mut write = self.write().await?;
        // PostgreSQL waits here for whoever has marked it and did not commit, and then looks at the turn anew. Whoever marks
        // it after this waits in turn, and makes it due again. So no sums stand there that lack something unmarked.
        let seen = "DELETE FROM busy_due WHERE width = $1 AND start = $2 AND turn = $3";
        if write.execute(seen, args![due.width, due.start, due.turn]).await? == 0 {
            return Ok(BusyStep::Overtaken);
        }
        let old = "DELETE FROM busy_name WHERE width = $1 AND start = $2";
        write.execute(old, args![due.width, due.start]).await?;
        let insert = "INSERT INTO busy_name (width, start, kind, n, names) VALUES ";
        write.insert_all(insert, rows, "").await?;
        if due.width == HOUR {
            Touched([(DAY, start_of(DAY, due.start))].into()).added(&mut write).await?;
        }
        // Nothing that anybody sees is another one: no counter of changes moves.
        self.commit(write).await?;
        Ok(BusyStep::Packed)
    }
}

/// The newest hour that is due and ended by then, else the newest day without an hour that is due.
async fn newest_due(tx: &mut Tx, ended: i64) -> Result<Option<Due>, StoreError> {
    let hour = "SELECT width, start, turn FROM busy_due WHERE width = $1 AND start <= $2 ORDER BY start DESC LIMIT 1";
    let mut row = tx.fetch_optional(hour, args![HOUR, ended.saturating_sub(HOUR)]).await?;
    if row.is_none() {
        let day = "SELECT d.width, d.start, d.turn FROM busy_due d WHERE d.width = $1 AND d.start <= $2 \
            AND NOT EXISTS (SELECT 1 FROM busy_due h WHERE h.width = $3 AND h.start >= d.start \
            AND h.start < d.start + $1) ORDER BY d.start DESC LIMIT 1";
        row = tx.fetch_optional(day, args![DAY, ended.saturating_sub(DAY), HOUR]).await?;
    }
    row.map(|row| Ok(Due { width: row.i64(0)?, start: row.i64(1)?, turn: row.i64(2)? })).transpose()
}

/// Adds what the hours of a day have packed; false if that is more than is packed of a day.
async fn of_hours(tx: &mut Tx, kind: Kind, day: i64, names: &mut Names) -> Result<bool, StoreError> {
    let sql = "SELECT n, names FROM busy_name WHERE width = $1 AND start >= $2 AND start < $3 AND kind = $4";
    for row in tx.fetch(sql, args![HOUR, day, day.saturating_add(DAY), kind.word()]).await? {
        if usize::try_from(row.i64(0)?).is_ok_and(|n| n > PACKED_MAX) {
            return Ok(false);
        }
        names.unpack(kind, &row.text(1)?)?;
    }
    Ok(names.0.len() <= PACKED_MAX)
}
