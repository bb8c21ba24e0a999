//! The lock of the window: what passes the door while it is locked, and how it is opened.

use std::sync::Arc;

use chrono::Duration;
use watchpost_model::access::{Caller, Origin};
use watchpost_model::audit::AuditOutcome;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{EventPageRequest, Nothing, WindowLock, WindowLockPut, WindowUnlock};
use watchpost_ops::door::{Call, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_ops::live::LiveFeed;

use crate::door::{Desk, desk_at, folder};

const PASSPHRASE: &str = "correct horse";

/// Asks as the window does.
async fn window<O: Operation>(desk: &Desk, request: O::Request) -> Result<O::Reply, OpError> {
    desk.console.call::<O>(&at_window(desk), request).await
}

fn at_window(desk: &Desk) -> Call {
    Call { caller: Caller { origin: Origin::Window, ..desk.call.caller.clone() }, ..desk.call.clone() }
}

async fn unlock(desk: &Desk, passphrase: &str) -> Result<WindowLock, OpError> {
    window::<operation::window_unlock>(desk, WindowUnlock { passphrase: passphrase.to_owned() }).await
}

async fn put(desk: &Desk, minutes: Option<u32>, current: Option<&str>) -> Result<WindowLock, OpError> {
    let passphrase = current.is_none().then(|| PASSPHRASE.to_owned());
    let request = WindowLockPut { minutes, passphrase, current: current.map(str::to_owned) };
    window::<operation::window_lock_put>(desk, request).await
}

fn code<T>(result: Result<T, OpError>) -> Option<ErrorCode> {
    result.err().map(|error| error.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_window_lets_nothing_but_its_passphrase_through() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = desk_at(&home, Tenure::Reader, local_connection(), clock.clone()).await;
    let events = || EventPageRequest { limit: 1, ..EventPageRequest::default() };

    let refused = window::<operation::window_lock_now>(&desk, Nothing {}).await;
    assert_eq!(code(refused), Some(ErrorCode::Precondition), "there is no passphrase");
    let other = desk.ask::<operation::window_lock_get>(Nothing {}).await;
    assert_eq!(code(other), Some(ErrorCode::Precondition), "only a window has a lock");
    let set = put(&desk, Some(5), None).await.expect("it is set");
    assert_eq!((set.minutes, set.locked), (Some(5), false));

    let locked = window::<operation::window_lock_now>(&desk, Nothing {}).await.expect("it locks");
    assert!(locked.locked);
    let refused = window::<operation::event_page>(&desk, events()).await;
    assert_eq!(code(refused), Some(ErrorCode::Permission));
    let refused = put(&desk, None, Some(PASSPHRASE)).await;
    assert_eq!(code(refused), Some(ErrorCode::Permission), "nor is the lock taken away");
    desk.ask::<operation::event_page>(events()).await.expect("other shells are not this window");
    let mut feed = LiveFeed::new(&desk.console, at_window(&desk).caller);
    let batch = feed.next().await;
    assert!(batch.locked && batch.status.connection.is_none() && batch.changed.is_empty());

    assert_eq!(code(unlock(&desk, "correct horses").await), Some(ErrorCode::Permission));
    let soon = unlock(&desk, PASSPHRASE).await;
    assert_eq!(code(soon), Some(ErrorCode::Precondition), "not at once after a wrong one");
    clock.advance(Duration::seconds(1));
    assert!(!unlock(&desk, PASSPHRASE).await.expect("it is the right one").locked);
    window::<operation::event_page>(&desk, events()).await.expect("it is open");
    assert_eq!(desk.trail("window_lock_now", AuditOutcome::Success).await, 1);
    assert_eq!(desk.trail("window_unlock", AuditOutcome::Denied).await, 1);
    assert_eq!(desk.trail("window_unlock", AuditOutcome::Success).await, 1);

    assert_eq!(code(put(&desk, None, Some("another one")).await), Some(ErrorCode::Permission));
    clock.advance(Duration::seconds(1));
    let off = put(&desk, None, Some(PASSPHRASE)).await.expect("it is taken away");
    assert_eq!((off.minutes, off.locked), (None, false));
    assert_eq!(desk.trail("window_lock_put", AuditOutcome::Success).await, 2);
    desk.console.close().await;
}
