//! Keys that the signatures of JSON Web Tokens are checked with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::words;

/// Where a key comes from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenKeyInput {
    /// A public key: RSA or P-256.
    Public {
        /// PEM (`BEGIN PUBLIC KEY` or `BEGIN RSA PUBLIC KEY`).
        pem: String,
    },
    /// The shared secret of HS256, HS384 and HS512. Goes to the OS keychain and is never sent back.
    Secret {
        /// The secret.
        value: String,
    },
    /// A file with either of them, read by the machine that runs the engine whenever it changes.
    File {
        /// Absolute path.
        path: String,
    },
}

impl std::fmt::Debug for TokenKeyInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public { .. } => f.write_str("Public"),
            Self::Secret { .. } => f.write_str("Secret(redacted)"),
            Self::File { path } => f.debug_struct("File").field("path", path).finish(),
        }
    }
}

/// A key to check tokens with; one of the same name is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TokenKeyAdd {
    /// What to call it; at most 80 characters.
    pub name: String,
    /// Only for tokens whose `iss` claim is this, and for those without one. Absent: for all tokens.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The key.
    pub key: TokenKeyInput,
}

/// A key by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TokenKeyRef {
    /// Its name.
    pub name: String,
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TokenKeySource {
    /// A public key that is stored.
    Public,
    /// A shared secret in the OS keychain.
    Secret,
    /// A file.
    File,
}

words!(TokenKeySource { Public = "public key", Secret = "shared secret", File = "file" });

/// A key as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TokenKeyRow {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: TokenKeySource,
    /// The issuer whose tokens it is for.
    pub issuer: Option<String>,
    /// The file, for one that is read from there.
    pub path: Option<String>,
    /// The algorithms that it checks; empty while it cannot be used.
    pub algorithms: Vec<String>,
    /// Why it cannot be used, or what is wrong with it although it works (then `algorithms` is not empty).
    pub problem: Option<String>,
    /// When it was set.
    pub changed_at: DateTime<Utc>,
}

/// All keys. Without any, signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TokenKeyList {
    /// By name.
    pub keys: Vec<TokenKeyRow>,
}
