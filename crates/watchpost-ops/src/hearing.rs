//! What other consoles changed: the counters of the database are asked for, and on PostgreSQL notices say when to ask at
//! once.
//!
//! The counters are what is true. Whoever hears no notices learns the same, a moment later.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::console::{Console, Workspace};
use crate::contract::Tag;

/// Notices that come close together are one question: a window is told no more often than that.
const PACE: Duration = Duration::from_millis(200);
/// How long until a lost listener is made again; twice as long after each try that fails.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest of these.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// What is heard of other consoles.
#[derive(Default)]
pub(crate) struct Hearing {
    /// Holds one word for any number of notices.
    wake: Notify,
    /// The database is back: a lost listener need not wait any longer.
    again: Notify,
    /// There should be notices, and none are heard.
    is_lost: AtomicBool,
    /// The server was lost, or took no changes: whatever answers now has to be held against what was seen of the log.
    is_doubtful: AtomicBool,
    /// The server confirms no change, because the synchronous standby is gone.
    lacks_standby: AtomicBool,
    /// When the database last answered and took changes. Never held across an await.
    last_ok: Mutex<Option<DateTime<Utc>>>,
}

impl Hearing {
    /// Are there notices that are not heard? Never so with a database that has none.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    fn lose(&self, lost: bool) {
        self.is_lost.store(lost, Ordering::Relaxed);
    }

    fn doubt(&self) {
        self.is_doubtful.store(true, Ordering::Relaxed);
    }

    /// When the database last answered and took changes, as far as somebody asked.
    pub(crate) fn last_ok(&self) -> Option<DateTime<Utc>> {
        *self.last_ok.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It answers and takes changes.
    pub(crate) fn is_well(&self, now: DateTime<Utc>) {
        *self.last_ok.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// Announces what other consoles changed, and what the engine did, until the workspace closes.
pub(crate) async fn listen(
    console: Console,
    workspace: Arc<Workspace>,
    mut known: Option<BTreeMap<String, i64>>,
) {
    let stop = workspace.stop_token();
    let mut was_well = true;
    let mut timer = tokio::time::interval(console.0.ask_every);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let turn = async {
            tokio::select! {
                _ = timer.tick() => {}
                () = workspace.hearing().wake.notified() => {}
            }
        };
        if stop.run_until_cancelled(turn).await.is_none() {
            return;
        }
        if let Ok(now) = workspace.store().revisions().await
            && let Some(before) = known.replace(now.clone())
        {
            let changed: Vec<Tag> = now
                .iter()
                .filter(|&(tag, n)| before.get(tag) != Some(n))
                .filter_map(|(tag, _)| tag.parse().ok())
                .collect();
            console.announce(&changed);
        }
        was_well = look_after(&console, &workspace, was_well).await;
        if stop.run_until_cancelled(tokio::time::sleep(PACE)).await.is_none() {
            return;
        }
    }
}

/// Is the database there, and does it take changes? When it does again, or a connection to it was lost, the log is held
/// against what was seen of it at once: another server may have taken the place of the one before, and lack the newest.
async fn look_after(console: &Console, workspace: &Workspace, was_well: bool) -> bool {
    let hearing = workspace.hearing();
    let is_well = matches!(workspace.store().read_only().await, Ok(None));
    if is_well != was_well {
        console.announce(&[Tag::Status]);
    }
    if !is_well {
        hearing.doubt();
        if was_well {
            // What was confirmed is remembered in a file before this process may end too; the rest of the look fails.
            drop(workspace.look_again().await);
        }
        return false;
    }
    // One that confirms nothing is looked at like one that does, and was not well.
    let lacks_standby = matches!(workspace.store().lacks_standby().await, Ok(true));
    if hearing.lacks_standby.swap(lacks_standby, Ordering::Relaxed) != lacks_standby {
        console.announce(&[Tag::Status]);
    }
    if !lacks_standby {
        hearing.is_well(workspace.now());
    }
    if !was_well {
        hearing.again.notify_one();
    }
    if hearing.is_doubtful.swap(false, Ordering::Relaxed) {
        match workspace.look_again().await {
            Ok(true) => console.announce(&[Tag::Status, Tag::Audit]),
            Ok(false) => {}
            Err(problem) => {
                hearing.doubt();
                tracing::debug!(%problem, "the audit log was not looked at");
            }
        }
    }
    true
}

/// Hears the notices of PostgreSQL until the workspace closes, and has [`listen`] ask at each. A listener that was lost is
/// made again, at growing distances while that fails.
pub(crate) async fn hear(workspace: Arc<Workspace>) {
    let (stop, hearing) = (workspace.stop_token(), workspace.hearing());
    let mut pause = AGAIN;
    loop {
        match stop.run_until_cancelled(workspace.store().notices()).await {
            // It closes, or there are none.
            None | Some(Ok(None)) => return,
            Some(Ok(Some(mut notices))) => {
                hearing.lose(false);
                pause = AGAIN;
                // What was changed while nobody listened.
                hearing.wake.notify_one();
                let problem = loop {
                    match stop.run_until_cancelled(notices.next()).await {
                        None => return,
                        Some(Ok(_)) => hearing.wake.notify_one(),
                        Some(Err(problem)) => break problem,
                    }
                };
                hearing.lose(true);
                hearing.doubt();
                tracing::debug!(%problem, "notices of the database are not heard any more");
            }
            Some(Err(problem)) => {
                hearing.lose(true);
                tracing::debug!(%problem, "notices of the database are not heard");
            }
        }
        // A server that is gone is not asked without a pause, unless it is known to be back.
        let rest = tokio::time::timeout(pause, hearing.again.notified());
        match stop.run_until_cancelled(rest).await {
            None => return,
            Some(Ok(())) => pause = AGAIN,
            Some(Err(_)) => pause = (pause * 2).min(AGAIN_MAX),
        }
    }
}
