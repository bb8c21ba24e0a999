//! Secrets in a file that a key of the keychain seals: one entry in the keychain, nothing in clear, and a keychain that
//! has lost the key, is locked, refuses or hangs is told as what it is.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use watchpost_model::access::Role;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{AuditVerify, ConnectionDraft, Nothing, SecretInput, SecretState};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;
use watchpost_ops::secrets::{Found, Keychain, Secret};

use crate::door::{caller, folder};

/// Stands in no file of the home folder.
const PLANTED: &str = "planted-password-7f3a";

/// A keychain in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    entries: BTreeMap<String, String>,
    /// What it answers instead.
    refuses: Option<SecretState>,
    /// It hangs until the other end is dropped.
    hangs: Option<mpsc::Receiver<()>>,
    /// It takes so long for each answer.
    slow: Option<Duration>,
    /// How often it was asked what an entry holds, for which a person may be asked to open it.
    gets: usize,
}

impl Memory {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("no test panics in it")
    }

    fn answers(&self) -> Result<MutexGuard<'_, Inside>, SecretState> {
        let hangs = self.inside().hangs.take();
        if let Some(hangs) = hangs {
            assert!(hangs.recv().is_err(), "nothing is sent");
        }
        let slow = self.inside().slow;
        if let Some(slow) = slow {
            let (_held, never) = mpsc::channel::<()>();
            assert!(never.recv_timeout(slow).is_err(), "nothing is sent");
        }
        let inside = self.inside();
        inside.refuses.map_or(Ok(()), Err)?;
        Ok(inside)
    }

    fn accounts(&self) -> Vec<String> {
        self.inside().entries.keys().cloned().collect()
    }

    fn refuse(&self, state: Option<SecretState>) {
        self.inside().refuses = state;
    }
}

impl Keychain for Memory {
    fn look(&self, account: &str) -> Result<bool, SecretState> {
        Ok(self.answers()?.entries.contains_key(account))
    }

    fn get(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        self.inside().gets += 1;
        Ok(self.answers()?.entries.get(account).cloned().map(Secret::new))
    }

    fn put(&self, account: &str, secret: &str) -> Result<(), SecretState> {
        self.answers()?.entries.insert(account.to_owned(), secret.to_owned());
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), SecretState> {
        self.answers()?.entries.remove(account);
        Ok(())
    }

    fn all(&self) -> Result<Vec<Found>, SecretState> {
        let inside = self.answers()?;
        let found = inside.entries.iter();
        Ok(found.map(|(account, secret)| (account.clone(), Ok(Secret::new(secret.clone())))).collect())
    }
}

fn console(home: &Path, keychain: &Memory) -> Console {
    let options = ConsoleOptions {
        paths: Paths::below(home).expect("the folder is ours"),
        clock: Arc::new(SystemClock),
        tenure: Tenure::Guest,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    };
    Console::start_with(options, Box::new(keychain.clone()))
        .expect("an empty folder holds no bad connections")
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn call() -> Call {
    Call { caller: caller(Role::Admin), confirmation: None, reason: None }
}

/// Saves a connection as the window and the command line do.
async fn save(console: &Console, name: &str) -> Connection {
    let redis_password = SecretInput::Set { value: PLANTED.to_owned() };
    let draft = ConnectionDraft { redis_password, ..draft(name) };
    console.call::<operation::connection_save>(&call(), draft).await.expect("saved")
}

/// A connection without a password.
fn draft(name: &str) -> ConnectionDraft {
    ConnectionDraft {
        id: None,
        name: name.to_owned(),
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
    }
}

/// The state as a process says that starts now, and what it means.
async fn told(home: &Path, keychain: &Memory) -> (SecretState, String) {
    let console = console(home, keychain);
    let list = console.call::<operation::connection_list>(&call(), Nothing {}).await.expect("listed");
    console.close().await;
    (list.secrets, list.secrets_detail)
}

/// What a process reads that starts now.
async fn read(home: &Path, keychain: &Memory, account: &str) -> Result<Option<String>, SecretState> {
    let console = console(home, keychain);
    let found = console.secrets().get(account).await;
    console.close().await;
    Ok(found?.map(|secret| secret.to_string()))
}

/// Keeps something in a process that starts now.
async fn keep(home: &Path, keychain: &Memory, account: &str, text: &str) -> SecretState {
    let console = console(home, keychain);
    let kept = console.secrets().put(account, secret(text)).await;
    console.close().await;
    kept
}

fn sealed(home: &Path) -> PathBuf {
    home.join("config/secrets.sealed")
}

fn assert_not_in_clear(home: &Path) {
    for entry in std::fs::read_dir(home.join("config")).expect("ours") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("ours");
        let is_there = bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes());
        assert!(!is_there, "it stands in {}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keychain_has_one_entry_and_the_file_nothing_in_clear() {
    let (home, keychain) = (folder(), Memory::default());
    assert_eq!(told(home.path(), &keychain).await, (SecretState::Ready, String::new()));
    assert!(!sealed(home.path()).exists(), "nothing is made by looking");
    let first = console(home.path(), &keychain);
    let account = format!("{}/redis", save(&first, "shop").await.id);
    assert_eq!(first.secrets().put("other", secret("one")).await, SecretState::Ready);
    first.close().await;

    let accounts = keychain.accounts();
    assert!(accounts.len() == 1 && accounts[0].starts_with("master-key/"), "{accounts:?}");
    let mode = std::fs::metadata(sealed(home.path())).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_not_in_clear(home.path());
    assert_eq!(read(home.path(), &keychain, &account).await, Ok(Some(PLANTED.to_owned())));
    assert_eq!(read(home.path(), &keychain, "unknown").await, Ok(None));
    assert_eq!(told(home.path(), &keychain).await, (SecretState::Ready, String::new()));

    // What is sealed under one name opens under no other one.
    let text = std::fs::read_to_string(sealed(home.path())).expect("text");
    let swapped = text.replace(&account, "?").replace("\"other\"", &format!("\"{account}\""));
    std::fs::write(sealed(home.path()), swapped.replace("\"?\"", "\"other\"")).expect("ours");
    assert_eq!(read(home.path(), &keychain, &account).await, Err(SecretState::SecretAltered));
    let (state, detail) = told(home.path(), &keychain).await;
    assert_eq!(state, SecretState::KeyChanged, "it is to be given again");
    assert!(detail.contains("it is about: shop"), "{detail}");
    std::fs::write(sealed(home.path()), &text).expect("ours");

    // What is cut off, or was written by a newer Watchpost, is left alone.
    let newer = text.replace("\"watchpost_sealed\": 1", "\"watchpost_sealed\": 2");
    for bad in ["", "{", &text[..text.len() / 2], newer.as_str()] {
        std::fs::write(sealed(home.path()), bad).expect("ours");
        assert_eq!(read(home.path(), &keychain, &account).await, Err(SecretState::FileDamaged));
        assert_eq!(keep(home.path(), &keychain, &account, "new").await, SecretState::FileDamaged);
        let (state, detail) = told(home.path(), &keychain).await;
        assert_eq!(state, SecretState::FileDamaged);
        assert!(detail.contains(&sealed(home.path()).display().to_string()), "{detail}");
        let left = std::fs::read_to_string(sealed(home.path())).expect("text");
        assert_eq!(left.as_str(), bad, "it stays as it is");
    }
    std::fs::write(sealed(home.path()), &text).expect("ours");

    let second = console(home.path(), &keychain);
    assert_eq!(second.secrets().remove("other").await, SecretState::Ready);
    second.close().await;
    assert_eq!(read(home.path(), &keychain, "other").await, Ok(None));
    assert_eq!(read(home.path(), &keychain, &account).await, Ok(Some(PLANTED.to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_before_are_moved_into_the_file_when_they_are_read() {
    let (home, keychain) = (folder(), Memory::default());
    for account in ["a/redis", "b/redis", "checkpoint-key"] {
        keychain.put(account, PLANTED).expect("it answers");
    }
    assert_eq!(read(home.path(), &keychain, "a/redis").await, Ok(Some(PLANTED.to_owned())));
    // Other homes of the account may sign with the key that logs had in common.
    assert_eq!(read(home.path(), &keychain, "checkpoint-key").await, Ok(Some(PLANTED.to_owned())));
    let accounts = keychain.accounts();
    assert!(!accounts.iter().any(|account| account == "a/redis"), "{accounts:?}");
    assert!(accounts.len() == 3 && accounts[2].starts_with("master-key/"), "{accounts:?}");
    assert_eq!(read(home.path(), &keychain, "a/redis").await, Ok(Some(PLANTED.to_owned())));
    // What is given anew takes the place of an entry that nobody read.
    assert_eq!(keep(home.path(), &keychain, "b/redis", "new").await, SecretState::Ready);
    assert_eq!(keychain.accounts().len(), 2);
    assert_eq!(read(home.path(), &keychain, "b/redis").await, Ok(Some("new".to_owned())));
    assert_not_in_clear(home.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_or_changed_key_asks_for_the_passwords_and_writes_over_nothing() {
    let (home, keychain) = (folder(), Memory::default());
    let first = console(home.path(), &keychain);
    let (shop, bank) = (save(&first, "shop").await, save(&first, "bank").await);
    first.close().await;
    let [shop, bank] = [shop, bank].map(|connection| format!("{}/redis", connection.id));
    let whole = std::fs::read(sealed(home.path())).expect("there");
    let key = keychain.inside().entries.clone();

    // Another key, something that is none, and none.
    let account = keychain.accounts().remove(0);
    for other in [Some("00".repeat(32)), Some("no key".to_owned()), None] {
        keychain.inside().entries.clear();
        if let Some(other) = other {
            keychain.put(&account, &other).expect("it answers");
        }
        let (state, detail) = told(home.path(), &keychain).await;
        assert_eq!(state, SecretState::KeyChanged);
        assert!(detail.contains("enter your passwords again"), "{detail}");
        assert!(detail.contains("bank, shop"), "{detail}");
        assert_eq!(read(home.path(), &keychain, &shop).await, Err(SecretState::KeyChanged));
        assert_eq!(std::fs::read(sealed(home.path())).expect("there"), whole, "reading writes nothing");
    }

    // What is given again is kept under a new key; what is not is asked for still.
    assert_eq!(keep(home.path(), &keychain, &shop, "new").await, SecretState::Ready);
    let aside = home.path().join("config/secrets.sealed.1");
    assert_eq!(std::fs::read(&aside).expect("kept aside"), whole);
    assert_eq!(read(home.path(), &keychain, &shop).await, Ok(Some("new".to_owned())));
    assert_eq!(read(home.path(), &keychain, &bank).await, Err(SecretState::KeyChanged));
    let (state, detail) = told(home.path(), &keychain).await;
    assert_eq!(state, SecretState::KeyChanged);
    assert!(detail.contains("bank") && !detail.contains("shop"), "{detail}");
    assert_eq!(keep(home.path(), &keychain, &bank, "new too").await, SecretState::Ready);
    assert_eq!(told(home.path(), &keychain).await, (SecretState::Ready, String::new()));

    // The key came back, and so does the file.
    keychain.inside().entries = key;
    std::fs::copy(&aside, sealed(home.path())).expect("ours");
    assert_eq!(read(home.path(), &keychain, &bank).await, Ok(Some(PLANTED.to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keychain_that_does_not_give_its_key_is_told_and_what_was_given_is_asked_for() {
    let (home, keychain) = (folder(), Memory::default());
    assert_eq!(keep(home.path(), &keychain, "a/redis", PLANTED).await, SecretState::Ready);
    let whole = std::fs::read(sealed(home.path())).expect("there");
    for state in [SecretState::Locked, SecretState::Denied, SecretState::Absent] {
        keychain.refuse(Some(state));
        let (said, detail) = told(home.path(), &keychain).await;
        assert_eq!(said, state);
        assert!(detail.contains("keychain"), "{detail}");
        assert_eq!(read(home.path(), &keychain, "a/redis").await, Err(state));
    }
    assert_eq!(std::fs::read(sealed(home.path())).expect("there"), whole, "nothing was written");

    // Given while nothing keeps it: known until the process ends, asked for afterwards.
    let first = console(home.path(), &keychain);
    assert_eq!(first.secrets().put("b/redis", secret(PLANTED)).await, SecretState::Absent);
    assert_eq!(
        first.secrets().get("b/redis").await.expect("memory").map(|s| s.to_string()),
        Some(PLANTED.into())
    );
    first.close().await;
    keychain.refuse(None);
    assert_eq!(read(home.path(), &keychain, "b/redis").await, Err(SecretState::KeyChanged));
    assert_eq!(read(home.path(), &keychain, "a/redis").await, Ok(Some(PLANTED.to_owned())));
    assert_eq!(told(home.path(), &keychain).await.0, SecretState::KeyChanged);
    let second = console(home.path(), &keychain);
    assert_eq!(second.secrets().remove("b/redis").await, SecretState::Ready);
    assert_eq!(second.secrets().state().await, SecretState::Ready);
    second.close().await;
    assert_eq!(read(home.path(), &keychain, "b/redis").await, Ok(None));
    assert_not_in_clear(home.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_lost_its_signing_key_signs_with_a_new_one() {
    let (home, keychain) = (folder(), Memory::default());
    let own = async || {
        let console = console(home.path(), &keychain);
        console.open(local_connection()).await.expect("the local workspace opens");
        console.call::<operation::audit_checkpoint>(&call(), Nothing {}).await.expect("signed");
        let keys = console.call::<operation::audit_key_list>(&call(), Nothing {}).await.expect("listed").keys;
        console.close().await;
        keys.into_iter().filter(|key| key.own).map(|key| key.name).collect::<Vec<String>>()
    };
    let before = own().await;
    assert_eq!(before.len(), 1);
    assert_eq!(own().await, before, "it outlasts the process");
    let accounts = keychain.accounts();
    assert!(accounts.len() == 1 && accounts[0].starts_with("master-key/"), "{accounts:?}");
    for state in [SecretState::Locked, SecretState::Denied, SecretState::Absent] {
        keychain.refuse(Some(state));
        let (closed, gets) = (console(home.path(), &keychain), keychain.inside().gets);
        closed.open(local_connection()).await.expect("the local workspace opens");
        assert_eq!(closed.secrets().state().await, state);
        assert_eq!(keychain.inside().gets, gets, "nobody is asked to open it for what needs no key");
        closed.call::<operation::audit_checkpoint>(&call(), Nothing {}).await.expect("there is one");
        assert!(keychain.inside().gets > gets, "for a signature somebody is");
        closed.close().await;
    }
    keychain.refuse(None);
    assert_eq!(own().await, before, "a keychain that is closed loses no key");
    keychain.inside().entries.clear();
    let after = own().await;
    assert!(after.len() == 1 && after != before, "{after:?}");
    // Nobody is asked for what nobody gave.
    assert_eq!(told(home.path(), &keychain).await, (SecretState::Ready, String::new()));
}

/// What a console that starts now says of its evidence, after it signed; something new is left for the other one to sign for.
async fn signed_and_witnessed_by(home: &Path, keychain: &Memory, at: &Connection) -> u32 {
    let console = console(home, keychain);
    console.open(at.clone()).await.expect("the database opens");
    console.call::<operation::audit_checkpoint>(&call(), Nothing {}).await.expect("signed");
    let checked = console.call::<operation::audit_verify>(&call(), AuditVerify::default()).await;
    assert!(checked.expect("a check answers").ok);
    console.call::<operation::audit_checkpoint>(&call(), Nothing {}).await.expect("signed");
    let trust = console.call::<operation::audit_trust>(&call(), Nothing {}).await.expect("told");
    console.close().await;
    trust.witnesses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_is_no_witness_to_itself() {
    let (home, keychain, shared) = (folder(), Memory::default(), folder());
    let path = shared.path().join("watchpost.db").display().to_string();
    let at = Connection { database: DatabaseConnection::Sqlite { path: Some(path) }, ..local_connection() };
    assert_eq!(signed_and_witnessed_by(home.path(), &keychain, &at).await, 0, "alone");
    // The keychain loses the key, so the console has another one from now on.
    keychain.inside().entries.clear();
    for _ in 0..2 {
        let own = signed_and_witnessed_by(home.path(), &keychain, &at).await;
        assert_eq!(own, 0, "what it signed before with another key is no witness");
    }
    let (other_home, other_keychain) = (folder(), Memory::default());
    for _ in 0..3 {
        signed_and_witnessed_by(other_home.path(), &other_keychain, &at).await;
        signed_and_witnessed_by(home.path(), &keychain, &at).await;
    }
    assert_eq!(signed_and_witnessed_by(home.path(), &keychain, &at).await, 1, "the other one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_signing_key_is_told_and_nothing_takes_its_place() {
    let (home, keychain) = (folder(), Memory::default());
    let own = async || {
        let console = console(home.path(), &keychain);
        console.open(local_connection()).await.expect("the local workspace opens");
        console.call::<operation::audit_checkpoint>(&call(), Nothing {}).await.expect("there is one");
        let keys = console.call::<operation::audit_key_list>(&call(), Nothing {}).await.expect("listed").keys;
        let said = console.status(&call().caller).await.secrets;
        console.close().await;
        (keys.into_iter().filter(|key| key.own).map(|key| key.name).collect::<Vec<String>>(), said)
    };
    let (before, said) = own().await;
    assert_eq!((before.len(), said), (1, SecretState::Ready));
    let whole = std::fs::read_to_string(sealed(home.path())).expect("text");
    let line = whole.lines().find(|line| line.contains("\"checkpoint-key/")).expect("the key is in it");
    let (account, value) = line.split_once(": \"").expect("a field");
    let first = if value.starts_with('0') { "1" } else { "0" };
    let bad = whole.replace(line, &format!("{account}: \"{first}{}", value.get(1..).expect("hex")));
    std::fs::write(sealed(home.path()), &bad).expect("ours");

    let (now, said) = own().await;
    assert_eq!((now, said), (Vec::new(), SecretState::SecretAltered));
    let (state, detail) = told(home.path(), &keychain).await;
    assert_eq!(state, SecretState::SecretAltered);
    assert!(detail.contains("the key that signs the audit trail"), "{detail}");
    assert!(detail.contains(&sealed(home.path()).display().to_string()), "{detail}");
    assert_eq!(std::fs::read_to_string(sealed(home.path())).expect("text"), bad, "it stays as it is");

    // A copy of the file brings the key back; without its line there is a new one.
    std::fs::write(sealed(home.path()), &whole).expect("ours");
    assert_eq!(own().await, (before.clone(), SecretState::Ready));
    let mut content: serde_json::Value = serde_json::from_str(&bad).expect("JSON");
    let secrets = content.get_mut("secrets").and_then(|all| all.as_object_mut()).expect("there");
    secrets.retain(|account, _| !account.starts_with("checkpoint-key/"));
    std::fs::write(sealed(home.path()), content.to_string()).expect("ours");
    let (after, said) = own().await;
    assert_eq!((after.len(), said), (1, SecretState::Ready));
    assert_ne!(after, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_keychain_the_connections_are_named_whose_passwords_are_to_be_given_again() {
    let (home, keychain) = (folder(), Memory::default());
    keychain.refuse(Some(SecretState::Absent));
    let first = console(home.path(), &keychain);
    let shop = save(&first, "shop").await;
    let list = first.call::<operation::connection_list>(&call(), Nothing {}).await.expect("listed");
    assert!(!list.secrets_detail.contains("shop"), "this process has it: {}", list.secrets_detail);
    assert_eq!(first.secret_named(&format!("{}/redis", shop.id)), "the redis password of \"shop\"");
    first.close().await;
    let (state, detail) = told(home.path(), &keychain).await;
    assert_eq!(state, SecretState::Absent);
    assert!(detail.contains("enter the passwords again of: shop"), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_with_a_passphrase_takes_over_what_is_sealed() {
    let (home, keychain) = (folder(), Memory::default());
    assert_eq!(keep(home.path(), &keychain, "a/redis", PLANTED).await, SecretState::Ready);
    keychain.put("b/redis", "in an entry of its own").expect("it answers");
    let console = console(home.path(), &keychain);
    let made = console.secrets().make_file(secret("correct horse battery staple")).await.expect("made");
    assert_eq!((made.over, made.left), (vec!["a/redis".to_owned(), "b/redis".to_owned()], Vec::new()));
    assert_eq!(console.secrets().state().await, SecretState::FileReady);
    let found = console.secrets().get("a/redis").await.expect("it opens").expect("carried over");
    assert_eq!(found.as_str(), PLANTED);
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_password_needs_no_keychain_and_no_file() {
    let (home, keychain) = (folder(), Memory::default());
    let first = console(home.path(), &keychain);
    let with = save(&first, "with").await;
    let without = first.call::<operation::connection_save>(&call(), draft("without")).await.expect("saved");
    first.close().await;
    // What is tried is what a process says that starts now.
    let answers = async |connection: &Connection| {
        let console = console(home.path(), &keychain);
        let Connection { id, name, redis, database, .. } = connection.clone();
        let draft = ConnectionDraft { id: Some(id), redis, database, ..draft(&name) };
        let tried = console.call::<operation::connection_test>(&call(), draft).await;
        console.close().await;
        tried.map(drop).map_err(|problem| problem.code)
    };
    let refused = Err(ErrorCode::SecretStore);

    keychain.refuse(Some(SecretState::TimedOut));
    assert_eq!(answers(&without).await, Ok(()));
    assert_eq!(answers(&with).await, refused, "it has one");
    let opened = console(home.path(), &keychain);
    opened.open(without.clone()).await.expect("its database opens");
    opened.close().await;

    keychain.refuse(None);
    let whole = std::fs::read(sealed(home.path())).expect("there");
    std::fs::write(sealed(home.path()), &whole[..whole.len() / 2]).expect("ours");
    assert_eq!(answers(&without).await, Ok(()));
    assert_eq!(answers(&with).await, refused);
    std::fs::write(sealed(home.path()), &whole).expect("ours");

    let third = console(home.path(), &keychain);
    third.secrets().make_file(secret("correct horse battery staple")).await.expect("made");
    third.close().await;
    std::fs::remove_file(home.path().join("config/.secrets.age.names")).expect("it is noted");
    assert_eq!(answers(&without).await, Ok(()), "nor a passphrase");
    assert_eq!(answers(&with).await, refused);

    // Without the note, as in homes of before, it cannot be said that none is needed.
    let note = home.path().join("config/passwords-given.json");
    assert!(!std::fs::read_to_string(&note).expect("it is noted").contains(PLANTED));
    std::fs::remove_file(&note).expect("ours");
    assert_eq!(answers(&without).await, refused);
    // What is cleared is not asked for any more.
    let again = console(home.path(), &keychain);
    let cleared = ConnectionDraft {
        id: Some(without.id),
        redis_password: SecretInput::Clear,
        database_password: SecretInput::Clear,
        ..draft("without")
    };
    again.call::<operation::connection_save>(&call(), cleared).await.expect("saved");
    again.close().await;
    assert_eq!(answers(&without).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_given_and_is_gone_is_asked_for() {
    let (home, keychain) = (folder(), Memory::default());
    let file = home.path().join("config/secrets.age");
    let try_out = async |connection: &Connection| {
        let console = console(home.path(), &keychain);
        let Connection { id, name, redis, database, .. } = connection.clone();
        let draft = ConnectionDraft { id: Some(id), redis, database, ..draft(&name) };
        let tried = console.call::<operation::connection_test>(&call(), draft).await;
        console.close().await;
        tried.err().and_then(|problem| problem.hint).unwrap_or_default()
    };
    let first = console(home.path(), &keychain);
    let shop = save(&first, "shop").await;
    first.close().await;

    // The keychain gave nothing away, and a new file was made without it.
    keychain.refuse(Some(SecretState::Denied));
    let second = console(home.path(), &keychain);
    let passphrase = secret("correct horse battery staple");
    let made = second.secrets().make_file_leaving(passphrase, true).await.expect("made");
    assert!(made.left.contains(&format!("{}/redis", shop.id)), "{made:?}");
    // That is said of the connection that has lost it, and where all are listed.
    second.open(local_connection()).await.expect("the local workspace opens");
    assert_eq!(second.status(&call().caller).await.secrets, SecretState::FileReady);
    second.open(shop.clone()).await.expect_err("its password is to be given again");
    let list = second.call::<operation::connection_list>(&call(), Nothing {}).await.expect("listed");
    assert_eq!(list.secrets, SecretState::KeyChanged);
    assert!(list.secrets_detail.contains("it is about: shop"), "{}", list.secrets_detail);
    second.close().await;
    let hint = try_out(&shop).await;
    assert!(hint.contains("enter your passwords again"), "{hint}");

    // It was given again to a file that was moved away later, where there is no keychain.
    std::fs::remove_file(&file).expect("it was made");
    std::fs::remove_file(sealed(home.path())).expect("it was made");
    keychain.refuse(Some(SecretState::Absent));
    let hint = try_out(&shop).await;
    assert!(hint.contains("enter your passwords again"), "{hint}");
    keychain.refuse(None);
    let (state, detail) = told(home.path(), &keychain).await;
    assert_eq!(state, SecretState::KeyChanged);
    assert!(detail.contains("it is about: shop"), "{detail}");
    let third = console(home.path(), &keychain);
    let again = ConnectionDraft {
        id: Some(shop.id),
        redis_password: SecretInput::Set { value: PLANTED.to_owned() },
        ..draft("shop")
    };
    third.call::<operation::connection_save>(&call(), again).await.expect("saved");
    third.close().await;
    assert_eq!(told(home.path(), &keychain).await, (SecretState::Ready, String::new()));
    assert_eq!(try_out(&shop).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keychain_that_hangs_is_waited_for_once() {
    let (home, keychain) = (folder(), Memory::default());
    let (hold, hangs) = mpsc::channel::<()>();
    keychain.inside().hangs = Some(hangs);
    let console = console(home.path(), &keychain);
    let asked = std::time::Instant::now();
    assert_eq!(console.secrets().state().await, SecretState::TimedOut);
    let first = asked.elapsed();
    assert_eq!(console.secrets().put("a/redis", secret(PLANTED)).await, SecretState::TimedOut);
    assert_eq!(console.secrets().get("b/redis").await.map(drop), Err(SecretState::TimedOut));
    assert!(asked.elapsed() - first < first, "the others did not wait");
    drop(hold);
    console.close().await;
}

/// Each answer comes in time, and all together do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keychain_that_answers_slowly_is_not_waited_for_at_each_question() {
    let (home, keychain) = (folder(), Memory::default());
    let before = console(home.path(), &keychain);
    assert_eq!(before.secrets().put("a/redis", secret(PLANTED)).await, SecretState::Ready);
    before.close().await;
    keychain.inside().slow = Some(Duration::from_secs(3));
    let console = console(home.path(), &keychain);
    let asked = std::time::Instant::now();
    assert_eq!(console.secrets().state().await, SecretState::TimedOut);
    assert!(asked.elapsed() < Duration::from_secs(7), "{:?}", asked.elapsed());
    keychain.inside().slow = None;
    assert_eq!(console.secrets().get("a/redis").await.map(drop), Ok(()), "what needs the answer has it");
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keychain_that_hangs_is_not_waited_for_long_by_what_needs_no_secret() {
    let (home, keychain) = (folder(), Memory::default());
    let status = async || {
        let console = console(home.path(), &keychain);
        let asked = std::time::Instant::now();
        console.open(local_connection()).await.expect("the local workspace opens");
        let said = console.status(&call().caller).await.secrets;
        (console, said, asked.elapsed())
    };
    // Makes the database and the key.
    status().await.0.close().await;
    let (usual, said, took_usually) = status().await;
    assert_eq!(said, SecretState::Ready);
    usual.close().await;

    let (hold, hangs) = mpsc::channel::<()>();
    keychain.inside().hangs = Some(hangs);
    let (hung, said, took) = status().await;
    assert_eq!(said, SecretState::TimedOut);
    assert!(took < took_usually + Duration::from_secs(4), "{took:?} against {took_usually:?}");
    // What needs the answer has it as soon as there is one.
    drop(hold);
    assert_eq!(hung.secrets().put("a/redis", secret(PLANTED)).await, SecretState::Ready);
    hung.close().await;
}
