//! Access logs of web servers: `common` and `combined`, with or without a virtual host in front.
//!
//! Every line whose address and time can be read is an event. A request line that is no HTTP (TLS or other protocols
//! sent to a plain port) makes an event of type `malformed_request`. One rule looks further: a `POST` that is answered
//! with 401 on a path that says login (`login`, `signin`, `auth`, `session`, `token`) is a `login_failure` of category
//! authentication; everything else is category API usage, because an access log does not tell a login that worked from
//! a page that was shown again.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Event, Http, Outcome, Severity, canonical_address, split_target};
use watchpost_model::ids::EventId;

use crate::importer::Reading;

pub(crate) fn read(text: &str) -> Reading {
    match parse(text) {
        Ok(event) => Reading::Event { event: Box::new(event), has_id: false },
        Err(reason) => Reading::Bad(reason.to_owned()),
    }
}

fn parse(text: &str) -> Result<Event, &'static str> {
    let (prefix, at, rest) = split_time(text)?;
    let (host, client, user) = who(prefix)?;
    let (request, rest) = quoted(rest.trim_start()).ok_or("no quoted request line")?;
    let mut words = rest.trim_start().splitn(3, ' ');
    let status: Option<u16> = match words.next() {
        Some("-") => None,
        Some(word) => {
            Some(word.parse().ok().filter(|status| (100..=999).contains(status)).ok_or("no status")?)
        }
        None => return Err("no status"),
    };
    let bytes: Option<u64> = words.next().and_then(|word| word.parse().ok());
    let mut http = Http { status, bytes, ..Http::default() };
    let mut rest = words.next().unwrap_or("").trim_start();
    for name in ["referer", "user-agent"] {
        let Some((value, after)) = quoted(rest) else { break };
        if value != "-" && !value.is_empty() {
            http.headers.insert(name.to_owned(), unescape(value));
        }
        rest = after.trim_start();
    }
    if let Some(host) = host {
        http.headers.insert("host".to_owned(), host.to_owned());
    }
    let is_request = request_line(&unescape(request), &mut http);
    Ok(event(at, client, user, http, is_request))
}

fn event(at: DateTime<Utc>, client: &str, user: Option<&str>, http: Http, is_request: bool) -> Event {
    let is_login = is_request && http.method == "POST" && http.status == Some(401) && says_login(&http.path);
    let (category, kind) = match (is_login, is_request) {
        (true, _) => (Category::Authentication, "login_failure"),
        (false, true) => (Category::ApiUsage, "request"),
        (false, false) => (Category::ApiUsage, "malformed_request"),
    };
    let mut event = Event::new(EventId::derived(0, [0; 16]), at, category, kind);
    event.source_ip = Some(canonical_address(client));
    event.actor = user.map(str::to_owned);
    (event.outcome, event.severity) = match http.status {
        Some(200..=399) => (Outcome::Success, Severity::Info),
        Some(401 | 403 | 407 | 429 | 500..=599) => (Outcome::Failure, Severity::Low),
        Some(400..=499) => (Outcome::Failure, Severity::Info),
        _ => (Outcome::Unknown, Severity::Info),
    };
    if !is_request {
        event.severity = Severity::Low;
    }
    event.http = Some(http);
    event
}

fn says_login(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["login", "logon", "signin", "sign-in", "sign_in", "auth", "session", "token"]
        .iter()
        .any(|word| path.contains(word))
}

/// The text before `[time]`, the time, and the text after.
fn split_time(text: &str) -> Result<(&str, DateTime<Utc>, &str), &'static str> {
    let mut problem = "no time in brackets";
    for (open, _) in text.match_indices('[').take(16) {
        let Some(close) = text[open..].find(']').map(|at| at + open) else { break };
        if let Ok(at) = DateTime::parse_from_str(&text[open + 1..close], "%d/%b/%Y:%H:%M:%S %z") {
            return Ok((&text[..open], at.with_timezone(&Utc), &text[close + 1..]));
        }
        if looks_like_time(&text[open + 1..close]) {
            problem = "the time in brackets cannot be read: it is not of the form 29/Sep/2021:12:37:05 +0000";
        }
    }
    Err(problem)
}

/// Is it written like the time of a log line, whether or not there is such a time?
fn looks_like_time(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && text.contains('/') && text.contains(':')
}

/// Virtual host, client address, user.
fn who(prefix: &str) -> Result<(Option<&str>, &str, Option<&str>), &'static str> {
    let is_ip = |word: &str| word.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let mut words = prefix.trim().splitn(4, ' ');
    let first = words.next().filter(|word| !word.is_empty()).ok_or("no client address")?;
    let second = words.next().ok_or("no user field")?;
    let third = words.next().ok_or("no user field")?;
    let fourth = words.next().map(str::trim).filter(|word| !word.is_empty());
    let known = |user: &'_ str| user != "-" && !user.is_empty() && user != "\"\"";
    if !is_ip(first) && is_ip(second) {
        let user = fourth.map(|rest| rest.trim_start_matches("- "));
        return Ok((
            Some(first.rsplit_once(':').map_or(first, |(host, _)| host)),
            second,
            user.filter(|user| known(user)),
        ));
    }
    // A user name may have spaces in it.
    let user = match fourth {
        Some(_) => prefix.trim().splitn(3, ' ').nth(2),
        None => Some(third),
    };
    Ok((None, first, user.map(str::trim).filter(|user| known(user))))
}

/// The inside of a quotation at the start of `text` (backslash escapes) and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('"')?;
    let bytes = inside.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some((&inside[..at], &inside[at + 1..])),
            _ => at += 1,
        }
    }
    None
}

/// `\xNN`, `\"`, `\\`, `\t` and so on as the bytes they stand for.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'\\').then(|| bytes.get(at + 1)).flatten();
        let hex = bytes.get(at + 2..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        match (escaped, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (Some(b'x'), Some(byte)) => {
                out.push(byte);
                at += 4;
                continue;
            }
            (Some(&byte @ (b'"' | b'\\')), _) => out.push(byte),
            (Some(b'n'), _) => out.push(b'\n'),
            (Some(b'r'), _) => out.push(b'\r'),
            (Some(b't'), _) => out.push(b'\t'),
            _ => {
                out.push(bytes[at]);
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Fills method, path and query; false if the line is no HTTP request.
fn request_line(line: &str, http: &mut Http) -> bool {
    let parts = line.split_once(' ').filter(|(method, _)| {
        (1..=32).contains(&method.len())
            && method.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
    });
    let Some((method, rest)) = parts else {
        line.clone_into(&mut http.path);
        return false;
    };
    let (target, has_version) = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => (target, true),
        _ => (rest, false),
    };
    // HTTP/0.9 has no version; anything else without one and without a path is another protocol.
    if !has_version && !target.starts_with('/') {
        line.clone_into(&mut http.path);
        return false;
    }
    method.clone_into(&mut http.method);
    let (path, query) = split_target(target);
    path.clone_into(&mut http.path);
    http.query = query.map(str::to_owned);
    true
}
