//! Checking the trail: every leaf, every column and payload beside it, every checkpoint, here and in other places.
//!
//! One consistent read. Whoever rewrites a row together with its leaf hash is found by the first checkpoint that does
//! not fit; then only the range since the checkpoint before can be named, and `first_bad_seq` is its begin.
//!
//! Pages are read by as many connections as look at one moment, checked by themselves at once ([`rows`]), and taken in
//! order, because the tree grows in order.

mod lane;
mod period;
pub(super) mod rows;
pub(super) mod taken;
pub(super) mod times;

pub(crate) use period::unconfirmed_checkpoints;

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use watchpost_model::access::Caller;
use watchpost_model::audit::{
    AuditOutcome, AuditVerification, Change, Checkpoint, EvidenceStrength, LogSeen, LogVerified, OwnFault,
    SetApart,
};
use watchpost_model::record_class::RecordClass;

use crate::audit::apart::{self, Apart};
use crate::audit::checkpoint::{self, note_text};
use crate::audit::holds::{self, Reach};
use crate::audit::keys::{self, Added};
use crate::audit::page::columns_there;
use crate::audit::sign::{VerifierKey, note_signer};
use crate::audit::tree::{Frontier, Hash};
use crate::audit::verify::lane::{PAGE, read_lane};
use crate::audit::verify::rows::{Checked, Fact};
use crate::audit::verify::taken::TakenRanges;
use crate::audit::verify::times::Times;
use crate::audit::witness::{KeptNote, seen_of};
use crate::audit::{own_draft, stamp, tile};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::pulse::{ReadOnly, read_only, read_only_for_all};
use crate::snapshot::Reading;
use crate::store::Store;

/// Pages of a lane that may wait to be taken.
const AHEAD: usize = 4;
/// Problems told at most; the first bad number is always right.
const PROBLEMS_MAX: usize = 50;

/// What is checked, and what is known from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct VerifyPlan {
    /// Continue after this instead of reading everything: what was found good before, kept outside the database.
    pub from: Option<LogVerified>,
    /// Checkpoints that were found outside the database; the log must have had these roots.
    pub kept: Vec<KeptNote>,
    /// What was found already, each with the first record that it is about.
    pub found: Vec<(i64, String)>,
    /// What was found of which no first record can be told.
    pub vague: Vec<String>,
    /// Whether checkpoints are kept outside the database, and how many consoles signed for what they saw.
    pub strength: Option<EvidenceStrength>,
    /// Consoles with keys of their own that signed.
    pub witnesses: u32,
}

impl Store {
    /// Checks the trail by a plan and records that it was checked, by `caller`; a server that takes changes of nobody has no
    /// record of it, and the answer says so.
    ///
    /// `progress` gets leaves done and leaves in all, and stops the check by answering `false`. Cost: one pass.
    ///
    /// # Errors
    /// `Cancelled`; what the database says. A trail that does not hold is an answer, not an error; its `from` is not 0 where
    /// all of it fits together, and not to what an earlier check saw.
    pub async fn audit_verify(
        &self,
        caller: &Caller,
        mut plan: VerifyPlan,
        progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
    ) -> Result<AuditVerification, StoreError> {
        let own = match self.signer() {
            Some(signer) if !signer.is_session() => EvidenceStrength::LocalOnly,
            _ => EvidenceStrength::SessionKey,
        };
        let strength = plan.strength.unwrap_or(own);
        let look = self.snapshot().await?;
        plan.found.extend(stamp::bad(&mut *look.read().await?).await?);
        plan.found.extend(holds::unlike_trail(&mut *look.read().await?, Reach::Columns).await?);
        // Whatever does not fit is worth reading everything.
        plan.from = plan.from.filter(|_| plan.found.is_empty() && plan.vague.is_empty());
        let mut result = Box::pin(Check::run(&look, plan.clone(), strength, progress)).await?;
        if !result.ok && result.from > 0 {
            plan.from = None;
            let part =
                std::mem::replace(&mut result, Box::pin(Check::run(&look, plan, strength, progress)).await?);
            if result.ok {
                // The log fits together, and not to what an earlier check saw of it: it was written anew, or that memory
                // was. `from` says where that is, and is 0 of all else that does not hold.
                result = AuditVerification { leaves: result.leaves, ..part };
            }
        }
        result.stamp = stamp::newest(&mut *look.read().await?, result.leaves).await?.map(|kept| kept.stamp);
        drop(look);
        let mut draft = own_draft("audit_verify", "", self.inner.clock.now());
        draft.caller = caller.clone();
        draft.outcome = if result.ok { AuditOutcome::Success } else { AuditOutcome::Failure };
        draft.reason = result.problems.first().cloned();
        draft.changes = vec![
            Change::new("leaves", serde_json::Value::Null, result.leaves),
            Change::new("from", serde_json::Value::Null, result.from),
            Change::new("checkpoints", serde_json::Value::Null, result.checkpoints),
            Change::new("root", serde_json::Value::Null, result.root.clone()),
        ];
        if let Err(error) = self.audit_append(draft).await {
            result.unrecorded = matches!(error, StoreError::ReadOnly(_)) && self.takes_no_changes().await;
            // A trail whose head cannot be read takes no more records; the answer is still worth having.
            match (result.unrecorded, result.ok) {
                (true, _) => {}
                (false, true) => return Err(error),
                (false, false) => {
                    tracing::error!(%error, "could not record that the audit trail failed its check");
                }
            }
        }
        Ok(result)
    }

    /// Does the server take changes of nobody? Where it only does not take those of this login a check has to be recorded.
    async fn takes_no_changes(&self) -> bool {
        let Ok(mut look) = self.read().await else { return false };
        matches!(read_only_for_all(&mut look).await, Ok(true))
    }
}

/// Checks a trail whole and records nothing: of a copy.
pub(crate) async fn whole(
    look: &Store,
    progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
) -> Result<AuditVerification, StoreError> {
    Check::run(look, VerifyPlan::default(), EvidenceStrength::LocalOnly, progress).await
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
    /// Checkpoints outside the database, by size.
    kept: BTreeMap<i64, Vec<KeptNote>>,
    /// Keys by their text, with the number of their `key.add`.
    keys: HashMap<String, (VerifierKey, i64)>,
    /// Those that count no more, with the number of their `key.revoke`.
    revoked: HashMap<String, i64>,
    /// Newest checkpoint that holds.
    good: i64,
    confirmed: i64,
    /// Size, root and time that the `checkpoint.sign` leaves tell of.
    signed: BTreeMap<i64, (String, Option<i64>)>,
    /// Records without payload or columns, with the key that they were sealed under.
    absent: Vec<(i64, String)>,
    /// Keys that were erased, with the number of the erasure.
    erased: HashMap<String, i64>,
    /// Records whose content was erased, by number.
    erased_records: TakenRanges,
    /// Erasures that explain what is absent, each with how many records it explains.
    explained: BTreeMap<i64, u64>,
    /// Those of them that were the retention of a class.
    classes: BTreeMap<i64, RecordClass>,
    /// What records say is set apart, and what of that was come across.
    apart: Apart,
    set_apart: Vec<SetApart>,
    /// Problems of records by their own writers, that no record sets apart.
    own_faults: Vec<OwnFault>,
    times: Times,
}

impl Check {
    async fn run(
        look: &Store,
        plan: VerifyPlan,
        strength: EvidenceStrength,
        progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
    ) -> Result<AuditVerification, StoreError> {
        let mut tx = look.read().await?;
        let (mut check, head_size, head_frontier) = Self::begin(&mut tx, &plan).await?;
        let from = check.next;
        let total = head_size.max(0).unsigned_abs();
        let columns = columns_there(&mut tx).await?;
        let mut lanes = vec![tx];
        while lanes.len() < look.lanes() {
            lanes.push(look.read().await?);
        }
        check.pages(lanes, &columns, head_size, &|done| progress(done, total)).await?;
        let mut tx = look.read().await?;
        check.beyond(&mut tx, from, head_size).await?;
        check.end(head_size, &head_frontier);
        for (seq, problem) in plan.found {
            check.problem(seq, problem);
        }
        check.problems.extend(plan.vague);
        let ok = check.problems.is_empty();
        let now = look.inner.clock.now();
        // One of just this size is held against the tree again by whoever goes on from here.
        let older = check.confirmed - i64::from(check.checkpoints.contains_key(&check.next));
        let verified = ok.then(|| LogVerified {
            checkpoints: older,
            seen: seen_of(check.log_id.clone(), &check.frontier, now),
            full_at: plan.from.filter(|_| from > 0).map_or(now, |before| before.full_at),
            keys: check.keys.iter().map(|(text, (_, seq))| (text.clone(), *seq)).collect(),
            revoked: check.revoked.iter().map(|(text, seq)| (text.clone(), *seq)).collect(),
        });
        Ok(AuditVerification {
            ok,
            leaves: check.next,
            from,
            root: STANDARD.encode(check.frontier.root()),
            checkpoints: check.confirmed,
            first_bad_seq: check.first_bad,
            first_bad_tile: check.first_bad.filter(|seq| *seq < check.next).map(tile::of_record),
            erased: check.taken(),
            set_apart: check.set_apart,
            own_faults: check.own_faults,
            altered: Vec::new(),
            problems: check.problems,
            warnings: check.times.warnings(),
            strength,
            witnesses: plan.witnesses,
            stamp: None,
            unrecorded: false,
            verified,
        })
    }

    /// The state at the begin, the size of the head, and its frontier as it is stored.
    async fn begin(tx: &mut Tx, plan: &VerifyPlan) -> Result<(Self, i64, Vec<u8>), StoreError> {
        let mut check = Self { whole: true, apart: Apart::read(tx).await?, ..Self::default() };
        let head =
            tx.fetch_optional("SELECT size, frontier, log_id FROM audit_head WHERE id = 1", args![]).await?;
        let (head_size, head_frontier) = match head {
            Some(row) => {
                check.log_id = row.text(2)?;
                (row.i64(0)?, row.blob(1)?)
            }
            None => (0, Vec::new()),
        };
        for row in tx.fetch("SELECT size, root, at, note, key_name FROM audit_checkpoint", args![]).await? {
            let found = checkpoint::from_row(&row)?;
            check.checkpoints.insert(found.size, found);
        }
        // A standby may get what it lacks before it takes changes.
        let end = match read_only(tx).await? {
            Some(ReadOnly::Standby) => head_size,
            Some(ReadOnly::Setting | ReadOnly::NoStandby) | None => i64::MAX,
        };
        for kept in &plan.kept {
            let of_this = kept.says().filter(|says| says.log.as_ref() == Some(&check.log_id));
            if let Some(says) = of_this.filter(|says| says.size <= end) {
                check.kept.entry(says.size).or_default().push(kept.clone());
            }
        }
        if let Some(before) = &plan.from
            && before.seen.log == check.log_id
            && before.seen.size <= head_size
            && check.kept_before(&before.seen)
        {
            check.resume(before)?;
        }
        Ok((check, head_size, head_frontier))
    }

    /// Is every checkpoint that is kept elsewhere and lies before `seen` one of the log's own? Else its root has to be
    /// computed from the first leaf on.
    fn kept_before(&self, seen: &LogSeen) -> bool {
        let mut older = self.kept.range(..seen.size);
        older.all(|(size, kept)| {
            let own = self.checkpoints.get(size).map(|own| own.root.as_str());
            kept.iter().all(|note| note.says().is_some_and(|says| own == Some(says.root.as_str())))
        })
    }

    fn resume(&mut self, before: &LogVerified) -> Result<(), StoreError> {
        self.frontier = Frontier::from_hex(before.seen.size, &before.seen.frontier)?;
        (self.next, self.good) = (before.seen.size, before.seen.size);
        for (text, seq) in &before.keys {
            let key = VerifierKey::parse(text)
                .ok_or_else(|| StoreError::Corrupt("a remembered key of the audit trail".to_owned()))?;
            self.keys.insert(text.clone(), (key, *seq));
        }
        self.revoked = before.revoked.iter().cloned().collect();
        // What lies before was held against the tree then, and the tree is the same one.
        self.confirmed = before.checkpoints;
        self.checkpoints.retain(|size, _| *size >= before.seen.size);
        self.kept.retain(|size, _| *size >= before.seen.size);
        self.confirm(before.seen.size);
        Ok(())
    }

    /// Reads the leaves up to `end` and takes them in order.
    async fn pages(
        &mut self,
        lanes: Vec<Reading>,
        columns: &str,
        end: i64,
        progress: &(dyn Fn(u64) -> bool + Send + Sync),
    ) -> Result<(), StoreError> {
        let mut tasks = JoinSet::new();
        let (start, step) = (self.next, PAGE * i64::try_from(lanes.len()).unwrap_or(1));
        let mut queues = Vec::with_capacity(lanes.len());
        for (lane, tx) in lanes.into_iter().enumerate() {
            let (send, receive) = mpsc::channel(AHEAD);
            queues.push(receive);
            let first = start + PAGE * i64::try_from(lane).unwrap_or(0);
            let columns = columns.to_owned();
            tasks.spawn(read_lane(tx, columns, first, step, end, self.log_id.clone(), send));
        }
        let mut done = start.unsigned_abs();
        if !progress(done) {
            return Err(StoreError::Cancelled);
        }
        'reading: loop {
            for queue in &mut queues {
                let Some(pending) = queue.recv().await else { break 'reading };
                let page = pending.await.map_err(|_| {
                    StoreError::Corrupt("a page of the audit trail was not checked".to_owned())
                })?;
                for record in page? {
                    self.take(record);
                    done += 1;
                }
                if !progress(done) {
                    return Err(StoreError::Cancelled);
                }
            }
        }
        // A lane that failed sent its error as its last page; what is left has ended.
        while tasks.join_next().await.is_some() {}
        Ok(())
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

    fn take(&mut self, record: Checked) {
        let seq = record.seq;
        if seq != self.next {
            let missing = self.next;
            self.whole = false;
            self.problem(missing.min(seq), format!("record {missing} is missing: the next one is {seq}"));
        }
        self.next = seq.saturating_add(1);
        self.frontier.push(record.hash);
        let was_altered = !record.problems.is_empty();
        self.fits_though_apart(&record);
        let excuses: Vec<Option<i64>> =
            record.doubts.iter().map(|(what, _)| self.apart.excuses(&record, what)).collect();
        for problem in record.problems {
            self.problem(seq, format!("record {seq}: {problem}"));
        }
        for ((_, doubt), by) in record.doubts.iter().zip(excuses) {
            self.doubt(seq, by, format!("record {seq}: {doubt}"));
        }
        if let Some(at) = record.at {
            let is_purge = matches!(record.fact, Some(Fact::Erased { class: Some(_), .. }));
            self.times.take(seq, at, is_purge);
        }
        if let Some(fact) = record.fact {
            self.fact(seq, record.hash, fact);
        }
        if was_altered {
            // Not by its writer: it cannot be set apart.
            self.own_faults.retain(|fault| fault.record != seq);
        }
        if let Some(key) = record.absent {
            self.absent.push((seq, key));
        }
        if self.whole {
            self.confirm(self.next);
        }
    }

    fn fact(&mut self, seq: i64, hash: Hash, fact: Fact) {
        match fact {
            Fact::Key(added) => self.key(seq, hash, *added),
            Fact::Revoked(vkey) => {
                if self.keys.contains_key(&vkey) {
                    self.revoked.entry(vkey).or_insert(seq);
                } else {
                    let text = format!("record {seq} revokes a key that the log does not know");
                    self.doubt(seq, self.apart.by(seq, hash, apart::KEY), text);
                }
            }
            Fact::Checkpoint { size, root, at } => {
                self.signed.insert(size, (root, at));
            }
            Fact::Erased { key, records, class } => {
                self.classes.extend(class.map(|class| (seq, class)));
                self.erased.extend(key.map(|key| (key, seq)));
                for (from, to) in records {
                    self.erased_records.take(from, to, seq);
                }
            }
        }
    }

    /// Takes a key into the list; one that takes the place of another must bring its signature.
    fn key(&mut self, seq: i64, hash: Hash, added: Added) {
        let Added { vkey, key, after } = added;
        if let Some((before, proof)) = after {
            let before_name = before.split('+').next().unwrap_or_default().to_owned();
            let is_good = self.keys.contains_key(&before) && !self.revoked.contains_key(&before);
            if !is_good || !keys::vouches(&before, &proof, &self.log_id, &vkey) {
                let text =
                    format!("record {seq}: the key {before_name} does not vouch for the key {}", key.name());
                self.doubt(seq, self.apart.by(seq, hash, apart::KEY), text);
                return;
            }
        }
        self.keys.entry(vkey).or_insert((key, seq));
    }

    /// Did a key that the log knew at `size`, and had not revoked, sign `note`, saying `root`?
    fn is_signed(&self, note: &str, size: i64, root: &str, by: Option<&str>) -> bool {
        self.signature(note, size, root, by).is_ok()
    }

    /// The same with what is wrong about it, naming the key.
    fn signature(&self, note: &str, size: i64, root: &str, by: Option<&str>) -> Result<(), String> {
        let text = note_text(&self.log_id, size, root);
        let name = by.map_or_else(|| note_signer(note).to_owned(), str::to_owned);
        let mut wrong = match name.as_str() {
            "" => "has no signature".to_owned(),
            name => format!("is signed by {name}, a key that the log does not know"),
        };
        for (vkey, (key, added)) in &self.keys {
            if by.is_some_and(|name| key.name() != name) {
                continue;
            }
            if key.open(note) != Some(&text) {
                if key.name() == name {
                    wrong = format!("does not have a valid signature of the key {name}");
                }
                continue;
            }
            match self.revoked.get(vkey) {
                _ if *added >= size => {
                    wrong = format!("is signed by {name}, a key that the log did not know by then");
                }
                Some(record) if *record < size => {
                    wrong = format!("is signed by {name}, which was revoked by record {record}");
                }
                _ => return Ok(()),
            }
        }
        Err(wrong)
    }

    /// Holds the checkpoints of `size`, if there are any, against the tree so far.
    fn confirm(&mut self, size: i64) {
        let root = self.checkpoints.contains_key(&size) || self.kept.contains_key(&size);
        let root = if root { STANDARD.encode(self.frontier.root()) } else { return };
        for note in self.kept.remove(&size).unwrap_or_default() {
            let Some(says) = note.says().filter(|says| says.root != root) else { continue };
            let signed = self.is_signed(&note.note, size, &says.root, None);
            let who = if signed { "signed by a key of this log" } else { "not signed by a key of this log" };
            let from = self.good;
            self.range_problem(from, size, format!("{} has a checkpoint of size {size} with another root, {who}: something in {from}..{size} was rewritten", note.place));
        }
        let Some(found) = self.checkpoints.get(&size).cloned() else { return };
        if found.root != root {
            let from = self.good;
            self.range_problem(from, size, format!("the checkpoint of size {size} has another root: something in {from}..{size} was rewritten"));
        } else {
            match self.signature(&found.note, size, &found.root, Some(&found.key_name)) {
                Ok(()) => {
                    self.good = size;
                    self.confirmed += 1;
                }
                Err(wrong) => self.problem(size - 1, format!("the checkpoint of size {size} {wrong}")),
            }
        }
    }

    /// What is there that should not be: leaves outside of the log, rows that no leaf stands for.
    async fn beyond(&mut self, tx: &mut Tx, from: i64, head_size: i64) -> Result<(), StoreError> {
        for row in tx
            .fetch("SELECT MIN(seq), COUNT(*) FROM audit_leaf WHERE seq < 0 OR seq >= $1", args![head_size])
            .await?
        {
            if let Some(seq) = row.opt_i64(0)? {
                let more = row.i64(1)?;
                self.problem(
                    seq.min(head_size),
                    format!("records were added behind the log: {more} beyond the {head_size} of the head"),
                );
            }
        }
        for table in ["audit_record", "audit_payload"] {
            let sql = format!(
                "SELECT MIN(t.seq) FROM {table} t WHERE (t.seq >= $1 OR t.seq < 0) AND NOT EXISTS \
                 (SELECT 1 FROM audit_leaf l WHERE l.seq = t.seq)"
            );
            if let Some(seq) = tx.fetch_one(sql, args![from]).await?.opt_i64(0)? {
                self.problem(seq, format!("{table} has a row {seq} without a leaf"));
            }
        }
        Ok(())
    }

    fn end(&mut self, head_size: i64, head_frontier: &[u8]) {
        let found = self.next;
        if found < head_size {
            self.whole = false;
            self.problem(
                found,
                format!("the newest records are missing: {found} are there, the head says {head_size}"),
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
        let beyond: Vec<(i64, String)> = self
            .kept
            .range(found.saturating_add(1)..)
            .flat_map(|(size, kept)| kept.iter().map(|note| (*size, note.place.clone())))
            .collect();
        for (size, place) in beyond {
            self.problem(
                found,
                format!("the log was rolled back: {place} has a checkpoint of size {size}, but there are only {found} records"),
            );
        }
        for (size, (root, at)) in std::mem::take(&mut self.signed) {
            match self.checkpoints.get(&size) {
                None => self.problem(size, format!("the checkpoint of size {size} was removed")),
                Some(kept) if kept.root != root || at != Some(kept.at.timestamp_micros()) => {
                    self.problem(size, format!("the checkpoint of size {size} is not the one in the log"));
                }
                Some(_) => {}
            }
        }
        for (seq, key) in std::mem::take(&mut self.absent) {
            let by_key = self.erased.get(&key).copied().filter(|erasure| *erasure > seq);
            match self.erased_records.by(seq).or(by_key) {
                Some(erasure) => *self.explained.entry(erasure).or_default() += 1,
                None => self.problem(
                    seq,
                    format!("record {seq}: payload, key or search columns are missing without an erasure"),
                ),
            }
        }
    }
}
