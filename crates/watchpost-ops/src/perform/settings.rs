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

pub(crate) async fn settings_put(cx: Context, request: SettingsChange) -> Result<Settings, OpError> {
    let workspace = cx.workspace()?;
    let reason = request.reason;
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
