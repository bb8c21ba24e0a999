//! Backups of the audit database count only after they were checked.

use std::path::Path;
use std::process::Command;

use watchpost_model::job::JobState;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditPageRequest, DatabaseBackup, DatabaseBackupRef, DatabaseCopy, DatabaseExport, DatabaseMaintain,
    DatabaseRehearse, DatabaseRestore, Nothing, SettingsChange,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk, folder};
use crate::report_tampered::tamper;

async fn checked(desk: &Desk, file: &Path) -> Result<DatabaseCopy, OpError> {
    let request = DatabaseBackupRef { path: file.display().to_string(), ticket: None, key: None };
    desk.ask::<operation::database_check>(request).await
}

async fn put_back(desk: &Desk, file: &Path, to: &Path) -> Result<DatabaseCopy, OpError> {
    let (path, to) = (file.display().to_string(), to.display().to_string());
    let request = DatabaseRestore { path, to, ..DatabaseRestore::default() };
    desk.ask::<operation::database_restore>(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_trail_of_a_copy_does_not_cover_is_compared_with_the_trail_that_names_it() {
    let (home, vault, other) = (folder(), folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let file = vault.path().join("one.db");
    let backup = DatabaseBackup { path: file.display().to_string(), ticket: None, encryption: None };
    let made = desk.ask::<operation::database_backup>(backup).await.expect("a backup is made");
    assert_eq!(made.made_at, None, "nothing was compared");

    // Under another name it is known by its bytes.
    let elsewhere = other.path().join("moved.db");
    std::fs::copy(&file, &elsewhere).expect("ours");
    for path in [&file, &elsewhere] {
        let copy = checked(&desk, path).await.expect("it can be checked");
        assert!(copy.made_at.is_some(), "{copy:?}");
    }
    let back = put_back(&desk, &elsewhere, &other.path().join("back.db")).await.expect("it is put back");
    assert!(back.made_at.is_some(), "{back:?}");
    for name in ["moved.db", "back.db"] {
        std::fs::remove_file(other.path().join(name)).expect("ours");
    }

    // A row that no record of its trail tells of is altered: its pages are whole, and its trail holds.
    tamper(
        &vault,
        "UPDATE schema_version SET applied_at = applied_at + 1 WHERE version = (SELECT MIN(version) FROM schema_version)",
    );
    let nowhere = other.path().join("nowhere.db");
    for refused in [checked(&desk, &file).await, put_back(&desk, &file, &nowhere).await] {
        let refused = refused.expect_err("it was altered");
        assert_eq!(refused.code, ErrorCode::Precondition, "{refused}");
        assert!(refused.message.contains(&made.sha256), "{refused}");
    }
    assert_eq!(std::fs::read_dir(other.path()).expect("ours").count(), 0, "nothing was made of it");
    std::fs::rename(&file, &elsewhere).expect("ours");
    let copy = checked(&desk, &elsewhere).await.expect("it can be checked");
    assert!(copy.trail.ok && copy.made_at.is_none(), "the trail names no such copy: {copy:?}");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_checked_before_it_counts_and_put_to_a_new_place_only() {
    let (home, vault) = (folder(), folder());
    let desk1 = desk(&home, Tenure::Owner, local_connection()).await;
    for n in 0..20 {
        let settings = desk1.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
        let organisation = format!("Organisation {n}");
        let change = SettingsChange { organisation, retention: settings.retention, reason: None };
        desk1.ask::<operation::settings_put>(change).await.expect("settings can be changed");
    }
    let file = vault.path().join("one.db");
    let path = file.display().to_string();
    let backup = DatabaseBackup { path: path.clone(), ticket: None, encryption: None };
    let made = desk1.ask::<operation::database_backup>(backup.clone()).await.expect("a backup is made");
    assert!(made.trail.ok && made.trail.leaves >= 21 && made.trail.checkpoints > 0, "{made:?}");
    let names: Vec<_> =
        std::fs::read_dir(vault.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["one.db"], "nothing but the backup is left beside it");
    let again = desk1.ask::<operation::database_backup>(backup).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Validation, "nothing is overwritten");
    let trail = desk1
        .ask::<operation::audit_page>(AuditPageRequest { limit: 5, ..Default::default() })
        .await
        .unwrap();
    let record =
        trail.rows.iter().find(|row| row.action == "database_backup" && row.outcome.as_str() == "success");
    assert!(
        record.expect("it is in the trail").changes.iter().any(|change| change.new == made.sha256.as_str())
    );

    let reference = |path: &str| DatabaseBackupRef { path: path.to_owned(), ticket: None, key: None };
    let checked = desk1.ask::<operation::database_check>(reference(&path)).await.expect("it can be checked");
    assert_eq!((checked.sha256.as_str(), &checked.trail.root), (made.sha256.as_str(), &made.trail.root));
    let names = std::fs::read_dir(vault.path()).unwrap().count();
    assert_eq!(names, 1, "checking writes nothing");

    let to = vault.path().join("two.db");
    let restore = DatabaseRestore {
        path: path.clone(),
        to: to.display().to_string(),
        database: None,
        ticket: None,
        key: None,
    };
    let restored =
        desk1.ask::<operation::database_restore>(restore.clone()).await.expect("it can be put elsewhere");
    assert_eq!(restored.sha256, made.sha256);
    assert!(restored.behind > 0, "the trail has gone on since");
    let twice = desk1.ask::<operation::database_restore>(restore).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Validation);

    // One altered byte in every sixteenth page: either the pages or the trail tell, or nothing that was altered is read.
    let whole = std::fs::read(&file).unwrap();
    let bad = vault.path().join("bad.db");
    let text = b"settings_put";
    let places: Vec<usize> = whole
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| window == text)
        .map(|(at, _)| at)
        .collect();
    assert!(places.len() >= 20, "records stand in the file");
    for at in places.into_iter().step_by(7) {
        let mut altered = whole.clone();
        altered[at] = b'S';
        std::fs::write(&bad, &altered).unwrap();
        let told = desk1.ask::<operation::database_check>(reference(&bad.display().to_string())).await;
        assert!(!told.as_ref().is_ok_and(|copy| copy.trail.ok), "byte {at} was altered: {told:?}");
        let nowhere = vault.path().join("three.db");
        let restore = DatabaseRestore {
            path: bad.display().to_string(),
            to: nowhere.display().to_string(),
            database: None,
            ticket: None,
            key: None,
        };
        assert!(desk1.ask::<operation::database_restore>(restore).await.is_err(), "it is not put anywhere");
        assert!(!nowhere.exists());
    }
    // Without its last page, its second half, all but the first page of it; something else.
    let cuts = [whole.len() - 4_096, whole.len() / 2, 40_000, 100];
    for bytes in cuts.iter().map(|n| &whole[..*n]).chain([&b"no database"[..]]) {
        std::fs::write(&bad, bytes).unwrap();
        let told = desk1.ask::<operation::database_check>(reference(&bad.display().to_string())).await;
        let refused = told.expect_err("it is cut off");
        assert_eq!(refused.code, ErrorCode::Precondition, "{}: {refused}", bytes.len());
        assert!(refused.message.contains("no whole copy"), "{refused}");
    }
    desk1.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maintenance_tells_what_it_did_to_the_file() {
    let home = folder();
    let desk1 = desk(&home, Tenure::Guest, local_connection()).await;
    for compact in [false, true] {
        let request = DatabaseMaintain { compact };
        let done = desk1.ask::<operation::database_maintain>(request).await.expect("it is maintained");
        assert_eq!(done.problem, None);
        assert!(done.before.bytes > 0 && done.after.bytes > 0, "{done:?}");
        assert!(done.folded && done.after.log_bytes == 0, "nobody else reads: {done:?}");
        assert!(!compact || done.after.free_bytes == 0, "{done:?}");
    }
    let request = AuditPageRequest { limit: 5, ..Default::default() };
    let rows = desk1.ask::<operation::audit_page>(request).await.expect("the trail").rows;
    assert_eq!(rows.iter().filter(|row| row.action == "database_maintain").count(), 2);
    desk1.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_exported_without_keys_and_nothing_is_left_of_a_refused_export() {
    let (home, out) = (folder(), folder());
    let desk1 = desk(&home, Tenure::Owner, local_connection()).await;
    desk1.fill().await;
    let directory = out.path().join("tables");
    let request = DatabaseExport { directory: directory.display().to_string(), ticket: None };
    let done = desk1.ask::<operation::database_export>(request.clone()).await.expect("it is exported");
    let events = done.tables.iter().find(|table| table.name == "event").expect("events are exported");
    assert!(events.rows > 0, "{done:?}");
    let sums = std::fs::read_to_string(directory.join("SHA256SUMS")).expect("sums");
    assert_eq!(
        sums.lines().count(),
        2 * done.tables.len() + 1,
        "two files of each table, and what is left out"
    );
    for table in &done.tables {
        let lines =
            std::fs::read_to_string(directory.join(format!("{}.jsonl", table.name))).expect("a table");
        assert_eq!(lines.lines().count() as u64, table.rows, "{}", table.name);
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON");
        }
        assert!(directory.join(format!("{}.csv", table.name)).is_file());
    }
    let left_out = std::fs::read_to_string(directory.join("LEFT_OUT")).expect("it is told");
    for name in ["subject_key", "audit_payload", "erasure.mark"] {
        assert!(left_out.contains(name), "{left_out}");
        assert!(done.left_out.iter().any(|one| one.name == name), "{name}");
    }
    assert!(!directory.join("subject_key.jsonl").exists());
    let twice = desk1.ask::<operation::database_export>(request).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Validation, "nothing is overwritten");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
    desk1.console.close().await;
}

/// A database of an older schema with the trail of another one: that, the file to make, the folder of the migrations, the last
/// of them.
const OLDER: &str = r#"
import hashlib, os, sqlite3, sys
of, to, folder, upto = sys.argv[1:]
old = sqlite3.connect(to)
old.executescript("CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                  "digest BLOB NOT NULL, applied_at INTEGER NOT NULL);")
for name in sorted(os.listdir(folder)):
    if name[:14] <= upto:
        text = open(os.path.join(folder, name), "rb").read()
        old.executescript(text.decode())
        row = (int(name[:14]), name[15:-4], hashlib.sha256(text).digest())
        old.execute("INSERT INTO schema_version VALUES (?, ?, ?, 0)", row)
old.commit()
old.execute("ATTACH ? AS newer", (of,))
for table in ["head", "leaf", "record", "payload", "name", "checkpoint"]:
    columns = ", ".join(row[1] for row in old.execute("PRAGMA main.table_info(audit_%s)" % table))
    old.execute("INSERT INTO audit_%s (%s) SELECT %s FROM newer.audit_%s" % (table, columns, columns, table))
old.execute("INSERT INTO subject_key SELECT id, subject, secret, created_at FROM newer.subject_key")
old.commit()
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_an_older_schema_is_checked_restored_and_rehearsed() {
    let (home, vault) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let backup = async |path: &Path| {
        let path = path.display().to_string();
        let backup = DatabaseBackup { path, ticket: None, encryption: None };
        desk.ask::<operation::database_backup>(backup).await.expect("a backup is made")
    };
    // So that the trail of the next one has a record.
    backup(&vault.path().join("first.db")).await;
    let file = vault.path().join("new.db");
    let made = backup(&file).await;
    assert!(made.trail.leaves > 0);
    // The first without a column for the role of a record, both without one for its login.
    for schema in [20_261_120_000_000_i64, 20_261_122_000_028] {
        let old = vault.path().join(format!("schema-{schema}.db"));
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../watchpost-store/migrations/sqlite");
        let mut python = Command::new("python3");
        python.args(["-c", OLDER]).arg(&file).arg(&old).arg(migrations).arg(schema.to_string());
        let output = python.output().expect("there is a python3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let before = std::fs::read(&old).unwrap();
        let found = checked(&desk, &old).await.expect("it can be checked");
        assert!(found.trail.ok, "{:?}", found.trail.problems);
        assert_eq!((found.schema, &found.trail.root), (schema, &made.trail.root));
        let to = vault.path().join(format!("put-back-{schema}.db"));
        let restored = put_back(&desk, &old, &to).await.expect("it can be put elsewhere");
        assert!(restored.trail.ok && to.exists(), "{restored:?}");
        let request = DatabaseRehearse { path: Some(old.display().to_string()), key: None };
        let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
        let run = desk.finish(run).await;
        assert_eq!(run.state, JobState::Done, "{:?}", run.error);
        assert_eq!(std::fs::read(&old).unwrap(), before, "it is only looked at");
        tamper_copy(&old);
        let found = checked(&desk, &old).await.expect("it can be checked");
        assert!(!found.trail.ok, "what was altered in it is found");
    }
    desk.console.close().await;
}

/// Alters the last record of a copy.
fn tamper_copy(copy: &Path) {
    let script = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        db.execute(\"UPDATE audit_record SET outcome = 'denied' WHERE seq = (SELECT MAX(seq) FROM audit_record)\")\n\
        db.commit()\n";
    let done = Command::new("python3").args(["-c", script]).arg(copy).status().expect("there is a python3");
    assert!(done.success());
}
