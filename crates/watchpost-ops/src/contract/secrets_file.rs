//! The file of secrets, for the window.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::SecretState;

/// How the file of secrets stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SecretsFileState {
    /// Where it is, or would be.
    pub path: String,
    /// Secrets are kept in it, and the keychain is not asked.
    pub used: bool,
    /// Whether it is open; absent where it is not used.
    pub state: Option<SecretState>,
    /// The file that its passphrase is read from, if one was named at the start.
    pub passphrase_file: Option<String>,
}

/// Open the file of secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsFileOpen {
    /// Its passphrase.
    pub passphrase: String,
}

/// Make the file of secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsFileMake {
    /// Its passphrase, eight characters at least.
    pub passphrase: String,
}

/// Lock the file of secrets with another passphrase.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsFilePassphrase {
    /// The one that it has.
    pub current: String,
    /// The new one, eight characters at least.
    pub passphrase: String,
}

// No log may hold what stands in these.

impl fmt::Debug for SecretsFileOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsFileOpen").finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretsFileMake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsFileMake").finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretsFilePassphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsFilePassphrase").finish_non_exhaustive()
    }
}
