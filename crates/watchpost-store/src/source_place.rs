//! In which country the sources of archived events are, as a location file says.
//!
//! A row for each source is written with its first event, without a place; who has the location file fills it in, and
//! again when there is another file. So a query for a country, and the counts by country, never ask the file.

use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::event::Event;

use crate::engine::{Sql, Tx, Value, args, chunks};
use crate::error::StoreError;
use crate::event::key_text;
use crate::store::{Store, Tag};

/// Notes the sources of new events, in sorted order so that two writers cannot wait for each other.
pub(crate) async fn note<'a>(
    tx: &mut Tx,
    events: impl Iterator<Item = &'a &'a Event>,
) -> Result<(), StoreError> {
    let sources: BTreeSet<String> =
        events.filter_map(|event| event.source_ip.as_deref()).map(key_text).collect();
    let rows: Vec<Vec<Value>> = sources.into_iter().map(|source| args![source, ""]).collect();
    tx.insert_rows(
        "INSERT INTO source_place (source, basis) VALUES ",
        &rows,
        " ON CONFLICT (source) DO NOTHING",
    )
    .await
    .map(drop)
}

impl Store {
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
        let sql = "DELETE FROM source_place WHERE NOT EXISTS \
            (SELECT 1 FROM event WHERE event.source_ip = source_place.source)";
        let removed = write.execute(sql, args![]).await?;
        self.commit(write).await?;
        Ok(removed)
    }
}
