//! People's rights through the door: erased everywhere, held, told, and done again in an older backup.

use std::collections::BTreeSet;

use watchpost_model::access::{Caller, Role};
use watchpost_model::approval::FourEyes;
use watchpost_model::audit::{AuditFilter, AuditOutcome};
use watchpost_model::connection::{Connection, DatabaseConnection};
use watchpost_model::event::Category;
use watchpost_model::ids::{ConnectionId, EventId};
use watchpost_model::incident::{Status, Verdict, VerdictCause};
use watchpost_model::privacy::{ResidueState, Subject, SubjectKind};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    ApprovalDecision, ApprovalPolicyPut, AuditAccept, AuditPageRequest, AuditVerify, DatabaseBackup,
    DatabaseRestore, EventPageRequest, HoldAdd, HoldRelease, IncidentPageRequest, IncidentResolve, Nothing,
    PrivacyErase, PrivacyErased, PrivacyExport, PrivacyRef,
};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk, folder};
use crate::jobs::{cli, events, store};
use crate::report_tampered::tamper;

fn erase(name: &str) -> PrivacyErase {
    PrivacyErase { kind: SubjectKind::User, subject: name.to_owned(), reason: "request 12".to_owned() }
}

fn who(name: &str) -> PrivacyRef {
    PrivacyRef { kind: SubjectKind::User, subject: name.to_owned() }
}

/// Accounts in the archive.
async fn accounts(desk: &Desk) -> BTreeSet<String> {
    let request = EventPageRequest { limit: 500, ..EventPageRequest::default() };
    let page = desk.ask::<operation::event_page>(request).await.expect("events can be listed");
    page.rows.into_iter().filter_map(|event| event.actor).collect()
}

/// Ends all work: whose incidents are open cannot be erased, and a simulation may put everybody into one.
async fn resolve_all(desk: &Desk) {
    let request = IncidentPageRequest { limit: 500, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(request).await.expect("incidents can be listed");
    for incident in page.rows.iter().filter(|incident| incident.status != Status::Resolved) {
        let resolve = IncidentResolve {
            number: incident.number,
            verdict: Verdict::TruePositive,
            cause: Some(VerdictCause::AttackFailed),
            reason: "an exercise".to_owned(),
            duplicate_of: None,
            version: None,
        };
        desk.ask::<operation::incident_resolve>(resolve).await.expect("it can be resolved");
    }
}

/// Erases the first account that may be.
async fn erase_somebody(desk: &Desk) -> (String, PrivacyErased) {
    for name in accounts(desk).await {
        match desk.ask::<operation::privacy_erase>(erase(&name)).await {
            Ok(erased) => return (name, erased),
            Err(OpError { code: ErrorCode::Precondition | ErrorCode::Validation, message, .. }) => {
                assert!(!message.contains(&name), "a refusal does not name the person: {message}");
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("there is somebody without an incident")
}

fn found(erased: &PrivacyErased) -> Vec<&str> {
    let found = erased.residue.iter().filter(|place| place.state == ResidueState::Found);
    found.map(|place| place.place.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_erased_everywhere_and_the_trail_says_so() {
    let (home, vault) = (folder(), folder());
    let desk1 = desk(&home, Tenure::Owner, local_connection()).await;
    desk1.fill().await;
    let file = vault.path().join("before.db");
    let backup = DatabaseBackup { path: file.display().to_string(), ticket: None, encryption: None };
    desk1.ask::<operation::database_backup>(backup).await.expect("a backup is made");

    resolve_all(&desk1).await;
    let (name, erased) = erase_somebody(&desk1).await;
    let path = file.display().to_string();
    assert_eq!(found(&erased), [path.as_str()], "{:#?}", erased.residue);
    assert!(!erased.clean, "the backup holds it still");
    let state = |place: &str| {
        let found = erased.residue.iter().find(|one| one.place.starts_with(place));
        found.unwrap_or_else(|| panic!("{place}: {:?}", erased.residue)).state
    };
    assert_eq!((state("database"), state("Redis")), (ResidueState::Clean, ResidueState::Clean));
    assert_eq!(state("files of Redis"), ResidueState::Clean, "they are written anew");
    assert_ne!(state("bytes of "), ResidueState::Found);
    assert_eq!(state("copies outside"), ResidueState::OutOfReach, "what is out of reach is told");
    assert!(!accounts(&desk1).await.contains(&name));
    let look = desk1.ask::<operation::privacy_preview>(who(&name)).await.expect("it can be looked for");
    assert_eq!(look.places, []);

    let request = AuditVerify { full: true, ticket: None };
    let checked = desk1.ask::<operation::audit_verify>(request).await.expect("the trail can be checked");
    assert!(checked.ok, "{:?}", checked.problems);
    let filter = AuditFilter { text: Some(name.clone()), ..AuditFilter::default() };
    let request = AuditPageRequest { filter, before: None, limit: 100 };
    let named = desk1.ask::<operation::audit_page>(request).await.expect("the trail can be read").rows;
    let named: Vec<_> = named.iter().map(|record| (&record.action, &record.object, &record.reason)).collect();
    assert_eq!(named, [], "no record names the person, not that of the erasure and none of a refusal");
    assert_eq!(desk1.trail("privacy_erase", AuditOutcome::Success).await, 1);

    // An older backup is put back without the person.
    let to = vault.path().join("back.db");
    let restore =
        DatabaseRestore { path, to: to.display().to_string(), database: None, ticket: None, key: None };
    let restored = desk1.ask::<operation::database_restore>(restore).await.expect("it can be put back");
    assert_eq!((restored.erased_again, restored.trail.ok), (1, true), "{:?}", restored.trail.problems);
    let list = desk1.ask::<operation::privacy_list>(Nothing {}).await.expect("erasures can be listed");
    assert_eq!(list.erasures.len(), 1);

    // As is one that takes the place of the database while nobody looks.
    desk1.console.close().await;
    let database = home.path().join("data/workspace/watchpost.db");
    assert!(database.is_file(), "the database of the local workspace");
    std::fs::copy(&file, &database).expect("it can be replaced");
    let desk2 = desk(&home, Tenure::Guest, local_connection()).await;
    let look = desk2.ask::<operation::privacy_preview>(who(&name)).await.expect("it can be looked for");
    assert_eq!(look.places, [], "what was erased stays erased");
    desk2.console.close().await;
}

/// The clock of an application may be ahead, and what it wrote may be no event: neither keeps a name in Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_takes_events_of_every_time_and_broken_ones_from_redis() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let ahead = |minutes: i64, actor: &str| {
        let mut event = events(1, Category::Authentication).remove(0);
        event.at += chrono::Duration::minutes(minutes);
        event.id = EventId::at(event.at);
        event.kind = "login_success".to_owned();
        event.actor = Some(actor.to_owned());
        event
    };
    let written = [ahead(3, "zelda"), ahead(366 * 24 * 60, "zelda"), ahead(4, "olga")];
    store(&home).await.write_events(&written).await.expect("they are written");
    let broken =
        ["security:auth:1700000000001", "security:auth:1700000000002", "security:auth:1700000000003"];
    let of = [["zelda", "{}"], ["nobody", "{zelda"], ["olga", "{olga"]];
    for (key, [actor, payload]) in broken.into_iter().zip(of) {
        cli(&home, &["HSET", key, "actor", actor, "severity", "bogus", "payload", payload]);
        cli(&home, &["XADD", "security:events", "*", "key", key]);
    }
    desk.console.until_idle().await.expect("the engine works");
    let list = desk.ask::<operation::quarantine_list>(Nothing {}).await.expect("it can be listed");
    assert_eq!(list.rows.len(), 3, "{:?}", list.rows);

    let redis = |erased: &PrivacyErased| {
        let found = erased.residue.iter().find(|place| place.place == "Redis");
        found.cloned().unwrap_or_else(|| panic!("{:#?}", erased.residue))
    };
    let erased = desk.ask::<operation::privacy_erase>(erase("zelda")).await.expect("it can be erased");
    let told = redis(&erased);
    assert_eq!(told.state, ResidueState::Clean, "{told:?}");
    assert!(told.detail.starts_with("4 events removed"), "{told:?}");
    let keys = cli(&home, &["--scan", "--pattern", "security:auth:*"]);
    assert_eq!(keys.lines().count(), 2, "those of somebody else stay: {keys}");
    for key in keys.lines() {
        let held = cli(&home, &["HGETALL", key]);
        assert!(held.contains("olga") && !held.contains("zelda"), "{key}: {held}");
    }
    let list = desk.ask::<operation::quarantine_list>(Nothing {}).await.expect("it can be listed");
    assert_eq!(list.rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), [broken[2]]);

    // What cannot be looked into is told by its key, and is no clean one.
    let other = "security:auth:1700000000004";
    cli(&home, &["SET", other, "zelda"]);
    let erased = desk.ask::<operation::privacy_erase>(erase("zelda")).await.expect("it can be erased");
    let told = redis(&erased);
    assert_eq!(told.state, ResidueState::Unread, "{told:?}");
    assert!(told.detail.contains(other) && !erased.clean, "{told:?}");
    desk.console.close().await;
}

/// Whoever can write to a copy could have anybody erased from the database by the mark of an erasure that was never asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_says_of_nobody_that_they_were_erased() {
    let (home, vault) = (folder(), folder());
    let database = home.path().join("data/workspace/watchpost.db");
    let (older, newer) = (vault.path().join("older.db"), vault.path().join("newer.db"));
    let first = desk(&home, Tenure::Owner, local_connection()).await;
    first.fill().await;
    let name = accounts(&first).await.into_iter().next().expect("there are accounts");
    first.console.close().await;
    std::fs::copy(&database, &older).expect("it can be copied");
    let second = desk(&home, Tenure::Guest, local_connection()).await;
    second.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("it leaves a record");
    let workspace = second.console.workspace().expect("it is open");
    let log = workspace.store().audit_log_id().await.expect("it has a log");
    drop(workspace);
    second.console.close().await;
    std::fs::copy(&database, &newer).expect("it can be copied");

    std::fs::copy(&older, &database).expect("it can be replaced");
    let mark = Subject::new(SubjectKind::User, &name).expect("a name").mark(&log);
    let forged = format!(
        "INSERT INTO erasure (id, at, done_by, kind, mark, pseudonym, counts) \
         VALUES ('feedfeedfeedfeed', 0, 'nobody', 'user', '{mark}', 'erased-feedfeed', '[]')"
    );
    tamper(&home, &forged);
    let third = desk(&home, Tenure::Guest, local_connection()).await;
    let status = third.ask::<operation::workspace_status>(Nothing {}).await.expect("a status never fails");
    assert!(!status.trail.expect("it is open").ok, "it is older than what was seen");
    third.console.close().await;

    std::fs::copy(&newer, &database).expect("it can be put back");
    let fourth = desk(&home, Tenure::Guest, local_connection()).await;
    let list = fourth.ask::<operation::privacy_list>(Nothing {}).await.expect("erasures can be listed");
    assert_eq!(list.erasures, [], "nobody asked for one");
    let look = fourth.ask::<operation::privacy_preview>(who(&name)).await.expect("it can be looked for");
    assert!(!look.places.is_empty(), "nobody is gone");
    fourth.console.close().await;
}

/// Nor does a copy that continues the log, which nothing is held against, until a person takes it as it is; and then a legal hold
/// in the database stands against it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_elsewhere_says_of_nobody_that_they_were_erased() {
    let (home, vault) = (folder(), folder());
    let first = desk(&home, Tenure::Owner, local_connection()).await;
    first.fill().await;
    let is_name = |name: &String| Subject::new(SubjectKind::User, name).is_ok();
    let mut names = accounts(&first).await.into_iter().filter(is_name);
    let (kept, free) = (names.next().expect("an account"), names.next().expect("and another one"));
    let add = HoldAdd {
        kind: SubjectKind::User,
        subject: kept.clone(),
        reason: "case 7".to_owned(),
        owner: "legal".to_owned(),
    };
    first.ask::<operation::hold_add>(add).await.expect("a hold can be placed");
    let workspace = first.console.workspace().expect("it is open");
    let log = workspace.store().audit_log_id().await.expect("it has a log");
    drop(workspace);
    let id = ConnectionId::at(first.console.now());
    first.console.close().await;

    let copy = vault.path().join("copy.db");
    std::fs::copy(home.path().join("data/workspace/watchpost.db"), &copy).expect("it can be copied");
    for (id, name) in [("feedfeedfeedfeed", &kept), ("beadbeadbeadbead", &free)] {
        let mark = Subject::new(SubjectKind::User, name).expect("a name").mark(&log);
        let pseudonym = &id[..8];
        let forged = format!(
            "INSERT INTO erasure (id, at, done_by, kind, mark, pseudonym, counts) \
             VALUES ('{id}', 0, 'nobody', 'user', '{mark}', 'erased-{pseudonym}', '[]')"
        );
        tamper(&vault, &forged);
    }
    let database = DatabaseConnection::Sqlite { path: Some(copy.display().to_string()) };
    let look = Connection { id, name: "look".to_owned(), database, ..local_connection() };
    let is_here = async |desk: &Desk, name: &str| {
        let workspace = desk.console.workspace().expect("it is open");
        let subject = Subject::new(SubjectKind::User, name).expect("a name");
        let look = workspace.store().privacy_scan(&subject).await.expect("it can be looked through");
        !look.found.is_empty()
    };
    for n in 0..2 {
        let second = desk(&home, Tenure::Guest, look.clone()).await;
        let status = second.ask::<operation::workspace_status>(Nothing {}).await.expect("never fails");
        let trail = status.trail.expect("it is open");
        assert!(n > 0 || trail.ok, "it continues what was seen: {}", trail.detail);
        second.console.close().await;
        let third = desk(&home, Tenure::Guest, local_connection()).await;
        assert!(is_here(&third, &kept).await && is_here(&third, &free).await, "nobody asked for an erasure");
        third.console.close().await;
    }

    let fourth = desk(&home, Tenure::Guest, look).await;
    let accept = || AuditAccept { reason: "the machine moved".to_owned() };
    fourth.ask::<operation::audit_accept>(accept()).await.expect("it can be taken as it is");
    let refused = fourth.ask::<operation::audit_accept>(accept()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Precondition, "once");
    fourth.console.close().await;
    let fifth = desk(&home, Tenure::Guest, local_connection()).await;
    assert!(is_here(&fifth, &kept).await, "a hold keeps this one");
    assert!(!accounts(&fifth).await.contains(&free), "and nothing the other one");
    let list = fifth.ask::<operation::privacy_list>(Nothing {}).await.expect("erasures can be listed");
    let done: Vec<_> = list.erasures.iter().map(|erasure| erasure.id.as_str()).collect();
    assert_eq!(done, ["beadbeadbeadbead"]);
    fifth.console.close().await;
}

/// Nobody says that a name is nowhere while a copy that the trail names was not looked into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_cannot_be_read_is_no_clean_one() {
    let (home, vault) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    for name in ["unread.json", "gone.json"] {
        let path = vault.path().join(name).display().to_string();
        let export = PrivacyExport { kind: SubjectKind::User, subject: "nobody.known".into(), path };
        desk.ask::<operation::privacy_export>(export).await.expect("it is exported");
        std::fs::remove_file(vault.path().join(name)).expect("it goes");
    }
    // A link to itself: who may read all files cannot read this one either.
    let unread = vault.path().join("unread.json");
    std::os::unix::fs::symlink(&unread, &unread).expect("a link is made");
    resolve_all(&desk).await;
    let (_, erased) = erase_somebody(&desk).await;
    let state = |place: &str| {
        let found = erased.residue.iter().find(|one| one.place == place);
        found.unwrap_or_else(|| panic!("{place}: {:?}", erased.residue)).state
    };
    assert_eq!(found(&erased), Vec::<&str>::new());
    assert_eq!(state(&unread.display().to_string()), ResidueState::Unread);
    assert_eq!(state("exports, reports and backups"), ResidueState::OutOfReach);
    assert!(!erased.clean, "one copy was not looked into");
    desk.console.close().await;
}

/// A folder that was not read to its end is no clean one, and many copies do not bury the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_many_copies_is_told_in_few_rows_and_not_as_clean() {
    let (home, vault) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    resolve_all(&desk).await;
    let [many, named, deep] = ["many.json", "named.json", "deep.json"].map(|name| vault.path().join(name));
    for path in [&many, &named, &deep] {
        let path = path.display().to_string();
        let export = PrivacyExport { kind: SubjectKind::User, subject: "nobody.known".into(), path };
        desk.ask::<operation::privacy_export>(export).await.expect("it is exported");
    }
    let everybody = accounts(&desk).await.into_iter().collect::<Vec<_>>().join("\n");
    for (path, n, text) in [(&many, 1_001, ""), (&named, 30, everybody.as_str())] {
        std::fs::remove_file(path).expect("it goes");
        std::fs::create_dir(path).expect("a folder takes its place");
        for n in 0..n {
            std::fs::write(path.join(format!("{n}.txt")), text).expect("it is written");
        }
    }
    std::fs::remove_file(&deep).expect("it goes");
    std::fs::create_dir_all(deep.join("tile/0")).expect("folders take its place");
    std::fs::write(deep.join("tile/0/000"), &everybody).expect("it is written");
    let (_, erased) = erase_somebody(&desk).await;
    let of = |path: &std::path::Path| {
        let path = path.display().to_string();
        erased.residue.iter().filter(move |one| one.place.contains(&path)).collect::<Vec<_>>()
    };
    let found = of(&many);
    assert_eq!(found.iter().map(|one| one.state).collect::<Vec<_>>(), [ResidueState::Unread], "{found:#?}");
    let found = of(&named);
    assert!(found.len() == 21 && found.iter().all(|one| one.state == ResidueState::Found), "{found:#?}");
    let more = found.iter().find(|one| one.place.starts_with("10 more files in ")).expect("the others");
    assert!(more.n >= 10, "{more:?}");
    let found = of(&deep);
    assert_eq!(found.iter().map(|one| one.state).collect::<Vec<_>>(), [ResidueState::Found], "{found:#?}");
    assert!(!erased.clean);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_be_erased_is_refused_and_two_release_a_hold() {
    let (home, vault) = (folder(), folder());
    let desk1 = desk(&home, Tenure::Owner, local_connection()).await;
    desk1.fill().await;
    let name = accounts(&desk1).await.into_iter().next().expect("there are accounts");
    let add = HoldAdd {
        kind: SubjectKind::User,
        subject: name.clone(),
        reason: "case 7".to_owned(),
        owner: "legal".to_owned(),
    };
    let naming = HoldAdd { reason: format!("about {name}"), ..add.clone() };
    let refused = desk1.ask::<operation::hold_add>(naming).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("reason"));
    let hold = desk1.ask::<operation::hold_add>(add).await.expect("a hold can be placed");
    let refused = desk1.ask::<operation::privacy_erase>(erase(&name)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Precondition);
    assert!(refused.message.contains(&hold.id) && !refused.message.contains(&name), "{refused}");

    let release = HoldRelease { id: hold.id.clone(), reason: "closed".to_owned() };
    let refused = desk1.ask::<operation::hold_release>(release.clone()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission, "four eyes");
    assert!(refused.hint.is_some_and(|hint| hint.contains("alone")));
    let as_other = |name: &str, role: Role| {
        let caller = Caller { name: name.to_owned(), role, ..desk1.call.caller.clone() };
        Call { caller, ..desk1.call.clone() }
    };
    let robin = as_other("robin", Role::Lead);
    let spelled = as_other("DANA ", Role::Lead);
    let refused = desk1.console.call::<operation::hold_release>(&spelled, release.clone()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission, "another spelling is nobody else");
    desk1.console.call::<operation::hold_release>(&robin, release).await.expect("a second person can");
    // What two decide is tests/it/approvals.rs; here one does.
    let policy = FourEyes { on: false, ..FourEyes::default() };
    let put = ApprovalPolicyPut { policy, reason: None };
    let refused = desk1.ask::<operation::approval_policy_put>(put).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Approval);
    let waiting = desk1.ask::<operation::approval_list>(Nothing {}).await.unwrap().approvals.remove(0);
    let decision = ApprovalDecision { id: waiting.id, note: None };
    let sam = as_other("sam", Role::Admin);
    desk1.console.call::<operation::approval_grant>(&sam, decision).await.expect("a second person can");

    for (role, allowed) in
        [(Role::Viewer, false), (Role::Analyst, false), (Role::Auditor, false), (Role::Lead, true)]
    {
        let call = as_other("robin", role);
        let looked = desk1.console.call::<operation::privacy_preview>(&call, who(&name)).await;
        assert_eq!(looked.is_ok(), allowed, "{role}");
        let done = desk1.console.call::<operation::privacy_erase>(&call, erase("somebody-else")).await;
        assert_eq!(done.is_ok(), allowed, "{role}");
    }
    let own = desk1.ask::<operation::privacy_erase>(erase("Dana")).await.unwrap_err();
    assert_eq!(own.code, ErrorCode::Permission, "nobody erases what they did");
    for bad in ["", "ab", "admin", "x\u{0}y"] {
        let refused = desk1.ask::<operation::privacy_erase>(erase(bad)).await.unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("subject"), "{bad:?}");
    }
    let named = PrivacyErase { reason: format!("{name} asked"), ..erase(&name) };
    assert_eq!(
        desk1.ask::<operation::privacy_erase>(named).await.unwrap_err().field.as_deref(),
        Some("reason")
    );

    let out = vault.path().join("data.json");
    let export =
        PrivacyExport { kind: SubjectKind::User, subject: name.clone(), path: out.display().to_string() };
    let exported = desk1.ask::<operation::privacy_export>(export.clone()).await.expect("it can be exported");
    let text = std::fs::read_to_string(&out).expect("the file is there");
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(value["events"].as_array().map(Vec::len), usize::try_from(exported.events).ok());
    assert!(exported.events > 0 && text.len() as u64 == exported.bytes);
    assert!(
        value["events"].as_array().is_some_and(|all| all.iter().all(|event| event["actor"] == name.as_str()))
    );
    let twice = desk1.ask::<operation::privacy_export>(export).await.unwrap_err();
    assert_eq!(twice.field.as_deref(), Some("path"), "nothing is overwritten");
    desk1.console.close().await;
}
