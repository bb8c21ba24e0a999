//! `watchpost audit timestamp`: time stamps of checkpoints, by file.

use std::path::PathBuf;

use clap::Subcommand;
use watchpost_model::audit::AuditStamp;
use watchpost_model::text::visible;
use watchpost_ops::contract::{AuditTimestampKeep, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::args::Output;
use crate::output::{at, line};
use crate::session::Session;
use crate::show::either;

/// A longer file is no answer.
const BYTES_MAX: u64 = 256 * 1024;

/// Time stamps (RFC 3161): an authority of your choice signs that it saw the newest checkpoint. Nothing is sent from here:
/// the request and the answer are files.
#[derive(Debug, Subcommand)]
pub(crate) enum Timestamp {
    /// Write a request for the newest checkpoint to a file. Send it with `curl -H 'Content-Type:
    /// application/timestamp-query' --data-binary @FILE URL -o ANSWER`.
    Request {
        /// The file; replaced if it is there.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Keep the answer with the checkpoint that it is about. The signature of the authority is not checked here, its content
    /// is; the files of an export are what `openssl ts -verify` checks (docs/audit.md).
    Keep {
        /// The answer.
        file: PathBuf,
    },
}

pub(crate) async fn run(session: &Session, form: Output, verb: Timestamp) -> anyhow::Result<()> {
    match verb {
        Timestamp::Request { out } => {
            let asked = session.ask::<operation::audit_timestamp_request>(Nothing {}).await?;
            let bytes = hex::decode(&asked.request)?;
            std::fs::write(&out, bytes).map_err(|error| {
                OpError::new(ErrorCode::Unavailable, format!("cannot write {}: {error}", out.display()))
            })?;
            either(form, &asked, || {
                line(format!("request for the checkpoint of {} records in {}", asked.size, out.display()))?;
                line(format!("SHA-256 of the checkpoint: {}", asked.sha256))?;
                line(
                    "send it to an authority, and keep what it answers: watchpost audit timestamp keep ANSWER",
                )
            })
        }
        Timestamp::Keep { file } => {
            let cannot = |why: &dyn std::fmt::Display| OpError::unreadable("file", &file, why);
            let bytes = std::fs::metadata(&file).map_err(|error| cannot(&error))?.len();
            if bytes > BYTES_MAX {
                return Err(cannot(&"it is too long for an answer of a time stamp authority").into());
            }
            let response = hex::encode(std::fs::read(&file).map_err(|error| cannot(&error))?);
            let stamp =
                session.ask::<operation::audit_timestamp_keep>(AuditTimestampKeep { response }).await?;
            either(form, &stamp, || line(told(&stamp)))
        }
    }
}

/// What a time stamp is worth, without promising more.
pub(crate) fn told(stamp: &AuditStamp) -> String {
    let authority = stamp.authority.as_ref().map_or_else(
        || "an authority that does not name itself".to_owned(),
        |authority| visible(authority, 200),
    );
    format!(
        "checkpoint of {} records time-stamped by {authority}, {} (signature not checked here; check with openssl ts -verify, \
         docs/audit.md)",
        stamp.size,
        at(stamp.at)
    )
}
