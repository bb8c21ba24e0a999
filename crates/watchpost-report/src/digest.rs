//! Hashing what is written, while it is written.

use std::io::Write;

use sha2::{Digest, Sha256};

/// A writer that keeps nothing but the hash.
pub(crate) struct Digesting(pub(crate) Sha256);

impl Write for Digesting {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
