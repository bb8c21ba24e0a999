//! Places outside the database where checkpoints are kept: folders, the Redis that is watched, a webhook.
//!
//! A folder gets `watchpost-<log>/newest.checkpoint` and one file for each day; Redis one field for each log. Before a
//! place is written its newest checkpoint is held against the log: what a place knows better is never overwritten.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use watchpost_model::audit::Checkpoint;
use watchpost_model::connection::RedisAddress;
use watchpost_redis::RedisError;
use watchpost_store::{KeptNote, LogKey, NoteSigner, ReadOnly, Store};

use super::{Witness, folder, webhook};
use crate::console::Workspace;
use crate::contract::{AuditPlace, AuditPlaceKind, AuditPlaces, AuditWebhook};
use crate::error::OpError;
use crate::setting;

/// The setting.
pub(crate) const PLACES: &str = "audit_places";
/// A place may lack a checkpoint for so long: consoles look each minute.
const LATE: chrono::Duration = chrono::Duration::minutes(2);

/// One place.
enum Place {
    Folder(PathBuf),
    Redis,
    Webhook(AuditWebhook),
}

/// What a place has.
#[derive(Default)]
struct Held {
    /// Checkpoints of the log.
    kept: Vec<KeptNote>,
    /// What is where they are, and is none.
    altered: Vec<String>,
}

impl Held {
    /// What no key of the log signed, and no other key either, says nothing about the log: only about the place.
    fn take(&mut self, note: KeptNote, log: &str, keys: &[LogKey]) {
        let wrong = if note.says().is_none_or(|says| says.log.as_deref() != Some(log)) {
            "is not a checkpoint of this log"
        } else if note.signer(keys) == NoteSigner::Nobody {
            "is not signed as a checkpoint of this log is"
        } else {
            self.kept.push(note);
            return;
        };
        self.altered.push(format!(
            "{} {wrong}: somebody altered it, or it was damaged. Compare it with another place, remove it, and run \
             `watchpost audit verify`; the place gets the newest checkpoint again",
            note.place
        ));
    }
}

/// Does Redis keep checkpoints of the log?
///
/// # Errors
/// What the database says.
pub(crate) async fn redis_is_place(workspace: &Workspace) -> Result<bool, OpError> {
    Ok(places_of(workspace).await?.redis)
}

/// Where checkpoints are to be kept: what the database says, and what it said before it was emptied.
async fn places_of(workspace: &Workspace) -> Result<AuditPlaces, OpError> {
    let set: AuditPlaces = setting::read(workspace.store(), PLACES).await?.value;
    let witness = workspace.witness();
    let known = witness.state().memory.places.clone();
    if witness.problem().is_none() {
        if known != set {
            witness.change(|memory| memory.places = set.clone())?;
        }
        return Ok(set);
    }
    let mut both = set;
    both.redis |= known.redis;
    both.webhook = both.webhook.or(known.webhook);
    for folder in known.folders {
        if !both.folders.contains(&folder) {
            both.folders.push(folder);
        }
    }
    Ok(both)
}

impl Witness {
    /// Holds what the places have against the log, and gives them `newest` unless something is wrong. Returns every
    /// checkpoint that was found in them.
    ///
    /// # Errors
    /// What the database says. A place that cannot be reached is no error; it says so.
    pub(crate) async fn tend(
        &self,
        workspace: &Workspace,
        newest: Option<&Checkpoint>,
    ) -> Result<Vec<KeptNote>, OpError> {
        let set = places_of(workspace).await?;
        let log = {
            let state = self.state();
            state.memory.seen.as_ref().map_or_else(|| state.log.clone(), |seen| seen.log.clone())
        };
        let signed = match newest {
            Some(newest) => Some(newest.clone()),
            None => workspace.store().checkpoints(1).await?.into_iter().next(),
        };
        let keys = workspace.store().audit_log_keys().await?;
        let (mut all, mut altered, mut states) = (Vec::new(), Vec::new(), Vec::new());
        let mut problem = None;
        let folders = set.folders.iter().map(|folder| Place::Folder(PathBuf::from(folder)));
        let others = set.redis.then_some(Place::Redis).into_iter().chain(set.webhook.map(Place::Webhook));
        let places: Vec<Place> = folders.chain(others).collect();
        let mut reads = Vec::new();
        for place in &places {
            reads.push(place.read(workspace, &log, &keys));
        }
        // All at the same time: several that hang are waited for as long as one.
        let reads = join_all(reads).await;
        for (place, read) in places.iter().zip(reads) {
            let mut state = place.state(workspace);
            match read {
                Err(why) => state.detail = why,
                Ok(Held { kept, altered: other }) => {
                    let held = newest_of(&kept);
                    state.size = held.as_ref().map(|(_, size)| *size);
                    match against(workspace.store(), held.as_ref().map(|(note, _)| note), &keys).await? {
                        Against::Contradicts(found) => {
                            state.detail.clone_from(&found.1);
                            problem.get_or_insert(found);
                        }
                        Against::Lags(why) => state.detail = why,
                        Against::Fits => match other.first() {
                            Some(found) => state.detail.clone_from(found),
                            None => state.ok = true,
                        },
                    }
                    all.extend(kept);
                    altered.extend(other);
                }
            }
            if let Place::Webhook(webhook) = place {
                state.size = self.received(webhook, &log);
            }
            if let Some(newest) =
                newest.filter(|newest| state.ok && state.size.is_none_or(|size| size < newest.size))
                && self.problem().is_none()
                && !self.gives_up(place)
            {
                match place.put(workspace, &log, newest).await {
                    Ok(()) => state.size = Some(newest.size),
                    Err(why) => (state.ok, state.detail) = (false, why),
                }
            }
            if let Some(signed) = signed.as_ref().filter(|_| state.ok && self.problem().is_none())
                && place.lacks(state.size, signed, workspace.now())
            {
                let has = state.size.map_or_else(|| "none yet".to_owned(), |size| format!("that of {size}"));
                state.ok = false;
                state.detail =
                    format!("the newest checkpoint is of {} records, and it has {has}", signed.size);
            }
            if let Place::Webhook(webhook) = place {
                self.tell_of(webhook, &log, &mut state);
            }
            states.push(state);
        }
        // A standby may get what it lacks, and signs nothing before.
        problem = problem.filter(|_| !self.state().lags);
        if problem.is_some() || self.is_doubted() {
            for (place, state) in places.iter().zip(&mut states).filter(|(_, state)| state.ok) {
                place.told_of_doubt(state);
            }
        }
        {
            let mut state = self.state();
            (state.places, state.altered, state.against) = (states, altered, problem.is_some());
        }
        if let Some(problem) = problem
            && self.problem().is_none()
        {
            self.doubt(workspace.store(), problem);
        }
        Ok(all)
    }

    /// Keeps what the places hold of the log elsewhere, because a person takes the log as it is.
    pub(crate) async fn set_aside(&self, workspace: &Workspace, stamp: &str) -> Result<(), OpError> {
        let set = places_of(workspace).await?;
        let log = workspace.store().audit_head().await?.log_id;
        for folder in set.folders {
            match folder::set_aside(Path::new(&folder), &log, stamp).await {
                Ok(done) => done.map_err(|(own, error)| OpError::unreadable("places", &own, error))?,
                // As with a share that is away: what it has is held against the log when it is back.
                Err(why) => tracing::warn!(why, "a place keeps what it has of the log as it was"),
            }
        }
        if set.redis
            && let Ok(events) = workspace.events()
            && let Some(note) = events.checkpoints().await?.get(&log)
        {
            events.checkpoint_put(&format!("{log}-until-{stamp}"), note).await?;
            events.checkpoint_remove(&log).await?;
        }
        Ok(())
    }

    /// Is something held against the log that no place said?
    fn is_doubted(&self) -> bool {
        let state = self.state();
        state.doubted || state.memory.failed.as_ref().is_some_and(|failed| failed.stays)
    }

    /// Is this place left alone, because it failed just now and the console ends?
    fn gives_up(&self, place: &Place) -> bool {
        let state = self.state();
        matches!(place, Place::Webhook(_)) && state.closing && state.refused_here
    }

    /// The places as they were found last.
    pub(crate) fn places(&self) -> Vec<AuditPlace> {
        self.state().places.clone()
    }
}

/// The checkpoint of the greatest size.
fn newest_of(kept: &[KeptNote]) -> Option<(KeptNote, i64)> {
    let sized = kept.iter().filter_map(|note| Some((note.clone(), note.says()?.size)));
    sized.max_by_key(|(_, size)| *size)
}

/// A checkpoint, held against the log.
enum Against {
    /// Nothing is wrong.
    Fits,
    /// It cannot be told yet, and why.
    Lags(String),
    /// What is wrong, with the first record that it is about, if that can be told.
    Contradicts((Option<i64>, String)),
}

/// What a checkpoint of this log says against the log.
async fn against(store: &Store, note: Option<&KeptNote>, keys: &[LogKey]) -> Result<Against, OpError> {
    let Some((note, says)) = note.and_then(|note| Some((note, note.says()?))) else {
        return Ok(Against::Fits);
    };
    let own = store.checkpoint_of(says.size).await?;
    if own.is_some_and(|own| own.root == says.root) {
        return Ok(Against::Fits);
    }
    let roots = store.audit_roots(&[says.size]).await?;
    let (place, size) = (&note.place, says.size);
    let doubt = match note.signer(keys) {
        NoteSigner::Unknown(name) => format!(
            ". The log does not know its key {name:?}, so nobody here can check it: the log was rolled back to before that key, \
             or somebody made it up in the place. If the key is nobody's, remove it, and this console signs again"
        ),
        NoteSigner::Log | NoteSigner::Nobody => String::new(),
    };
    Ok(match roots.into_iter().next().and_then(|(_, root)| root) {
        Some(root) if root == says.root => Against::Fits,
        Some(_) => Against::Contradicts((
            None,
            format!(
                "the log was rewritten: {place} has a checkpoint of size {size} with another root{doubt}"
            ),
        )),
        // It may get what it lacks before it takes changes.
        None if store.read_only().await? == Some(ReadOnly::Standby) => Against::Lags(format!(
            "{place} has a checkpoint of size {size}, and the server is a standby that has not so many records yet"
        )),
        None => {
            let now = store.audit_head().await?.size.cast_signed();
            Against::Contradicts((
                Some(now.min(size)),
                format!(
                    "the log was rolled back: {place} has a checkpoint of size {size}, and now there are {now} records{doubt}"
                ),
            ))
        }
    })
}

impl Place {
    fn state(&self, workspace: &Workspace) -> AuditPlace {
        let (kind, name, near) = match self {
            Self::Folder(folder) => (AuditPlaceKind::Folder, folder.display().to_string(), None),
            Self::Redis => {
                let is_private = workspace.connection().redis.address == RedisAddress::Local;
                let near = is_private.then_some("the private Redis of this account: no second place");
                (AuditPlaceKind::Redis, String::new(), near)
            }
            Self::Webhook(webhook) => {
                let near = webhook::is_near(webhook).then_some("a service of this machine: no second place");
                (AuditPlaceKind::Webhook, webhook.url.clone(), near)
            }
        };
        let ca = match self {
            Self::Webhook(webhook) => webhook.ca.clone(),
            Self::Folder(_) | Self::Redis => None,
        };
        let detail = near.unwrap_or_default().to_owned();
        AuditPlace { kind, name, ca, ok: false, counts: near.is_none(), size: None, detail }
    }

    /// Says that it gets nothing, because something is held against the log: whatever it has, that is not well.
    fn told_of_doubt(&self, state: &mut AuditPlace) {
        state.ok = false;
        let what = match (self, state.size) {
            (Self::Webhook(_), _) => "nothing is sent to it",
            (_, Some(_)) => {
                "what lies here fits what the log is now, which proves nothing; it gets nothing newer"
            }
            (_, None) => "no checkpoint of the log was found here, and it gets none",
        };
        let before = if state.detail.is_empty() { String::new() } else { format!("{}; ", state.detail) };
        state.detail = format!("{before}while the log is doubted {what}");
    }

    /// Is the newest checkpoint missing in it? `size` is that of what it has. What was signed this minute may be on its
    /// way, but a webhook that never took anything was never reached.
    fn lacks(&self, size: Option<i64>, newest: &Checkpoint, now: DateTime<Utc>) -> bool {
        match size {
            Some(size) if size >= newest.size => false,
            None if matches!(self, Self::Webhook(_)) => true,
            _ => now - newest.at > LATE,
        }
    }

    /// The checkpoints of `log` in it, or why it cannot be read.
    async fn read(&self, workspace: &Workspace, log: &str, keys: &[LogKey]) -> Result<Held, String> {
        match self {
            Self::Folder(folder) => {
                let found = folder::read(folder, log).await?;
                let mut held = Held { kept: Vec::new(), altered: found.other };
                for note in found.notes {
                    held.take(note, log, keys);
                }
                Ok(held)
            }
            Self::Redis => {
                let events = workspace.events().map_err(|error| error.message)?;
                let notes = in_time(events.checkpoints()).await?;
                let place = format!("Redis at {}", events.target().address);
                let mut held = Held::default();
                if let Some(note) = notes.get(log) {
                    held.take(KeptNote { place, note: note.clone() }, log, keys);
                }
                Ok(held)
            }
            // It takes and gives nothing back.
            Self::Webhook(_) => Ok(Held::default()),
        }
    }

    async fn put(&self, workspace: &Workspace, log: &str, newest: &Checkpoint) -> Result<(), String> {
        match self {
            Self::Folder(folder) => folder::put(folder, log, newest).await,
            Self::Redis => {
                let events = workspace.events().map_err(|error| error.message)?;
                in_time(events.checkpoint_put(log, &newest.note)).await
            }
            Self::Webhook(webhook) => workspace.witness().deliver(workspace, webhook, log, newest).await,
        }
    }
}

/// What Redis answers, no longer waited for than a webhook.
async fn in_time<T>(answer: impl Future<Output = Result<T, RedisError>>) -> Result<T, String> {
    match tokio::time::timeout(webhook::PATIENCE, answer).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err(format!("it did not answer in {} seconds", webhook::PATIENCE.as_secs())),
    }
}
