//! The addresses that Watchpost itself needs.

use std::net::IpAddr;

use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress};

/// Addresses that must never be blocked: those of this machine's interfaces and of the servers in use.
pub(crate) async fn own_addresses(connection: &Connection) -> Vec<IpAddr> {
    let mut found = interface_addresses();
    let mut hosts = Vec::new();
    match &connection.redis.address {
        RedisAddress::Local | RedisAddress::Unix { .. } => {}
        RedisAddress::Tcp { host, port, .. } => hosts.push((host.clone(), *port)),
        RedisAddress::Cluster { nodes, .. } => {
            hosts.extend(nodes.iter().map(|at| (at.host.clone(), at.port)));
        }
        RedisAddress::Sentinel { sentinels, .. } => {
            hosts.extend(sentinels.iter().map(|at| (at.host.clone(), at.port)));
        }
    }
    if let DatabaseConnection::Postgres { host, port, .. } = &connection.database
        && !host.starts_with('/')
    {
        hosts.push((host.clone(), *port));
    }
    for host in hosts {
        if let Ok(addresses) = tokio::net::lookup_host(host).await {
            found.extend(addresses.map(|address| address.ip()));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The addresses of this machine's interfaces, loopback excluded, as the kernel lists them.
fn interface_addresses() -> Vec<IpAddr> {
    let mut found = Vec::new();
    let routes = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let mut candidate = None;
    for line in routes.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            candidate = address.trim().parse::<std::net::Ipv4Addr>().ok();
        } else if line.contains("/32 host LOCAL") {
            found.extend(candidate.filter(|ip| !ip.is_loopback()).map(IpAddr::V4));
        }
    }
    let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    for line in table.lines() {
        let digits = line.split_whitespace().next().unwrap_or_default();
        if let Ok(bits) = u128::from_str_radix(digits, 16) {
            let ip = std::net::Ipv6Addr::from_bits(bits);
            if !ip.is_loopback() {
                found.push(IpAddr::V6(ip));
            }
        }
    }
    found
}
