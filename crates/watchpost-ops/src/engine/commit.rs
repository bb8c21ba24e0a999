//! The second half of the engine: batches that were detected on are written, answered and acknowledged, in order, by a
//! task of its own, while the first half reads and detects on what comes next.
//!
//! At most one batch waits while one is written. When a commit fails the task ends, and with it everything that the
//! first half had ahead of the database: nothing of that is acknowledged, so it is read again.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;
use watchpost_model::place::Place;
use watchpost_redis::EventStore;
use watchpost_store::IngestBatch;

use super::state;
use crate::console::{Console, Workspace};
use crate::enrich::Known;
use crate::error::OpError;
use crate::respond;

/// Batches that wait while one is written: with one, both halves always have work.
const WAITING_MAX: usize = 1;

/// A batch after detection.
pub(super) struct Batch {
    /// Its storing time.
    pub(super) now: DateTime<Utc>,
    /// Events that are new, in the order of their times, with their keys.
    pub(super) events: Vec<(Event, String)>,
    pub(super) found: Vec<Found>,
    /// What was known when it was detected on.
    pub(super) known: Arc<Known>,
    /// What the detectors remembered after it, when that is to be saved.
    pub(super) state: Option<Vec<u8>>,
    /// The entries of the stream that it came from.
    pub(super) acknowledge: Vec<String>,
    /// Events that were delivered, known ones among them.
    pub(super) delivered: u64,
    /// Groups that the detectors have dropped so far.
    pub(super) evicted: u64,
}

/// A finding before it is known how much it matters.
pub(super) struct Found {
    /// Its event in the batch.
    pub(super) index: usize,
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
    batches: mpsc::Sender<Batch>,
    progress: watch::Receiver<Progress>,
    sent: u64,
    /// The events of the batches that may not be in the archive yet.
    ahead: VecDeque<HashSet<EventId>>,
}

/// Starts the second half as a task of `tasks`.
pub(super) fn start(
    tasks: &mut JoinSet<Result<(), OpError>>,
    console: &Console,
    workspace: &Arc<Workspace>,
    events: &EventStore,
) -> Commits {
    let (batches, waiting) = mpsc::channel(WAITING_MAX);
    let (told, progress) = watch::channel(Progress::default());
    let committer =
        Committer { console: console.clone(), workspace: Arc::clone(workspace), events: events.clone() };
    tasks.spawn(committer.run(waiting, told));
    Commits { batches, progress, sent: 0, ahead: VecDeque::new() }
}

/// Why the second half ended; while the first half lives that is always a failure.
pub(super) fn why(ended: Result<Result<(), OpError>, JoinError>) -> Result<(), OpError> {
    ended.map_err(|error| OpError::internal(format!("the engine's second half stopped: {error}")))?
}

impl Commits {
    /// Hands a batch on; waits while another one is waiting.
    pub(super) async fn send(&mut self, batch: Batch) -> Result<(), OpError> {
        // Once this is taken, all but the one that waits and the one that is written are stored.
        self.ahead.truncate(WAITING_MAX);
        self.ahead.push_front(batch.events.iter().map(|(event, _)| event.id).collect());
        self.sent += 1;
        let sent = self.batches.send(batch).await;
        sent.map_err(|_| OpError::internal("the engine's second half has stopped"))
    }

    /// Adds the events that the archive may not know yet.
    pub(super) fn add_ahead(&self, known: &mut HashSet<EventId>) {
        known.extend(self.ahead.iter().flatten());
    }

    /// Is anything still to be committed?
    pub(super) fn is_busy(&self) -> bool {
        self.progress.borrow().done < self.sent
    }

    /// Waits until everything that was handed on is committed. Returns early if the second half has failed, which
    /// its owner sees.
    pub(super) async fn settle(&mut self) {
        let sent = self.sent;
        let _ = self.progress.wait_for(|progress| progress.done == sent).await;
    }
}

struct Committer {
    console: Console,
    workspace: Arc<Workspace>,
    events: EventStore,
}

impl Committer {
    async fn run(
        self,
        mut batches: mpsc::Receiver<Batch>,
        told: watch::Sender<Progress>,
    ) -> Result<(), OpError> {
        while let Some(batch) = batches.recv().await {
            Box::pin(self.commit(batch)).await?;
            told.send_modify(|progress| progress.done += 1);
        }
        Ok(())
    }

    async fn commit(&self, batch: Batch) -> Result<(), OpError> {
        let Batch { now, events, found, known, state, acknowledge, delivered, evicted } = batch;
        let engine = self.workspace.engine();
        let findings = self.enriched(&events, found, &known).await?;
        let outcome = self
            .workspace
            .store()
            .ingest_saving(
                IngestBatch { events: &events, findings: &findings, now },
                state.as_deref().map(|body| (state::NAME, body)),
            )
            .await?;
        respond::respond(&self.console, &self.workspace, &findings, &events, now).await?;
        self.events.ack(&acknowledge).await?;
        engine.duplicates.fetch_add(delivered - outcome.inserted, Ordering::Relaxed);
        engine.findings.fetch_add(findings.len() as u64, Ordering::Relaxed);
        engine.evicted.store(evicted, Ordering::Relaxed);
        engine.count_processed(now, outcome.inserted);
        engine.recover();
        Ok(())
    }

    /// The findings with what is known about each and a score that follows from it.
    async fn enriched(
        &self,
        events: &[(Event, String)],
        found: Vec<Found>,
        known: &Known,
    ) -> Result<Vec<Finding>, OpError> {
        let entities: HashSet<Entity> = found.iter().map(|found| found.finding.entity.clone()).collect();
        let entities: Vec<Entity> = entities.into_iter().collect();
        let history = self.workspace.store().entity_history(&entities).await?;
        let enriched = found.into_iter().filter_map(|Found { index, place, mut finding }| {
            let (event, _) = events.get(index)?;
            let history = history.get(&finding.entity).copied().unwrap_or_default();
            known.knowledge.enrich(event, place.as_ref(), history, &mut finding);
            Some(finding)
        });
        Ok(enriched.collect())
    }
}
