//! A server that may not be there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};

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
    let begun = match tokio::time::timeout(patience, pool.begin_with(sql)).await {
        Ok(begun) => begun.map_err(StoreError::from),
        Err(_) => Err(no_answer(patience)),
    };
    let is_away = !is_busy && matches!(begun, Err(StoreError::Unavailable(_)));
    away.store(is_away, Ordering::Relaxed);
    begun.map(Tx::Postgres)
}
