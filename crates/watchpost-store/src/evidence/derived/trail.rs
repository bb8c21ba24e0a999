//! Questions to the audit trail and the frozen evidence as a whole.

use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::access::{Origin, Permission};
use watchpost_model::audit::JOB_ENDED;
use watchpost_model::evidence::EvidenceAnswer;
use watchpost_model::sample;

use super::super::{Class, MEMBERS_MAX, ROWS_MAX, time_text};
use super::{Scope, heads};
use crate::audit::page::{COLUMNS, stored_payload};
use crate::audit::seal::Payload;
use crate::audit::verify::unconfirmed_checkpoints;
use crate::canonical::sha256;
use crate::engine::{Dialect, Tx, args};
use crate::error::StoreError;

pub(super) const FROZEN: &str = "SELECT incident_id, event_id, at, sha256, body FROM evidence WHERE at >= :from AND at < :to \
    AND (incident_id, event_id) > (:incident, :event) ORDER BY incident_id, event_id LIMIT 500";
pub(super) const CHECKPOINTS: &str = "SELECT size, root, at, note, key_name FROM audit_checkpoint WHERE at >= :from AND at < :to ORDER BY size";
/// Where the numbers of the leaves have no gap, a record without one lies before or after them all: nothing to join.
pub(super) const COMPLETE: &str = "SELECT g.leaves, g.first, g.next, CASE WHEN g.leaves = g.next - g.first \
    THEN (SELECT COUNT(*) FROM audit_record r WHERE r.seq < g.first OR r.seq >= g.next) \
    ELSE (SELECT COUNT(*) FROM audit_record r WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.seq = r.seq)) END, \
    (SELECT COALESCE(MAX(size), 0) FROM audit_head) FROM (SELECT (SELECT COUNT(*) FROM audit_leaf) AS leaves, \
    (SELECT COALESCE(MIN(seq), 0) FROM audit_leaf) AS first, (SELECT COALESCE(MAX(seq) + 1, 0) FROM audit_leaf) AS next) g";

pub(super) async fn evidence_intact(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let (sql, values) = scope.places.bind("SELECT COUNT(*) FROM evidence WHERE at >= :from AND at < :to");
    let expected = tx.fetch_one(sql, values).await?.u64(0)?;
    let wanted: BTreeSet<u64> = sample::draw(scope.seed, expected).into_iter().collect();
    let mut members = BTreeMap::new();
    let (mut population, mut rows, mut broken) = (0, Vec::new(), 0);
    let (mut incident, mut event) = (String::new(), String::new());
    loop {
        let mut places = scope.places.clone();
        places.set("incident", incident.as_str());
        places.set("event", event.as_str());
        let (sql, values) = places.bind(FROZEN);
        let page = tx.fetch(sql, values).await?;
        for row in &page {
            population += 1;
            let (stored, now) = (row.text(3)?, hex::encode(sha256(row.text(4)?.as_bytes())));
            if stored != now {
                broken += 1;
            }
            let shown =
                vec![row.text(0)?, row.text(1)?, time_text(row.time(2)?), stored.clone(), now.clone()];
            if wanted.contains(&(population - 1)) {
                members.insert(population - 1, shown.clone());
            }
            if stored != now && rows.len() < ROWS_MAX || broken == 0 && rows.len() < MEMBERS_MAX {
                rows.push(shown);
            }
        }
        let Some(last) = page.last() else { break };
        (incident, event) = (last.text(0)?, last.text(1)?);
    }
    if broken > 0 {
        rows.retain(|row| row[3] != row[4]);
    }
    let columns = heads::of(scope.ask.query);
    let sample = scope.drawn(columns, population, |place| members.get(&place).cloned());
    let answer = scope.counted((population, 0, broken), columns, rows);
    Ok(EvidenceAnswer { sample, ..answer })
}

pub(super) async fn checkpoints(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let (signed, unconfirmed) =
        Box::pin(unconfirmed_checkpoints(tx, scope.from(), scope.period.to.timestamp_micros())).await?;
    let bad: BTreeSet<i64> = unconfirmed.iter().map(|found| found.size).collect();
    let rows = signed
        .iter()
        .map(|found| {
            let class = if bad.contains(&found.size) { Class::Exception } else { Class::Good };
            let row =
                vec![found.size.to_string(), time_text(found.at), found.root.clone(), found.key_name.clone()];
            (class, row)
        })
        .collect();
    Ok(scope.whole(rows))
}

pub(super) async fn audit_complete(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let row = tx.fetch_one(COMPLETE, args![]).await?;
    let (leaves, first, next, stray, size) =
        (row.u64(0)?, row.u64(1)?, row.u64(2)?, row.u64(3)?, row.u64(4)?);
    let gaps = size.abs_diff(leaves) + first + stray + size.abs_diff(next).min(size);
    let population = size.max(leaves).max(gaps);
    let row = [size, leaves, first, next.saturating_sub(1), stray].map(|n| n.to_string()).to_vec();
    Ok(scope.counted(
        (population, 0, gaps),
        heads::of(scope.ask.query),
        if population == 0 { Vec::new() } else { vec![row] },
    ))
}

/// Records of the permission that is asked for, a page of them.
pub(super) fn explained(permission: Option<Permission>) -> String {
    let mut text = format!(
        "{COLUMNS} WHERE r.at >= :from AND r.at < :to AND r.outcome = 'success' \
        AND r.action <> 'job_cancel'"
    );
    match permission {
        Some(_) => text.push_str(" AND r.permission = :permission"),
        None => text.push_str(" AND r.permission IN ('maintain', 'report', 'admin', 'contain')"),
    }
    text.push_str(" AND l.seq > :last ORDER BY l.seq LIMIT 500");
    text
}

pub(super) async fn audit_explained(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let text = explained(scope.ask.params.permission);
    let mut members = Vec::new();
    let mut last = -1;
    loop {
        let mut places = scope.places.clone();
        places.set("last", last);
        let (sql, values) = places.bind(&text);
        let page = tx.fetch(sql, values).await?;
        for row in &page {
            let payload = stored_payload(row)?.and_then(|stored| stored.key?.open(&stored.sealed));
            if payload.as_ref().is_some_and(nobody_decided) {
                continue;
            }
            let (seq, actor) = (row.i64(0)?, row.opt_text(4)?.unwrap_or_default());
            let action = row.opt_text(5)?.unwrap_or_default();
            let reason = payload.and_then(reason_given).unwrap_or_default();
            let named = !matches!(actor.trim(), "" | "-" | "unknown" | "anonymous" | "nobody");
            let class = if named && !reason.trim().is_empty() { Class::Good } else { Class::Exception };
            let object = row.opt_text(6)?.unwrap_or_default();
            let at = row.opt_time(3)?.map(time_text).unwrap_or_default();
            members.push((class, vec![seq.to_string(), at, actor, action, object, reason]));
        }
        let Some(row) = page.last() else { break };
        last = row.i64(0)?;
    }
    Ok(scope.whole(members))
}

/// What a schedule or the engine does by itself was decided by whoever made the schedule or the policy: that has its own
/// record.
fn nobody_decided(payload: &Payload) -> bool {
    [Origin::Schedule, Origin::Engine].iter().any(|origin| payload.origin == origin.as_str())
}

/// The reason that a person gave. Jobs once wrote what they did into its place; since they do not, they say how they ended.
fn reason_given(payload: Payload) -> Option<String> {
    let figures =
        payload.object.starts_with("job/") && payload.changes.iter().all(|change| change.field != JOB_ENDED);
    payload.reason.filter(|_| !figures)
}

pub(super) async fn audit_protected(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    const TABLES: [&str; 4] = ["audit_checkpoint", "audit_head", "audit_leaf", "audit_record"];
    let dialect = scope.dialect;
    let mut rows = Vec::new();
    if dialect == Dialect::Postgres {
        let grants = tx.fetch(dialect.audit_grants(), args![]).await?;
        let mut foreign: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &grants {
            foreign.entry(row.text(0)?).or_default().push(format!("{} {}", row.text(1)?, row.text(2)?));
        }
        for table in TABLES {
            let held = foreign.get(table).map(|list| list.join(", ")).unwrap_or_default();
            let class = if held.is_empty() { Class::Warning } else { Class::Exception };
            let words = if held.is_empty() {
                "only the owner, which is the login of this program".to_owned()
            } else {
                held
            };
            rows.push((class, vec![table.to_owned(), words]));
        }
    } else {
        for table in TABLES {
            let words = "whoever may write the file; the tree shows a change, it does not prevent it";
            rows.push((Class::Warning, vec![table.to_owned(), words.to_owned()]));
        }
    }
    Ok(scope.whole(rows))
}
