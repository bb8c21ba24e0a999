//! `watchpost audit key`: the keys that sign the log.

use clap::Subcommand;
use watchpost_ops::contract::{AuditKeyAgePut, AuditKeyRevoke, AuditKeyRoll, AuditKeys, Nothing};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{line, table};
use crate::session::Session;
use crate::show::{either, or_dash};

/// Keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// List them: which took the place of which, and which count no more.
    List,
    /// Sign with a new key from now on. The one before vouches for it and is revoked; whoever trusts the first key of the
    /// log follows the chain. Needs a second person where there is one, and is carried out by whoever asked.
    Roll {
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show after how many days `watchpost status` says that the key of a console is old; with a number, set that for all
    /// consoles of the log.
    Age {
        /// Days, up to 3650; 365 if nothing was set, and 0 says it never.
        days: Option<u32>,
        /// Why; it stands in the audit trail.
        #[arg(long, requires = "days")]
        reason: Option<String>,
    },
    /// Revoke the key of another console: what it signs from now on does not count.
    Revoke {
        /// Its name.
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) async fn run(session: &Session, form: Output, verb: Key) -> anyhow::Result<()> {
    let keys = match verb {
        Key::Age { days, reason } => {
            let trust = match days {
                Some(days) => {
                    session.ask::<operation::audit_key_age_put>(AuditKeyAgePut { days, reason }).await?
                }
                None => session.ask::<operation::audit_trust>(Nothing {}).await?,
            };
            return either(form, &trust.key_days, || match trust.key_days {
                0 => line("nothing is said of the age of a key"),
                days => line(format!("a key that has signed for more than {days} days is said to be old")),
            });
        }
        Key::List => session.ask::<operation::audit_key_list>(Nothing {}).await?,
        Key::Roll { reason } => session.ask::<operation::audit_key_roll>(AuditKeyRoll { reason }).await?,
        Key::Revoke { name, reason } => {
            session.ask::<operation::audit_key_revoke>(AuditKeyRevoke { name, reason }).await?
        }
    };
    either(form, &keys, || shown(&keys))
}

fn shown(keys: &AuditKeys) -> anyhow::Result<()> {
    if keys.keys.is_empty() {
        return line("no key has signed this log");
    }
    table(
        ["NAME", "ADDED BY RECORD", "AFTER", "REVOKED BY RECORD", "OWN", "KEY"],
        keys.keys.iter().map(|key| {
            [
                key.name.clone(),
                key.added.to_string(),
                or_dash(key.after.as_ref()),
                or_dash(key.revoked.map(|record| record.to_string()).as_ref()),
                if key.own { "this console" } else { "-" }.to_owned(),
                key.vkey.clone(),
            ]
        }),
    )
}
