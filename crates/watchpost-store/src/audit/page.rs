//! Reading the trail.

use std::collections::HashMap;

use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord};

use crate::audit::leaf::Leaf;
use crate::audit::seal::{Payload, Sealed, SubjectKey};
use crate::engine::{Dialect, Row, Sql, Tx, args, like_pattern, micros};
use crate::error::StoreError;
use crate::store::Store;

/// What stands where something was erased.
pub(crate) const ERASED: &str = "[erased]";

/// The search column of a record whose content was erased.
pub(crate) fn erased_search(action: &str, actor: &str) -> String {
    format!("{action}\n{actor}").to_lowercase()
}

/// Columns of a leaf with all that may be beside it; in this order.
pub(crate) const COLUMNS: &str = "SELECT l.seq, l.leaf, l.hash, r.at, r.actor, r.action, r.object, r.permission, \
    r.outcome, r.search, p.key_id, p.nonce, p.sealed, k.secret, r.role, r.login, k.subject \
    FROM audit_leaf l LEFT JOIN audit_record r ON r.seq = l.seq LEFT JOIN audit_payload p ON p.seq = l.seq \
    LEFT JOIN subject_key k ON k.id = p.key_id";

/// The columns of [`COLUMNS`] that the oldest schemas lack.
const LATER: [&str; 2] = ["role", "login"];

/// [`COLUMNS`] of a database that may be older than this version: a copy is looked at as it is. What its records have no
/// column for is nothing in each of them.
pub(crate) async fn columns_there(tx: &mut Tx) -> Result<String, StoreError> {
    let mut there = Vec::new();
    for row in tx.fetch(tx.dialect().record_columns(), args![]).await? {
        there.push(row.text(0)?);
    }
    let mut sql = COLUMNS.to_owned();
    for column in LATER {
        if !there.iter().any(|name| name == column) {
            sql = sql.replace(&format!("r.{column}"), "CAST(NULL AS TEXT)");
        }
    }
    Ok(sql)
}

/// The payload beside a leaf, with its key if that is still there.
pub(crate) struct StoredPayload {
    pub(crate) key_id: String,
    pub(crate) sealed: Sealed,
    pub(crate) key: Option<SubjectKey>,
}

/// The sealed payload of a row of [`COLUMNS`]; `None` if it was erased.
pub(crate) fn stored_payload(row: &Row) -> Result<Option<StoredPayload>, StoreError> {
    let (Some(key_id), Some(nonce), Some(ciphertext)) =
        (row.opt_text(10)?, row.opt_blob(11)?, row.opt_blob(12)?)
    else {
        return Ok(None);
    };
    // A key that is none opens nothing: a check says that it is missing.
    let key = row.opt_blob(13)?.and_then(|secret| SubjectKey::from_stored(key_id.clone(), secret).ok());
    Ok(Some(StoredPayload { key_id, sealed: Sealed { nonce, ciphertext }, key }))
}

impl Store {
    /// One page of the trail, newest first, strictly older than `before_seq`.
    ///
    /// Shape: at most `limit` records (1..=500) by `seq` descending. What was erased reads `[erased]`, what its
    /// writer sealed so that nothing opens, or somebody altered since, `[unreadable]`.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn audit_page(
        &self,
        filter: &AuditFilter,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        if !(1..=500).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 500 rows, not {limit}")));
        }
        let mut sql = Sql::new(COLUMNS);
        sql.push(" WHERE 1 = 1");
        if let Some(before) = before_seq {
            sql.push(" AND l.seq < ").bind(before);
        }
        if let Some(actor) = &filter.actor {
            sql.push(" AND (r.actor = ").bind(actor).push(" OR r.login = ").bind(actor).push(")");
        }
        if let Some(action) = &filter.action {
            sql.push(" AND r.action = ").bind(action);
        }
        if let Some(outcome) = filter.outcome {
            sql.push(" AND r.outcome = ").bind(outcome.as_str());
        }
        if let Some(from) = filter.from {
            sql.push(" AND r.at >= ").bind(from);
        }
        if let Some(to) = filter.to {
            sql.push(" AND r.at < ").bind(to);
        }
        for word in filter.text.iter().flat_map(|text| text.split_whitespace()) {
            let pattern = like_pattern(word);
            sql.push(" AND (r.search LIKE ")
                .bind(pattern.clone())
                .push(" ESCAPE '!' OR LOWER(r.login) LIKE ");
            sql.bind(pattern).push(" ESCAPE '!')");
        }
        sql.push(" ORDER BY l.seq DESC LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        let logins = logins(&mut tx).await?;
        tx.fetch_sql(sql).await?.iter().map(|row| record(row, &logins)).collect()
    }
}

impl Store {
    /// One record with its leaf as it is hashed.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn audit_record(&self, seq: i64) -> Result<(AuditRecord, String), StoreError> {
        let mut tx = self.read().await?;
        let row = tx.fetch_optional(format!("{COLUMNS} WHERE l.seq = $1"), args![seq]).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("audit record {seq}")))?;
        let leaf = String::from_utf8_lossy(&row.blob(1)?).into_owned();
        let logins = logins(&mut tx).await?;
        Ok((record(&row, &logins)?, leaf))
    }
}

/// The names of logins by their ids in leaves; none where the database has no logins.
async fn logins(tx: &mut Tx) -> Result<HashMap<String, String>, StoreError> {
    let mut names = HashMap::new();
    if tx.dialect() == Dialect::Postgres {
        for row in tx.fetch("SELECT id, name FROM audit_name WHERE kind = 'login'", args![]).await? {
            names.insert(row.text(0)?, row.text(1)?);
        }
    }
    Ok(names)
}

/// What stands for the content of a record whose leaf cannot be read.
const UNREADABLE: &str = "[unreadable]";

/// What stands for the reason of a record whose content does not open.
const CLOSED: &str =
    "what is sealed in this record does not open with its key: its writer sealed nothing that can be read";

/// What stands for the reason where the leaf commits to something else than what is there.
const ALTERED: &str = "what is sealed here, or its key, is not what the leaf of this record commits to: it was altered \
    after it was written, by whoever can write the database; `watchpost audit verify` names it";

/// A leaf that is not canonical takes none of the other records with it: what its columns say, and that they prove nothing.
fn unreadable(row: &Row) -> Result<AuditRecord, StoreError> {
    let said = |text: Option<String>| text.unwrap_or_else(|| UNREADABLE.to_owned());
    Ok(AuditRecord {
        seq: row.i64(0)?,
        at: micros(row.opt_i64(3)?.unwrap_or_default()).unwrap_or_default(),
        actor: said(row.opt_text(4)?),
        login: row.opt_text(15)?,
        origin: UNREADABLE.to_owned(),
        host: UNREADABLE.to_owned(),
        action: said(row.opt_text(5)?),
        object: said(row.opt_text(6)?),
        permission: said(row.opt_text(7)?),
        outcome: AuditOutcome::Failure,
        changes: Vec::new(),
        reason: Some(
            "the leaf of this record cannot be read, so nothing of it is proved: `watchpost audit verify` names it"
                .to_owned(),
        ),
        risk: 100,
        leaf_hash: hex::encode(row.blob(2)?),
    })
}

fn record(row: &Row, logins: &HashMap<String, String>) -> Result<AuditRecord, StoreError> {
    let seq = row.i64(0)?;
    let leaf = Leaf::parse(&row.blob(1)?);
    let read = leaf.and_then(|leaf| {
        let (at, outcome) = (leaf.micros()?, leaf.client.outcome.parse::<AuditOutcome>().ok()?);
        Some((leaf, at, outcome))
    });
    let Some((leaf, at, outcome)) = read else { return unreadable(row) };
    let (mut payload, mut closed) = (None, None);
    if let Some(StoredPayload { key_id, sealed, key: Some(key) }) = stored_payload(row)? {
        let client = &leaf.client;
        // The writer answers for what the leaf commits to, and for nothing else.
        if key_id != client.key || sealed.commitment() != client.commitment || key.check() != client.key_check
        {
            closed = Some(ALTERED);
        } else {
            payload = key.open(&sealed);
            closed = payload.is_none().then_some(CLOSED);
        }
    }
    let gone = || (if closed.is_some() { UNREADABLE } else { ERASED }).to_owned();
    let column = row.opt_text(4)?;
    let object = row.opt_text(6)?.filter(|_| closed.is_some());
    let Payload { actor, changes, host, object, origin, reason, risk, .. } =
        payload.unwrap_or_else(|| Payload {
            actor: column.unwrap_or_else(gone),
            changes: Vec::new(),
            host: gone(),
            object: object.unwrap_or_else(gone),
            origin: gone(),
            reason: closed.map(str::to_owned),
            risk: if closed.is_some() { 100 } else { 0 },
            role: gone(),
        });
    Ok(AuditRecord {
        seq,
        at: micros(at)?,
        actor,
        login: logins.get(&leaf.login).cloned(),
        origin,
        host,
        action: leaf.client.action,
        object,
        permission: leaf.client.permission,
        outcome,
        changes,
        reason,
        risk,
        leaf_hash: hex::encode(row.blob(2)?),
    })
}
