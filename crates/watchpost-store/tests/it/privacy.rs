//! Erasure: gone everywhere, refused where it must be, the trail still whole, done again in an older copy.

use chrono::Duration;
use watchpost_model::audit::{AuditDraft, AuditFilter, AuditVerification, Change};
use watchpost_model::block::{Block, BlockState};
use watchpost_model::event::{Category, Event};
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::BlockId;
use watchpost_model::incident::{Status, Verdict, VerdictCause};
use watchpost_model::privacy::{Erasure, Subject, SubjectKind};
use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind};
use watchpost_store::{
    DatabaseTarget, EventFilter, IncidentPatch, Replayed, Signer, Store, StoreError, VerifyPlan,
};

use crate::evidence::{entry, put, with};
use crate::support::{World, both, caller, draft, event, finding, of_hold};

both!(
    an_erased_user_is_gone_and_the_trail_holds,
    an_erased_address_is_gone,
    what_still_needs_it_is_not_erased,
    retention_leaves_alone_what_is_held,
    names_may_be_anything,
    content_that_went_without_an_erasure_is_found,
    a_row_that_cannot_be_read_stops_nothing,
    of_a_consent_the_proof_stays,
    a_key_that_was_moved_to_somebody_else_is_found_and_goes_with_its_person,
    erasing_whoever_wrote_about_an_erased_person_keeps_the_trail_whole,
);

fn user(name: &str) -> Subject {
    Subject::new(SubjectKind::User, name).unwrap()
}

fn ip(address: &str) -> Subject {
    Subject::new(SubjectKind::Ip, address).unwrap()
}

async fn verify(store: &Store) -> AuditVerification {
    store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap()
}

fn asked(erasure: &Erasure) -> AuditDraft {
    let mut draft = draft("privacy_erase");
    draft.caller = caller("robin");
    draft.object = format!("erasure/{}", erasure.id);
    draft.reason = Some("on request".to_owned());
    draft
}

async fn erase(store: &Store, subject: &Subject) -> Result<Erasure, StoreError> {
    store.privacy_erase(subject, "robin", asked).await.map(|(erasure, _)| erasure)
}

fn of(name: &str, n: u32, world: &World) -> (Event, String) {
    let mut event = event(n, world.now() - Duration::minutes(5) + Duration::seconds(i64::from(n)));
    event.actor = Some(name.to_owned());
    event.source_ip = Some("198.51.100.9".to_owned());
    event.details = serde_json::json!({ "text": format!("seen: {name}\nonce"), "other": "joanna" });
    let key = format!("security:api:%2Fsearch:{}-{n}", event.at.timestamp_millis());
    (event, key)
}

/// Events, an incident that was resolved, what people wrote, and a trail, all with `name` in them; and others.
async fn lived_in(world: &World, name: &str) {
    world.store.set_signer(Signer::from_seed(&[7; 32], "watchpost/desk").unwrap()).await.unwrap();
    let mut batch: Vec<(Event, String)> = (0..4).map(|n| of(name, n, world)).collect();
    batch.push(of("joanna", 10, world));
    let mut found = finding(1, &batch[0].0, AttackFamily::Sqli, "198.51.100.9");
    found.summary = format!("{name} tried it");
    let opened = world.ingest(&batch, &[found]).await.opened.remove(0);
    let mut by = draft("incident_resolve");
    by.caller = caller(name);
    by.reason = Some("looked at it".to_owned());
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, format!("it was {name}"))),
        cause: Some(VerdictCause::Other),
        assignee: Some(Some(name.to_owned())),
        ..IncidentPatch::default()
    };
    let incident = world.store.incident_row(opened.number).await.unwrap();
    world.store.incident_change(incident.id, incident.version, patch, by).await.unwrap();
    let mut about = draft("block_add");
    about.object = format!("account/{name}");
    about.reason = Some(format!("because of {name}, not joanna"));
    about.changes = vec![Change::new("note", serde_json::Value::Null, format!("see {name}"))];
    world.store.audit_append(about).await.unwrap();
    world.store.audit_append(draft("incident_take")).await.unwrap();
    world.store.checkpoint_now("test").await.unwrap();
}

async fn an_erased_user_is_gone_and_the_trail_holds(world: World) {
    lived_in(&world, "anna").await;
    let before = world.store.audit_head().await.unwrap();
    let anna = user("ANNA");
    let look = world.store.privacy_scan(&anna).await.unwrap();
    let places: Vec<&str> = look.found.iter().map(|place| place.place.as_str()).collect();
    for place in ["event.actor", "event.body", "incident.assignee", "finding.body", "audit_payload.sealed"] {
        assert!(places.contains(&place), "{place} is among {places:?}");
    }
    assert!(look.columns > 100, "{} columns", look.columns);

    let erasure = erase(&world.store, &anna).await.unwrap();
    let count = |what: &str| {
        let count = erasure.counts.iter().find(|count| count.what == what);
        count.map_or((0, 0), |count| (count.removed, count.changed))
    };
    assert_eq!(count("event"), (4, 0));
    assert_eq!(count("trail").0, 2, "what anna did, and what names anna: {:?}", erasure.counts);
    assert_eq!(count("subject_key"), (1, 0), "the key is destroyed");
    assert_eq!(count("finding"), (0, 1));
    let look = world.store.privacy_scan(&anna).await.unwrap();
    assert_eq!(look.found, [], "nothing is left");
    assert!(look.letters > 0, "joanna has the letters");
    let left = world.store.event_page(&EventFilter::default(), None, 100).await.unwrap().rows;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].actor.as_deref(), Some("joanna"), "others stay");
    let detail = world.store.incident_row(1).await.unwrap();
    assert_eq!(detail.assignee.as_deref(), Some(erasure.pseudonym.as_str()));

    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
    assert!(checked.leaves > before.size.cast_signed(), "nothing went from the log");
    assert_eq!(checked.erased.iter().map(|erased| erased.n).sum::<u64>(), 2);
    assert_eq!(checked.erased[0].record, erasure.record, "it says by which record");
    let trail = world.store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    let own = trail.iter().find(|record| record.action == "incident_resolve").unwrap();
    assert_eq!((own.actor.as_str(), own.reason.as_deref()), (erasure.pseudonym.as_str(), None));
    let named = trail.iter().find(|record| record.action == "block_add").unwrap();
    assert_eq!((named.actor.as_str(), named.object.as_str()), ("dana", "[erased]"), "who did it stays");
    assert_eq!(world.store.audit_erased_by(named.seq).await.unwrap(), Some(erasure.record));
    let untouched = trail.iter().find(|record| record.action == "incident_take").unwrap();
    assert_eq!(world.store.audit_erased_by(untouched.seq).await.unwrap(), None);
    let listed = world.store.erasures().await.unwrap();
    assert_eq!((listed.len(), listed[0].record), (1, erasure.record));
    // The same name again later is somebody new, with a key of their own.
    let mut again = draft("incident_note");
    again.caller = caller("anna");
    world.store.audit_append(again).await.unwrap();
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
}

async fn erasing_whoever_wrote_about_an_erased_person_keeps_the_trail_whole(world: World) {
    lived_in(&world, "anna").await;
    let mut about = Vec::new();
    for who in ["kim", "robin", "kim", "lee", "robin"] {
        let mut about_anna = draft("incident_note");
        about_anna.caller = caller(who);
        about_anna.reason = Some("anna called".to_owned());
        about.push(world.store.audit_append(about_anna).await.unwrap());
    }
    let anna = erase(&world.store, &user("anna")).await.unwrap();
    assert!(verify(&world.store).await.ok);
    // The records of kim lie between others that lost their content with anna.
    erase(&world.store, &user("kim")).await.unwrap();
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
    for seq in &about {
        assert_eq!(world.store.audit_erased_by(*seq).await.unwrap(), Some(anna.record), "record {seq}");
    }
    // What somebody takes is not excused by an erasure that comes later.
    let mut of_lee = draft("incident_note");
    of_lee.caller = caller("robin");
    of_lee.object = "account/lee".to_owned();
    let taken = world.store.audit_append(of_lee).await.unwrap();
    assert_eq!(world.tamper(&format!("DELETE FROM audit_payload WHERE seq = {taken}")).await, 1);
    erase(&world.store, &user("lee")).await.unwrap();
    let checked = verify(&world.store).await;
    assert_eq!(checked.first_bad_seq, Some(taken), "{:?}", checked.problems);
}

async fn a_key_that_was_moved_to_somebody_else_is_found_and_goes_with_its_person(world: World) {
    lived_in(&world, "anna").await;
    let of = |name: &str| format!("(SELECT id FROM audit_name WHERE kind = 'actor' AND name = '{name}')");
    let moved = format!("UPDATE subject_key SET subject = 'somebody else' WHERE subject = {}", of("anna"));
    world.tamper(&moved).await;
    let found = verify(&world.store).await;
    assert!(!found.ok && found.first_bad_seq.is_some(), "{found:?}");
    let said = found.problems.iter().any(|problem| problem.contains("stands under another person"));
    assert!(said, "{:?}", found.problems);

    // Hers goes with her, and what is put under her name of somebody else's stays.
    let moved = format!("UPDATE subject_key SET subject = {} WHERE subject = {}", of("anna"), of("dana"));
    world.tamper(&moved).await;
    let erasure = erase(&world.store, &user("anna")).await.unwrap();
    let keys = erasure.counts.iter().find(|count| count.what == "subject_key").map(|count| count.removed);
    assert_eq!(keys, Some(1));
    let left = verify(&world.store).await;
    let others = left.problems.iter().filter(|problem| problem.contains("stands under another person"));
    assert!(others.count() > 0, "the key of dana is there: {:?}", left.problems);
    let gone = left.erased.iter().map(|erased| erased.n).sum::<u64>();
    assert_eq!(gone, 2, "no more than what she did and what names her: {:?}", left.problems);
}

async fn an_erased_address_is_gone(world: World) {
    lived_in(&world, "anna").await;
    let address = ip("::ffff:198.51.100.9");
    let erasure = erase(&world.store, &address).await.unwrap();
    assert_eq!(world.store.privacy_scan(&address).await.unwrap().found, []);
    let incident = world.store.incident_row(1).await.unwrap();
    assert_eq!(incident.entity.value, erasure.pseudonym);
    let left = world.store.event_page(&EventFilter::default(), None, 100).await.unwrap().rows;
    assert_eq!(left, [], "all were from there");
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
    // Another one in the same network is another one.
    assert_eq!(erase(&world.store, &ip("198.51.100.90")).await.unwrap().counts, []);
}

async fn what_still_needs_it_is_not_erased(world: World) {
    lived_in(&world, "anna").await;
    let (anna, address) = (user("anna"), ip("198.51.100.9"));
    let refused = |result: Result<Erasure, StoreError>, word: &str| {
        let Err(StoreError::Precondition(text)) = result else { panic!("{word}: {result:?}") };
        assert!(text.contains(word) && !text.contains("anna") && !text.contains("198.51"), "{text}");
    };
    let hold = world
        .store
        .hold_add(&user("Anna"), "case 7", "legal", "dana", |hold| of_hold("hold_add", &hold.id))
        .await
        .unwrap();
    refused(erase(&world.store, &anna).await, "legal hold");
    let again = world
        .store
        .hold_release(&hold.id, "robin", "closed", of_hold("hold_release", &hold.id))
        .await
        .unwrap();
    assert_eq!(again.released_by.as_deref(), Some("robin"));
    let twice =
        world.store.hold_release(&hold.id, "robin", "closed", of_hold("hold_release", &hold.id)).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    let none = world.store.hold_release("nothing", "robin", "closed", draft("hold_release")).await;
    assert!(matches!(none, Err(StoreError::NotFound(_))), "{none:?}");

    let block = Block {
        id: BlockId::at(world.now()),
        target: "198.51.100.9".parse().unwrap(),
        reason: "scan".to_owned(),
        created_by: "dana".to_owned(),
        created_at: world.now(),
        expires_at: world.now() + Duration::hours(1),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: None,
    };
    world.store.block_insert(&block, draft("block_add")).await.unwrap();
    refused(erase(&world.store, &address).await, "block");
    world.store.block_state_set(block.id, BlockState::Active, None, draft("block_add")).await.unwrap();
    refused(erase(&world.store, &address).await, "in force");
    world
        .store
        .block_state_set(block.id, BlockState::Removed, Some("dana"), draft("block_remove"))
        .await
        .unwrap();

    let mut found = finding(2, &of("anna", 20, &world).0, AttackFamily::BruteForce, "198.51.100.9");
    found.summary = "again".to_owned();
    world.ingest(&[of("anna", 20, &world)], &[found]).await;
    refused(erase(&world.store, &address).await, "#2");
    let before = world.store.privacy_scan(&address).await.unwrap();
    assert!(!before.found.is_empty(), "a refusal changes nothing");
    let incident = world.store.incident_row(2).await.unwrap();
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::FalsePositive, "no".to_owned())),
        cause: Some(VerdictCause::Other),
        ..IncidentPatch::default()
    };
    world
        .store
        .incident_change(incident.id, incident.version, patch, draft("incident_resolve"))
        .await
        .unwrap();
    erase(&world.store, &address).await.unwrap();
    erase(&world.store, &anna).await.unwrap();
    for subject in [anna, address] {
        assert_eq!(world.store.privacy_scan(&subject).await.unwrap().found, []);
    }
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
}

async fn retention_leaves_alone_what_is_held(world: World) {
    let batch: Vec<(Event, String)> =
        ["anna", "Anna", "joanna"].into_iter().zip(0..).map(|(name, n)| of(name, n, &world)).collect();
    world.ingest(&batch, &[]).await;
    let later = world.now() + Duration::days(400);
    let due = async || world.store.archive_due(Category::ApiUsage, later).await.unwrap();
    assert_eq!(due().await, 3);
    let hold = world
        .store
        .hold_add(&user("anna"), "case 7", "legal", "dana", |hold| of_hold("hold_add", &hold.id))
        .await
        .unwrap();
    assert_eq!(due().await, 1, "both spellings are held");
    assert_eq!(world.store.archive_prune(Category::ApiUsage, later, 100).await.unwrap(), 1);
    world
        .store
        .hold_add(&ip("198.51.100.9"), "case 8", "legal", "dana", |hold| of_hold("hold_add", &hold.id))
        .await
        .unwrap();
    world.store.hold_release(&hold.id, "robin", "closed", of_hold("hold_release", &hold.id)).await.unwrap();
    assert_eq!(due().await, 0, "the address is held");
    let holds = world.store.holds().await.unwrap();
    assert_eq!(holds.len(), 2);
    assert!(holds[0].released_at.is_none() && holds[1].released_at.is_some(), "those in force first");
}

async fn names_may_be_anything(world: World) {
    let names = [
        "o\"brien",
        "back\\slash",
        "per%cent_under!",
        "Ünïcödé 💥",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "anna.smith@example.org",
        "two words",
        "{\"a\":1}",
        "\u{202e}rtl",
    ];
    for (n, name) in (0..).zip(names) {
        let batch = vec![of(name, n, &world), of(&format!("x{name}x"), 100 + n, &world)];
        world.ingest(&batch, &[]).await;
        let mut record = draft("incident_note");
        record.caller = caller(name);
        record.reason = Some(format!("said \"{name}\" and\n{name}"));
        world.store.audit_append(record).await.unwrap();
    }
    for name in names {
        let subject = user(name);
        assert!(!world.store.privacy_scan(&subject).await.unwrap().found.is_empty(), "{name:?} is there");
        let erasure = erase(&world.store, &subject).await.unwrap();
        assert!(erasure.counts.iter().any(|count| count.what == "event" && count.removed == 1), "{name:?}");
        assert_eq!(world.store.privacy_scan(&subject).await.unwrap().found, [], "{name:?}");
    }
    let left = world.store.event_page(&EventFilter::default(), None, 100).await.unwrap().rows.len();
    assert_eq!(left, names.len(), "those with more letters are others");
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
}

async fn content_that_went_without_an_erasure_is_found(world: World) {
    lived_in(&world, "anna").await;
    erase(&world.store, &user("anna")).await.unwrap();
    let trail = world.store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    let erased = trail.iter().find(|record| record.action == "block_add").unwrap().seq;
    let other = trail.iter().find(|record| record.action == "incident_take").unwrap().seq;
    for (what, sql, seq) in [
        ("another payload", format!("DELETE FROM audit_payload WHERE seq = {other}"), other),
        ("a false actor", format!("UPDATE audit_record SET actor = 'mallory' WHERE seq = {erased}"), erased),
        ("a false object", format!("UPDATE audit_record SET object = 'x' WHERE seq = {erased}"), erased),
        ("a false search", format!("UPDATE audit_record SET search = 'x' WHERE seq = {erased}"), erased),
    ] {
        for table in ["audit_record", "audit_payload"] {
            world.tamper(&format!("CREATE TABLE good_{table} AS SELECT * FROM {table}")).await;
        }
        assert_eq!(world.tamper(&sql).await, 1, "{what}");
        let found = verify(&world.store).await;
        assert_eq!((found.ok, found.first_bad_seq), (false, Some(seq)), "{what}: {:?}", found.problems);
        for table in ["audit_record", "audit_payload"] {
            world.tamper(&format!("DELETE FROM {table} WHERE seq IN (SELECT seq FROM good_{table})")).await;
            world.tamper(&format!("INSERT INTO {table} SELECT * FROM good_{table}")).await;
            world.tamper(&format!("DROP TABLE good_{table}")).await;
        }
    }
    assert!(verify(&world.store).await.ok, "all of it was put back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_is_held_to_what_was_erased_since() {
    let world = World::sqlite().await;
    lived_in(&world, "anna").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    world.store.copy_to(&path, &|| true).await.unwrap();
    let erasure = erase(&world.store, &user("Anna")).await.unwrap();
    erase(&world.store, &user("nobody-there")).await.unwrap();
    let (log, kept) = world.store.erasures_kept().await.unwrap();
    assert_eq!(kept.len(), 2);
    let said = serde_json::to_string(&kept).unwrap();
    assert!(!said.to_lowercase().contains("anna"), "the list says no names: {said}");

    let copy = world.store.open_copy(&path, &|| true).await.unwrap();
    let (of_copy, known) = copy.erasures().await.unwrap();
    copy.end().await;
    assert_eq!((of_copy, known.len()), (log, 0));
    let old = Store::open(&DatabaseTarget::Sqlite { path: path.clone() }, world.clock.clone()).await.unwrap();
    assert!(!old.privacy_scan(&user("anna")).await.unwrap().found.is_empty(), "it is in the older copy");
    // A hold stands against it: what was erased would not come back, and the mark may be of a copy that somebody altered.
    let hold = old
        .hold_add(&user("anna"), "case 7", "legal", "dana", |hold| of_hold("hold_add", &hold.id))
        .await
        .unwrap();
    let before = old.privacy_scan(&user("anna")).await.unwrap().found;
    let replayed = old.privacy_replay(&kept).await.unwrap();
    assert_eq!((replayed.done.len(), replayed.held), (1, 1), "the one of whom nothing is here is done");
    assert_eq!(old.privacy_scan(&user("anna")).await.unwrap().found, before, "she is as she was");
    let replayed = old.privacy_replay(&kept).await.unwrap();
    assert_eq!((replayed.done.len(), replayed.held), (0, 1), "it is told each time");
    old.hold_release(&hold.id, "robin", "closed", of_hold("hold_release", &hold.id)).await.unwrap();
    let replayed = old.privacy_replay(&kept).await.unwrap();
    assert_eq!((replayed.done.len(), replayed.held), (1, 0));
    assert_eq!(replayed.done[0].pseudonym, erasure.pseudonym, "the same one as before");
    assert_eq!(old.privacy_scan(&user("anna")).await.unwrap().found, []);
    assert_eq!(old.privacy_replay(&kept).await.unwrap(), Replayed::default(), "once");
    let checked = verify(&old).await;
    assert!(checked.ok, "{:?}", checked.problems);
    old.privacy_rewrite().await.unwrap();
    old.close().await;
    let bytes = std::fs::read(&path).unwrap();
    let found = bytes.windows(4).filter(|window| window.eq_ignore_ascii_case(b"anna")).count();
    let others = bytes.windows(6).filter(|window| window.eq_ignore_ascii_case(b"joanna")).count();
    assert_eq!(found, others, "only joanna has these letters in the file");
}

/// Files are known from reports, jobs and the trail; a row that somebody broke is named and keeps nobody from being erased.
async fn a_row_that_cannot_be_read_stops_nothing(world: World) {
    let mut export = draft("export_run");
    export.changes =
        vec![Change::new("file", serde_json::Value::Null, format!("{} /srv/anna.csv", "a".repeat(64)))];
    world.store.audit_append(export).await.unwrap();
    let body = "{\"file\": is no JSON";
    let broken = format!(
        "INSERT INTO job_run (id, kind, state, started_at, ended_at, owner, seen_at, body) \
         VALUES ('broken', 'export', 'done', 0, 0, 'x', 0, '{body}')"
    );
    assert_eq!(world.tamper(&broken).await, 1);
    let known = world.store.files_known().await.unwrap();
    assert_eq!(known.unread, ["job run broken"]);
    let subject = Subject::new(SubjectKind::User, "anna").unwrap();
    let (erasure, files) = world.store.privacy_erase(&subject, "robin", asked).await.unwrap();
    assert!(erasure.record >= 0);
    assert!(files.contains("/srv/anna.csv"), "as the trail said before: {files:?}");
    let look = world.store.privacy_scan(&subject).await.unwrap();
    assert!(look.opened > 0 && look.found.is_empty(), "{:?}", look.found);
}

async fn of_a_consent_the_proof_stays(world: World) {
    let given = [("purpose", "newsletter"), ("text", "terms 3"), ("how", "signed by anna at the desk")];
    let withdrawn = [("withdrawn", "a letter of anna"), ("withdrawn_at", "2026-01-05T08:00:00Z")];
    let consent = |subject: &str, days| {
        let consent = with(entry(&world, RegisterKind::Consent, subject, Duration::days(days)), &given);
        RegisterEntry { note: "has two children".to_owned(), ..consent }
    };
    let ended = consent("account/anna", 9);
    let ended = RegisterEntry {
        result: EntryResult::Good,
        closed_at: Some(world.now() - Duration::days(1)),
        ..with(ended, &withdrawn)
    };
    put(&world, [ended.clone(), consent("account/anna", 5), consent("account/joanna", 3)]).await;
    erase(&world.store, &user("anna")).await.unwrap();

    let all = world.store.register_entries(Some(RegisterKind::Consent), None, 10).await.unwrap();
    let [other, stood, gone] = &all[..] else { panic!("three consents: {all:?}") };
    assert_eq!(
        (other.result, other.note.as_str()),
        (EntryResult::Open, "has two children"),
        "of somebody else"
    );
    for one in [stood, gone] {
        assert!(one.subject.starts_with("account/erased-"), "{one:?}");
        assert_eq!(one.result, EntryResult::Good, "nothing rests on it any more");
        assert_eq!((one.note.as_str(), one.version), ("", 2));
        let fact = |name: &str| one.fields.get(name).map(String::as_str);
        assert_eq!((fact("purpose"), fact("text")), (Some("newsletter"), Some("terms 3")));
        assert_eq!((fact("how"), fact("withdrawn")), (Some("[erased]"), Some("[erased]")));
    }
    assert_eq!(gone.closed_at, ended.closed_at, "when it was withdrawn is the proof");
    assert_eq!(gone.fields.get("withdrawn_at").map(String::as_str), Some("2026-01-05T08:00:00Z"));
    assert_eq!(stood.closed_at, Some(world.now()), "one that stood ends with the erasure");
    let look = world.store.privacy_scan(&user("anna")).await.unwrap();
    assert_eq!(look.found, [], "nothing is left");
    assert!(verify(&world.store).await.ok);
}
