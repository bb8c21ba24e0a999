//! The console as a witness of its audit log: what it saw is outside the database, and so are the places that it fills.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use watchpost_model::access::Role;
use watchpost_model::audit::{AuditVerification, EvidenceStrength};
use watchpost_model::connection::{Connection, DatabaseConnection};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditAccept, AuditPageRequest, AuditPlaces, AuditPlacesPut, AuditTrust, AuditVerify, AuditWebhook,
    DatabaseBackup, DatabaseRestore, Nothing, SettingsChange, TrailStatus,
};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, caller, desk, folder};
use crate::report_tampered::tamper;

/// Asks the database only; a key of the session is an owner's, so these sign.
pub(crate) async fn open(home: &TempDir) -> Desk {
    desk(home, Tenure::Owner, local_connection()).await
}

pub(crate) async fn change(desk: &Desk, organisation: &str) {
    let settings = desk.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
    let change = SettingsChange {
        organisation: organisation.to_owned(),
        retention: settings.retention,
        reason: Some("a test".to_owned()),
    };
    desk.ask::<operation::settings_put>(change).await.expect("settings can be changed");
}

pub(crate) async fn status(desk: &Desk) -> TrailStatus {
    desk.ask::<operation::workspace_status>(Nothing {})
        .await
        .expect("a file of ours")
        .trail
        .expect("a connection is open")
}

pub(crate) async fn verify(desk: &Desk) -> AuditVerification {
    desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("a check answers")
}

pub(crate) async fn trust(desk: &Desk) -> AuditTrust {
    desk.ask::<operation::audit_trust>(Nothing {}).await.expect("trust is told")
}

/// The files of the database, closed.
fn files(home: &TempDir) -> Vec<PathBuf> {
    let workspace = home.path().join("data/workspace");
    let all = std::fs::read_dir(workspace)
        .expect("a file of ours")
        .map(|entry| entry.expect("a file of ours").path());
    all.filter(|path| path.file_name().expect("a file of ours").to_string_lossy().starts_with("watchpost.db"))
        .collect()
}

pub(crate) fn save(home: &TempDir, to: &TempDir) {
    for file in files(home) {
        std::fs::copy(&file, to.path().join(file.file_name().expect("a file of ours")))
            .expect("a file of ours");
    }
}

fn remove(home: &TempDir) {
    for file in files(home) {
        std::fs::remove_file(file).expect("a file of ours");
    }
}

pub(crate) fn put_back(home: &TempDir, from: &TempDir) {
    remove(home);
    for entry in std::fs::read_dir(from.path()).expect("a file of ours") {
        let path = entry.expect("a file of ours").path();
        std::fs::copy(
            &path,
            home.path().join("data/workspace").join(path.file_name().expect("a file of ours")),
        )
        .expect("a file of ours");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_emptied_or_put_back_does_not_verify() {
    let (home, old) = (folder(), folder());
    let desk1 = open(&home).await;
    change(&desk1, "One").await;
    let first = verify(&desk1).await;
    assert!(first.ok && first.from == 0, "{:?}", first.problems);
    desk1.console.close().await;
    save(&home, &old);

    let desk2 = open(&home).await;
    assert!(status(&desk2).await.ok);
    change(&desk2, "Two").await;
    let second = verify(&desk2).await;
    assert!(second.ok && second.from > 0, "an untouched log goes on: {:?}", second.problems);
    desk2.console.close().await;

    remove(&home);
    let emptied = open(&home).await;
    let told = status(&emptied).await;
    assert!(!told.ok && told.detail.contains("this console saw"), "{told:?}");
    let checked = verify(&emptied).await;
    assert!(!checked.ok && checked.first_bad_seq == Some(0), "{:?}", checked.problems);
    assert!(trust(&emptied).await.signer.is_none(), "it signs for no such log");
    let refused = emptied.ask::<operation::audit_checkpoint>(Nothing {}).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Precondition);
    change(&emptied, "The work goes on").await;
    assert!(!verify(&emptied).await.ok, "also when it has grown");
    emptied.console.close().await;

    put_back(&home, &old);
    let back = open(&home).await;
    let told = status(&back).await;
    assert!(!told.ok && told.detail.contains("rolled back"), "{told:?}");
    assert!(!verify(&back).await.ok);

    let analyst = Call { caller: caller(Role::Analyst), ..back.call.clone() };
    let accept = AuditAccept { reason: "the backup of this morning was put back".to_owned() };
    let denied = back.console.call::<operation::audit_accept>(&analyst, accept.clone()).await.unwrap_err();
    assert_eq!(denied.code, ErrorCode::Permission);
    let nothing = AuditAccept { reason: " ".to_owned() };
    assert!(back.ask::<operation::audit_accept>(nothing).await.is_err(), "it needs a reason");
    let accepted =
        back.ask::<operation::audit_accept>(accept.clone()).await.expect("a person may take it as it is");
    assert!(accepted.ok && status(&back).await.ok);
    let again = verify(&back).await;
    assert!(again.ok && again.from == 0, "everything is read again: {:?}", again.problems);
    let page = back
        .ask::<operation::audit_page>(AuditPageRequest { limit: 50, ..Default::default() })
        .await
        .unwrap();
    let record = page
        .rows
        .iter()
        .find(|row| row.action == "audit_accept" && row.reason == Some(accept.reason.clone()));
    assert!(record.expect("it is in the trail").changes[0].old.as_str().unwrap().contains("rolled back"));
    let twice = back.ask::<operation::audit_accept>(accept).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Precondition, "there is nothing to accept");
    back.console.close().await;
    let calm = open(&home).await;
    assert!(status(&calm).await.ok, "it is remembered");
    calm.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_check_that_failed_everything_is_read_until_one_is_good() {
    let home = folder();
    let desk = open(&home).await;
    change(&desk, "One").await;
    assert!(verify(&desk).await.ok);
    let found = desk.ask::<operation::audit_page>(AuditPageRequest { limit: 50, ..Default::default() }).await;
    let row = found.expect("a page").rows.into_iter().find(|row| row.action == "settings_put");
    let (seq, actor) = row.map(|row| (row.seq, row.actor)).expect("the change is in the trail");
    tamper(&home, &format!("UPDATE audit_record SET actor = 'mallory' WHERE seq = {seq}"));
    assert!(verify(&desk).await.ok, "a column of an old record is not read again");
    let whole = AuditVerify { full: true, ..AuditVerify::default() };
    let checked = desk.ask::<operation::audit_verify>(whole).await.expect("a check answers");
    assert!(!checked.ok && checked.first_bad_seq == Some(seq), "{:?}", checked.problems);
    let told = status(&desk).await;
    assert!(!told.ok && told.detail.contains(&format!("record {seq}")), "{told:?}");
    let told = trust(&desk).await;
    assert!(!told.ok && told.failed_at.is_some() && told.first_bad_seq == Some(seq), "{told:?}");
    assert_eq!(told.verified_at, None);
    desk.console.close().await;

    let again = open(&home).await;
    assert!(!status(&again).await.ok, "another process says so too");
    let checked = verify(&again).await;
    assert!(!checked.ok && checked.from == 0, "{:?}", checked.problems);
    tamper(&home, &format!("UPDATE audit_record SET actor = '{actor}' WHERE seq = {seq}"));
    let checked = verify(&again).await;
    assert!(checked.ok && checked.from == 0, "{:?}", checked.problems);
    assert!(status(&again).await.ok && trust(&again).await.failed_at.is_none());
    assert!(verify(&again).await.from > 0, "it goes on from there");
    again.console.close().await;
}

/// A log that fits together, and not to what an earlier check saw of it: no later check could find that out again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_an_earlier_check_stays_until_it_is_accepted() {
    let home = folder();
    let desk = open(&home).await;
    change(&desk, "One").await;
    assert!(verify(&desk).await.ok);
    change(&desk, "Two").await;
    desk.console.close().await;
    let files = std::fs::read_dir(home.path().join("data/witness")).expect("the memories");
    let is_of_log =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log-"));
    let mut files = files
        .map(|entry| entry.expect("a memory").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"));
    let file = files.find(is_of_log).expect("the memory of the log");
    let text = std::fs::read_to_string(&file).expect("a memory");
    let mut memory: serde_json::Value = serde_json::from_str(&text).expect("a memory");
    let edge = memory.pointer_mut("/verified/seen/frontier").expect("the edge of what was checked");
    let other = edge.as_str().expect("in hex").replace(|ch: char| ch.is_ascii_digit(), "a");
    *edge = serde_json::Value::String(other);
    std::fs::write(&file, memory.to_string()).expect("the memory is altered");

    let desk = open(&home).await;
    for _ in 0..2 {
        let checked = verify(&desk).await;
        assert!(
            !checked.ok && checked.problems.iter().any(|text| text.contains("was rewritten")),
            "{checked:?}"
        );
        let told = status(&desk).await;
        assert!(!told.ok && told.detail.contains("audit accept"), "{told:?}");
        let told = trust(&desk).await;
        assert!(!told.ok && told.failed_at.is_none() && told.signer.is_none(), "{told:?}");
    }
    desk.console.close().await;
    let desk = open(&home).await;
    assert!(!status(&desk).await.ok && !verify(&desk).await.ok, "another process says so too");
    let accept = AuditAccept { reason: "the disk of this machine was damaged".to_owned() };
    let accepted = desk.ask::<operation::audit_accept>(accept).await.expect("a person may take it as it is");
    assert!(accepted.ok && accepted.signer.is_some() && status(&desk).await.ok, "{accepted:?}");
    let again = verify(&desk).await;
    assert!(again.ok && again.from == 0, "everything is read again: {:?}", again.problems);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_that_is_damaged_is_told_and_one_that_is_lost_is_made_up_for_by_a_place() {
    let (home, old, vault) = (folder(), folder(), folder());
    let desk1 = open(&home).await;
    change(&desk1, "One").await;
    let places =
        AuditPlaces { folders: vec![vault.path().display().to_string()], redis: true, webhook: None };
    let put = AuditPlacesPut { places, reason: None };
    let set = desk1.ask::<operation::audit_places_put>(put).await.expect("places can be set");
    assert!(set.places.iter().all(|place| place.ok && place.size.is_some()), "{:?}", set.places);
    assert_eq!(
        set.places.iter().map(|place| place.counts).collect::<Vec<_>>(),
        [true, false],
        "not the private Redis"
    );
    assert_ne!(set.strength, EvidenceStrength::Witnessed);
    desk1.console.close().await;
    save(&home, &old);

    let desk2 = open(&home).await;
    change(&desk2, "Two").await;
    let note = desk2.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("a checkpoint is signed");
    let kept = vault.path().join(format!("watchpost-{}", trust(&desk2).await.log));
    let newest = std::fs::read_to_string(kept.join("newest.checkpoint")).unwrap();
    assert_eq!(newest, note.note, "the place has it at once");
    assert!(verify(&desk2).await.ok);
    desk2.console.close().await;

    // Whoever has this account rolls back the database and removes what this console remembers.
    put_back(&home, &old);
    for entry in std::fs::read_dir(home.path().join("data/witness")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let back = open(&home).await;
    let checked = verify(&back).await;
    assert!(!checked.ok, "the place knows better");
    assert!(checked.problems.iter().any(|problem| problem.contains("rolled back")), "{:?}", checked.problems);
    let told = trust(&back).await;
    assert!(!told.ok && told.signer.is_none());
    assert!(!told.places[0].ok && told.places[0].detail.contains("rolled back"), "{:?}", told.places);
    change(&back, "Three").await;
    let still = std::fs::read_to_string(kept.join("newest.checkpoint")).unwrap();
    back.console.close().await;
    assert!(still.lines().nth(1).unwrap().parse::<i64>().unwrap() >= note.size, "it was not overwritten");

    let again = open(&home).await;
    let accept = AuditAccept { reason: "a rehearsal".to_owned() };
    assert!(again.ask::<operation::audit_accept>(accept).await.expect("taken as it is").ok);
    assert!(verify(&again).await.ok);
    let folders = std::fs::read_dir(vault.path()).unwrap().count();
    assert_eq!(folders, 2, "what the place held before is set aside");
    again.console.close().await;

    let memory = std::fs::read_dir(home.path().join("data/witness")).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension().is_some_and(|extension| extension == "json").then_some(path)
    });
    std::fs::write(memory.expect("there is a memory"), b"{").unwrap();
    let damaged = open(&home).await;
    let told = status(&damaged).await;
    assert!(!told.ok && told.detail.contains("cannot be read"), "{told:?}");
    assert!(!verify(&damaged).await.ok);
    damaged.console.close().await;
}

/// The local connection with its database elsewhere.
fn pointed_at(path: &Path) -> Connection {
    let database = DatabaseConnection::Sqlite { path: Some(path.display().to_string()) };
    Connection { database, ..local_connection() }
}

async fn backed_up(desk: &Desk, to: &Path) {
    let backup = DatabaseBackup { path: to.display().to_string(), ticket: None, encryption: None };
    desk.ask::<operation::database_backup>(backup).await.expect("a backup is made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_elsewhere_is_held_against_what_was_seen_of_its_log() {
    let (home, vault) = (folder(), folder());
    let desk1 = open(&home).await;
    change(&desk1, "One").await;
    let (backup, new) = (vault.path().join("old.db"), vault.path().join("new.db"));
    backed_up(&desk1, &backup).await;
    change(&desk1, "Two").await;
    let restore = DatabaseRestore {
        path: backup.display().to_string(),
        to: new.display().to_string(),
        database: None,
        ticket: None,
        key: None,
    };
    let restored = desk1.ask::<operation::database_restore>(restore).await.expect("it can be put elsewhere");
    assert!(restored.behind > 0, "it says what the copy lacks: {restored:?}");
    desk1.console.close().await;

    let moved = desk(&home, Tenure::Owner, pointed_at(&new)).await;
    let told = status(&moved).await;
    assert!(!told.ok && told.detail.contains("rolled back"), "{told:?}");
    assert!(trust(&moved).await.signer.is_none(), "it signs for no such log");
    assert!(!verify(&moved).await.ok);
    let accept = AuditAccept { reason: "the backup of this morning was put back".to_owned() };
    assert!(moved.ask::<operation::audit_accept>(accept).await.expect("taken as it is").ok);
    assert!(status(&moved).await.ok && verify(&moved).await.ok);
    moved.console.close().await;

    let calm = desk(&home, Tenure::Owner, pointed_at(&new)).await;
    assert!(status(&calm).await.ok, "it is remembered");
    calm.console.close().await;
    let before = open(&home).await;
    let told = status(&before).await;
    assert!(!told.ok, "two that go on from one state are not both the log: {told:?}");
    before.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_of_an_older_version_becomes_that_of_its_log() {
    let (home, vault) = (folder(), folder());
    let desk1 = open(&home).await;
    change(&desk1, "One").await;
    let copy = vault.path().join("old.db");
    backed_up(&desk1, &copy).await;
    change(&desk1, "Two").await;
    assert!(verify(&desk1).await.ok);
    desk1.console.close().await;

    // As it was: one file, by connection and address.
    let files =
        std::fs::read_dir(home.path().join("data/witness")).unwrap().map(|entry| entry.unwrap().path());
    let (logs, heres): (Vec<PathBuf>, Vec<PathBuf>) = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .partition(|path| path.file_name().unwrap().to_string_lossy().starts_with("log-"));
    assert_eq!((logs.len(), heres.len()), (1, 1));
    std::fs::rename(&logs[0], &heres[0]).unwrap();

    let moved = desk(&home, Tenure::Owner, pointed_at(&copy)).await;
    let told = status(&moved).await;
    assert!(!told.ok && told.detail.contains("rolled back"), "{told:?}");
    moved.console.close().await;
    assert!(logs[0].is_file());
    let back = open(&home).await;
    assert!(status(&back).await.ok, "where it was it goes on: {:?}", status(&back).await);
    back.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_cannot_be_used_is_refused_or_told() {
    let (home, vault) = (folder(), folder());
    let desk = open(&home).await;
    let put = |folder: String| AuditPlacesPut {
        places: AuditPlaces { folders: vec![folder], redis: false, webhook: None },
        reason: None,
    };
    for bad in ["", "relative", "/nowhere/at/all"] {
        let refused = desk.ask::<operation::audit_places_put>(put(bad.to_owned())).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Validation, "{bad:?}");
    }
    let share = vault.path().join("share");
    std::fs::create_dir(&share).unwrap();
    desk.ask::<operation::audit_places_put>(put(share.display().to_string()))
        .await
        .expect("a folder can be used");
    std::fs::remove_dir_all(&share).unwrap();
    let told = trust(&desk).await;
    assert!(told.ok, "a share that is away is no attack: {:?}", told.problem);
    assert!(!told.places[0].ok && told.places[0].detail.contains("no folder"), "{:?}", told.places);
    assert!(matches!(told.strength, EvidenceStrength::LocalOnly | EvidenceStrength::SessionKey));
    assert!(verify(&desk).await.ok);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_checkpoint_in_a_place_is_told_by_each_check_and_the_status() {
    let (home, share) = (folder(), folder());
    let desk = open(&home).await;
    let folders = vec![share.path().display().to_string()];
    let places = AuditPlaces { folders, redis: false, webhook: None };
    let put = AuditPlacesPut { places, reason: None };
    desk.ask::<operation::audit_places_put>(put).await.expect("a folder can be used");
    assert!(verify(&desk).await.ok && status(&desk).await.ok);
    let own = share.path().join(format!("watchpost-{}", trust(&desk).await.log));
    let newest = own.join("newest.checkpoint");
    let note = std::fs::read(&newest).expect("the newest checkpoint");
    desk.console.close().await;
    let long = [note, vec![b'x'; 9_000]].concat();
    let altered: [&[u8]; 3] = [b"x", &[0xff; 40], &long];
    for altered in altered {
        std::fs::write(&newest, altered).expect("it is altered");
        let desk = open(&home).await;
        let told = status(&desk).await;
        assert!(!told.ok && told.detail.contains("newest.checkpoint is not a checkpoint"), "{told:?}");
        for _ in 0..2 {
            let found = verify(&desk).await;
            assert!(!found.ok && found.first_bad_seq.is_none(), "{found:?}");
            assert!(found.problems.iter().any(|text| text.contains("newest.checkpoint")), "{found:?}");
        }
        assert!(trust(&desk).await.signer.is_some(), "nothing is held against the log");
        desk.console.close().await;
        assert_eq!(
            std::fs::read(&newest).expect("what is there"),
            altered,
            "it stays for whoever looks into it"
        );
    }
    std::fs::remove_file(&newest).expect("it is removed");
    let desk = open(&home).await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
    assert!(newest.is_file() && verify(&desk).await.ok && status(&desk).await.ok);
    desk.console.close().await;
}

/// A service of this machine that keeps what it is told and answers what it is told to.
struct Service {
    url: String,
    answer: Arc<AtomicU16>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has ports");
        let url = format!("http://{}/checkpoints", listener.local_addr().expect("it is bound"));
        let (answer, heard) = (Arc::new(AtomicU16::new(204)), Arc::new(Mutex::new(Vec::new())));
        let (status, keeps) = (answer.clone(), heard.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("somebody came");
                let body = body_of(&mut stream);
                keeps.lock().expect("nobody failed").push(body);
                let status = status.load(Ordering::SeqCst);
                let end = "content-length: 0\r\nconnection: close\r\n\r\n";
                write!(stream, "HTTP/1.1 {status} Answer\r\n{end}").expect("it listens");
            }
        });
        Self { url, answer, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody failed").clone()
    }
}

fn body_of(stream: &mut TcpStream) -> String {
    let mut all = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        all.read_line(&mut line).expect("a request has lines");
        if line.trim().is_empty() {
            break;
        }
        if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    all.read_exact(&mut body).expect("it is as long as it says");
    String::from_utf8(body).expect("a note is text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_gets_each_checkpoint_and_what_it_refused_again() {
    let (home, service) = (folder(), Service::start());
    let desk = open(&home).await;
    change(&desk, "One").await;
    let webhook = AuditWebhook { url: service.url.clone(), ca: None };
    let places = AuditPlaces { webhook: Some(webhook), ..Default::default() };
    let put = AuditPlacesPut { places, reason: None };
    let set = desk.ask::<operation::audit_places_put>(put).await.expect("places can be set");
    let place = &set.places[0];
    assert!(place.ok && place.size.is_some() && place.detail.contains("taken with 204"), "{place:?}");
    assert!(!place.counts && place.detail.contains("no second place"), "it is on this machine: {place:?}");
    let newest = set.checkpoint.expect("it was signed").note;
    assert!(service.heard().contains(&newest), "the note as it is");

    service.answer.store(500, Ordering::SeqCst);
    change(&desk, "Two").await;
    let refused =
        desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it is signed all the same");
    let told = trust(&desk).await;
    assert!(told.ok, "a service that is away is no attack: {:?}", told.problem);
    assert!(!told.places[0].ok && told.places[0].detail.contains("500"), "{:?}", told.places);
    assert!(told.places[0].size < Some(refused.size), "what it took before is what it has");
    assert!(status(&desk).await.ok && verify(&desk).await.ok);
    let sent = service.heard().len();
    desk.console.close().await;
    assert_eq!(
        service.heard().len(),
        sent,
        "whoever closes does not wait once more for one that just failed"
    );

    let desk = open(&home).await;
    let told = trust(&desk).await;
    let place = &told.places[0];
    assert!(!place.ok && place.detail.contains("500"), "another process says so too: {place:?}");
    for word in ["records was NOT taken on", "the last that it took is that of"] {
        assert!(place.detail.contains(word), "{word}: {place:?}");
    }

    service.answer.store(200, Ordering::SeqCst);
    let next = desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it is signed");
    assert!(service.heard().contains(&next.note), "the next look sends the newest");
    let told = trust(&desk).await;
    assert!(told.places[0].ok && told.places[0].size >= Some(refused.size), "{:?}", told.places);
    desk.console.close().await;

    let again = open(&home).await;
    let told = trust(&again).await;
    assert!(told.places[0].ok && told.places[0].detail.contains("taken with 200"), "{:?}", told.places);
    again.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_with_a_secret_is_refused_and_not_repeated() {
    let home = folder();
    let desk = open(&home).await;
    for (url, ca) in [
        ("https://me:hunter2@log.example/", None),
        ("https://log.example/?token=hunter2", None),
        ("http://log.example/", None),
        ("https://log.example/", Some("/nowhere/ca.pem")),
        ("https://log.example/", Some("ca.pem")),
    ] {
        let webhook = AuditWebhook { url: url.to_owned(), ca: ca.map(ToOwned::to_owned) };
        let places = AuditPlaces { webhook: Some(webhook), ..Default::default() };
        let put = AuditPlacesPut { places, reason: None };
        let refused = desk.ask::<operation::audit_places_put>(put).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Validation, "{url}");
        assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    }
    let page = desk
        .ask::<operation::audit_page>(AuditPageRequest { limit: 50, ..Default::default() })
        .await
        .unwrap();
    assert!(!format!("{:?}", page.rows).contains("hunter2"), "nor does the trail");
    desk.console.close().await;
}
