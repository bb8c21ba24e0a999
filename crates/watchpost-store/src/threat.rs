//! Threat lists: what is known about each, and its entries in parts, so that a million of them need not be one value.

use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::threat::{ThreatEntry, ThreatList};

use crate::canonical::to_canonical;
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// Entries of a part.
const PART: usize = 5_000;
/// Most lists of a workspace: a look-up asks each of them.
const LISTS_MAX: i64 = 100;

impl Store {
    /// Keeps a list. One of the same name is replaced whole.
    ///
    /// # Errors
    /// `Validation` if there are 100 others already; what the database says.
    pub async fn threat_list_put(
        &self,
        list: &ThreatList,
        entries: &[ThreatEntry],
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let name = list.name.as_str();
        let lock = write.dialect().for_update();
        let old = write
            .fetch_optional(format!("SELECT body FROM threat_list WHERE name = $1{lock}"), args![name])
            .await?
            .map(|row| row.json::<serde_json::Value>(0))
            .transpose()?;
        let others =
            write.fetch_one("SELECT COUNT(*) FROM threat_list WHERE name <> $1", args![name]).await?;
        if others.i64(0)? >= LISTS_MAX {
            return Err(StoreError::Validation(format!("there are {LISTS_MAX} threat lists already")));
        }
        write.execute("DELETE FROM threat_part WHERE list = $1", args![name]).await?;
        write
            .execute(
                "INSERT INTO threat_list (name, imported_at, body) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET imported_at = excluded.imported_at, body = excluded.body",
                args![name, list.imported_at, to_canonical(list)?],
            )
            .await?;
        for (number, part) in (0_i64..).zip(entries.chunks(PART)) {
            let body = serde_json::to_string(part).map_err(StoreError::Encode)?;
            write
                .execute(
                    "INSERT INTO threat_part (list, part, body) VALUES ($1, $2, $3)",
                    args![name, number, body],
                )
                .await?;
        }
        let new = serde_json::to_value(list).map_err(StoreError::Encode)?;
        let mut draft = AuditDraft { object: format!("threat_list/{name}"), ..draft };
        draft.changes.push(Change::new("list", old.unwrap_or(serde_json::Value::Null), new));
        write.audit(draft);
        write.touch(Tag::Settings);
        self.commit(write).await.map(drop)
    }

    /// All lists, by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn threat_lists(&self) -> Result<Vec<ThreatList>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.fetch("SELECT body FROM threat_list ORDER BY name", args![]).await?;
        rows.iter()
            .map(|row| {
                let list: ThreatList = row.json(0)?;
                // Not in what older versions wrote.
                Ok(ThreatList { total: list.entries(), ..list })
            })
            .collect()
    }

    /// Part `part` (from 0) of a list's entries, in the order of its file; `None` after the last one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn threat_entries(
        &self,
        name: &str,
        part: u32,
    ) -> Result<Option<Vec<ThreatEntry>>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT body FROM threat_part WHERE list = $1 AND part = $2";
        let row = tx.fetch_optional(sql, args![name, i64::from(part)]).await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// Forgets a list.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn threat_list_remove(&self, name: &str, draft: AuditDraft) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let old = write
            .fetch_optional(format!("SELECT body FROM threat_list WHERE name = $1{lock}"), args![name])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("threat list {name:?}")))?
            .json::<serde_json::Value>(0)?;
        write.execute("DELETE FROM threat_part WHERE list = $1", args![name]).await?;
        write.execute("DELETE FROM threat_list WHERE name = $1", args![name]).await?;
        let mut draft = AuditDraft { object: format!("threat_list/{name}"), ..draft };
        draft.changes.push(Change::new("list", old, serde_json::Value::Null));
        write.audit(draft);
        write.touch(Tag::Settings);
        self.commit(write).await.map(drop)
    }
}
