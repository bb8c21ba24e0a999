//! Events: what applications report (DESIGN section 3).

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::EventId;

/// Generates `as_str`, `ALL`, `Display` and `FromStr` for a closed set of words.
#[macro_export]
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word used on the wire, in the database and in files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::event::UnknownWord;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                match s {
                    $($word => Ok($name::$variant),)+
                    _ => Err($crate::event::UnknownWord {
                        kind: stringify!($name),
                        word: s.chars().take(64).collect(),
                        allowed: &[$($word),+],
                    }),
                }
            }
        }
    };
}

/// A word outside a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not one of {}", allowed.join(", "))]
pub struct UnknownWord {
    /// The set, by type name.
    pub kind: &'static str,
    /// What was given, at most 64 characters of it.
    pub word: String,
    /// What is allowed.
    pub allowed: &'static [&'static str],
}

/// What an event is about; decides its key in Redis and its retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Login success and failure, password reset, MFA, token validation.
    Authentication,
    /// Permission checks, access violations, privilege escalation.
    Authorization,
    /// Records viewed, modified, exported; uploads; consent changes.
    DataAccess,
    /// Settings, permissions, security settings changed.
    Configuration,
    /// Requests, rates, payload sizes, errors.
    ApiUsage,
}

words!(Category {
    Authentication = "authentication",
    Authorization = "authorization",
    DataAccess = "data_access",
    Configuration = "configuration",
    ApiUsage = "api_usage",
});

impl Category {
    /// The segment of the Redis key after the prefix: `security:{segment}:...`.
    #[must_use]
    pub const fn key_segment(self) -> &'static str {
        match self {
            Self::Authentication => "auth",
            Self::Authorization => "access",
            Self::DataAccess => "data",
            Self::Configuration => "config",
            Self::ApiUsage => "api",
        }
    }

    /// The category of a key segment.
    #[must_use]
    pub fn from_key_segment(segment: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.key_segment() == segment)
    }
}

/// How bad it is. Ordered: `Info < Low < Medium < High < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Ordinary operation.
    Info,
    /// Worth a weekly look.
    Low,
    /// Worth a look within a day.
    Medium,
    /// Worth a look within hours.
    High,
    /// A possible breach in progress.
    Critical,
}

words!(Severity { Info = "info", Low = "low", Medium = "medium", High = "high", Critical = "critical" });

/// How the thing that was tried ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It worked.
    Success,
    /// It did not.
    Failure,
    /// The application does not say.
    Unknown,
}

words!(Outcome { Success = "success", Failure = "failure", Unknown = "unknown" });

/// The HTTP exchange behind an event, as the application saw it.
///
/// Every string is attacker-written. `query` is raw (not decoded) without the question mark.
#[derive(Debug, Clone, Default, PartialEq, Serialize, TS)]
#[serde(default)]
pub struct Http {
    /// Request method, upper case as received.
    pub method: String,
    /// Request path, raw.
    pub path: String,
    /// Query string, raw, without `?`.
    pub query: Option<String>,
    /// Request headers; names in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Request body or the part of it that the application kept.
    pub body: Option<String>,
    /// Response headers that the application kept; names in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub response_headers: BTreeMap<String, String>,
    /// Response body or the part of it that the application kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
    /// Response status.
    pub status: Option<u16>,
    /// Response size in bytes.
    pub bytes: Option<u64>,
    /// Time to answer in milliseconds.
    pub duration_ms: Option<u64>,
}

/// As applications write it: the target in one piece (`uri`) is taken apart where `path` is not given.
#[derive(Default, Deserialize)]
#[serde(default)]
struct HttpWritten {
    method: String,
    uri: Option<String>,
    path: String,
    query: Option<String>,
    #[serde(deserialize_with = "texts")]
    headers: BTreeMap<String, String>,
    #[serde(deserialize_with = "opt_text")]
    body: Option<String>,
    #[serde(deserialize_with = "texts")]
    response_headers: BTreeMap<String, String>,
    #[serde(deserialize_with = "opt_text")]
    response_body: Option<String>,
    #[serde(deserialize_with = "whole")]
    status: Option<u16>,
    #[serde(deserialize_with = "whole")]
    bytes: Option<u64>,
    #[serde(deserialize_with = "whole")]
    duration_ms: Option<u64>,
}

/// A number as an application wrote it, rounded to a whole one.
struct Whole(u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor).map(Self)
    }
}

struct WholeVisitor;

impl serde::de::Visitor<'_> for WholeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 0 on")
    }

    fn visit_u64<E>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<u64, E> {
        let wrong = |_| E::invalid_value(serde::de::Unexpected::Signed(value), &self);
        u64::try_from(value).map_err(wrong)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and `as` saturates"
    )]
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<u64, E> {
        if value >= 0.0 {
            Ok(value.round() as u64)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Float(value), &self))
        }
    }
}

/// A number that may be absent, and may have a fraction.
fn whole<'de, D: serde::Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(Whole(value)) = Option::<Whole>::deserialize(deserializer)? else { return Ok(None) };
    let too_large = |_| {
        let found = serde::de::Unexpected::Unsigned(value);
        serde::de::Error::invalid_value(found, &"a smaller number")
    };
    T::try_from(value).map(Some).map_err(too_large)
}

/// A value as text, whatever an application wrote: what is no text is looked at all the same.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> serde::de::Visitor<'de> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_bool<E>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_unit<E>(self) -> Result<String, E> {
        Ok(String::new())
    }

    /// A header that was sent several times.
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut all: A) -> Result<String, A::Error> {
        let mut text = String::new();
        while let Some(Text(next)) = all.next_element()? {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&next);
        }
        Ok(text)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, members: A) -> Result<String, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(members))?;
        Ok(value.to_string())
    }
}

/// Texts by name, as headers are: a number, a list or anything else is taken as its text.
///
/// # Errors
/// Where it is no object.
pub fn texts<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct All;
    impl<'de> serde::de::Visitor<'de> for All {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut all = BTreeMap::new();
            while let Some((name, Text(value))) = members.next_entry()? {
                all.insert(name, value);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_map(All)
}

/// A text that may be absent; anything else than a text is taken as its text.
///
/// # Errors
/// Those of the format.
pub fn opt_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.map(|Text(text)| text))
}

impl<'de> Deserialize<'de> for Http {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let HttpWritten {
            method,
            uri,
            mut path,
            mut query,
            headers,
            body,
            response_headers,
            response_body,
            status,
            bytes,
            duration_ms,
        } = HttpWritten::deserialize(deserializer)?;
        if let Some(uri) = uri
            && path.is_empty()
        {
            let (before, after) = split_target(&uri);
            path = before.to_owned();
            query = query.or_else(|| after.map(str::to_owned));
        }
        Ok(Self {
            method,
            path,
            query,
            headers,
            body,
            response_headers,
            response_body,
            status,
            bytes,
            duration_ms,
        })
    }
}

/// The path of a request's target, and what follows its first question mark; both raw.
#[must_use]
pub fn split_target(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

/// One security event. The unit of everything: stored in Redis by applications, read by the engine, archived in the
/// database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Event {
    /// Identity; two events with one id are one event.
    pub id: EventId,
    /// When it happened, UTC, kept to the millisecond.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub category: Category,
    /// What happened, in the application's words: `login_failure`, `request`, `record_exported`. Lower snake case.
    #[serde(rename = "type")]
    #[ts(rename = "type")]
    pub kind: String,
    /// How bad the application thinks it is.
    #[serde(default = "info")]
    pub severity: Severity,
    /// How it ended.
    #[serde(default = "unknown")]
    pub outcome: Outcome,
    /// Who: the user name or service account.
    #[serde(default)]
    pub actor: Option<String>,
    /// Where from: an IP address in canonical text, or what the application gave if it is not one.
    #[serde(default)]
    pub source_ip: Option<String>,
    /// Session id.
    #[serde(default)]
    pub session: Option<String>,
    /// On what.
    #[serde(default)]
    pub resource: Option<String>,
    /// Doing what.
    #[serde(default)]
    pub action: Option<String>,
    /// How often, for a line such as "message repeated n times"; at least 1.
    #[serde(default = "one")]
    pub count: u32,
    /// The HTTP exchange, where there was one.
    #[serde(default)]
    pub http: Option<Http>,
    /// Anything else the application wants to say.
    #[serde(default)]
    #[ts(type = "unknown")]
    pub details: serde_json::Value,
    /// Free labels.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Risk from 0 to 100, if the application scores it.
    #[serde(default)]
    pub risk: Option<u8>,
}

const fn info() -> Severity {
    Severity::Info
}

const fn unknown() -> Outcome {
    Outcome::Unknown
}

/// How often an event may say that it happened. More in one line is a mistake of its sender, or meant to drown others.
pub const COUNT_MAX: u32 = 1_000_000;

const fn one() -> u32 {
    1
}

/// An address as events hold it, or what was given if it is none: one spelling for each, so that whoever varies it is
/// still one source. `::ffff:203.0.113.7`, `[203.0.113.7]:5123` and `203.0.113.7` are the same.
#[must_use]
pub fn canonical_address(text: &str) -> String {
    let bare = text.trim();
    let address = bare
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .or_else(|_| bare.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.map_or_else(|_| text.to_owned(), |address| address.to_canonical().to_string())
}

impl Event {
    /// An event with the required fields and nothing else.
    #[must_use]
    pub fn new(id: EventId, at: DateTime<Utc>, category: Category, kind: impl Into<String>) -> Self {
        Self {
            id,
            at,
            category,
            kind: kind.into(),
            severity: Severity::Info,
            outcome: Outcome::Unknown,
            actor: None,
            source_ip: None,
            session: None,
            resource: None,
            action: None,
            count: 1,
            http: None,
            details: serde_json::Value::Null,
            tags: Vec::new(),
            risk: None,
        }
    }

    /// Takes over how often it happened, at least once and at most [`COUNT_MAX`] times; a claim above that is kept as
    /// `details.count_claimed`.
    pub fn set_count(&mut self, claimed: u64) {
        self.count = u32::try_from(claimed).map_or(COUNT_MAX, |n| n.clamp(1, COUNT_MAX));
        if claimed <= u64::from(COUNT_MAX) {
            return;
        }
        let mut members = match std::mem::take(&mut self.details) {
            serde_json::Value::Object(members) => members,
            serde_json::Value::Null => serde_json::Map::new(),
            other => serde_json::Map::from_iter([("value".to_owned(), other)]),
        };
        members.insert("count_claimed".to_owned(), claimed.into());
        self.details = members.into();
    }

    /// The endpoint that an API usage event is about: the resource if there is one, else the path, else `-`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.resource.as_deref().or_else(|| self.http.as_ref().map(|http| http.path.as_str())).unwrap_or("-")
    }
}

/// A key of the event store that could not be read as an event, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Quarantined {
    /// The Redis key.
    pub key: String,
    /// Why it could not be read.
    pub reason: String,
    /// When that was seen.
    pub at: DateTime<Utc>,
}

/// The kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// An IP address.
    Ip,
    /// A user or service account.
    User,
    /// A session.
    Session,
    /// A path or resource.
    Endpoint,
}

words!(EntityKind { Ip = "ip", User = "user", Session = "session", Endpoint = "endpoint" });

/// Something that events and incidents are about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct Entity {
    /// Its kind.
    pub kind: EntityKind,
    /// Its value, as reported.
    pub value: String,
}

impl Entity {
    /// An entity of `kind` with `value`.
    #[must_use]
    pub fn new(kind: EntityKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

impl FromStr for Entity {
    type Err = UnknownWord;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (kind, value) = s.split_once(':').unwrap_or((s, ""));
        Ok(Self { kind: kind.parse()?, value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Http, canonical_address};

    #[test]
    fn an_address_has_one_spelling() {
        for (written, held) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7 ", "203.0.113.7"),
            ("203.0.113.7:5123", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::FFFF:cb00:7107", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
            ("2001:DB8:0:0::77", "2001:db8::77"),
            ("[2001:db8::77]", "2001:db8::77"),
            ("[2001:db8::77]:443", "2001:db8::77"),
            // What is no address stays what it is: nobody knows what a padded number means.
            ("203.0.113.007", "203.0.113.007"),
            ("unknown", "unknown"),
            ("", ""),
        ] {
            assert_eq!(canonical_address(written), held, "{written:?}");
        }
    }

    #[test]
    fn numbers_may_have_a_fraction() {
        let read = |json: &str| serde_json::from_str::<Http>(json);
        let http = read(r#"{"status":200.0,"bytes":1e3,"duration_ms":2.5}"#).expect("numbers");
        assert_eq!((http.status, http.bytes, http.duration_ms), (Some(200), Some(1_000), Some(3)));
        let http = read(r#"{"status":404,"bytes":null}"#).expect("a number, and none");
        assert_eq!((http.status, http.bytes, http.duration_ms), (Some(404), None, None));
        for (json, said) in [
            (r#"{"duration_ms":-2.5}"#, "a number from 0 on"),
            (r#"{"bytes":-1}"#, "a number from 0 on"),
            (r#"{"status":70000}"#, "a smaller number"),
            (r#"{"duration_ms":"2 s"}"#, "a number from 0 on"),
        ] {
            let error = read(json).expect_err(json).to_string();
            assert!(error.contains(said), "{json}: {error}");
        }
    }

    #[test]
    fn a_target_in_one_piece_is_taken_apart() {
        for (written, path, query) in [
            (r#"{"method":"GET","uri":"/x?cmd=%3Bid"}"#, "/x", Some("cmd=%3Bid")),
            (r#"{"method":"GET","uri":"/x"}"#, "/x", None),
            (r#"{"uri":"/x?a","query":"b"}"#, "/x", Some("b")),
            (r#"{"uri":"/x?a","path":"/y"}"#, "/y", None),
            (r#"{"path":"/y","query":"b","other":1}"#, "/y", Some("b")),
            ("{}", "", None),
        ] {
            let http: Http = serde_json::from_str(written).expect("it is JSON");
            assert_eq!((http.path.as_str(), http.query.as_deref()), (path, query), "{written}");
        }
    }
}
