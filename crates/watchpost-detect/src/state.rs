//! The engine's state as bytes.

use crate::behaviour::State;
use crate::engine::Counters;
use crate::sigma::Saved;

/// Begins every saved state.
const MAGIC: [u8; 4] = *b"WPES";
/// Raised whenever the shape of the state changes: an older one is not read, and the caller replays instead.
const VERSION: u16 = 5;

/// Why a saved state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It does not begin like one.
    #[error("not a saved state of the engine")]
    Foreign,
    /// Another version of the program wrote it.
    #[error("a state of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version that wrote it.
        found: u16,
    },
    /// It is cut off or altered.
    #[error("the saved state is damaged")]
    Damaged(#[source] postcard::Error),
}

pub(crate) fn write(counters: Counters, behaviours: &State, sigma: Option<&Saved>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    postcard::to_extend(&(counters, behaviours, sigma), bytes)
        .expect("plain data without maps of unknown size, written to memory, cannot fail")
}

pub(crate) fn read(bytes: &[u8]) -> Result<(Counters, State, Option<Saved>), StateError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(StateError::Foreign)?;
    let (version, body) = rest.split_first_chunk::<2>().ok_or(StateError::Foreign)?;
    let found = u16::from_be_bytes(*version);
    if found != VERSION {
        return Err(StateError::Version { found });
    }
    postcard::from_bytes(body).map_err(StateError::Damaged)
}
