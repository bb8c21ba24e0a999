//! Maintenance of the database by hand.

use crate::engine::DatabaseSize;
use crate::error::StoreError;
use crate::store::Store;

/// What maintenance came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintained {
    /// What is wrong with the pages; nothing else was done then.
    pub problem: Option<String>,
    /// The log beside the file was folded into it; else somebody who reads stood in the way.
    pub folded: bool,
    /// How large it was.
    pub before: DatabaseSize,
    /// How large it is.
    pub after: DatabaseSize,
}

impl Store {
    /// Looks at the pages, has SQLite's index of words catch up, makes the statistics of the queries anew, and folds SQLite's
    /// log into the file. With `compact` the file is written anew without its free pages: whoever writes waits meanwhile.
    ///
    /// # Errors
    /// `Precondition` for compacting PostgreSQL, which does so by itself; what the database says.
    pub async fn maintain(&self, compact: bool) -> Result<Maintained, StoreError> {
        let (db, file) = (&self.inner.db, self.inner.file.as_deref());
        if compact && file.is_none() {
            return Err(StoreError::Precondition(
                "PostgreSQL gives space back by itself (autovacuum); its owner can run VACUUM FULL"
                    .to_owned(),
            ));
        }
        let before = db.size(file).await?;
        let problem = db.quick_check().await?;
        if problem.is_some() {
            return Ok(Maintained { problem, folded: false, before, after: before });
        }
        self.event_text_catch_up().await?;
        db.analyze().await?;
        if compact {
            db.rewrite().await?;
        }
        let folded = match file {
            Some(_) => db.settle(&[], &[]).await?.folded,
            None => true,
        };
        Ok(Maintained { problem: None, folded, before, after: db.size(file).await? })
    }
}
