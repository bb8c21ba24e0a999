//! Saved connections and the open one.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use url::Url;
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection, TlsFiles};
use watchpost_model::diagnosis::{CheckStep, StepState};
use watchpost_model::ids::ConnectionId;

use super::{at_this_machine, required};
use crate::connections::LOCAL;
use crate::contract::{
    ConnectionCheck, ConnectionDraft, ConnectionList, ConnectionParse, ConnectionRef, Nothing, ParsedUrl,
    SecretInput, SecretState, WorkspaceStatus,
};
use crate::door::Context;
use crate::error::OpError;
use crate::secrets::{self, Secret};
use crate::workspace::{account, database_target, redis_target, secret_for, secret_from_file};

pub(crate) async fn workspace_status(cx: Context, _: Nothing) -> Result<WorkspaceStatus, OpError> {
    Ok(cx.console.status(&cx.caller).await)
}

pub(crate) async fn connection_list(cx: Context, _: Nothing) -> Result<ConnectionList, OpError> {
    Ok(list(&cx).await)
}

async fn list(cx: &Context) -> ConnectionList {
    let state = cx.console.secrets().state().await;
    ConnectionList {
        connections: cx.console.book().all(),
        active: cx.console.current().map(|workspace| workspace.connection().id),
        secrets: state,
        secrets_detail: secrets::describe(state).to_owned(),
    }
}

pub(crate) async fn connection_test(cx: Context, draft: ConnectionDraft) -> Result<ConnectionCheck, OpError> {
    let connection = checked(&cx, &draft)?;
    let redis_password = secret(&cx, &connection, "redis", &draft.redis_password).await?;
    let database_password = secret(&cx, &connection, "database", &draft.database_password).await?;
    let redis = if connection.redis.address == RedisAddress::Local {
        vec![CheckStep {
            name: "connect".to_owned(),
            title: "Private Redis of the local workspace".to_owned(),
            state: StepState::Ok,
            detail: "started when the workspace opens".to_owned(),
            hint: None,
        }]
    } else {
        watchpost_redis::diagnose(&redis_target(&cx.console, &connection, redis_password)).await
    };
    let database =
        watchpost_store::diagnose(&database_target(&cx.console, &connection, database_password)).await;
    let ok =
        redis.iter().chain(&database).all(|step| matches!(step.state, StepState::Ok | StepState::Warning));
    Ok(ConnectionCheck { ok, redis, database })
}

pub(crate) async fn connection_save(cx: Context, draft: ConnectionDraft) -> Result<Connection, OpError> {
    let connection = checked(&cx, &draft)?;
    cx.console.book().put(connection.clone())?;
    for (part, input) in [("redis", &draft.redis_password), ("database", &draft.database_password)] {
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
    for part in ["redis", "database"] {
        cx.console.secrets().remove(&account(request.id, part)).await;
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
                if part == "redis" {
                    saved.redis.address == connection.redis.address
                } else {
                    saved.database == connection.database
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
    if let RedisAddress::Tcp { host, port, .. } = &draft.redis.address {
        host_and_port("redis", host, *port)?;
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
    parse_url(request.url.trim())
}

/// Takes a URL apart. Errors never repeat it: it may hold a password.
fn parse_url(text: &str) -> Result<ParsedUrl, OpError> {
    let wrong = |message: &str| OpError::invalid("url", message);
    let url = Url::parse(text).map_err(|error| wrong(&format!("this is not a URL: {error}")))?;
    let decode = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| wrong("the URL is not UTF-8"))
    };
    let username = Some(decode(url.username())?).filter(|name| !name.is_empty());
    let password = match url.password() {
        Some(password) => SecretInput::Set { value: decode(password)? },
        None => SecretInput::Keep,
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    match url.scheme() {
        "redis" | "rediss" => {
            let number = url.path().trim_matches('/');
            let database = match number {
                "" => 0,
                number => {
                    number.parse().map_err(|_| wrong("the path of a Redis URL is a database number"))?
                }
            };
            let tls = (url.scheme() == "rediss").then(TlsFiles::default);
            let address = RedisAddress::Tcp { host, port: url.port().unwrap_or(6379), tls };
            Ok(ParsedUrl { redis: Some(redis(address, username, database)), database: None, password })
        }
        "unix" | "redis+unix" => {
            let address = RedisAddress::Unix { path: decode(url.path())? };
            Ok(ParsedUrl { redis: Some(redis(address, username, 0)), database: None, password })
        }
        "postgres" | "postgresql" => {
            // What libpq takes from the query: a socket's directory has no place before the path.
            let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
            let given = |key: &str| query.get(key).cloned().filter(|value| !value.is_empty());
            let tls = given("sslmode")
                .is_some_and(|mode| matches!(mode.as_str(), "require" | "verify-ca" | "verify-full"))
                .then(TlsFiles::default);
            let port = match given("port") {
                Some(port) => Some(port.parse().map_err(|_| wrong("the port is not a number"))?),
                None => url.port(),
            };
            let host = Some(decode(&host)?).filter(|host| !host.is_empty()).or_else(|| given("host"));
            let username = username.or_else(|| given("user"));
            let database = DatabaseConnection::Postgres {
                host: host.ok_or_else(|| wrong("a PostgreSQL URL needs a host"))?,
                port: port.unwrap_or(5432),
                database: decode(url.path().trim_start_matches('/'))?,
                username: username.ok_or_else(|| wrong("a PostgreSQL URL needs a user name"))?,
                tls,
            };
            let password = match (password, given("password")) {
                (SecretInput::Keep, Some(value)) => SecretInput::Set { value },
                (password, _) => password,
            };
            Ok(ParsedUrl { redis: None, database: Some(database), password })
        }
        scheme => Err(wrong(&format!("unknown scheme {scheme:?}"))
            .hint("use redis://, rediss:// (TLS), unix:// or postgres://")),
    }
}

fn redis(address: RedisAddress, username: Option<String>, database: u32) -> RedisConnection {
    RedisConnection { address, username, database, prefix: "security:".to_owned() }
}

#[cfg(test)]
mod tests {
    use watchpost_model::connection::{DatabaseConnection, RedisAddress};

    use super::{SecretInput, parse_url};

    #[test]
    fn takes_urls_apart() {
        let parsed = parse_url("rediss://app:p%40ss@redis.example:6390/2").unwrap();
        let redis = parsed.redis.expect("a Redis");
        assert!(matches!(redis.address, RedisAddress::Tcp { port: 6390, tls: Some(_), .. }));
        assert_eq!((redis.username.as_deref(), redis.database), (Some("app"), 2));
        assert_eq!(parsed.password, SecretInput::Set { value: "p@ss".into() });

        let parsed = parse_url("postgres://audit@[2001:db8::1]/trail?sslmode=require").unwrap();
        let Some(DatabaseConnection::Postgres { host, port, database, tls, .. }) = parsed.database else {
            panic!("a database was expected");
        };
        assert_eq!(
            (host.as_str(), port, database.as_str(), tls.is_some()),
            ("2001:db8::1", 5432, "trail", true)
        );
    }

    #[test]
    fn takes_the_socket_of_a_postgresql_from_the_query() {
        let parsed = parse_url("postgres:///trail?host=/run/pg&user=audit&password=p%26q&port=5433").unwrap();
        let Some(DatabaseConnection::Postgres { host, port, username, .. }) = parsed.database else {
            panic!("a database was expected");
        };
        assert_eq!((host.as_str(), port, username.as_str()), ("/run/pg", 5433, "audit"));
        assert_eq!(parsed.password, SecretInput::Set { value: "p&q".into() });
        assert!(parse_url("postgres:///trail?user=audit").is_err(), "there is no host");
    }

    #[test]
    fn errors_do_not_repeat_the_url() {
        for url in
            ["redis://u:hunter2@h/notanumber", "ftp://u:hunter2@h", "postgres://:hunter2@h/db", "hunter2"]
        {
            let error = parse_url(url).expect_err("it is wrong");
            assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
        }
    }
}
