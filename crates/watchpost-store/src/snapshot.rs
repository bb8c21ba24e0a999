//! One look at the database for many questions: what a report says of one figure fits what it says of every other one.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::engine::Tx;
use crate::error::StoreError;
use crate::store::Store;

/// The transactions of a look at one moment; all see the same.
#[derive(Clone)]
pub(crate) struct Moment(Arc<[Arc<Mutex<Tx>>]>);

impl Moment {
    /// Refuses instead of waiting: whoever holds the transaction while asking for it would wait for ever.
    pub(crate) fn read(&self) -> Result<Reading, StoreError> {
        let free = self.0.iter().find_map(|tx| tx.clone().try_lock_owned().ok());
        free.map(Reading::Of).ok_or_else(|| {
            let n = self.0.len();
            StoreError::Validation(format!("at most {n} questions at a time in this look at one moment"))
        })
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
    /// The database as of now, whatever others write meanwhile. It answers every question of the store, [`Self::lanes`] at a
    /// time, and changes nothing. It holds reading connections until it is dropped.
    ///
    /// # Errors
    /// What the database says.
    pub async fn snapshot(&self) -> Result<Self, StoreError> {
        let looks = self.inner.db.begin_reads().await?;
        let looks = looks.into_iter().map(|tx| Arc::new(Mutex::new(tx))).collect();
        Ok(Self { inner: self.inner.clone(), moment: Some(Moment(looks)) })
    }

    /// How many questions a look at one moment answers at a time; 1 for a store that is none.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.moment.as_ref().map_or(1, |moment| moment.0.len())
    }
}
