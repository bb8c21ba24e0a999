//! A private Redis server.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::port::free_port;
use crate::wait::until;

/// A `redis-server` of its own on a Unix socket and a free loopback port, without persistence.
#[derive(Debug)]
pub struct Redis {
    _server: Daemon,
    root: TempDir,
    port: u16,
}

impl Redis {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// When `redis-server` is missing or does not answer.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// Like [`Redis::start`], with further directives, such as `["--requirepass", "secret"]`.
    ///
    /// # Errors
    /// When `redis-server` is missing, refuses a directive or does not answer.
    pub async fn start_with(directives: &[&str]) -> Result<Self> {
        let root = tempfile::Builder::new().prefix("wp-redis-").tempdir()?;
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.arg("--unixsocket").arg(root.path().join("redis.sock"));
        command.arg("--dir").arg(root.path()).args(directives);
        let mut server = Daemon::spawn("redis-server", &mut command, &root.path().join("redis.log"))?;
        until("redis-server to answer", Duration::from_secs(20), || {
            let answer = server.check_alive().and_then(|()| ping(&root.path().join("redis.sock")));
            async move { answer }
        })
        .await
        .with_context(|| server.log_tail())?;
        Ok(Self { _server: server, root, port })
    }

    /// The path of the Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.root.path().join("redis.sock")
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL over TCP, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What `redis-cli` prints for a command: the server seen by an independent client.
    ///
    /// # Errors
    /// When `redis-cli` fails or the server answers with an error.
    pub fn ask(&self, args: &[&str]) -> Result<String> {
        redis_cli(&self.socket(), args)
    }
}

fn ping(socket: &std::path::Path) -> Result<()> {
    let answer = redis_cli(socket, &["PING"]);
    match answer {
        // A server that wants a password has answered, too.
        Ok(text) if text.contains("PONG") || text.contains("NOAUTH") => Ok(()),
        Err(error) if error.to_string().contains("NOAUTH") => Ok(()),
        Ok(text) => bail!("it answered {text}"),
        Err(error) => Err(error),
    }
}

/// Runs one command with `redis-cli` on a socket.
pub(crate) fn redis_cli(socket: &std::path::Path, args: &[&str]) -> Result<String> {
    let output = Command::new("redis-cli")
        .arg("-e")
        .arg("-s")
        .arg(socket)
        .args(args)
        .env_remove("REDISCLI_AUTH")
        .stdin(Stdio::null())
        .output()
        .context("failed to run redis-cli")?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() {
        bail!(
            "redis-cli {} failed: {text}{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::Redis;

    #[tokio::test]
    async fn answers_on_its_own_socket() {
        let redis = Redis::start().await.unwrap();
        assert_eq!(redis.ask(&["SET", "a", "1"]).unwrap(), "OK");
        assert_eq!(redis.ask(&["GET", "a"]).unwrap(), "1");
        let error = redis.ask(&["NO-SUCH-COMMAND"]).unwrap_err();
        assert!(error.to_string().contains("unknown command"), "{error}");
    }

    #[tokio::test]
    async fn a_refused_directive_is_told() {
        let error = Redis::start_with(&["--no-such-directive", "1"]).await.unwrap_err();
        assert!(format!("{error:#}").contains("no-such-directive"), "{error:#}");
    }
}
