//! Secrets in events, from Redis to the window: detected on as they are, stored and shown as marks, revealed with a reason.

use chrono::Duration;
use watchpost_model::access::Role;
use watchpost_model::audit::AuditOutcome;
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::ids::EventId;
use watchpost_model::sealing::{MARK, SealKind, SealPolicy};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{EventPageRequest, EventReveal, Nothing, SealingPut};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, caller, desk, folder};
use crate::response::report;

const PASSWORD: &str = "Winter-2026-x";

/// A login whose query holds a password and an attack.
fn attack(desk: &Desk, minutes_ago: i64, password: &str) -> Event {
    let at = desk.console.now() - Duration::minutes(minutes_ago);
    let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
    event.source_ip = Some("198.51.100.9".to_owned());
    let query = format!("password={password}&id=1%27%20UNION%20SELECT%20name,pw%20FROM%20users--");
    let http = Http { method: "GET".into(), path: "/login".into(), query: Some(query), ..Http::default() };
    event.http = Some(http);
    event
}

async fn stored(desk: &Desk, id: EventId) -> Event {
    let request = EventPageRequest { limit: 500, ..EventPageRequest::default() };
    let page = desk.ask::<operation::event_page>(request).await.expect("events can be listed");
    page.rows.into_iter().find(|event| event.id == id).expect("it is stored")
}

fn mark_in(event: &Event) -> String {
    let query = event.http.as_ref().and_then(|http| http.query.clone()).unwrap_or_default();
    let from = query.find(MARK).expect("the query holds a mark");
    let length = query[from..].find(']').expect("a mark ends");
    query[from..=from + length].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_a_mark_for_everybody_and_revealed_with_a_reason() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let event = attack(&desk, 5, PASSWORD);
    report(&desk, std::slice::from_ref(&event)).await;
    let shown = stored(&desk, event.id).await;
    let mark = mark_in(&shown);
    assert!(!format!("{shown:?}").contains(PASSWORD), "{shown:?}");
    let incident = desk.first_incident().await;
    let page = serde_json::to_string(&incident).expect("it is JSON");
    assert!(page.contains(&mark), "the evidence shows the mark: {page}");
    assert!(page.contains("UNION"), "and the attack: {page}");
    assert!(!page.contains(PASSWORD), "and not the password: {page}");

    let reveal = |reason: &str| EventReveal { id: event.id, mark: mark.clone(), reason: reason.to_owned() };
    let analyst = Call { caller: caller(Role::Analyst), ..desk.call.clone() };
    let refused = desk.console.call::<operation::event_reveal>(&analyst, reveal("curious")).await;
    assert_eq!(refused.map_err(|error| error.code), Err(ErrorCode::Permission));
    let refused = desk.ask::<operation::event_reveal>(reveal("  ")).await;
    assert_eq!(refused.map_err(|error| error.code), Err(ErrorCode::Validation));
    assert_eq!(desk.trail("event_reveal", AuditOutcome::Success).await, 0);
    let revealed =
        desk.ask::<operation::event_reveal>(reveal("is it a leaked one?")).await.expect("an admin may");
    assert_eq!((revealed.kind, revealed.field.as_str()), (SealKind::Password, "http.query"));
    assert_eq!(revealed.value, PASSWORD);
    assert_eq!(desk.trail("event_reveal", AuditOutcome::Success).await, 1);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sealed_is_a_setting() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let usual = desk.ask::<operation::sealing_get>(Nothing {}).await.expect("it can be read");
    assert_eq!(usual, SealPolicy::default());
    let policy = SealPolicy { kinds: vec![SealKind::Field, SealKind::Card], fields: vec!["ID".to_owned()] };
    let put = SealingPut { policy, reason: Some("a trial".to_owned()) };
    let now = desk.ask::<operation::sealing_put>(put).await.expect("an admin may");
    assert_eq!(now, SealPolicy { kinds: vec![SealKind::Card], fields: vec!["id".to_owned()] });
    assert_eq!(desk.trail("sealing_put", AuditOutcome::Success).await, 1);
    let bad = SealPolicy { kinds: Vec::new(), fields: vec!["a=b".to_owned()] };
    let refused = desk.ask::<operation::sealing_put>(SealingPut { policy: bad, reason: None }).await;
    assert_eq!(refused.map_err(|error| error.code), Err(ErrorCode::Validation));
    // The engine looks at the policy when it has events, and has had none.
    let event = attack(&desk, 5, PASSWORD);
    report(&desk, std::slice::from_ref(&event)).await;
    let shown = stored(&desk, event.id).await;
    let query = shown.http.and_then(|http| http.query).unwrap_or_default();
    assert!(query.starts_with(&format!("password={PASSWORD}&id=[sealed:field:")), "{query}");
    desk.console.close().await;
}
