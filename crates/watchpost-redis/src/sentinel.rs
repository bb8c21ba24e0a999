//! Asking Sentinels which server is the master.
//!
//! All of them are asked at once, and the answer of the newest configuration counts: one that was cut off from the others
//! still names the master of before.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::AsyncConnectionConfig;
use redis::Client;
use redis::RedisResult;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio::time::timeout_at;
use watchpost_model::connection::HostPort;

use crate::error::RedisError;
use crate::reply;
use crate::target::Login;
use crate::target::RedisTarget;
use crate::target::SentinelAddress;

mod quorum;

pub(crate) use quorum::Quorum;

/// How long one Sentinel may take, and how long the others are waited for when one has answered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_millis(300);

/// A master as Sentinels name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) at: HostPort,
    /// Of the configuration; a later one has a higher number. 0 where the Sentinel does not say.
    pub(crate) epoch: u64,
    /// How many name it.
    pub(crate) votes: usize,
}

/// What the Sentinels said.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The newest configuration first.
    pub(crate) named: Vec<Named>,
    /// How many know no such set.
    pub(crate) unknown: usize,
    /// Who gave no answer, and why.
    pub(crate) failed: Vec<(HostPort, RedisError)>,
}

struct Sentinel {
    at: HostPort,
    client: Client,
    // Held while asking, so that callers share one connection; an async lock on purpose.
    live: Mutex<Option<MultiplexedConnection>>,
}

pub(crate) struct Sentinels {
    name: String,
    list: Vec<Sentinel>,
}

impl Sentinels {
    pub(crate) async fn of(set: &SentinelAddress) -> Result<Self, RedisError> {
        let login = RedisTarget {
            username: set.username.clone(),
            password: set.password.clone(),
            ..RedisTarget::unix("", "")
        };
        let mut list = Vec::with_capacity(set.sentinels.len());
        for at in &set.sentinels {
            let client = login.with_server(at, set.tls.clone()).client(Login::Yes).await?;
            list.push(Sentinel { at: at.clone(), client, live: Mutex::default() });
        }
        Ok(Self { name: set.master.clone(), list })
    }

    /// Asks all of them; those that are slower than the first by more than a moment count as silent.
    pub(crate) async fn ask(&self) -> Answers {
        let mut asked: FuturesUnordered<_> =
            self.list.iter().map(|one| async { (&one.at, one.ask(&self.name).await) }).collect();
        let mut answers = Answers::default();
        let mut deadline = Instant::now() + 2 * ANSWER_TIMEOUT;
        while let Ok(Some((at, answer))) = timeout_at(deadline, asked.next()).await {
            match answer {
                Ok(Some((at, epoch))) => {
                    match answers.named.iter_mut().find(|named| named.at == at) {
                        Some(named) => {
                            named.votes += 1;
                            named.epoch = named.epoch.max(epoch);
                        }
                        None => answers.named.push(Named { at, epoch, votes: 1 }),
                    }
                    deadline = deadline.min(Instant::now() + GRACE);
                }
                Ok(None) => answers.unknown += 1,
                Err(error) => answers.failed.push((at.clone(), error)),
            }
        }
        answers.named.sort_by_key(|named| std::cmp::Reverse((named.epoch, named.votes)));
        answers
    }

    /// The reason why nobody named a master.
    pub(crate) fn nobody(&self, answers: &Answers) -> RedisError {
        let refused = |error: &RedisError| {
            matches!(
                error,
                RedisError::WrongPassword | RedisError::PasswordRequired | RedisError::NoPermission(_)
            )
        };
        let told: Vec<String> =
            answers.failed.iter().map(|(at, error)| format!("{at}: {}", cause(error))).collect();
        let told = told.join("; ");
        if answers.failed.iter().any(|(_, error)| refused(error)) {
            return RedisError::Sentinel(told);
        }
        if answers.unknown > 0 {
            return RedisError::Sentinel(format!("they know no master called {:?}", self.name));
        }
        let reason = if told.is_empty() { "no Sentinel answers in time".to_owned() } else { told };
        RedisError::NoMaster { set: self.name.clone(), reason }
    }
}

/// An error with what the system said, where its own words do not.
pub(crate) fn cause(error: &RedisError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error} ({source})"),
        None => error.to_string(),
    }
}

impl Sentinel {
    /// The one from before, or a new one. Taken out: who uses it puts it back if it did not break.
    async fn connection(
        &self,
        live: &mut Option<MultiplexedConnection>,
    ) -> Result<MultiplexedConnection, RedisError> {
        if let Some(connection) = live.take() {
            return Ok(connection);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let opened = self.client.get_multiplexed_async_connection_with_config(&config).await;
        opened.map_err(|error| RedisError::classify(error, &self.at.to_string()))
    }

    /// Address and epoch of the master; `None` if it knows no such set.
    async fn ask(&self, name: &str) -> Result<Option<(HostPort, u64)>, RedisError> {
        let mut live = self.live.lock().await;
        let kept = live.is_some();
        let mut result = self.ask_on(&mut live, name).await;
        if kept && live.is_none() {
            // The one from before had broken meanwhile.
            result = self.ask_on(&mut live, name).await;
        }
        result
    }

    async fn ask_on(
        &self,
        live: &mut Option<MultiplexedConnection>,
        name: &str,
    ) -> Result<Option<(HostPort, u64)>, RedisError> {
        let classify = |error| RedisError::classify(error, &self.at.to_string());
        let mut connection = self.connection(live).await?;
        let mut pipe = redis::pipe();
        pipe.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        pipe.cmd("SENTINEL").arg("MASTER").arg(name);
        pipe.ignore_errors();
        let replies: RedisResult<Vec<RedisResult<Value>>> = pipe.query_async(&mut connection).await;
        let mut replies = replies.map_err(classify)?.into_iter();
        *live = Some(connection);
        let address = replies.next().unwrap_or(Ok(Value::Nil)).map_err(classify)?;
        if address == Value::Nil {
            return Ok(None);
        }
        let mut parts = reply::list(address).into_iter().filter_map(reply::text);
        let at = match (parts.next(), parts.next().and_then(|port| port.parse().ok())) {
            (Some(host), Some(port)) => HostPort { host, port },
            _ => return Err(RedisError::Answer { command: "SENTINEL GET-MASTER-ADDR-BY-NAME" }),
        };
        // Without the right to it one answer is as good as another.
        let facts = reply::list(replies.next().and_then(Result::ok).unwrap_or(Value::Nil));
        let epoch = reply::field(&facts, "config-epoch").as_ref().and_then(reply::count).unwrap_or(0);
        Ok(Some((at, epoch)))
    }
}
