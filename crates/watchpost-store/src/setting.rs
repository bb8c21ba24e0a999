//! Settings: JSON by name.

use serde_json::Value;
use watchpost_model::audit::{AuditDraft, Change};

use crate::canonical::to_canonical;
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

impl Store {
    /// A setting; `None` if it was never set.
    ///
    /// # Errors
    /// What the database says.
    pub async fn setting_get(&self, key: &str) -> Result<Option<Value>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.fetch_optional("SELECT value FROM setting WHERE name = $1", args![key]).await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// Sets a setting. Old and new value stand in the audit record, so no secret may be a setting.
    ///
    /// # Errors
    /// What the database says.
    pub async fn setting_put(&self, key: &str, value: &Value, draft: AuditDraft) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let sql = format!("SELECT value FROM setting WHERE name = $1{lock}");
        let old = write.fetch_optional(sql, args![key]).await?.map(|row| row.json::<Value>(0)).transpose()?;
        write
            .execute(
                "INSERT INTO setting (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
                 updated_by = excluded.updated_by",
                args![key, to_canonical(value)?, self.inner.clock.now(), draft.caller.name.as_str()],
            )
            .await?;
        let mut draft = AuditDraft { object: format!("setting/{key}"), ..draft };
        draft.changes.push(Change::new(key, old.unwrap_or(Value::Null), value.clone()));
        write.audit(draft);
        write.touch(Tag::Settings);
        self.commit(write).await.map(drop)
    }
}
