//! Checking the whole trail: every leaf, every column and payload beside it, every checkpoint.
//!
//! One consistent read. Whoever rewrites a row together with its leaf hash is found by the first checkpoint that does
//! not fit; then only the range since the checkpoint before can be named, and `first_bad_seq` is its begin.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use watchpost_model::access::Caller;
use watchpost_model::audit::{AuditOutcome, AuditVerification, Change, Checkpoint, EvidenceStrength};

use crate::audit::append::{self, search_text};
use crate::audit::checkpoint::{self, note_text};
use crate::audit::leaf::Leaf;
use crate::audit::own_draft;
use crate::audit::page::{COLUMNS, stored_payload};
use crate::audit::sign::VerifierKey;
use crate::audit::tree::{Frontier, leaf_hash};
use crate::engine::{Row, Tx, Value, args};
use crate::error::StoreError;
use crate::store::Store;

/// Leaves read at once.
const PAGE: i64 = 1000;
/// Problems told at most; the first bad number is always right.
const PROBLEMS_MAX: usize = 50;

impl Store {
    /// Checks the whole trail and records that it was checked, by `caller`.
    ///
    /// `progress` gets leaves done and leaves in all. Cost: one pass, about 100,000 records a second.
    ///
    /// # Errors
    /// What the database says. A trail that does not hold is an answer, not an error.
    pub async fn audit_verify(
        &self,
        caller: &Caller,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<AuditVerification, StoreError> {
        let strength = match self.signer() {
            Some(signer) if !signer.is_session() => EvidenceStrength::LocalOnly,
            _ => EvidenceStrength::SessionKey,
        };
        let mut tx = self.read().await?;
        let result = Box::pin(Check::run(&mut tx, strength, progress)).await?;
        drop(tx);
        let mut draft = own_draft("audit_verify", "", self.inner.clock.now());
        draft.caller = caller.clone();
        draft.outcome = if result.ok { AuditOutcome::Success } else { AuditOutcome::Failure };
        draft.reason = result.problems.first().cloned();
        draft.changes = vec![
            Change::new("leaves", serde_json::Value::Null, result.leaves),
            Change::new("checkpoints", serde_json::Value::Null, result.checkpoints),
            Change::new("root", serde_json::Value::Null, result.root.clone()),
        ];
        // A trail whose head cannot be read takes no more records; the answer is still worth having.
        if let Err(error) = self.audit_append(draft).await {
            if result.ok {
                return Err(error);
            }
            tracing::error!(%error, "could not record that the audit trail failed its check");
        }
        Ok(result)
    }
}

/// The state of a check.
#[derive(Default)]
struct Check {
    frontier: Frontier,
    /// No leaf was missing so far, so the frontier means something.
    whole: bool,
    next: i64,
    problems: Vec<String>,
    first_bad: Option<i64>,
    log_id: String,
    checkpoints: BTreeMap<i64, Checkpoint>,
    /// Keys by their text, with the number of their `key.add`.
    keys: HashMap<String, (VerifierKey, i64)>,
    /// Newest checkpoint that holds.
    good: i64,
    confirmed: i64,
    /// Size and root that the `checkpoint.sign` leaves tell of.
    signed: BTreeMap<i64, String>,
    /// Records without payload or columns, with the key that they were sealed under.
    absent: Vec<(i64, String)>,
    /// Keys that were erased, with the number of the erasure.
    erased: HashMap<String, i64>,
}

impl Check {
    async fn run(
        tx: &mut Tx,
        strength: EvidenceStrength,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<AuditVerification, StoreError> {
        let mut check = Self { whole: true, ..Self::default() };
        let head =
            tx.fetch_optional("SELECT size, frontier, log_id FROM audit_head WHERE id = 1", args![]).await?;
        let (head_size, head_frontier) = match head {
            Some(row) => {
                check.log_id = row.text(2)?;
                (row.i64(0)?, row.blob(1)?)
            }
            None => (0, Vec::new()),
        };
        let rows = tx.fetch("SELECT size, root, at, note, key_name FROM audit_checkpoint", args![]).await?;
        for row in &rows {
            let found = checkpoint::from_row(row)?;
            check.checkpoints.insert(found.size, found);
        }
        let total = u64::try_from(head_size).unwrap_or(0);
        let mut after = i64::MIN;
        let mut leaves = 0_i64;
        progress(0, total);
        loop {
            let sql = format!("{COLUMNS} WHERE l.seq > $1 ORDER BY l.seq LIMIT $2");
            let page = tx.fetch(sql, args![after, PAGE]).await?;
            let Some(last) = page.last() else { break };
            after = last.i64(0)?;
            check.page(tx, &page).await?;
            leaves += i64::try_from(page.len()).unwrap_or(PAGE);
            progress(u64::try_from(leaves).unwrap_or(0), total.max(u64::try_from(leaves).unwrap_or(0)));
        }
        check.end(head_size, &head_frontier);
        check.orphans(tx).await?;
        Ok(AuditVerification {
            ok: check.problems.is_empty(),
            leaves,
            root: STANDARD.encode(check.frontier.root()),
            checkpoints: check.confirmed,
            first_bad_seq: check.first_bad,
            problems: check.problems,
            strength,
        })
    }

    fn problem(&mut self, seq: i64, text: impl Into<String>) {
        let seq = seq.max(0);
        self.first_bad = Some(self.first_bad.map_or(seq, |bad| bad.min(seq)));
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text.into());
        }
    }

    /// Something in `from..to` does not hold; if a record of it is known to be bad, that one is the first.
    fn range_problem(&mut self, from: i64, to: i64, text: String) {
        let seq = self.first_bad.filter(|bad| (from..to).contains(bad)).unwrap_or(from);
        self.problem(seq, text);
    }

    async fn page(&mut self, tx: &mut Tx, rows: &[Row]) -> Result<(), StoreError> {
        let mut parsed = Vec::with_capacity(rows.len());
        let mut ids: Vec<Value> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for row in rows {
            let bytes = row.blob(1)?;
            let leaf = Leaf::parse(&bytes);
            for id in leaf.iter().flat_map(|leaf| [&leaf.client.by, &leaf.client.object, &leaf.client.host]) {
                if seen.insert(id.clone()) {
                    ids.push(Value::from(id));
                }
            }
            parsed.push((bytes, leaf));
        }
        let mut names = HashMap::new();
        for row in tx.fetch_in("SELECT id, name FROM audit_name WHERE id IN ", &ids).await? {
            names.insert(row.text(0)?, row.text(1)?);
        }
        for (row, (bytes, leaf)) in rows.iter().zip(parsed) {
            self.row(row, &bytes, leaf, &names)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        row: &Row,
        bytes: &[u8],
        leaf: Option<Leaf>,
        names: &HashMap<String, String>,
    ) -> Result<(), StoreError> {
        let seq = row.i64(0)?;
        if seq != self.next {
            let missing = self.next;
            self.whole = false;
            self.problem(missing.min(seq), format!("record {missing} is missing: the next one is {seq}"));
        }
        self.next = seq.saturating_add(1);
        let hash = leaf_hash(bytes);
        if row.blob(2)?.as_slice() != hash {
            self.problem(seq, format!("record {seq}: the leaf does not have its stored hash"));
        }
        self.frontier.push(hash);
        match leaf {
            None => self.problem(seq, format!("record {seq}: the leaf is not canonical")),
            Some(leaf) => {
                if leaf.seq != seq {
                    self.problem(seq, format!("record {seq}: the leaf says that it is number {}", leaf.seq));
                }
                if leaf.client.log != self.log_id {
                    self.problem(seq, format!("record {seq}: the leaf is of another log"));
                }
                self.facts(seq, &leaf);
                self.beside(seq, row, &leaf, names)?;
            }
        }
        if self.whole {
            self.confirm(self.next);
        }
        Ok(())
    }

    /// Keys, checkpoints and erasures that a leaf tells of.
    fn facts(&mut self, seq: i64, leaf: &Leaf) {
        let fact = |name: &str| leaf.client.facts.get(name).and_then(|value| value.as_str());
        match leaf.client.action.as_str() {
            "key.add" => match fact("vkey").and_then(|text| Some((text, VerifierKey::parse(text)?))) {
                Some((text, key)) => {
                    self.keys.entry(text.to_owned()).or_insert((key, seq));
                }
                None => self.problem(seq, format!("record {seq}: the added key cannot be read")),
            },
            "checkpoint.sign" => {
                let size = leaf.client.facts.get("size").and_then(serde_json::Value::as_i64);
                match (size, fact("root")) {
                    (Some(size), Some(root)) => {
                        self.signed.insert(size, root.to_owned());
                    }
                    _ => self.problem(seq, format!("record {seq}: the checkpoint in it cannot be read")),
                }
            }
            "erasure.done" => {
                if let Some(key) = fact("key") {
                    self.erased.insert(key.to_owned(), seq);
                }
            }
            _ => {}
        }
    }

    /// Search columns, names and payload of a record against its leaf.
    fn beside(
        &mut self,
        seq: i64,
        row: &Row,
        leaf: &Leaf,
        names: &HashMap<String, String>,
    ) -> Result<(), StoreError> {
        let client = &leaf.client;
        let has_columns = row.opt_i64(3)?.is_some();
        let stored = stored_payload(row)?;
        if !has_columns || stored.as_ref().is_none_or(|stored| stored.key.is_none()) {
            self.absent.push((seq, client.key.clone()));
        }
        let mut payload = None;
        if let Some(stored) = stored {
            if stored.key_id != client.key || stored.sealed.commitment() != client.commitment {
                self.problem(
                    seq,
                    format!("record {seq}: the payload is not the one that the leaf commits to"),
                );
            }
            if let Some(key) = stored.key {
                payload = key.open(&stored.sealed);
                if key.check() != client.key_check || payload.is_none() {
                    self.problem(seq, format!("record {seq}: the payload does not open with its key"));
                }
            }
        }
        if let Some(payload) = &payload {
            let fits = |id: &str, name: &str| names.get(id).is_some_and(|known| known == name);
            if !fits(&client.by, &payload.actor)
                || !fits(&client.object, &payload.object)
                || !fits(&client.host, &payload.host)
            {
                self.problem(seq, format!("record {seq}: the names do not fit the payload"));
            }
        }
        if has_columns {
            let same = row.opt_i64(3)? == leaf.micros()
                && row.text(5)? == client.action
                && row.text(7)? == client.permission
                && row.text(8)? == client.outcome
                && match &payload {
                    None => true,
                    Some(payload) => {
                        row.text(4)? == payload.actor
                            && row.text(6)? == payload.object
                            && row.text(9)? == search_text(&client.action, payload)
                    }
                };
            if !same {
                self.problem(
                    seq,
                    format!("record {seq}: the search columns are not those of the leaf and payload"),
                );
            }
        }
        Ok(())
    }

    /// Holds the checkpoint of `size`, if there is one, against the tree so far.
    fn confirm(&mut self, size: i64) {
        let Some(found) = self.checkpoints.get(&size).cloned() else { return };
        let root = STANDARD.encode(self.frontier.root());
        let text = note_text(&self.log_id, size, &found.root);
        let signed = self.keys.values().any(|(key, added)| {
            *added < size && key.name() == found.key_name && key.open(&found.note) == Some(&text)
        });
        if found.root != root {
            let from = self.good;
            self.range_problem(from, size, format!("the checkpoint of size {size} has another root: something in {from}..{size} was rewritten"));
        } else if signed {
            self.good = size;
            self.confirmed += 1;
        } else {
            self.problem(
                size - 1,
                format!("the checkpoint of size {size} does not have a valid signature of a known key"),
            );
        }
    }

    fn end(&mut self, head_size: i64, head_frontier: &[u8]) {
        let found = self.next;
        if found < head_size {
            self.whole = false;
            self.problem(
                found,
                format!("the newest records are missing: {found} are there, the head says {head_size}"),
            );
        } else if found > head_size {
            self.problem(
                head_size,
                format!("records were added behind the log: {found} are there, the head says {head_size}"),
            );
        } else if self.whole && self.frontier.to_bytes() != head_frontier {
            let from = self.good;
            self.range_problem(
                from,
                found,
                format!("the tree is not the one of the head: something in {from}..{found} was rewritten"),
            );
        }
        let beyond: Vec<i64> =
            self.checkpoints.range(found.saturating_add(1)..).map(|(size, _)| *size).collect();
        for size in beyond {
            self.problem(found, format!("there is a checkpoint of size {size}, but only {found} records"));
        }
        for (size, root) in std::mem::take(&mut self.signed) {
            match self.checkpoints.get(&size) {
                None => self.problem(size, format!("the checkpoint of size {size} was removed")),
                Some(kept) if kept.root != root => {
                    self.problem(size, format!("the checkpoint of size {size} is not the one in the log"));
                }
                Some(_) => {}
            }
        }
        for (seq, key) in std::mem::take(&mut self.absent) {
            if self.erased.get(&key).is_none_or(|erasure| *erasure < seq) {
                self.problem(
                    seq,
                    format!("record {seq}: payload, key or search columns are missing without an erasure"),
                );
            }
        }
    }

    /// Rows beside the log that no leaf stands for.
    async fn orphans(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        for table in ["audit_record", "audit_payload"] {
            let sql = format!(
                "SELECT MIN(t.seq) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.seq = t.seq)"
            );
            if let Some(seq) = tx.fetch_one(sql, args![]).await?.opt_i64(0)? {
                self.problem(seq, format!("{table} has a row {seq} without a leaf"));
            }
        }
        Ok(())
    }
}

/// How many checkpoints of `[from, to)` (microseconds) were signed, and those that the present tree does not confirm.
pub(crate) async fn unconfirmed_checkpoints(
    tx: &mut Tx,
    from: i64,
    to: i64,
) -> Result<(Vec<Checkpoint>, Vec<Checkpoint>), StoreError> {
    let rows = tx
        .fetch(
            "SELECT size, root, at, note, key_name FROM audit_checkpoint WHERE at >= $1 AND at < $2 ORDER BY size",
            args![from, to],
        )
        .await?;
    let wanted: Vec<Checkpoint> = rows.iter().map(checkpoint::from_row).collect::<Result<_, _>>()?;
    let mut check = Check { whole: true, ..Check::default() };
    let head = append::log_id_if_any(tx).await?;
    check.log_id = head.unwrap_or_default();
    check.checkpoints = wanted.iter().map(|found| (found.size, found.clone())).collect();
    let last = wanted.last().map_or(0, |found| found.size);
    let mut unconfirmed = Vec::new();
    while check.next < last {
        let page = tx
            .fetch(
                "SELECT seq, leaf FROM audit_leaf WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
                args![check.next, last, PAGE],
            )
            .await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let (seq, bytes) = (row.i64(0)?, row.blob(1)?);
            check.whole &= seq == check.next;
            check.next = seq + 1;
            check.frontier.push(leaf_hash(&bytes));
            if let Some(leaf) = Leaf::parse(&bytes) {
                check.facts(seq, &leaf);
            }
            let before = check.confirmed;
            if check.whole {
                check.confirm(check.next);
            }
            if check.confirmed > before {
                check.checkpoints.remove(&check.next);
            }
        }
    }
    unconfirmed.extend(check.checkpoints.into_values());
    Ok((wanted, unconfirmed))
}
