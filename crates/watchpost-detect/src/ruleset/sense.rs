//! Correlations that can be read and make no sense: they would never fire, or with every event.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use rsigma_parser::{ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType};

use super::documents::Part;
use super::sigma::{Loaded, Sigma};
use super::{Problem, ProblemKind};
use crate::sigma::{ENTRIES_MAX, is_own};

/// Longest window of a correlation.
const WINDOW_S_MAX: u64 = 31 * 86_400;

/// What makes no sense in a correlation, at the line where it stands.
pub(super) fn senseless(part: &Part<'_>, rule: &CorrelationRule) -> Option<Problem> {
    let told = |key: &str, reason: String| Some(part.problem(ProblemKind::Form, line_of(part, key), reason));
    if !(1..=WINDOW_S_MAX).contains(&rule.timespan.seconds) {
        return told("time", format!("{:?} is no window from 1s to 31d", rule.timespan.original));
    }
    if let Some(gap) = rule.gap.as_ref().filter(|gap| gap.seconds == 0) {
        return told("gap:", format!("{:?} is no pause between events", gap.original));
    }
    if rule.rules.is_empty() {
        return told("rules:", "it correlates no rules".to_owned());
    }
    let is_itself = |name: &String| Some(name) == rule.id.as_ref() || Some(name) == rule.name.as_ref();
    if rule.rules.iter().any(is_itself) {
        return told("rules:", "it correlates itself".to_owned());
    }
    let mut seen = HashSet::new();
    if let Some(field) =
        rule.group_by.iter().find(|field| field.trim().is_empty() || !seen.insert(field.as_str()))
    {
        let reason = format!("`group-by` has a field without a name, or one of them twice: {field:?}");
        return told("group-by:", reason);
    }
    let says_group = part.find(|line| line.trim_start().starts_with("group-by:")).is_some();
    if says_group && rule.group_by.is_empty() {
        return told("group-by:", "`group-by` names no field: leave it out to count all events".to_owned());
    }
    told("condition:", condition(rule)?)
}

/// The first line that begins with `key`, else that of the correlation.
fn line_of(part: &Part<'_>, key: &str) -> u64 {
    part.find(|line| line.trim_start().starts_with(key)).unwrap_or_else(|| part.line_of("correlation:"))
}

/// What is wrong with the condition.
fn condition(rule: &CorrelationRule) -> Option<String> {
    use CorrelationType as Type;
    let CorrelationCondition::Threshold { predicates, field, .. } = &rule.condition else { return None };
    let kind = rule.correlation_type;
    let is_of_values = !matches!(kind, Type::EventCount | Type::Temporal | Type::TemporalOrdered);
    if is_of_values && field.is_none() {
        return Some(format!("a {} needs the `field` whose values it looks at", kind.as_str()));
    }
    // The parser reads them as numbers without a sign.
    if predicates.iter().any(|(_, count)| i64::try_from(*count).is_err()) {
        return Some("a threshold is not negative".to_owned());
    }
    if is_of_values && kind != Type::ValueCount {
        return None;
    }
    let (mut low, mut high, mut has_low) = (0_u64, u64::MAX, false);
    for (operator, count) in predicates {
        match operator {
            ConditionOperator::Gte => (low, has_low) = (low.max(*count), true),
            ConditionOperator::Gt => (low, has_low) = (low.max(count.saturating_add(1)), true),
            ConditionOperator::Eq => (low, high, has_low) = (low.max(*count), high.min(*count), true),
            ConditionOperator::Lte => high = high.min(*count),
            ConditionOperator::Lt => high = high.min(count.saturating_sub(1)),
            ConditionOperator::Neq => {}
        }
    }
    if high == 0 || low > high {
        return Some("the condition never holds: no count is as it says".to_owned());
    }
    if has_low && low == 0 {
        return Some("a threshold is at least 1".to_owned());
    }
    if kind == Type::ValueCount && has_low && low < 2 {
        return Some("a count of different values begins at 2: one is there with every event".to_owned());
    }
    if matches!(kind, Type::Temporal | Type::TemporalOrdered) {
        let n_rules = rule.rules.len() as u64;
        return (low > n_rules)
            .then(|| format!("the condition never holds: it asks for {low} of {n_rules} rules"));
    }
    (low > ENTRIES_MAX as u64)
        .then(|| format!("the condition never holds: a window keeps at most {ENTRIES_MAX} of a group"))
}

/// Fields that no event has by itself: the details of an event may have them, so this is for its author to know.
pub(super) fn foreign(part: &Part<'_>, rule: &CorrelationRule) -> Option<Problem> {
    let counted = match &rule.condition {
        CorrelationCondition::Threshold { field: Some(fields), .. } => fields.as_slice(),
        _ => &[],
    };
    let is_alias = |field: &String| rule.aliases.iter().any(|alias| alias.alias == *field);
    let all = rule.group_by.iter().chain(counted);
    let names: Vec<&str> =
        all.filter(|field| !is_own(field) && !is_alias(field)).map(String::as_str).collect();
    if names.is_empty() {
        return None;
    }
    let reason = format!("no event has {}: it counts only those whose details have that", names.join(", "));
    let told = part.problem(ProblemKind::OtherLogs, line_of(part, "group-by:"), reason);
    Some(Problem { is_warning: true, rule_id: rule.id.clone(), ..told })
}

/// Correlations that wait for each other: by the place in `open` the way from it over others back to it.
pub(super) fn circles(open: &[&Loaded]) -> HashMap<usize, String> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (at, one) in open.iter().enumerate() {
        if let Sigma::Correlation(rule) = &one.sigma {
            index.insert(&one.info.id, at);
            index.extend(rule.name.as_deref().map(|name| (name, at)));
        }
    }
    let next = |at: usize| -> Vec<usize> {
        match &open[at].sigma {
            Sigma::Correlation(rule) => {
                rule.rules.iter().filter_map(|name| index.get(name.as_str()).copied()).collect()
            }
            Sigma::Detection(_) | Sigma::Filter(_) => Vec::new(),
        }
    };
    let way = |start: usize| -> Option<String> {
        let mut from: HashMap<usize, usize> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for to in next(at) {
                if to == start {
                    let mut names = vec![open[start].info.id.as_str()];
                    let mut step = at;
                    while step != start {
                        names.push(&open[step].info.id);
                        step = *from.get(&step)?;
                    }
                    names.push(&open[start].info.id);
                    names.reverse();
                    return Some(names.join(", "));
                }
                if let Entry::Vacant(entry) = from.entry(to) {
                    entry.insert(at);
                    queue.push_back(to);
                }
            }
        }
        None
    };
    (0..open.len()).filter_map(|at| Some((at, way(at)?))).collect()
}
