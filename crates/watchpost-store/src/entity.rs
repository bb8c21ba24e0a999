//! One entity: the keys that stand for it, when it was seen, and the course of its risk.
//!
//! A range of addresses is an entity too. Nothing is kept of it: it stands for the addresses in it that something is kept of.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::incident::Verdict;
use watchpost_model::query::{Expr, Field, FieldName, Network, Query, Term, Test};
use watchpost_model::risk::{EntityHistory, RiskPoint, RiskPolicy, saturated};

use crate::engine::{Dialect, Sql, Tx};
use crate::error::StoreError;
use crate::event::{EventFilter, First, conditions, is_named, key_text, push_order};
use crate::risk;
use crate::store::Store;

/// How far back the course of a risk goes.
const COURSE_DAYS: i64 = 30;
/// Points of a course.
const COURSE_POINTS: i32 = 121;
/// Contributions that a course is made of, the newest.
const COURSE_PARTS: i64 = 10_000;

/// The range of addresses that an entity names, if it names one.
fn range(entity: &Entity) -> Option<Network> {
    if entity.kind != EntityKind::Ip || !entity.value.contains('/') {
        return None;
    }
    entity.value.parse::<Network>().ok().map(|network| network.trunc())
}

/// What every address of a range begins with, and the first text after all that do; `None` where that says nothing.
fn beginning(network: &Network) -> Option<(String, String)> {
    match network {
        Network::V4(v4) => {
            let whole = usize::from(v4.prefix_len() / 8);
            let octets: Vec<String> =
                v4.network().octets().iter().take(whole).map(ToString::to_string).collect();
            let begin = octets.join(".");
            match whole {
                0 | 4 => None,
                // What follows the dot in the order of characters.
                _ => Some((format!("{begin}."), format!("{begin}/"))),
            }
        }
        Network::V6(v6) => match v6.network().segments() {
            [first, ..] if v6.prefix_len() >= 16 && first != 0 => {
                Some((format!("{first:x}:"), format!("{first:x};")))
            }
            _ => None,
        },
    }
}

/// The keys under which an entity is kept.
pub(crate) enum Keys {
    /// Its own.
    One(String),
    /// Those of the addresses of a range, as a JSON list.
    Many(String),
}

impl Keys {
    /// Of an entity among what these say of addresses: `SELECT entity_key FROM ... WHERE ...`.
    pub(crate) async fn of(tx: &mut Tx, entity: &Entity, selects: &[&str]) -> Result<Self, StoreError> {
        let own = key_text(&entity.value);
        let Some(network) = range(entity) else { return Ok(Self::One(own)) };
        let mut sql = Sql::new("");
        for (index, select) in selects.iter().enumerate() {
            sql.push(if index == 0 { "" } else { " UNION " }).push(select);
            if let Some((low, high)) = beginning(&network) {
                sql.push(" AND entity_key >= ").bind(low).push(" AND entity_key < ").bind(high);
            }
        }
        let mut keys = vec![own];
        for row in tx.fetch_sql(sql).await? {
            let key = row.text(0)?;
            if key.parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical())) {
                keys.push(key);
            }
        }
        Ok(Self::Many(serde_json::to_string(&keys).map_err(|error| StoreError::Corrupt(error.to_string()))?))
    }

    /// Adds ` = $1` or ` IN (...)`.
    pub(crate) fn push(&self, sql: &mut Sql, dialect: Dialect) {
        match self {
            Self::One(key) => {
                sql.push(" = ").bind(key.as_str());
            }
            Self::Many(list) => {
                let (before, after) = dialect.texts_of_list();
                sql.push(" IN (").push(before).bind(list.as_str()).push(after).push(")");
            }
        }
    }

    /// Those of an entity in what it has of risk.
    pub(crate) async fn of_risk(tx: &mut Tx, entity: &Entity) -> Result<Self, StoreError> {
        Self::of(tx, entity, &["SELECT entity_key FROM entity_risk WHERE kind = 'ip'"]).await
    }
}

impl EventFilter {
    /// The events about an entity; of a range, those from its addresses.
    #[must_use]
    pub fn about(entity: Entity) -> Self {
        match range(&entity) {
            Some(network) => {
                let field = Field::Named(FieldName::Ip);
                let query = Query::of(Expr::Term(Term::Field(field, Test::Network(network))));
                Self { query, ..Self::default() }
            }
            None => Self { entity: Some(entity), ..Self::default() },
        }
    }
}

impl Store {
    /// When the first and the last stored event about an entity, or from a range, happened; `None` if there is none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entity_seen(
        &self,
        entity: &Entity,
    ) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, StoreError> {
        let filter = EventFilter::about(entity.clone());
        let mut tx = self.read().await?;
        let dialect = tx.dialect();
        let select = |columns: &str| {
            let mut sql = Sql::new("SELECT ");
            sql.push(columns).push(" FROM event WHERE 1 = 1");
            conditions(&mut sql, dialect, &filter);
            sql
        };
        if filter.entity.is_none() {
            let rows = tx.fetch_sql(select("MIN(at), MAX(at)")).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            return Ok(row.opt_time(0)?.zip(row.opt_time(1)?));
        }
        // The two ends of an index.
        let end = |first: First| {
            let mut sql = select("at");
            push_order(&mut sql, dialect, is_named(&filter), first);
            sql.push(" LIMIT 1");
            sql
        };
        let first = tx.fetch_sql(end(First::Oldest)).await?;
        let last = tx.fetch_sql(end(First::Newest)).await?;
        let (Some(first), Some(last)) = (first.first(), last.first()) else { return Ok(None) };
        Ok(Some((first.time(0)?, last.time(0)?)))
    }

    /// How the incidents about an entity, or about the addresses of a range, were judged.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entity_judged(&self, entity: &Entity) -> Result<EntityHistory, StoreError> {
        let mut tx = self.read().await?;
        let selects = ["SELECT entity_key FROM incident WHERE entity_kind = 'ip'"];
        let keys = Keys::of(&mut tx, entity, &selects).await?;
        let mut sql = Sql::new("SELECT verdict, COUNT(*) FROM incident WHERE entity_kind = ");
        sql.bind(entity.kind.as_str()).push(" AND entity_key");
        keys.push(&mut sql, tx.dialect());
        sql.push(" GROUP BY verdict");
        let mut judged = EntityHistory::default();
        for row in tx.fetch_sql(sql).await? {
            let (verdict, n): (Verdict, u64) = (row.parse(0)?, row.u64(1)?);
            match verdict {
                Verdict::TruePositive => judged.true_positives += n,
                Verdict::FalsePositive | Verdict::BenignTruePositive => judged.harmless += n,
                Verdict::Unjudged | Verdict::Duplicate => {}
            }
        }
        Ok(judged)
    }

    /// The course of an entity's risk over the 30 days until `now`, oldest first: what each incident contributes, from its
    /// newest finding on, as the incidents are judged now. A range has at each time the risk of its worst address. Empty
    /// without any.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entity_risk_course(
        &self,
        entity: &Entity,
        now: DateTime<Utc>,
    ) -> Result<Vec<RiskPoint>, StoreError> {
        let mut tx = self.read().await?;
        let policy = risk::policy(&mut tx).await?;
        let keys = Keys::of_risk(&mut tx, entity).await?;
        let mut sql =
            Sql::new("SELECT entity_key, points, at FROM entity_risk_part WHERE counted = 1 AND kind = ");
        sql.bind(entity.kind.as_str()).push(" AND entity_key");
        keys.push(&mut sql, tx.dialect());
        sql.push(" ORDER BY at DESC LIMIT ").bind(COURSE_PARTS);
        let mut parts: BTreeMap<String, Vec<(f64, DateTime<Utc>)>> = BTreeMap::new();
        for row in tx.fetch_sql(sql).await? {
            parts.entry(row.text(0)?).or_default().push((row.opt_f64(1)?.unwrap_or(0.0), row.time(2)?));
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let step = Duration::days(COURSE_DAYS) / (COURSE_POINTS - 1);
        let point = |index: i32| {
            let at = now - step * (COURSE_POINTS - 1 - index);
            let score = parts.values().map(|parts| score_at(parts, at, policy)).fold(0.0, f64::max);
            RiskPoint { at, score: risk::one_decimal(score) }
        };
        Ok((0..COURSE_POINTS).map(point).collect())
    }
}

/// The score of contributions at a time; those that came later do not count yet.
fn score_at(parts: &[(f64, DateTime<Utc>)], at: DateTime<Utc>, policy: RiskPolicy) -> f64 {
    let earned = parts.iter().filter(|(_, earned)| *earned <= at);
    saturated(earned.map(|(points, earned)| policy.left(*points, at - *earned)).sum())
}
