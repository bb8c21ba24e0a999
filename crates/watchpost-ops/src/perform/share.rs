//! What a job touches, as a person is told before it begins: how large a part of the keys, how much a restore writes, and
//! what a benchmark sends.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use watchpost_model::job::JobReport;
use watchpost_model::plain::{grouped, percent};
use watchpost_redis::EventStore;
use watchpost_redis::benchmark;
use watchpost_redis::cleanup::leftovers;
use watchpost_redis::due::{SAMPLE_KEYS, SAMPLE_TIME};
use watchpost_redis::optimize::{Direction, Mode, OptimizeWalk};
use watchpost_redis::retention::RetentionWalk;

use super::{backups, benchmarks, cleanup, maintenance};
use crate::console::Workspace;
use crate::contract::{BenchmarkRequest, RestoreRequest};
use crate::door::Context;
use crate::error::OpError;

/// What a change through the door would touch, estimated by a bounded look; nothing for one that has no such measure, and
/// where Redis, or a file that is named, cannot be asked.
pub(crate) async fn of(cx: &Context, operation: &str, request: &Value) -> Option<String> {
    let told = match operation {
        "retention_run" | "cleanup_run" | "optimize_run" => touched(cx, operation, request).await,
        "restore_run" => restored(cx, request).await,
        "benchmark_run" => sent(cx, request).await,
        "export_run" | "backup_run" => read_whole(cx, request).await,
        // A change of the database all the same: evidence is made of these counts.
        "aggregate_run" => {
            Ok("adds to the counts in the audit database what they lack of the archive, and touches no \
                               key of Redis"
                .to_owned())
        }
        _ => return None,
    };
    let warn = |problem: &OpError| {
        tracing::warn!(%problem, operation, "it was not measured how many keys this touches");
    };
    told.inspect_err(warn).ok()
}

/// What a bounded look found.
#[derive(Default)]
struct Look {
    /// Keys that the job changes, of those looked at.
    part: u64,
    /// `None`: all.
    looked_at: Option<u64>,
    /// Indexes that lose entries, and the quarantine: they are found by their names, not among the keys looked at.
    indexes: u64,
    /// What is to be said besides.
    but: Option<String>,
}

impl Look {
    fn words(&self, keys: u64) -> String {
        let told = match self.looked_at.filter(|looked_at| *looked_at < keys) {
            None => words((self.part + self.indexes).min(keys), keys, false),
            Some(0) => {
                format!("touches an unknown share of {} keys: none was looked at in time", grouped(keys))
            }
            Some(looked_at) if self.part == 0 => {
                let indexes = match self.indexes {
                    0 => String::new(),
                    1 => ", and 1 index".to_owned(),
                    n => format!(", and {n} indexes"),
                };
                let (looked_at, keys) = (grouped(looked_at), grouped(keys));
                format!("touches none of the {looked_at} keys looked at, of {keys} in all{indexes}")
            }
            Some(looked_at) => {
                let whole = u128::from(self.part) * u128::from(keys) / u128::from(looked_at);
                let whole = u64::try_from(whole).unwrap_or(keys).saturating_add(self.indexes);
                words(whole.min(keys), keys, true)
            }
        };
        match &self.but {
            Some(but) => format!("{told}; {but}"),
            None => told,
        }
    }
}

/// What is said where the time was over before all indexes had been looked through.
const INDEXES_LEFT: &str = "not all indexes were looked through in time";

/// The share of the keys that a job changes.
async fn touched(cx: &Context, operation: &str, request: &Value) -> Result<String, OpError> {
    let workspace = cx.workspace()?;
    let events = workspace.events()?;
    let look = if operation == "optimize_run" {
        let reverts = request.get("revert").and_then(Value::as_bool).unwrap_or(false);
        let direction = if reverts { Direction::Back } else { Direction::Forth };
        to_optimize(&workspace, &events, direction).await?
    } else {
        let days = request.get("days").and_then(Value::as_u64).and_then(|days| u32::try_from(days).ok());
        due(&workspace, &events, days, operation == "cleanup_run").await?
    };
    Ok(look.words(events.key_count().await?))
}

/// What an export or a backup reads. It changes nothing in Redis, and is asked about for two reasons: a production server has
/// to read all of its keys for it, and what they hold leaves it.
async fn read_whole(cx: &Context, request: &Value) -> Result<String, OpError> {
    let keys = grouped(cx.workspace()?.events()?.key_count().await?);
    let forks = request.get("rdb").and_then(Value::as_bool).unwrap_or(false);
    Ok(if forks {
        format!(
            "changes none of the {keys} keys; the server forks for it, and all that it holds leaves it in a file"
        )
    } else {
        format!("reads all {keys} keys and changes none, and what they hold leaves the server in a file")
    })
}

/// What a restore writes.
async fn restored(cx: &Context, request: &Value) -> Result<String, OpError> {
    let request: RestoreRequest = read(request)?;
    let sample = backups::restore_sample(cx, &request).await?;
    let keys = cx.workspace()?.events()?.key_count().await?;
    Ok(restore_words(sample.written, sample.replaced, keys, !sample.is_whole))
}

/// What a benchmark sends: as much as it may, for there is nothing to measure before.
async fn sent(cx: &Context, request: &Value) -> Result<String, OpError> {
    let plan = benchmarks::plan(read::<BenchmarkRequest>(request)?)?;
    let events = cx.workspace()?.events()?;
    let keys = events.key_count().await?;
    Ok(format!(
        "sends up to {} operations to at most {} keys of its own, which begin with {} and expire after {} s, and touches \
         none of the {} keys that are there",
        grouped(plan.operations()),
        grouped(plan.keys().into()),
        benchmark::prefix(&events),
        benchmark::TTL_S,
        grouped(keys)
    ))
}

fn read<T: DeserializeOwned>(request: &Value) -> Result<T, OpError> {
    serde_json::from_value(request.clone()).map_err(|error| OpError::internal(error.to_string()))
}

/// The same walk as the job's, and not to its end: events that it would remove, of the keys looked at. What the engine has
/// not processed yet stays.
async fn due(
    workspace: &Workspace,
    events: &EventStore,
    days: Option<u32>,
    is_cleanup: bool,
) -> Result<Look, OpError> {
    maintenance::days_checked(days)?;
    let rules = maintenance::rules(workspace, days).await?;
    let (now, cancel) = (workspace.now(), workspace.stop_token());
    let mut walk = RetentionWalk::start(events, &rules, now, None, None, cancel).await?;
    let until = Instant::now() + SAMPLE_TIME;
    let (mut part, mut looked_at, mut is_whole) = (0, 0, false);
    let mut categories = BTreeSet::new();
    while looked_at < SAMPLE_KEYS
        && !is_whole
        && let Ok(page) = timeout_at(until, walk.next_page()).await
    {
        let Some(page) = page? else {
            is_whole = true;
            continue;
        };
        let ids: Vec<_> = page.iter().map(|(_, id)| *id).collect();
        let known = workspace.store().known_events(&ids).await?;
        part += known.len() as u64;
        categories.extend(page.iter().filter(|(_, id)| known.contains(id)).map(|(category, _)| *category));
        looked_at = walk.progress().done;
    }
    let indexed = events.indexed(categories).await?;
    let (mut indexes, mut but) = (indexed.len() as u64, None);
    if is_cleanup {
        let left = leftovers(events, cleanup::noted_before(workspace), Mode::Preview, workspace.stop_token());
        match timeout_at(until, left).await {
            Ok(left) => indexes = left?.keys_with(&indexed),
            Err(_) => but = Some(INDEXES_LEFT.to_owned()),
        }
    }
    Ok(Look { part, looked_at: (!is_whole).then_some(looked_at), indexes, but })
}

/// The same walk as the job's, and not to its end: keys that are touched, each once, of those looked at, and why the job
/// would stop.
async fn to_optimize(
    workspace: &Workspace,
    events: &EventStore,
    direction: Direction,
) -> Result<Look, OpError> {
    let cancel = workspace.stop_token();
    let mut walk = OptimizeWalk::start(events, direction, Mode::Preview, None, cancel).await?;
    let until = Instant::now() + SAMPLE_TIME;
    let mut is_whole = false;
    while !is_whole && walk.progress().done < SAMPLE_KEYS && Instant::now() < until {
        is_whole = !walk.next_page().await?;
    }
    let (part, looked_at) = (walk.touched(), (!is_whole).then_some(walk.progress().done));
    let is_trimmed = match timeout_at(until, walk.trim()).await {
        Ok(trimmed) => trimmed.map(|()| true)?,
        Err(_) => false,
    };
    let indexes = walk.touched().saturating_sub(part);
    let but = walk.lacks_room().or_else(|| (!is_trimmed).then(|| INDEXES_LEFT.to_owned()));
    Ok(Look { part, looked_at, indexes, but })
}

/// Adds to the report of a preview what it is of all keys; `name` is the figure that counts the keys that change, `others` are
/// those that it does not count.
pub(crate) async fn tell(
    report: &mut JobReport,
    name: &str,
    others: u64,
    workspace: &Workspace,
) -> Result<(), OpError> {
    let keys = workspace.events()?.key_count().await?;
    let counts = report.figures.iter().filter(|figure| figure.name == name);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    let part: u64 = counts.map(|figure| figure.value as u64).sum();
    report.notes.push(words(part + others, keys, false));
    Ok(())
}

/// `touches an estimated 15,683 of 1,204,000 keys (1.3 %)`.
fn words(part: u64, keys: u64, is_estimate: bool) -> String {
    let share = share(part, keys);
    format!("touches {}{} of {} keys ({share})", estimated(is_estimate), grouped(part), grouped(keys))
}

/// `writes 15 keys of the backup, 5 of them over another value, where 1,204 keys are (1.2 %)`.
fn restore_words(written: u64, replaced: u64, keys: u64, is_estimate: bool) -> String {
    let there = match keys {
        0 => "where no keys are".to_owned(),
        _ => format!("where {} keys are ({})", grouped(keys), share(written + replaced, keys)),
    };
    let (estimated, all) = (estimated(is_estimate), grouped(written + replaced));
    format!(
        "writes {estimated}{all} keys of the backup, {} of them over another value, {there}",
        grouped(replaced)
    )
}

const fn estimated(is_estimate: bool) -> &'static str {
    if is_estimate { "an estimated " } else { "" }
}

/// `1.3 %`; neither what is little reads as nothing, nor what is nearly all as all.
fn share(part: u64, keys: u64) -> String {
    let (part_1000, keys_wide) = (u128::from(part) * 1_000, u128::from(keys));
    if part > 0 && part_1000 < keys_wide {
        "less than 0.1 %".to_owned()
    } else if part < keys && part_1000 > keys_wide * 999 {
        "more than 99.9 %".to_owned()
    } else {
        percent(part, keys)
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, restore_words, words};

    #[test]
    fn shares_are_told_in_plain_numbers() {
        assert_eq!(words(15_683, 1_204_000, true), "touches an estimated 15,683 of 1,204,000 keys (1.3 %)");
        assert_eq!(words(0, 0, false), "touches 0 of 0 keys (0.0 %)");
        assert_eq!(words(1, 100_000, false), "touches 1 of 100,000 keys (less than 0.1 %)");
        assert_eq!(words(999, 999, false), "touches 999 of 999 keys (100.0 %)");
        assert_eq!(words(3, 35, false), "touches 3 of 35 keys (8.6 %)");
        assert_eq!(words(1, 1_001, false), "touches 1 of 1,001 keys (less than 0.1 %)");
        assert_eq!(words(1_999, 2_000, false), "touches 1,999 of 2,000 keys (more than 99.9 %)");
    }

    #[test]
    fn what_a_look_did_not_find_is_not_told_as_absent() {
        let look = |part, indexes| Look { part, looked_at: Some(20_000), indexes, but: None };
        assert_eq!(look(0, 0).words(60_204), "touches none of the 20,000 keys looked at, of 60,204 in all");
        assert_eq!(
            look(0, 2).words(60_204),
            "touches none of the 20,000 keys looked at, of 60,204 in all, and 2 indexes"
        );
        assert_eq!(look(10, 1).words(60_000), "touches an estimated 31 of 60,000 keys (less than 0.1 %)");
        assert_eq!(look(0, 1).words(20_000), "touches 1 of 20,000 keys (less than 0.1 %)");
        let of_nothing = Look { looked_at: Some(0), ..Look::default() };
        assert!(of_nothing.words(7).contains("none was looked at in time"), "{}", of_nothing.words(7));
        let whole = Look { but: Some("it stops".to_owned()), ..Look::default() };
        assert_eq!(whole.words(7), "touches 0 of 7 keys (0.0 %); it stops");
    }

    #[test]
    fn a_restore_is_told_beside_what_is_there() {
        assert_eq!(
            restore_words(15_000, 683, 1_204_000, true),
            "writes an estimated 15,683 keys of the backup, 683 of them over another value, where 1,204,000 keys are (1.3 %)"
        );
        assert_eq!(
            restore_words(12, 0, 0, false),
            "writes 12 keys of the backup, 0 of them over another value, where no keys are"
        );
    }
}
