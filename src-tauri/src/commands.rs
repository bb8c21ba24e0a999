//! The commands of the window, expanded from the list of operations.

use std::collections::BTreeMap;

use tauri::ipc::{Channel, Invoke};
use tauri::{AppHandle, Webview};
use watchpost_ops::error::OpError;
use watchpost_ops::live::LiveBatch;

use crate::desk::Desk;
use crate::links::Links;
use crate::windows;
use crate::words::Words;

macro_rules! expand_commands {
    ($($about:literal $name:ident($request:ident) -> $reply:ident: $permission:ident,
       $effect:ident $(unless $member:ident)?,
       [$($provides:ident),*], [$($invalidates:ident),*] $(, $carrier:ident for $matter:ident)?;)+) => {
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
            tauri::generate_handler![
                live_subscribe, ui_ready, link_pending, open_window, desk_words, $(operations::$name),+
            ]
        }
    };
}

watchpost_ops::for_each_operation!(expand_commands);

/// Feeds the page with live batches until it is gone. Done when it is asked for, before anything that is asked after it: no
/// change comes between an answer and the feed.
#[tauri::command]
fn live_subscribe(desk: tauri::State<'_, Desk>, webview: Webview, channel: Channel<LiveBatch>) {
    desk.feed(webview.label(), channel);
}

/// The link that waits for this window, once: its page may not have been there to hear of it.
#[tauri::command]
async fn link_pending(
    links: tauri::State<'_, Links>,
    desk: tauri::State<'_, Desk>,
    webview: Webview,
) -> Result<Option<String>, ()> {
    // It waits until the window is unlocked.
    if desk.is_locked().await {
        return Ok(None);
    }
    Ok(links.take(webview.label()))
}

/// Opens a panel or an incident in a window of its own.
#[tauri::command]
async fn open_window(app: AppHandle, desk: tauri::State<'_, Desk>, route: String) -> Result<(), OpError> {
    if desk.is_locked().await {
        return Err(OpError::precondition("the window is locked"));
    }
    // It asks the thread of the windows and waits for the answer.
    let opening = tauri::async_runtime::spawn_blocking(move || windows::open(&app, &route));
    opening.await.map_err(|problem| OpError::internal(problem.to_string()))?
}

/// The page hands over the words that the desktop shows, in the language that was chosen there.
#[tauri::command]
async fn desk_words(words: tauri::State<'_, Words>, texts: BTreeMap<String, String>) -> Result<(), ()> {
    words.take(texts);
    Ok(())
}

/// The page tells that its first figures are drawn.
#[tauri::command]
async fn ui_ready(desk: tauri::State<'_, Desk>) -> Result<(), ()> {
    tracing::info!("the window is drawn");
    desk.tell_drawn();
    Ok(())
}
