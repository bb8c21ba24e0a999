//! The outbox: messages to people, written in the transaction of the action that asks for them. What delivers them
//! reads the pending ones, tells the outcome here, and uses the message's id to deliver once.

use chrono::{DateTime, Utc};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::ids::OutboxId;
use watchpost_model::response::{OutboxMessage, OutboxState};

use crate::engine::{Row, Sql, args};
use crate::error::StoreError;
use crate::event::{rank, severity_of};
use crate::store::{Store, Tag, Write};

const SELECT: &str = "SELECT o.id, o.kind, o.destination, o.incident_id, COALESCE(i.number, 0), o.severity, o.subject, \
    o.body, o.state, o.created_at, o.tries, o.error, o.ended_at \
    FROM outbox o LEFT JOIN incident i ON i.id = o.incident_id";

/// What became of a try to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxMove {
    /// It was delivered.
    Delivered,
    /// It was not, and is to be tried again.
    Again(String),
    /// It was not, and never will be.
    GivenUp(String),
}

fn from_row(row: &Row) -> Result<OutboxMessage, StoreError> {
    Ok(OutboxMessage {
        id: row.parse(0)?,
        kind: row.parse(1)?,
        destination: row.text(2)?,
        incident: row.parse(3)?,
        number: row.i64(4)?,
        severity: severity_of(row.i64(5)?)?,
        subject: row.text(6)?,
        body: row.text(7)?,
        state: row.parse(8)?,
        created_at: row.time(9)?,
        tries: u32::try_from(row.i64(10)?)
            .map_err(|_| StoreError::Corrupt("a number of tries is out of range".to_owned()))?,
        error: row.opt_text(11)?,
        ended_at: row.opt_time(12)?,
    })
}

pub(crate) async fn insert(write: &mut Write, message: &OutboxMessage) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "INSERT INTO outbox (id, kind, destination, incident_id, severity, subject, body, state, created_at, tries, \
         error, ended_at) VALUES ",
    );
    sql.tuple(args![
        message.id.to_string(),
        message.kind.as_str(),
        message.destination.as_str(),
        message.incident.to_string(),
        rank(message.severity),
        message.subject.as_str(),
        message.body.as_str(),
        message.state.as_str(),
        message.created_at,
        i64::from(message.tries),
        message.error.as_deref(),
        message.ended_at,
    ]);
    write.execute_sql(sql).await.map(drop)
}

/// Takes a waiting message back.
pub(crate) async fn withdraw(write: &mut Write, id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let taken = write
        .execute(
            "UPDATE outbox SET state = 'withdrawn', ended_at = $1 WHERE id = $2 AND state = 'pending'",
            args![now, id],
        )
        .await?;
    if taken == 1 {
        return Ok(());
    }
    Err(StoreError::Precondition("its message has left the outbox and cannot be taken back".to_owned()))
}

impl Store {
    /// Messages in one of these states (empty means any), newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_page(
        &self,
        states: &[OutboxState],
        limit: u32,
    ) -> Result<Vec<OutboxMessage>, StoreError> {
        let mut sql = Sql::new(SELECT);
        if !states.is_empty() {
            sql.push(" WHERE o.state IN ").tuple(states.iter().map(|state| state.as_str().into()).collect());
        }
        sql.push(" ORDER BY o.created_at DESC, o.id DESC LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(from_row).collect()
    }

    /// Messages that wait, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_pending(&self, limit: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!("{SELECT} WHERE o.state = 'pending' ORDER BY o.created_at, o.id LIMIT $1");
        tx.fetch(sql, args![i64::from(limit)]).await?.iter().map(from_row).collect()
    }

    /// How many messages wait.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_waiting(&self) -> Result<u64, StoreError> {
        let mut tx = self.read().await?;
        tx.fetch_one("SELECT COUNT(*) FROM outbox WHERE state = 'pending'", args![]).await?.u64(0)
    }

    /// Notes a try to deliver a waiting message.
    ///
    /// # Errors
    /// `NotFound` if it is not there or does not wait any more; what the database says.
    pub async fn outbox_tried(
        &self,
        id: OutboxId,
        outcome: &OutboxMove,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let (state, error) = match outcome {
            OutboxMove::Delivered => (OutboxState::Delivered, None),
            OutboxMove::Again(error) => (OutboxState::Pending, Some(error.as_str())),
            OutboxMove::GivenUp(error) => (OutboxState::Failed, Some(error.as_str())),
        };
        let ended_at = (state != OutboxState::Pending).then_some(now);
        let mut write = self.write().await?;
        let changed = write
            .execute(
                "UPDATE outbox SET state = $1, error = $2, ended_at = $3, tries = tries + 1 \
                 WHERE id = $4 AND state = 'pending'",
                args![state.as_str(), error, ended_at, id.to_string()],
            )
            .await?;
        if changed == 0 {
            return Err(StoreError::NotFound(format!("waiting message {id}")));
        }
        let mut draft = AuditDraft { object: format!("outbox/{id}"), ..draft };
        draft.changes.push(Change::new("state", OutboxState::Pending.as_str(), state.as_str()));
        write.audit(draft);
        write.touch(Tag::Blocks);
        self.commit(write).await.map(drop)
    }
}
