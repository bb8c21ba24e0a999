//! How the health of Redis is judged and kept.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::health::Unit;
use watchpost_model::health_policy::HealthPolicy;

/// The lines of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthLimitState {
    /// Stable name: `memory_used_ratio`.
    pub metric: String,
    /// For people: `Memory use`.
    pub title: String,
    /// The unit of its lines.
    pub unit: Unit,
    /// Warning above this.
    pub warning: Option<f64>,
    /// Critical above this.
    pub critical: Option<f64>,
    /// The built-in line for a warning.
    pub default_warning: Option<f64>,
    /// The built-in line for critical.
    pub default_critical: Option<f64>,
}

/// How the health of Redis is judged and kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthPolicyState {
    /// As it is stored.
    pub policy: HealthPolicy,
    /// The lines of every metric, as they hold.
    pub limits: Vec<HealthLimitState>,
}

/// Change how the health of Redis is judged and kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HealthPolicyPut {
    /// From now on.
    pub policy: HealthPolicy,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}
