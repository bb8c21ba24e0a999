//! A private PostgreSQL server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::wait::until;

/// The account and the database of the tests.
const NAME: &str = "watchpost";

/// A `postgres` of its own on a Unix socket, empty, without durability.
#[derive(Debug)]
pub struct Postgres {
    _server: Daemon,
    root: TempDir,
    programs: PathBuf,
}

impl Postgres {
    /// Makes a cluster in a temporary directory, starts it, and creates the database `watchpost`.
    ///
    /// PostgreSQL refuses to run as root; then the account `postgres` of the package runs it.
    ///
    /// # Errors
    /// When the server is not installed or does not start.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let root = tempfile::Builder::new().prefix("wp-pg-").tempdir()?;
        if is_root()? {
            let owner = Command::new("chown").arg("postgres:").arg(root.path()).status()?;
            if !owner.success() {
                bail!("failed to hand {} to the account postgres", root.path().display());
            }
        }
        let cluster = root.path().join("cluster");
        let made = unprivileged(&programs.join("initdb"))?
            .args(["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
            .arg("--pgdata")
            .arg(&cluster)
            .current_dir(root.path())
            .stdin(Stdio::null())
            .output()
            .context("failed to run initdb")?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let mut command = unprivileged(&programs.join("postgres"))?;
        command.arg("-D").arg(&cluster).arg("-k").arg(root.path()).current_dir(root.path());
        for setting in ["listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"] {
            command.args(["-c", setting]);
        }
        // INT is its fast shutdown: disconnect everybody and end.
        let log = tempfile::Builder::new().prefix("log-").tempfile_in(root.path())?.into_temp_path();
        let mut server = Daemon::spawn("postgres", &mut command, &log)?.stop_with("INT");
        until("postgres to answer", Duration::from_secs(30), || {
            let answer =
                server.check_alive().and_then(|()| psql(&programs, root.path(), "postgres", "select 1"));
            async move { answer }
        })
        .await
        .with_context(|| server.log_tail())?;
        psql(&programs, root.path(), "postgres", &format!("create database {NAME}"))?;
        let _ = log.keep();
        Ok(Self { _server: server, root, programs })
    }

    /// The URL of the database `watchpost`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres:///{NAME}?host={}&user={NAME}", self.root.path().display())
    }

    /// What `psql` prints for a statement: rows on lines, columns parted by `|`.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn ask(&self, statement: &str) -> Result<String> {
        psql(&self.programs, self.root.path(), NAME, statement)
    }
}

fn psql(programs: &Path, host: &Path, database: &str, statement: &str) -> Result<String> {
    let output = Command::new(programs.join("psql"))
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--username", NAME, "--dbname", database])
        .args(["--set", "ON_ERROR_STOP=1", "--command", statement, "--host"])
        .arg(host)
        .stdin(Stdio::null())
        .output()
        .context("failed to run psql")?;
    if !output.status.success() {
        bail!("psql failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The directory of `initdb`: Debian keeps each version apart and out of the path.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        found.push((version, entry.path().join("bin")));
    }
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&in_path).map(|directory| (0, directory)));
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found
        .into_iter()
        .map(|(_, directory)| directory)
        .find(|directory| directory.join("initdb").is_file())
        .context("no initdb on this machine; `cargo xtask doctor` says which package is missing")
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output().context("failed to run id")?;
    Ok(output.stdout.trim_ascii() == b"0")
}

fn unprivileged(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::Postgres;

    #[tokio::test]
    async fn answers_on_its_own_socket() {
        let postgres = Postgres::start().await.unwrap();
        assert_eq!(postgres.ask("select current_database(), 6 * 7").unwrap(), "watchpost|42");
        let error = postgres.ask("select no_such_column").unwrap_err();
        assert!(error.to_string().contains("no_such_column"), "{error}");
    }
}
