//! The file of secrets, at the window; the command line has verbs of its own, which ask at the terminal.

use serde_json::Value;
use watchpost_model::access::Origin;
use watchpost_model::audit::{AuditOutcome, Change};

use crate::contract::{
    Nothing, SecretState, SecretsFileMake, SecretsFileOpen, SecretsFilePassphrase, SecretsFileState, Tag,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::secrets::{self, Secret};

/// A passphrase is typed where the file is.
fn at_a_window(cx: &Context) -> Result<(), OpError> {
    match cx.caller.origin {
        Origin::Window => Ok(()),
        Origin::Cli | Origin::Http | Origin::Schedule | Origin::Engine => Err(OpError::precondition(
            "the file of secrets is opened at the desktop window or by `watchpost config secrets-file`",
        )),
    }
}

/// The record of it, where a workspace is open. The file is there without a database too.
async fn record(cx: &Context, outcome: AuditOutcome, changes: Vec<Change>) {
    let Ok(workspace) = cx.workspace() else { return };
    let draft = cx.record_as(outcome, "secrets-file", changes, None);
    match workspace.store().audit_append(draft).await {
        Ok(_) => cx.console.announce(&[Tag::Audit]),
        Err(problem) => tracing::error!(%problem, "cannot write the audit record of the file of secrets"),
    }
}

/// Opens it with a passphrase that must be right; a wrong one is recorded.
async fn open(cx: &Context, field: &str, passphrase: String) -> Result<(), OpError> {
    let Err(state) = cx.console.secrets().open_file_with(Secret::new(passphrase)).await else {
        return Ok(());
    };
    if state != SecretState::FileRefused {
        let problem = OpError::new(ErrorCode::SecretStore, "the file of secrets does not open");
        return Err(problem.hint(secrets::describe(state)));
    }
    record(cx, AuditOutcome::Denied, Vec::new()).await;
    let refusal = OpError::new(ErrorCode::Permission, "the passphrase is wrong");
    Err(OpError { field: Some(field.to_owned()), ..refusal })
}

/// What was opened may hold the key of this console.
async fn sign_with_kept(cx: &Context) {
    let Ok(workspace) = cx.workspace() else { return };
    if let Err(problem) = workspace.sign_with_kept().await {
        tracing::warn!(%problem, "the key in the file of secrets does not sign yet");
    }
}

async fn standing(cx: &Context) -> SecretsFileState {
    let secrets = cx.console.secrets();
    let (path, used) = secrets.file();
    let state = if used { Some(secrets.state_of_store().await) } else { None };
    SecretsFileState {
        path: path.display().to_string(),
        used,
        state,
        passphrase_file: secrets.passphrase_file().map(|file| file.display().to_string()),
    }
}

pub(crate) async fn secrets_file_get(cx: Context, _: Nothing) -> Result<SecretsFileState, OpError> {
    at_a_window(&cx)?;
    Ok(standing(&cx).await)
}

pub(crate) async fn secrets_file_open(
    cx: Context,
    request: SecretsFileOpen,
) -> Result<SecretsFileState, OpError> {
    at_a_window(&cx)?;
    open(&cx, "passphrase", request.passphrase).await?;
    sign_with_kept(&cx).await;
    record(&cx, AuditOutcome::Success, Vec::new()).await;
    Ok(standing(&cx).await)
}

pub(crate) async fn secrets_file_make(
    cx: Context,
    request: SecretsFileMake,
) -> Result<SecretsFileState, OpError> {
    at_a_window(&cx)?;
    let carried = cx.console.secrets().make_file(Secret::new(request.passphrase)).await?;
    sign_with_kept(&cx).await;
    let changes = vec![
        Change::new("passphrase", Value::Null, "set"),
        Change::new("carried_over", Value::Null, carried.over.len()),
    ];
    record(&cx, AuditOutcome::Success, changes).await;
    Ok(standing(&cx).await)
}

pub(crate) async fn secrets_file_passphrase(
    cx: Context,
    request: SecretsFilePassphrase,
) -> Result<SecretsFileState, OpError> {
    at_a_window(&cx)?;
    open(&cx, "current", request.current).await?;
    cx.console.secrets().change_passphrase(Secret::new(request.passphrase)).await?;
    record(&cx, AuditOutcome::Success, vec![Change::new("passphrase", Value::Null, "set")]).await;
    Ok(standing(&cx).await)
}
