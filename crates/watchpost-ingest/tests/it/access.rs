//! Literal lines of access logs.

use watchpost_ingest::{LogFormat, Parsed};
use watchpost_model::event::{Category, Outcome, Severity};

use crate::support::{event, events, import};

#[test]
fn a_combined_line_is_read_in_whole() {
    let line = r#"192.0.2.7 - alice [10/Oct/2025:13:55:36 -0700] "GET /a%20b?q=1%27&x=%2e HTTP/1.1" 200 2326 "https://example.org/start" "Mozilla/5.0 (X11)""#;
    let event = event(LogFormat::Combined, line);
    assert_eq!(event.at.to_rfc3339(), "2025-10-10T20:55:36+00:00");
    assert_eq!((event.category, event.kind.as_str()), (Category::ApiUsage, "request"));
    assert_eq!(event.source_ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(event.actor.as_deref(), Some("alice"));
    assert_eq!((event.outcome, event.severity), (Outcome::Success, Severity::Info));
    let http = event.http.expect("http");
    assert_eq!(
        (http.method.as_str(), http.path.as_str(), http.query.as_deref()),
        ("GET", "/a%20b", Some("q=1%27&x=%2e"))
    );
    assert_eq!((http.status, http.bytes), (Some(200), Some(2326)));
    assert_eq!(http.headers["referer"], "https://example.org/start");
    assert_eq!(http.headers["user-agent"], "Mozilla/5.0 (X11)");
}

#[test]
fn lines_of_every_kind() {
    // Line, then address, type, method, path, status.
    for (line, expect) in [
        (
            r#"192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] "GET /common HTTP/1.1" 404 196"#,
            ("192.0.2.1", "request", "GET", "/common", Some(404)),
        ),
        (
            r#"www.example.org 192.0.2.2 - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" 500 803 "-" "-""#,
            ("192.0.2.2", "request", "GET", "/", Some(500)),
        ),
        (
            r#"example.org:443 192.0.2.3 - - [29/Sep/2021:12:37:05 +0000] "HEAD /x HTTP/2.0" 301 0 "-" "-""#,
            ("192.0.2.3", "request", "HEAD", "/x", Some(301)),
        ),
        (
            r#"2001:DB8:0::1 - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" 200 -"#,
            ("2001:db8::1", "request", "GET", "/", Some(200)),
        ),
        (
            r#"host.example.org - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" 200 5"#,
            ("host.example.org", "request", "GET", "/", Some(200)),
        ),
        (
            r#"192.0.2.4 - john smith [29/Sep/2021:12:37:05 +0000] "POST /f HTTP/1.1" 200 5"#,
            ("192.0.2.4", "request", "POST", "/f", Some(200)),
        ),
        (
            r#"192.0.2.5 - - [29/Sep/2021:12:37:05 +0000] "\x16\x03\x01\x02" 400 226 "-" "-""#,
            ("192.0.2.5", "malformed_request", "", "\u{16}\u{3}\u{1}\u{2}", Some(400)),
        ),
        (
            r#"192.0.2.5 - - [29/Sep/2021:12:37:05 +0000] "" 400 0 "-" "-""#,
            ("192.0.2.5", "malformed_request", "", "", Some(400)),
        ),
        (
            r#"192.0.2.5 - - [29/Sep/2021:12:37:05 +0000] "-" 408 - "-" "-""#,
            ("192.0.2.5", "malformed_request", "", "-", Some(408)),
        ),
        (
            r#"192.0.2.6 - - [29/Sep/2021:12:37:05 +0000] "GET /a \"b\" c HTTP/1.1" 200 5 "-" "say \"hi\"""#,
            ("192.0.2.6", "request", "GET", "/a \"b\" c", Some(200)),
        ),
        (
            r#"192.0.2.6 - - [29/Sep/2021:12:37:05 +0000] "GET /old" 200 5"#,
            ("192.0.2.6", "request", "GET", "/old", Some(200)),
        ),
        (
            r#"192.0.2.6 - - [29/Sep/2021:12:37:05 +0000] "GET /caf\xc3\xa9 HTTP/1.1" 200 5"#,
            ("192.0.2.6", "request", "GET", "/café", Some(200)),
        ),
        (
            r#"192.0.2.6 - - [29/Sep/2021:12:37:05 +0000] "POST /login HTTP/1.1" 401 5"#,
            ("192.0.2.6", "login_failure", "POST", "/login", Some(401)),
        ),
        (
            r#"192.0.2.6 - - [29/Sep/2021:12:37:05 +0000] "GET /login HTTP/1.1" 401 5"#,
            ("192.0.2.6", "request", "GET", "/login", Some(401)),
        ),
        (
            r#"192.0.2.6 - - [29/Sep/2021:12:37:05 +0000] "POST /cart HTTP/1.1" 401 5"#,
            ("192.0.2.6", "request", "POST", "/cart", Some(401)),
        ),
    ] {
        let event = event(LogFormat::Combined, line);
        let http = event.http.as_ref().expect("http");
        let got = (
            event.source_ip.as_deref().unwrap_or(""),
            event.kind.as_str(),
            http.method.as_str(),
            http.path.as_str(),
            http.status,
        );
        assert_eq!(got, expect, "{line}");
    }
}

#[test]
fn bad_lines_say_why_and_do_not_stop() {
    const UNREADABLE: &str =
        "the time in brackets cannot be read: it is not of the form 29/Sep/2021:12:37:05 +0000";
    let good = r#"192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" 200 1"#;
    for (bad, expect) in [
        ("hello", "no time in brackets"),
        (r#"192.0.2.1 - - [31/Feb/2021:12:37:05 +0000] "GET / HTTP/1.1" 200 1"#, UNREADABLE),
        (r#"192.0.2.1 - - [99/Xxx/2026:12:37:05 +0000] "GET / HTTP/1.1" 200 1"#, UNREADABLE),
        (r#"[2001:db8::1] - - "GET / HTTP/1.1" 200 1"#, "no time in brackets"),
        (r#"[29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" 200 1"#, "no client address"),
        ("192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] GET /", "no quoted request line"),
        (r#"192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1"#, "no quoted request line"),
        (r#"192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" abc 1"#, "no status"),
        ("\u{1b}[31m\u{202e}", "no time in brackets"),
    ] {
        let parsed = import(LogFormat::Combined, format!("{bad}\n{good}\n"));
        match &parsed[0] {
            Parsed::Bad { line_no: 1, reason, excerpt } => {
                assert_eq!(reason, expect, "{bad}");
                assert!(!excerpt.contains(['\u{1b}', '\u{202e}']), "the excerpt is safe to show");
            }
            other => panic!("{bad}: {other:?}"),
        }
        assert!(matches!(parsed[1], Parsed::Event(_)), "the next line is read");
    }
}

#[test]
fn ids_depend_on_place_and_text_alone() {
    let line = r#"192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] "GET / HTTP/1.1" 200 1"#;
    let text = format!("{line}\n{line}\n");
    let (first, second) = (events(LogFormat::Combined, &text), events(LogFormat::Combined, &text));
    assert_eq!(first, second, "importing again makes the same events");
    assert_ne!(first[0].id, first[1].id, "equal lines are different events");
}
