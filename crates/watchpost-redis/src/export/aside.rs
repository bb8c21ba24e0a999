//! Looking at what was answered on another thread, while the next questions are made and the server answers those before.

use tokio::task::JoinHandle;

use crate::error::RedisError;

/// What is being looked at, one page at a time and in their order.
pub(super) struct Aside<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> Aside<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Begins with the next page, if there is one. What comes back is the page before: see [`done`].
    pub(super) fn next(
        &mut self,
        work: Option<impl FnOnce() -> T + Send + 'static>,
    ) -> Option<JoinHandle<T>> {
        let begun = work.map(tokio::task::spawn_blocking);
        std::mem::replace(&mut self.0, begun)
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.0.is_none()
    }
}

/// What came of a page.
///
/// # Errors
/// `Cancelled` when the program ends.
pub(super) async fn done<T>(page: Option<JoinHandle<T>>) -> Result<Option<T>, RedisError> {
    let Some(page) = page else { return Ok(None) };
    match page.await {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(RedisError::Cancelled),
    }
}
