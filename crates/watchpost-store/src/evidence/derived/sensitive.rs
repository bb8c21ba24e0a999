//! Personal data and secrets where they do not belong: in events, as the rules for data leaks and the detector find them, and in
//! notes on incidents.

use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery, Sample};
use watchpost_model::sample;
use watchpost_model::sensitive::{Sensitive, found_in};

use super::super::{Class, ROWS_MAX, members, questions, time_text};
use super::fields::{found_in_event, shown};
use super::{Scope, exceptions_in_force};
use crate::engine::{Row, Tx, Value, args, micros};
use crate::error::StoreError;

const NOTES: &str = "SELECT n.id, n.at, n.author, n.text, r.number, r.assignee FROM incident_note n \
    JOIN incident i ON i.id = n.incident_id JOIN incident r ON r.id = i.root_id \
    WHERE n.at >= :from AND n.at < :to AND n.id > :last ORDER BY n.id LIMIT 500";
/// `:from` is where the page before ended.
const EVENTS: &str = "SELECT e.id, e.at, e.body FROM event e WHERE e.at >= :from AND e.at < :to \
    AND (e.at > :from OR e.id > :last) ORDER BY e.at, e.id LIMIT 200";
pub(super) const BASIS: &str = "events of the period in the order of time, then the notes written on incidents in it; every field of each \
    event as it is stored now (its answer among them, JSON and the encoding of forms opened, an address as the user or the \
    agent left out) and each note were looked through again; exceptions hold some, or the rules for data leaks fired on them, \
    and were not handled within the longer time, warnings not within the shorter, without an owner, or under an exception in \
    force in the register for event/ID or incident/NUMBER; what a rule for data leaks fired on is handled with its incident, \
    another event or a note when it holds none any more: once it is gone nothing says that it held some, or for how long, while \
    what a rule fired on still counts; what was found is not printed";
const COLUMNS: [&str; 7] = ["what", "id", "incident", "holds", "assignee", "found", "handled"];

/// Rules for data leaks that tell of something else than the kind that is asked for; those of a team may tell of any.
fn other_rules(only: Option<Sensitive>) -> &'static str {
    match only {
        None => "",
        Some(Sensitive::Secret) => {
            " AND f.rule_id NOT IN ('wp.leak.trace', 'wp.leak.sql', 'wp.leak.listing', 'wp.leak.card')"
        }
        Some(Sensitive::CardNumber) => {
            " AND f.rule_id NOT IN ('wp.leak.trace', 'wp.leak.sql', 'wp.leak.listing', 'wp.leak.file', \
             'wp.leak.key', 'wp.leak.token')"
        }
        Some(Sensitive::Personal) => {
            " AND f.rule_id NOT IN ('wp.leak.trace', 'wp.leak.sql', 'wp.leak.listing', 'wp.leak.key', 'wp.leak.token')"
        }
    }
}

/// A row for each event and incident: whose answer to a request the rules for data leaks fired on. It is handled when the
/// incident is, which may be another one by now.
fn fired(only: Option<Sensitive>) -> String {
    format!(
        "(SELECT g.*, CASE WHEN g.took > :warn THEN 2 WHEN g.took > :good OR COALESCE(g.assignee, '') = '' THEN 1 \
         ELSE 0 END AS class FROM (SELECT f.event_id AS event, r.number AS number, r.assignee AS assignee, \
         r.resolved_at AS resolved, MIN(f.at) AS found, MIN(f.rule_id) AS rule, COALESCE(r.resolved_at, :end) \
         - MIN(CASE WHEN f.at > i.opened_at THEN f.at ELSE i.opened_at END) AS took \
         FROM incident i JOIN incident r ON r.id = i.root_id JOIN finding f ON f.incident_id = i.id \
         WHERE i.family = 'data_leak' AND f.at >= :from AND f.at < :to{} \
         GROUP BY f.event_id, r.number, r.assignee, r.resolved_at) g) t",
        other_rules(only)
    )
}

fn counting(fired: &str) -> String {
    format!(
        "SELECT COUNT(CASE WHEN t.class = 1 THEN 1 END), COUNT(CASE WHEN t.class = 2 THEN 1 END) FROM {fired}"
    )
}

/// The kind that is asked for; every one without a word.
fn only(ask: &EvidenceAsk) -> Option<Sensitive> {
    ask.params.field.as_deref().and_then(|kind| kind.parse().ok())
}

/// How the database is asked all of it.
pub(super) fn text(ask: &EvidenceAsk) -> String {
    format!("{}; {EVENTS}; {NOTES}", counting(&fired(only(ask))))
}

/// What was found: all of it counted, and as many rows of each class as a report shows.
#[derive(Default)]
struct Found {
    warnings: u64,
    exceptions: u64,
    warned: Vec<Vec<String>>,
    excepted: Vec<Vec<String>>,
}

impl Found {
    fn add(&mut self, class: Class, row: Vec<String>) {
        let (count, rows) = match class {
            Class::Good => return,
            Class::Warning => (&mut self.warnings, &mut self.warned),
            Class::Exception => (&mut self.exceptions, &mut self.excepted),
        };
        *count += 1;
        if rows.len() < ROWS_MAX {
            rows.push(row);
        }
    }

    fn rows(self) -> Vec<Vec<String>> {
        self.excepted.into_iter().chain(self.warned).take(ROWS_MAX).collect()
    }
}

/// What a look asks for.
struct Look<'s> {
    scope: &'s Scope<'s>,
    only: Option<Sensitive>,
    /// Subjects of exceptions that are in force.
    excused: BTreeSet<String>,
}

impl Look<'_> {
    /// The kinds that are asked for, in words; empty where there are none.
    fn kinds(&self, found: Vec<Sensitive>) -> String {
        let kinds: Vec<&str> = found
            .into_iter()
            .filter(|kind| self.only.is_none_or(|only| *kind == only))
            .map(Sensitive::as_str)
            .collect();
        kinds.join(", ")
    }

    /// How something stands that holds some since then.
    fn class(&self, since: i64, assignee: &str, subjects: &[String]) -> Class {
        let took = self.scope.end() - since;
        match took {
            _ if subjects.iter().any(|subject| self.excused.contains(subject)) => Class::Warning,
            took if took > self.scope.warn() => Class::Exception,
            took if took > self.scope.good() || assignee.is_empty() => Class::Warning,
            _ => Class::Good,
        }
    }
}

pub(super) async fn sensitive_data(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let look = Look { scope, only: only(scope.ask), excused: exceptions_in_force(tx, scope).await? };
    let count = |table: &str| format!("SELECT COUNT(*) FROM {table} WHERE at >= :from AND at < :to");
    let (sql, values) = scope.places.bind(&count("event"));
    let events = tx.fetch_one(sql, values).await?.u64(0)?;
    let (sql, values) = scope.places.bind(&count("incident_note"));
    let looked_at = events + tx.fetch_one(sql, values).await?.u64(0)?;

    let mut found = Found::default();
    of_rules(tx, &look, &mut found).await?;
    of_events(tx, &look, &mut found).await?;
    let positions = sample::draw(scope.seed, looked_at);
    let wanted: BTreeSet<u64> = positions.iter().filter_map(|at| at.checked_sub(events)).collect();
    let drawn_notes = of_notes(tx, &look, &wanted, &mut found).await?;

    let (warnings, exceptions) = (found.warnings, found.exceptions);
    // What was found was looked at; the events themselves may have gone from the archive.
    let population = looked_at.max(warnings + exceptions);
    let sample = match population == looked_at {
        true => drawn(tx, scope, positions, events, drawn_notes).await?,
        false => Sample::default(),
    };
    let answer = scope.counted((population, warnings, exceptions), &COLUMNS, found.rows());
    Ok(EvidenceAnswer { sample, ..answer })
}

/// Events that the rules for data leaks fired on.
async fn of_rules(tx: &mut Tx, look: &Look<'_>, found: &mut Found) -> Result<(), StoreError> {
    let places = look.scope.places;
    let fired = fired(look.only);
    let (sql, values) = places.bind(&counting(&fired));
    let row = tx.fetch_one(sql, values).await?;
    let (warnings, exceptions) = (row.u64(0)?, row.u64(1)?);
    let (sql, values) = places.bind(&format!(
        "SELECT t.event, t.number, t.assignee, t.resolved, t.found, t.rule, CAST(t.class AS BIGINT) FROM {fired} WHERE t.class > 0 \
         ORDER BY t.class DESC, t.number, t.event LIMIT {ROWS_MAX}"
    ));
    for row in tx.fetch(sql, values).await? {
        let class = if row.i64(6)? == 2 { Class::Exception } else { Class::Warning };
        found.add(class, event_row(&row)?);
    }
    // More of them than rows.
    (found.warnings, found.exceptions) = (warnings, exceptions);
    Ok(())
}

fn event_row(row: &Row) -> Result<Vec<String>, StoreError> {
    Ok(vec![
        "event".to_owned(),
        row.text(0)?,
        row.i64(1)?.to_string(),
        row.text(5)?,
        row.opt_text(2)?.unwrap_or_default(),
        time_text(row.time(4)?),
        row.opt_time(3)?.map(time_text).unwrap_or_default(),
    ])
}

/// An event in which the detector found something: its id, its time and what it holds, in words.
type Hit = (String, i64, String);

/// Looks through every event of the period, a page at a time.
async fn of_events(tx: &mut Tx, look: &Look<'_>, found: &mut Found) -> Result<(), StoreError> {
    let mut places = look.scope.places.clone();
    places.set("last", "");
    loop {
        let (sql, values) = places.bind(EVENTS);
        let page = tx.fetch(sql, values).await?;
        let Some(last) = page.last() else { return Ok(()) };
        places.set("from", last.i64(1)?);
        places.set("last", last.text(0)?);
        let hits = hits_of(look, &page)?;
        drop(page);
        judge(tx, look, &hits, found).await?;
    }
}

fn hits_of(look: &Look<'_>, page: &[Row]) -> Result<Vec<Hit>, StoreError> {
    let mut hits = Vec::new();
    for row in page {
        let kinds = look.kinds(found_in_event(&row.text(2)?));
        if !kinds.is_empty() {
            hits.push((row.text(0)?, row.i64(1)?, kinds));
        }
    }
    Ok(hits)
}

/// Judges events of one page. Those that the rules for data leaks fired on were counted with their incidents.
async fn judge(tx: &mut Tx, look: &Look<'_>, hits: &[Hit], found: &mut Found) -> Result<(), StoreError> {
    let (Some((_, first, _)), Some((_, last, _))) = (hits.first(), hits.last()) else { return Ok(()) };
    let rows = tx
        .fetch(
            format!(
                "SELECT DISTINCT f.event_id FROM finding f JOIN incident i ON i.id = f.incident_id \
                 WHERE i.family = 'data_leak' AND f.at >= $1 AND f.at <= $2{}",
                other_rules(look.only)
            ),
            args![*first, *last],
        )
        .await?;
    let counted: BTreeSet<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    drop(rows);
    let ids: Vec<Value> = hits.iter().map(|(id, _, _)| id.as_str().into()).collect();
    let incidents = tx
        .fetch_in(
            "SELECT v.event_id, r.number, r.assignee FROM incident_event v JOIN incident i ON i.id = v.incident_id \
             JOIN incident r ON r.id = i.root_id WHERE v.event_id IN ",
            &ids,
        )
        .await?;
    let mut of: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for row in &incidents {
        of.entry(row.text(0)?).or_default().insert(row.i64(1)?, row.opt_text(2)?.unwrap_or_default());
    }
    for (id, at, kinds) in hits.iter().filter(|(id, _, _)| !counted.contains(id)) {
        let incidents = of.remove(id).unwrap_or_default();
        let mut subjects: Vec<String> = incidents.keys().map(|number| format!("incident/{number}")).collect();
        subjects.push(format!("event/{id}"));
        let assignee = incidents.values().find(|name| !name.is_empty()).cloned().unwrap_or_default();
        let class = look.class(*at, &assignee, &subjects);
        let number = incidents.keys().next().map(ToString::to_string).unwrap_or_default();
        let time = time_text(micros(*at)?);
        let kinds = kinds.clone();
        found.add(class, vec!["event".to_owned(), id.clone(), number, kinds, assignee, time, String::new()]);
    }
    Ok(())
}

/// Looks through every note of the period, a page at a time; returns those whose places among the notes are `wanted`.
async fn of_notes(
    tx: &mut Tx,
    look: &Look<'_>,
    wanted: &BTreeSet<u64>,
    found: &mut Found,
) -> Result<Vec<Vec<String>>, StoreError> {
    let (mut n, mut drawn) = (0, Vec::new());
    let mut places = look.scope.places.clone();
    places.set("last", "");
    loop {
        let (sql, values) = places.bind(NOTES);
        let page = tx.fetch(sql, values).await?;
        for row in &page {
            let (id, at, number) = (row.text(0)?, row.time(1)?, row.i64(4)?);
            if wanted.contains(&n) {
                let member = [time_text(at), id.clone(), String::new(), String::new(), row.text(2)?];
                let place = [String::new(), format!("note on incident/{number}")];
                drawn.push(member.into_iter().chain(place).collect());
            }
            n += 1;
            let kinds = look.kinds(found_in(&row.text(3)?));
            if kinds.is_empty() {
                continue;
            }
            let assignee = row.opt_text(5)?.unwrap_or_default();
            let class = look.class(at.timestamp_micros(), &assignee, &[format!("incident/{number}")]);
            let (number, at) = (number.to_string(), time_text(at));
            found.add(class, vec!["note".to_owned(), id, number, kinds, assignee, at, String::new()]);
        }
        let Some(row) = page.last() else { break };
        places.set("last", row.text(0)?);
    }
    Ok(drawn)
}

/// The sample of both: those of the events, then those of the notes.
async fn drawn(
    tx: &mut Tx,
    scope: &Scope<'_>,
    positions: Vec<u64>,
    events: u64,
    notes: Vec<Vec<String>>,
) -> Result<Sample, StoreError> {
    let Some(all) = questions::of(&EvidenceQuery::EventsComplete.into()) else {
        return Ok(Sample::default());
    };
    let of_events: Vec<u64> = positions.iter().copied().filter(|at| *at < events).collect();
    let mut rows = match of_events.is_empty() {
        true => Vec::new(),
        false => members(tx, &all, scope.places, &of_events).await?,
    };
    let columns: Vec<String> = all.columns.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    for (name, cell) in rows.iter_mut().flat_map(|row| columns.iter().zip(row)) {
        if matches!(name.as_str(), "actor" | "source" | "resource") {
            *cell = shown(name, cell);
        }
    }
    rows.extend(notes);
    Ok(Sample { seed: hex::encode(scope.seed), columns, rows, positions })
}
