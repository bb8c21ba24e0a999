//! Response: which findings lead to which actions (DESIGN section 4.7). The policy, and what came of it.
//!
//! Pure: [`plan::plan`] says what should be done from the policy, a finding and what is known of its target. Doing it
//! belongs to the operations, through the same door as people.

pub mod plan;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::block::BlockTarget;
use crate::contain::ContainKind;
use crate::event::Severity;
use crate::finding::AttackFamily;
use crate::ids::{FindingId, IncidentId, OutboxId, ResponseId};
use crate::words;

/// Whether the engine acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// Nothing is planned.
    Off,
    /// What would be done is recorded; nothing is done.
    #[default]
    DryRun,
    /// Actions are done.
    On,
}

words!(ResponseMode { Off = "off", DryRun = "dry_run", On = "on" });

/// What can be done about a finding, from harmless to severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Label the incident.
    Tag,
    /// Tell people: a message in the outbox.
    Notify,
    /// Open a ticket: a message in the outbox.
    Ticket,
    /// Let an address make only so many requests a minute.
    RateLimit,
    /// Refuse an address.
    BlockIp,
    /// Revoke a session.
    RevokeSession,
    /// Refuse a user.
    RestrictUser,
    /// Take a service out of use.
    IsolateService,
}

words!(ActionKind {
    Tag = "tag",
    Notify = "notify",
    Ticket = "ticket",
    RateLimit = "rate_limit",
    BlockIp = "block_ip",
    RevokeSession = "revoke_session",
    RestrictUser = "restrict_user",
    IsolateService = "isolate_service",
});

impl ActionKind {
    /// Does it keep somebody out? Then it has a TTL, counts against the cap and passes every guard.
    #[must_use]
    pub const fn is_containment(self) -> bool {
        match self {
            Self::Tag | Self::Notify | Self::Ticket => false,
            Self::RateLimit
            | Self::BlockIp
            | Self::RevokeSession
            | Self::RestrictUser
            | Self::IsolateService => true,
        }
    }

    /// Is its target an address?
    #[must_use]
    pub const fn is_about_address(self) -> bool {
        matches!(self, Self::RateLimit | Self::BlockIp)
    }

    /// The kind of containment that it makes, if it makes one that is not a block.
    #[must_use]
    pub const fn contains(self) -> Option<ContainKind> {
        match self {
            Self::RateLimit => Some(ContainKind::Limit),
            Self::RevokeSession => Some(ContainKind::Session),
            Self::RestrictUser => Some(ContainKind::User),
            Self::IsolateService => Some(ContainKind::Service),
            Self::Tag | Self::Notify | Self::Ticket | Self::BlockIp => None,
        }
    }

    /// For people: `block 203.0.113.7`.
    #[must_use]
    pub fn sentence(self, target: &str) -> String {
        match self {
            Self::Tag => format!("tag the incident {target}"),
            Self::Notify => format!("notify {target}"),
            Self::Ticket => format!("open a ticket in {target}"),
            Self::RateLimit => format!("limit the rate of {target}"),
            Self::BlockIp => format!("block {target}"),
            Self::RevokeSession => format!("revoke session {target}"),
            Self::RestrictUser => format!("restrict user {target}"),
            Self::IsolateService => format!("isolate service {target}"),
        }
    }
}

/// One step of a rule of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ResponseStep {
    /// What to do.
    pub action: ActionKind,
    /// For how long the first time, in seconds; only of containments, which need it.
    #[serde(default)]
    pub ttl_s: Option<u64>,
    /// The label of `tag`; the channel of `notify` and the queue of `ticket` (`default` if absent); the service of
    /// `isolate_service` (else the event's `details.service`).
    #[serde(default)]
    pub value: Option<String>,
    /// Requests a minute that `rate_limit` leaves.
    #[serde(default)]
    pub per_min: Option<u32>,
}

/// Findings and what to do about them. Every given condition must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ResponseRule {
    /// Its name, unique in the policy; stands in every record of what it did.
    pub name: String,
    /// Ids of detection rules; one that ends with `*` means all that begin so. Empty means any.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Attack families; empty means any.
    #[serde(default)]
    pub families: Vec<AttackFamily>,
    /// At least this severe.
    pub severity_min: Severity,
    /// At least this sure, 0 to 100.
    pub confidence_min: u8,
    /// What to do.
    pub steps: Vec<ResponseStep>,
}

/// The response policy of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ResponsePolicy {
    /// Whether the engine acts.
    pub mode: ResponseMode,
    /// All rules that match apply; of two steps with the same action and target the longer one counts.
    pub rules: Vec<ResponseRule>,
    /// Proxies, gateways, load balancers: never acted on automatically.
    pub trusted_proxies: Vec<BlockTarget>,
    /// Machines whose applications report events: never acted on automatically.
    pub sensors: Vec<BlockTarget>,
    /// Users who are never restricted automatically, such as those for emergencies.
    pub protected_users: Vec<String>,
    /// Whether private and reserved addresses may be acted on automatically.
    pub private_ranges: bool,
    /// Hours for which a target that a person released is left alone; 0 to 720.
    pub soft_allow_h: u32,
    /// Days in which an earlier containment makes a repeat offender; 1 to 365.
    pub repeat_days: u32,
    /// No automatic containment lasts longer, in seconds.
    pub ttl_max_s: u64,
    /// Findings about older events than this lead to nothing, in seconds: importing a log does not block anybody.
    pub age_max_s: u64,
    /// Automatic containments an hour; further ones are skipped, so that one bad rule cannot shut everybody out.
    pub contain_per_hour_max: u32,
}

impl Default for ResponsePolicy {
    fn default() -> Self {
        let step = |action, ttl_s| ResponseStep { action, ttl_s, value: None, per_min: None };
        let rule = |name: &str, severity_min, confidence_min, steps| ResponseRule {
            name: name.to_owned(),
            rules: Vec::new(),
            families: Vec::new(),
            severity_min,
            confidence_min,
            steps,
        };
        Self {
            mode: ResponseMode::DryRun,
            rules: vec![
                rule(
                    "critical and certain: block",
                    Severity::Critical,
                    85,
                    vec![step(ActionKind::BlockIp, Some(3_600))],
                ),
                rule(
                    "high and critical: tell",
                    Severity::High,
                    75,
                    vec![step(ActionKind::Notify, None), step(ActionKind::Ticket, None)],
                ),
            ],
            trusted_proxies: Vec::new(),
            sensors: Vec::new(),
            protected_users: Vec::new(),
            private_ranges: false,
            soft_allow_h: 24,
            repeat_days: 30,
            ttl_max_s: 30 * 86_400,
            age_max_s: 6 * 3_600,
            contain_per_hour_max: 50,
        }
    }
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct PolicyError {
    /// The field: `rules[1].steps[0].ttl_s`.
    pub field: String,
    /// For people.
    pub message: String,
}

impl ResponsePolicy {
    /// Is every part of it usable?
    ///
    /// # Errors
    /// The first part that is not.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let wrong = |field: &str, message: &str| {
            Err(PolicyError { field: field.to_owned(), message: message.to_owned() })
        };
        if self.rules.len() > 100 {
            return wrong("rules", "at most 100 rules");
        }
        if self.soft_allow_h > 720 {
            return wrong("soft_allow_h", "at most 720 hours");
        }
        if !(1..=365).contains(&self.repeat_days) {
            return wrong("repeat_days", "between 1 and 365 days");
        }
        if !(60..=31_536_000).contains(&self.ttl_max_s) {
            return wrong("ttl_max_s", "between one minute and one year");
        }
        if !(60..=7 * 86_400).contains(&self.age_max_s) {
            return wrong("age_max_s", "between one minute and seven days");
        }
        if !(1..=10_000).contains(&self.contain_per_hour_max) {
            return wrong("contain_per_hour_max", "between 1 and 10,000");
        }
        let lists = [self.trusted_proxies.len(), self.sensors.len(), self.protected_users.len()];
        if lists.iter().any(|n| *n > 1_000) {
            return wrong("trusted_proxies", "at most 1,000 entries in each list");
        }
        let mut names = std::collections::BTreeSet::new();
        for (at, rule) in self.rules.iter().enumerate() {
            if rule.name.trim().is_empty() || rule.name.chars().count() > 100 {
                return wrong(&format!("rules[{at}].name"), "a name has 1 to 100 characters");
            }
            if !names.insert(rule.name.as_str()) {
                return wrong(&format!("rules[{at}].name"), "another rule has this name");
            }
            if rule.confidence_min > 100 {
                return wrong(&format!("rules[{at}].confidence_min"), "between 0 and 100");
            }
            if rule.steps.is_empty() || rule.steps.len() > 16 {
                return wrong(&format!("rules[{at}].steps"), "between 1 and 16 steps");
            }
            for (n, step) in rule.steps.iter().enumerate() {
                step.validate(&format!("rules[{at}].steps[{n}]"), self.ttl_max_s)?;
            }
        }
        Ok(())
    }

    /// Is this user left to people? Names differ in case between applications: protection errs on the side of protecting.
    #[must_use]
    pub fn protects_user(&self, user: &str) -> bool {
        let user = user.trim().to_lowercase();
        self.protected_users.iter().any(|protected| protected.trim().to_lowercase() == user)
    }

    /// Addresses that no automatic action touches.
    #[must_use]
    pub fn infrastructure(&self) -> Vec<BlockTarget> {
        self.trusted_proxies.iter().chain(&self.sensors).copied().collect()
    }
}

impl ResponseStep {
    fn validate(&self, field: &str, ttl_max_s: u64) -> Result<(), PolicyError> {
        let wrong = |part: &str, message: &str| {
            Err(PolicyError { field: format!("{field}.{part}"), message: message.to_owned() })
        };
        match (self.action.is_containment(), self.ttl_s) {
            (true, None) => return wrong("ttl_s", "a containment needs the time that it lasts"),
            (false, Some(_)) => return wrong("ttl_s", "only a containment lasts for a time"),
            (true, Some(ttl_s)) if !(60..=ttl_max_s).contains(&ttl_s) => {
                return wrong("ttl_s", "at least one minute and at most ttl_max_s");
            }
            (true, Some(_)) | (false, None) => {}
        }
        if self.action == ActionKind::Tag && self.value.is_none() {
            return wrong("value", "a tag needs its text");
        }
        if let Some(value) = &self.value {
            let plain = value.trim() == value && !value.is_empty() && !value.chars().any(char::is_control);
            if !plain || value.chars().count() > 100 {
                return wrong("value", "1 to 100 characters, without spaces around");
            }
            if matches!(
                self.action,
                ActionKind::RateLimit
                    | ActionKind::BlockIp
                    | ActionKind::RevokeSession
                    | ActionKind::RestrictUser
            ) {
                return wrong("value", "the target of this action comes from the finding");
            }
        }
        match (self.action, self.per_min) {
            (_, None) => Ok(()),
            (ActionKind::RateLimit, Some(1..=100_000)) => Ok(()),
            (ActionKind::RateLimit, Some(_)) => wrong("per_min", "between 1 and 100,000"),
            (_, Some(_)) => wrong("per_min", "only a rate limit has it"),
        }
    }
}

/// The policy as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPolicy {
    /// The policy.
    pub policy: ResponsePolicy,
    /// Whether it was switched on with the typed name of a production connection.
    pub confirmed_on_production: bool,
}

impl StoredPolicy {
    /// What the engine of a connection does: on production nothing but a dry run until somebody typed the name of a
    /// production connection while switching it on.
    #[must_use]
    pub const fn mode_on(&self, production: bool) -> ResponseMode {
        match self.policy.mode {
            ResponseMode::On if production && !self.confirmed_on_production => ResponseMode::DryRun,
            mode => mode,
        }
    }
}

/// Where an automatic action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ResponseState {
    /// Recorded, about to be done.
    Planned,
    /// Would have been done.
    DryRun,
    /// Done.
    Done,
    /// Not done on purpose: guard, soft allow, cap, in force already; `detail` says why.
    Skipped,
    /// Could not be done; `detail` says why.
    Failed,
    /// Was done and was taken back.
    Reversed,
}

words!(ResponseState {
    Planned = "planned",
    DryRun = "dry_run",
    Done = "done",
    Skipped = "skipped",
    Failed = "failed",
    Reversed = "reversed",
});

/// An automatic action and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResponseAction {
    /// Identity.
    pub id: ResponseId,
    /// What.
    pub kind: ActionKind,
    /// On what: address, session, user, service, tag, channel, queue.
    pub target: String,
    /// Where it stands.
    pub state: ResponseState,
    /// The incident.
    pub incident: IncidentId,
    /// Its number.
    pub number: i64,
    /// The finding that led to it.
    pub finding: FindingId,
    /// The detection rule of that finding.
    pub rule_id: String,
    /// The rule of the policy.
    pub policy_rule: String,
    /// For how long, in seconds; absent if it has no end.
    pub ttl_s: Option<u64>,
    /// How much longer than the first time: 1, 4 or 16.
    pub factor: u32,
    /// Requests a minute, of a rate limit.
    pub per_min: Option<u32>,
    /// The finding's sentence.
    pub reason: String,
    /// What came of it, for people.
    pub detail: String,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it was done, skipped or failed.
    pub decided_at: Option<DateTime<Utc>>,
    /// Until when it stands for its incident: the same action on the same target is not planned again before.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it made: the id of the block, containment or message.
    pub effect: Option<String>,
    /// When it was taken back.
    pub reversed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub reversed_by: Option<String>,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Waits to be delivered.
    Pending,
    /// Was delivered.
    Delivered,
    /// Was given up.
    Failed,
    /// Was taken back before it was delivered.
    Withdrawn,
}

words!(OutboxState {
    Pending = "pending",
    Delivered = "delivered",
    Failed = "failed",
    Withdrawn = "withdrawn",
});

/// A message to people: written with the action that asks for it, delivered by whatever drains the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct OutboxMessage {
    /// Identity; what delivers may use it to deliver once.
    pub id: OutboxId,
    /// `notify` or `ticket`.
    pub kind: ActionKind,
    /// Channel or queue.
    pub destination: String,
    /// The incident.
    pub incident: IncidentId,
    /// Its number.
    pub number: i64,
    /// How bad.
    pub severity: Severity,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// Where it stands.
    pub state: OutboxState,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Tries so far.
    pub tries: u32,
    /// What the last try said.
    pub error: Option<String>,
    /// When it was delivered, given up or taken back.
    pub ended_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::{ActionKind, ResponseMode, ResponsePolicy, StoredPolicy};

    #[test]
    fn the_defaults_are_safe() {
        let policy = ResponsePolicy::default();
        assert_eq!(policy.validate(), Ok(()));
        assert_eq!(policy.mode, ResponseMode::DryRun, "nothing is done until somebody switches it on");
        let containing: Vec<_> = policy
            .rules
            .iter()
            .filter(|rule| rule.steps.iter().any(|step| step.action.is_containment()))
            .collect();
        assert!(!containing.is_empty());
        for rule in containing {
            assert!(rule.severity_min == crate::event::Severity::Critical && rule.confidence_min >= 85);
        }
        assert!(!policy.private_ranges);
    }

    #[test]
    fn production_stays_at_a_dry_run_until_it_is_confirmed() {
        let mut stored = StoredPolicy::default();
        assert_eq!(stored.mode_on(false), ResponseMode::DryRun);
        stored.policy.mode = ResponseMode::On;
        assert_eq!((stored.mode_on(false), stored.mode_on(true)), (ResponseMode::On, ResponseMode::DryRun));
        stored.confirmed_on_production = true;
        assert_eq!(stored.mode_on(true), ResponseMode::On);
        stored.policy.mode = ResponseMode::Off;
        assert_eq!(stored.mode_on(true), ResponseMode::Off);
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Break = fn(&mut ResponsePolicy);
        let cases: [(Break, &str); 10] = [
            (|p| p.rules[0].name.clear(), "rules[0].name"),
            (|p| p.rules[1].name = p.rules[0].name.clone(), "rules[1].name"),
            (|p| p.rules[0].confidence_min = 101, "rules[0].confidence_min"),
            (|p| p.rules[0].steps.clear(), "rules[0].steps"),
            (|p| p.rules[0].steps[0].ttl_s = None, "rules[0].steps[0].ttl_s"),
            (|p| p.rules[0].steps[0].ttl_s = Some(59), "rules[0].steps[0].ttl_s"),
            (|p| p.rules[1].steps[0].ttl_s = Some(60), "rules[1].steps[0].ttl_s"),
            (|p| p.rules[1].steps[0].action = ActionKind::Tag, "rules[1].steps[0].value"),
            (|p| p.rules[0].steps[0].per_min = Some(5), "rules[0].steps[0].per_min"),
            (|p| p.contain_per_hour_max = 0, "contain_per_hour_max"),
        ];
        for (spoil, field) in cases {
            let mut policy = ResponsePolicy::default();
            spoil(&mut policy);
            assert_eq!(policy.validate().expect_err(field).field, field);
        }
    }
}
