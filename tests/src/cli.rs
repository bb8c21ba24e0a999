//! Running programs in a home: the command line, and the tools that look at what it left.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStderr, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::home::{HIDDEN, Home};

/// The longest any one command of a test may run.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All it wrote to its standard output.
    pub stdout: String,
    /// All it wrote to its standard error.
    pub stderr: String,
}

impl Finished {
    /// The standard output of a command that must have ended with 0.
    ///
    /// # Errors
    /// When it ended otherwise, with all it wrote.
    pub fn ok(self) -> Result<String> {
        if !self.status.success() {
            bail!("`{}` ended with {}\n{}\n{}", self.command, self.status, self.stdout, self.stderr);
        }
        Ok(self.stdout)
    }

    /// The standard output of a command that must have ended with 0, read as JSON.
    ///
    /// # Errors
    /// When it ended otherwise or wrote something else.
    pub fn json(self) -> Result<serde_json::Value> {
        let command = self.command.clone();
        let stdout = self.ok()?;
        serde_json::from_str(&stdout).with_context(|| format!("`{command}` did not write JSON but: {stdout}"))
    }
}

impl Home {
    /// Runs `watchpost` with these arguments in this home, and in its session once that has been started.
    ///
    /// # Errors
    /// When it cannot be started or does not end in time; not when it ends with a failure.
    pub async fn cli<I, S>(&self, args: I) -> Result<Finished>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.run(&self.binaries().cli, args).await
    }

    /// Runs any program in this home, and in its session once that has been started.
    ///
    /// # Errors
    /// When it cannot be started or does not end in time; not when it ends with a failure.
    pub async fn run<I, S>(&self, program: impl AsRef<OsStr>, args: I) -> Result<Finished>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.finish(Command::new(program).args(args), "").await
    }

    /// Runs any program in the session of this home with `input` on its standard input.
    ///
    /// # Errors
    /// When the session or the program cannot be started, or it does not end in time.
    pub async fn run_in_session(&self, program: &str, args: &[&str], input: &str) -> Result<Finished> {
        self.session().await?;
        self.finish(Command::new(program).args(args), input).await
    }

    /// Starts `watchpost` with these arguments and leaves it running; it is killed when the handle is dropped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_cli<I, S>(&self, args: I) -> Result<tokio::process::Child>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.start(args, Stdio::null())
    }

    /// The same, and the lines that it writes to its standard error.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_cli_telling<I, S>(&self, args: I) -> Result<(tokio::process::Child, Told)>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut child = self.start(args, Stdio::piped())?;
        let lines = BufReader::new(child.stderr.take().context("its log is not piped")?).lines();
        Ok((child, Told { lines }))
    }

    fn start<I, S>(&self, args: I, stderr: Stdio) -> Result<tokio::process::Child>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(self.binaries().cli.clone());
        for name in HIDDEN {
            command.env_remove(name);
        }
        command.args(args).envs(self.environment_now()).current_dir(self.work()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        command.spawn().context("failed to start watchpost")
    }

    /// Starts `watchpost serve` on a port of its own; it is killed when the handle is dropped.
    ///
    /// # Errors
    /// When it cannot be started or does not say where it listens.
    pub async fn serve(&self) -> Result<Serving> {
        let mut command = Command::new(self.binaries().cli.clone());
        for name in HIDDEN {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0"]).envs(self.environment_now());
        command.current_dir(self.work()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("failed to start watchpost")?;
        let stderr = child.stderr.take().context("its log is not piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let said = timeout(Duration::from_secs(60), async {
            let (mut token, mut address) = (None, None);
            loop {
                if let (Some(token), Some(address)) = (&token, &address) {
                    return anyhow::Ok((String::clone(token), String::clone(address)));
                }
                let line = lines.next_line().await?.context("it ended before it listened")?;
                let after = |what: &str| Some(line.split_once(what)?.1.trim().to_owned());
                if let Some(file) = after("the token of this run is in ") {
                    token = Some(std::fs::read_to_string(&file)?.trim().to_owned());
                }
                address = address.or_else(|| after("listening on http://"));
            }
        });
        let (token, address) = said.await.context("it did not say where it listens")??;
        // Its log is read on, so that it never waits for a reader.
        let mut log = JoinSet::new();
        log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Serving { _child: child, _log: log, address, token })
    }

    /// Interrupts a program as Ctrl+C does, and tells how it ended.
    ///
    /// # Errors
    /// When it has ended already, or does not end in time.
    pub async fn interrupt(mut child: tokio::process::Child) -> Result<ExitStatus> {
        Self::press(&child)?;
        let ended = timeout(PATIENCE, child.wait()).await;
        Ok(ended.with_context(|| format!("it did not end within {PATIENCE:?}"))??)
    }

    /// Presses Ctrl+C once.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn press(child: &tokio::process::Child) -> Result<()> {
        crate::daemon::signal("INT", child.id().context("it has ended already")?)
    }

    async fn finish(&self, command: &mut Command, input: &str) -> Result<Finished> {
        for name in HIDDEN {
            command.env_remove(name);
        }
        command.envs(self.environment_now()).current_dir(self.work()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = shown(command);
        let mut child = command.spawn().with_context(|| format!("failed to start `{shown}`"))?;
        let mut stdin = child.stdin.take().context("its input is not piped")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .with_context(|| format!("`{shown}` did not end within {PATIENCE:?}"))??;
        Ok(Finished {
            command: shown,
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// What a running program writes to its standard error.
#[derive(Debug)]
pub struct Told {
    lines: Lines<BufReader<ChildStderr>>,
}

impl Told {
    /// The next line with these words in it.
    ///
    /// # Errors
    /// When it ends, or time does, before it wrote one.
    pub async fn line(&mut self, words: &str) -> Result<String> {
        let found = timeout(PATIENCE, async {
            loop {
                let line = self.lines.next_line().await?.context("it ended")?;
                if line.contains(words) {
                    return anyhow::Ok(line);
                }
            }
        });
        found
            .await
            .with_context(|| format!("it did not say {words:?}"))?
            .with_context(|| format!("it did not say {words:?}"))
    }
}

/// A daemon and how to reach it.
#[derive(Debug)]
pub struct Serving {
    _child: tokio::process::Child,
    _log: JoinSet<()>,
    address: String,
    token: String,
}

impl Serving {
    /// Calls an operation: the status of the answer, and its text.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn call(&self, operation: &str, request: &str) -> Result<(u16, String)> {
        let mut stream = tokio::net::TcpStream::connect(&self.address).await?;
        let head = format!(
            "POST /api/v1/operations/{operation} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{request}",
            self.address,
            self.token,
            request.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.context("no answer")??;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer of HTTP")?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status")?;
        Ok((status, body.to_owned()))
    }
}

/// A command as a person would type it, without the directory of the program.
fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}
