//! What a login says in the audit log: only what its role may, and of what nobody can read an auditor says so.

use watchpost_model::access::{Permission, Role};
use watchpost_model::approval::{Carrier, Matter, TwoPeople};
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_store::{NewApproval, Signer, Store, StoreError, VerifyPlan};

use crate::roles::{ROLES, Team, connect, looked, refused};
use crate::support::{caller, draft};

const PERMISSIONS: [Permission; 7] = [
    Permission::View,
    Permission::Triage,
    Permission::Contain,
    Permission::Maintain,
    Permission::Report,
    Permission::Audit,
    Permission::Admin,
];

/// A record with SQL, in which what is sealed opens with nothing.
fn junk(action: &str, permission: &str, outcome: &str) -> String {
    let id = |kind: &str, name: &str| {
        format!("(SELECT id FROM audit_name WHERE kind = '{kind}' AND name = '{name}')")
    };
    let (host, object) = (id("host", "desk-12"), id("object", "thing/1"));
    format!(
        r#"SELECT watchpost_audit_append(CAST(json_build_array(json_build_object('leaf', format(
        '{{"a":"{action}","by":"%s","c":"%s","h":"%s","k":"%s","kc":"%s","l":"%s","o":"%s","p":"{permission}","r":"{outcome}","t":"2026-11-22T08:00:00.000000Z","v":1}}',
        n.id, encode(sha256('\x02'::bytea || x.nonce || x.sealed), 'hex'), {host}, k.key_id,
        substr(encode(sha256(convert_to('watchpost/kc', 'UTF8') || k.key_secret), 'hex'), 1, 32),
        (SELECT log_id FROM audit_head), {object}), 'actor', 'dana', 'object', 'thing/1', 'search', 'x', 'role', 'viewer',
        'nonce', encode(x.nonce, 'base64'), 'sealed', encode(x.sealed, 'base64'))) AS text))
        FROM audit_name n, LATERAL watchpost_subject_key(n.id, md5(random()::text), decode(repeat('05', 32), 'hex')) k,
        (SELECT decode(repeat('07', 24), 'hex') AS nonce, decode(repeat('09', 40), 'hex') AS sealed) x
        WHERE n.kind = 'actor' AND n.name = 'dana'"#
    )
}

/// Whoever holds the log by a transaction that does not end, or by a process that stands still, stops nobody without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_the_log_and_does_not_end_is_not_waited_for_long() {
    let Some(team) = Team::new().await else { return };
    let analyst = open(&team, "analyst").await;
    analyst.audit_append(draft("incident_take")).await.unwrap();
    let signer = Signer::from_seed(&[3; 32], "watchpost/desk-12").unwrap();
    analyst.set_signer(signer.clone()).await.unwrap();
    let signed = analyst.checkpoint_now("demand").await.unwrap();
    let mut person = connect(&team.target("viewer")).await;
    assert_eq!(refused(&mut person, "BEGIN; SELECT 1 FROM watchpost_audit_head('x')").await, None);
    // Where nothing is to be signed nobody is waited for.
    let patience = std::time::Duration::from_secs(9);
    let again = tokio::time::timeout(patience, async {
        let reader = open(&team, "auditor").await;
        reader.set_signer(signer).await.unwrap();
        let newest = reader.checkpoint_now("close").await.unwrap();
        reader.close().await;
        newest
    });
    let again = again.await.expect("it does not wait for the log");
    assert_eq!((again.size, again.root), (signed.size, signed.root));
    let waited = analyst.audit_append(draft("incident_take")).await;
    assert!(matches!(&waited, Err(StoreError::Held(_))), "{waited:?}");
    assert!(waited.unwrap_err().to_string().contains("nothing was written"));
    assert_eq!(refused(&mut person, "ROLLBACK").await, None);
    analyst.audit_append(draft("incident_take")).await.expect("it is free again");
    analyst.close().await;
}

/// Nobody who opens a database that lacks nothing waits: not for the number that once was the lock of the schema, which any
/// login may hold, and not for whoever changes the schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_keeps_others_from_opening_the_database() {
    let Some(mut team) = Team::new().await else { return };
    let mut person = connect(&team.target("viewer")).await;
    let number = "BEGIN; SELECT pg_advisory_xact_lock(8602550943262236531)";
    assert_eq!(refused(&mut person, number).await, None);
    let lock = "LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE";
    assert_eq!(refused(&mut person, lock).await.as_deref(), Some("42501"), "it is the owner's alone");
    assert_eq!(refused(&mut person, "ROLLBACK").await, None);
    assert_eq!(refused(&mut person, number).await, None);
    assert_eq!(refused(&mut team.owner, &format!("BEGIN; {lock}")).await, None);
    let patience = std::time::Duration::from_secs(60);
    let opened = tokio::time::timeout(patience, open(&team, "auditor")).await.expect("it waits for nobody");
    opened.close().await;
    assert_eq!(refused(&mut team.owner, "ROLLBACK").await, None);

    // Nor does the number stop the owner, who brings the schema up to date; the others are told to wait for that.
    let undone = "DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)";
    assert_eq!(refused(&mut team.owner, undone).await, None);
    let early = Store::open(&team.target("auditor"), team.world.clock.clone()).await;
    assert!(matches!(&early, Err(StoreError::SchemaTooOld { found, known }) if found < known), "{early:?}");
    let again = Store::open(&team.world.target, team.world.clock.clone());
    let again = tokio::time::timeout(patience, again).await.expect("it waits for nobody");
    assert!(!matches!(&again, Err(StoreError::Busy(_) | StoreError::Held(_))), "{again:?}");
}

async fn open(team: &Team, role: &str) -> Store {
    Store::open(&team.target(role), team.world.clock.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_says_of_itself_only_what_its_role_may() {
    let Some(team) = Team::new().await else { return };
    for name in ROLES {
        let store = open(&team, name).await;
        let role = name.parse::<Role>().ok();
        for permission in PERMISSIONS {
            for outcome in
                [AuditOutcome::Started, AuditOutcome::Success, AuditOutcome::Failure, AuditOutcome::Denied]
            {
                let said =
                    store.audit_append(AuditDraft { permission, outcome, ..draft("event_export") }).await;
                let is_done = matches!(outcome, AuditOutcome::Started | AuditOutcome::Success);
                // The engine acts for everybody.
                let may = !is_done || role.is_none_or(|role| role.may(permission));
                assert_eq!(said.is_ok(), may, "{name}: {permission} {outcome}: {said:?}");
                assert!(may || matches!(said, Err(StoreError::Denied(_))), "{name}: {permission}: {said:?}");
            }
        }
        let mut person = connect(&team.target(name)).await;
        for nothing in ["'[]'", "NULL", "'{}'", "'7'"] {
            let sql = format!("SELECT watchpost_audit_append({nothing})");
            assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("42501"), "{name}: {sql}");
        }
        // No record tells of a hold that is not there.
        let hold = AuditDraft { object: "hold/none".to_owned(), ..draft("hold_add") };
        assert!(matches!(store.audit_append(hold).await, Err(StoreError::Denied(_))), "{name}");
        store.close().await;
    }
}

/// Which permission an action takes is the server's to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_takes_its_permission_whatever_the_record_says() {
    let Some(team) = Team::new().await else { return };
    for name in ROLES {
        let store = open(&team, name).await;
        let role = name.parse::<Role>().ok();
        for (action, takes) in [
            ("settings_put", Some(Permission::Admin)),
            ("privacy_erase", Some(Permission::Maintain)),
            ("audit_export", Some(Permission::Audit)),
            ("report_generate", Some(Permission::Report)),
            ("block_add", Some(Permission::Contain)),
            ("incident_take", Some(Permission::Triage)),
            ("event_export", Some(Permission::View)),
            // What is no operation: of a request, which takes more than looking, of the engine, and of nobody.
            ("approval_ask", Some(Permission::Triage)),
            ("block_expire", Some(Permission::Contain)),
            ("database_prune", Some(Permission::Maintain)),
            ("setting_put", None),
        ] {
            let said = store.audit_append(looked(action)).await;
            let may = role.is_none_or(|role| takes.is_some_and(|takes| role.may(takes)));
            assert_eq!(said.is_ok(), may, "{name}: {action}: {said:?}");
            let tried = AuditDraft { outcome: AuditOutcome::Denied, ..looked(action) };
            store.audit_append(tried).await.expect("what was refused is recorded of everybody");
        }
        let mut person = connect(&team.target(name)).await;
        let made_up = refused(&mut person, &junk("incident_take", "nonsense", "success")).await;
        let expected = if matches!(name, "admin" | "engine") { "23514" } else { "42501" };
        assert_eq!(made_up.as_deref(), Some(expected), "{name}: no such permission");
        // A blank makes no other action of one, whatever permission is said.
        for permission in PERMISSIONS {
            for action in ["settings_put ", "privacy_erase ", "hold_add ", "Settings_put", ""] {
                for outcome in [AuditOutcome::Success, AuditOutcome::Denied] {
                    let said = AuditDraft { permission, outcome, ..draft(action) };
                    let said = store.audit_append(said).await;
                    assert!(said.is_err(), "{name}: {action:?} {permission}: {said:?}");
                }
            }
        }
        store.close().await;
    }
}

/// Whatever a login writes with SQL: it has so many requests open as one person, and they can be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_buries_no_request_under_rows_of_its_own() {
    let Some(team) = Team::new().await else { return };
    let (analyst, lead) = (open(&team, "analyst").await, open(&team, "lead").await);
    let names: Vec<String> = (0..21).map(|n| format!("person{n}")).collect();
    let ask = |store: &Store, asked_by: &str| {
        let (store, asked_by) = (store.clone(), asked_by.to_owned());
        async move {
            let new = NewApproval {
                operation: "block_add",
                two: TwoPeople { matter: Matter::MassBlock, carrier: Carrier::Approver },
                request: "{}".to_owned(),
                summary: "blocking".to_owned(),
                reason: None,
                asked_by: &asked_by,
            };
            store.approval_ask(new, draft("block_add")).await
        }
    };
    let mut person = connect(&team.target("analyst")).await;
    let row = |id: &str, state: &str, matter: &str, asked_at: &str| {
        format!(
            "BEGIN; INSERT INTO approval (id, operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, state) \
             SELECT '{id}', 'block_add', '{matter}', 'approver', '{{}}', 'x', 'lead', {asked_at}, \
             LEAST(CAST({asked_at} AS NUMERIC) + 86400000000, 9223372036854775807), '{state}' \
             FROM (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS t) AS clock"
        )
    };
    let id = "0123456789abcdef";
    for (sql, why) in [
        (row("\u{1b}[2J", "waiting", "mass_block", "t"), "an id of its own"),
        (row(id, "bogus", "mass_block", "t"), "no state"),
        (row(id, "withdrawn", "mass_block", "t"), "over from the start"),
        (row(id, "waiting", "bogus", "t"), "no matter"),
        (row(id, "waiting", "mass_block", "9223372036854775807"), "no time"),
        (row(id, "waiting", "mass_block", "t + 172800000000"), "the day after tomorrow"),
        (row(id, "waiting", "mass_block", "t - 172800000000"), "the day before yesterday"),
    ] {
        assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("42501"), "{why}: {sql}");
        assert_eq!(refused(&mut person, "ROLLBACK").await, None);
    }
    let sql = row(id, "waiting", "mass_block", "t");
    assert_eq!(refused(&mut person, &sql).await, None, "the server takes what is a request");
    assert_eq!(refused(&mut person, "ROLLBACK").await, None);

    let asked = ask(&lead, "lead").await.unwrap();
    for name in &names[..20] {
        ask(&analyst, name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let more = ask(&analyst, &names[20]).await;
    assert!(
        matches!(&more, Err(StoreError::Precondition(why)) if why.contains("approval withdraw")),
        "one login is one person: {more:?}"
    );
    assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("WP020"), "with SQL neither: {sql}");
    assert_eq!(refused(&mut person, "ROLLBACK").await, None);
    let other = sql.replace("'block_add'", "'privacy_erase'");
    assert_eq!(
        refused(&mut person, &other).await,
        None,
        "another operation waits for none of these: {other}"
    );
    assert_eq!(refused(&mut person, "ROLLBACK").await, None);
    ask(&lead, "person0").await.expect("nobody uses up what another login has, whatever the names");
    let all = lead.approvals().await.unwrap();
    assert_eq!((all.requests.len(), all.unreadable.len(), all.more), (22, 0, 0));
    assert!(all.requests.iter().any(|one| one.id == asked.id));
    analyst.close().await;
    lead.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_nobody_can_read_is_set_apart_by_an_auditor() {
    let Some(team) = Team::new().await else { return };
    let viewer = open(&team, "viewer").await;
    viewer.audit_append(looked("event_export")).await.unwrap();
    viewer.close().await;
    let mut person = connect(&team.target("viewer")).await;
    let forged = junk("incident_take", "triage", "success");
    assert_eq!(refused(&mut person, &forged).await.as_deref(), Some("42501"), "a viewer triages nothing");
    assert_eq!(
        refused(&mut person, &junk("incident_take", "view", "denied")).await,
        None,
        "the server opens nothing"
    );

    let verify = || async {
        let plan = VerifyPlan::default();
        team.world.store.audit_verify(&caller("dana"), plan, &|_, _| true).await.unwrap()
    };
    let checked = verify().await;
    let bad = checked.first_bad_seq.expect("nothing opens of it");
    assert!(!checked.ok);
    let draft = |_: &str, _: &str| AuditDraft {
        permission: Permission::Audit,
        object: format!("audit/{bad}"),
        ..draft("audit_set_apart")
    };
    for role in ["viewer", "analyst", "lead", "engine"] {
        let store = open(&team, role).await;
        let refused = store.audit_set_apart(bad, draft).await;
        assert!(matches!(refused, Err(StoreError::Denied(_))), "{role}: {refused:?}");
        store.close().await;
    }
    assert!(!verify().await.ok, "nobody said so yet");
    let auditor = open(&team, "auditor").await;
    let said = auditor.audit_set_apart(bad, draft).await.unwrap();
    auditor.close().await;
    let checked = verify().await;
    assert!(checked.ok, "{:?}", checked.problems);
    assert_eq!(checked.set_apart, [said]);
}
