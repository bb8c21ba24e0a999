//! For whom copies of the audit database and backups of Redis are encrypted, and what opens them, as the command line names
//! it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use watchpost_model::copies::{CopyEncryption, CopyKey};
use watchpost_ops::error::OpError;

/// Encrypt the copy.
#[derive(Debug, Args)]
pub(crate) struct Encrypt {
    /// Encrypt it, in the age format, for whoever has the secret key of this public one (X25519, age1...), as `age-keygen`
    /// makes them. Repeatable.
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,
    /// The same for each public key in this file, one a line; lines that begin with # count nothing. Repeatable.
    #[arg(long, value_name = "FILE")]
    recipients_file: Vec<PathBuf>,
    /// Encrypt it with the passphrase in this file instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipient", "recipients_file"])]
    passphrase_file: Option<PathBuf>,
}

impl Encrypt {
    /// What is asked for; `None` if nothing is.
    pub(crate) fn asked(&self) -> anyhow::Result<Option<CopyEncryption>> {
        let recipients = recipients(&self.recipient, &self.recipients_file)?;
        let passphrase_file = self.passphrase_file.as_deref().map(absolute).transpose()?;
        if recipients.is_empty() && passphrase_file.is_none() {
            return Ok(None);
        }
        Ok(Some(CopyEncryption { recipients, passphrase_file }))
    }
}

/// Open an encrypted copy.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Of an encrypted copy: the age identity file that opens it, with a line AGE-SECRET-KEY-1... of each key.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Of a copy that is encrypted with a passphrase: the file that holds it.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Open {
    /// What is named; `None` if nothing is.
    pub(crate) fn named(&self) -> anyhow::Result<Option<CopyKey>> {
        key(self.identity.as_deref(), self.passphrase_file.as_deref())
    }
}

/// What opens a copy, by full paths; `None` if nothing is named.
pub(crate) fn key(
    identity: Option<&Path>,
    passphrase_file: Option<&Path>,
) -> anyhow::Result<Option<CopyKey>> {
    if identity.is_none() && passphrase_file.is_none() {
        return Ok(None);
    }
    Ok(Some(CopyKey {
        identity: identity.map(absolute).transpose()?,
        passphrase_file: passphrase_file.map(absolute).transpose()?,
    }))
}

/// Public keys that are named one by one, and those of files.
pub(crate) fn recipients(named: &[String], files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut recipients = named.to_vec();
    for file in files {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the recipients in {}", file.display()))?;
        let before = recipients.len();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        recipients.extend(lines.map(str::to_owned));
        if recipients.len() == before {
            let problem = format!("{} names no recipient", file.display());
            return Err(OpError::invalid("recipients_file", problem).into());
        }
    }
    Ok(recipients)
}

/// The full path of a file, as whoever opens it needs it.
pub(crate) fn absolute(path: &Path) -> anyhow::Result<String> {
    Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
}
