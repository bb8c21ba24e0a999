//! The engine: one event in, its findings out.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;

use crate::behaviour::Behaviours;
use crate::check::TokenKeys;
use crate::fields::fields;
use crate::ruleset::RuleSet;
use crate::sigma::SigmaState;

/// Caps and tolerances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Most sources and most users with failed logins that are remembered, each.
    pub login_groups_max: usize,
    /// Most sources whose requests are counted.
    pub request_groups_max: usize,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
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
    keys: TokenKeys,
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
            behaviours: Behaviours::new(config),
            sigma: rules.sigma.as_ref().and_then(SigmaState::new),
            rules,
            counters: Counters::default(),
            keys: TokenKeys::default(),
        }
    }

    /// Runs other rules from now on; what was counted so far stays.
    pub fn replace_rules(&mut self, rules: Arc<RuleSet>) {
        self.sigma = match (rules.sigma.as_ref(), self.sigma.take()) {
            (None, _) => None,
            (Some(sigma), None) => SigmaState::new(sigma),
            (Some(sigma), Some(state)) => state.for_rules(sigma),
        };
        self.rules = rules;
    }

    /// The same engine, which also checks the signatures of tokens with `keys`.
    #[must_use]
    pub fn with_keys(mut self, keys: TokenKeys) -> Self {
        self.keys = keys;
        self
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
        self.counters.events_total += 1;
        let fields = fields(event);
        self.counters.values_skipped_total += fields.n_dropped;
        let is_ahead = event.at > now + self.config.skew_max;
        let (rules, state, counters) = (&self.rules, &mut self.sigma, &mut self.counters);
        let mut findings = rules.looked_at(event, &fields, &self.keys, |view, results| {
            match (rules.sigma.as_ref(), state.as_mut().filter(|_| !is_ahead)) {
                (Some(sigma), Some(state)) => {
                    state.observe(sigma, event, view, results, &mut counters.groups_evicted_total)
                }
                _ => Vec::new(),
            }
        });
        if is_ahead {
            self.counters.events_future_total += 1;
        } else {
            self.behaviours.observe(&self.rules.behaviours, event, place, &mut findings, &mut self.counters);
        }
        self.counters.findings_total += findings.len() as u64;
        findings
    }

    /// Findings that no event brings because it is the absence of events that they are about; to be called every now
    /// and then while no events come. Equal states and equal `now`s make equal findings.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<Finding> {
        let findings = self.behaviours.tick(now);
        self.counters.findings_total += findings.len() as u64;
        findings
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
