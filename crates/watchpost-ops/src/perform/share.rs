//! How large a part of the keys a job touches, as a person is told before it begins.

use serde_json::Value;
use tokio::time::Instant;
use watchpost_model::job::JobReport;
use watchpost_redis::EventStore;
use watchpost_redis::due::{SAMPLE_KEYS, SAMPLE_TIME, due_sample};
use watchpost_redis::optimize::{Mode, OptimizeWalk};

use super::maintenance;
use crate::console::Workspace;
use crate::error::OpError;

/// What a change through the door would touch, estimated by a bounded look; nothing for one that has no such measure, and
/// where Redis cannot be asked.
pub(crate) async fn of(workspace: &Workspace, operation: &str, request: &Value) -> Option<String> {
    let events = workspace.events().ok()?;
    let measured = match operation {
        "retention_run" | "cleanup_run" => {
            let days = request.get("days").and_then(Value::as_u64).and_then(|days| u32::try_from(days).ok());
            due(workspace, &events, days).await
        }
        "optimize_run" => to_optimize(workspace, &events).await,
        _ => return None,
    };
    let keys = events.key_count().await.ok()?;
    match measured {
        Ok((_, 0)) => Some(words(0, keys, false)),
        Ok((part, looked_at)) if looked_at >= keys => Some(words(part.min(keys), keys, false)),
        Ok((part, looked_at)) => {
            let whole = u128::from(part) * u128::from(keys) / u128::from(looked_at);
            Some(words(u64::try_from(whole).unwrap_or(keys).min(keys), keys, true))
        }
        Err(problem) => {
            tracing::warn!(%problem, operation, "it was not measured how many keys this touches");
            None
        }
    }
}

async fn due(workspace: &Workspace, events: &EventStore, days: Option<u32>) -> Result<(u64, u64), OpError> {
    let rules = maintenance::rules(workspace, days).await?;
    Ok(due_sample(events, &rules, workspace.now(), workspace.stop_token()).await?)
}

/// The same walk as the job's, and not to its end. A key that needs two things counts twice.
async fn to_optimize(workspace: &Workspace, events: &EventStore) -> Result<(u64, u64), OpError> {
    let mut walk = OptimizeWalk::start(events, Mode::Preview, None, workspace.stop_token()).await?;
    let until = Instant::now() + SAMPLE_TIME;
    let mut is_whole = false;
    while !is_whole && walk.progress().done < SAMPLE_KEYS && Instant::now() < until {
        is_whole = !walk.next_page().await?;
    }
    let counts = walk.done();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    let part = counts.iter().map(|figure| figure.value as u64).sum();
    Ok((part, if is_whole { u64::MAX } else { walk.progress().done }))
}

/// Adds to the report of a preview what it is of all keys; `names` are the figures that count keys that change.
pub(crate) async fn tell(
    report: &mut JobReport,
    names: &[&str],
    workspace: &Workspace,
) -> Result<(), OpError> {
    let keys = workspace.events()?.key_count().await?;
    let counts = report.figures.iter().filter(|figure| names.contains(&figure.name.as_str()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    let part = counts.map(|figure| figure.value as u64).sum();
    report.notes.push(words(part, keys, false));
    Ok(())
}

/// `touches an estimated 15,683 of 1,204,000 keys (1.3 %)`.
fn words(part: u64, keys: u64, is_estimate: bool) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(keys.max(1));
    let share = match tenths {
        0 if part > 0 => "less than 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    };
    let estimated = if is_estimate { "an estimated " } else { "" };
    format!("touches {estimated}{} of {} keys ({share})", grouped(part), grouped(keys))
}

/// `1,204,000`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn shares_are_told_in_plain_numbers() {
        assert_eq!(words(15_683, 1_204_000, true), "touches an estimated 15,683 of 1,204,000 keys (1.3 %)");
        assert_eq!(words(0, 0, false), "touches 0 of 0 keys (0.0 %)");
        assert_eq!(words(1, 100_000, false), "touches 1 of 100,000 keys (less than 0.1 %)");
        assert_eq!(words(999, 999, false), "touches 999 of 999 keys (100.0 %)");
    }
}
