//! What retention writes: the last value of events that go from Redis. And the archive's own retention: events that have
//! been kept for their days go; what was counted and what is evidence stays.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Event};
use watchpost_model::ids::EventId;
use watchpost_model::job::JobPosition;

use crate::busy_name::Touched;
use crate::engine::{Dialect, Sql, Value, args, chunks};
use crate::error::StoreError;
use crate::event::{EventRow, event, id_values, insert_new, rows_of, weight};
use crate::event_text::{self, Amount};
use crate::job_position;
use crate::rollup::Tally;
use crate::sealed::{self, SealedField, Taken};
use crate::source_place;
use crate::store::{Store, Tag, Write};

/// Events of a category past their days, but those of an incident that is active (or merged into an active one).
const DUE: &str = "FROM event WHERE stored_at < $1 AND category = $2 AND NOT EXISTS (SELECT 1 FROM incident_event x \
    JOIN incident i ON i.id = x.incident_id JOIN incident r ON r.id = i.root_id WHERE x.event_id = event.id AND r.active = 1)";

/// As [`DUE`], but those that a legal hold keeps.
fn due() -> String {
    format!("{DUE} AND NOT {}", crate::privacy::KEEPS_EVENT)
}

impl Store {
    /// Writes the last value of each key before it is removed from Redis; when this returns it is durable.
    ///
    /// An event that is stored already is replaced if it differs, and its rollups with it. Returns the digest of what
    /// is stored now for each event. `position` is where the walk was before these events, written in the same
    /// transaction: everything before it is done.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn archive_upsert(
        &self,
        events: &[(Event, String)],
        position: Option<&JobPosition>,
    ) -> Result<HashMap<EventId, [u8; 32]>, StoreError> {
        self.archive_upsert_sealed(events, &[], position).await
    }

    /// As [`Store::archive_upsert`], of events out of which `fields` were taken.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn archive_upsert_sealed(
        &self,
        events: &[(Event, String)],
        fields: &[SealedField],
        position: Option<&JobPosition>,
    ) -> Result<HashMap<EventId, [u8; 32]>, StoreError> {
        let now = self.inner.clock.now();
        let rows = rows_of(events, &Taken::of(fields))?;
        self.event_room(events).await;
        let mut write = self.write().await?;
        // Nearly always the engine has stored all of them as they are, and then one mark for many is all there is to do.
        let unchanged = unchanged(&mut write, &rows).await?;
        for part in chunks(&id_values(&unchanged)) {
            let mut mark = Sql::list("UPDATE event SET archived_at = ", write.dialect());
            mark.bind(now).push(" WHERE id IN ").tuple(part.to_vec());
            write.execute_sql(mark).await?;
        }
        let unchanged: HashSet<EventId> = unchanged.into_iter().collect();
        let others: Vec<&EventRow<'_>> =
            rows.iter().filter(|row| !unchanged.contains(&row.event.id)).collect();
        if !others.is_empty() {
            event_text::removing(&mut write, Amount::Many).await?;
            upsert(&mut write, self.notes_places(), &others, now).await?;
            event_text::removing(&mut write, Amount::Few).await?;
            self.note_gap(&mut write).await?;
        }
        sealed::insert(&mut write, sealed::rows(fields)).await?;
        if let Some(position) = position {
            job_position::put(&mut write, position, now).await?;
        }
        write.touch(Tag::Events);
        self.commit(write).await?;
        Ok(rows.iter().map(|row| (row.event.id, row.digest)).collect())
    }

    /// How many archived events of a category were stored before `stored_before`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn archive_due(
        &self,
        category: Category,
        stored_before: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut tx = self.read().await?;
        tx.fetch_one(format!("SELECT COUNT(*) {}", due()), args![stored_before, category.as_str()])
            .await?
            .u64(0)
    }

    /// Removes at most `limit` of these events; returns how many. Call it until it returns 0.
    ///
    /// Days count from when an event was stored here, not from when it happened: an old log that was brought in
    /// yesterday is a day old. Rollups stay, and so do the frozen copies that incidents hold as evidence. Events of an incident that is
    /// still worked on, and those of somebody under a legal hold, stay too, whatever their age.
    ///
    /// # Errors
    /// What the database says; then nothing was removed.
    pub async fn archive_prune(
        &self,
        category: Category,
        stored_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        event_text::removing(&mut write, Amount::Many).await?;
        // By the time too, where that tells the partition.
        let key = match write.dialect() {
            Dialect::Sqlite => "id",
            Dialect::Postgres => "id, at",
        };
        let gone = write
            .fetch(
                format!(
                    "DELETE FROM event WHERE ({key}) IN (SELECT {key} {} ORDER BY stored_at, at, id LIMIT $3) RETURNING id, at",
                    due()
                ),
                args![stored_before, category.as_str(), i64::from(limit)],
            )
            .await?;
        event_text::removing(&mut write, Amount::Few).await?;
        let removed = gone.len() as u64;
        if removed > 0 {
            let mut touched = Touched::default();
            for row in &gone {
                touched.add_micros(row.i64(1)?);
            }
            touched.removed(&mut write).await?;
            let gone = gone.iter().map(|row| row.text(0).map(Value::from)).collect::<Result<Vec<_>, _>>()?;
            sealed::remove(&mut write, &gone).await?;
            write.touch(Tag::Events);
        }
        self.commit(write).await?;
        if removed > 0 {
            self.text_merge().await?;
        }
        Ok(removed)
    }
}

/// Which of these events are stored with this value and under this key.
async fn unchanged(write: &mut Write, rows: &[EventRow<'_>]) -> Result<Vec<EventId>, StoreError> {
    let ids: Vec<EventId> = rows.iter().map(|row| row.event.id).collect();
    let wanted: HashMap<EventId, &EventRow<'_>> = rows.iter().map(|row| (row.event.id, row)).collect();
    let mut found = Vec::with_capacity(ids.len());
    for part in chunks(&id_values(&ids)) {
        let mut sql = Sql::list(
            "SELECT id, digest, redis_key_hash, redis_key FROM event WHERE id IN ",
            write.dialect(),
        );
        // In the order in which every writer takes them, so that two cannot wait for each other.
        let lock = write.dialect().for_update();
        sql.tuple(part.to_vec()).push(" ORDER BY id").push(lock);
        for row in write.fetch_sql(sql).await? {
            let id = row.parse::<EventId>(0)?;
            let Some(wanted) = wanted.get(&id) else { continue };
            let is_named = row.blob(2)? == wanted.redis_key_hash && row.text(3)? == *wanted.redis_key;
            if is_named && row.blob(1)? == wanted.digest {
                found.push(id);
            }
        }
    }
    Ok(found)
}

/// Inserts events that are not stored, and replaces those that are and differ.
async fn upsert(
    write: &mut Write,
    places: bool,
    rows: &[&EventRow<'_>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = || rows.iter().map(|row| row.values(now, Some(now))).collect::<Vec<Vec<Value>>>();
    let in_order: Vec<&Event> = rows.iter().map(|row| row.event).collect();
    let inserted = insert_new(write, places, &in_order, values(), || Ok(values())).await?;
    let (mut tally, mut touched) = (Tally::default(), Touched::default());
    let lock = write.dialect().for_update();
    for row in rows.iter().filter(|row| !inserted.contains(&row.event.id)) {
        let id = row.event.id.to_string();
        let sql = format!("SELECT digest, body FROM event WHERE id = $1{lock}");
        let Some(stored) = write.fetch_optional(sql, args![id.as_str()]).await? else { continue };
        if stored.blob(0)? == row.digest {
            let mark = "UPDATE event SET archived_at = $1, redis_key = $2, redis_key_hash = $3 WHERE id = $4";
            let (key, hash) = (&*row.redis_key, row.redis_key_hash.as_slice());
            write.execute(mark, args![now, key, hash, id]).await?;
            continue;
        }
        let old = event(&stored, 1)?;
        tally.add(&old, -weight(&old));
        tally.add(row.event, weight(row.event));
        touched.add(old.at);
        touched.add(row.event.at);
        if places {
            source_place::note(write, std::iter::once(&row.event)).await?;
        }
        let mut replace = Sql::new(
            "UPDATE event SET (id, at, category, severity, outcome, actor, source_ip, source_key, session, \
             endpoint, redis_key, redis_key_hash, digest, stored_at, archived_at, search, body, n, status) = ",
        );
        replace.tuple(row.values(now, Some(now))).push(" WHERE id = ").bind(id);
        write.execute_sql(replace).await?;
    }
    tally.write(write).await?;
    // The value that was replaced may have named somebody whom nothing names any more.
    touched.removed(write).await
}
