//! The answer to "how is everything?".

use std::sync::Arc;

use chrono::{DateTime, Utc};
use watchpost_model::access::Caller;
use watchpost_store::EVENT_TEXT_STEP;

use crate::connections::LOCAL;
use crate::console::{Console, Workspace};
use crate::contract::{EngineState, EngineStatus, Part, PartState, SecretState, WorkspaceStatus};
use crate::targets::account;

/// What a connection to a database on another machine without TLS means.
pub(crate) const IN_THE_CLEAR: &str =
    "whoever is on the way to it reads and changes everything; save the connection with TLS";

/// The state of everything; never fails, because a status that fails tells nothing.
pub(crate) async fn status(console: &Console, caller: &Caller) -> WorkspaceStatus {
    let caller = console.with_role(caller).await;
    let workspace = console.current();
    // A keychain that does not answer is waited for while the database is asked.
    let (secrets, mut status) = tokio::join!(
        state_of_secrets(console, workspace.as_deref()),
        Box::pin(of_servers(console, caller, workspace.clone()))
    );
    status.secrets = secrets;
    status
}

async fn state_of_secrets(console: &Console, workspace: Option<&Workspace>) -> SecretState {
    match workspace {
        // What another connection has lost is told where all of them are listed.
        Some(workspace) => console.secrets().state_for(&account(workspace.connection().id, "")).await,
        None => console.secrets().state().await,
    }
}

/// All but the state of the secrets, which is another question.
async fn of_servers(console: &Console, caller: Caller, workspace: Option<Arc<Workspace>>) -> WorkspaceStatus {
    let now = console.now();
    let mut status = WorkspaceStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        identity: crate::identity::identity(&caller, workspace.as_deref()),
        caller,
        connection: None,
        opening: console.coming(),
        opening_failed: if workspace.is_none() { console.opening_failed() } else { None },
        redis: None,
        database: None,
        trail: None,
        copies_problem: None,
        words_behind: None,
        health_alerts: Vec::new(),
        engine: stopped(),
        secrets: SecretState::TimedOut,
        newest_event: None,
        incidents_active: 0,
        at: now,
        offer_demo: false,
    };
    let Some(workspace) = workspace else { return status };
    status.connection = Some(workspace.connection().clone());
    status.redis = Some(workspace.redis_part());
    status.trail = Some(workspace.witness().status(now));
    status.engine = workspace.engine().status(now);
    match workspace.store().pulse().await {
        Ok(pulse) => {
            tell_of_lease(&workspace, &mut status.engine, now).await;
            // What cannot be asked is told by what is wrong with the database.
            status.copies_problem =
                crate::perform::database_looked::copies_problem(&workspace).await.unwrap_or_default();
            status.words_behind = words_behind(&workspace).await;
            status.health_alerts = crate::health_watch::alerts(workspace.store()).await.unwrap_or_default();
            status.newest_event = pulse.newest_event;
            status.incidents_active = pulse.incidents_active;
            status.offer_demo =
                console.0.offer_demo && workspace.connection().id == LOCAL && pulse.newest_event.is_none();
            status.database = Some(match pulse.read_only {
                None => {
                    workspace.hearing().is_well(now);
                    let detail = database_detail(&workspace);
                    Part { state: PartState::Connected, detail, last_ok: Some(now) }
                }
                // What is read may be older than what was seen.
                Some(why) => lost(&workspace, why.to_string()),
            });
        }
        Err(problem) => status.database = Some(lost(&workspace, problem.to_string())),
    }
    Box::pin(tell_of_rules(&workspace, &mut status.engine)).await;
    status
}

/// A database that does not answer, or takes no changes.
fn lost(workspace: &Workspace, detail: String) -> Part {
    Part { state: PartState::Down, detail, last_ok: workspace.hearing().last_ok() }
}

/// Of an engine that does not run in this process: what the lease says of that of another one.
async fn tell_of_lease(workspace: &Workspace, engine: &mut EngineStatus, now: DateTime<Utc>) {
    if engine.state != EngineState::Stopped {
        return;
    }
    // What cannot be asked is told by what is wrong with the database.
    match workspace.store().lease_until(crate::engine::LEASE).await.unwrap_or_default() {
        Some(until) if until > now => {
            engine.state = EngineState::Standby;
            "another process runs the engine of this database".clone_into(&mut engine.detail);
        }
        // One that ends gives its lease back.
        Some(until) => {
            engine.detail = format!(
                "the process that ran it has not renewed its lease, which ran out {}: it was killed, or cannot write to \
                 the database (is the disk full?); its log says why",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            );
        }
        None => {}
    }
}

/// Events whose words wait to be indexed; what cannot be asked is told by what is wrong with the database.
async fn words_behind(workspace: &Workspace) -> Option<u64> {
    let behind = workspace.store().event_text_behind().await.unwrap_or_default();
    (behind >= EVENT_TEXT_STEP).then_some(behind)
}

/// The rules of the engine at work here; those of the same home where another process of this machine works it. What
/// other engines count and go by is not known here.
async fn tell_of_rules(workspace: &Workspace, engine: &mut EngineStatus) {
    let is_here = !matches!(engine.state, EngineState::Standby | EngineState::Stopped);
    if !is_here {
        (engine.quarantined_total, engine.evicted_total, engine.lost_total) = (None, None, None);
    }
    let rules = if is_here {
        workspace.rules().last()
    } else if workspace.connection().id == LOCAL {
        // What cannot be loaded is told by what is wrong with the database.
        workspace.rules().refresh(workspace, false).await.ok().map(|(loaded, _)| loaded)
    } else {
        None
    };
    if let Some(rules) = rules {
        let n_rules = rules.set.rules().iter().filter(|rule| rule.enabled).count();
        let n_problems = rules.problems.iter().filter(|problem| !problem.is_warning).count();
        (engine.rules, engine.rule_problems) = (Some(n_rules as u64), Some(n_problems as u64));
    }
}

fn database_detail(workspace: &Workspace) -> String {
    let mut detail = workspace.store().engine_name().to_owned();
    if workspace.hearing().is_lost() {
        detail.push_str(", its notices are not heard: changes of other consoles show a second later");
    }
    if workspace.connection().database.is_in_the_clear() {
        detail.push_str(", NOT ENCRYPTED: ");
        detail.push_str(IN_THE_CLEAR);
    }
    detail
}

fn stopped() -> EngineStatus {
    EngineStatus {
        state: EngineState::Stopped,
        detail: String::new(),
        processed_total: 0,
        duplicates_total: 0,
        events_per_min: 0.0,
        backlog: None,
        quarantined_total: None,
        lost_total: None,
        evicted_total: None,
        findings_total: 0,
        rules: None,
        rule_problems: None,
    }
}
