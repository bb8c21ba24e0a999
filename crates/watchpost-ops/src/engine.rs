//! The detection engine at work: events from Redis through detection into the archive and incidents, exactly once.
//!
//! One engine works a database at a time: it holds a lease there. A batch is read from the stream, events that the
//! archive already knows are set aside, the rest are detected on, and archive rows, findings and incidents are written
//! in one transaction; only then is the batch acknowledged in Redis. Killed anywhere, the next engine reads the
//! unacknowledged entries again and the archive recognises what was written. What the detectors remember is saved with
//! the batches (see `state`); without a usable state the newest archived events are replayed.

mod state;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use watchpost_detect as detect;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;
use watchpost_redis::{AdoptCursor, Adopted, EventStore, StreamItem};
use watchpost_store::{EventCursor, IngestBatch, StoringCursor};

use crate::console::{Console, Workspace};
use crate::contract::{EngineState, EngineStatus, Tag};
use crate::enrich::{Freshness, Listed};
use crate::error::{ErrorCode, OpError};
use crate::respond;

const LEASE: &str = "engine";
/// Name in the consumer group. The lease lets one engine work at a time, so all of them share it.
const CONSUMER: &str = "engine";
/// A dead engine is replaced after this long.
const LEASE_TTL: Duration = Duration::from_secs(8);
/// How long [`Engine::until_idle`] waits for an engine that does not work.
const PATIENCE: Duration = Duration::from_secs(12);
/// Entries a batch.
const BATCH: usize = 500;
/// How long a read waits for the next event.
const READ_WAIT_MS: u64 = 400;
/// An entry delivered to a consumer that has not acknowledged it for this long is taken over.
const CLAIM_IDLE: Duration = Duration::from_secs(10);
/// Keys looked at for bare hashes a turn.
const ADOPT_BUDGET: usize = 2_000;
/// Pause between two passes over all keys in search of bare hashes.
const ADOPT_PAUSE: chrono::Duration = chrono::Duration::seconds(2);
/// Pause between two looks at the rules directory.
const RULES_PAUSE: chrono::Duration = chrono::Duration::seconds(3);
/// Pause between two looks at sources that may have fallen silent, while nothing comes.
const TICK_PAUSE: chrono::Duration = chrono::Duration::seconds(30);
/// How long to wait before trying again after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// Archived events replayed to rebuild the detection windows where no saved state can be used.
const REPLAY: u32 = 50_000;

/// The name under which the engine acts.
pub(crate) fn engine_caller() -> Caller {
    Caller {
        name: "engine".to_owned(),
        role: Role::Admin,
        origin: Origin::Engine,
        host: crate::os_caller(Origin::Engine).host,
    }
}

/// What the engine tells about itself; shared with the status bar.
pub(crate) struct Engine {
    state: watch::Sender<(EngineState, String)>,
    processed: AtomicU64,
    duplicates: AtomicU64,
    quarantined: AtomicU64,
    evicted: AtomicU64,
    findings: AtomicU64,
    backlog: Mutex<Option<u64>>,
    /// Processed counts by time, of the last minute.
    recent: Mutex<VecDeque<(DateTime<Utc>, u64)>>,
    /// Counts up when a full turn found nothing to do.
    idle_turns: watch::Sender<u64>,
    /// Since when it fails at every try; a start in between does not count as work.
    down_since: Mutex<Option<DateTime<Utc>>>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        Self {
            state: watch::channel((EngineState::Stopped, String::new())).0,
            processed: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            quarantined: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            findings: AtomicU64::new(0),
            backlog: Mutex::new(None),
            recent: Mutex::new(VecDeque::new()),
            idle_turns: watch::channel(0).0,
            down_since: Mutex::new(None),
        }
    }

    /// Since when it has failed at every try; `None` while it works, waits for another one's lease, or is stopped.
    pub(crate) fn down_since(&self) -> Option<DateTime<Utc>> {
        *self.down_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine in figures.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> EngineStatus {
        let (state, detail) = self.state.borrow().clone();
        EngineStatus {
            state,
            detail,
            processed_total: self.processed.load(Ordering::Relaxed),
            duplicates_total: self.duplicates.load(Ordering::Relaxed),
            events_per_min: self.events_per_min(now),
            backlog: *self.backlog.lock().unwrap_or_else(PoisonError::into_inner),
            quarantined_total: self.quarantined.load(Ordering::Relaxed),
            evicted_total: self.evicted.load(Ordering::Relaxed),
            findings_total: self.findings.load(Ordering::Relaxed),
            // Filled in by the status, which knows the rules.
            rules: 0,
            rule_problems: 0,
        }
    }

    /// Does an engine of this process count events?
    pub(crate) fn is_at_work(&self) -> bool {
        matches!(self.state.borrow().0, EngineState::Running | EngineState::Behind)
    }

    /// Events processed in the last 60 s.
    pub(crate) fn events_per_min(&self, now: DateTime<Utc>) -> f64 {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|(at, _)| now - *at > chrono::Duration::seconds(60)) {
            recent.pop_front();
        }
        let sum: u64 = recent.iter().map(|(_, n)| n).sum();
        f64::from(u32::try_from(sum).unwrap_or(u32::MAX))
    }

    /// Waits for two full turns in a row that find nothing: the second one has seen everything that was there before.
    pub(crate) async fn until_idle(&self) -> Result<(), OpError> {
        let mut turns = self.idle_turns.subscribe();
        let mut state = self.state.subscribe();
        let goal = *turns.borrow() + 2;
        let mut idle_since = None;
        loop {
            if *turns.borrow_and_update() >= goal {
                return Ok(());
            }
            let (now, why) = state.borrow_and_update().clone();
            // The lease of an engine that was killed runs out first, and a server may be on its way up.
            let stuck = matches!(now, EngineState::Down | EngineState::Standby);
            let since = *idle_since.get_or_insert_with(tokio::time::Instant::now);
            if !stuck {
                idle_since = None;
            } else if since.elapsed() > PATIENCE {
                return Err(OpError::new(ErrorCode::Unavailable, format!("the engine does not work: {why}")));
            }
            tokio::select! {
                _ = turns.changed() => {}
                _ = state.changed() => {}
                // An engine that stands still changes neither; its patience must run out all the same.
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    /// It failed, at `now`; true if that is new.
    fn fail(&self, now: DateTime<Utc>, problem: &OpError) -> bool {
        self.down_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        self.set(EngineState::Down, problem.to_string())
    }

    fn set(&self, state: EngineState, detail: impl Into<String>) -> bool {
        let detail = detail.into();
        if !matches!(state, EngineState::Down | EngineState::Starting) {
            *self.down_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.state.send_if_modified(|current| {
            let changed = current.0 != state || current.1 != detail;
            *current = (state, detail);
            changed
        })
    }

    fn count_processed(&self, now: DateTime<Utc>, events: u64) {
        self.processed.fetch_add(events, Ordering::Relaxed);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back((now, events));
        if recent.len() > 4_096 {
            // Bounded whatever the batch rate: fold the two oldest.
            if let (Some((_, oldest)), Some(next)) = (recent.pop_front(), recent.front_mut()) {
                next.1 += oldest;
            }
        }
    }
}

/// Runs the engine until the workspace closes.
pub(crate) async fn run(console: Console, workspace: Arc<Workspace>) {
    let stop = workspace.stop_token();
    let holder = uuid::Uuid::now_v7().to_string();
    stop.run_until_cancelled(async {
        loop {
            if let Err(problem) = Box::pin(hold_and_work(&console, &workspace, &holder)).await
                && workspace.engine().fail(workspace.now(), &problem)
            {
                tracing::warn!(%problem, "the engine stopped; trying again");
                console.announce(&[Tag::Status]);
            }
            tokio::time::sleep(RETRY).await;
        }
    })
    .await;
    if let Err(problem) = workspace.store().lease_release(LEASE, &holder).await {
        tracing::debug!(%problem, "the lease was not given back; it runs out by itself");
    }
}

/// Acquires the lease, rebuilds the windows and works until something fails or the lease is lost.
async fn hold_and_work(console: &Console, workspace: &Arc<Workspace>, holder: &str) -> Result<(), OpError> {
    let engine = workspace.engine();
    if !workspace.store().lease_acquire(LEASE, holder, LEASE_TTL, workspace.now()).await? {
        if engine.set(EngineState::Standby, "another console runs the engine of this database") {
            console.announce(&[Tag::Status]);
        }
        return Ok(());
    }
    let events = workspace.events()?;
    engine.set(EngineState::Starting, "rebuilding the detection windows");
    events.ensure_group().await?;
    if let Err(problem) = events.clear_acknowledged().await {
        tracing::debug!(%problem, "what a crash left on the stream stays there; it does not count as waiting");
    }
    respond::recover(console, workspace).await?;
    let (rules, _) = workspace.rules().refresh(workspace, false).await?;
    let mut turn = Turn {
        console,
        workspace,
        holder,
        detectors: Box::pin(rebuilt(workspace, rules.set)).await?,
        rules_at: workspace.now(),
        listed: Listed::default(),
        adopt: AdoptCursor::default(),
        events,
        renewed: workspace.now(),
        saving: state::Saving::default(),
        ticked: workspace.now(),
        claimed: None,
        adopted_at: None,
    };
    loop {
        turn.take().await?;
    }
}

/// Detectors that stand where the last run left them, or whose windows hold what the newest archived events left there.
async fn rebuilt(workspace: &Workspace, rules: Arc<detect::RuleSet>) -> Result<Detectors, OpError> {
    if let Some(saved) = workspace.store().engine_state(state::NAME).await?
        && let Some(mut detectors) = Detectors::restored(&rules, &saved.body)
    {
        detectors.until = saved.until;
        let known = workspace.known(Freshness::Now).await?;
        let mut cursor = None;
        loop {
            let page = workspace.store().events_stored_after(saved.until, cursor, state::PAGE).await?;
            for (event, stored_at) in &page {
                let stored_at = *stored_at;
                detectors.observe(event, known.place(event).as_ref(), stored_at);
                detectors.until = stored_at;
            }
            let Some((last, stored_at)) = page.last() else { return Ok(detectors) };
            cursor = Some(StoringCursor { stored_at: *stored_at, event: EventCursor::of(last) });
        }
    }
    let mut detectors = Detectors::new(rules);
    let known = workspace.known(Freshness::Now).await?;
    for event in workspace.store().recently_ingested(REPLAY).await? {
        detectors.observe(&event, known.place(&event).as_ref(), workspace.now());
    }
    Ok(detectors)
}

/// The detector of what happens now, and one for history that comes in later.
///
/// Behaviours count in windows that move forward, so an old log that is imported beside live traffic would be too late
/// for all of them. It gets windows of its own, which begin anew whenever something older still comes.
struct Detectors {
    rules: Arc<detect::RuleSet>,
    live: Detector,
    history: Option<Detector>,
    evicted_before: u64,
    /// Storing time of the last batch; that of the next one is later.
    until: DateTime<Utc>,
}

struct Detector {
    engine: detect::Engine,
    newest: DateTime<Utc>,
}

impl Detector {
    fn new(rules: Arc<detect::RuleSet>) -> Self {
        Self {
            engine: detect::Engine::with_rules(detect::Config::default(), rules),
            newest: DateTime::UNIX_EPOCH,
        }
    }

    fn is_too_late(&self, event: &Event) -> bool {
        event.at < self.newest - self.engine.config().lateness_max
    }

    fn observe(&mut self, event: &Event, place: Option<&Place>, now: DateTime<Utc>) -> Vec<Finding> {
        // A time ahead of the clock is a mistake of its sender and must not make the present late.
        if event.at <= now {
            self.newest = self.newest.max(event.at);
        }
        self.engine.observe_at(event, place, now)
    }
}

impl Detectors {
    fn new(rules: Arc<detect::RuleSet>) -> Self {
        Self {
            live: Detector::new(Arc::clone(&rules)),
            history: None,
            evicted_before: 0,
            until: DateTime::UNIX_EPOCH,
            rules,
        }
    }

    /// Other rules from now on; windows that are under way go on.
    fn replace_rules(&mut self, rules: Arc<detect::RuleSet>) {
        self.live.engine.replace_rules(Arc::clone(&rules));
        if let Some(history) = &mut self.history {
            history.engine.replace_rules(Arc::clone(&rules));
        }
        self.rules = rules;
    }

    fn observe(&mut self, event: &Event, place: Option<&Place>, now: DateTime<Utc>) -> Vec<Finding> {
        if !self.live.is_too_late(event) {
            return self.live.observe(event, place, now);
        }
        if self.history.as_ref().is_none_or(|history| history.is_too_late(event)) {
            let before = self.history.replace(Detector::new(Arc::clone(&self.rules)));
            self.evicted_before += before.map_or(0, |before| before.engine.counters().groups_evicted_total);
        }
        self.history.as_mut().map_or_else(Vec::new, |history| history.observe(event, place, now))
    }

    fn evicted(&self) -> u64 {
        let history =
            self.history.as_ref().map_or(0, |history| history.engine.counters().groups_evicted_total);
        self.evicted_before + history + self.live.engine.counters().groups_evicted_total
    }
}

struct Turn<'a> {
    console: &'a Console,
    workspace: &'a Arc<Workspace>,
    holder: &'a str,
    detectors: Detectors,
    listed: Listed,
    /// When the rules were looked at last.
    rules_at: DateTime<Utc>,
    adopt: AdoptCursor,
    events: EventStore,
    renewed: DateTime<Utc>,
    saving: state::Saving,
    /// When sources that fell silent were looked for last.
    ticked: DateTime<Utc>,
    claimed: Option<DateTime<Utc>>,
    /// When the last pass over all keys ended; absent while one is under way.
    adopted_at: Option<DateTime<Utc>>,
}

impl Turn<'_> {
    /// Reads and processes one batch, adopts bare hashes, keeps the lease.
    async fn take(&mut self) -> Result<(), OpError> {
        self.keep_lease().await?;
        self.follow_rules().await?;
        let engine = self.workspace.engine();
        let adopted = self.adopt().await?;
        engine.quarantined.fetch_add(adopted.quarantined, Ordering::Relaxed);
        let mut items = self.claim().await?;
        if items.is_empty() {
            items = self.events.read_new(CONSUMER, BATCH, READ_WAIT_MS).await?;
        }
        let nothing = items.is_empty() && adopted.adopted == 0;
        if !items.is_empty() {
            self.process(items).await?;
        }
        let backlog = self.events.backlog().await?;
        let waiting = backlog.total();
        *engine.backlog.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
        let state = if waiting > BATCH as u64 { EngineState::Behind } else { EngineState::Running };
        if engine.set(state, "") {
            self.console.announce(&[Tag::Status]);
        }
        if nothing && waiting == 0 {
            self.tick().await?;
        }
        if nothing && waiting == 0 && adopted.wrapped {
            engine.idle_turns.send_modify(|turns| *turns += 1);
        }
        Ok(())
    }

    /// Looks for hashes that applications wrote without the queue: a part of a pass each turn, a pause between passes.
    async fn adopt(&mut self) -> Result<Adopted, OpError> {
        let now = self.workspace.now();
        if self.adopted_at.is_some_and(|at| now - at < ADOPT_PAUSE) {
            return Ok(Adopted::default());
        }
        let adopted = self.events.adopt_bare(&mut self.adopt, ADOPT_BUDGET).await?;
        self.adopted_at = adopted.wrapped.then_some(now);
        Ok(adopted)
    }

    /// Takes over rules that somebody changed: files of the directory, or the setting.
    async fn follow_rules(&mut self) -> Result<(), OpError> {
        let now = self.workspace.now();
        // What somebody changed in this process is known at once; files and other processes are looked at now and then.
        let changed_here = (self.workspace.rules().last())
            .is_some_and(|last| !Arc::ptr_eq(&last.set, &self.detectors.rules));
        if !changed_here && now - self.rules_at < RULES_PAUSE {
            return Ok(());
        }
        self.rules_at = now;
        let (rules, _) = self.workspace.rules().refresh(self.workspace, false).await?;
        if !Arc::ptr_eq(&rules.set, &self.detectors.rules) {
            self.detectors.replace_rules(rules.set);
            self.console.announce(&[Tag::Rules, Tag::Status]);
        }
        Ok(())
    }

    async fn keep_lease(&mut self) -> Result<(), OpError> {
        let now = self.workspace.now();
        if now - self.renewed < chrono::Duration::seconds(2) {
            return Ok(());
        }
        if !self.workspace.store().lease_acquire(LEASE, self.holder, LEASE_TTL, now).await? {
            return Err(OpError::new(
                ErrorCode::Conflict,
                "another console took over the engine of this database",
            ));
        }
        self.renewed = now;
        Ok(())
    }

    /// Entries that a dead engine left unacknowledged; looked for at the start and every ten seconds.
    async fn claim(&mut self) -> Result<Vec<StreamItem>, OpError> {
        let now = self.workspace.now();
        let due = self.claimed.is_none_or(|at| now - at > chrono::Duration::seconds(10));
        if !due {
            return Ok(Vec::new());
        }
        // This engine holds the lease, so at the start nobody else can be working on what is pending.
        let idle = if self.claimed.is_none() { Duration::ZERO } else { CLAIM_IDLE };
        let items = self.events.claim_stale(CONSUMER, idle, BATCH).await?;
        if items.is_empty() {
            self.claimed = Some(now);
        }
        Ok(items)
    }

    /// Lets time pass for sources that may have fallen silent. Only while nothing waits: what waits is no silence.
    async fn tick(&mut self) -> Result<(), OpError> {
        let now = self.workspace.now();
        if now - self.ticked < TICK_PAUSE {
            return Ok(());
        }
        self.ticked = now;
        let mut findings = self.detectors.live.engine.tick(now);
        if findings.is_empty() {
            return Ok(());
        }
        // Retention may have taken the last event of a source.
        let ids: Vec<_> = findings.iter().map(|finding| finding.event_id).collect();
        let known = self.workspace.store().known_events(&ids).await?;
        findings.retain(|finding| known.contains(&finding.event_id));
        let outcome =
            self.workspace.store().ingest(IngestBatch { events: &[], findings: &findings, now }).await?;
        self.workspace.engine().findings.fetch_add(outcome.findings, Ordering::Relaxed);
        Ok(())
    }

    async fn process(&mut self, items: Vec<StreamItem>) -> Result<(), OpError> {
        let engine = self.workspace.engine();
        let now = self.workspace.now().max(self.detectors.until + chrono::Duration::microseconds(1));
        self.detectors.until = now;
        let ids: Vec<String> = items.iter().map(|item| item.stream_id.clone()).collect();
        let mut readable: Vec<(Event, String)> = Vec::with_capacity(items.len());
        for item in items {
            match item.event {
                Ok(event) => readable.push((event, item.key)),
                // The event store has put it into quarantine with its reason.
                Err(_) => drop(engine.quarantined.fetch_add(1, Ordering::Relaxed)),
            }
        }
        let delivered = readable.len() as u64;
        let wanted: Vec<_> = readable.iter().map(|(event, _)| event.id).collect();
        let mut seen: HashSet<_> = self.workspace.store().known_events(&wanted).await?;
        readable.retain(|(event, _)| seen.insert(event.id));
        readable.sort_by_key(|(event, _)| (event.at, event.id));
        let findings = self.detect(&readable, now).await?;
        let saved = self.saving.is_due(now).then(|| self.detectors.save());
        let outcome = self
            .workspace
            .store()
            .ingest_saving(
                IngestBatch { events: &readable, findings: &findings, now },
                saved.as_deref().map(|body| (state::NAME, body)),
            )
            .await?;
        respond::respond(self.console, self.workspace, &findings, &readable).await?;
        if let Some(saved) = saved {
            self.saving.done(now, saved.len());
        }
        self.events.ack(&ids).await?;
        engine.duplicates.fetch_add(delivered - outcome.inserted, Ordering::Relaxed);
        engine.findings.fetch_add(findings.len() as u64, Ordering::Relaxed);
        engine.evicted.store(self.detectors.evicted(), Ordering::Relaxed);
        engine.count_processed(now, outcome.inserted);
        Ok(())
    }

    /// The findings of a batch in event-time order, with what is known about each and a score that follows from it.
    async fn detect(
        &mut self,
        events: &[(Event, String)],
        now: DateTime<Utc>,
    ) -> Result<Vec<Finding>, OpError> {
        let known = self.workspace.known(Freshness::Recent).await?;
        let mut found: Vec<(&Event, Option<Place>, Finding)> = Vec::new();
        for (event, _) in events {
            let place = known.place(event);
            let mut findings = self.detectors.observe(event, place.as_ref(), now);
            findings.extend(self.listed.fresh(&known, event));
            found.extend(findings.into_iter().map(|finding| (event, place.clone(), finding)));
        }
        let entities: HashSet<Entity> = found.iter().map(|(.., finding)| finding.entity.clone()).collect();
        let entities: Vec<Entity> = entities.into_iter().collect();
        let history = self.workspace.store().entity_history(&entities).await?;
        Ok(found
            .into_iter()
            .map(|(event, place, mut finding)| {
                let history = history.get(&finding.entity).copied().unwrap_or_default();
                known.knowledge.enrich(event, place.as_ref(), history, &mut finding);
                finding
            })
            .collect())
    }
}
