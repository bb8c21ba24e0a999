//! An event under the field names that Sigma rules use, raw and decoded.

use std::borrow::Cow;

use rsigma_eval::{EventValue, JsonEvent};
use serde_json::Value;
use watchpost_model::event::{EntityKind, Event, Http};

use crate::decode::Layer;
use crate::fields::{Field, Fields};

/// What a field name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Uri,
    Query,
    Stem,
    Method,
    Agent,
    Referer,
    Host,
    Cookie,
    ContentType,
    Forwarded,
    Body,
    ResponseBody,
    Status,
    Bytes,
    SourceIp,
    User,
    Session,
    Resource,
    Action,
    Category,
    Kind,
    Outcome,
    Severity,
    Id,
    At,
}

impl Name {
    fn of(field: &str) -> Option<Self> {
        Some(match field {
            "c-uri" | "cs-uri" | "request_uri" | "url" | "url.original" | "url.full" => Self::Uri,
            "cs-uri-query" | "c-uri-query" | "url.query" => Self::Query,
            "cs-uri-stem" | "c-uri-stem" | "c-uri-path" | "url.path" => Self::Stem,
            "cs-method" | "c-method" | "http.request.method" | "method" => Self::Method,
            "c-useragent"
            | "cs-user-agent"
            | "cs(User-Agent)"
            | "user_agent"
            | "user_agent.original"
            | "useragent"
            | "http.request.headers.user-agent" => Self::Agent,
            "cs-referer"
            | "cs-referrer"
            | "c-referer"
            | "cs(Referer)"
            | "http.request.referrer"
            | "referer"
            | "http.request.headers.referer" => Self::Referer,
            "cs-host" | "c-uri-host" | "r-dns" | "url.domain" | "http.request.headers.host" => Self::Host,
            "cs-cookie" | "cs-cookies" | "c-cookie" | "cs(Cookie)" | "http.request.headers.cookie" => {
                Self::Cookie
            }
            "cs-content-type" | "http.request.mime_type" | "http.request.headers.content-type" => {
                Self::ContentType
            }
            "x-forwarded-for" | "cs-x-forwarded-for" | "http.request.headers.x-forwarded-for" => {
                Self::Forwarded
            }
            "cs-body" | "post_body" | "request_body" | "http.request.body.content" => Self::Body,
            "sc-body" | "response_body" | "http.response.body.content" => Self::ResponseBody,
            "sc-status" | "status" | "http.response.status_code" => Self::Status,
            "sc-bytes" | "http.response.bytes" | "http.response.body.bytes" => Self::Bytes,
            "src_ip" | "c-ip" | "source.ip" | "client.ip" | "source.address" | "SourceIp" | "ClientIP"
            | "IpAddress" | "sourceIPAddress" => Self::SourceIp,
            "cs-username" | "user.name" | "user" | "username" | "User" | "TargetUserName" | "actor" => {
                Self::User
            }
            "session" | "session.id" => Self::Session,
            "resource" => Self::Resource,
            "action" | "event.action" => Self::Action,
            "category" | "event.category" => Self::Category,
            "type" | "event.type" | "eventType" => Self::Kind,
            "outcome" | "event.outcome" => Self::Outcome,
            "severity" | "event.severity" => Self::Severity,
            "id" | "event.id" => Self::Id,
            "@timestamp" => Self::At,
            _ => return None,
        })
    }
}

/// The kind of entity that groups by this field stand for.
/// Does every event have this field by itself? Others are looked for in its details.
pub(crate) fn is_own(field: &str) -> bool {
    Name::of(field).is_some() || field.starts_with("http.request.headers.")
}

pub(super) fn entity_kind(field: &str) -> Option<EntityKind> {
    match Name::of(field)? {
        Name::SourceIp => Some(EntityKind::Ip),
        Name::User => Some(EntityKind::User),
        Name::Session => Some(EntityKind::Session),
        _ => None,
    }
}

/// A text and, where it differs, what decoding made of it.
#[derive(Debug, Default)]
struct Forms<'a> {
    raw: Option<Cow<'a, str>>,
    decoded: Option<String>,
}

impl<'a> Forms<'a> {
    fn new(raw: Cow<'a, str>, decoded: String) -> Self {
        let decoded = (decoded != raw).then_some(decoded);
        Self { raw: Some(raw), decoded }
    }

    fn value(&self) -> Option<EventValue<'_>> {
        let raw = EventValue::Str(Cow::Borrowed(self.raw.as_deref()?));
        Some(match &self.decoded {
            None => raw,
            Some(decoded) => EventValue::Array(vec![raw, EventValue::Str(Cow::Borrowed(decoded))]),
        })
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.raw.as_deref().into_iter().chain(self.decoded.as_deref())
    }
}

/// One event with its decoded values.
#[derive(Debug)]
pub(crate) struct View<'a> {
    event: &'a Event,
    http: Option<&'a Http>,
    fields: &'a Fields<'a>,
    /// The layers of each field.
    layers: &'a [Vec<Layer<'a>>],
    uri: Forms<'a>,
    query: Forms<'a>,
    stem: Forms<'a>,
}

/// The last form that lost nothing and guessed nothing: before lists, base64, folding and shell quoting.
fn exact<'a>(layers: &'a [Layer<'_>]) -> &'a str {
    let is_exact = |layer: &&Layer<'_>| !matches!(layer.decoder, "list" | "base64" | "fold" | "shell");
    layers.iter().take_while(is_exact).last().map_or("", |layer| layer.text.as_ref())
}

impl<'a> View<'a> {
    /// `layers` are those of each of `fields`, in their order.
    pub(crate) fn new(event: &'a Event, fields: &'a Fields<'a>, layers: &'a [Vec<Layer<'a>>]) -> Self {
        let mut view = Self {
            event,
            http: event.http.as_ref(),
            fields,
            layers,
            uri: Forms::default(),
            query: Forms::default(),
            stem: Forms::default(),
        };
        if let Some(http) = view.http {
            let stem = view.of("http.path", None).unwrap_or(&http.path).to_owned();
            let raw_query = http.query.as_deref().unwrap_or("");
            let query = view.decoded_query();
            let (raw, decoded) = if raw_query.is_empty() {
                (Cow::Borrowed(http.path.as_str()), stem.clone())
            } else {
                (Cow::Owned(format!("{}?{raw_query}", http.path)), format!("{stem}?{query}"))
            };
            view.uri = Forms::new(raw, decoded);
            view.stem = Forms::new(Cow::Borrowed(&http.path), stem);
            if !raw_query.is_empty() {
                view.query = Forms::new(Cow::Borrowed(raw_query), query);
            }
        }
        view
    }

    fn pairs(&self) -> impl Iterator<Item = (&Field<'a>, &[Layer<'a>])> {
        self.fields.all.iter().zip(self.layers.iter().map(Vec::as_slice))
    }

    /// The decoded form of a field.
    fn of(&self, base: &str, key: Option<&str>) -> Option<&str> {
        self.pairs()
            .find(|(field, _)| field.base == base && field.key.as_deref() == key)
            .map(|(_, layers)| exact(layers))
    }

    /// The parameters put together again, each decoded.
    fn decoded_query(&self) -> String {
        let mut text = String::new();
        for (field, layers) in self.pairs() {
            if field.base != "http.query" || field.is_list() {
                continue;
            }
            if !text.is_empty() {
                text.push('&');
            }
            if let Some(key) = &field.key {
                text.push_str(key);
                text.push('=');
            }
            text.push_str(exact(layers));
        }
        text
    }

    fn header(&self, name: &'static str) -> Option<EventValue<'_>> {
        let raw = self.http?.headers.get(name)?;
        let raw_value = EventValue::Str(Cow::Borrowed(raw));
        let decoded = self.of("http.headers", Some(name)).filter(|decoded| decoded != raw);
        Some(match decoded {
            None => raw_value,
            Some(decoded) => EventValue::Array(vec![raw_value, EventValue::Str(Cow::Borrowed(decoded))]),
        })
    }

    fn value(&self, name: Name) -> Option<EventValue<'_>> {
        fn known(text: &Option<String>) -> Option<EventValue<'_>> {
            text.as_deref().filter(|text| !text.is_empty()).map(|text| EventValue::Str(Cow::Borrowed(text)))
        }
        let word = |word: &'static str| Some(EventValue::Str(Cow::Borrowed(word)));
        let event = self.event;
        match name {
            Name::Uri => self.uri.value(),
            Name::Query => self.query.value(),
            Name::Stem => self.stem.value(),
            Name::Method => self
                .http
                .filter(|http| !http.method.is_empty())
                .map(|http| EventValue::Str(Cow::Borrowed(&http.method))),
            Name::Agent => self.header("user-agent"),
            Name::Referer => self.header("referer"),
            Name::Host => self.header("host"),
            Name::Cookie => self.header("cookie"),
            Name::ContentType => self.header("content-type"),
            Name::Forwarded => self.header("x-forwarded-for"),
            Name::Body => {
                let raw = EventValue::Str(Cow::Borrowed(self.http?.body.as_deref()?));
                let parts = self.pairs().filter(|(field, _)| field.base == "http.body");
                let decoded = parts.map(|(_, layers)| EventValue::Str(Cow::Borrowed(exact(layers))));
                Some(EventValue::Array(std::iter::once(raw).chain(decoded).collect()))
            }
            Name::ResponseBody => known(&self.http?.response_body),
            Name::Status => self.http?.status.map(|status| EventValue::Int(i64::from(status))),
            Name::Bytes => {
                self.http?.bytes.map(|bytes| EventValue::Int(i64::try_from(bytes).unwrap_or(i64::MAX)))
            }
            Name::SourceIp => known(&event.source_ip),
            Name::User => known(&event.actor),
            Name::Session => known(&event.session),
            Name::Resource => known(&event.resource),
            Name::Action => known(&event.action),
            Name::Category => word(event.category.as_str()),
            Name::Kind => Some(EventValue::Str(Cow::Borrowed(&event.kind))),
            Name::Outcome => word(event.outcome.as_str()),
            Name::Severity => word(event.severity.as_str()),
            Name::Id => Some(EventValue::Str(Cow::Owned(event.id.to_string()))),
            Name::At => Some(EventValue::Str(Cow::Owned(event.at.to_rfc3339()))),
        }
    }

    /// Every text of the event, decoded forms included, until `stop` says so.
    fn texts(&self, stop: &mut dyn FnMut(&str) -> bool) -> bool {
        let event = self.event;
        let known = [&event.source_ip, &event.actor, &event.session, &event.resource];
        known.iter().copied().flatten().any(|text| stop(text))
            || stop(&event.kind)
            || self.http.is_some_and(|http| {
                stop(&http.method)
                    || self.uri.texts().any(&mut *stop)
                    || self.query.texts().any(&mut *stop)
                    || http.headers.values().any(|text| stop(text))
                    || http.body.iter().chain(&http.response_body).any(|text| stop(text))
            })
            || self.layers.iter().flatten().any(|layer| stop(&layer.text))
    }
}

impl rsigma_eval::Event for View<'_> {
    /// A Sigma or ECS name; else a member of the details, with dots for nesting.
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if let Some(name) = Name::of(path)
            && let Some(value) = self.value(name)
        {
            return Some(value);
        }
        if let Some(name) = path.strip_prefix("http.request.headers.")
            && let Some(value) = self.http.and_then(|http| http.headers.get(name))
        {
            return Some(EventValue::Str(Cow::Borrowed(value)));
        }
        let members = self.event.details.as_object()?;
        if let Some(value) = members.get(path) {
            return Some(EventValue::from(value));
        }
        let rest = path.strip_prefix("details.").unwrap_or(path);
        let root = rest.split(['.', '[']).next().unwrap_or(rest);
        if root == path || !members.contains_key(root) {
            return None;
        }
        // What it finds is copied: it lives no longer than this reader of the details.
        let found = JsonEvent::borrow(&self.event.details).get_field(rest)?.to_json();
        Some(owned(found))
    }

    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.texts(&mut |text| pred(text))
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        let mut all = Vec::new();
        self.texts(&mut |text| {
            all.push(Cow::Owned(text.to_owned()));
            false
        });
        all
    }

    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        self.texts(&mut |text| {
            visit(text);
            false
        });
    }

    fn to_json(&self) -> Value {
        serde_json::to_value(self.event).unwrap_or(Value::Null)
    }
}

fn owned(value: Value) -> EventValue<'static> {
    match value {
        Value::String(text) => EventValue::Str(Cow::Owned(text)),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| EventValue::Float(number.as_f64().unwrap_or(f64::NAN)), EventValue::Int),
        Value::Bool(flag) => EventValue::Bool(flag),
        Value::Null => EventValue::Null,
        Value::Array(values) => EventValue::Array(values.into_iter().map(owned).collect()),
        Value::Object(members) => {
            EventValue::Map(members.into_iter().map(|(key, value)| (Cow::Owned(key), owned(value))).collect())
        }
    }
}
