//! The trail for somebody without Watchpost: an export that `sha256sum`, `openssl` and a script verify, and the proof of
//! one record.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use watchpost_model::audit::{AuditOutcome, Change, Checkpoint};
use watchpost_store::{Store, Tile, Tiles};

use super::{at_this_machine, required};
use crate::console::Workspace;
use crate::contract::{AuditExport, AuditExported, AuditProof, AuditRef};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::making::Making;

/// Stands in the name of a folder whose files are not all there yet.
const PART: &str = ".part-";
/// Records read at once.
const PAGE: i64 = 1_000;
/// Hashes read at once.
const HASHES: i64 = 8_192;

/// Records that cannot be read and that an answer names.
const UNREADABLE_MAX: usize = 50;

/// What checks a bundle.
pub(crate) const SCRIPT: &str = include_str!("audit_export/verify.py");
const GUIDE: &str = include_str!("audit_export/VERIFY.md");

/// A checkpoint that covers the newest records, as far as this console can sign one.
pub(super) async fn checkpoint(workspace: &Workspace, why: &str) -> Result<Checkpoint, OpError> {
    workspace.fetch_signer().await?;
    workspace.keep_watch(why).await?;
    if let Some((_, problem)) = workspace.witness().problem() {
        return Err(OpError::precondition(format!("this console vouches for no such log: {problem}"))
            .hint("`watchpost audit verify` says more"));
    }
    workspace.store().checkpoints(1).await?.into_iter().next().ok_or_else(|| {
        OpError::precondition("no checkpoint has been signed, and this console has no key to sign with")
            .hint("the window and `watchpost serve` sign; on the command line a key needs the keychain")
    })
}

pub(crate) async fn audit_prove(cx: Context, request: AuditRef) -> Result<AuditProof, OpError> {
    let workspace = cx.workspace()?;
    let checkpoint = checkpoint(&workspace, "proof").await?;
    let key = workspace.store().audit_key_of(&checkpoint).await?;
    let size = checkpoint.size;
    let proof = workspace.store().audit_prove(request.seq, checkpoint).await?;
    Ok(AuditProof { seq: request.seq, size, key: key.vkey, text: proof.to_text() })
}

pub(crate) async fn audit_export(cx: Context, request: AuditExport) -> Result<AuditExported, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let folder = new_folder(&request.directory)?;
    if request.from.zip(request.to).is_some_and(|(from, to)| from >= to) {
        return Err(OpError::invalid("to", "the period holds nothing: it ends where it begins, or before")
            .hint("a day given as the end is left out itself: for the whole of it, name the day after it"));
    }
    let making = cx.console.0.makings.begin(request.ticket.clone())?;
    let mut checkpoint = self::checkpoint(&workspace, "export").await?;
    if workspace.store().audit_signed(&checkpoint) == Some(false) {
        // Another console signed the state as it is, and what is exported is signed for with the key of its checkpoint.
        let object = format!("folder/{}", folder.display());
        let begun = cx.record_as(AuditOutcome::Started, object, Vec::new(), request.reason.clone());
        workspace.store().audit_append(begun).await?;
        checkpoint = self::checkpoint(&workspace, "export").await?;
    }
    let uncovered = uncovered(workspace.store(), &checkpoint, &request).await?;
    let part = part_of(&folder)?;
    // Records hold personal data: neither the folder nor its files are anybody else's to read.
    let made = std::fs::DirBuilder::new().mode(0o700).create(&part);
    made.map_err(|error| cannot(&part, &error))?;
    let written = write(&workspace, &checkpoint, &request, &part, &making).await;
    let result = match written {
        Ok(mut exported) => {
            (exported.directory, exported.uncovered) = (folder.display().to_string(), uncovered);
            finish(&cx, &workspace, &exported, &part, &folder, request.reason).await.map(|()| exported)
        }
        Err(problem) => Err(problem),
    };
    if result.is_err() {
        // Nothing is left of an export that failed or was stopped.
        drop(std::fs::remove_dir_all(&part));
    }
    result
}

/// Records of the wanted period that came after `checkpoint`, which this console could not sign anew.
async fn uncovered(store: &Store, checkpoint: &Checkpoint, request: &AuditExport) -> Result<i64, OpError> {
    let is_over = request.to.is_some_and(|to| to <= checkpoint.at);
    if is_over || store.audit_signed(checkpoint) == Some(true) {
        return Ok(0);
    }
    let newer = store.audit_head().await?.size.cast_signed() - checkpoint.size;
    // The record of the checkpoint itself is never in it.
    Ok(if newer > 1 { newer } else { 0 })
}

/// The record first: what cannot be recorded is not done.
async fn finish(
    cx: &Context,
    workspace: &Workspace,
    exported: &AuditExported,
    part: &Path,
    folder: &Path,
    reason: Option<String>,
) -> Result<(), OpError> {
    let fact = |name: &str, value: serde_json::Value| Change::new(name, serde_json::Value::Null, value);
    let changes = vec![
        fact("records", exported.records.into()),
        fact("size", exported.size.into()),
        fact("root", exported.root.clone().into()),
        fact("sha256", exported.sha256.clone().into()),
    ];
    workspace
        .store()
        .audit_append(cx.record(format!("folder/{}", exported.directory), changes, reason))
        .await?;
    std::fs::rename(part, folder).map_err(|error| cannot(folder, &error))
}

/// The folder of an export: named in full, and not there yet.
pub(super) fn new_folder(directory: &str) -> Result<PathBuf, OpError> {
    let folder = PathBuf::from(required("directory", directory, 1_000)?);
    if !folder.is_absolute() {
        return Err(OpError::invalid("directory", "give the full path of the new folder"));
    }
    if folder.exists() {
        return Err(OpError::invalid("directory", format!("{} is there already", folder.display()))
            .hint("name a folder that is not there: nothing is overwritten"));
    }
    Ok(folder)
}

/// Where the files are until all of them are there.
pub(super) fn part_of(folder: &Path) -> Result<PathBuf, OpError> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(OpError::invalid("directory", "this is no name of a folder"));
    };
    if !parent.is_dir() {
        return Err(OpError::unreadable("directory", parent, "it is no folder"));
    }
    Ok(parent.join(format!(".{}{PART}{}", name.to_string_lossy(), std::process::id())))
}

pub(super) fn cannot(path: &Path, error: &std::io::Error) -> OpError {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        let message = format!("no space is left in the folder {} for the export", place_of(path).display());
        return OpError::new(ErrorCode::Unavailable, message)
            .hint("free some space there, or name another folder; nothing is left of the export");
    }
    OpError::new(ErrorCode::Unavailable, format!("cannot write {}: {error}", path.display()))
}

/// The folder that the export was to be in: not that of its files until all of them are there.
fn place_of(path: &Path) -> &Path {
    let is_part = |path: &&Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(PART));
    let export = path.ancestors().find(is_part).unwrap_or(path);
    export.parent().unwrap_or(export)
}

/// A folder that nobody else may read, with those above it, if they are not there.
fn own_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A new file that nobody else may read.
fn own_file(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A file that is hashed as it is written.
pub(super) struct Out {
    name: String,
    path: PathBuf,
    file: std::io::BufWriter<std::fs::File>,
    hash: Sha256,
}

impl Out {
    pub(super) fn new(folder: &Path, name: &str) -> Result<Self, OpError> {
        let path = folder.join(name);
        let file = own_file(&path).map_err(|error| cannot(&path, &error))?;
        Ok(Self { name: name.to_owned(), path, file: std::io::BufWriter::new(file), hash: Sha256::new() })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), OpError> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|error| cannot(&self.path, &error))
    }

    pub(super) fn line(&mut self, text: &str) -> Result<(), OpError> {
        self.put(text.as_bytes())?;
        self.put(b"\n")
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// On the disk; its line of `SHA256SUMS`.
    pub(super) fn close(mut self) -> Result<String, OpError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|error| cannot(&self.path, &error))?;
        Ok(sum(&self.name, self.hash))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(bytes.get(..n).unwrap_or_default());
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes a small file; its line of `SHA256SUMS`.
pub(super) fn whole(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> Result<String, OpError> {
    let mut out = Out::new(folder, name)?;
    out.put(content.as_ref())?;
    out.close()
}

fn sum(name: &str, hash: Sha256) -> String {
    format!("{}  {name}\n", hex::encode(hash.finalize()))
}

/// Writes tiles; their lines of `SHA256SUMS`. There are thousands of them, and each follows from `hashes`: they are not
/// synced one by one.
fn tiles(folder: &Path, tiles: Vec<Tile>, sums: &mut Vec<String>) -> Result<(), OpError> {
    for tile in tiles {
        let path = folder.join(&tile.path);
        let made = path.parent().map_or(Ok(()), own_folder).and_then(|()| own_file(&path));
        made.and_then(|mut file| file.write_all(&tile.hashes)).map_err(|error| cannot(&path, &error))?;
        sums.push(sum(&tile.path, Sha256::new().chain_update(&tile.hashes)));
    }
    Ok(())
}

/// The hashes of all leaves, and the tiles that they make.
async fn write_hashes(
    store: &Store,
    size: i64,
    folder: &Path,
    progress: &mut Progress<'_>,
) -> Result<Vec<String>, OpError> {
    let (mut out, mut made, mut sums) = (Out::new(folder, "hashes")?, Tiles::default(), Vec::new());
    let mut at = 0;
    while at < size {
        let to = size.min(at + HASHES);
        for hash in store.audit_export_hashes(at, to).await? {
            out.line(&hex::encode(hash))?;
            tiles(folder, made.push(hash), &mut sums)?;
        }
        progress.on("writing hashes", to - at)?;
        at = to;
    }
    tiles(folder, made.rest(), &mut sums)?;
    sums.push(out.close()?);
    Ok(sums)
}

/// The newest time stamps of what is exported, if some were kept: the note that was stamped, what was asked, the answer.
async fn write_stamps(store: &Store, size: i64, folder: &Path) -> Result<Vec<String>, OpError> {
    let mut sums = Vec::new();
    for (n, kept) in (1..).zip(store.audit_stamps(size).await?) {
        let name = if n == 1 { "timestamp".to_owned() } else { format!("timestamp-{n}") };
        sums.push(whole(folder, &format!("{name}.note"), &kept.note)?);
        sums.push(whole(folder, &format!("{name}.tsq"), &kept.request)?);
        sums.push(whole(folder, &format!("{name}.tsr"), &kept.response)?);
    }
    Ok(sums)
}

/// How far the export is.
struct Progress<'m> {
    making: &'m Making,
    done: u64,
    total: u64,
}

impl Progress<'_> {
    fn on(&mut self, words: &str, n: i64) -> Result<(), OpError> {
        self.done += n.unsigned_abs();
        if self.making.go_on(words, self.done, self.total) {
            return Ok(());
        }
        Err(OpError::new(ErrorCode::Cancelled, "the export was stopped; nothing is left of it"))
    }
}

async fn write(
    workspace: &Workspace,
    checkpoint: &Checkpoint,
    request: &AuditExport,
    folder: &Path,
    making: &Making,
) -> Result<AuditExported, OpError> {
    let store = workspace.store();
    let (size, key) = (checkpoint.size, store.audit_key_of(checkpoint).await?);
    let micros = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.timestamp_micros());
    let (first, end) = store.audit_range(micros(request.from), micros(request.to), size).await?;
    let mut sums = vec![
        whole(folder, "checkpoint", &checkpoint.note)?,
        whole(folder, "log.vkey", format!("{}\n", key.vkey))?,
        whole(folder, "pub.pem", &key.pem)?,
        whole(folder, "verify.py", SCRIPT)?,
        whole(folder, "VERIFY.md", GUIDE)?,
    ];
    let total = size.unsigned_abs() + (end - first).unsigned_abs();
    let mut progress = Progress { making, done: 0, total };
    sums.extend(write_hashes(store, size, folder, &mut progress).await?);
    sums.extend(write_stamps(store, size, folder).await?);

    let (mut leaves, mut records) = (Out::new(folder, "leaves.jsonl")?, Out::new(folder, "records.jsonl")?);
    let aside = store.audit_aside_records(size).await?;
    let n_aside = aside.iter().filter(|seq| !(first..end).contains(seq)).count();
    let n_leaves = end - first + i64::try_from(n_aside).unwrap_or(0);
    match store.audit_export_note(checkpoint, (first, end), n_leaves.unsigned_abs()).await? {
        Some(note) => sums.push(whole(folder, "export.note", note)?),
        // That it is everything can be seen.
        None if (first, end) == (0, size) => {}
        None => {
            let message = "nobody could say that a part of the trail is the whole part: this console has no key to sign with";
            return Err(OpError::precondition(message).hint(
                "export everything, or export where there is a key: in the window, or with the keychain of this account \
                 or a file of secrets that is open",
            ));
        }
    }
    for seq in aside.iter().filter(|seq| **seq < first) {
        leaf_of(store, *seq, &mut leaves).await?;
    }
    let (mut at, mut closed) = (first, Vec::new());
    while at < end {
        let to = end.min(at + PAGE);
        for record in store.audit_export_page(at, to).await? {
            if record.sealed.as_ref().is_some_and(|sealed| sealed.closed) {
                closed.push(record.seq);
            }
            leaves.line(&record.leaf)?;
            records.line(&record.to_line())?;
        }
        progress.on("writing records", to - at)?;
        at = to;
    }
    for seq in aside.iter().filter(|seq| **seq >= end.max(first)) {
        leaf_of(store, *seq, &mut leaves).await?;
    }
    sums.extend([leaves.close()?, records.close()?]);
    let sums = sums.concat();
    whole(folder, "SHA256SUMS", &sums)?;
    Ok(AuditExported {
        directory: String::new(),
        records: end - first,
        leaves: n_leaves,
        size,
        root: checkpoint.root.clone(),
        key: key.vkey,
        sha256: hex::encode(Sha256::digest(sums.as_bytes())),
        unreadable: not_apart(store, closed).await?,
        uncovered: 0,
    })
}

/// Those of `closed` that no record sets apart, or that were altered, as far as so many are told.
async fn not_apart(store: &Store, closed: Vec<i64>) -> Result<Vec<i64>, OpError> {
    let mut left = Vec::new();
    for seq in closed {
        if left.len() < UNREADABLE_MAX && !store.audit_is_excused(seq).await? {
            left.push(seq);
        }
    }
    Ok(left)
}

async fn leaf_of(store: &Store, seq: i64, leaves: &mut Out) -> Result<(), OpError> {
    for record in store.audit_export_page(seq, seq + 1).await? {
        leaves.line(&record.leaf)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::path::Path;

    use super::cannot;

    #[test]
    fn a_full_disk_is_told_with_the_folder_that_was_asked_for() {
        for path in
            ["/exports/.one.part-7/event.csv", "/exports/.one.part-7/tile/0/000", "/exports/.one.part-7"]
        {
            let told = cannot(Path::new(path), &ErrorKind::StorageFull.into()).message;
            assert_eq!(told, "no space is left in the folder /exports for the export", "{path}");
        }
        let other = cannot(Path::new("/exports/.one.part-7/event.csv"), &ErrorKind::PermissionDenied.into());
        assert!(other.message.contains("event.csv"), "{other}");
    }
}
