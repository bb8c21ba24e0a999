//! Findings: what a rule saw, and enough to explain it without the rule at hand.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::enrichment::Enrichment;
use crate::event::{Category, Entity, Outcome, Severity};
use crate::ids::{EventId, FindingId};
use crate::words;

/// The family of an attack; findings of one entity and one family fold into one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AttackFamily {
    /// Many failed logins of one source or user.
    BruteForce,
    /// SQL injection.
    Sqli,
    /// Operators and code in queries of document databases.
    Nosqli,
    /// Cross-site scripting.
    Xss,
    /// Path traversal and local file inclusion.
    Traversal,
    /// A file of another server where a local one is expected.
    Rfi,
    /// Command injection.
    Cmdi,
    /// Server-side template injection.
    Ssti,
    /// PHP code, wrappers and objects.
    Php,
    /// JNDI lookups, expression languages and gadgets of Java.
    Java,
    /// Serialised objects of other languages where data is expected.
    Deserialization,
    /// External entities and entity bombs in XML.
    Xxe,
    /// LDAP filter injection.
    Ldap,
    /// Internal or metadata addresses where the server will ask them.
    Ssrf,
    /// JSON Web Tokens that were tampered with.
    Jwt,
    /// Requests whose anti-forgery token is missing or wrong.
    Csrf,
    /// Line breaks and headers inside values.
    HeaderInjection,
    /// Redirect parameters that leave the site.
    Redirect,
    /// Web shells, double extensions, content that is not what it says.
    Upload,
    /// Answers that hold secrets, stack traces or card numbers.
    DataLeak,
    /// More requests than a person makes.
    ExcessiveRequests,
    /// Scanners and probes.
    Scanner,
    /// An account used from where, when or with what its owner does not.
    AccountTakeover,
    /// Rights that grow, or attempts beyond them.
    PrivilegeEscalation,
    /// More data than this user or endpoint usually moves.
    DataExfiltration,
    /// A source of events that fell silent.
    LogGap,
    /// A source that a threat list names.
    ThreatListed,
    /// Several families of one entity, one after the other.
    KillChain,
    /// Rules of the team without a family of their own.
    Custom,
    /// A measure of Redis that is over its line.
    RedisHealth,
}

words!(AttackFamily {
    BruteForce = "brute_force",
    Sqli = "sqli",
    Nosqli = "nosqli",
    Xss = "xss",
    Traversal = "traversal",
    Rfi = "rfi",
    Cmdi = "cmdi",
    Ssti = "ssti",
    Php = "php",
    Java = "java",
    Deserialization = "deserialization",
    Xxe = "xxe",
    Ldap = "ldap",
    Ssrf = "ssrf",
    Jwt = "jwt",
    Csrf = "csrf",
    HeaderInjection = "header_injection",
    Redirect = "redirect",
    Upload = "upload",
    DataLeak = "data_leak",
    ExcessiveRequests = "excessive_requests",
    Scanner = "scanner",
    AccountTakeover = "account_takeover",
    PrivilegeEscalation = "privilege_escalation",
    DataExfiltration = "data_exfiltration",
    LogGap = "log_gap",
    ThreatListed = "threat_listed",
    KillChain = "kill_chain",
    Custom = "custom",
    RedisHealth = "redis_health",
});

impl AttackFamily {
    /// The name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::BruteForce => "Brute force",
            Self::Sqli => "SQL injection",
            Self::Nosqli => "NoSQL injection",
            Self::Xss => "Cross-site scripting",
            Self::Traversal => "Path traversal",
            Self::Rfi => "Remote file inclusion",
            Self::Cmdi => "Command injection",
            Self::Ssti => "Template injection",
            Self::Php => "PHP injection",
            Self::Java => "Java and JNDI injection",
            Self::Deserialization => "Unsafe deserialisation",
            Self::Xxe => "XML external entity",
            Self::Ldap => "LDAP injection",
            Self::Ssrf => "Server-side request forgery",
            Self::Jwt => "Token tampering",
            Self::Csrf => "CSRF failure",
            Self::HeaderInjection => "Header injection",
            Self::Redirect => "Open redirect",
            Self::Upload => "Malicious upload",
            Self::DataLeak => "Data leak",
            Self::ExcessiveRequests => "Excessive requests",
            Self::Scanner => "Scanning",
            Self::AccountTakeover => "Unusual account use",
            Self::PrivilegeEscalation => "Privilege escalation",
            Self::DataExfiltration => "Data exfiltration",
            Self::LogGap => "Log gap",
            Self::ThreatListed => "Listed source",
            Self::KillChain => "Attack chain",
            Self::Custom => "Custom rule",
            Self::RedisHealth => "Redis health",
        }
    }
}

/// One decoded form of a field and what matched in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DecodedLayer {
    /// What made this form of the one before: `raw`, `percent`, `html`, `unicode`, `base64`, ...
    pub decoder: String,
    /// The text in this form, at most 2,048 characters around the match.
    pub text: String,
    /// The match in `text`, as character offsets `[start, end)`; `None` where it is not visible in this form.
    pub span: Option<(u32, u32)>,
}

/// Where in the event a signature matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MatchedField {
    /// The field, in dotted form: `http.query`, `http.headers.user-agent`, `http.body`.
    pub field: String,
    /// From raw to the form in which the rule matched; never empty.
    pub layers: Vec<DecodedLayer>,
}

/// The counter behind a behavioural finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Counter {
    /// What was counted: `failed logins`, `requests`.
    pub what: String,
    /// How many there were.
    pub seen: u64,
    /// How many it takes.
    pub threshold: u64,
    /// The window in seconds.
    pub window_s: u64,
}

/// Which events a behaviour counted: those of the finding's entity in `[from, to]` that meet every given condition.
///
/// The archive holds all events, so this names each one of them without a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CountedEvents {
    /// Event time of the first one.
    pub from: DateTime<Utc>,
    /// Event time of the last one.
    pub to: DateTime<Utc>,
    /// Only of this category.
    pub category: Option<Category>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only answered with a status from the first to the second, both included.
    pub status: Option<(u16, u16)>,
}

/// What one rule saw in one event (or in a window that ends with it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Finding {
    /// Identity: derived from rule, event and group, so that a replay makes the same ids.
    pub id: FindingId,
    /// The rule: `wp.sqli.tautology`.
    pub rule_id: String,
    /// The rule's version.
    pub rule_version: u32,
    /// What the rule looks for, in a few words.
    pub rule_title: String,
    /// The family.
    pub family: AttackFamily,
    /// The event that completed it.
    pub event_id: EventId,
    /// Event time of that event.
    pub at: DateTime<Utc>,
    /// The entity it is grouped by.
    pub entity: Entity,
    /// One sentence for the analyst.
    pub summary: String,
    /// Where a signature matched.
    pub matched: Option<MatchedField>,
    /// What a behaviour counted.
    pub counter: Option<Counter>,
    /// The events behind that count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub counted: Option<CountedEvents>,
    /// Further events that it took to complete it, one by one: what a correlation of Sigma counted, the newest 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<EventId>>", optional)]
    pub linked: Vec<EventId>,
    /// How bad.
    pub severity: Severity,
    /// How sure, 0 to 100.
    pub confidence: u8,
    /// Severity, confidence and context as one number, 0 to 100; `enrichment.risk` says why.
    pub risk: u8,
    /// ATT&CK technique ids: `T1190`.
    pub attack: Vec<String>,
    /// OWASP Top 10 category: `A05:2025`.
    pub owasp: Option<String>,
    /// Compliance controls that this is evidence for: `PCI DSS 6.4.2`.
    pub controls: Vec<String>,
    /// What is known beyond the event: place, threat lists, assets, the factors of the risk.
    #[serde(default, skip_serializing_if = "Enrichment::is_empty")]
    #[ts(as = "Option<Enrichment>", optional)]
    pub enrichment: Enrichment,
}
