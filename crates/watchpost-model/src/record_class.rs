//! For how long the content of audit records is kept, by what they are about. What proves them is kept for ever.

use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// Years for which content is kept where nobody said otherwise.
pub const RECORD_YEARS: u32 = 7;
/// Most years that can be set; more is 0, for ever.
pub const RECORD_YEARS_MAX: u32 = 100;

/// What a record is about. Leaves tell it by action and permission, which nobody can change afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecordClass {
    /// What people and the engine did against attacks: incidents, blocks, containment.
    Security,
    /// Who may do what, keys, settings, approvals.
    Access,
    /// Rights of people: erasures, holds, exports for them, the register.
    Privacy,
    /// What was read, exported, reported and checked.
    Reads,
    /// Jobs and upkeep.
    Maintenance,
}

words!(RecordClass {
    Security = "security",
    Access = "access",
    Privacy = "privacy",
    Reads = "reads",
    Maintenance = "maintenance",
});

/// What the trail says of itself: without it nothing else could be checked, and it is about nobody.
const TRAIL: [&str; 4] = ["key.add", "key.revoke", "checkpoint.sign", "erasure.done"];

impl RecordClass {
    /// The class of a record by the operation and the permission that it used; `None` for what the trail says of itself,
    /// which is never purged.
    #[must_use]
    pub fn of(action: &str, permission: &str) -> Option<Self> {
        if TRAIL.contains(&action) {
            return None;
        }
        if ["privacy_", "hold_", "register_"].iter().any(|begin| action.starts_with(begin)) {
            return Some(Self::Privacy);
        }
        if action.ends_with("_export") || action.ends_with("_reveal") {
            return Some(Self::Reads);
        }
        if action.starts_with("approval_") {
            return Some(Self::Access);
        }
        Some(match permission {
            "admin" => Self::Access,
            "maintain" => Self::Maintenance,
            "view" | "report" | "audit" => Self::Reads,
            _ => Self::Security,
        })
    }
}

/// For how long the content of one class is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RecordRule {
    /// Which records.
    pub class: RecordClass,
    /// Whole years; 0 keeps it for ever.
    pub years: u32,
}

impl RecordRule {
    /// What is older than this is past its time; `None` if nothing ever is.
    #[must_use]
    pub fn before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.years > 0).then(|| now.checked_sub_months(Months::new(self.years.saturating_mul(12)))).flatten()
    }
}

/// The rules of all classes, each once.
#[must_use]
pub fn default_record_rules() -> Vec<RecordRule> {
    RecordClass::ALL.iter().map(|class| RecordRule { class: *class, years: RECORD_YEARS }).collect()
}

/// The content of records of one class that was taken away, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecordPurge {
    /// Which records.
    pub class: RecordClass,
    /// Those before this instant.
    pub before: DateTime<Utc>,
    /// How many.
    #[ts(type = "number")]
    pub records: u64,
    /// How many are as old and stay, because of a legal hold.
    #[ts(type = "number")]
    pub held: u64,
    /// The first of them.
    pub first: Option<i64>,
    /// The last of them.
    pub last: Option<i64>,
    /// Number of the record that says so; absent in a preview, and where there was nothing.
    pub record: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::{RecordClass as C, RecordRule, default_record_rules};

    #[test]
    fn a_record_has_the_class_of_its_operation() {
        for (action, permission, class) in [
            ("incident_resolve", "triage", Some(C::Security)),
            ("block_add", "contain", Some(C::Security)),
            ("settings_put", "admin", Some(C::Access)),
            ("approval_grant", "view", Some(C::Access)),
            ("privacy_erase", "maintain", Some(C::Privacy)),
            ("hold_add", "maintain", Some(C::Privacy)),
            ("register_add", "report", Some(C::Privacy)),
            ("event_reveal", "maintain", Some(C::Reads)),
            ("audit_export", "audit", Some(C::Reads)),
            ("report_generate", "report", Some(C::Reads)),
            ("retention_run", "maintain", Some(C::Maintenance)),
            ("key.add", "audit", None),
            ("key.revoke", "audit", None),
            ("checkpoint.sign", "audit", None),
            ("erasure.done", "audit", None),
        ] {
            assert_eq!(C::of(action, permission), class, "{action}");
        }
    }

    #[test]
    fn years_are_those_of_the_calendar_and_none_is_for_ever() {
        let now = "2028-02-29T12:00:00Z".parse().unwrap();
        let rule = |years| RecordRule { class: C::Reads, years };
        assert_eq!(rule(7).before(now), Some("2021-02-28T12:00:00Z".parse().unwrap()));
        assert_eq!(rule(0).before(now), None);
        assert_eq!(default_record_rules().len(), C::ALL.len());
    }
}
