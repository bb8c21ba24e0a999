//! A child process that ends with its owner and writes to a log file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::wait::Hopeless;

/// How long a process may take to end after being asked, before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How long a process may take to print the line that says where it listens.
const ANNOUNCE: Duration = Duration::from_secs(20);

/// A running child. Dropping it asks it to end, then kills it, and always reaps it.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    child: Option<Child>,
    stop_signal: &'static str,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` with both outputs in `log` and nothing on its input.
    pub(crate) fn spawn(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        Self::spawn_with_input(name, command, Stdio::null(), log)
    }

    /// Starts `command` with both outputs in `log` and `input` to read from.
    pub(crate) fn spawn_with_input(
        name: &str,
        command: &mut Command,
        input: impl Into<Stdio>,
        log: &Path,
    ) -> Result<Self> {
        let out = open_log(log)?;
        command.stdin(input).stdout(out.try_clone()?).stderr(out);
        let child = start(name, command)?;
        Ok(Self { name: name.to_owned(), child: Some(child), stop_signal: "TERM", log: log.to_owned() })
    }

    /// Starts `command`, and returns the first line it prints: where it can be reached.
    pub(crate) fn spawn_announcing(name: &str, command: &mut Command, log: &Path) -> Result<(Self, String)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(open_log(log)?);
        let mut child = start(name, command)?;
        let stdout = child.stdout.take().context("its output is not piped")?;
        let daemon =
            Self { name: name.to_owned(), child: Some(child), stop_signal: "TERM", log: log.to_owned() };
        let (sender, receiver) = mpsc::sync_channel(1);
        // Ends when the last holder of the pipe does; it goes on reading so that nobody meets a closed pipe.
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if let Some(line) = lines.next() {
                let _ = sender.send(line);
            }
            lines.for_each(drop);
        });
        let Ok(line) = receiver.recv_timeout(ANNOUNCE) else {
            bail!("{name} did not say where it listens within {ANNOUNCE:?}; its log: {}", daemon.log_tail());
        };
        Ok((daemon, line.trim().to_owned()))
    }

    /// The signal this child ends cleanly on, where it is not `TERM`.
    pub(crate) fn stop_with(mut self, signal: &'static str) -> Self {
        self.stop_signal = signal;
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Fails with the end of the log when the child has already ended.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        let Some(child) = self.child.as_mut() else { bail!("{} was stopped", self.name) };
        if let Some(status) = child.try_wait()? {
            return Err(
                Hopeless(format!("{} ended with {status}; its log: {}", self.name, self.log_tail())).into()
            );
        }
        Ok(())
    }

    /// The last lines the child wrote.
    pub(crate) fn log_tail(&self) -> String {
        log_tail(&self.log)
    }

    /// Kills at once, as a crash or the kernel would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = child.id();
        let _ = signal(self.stop_signal, pid);
        let (sender, receiver) = mpsc::sync_channel(1);
        let reaper = thread::spawn(move || {
            let _ = sender.send(child.wait());
        });
        if receiver.recv_timeout(GRACE).is_err() {
            let _ = signal("KILL", pid);
        }
        let _ = reaper.join();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a signal by name. The shell's own `kill` is the one that every machine has.
pub(crate) fn signal(name: &str, pid: u32) -> Result<()> {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", name, &pid.to_string()])
        .stdin(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("no process {pid} to send {name} to");
    }
    Ok(())
}

/// The last lines of a log, on lines of their own, or a word on why there are none.
pub(crate) fn log_tail(log: &Path) -> String {
    const LINES: usize = 25;
    let text =
        std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return format!("{} (empty)", log.display());
    }
    format!("{}\n    | {}", log.display(), lines[lines.len().saturating_sub(LINES)..].join("\n    | "))
}

fn open_log(log: &Path) -> Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("failed to open the log {}", log.display()))
}

fn start(name: &str, command: &mut Command) -> Result<Child> {
    command.spawn().with_context(|| {
        format!(
            "failed to start {name} ({}); `cargo xtask doctor` says which package is missing",
            command.get_program().to_string_lossy()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Daemon, signal};

    #[test]
    fn announces_and_ends_with_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo over here; exec cat /dev/zero >/dev/null"]);
        let (daemon, line) =
            Daemon::spawn_announcing("a shell", &mut command, &dir.path().join("log")).unwrap();
        let pid = daemon.pid();
        assert_eq!(line, "over here");
        signal("0", pid).expect("it runs while it is owned");
        drop(daemon);
        signal("0", pid).expect_err("it is gone with its owner");
    }

    #[test]
    fn an_early_end_is_told_with_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo the disk is full >&2; exit 3"]);
        let error = Daemon::spawn_announcing("a shell", &mut command, &dir.path().join("log")).unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
}
