//! What a rule may say of where it looks and how it confirms.

use std::sync::Arc;

use serde::Deserialize;

use crate::check::Check;
use crate::expression::Expression;
use crate::rule::RuleInfo;
use crate::shell::ShellShape;
use crate::sql::Shape;

/// Where a signature looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Every value.
    Any,
    /// Every value but user agents as browsers write them, whose grammar has parentheses and semicolons of its own.
    NotPlainAgent,
    /// The user agent.
    UserAgent,
    /// The request path.
    Path,
    /// A file of a multipart body, its head included.
    Part,
    /// What the application answered.
    Answer,
    /// The event's type.
    Kind,
}

/// How a signature confirms.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    /// A regular expression, case-insensitive.
    Regex(Box<Expression>),
    /// A shape found by the SQL reader.
    Sql(Shape),
    /// A shape found by the reader of command lines.
    Shell(ShellShape),
    /// A named confirmer, which may look at the whole event.
    Check(Check),
}

/// A rule over one value.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) info: Arc<RuleInfo>,
    /// Lower-case literals; a text without any of them is not looked at. Empty: every text is; shapes
    /// have a gate of their own.
    pub(crate) gate: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) matcher: Matcher,
    /// The decoders whose layers it looks at; empty: all.
    pub(crate) layers: Vec<&'static str>,
}

/// What a behaviour counts, and for which group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Counted {
    /// Failed logins of one source.
    SourceFailures,
    /// Failed logins of one user from several sources, or from none that is known.
    UserFailures,
    /// Different users that one source failed to log in as.
    SprayedUsers,
    /// A success from a source that has failed at least this often.
    SuccessAfterSource,
    /// A success of a user whom several sources have failed to log in as, from one of those sources.
    SuccessAfterUser,
    /// Requests of one source.
    Requests,
    /// Requests of one source that were answered with 4xx.
    RefusedRequests,
}

/// One behaviour.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    pub(crate) info: Arc<RuleInfo>,
    pub(crate) counted: Counted,
    /// How many it takes.
    pub(crate) threshold: u32,
    /// In how many seconds.
    pub(crate) window_s: u32,
    /// For people: `failed logins`.
    pub(crate) what: String,
}
