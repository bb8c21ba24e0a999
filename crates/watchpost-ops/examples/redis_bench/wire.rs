//! Redis as the bench itself speaks to it: blocking, without a client library, so that what is compared with is as fast as
//! it can be.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// A server that keeps nothing and ends with this value.
pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Failure> {
        Self::spawn(&mut Command::new("redis-server"))
    }

    /// One that nobody keeps from its core, and whether that was allowed: its slow log tells how long a command took from
    /// its beginning to its end, and with a client on the same two cores that is also how long it waited for one of them.
    pub(crate) fn start_first() -> Result<(Self, bool), Failure> {
        let first = || {
            let mut command = Command::new("chrt");
            command.args(["--fifo", "1"]);
            command
        };
        let tried = first().arg("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if tried.is_ok_and(|status| status.success()) {
            Ok((Self::spawn(first().arg("redis-server"))?, true))
        } else {
            Ok((Self::start()?, false))
        }
    }

    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("wp-").tempdir()?;
        let child = command
            .current_dir(folder.path())
            .args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir", "./"])
            .args(["--slowlog-log-slower-than", "5000", "--slowlog-max-len", "1024"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("redis-server cannot be started: {error}"))?;
        let server = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(10);
        while UnixStream::connect(server.socket()).is_err() {
            if Instant::now() > deadline {
                return Err("redis-server does not answer".into());
            }
            std::thread::park_timeout(Duration::from_millis(10)); // Nothing tells when it listens.
        }
        Ok(server)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn wire(&self) -> Result<Wire, Failure> {
        Wire::connect(&self.socket())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Text(Vec<u8>),
    Int(i64),
    List(Vec<Reply>),
    Nil,
    Error(String),
}

impl Reply {
    pub(crate) fn int(&self) -> i64 {
        match self {
            Self::Int(number) => *number,
            Self::Text(text) => String::from_utf8_lossy(text).parse().unwrap_or_default(),
            _ => 0,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Self::Int(number) => number.to_string(),
            Self::Error(error) => error.clone(),
            Self::List(_) | Self::Nil => String::new(),
        }
    }

    pub(crate) fn list(self) -> Vec<Self> {
        if let Self::List(items) = self { items } else { Vec::new() }
    }
}

/// A connection.
pub(crate) struct Wire {
    stream: UnixStream,
    buffer: Vec<u8>,
    at: usize,
}

/// Adds one command to a pipeline.
pub(crate) fn command(bytes: &mut Vec<u8>, words: &[&str]) {
    let _ = write!(bytes, "*{}\r\n", words.len()); // Writing to a Vec cannot fail.
    for word in words {
        let _ = write!(bytes, "${}\r\n{word}\r\n", word.len());
    }
}

impl Wire {
    pub(crate) fn connect(socket: &Path) -> Result<Self, Failure> {
        Ok(Self { stream: UnixStream::connect(socket)?, buffer: Vec::new(), at: 0 })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes)?)
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> Result<Reply, Failure> {
        let mut bytes = Vec::new();
        command(&mut bytes, words);
        self.send(&bytes)?;
        match self.reply()? {
            Reply::Error(error) => Err(format!("{}: {error}", words[0]).into()),
            reply => Ok(reply),
        }
    }

    /// Sends many commands and passes over their answers.
    pub(crate) fn pass(&mut self, bytes: &[u8], commands: usize) -> Result<(), Failure> {
        self.send(bytes)?;
        for _ in 0..commands {
            if let Reply::Error(error) = self.reply()? {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn more(&mut self) -> Result<(), Failure> {
        if self.at > 0 && self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        if self.at > 1 << 16 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let end = self.buffer.len();
        self.buffer.resize(end + (1 << 16), 0);
        let n = self.stream.read(&mut self.buffer[end..])?;
        self.buffer.truncate(end + n);
        if n == 0 { Err("the server closed the connection".into()) } else { Ok(()) }
    }

    /// Where the line that begins here ends.
    fn line(&mut self) -> Result<(usize, usize), Failure> {
        let mut looked = 0;
        loop {
            let rest = &self.buffer[self.at + looked..];
            if let Some(found) = rest.iter().position(|byte| *byte == b'\n') {
                let (from, to) = (self.at, self.at + looked + found - 1);
                self.at = to + 2;
                return Ok((from, to));
            }
            looked = self.buffer.len() - self.at;
            self.more()?;
        }
    }

    fn number(&self, from: usize, to: usize) -> i64 {
        std::str::from_utf8(&self.buffer[from..to]).ok().and_then(|text| text.parse().ok()).unwrap_or(-1)
    }

    pub(crate) fn reply(&mut self) -> Result<Reply, Failure> {
        let (from, to) = self.line()?;
        let text = self.buffer[from + 1..to].to_vec();
        match self.buffer[from] {
            b':' => Ok(Reply::Int(self.number(from + 1, to))),
            b'+' => Ok(Reply::Text(text)),
            b'-' => Ok(Reply::Error(String::from_utf8_lossy(&text).into_owned())),
            b'$' => match usize::try_from(self.number(from + 1, to)) {
                Err(_) => Ok(Reply::Nil),
                Ok(n) => {
                    while self.buffer.len() - self.at < n + 2 {
                        self.more()?;
                    }
                    let text = self.buffer[self.at..self.at + n].to_vec();
                    self.at += n + 2;
                    Ok(Reply::Text(text))
                }
            },
            _ => {
                let n = self.number(from + 1, to).max(0);
                Ok(Reply::List((0..n).map(|_| self.reply()).collect::<Result<_, _>>()?))
            }
        }
    }

    /// The raw limit of every walk: one `SCAN COUNT 1000` after the other, the next sent when the cursor is known, names
    /// only passed over. Returns the number of keys.
    pub(crate) fn raw_scan(&mut self) -> Result<u64, Failure> {
        let (mut cursor, mut keys) = ("0".to_owned(), 0);
        loop {
            let mut bytes = Vec::with_capacity(64);
            command(&mut bytes, &["SCAN", &cursor, "COUNT", "1000"]);
            self.send(&bytes)?;
            self.line()?;
            self.line()?;
            let (from, to) = self.line()?;
            cursor = String::from_utf8_lossy(&self.buffer[from..to]).into_owned();
            let (from, to) = self.line()?;
            let n = self.number(from + 1, to);
            for _ in 0..n {
                let (from, to) = self.line()?;
                let length = usize::try_from(self.number(from + 1, to)).unwrap_or(0);
                while self.buffer.len() - self.at < length + 2 {
                    self.more()?;
                }
                self.at += length + 2;
            }
            keys += n.unsigned_abs();
            if cursor == "0" {
                return Ok(keys);
            }
        }
    }

    /// The raw limit of whatever reads all hashes: `HGETALL` of each key of a page, sent together with the question for
    /// the next page, answers only passed over. Returns the number of keys.
    pub(crate) fn raw_read(&mut self) -> Result<u64, Failure> {
        let (mut cursor, mut keys, mut names) = ("0".to_owned(), 0, Vec::<String>::new());
        let mut is_begun = false;
        while !is_begun || cursor != "0" || !names.is_empty() {
            let mut bytes = Vec::new();
            let scans = !is_begun || cursor != "0";
            if scans {
                command(&mut bytes, &["SCAN", &cursor, "COUNT", "1000"]);
            }
            for name in &names {
                command(&mut bytes, &["HGETALL", name]);
            }
            self.send(&bytes)?;
            keys += names.len() as u64;
            let asked = std::mem::take(&mut names).len();
            if scans {
                let mut page = self.reply()?.list().into_iter();
                cursor = page.next().unwrap_or(Reply::Nil).text();
                names = page.next().unwrap_or(Reply::Nil).list().iter().map(Reply::text).collect();
            }
            is_begun = true;
            for _ in 0..asked {
                self.pass_over()?;
            }
        }
        Ok(keys)
    }

    fn pass_over(&mut self) -> Result<(), Failure> {
        let (from, to) = self.line()?;
        match self.buffer[from] {
            b'$' => {
                let length = usize::try_from(self.number(from + 1, to)).map_or(0, |length| length + 2);
                while self.buffer.len() - self.at < length {
                    self.more()?;
                }
                self.at += length;
            }
            b'*' => {
                for _ in 0..self.number(from + 1, to) {
                    self.pass_over()?;
                }
            }
            b'-' => return Err(String::from_utf8_lossy(&self.buffer[from..to]).into_owned().into()),
            _ => {}
        }
        Ok(())
    }
}

/// The figure behind `name:` in an answer to `INFO`.
pub(crate) fn info(text: &str, name: &str) -> f64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
        .unwrap_or_default()
}
