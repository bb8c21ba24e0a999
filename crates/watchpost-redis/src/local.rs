//! The private `redis-server` of the local workspace.
//!
//! Life and death: the holder of the lock file `redis.lock` owns the server. The lock goes with its process, however
//! that dies; the server does not (a child cannot be tied to its parent without unsafe code), and its data are safe in
//! the append-only file. The next start finds it alive behind the socket, takes the lock and owns it again. While another
//! process holds the lock, a start attaches as a guest, and a guest's `stop` does nothing.

use std::fs::File;
use std::fs::TryLockError;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use sha2::Digest;
use sha2::Sha256;
use tokio::process::Child;
use tokio::process::Command;
use tokio::time::Instant;
use watchpost_model::text::visible;

use crate::error::RedisError;
use crate::target::Login;
use crate::target::RedisTarget;

/// `sun_path` holds 108 bytes; this leaves room for the suffixes of a temporary name.
const SOCKET_BYTES_MAX: usize = 100;
const POLL: Duration = Duration::from_millis(20);
/// Until a new server answers; one that says it is loading gets [`LOADING_TIMEOUT`].
const START_TIMEOUT: Duration = Duration::from_secs(15);
const LOADING_TIMEOUT: Duration = Duration::from_secs(600);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const LOG_BYTES_MAX: u64 = 16 << 10;
/// In the folder of a scratch server: the copy that it starts with.
const COPY: &str = "copy.rdb";
/// What a server has unless it is told otherwise.
const DATABASES: u32 = 16;

/// Why the private server is not running.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The program is not on this machine.
    #[error("redis-server is not installed; on Debian and Ubuntu: sudo apt install redis-server")]
    NotInstalled,
    /// A file or directory cannot be used.
    #[error("cannot use {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The directory for the socket belongs to somebody else.
    #[error("{path} is not a private directory of this user; remove it or choose another data directory")]
    NotPrivate {
        /// Which.
        path: PathBuf,
    },
    /// Even the short directory makes too long a path.
    #[error("the path of the socket, {path}, is longer than a Unix socket's may be (100 bytes)")]
    SocketPathTooLong {
        /// Which.
        path: PathBuf,
    },
    /// Another process tries something out there.
    #[error("another process uses {path}")]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// The append-only file is damaged.
    #[error(
        "the event store's append-only file in {dir} is damaged; repair it with `redis-check-aof --fix` (it cuts off \
         what is after the damage) or restore a backup: {log}"
    )]
    DamagedFile {
        /// The data directory.
        dir: PathBuf,
        /// The end of the server's log.
        log: String,
    },
    /// The server ended while it started.
    #[error("redis-server ended while it started: {log}")]
    Died {
        /// The end of the server's log.
        log: String,
    },
    /// The server did not answer in time.
    #[error("redis-server did not answer on {socket} in time")]
    NotReady {
        /// Its socket.
        socket: PathBuf,
    },
    /// It did not stop.
    #[error("redis-server did not stop")]
    Stop(#[source] RedisError),
}

/// A running private server.
#[derive(Debug)]
pub struct LocalServer {
    dir: PathBuf,
    socket: PathBuf,
    child: Option<Child>,
    // A scratch server keeps nothing on disk.
    is_scratch: bool,
    // How many databases the copy has that it starts with.
    copied: Option<u32>,
    // Held as long as this process owns the server.
    lock: Option<File>,
}

impl LocalServer {
    /// Starts the server of the data directory `dir` (made with mode 0700 if it is not there) or attaches to the one
    /// that runs; waits until it answers.
    ///
    /// Dropping the value leaves the server running: the next start finds it. [`Self::stop`] ends it.
    ///
    /// # Errors
    /// Every cause of [`LocalError`].
    pub async fn start(dir: &Path) -> Result<Self, LocalError> {
        let mut server = Self::claim(dir)?;
        if server.lock.is_none() || server.answers().await != Answer::No {
            server.wait_ready(0).await?;
            return Ok(server);
        }
        server.begin().await?;
        Ok(server)
    }

    /// Starts an empty server in `dir` that keeps nothing on disk and ends with this value: to try something out. One
    /// that a process left behind there is ended first.
    ///
    /// # Errors
    /// `InUse` while another process has one in `dir`; every cause of [`LocalError`].
    pub async fn scratch(dir: &Path) -> Result<Self, LocalError> {
        let mut server = Self::claim_scratch(dir).await?;
        server.begin().await?;
        Ok(server)
    }

    /// The same with what is in `copy`, an RDB file by its absolute path, which has `databases` databases and stays as it
    /// is. Returns when all of it is loaded.
    ///
    /// # Errors
    /// As [`Self::scratch`]; `Died` with what the server says of the file when it does not take it.
    pub async fn scratch_of(dir: &Path, copy: &Path, databases: u32) -> Result<Self, LocalError> {
        let mut server = Self { copied: Some(databases), ..Self::claim_scratch(dir).await? };
        let link = server.dir.join(COPY);
        match std::fs::remove_file(&link) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(io(&link, source)),
            _ => {}
        }
        std::os::unix::fs::symlink(copy, &link).map_err(|source| io(&link, source))?;
        server.begin().await?;
        Ok(server)
    }

    async fn claim_scratch(dir: &Path) -> Result<Self, LocalError> {
        let server = Self { is_scratch: true, ..Self::claim(dir)? };
        if server.lock.is_none() {
            return Err(LocalError::InUse { path: server.dir });
        }
        if server.answers().await == Answer::No {
            return Ok(server);
        }
        server.stop().await?;
        Ok(Self { is_scratch: true, ..Self::claim(dir)? })
    }

    /// Makes the directory and takes its lock, if nobody has it.
    fn claim(dir: &Path) -> Result<Self, LocalError> {
        make_private(dir)?;
        let dir = std::fs::canonicalize(dir).map_err(|source| io(dir, source))?;
        let socket = socket_path(&dir)?;
        let lock_path = dir.join("redis.lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(|source| io(&lock_path, source))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(source)) => return Err(io(&lock_path, source)),
        };
        Ok(Self { dir, socket, child: None, is_scratch: false, copied: None, lock })
    }

    async fn begin(&mut self) -> Result<(), LocalError> {
        let log_from = std::fs::metadata(self.log_path()).map_or(0, |meta| meta.len());
        self.child = Some(self.spawn()?);
        self.wait_ready(log_from).await
    }

    /// Does this process own the server? A guest must not stop it or run its schedules.
    #[must_use]
    pub const fn owned(&self) -> bool {
        self.lock.is_some()
    }

    /// Path of the socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The server as a target, with the contract's `prefix`.
    #[must_use]
    pub fn target(&self, prefix: &str) -> RedisTarget {
        RedisTarget::unix(&self.socket, prefix)
    }

    /// Stops the server after its append-only file is on disk. Does nothing for a guest.
    ///
    /// # Errors
    /// `Stop` if the server refuses, `NotReady` if it does not end within 30 seconds.
    pub async fn stop(mut self) -> Result<(), LocalError> {
        if !self.owned() {
            return Ok(());
        }
        let stop = async {
            let client = self.target("").client(Login::No).await?;
            let mut connection = client
                .get_multiplexed_async_connection()
                .await
                .map_err(|error| RedisError::classify(error, "the local server"))?;
            let reply: redis::RedisResult<redis::Value> =
                redis::cmd("SHUTDOWN").arg("NOSAVE").query_async(&mut connection).await;
            // NOSAVE is about RDB files only; the append-only file is synced. Success is a broken connection.
            match reply {
                Err(error) if !error.is_io_error() => Err(RedisError::classify(error, "the local server")),
                _ => Ok(()),
            }
        };
        match stop.await {
            Ok(()) => {}
            Err(RedisError::Refused { .. }) => return Ok(()), // It had ended by itself.
            Err(error) => return Err(LocalError::Stop(error)),
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        let gone = async {
            if let Some(child) = &mut self.child {
                let _ = child.wait().await; // Whatever its exit status: it is gone.
            }
            while self.socket.exists() {
                tokio::time::sleep(POLL).await; // Of a server that is not our child only the socket can be watched.
            }
        };
        tokio::time::timeout_at(deadline, gone)
            .await
            .map_err(|_| LocalError::NotReady { socket: self.socket.clone() })
    }

    fn log_path(&self) -> PathBuf {
        self.dir.join("redis.log")
    }

    /// Relative paths, because servers before 7.0 split arguments at blanks.
    fn spawn(&self) -> Result<Child, LocalError> {
        let socket =
            if self.socket.parent() == Some(&self.dir) { Path::new("redis.sock") } else { &self.socket };
        let mut command = Command::new("redis-server");
        command.current_dir(&self.dir).arg("--port").arg("0").arg("--unixsocket").arg(socket);
        for (option, value) in [
            ("--unixsocketperm", "700"),
            ("--dir", "./"),
            ("--appendonly", if self.is_scratch { "no" } else { "yes" }),
            ("--appendfsync", "everysec"),
            // A start reads the whole file: written anew as it grows, it holds each event once.
            ("--auto-aof-rewrite-min-size", "4mb"),
            ("--auto-aof-rewrite-percentage", "50"),
            ("--save", ""),
            ("--logfile", "redis.log"),
            ("--daemonize", "no"),
            ("--maxmemory-policy", "noeviction"),
        ] {
            command.arg(option).arg(value);
        }
        if let Some(databases) = self.copied {
            let databases = databases.max(DATABASES).to_string();
            command.args(["--dbfilename", COPY, "--databases", &databases]);
        }
        // An own process group: Ctrl+C in the terminal is for the window, which stops the server in order.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(self.is_scratch);
        command.spawn().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => LocalError::NotInstalled,
            _ => io(Path::new("redis-server"), source),
        })
    }

    async fn wait_ready(&mut self, log_from: u64) -> Result<(), LocalError> {
        let started = Instant::now();
        loop {
            let limit = match self.answers().await {
                Answer::Ready => return Ok(()),
                Answer::Loading => LOADING_TIMEOUT,
                Answer::No => START_TIMEOUT,
            };
            if let Some(child) = &mut self.child
                && child.try_wait().map_err(|source| io(Path::new("redis-server"), source))?.is_some()
            {
                return Err(self.died(log_from));
            }
            if started.elapsed() > limit {
                return Err(LocalError::NotReady { socket: self.socket.clone() });
            }
            tokio::time::sleep(POLL).await; // Readiness is not announced anywhere but behind the socket.
        }
    }

    async fn answers(&self) -> Answer {
        let ask = async {
            let client = self.target("").client(Login::No).await.ok()?;
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            let reply: redis::RedisResult<String> = redis::cmd("PING").query_async(&mut connection).await;
            Some(match reply {
                Ok(_) => Answer::Ready,
                Err(error) => match RedisError::classify(error, "") {
                    RedisError::Loading | RedisError::TimedOut(_) => Answer::Loading,
                    _ => Answer::No,
                },
            })
        };
        ask.await.unwrap_or(Answer::No)
    }

    fn died(&self, log_from: u64) -> LocalError {
        let log = read_log(&self.log_path(), log_from).unwrap_or_default();
        let damaged = log.contains("reading the append only file")
            || (log.contains("AOF")
                && (log.contains("Wrong signature") || log.contains("Invalid AOF manifest")));
        if damaged {
            LocalError::DamagedFile { dir: self.dir.clone(), log }
        } else {
            LocalError::Died { log }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Ready,
    Loading,
    No,
}

fn io(path: &Path, source: std::io::Error) -> LocalError {
    LocalError::Io { path: path.to_owned(), source }
}

fn make_private(dir: &Path) -> Result<(), LocalError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| io(dir, source))
}

/// The socket in `dir`, or in a short private directory if that path would be too long for a socket.
fn socket_path(dir: &Path) -> Result<PathBuf, LocalError> {
    let socket = dir.join("redis.sock");
    if socket.as_os_str().len() <= SOCKET_BYTES_MAX {
        return Ok(socket);
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let digest = Sha256::digest(dir.as_os_str().as_bytes());
    let name = digest[..8].iter().fold("watchpost-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    let short = runtime.unwrap_or_else(std::env::temp_dir).join(name);
    make_private(&short)?;
    let meta = std::fs::symlink_metadata(&short).map_err(|source| io(&short, source))?;
    let owner = std::fs::metadata(dir).map_err(|source| io(dir, source))?.uid();
    // Anybody can make a directory in /tmp first, so it must be ours and closed.
    if !meta.is_dir() || meta.uid() != owner || meta.permissions().mode() & 0o077 != 0 {
        return Err(LocalError::NotPrivate { path: short });
    }
    let socket = short.join("redis.sock");
    if socket.as_os_str().len() > SOCKET_BYTES_MAX {
        return Err(LocalError::SocketPathTooLong { path: socket });
    }
    Ok(socket)
}

/// What the server has logged since `from`, at most the last 16 KiB, in lines without their prefix.
fn read_log(path: &Path, from: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(LOG_BYTES_MAX)).min(length)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok(visible(&lines[lines.len().saturating_sub(6)..].join(" | "), 2_000))
}
