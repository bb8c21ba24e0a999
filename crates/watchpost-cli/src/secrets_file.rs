//! `watchpost config secrets-file`: secrets in a file that a passphrase locks, where there is no keychain.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_ops::secrets::{Secret, describe, passphrase_in};

use crate::args::Output;
use crate::output::line;
use crate::session::Session;
use crate::show::either;

/// Secrets in a file.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretsFile {
    /// Say where the file is, whether secrets are kept in it, and whether it opens. Exit code 1 when it does not.
    Show,
    /// Make the file, in the age format; passwords and the key that signs the audit trail are kept in it from then on, and
    /// the keychain is asked no more. A file that is there is left alone.
    ///
    /// It is `secrets.age` in the configuration folder, or the one that WATCHPOST_SECRETS_FILE names. Its passphrase is asked
    /// for when a secret is wanted; a service and the window find it in the file that WATCHPOST_SECRETS_PASSPHRASE_FILE
    /// names, or in the systemd credential `secrets-passphrase`.
    Make {
        /// File that holds the passphrase. Without it the one that WATCHPOST_SECRETS_PASSPHRASE_FILE names, else it is asked
        /// for, twice.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Lock the file with another passphrase. The one that it has is asked for, or read as always.
    Passphrase {
        /// File that holds the new one. Without it the new one is asked for, twice.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

/// How the file stands.
#[derive(Serialize)]
struct Standing {
    file: PathBuf,
    used: bool,
    state: Option<watchpost_ops::contract::SecretState>,
}

/// Runs a verb; true means that the file is used and does not open.
pub(crate) async fn run(session: &Session, form: Output, verb: SecretsFile) -> anyhow::Result<bool> {
    let secrets = session.console.secrets();
    match verb {
        SecretsFile::Show => {}
        SecretsFile::Make { passphrase_file } => {
            let named = passphrase_file.as_deref().or(secrets.passphrase_file());
            secrets.make_file(new_passphrase(named)?).await?;
        }
        SecretsFile::Passphrase { new_passphrase_file } => {
            // Before the new one is asked for: the one that it has.
            let detail = secrets.open_file().await.map(describe).unwrap_or_default();
            if !detail.is_empty() {
                let problem = OpError::new(ErrorCode::SecretStore, "the file of secrets does not open");
                return Err(problem.hint(detail).into());
            }
            secrets.change_passphrase(new_passphrase(new_passphrase_file.as_deref())?).await?;
        }
    }
    let state = secrets.open_file().await;
    let (file, used) = secrets.file();
    let standing = Standing { file: file.to_owned(), used, state };
    let detail = state.map(describe).unwrap_or_default();
    either(form, &standing, || {
        if !used {
            return line(format!("secrets are kept in the keychain; {} is not there", file.display()));
        }
        line(format!("secrets are kept in {}", file.display()))?;
        line(if detail.is_empty() { "it is open" } else { detail })
    })?;
    Ok(!detail.is_empty())
}

fn new_passphrase(file: Option<&Path>) -> anyhow::Result<Secret> {
    if let Some(file) = file {
        return Ok(passphrase_in(file)?);
    }
    if !std::io::stdin().is_terminal() {
        return Err(OpError::invalid("passphrase", "there is no terminal to ask for a passphrase on")
            .hint("name a file that holds it")
            .into());
    }
    let typed = Secret::new(rpassword::prompt_password("new passphrase of the file of secrets: ")?);
    let again = Secret::new(rpassword::prompt_password("once more: ")?);
    if typed.as_str() != again.as_str() {
        return Err(OpError::invalid("passphrase", "these were two passphrases").into());
    }
    Ok(typed)
}

/// Asks for the passphrase that the file has.
pub(crate) fn ask(again: bool) -> Option<Secret> {
    let before = if again { "it has another one; " } else { "" };
    let typed = rpassword::prompt_password(format!("{before}passphrase of the file of secrets: ")).ok()?;
    Some(typed).filter(|typed| !typed.is_empty()).map(Secret::new)
}
