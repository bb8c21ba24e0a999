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

    /// Sets a setting that was `before` when its author looked at it. The record has the changes of the draft, else old
    /// and new value as a whole: no secret may be a setting.
    ///
    /// # Errors
    /// `Conflict` if it is not `before` any more; what the database says.
    pub async fn setting_put(
        &self,
        key: &str,
        before: Option<&Value>,
        value: &Value,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let sql = format!("SELECT value FROM setting WHERE name = $1{lock}");
        let old = write.fetch_optional(sql, args![key]).await?.map(|row| row.json::<Value>(0)).transpose()?;
        if old.as_ref() != before {
            return Err(StoreError::Conflict(format!("the setting {key} was changed meanwhile")));
        }
        write
            .execute(
                "INSERT INTO setting (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
                 updated_by = excluded.updated_by",
                args![key, to_canonical(value)?, self.inner.clock.now(), draft.caller.name.as_str()],
            )
            .await?;
        let mut draft = draft;
        if draft.object.is_empty() {
            draft.object = format!("setting/{key}");
        }
        if draft.changes.is_empty() {
            draft.changes.push(Change::new(key, old.unwrap_or(Value::Null), value.clone()));
        }
        write.audit(draft);
        write.touch(Tag::Settings);
        self.commit(write).await.map(drop)
    }
}
