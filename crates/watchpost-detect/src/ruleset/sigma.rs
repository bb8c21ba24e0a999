//! Plain Sigma documents: detections, correlations and filters.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rsigma_eval::{CorrelationConfig, EvalError, RuleFieldSet};
use rsigma_parser::{
    ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType, FilterRule, FilterRuleTarget,
    Level, SigmaCollection, SigmaRule, Status, parse_sigma_yaml,
};
use serde::Deserialize;
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;

use super::documents::{Kind, Part};
use super::format::SigmaExtension;
use super::native::tagged;
use super::near::hint;
use super::reason::{never, of_sigma};
use super::references::References;
use super::sense::{circles, foreign, senseless};
use super::{Body, Problem, ProblemKind};
use crate::rule::RuleInfo;
use crate::sigma::{SigmaRules, is_own};

/// A Sigma document that could be read.
#[derive(Debug, Clone)]
pub(super) enum Sigma {
    Detection(Box<SigmaRule>),
    Correlation(Box<CorrelationRule>),
    Filter(Box<FilterRule>),
}

#[derive(Deserialize)]
struct WithExtension {
    watchpost: Option<SigmaExtension>,
}

/// What a document defines: one rule, or several where `action: global` joins documents; and whether it is on.
pub(super) fn sigma(part: &Part<'_>, problems: &mut Vec<Problem>) -> Vec<(Body, bool)> {
    let enabled = !matches!(part.kind, Kind::Sigma(false));
    let extension = if part.id.is_some() || part.text.contains("watchpost:") {
        match part.read::<WithExtension>() {
            Ok(read) => read.watchpost.unwrap_or_default(),
            Err(problem) => {
                problems.push(problem);
                return Vec::new();
            }
        }
    } else {
        SigmaExtension::default()
    };
    let collection = match parse_sigma_yaml(&small_words(&part.text)) {
        Ok(collection) => collection,
        Err(error) => {
            problems.push(of_sigma(part, &error.to_string(), None));
            return Vec::new();
        }
    };
    let n_rules = collection.rules.len() + collection.correlations.len() + collection.filters.len();
    // With a rule beside it, what the parser has to say did not stop it.
    problems.extend(
        collection
            .errors
            .iter()
            .map(|error| Problem { is_warning: n_rules > 0, ..of_sigma(part, error, None) }),
    );
    let mut all = Vec::new();
    let mut n_of_id: HashMap<String, u32> = HashMap::new();
    for mut rule in collection.rules {
        let own = rule.id.take().unwrap_or_else(|| made_id(rule.name.as_deref().unwrap_or(&rule.title)));
        // Rules of a file with `action: global` may have one id from there.
        let n_before = n_of_id.entry(own.clone()).and_modify(|n| *n += 1).or_insert(1);
        let id = if *n_before == 1 { own } else { format!("{own}-{n_before}") };
        rule.id = Some(id.clone());
        if let Err(error) = rsigma_eval::compile_rule(&rule) {
            problems.push(of_sigma(part, &error.to_string(), Some(&rule)));
            continue;
        }
        if let Some(reason) = never(&rule) {
            let told = part.problem(ProblemKind::NeverFires, part.line_of("condition:"), reason);
            problems.push(Problem { is_warning: true, rule_id: Some(id.clone()), ..told });
        }
        let about =
            About { id, title: &rule.title, description: rule.description.as_deref(), level: rule.level };
        let info = about.info(rule.status, &rule.tags, &rule.falsepositives, &extension);
        problems.extend(of_elsewhere(part, &rule));
        all.push((Body::Sigma(info, Sigma::Detection(Box::new(rule))), enabled));
    }
    for mut rule in collection.correlations {
        let is_temporal =
            matches!(rule.correlation_type, CorrelationType::Temporal | CorrelationType::TemporalOrdered);
        if is_temporal && !part.text.contains("condition:") {
            // Without a condition all rules have to match; the parser takes one for enough.
            rule.condition = CorrelationCondition::Threshold {
                predicates: vec![(ConditionOperator::Gte, rule.rules.len() as u64)],
                field: None,
                percentile: None,
            };
        }
        let id = rule.id.get_or_insert_with(|| made_id(rule.name.as_deref().unwrap_or(&rule.title))).clone();
        if let Some(problem) = senseless(part, &rule) {
            problems.push(Problem { rule_id: Some(id), ..problem });
            continue;
        }
        if let Err(error) =
            rsigma_eval::CorrelationEngine::new(CorrelationConfig::default()).add_correlation(&rule)
        {
            problems.push(of_sigma(part, &error.to_string(), None));
            continue;
        }
        let about =
            About { id, title: &rule.title, description: rule.description.as_deref(), level: rule.level };
        let info = about.info(rule.status, &rule.tags, &rule.falsepositives, &extension);
        problems.extend(foreign(part, &rule));
        all.push((Body::Sigma(info, Sigma::Correlation(Box::new(rule))), enabled));
    }
    for filter in collection.filters {
        if let Err(error) = rsigma_eval::Engine::new().apply_filter(&filter) {
            problems.push(of_sigma(part, &error.to_string(), None));
            continue;
        }
        let id = filter.id.clone().unwrap_or_else(|| made_id(&filter.title));
        let about =
            About { id, title: &filter.title, description: filter.description.as_deref(), level: None };
        let info = about.info(filter.status, &filter.tags, &filter.falsepositives, &extension);
        all.push((Body::Sigma(info, Sigma::Filter(Box::new(filter))), enabled));
    }
    if all.is_empty() && n_rules == 0 && collection.errors.is_empty() {
        problems.push(part.problem(
            ProblemKind::Form,
            0,
            "holds no rule: neither `detection` nor `correlation` nor `filter`",
        ));
    }
    all
}

struct About<'a> {
    id: String,
    title: &'a str,
    description: Option<&'a str>,
    level: Option<Level>,
}

impl About<'_> {
    fn info(
        self,
        status: Option<Status>,
        tags: &[String],
        falsepositives: &[String],
        extension: &SigmaExtension,
    ) -> Arc<RuleInfo> {
        let (attack, owasp) = tagged(tags.iter().map(String::as_str));
        let confidence = match status {
            Some(Status::Stable) => 80,
            Some(Status::Test) | None => 65,
            Some(Status::Experimental) => 50,
            Some(Status::Deprecated | Status::Unsupported) => 30,
        };
        let severity = match self.level {
            Some(Level::Informational) => Severity::Info,
            Some(Level::Low) => Severity::Low,
            Some(Level::Medium) | None => Severity::Medium,
            Some(Level::High) => Severity::High,
            Some(Level::Critical) => Severity::Critical,
        };
        Arc::new(RuleInfo {
            id: self.id,
            version: extension.version.unwrap_or(1),
            title: self.title.to_owned(),
            description: self.description.unwrap_or("").trim().to_owned(),
            family: extension.family.unwrap_or_else(|| family(tags, &attack)),
            severity,
            confidence: extension.confidence.map_or(confidence, |own| own.min(100)),
            attack,
            owasp,
            controls: extension.controls.clone(),
            falsepositives: falsepositives.to_vec(),
            fires: extension.fires.clone(),
            near_misses: extension.near_misses.clone(),
        })
    }
}

/// `watchpost.FAMILY` among the tags, or what the technique says by itself.
fn family(tags: &[String], attack: &[String]) -> AttackFamily {
    let named = tags.iter().find_map(|tag| tag.strip_prefix("watchpost.")?.parse().ok());
    let meant = |id: &str| attack.iter().any(|technique| technique.starts_with(id));
    named.unwrap_or(match () {
        () if meant("T1110") => AttackFamily::BruteForce,
        () if meant("T1595") => AttackFamily::Scanner,
        () => AttackFamily::Custom,
    })
}

/// An id for a rule that has none: from its name, so that it stays the same.
fn made_id(name: &str) -> String {
    let slug: String =
        name.chars().map(|ch| if ch.is_alphanumeric() { ch.to_ascii_lowercase() } else { '-' }).collect();
    format!("sigma.{}", slug.trim_matches('-').chars().take(100).collect::<String>())
}

/// Conditions with their words in small letters: `AND`, `1 OF THEM` stand in older public rules.
fn small_words(text: &str) -> Cow<'_, str> {
    const WORDS: &[&str] = &["AND", "OR", "NOT", "OF", "ALL", "ANY", "THEM"];
    let is_condition = |line: &str| line.trim_start().starts_with("condition:");
    let is_word = |word: &str| WORDS.contains(&word.trim_matches(['(', ')']));
    let is_old = |line: &str| is_condition(line) && line.split(' ').any(is_word);
    if !text.lines().any(is_old) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| {
        if !is_old(line) {
            return line.to_owned();
        }
        let small = |word: &str| if is_word(word) { word.to_ascii_lowercase() } else { word.to_owned() };
        line.split(' ').map(small).collect::<Vec<_>>().join(" ")
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// The log sources that events come from.
const OWN_LOGS: &[&str] = &["webserver", "proxy", "application", "authentication"];
/// Correlations of missing rules for which a name like theirs is looked for.
const HINTS_MAX: usize = 100;
/// Fields that are named in a warning.
const FIELDS_TOLD: usize = 4;

/// A rule about processes or registries is loaded like any other one, and matches only what an application reports with
/// such names in its details.
fn of_elsewhere(part: &Part<'_>, rule: &SigmaRule) -> Option<Problem> {
    let mut alone = SigmaCollection::new();
    alone.rules.push(rule.clone());
    let fields = RuleFieldSet::collect(&alone, &[], false);
    let is_web = rule.logsource.category.as_deref().is_some_and(|category| OWN_LOGS.contains(&category));
    if is_web || fields.is_empty() {
        return None;
    }
    let foreign: Vec<&str> = fields.names().filter(|field| !is_own(field)).collect();
    // With a category of its own, one field that no event has is enough; else a rule of an application may mix them.
    let is_other = rule.logsource.category.is_some() && !foreign.is_empty() || foreign.len() == fields.len();
    if !is_other {
        return None;
    }
    let names: Vec<&str> = foreign.iter().copied().take(FIELDS_TOLD).collect();
    let more = if foreign.len() > FIELDS_TOLD { ", ..." } else { "" };
    let reason = format!(
        "is for other logs: no event has {}{more}, so it matches only where the details of one have them",
        names.join(", ")
    );
    Some(Problem {
        is_warning: true,
        rule_id: rule.id.clone(),
        ..part.problem(ProblemKind::OtherLogs, part.line_of("logsource:"), &reason)
    })
}

/// One rule that is on, with what is needed to say what is wrong with it.
pub(super) struct Loaded {
    pub(super) info: Arc<RuleInfo>,
    pub(super) sigma: Sigma,
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) references: References,
}

/// Everything that is on, put together; what refers to something that is not there becomes a problem, and a correlation
/// that does is named in `refused`, as is what cannot run.
pub(super) fn together(
    all: Vec<Loaded>,
    problems: &mut Vec<Problem>,
    refused: &mut HashSet<String>,
) -> Option<SigmaRules> {
    if all.is_empty() {
        return None;
    }
    let n_problems = problems.len();
    let mut report = |one: &Loaded, line: Option<u64>, reason: String, is_warning: bool| {
        problems.push(Problem {
            file: one.file.clone(),
            line: line.unwrap_or(one.line),
            rule_id: Some(one.info.id.clone()),
            kind: ProblemKind::Reference,
            reason,
            is_warning,
        });
    };
    // By id and by name.
    let mut known: HashSet<String> = HashSet::new();
    let mut id_of: HashMap<String, String> = HashMap::new();
    for one in &all {
        if let Sigma::Detection(rule) = &one.sigma {
            known.insert(one.info.id.clone());
            known.extend(rule.name.clone());
            id_of.extend(rule.name.clone().map(|name| (name, one.info.id.clone())));
        }
    }
    let mut rules = SigmaRules::new();
    // A correlation may refer to another one: take what is complete until nothing more is.
    let mut open: Vec<&Loaded> =
        all.iter().filter(|one| matches!(one.sigma, Sigma::Correlation(_))).collect();
    loop {
        let (ready, waiting): (Vec<&Loaded>, Vec<&Loaded>) = open.iter().partition(
            |one| matches!(&one.sigma, Sigma::Correlation(rule) if rule.rules.iter().all(|id| known.contains(id))),
        );
        if ready.is_empty() {
            break;
        }
        for one in ready {
            if let Sigma::Correlation(rule) = &one.sigma {
                known.insert(one.info.id.clone());
                known.extend(rule.name.clone());
                rules.add_correlation(&one.info, rule);
            }
        }
        open = waiting;
    }
    let circular = circles(&open);
    let mut names: Vec<&str> = known.iter().map(String::as_str).collect();
    names.sort_unstable();
    for (at, one) in open.into_iter().enumerate() {
        if let Sigma::Correlation(rule) = &one.sigma {
            let missing: Vec<&str> =
                rule.rules.iter().filter(|id| !known.contains(*id)).map(String::as_str).collect();
            let (line, reason) = match circular.get(&at) {
                Some(way) => (one.references.line(), format!("correlates itself in a circle: {way}")),
                None => {
                    let first = missing.first().copied().unwrap_or("");
                    let near =
                        if at < HINTS_MAX { hint(first, names.iter().copied()) } else { String::new() };
                    let reason = format!("correlates rules that are not there: {}{near}", missing.join(", "));
                    (one.references.line_of(first), reason)
                }
            };
            report(one, line, reason, false);
            refused.insert(one.info.id.clone());
        }
    }
    for one in &all {
        if let Sigma::Detection(rule) = &one.sigma {
            rules.add_detection(&one.info, rule);
        }
    }
    for one in &all {
        let Sigma::Filter(filter) = &one.sigma else { continue };
        let mut filter = (**filter).clone();
        filter.id = Some(one.info.id.clone());
        if let FilterRuleTarget::Specific(targets) = &mut filter.rules {
            for target in targets.iter_mut() {
                if let Some(id) = id_of.get(target) {
                    target.clone_from(id);
                } else if !known.contains(target) {
                    let near = hint(target, names.iter().copied());
                    let line = one.references.line_of(target);
                    report(one, line, format!("filters {target}, which is not there{near}"), true);
                }
            }
        }
        rules.add_filter(filter);
    }
    match rules.compile() {
        Ok(rules) => Some(rules),
        Err(unfit) => {
            // What was said of the others is said again.
            problems.truncate(n_problems);
            without(all, &unfit, problems, refused)
        }
    }
}

/// Those that are not `unfit`, put together. Each was read by itself before; one that cannot run beside the others all
/// the same is told at its place.
fn without(
    all: Vec<Loaded>,
    unfit: &HashMap<String, EvalError>,
    problems: &mut Vec<Problem>,
    refused: &mut HashSet<String>,
) -> Option<SigmaRules> {
    let (out, rest): (Vec<Loaded>, Vec<Loaded>) =
        all.into_iter().partition(|one| unfit.contains_key(&one.info.id));
    for one in &out {
        if let Some(error) = unfit.get(&one.info.id) {
            problems.push(Problem {
                file: one.file.clone(),
                line: one.line,
                rule_id: Some(one.info.id.clone()),
                kind: ProblemKind::Form,
                reason: format!("cannot run beside the other rules: {error}"),
                is_warning: false,
            });
            refused.insert(one.info.id.clone());
        }
    }
    if out.is_empty() { None } else { together(rest, problems, refused) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(id: &str, line: u64, expression: &str) -> Loaded {
        let text = format!(
            "title: {id}\nid: {id}\nlogsource: {{ category: webserver }}\ndetection:\n  selection:\n    \
             c-uri|re: '{expression}'\n  condition: selection\n"
        );
        let rule = parse_sigma_yaml(&text).expect("it is YAML").rules.remove(0);
        let about = About { id: id.to_owned(), title: id, description: None, level: None };
        Loaded {
            info: about.info(None, &[], &[], &SigmaExtension::default()),
            sigma: Sigma::Detection(Box::new(rule)),
            file: "own/web.yml".to_owned(),
            line,
            references: References::default(),
        }
    }

    #[test]
    fn a_rule_that_cannot_run_beside_others_is_told_at_its_place_and_the_others_run() {
        let all = vec![loaded("a.good", 1, "x+"), loaded("a.broken", 12, "x("), loaded("a.too", 24, "y+")];
        let (mut problems, mut refused) = (Vec::new(), HashSet::new());
        let rules = together(all, &mut problems, &mut refused).expect("the others run");
        assert_eq!(format!("{rules:?}"), "SigmaRules(2 detections, 0 correlations)");
        let [problem] = problems.as_slice() else { panic!("one problem: {problems:?}") };
        assert_eq!((problem.file.as_str(), problem.line), ("own/web.yml", 12));
        assert_eq!(problem.rule_id.as_deref(), Some("a.broken"));
        assert!(problem.reason.starts_with("cannot run beside the other rules: "), "{}", problem.reason);
        assert!(refused.contains("a.broken") && refused.len() == 1, "{refused:?}");
    }
}
