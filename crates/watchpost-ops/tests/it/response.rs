//! Response: what the engine does by itself, what keeps it from doing harm, and how it is taken back. On the local
//! workspace: a private Redis and a SQLite file in a temporary folder.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use watchpost_model::access::{Origin, Role};
use watchpost_model::audit::{AuditFilter, AuditOutcome};
use watchpost_model::block::BlockState;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::contain::ContainKind;
use watchpost_model::event::{Category, Event, Http, Outcome, Severity};
use watchpost_model::ids::{ConnectionId, EventId};
use watchpost_model::response::{
    ActionKind, OutboxState, ResponseAction, ResponseMode, ResponsePolicy, ResponseRule, ResponseState,
    ResponseStep,
};
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{
    AllowAdd, AuditPageRequest, AuditVerify, BlockAdd, BlockCheck, ContainAdd, ContainCheck,
    ContainListRequest, ContainRemove, IncidentPageRequest, IncidentRef, Nothing, ResponseListRequest,
    ResponsePolicyPut, ResponsePreviewRequest, ResponseReverse, Standing,
};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, caller, desk, folder};

pub(crate) const ATTACKER: &str = "203.0.113.77";

fn step(action: ActionKind) -> ResponseStep {
    let value = (action == ActionKind::Tag).then(|| "auto".to_owned());
    ResponseStep { action, ttl_s: action.is_containment().then_some(3_600), value, per_min: None }
}

pub(crate) fn policy(mode: ResponseMode, actions: &[ActionKind]) -> ResponsePolicy {
    let rule = ResponseRule {
        name: "answer".to_owned(),
        rules: Vec::new(),
        families: Vec::new(),
        severity_min: Severity::Medium,
        confidence_min: 50,
        steps: actions.iter().map(|action| step(*action)).collect(),
    };
    ResponsePolicy { mode, rules: vec![rule], ..ResponsePolicy::default() }
}

pub(crate) async fn put(desk: &Desk, policy: ResponsePolicy) {
    let request = ResponsePolicyPut { policy, reason: "test".to_owned() };
    desk.ask::<operation::response_policy_put>(request).await.expect("an admin changes the policy");
}

/// Failed logins from `source`, as many as brute force takes.
fn failures(now: DateTime<Utc>, source: &str) -> Vec<Event> {
    (0..30)
        .map(|n| {
            let at = now - chrono::Duration::milliseconds(20_000 - n * 100);
            let mut event = Event::new(EventId::at(at), at, Category::Authentication, "login_failure");
            event.outcome = Outcome::Failure;
            event.actor = Some("anna".to_owned());
            event.source_ip = Some(source.to_owned());
            event.session = Some("s-77".to_owned());
            event
        })
        .collect()
}

/// A request with SQL in it: another family, so another incident.
pub(crate) fn injection(now: DateTime<Utc>, source: &str) -> Vec<Event> {
    let mut event = Event::new(EventId::at(now), now, Category::ApiUsage, "request");
    event.source_ip = Some(source.to_owned());
    event.http = Some(Http {
        method: "GET".into(),
        path: "/items".into(),
        query: Some("id=1%27%20UNION%20SELECT%20password%20FROM%20users--".to_owned()),
        status: Some(200),
        ..Http::default()
    });
    vec![event]
}

pub(crate) async fn report(desk: &Desk, events: &[Event]) {
    let workspace = desk.console.workspace().expect("it is open");
    workspace.events().expect("Redis answers").write_events(events).await.expect("events are written");
    desk.console.until_idle().await.expect("the engine works");
}

pub(crate) async fn actions(desk: &Desk) -> Vec<ResponseAction> {
    let request = ResponseListRequest { limit: 500, ..ResponseListRequest::default() };
    desk.ask::<operation::response_list>(request).await.expect("actions can be listed").rows
}

pub(crate) async fn of(desk: &Desk, kind: ActionKind) -> Vec<ResponseAction> {
    actions(desk).await.into_iter().filter(|action| action.kind == kind).collect()
}

pub(crate) async fn standing(desk: &Desk, target: &str) -> watchpost_ops::contract::BlockStanding {
    let request = BlockCheck { target: target.to_owned() };
    desk.ask::<operation::block_check>(request).await.expect("an address can be checked")
}

#[tokio::test]
async fn brute_force_is_blocked_recorded_and_taken_back() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let all = [
        ActionKind::Tag,
        ActionKind::Notify,
        ActionKind::Ticket,
        ActionKind::RateLimit,
        ActionKind::BlockIp,
        ActionKind::RevokeSession,
        ActionKind::RestrictUser,
    ];
    put(&desk, policy(ResponseMode::On, &all)).await;
    report(&desk, &failures(desk.console.now(), ATTACKER)).await;

    // The key is in Redis with its TTL, and the block says why.
    let seen = standing(&desk, ATTACKER).await;
    assert_eq!((seen.standing, seen.in_redis), (Standing::Blocked, Some(true)), "{}", seen.detail);
    assert_eq!(seen.key.as_deref(), Some("security:blocked:203.0.113.77"));
    assert!((3_500..=3_600).contains(&seen.redis_ttl_s.expect("it ends")), "{seen:?}");
    let block = seen.block.expect("a row says so");
    assert_eq!(block.created_by, "engine");
    let done = of(&desk, ActionKind::BlockIp).await;
    assert_eq!(done.len(), 1, "one incident, one block: {done:?}");
    assert_eq!((done[0].state, done[0].effect.clone()), (ResponseState::Done, Some(block.id.to_string())));
    let finding = done[0].finding.to_string();
    assert!(block.reason.contains(&finding) && block.reason.contains("wp.brute"), "{}", block.reason);

    // The trail names the finding and the incident, on the block and on the action.
    let filter = AuditFilter { text: Some(finding.clone()), ..AuditFilter::default() };
    let request = AuditPageRequest { filter, before: None, limit: 500 };
    let trail = desk.ask::<operation::audit_page>(request).await.expect("the trail can be read").rows;
    for (action, outcome) in [
        ("block_add", AuditOutcome::Started),
        ("block_add", AuditOutcome::Success),
        ("response_act", AuditOutcome::Started),
        ("response_act", AuditOutcome::Success),
    ] {
        let record = trail.iter().find(|record| record.action == action && record.outcome == outcome);
        let record = record.unwrap_or_else(|| panic!("{action} {outcome} is in the trail"));
        assert_eq!((record.actor.as_str(), record.origin.as_str()), ("engine", Origin::Engine.as_str()));
    }

    // The other actions.
    let workspace = desk.console.workspace().expect("it is open");
    let number = done[0].number;
    let detail = desk.ask::<operation::incident_detail>(IncidentRef { number }).await.expect("it is there");
    assert_eq!(workspace.store().incident_tags(detail.incident.id).await.unwrap(), ["auto"]);
    let kinds: Vec<&str> = detail.timeline.iter().map(|line| line.kind.as_str()).collect();
    assert!(["block", "contain", "response"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let outbox = desk.ask::<operation::outbox_list>(Nothing {}).await.expect("the outbox can be read");
    assert_eq!(outbox.waiting, outbox.messages.len() as u64);
    assert!(outbox.messages.iter().any(|m| m.kind == ActionKind::Ticket && m.state == OutboxState::Pending));
    let redis = workspace.events().expect("Redis answers");
    for (kind, target) in [(ContainKind::Limit, ATTACKER), (ContainKind::Session, "s-77")] {
        let ttl = redis.containment_ttl_ms(kind, target).await.expect("Redis answers").expect("it is there");
        assert!((3_500_000..=3_600_000).contains(&ttl), "{kind}: {ttl}");
    }
    assert_eq!(
        redis.containment_ttl_ms(ContainKind::User, "anna").await.expect("Redis answers"),
        None,
        "who was attacked from one address is not restricted"
    );

    // A replay of the findings after a restart adds nothing.
    let before = actions(&desk).await;
    desk.console.close().await;
    let desk = crate::door::desk(&home, Tenure::Owner, local_connection()).await;
    desk.console.until_idle().await.expect("the engine works");
    assert_eq!(actions(&desk).await, before);

    // Taken back in one step: the key is gone, and the soft allow holds for the next incident.
    let request = ResponseReverse { id: done[0].id, reason: "a customer".to_owned() };
    let reversed =
        desk.ask::<operation::response_reverse>(request.clone()).await.expect("it can be reversed");
    assert_eq!((reversed.state, reversed.reversed_by.as_deref()), (ResponseState::Reversed, Some("dana")));
    let again = desk.ask::<operation::response_reverse>(request).await.expect_err("once is enough");
    assert_eq!(again.code, ErrorCode::Precondition, "{again}");
    assert_eq!(standing(&desk, ATTACKER).await.standing, Standing::Clear);
    report(&desk, &injection(desk.console.now(), ATTACKER)).await;
    let skipped = of(&desk, ActionKind::BlockIp).await;
    let newest = skipped.first().expect("newest first");
    assert_eq!(newest.state, ResponseState::Skipped, "{newest:?}");
    assert!(newest.detail.starts_with("soft allow: released by dana"), "{}", newest.detail);
    assert_eq!(standing(&desk, ATTACKER).await.standing, Standing::Clear, "the soft allow holds");
    assert!(desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("it verifies").ok);
    desk.console.close().await;
}

#[tokio::test]
async fn a_dry_run_does_nothing_and_off_records_nothing() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let view = desk.ask::<operation::response_policy_get>(Nothing {}).await.expect("there are defaults");
    assert_eq!((view.policy, view.effective), (ResponsePolicy::default(), ResponseMode::DryRun));
    put(&desk, policy(ResponseMode::Off, &[ActionKind::BlockIp])).await;
    report(&desk, &injection(desk.console.now(), "203.0.113.70")).await;
    assert_eq!(actions(&desk).await, []);
    put(&desk, policy(ResponseMode::DryRun, &[ActionKind::BlockIp, ActionKind::Notify])).await;
    report(&desk, &failures(desk.console.now(), ATTACKER)).await;
    let would = of(&desk, ActionKind::BlockIp).await;
    assert!(would.iter().any(|action| action.target == ATTACKER && action.state == ResponseState::DryRun));
    assert_eq!(standing(&desk, ATTACKER).await.standing, Standing::Clear);
    let outbox = desk.ask::<operation::outbox_list>(Nothing {}).await.expect("the outbox can be read");
    assert!(outbox.messages.is_empty(), "nobody is told");
    let request = ResponseReverse { id: would[0].id, reason: "test".to_owned() };
    let error = desk.ask::<operation::response_reverse>(request).await.expect_err("nothing was done");
    assert_eq!(error.code, ErrorCode::Precondition, "{error}");
    desk.console.close().await;
}

#[tokio::test]
async fn the_engine_passes_the_guard_like_everybody_and_leaves_private_ranges_alone() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let allow = AllowAdd { target: "198.51.100.0/24".into(), note: "office".into() };
    desk.ask::<operation::allow_add>(allow).await.expect("an admin may");
    let mut on = policy(ResponseMode::On, &[ActionKind::BlockIp]);
    on.trusted_proxies = vec!["203.0.113.128/25".parse().expect("a range")];
    put(&desk, on).await;
    let now = desk.console.now();
    let sources = ["10.1.2.3", "198.51.100.7", "203.0.113.200", "::ffff:198.51.100.8", "64:ff9b::c633:6409"];
    let events: Vec<Event> = sources
        .iter()
        .enumerate()
        .flat_map(|(n, source)| {
            injection(now - chrono::Duration::milliseconds(i64::try_from(n).unwrap_or(0)), source)
        })
        .collect();
    report(&desk, &events).await;
    let tried = of(&desk, ActionKind::BlockIp).await;
    assert_eq!(tried.len(), sources.len(), "{tried:?}");
    for action in &tried {
        assert_eq!(action.state, ResponseState::Skipped, "{action:?}");
        assert_eq!(standing(&desk, &action.target).await.in_redis, Some(false), "{}", action.target);
    }
    // Not even the door itself lets the engine through.
    let call = Call {
        caller: watchpost_model::access::Caller { origin: Origin::Engine, ..caller(Role::Admin) },
        confirmation: None,
        reason: None,
    };
    for target in ["10.1.2.3", "203.0.113.200", "64:ff9b::10.0.0.1"] {
        let request = BlockAdd { target: target.into(), reason: "test".into(), ttl_s: 600, incident: None };
        let error = desk.console.call::<operation::block_add>(&call, request).await.expect_err(target);
        assert_eq!(error.code, ErrorCode::Precondition, "{target}: {error}");
    }
    let request = BlockAdd { target: "10.1.2.3".into(), reason: "test".into(), ttl_s: 600, incident: None };
    desk.ask::<operation::block_add>(request).await.expect("a person may block a private address");
    desk.console.close().await;
}

#[tokio::test]
async fn no_form_of_an_own_address_passes_the_door() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let allow = AllowAdd { target: "198.51.100.7".into(), note: "office".into() };
    desk.ask::<operation::allow_add>(allow).await.expect("an admin may");
    for target in [
        "198.51.100.7",
        " 198.51.100.7 ",
        "198.51.100.7/32",
        "198.51.100.7/24",
        "::ffff:198.51.100.7",
        "::FFFF:C633:6407",
        "::198.51.100.7",
        "::ffff:0:198.51.100.7",
        "64:ff9b::198.51.100.7",
        "2002:c633:6407::1",
        "2002:c633:6407::/48",
        "2001:0:4136:e378:8000:63bf:39cc:9bf8",
        "fd00::5efe:198.51.100.7",
        "198.051.100.007",
        "0306.063.0144.07",
        "0xc6.0x33.0x64.0x7",
        "0xc6336407",
        "3325256711",
        "198.51.25607",
        "198.3367687",
        "[198.51.100.7]",
        "198.51.100.7:80",
        "198.51.100.7%eth0",
        "[::ffff:198.51.100.7]:443",
        "１９８.51.100.7",
        "198。51。100。7",
        "198.51.100.7\u{200b}",
        "198.51.100.7/032",
        "198.51.100.7/+32",
        "0.0.0.0/0",
        "::/0",
        "198.0.0.0/8",
        "::/96",
        "2002::/16",
    ] {
        for (kind, contain) in [("block", false), ("limit", true)] {
            let (target, reason) = (target.to_owned(), "test".to_owned());
            let error = if contain {
                let kind = ContainKind::Limit;
                let request = ContainAdd {
                    kind,
                    target: target.clone(),
                    reason,
                    ttl_s: 600,
                    per_min: None,
                    incident: None,
                };
                desk.ask::<operation::contain_add>(request).await.map(drop)
            } else {
                let request = BlockAdd { target: target.clone(), reason, ttl_s: 600, incident: None };
                desk.ask::<operation::block_add>(request).await.map(drop)
            };
            let error = error.expect_err(&target);
            let refused = matches!(error.code, ErrorCode::Precondition | ErrorCode::Validation);
            assert!(refused, "{kind} {target}: {error}");
        }
    }
    let workspace = desk.console.workspace().expect("it is open");
    let redis = workspace.events().expect("Redis answers");
    assert!(redis.list_blocks().await.expect("Redis answers").is_empty());
    desk.console.close().await;
}

#[tokio::test]
async fn people_contain_and_release() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    report(&desk, &failures(desk.console.now(), ATTACKER)).await;
    let number = desk.first_incident().await.incident.number;
    for (kind, target, events) in [
        (ContainKind::Session, "s-77", 30),
        (ContainKind::User, "anna", 30),
        (ContainKind::Service, "shop", 0),
        (ContainKind::Limit, ATTACKER, 30),
    ] {
        let check = ContainCheck { kind, target: target.to_owned() };
        let preview =
            desk.ask::<operation::contain_preview>(check.clone()).await.expect("it can be previewed");
        assert_eq!((preview.events_24h, preview.refusal, preview.existing), (events, None, None), "{kind}");
        let add = |ttl_s| ContainAdd {
            kind,
            target: target.to_owned(),
            reason: "stolen".to_owned(),
            ttl_s,
            per_min: None,
            incident: Some(number),
        };
        let hour = desk.ask::<operation::contain_add>(add(3_600)).await.expect("an analyst may");
        assert_eq!(
            (hour.state, hour.per_min),
            (BlockState::Active, (kind == ContainKind::Limit).then_some(30))
        );
        let shorter = desk.ask::<operation::contain_add>(add(600)).await.expect_err("a shorter one");
        assert_eq!(shorter.code, ErrorCode::Precondition, "{shorter}");
        let told =
            shorter.message.contains(" is contained already, for ") && !shorter.message.contains("UTC");
        assert!(told, "{shorter}");
        let day = desk.ask::<operation::contain_add>(add(86_400)).await.expect("it is prolonged");
        let request = ContainListRequest { kind: vec![kind], ..ContainListRequest::default() };
        let list =
            desk.ask::<operation::contain_list>(request).await.expect("they can be listed").containments;
        let states: Vec<_> = list.iter().map(|row| (row.containment.id, row.containment.state)).collect();
        assert!(
            states.contains(&(hour.id, BlockState::Removed))
                && states.contains(&(day.id, BlockState::Active))
        );
        let ttl = list.iter().find_map(|row| row.redis_ttl_s).expect("the key is in Redis");
        assert!((86_300..=86_400).contains(&ttl), "{kind}: {ttl}");
        let request = ContainRemove { id: day.id, reason: "done".to_owned() };
        let removed = desk.ask::<operation::contain_remove>(request).await.expect("who contains may release");
        assert_eq!((removed.state, removed.removed_by.as_deref()), (BlockState::Removed, Some("dana")));
        let after = desk.ask::<operation::contain_preview>(check).await.expect("it can be previewed");
        assert_eq!(after.existing, None);
    }
    let timeline = desk.first_incident().await.timeline;
    assert_eq!(
        timeline.iter().filter(|line| line.kind == "contain").count(),
        12,
        "added, prolonged, released"
    );
    let wrong = ContainAdd {
        kind: ContainKind::User,
        target: "anna".to_owned(),
        reason: "x".to_owned(),
        ttl_s: 600,
        per_min: Some(3),
        incident: None,
    };
    let error = desk.ask::<operation::contain_add>(wrong).await.expect_err("only a limit has a rate");
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Validation, Some("per_min")));
    desk.console.close().await;
}

/// A console whose clock is moved by the test.
pub(crate) async fn timed(home: &TempDir, clock: Arc<ManualClock>) -> Desk {
    let console = Console::start(ConsoleOptions {
        paths: Paths::below(home.path()).expect("the folder is ours"),
        clock,
        tenure: Tenure::Owner,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })
    .expect("an empty folder holds no bad connections");
    console.open(local_connection()).await.expect("the local workspace opens");
    Desk { console, call: Call { caller: caller(Role::Admin), confirmation: None, reason: None } }
}

#[tokio::test]
async fn what_runs_out_is_marked_and_the_next_time_lasts_longer() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = timed(&home, clock.clone()).await;
    put(&desk, policy(ResponseMode::On, &[ActionKind::RateLimit])).await;
    let mut ttls = Vec::new();
    for n in 1..=3 {
        let workspace = desk.console.workspace().expect("it is open");
        let events = injection(desk.console.now(), ATTACKER);
        workspace.events().expect("Redis answers").write_events(&events).await.expect("events are written");
        // This clock stands still, so the engine never finds its pauses over: wait for the action itself.
        let newest = tokio::time::timeout(Duration::from_secs(30), async {
            let mut timer = tokio::time::interval(Duration::from_millis(50));
            loop {
                timer.tick().await;
                let mut done = of(&desk, ActionKind::RateLimit).await;
                if done.len() == n && done[0].state != ResponseState::Planned {
                    return done.remove(0);
                }
            }
        })
        .await
        .expect("the engine acts");
        assert_eq!(newest.state, ResponseState::Done, "{newest:?}");
        ttls.push((newest.factor, newest.ttl_s));
        clock.advance(chrono::Duration::seconds(3_600 * i64::from(newest.factor) + 60));
        let id = newest.effect.expect("it made something").parse().expect("an id");
        tokio::time::timeout(Duration::from_secs(30), async {
            let mut timer = tokio::time::interval(Duration::from_millis(100));
            let workspace = desk.console.workspace().expect("it is open");
            while workspace.store().containment_by_id(id).await.expect("it is kept").state
                != BlockState::Expired
            {
                timer.tick().await;
            }
        })
        .await
        .expect("what ran out is marked");
        // The clock of Redis goes on by itself: take the key away as its TTL would have.
        let workspace = desk.console.workspace().expect("it is open");
        let made = workspace.store().containment_by_id(id).await.expect("it is kept");
        workspace.events().expect("Redis answers").remove_containment(&made).await.expect("Redis answers");
    }
    assert_eq!(ttls, [(1, Some(3_600)), (4, Some(14_400)), (16, Some(57_600))]);
    desk.console.close().await;
}

#[tokio::test]
async fn production_stays_at_a_dry_run_until_its_name_is_typed() {
    let home = folder();
    let local = desk(&home, Tenure::Owner, local_connection()).await;
    let connection = |production| Connection {
        id: ConnectionId::at(local.console.now()),
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix {
                path: home.path().join("data/workspace/redis.sock").to_string_lossy().into_owned(),
            },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite {
            path: Some(home.path().join("shop.db").to_string_lossy().into_owned()),
        },
        production,
        observe: false,
    };
    let elsewhere = desk(&home, Tenure::Guest, connection(false)).await;
    put(&elsewhere, policy(ResponseMode::On, &[ActionKind::BlockIp])).await;
    let view = elsewhere.ask::<operation::response_policy_get>(Nothing {}).await.expect("it is there");
    assert_eq!(view.effective, ResponseMode::On, "this connection is not marked production");
    elsewhere.console.close().await;

    let shop = desk(&home, Tenure::Guest, connection(true)).await;
    let view = shop.ask::<operation::response_policy_get>(Nothing {}).await.expect("it is there");
    assert_eq!((view.policy.mode, view.effective), (ResponseMode::On, ResponseMode::DryRun));
    assert!(view.detail.contains("production"), "{}", view.detail);
    let request = || ResponsePolicyPut { policy: view.policy.clone(), reason: "we are ready".to_owned() };
    let error = shop.ask::<operation::response_policy_put>(request()).await.expect_err("no name typed");
    assert_eq!(error.field.as_deref(), Some("confirmation"), "{error}");
    let call = Call { confirmation: Some("shop".to_owned()), ..shop.call.clone() };
    let view = shop.console.call::<operation::response_policy_put>(&call, request()).await.expect("typed");
    assert_eq!((view.effective, view.detail.as_str()), (ResponseMode::On, ""));
    shop.console.close().await;
    local.console.close().await;
}

#[tokio::test]
async fn a_preview_counts_exactly_and_changes_nothing() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    put(&desk, policy(ResponseMode::Off, &[ActionKind::BlockIp])).await;
    desk.fill().await;
    let mut tried = policy(ResponseMode::On, &[ActionKind::Notify, ActionKind::BlockIp]);
    tried.rules[0].severity_min = Severity::Info;
    tried.rules[0].confidence_min = 0;
    let request = ResponsePreviewRequest { policy: Some(tried.clone()), days: 3 };
    let preview =
        desk.ask::<operation::response_preview>(request.clone()).await.expect("it can be previewed");
    let mut incidents = Vec::new();
    let page = IncidentPageRequest { limit: 500, ..IncidentPageRequest::default() };
    incidents.extend(desk.ask::<operation::incident_page>(page).await.expect("they can be listed").rows);
    let findings: u64 = incidents.iter().map(|incident| incident.finding_count).sum();
    assert_eq!((preview.findings, preview.matched), (findings, findings), "every finding is looked at");
    let count =
        |kind| preview.by_action.iter().find(|count| count.action == kind).copied().expect("it is counted");
    assert_eq!(count(ActionKind::Notify).done, incidents.len() as u64, "one notification for each incident");
    let block = count(ActionKind::BlockIp);
    let listed = |skipped: bool| {
        let of = |row: &&watchpost_ops::contract::PreviewedAction| {
            row.action == ActionKind::BlockIp && row.skipped.is_some() == skipped
        };
        preview.rows.iter().filter(of).count() as u64
    };
    assert_eq!((block.done, block.skipped), (listed(false), listed(true)), "the list is what was counted");
    assert!(block.done > 0, "a simulated day holds attackers with addresses");
    let twice = desk.ask::<operation::response_preview>(request).await.expect("it can be previewed");
    assert_eq!((twice.done, twice.skipped), (preview.done, preview.skipped));
    assert_eq!(actions(&desk).await, [], "nothing was done or recorded");
    tried.rules[0].steps[1].ttl_s = None;
    let request = ResponsePreviewRequest { policy: Some(tried), days: 3 };
    let error = desk.ask::<operation::response_preview>(request).await.expect_err("the policy is wrong");
    assert_eq!(error.field.as_deref(), Some("rules[0].steps[1].ttl_s"));
    desk.console.close().await;
}
