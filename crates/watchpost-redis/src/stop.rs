//! What is done about a server that does not answer when somebody wants the work to stop: nobody waits until its time is
//! over. What only reads is given up; what writes has a moment more, so that what it did can be told.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::RedisError;

/// So long an answer to what only reads is waited for after the stop: one that is on its way still comes.
pub const AT_ONCE: Duration = Duration::from_millis(80);
/// So long one to what writes.
pub const WRITTEN: Duration = Duration::from_secs(1);
/// What the report says of a write that was given up.
pub(crate) const UNKNOWN: &str = "the server did not answer when this was stopped: whether what was asked of it last was done is not known";

/// What `asked` says; `None` if it is still silent `grace` after the stop, or after now where the stop was before.
pub fn unless_stopped<T>(
    stop: &CancellationToken,
    grace: Duration,
    asked: impl Future<Output = T>,
) -> impl Future<Output = Option<T>> {
    // On the heap at once: a future that is handed on takes its room at every step.
    let asked = Box::pin(asked);
    async move {
        let given_up = async {
            stop.cancelled().await;
            // It is a limit, and no wait: an answer ends it.
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            told = asked => Some(told),
            () = given_up => None,
        }
    }
}

/// What `asked`, which only reads, says; `Cancelled` if the stop comes first.
pub(crate) fn read<T>(
    stop: &CancellationToken,
    asked: impl Future<Output = Result<T, RedisError>>,
) -> impl Future<Output = Result<T, RedisError>> {
    let told = unless_stopped(stop, AT_ONCE, asked);
    async move { told.await.unwrap_or(Err(RedisError::Cancelled)) }
}

/// `None` where a silent server was given up because of the stop.
pub(crate) fn told<T>(told: Result<T, RedisError>) -> Result<Option<T>, RedisError> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(RedisError::Cancelled) => Ok(None),
        Err(error) => Err(error),
    }
}
