//! `watchpost connect`.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Context;
use watchpost_model::connection::{DatabaseConnection, RedisAddress, RedisConnection, TlsFiles};
use watchpost_ops::contract::{ConnectionDraft, ConnectionParse, ConnectionRef, Nothing, SecretInput};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;
use watchpost_ops::is_without_tls;

use crate::args::{Connect, ConnectAdd, Output};
use crate::session::Session;
use crate::{output, show};

/// Runs a verb; true means that a check failed.
pub(crate) async fn run(session: &Session, output: Output, command: Connect) -> anyhow::Result<bool> {
    match command {
        Connect::List => {
            let list = session.ask::<operation::connection_list>(Nothing {}).await?;
            show::connections(output, &list, session.console.connection_to_start_with().id)?;
        }
        Connect::Add(add) => {
            let draft = draft(session, *add).await?;
            let check = session.ask::<operation::connection_test>(draft.clone()).await?;
            show::check(output, &check)?;
            let saved = session.ask::<operation::connection_save>(draft).await?;
            if output == Output::Table {
                output::line(format!("saved as {:?}", saved.name))?;
            }
            return Ok(!check.ok);
        }
        Connect::Acl { name } => {
            let draft = saved(session, &name)?;
            let check = session.ask::<operation::connection_test>(draft).await?;
            show::acl(output, &check)?;
        }
        Connect::Test { name } => {
            let draft = saved(session, &name)?;
            let check = session.ask::<operation::connection_test>(draft).await?;
            show::check(output, &check)?;
            return Ok(!check.ok);
        }
        Connect::Use { name } => {
            let id = session.console.connection_named(&name)?.id;
            let list = session.ask::<operation::connection_choose>(ConnectionRef { id }).await?;
            show::connections(output, &list, id)?;
        }
        Connect::Remove { name } => {
            let id = session.console.connection_named(&name)?.id;
            let list = session.ask::<operation::connection_remove>(ConnectionRef { id }).await?;
            show::connections(output, &list, session.console.connection_to_start_with().id)?;
        }
    }
    Ok(false)
}

/// A saved connection with its stored secrets, to try it.
fn saved(session: &Session, name: &str) -> anyhow::Result<ConnectionDraft> {
    let connection = session.console.connection_named(name)?;
    Ok(ConnectionDraft {
        // The local workspace has no id of its own to look secrets up by, and needs none.
        id: Some(connection.id).filter(|id| *id != watchpost_ops::connections::LOCAL),
        name: if connection.id == watchpost_ops::connections::LOCAL {
            "local workspace".to_owned()
        } else {
            connection.name
        },
        redis: connection.redis,
        database: connection.database,
        production: connection.production,
        observe: connection.observe,
        redis_password: SecretInput::Keep,
        sentinel_password: SecretInput::Keep,
        database_password: SecretInput::Keep,
    })
}

async fn draft(session: &Session, add: ConnectAdd) -> anyhow::Result<ConnectionDraft> {
    let (mut redis, redis_password, sentinel_password) = redis(session, &add).await?;
    redis.prefix.clone_from(&add.prefix);
    let (database, database_password) = database(session, &add).await?;
    Ok(ConnectionDraft {
        id: session.console.connection_named(&add.name).ok().map(|existing| existing.id),
        name: add.name,
        redis,
        database,
        production: add.production,
        observe: add.observe,
        redis_password,
        sentinel_password,
        database_password,
    })
}

/// The connection, its password and that of the Sentinels.
async fn redis(
    session: &Session,
    add: &ConnectAdd,
) -> anyhow::Result<(RedisConnection, SecretInput, SecretInput)> {
    let parsed =
        session.ask::<operation::connection_parse>(ConnectionParse { url: add.redis.clone() }).await?;
    let mut redis = parsed.redis.ok_or_else(|| OpError::invalid("redis", "this is not a Redis URL"))?;
    let by_sentinel = matches!(redis.address, RedisAddress::Sentinel { .. });
    if !by_sentinel && add.sentinel_password_file.is_some() {
        return Err(OpError::invalid("redis", "this Redis URL names no Sentinels").into());
    }
    if let RedisAddress::Tcp { tls, .. }
    | RedisAddress::Cluster { tls, .. }
    | RedisAddress::Sentinel { tls, .. } = &mut redis.address
    {
        let files =
            TlsFiles { ca: add.redis_ca.clone(), cert: add.redis_cert.clone(), key: add.redis_key.clone() };
        if files != TlsFiles::default() {
            *tls = Some(files);
        }
    }
    let wanted = redis.username.is_some();
    let password = password("Redis password", add.redis_password_file.as_deref(), parsed.password, wanted)?;
    let wanted = matches!(&redis.address, RedisAddress::Sentinel { sentinel_username: Some(_), .. });
    let given = parsed.sentinel_password;
    let of_sentinels =
        self::password("password of the Sentinels", add.sentinel_password_file.as_deref(), given, wanted)?;
    Ok((redis, password, of_sentinels))
}

async fn database(session: &Session, add: &ConnectAdd) -> anyhow::Result<(DatabaseConnection, SecretInput)> {
    let is_url = |text: &String| text.contains("://") || text.starts_with("sqlite:");
    let (mut database, given) = match add.database.clone() {
        Some(url) if is_url(&url) => {
            let parsed = session.ask::<operation::connection_parse>(ConnectionParse { url }).await?;
            let database = parsed
                .database
                .ok_or_else(|| OpError::invalid("database", "this is not a PostgreSQL URL or a file"))?;
            (database, parsed.password)
        }
        path => (DatabaseConnection::Sqlite { path }, SecretInput::Keep),
    };
    let has_files = add.database_ca.is_some() || add.database_cert.is_some() || add.database_key.is_some();
    if has_files && add.database.as_deref().is_some_and(is_without_tls) {
        let message = "sslmode=disable uses no certificates: leave it out of the URL, or the files off \
                       (--database-ca, --database-cert, --database-key)";
        return Err(OpError::invalid("database", message).into());
    }
    let tls = match &mut database {
        DatabaseConnection::Sqlite { path } => {
            if has_files {
                return Err(OpError::invalid("database", "a SQLite file is reached without TLS").into());
            }
            *path = path.as_deref().map(absolute).transpose()?;
            return Ok((database, SecretInput::Keep));
        }
        DatabaseConnection::Postgres { tls, .. } => tls,
    };
    if tls.is_some() || has_files {
        let in_url = tls.take().unwrap_or_default();
        // What is named apart counts more than the URL; a relative name is one of this folder.
        let file = |named: Option<&Path>, in_url: Option<String>| {
            let named = named.map(|path| path.to_string_lossy().into_owned());
            named.or(in_url).as_deref().map(absolute).transpose()
        };
        *tls = Some(TlsFiles {
            ca: file(add.database_ca.as_deref(), in_url.ca)?,
            cert: file(add.database_cert.as_deref(), in_url.cert)?,
            key: file(add.database_key.as_deref(), in_url.key)?,
        });
    }
    let password = password("database password", add.database_password_file.as_deref(), given, true)?;
    Ok((database, password))
}

/// The name of a file, wherever Watchpost is started next time.
fn absolute(name: &str) -> std::io::Result<String> {
    Ok(std::path::absolute(name)?.to_string_lossy().into_owned())
}

/// A password from a file, from the URL, or asked for on the terminal; never from an argument of its own.
fn password(
    what: &str,
    file: Option<&Path>,
    given: SecretInput,
    wanted: bool,
) -> anyhow::Result<SecretInput> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the {what} from {}", file.display()))?;
        let value = text.trim_end_matches(['\r', '\n']).to_owned();
        if value.is_empty() {
            let problem = format!("the {what} is not in {}: the file is empty", file.display());
            return Err(OpError::invalid("password", problem).into());
        }
        return Ok(SecretInput::Set { value });
    }
    if given != SecretInput::Keep || !wanted || !std::io::stdin().is_terminal() {
        return Ok(given);
    }
    let typed = rpassword::prompt_password(format!("{what} (empty for none): "))?;
    Ok(if typed.is_empty() { SecretInput::Keep } else { SecretInput::Set { value: typed } })
}
