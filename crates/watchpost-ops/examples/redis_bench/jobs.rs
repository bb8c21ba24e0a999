//! Jobs through the door: what others feel of them, and how fast they are.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fill::{Kind, big_hash, fill, large_events};
use crate::wire::{Reply, Server, Wire, info};
use crate::{Failure, Figure, client, median, number};

/// Jobs beside which the probe runs, in this order: retention leaves little.
const JOBS: [&str; 7] = ["stats", "export", "export-all", "backup", "optimize", "retention", "cleanup"];
/// Fields of the large hash that is there meanwhile.
const LARGE: u64 = 1_000_000;
/// Events of nearly a mebibyte that are there meanwhile.
const LARGE_EVENTS: u64 = 20;
/// How much the median of the probe may rise, in milliseconds.
const RISE_MAX: f64 = 1.0;
/// `PING`s of the idle server.
const IDLE_PINGS: usize = 3_000;
/// Hashes that are compared one by one.
const SAMPLE: usize = 1_000;

/// A `PING` a millisecond on a connection of its own, until it is told to stop or has done so many.
struct Probe {
    stop: Sender<()>,
    thread: JoinHandle<Vec<f64>>,
}

impl Probe {
    fn start(server: &Server, most: usize) -> Result<Self, Failure> {
        let (mut wire, (stop, told)) = (server.wire()?, channel());
        let thread = std::thread::spawn(move || {
            let (mut took, mut due) = (Vec::new(), Instant::now());
            while took.len() < most {
                due += Duration::from_millis(1);
                let wait = due.saturating_duration_since(Instant::now());
                if told.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                let begun = Instant::now();
                if wire.ask(&["PING"]).is_err() {
                    break;
                }
                took.push(begun.elapsed().as_secs_f64() * 1_000.0);
            }
            took
        });
        Ok(Self { stop, thread })
    }

    /// The median of those that were done.
    fn end(self) -> Result<f64, Failure> {
        let _ = self.stop.send(()); // It may have ended by itself.
        self.all()
    }

    /// The median of as many as it is to do.
    fn all(self) -> Result<f64, Failure> {
        Ok(median(self.thread.join().map_err(|_| "the probe stopped")?))
    }
}

/// The slowest command that the server noted since the log was emptied, in milliseconds with its name.
fn slowest(wire: &mut Wire) -> Result<(f64, String), Failure> {
    let entries = wire.ask(&["SLOWLOG", "GET", "1000"])?.list();
    let entry = |entry: Reply| {
        let mut parts = entry.list().into_iter().skip(2);
        let ms = parts.next().map_or(0.0, |usec| usec.int() as f64 / 1_000.0);
        let words = parts.next().map_or_else(Vec::new, Reply::list);
        (ms, words.iter().take(2).map(Reply::text).collect::<Vec<_>>().join(" "))
    };
    Ok(entries.into_iter().map(entry).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default())
}

/// 3: what a client at a kilohertz feels of each job, and the slowest command of each.
pub(crate) fn probe(keys: u64) -> Result<Vec<Figure>, Failure> {
    let (server, first) = Server::start_first()?;
    let mut wire = server.wire()?;
    fill(&mut wire, keys, Kind::Processed)?;
    big_hash(&mut wire, LARGE)?;
    large_events(&mut wire, LARGE_EVENTS)?;
    let home = tempfile::tempdir()?;
    client("archive", &server.socket(), home.path(), 0)?;
    let idle = Probe::start(&server, IDLE_PINGS)?.all()?;
    let (mut worst, mut slow) = ((0.0, ""), (0.0, String::new(), ""));
    let mut from = BTreeMap::from([("idle".to_owned(), json!({ "median_ms": idle }))]);
    for job in JOBS {
        wire.ask(&["SLOWLOG", "RESET"])?;
        let probe = Probe::start(&server, usize::MAX)?;
        let did = client(job, &server.socket(), home.path(), 0)?;
        let median = probe.end()?;
        if did["state"] != "done" && job != "stats" {
            return Err(format!("{job}: {did}").into());
        }
        let (ms, command) = slowest(&mut wire)?;
        if median - idle > worst.0 {
            worst = (median - idle, job);
        }
        if ms > slow.0 {
            slow = (ms, command.clone(), job);
        }
        let seconds = number(&did, "/seconds");
        from.insert(
            job.to_owned(),
            json!({ "median_ms": median, "seconds": seconds, "slowest_ms": ms, "slowest": command }),
        );
    }
    let of_job = |job: &str| if job.is_empty() { String::new() } else { format!(" ({job})") };
    Ok(vec![
        Figure {
            part: 3,
            what: "median of a 1 kHz PING rises during a job by at most".to_owned(),
            goal: format!("<= {RISE_MAX} ms"),
            measured: format!("{:.2} ms{} over {idle:.2} ms", worst.0, of_job(worst.1)),
            met: worst.0 <= RISE_MAX,
            from: json!(from),
        },
        Figure {
            part: 3,
            what: format!("slowest command; a hash of {LARGE} fields, events of 1 MiB"),
            goal: "<= 5 ms".to_owned(),
            measured: match slow.0 {
                ms if ms > 0.0 => {
                    let waits = if first { "" } else { ", with waiting for a core" };
                    format!("{ms:.1} ms, {}{}{waits}", slow.1, of_job(slow.2))
                }
                _ => "none over 5 ms".to_owned(),
            },
            met: slow.0 <= 5.0,
            from: json!(from),
        },
    ])
}

fn rate(figures: &Value) -> f64 {
    number(figures, "/events") / number(figures, "/seconds")
}

/// 4: retention, beside what Redis and the database can do by themselves.
pub(crate) fn retention(keys: u64) -> Result<Vec<Figure>, Failure> {
    let home = tempfile::tempdir()?;
    let server = Server::start()?;
    fill(&mut server.wire()?, keys, Kind::Processed)?;
    client("archive", &server.socket(), home.path(), 0)?;
    let database = rate(&client("database", &server.socket(), home.path(), 0)?);
    let did = client("retention", &server.socket(), home.path(), 0)?;
    let removed = number(&did, "/figures/removed");
    if removed < keys as f64 {
        return Err(format!("retention removed {removed} of {keys}: {did}").into());
    }
    let whole = removed / number(&did, "/seconds");
    fill(&mut server.wire()?, keys, Kind::Processed)?;
    let redis = rate(&client("redis", &server.socket(), home.path(), 0)?);
    let (limit, name) = if redis < database { (redis, "Redis") } else { (database, "the database") };
    Ok(vec![Figure {
        part: 4,
        what: "retention into SQLite, compared and deleted".to_owned(),
        goal: "50,000/s or 70 % of limit".to_owned(),
        measured: format!("{whole:.0}/s = {:.0} % of {name}", whole / limit * 100.0),
        met: whole >= 50_000.0 || whole >= 0.7 * limit,
        from: json!({ "events_per_s": whole, "redis_alone": redis, "database_alone": database, "run": did }),
    }])
}

/// 5: an export of events.
pub(crate) fn export(keys: u64) -> Result<Vec<Figure>, Failure> {
    let server = Server::start()?;
    fill(&mut server.wire()?, keys, Kind::Small)?;
    let home = tempfile::tempdir()?;
    let mut figures = Vec::new();
    let mut raw = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let read = server.wire()?.raw_read()?;
        if read < keys {
            return Err(format!("the bare client read {read} of {keys}").into());
        }
        raw.push(read as f64 / begun.elapsed().as_secs_f64());
    }
    let raw = median(raw);
    for (job, what) in [("export", "events as NDJSON"), ("export-all", "every key as NDJSON")] {
        let (mut rates, mut runs) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let did = client(job, &server.socket(), home.path(), 0)?;
            let rows = number(&did, "/figures/rows");
            if rows < keys as f64 {
                return Err(format!("{job} wrote {rows} of {keys}: {did}").into());
            }
            rates.push(rows / number(&did, "/seconds"));
            runs.push(did);
        }
        let rate = median(rates);
        figures.push(Figure {
            part: 5,
            what: format!("export, {what}"),
            goal: ">= 150,000 keys/s".to_owned(),
            measured: format!("{rate:.0} keys/s = {:.0} % of bare HGETALL", 100.0 * rate / raw),
            met: rate >= 150_000.0,
            from: json!({ "bare_keys_per_s": raw, "runs": runs }),
        });
    }
    Ok(figures)
}

/// A hash as it is: memory, expiry, fields.
struct Looked {
    bytes: i64,
    expires_ms: i64,
    fields: BTreeMap<String, String>,
}

fn look(wire: &mut Wire, name: &str) -> Result<Looked, Failure> {
    let bytes = wire.ask(&["MEMORY", "USAGE", name, "SAMPLES", "0"])?.int();
    let expires_ms = wire.ask(&["PEXPIRETIME", name])?.int();
    let fields = wire.ask(&["HGETALL", name])?.list();
    let fields = fields.chunks_exact(2).map(|pair| (pair[0].text(), pair[1].text())).collect();
    Ok(Looked { bytes, expires_ms, fields })
}

fn sample(wire: &mut Wire, names: &[String]) -> Result<Vec<Looked>, Failure> {
    names.iter().map(|name| look(wire, name)).collect()
}

/// 6: hashes that fell out of the compact encoding, after an administrator has raised the server's limit.
pub(crate) fn encoding(keys: u64) -> Result<Vec<Figure>, Failure> {
    let server = Server::start()?;
    let mut wire = server.wire()?;
    fill(&mut wire, keys, Kind::Payload)?;
    let home = tempfile::tempdir()?;
    let mut names = Vec::new();
    while names.len() < SAMPLE.min(usize::try_from(keys)?) {
        names.push(wire.ask(&["RANDOMKEY"])?.text());
    }
    let used =
        |wire: &mut Wire| Ok::<_, Failure>(info(&wire.ask(&["INFO", "memory"])?.text(), "used_memory"));
    let (before, bytes_before) = (sample(&mut wire, &names)?, used(&mut wire)?);
    wire.ask(&["CONFIG", "SET", "hash-max-listpack-value", "256"])?;
    let did = client("optimize", &server.socket(), home.path(), 0)?;
    let (after, bytes_after) = (sample(&mut wire, &names)?, used(&mut wire)?);
    let sum = |sample: &[Looked]| sample.iter().map(|one| one.bytes).sum::<i64>();
    let saved = 1.0 - sum(&after) as f64 / sum(&before) as f64;
    let pairs = || before.iter().zip(&after);
    // Those that had no expiry are given one by the same job.
    let moved = pairs().filter(|(before, _)| before.expires_ms > 0);
    let moved = moved.map(|(before, after)| before.expires_ms.abs_diff(after.expires_ms)).max();
    let moved = moved.unwrap_or_default();
    let equal = pairs().all(|(before, after)| before.fields == after.fields);
    let reversible = back(&mut wire, &names, &before)?;
    let total = 1.0 - bytes_after / bytes_before;
    let from = json!({
        "saved_share": saved, "saved_share_of_used_memory": total, "expiry_moved_ms": moved, "equal": equal,
        "reversible": reversible, "run": did,
    });
    Ok(vec![Figure {
        part: 6,
        what: "encoding saves, of hashes with 65 to 200 byte payloads".to_owned(),
        goal: ">= 40 % a key, equal".to_owned(),
        measured: format!(
            "{:.0} %, expiry moved {} ms, {}",
            saved * 100.0,
            moved,
            if equal && reversible { "equal, reversible" } else { "NOT EQUAL" }
        ),
        met: saved >= 0.4 && moved <= 1 && equal && reversible,
        from,
    }])
}

/// With the limit as it was, is a hash wide again, with its fields of before, once its payload is written again?
fn back(wire: &mut Wire, names: &[String], before: &[Looked]) -> Result<bool, Failure> {
    wire.ask(&["CONFIG", "SET", "hash-max-listpack-value", "64"])?;
    for (name, before) in names.iter().zip(before).take(50) {
        let payload = before.fields.get("payload").ok_or("every hash has a payload")?;
        wire.ask(&["HSET", name, "payload", payload])?;
        let wide = wire.ask(&["OBJECT", "ENCODING", name])?.text() == "hashtable";
        if !wide || look(wire, name)?.fields != before.fields {
            return Ok(false);
        }
    }
    Ok(true)
}
