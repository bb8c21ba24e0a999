//! Copies of the whole server through the door: the file is there whole, rehearsed and told in the trail, or not at all.

use std::path::Path;

use tempfile::TempDir;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::event::Category;
use watchpost_model::ids::ConnectionId;
use watchpost_model::job::{JobRun, JobState};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AuditPageRequest, BackupRequest, JobRef, RestoreRequest};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::damage::{Damage, damaged};
use crate::door::{Desk, desk, folder};
use crate::jobs::{cli, events, fact, figure, report, socket, store};

fn request(file: &Path) -> BackupRequest {
    BackupRequest { path: file.to_string_lossy().into_owned(), force: false, rdb: true, encryption: None }
}

/// A desk on a server with events that begins its copies at once.
async fn filled(home: &TempDir) -> Desk {
    let desk = desk(home, Tenure::Guest, local_connection()).await;
    let written = store(home).await.write_events(&events(2_000, Category::Authentication)).await;
    assert_eq!(written.expect("they are written").written, 2_000);
    cli(home, &["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
    desk
}

async fn step(desk: &Desk, run: &JobRun, words: &str) {
    while !desk
        .ask::<operation::job_get>(JobRef { id: run.id })
        .await
        .expect("it is known")
        .progress
        .step
        .contains(words)
    {
        tokio::task::yield_now().await;
    }
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("it is a folder").count()
}

#[tokio::test]
async fn a_copy_of_the_server_is_rehearsed_and_told() {
    let home = folder();
    let desk = filled(&home).await;
    cli(&home, &["-n", "5", "SET", "of another application", "1"]);
    let file = home.path().join("server.rdb");
    let preview = desk.ask::<operation::backup_preview>(request(&file)).await.unwrap();
    assert!(!file.exists(), "a preview writes nothing");
    assert!(preview.notes.iter().any(|note| note.contains("forks")), "{preview:?}");
    assert!(fact(&preview, "scope").contains("the whole server"), "{preview:?}");
    let run = desk.ask::<operation::backup_run>(request(&file)).await.unwrap();
    let run = desk.finish(run).await;
    let did = report(&run);
    let keys = cli(&home, &["DBSIZE"]).parse::<u64>().unwrap() + 1;
    for (name, of) in [("keys", &preview), ("keys", did), ("verified", did)] {
        assert_eq!(figure(of, name), keys, "{name} of all databases: {of:?}");
    }
    assert!(fact(did, "verdict").starts_with("verified on Redis"), "{did:?}");
    assert!(fact(did, "checksum").starts_with("CRC64"), "{did:?}");
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"REDIS"));
    assert_eq!(figure(did, "file_bytes"), bytes.len() as u64);
    use sha2::Digest;
    let sha256 = hex::encode(sha2::Sha256::digest(&bytes));
    assert_eq!(fact(did, "sha256"), sha256);
    assert!(!home.path().join("data/rehearsal").exists(), "nothing is left of the rehearsal");
    let page = desk.ask::<operation::audit_page>(AuditPageRequest { limit: 20, ..Default::default() }).await;
    let page = page.unwrap();
    let of_run: Vec<_> = page.rows.iter().filter(|row| row.object == format!("job/{}", run.id)).collect();
    let told = serde_json::to_string(&of_run).unwrap();
    assert!(
        told.contains(&sha256) && told.contains(&format!("\"keys\",\"old\":null,\"new\":\"{keys}\"")),
        "{told}"
    );

    let again = desk.ask::<operation::backup_run>(request(&file)).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Conflict, "a copy is not overwritten: {again}");
    let restore =
        RestoreRequest { path: request(&file).path, rehearse_only: true, replace: false, key: None };
    let error = desk.ask::<operation::restore_run>(restore).await.unwrap_err();
    assert!(error.message.contains("a redis-server starts with it"), "{error}");
    desk.console.close().await;
}

#[tokio::test]
async fn a_user_without_the_right_is_told_which() {
    let home = folder();
    let desk = filled(&home).await;
    cli(&home, &["ACL", "SETUSER", "default", "-psync"]);
    let file = home.path().join("server.rdb");
    let preview = desk.ask::<operation::backup_preview>(request(&file)).await.unwrap_err();
    let run = desk.ask::<operation::backup_run>(request(&file)).await.unwrap_err();
    for error in [preview, run] {
        assert_eq!(error.code, ErrorCode::Permission, "{error}");
        assert!(error.message.contains("psync"), "{error}");
        assert!(error.hint.as_deref().unwrap_or_default().contains("+psync +replconf"), "{error}");
    }
    assert!(!file.exists());
    desk.console.close().await;
}

#[tokio::test]
async fn what_does_not_come_whole_leaves_no_file() {
    let home = folder();
    let local = filled(&home).await;
    let target = home.path().join("copies");
    std::fs::create_dir(&target).unwrap();
    let file = target.join("server.rdb");
    for (name, damage, words) in [
        ("cut", Damage::Cut(20_000), "cut off after"),
        ("flip", Damage::Flip(20_000), "altered on its way"),
        ("stall", Damage::Stall(20_000), "cancelled"),
    ] {
        let between = home.path().join(name);
        let _between = damaged(&between, socket(&home), damage);
        let elsewhere = folder();
        let desk = desk(&elsewhere, Tenure::Guest, at(&between)).await;
        let run = desk.ask::<operation::backup_run>(request(&file)).await.unwrap();
        if name == "stall" {
            step(&desk, &run, "copying").await;
            desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
            assert_eq!(desk.finish(run).await.state, JobState::Cancelled);
        } else {
            let run = desk.finish(run).await;
            assert_eq!(run.state, JobState::Failed);
            assert!(run.error.as_deref().unwrap_or_default().contains(words), "{:?}", run.error);
        }
        assert_eq!(files(&target), 0, "{name}: neither the file nor a part of it");
        desk.console.close().await;
    }
    local.console.close().await;
}

fn at(socket: &Path) -> Connection {
    Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix { path: socket.to_string_lossy().into_owned() },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
    }
}
