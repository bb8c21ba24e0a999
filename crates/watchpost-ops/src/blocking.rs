//! Work that blocks, away from the threads that serve everybody.

use crate::error::OpError;

/// Does `work` on a thread for work that blocks or computes for long.
///
/// # Errors
/// `Internal` if it panics.
pub(crate) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| OpError::internal(error.to_string()))
}
