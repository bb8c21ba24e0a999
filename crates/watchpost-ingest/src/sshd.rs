//! OpenSSH's log lines.
//!
//! One attempt often makes several lines: `Invalid user x`, then `Failed password for invalid user x`, then
//! `Connection closed by invalid user x`. It is counted once: `Invalid user` makes the event; the first `Failed ...
//! invalid user` of the same process, address, port and user is skipped; and a closing line (or `maximum
//! authentication attempts`) makes an event only for a connection of which no failure was seen. PAM's own lines are
//! always skipped, because sshd repeats them with more detail. The memory of connections is bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDateTime, TimeZone, Utc};
use regex::Regex;
use watchpost_model::event::{Category, Event, Outcome, Severity, canonical_address};
use watchpost_model::ids::EventId;

use crate::importer::{ImportOptions, Reading};

/// Most connections that are remembered.
const CONNECTIONS_MAX: usize = 4_096;

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:<\d{1,3}>)?(?:(?<syslog>[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2})|(?<iso>\d{4}-\d{2}-\d{2}[T ][0-9:.,]{8,20}(?:Z|[+-]\d{2}:?\d{2})?)) +(?<host>\S+) +(?<program>[\w./-]+)(?:\[(?<pid>\d+)\])?: +(?<said>.*)$",
    )
});
static REPEATED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^message repeated (?<n>\d{1,9}) times: \[ ?(?<said>.*?)\]?$"));
// Greedy up to the last ` from `: a user name may contain anything, this phrase too.
static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^Failed (?<method>\S+) for (?<invalid>invalid user )?(?<user>.*) from (?<ip>\S+) port (?<port>\d+)(?: ssh2?)?(?:: .*)?$",
    )
});
static INVALID: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?:Invalid|Illegal) user (?<user>.*?) ?from (?<ip>\S+)(?: port (?<port>\d+))?$")
});
static ACCEPTED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^Accepted (?<method>\S+) for (?<user>.*) from (?<ip>\S+) port (?<port>\d+)(?: ssh\d?.*)?$")
});
static CLOSED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) (?<who>authenticating|invalid) user (?<user>.*) (?<ip>\S+) port (?<port>\d+)(?:: .*)?(?: \[preauth\])?$",
    )
});
static TOO_MANY: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^error: maximum authentication attempts exceeded for (?<invalid>invalid user )?(?<user>.*) from (?<ip>\S+) port (?<port>\d+)(?: ssh2?)?(?: \[preauth\])?$",
    )
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant that every test of this module compiles")
}

/// What is known of a connection.
#[derive(Debug, Default)]
struct Connection {
    /// `Invalid user` was counted and its `Failed` line has not come.
    pending_user: Option<String>,
    has_failure: bool,
}

/// Process, address, port.
type ConnectionKey = (u32, String, u16);

/// Reads sshd lines.
#[derive(Debug)]
pub(crate) struct Sshd {
    zone: FixedOffset,
    now: DateTime<Utc>,
    first_year: Option<i32>,
    last: Option<DateTime<Utc>>,
    connections: HashMap<ConnectionKey, Connection>,
    oldest_first: VecDeque<ConnectionKey>,
}

/// What one message says.
struct Attempt<'a> {
    kind: &'static str,
    method: &'a str,
    user: &'a str,
    ip: &'a str,
    port: u16,
    is_invalid_user: bool,
}

impl Sshd {
    pub(crate) fn new(options: &ImportOptions) -> Self {
        Self {
            zone: options.zone,
            now: options.now,
            first_year: options.first_year,
            last: None,
            connections: HashMap::new(),
            oldest_first: VecDeque::new(),
        }
    }

    pub(crate) fn read(&mut self, text: &str) -> Reading {
        let Some(line) = LINE.captures(text.trim_end()) else {
            return Reading::Bad("not a syslog line".to_owned());
        };
        let part = |name| line.name(name).map_or("", |part| part.as_str());
        let Some(at) = self.time(part("syslog"), part("iso")) else {
            return Reading::Bad("the time does not exist".to_owned());
        };
        self.last = Some(at);
        let program = part("program").rsplit('/').next().unwrap_or("");
        if !program.starts_with("sshd") {
            return Reading::Skipped("not from sshd");
        }
        let pid = part("pid").parse().unwrap_or(0);
        let said = part("said");
        match REPEATED.captures(said) {
            Some(repeated) => {
                let count = repeated["n"].parse().unwrap_or(u32::MAX);
                if count == 0 {
                    return Reading::Skipped("repeated 0 times: nothing happened");
                }
                self.message(
                    at,
                    pid,
                    part("host"),
                    repeated.name("said").map_or("", |said| said.as_str()),
                    count,
                )
            }
            None => self.message(at, pid, part("host"), said, 1),
        }
    }

    fn message(&mut self, at: DateTime<Utc>, pid: u32, host: &str, said: &str, count: u32) -> Reading {
        if said.starts_with("pam_") || said.starts_with("PAM ") {
            return Reading::Skipped("PAM line: sshd says the same with more detail");
        }
        let Some(attempt) = attempt(said) else {
            return Reading::Skipped("no login attempt");
        };
        if let Some(reason) = self.is_counted(pid, &attempt, count) {
            return Reading::Skipped(reason);
        }
        let is_success = attempt.kind == "accepted";
        let kind = if is_success { "login_success" } else { "login_failure" };
        let mut event = Event::new(EventId::derived(0, [0; 16]), at, Category::Authentication, kind);
        (event.outcome, event.severity) =
            if is_success { (Outcome::Success, Severity::Info) } else { (Outcome::Failure, Severity::Low) };
        event.actor = (!attempt.user.is_empty()).then(|| attempt.user.to_owned());
        event.source_ip = Some(canonical_address(attempt.ip));
        event.resource = Some(format!("ssh://{host}"));
        event.action = Some("ssh_login".to_owned());
        event.details = serde_json::json!({
            "method": attempt.method,
            "port": attempt.port,
            "pid": pid,
            "invalid_user": attempt.is_invalid_user,
            "message": attempt.kind,
        });
        event.set_count(u64::from(count));
        Reading::Event { event: Box::new(event), has_id: false }
    }

    /// Why the attempt is not to be counted again, if it is not; remembers it if it is.
    fn is_counted(&mut self, pid: u32, attempt: &Attempt<'_>, count: u32) -> Option<&'static str> {
        let key = (pid, attempt.ip.to_owned(), attempt.port);
        if !self.connections.contains_key(&key) {
            if self.oldest_first.len() == CONNECTIONS_MAX
                && let Some(oldest) = self.oldest_first.pop_front()
            {
                self.connections.remove(&oldest);
            }
            self.oldest_first.push_back(key.clone());
        }
        let connection = self.connections.entry(key).or_default();
        match attempt.kind {
            "invalid_user" => {
                connection.pending_user = Some(attempt.user.to_owned());
                connection.has_failure = true;
                None
            }
            "failed" => {
                connection.has_failure = true;
                let pending = connection.pending_user.take();
                let is_same = attempt.is_invalid_user && pending.as_deref() == Some(attempt.user);
                (is_same && count == 1).then_some("counted with its `Invalid user` line")
            }
            "closed" | "too_many_attempts" => {
                let had = std::mem::replace(&mut connection.has_failure, true);
                had.then_some("end of a connection whose failures are counted")
            }
            _ => None,
        }
    }

    fn time(&self, syslog: &str, iso: &str) -> Option<DateTime<Utc>> {
        if syslog.is_empty() {
            return iso_time(iso, self.zone);
        }
        let in_year = |year: i32| {
            let naive =
                NaiveDateTime::parse_from_str(&format!("{year} {syslog}"), "%Y %b %e %H:%M:%S").ok()?;
            self.zone.from_local_datetime(&naive).single().map(|at| at.with_timezone(&Utc))
        };
        match (self.last, self.first_year) {
            // The year that is nearest to the line before: over new year forwards, and back for a line out of order.
            (Some(last), _) => {
                let year = last.with_timezone(&self.zone).year();
                let candidates = [year, year - 1, year + 1].into_iter().filter_map(in_year);
                candidates
                    .min_by_key(|at| (*at - last).num_seconds().abs())
                    .or_else(|| (1..=8).find_map(|back| in_year(year - back)))
            }
            (None, Some(year)) => in_year(year),
            (None, None) => {
                let year = self.now.with_timezone(&self.zone).year() + 1;
                (0..=9).filter_map(|back| in_year(year - back)).find(|at| *at <= self.now + Duration::days(1))
            }
        }
    }
}

fn iso_time(text: &str, zone: FixedOffset) -> Option<DateTime<Utc>> {
    let text = text.replacen(' ', "T", 1).replace(',', ".");
    if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
        return Some(at.with_timezone(&Utc));
    }
    if let Ok(at) = DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(at.with_timezone(&Utc));
    }
    let naive = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    zone.from_local_datetime(&naive).single().map(|at| at.with_timezone(&Utc))
}

fn attempt(said: &str) -> Option<Attempt<'_>> {
    let forms: [(&'static str, &Regex); 5] = [
        ("failed", &FAILED),
        ("invalid_user", &INVALID),
        ("accepted", &ACCEPTED),
        ("closed", &CLOSED),
        ("too_many_attempts", &TOO_MANY),
    ];
    let (kind, found) =
        forms.iter().find_map(|(kind, form)| form.captures(said).map(|found| (*kind, found)))?;
    let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
    Some(Attempt {
        kind,
        method: part("method"),
        user: part("user"),
        ip: part("ip"),
        port: part("port").parse().unwrap_or(0),
        is_invalid_user: kind == "invalid_user" || !part("invalid").is_empty() || part("who") == "invalid",
    })
}
