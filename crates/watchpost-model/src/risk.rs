//! Risk: one explained score of a finding, and the risk that an entity gathers and loses again.
//!
//! A score is a list of factors whose points add up to it, so whoever sees the number can see why. Pure: no clock, no
//! storage. The formula with an example stands in docs/detection.md.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Entity, Severity};
use crate::finding::AttackFamily;
use crate::incident::Verdict;
use crate::words;

/// Highest score.
pub const RISK_MAX: u8 = 100;
/// Points that bring an entity half of the way that is left to 100.
const HALF_WAY_POINTS: f64 = 50.0;
/// The share of a finding's score that the other entities of its event get: those it was tried on or with.
const OTHER_SHARE: f64 = 0.5;

/// What added to a score or took from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RiskFactorKind {
    /// How bad it is: the base.
    Severity,
    /// How sure the rule is.
    Confidence,
    /// How the application answered.
    Answer,
    /// What the rule itself adds.
    Rule,
    /// How much the thing that was attacked, or who did it, matters.
    Asset,
    /// Threat lists that name the source.
    ThreatList,
    /// How earlier incidents of the entity were judged.
    History,
    /// What was cut off above 100 or below 0.
    Limit,
}

words!(RiskFactorKind {
    Severity = "severity",
    Confidence = "confidence",
    Answer = "answer",
    Rule = "rule",
    Asset = "asset",
    ThreatList = "threat_list",
    History = "history",
    Limit = "limit",
});

/// One line of the explanation of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RiskFactor {
    /// What it is.
    pub kind: RiskFactorKind,
    /// What it added; negative where it took away.
    pub points: i32,
    /// For people: `high`, `80 % sure`, `named by feodo`.
    pub detail: String,
}

/// How earlier incidents of an entity were judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EntityHistory {
    /// Attacks.
    pub true_positives: u64,
    /// Mistakes of a rule, and what was allowed.
    pub harmless: u64,
}

/// A score that is being put together. The sum of the factors is always the score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RiskScore {
    factors: Vec<RiskFactor>,
}

impl RiskScore {
    /// The score of a rule's finding by itself: severity, weighed by confidence.
    ///
    /// Severity gives 5, 25, 50, 75 or 95 points; no confidence at all takes 40 % of them away, full confidence nothing.
    #[must_use]
    pub fn of(severity: Severity, confidence: u8) -> Self {
        let base: i32 = match severity {
            Severity::Info => 5,
            Severity::Low => 25,
            Severity::Medium => 50,
            Severity::High => 75,
            Severity::Critical => 95,
        };
        let confidence = i32::from(confidence.min(100));
        let mut score = Self::default();
        score.push(RiskFactorKind::Severity, base, severity.as_str().to_owned());
        let weighed = base * (60 + confidence * 2 / 5) / 100;
        score.push(RiskFactorKind::Confidence, weighed - base, format!("{confidence} % sure"));
        score
    }

    /// The score that a finding came with. A number that its factors do not explain is the rule's.
    #[must_use]
    pub fn resumed(factors: Vec<RiskFactor>, severity: Severity, confidence: u8, risk: u8) -> Self {
        let mut score = if factors.is_empty() { Self::of(severity, confidence) } else { Self { factors } };
        let missing = i32::from(risk) - score.total();
        score.push(RiskFactorKind::Rule, missing, "of the rule".to_owned());
        score
    }

    /// The status with which the application answered an attack: 5 more where it did what it was asked or broke, 5 less
    /// where it refused.
    #[must_use]
    pub fn answered(mut self, status: u16) -> Self {
        let points = match status {
            200..=299 | 500..=599 => 5,
            400..=499 => -5,
            _ => 0,
        };
        self.push(RiskFactorKind::Answer, points, format!("answered {status}"));
        self
    }

    /// Weighs the score by an asset: 0.5 to 2.0, else it is taken as the nearer of both.
    #[must_use]
    pub fn weighed(mut self, weight: f64, label: &str) -> Self {
        let weight = if weight.is_finite() { weight.clamp(0.5, 2.0) } else { 1.0 };
        let before = self.total();
        // The total is at most a few hundred, so the product fits.
        #[expect(clippy::cast_possible_truncation, reason = "the product is a few hundred at most")]
        let after = (f64::from(before) * weight).round() as i32;
        self.push(RiskFactorKind::Asset, after - before, format!("{label} × {weight}"));
        self
    }

    /// Adds what threat lists say: a fifth of the confidence of the surest list, 5 more when several agree.
    #[must_use]
    pub fn listed(mut self, lists: &[(&str, u8)]) -> Self {
        let Some(surest) = lists.iter().map(|(_, confidence)| i32::from((*confidence).min(100))).max() else {
            return self;
        };
        let mut names: Vec<&str> = lists.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        let points = surest / 5 + if names.len() > 1 { 5 } else { 0 };
        self.push(RiskFactorKind::ThreatList, points, format!("named by {}", names.join(", ")));
        self
    }

    /// Adds how earlier incidents were judged: 5 for each attack, up to 15; 5 less for each that was harmless, up to 15.
    #[must_use]
    pub fn with_history(mut self, history: EntityHistory) -> Self {
        let points = |n: u64| i32::try_from(n.min(3)).unwrap_or(3) * 5;
        let sum = points(history.true_positives) - points(history.harmless);
        let detail = format!("earlier: {} attacks, {} harmless", history.true_positives, history.harmless);
        self.push(RiskFactorKind::History, sum, detail);
        self
    }

    /// The score, 0 to 100, and its factors. Their points add up to it.
    #[must_use]
    pub fn finished(mut self) -> (u8, Vec<RiskFactor>) {
        let total = self.total();
        let score = total.clamp(0, i32::from(RISK_MAX));
        self.push(RiskFactorKind::Limit, score - total, format!("{total} is outside of 0 to {RISK_MAX}"));
        (u8::try_from(score).unwrap_or(RISK_MAX), self.factors)
    }

    fn total(&self) -> i32 {
        self.factors.iter().map(|factor| factor.points).sum()
    }

    fn push(&mut self, kind: RiskFactorKind, points: i32, detail: String) {
        if points != 0 {
            self.factors.push(RiskFactor { kind, points, detail });
        }
    }
}

/// How fast the risk of entities decays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RiskPolicy {
    /// Hours after which half of an entity's points are left, 1 to 8,760.
    pub half_life_h: u32,
}

impl Default for RiskPolicy {
    fn default() -> Self {
        Self { half_life_h: 24 }
    }
}

impl RiskPolicy {
    /// Is it within its bounds?
    #[must_use]
    pub const fn is_valid(self) -> bool {
        1 <= self.half_life_h && self.half_life_h <= 8_760
    }

    /// What is left of `points` after `age`; all of them where `age` is negative.
    #[must_use]
    pub fn left(self, points: f64, age: Duration) -> f64 {
        points * (-self.half_lives(age.max(Duration::zero()))).exp2()
    }

    /// `age` in half-lives.
    fn half_lives(self, age: Duration) -> f64 {
        age.as_seconds_f64() / (f64::from(self.half_life_h.max(1)) * 3_600.0)
    }
}

/// The points of an entity at a time. They add up without a bound and decay by half every half-life, so the order in which
/// contributions come in or are taken back does not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gathered {
    /// Points at `at`.
    pub points: f64,
    /// When.
    pub at: DateTime<Utc>,
}

impl Gathered {
    /// No points.
    #[must_use]
    pub const fn nothing(at: DateTime<Utc>) -> Self {
        Self { points: 0.0, at }
    }

    /// Adds `points` that were earned at `at`, which may be earlier or later than what is there. Negative points take a
    /// contribution back; the sum is never below zero.
    #[must_use]
    pub fn plus(self, points: f64, at: DateTime<Utc>, policy: RiskPolicy) -> Self {
        let newest = self.at.max(at);
        let sum = policy.left(self.points, newest - self.at) + policy.left(points, newest - at);
        // Adding and taking back leaves a rounding error, not a risk.
        Self { points: if sum < 1e-6 { 0.0 } else { sum }, at: newest }
    }

    /// The score at `now`, 0 to 100: each 50 points go half of the way that is left to 100.
    #[must_use]
    pub fn score(self, now: DateTime<Utc>, policy: RiskPolicy) -> f64 {
        saturated(policy.left(self.points, now - self.at))
    }

    /// A number that orders entities as their scores do, at whatever time: it does not change while points decay.
    #[must_use]
    pub fn rank(self, policy: RiskPolicy) -> f64 {
        self.points.max(1e-9).log2() + policy.half_lives(self.at - DateTime::UNIX_EPOCH)
    }
}

/// Points as a score from 0 to 100.
#[must_use]
pub fn saturated(points: f64) -> f64 {
    f64::from(RISK_MAX) * (1.0 - (-points.max(0.0) / HALF_WAY_POINTS).exp2())
}

/// The points that a finding gives to an entity of its event: its score, half of it to those it is not grouped by.
#[must_use]
pub fn points_for(entity: &Entity, grouped_by: &Entity, risk: u8) -> f64 {
    let whole = f64::from(risk.min(RISK_MAX));
    if entity == grouped_by { whole } else { whole * OTHER_SHARE }
}

/// Does an incident with this verdict count against its entities? One that was wrong, allowed or counted elsewhere does
/// not.
#[must_use]
pub const fn counts(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Unjudged | Verdict::TruePositive => true,
        Verdict::FalsePositive | Verdict::BenignTruePositive | Verdict::Duplicate => false,
    }
}

/// An entity with its risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EntityRisk {
    /// The entity.
    pub entity: Entity,
    /// Now, 0 to 100 with one decimal.
    pub score: f64,
    /// When it last gained some (event time).
    pub at: DateTime<Utc>,
    /// Incidents that count against it.
    pub incidents: u64,
}

/// What one incident contributes to an entity's risk: the score of its worst finding, from its newest one on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RiskContribution {
    /// The incident.
    pub incident: i64,
    /// Its title.
    pub title: String,
    /// Its family.
    pub family: AttackFamily,
    /// How it was judged.
    pub verdict: Verdict,
    /// Does it count? Not when it was judged harmless or a duplicate.
    pub counts: bool,
    /// Points when they were earned.
    pub points: f64,
    /// When that was (event time).
    pub at: DateTime<Utc>,
    /// Points that are left now; 0 where it does not count.
    pub left: f64,
}

/// The risk of an entity at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct RiskPoint {
    /// When.
    pub at: DateTime<Utc>,
    /// The score, 0 to 100 with one decimal.
    pub score: f64,
}

#[cfg(test)]
mod tests {
    use super::{EntityHistory, Gathered, RiskPolicy, RiskScore, saturated};
    use crate::event::Severity;
    use chrono::{DateTime, Duration, Utc};

    fn hour(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::hours(500_000 + n)
    }

    #[test]
    fn factors_add_up_to_the_score() {
        for &severity in Severity::ALL {
            for confidence in [0, 33, 80, 100] {
                for weight in [0.1, 0.5, 1.0, 1.25, 2.0, 9.0, f64::NAN] {
                    for history in [(0, 0), (2, 0), (0, 7), (9, 9)] {
                        let (score, factors) = RiskScore::of(severity, confidence)
                            .answered(200)
                            .weighed(weight, "payment")
                            .listed(&[("feodo", 90), ("drop", 60)])
                            .with_history(EntityHistory { true_positives: history.0, harmless: history.1 })
                            .finished();
                        let sum: i32 = factors.iter().map(|factor| factor.points).sum();
                        assert_eq!(sum, i32::from(score), "{severity} {confidence} {weight}: {factors:?}");
                        assert!(factors.iter().all(|factor| factor.points != 0), "{factors:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_score_is_taken_up_where_the_rule_left_it() {
        let (score, factors) = RiskScore::of(Severity::High, 80).finished();
        assert_eq!(score, 69);
        let again = RiskScore::resumed(factors.clone(), Severity::High, 80, score).finished();
        assert_eq!(again, (score, factors), "nothing is added");
        let (score, factors) = RiskScore::resumed(Vec::new(), Severity::High, 80, 73).finished();
        assert_eq!((score, factors.last().map(|factor| factor.points)), (73, Some(4)), "{factors:?}");
    }

    #[test]
    fn more_of_a_reason_is_never_less_risk() {
        let score = |score: RiskScore| score.finished().0;
        let base = || RiskScore::of(Severity::Medium, 70);
        assert!(score(base().listed(&[("a", 80)])) > score(base().listed(&[("a", 20)])));
        assert!(score(base().listed(&[("a", 80), ("b", 10)])) > score(base().listed(&[("a", 80)])));
        assert_eq!(score(base().listed(&[])), score(base()));
        assert!(
            score(base().weighed(2.0, "x")) > score(base())
                && score(base().weighed(0.5, "x")) < score(base())
        );
        assert!(score(base().answered(200)) > score(base().answered(404)));
    }

    #[test]
    fn risk_halves_each_half_life_and_saturates() {
        let policy = RiskPolicy { half_life_h: 24 };
        let one = Gathered::nothing(hour(0)).plus(50.0, hour(0), policy);
        assert!((one.score(hour(0), policy) - 50.0).abs() < 1e-9);
        assert!((policy.left(one.points, Duration::hours(24)) - 25.0).abs() < 1e-9);
        assert!((one.score(hour(24), policy) - saturated(25.0)).abs() < 1e-9);
        assert_eq!(one.score(hour(-5), policy), one.score(hour(0), policy), "a clock that lags adds nothing");
        let mut many = one;
        for _ in 0..1_000 {
            many = many.plus(95.0, hour(1), policy);
        }
        assert!(many.score(hour(1), policy) <= 100.0);
        let back = one.plus(75.0, hour(7), policy).plus(-75.0, hour(7), policy);
        assert!((back.score(hour(8), policy) - one.score(hour(8), policy)).abs() < 1e-6, "taken back");
        assert_eq!(one.plus(-80.0, hour(0), policy).points, 0.0, "never below nothing");
    }
}
