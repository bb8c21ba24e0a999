//! `deploy/postgres-roles.sql`: each role can do its work, nobody does another one's, and nobody changes the past.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use watchpost_model::access::{Permission, Role};
use watchpost_model::approval::{ApprovalState, Carrier, Matter, TwoPeople};
use watchpost_model::audit::{AuditDraft, AuditFilter};
use watchpost_model::diagnosis::StepState;
use watchpost_store::{
    ApprovalMove, DatabaseTarget, IngestBatch, NewApproval, Signer, Store, StoreError, Tag, VerifyPlan,
    account_at, approval_object, diagnose, schema_behind,
};

use crate::support::{World, caller, draft, events};

pub(crate) const SCRIPT: &str = include_str!("../../../../deploy/postgres-roles.sql");
pub(crate) const ROLES: [&str; 6] = ["viewer", "analyst", "lead", "auditor", "admin", "engine"];

pub(crate) async fn connect(target: &DatabaseTarget) -> PgConnection {
    let DatabaseTarget::Postgres { host, port, database, username, .. } = target else {
        panic!("the target is a server")
    };
    let options = PgConnectOptions::new_without_pgpass();
    let options = options.socket(host).port(*port).database(database).username(username);
    PgConnection::connect_with(&options).await.unwrap()
}

/// The SQLSTATE of what the server refuses.
pub(crate) async fn refused(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let error = connection.execute(AssertSqlSafe(sql.to_owned())).await.err()?;
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

pub(crate) struct Team {
    pub(crate) world: World,
    pub(crate) owner: PgConnection,
}

impl Team {
    pub(crate) async fn new() -> Option<Self> {
        let world = World::postgres().await?;
        let mut owner = connect(&world.target).await;
        for _ in 0..2 {
            owner.execute(AssertSqlSafe(SCRIPT.to_owned())).await.expect("the script may be run again");
        }
        let mut team = Self { world, owner };
        for role in ROLES {
            let sql = format!("CREATE ROLE {} LOGIN IN ROLE watchpost_{role}", team.login(role));
            team.owner.execute(AssertSqlSafe(sql)).await.unwrap();
        }
        Some(team)
    }

    fn login(&self, role: &str) -> String {
        let DatabaseTarget::Postgres { database, .. } = &self.world.target else { unreachable!() };
        format!("{role}_{database}")
    }

    pub(crate) fn target(&self, role: &str) -> DatabaseTarget {
        let mut target = self.world.target.clone();
        if let DatabaseTarget::Postgres { username, .. } = &mut target {
            *username = self.login(role);
        }
        target
    }
}

pub(crate) async fn holds(store: &Store) {
    let found = store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(found.ok, "{:?}", found.problems);
}

/// The record of something that takes no more than looking.
pub(crate) fn looked(action: &str) -> AuditDraft {
    AuditDraft { permission: Permission::View, ..draft(action) }
}

/// What a client could forge if it went by the functions themselves.
async fn takes_nothing_forged(role: &str, store: &Store, person: &mut PgConnection, look: &mut PgConnection) {
    // No checkpoint of the head as it is that nobody signed, nor the record of one without it.
    let root: String = look
        .fetch_one("SELECT encode(watchpost_frontier_root(frontier), 'base64') FROM audit_head")
        .await
        .unwrap()
        .get(0);
    let unsigned =
        format!("SELECT watchpost_audit_checkpoint('{root}', 'note', 'watchpost/{role}', 'reason', '[]')");
    assert_eq!(refused(person, &unsigned).await.as_deref(), Some("23514"), "{role}: {unsigned}");
    let alone = store.audit_append(draft("checkpoint.sign")).await;
    assert!(alone.is_err(), "{role}: {alone:?}");
    // Nor a leaf that is not canonical, though it is of this log.
    let log = store.audit_log_id().await.unwrap();
    let blank = format!(r#"SELECT watchpost_audit_append('[{{"leaf": "{{\"l\": \"{log}\"}}"}}]')"#);
    assert_eq!(refused(person, &blank).await.as_deref(), Some("23514"), "{role}: {blank}");
    // What says that somebody approved something is taken from those who may.
    let mut approves = draft("approval_grant");
    approves.object = approval_object("4be1a09c77d2f310");
    let approved = store.audit_append(approves).await;
    assert_eq!(
        matches!(approved, Err(StoreError::Denied(_))),
        matches!(role, "viewer" | "auditor" | "engine"),
        "{role}: {approved:?}"
    );
    // A key that opens nothing, or a name that no leaf takes, would stand in the way of somebody else's records.
    for sql in [
        "SELECT watchpost_subject_key('y', 'x', 'z')",
        "INSERT INTO audit_name (id, kind, name) VALUES ('\"', 'login', 'nobody')",
    ] {
        assert_eq!(refused(person, sql).await.as_deref(), Some("23514"), "{role}: {sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_leaves_records_and_changes_nothing_of_the_past() {
    let Some(mut team) = Team::new().await else { return };
    let past = [
        ("audit_leaf", "seq"),
        ("audit_checkpoint", "size"),
        ("audit_cosignature", "size"),
        ("audit_timestamp", "size"),
        ("audit_record", "seq"),
        ("audit_payload", "seq"),
        ("audit_name", "id"),
        ("subject_key", "id"),
        ("audit_head", "size"),
        ("erasure", "id"),
        ("schema_version", "version"),
        ("approval", "state"),
        ("person", "last_at"),
    ];
    for (n, role) in ROLES.into_iter().enumerate() {
        let target = team.target(role);
        let store = Store::open(&target, team.world.clock.clone()).await.expect("it opens for everybody");
        let signer = Signer::from_seed(&[u8::try_from(n).unwrap() + 1; 32], &format!("watchpost/{role}"));
        store.set_signer(signer.unwrap()).await.expect("everybody signs");
        assert_eq!(
            store.login_role().await.unwrap().map(|role| role.to_string()),
            Some(role.to_owned()).filter(|role| role != "engine")
        );
        let seq = store.audit_append(looked("event_export")).await.expect("everybody leaves records");
        let seen = store.person_seen(role).await;
        assert_eq!(seen.is_ok(), role != "viewer", "{role} is somebody to be asked: {seen:?}");
        store.checkpoint_now("test").await.expect("everybody signs");

        // The login in the leaf is that of the server, whoever the client says it is.
        let mut look = connect(&team.world.target).await;
        let sql = format!(
            "SELECT n.name FROM audit_leaf l JOIN audit_name n ON n.id = convert_from(l.leaf, 'UTF8')::jsonb ->> 'd' \
             WHERE l.seq = {seq}"
        );
        let login: String = look.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0);
        assert_eq!(login, team.login(role));

        let mut person = connect(&target).await;
        for (table, column) in past {
            for sql in [
                format!("UPDATE {table} SET {column} = {column}"),
                format!("DELETE FROM {table}"),
                format!("TRUNCATE {table}"),
                format!("DROP TABLE {table}"),
                format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
                format!("ALTER TABLE {table} OWNER TO CURRENT_USER"),
            ] {
                assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("42501"), "{role}: {sql}");
            }
        }
        for sql in [
            "INSERT INTO audit_leaf (seq, leaf, hash) VALUES (1000000, '', '')",
            "INSERT INTO audit_record (seq, at, actor, action, object, permission, outcome, search) \
             VALUES (1000000, 0, '', '', '', '', '', '')",
            "INSERT INTO audit_payload (seq, key_id, nonce, sealed) VALUES (1000000, '', '', '')",
            "INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason) VALUES (1, '', 0, '', '', '')",
            "INSERT INTO subject_key (id, subject, secret, created_at) VALUES ('x', 'y', 'z', 0)",
            "INSERT INTO person (name, first_at, last_at) VALUES ('nobody', 0, 0)",
            "INSERT INTO audit_head (id, log_id, size, frontier, checkpoint_size) VALUES (2, '', 0, '', 0)",
            "SELECT 1 FROM audit_head FOR UPDATE",
            "SELECT watchpost_audit_write('[]', 0)",
            "CREATE OR REPLACE FUNCTION watchpost_audit_append(p_records TEXT) RETURNS BIGINT LANGUAGE sql AS 'SELECT 1::bigint'",
            "DROP FUNCTION watchpost_append_only() CASCADE",
            "CREATE TABLE mine (n INTEGER)",
            "SET session_replication_role = replica",
            "SET SESSION AUTHORIZATION watchpost",
            "SET ROLE watchpost",
        ] {
            assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{role}: {sql}");
        }
        // A table of one's own under the name of the head is not the one that the functions look at.
        let before: i64 = person.fetch_one("SELECT size FROM public.audit_head").await.unwrap().get(0);
        person.execute("CREATE TEMP TABLE audit_head (id BIGINT, log_id TEXT, size BIGINT, frontier BYTEA, checkpoint_size BIGINT)").await.unwrap();
        person.execute("INSERT INTO audit_head VALUES (1, 'mine', 0, '', 0)").await.unwrap();
        let size: i64 =
            person.fetch_one("SELECT size FROM public.watchpost_audit_head('x')").await.unwrap().get(0);
        assert_eq!(size, before, "{role}");
        // What does not belong to this log, or forges an erasure, or a checkpoint of another root, is not written.
        for sql in [
            r#"SELECT watchpost_audit_append('[{"leaf": "{\"l\":\"another\"}"}]')"#,
            r#"SELECT watchpost_audit_append('[{"leaf": "{}, {}"}]')"#,
            r#"SELECT watchpost_audit_append('[{"leaf": "7"}]')"#,
            "SELECT watchpost_audit_checkpoint('AAAA', 'note', 'key', 'reason', '[]')",
        ] {
            assert!(refused(&mut person, sql).await.is_some(), "{role}: {sql}");
        }
        takes_nothing_forged(role, &store, &mut person, &mut look).await;
        let log = store.audit_log_id().await.unwrap();
        let forged = format!(
            r#"SELECT watchpost_audit_append('[{{"leaf": "{{\"a\":\"erasure.done\",\"l\":\"{log}\"}}"}}]')"#
        );
        assert_eq!(refused(&mut person, &forged).await.as_deref(), Some("42501"), "{role}: a forged erasure");
        let revoked = forged.replace("erasure.done", "key.revoke");
        let code = refused(&mut person, &revoked).await.expect("it is not whole");
        assert_eq!(code == "42501", !matches!(role, "admin" | "engine"), "{role} revokes a key: {code}");
        let reads_sealed = refused(&mut person, "SELECT 1 FROM audit_payload").await.is_none();
        assert_eq!(reads_sealed, !matches!(role, "viewer" | "analyst"), "{role} reads what is sealed");
        let reads_keys = refused(&mut person, "SELECT secret FROM subject_key").await.is_none();
        assert_eq!(reads_keys, reads_sealed, "{role} reads the keys of what is sealed");
        // Nor the reasons of others, nor whom a hold is about. What is left is what its own work asks for.
        for sql in
            ["SELECT search FROM audit_record", "SELECT * FROM audit_record", "SELECT value FROM legal_hold"]
        {
            let code = refused(&mut person, sql).await;
            let expect = matches!(role, "viewer" | "analyst").then(|| "42501".to_owned());
            assert_eq!(code, expect, "{role}: {sql}");
        }
        let rest =
            "SELECT seq, at, actor, action, object, permission, outcome, role, login FROM audit_record";
        assert_eq!(refused(&mut person, rest).await, None, "{role}");
        store.close().await;
    }
    for sql in [
        "UPDATE audit_leaf SET seq = seq",
        "DELETE FROM audit_leaf",
        "TRUNCATE audit_leaf",
        "UPDATE audit_leaf_first SET seq = seq",
        "DELETE FROM audit_leaf_first",
        "TRUNCATE audit_leaf_first",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_head",
        "UPDATE audit_head SET size = 0",
    ] {
        assert_eq!(refused(&mut team.owner, sql).await.as_deref(), Some("42501"), "also the owner: {sql}");
    }
    let left = team.world.store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    assert!(left.iter().filter(|record| record.action == "event_export").count() == ROLES.len());
    let auditor = Store::open(&team.target("auditor"), team.world.clock.clone()).await.unwrap();
    holds(&auditor).await;
    holds(&team.world.store).await;
}

/// The key with which a login seals what it records of dana.
fn key_of_dana(login: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT k.id FROM subject_key k JOIN audit_name n ON n.id = k.subject JOIN audit_name l ON l.id = k.login_id \
         WHERE n.kind = 'actor' AND n.name = 'dana' AND l.kind = 'login' AND l.name = '{login}'"
    ))
}

/// Who does not read what is sealed gets no key but those with which it seals itself, also of one and the same person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_gets_the_keys_that_it_seals_with_and_no_others() {
    let Some(mut team) = Team::new().await else { return };
    let mut opened = Vec::new();
    for role in ["lead", "viewer", "analyst"] {
        let store = Store::open(&team.target(role), team.world.clock.clone()).await.unwrap();
        for _ in 0..2 {
            opened.push(store.audit_append(looked("event_export")).await.unwrap());
        }
        store.close().await;
    }
    let own = "SELECT key_id FROM audit_name n, \
               LATERAL watchpost_subject_key(n.id, repeat('0', 32), decode(repeat('05', 32), 'hex')) \
               WHERE n.kind = 'actor' AND n.name = 'dana'";
    let mut seen = Vec::new();
    for role in ["viewer", "analyst"] {
        let sql = key_of_dana(&team.login(role));
        let keys = team.owner.fetch_all(sql).await.unwrap();
        assert_eq!(keys.len(), 1, "{role}: one key for a person and a login");
        let mut person = connect(&team.target(role)).await;
        let given: String = person.fetch_one(own).await.unwrap().get(0);
        assert_eq!(given, keys[0].get::<String, _>(0), "{role}: its own one");
        seen.push(given);
        for sql in ["SELECT secret FROM subject_key", "SELECT * FROM subject_key", "DELETE FROM subject_key"]
        {
            assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{role}: {sql}");
        }
    }
    let sql = key_of_dana(&team.login("lead"));
    let of_lead: String = team.owner.fetch_one(sql).await.unwrap().get(0);
    assert!(seen[0] != seen[1] && !seen.contains(&of_lead), "{seen:?}, {of_lead}");
    // Whoever may read the trail reads all of it.
    let auditor = Store::open(&team.target("auditor"), team.world.clock.clone()).await.unwrap();
    let page = auditor.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    for seq in opened {
        let record = page.iter().find(|record| record.seq == seq).expect("it is there");
        assert!(record.actor == "dana" && record.reason == looked("event_export").reason, "{record:?}");
    }
    holds(&auditor).await;
    auditor.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_tells_of_its_changes_and_hears_of_others() {
    let Some(team) = Team::new().await else { return };
    for role in ROLES {
        let store = Store::open(&team.target(role), team.world.clock.clone()).await.unwrap();
        let mut hears = store.notices().await.unwrap().expect("a server has notices");
        let mut owner_hears = team.world.store.notices().await.unwrap().expect("a server has notices");
        store.audit_append(looked("event_export")).await.unwrap();
        for notices in [&mut hears, &mut owner_hears] {
            let heard = tokio::time::timeout(std::time::Duration::from_secs(60), notices.next()).await;
            assert_eq!(heard.expect("it is told").expect("it is there"), Tag::Audit, "{role}");
        }
        drop(hears);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_does_its_own_work_and_nobody_elses() {
    let Some(team) = Team::new().await else { return };
    let open = |role: &'static str| {
        let (target, clock) = (team.target(role), team.world.clock.clone());
        async move { Store::open(&target, clock).await.unwrap() }
    };
    let batch = events(20, team.world.now());
    let now = team.world.now();
    for role in ROLES {
        let store = open(role).await;
        let mut person = connect(&team.target(role)).await;
        let lease =
            store.lease_acquire("engine", role, std::time::Duration::from_secs(1), now).await.unwrap();
        assert_eq!(lease, role == "engine", "{role}: only the engine's login runs an engine, others wait");
        let set = store.setting_put("test", None, &serde_json::json!(1), draft("settings_put")).await;
        match role {
            "admin" => set.expect("an admin sets things"),
            "engine" => assert!(matches!(set, Err(StoreError::Conflict(_))), "it was set: {set:?}"),
            _ => assert!(matches!(set, Err(StoreError::Denied(_))), "{role}: {set:?}"),
        }
        for (sql, who) in [
            ("DELETE FROM incident_note WHERE id = 'none'", &["analyst", "lead", "admin", "engine"][..]),
            ("DELETE FROM block WHERE id = 'none'", &[]),
            ("UPDATE incident SET title = title", &["analyst", "lead", "admin", "engine"]),
            ("UPDATE incident_note SET text = text", &["analyst", "lead", "admin", "engine"]),
            ("UPDATE report SET body = body", &["lead", "auditor", "admin", "engine"]),
            ("DELETE FROM register_entry WHERE id = 'none'", &[]),
            ("DELETE FROM register_field WHERE entry_id = 'none'", &["lead", "auditor", "admin", "engine"]),
            ("DELETE FROM event WHERE id = 'none'", &["engine"]),
            ("DELETE FROM busy_name", &["engine"]),
            ("DELETE FROM busy_due", &["engine"]),
            ("UPDATE busy_name SET names = '[]'", &[]),
            ("UPDATE busy_due SET turn = 0", &["engine"]),
            ("UPDATE rollup_hour SET n = 0", &[]),
            ("DELETE FROM rollup_hour", &[]),
            ("UPDATE legal_hold SET owner = owner", &["lead", "admin", "engine"]),
            ("DELETE FROM legal_hold", &[]),
            ("UPDATE approval SET note = note", &[]),
            ("SELECT watchpost_approval_records('approval/none')", &["analyst", "lead", "admin"]),
            ("SELECT watchpost_person_seen('nobody')", &["analyst", "lead", "auditor", "admin", "engine"]),
            ("DELETE FROM approval", &[]),
            ("DELETE FROM allow_entry", &["admin", "engine"]),
            ("UPDATE setting SET value = value WHERE name = 'none'", &["admin", "engine"]),
            ("DELETE FROM engine_state", &["engine"]),
            ("DELETE FROM lease", &["engine"]),
            ("UPDATE lost_event SET n = n", &["engine"]),
        ] {
            let code = refused(&mut person, sql).await;
            let expect = (!who.contains(&role)).then(|| "42501".to_owned());
            assert_eq!(code, expect, "{role}: {sql}");
        }
        let ingested = store.ingest(IngestBatch { events: &batch, findings: &[], now }).await;
        assert_eq!(ingested.is_ok(), role == "engine", "{role}: {:?}", ingested.err());
        store.close().await;
    }
    holds(&team.world.store).await;
}

/// Who asks cannot approve with SQL and another name: the login in the leaves is the server's to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_login_is_one_person_whatever_its_names() {
    let Some(team) = Team::new().await else { return };
    let clock = || team.world.clock.clone();
    let analyst = Store::open(&team.target("analyst"), clock()).await.unwrap();
    let lead = Store::open(&team.target("lead"), clock()).await.unwrap();
    let ask = || async {
        let new = NewApproval {
            operation: "block_add",
            two: TwoPeople { matter: Matter::MassBlock, carrier: Carrier::Asker },
            request: "{}".to_owned(),
            summary: "blocking".to_owned(),
            reason: None,
            asked_by: "dana",
        };
        analyst.approval_ask(new, draft("block_add")).await.unwrap()
    };
    let granted = ApprovalMove {
        from: ApprovalState::Waiting,
        to: ApprovalState::Granted,
        by: Some("robin"),
        note: None,
        outcome: None,
    };
    let as_robin = || {
        let mut record = draft("approval_grant");
        "robin".clone_into(&mut record.caller.name);
        record
    };
    let contain = Permission::Contain;
    let forged = ask().await;
    assert!(analyst.approval_trail(&forged, contain, true).await.unwrap().is_of_this_login);
    assert!(!lead.approval_trail(&forged, contain, true).await.unwrap().is_of_this_login);
    analyst.approval_move(&forged.id, granted, as_robin()).await.unwrap();
    let told = analyst.approval_trail(&forged, contain, true).await.unwrap();
    assert_eq!(told.granted_by, None, "the same login");

    let asked = ask().await;
    let viewer = Store::open(&team.target("viewer"), team.world.clock.clone()).await.unwrap();
    let seen = viewer.approvals().await.expect("everybody sees that something waits").requests;
    assert!(seen.iter().any(|one| one.id == asked.id), "{seen:?}");
    assert!(seen.iter().all(|one| one.request == "{}" && one.summary.is_empty()), "{seen:?}");
    viewer.close().await;
    let told = analyst.approval_trail(&asked, contain, true).await.unwrap();
    assert_eq!((told.is_unchanged, told.granted_by), (true, None), "nobody yet");
    lead.approval_move(&asked.id, granted, as_robin()).await.unwrap();
    let told = analyst.approval_trail(&asked, contain, true).await.unwrap();
    assert_eq!(told.granted_by.as_deref(), Some("robin"));
    // For what these logins may not do their words count nothing.
    let told = analyst.approval_trail(&asked, Permission::Admin, true).await.unwrap();
    assert_eq!((told.is_unchanged, told.granted_by), (false, None));
    assert_eq!(told.disbelieved.len(), 2, "{:?}", told.disbelieved);

    // What a login of the engine says counts nothing, whatever group it is in beside that.
    for (sql, granted_by) in
        [("GRANT watchpost_engine TO", None), ("REVOKE watchpost_engine FROM", Some("robin"))]
    {
        team.world.tamper(&format!("{sql} {}", team.login("lead"))).await;
        let told = analyst.approval_trail(&asked, contain, true).await.unwrap();
        assert_eq!(told.granted_by.as_deref(), granted_by, "{sql}");
    }

    // The owner sets the row back; the trail knows better. Nobody else can.
    let back = format!("UPDATE approval SET state = 'waiting' WHERE id = '{}'", asked.id);
    assert_eq!(team.world.tamper(&back).await, 1);
    let again = lead.approval_move(&asked.id, granted, as_robin()).await;
    assert!(matches!(&again, Err(StoreError::Conflict(why)) if why.contains("audit trail")), "{again:?}");
    let back = ApprovalMove { from: ApprovalState::Waiting, to: ApprovalState::Done, ..granted };
    let skipped = lead.approval_move(&asked.id, back, as_robin()).await;
    assert!(matches!(skipped, Err(StoreError::Denied(_))), "states come in their order: {skipped:?}");
    analyst.close().await;
    lead.close().await;
    holds(&team.world.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_found_by_their_login_which_the_server_says() {
    let Some(team) = Team::new().await else { return };
    let name = team.login("analyst");
    let analyst = Store::open(&team.target("analyst"), team.world.clock.clone()).await.unwrap();
    let lead = Store::open(&team.target("lead"), team.world.clock.clone()).await.unwrap();
    let mut newest = 0;
    for account in ["root", "anna"] {
        let mut record = draft("incident_take");
        record.caller.host = account_at("ws-7", account);
        newest = analyst.audit_append(record).await.unwrap();
    }
    lead.audit_append(draft("incident_take")).await.unwrap();
    let login = analyst.login().await.unwrap().expect("a server has logins");
    assert_eq!((login.name, login.accounts), (name.clone(), vec!["anna".to_owned(), "root".to_owned()]));
    assert_eq!(lead.login().await.unwrap().unwrap().accounts, Vec::<String>::new());
    assert!(lead.login_roles().await.unwrap().contains(&(name.clone(), Role::Analyst)));

    for filter in [
        AuditFilter { actor: Some(name.clone()), ..AuditFilter::default() },
        AuditFilter { text: Some(name.to_uppercase()), ..AuditFilter::default() },
    ] {
        let found = lead.audit_page(&filter, None, 100).await.unwrap();
        assert_eq!(found.len(), 2, "{filter:?}: {found:?}");
        assert!(found.iter().all(|record| record.actor == "dana" && record.login.as_ref() == Some(&name)));
    }
    let counted = lead.audit_statistics(None).await.unwrap().by_login;
    assert!(counted.iter().any(|count| count.name == name && count.n == 2), "{counted:?}");
    // Whoever says that somebody else is there is there.
    analyst.person_seen("mallory").await.unwrap();
    let people = team.world.store.people(team.world.now() - chrono::Duration::days(1)).await.unwrap();
    assert_eq!(people, [name.as_str()]);
    analyst.close().await;
    lead.close().await;
    holds(&team.world.store).await;

    let tampered = format!("UPDATE audit_record SET login = 'mallory' WHERE seq = {newest}");
    assert_eq!(team.world.tamper(&tampered).await, 1);
    let found =
        team.world.store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert_eq!(found.first_bad_seq, Some(newest), "{:?}", found.problems);
    // What is shown is what the leaf says.
    assert_eq!(team.world.store.audit_record(newest).await.unwrap().0.login.as_ref(), Some(&name));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_are_people_who_can_log_in_and_never_an_engine() {
    let Some(team) = Team::new().await else { return };
    for role in ["analyst", "lead", "engine"] {
        let store = Store::open(&team.target(role), team.world.clock.clone()).await.unwrap();
        store.person_seen(role).await.unwrap();
        store.close().await;
    }
    let [analyst, lead, engine] = ["analyst", "lead", "engine"].map(|role| team.login(role));
    assert_eq!(
        team.world.store.login_engines().await.unwrap().iter().filter(|name| **name == engine).count(),
        1
    );
    let since = team.world.now() - chrono::Duration::days(1);
    let DatabaseTarget::Postgres { database, .. } = &team.world.target else { unreachable!() };
    for (sql, known) in [
        (String::new(), vec![analyst.clone(), lead.clone()]),
        (format!("ALTER ROLE {lead} NOLOGIN"), vec![analyst.clone()]),
        (format!("GRANT watchpost_engine TO {analyst}"), Vec::new()),
        (format!("ALTER ROLE {lead} LOGIN"), vec![lead.clone()]),
        (format!("ALTER ROLE {lead} VALID UNTIL '2001-01-01'"), Vec::new()),
        (format!("ALTER ROLE {lead} VALID UNTIL '2999-01-01'"), vec![lead.clone()]),
        (format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"), Vec::new()),
        (format!("GRANT CONNECT ON DATABASE {database} TO {lead}"), vec![lead.clone()]),
    ] {
        if !sql.is_empty() {
            team.world.tamper(&sql).await;
        }
        assert_eq!(team.world.store.people(since).await.unwrap(), known, "{sql}");
    }
}

#[tokio::test]
async fn the_login_of_each_role_is_found_in_order() {
    let Some(mut team) = Team::new().await else { return };
    for role in ROLES {
        let steps = diagnose(&team.target(role)).await;
        assert!(steps.iter().all(|step| step.state == StepState::Ok), "{role}: {steps:?}");
        let rights = steps.iter().find(|step| step.name == "rights").unwrap();
        assert_eq!(rights.detail, format!("the tables are there; role {role}"));
    }
    let sql = format!("CREATE ROLE {} LOGIN", team.login("nobody"));
    team.owner.execute(AssertSqlSafe(sql)).await.unwrap();
    let steps = diagnose(&team.target("nobody")).await;
    let rights = steps.iter().find(|step| step.name == "rights").unwrap();
    assert_eq!(rights.state, StepState::Failed, "{steps:?}");
    let hint = rights.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("postgres-roles.sql") && !hint.contains("CREATE"), "{hint}");
}

#[tokio::test]
async fn statistics_are_made_of_the_own_tables_only() {
    let Some(mut team) = Team::new().await else { return };
    team.world.tamper("CREATE TABLE of_somebody_else AS SELECT 1 AS n").await;
    team.world.ingest(&events(3, team.world.now()), &[]).await;
    assert_eq!(team.world.store.maintain(false).await.unwrap().problem, None);
    let counts = "SELECT (SELECT reltuples FROM pg_catalog.pg_class WHERE oid = to_regclass('event')), \
                  (SELECT reltuples FROM pg_catalog.pg_class WHERE oid = to_regclass('of_somebody_else'))";
    let row = team.owner.fetch_one(counts).await.unwrap();
    let (ours, theirs) = (row.get::<f32, _>(0), row.get::<f32, _>(1));
    assert!(ours > 2.0 && theirs < 0.5, "{ours} and {theirs}");
    let viewer = Store::open(&team.target("viewer"), team.world.clock.clone()).await.unwrap();
    let refused = viewer.maintain(false).await;
    assert!(matches!(refused, Err(StoreError::Precondition(_))), "{refused:?}");
    viewer.close().await;
}

#[tokio::test]
async fn what_the_script_makes_belongs_to_the_owner_of_the_tables() {
    let Some(mut team) = Team::new().await else { return };
    let owner = team.login("owner");
    let given = format!("CREATE ROLE {owner}; ALTER TABLE audit_head OWNER TO {owner}");
    team.owner.execute(AssertSqlSafe(given)).await.unwrap();
    team.owner.execute(AssertSqlSafe(SCRIPT.to_owned())).await.expect("a superuser may run the script");
    let sql = format!("SELECT COUNT(*) FROM pg_catalog.pg_proc WHERE proowner = CAST('{owner}' AS regrole)");
    let made = team.owner.fetch_one(AssertSqlSafe(sql)).await.unwrap().get::<i64, _>(0);
    let script_makes = SCRIPT.matches("CREATE OR REPLACE FUNCTION").count();
    assert_eq!(usize::try_from(made), Ok(script_makes));
}

#[tokio::test]
async fn whose_login_may_change_tables_that_lack_something_is_known_before() {
    let Some(team) = Team::new().await else { return };
    team.world
        .tamper("DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)")
        .await;
    let analyst = schema_behind(&team.target("analyst")).await.expect("they lack something");
    assert!(!analyst.by_opening, "{analyst:?}");
    let owner = schema_behind(&team.world.target).await.expect("they lack something");
    assert!(owner.by_opening, "{owner:?}");
}
