//! From an event in Redis to an incident in the database: `cargo xtask bench pipeline` builds and runs it.
//!
//! Prints how many events a second the engine sustains from a full queue while nobody writes, and, at a given rate of
//! arrival, how long an attack takes from the answer of Redis to an incident that a reader of the database sees. The
//! events are encoded before the clock starts and written in pipelines, as the commands of docs/contract.md; what the
//! writer and Redis cost is told apart. That Redis keeps nothing on disk: it would write its append-only file anew
//! meanwhile, which is not measured here. The database is a new SQLite file, the rules are those that are built in.
//!
//! Arguments, each optional: events in the full queue, arrivals a second, seconds of arrivals.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::ids::{ConnectionId, EventId};
use watchpost_model::incident::IncidentOrder;
use watchpost_ops::Paths;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::IncidentPageRequest;
use watchpost_ops::door::{Call, operation};
use watchpost_redis::EventStore;
use watchpost_redis::local::LocalServer;

type Failure = Box<dyn std::error::Error>;

/// Events of the full queue.
const QUEUED: u32 = 200_000;
/// Arrivals a second and seconds of the second measurement.
const RATE: u32 = 5_000;
const SECONDS: u32 = 20;
/// Arrivals are written so often.
const TICK_MS: u32 = 10;
/// The list of incidents is asked for so often, as by a few windows: more would take from the engine what is measured.
/// A wait comes out longer by as much at most.
const LOOK: Duration = Duration::from_millis(100);
/// One event in so many is an attack of a source of its own.
const ATTACKS: u32 = 500;
/// Commands of an event, and so answers.
const COMMANDS: usize = 4;
const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36";

/// That of the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let mut number = |otherwise| numbers.next().unwrap_or(Ok(otherwise));
    let (queued, rate, seconds) = (number(QUEUED)?, number(RATE)?, number(SECONDS)?);

    let folder = tempfile::Builder::new().prefix("wp-").tempdir()?;
    let home = folder.path().join("home");
    std::fs::create_dir_all(&home)?;
    let server = LocalServer::scratch(&folder.path().join("redis")).await?;
    let store = EventStore::connect(&server.target("security:"), Arc::new(SystemClock)).await?;
    let mut writer = UnixStream::connect(server.socket()).await?;

    let begin = SystemClock.now() - chrono::Duration::seconds(60);
    for first in (0..queued).step_by(2_000) {
        let events = first..queued.min(first + 2_000);
        let at = |n: u32| begin + chrono::Duration::microseconds(i64::from(n) * 50);
        let batch: Vec<u8> = events.clone().flat_map(|n| encode(n, at(n))).collect();
        send(&mut writer, &batch, events.len()).await?;
    }

    let console = Console::start(ConsoleOptions {
        paths: Paths::below(&home)?,
        clock: Arc::new(SystemClock),
        tenure: Tenure::Owner,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })?;
    let costs = Costs::now(&mut writer).await?;
    let begun = Instant::now();
    console.open(connection(server.socket())).await?;
    while queued > 0 && store.backlog().await?.total() > 0 {
        // Nothing tells when a queue of Redis is empty, and to ask costs the server time that the engine needs. What
        // the pause adds is a hundredth of what is measured.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let spent = begun.elapsed().as_secs_f64();
    if queued > 0 {
        say(&format!(
            "sustained, queue full, nobody writing: {:.0} events/s ({queued} events in {spent:.1} s)",
            f64::from(queued) / spent
        ))?;
        costs.say(&Costs::now(&mut writer).await?)?;
    }
    if rate == 0 {
        drop(writer);
        console.close().await;
        return Ok(server.stop().await?);
    }

    let costs = Costs::now(&mut writer).await?;
    let (mut waits, worst_backlog) = arrivals(&console, &store, &mut writer, queued, rate, seconds).await?;
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the list")]
        let index = (waits.len().saturating_sub(1) as f64 * share).ceil() as usize;
        waits.get(index).copied().unwrap_or(f64::NAN)
    };
    say(&format!(
        "event to incident at {rate} events/s for {seconds} s: {:.0} ms median, {:.0} ms p99, {:.0} ms worst of {} attacks; \
         at most {worst_backlog} events waited",
        at(0.5),
        at(0.99),
        at(1.0),
        waits.len()
    ))?;
    costs.say(&Costs::now(&mut writer).await?)?;
    drop(writer);
    console.close().await;
    server.stop().await?;
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

fn connection(socket: &Path) -> Connection {
    Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "bench".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix { path: socket.display().to_string() },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
    }
}

/// The commands of one event. Ordinary traffic: a quarter with parameters, a tenth logins; one in [`ATTACKS`] is SQL
/// injection.
fn encode(n: u32, at: DateTime<Utc>) -> Vec<u8> {
    let ms = at.timestamp_millis();
    let id = EventId::at(at).to_string();
    let path = format!("/api/items/{}", n % 3_000);
    let is_login = n % 10 == 3;
    let (category, kind, key) = if is_login {
        ("authentication", "login_success", format!("security:auth:{ms}-{n}"))
    } else {
        ("api_usage", "request", format!("security:api:{}:{ms}-{n}", path.replace('/', "%2F")))
    };
    let mut http = serde_json::json!({
        "method": if is_login { "POST" } else { "GET" },
        "path": path,
        "headers": {"user-agent": AGENT},
        "status": 200,
        "bytes": 5_120,
        "duration_ms": 12,
    });
    let query = if is_attack(n) {
        Some("id=1%27%20UNION%20SELECT%20password%20FROM%20users--".to_owned())
    } else {
        n.is_multiple_of(4).then(|| format!("page={}&sort=name&q=red+shoes+size+{}", n % 90, n % 47))
    };
    if let Some(query) = query {
        http["query"] = query.into();
    }
    let payload = serde_json::json!({ "http": http }).to_string();
    let (at, actor) = (at.to_rfc3339_opts(SecondsFormat::Millis, true), format!("user{}", n % 5_000));
    let source = source(n);
    let fields = [
        ("_q", "1"),
        ("id", id.as_str()),
        ("at", &at),
        ("category", category),
        ("type", kind),
        ("severity", "info"),
        ("outcome", if is_login { "success" } else { "unknown" }),
        ("actor", &actor),
        ("source_ip", &source),
        ("payload", &payload),
    ];
    let mut hset = vec!["HSET", &key];
    hset.extend(fields.iter().flat_map(|(name, value)| [*name, *value]));
    let index = format!("security:index:{category}");
    let mut bytes = Vec::with_capacity(1_024);
    command(&mut bytes, &hset);
    command(&mut bytes, &["EXPIRE", &key, "2592000"]);
    command(&mut bytes, &["ZADD", &index, &ms.to_string(), &key]);
    command(&mut bytes, &["XADD", "security:events", "*", "key", &key]);
    bytes
}

const fn is_attack(n: u32) -> bool {
    n % ATTACKS == 250
}

/// Attacks come from sources of their own.
fn source(n: u32) -> String {
    if is_attack(n) {
        let n = n / ATTACKS;
        return format!("203.{}.{}.{}", n / 62_500 % 250, n / 250 % 250, n % 250);
    }
    format!("10.{}.{}.{}", n % 7, n / 7 % 250, n / 1_750 % 250)
}

fn command(bytes: &mut Vec<u8>, words: &[&str]) {
    let mut head = String::new();
    let _ = write!(head, "*{}\r\n", words.len());
    bytes.extend_from_slice(head.as_bytes());
    for word in words {
        head.clear();
        let _ = write!(head, "${}\r\n", word.len());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(word.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
}

/// Sends the commands of `events` events and reads the answers: of each three numbers, and the id of the stream entry.
async fn send(stream: &mut UnixStream, commands: &[u8], events: usize) -> Result<(), Failure> {
    let (mut read, mut write) = stream.split();
    let answers = async {
        let (mut buffer, mut lines) = (vec![0; 1 << 16], 0);
        // A number is a line, an id is two.
        while lines < events * (COMMANDS + 1) {
            let n = read.read(&mut buffer).await?;
            let bytes =
                buffer.get(..n).filter(|bytes| !bytes.is_empty()).ok_or("Redis closed the connection")?;
            if bytes.contains(&b'!') || bytes.contains(&b'E') {
                return Err(format!("Redis refused: {}", String::from_utf8_lossy(bytes)).into());
            }
            lines += bytes.iter().filter(|&&byte| byte == b'\n').count();
        }
        Ok::<_, Failure>(())
    };
    let (sent, answered) = tokio::join!(write.write_all(commands), answers);
    sent?;
    answered
}

/// Writes events from number `first` on at a steady rate; milliseconds from the answer of Redis to the incident of each attack, and how many events
/// waited at most.
async fn arrivals(
    console: &Console,
    store: &EventStore,
    writer: &mut UnixStream,
    first: u32,
    rate: u32,
    seconds: u32,
) -> Result<(Vec<f64>, u64), Failure> {
    let caller =
        Caller { name: "bench".to_owned(), role: Role::Admin, origin: Origin::Cli, host: "bench".to_owned() };
    let call = Call { caller, confirmation: None, reason: None };
    let (per_tick, ticks) = (rate * TICK_MS / 1_000, seconds * 1_000 / TICK_MS);
    // Encoding takes a while; the first event is due when all are encoded.
    let lead = Duration::from_secs(u64::from(2 + rate * seconds / 50_000));
    let (start, due) = (SystemClock.now() + lead, Instant::now() + lead);
    let batches: Vec<Vec<u8>> = (0..ticks)
        .map(|tick| {
            let at = start + chrono::Duration::milliseconds(i64::from(tick * TICK_MS));
            (0..per_tick).flat_map(|n| encode(first + tick * per_tick + n, at)).collect()
        })
        .collect();
    if Instant::now() > due {
        return Err("encoding took too long".into());
    }
    let mut open: HashMap<String, Instant> = HashMap::new();
    let (mut waits, mut worst_backlog) = (Vec::new(), 0);
    let (mut looked, mut asked) = (Instant::now(), Instant::now());
    let mut tick = tokio::time::interval_at(due.into(), Duration::from_millis(u64::from(TICK_MS)));
    let mut batches = (0_u32..).zip(&batches);
    loop {
        tick.tick().await;
        let batch = batches.next();
        if let Some((number, batch)) = &batch {
            let events = first + number * per_tick..first + (number + 1) * per_tick;
            send(writer, batch, events.len()).await?;
            let wrote = Instant::now();
            open.extend(events.filter(|n| is_attack(*n)).map(|n| (source(n), wrote)));
        }
        if batch.is_none() && open.is_empty() {
            return Ok((waits, worst_backlog));
        }
        if !open.is_empty() && asked.elapsed() > LOOK {
            asked = Instant::now();
            let request = IncidentPageRequest {
                order: IncidentOrder::Newest,
                limit: 100,
                ..IncidentPageRequest::default()
            };
            for incident in console.call::<operation::incident_page>(&call, request).await?.rows {
                if let Some(since) = open.remove(&incident.entity.value) {
                    waits.push(since.elapsed().as_secs_f64() * 1_000.0);
                }
            }
        }
        if looked.elapsed() > Duration::from_millis(250) {
            looked = Instant::now();
            worst_backlog = worst_backlog.max(store.backlog().await?.total());
        }
        if due.elapsed() > Duration::from_secs(u64::from(seconds) * 6 + 30) {
            return Err(format!("{} attacks made no incident in time", open.len()).into());
        }
    }
}

/// Computing time so far: of the threads of this process by name, and of Redis.
struct Costs {
    at: Instant,
    seconds: Vec<(String, f64)>,
}

impl Costs {
    async fn now(redis: &mut UnixStream) -> Result<Self, Failure> {
        let mut seconds: Vec<(String, f64)> = Vec::new();
        // Where there is no /proc the costs are not told.
        for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
            let Some((head, tail)) = stat.rsplit_once(')') else { continue };
            let name = head.split_once('(').map_or("", |(_, name)| name).trim_end_matches(char::is_numeric);
            let ticks: f64 =
                tail.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
            match seconds.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += ticks / 100.0,
                None => seconds.push((name.to_owned(), ticks / 100.0)),
            }
        }
        redis.write_all(b"*2\r\n$4\r\nINFO\r\n$3\r\ncpu\r\n").await?;
        let mut answer = String::new();
        while !answer.contains("used_cpu_user_main_thread") || !answer.ends_with('\n') {
            let mut buffer = [0; 4_096];
            let n = redis.read(&mut buffer).await?;
            answer.push_str(std::str::from_utf8(
                buffer.get(..n).filter(|bytes| !bytes.is_empty()).ok_or("no answer")?,
            )?);
        }
        let used = |name: &str| {
            answer.lines().find_map(|line| line.strip_prefix(name)?.parse::<f64>().ok()).unwrap_or_default()
        };
        seconds.push(("redis-server".to_owned(), used("used_cpu_sys:") + used("used_cpu_user:")));
        Ok(Self { at: Instant::now(), seconds })
    }

    fn say(&self, after: &Self) -> std::io::Result<()> {
        let spent = (after.at - self.at).as_secs_f64().max(0.001);
        for (name, seconds) in &after.seconds {
            let before = self.seconds.iter().find(|(known, _)| known == name).map_or(0.0, |(_, n)| *n);
            let share = (seconds - before) / spent * 100.0;
            if share >= 0.5 {
                say(&format!("  {name:<20}{share:>6.0} % of a core"))?;
            }
        }
        Ok(())
    }
}
