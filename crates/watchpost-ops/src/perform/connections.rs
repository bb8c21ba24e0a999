//! Saved connections and the open one.

use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress};
use watchpost_model::diagnosis::{CheckStep, StepState};
use watchpost_model::ids::ConnectionId;

use super::{at_this_machine, required};
use crate::connections::LOCAL;
use crate::console::Console;
use crate::contract::{
    ConnectionCheck, ConnectionDraft, ConnectionList, ConnectionParse, ConnectionRef, Nothing, ParsedUrl,
    SecretInput, SecretState, WorkspaceStatus,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::secrets::{self, Secret};
use crate::targets::{database_target, redis_target};
use crate::workspace::{account, secret_for, secret_from_file};

pub(crate) async fn workspace_status(cx: Context, _: Nothing) -> Result<WorkspaceStatus, OpError> {
    Ok(cx.console.status(&cx.caller).await)
}

pub(crate) async fn connection_list(cx: Context, _: Nothing) -> Result<ConnectionList, OpError> {
    Ok(list(&cx).await)
}

async fn list(cx: &Context) -> ConnectionList {
    let state = cx.console.secrets().state().await;
    let secrets_detail = cx.console.secrets_detail(state).await;
    ConnectionList {
        connections: cx.console.book().all(),
        active: cx.console.current().map(|workspace| workspace.connection().id),
        secrets: state,
        secrets_detail,
    }
}

impl Console {
    /// What the state of the secrets means, for people, in which file they are where it is about that, and of which
    /// connections passwords are to be given again; empty when all is well.
    pub async fn secrets_detail(&self, state: SecretState) -> String {
        let mut detail = secrets::describe(state).to_owned();
        if detail.is_empty() {
            return detail;
        }
        let secrets = self.secrets();
        let is_of_file =
            [SecretState::FileDamaged, SecretState::FileFailed, SecretState::SecretAltered].contains(&state);
        if is_of_file {
            detail = format!("{detail}; the file is {}", secrets.kept_in().display());
        }
        let is_changed = state == SecretState::KeyChanged;
        let mut again = secrets.to_be_given_again().await;
        // What this process knows is asked for at the next start.
        again.retain(|account| is_changed || !secrets.is_in_memory(account));
        let of = |id: ConnectionId| again.iter().any(|given| given.starts_with(&account(id, "")));
        let names: Vec<String> =
            self.book().all().into_iter().filter(|saved| of(saved.id)).map(|saved| saved.name).collect();
        match (names.as_slice(), is_changed) {
            ([], _) => detail,
            (names, true) => format!("{detail}; it is about: {}", names.join(", ")),
            (names, false) => format!("{detail}; enter the passwords again of: {}", names.join(", ")),
        }
    }

    /// What a secret is, for people.
    #[must_use]
    pub fn secret_named(&self, of: &str) -> String {
        if let Some(log) = of.strip_prefix("checkpoint-key/") {
            return format!("the key that signs the audit trail {log}");
        }
        let saved = self.book().all();
        let named = of.split_once('/').and_then(|(id, part)| {
            let of = saved.iter().find(|saved| saved.id.to_string() == id)?;
            Some(format!("the {part} password of {:?}", of.name))
        });
        named.unwrap_or_else(|| of.to_owned())
    }
}

pub(crate) async fn connection_test(cx: Context, draft: ConnectionDraft) -> Result<ConnectionCheck, OpError> {
    let connection = checked(&cx, &draft)?;
    let redis_password = secret(&cx, &connection, "redis", &draft.redis_password).await?;
    let sentinel_password = secret(&cx, &connection, "sentinel", &draft.sentinel_password).await?;
    let database_password = secret(&cx, &connection, "database", &draft.database_password).await?;
    let (redis, acl) = if connection.redis.address == RedisAddress::Local {
        let step = CheckStep {
            name: "connect".to_owned(),
            title: "Private Redis of the local workspace".to_owned(),
            state: StepState::Ok,
            detail: "started when the workspace opens".to_owned(),
            hint: None,
        };
        (vec![step], Vec::new())
    } else {
        let target = redis_target(&cx.console, &connection, redis_password, sentinel_password);
        tokio::join!(
            Box::pin(watchpost_redis::diagnose(&target)),
            Box::pin(watchpost_redis::acl_lines(&target))
        )
    };
    let database =
        watchpost_store::diagnose(&database_target(&cx.console, &connection, database_password)).await;
    let ok =
        redis.iter().chain(&database).all(|step| matches!(step.state, StepState::Ok | StepState::Warning));
    Ok(ConnectionCheck { ok, redis, database, acl })
}

pub(crate) async fn connection_save(cx: Context, draft: ConnectionDraft) -> Result<Connection, OpError> {
    let connection = checked(&cx, &draft)?;
    cx.console.book().put(connection.clone())?;
    let parts = [
        ("redis", &draft.redis_password),
        ("sentinel", &draft.sentinel_password),
        ("database", &draft.database_password),
    ];
    let given = parts.iter().filter_map(|(part, input)| {
        let given = match input {
            SecretInput::Set { .. } => true,
            SecretInput::Clear => false,
            // Nothing was given for a connection that was not there before.
            SecretInput::Keep if draft.id.is_none() => false,
            SecretInput::Keep => return None,
        };
        Some((account(connection.id, part), Some(given)))
    });
    cx.console.secrets().note_given(given.collect()).await.map_err(|state| {
        let problem = "it cannot be noted which passwords the connection has";
        OpError::new(ErrorCode::SecretStore, problem).hint(secrets::describe(state))
    })?;
    for (part, input) in parts {
        let account = account(connection.id, part);
        let state = match input {
            SecretInput::Keep => SecretState::Ready,
            SecretInput::Set { value } => {
                cx.console.secrets().put(&account, Secret::new(value.clone())).await
            }
            SecretInput::Clear => cx.console.secrets().remove(&account).await,
        };
        if state != SecretState::Ready {
            tracing::warn!(part, ?state, "the password is kept for this session only");
        }
    }
    Ok(connection)
}

pub(crate) async fn connection_remove(
    cx: Context,
    request: ConnectionRef,
) -> Result<ConnectionList, OpError> {
    if cx.console.current().is_some_and(|workspace| workspace.connection().id == request.id) {
        return Err(OpError::precondition("this connection is open").hint("open another one first"));
    }
    cx.console.book().remove(request.id)?;
    let accounts = ["redis", "sentinel", "database"].map(|part| account(request.id, part));
    for account in &accounts {
        cx.console.secrets().remove(account).await;
    }
    let notes = accounts.into_iter().map(|account| (account, None)).collect();
    if let Err(state) = cx.console.secrets().note_given(notes).await {
        tracing::debug!(?state, "what was noted of the passwords of a connection that is gone stays");
    }
    Ok(list(&cx).await)
}

pub(crate) async fn connection_choose(
    cx: Context,
    request: ConnectionRef,
) -> Result<ConnectionList, OpError> {
    let id = cx.console.book().by_id(request.id).ok_or_else(|| OpError::not_found("such connection"))?.id;
    cx.console.book().set_last(id)?;
    Ok(list(&cx).await)
}

pub(crate) async fn connection_open(cx: Context, request: ConnectionRef) -> Result<WorkspaceStatus, OpError> {
    let connection =
        cx.console.book().by_id(request.id).ok_or_else(|| OpError::not_found("such connection"))?;
    cx.console.open(connection).await?;
    Ok(cx.console.status(&cx.caller).await)
}

/// The typed or the stored secret. A stored one goes only where it was saved for: a draft may name any host. One from
/// a file of this process's environment is for whoever sits at this machine and could read it.
async fn secret(
    cx: &Context,
    connection: &Connection,
    part: &str,
    input: &SecretInput,
) -> Result<Option<Secret>, OpError> {
    match input {
        SecretInput::Set { value } => Ok(Some(Secret::new(value.clone()))),
        SecretInput::Clear => Ok(None),
        SecretInput::Keep => {
            let is_saved = cx.console.book().by_id(connection.id).is_some_and(|saved| {
                if part == "database" {
                    saved.database == connection.database
                } else {
                    saved.redis.address == connection.redis.address
                }
            });
            match (is_saved, at_this_machine(cx)) {
                (true, _) => secret_for(cx.console.secrets(), connection, part).await,
                (false, Ok(())) => secret_from_file(part),
                (false, Err(_)) => Ok(None),
            }
        }
    }
}

/// A draft as a connection, its fields checked.
fn checked(cx: &Context, draft: &ConnectionDraft) -> Result<Connection, OpError> {
    if draft.id == Some(LOCAL) {
        return Err(OpError::invalid("id", "the local workspace cannot be changed"));
    }
    let name = required("name", &draft.name, 80)?;
    if name.eq_ignore_ascii_case("local") {
        return Err(OpError::invalid("name", "the name local belongs to the local workspace"));
    }
    let prefix = &draft.redis.prefix;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:{}".contains(c);
    if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(plain) {
        return Err(OpError::invalid("redis.prefix", "1 to 64 letters, digits or _ - . : { }"));
    }
    match &draft.redis.address {
        RedisAddress::Local | RedisAddress::Unix { .. } => {}
        RedisAddress::Tcp { host, port, .. } => host_and_port("redis", host, *port)?,
        RedisAddress::Cluster { nodes, .. } => {
            if nodes.is_empty() || nodes.len() > 32 {
                return Err(OpError::invalid("redis.nodes", "1 to 32 nodes"));
            }
            for at in nodes {
                host_and_port("redis.nodes", &at.host, at.port)?;
            }
        }
        RedisAddress::Sentinel { sentinels, master, .. } => {
            required("redis.master", master, 255)?;
            if sentinels.is_empty() || sentinels.len() > 32 {
                return Err(OpError::invalid("redis.sentinels", "1 to 32 Sentinels"));
            }
            for at in sentinels {
                host_and_port("redis.sentinels", &at.host, at.port)?;
            }
        }
    }
    if let DatabaseConnection::Postgres { host, port, database, username, .. } = &draft.database {
        host_and_port("database", host, *port)?;
        required("database.database", database, 63)?;
        required("database.username", username, 63)?;
    }
    Ok(Connection {
        id: draft.id.unwrap_or_else(|| ConnectionId::at(cx.console.now())),
        name,
        redis: draft.redis.clone(),
        database: draft.database.clone(),
        production: draft.production,
        observe: draft.observe,
    })
}

fn host_and_port(part: &str, host: &str, port: u16) -> Result<(), OpError> {
    required(&format!("{part}.host"), host, 255)?;
    if host.chars().any(char::is_whitespace) {
        return Err(OpError::invalid(&format!("{part}.host"), "a host name has no spaces"));
    }
    if port == 0 {
        return Err(OpError::invalid(&format!("{part}.port"), "a port is between 1 and 65535"));
    }
    Ok(())
}

pub(crate) async fn connection_parse(_: Context, request: ConnectionParse) -> Result<ParsedUrl, OpError> {
    super::connection_url::parse_url(request.url.trim())
}
