//! Which server the connections go to: always the same one, the master that Sentinels name, or the primary of a cluster
//! that serves the slot of the connection's keys.
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
use tokio::task::JoinSet;
use tokio::time::Instant;
use watchpost_model::connection::HostPort;
use watchpost_model::connection::TlsFiles;

use crate::cluster;
use crate::error::RedisError;
use crate::info::Info;
use crate::reply;
use crate::sentinel::Quorum;
use crate::sentinel::Sentinels;
use crate::target::Login;
use crate::target::RedisTarget;
use crate::target::SentinelAddress;
use crate::target::TargetAddress;

/// What an answer says of the way that a connection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing.
    Right,
    /// It leads to the right server, which cannot do it for now.
    Closed,
    /// It leads to a server that is not the master.
    Wrong,
}

/// How many nodes of a cluster may point to each other before that counts as being lost.
const HOPS: usize = 5;
/// How often the Sentinels are asked while everything works: a master that is cut off from them answers as before.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Route {
    target: RedisTarget,
    kind: Kind,
    known: Mutex<Known>,
    /// Questions in the background; one takes less than three seconds.
    looks: Mutex<JoinSet<()>>,
}

enum Kind {
    /// The server at the target's address; one of a cluster leads to the others.
    Direct(Client),
    Sentinel(Sentinels, SentinelAddress),
}

#[derive(Default)]
struct Known {
    /// The master as of the last connection, where it had to be asked for.
    node: Option<HostPort>,
    /// Of a cluster: the slot of our keys, and who else may be asked.
    slot: Option<u16>,
    others: Vec<HostPort>,
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
                Kind::Direct(target.client(Login::Yes).await?)
            }
        };
        Ok(Arc::new(Self { target: target.clone(), kind, known: Mutex::default(), looks: Mutex::default() }))
    }

    /// Counts the servers that were the master; a connection of an earlier turn is to be let go.
    pub(crate) fn turn(&self) -> u64 {
        self.known().turn
    }

    /// Where the connections go, for people.
    pub(crate) fn node(&self) -> String {
        let known = self.known();
        match (&self.kind, &known.node, known.slot) {
            (Kind::Sentinel(_, set), Some(node), _) => {
                format!("{node}, master of {} by Sentinel", set.master)
            }
            (Kind::Direct(_), Some(node), Some(slot)) => {
                format!("{node}, primary of slot {slot} of a cluster")
            }
            _ => self.target.address.to_string(),
        }
    }

    /// Does the connection only look?
    pub(crate) fn observes(&self) -> bool {
        self.target.observe
    }

    /// Is the server one of a cluster?
    pub(crate) fn is_cluster(&self) -> bool {
        self.known().slot.is_some()
    }

    /// The server itself, where it had to be asked for.
    pub(crate) fn master(&self) -> Option<HostPort> {
        self.known().node.clone()
    }

    /// The nodes of the cluster, as of the last connection; none of a server that is in no cluster.
    pub(crate) fn nodes(&self) -> Vec<HostPort> {
        let known = self.known();
        if known.slot.is_none() {
            return Vec::new();
        }
        known.node.iter().chain(&known.others).cloned().collect()
    }

    /// Who may be asked about the cluster, if the server is one of a cluster.
    pub(crate) fn seeds(&self) -> Vec<HostPort> {
        let TargetAddress::Tcp { host, port, .. } = &self.target.address else { return Vec::new() };
        let first = HostPort { host: host.clone(), port: *port };
        std::iter::once(first).chain(self.target.also.iter().cloned()).collect()
    }

    /// Sorts an error; one that says that this is not the master (any more) mends itself where somebody can be asked.
    pub(crate) fn classify(&self, error: redis::RedisError) -> RedisError {
        let error = RedisError::classify(error, &self.node());
        let (node, slot) = (self.master().map(|at| at.to_string()).unwrap_or_default(), self.known().slot);
        let (set, reason) = match (&self.kind, slot, &error) {
            (Kind::Sentinel(_, set), _, RedisError::ReadOnly) => {
                (set.master.clone(), format!("{node} has become a replica"))
            }
            (Kind::Sentinel(_, set), _, RedisError::Server { code, .. })
                if code == "NOREPLICAS" || code == "MASTERDOWN" =>
            {
                (set.master.clone(), format!("{node} refuses for now ({code})"))
            }
            (Kind::Direct(_), Some(slot), RedisError::Server { code, detail }) => {
                let reason = match code.as_str() {
                    "MOVED" => format!("it was moved away from {node}"),
                    "ASK" | "TRYAGAIN" => format!("it is being moved away from {node}"),
                    "CLUSTERDOWN" => format!("the cluster is down ({detail})"),
                    _ => return error,
                };
                (format!("slot {slot}"), reason)
            }
            _ => return error,
        };
        RedisError::NoMaster { set, reason }
    }

    /// What an answer says of the way that the connection takes.
    pub(crate) fn verdict(&self, error: &redis::RedisError) -> Way {
        let slot = self.known().slot;
        let of_ours = || error.redirect_node().is_some_and(|(_, of)| Some(of) == slot);
        match (&self.kind, RedisError::classify(error.clone(), "")) {
            (Kind::Sentinel(..), RedisError::ReadOnly) => Way::Wrong,
            (Kind::Direct(_), RedisError::Server { code, .. }) if slot.is_some() => match code.as_str() {
                "MOVED" if of_ours() => Way::Wrong,
                "CLUSTERDOWN" => Way::Wrong,
                "ASK" if of_ours() => Way::Closed,
                "TRYAGAIN" => Way::Closed,
                _ => Way::Right,
            },
            _ => Way::Right,
        }
    }

    /// A client for the server that connections go to now.
    pub(crate) async fn client(&self) -> Result<Client, RedisError> {
        match &self.kind {
            Kind::Direct(client) => match self.master() {
                Some(at) => self.client_of(&at).await,
                None => Ok(client.clone()),
            },
            Kind::Sentinel(sentinels, set) => {
                let (named, _) = self.ask(sentinels, set).await?;
                self.target.with_server(&named, set.tls.clone()).client(Login::Yes).await
            }
        }
    }

    /// The server that connections go to now, for one that the client library does not make.
    pub(crate) async fn server(&self) -> Result<RedisTarget, RedisError> {
        match &self.kind {
            Kind::Direct(_) => Ok(self.target.clone()),
            Kind::Sentinel(sentinels, set) => {
                let (named, _) = self.ask(sentinels, set).await?;
                Ok(self.target.with_server(&named, set.tls.clone()))
            }
        }
    }

    /// A client for one node of the same cluster.
    pub(crate) async fn client_of(&self, at: &HostPort) -> Result<Client, RedisError> {
        self.target.with_server(at, self.tls()).client(Login::Yes).await
    }

    /// Makes a connection; tells in which turn.
    pub(crate) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, u64), RedisError> {
        let (sentinels, set) = match &self.kind {
            Kind::Direct(client) => return self.connect_direct(client, config).await,
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

    /// To the target's server; of a cluster to the primary of the slot, by any node that can be reached.
    async fn connect_direct(
        &self,
        configured: &Client,
        config: &AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, u64), RedisError> {
        let nodes = {
            let known = self.known();
            known.node.iter().chain(&known.others).cloned().collect::<Vec<_>>()
        };
        let mut failed = None;
        let begins = nodes.into_iter().map(Some).chain([None]).map(|begin| (begin, false));
        let hints = self.target.also.iter().map(|at| (Some(at.clone()), true));
        for (begin, is_hint) in begins.chain(hints) {
            match self.join(begin, configured, config).await {
                Ok(joined) => return Ok(joined),
                // A node of old may be another server by now: what it says is not what is wrong with this one.
                Err(error) if is_hint || error.is_transient() => {
                    failed = Some(match failed {
                        // That the slot's own primary is away says more than that another node is.
                        Some(before) if is_of_slot(&before) || !is_of_slot(&error) => before,
                        _ => error,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        // The configured server was tried, so there is an error.
        Err(failed.unwrap_or(RedisError::Answer { command: "CLUSTER SLOTS" }))
    }

    /// Begins at one node and goes where its cluster points, if it is in one.
    async fn join(
        &self,
        begin: Option<HostPort>,
        configured: &Client,
        config: &AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, u64), RedisError> {
        let mut at = begin;
        let mut pointed = None;
        for _ in 0..HOPS {
            let (client, address) = match &at {
                None => (configured.clone(), self.target.address.to_string()),
                Some(at) => (self.client_of(at).await?, at.to_string()),
            };
            let opened = client.get_multiplexed_async_connection_with_config(config).await;
            let classify = |error| RedisError::classify(error, &address);
            let mut connection = opened.map_err(|error| unreached(classify(error), &address, pointed))?;
            let host = match (&at, &self.target.address) {
                (Some(at), _) => at.host.as_str(),
                (None, TargetAddress::Tcp { host, .. }) => host.as_str(),
                (None, TargetAddress::Unix(_) | TargetAddress::Sentinel(_)) => "127.0.0.1",
            };
            let Some(view) = cluster::ask(&mut connection, host).await? else {
                if at.is_some() {
                    let reason = format!("{address} is in no cluster, or the user may not ask it");
                    return Err(RedisError::NoMaster { set: "the cluster".to_owned(), reason });
                }
                return Ok((connection, self.known().turn));
            };
            let slot = cluster::slot_of_prefix(&self.target.prefix);
            let slot = slot.ok_or_else(|| RedisError::ManySlots(self.target.prefix.clone()))?;
            let set = || format!("slot {slot}");
            let Some(owner) = view.primaries.iter().find(|primary| primary.serves(slot)) else {
                let reason = format!("no node serves it, says {address}");
                return Err(RedisError::NoMaster { set: set(), reason });
            };
            if owner.id != view.me {
                (at, pointed) = (Some(owner.at.clone()), Some(slot));
                continue;
            }
            let mut known = self.known();
            known.slot = Some(slot);
            let all =
                view.primaries.iter().flat_map(|primary| [&primary.at].into_iter().chain(&primary.replicas));
            known.others = all.filter(|at| **at != owner.at).cloned().collect();
            known.is_now(owner.at.clone(), &set());
            return Ok((connection, known.turn));
        }
        let reason = "the nodes of the cluster do not agree on who serves it".to_owned();
        Err(RedisError::NoMaster { set: "the slot".to_owned(), reason })
    }

    /// What the Sentinels say of a failover; nothing where there are none.
    pub(crate) async fn quorum(&self) -> Option<Quorum> {
        match &self.kind {
            Kind::Direct(_) => None,
            Kind::Sentinel(sentinels, _) => Some(sentinels.quorum().await),
        }
    }

    fn tls(&self) -> Option<TlsFiles> {
        match &self.target.address {
            TargetAddress::Unix(_) => None,
            TargetAddress::Tcp { tls, .. } | TargetAddress::Sentinel(SentinelAddress { tls, .. }) => {
                tls.clone()
            }
        }
    }

    /// Asks the Sentinels in the background whether the master is still the same one, now and then. When it is not,
    /// connections are made anew.
    pub(crate) fn look(self: &Arc<Self>) {
        let Kind::Sentinel(..) = self.kind else { return };
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        while looks.try_join_next().is_some() {} // What they learned is in `known`.
        let mut known = self.known();
        if known.node.is_none() || known.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        known.looked = Some(Instant::now());
        drop(known);
        let route = self.clone();
        looks.spawn(async move {
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

/// What is wrong when a node cannot be reached: where others point to it for `slot`, that is without its primary.
fn unreached(error: RedisError, address: &str, slot: Option<u16>) -> RedisError {
    let is_silent =
        matches!(error, RedisError::Refused { .. } | RedisError::TimedOut(_) | RedisError::ConnectionLost(_));
    let Some(slot) = slot.filter(|_| is_silent) else { return error };
    tracing::debug!(%error, address, slot, "the primary of the slot does not answer");
    let reason = format!("its primary {address} does not answer");
    RedisError::NoMaster { set: format!("slot {slot}"), reason }
}

/// Is it about the slot of the connection's keys?
fn is_of_slot(error: &RedisError) -> bool {
    matches!(error, RedisError::NoMaster { set, .. } if set.starts_with("slot "))
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
