//! The lines of Redis health.

use watchpost_model::audit::Change;
use watchpost_model::health::Metric;
use watchpost_model::health_policy::{HealthLimit, HealthPolicy};
use watchpost_redis::health_limits;

use crate::contract::{HealthLimitState, HealthPolicyPut, HealthPolicyState, Nothing};
use crate::door::Context;
use crate::error::OpError;
use crate::health_watch::{HEALTH, policy};
use crate::setting::{self, json};

/// An hour of samples.
const SAMPLES_MAX: u32 = 360;
const MARGIN_MAX: u32 = 50;
const DAYS_MAX: u32 = 3_650;

pub(crate) async fn health_policy_get(cx: Context, _: Nothing) -> Result<HealthPolicyState, OpError> {
    Ok(state(policy(cx.workspace()?.store()).await?))
}

pub(crate) async fn health_policy_put(
    cx: Context,
    request: HealthPolicyPut,
) -> Result<HealthPolicyState, OpError> {
    let workspace = cx.workspace()?;
    let policy = checked(request.policy)?;
    let setting = setting::read::<HealthPolicy>(workspace.store(), HEALTH).await?;
    let (old, new) = (json(&setting.value)?, json(&policy)?);
    let changes = ["limits", "samples", "margin_percent", "average_after_h", "keep_days"]
        .iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| Change::new(field, old[*field].clone(), new[*field].clone()))
        .collect();
    let record = cx.record(format!("setting/{HEALTH}"), changes, request.reason);
    setting.replace(workspace.store(), &policy, record).await?;
    Ok(state(policy))
}

fn state(policy: HealthPolicy) -> HealthPolicyState {
    let limits = health_limits().into_iter().map(|metric: Metric| {
        let own = policy.limits.iter().find(|limit| limit.metric == metric.name);
        HealthLimitState {
            warning: own.map_or(metric.warning, |own| own.warning),
            critical: own.map_or(metric.critical, |own| own.critical),
            default_warning: metric.warning,
            default_critical: metric.critical,
            metric: metric.name,
            title: metric.title,
            unit: metric.unit,
        }
    });
    let limits = limits.collect();
    HealthPolicyState { policy, limits }
}

/// A policy that can be; lines that are the built-in ones are left out.
fn checked(mut policy: HealthPolicy) -> Result<HealthPolicy, OpError> {
    if !(1..=SAMPLES_MAX).contains(&policy.samples) {
        return Err(OpError::invalid("samples", format!("1 to {SAMPLES_MAX} samples in a row")));
    }
    if policy.margin_percent > MARGIN_MAX {
        return Err(OpError::invalid("margin_percent", format!("at most {MARGIN_MAX} percent")));
    }
    if !(1..=DAYS_MAX).contains(&policy.keep_days) {
        return Err(OpError::invalid("keep_days", format!("1 to {DAYS_MAX} days")));
    }
    if !(1..=policy.keep_days * 24).contains(&policy.average_after_h) {
        let message = "at least one hour, and not longer than history is kept";
        return Err(OpError::invalid("average_after_h", message));
    }
    let built_in = health_limits();
    let mut limits: Vec<HealthLimit> = Vec::new();
    for limit in policy.limits {
        let Some(known) = built_in.iter().find(|metric| metric.name == limit.metric) else {
            let names: Vec<&str> = built_in.iter().map(|metric| metric.name.as_str()).collect();
            return Err(OpError::invalid("limits", format!("{:?} has no lines", limit.metric))
                .hint(format!("these have: {}", names.join(", "))));
        };
        if limits.iter().any(|other| other.metric == limit.metric) {
            return Err(OpError::invalid("limits", format!("{} is there twice", limit.metric)));
        }
        let mut lines = [limit.warning, limit.critical].into_iter().flatten();
        if lines.any(|line| !line.is_finite() || line < 0.0) {
            return Err(OpError::invalid("limits", format!("{}: a line is 0 or above", limit.metric)));
        }
        if let (Some(warning), Some(critical)) = (limit.warning, limit.critical)
            && warning > critical
        {
            let message = format!("{}: a warning comes before critical, not above it", limit.metric);
            return Err(OpError::invalid("limits", message));
        }
        if (limit.warning, limit.critical) != (known.warning, known.critical) {
            limits.push(limit);
        }
    }
    policy.limits = limits;
    Ok(policy)
}
