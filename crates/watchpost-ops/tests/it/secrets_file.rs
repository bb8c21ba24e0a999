//! Secrets in a file that a passphrase locks: kept over restarts, readable by nobody without the passphrase, and never lost
//! to a wrong one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::{DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{
    ConnectionDraft, Nothing, SecretInput, SecretState, SecretsFileMake, SecretsFileOpen,
    SecretsFilePassphrase,
};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;
use watchpost_ops::secrets::Secret;

use crate::door::{caller, folder};

/// Stands in no file of the home folder.
const PLANTED: &str = "planted-password-7f3a";

fn console(home: &Path, file: Option<&Path>, passphrase: Option<&Path>) -> Console {
    let paths = Paths::below(home).expect("the folder is ours");
    Console::start(ConsoleOptions {
        paths: paths.with_secrets(file.map(Path::to_owned), passphrase.map(Path::to_owned)),
        clock: Arc::new(SystemClock),
        tenure: Tenure::Guest,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })
    .expect("an empty folder holds no bad connections")
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A file with a passphrase.
fn words(folder: &Path, name: &str, words: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, format!("{words}\n")).expect("ours");
    file
}

/// Every file below a folder.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("ours") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

fn assert_not_in_clear(home: &Path) {
    let files = all_files(home);
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(&file).expect("ours");
        let is_there = bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes());
        assert!(!is_there, "it stands in {}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_outlast_the_process_in_a_locked_file_and_stand_nowhere_in_clear() {
    let (home, keys) = (folder(), folder());
    let right = words(keys.path(), "right", "correct horse battery staple");
    let first = console(home.path(), None, Some(&right));
    let refused = first.secrets().make_file(secret("short")).await.expect_err("it is too short");
    assert_eq!(refused.code, ErrorCode::Validation);
    assert!(!first.secrets().file().1, "nobody chose it yet");
    first.secrets().make_file(secret("correct horse battery staple")).await.expect("made");
    let (file, used) = first.secrets().file();
    let file = file.to_owned();
    assert_eq!((file.as_path(), used), (home.path().join("config/secrets.age").as_path(), true));
    assert_eq!(first.secrets().state().await, SecretState::FileReady);
    let again = first.secrets().make_file(secret("another passphrase")).await.expect_err("it is there");
    assert_eq!(again.code, ErrorCode::Precondition);

    // Through the door, as the window and the command line save a password.
    let draft = ConnectionDraft {
        id: None,
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix { path: "/nowhere/redis.sock".to_owned() },
            ..local_connection().redis
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
        redis_password: SecretInput::Set { value: PLANTED.to_owned() },
        sentinel_password: SecretInput::Keep,
        database_password: SecretInput::Keep,
    };
    let call = Call { caller: caller(Role::Admin), confirmation: None, reason: None };
    let saved = first.call::<operation::connection_save>(&call, draft).await.expect("saved");
    let account = format!("{}/redis", saved.id);
    let list = first.call::<operation::connection_list>(&call, Nothing {}).await.expect("listed");
    assert_eq!((list.secrets, list.secrets_detail.as_str()), (SecretState::FileReady, ""));
    first.close().await;

    let bytes = std::fs::read(&file).expect("it is there");
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> scrypt "), "it is in the age format");
    for file in all_files(&home.path().join("config")) {
        let mode = std::fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert!(mode == 0o600 || file.extension().is_some_and(|ending| ending == "toml"), "{mode:o}");
    }
    assert_not_in_clear(home.path());

    // Another process finds it, changes it, and this one sees what that one wrote.
    let (second, third) =
        (console(home.path(), None, Some(&right)), console(home.path(), None, Some(&right)));
    let found = second.secrets().get(&account).await.expect("it opens").expect("it is kept");
    assert_eq!(found.as_str(), PLANTED);
    assert_eq!(third.secrets().put("other", secret("one")).await, SecretState::Ready);
    let found = second.secrets().get("other").await.expect("it opens").expect("it is kept");
    assert_eq!(found.as_str(), "one");
    assert_eq!(second.secrets().remove("other").await, SecretState::Ready);
    assert!(third.secrets().get("other").await.expect("it opens").is_none());
    assert!(third.secrets().get(&account).await.expect("it opens").is_some(), "nothing else went");
    second.close().await;

    // With another passphrase the old one opens nothing.
    third.secrets().change_passphrase(secret("another passphrase")).await.expect("changed");
    third.close().await;
    let old = console(home.path(), None, Some(&right));
    assert_eq!(old.secrets().get(&account).await.map(drop), Err(SecretState::FileRefused));
    old.close().await;
    let new = words(keys.path(), "new", "another passphrase");
    let fourth = console(home.path(), None, Some(&new));
    assert!(fourth.secrets().get(&account).await.expect("it opens").is_some());
    fourth.close().await;
    assert_not_in_clear(home.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_needs_nothing_of_a_locked_file_does_not_wait_for_it() {
    let home = folder();
    let first = console(home.path(), None, None);
    first.secrets().make_file(secret("correct horse battery staple")).await.expect("made");
    assert_eq!(first.secrets().put("needed", secret(PLANTED)).await, SecretState::Ready);
    first.close().await;
    let draft = ConnectionDraft {
        id: None,
        name: "plain".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix { path: "/nowhere/redis.sock".to_owned() },
            ..local_connection().redis
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
        redis_password: SecretInput::Keep,
        sentinel_password: SecretInput::Keep,
        database_password: SecretInput::Keep,
    };
    let call = Call { caller: caller(Role::Admin), confirmation: None, reason: None };
    let locked = console(home.path(), None, None);
    let saved = locked.call::<operation::connection_save>(&call, draft.clone()).await.expect("saved");
    let draft = ConnectionDraft { id: Some(saved.id), ..draft };
    locked.call::<operation::connection_test>(&call, draft).await.expect("no password is wanted");
    locked.open(saved).await.expect("its database opens");
    assert_eq!(locked.secrets().state().await, SecretState::FileLocked);
    assert_eq!(locked.secrets().get("needed").await.map(drop), Err(SecretState::FileLocked));
    assert_eq!(locked.secrets().put("given", secret(PLANTED)).await, SecretState::FileLocked);
    locked.close().await;
    let next = console(home.path(), None, None);
    let given = next.secrets().get("given").await.map(drop);
    assert_eq!(given, Err(SecretState::KeyChanged), "it is to be given again");
    next.close().await;

    // What was noted of another writing of the file says nothing of this one.
    let file = home.path().join("config/secrets.age");
    let bytes = std::fs::read(&file).expect("there");
    std::fs::remove_file(&file).expect("ours");
    std::fs::write(&file, &bytes).expect("ours");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let moved = console(home.path(), None, None);
    assert_eq!(moved.secrets().get("unknown").await.map(drop), Err(SecretState::FileLocked));
    moved.secrets().ask_with(Box::new(|_| Some(secret("correct horse battery staple"))));
    assert!(moved.secrets().get("needed").await.expect("it opens").is_some());
    assert_eq!(moved.secrets().put("given", secret(PLANTED)).await, SecretState::Ready);
    assert!(moved.secrets().get("given").await.expect("it opens").is_some());
    let mode = std::fs::metadata(&file).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "the rights of others are taken away");
    moved.close().await;
    let again = console(home.path(), None, None);
    assert!(again.secrets().get("unknown").await.expect("it is known again").is_none());
    again.close().await;
}

/// The file with these bytes opens for nobody, whatever is asked of it, and stays as it is.
async fn refuses(home: &Path, file: &Path, passphrase: Option<&Path>, bytes: &[u8], state: SecretState) {
    std::fs::write(file, bytes).expect("ours");
    let console = console(home, Some(file), passphrase);
    assert_eq!(console.secrets().get("a").await.map(drop), Err(state));
    assert_eq!(console.secrets().put("b", secret("two")).await, state);
    assert!(console.secrets().get("b").await.expect("it is in memory").is_some());
    assert_eq!(console.secrets().remove("a").await, state);
    assert_eq!(console.secrets().state().await, state);
    let told = console.secrets().change_passphrase(secret("another passphrase")).await;
    let told = told.expect_err("it does not open");
    assert_eq!(told.code, ErrorCode::SecretStore);
    assert!(told.hint.is_some_and(|hint| hint.contains("file of secrets")));
    assert_eq!(std::fs::read(file).expect("there"), bytes, "it stays as it was");
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_open_is_told_and_never_written_over() {
    let (home, keys) = (folder(), folder());
    let right = words(keys.path(), "right", "correct horse battery staple");
    let wrong = words(keys.path(), "wrong", "correct horse battery stable");
    let file = keys.path().join("named.age");

    // Named and not there: nothing is made of a name that was mistyped.
    let named = console(home.path(), Some(&file), Some(&right));
    assert_eq!(named.secrets().state().await, SecretState::FileMissing);
    assert_eq!(named.secrets().put("a", secret(PLANTED)).await, SecretState::FileMissing);
    assert!(named.secrets().get("a").await.expect("it is in memory").is_some());
    assert!(!file.exists());
    named.secrets().make_file(secret("correct horse battery staple")).await.expect("made");
    assert_eq!(named.secrets().put("a", secret(PLANTED)).await, SecretState::Ready);
    named.close().await;
    let whole = std::fs::read(&file).expect("it is there");

    let (wrong, right) = (wrong.as_path(), right.as_path());
    let missing = keys.path().join("missing");
    let cases: [(Option<&Path>, &[u8], SecretState); 7] = [
        (Some(wrong), &whole, SecretState::FileRefused),
        (None, &whole, SecretState::FileLocked),
        (Some(&missing), &whole, SecretState::FileLocked),
        (Some(right), &whole[..whole.len() - 1], SecretState::FileDamaged),
        (Some(right), &whole[..40], SecretState::FileDamaged),
        (Some(right), b"", SecretState::FileDamaged),
        (Some(right), b"{\"secrets\": {}}", SecretState::FileDamaged),
    ];
    for (passphrase, bytes, state) in cases {
        refuses(home.path(), &file, passphrase, bytes, state).await;
    }
    std::fs::write(&file, &whole).expect("ours");
    let console = console(home.path(), Some(&file), Some(right));
    let found = console.secrets().get("a").await.expect("it opens").expect("it is kept");
    assert_eq!(found.as_str(), PLANTED);
    console.close().await;
    assert_not_in_clear(keys.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_asked_when_a_secret_is_wanted_and_the_signing_key_is_kept() {
    let home = folder();
    let first = console(home.path(), None, None);
    first.secrets().make_file(secret("correct horse battery staple")).await.expect("made");
    first.open(local_connection()).await.expect("the local workspace opens");
    let call = Call { caller: caller(Role::Admin), confirmation: None, reason: None };
    first.call::<operation::audit_checkpoint>(&call, Nothing {}).await.expect("signed");
    let keys = first.call::<operation::audit_key_list>(&call, Nothing {}).await.expect("listed").keys;
    assert!(keys.iter().any(|key| key.own), "{keys:?}");
    let own: Vec<String> = keys.into_iter().filter(|key| key.own).map(|key| key.name).collect();
    first.close().await;

    let second = console(home.path(), None, None);
    assert_eq!(second.secrets().state().await, SecretState::FileLocked, "nobody is asked for the status");
    second.secrets().ask_with(Box::new(|again| {
        Some(secret(if again { "correct horse battery staple" } else { "mistyped passphrase" }))
    }));
    second.open(local_connection()).await.expect("the local workspace opens");
    assert_eq!(second.secrets().state().await, SecretState::FileReady);
    let keys = second.call::<operation::audit_key_list>(&call, Nothing {}).await.expect("listed").keys;
    let still: Vec<String> = keys.into_iter().filter(|key| key.own).map(|key| key.name).collect();
    assert_eq!(still, own, "the key outlasted the process");
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_makes_opens_and_locks_the_file_and_its_key_signs_at_once() {
    const FIRST: &str = "correct horse battery staple";
    let home = folder();
    let caller = Caller { origin: Origin::Window, ..caller(Role::Admin) };
    let call = Call { caller, confirmation: None, reason: None };
    let other = Call { caller: Caller { origin: Origin::Http, ..call.caller.clone() }, ..call.clone() };
    let own = async |console: &Console| {
        let keys = console.call::<operation::audit_key_list>(&call, Nothing {}).await.expect("listed").keys;
        keys.into_iter().find(|key| key.own).map(|key| key.name)
    };
    let start = || {
        Console::start(ConsoleOptions {
            paths: Paths::below(home.path()).expect("the folder is ours"),
            clock: Arc::new(SystemClock),
            tenure: Tenure::Owner,
            offer_demo: false,
            remember: false,
            ask_every: ASK_EVERY,
            redis_wait: REDIS_WAIT,
        })
        .expect("an empty folder holds no bad connections")
    };
    let first = start();
    let refused = first.call::<operation::secrets_file_get>(&other, Nothing {}).await.expect_err("elsewhere");
    assert_eq!(refused.code, ErrorCode::Precondition);
    let none = first.call::<operation::secrets_file_get>(&call, Nothing {}).await.expect("told");
    assert_eq!((none.used, none.state), (false, None));
    let make = SecretsFileMake { passphrase: FIRST.to_owned() };
    assert!(!format!("{make:?}").contains(FIRST));
    let made = first.call::<operation::secrets_file_make>(&call, make).await.expect("made");
    assert_eq!((made.used, made.state), (true, Some(SecretState::FileReady)));
    first.open(local_connection()).await.expect("the local workspace opens");
    let kept = own(&first).await.expect("it signs");
    let next = |current: &str, passphrase: &str| SecretsFilePassphrase {
        current: current.to_owned(),
        passphrase: passphrase.to_owned(),
    };
    let wrong = first.call::<operation::secrets_file_passphrase>(&call, next("a guess", "other words")).await;
    assert_eq!(wrong.expect_err("wrong").field.as_deref(), Some("current"));
    first
        .call::<operation::secrets_file_passphrase>(&call, next(FIRST, "other words"))
        .await
        .expect("changed");
    first.close().await;

    let second = start();
    second.open(local_connection()).await.expect("the local workspace opens");
    let locked = second.call::<operation::secrets_file_get>(&call, Nothing {}).await.expect("told");
    assert_eq!(locked.state, Some(SecretState::FileLocked));
    assert_ne!(own(&second).await.as_ref(), Some(&kept), "the key of this session signs");
    let with = |passphrase: &str| SecretsFileOpen { passphrase: passphrase.to_owned() };
    let wrong = second.call::<operation::secrets_file_open>(&call, with(FIRST)).await.expect_err("wrong");
    assert_eq!((wrong.code, wrong.field.as_deref()), (ErrorCode::Permission, Some("passphrase")));
    let open = second.call::<operation::secrets_file_open>(&call, with("other words")).await.expect("open");
    assert_eq!(open.state, Some(SecretState::FileReady));
    assert_eq!(own(&second).await, Some(kept), "at once");
    second.close().await;
}
