//! Settings of a workspace: read, changed, and written back only over what was read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use watchpost_model::audit::AuditDraft;
use watchpost_store::Store;

use crate::error::OpError;

/// A setting as it was read.
#[derive(Debug)]
pub(crate) struct Setting<T> {
    /// What is stored, or the default.
    pub(crate) value: T,
    name: &'static str,
    stored: Option<Value>,
}

/// Reads a setting.
///
/// # Errors
/// `Internal` for one that this version cannot read; what the database says.
pub(crate) async fn read<T: DeserializeOwned + Default>(
    store: &Store,
    name: &'static str,
) -> Result<Setting<T>, OpError> {
    let stored = store.setting_get(name).await?;
    let value = match &stored {
        Some(value) => T::deserialize(value)
            .map_err(|error| OpError::internal(format!("the stored setting {name} is damaged: {error}")))?,
        None => T::default(),
    };
    Ok(Setting { value, name, stored })
}

impl<T> Setting<T> {
    /// Writes `new` in its place.
    ///
    /// # Errors
    /// `Conflict` if somebody changed it since it was read: nothing is overwritten unseen; what the database says.
    pub(crate) async fn replace<N: Serialize>(
        &self,
        store: &Store,
        new: &N,
        draft: AuditDraft,
    ) -> Result<(), OpError> {
        Ok(store.setting_put(self.name, self.stored.as_ref(), &json(new)?, draft).await?)
    }
}

/// A value as it stands in settings and in the trail.
pub(crate) fn json(value: &impl Serialize) -> Result<Value, OpError> {
    serde_json::to_value(value).map_err(|error| OpError::internal(error.to_string()))
}
