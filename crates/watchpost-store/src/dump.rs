//! Dumps of a PostgreSQL database, made and read by the programs of its packages: `pg_dump` and `pg_restore`.
//!
//! A server's files are not ours to copy, and what a database is made of only these programs know in each version. They get
//! the connection by their environment and a password by a file of this account, so neither stands in a list of processes.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use watchpost_model::connection::TlsFiles;

use crate::error::StoreError;
use crate::target::{DatabaseTarget, look_at_tls_files};

/// How a dump in the custom format begins.
const MAGIC: &[u8] = b"PGDMP";
/// How often is looked whether whoever waits still wants it.
const LOOK: Duration = Duration::from_millis(200);
/// Folders of packages that are not in the path. Debian and Red Hat keep each version apart.
const FOLDERS: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
];
/// The same of one version.
const FOLDERS_OF_ONE: &[&str] =
    &["/usr/local/pgsql/bin", "/opt/homebrew/opt/libpq/bin", "/usr/local/opt/libpq/bin"];
/// Where systems keep the authorities that they trust: libpq before 16 does not find them by itself.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whether whoever waits for work still wants it.
pub type GoesOn<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// Is this file a dump of PostgreSQL, and not a file of SQLite?
///
/// # Errors
/// What the system says.
pub fn is_dump(path: &Path) -> std::io::Result<bool> {
    let mut begin = Vec::with_capacity(MAGIC.len());
    std::fs::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut begin)?;
    Ok(begin == MAGIC)
}

/// The programs of one PostgreSQL.
#[derive(Debug)]
pub(crate) struct Programs {
    dump: PathBuf,
    restore: PathBuf,
    major: u32,
}

impl Programs {
    /// Those of the oldest version that is not older than the server: what a newer one writes an older server may not read.
    ///
    /// # Errors
    /// `NoPrograms`.
    pub(crate) async fn for_server(major: u32) -> Result<Self, StoreError> {
        let mut found: Vec<Self> = Vec::new();
        for folder in folders() {
            let (dump, restore) = (folder.join("pg_dump"), folder.join("pg_restore"));
            if dump.is_file()
                && restore.is_file()
                && let Some(major) = version(&dump).await
            {
                found.push(Self { dump, restore, major });
            }
        }
        fitting(found, major)
    }

    /// Writes a dump to an empty file that is there, whose rights stay as they are. It is not compressed, so that what was
    /// erased of people can be looked for in it.
    ///
    /// # Errors
    /// `Program`, `Cancelled`, `Folder`.
    pub(crate) async fn dump(
        &self,
        server: &DatabaseTarget,
        to: &Path,
        goes_on: GoesOn<'_>,
    ) -> Result<(), StoreError> {
        let reached = Reached::of(server)?;
        let mut command = reached.command(&self.dump);
        command
            .args(["--format=custom", "--compress=0", "--no-password", "--lock-wait-timeout=60000", "--file"])
            .arg(to)
            .arg("--dbname")
            .arg(&reached.database);
        run(command, "pg_dump", goes_on).await
    }

    /// Fills an empty database from a dump. All of it belongs to the login that does that.
    ///
    /// # Errors
    /// `BrokenCopy`, `Program`, `Cancelled`.
    pub(crate) async fn restore(
        &self,
        from: &Path,
        to: &DatabaseTarget,
        goes_on: GoesOn<'_>,
    ) -> Result<(), StoreError> {
        let reached = Reached::of(to)?;
        let mut command = reached.command(&self.restore);
        command
            .args(["--exit-on-error", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-comments"])
            .args([
                "--no-publications",
                "--no-subscriptions",
                "--no-security-labels",
                "--no-password",
                "--dbname",
            ])
            .arg(&reached.database)
            .arg(from);
        run(command, "pg_restore", goes_on).await.map_err(of_copy)
    }
}

/// What `pg_restore` cannot put back is broken, unless it is the server that it fails of.
fn of_copy(error: StoreError) -> StoreError {
    const OF_SERVER: &[&str] =
        &["connection to server", "server closed the connection", "No space left", "terminating connection"];
    match error {
        StoreError::Program { program, said } if !OF_SERVER.iter().any(|words| said.contains(words)) => {
            StoreError::BrokenCopy(format!("{program} says: {said}"))
        }
        other => other,
    }
}

fn fitting(found: Vec<Programs>, major: u32) -> Result<Programs, StoreError> {
    let newest = found.iter().map(|one| one.major).max();
    let fits = found.into_iter().filter(|one| one.major >= major).min_by_key(|one| one.major);
    fits.ok_or_else(|| {
        StoreError::NoPrograms(match newest {
            None => format!(
                "pg_dump and pg_restore are not on this machine; the server is PostgreSQL {major}"
            ),
            Some(newest) => format!(
                "pg_dump on this machine is of PostgreSQL {newest}, and the server is PostgreSQL {major}: it has to be \
                 of the same version or a newer one"
            ),
        })
    })
}

/// Where programs of PostgreSQL are looked for: first what the path names.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    for (below, begin, last) in FOLDERS {
        for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(begin) {
                folders.push(entry.path().join(last));
            }
        }
    }
    folders.extend(FOLDERS_OF_ONE.iter().map(PathBuf::from));
    folders
}

async fn version(program: &Path) -> Option<u32> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let said = tokio::time::timeout(Duration::from_secs(10), command.output()).await.ok()?.ok()?;
    major(&String::from_utf8_lossy(&said.stdout))
}

/// The major version in `pg_dump (PostgreSQL) 15.8 (Debian 15.8-1)`.
fn major(said: &str) -> Option<u32> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// How a program reaches a database.
struct Reached {
    database: String,
    variables: Vec<(&'static str, OsString)>,
    /// Kept until the program has ended.
    _password: Option<PassFile>,
}

impl Reached {
    fn of(target: &DatabaseTarget) -> Result<Self, StoreError> {
        let DatabaseTarget::Postgres { host, port, database, username, password, tls } = target else {
            return Err(StoreError::Validation("the target is not a server".to_owned()));
        };
        let password = password.as_deref().map(PassFile::with).transpose()?;
        // Without one, none is taken from a file that the account has for other programs.
        let file = password.as_ref().map_or(Path::new("/dev/null/none"), |file| file.0.as_path());
        let mut variables: Vec<(&'static str, OsString)> = vec![
            ("PGHOST", host.into()),
            ("PGPORT", port.to_string().into()),
            ("PGUSER", username.into()),
            ("PGPASSFILE", file.into()),
            ("PGCONNECT_TIMEOUT", "10".into()),
            ("PGGSSENCMODE", "disable".into()),
            ("LC_ALL", "C".into()),
        ];
        match tls {
            None => variables.push(("PGSSLMODE", "disable".into())),
            Some(files) => {
                look_at_tls_files(files)?;
                variables.extend(encrypted(files));
            }
        }
        // As a name alone it would be read as a connection string where it looks like one.
        let database = format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"));
        Ok(Self { database, variables, _password: password })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Variables for TLS that is required and checked, as the connection of the store has it.
fn encrypted(files: &TlsFiles) -> Vec<(&'static str, OsString)> {
    let of_system = || AUTHORITIES.iter().find(|file| Path::new(file).is_file()).copied().unwrap_or("system");
    let authorities = files.ca.as_deref().unwrap_or_else(of_system);
    let mut variables: Vec<(&'static str, OsString)> =
        vec![("PGSSLMODE", "verify-full".into()), ("PGSSLROOTCERT", authorities.into())];
    if let (Some(cert), Some(key)) = (&files.cert, &files.key) {
        variables.extend([("PGSSLCERT", cert.into()), ("PGSSLKEY", key.into())]);
    }
    variables
}

/// A file with a password that only this account reads; removed when it is dropped.
struct PassFile(PathBuf);

impl PassFile {
    fn with(password: &str) -> Result<Self, StoreError> {
        if password.contains(['\n', '\r']) {
            return Err(StoreError::Validation(
                "the password of the database holds a line break, which pg_dump cannot be given".to_owned(),
            ));
        }
        // The folder of this session is in memory.
        let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
        let folder = session.unwrap_or_else(std::env::temp_dir);
        let path = folder.join(format!("watchpost-{}", hex::encode(rand::random::<[u8; 16]>())));
        let line = format!("*:*:*:*:{}\n", password.replace('\\', "\\\\").replace(':', "\\:"));
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = Self(path);
        made.and_then(|mut made| made.write_all(line.as_bytes()))
            .map_err(|source| StoreError::Folder { folder, source })?;
        Ok(file)
    }
}

impl Drop for PassFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Runs a program to its end, unless nobody wants it any more.
async fn run(mut command: Command, program: &'static str, goes_on: GoesOn<'_>) -> Result<(), StoreError> {
    let failed = |said: String| StoreError::Program { program, said };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let mut ended = pin!(child.wait_with_output());
    let mut timer = tokio::time::interval(LOOK);
    let output = loop {
        tokio::select! {
            output = &mut ended => break output.map_err(|error| failed(error.to_string()))?,
            _ = timer.tick() => {
                if !goes_on() {
                    return Err(StoreError::Cancelled);
                }
            }
        }
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(6).collect();
    Err(failed(if lines.is_empty() { output.status.to_string() } else { lines.join("; ") }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{PassFile, Programs, Reached, fitting, is_dump, major};
    use crate::error::StoreError;
    use crate::target::DatabaseTarget;

    #[test]
    fn programs_are_of_the_version_of_the_server_or_the_next_one() {
        assert_eq!(major("pg_dump (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(major("pg_dump (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("something else 15"), None);
        let some = |majors: &[u32]| {
            let one = |major: &u32| Programs { dump: "a".into(), restore: "b".into(), major: *major };
            majors.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(fitting(some(&[17, 13, 16]), 15).expect("two fit").major, 16);
        assert_eq!(fitting(some(&[17, 15]), 15).expect("two fit").major, 15);
        let told = |majors: &[u32]| fitting(some(majors), 15).expect_err("none fits").to_string();
        assert!(told(&[13, 14]).contains("of PostgreSQL 14"), "{}", told(&[13, 14]));
        assert!(told(&[]).contains("not on this machine"), "{}", told(&[]));
    }

    #[test]
    fn a_password_is_in_a_file_of_this_account_and_nowhere_else() {
        let target = DatabaseTarget::Postgres {
            host: "db".into(),
            port: 5432,
            database: r"it's \ one".into(),
            username: "app".into(),
            password: Some(r"hunter:2\".into()),
            tls: None,
        };
        let reached = Reached::of(&target).expect("a server");
        assert_eq!(reached.database, r"dbname='it\'s \\ one'");
        let file = reached.variables.iter().find(|(name, _)| *name == "PGPASSFILE").expect("set").1.clone();
        assert_eq!(std::fs::read_to_string(&file).expect("there"), "*:*:*:*:hunter\\:2\\\\\n");
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{:?}", reached.variables).contains("hunter"), "it is not in the environment");
        drop(reached);
        assert!(!std::path::Path::new(&file).exists());
        assert!(matches!(PassFile::with("two\nlines"), Err(StoreError::Validation(_))));
    }

    #[test]
    fn a_dump_is_known_by_how_it_begins() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("one");
        let cases =
            [(&b"PGDMP\x01\x0e"[..], true), (b"SQLite format 3\0", false), (b"PG", false), (b"", false)];
        for (bytes, is) in cases {
            std::fs::write(&file, bytes).expect("ours");
            assert_eq!(is_dump(&file).expect("there"), is);
        }
    }
}
