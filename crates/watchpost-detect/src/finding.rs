//! How a finding is put together: identity, risk, entity.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use watchpost_model::enrichment::Enrichment;
use watchpost_model::event::{Entity, EntityKind, Event, Severity};
use watchpost_model::finding::{CountedEvents, Counter, Finding, MatchedField};
use watchpost_model::ids::FindingId;
use watchpost_model::risk::{RiskFactor, RiskScore};

use crate::rule::RuleInfo;

/// An id made of what it identifies: equal parts make equal ids; `at` makes it sort by time.
///
/// Shape: version 8 UUID, the first 48 bits Unix milliseconds, the rest SHA-256 over the length-prefixed parts.
pub(crate) fn finding_id(at: DateTime<Utc>, parts: &[&str]) -> FindingId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    let ms = u64::try_from(at.timestamp_millis()).unwrap_or(0).to_be_bytes();
    bytes[..6].copy_from_slice(&ms[2..]);
    FindingId(Uuid::from_bytes(*uuid::Builder::from_custom_bytes(bytes).as_uuid().as_bytes()))
}

/// The entity that findings of an event are grouped by: source, else user, else session, else endpoint.
pub(crate) fn entity_of(event: &Event) -> Entity {
    let known = |kind, value: &Option<String>| {
        value.as_deref().filter(|value| !value.is_empty()).map(|value| Entity::new(kind, value))
    };
    known(EntityKind::Ip, &event.source_ip)
        .or_else(|| known(EntityKind::User, &event.actor))
        .or_else(|| known(EntityKind::Session, &event.session))
        .unwrap_or_else(|| Entity::new(EntityKind::Endpoint, event.endpoint()))
}

/// Severity and confidence as one explained number; more where the application did what it was asked, less where it
/// refused. Context is added when the finding is enriched.
pub(crate) fn risk(severity: Severity, confidence: u8, status: Option<u16>) -> (u8, Vec<RiskFactor>) {
    let score = RiskScore::of(severity, confidence);
    match status {
        Some(status) => score.answered(status),
        None => score,
    }
    .finished()
}

/// What differs from finding to finding of one rule.
pub(crate) struct Seen {
    pub(crate) id: FindingId,
    pub(crate) entity: Entity,
    pub(crate) summary: String,
    pub(crate) matched: Option<MatchedField>,
    pub(crate) counter: Option<Counter>,
    pub(crate) counted: Option<CountedEvents>,
    pub(crate) severity: Severity,
}

pub(crate) fn finding(info: &RuleInfo, event: &Event, seen: Seen) -> Finding {
    let status = event.http.as_ref().and_then(|http| http.status);
    let (risk, factors) =
        risk(seen.severity, info.confidence, if info.family_is_signature() { status } else { None });
    Finding {
        id: seen.id,
        rule_id: info.id.clone(),
        rule_version: info.version,
        rule_title: info.title.clone(),
        family: info.family,
        event_id: event.id,
        at: event.at,
        entity: seen.entity,
        summary: seen.summary,
        matched: seen.matched,
        counter: seen.counter,
        counted: seen.counted,
        linked: Vec::new(),
        severity: seen.severity,
        confidence: info.confidence,
        risk,
        attack: info.attack.clone(),
        owasp: info.owasp.clone(),
        controls: info.controls.clone(),
        enrichment: Enrichment { risk: factors, ..Enrichment::default() },
    }
}

impl RuleInfo {
    /// Does the rule look at what a request says, so that the answer's status tells how it went?
    const fn family_is_signature(&self) -> bool {
        use watchpost_model::finding::AttackFamily as Family;
        !matches!(
            self.family,
            Family::BruteForce
                | Family::ExcessiveRequests
                | Family::AccountTakeover
                | Family::PrivilegeEscalation
                | Family::DataExfiltration
                | Family::LogGap
                | Family::RedisHealth
                | Family::KillChain
                | Family::ThreatListed
        )
    }
}
