//! Answers to the named questions of the compliance frameworks. One consistent read for each answer.

mod derived;
mod entries;
mod questions;
mod template;

use chrono::{DateTime, SecondsFormat, Utc};
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery, MEMBERS_MAX, ROWS_MAX, Sample};
use watchpost_model::period::Period;
use watchpost_model::register::RegisterEntry;
use watchpost_model::sample;

use crate::engine::{Dialect, Row, Tx, Value};
use crate::error::StoreError;
use crate::event::severity_of;
use crate::store::Store;
use template::Places;

/// The order of events; an index has it.
const BY_TIME: &str = "e.at, e.id";
const DAY: i64 = 86_400 * 1_000_000;
/// What stands in place of a value that is of another type than its column.
const UNREADABLE: &str = "[unreadable]";

/// How a column is read.
#[derive(Clone, Copy)]
enum Cell {
    Text,
    Number,
    Time,
    Severity,
    /// When an entry of the register was written, of its body: it may tell of the past.
    Recorded,
}

type Column = (&'static str, &'static str, Cell);

/// A question whose population is rows of the database. Texts have the places `:from`, `:to` (the period), `:end` (the
/// earlier of its end and now) and those of the parameters.
struct Question {
    table: String,
    population: String,
    exception: String,
    warning: String,
    /// A total order of the population; sampling counts by it.
    order: &'static str,
    columns: &'static [Column],
    basis: String,
}

impl Question {
    /// 2 for an exception, 1 for a warning, else 0.
    fn class(&self) -> String {
        let Self { exception, warning, .. } = self;
        if warning.is_empty() {
            return format!("CASE WHEN {exception} THEN 2 ELSE 0 END");
        }
        format!("CASE WHEN {exception} THEN 2 WHEN {warning} THEN 1 ELSE 0 END")
    }

    /// How many there are of each class.
    fn counting(&self) -> String {
        let Self { table, population, .. } = self;
        format!(
            "SELECT COUNT(*), COUNT(CASE WHEN t.class = 1 THEN 1 END), COUNT(CASE WHEN t.class = 2 THEN 1 END) \
             FROM (SELECT {} AS class FROM {table} WHERE {population}) t",
            self.class()
        )
    }
}

/// Exception, warning, or as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Good,
    Warning,
    Exception,
}

impl Store {
    /// Answers one question for a period as of `now`; the sample is drawn from `seed` ([`watchpost_model::sample`]).
    ///
    /// # Errors
    /// `Validation` if a parameter is missing; what the database says.
    pub async fn evidence(
        &self,
        ask: &EvidenceAsk,
        period: Period,
        now: DateTime<Utc>,
        seed: &[u8; 32],
    ) -> Result<EvidenceAnswer, StoreError> {
        evidence(&mut *self.read().await?, ask, period, now, seed).await
    }
}

pub(crate) async fn evidence(
    tx: &mut Tx,
    ask: &EvidenceAsk,
    period: Period,
    now: DateTime<Utc>,
    seed: &[u8; 32],
) -> Result<EvidenceAnswer, StoreError> {
    ask.check().map_err(|name| StoreError::Validation(format!("the question {} needs {name}", ask.query)))?;
    let places = places(ask, period, now);
    let mut answer = match questions::of(ask) {
        Some(question) => {
            let mut answer = Box::pin(answered(tx, ask, &question, &places, seed)).await?;
            if ask.query == EvidenceQuery::AuthenticationEvents {
                (answer.columns, answer.rows) = derived::sign_ins(tx, &places, answer.exceptions).await?;
            }
            if ask.query == EvidenceQuery::ActionsGranted && answer.exceptions + answer.warnings == 0 {
                (answer.columns, answer.rows) = derived::actions_by_role(tx, &places).await?;
            }
            answer
        }
        None => {
            let (end, dialect) = (period.to.min(now), tx.dialect());
            let scope = derived::Scope { ask, period, end, now, places: &places, seed, dialect };
            Box::pin(derived::answer(tx, &scope)).await?
        }
    };
    answer.basis = told(&answer.basis, period);
    Ok(answer)
}

fn told(basis: &str, period: Period) -> String {
    format!("{basis} ({} to {})", time_text(period.from), time_text(period.to))
}

/// What a question counts in a period, and in which words a database is asked it, as its answers say: those of any of the
/// databases. For holding a report against.
#[must_use]
pub fn question_words(ask: &EvidenceAsk, period: Period) -> (String, Vec<String>) {
    if let Some(question) = questions::of(ask) {
        return (told(&question.basis, period), vec![question.counting()]);
    }
    let [(basis, sqlite), (_, postgres)] =
        [Dialect::Sqlite, Dialect::Postgres].map(|dialect| derived::words::of(ask, dialect));
    (told(basis, period), vec![sqlite, postgres])
}

/// The columns of the members of the population of a question; `None` where its evidence lists something else. For
/// holding a report against.
#[must_use]
pub fn question_columns(ask: &EvidenceAsk) -> Option<Vec<&'static str>> {
    let of_table = questions::of(ask).map(|one| one.columns.iter().map(|(name, _, _)| *name).collect());
    of_table.or_else(|| Some(derived::heads::of(ask.query).to_vec()).filter(|heads| !heads.is_empty()))
}

fn places(ask: &EvidenceAsk, period: Period, now: DateTime<Utc>) -> Places {
    let params = &ask.params;
    let mut places = Places::default();
    places.set("from", period.from);
    places.set("to", period.to);
    places.set("end", period.to.min(now));
    places.set("now", now);
    if let Some(span) = params.good_within {
        places.set("good", span.micros());
    }
    if let Some(span) = params.warn_within {
        places.set("warn", span.micros());
    }
    if let Some(kind) = params.kind {
        places.set("kind", kind.as_str());
    }
    if let Some(field) = &params.field {
        places.set("field", field);
    }
    if let Some(category) = params.category {
        places.set("category", category.as_str());
    }
    if let Some(permission) = params.permission {
        places.set("permission", permission.as_str());
    }
    if let Some(severity) = params.severity_min {
        places.set("severity", crate::event::rank(severity));
    }
    if let Some(minimum) = params.minimum {
        places.set("minimum", i64::from(minimum));
    }
    places.set_list("families", params.families.iter().map(|family| family.as_str().into()).collect());
    places
}

fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn answered(
    tx: &mut Tx,
    ask: &EvidenceAsk,
    question: &Question,
    places: &Places,
    seed: &[u8; 32],
) -> Result<EvidenceAnswer, StoreError> {
    let Question { table, population, order, columns, basis, .. } = question;
    let text = question.counting();
    let (sql, values) = places.bind(&text);
    let counts = tx.fetch_one(sql, values).await?;
    let (all, warnings, exceptions) = (counts.u64(0)?, counts.u64(1)?, counts.u64(2)?);
    let list = columns.iter().map(|(_, expression, _)| *expression).collect::<Vec<_>>().join(", ");
    let mut rows = Vec::new();
    // Exceptions, then warnings, each in the order of the question: sorting all of them by what they are would read every one.
    let mut parts = Vec::new();
    if exceptions > 0 {
        parts.push(format!(" AND ({}) ORDER BY {order}", question.exception));
    }
    if warnings > 0 {
        parts.push(format!(" AND {} = 1 ORDER BY {order}", question.class()));
    }
    // What is not in the list counts as not there.
    let listed_whole = ask.query == EvidenceQuery::ControlsFollowed;
    if listed_whole && !parts.is_empty() {
        parts.push(format!(" AND {} = 0 ORDER BY {order}", question.class()));
    }
    if parts.is_empty() {
        let newest = order.split(", ").map(|part| format!("{part} DESC")).collect::<Vec<_>>().join(", ");
        parts.push(format!(" ORDER BY {newest}"));
    }
    let room = if listed_whole || exceptions + warnings > 0 { ROWS_MAX } else { MEMBERS_MAX };
    for part in parts {
        let left = room - rows.len();
        let (sql, values) =
            places.bind(&format!("SELECT {list} FROM {table} WHERE {population}{part} LIMIT {left}"));
        for row in tx.fetch(sql, values).await? {
            rows.push(cells(&row, columns));
        }
    }
    let names: Vec<String> = columns.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    Ok(EvidenceAnswer {
        ask: ask.clone(),
        population: all,
        warnings,
        exceptions,
        columns: names.clone(),
        rows,
        sample: sampled(tx, question, places, seed, all, names).await?,
        basis: basis.clone(),
        text,
    })
}

/// The members of the population at the drawn positions.
async fn sampled(
    tx: &mut Tx,
    question: &Question,
    places: &Places,
    seed: &[u8; 32],
    population: u64,
    names: Vec<String>,
) -> Result<Sample, StoreError> {
    let Question { table, population: condition, order, columns, .. } = question;
    let positions = sample::draw(seed, population);
    let mut sample = Sample { seed: hex::encode(seed), positions, columns: names, rows: Vec::new() };
    if sample.positions.is_empty() {
        return Ok(sample);
    }
    if *order == BY_TIME {
        sample.rows = members(tx, question, places, &sample.positions).await?;
        return Ok(sample);
    }
    let list: Vec<String> =
        columns.iter().enumerate().map(|(n, (_, expression, _))| format!("{expression} AS c{n}")).collect();
    let outer: Vec<String> = (0..columns.len()).map(|n| format!("t.c{n}")).collect();
    let mut places = places.clone();
    let wanted: Vec<Value> =
        sample.positions.iter().map(|at| i64::try_from(*at).unwrap_or(i64::MAX).into()).collect();
    places.set_list("positions", wanted);
    let (sql, values) = places.bind(&format!(
        "SELECT {} FROM (SELECT {}, ROW_NUMBER() OVER (ORDER BY {order}) - 1 AS place FROM {table} WHERE {condition}) t \
         WHERE t.place IN :positions ORDER BY t.place",
        outer.join(", "),
        list.join(", "),
    ));
    for row in tx.fetch(sql, values).await? {
        sample.rows.push(cells(&row, columns));
    }
    Ok(sample)
}

/// The events at the drawn positions. One walk over the index, from each to the next: numbering all of them is what takes long.
async fn members(
    tx: &mut Tx,
    question: &Question,
    places: &Places,
    positions: &[u64],
) -> Result<Vec<Vec<String>>, StoreError> {
    let Question { table, population: condition, order, columns, .. } = question;
    let mut positions = positions.to_vec();
    positions.sort_unstable();
    let mut walk = places.clone();
    let (mut ids, mut next, mut after) = (Vec::<Value>::new(), 0, "");
    for position in positions {
        walk.set("skip", i64::try_from(position - next).unwrap_or(i64::MAX));
        let (sql, values) = walk.bind(&format!(
            "SELECT e.at, e.id FROM {table} WHERE {condition}{after} ORDER BY {order} LIMIT 1 OFFSET :skip"
        ));
        let row = tx.fetch_one(sql, values).await?;
        let id = row.text(1)?;
        // Where the walk goes on is also where it seeks to.
        walk.set("from", row.i64(0)?);
        walk.set("lastid", id.as_str());
        ids.push(id.into());
        (next, after) = (position + 1, " AND (e.at > :from OR e.id > :lastid)");
    }
    let mut places = places.clone();
    places.set_list("positions", ids);
    let list = columns.iter().map(|(_, expression, _)| *expression).collect::<Vec<_>>().join(", ");
    let (sql, values) =
        places.bind(&format!("SELECT {list} FROM {table} WHERE e.id IN :positions ORDER BY {order}"));
    Ok(tx.fetch(sql, values).await?.iter().map(|row| cells(row, columns)).collect())
}

fn cells(row: &Row, columns: &[Column]) -> Vec<String> {
    columns
        .iter()
        .enumerate()
        .map(|(index, (_, _, cell))| {
            let read = || -> Result<String, StoreError> {
                Ok(match cell {
                    Cell::Text => row.opt_text(index)?.unwrap_or_default(),
                    Cell::Number => row.i64(index)?.to_string(),
                    Cell::Time => row.opt_time(index)?.map(time_text).unwrap_or_default(),
                    Cell::Severity => severity_of(row.i64(index)?)?.as_str().to_owned(),
                    Cell::Recorded => time_text(row.json::<RegisterEntry>(index)?.written_at),
                })
            };
            // A cell that somebody else broke takes none of the others with it.
            read().unwrap_or_else(|_| UNREADABLE.to_owned())
        })
        .collect()
}
