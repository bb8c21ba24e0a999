//! Reading the pages of a check: each lane reads every so many-th page and has it checked by itself.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::audit::verify::rows::{Checked, Page};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::snapshot::Reading;

/// Leaves read at once.
pub(super) const PAGE: i64 = 1000;

/// A page on its way: read, being checked.
type Pending = oneshot::Receiver<Result<Vec<Checked>, StoreError>>;

/// Reads every page of a lane by `columns` and sends it on while it is being checked.
pub(super) async fn read_lane(
    mut tx: Reading,
    columns: String,
    first: i64,
    step: i64,
    end: i64,
    log: String,
    send: mpsc::Sender<Pending>,
) {
    let mut checks = JoinSet::new();
    let mut at = first;
    while at < end {
        let page = read_page(&mut tx, &columns, at, end).await;
        let (answer, pending) = oneshot::channel();
        let log = log.clone();
        let failed = page.is_err();
        checks.spawn(async move {
            // Nobody waits any more when the check was stopped.
            drop(answer.send(page.and_then(|page| page.check(&log))));
        });
        if send.send(pending).await.is_err() || failed {
            break;
        }
        at += step;
        while checks.try_join_next().is_some() {}
    }
    while checks.join_next().await.is_some() {}
}

async fn read_page(tx: &mut Tx, columns: &str, at: i64, end: i64) -> Result<Page, StoreError> {
    let sql = format!("{columns} WHERE l.seq >= $1 AND l.seq < $2 ORDER BY l.seq");
    let rows = tx.fetch(sql, args![at, end.min(at + PAGE)]).await?;
    Page::read(tx, rows).await
}
