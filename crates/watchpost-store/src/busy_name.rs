//! How many events each source and each endpoint had: packed in one row for an hour and in one for a day, so that the
//! Overview of a month does not read every event of it.
//!
//! An hour that is not due (`busy_due`) has its sums in `busy_name`, and none without a row. Whoever adds, changes or removes
//! events makes their hours due in the same transaction; [`build`] packs hours that are over, behind whoever writes; and
//! [`read`] adds up what is packed and asks the events for the rest. So an answer is the same with what is packed, without it,
//! and while it is behind.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use watchpost_model::privacy::Subject;

use crate::engine::{Sql, Tx, Value, args, chunks};
use crate::error::StoreError;

mod build;
mod read;

pub use build::BusyStep;
pub(crate) use read::Plan;

/// Widths of what is packed, in microseconds.
const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;
/// Names of an hour or a day that are packed; of more, as where somebody makes up addresses, the events are read.
const PACKED_MAX: usize = 100_000;

const fn start_of(width: i64, micros: i64) -> i64 {
    micros.div_euclid(width) * width
}

/// What is counted by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Source,
    Endpoint,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Source, Self::Endpoint];

    const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Endpoint => "endpoint",
        }
    }

    /// Sums of events by name in a time that is bound, at most so many.
    const fn of_events(self) -> &'static str {
        match self {
            Self::Source => {
                "SELECT source_ip, CAST(SUM(n) AS BIGINT), \
                 CAST(SUM(CASE WHEN outcome = 'failure' THEN n ELSE 0 END) AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT) \
                 FROM event WHERE at >= $1 AND at < $2 AND source_ip IS NOT NULL GROUP BY source_ip LIMIT $3"
            }
            Self::Endpoint => {
                "SELECT endpoint, CAST(SUM(n) AS BIGINT), \
                 CAST(SUM(CASE WHEN outcome = 'failure' THEN n ELSE 0 END) AS BIGINT), \
                 CAST(SUM(CASE WHEN category = 'api_usage' THEN n ELSE 0 END) AS BIGINT), \
                 CAST(SUM(CASE WHEN category = 'api_usage' AND outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) \
                 FROM event WHERE at >= $1 AND at < $2 AND endpoint IS NOT NULL GROUP BY endpoint LIMIT $3"
            }
        }
    }
}

/// Events of one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) events: u64,
    pub(crate) failures: u64,
    /// Of these the calls of an interface; of sources they are not counted.
    pub(crate) calls: u64,
    pub(crate) failed_calls: u64,
}

/// Events by name.
#[derive(Debug, Default)]
pub(crate) struct Names(pub(crate) HashMap<String, Sums>);

/// One name of a packed row, as it stands there.
#[derive(Deserialize)]
struct OfSource<'a>(#[serde(borrow)] Cow<'a, str>, u64, u64);

#[derive(Deserialize)]
struct OfEndpoint<'a>(#[serde(borrow)] Cow<'a, str>, u64, u64, u64, u64);

impl Names {
    fn add(&mut self, name: &str, more: Sums) {
        match self.0.get_mut(name) {
            Some(sums) => {
                sums.events += more.events;
                sums.failures += more.failures;
                sums.calls += more.calls;
                sums.failed_calls += more.failed_calls;
            }
            None => {
                self.0.insert(name.to_owned(), more);
            }
        }
    }

    /// Adds those of the events of a time; false if there are more than `most`, and then not all are in it.
    async fn add_events(
        &mut self,
        tx: &mut Tx,
        kind: Kind,
        (from, to): (i64, i64),
        most: usize,
    ) -> Result<bool, StoreError> {
        let one_more = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        for row in tx.fetch(kind.of_events(), args![from, to, one_more]).await? {
            let sums = Sums {
                events: row.u64(1)?,
                failures: row.u64(2)?,
                calls: row.u64(3)?,
                failed_calls: row.u64(4)?,
            };
            self.add(&row.text(0)?, sums);
        }
        Ok(self.0.len() <= most)
    }

    fn unpack(&mut self, kind: Kind, packed: &str) -> Result<(), StoreError> {
        match kind {
            Kind::Source => {
                for OfSource(name, events, failures) in list::<OfSource<'_>>(packed)? {
                    self.add(&name, Sums { events, failures, ..Sums::default() });
                }
            }
            Kind::Endpoint => {
                for OfEndpoint(name, events, failures, calls, failed_calls) in list::<OfEndpoint<'_>>(packed)?
                {
                    self.add(&name, Sums { events, failures, calls, failed_calls });
                }
            }
        }
        Ok(())
    }

    fn packed(&self, kind: Kind) -> Result<String, StoreError> {
        let mut sorted: Vec<(&String, &Sums)> = self.0.iter().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let text = match kind {
            Kind::Source => {
                let rows = sorted.iter().map(|(name, sums)| (name, sums.events, sums.failures));
                serde_json::to_string(&rows.collect::<Vec<_>>())
            }
            Kind::Endpoint => {
                let rows = sorted
                    .iter()
                    .map(|(name, sums)| (name, sums.events, sums.failures, sums.calls, sums.failed_calls));
                serde_json::to_string(&rows.collect::<Vec<_>>())
            }
        };
        text.map_err(StoreError::Encode)
    }
}

fn list<'a, T: Deserialize<'a>>(packed: &'a str) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(packed).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Hours of events that a transaction adds, changes or removes.
#[derive(Debug, Default)]
pub(crate) struct Touched(BTreeSet<(i64, i64)>);

impl Touched {
    /// The hour of an event.
    pub(crate) fn add(&mut self, at: DateTime<Utc>) {
        self.add_micros(at.timestamp_micros());
    }

    pub(crate) fn add_micros(&mut self, at: i64) {
        self.0.insert((HOUR, start_of(HOUR, at)));
    }

    /// The hours of archived events by their ids.
    pub(crate) async fn add_archived(&mut self, tx: &mut Tx, ids: &[Value]) -> Result<(), StoreError> {
        for row in tx.fetch_in("SELECT at FROM event WHERE id IN ", ids).await? {
            self.add_micros(row.i64(0)?);
        }
        Ok(())
    }

    /// What is packed and names somebody, wherever it came from.
    pub(crate) async fn add_naming(
        &mut self,
        tx: &mut Tx,
        subject: &Subject,
        pattern: &str,
    ) -> Result<(), StoreError> {
        let sql = "SELECT width, start, kind FROM busy_name WHERE LOWER(names) LIKE $1 ESCAPE '!'";
        for row in tx.fetch(sql, args![pattern]).await? {
            let (width, start) = (row.i64(0)?, row.i64(1)?);
            let sql = "SELECT names FROM busy_name WHERE width = $1 AND start = $2 AND kind = $3";
            let packed = tx.fetch_optional(sql, args![width, start, row.text(2)?]).await?;
            if packed.is_some_and(|packed| packed.text(0).is_ok_and(|names| subject.is_in(&names))) {
                self.0.insert((width, start));
            }
        }
        Ok(())
    }

    /// Makes the hours due: events were added. Their days are left alone: a day with an hour that is due is not read, and it
    /// becomes due itself with the hour that is packed anew.
    pub(crate) async fn added(self, tx: &mut Tx) -> Result<(), StoreError> {
        self.mark(tx).await
    }

    /// Makes the hours and their days due and removes what is packed of them: events were removed, and names do not outlive
    /// them. The removal comes second: whoever packs the same hour either has committed by then, and the removal sees it, or
    /// finds another turn than the one that it looked at and gives up.
    pub(crate) async fn removed(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let days: Vec<(i64, i64)> = self.0.iter().map(|(_, start)| (DAY, start_of(DAY, *start))).collect();
        self.0.extend(days);
        let all: Vec<(i64, i64)> = self.0.iter().copied().collect();
        self.mark(tx).await?;
        for width in [HOUR, DAY] {
            let starts: Vec<Value> =
                all.iter().filter(|one| one.0 == width).map(|one| Value::from(one.1)).collect();
            for part in chunks(&starts) {
                let mut sql = Sql::list("DELETE FROM busy_name WHERE width = ", tx.dialect());
                sql.bind(width).push(" AND start IN ").tuple(part.to_vec());
                tx.execute_sql(sql).await?;
            }
        }
        Ok(())
    }

    /// Writes the marks, in sorted order so that two writers cannot wait for each other. A turn is drawn by lot: counted up it
    /// would begin anew once an hour is packed, and whoever looked at it before could take a later mark for the one it saw.
    async fn mark(self, tx: &mut Tx) -> Result<(), StoreError> {
        let turn: i64 = rand::random();
        let rows = self.0.into_iter().map(|(width, start)| args![width, start, turn]).collect();
        tx.insert_all(
            "INSERT INTO busy_due (width, start, turn) VALUES ",
            rows,
            " ON CONFLICT (width, start) DO UPDATE SET turn = excluded.turn",
        )
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Names, Sums};

    #[test]
    fn names_are_what_they_were_after_they_were_packed() {
        for kind in Kind::ALL {
            let mut names = Names::default();
            for (n, name) in (1..).zip(["b", "a", "", "say \"hi\"\\", "zeile\n\u{1f600}", "\u{2400}"]) {
                let (calls, failed_calls) = if kind == Kind::Endpoint { (n, n - 1) } else { (0, 0) };
                names.add(name, Sums { events: n, failures: 1, calls, failed_calls });
            }
            let packed = names.packed(kind).unwrap();
            assert!(packed.starts_with("[[\"\",3,1"), "in the order of the names: {packed}");
            let mut twice = Names::default();
            twice.unpack(kind, &packed).unwrap();
            assert_eq!(twice.0, names.0);
            twice.unpack(kind, &packed).unwrap();
            assert!(names.0.iter().all(|(name, one)| twice.0[name].events == 2 * one.events), "added up");
        }
    }
}
