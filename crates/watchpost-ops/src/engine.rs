//! The detection engine at work: events from Redis through detection into the archive and incidents, exactly once.
//!
//! One engine works a database at a time: it holds a lease there. A batch is read from the stream, events that the
//! archive already knows are set aside, the rest are detected on, and archive rows, findings and incidents are written
//! in one transaction; only then is the batch acknowledged in Redis. Reading (see `read`), detection, making the rows and
//! committing them (see `commit`) each work on a batch of their own at a time; batches are committed in the order in which
//! the detectors saw them. Killed anywhere, the next engine reads the unacknowledged entries again and the archive
//! recognises what was written. What the detectors remember is saved with the batches (see `state`); without a usable state
//! the newest archived events are replayed.

mod commit;
mod detectors;
mod read;
mod state;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use watchpost_detect::RuleSet;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::event::Event;
use watchpost_model::ids::EventId;
use watchpost_redis::{EventStore, StreamItem};
use watchpost_store::{Lost, StoreError};

use self::commit::{Batch, Commits, Found, Subject};
use self::detectors::{Observer, rebuilt};
use self::read::{BATCH, Reader, Reading};

use crate::blocking::off_the_runtime;
use crate::console::{Console, Workspace};
use crate::contract::{EngineState, EngineStatus, Tag};
use crate::enrich::Freshness;
use crate::error::{ErrorCode, OpError};
use crate::respond;
use crate::told::Told;
use crate::upkeep;

pub(crate) const LEASE: &str = "engine";
/// A dead engine is replaced after this long.
const LEASE_TTL: Duration = Duration::from_secs(8);
/// How long [`Engine::until_idle`] waits for an engine that does not work.
const PATIENCE: Duration = Duration::from_secs(12);
/// Pause between two looks at how much waits, while there are events to process.
const BACKLOG_PAUSE: Duration = Duration::from_millis(200);
/// Pause between two looks at the rules directory.
const RULES_PAUSE: chrono::Duration = chrono::Duration::seconds(3);
/// Pause between two looks at sources that may have fallen silent, while nothing comes.
const TICK_PAUSE: chrono::Duration = chrono::Duration::seconds(30);
/// How long to wait before trying again after a failure.
const RETRY: Duration = Duration::from_secs(1);

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
    /// What the log says of its failures.
    told: Mutex<Told>,
    /// Erasures of people that its detectors know of.
    erasures: AtomicI64,
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
            told: Mutex::new(Told::default()),
            erasures: AtomicI64::new(0),
        }
    }

    /// It is going to run in this process: nobody is to look for another one that does.
    pub(crate) fn begins(&self) {
        self.set(EngineState::Starting, "");
    }

    /// Erasures of people up to which its detectors were built anew.
    pub(crate) fn erasures(&self) -> i64 {
        self.erasures.load(Ordering::Relaxed)
    }

    fn remembers_since(&self, erasures: i64) {
        self.erasures.store(erasures, Ordering::Relaxed);
    }

    /// Since when it has failed at every try; `None` while it works, waits for another one's lease, or is stopped.
    pub(crate) fn down_since(&self) -> Option<DateTime<Utc>> {
        *self.down_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine in figures.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> EngineStatus {
        let (state, detail) = self.state.borrow().clone();
        let quarantined_total = self.quarantined.load(Ordering::Relaxed);
        let evicted_total = self.evicted.load(Ordering::Relaxed);
        EngineStatus {
            state,
            detail,
            processed_total: self.processed.load(Ordering::Relaxed),
            duplicates_total: self.duplicates.load(Ordering::Relaxed),
            events_per_min: self.events_per_min(now),
            backlog: *self.backlog.lock().unwrap_or_else(PoisonError::into_inner),
            quarantined_total: Some(quarantined_total),
            evicted_total: Some(evicted_total),
            lost_total: Some(quarantined_total + evicted_total),
            findings_total: self.findings.load(Ordering::Relaxed),
            // Filled in by the status, which knows the rules.
            rules: None,
            rule_problems: None,
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

    /// Writes a failure into the log, with what to do about it; the same one rarely.
    fn say_failure(&self, console: &Console, workspace: &Workspace, problem: OpError) {
        let is_to_be_said = |told: &mut Told| told.is_to_be_said(problem.to_string(), Instant::now());
        if is_to_be_said(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner)) {
            let target = crate::targets::database_target(console, workspace.connection(), None);
            let problem = crate::error_map::naming_the_file(problem, &target, ": it goes on by itself then");
            let hint = problem.hint.as_deref();
            tracing::warn!(%problem, hint, "the engine stopped; trying again every second");
        }
    }

    /// It fails no more: it works, or waits for another one's lease.
    fn fails_no_more(&self) {
        *self.down_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It did what it is there for: a batch is committed, or nothing is to be.
    fn recover(&self) {
        self.fails_no_more();
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).is_over() {
            tracing::warn!("the engine works again");
        }
    }

    fn set(&self, state: EngineState, detail: impl Into<String>) -> bool {
        let detail = detail.into();
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
    let mut committing = JoinSet::new();
    stop.run_until_cancelled(async {
        loop {
            if let Err(problem) =
                Box::pin(hold_and_work(&console, &workspace, &holder, &mut committing)).await
                && workspace.engine().fail(workspace.now(), &problem)
            {
                workspace.engine().say_failure(&console, &workspace, problem);
                console.announce(&[Tag::Status]);
            }
            tokio::time::sleep(RETRY).await;
        }
    })
    .await;
    committing.shutdown().await;
    if let Err(problem) = workspace.store().lease_release(LEASE, &holder).await {
        tracing::debug!(%problem, "the lease was not given back; it runs out by itself");
    }
}

/// Acquires the lease, rebuilds the windows and works until something fails or the lease is lost.
async fn hold_and_work(
    console: &Console,
    workspace: &Arc<Workspace>,
    holder: &str,
    committing: &mut JoinSet<Result<(), OpError>>,
) -> Result<(), OpError> {
    let engine = workspace.engine();
    if !workspace.store().lease_acquire(LEASE, holder, LEASE_TTL, workspace.now()).await? {
        let why =
            "another console runs the engine of this database; this one takes over when its lease runs out";
        engine.fails_no_more();
        if engine.set(EngineState::Standby, why) {
            let seconds = LEASE_TTL.as_secs();
            tracing::warn!(
                "another console runs the engine of this database: this one waits; if that one was killed, for {seconds} s \
                 at most"
            );
            console.announce(&[Tag::Status]);
        }
        return Ok(());
    }
    // One that was opened just now may not have been reached yet: that is no failure.
    workspace.redis_tried().await;
    let events = workspace.events()?;
    if engine.state.borrow().0 == EngineState::Standby {
        tracing::warn!("this console runs the engine now");
    }
    engine.set(EngineState::Starting, "rebuilding the detection windows");
    events.ensure_group().await?;
    if let Err(problem) = events.clear_acknowledged().await {
        tracing::debug!(%problem, "what a crash left on the stream stays there; it does not count as waiting");
    }
    respond::recover(console, workspace).await?;
    let (rules, _) = workspace.rules().refresh(workspace, false).await?;
    let detectors = Box::pin(rebuilt(workspace, rules.set)).await?;
    // Rebuilding may have taken longer than the lease: whoever has it by now works.
    let renewed = workspace.now();
    if !workspace.store().lease_acquire(LEASE, holder, LEASE_TTL, renewed).await? {
        return Err(taken_over());
    }
    let commits = commit::start(committing, console, workspace, &events, detectors.evicted());
    let mut turn = Turn {
        console,
        workspace,
        holder,
        rules: Arc::clone(&detectors.rules),
        observer: Arc::new(Mutex::new(Observer::new(detectors))),
        rules_at: workspace.now(),
        reader: Some(Reader::new(events.clone(), workspace.store().clone())),
        reading: JoinSet::new(),
        events,
        renewed,
        ticked: workspace.now(),
        is_unplaced: true,
        looked_at: None,
        waiting: 0,
        commits,
    };
    let worked = async {
        loop {
            if let Err(problem) = turn.take().await {
                return problem;
            }
        }
    };
    let problem = tokio::select! {
        // A commit that fails ends everything: what the detectors saw after it was never stored.
        Some(ended) = committing.join_next() => return commit::why(ended),
        problem = worked => problem,
    };
    drop(turn);
    if problem.code == ErrorCode::Conflict {
        // Another engine works; what this one has not committed is that one's.
        committing.shutdown().await;
        return Err(problem);
    }
    // What was detected on before is still committed; then the saved state and the archive agree.
    while let Some(ended) = committing.join_next().await {
        commit::why(ended)?;
    }
    Err(problem)
}

fn taken_over() -> OpError {
    OpError::new(ErrorCode::Conflict, "another console took over the engine of this database")
}

struct Turn<'a> {
    console: &'a Console,
    workspace: &'a Arc<Workspace>,
    holder: &'a str,
    observer: Arc<Mutex<Observer>>,
    /// What it follows.
    rules: Arc<RuleSet>,
    /// When the rules were looked at last.
    rules_at: DateTime<Utc>,
    /// Absent while the next batch is being read.
    reader: Option<Reader>,
    reading: JoinSet<(Reader, Result<Reading, OpError>)>,
    events: EventStore,
    renewed: DateTime<Utc>,
    /// When sources that fell silent were looked for last.
    ticked: DateTime<Utc>,
    /// Events came since the places of all sources were written.
    is_unplaced: bool,
    /// When it was asked last how much waits, and the answer.
    looked_at: Option<Instant>,
    waiting: u64,
    commits: Commits,
}

impl Turn<'_> {
    /// Processes one batch, has the next one read meanwhile, keeps the lease.
    async fn take(&mut self) -> Result<(), OpError> {
        self.keep_lease().await?;
        self.follow_rules().await?;
        let engine = self.workspace.engine();
        let Reading { items, adopted, known, stored } = self.read().await?;
        engine.quarantined.fetch_add(adopted.quarantined, Ordering::Relaxed);
        self.workspace.store().lost_add(Lost::Quarantined, adopted.quarantined, self.workspace.now()).await?;
        let nothing = items.is_empty() && adopted.adopted == 0;
        if nothing {
            self.commits.settle().await?;
        } else if !items.is_empty() {
            self.read_ahead();
            self.commits.forget_stored(stored);
            self.process(items, known).await?;
        }
        if nothing || self.looked_at.is_none_or(|at| at.elapsed() >= BACKLOG_PAUSE) {
            self.look_at_backlog().await?;
        }
        if !self.commits.is_busy() {
            engine.recover();
        }
        if nothing && self.waiting == 0 {
            self.tick().await?;
        }
        if nothing && self.waiting == 0 && self.is_unplaced {
            upkeep::place_all(self.workspace).await?;
            self.is_unplaced = false;
        }
        if nothing && self.waiting == 0 && adopted.wrapped {
            engine.idle_turns.send_modify(|turns| *turns += 1);
        }
        Ok(())
    }

    /// The next batch: what was read ahead, else what a dead engine left or comes now.
    async fn read(&mut self) -> Result<Reading, OpError> {
        let (mut reader, ahead) = match (self.reader.take(), self.reading.join_next().await) {
            (_, Some(read)) => {
                let (reader, result) = read
                    .map_err(|error| OpError::internal(format!("the engine's reading stopped: {error}")))?;
                (reader, Some(result))
            }
            (Some(reader), None) => (reader, None),
            (None, None) => (Reader::new(self.events.clone(), self.workspace.store().clone()), None),
        };
        let result = match ahead {
            Some(result) => result,
            None => {
                let now = self.workspace.now();
                if reader.is_claim_due(now) {
                    // What is being committed is pending as well.
                    self.commits.settle().await?;
                    reader.claim(now).await?;
                }
                reader.is_awaited = self.workspace.engine().idle_turns.receiver_count() > 0;
                reader.read(now, self.commits.is_busy(), self.commits.stored()).await
            }
        };
        self.reader = Some(reader);
        result
    }

    /// Begins to read the next batch, unless what a dead engine left is to be looked for first.
    fn read_ahead(&mut self) {
        let (now, stored) = (self.workspace.now(), self.commits.stored());
        if let Some(mut reader) = self.reader.take_if(|reader| !reader.is_claim_due(now)) {
            self.reading.spawn(async move {
                let result = reader.read(now, true, stored).await;
                (reader, result)
            });
        }
    }

    async fn look_at_backlog(&mut self) -> Result<(), OpError> {
        self.looked_at = Some(Instant::now());
        self.waiting = self.events.waiting().await?;
        let engine = self.workspace.engine();
        *engine.backlog.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.waiting);
        let state = if self.waiting > BATCH as u64 { EngineState::Behind } else { EngineState::Running };
        if engine.set(state, "") {
            self.console.announce(&[Tag::Status]);
        }
        Ok(())
    }

    /// Takes over rules that somebody changed: files of the directory, or the setting.
    async fn follow_rules(&mut self) -> Result<(), OpError> {
        let now = self.workspace.now();
        // What somebody changed in this process is known at once; files and other processes are looked at now and then.
        let changed_here =
            (self.workspace.rules().last()).is_some_and(|last| !Arc::ptr_eq(&last.set, &self.rules));
        if !changed_here && now - self.rules_at < RULES_PAUSE {
            return Ok(());
        }
        self.rules_at = now;
        let (rules, _) = self.workspace.rules().refresh(self.workspace, false).await?;
        if !Arc::ptr_eq(&rules.set, &self.rules) {
            self.rules = Arc::clone(&rules.set);
            self.observe(|observer| observer.detectors.replace_rules(rules.set)).await?;
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
            return Err(taken_over());
        }
        self.renewed = now;
        if self.workspace.store().erasure_epoch().await? != self.workspace.engine().erasures() {
            return Err(OpError::precondition("somebody was erased: the detection windows are built anew"));
        }
        Ok(())
    }

    /// Lets time pass for sources that may have fallen silent. Only while nothing waits: what waits is no silence.
    async fn tick(&mut self) -> Result<(), OpError> {
        let now = self.workspace.now();
        if now - self.ticked < TICK_PAUSE {
            return Ok(());
        }
        self.ticked = now;
        let (now, findings) = self
            .observe(move |observer| (observer.storing_time(now), observer.detectors.live.engine.tick(now)))
            .await?;
        if findings.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = findings.iter().map(|finding| finding.event_id).collect();
        // Retention may have taken the last event of a source.
        let mut about = self.workspace.store().events_by_ids(&ids).await?;
        let known = self.workspace.known(Freshness::Recent).await?;
        let found = findings.into_iter().filter_map(|finding| {
            let event = about.remove(&finding.event_id)?;
            Some(Found { place: known.place(&event), subject: Subject::Stored(Box::new(event)), finding })
        });
        let found: Vec<Found> = found.collect();
        // Saved with the findings: a source that is silent is told once, also by the engine after this one.
        let seen = self.observe(move |observer| observer.seen(found, now, true)).await?;
        let sealer = self.workspace.sealer().await?;
        let make = move || Batch::new(now, Vec::new(), seen, known, &sealer);
        self.commits.send(Vec::new(), 0, false, make).await
    }

    /// Has the detectors work, away from the threads that serve everybody.
    async fn observe<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Observer) -> T + Send + 'static,
    ) -> Result<T, OpError> {
        let observer = Arc::clone(&self.observer);
        off_the_runtime(move || work(&mut observer.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    /// Detects on what was read and the archive does not know, and hands it on, to be made ready and committed while the next
    /// batch is detected on.
    async fn process(&mut self, items: Vec<StreamItem>, mut known: HashSet<EventId>) -> Result<(), OpError> {
        self.is_unplaced = true;
        let acknowledge: Vec<String> = items.iter().map(|item| item.stream_id.clone()).collect();
        let (bytes, is_full) = (items.iter().map(|item| item.bytes).sum(), items.len() >= BATCH);
        let mut events: Vec<(Event, String)> = Vec::with_capacity(items.len());
        let mut unread = 0;
        for item in items {
            match item.event {
                Ok(event) => events.push((event, item.key)),
                // The event store has put it into quarantine with its reason.
                Err(_) => unread += 1,
            }
        }
        self.workspace.engine().quarantined.fetch_add(unread, Ordering::Relaxed);
        let delivered = events.len() as u64;
        events.retain(|(event, _)| !self.commits.is_ahead(event.id) && known.insert(event.id));
        events.sort_by_key(|(event, _)| (event.at, event.id));
        let ids = events.iter().map(|(event, _)| event.id).collect();
        let known = self.workspace.known(Freshness::Recent).await?;
        let sealer = self.workspace.sealer().await?;
        let now = self.workspace.now();
        let (now, events, seen, known) = self
            .observe(move |observer| {
                let now = observer.storing_time(now);
                let seen = observer.observe(&events, &known, now);
                (now, events, seen, known)
            })
            .await?;
        let make = move || -> Result<Batch, StoreError> {
            let batch = Batch::new(now, events, seen, known, &sealer)?;
            Ok(Batch { acknowledge, delivered, unread, ..batch })
        };
        self.commits.send(ids, bytes, is_full, make).await
    }
}
