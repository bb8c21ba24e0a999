//! The settings of a workspace.

use std::collections::BTreeSet;

use watchpost_model::audit::Change;
use watchpost_model::event::Category;
use watchpost_model::policy;

use super::required;
use crate::console::Workspace;
use crate::contract::{Nothing, Settings, SettingsChange};
use crate::door::Context;
use crate::error::OpError;

const KEY: &str = "settings";

/// The stored settings, or the defaults.
pub(crate) async fn current(workspace: &Workspace) -> Result<Settings, OpError> {
    match workspace.store().setting_get(KEY).await? {
        Some(value) => serde_json::from_value(value)
            .map_err(|error| OpError::internal(format!("the stored settings are damaged: {error}"))),
        None => Ok(Settings {
            organisation: "Unnamed organisation".to_owned(),
            retention: policy::default_retention(),
        }),
    }
}

pub(crate) async fn settings_get(cx: Context, _: Nothing) -> Result<Settings, OpError> {
    current(cx.workspace()?.as_ref()).await
}

pub(crate) async fn settings_put(cx: Context, request: SettingsChange) -> Result<Settings, OpError> {
    let workspace = cx.workspace()?;
    let reason = request.reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
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
    let value = |settings: &Settings| {
        serde_json::to_value(settings).map_err(|error| OpError::internal(format!("settings: {error}")))
    };
    let (old, new) = (value(&current(&workspace).await?)?, value(&request)?);
    let changes = ["organisation", "retention"]
        .iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| Change::new(field, old[*field].clone(), new[*field].clone()))
        .collect();
    workspace.store().setting_put(KEY, &new, cx.record("settings", changes, reason)).await?;
    Ok(request)
}
