//! What a shell gets when an operation does not succeed.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::words;

/// Codes that a shell branches on; nothing else gets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is wrong; `field` says where.
    Validation,
    /// There is no such thing.
    NotFound,
    /// Somebody else changed it in the meantime.
    Conflict,
    /// Not now: the state of things does not allow it, or it needs a confirmation.
    Precondition,
    /// This role may not do that.
    Permission,
    /// It waits for a second person.
    Approval,
    /// Redis, the database or a file cannot be reached.
    Unavailable,
    /// It took too long; for a change the outcome is unknown.
    Timeout,
    /// A person stopped it.
    Cancelled,
    /// The database was written by a newer Watchpost.
    SchemaTooNew,
    /// The OS keychain does not work.
    SecretStore,
    /// A mistake in Watchpost.
    Internal,
}

words!(ErrorCode {
    Validation = "validation",
    NotFound = "not_found",
    Conflict = "conflict",
    Precondition = "precondition",
    Permission = "permission",
    Approval = "approval",
    Unavailable = "unavailable",
    Timeout = "timeout",
    Cancelled = "cancelled",
    SchemaTooNew = "schema_too_new",
    SecretStore = "secret_store",
    Internal = "internal",
});

/// An error on its way to a shell. The wire form is exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpError {
    /// For programs.
    pub code: ErrorCode,
    /// What happened, for people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[ts(optional)]
    pub hint: Option<String>,
    /// Which field of the request is wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[ts(optional)]
    pub field: Option<String>,
    /// Where to find it in the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[ts(optional)]
    pub trace_id: Option<String>,
}

impl OpError {
    /// An error with a code and a message.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, field: None, trace_id: None }
    }

    /// The request is wrong at `field`.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(ErrorCode::Validation, message) }
    }

    /// A file or directory that was named at `field` cannot be had: it is not there, may not be read, or is no file.
    #[must_use]
    pub fn unreadable(field: &str, path: &std::path::Path, why: impl fmt::Display) -> Self {
        let message = format!("cannot read {}: {why}", path.display());
        Self { field: Some(field.to_owned()), ..Self::new(ErrorCode::Unavailable, message) }
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what}"))
    }

    /// The state of things does not allow it.
    #[must_use]
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Precondition, message)
    }

    /// A mistake in Watchpost.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for OpError {}
