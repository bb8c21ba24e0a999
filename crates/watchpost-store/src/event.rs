//! The archive of events: writing, finding again, and the state that the retention job needs.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome, Severity};
use watchpost_model::ids::EventId;
use watchpost_model::period::Period;
use watchpost_model::query::Query;

use crate::busy_name::Touched;
use crate::canonical::{sha256, to_canonical};
use crate::engine::{Dialect, Row, Sql, Tx, Value, args, like_pattern, without_nul};
use crate::error::StoreError;
use crate::event_text::{self, Page};
use crate::rollup::Tally;
use crate::sealed::Taken;
use crate::search;
use crate::source_place;
use crate::store::Store;

/// Which events: every given condition must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventFilter {
    /// In this period of event time.
    pub period: Option<Period>,
    /// One of these categories; empty means any.
    pub category: Vec<Category>,
    /// One of these severities; empty means any.
    pub severity: Vec<Severity>,
    /// Ended like this.
    pub outcome: Option<Outcome>,
    /// About this entity.
    pub entity: Option<Entity>,
    /// Words in type, actor, address, session, resource, action, path, query or user agent; case-insensitive.
    pub text: Option<String>,
    /// What the query language says.
    pub query: Query,
}

/// Where a page of events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCursor {
    /// Event time of its last row.
    pub at: DateTime<Utc>,
    /// Id of its last row.
    pub id: EventId,
}

impl EventCursor {
    /// The place of an event.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        Self { at: event.at, id: event.id }
    }
}

/// One page of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// Newest first.
    pub rows: Vec<Event>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<EventCursor>,
}

/// An event with where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Its key in Redis, with marks in the place of what was taken out of the event.
    pub redis_key: String,
    /// SHA-256 of its canonical JSON, hex.
    pub sha256: String,
    /// When it was stored here.
    pub stored_at: DateTime<Utc>,
    /// When its last value was archived before its key was removed from Redis.
    pub archived_at: Option<DateTime<Utc>>,
    /// Numbers of the incidents that it belongs to.
    pub incidents: Vec<i64>,
}

/// The rank of a severity in the database.
pub(crate) const fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// The severity of a rank.
pub(crate) fn severity_of(rank: i64) -> Result<Severity, StoreError> {
    usize::try_from(rank)
        .ok()
        .and_then(|index| Severity::ALL.get(index).copied())
        .ok_or_else(|| StoreError::Corrupt(format!("severity {rank}")))
}

/// A text short enough for an index: attacker-written values have no limit of their own.
pub(crate) fn key_text(text: &str) -> String {
    // No character is shorter than a byte.
    if text.len() <= 512 { without_nul(text) } else { without_nul(text).chars().take(512).collect() }
}

/// The sortable form of an address: 16 bytes of IPv6 or v4-mapped IPv6.
pub(crate) fn ip_key(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// The key of a source, by which events are indexed; `None` if it is no address.
pub(crate) fn source_key(source: &str) -> Option<Vec<u8>> {
    source.parse().ok().map(ip_key)
}

/// Adds the condition of a source, as [`key_text`] has it, in the words of the index of addresses or of other sources.
pub(crate) fn push_source(sql: &mut Sql, source: &str) {
    match source_key(source) {
        Some(key) => sql.push("(source_key = ").bind(key),
        None => sql.push("(source_key IS NULL"),
    };
    sql.push(" AND source_ip = ").bind(source).push(")");
}

/// Adds the condition of events about `entity`.
pub(crate) fn push_entity(sql: &mut Sql, entity: &Entity) {
    let value = key_text(&entity.value);
    match entity.kind {
        EntityKind::Ip => push_source(sql, &value),
        kind => {
            sql.push(entity_column(kind)).push(" = ").bind(value);
        }
    }
}

/// Which end of the archive comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    Oldest,
    Newest,
}

/// Adds ` ORDER BY at, id`; `by_day`: a condition before it wants names that have an index, which begins with the day.
pub(crate) fn push_order(sql: &mut Sql, dialect: Dialect, by_day: bool, first: First) {
    let way = if first == First::Newest { " DESC" } else { "" };
    sql.push(" ORDER BY ");
    if let Some(day) = dialect.day_of_event().filter(|_| by_day) {
        sql.push(day).push(way).push(", ");
    }
    sql.push("at").push(way).push(", id").push(way);
}

/// Whether events of a kind of entity have an index.
pub(crate) const fn is_indexed(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Ip | EntityKind::User | EntityKind::Session)
}

/// Whether a filter wants the events of one name that has an index.
pub(crate) fn is_named(filter: &EventFilter) -> bool {
    filter.entity.as_ref().is_some_and(|entity| is_indexed(entity.kind)) || search::is_named(&filter.query)
}

/// The entities of an event.
pub(crate) fn entities(event: &Event) -> Vec<Entity> {
    let mut entities = Vec::with_capacity(4);
    for (kind, value) in [
        (EntityKind::Ip, event.source_ip.as_deref()),
        (EntityKind::User, event.actor.as_deref()),
        (EntityKind::Session, event.session.as_deref()),
        (EntityKind::Endpoint, endpoint(event)),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            entities.push(Entity::new(kind, key_text(value)));
        }
    }
    entities
}

fn endpoint(event: &Event) -> Option<&str> {
    Some(event.endpoint()).filter(|endpoint| *endpoint != "-")
}

/// The column that holds entities of a kind.
pub(crate) const fn entity_column(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Ip => "source_ip",
        EntityKind::User => "actor",
        EntityKind::Session => "session",
        EntityKind::Endpoint => "endpoint",
    }
}

/// How often an event happened.
pub(crate) fn weight(event: &Event) -> i64 {
    i64::from(event.count.max(1))
}

fn search_text(event: &Event) -> String {
    let http = event.http.as_ref();
    let parts = [
        Some(event.kind.as_str()),
        event.actor.as_deref(),
        event.source_ip.as_deref(),
        event.session.as_deref(),
        event.resource.as_deref(),
        event.action.as_deref(),
        http.map(|http| http.path.as_str()),
        http.and_then(|http| http.query.as_deref()),
        http.and_then(|http| http.headers.get("user-agent")).map(String::as_str),
    ];
    let mut text = String::with_capacity(128);
    for part in parts.into_iter().flatten() {
        if part.is_ascii() {
            let begin = text.len();
            text.push_str(part.get(..2048).unwrap_or(part));
            text[begin..].make_ascii_lowercase();
        } else {
            text.extend(part.chars().take(2048).flat_map(char::to_lowercase));
        }
        text.push('\n');
    }
    text
}

/// Columns that an event is written to.
const INSERT: &str = "INSERT INTO event (id, at, category, severity, outcome, actor, source_ip, source_key, session, \
    endpoint, redis_key, redis_key_hash, digest, stored_at, archived_at, search, body, n, status) VALUES ";

/// An event ready to be written.
#[derive(Debug)]
pub(crate) struct EventRow<'a> {
    pub(crate) event: &'a Event,
    /// As everybody may see it.
    pub(crate) redis_key: Cow<'a, str>,
    /// Of the key as it is in Redis.
    pub(crate) redis_key_hash: Vec<u8>,
    pub(crate) digest: [u8; 32],
    pub(crate) body: String,
}

impl<'a> EventRow<'a> {
    fn new(event: &'a Event, key: &'a str, taken: &Taken) -> Result<Self, StoreError> {
        let body = to_canonical(event)?;
        let digest = sha256(body.as_bytes());
        let redis_key = taken.key(event.id, key);
        Ok(Self { event, redis_key, redis_key_hash: redis_key_hash(key), digest, body })
    }

    pub(crate) fn values(&self, now: DateTime<Utc>, archived_at: Option<DateTime<Utc>>) -> Vec<Value> {
        let event = self.event;
        args![
            event.id.to_string(),
            event.at,
            event.category.as_str(),
            rank(event.severity),
            event.outcome.as_str(),
            event.actor.as_deref().map(key_text),
            event.source_ip.as_deref().map(key_text),
            event.source_ip.as_deref().and_then(source_key),
            event.session.as_deref().map(key_text),
            endpoint(event).map(key_text),
            &*self.redis_key,
            self.redis_key_hash.as_slice(),
            self.digest.as_slice(),
            now,
            archived_at,
            search_text(event),
            self.body.as_str(),
            weight(event),
            event.http.as_ref().and_then(|http| http.status).map(i64::from),
        ]
    }
}

pub(crate) fn redis_key_hash(key: &str) -> Vec<u8> {
    sha256(key.as_bytes())[..16].to_vec()
}

/// The events of a batch in the order of their ids (so that two writers cannot wait for each other), the last of each.
pub(crate) fn in_order(events: &[(Event, String)]) -> Vec<&(Event, String)> {
    let mut rows: Vec<&(Event, String)> = events.iter().collect();
    rows.sort_by_key(|(event, _)| event.id);
    rows.reverse();
    rows.dedup_by_key(|(event, _)| event.id);
    rows.reverse();
    rows
}

/// `taken`: what was taken out of them.
pub(crate) fn rows_of<'a>(
    events: &'a [(Event, String)],
    taken: &Taken,
) -> Result<Vec<EventRow<'a>>, StoreError> {
    in_order(events).into_iter().map(|(event, key)| EventRow::new(event, key, taken)).collect()
}

/// What is written of the events of a batch, in the order of [`in_order`].
pub(crate) fn values_of(
    events: &[(Event, String)],
    taken: &Taken,
    now: DateTime<Utc>,
) -> Result<Vec<Vec<Value>>, StoreError> {
    Ok(rows_of(events, taken)?.iter().map(|row| row.values(now, None)).collect())
}

/// Writes events that are not there yet and counts them in the rollups; returns the ids of the new ones. `values` are
/// those of `events`, and `again` makes them once more where not all are new. `places`: sources are noted.
pub(crate) async fn insert_new(
    tx: &mut Tx,
    places: bool,
    events: &[&Event],
    values: Vec<Vec<Value>>,
    again: impl FnOnce() -> Result<Vec<Vec<Value>>, StoreError>,
) -> Result<HashSet<EventId>, StoreError> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let inserted = write_new(tx, events, values, again).await?;
    let (mut tally, mut touched) = (Tally::default(), Touched::default());
    for event in events.iter().filter(|event| inserted.contains(&event.id)) {
        tally.add(event, weight(event));
        touched.add(event.at);
    }
    tally.write(tx).await?;
    touched.added(tx).await?;
    if places {
        source_place::note(tx, events.iter().filter(|event| inserted.contains(&event.id))).await?;
    }
    Ok(inserted)
}

/// Nearly always all are new, and then a number says so at a fraction of what naming each costs.
async fn write_new(
    tx: &mut Tx,
    events: &[&Event],
    values: Vec<Vec<Value>>,
    again: impl FnOnce() -> Result<Vec<Vec<Value>>, StoreError>,
) -> Result<HashSet<EventId>, StoreError> {
    const OR_LEAVE: &str = " ON CONFLICT DO NOTHING";
    let all = || events.iter().map(|event| event.id).collect();
    let is_all = |written: u64| written == events.len() as u64;
    if tx.dialect() == Dialect::Sqlite {
        // The one writer numbers its rows on: new are those behind the last one. Within a savepoint each page that is changed
        // would be copied once more.
        let last = tx.fetch_one("SELECT COALESCE(MAX(rowid), 0) FROM event", args![]).await?.i64(0)?;
        if is_all(tx.insert_all(INSERT, values, OR_LEAVE).await?) {
            return Ok(all());
        }
        let rows = tx.fetch("SELECT id FROM event WHERE rowid > $1", args![last]).await?;
        return rows.iter().map(|row| row.parse(0)).collect();
    }
    // The ids are in a table beside the partitions, and a trigger leaves out an event whose id stands there.
    tx.execute("SAVEPOINT new_events", args![]).await?;
    let inserted = if is_all(tx.insert_all(INSERT, values, OR_LEAVE).await?) {
        all()
    } else {
        tx.execute("ROLLBACK TO SAVEPOINT new_events", args![]).await?;
        let returned = tx.insert_rows(INSERT, &again()?, " ON CONFLICT DO NOTHING RETURNING id").await?;
        returned.iter().map(|row| row.parse(0)).collect::<Result<_, _>>()?
    };
    tx.execute("RELEASE SAVEPOINT new_events", args![]).await?;
    Ok(inserted)
}

/// Reads `body` columns as events.
pub(crate) fn event(row: &Row, index: usize) -> Result<Event, StoreError> {
    row.json(index)
}

pub(crate) fn id_values(ids: &[EventId]) -> Vec<Value> {
    ids.iter().map(|id| Value::from(id.to_string())).collect()
}

/// Conditions of `filter` as ` AND ...`.
pub(crate) fn conditions(sql: &mut Sql, dialect: Dialect, filter: &EventFilter) {
    if let Some(period) = filter.period {
        sql.push(" AND at >= ").bind(period.from).push(" AND at < ").bind(period.to);
    }
    if !filter.category.is_empty() {
        sql.push(" AND category IN ").tuple(filter.category.iter().map(|c| c.as_str().into()).collect());
    }
    if !filter.severity.is_empty() {
        sql.push(" AND severity IN ").tuple(filter.severity.iter().map(|s| rank(*s).into()).collect());
    }
    if let Some(outcome) = filter.outcome {
        sql.push(" AND outcome = ").bind(outcome.as_str());
    }
    if let Some(entity) = &filter.entity {
        sql.push(" AND ");
        push_entity(sql, entity);
    }
    for word in filter.text.iter().flat_map(|text| text.split_whitespace()) {
        sql.push(" AND search LIKE ").bind(like_pattern(word)).push(" ESCAPE '!'");
    }
    search::push(sql, dialect, &filter.query);
}

impl Store {
    /// Which of these events are stored already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn known_events(&self, ids: &[EventId]) -> Result<HashSet<EventId>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.fetch_in("SELECT id FROM event WHERE id IN ", &id_values(ids)).await?;
        rows.iter().map(|row| row.parse(0)).collect()
    }

    /// Which of these Redis keys have been archived by [`Store::archive_upsert`], each with the digest that is stored.
    ///
    /// # Errors
    /// What the database says.
    pub async fn archived_digests(&self, keys: &[String]) -> Result<HashMap<String, [u8; 32]>, StoreError> {
        // What is stored of a key may hold marks: its hash is that of the key as it is.
        let wanted: HashMap<Vec<u8>, &String> = keys.iter().map(|key| (redis_key_hash(key), key)).collect();
        let hashes: Vec<Value> = wanted.keys().map(|hash| hash.clone().into()).collect();
        let mut tx = self.read().await?;
        let rows = tx
            .fetch_in(
                "SELECT redis_key_hash, digest FROM event WHERE archived_at IS NOT NULL AND redis_key_hash IN ",
                &hashes,
            )
            .await?;
        let mut found = HashMap::new();
        for row in rows {
            let (hash, digest) = (row.blob(0)?, row.blob(1)?);
            let digest = <[u8; 32]>::try_from(digest.as_slice())
                .map_err(|_| StoreError::Corrupt("a digest does not have 32 bytes".to_owned()))?;
            if let Some(key) = wanted.get(&hash) {
                found.insert((*key).clone(), digest);
            }
        }
        Ok(found)
    }

    /// Which of these Redis keys have been archived.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_archived(&self, keys: &[String]) -> Result<HashSet<String>, StoreError> {
        Ok(self.archived_digests(keys).await?.into_keys().collect())
    }

    /// Stored events in the order of their time, for bringing a detector's state back.
    ///
    /// Shape: at most `limit` (1..=5,000) events with `at >= from`, strictly after `after`, by `(at, id)` ascending.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn events_after(
        &self,
        after: Option<EventCursor>,
        from: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        if !(1..=5000).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 5000 events, not {limit}")));
        }
        let mut sql = Sql::new("SELECT body FROM event WHERE at >= ");
        sql.bind(after.map_or(from, |cursor| cursor.at.max(from)));
        if let Some(cursor) = after {
            sql.push(" AND (at, id) > ").tuple(args![cursor.at, cursor.id.to_string()]);
        }
        sql.push(" ORDER BY at, id LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(|row| event(row, 0)).collect()
    }

    /// One page of events, newest first, strictly older than `before`.
    ///
    /// Shape: at most `limit` rows (1..=500) by `(at, id)` descending; keyset, not offset.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn event_page(
        &self,
        filter: &EventFilter,
        before: Option<EventCursor>,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        if !(1..=500).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 500 rows, not {limit}")));
        }
        let page = Page { filter, before, limit: i64::from(limit) + 1 };
        let mut rows = page.events(&mut *self.read().await?).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(EventCursor::of) } else { None };
        Ok(EventPage { rows, next })
    }

    /// How many events `filter` describes.
    ///
    /// # Errors
    /// What the database says.
    pub async fn event_count(&self, filter: &EventFilter) -> Result<u64, StoreError> {
        let mut tx = self.read().await?;
        let narrow = event_text::narrow(&mut tx, filter).await?;
        let mut sql = Sql::new("SELECT COUNT(*) FROM event WHERE 1 = 1");
        event_text::narrowed(&mut sql, tx.dialect(), filter, narrow.as_ref());
        tx.fetch_sql(sql).await?.first().map_or(Ok(0), |row| row.u64(0))
    }

    /// An event with where it came from.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn event_detail(&self, id: EventId) -> Result<StoredEvent, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(
                "SELECT body, redis_key, digest, stored_at, archived_at FROM event WHERE id = $1",
                args![id.to_string()],
            )
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("event {id}")))?;
        let incidents = tx
            .fetch(
                "SELECT i.number FROM incident_event e JOIN incident i ON i.id = e.incident_id WHERE e.event_id = $1 \
                 ORDER BY i.number",
                args![id.to_string()],
            )
            .await?;
        Ok(StoredEvent {
            event: event(&row, 0)?,
            redis_key: row.text(1)?,
            sha256: hex::encode(row.blob(2)?),
            stored_at: row.time(3)?,
            archived_at: row.opt_time(4)?,
            incidents: incidents.iter().map(|row| row.i64(0)).collect::<Result<_, _>>()?,
        })
    }
}
