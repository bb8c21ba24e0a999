//! Why something reads n/a: the user may not ask, or the server has no such command.

use redis::ErrorKind;
use redis::ServerErrorKind;
use redis::Value;

use crate::error::RedisError;
use crate::store::EventStore;

/// The reason in an answer, for people.
pub(crate) fn why(error: &redis::RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) || error.code() == Some("NOPERM") {
        return format!("not allowed: {detail}");
    }
    said(error.code().unwrap_or_default(), detail)
}

fn said(code: &str, detail: &str) -> String {
    let lower = detail.to_lowercase();
    if lower.contains("unknown command") || lower.contains("unknown subcommand") {
        return "the server has no such command: it was renamed or switched off there, or came later"
            .to_owned();
    }
    format!("the server said {code} {detail}").trim_end().to_owned()
}

/// The same of an error that is sorted already; `None` where it is about the connection, and asking again may help.
pub(crate) fn reason(error: &RedisError) -> Option<String> {
    match error {
        RedisError::NoPermission(detail) => Some(format!("not allowed: {detail}")),
        RedisError::Server { code, detail } => Some(said(code, detail)),
        _ => None,
    }
}

/// The answer, or why it is not to be had; an error where it is about the connection.
pub(crate) fn asked<T>(answer: Result<T, RedisError>) -> Result<Result<T, String>, RedisError> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match reason(&error) {
            Some(reason) => Ok(Err(reason)),
            None => Err(error),
        },
    }
}

impl EventStore {
    /// Why the memory of keys is not known; `None` where the server tells it.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn memory_lacking(&self) -> Result<Option<String>, RedisError> {
        let mut cmd = redis::cmd("MEMORY");
        cmd.arg("USAGE").arg(self.inner.keys.stream());
        let answer = self.inner.probe.query::<Value>(&cmd).await;
        Ok(asked(answer)?.err())
    }
}
