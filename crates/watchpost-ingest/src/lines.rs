//! Lines with their byte offsets, of bounded length.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// Longest line that is read: an event in Redis has at most 512 KiB of fields and a payload of 1 MiB, and JSON takes
/// some more for the same. Of a longer one this much is kept, and the rest is counted.
pub const LINE_BYTES_MAX: usize = 2 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1 on, counted from where reading began.
    pub no: u64,
    /// Where the line begins, in bytes of the (decompressed) input.
    pub offset: u64,
    /// Where the next one begins: where to resume.
    pub next_offset: u64,
    /// The text without its end; invalid UTF-8 replaced.
    pub text: String,
    /// Bytes beyond [`LINE_BYTES_MAX`] that were left out: such a line is no event.
    pub n_bytes_cut: u64,
}

/// Reads lines. `\n` and `\r\n` end a line; a byte order mark at the start is dropped.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    no: u64,
    offset: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of a reader that stands at `offset` of its input.
    pub const fn new(reader: R, offset: u64) -> Self {
        Self { reader, no: 0, offset }
    }

    /// Where the next line begins.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let mut kept: Vec<u8> = Vec::new();
        let (mut n_read, mut n_bytes_cut) = (0_u64, 0_u64);
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            let end = available.iter().position(|&byte| byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            // One more than allowed, so that a carriage return at the limit is not taken for text.
            let n_kept = part.len().min((LINE_BYTES_MAX + 1).saturating_sub(kept.len()));
            kept.extend_from_slice(&part[..n_kept]);
            n_bytes_cut += (part.len() - n_kept) as u64;
            let n_used = end.map_or(part.len(), |at| at + 1);
            n_read += n_used as u64;
            self.reader.consume(n_used);
            if end.is_some() {
                break;
            }
        }
        if n_read == 0 {
            return Ok(None);
        }
        if kept.last() == Some(&b'\r') && n_bytes_cut == 0 {
            kept.pop();
        }
        n_bytes_cut += kept.len().saturating_sub(LINE_BYTES_MAX) as u64;
        kept.truncate(LINE_BYTES_MAX);
        let mut bytes = kept.as_slice();
        if self.offset == 0 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        let offset = self.offset;
        self.offset += n_read;
        self.no += 1;
        let text = String::from_utf8_lossy(bytes).into_owned();
        Ok(Some(Line { no: self.no, offset, next_offset: self.offset, text, n_bytes_cut }))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}

/// A buffered reader over `input`, decompressed if it begins like gzip.
///
/// Errors: those of reading the first bytes; a damaged archive shows as an error of a later read.
pub fn open_reader<'a>(input: impl Read + Send + 'a) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let mut reader = BufReader::with_capacity(128 * 1024, input);
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(128 * 1024, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}
