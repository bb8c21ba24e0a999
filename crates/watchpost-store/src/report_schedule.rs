//! Reports that are made by themselves, and what people say about exceptions of controls.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use watchpost_model::audit::AuditDraft;
use watchpost_model::ids::CommentId;
use watchpost_model::report::{ControlComment, ReportSchedule};

use crate::canonical::to_canonical;
use crate::engine::{Dialect, Row, Tx, args};
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// What stands for the id of a row that has none, or one that is no text.
const NO_ID: &str = "without an id";
/// When a schedule that is paused is due.
const NEVER: i64 = i64::MAX;

fn due(schedule: &ReportSchedule) -> i64 {
    if schedule.paused { NEVER } else { schedule.due_at.timestamp_micros() }
}

/// The schedule of a row (id, body), if its body is one, and that one.
fn schedule(row: &Row) -> Option<ReportSchedule> {
    let schedule: ReportSchedule = row.json(1).ok()?;
    (row.text(0).ok()? == schedule.id.to_string()).then_some(schedule)
}

impl Store {
    /// Keeps a schedule, a new one or a changed one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_schedule_put(
        &self,
        schedule: &ReportSchedule,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write
            .execute(
                "INSERT INTO report_schedule (id, due_at, body) VALUES ($1, $2, $3) \
                 ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, body = excluded.body",
                args![schedule.id.to_string(), due(schedule), to_canonical(schedule)?],
            )
            .await?;
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// Notes how a schedule went: nothing is written if it was taken away meanwhile, and it stays paused if somebody paused it.
    ///
    /// # Errors
    /// `NotFound` if it is not there any more; what the database says.
    pub async fn report_schedule_ran(
        &self,
        schedule: &ReportSchedule,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let sql = "SELECT body FROM report_schedule WHERE id = $1";
        let rows = write.fetch(sql, args![schedule.id.to_string()]).await?;
        let Some(row) = rows.first() else {
            return Err(StoreError::NotFound(format!("schedule {}", schedule.id)));
        };
        let now: ReportSchedule = row.json(0)?;
        let schedule = &ReportSchedule { paused: now.paused, ..schedule.clone() };
        write
            .execute(
                "UPDATE report_schedule SET due_at = $1, body = $2 WHERE id = $3",
                args![due(schedule), to_canonical(schedule)?, schedule.id.to_string()],
            )
            .await?;
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// Takes a schedule away, by its id as [`Self::report_schedules`] tells it: it may be none of ours.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn report_schedule_remove(&self, id: &str, draft: AuditDraft) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let mut gone = write.execute("DELETE FROM report_schedule WHERE id = $1", args![id]).await?;
        if id == NO_ID && write.dialect() == Dialect::Sqlite {
            // Only there an id can be something else than text.
            let sql = "DELETE FROM report_schedule WHERE id IS NULL OR typeof(id) <> 'text'";
            gone += write.execute(sql, args![]).await?;
        }
        if gone == 0 {
            return Err(StoreError::NotFound(format!("schedule {id}")));
        }
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// All schedules, the next one first, the paused ones last, at most 500; and the ids of those among them that cannot be
    /// read: they were changed behind the back of the program, and take none of the others with them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_schedules(&self) -> Result<(Vec<ReportSchedule>, Vec<String>), StoreError> {
        let mut tx = self.read().await?;
        let id = match tx.dialect() {
            Dialect::Sqlite => "CASE typeof(id) WHEN 'text' THEN id END",
            Dialect::Postgres => "id",
        };
        let sql = format!("SELECT {id}, body FROM report_schedule ORDER BY due_at, id LIMIT 500");
        let (mut schedules, mut unreadable) = (Vec::new(), Vec::new());
        for row in tx.fetch(sql, args![]).await? {
            match schedule(&row) {
                Some(schedule) => schedules.push(schedule),
                None => unreadable.push(row.opt_text(0).ok().flatten().unwrap_or_else(|| NO_ID.to_owned())),
            }
        }
        // There may be several without one.
        let mut named = BTreeSet::new();
        unreadable.retain(|id| named.insert(id.clone()));
        Ok((schedules, unreadable))
    }

    /// Those that are due at `now` and can be read, the longest due first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_schedules_due(&self, now: DateTime<Utc>) -> Result<Vec<ReportSchedule>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT id, body FROM report_schedule WHERE due_at <= $1 ORDER BY due_at, id LIMIT 100";
        Ok(tx.fetch(sql, args![now]).await?.iter().filter_map(schedule).collect())
    }

    /// Keeps what somebody says about a control.
    ///
    /// # Errors
    /// What the database says.
    pub async fn control_comment_add(
        &self,
        comment: &ControlComment,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write
            .execute(
                "INSERT INTO control_comment (id, framework, control, given_at, body) VALUES ($1, $2, $3, $4, $5)",
                args![
                    comment.id.to_string(),
                    comment.framework.as_str(),
                    comment.control.as_str(),
                    comment.at,
                    to_canonical(comment)?
                ],
            )
            .await?;
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// What people said about the controls of a framework up to `until`, oldest first, and how many older ones were left out
    /// because there are more than `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn control_comments(
        &self,
        framework: &str,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<(Vec<ControlComment>, u64), StoreError> {
        newest_given(&mut *self.read().await?, "control_comment", framework, until, limit).await
    }

    /// What somebody said about a control.
    ///
    /// # Errors
    /// `NotFound`, or what the database says.
    pub async fn control_comment(&self, id: CommentId) -> Result<ControlComment, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT body FROM control_comment WHERE id = $1";
        let row = tx.fetch_optional(sql, args![id.to_string()]).await?;
        row.ok_or_else(|| StoreError::NotFound(format!("comment {id}")))?.json(0)
    }

    /// Takes back what somebody said; that it was said stays in the trail.
    ///
    /// # Errors
    /// `NotFound`, or what the database says.
    pub async fn control_comment_remove(&self, id: CommentId, draft: AuditDraft) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let gone = write.execute("DELETE FROM control_comment WHERE id = $1", args![id.to_string()]).await?;
        if gone == 0 {
            return Err(StoreError::NotFound(format!("comment {id}")));
        }
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }
}

/// What was given for the controls of a framework up to `until`, oldest first: the newest `limit`, and how many are older.
pub(crate) async fn newest_given<T: DeserializeOwned>(
    tx: &mut Tx,
    table: &str,
    framework: &str,
    until: DateTime<Utc>,
    limit: u32,
) -> Result<(Vec<T>, u64), StoreError> {
    let of = format!("FROM {table} WHERE framework = $1 AND given_at <= $2");
    let counted = tx.fetch_one(format!("SELECT COUNT(*) {of}"), args![framework, until]).await?.u64(0)?;
    let sql = format!("SELECT body {of} ORDER BY given_at DESC, id DESC LIMIT $3");
    let rows = tx.fetch(sql, args![framework, until, i64::from(limit)]).await?;
    let mut found: Vec<T> = rows.iter().map(|row| row.json(0)).collect::<Result<_, _>>()?;
    found.reverse();
    let left_out = counted.saturating_sub(found.len() as u64);
    Ok((found, left_out))
}
