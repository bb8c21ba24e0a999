//! Four eyes: what one person asks for and another one lets happen. Pure rules; the door holds people to them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::block::BlockTarget;
use crate::words;

/// A request waits for so many hours; then it performs nothing any more.
pub const WAITS_HOURS: i64 = 24;
/// Who did something within so many days is known as somebody who can be asked.
pub const KNOWN_DAYS: i64 = 90;

/// Why two people are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// What is deleted for good, or before its time.
    Purge,
    /// A range wider than the policy lets one person block.
    MassBlock,
    /// The release of a legal hold by whoever placed it.
    HoldRelease,
    /// The keys that sign the audit log.
    SigningKey,
    /// The keys that check the signatures of tokens.
    TokenKey,
    /// Making this rule weaker.
    FourEyes,
}

words!(Matter {
    Purge = "purge",
    MassBlock = "mass_block",
    HoldRelease = "hold_release",
    SigningKey = "signing_key",
    TokenKey = "token_key",
    FourEyes = "four_eyes",
});

impl Matter {
    /// May whoever works alone do it? The record of it then says that there was no second person.
    #[must_use]
    pub const fn alone(self) -> bool {
        match self {
            // The law gives a person a right to be erased, an attack does not wait, and keys have to be rolled.
            Self::Purge | Self::MassBlock | Self::SigningKey | Self::TokenKey | Self::FourEyes => true,
            // A hold is there to keep its own author from erasing.
            Self::HoldRelease => false,
        }
    }
}

/// Who carries out what was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// Whoever approves, in the same step.
    Approver,
    /// Whoever asked, by asking once more: files, keychains and keys of that machine are needed.
    Asker,
}

words!(Carrier { Approver = "approver", Asker = "asker" });

/// That an operation may need a second person, beside its permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct TwoPeople {
    /// Why.
    pub matter: Matter,
    /// Who carries it out.
    pub carrier: Carrier,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided.
    Waiting,
    /// Somebody approved it, and it has not been carried out, or a crash kept its end from being noted.
    Granted,
    /// It was carried out.
    Done,
    /// It was carried out and failed.
    Failed,
    /// Somebody said no.
    Refused,
    /// Whoever asked took it back.
    Withdrawn,
    /// Its time ran out.
    Expired,
}

words!(ApprovalState {
    Waiting = "waiting",
    Granted = "granted",
    Done = "done",
    Failed = "failed",
    Refused = "refused",
    Withdrawn = "withdrawn",
    Expired = "expired",
});

/// A request that needs a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApprovalRequest {
    /// Its id.
    pub id: String,
    /// The operation.
    pub operation: String,
    /// Why two people are needed.
    pub matter: Matter,
    /// Who carries it out.
    pub carrier: Carrier,
    /// The request, as JSON. Secrets are not in it.
    pub request: String,
    /// What it would do, for people.
    pub summary: String,
    /// Why, as whoever asks says.
    pub reason: Option<String>,
    /// Who asks.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// Until when it can be approved and carried out.
    pub expires_at: DateTime<Utc>,
    /// What became of it.
    pub state: ApprovalState,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// What they said.
    pub note: Option<String>,
    /// How carrying it out ended.
    pub outcome: Option<String>,
}

/// A row among the requests that Watchpost did not write: a value in it is none that it writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UnreadableApproval {
    /// Its id, as whoever wrote it chose it; empty if it has none that can be read.
    pub id: String,
    /// Which column cannot be read, and why.
    pub problem: String,
}

impl ApprovalRequest {
    /// The state at `now`: what nobody carried out in time is expired.
    #[must_use]
    pub fn state_at(&self, now: DateTime<Utc>) -> ApprovalState {
        match self.state {
            ApprovalState::Waiting if now >= self.expires_at => ApprovalState::Expired,
            ApprovalState::Granted if self.carrier == Carrier::Asker && now >= self.expires_at => {
                ApprovalState::Expired
            }
            state => state,
        }
    }

    /// Is this name that of whoever asks? Another spelling is nobody else.
    #[must_use]
    pub fn is_asked_by(&self, name: &str) -> bool {
        same_person(&self.asked_by, name)
    }
}

/// Do two names mean one person? Another spelling is nobody else.
#[must_use]
pub fn same_person(a: &str, b: &str) -> bool {
    person_key(a) == person_key(b)
}

/// A name as people are told apart by it: in lower case, without blanks and what cannot be seen.
#[must_use]
pub fn person_key(name: &str) -> String {
    name.chars()
        .filter(|&c| !c.is_whitespace() && !c.is_control() && !is_unseen(c))
        .collect::<String>()
        .to_lowercase()
}

/// Characters that change how a name is written and not how it looks.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}'
    )
}

/// What one person may do alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct FourEyes {
    /// A second person is asked for, as soon as there is one.
    pub on: bool,
    /// Wider IPv4 ranges than this prefix length need two people to block: 24 is 256 addresses.
    pub prefix_v4: u8,
    /// The same of IPv6.
    pub prefix_v6: u8,
}

impl Default for FourEyes {
    fn default() -> Self {
        Self { on: true, prefix_v4: 24, prefix_v6: 48 }
    }
}

impl FourEyes {
    /// What is wrong with it, with the field.
    ///
    /// # Errors
    /// A prefix length that no address has.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match (self.prefix_v4, self.prefix_v6) {
            (33.., _) => Err(("prefix_v4", "an IPv4 prefix has at most 32 bits")),
            (_, 129..) => Err(("prefix_v6", "an IPv6 prefix has at most 128 bits")),
            _ => Ok(()),
        }
    }

    /// Is this range wider than one person may block?
    #[must_use]
    pub fn is_mass(&self, target: BlockTarget) -> bool {
        let net = target.net();
        net.prefix_len() < if net.addr().is_ipv4() { self.prefix_v4 } else { self.prefix_v6 }
    }

    /// Does `self` let one person do more than `before` did?
    #[must_use]
    pub fn is_weaker_than(&self, before: &Self) -> bool {
        (before.on && !self.on) || self.prefix_v4 < before.prefix_v4 || self.prefix_v6 < before.prefix_v6
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, TimeZone, Utc};

    use super::{ApprovalRequest, ApprovalState, Carrier, FourEyes, Matter, same_person};

    #[test]
    fn a_range_is_wide_by_its_prefix() {
        let policy = FourEyes::default();
        for (target, mass) in [
            ("203.0.113.7", false),
            ("203.0.113.0/24", false),
            ("203.0.112.0/23", true),
            ("2001:db8::/48", false),
            ("2001:db8::/47", true),
            ("::ffff:203.0.112.0/119", true),
        ] {
            assert_eq!(policy.is_mass(target.parse().unwrap()), mass, "{target}");
        }
        let none = FourEyes { prefix_v4: 0, ..policy };
        assert!(!none.is_mass("10.0.0.0/8".parse().unwrap()));
    }

    #[test]
    fn what_lets_one_person_do_more_is_weaker() {
        let policy = FourEyes::default();
        for (new, weaker) in [
            (policy, false),
            (FourEyes { on: false, ..policy }, true),
            (FourEyes { prefix_v4: 16, ..policy }, true),
            (FourEyes { prefix_v4: 28, ..policy }, false),
            (FourEyes { prefix_v6: 32, prefix_v4: 28, ..policy }, true),
        ] {
            assert_eq!(new.is_weaker_than(&policy), weaker, "{new:?}");
        }
        assert!(FourEyes { prefix_v4: 33, ..policy }.check().is_err());
        assert!(FourEyes { prefix_v6: 129, ..policy }.check().is_err());
        assert!(policy.check().is_ok());
    }

    #[test]
    fn time_runs_out_for_what_was_not_carried_out() {
        let at = Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
        let asked = |state, carrier| ApprovalRequest {
            id: "a".into(),
            operation: "block_add".into(),
            matter: Matter::MassBlock,
            carrier,
            request: "{}".into(),
            summary: "block".into(),
            reason: None,
            asked_by: "Dana".into(),
            asked_at: at,
            expires_at: at + Duration::hours(24),
            state,
            decided_by: None,
            decided_at: None,
            note: None,
            outcome: None,
        };
        let late = at + Duration::hours(24);
        for (state, carrier, expect) in [
            (ApprovalState::Waiting, Carrier::Approver, ApprovalState::Expired),
            (ApprovalState::Granted, Carrier::Asker, ApprovalState::Expired),
            (ApprovalState::Granted, Carrier::Approver, ApprovalState::Granted),
            (ApprovalState::Done, Carrier::Asker, ApprovalState::Done),
        ] {
            assert_eq!(asked(state, carrier).state_at(late), expect, "{state}");
            assert_eq!(asked(state, carrier).state_at(late - Duration::seconds(1)), state);
        }
        let waits = asked(ApprovalState::Waiting, Carrier::Asker);
        for name in ["dana", " dana", "DANA", "dana\n", "da\u{200b}na", "\u{feff}dana", "da\u{ad}na", "d ana"]
        {
            assert!(waits.is_asked_by(name), "{name:?}");
        }
        for name in ["robin", "dana2", "j.dana", ""] {
            assert!(!waits.is_asked_by(name), "{name:?}");
        }
        assert!(same_person("J.Doe", "j.doe") && !same_person("j.doe", "jdoe"));
    }
}
