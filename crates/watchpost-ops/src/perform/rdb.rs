//! Copies of the whole server, as a replica gets them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::job::{Fact, Figure, JobReport};
use watchpost_redis::EventStore;
use watchpost_redis::backup::{Contents, Held, RdbCopy, RdbEnd, RdbPlan};
use watchpost_redis::local::{LocalError, LocalServer};
use watchpost_report::{Prepared, WriteError};

use super::backups::encrypted;
use super::exports::{Target, unwritten};
use super::scratch::Scratch;
use crate::age_file::{self, Locked};
use crate::blocking::off_the_runtime;
use crate::error::{ErrorCode, OpError};
use crate::jobs::Ticket;

/// Pieces of at most 64 KiB that wait for the disk.
const PIECES: usize = 32;
/// What a server says of a file that is not for its version.
const OF_ANOTHER_VERSION: [&str; 3] = ["RDB format version", "module data", "Wrong signature"];

pub(super) async fn preview(events: &EventStore, path: String) -> Result<JobReport, OpError> {
    let plan = RdbPlan::look(events).await?;
    let facts = vec![Fact::new("file", "File", path), scope(&plan.before)];
    Ok(JobReport { figures: figures(&plan.before), facts, notes: plan.notes })
}

fn figures(of: &Contents) -> Vec<Figure> {
    let keys = of.keys().map(|keys| Figure::count("keys", "Keys of the whole server", keys));
    let bytes = of.data_bytes.map(|bytes| Figure::bytes("bytes", "Their memory in Redis", bytes));
    keys.into_iter().chain(bytes).collect()
}

/// What such a file holds, for people.
fn scope(of: &Contents) -> Fact {
    let used = match of.databases.as_ref().map(std::collections::BTreeMap::len) {
        Some(1) => "all databases (1 has keys)".to_owned(),
        Some(n) => format!("all databases ({n} have keys)"),
        None => "all databases".to_owned(),
    };
    let text = format!("the whole server: {used}, every key and not only those under the prefix");
    Fact::new("scope", "What is in it", text)
}

/// For whom a copy is encrypted, and the place where it is plain while it is tried.
pub(super) struct Sealed {
    pub(super) locked: Locked,
    pub(super) scratch: Scratch,
}

/// Writes the copy beside its place, or into a scratch place if it is to be encrypted, starts a server with it, and only then
/// puts it there.
pub(super) async fn copy(
    events: &EventStore,
    plan: RdbPlan,
    target: Target,
    sealed: Option<Sealed>,
    rehearsal: &Path,
    ticket: &Ticket,
) -> Result<JobReport, OpError> {
    ticket.step("waiting until the server begins its copy".to_owned());
    let mut copy = RdbCopy::begin(events, &plan, ticket.cancel.clone()).await?;
    let (pieces, incoming) = mpsc::channel(PIECES);
    let path = sealed.as_ref().map_or_else(|| target.path.clone(), |sealed| sealed.scratch.file("copy.rdb"));
    let writer = tokio::task::spawn_blocking(move || write(&path, incoming));
    let read = forward(&mut copy, pieces, ticket).await;
    let written = writer.await.map_err(|error| OpError::internal(format!("writing failed: {error}")))?;
    let end = read?;
    ticket.check()?;
    let prepared = written.map_err(|error| match error {
        Broken::Write(error) => unwritten(error),
        Broken::Stopped => OpError::internal("a part of the copy was not handed on"),
    })?;
    let after = ticket.soon(Contents::of(events)).await.ok_or_else(cancelled)??;
    ticket.step("starting a scratch server with it".to_owned());
    let rehearsed = rehearse(&prepared, rehearsal, (&plan.before, &after), ticket).await?;
    let encryption = sealed.as_ref().map(|sealed| encrypted(&sealed.locked));
    let prepared = match sealed {
        Some(sealed) => encrypt(sealed, prepared, &target.path, ticket).await?,
        None => prepared,
    };
    let (sha256, bytes, path) = (prepared.sha256.clone(), prepared.bytes, target.path.clone());
    target.place(prepared)?;
    let mut figures = figures(&after);
    figures.push(Figure::bytes("file_bytes", "Size of the file", bytes));
    figures.extend(rehearsed.keys.map(|keys| Figure::count("verified", "Keys on the scratch server", keys)));
    let mut facts = vec![
        Fact::new("file", "File", path.to_string_lossy()),
        Fact::new("sha256", "SHA-256 of the file", sha256),
        scope(&after),
        Fact::new("format", "Format", format!("RDB ({}) of {}", end.version, after.server)),
        Fact::new("checksum", "Checksum of the server", checksum(&end)),
        Fact::new("verdict", "Rehearsal", rehearsed.verdict),
    ];
    facts.extend(encryption);
    Ok(JobReport { figures, facts, notes: plan.notes })
}

/// Encrypts a copy that was tried, beside its place. The plain one goes.
async fn encrypt(sealed: Sealed, plain: Prepared, path: &Path, ticket: &Ticket) -> Result<Prepared, OpError> {
    ticket.step("encrypting the copy".to_owned());
    let (path, stop) = (path.to_owned(), ticket.cancel.clone());
    let done = off_the_runtime(move || {
        let locked = Prepared::write(&path, |out| -> Result<(), WriteError> {
            let locked = age_file::lock_into(plain.unplaced(), out, &sealed.locked, &stop);
            locked.map(drop).map_err(|error| WriteError::at(&path, error))
        });
        // In this order: the plain copy is in the scratch place.
        drop(plain);
        drop(sealed);
        locked
    });
    let done = done.await?;
    ticket.check()?;
    done.map_err(unwritten)
}

fn checksum(end: &RdbEnd) -> String {
    match end.checksum {
        Some(checksum) => format!("CRC64 {checksum:016x}, and the file has it"),
        None => "none: the server has checksums off (rdbchecksum no)".to_owned(),
    }
}

/// Hands on what comes; an empty piece says that it is whole.
async fn forward(
    copy: &mut RdbCopy,
    pieces: mpsc::Sender<Vec<u8>>,
    ticket: &Ticket,
) -> Result<RdbEnd, OpError> {
    loop {
        let piece = copy.next_piece().await?;
        let end = if piece.is_none() { Some(copy.end()?) } else { None };
        let sent = tokio::select! {
            biased;
            () = ticket.cancel.cancelled() => return Err(cancelled()),
            sent = pieces.send(piece.unwrap_or_default()) => sent,
        };
        ticket.progress(copy.progress());
        match (end, sent) {
            (Some(end), _) => return Ok(end),
            (None, Ok(())) => {}
            // Of a writer that is gone, the reason is the writer's to tell.
            (None, Err(_)) => return Ok(RdbEnd { version: String::new(), bytes: 0, checksum: None }),
        }
    }
}

fn cancelled() -> OpError {
    OpError::new(ErrorCode::Cancelled, "the job was cancelled")
}

/// Why there is no file.
enum Broken {
    Write(WriteError),
    /// Nothing came any more before the end.
    Stopped,
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

fn write(path: &Path, mut pieces: mpsc::Receiver<Vec<u8>>) -> Result<Prepared, Broken> {
    Prepared::write(path, |out| {
        while let Some(piece) = pieces.blocking_recv() {
            if piece.is_empty() {
                return Ok(());
            }
            out.write_all(&piece).map_err(|error| Broken::Write(WriteError::at(path, error)))?;
        }
        Err(Broken::Stopped)
    })
}

/// How a rehearsal went: what is to be told, and how many keys the scratch server has.
struct Rehearsed {
    verdict: String,
    keys: Option<u64>,
}

impl Rehearsed {
    fn not(reason: impl std::fmt::Display) -> Self {
        Self { verdict: format!("not rehearsed: {reason}"), keys: None }
    }
}

/// Starts a private server with the copy and compares its keys with those that the server had `before` and `after`.
async fn rehearse(
    prepared: &Prepared,
    folder: &Path,
    (before, after): (&Contents, &Contents),
    ticket: &Ticket,
) -> Result<Rehearsed, OpError> {
    if let (Some(needed), Some(free)) = (after.data_bytes, memory_available())
        && needed > free
    {
        let (needed, free) = ((needed >> 20) + 1, free >> 20);
        return Ok(Rehearsed::not(format_args!("it needs {needed} MiB of memory here, and {free} are free")));
    }
    let databases = before.database_count().max(after.database_count());
    let file: PathBuf = prepared.unplaced().to_owned();
    let work = async {
        let server = LocalServer::scratch_of(folder, &file, databases).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let loaded = async {
            let scratch = EventStore::connect(&server.target(""), clock).await?;
            Contents::of(&scratch).await
        };
        let loaded = loaded.await;
        let stopped = server.stop().await;
        Ok::<_, Unloaded>((loaded?, stopped?).0)
    };
    let loaded = tokio::select! {
        biased;
        () = ticket.cancel.cancelled() => Err(Unloaded::Other(cancelled())),
        loaded = work => loaded,
    };
    if !matches!(loaded, Err(Unloaded::Local(LocalError::InUse { .. }))) {
        drop(std::fs::remove_dir_all(folder)); // Only the lock, a log and the way to the file are left in it.
    }
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(Unloaded::Local(error @ (LocalError::NotInstalled | LocalError::InUse { .. }))) => {
            return Ok(Rehearsed::not(error));
        }
        Err(Unloaded::Local(LocalError::Died { log })) => {
            return match of_another_version(&log) {
                Some(said) => Ok(Rehearsed::not(format_args!(
                    "the redis-server of this machine does not take it: {said}"
                ))),
                None => Err(wrong(format!("a redis-server does not start with the copy: {log}"))),
            };
        }
        Err(Unloaded::Local(error)) => return Err(error.into()),
        Err(Unloaded::Other(error)) => return Err(error),
    };
    let on = &loaded.server;
    let verdict = match Contents::compare(before, after, &loaded) {
        Held::Equal => format!("verified on {on}: as many keys in every database"),
        Held::Within(n) => {
            format!(
                "verified on {on}: as many keys in every database, but for {n} that were written or ran out meanwhile"
            )
        }
        Held::Unknown(reason) => format!("{on} starts with it; the keys were not compared: {reason}"),
        Held::Differs(how) => return Err(wrong(how)),
    };
    Ok(Rehearsed { verdict, keys: loaded.keys() })
}

/// Of the end of a server's log, its lines in a row, what is said of a file that is not for its version; without process and
/// time.
fn of_another_version(log: &str) -> Option<&str> {
    let line = log.split(" | ").find(|line| OF_ANOTHER_VERSION.iter().any(|words| line.contains(words)))?;
    let said = [" # ", " * "].into_iter().find_map(|mark| line.split_once(mark));
    Some(said.map_or(line, |(_, said)| said).trim())
}

/// Why no server has the copy.
enum Unloaded {
    Local(LocalError),
    Other(OpError),
}

impl From<LocalError> for Unloaded {
    fn from(error: LocalError) -> Self {
        Self::Local(error)
    }
}

impl From<watchpost_redis::RedisError> for Unloaded {
    fn from(error: watchpost_redis::RedisError) -> Self {
        Self::Other(error.into())
    }
}

fn wrong(how: String) -> OpError {
    OpError::new(ErrorCode::Precondition, format!("the rehearsal failed, and no file was written: {how}"))
        .hint("try again, or back the keys up without RDB")
}

/// Memory that this machine has to spare; nothing where it does not say.
fn memory_available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::of_another_version;

    #[test]
    fn of_a_log_only_what_it_says_of_the_file_is_told() {
        let log = "7:M 23 Nov 2026 00:37:10.647 # WARNING Memory overcommit must be enabled! It may fail under load. | \
                   7:M 23 Nov 2026 00:37:10.650 # Can't handle RDB format version 80 | \
                   7:M 23 Nov 2026 00:37:10.650 # Fatal error loading the DB, check server logs. Exiting.";
        assert_eq!(of_another_version(log), Some("Can't handle RDB format version 80"));
        assert_eq!(of_another_version("7:M 23 Nov 2026 00:37:10.650 # Out Of Memory allocating"), None);
    }
}
