//! Notices of PostgreSQL: whoever commits a change says which kind of thing it was, and whoever listens hears it at once.
//!
//! They are hints and nothing more: the counters in `revision` are what is true. A notice holds the kind and nothing else,
//! because every login at the database may listen, and may say what it likes.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};

use super::{Db, Dialect, Tx, args};
use crate::error::StoreError;
use crate::store::Tag;

/// Where notices are said; each database has channels of its own.
const CHANNEL: &str = "watchpost_changed";
/// A connection on which nothing was heard for so long is asked whether it still is one: what lies between may have
/// forgotten it.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the answer to that, and connecting, may take.
const PATIENCE: Duration = Duration::from_secs(10);
const UNANSWERED: &str = "the connection that hears notices is not answered";

/// Hears what is committed on a PostgreSQL, by a connection of its own ([`crate::Store::notices`]).
#[derive(Debug)]
pub struct Notices(PgListener);

impl Notices {
    pub(super) async fn over(pool: &PgPool) -> Result<Self, StoreError> {
        // A pool of its own: one that closes waits for all of its connections, and a listener's may be one that nobody
        // answers on any more.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with((*pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&own).await?;
        // Whoever lost it has to ask what was changed meanwhile, and how long to wait before the next try.
        listener.eager_reconnect(false);
        tokio::time::timeout(PATIENCE, listener.listen(CHANNEL)).await.map_err(|_| lost(UNANSWERED))??;
        Ok(Self(listener))
    }

    /// Waits until something is changed; returns its kind. May be dropped while it waits.
    ///
    /// # Errors
    /// `Unavailable` when the connection is lost: then what was said since is not known, and this hears nothing more.
    pub async fn next(&mut self) -> Result<Tag, StoreError> {
        loop {
            let heard = tokio::time::timeout(SILENCE, self.0.try_recv()).await;
            match heard {
                Ok(heard) => {
                    let notice =
                        heard?.ok_or_else(|| lost("the connection that hears notices was closed"))?;
                    // A newer Watchpost may know more kinds.
                    if let Ok(tag) = notice.payload().parse::<Tag>() {
                        return Ok(tag);
                    }
                }
                Err(_) => {
                    let asked = sqlx::query("SELECT 1").execute(&mut self.0);
                    tokio::time::timeout(PATIENCE, asked).await.map_err(|_| lost(UNANSWERED))??;
                }
            }
        }
    }
}

fn lost(why: &str) -> StoreError {
    StoreError::Unavailable(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::ConnectionAborted, why)))
}

impl Db {
    /// Begins to hear notices; `None` with SQLite, which has none.
    pub(crate) async fn notices(&self) -> Result<Option<Notices>, StoreError> {
        match self {
            Self::Sqlite { .. } => Ok(None),
            Self::Postgres { pool, .. } => Notices::over(pool).await.map(Some),
        }
    }
}

impl Tx {
    /// Counts up the revision of a kind, and has PostgreSQL say so to whoever listens when this is committed. Locks the row of
    /// the kind.
    pub(crate) async fn bump(&mut self, tag: Tag) -> Result<(), StoreError> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "UPDATE revision SET n = n + 1 WHERE tag = $1",
            // NOTIFY needs no right of its own.
            Dialect::Postgres => {
                "UPDATE revision SET n = n + 1 WHERE tag = $1 \
                 RETURNING CAST(pg_catalog.pg_notify('watchpost_changed', tag) AS TEXT)"
            }
        };
        self.execute(sql, args![tag.as_str()]).await.map(drop)
    }
}
