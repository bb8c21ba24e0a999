//! How long events are kept: by policy, and in fact.

use std::collections::BTreeMap;

use watchpost_model::event::Category;
use watchpost_model::evidence::EvidenceAnswer;
use watchpost_model::policy::{self, RetentionRule};

use super::{Class, DAY, Scope, time_text};
use crate::engine::{Tx, args, micros};
use crate::error::StoreError;
use crate::rollup::bucket_of;

pub(super) const POLICY: &str = "SELECT value FROM setting WHERE name = 'settings'";
pub(super) const PAST_LIMIT: &str =
    "SELECT COUNT(*), MIN(stored_at) FROM event WHERE category = :limited AND stored_at < :before";
pub(super) const FED: &str =
    "SELECT category, MIN(bucket) FROM rollup WHERE bucket >= :since AND bucket < :end GROUP BY category";
pub(super) const OLDEST: &str =
    "SELECT e.at FROM event e WHERE e.at >= $1 AND e.at < $2 AND e.category = $3 ORDER BY e.at, e.id LIMIT 1";

/// The retention of the workspace: its settings, or the defaults.
async fn retention(tx: &mut Tx) -> Result<Vec<RetentionRule>, StoreError> {
    let row = tx.fetch_optional(POLICY, args![]).await?;
    let stored = row.map(|row| row.json::<serde_json::Value>(0)).transpose()?;
    Ok(stored
        .and_then(|mut value| serde_json::from_value(value.get_mut("retention")?.take()).ok())
        .unwrap_or_else(policy::default_retention))
}

pub(super) async fn retention_limits(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut rows = Vec::new();
    for rule in retention(tx).await? {
        let limit = scope.end() - i64::from(rule.archive_days) * DAY;
        let mut over = Vec::new();
        for grace in [scope.good(), scope.warn()] {
            let mut places = scope.places.clone();
            places.set("limited", rule.category.as_str());
            places.set("before", limit - grace);
            let (sql, values) = places.bind(PAST_LIMIT);
            let row = tx.fetch_one(sql, values).await?;
            over.push((row.u64(0)?, row.opt_time(1)?));
        }
        let class = match (over[0].0, over[1].0) {
            (_, late) if late > 0 => Class::Exception,
            (late, _) if late > 0 => Class::Warning,
            _ => Class::Good,
        };
        let oldest = over[0].1.map(time_text).unwrap_or_default();
        rows.push((
            class,
            vec![rule.category.to_string(), rule.archive_days.to_string(), over[0].0.to_string(), oldest],
        ));
    }
    Ok(scope.whole(rows))
}

pub(super) async fn retention_policy(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let minimum = scope.ask.params.minimum.unwrap_or(0);
    let rows = retention(tx)
        .await?
        .into_iter()
        .map(|rule| {
            let class = if rule.archive_days < minimum { Class::Exception } else { Class::Good };
            (class, vec![rule.category.to_string(), rule.archive_days.to_string()])
        })
        .collect();
    Ok(scope.whole(rows))
}

/// Counters outlive their events, so they tell since when a category is fed, and when events came that have to be there.
pub(super) async fn history_kept(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let days = i64::from(scope.ask.params.minimum.unwrap_or(0));
    let mut places = scope.places.clone();
    places.set("since", bucket_of(scope.end() - days * DAY));
    let (sql, values) = places.bind(FED);
    let mut fed: BTreeMap<Category, i64> = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        fed.insert(row.parse(0)?, row.i64(1)?);
    }
    let mut rows = Vec::new();
    for (category, since) in fed {
        // Retention counts whole days.
        let oldest = tx.fetch_optional(OLDEST, args![since, since + DAY, category.as_str()]).await?;
        let class = if oldest.is_some() { Class::Good } else { Class::Exception };
        let oldest = match oldest {
            Some(row) => time_text(micros(row.i64(0)?)?),
            None => "gone".to_owned(),
        };
        rows.push((class, vec![category.to_string(), time_text(micros(since)?), oldest]));
    }
    Ok(scope.whole(rows))
}
