//! What the window asks: the first page of every filter, and the Overview.

use std::time::Instant;

use chrono::Duration;
use watchpost_model::event::{Category, Entity, EntityKind, Outcome, Severity};
use watchpost_model::period::Period;
use watchpost_store::{BusyStep, EventFilter, FACETS, Store};

use crate::shell::Shell;
use crate::{Failure, Figure, fill, ms, times};

/// Rows of a page.
const PAGE: u32 = 100;
/// Each question is asked once, and then so often; of these the median counts.
const TURNS: usize = 5;
/// A statement of the shell that takes longer is not asked again.
const LONG_S: f64 = 10.0;
/// Bars of a chart.
const BUCKETS: u32 = 120;
const PAGE_DEMAND: &str = "<= 300 ms";
const OVERVIEW_DEMAND: &str = "<= 150 ms";

/// A filter, and its condition as the store writes it, with the values in their places.
struct Look {
    what: &'static str,
    demanded: &'static str,
    filter: EventFilter,
    condition: String,
}

pub(crate) async fn measure(store: &Store, mut shell: Option<&mut Shell>) -> Result<(), Failure> {
    for look in looks()? {
        first_page(store, shell.as_deref_mut(), &look).await?;
    }
    words(store).await?;
    let whole = fill::period()?;
    packed(store, shell.as_deref_mut(), whole).await?;
    let day = Period { from: whole.to - Duration::days(1), to: whole.to };
    for (what, period) in [("a day", day), ("30 days", whole)] {
        overview(store, shell.as_deref_mut(), what, period, whole).await?;
    }
    let mut took = Vec::new();
    for _ in 0..=TURNS {
        let begun = Instant::now();
        store.event_figures(&EventFilter::default(), day, BUCKETS, &FACETS).await?;
        took.push(begun.elapsed().as_secs_f64());
    }
    let (first, median) = first_and_median(took);
    Figure {
        what: "histogram and facets of a day".to_owned(),
        demanded: "-",
        measured: measured(first, median),
        shell: None,
    }
    .say()
}

/// Those that have an index, and those that have none and read from the newest event on.
fn looks() -> Result<Vec<Look>, Failure> {
    let whole = fill::period()?;
    let middle = whole.from + Duration::days(15);
    let day = Period { from: middle, to: middle + Duration::days(1) };
    let within = format!(" AND at >= {} AND at < {}", day.from.timestamp_micros(), day.to.timestamp_micros());
    let entity =
        |kind, value: &str| EventFilter { entity: Some(Entity::new(kind, value)), ..EventFilter::default() };
    let look = |what, filter, condition: &str| Look {
        what,
        demanded: PAGE_DEMAND,
        filter,
        condition: condition.to_owned(),
    };
    let of_country = |what, code: &str| -> Result<Look, Failure> {
        let filter = EventFilter { query: format!("country:{code}").parse()?, ..EventFilter::default() };
        let condition = format!(
            " AND source_key IN (SELECT p.source_key FROM source_place p WHERE p.source_key IS NOT NULL \
             AND p.country IS NOT NULL AND p.country = '{code}')"
        );
        Ok(look(what, filter, &condition))
    };
    let source = entity(EntityKind::Ip, "10.0.106.2");
    let of_source = " AND (source_key = X'00000000000000000000ffff0a006a02' AND source_ip = '10.0.106.2')";
    let mut looks = vec![
        look("the newest", EventFilter::default(), ""),
        look("a day", EventFilter { period: Some(day), ..EventFilter::default() }, &within),
        look("a source", source.clone(), of_source),
        look(
            "a source on a day",
            EventFilter { period: Some(day), ..source },
            &format!("{within}{of_source}"),
        ),
        look(
            "a network",
            EventFilter { query: "ip:10.0.106.0/24".parse()?, ..EventFilter::default() },
            " AND (source_key >= X'00000000000000000000ffff0a006a00' \
             AND source_key <= X'00000000000000000000ffff0a006aff')",
        ),
        of_country("a country with many events", "DE")?,
        of_country("a country with few events", "LU")?,
        of_country("a country without events", "SE")?,
        look("a user", entity(EntityKind::User, "user4242"), " AND actor = 'user4242'"),
        look("a session", entity(EntityKind::Session, "s-4242-0"), " AND session = 's-4242-0'"),
        look(
            "a category",
            EventFilter { category: vec![Category::Authentication], ..EventFilter::default() },
            " AND category IN ('authentication')",
        ),
    ];
    let without = [
        look(
            "high severity",
            EventFilter { severity: vec![Severity::High], ..EventFilter::default() },
            " AND severity IN (3)",
        ),
        look(
            "a failure",
            EventFilter { outcome: Some(Outcome::Failure), ..EventFilter::default() },
            " AND outcome = 'failure'",
        ),
        look(
            "an endpoint",
            entity(EntityKind::Endpoint, "/api/items/1234"),
            " AND endpoint = '/api/items/1234'",
        ),
    ];
    looks.extend(without.map(|look| Look { demanded: "no index", ..look }));
    Ok(looks)
}

/// Filling the index of words, and what it answers. The shell has no part in it: its SQLite may be without FTS5.
async fn words(store: &Store) -> Result<(), Failure> {
    let (mut added, mut took) = (0, Vec::new());
    loop {
        let begun = Instant::now();
        let step = store.event_text_step().await?;
        if step.added == 0 {
            break;
        }
        added += step.added;
        took.push(begun.elapsed().as_secs_f64());
    }
    store.event_text_catch_up().await?;
    if !took.is_empty() {
        let seconds: f64 = took.iter().sum();
        took.sort_by(f64::total_cmp);
        let median = took.get(took.len() / 2).copied().unwrap_or(f64::NAN);
        let longest = took.last().copied().unwrap_or(f64::NAN);
        Figure {
            what: "index of words: events, a step / the longest".to_owned(),
            demanded: "-",
            measured: format!(
                "{:.0}/s, {} / {} ms",
                f64::from(u32::try_from(added)?) / seconds,
                ms(median),
                ms(longest)
            ),
            shell: None,
        }
        .say()?;
    }
    for (what, word) in [
        ("a word that is nowhere", "nowhere"),
        ("a word of few events", "user4242"),
        ("a word of many events", "items"),
        ("a word of every event", "mozilla"),
    ] {
        let filter = EventFilter { text: Some(word.to_owned()), ..EventFilter::default() };
        let mut took = Vec::new();
        for _ in 0..=TURNS {
            let begun = Instant::now();
            store.event_page(&filter, None, PAGE).await?;
            took.push(begun.elapsed().as_secs_f64());
        }
        let (first, median) = first_and_median(took);
        Figure {
            what: format!("first page: {what}"),
            demanded: PAGE_DEMAND,
            measured: measured(first, median),
            shell: None,
        }
        .say()?;
    }
    Ok(())
}

/// Packing what the Overview reads: all hours and days that are over by the end of the traffic. Only the shell can ask what
/// that takes by itself.
async fn packed(store: &Store, shell: Option<&mut Shell>, whole: Period) -> Result<(), Failure> {
    let mut took = Vec::new();
    loop {
        let begun = Instant::now();
        if store.busy_names_step(whole.to).await? == BusyStep::Rest {
            break;
        }
        took.push(begun.elapsed().as_secs_f64());
    }
    if took.is_empty() {
        return Ok(());
    }
    let seconds: f64 = took.iter().sum();
    took.sort_by(f64::total_cmp);
    let median = took.get(took.len() / 2).copied().unwrap_or(f64::NAN);
    let longest = took.last().copied().unwrap_or(f64::NAN);
    let say = |what: &str, measured: String| {
        Figure { what: what.to_owned(), demanded: "-", measured, shell: None }.say()
    };
    say("packing hours and days: a step / the longest", format!("{} / {} ms", ms(median), ms(longest)))?;
    say("  all of them", format!("{} in {seconds:.1} s", took.len()))?;
    let Some(shell) = shell else { return Ok(()) };
    let sizes = shell.rows("SELECT COUNT(*), SUM(LENGTH(CAST(names AS BLOB))) FROM busy_name;")?;
    let (rows, bytes) = sizes.trim().split_once('|').ok_or("two columns")?;
    say("  rows of it, and their bytes", format!("{rows}, {bytes}"))
}

async fn first_page(store: &Store, shell: Option<&mut Shell>, look: &Look) -> Result<(), Failure> {
    let mut took = Vec::new();
    for _ in 0..=TURNS {
        let begun = Instant::now();
        store.event_page(&look.filter, None, PAGE).await?;
        took.push(begun.elapsed().as_secs_f64());
    }
    // As the indexes of names begin.
    let day = match &look.filter.entity {
        Some(entity) if entity.kind != EntityKind::Endpoint => "at / 86400000000 DESC, ",
        _ => "",
    };
    let statement = format!(
        "SELECT body FROM event WHERE 1 = 1{} ORDER BY {day}at DESC, id DESC LIMIT {};",
        look.condition,
        PAGE + 1
    );
    say(&format!("first page: {}", look.what), look.demanded, took, shell, &statement)
}

/// The Overview as the window asks for it, and the part of it that the rollups answer, which only the shell can ask for by itself.
async fn overview(
    store: &Store,
    mut shell: Option<&mut Shell>,
    what: &str,
    period: Period,
    whole: Period,
) -> Result<(), Failure> {
    let mut took = Vec::new();
    for _ in 0..=TURNS {
        let begun = Instant::now();
        store.overview(period, whole.to, BUCKETS).await?;
        took.push(begun.elapsed().as_secs_f64());
    }
    let (rollups, tops) = (rollups(period), tops(period));
    say(
        &format!("Overview of {what}"),
        OVERVIEW_DEMAND,
        took,
        shell.as_deref_mut(),
        &format!("{rollups}\n{tops}"),
    )?;
    let Some(shell) = shell else { return Ok(()) };
    for (part, statement) in [("counts, of the rollups", rollups), ("top sources and targets", tops)] {
        Figure {
            what: format!("  of it {part}"),
            demanded: "-",
            measured: "-".to_owned(),
            shell: Some((format!("{} ms", ms(by_shell(shell, &statement)?)), "-".to_owned())),
        }
        .say()?;
    }
    Ok(())
}

/// Of buckets that are so wide the Overview reads whole hours. The periods of this begin and end with one.
const BY_HOURS: i64 = 90 * 60 * 1_000_000;

/// The counts of a period and of the one before it.
fn rollups(period: Period) -> String {
    let count = |period: Period, buckets: i64| {
        let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
        let width = (to - from) / buckets;
        let table = if width < BY_HOURS { "rollup" } else { "rollup_hour" };
        format!(
            "SELECT (bucket - {from}) / {width}, category, severity, outcome, CAST(SUM(n) AS BIGINT) FROM {table} \
             WHERE bucket >= {from} AND bucket < {to} GROUP BY 1, category, severity, outcome;"
        )
    };
    format!("{}\n{}", count(period, i64::from(BUCKETS)), count(period.previous(), 1))
}

/// The sources and targets with the most events, sources by country, and the endpoints with the most calls.
fn tops(period: Period) -> String {
    let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
    let sums = "CAST(SUM(n) AS BIGINT) AS total, \
        CAST(SUM(CASE WHEN outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) AS failed";
    let within = format!("at >= {from} AND at < {to}");
    format!(
        "WITH by_source AS MATERIALIZED (SELECT source_ip, {sums} FROM event \
         WHERE {within} AND source_ip IS NOT NULL GROUP BY source_ip) \
         SELECT * FROM (SELECT source_ip AS name, total, failed, CAST(0 AS BIGINT) AS sources FROM by_source \
         ORDER BY total DESC, source_ip LIMIT 10) AS busiest \
         UNION ALL SELECT * FROM (SELECT p.country AS name, CAST(SUM(s.total) AS BIGINT) AS total, \
         CAST(SUM(s.failed) AS BIGINT) AS failed, COUNT(*) AS sources FROM by_source s \
         LEFT JOIN source_place p ON p.source = s.source_ip GROUP BY p.country \
         ORDER BY 2 DESC, 1 LIMIT 300) AS countries;\n\
         WITH by_endpoint AS MATERIALIZED (SELECT endpoint AS name, {sums}, \
         CAST(SUM(CASE WHEN category = 'api_usage' THEN n ELSE 0 END) AS BIGINT) AS calls, \
         CAST(SUM(CASE WHEN category = 'api_usage' AND outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) \
         AS failed_calls FROM event WHERE {within} AND endpoint IS NOT NULL GROUP BY endpoint) \
         SELECT * FROM (SELECT name, total, failed, CAST(0 AS BIGINT) AS called FROM by_endpoint \
         ORDER BY total DESC, name LIMIT 10) AS busiest \
         UNION ALL SELECT * FROM (SELECT name, calls AS total, failed_calls AS failed, \
         CAST(1 AS BIGINT) AS called FROM by_endpoint WHERE calls > 0 \
         ORDER BY calls DESC, name LIMIT 10) AS most_called;"
    )
}

/// Says what ours took beside what the shell takes for the statement.
fn say(
    what: &str,
    demanded: &'static str,
    took: Vec<f64>,
    shell: Option<&mut Shell>,
    statement: &str,
) -> Result<(), Failure> {
    let (first, median) = first_and_median(took);
    let shell = match shell {
        Some(shell) => Some(times(median, by_shell(shell, statement)?)),
        None => None,
    };
    Figure { what: what.to_owned(), demanded, measured: measured(first, median), shell }.say()
}

/// What the shell takes for a statement; a long one is asked once.
fn by_shell(shell: &mut Shell, statement: &str) -> Result<f64, Failure> {
    let first = shell.run(statement)?;
    if first > LONG_S {
        return Ok(first);
    }
    let mut took = vec![first];
    for _ in 0..TURNS {
        took.push(shell.run(statement)?);
    }
    Ok(first_and_median(took).1)
}

fn measured(first: f64, median: f64) -> String {
    format!("{} / {} ms", ms(first), ms(median))
}

/// What the first turn took, and the median of the others.
fn first_and_median(mut took: Vec<f64>) -> (f64, f64) {
    let mut others = took.split_off(1);
    others.sort_by(f64::total_cmp);
    let median = others.get(others.len() / 2).copied().unwrap_or(f64::NAN);
    (took.first().copied().unwrap_or(f64::NAN), median)
}
