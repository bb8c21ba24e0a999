//! What a key takes in memory, as the server estimates it.

use redis::Cmd;

/// Elements of a key that are looked at: all fields of an event, and few of a large key. Of the five that servers look at
/// by themselves, the payload is often none, and then an event of 5 KiB counts a few hundred bytes.
const SAMPLES: &str = "64";

/// The question.
pub(crate) fn usage(key: &[u8]) -> Cmd {
    let mut cmd = Cmd::with_capacity(5, "MEMORYUSAGESAMPLES64".len() + key.len());
    cmd.arg("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(SAMPLES);
    cmd
}
