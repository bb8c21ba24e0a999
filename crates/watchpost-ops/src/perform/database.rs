//! Backups of the audit database: a copy counts only after it was checked by itself.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use watchpost_model::audit::{AuditOutcome, AuditVerification, Change, EvidenceStrength};
use watchpost_model::clock::Clock;
use watchpost_store::{CheckedCopy, DatabaseSize, OpenCopy, Store, StoreError};

use super::database_named::origin;
use super::scratch::Scratch;
use super::{at_this_machine, required};
use crate::age_file::{self, Keys, Locked, Problem, Whom};
use crate::blocking::off_the_runtime;
use crate::contract::{
    DatabaseBackup, DatabaseBackupRef, DatabaseCopy, DatabaseMaintain, DatabaseMaintained, DatabaseRestore,
    DatabaseSizes,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::error_map::CREATEDB;
use crate::making::Making;

/// Names that a copy may get, where others have the ones before.
const NAMES_MAX: usize = 99;

pub(crate) async fn database_backup(cx: Context, request: DatabaseBackup) -> Result<DatabaseCopy, OpError> {
    let path = new_file(&cx, "path", &request.path)?;
    let workspace = cx.workspace()?;
    let locked = request.encryption.as_ref().map(Locked::by).transpose()?;
    let making = cx.console.0.makings.begin(request.ticket)?;
    // What the copy holds is covered by a checkpoint as far as this console can sign one.
    workspace.keep_watch("backup").await?;
    let part = Part::of(&path);
    // The new file may be on another disk, or another machine: what is to be encrypted is not plain there for a moment.
    let scratch = match &locked {
        Some(_) => Some(Scratch::make(&cx).await?),
        None => None,
    };
    let plain = scratch.as_ref().map_or_else(|| part.0.clone(), |scratch| scratch.file("copy.db"));
    let store = workspace.store();
    store.copy_to(&plain, &|| making.go_on("copying the database", 0, 1)).await?;
    let mut copy = made(store, cx.console.0.clock.clone(), &plain, &told(&making)).await?;
    if let Some(locked) = locked {
        making.go_on("encrypting the copy", 0, 1);
        encrypt(&mut copy, &plain, &part, locked, making.stop()).await?;
    }
    finish(&cx, copy, &part, &path).await
}

/// Checks a copy that was just made, and refuses one whose trail does not hold. One of a server that has no place to try it
/// in is kept, and says so.
pub(super) async fn made(
    store: &Store,
    clock: Arc<dyn Clock>,
    plain: &Path,
    progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
) -> Result<DatabaseCopy, OpError> {
    let copy = match looked(store, clock, plain, progress).await {
        Err(StoreError::NoPlace(why)) => {
            let bytes =
                std::fs::metadata(plain).map_err(|error| OpError::unreadable("path", plain, error))?.len();
            let found = CheckedCopy { bytes, schema: 0, trail: unknown() };
            let unverified = Some(format!("{why}; {CREATEDB}"));
            DatabaseCopy { unverified, ..told_of(plain, found).await? }
        }
        found => told_of(plain, found?).await?,
    };
    if copy.unverified.is_none() {
        whole(&copy.trail)?;
    }
    Ok(copy)
}

/// What is known of a trail that nobody looked at.
fn unknown() -> AuditVerification {
    AuditVerification {
        ok: false,
        leaves: 0,
        from: 0,
        root: String::new(),
        checkpoints: 0,
        first_bad_seq: None,
        first_bad_tile: None,
        problems: Vec::new(),
        warnings: Vec::new(),
        erased: Vec::new(),
        set_apart: Vec::new(),
        own_faults: Vec::new(),
        altered: Vec::new(),
        strength: EvidenceStrength::LocalOnly,
        witnesses: 0,
        stamp: None,
        unrecorded: false,
        verified: None,
    }
}

pub(crate) async fn database_check(cx: Context, request: DatabaseBackupRef) -> Result<DatabaseCopy, OpError> {
    let path = old_file(&cx, &request.path)?;
    let keys = Keys::by(request.key.as_ref())?;
    let making = cx.console.0.makings.begin(request.ticket)?;
    let (workspace, clock) = (cx.workspace()?, cx.console.0.clock.clone());
    let store = workspace.store();
    let copy = match whom(&path).await? {
        None => checked(store, clock, &path, &told(&making)).await?,
        Some(whom) => check_encrypted(&cx, &path, whom, keys, &making).await?,
    };
    // What does not hold is told first.
    let made_at = if copy.trail.ok { origin(store, &path, &copy.sha256).await? } else { None };
    Ok(DatabaseCopy { made_at, ..copy })
}

async fn check_encrypted(
    cx: &Context,
    path: &Path,
    whom: Whom,
    keys: Keys,
    making: &Making,
) -> Result<DatabaseCopy, OpError> {
    let (workspace, clock) = (cx.workspace()?, cx.console.0.clock.clone());
    let scratch = Scratch::make(cx).await?;
    let plain = scratch.file("copy.db");
    making.go_on("decrypting the copy", 0, 1);
    decrypt(path, &plain, whom, keys, making.stop()).await?;
    let copy = checked(workspace.store(), clock, &plain, &told(making)).await?;
    // Told of is the file that was named.
    let bytes = std::fs::metadata(path).map_err(|error| OpError::unreadable("path", path, error))?.len();
    let sha256 = digest_of(path).await?;
    let path = path.display().to_string();
    Ok(DatabaseCopy { path, bytes, sha256, encryption: Some(whom.to_string()), ..copy })
}

pub(crate) async fn database_restore(cx: Context, request: DatabaseRestore) -> Result<DatabaseCopy, OpError> {
    let path = old_file(&cx, &request.path)?;
    let keys = Keys::by(request.key.as_ref())?;
    if let Some(name) = &request.database {
        if !request.to.is_empty() {
            return Err(OpError::invalid("to", "name a file or a database, not both"));
        }
        cx.workspace()?.store().database_name_is_free(name).await?;
        let making = cx.console.0.makings.begin(request.ticket)?;
        return Box::pin(restore_to_server(&cx, &path, name, keys, &making)).await;
    }
    let to = new_file(&cx, "to", &request.to)?;
    let making = cx.console.0.makings.begin(request.ticket)?;
    let part = Part::of(&to);
    // The trail names the file as it is, encrypted or not; what is read is what is put back.
    let source = match whom(&path).await? {
        Some(whom) => {
            making.go_on("decrypting the copy", 0, 1);
            decrypt(&path, &part.0, whom, keys, making.stop()).await?;
            &path
        }
        None => {
            std::fs::copy(&path, &part.0).map_err(|error| not_put(&path, &to, error))?;
            let synced = std::fs::File::open(&part.0).and_then(|file| file.sync_all());
            synced.map_err(|error| not_put(&to, &to, error))?;
            &part.0
        }
    };
    if is_dump(&part.0)? {
        return Err(OpError::invalid(
            "to",
            "it is a copy of a PostgreSQL database, which is put back on a server",
        )
        .hint(
            "name the new database, on a connection to the server: \
                 `watchpost -c NAME database restore FILE --to-database NEW`",
        ));
    }
    let workspace = cx.workspace()?;
    let made_at = origin(workspace.store(), &path, &digest_of(source).await?).await?;
    let copy = opened(&cx, &part.0, &making).await?;
    // What is no database is refused below.
    let log = copy.log().await.ok();
    let (erased_again, erasures_held) = erase_again(&cx, &copy, &making).await?;
    copy.end().await;
    let copy = made(workspace.store(), cx.console.0.clock.clone(), &part.0, &told(&making)).await?;
    let copy = finish(&cx, copy, &part, &to).await?;
    let behind = match log {
        Some((log, size)) => seen_beyond(&cx, &log, size).await?,
        None => 0,
    };
    Ok(DatabaseCopy { erased_again, erasures_held, behind, made_at, ..copy })
}

/// Puts a dump into a new database, which gets its name when it was found whole.
async fn restore_to_server(
    cx: &Context,
    path: &Path,
    name: &str,
    keys: Keys,
    making: &Making,
) -> Result<DatabaseCopy, OpError> {
    let scratch = Scratch::make(cx).await?;
    let plain = match whom(path).await? {
        None => path.to_owned(),
        Some(whom) => {
            let plain = scratch.file("copy");
            making.go_on("decrypting the copy", 0, 1);
            decrypt(path, &plain, whom, keys, making.stop()).await?;
            plain
        }
    };
    if !is_dump(&plain)? {
        return Err(OpError::invalid("database", "it is no copy of a PostgreSQL database").hint(
            "a copy of a SQLite database is put to a file: `watchpost database restore FILE --to NEW`",
        ));
    }
    let workspace = cx.workspace()?;
    let made_at = origin(workspace.store(), path, &digest_of(path).await?).await?;
    let copy = opened(cx, &plain, making).await?;
    let done = put_on_server(cx, &copy, &plain, name, making).await;
    // Under its new name it stays.
    copy.end().await;
    Ok(DatabaseCopy { made_at, ..done? })
}

async fn put_on_server(
    cx: &Context,
    copy: &OpenCopy,
    plain: &Path,
    name: &str,
    making: &Making,
) -> Result<DatabaseCopy, OpError> {
    let clock = cx.console.0.clock.clone();
    let (log, size) = copy.log().await?;
    let (erased_again, erasures_held) = erase_again(cx, copy, making).await?;
    let found = told_of(plain, copy.check(clock, &told(making)).await?).await?;
    whole(&found.trail)?;
    let found = DatabaseCopy { path: name.to_owned(), erased_again, erasures_held, ..found };
    record(cx, format!("database/{name}"), &found).await?;
    copy.keep_as(name).await?;
    let behind = seen_beyond(cx, &log, size).await?;
    Ok(DatabaseCopy { behind, ..found })
}

/// Opens a plain copy for a look.
async fn opened(cx: &Context, plain: &Path, making: &Making) -> Result<OpenCopy, OpError> {
    let workspace = cx.workspace()?;
    Ok(workspace.store().open_copy(plain, &|| making.go_on("opening the copy", 0, 1)).await?)
}

fn is_dump(path: &Path) -> Result<bool, OpError> {
    watchpost_store::is_dump(path).map_err(|error| OpError::unreadable("path", path, error))
}

/// How many records this console saw of a log beyond so many.
async fn seen_beyond(cx: &Context, log: &str, size: i64) -> Result<u64, OpError> {
    let workspace = cx.workspace()?;
    let witness = workspace.witness();
    let turn = witness.turn().await;
    witness.look(workspace.store()).await?;
    drop(turn);
    let seen = witness.saw_of(log).map_or(0, |seen| seen.size);
    Ok(seen.saturating_sub(size).max(0).unsigned_abs())
}

pub(crate) async fn database_maintain(
    cx: Context,
    request: DatabaseMaintain,
) -> Result<DatabaseMaintained, OpError> {
    let store = cx.workspace()?.store().clone();
    let done = store.maintain(request.compact).await?;
    let size = |of: DatabaseSize| DatabaseSizes {
        bytes: of.bytes,
        log_bytes: of.log_bytes,
        free_bytes: of.free_bytes,
    };
    let changes = vec![
        Change::new("bytes", done.before.bytes, done.after.bytes),
        Change::new("log_bytes", done.before.log_bytes, done.after.log_bytes),
        Change::new("free_bytes", done.before.free_bytes, done.after.free_bytes),
    ];
    let (outcome, problem) = match &done.problem {
        None => (AuditOutcome::Success, None),
        Some(problem) => {
            (AuditOutcome::Failure, Some(format!("the pages of the database are damaged: {problem}")))
        }
    };
    store.audit_append(cx.record_as(outcome, "database", changes, problem.clone())).await?;
    Ok(DatabaseMaintained {
        problem,
        folded: done.folded,
        before: size(done.before),
        after: size(done.after),
    })
}

/// Does in a copy of this database what was erased after it was made; how many erasures that were, and how many a legal hold in
/// the copy kept from being done.
async fn erase_again(cx: &Context, copy: &OpenCopy, making: &Making) -> Result<(usize, usize), OpError> {
    let (log, kept) = cx.workspace()?.store().erasures_kept().await?;
    if kept.is_empty() {
        return Ok((0, 0));
    }
    // Nothing is written into what is no whole copy.
    whole(&copy.check(cx.console.0.clock.clone(), &told(making)).await?.trail)?;
    let (of_copy, known) = copy.erasures().await?;
    if of_copy != log || kept.iter().all(|one| known.contains(&one.id)) {
        return Ok((0, 0));
    }
    let store = Store::open_scratch(&copy.target(), cx.console.0.clock.clone()).await?;
    let replayed = store.privacy_replay(&kept).await;
    // Without the free pages in which the older state lies.
    let settled = store.privacy_rewrite().await;
    store.close().await;
    let replayed = replayed?;
    settled?;
    Ok((replayed.done.len(), replayed.held))
}

/// Refuses a copy whose audit trail does not hold.
pub(super) fn whole(trail: &AuditVerification) -> Result<(), OpError> {
    if trail.ok {
        return Ok(());
    }
    let problem = trail.problems.first().cloned().unwrap_or_default();
    Err(OpError::precondition(format!("the audit trail of the copy does not hold: {problem}"))
        .hint("nothing was made of it; `watchpost audit verify` says more of the log itself"))
}

/// For whom a copy is encrypted; `None` if it is plain.
pub(super) async fn whom(path: &Path) -> Result<Option<Whom>, OpError> {
    let file = path.to_owned();
    let found = off_the_runtime(move || Whom::of(&file)).await?;
    found.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => OpError::precondition(format!("{}: {error}", path.display())),
        _ => OpError::unreadable("path", path, error),
    })
}

/// Encrypts a plain copy that was checked into the part that gets its name; tells of that one from then on.
pub(super) async fn encrypt(
    copy: &mut DatabaseCopy,
    plain: &Path,
    part: &Part,
    locked: Locked,
    stop: CancellationToken,
) -> Result<(), OpError> {
    let described = locked.describe();
    let (from, to, stopped) = (plain.to_owned(), part.0.clone(), stop.clone());
    let done = off_the_runtime(move || age_file::lock(&from, &to, &locked, &stopped)).await?;
    go_on(&stop)?;
    (copy.bytes, copy.sha256) = done.map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("{} cannot be written: {error}", part.0.display()))
    })?;
    copy.encryption = Some(described);
    Ok(())
}

/// Decrypts a copy to a plain file that is not there, which nobody else reads.
pub(super) async fn decrypt(
    copy: &Path,
    plain: &Path,
    whom: Whom,
    keys: Keys,
    stop: CancellationToken,
) -> Result<(), OpError> {
    let (from, to, stopped) = (copy.to_owned(), plain.to_owned(), stop.clone());
    let tried = off_the_runtime(move || {
        age_file::unlock(&from, &to, &keys, &stopped).map_err(|problem| match problem {
            Problem::Io(error) => not_put(&from, &to, error),
            other => other.of_copy(&from, whom, &keys),
        })
    });
    let tried = tried.await?;
    go_on(&stop)?;
    tried
}

/// Why a copy did not get from one place to another: where no space is left it is not the copy that cannot be read.
pub(super) fn not_put(from: &Path, to: &Path, error: std::io::Error) -> OpError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            StoreError::NoRoom { folder: to.parent().unwrap_or(to).to_owned() }.into()
        }
        _ => OpError::unreadable("path", from, error),
    }
}

fn go_on(stop: &CancellationToken) -> Result<(), OpError> {
    if stop.is_cancelled() {
        return Err(OpError::new(ErrorCode::Cancelled, "it was stopped"));
    }
    Ok(())
}

/// Records a copy that was checked, and gives it its name.
async fn finish(
    cx: &Context,
    mut copy: DatabaseCopy,
    part: &Part,
    path: &Path,
) -> Result<DatabaseCopy, OpError> {
    copy.path = path.display().to_string();
    record(cx, format!("file/{}", copy.path), &copy).await?;
    place(part, path)?;
    Ok(copy)
}

/// Leaves a record of a copy.
async fn record(cx: &Context, object: String, copy: &DatabaseCopy) -> Result<(), OpError> {
    let fact = |name: &str, value: Value| Change::new(name, Value::Null, value);
    let mut changes = vec![fact("bytes", copy.bytes.into()), fact("sha256", copy.sha256.clone().into())];
    match &copy.unverified {
        Some(why) => changes.push(fact("unverified", why.clone().into())),
        None => changes.extend([
            fact("records", copy.trail.leaves.into()),
            fact("root", copy.trail.root.clone().into()),
        ]),
    }
    changes.extend(copy.encryption.clone().map(|whom| fact("encryption", whom.into())));
    let record = cx.record(object, changes, None);
    cx.workspace()?.store().audit_append(record).await?;
    Ok(())
}

/// Gives a copy that was checked its name, on disk; nothing is overwritten.
pub(super) fn place(part: &Part, path: &Path) -> Result<(), OpError> {
    private(&part.0).and_then(|()| named(&part.0, path)).map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("the copy cannot become {}: {error}", path.display()))
    })?;
    // Some file systems do not sync folders; the copy itself is on disk.
    if let Some(Ok(folder)) = path.parent().map(std::fs::File::open) {
        drop(folder.sync_all());
    }
    Ok(())
}

/// The same under the first of its names that is free, which is answered: names go by the second, and the second copy of one
/// is `NAME-2.db`.
pub(super) fn place_free(part: &Part, path: &Path) -> Result<PathBuf, OpError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, ending) = name.find('.').map_or((&*name, ""), |at| name.split_at(at));
    let (mut free, mut n) = (path.to_owned(), 1);
    loop {
        match place(part, &free) {
            Err(_) if n < NAMES_MAX && free.exists() => {
                n += 1;
                free = path.with_file_name(format!("{stem}-{n}{ending}"));
            }
            done => return done.map(|()| free),
        }
    }
}

/// A second name fails where the file has come to be meanwhile. Where files have one name only (FAT), an empty file of ours
/// holds the place until the copy takes it.
fn named(part: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(part, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            std::fs::File::create_new(path)?;
            std::fs::rename(part, path).inspect_err(|_| drop(std::fs::remove_file(path)))
        }
        linked => linked,
    }
}

/// Tells how far the check of a copy is; false when it is to stop.
fn told(making: &Making) -> impl Fn(u64, u64) -> bool + Send + Sync {
    move |done, total| making.go_on("checking the copy", done, total)
}

/// Looks at a copy: its pages, all of its trail, its SHA-256.
pub(super) async fn checked(
    store: &Store,
    clock: Arc<dyn Clock>,
    path: &Path,
    progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
) -> Result<DatabaseCopy, OpError> {
    told_of(path, looked(store, clock, path, progress).await?).await
}

async fn looked(
    store: &Store,
    clock: Arc<dyn Clock>,
    path: &Path,
    progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
) -> Result<CheckedCopy, StoreError> {
    let copy = store.open_copy(path, &|| progress(0, 1)).await?;
    let found = copy.check(clock, progress).await;
    copy.end().await;
    found
}

async fn told_of(path: &Path, found: CheckedCopy) -> Result<DatabaseCopy, OpError> {
    let sha256 = digest_of(path).await?;
    Ok(DatabaseCopy {
        path: path.display().to_string(),
        bytes: found.bytes,
        sha256,
        schema: found.schema,
        erased_again: 0,
        erasures_held: 0,
        behind: 0,
        unverified: None,
        made_at: None,
        trail: found.trail,
        encryption: None,
    })
}

async fn digest_of(path: &Path) -> Result<String, OpError> {
    let file = path.to_owned();
    let sha256 = off_the_runtime(move || digest(&file)).await?;
    sha256.map_err(|error| OpError::unreadable("path", path, error))
}

/// The SHA-256 of a file.
pub(super) fn digest(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex::encode(hash.finalize())),
            n => hash.update(&piece[..n]),
        }
    }
}

/// It holds keys and what attackers wrote.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// A file of this machine that is there.
pub(super) fn old_file(cx: &Context, path: &str) -> Result<PathBuf, OpError> {
    at_this_machine(cx)?;
    let path = PathBuf::from(required("path", path, 1_000)?);
    if path.is_file() { Ok(path) } else { Err(OpError::unreadable("path", &path, "it is no file")) }
}

fn new_file(cx: &Context, field: &str, path: &str) -> Result<PathBuf, OpError> {
    at_this_machine(cx)?;
    let path = PathBuf::from(required(field, path, 1_000)?);
    if !path.is_absolute() {
        return Err(OpError::invalid(field, "give the full path of the new file"));
    }
    if path.exists() {
        return Err(OpError::invalid(field, format!("{} is there already", path.display()))
            .hint("name a file that is not there: nothing is overwritten"));
    }
    match path.parent() {
        Some(folder) if folder.is_dir() => Ok(path),
        _ => Err(OpError::new(
            ErrorCode::Unavailable,
            format!("the folder of {} is not there", path.display()),
        )),
    }
}

/// Where the copy is until it was checked; removed when it is dropped.
pub(super) struct Part(PathBuf);

impl Part {
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self(path.with_file_name(format!(".{name}.part-{}", std::process::id())))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}
