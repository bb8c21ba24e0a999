//! The console: one open workspace, the saved connections, the secrets, and the feed of what changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use watchpost_model::access::Caller;
use watchpost_model::clock::Clock;
use watchpost_model::connection::Connection;
use watchpost_store::{DatabaseTarget, SchemaBehind};

use crate::connections::ConnectionBook;
use crate::contract::{OpeningFailed, Tag, WorkspaceStatus};
use crate::error::{ErrorCode, OpError};
use crate::locking::Lock;
use crate::making::Makings;
use crate::paths::Paths;
use crate::secrets::{Keychain, Secrets, keychain_of_the_system};
use crate::status;
pub use crate::workspace::Workspace;

/// Whether this process does the long-running work of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenure {
    /// Runs the engine, samples health, expires blocks: the window, the daemon.
    Owner,
    /// Does what it was asked and leaves: a short command-line run.
    Guest,
    /// As a guest, and asks the database only: no Redis is reached or started.
    Reader,
}

/// What a console is started with.
pub struct ConsoleOptions {
    /// Its folders.
    pub paths: Paths,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Owner or guest.
    pub tenure: Tenure,
    /// Offer demo data in an empty local workspace.
    pub offer_demo: bool,
    /// Whether what is opened becomes the connection to start with: so in the window, not in a daemon.
    pub remember: bool,
    /// How often an owner asks the database what other consoles changed; [`ASK_EVERY`] but in tests.
    pub ask_every: Duration,
    /// How long opening a connection waits for its Redis; [`REDIS_WAIT`] but in the window, which shows what the database
    /// holds meanwhile. With a shorter one a private server is started, and the work of an owner begun, when
    /// [`Console::tell_drawn`] was called.
    pub redis_wait: Duration,
}

/// Opening waits until the first try of Redis has ended, well or not.
pub const REDIS_WAIT: Duration = Duration::MAX;

/// So long what can wait for the first figures waits for a page that draws none.
const DRAWN_WAIT: Duration = Duration::from_secs(2);

/// How often the database is asked what other consoles changed; half the promised two seconds.
pub const ASK_EVERY: Duration = Duration::from_millis(900);

pub(crate) struct Inner {
    pub(crate) paths: Paths,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tenure: Tenure,
    pub(crate) offer_demo: bool,
    remember: bool,
    pub(crate) ask_every: Duration,
    pub(crate) redis_wait: Duration,
    /// Ends when the first figures are drawn.
    pub(crate) drawn: CancellationToken,
    pub(crate) secrets: Secrets,
    pub(crate) lock: Lock,
    /// Reports in the making.
    pub(crate) makings: Makings,
    /// Held for the length of a file write, never across an await.
    book: Mutex<ConnectionBook>,
    /// Replaced whole; readers take the `Arc` and let go.
    workspace: RwLock<Option<Arc<Workspace>>>,
    /// Serialises opening and closing.
    opening: tokio::sync::Mutex<()>,
    /// Name of the connection that is being opened; held for a glance, never across an await.
    coming: Mutex<Option<String>>,
    /// What could not be opened last, until something is; held as the name is.
    failed: Mutex<Option<OpeningFailed>>,
    /// Capacity 256; a receiver that lags is told so and re-fetches everything.
    changes: broadcast::Sender<BTreeSet<Tag>>,
}

/// A handle to the console; clones share it.
#[derive(Clone)]
pub struct Console(pub(crate) Arc<Inner>);

/// Says what is being opened for as long as it lives, also where whoever asked for it gives up.
struct Coming(Console);

impl Coming {
    fn say(console: &Console, name: &str) -> Self {
        console.set_coming(Some(name.to_owned()));
        Self(console.clone())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.set_coming(None);
    }
}

impl Console {
    /// Starts a console with no workspace open.
    ///
    /// # Errors
    /// `Unavailable` or `Validation` when the file of saved connections cannot be read.
    pub fn start(options: ConsoleOptions) -> Result<Self, OpError> {
        Self::start_with(options, keychain_of_the_system())
    }

    /// The same, with another keychain than that of the operating system.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(options: ConsoleOptions, keychain: Box<dyn Keychain>) -> Result<Self, OpError> {
        let book = ConnectionBook::load(&options.paths)?;
        let (changes, _) = broadcast::channel(256);
        let secrets = Secrets::start(&options.paths, keychain);
        Ok(Self(Arc::new(Inner {
            paths: options.paths,
            clock: options.clock,
            tenure: options.tenure,
            offer_demo: options.offer_demo,
            remember: options.remember,
            ask_every: options.ask_every,
            redis_wait: options.redis_wait,
            drawn: CancellationToken::new(),
            secrets,
            lock: Lock::default(),
            makings: Makings::default(),
            book: Mutex::new(book),
            workspace: RwLock::new(None),
            opening: tokio::sync::Mutex::new(()),
            coming: Mutex::new(None),
            failed: Mutex::new(None),
            changes,
        })))
    }

    /// The first figures are drawn: what had to stand back for them may begin.
    pub fn tell_drawn(&self) {
        self.0.drawn.cancel();
    }

    /// Returns when the first figures are drawn, or soon after where nobody draws any; at once but in a window. What they do
    /// not need leaves the processors to them.
    pub(crate) async fn first_figures(&self) {
        if self.0.redis_wait < REDIS_WAIT {
            let _elapsed = tokio::time::timeout(DRAWN_WAIT, self.0.drawn.cancelled()).await;
        }
    }

    /// The time of this console's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.0.tenure == Tenure::Owner
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.0.paths
    }

    /// The secrets of this console.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// The open workspace.
    ///
    /// # Errors
    /// `Precondition` when none is open.
    pub fn workspace(&self) -> Result<Arc<Workspace>, OpError> {
        self.current().ok_or_else(|| {
            OpError::precondition("no connection is open")
                .hint("open the local workspace or a saved connection")
        })
    }

    pub(crate) fn current(&self) -> Option<Arc<Workspace>> {
        self.0.workspace.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Name of the connection that is being opened, until it is or has failed.
    pub(crate) fn coming(&self) -> Option<String> {
        self.0.coming.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_coming(&self, name: Option<String>) {
        *self.0.coming.lock().unwrap_or_else(PoisonError::into_inner) = name;
        // Nothing became stale, but whoever listens hears of it now. No subscriber is no error.
        drop(self.0.changes.send(BTreeSet::new()));
    }

    /// The connection that could not be opened last, until one is.
    pub(crate) fn opening_failed(&self) -> Option<OpeningFailed> {
        self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failed(&self, failed: Option<OpeningFailed>) {
        *self.0.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, ConnectionBook> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A saved connection by name, or the local workspace by `local`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn connection_named(&self, name: &str) -> Result<Connection, OpError> {
        self.book().by_name(name).ok_or_else(|| {
            OpError::not_found(format!("connection {name:?}")).hint("`watchpost connect list` shows them")
        })
    }

    /// Is there a database behind a connection that could be opened? That of a server always is, as far as this console
    /// knows; a file of this machine may not have been made yet.
    #[must_use]
    pub fn has_database(&self, connection: &Connection) -> bool {
        match crate::targets::database_target(self, connection, None) {
            DatabaseTarget::Sqlite { path } => path.exists(),
            DatabaseTarget::Postgres { .. } => true,
        }
    }

    /// What the tables of a connection's database lack, and whether opening it changes that; `None` if nothing, or only opening
    /// it can tell.
    pub async fn schema_change(&self, connection: &Connection) -> Option<SchemaBehind> {
        let password = crate::targets::secret_for(self.secrets(), connection, "database").await.ok()?;
        let target = crate::targets::database_target(self, connection, password);
        watchpost_store::schema_behind(&target).await
    }

    /// The connection that was chosen or open in the window last, else the local workspace.
    #[must_use]
    pub fn connection_to_start_with(&self) -> Connection {
        self.book().last().unwrap_or_else(crate::connections::local_connection)
    }

    /// Opens a connection and closes the one that was open. A Redis that does not answer does not prevent it: the
    /// workspace opens on the database and keeps trying.
    ///
    /// # Errors
    /// `Unavailable`, `SchemaTooNew` when the database cannot be opened; the workspace before stays open then.
    pub async fn open(&self, connection: Connection) -> Result<(), OpError> {
        let _one_at_a_time = self.0.opening.lock().await;
        if let Some(current) = self.current()
            && *current.connection() == connection
        {
            return Ok(());
        }
        let coming = Coming::say(self, &connection.name);
        let opened = Workspace::open(self, connection.clone()).await;
        let opened = opened.map_err(|problem| {
            let target = crate::targets::database_target(self, &connection, None);
            let then = ", then open it again: nothing can be recorded before";
            crate::error_map::naming_the_file(problem, &target, then)
        });
        // Whoever hears that nothing opens any more hears why.
        self.set_failed(opened.as_ref().err().map(|error| OpeningFailed {
            id: connection.id,
            name: connection.name.clone(),
            error: error.clone(),
        }));
        let workspace = opened?;
        let before = {
            let mut slot = self.0.workspace.write().unwrap_or_else(PoisonError::into_inner);
            slot.replace(workspace)
        };
        drop(coming);
        if let Some(before) = before {
            before.close().await;
        }
        // It is open by now: that it will not be the first choice next time is no reason to say that it is not.
        if self.0.remember
            && let Err(problem) = self.book().set_last(connection.id)
        {
            tracing::warn!(%problem, "the next start will not open this connection by itself");
        }
        self.announce(Tag::ALL);
        Ok(())
    }

    /// Closes the open workspace: stops sources, drains, writes a checkpoint, closes the database.
    pub async fn close(&self) {
        let _one_at_a_time = self.0.opening.lock().await;
        let before = self.0.workspace.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(before) = before {
            before.close().await;
        }
    }

    /// Tells every subscriber what became stale.
    pub(crate) fn announce(&self, tags: &[Tag]) {
        if !tags.is_empty() {
            // No subscriber is no error: a guest has none.
            drop(self.0.changes.send(tags.iter().copied().collect()));
        }
    }

    /// What became stale from now on. A receiver that lags must treat everything as stale.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<BTreeSet<Tag>> {
        self.0.changes.subscribe()
    }

    /// The state of everything, for the status bar.
    pub async fn status(&self, caller: &Caller) -> WorkspaceStatus {
        status::status(self, caller).await
    }

    /// For how long the engine of this console has failed at every try; `None` while it works, while another console has
    /// the lease, and where no engine runs.
    #[must_use]
    pub fn engine_down_for(&self) -> Option<chrono::Duration> {
        let workspace = self.current()?;
        workspace.engine().down_since().map(|since| workspace.now() - since)
    }

    /// Runs until the engine has nothing left to do: the queue is empty and nothing waits to be adopted.
    ///
    /// # Errors
    /// `Precondition` when no workspace is open or this console is a guest; `Unavailable` when the engine is down.
    pub async fn until_idle(&self) -> Result<(), OpError> {
        let workspace = self.workspace()?;
        if !self.is_owner() {
            return Err(OpError::new(ErrorCode::Precondition, "a guest runs no engine"));
        }
        workspace.engine().until_idle().await
    }
}
