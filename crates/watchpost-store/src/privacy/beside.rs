//! Looking for somebody in other databases of the same server: what was put back of a copy, what a rehearsal left behind.

use std::collections::BTreeSet;

use watchpost_model::privacy::{Residue, ResidueState, Subject};

use super::Look;
use crate::audit::append::log_id_if_any;
use crate::engine::{Db, args};
use crate::error::StoreError;
use crate::rehearsal;
use crate::store::Store;
use crate::target::{DatabaseTarget, postgres_options};

/// All others of the server that take connections, and whether they take those of this login.
const OTHERS: &str = "SELECT CAST(datname AS TEXT), \
    CAST(CASE WHEN has_database_privilege(datname, 'CONNECT') THEN 1 ELSE 0 END AS BIGINT) \
    FROM pg_catalog.pg_database \
    WHERE datallowconn AND NOT datistemplate AND datname <> current_database() ORDER BY 1";

impl Store {
    /// Looks for somebody in each other database of the server that has the log of this one, and in those that are `named`
    /// or that a rehearsal made, whatever log they have. A file has none beside it.
    ///
    /// `told` hears how many were looked into, and how many there are.
    ///
    /// # Errors
    /// What the server says of its databases. One that cannot be looked into is an answer.
    pub async fn privacy_scan_beside(
        &self,
        subject: &Subject,
        named: &BTreeSet<String>,
        told: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Vec<Residue>, StoreError> {
        let Some(server) = &self.inner.server else { return Ok(Vec::new()) };
        let mut tx = self.read().await?;
        let log = log_id_if_any(&mut tx).await?;
        let others = tx.fetch(OTHERS, args![]).await?;
        drop(tx);
        let (mut found, mut clean) = (Vec::new(), 0_u64);
        for (done, row) in (0_u64..).zip(&others) {
            told(done, others.len() as u64);
            let (name, is_open) = (row.text(0)?, row.i64(1)? == 1);
            let is_ours = named.contains(&name) || rehearsal::is_ours(&name);
            if !is_open && !is_ours {
                continue;
            }
            let target = rehearsal::of_name(server, &name);
            let looked = Box::pin(self.look_into(&target, log.as_deref(), is_ours, subject)).await;
            match looked {
                Ok(None) => {}
                Ok(Some(look)) if look.found.is_empty() => clean += 1,
                Ok(Some(look)) => found.push(there(&name, &look)),
                Err(error) if is_ours => {
                    let detail = format!(
                        "a database that Watchpost made of a copy; it cannot be looked into: {error}. Look into it, or drop it"
                    );
                    found.push(Residue::new(place(&name), ResidueState::OutOfReach, 0, detail));
                }
                // One of somebody else's.
                Err(error) => tracing::debug!(%error, database = name, "it is not looked into"),
            }
        }
        if clean > 0 {
            let detail = format!("{clean} with the log of this one, or made of a copy, are without the name");
            found.push(Residue::new("other databases of the server", ResidueState::Clean, 0, detail));
        }
        Ok(found)
    }

    /// `None` if it is not of this log and not `is_ours` in another way.
    async fn look_into(
        &self,
        target: &DatabaseTarget,
        log: Option<&str>,
        is_ours: bool,
        subject: &Subject,
    ) -> Result<Option<Look>, StoreError> {
        let Some(options) = postgres_options(target) else { return Ok(None) };
        let db = Db::open_postgres(options).await?;
        let looked = async {
            let mut tx = db.begin_read().await?;
            let of_there = log_id_if_any(&mut tx).await?;
            drop(tx);
            if !is_ours && (log.is_none() || of_there.as_deref() != log) {
                return Ok(None);
            }
            let beside = Self::over(db.clone(), self.inner.clock.clone());
            Box::pin(beside.privacy_scan(subject)).await.map(Some)
        }
        .await;
        db.end_look().await;
        looked
    }
}

fn place(name: &str) -> String {
    format!("database {name} of the same server")
}

/// What was found in one of them, in one line.
fn there(name: &str, look: &Look) -> Residue {
    let n: u64 = look.found.iter().map(|place| place.n).sum();
    let columns: Vec<&str> = look.found.iter().map(|place| place.place.as_str()).collect();
    let detail = format!(
        "a copy of this database that was put back beside it holds it ({}): erase there too, on a connection to it, or drop it",
        columns.join(", ")
    );
    Residue::new(place(name), ResidueState::Found, n, detail)
}
