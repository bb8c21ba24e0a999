//! In which country the sources of archived events are, as a location file says.
//!
//! A row for each source is written with its first event, without a place; who has the location file fills it in, and
//! again when there is another file. So a query for a country, and the counts by country, never ask the file. A console
//! that has no location file writes no rows, for each costs as much as a third of an event; it leaves a mark, and who has
//! the file looks through the archive once for what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use watchpost_model::event::Event;

use crate::engine::{Dialect, Sql, Tx, Value, args, chunks};
use crate::error::StoreError;
use crate::event::{EventCursor, key_text, source_key};
use crate::store::{Store, Tag, Write};

/// Notes the sources of new events, in sorted order so that two writers cannot wait for each other.
pub(crate) async fn note<'a>(
    tx: &mut Tx,
    events: impl Iterator<Item = &'a &'a Event>,
) -> Result<(), StoreError> {
    let sources: BTreeSet<String> =
        events.filter_map(|event| event.source_ip.as_deref()).map(key_text).collect();
    note_all(tx, sources).await
}

async fn note_all(tx: &mut Tx, sources: impl IntoIterator<Item = String>) -> Result<(), StoreError> {
    let row = |source: String| {
        let key = source_key(&source);
        args![source, key, ""]
    };
    let rows: Vec<Vec<Value>> = sources.into_iter().map(row).collect();
    tx.insert_all(
        "INSERT INTO source_place (source, source_key, basis) VALUES ",
        rows,
        " ON CONFLICT (source) DO NOTHING",
    )
    .await
    .map(drop)
}

/// In `counter`: rows were left out; they are being looked for; none were.
const GAP: i64 = 1;
const FILLING: i64 = 2;
const WHOLE: i64 = 0;
const WITHOUT_EVENTS: &str = "(NOT EXISTS (SELECT 1 FROM event e \
     WHERE e.source_key = source_place.source_key AND e.source_ip = source_place.source) \
     AND NOT EXISTS (SELECT 1 FROM event e WHERE e.source_key IS NULL AND e.source_ip = source_place.source))";
/// Events that one step of the search looks at.
const LOOKED_AT: i64 = 5_000;

impl Store {
    /// Whether the sources of new events are noted from now on: only who has a location file needs them.
    pub fn keep_places(&self, keep: bool) {
        self.inner.places.store(keep, Ordering::Relaxed);
    }

    pub(crate) fn notes_places(&self) -> bool {
        self.inner.places.load(Ordering::Relaxed)
    }

    /// Leaves the mark in a transaction that notes no sources.
    pub(crate) async fn note_gap(&self, write: &mut Write) -> Result<(), StoreError> {
        if self.notes_places() {
            return Ok(());
        }
        let mark = "UPDATE counter SET n = $1 WHERE name = 'source_gap' AND n <> $1";
        write.execute(mark, args![GAP]).await.map(drop)
    }

    /// Notes the sources of archived events that were left out, if any were; [`Store::keep_places`] comes before.
    ///
    /// # Errors
    /// What the database says; then the next call begins anew.
    pub async fn sources_fill(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        let state = tx.fetch_one("SELECT n FROM counter WHERE name = 'source_gap'", args![]).await?.i64(0)?;
        drop(tx);
        if state == WHOLE {
            return Ok(());
        }
        // Who leaves something out meanwhile marks it again.
        self.gap_set(state, FILLING).await?;
        let mut after: Option<EventCursor> = None;
        loop {
            let mut write = self.write().await?;
            // Nobody may take a source away between the look and the note.
            let mut sql = Sql::new("SELECT at, id, source_ip FROM event");
            if let Some(cursor) = after {
                sql.push(" WHERE (at, id) > ").tuple(args![cursor.at, cursor.id.to_string()]);
            }
            sql.push(" ORDER BY at, id LIMIT ").bind(LOOKED_AT);
            let rows = write.fetch_sql(sql).await?;
            let Some(last) = rows.last() else { break };
            after = Some(EventCursor { at: last.time(0)?, id: last.parse(1)? });
            let sources = rows.iter().filter_map(|row| row.opt_text(2).transpose());
            note_all(&mut write, sources.collect::<Result<BTreeSet<String>, _>>()?).await?;
            self.commit(write).await?;
        }
        self.gap_set(FILLING, WHOLE).await
    }

    async fn gap_set(&self, from: i64, to: i64) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let sql = "UPDATE counter SET n = $1 WHERE name = 'source_gap' AND n = $2";
        write.execute(sql, args![to, from]).await?;
        self.commit(write).await.map(drop)
    }

    /// Sources that were not asked of the location file that `basis` names, at most `limit`; an empty basis is no file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sources_unplaced(&self, basis: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        // Two ranges of the index instead of an inequality, which no index answers.
        let sql = "SELECT source FROM (SELECT source FROM source_place WHERE basis < $1 ORDER BY basis, source LIMIT $2) a \
            UNION ALL SELECT source FROM (SELECT source FROM source_place WHERE basis > $1 ORDER BY basis, source LIMIT $2) b \
            LIMIT $2";
        let rows = tx.fetch(sql, args![basis, i64::from(limit)]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Writes where sources are, as the location file that `basis` names says. A source that is not there any more (an
    /// erasure removed it) stays away.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn sources_placed(
        &self,
        basis: &str,
        places: &[(String, Option<String>)],
    ) -> Result<(), StoreError> {
        let mut by_country: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
        for (source, country) in places {
            let country = country.as_ref().map(|country| key_text(&country.to_uppercase()));
            by_country.entry(country).or_default().push(key_text(source).into());
        }
        let mut write = self.write().await?;
        for (country, sources) in by_country {
            for part in chunks(&sources) {
                let mut sql = Sql::list("UPDATE source_place SET country = ", write.dialect());
                sql.bind(country.clone()).push(", basis = ").bind(basis).push(" WHERE source IN ");
                sql.tuple(part.to_vec());
                write.execute_sql(sql).await?;
            }
        }
        write.touch(Tag::Events);
        self.commit(write).await.map(drop)
    }

    /// Forgets sources without events; returns how many.
    ///
    /// # Errors
    /// What the database says; then nothing was removed.
    pub async fn sources_prune(&self) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let sql = match write.dialect() {
            // Days are in front of its index: one look through all of it instead of one for each source and day. Only
            // where an address is written in two ways the addresses themselves are looked for.
            Dialect::Sqlite => format!(
                "DELETE FROM source_place WHERE CASE WHEN source_key IS NOT NULL \
                 AND source_key IN (SELECT e.source_key FROM event e WHERE e.source_key IS NOT NULL) \
                 AND source_key NOT IN (SELECT o.source_key FROM source_place o WHERE o.source_key IS NOT NULL \
                 GROUP BY o.source_key HAVING COUNT(*) > 1) THEN 0 ELSE {WITHOUT_EVENTS} END"
            ),
            Dialect::Postgres => format!("DELETE FROM source_place WHERE {WITHOUT_EVENTS}"),
        };
        let removed = write.execute(sql, args![]).await?;
        self.commit(write).await?;
        Ok(removed)
    }
}
