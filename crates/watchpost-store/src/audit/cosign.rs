//! Witnesses sign for what they saw: C2SP cosignatures (c2sp.org/tlog-cosignature) of checkpoints that another key signed.
//!
//! A cosignature says: at this time this console held the checkpoint against all that it had seen, and it fitted. It has
//! no record in the log: each would ask for another checkpoint, and that one for another cosignature, for ever.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use watchpost_model::audit::{Checkpoint, LogSeen};

use crate::audit::checkpoint;
use crate::audit::keys::LogKey;
use crate::audit::sign::{VerifierKey, signed_text};
use crate::audit::tree::Frontier;
use crate::audit::witness::{extend, seen_of};
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// So many of the newest cosignatures are looked at for some that do not fit.
const LOOKED_AT: i64 = 64;
/// So many of a key that the log knows are looked at for one that fits. Whoever may write rows, which is every login of a
/// server, can put any number of them above the true ones: a witness is not to be lost under those.
const OF_A_KEY: i64 = 10_000;

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

/// Is it a cosignature of this checkpoint by this witness, with a key that was good then? Or why not.
fn fits(keys: &[LogKey], signed: &Checkpoint, witness: &str, line: &str) -> Result<(), String> {
    let text = signed_text(&signed.note).unwrap_or_default();
    match maker(keys, witness, text, line) {
        Some(LogKey { revoked: Some(record), .. }) if *record < signed.size => {
            Err(format!("was made with a key that record {record} had revoked"))
        }
        Some(_) => Ok(()),
        None => Err("does not fit it".to_owned()),
    }
}

/// Cosignatures with their checkpoints.
const COSIGNED: &str = "SELECT c.size, c.root, c.at, c.note, c.key_name, w.key_name, w.line FROM audit_cosignature w \
                        JOIN audit_checkpoint c ON c.size = w.size";

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
        let newest = format!("{COSIGNED} WHERE w.at >= $1 ORDER BY c.size DESC LIMIT $2");
        let mut bad = Vec::new();
        for row in &tx.fetch(newest, args![since, LOOKED_AT]).await? {
            let (signed, witness, line) = (checkpoint::from_row(row)?, row.text(5)?, row.text(6)?);
            if let Err(wrong) = fits(&keys, &signed, &witness, &line) {
                let size = signed.size;
                let words =
                    format!("the cosignature of {witness} under the checkpoint of size {size} {wrong}");
                bad.push((size, words));
            }
        }
        let of_key = format!("{COSIGNED} WHERE w.at >= $1 AND w.key_name = $3 ORDER BY c.size DESC LIMIT $2");
        let witnesses: BTreeSet<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        let mut names = BTreeSet::new();
        for witness in witnesses {
            let first = first_of(&keys, witness);
            if own.contains(first) || witness.starts_with("watchpost-session/") || names.contains(first) {
                continue;
            }
            for row in &tx.fetch(of_key.clone(), args![since, OF_A_KEY, witness]).await? {
                let (signed, line) = (checkpoint::from_row(row)?, row.text(6)?);
                let is_anothers = first != first_of(&keys, &signed.key_name);
                if is_anothers && fits(&keys, &signed, witness, &line).is_ok() {
                    names.insert(first.to_owned());
                    break;
                }
            }
        }
        Ok(Witnesses { keys: names.into_iter().collect(), bad })
    }
}
