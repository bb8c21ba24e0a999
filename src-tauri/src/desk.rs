//! What the window's commands share: the console, who sits at it, and the live feed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::Channel;
use tokio::sync::Notify;
use watchpost_model::access::Caller;
use watchpost_ops::console::Console;
use watchpost_ops::door::{Call, Operation};
use watchpost_ops::error::OpError;
use watchpost_ops::live::{LiveBatch, LiveFeed};

/// The state of the window's process.
pub(crate) struct Desk {
    console: Console,
    caller: Caller,
    /// The feeds of the windows by their labels; a page that loads again replaces its own.
    live: Mutex<HashMap<String, JoinHandle<()>>>,
    /// A page has drawn its first figures.
    drawn: Notify,
}

impl Desk {
    pub(crate) fn new(console: Console, caller: Caller) -> Self {
        Self { console, caller, live: Mutex::default(), drawn: Notify::new() }
    }

    /// Opens the connection that was open last, in the background: the window must not wait for a server.
    pub(crate) fn open_first(&self) {
        let console = self.console.clone();
        // Ends when the connection is open or has failed; the process outlives it.
        drop(async_runtime::spawn(async move {
            let connection = console.connection_to_start_with();
            let name = connection.name.clone();
            if let Err(error) = console.open(connection).await {
                tracing::error!(%error, connection = name, "the connection was not opened");
            }
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
        LiveFeed::new(&self.console, self.caller.clone())
    }

    /// Feeds the page of a window until it is gone or loads again.
    pub(crate) fn feed(&self, label: &str, channel: Channel<LiveBatch>) {
        let mut feed = LiveFeed::new(&self.console, self.caller.clone());
        let task = async_runtime::spawn(async move {
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
