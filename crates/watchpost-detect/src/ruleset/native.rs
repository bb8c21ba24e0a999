//! A native document made into a rule that can run.

use std::collections::HashSet;
use std::sync::Arc;

use serde_saphyr::Spanned;
use watchpost_model::finding::AttackFamily;

use super::documents::Part;
use super::format::{Alternatives, Correlation, CorrelationKind, Document, Match, Scalar};
use super::{Adjust, Body, Problem, ProblemKind};
use crate::behaviour::VALUES_MAX;
use crate::check::Check;
use crate::decode::DECODERS;
use crate::expression::{Expression, parsed};
use crate::gap::{Gap, Literals, gap};
use crate::rule::RuleInfo;
use crate::rules::{Also, Behaviour, By, Counts, Matcher, Of, Part as Counted, SPECIAL, Scope, Signature};
use crate::sigma::is_own;

/// Longest window of a behaviour, in seconds.
pub const WINDOW_S_MAX: u32 = 7 * 86_400;

/// The rule of a document, and whether it says that it is on. What its gate shuts out goes to `told`, where that is
/// asked for.
pub(super) fn native(
    part: &Part<'_>,
    adjust: Option<&Adjust>,
    told: Option<&mut Vec<Problem>>,
) -> Result<(Body, bool), Problem> {
    let document: Document = part.read()?;
    let line = document.watchpost.referenced.line();
    let extension = document.watchpost.value;
    let confidence = u8::try_from(extension.confidence.value).ok().filter(|confidence| *confidence <= 100);
    let Some(confidence) = confidence else {
        let line = extension.confidence.referenced.line();
        return Err(part.problem(ProblemKind::Form, line, "confidence is from 0 to 100"));
    };
    if document.id.value.trim().is_empty() || document.id.value.len() > 128 {
        return Err(part.problem(
            ProblemKind::Form,
            document.id.referenced.line(),
            "an id has 1 to 128 characters",
        ));
    }
    let (attack, owasp) = tagged(document.tags.iter().map(|tag| tag.value.as_str()));
    let info = Arc::new(RuleInfo {
        id: document.id.value,
        version: extension.version,
        title: document.title,
        description: document.description.trim().to_owned(),
        family: extension.family,
        severity: document.level.into(),
        confidence,
        attack,
        owasp,
        controls: extension.controls,
        falsepositives: document.falsepositives,
        fires: extension.fires,
        near_misses: extension.near_misses,
    });
    let body = match (extension.r#match, extension.counts) {
        (Some(matched), None) => {
            if let Some(correlation) = document.correlation {
                let line = correlation.referenced.line();
                return Err(part.problem(
                    ProblemKind::Form,
                    line,
                    "a rule with `match` has no `correlation`",
                ));
            }
            let gate = gate(part, extension.gate)?;
            let matcher = matcher(part, matched, &gate, told)?;
            Body::Signature(Arc::new(Signature {
                info,
                gate,
                scope: extension.scope.unwrap_or(Scope::Any),
                matcher,
                layers: decoders(part, extension.layers.unwrap_or_default())?,
                yields: yields(part, extension.yields)?,
                unless: extension
                    .unless
                    .map(|name| check(part, &name.value, name.referenced.line()))
                    .transpose()?,
            }))
        }
        (None, Some(counts)) => {
            if counts.of == Of::Special && !SPECIAL.contains(&info.id.as_str()) {
                return Err(part.problem(
                    ProblemKind::Form,
                    line,
                    "`of: special` is for rules that ship: count something else",
                ));
            }
            let correlation = document.correlation.ok_or_else(|| {
                part.problem(
                    ProblemKind::Form,
                    line,
                    "a rule with `counts` needs a `correlation` with timespan and condition",
                )
            })?;
            grouped(part, &correlation.value)?;
            let (threshold, window_s) = counted_over(part, &correlation)?;
            if let Some(reason) = senseless(&counts, threshold) {
                return Err(part.problem(ProblemKind::Form, part.line_of("counts:"), reason));
            }
            Body::Behaviour(Arc::new(Behaviour {
                info,
                counts,
                threshold: adjust.and_then(|adjust| adjust.threshold).unwrap_or(threshold).max(1),
                window_s: adjust
                    .and_then(|adjust| adjust.window_s)
                    .unwrap_or(window_s)
                    .clamp(1, WINDOW_S_MAX),
                own: (threshold.max(1), window_s.max(1)),
                what: extension.what.unwrap_or_else(|| "events".to_owned()),
            }))
        }
        (Some(_), Some(_)) => {
            return Err(part.problem(ProblemKind::Form, line, "give either `match` or `counts`, not both"));
        }
        (None, None) => return Err(part.problem(ProblemKind::Form, line, "give `match` or `counts`")),
    };
    Ok((body, document.enabled))
}

/// How a signature confirms. What its gate shuts out goes to `told`.
fn matcher(
    part: &Part<'_>,
    matched: Spanned<Match>,
    gate: &[String],
    told: Option<&mut Vec<Problem>>,
) -> Result<Matcher, Problem> {
    let line = matched.referenced.line();
    Ok(match matched.value {
        Match::Regex(all) => {
            let expression = compiled(part, &all, line)?;
            if let Some(told) = told {
                told.extend(shut_out(part, &all, gate, line));
            }
            Matcher::Regex(expression)
        }
        Match::Sql(shape) => Matcher::Sql(shape),
        Match::Shell(shape) => Matcher::Shell(shape),
        Match::Check(name) => Matcher::Check(check(part, &name, line)?),
    })
}

/// Families, and ids of rules, which have a dot.
fn yields(part: &Part<'_>, all: Vec<Spanned<String>>) -> Result<Vec<String>, Problem> {
    for name in &all {
        if !name.value.contains('.') && name.value.parse::<AttackFamily>().is_err() {
            let reason = format!("`yields`: {:?} is neither a family nor the id of a rule", name.value);
            return Err(part.problem(ProblemKind::Form, name.referenced.line(), reason));
        }
    }
    Ok(all.into_iter().map(|name| name.value).collect())
}

/// ATT&CK techniques and the OWASP category among Sigma tags: `attack.t1110.001`, `owasp.a05-2025`.
pub(super) fn tagged<'a>(tags: impl Iterator<Item = &'a str>) -> (Vec<String>, Option<String>) {
    let mut attack = Vec::new();
    let mut owasp = None;
    for tag in tags {
        let tag = tag.to_ascii_lowercase();
        if let Some(technique) = tag.strip_prefix("attack.t")
            && technique.starts_with(|ch: char| ch.is_ascii_digit())
        {
            attack.push(format!("T{technique}"));
        } else if let Some(category) = tag.strip_prefix("owasp.") {
            owasp.get_or_insert_with(|| category.to_ascii_uppercase().replace('-', ":"));
        }
    }
    (attack, owasp)
}

fn compiled(part: &Part<'_>, all: &Alternatives, line: u64) -> Result<Box<Expression>, Problem> {
    if all.0.is_empty() || all.0.iter().all(|one| one.value.is_empty()) {
        return Err(part.problem(ProblemKind::Form, line, "an empty expression matches everything"));
    }
    let joined = all.0.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join("|");
    Expression::new(&joined).map(Box::new).map_err(|error| {
        // Of several, say which.
        let wrong = all.0.iter().find_map(|one| {
            let error = Expression::new(&one.value).err()?;
            Some((one.referenced.line(), one.value.as_str(), error))
        });
        let (at, error) = match wrong {
            Some((at, wrong, error)) => {
                let at = if at == 0 { line } else { at };
                // A block of YAML begins below the line that announces it.
                let first = wrong.trim_start().lines().next().unwrap_or("");
                let below = part.find_from(at, |line| !first.is_empty() && line.contains(first));
                (below.filter(|below| *below == at + 1).unwrap_or(at), error)
            }
            None => (line, error),
        };
        let reason = error.lines().last().unwrap_or("").trim_start_matches("error: ");
        part.problem(ProblemKind::Expression, at, format!("the regular expression is wrong: {reason}"))
    })
}

/// Expressions some of whose matches have no literal of the gate, which leaves them to be found by chance.
fn shut_out(part: &Part<'_>, all: &Alternatives, gate: &[String], line: u64) -> Vec<Problem> {
    let literals = if gate.is_empty() { None } else { Literals::new(gate) };
    let Some(literals) = literals else { return Vec::new() };
    let told = |one: &Spanned<String>| {
        let missing = match parsed(&one.value).map_or(Gap::None, |hir| gap(&hir, &literals)) {
            Gap::None => return None,
            Gap::Text(text) => format!("{:?} has no literal of the gate", clipped(&text)),
            Gap::Unknown => "it is too large to compare with the gate".to_owned(),
        };
        let at = if one.referenced.line() == 0 { line } else { one.referenced.line() };
        let reason = format!(
            "the gate may turn away what this expression matches: {missing}: {}",
            clipped(&one.value)
        );
        Some(Problem { is_warning: true, ..part.problem(ProblemKind::Expression, at, reason) })
    };
    all.0.iter().filter_map(told).collect()
}

/// The beginning of a text, for a message.
fn clipped(text: &str) -> String {
    const CHARS_MAX: usize = 100;
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

fn check(part: &Part<'_>, name: &str, line: u64) -> Result<Check, Problem> {
    Check::ALL.iter().copied().find(|check| check.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        part.problem(ProblemKind::Form, line, format!("{name:?} is no check: use {}", known.join(", ")))
    })
}

fn gate(part: &Part<'_>, gate: Vec<Spanned<String>>) -> Result<Vec<String>, Problem> {
    if let Some(short) = gate.iter().find(|literal| literal.value.is_empty()) {
        return Err(part.problem(
            ProblemKind::Form,
            short.referenced.line(),
            "a literal of the gate is empty: every text has it",
        ));
    }
    // Texts are compared in ASCII too: a capital letter with an accent stays one.
    Ok(gate.into_iter().map(|literal| literal.value.to_ascii_lowercase()).collect())
}

fn decoders(part: &Part<'_>, names: Vec<Spanned<String>>) -> Result<Vec<&'static str>, Problem> {
    let known = |name: Spanned<String>| {
        DECODERS.iter().copied().find(|known| *known == name.value).ok_or_else(|| {
            let reason = format!("{:?} is no decoder: use {}", name.value, DECODERS.join(", "));
            part.problem(ProblemKind::Form, name.referenced.line(), reason)
        })
    };
    names.into_iter().map(known).collect()
}

/// Refuses what no group is made by. The names are not evaluated: `counts` says by whom is counted.
fn grouped(part: &Part<'_>, correlation: &Correlation) -> Result<(), Problem> {
    let told = |line: u64, reason: String| Err(part.problem(ProblemKind::Form, line, reason));
    let line = part.find(|line| line.trim_start().starts_with("group-by:"));
    let fields = correlation.group_by.as_deref().unwrap_or_default();
    if fields.is_empty() && (line.is_some() || correlation.group_by.is_some()) {
        return told(line.unwrap_or(0), "`group-by` names no field: leave it out".to_owned());
    }
    let mut seen = HashSet::new();
    for field in fields {
        let at = field.referenced.line();
        let Scalar::Text(name) = &field.value else {
            return told(
                at,
                "`group-by` is a list of names of fields, and one of them is no text".to_owned(),
            );
        };
        if name.trim().is_empty() {
            return told(at, "`group-by` has a field without a name".to_owned());
        }
        if !seen.insert(name.as_str()) {
            return told(at, format!("`group-by` names {name:?} twice"));
        }
        if !is_own(name) {
            return told(at, format!("`group-by`: no event has a field {name:?}; src_ip and actor are some"));
        }
    }
    Ok(())
}

/// A threshold as it is written.
fn limit(part: &Part<'_>, written: Option<&Spanned<Scalar>>) -> Result<Option<u32>, Problem> {
    let Some(written) = written else { return Ok(None) };
    let whole = match &written.value {
        Scalar::Whole(number) => u32::try_from(*number).ok(),
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Other => None,
    };
    whole.map(Some).ok_or_else(|| {
        let reason = format!("a threshold is a whole number from 1 to {}", u32::MAX);
        part.problem(ProblemKind::Form, written.referenced.line(), reason)
    })
}

/// Threshold and window in seconds.
fn counted_over(part: &Part<'_>, correlation: &Spanned<Correlation>) -> Result<(u32, u32), Problem> {
    let parts = &correlation.value;
    let line = parts.condition.as_ref().map_or(correlation.referenced.line(), |at| at.referenced.line());
    let limits = match &parts.condition {
        Some(at) => (limit(part, at.value.gte.as_ref())?, limit(part, at.value.gt.as_ref())?),
        None => (None, None),
    };
    let threshold = match limits {
        (Some(gte), None) => gte,
        (None, Some(gt)) => gt.saturating_add(1),
        (None, None)
            if matches!(parts.kind.value, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered) =>
        {
            1
        }
        _ => return Err(part.problem(ProblemKind::Form, line, "a condition has one of `gte` and `gt`")),
    };
    if threshold == 0 {
        return Err(part.problem(ProblemKind::Form, line, "a threshold is at least 1"));
    }
    let timespan = &parts.timespan;
    let window_s =
        seconds(&timespan.value).filter(|&span| (1..=WINDOW_S_MAX).contains(&span)).ok_or_else(|| {
            let reason = format!("{:?} is no timespan from 1s to 7d, like 10m", timespan.value);
            part.problem(ProblemKind::Form, timespan.referenced.line(), reason)
        })?;
    Ok((threshold, window_s))
}

/// What would never be counted, or with every event.
fn senseless(counts: &Counts, threshold: u32) -> Option<String> {
    let several = 2..=VALUES_MAX as u64;
    if matches!(counts.of, Of::Distinct(_) | Of::Leaky(..)) && !several.contains(&u64::from(threshold)) {
        return Some(format!(
            "a threshold of {threshold} for different values: one is there with every event, and {VALUES_MAX} are remembered"
        ));
    }
    if matches!(counts.of, Of::Leaky(_, 0)) {
        return Some("a bucket that loses one every 0 ms is never filled".to_owned());
    }
    if let Also::ThenElsewhere(_, part, _) = counts.also
        && (counts.by != By::User || part != Counted::Source || counts.of != Of::Events)
    {
        return Some(
            "`then_elsewhere` is about networks of users: count events by user, and sources".to_owned(),
        );
    }
    let (other, least) = match counts.also {
        Also::Nothing => (None, None),
        Also::AtLeast(_, least) => (None, Some(least)),
        Also::Without(when)
        | Also::FewTries(when)
        | Also::ThenFirst(when)
        | Also::Then(when)
        | Also::ThenWith(when, _) => (Some(when), None),
        Also::FewTriesFrom(when, _, least)
        | Also::ThenWithAtLeast(when, _, least)
        | Also::ThenElsewhere(when, _, least)
        | Also::ThenOf(when, _, least) => (Some(when), Some(least)),
    };
    if other == Some(counts.when) {
        return Some("`also` names what is counted: nothing would be".to_owned());
    }
    least
        .filter(|least| !several.contains(&u64::from(*least)))
        .map(|least| format!("`also` asks for {least} different values: it takes 2 to {VALUES_MAX}"))
}

/// `90s`, `10m`, `24h`, `7d` in seconds.
fn seconds(text: &str) -> Option<u32> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    count.parse::<u32>().ok()?.checked_mul(unit)
}
