//! How a job that walks over Redis survives an interruption: its position is kept, and it waits for a server that is away.

use std::time::Duration;

use watchpost_model::health::Unit;
use watchpost_model::job::{Figure, JobPosition, JobRun};
use watchpost_model::plain::{grouped, size};
use watchpost_redis::{EventStore, RedisError, WalkPosition};
use watchpost_store::Store;

use crate::console::Workspace;
use crate::error::OpError;
use crate::jobs::Ticket;

/// A run that was interrupted longer ago is begun anew: too much may have become due before its position.
const FRESH: chrono::Duration = chrono::Duration::hours(24);
/// Runs of a kind that are looked through for the one that was interrupted.
const RUNS: u32 = 200;
/// How long a job waits for a server that is away, and the first and the longest pause between two attempts.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Where an interrupted run was, and what it had done.
pub(crate) struct Begun {
    pub(crate) position: WalkPosition,
    run: JobPosition,
    /// Its process ended with it: what it did after its last position is not known.
    died: bool,
}

/// The positions of one run, in the database.
pub(crate) struct Journal<'a> {
    store: &'a Store,
    ticket: Ticket,
    run: JobRun,
    node: String,
    begun: Option<Begun>,
    /// Everything before it is done; not written yet.
    done_to: Option<WalkPosition>,
}

impl<'a> Journal<'a> {
    /// Begins to keep the position of the job behind `ticket`, and looks where one before it was interrupted, unless it
    /// is to `restart`.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn open(
        workspace: &'a Workspace,
        ticket: &Ticket,
        events: &EventStore,
        restart: bool,
    ) -> Result<Self, OpError> {
        let store = workspace.store();
        let run = ticket.run().ok_or_else(|| OpError::internal("the job is not known"))?;
        let target = events.target();
        let node = format!("{} {} {}", target.address, target.database, target.prefix);
        let found = if restart {
            None
        } else {
            store.job_position(run.kind, &run.parameters, &node, workspace.now() - FRESH).await?
        };
        let died = match &found {
            Some(found) => {
                let runs = store.job_runs_of(run.kind, RUNS).await?;
                let reported = runs.iter().any(|run| run.id == found.job && run.report.is_some());
                !reported
            }
            None => false,
        };
        let begun = found.and_then(|run| {
            let position = WalkPosition { run_id: run.run_id.clone(), cursor: run.cursor.parse().ok()? };
            Some(Begun { position, run, died })
        });
        Ok(Self { store, ticket: ticket.clone(), run, node, begun, done_to: None })
    }

    /// Forgets where runs of this job with other parameters were interrupted: what this one does may undo what lies before
    /// these places.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn forget_others(&self) -> Result<(), OpError> {
        let (store, run) = (self.store, &self.run);
        Ok(store.job_positions_clear_others(run.kind, &run.parameters, &self.node).await?)
    }

    /// Where to go on.
    pub(crate) const fn begun(&self) -> Option<&Begun> {
        self.begun.as_ref()
    }

    /// Everything before `position` is done.
    pub(crate) fn done_to(&mut self, position: WalkPosition) {
        self.done_to = Some(position);
    }

    /// What to write with the next transaction, if there is something new.
    pub(crate) fn position(&mut self, done: &[Figure]) -> Option<JobPosition> {
        let position = self.done_to.take()?;
        Some(self.row(&position, done))
    }

    fn row(&self, position: &WalkPosition, done: &[Figure]) -> JobPosition {
        let before = self.begun.iter().flat_map(|begun| &begun.run.done);
        let mut done = done.to_vec();
        for figure in before {
            match done.iter_mut().find(|own| own.name == figure.name) {
                Some(own) => own.value += figure.value,
                None => done.push(figure.clone()),
            }
        }
        JobPosition {
            job: self.run.id,
            kind: self.run.kind,
            parameters: self.run.parameters.clone(),
            node: self.node.clone(),
            run_id: position.run_id.clone(),
            cursor: position.cursor.to_string(),
            done,
            progress: self.ticket.run().map(|run| run.progress),
        }
    }

    /// What a reader of the report should know.
    pub(crate) fn words(&self) -> Option<String> {
        let Begun { run, died, .. } = self.begun.as_ref()?;
        Some(format!("this run follows job {}, which was interrupted {}", run.job, when(&run.done, *died)))
    }

    /// Keeps the position when the job stops before its end. A database that does not answer has the one before.
    pub(crate) async fn keep(&mut self, done: &[Figure]) {
        if let Some(position) = self.position(done)
            && let Err(problem) = self.store.job_position_put(&position).await
        {
            tracing::warn!(%problem, job = %self.run.id, "the position of a job was not kept");
        }
    }

    /// The walk has come to its end: the next run begins at the beginning.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn close(&self) -> Result<(), OpError> {
        Ok(self.store.job_positions_clear(self.run.kind, &self.run.parameters, &self.node).await?)
    }
}

/// `after 6,000 events archived and removed, memory of these keys 3.3 MiB`; `after at least` that if it `died`.
fn when(done: &[Figure], died: bool) -> String {
    let told = |figure: &Figure| {
        let mut title = figure.title.chars();
        let title: String = title.next().into_iter().flat_map(char::to_lowercase).chain(title).collect();
        match figure.unit {
            Unit::Bytes => format!("{title} {}", size(figure.value)),
            _ => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
                let count = figure.value as u64;
                format!("{} {title}", grouped(count))
            }
        }
    };
    let done: Vec<String> = done.iter().filter(|figure| figure.value > 0.0).map(told).collect();
    match (done.is_empty(), died) {
        (true, false) => "before it had changed anything".to_owned(),
        (true, true) => "before it had told of a change".to_owned(),
        (false, false) => format!("after {}", done.join(", ")),
        (false, true) => format!("after at least {}", done.join(", ")),
    }
}

/// The event store at the beginning of a job: a server that is loading its data is waited for, up to two minutes.
///
/// # Errors
/// `Unavailable` for one that is not there at all, or not in time; `Cancelled`.
pub(crate) async fn loaded(workspace: &Workspace, ticket: &Ticket) -> Result<EventStore, OpError> {
    let mut patience = Patience::new(ticket);
    while workspace.events_or_loading()?.is_none() {
        patience.wait(RedisError::Loading).await?;
        // The private one is waited for where it is started.
        if workspace.private_redis().is_none() {
            ticket.soon(workspace.try_redis()).await;
        }
    }
    workspace.events()
}

/// Waiting for a server that is away or full, with the reason as the job's step.
pub(crate) struct Patience<'a> {
    ticket: &'a Ticket,
    pause: Duration,
    since: Option<tokio::time::Instant>,
}

impl<'a> Patience<'a> {
    pub(crate) const fn new(ticket: &'a Ticket) -> Self {
        Self { ticket, pause: PAUSE, since: None }
    }

    /// Waits a moment, longer each time.
    ///
    /// # Errors
    /// `error` when waiting does not mend it, or not within two minutes; `Cancelled`.
    pub(crate) async fn wait(&mut self, error: RedisError) -> Result<(), OpError> {
        let since = *self.since.get_or_insert_with(tokio::time::Instant::now);
        if !error.is_transient() || since.elapsed() > PATIENCE {
            return Err(error.into());
        }
        tracing::info!(%error, "a job waits");
        self.ticket.step(format!("waiting: {error}"));
        // A server that is away tells nobody when it is back.
        let waited = self.ticket.cancel.run_until_cancelled(tokio::time::sleep(self.pause)).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        match waited {
            Some(()) => Ok(()),
            None => self.ticket.check(),
        }
    }
}

#[cfg(test)]
mod tests {
    use watchpost_model::job::Figure;

    use super::when;

    #[test]
    fn an_interruption_is_told_in_plain_numbers() {
        let done = [
            Figure::count("removed", "Events archived and removed", 6_000),
            Figure::count("ttls_given", "Events given a missing TTL", 0),
            Figure::bytes("bytes", "Memory of these keys", 3_408_000),
        ];
        assert_eq!(
            when(&done, false),
            "after 6,000 events archived and removed, memory of these keys 3.3 MiB"
        );
        assert_eq!(when(&done[..1], true), "after at least 6,000 events archived and removed");
        assert_eq!(when(&done[1..2], false), "before it had changed anything");
        assert_eq!(when(&done[1..2], true), "before it had told of a change");
    }
}
