//! How long a feed was silent at a stretch, from the times of its events.

use std::collections::BTreeMap;

use watchpost_model::event::Category;
use watchpost_model::evidence::EvidenceAnswer;
use watchpost_model::finding::AttackFamily;

use super::{Class, Scope, exceptions_in_force, time_text};
use crate::engine::{Tx, args, micros};
use crate::error::StoreError;
use crate::rollup::{BUCKET, bucket_of};

/// Between which of the counters nothing came, and what the events at their edges say of it. Counters outlive their events;
/// where these have gone, the silence is at least what lies between the counters.
pub(super) const BETWEEN: &str = "SELECT g.category, \
    COALESCE((SELECT e.at FROM event e WHERE e.at >= g.prev AND e.at < g.prev + 300000000 AND e.category = g.category \
    ORDER BY e.at DESC, e.id DESC LIMIT 1), g.prev + 300000000), \
    COALESCE((SELECT e.at FROM event e WHERE e.at >= g.bucket AND e.at < g.bucket + 300000000 AND e.category = g.category \
    ORDER BY e.at, e.id LIMIT 1), g.bucket) \
    FROM (SELECT d.category, d.bucket, LAG(d.bucket) OVER (PARTITION BY d.category ORDER BY d.bucket) AS prev \
    FROM (SELECT DISTINCT category, bucket FROM rollup WHERE bucket >= :since AND bucket < :end) d) g \
    WHERE g.prev IS NOT NULL AND g.bucket - g.prev + 300000000 > :good";
pub(super) const REACH: &str = "SELECT category, MIN(bucket), MAX(bucket) FROM rollup WHERE bucket >= :since AND bucket < :end GROUP BY category";
/// Silences that an incident took up, once it is resolved with a reason: its findings are on the events around them.
pub(super) const EXPLAINED: &str = "SELECT f.at, e.category, r.number FROM incident i JOIN incident r ON r.id = i.root_id \
    JOIN finding f ON f.incident_id = i.id LEFT JOIN event e ON e.id = f.event_id WHERE i.family = 'log_gap' \
    AND r.resolved_at IS NOT NULL AND r.verdict <> 'unjudged' AND COALESCE(r.verdict_reason, '') <> '' \
    AND f.at >= :since AND f.at <= :end";
/// Incidents that a row names at most.
const NAMED_MAX: usize = 20;

/// A stretch without events, both ends in microseconds.
#[derive(Clone, Copy)]
struct Silence {
    from: i64,
    to: i64,
}

impl Silence {
    /// In microseconds, whole seconds of it.
    fn length(self) -> i64 {
        (self.to - self.from).max(0) / 1_000_000 * 1_000_000
    }
}

/// A resolved incident about silence: when, where it is known of which category, its number.
type Explanation = (i64, Option<Category>, i64);

pub(super) async fn feed_silence(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut silences = between(tx, scope).await?;
    at_the_edges(tx, scope, &mut silences).await?;
    let explanations = explanations(tx, scope).await?;
    let excused = exceptions_in_force(tx, scope).await?;
    let mut rows = Vec::new();
    for (category, silences) in silences {
        let excuse = excused.contains(&format!("category/{category}"));
        rows.push(judged(scope, category, &silences, &explanations, excuse)?);
    }
    Ok(scope.whole(rows))
}

/// Silences longer than what is good between two events of the period; an empty list for each other category with events.
async fn between(tx: &mut Tx, scope: &Scope<'_>) -> Result<BTreeMap<Category, Vec<Silence>>, StoreError> {
    let mut places = scope.places.clone();
    places.set("since", bucket_of(scope.from()));
    let (sql, values) = places.bind(BETWEEN);
    let mut silences: BTreeMap<Category, Vec<Silence>> = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        let found = Silence { from: row.i64(1)?.max(scope.from()), to: row.i64(2)? };
        silences.entry(row.parse(0)?).or_default().push(found);
    }
    Ok(silences)
}

/// Adds the silence from the begin of the period to the first event, for categories that reported before, and that from
/// the last event to the end.
async fn at_the_edges(
    tx: &mut Tx,
    scope: &Scope<'_>,
    silences: &mut BTreeMap<Category, Vec<Silence>>,
) -> Result<(), StoreError> {
    let (from, end) = (scope.from(), scope.end());
    let mut places = scope.places.clone();
    places.set("since", bucket_of(from));
    let (sql, values) = places.bind(REACH);
    let mut reach = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        reach.insert(row.parse::<Category>(0)?, (row.i64(1)?, row.i64(2)?));
    }
    for category in Category::ALL.iter().copied() {
        let before = tx
            .fetch_optional(
                "SELECT 1 FROM rollup WHERE category = $1 AND bucket < $2 LIMIT 1",
                args![category.as_str(), bucket_of(from)],
            )
            .await?
            .is_some();
        let Some((first, last)) = reach.get(&category).copied() else {
            if before {
                silences.entry(category).or_default().push(Silence { from, to: end });
            }
            continue;
        };
        let list = silences.entry(category).or_default();
        if before {
            let to = edge(tx, category, (first.max(from), first + BUCKET), "e.at, e.id").await?;
            list.push(Silence { from, to: to.unwrap_or(first) });
        }
        let seen = edge(tx, category, (last, (last + BUCKET).min(end)), "e.at DESC, e.id DESC").await?;
        list.push(Silence { from: seen.unwrap_or(last + BUCKET).max(from), to: end });
    }
    Ok(())
}

/// The time of the first event of a category from `low` on and before `high`, in that order.
async fn edge(
    tx: &mut Tx,
    category: Category,
    (low, high): (i64, i64),
    order: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT e.at FROM event e WHERE e.at >= $1 AND e.at < $2 AND e.category = $3 ORDER BY {order} LIMIT 1"
    );
    tx.fetch_optional(sql, args![low, high, category.as_str()]).await?.map(|row| row.i64(0)).transpose()
}

async fn explanations(tx: &mut Tx, scope: &Scope<'_>) -> Result<Vec<Explanation>, StoreError> {
    let mut places = scope.places.clone();
    places.set("since", bucket_of(scope.from()));
    let (sql, values) = places.bind(EXPLAINED);
    let mut found = Vec::new();
    for row in tx.fetch(sql, values).await? {
        let category = row.opt_text(1)?.and_then(|word| word.parse().ok());
        found.push((row.i64(0)?, category, row.i64(2)?));
    }
    Ok(found)
}

/// How the silences of a category are, and the one that its row tells of.
fn judged(
    scope: &Scope<'_>,
    category: Category,
    silences: &[Silence],
    explanations: &[Explanation],
    excuse: bool,
) -> Result<(Class, Vec<String>), StoreError> {
    let explained_is_good = scope.ask.params.families.contains(&AttackFamily::LogGap);
    let (mut worst, mut shown) = (Class::Good, None::<(Class, Silence)>);
    let mut named: Vec<String> = Vec::new();
    for silence in silences {
        let explains = |found: &&Explanation| {
            found.1.is_none_or(|of| of == category) && (silence.from..=silence.to).contains(&found.0)
        };
        let by = explanations.iter().find(explains);
        let length = silence.length();
        let class = match by {
            _ if length <= scope.good() => Class::Good,
            Some(_) if explained_is_good => Class::Good,
            None if length > scope.warn() && !excuse => Class::Exception,
            _ => Class::Warning,
        };
        if let Some((_, _, number)) = by.filter(|_| length > scope.good()) {
            named.push(format!("incident/{number}"));
        }
        worst = worst.max(class);
        if shown.is_none_or(|(before, longest)| (before, longest.length()) < (class, length)) {
            shown = Some((class, *silence));
        }
    }
    named.sort_unstable();
    named.dedup();
    let more = named.len().saturating_sub(NAMED_MAX);
    named.truncate(NAMED_MAX);
    named.extend((more > 0).then(|| format!("{more} more")));
    named.extend(excuse.then(|| "exception in force".to_owned()));
    let (minutes, from, to) = match shown {
        Some((_, silence)) => {
            (silence.length() / 60_000_000, time_text(micros(silence.from)?), time_text(micros(silence.to)?))
        }
        None => (0, String::new(), String::new()),
    };
    Ok((worst, vec![category.to_string(), minutes.to_string(), from, to, named.join(", ")]))
}
