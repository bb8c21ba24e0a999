//! A server that may not be there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{Connection as _, Postgres, Transaction};

use super::Tx;
use crate::error::StoreError;

/// Connections to a server.
pub(super) const POOL_MAX: u32 = 8;
/// How long somebody waits for one of them while all are at work.
pub(super) const BUSY_PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same while it is known not to.
const AWAY_PATIENCE: Duration = Duration::from_millis(700);

/// How long it may take to make sure of a change: with synchronous replication that waits for another server, for ever if
/// that is gone.
const COMMIT_PATIENCE: Duration = Duration::from_secs(30);
/// The same for whoever closes, and how long closing waits for connections that are still at work.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// Begins a transaction that writes. Whoever waits for what another one holds is told so after as long as with SQLite; and a
/// process that stands still holds nothing for ever. The other ones may have to be read for long.
pub(super) const WRITE: &str =
    "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '60s'";

/// Connects once, and says at once why that does not work.
pub(super) async fn first(options: &PgConnectOptions) -> Result<(), StoreError> {
    let connection = match tokio::time::timeout(BUSY_PATIENCE, PgConnection::connect_with(options)).await {
        Ok(connection) => connection?,
        Err(_) => return Err(no_answer(BUSY_PATIENCE)),
    };
    connection.close().await.map_err(StoreError::from)
}

fn no_answer(patience: Duration) -> StoreError {
    let why = format!("PostgreSQL did not answer within {} ms", patience.as_millis());
    StoreError::Unavailable(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why)))
}

/// Why a pool came to nothing: it tries again and again where nobody listens, or the server is starting up, and says only that
/// it waited.
async fn why_not(pool: &PgPool, patience: Duration) -> StoreError {
    let options = pool.connect_options();
    // Of a size that whoever begins a transaction need not have.
    let connected = Box::pin(PgConnection::connect_with(&options));
    match tokio::time::timeout(AWAY_PATIENCE, connected).await {
        Ok(Err(error)) => error.into(),
        Ok(Ok(_)) | Err(_) => no_answer(patience),
    }
}

/// Begins a transaction on a server, which may not be there: whoever waits is told within seconds, and those who come after
/// within less, until it answers again.
pub(super) async fn begin(pool: &PgPool, away: &AtomicBool, sql: &'static str) -> Result<Tx, StoreError> {
    // All connections at work is another thing than a server that does not answer.
    let is_busy = pool.size() >= POOL_MAX && pool.num_idle() == 0;
    let patience = match (is_busy, away.load(Ordering::Relaxed)) {
        (true, _) => BUSY_PATIENCE,
        (false, false) => PATIENCE,
        (false, true) => AWAY_PATIENCE,
    };
    let (begun, is_away) = match tokio::time::timeout(patience, pool.begin_with(sql)).await {
        Ok(begun) => {
            let begun = begun.map_err(StoreError::from);
            let is_away = matches!(begun, Err(StoreError::Unavailable(_)));
            (begun, is_away)
        }
        Err(_) if is_busy => (Err(no_answer(patience)), false),
        Err(_) => (Err(why_not(pool, patience).await), true),
    };
    away.store(!is_busy && is_away, Ordering::Relaxed);
    begun.map(Tx::Postgres)
}

/// Is a connection that waited in the pool still one, and to a server that takes changes? One to a standby is given up: where
/// the address leads now is asked by a new one, and it may be another server.
pub(super) async fn is_of_use(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    const SQL: &str = "SELECT pg_catalog.current_setting('transaction_read_only') = 'off'";
    let asked = sqlx::query_scalar::<Postgres, bool>(SQL).fetch_one(connection).await;
    // One that is lost is no news: the next one is tried, and tells what is wrong.
    Ok(asked.unwrap_or(false))
}

/// Makes sure of a change; `hurries` is for whoever closes. Who loses the server over it cannot know what became of it.
pub(super) async fn commit(tx: Transaction<'static, Postgres>, hurries: bool) -> Result<(), StoreError> {
    let patience = if hurries { CLOSE_PATIENCE } else { COMMIT_PATIENCE };
    let done = match tokio::time::timeout(patience, tx.commit()).await {
        Ok(done) => done.map_err(StoreError::from),
        Err(_) => Err(no_answer(patience)),
    };
    done.map_err(|error| match error {
        StoreError::Unavailable(source) => StoreError::Unconfirmed(source),
        other => other,
    })
}

/// Closes after the work at hand, and without what does not end: a connection whose commit waits for a standby that is gone
/// would be waited for as long. The server ends what is left there by itself.
pub(super) async fn close(pool: &PgPool) {
    if tokio::time::timeout(CLOSE_PATIENCE, pool.close()).await.is_err() {
        tracing::warn!("a connection to the database is still at work and was left: the server ends it");
    }
}
