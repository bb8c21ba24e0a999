//! Filling the database, and what that says: how fast, and how large.

use std::path::Path;
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::enrichment::Enrichment;
use watchpost_model::event::{Category, Entity, EntityKind, Event, Http, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::{EventId, FindingId};
use watchpost_model::period::Period;
use watchpost_store::{EventFilter, IngestBatch, Store};

use crate::shell::Shell;
use crate::{Failure, Figure, rates};

/// As many as the engine puts into one transaction where there is a queue.
const BATCH: u32 = 8_000;
/// Events that the shell writes, and of ours the first and the last ones.
const PART: u32 = 200_000;
const DAYS: i64 = 30;
/// People who come, and what each asks for in one visit while how many others are there. So 8,000 events in a row are of
/// 1,288 sources: in a public log of a site (10,000 lines in Apache's combined format) they are of 1,423, and three of
/// four lines have a source that was seen within the last 200.
const PEOPLE: u32 = 20_000;
const ASKED: u32 = 6;
const AT_ONCE: u32 = 36;
const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36";

/// Events of the whole, and what each batch of them took, in seconds: empty where nothing had to be written.
pub(crate) struct Filled {
    events: u32,
    from_the_first: bool,
    batches: Vec<(u32, f64)>,
}

/// When the events happened.
pub(crate) fn period() -> Result<Period, Failure> {
    Ok(until("2026-03-31T00:00:00Z".parse()?))
}

/// The days of traffic that end then.
pub(crate) fn until(to: DateTime<Utc>) -> Period {
    Period { from: to - Duration::days(DAYS), to }
}

/// Writes what is missing of so many events in the period, with so many incidents of a source each. Making them is not
/// measured.
pub(crate) async fn fill(
    store: &Store,
    period: Period,
    events: u32,
    incidents: u32,
) -> Result<Filled, Failure> {
    let step = (period.to - period.from) / i32::try_from(events.max(1))?;
    let mut next = u32::try_from(store.event_count(&EventFilter::default()).await?)?;
    let mut filled = Filled { events: next.max(events), from_the_first: next == 0, batches: Vec::new() };
    while next < events {
        let until = events.min(next + BATCH);
        let batch: Vec<(Event, String)> =
            (next..until).map(|n| event(n, period.from + step * i32::try_from(n).unwrap_or(0))).collect();
        let every = events / incidents.clamp(1, events);
        let findings: Vec<Finding> = (next..until)
            .zip(&batch)
            .filter(|(n, _)| n.is_multiple_of(every) && n / every < incidents)
            .map(|(n, (event, _))| finding(n / every, event))
            .collect();
        let begun = Instant::now();
        store.ingest(IngestBatch { events: &batch, findings: &findings, now: period.to }).await?;
        filled.batches.push((until - next, begun.elapsed().as_secs_f64()));
        next = until;
    }
    place(store).await?;
    Ok(filled)
}

/// A finding that opens an incident.
fn finding(n: u32, event: &Event) -> Finding {
    let families = [AttackFamily::Sqli, AttackFamily::Xss, AttackFamily::Traversal, AttackFamily::BruteForce];
    let severities = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let pick = |step: u32| usize::try_from(n / step % 4).unwrap_or(0);
    let family = families[pick(1)];
    Finding {
        id: FindingId::at(event.at),
        rule_id: format!("wp.{family}.bench"),
        rule_version: 1,
        rule_title: "A rule".to_owned(),
        family,
        event_id: event.id,
        at: event.at,
        entity: Entity::new(EntityKind::Ip, format!("203.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250)),
        summary: format!("Finding {n}"),
        matched: None,
        counter: None,
        counted: None,
        linked: Vec::new(),
        severity: severities[pick(4)],
        confidence: 80,
        risk: 70,
        attack: vec!["T1190".to_owned()],
        owasp: None,
        controls: Vec::new(),
        enrichment: Enrichment::default(),
    }
}

/// Says where the sources are, as a location file would: those of 10.0.x.x in Germany but for one network in Luxembourg, two
/// sevenths of all nowhere.
async fn place(store: &Store) -> Result<(), Failure> {
    store.keep_places(true);
    store.sources_fill().await?;
    loop {
        let sources = store.sources_unplaced("bench", 5_000).await?;
        if sources.is_empty() {
            return Ok(());
        }
        let country = |source: &str| {
            if source.starts_with("10.0.107.") {
                return Some("LU".to_owned());
            }
            let part = source.split('.').nth(1).and_then(|part| part.parse::<usize>().ok());
            ["DE", "FR", "GB", "US", "IN"].get(part.unwrap_or(usize::MAX)).map(|code| (*code).to_owned())
        };
        let places: Vec<(String, Option<String>)> = sources
            .into_iter()
            .map(|source| {
                let country = country(&source);
                (source, country)
            })
            .collect();
        store.sources_placed("bench", &places).await?;
    }
}

/// Says it. `scratch` is for the shell's own file.
pub(crate) fn say(filled: &Filled, file: &Path, scratch: &Path) -> Result<(), Failure> {
    if filled.from_the_first
        && let Some((events, ours)) = rate(filled.batches.iter(), PART)
    {
        let shell = insert_by_shell(file, &scratch.join("shell.db"), events)?;
        Figure {
            what: format!("insert, the first {events}, events/s"),
            demanded: ">= 30,000/s",
            measured: format!("{ours:.0}/s"),
            shell: shell.map(|shell| rates(ours, shell)),
        }
        .say()?;
    }
    let last = rate(filled.batches.iter().rev(), PART).map(|rate| ("the last", rate));
    let all = rate(filled.batches.iter(), u32::MAX).map(|rate| ("all", rate));
    for (which, (events, rate)) in last.into_iter().chain(all) {
        Figure {
            what: format!("insert, {which} {events}, events/s"),
            demanded: ">= 30,000/s",
            measured: format!("{rate:.0}/s"),
            shell: None,
        }
        .say()?;
    }
    let mut bytes = std::fs::metadata(file)?.len();
    let mut journal = file.as_os_str().to_owned();
    journal.push("-wal");
    bytes += std::fs::metadata(journal).map_or(0, |journal| journal.len());
    let per_event = bytes as f64 / f64::from(filled.events.max(1));
    Figure {
        what: format!("stored per event, of {}", filled.events),
        demanded: "told",
        measured: format!("{per_event:.0} bytes"),
        shell: None,
    }
    .say()?;
    let sample = 1_000;
    let json: usize = (0..sample)
        .map(|n| serde_json::to_string(&event(n, DateTime::UNIX_EPOCH).0).map(|json| json.len()))
        .sum::<Result<usize, _>>()?;
    Figure {
        what: "the event itself, as JSON".to_owned(),
        demanded: "-",
        measured: format!("{:.0} bytes", json as f64 / f64::from(sample)),
        shell: None,
    }
    .say()
}

/// Events and events a second of the first of these batches, until they are so many events.
fn rate<'a>(batches: impl Iterator<Item = &'a (u32, f64)>, most: u32) -> Option<(u32, f64)> {
    let (mut events, mut seconds) = (0_u32, 0.0_f64);
    for (n, took) in batches {
        if events >= most {
            break;
        }
        events += *n;
        seconds += *took;
    }
    (events > 0).then(|| (events, f64::from(events) / seconds))
}

/// The same rows into a new table with the same indexes, a transaction for each batch. It neither makes the rows nor
/// counts them in the rollups: a floor.
fn insert_by_shell(file: &Path, new: &Path, events: u32) -> Result<Option<f64>, Failure> {
    let Some(mut shell) = Shell::open(new)? else { return Ok(None) };
    shell.run(&format!("ATTACH '{}' AS source;", file.display().to_string().replace('\'', "''")))?;
    let schema = shell.rows(
        "SELECT sql || ';' FROM source.sqlite_master WHERE tbl_name = 'event' AND type IN ('table', 'index') \
         AND sql IS NOT NULL ORDER BY type DESC;",
    )?;
    shell.run(&schema)?;
    let mut seconds = 0.0;
    for first in (0..events).step_by(BATCH as usize) {
        seconds += shell.run(&format!(
            "INSERT INTO main.event SELECT * FROM source.event WHERE rowid > {first} AND rowid <= {};",
            events.min(first + BATCH)
        ))?;
    }
    Ok(Some(f64::from(events) / seconds))
}

/// Numbers that look random and are the same in every run.
fn mixed(n: u32) -> u32 {
    let n = (n ^ (n >> 16)).wrapping_mul(0x7feb_352d);
    let n = (n ^ (n >> 15)).wrapping_mul(0x846c_a68b);
    n ^ (n >> 16)
}

/// Ordinary traffic of a shop, whose people come, ask for a few pages and go: most are requests, a tenth are sign-ins, a
/// twelfth of all fails, two thirds of the visits are of people who sign in.
fn event(n: u32, at: DateTime<Utc>) -> (Event, String) {
    let random = mixed(n);
    let (category, kind) = match random % 20 {
        0 | 1 => (Category::Authentication, "login"),
        2 => (Category::Authorization, "permission_check"),
        3..=5 => (Category::DataAccess, "record_viewed"),
        _ => (Category::ApiUsage, "request"),
    };
    let mut event = Event::new(EventId::at(at), at, category, kind);
    event.outcome = if random % 240 < 20 { Outcome::Failure } else { Outcome::Success };
    event.severity = match random % 1_000 {
        0 => Severity::High,
        1..=20 => Severity::Medium,
        _ => Severity::Info,
    };
    let visit = mixed(n / (ASKED * AT_ONCE) * AT_ONCE + n % AT_ONCE);
    let (person, is_known) = (visit % PEOPLE, !mixed(visit).is_multiple_of(3));
    event.source_ip = Some(format!("10.{}.{}.{}", person % 7, person / 7 % 250, person / 1_750));
    event.actor = is_known.then(|| format!("user{person}"));
    event.session = is_known.then(|| format!("s-{person}-{}", n / 1_000_000));
    event.http = Some(Http {
        method: "GET".into(),
        path: format!("/api/items/{}", mixed(person ^ n) % 3_000),
        query: n.is_multiple_of(4).then(|| format!("page={}&sort=name&q=red+shoes+size+{}", n % 90, n % 47)),
        headers: [("user-agent".to_owned(), AGENT.to_owned())].into(),
        status: Some(if event.outcome == Outcome::Failure { 401 } else { 200 }),
        bytes: Some(5_120),
        duration_ms: Some(12),
        ..Http::default()
    });
    (event, format!("security:store:{n}"))
}
