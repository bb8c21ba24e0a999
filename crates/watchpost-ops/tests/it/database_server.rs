//! Copies of an audit database on PostgreSQL: made by `pg_dump`, tried in a database for a while, put back as a new one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use watchpost_model::clock::{Clock as _, ManualClock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection};
use watchpost_model::copies::{CopyKey, Generations};
use watchpost_model::job::{JobRun, JobState};
use watchpost_model::register::EntryResult;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    DatabaseBackup, DatabaseBackupRef, DatabaseCopy, DatabaseCopyRun, DatabaseRehearse, DatabaseRestore,
    Nothing,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::database_copies::{copied, fact, files, planned, restore_tests, trail};
use crate::database_encrypted::{new_key, recipients};
use crate::door::{Desk, desk, desk_at, folder};
use crate::people::{SCRIPT, team};
use crate::server::Server;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

async fn backed_up(desk: &Desk, file: &Path) -> DatabaseCopy {
    let request = DatabaseBackup { path: text(file), ticket: None, encryption: None };
    desk.ask::<operation::database_backup>(request).await.expect("a backup is made")
}

async fn checked(desk: &Desk, file: &Path) -> Result<DatabaseCopy, OpError> {
    let request = DatabaseBackupRef { path: text(file), ticket: None, key: None };
    desk.ask::<operation::database_check>(request).await
}

async fn put_back(
    desk: &Desk,
    file: &Path,
    name: &str,
    key: Option<&CopyKey>,
) -> Result<DatabaseCopy, OpError> {
    let database = Some(name.to_owned());
    let request =
        DatabaseRestore { path: text(file), to: String::new(), database, ticket: None, key: key.cloned() };
    desk.ask::<operation::database_restore>(request).await
}

async fn rehearsed(desk: &Desk, path: Option<&Path>, key: Option<&CopyKey>) -> JobRun {
    let request = DatabaseRehearse { path: path.map(text), key: key.cloned() };
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    desk.finish(run).await
}

fn of_database(mut connection: Connection, name: &str) -> Connection {
    if let DatabaseConnection::Postgres { database, .. } = &mut connection.database {
        name.clone_into(database);
    }
    connection
}

/// Databases that are there for a while.
fn rehearsals(server: &Server) -> String {
    server
        .tell("SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE 'watchpost!_rehearsal%' ESCAPE '!'")
        .expect("the server tells its databases")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_server_counts_when_it_was_put_back_and_becomes_a_new_database() {
    let Some(server) = Server::start().await.filter(Server::has_dump) else { return };
    let (home, vault) = (folder(), folder());
    let owner = desk(&home, Tenure::Guest, team(&home, &server, None)).await;
    owner.rename_as("dana", "Organisation that was kept").await.expect("an admin may");
    // What a killed process left, and what only looks like it.
    let (left, other) = ("watchpost_rehearsal_20200101000000_0a1b2c3d", "watchpost_rehearsal_of_mine");
    for name in [left, other] {
        server.tell(&format!("CREATE DATABASE {name}")).expect("made");
    }
    let file = vault.path().join("one.dump");
    let made = backed_up(&owner, &file).await;
    assert!(made.trail.ok && made.trail.leaves > 0 && made.unverified.is_none(), "{made:?}");
    assert_eq!(files(vault.path()), ["one.dump"], "nothing is beside it");
    assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600, "it holds keys");
    assert_eq!(rehearsals(&server), other, "nothing of ours is left");
    let again = checked(&owner, &file).await.expect("it can be checked");
    assert_eq!((&again.sha256, &again.trail.root), (&made.sha256, &made.trail.root));
    assert!(again.made_at.is_some(), "the trail names it");

    // What is cut off is no copy, and nothing is made of it.
    let bytes = std::fs::read(&file).expect("there");
    let bad = vault.path().join("bad.dump");
    for n in [bytes.len() / 2, 100] {
        std::fs::write(&bad, &bytes[..n]).expect("ours");
        for refused in [checked(&owner, &bad).await, put_back(&owner, &bad, "bad", None).await] {
            assert_eq!(refused.expect_err("it is cut off").code, ErrorCode::Precondition, "{n}");
        }
    }
    let at_file = DatabaseRestore {
        path: text(&file),
        to: text(&vault.path().join("new.db")),
        ..DatabaseRestore::default()
    };
    let refused = owner.ask::<operation::database_restore>(at_file).await.expect_err("it is no file");
    assert!(refused.hint.is_some_and(|hint| hint.contains("--to-database")));
    for name in ["with space", "", "watchpost_rehearsal_mine"] {
        let refused = put_back(&owner, &file, name, None).await.expect_err("no name");
        assert_eq!(refused.code, ErrorCode::Validation, "{name}");
    }
    let refused = put_back(&owner, &file, "postgres", None).await.expect_err("nothing is overwritten");
    assert_eq!(refused.code, ErrorCode::Conflict);

    owner.rename_as("dana", "Another one").await.expect("an admin may");
    let new = put_back(&owner, &file, "back", None).await.expect("it is put back");
    assert_eq!((new.path.as_str(), new.sha256.as_str()), ("back", made.sha256.as_str()));
    assert!(new.behind > 0, "the trail has gone on since");
    assert!(new.made_at.is_some(), "the trail names what it was made of");
    assert_eq!(rehearsals(&server), other);
    let open = server.tell("SELECT has_database_privilege('public', 'back', 'CONNECT')");
    assert_eq!(open.as_deref(), Ok("f"), "nobody else gets in before somebody says who");
    owner.console.close().await;
    let home = folder();
    let back = desk(&home, Tenure::Guest, of_database(team(&home, &server, None), "back")).await;
    let settings = back.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
    assert_eq!(settings.organisation, "Organisation that was kept");
    back.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_keeps_and_rehearses_copies_of_a_server_as_those_of_a_file() {
    let Some(server) = Server::start().await.filter(Server::has_dump) else { return };
    let (home, out, keys) = (folder(), folder(), folder());
    let owner = desk(&home, Tenure::Guest, team(&home, &server, None)).await;
    planned(&owner, out.path(), Generations::default()).await;
    let made = copied(&owner).await;
    assert!(fact(&made, "file").ends_with(".dump"), "{}", fact(&made, "file"));
    let run = rehearsed(&owner, None, None).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert_eq!(fact(&run, "root"), fact(&made, "root"));
    assert_eq!(fact(&run, "verdict"), "the copy can be put back");
    assert_eq!(restore_tests(&owner).await, [EntryResult::Good]);
    let copies = owner.ask::<operation::database_copies>(Nothing {}).await.expect("told");
    assert_eq!((copies.problem, copies.last.map(|run| run.id)), (None, Some(made.id)));

    let elsewhere = folder();
    let (whom, key) = new_key(keys.path(), "one.txt");
    let (_, strange) = new_key(keys.path(), "two.txt");
    let request =
        DatabaseCopyRun { folder: Some(text(elsewhere.path())), encryption: Some(recipients(&[&whom])) };
    let run = owner.ask::<operation::database_copy_run>(request).await.expect("started");
    let run = owner.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    let file = Path::new(fact(&run, "file"));
    assert!(fact(&run, "file").ends_with(".dump.age") && files(elsewhere.path()).len() == 1);
    assert!(std::fs::read(file).expect("there").starts_with(b"age-encryption.org/v1\n"));
    assert_eq!(rehearsed(&owner, Some(file), Some(&strange)).await.state, JobState::Failed);
    let run = rehearsed(&owner, Some(file), Some(&key)).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    put_back(&owner, file, "opened", Some(&key)).await.expect("it is put back");
    assert_eq!(files(&home.path().join("data/rehearsal-of-database")), Vec::<String>::new());

    // What was altered is no copy.
    std::fs::write(fact(&made, "file"), "not what was made").expect("ours");
    let run = rehearsed(&owner, Some(Path::new(fact(&made, "file"))), None).await;
    assert_eq!(run.state, JobState::Failed);
    assert_eq!(restore_tests(&owner).await.last(), Some(&EntryResult::Bad));
    assert_eq!(rehearsals(&server), "", "nothing of it is left");
    owner.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_cannot_be_tried_is_kept_and_says_so() {
    let Some(server) = Server::start().await.filter(Server::has_dump) else { return };
    let (home, out) = (folder(), folder());
    desk(&home, Tenure::Guest, team(&home, &server, None)).await.console.close().await;
    server.tell(SCRIPT).expect("the owner makes the roles");
    server.tell("CREATE ROLE plain LOGIN IN ROLE watchpost_admin").expect("a login is made");
    let (home, clock) = (folder(), Arc::new(ManualClock::new(SystemClock.now())));
    let plain = desk_at(&home, Tenure::Guest, team(&home, &server, Some("plain")), clock.clone()).await;
    // It reads less than all of the database.
    let file = out.path().join("one.dump");
    let request = DatabaseBackup { path: text(&file), ticket: None, encryption: None };
    let refused = plain.ask::<operation::database_backup>(request).await.expect_err("it cannot be read");
    assert_eq!(refused.code, ErrorCode::Unavailable, "{refused}");
    assert!(refused.message.contains("pg_dump"), "{refused}");
    assert_eq!(files(out.path()), Vec::<String>::new());

    if server.tell("GRANT pg_read_all_data TO plain").is_err() {
        // Before PostgreSQL 14 only the owner reads all.
        plain.console.close().await;
        return;
    }
    planned(&plain, out.path(), Generations::default()).await;
    let made = copied(&plain).await;
    assert!(fact(&made, "unverified").contains("CREATEDB"), "{:?}", made.report);
    assert_eq!(files(out.path()).len(), 1, "it is kept");
    let copies = plain.ask::<operation::database_copies>(Nothing {}).await.expect("told");
    assert!(copies.problem.is_some_and(|problem| problem.contains("not verified")));
    let run = rehearsed(&plain, None, None).await;
    assert!(run.error.is_some_and(|error| error.contains("may not make a database")), "{:?}", run.state);
    assert!(restore_tests(&plain).await.is_empty(), "nothing was tried");
    server.tell("ALTER ROLE plain CREATEDB").expect("an administrator does that");
    clock.advance(chrono::Duration::seconds(1));
    let run = rehearsed(&plain, None, None).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    let copies = plain.ask::<operation::database_copies>(Nothing {}).await.expect("told");
    assert_eq!(copies.problem, None, "it was tried since");
    assert!(
        copies.last.is_some_and(|run| fact(&run, "unverified").is_empty()),
        "and says no more that it was not"
    );

    // The next one that cannot be tried takes the place of none that could; one that can takes that of both.
    planned(&plain, out.path(), Generations { daily: 1, weekly: 0, monthly: 0 }).await;
    for (right, left) in [("NOCREATEDB", 2), ("CREATEDB", 1)] {
        server.tell(&format!("ALTER ROLE plain {right}")).expect("an administrator does that");
        clock.advance(chrono::Duration::hours(1));
        let made = copied(&plain).await;
        assert_eq!(fact(&made, "unverified").is_empty(), right == "CREATEDB", "{:?}", made.report);
        assert_eq!(files(out.path()).len(), left, "{right}: {:?}", made.report);
    }
    let again = backed_up(&plain, &out.path().join("two.dump")).await;
    assert!(again.trail.ok && again.unverified.is_none(), "{again:?}");
    plain.console.close().await;
}

/// A database that lacks a migration is one of an older schema: this one makes an index, so it can be done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_copied_before_its_tables_are_changed() {
    let Some(server) = Server::start().await.filter(Server::has_dump) else { return };
    let home = folder();
    let owner = desk(&home, Tenure::Guest, team(&home, &server, None)).await;
    assert!(trail(&owner, "database_migrate").await.is_empty(), "a new database was not migrated");
    owner.console.close().await;
    let older =
        "DROP INDEX incident_span_by_reach; DELETE FROM schema_version WHERE version = 20261121000012";
    server.tell(older).expect("made older");

    let owner = desk(&home, Tenure::Guest, team(&home, &server, None)).await;
    let records = trail(&owner, "database_migrate").await;
    let changes = records.iter().flat_map(|record| &record.changes);
    let file = changes.filter(|change| change.field == "file").find_map(|change| change.new.as_str());
    let file = Path::new(file.expect("the trail names it"));
    assert_eq!(file.parent(), Some(home.path().join("data/before-migration").as_path()));
    assert!(text(file).contains("-schema-") && text(file).ends_with(".dump"), "{}", file.display());
    let copy = checked(&owner, file).await.expect("it is a whole copy");
    assert!(copy.trail.ok, "{:?}", copy.trail.problems);
    assert_eq!(rehearsals(&server), "");
    owner.console.close().await;
}
