//! A file that another process has locked is waited for, and that is said: a command that waits without a word looks as if it
//! hung.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::sqlite::SqlitePool;
use sqlx::{SqlSafeStr as _, Sqlite, Transaction};

use crate::target::BUSY_TIMEOUT;

/// So long nothing is said: most who write are done by then.
const TELL_AFTER: Duration = Duration::from_secs(1);

const BEGIN: &str = "BEGIN IMMEDIATE";

/// Whether it was said that another process has the file locked; once until a transaction begins again.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    told: Arc<AtomicBool>,
    after: Duration,
}

impl Default for Locked {
    fn default() -> Self {
        Self { told: Arc::default(), after: TELL_AFTER }
    }
}

impl Locked {
    /// Begins a transaction that may write on the one connection for that. Somebody of this process who has it is waited for
    /// without a word.
    pub(super) async fn begin(
        &self,
        writer: &SqlitePool,
    ) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        // What `begin_with` of a pool does, in two steps: whoever is waited for after the first one is another process.
        let connection = writer.acquire().await?;
        let tell = async {
            // A limit, and no wait: a transaction that begins ends this.
            tokio::time::sleep(self.after).await;
            self.tell();
            std::future::pending::<Infallible>().await
        };
        let begun = tokio::select! {
            biased;
            begun = Transaction::<Sqlite>::begin(connection, Some(BEGIN.into_sql_str())) => begun?,
            never = tell => match never {},
        };
        self.told.store(false, Ordering::Relaxed);
        Ok(begun)
    }

    fn tell(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the audit database is locked by another process: it is waited for, {BUSY_TIMEOUT:?} at most"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use sqlx::Connection as _;

    use super::Locked;
    use crate::engine::Db;
    use crate::target::sqlite_options;

    #[tokio::test]
    async fn a_file_that_another_process_has_locked_is_told_until_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlite_options(&folder.path().join("watchpost.db"));
        let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let db = Db::open_sqlite(options.busy_timeout(Duration::from_secs(60))).await.unwrap();
        let Db::Sqlite { writer, .. } = &db else { panic!("it is a file") };
        let locked = Locked { after: Duration::from_millis(1), ..Locked::default() };
        let is_told = || locked.told.load(Ordering::Relaxed);

        sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let ends = async {
            while !is_told() {
                tokio::task::yield_now().await;
            }
            sqlx::query("COMMIT").execute(&mut other).await.unwrap();
        };
        let (begun, ()) = tokio::join!(locked.begin(writer), ends);
        assert!(!is_told(), "it is free again");

        // Somebody of this process is no other one.
        let begun = begun.unwrap();
        let patient = Locked { after: Duration::ZERO, ..Locked::default() };
        let ends = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            let was_told = patient.told.load(Ordering::Relaxed);
            begun.rollback().await.unwrap();
            was_told
        };
        let (second, was_told) = tokio::join!(patient.begin(writer), ends);
        assert!(second.is_ok() && !was_told);
    }
}
