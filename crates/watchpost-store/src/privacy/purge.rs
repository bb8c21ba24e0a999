//! Retention of the trail: the content of records past their time goes as that of an erased person does. Leaves and tree stay,
//! and `erasure.done` records say what was taken, of which class, and from before when.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Duration, Utc};
use watchpost_model::audit::AuditDraft;
use watchpost_model::privacy::Subject;
use watchpost_model::record_class::{RecordClass, RecordPurge};

use super::erase::{each, number_lists};
use super::{DONE, hold, only_the_owner};
use crate::audit::append::Fact;
use crate::audit::leaf::{Leaf, time_text};
use crate::audit::own_draft;
use crate::audit::page::{COLUMNS, ERASED, erased_search, stored_payload};
use crate::audit::seal::random_id;
use crate::engine::{Dialect, Row, Sql, Tx, Value, args, chunks};
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// Records read at once.
const PAGE: i64 = 2_000;
/// A clock stands if the trail has a record that is older than this by it,
const STANDS_AFTER: Duration = Duration::days(1);
/// and no older than this.
const STANDS_WITHIN: Duration = Duration::days(31);
/// A console may be ahead of the clock of its server by so much.
const AHEAD_OF_SERVER: Duration = Duration::hours(1);

/// One class, and what of it is past its time.
struct Due {
    class: RecordClass,
    before: DateTime<Utc>,
    numbers: Vec<i64>,
    held: u64,
}

impl Due {
    fn told(&self, record: Option<i64>) -> RecordPurge {
        RecordPurge {
            class: self.class,
            before: self.before,
            records: self.numbers.len() as u64,
            held: self.held,
            first: self.numbers.first().copied(),
            last: self.numbers.last().copied(),
            record,
        }
    }
}

/// What a look at the whole trail found.
struct Found {
    due: Vec<Due>,
    /// The numbers of all classes by action, for what stays in their search rows.
    actions: BTreeMap<String, Vec<Value>>,
    /// Names that only records without content speak of.
    names: BTreeSet<String>,
}

impl Store {
    /// What a purge would take: of each class the records before its instant.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_purge_preview(
        &self,
        cutoffs: &[(RecordClass, DateTime<Utc>)],
    ) -> Result<Vec<RecordPurge>, StoreError> {
        let mut tx = self.read().await?;
        let found = find(&mut tx, cutoffs).await?;
        Ok(found.due.iter().map(|due| due.told(None)).collect())
    }

    /// Refuses a purge by a clock for which nothing speaks: one that is years ahead would take what is minutes old. Where no
    /// record is old enough there is nothing to refuse.
    ///
    /// # Errors
    /// `Precondition`, with what to do; what the database says.
    pub async fn audit_purge_by_clock(
        &self,
        cutoffs: &[(RecordClass, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        refuse_by_clock(&mut *self.read().await?, cutoffs, self.inner.clock.now()).await
    }

    /// Takes the content of records away: of each class those before its instant, none that a legal hold in force keeps.
    /// `draft` gives the record of it, by what is taken.
    ///
    /// # Errors
    /// `Precondition` where the database does not allow it, or by a clock for which nothing speaks; what the database says.
    /// Then nothing was changed.
    pub async fn audit_purge(
        &self,
        cutoffs: &[(RecordClass, DateTime<Utc>)],
        draft: impl FnOnce(&[RecordPurge]) -> AuditDraft,
    ) -> Result<Vec<RecordPurge>, StoreError> {
        self.purge(cutoffs, draft).await.map_err(only_the_owner)
    }

    async fn purge(
        &self,
        cutoffs: &[(RecordClass, DateTime<Utc>)],
        draft: impl FnOnce(&[RecordPurge]) -> AuditDraft,
    ) -> Result<Vec<RecordPurge>, StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        refuse_by_clock(&mut write, cutoffs, now).await?;
        hold::refuse_unlike_trail(&mut write).await?;
        let found = find(&mut write, cutoffs).await?;
        take(&mut write, &found).await?;
        write.touch(Tag::Audit);
        let told: Vec<RecordPurge> = found.due.iter().map(|due| due.told(None)).collect();
        write.audit(draft(&told));
        let id: String = random_id().chars().take(16).collect();
        // The record of whoever asked is the first; those that say what was taken follow in the order of the classes.
        let mut place = 1;
        let mut places = Vec::with_capacity(found.due.len());
        for due in &found.due {
            let lists = number_lists(&due.numbers);
            places.push((!lists.is_empty()).then_some(place));
            place += lists.len();
            for list in lists {
                let mut record = own_draft(DONE, "past its retention", now);
                record.object = format!("purge/{id}");
                let said: Vec<Fact> = vec![
                    ("purge", id.as_str().into()),
                    ("class", due.class.as_str().into()),
                    ("before", time_text(due.before).into()),
                    ("count", due.numbers.len().into()),
                    ("records", list.into()),
                ];
                write.audit_with_facts(record, said);
            }
        }
        let numbers = self.commit(write).await?;
        let record = |place: Option<usize>| numbers.get(place?).copied();
        Ok(found.due.iter().zip(places).map(|(due, place)| due.told(record(place))).collect())
    }
}

/// Does anything speak for `now`? A server has a clock of its own, by which records are written; beside a file it is a record
/// that is more than a day old by that clock, and no more than a month.
async fn refuse_by_clock(
    tx: &mut Tx,
    cutoffs: &[(RecordClass, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(latest) = cutoffs.iter().map(|(_, before)| *before).max() else { return Ok(()) };
    let oldest = tx.fetch_one("SELECT MIN(at) FROM audit_record", args![]).await?.opt_time(0)?;
    if oldest.is_none_or(|oldest| oldest >= latest) {
        return Ok(());
    }
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
    if tx.dialect() == Dialect::Postgres {
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM pg_catalog.clock_timestamp()) * 1000000 AS BIGINT)";
        let server = tx.fetch_one(sql, args![]).await?.time(0)?;
        if now - server <= AHEAD_OF_SERVER {
            return Ok(());
        }
        return Err(StoreError::Precondition(format!(
            "nothing was purged: the clock of this machine says {}, that of the database server {}; set the clock that is \
             wrong",
            day(now),
            day(server)
        )));
    }
    let sql = "SELECT MAX(at) FROM audit_record WHERE at <= $1";
    let newest = tx.fetch_one(sql, args![now - STANDS_AFTER]).await?.opt_time(0)?;
    if newest.is_some_and(|newest| newest >= now - STANDS_WITHIN) {
        return Ok(());
    }
    let before = newest.map_or_else(
        || "no record is as old as a day by it".to_owned(),
        |newest| {
            format!(
                "the record before this day is of {}, {} days earlier",
                day(newest),
                (now - newest).num_days()
            )
        },
    );
    Err(StoreError::Precondition(format!(
        "nothing was purged: the clock says {}, and {before}; set the clock if it is wrong; if it is right, purge again in a \
         day, when this refusal stands in the trail for it",
        day(now)
    )))
}

/// Reads the whole trail once.
async fn find(tx: &mut Tx, cutoffs: &[(RecordClass, DateTime<Utc>)]) -> Result<Found, StoreError> {
    let holds = hold::held(tx).await?;
    let due = |(class, before): &(RecordClass, DateTime<Utc>)| Due {
        class: *class,
        before: *before,
        numbers: Vec::new(),
        held: 0,
    };
    let mut found =
        Found { due: cutoffs.iter().map(due).collect(), actions: BTreeMap::new(), names: BTreeSet::new() };
    let mut used: HashSet<String> = HashSet::new();
    let mut at = -1;
    loop {
        let sql = format!("{COLUMNS} WHERE l.seq > $1 ORDER BY l.seq LIMIT $2");
        let page = tx.fetch(sql, args![at, PAGE]).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            at = row.i64(0)?;
            let Some(leaf) = Leaf::parse(&row.blob(1)?) else { continue };
            let class = RecordClass::of(&leaf.client.action, &leaf.client.permission);
            let micros = leaf.micros().unwrap_or(i64::MAX);
            let past = found
                .due
                .iter_mut()
                .find(|due| Some(due.class) == class && micros < due.before.timestamp_micros());
            let has_content = row.opt_text(10)?.is_some();
            let goes = match past {
                Some(due) if has_content && is_held(row, &holds)? => {
                    due.held += 1;
                    false
                }
                Some(due) => {
                    if has_content {
                        due.numbers.push(at);
                        found.actions.entry(leaf.client.action.clone()).or_default().push(at.into());
                    }
                    true
                }
                None => false,
            };
            let names = [leaf.client.by, leaf.client.object, leaf.client.host, leaf.login];
            if goes {
                found.names.extend(names);
            } else {
                used.extend(names);
            }
        }
    }
    found.names.retain(|name| !used.contains(name));
    Ok(found)
}

/// Is somebody named in it whom a hold keeps?
fn is_held(row: &Row, holds: &[Subject]) -> Result<bool, StoreError> {
    if holds.is_empty() {
        return Ok(false);
    }
    let mut texts: Vec<String> = Vec::new();
    for column in [4, 6, 9, 15] {
        texts.extend(row.opt_text(column)?);
    }
    let opened = stored_payload(row)?.and_then(|stored| stored.key?.open_bytes(&stored.sealed));
    texts.extend(opened.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    Ok(holds.iter().any(|held| texts.iter().any(|text| held.is_in(text))))
}

/// Payloads, search rows, and the names and keys that nothing else needs.
async fn take(tx: &mut Tx, found: &Found) -> Result<(), StoreError> {
    for (action, numbers) in &found.actions {
        let search = erased_search(action, ERASED);
        for part in chunks(numbers) {
            let mut sql = Sql::new("UPDATE audit_record SET actor = ");
            sql.bind(ERASED).push(", object = ").bind(ERASED).push(", search = ").bind(search.as_str());
            sql.push(", role = NULL, login = NULL WHERE seq IN ").tuple(part.to_vec());
            tx.execute_sql(sql).await?;
        }
        each(tx, "DELETE FROM audit_payload WHERE seq IN ", numbers).await?;
    }
    let names: Vec<Value> = found.names.iter().map(Value::from).collect();
    each(tx, "DELETE FROM subject_key WHERE subject IN ", &names).await?;
    each(tx, "DELETE FROM subject_key WHERE login_id IN ", &names).await?;
    each(tx, "DELETE FROM audit_name WHERE id IN ", &names).await?;
    Ok(())
}
