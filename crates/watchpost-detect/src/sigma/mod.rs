//! Sigma rules at work: detections over one event, correlations over windows of event time.

mod chain;
mod saved;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::DateTime;
use rsigma_eval::{
    CorrelationConfig, CorrelationEngine, CorrelationEventMode, Engine, EvalError, EvaluationResult,
    FieldMatch, MatchDetailLevel,
};
use rsigma_parser::{
    ConditionOperator, CorrelationCondition, CorrelationRule, FilterRule, SigmaCollection, SigmaRule,
};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::{Counter, DecodedLayer, Finding, MatchedField};
use watchpost_model::text::visible;

use self::chain::Chains;
pub(crate) use self::saved::Saved;
pub(crate) use self::view::{View, is_own};
use crate::finding::{Seen, entity_of, finding, finding_id};
use crate::rule::RuleInfo;

/// Most groups that correlations remember.
const GROUPS_MAX: usize = 100_000;
/// From how many groups on those that are over are looked for.
const GROUPS_SWEEP: usize = GROUPS_MAX / 16 * 15;
/// Most entries of one group's window.
pub(crate) const ENTRIES_MAX: usize = 10_000;
/// Events of a group that a finding names, the newest.
pub(crate) const LINKED_MAX: usize = 100;
/// How often one event counts at most.
const REPEATS_MAX: u32 = 1_000;
/// Longest text of a matched field that a finding keeps.
const TEXT_CHARS_MAX: usize = 2_048;

struct Correlation {
    info: Arc<RuleInfo>,
    threshold: u64,
    window_s: u64,
}

/// The Sigma rules of a set, compiled.
pub(crate) struct SigmaRules {
    engine: Engine,
    infos: HashMap<String, Arc<RuleInfo>>,
    correlations: HashMap<String, Correlation>,
    /// Rules that only feed correlations.
    quiet: HashSet<String>,
    loaded: SigmaCollection,
}

impl std::fmt::Debug for SigmaRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigmaRules({} detections, {} correlations)", self.infos.len(), self.correlations.len())
    }
}

impl SigmaRules {
    pub(crate) fn new() -> Self {
        Self {
            engine: Engine::new(),
            infos: HashMap::new(),
            correlations: HashMap::new(),
            quiet: HashSet::new(),
            loaded: SigmaCollection::new(),
        }
    }

    pub(crate) fn add_detection(&mut self, info: &Arc<RuleInfo>, rule: &SigmaRule) {
        self.infos.insert(info.id.clone(), Arc::clone(info));
        self.loaded.rules.push(rule.clone());
    }

    pub(crate) fn add_correlation(&mut self, info: &Arc<RuleInfo>, rule: &CorrelationRule) {
        let threshold = match &rule.condition {
            CorrelationCondition::Threshold { predicates, .. } => predicates
                .iter()
                .find_map(|(operator, count)| match operator {
                    ConditionOperator::Gte | ConditionOperator::Eq => Some(*count),
                    ConditionOperator::Gt => Some(count + 1),
                    _ => None,
                })
                .unwrap_or(1),
            CorrelationCondition::Extended(_) => rule.rules.len() as u64,
        };
        let correlation = Correlation {
            info: Arc::clone(info),
            threshold: threshold.max(1),
            window_s: rule.timespan.seconds.max(1),
        };
        self.correlations.insert(info.id.clone(), correlation);
        self.loaded.correlations.push(rule.clone());
    }

    pub(crate) fn add_filter(&mut self, filter: FilterRule) {
        self.loaded.filters.push(filter);
    }

    /// Builds the indexes; call once, after everything was added.
    ///
    /// # Errors
    /// The rules and filters that cannot run, by id.
    pub(crate) fn compile(mut self) -> Result<Self, HashMap<String, EvalError>> {
        let mut unfit: HashMap<String, EvalError> = HashMap::new();
        for (nth, error) in self.engine.add_rules(&self.loaded.rules) {
            let id = self.loaded.rules.get(nth).and_then(|rule| rule.id.clone());
            unfit.extend(id.map(|id| (id, error)));
        }
        let mut filters = SigmaCollection::new();
        filters.filters.append(&mut self.loaded.filters);
        if !filters.filters.is_empty() && self.engine.add_collection(&filters).is_err() {
            for filter in &filters.filters {
                let error = self.engine.apply_filter(filter).err();
                unfit.extend(filter.id.clone().zip(error));
            }
        }
        if !unfit.is_empty() {
            return Err(unfit);
        }
        self.engine.set_match_detail(MatchDetailLevel::Summary);
        let feeds = |rule: &SigmaRule, by: &CorrelationRule| {
            by.rules.iter().any(|name| rule.id.as_ref() == Some(name) || rule.name.as_ref() == Some(name))
        };
        for rule in &self.loaded.rules {
            let mut fed = self.loaded.correlations.iter().filter(|by| feeds(rule, by)).peekable();
            if fed.peek().is_some() && fed.all(|by| !by.generate) {
                self.quiet.extend(rule.id.clone());
            }
        }
        let correlated = &self.loaded.correlations;
        self.loaded.rules.retain(|rule| correlated.iter().any(|by| feeds(rule, by)));
        Ok(self)
    }

    /// What the detections say of one event.
    pub(crate) fn evaluate(&self, view: &View<'_>) -> Vec<EvaluationResult> {
        self.engine.evaluate(view)
    }

    /// The findings of these detections; those that only feed correlations are left out.
    pub(crate) fn findings<'a>(
        &'a self,
        event: &'a Event,
        results: &'a [EvaluationResult],
    ) -> impl Iterator<Item = Finding> + 'a {
        results.iter().filter_map(|result| {
            let id = result.header.rule_id.as_deref()?;
            let info = self.infos.get(id).filter(|_| !self.quiet.contains(id))?;
            let entity = entity_of(event);
            let matched = result.as_detection().and_then(|body| matched(&body.matched_fields));
            let shown = matched.as_ref().and_then(|matched| matched.layers.last());
            let summary = match (&matched, shown) {
                (Some(matched), Some(layer)) => {
                    format!("{} in {}: {}", info.title, matched.field, visible(&layer.text, 80))
                }
                _ => info.title.clone(),
            };
            Some(finding(
                info,
                event,
                Seen {
                    id: finding_id(event.at, &[id, &event.id.to_string(), &entity.to_string()]),
                    entity,
                    summary,
                    matched,
                    counter: None,
                    counted: None,
                    severity: info.severity,
                },
            ))
        })
    }
}

/// The first field that matched, raw and decoded.
fn matched(fields: &[FieldMatch]) -> Option<MatchedField> {
    let first = fields.iter().find(|field| !field.negated)?;
    let texts: Vec<String> = match &first.value {
        serde_json::Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    };
    let layer = |(nth, text): (usize, String)| DecodedLayer {
        decoder: if nth == 0 { "raw" } else { "decoded" }.to_owned(),
        text: text.chars().take(TEXT_CHARS_MAX).collect(),
        span: None,
    };
    let field = if first.field.is_empty() { "keywords".to_owned() } else { first.field.clone() };
    Some(MatchedField { field, layers: texts.into_iter().enumerate().map(layer).collect() })
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The windows of the correlations of one engine.
pub(crate) struct SigmaState {
    engine: CorrelationEngine,
    /// What was reported last, by rule and group: aligned window and step.
    reported: HashMap<String, (i64, u32)>,
    chains: Chains,
    swept_s: i64,
}

impl std::fmt::Debug for SigmaState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigmaState({} groups)", self.engine.state_count())
    }
}

impl SigmaState {
    /// Empty windows; `None` where there is nothing to correlate.
    pub(crate) fn new(rules: &SigmaRules) -> Option<Self> {
        if rules.loaded.correlations.is_empty() {
            return None;
        }
        let config = CorrelationConfig {
            max_state_entries: GROUPS_MAX,
            max_group_entries: Some(ENTRIES_MAX),
            correlation_event_mode: CorrelationEventMode::Refs,
            max_correlation_events: LINKED_MAX,
            ..CorrelationConfig::default()
        };
        let mut engine = CorrelationEngine::new(config);
        // Everything in it was compiled before and refers to what is there.
        engine.add_collection(&rules.loaded).ok()?;
        let chains = Chains::new(&rules.loaded.correlations);
        Some(Self { engine, reported: HashMap::new(), chains, swept_s: i64::MIN })
    }

    /// Windows for other rules; those of correlations with the same id go on.
    pub(crate) fn for_rules(self, rules: &SigmaRules) -> Option<Self> {
        let mut next = Self::new(rules)?;
        next.engine.import_state(self.engine.export_state());
        next.reported = self.reported;
        next.chains = next.chains.with_events_of(self.chains);
        Some(next)
    }

    pub(crate) fn save(&self) -> Saved {
        Saved::new(self.engine.export_state(), &self.reported, self.chains.save())
    }

    /// Goes on from what was saved; what correlations that are gone had counted is left out.
    pub(crate) fn restore(&mut self, saved: Saved) {
        self.reported = saved.reported.clone().into_iter().collect();
        self.chains.restore(saved.chained.clone());
        let empty = self.engine.export_state();
        self.engine.import_state(saved.into_snapshot(empty));
    }

    pub(crate) fn n_groups(&self) -> usize {
        self.engine.state_count()
    }

    /// Counts what was detected in `event`; returns what reached a threshold. `evicted` counts groups that had to go
    /// while they were not over.
    pub(crate) fn observe(
        &mut self,
        rules: &SigmaRules,
        event: &Event,
        view: &View<'_>,
        results: Vec<EvaluationResult>,
        evicted: &mut u64,
    ) -> Vec<Finding> {
        if results.is_empty() {
            return Vec::new();
        }
        let at_s = event.at.timestamp();
        if self.engine.state_count() >= GROUPS_SWEEP && self.swept_s != at_s {
            self.engine.evict_expired(at_s);
            self.swept_s = at_s;
        }
        let n_before = self.engine.state_count();
        let mut findings = Vec::new();
        // "message repeated n times" counts n.
        for _ in 1..event.count.min(REPEATS_MAX) {
            let results = self.engine.process_with_detections(view, results.clone(), at_s);
            findings.extend(results.iter().filter_map(|result| self.report(rules, event, result)));
        }
        let results = self.engine.process_with_detections(view, results, at_s);
        findings.extend(results.iter().filter_map(|result| self.report(rules, event, result)));
        *evicted += n_before.saturating_sub(self.engine.state_count()) as u64;
        findings
    }

    /// A finding when a count reaches its threshold and whenever it has doubled, per aligned window.
    fn report(&mut self, rules: &SigmaRules, event: &Event, result: &EvaluationResult) -> Option<Finding> {
        let behind = self.chains.behind(result, event);
        let body = result.as_correlation()?;
        let id = result.header.rule_id.as_deref()?;
        let rule = rules.correlations.get(id)?;
        // Counts are whole and far below 2^53.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, cut at zero")]
        let seen = body.aggregated_value.max(0.0) as u64;
        let step = (seen / rule.threshold).checked_ilog2().unwrap_or(0);
        let span = i64::try_from(rule.window_s).unwrap_or(i64::MAX);
        let window = event.at.timestamp().div_euclid(span);
        let group = body.group_key.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
        let key = format!("{id}\u{0}{group}");
        if self.reported.len() >= GROUPS_MAX {
            self.reported.clear();
        }
        let last = self.reported.entry(key).or_insert((i64::MIN, 0));
        if last.0 > window || last.0 == window && last.1 > step {
            return None;
        }
        *last = (window, step + 1);
        let started = DateTime::from_timestamp(window.saturating_mul(span), 0).unwrap_or(event.at);
        let parts = [id, &group, &window.to_string(), &step.to_string()];
        let info = &rule.info;
        let mut found = finding(
            info,
            event,
            Seen {
                id: finding_id(started, &parts),
                entity: group_entity(&body.group_key).unwrap_or_else(|| entity_of(event)),
                summary: format!("{}: {seen} in {} s ({})", info.title, rule.window_s, visible(&group, 80)),
                matched: None,
                counter: Some(Counter {
                    what: body.correlation_type.as_str().replace('_', " "),
                    seen,
                    threshold: rule.threshold,
                    window_s: rule.window_s,
                }),
                counted: None,
                severity: info.severity,
            },
        );
        found.linked = behind.iter().filter_map(|id| id.parse().ok()).collect();
        Some(found)
    }
}

/// The entity that a group stands for.
fn group_entity(group: &[(String, String)]) -> Option<Entity> {
    group.iter().find_map(|(field, value)| {
        let kind = view::entity_kind(field)?;
        (!value.is_empty()).then(|| Entity::new(kind, value.as_str()))
    })
}
