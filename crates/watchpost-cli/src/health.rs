//! `watchpost config health`: where the lines of the health of Redis are.

use clap::Args;
use watchpost_model::health::Unit;
use watchpost_model::health_policy::HealthLimit;
use watchpost_ops::contract::{HealthPolicyPut, HealthPolicyState, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;

use crate::args::Output;
use crate::output::{line, table, value};
use crate::session::Session;
use crate::show::either;

/// The lines of the health of Redis; without an option, show them.
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Set the lines of a metric, its warning and its critical one, in its unit or in percent: `memory_used_ratio=75%:90%`,
    /// `backlog=20000:80000`; `-` for no line: `events_per_min=-:-`; `default` for the built-in ones. Repeatable.
    #[arg(long = "limit", value_name = "METRIC=WARNING:CRITICAL")]
    limits: Vec<String>,
    /// Samples in a row, one every ten seconds, until an alert is raised or ends, 1 to 360.
    #[arg(long, value_name = "N")]
    samples: Option<u32>,
    /// How far below its line a metric must be for an alert to end, in percent of the line, at most 50.
    #[arg(long, value_name = "PERCENT")]
    margin: Option<u32>,
    /// Hours after which samples become means of five minutes.
    #[arg(long, value_name = "HOURS")]
    average_after: Option<u32>,
    /// Days until history is removed.
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// Why; it stands in the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

pub(crate) async fn run(session: &Session, form: Output, wanted: Health) -> anyhow::Result<()> {
    let mut state = session.ask::<operation::health_policy_get>(Nothing {}).await?;
    let before = state.policy.clone();
    let policy = &mut state.policy;
    for text in &wanted.limits {
        let (metric, limit) = limit_of(text)?;
        policy.limits.retain(|other| other.metric != metric);
        policy.limits.extend(limit);
    }
    policy.samples = wanted.samples.unwrap_or(policy.samples);
    policy.margin_percent = wanted.margin.unwrap_or(policy.margin_percent);
    policy.average_after_h = wanted.average_after.unwrap_or(policy.average_after_h);
    policy.keep_days = wanted.keep_days.unwrap_or(policy.keep_days);
    if *policy != before {
        let change = HealthPolicyPut { policy: policy.clone(), reason: wanted.reason };
        state = session.ask::<operation::health_policy_put>(change).await?;
    }
    either(form, &state, || show(&state))
}

fn show(state: &HealthPolicyState) -> anyhow::Result<()> {
    let shown = |line: Option<f64>, unit: Unit| line.map_or_else(|| "-".to_owned(), |l| value(Some(l), unit));
    table(
        ["METRIC", "NAME", "WARNING ABOVE", "CRITICAL ABOVE", "BUILT IN"],
        state.limits.iter().map(|limit| {
            let built_in = (limit.default_warning, limit.default_critical);
            let changed = (limit.warning, limit.critical) != built_in;
            [
                limit.title.clone(),
                limit.metric.clone(),
                shown(limit.warning, limit.unit),
                shown(limit.critical, limit.unit),
                if changed {
                    format!("{} : {}", shown(built_in.0, limit.unit), shown(built_in.1, limit.unit))
                } else {
                    String::new()
                },
            ]
        }),
    )?;
    let policy = &state.policy;
    line(format!(
        "an alert is raised after {} samples in a row over a line, and ends after as many {} % below it",
        policy.samples, policy.margin_percent
    ))?;
    line(format!(
        "history: samples for {} h, then means of five minutes for {} days",
        policy.average_after_h, policy.keep_days
    ))
}

/// `METRIC=WARNING:CRITICAL`; no limit for `default`.
fn limit_of(text: &str) -> Result<(String, Option<HealthLimit>), OpError> {
    let wrong = || {
        OpError::invalid("limit", format!("{text:?} is not METRIC=WARNING:CRITICAL"))
            .hint("such as memory_used_ratio=75%:90%, events_per_min=-:-, backlog=default")
    };
    let (metric, lines) = text.split_once('=').ok_or_else(wrong)?;
    if lines == "default" {
        return Ok((metric.to_owned(), None));
    }
    let (warning, critical) = lines.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| match text.strip_suffix('%') {
        _ if text == "-" => Ok(None),
        Some(percent) => percent.trim().parse::<f64>().map(|n| Some(n / 100.0)).map_err(|_| wrong()),
        None => text.parse::<f64>().map(Some).map_err(|_| wrong()),
    };
    let (warning, critical) = (number(warning)?, number(critical)?);
    Ok((metric.to_owned(), Some(HealthLimit { metric: metric.to_owned(), warning, critical })))
}

#[cfg(test)]
mod tests {
    use super::limit_of;

    #[test]
    fn lines_are_read_as_they_are_typed() {
        let read = |text: &str| {
            let limit = limit_of(text).ok()?.1?;
            Some((limit.metric, limit.warning, limit.critical))
        };
        let memory = "memory_used_ratio".to_owned();
        assert_eq!(read("memory_used_ratio=75%:90%"), Some((memory, Some(0.75), Some(0.9))));
        assert_eq!(read("backlog=-:80000"), Some(("backlog".to_owned(), None, Some(80_000.0))));
        assert!(limit_of("backlog=default").is_ok_and(|(_, limit)| limit.is_none()));
        for wrong in ["backlog", "backlog=1", "backlog=a:b", "backlog=1:2:3"] {
            assert!(limit_of(wrong).is_err(), "{wrong}");
        }
    }
}
