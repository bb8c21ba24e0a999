//! Reports in the making, and replays under way: how far each is, and stopping it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::contract::ReportProgress;
use crate::error::{ErrorCode, OpError};

/// A longer ticket is no ticket.
const TICKET_CHARS_MAX: usize = 100;

type Held = BTreeMap<String, (ReportProgress, CancellationToken)>;

/// All that are being made in this process, by ticket.
#[derive(Clone, Default)]
pub(crate) struct Makings(Arc<Mutex<Held>>);

/// One that is being made; forgotten when it is dropped.
pub(crate) struct Making {
    ticket: Option<String>,
    makings: Makings,
    cancel: CancellationToken,
}

impl Makings {
    /// Begins one. Without a ticket nobody can ask for it.
    ///
    /// # Errors
    /// `Validation` for a ticket that is too long; `Conflict` for one that is in use.
    pub(crate) fn begin(&self, ticket: Option<String>) -> Result<Making, OpError> {
        let cancel = CancellationToken::new();
        if let Some(ticket) = &ticket {
            if ticket.chars().count() > TICKET_CHARS_MAX {
                return Err(OpError::invalid("ticket", "the ticket is longer than 100 characters"));
            }
            let begun =
                ReportProgress { step: "looking things up".to_owned(), done: 0, total: 1, running: true };
            let mut held = self.lock();
            if held.contains_key(ticket) {
                return Err(OpError::new(ErrorCode::Conflict, "what has this ticket is still being made"));
            }
            held.insert(ticket.clone(), (begun, cancel.clone()));
        }
        Ok(Making { ticket, makings: self.clone(), cancel })
    }

    /// How far one is; not running if there is none.
    pub(crate) fn progress(&self, ticket: &str) -> ReportProgress {
        let gone = ReportProgress { step: String::new(), done: 0, total: 0, running: false };
        self.lock().get(ticket).map_or(gone, |(progress, _)| progress.clone())
    }

    /// Asks one to stop.
    pub(crate) fn cancel(&self, ticket: &str) -> ReportProgress {
        if let Some((_, cancel)) = self.lock().get(ticket) {
            cancel.cancel();
        }
        self.progress(ticket)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making {
    /// Says how many steps there are.
    pub(crate) fn steps(&self, total: usize) {
        self.change(|progress| progress.total = u32::try_from(total).unwrap_or(u32::MAX));
    }

    /// Does a step, unless the making was stopped before or meanwhile.
    ///
    /// # Errors
    /// `Cancelled`, or what the step says.
    pub(crate) async fn step<T, E: Into<OpError>>(
        &self,
        words: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, OpError> {
        self.change(|progress| progress.step = words.to_owned());
        let done = self.cancel.run_until_cancelled(work).await;
        let done = done.ok_or_else(|| OpError::new(ErrorCode::Cancelled, "the report was stopped"))?;
        self.change(|progress| progress.done += 1);
        done.map_err(Into::into)
    }

    /// Says how far it is; false when it is to stop.
    pub(crate) fn go_on(&self, words: &str, done: u64, total: u64) -> bool {
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.change(|progress| {
            words.clone_into(&mut progress.step);
            (progress.done, progress.total) = (count(done), count(total));
        });
        !self.cancel.is_cancelled()
    }

    /// What tells work on another thread that it is to stop.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.cancel.clone()
    }

    fn change(&self, change: impl FnOnce(&mut ReportProgress)) {
        if let Some(ticket) = &self.ticket
            && let Some((progress, _)) = self.makings.lock().get_mut(ticket)
        {
            change(progress);
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(ticket) = &self.ticket {
            self.makings.lock().remove(ticket);
        }
    }
}
