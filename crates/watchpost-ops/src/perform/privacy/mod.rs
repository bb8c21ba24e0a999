//! People's rights: what is kept about somebody, erasing it, keeping it for a court.

mod export;
mod residue;

pub(crate) use export::privacy_export;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::approval::same_person;
use watchpost_model::audit::{AuditOutcome, Change};
use watchpost_model::event::Category;
use watchpost_model::policy::RetentionRule;
use watchpost_model::privacy::{Erasure, LegalHold, Residue, ResidueState, Subject, SubjectKind};
use watchpost_model::text::visible;
use watchpost_redis::retention::{Candidate, Removal, RetentionWalk};
use watchpost_store::KnownFiles;

use super::required;
use crate::console::Workspace;
use crate::contract::{
    ERASURE, HoldAdd, HoldRelease, Nothing, PrivacyErase, PrivacyErased, PrivacyList, PrivacyLook, PrivacyRef,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::making::Making;
use crate::two_people::Behind;

/// How long an engine of this process may take to forget what its detectors remember.
const FORGET: Duration = Duration::from_secs(6);

/// Somebody by a name, or why not. No message repeats the name: it would stand in the trail.
fn subject_of(kind: SubjectKind, name: &str) -> Result<Subject, OpError> {
    Subject::new(kind, name).map_err(|why| OpError::invalid("subject", why))
}

/// A text for the trail that does not name the subject.
fn without(subject: &Subject, field: &str, text: &str) -> Result<String, OpError> {
    let text = required(field, text, 2_000)?;
    if subject.is_in(&text) {
        let message = format!("{field} names the person, and would stay: say it without the name");
        return Err(OpError::invalid(field, message));
    }
    Ok(text)
}

pub(crate) async fn privacy_list(cx: Context, _: Nothing) -> Result<PrivacyList, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    Ok(PrivacyList { holds: store.holds().await?, erasures: store.erasures().await? })
}

pub(crate) async fn privacy_preview(cx: Context, request: PrivacyRef) -> Result<PrivacyLook, OpError> {
    let workspace = cx.workspace()?;
    let subject = subject_of(request.kind, &request.subject)?;
    let look = workspace.store().privacy_scan(&subject).await?;
    let mut holds = workspace.store().holds().await?;
    holds.retain(|hold| {
        hold.released_at.is_none() && hold.subject.kind == subject.kind && subject.is(&hold.subject.value)
    });
    Ok(PrivacyLook { places: look.found, columns: look.columns, opened: look.opened, holds })
}

/// What an erasure does, for a second person; without the name, which stands in the request.
pub(crate) fn erasure_of(cx: &Context, who: &str, request: &PrivacyErase) -> Result<String, OpError> {
    let subject = subject_of(request.kind, &request.subject)?;
    without(&subject, "reason", &request.reason)?;
    not_oneself(&subject, who)?;
    not_oneself(&subject, &cx.caller.name)?;
    Ok(format!(
        "erasing somebody, by the name of {}",
        match subject.kind {
            SubjectKind::User => "an account",
            SubjectKind::Ip => "an address",
        }
    ))
}

/// Refuses an erasure that something stands against by now: a hold, a block, an incident that is worked on.
pub(crate) async fn erasure_stands(workspace: &Workspace, request: &PrivacyErase) -> Result<(), OpError> {
    let subject = subject_of(request.kind, &request.subject)?;
    Ok(workspace.store().privacy_erasable(&subject).await?)
}

fn not_oneself(subject: &Subject, who: &str) -> Result<(), OpError> {
    if subject.kind == SubjectKind::User && subject.is(who) {
        return Err(OpError::new(ErrorCode::Permission, "nobody erases what they did themselves")
            .hint("somebody else with this permission does it"));
    }
    Ok(())
}

pub(crate) async fn privacy_erase(cx: Context, request: PrivacyErase) -> Result<PrivacyErased, OpError> {
    let workspace = cx.workspace()?;
    let subject = subject_of(request.kind, &request.subject)?;
    let reason = without(&subject, "reason", &request.reason)?;
    not_oneself(&subject, &cx.caller.name)?;
    if let Some(words) = cx.reason.as_deref().filter(|words| subject.is_in(words)) {
        without(&subject, "reason", words)?;
    }
    let store = workspace.store();
    let making = Arc::new(cx.console.0.makings.begin(Some(ERASURE.to_owned()))?);
    // Asked before: what an erasure takes from the trail says where files were written.
    let mut known = store.files_known().await?;
    if !making.go_on("erasing", 0, 1) {
        return Err(OpError::new(ErrorCode::Cancelled, "the erasure was stopped; nothing was changed"));
    }
    let draft = |erasure: &Erasure| {
        let counts = erasure.counts.iter().map(|count| {
            Change::new(
                &count.what,
                Value::Null,
                format!("{} removed, {} changed", count.removed, count.changed),
            )
        });
        cx.record(format!("erasure/{}", erasure.id), counts.collect(), Some(reason.clone()))
    };
    let (erasure, told) = store.privacy_erase(&subject, &cx.caller.name, draft).await?;
    known.files.extend(told);
    crate::erasures::remember(cx.console.paths(), &workspace).await?;

    let residue = left_of(&workspace, &subject, &erasure, known, &making).await?;
    let clean =
        residue.iter().all(|place| !matches!(place.state, ResidueState::Found | ResidueState::Unread));
    let found = |state| Value::from(residue.iter().filter(|place| place.state == state).count());
    let states = [
        ResidueState::Found,
        ResidueState::Unread,
        ResidueState::Unclear,
        ResidueState::OutOfReach,
        ResidueState::Clean,
    ];
    let changes = states.map(|state| Change::new(state.as_str(), Value::Null, found(state)));
    let outcome = if clean { AuditOutcome::Success } else { AuditOutcome::Failure };
    let record = cx.record_as(outcome, format!("erasure/{}", erasure.id), changes.to_vec(), Some(reason));
    store.audit_append(record).await?;
    Ok(PrivacyErased { erasure, residue, clean })
}

/// Looks everywhere for what is left, the worst first.
async fn left_of(
    workspace: &Workspace,
    subject: &Subject,
    erasure: &Erasure,
    known: KnownFiles,
    making: &Arc<Making>,
) -> Result<Vec<Residue>, OpError> {
    making.go_on("removing events in Redis", 0, 1);
    let mut residue = vec![from_redis(workspace, subject).await];
    making.go_on("writing the files of Redis anew", 0, 1);
    residue.extend(residue::of_redis(workspace, subject).await?);
    let databases = known.databases.clone();
    residue.extend(residue::of_files(subject, known, making.clone()).await?);
    making.go_on("waiting for the detectors", 0, 1);
    forgotten(workspace).await?;
    residue.extend(residue::of_database(workspace.store(), subject, &erasure.counts, making).await?);
    residue.extend(residue::beside(workspace.store(), subject, &databases, making).await);
    residue.extend(residue::beyond(workspace.store()));
    residue.sort_by_key(|place| std::cmp::Reverse(place.state));
    Ok(residue)
}

/// Waits until the detectors of this process, if any work, were built anew without the person.
async fn forgotten(workspace: &Workspace) -> Result<(), OpError> {
    let epoch = workspace.store().erasure_epoch().await?;
    let engine = workspace.engine();
    let anew = async {
        let mut timer = tokio::time::interval(Duration::from_millis(100));
        while engine.is_at_work() && engine.erasures() != epoch {
            timer.tick().await;
        }
    };
    if tokio::time::timeout(FORGET, anew).await.is_err() {
        tracing::warn!("the engine has not forgotten yet whom an erasure was about");
    }
    Ok(())
}

/// Keys that are told by their names.
const KEYS_TOLD: usize = 5;

/// What became of the events of somebody in Redis.
#[derive(Default)]
struct InRedis {
    removed: u64,
    /// Changed meanwhile, or waiting for the engine.
    left: u64,
    /// Of them the keys that are known to name the person.
    left_keys: Vec<String>,
    /// Keys of events that cannot be read to the end, so that nobody knows whom they name.
    unread: u64,
    unread_keys: Vec<String>,
}

/// Removes the events of somebody that are still in Redis.
async fn from_redis(workspace: &Workspace, subject: &Subject) -> Residue {
    let place = "Redis";
    let InRedis { removed, left, left_keys, unread, unread_keys } =
        match remove_in_redis(workspace, subject).await {
            Ok(done) => done,
            Err(error) => {
                let detail = format!("not looked at: {}; events in it run out by themselves", error.message);
                return Residue::new(place, ResidueState::OutOfReach, 0, detail);
            }
        };
    let mut told = vec![format!("{removed} events removed")];
    if left > 0 {
        let keys = told_keys(&left_keys);
        told.push(format!(
            "{left} were changed meanwhile or wait for the engine{keys}: erase again in a moment"
        ));
    }
    if unread > 0 {
        let keys = told_keys(&unread_keys);
        told.push(format!(
            "{unread} keys of events cannot be read to the end{keys}: look for the name in them yourself"
        ));
    }
    let (state, n) = match (left, unread) {
        (0, 0) => {
            told.push(
                "keys that are no events (blocks, the applications' own) were not looked at".to_owned(),
            );
            (ResidueState::Clean, 0)
        }
        (0, unread) => (ResidueState::Unread, unread),
        (left, _) => (ResidueState::Found, left),
    };
    Residue::new(place, state, n, told.join("; "))
}

/// The first of these keys, in brackets.
fn told_keys(keys: &[String]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let first: Vec<String> = keys.iter().take(KEYS_TOLD).map(|key| visible(key, 200)).collect();
    let more = if keys.len() > KEYS_TOLD { " and others" } else { "" };
    format!(" ({}{more})", first.join(", "))
}

/// Adds one to what is told; no more of them than one that says that there are others.
fn keep_key(keys: &mut Vec<String>, key: &str) {
    if keys.len() <= KEYS_TOLD {
        keys.push(key.to_owned());
    }
}

/// Does an event in Redis name the person: in what it holds, readable as an event or not, or in its key?
fn names(subject: &Subject, candidate: &Candidate) -> bool {
    let key = percent_encoding::percent_decode_str(&candidate.key).decode_utf8_lossy();
    let inside = match &candidate.event {
        Ok(event) => serde_json::to_string(event).is_ok_and(|json| subject.is_in(&json)),
        Err(_) => candidate.texts.iter().any(|text| subject.is(text) || subject.is_in(text)),
    };
    inside || subject.is_in(&key)
}

async fn remove_in_redis(workspace: &Workspace, subject: &Subject) -> Result<InRedis, OpError> {
    let events = workspace.events()?;
    let rule = |category: &Category| RetentionRule { category: *category, redis_days: 0, archive_days: 0 };
    let rules: Vec<RetentionRule> = Category::ALL.iter().map(rule).collect();
    // Events of every time: the clock of an application may be ahead, by minutes or by years.
    let end = DateTime::<Utc>::MAX_UTC;
    let mut walk = RetentionWalk::start(&events, &rules, end, Some(0), None, workspace.stop_token()).await?;
    let mut done = InRedis::default();
    while let Some(mut batch) = walk.next_batch(500).await? {
        batch.retain(|candidate| {
            let named = names(subject, candidate);
            // Without a token it was not read, and is removed by nothing.
            let removable = named && !candidate.token.is_empty();
            if !removable && (named || !candidate.all_read) {
                done.unread += 1;
                keep_key(&mut done.unread_keys, &candidate.key);
            }
            removable
        });
        if batch.is_empty() {
            continue;
        }
        let removals = walk.remove_unchanged(&batch).await?;
        for (removal, candidate) in removals.iter().zip(&batch) {
            match removal {
                Removal::Removed | Removal::Gone => done.removed += 1,
                Removal::Changed | Removal::Unprocessed => {
                    done.left += 1;
                    keep_key(&mut done.left_keys, &candidate.key);
                }
            }
        }
        let mut removals = removals.iter();
        batch.retain(|_| matches!(removals.next(), Some(Removal::Removed | Removal::Gone)));
        events.forget_unreadable(&batch).await?;
    }
    // What no engine has processed was not looked into.
    done.left += walk.unprocessed();
    Ok(done)
}

pub(crate) async fn hold_add(cx: Context, request: HoldAdd) -> Result<LegalHold, OpError> {
    let workspace = cx.workspace()?;
    let subject = subject_of(request.kind, &request.subject)?;
    let reason = without(&subject, "reason", &request.reason)?;
    let owner = required("owner", &request.owner, 200)?;
    let draft = |hold: &LegalHold| cx.record(format!("hold/{}", hold.id), Vec::new(), Some(reason.clone()));
    Ok(workspace.store().hold_add(&subject, &reason, &owner, &cx.caller.name, draft).await?)
}

/// The release of a hold by whoever placed it; `None` for somebody else, who is the second person.
pub(crate) async fn own_hold(
    cx: &Context,
    who: &str,
    request: HoldRelease,
) -> Result<Option<String>, OpError> {
    let workspace = cx.workspace()?;
    required("reason", &request.reason, 2_000)?;
    let hold = workspace.store().hold(request.id.trim()).await?;
    if hold.released_at.is_some() {
        return Err(OpError::new(ErrorCode::Conflict, "the hold was released before"));
    }
    Ok(same_person(&hold.placed_by, who).then(|| format!("releasing the legal hold {}", hold.id)))
}

pub(crate) async fn hold_release(cx: Context, request: HoldRelease) -> Result<LegalHold, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let reason = required("reason", &request.reason, 2_000)?;
    let hold = store.hold(request.id.trim()).await?;
    if same_person(&hold.placed_by, &cx.caller.name) && !matches!(cx.behind, Behind::Two { .. }) {
        return Err(OpError::new(
            ErrorCode::Permission,
            "a hold is released by somebody who did not place it",
        ));
    }
    let record = cx.record(format!("hold/{}", hold.id), Vec::new(), Some(reason.clone()));
    Ok(store.hold_release(&hold.id, &cx.caller.name, &reason, record).await?)
}
