//! What a server of a cluster says about the connection's keys.

use redis::aio::MultiplexedConnection;
use tokio::net::TcpStream;
use tokio::time::timeout;
use watchpost_model::connection::HostPort;

use super::STEP_TIMEOUT;
use super::Trial;
use crate::cluster;
use crate::target::RedisTarget;
use crate::target::TargetAddress;

/// Of several nodes that were given, the first that can be reached, if that is another one than the first.
pub(super) async fn reached(target: &RedisTarget) -> Option<HostPort> {
    let TargetAddress::Tcp { host, port, .. } = &target.address else { return None };
    if target.also.is_empty() || is_reached(host, *port).await {
        return None;
    }
    for at in &target.also {
        if is_reached(&at.host, at.port).await {
            return Some(at.clone());
        }
    }
    None
}

async fn is_reached(host: &str, port: u16) -> bool {
    matches!(timeout(STEP_TIMEOUT, TcpStream::connect((host, port))).await, Ok(Ok(_)))
}

impl Trial<'_> {
    /// Of a cluster: are all keys in one slot, and who serves it?
    pub(super) async fn cluster(&mut self, connection: &mut MultiplexedConnection, shown: String) {
        let prefix = &self.target.prefix;
        let Some(slot) = cluster::slot_of_prefix(prefix) else {
            let detail =
                format!("{shown}, cluster mode: the keys of the prefix {prefix} lie on several nodes");
            self.fail(
                detail,
                "An event, its index and the stream have to be in one slot: give the connection and the applications a \
                 prefix with a hash tag, such as {security}:",
            );
            return;
        };
        let host = match &self.target.address {
            TargetAddress::Tcp { host, .. } => host.as_str(),
            TargetAddress::Unix(_) | TargetAddress::Sentinel(_) => "127.0.0.1",
        };
        match cluster::ask(connection, host).await {
            Ok(Some(view)) => match view.primaries.iter().find(|primary| primary.serves(slot)) {
                Some(primary) => {
                    let n = view.primaries.len();
                    let at = &primary.at;
                    self.ok(format!("{shown}; a cluster of {n} primaries, slot {slot} is served by {at}"));
                }
                None => self.fail(
                    format!("{shown}, cluster mode: no node serves slot {slot}"),
                    "Mend the cluster first: `redis-cli --cluster check` tells what it lacks.",
                ),
            },
            Ok(None) => self.fail(
                format!("{shown}, cluster mode, and the user may not ask which node serves what"),
                "Grant it on each node: ACL SETUSER ... +cluster|slots +cluster|myid",
            ),
            Err(error) => self.fail(error.to_string(), "The connection broke while it was asked; try again."),
        }
    }
}
