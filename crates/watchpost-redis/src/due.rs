//! How far a look goes that tells what a job would touch: asked before a person confirms it.

use std::time::Duration;

/// Keys that a sample looks at, and the time that it takes, at most.
pub const SAMPLE_KEYS: u64 = 20_000;
/// See [`SAMPLE_KEYS`].
pub const SAMPLE_TIME: Duration = Duration::from_secs(2);
