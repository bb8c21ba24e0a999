//! Erasures in an older copy of the database: what was erased after it was made is erased there again, before anybody
//! looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::privacy::{Erasure, Subject, SubjectKind};

use super::erase::Why;
use super::{DONE, OBJECT, hold};
use crate::audit::append::log_id_if_any;
use crate::audit::own_draft;
use crate::engine::args;
use crate::error::StoreError;
use crate::store::Store;

/// An erasure as it is kept for doing it again: the mark tells the name again, and does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptErasure {
    /// Its id.
    pub id: String,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Kind of the name.
    pub kind: SubjectKind,
    /// What tells the name again.
    pub mark: String,
    /// What stands where the name stood.
    pub pseudonym: String,
}

impl KeptErasure {
    pub(super) fn erasure(&self) -> Erasure {
        Erasure {
            id: self.id.clone(),
            at: self.at,
            by: self.by.clone(),
            kind: self.kind,
            pseudonym: self.pseudonym.clone(),
            record: -1,
            counts: Vec::new(),
        }
    }
}

/// What came of doing erasures again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Those that were done.
    pub done: Vec<Erasure>,
    /// How many were not, because a legal hold that is in force here keeps the person.
    pub held: usize,
}

/// Where names stand by themselves. A text after a `/` or `:` is one too: `account/anna`, `user:anna`.
const NAMES: &[&str] = &[
    "SELECT DISTINCT actor FROM event WHERE actor IS NOT NULL",
    "SELECT DISTINCT source_ip FROM event WHERE source_key IS NULL AND source_ip IS NOT NULL",
    "SELECT name FROM audit_name",
    "SELECT DISTINCT entity_value FROM incident",
    "SELECT DISTINCT entity_key FROM incident_entity WHERE kind IN ('user', 'ip')",
    "SELECT DISTINCT entity_key FROM entity_risk WHERE kind IN ('user', 'ip')",
    "SELECT DISTINCT subject FROM register_entry",
    "SELECT DISTINCT value FROM legal_hold",
    "SELECT DISTINCT target FROM block",
    "SELECT DISTINCT target FROM containment",
];
/// The addresses of events, by the index of them.
const ADDRESSES: &str = "SELECT DISTINCT source_key FROM event WHERE source_key IS NOT NULL";

impl Store {
    /// The erasures of this database, as they are kept for doing them again, with the id of its log; empty without one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn erasures_kept(&self) -> Result<(String, Vec<KeptErasure>), StoreError> {
        let mut tx = self.read().await?;
        let log = log_id_if_any(&mut tx).await?.unwrap_or_default();
        let rows = tx
            .fetch("SELECT id, at, done_by, kind, mark, pseudonym FROM erasure ORDER BY at, id", args![])
            .await?;
        let kept = rows.iter().map(|row| {
            Ok::<_, StoreError>(KeptErasure {
                id: row.text(0)?,
                at: row.time(1)?,
                by: row.text(2)?,
                kind: row.parse(3)?,
                mark: row.text(4)?,
                pseudonym: row.text(5)?,
            })
        });
        Ok((log, kept.collect::<Result<_, _>>()?))
    }

    /// Does those of `kept` that this database does not know. Only a legal hold that is in force in it stands against that: a
    /// mark may be of a copy that somebody altered, and what was erased does not come back. Names are looked for where they stand by themselves; one that is only in the middle of a text of an
    /// older copy is not found again.
    ///
    /// # Errors
    /// What the database says; then those before were done.
    pub async fn privacy_replay(&self, kept: &[KeptErasure]) -> Result<Replayed, StoreError> {
        let (log, known) = self.erasures_kept().await?;
        let known: BTreeSet<&str> = known.iter().map(|one| one.id.as_str()).collect();
        let mut missing: BTreeMap<(SubjectKind, String), Vec<&KeptErasure>> = BTreeMap::new();
        for one in kept.iter().filter(|one| !known.contains(one.id.as_str())) {
            missing.entry((one.kind, one.mark.clone())).or_default().push(one);
        }
        let mut replayed = Replayed::default();
        if missing.is_empty() || log.is_empty() {
            return Ok(replayed);
        }
        let kinds: BTreeSet<SubjectKind> = missing.keys().map(|(kind, _)| *kind).collect();
        for subject in self.names_in(&kinds).await? {
            let Some(all) = missing.remove(&(subject.kind, subject.mark(&log))) else { continue };
            if hold::is_held(&mut *self.read().await?, &subject).await? {
                replayed.held += all.len();
                continue;
            }
            for one in all {
                let (erasure, _) =
                    self.erase(&subject, &Why::Again(one), |_| own_draft(DONE, "", one.at)).await?;
                replayed.done.push(erasure);
            }
        }
        // Those of which nothing is here are done as well; else every opening would look for them again.
        for one in missing.into_values().flatten() {
            let mut write = self.write().await?;
            write
                .execute(
                    "INSERT INTO erasure (id, at, done_by, kind, mark, pseudonym, counts) \
                     VALUES ($1, $2, $3, $4, $5, $6, '[]')",
                    args![
                        one.id.as_str(),
                        one.at,
                        one.by.as_str(),
                        one.kind.as_str(),
                        one.mark.as_str(),
                        one.pseudonym.as_str()
                    ],
                )
                .await?;
            let mut draft = own_draft(DONE, "nothing of it was in this copy", self.inner.clock.now());
            draft.object = format!("{OBJECT}{}", one.id);
            write.audit_with_facts(draft, vec![("erasure", one.id.as_str().into())]);
            self.commit(write).await?;
            replayed.done.push(one.erasure());
        }
        Ok(replayed)
    }

    /// Every name of these kinds that stands by itself somewhere, each once.
    async fn names_in(&self, kinds: &BTreeSet<SubjectKind>) -> Result<Vec<Subject>, StoreError> {
        let mut tx = self.read().await?;
        let mut names: BTreeSet<String> = BTreeSet::new();
        for sql in NAMES {
            for row in tx.fetch(*sql, args![]).await? {
                let text = row.text(0)?;
                let tail = text.split_once(['/', ':']).map(|(_, tail)| tail.to_lowercase());
                names.extend(tail);
                names.insert(text.to_lowercase());
            }
        }
        for row in tx.fetch(ADDRESSES, args![]).await? {
            let key = <[u8; 16]>::try_from(row.blob(0)?);
            names.extend(key.map(|key| Ipv6Addr::from(key).to_canonical().to_string()));
        }
        let of = |kind: &SubjectKind| {
            let kind = *kind;
            names.iter().filter_map(move |name| Subject::new(kind, name).ok()).collect::<BTreeSet<_>>()
        };
        Ok(kinds.iter().flat_map(of).collect())
    }
}
