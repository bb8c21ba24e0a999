//! Opening, migrating, refusing, diagnosing, restarting.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};
use watchpost_model::clock::SystemClock;
use watchpost_model::diagnosis::{CheckStep, StepState};
use watchpost_store::{
    DatabaseTarget, IngestBatch, Signer, Store, StoreError, VerifyPlan, diagnose, schema_behind,
};

use crate::support::{World, both, caller, draft, postgres_database};

both!(
    a_newer_schema_is_refused,
    an_older_schema_is_told_before_it_is_changed,
    everything_survives_a_restart,
    a_good_target_is_diagnosed
);

/// The oldest schema that was shipped.
const OLDEST: i64 = 20_261_120_000_000;
const BASE: &str = include_str!("../../migrations/sqlite/20261120000000_base.sql");

async fn a_newer_schema_is_refused(world: World) {
    let newer = if world.is_postgres() { "'\\x00'" } else { "x'00'" };
    world.tamper(&format!("INSERT INTO schema_version VALUES (29991231000000, 'later', {newer}, 0)")).await;
    let refused = Store::open(&world.target, world.clock.clone()).await;
    assert!(matches!(refused, Err(StoreError::SchemaTooNew { found: 29991231000000, .. })), "{refused:?}");
    let steps = diagnose(&world.target).await;
    assert_eq!(last(&steps), ("schema", StepState::Failed), "{steps:?}");
    world.tamper("DELETE FROM schema_version WHERE version = 29991231000000").await;
    world.tamper(&format!("UPDATE schema_version SET digest = {newer}")).await;
    let altered = Store::open(&world.target, world.clock.clone()).await;
    assert!(matches!(altered, Err(StoreError::SchemaAltered { .. })), "{altered:?}");
}

async fn an_older_schema_is_told_before_it_is_changed(world: World) {
    assert_eq!(world.store.migrated(), None, "it was new");
    assert_eq!(schema_behind(&world.target).await, None, "it is as this version makes it");
    world
        .tamper("DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)")
        .await;
    for _ in 0..2 {
        let behind = schema_behind(&world.target).await.expect("it lacks one, and keeps lacking it");
        assert!(behind.from < behind.to && behind.by_opening, "{behind:?}");
    }
    let steps = diagnose(&world.target).await;
    let told = steps.last().unwrap();
    assert!(told.name == "schema" && told.detail.contains("will be brought to"), "{told:?}");
    if world.is_postgres() {
        let is_copied = told.state == StepState::Ok && told.detail.contains("pg_dump makes a copy");
        // Without the programs it is told what to do.
        let hint = told.hint.as_deref().unwrap_or_default();
        assert!(is_copied || told.state == StepState::Warning && hint.contains("pg_dump -Fc"), "{told:?}");
    } else {
        assert!(told.state == StepState::Ok && told.detail.contains("a copy of it"), "{told:?}");
    }
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// A file of the oldest schema with a setting and the trail of `world` in it.
async fn make_oldest(path: &Path, world: &World) {
    let DatabaseTarget::Sqlite { path: of_world } = &world.target else { panic!("it is a file") };
    let mut connection = connect(path).await;
    let script = format!(
        "{BASE}
         CREATE TABLE schema_version
             (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, applied_at INTEGER NOT NULL);
         ATTACH '{}' AS newer;
         INSERT INTO audit_head (id, log_id, size, frontier, checkpoint_size)
             SELECT id, log_id, size, frontier, checkpoint_size FROM newer.audit_head;
         INSERT INTO audit_leaf (seq, leaf, hash) SELECT seq, leaf, hash FROM newer.audit_leaf;
         CREATE TABLE kept_of_old (word TEXT NOT NULL);
         INSERT INTO kept_of_old VALUES ('as it was');",
        of_world.display()
    );
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO schema_version VALUES ($1, 'base', $2, 0)")
        .bind(OLDEST)
        .bind(Sha256::digest(BASE.as_bytes()).to_vec())
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// The newest migration in a file, and how many leaves and old words it holds.
async fn holds(path: &Path) -> (i64, i64, i64) {
    let mut connection = connect(path).await;
    let sql = "SELECT (SELECT MAX(version) FROM schema_version), (SELECT COUNT(*) FROM audit_leaf), \
               (SELECT COUNT(*) FROM kept_of_old WHERE word = 'as it was')";
    let row = connection.fetch_one(sql).await.unwrap();
    connection.close().await.unwrap();
    (row.get(0), row.get(1), row.get(2))
}

/// Databases in a folder.
fn databases(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "db")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_an_older_schema_is_copied_before_it_is_changed() {
    let world = World::sqlite().await;
    for action in ["incident_take", "incident_note", "incident_resolve"] {
        world.store.audit_append(draft(action)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watchpost.db");
    make_oldest(&path, &world).await;
    let target = DatabaseTarget::Sqlite { path: path.clone() };

    // What stands where the copy is to be is not overwritten: then nothing is changed.
    let name = format!("watchpost-{}-schema-{OLDEST}", world.now().format("%Y%m%dT%H%M%SZ"));
    let left = folder.path().join(format!("{name}.db"));
    let others = (2..100).map(|n| folder.path().join(format!("{name}-{n}.db")));
    let others: Vec<_> = others.collect();
    for path in others.iter().chain([&left]) {
        std::fs::write(path, "somebody else's").unwrap();
    }
    let refused = Store::open(&target, world.clock.clone()).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoCopy { from: OLDEST, .. }), "{refused}");
    assert!(refused.to_string().contains("nothing was changed"), "{refused}");
    assert_eq!(holds(&path).await, (OLDEST, 3, 1));
    for path in &others {
        std::fs::remove_file(path).unwrap();
    }
    // One of the same second, of a process that was killed, keeps nobody from making the next.
    let copy = others[0].clone();

    let store = Store::open(&target, world.clock.clone()).await.unwrap();
    let migrated = store.migrated().cloned().unwrap();
    assert_eq!((migrated.from, migrated.copy.as_ref()), (OLDEST, Some(&copy)));
    store.audit_append(draft("incident_take")).await.unwrap();
    store.close().await;
    assert_eq!(holds(&copy).await, (OLDEST, 3, 1), "the copy is what it was");
    assert_eq!(holds(&path).await, (migrated.to, 4, 1), "and the database is not any more");
    assert_eq!(std::fs::read_to_string(&left).unwrap(), "somebody else's");
    std::fs::remove_file(&left).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let again = Store::open(&target, world.clock.clone()).await.unwrap();
    assert_eq!(again.migrated(), None, "it is up to date");
    again.close().await;
    assert_eq!(databases(folder.path()), 2, "which makes no copy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_trail_is_copied_as_it_is_and_nothing_is_where_no_copy_is_wanted() {
    let world = World::sqlite().await;
    world.store.audit_append(draft("incident_take")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watchpost.db");
    make_oldest(&path, &world).await;
    let mut connection = connect(&path).await;
    connection.execute("DELETE FROM audit_leaf").await.unwrap();
    connection.close().await.unwrap();
    let target = DatabaseTarget::Sqlite { path: path.clone() };
    let other = DatabaseTarget::Sqlite { path: folder.path().join("other.db") };
    std::fs::copy(&path, folder.path().join("other.db")).unwrap();
    let store = Store::open(&target, world.clock.clone()).await.unwrap();
    let copy = store.migrated().unwrap().copy.clone().unwrap();
    assert_eq!(holds(&copy).await, (OLDEST, 0, 1), "what is wrong with it stays to be looked into");
    store.close().await;
    let store = Store::open_without_copy(&other, world.clock.clone()).await.unwrap();
    let migrated = store.migrated().cloned().unwrap();
    assert_eq!((migrated.from, migrated.copy), (OLDEST, None));
    store.close().await;
    assert_eq!(databases(folder.path()), 3);
}

async fn everything_survives_a_restart(world: World) {
    let batch = crate::support::events(25, world.now());
    world.ingest(&batch, &[]).await;
    world.store.set_signer(Signer::session()).await.unwrap();
    world.store.audit_append(draft("incident_take")).await.unwrap();
    world.store.close().await;
    let again = world.another().await;
    assert_eq!(again.event_count(&Default::default()).await.unwrap(), 25);
    let result = again.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(result.ok, "{:?}", result.problems);
    assert_eq!(result.checkpoints, 2, "one for the new key, one on closing");
}

async fn a_good_target_is_diagnosed(world: World) {
    let steps = diagnose(&world.target).await;
    assert!(steps.iter().all(|step| step.state == StepState::Ok), "{steps:?}");
    assert!(steps.len() >= 4);
}

fn last(steps: &[CheckStep]) -> (&str, StepState) {
    let failed = steps.iter().find(|step| step.state != StepState::Ok);
    failed.or(steps.last()).map(|step| (step.name.as_str(), step.state)).unwrap()
}

/// Several processes start at once on an empty database: all of them open it.
async fn many_open(target: DatabaseTarget) {
    let mut openings = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let target = target.clone();
        openings.spawn(async move { Store::open(&target, Arc::new(SystemClock)).await });
    }
    while let Some(opened) = openings.join_next().await {
        let store = opened.unwrap().unwrap();
        store.audit_append(draft("hello")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_migrated_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    many_open(DatabaseTarget::Sqlite { path: folder.path().join("new.db") }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_migrated_by_many_at_once() {
    if let Some(target) = postgres_database().await {
        many_open(target).await;
    }
}

/// A database that lacks nothing is opened while somebody else writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_somebody_else_writes_is_opened_without_a_wait() {
    let world = World::sqlite().await;
    let DatabaseTarget::Sqlite { path } = &world.target else { unreachable!() };
    let mut other = connect(path).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let opened = Store::open(&world.target, world.clock.clone());
    let opened =
        tokio::time::timeout(std::time::Duration::from_secs(8), opened).await.expect("it waits for nobody");
    assert_eq!(opened.unwrap().migrated(), None);
    other.execute("COMMIT").await.unwrap();
    other.close().await.unwrap();
}

/// A full disk makes SQLite end transactions by itself, in the middle of a batch; here a trigger does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_ended_itself_wedges_nothing() {
    let world = World::sqlite().await;
    let batch = crate::support::events(25, world.now());
    world
        .tamper(
            "CREATE TRIGGER no_room BEFORE INSERT ON event BEGIN \
             SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
        )
        .await;
    for _ in 0..3 {
        let batch = IngestBatch { events: &batch, findings: &[], now: world.now() };
        let refused = world.store.ingest(batch).await.unwrap_err();
        assert!(refused.to_string().contains("is full"), "{refused}");
    }
    world.tamper("DROP TRIGGER no_room").await;
    world.ingest(&batch, &[]).await;
    assert_eq!(world.store.event_count(&Default::default()).await.unwrap(), 25, "as soon as there is room");
    world.store.audit_append(draft("incident_take")).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let store =
        Store::open(&DatabaseTarget::Sqlite { path: path.clone() }, Arc::new(SystemClock)).await.unwrap();
    for name in ["new.db", "new.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_database_that_is_cut_off_is_damaged_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watchpost.db");
    let target = DatabaseTarget::Sqlite { path: path.clone() };
    Store::open(&target, Arc::new(SystemClock)).await.unwrap().close().await;
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(8192).unwrap();
    let refused = Store::open(&target, Arc::new(SystemClock)).await;
    assert!(matches!(refused, Err(StoreError::Damaged(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| DatabaseTarget::Sqlite { path: folder.path().join(name) };
    std::fs::write(folder.path().join("text.db"), "This is not a database. ".repeat(100)).unwrap();
    let refused = Store::open(&at("text.db"), Arc::new(SystemClock)).await;
    assert!(matches!(refused, Err(StoreError::NotADatabase(_))), "{refused:?}");
    assert_eq!(last(&diagnose(&at("text.db")).await), ("open", StepState::Failed));
    let missing = Store::open(&at("no/such/x.db"), Arc::new(SystemClock)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
    assert_eq!(last(&diagnose(&at("no/such/x.db")).await), ("folder", StepState::Failed));
    let steps = diagnose(&at("new.db")).await;
    assert!(steps.iter().all(|step| step.state == StepState::Ok), "{steps:?}");
    assert!(!folder.path().join("new.db").exists(), "looking makes nothing");
    let path = folder.path().join("foreign.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute("CREATE TABLE bookmarks (x)").await.unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let foreign = Store::open(&at("foreign.db"), Arc::new(SystemClock)).await;
    assert!(matches!(foreign, Err(StoreError::NotADatabase(_))), "{foreign:?}");
    assert_eq!(last(&diagnose(&at("foreign.db")).await), ("schema", StepState::Failed));
    assert!(std::fs::read(&path).unwrap() == before, "not a byte of it is another");
}

#[tokio::test]
async fn a_bad_server_is_named_precisely() {
    let Some(target) = postgres_database().await else { return };
    let DatabaseTarget::Postgres { host, port, database, username, .. } = target else {
        panic!("not a server")
    };
    let with = |host: &str, port: u16, database: &str, username: &str| DatabaseTarget::Postgres {
        host: host.to_owned(),
        port,
        database: database.to_owned(),
        username: username.to_owned(),
        password: Some("hunter2".to_owned()),
        tls: None,
    };
    for (bad, step) in [
        (with("/no/such/folder", port, &database, &username), "resolve"),
        (with(&host, 1, &database, &username), "connect"),
        (with("127.0.0.1", 1, &database, &username), "connect"),
        (with(&host, port, "nothing_here", &username), "login"),
        (with(&host, port, &database, "nobody_here"), "login"),
    ] {
        let steps = diagnose(&bad).await;
        assert_eq!(last(&steps), (step, StepState::Failed), "{steps:?}");
        assert!(
            steps.iter().all(|s| (s.state == StepState::Failed) == s.hint.is_some()),
            "a failure has a hint"
        );
        assert!(!format!("{steps:?}").contains("hunter2"), "the password is told to nobody");
    }
}
