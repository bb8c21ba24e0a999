//! What the window's commands share: the console, who sits at it, and the live feed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::Channel;
use tokio::sync::{Notify, watch};
use watchpost_model::access::Caller;
use watchpost_ops::console::Console;
use watchpost_ops::door::{Call, Operation};
use watchpost_ops::error::OpError;
use watchpost_ops::live::{LiveBatch, LiveFeed};

/// So long the first questions of a page wait for the connection that opens at the start. One that takes longer is told as
/// on its way.
const OPENING_WAIT: Duration = Duration::from_secs(1);
/// How rarely who listens beside the page hears that nothing has changed.
const OWN_REST: Duration = Duration::from_secs(15);

/// The state of the window's process.
pub(crate) struct Desk {
    console: Console,
    caller: Caller,
    /// The feeds of the windows by their labels; a page that loads again replaces its own.
    live: Mutex<HashMap<String, JoinHandle<()>>>,
    /// A page has drawn its first figures.
    drawn: Notify,
    /// The connection of the start is open, has failed, or was waited for; so too where none is opened.
    opened: watch::Sender<bool>,
}

impl Desk {
    pub(crate) fn new(console: Console, caller: Caller) -> Self {
        let opened = watch::channel(true).0;
        Self { console, caller, live: Mutex::default(), drawn: Notify::new(), opened }
    }

    /// Opens the connection that was open last, in the background: the window must not wait for a server.
    pub(crate) fn open_first(&self) {
        let (console, opened) = (self.console.clone(), self.opened.clone());
        opened.send_replace(false);
        // Ends when the connection is open or has failed; the process outlives it.
        drop(async_runtime::spawn(async move {
            let mut opening = Box::pin(async move {
                let connection = console.connection_to_start_with();
                let name = connection.name.clone();
                // The keychain is asked first for what every question of a page has to know: it answers one by one.
                let (_, result) = tokio::join!(console.window_is_locked(), console.open(connection));
                if let Err(error) = result {
                    tracing::error!(%error, connection = name, "the connection was not opened");
                }
            });
            if tokio::time::timeout(OPENING_WAIT, &mut opening).await.is_err() {
                opened.send_replace(true);
                opening.await;
            }
            opened.send_replace(true);
        }));
    }

    /// Is the window locked? Then nothing but the passphrase passes.
    pub(crate) async fn is_locked(&self) -> bool {
        self.console.window_is_locked().await
    }

    /// Passes a request through the door, which lets nothing but the passphrase through while the window is locked.
    pub(crate) async fn call<O: Operation>(
        &self,
        request: O::Request,
        confirmation: Option<String>,
    ) -> Result<O::Reply, OpError> {
        first_opened(&self.console, &self.opened).await;
        let call = Call { caller: self.caller.clone(), confirmation, reason: None };
        self.console.call::<O>(&call, request).await
    }

    /// A page has drawn its first figures.
    pub(crate) fn tell_drawn(&self) {
        self.console.tell_drawn();
        self.drawn.notify_one();
    }

    /// Waits until a page has drawn its first figures.
    pub(crate) async fn drawn(&self) {
        self.drawn.notified().await;
    }

    /// A feed of one's own, beside that of the page.
    pub(crate) fn own_feed(&self) -> LiveFeed {
        LiveFeed::new(&self.console, self.caller.clone()).resting(OWN_REST)
    }

    /// Feeds the page of a window until it is gone or loads again. It listens from when this returns.
    pub(crate) fn feed(&self, label: &str, channel: Channel<LiveBatch>) {
        let mut feed = LiveFeed::of_page(&self.console, self.caller.clone());
        let (console, opened) = (self.console.clone(), self.opened.clone());
        let task = async_runtime::spawn(async move {
            first_opened(&console, &opened).await;
            loop {
                let batch = feed.next().await;
                if channel.send(batch).is_err() {
                    return;
                }
            }
        });
        let before = self.feeds().insert(label.to_owned(), task);
        if let Some(before) = before {
            before.abort();
        }
    }

    /// A window is closed: nobody hears its feed.
    pub(crate) fn forget(&self, label: &str) {
        if let Some(feed) = self.feeds().remove(label) {
            feed.abort();
        }
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<String, JoinHandle<()>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the workspace before the process ends.
    pub(crate) fn close(&self) {
        for (_, feed) in self.feeds().drain() {
            feed.abort();
        }
        async_runtime::block_on(self.console.close());
    }
}

/// Waits for the connection that opens at the start: who asks before would hear that none is open, draw that, and ask again.
/// A locked window need not wait to hear that it is.
async fn first_opened(console: &Console, opened: &watch::Sender<bool>) {
    let is_opened = *opened.borrow();
    if !is_opened && !console.window_is_locked().await {
        // An error would say that the sender is gone, which is at hand.
        drop(opened.subscribe().wait_for(|opened| *opened).await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchpost_model::access::Origin;
    use watchpost_model::clock::SystemClock;
    use watchpost_ops::connections::local_connection;
    use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, Tenure};
    use watchpost_ops::contract::Nothing;
    use watchpost_ops::door::operation;
    use watchpost_ops::{Paths, os_caller};

    use super::{Desk, OPENING_WAIT};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_first_question_of_a_page_waits_for_the_connection_of_the_start() {
        let home = std::env::temp_dir().join(format!("watchpost-desk-{}", std::process::id()));
        let paths = Paths::below(&home).expect("the folder is ours");
        // Without a keychain: nobody is to be asked to open one.
        let paths = paths.with_secrets(Some(home.join("secrets.age")), None);
        let console = Console::start(ConsoleOptions {
            paths,
            clock: Arc::new(SystemClock),
            tenure: Tenure::Reader,
            offer_demo: false,
            remember: false,
            ask_every: ASK_EVERY,
            redis_wait: OPENING_WAIT,
        })
        .expect("an empty folder holds no bad connections");
        let desk = Desk::new(console.clone(), os_caller(Origin::Window));
        let ask = async || desk.call::<operation::workspace_status>(Nothing {}, None).await;

        let status = ask().await.expect("there is always a status");
        assert!(status.connection.is_none(), "nothing is opened, so nothing is waited for");
        desk.open_first();
        let status = ask().await.expect("there is always a status");
        let told = status.connection.as_ref().map(|connection| connection.id);
        // A machine that takes longer than that is told what is on its way.
        assert!(told == Some(local_connection().id) || status.opening.is_some(), "{status:?}");
        console.close().await;
        std::fs::remove_dir_all(&home).expect("the folder is ours");
    }
}
