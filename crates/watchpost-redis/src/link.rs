//! One connection for one purpose, that heals itself.
//!
//! The connection manager of the client library keeps the result of a failed reconnection for ever if that was not an
//! I/O error (a server that is still loading, a password changed meanwhile) and forgets the client's name. So a link
//! keeps one multiplexed connection, drops it when it breaks, and makes a named one with loaded scripts at the next call.
//! A command whose connection broke is reported, never repeated: whether it ran is not known. Where the connection goes
//! is the [`Route`]'s to say; one that leads to a server that is the master no more is dropped as if it had broken.
//!
//! Whoever asks a link may leave the question aside for a while, as a walk does that looks ahead, and ask something else
//! meanwhile. So a question holds nothing that another one waits for: the connection is made by a task of its own. A lock
//! that is awaited may have been given to a question that nobody goes on with, and then it is never given back.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::Cmd;
use redis::ErrorKind;
use redis::FromRedisValue;
use redis::Pipeline;
use redis::RedisResult;
use redis::ServerErrorKind;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;

use crate::error::RedisError;
use crate::observe;
use crate::route::Route;
use crate::route::Way;
use crate::scripts;
use crate::scripts::Lua;

/// Time to make a connection, login included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Commands or bytes after which a pipeline is cut.
pub(crate) const PIPELINE_COMMANDS: usize = 256;
pub(crate) const PIPELINE_BYTES: usize = 1 << 20;

struct Live {
    connection: MultiplexedConnection,
    generation: u64,
    turn: u64,
}

/// One named connection.
pub(crate) struct Link {
    line: Arc<Line>,
    /// Nothing that writes is sent.
    observe: bool,
}

/// What a link shares with the task that connects it.
struct Line {
    route: Arc<Route>,
    name: &'static str,
    response_timeout: Duration,
    // Never held over an await.
    live: Mutex<Option<Live>>,
    // Held while connecting, so that callers share one attempt; by tasks only, which always go on.
    connecting: tokio::sync::Mutex<()>,
    generation: AtomicU64,
}

/// One call of a script: its keys, then its arguments.
pub(crate) struct Call {
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) args: Vec<Vec<u8>>,
}

impl Call {
    pub(crate) fn new(keys: &[&str]) -> Self {
        Self { keys: keys.iter().map(|key| key.as_bytes().to_vec()).collect(), args: Vec::new() }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<[u8]>) -> Self {
        self.args.push(arg.as_ref().to_vec());
        self
    }

    /// The command that runs `script` with this.
    pub(crate) fn command(&self, script: &Lua) -> Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(script.hash()).arg(self.keys.len()).arg(&self.keys).arg(&self.args);
        cmd
    }
}

impl Link {
    pub(crate) fn new(route: Arc<Route>, name: &'static str, response_timeout: Duration) -> Self {
        let observe = route.observes();
        let line = Line {
            route,
            name,
            response_timeout,
            live: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            generation: AtomicU64::new(0),
        };
        Self { line: Arc::new(line), observe }
    }

    /// Refuses what writes, if the connection only looks.
    fn permit<'a>(&self, commands: impl IntoIterator<Item = &'a Cmd>) -> Result<(), RedisError> {
        if self.observe { commands.into_iter().try_for_each(observe::permit) } else { Ok(()) }
    }

    /// Counts the connections made so far; a change tells that server-side state (a `SCAN` cursor) may be gone.
    pub(crate) fn generation(&self) -> u64 {
        self.line.generation.load(Ordering::Relaxed)
    }

    /// Connects if that is needed.
    pub(crate) async fn ensure(&self) -> Result<(), RedisError> {
        self.connection().await.map(drop)
    }

    pub(crate) async fn query<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, RedisError> {
        self.permit([cmd])?;
        let (generation, mut connection) = self.connection().await?;
        let result: RedisResult<T> = cmd.query_async(&mut connection).await;
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.broken(error, generation)),
        }
    }

    /// Runs a pipeline; each command has its own result. The whole fails with the connection, or when an answer says
    /// that it leads to the wrong server: then some may have been done, as when it breaks.
    pub(crate) async fn pipe(&self, pipe: Pipeline) -> Result<Vec<RedisResult<Value>>, RedisError> {
        if pipe.is_empty() {
            return Ok(Vec::new());
        }
        let (generation, mut connection) = self.connection().await?;
        self.pipe_on(&mut connection, generation, pipe).await
    }

    /// Runs `look`, which watches keys, and then what `decide` makes of its answers, on the same connection: one that
    /// breaks in between is not made anew, for nothing is watched on another. Callers of a link take turns.
    pub(crate) async fn watched<T>(
        &self,
        look: Pipeline,
        decide: impl FnOnce(Vec<RedisResult<Value>>) -> Result<(T, Pipeline), RedisError>,
    ) -> Result<(T, Vec<RedisResult<Value>>), RedisError> {
        let (generation, mut connection) = self.connection().await?;
        let answers = self.pipe_on(&mut connection, generation, look).await?;
        let (decided, change) = decide(answers)?;
        Ok((decided, self.pipe_on(&mut connection, generation, change).await?))
    }

    async fn pipe_on(
        &self,
        connection: &mut MultiplexedConnection,
        generation: u64,
        mut pipe: Pipeline,
    ) -> Result<Vec<RedisResult<Value>>, RedisError> {
        self.permit(pipe.cmd_iter())?;
        pipe.ignore_errors();
        let result: RedisResult<Vec<RedisResult<Value>>> = pipe.query_async(connection).await;
        match result {
            Ok(values) => {
                let mut errors = values.iter().filter_map(|value| value.as_ref().err());
                match errors.find(|error| self.line.route.verdict(error) != Way::Right).cloned() {
                    Some(error) => Err(self.broken(error, generation)),
                    None => Ok(values),
                }
            }
            Err(error) => Err(self.broken(error, generation)),
        }
    }

    /// Runs a script once.
    pub(crate) async fn eval(&self, script: &Lua, call: Call) -> Result<Value, RedisError> {
        let mut results = self.eval_many(script, vec![call]).await?;
        match results.pop() {
            Some(result) => result,
            None => Err(RedisError::Answer { command: "EVALSHA" }),
        }
    }

    /// Runs a script for many keys in pipelines of bounded size; results in the order of `calls`.
    pub(crate) async fn eval_many(
        &self,
        script: &Lua,
        calls: Vec<Call>,
    ) -> Result<Vec<Result<Value, RedisError>>, RedisError> {
        let mut results = Vec::with_capacity(calls.len());
        let mut rest = calls.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(PIPELINE_COMMANDS).take_while(|call| {
                let before = bytes;
                bytes += call.args.iter().map(Vec::len).sum::<usize>();
                before == 0 || bytes <= PIPELINE_BYTES
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            rest = later;
            results.extend(self.eval_chunk(script, now).await?);
        }
        Ok(results)
    }

    async fn eval_chunk(
        &self,
        script: &Lua,
        calls: &[Call],
    ) -> Result<Vec<Result<Value, RedisError>>, RedisError> {
        let run = |calls: &mut dyn Iterator<Item = &Call>| {
            let mut pipe = redis::pipe();
            for call in calls {
                pipe.add_command(call.command(script));
            }
            pipe
        };
        let mut results = self.pipe(run(&mut calls.iter())).await?;
        let missing: Vec<usize> = (0..results.len()).filter(|&idx| is_noscript(&results[idx])).collect();
        if !missing.is_empty() {
            // Somebody ran SCRIPT FLUSH: these calls did nothing, so they may run again.
            self.load_scripts().await?;
            let again = self.pipe(run(&mut missing.iter().map(|&idx| &calls[idx]))).await?;
            for (idx, result) in missing.into_iter().zip(again) {
                results[idx] = result;
            }
        }
        Ok(results
            .into_iter()
            .map(|result| result.map_err(|error| self.line.route.classify(error)))
            .collect())
    }

    async fn load_scripts(&self) -> Result<(), RedisError> {
        let (generation, mut connection) = self.connection().await?;
        match load(&mut connection).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.broken(error, generation)),
        }
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        self.line.route.look();
        if let Some(live) = self.line.live() {
            return Ok(live);
        }
        // Goes when the caller does.
        let mut task = JoinSet::new();
        let line = self.line.clone();
        task.spawn(async move { line.connected().await });
        match task.join_next().await {
            Some(Ok(connected)) => connected,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends.
            Some(Err(_)) | None => Err(RedisError::Cancelled),
        }
    }

    fn broken(&self, error: redis::RedisError, generation: u64) -> RedisError {
        let is_wrong = self.line.route.verdict(&error) == Way::Wrong;
        if error.is_io_error() || error.is_unrecoverable_error() || is_wrong {
            self.line.drop_connection(&error, generation);
        }
        self.line.route.classify(error)
    }
}

impl Line {
    /// The connection of this turn, if there is one.
    fn live(&self) -> Option<(u64, MultiplexedConnection)> {
        let turn = self.route.turn();
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = live.as_ref().filter(|live| live.turn == turn)?;
        Some((live.generation, live.connection.clone()))
    }

    /// The connection, made if that is needed.
    async fn connected(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let _alone = self.connecting.lock().await;
        if let Some(live) = self.live() {
            return Ok(live); // Another one made it meanwhile.
        }
        self.put(None);
        // Rare, and large.
        let (connection, turn) = Box::pin(self.connect()).await?;
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        self.put(Some(Live { connection: connection.clone(), generation, turn }));
        tracing::debug!(name = self.name, node = self.route.node(), generation, "connected to Redis");
        Ok((generation, connection))
    }

    fn put(&self, live: Option<Live>) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(self.response_timeout));
        let (mut connection, turn) = self.route.connect(&config).await?;
        self.set_up(&mut connection).await.map_err(|error| self.route.classify(error))?;
        Ok((connection, turn))
    }

    async fn set_up(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let mut setup = redis::pipe();
        setup.cmd("CLIENT").arg("SETNAME").arg(self.name);
        setup.cmd("CLIENT").arg("NO-TOUCH").arg("ON");
        // Both are niceties: an ACL may forbid them, and a server before 7.2 lacks the second.
        let _: Vec<RedisResult<Value>> = setup.ignore_errors().query_async(connection).await?;
        load(connection).await
    }

    fn drop_connection(&self, error: &redis::RedisError, generation: u64) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.generation == generation) {
            *live = None;
            tracing::debug!(name = self.name, %error, "dropped the connection to Redis");
        }
    }
}

/// Loads every script; without the right to do so only the calls that need one will fail.
async fn load(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let mut pipe = redis::pipe();
    for script in scripts::all() {
        pipe.cmd("SCRIPT").arg("LOAD").arg(script.source());
    }
    let _: Vec<RedisResult<Value>> = pipe.ignore_errors().query_async(connection).await?;
    Ok(())
}

fn is_noscript(result: &RedisResult<Value>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}
