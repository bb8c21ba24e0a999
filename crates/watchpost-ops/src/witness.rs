//! This console as a witness: it remembers, outside the database, the log that it saw, and signs for no log that does
//! not continue it.
//!
//! The memory is a file for each log, by the log's own id: a copy of it elsewhere, behind this connection or another one,
//! is held against the same memory. A second file for each connection and address says which log was there last, so that
//! another log in its place is found out. The memory only grows, except when a person says why the log is right as it is
//! ([`Witness::accept`]). What it held against the log then stays in the file.

mod folder;
mod memories;
mod places;
mod told;
mod webhook;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::audit::{AuditVerification, EvidenceStrength, LogSeen, LogVerified};
use watchpost_model::connection::Connection;
use watchpost_store::{LogLook, Signer, Store, StoreError};

use crate::contract::{AuditPlace, AuditPlaces};
use crate::error::OpError;
use crate::paths::Paths;
use crate::setting;

pub(crate) use folder::is_folder;
pub(crate) use places::PLACES;
pub(crate) use places::redis_is_place;
pub(crate) use webhook::{authorities, checked as checked_webhook};

/// A cosignature says something about now for so many days.
const WITNESSED_DAYS: i64 = 7;
/// Times that a person took a log as it was; older ones are forgotten.
const ACCEPTED_MAX: usize = 50;

/// The setting of how long a key signs before a word is said.
pub(crate) const KEY_AGE: &str = "audit_key_age";

/// How long a key signs before a word is said: what is stolen with it reaches back as far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyAge {
    /// Days; 0 says it never.
    pub(crate) days: u32,
}

impl Default for KeyAge {
    fn default() -> Self {
        Self { days: 365 }
    }
}

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    /// Since when this log is watched.
    since: Option<DateTime<Utc>>,
    /// The greatest state that was seen.
    seen: Option<LogSeen>,
    /// What the database confirmed after that, and no look could make sure of.
    #[serde(default)]
    confirmed: Option<LogSeen>,
    /// What the last good check found.
    #[serde(default)]
    verified: Option<LogVerified>,
    /// What the last check found; gone after a good one that read everything, or after a person took the log as it is.
    #[serde(default)]
    failed: Option<Failed>,
    /// Where checkpoints were kept, for the day on which the database does not know any more.
    #[serde(default)]
    places: AuditPlaces,
    /// What the webhook took last.
    #[serde(default)]
    receipt: Option<webhook::Receipt>,
    /// What the webhook did not take, until it takes something: every process of this account says so.
    #[serde(default)]
    undelivered: Option<webhook::Undelivered>,
    /// Names of the kept keys with which this console signs or signed: they witness nothing to it.
    #[serde(default)]
    keys: Vec<String>,
    /// What was held against the log when a person took it as it was.
    #[serde(default)]
    accepted: Vec<Accepted>,
}

/// A check that found something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) at: DateTime<Utc>,
    /// First record that does not hold.
    pub(crate) first_bad_seq: Option<i64>,
    problem: String,
    /// The log fits together, and not to what an earlier check saw: no later check finds that out, so it stays.
    #[serde(default)]
    stays: bool,
}

impl Failed {
    /// For people.
    pub(crate) fn told(&self) -> String {
        let until = if self.stays {
            "The log is not the one of an earlier check, or the memory of this console was altered: this stays until \
             `watchpost audit accept` says why the log is right"
        } else {
            "Each `watchpost audit verify` reads everything until one finds nothing"
        };
        let at = self.at.format("%Y-%m-%d %H:%M:%S UTC");
        format!("the check of {at} found: {}. {until}", self.problem)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Accepted {
    at: DateTime<Utc>,
    by: String,
    reason: String,
    problem: String,
    seen: Option<LogSeen>,
}

/// What is known at the moment; nothing of it is ever waited for.
#[derive(Default)]
struct State {
    /// Id of the log whose memory is in use: the one that was here last, or the one that is here.
    log: String,
    /// The memories of before were moved over.
    moved: bool,
    problem: Option<(Option<i64>, String)>,
    memory: Memory,
    places: Vec<AuditPlace>,
    /// The server is a standby that lacks what was seen, by the last look.
    lags: bool,
    /// What is in a place of this log and is no checkpoint of it, by the last look.
    altered: Vec<String>,
    /// The log did not fit what is remembered at the last look.
    doubted: bool,
    /// A place held something against the log at the last look.
    against: bool,
    /// The webhook did not take what this process sent last.
    refused_here: bool,
    /// The console ends: what failed just now is not waited for once more.
    closing: bool,
    told: bool,
    /// Why the key could not be made known to the log at the last try; it is tried again with each look.
    held: Option<OpError>,
    /// How far the tree was walked for cosigning, in this process.
    walked: Option<LogSeen>,
    witnesses: u32,
    /// Since when the log knows the key of this console.
    key_since: Option<DateTime<Utc>>,
    /// After how many days of that a word is said, by the last look.
    key_age: KeyAge,
    /// Erasures that were not done again when the database was opened, because legal holds keep the people.
    erasures_held: usize,
}

/// What this console knows of the log of one connection.
pub(crate) struct Witness {
    /// Where the memories are.
    folder: PathBuf,
    /// Which log was here last.
    here: PathBuf,
    /// SHA-256 of the address of the database.
    address: String,
    /// The key of this console; it signs only while nothing is held against the log.
    signer: RwLock<Option<Signer>>,
    state: Mutex<State>,
    /// One look at log and places at a time: what one read before another set things right must not doubt it afterwards.
    turn: tokio::sync::Mutex<()>,
}

impl Witness {
    pub(crate) fn new(paths: &Paths, connection: &Connection, signer: Option<Signer>) -> Self {
        let address = memories::address_digest(&connection.database);
        let name = format!("{}-{}.json", connection.id, &address[..8]);
        Self {
            folder: paths.witness(),
            here: paths.witness().join(name),
            address,
            signer: RwLock::new(signer),
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Waits until nobody else looks; held for as long as one does.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the log and remembers what grew. True if the answer is another one than before.
    ///
    /// # Errors
    /// What the database says. A log that does not fit is no error: see [`Self::problem`].
    pub(crate) async fn look(&self, store: &Store) -> Result<bool, OpError> {
        // Read before the database is: what is written after this is newer than what is remembered.
        let found = match self.recall(store).await? {
            Err(problem) => Err((Some(0), problem)),
            Ok(memory) => {
                let confirmed = self.confirmed(store, &memory);
                match compared(store, memory.seen.as_ref(), &confirmed).await {
                    Ok((look, _)) if look.lags => {
                        self.keep(&memory, &confirmed)?;
                        let mut state = self.state();
                        (state.memory, state.lags) = (memory, true);
                        return Ok(false);
                    }
                    Ok((look, continues_seen)) => {
                        self.state().lags = false;
                        if let Some(problem) = look.problem {
                            self.hold(store, memory, confirmed, continues_seen)?;
                            Err(problem)
                        } else {
                            let sure = confirmed.last().or(memory.seen.as_ref());
                            store.audit_made_sure(sure.map_or(0, |sure| sure.size));
                            // Any log may begin.
                            store.audit_expect(Some(look.now.clone()).filter(|now| now.size > 0));
                            Ok((memory, look.now))
                        }
                    }
                    Err(StoreError::Corrupt(what)) => {
                        Err((Some(0), format!("the head of the log cannot be read: {what}")))
                    }
                    Err(other) => {
                        // It may be gone for good, and this process end before another server is in its place.
                        self.keep(&memory, &confirmed)?;
                        return Err(other.into());
                    }
                }
            }
        };
        let before = self.problem();
        self.state().doubted = found.is_err();
        match found {
            Err(problem) => self.doubt(store, problem),
            Ok((memory, now)) => {
                self.grow(memory, &now)?;
                // What a place held against the log is taken back by looking at the places only.
                let mut state = self.state();
                if !state.against {
                    state.problem = None;
                }
            }
        }
        self.withhold_if_doubted(store);
        Ok(self.problem() != before)
    }

    /// What the database confirmed beyond what was seen, to this process or to one that ended before it could look: a server
    /// that took the place of another one may lack it. The greatest is the last.
    fn confirmed(&self, store: &Store, memory: &Memory) -> Vec<LogSeen> {
        let mut own = store.audit_confirmed();
        // A person took the log as it is since then, perhaps in another process of this account.
        let is_accepted = own
            .as_ref()
            .zip(memory.accepted.last())
            .is_some_and(|(confirmed, accepted)| accepted.at >= confirmed.at);
        if is_accepted && let Some(confirmed) = own.take() {
            store.audit_made_sure(confirmed.size);
        }
        let log = self.state().log.clone();
        let is_more = |confirmed: &LogSeen| {
            confirmed.log == log && memory.seen.as_ref().is_none_or(|seen| seen.size < confirmed.size)
        };
        let mut all: Vec<LogSeen> = own.into_iter().chain(memory.confirmed.clone()).filter(is_more).collect();
        all.sort_by_key(|confirmed| confirmed.size);
        all
    }

    /// Keeps what was confirmed by the log that this console knows, and not what the log confirmed that is here instead: that is
    /// no memory, and would be held against the true log when it is back.
    fn hold(
        &self,
        store: &Store,
        memory: Memory,
        mut confirmed: Vec<LogSeen>,
        continues_seen: bool,
    ) -> Result<(), OpError> {
        let is_of_log = continues_seen || memory.seen.as_ref().is_some_and(|seen| store.audit_expects(seen));
        if !is_of_log {
            confirmed.retain(|known| memory.confirmed.as_ref() == Some(known));
            store.audit_made_sure(i64::MAX);
        }
        // Also when it was just opened: the places and what a webhook took are known all the same.
        self.state().memory = memory.clone();
        self.keep(&memory, &confirmed)?;
        store.audit_expect(confirmed.pop().or(memory.seen));
        Ok(())
    }

    /// Keeps what was confirmed and cannot be made sure of now. What is kept already stays: it may be of before the server was
    /// another one.
    fn keep(&self, memory: &Memory, confirmed: &[LogSeen]) -> Result<(), OpError> {
        let is_kept = memory.confirmed.as_ref().is_some_and(|kept| confirmed.contains(kept));
        match confirmed.last() {
            Some(newest) if !is_kept => self.change(|memory| memory.confirmed = Some(newest.clone())),
            _ => Ok(()),
        }
    }

    /// Signs nothing more while something is held against the log.
    pub(crate) fn withhold_if_doubted(&self, store: &Store) {
        if self.problem().is_some() {
            store.withhold_signer();
        }
    }

    /// Lets the key sign, if nothing is held against the log.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn let_sign(&self, store: &Store) -> Result<(), OpError> {
        let mut why = None;
        if self.problem().is_none()
            && let Some(signer) = self.own_signer()
            && !store.signs()
        {
            match store.set_signer(signer).await {
                // Somebody revoked it: this console goes on without a key, and says so.
                Err(StoreError::Precondition(why)) => {
                    tracing::error!(why, "this console signs nothing");
                    *self.signer.write().unwrap_or_else(PoisonError::into_inner) = None;
                }
                // Whoever only reads need not wait for the log, nor for a standby; the next look tries again.
                Err(held @ (StoreError::Held(_) | StoreError::NoStandby(_))) => {
                    tracing::warn!(%held, "this console signs nothing for now");
                    why = Some(OpError::from(held));
                }
                // The status says it, and whatever is refused.
                Err(StoreError::ReadOnly(_)) => {
                    tracing::debug!("this console signs nothing for now: the server takes no changes");
                }
                result => result?,
            }
        }
        self.state().held = why;
        Ok(())
    }

    /// Why this console signs nothing for now, though it has a key and nothing is held against the log.
    pub(crate) fn held(&self) -> Option<OpError> {
        self.state().held.clone()
    }

    /// Notes since when the key signs, and how long it may.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn look_at_key(&self, store: &Store) -> Result<(), OpError> {
        let since = store.signer_since().await?;
        let age = setting::read::<KeyAge>(store, KEY_AGE).await?.value;
        let mut state = self.state();
        (state.key_since, state.key_age) = (since, age);
        Ok(())
    }

    /// After how many days a word is said of the key, by the last look; 0 is never.
    pub(crate) fn key_days(&self) -> u32 {
        self.state().key_age.days
    }

    fn own_signer(&self) -> Option<Signer> {
        self.signer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Signs with this key from now on.
    pub(crate) fn signs_with(&self, signer: Signer) {
        *self.signer.write().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }

    /// Is the key of this console one of its session? `None` without a key.
    pub(crate) fn signs_for_session(&self) -> Option<bool> {
        self.own_signer().map(|signer| signer.is_session())
    }

    /// Signs for a checkpoint of another console, and counts who signed lately for what they saw.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn attest(
        &self,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<Vec<(i64, String)>, OpError> {
        if self.problem().is_none() {
            self.remember_key()?;
            let walked = self.state().walked.clone();
            match store.audit_cosign(walked.as_ref()).await {
                Ok(Some(walked)) => self.state().walked = Some(walked),
                // A server that takes no changes is looked at all the same; the next look tries again.
                Ok(None) | Err(StoreError::ReadOnly(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut own = self.state().memory.keys.clone();
        own.extend(self.own_signer().map(|signer| signer.name().to_owned()));
        let found = store.audit_witnesses(now - chrono::Duration::days(WITNESSED_DAYS), &own).await?;
        self.state().witnesses = u32::try_from(found.keys.len()).unwrap_or(u32::MAX);
        Ok(found.bad)
    }

    /// Remembers the kept key of this console, for the day on which it has another one, or none for a while.
    fn remember_key(&self) -> Result<(), OpError> {
        let Some(signer) = self.own_signer().filter(|signer| !signer.is_session()) else { return Ok(()) };
        let is_known = {
            let state = self.state();
            // Of a log without a record nothing is remembered.
            state.memory.seen.is_none() || state.memory.keys.iter().any(|key| key == signer.name())
        };
        if is_known {
            return Ok(());
        }
        self.change(|memory| {
            if !memory.keys.iter().any(|key| key == signer.name()) {
                memory.keys.push(signer.name().to_owned());
            }
        })
    }

    /// How many other consoles signed lately, by the last look.
    pub(crate) fn witnesses(&self) -> u32 {
        self.state().witnesses
    }

    /// Holds something against the log: nothing is signed any more.
    fn doubt(&self, store: &Store, problem: (Option<i64>, String)) {
        store.withhold_signer();
        let mut state = self.state();
        if !state.told {
            tracing::error!(problem = problem.1, "the audit trail does not continue what this console saw");
        }
        state.told = true;
        state.problem = Some(problem);
    }

    /// What is in a place of this log and is no checkpoint of it, by the last look.
    pub(crate) fn altered(&self) -> Vec<String> {
        self.state().altered.clone()
    }

    /// What is held against the log, with the first record that it is about, if that can be told.
    pub(crate) fn problem(&self) -> Option<(Option<i64>, String)> {
        let state = self.state();
        let stays = state.memory.failed.as_ref().filter(|failed| failed.stays);
        let stays = stays.map(|failed| (failed.first_bad_seq, failed.told()));
        state.problem.clone().or(stays)
    }

    /// So many erasures were not done again when the database was opened.
    pub(crate) fn erasures_held(&self, n: usize) {
        self.state().erasures_held = n;
    }

    /// The console ends: a webhook that just failed is not tried once more.
    pub(crate) fn closes(&self) {
        self.state().closing = true;
    }

    /// What the last good check found.
    pub(crate) fn verified(&self) -> Option<LogVerified> {
        self.state().memory.verified.clone()
    }

    /// What the last check found, until a good one has read everything.
    pub(crate) fn failed(&self) -> Option<Failed> {
        self.state().memory.failed.clone()
    }

    /// Since when the log is watched.
    pub(crate) fn since(&self) -> Option<DateTime<Utc>> {
        self.state().memory.since
    }

    /// Name of the key with which this console signs, unless it is withheld.
    pub(crate) fn signer(&self) -> Option<String> {
        let signer = self.own_signer().filter(|_| self.problem().is_none());
        signer.map(|signer| signer.name().to_owned())
    }

    /// Remembers what a check came to. After one that found something nothing counts as checked, also by one that went on from
    /// before, until a good one has read everything. What does not fit an earlier check stays. That a place was altered says
    /// nothing about the log, and each look tells it anew.
    pub(crate) fn checked(&self, result: &AuditVerification, at: DateTime<Utc>) -> Result<(), OpError> {
        let stays = |memory: &Memory| memory.failed.as_ref().is_some_and(|failed| failed.stays);
        self.change(|memory| match &result.verified {
            _ if stays(memory) => {}
            Some(_) if result.from > 0 && memory.failed.is_some() => {}
            Some(verified) => (memory.verified, memory.failed) = (Some(verified.clone()), None),
            None if result.only_places_altered() => {}
            None => {
                let problem = result.problems.first().cloned().unwrap_or_default();
                memory.verified = None;
                let (first_bad_seq, stays) = (result.first_bad_seq, result.from > 0);
                memory.failed = Some(Failed { at, first_bad_seq, problem, stays });
            }
        })
    }

    /// Takes the log as it is from now on.
    pub(crate) fn accept(&self, now: &LogSeen, by: &str, reason: &str) -> Result<(), OpError> {
        let problem = self.problem().map(|(_, problem)| problem).unwrap_or_default();
        let before = self.read().unwrap_or_default();
        let accepted = Accepted {
            at: now.at,
            by: by.to_owned(),
            reason: reason.to_owned(),
            problem,
            seen: before.seen.clone(),
        };
        let places = self.state().memory.places.clone();
        // What was here before stays remembered, for the day on which it comes back.
        self.state().log.clone_from(&now.log);
        self.set_damaged_aside(now.at);
        self.change(|memory| {
            memory.accepted.push(accepted);
            let n = memory.accepted.len();
            memory.accepted.drain(..n.saturating_sub(ACCEPTED_MAX));
            memory.since = Some(now.at);
            memory.seen = Some(now.clone());
            memory.confirmed = None;
            // Everything is read again.
            (memory.verified, memory.failed) = (None, None);
            memory.places = places;
            // The webhook is told again from here on.
            (memory.receipt, memory.undelivered) = (None, None);
        })?;
        self.is_taken_here(&now.log)?;
        let mut state = self.state();
        (state.problem, state.told) = (None, false);
        Ok(())
    }

    /// How strong the evidence is, by the places as they were found last: one that lacks the newest checkpoint is no
    /// second place.
    pub(crate) fn strength(&self) -> EvidenceStrength {
        let witnesses = self.witnesses();
        let second = self.state().places.iter().any(|place| place.ok && place.counts && place.size.is_some());
        match self.own_signer() {
            None => EvidenceStrength::SessionKey,
            Some(signer) if signer.is_session() => EvidenceStrength::SessionKey,
            Some(_) if witnesses > 0 => EvidenceStrength::Witnessed,
            Some(_) if second => EvidenceStrength::SecondPlace,
            Some(_) => EvidenceStrength::LocalOnly,
        }
    }

    fn grow(&self, memory: Memory, now: &LogSeen) -> Result<(), OpError> {
        let is_news = memory.seen.as_ref().is_none_or(|seen| seen.size < now.size);
        let kept = memory.confirmed.clone();
        self.state().memory = memory;
        if now.size == 0 {
            return Ok(());
        }
        if is_news || kept.is_some() {
            self.change(|memory| {
                if memory.confirmed == kept {
                    memory.confirmed = None;
                }
                // Another process may have seen more, and a person may have taken another log as it is.
                if memory.seen.as_ref().is_none_or(|seen| seen.log == now.log && seen.size < now.size) {
                    memory.since.get_or_insert(now.at);
                    memory.seen = Some(now.clone());
                }
            })?;
        }
        self.is_here(&now.log)
    }
}

/// Holds the log against what was seen and what was confirmed; the first that it does not continue is told. With whether it
/// continues what was seen.
async fn compared(
    store: &Store,
    seen: Option<&LogSeen>,
    confirmed: &[LogSeen],
) -> Result<(LogLook, bool), StoreError> {
    let mut look = store.audit_look(seen).await?;
    let continues_seen = look.problem.is_none();
    for confirmed in confirmed {
        if look.lags || look.problem.is_some() {
            break;
        }
        look = store.audit_look(Some(confirmed)).await?;
    }
    Ok((look, continues_seen))
}
