//! The lock of the window.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::SecretState;

/// How the lock of the window is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WindowLock {
    /// Minutes without anybody after which it locks; absent while it never does.
    pub minutes: Option<u32>,
    /// It is locked.
    pub locked: bool,
    /// Seconds until a passphrase may be tried again.
    pub wait_s: u32,
    /// Why the passphrase is kept for this session only; empty if it is not.
    pub detail: String,
    /// Why the keychain, or the file of secrets, did not say how the lock is: it is as was noted beside it. Absent if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unread: Option<SecretState>,
}

/// Set or remove the lock of the window.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct WindowLockPut {
    /// Minutes without anybody after which it locks, 1 to 480; absent means never.
    pub minutes: Option<u32>,
    /// The new passphrase; absent keeps the one that there is.
    pub passphrase: Option<String>,
    /// The passphrase that there is.
    pub current: Option<String>,
}

/// Unlock the window.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct WindowUnlock {
    /// The passphrase.
    pub passphrase: String,
}

// No log may hold what stands in these.

impl fmt::Debug for WindowLockPut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowLockPut").field("minutes", &self.minutes).finish_non_exhaustive()
    }
}

impl fmt::Debug for WindowUnlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowUnlock").finish_non_exhaustive()
    }
}
