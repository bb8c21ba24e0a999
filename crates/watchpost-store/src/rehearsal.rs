//! A database for a while: a dump is put into it, looked at, and either it gets the name that is wanted, or it goes.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::error::StoreError;
use crate::target::{DatabaseTarget, postgres_options};

/// How such databases are called: then when they were made, then something random.
const PREFIX: &str = "watchpost_rehearsal_";
/// What a killed process left behind goes after this long.
const LEFT_FOR: Duration = Duration::days(1);
/// Of this login, by their names.
const LEFT: &str = "SELECT CAST(datname AS TEXT) FROM pg_catalog.pg_database \
    WHERE datname LIKE 'watchpost!_rehearsal!_%' ESCAPE '!' \
    AND datdba = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)";
/// A new one sorts as the one does that the dump is of.
const SORTED: &str = "SELECT CAST(datcollate AS TEXT), CAST(datctype AS TEXT) FROM pg_catalog.pg_database \
    WHERE datname = current_database()";

/// A database of a server that is there for a while.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    /// The server, with the database that is connected to for making and removing others.
    server: DatabaseTarget,
    name: String,
}

impl Rehearsal {
    /// Makes an empty one, after removing those that killed processes left.
    ///
    /// # Errors
    /// `NoPlace` if the login may not make databases; `Unavailable`, or what the server says.
    pub(crate) async fn make(server: &DatabaseTarget, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let mut connection = connect(server).await?;
        let name =
            format!("{PREFIX}{}_{}", now.format("%Y%m%d%H%M%S"), hex::encode(rand::random::<[u8; 4]>()));
        let made = make(&mut connection, &name, now).await;
        connection.close().await?;
        match made {
            Ok(()) => Ok(Self { server: server.clone(), name }),
            Err(StoreError::Denied(_)) => {
                Err(StoreError::NoPlace("the login may not make a database on the server".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// The database itself.
    pub(crate) fn target(&self) -> DatabaseTarget {
        of_name(&self.server, &self.name)
    }

    /// Gives it a name for good, unless a database has it.
    ///
    /// # Errors
    /// `Conflict` if there is one. The rehearsal is still there after a failure.
    pub(crate) async fn keep_as(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let mut connection = connect(&self.server).await?;
        let sql = format!("ALTER DATABASE {} RENAME TO \"{name}\"", self.name);
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        connection.close().await?;
        match done {
            Ok(_) => Ok(()),
            Err(error) if code_is(&error, "42P04") => {
                Err(StoreError::Conflict(format!("the server has a database {name:?} already")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes it, with whoever is still connected to it. What cannot be removed now goes with a later one.
    pub(crate) async fn end(&self) {
        if let Err(error) = self.remove().await {
            tracing::warn!(%error, database = self.name, "a database for a rehearsal cannot be removed");
        }
    }

    async fn remove(&self) -> Result<(), StoreError> {
        let mut connection = connect(&self.server).await?;
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        connection.close().await?;
        done?;
        Ok(())
    }
}

/// Is there no database of this name on the server, and can one have it?
///
/// # Errors
/// `Validation` for a name that is none, `Conflict` if there is one; what the server says.
pub(crate) async fn is_free(server: &DatabaseTarget, name: &str) -> Result<(), StoreError> {
    check_name(name)?;
    let mut connection = connect(server).await?;
    let found = sqlx::query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1")
        .bind(name.to_owned())
        .fetch_optional(&mut connection)
        .await;
    connection.close().await?;
    match found? {
        None => Ok(()),
        Some(_) => Err(StoreError::Conflict(format!("the server has a database {name:?} already"))),
    }
}

/// Was it made for a while by some process of Watchpost?
pub(crate) fn is_ours(name: &str) -> bool {
    made_at(name).is_some()
}

/// The same server with another database.
pub(crate) fn of_name(server: &DatabaseTarget, name: &str) -> DatabaseTarget {
    let mut target = server.clone();
    if let DatabaseTarget::Postgres { database, .. } = &mut target {
        name.clone_into(database);
    }
    target
}

async fn connect(server: &DatabaseTarget) -> Result<PgConnection, StoreError> {
    let options = postgres_options(server)
        .ok_or_else(|| StoreError::Validation("the target is not a server".to_owned()))?;
    // To make a database and to remove it takes a server seconds: that is no slow statement that anybody could mend.
    Ok(PgConnection::connect_with(&options.disable_statement_logging()).await?)
}

async fn make(connection: &mut PgConnection, name: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let rows = sqlx::query(LEFT).fetch_all(&mut *connection).await?;
    for row in rows {
        let left: String = row.try_get(0)?;
        if made_at(&left).is_some_and(|at| now - at > LEFT_FOR) {
            let sql = format!("DROP DATABASE IF EXISTS {left}");
            // One that somebody is connected to stays.
            if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await {
                tracing::warn!(%error, database = left, "what a killed process left cannot be removed");
            }
        }
    }
    let row = sqlx::query(SORTED).fetch_one(&mut *connection).await?;
    let literal = |text: String| format!("'{}'", text.replace('\'', "''"));
    let (collate, ctype) = (literal(row.try_get(0)?), literal(row.try_get(1)?));
    let sql = format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE {collate} LC_CTYPE {ctype}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    // What the copy gave to whom is not put back: nobody but this login gets in before somebody says who.
    let sql = format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC");
    let closed = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await;
    if closed.is_err() {
        let sql = format!("DROP DATABASE IF EXISTS {name}");
        drop(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await);
    }
    closed?;
    Ok(())
}

/// When a database of ours was made; `None` for a name that is not exactly one of ours.
fn made_at(name: &str) -> Option<DateTime<Utc>> {
    let (at, random) = name.strip_prefix(PREFIX)?.split_once('_')?;
    let is_random = random.len() == 8 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let at = NaiveDateTime::parse_from_str(at, "%Y%m%d%H%M%S").ok()?;
    is_random.then(|| at.and_utc())
}

/// A name that needs no thought anywhere: letters, digits, `_` and `-`, none of ours.
fn check_name(name: &str) -> Result<(), StoreError> {
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-');
    let begins = name.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_');
    if !begins || name.len() > 63 || !name.chars().all(is_part) || name.starts_with(PREFIX) {
        return Err(StoreError::Validation(format!(
            "{name:?} is no name for a new database: write at most 63 letters of English, digits, _ and -, a letter first"
        )));
    }
    Ok(())
}

fn code_is(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(|inner| inner.code()).as_deref() == Some(code)
}

#[cfg(test)]
mod tests {
    use super::{check_name, made_at};

    #[test]
    fn only_databases_of_ours_are_known_by_their_names() {
        let at = made_at("watchpost_rehearsal_20261122195300_0a1b2c3d").expect("one of ours");
        assert_eq!(at.to_rfc3339(), "2026-11-22T19:53:00+00:00");
        for other in [
            "watchpost",
            "watchpost_rehearsal_x",
            "watchpost_rehearsal_20261122195300_0A1B2C3D",
            "watchpost_rehearsal_20261122195300_0a1b2c3d; DROP",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
        for good in ["watchpost", "_a", "watchpost-2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "1a", "a b", "a\"b", "a;b", "/tmp/a", "watchpost_rehearsal_1", &long] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
