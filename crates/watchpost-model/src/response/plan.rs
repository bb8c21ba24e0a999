//! What the policy wants done about one finding. Pure: what is known of the targets is an argument.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};

use super::{ActionKind, ResponsePolicy, ResponseRule, ResponseStep};
use crate::block::{AllowEntry, BlockTarget, guard, guard_automatic};
use crate::event::{EntityKind, Event};
use crate::finding::{AttackFamily, Finding};
use crate::text::visible;

mod who;

/// How often the time of a repeat offender grows, and by how much.
const FACTORS: [u32; 3] = [1, 4, 16];
/// Why a user whom others attack is not restricted.
pub const SPARED: &str = "the user is the target of these failed logins, not their author";
/// The target of a step that finds nothing to act on.
pub const NOTHING: &str = "-";
/// For how long a refusal of the guard is not looked at again for the same incident and target.
const REFUSAL_HOLDS: Duration = Duration::hours(24);

/// An action with its target, before anything is known of that target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What.
    pub kind: ActionKind,
    /// On what, in canonical form.
    pub target: String,
    /// For how long the first time, in seconds.
    pub ttl_s: Option<u64>,
    /// Requests a minute, of a rate limit.
    pub per_min: Option<u32>,
    /// The rule of the policy.
    pub policy_rule: String,
    /// It would lock out a user for what others do to the account: see [`SPARED`].
    pub spared: bool,
}

/// A step of the policy that finds nothing to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// What it would do.
    pub kind: ActionKind,
    /// The rule of the policy.
    pub policy_rule: String,
    /// Why it finds nothing.
    pub why: &'static str,
}

/// A person who released a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
}

/// What is known of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetHistory {
    /// Containments of this kind that ran out within the policy's days.
    pub earlier: u32,
    /// The end of the one in force.
    pub in_force_until: Option<DateTime<Utc>>,
    /// The last time that a person released it.
    pub released: Option<Release>,
}

/// What is known of targets, by action and target. One that is missing has no history.
pub type Histories = BTreeMap<(ActionKind, String), TargetHistory>;

/// What a plan is made from besides the policy and the finding.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The time.
    pub now: DateTime<Utc>,
    /// Addresses of this machine and of the servers in use.
    pub own_addresses: &'a [IpAddr],
    /// What must never be blocked.
    pub allowlist: &'a [AllowEntry],
    /// What is known of the candidates' targets.
    pub histories: &'a Histories,
    /// Automatic containments in the last hour.
    pub contained_last_hour: u32,
}

/// What is to be done, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAction {
    /// What.
    pub kind: ActionKind,
    /// On what, in canonical form.
    pub target: String,
    /// For how long, in seconds.
    pub ttl_s: Option<u64>,
    /// How much longer than the first time: 1, 4 or 16.
    pub factor: u32,
    /// Requests a minute, of a rate limit.
    pub per_min: Option<u32>,
    /// The rule of the policy.
    pub policy_rule: String,
    /// Why it is not to be done.
    pub skipped: Option<String>,
    /// Until when this holds for the incident; `None` is for ever.
    pub holds_until: Option<DateTime<Utc>>,
}

impl PlannedAction {
    /// Was this skipped only because the user is a target? Then it gives way to an action on what the same user did.
    #[must_use]
    pub fn is_spared(&self) -> bool {
        self.skipped.as_deref() == Some(SPARED)
    }
}

impl ResponseRule {
    /// Does this rule of the policy want something done about `finding`?
    #[must_use]
    pub fn matches(&self, finding: &Finding) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => finding.rule_id.starts_with(start),
            None => finding.rule_id == *pattern,
        };
        finding.severity >= self.severity_min
            && finding.confidence >= self.confidence_min
            && (self.families.is_empty() || self.families.contains(&finding.family))
            && (self.rules.is_empty() || self.rules.iter().any(named))
    }
}

/// The actions that the policy names for `finding`, whose last event is `event`: one for each action and target.
///
/// A finding about an address can be answered on that address; one about a user on that user; the session is the
/// finding's or the event's. The user of a finding about a single event is its actor, once logged in; that of a login that
/// worked after the failures of its address is whose login it was. What has no such target is not a candidate (see
/// [`missed`]): no address is blocked for what another one did.
#[must_use]
pub fn candidates(policy: &ResponsePolicy, finding: &Finding, event: Option<&Event>) -> Vec<Candidate> {
    let mut found: BTreeMap<(ActionKind, String), Candidate> = BTreeMap::new();
    for rule in policy.rules.iter().filter(|rule| rule.matches(finding)) {
        for step in &rule.steps {
            let Some(target) = target_of(step, finding, event) else { continue };
            let candidate = Candidate {
                kind: step.action,
                target: target.clone(),
                ttl_s: step.ttl_s,
                per_min: step.per_min,
                policy_rule: rule.name.clone(),
                spared: step.action == ActionKind::RestrictUser && is_victim(finding, event),
            };
            let kept = found.entry((step.action, target)).or_insert_with(|| candidate.clone());
            if candidate.ttl_s > kept.ttl_s {
                *kept = candidate;
            }
        }
    }
    found.into_values().collect()
}

/// The steps that the policy names for `finding` and that find nothing to act on: one for each action of which there is
/// no candidate.
#[must_use]
pub fn missed(policy: &ResponsePolicy, finding: &Finding, event: Option<&Event>) -> Vec<Missed> {
    let mut found: BTreeMap<ActionKind, Option<Missed>> = BTreeMap::new();
    for rule in policy.rules.iter().filter(|rule| rule.matches(finding)) {
        for step in &rule.steps {
            if target_of(step, finding, event).is_some() {
                found.insert(step.action, None);
                continue;
            }
            let why = why_missed(step.action, finding, event);
            let missed = Missed { kind: step.action, policy_rule: rule.name.clone(), why };
            found.entry(step.action).or_insert(Some(missed));
        }
    }
    found.into_values().flatten().collect()
}

fn why_missed(action: ActionKind, finding: &Finding, event: Option<&Event>) -> &'static str {
    match action {
        ActionKind::RateLimit | ActionKind::BlockIp => {
            "nothing to act on: the finding is not about a single address"
        }
        ActionKind::RevokeSession => {
            "nothing to act on: neither the finding nor its event names a session that can be revoked"
        }
        ActionKind::RestrictUser => who::user_of(finding, event).err().unwrap_or("nothing to act on"),
        ActionKind::IsolateService => "nothing to act on: neither the step nor the event names a service",
        ActionKind::Tag | ActionKind::Notify | ActionKind::Ticket => "nothing to act on",
    }
}

/// Is the finding's user the target of what it counted? Failed logins are what anybody can do to an account, so they
/// lock nobody out; a login that worked after them may.
fn is_victim(finding: &Finding, event: Option<&Event>) -> bool {
    finding.entity.kind == EntityKind::User
        && (finding.family == AttackFamily::BruteForce || who::counts_failed_logins(finding))
        && event.is_none_or(|event| !who::worked(event))
}

fn target_of(step: &ResponseStep, finding: &Finding, event: Option<&Event>) -> Option<String> {
    let entity = |kind| (finding.entity.kind == kind).then(|| finding.entity.value.clone());
    let named = || step.value.clone().unwrap_or_else(|| "default".to_owned());
    let target = match step.action {
        ActionKind::Tag | ActionKind::Notify | ActionKind::Ticket => Some(named()),
        ActionKind::RateLimit | ActionKind::BlockIp => {
            let target: BlockTarget = entity(EntityKind::Ip)?.parse().ok()?;
            target.is_single().then(|| target.to_string())
        }
        ActionKind::RevokeSession => {
            entity(EntityKind::Session).or_else(|| event.and_then(|event| event.session.clone()))
        }
        ActionKind::RestrictUser => who::user_of(finding, event).ok(),
        ActionKind::IsolateService => step.value.clone().or_else(|| {
            let service = event?.details.get("service")?;
            service.as_str().map(ToOwned::to_owned)
        }),
    };
    match step.action.contains() {
        Some(kind) => crate::contain::canonical_target(kind, &target?).ok(),
        None => target,
    }
}

/// What is to be done about `finding`, each action with the reason if it is not to be done.
///
/// Shape: in the order of [`candidates`], then what was [`missed`]; empty if nothing matches or the finding is too old to
/// act on.
#[must_use]
pub fn plan(
    policy: &ResponsePolicy,
    finding: &Finding,
    event: Option<&Event>,
    facts: &Facts<'_>,
) -> Vec<PlannedAction> {
    let age_max = Duration::seconds(i64::try_from(policy.age_max_s).unwrap_or(i64::MAX / 1_000_000));
    if facts.now - finding.at > age_max {
        return Vec::new();
    }
    let mut contained = facts.contained_last_hour;
    let found = candidates(policy, finding, event).into_iter().map(|candidate| {
        let planned = decide(policy, candidate, facts, contained);
        if planned.kind.is_containment() && planned.skipped.is_none() {
            contained += 1;
        }
        planned
    });
    let missed = missed(policy, finding, event).into_iter().map(|missed| PlannedAction {
        kind: missed.kind,
        target: NOTHING.to_owned(),
        ttl_s: None,
        factor: 1,
        per_min: None,
        policy_rule: missed.policy_rule,
        skipped: Some(missed.why.to_owned()),
        holds_until: Some(facts.now + REFUSAL_HOLDS),
    });
    found.chain(missed).collect()
}

fn decide(policy: &ResponsePolicy, candidate: Candidate, facts: &Facts<'_>, contained: u32) -> PlannedAction {
    let Candidate { kind, target, ttl_s, per_min, policy_rule, spared } = candidate;
    let none = TargetHistory::default();
    let history = facts.histories.get(&(kind, target.clone())).unwrap_or(&none);
    let level = usize::try_from(history.earlier).unwrap_or(usize::MAX).min(FACTORS.len() - 1);
    let factor = if kind.is_containment() { FACTORS[level] } else { 1 };
    let ttl_s = ttl_s.map(|ttl| ttl.saturating_mul(u64::from(factor)).min(policy.ttl_max_s));
    let refusal = if spared {
        Some((SPARED.to_owned(), facts.now + REFUSAL_HOLDS))
    } else if kind.is_containment() {
        refusal(policy, kind, &target, facts, history, contained)
    } else {
        None
    };
    let end = ttl_s.map(|ttl| facts.now + Duration::seconds(i64::try_from(ttl).unwrap_or(0)));
    let (skipped, holds_until) = match refusal {
        Some((why, until)) => (Some(why), Some(until)),
        None => (None, end),
    };
    PlannedAction { kind, target, ttl_s, factor, per_min, policy_rule, skipped, holds_until }
}

/// Why a containment is not to be done, and until when that holds.
fn refusal(
    policy: &ResponsePolicy,
    kind: ActionKind,
    target: &str,
    facts: &Facts<'_>,
    history: &TargetHistory,
    contained: u32,
) -> Option<(String, DateTime<Utc>)> {
    if kind.is_about_address() {
        let refused = match target.parse::<BlockTarget>() {
            Ok(address) => guard(address, facts.own_addresses, facts.allowlist)
                .and_then(|()| guard_automatic(address, &policy.infrastructure(), policy.private_ranges))
                .err()
                .map(|refusal| refusal.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = refused {
            return Some((why, facts.now + REFUSAL_HOLDS));
        }
    }
    if kind == ActionKind::RestrictUser && policy.protects_user(target) {
        let why = format!("{} is a protected user of the policy", visible(target, 100));
        return Some((why, facts.now + REFUSAL_HOLDS));
    }
    if let Some(until) = history.in_force_until.filter(|until| *until > facts.now) {
        let why = format!("in force already until {}", until.format("%Y-%m-%d %H:%M UTC"));
        return Some((why, until));
    }
    if let Some(release) = &history.released {
        let until = release.at + Duration::hours(i64::from(policy.soft_allow_h));
        if until > facts.now {
            let why = format!(
                "soft allow: released by {} at {}, left alone until {}",
                visible(&release.by, 100),
                release.at.format("%Y-%m-%d %H:%M UTC"),
                until.format("%Y-%m-%d %H:%M UTC"),
            );
            return Some((why, until));
        }
    }
    if contained >= policy.contain_per_hour_max {
        let why =
            format!("the cap of {} automatic containments an hour is reached", policy.contain_per_hour_max);
        return Some((why, facts.now + Duration::hours(1)));
    }
    None
}

#[cfg(test)]
mod tests;
