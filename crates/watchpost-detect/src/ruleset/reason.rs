//! What the parsers say of a document they cannot use, in the words of somebody who writes rules, and where.

use rsigma_parser::{ConditionExpr, Quantifier, SelectorPattern, SigmaRule};

use super::documents::Part;
use super::near::nearest;
use super::{Problem, ProblemKind};

/// Longest piece of a document that a reason quotes, in characters.
const QUOTE_CHARS_MAX: usize = 60;
/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 300;
/// Selections that are named to somebody who named another one.
const NAMES_TOLD: usize = 12;

/// What the YAML reader says of a text.
pub(super) fn of_yaml(error: &str) -> (ProblemKind, String) {
    let line = error.lines().next().unwrap_or("cannot be read");
    // The place stands before the reason already; hints are for programmers.
    let said = line.split(" at line ").next().unwrap_or(line);
    let said = said.split(", set DuplicateKeyPolicy").next().unwrap_or(said);
    let (kind, reason) = if said.starts_with("expected mapping") {
        (ProblemKind::Form, "is no rule: a document consists of `key: value` lines".to_owned())
    } else if said.starts_with("budget breached") {
        (ProblemKind::Yaml, "holds more values than any rule has (aliases that multiply?)".to_owned())
    } else if said.starts_with("recursion limit") {
        (ProblemKind::Yaml, "is nested deeper than any rule".to_owned())
    } else if said.starts_with("unknown field")
        || said.starts_with("missing field")
        || said.starts_with("unknown variant")
        || said.starts_with("invalid type")
        || said.starts_with("invalid value")
    {
        (ProblemKind::Form, misspelt(said).unwrap_or_else(|| said.to_owned()))
    } else {
        (ProblemKind::Yaml, said.to_owned())
    };
    (kind, cut(&reason, REASON_CHARS_MAX))
}

/// Keys of `watchpost:` that only some kinds of rules have.
const EXTENSION: &[&str] = &["match", "counts", "gate", "scope", "layers", "yields", "unless", "what"];

/// The word that is meant, where a key or a value is near one that would be taken.
fn misspelt(said: &str) -> Option<String> {
    let (what, rest) = said.split_once('`')?;
    let (word, rest) = rest.split_once('`')?;
    let what = what.trim_end();
    if !matches!(what, "unknown field" | "unknown variant") {
        return None;
    }
    let mut known: Vec<&str> = rest.strip_prefix(", expected one of ")?.split(", ").collect();
    if known.contains(&"confidence") {
        known.extend(EXTENSION);
    }
    let near = nearest(word, known)?;
    Some(format!("{what} `{word}` (is `{near}` meant?){rest}"))
}

/// What the Sigma parser or compiler says of a document; with the rule where there was one to compile.
pub(super) fn of_sigma(part: &Part<'_>, error: &str, rule: Option<&SigmaRule>) -> Problem {
    let is_of_condition = error.contains("ondition") || error.contains("arse");
    if let Some(aggregation) = aggregation(&part.text).filter(|_| is_of_condition) {
        let reason = format!(
            "`| {}`: aggregations in conditions are no part of Sigma any more; a correlation of type event_count, \
             value_count or temporal says the same",
            cut(aggregation, QUOTE_CHARS_MAX)
        );
        return part.problem(ProblemKind::Aggregation, part.line_of("condition:"), reason);
    }
    let (kind, line, reason) = expression(part, error, rule)
        .or_else(|| condition(part, error, rule))
        .or_else(|| missing(part, error))
        .or_else(|| selection(part, error, rule))
        .unwrap_or_else(|| plain(part, error));
    part.problem(kind, line, cut(&reason, REASON_CHARS_MAX))
}

type Told = (ProblemKind, u64, String);

/// A regular expression: the one that is meant, and what is wrong with it.
fn expression(part: &Part<'_>, error: &str, rule: Option<&SigmaRule>) -> Option<Told> {
    let said = error.strip_prefix("invalid regex pattern: ")?;
    let mut lines = said.lines();
    let first = lines.next()?;
    let with_re = |line: &str| line.contains("|re:") || line.contains("|re|");
    // In the selection that is to blame.
    let start = rule
        .and_then(culprit)
        .and_then(|name| part.find(|line| line.trim_start().starts_with(name.as_str())));
    let start = start.unwrap_or(part.line);
    if first != "regex parse error:" {
        let line = part.find_from(start, with_re).unwrap_or(part.line);
        return Some((
            ProblemKind::Expression,
            line,
            format!("the regular expression is too large: {first}"),
        ));
    }
    let shown = lines.next().unwrap_or("").trim();
    let why = said.lines().last().unwrap_or("").trim_start_matches("error: ");
    // Flags come from the modifiers.
    let is_flags = |flags: &str| !flags.is_empty() && flags.bytes().all(|flag| b"imsux".contains(&flag));
    let own = shown
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .filter(|(flags, _)| is_flags(flags))
        .map_or(shown, |(_, own)| own);
    // As it stands there: quotes of YAML may double a quote or a backslash.
    let written = [own.to_owned(), own.replace('\'', "''"), own.replace('\\', r"\\").replace('"', "\\\"")];
    let line = part
        .find_from(start, |line| written.iter().any(|own| !own.is_empty() && line.contains(own.as_str())))
        .or_else(|| part.find_from(start, with_re))
        .unwrap_or(start);
    let reason = format!("the regular expression `{}` cannot be used: {why}", cut(own, QUOTE_CHARS_MAX));
    Some((ProblemKind::Expression, line, reason))
}

/// The condition: where in it, or what it names.
fn condition(part: &Part<'_>, error: &str, rule: Option<&SigmaRule>) -> Option<Told> {
    let line = part.line_of("condition:");
    if let Some(name) = error.strip_prefix("unknown detection identifier: ") {
        let known = names(rule);
        let reason = format!(
            "the condition names `{}`, and no selection has that name: there is {known}",
            cut(name, QUOTE_CHARS_MAX)
        );
        return Some((ProblemKind::Condition, line, reason));
    }
    if error.starts_with("Condition string too long") {
        return Some((ProblemKind::Condition, line, "the condition is longer than 64 KiB".to_owned()));
    }
    if error.contains("nesting exceeds") {
        return Some((
            ProblemKind::Condition,
            line,
            "the condition is nested deeper than 64 brackets".to_owned(),
        ));
    }
    let said = error.strip_prefix("Condition parse error at ")?;
    let column: usize = said.split([':', ' ']).nth(1)?.trim().parse().ok()?;
    // The parser shows the line of the condition behind its number, and what it would have taken.
    let shown = said.lines().find_map(|line| line.trim_start().strip_prefix("1 | ")).unwrap_or("").trim_end();
    let rest: String = shown.chars().skip(column.saturating_sub(1)).collect();
    let reason = if shown.is_empty() {
        "the condition is empty".to_owned()
    } else if rest.is_empty() {
        format!("the condition ends too early: `{}`", cut(shown, QUOTE_CHARS_MAX))
    } else {
        format!("the condition cannot be read from `{}` on", cut(&rest, QUOTE_CHARS_MAX))
    };
    Some((ProblemKind::Condition, line, reason))
}

/// A part of a rule that is not there.
fn missing(part: &Part<'_>, error: &str) -> Option<Told> {
    let field = error.strip_prefix("Missing required field '")?.strip_suffix('\'')?;
    let (reason, near) = match field {
        "title" => ("is no rule: it has no `title`".to_owned(), ""),
        "condition" => ("the detection has no `condition`".to_owned(), "detection:"),
        field => (format!("the rule has no `{field}`"), ""),
    };
    Some((ProblemKind::Form, part.line_of(near), reason))
}

/// Fields, modifiers and values.
fn selection(part: &Part<'_>, error: &str, rule: Option<&SigmaRule>) -> Option<Told> {
    let culprit = rule.and_then(culprit);
    let start = culprit.as_deref().and_then(|name| part.find(|line| line.trim_start().starts_with(name)));
    // In the selection that is to blame.
    let behind = |needles: &[&str]| {
        let mut at = 0;
        let fits = |line: &str| {
            at += 1;
            start.is_none_or(|start| at >= start) && needles.iter().all(|needle| line.contains(needle))
        };
        part.find(fits).or(start)
    };
    let told = |line: Option<u64>, reason: String| {
        let reason = match &culprit {
            Some(name) => format!("selection `{}`: {reason}", cut(name, QUOTE_CHARS_MAX)),
            None => reason,
        };
        Some((ProblemKind::Selection, line.unwrap_or(part.line), reason))
    };
    if error.starts_with("invalid CIDR") {
        return told(behind(&["|cidr"]), "a value of `|cidr` is no network such as 10.0.0.0/8".to_owned());
    }
    if let Some(value) = error.strip_prefix("expected numeric value: ") {
        let value = value.rsplit("Plain(\"").next().unwrap_or(value).trim_end_matches(['"', ')', ']']);
        let reason =
            format!("`{}` is no number, and its modifier compares numbers", cut(value, QUOTE_CHARS_MAX));
        return told(behind(&[value]), reason);
    }
    if let Some(word) = error.strip_prefix("Unknown modifier '") {
        let word = word.trim_end_matches('\'');
        return told(behind(&[&format!("|{word}")]), format!("`|{}` is no modifier of Sigma", cut(word, 40)));
    }
    if let Some(said) = error.strip_prefix("invalid modifier combination: ") {
        if said.contains("must not be empty") {
            return told(start, "it is empty: fields with values, or a list of words".to_owned());
        }
        if said.starts_with("|all modifier") {
            return told(behind(&["|all"]), "`|all` needs a list of several values".to_owned());
        }
        let words: Vec<&str> = said
            .split(|ch: char| !ch.is_ascii_alphanumeric() && ch != '|')
            .filter(|word| word.len() > 1 && word.starts_with('|'))
            .collect();
        return told(behind(&words), said.trim_start_matches("conflicting modifiers: ").to_owned());
    }
    let said = error.strip_prefix("incompatible value for modifier: ")?;
    told(start, said.to_owned())
}

/// Everything else as it is said; at the line of the word that is quoted, where there is one.
fn plain(part: &Part<'_>, error: &str) -> Told {
    let reason = error.lines().next().unwrap_or("cannot be read");
    let quoted = reason.split(['\'', '"', '`']).nth(1).unwrap_or("");
    let said =
        reason.split("line ").nth(1).and_then(|rest| rest.split(|ch: char| !ch.is_ascii_digit()).next());
    let line = match said.and_then(|digits| digits.parse::<u64>().ok()) {
        Some(line) => line,
        None if reason.contains("Unknown correlation type") => part.line_of("type:"),
        None if reason.contains("orrelation") => part.line_of("correlation:"),
        None if reason.contains("ondition") => part.line_of("condition:"),
        None if reason.contains("logsource") => part.line_of("logsource:"),
        None => part.line_of(quoted),
    };
    let kind = match reason {
        _ if reason.contains("ondition") && !reason.contains("orrelation") => ProblemKind::Condition,
        _ if reason.contains("YAML") || reason.contains("line ") => ProblemKind::Yaml,
        _ => ProblemKind::Form,
    };
    (kind, line, reason.to_owned())
}

/// The selection by which a rule cannot be compiled.
fn culprit(rule: &SigmaRule) -> Option<String> {
    let mut names: Vec<&String> = rule.detection.named.keys().collect();
    names.sort();
    let fails = |name: &&&String| {
        let mut alone = rule.clone();
        alone.detection.named.retain(|own, _| own == **name);
        alone.detection.conditions = vec![ConditionExpr::Identifier((**name).clone())];
        rsigma_eval::compile_rule(&alone).is_err()
    };
    names.iter().find(fails).map(|name| (*name).clone())
}

fn names(rule: Option<&SigmaRule>) -> String {
    let mut names: Vec<&str> =
        rule.map_or_else(Vec::new, |rule| rule.detection.named.keys().map(String::as_str).collect());
    names.sort_unstable();
    let more = if names.len() > NAMES_TOLD { ", ..." } else { "" };
    names.truncate(NAMES_TOLD);
    if names.is_empty() { "none".to_owned() } else { format!("{}{more}", names.join(", ")) }
}

/// A part of a condition that can never hold: it asks for more selections than have such a name.
pub(super) fn never(rule: &SigmaRule) -> Option<String> {
    rule.detection.conditions.iter().find_map(|condition| unmet(rule, condition))
}

fn unmet(rule: &SigmaRule, condition: &ConditionExpr) -> Option<String> {
    match condition {
        // What is left out of a negation or an alternative takes nothing away.
        ConditionExpr::Not(_) | ConditionExpr::Identifier(_) => None,
        ConditionExpr::And(all) => all.iter().find_map(|one| unmet(rule, one)),
        ConditionExpr::Or(all) => {
            let unmet: Vec<String> = all.iter().filter_map(|one| unmet(rule, one)).collect();
            if unmet.len() == all.len() { unmet.into_iter().next() } else { None }
        }
        ConditionExpr::Selector { quantifier, pattern } => {
            let n_named =
                rule.detection.named.keys().filter(|name| pattern.matches_detection_name(name)).count();
            let n_needed = match quantifier {
                Quantifier::Any | Quantifier::All => 1,
                Quantifier::Count(count) => usize::try_from(*count).unwrap_or(usize::MAX),
            };
            let what = match pattern {
                SelectorPattern::Them => "them",
                SelectorPattern::Pattern(pattern) => pattern,
            };
            (n_named < n_needed).then(|| {
                format!(
                    "never fires: the condition asks for `{quantifier} of {}`, and {n_named} of the selections have \
                     such a name; there is {}",
                    cut(what, QUOTE_CHARS_MAX),
                    names(Some(rule))
                )
            })
        }
    }
}

/// The aggregation at the end of a condition, as rules had it before there were correlations.
fn aggregation(text: &str) -> Option<&str> {
    const WORDS: &[&str] = &["count", "min", "max", "avg", "sum", "near"];
    text.lines().find_map(|line| {
        let (head, tail) = line.split_once('|')?;
        let is_condition = head.trim_start().starts_with("condition:") || head.trim_start().starts_with("- ");
        let tail = tail.trim();
        let word = tail.split(|ch: char| !ch.is_ascii_alphabetic()).next()?;
        (is_condition && WORDS.contains(&word)).then_some(tail)
    })
}

/// At most `chars_max` characters of `text`.
fn cut(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() { format!("{head}...") } else { head }
}
