//! The `sqlite3` shell as a process that stays, with the settings of a connection of ours: what is measured is the
//! statement and the reading of its rows, as of ours.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use crate::Failure;

/// As `sqlite_options` of the store.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; \
    PRAGMA secure_delete = ON; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 16384; \
    PRAGMA temp_store = MEMORY;";
/// No row is this.
const END: &str = "--end of the answer--";

pub(crate) struct Shell {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Shell {
    /// What is installed, if it is.
    pub(crate) fn version() -> Option<String> {
        let output = Command::new("sqlite3").arg("--version").stdin(Stdio::null()).output().ok()?;
        String::from_utf8(output.stdout).ok()?.split(' ').next().map(str::to_owned)
    }

    /// On a file, which is made if it is not there; `None` where the shell is not installed.
    pub(crate) fn open(file: &Path) -> Result<Option<Self>, Failure> {
        if Self::version().is_none() {
            return Ok(None);
        }
        let mut command = Command::new("sqlite3");
        // No settings of the person; the first error ends it.
        command.args(["-batch", "-bail", "-init", "/dev/null", "-list"]).arg(file);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("the shell has an output")?);
        let mut shell = Self { child, input, output };
        shell.run(SETTINGS)?;
        Ok(Some(shell))
    }

    /// Runs statements; the rows that they give, as text.
    pub(crate) fn rows(&mut self, statements: &str) -> Result<String, Failure> {
        let input = self.input.as_mut().ok_or("the shell has an input")?;
        writeln!(input, "{statements}\n.print {END}")?;
        input.flush()?;
        let mut rows = String::new();
        loop {
            let begin = rows.len();
            if self.output.read_line(&mut rows)? == 0 {
                return Err(format!("the sqlite3 shell refuses: {statements:.400}").into());
            }
            if rows[begin..].trim_end() == END {
                rows.truncate(begin);
                return Ok(rows);
            }
        }
    }

    /// Runs statements; seconds until the last of their rows was read.
    pub(crate) fn run(&mut self, statements: &str) -> Result<f64, Failure> {
        let begun = Instant::now();
        self.rows(statements)?;
        Ok(begun.elapsed().as_secs_f64())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // At the end of its input it ends.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
