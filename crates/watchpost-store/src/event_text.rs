//! Finding archived events by words through an index of every three letters that follow each other.
//!
//! What words mean is said by the conditions of a filter alone: the index only names rows that may fit, and every one is
//! held to the conditions. So an answer is the same with the index, without it, and while it is behind. PostgreSQL keeps its
//! index (`pg_trgm`) by itself and chooses when to ask it; all of this is about SQLite's, which is filled behind whoever
//! writes: rows are added in the order of arrival, and those that were not yet are read one by one.

use std::collections::BTreeSet;
use std::time::Instant;

use watchpost_model::event::Event;
use watchpost_model::query::{Expr, Term};

use crate::engine::{Dialect, Sql, Tx, args, without_nul};
use crate::error::StoreError;
use crate::event::{EventCursor, EventFilter, First, conditions, event, is_named, push_order};
use crate::event_sources;
use crate::search;
use crate::store::{Store, Write};

/// So many events wait for a step of their own; fewer are no delay.
pub const EVENT_TEXT_STEP: u64 = ROWS.unsigned_abs();

/// Rows that are added at once, and their characters: a writer waits for this, some 10 ms.
const ROWS: i64 = 400;
const CHARS: i64 = 80_000;
/// Pages of the index that are merged at once, and how often in one step.
const MERGED: i64 = 32;
const MERGES: usize = 8;
/// Rows after the index that are read one by one; where there are more, the index does not help.
const BEHIND_MAX: i64 = 20_000;
/// So much of one piece of a word is asked for, and of what is nested so deep. Not all has to be: what is found is held to
/// the conditions.
const TRIPLES: usize = 12;
const DEPTH_MAX: usize = 8;

/// When the index is asked, and when events are read one by one.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// So many hits are looked at one by one without further thought.
    few: i64,
    /// With more, so many of the newest events are read first: what is frequent is among them.
    walk: i64,
    /// And if they did not fill the page, so many hits are looked at. Else all events are read.
    many: i64,
    /// Of a network or a country, and something that its index does not know, so many of the newest events are read first.
    newest: i64,
}

const BOUNDS: Bounds = Bounds { few: 2_000, walk: 50_000, many: 50_000, newest: 20_000 };

/// What one step of filling the index did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextStep {
    /// Rows that were added.
    pub added: u64,
    /// The newest row; another one after the next step says that events are coming in.
    pub newest: i64,
}

/// The rows that may fit: those that the index names, and those that it has not taken in.
#[derive(Debug)]
pub(crate) struct Narrow {
    wanted: String,
    upto: i64,
}

impl Narrow {
    /// Adds ` AND ...`, beside the conditions of the filter.
    pub(crate) fn push(&self, sql: &mut Sql) {
        sql.push(" AND rowid IN (SELECT rowid FROM event_text WHERE event_text MATCH ");
        sql.bind(self.wanted.as_str());
        sql.push(" UNION ALL SELECT rowid FROM event WHERE rowid > ").bind(self.upto).push(")");
    }

    /// Does the index name at most `limit` rows?
    async fn is_at_most(&self, tx: &mut Tx, limit: i64) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM (SELECT rowid FROM event_text WHERE event_text MATCH $1 LIMIT $2)";
        let n = tx.fetch_one(sql, args![self.wanted.as_str(), limit.saturating_add(1)]).await?.i64(0)?;
        Ok(n <= limit)
    }
}

/// What the index can say of a filter; `None` where it has none of its words or is too far behind.
async fn asked(tx: &mut Tx, filter: &EventFilter) -> Result<Option<Narrow>, StoreError> {
    let wanted = if tx.dialect() == Dialect::Sqlite { wanted(filter) } else { None };
    let Some(wanted) = wanted else { return Ok(None) };
    let sql = "SELECT m.upto, (SELECT MAX(rowid) FROM event) FROM event_text_mark m \
        JOIN event e ON e.rowid = m.upto AND e.id = m.anchor_id";
    let Some(row) = tx.fetch_optional(sql, args![]).await? else { return Ok(None) };
    let (upto, newest) = (row.i64(0)?, row.i64(1)?);
    Ok((newest.saturating_sub(upto) <= BEHIND_MAX).then_some(Narrow { wanted, upto }))
}

/// For counting all that fit: narrowed unless there are so few events, or so many hits, that reading all is no slower.
pub(crate) async fn narrow(tx: &mut Tx, filter: &EventFilter) -> Result<Option<Narrow>, StoreError> {
    let Some(narrow) = asked(tx, filter).await? else { return Ok(None) };
    if narrow.is_at_most(tx, BOUNDS.few).await? {
        return Ok(Some(narrow));
    }
    let all = Page { filter, before: None, limit: 0 };
    let is_worth_it =
        all.floor(tx, BOUNDS.walk).await?.is_some() && narrow.is_at_most(tx, BOUNDS.many).await?;
    Ok(is_worth_it.then_some(narrow))
}

/// Adds the conditions of `filter`, narrowed to what the index names.
pub(crate) fn narrowed(sql: &mut Sql, dialect: Dialect, filter: &EventFilter, narrow: Option<&Narrow>) {
    conditions(sql, dialect, filter);
    if let Some(narrow) = narrow {
        narrow.push(sql);
    }
    if dialect == Dialect::Postgres && wanted(filter).is_some() {
        sql.plan_anew();
    }
}

/// A page that is asked for: at most `limit` events, newest first, strictly older than `before`.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) filter: &'a EventFilter,
    pub(crate) before: Option<EventCursor>,
    pub(crate) limit: i64,
}

impl Page<'_> {
    /// Its events.
    pub(crate) async fn events(self, tx: &mut Tx) -> Result<Vec<Event>, StoreError> {
        self.within(tx, BOUNDS).await
    }

    async fn within(self, tx: &mut Tx, bounds: Bounds) -> Result<Vec<Event>, StoreError> {
        let Some(narrow) = asked(tx, self.filter).await? else {
            let is_wide = tx.dialect() == Dialect::Sqlite
                && !is_named(self.filter)
                && search::names_sources(&self.filter.query);
            return if is_wide {
                self.of_sources(tx, bounds.newest).await
            } else {
                self.select(tx, None, None).await
            };
        };
        if narrow.is_at_most(tx, bounds.few).await? {
            return self.select(tx, Some(&narrow), None).await;
        }
        let Some(floor) = self.floor(tx, bounds.walk).await? else {
            return self.select(tx, None, None).await;
        };
        let rows = self.select(tx, None, Some(floor)).await?;
        if i64::try_from(rows.len()).is_ok_and(|n| n >= self.limit) {
            return Ok(rows);
        }
        // Words of a burst that is long ago: reading down to it would take as long as there are events since.
        let narrow = narrow.is_at_most(tx, bounds.many).await?.then_some(narrow);
        self.select(tx, narrow.as_ref(), None).await
    }

    /// Of a network or a country. Where the index of their sources says all, it is asked. Else each of their events would have
    /// to be read: the newest events are first, and where they did not fill the page, those of the sources.
    async fn of_sources(self, tx: &mut Tx, newest: i64) -> Result<Vec<Event>, StoreError> {
        if !event_sources::is_covered(self.filter)
            && let Some(floor) = self.floor(tx, newest).await?
        {
            let mut sql = Sql::new("SELECT body FROM event INDEXED BY event_by_time WHERE 1 = 1");
            self.push_page(&mut sql, tx.dialect(), None, Some(floor), false);
            let rows = tx.fetch_sql(sql).await?;
            if i64::try_from(rows.len()).is_ok_and(|n| n >= self.limit) {
                return rows.iter().map(|row| event(row, 0)).collect();
            }
        }
        self.by_days(tx).await
    }

    /// The place of the event that lies `walk` events below the begin of the page; `None` if there are fewer.
    async fn floor(self, tx: &mut Tx, walk: i64) -> Result<Option<(i64, String)>, StoreError> {
        let mut sql = Sql::new("SELECT at, id FROM event WHERE 1 = 1");
        if let Some(period) = self.filter.period {
            sql.push(" AND at >= ").bind(period.from).push(" AND at < ").bind(period.to);
        }
        self.push_before(&mut sql, tx.dialect());
        sql.push(" ORDER BY at DESC, id DESC LIMIT 1 OFFSET ").bind(walk);
        let row = tx.fetch_sql(sql).await?.into_iter().next();
        row.map(|row| Ok((row.i64(0)?, row.text(1)?))).transpose()
    }

    pub(crate) fn push_before(self, sql: &mut Sql, dialect: Dialect) {
        if let Some(cursor) = self.before {
            // What is said of two columns keeps no partition from being looked at.
            if dialect == Dialect::Postgres {
                sql.push(" AND at <= ").bind(cursor.at);
            }
            sql.push(" AND (at, id) < ").tuple(args![cursor.at, cursor.id.to_string()]);
        }
    }

    async fn select(
        self,
        tx: &mut Tx,
        narrow: Option<&Narrow>,
        floor: Option<(i64, String)>,
    ) -> Result<Vec<Event>, StoreError> {
        let mut sql = Sql::new("SELECT body FROM event WHERE 1 = 1");
        self.push_page(&mut sql, tx.dialect(), narrow, floor, is_named(self.filter));
        tx.fetch_sql(sql).await?.iter().map(|row| event(row, 0)).collect()
    }

    fn push_page(
        self,
        sql: &mut Sql,
        dialect: Dialect,
        narrow: Option<&Narrow>,
        floor: Option<(i64, String)>,
        by_day: bool,
    ) {
        narrowed(sql, dialect, self.filter, narrow);
        self.push_before(sql, dialect);
        if let Some((at, id)) = floor {
            sql.push(" AND (at, id) >= ").tuple(args![at, id]);
        }
        push_order(sql, dialect, by_day, First::Newest);
        sql.push(" LIMIT ").bind(self.limit);
    }
}

/// What every event that `filter` describes has in the index, as FTS5 asks for it; `None` if nothing is known of them.
fn wanted(filter: &EventFilter) -> Option<String> {
    let words = filter.text.iter().flat_map(|text| text.split_whitespace());
    // In lower case exactly as the conditions are.
    let mut parts: Vec<String> = words.filter_map(|word| triples(&word.to_lowercase())).collect();
    parts.extend(filter.query.expr().and_then(|expr| of_expr(expr, 0)));
    joined(&parts, " AND ")
}

fn of_expr(expr: &Expr, depth: usize) -> Option<String> {
    let of_part = |part: &Expr| if depth < DEPTH_MAX { of_expr(part, depth + 1) } else { None };
    match expr {
        Expr::All(parts) => joined(&parts.iter().filter_map(of_part).collect::<Vec<_>>(), " AND "),
        Expr::Any(parts) => joined(&parts.iter().map(of_part).collect::<Option<Vec<_>>>()?, " OR "),
        Expr::Not(_) | Expr::Term(Term::Field(..)) => None,
        Expr::Term(Term::Text(pattern)) => {
            let lower = |piece: &String| piece.chars().flat_map(char::to_lowercase).collect::<String>();
            let pieces = pattern.pieces().iter().filter_map(|piece| triples(&lower(piece)));
            joined(&pieces.collect::<Vec<_>>(), " AND ")
        }
    }
}

fn joined(parts: &[String], word: &str) -> Option<String> {
    (!parts.is_empty()).then(|| format!("({})", parts.join(word)))
}

/// Every second three letters of a piece of text, and its last ones; `None` of a text that is shorter.
fn triples(piece: &str) -> Option<String> {
    let letters: Vec<char> = without_nul(piece).chars().collect();
    let last = letters.windows(3).next_back();
    let all: BTreeSet<String> = letters
        .windows(3)
        .step_by(2)
        .take(TRIPLES)
        .chain(last)
        .map(|three| format!("\"{}\"", three.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    joined(&all.into_iter().collect::<Vec<_>>(), " AND ")
}

/// Takes everything out of the index, and what it remembers of events that are gone as well. It is filled anew.
pub(crate) async fn empty(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        tx.execute("INSERT INTO event_text (event_text) VALUES ('delete-all')", args![]).await?;
        tx.execute("UPDATE event_text_mark SET upto = 0, anchor_id = ''", args![]).await?;
    }
    Ok(())
}

/// How many events are removed or changed from here on in this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// Few: each is taken out of every page of the index at once.
    Few,
    /// Many, which would take some 20 ms each. Their letters are crossed out, and go when parts of the index are merged.
    Many,
}

/// Says how many events are removed. [`Amount::Few`] is what holds at the end of a transaction.
pub(crate) async fn removing(tx: &mut Tx, amount: Amount) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        let secure = i64::from(amount == Amount::Few);
        let sql = "INSERT INTO event_text (event_text, rank) VALUES ('secure-delete', $1)";
        tx.execute(sql, args![secure]).await?;
    }
    Ok(())
}

/// Rows in the index that hold the letters of `name` and whose event is gone.
pub(crate) async fn left_of(tx: &mut Tx, name: &str) -> Result<u64, StoreError> {
    let wanted = if tx.dialect() == Dialect::Sqlite { triples(&name.to_lowercase()) } else { None };
    let Some(wanted) = wanted else { return Ok(0) };
    let sql = "SELECT COUNT(*) FROM event_text t WHERE event_text MATCH $1 \
        AND NOT EXISTS (SELECT 1 FROM event e WHERE e.rowid = t.rowid)";
    tx.fetch_one(sql, args![wanted]).await?.u64(0)
}

impl Store {
    /// Adds the oldest events that are not in the index of words yet, once there are enough of them for a step of their own.
    /// Call it again while it adds some, after a pause. Whoever writes waits for it some 10 ms. PostgreSQL fills its index by
    /// itself.
    ///
    /// # Errors
    /// What the database says; then nothing was added.
    pub async fn event_text_step(&self) -> Result<TextStep, StoreError> {
        self.text_step(ROWS).await
    }

    /// Adds events that are too few for a step of their own, unless one came in since `newest` was the newest.
    ///
    /// # Errors
    /// What the database says; then nothing was added.
    pub async fn event_text_rest(&self, newest: i64) -> Result<TextStep, StoreError> {
        if self.text_is_kept() {
            return Ok(TextStep::default());
        }
        let mut tx = self.read().await?;
        let is_quiet = state(&mut tx).await?.is_some_and(|state| state.newest == newest);
        drop(tx);
        if is_quiet { self.text_step(1).await } else { Ok(TextStep::default()) }
    }

    /// Adds all events that are not in the index of words yet.
    ///
    /// # Errors
    /// What the database says; then those before were added.
    pub async fn event_text_catch_up(&self) -> Result<(), StoreError> {
        loop {
            let begun = Instant::now();
            if self.text_step(1).await?.added == 0 {
                return Ok(());
            }
            // Other processes that write to the file look now and then whether it is free.
            tokio::time::sleep(begun.elapsed()).await;
        }
    }

    /// How many rows the index of words is behind, at most; 0 on PostgreSQL, which fills it by itself.
    ///
    /// Cost: look-ups at the ends of the table; made to be asked several times a second.
    ///
    /// # Errors
    /// What the database says; nothing on PostgreSQL, which is not asked.
    pub async fn event_text_behind(&self) -> Result<u64, StoreError> {
        if self.text_is_kept() {
            return Ok(0);
        }
        let mut tx = self.read().await?;
        let Some(state) = state(&mut tx).await? else { return Ok(0) };
        let oldest = "SELECT COALESCE((SELECT MIN(rowid) FROM event), 0)";
        let before_oldest = tx.fetch_one(oldest, args![]).await?.i64(0)?.saturating_sub(1);
        // An index of rows that were numbered anew is made anew: it has none of them.
        let upto = if state.is_anchored { state.upto } else { 0 };
        Ok(u64::try_from(state.newest.saturating_sub(upto.max(before_oldest))).unwrap_or(0))
    }

    /// Does the database fill the index by itself? Then it is not asked how far it is, many times a second and while it is away.
    fn text_is_kept(&self) -> bool {
        self.inner.db.dialect() == Dialect::Postgres
    }

    async fn text_step(&self, at_least: i64) -> Result<TextStep, StoreError> {
        if self.text_is_kept() {
            return Ok(TextStep::default());
        }
        let mut tx = self.read().await?;
        let Some(state) = state(&mut tx).await? else { return Ok(TextStep::default()) };
        let mut step = TextStep { added: 0, newest: state.newest };
        let is_due = state.newest.saturating_sub(state.upto) >= at_least;
        let to = if is_due { slice(&mut tx, state.upto).await? } else { None };
        drop(tx);
        if !state.is_anchored {
            let mut write = self.write().await?;
            empty(&mut write).await?;
            self.commit(write).await?;
            tracing::warn!("rows of events were numbered anew: the index of their words is made anew");
            return Ok(TextStep { added: 1, ..step });
        }
        let Some(to) = to else { return Ok(step) };
        let mut write = self.write().await?;
        step.added = add(&mut write, state.upto, to).await?;
        self.commit(write).await?;
        self.text_merge().await?;
        Ok(step)
    }

    /// Merges parts of the index, a little at a time, so that no writer ever waits for all of it.
    pub(crate) async fn text_merge(&self) -> Result<(), StoreError> {
        if self.inner.db.dialect() == Dialect::Postgres {
            return Ok(());
        }
        let changes = "SELECT total_changes()";
        for _ in 0..MERGES {
            let mut write = self.write().await?;
            let before = write.fetch_one(changes, args![]).await?.i64(0)?;
            let merge = "INSERT INTO event_text (event_text, rank) VALUES ('merge', $1)";
            write.execute(merge, args![MERGED]).await?;
            let after = write.fetch_one(changes, args![]).await?.i64(0)?;
            self.commit(write).await?;
            // As FTS5 says: one change is the command itself.
            if after.saturating_sub(before) < 2 {
                break;
            }
        }
        Ok(())
    }
}

struct State {
    /// Rows up to this one are in the index.
    upto: i64,
    /// The newest row.
    newest: i64,
    /// The row `upto` is the one that it was.
    is_anchored: bool,
}

/// How far the index is; `None` where the database fills it by itself.
async fn state(tx: &mut Tx) -> Result<Option<State>, StoreError> {
    if tx.dialect() == Dialect::Postgres {
        return Ok(None);
    }
    let sql = "SELECT upto, COALESCE((SELECT MAX(rowid) FROM event), 0), \
        anchor_id = COALESCE((SELECT id FROM event WHERE rowid = upto), '') FROM event_text_mark";
    let row = tx.fetch_one(sql, args![]).await?;
    Ok(Some(State { upto: row.i64(0)?, newest: row.i64(1)?, is_anchored: row.i64(2)? == 1 }))
}

/// The last row that is added next.
async fn slice(tx: &mut Tx, upto: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT rowid, LENGTH(search) FROM event WHERE rowid > $1 ORDER BY rowid LIMIT $2";
    let (mut to, mut chars) = (None, 0_i64);
    for row in tx.fetch(sql, args![upto, ROWS]).await? {
        chars = chars.saturating_add(row.i64(1)?);
        if to.is_some() && chars > CHARS {
            break;
        }
        to = Some(row.i64(0)?);
    }
    Ok(to)
}

/// Adds the rows after `from` up to `to`; none if somebody else did, or they are gone.
async fn add(write: &mut Write, from: i64, to: i64) -> Result<u64, StoreError> {
    let last = "SELECT e.rowid, e.id FROM event_text_mark m JOIN event e ON e.rowid > m.upto AND e.rowid <= $1 \
        WHERE m.upto = $2 ORDER BY e.rowid DESC LIMIT 1";
    let Some(row) = write.fetch_optional(last, args![to, from]).await? else { return Ok(0) };
    let (last, anchor) = (row.i64(0)?, row.text(1)?);
    let add = "INSERT INTO event_text (rowid, search) SELECT rowid, search FROM event \
        WHERE rowid > $1 AND rowid <= $2 ORDER BY rowid";
    let added = write.execute(add, args![from, last]).await?;
    write.execute("UPDATE event_text_mark SET upto = $1, anchor_id = $2", args![last, anchor]).await?;
    Ok(added.max(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{Duration, SubsecRound};
    use watchpost_model::clock::{Clock, SystemClock};
    use watchpost_model::event::{Category, Event};
    use watchpost_model::ids::EventId;

    use super::{Bounds, Page, triples, wanted};
    use crate::engine::args;
    use crate::event::{EventCursor, EventFilter};
    use crate::ingest::IngestBatch;
    use crate::store::Store;
    use crate::target::DatabaseTarget;

    async fn empty_store(folder: &tempfile::TempDir) -> Store {
        let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
        Store::open(&target, Arc::new(SystemClock)).await.unwrap()
    }

    /// Events a second apart, which arrive in another order.
    fn events(count: u32) -> Vec<(Event, String)> {
        let now = SystemClock.now().trunc_subsecs(3);
        let one = |n: u32| {
            let n = n * 37 % count;
            let at = now - Duration::seconds(i64::from(count - n));
            let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
            let burst = if n < count / 4 { "Burst" } else { "calm" };
            let rare = if n == 7 { "rare" } else { "" };
            event.actor =
                Some(format!("{burst}/{}/{rare}", if n.is_multiple_of(2) { "even" } else { "odd" }));
            event.session = Some(format!("session-{n}"));
            event.source_ip = Some(format!("10.{}.0.{}", n % 4, n % 9));
            (event, format!("key-{n}"))
        };
        (0..count).map(one).collect()
    }

    async fn ingest(store: &Store, events: &[(Event, String)]) {
        let batch = IngestBatch { events, findings: &[], now: SystemClock.now() };
        store.ingest(batch).await.unwrap();
    }

    fn of_text(text: &str) -> EventFilter {
        EventFilter { text: Some(text.to_owned()), ..EventFilter::default() }
    }

    #[test]
    fn an_index_is_asked_for_no_more_than_what_every_hit_has() {
        assert_eq!(triples("ab"), None);
        assert_eq!(triples("abc").unwrap(), "(\"abc\")");
        assert_eq!(triples("a\"bcd").unwrap(), "(\"a\"\"b\" AND \"bcd\")", "the last letters count too");
        assert_eq!(triples("\u{1f600}b\0").unwrap(), "(\"\u{1f600}b\u{2400}\")");
        let of = |query: &str| {
            wanted(&EventFilter { query: query.parse().unwrap(), ..EventFilter::default() }).is_some()
        };
        for query in ["abc", "ab cde", "abc or xyz", "(abc user:x) or xyz", "un*ion", "abc -xyz"] {
            assert!(of(query), "{query}");
        }
        for query in ["", "ab", "-abc", "abc or xy", "abc or user:xyz", "a*b", "user:abc", "-(-abc)"] {
            assert!(!of(query), "{query}");
        }
        assert_eq!(wanted(&of_text("ab  c")), None);
        assert!(wanted(&of_text("ab  cde")).is_some());
    }

    #[tokio::test]
    async fn a_page_is_the_same_whichever_way_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(&folder).await;
        let events = events(120);
        ingest(&store, &events[..90]).await;
        store.event_text_catch_up().await.unwrap();
        ingest(&store, &events[90..]).await;
        assert_eq!(store.event_text_behind().await.unwrap(), 30);
        let mut tx = store.read().await.unwrap();
        let of_query = |query: &str| EventFilter { query: query.parse().unwrap(), ..EventFilter::default() };
        let texts =
            [("burst", 30), ("calm/ODD", 45), ("rare", 1), ("request", 120), ("nowhere", 0), ("st/", 30)];
        let queries = [
            ("ip:10.1.0.0/16", 30),
            ("ip:10.0.0.0/8", 120),
            ("ip:10.9.0.0/16", 0),
            ("ip:10.1.0.0/16 user:Burst*", 8),
            ("ip:10.0.0.0/8 -user:Burst*", 90),
        ];
        let texts = texts.map(|(text, hits)| (text, of_text(text), hits));
        let queries = queries.map(|(query, hits)| (query, of_query(query), hits));
        for (text, filter, hits) in texts.into_iter().chain(queries) {
            for (few, walk, many) in [(200, 0, 0), (0, 10, 200), (3, 10, 20), (3, 100, 200), (3, 500, 0)] {
                let bounds = Bounds { few, walk, many, newest: walk };
                for limit in [1, 8, 200] {
                    let (mut found, mut before) = (0, None);
                    loop {
                        let page = Page { filter: &filter, before, limit };
                        let rows = page.within(&mut tx, bounds).await.unwrap();
                        let plain = page.select(&mut tx, None, None).await.unwrap();
                        assert_eq!(rows, plain, "{text} {bounds:?} {limit}");
                        found += rows.len();
                        let Some(last) = rows.last() else { break };
                        before = Some(EventCursor::of(last));
                    }
                    assert_eq!(found, hits, "{text} {bounds:?} {limit}");
                }
            }
        }
        drop(tx);
        store.close().await;
    }

    #[tokio::test]
    async fn rows_that_were_numbered_anew_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(&folder).await;
        ingest(&store, &events(20)).await;
        store.event_text_catch_up().await.unwrap();
        let mut write = store.write().await.unwrap();
        write.execute("UPDATE event SET rowid = rowid + 1000", args![]).await.unwrap();
        store.commit(write).await.unwrap();
        let hits = async || store.event_page(&of_text("burst"), None, 100).await.unwrap().rows.len();
        assert_eq!(hits().await, 5, "the index is not asked");
        assert_eq!(store.event_text_behind().await.unwrap(), 20, "all that there are, not all numbers");
        store.event_text_catch_up().await.unwrap();
        assert_eq!((hits().await, store.event_text_behind().await.unwrap()), (5, 0), "it was made anew");
        let mut write = store.write().await.unwrap();
        let whole = "INSERT INTO event_text (event_text, rank) VALUES ('integrity-check', 1)";
        write.execute(whole, args![]).await.unwrap();
        drop(write);
        store.close().await;
    }
}
