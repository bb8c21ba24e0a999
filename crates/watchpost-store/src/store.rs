//! The handle: opening, closing, and the frame of every writing transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use watchpost_model::access::Role;
use watchpost_model::audit::{AuditDraft, LogSeen};
use watchpost_model::clock::Clock;
use watchpost_model::words;

use crate::audit::append::{self, Fact};
use crate::audit::sign::Signer;
use crate::engine::{Db, Dialect, Notices, Tx, args};
use crate::error::{StoreError, in_its_words};
use crate::event_partition::Months;
use crate::migrate::{Copied, Migrated};
use crate::pulse::ReadOnly;
use crate::snapshot::{Moment, Reading};
use crate::target::{DatabaseTarget, look_at_tls_files, postgres_options, sqlite_options};
use crate::{job, migrate};

/// Kinds of things; each has a counter in [`Store::revisions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    /// Audit records and checkpoints.
    Audit,
    /// Blocks and the allowlist.
    Blocks,
    /// Archived events and rollups.
    Events,
    /// Samples of the health of Redis.
    Health,
    /// Incidents with all that belongs to them.
    Incidents,
    /// Runs of jobs.
    Jobs,
    /// Produced reports.
    Reports,
    /// Settings.
    Settings,
}

words!(Tag {
    Audit = "audit",
    Blocks = "blocks",
    Events = "events",
    Health = "health",
    Incidents = "incidents",
    Jobs = "jobs",
    Reports = "reports",
    Settings = "settings",
});

/// The audit database. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    /// Where one moment is looked at: the transaction in which everything is read.
    pub(crate) moment: Option<Moment>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    /// Held only to copy the signer out, never across an await.
    signer: RwLock<Option<Signer>>,
    /// The file, if it is one.
    pub(crate) file: Option<std::path::PathBuf>,
    /// The server, if it is one.
    pub(crate) server: Option<DatabaseTarget>,
    /// What opening it changed in its schema.
    migrated: Option<Migrated>,
    /// This process, for the runs of jobs that it owns.
    pub(crate) owner: String,
    /// Somebody here can say where sources are ([`Store::keep_places`]).
    pub(crate) places: AtomicBool,
    /// The partitions of events that were asked for ([`Store::event_room`]).
    pub(crate) months: Months,
    /// The last change waited in vain for what somebody else's transaction holds.
    held: AtomicBool,
    /// The greatest state of the audit log that the database confirmed to this process. Never held across an await.
    pub(crate) confirmed: Mutex<Option<LogSeen>>,
    /// What the log has to continue before it confirms anything to this process. Never held across an await.
    pub(crate) expected: Mutex<Option<LogSeen>>,
    /// The process ends: nothing is waited for long.
    hurries: AtomicBool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("engine", &self.engine_name()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, makes it if it is a SQLite file that is not there, brings its schema up to date, and marks
    /// jobs of dead processes as failed. A SQLite file of an older schema is copied before it is changed: see
    /// [`Store::migrated`]. A PostgreSQL database is not: see [`Store::open_keeping`].
    ///
    /// # Errors
    /// `SchemaTooNew`, `SchemaTooOld`, `SchemaAltered`, `NotADatabase`, `Damaged`, `Unavailable`, `NoCopy`, or what the
    /// database says.
    pub async fn open(target: &DatabaseTarget, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let copied = match target {
            DatabaseTarget::Sqlite { path } => Copied::File(path),
            DatabaseTarget::Postgres { .. } => Copied::Nothing,
        };
        Self::open_as(target, clock, copied).await
    }

    /// The same, and a PostgreSQL database of an older schema is copied into a folder of this machine before it is changed, if
    /// `pg_dump` is there. The folder is made for it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_keeping(
        target: &DatabaseTarget,
        clock: Arc<dyn Clock>,
        folder: &std::path::Path,
    ) -> Result<Self, StoreError> {
        let copied = match target {
            DatabaseTarget::Sqlite { path } => Copied::File(path),
            DatabaseTarget::Postgres { .. } => Copied::Server { server: target, folder },
        };
        Self::open_as(target, clock, copied).await
    }

    /// The same for a database whose owner wants no copy: an older schema is brought up to date without one, and it is told.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_without_copy(
        target: &DatabaseTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::open_as(target, clock, Copied::Nothing).await
    }

    /// The same for a database that is a copy itself, put somewhere for a while.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_scratch(target: &DatabaseTarget, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_as(target, clock, Copied::Scratch).await
    }

    async fn open_as(
        target: &DatabaseTarget,
        clock: Arc<dyn Clock>,
        copied: Copied<'_>,
    ) -> Result<Self, StoreError> {
        let db = match target {
            DatabaseTarget::Sqlite { path } => open_sqlite(path).await?,
            DatabaseTarget::Postgres { tls, .. } => {
                tls.as_ref().map_or(Ok(()), look_at_tls_files)?;
                let options = postgres_options(target)
                    .ok_or_else(|| StoreError::Validation("the target is not a server".to_owned()))?;
                Db::open_postgres(options).await?
            }
        };
        let migrated = Box::pin(migrate::migrate(&db, clock.now(), copied)).await?;
        if let Err(error) = db.keep_statistics().await {
            // Plans only; whoever opens it next tries again.
            tracing::debug!(%error, "could not see to the statistics of the queries");
        }
        let store = Self::with(db, clock, Some(target), migrated);
        store.jobs_fail_orphans().await?;
        Ok(store)
    }

    /// A store over connections that are open.
    pub(crate) fn over(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self::with(db, clock, None, None)
    }

    fn with(
        db: Db,
        clock: Arc<dyn Clock>,
        target: Option<&DatabaseTarget>,
        migrated: Option<Migrated>,
    ) -> Self {
        let (file, server) = match target {
            None => (None, None),
            Some(DatabaseTarget::Sqlite { path }) => (Some(path.clone()), None),
            Some(server @ DatabaseTarget::Postgres { .. }) => (None, Some(server.clone())),
        };
        let owner = job::this_process();
        let (signer, places) = (RwLock::new(None), AtomicBool::new(false));
        let (months, held, hurries) = (Months::default(), AtomicBool::new(false), AtomicBool::new(false));
        let inner = Inner {
            db,
            clock,
            signer,
            file,
            server,
            migrated,
            owner,
            places,
            months,
            held,
            confirmed: Mutex::default(),
            expected: Mutex::default(),
            hurries,
        };
        Self { inner: Arc::new(inner), moment: None }
    }

    /// What opening this database changed in its schema; `None` if it was new or up to date.
    #[must_use]
    pub fn migrated(&self) -> Option<&Migrated> {
        self.inner.migrated.as_ref()
    }

    /// `SQLite` or `PostgreSQL`.
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        self.inner.db.dialect().name()
    }

    /// Sets the key that signs checkpoints from now on. A key that the trail does not know yet gets its `key.add`
    /// record, signed for by the checkpoint that follows.
    ///
    /// # Errors
    /// `Precondition` if the key was revoked; what the database says.
    pub async fn set_signer(&self, signer: Signer) -> Result<(), StoreError> {
        let fresh = self.signer_register(&signer).await?;
        self.put_signer(signer);
        if fresh {
            self.checkpoint_now("key.add").await?;
        }
        Ok(())
    }

    pub(crate) fn put_signer(&self, signer: Signer) {
        *self.inner.signer.write().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }

    /// Signs no checkpoints any more: whoever signs for a log that does not continue what was seen makes it good.
    pub fn withhold_signer(&self) {
        *self.inner.signer.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Is there a key that signs?
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signer().is_some()
    }

    pub(crate) fn signer(&self) -> Option<Signer> {
        self.inner.signer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The role that the database gives this login: the one that may most of the groups of `deploy/postgres-roles.sql` that
    /// it is in. `None` where there are no such groups, and for an owner or an engine, which are in none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn login_role(&self) -> Result<Option<Role>, StoreError> {
        let mut tx = self.read().await?;
        let sql = tx.dialect().groups_of_login();
        let mut roles = Vec::new();
        for row in tx.fetch(sql, args![]).await? {
            let group = row.text(0)?;
            roles.extend(group.strip_prefix("watchpost_").and_then(|name| name.parse::<Role>().ok()));
        }
        Ok(roles.into_iter().max_by_key(|role| role.permissions().len()))
    }

    /// Waits only shortly for what somebody else's transaction holds, and for a commit, from now on: the process ends.
    pub fn hurry(&self) {
        self.inner.hurries.store(true, Ordering::Relaxed);
    }

    /// Signs a last checkpoint if there is a key, and closes. While somebody else holds the log, it goes without: whoever signs
    /// next signs for what was written.
    pub async fn close(&self) {
        if self.signer().is_some()
            && !self.inner.held.load(Ordering::Relaxed)
            && let Err(error) = self.checkpoint_now("close").await
        {
            match error {
                // Whoever wanted to change something was told, and nobody else lacks it.
                StoreError::ReadOnly(_) => tracing::debug!(%error, "could not sign a checkpoint on closing"),
                _ => tracing::warn!(%error, "could not sign a checkpoint on closing"),
            }
        }
        self.inner.db.close().await;
    }

    /// One counter for each [`Tag`]; a counter that grew tells another window that it should read again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn revisions(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.fetch("SELECT tag, n FROM revision", args![]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.i64(1)?))).collect()
    }

    /// Begins to hear of changes at the moment in which they are committed, by a connection of its own; `None` with SQLite,
    /// which tells nobody. What was changed before is known by [`Self::revisions`] only.
    ///
    /// # Errors
    /// `Unavailable`, or what the database says.
    pub async fn notices(&self) -> Result<Option<Notices>, StoreError> {
        self.inner.db.notices().await
    }

    pub(crate) async fn read(&self) -> Result<Reading, StoreError> {
        match &self.moment {
            Some(moment) => moment.read(),
            None => Ok(Reading::Own(self.inner.db.begin_read().await?)),
        }
    }

    pub(crate) async fn write(&self) -> Result<Write, StoreError> {
        if self.moment.is_some() {
            return Err(StoreError::Validation("a look at one moment changes nothing".to_owned()));
        }
        let mut tx = self.inner.db.begin_write().await?;
        let is_short = self.inner.held.load(Ordering::Relaxed) || self.inner.hurries.load(Ordering::Relaxed);
        if is_short && tx.dialect() == Dialect::Postgres {
            // Whoever comes after is told within less, until it is free again.
            tx.execute("SET LOCAL lock_timeout = '2s'", args![]).await?;
        }
        Ok(Write { tx, touched: BTreeSet::new(), entries: Vec::new() })
    }

    /// Ends a writing transaction: revisions, then audit records (the head of the log is the last lock), then commit.
    /// Returns the numbers of the audit records.
    pub(crate) async fn commit(&self, write: Write) -> Result<Vec<i64>, StoreError> {
        // What leaves no record says nothing about who holds the log.
        if write.entries.is_empty() {
            return self.commit_all(write).await;
        }
        let done = self.noted(self.commit_all(write).await);
        self.naming_the_standby(done).await
    }

    /// The same, naming the synchronous standby where one that is gone is what was waited for in vain.
    pub(crate) async fn naming_the_standby<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if !matches!(done, Err(StoreError::Held(_) | StoreError::Unconfirmed(_)))
            || !matches!(self.lacks_standby().await, Ok(true))
        {
            return done;
        }
        done.map_err(|error| match error {
            // Whoever holds the log may be one of this console, whom nobody should end.
            StoreError::Held(error) => StoreError::NoStandby(error),
            StoreError::Unconfirmed(error) => {
                let why = format!("{} ({})", ReadOnly::NoStandby, in_its_words(&error));
                StoreError::Unconfirmed(sqlx::Error::Io(std::io::Error::other(why)))
            }
            other => other,
        })
    }

    /// Notes whether something waited for the log in vain, or was left while it may still hold it.
    pub(crate) fn noted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        match &done {
            Ok(_) => self.inner.held.store(false, Ordering::Relaxed),
            Err(StoreError::Held(_) | StoreError::Unconfirmed(_)) => {
                self.inner.held.store(true, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        done
    }

    async fn commit_all(&self, write: Write) -> Result<Vec<i64>, StoreError> {
        let Write { mut tx, mut touched, entries } = write;
        if !entries.is_empty() {
            touched.insert(Tag::Audit);
        }
        for tag in touched {
            tx.bump(tag).await?;
        }
        let appended =
            append::append_all(&mut tx, entries, self.inner.clock.now(), self.signer().as_ref()).await?;
        let seen = match &appended.head {
            Some((before, head)) => Box::pin(self.audit_follows(&mut tx, before, head)).await?,
            None => None,
        };
        tx.commit_in(self.inner.hurries.load(Ordering::Relaxed)).await?;
        if let Some(seen) = seen {
            self.audit_confirm(seen);
        }
        Ok(appended.numbers)
    }
}

async fn open_sqlite(path: &std::path::Path) -> Result<Db, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(StoreError::NotFound(format!("the folder {}", folder.display())));
    }
    make_private(path)?;
    may_be_written(path)?;
    refuse_untouched(path).await?;
    // Switching a new file to WAL needs an exclusive moment that the busy timeout does not cover; two processes that
    // start at once meet here.
    let mut attempt: u64 = 0;
    loop {
        match Db::open_sqlite(sqlite_options(path)).await {
            Err(StoreError::Unavailable(error)) if attempt < 40 && migrate::is_busy(&error) => {
                attempt += 1;
                tokio::time::sleep(Duration::from_millis(10 * attempt.min(20))).await;
            }
            result => return result,
        }
    }
}

/// Refuses a file of another program before it is opened: switching to WAL writes into its header. A database of ours is in
/// that mode, or a copy of one.
async fn refuse_untouched(path: &std::path::Path) -> Result<(), StoreError> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut header = [0; 19];
    let read =
        std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut header));
    if read.is_err() || !header.starts_with(MAGIC) || !header.ends_with(&[1]) {
        return Ok(());
    }
    let look = Db::look_at_file(path);
    let found = match look.begin_read().await {
        Ok(mut tx) => migrate::refuse_foreign(&mut tx).await,
        Err(error) => Err(error),
    };
    look.end_look().await;
    match found {
        Err(refused @ (StoreError::NotADatabase(_) | StoreError::Damaged(_))) => Err(refused),
        // Whatever else is wrong with it, opening it says.
        _ => Ok(()),
    }
}

/// Makes the file, if it is not there, so that nobody else can read it: it holds keys and what attackers wrote. SQLite
/// gives the files beside it the same permissions.
fn make_private(path: &std::path::Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(of_rights(error)),
    }
}

/// Says of a file without the right to write it what it lacks: SQLite opens it all the same, and fails later, in other words.
fn may_be_written(path: &std::path::Path) -> Result<(), StoreError> {
    match std::fs::OpenOptions::new().append(true).open(path) {
        Err(error) if is_of_rights(&error) => Err(of_rights(error)),
        // Whatever else is wrong with it, opening it says.
        _ => Ok(()),
    }
}

fn is_of_rights(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

fn of_rights(error: std::io::Error) -> StoreError {
    if is_of_rights(&error) {
        StoreError::NotWritable(sqlx::Error::Io(error))
    } else {
        sqlx::Error::Io(error).into()
    }
}

/// One audit record to be written: from a person or engine, or of the trail itself.
pub(crate) struct Entry {
    pub(crate) draft: AuditDraft,
    pub(crate) facts: Vec<Fact>,
}

/// A writing transaction with what it owes at its end.
pub(crate) struct Write {
    tx: Tx,
    touched: BTreeSet<Tag>,
    entries: Vec<Entry>,
}

impl Write {
    /// Things of this kind change.
    pub(crate) fn touch(&mut self, tag: Tag) {
        self.touched.insert(tag);
    }

    /// This transaction is recorded so.
    pub(crate) fn audit(&mut self, draft: AuditDraft) {
        self.entries.push(Entry { draft, facts: Vec::new() });
    }

    pub(crate) fn audit_with_facts(&mut self, draft: AuditDraft, facts: Vec<Fact>) {
        self.entries.push(Entry { draft, facts });
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.tx.dialect()
    }
}

impl Deref for Write {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}
