//! Trying a database step by step, so that a failure names the exact step and what to do about it.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor, Row};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use watchpost_model::connection::{TlsFiles, is_this_machine};
use watchpost_model::diagnosis::{CheckStep, StepState};

use crate::dump::Programs;
use crate::error::in_its_words;
use crate::migrate::{OWNS_TABLES, newest_known, number_known};
use crate::target::{DatabaseTarget, look_at_tls_files, postgres_options, sqlite_look};

/// A step that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(6);
/// The oldest PostgreSQL that is still maintained.
const POSTGRES_MIN: i32 = 130_000;

/// Alerts of a server about the certificate that it was given.
const OF_OUR_CERTIFICATE: [&str; 6] = [
    "received fatal alert: UnknownCA",
    "received fatal alert: BadCertificate",
    "received fatal alert: UnsupportedCertificate",
    "received fatal alert: CertificateRevoked",
    "received fatal alert: CertificateExpired",
    "received fatal alert: CertificateUnknown",
];

/// The plan of steps; those after a failure are skipped.
struct Steps {
    plan: Vec<(&'static str, String)>,
    done: Vec<CheckStep>,
}

impl Steps {
    fn new(plan: Vec<(&'static str, String)>) -> Self {
        Self { plan, done: Vec::new() }
    }

    fn push(&mut self, state: StepState, detail: impl Into<String>, hint: Option<&str>) {
        if let Some((name, title)) = self.plan.get(self.done.len()) {
            self.done.push(CheckStep {
                name: (*name).to_owned(),
                title: title.clone(),
                state,
                detail: detail.into(),
                hint: hint.map(str::to_owned),
            });
        }
    }

    fn ok(&mut self, detail: impl Into<String>) {
        self.push(StepState::Ok, detail, None);
    }

    fn fail(mut self, detail: impl Into<String>, hint: &str) -> Vec<CheckStep> {
        self.push(StepState::Failed, detail, Some(hint));
        while self.done.len() < self.plan.len() {
            self.push(StepState::Skipped, "an earlier step failed", None);
        }
        self.done
    }
}

/// Tries a database without changing it. A SQLite file that is not there yet is not made.
pub async fn diagnose(target: &DatabaseTarget) -> Vec<CheckStep> {
    match target {
        DatabaseTarget::Sqlite { path } => Box::pin(sqlite(path)).await,
        DatabaseTarget::Postgres { host, port, tls, .. } => match postgres_options(target) {
            Some(options) => Box::pin(postgres(host, *port, tls.as_ref(), &options)).await,
            None => Vec::new(),
        },
    }
}

/// A database whose tables lack what this version makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaBehind {
    /// Its newest migration.
    pub from: i64,
    /// The newest one that this version knows.
    pub to: i64,
    /// Opening it changes the tables: a file, or a login with the rights of their owner.
    pub by_opening: bool,
}

/// What the tables of a database lack. `None` if nothing, and where that cannot be asked: whoever opens it is told why.
pub async fn schema_behind(target: &DatabaseTarget) -> Option<SchemaBehind> {
    let asked = match target {
        DatabaseTarget::Sqlite { path } if !path.exists() => return None,
        DatabaseTarget::Sqlite { path } => timeout(PATIENCE, Box::pin(migrations_of_file(path))).await,
        DatabaseTarget::Postgres { .. } => {
            let options = postgres_options(target)?;
            timeout(PATIENCE, Box::pin(migrations_of_server(&options))).await
        }
    };
    let (newest, n, by_opening) = asked.ok()?.ok()?;
    let from = newest.filter(|found| *found <= newest_known() && n < number_known())?;
    Some(SchemaBehind { from, to: newest_known(), by_opening })
}

const MIGRATIONS: &str = "SELECT MAX(version), COUNT(*) FROM schema_version";

/// The newest migration, how many there are, and whether opening the database changes its tables.
type Migrations = (Option<i64>, i64, bool);

async fn migrations_of_file(path: &Path) -> Result<Migrations, sqlx::Error> {
    let options = sqlite_look(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let row = connection.fetch_one(MIGRATIONS).await?;
    let found = (row.try_get(0)?, row.try_get(1)?, true);
    connection.close().await?;
    Ok(found)
}

async fn migrations_of_server(options: &PgConnectOptions) -> Result<Migrations, sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let row = connection.fetch_one(MIGRATIONS).await?;
    let owns = connection.fetch_one(OWNS_TABLES).await?.try_get::<i64, _>(0)? == 1;
    let found = (row.try_get(0)?, row.try_get(1)?, owns);
    connection.close().await?;
    Ok(found)
}

async fn sqlite(path: &Path) -> Vec<CheckStep> {
    let mut steps = Steps::new(vec![
        ("folder", format!("Find the folder of {}", path.display())),
        ("permissions", "Write in the folder".to_owned()),
        ("open", "Open the file as a database".to_owned()),
        ("schema", "Know its schema".to_owned()),
    ]);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return steps.fail(
            format!("{} is not a folder", folder.display()),
            "Make the folder first, or choose another place for the file.",
        );
    }
    if path.is_dir() {
        return steps.fail("the path is a folder itself", "Add a file name, such as watchpost.db.");
    }
    steps.ok(folder.display().to_string());
    if let Err(error) = try_writing(folder, path) {
        return writing_failure(steps, &error);
    }
    steps.ok("file and folder can be written");
    if !path.exists() {
        steps.ok("the file is not there yet and will be made");
        steps.ok("a new database");
        return steps.done;
    }
    let options = sqlite_look(path);
    let mut connection = match sqlx::SqliteConnection::connect_with(&options).await {
        Ok(connection) => connection,
        Err(error) => return sqlite_failure(steps, &error),
    };
    let tables = connection
        .fetch_all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        )
        .await;
    let tables: Vec<String> = match tables {
        Ok(rows) => rows.iter().filter_map(|row| row.try_get(0).ok()).collect(),
        Err(error) => return sqlite_failure(steps, &error),
    };
    let version: String = match connection.fetch_one("SELECT sqlite_version()").await {
        Ok(row) => row.try_get(0).unwrap_or_default(),
        Err(error) => return sqlite_failure(steps, &error),
    };
    steps.ok(format!("SQLite {version}"));
    let found = match connection.fetch_one("SELECT MAX(version) FROM schema_version").await {
        Ok(row) => row.try_get::<Option<i64>, _>(0).ok().flatten(),
        Err(_) => None,
    };
    // Nothing is left behind; an error here changes nothing for the answer.
    let _ = connection.close().await;
    if found.is_none() && !tables.is_empty() {
        return steps.fail(
            format!("the file holds tables of another program: {}", tables.join(", ")),
            "Choose another file; Watchpost does not share one with another program.",
        );
    }
    schema(steps, found, StepState::Ok, "a copy of it is made beside the file first", None)
}

fn writing_failure(steps: Steps, error: &std::io::Error) -> Vec<CheckStep> {
    let hint = match error.kind() {
        std::io::ErrorKind::StorageFull => {
            "The disk is full. Free some space or choose a place on another disk."
        }
        std::io::ErrorKind::ReadOnlyFilesystem => "The file system is read-only. Choose another place.",
        _ => {
            "Give your user the right to write to the file and its folder; SQLite keeps its log beside the file."
        }
    };
    steps.fail(error.to_string(), hint)
}

fn sqlite_failure(steps: Steps, error: &sqlx::Error) -> Vec<CheckStep> {
    let code = error.as_database_error().and_then(|inner| inner.code()).unwrap_or_default().into_owned();
    let hint = match code.as_str() {
        "26" => "The file is not a SQLite database (or it is encrypted). Choose another file.",
        "11" => "The file is damaged. Restore it from a backup.",
        "5" | "261" => "Another program holds the file. Close it and try again.",
        "13" | "4874" => "The disk is full. Free some space.",
        _ => "Check the permissions of the file and that it is on a local disk.",
    };
    steps.fail(in_its_words(error), hint)
}

/// Tries to write where SQLite will, without leaving anything.
fn try_writing(folder: &Path, path: &Path) -> std::io::Result<()> {
    if path.exists() {
        std::fs::OpenOptions::new().append(true).open(path)?;
    }
    let probe = folder.join(format!(".watchpost-probe-{}", crate::audit::seal::random_id()));
    std::fs::write(&probe, [0_u8; 4096])?;
    std::fs::remove_file(&probe)
}

/// `older` is how a database of an older schema is told of, with what is said of a copy of it.
fn schema(
    mut steps: Steps,
    found: Option<i64>,
    older: StepState,
    copy: &str,
    hint: Option<&str>,
) -> Vec<CheckStep> {
    let known = newest_known();
    match found {
        None => steps.ok("empty: it will be set up"),
        Some(found) if found > known => {
            return steps.fail(
                format!("the database has schema {found}, this version knows up to {known}"),
                "It was opened by a newer Watchpost. Update this one.",
            );
        }
        Some(found) if found < known => {
            steps.push(older, format!("schema {found}, will be brought to {known}; {copy}"), hint);
        }
        Some(found) => steps.ok(format!("schema {found}")),
    }
    steps.done
}

async fn postgres(
    host: &str,
    port: u16,
    tls: Option<&TlsFiles>,
    options: &PgConnectOptions,
) -> Vec<CheckStep> {
    let with_tls = tls.is_some();
    let place =
        if host.starts_with('/') { format!("{host}/.s.PGSQL.{port}") } else { format!("{host}:{port}") };
    let mut plan = vec![
        ("resolve", format!("Find {host}")),
        ("connect", format!("Reach {place}")),
        ("tls", if with_tls { "Agree on TLS" } else { "TLS" }.to_owned()),
        ("login", format!("Log in as {}", options.get_username())),
        ("version", "Know its version".to_owned()),
        ("rights", "May make tables, or use those that are there".to_owned()),
        ("schema", "Know its schema".to_owned()),
    ];
    if !with_tls {
        plan.retain(|(name, _)| *name != "tls");
    }
    let mut steps = Steps::new(plan);
    let begun = Instant::now();
    if host.starts_with('/') {
        if !Path::new(host).is_dir() {
            return steps
                .fail(format!("{host} is not a folder"), "Give the folder of the server's Unix socket.");
        }
        steps.ok("a Unix socket");
        match timeout(PATIENCE, UnixStream::connect(&place)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                return steps.fail(
                    error.to_string(),
                    "Is the server running, and is this its socket folder and port?",
                );
            }
            Err(_) => return steps.fail("no answer", "The server hangs; look at its log."),
        }
    } else {
        let addresses: Vec<_> = match timeout(PATIENCE, lookup_host((host, port))).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => {
                return steps
                    .fail(error.to_string(), "Check the spelling of the host name and your DNS or VPN.");
            }
            Err(_) => return steps.fail("the name service does not answer", "Check your network or VPN."),
        };
        if addresses.is_empty() {
            return steps.fail("the name has no address", "Check the spelling of the host name.");
        }
        steps.ok(addresses.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>().join(", "));
        match timeout(PATIENCE, TcpStream::connect(addresses.as_slice())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let hint = "Is the server running, does it listen on this address (listen_addresses), and is the port right?";
                return steps.fail(error.to_string(), hint);
            }
            Err(_) => return steps.fail("no answer within 6 s", "A firewall may drop the packets."),
        }
    }
    steps.ok(format!("{:.1} ms", begun.elapsed().as_secs_f64() * 1000.0));
    if let Some(Err(error)) = tls.map(look_at_tls_files) {
        return steps.fail(error.to_string(), "Give the path of a PEM file that this account may read.");
    }
    login(steps, with_tls, options).await
}

async fn login(mut steps: Steps, with_tls: bool, options: &PgConnectOptions) -> Vec<CheckStep> {
    let connection = match timeout(PATIENCE, PgConnection::connect_with(options)).await {
        Err(_) => return steps.fail("the server does not answer", "Is this really a PostgreSQL server?"),
        Ok(Ok(connection)) => connection,
        Ok(Err(sqlx::Error::Database(error))) => {
            if with_tls {
                steps.ok("agreed, and the certificate is trusted");
            }
            return steps.fail(error.message().to_owned(), login_hint(&error.code().unwrap_or_default()));
        }
        Ok(Err(error)) => {
            let told = in_its_words(&error);
            return steps.fail(told.as_str(), tls_hint(with_tls, &told));
        }
    };
    if with_tls {
        steps.ok("agreed, and the certificate is trusted");
    }
    let database = format!("database {}", options.get_database().unwrap_or_default());
    if with_tls || is_this_machine(options.get_host()) || options.get_socket().is_some() {
        steps.ok(database);
    } else {
        steps.push(
            StepState::Warning,
            format!("{database}, not encrypted"),
            Some("Whoever is on the way reads and changes everything: use TLS (sslmode=verify-full in the URL)."),
        );
    }
    facts(steps, connection).await
}

/// What to do about a connection that was not agreed on.
fn tls_hint(with_tls: bool, told: &str) -> &'static str {
    if !with_tls {
        "The server may insist on TLS, or this is not PostgreSQL."
    } else if told.contains("KeyMismatch") {
        "The client key does not belong to the client certificate: give the two that do."
    } else if told.contains("received fatal alert: CertificateRequired") {
        "The server wants a client certificate: give certificate and key."
    } else if OF_OUR_CERTIFICATE.iter().any(|alert| told.contains(alert)) {
        "The server does not take the client certificate: it is not from an authority that the server trusts \
         (ssl_ca_file), or not valid now."
    } else {
        "The server may not offer TLS, or its certificate is not from the given authority or for this host name."
    }
}

/// Version, rights and schema, once logged in.
async fn facts(mut steps: Steps, mut connection: PgConnection) -> Vec<CheckStep> {
    let facts = connection
        .fetch_one(
            "SELECT CAST(current_setting('server_version_num') AS INTEGER), current_setting('server_version'), \
             has_schema_privilege(current_schema(), 'CREATE'), current_setting('server_encoding'), \
             pg_is_in_recovery(), CAST(current_schema() AS TEXT)",
        )
        .await;
    let row = match facts {
        Ok(row) => row,
        Err(error) => return steps.fail(in_its_words(&error), "Look at the server's log."),
    };
    let number: i32 = row.try_get(0).unwrap_or(0);
    let version: String = row.try_get(1).unwrap_or_default();
    let encoding: String = row.try_get(3).unwrap_or_default();
    if number < POSTGRES_MIN {
        return steps.fail(format!("PostgreSQL {version}"), "Watchpost needs PostgreSQL 13 or newer.");
    }
    if encoding != "UTF8" {
        return steps.fail(
            format!("PostgreSQL {version}, encoding {encoding}"),
            "Make the database with ENCODING 'UTF8'.",
        );
    }
    steps.ok(format!("PostgreSQL {version}"));
    let Some(schema_name) = row.try_get::<Option<String>, _>(5).ok().flatten() else {
        return steps.fail(
            "the search path names no schema that exists",
            "Make the schema or set the login's search_path.",
        );
    };
    if row.try_get(4).unwrap_or(false) {
        return steps.fail(
            "the server is a read-only standby",
            "Have the address lead to the primary, or this server promoted.",
        );
    }
    let may_make = row.try_get::<Option<bool>, _>(2).ok().flatten().unwrap_or(false);
    let (found, denied) = match connection.fetch_one("SELECT MAX(version) FROM schema_version").await {
        Ok(row) => (row.try_get::<Option<i64>, _>(0).ok().flatten(), false),
        Err(error) => (None, error.as_database_error().and_then(|e| e.code()).as_deref() == Some("42501")),
    };
    let groups = groups(&mut connection).await;
    // Nothing is left behind; an error here changes nothing for the answer.
    let _ = connection.close().await;
    if denied {
        return steps.fail(
            format!("the tables are there in schema {schema_name}, and this login may not read them"),
            "As the owner of the tables: run deploy/postgres-roles.sql, then GRANT one of its groups to the login.",
        );
    }
    match found {
        _ if may_make => steps.ok(format!("schema {schema_name}")),
        None => {
            return steps.fail(
                format!("no tables of Watchpost in schema {schema_name}, and no right to make them"),
                "Let the owner of the database open it once, then run deploy/postgres-roles.sql and GRANT one of its \
                 groups to the login.",
            );
        }
        Some(found) if found < newest_known() => {
            return steps.fail(
                format!("the tables have schema {found}, and this login may not bring them to {}", newest_known()),
                "Let their owner open the database once with this version, then run deploy/postgres-roles.sql again.",
            );
        }
        Some(_) if groups.is_empty() => steps.ok("the tables are there"),
        Some(_) => steps.ok(format!("the tables are there; role {}", groups.join(", "))),
    }
    if found.is_none_or(|found| found >= newest_known()) {
        return schema(steps, found, StepState::Ok, "", None);
    }
    match Programs::for_server(u32::try_from(number / 10_000).unwrap_or_default()).await {
        Ok(_) => schema(steps, found, StepState::Ok, "pg_dump makes a copy of it before", None),
        Err(why) => {
            let hint = "Install the client programs of PostgreSQL, or make a copy before Watchpost opens it: \
                        pg_dump -Fc --file FILE DATABASE.";
            schema(
                steps,
                found,
                StepState::Warning,
                &format!("no copy of it is made before: {why}"),
                Some(hint),
            )
        }
    }
}

/// The groups of deploy/postgres-roles.sql that the login is in, without their common beginning.
async fn groups(connection: &mut PgConnection) -> Vec<String> {
    let rows = connection
        .fetch_all(
            "SELECT substr(CAST(rolname AS TEXT), 11) FROM pg_catalog.pg_roles WHERE rolname IN ('watchpost_viewer', \
             'watchpost_analyst', 'watchpost_lead', 'watchpost_auditor', 'watchpost_admin', 'watchpost_engine') \
             AND pg_has_role(session_user, oid, 'MEMBER') ORDER BY rolname",
        )
        .await;
    // They are told for people's information only.
    rows.unwrap_or_default().iter().filter_map(|row| row.try_get(0).ok()).collect()
}

/// What to do about a login that PostgreSQL refuses, by its code.
pub(crate) fn login_hint(code: &str) -> &'static str {
    match code {
        "28P01" => "The user name or the password is wrong.",
        "28000" => {
            "The server refuses this user from this address: the user may not exist, or pg_hba.conf has no line for it."
        }
        "3D000" => "The database does not exist. Make it: CREATE DATABASE name ENCODING 'UTF8'.",
        "42501" => "The user has no right to connect to this database: GRANT CONNECT ON DATABASE.",
        "53300" => "The server has no connection left. Raise max_connections or close some.",
        "57P03" => "The server is starting up or shutting down. Try again soon.",
        _ => "Look at the server's log.",
    }
}

#[cfg(test)]
mod tests {
    use super::tls_hint;

    #[test]
    fn whose_certificate_it_is_about_is_told() {
        for (told, hint) in [
            ("keys may not be consistent: KeyMismatch", "The client key does not belong"),
            ("received fatal alert: CertificateRequired", "The server wants a client certificate"),
            ("received fatal alert: UnknownCA", "does not take the client certificate"),
            ("invalid peer certificate: UnknownIssuer", "not from the given authority"),
        ] {
            assert!(tls_hint(true, told).contains(hint), "{told}");
        }
    }
}
