//! The causes of the layers below as codes that a shell branches on. One `match` each, without a wildcard where the
//! enum is closed, so that a new cause must be decided on.

use watchpost_redis::RedisError;
use watchpost_redis::backup::RdbError;
use watchpost_redis::local::LocalError;
use watchpost_store::StoreError;

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
            StoreError::SchemaAltered { .. } => Self::new(ErrorCode::SchemaTooNew, message)
                .hint("the database was migrated by another build; use that build, or restore a backup"),
            StoreError::NotADatabase(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("choose another file, or restore a backup over it; Watchpost has not touched it"),
            StoreError::Unavailable(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("nothing was changed; test the connection in Settings"),
            StoreError::Login { advice, .. } => Self::new(ErrorCode::Unavailable, message).hint(format!(
                "{advice} Save the connection anew with what is right; `watchpost connect test` tries it step by step."
            )),
            StoreError::TlsFile { .. } => Self::new(ErrorCode::Unavailable, message)
                .hint("give the path of a PEM file that this account may read"),
            StoreError::Folder { .. } => Self::new(ErrorCode::Unavailable, message)
                .hint("choose another folder, or give this account the right to write there"),
            StoreError::NoCopy { .. } => Self::new(ErrorCode::Unavailable, message).hint(
                "make room beside the database, as much as it takes; or copy it yourself and open it once with \
                 WATCHPOST_MIGRATE_WITHOUT_COPY=1",
            ),
            StoreError::Denied(_) => Self::new(ErrorCode::Permission, message)
                .hint("the roles of the database say who may (deploy/postgres-roles.sql): ask its owner"),
            StoreError::File(_) => Self::new(ErrorCode::Unavailable, message).hint(
                "nothing was changed; look at the disk (space, quota, errors) and at the rights to the file and its folder",
            ),
            StoreError::DiskFull(_) => {
                Self::new(ErrorCode::Unavailable, message).hint("free some space and try again")
            }
            other => {
                tracing::error!(error = %other, "the store failed");
                tracing::debug!(error = ?other, "the store failed, as the driver says it");
                Self::internal(message)
            }
        }
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
