//! What a field of an event holds, as text: for tables and exports.

use super::FieldName;
use crate::event::Event;

impl FieldName {
    /// What it holds in `event`, as the query language writes it; `None` where it is missing.
    #[must_use]
    pub fn text_of(self, event: &Event) -> Option<String> {
        let http = event.http.as_ref();
        match self {
            Self::At => Some(super::moment(event.at)),
            Self::Category => Some(event.category.to_string()),
            Self::Type => Some(event.kind.clone()),
            Self::Severity => Some(event.severity.to_string()),
            Self::Outcome => Some(event.outcome.to_string()),
            Self::Ip => event.source_ip.clone(),
            Self::User => event.actor.clone(),
            // Of the location file, not of the event.
            Self::Country => None,
            Self::Session => event.session.clone(),
            Self::Endpoint => Some(event.endpoint()).filter(|endpoint| *endpoint != "-").map(str::to_owned),
            Self::Resource => event.resource.clone(),
            Self::Action => event.action.clone(),
            Self::Method => http.map(|http| http.method.clone()),
            Self::Path => http.map(|http| http.path.clone()),
            Self::Query => http.and_then(|http| http.query.clone()),
            Self::Agent => http.and_then(|http| http.headers.get("user-agent").cloned()),
            Self::Body => http.and_then(|http| http.body.clone()),
            Self::Status => http.and_then(|http| http.status).map(|n| n.to_string()),
            Self::Bytes => http.and_then(|http| http.bytes).map(|n| n.to_string()),
            Self::Duration => http.and_then(|http| http.duration_ms).map(|n| n.to_string()),
            Self::Count => Some(event.count.to_string()),
            Self::Risk => event.risk.map(|n| n.to_string()),
            Self::Tag => Some(event.tags.join(" ")).filter(|tags| !tags.is_empty()),
            Self::Id => Some(event.id.to_string()),
        }
    }

    /// Its name in exports: of the Elastic Common Schema, where that has one.
    #[must_use]
    pub const fn export_name(self) -> &'static str {
        match self {
            Self::At => "@timestamp",
            Self::Category => "event.category",
            Self::Type => "event.action",
            Self::Severity => "event.severity",
            Self::Outcome => "event.outcome",
            Self::Ip => "source.ip",
            Self::User => "user.name",
            Self::Country => "source.geo.country_iso_code",
            Self::Session => "session.id",
            Self::Endpoint => "endpoint",
            Self::Resource => "resource",
            Self::Action => "action",
            Self::Method => "http.request.method",
            Self::Path => "url.path",
            Self::Query => "url.query",
            Self::Agent => "user_agent.original",
            Self::Body => "http.request.body.content",
            Self::Status => "http.response.status_code",
            Self::Bytes => "http.response.bytes",
            Self::Duration => "duration_ms",
            Self::Count => "count",
            Self::Risk => "event.risk_score",
            Self::Tag => "tags",
            Self::Id => "event.id",
        }
    }
}
