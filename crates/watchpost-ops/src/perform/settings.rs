//! The settings of a workspace.

use std::collections::BTreeSet;

use watchpost_model::audit::Change;
use watchpost_model::event::Category;

use super::required;
use crate::console::Workspace;
use crate::contract::{Nothing, Settings, SettingsChange};
use crate::door::Context;
use crate::error::OpError;
use crate::setting::{self, json};

const KEY: &str = "settings";

/// The stored settings, or the defaults.
pub(crate) async fn current(workspace: &Workspace) -> Result<Settings, OpError> {
    Ok(setting::read(workspace.store(), KEY).await?.value)
}

pub(crate) async fn settings_get(cx: Context, _: Nothing) -> Result<Settings, OpError> {
    current(cx.workspace()?.as_ref()).await
}

/// The settings of a request, if they can be.
fn checked(request: SettingsChange) -> Result<Settings, OpError> {
    let mut request = Settings { organisation: request.organisation, retention: request.retention };
    request.organisation = required("organisation", &request.organisation, 200)?;
    let covered: BTreeSet<Category> = request.retention.iter().map(|rule| rule.category).collect();
    if covered.len() != Category::ALL.len() || request.retention.len() != Category::ALL.len() {
        return Err(OpError::invalid("retention", "give one rule for each of the five categories"));
    }
    for rule in &request.retention {
        if !(1..=3_650).contains(&rule.redis_days) || !(1..=3_650).contains(&rule.archive_days) {
            return Err(OpError::invalid(
                "retention",
                format!("{}: between 1 and 3,650 days", rule.category),
            ));
        }
        if rule.archive_days < rule.redis_days {
            return Err(OpError::invalid(
                "retention",
                format!("{}: the archive must keep events at least as long as Redis", rule.category),
            ));
        }
    }
    Ok(request)
}

/// What the next run of retention deletes before the time that it was kept for; `None` if nothing.
pub(crate) async fn shortened_retention(
    cx: &Context,
    request: SettingsChange,
) -> Result<Option<String>, OpError> {
    let before = current(cx.workspace()?.as_ref()).await?.retention;
    let shorter: Vec<String> = checked(request)?
        .retention
        .iter()
        .filter_map(|rule| {
            let old = before.iter().find(|old| old.category == rule.category)?.archive_days;
            let category = rule.category.as_str().replace('_', " ");
            (rule.archive_days < old)
                .then(|| format!("{category} {} days instead of {old}", rule.archive_days))
        })
        .collect();
    Ok((!shorter.is_empty())
        .then(|| format!("keeping archived events for less time ({})", shorter.join(", "))))
}

pub(crate) async fn settings_put(cx: Context, request: SettingsChange) -> Result<Settings, OpError> {
    let workspace = cx.workspace()?;
    let reason = request.reason.clone();
    let request = checked(request)?;
    let setting = setting::read::<Settings>(workspace.store(), KEY).await?;
    let (old, new) = (json(&setting.value)?, json(&request)?);
    let changes = ["organisation", "retention"]
        .iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| Change::new(field, old[*field].clone(), new[*field].clone()))
        .collect();
    setting
        .replace(workspace.store(), &request, cx.record(format!("setting/{KEY}"), changes, reason))
        .await?;
    Ok(request)
}
