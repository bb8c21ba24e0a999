//! An open connection: the event store, the audit database, and the tasks that serve them.

mod redis;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use watchpost_model::access::Role;
use watchpost_model::audit::AuditDraft;
use watchpost_model::clock::Clock;
use watchpost_model::connection::{Connection, RedisAddress};
use watchpost_model::health::{HealthSample, RedisHealth};
use watchpost_redis::local::LocalServer;
use watchpost_redis::{EventStore, HealthProbe, RedisTarget};
use watchpost_store::{DatabaseTarget, Login, Sealer, Store};

use crate::console::{Console, Tenure};
use crate::contract::{Part, PartState};
use crate::engine::Engine;
use crate::enrich::{Desk, Freshness, Known};
use crate::error::{ErrorCode, OpError};
use crate::health_watch;
use crate::hearing::Hearing;
use crate::jobs::Jobs;
use crate::own_addresses::own_addresses;
use crate::paths::Paths;
use crate::rules::RuleDesk;
use crate::sealing::SealDesk;
use crate::secrets::Secrets;
use crate::targets::{SeenNodes, database_target, redis_target};
pub(crate) use crate::targets::{account, secret_for, secret_from_file};
use crate::upheld::Upheld;
use crate::upkeep;
use crate::witness::Witness;

/// How long closing may take before what still runs is dropped.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// An open connection. Owned by the console; operations hold an `Arc` for the length of a call.
pub struct Workspace {
    connection: Connection,
    clock: Arc<dyn Clock>,
    store: Store,
    witness: Witness,
    secrets: Secrets,
    /// The console does what it was asked and leaves.
    is_short: bool,
    /// What the database lets this login be; `None` where it has no say.
    role: Option<Role>,
    /// Who this is by the word of the database; `None` where it is a file.
    login: Option<Login>,
    redis_target: RedisTarget,
    /// The nodes of its cluster that were seen last.
    nodes: SeenNodes,
    /// Of the private server of the local workspace.
    local_folder: PathBuf,
    /// Replaced whole by the supervisor; never held across an await.
    redis: RwLock<RedisSlot>,
    /// Held by whoever tries to reach Redis.
    reaching: Arc<tokio::sync::Mutex<()>>,
    /// The private server of the local workspace.
    local: Mutex<Option<LocalServer>>,
    engine: Engine,
    rules: RuleDesk,
    jobs: Jobs,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
    own_addresses: Vec<IpAddr>,
    /// Held for the length of a sample; a sample takes milliseconds or fails by its timeout.
    health: tokio::sync::Mutex<HealthDesk>,
    /// Held while files or lists that changed are read again.
    enrichment: tokio::sync::Mutex<Desk>,
    sealing: SealDesk,
    hearing: Hearing,
}

/// The probe, which remembers the sample before for its rates, and the newest answer.
#[derive(Default)]
struct HealthDesk {
    probe: Option<HealthProbe>,
    last: Option<RedisHealth>,
    upheld: Upheld,
}

struct RedisSlot {
    events: Option<EventStore>,
    part: Part,
    /// The server process that answered last.
    run_id: String,
    /// It was there the last time, and loading its data.
    is_loading: bool,
    /// From when it is to be looked whether it lost what applications are to enforce; until that is done.
    restore_from: Option<DateTime<Utc>>,
}

impl Workspace {
    /// Opens the database, tries Redis, and starts the tasks of an owner.
    pub(crate) async fn open(console: &Console, connection: Connection) -> Result<Arc<Self>, OpError> {
        let secrets = console.secrets();
        let redis_password = secret_for(secrets, &connection, "redis").await?;
        let sentinel_password = secret_for(secrets, &connection, "sentinel").await?;
        let database_password = secret_for(secrets, &connection, "database").await?;
        if connection.database.is_in_the_clear() {
            let connection = connection.name.as_str();
            tracing::warn!(
                connection,
                "the database is reached without TLS: {}",
                crate::status::IN_THE_CLEAR
            );
        }
        let database = database_target(console, &connection, database_password);
        let clock = console.0.clock.clone();
        let store = open_store(&database, clock.clone(), console.paths()).await?;
        let role = store.login_role().await?;
        let login = store.login().await?;
        // What was erased stays erased, also where an older copy took the place of the database.
        let erasures_held = crate::erasures::again(console.paths(), &store).await?;
        // A key of this session is an owner's: a short run that keeps none would leave one more key in the trail each time.
        // Nor has such a run anybody asked to open the keychain before something needs the key.
        let is_short = !console.is_owner();
        let with = if is_short { secrets.quiet() } else { secrets.clone() };
        let signer = crate::signing::signer(&with, &store, !is_short).await?;
        let witness = Witness::new(console.paths(), &connection, signer);
        witness.erasures_held(erasures_held);
        let nodes = SeenNodes::of(console.paths(), connection.id);
        let redis_target = redis_target(console, &connection, redis_password, sentinel_password);
        let own_addresses = own_addresses(&connection).await;
        let workspace = Arc::new(Self {
            connection,
            clock,
            store,
            witness,
            secrets: secrets.clone(),
            is_short,
            role,
            login,
            redis_target,
            nodes,
            local_folder: console.0.paths.workspace(),
            redis: RwLock::new(RedisSlot {
                events: None,
                part: Part { state: PartState::Connecting, detail: "connecting".to_owned(), last_ok: None },
                run_id: String::new(),
                is_loading: false,
                restore_from: None,
            }),
            reaching: Arc::default(),
            local: Mutex::new(None),
            engine: Engine::new(),
            rules: RuleDesk::new(console.0.paths.rules(), secrets.clone()),
            jobs: Jobs::new(),
            stop: CancellationToken::new(),
            tasks: Mutex::new(JoinSet::new()),
            own_addresses,
            health: tokio::sync::Mutex::default(),
            enrichment: tokio::sync::Mutex::default(),
            sealing: SealDesk::default(),
            hearing: Hearing::default(),
        });
        if console.0.tenure != Tenure::Reader {
            workspace.try_redis_first(console).await?;
        }
        // The key signs only for a log that continues what this console and the places have seen.
        workspace.witness.look(&workspace.store).await?;
        workspace.witness.tend(&workspace, None).await?;
        crate::erasures::remember(console.paths(), &workspace).await?;
        workspace.witness.let_sign(&workspace.store).await?;
        workspace.witness.look_at_key(&workspace.store).await?;
        if let Err(error) = crate::perform::database_migrated::keep_migrated(&workspace).await {
            tracing::error!(%error, "the audit trail does not tell that the schema was brought up to date");
        }
        workspace.witness.look(&workspace.store).await?;
        if console.0.tenure == Tenure::Owner {
            upkeep::start(console, &workspace).await;
        }
        Ok(workspace)
    }

    /// The connection as it was opened.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The role that the database gives the login of this connection, if it has a say.
    pub(crate) fn role(&self) -> Option<Role> {
        self.role
    }

    /// The login at the database, if that has logins.
    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The rules.
    pub(crate) fn rules(&self) -> &RuleDesk {
        &self.rules
    }

    /// The audit database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What this console has seen of the audit log.
    pub(crate) fn witness(&self) -> &Witness {
        &self.witness
    }

    /// Looks at the audit log, signs a checkpoint if something was added, and gives it to the places. True if something
    /// else is held against the log than before.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn keep_watch(&self, reason: &str) -> Result<bool, OpError> {
        let _turn = self.witness.turn().await;
        self.watch_in_turn(reason).await
    }

    /// Holds the log against what was seen of it, and does nothing else. True if something else is held against it than
    /// before.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn look_again(&self) -> Result<bool, OpError> {
        let _turn = self.witness.turn().await;
        self.witness.look(&self.store).await
    }

    /// The same as [`Self::keep_watch`] for whoever has the witness's turn.
    pub(crate) async fn watch_in_turn(&self, reason: &str) -> Result<bool, OpError> {
        let mut is_news = self.witness.look(&self.store).await?;
        self.renew_signer().await?;
        self.witness.let_sign(&self.store).await?;
        self.witness.look_at_key(&self.store).await?;
        // Before this console signs itself: what another one signed is what there is to witness.
        self.witness.attest(&self.store, self.now()).await?;
        let newest = if self.store.signs() {
            Some(self.store.checkpoint_now(reason).await?)
        } else {
            self.store.checkpoints(1).await?.into_iter().next()
        };
        let before = self.witness.problem();
        self.witness.tend(self, newest.as_ref()).await?;
        is_news |= self.witness.problem() != before;
        is_news |= self.witness.look(&self.store).await?;
        Ok(is_news)
    }

    /// Signs on with the key that took the place of the one that signed here, after another process of this account rolled
    /// it. A key that was revoked signs nothing more; a new one of this console is a matter of opening it again.
    async fn renew_signer(&self) -> Result<(), OpError> {
        let Some(record) = self.store.signer_revoked().await? else { return Ok(()) };
        self.store.withhold_signer();
        let next = crate::signing::kept_for(&self.secrets, &self.store).await?;
        match next {
            Some(next) => self.witness.signs_with(next),
            None => tracing::error!(record, "the key of this console was revoked: it signs nothing any more"),
        }
        Ok(())
    }

    /// Signs with the kept key from now on, where this console signed with one of its session: the file of secrets was
    /// opened or made. There is one afterwards.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn sign_with_kept(&self) -> Result<(), OpError> {
        if self.witness.signs_for_session() != Some(true) {
            return Ok(());
        }
        let _turn = self.witness.turn().await;
        let Some(kept) = crate::signing::signer(&self.secrets, &self.store, false).await? else {
            return Ok(());
        };
        self.store.withhold_signer();
        self.witness.signs_with(kept);
        self.watch_in_turn("key.add").await.map(drop)
    }

    /// Has the key of a short run fetched that was opened without it, for what needs it: a person may be asked to open the
    /// keychain.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn fetch_signer(&self) -> Result<(), OpError> {
        if !self.is_short || self.witness.signs_for_session().is_some() {
            return Ok(());
        }
        let _turn = self.witness.turn().await;
        if let Some(kept) = crate::signing::signer(&self.secrets, &self.store, false).await? {
            self.witness.signs_with(kept);
        }
        Ok(())
    }

    /// Puts a new key into the place of the one that signs here.
    ///
    /// # Errors
    /// `Precondition` without a key, while something is held against the log, or where no keychain keeps the new one; what
    /// the database says.
    pub(crate) async fn roll_signer(&self, draft: AuditDraft) -> Result<(), OpError> {
        let _turn = self.witness.turn().await;
        self.watch_in_turn("key.roll").await?;
        if let Some((_, problem)) = self.witness.problem() {
            return Err(OpError::precondition(format!(
                "no key vouches for another in such a log: {problem}"
            ))
            .hint("`watchpost audit verify` says more"));
        }
        let Some(session) = self.witness.signs_for_session() else {
            return Err(OpError::precondition("this console has no key to sign with, so none to roll")
                .hint("a kept key needs the keychain of this account, or a file of secrets; the window and `watchpost serve` sign with one of their session"));
        };
        let log = self.store.audit_log_id().await?;
        let next = crate::signing::next(&self.secrets, &log, session).await.ok_or_else(|| {
            OpError::precondition("the keychain does not take a new key: the one before goes on")
        })?;
        self.store.signer_roll(next.clone(), draft).await?;
        crate::signing::take_over(&self.secrets, &log).await;
        self.witness.signs_with(next);
        // The places get the first checkpoint of the new key.
        self.watch_in_turn("key.roll").await.map(drop)
    }

    /// The event store.
    ///
    /// # Errors
    /// `Unavailable` with the reason while Redis does not answer.
    pub fn events(&self) -> Result<EventStore, OpError> {
        let slot = self.slot();
        slot.events.clone().ok_or_else(|| {
            let what = match slot.part.state {
                PartState::Connecting => "Redis did not answer yet".to_owned(),
                PartState::Connected | PartState::Down => {
                    format!("Redis does not answer: {}", slot.part.detail)
                }
            };
            OpError::new(ErrorCode::Unavailable, what)
                .hint("the connection is tried again every two seconds; test it in Settings")
        })
    }

    /// The same for a job that waits for a server that is loading its data: nothing while it is.
    ///
    /// # Errors
    /// As [`Self::events`].
    pub(crate) fn events_or_loading(&self) -> Result<Option<EventStore>, OpError> {
        let is_loading = self.slot().is_loading;
        match self.events() {
            Ok(events) => Ok(Some(events)),
            Err(_) if is_loading => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Ends when the workspace closes.
    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a task until the workspace closes; it is joined then.
    pub(crate) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }

    /// Addresses of this machine and of the servers in use.
    pub(crate) fn own_addresses(&self) -> &[IpAddr] {
        &self.own_addresses
    }

    /// Redis as the status bar shows it.
    pub(crate) fn redis_part(&self) -> Part {
        self.slot().part.clone()
    }

    /// Takes a health sample now.
    ///
    /// # Errors
    /// `Unavailable` while Redis does not answer; what Redis says.
    pub(crate) async fn sample_health(&self) -> Result<(RedisHealth, HealthSample), OpError> {
        let rate = (self.engine.is_at_work()).then(|| self.engine.events_per_min(self.now()));
        let mut desk = self.health.lock().await;
        let mut probe = match (desk.probe.take(), self.events()) {
            (_, Err(error)) => return Box::pin(self.health_of_the_rest(error)).await,
            (Some(probe), Ok(_)) => probe,
            (None, Ok(events)) => HealthProbe::new(events),
        };
        // Without a database it goes on by the lines that it has.
        if let Ok(policy) = health_watch::policy(&self.store).await {
            probe.judge_by(policy);
        }
        // A probe that failed is not put back: after a reconnection there is another server behind it.
        let (mut health, sample) = match probe.sample(rate).await {
            Ok(sampled) => sampled,
            Err(error) => return Box::pin(self.health_of_the_rest(error.into())).await,
        };
        desk.probe = Some(probe);
        if let Ok(events) = self.events() {
            self.nodes.keep(&events.cluster_nodes());
            Box::pin(desk.upheld.add_to(&mut health, &self.store, &events, self.now())).await;
        }
        if desk.last.as_ref().is_some_and(|last| last.node != health.node) {
            self.redis_answered(Some(&health.server)); // Another node is the master.
        }
        desk.last = Some(health.clone());
        Ok((health, sample))
    }

    /// Is the connection one that a cluster takes: are its keys in one slot?
    pub(crate) fn may_be_cluster(&self) -> bool {
        self.connection.redis.prefix.contains('{')
    }

    /// Of a cluster whose primary with our keys does not answer: what the other nodes tell. `error` elsewhere.
    async fn health_of_the_rest(&self, error: OpError) -> Result<(RedisHealth, HealthSample), OpError> {
        if !matches!(error.code, ErrorCode::Unavailable | ErrorCode::Timeout) {
            return Err(error);
        }
        let policy = health_watch::policy(&self.store).await.unwrap_or_default();
        watchpost_redis::health_of_the_rest(&self.redis_target, self.now(), &policy).await.ok_or(error)
    }

    /// The newest health answer if it is not older than `age`.
    pub(crate) async fn recent_health(&self, age: chrono::Duration) -> Option<RedisHealth> {
        self.last_health().await.filter(|health| self.now() - health.at <= age)
    }

    /// The newest health answer, however old it is.
    pub(crate) async fn last_health(&self) -> Option<RedisHealth> {
        self.health.lock().await.last.clone()
    }

    /// What is known beyond the events: location files, threat lists, assets.
    ///
    /// # Errors
    /// What the database says. Files that cannot be used are no error: they say so in the answer.
    pub(crate) async fn known(&self, freshness: Freshness) -> Result<Arc<Known>, OpError> {
        self.enrichment.lock().await.known(&self.store, self.now(), freshness).await
    }

    /// What takes secrets out of events before they are stored.
    pub(crate) async fn sealer(&self) -> Result<Arc<Sealer>, OpError> {
        self.sealing.sealer(&self.store, self.now()).await
    }

    /// What is heard of other consoles.
    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    fn slot(&self) -> std::sync::RwLockReadGuard<'_, RedisSlot> {
        self.redis.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of the private Redis, if the connection is that of it.
    pub(crate) fn private_redis(&self) -> Option<&Path> {
        (self.connection.redis.address == RedisAddress::Local).then_some(self.local_folder.as_path())
    }

    /// Stops sources, drains, flushes the store, closes. What does not end in time is dropped.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.jobs.cancel_all();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let drained = tokio::time::timeout(CLOSE_DEADLINE, async {
            while tasks.join_next().await.is_some() {}
            self.jobs.join().await;
        });
        if drained.await.is_err() {
            tracing::warn!("some tasks did not end within {CLOSE_DEADLINE:?} and were dropped");
        }
        // Whoever is left would keep a connection, and the store waits for all of them.
        drop(tasks);
        tracing::info!("the tasks of the workspace have ended");
        self.witness.closes();
        self.store.hurry();
        let watched = if self.store.signs() {
            self.keep_watch("close").await
        } else {
            self.witness.look(&self.store).await
        };
        if let Err(problem) = watched {
            if crate::error_map::is_read_only(&problem) {
                tracing::debug!(%problem, "what was written last was not looked at");
            } else {
                tracing::warn!(%problem, "what was written last was not looked at");
            }
        }
        self.store.close().await;
        tracing::info!("the database is closed");
        let local = self.local.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = local
            && let Err(problem) = server.stop().await
        {
            tracing::warn!(%problem, "the private Redis did not stop cleanly");
        }
        tracing::info!("the workspace is closed");
    }
}

/// Opens the database. One of an older schema is copied before it is changed, unless whoever starts this wants none.
async fn open_store(target: &DatabaseTarget, clock: Arc<dyn Clock>, paths: &Paths) -> Result<Store, OpError> {
    let wants_none = std::env::var_os("WATCHPOST_MIGRATE_WITHOUT_COPY").is_some_and(|value| value == "1");
    if wants_none {
        return Ok(Store::open_without_copy(target, clock).await?);
    }
    Ok(Store::open_keeping(target, clock, &paths.before_migration()).await?)
}
