//! What an RDB file says of itself: its beginning, its version and the checksum at its end, looked at as it passes.

use crc::CRC_64_REDIS;
use crc::Crc;
use crc::Digest;
use crc::Table;
use watchpost_model::text::visible;

use super::copy::RdbError;

static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);
/// `REDIS0010`, `VALKEY080`.
const HEAD_BYTES: usize = 9;
/// The checksum, little end first.
const CHECKSUM_BYTES: usize = 8;
/// What stands before the checksum.
const END: u8 = 0xff;

/// What a whole RDB file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdbEnd {
    /// `REDIS 10`, `VALKEY 80`.
    pub version: String,
    /// Size of the file.
    pub bytes: u64,
    /// Its CRC64, which is the one in the file; `None` where the server was told to write none.
    pub checksum: Option<u64>,
}

/// Looks at the bytes of an RDB file as they pass.
pub(crate) struct RdbCheck {
    head: Vec<u8>,
    digest: Digest<'static, u64, Table<16>>,
    /// The last byte that is in the digest.
    last: u8,
    /// The bytes after it, which may be the checksum.
    tail: Vec<u8>,
    bytes: u64,
}

impl RdbCheck {
    pub(crate) fn new() -> Self {
        Self {
            head: Vec::with_capacity(HEAD_BYTES),
            digest: CRC.digest(),
            last: 0,
            tail: Vec::with_capacity(CHECKSUM_BYTES * 2),
            bytes: 0,
        }
    }

    /// Bytes so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// `NotAnRdb` as soon as that is certain.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), RdbError> {
        self.bytes += piece.len() as u64;
        if self.head.len() < HEAD_BYTES {
            let missing = (HEAD_BYTES - self.head.len()).min(piece.len());
            self.head.extend_from_slice(&piece[..missing]);
            if self.head.len() == HEAD_BYTES && version(&self.head).is_none() {
                return Err(self.not_an_rdb());
            }
        }
        // The last eight bytes of all are the checksum, so eight are held back.
        if let Some(keep) = piece.len().checked_sub(CHECKSUM_BYTES) {
            let before = std::mem::take(&mut self.tail);
            self.add(&before);
            self.add(&piece[..keep]);
            self.tail.extend_from_slice(&piece[keep..]);
        } else {
            self.tail.extend_from_slice(piece);
            let over = self.tail.len().saturating_sub(CHECKSUM_BYTES);
            let before: Vec<u8> = self.tail.drain(..over).collect();
            self.add(&before);
        }
        Ok(())
    }

    /// After the last byte.
    ///
    /// # Errors
    /// `NotAnRdb`, `Truncated` when its end is missing, `Altered` when the checksum is another one.
    pub(crate) fn end(&self) -> Result<RdbEnd, RdbError> {
        let version = version(&self.head).ok_or_else(|| self.not_an_rdb())?;
        let tail = <[u8; CHECKSUM_BYTES]>::try_from(self.tail.as_slice());
        let (Ok(tail), END) = (tail, self.last) else {
            return Err(RdbError::Truncated { bytes: self.bytes });
        };
        let (stored, computed) = (u64::from_le_bytes(tail), self.digest.clone().finalize());
        if stored != 0 && stored != computed {
            return Err(RdbError::Altered { stored, computed });
        }
        Ok(RdbEnd { version, bytes: self.bytes, checksum: (stored != 0).then_some(stored) })
    }

    fn add(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    fn not_an_rdb(&self) -> RdbError {
        RdbError::NotAnRdb(visible(&String::from_utf8_lossy(&self.head), HEAD_BYTES))
    }
}

/// The version in the first nine bytes of a file.
fn version(head: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(head).ok().filter(|text| text.len() == HEAD_BYTES)?;
    ["REDIS", "VALKEY"].into_iter().find_map(|name| {
        let number = text.strip_prefix(name).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(format!("{name} {}", number.parse::<u32>().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::CRC;
    use super::RdbCheck;
    use super::RdbEnd;
    use crate::backup::RdbError;

    /// An RDB file without keys, as servers write it; with its checksum.
    fn empty() -> Vec<u8> {
        let mut file = b"REDIS0010\xfa\x09redis-ver\x067.0.15\xff".to_vec();
        file.extend(CRC.checksum(&file).to_le_bytes());
        file
    }

    fn check(file: &[u8], step: usize) -> Result<RdbEnd, RdbError> {
        let mut check = RdbCheck::new();
        for piece in file.chunks(step) {
            check.take(piece)?;
        }
        check.end()
    }

    #[test]
    fn the_checksum_is_that_of_redis() {
        assert_eq!(CRC.checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        // What Redis 7.0.15 sent, and the checksum with which it ended.
        let mut sent = b"REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0@\xfa\x05ctime\xc2Ai\x02k\xfa\x08used-mem\xc2Pg\x10\x00\xfa\x0erepl-stream-db\xc0\x00\xfa\x07repl-id(f2cda0c452a2acc47fdf1d62368c8625fba314f2\xfa\x0brepl-offset\xc0\x0e\xfa\x08aof-base\xc0\x00\xfe\x00\xfb\x01\x00\x00\x01a\x01b\xfe\x03\xfb\x01\x01\xfcw\x8cl\x01\xa2\x01\x00\x00\x00\x01c\x01d\xff".to_vec();
        sent.extend(b"\xcd\xde\x87\x000,ff");
        let end = check(&sent, 7).unwrap();
        assert_eq!(end.checksum, Some(u64::from_le_bytes(*b"\xcd\xde\x87\x000,ff")));
    }

    #[test]
    fn a_whole_file_is_whole_in_whatever_pieces_it_comes() {
        let file = empty();
        for step in [1, 3, 7, 8, 9, 20, file.len()] {
            let end = check(&file, step).unwrap();
            assert_eq!(
                (end.version.as_str(), end.bytes),
                ("REDIS 10", file.len() as u64),
                "in pieces of {step}"
            );
            assert!(end.checksum.is_some());
        }
        let mut unsigned = file;
        let n = unsigned.len();
        unsigned[n - 8..].fill(0);
        assert_eq!(check(&unsigned, 5).unwrap().checksum, None, "rdbchecksum no");
    }

    #[test]
    fn what_is_missing_or_altered_is_found() {
        let file = empty();
        for at in 9..file.len() {
            let mut altered = file.clone();
            altered[at] ^= 1;
            assert!(
                matches!(check(&altered, 11), Err(RdbError::Altered { .. } | RdbError::Truncated { .. })),
                "byte {at}"
            );
            assert!(check(&file[..at], 11).is_err(), "cut at {at}");
        }
        for wrong in [&b"HTTP/1.1 400"[..], b"REDISxxxx0123456789", b"", b"VALKE"] {
            assert!(matches!(check(wrong, 4), Err(RdbError::NotAnRdb(_))), "{wrong:?}");
        }
        let mut valkey = file;
        valkey[..9].copy_from_slice(b"VALKEY080");
        let n = valkey.len();
        let sum = CRC.checksum(&valkey[..n - 8]).to_le_bytes();
        valkey[n - 8..].copy_from_slice(&sum);
        assert_eq!(check(&valkey, 4).unwrap().version, "VALKEY 80");
    }
}
