//! Incidents that resemble one another, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use watchpost_model::event::EntityKind;
use watchpost_model::incident::{Incident, SimilarIncident, SimilarKind, SimilarReason};
use watchpost_model::text::visible;

use super::{SELECT, detail, from_row, merge};
use crate::engine::{Sql, Tx, args};
use crate::error::StoreError;
use crate::event::{ip_key, key_text};
use crate::store::Store;

/// Incidents that one reason may name, the newest ones.
const EACH: i64 = 200;
/// Values of an incident that are looked for in others, the most frequent ones.
const VALUES: i64 = 10;
/// A user agent of more other incidents than this one is common: half of the world has it.
const COMMON: usize = 5;

/// Why another incident resembles one, with its weight; together they make at most 100.
struct Reason {
    weight: u8,
    why: SimilarReason,
}

#[derive(Default)]
struct Found(BTreeMap<String, BTreeMap<u8, Reason>>);

impl Found {
    /// Each kind of reason counts once an incident.
    fn add(&mut self, id: String, weight: u8, kind: SimilarKind, value: &str) {
        let why = || SimilarReason { kind, value: visible(value, 80) };
        self.0.entry(id).or_default().entry(weight).or_insert_with(|| Reason { weight, why: why() });
    }

    /// Is there a reason already that it resembles?
    fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

impl Store {
    /// The incidents that resemble one most, the most alike first, then the newest; at most `limit`.
    ///
    /// What counts: the same entity 35, the same rules 25, the same family on the same endpoint 20, the same network
    /// (/24, /48) 12, the same user agent 8. A user agent that many have makes nothing similar by itself.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn incident_similar(
        &self,
        number: i64,
        limit: usize,
    ) -> Result<Vec<SimilarIncident>, StoreError> {
        let mut tx = self.read().await?;
        let incident = detail::by_number(&mut tx, number).await?;
        let group = merge::group(&mut tx, incident.id).await?;
        let own: BTreeSet<String> = group.iter().map(|member| member.id.clone()).collect();
        let mut found = Found::default();
        same_entity(&mut tx, &incident, &mut found).await?;
        same_network(&mut tx, &incident, &mut found).await?;
        same_rules(&mut tx, &group, &mut found).await?;
        let family = format!(" AND i.family = '{}'", incident.family);
        shared(&mut tx, &group, ("endpoint", 20, SimilarKind::Attack), &family, &mut found).await?;
        // The last of all: it looks at what else was found.
        shared(&mut tx, &group, ("agent", 8, SimilarKind::Agent), "", &mut found).await?;
        let mut list = Vec::new();
        for (id, reasons) in found.0.into_iter().filter(|(id, _)| !own.contains(id)) {
            let score = reasons.values().map(|reason| reason.weight).sum::<u8>().min(100);
            let because = reasons.into_values().rev().map(|reason| reason.why).collect();
            list.push((score, id, because));
        }
        let mut rows = Vec::with_capacity(list.len());
        for (score, id, because) in list {
            let row = tx
                .fetch_optional(format!("{SELECT} WHERE id = $1 AND merged_into IS NULL"), args![id])
                .await?;
            if let Some(row) = row {
                rows.push(SimilarIncident { incident: from_row(&row)?, score, because });
            }
        }
        rows.sort_by(|a, b| b.score.cmp(&a.score).then(b.incident.number.cmp(&a.incident.number)));
        rows.truncate(limit);
        Ok(rows)
    }
}

async fn same_entity(tx: &mut Tx, incident: &Incident, found: &mut Found) -> Result<(), StoreError> {
    let rows = tx
        .fetch(
            "SELECT id FROM incident WHERE entity_kind = $1 AND entity_key = $2 ORDER BY number DESC LIMIT $3",
            args![incident.entity.kind.as_str(), key_text(&incident.entity.value), EACH],
        )
        .await?;
    for row in rows {
        found.add(row.text(0)?, 35, SimilarKind::Entity, incident.entity.kind.as_str());
    }
    Ok(())
}

/// The /24 or /48 of an address as the first and last sortable form, and the length of its prefix.
fn network(ip: IpAddr) -> (Vec<u8>, Vec<u8>, &'static str) {
    let low = ip_key(ip);
    let kept = if ip.to_canonical().is_ipv4() { 15 } else { 6 };
    let (mut first, mut last) = (low.clone(), low);
    first[kept..].fill(0);
    last[kept..].fill(255);
    (first, last, if kept == 15 { "24" } else { "48" })
}

async fn same_network(tx: &mut Tx, incident: &Incident, found: &mut Found) -> Result<(), StoreError> {
    let ip = match incident.entity.kind {
        EntityKind::Ip => incident.entity.value.parse::<IpAddr>().ok(),
        EntityKind::User | EntityKind::Session | EntityKind::Endpoint => None,
    };
    let Some(ip) = ip else { return Ok(()) };
    let (low, high, prefix) = network(ip);
    let rows = tx
        .fetch(
            "SELECT id FROM incident WHERE entity_ip >= $1 AND entity_ip <= $2 AND entity_ip <> $3 \
             ORDER BY number DESC LIMIT $4",
            args![low, high, ip_key(ip), EACH],
        )
        .await?;
    for row in rows {
        found.add(row.text(0)?, 12, SimilarKind::Network, prefix);
    }
    Ok(())
}

async fn same_rules(tx: &mut Tx, group: &[merge::Member], found: &mut Found) -> Result<(), StoreError> {
    let mut sql = Sql::new("SELECT DISTINCT rule_id FROM finding WHERE incident_id IN ");
    sql.tuple(merge::ids(group)).push(" LIMIT ").bind(VALUES);
    for row in tx.fetch_sql(sql).await? {
        let rule = row.text(0)?;
        let others = tx
            .fetch(
                "SELECT incident_id FROM (SELECT incident_id, MAX(at) AS newest FROM finding WHERE rule_id = $1 \
                 GROUP BY incident_id) f ORDER BY newest DESC LIMIT $2",
                args![rule.as_str(), EACH],
            )
            .await?;
        for other in others {
            found.add(other.text(0)?, 25, SimilarKind::Rule, &rule);
        }
    }
    Ok(())
}

/// Incidents that share a frequent value of a kind; those that share a common user agent only if they share more.
async fn shared(
    tx: &mut Tx,
    group: &[merge::Member],
    (kind, weight, why): (&str, u8, SimilarKind),
    condition: &str,
    found: &mut Found,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("SELECT entity_key FROM incident_entity WHERE kind = ");
    sql.bind(kind).push(" AND incident_id IN ").tuple(merge::ids(group));
    sql.push(" GROUP BY entity_key ORDER BY SUM(n) DESC, entity_key LIMIT ").bind(VALUES);
    for row in tx.fetch_sql(sql).await? {
        let value = row.text(0)?;
        let mut sql = Sql::new(
            "SELECT i.id FROM incident_entity x JOIN incident i ON i.id = x.incident_id WHERE x.kind = ",
        );
        sql.bind(kind).push(" AND x.entity_key = ").bind(value.as_str()).push(condition);
        sql.push(" ORDER BY i.number DESC LIMIT ").bind(EACH);
        let mut others = Vec::new();
        for other in tx.fetch_sql(sql).await? {
            let id = other.text(0)?;
            if !group.iter().any(|member| member.id == id) {
                others.push(id);
            }
        }
        let common = why == SimilarKind::Agent && others.len() > COMMON;
        for id in others {
            if !common || found.has(&id) {
                found.add(id, weight, why, &value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn networks_of_addresses() {
        let (low, high, prefix) = network("203.0.113.7".parse().unwrap());
        assert_eq!((&low[12..], &high[12..]), (&[203, 0, 113, 0][..], &[203, 0, 113, 255][..]));
        assert_eq!(prefix, "24");
        let (low, high, _) = network("2001:db8:1:2::9".parse().unwrap());
        assert_eq!(
            (&low[..8], &high[..8]),
            (&[32, 1, 13, 184, 0, 1, 0, 0][..], &[32, 1, 13, 184, 0, 1, 255, 255][..])
        );
        assert_eq!(
            network("::ffff:203.0.113.7".parse().unwrap()).0,
            network("203.0.113.0".parse().unwrap()).0
        );
    }
}
