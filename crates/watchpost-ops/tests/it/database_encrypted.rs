//! Encrypted copies of the audit database: nobody reads them without a key, and with one they are what was copied.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use age::secrecy::ExposeSecret;
use watchpost_model::clock::ManualClock;
use watchpost_model::copies::{CopyEncryption, CopyKey, Generations};
use watchpost_model::job::{JobKind, JobRun, JobState};
use watchpost_model::plan::{Plan, PlannedJob};
use watchpost_model::register::EntryResult;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    DatabaseBackup, DatabaseBackupRef, DatabaseCopy, DatabaseCopyRun, DatabaseRehearse, DatabaseRestore,
    JobPlanPut, Nothing, SettingsChange,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::database_copies::{fact, files, going, restore_tests};
use crate::door::{Desk, desk, folder};

/// Stands in the plain database, and nowhere in an encrypted copy.
const PLANTED: &str = "Organisation that was planted";

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A new key: whom to encrypt for, and what opens it.
pub(crate) fn new_key(folder: &Path, name: &str) -> (String, CopyKey) {
    let identity = age::x25519::Identity::generate();
    let file = folder.join(name);
    let lines = format!("# made by a test\n\n{}\n", identity.to_string().expose_secret());
    std::fs::write(&file, lines).expect("ours");
    (identity.to_public().to_string(), CopyKey { identity: Some(text(&file)), passphrase_file: None })
}

pub(crate) fn recipients(names: &[&String]) -> CopyEncryption {
    CopyEncryption { recipients: names.iter().map(|name| (*name).clone()).collect(), passphrase_file: None }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn plant(desk: &Desk) {
    let settings = desk.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
    let change = SettingsChange {
        organisation: PLANTED.to_owned(),
        retention: settings.retention,
        reason: Some("planted".to_owned()),
    };
    desk.ask::<operation::settings_put>(change).await.expect("settings can be changed");
}

async fn backed_up(desk: &Desk, file: &Path, encryption: Option<CopyEncryption>) -> DatabaseCopy {
    let request = DatabaseBackup { path: text(file), ticket: None, encryption };
    desk.ask::<operation::database_backup>(request).await.expect("a backup is made")
}

async fn checked(desk: &Desk, file: &Path, key: Option<&CopyKey>) -> Result<DatabaseCopy, OpError> {
    let request = DatabaseBackupRef { path: text(file), ticket: None, key: key.cloned() };
    desk.ask::<operation::database_check>(request).await
}

async fn restored(
    desk: &Desk,
    file: &Path,
    to: &Path,
    key: Option<&CopyKey>,
) -> Result<DatabaseCopy, OpError> {
    let request =
        DatabaseRestore { path: text(file), to: text(to), database: None, ticket: None, key: key.cloned() };
    desk.ask::<operation::database_restore>(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_backup_holds_no_text_and_comes_back_the_same() {
    let (home, vault, keys) = (folder(), folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    plant(&desk).await;
    let plain = vault.path().join("plain.db");
    backed_up(&desk, &plain, None).await;
    assert!(holds(&std::fs::read(&plain).expect("there"), PLANTED), "it stands in a plain copy");
    std::fs::remove_file(&plain).expect("ours");

    let ((one, key), (two, other)) = (new_key(keys.path(), "one.txt"), new_key(keys.path(), "two.txt"));
    let (_, strange) = new_key(keys.path(), "three.txt");
    let file = vault.path().join("one.db.age");
    let made = backed_up(&desk, &file, Some(recipients(&[&one, &two]))).await;
    assert_eq!(made.encryption, Some(format!("for 2 recipients: {one}, {two}")));
    assert!(made.trail.ok);
    let bytes = std::fs::read(&file).expect("there");
    assert_eq!(made.bytes, bytes.len() as u64);
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> "), "it is in the age format");
    assert!(!holds(&bytes, PLANTED) && !holds(&bytes, "SQLite format") && !holds(&bytes, "settings_put"));
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(files(vault.path()), ["one.db.age"], "nothing plain is beside it");
    let scratch = home.path().join("data/rehearsal-of-database");
    assert_eq!(files(&scratch), Vec::<String>::new(), "nothing plain is left of making it");

    // Either key opens it; neither nothing nor another one does.
    for key in [&key, &other] {
        let copy = checked(&desk, &file, Some(key)).await.expect("it can be checked");
        assert_eq!((&copy.sha256, &copy.trail.root), (&made.sha256, &made.trail.root));
        assert_eq!(copy.encryption.as_deref(), Some("for 2 recipients"));
        assert!(copy.made_at.is_some(), "the trail names the file as it is");
    }
    let to = vault.path().join("two.db");
    for (key, why) in [(None, "nothing that opens it was named"), (Some(&strange), "none of the identities")]
    {
        for refused in [checked(&desk, &file, key).await, restored(&desk, &file, &to, key).await] {
            let refused = refused.expect_err("it does not open");
            assert_eq!(refused.code, ErrorCode::Validation);
            assert!(refused.message.contains("encrypted for 2 recipients"), "{refused}");
            assert!(refused.message.contains(why), "{refused}");
            assert!(refused.hint.is_some_and(|hint| hint.contains("--identity FILE")));
        }
    }
    // Cut off in its text, at the end of it, in its header; altered in its text and in its header.
    let bad = vault.path().join("bad.age");
    let middle = bytes.len() / 2;
    let altered = |at: usize| {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        altered
    };
    let cut = |at: usize| bytes[..at].to_vec();
    for bytes in [cut(middle), cut(bytes.len() - 1), cut(100), altered(middle), altered(60)] {
        std::fs::write(&bad, bytes).expect("ours");
        assert!(checked(&desk, &bad, Some(&key)).await.is_err(), "it is not whole");
        assert!(restored(&desk, &bad, &to, Some(&key)).await.is_err());
    }
    std::fs::remove_file(&bad).expect("ours");
    assert_eq!(files(vault.path()), ["one.db.age"], "nothing was made of them");
    assert_eq!(files(&scratch), Vec::<String>::new());

    let back = restored(&desk, &file, &to, Some(&key)).await.expect("it can be put back");
    assert_eq!((&back.trail.root, back.trail.leaves), (&made.trail.root, made.trail.leaves));
    assert!(holds(&std::fs::read(&to).expect("there"), PLANTED));
    assert_eq!(std::fs::metadata(&to).expect("there").permissions().mode() & 0o777, 0o600);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passphrase_in_a_file_encrypts_and_opens_too() {
    let (home, vault, keys) = (folder(), folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let words = |name: &str, words: &str| {
        let file = keys.path().join(name);
        std::fs::write(&file, words).expect("ours");
        text(&file)
    };
    let right = words("right", "correct horse battery staple\n");
    let wrong = words("wrong", "correct horse battery stable\n");
    let empty = words("empty", "\n");
    let file = vault.path().join("one.db.age");
    let with = |file: &str| CopyEncryption { recipients: Vec::new(), passphrase_file: Some(file.to_owned()) };
    let request = DatabaseBackup { path: text(&file), ticket: None, encryption: Some(with(&empty)) };
    let refused = desk.ask::<operation::database_backup>(request).await.expect_err("it is none");
    assert!(refused.message.contains("holds no passphrase"), "{refused}");
    assert!(!file.exists());
    let made = backed_up(&desk, &file, Some(with(&right))).await;
    assert_eq!(made.encryption.as_deref(), Some("with a passphrase"));
    let key = |file: &str| CopyKey { identity: None, passphrase_file: Some(file.to_owned()) };
    let refused = checked(&desk, &file, Some(&key(&wrong))).await.expect_err("it is another one");
    assert!(refused.message.contains("another passphrase"), "{refused}");
    let (_, identity) = new_key(keys.path(), "key.txt");
    let refused = checked(&desk, &file, Some(&identity)).await.expect_err("it needs a passphrase");
    assert!(refused.message.contains("no passphrase was named"), "{refused}");
    let copy = checked(&desk, &file, Some(&key(&right))).await.expect("it opens");
    assert_eq!(copy.trail.root, made.trail.root);
    desk.console.close().await;
}

async fn plan(desk: &Desk, change: impl Fn(&mut PlannedJob)) -> Result<Plan, OpError> {
    let mut plan = desk.ask::<operation::job_plan>(Nothing {}).await.expect("shown").plan;
    plan.jobs.iter_mut().for_each(change);
    let put = JobPlanPut { plan, reason: None };
    desk.ask::<operation::job_plan_put>(put).await.map(|state| state.plan)
}

async fn rehearsed(desk: &Desk, clock: &ManualClock, key: Option<&CopyKey>) -> JobRun {
    // The newest of several runs is told by its time.
    clock.advance(chrono::Duration::seconds(1));
    let request = DatabaseRehearse { path: None, key: key.cloned() };
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    desk.finish(run).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_encrypts_its_copies_and_rehearses_them_with_a_key_only() {
    let (home, out, keys) = (folder(), folder(), folder());
    let (desk, clock) = going(&home, "2026-11-20T12:00:00Z").await;
    plant(&desk).await;
    let (recipient, key) = new_key(keys.path(), "key.txt");
    let (_, strange) = new_key(keys.path(), "strange.txt");
    let wanted = recipients(&[&recipient]);
    let encrypted = |job: &mut PlannedJob| {
        if job.kind == JobKind::DatabaseBackup {
            job.on = true;
            job.folder = Some(text(out.path()));
            job.generations = Some(Generations { daily: 1, weekly: 0, monthly: 0 });
            job.encryption = Some(wanted.clone());
        }
    };
    let by_passphrase = CopyKey { identity: None, passphrase_file: Some(text(&keys.path().join("key.txt"))) };
    for named in [None, Some(&by_passphrase)] {
        let refused = plan(&desk, |job| {
            encrypted(job);
            if job.kind == JobKind::DatabaseRehearsal {
                (job.on, job.key) = (true, named.cloned());
            }
        });
        let refused = refused.await.expect_err("a rehearsal could open none of them");
        assert_eq!(refused.field.as_deref(), Some("key"), "{refused}");
        assert!(refused.message.contains("no identity file that opens them"), "{refused}");
    }
    plan(&desk, encrypted).await.expect("kept");
    let copied = async || {
        let run =
            desk.ask::<operation::database_copy_run>(DatabaseCopyRun::default()).await.expect("started");
        let run = desk.finish(run).await;
        assert_eq!(run.state, JobState::Done, "{:?}", run.error);
        run
    };
    let made = copied().await;
    let name = "watchpost-local-20261120T120000Z.db.age";
    assert_eq!(files(out.path()), [name]);
    assert_eq!(fact(&made, "encryption"), format!("for 1 recipient: {recipient}"));
    let bytes = std::fs::read(out.path().join(name)).expect("there");
    assert!(bytes.starts_with(b"age-encryption.org/v1\n") && !holds(&bytes, PLANTED));
    let copies = desk.ask::<operation::database_copies>(Nothing {}).await.expect("told");
    assert_eq!(copies.problem, None, "an encrypted copy is one");
    assert!(copies.last.is_some_and(|run| fact(&run, "encryption").starts_with("for 1 recipient")));

    // Without a key, or with another one, it is not rehearsed, which is told and is no restore test.
    for (key, why) in [(None, "no key for it is named"), (Some(&strange), "does not open it")] {
        let run = rehearsed(&desk, &clock, key).await;
        assert_eq!(run.state, JobState::Failed);
        let error = run.error.expect("it says why");
        assert!(error.contains("cannot be rehearsed: it is encrypted for 1 recipient"), "{error}");
        assert!(error.contains(why) && error.contains("--identity FILE"), "{error}");
    }
    assert!(restore_tests(&desk).await.is_empty(), "nothing was tried");
    let copies = desk.ask::<operation::database_copies>(Nothing {}).await.expect("told");
    assert!(copies.problem.is_some_and(|problem| problem.contains("cannot be rehearsed")));
    let run = rehearsed(&desk, &clock, Some(&key)).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert_eq!(
        (fact(&run, "root"), fact(&run, "sha256"), fact(&run, "encryption")),
        (fact(&made, "root"), fact(&made, "sha256"), "for 1 recipient")
    );
    plan(&desk, |job| {
        if job.kind == JobKind::DatabaseRehearsal {
            (job.on, job.key) = (true, Some(key.clone()));
        }
    })
    .await
    .expect("kept");
    assert_eq!(rehearsed(&desk, &clock, None).await.state, JobState::Done, "the plan names the key");
    assert_eq!(restore_tests(&desk).await, [EntryResult::Good, EntryResult::Good]);
    assert_eq!(files(&home.path().join("data/rehearsal-of-database")), Vec::<String>::new());

    // Older encrypted copies go as plain ones do.
    clock.advance(chrono::Duration::days(1));
    copied().await;
    let left = files(out.path());
    assert!(left.len() == 1 && left.iter().all(|left| left != name && left.ends_with(".db.age")), "{left:?}");
    // One that was altered is no copy any more, whoever has the key.
    let newest = out.path().join(&left[0]);
    let mut bytes = std::fs::read(&newest).expect("there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, bytes).expect("ours");
    let run = rehearsed(&desk, &clock, None).await;
    assert!(run.error.is_some_and(|error| error.contains("not the copy that was made")));
    assert_eq!(restore_tests(&desk).await.last(), Some(&EntryResult::Bad));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_recipient_and_no_identity_is_refused_and_secrets_are_not_repeated() {
    let (home, out, keys) = (folder(), folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let (recipient, key) = new_key(keys.path(), "key.txt");
    let identity = key.identity.clone().expect("it has a file");
    let secret = std::fs::read_to_string(&identity).expect("ours");
    let secret = secret.lines().last().expect("it has lines").to_owned();
    let encrypted_by = async |encryption: CopyEncryption| {
        plan(&desk, |job| {
            if job.kind == JobKind::DatabaseBackup {
                job.folder = Some(text(out.path()));
                job.encryption = Some(encryption.clone());
            }
        })
        .await
    };
    for bad in [&secret, &"ssh-ed25519 AAAA".to_owned(), &format!("{recipient}x")] {
        let refused = encrypted_by(recipients(&[&recipient, bad])).await.expect_err("it is no recipient");
        assert_eq!(refused.field.as_deref(), Some("encryption"));
        assert!(!refused.to_string().contains(&secret), "{refused}");
    }
    encrypted_by(recipients(&[&recipient])).await.expect("it is one");

    let file = out.path().join("one.db.age");
    backed_up(&desk, &file, Some(recipients(&[&recipient]))).await;
    let broken = keys.path().join("broken.txt");
    for (bad, why) in [
        (String::new(), "holds no identity"),
        (secret.replace("1", "2"), "no identity in line 1"),
        ("age-encryption.org/v1\n-> scrypt x 18\n".to_owned(), "is locked itself"),
    ] {
        std::fs::write(&broken, &bad).expect("ours");
        let named = CopyKey { identity: Some(text(&broken)), passphrase_file: None };
        let refused = checked(&desk, &file, Some(&named)).await.expect_err("it is none");
        assert!(refused.message.contains(why), "{refused}");
        assert!(bad.is_empty() || !refused.to_string().contains(bad.trim()), "{refused}");
    }
    let missing = CopyKey { identity: Some(text(&keys.path().join("missing"))), passphrase_file: None };
    let refused = checked(&desk, &file, Some(&missing)).await.expect_err("there is none");
    assert_eq!(refused.code, ErrorCode::Unavailable);
    desk.console.close().await;
}
