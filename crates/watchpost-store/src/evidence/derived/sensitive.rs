//! Personal data and secrets where they do not belong: in events, as the detector found them, and in notes on incidents.

use std::collections::BTreeSet;

use watchpost_model::evidence::{EvidenceAnswer, EvidenceQuery, Sample};
use watchpost_model::sample;
use watchpost_model::sensitive::{Sensitive, found_in};

use super::super::{Class, ROWS_MAX, members, questions, time_text};
use super::{Scope, exceptions_in_force};
use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// A row for each event and incident: whose answer to a request the rules for data leaks fired on. It is handled when the
/// incident is, which may be another one by now.
const FOUND: &str = "(SELECT g.*, CASE WHEN g.took > :warn THEN 2 WHEN g.took > :good OR COALESCE(g.assignee, '') = '' THEN 1 \
    ELSE 0 END AS class FROM (SELECT f.event_id AS event, r.number AS number, r.assignee AS assignee, r.resolved_at AS resolved, \
    MIN(f.at) AS found, MIN(f.rule_id) AS rule, COALESCE(r.resolved_at, :end) \
    - MIN(CASE WHEN f.at > i.opened_at THEN f.at ELSE i.opened_at END) AS took \
    FROM incident i JOIN incident r ON r.id = i.root_id JOIN finding f ON f.incident_id = i.id \
    WHERE i.family = 'data_leak' AND f.at >= :from AND f.at < :to \
    GROUP BY f.event_id, r.number, r.assignee, r.resolved_at) g) t";
const NOTES: &str = "SELECT n.id, n.at, n.author, n.text, r.number, r.assignee FROM incident_note n \
    JOIN incident i ON i.id = n.incident_id JOIN incident r ON r.id = i.root_id \
    WHERE n.at >= :from AND n.at < :to AND n.id > :last ORDER BY n.id LIMIT 500";
const COLUMNS: [&str; 7] = ["what", "id", "incident", "holds", "assignee", "found", "handled"];

type Judged = (Class, Vec<String>);

/// What a look at the notes of the period told.
#[derive(Default)]
struct Notes {
    n: u64,
    judged: Vec<Judged>,
    /// Members of the sample, by their place among the notes.
    drawn: Vec<Vec<String>>,
}

pub(super) async fn sensitive_data(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let count = |table: &str| format!("SELECT COUNT(*) FROM {table} WHERE at >= :from AND at < :to");
    let (sql, values) = scope.places.bind(&count("event"));
    let events = tx.fetch_one(sql, values).await?.u64(0)?;
    let (sql, values) = scope.places.bind(&count("incident_note"));
    let looked_at = events + tx.fetch_one(sql, values).await?.u64(0)?;

    let counting = format!(
        "SELECT COUNT(CASE WHEN t.class = 1 THEN 1 END), COUNT(CASE WHEN t.class = 2 THEN 1 END) FROM {FOUND}"
    );
    let (sql, values) = scope.places.bind(&counting);
    let row = tx.fetch_one(sql, values).await?;
    let (mut warnings, mut exceptions) = (row.u64(0)?, row.u64(1)?);
    let (sql, values) = scope.places.bind(&format!(
        "SELECT t.event, t.number, t.assignee, t.resolved, t.found, t.rule, CAST(t.class AS BIGINT) FROM {FOUND} WHERE t.class > 0 \
         ORDER BY t.class DESC, t.number, t.event LIMIT {ROWS_MAX}"
    ));
    let mut rows = Vec::new();
    for row in tx.fetch(sql, values).await? {
        rows.push(event_row(&row)?);
    }

    let positions = sample::draw(scope.seed, looked_at);
    let notes = notes(tx, scope, positions.iter().filter_map(|at| at.checked_sub(events)).collect()).await?;
    let of_notes = |class| notes.judged.iter().filter(|(found, _)| *found == class).count() as u64;
    warnings += of_notes(Class::Warning);
    exceptions += of_notes(Class::Exception);
    rows.extend(notes.judged);
    rows.sort_by_key(|(class, _)| std::cmp::Reverse(*class));
    rows.truncate(ROWS_MAX);

    // What was found was looked at; the events themselves may have gone from the archive.
    let population = looked_at.max(warnings + exceptions);
    let sample = match population == looked_at {
        true => drawn(tx, scope, positions, events, notes.drawn).await?,
        false => Sample::default(),
    };
    let answer = scope.counted(
        (population, warnings, exceptions),
        &COLUMNS,
        rows.into_iter().map(|(_, row)| row).collect(),
        "events of the period in the order of time, every one of which passed the detector for personal data and secrets, then the notes written on incidents in it, each of which was looked through again; exceptions hold some and were not handled within the longer time, warnings not within the shorter, without an owner, or under an exception in force in the register; a note is handled when it holds none any more, and what was found is not printed",
        format!("{counting}; {NOTES}"),
    );
    Ok(EvidenceAnswer { sample, ..answer })
}

fn event_row(row: &Row) -> Result<Judged, StoreError> {
    let class = if row.i64(6)? == 2 { Class::Exception } else { Class::Warning };
    let shown = vec![
        "event".to_owned(),
        row.text(0)?,
        row.i64(1)?.to_string(),
        row.text(5)?,
        row.opt_text(2)?.unwrap_or_default(),
        time_text(row.time(4)?),
        row.opt_time(3)?.map(time_text).unwrap_or_default(),
    ];
    Ok((class, shown))
}

/// Looks through every note of the period, a page at a time; `wanted` are places of the sample among them.
async fn notes(tx: &mut Tx, scope: &Scope<'_>, wanted: BTreeSet<u64>) -> Result<Notes, StoreError> {
    let only: Option<Sensitive> = scope.ask.params.field.as_deref().and_then(|kind| kind.parse().ok());
    let excused = exceptions_in_force(tx, scope).await?;
    let mut told = Notes::default();
    let mut last = String::new();
    loop {
        let mut places = scope.places.clone();
        places.set("last", last.as_str());
        let (sql, values) = places.bind(NOTES);
        let page = tx.fetch(sql, values).await?;
        for row in &page {
            let (id, at, number) = (row.text(0)?, row.time(1)?, row.i64(4)?);
            if wanted.contains(&told.n) {
                let member = [time_text(at), id.clone(), String::new(), String::new(), row.text(2)?];
                let place = [String::new(), format!("note on incident/{number}")];
                told.drawn.push(member.into_iter().chain(place).collect());
            }
            told.n += 1;
            let kinds = found_in(&row.text(3)?);
            let kinds: Vec<&str> = kinds
                .into_iter()
                .filter(|kind| only.is_none_or(|only| *kind == only))
                .map(Sensitive::as_str)
                .collect();
            if kinds.is_empty() {
                continue;
            }
            let assignee = row.opt_text(5)?.unwrap_or_default();
            let took = scope.end() - at.timestamp_micros();
            let class = match took {
                _ if excused.contains(&format!("incident/{number}")) => Class::Warning,
                took if took > scope.warn() => Class::Exception,
                took if took > scope.good() || assignee.is_empty() => Class::Warning,
                _ => continue,
            };
            let (number, kinds) = (number.to_string(), kinds.join(", "));
            told.judged.push((
                class,
                vec!["note".to_owned(), id, number, kinds, assignee, time_text(at), String::new()],
            ));
        }
        let Some(row) = page.last() else { break };
        last = row.text(0)?;
    }
    Ok(told)
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
    rows.extend(notes);
    Ok(Sample {
        seed: hex::encode(scope.seed),
        columns: all.columns.iter().map(|(name, _, _)| (*name).to_owned()).collect(),
        rows,
        positions,
    })
}
