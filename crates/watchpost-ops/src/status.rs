//! The answer to "how is everything?".

use watchpost_model::access::Caller;

use crate::connections::LOCAL;
use crate::console::{Console, Workspace};
use crate::contract::{EngineState, EngineStatus, Part, PartState, WorkspaceStatus};

/// What a connection to a database on another machine without TLS means.
pub(crate) const IN_THE_CLEAR: &str =
    "whoever is on the way to it reads and changes everything; save the connection with TLS";

/// The state of everything; never fails, because a status that fails tells nothing.
pub(crate) async fn status(console: &Console, caller: &Caller) -> WorkspaceStatus {
    let now = console.now();
    let mut status = WorkspaceStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        caller: console.with_role(caller),
        connection: None,
        redis: None,
        database: None,
        trail: None,
        copies_problem: None,
        health_alerts: Vec::new(),
        engine: stopped(),
        secrets: console.secrets().state().await,
        newest_event: None,
        incidents_active: 0,
        at: now,
        offer_demo: false,
    };
    let Some(workspace) = console.current() else { return status };
    status.connection = Some(workspace.connection().clone());
    status.redis = Some(workspace.redis_part());
    status.trail = Some(workspace.witness().status(now));
    status.engine = workspace.engine().status(now);
    if let Some(rules) = workspace.rules().last() {
        status.engine.rules = rules.set.rules().iter().filter(|rule| rule.enabled).count() as u64;
        status.engine.rule_problems =
            rules.problems.iter().filter(|problem| !problem.is_warning).count() as u64;
    }
    match workspace.store().pulse().await {
        Ok(pulse) => {
            if status.engine.state == EngineState::Stopped
                && workspace.store().lease_is_held(crate::engine::LEASE, now).await.unwrap_or(false)
            {
                status.engine.state = EngineState::Standby;
                status.engine.detail = "another process runs the engine of this database".to_owned();
            }
            // What cannot be asked is told by what is wrong with the database.
            status.copies_problem =
                crate::perform::database_copies::copies_problem(&workspace).await.unwrap_or_default();
            status.health_alerts = crate::health_watch::alerts(workspace.store()).await.unwrap_or_default();
            status.newest_event = pulse.newest_event;
            status.incidents_active = pulse.incidents_active;
            status.offer_demo =
                console.0.offer_demo && workspace.connection().id == LOCAL && pulse.newest_event.is_none();
            status.database = Some(Part {
                state: PartState::Connected,
                detail: database_detail(&workspace),
                last_ok: Some(now),
            });
        }
        Err(problem) => {
            status.database =
                Some(Part { state: PartState::Down, detail: problem.to_string(), last_ok: None });
        }
    }
    status
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
        quarantined_total: 0,
        lost_total: 0,
        evicted_total: 0,
        findings_total: 0,
        rules: 0,
        rule_problems: 0,
    }
}
