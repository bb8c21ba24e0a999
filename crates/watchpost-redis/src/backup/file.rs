//! The file of a backup: blocks, each compressed and chained to the one before by its SHA-256, so that a file that was cut
//! off or changed is told from a whole one, and where.
//!
//! `WPBACKUP`, the version (16 bits, little end first), then blocks: packed and plain length (32 bits each), the kind (0
//! head, 1 records, 2 end), the SHA-256 of the link before with these and the packed bytes, and those bytes (zstd).

use std::io::Read;
use std::io::Write;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use super::record::Record;
use super::record::read_record;
use super::record::write_record;

const MAGIC: &[u8; 8] = b"WPBACKUP";
/// The version of the file that this build writes and reads.
pub const BACKUP_VERSION: u16 = 1;
const LEVEL: i32 = 3;
/// Plain bytes after which a block is closed.
const BLOCK_BYTES: usize = 1 << 20;
/// No block is larger: a value that goes in whole has at most 2 MiB.
const BLOCK_BYTES_MAX: u32 = 64 << 20;
const HEAD: u8 = 0;
const RECORDS: u8 = 1;
const END: u8 = 2;

/// Why a file is no backup that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It begins differently.
    #[error("this is not a backup of Watchpost")]
    NotABackup,
    /// It is a copy of a whole server.
    #[error(
        "this is an RDB file, a copy of a whole server: a redis-server starts with it, a restore of keys does not"
    )]
    Rdb,
    /// A newer Watchpost wrote it.
    #[error("the backup has version {0}; this Watchpost reads up to {BACKUP_VERSION}")]
    TooNew(u16),
    /// Its end is missing.
    #[error("the backup is cut off: it ends at byte {at}, after {keys} keys, and its end is missing")]
    Truncated {
        /// Where it ends.
        at: u64,
        /// Records read before.
        keys: u64,
    },
    /// What is in it is not what was written.
    #[error("the backup was altered: block {block}, at byte {at}, does not match its checksum")]
    Altered {
        /// Which block, from 0.
        block: u64,
        /// Where the block begins.
        at: u64,
    },
    /// The checksums hold and it makes no sense all the same.
    #[error("block {block} of the backup, at byte {at}, cannot be read: {reason}")]
    Unreadable {
        /// Which block, from 0.
        block: u64,
        /// Where the block begins.
        at: u64,
        /// Why.
        reason: String,
    },
    /// The disk.
    #[error("cannot read or write the backup: {0}")]
    Io(#[from] std::io::Error),
}

/// What a backup says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupHead {
    /// When it was begun (RFC 3339).
    pub made_at: String,
    /// Version of Watchpost that made it.
    pub watchpost: String,
    /// `Redis 7.0.15`.
    pub server: String,
    /// Version of the server, for comparing.
    pub server_version: String,
    /// Which server process.
    pub run_id: String,
    /// Where it listened.
    pub node: String,
    /// Logical database.
    pub database: u32,
    /// Prefix of its keys.
    pub prefix: String,
}

impl BackupHead {
    /// The version of the server that decides which values it can read.
    #[must_use]
    pub fn compatible_version(&self) -> Option<(u32, u32)> {
        let mut parts = self.server_version.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// What is at the end of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupEnd {
    /// Keys.
    pub keys: u64,
    /// Records: a large key has several.
    pub records: u64,
    /// Keys that expire.
    pub with_ttl: u64,
    /// Bytes of names and values.
    pub bytes: u64,
    /// SHA-256 over names, expiries and digests of all keys, in the order of the file.
    pub digest: String,
}

/// Counts records as they pass; reader and writer must come to the same.
#[derive(Default)]
struct Count {
    end: BackupEnd,
    hash: Sha256,
}

impl Count {
    fn take(&mut self, record: &Record) {
        self.end.records += 1;
        self.end.bytes += record.bytes();
        if let Some(digest) = record.digest() {
            self.end.keys += 1;
            self.end.with_ttl += u64::from(record.expires_at_ms.is_some());
            self.hash.update((record.key.len() as u64).to_le_bytes());
            self.hash.update(&record.key);
            self.hash.update(record.expires_at_ms.unwrap_or(-1).to_le_bytes());
            self.hash.update(digest.bytes);
        }
    }

    fn end(&self) -> BackupEnd {
        BackupEnd { digest: hex::encode(self.hash.clone().finalize()), ..self.end.clone() }
    }
}

fn link(before: &[u8; 32], head: &[u8], packed: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(head);
    hash.update(packed);
    hash.finalize().into()
}

/// Writes a backup.
pub struct BackupWriter<W: Write> {
    out: W,
    link: [u8; 32],
    plain: Vec<u8>,
    count: Count,
}

impl<W: Write> BackupWriter<W> {
    /// Begins with the head.
    ///
    /// # Errors
    /// `Io`.
    pub fn new(mut out: W, head: &BackupHead) -> Result<Self, BackupError> {
        out.write_all(MAGIC)?;
        out.write_all(&BACKUP_VERSION.to_le_bytes())?;
        let mut writer = Self { out, link: [0; 32], plain: Vec::new(), count: Count::default() };
        writer.block(HEAD, &serde_json::to_vec(head).map_err(std::io::Error::from)?)?;
        Ok(writer)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// `Io`.
    pub fn put(&mut self, record: &Record) -> Result<(), BackupError> {
        self.count.take(record);
        write_record(&mut self.plain, record);
        if self.plain.len() >= BLOCK_BYTES { self.close_block() } else { Ok(()) }
    }

    /// Writes what is left and the end.
    ///
    /// # Errors
    /// `Io`.
    pub fn finish(mut self) -> Result<BackupEnd, BackupError> {
        self.close_block()?;
        let end = self.count.end();
        self.block(END, &serde_json::to_vec(&end).map_err(std::io::Error::from)?)?;
        self.out.flush()?;
        Ok(end)
    }

    fn close_block(&mut self) -> Result<(), BackupError> {
        if self.plain.is_empty() {
            return Ok(());
        }
        let plain = std::mem::take(&mut self.plain);
        self.block(RECORDS, &plain)?;
        self.plain = plain;
        self.plain.clear();
        Ok(())
    }

    fn block(&mut self, kind: u8, plain: &[u8]) -> Result<(), BackupError> {
        let packed = zstd::bulk::compress(plain, LEVEL)?;
        let size = |n: usize| u32::try_from(n).map_err(|_| std::io::Error::other("a block is too large"));
        let mut head = Vec::with_capacity(9);
        head.extend_from_slice(&size(packed.len())?.to_le_bytes());
        head.extend_from_slice(&size(plain.len())?.to_le_bytes());
        head.push(kind);
        self.link = link(&self.link, &head, &packed);
        self.out.write_all(&head)?;
        self.out.write_all(&self.link)?;
        self.out.write_all(&packed)?;
        Ok(())
    }
}

/// Reads a backup, and believes nothing that its checksums do not say.
pub struct BackupReader<R: Read> {
    input: R,
    at: u64,
    block: u64,
    link: [u8; 32],
    head: BackupHead,
    count: Count,
    end: Option<BackupEnd>,
}

impl<R: Read> BackupReader<R> {
    /// Reads the head.
    ///
    /// # Errors
    /// Every cause of [`BackupError`].
    pub fn new(mut input: R) -> Result<Self, BackupError> {
        let mut magic = [0; 10];
        let n = fill(&mut input, &mut magic)?;
        if magic.starts_with(b"REDIS") || magic.starts_with(b"VALKEY") {
            return Err(BackupError::Rdb);
        }
        if n < magic.len() || &magic[..8] != MAGIC {
            return Err(BackupError::NotABackup);
        }
        let version = u16::from_le_bytes([magic[8], magic[9]]);
        if version != BACKUP_VERSION {
            return Err(BackupError::TooNew(version));
        }
        let mut reader = Self {
            input,
            at: magic.len() as u64,
            block: 0,
            link: [0; 32],
            head: BackupHead::default(),
            count: Count::default(),
            end: None,
        };
        let (kind, plain) = reader.next_block()?;
        let head = (kind == HEAD).then(|| serde_json::from_slice(&plain).ok()).flatten();
        reader.head = head.ok_or_else(|| reader.unreadable("it is not the head of a backup"))?;
        reader.block += 1;
        Ok(reader)
    }

    /// What the backup says of itself.
    #[must_use]
    pub fn head(&self) -> &BackupHead {
        &self.head
    }

    /// Bytes of the file read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The end, once it was reached: everything before it was as it was written.
    #[must_use]
    pub fn end(&self) -> Option<&BackupEnd> {
        self.end.as_ref()
    }

    /// The records of the next block; `None` at the end.
    ///
    /// # Errors
    /// Every cause of [`BackupError`].
    pub fn next_records(&mut self) -> Result<Option<Vec<Record>>, BackupError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let (kind, plain) = self.next_block()?;
        let records = match kind {
            RECORDS => {
                let mut rest = plain.as_slice();
                let mut records = Vec::new();
                while !rest.is_empty() {
                    let record =
                        read_record(&mut rest).ok_or_else(|| self.unreadable("a record makes no sense"))?;
                    self.count.take(&record);
                    records.push(record);
                }
                Some(records)
            }
            END => {
                let end: BackupEnd =
                    serde_json::from_slice(&plain).map_err(|error| self.unreadable(&error.to_string()))?;
                if end != self.count.end() {
                    return Err(self.unreadable("its counts are not those of the keys before"));
                }
                if fill(&mut self.input, &mut [0])? > 0 {
                    return Err(self.unreadable("something follows the end"));
                }
                self.end = Some(end);
                None
            }
            other => return Err(self.unreadable(&format!("there is no kind {other} of blocks"))),
        };
        self.block += 1;
        Ok(records)
    }

    fn next_block(&mut self) -> Result<(u8, Vec<u8>), BackupError> {
        let begin = self.at;
        let mut head = [0; 9 + 32];
        self.fill(&mut head)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (packed, plain) = (number(0), number(4));
        let altered = BackupError::Altered { block: self.block, at: begin };
        if packed > BLOCK_BYTES_MAX || plain > BLOCK_BYTES_MAX {
            return Err(altered);
        }
        let mut bytes = vec![0; packed as usize];
        self.fill(&mut bytes)?;
        let expect = link(&self.link, &head[..9], &bytes);
        if expect != head[9..] {
            return Err(altered);
        }
        self.link = expect;
        let unpacked = zstd::bulk::decompress(&bytes, plain as usize);
        let unpacked = unpacked.map_err(|error| self.unreadable(&error.to_string()))?;
        Ok((head[8], unpacked))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), BackupError> {
        let n = fill(&mut self.input, buffer)?;
        self.at += n as u64;
        if n < buffer.len() {
            return Err(BackupError::Truncated { at: self.at, keys: self.count.end.keys });
        }
        Ok(())
    }

    fn unreadable(&self, reason: &str) -> BackupError {
        BackupError::Unreadable { block: self.block, at: self.at, reason: reason.to_owned() }
    }
}

/// Fills the buffer as far as there is something.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match input.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}
