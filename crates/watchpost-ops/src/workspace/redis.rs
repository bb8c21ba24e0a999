//! How the Redis of an open connection is reached, and what is known of whether it is.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use watchpost_model::connection::RedisAddress;
use watchpost_redis::local::LocalServer;
use watchpost_redis::{EventStore, RedisError};

use super::{HealthDesk, Workspace};
use crate::console::{Console, REDIS_WAIT};
use crate::contract::PartState;
use crate::error::{ErrorCode, OpError};

impl Workspace {
    /// Notes that Redis answered; `server` names it if that was asked.
    pub(crate) fn redis_answered(&self, server: Option<&str>) {
        let now = self.now();
        let mut slot = self.redis.write().unwrap_or_else(PoisonError::into_inner);
        slot.part.state = PartState::Connected;
        slot.part.last_ok = Some(now);
        if let Some(server) = server {
            let node = slot.events.as_ref().map(EventStore::node).unwrap_or_default();
            slot.part.detail = self.describe_redis(server, &node);
        }
    }

    /// Notes which server process answers; true if it is another one than before.
    pub(crate) fn redis_is(&self, run_id: String) -> bool {
        let mut slot = self.redis.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut slot.run_id, run_id);
        before != slot.run_id
    }

    /// Is it time to look whether Redis lost what applications are to enforce?
    pub(crate) fn is_restore_due(&self) -> bool {
        let slot = self.redis.read().unwrap_or_else(PoisonError::into_inner);
        slot.restore_from.is_some_and(|from| from <= self.now())
    }

    /// Sets from when it is to be looked at; `None` when that is done.
    pub(crate) fn restore_from(&self, from: Option<DateTime<Utc>>) {
        self.redis.write().unwrap_or_else(PoisonError::into_inner).restore_from = from;
    }

    /// Notes that Redis did not answer; operations that need it say so from now on.
    pub(crate) fn redis_lost(&self, reason: &str) {
        let mut slot = self.redis.write().unwrap_or_else(PoisonError::into_inner);
        slot.events = None;
        slot.is_loading = reason.ends_with(&RedisError::Loading.to_string());
        slot.part.state = PartState::Down;
        reason.clone_into(&mut slot.part.detail);
    }

    /// Tries Redis for the first time, and goes on without it after a while; the try itself goes on too. Where Redis keeps
    /// checkpoints it is waited for: nothing is signed before they are held against the log. Else a private server that
    /// loads its data does not take the processors from the first figures.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn try_redis_first(self: &Arc<Self>, console: &Console) -> Result<(), OpError> {
        let wait =
            if crate::witness::redis_is_place(self).await? { REDIS_WAIT } else { console.0.redis_wait };
        let (workspace, turn) = (self.clone(), self.reaching.clone().lock_owned().await);
        let console = console.clone();
        self.run(async move {
            let _turn = turn;
            let stop = workspace.stop_token();
            if workspace.private_redis().is_none() {
                stop.run_until_cancelled(workspace.try_redis_in_turn()).await;
                return;
            }
            if wait < REDIS_WAIT {
                stop.run_until_cancelled(console.first_figures()).await;
            }
            // Not cancelled: one that is about to be there must not be left behind; closing waits for it and stops it.
            if !stop.is_cancelled() {
                workspace.try_redis_in_turn().await;
            }
        });
        if wait == REDIS_WAIT || self.private_redis().is_none() {
            let _elapsed = tokio::time::timeout(wait, self.redis_tried()).await;
        }
        Ok(())
    }

    /// Returns when nobody is trying to reach Redis: at the start, when it was tried for the first time.
    pub(crate) async fn redis_tried(&self) {
        drop(self.reaching.lock().await);
    }

    /// Tries to reach Redis, unless somebody just did; starts the private server of the local workspace if it is not up.
    pub(crate) async fn try_redis(&self) {
        let _turn = self.reaching.lock().await;
        if self.events().is_err() {
            self.try_redis_in_turn().await;
        }
    }

    async fn try_redis_in_turn(&self) {
        match self.reach_redis().await {
            Ok(events) => {
                self.redis.write().unwrap_or_else(PoisonError::into_inner).events = Some(events);
                *self.health.lock().await = HealthDesk::default();
                match self.sample_health().await {
                    Ok((health, _)) => self.redis_answered(Some(&health.server)),
                    // A user without the right to INFO is connected all the same.
                    Err(error) if error.code == ErrorCode::Permission => self.redis_answered(Some("Redis")),
                    Err(error) => self.redis_lost(&error.message),
                }
            }
            Err(reason) => self.redis_lost(&reason),
        }
    }

    async fn reach_redis(&self) -> Result<EventStore, String> {
        let mut target = self.redis_target.clone();
        if self.connection.redis.address == RedisAddress::Local {
            // What is held is dead or does not answer: letting go of it gives back the lock that a new one needs.
            // One that only was slow is found again on its socket.
            drop(self.local.lock().unwrap_or_else(PoisonError::into_inner).take());
            let server = LocalServer::start(&self.local_folder).await.map_err(|error| error.to_string())?;
            target = server.target(&self.connection.redis.prefix);
            *self.local.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        }
        EventStore::connect(&target, self.clock.clone()).await.map_err(|error| error.to_string())
    }

    fn describe_redis(&self, server: &str, node: &str) -> String {
        match &self.connection.redis.address {
            RedisAddress::Local => format!("{server}, private"),
            RedisAddress::Tcp { host, port, tls } => {
                format!("{server} at {host}:{port}{}", if tls.is_some() { ", TLS" } else { "" })
            }
            RedisAddress::Unix { path } => format!("{server} at {path}"),
            RedisAddress::Cluster { tls, .. } | RedisAddress::Sentinel { tls, .. } => {
                format!("{server} at {node}{}", if tls.is_some() { ", TLS" } else { "" })
            }
        }
    }
}
