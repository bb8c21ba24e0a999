//! Questions whose population is not rows of one table: days, categories, families, the log as a whole. Where all members are
//! shown no sample is drawn of them.

mod encryption;
mod erasures;
mod fields;
pub(super) mod heads;
mod keeping;
mod lost;
mod sensitive;
mod silence;
mod trail;
pub(super) mod words;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use watchpost_model::event::Category;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery, Sample};
use watchpost_model::period::Period;
use watchpost_model::sample;
use watchpost_model::span::Span;

use super::template::Places;
use super::{Cell, Class, Column, DAY, MEMBERS_MAX, ROWS_MAX, cells, time_text};
use crate::engine::{Dialect, Tx, args, micros};
use crate::error::StoreError;
use crate::rollup::bucket_of;

const EVENT_DAYS: &str = "SELECT bucket / :day, CAST(SUM(n) AS BIGINT) FROM rollup WHERE bucket >= :from \
    AND bucket < :end GROUP BY 1";
const VERIFIED_DAYS: &str = "SELECT DISTINCT at / :day FROM audit_record WHERE action = 'audit_verify' \
    AND outcome = 'success' AND at >= :from AND at < :end";
const REGISTER_DAYS: &str = "SELECT opened_at / :day, MIN(closed_at - opened_at) FROM register_entry WHERE kind = :kind \
    AND result = 'good' AND opened_at >= :from AND opened_at < :end GROUP BY 1";
const BY_CATEGORY: &str = "SELECT category, CAST(SUM(n) AS BIGINT), \
    CAST(SUM(CASE WHEN outcome = 'failure' THEN n ELSE 0 END) AS BIGINT) FROM rollup \
    WHERE bucket >= :from AND bucket < :end GROUP BY category";
const FIRED: &str = "SELECT family, MAX(last_seen) FROM incident WHERE family IN :families AND first_seen < :end \
    GROUP BY family";
const GAPS: &str = "SELECT opened_at FROM register_entry WHERE kind = :kind AND result = 'good' \
    AND opened_at < :end AND opened_at >= :since ORDER BY opened_at, id";

/// What a derived question is asked about.
pub(super) struct Scope<'s> {
    pub(super) ask: &'s EvidenceAsk,
    pub(super) period: Period,
    /// The earlier of the period's end and now.
    pub(super) end: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    pub(super) places: &'s Places,
    /// What the sample is drawn from.
    pub(super) seed: &'s [u8; 32],
    /// Of the database that is asked.
    pub(super) dialect: Dialect,
}

impl Scope<'_> {
    fn good(&self) -> i64 {
        self.ask.params.good_within.map_or(0, Span::micros)
    }

    fn warn(&self) -> i64 {
        self.ask.params.warn_within.map_or(0, Span::micros)
    }

    fn from(&self) -> i64 {
        self.period.from.timestamp_micros()
    }

    fn end(&self) -> i64 {
        self.end.timestamp_micros()
    }

    /// The answer of a population that is held whole: a class and a row for each member.
    fn whole(&self, mut rows: Vec<(Class, Vec<String>)>) -> EvidenceAnswer {
        let columns = heads::of(self.ask.query);
        let count = |class| rows.iter().filter(|(found, _)| *found == class).count() as u64;
        let (warnings, exceptions, population) =
            (count(Class::Warning), count(Class::Exception), rows.len() as u64);
        let all_shown = warnings + exceptions == 0 && rows.len() <= MEMBERS_MAX;
        let sample = match all_shown {
            true => Sample::default(),
            false => self.drawn(columns, population, |place| {
                let place = usize::try_from(place).ok()?;
                rows.get(place).map(|(_, row)| row.clone())
            }),
        };
        if warnings + exceptions > 0 {
            rows.retain(|(class, _)| *class > Class::Good);
            rows.sort_by_key(|(class, _)| std::cmp::Reverse(*class));
            rows.truncate(ROWS_MAX);
        } else {
            let surplus = rows.len().saturating_sub(MEMBERS_MAX);
            rows.drain(..surplus);
            rows.reverse();
        }
        let answer = self.counted(
            (population, warnings, exceptions),
            columns,
            rows.into_iter().map(|(_, row)| row).collect(),
        );
        EvidenceAnswer { sample, ..answer }
    }

    /// The sample of a population whose members are at hand, by their places.
    fn drawn(
        &self,
        columns: &[&str],
        population: u64,
        member: impl Fn(u64) -> Option<Vec<String>>,
    ) -> Sample {
        let positions = sample::draw(self.seed, population);
        Sample {
            seed: hex::encode(self.seed),
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: positions.iter().filter_map(|place| member(*place)).collect(),
            positions,
        }
    }

    fn counted(
        &self,
        (population, warnings, exceptions): (u64, u64, u64),
        columns: &[&str],
        rows: Vec<Vec<String>>,
    ) -> EvidenceAnswer {
        let (basis, text) = words::of(self.ask, self.dialect);
        EvidenceAnswer {
            ask: self.ask.clone(),
            population,
            warnings,
            exceptions,
            columns: columns.iter().map(ToString::to_string).collect(),
            rows,
            sample: Sample::default(),
            basis: basis.to_owned(),
            text,
        }
    }

    /// The days (UTC) of the period up to now, each as its number since 1970.
    fn days(&self) -> std::ops::Range<i64> {
        self.from().div_euclid(DAY)..self.end().saturating_sub(1).div_euclid(DAY) + 1
    }
}

/// Answers what [`super::questions`] does not.
pub(super) async fn answer(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    use EvidenceQuery as Q;
    match scope.ask.query {
        Q::DaysWithEvents => days_with_events(tx, scope).await,
        Q::CategoriesReporting => categories_reporting(tx, scope).await,
        Q::FailuresReported => failures_reported(tx, scope).await,
        Q::CategoriesRegistered => categories_registered(tx, scope).await,
        Q::FeedSilence => silence::feed_silence(tx, scope).await,
        Q::LostEvents => lost::lost_events(tx, scope).await,
        Q::RulesFired => rules_fired(tx, scope).await,
        Q::SensitiveData => sensitive::sensitive_data(tx, scope).await,
        Q::EvidenceIntact => trail::evidence_intact(tx, scope).await,
        Q::AuditCheckpoints => trail::checkpoints(tx, scope).await,
        Q::AuditVerificationDaily => verified_daily(tx, scope).await,
        Q::RegisterDaily => register_daily(tx, scope).await,
        Q::RegisterGaps => register_gaps(tx, scope).await,
        // Of requests for erasure; of other kinds it is a question about one table.
        Q::RegisterGood => erasures::erasures_good(tx, scope).await,
        Q::AuditComplete => trail::audit_complete(tx, scope).await,
        Q::AuditExplained => trail::audit_explained(tx, scope).await,
        Q::AuditProtected => trail::audit_protected(tx, scope).await,
        Q::RetentionLimits => keeping::retention_limits(tx, scope).await,
        Q::RetentionPolicy => keeping::retention_policy(tx, scope).await,
        Q::HistoryKept => keeping::history_kept(tx, scope).await,
        Q::EncryptionKnown => encryption::encryption_known(tx, scope).await,
        other => Err(StoreError::Corrupt(format!("the question {other} has no text"))),
    }
}

/// Authentication by user: who failed how often, the most failures first. The sign before the time keeps SQLite to the index
/// in the order of accounts: sorting by account what another index finds by time takes ten times as long.
pub(super) async fn sign_ins(
    tx: &mut Tx,
    places: &Places,
    exceptions: u64,
) -> Result<(Vec<String>, Vec<Vec<String>>), StoreError> {
    const FAILED: &str = "COUNT(CASE WHEN outcome = 'failure' THEN 1 END)";
    let tail = if exceptions > 0 {
        format!("HAVING {FAILED} > 0 ORDER BY {FAILED} DESC, MIN(at), actor LIMIT {ROWS_MAX}")
    } else {
        format!("ORDER BY MAX(at) DESC, actor LIMIT {MEMBERS_MAX}")
    };
    let (sql, values) = places.bind(&format!(
        "SELECT actor, COUNT(*), {FAILED}, MIN(at), MAX(at) FROM event WHERE category = 'authentication' \
         AND category <> 'api_usage' AND at >= :from AND at < :to GROUP BY actor {tail}"
    ));
    let columns: &[Column] = &[
        ("user", "", Cell::Text),
        ("events", "", Cell::Number),
        ("failures", "", Cell::Number),
        ("first", "", Cell::Time),
        ("last", "", Cell::Time),
    ];
    let rows = tx.fetch(sql, values).await?;
    let names = columns.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    Ok((names, rows.iter().map(|row| cells(row, columns)).collect()))
}

/// What was allowed and refused, by role and permission.
pub(super) async fn actions_by_role(
    tx: &mut Tx,
    places: &Places,
) -> Result<(Vec<String>, Vec<Vec<String>>), StoreError> {
    let (sql, values) = places.bind(
        "SELECT role, permission, COUNT(CASE WHEN outcome = 'success' THEN 1 END), \
         COUNT(CASE WHEN outcome = 'denied' THEN 1 END) FROM audit_record WHERE at >= :from AND at < :to \
         AND outcome IN ('success', 'denied') GROUP BY role, permission ORDER BY role, permission",
    );
    let columns: &[Column] = &[
        ("role", "", Cell::Text),
        ("permission", "", Cell::Text),
        ("allowed", "", Cell::Number),
        ("refused", "", Cell::Number),
    ];
    let rows = tx.fetch(sql, values).await?;
    let names = columns.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    Ok((names, rows.iter().map(|row| cells(row, columns)).collect()))
}

fn day_text(day: i64) -> Result<String, StoreError> {
    Ok(micros(day * DAY)?.format("%Y-%m-%d").to_string())
}

async fn days_with_events(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut places = scope.places.clone();
    places.set("day", DAY);
    let (sql, mut values) = places.bind(EVENT_DAYS);
    // The bucket in which the period begins counts.
    values[1] = bucket_of(scope.from()).into();
    let mut counts = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        counts.insert(row.i64(0)?, row.i64(1)?);
    }
    let mut rows = Vec::new();
    for day in scope.days() {
        let n = counts.get(&day).copied().unwrap_or(0);
        let class = if n == 0 { Class::Exception } else { Class::Good };
        rows.push((class, vec![day_text(day)?, n.to_string()]));
    }
    Ok(scope.whole(rows))
}

async fn verified_daily(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut places = scope.places.clone();
    places.set("day", DAY);
    let (sql, values) = places.bind(VERIFIED_DAYS);
    let mut seen = BTreeSet::new();
    for row in tx.fetch(sql, values).await? {
        seen.insert(row.i64(0)?);
    }
    let mut rows = Vec::new();
    for day in scope.days() {
        let (class, word) = if seen.contains(&day) { (Class::Good, "yes") } else { (Class::Warning, "no") };
        rows.push((class, vec![day_text(day)?, word.to_owned()]));
    }
    Ok(scope.whole(rows))
}

async fn register_daily(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut places = scope.places.clone();
    places.set("day", DAY);
    let (sql, values) = places.bind(REGISTER_DAYS);
    let mut took = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        took.insert(row.i64(0)?, row.opt_i64(1)?.unwrap_or(0));
    }
    let now = scope.now.timestamp_micros();
    let mut rows = Vec::new();
    for day in scope.days() {
        let (class, word) = match took.get(&day) {
            Some(took) if *took > DAY => (Class::Warning, "late"),
            Some(_) => (Class::Good, "yes"),
            // What may still be done in time says nothing yet.
            None if (day + 2) * DAY > now => continue,
            None => (Class::Exception, "no"),
        };
        rows.push((class, vec![day_text(day)?, word.to_owned()]));
    }
    Ok(scope.whole(rows))
}

/// Events and failures of each category in the period, by the counters.
async fn by_category(tx: &mut Tx, scope: &Scope<'_>) -> Result<BTreeMap<Category, (u64, u64)>, StoreError> {
    let (sql, mut values) = scope.places.bind(BY_CATEGORY);
    values[0] = bucket_of(scope.from()).into();
    let mut counts = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        counts.insert(row.parse(0)?, (row.u64(1)?, row.u64(2)?));
    }
    Ok(counts)
}

/// Subjects whose newest entry of `kind` that began before the end is in force or ended well.
async fn registered(
    tx: &mut Tx,
    scope: &Scope<'_>,
    kind: &str,
    since: i64,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT r.subject FROM register_entry r WHERE r.kind = $1 AND r.opened_at < $2 AND r.opened_at >= $3 \
         AND r.result <> 'bad' AND NOT {} AND NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = r.kind \
         AND s.subject = r.subject AND s.opened_at < $2 \
         AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id)))",
        super::entries::retired("r")
    );
    let rows = tx.fetch(sql, args![kind, scope.end(), since]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Exceptions from a rule that are in force at the end.
async fn exceptions_in_force(tx: &mut Tx, scope: &Scope<'_>) -> Result<BTreeSet<String>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT DISTINCT subject FROM register_entry WHERE kind = 'exception' AND opened_at < $1 AND due_at > $1",
            args![scope.end()],
        )
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

async fn categories_reporting(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let counts = by_category(tx, scope).await?;
    let excused = exceptions_in_force(tx, scope).await?;
    let rows = Category::ALL
        .iter()
        .map(|category| {
            let n = counts.get(category).map_or(0, |(n, _)| *n);
            let excuse = excused.contains(&format!("category/{category}"));
            let class = match (n, excuse) {
                (0, false) => Class::Exception,
                (0, true) => Class::Warning,
                _ => Class::Good,
            };
            let word = if excuse { "exception in force" } else { "" };
            (class, vec![category.to_string(), n.to_string(), word.to_owned()])
        })
        .collect();
    Ok(scope.whole(rows))
}

async fn failures_reported(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let counts = by_category(tx, scope).await?;
    let tested = registered(tx, scope, "test_event", scope.from()).await?;
    let rows = [Category::Authentication, Category::Authorization, Category::ApiUsage]
        .into_iter()
        .filter_map(|category| {
            let (n, failures) = counts.get(&category).copied()?;
            let test = tested.contains(&format!("category/{category}"));
            let class = if failures > 0 || test { Class::Good } else { Class::Exception };
            let word = if test { "test event" } else { "" };
            Some((class, vec![category.to_string(), n.to_string(), failures.to_string(), word.to_owned()]))
        })
        .collect();
    Ok(scope.whole(rows))
}

async fn categories_registered(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let counts = by_category(tx, scope).await?;
    let kind = scope.ask.params.kind.map_or("", |kind| kind.as_str());
    let known = registered(tx, scope, kind, 0).await?;
    let rows = counts
        .iter()
        .filter(|(_, (n, _))| *n > 0)
        .map(|(category, (n, _))| {
            let there = known.contains(&format!("category/{category}"));
            let word = if there { "registered" } else { "missing" };
            let class = if there { Class::Good } else { Class::Exception };
            (class, vec![category.to_string(), n.to_string(), word.to_owned()])
        })
        .collect();
    Ok(scope.whole(rows))
}

async fn rules_fired(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let (sql, values) = scope.places.bind(FIRED);
    let mut fired: BTreeMap<String, i64> = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        fired.insert(row.text(0)?, row.i64(1)?);
    }
    let tests = tx
        .fetch(
            "SELECT subject, MAX(opened_at) FROM register_entry WHERE kind = 'test_event' AND result = 'good' \
             AND opened_at < $1 GROUP BY subject",
            args![scope.end()],
        )
        .await?;
    let mut tested: BTreeMap<String, i64> = BTreeMap::new();
    for row in &tests {
        tested.insert(row.text(0)?, row.i64(1)?);
    }
    let mut rows = Vec::new();
    for family in &scope.ask.params.families {
        let fired = fired.get(family.as_str()).copied();
        let tried = tested.get(&format!("family/{family}")).copied();
        let age = scope.end() - fired.max(tried).unwrap_or(i64::MIN / 2);
        let class = match age {
            age if age > scope.warn() => Class::Exception,
            age if age > scope.good() => Class::Warning,
            _ => Class::Good,
        };
        let text = |at: Option<i64>| -> Result<String, StoreError> {
            Ok(at.map(micros).transpose()?.map(time_text).unwrap_or_default())
        };
        rows.push((class, vec![family.to_string(), text(fired)?, text(tried)?]));
    }
    Ok(scope.whole(rows))
}

async fn register_gaps(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut places = scope.places.clone();
    // The entry before the period may reach into it.
    places.set("since", scope.from().saturating_sub(scope.warn()));
    let (sql, values) = places.bind(GAPS);
    let mut times = Vec::new();
    for row in tx.fetch(sql, values).await? {
        times.push(row.i64(0)?);
    }
    let mut rows = Vec::new();
    for (index, at) in times.iter().enumerate() {
        let next = times.get(index + 1).copied().unwrap_or(scope.end());
        let class = match next - at {
            gap if gap > scope.warn() => Class::Exception,
            gap if gap > scope.good() => Class::Warning,
            _ => Class::Good,
        };
        rows.push((class, vec![time_text(micros(*at)?), time_text(micros(next)?)]));
    }
    Ok(scope.whole(rows))
}
