//! A page of the archived events of a network or a country, in SQLite: of any number of sources, which may have every second
//! event or one of a million.
//!
//! The index of sources begins with the day of an event (see `Dialect::day_of_event`). So days that have events are looked
//! up from the newest on, more of them each time, and in each the sources. The time of the last event of the page is found
//! in the index alone; only the events of the page are read.

use watchpost_model::event::Event;

use crate::engine::{Sql, Tx, args};
use crate::error::StoreError;
use crate::event::{EventFilter, conditions, event};
use crate::event_text::Page;
use crate::search;

/// A day in microseconds, as the index has it.
const DAY: i64 = 86_400_000_000;
/// So many days at most are looked at in one statement.
const DAYS: i64 = 256;

/// Whether all that `filter` asks for is in the index of sources.
pub(crate) fn is_covered(filter: &EventFilter) -> bool {
    filter.category.is_empty()
        && filter.severity.is_empty()
        && filter.entity.is_none()
        && filter.text.is_none()
        && search::is_of_sources_only(&filter.query)
}

impl Page<'_> {
    /// Its events, by the days that there are.
    pub(crate) async fn by_days(self, tx: &mut Tx) -> Result<Vec<Event>, StoreError> {
        let (mut found, mut count) = (Vec::new(), 1);
        let low = self.filter.period.map_or(i64::MIN, |period| period.from.timestamp_micros());
        let mut high = self.filter.period.map_or(i64::MAX, |period| period.to.timestamp_micros());
        if let Some(cursor) = self.before {
            // What happened at the moment of the cursor is on either side of it.
            high = high.min(cursor.at.timestamp_micros().saturating_add(1));
        }
        loop {
            let days = days(tx, low, high, count).await?;
            let Some(oldest) = days.last() else { return Ok(found) };
            high = begin_of(*oldest);
            let wanted = self.limit.saturating_sub(i64::try_from(found.len()).unwrap_or(i64::MAX));
            let since = self.time_of_last(tx, &days, wanted).await?;
            let mut sql = self.within_days("body", tx, &days);
            self.push_before(&mut sql, tx.dialect());
            if let Some(since) = since {
                sql.push(" AND at >= ").bind(since);
            }
            sql.push(" ORDER BY at DESC, id DESC LIMIT ").bind(wanted);
            for row in tx.fetch_sql(sql).await? {
                found.push(event(&row, 0)?);
            }
            if since.is_some() {
                return Ok(found);
            }
            count = count.saturating_mul(2).min(DAYS);
        }
    }

    /// When the event happened that fills the page; `None` where there are too few in these days.
    async fn time_of_last(self, tx: &mut Tx, days: &[i64], wanted: i64) -> Result<Option<i64>, StoreError> {
        let mut sql = self.within_days("at", tx, days);
        if let Some(cursor) = self.before {
            // The index does not have the id: those of the very moment are left out, which only makes it earlier.
            sql.push(" AND at < ").bind(cursor.at);
        }
        sql.push(" ORDER BY at DESC LIMIT 1 OFFSET ").bind(wanted.saturating_sub(1));
        tx.fetch_sql(sql).await?.first().map(|row| row.i64(0)).transpose()
    }

    fn within_days(self, what: &str, tx: &Tx, days: &[i64]) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(what).push(" FROM event INDEXED BY event_by_source WHERE at / 86400000000 IN ");
        sql.tuple(days.iter().map(|at| (at / DAY).into()).collect());
        conditions(&mut sql, tx.dialect(), self.filter);
        sql
    }
}

/// A time in each of the newest `count` days that have events from `low` to before `high`, newest first.
async fn days(tx: &mut Tx, low: i64, high: i64, count: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "WITH RECURSIVE day (latest) AS (SELECT (SELECT MAX(at) FROM event WHERE at >= $1 AND at < $2) \
        UNION ALL SELECT (SELECT MAX(at) FROM event WHERE at >= $1 AND at < CASE WHEN latest >= 86400000000 \
        THEN latest / 86400000000 * 86400000000 ELSE (latest / 86400000000 - 1) * 86400000000 + 1 END) \
        FROM day WHERE latest IS NOT NULL LIMIT $3) SELECT latest FROM day WHERE latest IS NOT NULL";
    let rows = tx.fetch(sql, args![low, high, count]).await?;
    rows.iter().map(|row| row.i64(0)).collect()
}

/// When the day of a time began, as the index counts days: towards zero, so the first one has two of them.
const fn begin_of(at: i64) -> i64 {
    if at >= DAY { at / DAY * DAY } else { (at / DAY - 1) * DAY + 1 }
}
