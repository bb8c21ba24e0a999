//! A PostgreSQL that fails, and a standby that takes its place behind the same address: the console tells what is lost, goes on
//! by itself, and holds against the new one what the one before had confirmed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use watchpost_model::audit::AuditRecord;
use watchpost_model::connection::DatabaseConnection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditAccept, AuditPageRequest, AuditPlaces, AuditPlacesPut, AuditVerify, Nothing, Part, PartState,
    Settings, SettingsChange, WorkspaceStatus,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk, folder};
use crate::people::team;
use crate::server::Server;

/// Longer than any of it takes.
const BOUND: Duration = Duration::from_secs(60);
/// Within this whoever asks is told.
const ANSWERED: Duration = Duration::from_secs(8);

/// The one address of a team's database, which leads to one server or another. Connections that were made stay with theirs.
struct Address {
    port: u16,
    to: watch::Sender<PathBuf>,
    _tasks: JoinSet<()>,
}

impl Address {
    async fn of(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it has a port").port();
        let (to, seen) = watch::channel(server.socket());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let socket = seen.borrow().clone();
                passing.spawn(async move {
                    if let Ok(mut server) = UnixStream::connect(socket).await {
                        drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
                    }
                });
            }
        });
        Self { port, to, _tasks: tasks }
    }

    fn leads_to(&self, server: &Server) {
        self.to.send_replace(server.socket());
    }
}

async fn open(home: &TempDir, tenure: Tenure, server: &Server, address: &Address) -> Desk {
    let mut connection = team(home, server, None);
    if let DatabaseConnection::Postgres { host, port, .. } = &mut connection.database {
        (*host, *port) = ("127.0.0.1".to_owned(), address.port);
    }
    desk(home, tenure, connection).await
}

async fn settings(desk: &Desk) -> Settings {
    desk.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read")
}

/// One change, which asks nothing before.
async fn rename(desk: &Desk, organisation: &str) -> Result<(), OpError> {
    let change = SettingsChange {
        organisation: organisation.to_owned(),
        retention: Settings::default().retention,
        reason: Some("a test".to_owned()),
    };
    desk.ask::<operation::settings_put>(change).await.map(drop)
}

/// A server, the address that leads to it, and a console that changed something there.
async fn after_one_change(tenure: Tenure) -> Option<(Server, Address, TempDir, Desk)> {
    let server = Server::start().await?;
    let address = Address::of(&server).await;
    let home = folder();
    let desk = open(&home, tenure, &server, &address).await;
    rename(&desk, "One").await.expect("it takes changes");
    Some((server, address, home, desk))
}

/// What is told of the first change that nobody confirms: a setting reaches the server a moment later.
async fn unconfirmed(desk: &Desk) -> OpError {
    loop {
        if let Err(error) = rename(desk, "Perhaps").await {
            return error;
        }
    }
}

/// The change is refused soon, and it is said why.
async fn refused(desk: &Desk, organisation: &str) -> OpError {
    let begun = Instant::now();
    let error = rename(desk, organisation).await.expect_err("nothing can be written");
    assert!(begun.elapsed() < ANSWERED, "{:?}: {error}", begun.elapsed());
    assert_eq!(error.code, ErrorCode::Unavailable, "{error}");
    error
}

async fn status(desk: &Desk) -> WorkspaceStatus {
    desk.ask::<operation::workspace_status>(Nothing {}).await.expect("a status never fails")
}

async fn status_until(desk: &Desk, what: &str, is_so: impl Fn(&WorkspaceStatus) -> bool) -> WorkspaceStatus {
    let asked = async {
        let mut timer = tokio::time::interval(Duration::from_millis(50));
        loop {
            timer.tick().await;
            let status = status(desk).await;
            if is_so(&status) {
                return status;
            }
        }
    };
    tokio::time::timeout(BOUND, asked).await.unwrap_or_else(|_| panic!("{what}"))
}

fn database(status: &WorkspaceStatus) -> &Part {
    status.database.as_ref().expect("a connection is open")
}

/// Everything answers, and the notices of others are heard.
fn is_whole(status: &WorkspaceStatus) -> bool {
    let database = database(status);
    database.state == PartState::Connected && database.detail == "PostgreSQL"
}

fn is_standby(status: &WorkspaceStatus) -> bool {
    database(status).detail.contains("standby")
}

/// Waits until a server answers a question so.
async fn says(server: &Server, statement: &str, answer: &str) {
    let asked = async {
        let mut timer = tokio::time::interval(Duration::from_millis(50));
        while server.tell(statement).as_deref() != Ok(answer) {
            timer.tick().await;
        }
    };
    tokio::time::timeout(BOUND, asked).await.unwrap_or_else(|_| panic!("{statement}: {answer}"));
}

fn set(server: &Server, setting: &str) {
    for statement in [format!("ALTER SYSTEM SET {setting}"), "SELECT pg_reload_conf()".to_owned()] {
        server.tell(&statement).expect("the account may");
    }
}

/// The newest first.
async fn trail(desk: &Desk) -> Vec<AuditRecord> {
    let request = AuditPageRequest { limit: 500, ..AuditPageRequest::default() };
    desk.ask::<operation::audit_page>(request).await.expect("the trail can be read").rows
}

async fn verifies(desk: &Desk) -> bool {
    desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("a check answers").ok
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_goes_on_with_the_standby_that_took_the_place_of_the_primary() {
    let Some(mut primary) = Server::start().await else { return };
    let Some(standby) = primary.standby().await else { return };
    set(&primary, "synchronous_commit = remote_apply");
    set(&primary, "synchronous_standby_names = '*'");
    says(&primary, "SELECT sync_state FROM pg_stat_replication", "sync").await;
    let address = Address::of(&primary).await;
    let home = folder();
    let desk = open(&home, Tenure::Owner, &primary, &address).await;
    for name in ["One", "Two"] {
        rename(&desk, name).await.expect("the primary takes changes");
    }
    status_until(&desk, "notices are heard", is_whole).await;

    // For a moment the address leads to the standby: nobody stays there once it leads back.
    address.leads_to(&standby);
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity \
               WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    assert_eq!(primary.tell(cut).as_deref(), Ok("t"));
    status_until(&desk, "a standby is told as one", is_standby).await;
    address.leads_to(&primary);
    status_until(&desk, "it is back at the primary", is_whole).await;
    rename(&desk, "Two").await.expect("the primary takes changes");
    let before = trail(&desk).await;

    primary.kill();
    let lost = status(&desk).await;
    assert_eq!(database(&lost).state, PartState::Down, "{lost:?}");
    assert!(database(&lost).detail.starts_with("the database cannot be reached"), "{lost:?}");
    assert!(database(&lost).last_ok.is_some(), "and it is told since when: {lost:?}");
    refused(&desk, "Lost with the primary").await;

    // The address leads to a server that only reads.
    address.leads_to(&standby);
    let reads = status_until(&desk, "a standby is told as one", is_standby).await;
    assert_eq!(database(&reads).state, PartState::Down, "{reads:?}");
    assert!(database(&reads).detail.contains("promote"), "what to do: {reads:?}");
    let refusal = refused(&desk, "Lost with the standby").await;
    assert!(refusal.message.contains("takes no changes"), "{refusal}");
    assert!(refusal.hint.is_some_and(|hint| hint.contains("pg_promote")), "it says what to do");
    assert_eq!(settings(&desk).await.organisation, "Two", "what was confirmed is there, and no more");
    let checked = desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("it checks");
    assert!(checked.ok && checked.unrecorded, "{checked:?}");

    assert_eq!(standby.tell("SELECT pg_promote()").as_deref(), Ok("t"));
    status_until(&desk, "it goes on, and notices are heard", is_whole).await;
    says(&standby, "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'", "1").await;
    rename(&desk, "Three").await.expect("the new primary takes changes");
    assert_eq!(settings(&desk).await.organisation, "Three");
    let after = trail(&desk).await;
    let numbers = after.iter().rev().map(|record| record.seq);
    assert!(numbers.zip(0..).all(|(seq, n)| seq == n), "no gap and nothing twice");
    let kept = before.iter().rev().zip(after.iter().rev());
    assert!(kept.clone().count() == before.len(), "all that was confirmed");
    for (before, after) in kept {
        assert_eq!(before.leaf_hash, after.leaf_hash, "record {}", before.seq);
    }
    assert!(verifies(&desk).await);
    let trail = status(&desk).await.trail.expect("a connection is open");
    assert!(trail.ok, "{trail:?}");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_lacks_what_was_confirmed_raises_the_alarm_when_it_is_promoted() {
    let Some(mut primary) = Server::start().await else { return };
    let Some(standby) = primary.standby().await else { return };
    let address = Address::of(&primary).await;
    let home = folder();
    let desk = open(&home, Tenure::Owner, &primary, &address).await;
    rename(&desk, "Kept").await.expect("the primary takes changes");
    let written = primary.tell("SELECT pg_current_wal_lsn()").expect("it tells how far it is");
    says(&standby, &format!("SELECT pg_last_wal_replay_lsn() >= CAST('{written}' AS pg_lsn)"), "t").await;
    // From here on nothing reaches it.
    set(&standby, "primary_conninfo = ''");
    says(&primary, "SELECT COUNT(*) FROM pg_stat_replication", "0").await;
    // What no look of this console has seen since: it was confirmed to it, and that is enough.
    rename(&desk, "Confirmed and lost").await.expect("the primary takes changes");

    primary.kill();
    address.leads_to(&standby);
    let reads = status_until(&desk, "a standby is told as one", is_standby).await;
    assert!(reads.trail.expect("a connection is open").ok, "it may get the rest before it takes changes");
    assert_eq!(standby.tell("SELECT pg_promote()").as_deref(), Ok("t"));
    let told = status_until(&desk, "the alarm is raised", |status| {
        status.trail.as_ref().is_some_and(|trail| !trail.ok)
    })
    .await;
    let detail = told.trail.expect("a connection is open").detail;
    assert!(detail.contains("this console saw"), "{detail}");
    status_until(&desk, "the work goes on", is_whole).await;
    assert_eq!(settings(&desk).await.organisation, "Kept", "the newest is lost");
    rename(&desk, "The work goes on").await.expect("the new primary takes changes");
    assert!(!verifies(&desk).await, "also when the log has grown");
    let trust = desk.ask::<operation::audit_trust>(Nothing {}).await.expect("trust is told");
    assert!(!trust.ok && trust.signer.is_none(), "it signs for no such log: {trust:?}");

    let accept = AuditAccept { reason: "the standby lacked the newest records".to_owned() };
    let accepted = desk.ask::<operation::audit_accept>(accept).await.expect("a person may take it as it is");
    assert!(accepted.ok, "{accepted:?}");
    rename(&desk, "And on").await.expect("the new primary takes changes");
    assert!(verifies(&desk).await, "what was lost is not held against it any more");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_place_knows_better_is_not_held_against_a_standby_before_it_is_promoted() {
    let Some(mut primary) = Server::start().await else { return };
    let Some(standby) = primary.standby().await else { return };
    let address = Address::of(&primary).await;
    let (home, other, vault) = (folder(), folder(), folder());
    let desk1 = open(&home, Tenure::Owner, &primary, &address).await;
    let places =
        AuditPlaces { folders: vec![vault.path().display().to_string()], redis: false, webhook: None };
    let put = AuditPlacesPut { places, reason: None };
    desk1.ask::<operation::audit_places_put>(put).await.expect("a folder can be used");
    let written = primary.tell("SELECT pg_current_wal_lsn()").expect("it tells how far it is");
    says(&standby, &format!("SELECT pg_last_wal_replay_lsn() >= CAST('{written}' AS pg_lsn)"), "t").await;
    set(&standby, "primary_conninfo = ''");
    says(&primary, "SELECT COUNT(*) FROM pg_stat_replication", "0").await;
    rename(&desk1, "Confirmed and lost").await.expect("the primary takes changes");
    desk1.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("a checkpoint is signed");
    desk1.console.close().await;
    primary.kill();

    address.leads_to(&standby);
    // A console of another account, which saw nothing of the log itself.
    let desk2 = open(&other, Tenure::Owner, &standby, &address).await;
    let reads = status_until(&desk2, "a standby is told as one", is_standby).await;
    let trail = reads.trail.expect("a connection is open");
    assert!(trail.ok, "it may get the rest before it takes changes: {trail:?}");
    assert_eq!(standby.tell("SELECT pg_promote()").as_deref(), Ok("t"));
    status_until(&desk2, "it goes on", is_whole).await;
    let trust = desk2.ask::<operation::audit_trust>(Nothing {}).await.expect("trust is told");
    // Rolled back, or written anew where this console has left records of its own since.
    let found = trust.problem.as_deref().unwrap_or_default();
    assert!(found.contains("has a checkpoint of size"), "it is told now: {trust:?}");
    desk2.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_set_to_read_only_is_told_as_that_until_it_is_not() {
    let Some((server, _address, _home, desk)) = after_one_change(Tenure::Owner).await else { return };
    set(&server, "default_transaction_read_only = on");
    let told = status_until(&desk, "it is told", |status| {
        database(status).detail.contains("default_transaction_read_only")
    })
    .await;
    assert_eq!(database(&told).state, PartState::Down, "{told:?}");
    let refusal = refused(&desk, "Two").await;
    assert!(refusal.message.contains("takes no changes"), "{refusal}");
    assert_eq!(settings(&desk).await.organisation, "One");
    // A check answers, and says that it left no record.
    let before = trail(&desk).await.len();
    let checked = desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("it checks");
    assert!(checked.ok && checked.unrecorded, "{checked:?}");
    assert_eq!(trail(&desk).await.len(), before, "nothing was written");
    set(&server, "default_transaction_read_only = off");
    status_until(&desk, "it goes on", is_whole).await;
    rename(&desk, "Three").await.expect("it takes changes again");
    let checked = desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("it checks");
    assert!(checked.ok && !checked.unrecorded, "{checked:?}");
    assert!(trail(&desk).await.iter().any(|record| record.action == "audit_verify"), "it has its record");
    // A login that made itself one that only reads gets no check without a record.
    server.tell("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on").expect("the account may");
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity \
               WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    assert_eq!(server.tell(cut).as_deref(), Ok("t"));
    status_until(&desk, "it is told", |status| {
        database(status).detail.contains("default_transaction_read_only")
    })
    .await;
    let refused = desk.ask::<operation::audit_verify>(AuditVerify::default()).await;
    assert!(
        refused.is_err_and(|error| error.message.contains("takes no changes")),
        "it would have no record"
    );
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_change_that_was_not_confirmed_nobody_says_what_became_of_it() {
    let Some((mut server, _address, _home, desk)) = after_one_change(Tenure::Guest).await else { return };
    // Whoever commits waits for a standby that never comes.
    set(&server, "synchronous_standby_names = 'nobody'");
    let cut = async {
        says(&server, "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "1").await;
        server.kill();
    };
    let (error, ()) = tokio::join!(unconfirmed(&desk), cut);
    assert_eq!(error.code, ErrorCode::Unavailable, "{error}");
    assert!(error.message.contains("whether it was done is not known"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("look before you try again")), "it says what to do");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_for_a_standby_that_is_gone_does_not_keep_the_console_from_ending() {
    let Some((server, _address, _home, desk)) = after_one_change(Tenure::Guest).await else { return };
    set(&server, "synchronous_standby_names = 'gone'");
    let error = tokio::time::timeout(BOUND, unconfirmed(&desk)).await.expect("it is told");
    assert!(error.message.contains("whether it was done is not known"), "{error}");
    let told = status(&desk).await;
    assert_eq!(database(&told).state, PartState::Down, "nothing is confirmed: {:?}", told.database);
    let detail = &database(&told).detail;
    assert!(
        detail.contains("synchronous_standby_names") && detail.contains("bring the standby back"),
        "{detail}"
    );
    let verify = AuditVerify { full: false, ticket: None };
    let held = desk.ask::<operation::audit_verify>(verify).await.expect_err("the log is held");
    assert!(held.message.contains("a synchronous standby that is gone"), "{held}");
    assert!(!held.to_string().contains("pg_terminate_backend"), "nobody is to be ended: {held}");
    let begun = Instant::now();
    desk.console.close().await;
    assert!(begun.elapsed() < BOUND / 3, "{:?}", begun.elapsed());
    // What waited was done after all, and no record says that it failed.
    set(&server, "synchronous_standby_names = ''");
    says(&server, "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "0").await;
    says(&server, "SELECT COUNT(*) FROM audit_record WHERE outcome <> 'success'", "0").await;
}

/// What `asked` answers while everything that waits for a standby is ended: it is done after all, holds nothing any more, and
/// nobody is told so.
async fn cut_short<T>(server: &Server, asked: impl Future<Output = T>) -> T {
    let cut = async {
        let waiting =
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let mut timer = tokio::time::interval(Duration::from_millis(50));
        while server.tell(waiting).is_ok() {
            timer.tick().await;
        }
    };
    let asked = tokio::time::timeout(BOUND, asked);
    tokio::select! {
        answered = asked => answered.expect("it is told"),
        () = cut => panic!("the account may"),
    }
}

/// It names the standby, and nobody who should be ended.
fn names_the_standby(told: &OpError) {
    assert_eq!(told.code, ErrorCode::Unavailable, "{told}");
    assert!(told.message.contains("a synchronous standby that is gone"), "{told}");
    assert!(!told.to_string().contains("pg_terminate_backend"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_cannot_note_itself_names_the_standby_that_is_gone() {
    let Some((server, _address, _home, desk)) = after_one_change(Tenure::Guest).await else { return };
    set(&server, "synchronous_standby_names = 'gone'");
    // The setting reaches the server a moment later.
    let in_vain = async {
        while rename(&desk, "Perhaps").await.is_ok() {}
        desk.ask::<operation::audit_verify>(AuditVerify::default()).await
    };
    // Nobody holds the log: what waits is the record of the check itself.
    let told = cut_short(&server, in_vain).await.expect_err("its record is not confirmed");
    names_the_standby(&told);
    assert!(told.message.contains("whether it was done is not known"), "{told}");
    set(&server, "synchronous_standby_names = ''");
    assert!(verifies(&desk).await, "it goes on when no standby is waited for");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_names_the_standby_that_is_gone() {
    // An owner has a key to sign with.
    let Some((server, address, _home, desk)) = after_one_change(Tenure::Owner).await else { return };
    let other = folder();
    let guest = open(&other, Tenure::Guest, &server, &address).await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("a checkpoint is signed");
    set(&server, "synchronous_standby_names = 'gone'");
    let in_vain = async {
        loop {
            // Something to sign for.
            drop(rename(&desk, "Perhaps").await);
            if let Err(error) = desk.ask::<operation::audit_checkpoint>(Nothing {}).await {
                return error;
            }
        }
    };
    names_the_standby(&cut_short(&server, in_vain).await);
    // Whoever has no key is not shown the old checkpoint as if it were one of now.
    // What is cut short is done after all: the log is ahead of whatever was signed.
    for name in ["Three", "Four", "Five"] {
        drop(cut_short(&server, rename(&desk, name)).await);
    }
    let asked = guest.ask::<operation::audit_checkpoint>(Nothing {});
    let told = cut_short(&server, asked).await.expect_err("nothing was signed");
    names_the_standby(&told);
    assert!(told.message.contains("nothing was signed") && told.message.contains("no key"), "{told}");
    set(&server, "synchronous_standby_names = ''");
    desk.console.close().await;
}
