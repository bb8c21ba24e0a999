//! Which server the connections go to: always the same one, or the master that Sentinels name.
//!
//! Shared by the links of a store. When one of them learns that another server is the master now, the others let go of
//! their connections, too; so a link never works on the old one while its neighbour works on the new one.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::Client;
use redis::RedisResult;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;
use watchpost_model::connection::HostPort;

use crate::error::RedisError;
use crate::info::Info;
use crate::reply;
use crate::sentinel::Sentinels;
use crate::target::Login;
use crate::target::RedisTarget;
use crate::target::SentinelAddress;
use crate::target::TargetAddress;

/// How often the Sentinels are asked while everything works: a master that is cut off from them answers as before.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Route {
    target: RedisTarget,
    kind: Kind,
    known: Mutex<Known>,
}

enum Kind {
    Fixed(Client),
    Sentinel(Sentinels, SentinelAddress),
}

#[derive(Default)]
struct Known {
    /// The master as of the last connection.
    node: Option<HostPort>,
    /// One more whenever another server is the master; connections of before are let go.
    turn: u64,
    /// Epoch of the newest configuration that a Sentinel told; older ones are hearsay.
    epoch: u64,
    looked: Option<Instant>,
}

impl Known {
    fn is_now(&mut self, at: HostPort, master: &str) {
        if self.node.as_ref() == Some(&at) {
            return;
        }
        if let Some(before) = &self.node {
            tracing::warn!(%before, now = %at, master, "another server is the master");
            self.turn += 1;
        }
        self.node = Some(at);
    }
}

impl Route {
    /// Connects nowhere yet.
    pub(crate) async fn of(target: &RedisTarget) -> Result<Arc<Self>, RedisError> {
        let kind = match &target.address {
            TargetAddress::Sentinel(set) => Kind::Sentinel(Sentinels::of(set).await?, set.clone()),
            TargetAddress::Unix(_) | TargetAddress::Tcp { .. } => {
                Kind::Fixed(target.client(Login::Yes).await?)
            }
        };
        Ok(Arc::new(Self { target: target.clone(), kind, known: Mutex::default() }))
    }

    /// Counts the servers that were the master; a connection of an earlier turn is to be let go.
    pub(crate) fn turn(&self) -> u64 {
        self.known().turn
    }

    /// Where the connections go, for people.
    pub(crate) fn node(&self) -> String {
        match (&self.kind, &self.known().node) {
            (Kind::Sentinel(_, set), Some(node)) => format!("{node}, master of {} by Sentinel", set.master),
            _ => self.target.address.to_string(),
        }
    }

    /// Sorts an error; one that says that this is not the master (any more) mends itself where there are Sentinels.
    pub(crate) fn classify(&self, error: redis::RedisError) -> RedisError {
        let error = RedisError::classify(error, &self.node());
        let Kind::Sentinel(_, set) = &self.kind else { return error };
        let reason = match &error {
            RedisError::ReadOnly => "has become a replica".to_owned(),
            RedisError::Server { code, .. } if code == "NOREPLICAS" || code == "MASTERDOWN" => {
                format!("refuses for now ({code})")
            }
            _ => return error,
        };
        let node = self.known().node.as_ref().map(ToString::to_string).unwrap_or_default();
        RedisError::NoMaster { set: set.master.clone(), reason: format!("{node} {reason}") }
    }

    /// Does the error say that the connection leads to a server that is no master?
    pub(crate) fn leads_astray(&self, error: &redis::RedisError) -> bool {
        matches!(self.kind, Kind::Sentinel(..))
            && matches!(RedisError::classify(error.clone(), ""), RedisError::ReadOnly)
    }

    /// A client for the server that connections go to now.
    pub(crate) async fn client(&self) -> Result<Client, RedisError> {
        match &self.kind {
            Kind::Fixed(client) => Ok(client.clone()),
            Kind::Sentinel(sentinels, set) => {
                let (named, _) = self.ask(sentinels, set).await?;
                self.target.with_server(&named, set.tls.clone()).client(Login::Yes).await
            }
        }
    }

    /// Makes a connection; tells in which turn.
    pub(crate) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, u64), RedisError> {
        let (sentinels, set) = match &self.kind {
            Kind::Fixed(client) => {
                let opened = client.get_multiplexed_async_connection_with_config(config).await;
                return Ok((opened.map_err(|error| self.classify(error))?, 0));
            }
            Kind::Sentinel(sentinels, set) => (sentinels, set),
        };
        let (at, epoch) = self.ask(sentinels, set).await?;
        let client = self.target.with_server(&at, set.tls.clone()).client(Login::Yes).await?;
        let classify = |error| RedisError::classify(error, &at.to_string());
        let opened = client.get_multiplexed_async_connection_with_config(config).await;
        let mut connection = opened.map_err(classify)?;
        if let Some(role) = role(&mut connection).await.map_err(classify)?
            && role != "master"
        {
            let reason = format!("the Sentinels name {at}, which is a {role} (a failover is under way)");
            return Err(RedisError::NoMaster { set: set.master.clone(), reason });
        }
        let mut known = self.known();
        if known.epoch > epoch && known.node.as_ref() != Some(&at) {
            let reason = format!("{at} was the master when the connection was begun");
            return Err(RedisError::NoMaster { set: set.master.clone(), reason });
        }
        known.is_now(at, &set.master);
        Ok((connection, known.turn))
    }

    /// Asks the Sentinels in the background whether the master is still the same one, now and then. When it is not,
    /// connections are made anew.
    pub(crate) fn look(self: &Arc<Self>) {
        let Kind::Sentinel(..) = self.kind else { return };
        let mut known = self.known();
        if known.node.is_none() || known.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        known.looked = Some(Instant::now());
        drop(known);
        let route = self.clone();
        tokio::spawn(async move {
            let Kind::Sentinel(sentinels, set) = &route.kind else { return };
            if let Ok((at, _)) = route.ask(sentinels, set).await {
                route.known().is_now(at, &set.master);
            }
        });
    }

    /// The master by the newest configuration, and the epoch of that.
    async fn ask(&self, sentinels: &Sentinels, set: &SentinelAddress) -> Result<(HostPort, u64), RedisError> {
        let answers = sentinels.ask().await;
        let Some(newest) = answers.named.first() else { return Err(sentinels.nobody(&answers)) };
        let mut known = self.known();
        known.looked = Some(Instant::now());
        if newest.epoch < known.epoch {
            let reason = "the Sentinels that answer know an older state only".to_owned();
            return Err(RedisError::NoMaster { set: set.master.clone(), reason });
        }
        known.epoch = newest.epoch;
        Ok((newest.at.clone(), newest.epoch))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server says that it is; nothing where the user may not ask.
async fn role(connection: &mut MultiplexedConnection) -> RedisResult<Option<String>> {
    let denied = |error: &redis::RedisError| error.code() == Some("NOPERM");
    let answer: RedisResult<Value> = redis::cmd("ROLE").query_async(connection).await;
    match answer {
        Ok(answer) => return Ok(reply::list(answer).into_iter().next().and_then(reply::text).map(word)),
        Err(error) if denied(&error) => {}
        Err(error) => return Err(error),
    }
    let mut info = redis::cmd("INFO");
    let answer: RedisResult<String> = info.arg("replication").query_async(connection).await;
    match answer {
        Ok(text) => Ok(Info::parse(&text).text("role").map(|role| word(role.to_owned()))),
        Err(error) if denied(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn word(role: String) -> String {
    if role == "slave" { "replica".to_owned() } else { role }
}
