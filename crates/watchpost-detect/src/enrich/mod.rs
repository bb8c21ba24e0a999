//! Context of findings: places, threat lists, assets, and the risk that follows from them.
//!
//! Pure like the rest of this crate: it takes bytes, entries and rules, not files or databases. `watchpost-ops` reads
//! those and calls [`Knowledge`].

mod assets;
mod geo;
mod stix;
mod threat_file;
mod threats;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::SecondsFormat;
use watchpost_model::event::{Category, Event, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, DecodedLayer, Finding, MatchedField};
use watchpost_model::place::Place;
use watchpost_model::risk::{EntityHistory, RiskScore};
use watchpost_model::text::visible;
use watchpost_model::threat::{ALERT_CONFIDENCE, ThreatKind, ThreatMatch};

use crate::finding::{entity_of, finding_id};

pub use assets::{AssetError, Assets, check_asset};
pub use geo::{Geo, GeoError, GeoFile};
pub use threat_file::{
    AGENTS_MAX, ENTRIES_MAX, FILE_BYTES_MAX, ParsedThreats, REASONS_MAX, ThreatFileError, parse_threats,
};
pub use threats::{ThreatIndex, ThreatIndexBuilder};

/// The rule behind findings about listed sources.
pub const LISTED_RULE: &str = "wp.threat.listed";

/// Everything that is known beyond the events.
///
/// The parts are shared, so that one of them can be replaced without reading the others anew.
#[derive(Debug, Default, Clone)]
pub struct Knowledge {
    /// Location and network files.
    pub geo: Arc<Geo>,
    /// Threat lists.
    pub threats: Arc<ThreatIndex>,
    /// What matters more or less.
    pub assets: Arc<Assets>,
}

impl Knowledge {
    /// Where the source of `event` is. `None` without a file, without an address, and where the file does not know it.
    ///
    /// # Errors
    /// `Damaged` if a file leads nowhere for this address.
    pub fn place(&self, event: &Event) -> Result<Option<Place>, GeoError> {
        if self.geo.is_empty() {
            return Ok(None);
        }
        match event.source_ip.as_deref().and_then(|source| source.parse::<IpAddr>().ok()) {
            Some(address) => self.geo.place(address),
            None => Ok(None),
        }
    }

    /// Findings about an event whose source, domain or user agent a list names, one a list.
    ///
    /// Only lists that are sure enough ([`ALERT_CONFIDENCE`]) make findings. Ids depend on list, entity and day, so one
    /// source makes one a day and list, however often it comes.
    #[must_use]
    pub fn listed(&self, event: &Event) -> Vec<Finding> {
        let mut matches = self.threats.of(event);
        matches.retain(|found| found.confidence >= ALERT_CONFIDENCE);
        matches.dedup_by(|a, b| a.list == b.list);
        matches.iter().map(|found| listed_finding(event, found)).collect()
    }

    /// Adds to a finding of `event` what is known about it, and scores it anew. `history` is that of its entity.
    pub fn enrich(
        &self,
        event: &Event,
        place: Option<&Place>,
        history: EntityHistory,
        finding: &mut Finding,
    ) {
        let factors = std::mem::take(&mut finding.enrichment.risk);
        let mut score = RiskScore::resumed(factors, finding.severity, finding.confidence, finding.risk);
        let assets = self.assets.of(event);
        if let Some(heaviest) = assets.first() {
            score = score.weighed(heaviest.weight, &heaviest.label);
        }
        let threats = self.threats.of(event);
        let lists: Vec<(&str, u8)> =
            threats.iter().map(|found| (found.list.as_str(), found.confidence)).collect();
        (finding.risk, finding.enrichment.risk) = score.listed(&lists).with_history(history).finished();
        finding.enrichment.place = place.cloned();
        finding.enrichment.threats = threats;
        finding.enrichment.assets = assets;
    }
}

fn listed_finding(event: &Event, found: &ThreatMatch) -> Finding {
    let entity = entity_of(event);
    let day = event.at.format("%Y-%m-%d").to_string();
    let entity_text = entity.to_string();
    // Midnight, so that the id does not depend on which event of the day came first.
    let midnight = event.at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let id = finding_id(midnight, &[LISTED_RULE, &found.list, &entity_text, &day]);
    // Somebody who is listed and gets in is worse than one who knocks.
    let got_in = event.category == Category::Authentication && event.outcome == Outcome::Success;
    let severity = if got_in { Severity::High } else { Severity::Medium };
    let value = value_of(event, &found.field);
    let what = match found.kind {
        ThreatKind::Ip => "address",
        ThreatKind::Domain => "domain",
        ThreatKind::UserAgent => "user agent",
    };
    let (risk, factors) = RiskScore::of(severity, found.confidence).finished();
    Finding {
        id,
        rule_id: LISTED_RULE.to_owned(),
        rule_version: 1,
        rule_title: "Source named by a threat list".to_owned(),
        family: AttackFamily::ThreatListed,
        event_id: event.id,
        at: event.at,
        entity,
        summary: format!(
            "The {what} {} is named by the threat list {} ({}) {} {}",
            visible(value, 120),
            found.list,
            visible(&found.entry, 120),
            if got_in { "and logged in at" } else { "and was seen at" },
            event.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        ),
        matched: Some(MatchedField {
            field: found.field.clone(),
            layers: vec![DecodedLayer {
                decoder: "raw".to_owned(),
                text: value.chars().take(2_048).collect(),
                span: None,
            }],
        }),
        counter: None,
        counted: None,
        linked: Vec::new(),
        severity,
        confidence: found.confidence,
        risk,
        attack: Vec::new(),
        owasp: None,
        controls: Vec::new(),
        enrichment: watchpost_model::enrichment::Enrichment { risk: factors, ..Default::default() },
    }
}

fn value_of<'a>(event: &'a Event, field: &str) -> &'a str {
    let header = field.strip_prefix("http.headers.");
    match (field, header, &event.http) {
        ("source_ip", ..) => event.source_ip.as_deref(),
        ("actor", ..) => event.actor.as_deref(),
        (_, Some(header), Some(http)) => http.headers.get(header).map(String::as_str),
        _ => None,
    }
    .unwrap_or_default()
}
