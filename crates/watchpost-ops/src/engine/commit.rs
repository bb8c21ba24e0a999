//! The second half of the engine: batches that were detected on are written, answered and acknowledged, in order, by a
//! task of its own, while the first half reads and detects on what comes next. What is written of a batch is made on
//! another thread meanwhile.
//!
//! What waits is committed together, up to [`GROUP_MAX`] batches in one transaction, each taken in as if it were alone:
//! a commit costs a wait for the disk whatever it holds. While the stream is full some are waited for. They are acknowledged while the next ones are committed. When a
//! commit fails the task ends, and with it everything that
//! the first half had ahead of the database: nothing of that is acknowledged, so it is read again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;
use watchpost_model::place::Place;
use watchpost_model::sealing::Sealing;
use watchpost_redis::EventStore;
use watchpost_store::{IngestBatch, Ingesting, Lost, PreparedEvents, SealedField, Sealer, StoreError};

use super::detectors::Seen;
use super::state;
use crate::console::{Console, Workspace};
use crate::enrich::Known;
use crate::error::OpError;
use crate::respond;

/// Batches that are committed together.
const GROUP_MAX: usize = 16;
/// While the next batch is right behind, so many are waited for, at most so long: what a transaction costs by itself is
/// shared by more events. A batch that is not full has none behind it and is committed at once.
const GATHERED: usize = 8;
const GATHER: Duration = Duration::from_millis(100);
/// Batches that wait meanwhile.
const WAITING_MAX: usize = GROUP_MAX;
/// KiB of events that are detected on and not committed; a batch of more waits until nothing else is.
const AHEAD_KIB: u32 = 64 << 10;
/// Tries of a transaction that PostgreSQL gave up in favour of another.
const TRIES: usize = 5;

/// A batch after detection.
pub(super) struct Batch {
    /// Its storing time.
    pub(super) now: DateTime<Utc>,
    /// Events that are new, in the order of their times, with their keys; secrets are taken out.
    pub(super) events: Vec<(Event, String)>,
    /// What is written of them; taken by the first try to write it.
    pub(super) prepared: Option<PreparedEvents>,
    /// What was taken out of them.
    pub(super) sealed: Vec<SealedField>,
    pub(super) found: Vec<Found>,
    /// What was known when it was detected on.
    pub(super) known: Arc<Known>,
    /// What the detectors remembered after it, when that is to be saved.
    pub(super) state: Option<Vec<u8>>,
    /// The entries of the stream that it came from.
    pub(super) acknowledge: Vec<String>,
    /// Events that were delivered, known ones among them.
    pub(super) delivered: u64,
    /// Entries that no event came of: they could not be read, or were gone.
    pub(super) unread: u64,
    /// Groups that the detectors have dropped so far.
    pub(super) evicted: u64,
}

/// A batch that is being made.
struct Coming {
    making: JoinHandle<Result<Batch, StoreError>>,
    /// The next one is right behind it.
    has_next: bool,
    room: OwnedSemaphorePermit,
}

impl Batch {
    /// One that came from nowhere in the stream. Detection has seen the events as they are; from here on nothing holds the
    /// secrets in them.
    ///
    /// # Errors
    /// If an event cannot be written as JSON.
    pub(super) fn new(
        now: DateTime<Utc>,
        mut events: Vec<(Event, String)>,
        seen: Seen,
        known: Arc<Known>,
        sealer: &Sealer,
    ) -> Result<Self, StoreError> {
        let Seen { mut found, state, evicted } = seen;
        let mut sealed = Vec::new();
        let mut sealings: HashMap<usize, Sealing> = HashMap::new();
        for (index, (event, _)) in events.iter_mut().enumerate() {
            if let Some((sealing, fields)) = sealer.seal(event)? {
                sealings.insert(index, sealing);
                sealed.extend(fields);
            }
        }
        let nothing = Sealing::default();
        for Found { subject, finding, .. } in &mut found {
            let sealing = match subject {
                Subject::New(index) => sealings.get(&*index).unwrap_or(&nothing),
                Subject::Stored(_) => &nothing,
            };
            sealer.mask(sealing, finding);
        }
        let prepared = Some(PreparedEvents::new(&events, &sealed, now)?);
        let acknowledge = Vec::new();
        let (delivered, unread) = (0, 0);
        Ok(Self {
            now,
            events,
            prepared,
            sealed,
            found,
            known,
            state,
            acknowledge,
            delivered,
            unread,
            evicted,
        })
    }

    /// What its findings are about, and its other events.
    fn subjects(&self) -> impl Iterator<Item = &Event> {
        let stored = self.found.iter().filter_map(|found| found.subject.event(self));
        self.events.iter().map(|(event, _)| event).chain(stored)
    }
}

/// What a finding is about.
pub(super) enum Subject {
    /// An event of the batch, by its place there.
    New(usize),
    /// An event of the archive.
    Stored(Box<Event>),
}

impl Subject {
    fn event<'a>(&'a self, batch: &'a Batch) -> Option<&'a Event> {
        match self {
            Self::New(index) => batch.events.get(*index).map(|(event, _)| event),
            Self::Stored(event) => Some(event),
        }
    }
}

/// A finding before it is known how much it matters.
pub(super) struct Found {
    pub(super) subject: Subject,
    pub(super) place: Option<Place>,
    pub(super) finding: Finding,
}

/// How far the second half is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    done: u64,
}

/// The first half's end of the way.
pub(super) struct Commits {
    batches: mpsc::Sender<Coming>,
    progress: watch::Receiver<Progress>,
    room: Arc<Semaphore>,
    sent: u64,
    /// The events that may not be in the archive yet: of each batch, and of all.
    waiting: VecDeque<Vec<EventId>>,
    ahead: HashSet<EventId>,
}

/// Starts the second half as a task of `tasks`; `evicted` is how many groups the detectors had dropped before its first batch.
pub(super) fn start(
    tasks: &mut JoinSet<Result<(), OpError>>,
    console: &Console,
    workspace: &Arc<Workspace>,
    events: &EventStore,
    evicted: u64,
) -> Commits {
    let (batches, waiting) = mpsc::channel(WAITING_MAX);
    let (told, progress) = watch::channel(Progress::default());
    let committer =
        Committer { console: console.clone(), workspace: Arc::clone(workspace), events: events.clone() };
    tasks.spawn(committer.run(waiting, told, evicted));
    Commits {
        batches,
        progress,
        room: Arc::new(Semaphore::new(AHEAD_KIB as usize)),
        sent: 0,
        waiting: VecDeque::new(),
        ahead: HashSet::new(),
    }
}

/// Why the second half ended; while the first half lives that is always a failure.
pub(super) fn why(ended: Result<Result<(), OpError>, JoinError>) -> Result<(), OpError> {
    ended.map_err(|error| OpError::internal(format!("the engine's second half stopped: {error}")))?
}

fn stopped() -> OpError {
    OpError::internal("the engine's second half has stopped")
}

impl Commits {
    /// Hands a batch of the events `ids`, whose hashes have `bytes` bytes, on: `make` makes it while the first half goes on.
    /// `has_next` says that the next one comes at once. Waits while too many are waiting.
    pub(super) async fn send(
        &mut self,
        ids: Vec<EventId>,
        bytes: usize,
        has_next: bool,
        make: impl FnOnce() -> Result<Batch, StoreError> + Send + 'static,
    ) -> Result<(), OpError> {
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).clamp(1, AHEAD_KIB);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| stopped())?;
        self.ahead.extend(&ids);
        self.waiting.push_back(ids);
        self.sent += 1;
        let making = tokio::task::spawn_blocking(make);
        self.batches.send(Coming { making, has_next, room }).await.map_err(|_| stopped())
    }

    /// How many batches are in the archive.
    pub(super) fn stored(&self) -> u64 {
        self.progress.borrow().done
    }

    /// Lets go of the events of the first `stored` batches. They were in the archive before it was asked which events it
    /// knows: those that it did not know then are among [`Commits::is_ahead`], or new.
    pub(super) fn forget_stored(&mut self, stored: u64) {
        let open = usize::try_from(self.sent - stored).unwrap_or(usize::MAX);
        while self.waiting.len() > open {
            for id in self.waiting.pop_front().into_iter().flatten() {
                self.ahead.remove(&id);
            }
        }
    }

    /// Is an event on its way to the archive?
    pub(super) fn is_ahead(&self, id: EventId) -> bool {
        self.ahead.contains(&id)
    }

    /// Is anything still to be committed or acknowledged?
    pub(super) fn is_busy(&self) -> bool {
        self.progress.borrow().done < self.sent
    }

    /// Waits until everything that was handed on is committed and acknowledged.
    ///
    /// # Errors
    /// If the second half has ended; why, its own result says.
    pub(super) async fn settle(&mut self) -> Result<(), OpError> {
        let sent = self.sent;
        self.progress.wait_for(|progress| progress.done == sent).await.map(drop).map_err(|_| stopped())
    }
}

#[derive(Clone)]
struct Committer {
    console: Console,
    workspace: Arc<Workspace>,
    events: EventStore,
}

impl Committer {
    async fn run(
        self,
        mut batches: mpsc::Receiver<Coming>,
        told: watch::Sender<Progress>,
        mut evicted: u64,
    ) -> Result<(), OpError> {
        let mut received = Vec::with_capacity(GROUP_MAX);
        // While a group is committed the one before it is acknowledged; there is never more than one.
        let mut acknowledging = JoinSet::new();
        loop {
            while received.len() < GROUP_MAX
                && let Ok(more) = batches.try_recv()
            {
                received.push(more);
            }
            if received.is_empty() {
                let n = tokio::select! {
                    n = batches.recv_many(&mut received, GROUP_MAX) => n,
                    Some(ended) = acknowledging.join_next() => {
                        why(ended)?;
                        continue;
                    }
                };
                if n == 0 {
                    break;
                }
            }
            gather(&mut received, &mut batches).await;
            let (mut group, room) = made(&mut received).await?;
            let taken = Box::pin(self.commit(&mut group, evicted)).await?;
            evicted = group.last().map_or(evicted, |batch| batch.evicted);
            drop(room);
            if let Some(ended) = acknowledging.join_next().await {
                why(ended)?;
            }
            acknowledging.spawn(self.clone().acknowledge(group, taken, told.clone()));
        }
        acknowledging.join_next().await.map_or(Ok(()), why)
    }

    async fn commit(&self, group: &mut [Batch], evicted: u64) -> Result<Vec<Taken>, OpError> {
        let mut tries = 1;
        let taken = loop {
            match Box::pin(self.write(group, evicted)).await {
                Err(problem) if problem.is_retryable() && tries < TRIES => tries += 1,
                result => break result?,
            }
        };
        let findings: Vec<&Finding> = taken.iter().flat_map(|taken| &taken.findings).collect();
        if let Some(last) = group.last() {
            let events: Vec<&Event> = group.iter().flat_map(Batch::subjects).collect();
            respond::respond(&self.console, &self.workspace, &findings, &events, Some(last.now)).await?;
        }
        Ok(taken)
    }

    async fn acknowledge(
        self,
        group: Vec<Batch>,
        taken: Vec<Taken>,
        told: watch::Sender<Progress>,
    ) -> Result<(), OpError> {
        let acknowledge: Vec<&str> =
            group.iter().flat_map(|batch| &batch.acknowledge).map(String::as_str).collect();
        self.events.ack(&acknowledge).await?;
        let engine = self.workspace.engine();
        for (batch, taken) in group.iter().zip(taken) {
            engine.duplicates.fetch_add(batch.delivered - taken.inserted, Ordering::Relaxed);
            engine.findings.fetch_add(taken.findings.len() as u64, Ordering::Relaxed);
            engine.evicted.store(batch.evicted, Ordering::Relaxed);
            engine.count_processed(batch.now, taken.inserted);
        }
        engine.recover();
        told.send_modify(|progress| progress.done += group.len() as u64);
        Ok(())
    }

    /// Writes the batches in one transaction, each as the ones before it leave the database, and what was lost since `evicted`
    /// groups were dropped.
    async fn write(&self, group: &mut [Batch], evicted: u64) -> Result<Vec<Taken>, StoreError> {
        let name = state::name(self.workspace.engine().erasures());
        for batch in &*group {
            self.workspace.store().event_room(&batch.events).await;
        }
        let mut ingest = self.workspace.store().ingest_begin().await?;
        let mut taken = Vec::with_capacity(group.len());
        for batch in group.iter_mut() {
            let prepared = match batch.prepared.take() {
                Some(prepared) => prepared,
                None => PreparedEvents::new(&batch.events, &batch.sealed, batch.now)?,
            };
            let findings = enriched(&mut ingest, batch).await?;
            let of_batch = IngestBatch { events: &batch.events, findings: &findings, now: batch.now };
            let state = batch.state.as_deref().map(|body| (name.as_str(), body));
            let inserted = ingest.take_in(prepared, of_batch, state).await?.inserted;
            taken.push(Taken { findings, inserted });
        }
        if let Some(last) = group.last() {
            let unread = group.iter().map(|batch| batch.unread).sum();
            ingest.lost_add(Lost::Quarantined, unread, last.now).await?;
            ingest.lost_add(Lost::Evicted, last.evicted.saturating_sub(evicted), last.now).await?;
        }
        ingest.commit().await?;
        Ok(taken)
    }
}

/// Waits for the batches that are right behind those of `received`.
async fn gather(received: &mut Vec<Coming>, batches: &mut mpsc::Receiver<Coming>) {
    let until = Instant::now() + GATHER;
    while received.len() < GATHERED && received.last().is_some_and(|last| last.has_next) {
        match timeout_at(until, batches.recv()).await {
            Ok(Some(next)) => received.push(next),
            Ok(None) | Err(_) => break,
        }
    }
}

/// The first of `received`, and those after it that need not be waited for.
async fn made(received: &mut Vec<Coming>) -> Result<(Vec<Batch>, Vec<OwnedSemaphorePermit>), OpError> {
    let after = received.iter().skip(1).take_while(|coming| coming.making.is_finished()).count();
    let (mut group, mut rooms) = (Vec::with_capacity(1 + after), Vec::with_capacity(1 + after));
    for Coming { making, room, .. } in received.drain(..received.len().min(1 + after)) {
        let batch = making.await;
        let batch = batch.map_err(|error| OpError::internal(format!("a batch was not made: {error}")))?;
        group.push(batch?);
        rooms.push(room);
    }
    Ok((group, rooms))
}

/// What became of a batch.
struct Taken {
    findings: Vec<Finding>,
    inserted: u64,
}

/// The findings of a batch with what is known about each and a score that follows from it.
async fn enriched(ingest: &mut Ingesting<'_>, batch: &Batch) -> Result<Vec<Finding>, StoreError> {
    let entities: HashSet<Entity> = batch.found.iter().map(|found| found.finding.entity.clone()).collect();
    let entities: Vec<Entity> = entities.into_iter().collect();
    let history = ingest.entity_history(&entities).await?;
    let enriched = batch.found.iter().filter_map(|Found { subject, place, finding }| {
        let event = subject.event(batch)?;
        let history = history.get(&finding.entity).copied().unwrap_or_default();
        let mut finding = finding.clone();
        batch.known.knowledge.enrich(event, place.as_ref(), history, &mut finding);
        Some(finding)
    });
    Ok(enriched.collect())
}
