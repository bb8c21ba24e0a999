//! Witnesses sign for what they saw: C2SP cosignatures (c2sp.org/tlog-cosignature) of checkpoints that another key signed.
//!
//! A cosignature says: at this time this console held the checkpoint against all that it had seen, and it fitted. It has
//! no record in the log: each would ask for another checkpoint, and that one for another cosignature, for ever.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use watchpost_model::audit::LogSeen;

use crate::audit::checkpoint;
use crate::audit::keys::LogKey;
use crate::audit::sign::{VerifierKey, signed_text};
use crate::audit::tree::Frontier;
use crate::audit::witness::{extend, seen_of};
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// Checkpoints whose cosignatures are looked at; newer ones say more.
const CHECKPOINTS: i64 = 64;

/// Who signed for what they saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witnesses {
    /// Names of the keys, in order, each as the first of those that took one another's place; none of a session, none that
    /// signed the checkpoint itself, none of the reader.
    pub keys: Vec<String>,
    /// Cosignatures that do not fit their checkpoint, each with the size that it is about.
    pub bad: Vec<(i64, String)>,
}

/// The key of a witness that made a cosignature.
fn maker<'k>(keys: &'k [LogKey], witness: &str, text: &str, line: &str) -> Option<&'k LogKey> {
    keys.iter()
        .filter(|key| key.name == witness)
        .find(|key| VerifierKey::parse(&key.vkey).is_some_and(|key| key.cosigned(text, line).is_some()))
}

/// The name of the key that came first, where keys took one another's place: they are of one console.
fn first_of<'k>(keys: &'k [LogKey], name: &'k str) -> &'k str {
    let mut first = name;
    // No chain is longer than there are keys, whatever a forged record says.
    for _ in keys {
        let Some(before) = keys.iter().find(|key| key.name == first).and_then(|key| key.after.as_deref())
        else {
            break;
        };
        first = before;
    }
    first
}

impl Store {
    /// Signs, as a witness, the newest checkpoint if another key signed it and the tree leads to it. `walked` is where an
    /// earlier call ended; returned is where this one did.
    ///
    /// # Errors
    /// What the database says. A checkpoint that does not fit is no error: it gets no cosignature, and a check tells.
    pub async fn audit_cosign(&self, walked: Option<&LogSeen>) -> Result<Option<LogSeen>, StoreError> {
        let Some(signer) = self.signer().filter(|signer| !signer.is_session()) else { return Ok(None) };
        let Some(newest) = self.checkpoints(1).await?.into_iter().next() else { return Ok(None) };
        if newest.key_name == signer.name() || self.audit_key_of(&newest).await.is_err() {
            return Ok(None);
        }
        let mut tx = self.read().await?;
        let sql = "SELECT size FROM audit_cosignature WHERE size = $1 AND key_name = $2";
        if tx.fetch_optional(sql, args![newest.size, signer.name()]).await?.is_some() {
            return Ok(None);
        }
        let log = crate::audit::append::log_id_if_any(&mut tx).await?.unwrap_or_default();
        let mut tree = match walked.filter(|walked| walked.log == log && walked.size <= newest.size) {
            Some(walked) => Frontier::from_hex(walked.size, &walked.frontier)?,
            None => Frontier::default(),
        };
        let is_whole = extend(&mut tx, &mut tree, newest.size).await?.is_none();
        drop(tx);
        let at = self.inner.clock.now();
        let text = signed_text(&newest.note).unwrap_or_default();
        if !is_whole
            || STANDARD.encode(tree.root()) != newest.root
            || text.lines().nth(2) != Some(&newest.root)
        {
            return Ok(None);
        }
        let line = signer.cosign(text, at.timestamp());
        let mut write = self.write().await?;
        write.touch(Tag::Audit);
        write
            .execute(
                "INSERT INTO audit_cosignature (size, key_name, at, line) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (size, key_name) DO NOTHING",
                args![newest.size, signer.name(), at, line],
            )
            .await?;
        self.commit(write).await?;
        Ok(Some(seen_of(log, &tree, at)))
    }

    /// Who signed, since `since`, for checkpoints of another key. `own` are the names of the keys of whoever asks: they
    /// witness nothing to their owner, and neither does what took their place.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_witnesses(
        &self,
        since: DateTime<Utc>,
        own: &[String],
    ) -> Result<Witnesses, StoreError> {
        let keys = self.audit_log_keys().await?;
        let own: BTreeSet<&str> = own.iter().map(|name| first_of(&keys, name)).collect();
        let mut tx = self.read().await?;
        let sql = "SELECT c.size, c.root, c.at, c.note, c.key_name, w.key_name, w.line FROM audit_cosignature w \
                   JOIN audit_checkpoint c ON c.size = w.size WHERE w.at >= $1 ORDER BY c.size DESC LIMIT $2";
        let rows = tx.fetch(sql, args![since, CHECKPOINTS]).await?;
        let (mut names, mut bad) = (BTreeSet::new(), Vec::new());
        for row in &rows {
            let (signed, witness, line) = (checkpoint::from_row(row)?, row.text(5)?, row.text(6)?);
            let text = signed_text(&signed.note).unwrap_or_default();
            let first = first_of(&keys, &witness);
            let is_own = own.contains(first)
                || first == first_of(&keys, &signed.key_name)
                || witness.starts_with("watchpost-session/");
            let wrong = match maker(&keys, &witness, text, &line) {
                Some(LogKey { revoked: Some(record), .. }) if *record < signed.size => {
                    format!("was made with a key that record {record} had revoked")
                }
                Some(_) => {
                    if !is_own {
                        names.insert(first.to_owned());
                    }
                    continue;
                }
                None => "does not fit it".to_owned(),
            };
            let size = signed.size;
            bad.push((
                size,
                format!("the cosignature of {witness} under the checkpoint of size {size} {wrong}"),
            ));
        }
        Ok(Witnesses { keys: names.into_iter().collect(), bad })
    }
}
