//! What is sealed of events, and showing it to whoever may see it.

use serde_json::Value;
use watchpost_model::audit::Change;
use watchpost_model::sealing::{SealKind, SealPolicy, mark_named};
use watchpost_store::Revealed;

use super::required;
use crate::contract::{EventReveal, EventRevealed, Nothing, SealingPut};
use crate::door::Context;
use crate::error::OpError;
use crate::sealing::SEALING;
use crate::setting::{self, json};

/// Names of fields of its own that a team may seal.
const FIELDS_MAX: usize = 100;
const FIELD_CHARS_MAX: usize = 80;
const MARK_CHARS_MAX: usize = 100;

pub(crate) async fn sealing_get(cx: Context, _: Nothing) -> Result<SealPolicy, OpError> {
    Ok(setting::read(cx.workspace()?.store(), SEALING).await?.value)
}

/// A policy that can be.
fn checked(policy: SealPolicy) -> Result<SealPolicy, OpError> {
    if policy.fields.len() > FIELDS_MAX {
        return Err(OpError::invalid("fields", format!("at most {FIELDS_MAX} fields")));
    }
    let mut fields = Vec::with_capacity(policy.fields.len());
    for field in &policy.fields {
        let field = required("fields", field, FIELD_CHARS_MAX)?.to_lowercase();
        if !field.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '-' | ' ')) {
            let message = format!("{field:?}: a name has letters, digits, `_` and `-`");
            return Err(OpError::invalid("fields", message));
        }
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    // Fields that are named are sealed because they are named.
    let wanted = |kind: &&SealKind| **kind != SealKind::Field && policy.kinds.contains(kind);
    Ok(SealPolicy { kinds: SealKind::ALL.iter().filter(wanted).copied().collect(), fields })
}

pub(crate) async fn sealing_put(cx: Context, request: SealingPut) -> Result<SealPolicy, OpError> {
    let workspace = cx.workspace()?;
    let policy = checked(request.policy)?;
    let setting = setting::read::<SealPolicy>(workspace.store(), SEALING).await?;
    let (old, new) = (json(&setting.value)?, json(&policy)?);
    let changes = ["kinds", "fields"]
        .iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| Change::new(field, old[*field].clone(), new[*field].clone()))
        .collect();
    let record = cx.record(format!("setting/{SEALING}"), changes, request.reason);
    setting.replace(workspace.store(), &policy, record).await?;
    Ok(policy)
}

pub(crate) async fn event_reveal(cx: Context, request: EventReveal) -> Result<EventRevealed, OpError> {
    let reason = required("reason", &request.reason, 2_000)?;
    let mark = mark_named(&required("mark", &request.mark, MARK_CHARS_MAX)?);
    let workspace = cx.workspace()?;
    // Which value it was, never the value.
    let draft = |revealed: &Revealed| {
        let said = |field: &str, value: &str| Change::new(field, Value::Null, value);
        let changes = vec![said("field", &revealed.field), said("mark", &revealed.mark)];
        cx.record(format!("event/{}", request.id), changes, Some(reason.clone()))
    };
    let revealed = workspace.store().sealed_reveal(request.id, &mark, draft).await?;
    Ok(EventRevealed { kind: revealed.kind, field: revealed.field, value: revealed.value })
}
