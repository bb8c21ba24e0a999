//! Requests that wait for a second person, and the people who are there to be asked.
//!
//! The record of a request holds a digest of it in its leaf, and so does that of its approval: nobody gets another request
//! approved than the one that was asked for, or one carried out that nobody approved, whatever the row says by then. What
//! the trail says of a request is read by [`trail`].

mod trail;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use watchpost_model::approval::{
    ApprovalRequest, ApprovalState, Carrier, Matter, TwoPeople, UnreadableApproval, WAITS_HOURS, person_key,
};
use watchpost_model::audit::AuditDraft;

pub use self::trail::ApprovalTrail;
use crate::audit::seal::random_id;
use crate::engine::{Dialect, Row, args, without_nul};
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// Requests of a list that are over.
const LIST_MAX: i64 = 200;
/// Requests of a list that are open: so many as a hundred people can have of one operation.
const OPEN_MAX: i64 = 2_000;
/// Requests for one operation that a person has open at a time, so that nobody buries those of others under them, nor has to
/// wait with one that is urgent. On PostgreSQL a trigger says the same of a login.
const PERSON_MAX: usize = 20;
/// What is open, beside that its time has not run out.
const OPEN: &str = "state IN ('waiting', 'granted', 'failed')";
/// The action of the record of a request.
const ASKED: &str = "approval_ask";
/// The fact of their leaves that holds the digest.
const DIGEST: &str = "request";

const COLUMNS: &str = "SELECT id, operation, matter, carrier, request, summary, reason, asked_by, asked_at, \
    expires_at, state, decided_by, decided_at, note, outcome FROM approval";

/// The same without what a viewer's login may not read: what is asked, and why.
const MASKED: &str = "SELECT id, operation, matter, carrier, '{}', '', CAST(NULL AS TEXT), asked_by, asked_at, \
    expires_at, state, decided_by, decided_at, CAST(NULL AS TEXT), outcome FROM approval";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApproval<'a> {
    /// The operation.
    pub operation: &'a str,
    /// Why two people are needed, and who carries it out.
    pub two: TwoPeople,
    /// The request as JSON, without secrets.
    pub request: String,
    /// What it would do, for people.
    pub summary: String,
    /// Why.
    pub reason: Option<String>,
    /// Who asks.
    pub asked_by: &'a str,
}

/// How a request moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovalMove<'a> {
    /// The state that it must be in.
    pub from: ApprovalState,
    /// The state that it gets.
    pub to: ApprovalState,
    /// Who decides; `None` leaves what is there.
    pub by: Option<&'a str>,
    /// What they say.
    pub note: Option<&'a str>,
    /// How carrying it out ended.
    pub outcome: Option<&'a str>,
}

/// The requests, and the rows among them that are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    /// Those that can be read: what is open, then what is over, each the newest first.
    pub requests: Vec<ApprovalRequest>,
    /// What somebody put there with SQL: whoever asks may insert a row, and the server takes any words in it.
    pub unreadable: Vec<UnreadableApproval>,
    /// How many more there are.
    pub more: u64,
}

impl Approvals {
    /// Reads each row by itself: one that makes no sense keeps nobody from the others.
    fn of(rows: &[Row]) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for row in rows {
            match approval(row) {
                Ok(request) => all.requests.push(request),
                Err(StoreError::Corrupt(problem)) => {
                    all.unreadable.push(UnreadableApproval { id: row.text(0).unwrap_or_default(), problem });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(all)
    }
}

/// Names the column of a value that cannot be read.
fn in_column(name: &'static str) -> impl Fn(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("{name}: {why}")),
        other => other,
    }
}

fn approval(row: &Row) -> Result<ApprovalRequest, StoreError> {
    Ok(ApprovalRequest {
        id: row.text(0)?,
        operation: row.text(1)?,
        matter: row.parse::<Matter>(2).map_err(in_column("matter"))?,
        carrier: row.parse(3).map_err(in_column("carrier"))?,
        request: row.text(4)?,
        summary: row.text(5)?,
        reason: row.opt_text(6)?,
        asked_by: row.text(7)?,
        asked_at: row.time(8).map_err(in_column("asked_at"))?,
        expires_at: row.time(9).map_err(in_column("expires_at"))?,
        state: row.parse(10).map_err(in_column("state"))?,
        decided_by: row.opt_text(11)?,
        decided_at: row.opt_time(12).map_err(in_column("decided_at"))?,
        note: row.opt_text(13)?,
        outcome: row.opt_text(14)?,
    })
}

/// The object of every record about a request.
#[must_use]
pub fn approval_object(id: &str) -> String {
    format!("approval/{id}")
}

/// Everything of a request that must not change. The id is random, so nothing can be guessed from the digest.
fn digest(asked: &ApprovalRequest) -> String {
    let times = [asked.asked_at, asked.expires_at].map(|at| at.timestamp_micros().to_string());
    let parts = [
        "watchpost approval",
        &asked.id,
        &asked.operation,
        asked.matter.as_str(),
        asked.carrier.as_str(),
        &asked.request,
        &asked.summary,
        asked.reason.as_deref().unwrap_or_default(),
        &asked.asked_by,
        &times[0],
        &times[1],
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

impl Store {
    /// Writes down a request that waits; `draft` is the record of it but for its object.
    ///
    /// # Errors
    /// `Precondition` if this person has too many of this operation open already; what the database says; then nothing was
    /// written.
    pub async fn approval_ask(
        &self,
        new: NewApproval<'_>,
        mut draft: AuditDraft,
    ) -> Result<ApprovalRequest, StoreError> {
        let micros = |at: DateTime<Utc>| DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
        let now = micros(self.inner.clock.now());
        let asked = ApprovalRequest {
            id: random_id().chars().take(16).collect(),
            operation: new.operation.to_owned(),
            matter: new.two.matter,
            carrier: new.two.carrier,
            request: new.request,
            // As the database keeps them, so that the digest is of what is kept.
            summary: without_nul(&new.summary),
            reason: new.reason.as_deref().map(without_nul),
            asked_by: without_nul(new.asked_by),
            asked_at: now,
            expires_at: now + Duration::hours(WAITS_HOURS),
            state: ApprovalState::Waiting,
            decided_by: None,
            decided_at: None,
            note: None,
            outcome: None,
        };
        let mut write = self.write().await?;
        // With another login at the database the same name is somebody else.
        let login = write.dialect().login_oid();
        let sql = format!(
            "SELECT asked_by FROM approval WHERE {OPEN} AND expires_at > $1 AND operation = $2 AND login_oid = {login}"
        );
        let mut n_open = 0;
        for row in write.fetch(sql, args![now, asked.operation.as_str()]).await? {
            n_open += usize::from(asked.is_asked_by(&row.text(0)?));
        }
        if n_open >= PERSON_MAX {
            return Err(StoreError::Precondition(format!(
                "{} has {n_open} requests open for {}, which takes a second person, and nobody has more of one kind: have some \
                 of them decided, or take them back with `watchpost approval withdraw ID` (`watchpost approval list` names \
                 them); what nobody decides is over after {WAITS_HOURS} hours",
                asked.asked_by, asked.operation
            )));
        }
        write
            .execute(
                "INSERT INTO approval (id, operation, matter, carrier, request, summary, reason, asked_by, asked_at, \
                 expires_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                args![
                    asked.id.as_str(),
                    asked.operation.as_str(),
                    asked.matter.as_str(),
                    asked.carrier.as_str(),
                    asked.request.as_str(),
                    asked.summary.as_str(),
                    asked.reason.as_deref(),
                    asked.asked_by.as_str(),
                    asked.asked_at,
                    asked.expires_at,
                    asked.state.as_str()
                ],
            )
            .await?;
        ASKED.clone_into(&mut draft.action);
        draft.object = approval_object(&asked.id);
        write.audit_with_facts(draft, vec![(DIGEST, json!(digest(&asked)))]);
        write.touch(Tag::Audit);
        self.commit(write).await?;
        Ok(asked)
    }

    /// Requests, and rows that are none: all that are open, and the newest of what is over.
    ///
    /// # Errors
    /// What the database says.
    pub async fn approvals(&self) -> Result<Approvals, StoreError> {
        match self.approvals_by(COLUMNS).await {
            Err(StoreError::Denied(_)) => self.approvals_by(MASKED).await,
            found => found,
        }
    }

    async fn approvals_by(&self, columns: &str) -> Result<Approvals, StoreError> {
        let now = self.inner.clock.now();
        let mut tx = self.read().await?;
        let newest = "ORDER BY asked_at DESC, id LIMIT $2";
        let sql = format!("{columns} WHERE {OPEN} AND expires_at > $1 {newest}");
        let mut rows = tx.fetch(sql, args![now, OPEN_MAX]).await?;
        let sql = format!("{columns} WHERE NOT ({OPEN} AND expires_at > $1) {newest}");
        rows.extend(tx.fetch(sql, args![now, LIST_MAX]).await?);
        let n_all = tx.fetch_one("SELECT COUNT(*) FROM approval", args![]).await?.u64(0)?;
        Ok(Approvals { more: n_all.saturating_sub(rows.len() as u64), ..Approvals::of(&rows)? })
    }

    /// What asks for exactly this and may still be decided or carried out, the newest first; a row that cannot be read is
    /// none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn approvals_open(
        &self,
        operation: &str,
        request: &str,
    ) -> Result<Vec<ApprovalRequest>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE operation = $1 AND request = $2 AND {OPEN} AND expires_at > $3 \
             ORDER BY asked_at DESC, id LIMIT $4"
        );
        let now = self.inner.clock.now();
        let rows = self.read().await?.fetch(sql, args![operation, request, now, OPEN_MAX]).await?;
        Ok(Approvals::of(&rows)?.requests)
    }

    /// One request.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` if its row is none that Watchpost wrote; what the database says.
    pub async fn approval(&self, id: &str) -> Result<ApprovalRequest, StoreError> {
        let row = self.read().await?.fetch_optional(format!("{COLUMNS} WHERE id = $1"), args![id]).await?;
        row.as_ref().map(approval).transpose()?.ok_or_else(|| StoreError::NotFound("this request".to_owned()))
    }

    /// Moves a request on, once: whoever comes second finds it in another state. What the trail says was decided before is
    /// not decided again, whatever the row says.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it is in another state, its time ran out and it was not to end, or the trail says that it
    /// was decided or carried out; what the database says.
    pub async fn approval_move(
        &self,
        id: &str,
        step: ApprovalMove<'_>,
        mut draft: AuditDraft,
    ) -> Result<ApprovalRequest, StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        // What was begun ends, however long it took.
        let ends = matches!(step.from, ApprovalState::Granted | ApprovalState::Done)
            && step.to != ApprovalState::Granted;
        let changed = if write.dialect() == Dialect::Postgres {
            // Nobody has the right to write the rows: the function moves them on and never back.
            let sql = "SELECT watchpost_approval_move($1, $2, $3, $4, $5, $6, $7)";
            let values =
                args![id, step.from.as_str(), step.to.as_str(), step.by, step.note, step.outcome, now];
            write.fetch_one(sql, values).await?.u64(0)?
        } else {
            let sql = "UPDATE approval SET state = $1, decided_by = COALESCE($2, decided_by), \
                decided_at = CASE WHEN $2 IS NULL THEN decided_at ELSE $3 END, note = COALESCE($4, note), \
                outcome = COALESCE($5, outcome) WHERE id = $6 AND state = $7 AND expires_at > $8";
            let values = args![
                step.to.as_str(),
                step.by,
                now,
                step.note,
                step.outcome,
                id,
                step.from.as_str(),
                if ends { i64::MIN } else { now.timestamp_micros() }
            ];
            write.execute(sql, values).await?
        };
        if changed == 0 {
            drop(write);
            let found = self.approval(id).await?;
            return Err(StoreError::Conflict(format!("the request {id} is {}", found.state_at(now))));
        }
        let row = write.fetch_one(format!("{COLUMNS} WHERE id = $1"), args![id]).await?;
        let moved = approval(&row)?;
        let carries_out = moved.carrier == Carrier::Asker && step.to == ApprovalState::Done;
        // Under the lock of the row, so that nobody decides between this look and the record.
        if (!ends || carries_out)
            && let Some((_, ended)) = trail::ended(&mut write, &moved, step.to).await?
        {
            return Err(StoreError::Conflict(format!(
                "by the audit trail the request {id} {ended}; somebody set its row back"
            )));
        }
        draft.object = approval_object(id);
        if step.to == ApprovalState::Granted {
            write.audit_with_facts(draft, vec![(DIGEST, json!(digest(&moved)))]);
        } else {
            write.audit(draft);
        }
        write.touch(Tag::Audit);
        self.commit(write).await?;
        self.approval(id).await
    }

    /// What became of a request whose row says that it waits, if the trail says that it was decided, and how; `None` also
    /// for a login that may not read the trail.
    ///
    /// # Errors
    /// What the database says.
    pub async fn approval_set_back(
        &self,
        asked: &ApprovalRequest,
    ) -> Result<Option<(ApprovalState, String)>, StoreError> {
        if asked.state != ApprovalState::Waiting {
            return Ok(None);
        }
        match trail::ended(&mut *self.read().await?, asked, ApprovalState::Granted).await {
            Err(StoreError::Denied(_)) => Ok(None),
            found => found,
        }
    }

    /// Remembers that a person did something.
    ///
    /// # Errors
    /// What the database says.
    pub async fn person_seen(&self, name: &str) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let key = person_key(name);
        let sql = "SELECT last_at FROM person WHERE name = $1";
        let before = self.read().await?.fetch_optional(sql, args![key.as_str()]).await?;
        let before = before.map(|row| row.time(0)).transpose()?;
        if before.is_some_and(|at| now - at < Duration::days(1)) {
            return Ok(());
        }
        let mut write = self.write().await?;
        if write.dialect() == Dialect::Postgres {
            // Nobody has the right to write the table: the function says that somebody is there now, and nothing else.
            write.fetch("SELECT CAST(watchpost_person_seen($1) AS TEXT)", args![key]).await?;
        } else {
            let sql = "INSERT INTO person (name, first_at, last_at) VALUES ($1, $2, $3) \
                ON CONFLICT (name) DO UPDATE SET last_at = excluded.last_at";
            write.execute(sql, args![key, now, now]).await?;
        }
        self.commit(write).await.map(drop)
    }

    /// People who did something since then, by name; where the database has logins, only those who can still log in, and
    /// never an engine.
    ///
    /// # Errors
    /// What the database says.
    pub async fn people(&self, since: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        let sql = tx.dialect().people();
        tx.fetch(sql, args![since]).await?.iter().map(|row| row.text(0)).collect()
    }
}
