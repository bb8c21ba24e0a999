//! What a person decided an incident was, and why, both from closed lists.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// What a person decided it was; apart from the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nobody has decided.
    Unjudged,
    /// An attack.
    TruePositive,
    /// The rule was wrong.
    FalsePositive,
    /// The rule was right and it was allowed, such as a penetration test.
    BenignTruePositive,
    /// The same as another incident.
    Duplicate,
}

words!(Verdict {
    Unjudged = "unjudged",
    TruePositive = "true_positive",
    FalsePositive = "false_positive",
    BenignTruePositive = "benign_true_positive",
    Duplicate = "duplicate",
});

/// Why an incident has its verdict: a closed list for each verdict, so that reasons can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VerdictCause {
    /// An attack that was stopped.
    AttackBlocked,
    /// An attack that had no effect.
    AttackFailed,
    /// An attack that had an effect.
    AttackSucceeded,
    /// Somebody of ours did what they may not.
    PolicyViolation,
    /// Ordinary traffic that looks like it.
    NormalTraffic,
    /// The pattern is too broad.
    BadPattern,
    /// The threshold is too low.
    LowThreshold,
    /// The event itself was wrong: a bad clock, a wrong address, a broken log line.
    BadData,
    /// A penetration test that was agreed.
    Pentest,
    /// A scanner of our own.
    OwnScanner,
    /// A load test of our own.
    LoadTest,
    /// A change that was agreed.
    ApprovedChange,
    /// Somebody of ours made a mistake, such as a forgotten password.
    UserMistake,
    /// The same source as in another incident.
    SameSource,
    /// The same campaign as in another incident.
    SameCampaign,
    /// None of the list: the words of the person say it.
    Other,
}

words!(VerdictCause {
    AttackBlocked = "attack_blocked",
    AttackFailed = "attack_failed",
    AttackSucceeded = "attack_succeeded",
    PolicyViolation = "policy_violation",
    NormalTraffic = "normal_traffic",
    BadPattern = "bad_pattern",
    LowThreshold = "low_threshold",
    BadData = "bad_data",
    Pentest = "pentest",
    OwnScanner = "own_scanner",
    LoadTest = "load_test",
    ApprovedChange = "approved_change",
    UserMistake = "user_mistake",
    SameSource = "same_source",
    SameCampaign = "same_campaign",
    Other = "other",
});

impl Verdict {
    /// The causes that this verdict can have.
    #[must_use]
    pub const fn causes(self) -> &'static [VerdictCause] {
        use VerdictCause::{
            ApprovedChange, AttackBlocked, AttackFailed, AttackSucceeded, BadData, BadPattern, LoadTest,
            LowThreshold, NormalTraffic, Other, OwnScanner, Pentest, PolicyViolation, SameCampaign,
            SameSource, UserMistake,
        };
        match self {
            Self::Unjudged => &[],
            Self::TruePositive => &[AttackBlocked, AttackFailed, AttackSucceeded, PolicyViolation, Other],
            Self::FalsePositive => &[NormalTraffic, BadPattern, LowThreshold, BadData, Other],
            Self::BenignTruePositive => &[Pentest, OwnScanner, LoadTest, ApprovedChange, UserMistake, Other],
            Self::Duplicate => &[SameSource, SameCampaign, Other],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, VerdictCause};

    #[test]
    fn every_cause_belongs_to_a_verdict_and_only_other_to_several() {
        for &cause in VerdictCause::ALL {
            let n = Verdict::ALL.iter().filter(|verdict| verdict.causes().contains(&cause)).count();
            assert_eq!(n, if cause == VerdictCause::Other { 4 } else { 1 }, "{cause}");
        }
    }
}
