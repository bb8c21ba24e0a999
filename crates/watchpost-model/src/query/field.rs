//! The fields that can be asked for, by name.

use std::fmt;

use crate::words;

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Text; the case counts.
    Text,
    /// Text that is kept in lower case.
    Lower,
    /// Text that is kept in upper case.
    Upper,
    /// A whole number.
    Number,
    /// A point in time.
    Time,
    /// An address or a network.
    Address,
    /// A severity.
    Severity,
    /// A category.
    Category,
    /// An outcome.
    Outcome,
}

/// The fields with a name of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldName {
    /// When it happened.
    At,
    /// What it is about.
    Category,
    /// What happened.
    Type,
    /// How bad it is.
    Severity,
    /// How it ended.
    Outcome,
    /// Where from.
    Ip,
    /// Who.
    User,
    /// In which country the source is.
    Country,
    /// In which session.
    Session,
    /// The resource, or the path where there is none.
    Endpoint,
    /// On what.
    Resource,
    /// Doing what.
    Action,
    /// Method of the request.
    Method,
    /// Path of the request.
    Path,
    /// Query string of the request.
    Query,
    /// User agent of the request.
    Agent,
    /// Body of the request.
    Body,
    /// Status of the answer.
    Status,
    /// Size of the answer.
    Bytes,
    /// Time to answer.
    Duration,
    /// How often it happened.
    Count,
    /// The application's own score.
    Risk,
    /// One of its labels.
    Tag,
    /// Its id.
    Id,
}

words!(FieldName {
    At = "at",
    Category = "category",
    Type = "type",
    Severity = "severity",
    Outcome = "outcome",
    Ip = "ip",
    User = "user",
    Country = "country",
    Session = "session",
    Endpoint = "endpoint",
    Resource = "resource",
    Action = "action",
    Method = "method",
    Path = "path",
    Query = "query",
    Agent = "agent",
    Body = "body",
    Status = "status",
    Bytes = "bytes",
    Duration = "duration",
    Count = "count",
    Risk = "risk",
    Tag = "tag",
    Id = "id",
});

/// Other names, as exports and other tools write them (Elastic Common Schema).
const ALSO: [(&str, FieldName); 23] = [
    ("@timestamp", FieldName::At),
    ("time", FieldName::At),
    ("event.category", FieldName::Category),
    ("event.action", FieldName::Type),
    ("event.outcome", FieldName::Outcome),
    ("source.ip", FieldName::Ip),
    ("source_ip", FieldName::Ip),
    ("src", FieldName::Ip),
    ("source.geo.country_iso_code", FieldName::Country),
    ("actor", FieldName::User),
    ("user.name", FieldName::User),
    ("http.request.method", FieldName::Method),
    ("url.path", FieldName::Path),
    ("url.query", FieldName::Query),
    ("user_agent", FieldName::Agent),
    ("user_agent.original", FieldName::Agent),
    ("http.request.body.content", FieldName::Body),
    ("http.response.status_code", FieldName::Status),
    ("http.response.bytes", FieldName::Bytes),
    ("duration_ms", FieldName::Duration),
    ("tags", FieldName::Tag),
    ("event.risk_score", FieldName::Risk),
    ("event.id", FieldName::Id),
];

impl FieldName {
    /// What kind of value it has.
    #[must_use]
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::At => FieldKind::Time,
            Self::Category => FieldKind::Category,
            Self::Severity => FieldKind::Severity,
            Self::Outcome => FieldKind::Outcome,
            Self::Ip => FieldKind::Address,
            Self::Type | Self::Id => FieldKind::Lower,
            Self::Method | Self::Country => FieldKind::Upper,
            Self::Status | Self::Bytes | Self::Duration | Self::Count | Self::Risk => FieldKind::Number,
            Self::User
            | Self::Session
            | Self::Endpoint
            | Self::Resource
            | Self::Action
            | Self::Path
            | Self::Query
            | Self::Agent
            | Self::Body
            | Self::Tag => FieldKind::Text,
        }
    }

    /// What it holds, for people.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::At => "time of the event, UTC",
            Self::Category => "what it is about",
            Self::Type => "what happened, in the application's words",
            Self::Severity => "how bad it is",
            Self::Outcome => "how it ended",
            Self::Ip => "source address, or a CIDR range",
            Self::User => "user or service account",
            Self::Country => "country of the source, two letters, as the location file says",
            Self::Session => "session id",
            Self::Endpoint => "resource, or path where there is none",
            Self::Resource => "on what",
            Self::Action => "doing what",
            Self::Method => "method of the request",
            Self::Path => "path of the request",
            Self::Query => "query string of the request, raw",
            Self::Agent => "user agent",
            Self::Body => "body of the request",
            Self::Status => "status of the answer",
            Self::Bytes => "size of the answer in bytes",
            Self::Duration => "time to answer in milliseconds",
            Self::Count => "how often it happened",
            Self::Risk => "the application's own score, 0 to 100",
            Self::Tag => "one of its labels",
            Self::Id => "id of the event",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        name.parse().ok().or_else(|| ALSO.iter().find(|(also, _)| *also == name).map(|(_, field)| *field))
    }
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// One with a name of its own.
    Named(FieldName),
    /// A request header, its name in lower case.
    Header(String),
    /// A place in the details: `details.order.id`.
    Details(Vec<String>),
}

/// Longest path into the details, in names.
const DETAILS_DEPTH: usize = 8;

impl Field {
    /// The field of a name, or the known name that is nearest to it.
    ///
    /// # Errors
    /// The nearest name, if one is near.
    pub(super) fn read(name: &str) -> Result<Self, Option<String>> {
        if let Some(field) = FieldName::named(name) {
            return Ok(Self::Named(field));
        }
        if let Some(header) = name.strip_prefix("header.").filter(|rest| is_name(rest)) {
            return Ok(Self::Header(header.to_ascii_lowercase()));
        }
        if let Some(rest) = name.strip_prefix("details.") {
            let path: Vec<String> = rest.split('.').map(str::to_owned).collect();
            if path.len() <= DETAILS_DEPTH && path.iter().all(|part| is_name(part)) {
                return Ok(Self::Details(path));
            }
        }
        Err(nearest(name))
    }

    /// What kind of value it has.
    #[must_use]
    pub const fn kind(&self) -> FieldKind {
        match self {
            Self::Named(name) => name.kind(),
            Self::Header(_) | Self::Details(_) => FieldKind::Text,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Details(path) => write!(f, "details.{}", path.join(".")),
        }
    }
}

/// A name that can stand in a path: it must not be able to end one in any database, nor be taken for a number.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The known name nearest to `name`, if it is near enough to have been meant.
fn nearest(name: &str) -> Option<String> {
    let typed = name.to_ascii_lowercase();
    if typed.chars().count() > 40 {
        return None;
    }
    let known = FieldName::ALL.iter().map(|field| field.as_str()).chain(ALSO.iter().map(|(also, _)| *also));
    let (distance, best) =
        known.map(|known| (distance(&typed, known), known)).min_by_key(|(distance, _)| *distance)?;
    let bound = (typed.chars().count() / 3).clamp(1, 3);
    let meant = FieldName::named(best).map_or(best, FieldName::as_str);
    (distance <= bound).then(|| meant.to_owned())
}

/// Edits from one word to another, a swap of neighbours counting as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
