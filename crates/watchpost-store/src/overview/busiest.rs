//! The sources, countries and endpoints of a period with the most events: from what is packed of its hours and days, and from
//! the events alone where nothing of it is packed.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::overview::{CountryCount, TopEntity};
use watchpost_model::period::Period;

use crate::block::spans_in_force;
use crate::busy_name::{Kind, Names, Plan};
use crate::engine::{Row, Tx, args};
use crate::error::StoreError;
use crate::event::ip_key;

/// Rows of a list of those with the most.
const TOP_MAX: usize = 10;
/// Rows of the list of countries.
const COUNTRIES_MAX: usize = 300;

/// What a period was busy with.
pub(super) struct Busiest {
    pub(super) sources: Vec<TopEntity>,
    pub(super) by_country: Vec<CountryCount>,
    pub(super) targets: Vec<TopEntity>,
    /// The endpoints with the most calls of interfaces.
    pub(super) called: Vec<TopEntity>,
}

/// A name with its events and how many of them failed.
struct Named {
    name: String,
    events: u64,
    failures: u64,
}

impl Named {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { name: row.text(0)?, events: row.u64(1)?, failures: row.u64(2)? })
    }
}

/// `hidden`: alerts on Redis that are in no incident, and what each is about. They have the category of calls and are none.
/// `now`: when it counts whether a source is blocked.
pub(super) async fn of(
    tx: &mut Tx,
    period: Period,
    hidden: &[(i64, String)],
    now: DateTime<Utc>,
) -> Result<Busiest, StoreError> {
    let plan = Plan::of(tx, period).await?;
    let (sources, by_country) = match plan.names(tx, Kind::Source).await? {
        Some(names) => (sources_among(&names), countries_among(tx, &names).await?),
        None => sources(tx, period).await?,
    };
    let hidden: BTreeSet<&str> = hidden.iter().map(|(_, about)| about.as_str()).collect();
    let (targets, called) = match plan.names(tx, Kind::Endpoint).await? {
        Some(names) => targets_among(tx, &names, &hidden).await?,
        None => targets(tx, period, &hidden).await?,
    };
    Ok(Busiest {
        sources: top(tx, EntityKind::Ip, sources, now).await?,
        by_country,
        targets: top(tx, EntityKind::Endpoint, targets, now).await?,
        called: top(tx, EntityKind::Endpoint, called, now).await?,
    })
}

/// A name with two of its sums.
type Counted<'a> = (&'a str, u64, u64);

fn more_first(a: &Counted<'_>, b: &Counted<'_>) -> Ordering {
    b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0))
}

fn most<'a>(names: impl Iterator<Item = Counted<'a>>) -> Vec<Named> {
    let mut all: Vec<Counted<'a>> = names.collect();
    if all.len() > TOP_MAX {
        all.select_nth_unstable_by(TOP_MAX, more_first);
        all.truncate(TOP_MAX);
    }
    all.sort_unstable_by(more_first);
    all.into_iter()
        .map(|(name, events, failures)| Named { name: name.to_owned(), events, failures })
        .collect()
}

fn sources_among(names: &Names) -> Vec<Named> {
    most(names.0.iter().map(|(name, sums)| (name.as_str(), sums.events, sums.failures)))
}

async fn targets_among(
    tx: &mut Tx,
    names: &Names,
    hidden: &BTreeSet<&str>,
) -> Result<(Vec<Named>, Vec<Named>), StoreError> {
    let busiest = most(names.0.iter().map(|(name, sums)| (name.as_str(), sums.events, sums.failures)));
    let rows =
        tx.fetch("SELECT DISTINCT entity_value FROM incident WHERE family = 'redis_health'", args![]).await?;
    let no_calls: BTreeSet<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    let is_called = |name: &str| !hidden.contains(name) && !no_calls.contains(name);
    let called = names.0.iter().filter(|(name, sums)| sums.calls > 0 && is_called(name.as_str()));
    let called = most(called.map(|(name, sums)| (name.as_str(), sums.calls, sums.failed_calls)));
    Ok((busiest, called))
}

/// Sources by country. Where they are is looked up in one statement that answers with their places in the list: a row for each
/// source would take longer than adding them up.
async fn countries_among(tx: &mut Tx, names: &Names) -> Result<Vec<CountryCount>, StoreError> {
    let sources: Vec<(&String, u64, u64)> =
        names.0.iter().map(|(name, sums)| (name, sums.events, sums.failures)).collect();
    let of = |country: Option<String>| CountryCount { country, events: 0, failures: 0, sources: 0 };
    let add = |count: &mut CountryCount, (_, events, failures): &(&String, u64, u64)| {
        count.events += events;
        count.failures += failures;
        count.sources += 1;
    };
    let mut nowhere = of(None);
    sources.iter().for_each(|source| add(&mut nowhere, source));
    let mut countries: BTreeMap<String, CountryCount> = BTreeMap::new();
    // Who has no location file has no places.
    if tx.fetch_optional("SELECT 1 FROM source_place LIMIT 1", args![]).await?.is_some() {
        let (before, after) = tx.dialect().places_of_list();
        let list: Vec<&String> = sources.iter().map(|(name, ..)| *name).collect();
        let list = serde_json::to_string(&list).map_err(StoreError::Encode)?;
        for row in tx.fetch(format!("{before}$1{after}"), args![list]).await? {
            let country = row.text(0)?;
            let count = countries.entry(country.clone()).or_insert_with(|| of(Some(country)));
            for source in row.json::<Vec<usize>>(1)?.into_iter().filter_map(|place| sources.get(place)) {
                add(count, source);
                nowhere.events -= source.1;
                nowhere.failures -= source.2;
                nowhere.sources -= 1;
            }
        }
    }
    let mut all: Vec<CountryCount> = countries.into_values().collect();
    all.extend((nowhere.sources > 0).then_some(nowhere));
    by_events(&mut all);
    all.truncate(COUNTRIES_MAX);
    Ok(all)
}

fn by_events(countries: &mut [CountryCount]) {
    countries.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.country.cmp(&b.country)));
}

/// The sources with the most events, and all sources by country, from one look at the events of the period.
async fn sources(tx: &mut Tx, period: Period) -> Result<(Vec<Named>, Vec<CountryCount>), StoreError> {
    let by_bytes = tx.dialect().by_bytes();
    let sql = format!(
        "WITH by_source AS MATERIALIZED (SELECT source_ip, CAST(SUM(n) AS BIGINT) AS total, \
         CAST(SUM(CASE WHEN outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) AS failed FROM event \
         WHERE at >= $1 AND at < $2 AND source_ip IS NOT NULL GROUP BY source_ip) \
         SELECT * FROM (SELECT source_ip AS name, total, failed, CAST(0 AS BIGINT) AS sources FROM by_source \
         ORDER BY total DESC, source_ip{by_bytes} LIMIT {TOP_MAX}) AS busiest \
         UNION ALL SELECT * FROM (SELECT p.country AS name, CAST(SUM(s.total) AS BIGINT) AS total, \
         CAST(SUM(s.failed) AS BIGINT) AS failed, COUNT(*) AS sources FROM by_source s \
         LEFT JOIN source_place p ON p.source = s.source_ip GROUP BY p.country \
         ORDER BY 2 DESC, 1 LIMIT {COUNTRIES_MAX}) AS countries"
    );
    let (mut busiest, mut countries) = (Vec::new(), Vec::new());
    for row in tx.fetch(sql, args![period.from, period.to]).await? {
        match row.u64(3)? {
            0 => busiest.push(Named::of(&row)?),
            sources => countries.push(CountryCount {
                country: row.opt_text(0)?,
                events: row.u64(1)?,
                failures: row.u64(2)?,
                sources,
            }),
        }
    }
    by_events(&mut countries);
    Ok((busiest, countries))
}

/// The targets with the most events, and the endpoints with the most calls, from one look at the events of the period.
async fn targets(
    tx: &mut Tx,
    period: Period,
    hidden: &BTreeSet<&str>,
) -> Result<(Vec<Named>, Vec<Named>), StoreError> {
    let most = i64::try_from(TOP_MAX + hidden.len()).unwrap_or(i64::MAX);
    let by_bytes = tx.dialect().by_bytes();
    let sql = format!(
        "WITH by_endpoint AS MATERIALIZED (SELECT endpoint AS name, CAST(SUM(n) AS BIGINT) AS total, \
         CAST(SUM(CASE WHEN outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) AS failed, \
         CAST(SUM(CASE WHEN category = 'api_usage' THEN n ELSE 0 END) AS BIGINT) AS calls, \
         CAST(SUM(CASE WHEN category = 'api_usage' AND outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) \
         AS failed_calls FROM event WHERE at >= $1 AND at < $2 AND endpoint IS NOT NULL GROUP BY endpoint) \
         SELECT * FROM (SELECT name, total, failed, CAST(0 AS BIGINT) AS called FROM by_endpoint \
         ORDER BY total DESC, by_endpoint.name{by_bytes} LIMIT {TOP_MAX}) AS busiest \
         UNION ALL SELECT * FROM (SELECT name, calls AS total, failed_calls AS failed, \
         CAST(1 AS BIGINT) AS called FROM by_endpoint WHERE calls > 0 \
         AND name NOT IN (SELECT entity_value FROM incident WHERE family = 'redis_health') \
         ORDER BY calls DESC, by_endpoint.name{by_bytes} LIMIT $3) AS most_called"
    );
    let (mut busiest, mut called) = (Vec::new(), Vec::new());
    for row in tx.fetch(sql, args![period.from, period.to, most]).await? {
        if row.u64(3)? == 0 {
            busiest.push(Named::of(&row)?);
        } else if called.len() < TOP_MAX && !hidden.contains(row.text(0)?.as_str()) {
            called.push(Named::of(&row)?);
        }
    }
    Ok((busiest, called))
}

/// What is known of each, most events first.
async fn top(
    tx: &mut Tx,
    kind: EntityKind,
    names: Vec<Named>,
    now: DateTime<Utc>,
) -> Result<Vec<TopEntity>, StoreError> {
    let spans = spans_in_force(tx, now).await?;
    let mut list = Vec::with_capacity(names.len());
    for Named { name, events, failures } in names {
        let active = tx
            .fetch_one(
                "SELECT COUNT(*) FROM incident WHERE active = 1 AND entity_kind = $1 AND entity_key = $2",
                args![kind.as_str(), name.as_str()],
            )
            .await?;
        let address = (kind == EntityKind::Ip).then(|| name.parse().ok().map(ip_key)).flatten();
        let blocked = address.is_some_and(|ip| spans.iter().any(|(low, high)| *low <= ip && ip <= *high));
        list.push(TopEntity {
            entity: Entity::new(kind, name),
            events,
            failures,
            incidents: active.u64(0)?,
            blocked,
        });
    }
    list.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.entity.value.cmp(&b.entity.value)));
    Ok(list)
}
