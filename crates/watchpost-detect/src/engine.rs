//! The engine: one event in, its findings out.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::baseline::Baseline;
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;

use crate::behaviour::Behaviours;
use crate::fields::fields;
use crate::ruleset::RuleSet;
use crate::sigma::SigmaState;
use crate::state::{self, StateError};

/// Caps and tolerances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Most sources and most users with failed logins that are remembered, each.
    pub login_groups_max: usize,
    /// Most sources whose requests are counted.
    pub request_groups_max: usize,
    /// Most sessions, most users with a place and most entities with findings that are remembered, each.
    pub session_groups_max: usize,
    /// Most users whose habits are learned.
    pub profile_users_max: usize,
    /// Most endpoints whose habits are learned.
    pub profile_endpoints_max: usize,
    /// Events that a user needs before anything is unusual for that user.
    pub baseline_events_min: u32,
    /// Different days with events that a user or endpoint needs before anything is unusual for it.
    pub baseline_days_min: u32,
    /// How much older than the newest event an event may be and still be counted by behaviours.
    pub lateness_max: Duration,
    /// How far ahead of `now` an event's time may be and still be counted by behaviours.
    pub skew_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            login_groups_max: 50_000,
            request_groups_max: 100_000,
            session_groups_max: 50_000,
            profile_users_max: 20_000,
            profile_endpoints_max: 5_000,
            baseline_events_min: 30,
            baseline_days_min: 7,
            lateness_max: Duration::minutes(10),
            skew_max: Duration::minutes(5),
        }
    }
}

impl Config {
    /// How far back events must be replayed to rebuild the state: the longest window of `rules` and the lateness.
    #[must_use]
    pub fn replay_window(&self, rules: &RuleSet) -> Duration {
        Duration::seconds(i64::from(rules.longest_window_s())) + self.lateness_max
    }
}

/// What the engine has done and what it could not do, since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Events observed.
    pub events_total: u64,
    /// Findings made.
    pub findings_total: u64,
    /// Groups dropped because a table was full, not because they were over.
    pub groups_evicted_total: u64,
    /// Events too old for the behaviours.
    pub events_late_total: u64,
    /// Events too far in the future for the behaviours.
    pub events_future_total: u64,
    /// Values of events that were not looked at because there were too many in one event.
    pub values_skipped_total: u64,
    /// Groups remembered now.
    pub groups: u64,
}

/// Detects. Deterministic: state depends on the events and the `now`s alone.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    rules: Arc<RuleSet>,
    behaviours: Behaviours,
    sigma: Option<SigmaState>,
    counters: Counters,
}

impl Engine {
    /// An engine with the rules that ship and without history. After a restart replay [`Config::replay_window`] of
    /// events into it.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_rules(config, RuleSet::embedded())
    }

    /// An engine with these rules and without history.
    #[must_use]
    pub fn with_rules(config: Config, rules: Arc<RuleSet>) -> Self {
        Self {
            config,
            behaviours: Behaviours::new(config, &rules.behaviours),
            sigma: rules.sigma.as_ref().and_then(SigmaState::new),
            rules,
            counters: Counters::default(),
        }
    }

    /// Runs other rules from now on; what was counted so far stays.
    pub fn replace_rules(&mut self, rules: Arc<RuleSet>) {
        self.sigma = match (rules.sigma.as_ref(), self.sigma.take()) {
            (None, _) => None,
            (Some(sigma), None) => SigmaState::new(sigma),
            (Some(sigma), Some(state)) => state.for_rules(sigma),
        };
        self.behaviours.set_rules(&rules.behaviours);
        self.rules = rules;
    }

    /// The findings of `event`, which may come late or out of order; `now` is the time of observation.
    ///
    /// Shape: at most one finding a rule. A behaviour reports when its threshold is reached and then each time the count
    /// has doubled, per window. Ids depend on rule, event (or window) and group alone, so a replay makes the same ones.
    ///
    /// The rules about places say nothing here: [`Engine::observe_at`] tells them where the source is.
    pub fn observe(&mut self, event: &Event, now: DateTime<Utc>) -> Vec<Finding> {
        self.observe_at(event, None, now)
    }

    /// As [`Engine::observe`], with the place of the event's source address where it is known.
    pub fn observe_at(&mut self, event: &Event, place: Option<&Place>, now: DateTime<Utc>) -> Vec<Finding> {
        let mut findings = self.look(event, now);
        self.count(event, place, now, &mut findings);
        findings
    }

    /// As [`Engine::observe_at`] for an event that the caller knows to be too late for behaviours: they do not count it.
    pub fn observe_late(&mut self, event: &Event, now: DateTime<Utc>) -> Vec<Finding> {
        let findings = self.look(event, now);
        self.counters.events_late_total += 1;
        self.counters.findings_total += findings.len() as u64;
        findings
    }

    /// What the event says by itself, and correlations.
    fn look(&mut self, event: &Event, now: DateTime<Utc>) -> Vec<Finding> {
        self.counters.events_total += 1;
        let fields = fields(event);
        self.counters.values_skipped_total += fields.n_dropped;
        let is_ahead = event.at > now + self.config.skew_max;
        let (rules, state, counters) = (&self.rules, &mut self.sigma, &mut self.counters);
        rules.looked_at(event, &fields, |view, results| {
            match (rules.sigma.as_ref(), state.as_mut().filter(|_| !is_ahead)) {
                (Some(sigma), Some(state)) => {
                    state.observe(sigma, event, view, results, &mut counters.groups_evicted_total)
                }
                _ => Vec::new(),
            }
        })
    }

    /// As [`Engine::observe_at`] without looking into the event: only what shows over several events. For traffic
    /// whose content was looked at elsewhere, and for learning from history.
    pub fn observe_behaviours(
        &mut self,
        event: &Event,
        place: Option<&Place>,
        now: DateTime<Utc>,
    ) -> Vec<Finding> {
        self.counters.events_total += 1;
        let mut findings = Vec::new();
        self.count(event, place, now, &mut findings);
        findings
    }

    fn count(
        &mut self,
        event: &Event,
        place: Option<&Place>,
        now: DateTime<Utc>,
        findings: &mut Vec<Finding>,
    ) {
        if event.at > now + self.config.skew_max {
            self.counters.events_future_total += 1;
        } else {
            self.behaviours.observe(event, place, now, findings, &mut self.counters);
        }
        self.counters.findings_total += findings.len() as u64;
    }

    /// Findings that no event brings because it is the absence of events that they are about; to be called every now
    /// and then while no events come. Equal states and equal `now`s make equal findings.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<Finding> {
        let findings = self.behaviours.tick(now);
        self.counters.findings_total += findings.len() as u64;
        findings
    }

    /// The windows, habits and counters as bytes: [`Engine::restore`] goes on from them as if nothing had happened.
    /// Windows of Sigma correlations are among them.
    ///
    /// Shape: four letters, a version, then the state in the postcard format; equal states are equal bytes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let sigma = self.sigma.as_ref().map(SigmaState::save);
        state::write(self.counters, &self.behaviours.save(), sigma.as_ref())
    }

    /// Goes on from what [`Engine::save`] made. Rules that are gone since are left out, new ones begin empty.
    ///
    /// # Errors
    /// [`StateError`] if the bytes are of another version or damaged; then nothing has changed.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (counters, behaviours, sigma) = state::read(bytes)?;
        self.counters = counters;
        self.behaviours.restore(behaviours);
        if let (Some(state), Some(saved)) = (self.sigma.as_mut(), sigma) {
            state.restore(saved);
        }
        Ok(())
    }

    /// What was learned of users and endpoints, as an exchange form. `from`, `to` and `events` say what it was
    /// learned from.
    #[must_use]
    pub fn baseline(&self, from: DateTime<Utc>, to: DateTime<Utc>, events: u64) -> Baseline {
        self.behaviours.baselines().export(from, to, events)
    }

    /// Takes habits that were learned elsewhere in the place of what is known of the same users and endpoints.
    pub fn learn_baseline(&mut self, baseline: &Baseline) {
        self.behaviours.baselines_mut().import(baseline);
    }

    /// The rules that it runs.
    #[must_use]
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            groups: (self.behaviours.n_groups() + self.sigma.as_ref().map_or(0, SigmaState::n_groups)) as u64,
            ..self.counters
        }
    }

    /// The caps and tolerances it was made with.
    #[must_use]
    pub const fn config(&self) -> Config {
        self.config
    }
}
