//! Retention of the trail: for how long the content of records is kept, and taking away what is past its time.

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::audit::Change;
use watchpost_model::record_class::{RECORD_YEARS_MAX, RecordClass, RecordPurge, RecordRule};

use super::required;
use crate::console::Workspace;
use crate::contract::{
    AuditPurge, AuditPurgeRequest, AuditPurged, AuditRetention, AuditRetentionPut, Nothing,
};
use crate::door::Context;
use crate::error::OpError;
use crate::setting;

/// The setting of how long the content of records is kept.
const KEY: &str = "audit_retention";

async fn current(workspace: &Workspace) -> Result<AuditRetention, OpError> {
    Ok(setting::read::<AuditRetention>(workspace.store(), KEY).await?.value)
}

pub(crate) async fn audit_retention_get(cx: Context, _: Nothing) -> Result<AuditRetention, OpError> {
    current(cx.workspace()?.as_ref()).await
}

/// The years of each class that `wanted` changes: before and after.
fn changed(before: &AuditRetention, wanted: &[RecordRule]) -> Result<Vec<(RecordClass, u32, u32)>, OpError> {
    let mut changes: Vec<(RecordClass, u32, u32)> = Vec::new();
    for rule in wanted {
        if rule.years > RECORD_YEARS_MAX {
            let message = format!("1 to {RECORD_YEARS_MAX} years; 0 is for ever");
            return Err(OpError::invalid("years", message));
        }
        if changes.iter().any(|(class, ..)| *class == rule.class) {
            return Err(OpError::invalid("rules", format!("the class {} is there twice", rule.class)));
        }
        let old = years_of(before, rule.class);
        changes.push((rule.class, old, rule.years));
    }
    changes.retain(|(_, old, new)| old != new);
    Ok(changes)
}

/// 0 for a class that the stored rules do not know: what nobody decided about is kept.
fn years_of(rules: &AuditRetention, class: RecordClass) -> u32 {
    rules.rules.iter().find(|rule| rule.class == class).map_or(0, |rule| rule.years)
}

fn in_words(years: u32) -> String {
    match years {
        0 => "for ever".to_owned(),
        1 => "1 year".to_owned(),
        years => format!("{years} years"),
    }
}

/// What a shorter time means, for a second person.
pub(crate) async fn shortened_record_retention(
    cx: &Context,
    request: &AuditRetentionPut,
) -> Result<Option<String>, OpError> {
    let before = current(cx.workspace()?.as_ref()).await?;
    let shorter: Vec<String> = changed(&before, &request.rules)?
        .into_iter()
        .filter(|(_, old, new)| *new != 0 && (*old == 0 || new < old))
        .map(|(class, old, new)| format!("{class} {} instead of {}", in_words(new), in_words(old)))
        .collect();
    Ok((!shorter.is_empty())
        .then(|| format!("keeping the content of audit records for less time ({})", shorter.join(", "))))
}

pub(crate) async fn audit_retention_put(
    cx: Context,
    request: AuditRetentionPut,
) -> Result<AuditRetention, OpError> {
    let workspace = cx.workspace()?;
    let setting = setting::read::<AuditRetention>(workspace.store(), KEY).await?;
    let changes = changed(&setting.value, &request.rules)?;
    let years = |class: RecordClass| {
        let new = changes.iter().find(|(changed, ..)| *changed == class).map(|(.., new)| *new);
        new.unwrap_or_else(|| years_of(&setting.value, class))
    };
    let rules = RecordClass::ALL.iter().map(|class| RecordRule { class: *class, years: years(*class) });
    let new = AuditRetention { rules: rules.collect() };
    let told = changes.iter().map(|(class, old, new)| Change::new(class.as_str(), *old, *new)).collect();
    let record = cx.record(format!("setting/{KEY}"), told, request.reason);
    setting.replace(workspace.store(), &new, record).await?;
    Ok(new)
}

/// The rules by which records are past their time; of one class, or of all.
async fn rules(workspace: &Workspace, class: Option<RecordClass>) -> Result<Vec<RecordRule>, OpError> {
    let mut rules = current(workspace).await?.rules;
    rules.retain(|rule| rule.years > 0 && class.is_none_or(|class| class == rule.class));
    if rules.is_empty() {
        return Err(OpError::precondition("the content of these records is kept for ever")
            .hint("`watchpost config audit-retention` shows and sets for how long it is kept"));
    }
    Ok(rules)
}

fn cutoffs(rules: &[RecordRule], now: DateTime<Utc>) -> Vec<(RecordClass, DateTime<Utc>)> {
    rules.iter().filter_map(|rule| Some((rule.class, rule.before(now)?))).collect()
}

pub(crate) async fn audit_purge_preview(
    cx: Context,
    request: AuditPurgeRequest,
) -> Result<AuditPurged, OpError> {
    let workspace = cx.workspace()?;
    let rules = rules(&workspace, request.class).await?;
    let classes = workspace.store().audit_purge_preview(&cutoffs(&rules, workspace.now())).await?;
    Ok(AuditPurged { classes })
}

/// What a purge does, for a second person. How many records that are changes with the clock; the rules do not.
pub(crate) async fn purge_of(cx: &Context, request: &AuditPurge) -> Result<String, OpError> {
    required("reason", &request.reason, 2_000)?;
    let workspace = cx.workspace()?;
    let rules = rules(&workspace, request.class).await?;
    // Whoever asks is told of a wrong clock, and not whoever approves.
    workspace.store().audit_purge_by_clock(&cutoffs(&rules, workspace.now())).await?;
    let rules: Vec<String> =
        rules.iter().map(|rule| format!("{} after {}", rule.class, in_words(rule.years))).collect();
    Ok(format!("purging the content of audit records past their time ({})", rules.join(", ")))
}

pub(crate) async fn audit_purge(cx: Context, request: AuditPurge) -> Result<AuditPurged, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 2_000)?;
    let rules = rules(&workspace, request.class).await?;
    let store = workspace.store();
    let draft = |purged: &[RecordPurge]| {
        let told = purged.iter().map(|one| {
            let held = if one.held > 0 { format!(", {} held", one.held) } else { String::new() };
            let text = format!("{} records before {}{held}", one.records, one.before.format("%Y-%m-%d"));
            Change::new(one.class.as_str(), Value::Null, text)
        });
        cx.record("audit", told.collect(), Some(reason.clone()))
    };
    let classes = store.audit_purge(&cutoffs(&rules, workspace.now()), draft).await?;
    // What was taken is not left in the log beside the file either.
    store.privacy_settle().await?;
    Ok(AuditPurged { classes })
}
