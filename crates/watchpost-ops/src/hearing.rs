//! What other consoles changed: the counters of the database are asked for, and on PostgreSQL notices say when to ask at
//! once.
//!
//! The counters are what is true. Whoever hears no notices learns the same, a moment later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
    /// There should be notices, and none are heard.
    is_lost: AtomicBool,
}

impl Hearing {
    /// Are there notices that are not heard? Never so with a database that has none.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    fn lose(&self, lost: bool) {
        self.is_lost.store(lost, Ordering::Relaxed);
    }
}

/// Announces what other consoles changed, and what the engine did, until the workspace closes.
pub(crate) async fn listen(
    console: Console,
    workspace: Arc<Workspace>,
    mut known: Option<BTreeMap<String, i64>>,
) {
    let stop = workspace.stop_token();
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
        if stop.run_until_cancelled(tokio::time::sleep(PACE)).await.is_none() {
            return;
        }
    }
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
                tracing::debug!(%problem, "notices of the database are not heard any more");
            }
            Some(Err(problem)) => {
                hearing.lose(true);
                tracing::debug!(%problem, "notices of the database are not heard");
            }
        }
        // A server that is gone is not asked without a pause.
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(AGAIN_MAX);
    }
}
