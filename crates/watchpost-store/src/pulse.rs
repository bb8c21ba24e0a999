//! Short answers about the whole database: how fresh it is, what it spans, where the audit log stands.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::period::Period;
use watchpost_model::suppression::CompiledScope;

use crate::audit::tree::Frontier;
use crate::engine::{Dialect, Sql, Tx, args};
use crate::error::StoreError;
use crate::event::{EventCursor, event};
use crate::store::Store;

/// Findings read in one step.
const STEP: usize = 1_000;

/// Why a server that answers takes no changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnly {
    /// It follows another server.
    Standby,
    /// It is set so, for all of it or for this database or login.
    Setting,
    /// It confirms none: the standby that has to have each change first is gone.
    NoStandby,
}

impl fmt::Display for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standby => {
                "the server is a standby and takes no changes: have it promoted (pg_promote), or the address lead to the \
                 primary; this goes on by itself then"
            }
            Self::Setting => {
                "the server is set to read-only (default_transaction_read_only) and takes no changes: look why, such as \
                 a disk that is nearly full, and have that ended; this goes on by itself then"
            }
            Self::NoStandby => {
                "the server waits for a synchronous standby that is gone (synchronous_standby_names), and confirms no change: \
                 bring the standby back, or take it out of that setting on the primary and have it read again \
                 (pg_reload_conf); what waits is confirmed then"
            }
        })
    }
}

/// What a status bar shows of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Event time of the newest event, leaving out those more than five minutes ahead of the clock; `None` without one.
    pub newest_event: Option<DateTime<Utc>>,
    /// Incidents that need somebody; what is merged into another needs nobody.
    pub incidents_active: u64,
    /// Why nothing can be changed; `None` while it can.
    pub read_only: Option<ReadOnly>,
}

/// The head of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// Random id of the log; empty before its first record.
    pub log_id: String,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root, base64.
    pub root: String,
}

/// What one rule said of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFindings {
    /// The rule.
    pub rule_id: String,
    /// Findings.
    pub findings: u64,
    /// Incidents that they are part of.
    pub incidents: u64,
}

/// What all rules said of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFindings {
    /// By rule id, ascending.
    pub rules: Vec<RuleFindings>,
    /// Incidents with at least one finding in the period.
    pub incidents: u64,
}

impl Store {
    /// The state in two numbers.
    ///
    /// Cost: two index look-ups; made to be asked several times a second.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        let mut tx = self.read().await?;
        // A sender whose clock is ahead must not make a silent feed look alive.
        let ahead = self.inner.clock.now() + Duration::minutes(5);
        let newest = tx
            .fetch_optional("SELECT at FROM event WHERE at <= $1 ORDER BY at DESC LIMIT 1", args![ahead])
            .await?;
        let active = tx.fetch_one("SELECT COUNT(*) FROM incident WHERE active = 1", args![]).await?;
        Ok(Pulse {
            newest_event: newest.map(|row| row.time(0)).transpose()?,
            incidents_active: active.u64(0)?,
            read_only: takes_none(&mut tx).await?,
        })
    }

    /// Does the server confirm no change because the synchronous standby is gone? Never so of a file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lacks_standby(&self) -> Result<bool, StoreError> {
        if self.inner.db.dialect() == Dialect::Sqlite {
            return Ok(false);
        }
        lacks_standby(&mut *self.read().await?).await
    }

    /// Why the server takes no changes; `None` while it does, and of a file. One that takes them and confirms none is told by
    /// [`Store::pulse`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn read_only(&self) -> Result<Option<ReadOnly>, StoreError> {
        if self.inner.db.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        read_only(&mut *self.read().await?).await
    }

    /// From the oldest to the newest event; `None` without events.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events_span(&self) -> Result<Option<Period>, StoreError> {
        let mut tx = self.read().await?;
        let oldest = tx.fetch_optional("SELECT at FROM event ORDER BY at LIMIT 1", args![]).await?;
        let ahead = self.inner.clock.now() + Duration::minutes(5);
        let newest = tx
            .fetch_optional("SELECT at FROM event WHERE at <= $1 ORDER BY at DESC LIMIT 1", args![ahead])
            .await?;
        let (Some(oldest), Some(newest)) = (oldest, newest) else { return Ok(None) };
        Ok(Some(Period { from: oldest.time(0)?, to: newest.time(0)? + Duration::milliseconds(1) }))
    }

    /// The storing time of the `n`th newest event, or of the oldest if there are fewer; `None` of an empty archive.
    ///
    /// # Errors
    /// What the database says.
    pub async fn stored_at_of_newest(&self, n: u32) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_one(
                "SELECT MIN(stored_at) FROM (SELECT stored_at FROM event ORDER BY stored_at DESC LIMIT $1) newest",
                args![i64::from(n)],
            )
            .await?;
        row.opt_time(0)
    }

    /// The events of a period in the order in which they happened, strictly after `after`: what a replay reads.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events_in_order(
        &self,
        period: Period,
        after: Option<EventCursor>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let mut sql = Sql::new("SELECT body FROM event WHERE at >= ");
        sql.bind(period.from).push(" AND at < ").bind(period.to);
        if let Some(cursor) = after {
            sql.push(" AND (at, id) > ").tuple(args![cursor.at, cursor.id.to_string()]);
        }
        sql.push(" ORDER BY at, id LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(|row| event(row, 0)).collect()
    }

    /// How often each rule spoke of something in a period, and in how many incidents; without what these scopes cover.
    ///
    /// Cost: with scopes every finding of the period is read.
    ///
    /// # Errors
    /// What the database says.
    pub async fn findings_by_rule(
        &self,
        period: Period,
        hidden_by: &[CompiledScope],
    ) -> Result<RecordedFindings, StoreError> {
        let mut tx = self.read().await?;
        if !hidden_by.is_empty() {
            return shown_by_rule(&mut tx, period, hidden_by).await;
        }
        let rows = tx
            .fetch(
                "SELECT rule_id, COUNT(*), COUNT(DISTINCT incident_id) FROM finding WHERE at >= $1 AND at < $2 \
                 GROUP BY rule_id ORDER BY rule_id",
                args![period.from, period.to],
            )
            .await?;
        let rules = rows
            .iter()
            .map(|row| {
                Ok(RuleFindings { rule_id: row.text(0)?, findings: row.u64(1)?, incidents: row.u64(2)? })
            })
            .collect::<Result<_, StoreError>>()?;
        let all = tx
            .fetch_optional(
                "SELECT COUNT(DISTINCT incident_id) FROM finding WHERE at >= $1 AND at < $2",
                args![period.from, period.to],
            )
            .await?;
        Ok(RecordedFindings { rules, incidents: all.map_or(Ok(0), |row| row.u64(0))? })
    }

    /// Where the audit log stands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        head(&mut *self.read().await?).await
    }
}

/// The findings of a period that none of these scopes covers, by rule.
async fn shown_by_rule(
    tx: &mut Tx,
    period: Period,
    hidden_by: &[CompiledScope],
) -> Result<RecordedFindings, StoreError> {
    let mut rules: BTreeMap<String, (u64, HashSet<String>)> = BTreeMap::new();
    let mut incidents: HashSet<String> = HashSet::new();
    let mut before: Option<(DateTime<Utc>, String)> = None;
    loop {
        let mut sql = Sql::new(
            "SELECT f.id, f.at, f.body, f.incident_id, COALESCE(v.body, e.body) FROM finding f \
             LEFT JOIN evidence v ON v.incident_id = f.incident_id AND v.event_id = f.event_id \
             LEFT JOIN event e ON e.id = f.event_id WHERE f.at >= ",
        );
        sql.bind(period.from).push(" AND f.at < ").bind(period.to);
        if let Some((at, id)) = before.take() {
            sql.push(" AND (f.at, f.id) < ").tuple(args![at, id]);
        }
        sql.push(" ORDER BY f.at DESC, f.id DESC LIMIT ").bind(i64::try_from(STEP).unwrap_or(i64::MAX));
        let rows = tx.fetch_sql(sql).await?;
        for row in &rows {
            let finding: Finding = row.json(2)?;
            if row.opt_text(4)?.is_some() {
                let event = event(row, 4)?;
                if hidden_by.iter().any(|scope| scope.covers(&finding, &event)) {
                    continue;
                }
            }
            let incident = row.text(3)?;
            let (findings, of_rule) = rules.entry(finding.rule_id).or_default();
            *findings += 1;
            of_rule.insert(incident.clone());
            incidents.insert(incident);
        }
        match rows.last() {
            Some(last) if rows.len() == STEP => before = Some((last.time(1)?, last.text(0)?)),
            _ => break,
        }
    }
    let row = |(rule_id, (findings, incidents)): (String, (u64, HashSet<String>))| RuleFindings {
        rule_id,
        findings,
        incidents: incidents.len() as u64,
    };
    Ok(RecordedFindings { rules: rules.into_iter().map(row).collect(), incidents: incidents.len() as u64 })
}

/// The transaction itself may be one that only reads: what counts is what another one would be.
pub(crate) async fn read_only(tx: &mut Tx) -> Result<Option<ReadOnly>, StoreError> {
    const SQL: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'standby' \
                       WHEN pg_catalog.current_setting('default_transaction_read_only') = 'on' THEN 'setting' END";
    if tx.dialect() == Dialect::Sqlite {
        return Ok(None);
    }
    let row = tx.fetch_one(SQL, args![]).await?;
    Ok(row.opt_text(0)?.map(|why| if why == "standby" { ReadOnly::Standby } else { ReadOnly::Setting }))
}

/// Why no change is made sure of.
async fn takes_none(tx: &mut Tx) -> Result<Option<ReadOnly>, StoreError> {
    match read_only(tx).await? {
        None => Ok(lacks_standby(tx).await?.then_some(ReadOnly::NoStandby)),
        why => Ok(why),
    }
}

/// Whether nobody is there who has to have each change first, or a change that this login may see has waited for that long. A
/// login without `pg_monitor` sees how many servers follow, not which of them are waited for, and what its own sessions do.
async fn lacks_standby(tx: &mut Tx) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST(CASE \
         WHEN pg_catalog.current_setting('synchronous_standby_names') = '' \
         OR pg_catalog.current_setting('synchronous_commit') IN ('off', 'local') THEN 0 \
         WHEN NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication \
         WHERE sync_state IS NULL OR sync_state IN ('sync', 'quorum')) \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity WHERE wait_event = 'SyncRep' \
         AND query_start < pg_catalog.clock_timestamp() - INTERVAL '10 seconds') THEN 1 ELSE 0 END AS BIGINT)";
    if tx.dialect() == Dialect::Sqlite {
        return Ok(false);
    }
    Ok(tx.fetch_one(SQL, args![]).await?.i64(0)? == 1)
}

/// Does the server take no changes of anybody, as a standby or by a setting for all? A login can make itself one that only
/// reads, by its own settings and by those of its connection: that does not count.
pub(crate) async fn read_only_for_all(tx: &mut Tx) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_catalog.pg_settings \
                       WHERE name = 'default_transaction_read_only' AND (pg_catalog.pg_is_in_recovery() \
                       OR setting = 'on' AND source IN \
                       ('environment variable', 'configuration file', 'command line', 'global', 'database'))";
    if tx.dialect() == Dialect::Sqlite {
        return Ok(false);
    }
    Ok(tx.fetch_one(SQL, args![]).await?.i64(0)? == 1)
}

pub(crate) async fn head(tx: &mut Tx) -> Result<AuditHead, StoreError> {
    let row =
        tx.fetch_optional("SELECT log_id, size, frontier FROM audit_head WHERE id = 1", args![]).await?;
    let (log_id, size, frontier) = match &row {
        Some(row) => (row.text(0)?, row.i64(1)?, Frontier::from_bytes(row.i64(1)?, &row.blob(2)?)?),
        None => (String::new(), 0, Frontier::from_bytes(0, &[])?),
    };
    Ok(AuditHead { log_id, size: size.unsigned_abs(), root: STANDARD.encode(frontier.root()) })
}
