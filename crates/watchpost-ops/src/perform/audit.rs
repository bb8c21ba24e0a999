//! The audit trail.

use chrono::{DateTime, Utc};
use watchpost_model::access::Role;
use watchpost_model::audit::{AuditVerification, Change, Checkpoint, LogVerified, SetApart};
use watchpost_store::{ReadOnly, VerifyPlan};

use super::{at_this_machine, page_size, required};
use crate::console::Workspace;
use crate::contract::{
    AuditAccept, AuditDetail, AuditFigures, AuditPage, AuditPageRequest, AuditPlaces, AuditPlacesPut,
    AuditRef, AuditSetApart, AuditStatisticsRequest, AuditTrust, AuditVerify, AuditWebhook, Nothing,
    ReportProgress, ReportTicket,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::setting::{self, json};
use crate::witness::{PLACES, Witness, authorities, checked_webhook, is_folder};

/// After so many days a check reads every record again.
const FULL_EVERY_DAYS: i64 = 7;
/// What a clock that is set right may have been ahead of now.
const FULL_AHEAD_MINUTES: i64 = 5;
/// A console writes to no more folders.
const FOLDERS_MAX: usize = 8;

pub(crate) async fn audit_page(cx: Context, request: AuditPageRequest) -> Result<AuditPage, OpError> {
    let workspace = cx.workspace()?;
    let limit = page_size(request.limit)?;
    let rows = workspace.store().audit_page(&request.filter, request.before, limit).await?;
    let next = (rows.len() == limit as usize).then(|| rows.last().map(|row| row.seq)).flatten();
    let checkpoint = workspace.store().checkpoints(1).await?.into_iter().next();
    let size = workspace.store().audit_head().await?.size.cast_signed();
    let covered = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
    Ok(AuditPage { rows, next, size, uncovered: (size - covered).max(0), checkpoint })
}

pub(crate) async fn audit_verify(cx: Context, request: AuditVerify) -> Result<AuditVerification, OpError> {
    let workspace = cx.workspace()?;
    let making = cx.console.0.makings.begin(request.ticket)?;
    let witness = workspace.witness();
    let turn = witness.turn().await;
    witness.look(workspace.store()).await?;
    let kept = witness.tend(&workspace, None).await?;
    drop(turn);
    let mut found = witness.attest(workspace.store(), workspace.now()).await?;
    let altered = witness.altered();
    let mut vague = altered.clone();
    match witness.problem() {
        Some((Some(seq), problem)) => found.push((seq, problem)),
        Some((None, problem)) => vague.push(problem),
        None => {}
    }
    let due = workspace.now() - chrono::Duration::days(FULL_EVERY_DAYS);
    // Whatever does not fit is worth reading everything.
    let is_part = !request.full && found.is_empty() && vague.is_empty();
    let from = verified(witness, workspace.now()).filter(|before| is_part && before.full_at >= due);
    let (strength, witnesses) = (Some(witness.strength()), witness.witnesses());
    let plan = VerifyPlan { from, kept, found, vague, strength, witnesses };
    let progress = |done, total| making.go_on("checking records", done, total);
    let mut result = workspace.store().audit_verify(&cx.caller, plan, &progress).await?;
    result.altered = altered;
    // A good check without a record is worth its answer, and no later one goes on from it.
    if result.ok && result.unrecorded {
        return Ok(result);
    }
    match witness.checked(&result, workspace.now()) {
        // What was found is worth telling also where it cannot be remembered.
        Err(error) if !result.ok => {
            tracing::error!(%error, "could not remember that the audit trail failed its check");
        }
        kept => kept?,
    }
    witness.withhold_if_doubted(workspace.store());
    Ok(result)
}

/// What the last good check found. One that read everything at an instant that is still to come was made by a wrong clock and
/// counts as none: nothing would be read again until then.
fn verified(witness: &Witness, now: DateTime<Utc>) -> Option<LogVerified> {
    let latest = now + chrono::Duration::minutes(FULL_AHEAD_MINUTES);
    witness.verified().filter(|before| before.full_at <= latest)
}

pub(crate) async fn audit_verify_progress(
    cx: Context,
    request: ReportTicket,
) -> Result<ReportProgress, OpError> {
    Ok(cx.console.0.makings.progress(&request.ticket))
}

pub(crate) async fn audit_verify_cancel(
    cx: Context,
    request: ReportTicket,
) -> Result<ReportProgress, OpError> {
    Ok(cx.console.0.makings.cancel(&request.ticket))
}

pub(crate) async fn audit_show(cx: Context, request: AuditRef) -> Result<AuditDetail, OpError> {
    let workspace = cx.workspace()?;
    let (record, leaf) = workspace.store().audit_record(request.seq).await?;
    let newest = workspace.store().checkpoints(1).await?.into_iter().next().map(|newest| newest.size);
    let taken = workspace.store().audit_content_taken(request.seq).await?;
    let (own_fault, set_apart_by) = workspace.store().audit_own_fault(request.seq).await?;
    Ok(AuditDetail {
        record,
        leaf,
        covered_by: newest.filter(|size| request.seq < *size),
        erased_by: taken.map(|(record, _)| record),
        purged: taken.and_then(|(_, class)| class),
        own_fault,
        set_apart_by,
    })
}

pub(crate) async fn audit_statistics(
    cx: Context,
    request: AuditStatisticsRequest,
) -> Result<AuditFigures, OpError> {
    let workspace = cx.workspace()?;
    let statistics = workspace.store().audit_statistics(request.period).await?;
    Ok(AuditFigures { statistics, trust: audit_trust(cx, Nothing {}).await? })
}

pub(crate) async fn audit_trust(cx: Context, _: Nothing) -> Result<AuditTrust, OpError> {
    let workspace = cx.workspace()?;
    let turn = workspace.witness().turn().await;
    workspace.witness().look(workspace.store()).await?;
    workspace.witness().tend(&workspace, None).await?;
    workspace.witness().attest(workspace.store(), workspace.now()).await?;
    drop(turn);
    trust(&workspace).await
}

pub(crate) async fn audit_checkpoint(cx: Context, _: Nothing) -> Result<Checkpoint, OpError> {
    let workspace = cx.workspace()?;
    workspace.fetch_signer().await?;
    workspace.keep_watch("demand").await?;
    if let Some((_, problem)) = workspace.witness().problem() {
        return Err(OpError::precondition(format!("this console signs nothing: {problem}"))
            .hint("`watchpost audit verify` says more; `watchpost audit accept` takes the log as it is"));
    }
    let newest = workspace.store().checkpoints(1).await?.into_iter().next();
    signed(&workspace, newest.as_ref()).await?;
    newest.ok_or_else(|| {
        OpError::precondition("no checkpoint has been signed, and this console has no key to sign with")
            .hint("a kept key needs the keychain of this account, or a file of secrets; the window and `watchpost serve` sign with one of their session")
    })
}

/// Refuses to show an old checkpoint as what was signed now, where the database kept the key from signing.
async fn signed(workspace: &Workspace, newest: Option<&Checkpoint>) -> Result<(), OpError> {
    let store = workspace.store();
    if store.signs() {
        return Ok(());
    }
    let size = store.audit_head().await?.size.cast_signed();
    // The record of a checkpoint comes after what it stands for.
    if newest.is_some_and(|newest| size <= newest.size + 1) {
        return Ok(());
    }
    if let Some(held) = workspace.witness().held() {
        return Err(OpError { message: format!("nothing was signed: {}", held.message), ..held });
    }
    if workspace.witness().signer().is_none() && store.lacks_standby().await? {
        return Err(OpError::new(
            ErrorCode::Unavailable,
            format!("nothing was signed: this console has no key that is kept, and {}", ReadOnly::NoStandby),
        )
        .hint("with a key it could not sign either before the standby is back"));
    }
    Ok(())
}

pub(crate) async fn audit_places_put(cx: Context, request: AuditPlacesPut) -> Result<AuditTrust, OpError> {
    let workspace = cx.workspace()?;
    at_this_machine(&cx)?;
    let mut places = request.places;
    for folder in &mut places.folders {
        *folder = required("folders", folder, 1_000)?;
        let path = std::path::Path::new(folder.as_str());
        let is_usable =
            path.is_absolute() && is_folder(path).await.map_err(|why| OpError::invalid("folders", why))?;
        if !is_usable {
            return Err(OpError::invalid("folders", format!("{folder:?} is not the full path of a folder"))
                .hint("make the folder first, or mount the share"));
        }
    }
    places.folders.sort();
    places.folders.dedup();
    if places.folders.len() > FOLDERS_MAX {
        return Err(OpError::invalid("folders", format!("at most {FOLDERS_MAX} folders")));
    }
    if let Some(webhook) = &mut places.webhook {
        check(webhook).await?;
    }
    let setting = setting::read::<AuditPlaces>(workspace.store(), PLACES).await?;
    let (old, new) = (json(&setting.value)?, json(&places)?);
    let changes = ["folders", "redis", "webhook"]
        .iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| Change::new(field, old[*field].clone(), new[*field].clone()))
        .collect();
    let record = cx.record(format!("setting/{PLACES}"), changes, request.reason);
    setting.replace(workspace.store(), &places, record).await?;
    workspace.keep_watch("places").await?;
    trust(&workspace).await
}

/// Refuses a webhook that cannot be used, or that would show a secret, without repeating it.
async fn check(webhook: &mut AuditWebhook) -> Result<(), OpError> {
    webhook.url = checked_webhook(&webhook.url).map_err(|why| {
        OpError::invalid("webhook", format!("the address of the webhook: {why}"))
            .hint("a token is read from the file that WATCHPOST_WEBHOOK_PASSWORD_FILE names, or from the systemd credential webhook-password")
    })?;
    if let Some(ca) = &webhook.ca {
        if !std::path::Path::new(ca).is_absolute() {
            return Err(OpError::invalid("webhook_ca", format!("{ca:?} is not the full path of a file")));
        }
        authorities(Some(ca)).await.map_err(|why| OpError::invalid("webhook_ca", why))?;
    }
    Ok(())
}

pub(crate) async fn audit_accept(cx: Context, request: AuditAccept) -> Result<AuditTrust, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 2_000)?;
    let witness = workspace.witness();
    // Until it is accepted nobody else looks: what was read before would be held against the log again.
    let turn = witness.turn().await;
    witness.look(workspace.store()).await?;
    witness.tend(&workspace, None).await?;
    let held = witness.problem().map(|(_, problem)| problem);
    let is_held = held.is_some();
    let problem = if let Some(problem) = held {
        problem
    } else {
        let log = workspace.store().audit_look(None).await?.now.log;
        if !witness.is_copy_of(&log) {
            return Err(OpError::precondition("nothing is held against the log: there is nothing to accept"));
        }
        "this console saw the log at another address first".to_owned()
    };
    let held = Change::new("held_against_the_log", problem, serde_json::Value::Null);
    workspace.store().audit_append(cx.record("audit", vec![held], Some(reason.clone()))).await?;
    let now = workspace.store().audit_look(None).await?.now;
    let stamp = workspace.now().format("%Y%m%dT%H%M%SZ").to_string();
    if is_held {
        witness.set_aside(&workspace, &stamp).await?;
    }
    witness.accept(&now, &cx.caller.name, &reason)?;
    workspace.watch_in_turn("accept").await?;
    drop(turn);
    crate::erasures::remember(cx.console.paths(), &workspace).await?;
    trust(&workspace).await
}

pub(crate) async fn audit_set_apart(cx: Context, request: AuditSetApart) -> Result<SetApart, OpError> {
    if !matches!(cx.caller.role, Role::Auditor | Role::Admin) {
        let message = format!("the role {} may not set records of the audit trail apart", cx.caller.role);
        return Err(OpError::new(ErrorCode::Permission, message)
            .hint("an auditor or an admin does, after looking into who wrote the record"));
    }
    let reason = required("reason", &request.reason, 2_000)?;
    let draft = |problem: &str, leaf: &str| {
        let said =
            [("record", request.seq.to_string()), ("leaf", leaf.to_owned()), ("problem", problem.to_owned())];
        let changes = said.map(|(field, text)| Change::new(field, serde_json::Value::Null, text)).to_vec();
        cx.record(format!("audit/{}", request.seq), changes, Some(reason.clone()))
    };
    Ok(cx.workspace()?.store().audit_set_apart(request.seq, draft).await?)
}

/// What the trail is worth, as it was looked at last.
pub(super) async fn trust(workspace: &Workspace) -> Result<AuditTrust, OpError> {
    let (witness, store) = (workspace.witness(), workspace.store());
    let held = witness.problem();
    // Nothing is held against the log: there is nothing to accept.
    let failed = witness.failed().filter(|_| held.is_none());
    let failed_at = failed.as_ref().map(|failed| failed.at);
    let problem = held.or_else(|| failed.map(|failed| (failed.first_bad_seq, failed.told())));
    let verified = verified(witness, workspace.now());
    let head = store.audit_head().await?;
    Ok(AuditTrust {
        ok: problem.is_none(),
        first_bad_seq: problem.as_ref().and_then(|(seq, _)| *seq),
        problem: problem.map(|(_, problem)| problem),
        failed_at,
        strength: witness.strength(),
        witnesses: witness.witnesses(),
        log: head.log_id,
        size: head.size.cast_signed(),
        root: head.root,
        checkpoint: store.checkpoints(1).await?.into_iter().next(),
        signer: witness.signer(),
        key_days: witness.key_days(),
        watched_since: witness.since(),
        verified_size: verified.as_ref().map(|verified| verified.seen.size),
        verified_at: verified.as_ref().map(|verified| verified.seen.at),
        full_at: verified.map(|verified| verified.full_at),
        places: witness.places(),
        stamp: store.audit_stamp(head.size.cast_signed()).await?.map(|kept| kept.stamp),
    })
}
