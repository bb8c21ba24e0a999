//! Folds SQLite's write-ahead log into its file beside the writer, so that commits seldom wait for it.
//!
//! SQLite folds the log within the commit that makes it too long: whoever commits then waits until all of it is written
//! and on the disk. Here a connection of its own folds what is committed meanwhile, and little is left for that commit
//! to do. The log begins anew only when all of it is folded, which needs a moment without a commit: the writer's own
//! limit ([`LONGEST`]) makes one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::CloseEvent;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Pages of the log at which the writer folds by itself: 192 MiB.
pub(crate) const LONGEST: &str = "49152";
/// Pages that are worth a look, 32 MiB: a page that many commits change should be written to the file once.
const WORTH: u32 = 8192;
/// Between two looks: as often while much is written, as seldom while little is.
const SOONEST: Duration = Duration::from_millis(200);
const LATEST: Duration = Duration::from_secs(5);

/// The connection that folds. Whoever folds by another one holds it too: SQLite turns a second one away at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folding {
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    /// The writer was used since the last look.
    written: Arc<AtomicBool>,
    /// What looks; joined when this ends.
    task: Arc<Mutex<JoinSet<()>>>,
}

impl Folding {
    /// Says that the writer is used.
    pub(super) fn note(&self) {
        self.written.store(true, Ordering::Relaxed);
    }

    /// Folds all of the log over `writer` and empties it. False if somebody who reads stood in the way.
    pub(super) async fn all(&self, writer: &SqlitePool) -> Result<bool, sqlx::Error> {
        let _alone = self.connection.lock().await;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
        Ok(row.try_get::<i64, _>(0)? == 0)
    }

    /// Folds no more.
    pub(super) async fn end(&self) {
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection that folds the write-ahead log was not closed");
        }
        self.task.lock().await.shutdown().await;
    }

    /// Folds beside `writer` until it closes.
    pub(super) async fn start(
        &self,
        options: &SqliteConnectOptions,
        writer: &SqlitePool,
    ) -> Result<(), sqlx::Error> {
        *self.connection.lock().await = Some(options.connect().await?);
        let looks = beside(Arc::clone(&self.connection), Arc::clone(&self.written), writer.close_event());
        self.task.lock().await.spawn(looks);
        Ok(())
    }
}

async fn beside(
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    written: Arc<AtomicBool>,
    mut closed: CloseEvent,
) {
    let (mut wait, mut folded) = (LATEST, 0);
    while closed.do_until(tokio::time::sleep(wait)).await.is_ok() {
        if !written.swap(false, Ordering::Relaxed) {
            continue;
        }
        let mut held = connection.lock().await;
        let Some(connection) = held.as_mut() else { return };
        match step(connection).await {
            Ok(now) => {
                // A log that began anew counts from nothing.
                let pages = now.checked_sub(folded).unwrap_or(now);
                (wait, folded) = (next(wait, pages), now);
            }
            // The writer does it at its limit, and says what is wrong where somebody waits for it.
            Err(error) => tracing::debug!(%error, "could not fold the write-ahead log"),
        }
    }
}

/// Folds what is committed; how many pages of the log are folded now.
async fn step(connection: &mut SqliteConnection) -> Result<u32, sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await?;
    Ok(u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or_default())
}

/// How long to wait after `pages` were folded that came within `wait`.
fn next(wait: Duration, pages: u32) -> Duration {
    (wait * WORTH / pages.max(1)).clamp(SOONEST, LATEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Db;
    use super::{LATEST, SOONEST, next, step};
    use crate::target::sqlite_options;

    async fn filled(file: &std::path::Path) -> Db {
        let db = Db::open_sqlite(sqlite_options(file)).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        tx.script("CREATE TABLE filler (body BLOB); INSERT INTO filler VALUES (zeroblob(9000000))")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        db
    }

    fn length(file: &std::path::Path) -> u64 {
        std::fs::metadata(file).map_or(0, |about| about.len())
    }

    #[tokio::test]
    async fn what_is_committed_is_folded_without_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fold.db");
        let db = filled(&file).await;
        let Db::Sqlite { writer, folding, .. } = &db else { unreachable!() };
        assert!(length(&file) < 9_000_000, "it is in the log alone");
        let busy = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let folded = step(folding.connection.lock().await.as_mut().unwrap()).await.unwrap();
        assert!(folded > 2_000 && length(&file) > 9_000_000, "{folded} pages while somebody else writes");
        busy.rollback().await.unwrap();
        db.close().await;
        assert!(!folder.path().join("fold.db-wal").exists(), "the last one who closes leaves no log");
    }

    #[tokio::test]
    async fn whoever_wants_all_of_it_folded_is_not_turned_away() {
        let folder = tempfile::tempdir().unwrap();
        let db = filled(&folder.path().join("fold.db")).await;
        let Db::Sqlite { writer, folding, .. } = &db else { unreachable!() };
        for _ in 0..50 {
            let mut tx = db.begin_write().await.unwrap();
            tx.execute("INSERT INTO filler VALUES (zeroblob(90000))", Vec::new()).await.unwrap();
            tx.commit().await.unwrap();
            let beside = async { step(folding.connection.lock().await.as_mut().unwrap()).await };
            let (folded, all) = tokio::join!(beside, folding.all(writer));
            assert!(folded.is_ok() && all.unwrap(), "both fold");
        }
        db.close().await;
    }

    #[test]
    fn it_is_looked_as_often_as_it_is_worth() {
        let second = Duration::from_secs(1);
        for (pages, wait) in
            [(0, LATEST), (1, LATEST), (8_192, second), (16_384, second / 2), (u32::MAX, SOONEST)]
        {
            assert_eq!(next(second, pages), wait, "{pages} pages in a second");
        }
    }
}
