//! Writing records: names and keys first, then the head of the log as the last lock of the transaction, then the
//! leaves. Numbers are gapless because the head row is the number.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use watchpost_model::audit::AuditDraft;

use crate::audit::checkpoint;
use crate::audit::leaf::{ClientPart, Leaf, time_text};
use crate::audit::seal::{Payload, Sealed, SubjectKey, random_id};
use crate::audit::sign::Signer;
use crate::audit::tree::{Frontier, leaf_hash};
use crate::engine::{Dialect, Sql, Tx, Value, args, chunks, micros, without_nul};
use crate::error::StoreError;
use crate::store::Entry;

/// Something about the trail itself that stands in the leaf.
pub(crate) type Fact = (&'static str, serde_json::Value);

/// A checkpoint is signed at the latest when this many leaves were added since the one before.
pub(crate) const CHECKPOINT_EVERY: u64 = 256;

/// The locked head of the log.
pub(crate) struct Head {
    pub(crate) frontier: Frontier,
    /// Size after the newest checkpoint and its own leaf.
    pub(crate) checkpoint_size: i64,
    pub(crate) log_id: String,
    pub(crate) at: DateTime<Utc>,
}

impl Head {
    /// The number that the next record gets.
    pub(crate) fn next_seq(&self) -> Result<i64, StoreError> {
        i64::try_from(self.frontier.size())
            .map_err(|_| StoreError::Corrupt("the audit log is too long".to_owned()))
    }
}

/// A record ready to get its number.
struct Prepared {
    leaf: ClientPart,
    login: String,
    sealed: Sealed,
    actor: String,
    object: String,
    search: String,
    role: String,
}

/// What was appended, once the transaction is committed.
#[derive(Default)]
pub(crate) struct Appended {
    /// The numbers of the records.
    pub(crate) numbers: Vec<i64>,
    /// The tree that they were added to, and the head of the log after them; `None` if there were none.
    pub(crate) head: Option<(Frontier, Head)>,
}

/// Appends `entries` in their order; signs a checkpoint when one is due and there is a key.
pub(crate) async fn append_all(
    tx: &mut Tx,
    entries: Vec<Entry>,
    now: DateTime<Utc>,
    signer: Option<&Signer>,
) -> Result<Appended, StoreError> {
    if entries.is_empty() {
        return Ok(Appended::default());
    }
    let prepared = prepare(tx, entries, now).await?;
    let mut head = lock_head(tx, now).await?;
    let before = head.frontier.clone();
    let numbers = write(tx, &mut head, prepared).await?;
    if let Some(signer) = signer
        && head.next_seq()? - head.checkpoint_size >= CHECKPOINT_EVERY.cast_signed()
    {
        // A key that was revoked signs nothing more; what it was to sign for is written all the same.
        drop(checkpoint::sign(tx, &mut head, signer, "every 256 records").await?);
    }
    save_head(tx, &head).await?;
    Ok(Appended { numbers, head: Some((before, head)) })
}

/// Appends one record while the head is already locked. Its names must exist, else two writers could wait for each
/// other; [`checkpoint`] makes sure of that.
pub(crate) async fn append_locked(tx: &mut Tx, head: &mut Head, entry: Entry) -> Result<(), StoreError> {
    let now = head.at;
    let prepared = prepare(tx, vec![entry], now).await?;
    write(tx, head, prepared).await.map(drop)
}

/// Locks the head; makes it in a new database.
pub(crate) async fn lock_head(tx: &mut Tx, now: DateTime<Utc>) -> Result<Head, StoreError> {
    let sql = tx.dialect().audit_head();
    let row = match tx.dialect() {
        Dialect::Postgres => tx.fetch_one(sql, args![random_id()]).await?,
        Dialect::Sqlite => match tx.fetch_optional(sql, args![]).await? {
            Some(row) => row,
            None => {
                tx.execute(
                    "INSERT INTO audit_head (id, log_id, size, frontier, checkpoint_size) VALUES (1, $1, 0, $2, 0) \
                     ON CONFLICT (id) DO NOTHING",
                    args![random_id(), Vec::<u8>::new()],
                )
                .await?;
                tx.fetch_one(sql, args![]).await?
            }
        },
    };
    let at = row.opt_i64(4)?.map(micros).transpose()?.unwrap_or(now);
    Ok(Head {
        frontier: Frontier::from_bytes(row.i64(0)?, &row.blob(1)?)?,
        checkpoint_size: row.i64(2)?,
        log_id: row.text(3)?,
        at,
    })
}

pub(crate) async fn save_head(tx: &mut Tx, head: &Head) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        // The functions that write have moved it on.
        return Ok(());
    }
    tx.execute(
        "UPDATE audit_head SET size = $1, frontier = $2, checkpoint_size = $3 WHERE id = 1",
        args![head.next_seq()?, head.frontier.to_bytes(), head.checkpoint_size],
    )
    .await
    .map(drop)
}

/// The text that searching looks at.
pub(crate) fn search_text(action: &str, payload: &Payload) -> String {
    let reason = payload.reason.as_deref().unwrap_or_default();
    let text = [action, &payload.object, &payload.actor, reason].join("\n").to_lowercase();
    without_nul(&text).chars().take(2000).collect()
}

/// A name as it is stored: without NUL, at most 512 characters.
fn name_text(name: &str) -> String {
    without_nul(name).chars().take(512).collect()
}

async fn prepare(tx: &mut Tx, entries: Vec<Entry>, now: DateTime<Utc>) -> Result<Vec<Prepared>, StoreError> {
    let row = tx.fetch_one(tx.dialect().login_and_log(), args![]).await?;
    let login = row.text(0)?;
    let log_id = match row.opt_text(1)? {
        Some(id) => id,
        None => lock_head(tx, now).await?.log_id,
    };
    let payloads: Vec<Payload> = entries.iter().map(|entry| payload(&entry.draft)).collect();
    let mut wanted: BTreeSet<(&'static str, String)> = BTreeSet::from([("login", login.clone())]);
    for payload in &payloads {
        wanted.insert(("actor", payload.actor.clone()));
        wanted.insert(("host", payload.host.clone()));
        wanted.insert(("object", payload.object.clone()));
    }
    let names = name_ids(tx, wanted).await?;
    let mut keys: BTreeMap<String, SubjectKey> = BTreeMap::new();
    for ((_, name), id) in names.iter().filter(|((kind, _), _)| *kind == "actor") {
        keys.insert(name.clone(), subject_key(tx, id, now).await?);
    }
    let id_of =
        |kind: &'static str, name: &str| names.get(&(kind, name.to_owned())).cloned().unwrap_or_default();
    entries
        .into_iter()
        .zip(payloads)
        .map(|(entry, payload)| {
            let key = keys
                .get(&payload.actor)
                .ok_or_else(|| StoreError::Corrupt("an actor of the trail has no key".to_owned()))?;
            let sealed = key.seal(&payload)?;
            let action = name_text(&entry.draft.action).chars().take(128).collect::<String>();
            let leaf = ClientPart {
                by: id_of("actor", &payload.actor),
                commitment: sealed.commitment(),
                facts: entry.facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                host: id_of("host", &payload.host),
                key: key.id.clone(),
                key_check: key.check(),
                log: log_id.clone(),
                object: id_of("object", &payload.object),
                permission: entry.draft.permission.as_str().to_owned(),
                outcome: entry.draft.outcome.as_str().to_owned(),
                at: time_text(entry.draft.at),
                version: 1,
                action,
            };
            let search = search_text(&leaf.action, &payload);
            let login = id_of("login", &login);
            let Payload { actor, object, role, .. } = payload;
            Ok(Prepared { leaf, login, sealed, actor, object, search, role })
        })
        .collect()
}

fn payload(draft: &AuditDraft) -> Payload {
    Payload {
        actor: name_text(&draft.caller.name),
        changes: draft.changes.clone(),
        host: name_text(&draft.caller.host),
        object: name_text(&draft.object),
        origin: draft.caller.origin.as_str().to_owned(),
        reason: draft.reason.clone(),
        risk: draft.risk,
        role: draft.caller.role.as_str().to_owned(),
    }
}

/// The ids of names; unknown ones are added in sorted order, so that two writers cannot wait for each other.
async fn name_ids(
    tx: &mut Tx,
    wanted: BTreeSet<(&'static str, String)>,
) -> Result<BTreeMap<(&'static str, String), String>, StoreError> {
    const FIND: &str = "SELECT kind, name, id FROM audit_name WHERE (kind, name) IN ";
    let mut names = BTreeMap::new();
    let mut missing = wanted;
    for attempt in 0..2 {
        if attempt > 0 {
            for (kind, name) in &missing {
                tx.execute(
                    "INSERT INTO audit_name (id, kind, name) VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO NOTHING",
                    args![random_id(), *kind, name],
                )
                .await?;
            }
        }
        let rows: Vec<Vec<Value>> = missing.iter().map(|(kind, name)| args![*kind, name]).collect();
        let mut known = BTreeMap::new();
        for part in chunks(&rows) {
            let mut sql = Sql::new(FIND);
            sql.push("(VALUES ").tuples(part.iter().cloned()).push(")");
            for row in tx.fetch_sql(sql).await? {
                known.insert((row.text(0)?, row.text(1)?), row.text(2)?);
            }
        }
        missing.retain(|(kind, name)| match known.remove(&((*kind).to_owned(), name.clone())) {
            Some(id) => {
                names.insert((*kind, name.clone()), id);
                false
            }
            None => true,
        });
        if missing.is_empty() {
            return Ok(names);
        }
    }
    Err(StoreError::Corrupt("a name of the audit trail cannot be kept".to_owned()))
}

/// The key that seals what is recorded of a person. On PostgreSQL each login has keys of its own, and reads no others.
async fn subject_key(tx: &mut Tx, subject: &str, now: DateTime<Utc>) -> Result<SubjectKey, StoreError> {
    const FIND: &str = "SELECT id, secret FROM subject_key WHERE subject = $1";
    let new = SubjectKey::random();
    let row = match tx.dialect() {
        Dialect::Postgres => {
            let own = "SELECT key_id, key_secret FROM watchpost_subject_key($1, $2, $3)";
            tx.fetch_one(own, args![subject, new.id.as_str(), new.secret().as_slice()]).await?
        }
        Dialect::Sqlite => match tx.fetch_optional(FIND, args![subject]).await? {
            Some(row) => row,
            None => {
                tx.execute(
                    "INSERT INTO subject_key (id, subject, secret, created_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (subject) DO NOTHING",
                    args![new.id.as_str(), subject, new.secret().as_slice(), now],
                )
                .await?;
                tx.fetch_one(FIND, args![subject]).await?
            }
        },
    };
    SubjectKey::from_stored(row.text(0)?, row.blob(1)?)
}

/// A record as the functions of PostgreSQL take it; number, time and login are theirs to say.
fn handed_over(record: &Prepared) -> Result<serde_json::Value, StoreError> {
    let leaf = serde_json::to_string(&record.leaf).map_err(StoreError::Encode)?;
    Ok(serde_json::json!({
        "leaf": leaf,
        "actor": without_nul(&record.actor),
        "object": without_nul(&record.object),
        "search": without_nul(&record.search),
        "role": without_nul(&record.role),
        "nonce": STANDARD.encode(&record.sealed.nonce),
        "sealed": STANDARD.encode(&record.sealed.ciphertext),
    }))
}

fn handed_over_all(records: &[Prepared]) -> Result<String, StoreError> {
    let all: Vec<serde_json::Value> = records.iter().map(handed_over).collect::<Result<_, _>>()?;
    serde_json::to_string(&all).map_err(StoreError::Encode)
}

/// Reads the head again after a function has moved it on.
async fn moved_on(tx: &mut Tx, head: &mut Head) -> Result<(), StoreError> {
    let row =
        tx.fetch_one("SELECT size, frontier, checkpoint_size FROM audit_head WHERE id = 1", args![]).await?;
    head.frontier = Frontier::from_bytes(row.i64(0)?, &row.blob(1)?)?;
    head.checkpoint_size = row.i64(2)?;
    Ok(())
}

/// Keeps a signed checkpoint of the locked head with its record, on PostgreSQL; answers its time.
pub(crate) async fn checkpoint_handed_over(
    tx: &mut Tx,
    head: &mut Head,
    [root, note, key_name, reason]: [&str; 4],
    entry: Entry,
) -> Result<DateTime<Utc>, StoreError> {
    let prepared = prepare(tx, vec![entry], head.at).await?;
    let record = handed_over_all(&prepared)?;
    let sql = "SELECT watchpost_audit_checkpoint($1, $2, $3, $4, $5)";
    let at = tx.fetch_one(sql, args![root, note, key_name, reason, record]).await?.time(0)?;
    moved_on(tx, head).await?;
    Ok(at)
}

async fn write(tx: &mut Tx, head: &mut Head, records: Vec<Prepared>) -> Result<Vec<i64>, StoreError> {
    if tx.dialect() == Dialect::Postgres {
        let all = handed_over_all(&records)?;
        let first = tx.fetch_one("SELECT watchpost_audit_append($1)", args![all]).await?.i64(0)?;
        moved_on(tx, head).await?;
        return Ok((first..head.next_seq()?).collect());
    }
    let mut numbers = Vec::with_capacity(records.len());
    let mut leaves: Vec<Vec<Value>> = Vec::with_capacity(records.len());
    let mut columns: Vec<Vec<Value>> = Vec::with_capacity(records.len());
    let mut payloads: Vec<Vec<Value>> = Vec::with_capacity(records.len());
    for record in records {
        let seq = head.next_seq()?;
        let leaf = Leaf { client: record.leaf, login: record.login, seq, at: time_text(head.at) };
        let bytes = leaf.to_bytes()?;
        let hash = leaf_hash(&bytes);
        head.frontier.push(hash);
        numbers.push(seq);
        leaves.push(args![seq, bytes, hash.as_slice()]);
        let Leaf { client, .. } = leaf;
        columns.push(args![
            seq,
            head.at,
            record.actor,
            client.action,
            record.object,
            client.permission,
            client.outcome,
            record.search,
            record.role
        ]);
        payloads.push(args![seq, client.key, record.sealed.nonce, record.sealed.ciphertext]);
    }
    tx.insert_rows("INSERT INTO audit_leaf (seq, leaf, hash) VALUES ", &leaves, "").await?;
    tx.insert_rows(
        "INSERT INTO audit_record (seq, at, actor, action, object, permission, outcome, search, role) VALUES ",
        &columns,
        "",
    )
    .await?;
    tx.insert_rows("INSERT INTO audit_payload (seq, key_id, nonce, sealed) VALUES ", &payloads, "").await?;
    Ok(numbers)
}

/// The id of the log; `None` before its first record.
pub(crate) async fn log_id_if_any(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    let row = tx.fetch_optional("SELECT log_id FROM audit_head WHERE id = 1", args![]).await?;
    row.map(|row| row.text(0)).transpose()
}
