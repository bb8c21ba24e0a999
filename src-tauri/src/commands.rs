//! The commands of the window, expanded from the list of operations.

use tauri::ipc::{Channel, Invoke};
use watchpost_ops::live::LiveBatch;

use crate::desk::Desk;
use crate::links::Links;

macro_rules! expand_commands {
    ($($about:literal $name:ident($request:ident) -> $reply:ident: $permission:ident, $effect:ident,
       [$($provides:ident),*], [$($invalidates:ident),*];)+) => {
        /// One command an operation; each passes its request to the door.
        mod operations {
            use tauri::State;
            use watchpost_ops::door::{Operation, operation};
            use watchpost_ops::error::OpError;

            use crate::desk::Desk;

            $(
                #[doc = $about]
                #[tauri::command]
                pub(super) async fn $name(
                    desk: State<'_, Desk>,
                    req: <operation::$name as Operation>::Request,
                    confirm: Option<String>,
                ) -> Result<<operation::$name as Operation>::Reply, OpError> {
                    desk.call::<operation::$name>(req, confirm).await
                }
            )+
        }

        /// Answers every command of the window.
        pub(crate) fn handler() -> impl Fn(Invoke) -> bool + Send + Sync + 'static {
            tauri::generate_handler![live_subscribe, ui_ready, link_pending, $(operations::$name),+]
        }
    };
}

watchpost_ops::for_each_operation!(expand_commands);

/// Feeds the page with live batches until it is gone.
#[tauri::command]
async fn live_subscribe(desk: tauri::State<'_, Desk>, channel: Channel<LiveBatch>) -> Result<(), ()> {
    desk.feed(channel);
    Ok(())
}

/// The link that the program was started with, once: the page was not there to hear of it.
#[tauri::command]
async fn link_pending(links: tauri::State<'_, Links>) -> Result<Option<String>, ()> {
    Ok(links.take())
}

/// The page tells that it has painted.
#[tauri::command]
async fn ui_ready() {
    tracing::info!("the window is painted");
}
