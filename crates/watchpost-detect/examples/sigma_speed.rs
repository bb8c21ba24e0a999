//! Prints how many events a second the detections of 142 Sigma rules take on one core, by themselves and beside the
//! signatures that ship. With a directory as argument: reads every rule file below it instead, and says what it could
//! not use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::DateTime;
use watchpost_detect::{Adjust, RuleFile, RuleKind, RuleSet};
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::ids::EventId;

const N_RULES: u32 = 142;
const N_EVENTS: u32 = 20_000;

/// A rule in the manner of the public ones for web servers and proxies: a path of an exploit with its parameters, agents
/// of tools, words in a query, an expression, a filter.
fn rule(n: u32) -> RuleFile {
    let detection = match n % 7 {
        0 => format!(
            "  selection:\n    cs-method: POST\n    cs-uri-query|contains|all: ['/module{n}/', 'cmd=', 'exec{n}']\n  condition: selection"
        ),
        1 => format!(
            "  selection:\n    cs-uri-query|contains: ['/admin{n}/shell.jsp', 'upload{n}.aspx', '/owa{n}/auth/x.js', '%{n}c..']\n  condition: selection"
        ),
        2 => format!(
            "  selection:\n    c-useragent|contains: ['scanner{n}', 'tool-{n}/', 'bot_{n} ', 'rat{n};']\n  filter:\n    c-uri|contains: '/health{n}'\n  condition: selection and not filter"
        ),
        3 => format!(
            "  selection_path:\n    cs-uri-stem|endswith: ['/setup{n}.php', '/install{n}.cgi']\n  selection_status:\n    sc-status: [200, 302]\n  condition: all of selection_*"
        ),
        4 => format!(
            "  keywords:\n    - 'payload{n}()'\n    - '{{{{class{n}.mro}}}}'\n    - 'wget http://drop{n}'\n  filter_main_status:\n    sc-status: 404\n  condition: keywords and not 1 of filter_main_*"
        ),
        5 => format!(
            "  selection:\n    c-uri|re: '/[a-z]{{4,8}}{n}\\.(php|asp)\\?id=[0-9a-f]{{32}}'\n  condition: selection"
        ),
        _ => format!(
            "  selection_1:\n    cs-host|endswith: ['.evil{n}.example', '.bad{n}.example']\n  selection_2:\n    c-uri|startswith: ['/gate{n}', '/panel{n}']\n    cs-referer|contains: 'kit{n}'\n  condition: 1 of selection_*"
        ),
    };
    RuleFile {
        name: format!("generated/{n}.yml"),
        text: format!(
            "title: Generated {n}\nid: 00000000-0000-4000-8000-{n:012}\nstatus: test\nlogsource:\n  category: webserver\ndetection:\n{detection}\nlevel: high\ntags: [attack.initial-access, attack.t1190]\n"
        ),
    }
}

/// A request as ordinary sites get them; one in fifty is what a generated rule is about.
fn event(n: u32) -> Event {
    let at = DateTime::UNIX_EPOCH + chrono::Duration::milliseconds(i64::from(n) * 20);
    let mut seed = [1_u8; 16];
    seed[8..12].copy_from_slice(&n.to_be_bytes());
    let mut event =
        Event::new(EventId::derived(at.timestamp_millis(), seed), at, Category::ApiUsage, "request");
    let mixed = n.wrapping_mul(2_654_435_761);
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let mut headers: BTreeMap<String, String> =
        [("user-agent".to_owned(), agent.to_owned()), ("host".to_owned(), "shop.example".to_owned())].into();
    if n.is_multiple_of(3) {
        headers.insert("referer".to_owned(), "https://shop.example/search?q=blue+shoes".to_owned());
    }
    let (path, query) = match mixed % 100 {
        0 => ("/login".to_owned(), Some("next=%2Fmodule0%2F&cmd=exec0".to_owned())),
        1 => ("/setup3.php".to_owned(), None),
        2..40 => (format!("/api/v1/items/{}", mixed % 9_000), None),
        _ => ("/search".to_owned(), Some(format!("page={}&q=running+shoes&sort=price", mixed % 90))),
    };
    event.source_ip = Some(format!("10.1.{}.{}", mixed >> 8 & 255, mixed & 255));
    event.http = Some(Http {
        method: if n.is_multiple_of(5) { "POST" } else { "GET" }.to_owned(),
        path,
        query,
        headers,
        status: Some(if mixed.is_multiple_of(29) { 404 } else { 200 }),
        ..Http::default()
    });
    event
}

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// Seconds that this thread has computed; wall time where the system does not say.
fn computed(since: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(|| since.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

/// Events a second in the quickest of three rounds, and how many findings there were.
fn measure(rules: &RuleSet, events: &[Event]) -> (f64, usize) {
    let since = Instant::now();
    let mut best = f64::MAX;
    let mut n_findings = 0;
    for _ in 0..3 {
        let before = computed(since);
        n_findings = events.iter().map(|event| rules.inspect_event(event).findings.len()).sum();
        best = best.min(computed(since) - before);
    }
    (events.len() as f64 / best, n_findings)
}

#[expect(clippy::print_stdout, reason = "the numbers are the point")]
fn main() -> std::io::Result<()> {
    let files: Vec<RuleFile> = match std::env::args().nth(1) {
        Some(directory) => {
            let mut paths = Vec::new();
            files_below(Path::new(&directory), &mut paths)?;
            let read = |path: &PathBuf| {
                Ok(RuleFile { name: path.display().to_string(), text: std::fs::read_to_string(path)? })
            };
            paths.iter().map(read).collect::<std::io::Result<_>>()?
        }
        None => (0..N_RULES).map(rule).collect(),
    };
    let events: Vec<Event> = (0..N_EVENTS).map(event).collect();
    let started = Instant::now();
    let all = RuleSet::load(&files, &BTreeMap::new());
    let load_ms = started.elapsed().as_secs_f64() * 1_000.0;
    for problem in all.problems() {
        println!("  {problem}");
    }
    let is_sigma =
        |kind: RuleKind| matches!(kind, RuleKind::Sigma | RuleKind::Correlation | RuleKind::Filter);
    let n_sigma = all.rules().iter().filter(|rule| is_sigma(rule.kind)).count();
    println!(
        "  {n_sigma} Sigma rules of {} files loaded in {load_ms:.0} ms, with those that ship",
        files.len()
    );
    let off = Adjust { enabled: Some(false), ..Adjust::default() };
    let signatures = all.rules().iter().filter(|rule| rule.kind == RuleKind::Signature);
    let without: BTreeMap<String, Adjust> = signatures.map(|rule| (rule.info.id.clone(), off)).collect();
    for (name, rules) in [
        ("Sigma alone, decoding included", &RuleSet::load(&files, &without)),
        ("signatures and Sigma", &all),
        ("signatures alone", &*RuleSet::embedded()),
    ] {
        let (per_second, n_findings) = measure(rules, &events);
        println!("  {name}: {per_second:.0} events/s, {n_findings} findings in {} events", events.len());
    }
    Ok(())
}
