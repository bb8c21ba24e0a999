//! The lock of the window: what passes the door while it is locked, and how it is opened.

use std::path::Path;
use std::sync::Arc;

use chrono::Duration;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::audit::AuditOutcome;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{
    EventPageRequest, Nothing, SecretState, WindowLock, WindowLockPut, WindowUnlock,
};
use watchpost_ops::door::{Call, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_ops::live::LiveFeed;
use watchpost_ops::secrets::Secret;

use crate::door::{Desk, caller, desk_at, folder};

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

/// A window without a workspace, whose secrets are in a file; that is as a keychain which does not answer without `words`.
pub(crate) fn of_file(home: &Path, words: Option<&Path>) -> Desk {
    let paths = Paths::below(home).expect("the folder is ours");
    let console = Console::start(ConsoleOptions {
        paths: paths.with_secrets(None, words.map(Path::to_owned)),
        clock: Arc::new(SystemClock),
        tenure: Tenure::Reader,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })
    .expect("an empty folder holds no bad connections");
    Desk { console, call: Call { caller: caller(Role::Admin), confirmation: None, reason: None } }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_with_a_lock_starts_locked_though_the_keychain_does_not_answer() {
    use std::os::unix::fs::PermissionsExt;

    const OF_FILE: &str = "of the file of secrets";
    let (home, keys) = (folder(), folder());
    let words = keys.path().join("words");
    std::fs::write(&words, OF_FILE).expect("ours");
    let note = home.path().join("data/window-lock.json");

    let first = of_file(home.path(), Some(&words));
    first.console.secrets().make_file(Secret::new(OF_FILE.to_owned())).await.expect("made");
    let set = put(&first, Some(5), None).await.expect("it is set");
    assert_eq!((set.detail.as_str(), set.unread), ("", None));
    let about = std::fs::metadata(&note).expect("it is noted");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&note).expect("ours").contains(PASSPHRASE));
    first.console.close().await;

    // Nobody gives the passphrase of the file: what was noted counts.
    let second = of_file(home.path(), None);
    assert!(second.console.window_is_locked().await);
    let refused = window::<operation::connection_list>(&second, Nothing {}).await;
    assert_eq!(code(refused), Some(ErrorCode::Permission));
    let lock = window::<operation::window_lock_get>(&second, Nothing {}).await.expect("told");
    assert_eq!((lock.locked, lock.unread), (true, Some(SecretState::FileLocked)));
    assert!(!unlock(&second, PASSPHRASE).await.expect("it is the right one").locked);
    window::<operation::connection_list>(&second, Nothing {}).await.expect("it is open");
    second.console.close().await;

    // Nor can the note be read: it stays locked until the other answers.
    std::fs::write(&note, "{").expect("ours");
    let third = of_file(home.path(), None);
    assert!(third.console.window_is_locked().await);
    assert_eq!(code(unlock(&third, PASSPHRASE).await), Some(ErrorCode::SecretStore));
    assert!(third.console.window_is_locked().await);
    third.console.secrets().ask_with(Box::new(|_| Some(Secret::new(OF_FILE.to_owned()))));
    assert!(!unlock(&third, PASSPHRASE).await.expect("it answers now").locked);
    assert!(std::fs::read_to_string(&note).expect("ours").contains("verifier"), "noted again");
    put(&third, None, Some(PASSPHRASE)).await.expect("it is taken away");
    assert!(!note.exists());
    third.console.close().await;

    let fourth = of_file(home.path(), None);
    assert!(!fourth.console.window_is_locked().await, "no lock, no note");
    fourth.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_secrets_that_is_made_later_takes_no_lock_away() {
    const OF_FILE: &str = "of the file of secrets";
    let (home, keys) = (folder(), folder());
    let words = keys.path().join("words");
    std::fs::write(&words, OF_FILE).expect("ours");
    let first = of_file(home.path(), Some(&words));
    first.console.secrets().make_file(Secret::new(OF_FILE.to_owned())).await.expect("made");
    put(&first, Some(5), None).await.expect("it is set");
    first.console.close().await;

    // Another file, which knows of no lock.
    let file = home.path().join("config/secrets.age");
    std::fs::remove_file(&file).expect("it is there");
    let second = of_file(home.path(), Some(&words));
    second.console.secrets().make_file(Secret::new(OF_FILE.to_owned())).await.expect("made");
    let lock = window::<operation::window_lock_get>(&second, Nothing {}).await.expect("told");
    assert_eq!((lock.locked, lock.unread), (true, None));
    assert!(!unlock(&second, PASSPHRASE).await.expect("it is the right one").locked);
    put(&second, None, Some(PASSPHRASE)).await.expect("it is taken away");
    second.console.close().await;
    let third = of_file(home.path(), Some(&words));
    assert!(!third.console.window_is_locked().await);
    third.console.close().await;
}
