//! Containments: what the sensors refuse besides addresses. A session, a user, a service, or too many requests.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::block::{BlockState, BlockTarget};
use crate::ids::{ContainmentId, IncidentId};
use crate::words;

/// What is contained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ContainKind {
    /// A session is revoked: its next request has to log in again.
    Session,
    /// A user is restricted: requests of that user are refused.
    User,
    /// A service is isolated: it takes requests of nobody.
    Service,
    /// An address may make only so many requests a minute.
    Limit,
}

words!(ContainKind { Session = "session", User = "user", Service = "service", Limit = "limit" });

impl ContainKind {
    /// For people: what it did to a target.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Session => "Revoked session",
            Self::User => "Restricted user",
            Self::Service => "Isolated service",
            Self::Limit => "Limited the rate of",
        }
    }
}

/// Requests a minute that a limited address keeps, unless said otherwise.
pub const PER_MIN_DEFAULT: u32 = 30;

/// A containment with its history. Its states are those of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Containment {
    /// Identity.
    pub id: ContainmentId,
    /// What is contained.
    pub kind: ContainKind,
    /// Which one: session id, user, service, or address in canonical form.
    pub target: String,
    /// Requests a minute; only of a limit.
    pub per_min: Option<u32>,
    /// Why.
    pub reason: String,
    /// Who contained it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Where it stands.
    pub state: BlockState,
    /// When it was taken back.
    pub removed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub removed_by: Option<String>,
    /// The incident that it contains.
    pub incident: Option<IncidentId>,
}

/// What a containment would do, told before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContainPreview {
    /// What would be contained.
    pub kind: ContainKind,
    /// The target in canonical form.
    pub target: String,
    /// The key in Redis.
    pub key: String,
    /// Why it would be refused, if it would.
    pub refusal: Option<String>,
    /// Events of the target in the last 24 hours.
    pub events_24h: u64,
    /// Sessions among them.
    pub sessions_24h: u64,
    /// Users among them, most events first, at most 20.
    pub users_24h: Vec<String>,
    /// The one in force.
    pub existing: Option<Containment>,
}

/// Why something is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainTargetError {
    /// Nothing was given.
    #[error("the target is empty")]
    Empty,
    /// Longer than a key should be.
    #[error("the target is longer than 512 characters")]
    TooLong,
    /// Control characters do not belong into a key.
    #[error("the target holds a control character")]
    Control,
    /// A limit is for one address.
    #[error("{0:?} is not a single IP address; a range can be blocked, not limited")]
    NotOneAddress(String),
}

/// The one form of a target: trimmed; the address of a limit in canonical form.
///
/// # Errors
/// What is wrong with it.
pub fn canonical_target(kind: ContainKind, text: &str) -> Result<String, ContainTargetError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ContainTargetError::Empty);
    }
    if text.chars().count() > 512 {
        return Err(ContainTargetError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(ContainTargetError::Control);
    }
    if kind != ContainKind::Limit {
        return Ok(text.to_owned());
    }
    let target: Option<BlockTarget> = text.parse().ok();
    target
        .filter(|target| target.is_single())
        .map(|target| target.to_string())
        .ok_or_else(|| ContainTargetError::NotOneAddress(text.chars().take(80).collect()))
}

#[cfg(test)]
mod tests {
    use super::{ContainKind, ContainTargetError, canonical_target};

    #[test]
    fn targets_have_one_form() {
        assert_eq!(canonical_target(ContainKind::User, " anna:x "), Ok("anna:x".to_owned()));
        assert_eq!(canonical_target(ContainKind::Limit, "::ffff:203.0.113.7"), Ok("203.0.113.7".to_owned()));
        for text in ["203.0.113.0/24", "anna", "203.0.113.07"] {
            let wrong = canonical_target(ContainKind::Limit, text);
            assert!(matches!(wrong, Err(ContainTargetError::NotOneAddress(_))), "{text}");
        }
        assert_eq!(canonical_target(ContainKind::Session, " \n"), Err(ContainTargetError::Empty));
        assert_eq!(canonical_target(ContainKind::Session, "a\0b"), Err(ContainTargetError::Control));
        assert_eq!(canonical_target(ContainKind::User, &"x".repeat(513)), Err(ContainTargetError::TooLong));
    }
}
