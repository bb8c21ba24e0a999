//! Could the Sentinels agree on a failover? Each is asked by `SENTINEL CKQUORUM`.

use futures_util::future::join_all;
use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use watchpost_model::text::visible;

use super::Sentinel;
use super::Sentinels;
use super::cause;
use crate::error::RedisError;

/// What the Sentinels said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quorum {
    /// How many the connection names.
    pub(crate) asked: usize,
    /// How many find enough others.
    pub(crate) reached: usize,
    /// Who does not, and what they say.
    pub(crate) missed: Vec<String>,
    /// Who gave no answer, and why.
    pub(crate) silent: Vec<String>,
}

impl Sentinels {
    /// Asks all of them at once.
    pub(crate) async fn quorum(&self) -> Quorum {
        let mut cmd = redis::cmd("SENTINEL");
        cmd.arg("CKQUORUM").arg(&self.name);
        let answers = join_all(self.list.iter().map(|one| one.try_twice(&cmd))).await;
        let mut quorum = Quorum { asked: self.list.len(), ..Quorum::default() };
        for (one, answer) in self.list.iter().zip(answers) {
            match answer {
                Ok(_) => quorum.reached += 1,
                Err(RedisError::Server { code, detail }) if code == "NOQUORUM" => {
                    quorum.missed.push(format!("{}: {}", one.at, visible(&detail, 200)));
                }
                // It answers, and does not say.
                Err(RedisError::Server { .. } | RedisError::NoPermission(_)) => {}
                Err(error) => quorum.silent.push(format!("{}: {}", one.at, cause(&error))),
            }
        }
        quorum
    }
}

impl Sentinel {
    /// Again by a new connection where the one from before had broken.
    async fn try_twice(&self, cmd: &Cmd) -> Result<Value, RedisError> {
        let mut live = self.live.lock().await;
        let kept = live.is_some();
        let classify = |error| RedisError::classify(error, &self.at.to_string());
        let mut connection = self.connection(&mut live).await?;
        let mut answer: RedisResult<Value> = cmd.query_async(&mut connection).await;
        if answer.as_ref().is_err_and(|error| error.is_io_error() || error.is_unrecoverable_error()) && kept {
            connection = self.connection(&mut live).await?;
            answer = cmd.query_async(&mut connection).await;
        }
        if !answer.as_ref().is_err_and(|error| error.is_io_error() || error.is_unrecoverable_error()) {
            *live = Some(connection);
        }
        answer.map_err(classify)
    }
}
