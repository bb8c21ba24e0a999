//! What people and the engine wrote on an incident, from the newest back: lines of its timeline, and notes.

use chrono::{DateTime, Utc};
use watchpost_model::incident::{Note, TimelineEntry};

use super::detail::by_number;
use super::merge::{self, Member};
use crate::engine::{Row, Sql, Tx, micros};
use crate::error::StoreError;
use crate::store::Store;

/// Rows oldest first, and the cursor of those before them.
pub(crate) type Page<T> = (Vec<T>, Option<String>);

/// `microseconds.key` of the oldest row of a page.
fn cursor(at: DateTime<Utc>, key: &str) -> String {
    format!("{}.{key}", at.timestamp_micros())
}

fn read_cursor(text: &str) -> Result<(DateTime<Utc>, &str), StoreError> {
    let read = || {
        let (at, key) = text.split_once('.')?;
        Some((micros(at.parse().ok()?).ok()?, key))
    };
    read().ok_or_else(|| StoreError::Validation(format!("{text:?} is not a cursor of this list")))
}

/// At most `limit` rows of a group before a cursor, oldest first; the last column of each is its key.
async fn page(
    tx: &mut Tx,
    (columns, table, key): (&str, &str, &str),
    group: &[Member],
    before: Option<(DateTime<Utc>, crate::engine::Value)>,
    limit: u32,
) -> Result<(Vec<Row>, bool), StoreError> {
    let mut sql = Sql::new("SELECT ");
    sql.push(columns).push(" FROM ").push(table).push(" WHERE incident_id IN ").tuple(merge::ids(group));
    if let Some((at, value)) = before {
        sql.push(" AND (at, ").push(key).push(") < ").tuple(vec![at.into(), value]);
    }
    sql.push(" ORDER BY at DESC, ").push(key).push(" DESC LIMIT ").bind(i64::from(limit) + 1);
    let mut rows = tx.fetch_sql(sql).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    rows.reverse();
    Ok((rows, more))
}

/// At most `limit` lines of the timeline of a group, those before the cursor or the newest.
pub(super) async fn timeline(
    tx: &mut Tx,
    group: &[Member],
    before: Option<&str>,
    limit: u32,
) -> Result<Page<TimelineEntry>, StoreError> {
    let before = match before {
        Some(text) => {
            let (at, key) = read_cursor(text)?;
            let n: i64 = key
                .parse()
                .map_err(|_| StoreError::Validation(format!("{text:?} is not a cursor of a timeline")))?;
            Some((at, n.into()))
        }
        None => None,
    };
    let what = ("at, actor, kind, text, incident_id, n", "incident_timeline", "n");
    let (rows, more) = page(tx, what, group, before, limit).await?;
    let origin = |id: &str| group.iter().skip(1).find(|member| member.id == id).map(|member| member.number);
    let earlier = match rows.first().filter(|_| more) {
        Some(row) => Some(cursor(row.time(0)?, &row.i64(5)?.to_string())),
        None => None,
    };
    let lines = rows.iter().map(|row| {
        Ok(TimelineEntry {
            at: row.time(0)?,
            actor: row.text(1)?,
            kind: row.text(2)?,
            text: row.text(3)?,
            from: origin(&row.text(4)?),
        })
    });
    Ok((lines.collect::<Result<_, StoreError>>()?, earlier))
}

/// At most `limit` notes of a group, those before the cursor or the newest.
pub(super) async fn notes(
    tx: &mut Tx,
    group: &[Member],
    before: Option<&str>,
    limit: u32,
) -> Result<Page<Note>, StoreError> {
    let before = match before {
        Some(text) => {
            let (at, key) = read_cursor(text)?;
            Some((at, key.into()))
        }
        None => None,
    };
    let what = ("at, author, text, id", "incident_note", "id");
    let (rows, more) = page(tx, what, group, before, limit).await?;
    let earlier = match rows.first().filter(|_| more) {
        Some(row) => Some(cursor(row.time(0)?, &row.text(3)?)),
        None => None,
    };
    let notes = rows.iter().map(|row| {
        Ok(Note { id: row.parse(3)?, at: row.time(0)?, author: row.text(1)?, text: row.text(2)? })
    });
    Ok((notes.collect::<Result<_, StoreError>>()?, earlier))
}

fn checked(limit: u32) -> Result<u32, StoreError> {
    if (1..=500).contains(&limit) {
        return Ok(limit);
    }
    Err(StoreError::Validation(format!("a page has 1 to 500 rows, not {limit}")))
}

impl Store {
    /// Lines of an incident's timeline before `before` (the newest without it), oldest first, and the cursor of those
    /// before them.
    ///
    /// Shape: at most `limit` (1..=500) lines.
    ///
    /// # Errors
    /// `NotFound`; `Validation` of limit or cursor; what the database says.
    pub async fn incident_timeline(
        &self,
        number: i64,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineEntry>, StoreError> {
        let mut tx = self.read().await?;
        let incident = by_number(&mut tx, number).await?;
        let group = merge::group(&mut tx, incident.id).await?;
        timeline(&mut tx, &group, before, checked(limit)?).await
    }

    /// Notes on an incident before `before` (the newest without it), oldest first, and the cursor of those before them.
    ///
    /// Shape: at most `limit` (1..=500) notes.
    ///
    /// # Errors
    /// `NotFound`; `Validation` of limit or cursor; what the database says.
    pub async fn incident_notes(
        &self,
        number: i64,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<Note>, StoreError> {
        let mut tx = self.read().await?;
        let incident = by_number(&mut tx, number).await?;
        let group = merge::group(&mut tx, incident.id).await?;
        notes(&mut tx, &group, before, checked(limit)?).await
    }
}
