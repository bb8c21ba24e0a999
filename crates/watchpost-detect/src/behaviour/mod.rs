//! Behaviours: what shows only over several events. Time is event time, lateness is bounded, every table has a cap.
//!
//! | module | holds |
//! |---|---|
//! | `facts` | what an event is to the behaviours, read once |
//! | `cell`, `table` | the memory of one group, and groups with hard caps |
//! | `count` | rules that count: thresholds over windows and leaking buckets |
//! | `sequence` | what completed a sequence of one group |
//! | `session`, `travel` | one session or one user in two places |
//! | `gap` | sources of events that fall silent |
//! | `chain` | several stages of an attack by one entity |
//!
//! A count is reported when it reaches the threshold, and again whenever it has doubled. The identity of a report is the
//! rule, the group, the aligned window and the step, so a replay that starts elsewhere makes the same ids.

mod cell;
mod chain;
mod count;
pub(crate) mod facts;
mod gap;
mod sequence;
mod session;
mod state;
pub(crate) mod table;
mod travel;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use watchpost_model::event::{Entity, Event, Severity};
use watchpost_model::finding::{Counter, Finding};
use watchpost_model::place::Place;

use self::chain::Chains;
use self::count::Counting;
use self::facts::Facts;
use self::gap::Gaps;
use self::session::Sessions;
use self::travel::Travels;
use crate::baseline::Baselines;
use crate::engine::{Config, Counters};
use crate::finding::{Seen, finding, finding_id};
use crate::rules::{Behaviour, Of, When};

pub(crate) use self::cell::MEMBERS_MAX as VALUES_MAX;
pub(crate) use self::state::State;

/// The state of all behaviours.
#[derive(Debug)]
pub(crate) struct Behaviours {
    config: Config,
    counting: Counting,
    sessions: Sessions,
    travels: Travels,
    baselines: Baselines,
    gaps: Gaps,
    chains: Chains,
    special: Special,
    newest_ms: i64,
}

impl Behaviours {
    pub(crate) fn new(config: Config, rows: &[Arc<Behaviour>]) -> Self {
        let mut new = Self {
            config,
            counting: Counting::default(),
            sessions: Sessions::new(config.session_groups_max),
            travels: Travels::new(config.session_groups_max),
            baselines: Baselines::new(&config),
            gaps: Gaps::default(),
            chains: Chains::new(config.session_groups_max),
            special: Special::default(),
            newest_ms: i64::MIN,
        };
        new.set_rules(rows);
        new
    }

    /// Goes on with other rules; what rules of the same id have counted stays.
    pub(crate) fn set_rules(&mut self, rows: &[Arc<Behaviour>]) {
        self.counting.set_rules(rows, &self.config);
        self.special = Special::of(rows);
    }

    pub(crate) fn n_groups(&self) -> usize {
        self.counting.n_groups()
            + self.sessions.len()
            + self.travels.len()
            + self.baselines.len()
            + self.gaps.len()
            + self.chains.len()
    }

    pub(crate) fn baselines(&self) -> &Baselines {
        &self.baselines
    }

    pub(crate) fn baselines_mut(&mut self) -> &mut Baselines {
        &mut self.baselines
    }

    /// The absence of events: see [`crate::Engine::tick`].
    pub(crate) fn tick(&mut self, now: DateTime<Utc>) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.gaps.tick(self.special.silence.as_deref(), now, &mut findings);
        findings
    }

    pub(crate) fn observe(
        &mut self,
        event: &Event,
        place: Option<&Place>,
        now: DateTime<Utc>,
        findings: &mut Vec<Finding>,
        counters: &mut Counters,
    ) {
        let at_ms = event.at.timestamp_millis();
        if at_ms < self.newest_ms.saturating_sub(self.config.lateness_max.num_milliseconds()) {
            counters.events_late_total += 1;
            return;
        }
        self.newest_ms = self.newest_ms.max(at_ms);
        let mut facts = Facts::of(event);
        // Asked before the event teaches it.
        facts.is_at_home = facts.has(When::LoginWorked) && self.baselines.is_at_home(&facts);
        let evicted = &mut counters.groups_evicted_total;
        self.counting.observe(event, &facts, findings, evicted);
        if facts.session.is_some() {
            let rows = (self.special.agent.as_deref(), self.special.network.as_deref());
            self.sessions.observe(rows, event, &facts, place, findings, evicted);
        }
        if let Some(place) = place {
            self.travels.observe(self.special.travel.as_deref(), event, &facts, place, findings, evicted);
        }
        self.baselines.observe(&self.special, event, &facts, place, findings, evicted);
        self.gaps.observe(self.special.silence.as_deref(), event, now, findings);
        if !findings.is_empty() {
            self.chains.observe(self.special.stages.as_deref(), event, findings, evicted);
        }
    }
}

/// The rules whose logic is code, where they are on. Looked up once, not for every event.
#[derive(Debug, Default)]
pub(crate) struct Special {
    agent: Option<Arc<Behaviour>>,
    network: Option<Arc<Behaviour>>,
    travel: Option<Arc<Behaviour>>,
    silence: Option<Arc<Behaviour>>,
    stages: Option<Arc<Behaviour>>,
    pub(crate) hour: Option<Arc<Behaviour>>,
    pub(crate) country: Option<Arc<Behaviour>>,
    pub(crate) device: Option<Arc<Behaviour>>,
    pub(crate) volume: Option<Arc<Behaviour>>,
    pub(crate) rate: Option<Arc<Behaviour>>,
}

impl Special {
    fn of(rows: &[Arc<Behaviour>]) -> Self {
        let row =
            |id: &str| rows.iter().find(|row| row.counts.of == Of::Special && row.info.id == id).cloned();
        Self {
            agent: row("wp.session.agent"),
            network: row("wp.session.network"),
            travel: row("wp.travel.impossible"),
            silence: row("wp.gap.silence"),
            stages: row("wp.chain.stages"),
            hour: row("wp.profile.hour"),
            country: row("wp.profile.country"),
            device: row("wp.profile.device"),
            volume: row("wp.data.volume"),
            rate: row("wp.rate.unusual"),
        }
    }
}

/// What a rule that does not merely count has seen.
pub(crate) struct Unusual<'a> {
    pub(crate) entity: Entity,
    pub(crate) summary: String,
    /// Count and limit.
    pub(crate) counter: (u64, u64),
    /// What tells this finding from others of the rule and entity, however often the events are replayed.
    pub(crate) identity: &'a [&'a str],
    pub(crate) severity: Severity,
}

/// A finding of a rule that does not merely count.
pub(crate) fn unusual(row: &Behaviour, event: &Event, started: DateTime<Utc>, seen: Unusual<'_>) -> Finding {
    let entity = seen.entity.to_string();
    let mut parts = vec![row.info.id.as_str(), entity.as_str()];
    parts.extend_from_slice(seen.identity);
    let (count, threshold) = seen.counter;
    finding(
        &row.info,
        event,
        Seen {
            id: finding_id(started, &parts),
            entity: seen.entity,
            summary: seen.summary,
            matched: None,
            counter: Some(Counter {
                what: row.what.clone(),
                seen: count,
                threshold,
                window_s: u64::from(row.window_s),
            }),
            counted: None,
            severity: seen.severity,
        },
    )
}

/// A length of time for people.
pub(crate) fn length(seconds: u64) -> String {
    let many = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match seconds {
        60 => "a minute".to_owned(),
        3_600 => "an hour".to_owned(),
        86_400 => "a day".to_owned(),
        0..120 => many(seconds, "second"),
        120..7_200 => many(seconds / 60, "minute"),
        7_200..172_800 => many(seconds / 3_600, "hour"),
        _ => many(seconds / 86_400, "day"),
    }
}
