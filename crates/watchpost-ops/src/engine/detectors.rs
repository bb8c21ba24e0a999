//! The detectors of the engine, and how they are rebuilt when it starts.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use watchpost_detect as detect;
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;
use watchpost_store::{EventCursor, StoringCursor};

use super::commit::{Found, Subject};
use super::state;
use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::enrich::{Freshness, Known, Listed};
use crate::error::OpError;

/// Archived events replayed to rebuild the detection windows where no saved state can be used.
const REPLAY: u32 = 50_000;
/// Between two warnings of clocks that are ahead.
const CLOCK_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// The step of storing times.
pub(super) const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Detectors that stand where the last run left them, or whose windows hold what the newest archived events left there.
pub(super) async fn rebuilt(
    workspace: &Workspace,
    rules: Arc<detect::RuleSet>,
) -> Result<Detectors, OpError> {
    let store = workspace.store();
    let erasures = store.erasure_epoch().await?;
    let name = state::name(erasures);
    if erasures > 0 {
        store.engine_state_only(&name).await?;
    }
    workspace.engine().remembers_since(erasures);
    let saved = store.engine_state(&name).await?;
    let restored = saved.and_then(|saved| Some((Detectors::restored(&rules, &saved.body)?, saved.until)));
    let (mut detectors, from) = match restored {
        Some(restored) => restored,
        None => {
            let first = store.stored_at_of_newest(REPLAY).await?;
            (Detectors::new(rules), first.map_or(DateTime::UNIX_EPOCH, |first| first - TICK))
        }
    };
    detectors.until = from;
    let known = workspace.known(Freshness::Now).await?;
    let mut cursor = None;
    loop {
        let page = store.events_stored_after(from, cursor, state::PAGE).await?;
        let Some((last, stored_at)) = page.last() else { return Ok(detectors) };
        cursor = Some(StoringCursor { stored_at: *stored_at, event: EventCursor::of(last) });
        let known = Arc::clone(&known);
        detectors = off_the_runtime(move || {
            for (event, stored_at) in page {
                detectors.observe(&event, known.place(&event).as_ref(), stored_at);
                detectors.until = stored_at;
            }
            detectors
        })
        .await?;
    }
}

/// The detector of what happens now, and one for history that comes in later.
///
/// Behaviours count in windows that move forward, so an old log that is imported beside live traffic would be too late
/// for all of them. It gets windows of its own, which begin anew whenever something older still comes.
pub(super) struct Detectors {
    pub(super) rules: Arc<detect::RuleSet>,
    pub(super) live: Detector,
    pub(super) history: Option<Detector>,
    evicted_before: u64,
    /// Storing time of the last batch; that of the next one is later.
    pub(super) until: DateTime<Utc>,
}

pub(super) struct Detector {
    pub(super) engine: detect::Engine,
    pub(super) newest: DateTime<Utc>,
}

impl Detector {
    pub(super) fn new(rules: Arc<detect::RuleSet>) -> Self {
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
    pub(super) fn new(rules: Arc<detect::RuleSet>) -> Self {
        Self {
            live: Detector::new(Arc::clone(&rules)),
            history: None,
            evicted_before: 0,
            until: DateTime::UNIX_EPOCH,
            rules,
        }
    }

    /// Other rules from now on; windows that are under way go on.
    pub(super) fn replace_rules(&mut self, rules: Arc<detect::RuleSet>) {
        self.live.engine.replace_rules(Arc::clone(&rules));
        if let Some(history) = &mut self.history {
            history.engine.replace_rules(Arc::clone(&rules));
        }
        self.rules = rules;
    }

    pub(super) fn observe(
        &mut self,
        event: &Event,
        place: Option<&Place>,
        now: DateTime<Utc>,
    ) -> Vec<Finding> {
        if !self.live.is_too_late(event) {
            return self.live.observe(event, place, now);
        }
        if self.history.as_ref().is_none_or(|history| history.is_too_late(event)) {
            let before = self.history.replace(Detector::new(Arc::clone(&self.rules)));
            self.evicted_before += before.map_or(0, |before| before.engine.counters().groups_evicted_total);
        }
        self.history.as_mut().map_or_else(Vec::new, |history| history.observe(event, place, now))
    }

    pub(super) fn evicted(&self) -> u64 {
        let history =
            self.history.as_ref().map_or(0, |history| history.engine.counters().groups_evicted_total);
        self.evicted_before + history + self.live.engine.counters().groups_evicted_total
    }
}

/// Everything that a batch changes in memory: behind a lock, because it works on threads of its own (see
/// [`off_the_runtime`]).
pub(super) struct Observer {
    pub(super) detectors: Detectors,
    pub(super) listed: Listed,
    pub(super) saving: state::Saving,
    /// How many events of the future were told, and when.
    told_ahead: (u64, Option<DateTime<Utc>>),
}

/// What was seen in a batch.
pub(super) struct Seen {
    pub(super) found: Vec<Found>,
    /// What the detectors remember after it, when that is to be saved.
    pub(super) state: Option<Vec<u8>>,
    /// Groups that the detectors have dropped so far.
    pub(super) evicted: u64,
}

impl Observer {
    pub(super) fn new(detectors: Detectors) -> Self {
        let told_ahead = (detectors.live.engine.counters().events_future_total, None);
        Self { detectors, listed: Listed::default(), saving: state::Saving::default(), told_ahead }
    }

    /// The storing time of a batch that comes at `now`; those of batches grow.
    pub(super) fn storing_time(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.detectors.until = now.max(self.detectors.until + TICK);
        self.detectors.until
    }

    /// Detects on the events of a batch.
    pub(super) fn observe(&mut self, events: &[(Event, String)], known: &Known, now: DateTime<Utc>) -> Seen {
        let mut found = Vec::new();
        for (index, (event, _)) in events.iter().enumerate() {
            let place = known.place(event);
            let mut findings = self.detectors.observe(event, place.as_ref(), now);
            findings.extend(self.listed.fresh(known, event));
            let of = |finding| Found { subject: Subject::New(index), place: place.clone(), finding };
            found.extend(findings.into_iter().map(of));
        }
        self.warn_of_clocks(now);
        self.seen(found, now, false)
    }

    /// Events that behaviours do not count because a sender's clock is wrong are told now and then.
    fn warn_of_clocks(&mut self, now: DateTime<Utc>) {
        let ahead = self.detectors.live.engine.counters().events_future_total;
        let (told, at) = self.told_ahead;
        if ahead > told && at.is_none_or(|at| now < at || now - at >= CLOCK_PAUSE) {
            let n = ahead - told;
            tracing::warn!(
                n,
                "events are dated in the future; behaviours do not count them: check the senders' clocks"
            );
            self.told_ahead = (ahead, Some(now));
        }
    }

    /// With what the detectors remember, if it is to be saved now or `anyway`.
    pub(super) fn seen(&mut self, found: Vec<Found>, now: DateTime<Utc>, anyway: bool) -> Seen {
        let state = (anyway || self.saving.is_due(now)).then(|| self.detectors.save());
        if let Some(state) = &state {
            self.saving.done(now, state.len());
        }
        Seen { found, state, evicted: self.detectors.evicted() }
    }
}
