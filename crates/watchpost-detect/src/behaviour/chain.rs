//! Several stages of an attack by one entity within a day, told as one chain that grows.

use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Event, Severity};
use watchpost_model::finding::{AttackFamily, Finding};

use super::table::{Group, Saved, Table, key_of};
use super::{Unusual, unusual};
use crate::rules::Behaviour;

/// So many families make a chain, even if they are of fewer stages.
const FAMILIES_MIN: usize = 4;

/// How far an attack has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Reconnaissance,
    Exploitation,
    Access,
    Escalation,
    Exfiltration,
}

impl Stage {
    /// The stage that a finding is of; some are of none.
    fn of(finding: &Finding) -> Option<Self> {
        use AttackFamily as Family;
        match finding.family {
            Family::Scanner | Family::ExcessiveRequests => Some(Self::Reconnaissance),
            // Trying is not being in.
            Family::BruteForce => finding.rule_id.contains("success").then_some(Self::Access),
            Family::AccountTakeover => Some(Self::Access),
            Family::PrivilegeEscalation => Some(Self::Escalation),
            Family::DataExfiltration | Family::DataLeak => Some(Self::Exfiltration),
            Family::LogGap
            | Family::KillChain
            | Family::ThreatListed
            | Family::Custom
            | Family::RedisHealth => None,
            Family::Sqli
            | Family::Nosqli
            | Family::Xss
            | Family::Traversal
            | Family::Rfi
            | Family::Cmdi
            | Family::Ssti
            | Family::Php
            | Family::Java
            | Family::Deserialization
            | Family::Xxe
            | Family::Ldap
            | Family::Ssrf
            | Family::Jwt
            | Family::Csrf
            | Family::HeaderInjection
            | Family::Redirect
            | Family::Upload => Some(Self::Exploitation),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Reconnaissance => "reconnaissance",
            Self::Exploitation => "exploitation",
            Self::Access => "access",
            Self::Escalation => "escalation",
            Self::Exfiltration => "exfiltration",
        }
    }
}

/// What one entity has done, in the order in which it began: family, stage from one, first and last time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Chain {
    links: Vec<(u8, u8, i64, i64)>,
    /// Families and stages that were told, or have gone since.
    reported: Vec<(u8, u8)>,
}

impl Group for Chain {
    fn newest_ms(&self) -> i64 {
        self.links.iter().map(|link| link.3).max().unwrap_or(0)
    }

    fn n_entries(&self) -> usize {
        self.links.len() * 3
    }
}

/// Entities with findings.
#[derive(Debug)]
pub(super) struct Chains {
    table: Table<Chain>,
}

impl Chains {
    pub(super) fn new(max: usize) -> Self {
        Self { table: Table::new(max, 86_400_000) }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes in the findings of one event and adds one for each chain that they complete or lengthen.
    pub(super) fn observe(
        &mut self,
        row: Option<&Behaviour>,
        event: &Event,
        findings: &mut Vec<Finding>,
        evicted: &mut u64,
    ) {
        let Some(row) = row else { return };
        // What a user or session did was done from an address too.
        let source = event.source_ip.as_ref().map(|source| Entity::new(EntityKind::Ip, source.as_str()));
        let mut entities: Vec<Entity> = source.into_iter().collect();
        for finding in findings.iter() {
            if !entities.contains(&finding.entity) {
                entities.push(finding.entity.clone());
            }
        }
        let mut chains = Vec::new();
        for entity in &entities {
            let of = |finding: &&Finding| finding.entity == *entity || entity.kind == EntityKind::Ip;
            let key = key_of(&[entity.kind.as_str(), &entity.value]);
            let at_ms = event.at.timestamp_millis();
            let links: Vec<(u8, u8)> = findings.iter().filter(of).filter_map(link).collect();
            if links.is_empty() {
                continue;
            }
            let window_ms = i64::from(row.window_s) * 1_000;
            let grown = self.table.change(key, at_ms, evicted, |chain| {
                chain.add(&links, at_ms, window_ms);
                chain.grown(row.threshold as usize)
            });
            chains.extend(grown.map(|grown| told(row, event, entity, &grown)));
        }
        findings.extend(chains);
    }

    pub(super) fn save(&self) -> Saved<Chain> {
        self.table.save()
    }

    pub(super) fn restore(&mut self, saved: Saved<Chain>) {
        self.table.restore(saved);
    }
}

fn link(finding: &Finding) -> Option<(u8, u8)> {
    if matches!(finding.family, AttackFamily::KillChain | AttackFamily::LogGap | AttackFamily::RedisHealth) {
        return None;
    }
    Some((finding.family as u8, Stage::of(finding).map_or(0, |stage| stage as u8 + 1)))
}

impl Chain {
    fn add(&mut self, links: &[(u8, u8)], at_ms: i64, window_ms: i64) {
        for &(family, stage) in links {
            match self.links.iter_mut().find(|link| (link.0, link.1) == (family, stage)) {
                Some(link) => (link.2, link.3) = (link.2.min(at_ms), link.3.max(at_ms)),
                None => self.links.push((family, stage, at_ms, at_ms)),
            }
        }
        let newest = self.newest_ms();
        self.links.retain(|link| link.3 > newest - window_ms);
    }

    /// The links by their beginning, if they make a chain that has not been reported like this.
    fn grown(&mut self, stages_min: usize) -> Option<Vec<(u8, u8, i64, i64)>> {
        let mut links = self.links.clone();
        links.sort_unstable_by_key(|link| (link.2, link.1, link.0));
        let mut names: Vec<(u8, u8)> = links.iter().map(|link| (link.0, link.1)).collect();
        names.sort_unstable();
        let n_families = distinct(links.iter().map(|link| link.0));
        let n_stages = distinct(links.iter().map(|link| link.1).filter(|stage| *stage > 0));
        if n_stages < stages_min && n_families < FAMILIES_MIN {
            return None;
        }
        let is_told = names.iter().all(|name| self.reported.contains(name));
        self.reported = names;
        if is_told {
            return None;
        }
        Some(links)
    }
}

fn distinct(values: impl Iterator<Item = u8>) -> usize {
    values.collect::<std::collections::BTreeSet<u8>>().len()
}

fn told(row: &Behaviour, event: &Event, entity: &Entity, links: &[(u8, u8, i64, i64)]) -> Finding {
    const STAGES: [Stage; 5] =
        [Stage::Reconnaissance, Stage::Exploitation, Stage::Access, Stage::Escalation, Stage::Exfiltration];
    let stage_of = |stage: u8| STAGES.get(usize::from(stage).wrapping_sub(1)).copied();
    let steps: Vec<String> = links
        .iter()
        .map(|link| {
            let family = AttackFamily::ALL.get(usize::from(link.0)).map_or("?", |family| family.title());
            stage_of(link.1).map_or(family.to_owned(), |stage| format!("{family} [{}]", stage.name()))
        })
        .collect();
    let n_stages = distinct(links.iter().map(|link| link.1).filter(|stage| *stage > 0));
    let is_whole = n_stages >= row.threshold as usize;
    let mut names: Vec<String> = links.iter().map(|link| format!("{}.{}", link.0, link.1)).collect();
    names.sort_unstable();
    let started_ms = links.iter().map(|link| link.2).min().unwrap_or(0);
    let started = chrono::DateTime::from_timestamp_millis(started_ms).unwrap_or(event.at);
    unusual(
        row,
        event,
        started,
        Unusual {
            entity: entity.clone(),
            summary: format!("{} by {}: {}", stages(n_stages), entity.value, steps.join(", then ")),
            counter: (n_stages as u64, u64::from(row.threshold)),
            identity: &[&names.join(" ")],
            severity: if is_whole { row.info.severity } else { row.info.severity.min(Severity::High) },
        },
    )
}

fn stages(n: usize) -> String {
    if n == 1 { "1 stage of an attack".to_owned() } else { format!("{n} stages of an attack") }
}
