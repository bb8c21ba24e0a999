//! What is known about a rule apart from how it works, and the samples that keep it honest.

use serde::Serialize;
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;

/// One rule, as shown in the list of rules and copied into each finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    /// `wp.FAMILY.NAME`; never reused for something else.
    pub id: &'static str,
    /// Raised whenever what fires changes.
    pub version: u32,
    /// What the rule looks for, in a few words.
    pub title: &'static str,
    /// Family: findings of one entity and family fold into one incident.
    pub family: AttackFamily,
    /// Severity of its findings before growth.
    pub severity: Severity,
    /// How sure, 0 to 100.
    pub confidence: u8,
    /// ATT&CK technique ids.
    pub attack: &'static [&'static str],
    /// OWASP Top 10:2025 category, where one fits.
    pub owasp: Option<&'static str>,
    /// Compliance controls that a finding is evidence for.
    pub controls: &'static [&'static str],
    /// Samples that must fire; at least three.
    pub fires: &'static [Sample],
    /// Near-misses that must not; at least three.
    pub near_misses: &'static [Sample],
}

/// Input for one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// A parameter value, as the application reads it.
    Value(&'static str),
    /// A request path, raw.
    Path(&'static str),
    /// A `User-Agent` header.
    UserAgent(&'static str),
    /// A query parameter by name, its value as the application reads it.
    Param(&'static str, &'static str),
    /// A GET request with these headers.
    Headers(&'static [(&'static str, &'static str)]),
    /// A POST request with these headers and this body, both raw.
    Post(&'static [(&'static str, &'static str)], &'static str),
    /// What the application answered: the response body.
    Answer(&'static str),
    /// An event of this type without a request.
    Kind(&'static str),
    /// A sequence of events.
    Traffic(Traffic),
}

/// A sequence of bursts, one after the other.
pub type Traffic = &'static [Burst];

/// A number of like events with a fixed distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Burst {
    /// What happens.
    pub kind: TrafficKind,
    /// How many events.
    pub n_events: u32,
    /// Over how many source addresses, in turn; 0 means that the address is not known.
    pub n_sources: u32,
    /// Over how many users, in turn; 0 means that the user is not known.
    pub n_users: u32,
    /// Milliseconds from one to the next.
    pub every_ms: u32,
}

/// What one event of a [`Burst`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrafficKind {
    /// A failed login.
    LoginFailure,
    /// A login that worked.
    LoginSuccess,
    /// A request, answered with this status.
    Request(u16),
}
