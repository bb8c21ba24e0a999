//! The shape of a native rule's YAML document; `docs/rules.md` explains it to people.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;

use crate::rule::Sample;
use crate::rules::{Counts, Scope};
use crate::shell::ShellShape;
use crate::sql::Shape;

/// What every document may hold; tells what kind it is.
#[derive(Debug, Deserialize)]
pub(super) struct Probe {
    pub(super) id: Option<Spanned<String>>,
    pub(super) title: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) action: Option<IgnoredAny>,
    pub(super) detection: Option<IgnoredAny>,
    pub(super) correlation: Option<IgnoredAny>,
    pub(super) filter: Option<IgnoredAny>,
    pub(super) watchpost: Option<ProbeExtension>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProbeExtension {
    pub(super) r#match: Option<IgnoredAny>,
    pub(super) counts: Option<IgnoredAny>,
}

/// A native rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) title: String,
    pub(super) id: Spanned<String>,
    #[serde(rename = "name")]
    _name: Option<IgnoredAny>,
    #[serde(rename = "status")]
    _status: Option<Status>,
    #[serde(default)]
    pub(super) description: String,
    #[serde(rename = "references")]
    _references: Option<IgnoredAny>,
    #[serde(rename = "author")]
    _author: Option<IgnoredAny>,
    #[serde(rename = "license")]
    _license: Option<IgnoredAny>,
    #[serde(rename = "date")]
    _date: Option<IgnoredAny>,
    #[serde(rename = "modified")]
    _modified: Option<IgnoredAny>,
    #[serde(rename = "related")]
    _related: Option<IgnoredAny>,
    #[serde(rename = "fields")]
    _fields: Option<IgnoredAny>,
    #[serde(rename = "logsource")]
    _logsource: Option<IgnoredAny>,
    pub(super) level: Level,
    #[serde(default)]
    pub(super) tags: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) falsepositives: Vec<String>,
    pub(super) correlation: Option<Spanned<Correlation>>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) watchpost: Spanned<Extension>,
}

const fn yes() -> bool {
    true
}

/// Sigma's words for how far a rule has been tried.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Stable,
    Test,
    Experimental,
    Deprecated,
    Unsupported,
}

/// Sigma's words for severity.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Informational => Self::Info,
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
            Level::Critical => Self::Critical,
        }
    }
}

/// The Sigma correlation part of a behaviour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Correlation {
    #[serde(rename = "type")]
    pub(super) kind: Spanned<CorrelationKind>,
    #[serde(rename = "rules")]
    _rules: Vec<String>,
    #[serde(rename = "group-by")]
    pub(super) group_by: Option<Vec<Spanned<Scalar>>>,
    pub(super) timespan: Spanned<String>,
    pub(super) condition: Option<Spanned<Condition>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CorrelationKind {
    EventCount,
    ValueCount,
    ValueSum,
    ValueAvg,
    Temporal,
    TemporalOrdered,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) gte: Option<Spanned<Scalar>>,
    pub(super) gt: Option<Spanned<Scalar>>,
    #[serde(rename = "field")]
    _field: Option<IgnoredAny>,
}

/// A value of any kind, so that what is wrong with it can be said in the words of rules.
#[derive(Debug)]
pub(super) enum Scalar {
    Text(String),
    Whole(u64),
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Whole(number))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(u64::try_from(number).map_or(Scalar::Other, Scalar::Whole))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What Watchpost adds to Sigma.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extension {
    #[serde(default = "one")]
    pub(super) version: u32,
    pub(super) family: AttackFamily,
    /// Wider than it may be, so that what is wrong with it can be said in the words of rules.
    pub(super) confidence: Spanned<i64>,
    #[serde(default)]
    pub(super) controls: Vec<String>,
    #[serde(default)]
    pub(super) scope: Option<Scope>,
    #[serde(default)]
    pub(super) gate: Vec<Spanned<String>>,
    pub(super) r#match: Option<Spanned<Match>>,
    pub(super) layers: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) yields: Vec<Spanned<String>>,
    pub(super) unless: Option<Spanned<String>>,
    pub(super) counts: Option<Counts>,
    pub(super) what: Option<String>,
    #[serde(default)]
    pub(super) fires: Vec<Sample>,
    #[serde(default)]
    pub(super) near_misses: Vec<Sample>,
}

const fn one() -> u32 {
    1
}

/// What Watchpost reads from a rule in plain Sigma; all of it may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SigmaExtension {
    pub(super) version: Option<u32>,
    pub(super) family: Option<AttackFamily>,
    pub(super) confidence: Option<u8>,
    #[serde(default)]
    pub(super) controls: Vec<String>,
    #[serde(default)]
    pub(super) fires: Vec<Sample>,
    #[serde(default)]
    pub(super) near_misses: Vec<Sample>,
}

/// How a native rule confirms.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Match {
    Regex(Alternatives),
    Sql(Shape),
    Shell(ShellShape),
    Check(String),
}

/// One regular expression, or several of which one must match.
#[derive(Debug)]
pub(super) struct Alternatives(pub(super) Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Alternatives {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Alternatives;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a regular expression or a list of alternatives")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Alternatives, E> {
                let unknown = serde_saphyr::Location::UNKNOWN;
                Ok(Alternatives(vec![Spanned {
                    value: text.to_owned(),
                    referenced: unknown,
                    defined: unknown,
                }]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Alternatives, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(Alternatives(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
