//! What applications enforce for a time because a key in Redis says so: blocks and containments.
//!
//! Whatever changes such a key, the intent stands in the audit trail before Redis is told, and the outcome after. A crash
//! in between leaves an intent that says so, never an effect that nobody recorded.

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_model::block::{Block, BlockState};
use watchpost_model::contain::Containment;
use watchpost_model::text::visible;
use watchpost_redis::{BlockRemoved, BlockWritten, ContainRemoved, ContainWritten, EventStore, RedisError};
use watchpost_store::{Store, StoreError};

use crate::console::Workspace;
use crate::door::{Context, failed_by};
use crate::engine::engine_caller;
use crate::error::{ErrorCode, OpError};

/// How long one lasts, in seconds: at least a minute and at most a year.
pub(crate) const TTL_S: std::ops::RangeInclusive<u64> = 60..=31_536_000;

/// Most that are looked at when Redis comes back.
pub(crate) const RESTORED_MAX: u32 = 100_000;

/// How long something still lasts, in its two largest units: what everybody reads alike, whatever their zone.
pub(crate) fn time_left(until: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let left = (until - now).max(chrono::Duration::zero());
    let (days, hours, minutes) = (left.num_days(), left.num_hours() % 24, left.num_minutes() % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// What Redis did with one.
pub(crate) enum Written {
    /// It is in force.
    Ours,
    /// One that lasts longer was kept: milliseconds that it has left, `None` if it never ends.
    KeptLonger { ttl_ms: Option<u64> },
    /// Its time was over before it was written.
    AlreadyOver,
}

/// A row of the database with a key in Redis.
pub(crate) trait Enforced: Sized + Send + Sync {
    /// What people call it.
    const WORD: &'static str;
    /// What the actions of the trail begin with.
    const ACTION: &'static str;

    /// The resource in the trail.
    fn object(&self) -> String;
    /// What it is about, for people.
    fn shown(&self) -> String;
    fn reason(&self) -> &str;
    fn state(&self) -> BlockState;
    fn ends_at(&self) -> DateTime<Utc>;

    /// Tells the number of the record.
    fn insert(
        &self,
        store: &Store,
        begun: AuditDraft,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;
    fn state_set(
        &self,
        store: &Store,
        state: BlockState,
        by: Option<&str>,
        record: AuditDraft,
    ) -> impl Future<Output = Result<Self, StoreError>> + Send;
    fn pending(
        store: &Store,
        before: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;
    fn active(store: &Store) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;
    fn due(store: &Store, now: DateTime<Utc>) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    fn put(&self, events: &EventStore) -> impl Future<Output = Result<Written, RedisError>> + Send;
    /// Tells what else holds the target in Redis and was left.
    fn take_back(
        &self,
        events: &EventStore,
    ) -> impl Future<Output = Result<Option<String>, RedisError>> + Send;
    fn is_in_redis(&self, events: &EventStore) -> impl Future<Output = Result<bool, RedisError>> + Send;
}

/// Puts one in force: the row with the intent, Redis, the row with the outcome. A shorter one of the same target holds
/// until Redis has the new one; the store ends it with the row that says so.
pub(crate) async fn begin<E: Enforced>(
    cx: &Context,
    workspace: &Workspace,
    planned: E,
) -> Result<E, OpError> {
    let events = workspace.events()?;
    let store = workspace.store();
    let reason = planned.reason().to_owned();
    let begun = cx.record_as(AuditOutcome::Started, planned.object(), Vec::new(), Some(reason));
    let begun = planned.insert(store, begun).await?;
    let put = put(&events, &planned).await;
    let changes = put.changes(&planned, Some(begun));
    let ended = cx.record_as(put.outcome(), planned.object(), changes, Some(put.reason(&planned)));
    let made = planned.state_set(store, put.state(), None, ended).await?;
    if let Put::Failed { why } = put {
        let message = format!("the {} was not written to Redis: {why}", E::WORD);
        return Err(OpError::new(ErrorCode::Unavailable, message)
            .hint("the application is not told of it; try again when Redis answers"));
    }
    Ok(made)
}

/// Ends one early. When Redis does not answer it stays in force, and the trail says that somebody tried.
pub(crate) async fn end<E: Enforced>(
    cx: &Context,
    workspace: &Workspace,
    enforced: E,
    reason: String,
) -> Result<E, OpError> {
    match enforced.state() {
        BlockState::Active | BlockState::Pending | BlockState::Failed => {}
        state @ (BlockState::Expired | BlockState::Removed) => {
            return Err(OpError::precondition(format!(
                "the {} of {} is {state} already: there is nothing to take back",
                E::WORD,
                enforced.shown()
            )));
        }
    }
    let events = workspace.events()?;
    let record = |outcome, changes| cx.record_as(outcome, enforced.object(), changes, Some(reason.clone()));
    let begun = workspace.store().audit_append(record(AuditOutcome::Started, Vec::new())).await?;
    // What fails here is recorded by the door.
    if let Some(holder) = enforced.take_back(&events).await?
        && enforced.state() != BlockState::Failed
    {
        return Err(OpError::precondition(format!(
            "{} stays as it is: Redis holds {holder} of it, which is not this one",
            enforced.shown()
        ))
        .hint("take that one back first, or delete its key in Redis if nothing here wrote it"));
    }
    let ended = record(AuditOutcome::Success, vec![begun_by(begun)]);
    Ok(enforced.state_set(workspace.store(), BlockState::Removed, Some(&cx.caller.name), ended).await?)
}

/// What came of writing one to Redis.
enum Put {
    /// It is in force; what else there is to say.
    Done { note: Option<String> },
    /// It is not.
    Failed { why: String },
}

impl Put {
    fn state(&self) -> BlockState {
        match self {
            Self::Done { .. } => BlockState::Active,
            Self::Failed { .. } => BlockState::Failed,
        }
    }

    fn outcome(&self) -> AuditOutcome {
        match self {
            Self::Done { .. } => AuditOutcome::Success,
            Self::Failed { .. } => AuditOutcome::Failure,
        }
    }

    /// The reason for the record: the one of what was to be enforced.
    fn reason<E: Enforced>(&self, enforced: &E) -> String {
        match self {
            Self::Done { note: Some(note) } => format!("{} ({note})", enforced.reason()),
            Self::Done { note: None } | Self::Failed { .. } => enforced.reason().to_owned(),
        }
    }

    /// What the record names: what went wrong, how long it lasts, and the record that it was begun by, if that is known.
    fn changes<E: Enforced>(&self, enforced: &E, begun: Option<i64>) -> Vec<Change> {
        let error = match self {
            Self::Done { .. } => None,
            Self::Failed { why } => Some(failed_by(why)),
        };
        let until = Change::new("expires_at", Value::Null, enforced.ends_at().to_rfc3339());
        error.into_iter().chain([until]).chain(begun.map(begun_by)).collect()
    }
}

/// The record of the intent, in the record of what came of it.
fn begun_by(record: i64) -> Change {
    Change::new("begun_by_record", Value::Null, record)
}

/// Writes one to Redis.
async fn put<E: Enforced>(events: &EventStore, enforced: &E) -> Put {
    match enforced.put(events).await {
        Ok(Written::Ours) => Put::Done { note: None },
        Ok(Written::KeptLonger { ttl_ms }) => {
            let left =
                ttl_ms.map_or_else(|| "without end".to_owned(), |ms| format!("for {} s more", ms / 1_000));
            Put::Done { note: Some(format!("Redis has a longer one, {left}")) }
        }
        Ok(Written::AlreadyOver) => Put::Failed { why: "its time was over before it was written".to_owned() },
        Err(error) => Put::Failed { why: error.to_string() },
    }
}

/// Finishes what a crash left between the database and Redis and was begun before `before`; tells how many. Writing one
/// again is harmless. While Redis does not answer they stay as they are.
pub(crate) async fn finish_pending<E: Enforced>(
    cx: &Context,
    before: DateTime<Utc>,
) -> Result<usize, OpError> {
    let workspace = cx.workspace()?;
    let mut finished = 0;
    for pending in E::pending(workspace.store(), before).await? {
        if finish(cx, &workspace, &pending).await? != BlockState::Pending {
            finished += 1;
        }
    }
    Ok(finished)
}

/// Finishes one such; `Pending` if Redis does not answer. Its intent is recorded already.
pub(crate) async fn finish<E: Enforced>(
    cx: &Context,
    workspace: &Workspace,
    pending: &E,
) -> Result<BlockState, OpError> {
    let events = workspace.events()?;
    if events.ping().await.is_err() {
        return Ok(BlockState::Pending);
    }
    let put = put(&events, pending).await;
    let why = format!("finished what a crash interrupted: {}", put.reason(pending));
    let ended = cx.record_as(put.outcome(), pending.object(), put.changes(pending, None), Some(why));
    pending.state_set(workspace.store(), put.state(), None, ended).await?;
    Ok(put.state())
}

/// What a look for losses of Redis came to.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// What is in force again.
    pub(crate) written: usize,
    /// What Redis would not take.
    pub(crate) failed: usize,
}

/// Writes again what is in force and Redis has lost: it came back without its data.
///
/// # Errors
/// When Redis cannot say what it has: then the rest was not looked at.
pub(crate) async fn restore<E: Enforced>(workspace: &Workspace) -> Result<Restored, OpError> {
    let events = workspace.events()?;
    let mut restored = Restored::default();
    for lost in E::active(workspace.store()).await? {
        if lost.ends_at() <= workspace.now() || lost.is_in_redis(&events).await? {
            continue;
        }
        let record =
            |outcome, reason: String| upkeep_record::<E>("restore", outcome, &lost, reason, workspace);
        let begun = record(AuditOutcome::Started, "Redis came back without it".to_owned());
        let begun = workspace.store().audit_append(begun).await?;
        let put = put(&events, &lost).await;
        let mut ended = record(put.outcome(), put.reason(&lost));
        ended.changes = put.changes(&lost, Some(begun));
        workspace.store().audit_append(ended).await?;
        if put.state() == BlockState::Active { restored.written += 1 } else { restored.failed += 1 }
    }
    Ok(restored)
}

/// Marks what ran out; Redis forgets it by itself. Tells how many.
pub(crate) async fn expire<E: Enforced>(workspace: &Workspace) -> Result<usize, OpError> {
    let due = E::due(workspace.store(), workspace.now()).await?;
    for over in &due {
        let reason = "its time ran out".to_owned();
        let record = upkeep_record::<E>("expire", AuditOutcome::Success, over, reason, workspace);
        if let Err(problem) = over.state_set(workspace.store(), BlockState::Expired, None, record).await {
            tracing::warn!(%problem, object = over.object(), "what ran out was not marked");
        }
    }
    Ok(due.len())
}

/// The record of what the console does by itself.
fn upkeep_record<E: Enforced>(
    what: &str,
    outcome: AuditOutcome,
    enforced: &E,
    reason: String,
    workspace: &Workspace,
) -> AuditDraft {
    AuditDraft {
        caller: engine_caller(),
        action: format!("{}_{what}", E::ACTION),
        object: enforced.object(),
        permission: Permission::Contain,
        outcome,
        changes: Vec::new(),
        reason: Some(reason),
        at: workspace.now(),
        risk: 0,
    }
}

impl Enforced for Block {
    const WORD: &'static str = "block";
    const ACTION: &'static str = "block";

    fn object(&self) -> String {
        format!("block/{}", self.target)
    }
    fn shown(&self) -> String {
        self.target.to_string()
    }
    fn reason(&self) -> &str {
        &self.reason
    }
    fn state(&self) -> BlockState {
        self.state
    }
    fn ends_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    async fn insert(&self, store: &Store, begun: AuditDraft) -> Result<i64, StoreError> {
        store.block_insert(self, begun).await
    }
    async fn state_set(
        &self,
        store: &Store,
        state: BlockState,
        by: Option<&str>,
        record: AuditDraft,
    ) -> Result<Self, StoreError> {
        store.block_state_set(self.id, state, by, record).await
    }
    async fn pending(store: &Store, before: DateTime<Utc>) -> Result<Vec<Self>, StoreError> {
        store.blocks_pending(before).await
    }
    async fn active(store: &Store) -> Result<Vec<Self>, StoreError> {
        store.block_page(&[BlockState::Active], RESTORED_MAX).await
    }
    async fn due(store: &Store, now: DateTime<Utc>) -> Result<Vec<Self>, StoreError> {
        store.blocks_due_to_expire(now).await
    }

    async fn put(&self, events: &EventStore) -> Result<Written, RedisError> {
        Ok(match events.put_block(self).await? {
            BlockWritten::Written { .. } => Written::Ours,
            BlockWritten::KeptLonger { ttl_ms, .. } => Written::KeptLonger { ttl_ms },
            BlockWritten::AlreadyOver => Written::AlreadyOver,
        })
    }
    async fn take_back(&self, events: &EventStore) -> Result<Option<String>, RedisError> {
        Ok(match events.remove_block(self).await? {
            BlockRemoved::Removed | BlockRemoved::Gone => None,
            BlockRemoved::Replaced { by: Some(id) } => Some(format!("block {id}")),
            BlockRemoved::Replaced { by: None } => Some("a block that Watchpost did not write".to_owned()),
        })
    }
    async fn is_in_redis(&self, events: &EventStore) -> Result<bool, RedisError> {
        Ok(events.block_ttl_ms(self.target).await?.is_some())
    }
}

impl Enforced for Containment {
    const WORD: &'static str = "containment";
    const ACTION: &'static str = "contain";

    fn object(&self) -> String {
        format!("contain/{}:{}", self.kind, self.target)
    }
    fn shown(&self) -> String {
        format!("{} {}", self.kind, visible(&self.target, 100))
    }
    fn reason(&self) -> &str {
        &self.reason
    }
    fn state(&self) -> BlockState {
        self.state
    }
    fn ends_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    async fn insert(&self, store: &Store, begun: AuditDraft) -> Result<i64, StoreError> {
        store.containment_insert(self, begun).await
    }
    async fn state_set(
        &self,
        store: &Store,
        state: BlockState,
        by: Option<&str>,
        record: AuditDraft,
    ) -> Result<Self, StoreError> {
        store.containment_state_set(self.id, state, by, record).await
    }
    async fn pending(store: &Store, before: DateTime<Utc>) -> Result<Vec<Self>, StoreError> {
        store.containments_pending(before).await
    }
    async fn active(store: &Store) -> Result<Vec<Self>, StoreError> {
        store.containment_page(&[], &[BlockState::Active], RESTORED_MAX).await
    }
    async fn due(store: &Store, now: DateTime<Utc>) -> Result<Vec<Self>, StoreError> {
        store.containments_due_to_expire(now).await
    }

    async fn put(&self, events: &EventStore) -> Result<Written, RedisError> {
        Ok(match events.put_containment(self).await? {
            ContainWritten::Written { .. } => Written::Ours,
            ContainWritten::KeptLonger { ttl_ms } => Written::KeptLonger { ttl_ms },
            ContainWritten::AlreadyOver => Written::AlreadyOver,
        })
    }
    async fn take_back(&self, events: &EventStore) -> Result<Option<String>, RedisError> {
        Ok(match events.remove_containment(self).await? {
            ContainRemoved::Removed | ContainRemoved::Gone => None,
            ContainRemoved::Replaced => Some("another containment".to_owned()),
        })
    }
    async fn is_in_redis(&self, events: &EventStore) -> Result<bool, RedisError> {
        Ok(events.containment_ttl_ms(self.kind, &self.target).await?.is_some())
    }
}
