//! What behaviours count: the events behind a count are linked to its incident, and so are later ones that go on with it.
//!
//! A span is a stretch of event time in which the events of one entity meet the conditions of a finding. While its
//! incident is active it grows: with each finding of the rule, and with each event that follows within the rule's
//! window. Every event in it is linked, exactly once.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::{Entity, Event, Severity};
use watchpost_model::finding::{CountedEvents, Finding};
use watchpost_model::ids::IncidentId;

use super::work::{Work, Works};
use crate::engine::{Row, Sql, Tx, Value, args};
use crate::error::StoreError;
use crate::event::{First, entities, is_indexed, key_text, push_entity, push_order, rank, severity_of};
use crate::incident::{LINKED, Linked};

/// Events linked in one step.
const STEP: usize = 2_000;
/// So many open spans are looked through; of more the ones of a batch's entities are asked for.
const OPEN_FEW: i64 = 1_000;
/// A count of this many times its threshold raises the severity by one step, to high at most: that something worked is
/// for rules to see, whatever the number.
const RAISE: u64 = 10;
/// Begins what is counted where that is no events: their number says nothing of it.
const VOLUME: &str = "MiB ";

struct Span {
    finding: String,
    incident: IncidentId,
    rule_id: String,
    entity: Entity,
    counted: CountedEvents,
    window: Duration,
    what: String,
    threshold: u64,
    severity: Severity,
    n: u64,
    raised: bool,
}

/// The second column is the incident that takes in what goes on: see `find_active`.
const SELECT: &str = "SELECT s.finding_id, CASE WHEN i.status IN ('resolved', 'closed') THEN i.root_id ELSE i.id END, s.rule_id, s.entity_kind, s.entity_key, s.category, s.outcome, \
    s.status_from, s.status_to, s.from_at, s.to_at, s.reach, s.what, s.threshold, s.severity, s.n, s.raised \
    FROM incident_span s JOIN incident i ON i.id = s.incident_id JOIN incident r ON r.id = i.root_id AND r.active = 1";

impl Span {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let word = |index: usize| row.opt_text(index);
        let (to, reach) = (row.time(10)?, row.time(11)?);
        let status = |index: usize| -> Result<Option<u16>, StoreError> {
            Ok(row.opt_i64(index)?.and_then(|n| u16::try_from(n).ok()))
        };
        Ok(Self {
            finding: row.text(0)?,
            incident: row.parse(1)?,
            rule_id: row.text(2)?,
            entity: Entity { kind: row.parse(3)?, value: row.text(4)? },
            counted: CountedEvents {
                from: row.time(9)?,
                to,
                category: if word(5)?.is_some() { Some(row.parse(5)?) } else { None },
                outcome: if word(6)?.is_some() { Some(row.parse(6)?) } else { None },
                status: status(7)?.zip(status(8)?),
            },
            window: reach - to,
            what: row.text(12)?,
            threshold: row.u64(13)?,
            severity: severity_of(row.i64(14)?)?,
            n: row.u64(15)?,
            raised: row.i64(16)? != 0,
        })
    }

    fn of(finding: &Finding, counted: &CountedEvents, incident: IncidentId) -> Self {
        let counter = finding.counter.as_ref();
        let window_s = counter.map_or(0, |counter| counter.window_s).min(31 * 86_400);
        Self {
            finding: finding.id.to_string(),
            incident,
            rule_id: finding.rule_id.clone(),
            entity: Entity { kind: finding.entity.kind, value: key_text(&finding.entity.value) },
            // Nothing is linked yet: the span grows to what was counted.
            counted: CountedEvents { to: counted.from - Duration::microseconds(1), ..counted.clone() },
            window: Duration::seconds(window_s.cast_signed()),
            what: counter.map_or_else(|| "events".to_owned(), |counter| counter.what.clone()),
            threshold: counter.map_or(0, |counter| counter.threshold),
            severity: finding.severity,
            n: 0,
            raised: false,
        }
    }

    fn reach(&self) -> DateTime<Utc> {
        self.counted.to + self.window
    }

    fn counts_alike(&self, finding: &Finding, counted: &CountedEvents) -> bool {
        let (mine, other) = (&self.counted, counted);
        self.entity.kind == finding.entity.kind
            && self.entity.value == key_text(&finding.entity.value)
            && (mine.category, mine.outcome, mine.status) == (other.category, other.outcome, other.status)
            && counted.from <= self.reach()
            && counted.to >= mine.from - self.window
    }

    /// Could an event of the span's entity belong to it?
    fn takes(&self, event: &Event) -> bool {
        let counted = &self.counted;
        let status = event.http.as_ref().and_then(|http| http.status);
        counted.from <= event.at
            && event.at <= self.reach()
            && counted.category.is_none_or(|category| category == event.category)
            && counted.outcome.is_none_or(|outcome| outcome == event.outcome)
            && counted
                .status
                .is_none_or(|(from, to)| status.is_some_and(|status| from <= status && status <= to))
    }

    /// Archived events of the span's conditions in `(after, until]` (or `[from, until]`), oldest first, at most a step.
    async fn archived(
        &self,
        tx: &mut Tx,
        from: Bound,
        until: DateTime<Utc>,
    ) -> Result<Vec<Linked>, StoreError> {
        let counted = &self.counted;
        let mut sql = Sql::new("SELECT ");
        sql.push(LINKED).push(" FROM event WHERE ");
        push_entity(&mut sql, &self.entity);
        match from {
            Bound::From(at) => sql.push(" AND at >= ").bind(at),
            Bound::After(at, id) => sql.push(" AND (at, id) > ").tuple(args![at, id]),
        };
        sql.push(" AND at <= ").bind(until);
        if let Some(category) = counted.category {
            sql.push(" AND category = ").bind(category.as_str());
        }
        if let Some(outcome) = counted.outcome {
            sql.push(" AND outcome = ").bind(outcome.as_str());
        }
        if let Some((low, high)) = counted.status {
            sql.push(" AND status >= ").bind(i64::from(low)).push(" AND status <= ").bind(i64::from(high));
        }
        push_order(&mut sql, tx.dialect(), is_indexed(self.entity.kind), First::Oldest);
        sql.push(" LIMIT ").bind(i64::try_from(STEP).unwrap_or(i64::MAX));
        tx.fetch_sql(sql).await?.iter().map(Linked::from_row).collect()
    }

    /// Links all events of the archive from `from` to `until`.
    async fn link_range(
        &mut self,
        tx: &mut Tx,
        work: &mut Work,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut bound = Bound::From(from);
        loop {
            let events = self.archived(tx, bound, until).await?;
            let Some(last) = events.last() else { return Ok(()) };
            bound = Bound::After(last.at, last.id.to_string());
            let full = events.len() == STEP;
            self.n += events.iter().map(|event| event.n).sum::<u64>();
            work.link(tx, &events).await?;
            if !full {
                return Ok(());
            }
        }
    }

    /// Widens the span to what a finding counted.
    async fn widen(&mut self, tx: &mut Tx, work: &mut Work, to: &CountedEvents) -> Result<(), StoreError> {
        let micro = Duration::microseconds(1);
        if to.from < self.counted.from {
            let until = self.counted.from - micro;
            self.link_range(tx, work, to.from, until).await?;
            self.counted.from = to.from;
        }
        if to.to > self.counted.to {
            let from = self.counted.to + micro;
            self.link_range(tx, work, from, to.to).await?;
            self.counted.to = to.to;
        }
        Ok(())
    }

    /// Links what follows within the window, until nothing does.
    async fn follow(&mut self, tx: &mut Tx, work: &mut Work) -> Result<(), StoreError> {
        loop {
            let (from, until) = (self.counted.to + Duration::microseconds(1), self.reach());
            let events = self.archived(tx, Bound::From(from), until).await?;
            let Some(last) = events.last().map(|last| last.at) else { return Ok(()) };
            // A step may end between events of one instant: the rest of that instant belongs to it.
            self.link_range(tx, work, from, last).await?;
            self.counted.to = last;
        }
    }

    /// Raises the severity once when the count is ten times what it takes.
    fn weigh(&mut self, work: &mut Work) {
        if self.raised || self.threshold == 0 || self.n < self.threshold.saturating_mul(RAISE) {
            return;
        }
        if self.what.starts_with(VOLUME) {
            return;
        }
        self.raised = true;
        let next = match self.severity {
            Severity::Info => Severity::Low,
            Severity::Low => Severity::Medium,
            Severity::Medium | Severity::High => Severity::High,
            Severity::Critical => Severity::Critical,
        };
        let by = format!(
            "{}: {} {}, ten times the threshold of {} or more",
            self.rule_id, self.n, self.what, self.threshold
        );
        work.raise(next, &by);
    }

    async fn save(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let status = self.counted.status;
        let row = args![
            self.finding.as_str(),
            self.incident.to_string(),
            self.rule_id.as_str(),
            self.entity.kind.as_str(),
            self.entity.value.as_str(),
            self.counted.category.map(|category| category.as_str()),
            self.counted.outcome.map(|outcome| outcome.as_str()),
            status.map(|(low, _)| i64::from(low)),
            status.map(|(_, high)| i64::from(high)),
            self.counted.from,
            self.counted.to,
            self.reach(),
            self.what.as_str(),
            self.threshold.cast_signed(),
            rank(self.severity),
            self.n.cast_signed(),
            i64::from(self.raised),
        ];
        tx.insert_rows(
            "INSERT INTO incident_span (finding_id, incident_id, rule_id, entity_kind, entity_key, category, outcome, \
             status_from, status_to, from_at, to_at, reach, what, threshold, severity, n, raised) VALUES ",
            &[row],
            " ON CONFLICT (finding_id) DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at, \
             reach = excluded.reach, severity = excluded.severity, n = excluded.n, raised = excluded.raised",
        )
        .await
        .map(drop)
    }
}

enum Bound {
    From(DateTime<Utc>),
    After(DateTime<Utc>, String),
}

/// Links the events that a finding's behaviour counted, and those that follow.
pub(super) async fn counted(tx: &mut Tx, work: &mut Work, finding: &Finding) -> Result<(), StoreError> {
    let Some(counted) = &finding.counted else { return Ok(()) };
    if counted.to < counted.from {
        return Ok(());
    }
    let rows = tx
        .fetch(
            format!("{SELECT} WHERE i.root_id = $1 AND s.rule_id = $2 ORDER BY s.to_at DESC"),
            args![work.root.to_string(), finding.rule_id.as_str()],
        )
        .await?;
    let mut known = None;
    for row in &rows {
        let span = Span::from_row(row)?;
        if span.incident == work.incident.id && span.counts_alike(finding, counted) {
            known = Some(span);
            break;
        }
    }
    let mut span = known.unwrap_or_else(|| Span::of(finding, counted, work.incident.id));
    span.severity = span.severity.max(finding.severity);
    span.widen(tx, work, counted).await?;
    span.follow(tx, work).await?;
    span.weigh(work);
    span.save(tx).await
}

/// The events of a batch by what they are about: spans are many, and each is of one entity.
struct Near<'a>(HashMap<Entity, Vec<&'a Event>>);

impl<'a> Near<'a> {
    fn of(events: &[&'a Event]) -> Self {
        let mut near: HashMap<Entity, Vec<&'a Event>> = HashMap::new();
        for event in events {
            for entity in entities(event) {
                near.entry(entity).or_default().push(event);
            }
        }
        Self(near)
    }

    fn taken_by(&self, span: &Span) -> Vec<&'a Event> {
        let events = self.0.get(&span.entity).map_or(&[][..], Vec::as_slice);
        events.iter().copied().filter(|event| span.takes(event)).collect()
    }
}

/// The spans of active incidents that take some of these events, each with those.
async fn touched<'a>(tx: &mut Tx, events: &[&'a Event]) -> Result<Vec<(Span, Vec<&'a Event>)>, StoreError> {
    let Some(first) = events.iter().map(|event| event.at).min() else { return Ok(Vec::new()) };
    let mut sql = Sql::new("SELECT entity_key FROM incident_span WHERE reach >= ");
    sql.bind(first).push(" LIMIT ").bind(OPEN_FEW + 1);
    let open = tx.fetch_sql(sql).await?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let near = Near::of(events);
    let mut values: BTreeSet<String> = near.0.keys().map(|entity| entity.value.clone()).collect();
    if i64::try_from(open.len()).is_ok_and(|n| n <= OPEN_FEW) {
        let open: HashSet<String> = open.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        values.retain(|value| open.contains(value));
    }
    let values: Vec<Value> = values.into_iter().map(Value::from).collect();
    let mut spans = Vec::new();
    let mut seen = HashSet::new();
    for row in tx.fetch_in(&format!("{SELECT} WHERE s.entity_key IN "), &values).await? {
        let span = Span::from_row(&row)?;
        let taken = near.taken_by(&span);
        if !taken.is_empty() && seen.insert(span.finding.clone()) {
            spans.push((span, taken));
        }
    }
    spans.sort_by(|(a, _), (b, _)| (a.counted.from, &a.finding).cmp(&(b.counted.from, &b.finding)));
    Ok(spans)
}

/// Could any of these events belong to what is being counted?
pub(super) async fn any_touched(tx: &mut Tx, events: &[&Event]) -> Result<bool, StoreError> {
    Ok(!touched(tx, events).await?.is_empty())
}

/// Links the new events of a batch that go on with what is being counted.
pub(super) async fn go_on(tx: &mut Tx, new: &[&Event], works: &mut Works) -> Result<(), StoreError> {
    for (mut span, taken) in touched(tx, new).await? {
        let (late, later): (Vec<&Event>, Vec<&Event>) =
            taken.into_iter().partition(|event| event.at <= span.counted.to);
        let late = late.into_iter().map(Linked::of).collect::<Result<Vec<_>, _>>()?;
        works.load(tx, span.incident).await?;
        let Some(work) = works.get_mut(span.incident) else { continue };
        let before = work.incident.event_count;
        work.link(tx, &late).await?;
        span.n += work.incident.event_count - before;
        if !later.is_empty() {
            span.follow(tx, work).await?;
        }
        span.weigh(work);
        span.save(tx).await?;
    }
    Ok(())
}
