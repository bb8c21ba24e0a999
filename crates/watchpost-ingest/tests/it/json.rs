//! Our own events and ECS documents.

use watchpost_ingest::{LogFormat, Parsed};
use watchpost_model::event::{Category, Event, Outcome, Severity};

use crate::support::{event, events, import};

#[test]
fn our_own_events_come_back_as_they_are() {
    let line = r#"{"id":"0198a1b2-0000-7000-8000-000000000001","at":"2026-01-02T03:04:05.678Z","category":"data_access","type":"record_exported","severity":"low","outcome":"success","actor":"anna","source_ip":"192.0.2.9","count":3,"details":{"rows":500},"tags":["a"],"risk":40}"#;
    let first = event(LogFormat::Jsonl, line);
    assert_eq!(first.id.to_string(), "0198a1b2-0000-7000-8000-000000000001");
    assert_eq!((first.category, first.count, first.risk), (Category::DataAccess, 3, Some(40)));
    let again: Event = event(LogFormat::Jsonl, &serde_json::to_string(&first).unwrap());
    assert_eq!(first, again);
}

#[test]
fn a_missing_id_is_derived() {
    let line = r#"{"at":"2026-01-02T03:04:05Z","category":"api_usage","type":"request","severity":"info","outcome":"success"}"#;
    let text = format!("{line}\n{line}\n");
    let (first, second) = (events(LogFormat::Jsonl, &text), events(LogFormat::Jsonl, &text));
    assert_eq!(first, second);
    assert_ne!(first[0].id, first[1].id);
    assert_eq!(first[0].count, 1);
}

#[test]
fn bad_json_lines_say_why() {
    for (line, expect) in [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "not an event"),
        (
            r#"{"at":"yesterday","category":"api_usage","type":"x","severity":"info","outcome":"success"}"#,
            "not an event",
        ),
        (
            r#"{"at":"2026-01-02T03:04:05Z","category":"weather","type":"x","severity":"info","outcome":"success"}"#,
            "not an event",
        ),
    ] {
        match &import(LogFormat::Jsonl, line)[0] {
            Parsed::Bad { reason, .. } => assert!(reason.starts_with(expect), "{line}: {reason}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn nested_and_dotted_ecs_are_one() {
    let nested = r#"{"@timestamp":"2026-01-02T03:04:05.000Z","event":{"category":["authentication"],"action":"ssh_login","outcome":"failure","severity":47},"user":{"name":"anna"},"source":{"ip":"192.0.2.9"},"tags":["t"]}"#;
    let dotted = r#"{"@timestamp":"2026-01-02T03:04:05.000Z","event.category":"authentication","event.action":"ssh_login","event.outcome":"failure","event.severity":47,"user.name":"anna","source.ip":"192.0.2.9","tags":["t"]}"#;
    let (nested, mut dotted) = (event(LogFormat::Ecs, nested), event(LogFormat::Ecs, dotted));
    assert_eq!(
        (nested.category, nested.kind.as_str(), nested.outcome),
        (Category::Authentication, "login_failure", Outcome::Failure)
    );
    assert_eq!((nested.severity, nested.actor.as_deref()), (Severity::Medium, Some("anna")));
    dotted.id = nested.id;
    assert_eq!(nested, dotted);
}

#[test]
fn ecs_requests_have_http() {
    let line = r#"{"_source":{"@timestamp":"2026-01-02T03:04:05Z","event":{"category":"web","duration":1500000000},"http":{"request":{"method":"post","body":{"content":"a=b"}},"response":{"status_code":404,"body":{"bytes":12}}},"url":{"original":"https://example.org/a/b?q=%27"},"user_agent":{"original":"curl/8"},"source":{"ip":"::ffff:192.0.2.9"}}}"#;
    let event = event(LogFormat::Ecs, line);
    assert_eq!((event.kind.as_str(), event.outcome), ("request", Outcome::Failure));
    assert_eq!(event.source_ip.as_deref(), Some("192.0.2.9"), "mapped addresses are unmapped");
    let http = event.http.expect("http");
    assert_eq!(
        (http.method.as_str(), http.path.as_str(), http.query.as_deref()),
        ("POST", "/a/b", Some("q=%27"))
    );
    assert_eq!(
        (http.status, http.bytes, http.duration_ms, http.body.as_deref()),
        (Some(404), Some(12), Some(1_500), Some("a=b"))
    );
}

#[test]
fn ecs_without_time_is_bad_and_bulk_actions_are_skipped() {
    assert!(matches!(import(LogFormat::Ecs, r#"{"message":"x"}"#)[0], Parsed::Bad { .. }));
    assert_eq!(import(LogFormat::Ecs, r#"{"index":{"_id":"1"}}"#)[0], Parsed::Skipped("bulk action line"));
}
