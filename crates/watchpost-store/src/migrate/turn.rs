//! Whose turn it is to look at the schema and to change it: one process after the other.

use crate::engine::{Db, Dialect, Tx, args};
use crate::error::StoreError;

/// How often a database that somebody else changes is tried, each time for ten seconds: as long as a connection to a file, or
/// a transaction at a server, waits by itself. A copy of a large one and what changes it take minutes.
pub(super) const TRIES: u32 = 90;

/// Begins the transaction in which the schema is looked at and changed, when nobody else is at it. `waits` is called once if
/// somebody is.
///
/// # Errors
/// `Busy` if somebody else was at it all the time; what the database says.
pub(super) async fn wait(db: &Db, tries: u32, waits: &mut (dyn FnMut() + Send)) -> Result<Tx, StoreError> {
    let mut tried = 0;
    loop {
        let error = match begin(db, tried == 0).await {
            Err(StoreError::Unavailable(error)) if is_busy(&error) => error,
            Err(StoreError::Held(error)) => error,
            other => return other,
        };
        tried += 1;
        if tried == 1 {
            waits();
        }
        if tried >= tries {
            return Err(StoreError::Busy(error));
        }
    }
}

/// One try. The lock at a server is one that only the owner of the tables may take, and that those who read them pass. In a
/// database without tables it is a number, "watchpos".
async fn begin(db: &Db, is_first: bool) -> Result<Tx, StoreError> {
    let mut tx = db.begin_write().await?;
    if tx.dialect() == Dialect::Sqlite {
        return Ok(tx);
    }
    if is_first {
        tx.execute("SET LOCAL lock_timeout = '100ms'", args![]).await?;
    }
    let is_there = tx.fetch_optional(tx.dialect().table_exists(), args!["schema_version"]).await?.is_some();
    if is_there {
        tx.execute("LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE", args![]).await?;
    } else {
        tx.fetch_one("SELECT CAST(pg_advisory_xact_lock(8602550943262236531) AS TEXT)", args![]).await?;
    }
    // Whoever makes tables takes as long as it takes, and those who read them meanwhile are waited for a while. While the
    // database is copied nothing is asked in this transaction.
    tx.execute("SET LOCAL lock_timeout = '120s'", args![]).await?;
    tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0", args![]).await?;
    Ok(tx)
}

/// Whether somebody else writes the file.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|inner| inner.code());
    matches!(code.as_deref(), Some("5" | "261" | "517"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use sqlx::Connection;

    use super::wait;
    use crate::engine::Db;
    use crate::error::StoreError;
    use crate::target::sqlite_options;

    #[tokio::test]
    async fn a_file_that_is_being_changed_is_waited_for_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlite_options(&folder.path().join("watchpost.db"));
        let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let db = Db::open_sqlite(options.busy_timeout(Duration::from_millis(1))).await.unwrap();

        let mut told = 0;
        let refused = wait(&db, 3, &mut || told += 1).await;
        assert!(matches!(refused, Err(StoreError::Busy(_))), "not for ever");
        assert_eq!(told, 1, "said once");

        // The other one ends when it is seen that it is waited for.
        let seen = Arc::new(tokio::sync::Notify::new());
        let mut say = || seen.notify_one();
        let ends = async {
            seen.notified().await;
            sqlx::query("COMMIT").execute(&mut other).await.unwrap();
        };
        let (turn, ()) = tokio::join!(wait(&db, u32::MAX, &mut say), ends);
        assert!(turn.is_ok(), "its turn comes");
    }
}
