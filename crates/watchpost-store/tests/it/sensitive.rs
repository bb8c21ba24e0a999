//! Personal data and secrets where they do not belong, on both engines.

use chrono::Duration;
use watchpost_model::evidence::{EvidenceAsk, EvidenceParams, EvidenceQuery};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{Status, Verdict};
use watchpost_model::period::Period;
use watchpost_model::privacy::{Subject, SubjectKind};
use watchpost_model::register::RegisterKind;
use watchpost_store::IncidentPatch;

use crate::evidence::{SEED, ask, counts, entry, params, put};
use crate::support::{World, both, draft, events, finding};

both!(
    notes_are_looked_through,
    every_field_of_events_is_looked_through,
    what_a_rule_fired_on_counts_when_it_is_gone,
);

async fn notes_are_looked_through(world: World) {
    let batch = events(20, world.now() - Duration::hours(3));
    // Two rules on one event, and one on another: two events hold something.
    let hits = [(0, 3), (1, 3), (2, 4)]
        .map(|(n, event): (u32, usize)| finding(n, &batch[event].0, AttackFamily::DataLeak, "198.51.100.1"));
    let opened = world.ingest(&batch, &hits).await.opened;
    let incident = &opened[0];
    let asked = async |field: Option<&str>| {
        let field = field.map(str::to_owned);
        let asked = EvidenceParams { field, ..params(RegisterKind::Breach) };
        ask(&world, EvidenceQuery::SensitiveData, asked).await
    };
    assert_eq!(counts(&asked(None).await), (20, 2, 0), "nobody owns them yet");
    for text in
        ["asked the shop team", "the body was user=kim&password=Winter2026", "wrote to kim@shop-mail.de"]
    {
        world.store.note_add(incident.id, text, "dana", draft("incident_note")).await.unwrap();
    }
    assert_eq!(counts(&asked(None).await), (23, 4, 0), "two of the three notes hold something");
    assert_eq!(counts(&asked(Some("secret")).await), (23, 3, 0));
    assert_eq!(counts(&asked(Some("card_number")).await), (23, 2, 0));
    let resolved = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "seen".into())),
        assignee: Some(Some("dana".into())),
        ..IncidentPatch::default()
    };
    let version = world.store.incident_by_number(incident.number).await.unwrap().incident.version;
    world.store.incident_change(incident.id, version, resolved, draft("incident_resolve")).await.unwrap();
    assert_eq!(counts(&asked(None).await), (23, 0, 0), "in time");
    world.clock.advance(Duration::days(6));
    let late = asked(None).await;
    assert_eq!(counts(&late), (23, 0, 2), "the events were handled, the notes still hold it: {late:?}");
    let told = format!("{late:?}");
    assert!(
        !told.contains("Winter2026") && !told.contains("shop-mail"),
        "what was found is not printed: {told}"
    );
    let subject = format!("incident/{}", incident.number);
    put(&world, [entry(&world, RegisterKind::Exception, &subject, Duration::hours(1))]).await;
    assert_eq!(counts(&asked(None).await), (23, 2, 0), "an exception is in force");
}

async fn every_field_of_events_is_looked_through(world: World) {
    const CARD: &str = "4539578763621486";
    let mut batch = events(450, world.now() - Duration::hours(3));
    // On the first page, on a later one, and as the last of all.
    batch[0].0.resource = Some(format!("/card/{CARD}"));
    batch[30].0.actor = Some("kim@shop-mail.de".to_owned());
    batch[31].0.details = serde_json::json!({ "login": { "password": "Winter2026" } });
    batch[230].0.details = serde_json::json!({ "mail": "kim@shop-mail.de" });
    batch[449].0.details = serde_json::json!({ "card": { "number": "4539 5787 6362 1486" } });
    // A rule for data leaks counts its event once, with its incident.
    let hits = [finding(1, &batch[449].0, AttackFamily::DataLeak, "198.51.100.1")];
    world.ingest(&batch, &hits).await;
    let asked = async |field: Option<&str>| {
        let field = field.map(str::to_owned);
        let asked = EvidenceParams { field, ..params(RegisterKind::Breach) };
        ask(&world, EvidenceQuery::SensitiveData, asked).await
    };
    assert_eq!(counts(&asked(None).await), (450, 4, 0), "new ones without an owner");
    world.clock.advance(Duration::days(6));
    let late = asked(None).await;
    assert_eq!(counts(&late), (450, 0, 4), "nobody removed them: {late:?}");
    assert_eq!(counts(&asked(Some("card_number")).await), (450, 0, 2));
    assert_eq!(counts(&asked(Some("secret")).await), (450, 0, 2), "the rule may have meant one");
    assert_eq!(counts(&asked(Some("personal")).await), (450, 0, 2));
    let told = format!("{late:?}");
    assert!(!told.contains(CARD) && !told.contains("Winter2026"), "what was found is not printed: {told}");
    let event = format!("event/{}", batch[0].0.id);
    put(&world, [entry(&world, RegisterKind::Exception, &event, Duration::hours(1))]).await;
    let excused = asked(None).await;
    assert_eq!(counts(&excused), (450, 1, 3), "an exception is in force: {excused:?}");

    // All of a small population is its sample.
    let shown = Period::new(batch[0].0.at, batch[1].0.at).unwrap();
    let asked = EvidenceAsk { query: EvidenceQuery::SensitiveData, params: params(RegisterKind::Breach) };
    let answer = world.store.evidence(&asked, shown, world.now(), &SEED).await.unwrap();
    assert_eq!(answer.sample.rows.len(), 1, "{answer:?}");
    assert_eq!(answer.sample.rows[0][6], "/card/453957******1486");
}

async fn what_a_rule_fired_on_counts_when_it_is_gone(world: World) {
    let mut batch = events(5, world.now() - Duration::hours(3));
    for n in [2, 3] {
        batch[n].0.actor = Some("kim".to_owned());
        batch[n].0.details = serde_json::json!({ "card": { "number": "4539 5787 6362 1486" } });
    }
    let hits = [finding(1, &batch[2].0, AttackFamily::DataLeak, "198.51.100.1")];
    let opened = world.ingest(&batch, &hits).await.opened;
    let incident = &opened[0];
    let asked = async || {
        let asked = EvidenceParams { field: Some("card_number".to_owned()), ..params(RegisterKind::Breach) };
        ask(&world, EvidenceQuery::SensitiveData, asked).await
    };
    world.clock.advance(Duration::days(6));
    assert_eq!(counts(&asked().await), (5, 0, 2), "both are there, and late");
    let resolved = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "removed".into())),
        assignee: Some(Some("dana".into())),
        ..IncidentPatch::default()
    };
    world
        .store
        .incident_change(incident.id, incident.version, resolved, draft("incident_resolve"))
        .await
        .unwrap();
    let kim = Subject::new(SubjectKind::User, "kim").unwrap();
    world.store.privacy_erase(&kim, "robin", |_| draft("privacy_erase")).await.unwrap();
    let left = asked().await;
    assert_eq!(counts(&left), (3, 0, 1), "the finding stays, of the other one nothing is left: {left:?}");
    assert_eq!(left.rows[0][1], batch[2].0.id.to_string());
    assert!(left.basis.contains("once it is gone nothing says"), "and that is said: {}", left.basis);
}
