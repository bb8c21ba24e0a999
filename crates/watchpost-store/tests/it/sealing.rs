//! Secrets that are taken out of events: what is stored, what is kept of them, who sees them, and that they go.

use chrono::Duration;
use serde_json::json;
use watchpost_model::audit::AuditFilter;
use watchpost_model::event::{Category, Event};
use watchpost_model::finding::AttackFamily;
use watchpost_model::privacy::{Subject, SubjectKind};
use watchpost_model::sealing::{MARK, SealPolicy};
use watchpost_store::{IngestBatch, PreparedEvents, Revealed, SealedField, StoreError};

use crate::support::{World, both, draft, events, finding};

both!(
    a_secret_is_stored_as_a_mark_and_opened_with_a_record,
    the_last_value_is_archived_whatever_is_sealed,
    the_name_of_a_key_holds_marks_and_is_found_again,
    detectors_see_what_was_written,
    what_was_sealed_goes_with_the_event,
    an_erasure_finds_names_in_what_is_sealed,
);

const PASSWORD: &str = "Winter-2026!";

/// Events of which the first holds a password.
fn with_secret(world: &World, password: &str) -> Vec<(Event, String)> {
    let mut batch = events(3, world.now() - Duration::hours(2));
    batch[0].0.details = json!({ "user": "kim", "password": password, "pin": { "passcode": 123_456 } });
    batch
}

async fn sealed(world: &World, batch: &[(Event, String)]) -> (Vec<(Event, String)>, Vec<SealedField>) {
    let sealer = world.store.sealer(&SealPolicy::default()).await.unwrap();
    let mut batch = batch.to_vec();
    let mut fields = Vec::new();
    for (event, _) in &mut batch {
        fields.extend(sealer.seal(event).unwrap().into_iter().flat_map(|(_, fields)| fields));
    }
    (batch, fields)
}

async fn ingest(world: &World, batch: &[(Event, String)]) -> Vec<(Event, String)> {
    let (batch, fields) = sealed(world, batch).await;
    let now = world.now();
    let mut ingest = world.store.ingest_begin().await.unwrap();
    let prepared = PreparedEvents::new(&batch, &fields, now).unwrap();
    let of_batch = IngestBatch { events: &batch, findings: &[], now };
    ingest.take_in(prepared, of_batch, None).await.unwrap();
    ingest.commit().await.unwrap();
    batch
}

fn mark_of(event: &Event) -> String {
    event.details["password"].as_str().unwrap().to_owned()
}

async fn a_secret_is_stored_as_a_mark_and_opened_with_a_record(world: World) {
    let batch = with_secret(&world, PASSWORD);
    let id = batch[0].0.id;
    let stored = ingest(&world, &batch).await;
    let mark = mark_of(&stored[0].0);
    assert!(mark.starts_with("[sealed:password:"), "{mark}");
    assert_eq!(world.store.event_detail(id).await.unwrap().event, stored[0].0);
    assert_eq!(world.store.event_detail(batch[1].0.id).await.unwrap().event, batch[1].0, "as it was");
    let (again, _) = sealed(&world, &batch).await;
    assert_eq!(again, stored, "one event gives one stored form");
    let (other, _) = sealed(&world, &with_secret(&world, "Winter-2027!")).await;
    assert_ne!(mark_of(&other[0].0), mark, "another value has another mark");

    let look = async |mark: &str| {
        let record = |revealed: &Revealed| {
            let mut draft = draft("event_reveal");
            draft.object = format!("event/{id}");
            draft.reason = Some(format!("looked at {}", revealed.field));
            draft
        };
        world.store.sealed_reveal(id, mark, record).await
    };
    let revealed = look(&mark).await.unwrap();
    assert_eq!((revealed.value.as_str(), revealed.field.as_str()), (PASSWORD, "details.password"));
    let nothing = look("[sealed:password:00000000-00000000]").await;
    assert!(matches!(nothing, Err(StoreError::NotFound(_))), "{nothing:?}");
    let filter = AuditFilter { action: Some("event_reveal".to_owned()), ..AuditFilter::default() };
    let page = world.store.audit_page(&filter, None, 10).await.unwrap();
    assert_eq!(page.len(), 1, "what was not told is no look");
    let record = format!("{:?}", page[0]);
    assert!(record.contains("looked at details.password") && !record.contains(PASSWORD), "{record}");
    world.tamper("UPDATE sealed_field SET sealed = nonce").await;
    let altered = look(&mark).await;
    assert!(matches!(altered, Err(StoreError::Corrupt(_))), "{altered:?}");
}

async fn the_last_value_is_archived_whatever_is_sealed(world: World) {
    let batch = with_secret(&world, PASSWORD);
    let stored = ingest(&world, &batch).await;
    let keys: Vec<String> = batch.iter().map(|(_, key)| key.clone()).collect();
    let (same, fields) = sealed(&world, &batch).await;
    let digests = world.store.archive_upsert_sealed(&same, &fields, None).await.unwrap();
    assert_eq!(world.store.archived_digests(&keys).await.unwrap()[&keys[0]], digests[&batch[0].0.id]);
    assert_eq!(world.store.event_detail(batch[0].0.id).await.unwrap().event, stored[0].0);
    // Only the secret has changed since: that is another value, and it is archived before its key may go.
    let later = with_secret(&world, "Winter-2027!");
    let (changed, fields) = sealed(&world, &later).await;
    let after = world.store.archive_upsert_sealed(&changed, &fields, None).await.unwrap();
    assert_ne!(after[&batch[0].0.id], digests[&batch[0].0.id]);
    let mark = mark_of(&world.store.event_detail(batch[0].0.id).await.unwrap().event);
    let revealed = world.store.sealed_reveal(batch[0].0.id, &mark, |_| draft("event_reveal")).await.unwrap();
    assert_eq!(revealed.value, "Winter-2027!");
}

async fn the_name_of_a_key_holds_marks_and_is_found_again(world: World) {
    let mut batch = events(3, world.now() - Duration::hours(2));
    batch[0].0.resource = Some("/reset?token=9f8e7d6c5b4a".to_owned());
    batch[0].1 = "security:api:%2Freset%3Ftoken%3D9f8e7d6c5b4a:1772445600000".to_owned();
    let keys: Vec<String> = batch.iter().map(|(_, key)| key.clone()).collect();
    let id = batch[0].0.id;
    ingest(&world, &batch).await;
    let shown = world.store.event_detail(id).await.unwrap().redis_key;
    assert!(shown.starts_with("security:api:%2Freset%3Ftoken%3D[sealed:token:"), "{shown}");
    assert!(shown.ends_with("]:1772445600000") && !shown.contains("9f8e7d6c5b4a"), "{shown}");
    assert_eq!(world.store.event_detail(batch[1].0.id).await.unwrap().redis_key, keys[1]);
    // A second writing of which not all are new names each row once more.
    ingest(&world, &batch).await;
    let (same, fields) = sealed(&world, &batch).await;
    let digests = world.store.archive_upsert_sealed(&same, &fields, None).await.unwrap();
    assert_eq!(world.store.archived_digests(&keys).await.unwrap()[&keys[0]], digests[&id]);
    assert_eq!(world.store.event_detail(id).await.unwrap().redis_key, shown);
    batch[0].1 = "security:api:%2Freset%3Ftoken%3D9f8e7d6c5b4a:1772445600000-7".to_owned();
    let (moved, fields) = sealed(&world, &batch).await;
    world.store.archive_upsert_sealed(&moved, &fields, None).await.unwrap();
    let moved = world.store.event_detail(id).await.unwrap().redis_key;
    assert_eq!(moved, format!("{shown}-7"));
    let archived = world.store.is_archived(&[batch[0].1.clone(), keys[0].clone()]).await.unwrap();
    assert_eq!(archived.into_iter().collect::<Vec<_>>(), [batch[0].1.clone()]);
}

async fn detectors_see_what_was_written(world: World) {
    let batch = with_secret(&world, PASSWORD);
    ingest(&world, &batch).await;
    let seen = world.store.events_stored_after(world.now() - Duration::hours(1), None, 100).await.unwrap();
    let seen: Vec<Event> = seen.into_iter().map(|(event, _)| event).collect();
    assert_eq!(seen.len(), 3);
    for (event, _) in &batch {
        assert!(seen.contains(event), "{event:?} is among {seen:?}");
    }
}

async fn what_was_sealed_goes_with_the_event(world: World) {
    let batch = with_secret(&world, PASSWORD);
    let stored = ingest(&world, &batch).await;
    let mark = mark_of(&stored[0].0);
    // The finding freezes a copy: what is sealed of it is kept as long as that.
    let found = finding(1, &stored[0].0, AttackFamily::Sqli, "198.51.100.9");
    let opened = world.ingest(&[], &[found]).await.opened.remove(0);
    world.tamper("UPDATE incident SET active = 0").await;
    let later = world.now() + Duration::days(1);
    for category in Category::ALL {
        while world.store.archive_prune(*category, later, 100).await.unwrap() > 0 {}
    }
    let gone = world.store.event_detail(batch[0].0.id).await;
    assert!(
        matches!(gone, Err(StoreError::NotFound(_))),
        "the event of incident {}: {gone:?}",
        opened.number
    );
    let look = |_: &Revealed| draft("event_reveal");
    assert_eq!(world.store.sealed_reveal(batch[0].0.id, &mark, look).await.unwrap().value, PASSWORD);

    let (more, fields) = sealed(&world, &with_secret(&world, PASSWORD)).await;
    world.store.archive_upsert_sealed(&more, &fields, None).await.unwrap();
    world.tamper("DELETE FROM evidence").await;
    for category in Category::ALL {
        while world.store.archive_prune(*category, later, 100).await.unwrap() > 0 {}
    }
    let gone = world.store.sealed_reveal(batch[0].0.id, &mark, look).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
}

async fn an_erasure_finds_names_in_what_is_sealed(world: World) {
    let batch = with_secret(&world, "of-wilhelmina 1");
    let stored = ingest(&world, &batch).await;
    assert!(stored[0].0.details.to_string().contains(MARK));
    let subject = Subject::new(SubjectKind::User, "of-wilhelmina").unwrap();
    let look = world.store.privacy_scan(&subject).await.unwrap();
    assert!(look.found.iter().any(|place| place.place == "sealed_field.sealed"), "{:?}", look.found);
    let (erasure, _) =
        world.store.privacy_erase(&subject, "robin", |_| draft("privacy_erase")).await.unwrap();
    let sealed = erasure.counts.iter().find(|count| count.what == "sealed_field");
    assert_eq!(sealed.map(|count| count.removed), Some(2), "{:?}", erasure.counts);
    assert!(world.store.event_detail(batch[0].0.id).await.is_err());
    assert_eq!(world.store.event_detail(batch[1].0.id).await.unwrap().event, batch[1].0);
    let left = world.store.privacy_scan(&subject).await.unwrap().found;
    assert!(left.is_empty(), "{left:?}");
}
