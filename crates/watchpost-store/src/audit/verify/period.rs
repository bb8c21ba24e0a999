//! The checkpoints of a period, for reports.

use watchpost_model::audit::Checkpoint;

use super::rows::fact;
use super::{Check, PAGE};
use crate::audit::leaf::Leaf;
use crate::audit::tree::leaf_hash;
use crate::audit::{append, checkpoint};
use crate::engine::{Tx, args};
use crate::error::StoreError;

/// How many checkpoints of `[from, to)` (microseconds) were signed, and those that the present tree does not confirm.
pub(crate) async fn unconfirmed_checkpoints(
    tx: &mut Tx,
    from: i64,
    to: i64,
) -> Result<(Vec<Checkpoint>, Vec<Checkpoint>), StoreError> {
    let rows = tx
        .fetch(
            "SELECT size, root, at, note, key_name FROM audit_checkpoint WHERE at >= $1 AND at < $2 ORDER BY size",
            args![from, to],
        )
        .await?;
    let wanted: Vec<Checkpoint> = rows.iter().map(checkpoint::from_row).collect::<Result<_, _>>()?;
    let mut check = Check { whole: true, ..Check::default() };
    let head = append::log_id_if_any(tx).await?;
    check.log_id = head.unwrap_or_default();
    check.checkpoints = wanted.iter().map(|found| (found.size, found.clone())).collect();
    let last = wanted.last().map_or(0, |found| found.size);
    let mut unconfirmed = Vec::new();
    while check.next < last {
        let page = tx
            .fetch(
                "SELECT seq, leaf FROM audit_leaf WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
                args![check.next, last, PAGE],
            )
            .await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let (seq, bytes) = (row.i64(0)?, row.blob(1)?);
            check.whole &= seq == check.next;
            check.next = seq + 1;
            let hash = leaf_hash(&bytes);
            check.frontier.push(hash);
            if let Some(Ok(Some(fact))) = Leaf::parse(&bytes).as_ref().map(fact) {
                check.fact(seq, hash, fact);
            }
            let before = check.confirmed;
            if check.whole {
                check.confirm(check.next);
            }
            if check.confirmed > before {
                check.checkpoints.remove(&check.next);
            }
        }
    }
    unconfirmed.extend(check.checkpoints.into_values());
    Ok((wanted, unconfirmed))
}
