//! What is known about a rule apart from how it works, and the samples that keep it honest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;

/// How a rule works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Looks at the decoded values of one event.
    Signature,
    /// Counts events over a window.
    Behaviour,
    /// A Sigma detection.
    Sigma,
    /// A Sigma correlation.
    Correlation,
    /// A Sigma filter: takes away from other rules, never fires itself.
    Filter,
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from", content = "file")]
pub enum RuleSource {
    /// Shipped inside the program, in this file of `rules/`.
    Embedded(String),
    /// The team's rules directory, in this file below it.
    Directory(String),
}

/// One rule, as shown in the list of rules and copied into each finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    /// `wp.FAMILY.NAME` for what ships, a UUID in most Sigma rules; never reused for something else.
    pub id: String,
    /// Raised whenever what fires changes.
    pub version: u32,
    /// What the rule looks for, in a few words.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// Family: findings of one entity and family fold into one incident.
    pub family: AttackFamily,
    /// Severity of its findings before growth.
    pub severity: Severity,
    /// How sure, 0 to 100.
    pub confidence: u8,
    /// ATT&CK technique ids: `T1190`.
    pub attack: Vec<String>,
    /// OWASP Top 10 category, where one fits: `A05:2025`.
    pub owasp: Option<String>,
    /// Compliance controls that a finding is evidence for.
    pub controls: Vec<String>,
    /// What else looks like it.
    pub falsepositives: Vec<String>,
    /// Samples that must fire; at least three for what ships.
    pub fires: Vec<Sample>,
    /// Near-misses that must not; at least three for what ships.
    pub near_misses: Vec<Sample>,
}

/// Input for one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// A parameter value, as the application reads it.
    Value(String),
    /// A request path, raw.
    Path(String),
    /// A `User-Agent` header.
    UserAgent(String),
    /// A query parameter by name, its value as the application reads it.
    Param {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A GET request with these headers.
    Headers(BTreeMap<String, String>),
    /// A POST request with these headers and this body, both raw.
    Post {
        /// The headers.
        headers: BTreeMap<String, String>,
        /// The body.
        body: String,
    },
    /// What the application answered: the response body.
    Answer(String),
    /// An event of this type without a request.
    Kind(String),
    /// A sequence of events.
    Traffic(Vec<Burst>),
}

/// A number of like events with a fixed distance. Made with [`Burst::new`] and the methods that refine it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// What happens.
    pub kind: TrafficKind,
    /// How many events.
    pub n_events: u32,
    /// Over how many source addresses, in turn; 0 means that the address is not known.
    pub n_sources: u32,
    /// Over how many users, in turn; 0 means that the user is not known.
    pub n_users: u32,
    /// Milliseconds from one to the next, and from the burst before to the first.
    pub every_ms: u32,
    /// The `User-Agent` header, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The session, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Which network the sources are in.
    #[serde(default)]
    pub network: u8,
    /// Where the sources are, as a location file would say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<City>,
}

impl Burst {
    /// A burst with neither agent nor session nor place.
    #[must_use]
    pub const fn new(kind: TrafficKind, n_events: u32, n_sources: u32, n_users: u32, every_ms: u32) -> Self {
        Self {
            kind,
            n_events,
            n_sources,
            n_users,
            every_ms,
            agent: None,
            session: None,
            network: 0,
            from: None,
        }
    }
}

/// Cities of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum City {
    /// 52.52, 13.40.
    Berlin,
    /// 52.40, 13.06: 27 km from Berlin.
    Potsdam,
    /// 48.86, 2.35: 878 km from Berlin.
    Paris,
    /// 40.71, -74.01.
    NewYork,
    /// -33.87, 151.21.
    Sydney,
}

/// What one event of a [`Burst`] is. `{}` in a text stands for the number of the event in its burst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrafficKind {
    /// A failed login.
    LoginFailure,
    /// A login that failed for this reason, as the application reports it.
    LoginRefused(String),
    /// A login that worked.
    LoginSuccess,
    /// A request for `/`, answered with this status.
    Request(u16),
    /// A request for this target, answered with this status.
    Page(String, u16),
    /// A permission that was missing for this resource.
    Denied(String),
    /// A permission that was there for this resource.
    Allowed(String),
    /// This role is given to this user.
    Grant(String, String),
    /// This role is taken from this user.
    Revoke(String, String),
    /// So many mebibytes are uploaded.
    Upload(u32),
    /// An upload is refused.
    UploadRefused,
    /// So many kibibytes are exported.
    Download(u32),
    /// The application reports a violation of this type.
    Reported(String),
}
