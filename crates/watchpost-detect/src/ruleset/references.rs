//! Where a document names other rules: what is wrong with one of the names is told at its line.

use rsigma_parser::FilterRuleTarget;

use super::Body;
use super::documents::Part;
use super::sigma::Sigma;

/// The lines of the names of other rules in one document.
#[derive(Debug, Clone, Default)]
pub(super) struct References {
    /// Of the list.
    line: Option<u64>,
    /// Of each name, where it stands at another line.
    names: Vec<(String, u64)>,
}

impl References {
    /// Those of `body`, which `part` defines.
    pub(super) fn of(part: &Part<'_>, body: &Body) -> Self {
        let (key, names): (&str, &[String]) = match body {
            Body::Signature(signature) => ("yields:", signature.yields.as_slice()),
            Body::Sigma(_, Sigma::Correlation(rule)) => ("rules:", rule.rules.as_slice()),
            Body::Sigma(_, Sigma::Filter(filter)) => match &filter.rules {
                FilterRuleTarget::Specific(names) => ("rules:", names.as_slice()),
                FilterRuleTarget::Any => return Self::default(),
            },
            Body::Behaviour(_) | Body::Sigma(_, Sigma::Detection(_)) => return Self::default(),
        };
        if names.is_empty() {
            return Self::default();
        }
        // Several rules may share a part: the list behind the rule's own id or title.
        let info = body.info();
        let is_own = |line: &str| {
            let said = line.trim_start_matches([' ', '-']).split_once(':');
            said.is_some_and(|(key, value)| {
                let value = value.trim().trim_matches(['"', '\'']);
                key == "id" && value == info.id || key == "title" && value == info.title
            })
        };
        let start = part.find(is_own).unwrap_or(part.line);
        let list = part.find_from(start, |line| line.trim_start().starts_with(key));
        let list = list.or_else(|| part.find(|line| line.trim_start().starts_with(key)));
        let Some(line) = list else { return Self::default() };
        let place = |name: &String| {
            let at = part.find_from(line, |line| has_word(line, name))?;
            Some((name.clone(), at))
        };
        Self { line: Some(line), names: names.iter().filter_map(place).collect() }
    }

    /// The line at which `name` stands, else that of the list.
    pub(super) fn line_of(&self, name: &str) -> Option<u64> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, line)| *line).or(self.line)
    }

    /// The line of the list.
    pub(super) const fn line(&self) -> Option<u64> {
        self.line
    }
}

/// Stands `word` in `line` and not only as a part of a longer one?
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |ch: char| ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
