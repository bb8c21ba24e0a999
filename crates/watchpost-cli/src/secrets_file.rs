//! `watchpost config secrets-file`: secrets in a file that a passphrase locks, where there is no keychain.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;
use watchpost_ops::contract::SecretState;
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_ops::secrets::{Carried, Secret, describe, passphrase_in};

use crate::args::Output;
use crate::output::{line, one_line};
use crate::session::Session;
use crate::show::either;

/// Secrets in a file.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretsFile {
    /// Say where the file is, whether secrets are kept in it, and whether it opens; without it, how the keychain is; and which
    /// passwords are to be given again. Exit code 1 when the file is used and does not open.
    Show,
    /// Make the file, in the age format; passwords and the key that signs the audit trail are kept in it from then on, and
    /// the keychain is asked no more. A file that is there is left alone.
    ///
    /// All that the keychain holds of Watchpost, and what is sealed with its key, is carried over first and read back; where not
    /// everything can be had, no file is made. Both stay as they are, and are used again once the file is moved away.
    ///
    /// It is `secrets.age` in the configuration folder, or the one that WATCHPOST_SECRETS_FILE names. Its passphrase is asked
    /// for when a secret is wanted; a service and the window find it in the file that WATCHPOST_SECRETS_PASSPHRASE_FILE
    /// names, or in the systemd credential `secrets-passphrase`.
    Make {
        /// File that holds the passphrase. Without it the one that WATCHPOST_SECRETS_PASSPHRASE_FILE names, else it is asked
        /// for, twice.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// Make it though the keychain does not give everything away. What is left there is named, with exit code 1; it has to
        /// be entered again.
        #[arg(long)]
        leave: bool,
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
    /// Of the file, or of the keychain where there is no file.
    state: SecretState,
    /// Accounts that a new file took over from the keychain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    carried_over: Vec<String>,
    /// Accounts that the keychain did not give away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<String>,
}

/// Runs a verb; true means that the file is used and does not open, or that something was left in the keychain.
pub(crate) async fn run(session: &Session, form: Output, verb: SecretsFile) -> anyhow::Result<bool> {
    let secrets = session.console.secrets();
    let mut carried = Carried::default();
    match verb {
        SecretsFile::Show => {}
        SecretsFile::Make { passphrase_file, leave } => {
            let named = passphrase_file.as_deref().or(secrets.passphrase_file());
            let passphrase = new_passphrase(named, "--passphrase-file FILE")?;
            carried = secrets.make_file_leaving(passphrase, leave).await?;
        }
        SecretsFile::Passphrase { new_passphrase_file } => {
            // Before the new one is asked for: the one that it has.
            let detail = secrets.open_file().await.map(describe).unwrap_or_default();
            if !detail.is_empty() {
                let problem = OpError::new(ErrorCode::SecretStore, "the file of secrets does not open");
                return Err(problem.hint(detail).into());
            }
            let passphrase = new_passphrase(new_passphrase_file.as_deref(), "--new-passphrase-file FILE")?;
            secrets.change_passphrase(passphrase).await?;
        }
    }
    let opened = secrets.open_file().await;
    let is_shut = opened.is_some_and(|state| state != SecretState::FileReady);
    let state = match opened {
        Some(state) if is_shut => state,
        // Whatever works: passwords may be to be given again.
        _ => secrets.state().await,
    };
    let (file, used) = (secrets.file().0.to_owned(), opened.is_some());
    let detail = session.console.secrets_detail(state).await;
    let standing = Standing { file, used, state, carried_over: carried.over, left: carried.left };
    let named = |account: &String| one_line(&session.console.secret_named(account));
    either(form, &standing, || told(&standing, is_shut, &detail, named))?;
    Ok(is_shut || !standing.left.is_empty())
}

fn told(
    standing: &Standing,
    is_shut: bool,
    detail: &str,
    named: impl Fn(&String) -> String,
) -> anyhow::Result<()> {
    let file = standing.file.display();
    match (standing.used, detail) {
        (false, "") => {
            return line(format!(
                "secrets are kept in a file that a key of the keychain seals; {file} is not there"
            ));
        }
        (false, detail) => {
            line(format!("{file} is not there"))?;
            return line(detail);
        }
        (true, detail) => {
            line(format!("secrets are kept in {file}"))?;
            if !is_shut {
                line("it is open")?;
            }
            if !detail.is_empty() {
                line(detail)?;
            }
        }
    }
    for account in &standing.carried_over {
        line(format!("carried over from the keychain: {}", named(account)))?;
    }
    for account in &standing.left {
        line(format!("NOT carried over, enter it again: {}", named(account)))?;
    }
    Ok(())
}

/// Asks for a new passphrase, unless a file holds it; `flag` names one.
fn new_passphrase(file: Option<&Path>, flag: &str) -> anyhow::Result<Secret> {
    if let Some(file) = file {
        return Ok(passphrase_in(file)?);
    }
    if !std::io::stdin().is_terminal() {
        return Err(OpError::invalid("passphrase", "there is no terminal to ask for a passphrase on")
            .hint(format!("name a file that holds it: {flag}"))
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
