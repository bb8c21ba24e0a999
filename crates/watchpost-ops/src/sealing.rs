//! What takes secrets out of events before they are stored, by the policy of the workspace.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::sealing::SealPolicy;
use watchpost_store::{Sealer, Store};

use crate::error::OpError;
use crate::setting;

/// The setting.
pub(crate) const SEALING: &str = "sealing";
/// Between two looks at it.
const LOOK_EVERY: Duration = Duration::seconds(2);

/// The sealer, as of the last look at the policy.
#[derive(Debug, Default)]
pub(crate) struct SealDesk {
    /// Held while the policy is read.
    last: tokio::sync::Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    at: DateTime<Utc>,
    policy: SealPolicy,
    sealer: Arc<Sealer>,
}

impl SealDesk {
    /// What seals now; looks at the policy at most every two seconds.
    ///
    /// # Errors
    /// What the database says: an event is not stored unsealed because nobody could say what to seal.
    pub(crate) async fn sealer(&self, store: &Store, now: DateTime<Utc>) -> Result<Arc<Sealer>, OpError> {
        let mut slot = self.last.lock().await;
        if let Some(last) = slot.as_ref().filter(|last| now >= last.at && now - last.at < LOOK_EVERY) {
            return Ok(Arc::clone(&last.sealer));
        }
        let policy: SealPolicy = setting::read(store, SEALING).await?.value;
        let sealer = match slot.take() {
            Some(last) if last.policy == policy => last.sealer,
            _ => Arc::new(store.sealer(&policy).await?),
        };
        *slot = Some(Last { at: now, policy, sealer: Arc::clone(&sealer) });
        Ok(sealer)
    }
}
