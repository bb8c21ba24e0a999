//! What the verdicts of people say of a rule.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// What to do with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleAdvice {
    /// It is right more often than not.
    Keep,
    /// Half of what it finds or more is no attack: narrow it, raise its threshold or suppress what is allowed.
    Tune,
    /// It is wrong nine times of ten or more.
    Retire,
}

words!(RuleAdvice { Keep = "keep", Tune = "tune", Retire = "retire" });

/// The record of a rule over the incidents with its findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleFeedback {
    /// The rule.
    pub rule_id: String,
    /// Incidents with findings of it, duplicates not counted.
    pub incidents: u64,
    /// Judged an attack.
    pub true_positive: u64,
    /// Judged a mistake of the rule.
    pub false_positive: u64,
    /// Judged right but allowed.
    pub benign_true_positive: u64,
    /// Judged at all.
    pub judged: u64,
    /// True positives of all judged, 0 to 1; absent while fewer than five are judged.
    pub precision: Option<f64>,
    /// What that suggests; absent while fewer than five are judged.
    pub advice: Option<RuleAdvice>,
}

impl RuleFeedback {
    /// Judged incidents that it takes for a ratio to mean something.
    pub const JUDGED_MIN: u64 = 5;

    /// The record of `rule_id` from its counts.
    #[must_use]
    pub fn of(rule_id: String, incidents: u64, [right, wrong, benign]: [u64; 3]) -> Self {
        let judged = right + wrong + benign;
        let enough = judged >= Self::JUDGED_MIN;
        #[expect(clippy::cast_precision_loss, reason = "counts of incidents stay far below 2^53")]
        let precision = enough.then(|| right as f64 / judged as f64);
        let advice = enough.then(|| {
            if wrong * 10 >= judged * 9 {
                RuleAdvice::Retire
            } else if (wrong + benign) * 2 >= judged {
                RuleAdvice::Tune
            } else {
                RuleAdvice::Keep
            }
        });
        Self {
            rule_id,
            incidents,
            true_positive: right,
            false_positive: wrong,
            benign_true_positive: benign,
            judged,
            precision,
            advice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RuleAdvice, RuleFeedback};

    #[test]
    fn advice_needs_five_verdicts() {
        let of = |counts: [u64; 3]| RuleFeedback::of("r".to_owned(), 100, counts);
        assert_eq!((of([2, 2, 0]).precision, of([2, 2, 0]).advice), (None, None));
        assert_eq!(of([4, 1, 0]).precision, Some(0.8));
        for (counts, advice) in [
            ([3, 2, 0], RuleAdvice::Keep),
            ([2, 2, 2], RuleAdvice::Tune),
            ([5, 0, 5], RuleAdvice::Tune),
            ([1, 8, 1], RuleAdvice::Tune),
            ([1, 9, 0], RuleAdvice::Retire),
            ([0, 5, 0], RuleAdvice::Retire),
            ([0, 0, 5], RuleAdvice::Tune),
        ] {
            assert_eq!(of(counts).advice, Some(advice), "{counts:?}");
        }
    }
}
