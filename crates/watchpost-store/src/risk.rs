//! The risk of entities and of incidents: gathered when findings come in, taken back when they are judged harmless.
//!
//! An incident contributes to an entity the score of its worst finding, as of its newest one: a flood of like findings is
//! one contribution. [`Gains::write`] is part of the transaction that stores the findings, [`recount`] of those
//! that judge, merge and split. The arithmetic is `watchpost_model::risk`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use watchpost_model::audit::AuditDraft;
use watchpost_model::event::{Entity, EntityKind, Event};
use watchpost_model::finding::Finding;
use watchpost_model::ids::{EventId, IncidentId};
use watchpost_model::incident::{Incident, Verdict};
use watchpost_model::risk::{
    EntityHistory, EntityRisk, Gathered, RiskContribution, RiskFactor, RiskPolicy, counts, points_for,
};

use crate::canonical::to_canonical;
use crate::engine::{Sql, Tx, Value, args, chunks};
use crate::entity::Keys;
use crate::error::StoreError;
use crate::event::{entities, key_text};
use crate::incident::merge;
use crate::store::{Store, Tag};

/// Entities of one incident that gather risk; a scan touches thousands of endpoints.
const ENTITIES_MAX: usize = 200;
/// Contributions that are shown of an entity.
const CONTRIBUTIONS_MAX: i64 = 100;
/// Most rows of a ranking.
const TOP_MAX: u32 = 500;
/// The name of the policy among the settings.
const POLICY: &str = "risk";

type Key = (EntityKind, String);

/// What the findings of a batch contribute.
#[derive(Default)]
pub(crate) struct Gains {
    incidents: BTreeMap<IncidentId, Gain>,
}

struct Gain {
    counted: bool,
    worst: (u8, Vec<RiskFactor>),
    own: BTreeSet<Key>,
    entities: BTreeMap<Key, (f64, DateTime<Utc>)>,
}

impl Gains {
    /// Adds the findings that `incident` takes in, with their events; `verdict` is that of what it is merged into, or its
    /// own. A time ahead of `now` counts as `now`.
    pub(crate) fn add(
        &mut self,
        incident: &Incident,
        verdict: Verdict,
        findings: &[Finding],
        events: &[Event],
        now: DateTime<Utc>,
    ) {
        if findings.is_empty() {
            return;
        }
        let events: HashMap<EventId, &Event> = events.iter().map(|event| (event.id, event)).collect();
        let gain = self.incidents.entry(incident.id).or_insert_with(|| Gain {
            counted: counts(verdict),
            worst: (0, Vec::new()),
            own: BTreeSet::new(),
            entities: BTreeMap::new(),
        });
        for finding in findings {
            let own = Entity::new(finding.entity.kind, key_text(&finding.entity.value));
            gain.own.insert((own.kind, own.value.clone()));
            if finding.risk > gain.worst.0 {
                gain.worst = (finding.risk, finding.enrichment.risk.clone());
            }
            let mut involved = events.get(&finding.event_id).map(|event| entities(event)).unwrap_or_default();
            if !involved.contains(&own) {
                involved.push(own.clone());
            }
            for entity in involved {
                let points = points_for(&entity, &own, finding.risk);
                let at = finding.at.min(now);
                let part = gain.entities.entry((entity.kind, entity.value)).or_insert((points, at));
                *part = (part.0.max(points), part.1.max(at));
            }
        }
    }

    /// Writes everything, in sorted order so that two writers cannot wait for each other.
    pub(crate) async fn write(self, write: &mut Tx) -> Result<(), StoreError> {
        if self.incidents.is_empty() {
            return Ok(());
        }
        lock(write).await?;
        let policy = policy(write).await?;
        let ids: Vec<Value> = self.incidents.keys().map(|id| id.to_string().into()).collect();
        let mut known = parts(write, &ids).await?;
        let mut changes = Changes::default();
        let mut rows = Vec::new();
        let mut worst = Vec::new();
        for (id, gain) in self.incidents {
            let before = known.remove(&id).unwrap_or_default();
            let mut room = ENTITIES_MAX.saturating_sub(before.len());
            for (key, (points, at)) in gain.entities {
                let old = before.get(&key).copied();
                if old.is_none() && !gain.own.contains(&key) {
                    if room == 0 {
                        continue;
                    }
                    room -= 1;
                }
                let new = Part {
                    points: old.map_or(points, |old| old.points.max(points)),
                    at: old.map_or(at, |old| old.at.max(at)),
                    counted: gain.counted,
                };
                if old == Some(new) {
                    continue;
                }
                rows.push(args![
                    id.to_string(),
                    key.0.as_str(),
                    key.1.as_str(),
                    Some(new.points),
                    new.at,
                    i64::from(new.counted)
                ]);
                changes.replace(key, old, Some(new));
            }
            worst.push(args![id.to_string(), i64::from(gain.worst.0), to_canonical(&gain.worst.1)?]);
        }
        write
            .insert_rows(
                "INSERT INTO entity_risk_part (incident_id, kind, entity_key, points, at, counted) VALUES ",
                &rows,
                " ON CONFLICT (incident_id, kind, entity_key) DO UPDATE SET points = excluded.points, \
                 at = excluded.at, counted = excluded.counted",
            )
            .await?;
        write
            .insert_rows(
                "INSERT INTO incident_risk (incident_id, risk, body) VALUES ",
                &worst,
                " ON CONFLICT (incident_id) DO UPDATE SET risk = excluded.risk, body = excluded.body \
                 WHERE excluded.risk > incident_risk.risk",
            )
            .await?;
        changes.write(write, policy).await
    }
}

/// What one incident contributes to one entity.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    points: f64,
    at: DateTime<Utc>,
    counted: bool,
}

type Parts = BTreeMap<IncidentId, BTreeMap<Key, Part>>;

async fn parts(tx: &mut Tx, incidents: &[Value]) -> Result<Parts, StoreError> {
    let mut parts = Parts::new();
    let select = "SELECT incident_id, kind, entity_key, points, at, counted FROM entity_risk_part WHERE incident_id IN ";
    for row in tx.fetch_in(select, incidents).await? {
        let part =
            Part { points: row.opt_f64(3)?.unwrap_or(0.0), at: row.time(4)?, counted: row.i64(5)? != 0 };
        parts.entry(row.parse(0)?).or_default().insert((row.parse(1)?, row.text(2)?), part);
    }
    Ok(parts)
}

/// Points to add to and take from entities.
#[derive(Default)]
struct Changes(BTreeMap<Key, Vec<(f64, DateTime<Utc>, i64)>>);

impl Changes {
    fn replace(&mut self, key: Key, old: Option<Part>, new: Option<Part>) {
        let steps = self.0.entry(key).or_default();
        if let Some(old) = old.filter(|old| old.counted) {
            steps.push((-old.points, old.at, -1));
        }
        if let Some(new) = new.filter(|new| new.counted) {
            steps.push((new.points, new.at, 1));
        }
        // Adding first keeps the sum from being cut off at zero in between.
        steps.sort_by(|a, b| b.0.total_cmp(&a.0));
    }

    async fn write(self, write: &mut Tx, policy: RiskPolicy) -> Result<(), StoreError> {
        let keys: Vec<Value> = self.0.keys().map(|(_, key)| key.as_str().into()).collect();
        let mut known: HashMap<Key, (Gathered, i64)> = HashMap::new();
        let select = "SELECT kind, entity_key, points, at, incidents FROM entity_risk WHERE entity_key IN ";
        for row in write.fetch_in(select, &keys).await? {
            let gathered = Gathered { points: row.opt_f64(2)?.unwrap_or(0.0), at: row.time(3)? };
            known.insert((row.parse(0)?, row.text(1)?), (gathered, row.i64(4)?));
        }
        let mut rows = Vec::new();
        for (key, steps) in self.0 {
            let Some((_, first, _)) = steps.first().copied() else { continue };
            let (mut sum, mut incidents) = known.get(&key).copied().unwrap_or((Gathered::nothing(first), 0));
            for (points, at, step) in steps {
                sum = sum.plus(points, at, policy);
                incidents += step;
            }
            rows.push(row_of(&key, sum, incidents.max(0), policy));
        }
        write_sums(write, &rows).await
    }
}

fn row_of(key: &Key, sum: Gathered, incidents: i64, policy: RiskPolicy) -> Vec<Value> {
    args![key.0.as_str(), key.1.as_str(), Some(sum.points), sum.at, Some(sum.rank(policy)), incidents]
}

async fn write_sums(tx: &mut Tx, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    tx.insert_rows(
        "INSERT INTO entity_risk (kind, entity_key, points, at, place, incidents) VALUES ",
        rows,
        " ON CONFLICT (kind, entity_key) DO UPDATE SET points = excluded.points, at = excluded.at, \
         place = excluded.place, incidents = excluded.incidents",
    )
    .await
    .map(drop)
}

/// Taken after the locks on incidents, never before, so that writers cannot wait for each other in a ring.
async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
    let lock = tx.dialect().for_update();
    tx.fetch_one(format!("SELECT n FROM counter WHERE name = 'risk'{lock}"), args![]).await.map(drop)
}

pub(crate) async fn policy(tx: &mut Tx) -> Result<RiskPolicy, StoreError> {
    let row = tx.fetch_optional("SELECT value FROM setting WHERE name = $1", args![POLICY]).await?;
    Ok(row.map(|row| row.json(0)).transpose()?.unwrap_or_default())
}

/// Takes the contributions of an incident and of all that is merged into it back, or gives them again, as its verdict
/// says. What stands right already stays.
pub(crate) async fn recount(tx: &mut Tx, incident: &Incident) -> Result<(), StoreError> {
    let counted = counts(incident.verdict);
    let group = merge::ids(&merge::group(tx, incident.id).await?);
    lock(tx).await?;
    let policy = policy(tx).await?;
    let mut changes = Changes::default();
    for (id, members) in parts(tx, &group).await? {
        let wrong: Vec<(Key, Part)> =
            members.into_iter().filter(|(_, part)| part.counted != counted).collect();
        if wrong.is_empty() {
            continue;
        }
        tx.execute(
            "UPDATE entity_risk_part SET counted = $1 WHERE incident_id = $2",
            args![i64::from(counted), id.to_string()],
        )
        .await?;
        for (key, part) in wrong {
            changes.replace(key, Some(part), Some(Part { counted, ..part }));
        }
    }
    changes.write(tx, policy).await
}

/// Why an incident's risk is what it is: of the worst finding in its group; empty if no finding has that number.
pub(crate) async fn explanation(
    tx: &mut Tx,
    incident: &Incident,
    group: Vec<Value>,
) -> Result<Vec<RiskFactor>, StoreError> {
    for row in tx.fetch_in("SELECT risk, body FROM incident_risk WHERE incident_id IN ", &group).await? {
        if row.u8(0)? == incident.risk {
            return row.json(1);
        }
    }
    Ok(Vec::new())
}

impl Store {
    /// How fast the risk of entities decays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn risk_policy(&self) -> Result<RiskPolicy, StoreError> {
        policy(&mut *self.read().await?).await
    }

    /// Sets how fast the risk of entities decays, from now on: what is gathered stays as it is.
    ///
    /// # Errors
    /// `Validation` if it is out of bounds; what the database says.
    pub async fn risk_policy_put(&self, new: RiskPolicy, draft: AuditDraft) -> Result<(), StoreError> {
        if !new.is_valid() {
            return Err(StoreError::Validation("a half-life has 1 to 8,760 hours".to_owned()));
        }
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        lock(&mut write).await?;
        let old = policy(&mut write).await?;
        let rows =
            write.fetch("SELECT kind, entity_key, points, at, incidents FROM entity_risk", args![]).await?;
        let mut sums = Vec::with_capacity(rows.len());
        for row in rows {
            let sum = Gathered { points: row.opt_f64(2)?.unwrap_or(0.0), at: row.time(3)? };
            // What has decayed so far did so at the old pace.
            let sum = sum.plus(0.0, now, old);
            sums.push(row_of(&(row.parse(0)?, row.text(1)?), sum, row.i64(4)?, new));
        }
        write_sums(&mut write, &sums).await?;
        write
            .execute(
                "INSERT INTO setting (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
                 updated_by = excluded.updated_by",
                args![POLICY, to_canonical(&new)?, now, draft.caller.name.as_str()],
            )
            .await?;
        let mut draft = draft;
        draft.changes.push(watchpost_model::audit::Change::new(
            "half_life_h",
            i64::from(old.half_life_h),
            i64::from(new.half_life_h),
        ));
        write.audit(draft);
        write.touch(Tag::Settings);
        write.touch(Tag::Incidents);
        self.commit(write).await.map(drop)
    }

    /// Entities of a kind by risk at `now`, highest first, at most `limit` (1 to 500). Without those that have none.
    ///
    /// Cost: reads `limit` rows of an index; the order does not change while points decay.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn entity_risk_top(
        &self,
        kind: EntityKind,
        limit: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<EntityRisk>, StoreError> {
        if !(1..=TOP_MAX).contains(&limit) {
            return Err(StoreError::Validation(format!("a ranking has 1 to {TOP_MAX} rows, not {limit}")));
        }
        let mut tx = self.read().await?;
        let policy = policy(&mut tx).await?;
        let rows = tx
            .fetch(
                "SELECT entity_key, points, at, incidents FROM entity_risk WHERE kind = $1 AND points > 0 \
                 ORDER BY place DESC, entity_key LIMIT $2",
                args![kind.as_str(), i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let sum = Gathered { points: row.opt_f64(1)?.unwrap_or(0.0), at: row.time(2)? };
                Ok(EntityRisk {
                    entity: Entity::new(kind, row.text(0)?),
                    score: one_decimal(sum.score(now, policy)),
                    at: sum.at,
                    incidents: row.u64(3)?,
                })
            })
            .collect()
    }

    /// An entity's risk at `now` and the newest 100 contributions to it; `None` if no incident ever was about it. A range has
    /// the risk of its worst address, and what the incidents of all of them contribute.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entity_risk(
        &self,
        entity: &Entity,
        now: DateTime<Utc>,
    ) -> Result<Option<(EntityRisk, Vec<RiskContribution>)>, StoreError> {
        let mut tx = self.read().await?;
        let policy = policy(&mut tx).await?;
        let (dialect, keys) = (tx.dialect(), Keys::of_risk(&mut tx, entity).await?);
        let mut sql = Sql::new("SELECT points, at, incidents FROM entity_risk WHERE kind = ");
        sql.bind(entity.kind.as_str()).push(" AND entity_key");
        keys.push(&mut sql, dialect);
        let mut risk: Option<EntityRisk> = None;
        for row in tx.fetch_sql(sql).await? {
            let sum = Gathered { points: row.opt_f64(0)?.unwrap_or(0.0), at: row.time(1)? };
            let (score, incidents) = (one_decimal(sum.score(now, policy)), row.u64(2)?);
            risk = Some(match risk {
                Some(worst) => {
                    EntityRisk { score: worst.score.max(score), at: worst.at.max(sum.at), ..worst }
                }
                None => EntityRisk { entity: entity.clone(), score, at: sum.at, incidents },
            });
        }
        let Some(mut risk) = risk else { return Ok(None) };
        if let Keys::Many(_) = keys {
            // One incident may be about several of them.
            let mut sql = Sql::new(
                "SELECT COUNT(DISTINCT incident_id) FROM entity_risk_part WHERE counted = 1 AND kind = ",
            );
            sql.bind(entity.kind.as_str()).push(" AND entity_key");
            keys.push(&mut sql, dialect);
            risk.incidents = tx.fetch_sql(sql).await?.first().map_or(Ok(0), |row| row.u64(0))?;
        }
        let contributions = contributions(&mut tx, entity.kind, &keys, now, policy).await?;
        Ok(Some((risk, contributions)))
    }

    /// How earlier incidents of each entity were judged; entities without a judged incident are not in it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entity_history(
        &self,
        entities: &[Entity],
    ) -> Result<HashMap<Entity, EntityHistory>, StoreError> {
        let mut tx = self.read().await?;
        history(&mut tx, entities).await
    }
}

/// What the newest incidents contribute to these.
async fn contributions(
    tx: &mut Tx,
    kind: EntityKind,
    keys: &Keys,
    now: DateTime<Utc>,
    policy: RiskPolicy,
) -> Result<Vec<RiskContribution>, StoreError> {
    let mut sql = Sql::new(
        "SELECT i.number, i.title, i.family, i.verdict, MAX(p.points), MAX(p.at) AS newest, MAX(p.counted) \
         FROM entity_risk_part p JOIN incident i ON i.id = p.incident_id WHERE p.kind = ",
    );
    sql.bind(kind.as_str()).push(" AND p.entity_key");
    keys.push(&mut sql, tx.dialect());
    sql.push(" GROUP BY i.number, i.title, i.family, i.verdict ORDER BY newest DESC, i.number DESC LIMIT ");
    sql.bind(CONTRIBUTIONS_MAX);
    let mut contributions = Vec::new();
    for row in tx.fetch_sql(sql).await? {
        let (points, at, counted) = (row.opt_f64(4)?.unwrap_or(0.0), row.time(5)?, row.i64(6)? != 0);
        contributions.push(RiskContribution {
            incident: row.i64(0)?,
            title: row.text(1)?,
            family: row.parse(2)?,
            verdict: row.parse(3)?,
            counts: counted,
            points,
            at,
            left: if counted { one_decimal(policy.left(points, now - at)) } else { 0.0 },
        });
    }
    Ok(contributions)
}

/// How earlier incidents of each entity were judged; entities without a judged incident are not in it.
pub(crate) async fn history(
    tx: &mut Tx,
    entities: &[Entity],
) -> Result<HashMap<Entity, EntityHistory>, StoreError> {
    let mut history: HashMap<Entity, EntityHistory> = HashMap::new();
    if entities.is_empty() {
        return Ok(history);
    }
    let wanted: HashMap<Key, &Entity> =
        entities.iter().map(|entity| ((entity.kind, key_text(&entity.value)), entity)).collect();
    // One name of two kinds is asked for once, or its rows would be counted twice.
    let keys: BTreeSet<&str> = wanted.keys().map(|(_, key)| key.as_str()).collect();
    let keys: Vec<Value> = keys.into_iter().map(Value::from).collect();
    for part in chunks(&keys) {
        let mut sql =
            Sql::new("SELECT entity_kind, entity_key, verdict, COUNT(*) FROM incident WHERE entity_key IN ");
        sql.tuple(part.to_vec()).push(" AND verdict <> ").bind(Verdict::Unjudged.as_str());
        sql.push(" GROUP BY entity_kind, entity_key, verdict");
        for row in tx.fetch_sql(sql).await? {
            let Some(entity) = wanted.get(&(row.parse(0)?, row.text(1)?)) else { continue };
            let (verdict, n): (Verdict, u64) = (row.parse(2)?, row.u64(3)?);
            match verdict {
                Verdict::TruePositive => history.entry((*entity).clone()).or_default().true_positives += n,
                Verdict::FalsePositive | Verdict::BenignTruePositive => {
                    history.entry((*entity).clone()).or_default().harmless += n;
                }
                Verdict::Unjudged | Verdict::Duplicate => {}
            }
        }
    }
    Ok(history)
}

pub(crate) fn one_decimal(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
