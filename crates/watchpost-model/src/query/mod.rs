//! The query language of events: `ip:203.0.113.0/24 severity:>=high -type:login_success "union select"`.
//!
//! Text in, a bounded tree out, and the tree prints as text that reads back as the same tree. What a query means for
//! rows is the store's part. docs/search.md is the page for people; a test holds its list of fields to [`FieldName`].

mod field;
mod lexer;
mod parser;
mod problem;
mod value;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
pub use ipnet::IpNet as Network;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Category, Outcome, Severity};
use crate::period::Zone;

pub use field::{Field, FieldKind, FieldName};
pub use problem::QueryProblem;

/// Longest query, in characters.
pub const QUERY_CHARS_MAX: usize = 2_048;
/// Deepest nesting of parentheses and negations.
pub const QUERY_DEPTH_MAX: usize = 32;
/// Most conditions in one query.
pub const QUERY_TERMS_MAX: usize = 64;

/// A query that was read. Empty matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Query {
    expr: Option<Expr>,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// All of these, at least two.
    All(Vec<Expr>),
    /// At least one of these, at least two.
    Any(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// One condition.
    Term(Term),
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Words anywhere in the searched text, whatever their case.
    Text(Pattern),
    /// A field that holds a value.
    Field(Field, Test),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// It has a value at all: `user:*`.
    Given,
    /// Text with wildcards; the case counts.
    Text(Pattern),
    /// A whole number in these bounds, both inclusive.
    Number {
        /// At least.
        low: Option<i64>,
        /// At most.
        high: Option<i64>,
    },
    /// A time in these bounds.
    Time {
        /// At or after.
        from: Option<DateTime<Utc>>,
        /// Before.
        to: Option<DateTime<Utc>>,
    },
    /// A severity in these bounds, both inclusive.
    Severity {
        /// At least.
        low: Severity,
        /// At most.
        high: Severity,
    },
    /// This category.
    Category(Category),
    /// This outcome.
    Outcome(Outcome),
    /// An address in this network.
    Network(Network),
}

/// Text with wildcards between its pieces: `["/api/", "/admin"]` is `/api/*/admin`. Never without a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// A text without wildcards.
    #[must_use]
    pub fn exact(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// Pieces with a wildcard between each two; several wildcards in a row are one.
    #[must_use]
    pub fn of(pieces: Vec<String>) -> Self {
        let last = pieces.len().saturating_sub(1);
        let mut kept: Vec<String> = pieces
            .into_iter()
            .enumerate()
            .filter(|(index, piece)| *index == 0 || *index == last || !piece.is_empty())
            .map(|(_, piece)| piece)
            .collect();
        if kept.is_empty() {
            kept.push(String::new());
        }
        Self { pieces: kept }
    }

    /// The text between the wildcards.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The text if there is no wildcard.
    #[must_use]
    pub fn as_exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Is it `*` and nothing else?
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.pieces.len() > 1 && self.pieces.iter().all(String::is_empty)
    }

    /// The same with each piece changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self { pieces: self.pieces.iter().map(|piece| change(piece)).collect() }
    }

    /// Does all of `text` fit? Every character counts as it is.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (first, rest) =
            self.pieces.split_first().map_or(("", &[][..]), |(one, rest)| (one.as_str(), rest));
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(mut left) = text.strip_prefix(first) else { return false };
        for piece in middle {
            let Some(at) = left.find(piece.as_str()) else { return false };
            left = &left[at + piece.len()..];
        }
        left.ends_with(last.as_str())
    }
}

impl Query {
    /// What must hold; `None` for an empty query.
    #[must_use]
    pub const fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }

    /// Reads a query whose times without an offset are those of a zone; as text it is read in UTC.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(text: &str, zone: Zone) -> Result<Self, QueryFault> {
        Ok(Self { expr: parser::parse(text, zone)? })
    }

    /// What both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.expr, other.expr) {
            (Some(one), Some(two)) => Self::of(Expr::All(vec![one, two])),
            (one, two) => Self { expr: one.or(two) },
        }
    }

    /// The query of a tree. The tree is not checked against the limits: printing and reading it back does.
    #[must_use]
    pub const fn of(expr: Expr) -> Self {
        Self { expr: Some(expr) }
    }
}

impl FromStr for Query {
    type Err = QueryFault;

    fn from_str(text: &str) -> Result<Self, QueryFault> {
        Self::read(text, Zone::UTC)
    }
}

impl TryFrom<String> for Query {
    type Error = QueryFault;

    fn try_from(text: String) -> Result<Self, QueryFault> {
        text.parse()
    }
}

impl From<Query> for String {
    fn from(query: Query) -> Self {
        query.to_string()
    }
}

/// Why a text is no query, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QueryFault {
    /// The first character that is wrong, counted in characters from 0.
    pub at: usize,
    /// How many characters are wrong; 0 where something is missing.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// The same as kind and values.
    pub problem: Box<QueryProblem>,
    /// What could stand there.
    pub expected: Vec<String>,
    /// What was probably meant, to be put in its place.
    pub suggestion: Option<String>,
}

impl QueryFault {
    fn new(at: usize, length: usize, problem: QueryProblem, expected: &[&str]) -> Self {
        Self {
            at,
            length,
            message: problem.to_string(),
            problem: Box::new(problem),
            expected: expected.iter().map(|text| (*text).to_owned()).collect(),
            suggestion: None,
        }
    }
}

impl std::error::Error for QueryFault {}

impl fmt::Display for QueryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.message, self.at + 1)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean {suggestion}?")
        } else if !self.expected.is_empty() {
            write!(f, "; expected {}", self.expected.join(", "))
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| expr.fmt(f))
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " " })?;
                    inside(f, part, matches!(part, Self::Any(_) | Self::All(_)))?;
                }
                Ok(())
            }
            Self::Any(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " or " })?;
                    inside(f, part, matches!(part, Self::Any(_)))?;
                }
                Ok(())
            }
            Self::Not(part) => {
                f.write_str("-")?;
                inside(f, part, matches!(**part, Self::Any(_) | Self::All(_)))
            }
            Self::Term(Term::Text(pattern)) => word(f, pattern, true),
            Self::Term(Term::Field(field, test)) => {
                write!(f, "{field}:")?;
                test.fmt(f)
            }
        }
    }
}

fn inside(f: &mut fmt::Formatter<'_>, part: &Expr, brackets: bool) -> fmt::Result {
    if brackets { write!(f, "({part})") } else { write!(f, "{part}") }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("*"),
            Self::Text(pattern) => word(f, pattern, false),
            Self::Number { low: Some(low), high: Some(high) } if low == high => write!(f, "{low}"),
            Self::Number { low: Some(low), high: Some(high) } => write!(f, "{low}..{high}"),
            Self::Number { low: Some(low), high: None } => write!(f, ">={low}"),
            Self::Number { low: None, high: Some(high) } => write!(f, "<={high}"),
            Self::Number { low: None, high: None } | Self::Time { from: None, to: None } => f.write_str("*"),
            Self::Time { from: Some(from), to: Some(to) } => {
                write!(f, "{}..<{}", moment(*from), moment(*to))
            }
            Self::Time { from: Some(from), to: None } => write!(f, ">={}", moment(*from)),
            Self::Time { from: None, to: Some(to) } => write!(f, "<{}", moment(*to)),
            Self::Severity { low, high } if low == high => write!(f, "{low}"),
            Self::Severity { low, high: Severity::Critical } => write!(f, ">={low}"),
            Self::Severity { low, high } => write!(f, "{low}..{high}"),
            Self::Category(category) => write!(f, "{category}"),
            Self::Outcome(outcome) => write!(f, "{outcome}"),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes text so that it reads back: bare where it can, in quotes where it must, escaped where it has wildcards.
fn word(f: &mut fmt::Formatter<'_>, pattern: &Pattern, free: bool) -> fmt::Result {
    if let Some(text) = pattern.as_exact() {
        if !lexer::is_plain(text, free) {
            return write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        }
        return f.write_str(text);
    }
    for (index, piece) in pattern.pieces().iter().enumerate() {
        f.write_str(if index == 0 { "" } else { "*" })?;
        for (place, ch) in piece.chars().enumerate() {
            if lexer::needs_escape(ch) || (index + place == 0 && lexer::is_sign(ch)) {
                f.write_str("\\")?;
            }
            write!(f, "{ch}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
