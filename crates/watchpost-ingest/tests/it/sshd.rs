//! Literal lines of sshd.

use std::io::Cursor;

use watchpost_ingest::{Import, ImportOptions, Importer, LogFormat, Parsed};
use watchpost_model::event::Outcome;

use crate::support::{event, events, import, now};

#[test]
fn messages_of_every_kind() {
    // Message, then type, user, address, count; `None` is skipped.
    for (said, expect) in [
        (
            "Failed password for root from 192.0.2.9 port 22 ssh2",
            Some(("login_failure", Some("root"), "192.0.2.9", 1)),
        ),
        (
            "Failed password for invalid user x y from 192.0.2.9 port 22 ssh2",
            Some(("login_failure", Some("x y"), "192.0.2.9", 1)),
        ),
        (
            "Failed none for invalid user  from 192.0.2.9 port 22 ssh2",
            Some(("login_failure", None, "192.0.2.9", 1)),
        ),
        (
            "Failed publickey for git from 2001:DB8::9 port 22 ssh2: RSA SHA256:abc",
            Some(("login_failure", Some("git"), "2001:db8::9", 1)),
        ),
        // The user name imitates the end of the line.
        (
            "Failed password for invalid user a from 198.51.100.1 port 1 ssh2 from 192.0.2.9 port 22 ssh2",
            Some(("login_failure", Some("a from 198.51.100.1 port 1 ssh2"), "192.0.2.9", 1)),
        ),
        (
            "Invalid user admin from 192.0.2.9 port 4022",
            Some(("login_failure", Some("admin"), "192.0.2.9", 1)),
        ),
        ("Invalid user  from 192.0.2.9 port 4022", Some(("login_failure", None, "192.0.2.9", 1))),
        ("Invalid user admin from 192.0.2.9", Some(("login_failure", Some("admin"), "192.0.2.9", 1))),
        (
            "Accepted password for anna from 192.0.2.9 port 22 ssh2",
            Some(("login_success", Some("anna"), "192.0.2.9", 1)),
        ),
        (
            "Accepted publickey for anna from 192.0.2.9 port 22 ssh2: RSA SHA256:abc/def",
            Some(("login_success", Some("anna"), "192.0.2.9", 1)),
        ),
        (
            "Connection closed by authenticating user root 192.0.2.9 port 22 [preauth]",
            Some(("login_failure", Some("root"), "192.0.2.9", 1)),
        ),
        (
            "Disconnected from authenticating user root 192.0.2.9 port 22 [preauth]",
            Some(("login_failure", Some("root"), "192.0.2.9", 1)),
        ),
        (
            "Disconnected from invalid user ftp 192.0.2.9 port 22 [preauth]",
            Some(("login_failure", Some("ftp"), "192.0.2.9", 1)),
        ),
        (
            "error: maximum authentication attempts exceeded for root from 192.0.2.9 port 22 ssh2 [preauth]",
            Some(("login_failure", Some("root"), "192.0.2.9", 1)),
        ),
        (
            "message repeated 5 times: [ Failed password for root from 192.0.2.9 port 22 ssh2]",
            Some(("login_failure", Some("root"), "192.0.2.9", 5)),
        ),
        ("message repeated 0 times: [ Failed password for root from 192.0.2.9 port 22 ssh2]", None),
        ("message repeated 99999999999 times: [ Failed password for root from 192.0.2.9 port 22 ssh2]", None),
        ("pam_unix(sshd:auth): authentication failure; logname= uid=0 rhost=192.0.2.9 user=root", None),
        ("Received disconnect from 192.0.2.9 port 22:11: Bye Bye [preauth]", None),
        ("Server listening on 0.0.0.0 port 22.", None),
    ] {
        let line = format!("Jan 12 14:10:21 host sshd[16378]: {said}");
        let got = events(LogFormat::Sshd, &line);
        let got = got.first().map(|event| {
            (
                event.kind.as_str(),
                event.actor.as_deref(),
                event.source_ip.as_deref().unwrap_or(""),
                event.count,
            )
        });
        assert_eq!(got, expect, "{said}");
    }
}

#[test]
fn one_attempt_is_counted_once() {
    let text = "\
Jan 12 14:10:21 host sshd[100]: Invalid user bob from 192.0.2.9 port 5000
Jan 12 14:10:21 host sshd[100]: pam_unix(sshd:auth): authentication failure; rhost=192.0.2.9
Jan 12 14:10:23 host sshd[100]: Failed password for invalid user bob from 192.0.2.9 port 5000 ssh2
Jan 12 14:10:25 host sshd[100]: Failed password for invalid user bob from 192.0.2.9 port 5000 ssh2
Jan 12 14:10:26 host sshd[100]: error: maximum authentication attempts exceeded for invalid user bob from 192.0.2.9 port 5000 ssh2 [preauth]
Jan 12 14:10:26 host sshd[100]: Disconnecting invalid user bob 192.0.2.9 port 5000: Too many authentication failures [preauth]
Jan 12 14:10:27 host sshd[101]: Failed password for invalid user bob from 192.0.2.9 port 5001 ssh2
";
    let parsed = import(LogFormat::Sshd, text);
    let is_event: Vec<bool> = parsed.iter().map(|parsed| matches!(parsed, Parsed::Event(_))).collect();
    assert_eq!(
        is_event,
        [true, false, false, true, false, false, true],
        "two tries of one connection and one of another"
    );
}

#[test]
fn years_are_found() {
    // Now is 10 February 2026.
    for (line, expect) in [
        ("Feb 10 11:00:00", "2026-02-10T11:00:00+00:00"),
        ("Feb 12 11:00:00", "2025-02-12T11:00:00+00:00"),
        ("Dec 31 23:59:59", "2025-12-31T23:59:59+00:00"),
        ("Feb 29 10:00:00", "2024-02-29T10:00:00+00:00"),
        ("Jan  2 10:00:00", "2026-01-02T10:00:00+00:00"),
        ("2024-05-06T07:08:09.123456+02:00", "2024-05-06T05:08:09.123456+00:00"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09+00:00"),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09+00:00"),
    ] {
        let event = event(
            LogFormat::Sshd,
            &format!("{line} h sshd[1]: Failed password for root from 192.0.2.9 port 22 ssh2"),
        );
        assert_eq!(event.at.to_rfc3339(), expect, "{line}");
    }
    let line = |time: &str, n: u32| {
        format!("{time} h sshd[{n}]: Failed password for root from 192.0.2.9 port {n} ssh2\n")
    };
    let text = ["Dec 31 23:59:58", "Jan  1 00:00:02", "Dec 31 23:59:59", "Jan  1 00:00:03"]
        .iter()
        .zip(1..)
        .map(|(time, n)| line(time, n))
        .collect::<String>();
    let years: Vec<String> =
        events(LogFormat::Sshd, &text).iter().map(|event| event.at.format("%Y").to_string()).collect();
    assert_eq!(years, ["2025", "2026", "2025", "2026"], "over new year, out of order");
}

#[test]
fn a_given_year_and_zone_are_used() {
    let mut options = ImportOptions::new(now(), "x");
    options.first_year = Some(2019);
    options.zone = chrono::FixedOffset::east_opt(3_600).unwrap();
    let text = "Jul  1 00:30:00 h sshd[1]: Accepted password for a from 192.0.2.9 port 22 ssh2\n";
    let mut import = Import::new(Cursor::new(text), 0, Importer::new(LogFormat::Sshd, options));
    match import.next().unwrap().unwrap().1 {
        Parsed::Event(event) => {
            assert_eq!(event.at.to_rfc3339(), "2019-06-30T23:30:00+00:00");
            assert_eq!(event.outcome, Outcome::Success);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_lines_are_bad() {
    for line in [
        "hello",
        "Feb 31 10:00:00 h sshd[1]: Failed password for a from 192.0.2.9 port 1",
        "Foo 12 10:00:00 h sshd[1]: x",
    ] {
        assert!(matches!(import(LogFormat::Sshd, line)[0], Parsed::Bad { .. }), "{line}");
    }
    assert_eq!(import(LogFormat::Sshd, "Feb  1 10:00:00 h cron[1]: x")[0], Parsed::Skipped("not from sshd"));
}
