//! The archive's own retention: events that have been kept for their days go; what was counted and what is evidence
//! stays.

use chrono::{DateTime, Utc};
use watchpost_model::event::Category;

use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// Events of a category past their days, but those of an incident that is active (or merged into an active one).
const DUE: &str = "FROM event WHERE stored_at < $1 AND category = $2 AND NOT EXISTS (SELECT 1 FROM incident_event x \
    JOIN incident i ON i.id = x.incident_id JOIN incident r ON r.id = i.root_id WHERE x.event_id = event.id AND r.active = 1)";

/// As [`DUE`], but those that a legal hold keeps.
fn due() -> String {
    format!("{DUE} AND NOT {}", crate::privacy::KEEPS_EVENT)
}

impl Store {
    /// How many archived events of a category were stored before `stored_before`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn archive_due(
        &self,
        category: Category,
        stored_before: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut tx = self.read().await?;
        tx.fetch_one(format!("SELECT COUNT(*) {}", due()), args![stored_before, category.as_str()])
            .await?
            .u64(0)
    }

    /// Removes at most `limit` of these events; returns how many. Call it until it returns 0.
    ///
    /// Days count from when an event was stored here, not from when it happened: an old log that was brought in
    /// yesterday is a day old. Rollups stay, and so do the frozen copies that incidents hold as evidence. Events of an incident that is
    /// still worked on, and those of somebody under a legal hold, stay too, whatever their age.
    ///
    /// # Errors
    /// What the database says; then nothing was removed.
    pub async fn archive_prune(
        &self,
        category: Category,
        stored_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let removed = write
            .execute(
                format!(
                    "DELETE FROM event WHERE id IN (SELECT id {} ORDER BY stored_at, at, id LIMIT $3)",
                    due()
                ),
                args![stored_before, category.as_str(), i64::from(limit)],
            )
            .await?;
        if removed > 0 {
            write.touch(Tag::Events);
        }
        self.commit(write).await?;
        Ok(removed)
    }
}
