//! The events behind correlations of correlations: the evaluator counts their results and forgets what those counted.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use rsigma_eval::{CorrelationBody, EvaluationResult};
use rsigma_parser::CorrelationRule;
use watchpost_model::event::Event;

use super::LINKED_MAX;

/// Most groups whose events are remembered; beyond, those that are over go, and then all.
const GROUPS_MAX: usize = 10_000;

/// A correlation that counts the results of others.
#[derive(Debug, Clone)]
struct Outer {
    id: String,
    group_by: Vec<String>,
    window_s: i64,
}

/// Time (Unix seconds) and id of events.
type Events = VecDeque<(i64, String)>;

/// What the results of correlations counted, for the correlations that count those results.
#[derive(Debug, Default)]
pub(super) struct Chains {
    /// By the id of the inner correlation.
    outer: HashMap<String, Vec<Outer>>,
    /// By the outer correlation and its group: the newest events.
    events: HashMap<String, Events>,
}

impl Chains {
    pub(super) fn new(rules: &[CorrelationRule]) -> Self {
        let mut outer: HashMap<String, Vec<Outer>> = HashMap::new();
        for inner in rules {
            let Some(inner_id) = &inner.id else { continue };
            let is_inner = |name: &String| name == inner_id || inner.name.as_ref() == Some(name);
            for rule in rules.iter().filter(|rule| rule.rules.iter().any(is_inner)) {
                let Some(id) = rule.id.clone() else { continue };
                outer.entry(inner_id.clone()).or_default().push(Outer {
                    id,
                    group_by: rule.group_by.clone(),
                    window_s: i64::try_from(rule.timespan.seconds).unwrap_or(i64::MAX),
                });
            }
        }
        Self { outer, events: HashMap::new() }
    }

    /// The events behind one result, this one left out; and remembers them for the correlations above it. To be called
    /// for every result of `event`, in the order in which they came.
    pub(super) fn behind(&mut self, result: &EvaluationResult, event: &Event) -> Vec<String> {
        let (Some(body), Some(id)) = (result.as_correlation(), result.header.rule_id.as_deref()) else {
            return Vec::new();
        };
        let own = event.id.to_string();
        let mut behind: Vec<(i64, String)> = match &body.event_refs {
            Some(refs) => refs.iter().filter_map(|of| Some((of.timestamp, of.id.clone()?))).collect(),
            None => Vec::new(),
        };
        let fields: Vec<&str> = body.group_key.iter().map(|(field, _)| field.as_str()).collect();
        behind.extend(self.events.get(&key(id, &fields, body)).into_iter().flatten().cloned());
        let mut known = HashSet::new();
        behind.retain(|(_, of)| *of != own && known.insert(of.clone()));
        let at_s = event.at.timestamp();
        for outer in self.outer.get(id).into_iter().flatten() {
            let fields: Vec<&str> = outer.group_by.iter().map(String::as_str).collect();
            let events = self.events.entry(key(&outer.id, &fields, body)).or_default();
            events.retain(|(at, of)| {
                at.saturating_add(outer.window_s) >= at_s && !known.contains(of) && *of != own
            });
            events.extend(behind.iter().cloned());
            events.push_back((at_s, own.clone()));
            let over = events.len().saturating_sub(LINKED_MAX);
            events.drain(..over);
        }
        if self.events.len() > GROUPS_MAX {
            self.sweep(at_s);
        }
        behind.into_iter().map(|(_, id)| id).collect()
    }

    fn sweep(&mut self, at_s: i64) {
        let longest = self.outer.values().flatten().map(|outer| outer.window_s).max().unwrap_or(0);
        self.events
            .retain(|_, events| events.back().is_some_and(|(at, _)| at.saturating_add(longest) >= at_s));
        if self.events.len() > GROUPS_MAX {
            self.events.clear();
        }
    }

    pub(super) fn save(&self) -> BTreeMap<String, Vec<(i64, String)>> {
        self.events.iter().map(|(key, events)| (key.clone(), events.iter().cloned().collect())).collect()
    }

    pub(super) fn restore(&mut self, saved: BTreeMap<String, Vec<(i64, String)>>) {
        self.events = saved.into_iter().map(|(key, events)| (key, events.into())).collect();
    }

    /// The same events under other rules.
    pub(super) fn with_events_of(mut self, other: Self) -> Self {
        self.events = other.events;
        self
    }
}

/// A correlation and one of its groups: the values of its fields, as far as `body` has them.
fn key(id: &str, fields: &[&str], body: &CorrelationBody) -> String {
    let mut key = id.to_owned();
    for field in fields {
        let value =
            body.group_key.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.as_str());
        key.push('\u{0}');
        key.push_str(value);
    }
    key
}
