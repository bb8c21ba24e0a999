//! Keyspace notifications as a hint that a bare hash has arrived, where the server sends them.
//!
//! A hint only shortens the wait: notifications are not queued and get lost, so the passes of
//! [`EventStore::adopt_bare`] stay the ground truth. The server's configuration is never changed for this.

use std::collections::HashMap;

use futures_util::StreamExt;
use redis::aio::PubSubStream;
use tokio::time::timeout;

use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::known::KnownKeys;
use crate::link::CONNECT_TIMEOUT;
use crate::queue::Adopted;
use crate::store::EventStore;

/// A subscription to changes of event hashes.
pub struct KeyHints {
    store: EventStore,
    messages: PubSubStream,
}

impl KeyHints {
    /// Waits for the next key that may be a new bare hash, for [`EventStore::adopt_keys`]; `None` when the connection
    /// ended (subscribe again). May be dropped while it waits.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let message = self.messages.next().await?;
            if message.get_payload_bytes() != b"hset" {
                continue;
            }
            let Some((_, key)) = message.get_channel_name().split_once("__:") else { continue };
            if matches!(self.store.inner.keys.classify(key), KeyKind::Event(_) | KeyKind::Malformed(_)) {
                return Some(key.to_owned());
            }
        }
    }
}

impl EventStore {
    /// Subscribes to keyspace notifications, if the server sends them (`notify-keyspace-events` with `K` and `h`) and
    /// lets itself be asked; `None` otherwise.
    ///
    /// # Errors
    /// Every cause of [`RedisError`] but `NoPermission`.
    pub async fn key_hints(&self) -> Result<Option<KeyHints>, RedisError> {
        if self.observes() {
            return Ok(None); // It needs neither the configuration nor a channel.
        }
        let mut cmd = redis::cmd("CONFIG");
        cmd.arg("GET").arg("notify-keyspace-events");
        let flags: HashMap<String, String> = match self.inner.main.query(&cmd).await {
            Ok(flags) => flags,
            Err(RedisError::NoPermission(_) | RedisError::Server { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let flags = flags.into_values().next().unwrap_or_default();
        if !flags.contains('K') || !flags.contains(['h', 'A']) {
            return Ok(None);
        }
        let client = Box::pin(self.inner.route.client()).await?;
        let subscribe = async {
            let mut subscription = client.get_async_pubsub().await?;
            let database = self.inner.target.database;
            subscription
                .psubscribe(format!("__keyspace@{database}__:{}", self.inner.keys.pattern("")))
                .await?;
            Ok(subscription.into_on_message())
        };
        match timeout(CONNECT_TIMEOUT, subscribe).await {
            Ok(Ok(messages)) => Ok(Some(KeyHints { store: self.clone(), messages })),
            Ok(Err(error)) => match self.classify(error) {
                RedisError::NoPermission(_) => Ok(None),
                error => Err(error),
            },
            Err(_) => Ok(None), // As if the server sent none: the passes find everything.
        }
    }

    /// Puts the bare hashes among `keys` on the stream, as [`Self::adopt_bare`] does.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn adopt_keys(&self, keys: &[String]) -> Result<Adopted, RedisError> {
        let names: Vec<Vec<u8>> = keys.iter().map(|key| key.clone().into_bytes()).collect();
        let mut found = Adopted { scanned: keys.len() as u64, ..Adopted::default() };
        self.adopt_names(&names, &mut KnownKeys::default(), &mut found).await?;
        Ok(found)
    }
}
