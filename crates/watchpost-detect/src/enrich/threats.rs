//! Matching events against threat lists, in memory.
//!
//! Addresses are kept as sorted numbers by length of prefix: a look-up masks the address once for each length that occurs
//! and searches, so a million addresses take four megabytes and a look-up well under a microsecond a list. Domains are
//! a set that is asked for each parent; user agents are one automaton.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aho_corasick::AhoCorasick;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use watchpost_model::event::Event;
use watchpost_model::threat::{ThreatEntry, ThreatKind, ThreatMatch};

/// Longest user agent that is compared, in bytes.
const AGENT_BYTES_MAX: usize = 2_048;

/// All threat lists of a workspace.
#[derive(Debug, Default)]
pub struct ThreatIndex {
    lists: Vec<List>,
    agents: Option<AhoCorasick>,
    /// The list of each pattern of `agents`.
    agent_lists: Vec<usize>,
    next_expiry: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct List {
    name: String,
    confidence: u8,
    /// By length of prefix, longest first; networks sorted.
    v4: Vec<(u8, Vec<u32>)>,
    v6: Vec<(u8, Vec<u128>)>,
    domains: HashSet<Box<str>>,
}

/// Collects lists one after the other, so that no two of them have to be in memory as entries.
#[derive(Debug)]
pub struct ThreatIndexBuilder {
    now: DateTime<Utc>,
    lists: Vec<List>,
    agents: Vec<(String, usize)>,
    next_expiry: Option<DateTime<Utc>>,
}

impl ThreatIndexBuilder {
    /// Nothing yet. Entries that are no longer valid at `now` are left out.
    #[must_use]
    pub const fn new(now: DateTime<Utc>) -> Self {
        Self { now, lists: Vec::new(), agents: Vec::new(), next_expiry: None }
    }

    /// Adds a list.
    #[must_use]
    pub fn list(
        mut self,
        name: &str,
        confidence: u8,
        entries: impl IntoIterator<Item = ThreatEntry>,
    ) -> Self {
        let number = self.lists.len();
        let mut v4: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
        let mut v6: BTreeMap<u8, Vec<u128>> = BTreeMap::new();
        let mut domains = HashSet::new();
        for entry in entries {
            if entry.until.is_some_and(|until| until <= self.now) {
                continue;
            }
            self.next_expiry = [self.next_expiry, entry.until].into_iter().flatten().min();
            match entry.kind {
                ThreatKind::Ip => match network(&entry.value) {
                    Some(IpNet::V4(net)) => {
                        v4.entry(net.prefix_len()).or_default().push(net.network().to_bits());
                    }
                    Some(IpNet::V6(net)) => {
                        v6.entry(net.prefix_len()).or_default().push(net.network().to_bits());
                    }
                    None => {}
                },
                ThreatKind::Domain => drop(domains.insert(entry.value.into_boxed_str())),
                ThreatKind::UserAgent => self.agents.push((entry.value, number)),
            }
        }
        self.lists.push(List {
            name: name.to_owned(),
            confidence,
            v4: v4.into_iter().rev().map(|(length, networks)| (length, sorted(networks))).collect(),
            v6: v6.into_iter().rev().map(|(length, networks)| (length, sorted(networks))).collect(),
            domains,
        });
        self
    }

    /// Ready for look-ups. `None` if the user agents do not fit into an automaton.
    #[must_use]
    pub fn build(self) -> Option<ThreatIndex> {
        let agents = if self.agents.is_empty() {
            None
        } else {
            let patterns = self.agents.iter().map(|(agent, _)| agent);
            Some(AhoCorasick::builder().ascii_case_insensitive(true).build(patterns).ok()?)
        };
        Some(ThreatIndex {
            lists: self.lists,
            agents,
            agent_lists: self.agents.into_iter().map(|(_, list)| list).collect(),
            next_expiry: self.next_expiry,
        })
    }
}

fn sorted<T: Ord>(mut networks: Vec<T>) -> Vec<T> {
    networks.sort_unstable();
    networks.dedup();
    networks.shrink_to_fit();
    networks
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl List {
    /// The narrowest entry that holds `address`.
    fn holds(&self, address: IpAddr) -> Option<String> {
        let found = match address {
            IpAddr::V4(v4) => self.v4.iter().find_map(|(length, networks)| {
                let network = v4.to_bits() & u32::MAX.checked_shl(32 - u32::from(*length)).unwrap_or(0);
                let known = networks.binary_search(&network).is_ok();
                known.then(|| (IpAddr::V4(Ipv4Addr::from_bits(network)), *length, *length == 32))
            }),
            IpAddr::V6(v6) => self.v6.iter().find_map(|(length, networks)| {
                let network = v6.to_bits() & u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
                let known = networks.binary_search(&network).is_ok();
                known.then(|| (IpAddr::V6(Ipv6Addr::from_bits(network)), *length, *length == 128))
            }),
        };
        found.map(
            |(network, length, single)| {
                if single { network.to_string() } else { format!("{network}/{length}") }
            },
        )
    }

    /// The entry for `domain` (lower case) or the nearest of its parents.
    fn names(&self, domain: &str) -> Option<String> {
        let mut rest = domain;
        loop {
            if self.domains.contains(rest) {
                return Some(rest.to_owned());
            }
            (_, rest) = rest.split_once('.')?;
        }
    }
}

impl ThreatIndex {
    /// Is there nothing to match?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// When the next entry stops to be valid, if one does: build the index anew then.
    #[must_use]
    pub const fn next_expiry(&self) -> Option<DateTime<Utc>> {
        self.next_expiry
    }

    /// The lists that name something of `event`: its source, the domain of its referrer, origin or user, its user agent.
    #[must_use]
    pub fn of(&self, event: &Event) -> Vec<ThreatMatch> {
        let mut found = Vec::new();
        if self.is_empty() {
            return found;
        }
        if let Some(source) = &event.source_ip {
            match source.parse() {
                Ok(address) => self.address(address, "source_ip", &mut found),
                Err(_) => self.domain(source, "source_ip", &mut found),
            }
        }
        if let Some((_, domain)) = event.actor.as_deref().and_then(|actor| actor.rsplit_once('@')) {
            self.domain(domain, "actor", &mut found);
        }
        if let Some(http) = &event.http {
            for (header, field) in [("referer", "http.headers.referer"), ("origin", "http.headers.origin")] {
                if let Some(host) = http.headers.get(header).and_then(|url| host_of(url)) {
                    match host.parse() {
                        Ok(address) => self.address(address, field, &mut found),
                        Err(_) => self.domain(host, field, &mut found),
                    }
                }
            }
            if let Some(agent) = http.headers.get("user-agent") {
                self.agent(agent, "http.headers.user-agent", &mut found);
            }
        }
        found
    }

    /// The lists that name `value`: an address, a domain or a user agent.
    #[must_use]
    pub fn value(&self, value: &str) -> Vec<ThreatMatch> {
        let mut found = Vec::new();
        match value.trim().parse() {
            Ok(address) => self.address(address, "value", &mut found),
            Err(_) => {
                self.domain(value.trim(), "value", &mut found);
                self.agent(value, "value", &mut found);
            }
        }
        found
    }

    fn address(&self, address: IpAddr, field: &str, found: &mut Vec<ThreatMatch>) {
        let address = address.to_canonical();
        for list in &self.lists {
            if let Some(entry) = list.holds(address) {
                found.push(list.matched(ThreatKind::Ip, entry, field));
            }
        }
    }

    fn domain(&self, domain: &str, field: &str, found: &mut Vec<ThreatMatch>) {
        // Longer is no name.
        if domain.len() > 254 || self.lists.iter().all(|list| list.domains.is_empty()) {
            return;
        }
        let domain = domain.trim_end_matches('.').to_ascii_lowercase();
        for list in &self.lists {
            if let Some(entry) = list.names(&domain) {
                found.push(list.matched(ThreatKind::Domain, entry, field));
            }
        }
    }

    fn agent(&self, agent: &str, field: &str, found: &mut Vec<ThreatMatch>) {
        let Some(agents) = &self.agents else { return };
        let agent = &agent.as_bytes()[..agent.len().min(AGENT_BYTES_MAX)];
        let mut seen = HashSet::new();
        for hit in agents.find_overlapping_iter(agent) {
            let number = self.agent_lists[hit.pattern().as_usize()];
            if seen.insert(number) {
                let entry = String::from_utf8_lossy(&agent[hit.range()]).to_ascii_lowercase();
                found.push(self.lists[number].matched(ThreatKind::UserAgent, entry, field));
            }
        }
    }
}

impl List {
    fn matched(&self, kind: ThreatKind, entry: String, field: &str) -> ThreatMatch {
        ThreatMatch {
            list: self.name.clone(),
            confidence: self.confidence,
            kind,
            entry,
            field: field.to_owned(),
        }
    }
}

/// The host of a URL in a header.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next();
    }
    Some(host.split(':').next().unwrap_or(host)).filter(|host| !host.is_empty())
}
