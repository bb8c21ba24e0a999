//! A store for a test: a SQLite file in a folder of its own, or a database of its own in a private PostgreSQL cluster.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Duration, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use tempfile::TempDir;
use watchpost_model::access::{Caller, Origin, Permission, Role};
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::{EventId, FindingId};
use watchpost_store::{DatabaseTarget, IngestBatch, Store};

/// One test on both engines: `both!(name)` runs `async fn name(world: World)`.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::World::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(world) = $crate::support::World::postgres().await {
                    super::$name(world).await;
                }
            }
        }
    )+};
}
pub(crate) use both;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) target: DatabaseTarget,
    pub(crate) clock: Arc<ManualClock>,
    _folder: Option<TempDir>,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
        Self::open(target, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let target = postgres_database().await?;
        Some(Self::open(target, None).await)
    }

    async fn open(target: DatabaseTarget, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(ManualClock::new(whole_micros(SystemClock.now())));
        let store = Store::open(&target, clock.clone()).await.unwrap();
        Self { store, target, clock, _folder: folder }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.target, DatabaseTarget::Postgres { .. })
    }

    /// A second process, as far as the database can tell.
    pub(crate) async fn another(&self) -> Store {
        Store::open(&self.target, self.clock.clone()).await.unwrap()
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn tamper(&self, sql: &str) -> u64 {
        match &self.target {
            DatabaseTarget::Sqlite { path } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false);
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                let done = connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap().rows_affected();
                connection.close().await.unwrap();
                done
            }
            DatabaseTarget::Postgres { .. } => {
                let mut connection = PgConnection::connect_with(&options(&self.target)).await.unwrap();
                let done = connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap().rows_affected();
                connection.close().await.unwrap();
                done
            }
        }
    }

    pub(crate) async fn ingest(
        &self,
        events: &[(Event, String)],
        findings: &[Finding],
    ) -> watchpost_store::IngestOutcome {
        self.store.ingest(IngestBatch { events, findings, now: self.now() }).await.unwrap()
    }
}

pub(crate) fn whole_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap()
}

fn options(target: &DatabaseTarget) -> PgConnectOptions {
    let DatabaseTarget::Postgres { host, port, database, username, .. } = target else {
        panic!("the target is not a server")
    };
    PgConnectOptions::new_without_pgpass().socket(host).port(*port).database(database).username(username)
}

/// A private server. Under nextest, which runs each test in a process of its own, all processes of a run share it. The
/// supervisor stops it and removes its folder as soon as the run is gone, however it ends.
struct Cluster {
    folder: PathBuf,
}

const SUPERVISOR: &str = r#"
folder=$1; run=$2; shift 2
(
    "$@" >"$folder/log" 2>&1 </dev/null &
    server=$!
    tail --pid="$run" -f /dev/null
    kill -QUIT "$server"
    wait "$server"
    rm -rf "$folder" "$folder.lock"
) &
"#;

fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(start_cluster).as_ref()
}

fn start_cluster() -> Option<Cluster> {
    let Some(bin) = postgres_bin() else {
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: no PostgreSQL server binaries on this machine (initdb, postgres)")
            .unwrap();
        return None;
    };
    let (run, name) = match std::env::var("NEXTEST_RUN_ID") {
        Ok(id) => (std::os::unix::process::parent_id(), id),
        Err(_) => (std::process::id(), std::process::id().to_string()),
    };
    let folder = PathBuf::from(format!("/tmp/wp-pg-{name}"));
    let lock = std::fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if folder.join("data").is_dir() {
        return Some(Cluster { folder });
    }
    std::fs::create_dir(&folder).unwrap();
    make_cluster(&bin, &folder, run);
    Some(Cluster { folder })
}

/// PostgreSQL refuses to run as root: the account of the package runs it then, and has to own its folder.
fn unprivileged(folder: &Path) -> &'static [&'static str] {
    if !Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0") {
        return &[];
    }
    assert!(Command::new("chown").arg("-R").arg("postgres").arg(folder).status().unwrap().success());
    &["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
}

/// The words that start a program of PostgreSQL for a folder.
pub(crate) fn postgres_program(bin: &Path, name: &str, folder: &Path) -> Vec<String> {
    let prefix = unprivileged(folder).iter().map(|word| (*word).to_owned());
    prefix.chain([bin.join(name).display().to_string()]).collect()
}

fn make_cluster(bin: &Path, folder: &Path, run: u32) {
    let data = folder.join("data");
    let mut initdb = postgres_program(bin, "initdb", folder);
    initdb.extend(
        ["-D", &data.display().to_string(), "-U", "watchpost", "-A", "trust", "-E", "UTF8"]
            .map(str::to_owned),
    );
    initdb.extend(["--locale=C.UTF-8", "--no-sync", "--no-instructions"].map(str::to_owned));
    let made = Command::new(&initdb[0]).args(&initdb[1..]).current_dir("/").output().unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let mut server = postgres_program(bin, "postgres", folder);
    server
        .extend(["-D", &data.display().to_string(), "-k", &folder.display().to_string()].map(str::to_owned));
    server.extend(
        ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"].map(str::to_owned),
    );
    let started = Command::new("sh")
        .args(["-c", SUPERVISOR, "supervisor"])
        .arg(folder)
        .arg(run.to_string())
        .args(&server)
        .process_group(0)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(started.success(), "the supervisor did not start");
}

pub(crate) fn postgres_bin() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    versions.push(PathBuf::from("/usr/local/pgsql/bin"));
    versions.into_iter().rev().find(|bin| has(bin, "initdb") && has(bin, "postgres"))
}

fn has(bin: &Path, name: &str) -> bool {
    bin.join(name).is_file()
}

/// A new, empty database in the private cluster.
pub(crate) async fn postgres_database() -> Option<DatabaseTarget> {
    let cluster = tokio::task::spawn_blocking(cluster).await.unwrap()?;
    let target = |database: &str| DatabaseTarget::Postgres {
        host: cluster.folder.display().to_string(),
        port: 5432,
        database: database.to_owned(),
        username: "watchpost".to_owned(),
        password: None,
        tls: None,
    };
    let mut admin = loop {
        match PgConnection::connect_with(&options(&target("postgres"))).await {
            Ok(connection) => break connection,
            Err(error) => {
                let log = std::fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
                assert!(!log.contains("FATAL:  could not"), "the server did not start: {error}\n{log}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    };
    let name = format!("t{}", EventId::at(SystemClock.now()).0.simple());
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    admin.close().await.unwrap();
    Some(target(&name))
}

pub(crate) fn caller(name: &str) -> Caller {
    Caller { name: name.to_owned(), role: Role::Analyst, origin: Origin::Window, host: "desk-12".to_owned() }
}

/// The record of what is done to a hold names it.
pub(crate) fn of_hold(action: &str, id: &str) -> AuditDraft {
    AuditDraft { object: format!("hold/{id}"), ..draft(action) }
}

pub(crate) fn draft(action: &str) -> AuditDraft {
    AuditDraft {
        caller: caller("dana"),
        action: action.to_owned(),
        object: "thing/1".to_owned(),
        permission: Permission::Triage,
        outcome: AuditOutcome::Success,
        changes: Vec::new(),
        reason: Some("because".to_owned()),
        at: SystemClock.now(),
        risk: 5,
    }
}

/// Event `n` of a test: its id and key follow from `n`.
pub(crate) fn event(n: u32, at: DateTime<Utc>) -> Event {
    let mut seed = [0_u8; 16];
    seed[8..12].copy_from_slice(&n.to_be_bytes());
    let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap();
    let mut event =
        Event::new(EventId::derived(at.timestamp_millis(), seed), at, Category::ApiUsage, "request");
    event.source_ip = Some(format!("203.0.113.{}", n % 7));
    event.actor = Some(format!("user{}", n % 5));
    event.resource = Some("/search".to_owned());
    event.severity = Severity::ALL[n as usize % 5];
    event.outcome = Outcome::ALL[n as usize % 3];
    event
}

pub(crate) fn events(count: u32, from: DateTime<Utc>) -> Vec<(Event, String)> {
    (0..count)
        .map(|n| {
            let event = event(n, from + Duration::seconds(i64::from(n)));
            let key = format!("security:api:%2Fsearch:{}-{n}", event.at.timestamp_millis());
            (event, key)
        })
        .collect()
}

pub(crate) fn finding(n: u32, event: &Event, family: AttackFamily, source: &str) -> Finding {
    let mut bytes = *event.id.0.as_bytes();
    bytes[15] ^= 0x80 | u8::try_from(n % 100).unwrap();
    bytes[12..14].copy_from_slice(&u16::try_from(n % 60_000).unwrap().to_be_bytes());
    let id: FindingId = hex_uuid(bytes).parse().unwrap();
    Finding {
        id,
        rule_id: format!("wp.{family}.one"),
        rule_version: 1,
        rule_title: "A rule".to_owned(),
        family,
        event_id: event.id,
        at: event.at,
        entity: Entity::new(EntityKind::Ip, source),
        summary: format!("finding {n}"),
        matched: None,
        counter: None,
        counted: None,
        linked: Vec::new(),
        severity: Severity::High,
        confidence: 80,
        risk: 70,
        attack: vec!["T1190".to_owned()],
        owasp: None,
        controls: Vec::new(),
        enrichment: watchpost_model::enrichment::Enrichment::default(),
    }
}

fn hex_uuid(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
