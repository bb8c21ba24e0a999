//! A private PostgreSQL for a test; this crate speaks to it through the store only, so what is done behind its back goes by
//! `psql`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use watchpost_model::connection::DatabaseConnection;

/// The account and the database.
const NAME: &str = "postgres";

/// A server on a socket in a folder of its own; it ends with the test.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    programs: PathBuf,
}

impl Server {
    /// `None`, and a word about it, where PostgreSQL is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED: no PostgreSQL server binaries on this machine (initdb, postgres)")
                .expect("there is a place for errors");
            return None;
        };
        let folder = own_folder();
        let made = program(&programs, "initdb", folder.path())
            .args(["-U", NAME, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .status();
        assert!(made.expect("initdb runs").success(), "a cluster is made");
        Some(Self::run(programs, folder).await)
    }

    /// A server that follows this one: what is written here is streamed there, and it takes no changes by itself. `None`, and
    /// a word about it, where the program that copies a server is not installed.
    pub(crate) async fn standby(&self) -> Option<Self> {
        if !self.programs.join("pg_basebackup").is_file() {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED: no pg_basebackup on this machine")
                .expect("there is a place for errors");
            return None;
        }
        let folder = own_folder();
        let copied = program(&self.programs, "pg_basebackup", folder.path())
            .args(["-U", NAME, "-R", "-C", "-S", "standby", "-c", "fast", "--no-sync", "-h"])
            .arg(self.folder.path())
            .arg("-D")
            .arg(folder.path().join("data"))
            .status();
        assert!(copied.expect("pg_basebackup runs").success(), "the cluster is copied");
        Some(Self::run(self.programs.clone(), folder).await)
    }

    /// Starts the cluster in a folder, and waits until it answers.
    async fn run(programs: PathBuf, folder: TempDir) -> Self {
        let process = program(&programs, "postgres", folder.path())
            .arg("-D")
            .arg(folder.path().join("data"))
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .spawn()
            .expect("postgres starts");
        let server = Self { process, folder, programs };
        let answers = async {
            let mut timer = tokio::time::interval(Duration::from_millis(50));
            while server.tell("SELECT 1").is_err() {
                timer.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), answers).await.expect("the server answers");
        server
    }

    /// Ends it at once, as a machine does that fails: its connections are cut, and nothing is put in order.
    pub(crate) fn kill(&mut self) {
        // It may have ended before, and its number be another's by now.
        if !matches!(self.process.try_wait(), Ok(None)) {
            return;
        }
        // QUIT ends its children with it.
        let told = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        if !told.is_ok_and(|status| status.success()) {
            drop(self.process.kill());
        }
        drop(self.process.wait());
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// Are the programs there that copy a database? Says so where they are not.
    pub(crate) fn has_dump(&self) -> bool {
        let there = ["pg_dump", "pg_restore"].iter().all(|name| self.programs.join(name).is_file());
        if !there {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED: no pg_dump and pg_restore on this machine")
                .expect("there is a place for errors");
        }
        there
    }

    /// Where it is.
    pub(crate) fn database(&self) -> DatabaseConnection {
        DatabaseConnection::Postgres {
            host: self.folder.path().display().to_string(),
            port: 5432,
            database: NAME.to_owned(),
            username: NAME.to_owned(),
            tls: None,
        }
    }

    /// What `psql` prints for a statement, or what is wrong with it.
    pub(crate) fn tell(&self, statement: &str) -> Result<String, String> {
        let said = Command::new(self.programs.join("psql"))
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "-U",
                NAME,
                "-d",
                NAME,
                "-c",
                statement,
                "-h",
            ])
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if said.status.success() {
            Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&said.stderr).into_owned())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}

/// A folder of the account that runs the server.
fn own_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("wp-pg-").tempdir().expect("a folder can be made");
    if is_root() {
        let given = Command::new("chown").arg(NAME).arg(folder.path()).status();
        assert!(given.expect("chown runs").success(), "the folder is given to {NAME}");
    }
    folder
}

/// A program of PostgreSQL. The server refuses to run as root: the account of the package runs it then.
fn program(programs: &Path, name: &str, folder: &Path) -> Command {
    let path = programs.join(name);
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NAME, "--regid", NAME, "--clear-groups"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    versions.into_iter().rev().find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}
