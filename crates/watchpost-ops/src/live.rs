//! What a window hears without asking: batches that say what became stale, how the workspace is, and how jobs get on.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use ts_rs::TS;
use watchpost_model::access::{Caller, Origin};
use watchpost_model::job::JobRun;

use crate::console::Console;
use crate::contract::{Tag, WorkspaceStatus};

/// The shortest time between two batches.
const PACE: Duration = Duration::from_millis(250);
/// The longest for a page: a batch without changes still tells that the console is alive and how old what it shows is.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// One batch; at most four a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LiveBatch {
    /// Counts up by one; a gap means that a batch was lost and everything should be fetched again.
    pub seq: u64,
    /// What became stale.
    pub changed: Vec<Tag>,
    /// How the workspace is.
    pub status: WorkspaceStatus,
    /// Jobs that run, and those that ended since the last batch.
    pub jobs: Vec<JobRun>,
    /// The window is locked: nothing of the workspace is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub locked: bool,
}

/// The feed of one window: ask for the next batch as long as the window is there.
pub struct LiveFeed {
    console: Console,
    caller: Caller,
    changes: broadcast::Receiver<BTreeSet<Tag>>,
    seq: u64,
    jobs_before: Vec<JobRun>,
    /// What the first batch calls stale.
    stale_at_first: &'static [Tag],
    heartbeat: Duration,
}

impl LiveFeed {
    /// A feed that begins with everything stale.
    #[must_use]
    pub fn new(console: &Console, caller: Caller) -> Self {
        Self {
            console: console.clone(),
            caller,
            changes: console.changes(),
            seq: 0,
            jobs_before: Vec::new(),
            stale_at_first: Tag::ALL,
            heartbeat: HEARTBEAT,
        }
    }

    /// The feed of a page that begins: it asks for what it shows after this, so nothing of it is stale yet.
    #[must_use]
    pub fn of_page(console: &Console, caller: Caller) -> Self {
        Self { stale_at_first: &[], ..Self::new(console, caller) }
    }

    /// A feed for who wants to hear of changes, and not that the console is alive: without one a batch comes as rarely as
    /// this.
    #[must_use]
    pub fn resting(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// The next batch: after a change, or after two seconds without one, unless it rests longer. Bursts are folded into one
    /// batch.
    pub async fn next(&mut self) -> LiveBatch {
        let mut changed: BTreeSet<Tag> = BTreeSet::new();
        if self.seq == 0 {
            changed.extend(self.stale_at_first);
        } else {
            self.wait(self.heartbeat, &mut changed).await;
            let pause = tokio::time::Instant::now() + PACE;
            while tokio::time::Instant::now() < pause {
                self.wait(pause - tokio::time::Instant::now(), &mut changed).await;
            }
        }
        if self.caller.origin == Origin::Window && self.console.window_is_locked().await {
            return self.locked().await;
        }
        let jobs = self.console.current().map(|workspace| workspace.jobs().all()).unwrap_or_default();
        let telling: Vec<JobRun> = jobs
            .iter()
            .filter(|job| job.ended_at.is_none() || !self.jobs_before.contains(job))
            .cloned()
            .collect();
        self.jobs_before = jobs;
        self.seq += 1;
        let status = self.console.status(&self.caller).await;
        let changed = changed.into_iter().collect();
        LiveBatch { seq: self.seq, changed, status, jobs: telling, locked: false }
    }

    /// What a locked window hears. Everything is stale when it is opened again.
    async fn locked(&mut self) -> LiveBatch {
        self.seq += 1;
        let status = WorkspaceStatus {
            connection: None,
            opening: None,
            opening_failed: None,
            redis: None,
            database: None,
            trail: None,
            words_behind: None,
            newest_event: None,
            incidents_active: 0,
            health_alerts: Vec::new(),
            ..self.console.status(&self.caller).await
        };
        LiveBatch { seq: self.seq, changed: Vec::new(), status, jobs: Vec::new(), locked: true }
    }

    /// Waits at most `limit` for one announcement; a lagging receiver treats everything as stale.
    async fn wait(&mut self, limit: Duration, changed: &mut BTreeSet<Tag>) {
        match tokio::time::timeout(limit, self.changes.recv()).await {
            Ok(Ok(tags)) => changed.extend(tags),
            Ok(Err(broadcast::error::RecvError::Lagged(_))) => changed.extend(Tag::ALL),
            Ok(Err(broadcast::error::RecvError::Closed)) | Err(_) => {}
        }
    }
}
