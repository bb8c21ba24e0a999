//! One look at the database for many questions: what a report says of one figure fits what it says of every other one.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::engine::Tx;
use crate::error::StoreError;
use crate::store::Store;

/// The transaction of a look at one moment.
#[derive(Clone)]
pub(crate) struct Moment(Arc<Mutex<Tx>>);

impl Moment {
    /// Refuses instead of waiting: whoever holds the transaction while asking for it would wait for ever.
    pub(crate) fn read(&self) -> Result<Reading, StoreError> {
        let held = self.0.clone().try_lock_owned();
        held.map(Reading::Of)
            .map_err(|_| StoreError::Validation("one question at a time in a look at one moment".to_owned()))
    }
}

/// A reading transaction.
pub(crate) enum Reading {
    /// Begun for one question.
    Own(Tx),
    /// Of a look at one moment.
    Of(OwnedMutexGuard<Tx>),
}

impl Deref for Reading {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        match self {
            Self::Own(tx) => tx,
            Self::Of(tx) => tx,
        }
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut Tx {
        match self {
            Self::Own(tx) => tx,
            Self::Of(tx) => tx,
        }
    }
}

impl Store {
    /// The database as of the first question that is asked of what is returned, whatever others write meanwhile. It answers
    /// every question of the store, one at a time, and changes nothing. It holds a reading connection until it is dropped.
    ///
    /// # Errors
    /// What the database says.
    pub async fn snapshot(&self) -> Result<Self, StoreError> {
        let tx = self.inner.db.begin_read().await?;
        Ok(Self { inner: self.inner.clone(), moment: Some(Moment(Arc::new(Mutex::new(tx)))) })
    }
}
