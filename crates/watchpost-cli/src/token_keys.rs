//! `watchpost config token-key`: keys that check the signatures of tokens.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use watchpost_ops::contract::{Nothing, TokenKeyAdd, TokenKeyInput, TokenKeyList, TokenKeyRef};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{at, json, line, table};
use crate::session::Session;

/// Keys of tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenKey {
    /// List the keys, what they check, and why one cannot be used.
    List,
    /// Add a key; one of the same name is replaced.
    ///
    /// With keys, a token whose signature is none of theirs is found as tampered with.
    Add {
        /// What to call it.
        name: String,
        /// Public key in PEM: RSA (RS256, RS384, RS512) or P-256 (ES256). Its text is stored.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["secret_stdin", "file"])]
        public: Option<PathBuf>,
        /// Read a shared secret (HS256, HS384, HS512) from standard input and keep it in the OS keychain.
        #[arg(long, conflicts_with = "file")]
        secret_stdin: bool,
        /// File with a public key in PEM or a shared secret: for servers without a keychain. With another content it is no
        /// key until it is added again.
        #[arg(long, value_name = "FILE", required_unless_present_any = ["public", "secret_stdin"])]
        file: Option<PathBuf>,
        /// Only for tokens whose `iss` claim is this, and for those without one.
        #[arg(long)]
        issuer: Option<String>,
    },
    /// Forget a key.
    Remove {
        /// Its name.
        name: String,
    },
}

pub(crate) async fn run(session: &Session, form: Output, verb: TokenKey) -> anyhow::Result<()> {
    let list = match verb {
        TokenKey::List => session.ask::<operation::token_key_list>(Nothing {}).await?,
        TokenKey::Add { name, public, secret_stdin, file, issuer } => {
            let key = if let Some(path) = public {
                let pem = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                TokenKeyInput::Public { pem }
            } else if secret_stdin {
                let text = std::io::read_to_string(std::io::stdin())?;
                let value = text.strip_suffix('\n').unwrap_or(&text);
                TokenKeyInput::Secret { value: value.strip_suffix('\r').unwrap_or(value).to_owned() }
            } else {
                let path = std::path::absolute(file.unwrap_or_default())?;
                TokenKeyInput::File { path: path.to_string_lossy().into_owned() }
            };
            session.ask::<operation::token_key_add>(TokenKeyAdd { name, issuer, key }).await?
        }
        TokenKey::Remove { name } => session.ask::<operation::token_key_remove>(TokenKeyRef { name }).await?,
    };
    show(form, &list)
}

fn show(form: Output, list: &TokenKeyList) -> anyhow::Result<()> {
    if form == Output::Json {
        return json(list);
    }
    if list.keys.is_empty() {
        return line("no keys: signatures of tokens are not checked");
    }
    table(
        ["NAME", "FROM", "ISSUER", "CHECKS", "SET", "PROBLEM"],
        list.keys.iter().map(|key| {
            [
                key.name.clone(),
                key.path.clone().unwrap_or_else(|| key.source.to_string()),
                key.issuer.clone().unwrap_or_else(|| "any".to_owned()),
                key.algorithms.join(" "),
                at(key.changed_at),
                key.problem.clone().unwrap_or_default(),
            ]
        }),
    )
}
