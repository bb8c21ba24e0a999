//! Looking for what an erasure left behind: tables, the file of the database, files that this console wrote, and what
//! lies where no console can look.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchpost_model::privacy::{ErasedCount, Residue, ResidueState, Subject};
use watchpost_store::{KnownFiles, Settled, Store, StoreError};

use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::error::OpError;
use crate::making::Making;

/// Bytes read at once.
const PIECE: usize = 1 << 20;
/// What cannot be searched by its bytes, because they are packed.
const PACKED: &[&str] = &["pdf", "gz", "zip", "zst", "xz", "age"];
/// What the append-only file of a server and its other files are called.
const FILES_OF_REDIS: &str = "files of Redis";
/// Files below a folder that are looked at.
const FILES_MAX: usize = 1_000;
/// Files of a folder that are told one by one.
const TOLD_MAX: usize = 20;

/// Tables, what is sealed, and the bytes of the file, or what was done on the server. `counts` are those of the erasure.
pub(super) async fn of_database(
    store: &Store,
    subject: &Subject,
    counts: &[ErasedCount],
    making: &Making,
) -> Result<Vec<Residue>, OpError> {
    let told = |words: &str, done: u64, total: u64| {
        making.go_on(words, done, total);
    };
    let mut look = store.privacy_scan_told(subject, &told).await?;
    told("giving freed space back, and reading the file", 0, 1);
    let mut found = std::mem::take(&mut look.found);
    if found.is_empty() {
        let detail = format!("{} columns looked at, {} sealed records opened", look.columns, look.opened);
        found.push(Residue::new("database", ResidueState::Clean, 0, detail));
    }
    let settled = store.privacy_settle_erased(counts).await;
    let Some(file) = store.own_file() else {
        found.extend(of_server(settled));
        return Ok(found);
    };
    let busy = !settled?.folded;
    let (file, forms) = (file.to_owned(), subject.forms());
    let mut counted = count_all(&file, &forms).await?;
    // Letters without a row that holds them lie in free space: the file is written anew, once.
    if look.letters == 0
        && found[0].state == ResidueState::Clean
        && counted.iter().any(|(_, there)| there.all > 0)
    {
        store.privacy_rewrite().await?;
        counted = count_all(&file, &forms).await?;
    }
    for (path, there) in counted {
        let name = format!("bytes of {}", path.display());
        let place = match (there.all, look.letters) {
            (0, _) => Residue::new(name, ResidueState::Clean, 0, "no such bytes"),
            (n, 0) if there.alone == 0 => {
                let detail = "the letters are in the file within other words or across two fields, nowhere by themselves";
                Residue::new(name, ResidueState::Unclear, n, detail)
            }
            (n, 0) => {
                let why = if busy { ", because somebody is reading it: scan again later" } else { "" };
                let detail = format!("the bytes are in the file, in no row{why}");
                Residue::new(name, ResidueState::Found, n, detail)
            }
            (n, letters) => {
                let detail = format!(
                    "{letters} rows hold these letters, within other words or as told above; bytes do not tell which"
                );
                Residue::new(name, ResidueState::Unclear, n, detail)
            }
        };
        found.push(place);
    }
    Ok(found)
}

/// What other databases of the server hold of the person.
pub(super) async fn beside(
    store: &Store,
    subject: &Subject,
    databases: &BTreeSet<String>,
    making: &Making,
) -> Vec<Residue> {
    let told = |done, total| {
        making.go_on("looking into other databases of the server", done, total);
    };
    match store.privacy_scan_beside(subject, databases, &told).await {
        Ok(found) => found,
        Err(error) => {
            let detail = format!("the server does not say which there are: {error}");
            vec![Residue::new("other databases of the server", ResidueState::OutOfReach, 0, detail)]
        }
    }
}

/// What was done about the files of a PostgreSQL, which no console reads, and what is left to whom.
fn of_server(settled: Result<Settled, StoreError>) -> Vec<Residue> {
    let settled = settled.unwrap_or_else(|error| Settled {
        failed: vec![format!("nothing more was done: {error}")],
        ..Settled::default()
    });
    let Settled { vacuumed, reindexed, not_own, failed, .. } = settled;
    let mut left = failed;
    if !not_own.is_empty() {
        left.push(format!("tables of another login: {}", not_own.join(", ")));
    }
    let state = if left.is_empty() { ResidueState::Clean } else { ResidueState::OutOfReach };
    let told = if left.is_empty() {
        String::new()
    } else {
        format!(
            "; not done: {}. Let the owner of the tables run VACUUM (INDEX_CLEANUP ON, ANALYZE) and REINDEX TABLE \
             CONCURRENTLY of them while nobody reads an older state",
            left.join("; ")
        )
    };
    let detail = format!(
        "{reindexed} indexes of names and words were written anew without what was removed (REINDEX), and dead rows were \
         taken out of {vacuumed} tables (VACUUM){told}"
    );
    let files = "bytes of removed rows lie in free space of the pages of tables until others take their place, or until the \
         owner runs VACUUM FULL, which writes tables anew; what a replica or a long transaction still reads stays as long. \
         The write-ahead log, replicas, base backups and dumps hold older states until they are recycled";
    vec![
        Residue::new("indexes of the server", state, 0, detail),
        Residue::new("files of the server", ResidueState::OutOfReach, 0, files),
    ]
}

/// The file of a database and the logs beside it.
async fn count_all(file: &Path, forms: &[Vec<u8>]) -> Result<Vec<(PathBuf, There)>, OpError> {
    let (file, forms) = (file.to_owned(), forms.to_vec());
    off_the_runtime(move || {
        let beside = |end: &str| {
            let mut name = file.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let mut counted = Vec::new();
        for path in [file.clone(), beside("-wal"), beside("-journal")] {
            match count_open(&path, &forms) {
                Ok(n) => counted.push((path, n)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(OpError::unreadable("path", &path, error)),
            }
        }
        Ok(counted)
    })
    .await?
}

/// Files that this console, or another one of this database, wrote.
pub(super) async fn of_files(
    subject: &Subject,
    known: KnownFiles,
    making: Arc<Making>,
) -> Result<Vec<Residue>, OpError> {
    let subject = subject.clone();
    off_the_runtime(move || {
        let mut found = Vec::new();
        if !known.unread.is_empty() {
            let detail = format!(
                "cannot be read, so the files that they wrote are not known: {}",
                known.unread.join(", ")
            );
            let n = known.unread.len() as u64;
            found.push(Residue::new("rows about files", ResidueState::OutOfReach, n, detail));
        }
        let (mut clean, mut absent) = (0, 0);
        let mut told_of = Vec::new();
        let total = known.files.len() as u64;
        for (done, named) in (0_u64..).zip(known.files) {
            making.go_on("looking through files", done, total);
            let path = PathBuf::from(&named);
            match path.try_exists() {
                Ok(true) if path.is_absolute() => {}
                Err(error) if path.is_absolute() && !is_gone(&error) => {
                    told_of.push(unread(&path, &error));
                    continue;
                }
                Ok(_) | Err(_) => {
                    absent += 1;
                    continue;
                }
            }
            let files = below(path);
            if files.len() > FILES_MAX {
                let detail = format!(
                    "{FILES_MAX} files in it were looked at, and there are more: look for the name in it yourself, or delete \
                     what is not needed and erase once more"
                );
                told_of.push(Residue::new(named, ResidueState::Unread, 0, detail));
            }
            for file in files.into_iter().take(FILES_MAX) {
                match of_file(&file, &subject) {
                    Some(place) => told_of.push(place),
                    None => clean += 1,
                }
            }
        }
        let n_unread = told_of.iter().filter(|place| place.state == ResidueState::Unread).count() as u64;
        found.extend(by_folder(told_of));
        let told =
            format!("{clean} without the name; {absent} that are named are not on this machine any more");
        let (state, detail) = if n_unread == 0 {
            (ResidueState::Clean, told)
        } else {
            let more = if n_unread == 1 {
                "1 more is there and".to_owned()
            } else {
                format!("{n_unread} more are there and")
            };
            (ResidueState::OutOfReach, format!("{told}; {more} could not be read, see there"))
        };
        found.push(Residue::new("exports, reports and backups", state, n_unread, detail));
        found
    })
    .await
}

/// The worst of each folder one by one, and how many more there are of each state.
fn by_folder(mut files: Vec<Residue>) -> Vec<Residue> {
    files.sort_by_key(|file| std::cmp::Reverse(file.state));
    let mut told: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut more: BTreeMap<(PathBuf, ResidueState), (u64, u64)> = BTreeMap::new();
    let mut found = Vec::new();
    for file in files {
        let folder = Path::new(&file.place).parent().map(Path::to_path_buf).unwrap_or_default();
        let n_told = told.entry(folder.clone()).or_default();
        if *n_told < TOLD_MAX {
            *n_told += 1;
            found.push(file);
        } else {
            let (n_files, n) = more.entry((folder, file.state)).or_default();
            *n_files += 1;
            *n += file.n;
        }
    }
    for ((folder, state), (n_files, n)) in more {
        let files = if n_files == 1 { "file" } else { "files" };
        let place = format!("{n_files} more {files} in {}", folder.display());
        let detail = format!("{TOLD_MAX} of this folder are told one by one; these are {state} too");
        found.push(Residue::new(place, state, n, detail));
    }
    found
}

/// The files that Redis keeps. Those of the private server are written anew, without what was removed, and looked at.
pub(super) async fn of_redis(workspace: &Workspace, subject: &Subject) -> Result<Vec<Residue>, OpError> {
    let Some(folder) = workspace.private_redis() else {
        let detail = "append-only and RDB files, replicas and backups of the server hold what was removed until they are \
                      written anew (BGREWRITEAOF, BGSAVE) or recycled";
        return Ok(vec![Residue::new(FILES_OF_REDIS, ResidueState::OutOfReach, 0, detail)]);
    };
    let anew = match workspace.events() {
        Ok(events) => events.rewrite_append_only().await.map_err(OpError::from),
        Err(error) => Err(error),
    };
    let failed = match anew {
        Ok(true) => None,
        Ok(false) => Some("the server could not do it; its log says why".to_owned()),
        Err(error) => Some(error.message),
    };
    let (folder, forms) = (folder.to_owned(), subject.forms());
    off_the_runtime(move || files_of_redis(&folder, &forms, failed.as_deref())).await
}

/// Looks at the files in the folder of the private server. `failed`: why they were not written anew.
fn files_of_redis(folder: &Path, forms: &[Vec<u8>], failed: Option<&str>) -> Vec<Residue> {
    let (mut found, mut clean) = (Vec::new(), 0_u64);
    let is_kept = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "aof" || ending == "rdb");
    let files = files_in(folder).into_iter().chain(files_in(&folder.join("appendonlydir")));
    for path in files.filter(is_kept) {
        let name = format!("bytes of {}", path.display());
        match (count(&path, forms), failed) {
            (Ok(There { all: 0, .. }), _) => clean += 1,
            (Ok(There { all: n, .. }), None) => {
                let detail = "the letters are in a key that is no event (a block, the applications' own), in a longer \
                              word, or in an event that came meanwhile; bytes do not tell which";
                found.push(Residue::new(name, ResidueState::Unclear, n, detail));
            }
            (Ok(There { all: n, .. }), Some(why)) => {
                let detail = format!("the bytes are in the file, which was not written anew: {why}");
                found.push(Residue::new(name, ResidueState::Found, n, detail));
            }
            // A file that the server took away meanwhile.
            (Err(error), _) if error.kind() == std::io::ErrorKind::NotFound => {}
            (Err(error), _) => {
                let detail = format!("cannot be read: {error}");
                found.push(Residue::new(name, ResidueState::OutOfReach, 0, detail));
            }
        }
    }
    found.push(match failed {
        None => {
            let detail = format!(
                "written anew from what Redis holds now; {clean} without the letters, as far as they are not packed"
            );
            Residue::new(FILES_OF_REDIS, ResidueState::Clean, 0, detail)
        }
        Some(why) => {
            let detail = format!("not written anew, so what was removed may be in them, packed: {why}");
            Residue::new(FILES_OF_REDIS, ResidueState::OutOfReach, 0, detail)
        }
    });
    found
}

/// The files in a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).take(FILES_MAX + 1).collect()
}

/// A file, or the files in a folder and below; one more than are looked at says that there are more.
fn below(path: PathBuf) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path];
    }
    let (mut files, mut folders) = (Vec::new(), vec![path]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            files.push(folder); // Told as what cannot be read.
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                // A link is followed to a file, and to no folder: it may lead round in circles.
                _ if entry.path().is_file() => files.push(entry.path()),
                _ => {}
            }
            if files.len() > FILES_MAX {
                return files;
            }
        }
    }
    files
}

/// Is there no such file, with nothing hidden from this account?
fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// A copy that is there and may hold the name, for all that this account can tell.
fn unread(path: &Path, error: &std::io::Error) -> Residue {
    let owner = std::fs::symlink_metadata(path).map(|file| file.uid());
    let who = match owner {
        Ok(uid) => format!("the account that it belongs to (user {uid})"),
        Err(_) => "an account that may look into its folder".to_owned(),
    };
    let detail =
        format!("it is there and cannot be read: {error}; look for the name in it as {who}, or delete it");
    Residue::new(path.display().to_string(), ResidueState::Unread, 0, detail)
}

/// `None` if the name is not in it.
fn of_file(path: &Path, subject: &Subject) -> Option<Residue> {
    let name = path.display().to_string();
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if PACKED.contains(&ending.as_str()) {
        let detail = "packed: its content cannot be searched by bytes; delete it, or look into it";
        return Some(Residue::new(name, ResidueState::OutOfReach, 0, detail));
    }
    match count(path, &subject.forms()) {
        Ok(There { all: 0, .. }) => None,
        Ok(There { all: n, .. }) => {
            let alone =
                std::fs::read_to_string(path).map(|text| text.lines().any(|line| subject.is_in(line)));
            let (state, detail) = match alone {
                Ok(false) => (ResidueState::Unclear, "the letters are in it, within other words"),
                Ok(true) => (
                    ResidueState::Found,
                    "this copy was written before; no erasure reaches into files: delete it, or keep it for a reason",
                ),
                Err(_) => (
                    ResidueState::Found,
                    "this copy holds the bytes, and the key if it is a backup of the database: delete it when its time is \
                     over; putting it back does the erasure again",
                ),
            };
            Some(Residue::new(name, state, n, detail))
        }
        // It went meanwhile.
        Err(error) if is_gone(&error) => None,
        Err(error) => Some(unread(path, &error)),
    }
}

/// How often something stands in a file, and how often of these without a letter or a digit on either side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct There {
    all: u64,
    alone: u64,
}

/// How often the most frequent of `forms` stands in a file, letters in any case.
fn count(path: &Path, forms: &[Vec<u8>]) -> std::io::Result<There> {
    count_in(std::fs::File::open(path)?, forms)
}

/// The same of a file that this process has open as a database. On Unix its locks belong to the process and go when any
/// of its descriptors of the file is closed, which would let another program write into a database in use: so another
/// process reads it.
#[cfg(unix)]
fn count_open(path: &Path, forms: &[Vec<u8>]) -> std::io::Result<There> {
    use std::process::{Command, Stdio};
    std::fs::metadata(path)?;
    let mut reader =
        Command::new("cat").arg("--").arg(path).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let counted = match reader.stdout.take() {
        Some(out) => count_in(out, forms),
        None => Err(std::io::Error::other("cat has no output")),
    };
    if !reader.wait()?.success() {
        return Err(std::io::Error::other("cat could not read it"));
    }
    counted
}

#[cfg(not(unix))]
fn count_open(path: &Path, forms: &[Vec<u8>]) -> std::io::Result<There> {
    count(path, forms)
}

fn count_in(mut file: impl Read, forms: &[Vec<u8>]) -> std::io::Result<There> {
    let longest = forms.iter().map(Vec::len).max().unwrap_or(0);
    let mut counts = vec![There::default(); forms.len()];
    // From `begin` on nothing was looked at; a byte before it is kept, for what stands beside.
    let (mut piece, mut held, mut begin) = (vec![0; PIECE + longest + 1], 0, 0);
    loop {
        let n = file.read(&mut piece[held..])?;
        let end = held + n;
        // What may begin at the end of this piece is looked at with the next one.
        let until = if n == 0 { end } else { end.saturating_sub(longest).max(begin) };
        for (form, count) in forms.iter().zip(&mut counts) {
            tally(&piece[..end], form, begin..until, count);
        }
        if n == 0 {
            let most = |of: fn(&There) -> u64| counts.iter().map(of).max().unwrap_or(0);
            return Ok(There { all: most(|there| there.all), alone: most(|there| there.alone) });
        }
        let kept = until.saturating_sub(1);
        piece.copy_within(kept..end, 0);
        (held, begin) = (end - kept, until - kept);
    }
}

/// Counts where in `bytes` at one of the `starts` the form begins.
fn tally(bytes: &[u8], form: &[u8], starts: Range<usize>, count: &mut There) {
    let Some(first) = form.first() else { return };
    let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    for at in starts.filter(|at| bytes[*at] == low || bytes[*at] == high) {
        let end = at + form.len();
        if bytes.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(form)) {
            count.all += 1;
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            count.alone +=
                u64::from(!before.is_some_and(is_letter) && !bytes.get(end).is_some_and(is_letter));
        }
    }
}

/// What no console can look at; it is said, not guessed.
pub(super) fn beyond(store: &Store) -> Vec<Residue> {
    let out = |place: &str, detail: &str| Residue::new(place, ResidueState::OutOfReach, 0, detail);
    let mut places = vec![
        out(
            "copies outside of this console",
            "files that were moved or mailed, backups of the machine, logs of the applications, and the free space of the disk",
        ),
        out(
            "other consoles",
            "what another window shows is gone when it reads again; its engine forgets within seconds",
        ),
    ];
    if store.own_file().is_some() {
        places.push(out(
            "the disk",
            "freed pages were overwritten in the file; what a file system or a flash disk keeps of older states is not ours",
        ));
    }
    places
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use watchpost_model::privacy::ResidueState;
    use watchpost_store::{Settled, StoreError};

    use super::{PIECE, There, count, count_open, files_of_redis, of_server};

    #[test]
    fn what_a_server_did_not_do_is_told_with_who_does_it() {
        let done = Settled { folded: true, vacuumed: 44, reindexed: 7, ..Settled::default() };
        let told = of_server(Ok(done.clone()));
        assert_eq!(told[0].state, ResidueState::Clean);
        assert!(told[0].detail.contains("7 indexes") && told[0].detail.contains("44 tables"), "{told:?}");
        assert_eq!(told[1].state, ResidueState::OutOfReach, "no console reads the pages: {told:?}");
        let others = Settled { not_own: vec!["event".to_owned()], ..done.clone() };
        let failed = Settled { failed: vec!["REINDEX of x: canceled".to_owned()], ..done };
        for (settled, words) in [
            (Ok(others), "another login: event"),
            (Ok(failed), "REINDEX of x: canceled"),
            (Err(StoreError::Conflict("it is gone".to_owned())), "it is gone"),
        ] {
            let told = of_server(settled);
            assert_eq!(told[0].state, ResidueState::OutOfReach);
            assert!(told[0].detail.contains(words) && told[0].detail.contains("Let the owner"), "{told:?}");
        }
    }

    #[test]
    fn what_redis_did_not_write_anew_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("appendonlydir");
        std::fs::create_dir(&inner).unwrap();
        for (name, text) in [("a.incr.aof", "by maria"), ("a.base.rdb", "x"), ("a.manifest", "maria")] {
            std::fs::write(inner.join(name), text).unwrap();
        }
        let states = |name: &str, failed: Option<&str>| {
            let found = files_of_redis(folder.path(), &[name.as_bytes().to_vec()], failed);
            found.into_iter().map(|place| place.state).collect::<Vec<_>>()
        };
        assert_eq!(states("maria", None), [ResidueState::Unclear, ResidueState::Clean]);
        assert_eq!(states("maria", Some("full")), [ResidueState::Found, ResidueState::OutOfReach]);
        assert_eq!(states("joan", None), [ResidueState::Clean]);
        assert_eq!(states("joan", Some("full")), [ResidueState::OutOfReach]);
    }

    #[test]
    fn bytes_are_found_wherever_they_lie_and_once() {
        let forms = vec![b"needle".to_vec(), b"no".to_vec()];
        for at in [0, 1, PIECE - 3, PIECE, PIECE + 3, 2 * PIECE - 6] {
            for (beside, alone) in [(b'x', 0), (b' ', 1)] {
                let mut bytes = vec![beside; 2 * PIECE];
                bytes[at..at + 6].copy_from_slice(b"NeeDLE");
                let mut file = tempfile::NamedTempFile::new().unwrap();
                file.write_all(&bytes).unwrap();
                assert_eq!(count(file.path(), &forms).unwrap(), There { all: 1, alone }, "at {at}");
            }
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all("sneedle needles needle\u{e9} no.needle".as_bytes()).unwrap();
        assert_eq!(count(file.path(), &forms).unwrap(), There { all: 4, alone: 1 });
        assert_eq!(count_open(file.path(), &forms).unwrap(), There { all: 4, alone: 1 });
        let gone = count_open(&file.path().with_extension("gone"), &forms).unwrap_err();
        assert_eq!(gone.kind(), std::io::ErrorKind::NotFound);
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(count(empty.path(), &forms).unwrap(), There::default());
        assert_eq!(count(empty.path(), &[]).unwrap(), There::default());
    }
}
