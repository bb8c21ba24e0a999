//! Looking at the log as a witness: does what the database holds now continue what was seen before?
//!
//! A witness remembers the frontier of the tree that it saw. Pushing the hashes of the newer leaves onto it must give
//! the frontier of the head: that is a consistency proof, at the cost of the new leaves only. A log that was emptied,
//! rolled back, or forked before what was seen cannot pass, however well it verifies by itself.

use std::sync::{MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use watchpost_model::audit::LogSeen;

use crate::audit::append::Head;
use crate::audit::keys::LogKey;
use crate::audit::sign::{VerifierKey, note_signers, signed_text};
use crate::audit::tree::{Frontier, Hash};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::pulse::{ReadOnly, read_only};
use crate::store::Store;

/// Hashes read at once.
const PAGE: i64 = 8_192;

/// Records of others that are read under the lock of the head, to see whether they continue what was confirmed.
const OTHERS_MAX: i64 = 512;

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLook {
    /// The log as it is now.
    pub now: LogSeen,
    /// Why it does not continue what was seen; with the number of the first record that is missing or other, as far as
    /// that can be said.
    pub problem: Option<(Option<i64>, String)>,
    /// The server is a standby that has fewer records than were seen: what it lacks may still reach it, so nothing is held
    /// against the log before it takes changes.
    pub lags: bool,
}

/// A checkpoint as it was found outside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNote {
    /// Where, for people.
    pub place: String,
    /// The signed note.
    pub note: String,
}

/// What a note says; nobody has checked who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSays {
    /// Id of the log; `None` for a log of another kind.
    pub log: Option<String>,
    /// Number of leaves.
    pub size: i64,
    /// Root, base64.
    pub root: String,
}

/// Whose a checkpoint from outside the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteSigner {
    /// A key of the log signed it. One that was revoked counts as well: whoever rolled the log back may have revoked it.
    Log,
    /// Only keys sign that the log does not know, the first of this name: nobody here can check that.
    Unknown(String),
    /// Nobody signed it, or a signature by a key of the log does not hold: it was altered.
    Nobody,
}

impl KeptNote {
    /// Who signed it, by the keys of the log.
    #[must_use]
    pub fn signer(&self, keys: &[LogKey]) -> NoteSigner {
        let named = |name: &str, id| {
            let keys = keys.iter().filter(|key| key.name == name);
            keys.filter_map(|key| VerifierKey::parse(&key.vkey)).find(|key| key.is_named(name, id))
        };
        let (mut unknown, mut is_wrong) = (None, false);
        for (name, id) in note_signers(&self.note) {
            match named(name, id) {
                Some(key) if key.open(&self.note).is_some() => return NoteSigner::Log,
                Some(_) => is_wrong = true,
                None => unknown = unknown.or_else(|| Some(name.to_owned())),
            }
        }
        match unknown {
            Some(name) if !is_wrong => NoteSigner::Unknown(name),
            _ => NoteSigner::Nobody,
        }
    }

    /// What it says; `None` if it is no checkpoint.
    #[must_use]
    pub fn says(&self) -> Option<NoteSays> {
        let text = signed_text(&self.note)?;
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_root = STANDARD.decode(root).is_ok_and(|bytes| bytes.len() == 32);
        let size = size.parse().ok().filter(|size| *size >= 0 && is_root)?;
        let log = origin.strip_prefix("watchpost.local/audit/").map(str::to_owned);
        Some(NoteSays { log, size, root: root.to_owned() })
    }
}

impl Store {
    /// Holds the log against what was seen of it, which must have been read before this is called. Without a memory
    /// everything is taken as it is. Cost: the leaves that are new.
    ///
    /// # Errors
    /// `Corrupt` if the memory or the head cannot be read; what the database says.
    pub async fn audit_look(&self, seen: Option<&LogSeen>) -> Result<LogLook, StoreError> {
        let mut tx = self.read().await?;
        let (log, head) = head(&mut tx).await?;
        let now = seen_of(log, &head, self.inner.clock.now());
        let has_fewer =
            seen.is_some_and(|seen| seen.size > now.size && (now.log.is_empty() || seen.log == now.log));
        if has_fewer && read_only(&mut tx).await? == Some(ReadOnly::Standby) {
            return Ok(LogLook { now, problem: None, lags: true });
        }
        let problem = match seen {
            Some(seen) if seen.size > 0 => compare(&mut tx, seen, &now, &head).await?,
            _ => None,
        };
        Ok(LogLook { now, problem, lags: false })
    }

    /// The greatest state of the log that the database confirmed to this process with a record of its own.
    #[must_use]
    pub fn audit_confirmed(&self) -> Option<LogSeen> {
        self.confirmed().clone()
    }

    /// Forgets it where it is no later than what somebody made sure of: by a look, or by taking the log as it is.
    pub fn audit_made_sure(&self, size: i64) {
        let mut confirmed = self.confirmed();
        if confirmed.as_ref().is_some_and(|known| known.size <= size) {
            *confirmed = None;
        }
    }

    /// What the log has to continue from now on before it confirms anything more: another file or server in its place
    /// confirms nothing about this log. `None` takes the log as it is.
    pub fn audit_expect(&self, seen: Option<LogSeen>) {
        *self.expected() = seen;
    }

    /// Did all that was confirmed to this process have to continue just `seen`?
    #[must_use]
    pub fn audit_expects(&self, seen: &LogSeen) -> bool {
        let is_it =
            |known: &LogSeen| (&known.log, known.size, &known.root) == (&seen.log, seen.size, &seen.root);
        self.expected().as_ref().is_some_and(is_it)
    }

    /// The log after records of this process, if what they were added to continues what was confirmed to it before, or else
    /// what is expected of it. If it does not, what was confirmed stays until a look holds it against the log: another server
    /// may have taken the place of the one that confirmed it.
    pub(crate) async fn audit_follows(
        &self,
        tx: &mut Tx,
        before: &Frontier,
        head: &Head,
    ) -> Result<Option<LogSeen>, StoreError> {
        let known = self.audit_confirmed();
        let known = known.or_else(|| self.expected().clone());
        if let Some(known) = known {
            let others = before.size().cast_signed() - known.size;
            if known.log != head.log_id || !(0..=OTHERS_MAX).contains(&others) {
                return Ok(None);
            }
            // It may be of a memory that was altered: that is told by a look, and no change fails for it.
            let Ok(mut tree) = Frontier::from_hex(known.size, &known.frontier) else { return Ok(None) };
            if extend(tx, &mut tree, known.size + others).await?.is_some() || tree != *before {
                return Ok(None);
            }
        }
        Ok(Some(seen_of(head.log_id.clone(), &head.frontier, self.inner.clock.now())))
    }

    /// Remembers what was committed. Of two that end at once the later one stays.
    pub(crate) fn audit_confirm(&self, seen: LogSeen) {
        let mut confirmed = self.confirmed();
        if confirmed.as_ref().is_none_or(|known| known.log == seen.log && known.size < seen.size) {
            *confirmed = Some(seen);
        }
    }

    fn confirmed(&self) -> MutexGuard<'_, Option<LogSeen>> {
        self.inner.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expected(&self) -> MutexGuard<'_, Option<LogSeen>> {
        self.inner.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The roots that the log had at `sizes`, in ascending order of size; `None` where it has not so many records, or
    /// not all of them. Cost: every leaf up to the greatest size.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_roots(&self, sizes: &[i64]) -> Result<Vec<(i64, Option<String>)>, StoreError> {
        let mut sizes: Vec<i64> = sizes.to_vec();
        sizes.sort_unstable();
        sizes.dedup();
        let mut tx = self.read().await?;
        let mut tree = Frontier::default();
        let mut roots = Vec::with_capacity(sizes.len());
        for size in sizes {
            let whole = extend(&mut tx, &mut tree, size).await?.is_none();
            roots.push((size, whole.then(|| STANDARD.encode(tree.root()))));
        }
        Ok(roots)
    }
}

/// Id and tree of the log; empty before its first record.
pub(crate) async fn head(tx: &mut Tx) -> Result<(String, Frontier), StoreError> {
    let row =
        tx.fetch_optional("SELECT log_id, size, frontier FROM audit_head WHERE id = 1", args![]).await?;
    match row {
        Some(row) => Ok((row.text(0)?, Frontier::from_bytes(row.i64(1)?, &row.blob(2)?)?)),
        None => Ok((String::new(), Frontier::default())),
    }
}

pub(crate) fn seen_of(log: String, tree: &Frontier, at: DateTime<Utc>) -> LogSeen {
    LogSeen {
        log,
        size: tree.size().cast_signed(),
        root: STANDARD.encode(tree.root()),
        frontier: tree.to_hex(),
        at,
    }
}

async fn compare(
    tx: &mut Tx,
    seen: &LogSeen,
    now: &LogSeen,
    head: &Frontier,
) -> Result<Option<(Option<i64>, String)>, StoreError> {
    let before =
        format!("this console saw {} records on {}", seen.size, seen.at.format("%Y-%m-%d %H:%M:%S UTC"));
    if now.log.is_empty() {
        return Ok(Some((Some(0), format!("the log was emptied: {before}, and now there is none"))));
    }
    if now.log != seen.log {
        return Ok(Some((
            Some(0),
            format!(
                "the log was replaced by another one: {before} of the log {}, and now there are {} of the log {}",
                seen.log, now.size, now.log
            ),
        )));
    }
    if now.size < seen.size {
        return Ok(Some((
            Some(now.size),
            format!("the log was rolled back: {before}, and now there are {}", now.size),
        )));
    }
    let mut tree = Frontier::from_hex(seen.size, &seen.frontier)?;
    if let Some(missing) = extend(tx, &mut tree, now.size).await? {
        return Ok(Some((
            Some(missing),
            format!("record {missing} is missing: {before}, and the head says {}", now.size),
        )));
    }
    if tree == *head {
        return Ok(None);
    }
    // Which part was rewritten cannot be told from the trees alone; that it is before this can.
    Ok(Some((
        None,
        format!(
            "the log was rewritten somewhere before record {}: {before}, and the {} of now do not continue them",
            seen.size, now.size
        ),
    )))
}

/// Adds the leaves up to `size` to `tree`; the number of the first one that is not there, if one is not.
pub(crate) async fn extend(tx: &mut Tx, tree: &mut Frontier, size: i64) -> Result<Option<i64>, StoreError> {
    loop {
        let next = tree.size().cast_signed();
        if next >= size {
            return Ok(None);
        }
        let rows = tx
            .fetch(
                "SELECT seq, hash FROM audit_leaf WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
                args![next, size, PAGE],
            )
            .await?;
        if rows.is_empty() {
            return Ok(Some(next));
        }
        for row in rows {
            let expected = tree.size().cast_signed();
            let hash: Result<Hash, _> = row.blob(1)?.as_slice().try_into();
            match hash {
                Ok(hash) if row.i64(0)? == expected => tree.push(hash),
                _ => return Ok(Some(expected)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{KeptNote, NoteSigner};
    use crate::audit::keys::LogKey;
    use crate::audit::sign::Signer;

    #[test]
    fn a_checkpoint_is_whose_key_signed_it() {
        let signer = |seed: u8, name: &str| Signer::from_seed(&[seed; 32], name).unwrap();
        let (own, other) = (signer(1, "watchpost/desk"), signer(2, "watchpost/other"));
        let keys = [LogKey {
            seq: 0,
            added_at: None,
            name: own.name().to_owned(),
            vkey: own.vkey(),
            pem: String::new(),
            after: None,
            revoked: Some(3),
        }];
        let whose = |note: &str| KeptNote { place: String::new(), note: note.to_owned() }.signer(&keys);
        let root = STANDARD.encode([0; 32]);
        let text = format!("watchpost.local/audit/abc\n7\n{root}\n");
        let good = own.sign_note(&text);
        assert_eq!(whose(&good), NoteSigner::Log);
        assert_eq!(whose(&good.replace("\n7\n", "\n9999\n")), NoteSigner::Nobody, "altered");
        assert_eq!(whose(&format!("{text}\n")), NoteSigner::Nobody, "stripped");
        assert_eq!(
            whose(&format!("{text}\n\u{2014} watchpost/other AAAA\n")),
            NoteSigner::Nobody,
            "no signature"
        );
        let strange = other.sign_note(&text);
        assert_eq!(whose(&strange), NoteSigner::Unknown("watchpost/other".to_owned()));
        let newer = signer(3, "watchpost/desk").sign_note(&text);
        assert_eq!(
            whose(&newer),
            NoteSigner::Unknown("watchpost/desk".to_owned()),
            "another key of the name"
        );
        let line = strange.lines().last().unwrap();
        assert_eq!(whose(&format!("{good}{line}\n")), NoteSigner::Log, "beside another one");
        let both = format!("{good}{line}\n").replace("\n7\n", "\n9999\n");
        assert_eq!(whose(&both), NoteSigner::Nobody);
    }

    #[test]
    fn only_a_checkpoint_is_read() {
        let root = STANDARD.encode([0; 32]);
        let note = |text: &str| KeptNote { place: String::new(), note: text.to_owned() }.says();
        let good = format!("watchpost.local/audit/abc\n7\n{root}\n\n\u{2014} key AAAA\n");
        let says = note(&good).unwrap();
        assert_eq!((says.log.as_deref(), says.size, says.root.as_str()), (Some("abc"), 7, root.as_str()));
        for bad in ["", "a\n7\nroot\n\n", "watchpost.local/audit/abc\n-1\nAA==\n\n", "no note"] {
            assert_eq!(note(bad), None, "{bad:?}");
        }
        assert_eq!(note(&good.replace("watchpost.local/audit/", "go.sum/")).unwrap().log, None);
    }
}
