//! Blocks: addresses and ranges that the sensors refuse, and the guard that keeps people from blocking themselves.

mod guard;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{BlockId, IncidentId};
use crate::words;

pub use guard::{GuardRefusal, guard, guard_automatic};

/// An address or a range in one canonical form: v4-mapped IPv6 becomes IPv4, host bits of a range are cleared, a
/// full-length prefix becomes a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct BlockTarget(IpNet);

/// Why a text is not an address or range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither an IPv4 or IPv6 address nor a CIDR range.
    #[error(
        "{0:?} is not an IP address or CIDR range; write it like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32"
    )]
    Syntax(String),
    /// Numbers with leading zeros: some programs read them as octal, some do not.
    #[error("{0:?} has a number with a leading zero, which programs read differently; write it without")]
    LeadingZero(String),
    /// A range so wide that it would cut off most of the Internet.
    #[error("{0} is too wide: at least /8 for IPv4 and /16 for IPv6")]
    TooWide(String),
}

impl BlockTarget {
    /// The range; a single address has a full-length prefix.
    #[must_use]
    pub const fn net(self) -> IpNet {
        self.0
    }

    /// Is it one address?
    #[must_use]
    pub fn is_single(self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }

    /// Do the two share an address?
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }

    /// Is `ip` (v4-mapped too) inside?
    #[must_use]
    pub fn contains(self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl From<IpAddr> for BlockTarget {
    fn from(ip: IpAddr) -> Self {
        Self(IpNet::from(ip.to_canonical()))
    }
}

impl FromStr for BlockTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim_matches([' ', '\t']);
        let short = || trimmed.chars().take(80).collect::<String>();
        let (address, prefix) = match trimmed.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (trimmed, None),
        };
        let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
        let address = bare.filter(|inner| inner.contains(':')).unwrap_or(address);
        let ip = parse_ip(address).map_err(|leading_zero| {
            if leading_zero { TargetError::LeadingZero(short()) } else { TargetError::Syntax(short()) }
        })?;
        let Some(prefix) = prefix else { return Ok(Self::from(ip)) };
        let plain = !prefix.is_empty() && prefix.len() <= 3 && prefix.bytes().all(|b| b.is_ascii_digit());
        if plain && prefix.len() > 1 && prefix.starts_with('0') {
            return Err(TargetError::LeadingZero(short()));
        }
        let prefix: u8 =
            plain.then(|| prefix.parse().ok()).flatten().ok_or_else(|| TargetError::Syntax(short()))?;
        let (ip, prefix) = match (ip, ip.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(v4)) => {
                let inner = prefix.checked_sub(96).ok_or_else(|| TargetError::TooWide(short()))?;
                (IpAddr::V4(v4), inner)
            }
            (_, canonical) => (canonical, prefix),
        };
        let net = IpNet::new(ip, prefix).map_err(|_| TargetError::Syntax(short()))?.trunc();
        let widest = if net.addr().is_ipv4() { 8 } else { 16 };
        if net.prefix_len() < widest {
            return Err(TargetError::TooWide(short()));
        }
        Ok(Self(net))
    }
}

/// Parses an address; the error tells whether a leading zero was the only trouble.
fn parse_ip(address: &str) -> Result<IpAddr, bool> {
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Ok(ip);
    }
    let stripped: Vec<&str> = address
        .split('.')
        .map(|octet| {
            let rest = octet.trim_start_matches('0');
            if rest.is_empty() && !octet.is_empty() { "0" } else { rest }
        })
        .collect();
    Err(stripped.join(".").parse::<std::net::Ipv4Addr>().is_ok())
}

impl fmt::Display for BlockTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl TryFrom<String> for BlockTarget {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BlockTarget> for String {
    fn from(target: BlockTarget) -> Self {
        target.to_string()
    }
}

/// An address or range that must never be blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AllowEntry {
    /// The address or range.
    pub target: BlockTarget,
    /// Why.
    pub note: String,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_at: DateTime<Utc>,
}

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BlockState {
    /// Written to the database, not yet confirmed in Redis.
    Pending,
    /// In force.
    Active,
    /// Ran out.
    Expired,
    /// Taken back by a person.
    Removed,
    /// Could not be written to Redis.
    Failed,
}

words!(BlockState {
    Pending = "pending",
    Active = "active",
    Expired = "expired",
    Removed = "removed",
    Failed = "failed",
});

impl BlockState {
    /// Is it in force, or may it be in Redis all the same?
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        match self {
            Self::Pending | Self::Active => true,
            Self::Expired | Self::Removed | Self::Failed => false,
        }
    }
}

/// A block with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Block {
    /// Identity.
    pub id: BlockId,
    /// What is blocked.
    pub target: BlockTarget,
    /// Why.
    pub reason: String,
    /// Who blocked it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Where it stands.
    pub state: BlockState,
    /// When and by whom it was taken back.
    pub removed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub removed_by: Option<String>,
    /// The incident that it contains.
    pub incident: Option<IncidentId>,
}

/// What a block would do, told before it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BlockPreview {
    /// The target in canonical form.
    pub target: BlockTarget,
    /// Why it would be refused, if it would.
    pub refusal: Option<String>,
    /// Events of the target in the last 24 hours.
    pub events_24h: u64,
    /// Of these, not failed.
    pub successful_24h: u64,
    /// Users seen from there in that time.
    pub users_24h: Vec<String>,
    /// A block in force of the same target, else of a range that covers it.
    pub existing: Option<Block>,
}

#[cfg(test)]
mod tests {
    use super::{BlockTarget, TargetError};

    #[test]
    fn one_form_for_every_spelling() {
        for (input, expect) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7/32 ", "203.0.113.7"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:cb00:7107", "203.0.113.7"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:db8:0:0::/32", "2001:db8::/32"),
        ] {
            let target: BlockTarget = input.parse().unwrap();
            assert_eq!(target.to_string(), expect, "input {input:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_target() {
        assert!(matches!("010.0.0.1".parse::<BlockTarget>(), Err(TargetError::LeadingZero(_))));
        assert!(matches!("1.2.3.4/08".parse::<BlockTarget>(), Err(TargetError::LeadingZero(_))));
        assert!(matches!("0.0.0.0/0".parse::<BlockTarget>(), Err(TargetError::TooWide(_))));
        assert!(matches!("::ffff:0:0/64".parse::<BlockTarget>(), Err(TargetError::TooWide(_))));
        for input in [
            "",
            "example.com",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "1.2.3",
            "::1%lo",
            "1.2.3.4\n/8x",
            "[1.2.3.4]",
            "1.2.3.4:80",
            "\u{a0}1.2.3.4",
            "１.2.3.4",
        ] {
            assert!(matches!(input.parse::<BlockTarget>(), Err(TargetError::Syntax(_))), "input {input:?}");
        }
    }
}
