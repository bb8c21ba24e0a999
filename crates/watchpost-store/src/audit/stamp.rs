//! Time stamps of checkpoints (RFC 3161): an authority that is nobody's here signed that it saw the hash of a checkpoint.
//!
//! The request and its answer go by file: somebody carries them. Only what an answer says is read here; whether the
//! authority signed it is for `openssl ts -verify`, which knows certificates. The request is a function of checkpoint and
//! nonce, and the answer repeats the nonce, so nothing is remembered between the two.

mod der;

use sha2::{Digest, Sha256};
use watchpost_model::audit::{AuditDraft, AuditStamp, Checkpoint};

use crate::audit::checkpoint;
use crate::audit::stamp::der::{Answer, answer, request};
use crate::audit::tree::Hash;
use crate::engine::{Tx, args, micros};
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// The longest answer that is read: certificates are in it.
const BYTES_MAX: usize = 256 * 1024;

/// Among so many the newest one that fits is looked for; a check looks at all.
const NEWEST: i64 = 10;

/// A time stamp with all that an outsider needs to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStamp {
    /// What it says.
    pub stamp: AuditStamp,
    /// The signed note of the checkpoint: its SHA-256 is what was stamped.
    pub note: String,
    /// The request, DER.
    pub request: Vec<u8>,
    /// The answer, DER.
    pub response: Vec<u8>,
}

/// A request for a time stamp of a signed note: DER, with a random number.
#[must_use]
pub fn stamp_request(note: &str) -> Vec<u8> {
    let mut nonce: [u8; 8] = rand::random();
    // A positive number that needs all of its bytes has one form in DER.
    nonce[0] = (nonce[0] & 0x3f) | 0x40;
    request(&digest(note), &nonce)
}

fn digest(note: &str) -> Hash {
    Sha256::digest(note.as_bytes()).into()
}

fn read(response: &[u8]) -> Result<Answer, StoreError> {
    if response.len() > BYTES_MAX {
        return Err(StoreError::Validation(format!("an answer of {} bytes is too long", response.len())));
    }
    answer(response).map_err(|why| StoreError::Validation(format!("this time stamp is not kept: {why}")))
}

/// The checkpoint with this digest, newest first.
async fn stamped(tx: &mut Tx, wanted: &Hash) -> Result<Option<Checkpoint>, StoreError> {
    let mut below = i64::MAX;
    loop {
        let sql = "SELECT size, root, at, note, key_name FROM audit_checkpoint WHERE size < $1 \
                   ORDER BY size DESC LIMIT 1000";
        let rows = tx.fetch(sql, args![below]).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        below = last.i64(0)?;
        for row in &rows {
            let found = checkpoint::from_row(row)?;
            if digest(&found.note) == *wanted {
                return Ok(Some(found));
            }
        }
    }
}

/// The time stamps of at most `size` records, those of the greatest checkpoint first, of one checkpoint the one that was
/// kept first before those that came later, at most `limit`; `Err` says what does not fit, with the size of
/// the checkpoint that it is about.
async fn kept(
    tx: &mut Tx,
    size: i64,
    limit: i64,
) -> Result<Vec<Result<KeptStamp, (i64, String)>>, StoreError> {
    let sql = "SELECT s.size, s.at, s.request, s.response, c.note FROM audit_timestamp s \
               LEFT JOIN audit_checkpoint c ON c.size = s.size WHERE s.size <= $1 \
               ORDER BY s.size DESC, s.at, s.sha256 LIMIT $2";
    let mut found = Vec::new();
    for row in tx.fetch(sql, args![size, limit]).await? {
        let (size, kept_at) = (row.i64(0)?, row.time(1)?);
        let (asked, response, note) = (row.blob(2)?, row.blob(3)?, row.opt_text(4)?);
        let fits = note.zip(answer(&response).ok()).filter(|(note, answer)| {
            let nonce = answer.nonce.as_deref().unwrap_or_default();
            answer.digest == digest(note) && asked == request(&answer.digest, nonce)
        });
        found.push(match fits {
            Some((note, Answer { at, authority, .. })) => {
                let stamp = AuditStamp { size, at, authority, kept_at };
                Ok(KeptStamp { stamp, note, request: asked, response })
            }
            None => Err((size, format!("the time stamp of the checkpoint of size {size} does not fit it"))),
        });
    }
    Ok(found)
}

/// The time stamps that do not fit their checkpoints, each with the size that it is about.
pub(crate) async fn bad(tx: &mut Tx) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(kept(tx, i64::MAX, i64::MAX).await?.into_iter().filter_map(Result::err).collect())
}

/// The time stamp of the greatest checkpoint of at most `size` records; it fits.
pub(crate) async fn newest(tx: &mut Tx, size: i64) -> Result<Option<KeptStamp>, StoreError> {
    Ok(kept(tx, size, NEWEST).await?.into_iter().flatten().next())
}

impl Store {
    /// Keeps the answer of a time stamp authority with the checkpoint that it is about, and records that.
    ///
    /// # Errors
    /// `Validation` if it is no answer, a refusal, or without the number of a request; `NotFound` if it is about no
    /// checkpoint of this log; `Conflict` if it is kept already, or another form of it is; what the database says.
    pub async fn audit_stamp_keep(
        &self,
        response: &[u8],
        draft: impl FnOnce(&AuditStamp) -> AuditDraft,
    ) -> Result<AuditStamp, StoreError> {
        let Answer { digest, serial, at, nonce, authority } = read(response)?;
        let nonce = nonce.ok_or_else(|| {
            StoreError::Validation("this time stamp is not kept: it has no number of a request".to_owned())
        })?;
        let found = stamped(&mut *self.read().await?, &digest).await?;
        let checkpoint = found.ok_or_else(|| {
            StoreError::NotFound("a checkpoint of this log that this time stamp is about".to_owned())
        })?;
        self.audit_key_of(&checkpoint).await?;
        let kept_at = micros(self.inner.clock.now().timestamp_micros())?;
        let stamp = AuditStamp { size: checkpoint.size, at, authority, kept_at };
        let mut write = self.write().await?;
        write.touch(Tag::Audit);
        // Nobody checks here who signed an answer: one that says what a kept one says is that one, or a broken form of it.
        let sql = "SELECT response FROM audit_timestamp WHERE size = $1";
        for row in write.fetch(sql, args![stamp.size]).await? {
            let is_same = answer(&row.blob(0)?).is_ok_and(|kept| {
                kept.serial == serial && kept.at == stamp.at && kept.authority == stamp.authority
            });
            if is_same {
                return Err(StoreError::Conflict("a time stamp with this number is kept already".to_owned()));
            }
        }
        let rows = write
            .execute(
                "INSERT INTO audit_timestamp (size, sha256, at, request, response) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (size, sha256) DO NOTHING",
                args![
                    stamp.size,
                    hex::encode(Sha256::digest(response)),
                    stamp.kept_at,
                    request(&digest, &nonce),
                    response
                ],
            )
            .await?;
        if rows == 0 {
            return Err(StoreError::Conflict("this time stamp is kept already".to_owned()));
        }
        write.audit(draft(&stamp));
        self.commit(write).await?;
        Ok(stamp)
    }

    /// The time stamp of the greatest checkpoint of at most `size` records, if one is kept that fits it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_stamp(&self, size: i64) -> Result<Option<KeptStamp>, StoreError> {
        newest(&mut *self.read().await?, size).await
    }

    /// The time stamps of the greatest checkpoints of at most `size` records that fit them, for an export: some, for an
    /// answer that nobody signed is found by openssl only, and then another one may be good.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_stamps(&self, size: i64) -> Result<Vec<KeptStamp>, StoreError> {
        Ok(kept(&mut *self.read().await?, size, NEWEST).await?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchpost_model::access::{Caller, Origin, Role};
    use watchpost_model::audit::AuditVerification;
    use watchpost_model::clock::SystemClock;

    use super::der::tests::{ABC, INFO, around};
    use super::digest;
    use crate::audit::own_draft;
    use crate::audit::sign::Signer;
    use crate::audit::verify::VerifyPlan;
    use crate::engine::args;
    use crate::store::Store;
    use crate::target::DatabaseTarget;

    async fn verify(store: &Store) -> AuditVerification {
        let caller =
            Caller { name: "auditor".into(), role: Role::Auditor, origin: Origin::Cli, host: "test".into() };
        store.audit_verify(&caller, VerifyPlan::default(), &|_, _| true).await.unwrap()
    }

    #[tokio::test]
    async fn a_stamp_that_was_altered_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
        let store = Store::open(&target, Arc::new(SystemClock)).await.unwrap();
        store.set_signer(Signer::session()).await.unwrap();
        let draft = || own_draft("audit_timestamp_keep", "test", chrono::DateTime::UNIX_EPOCH);
        store.audit_append(draft()).await.unwrap();
        let signed = store.checkpoint_now("test").await.unwrap();
        let answer = |note: &str| {
            let info = INFO.replace(ABC, &hex::encode(digest(note)));
            around(0, &hex::decode(info).unwrap())
        };
        let stamp = store.audit_stamp_keep(&answer(&signed.note), |_| draft()).await.unwrap();
        assert_eq!((stamp.size, stamp.authority.as_deref()), (signed.size, Some("Test TSA")));
        let good = verify(&store).await;
        assert!(good.ok, "{:?}", good.problems);
        assert_eq!(good.stamp.as_ref(), Some(&stamp));
        assert_eq!(store.audit_stamp(signed.size - 1).await.unwrap(), None, "of a greater checkpoint");

        for (column, value) in [
            ("response", answer("another note")),
            ("request", b"nothing".to_vec()),
            ("response", b"nothing".to_vec()),
        ] {
            let sql = format!("UPDATE audit_timestamp SET {column} = $1");
            let mut write = store.write().await.unwrap();
            write.execute(sql, args![value]).await.unwrap();
            store.commit(write).await.unwrap();
            let found = verify(&store).await;
            assert_eq!((found.ok, found.first_bad_seq), (false, Some(signed.size)), "{:?}", found.problems);
            assert_eq!(found.first_bad_tile.as_deref(), Some("tile/0/000"));
            assert_eq!(found.stamp, None, "what does not fit is told as nothing else");
        }
        store.close().await;
    }
}
