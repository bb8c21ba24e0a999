//! The causes of the layers below as codes that a shell branches on. One `match` each, without a wildcard where the
//! enum is closed, so that a new cause must be decided on.

use watchpost_redis::RedisError;
use watchpost_redis::backup::RdbError;
use watchpost_redis::local::LocalError;
use watchpost_store::{DatabaseTarget, StoreError};

use crate::error::{ErrorCode, OpError};

impl From<StoreError> for OpError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Validation(_) => Self::new(ErrorCode::Validation, message),
            StoreError::NotFound(_) => Self::new(ErrorCode::NotFound, message),
            StoreError::Conflict(_) => {
                Self::new(ErrorCode::Conflict, message).hint("look at it as it is now and decide again")
            }
            StoreError::Precondition(_) => Self::precondition(message),
            StoreError::Cancelled => Self::new(ErrorCode::Cancelled, message),
            StoreError::SchemaTooNew { .. } => Self::new(ErrorCode::SchemaTooNew, message),
            StoreError::SchemaTooOld { .. } => Self::precondition(message)
                .hint("let their owner open the database once with this version, then run deploy/postgres-roles.sql again"),
            StoreError::SchemaAltered { .. } => Self::new(ErrorCode::SchemaTooNew, message)
                .hint("the database was migrated by another build; use that build, or restore a backup"),
            StoreError::NotADatabase(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("choose another file, or restore a backup over it; Watchpost has not touched it"),
            StoreError::Damaged(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "leave the file as it is, put a copy back to a new one (`watchpost database restore COPY --to NEW`, on a \
                 connection whose database opens), and point this connection at that",
            ),
            StoreError::Unavailable(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("nothing was changed; test the connection in Settings, or with `watchpost connect test`"),
            StoreError::Login { advice, .. } => Self::new(ErrorCode::Unavailable, message).hint(format!(
                "{advice} Save the connection anew with what is right; `watchpost connect test` tries it step by step."
            )),
            StoreError::TlsFile { .. } => Self::new(ErrorCode::Unavailable, message)
                .hint("give the path of a PEM file that this account may read"),
            StoreError::Folder { .. } => Self::new(ErrorCode::Unavailable, message)
                .hint("choose another folder, or give this account the right to write there"),
            StoreError::NoRoom { .. } => Self::new(ErrorCode::Unavailable, message)
                .hint("free some space there, as much as the database takes, or name another folder"),
            StoreError::NoCopy { .. } => Self::new(ErrorCode::Unavailable, message).hint(
                "make room for the copy, as much as the database takes, and let the login read all of it; or copy it \
                 yourself and open it once with WATCHPOST_MIGRATE_WITHOUT_COPY=1",
            ),
            StoreError::BrokenCopy(_) => Self::precondition(message)
                .hint("it was altered or cut off, or it is something else: take another copy"),
            StoreError::NoPrograms(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "install the client programs of PostgreSQL (a package such as postgresql-client) on the machine that \
                 makes the copies",
            ),
            StoreError::NoPlace(_) => Self::new(ErrorCode::Unavailable, message).hint(CREATEDB),
            StoreError::Program { program, said } => {
                Self::new(ErrorCode::Unavailable, message).hint(of_program(program, &said))
            }
            StoreError::Denied(_) => Self::new(ErrorCode::Permission, message)
                .hint("the roles of the database say who may (deploy/postgres-roles.sql): ask its owner"),
            StoreError::ReadOnly(_) => Self::new(ErrorCode::Unavailable, message).hint(READ_ONLY),
            StoreError::Unconfirmed(_) => Self::new(ErrorCode::Unavailable, message)
                .hint(UNCONFIRMED),
            StoreError::NoStandby(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "bring the standby back, or take it out of synchronous_standby_names on the primary and have that read again \
                 (SELECT pg_reload_conf()): what waits is confirmed then",
            ),
            StoreError::Held(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "try again; if it stays so, `SELECT pid, usename, application_name, xact_start FROM pg_stat_activity WHERE \
                 xact_start IS NOT NULL ORDER BY xact_start` shows who began first, and the owner of the server ends that \
                 with pg_terminate_backend(pid); one whose wait_event is SyncRep waits for a synchronous standby that is \
                 gone: bring that back instead",
            ),
            StoreError::Busy(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("`lsof` with the file shows which processes have it open; at a server pg_stat_activity does"),
            StoreError::File(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "nothing was changed; look at the disk (space, quota, errors) and at the rights to the file and its folder",
            ),
            StoreError::NotWritable(_) => Self::new(ErrorCode::Unavailable, message).hint(NOT_WRITABLE),
            StoreError::DiskFull(_) => Self::new(ErrorCode::Unavailable, message).hint(NO_SPACE),
            other => {
                tracing::error!(error = %other, "the store failed");
                tracing::debug!(error = ?other, "the store failed, as the driver says it");
                Self::internal(message)
            }
        }
    }
}

/// What to do where nobody knows whether a change was done.
const UNCONFIRMED: &str =
    "when the database is back, look before you try again: if it was done, the audit trail has it";

/// What to do where the disk of the database is full.
const NO_SPACE: &str = "free some space and try again";

/// What to do where the file of the database, or its folder, cannot be written.
const NOT_WRITABLE: &str =
    "give your user the right to write to the file and its folder; SQLite keeps its log beside the file";

/// Names the file of `target`, where the database is one and its disk is full, or this account may not write it: whoever opens
/// it has to find that. `then` is what follows where there is room again.
pub(crate) fn naming_the_file(mut error: OpError, target: &DatabaseTarget, then: &str) -> OpError {
    let DatabaseTarget::Sqlite { path } = target else { return error };
    let path = path.display();
    match error.hint.as_deref() {
        Some(NO_SPACE) => {
            error.hint = Some(format!("free room on the disk of {path}{then}"));
        }
        Some(NOT_WRITABLE) => {
            error.hint = Some(format!(
                "give your user the right to write to {path} and its folder; SQLite keeps its log beside the file"
            ));
        }
        _ => {}
    }
    error
}

/// What to do where the server takes no changes.
const READ_ONLY: &str = "have the standby promoted (pg_promote), or the address lead to the primary; where the server is set \
                         to read-only (default_transaction_read_only), look why; then try again";

/// Did the server take no changes?
pub(crate) fn is_read_only(error: &OpError) -> bool {
    error.hint.as_deref() == Some(READ_ONLY)
}

/// Is it not known whether the change was done? A record that it failed could be false then.
pub(crate) fn is_unconfirmed(error: &OpError) -> bool {
    error.hint.as_deref() == Some(UNCONFIRMED)
}

/// What an administrator of a server does so that copies can be tried on it.
pub(crate) const CREATEDB: &str = "give the login the right to make databases: ALTER ROLE name CREATEDB";

/// What to do where a program of PostgreSQL failed.
fn of_program(program: &str, said: &str) -> &'static str {
    if said.contains("No space left") {
        "the disk of the server is full: a copy is put back into a database there for a while, which takes as much room as the \
         copy"
    } else if program == "pg_dump" {
        "the login has to read all of the database: its owner does, another one with GRANT pg_read_all_data TO name"
    } else {
        "the log of the server says more; try again when it answers"
    }
}

/// What to do where a connection only looks.
pub(crate) const OBSERVES: &str = "this connection is set to observe, and nothing is written to its Redis; open another one, or change it in Settings";

impl From<RedisError> for OpError {
    fn from(error: RedisError) -> Self {
        let message = format!("Redis: {error}");
        match error {
            RedisError::Refused { .. }
            | RedisError::ConnectionLost(_)
            | RedisError::Tls(_)
            | RedisError::TlsFile { .. }
            | RedisError::Loading => Self::new(ErrorCode::Unavailable, message)
                .hint("the connection is tried again by itself; test it in Settings"),
            RedisError::TimedOut(_) => Self::new(ErrorCode::Timeout, message)
                .hint("what was asked may have been done: look before trying again"),
            RedisError::PasswordRequired | RedisError::WrongPassword => {
                Self::new(ErrorCode::Unavailable, message)
                    .hint("correct the user name and password in Settings")
            }
            RedisError::NoPermission(_) => Self::new(ErrorCode::Permission, message).hint(
                "give the Redis user this right; test the connection in Settings to see all that it lacks",
            ),
            RedisError::Observing { .. } => Self::precondition(message).hint(OBSERVES),
            RedisError::OutOfMemory => {
                Self::new(ErrorCode::Unavailable, message).hint("run retention, or raise maxmemory")
            }
            RedisError::NoRoom { .. } => Self::precondition(message)
                .hint("raise maxmemory, or make room; what was done before stays done"),
            RedisError::NoMaster { .. } => Self::new(ErrorCode::Unavailable, message)
                .hint("when there is a master again, the connection follows by itself"),
            RedisError::ManySlots(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "give the connection and the applications a prefix with a hash tag, such as {security}: (docs/redis.md)",
            ),
            RedisError::Sentinel(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("correct the name of the set, or the login of the Sentinels, in Settings"),
            RedisError::ReadOnly => {
                Self::new(ErrorCode::Unavailable, message).hint("connect to the primary instead")
            }
            RedisError::Cancelled => Self::new(ErrorCode::Cancelled, "the job was cancelled"),
            RedisError::WrongType(_)
            | RedisError::Server { .. }
            | RedisError::Answer { .. }
            | RedisError::Client(_) => {
                tracing::error!(%error, "Redis answered with something unexpected");
                tracing::debug!(error = ?error, "what Redis answered, as the driver says it");
                Self::internal(message)
            }
        }
    }
}

impl From<RdbError> for OpError {
    fn from(error: RdbError) -> Self {
        let message = error.to_string();
        match error {
            RdbError::Redis(error) => error.into(),
            RdbError::Cluster => {
                Self::precondition(message).hint("back up the keys under the prefix instead, without RDB")
            }
            RdbError::NotAllowed(_) => Self::new(ErrorCode::Permission, message).hint(
                "give the Redis user +psync +replconf, or back up the keys under the prefix, without RDB",
            ),
            RdbError::NoRoom { .. } => Self::precondition(message).hint(
                "back up the keys under the prefix instead, without RDB: the server does not fork for that",
            ),
            RdbError::NotServed(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "servers that a provider looks after often refuse it; back up the keys instead, without RDB",
            ),
            RdbError::NotAnRdb(_)
            | RdbError::Truncated { .. }
            | RdbError::Altered { .. }
            | RdbError::TooLarge { .. } => {
                Self::new(ErrorCode::Unavailable, message).hint("no file was written; try again")
            }
        }
    }
}

impl From<LocalError> for OpError {
    fn from(error: LocalError) -> Self {
        Self::new(ErrorCode::Unavailable, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use watchpost_store::DatabaseTarget;

    use super::{NO_SPACE, NOT_WRITABLE, naming_the_file};
    use crate::error::{ErrorCode, OpError};

    #[test]
    fn the_file_is_named_where_there_is_one() {
        let full = || OpError::new(ErrorCode::Unavailable, "the disk of the database is full").hint(NO_SPACE);
        let file = DatabaseTarget::Sqlite { path: "/srv/watchpost/audit.db".into() };
        let told = naming_the_file(full(), &file, ", then open it again");
        assert!(
            told.hint.is_some_and(
                |hint| hint.starts_with("free room on the disk of /srv/watchpost/audit.db, then")
            )
        );
        let refused = OpError::new(ErrorCode::Unavailable, "it cannot be written").hint(NOT_WRITABLE);
        let told = naming_the_file(refused, &file, "");
        let hint = told.hint.unwrap_or_default();
        assert!(
            hint.starts_with("give your user the right to write to /srv/watchpost/audit.db and"),
            "{hint}"
        );
        let other = OpError::precondition("something else").hint("try again");
        assert_eq!(naming_the_file(other.clone(), &file, ""), other);
    }
}
