//! The tasks of an owner: keep Redis reached, detect, sample health, expire blocks, sign checkpoints, and hear what
//! other consoles changed. Each ends when the workspace closes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use watchpost_model::block::Block;
use watchpost_model::contain::Containment;
use watchpost_model::health::{HealthSample, RedisHealth};
use watchpost_store::{BusyStep, StoreError};

use crate::blocking::off_the_runtime;
use crate::console::{Console, Workspace};
use crate::contract::{PartState, Tag};
use crate::engine;
use crate::enrich::Freshness;
use crate::error::OpError;
use crate::health_watch::Watcher;
use crate::hearing;
use crate::perform::enforce;
use crate::respond;
use crate::told::Told;

/// How often Redis is asked whether it is there.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// How long until what applications are to enforce is compared with Redis again.
const COMPARE_AGAIN: chrono::Duration = chrono::Duration::seconds(30);
/// How often a health sample is stored.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// How often blocks and containments that ran out are marked.
const EXPIRE_EVERY: Duration = Duration::from_secs(5);
/// How often a checkpoint is signed when something was added.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked whether a scheduled report is due.
const REPORTS_EVERY: Duration = Duration::from_secs(15);

/// How often it is looked whether the place of a source is to be asked.
const PLACE_EVERY: Duration = Duration::from_secs(2);
/// Sources whose places are asked and written at once.
const PLACED: u32 = 2_000;

/// How often it is looked whether there are events to add to the index of their words, and how often after a look that
/// found none.
const TEXT_EVERY: Duration = Duration::from_millis(500);
const TEXT_REST: Duration = Duration::from_secs(2);
/// How much of that time it takes while events are coming in, half of it in pauses.
const TEXT_SHARE: Duration = Duration::from_millis(200);
/// So long nothing came in before what is too little for a step of its own is added too.
const TEXT_QUIET: Duration = Duration::from_secs(1);

/// How often it is looked whether an hour of events is to be packed, and how much of that time it takes.
const PACK_EVERY: Duration = Duration::from_secs(15);
const PACK_SHARE: Duration = Duration::from_secs(3);

/// How often the partitions of the coming month of events are looked for.
const ROOM_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked whether maintenance of the plan is due.
const PLAN_EVERY: Duration = Duration::from_secs(15);

/// Starts the tasks. What others change from the moment this returns is announced: the counters are read here, not by
/// the first turn of a task that may come later. The others begin when the first figures are drawn.
pub(crate) async fn start(console: &Console, workspace: &Arc<Workspace>) {
    let known = workspace.store().revisions().await.ok();
    workspace.run(hearing::listen(console.clone(), workspace.clone(), known));
    workspace.run(hearing::hear(workspace.clone()));
    workspace.engine().begins();
    run_later(console, workspace, every(PROBE_EVERY, console, workspace, watch_redis));
    run_later(console, workspace, engine::run(console.clone(), workspace.clone()));
    run_later(console, workspace, sample_health(console.clone(), workspace.clone()));
    run_later(console, workspace, every(CHECKPOINT_EVERY, console, workspace, sign_checkpoint));
    // Where the database has roles, the rest is for the login of `watchpost serve`: those of people may not write it.
    if workspace.role().is_some() {
        return;
    }
    run_later(console, workspace, every(ROOM_EVERY, console, workspace, make_room));
    run_later(console, workspace, every(EXPIRE_EVERY, console, workspace, expire));
    run_later(console, workspace, every(REPORTS_EVERY, console, workspace, crate::perform::reports::run_due));
    run_later(console, workspace, every(PLACE_EVERY, console, workspace, place_sources));
    run_later(console, workspace, index_words(workspace.clone()));
    run_later(console, workspace, pack_hours(workspace.clone()));
    run_later(console, workspace, every(PLAN_EVERY, console, workspace, crate::perform::plan::run_due));
}

/// Runs a task from when the first figures are drawn: it would take the processors and the database from them. One that
/// was not begun when the workspace closes is none.
fn run_later(console: &Console, workspace: &Workspace, task: impl Future<Output = ()> + Send + 'static) {
    let (console, stop) = (console.clone(), workspace.stop_token());
    workspace.run(async move {
        if stop.run_until_cancelled(console.first_figures()).await.is_some() {
            task.await;
        }
    });
}

/// Calls `step` at an interval until the workspace closes. A step that takes longer delays the next one.
fn every<F>(
    interval: Duration,
    console: &Console,
    workspace: &Arc<Workspace>,
    step: fn(Console, Arc<Workspace>) -> F,
) -> impl Future<Output = ()> + Send + 'static
where
    F: Future<Output = ()> + Send + 'static,
{
    let (console, workspace, stop) = (console.clone(), workspace.clone(), workspace.stop_token());
    async move {
        let mut timer = tokio::time::interval(interval);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(timer.tick()).await.is_some() {
            if stop.run_until_cancelled(step(console.clone(), workspace.clone())).await.is_none() {
                return;
            }
        }
    }
}

async fn watch_redis(console: Console, workspace: Arc<Workspace>) {
    let before = workspace.redis_part().state;
    let mut is_another = false;
    match workspace.events() {
        Ok(events) => match events.run_id().await {
            Ok(run_id) => {
                is_another = workspace.redis_is(run_id);
                workspace.redis_answered(None);
            }
            Err(error) => workspace.redis_lost(&error.to_string()),
        },
        Err(_) => workspace.try_redis().await,
    }
    let state = workspace.redis_part().state;
    if is_another || state != before {
        // It may have come back without its data, perhaps so quickly that nobody saw it go; or while nobody was here.
        workspace.restore_from(Some(workspace.now()));
    }
    if state == PartState::Connected && workspace.is_restore_due() {
        let again = respond::restore(&workspace).await;
        // Somebody may empty it while it stays up: nobody would notice.
        workspace.restore_from(again.or_else(|| Some(workspace.now() + COMPARE_AGAIN)));
    }
    if state != before || is_another {
        console.announce(&[Tag::Status, Tag::Health, Tag::Blocks]);
    }
}

/// Samples the health of Redis until the workspace closes. What keeps a sample from being stored or judged, such as a full
/// disk, lasts: it is said once, then rarely.
async fn sample_health(console: Console, workspace: Arc<Workspace>) {
    let stop = workspace.stop_token();
    let (mut watcher, mut told) = (Watcher::new(), Told::rarely());
    let mut timer = tokio::time::interval(SAMPLE_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(timer.tick()).await.is_some() {
        // Of a cluster other nodes may tell of it.
        if workspace.redis_part().state != PartState::Connected && !workspace.may_be_cluster() {
            continue;
        }
        match workspace.sample_health().await {
            Ok((health, sample)) => {
                match sample_taken(&console, &workspace, &mut watcher, &health, &sample).await {
                    Ok(()) if told.is_over() => {
                        tracing::warn!("samples of the health of Redis are stored and judged again");
                    }
                    Ok(()) => {}
                    Err((what, problem)) => {
                        if told.is_to_be_said(format!("{what}: {problem}"), tokio::time::Instant::now()) {
                            tracing::warn!(problem, "{what}; tried again with the next sample");
                        }
                    }
                }
                console.announce(&[Tag::Health]);
            }
            Err(problem) => tracing::debug!(%problem, "no health sample"),
        }
    }
    if workspace.role().is_none() {
        watcher.release(workspace.store()).await;
    }
}

/// Stores a sample, and judges it all the same if that fails. What did not work, and why: the first of it, for what keeps one
/// from working keeps the others.
async fn sample_taken(
    console: &Console,
    workspace: &Workspace,
    watcher: &mut Watcher,
    health: &RedisHealth,
    sample: &HealthSample,
) -> Result<(), (&'static str, String)> {
    let stored = workspace.store().health_sample_add(sample).await;
    let stored = stored.map_err(|problem| ("a health sample was not stored", problem.to_string()));
    // Where the database has roles, alerts are raised with the login of `watchpost serve`, as all findings.
    if workspace.role().is_some() {
        return stored;
    }
    let judged = match Box::pin(watcher.look(console, workspace, health)).await {
        Ok(true) => {
            let aged = watcher.age_history(workspace).await;
            aged.map_err(|problem| {
                ("the history of the health of Redis was not made smaller", problem.to_string())
            })
        }
        Ok(false) => Ok(()),
        Err(problem) => Err(("it is not known whether Redis is over a line", problem.to_string())),
    };
    stored.and(judged)
}

/// Writes where sources are while events keep coming; when none do, the engine has it done at once. Only beside the
/// engine at work: of several consoles on one database each may have another location file, or none.
async fn place_sources(_: Console, workspace: Arc<Workspace>) {
    if workspace.engine().is_at_work()
        && let Err(problem) = place_all(&workspace).await
    {
        tracing::warn!(%problem, "the places of sources were not written");
    }
}

/// Writes where every source is that was not asked of the location file of now.
pub(crate) async fn place_all(workspace: &Workspace) -> Result<(), OpError> {
    let known = workspace.known(Freshness::Recent).await?;
    let store = workspace.store();
    let has_file = !known.basis.is_empty();
    store.keep_places(has_file);
    if has_file {
        store.sources_fill().await?;
    }
    while place_some(workspace).await? > 0 {}
    Ok(())
}

async fn place_some(workspace: &Workspace) -> Result<usize, OpError> {
    let known = workspace.known(Freshness::Recent).await?;
    let sources = workspace.store().sources_unplaced(&known.basis, PLACED).await?;
    if sources.is_empty() {
        return Ok(0);
    }
    let asked = Arc::clone(&known);
    let places = off_the_runtime(move || {
        let country = |source: &String| asked.place_of(source).and_then(|place| place.country);
        sources
            .into_iter()
            .map(|source| (country(&source), source))
            .map(|(at, source)| (source, at))
            .collect()
    });
    let places: Vec<(String, Option<String>)> = places.await?;
    workspace.store().sources_placed(&known.basis, &places).await?;
    Ok(places.len())
}

/// Adds archived events to the index of their words until the workspace closes. What keeps it from that, such as a full
/// disk, lasts: it is said once, then rarely.
async fn index_words(workspace: Arc<Workspace>) {
    let stop = workspace.stop_token();
    let mut told = Told::default();
    let mut timer = tokio::time::interval(TEXT_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(timer.tick()).await.is_some() {
        match stop.run_until_cancelled(index_text(&workspace)).await {
            None => return,
            Some(Ok(found)) => {
                if told.is_over() {
                    tracing::warn!("events are added to the index of their words again");
                }
                if !found {
                    timer.reset_after(TEXT_REST);
                }
            }
            Some(Err(problem)) => {
                if told.is_to_be_said(problem.to_string(), tokio::time::Instant::now()) {
                    tracing::warn!(%problem, "events were not added to the index of their words; tried again");
                }
            }
        }
    }
}

/// Adds archived events to the index of their words: all of them while the archive is quiet, and a few at a time beside an
/// engine at work, for whom the database is there first. False if there was none.
async fn index_text(workspace: &Workspace) -> Result<bool, StoreError> {
    let begun = Instant::now();
    let (mut newest, mut found) = (None, false);
    loop {
        let step_begun = Instant::now();
        let step = workspace.store().event_text_step().await?;
        let is_quiet = *newest.get_or_insert(step.newest) == step.newest;
        if step.added == 0 {
            return Ok(index_rest(workspace, step.newest).await? || found);
        }
        found = true;
        if !is_quiet && begun.elapsed() >= TEXT_SHARE {
            return Ok(found);
        }
        // Other processes that write to the file look now and then whether it is free.
        tokio::time::sleep(step_begun.elapsed()).await;
    }
}

/// Adds what is too little for a step of its own, if nothing comes in meanwhile. False if there is nothing.
async fn index_rest(workspace: &Workspace, newest: i64) -> Result<bool, StoreError> {
    let store = workspace.store();
    if store.event_text_behind().await.unwrap_or_default() == 0 {
        return Ok(false);
    }
    tokio::time::sleep(TEXT_QUIET).await;
    store.event_text_rest(newest).await.map(|_| true)
}

/// Packs the sums of events of hours and days that are over until the workspace closes, the newest first. Of what is not
/// packed the Overview reads the events. What keeps it from that is said once, then rarely.
async fn pack_hours(workspace: Arc<Workspace>) {
    let stop = workspace.stop_token();
    let mut told = Told::rarely();
    let mut timer = tokio::time::interval(PACK_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(timer.tick()).await.is_some() {
        match stop.run_until_cancelled(pack_some(&workspace)).await {
            None => return,
            Some(Ok(())) if told.is_over() => {
                tracing::warn!("sums of events by source and endpoint are packed again");
            }
            Some(Ok(())) => {}
            Some(Err(problem)) => {
                if told.is_to_be_said(problem.to_string(), tokio::time::Instant::now()) {
                    tracing::warn!(%problem, "sums of events by source and endpoint were not packed; tried again");
                }
            }
        }
    }
}

async fn pack_some(workspace: &Workspace) -> Result<(), StoreError> {
    let begun = Instant::now();
    while begun.elapsed() < PACK_SHARE
        && workspace.store().busy_names_step(workspace.now()).await? == BusyStep::Packed
    {}
    Ok(())
}

async fn expire(console: Console, workspace: Arc<Workspace>) {
    let mut any = false;
    for result in
        [enforce::expire::<Block>(&workspace).await, enforce::expire::<Containment>(&workspace).await]
    {
        match result {
            Ok(n) => any |= n > 0,
            Err(problem) => tracing::warn!(%problem, "cannot look for what ran out"),
        }
    }
    if any {
        console.announce(&[Tag::Blocks, Tag::Audit]);
    }
    respond::finish_pending(&console, &workspace).await;
}

async fn make_room(_: Console, workspace: Arc<Workspace>) {
    if let Err(problem) = workspace.store().event_make_room().await {
        tracing::debug!(%problem, "no partition of the archive of events was made ahead");
    }
}

async fn sign_checkpoint(console: Console, workspace: Arc<Workspace>) {
    if let Err(problem) = workspace.store().audit_make_room().await {
        tracing::debug!(%problem, "no partition of the audit log was made ahead");
    }
    match workspace.keep_watch("interval").await {
        Ok(true) => console.announce(&[Tag::Status, Tag::Audit]),
        Ok(false) => {}
        Err(problem) => tracing::warn!(%problem, "no checkpoint was signed"),
    }
}
