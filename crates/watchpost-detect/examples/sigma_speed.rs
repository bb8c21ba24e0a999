//! Prints how many events a second the detections of 142 Sigma rules take on one core, by themselves and beside the
//! signatures that ship.
//!
//! With a directory as argument: reads every rule file below it instead, and says what it could not use. With a number:
//! makes as many rules over the log sources of the public rule set, in their proportions and with their modifiers and
//! conditions; a directory behind the number gets them as files, for `watchpost rules import-sigma`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::DateTime;
use watchpost_detect::{Adjust, ProblemKind, RuleFile, RuleKind, RuleSet};
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::ids::EventId;

const N_RULES: u32 = 142;
const N_EVENTS: u32 = 20_000;
/// Problems of a kind that are printed; the rest is counted.
const PROBLEMS_SHOWN: usize = 5;

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

/// Log sources of the public rules, about how many of a thousand rules are for each, and their fields: what is compared
/// with ends, what with parts, and a program or kind.
const SOURCES: &[(u32, &str, [&str; 3])] = &[
    (340, "category: process_creation, product: windows", ["Image", "CommandLine", "OriginalFileName"]),
    (35, "category: process_creation, product: linux", ["Image", "CommandLine", "ParentImage"]),
    (20, "category: process_creation, product: macos", ["Image", "CommandLine", "ParentImage"]),
    (75, "category: registry_set, product: windows", ["TargetObject", "Details", "Image"]),
    (55, "category: file_event, product: windows", ["TargetFilename", "Image", "User"]),
    (35, "category: image_load, product: windows", ["ImageLoaded", "Image", "Company"]),
    (50, "category: ps_script, product: windows", ["ScriptBlockText", "ScriptBlockText", "Path"]),
    (20, "category: network_connection, product: windows", ["DestinationHostname", "Image", "Initiated"]),
    (15, "category: process_access, product: windows", ["TargetImage", "CallTrace", "GrantedAccess"]),
    (60, "product: windows, service: security", ["SubjectUserName", "ObjectName", "EventID"]),
    (60, "product: windows, service: system", ["ServiceName", "ImagePath", "Provider_Name"]),
    (20, "product: aws, service: cloudtrail", ["eventSource", "requestParameters.policy", "eventName"]),
    (45, "product: azure, service: auditlogs", ["properties.message", "Category", "OperationName"]),
    (20, "product: okta, service: okta", ["eventtype", "displaymessage", "actor.alternateid"]),
    (25, "product: linux, service: auditd", ["name", "a0", "type"]),
    (15, "product: linux", ["", "", ""]),
    (
        25,
        "category: application, product: kubernetes, service: audit",
        ["verb", "objectRef.resource", "hostIPC"],
    ),
    (10, "product: zeek, service: dns", ["query", "answers", "qtype_name"]),
    (45, "category: webserver", ["cs-uri-stem", "cs-uri-query", "cs-method"]),
    (30, "category: proxy", ["cs-host", "c-uri", "c-useragent"]),
];

/// Rule `n` in the manner of the public ones.
fn public_rule(n: u32) -> RuleFile {
    let total: u32 = SOURCES.iter().map(|(weight, ..)| weight).sum();
    let mut place = n.wrapping_mul(2_654_435_761) % total;
    let mut sources = SOURCES.iter();
    let (_, source, [ends, part, kind]) = sources
        .find(|(weight, ..)| place.checked_sub(*weight).map(|rest| place = rest).is_none())
        .expect("the place is below the sum of all weights");
    let detection = match n % 12 {
        _ if ends.is_empty() => format!(
            "  keywords:\n    - 'wget * - http{n}* | sh'\n    - '*chmod u+s /tmp/{n}*'\n    - '/tmp/ns_{n} '\n  condition: keywords"
        ),
        0..=2 => format!(
            "  selection_img:\n    - {ends}|endswith: ['\\tool{n}.exe', '\\loader{n}.exe']\n    - {kind}: 'Tool{n}.EXE'\n  selection_cli:\n    {part}|contains: [' /transfer{n} ', ' -enc{n}', 'http://drop{n}.example']\n  condition: all of selection_*"
        ),
        3 | 4 => format!(
            "  selection:\n    {part}|contains: ['\\Temp\\{n}', '\\Users\\Public\\{n}']\n  filter_main_own:\n    {ends}|startswith: 'C:\\Program Files\\Vendor{n}\\'\n  filter_main_null:\n    {kind}: null\n  filter_optional_agent:\n    {ends}|endswith: '\\agent{n}.exe'\n  condition: selection and not 1 of filter_main_* and not 1 of filter_optional_*"
        ),
        5 | 6 => format!("  selection:\n    {part}|contains|all: ['net{n}', 'user', '/add']\n  condition: selection"),
        7 => format!(
            "  selection_a:\n    {kind}: ['4697', '7045', 'Create{n}']\n  selection_b:\n    {part}|re: '\\$env:Com{n}\\[(\\s*\\d{{1,3}}\\s*,){{2}}'\n  condition: 1 of selection_*"
        ),
        8 => format!("  selection:\n    {part}|contains|windash: ' -install{n} '\n    {ends}|endswith: '{n}.dll'\n  condition: selection"),
        9 => format!("  selection:\n    {part}|wide|base64offset|contains: 'IEX{n}('\n  condition: selection"),
        10 => format!(
            "  selection:\n    {kind}: 'true{n}'\n  filter_local:\n    src_ip|cidr: ['127.0.0.0/8', '10.{}.0.0/16', 'fe80::/10']\n  condition: selection and not filter_local",
            n % 256
        ),
        _ => format!(
            "  selection:\n    {ends}|startswith: ['HKLM\\Run{n}', '/etc/cron.{n}']\n    {part}|i: x\n  condition: selection"
        )
        .replace("|i: x", &format!(": ['DWORD (0x{n:08x})', 'value{n}*']")),
    };
    RuleFile {
        name: format!("public/{n}.yml"),
        text: format!(
            "title: Public {n}\nid: 00000000-0000-4000-9000-{n:012}\nstatus: test\ndescription: In the manner of a public rule\nreferences: ['https://example.org/{n}']\nauthor: nobody\ndate: 2026-01-02\ntags: [attack.execution, attack.t1059]\nlogsource: {{ {source} }}\ndetection:\n{detection}\nfalsepositives: [Unknown]\nlevel: medium\n"
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

/// Memory that this process holds, in MB; 0 where the system does not say.
fn resident_mb() -> f64 {
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |pages| pages * 4096.0 / 1e6)
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
    let argument = std::env::args().nth(1);
    let files: Vec<RuleFile> = match argument.as_deref().map(|text| (text, text.parse::<u32>())) {
        Some((_, Ok(n_rules))) => (0..n_rules).map(public_rule).collect(),
        Some((directory, Err(_))) => {
            let mut paths = Vec::new();
            files_below(Path::new(directory), &mut paths)?;
            let read = |path: &PathBuf| {
                Ok(RuleFile { name: path.display().to_string(), text: std::fs::read_to_string(path)? })
            };
            paths.iter().map(read).collect::<std::io::Result<_>>()?
        }
        None => (0..N_RULES).map(rule).collect(),
    };
    if let Some(folder) = std::env::args().nth(2) {
        for file in &files {
            let path = Path::new(&folder).join(&file.name);
            std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
            std::fs::write(path, &file.text)?;
        }
    }
    let events: Vec<Event> = (0..N_EVENTS).map(event).collect();
    drop(RuleSet::embedded());
    let before_mb = resident_mb();
    let started = Instant::now();
    let all = RuleSet::load(&files, &BTreeMap::new());
    let load_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let loaded_mb = resident_mb() - before_mb;
    let mut kinds: BTreeMap<(bool, ProblemKind), usize> = BTreeMap::new();
    for problem in all.problems() {
        let n = kinds.entry((problem.is_warning, problem.kind)).or_default();
        *n += 1;
        if *n <= PROBLEMS_SHOWN {
            println!("  {problem}");
        }
    }
    for ((is_warning, kind), n) in kinds {
        println!("  {} for {kind:?}: {n}", if is_warning { "warned" } else { "refused" });
    }
    let is_sigma =
        |kind: RuleKind| matches!(kind, RuleKind::Sigma | RuleKind::Correlation | RuleKind::Filter);
    let n_sigma = all.rules().iter().filter(|rule| is_sigma(rule.kind)).count();
    println!(
        "  {n_sigma} Sigma rules of {} files loaded in {load_ms:.0} ms with those that ship, {loaded_mb:.0} MB",
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
