//! Suppressions: what a team has decided not to be told of, by whom, why and until when.

use chrono::{DateTime, Duration, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Entity, EntityKind, Event};
use crate::finding::{AttackFamily, Finding};
use crate::ids::SuppressionId;
use crate::incident::Incident;

/// The longest time that a suppression may last.
pub const SUPPRESSION_MAX: Duration = Duration::days(90);

/// Which findings: every given condition must hold, and at least one besides the family must be given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct SuppressionScope {
    /// Of this rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rule: Option<String>,
    /// Of this attack family.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub family: Option<AttackFamily>,
    /// Grouped by this entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub entity: Option<Entity>,
    /// From this address or range (`203.0.113.7`, `203.0.113.0/24`, `2001:db8::/48`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub network: Option<String>,
    /// On endpoints that begin with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub endpoint: Option<String>,
    /// Of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<String>,
}

impl SuppressionScope {
    /// Checks that it says something, and reads its network.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn compile(&self) -> Result<CompiledScope, String> {
        for (name, value) in [("rule", &self.rule), ("endpoint", &self.endpoint), ("user", &self.user)] {
            if value.as_deref().is_some_and(|value| value.trim().is_empty() || value.chars().count() > 500) {
                return Err(format!("{name} has 1 to 500 characters"));
            }
        }
        let network = self.network.as_deref().map(network).transpose()?;
        if network.is_some_and(|net| net.prefix_len() == 0) {
            return Err("a suppression of every address is none".to_owned());
        }
        let narrows = self.rule.is_some()
            || self.entity.is_some()
            || network.is_some()
            || self.user.is_some()
            || self.endpoint.as_deref().is_some_and(|prefix| prefix != "/");
        if !narrows {
            return Err(
                "name a rule, an entity, a network, an endpoint or a user: a whole family is too much"
                    .to_owned(),
            );
        }
        Ok(CompiledScope { scope: self.clone(), network })
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let bad = || format!("{text:?} is no address and no range");
    let net = match text.trim().parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.trim().parse::<std::net::IpAddr>().map_err(|_| bad())?),
    };
    match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => ipnet::Ipv4Net::new(v4, v6.prefix_len() - 96).map(IpNet::V4).map_err(|_| bad()),
            None => Ok(net.trunc()),
        },
        _ => Ok(net.trunc()),
    }
}

/// A scope that can be asked.
#[derive(Debug, Clone)]
pub struct CompiledScope {
    scope: SuppressionScope,
    network: Option<IpNet>,
}

impl CompiledScope {
    /// Is this finding, completed by this event, in the scope?
    #[must_use]
    pub fn covers(&self, finding: &Finding, event: &Event) -> bool {
        let scope = &self.scope;
        let user = || match finding.entity.kind {
            EntityKind::User => Some(finding.entity.value.as_str()),
            EntityKind::Ip | EntityKind::Session | EntityKind::Endpoint => event.actor.as_deref(),
        };
        let address = || match finding.entity.kind {
            EntityKind::Ip => Some(finding.entity.value.as_str()),
            EntityKind::User | EntityKind::Session | EntityKind::Endpoint => event.source_ip.as_deref(),
        };
        let in_network = |net: IpNet| {
            let ip = address().and_then(|text| text.parse::<std::net::IpAddr>().ok());
            ip.is_some_and(|ip| net.contains(&ip.to_canonical()))
        };
        scope.rule.as_ref().is_none_or(|rule| *rule == finding.rule_id)
            && scope.family.is_none_or(|family| family == finding.family)
            && scope.entity.as_ref().is_none_or(|entity| *entity == finding.entity)
            && self.network.is_none_or(in_network)
            && scope.endpoint.as_ref().is_none_or(|prefix| event.endpoint().starts_with(prefix.as_str()))
            && scope.user.as_deref().is_none_or(|name| user() == Some(name))
    }
}

/// A suppression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Suppression {
    /// Identity.
    pub id: SuppressionId,
    /// Which findings.
    pub scope: SuppressionScope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was taken back, if it was.
    pub removed_at: Option<DateTime<Utc>>,
    /// Who took it back.
    pub removed_by: Option<String>,
    /// Findings that it has hidden; they are kept and can be listed.
    pub hidden: u64,
    /// Event time of the newest of them.
    pub last_hidden: Option<DateTime<Utc>>,
}

impl Suppression {
    /// Does it hold at `now`?
    #[must_use]
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.removed_at.is_none() && now < self.expires_at
    }
}

/// A finding that was hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SuppressedFinding {
    /// By which suppression.
    pub suppressed_by: SuppressionId,
    /// When.
    pub at: DateTime<Utc>,
    /// The finding.
    pub finding: Finding,
}

/// What a suppression would have hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SuppressionPreview {
    /// Findings of the period.
    pub findings: u64,
    /// Of these it would have hidden.
    pub findings_hidden: u64,
    /// Incidents that would not have opened: it would have hidden every finding of them.
    pub incidents_hidden: u64,
    /// Incidents that would have been smaller.
    pub incidents_smaller: u64,
    /// Of the incidents that would not have opened, those judged an attack: a warning.
    pub true_positives_hidden: u64,
    /// Some of the incidents that would not have opened, newest first, at most 10.
    pub samples: Vec<Incident>,
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::SuppressionScope;
    use crate::event::{Category, Entity, EntityKind, Event, Severity};
    use crate::finding::{AttackFamily, Finding};
    use crate::ids::{EventId, FindingId};

    fn case() -> (Finding, Event) {
        let at = DateTime::from_timestamp(1_780_000_000, 0).expect("a time");
        let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
        event.source_ip = Some("203.0.113.7".to_owned());
        event.actor = Some("anna".to_owned());
        event.resource = Some("/shop/cart".to_owned());
        let finding = Finding {
            id: FindingId::at(at),
            rule_id: "wp.sqli.tautology".to_owned(),
            rule_version: 1,
            rule_title: String::new(),
            family: AttackFamily::Sqli,
            event_id: event.id,
            at,
            entity: Entity::new(EntityKind::Ip, "203.0.113.7"),
            summary: String::new(),
            matched: None,
            counter: None,
            counted: None,
            linked: Vec::new(),
            enrichment: crate::enrichment::Enrichment::default(),
            severity: Severity::High,
            confidence: 90,
            risk: 80,
            attack: Vec::new(),
            owasp: None,
            controls: Vec::new(),
        };
        (finding, event)
    }

    #[test]
    fn every_condition_must_hold() {
        let (finding, event) = case();
        for (scope, expected) in [
            (r#"{"rule":"wp.sqli.tautology"}"#, true),
            (r#"{"rule":"wp.sqli.union"}"#, false),
            (r#"{"network":"203.0.113.7"}"#, true),
            (r#"{"network":"203.0.113.99/24"}"#, true),
            (r#"{"network":"::ffff:203.0.113.0/120"}"#, true),
            (r#"{"network":"203.0.114.0/24"}"#, false),
            (r#"{"network":"2001:db8::/32"}"#, false),
            (r#"{"family":"sqli","user":"anna"}"#, true),
            (r#"{"family":"xss","user":"anna"}"#, false),
            (r#"{"user":"ben"}"#, false),
            (r#"{"endpoint":"/shop"}"#, true),
            (r#"{"endpoint":"/admin"}"#, false),
            (r#"{"entity":{"kind":"ip","value":"203.0.113.7"},"endpoint":"/shop/cart"}"#, true),
            (r#"{"entity":{"kind":"user","value":"203.0.113.7"}}"#, false),
        ] {
            let parsed: SuppressionScope = serde_json::from_str(scope).expect("a scope");
            let compiled = parsed.compile().expect("it says something");
            assert_eq!(compiled.covers(&finding, &event), expected, "{scope}");
        }
    }

    #[test]
    fn a_scope_must_say_something() {
        for scope in [
            "{}",
            r#"{"family":"sqli"}"#,
            r#"{"family":"sqli","endpoint":"/"}"#,
            r#"{"network":"0.0.0.0/0"}"#,
            r#"{"network":"::/0"}"#,
            r#"{"network":"300.1.1.1"}"#,
            r#"{"rule":" "}"#,
        ] {
            let parsed: SuppressionScope = serde_json::from_str(scope).expect("a scope");
            assert!(parsed.compile().is_err(), "{scope}");
        }
    }
}
