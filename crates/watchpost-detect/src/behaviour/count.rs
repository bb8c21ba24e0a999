//! Rules that count: thresholds over sliding windows and leaking buckets, for each group.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome};
use watchpost_model::finding::{CountedEvents, Counter, Finding};
use watchpost_model::ids::EventId;

use super::cell::{Cell, MEMBERS_MAX, Sum};
use super::facts::Facts;
use super::length;
use super::sequence::{Done, Sequence, UNKNOWN};
use super::table::{Key, Saved, Table};
use crate::engine::Config;
use crate::finding::{Seen, finding, finding_id};
use crate::rules::{Also, Behaviour, By, Of, Part, When};

/// Marks the cell of the same group that counts what went well.
const PASSES: Key = 0x5c5c_5c5c_5c5c_5c5c;

/// Marks the cell of the same group that knows the other values.
const OTHERS: Key = 0x3a3a_3a3a_3a3a_3a3a;

/// All rules that count.
#[derive(Debug, Default)]
pub(super) struct Counting {
    rules: Vec<Rule>,
    /// For each of them what it looks at, as `Facts::is`: an event is nothing to most rules.
    wanted: Vec<u32>,
}

#[derive(Debug)]
struct Rule {
    row: Arc<Behaviour>,
    table: Table<Cell>,
    /// What lately completed a sequence of each group: events that it counts may come after it.
    sequences: Table<Sequence>,
    window_ms: i64,
    keep_ms: i64,
    lateness_ms: i64,
    /// What else it looks at.
    other: Option<When>,
    /// The part whose values it remembers.
    part: Option<Part>,
}

impl Counting {
    pub(super) fn set_rules(&mut self, rows: &[Arc<Behaviour>], config: &Config) {
        let mut known: HashMap<String, Rule> =
            self.rules.drain(..).map(|rule| (rule.row.info.id.clone(), rule)).collect();
        for row in rows.iter().filter(|row| row.counts.of != Of::Special) {
            let mut rule = Rule::new(row, config);
            if let Some(before) = known.remove(&row.info.id) {
                rule.table.restore(before.table.save());
                rule.sequences.restore(before.sequences.save());
            }
            self.rules.push(rule);
        }
        let bit = |when: When| 1_u32 << when as u32;
        self.wanted =
            self.rules.iter().map(|rule| bit(rule.row.counts.when) | rule.other.map_or(0, bit)).collect();
    }

    pub(super) fn n_groups(&self) -> usize {
        self.rules.iter().map(|rule| rule.table.len() + rule.sequences.len()).sum()
    }

    pub(super) fn observe(
        &mut self,
        event: &Event,
        facts: &Facts<'_>,
        findings: &mut Vec<Finding>,
        evicted: &mut u64,
    ) {
        let rules = self.rules.iter_mut().zip(&self.wanted);
        for (rule, _) in rules.filter(|(_, wanted)| **wanted & facts.is != 0) {
            let counts = rule.row.counts;
            let does_count = facts.has(counts.when);
            let does_other = rule.other.is_some_and(|other| facts.has(other));
            let Some(group) = facts.group(counts.by) else { continue };
            let Some(key) = facts.group_key(counts.by) else { continue };
            if counts.of == Of::Each {
                findings.extend(does_count.then(|| rule.each(event, facts, group.0)));
                continue;
            }
            let reached = match (does_other, does_count) {
                (true, _) => rule.other(event, facts, key, evicted),
                (false, _) => rule.count(facts, key, evicted),
            };
            findings.extend(reached.map(|reached| rule.report(event, group.0, reached)));
        }
    }

    pub(super) fn save(&self) -> Vec<(String, Saved<Cell>)> {
        self.rules.iter().map(|rule| (rule.row.info.id.clone(), rule.table.save())).collect()
    }

    /// What completed sequences.
    pub(super) fn save_sequences(&self) -> Vec<(String, Saved<Sequence>)> {
        let rules = self.rules.iter().filter(|rule| rule.row.counts.also.is_sequence());
        rules.map(|rule| (rule.row.info.id.clone(), rule.sequences.save())).collect()
    }

    /// What rules that are gone have counted is dropped.
    pub(super) fn restore(&mut self, saved: Vec<(String, Saved<Cell>)>) {
        for (id, groups) in saved {
            if let Some(rule) = self.rules.iter_mut().find(|rule| rule.row.info.id == id) {
                rule.table.restore(groups);
            }
        }
    }

    pub(super) fn restore_sequences(&mut self, saved: Vec<(String, Saved<Sequence>)>) {
        for (id, groups) in saved {
            if let Some(rule) = self.rules.iter_mut().find(|rule| rule.row.info.id == id) {
                rule.sequences.restore(groups);
            }
        }
    }
}

/// A threshold that was reached, or doubled once more.
struct Reached {
    sum: Sum,
    window: i64,
    step: u8,
    /// What completed it, of a sequence.
    by: Option<EventId>,
}

impl Rule {
    fn new(row: &Arc<Behaviour>, config: &Config) -> Self {
        let window_ms = i64::from(row.window_s) * 1_000;
        let lateness_ms = config.lateness_max.num_milliseconds();
        let keep_ms = window_ms + lateness_ms;
        let is_login = matches!(row.counts.when, When::LoginFailed | When::UnknownUser | When::LoginWorked);
        let max = if is_login { config.login_groups_max } else { config.request_groups_max };
        let (other, other_part) = match row.counts.also {
            Also::Nothing => (None, None),
            Also::AtLeast(part, _) => (None, Some(part)),
            Also::Without(when)
            | Also::FewTries(when)
            | Also::FewTriesFrom(when, ..)
            | Also::Then(when)
            | Also::ThenFirst(when) => (Some(when), None),
            Also::ThenWith(when, part)
            | Also::ThenWithAtLeast(when, part, _)
            | Also::ThenElsewhere(when, part, _)
            | Also::ThenOf(when, part, _) => (Some(when), Some(part)),
        };
        let part = match row.counts.of {
            Of::Distinct(part) | Of::Leaky(part, _) => Some(part),
            Of::Events | Of::Mebibytes | Of::Each | Of::Special => other_part,
        };
        let has_tries = matches!(row.counts.also, Also::ThenOf(..));
        Self {
            row: Arc::clone(row),
            table: Table::new(max, keep_ms),
            sequences: Table::new(max, if has_tries { keep_ms } else { lateness_ms }),
            window_ms,
            keep_ms,
            lateness_ms,
            other,
            part,
        }
    }

    /// Something of the other kind happened to the group.
    fn other(&mut self, event: &Event, facts: &Facts<'_>, key: Key, evicted: &mut u64) -> Option<Reached> {
        let (at_ms, window_ms, keep_ms) = (facts.at_ms, self.window_ms, self.keep_ms);
        let also = self.row.counts.also;
        match also {
            Also::Nothing | Also::AtLeast(..) => None,
            Also::ThenOf(..) => {
                let with = self.part.and_then(|part| facts.member(part)).unwrap_or(UNKNOWN);
                self.worked(Done { at_ms, with, id: event.id }, key, evicted)
            }
            Also::Without(_) => {
                self.table.change_known(key, |cell| cell.clear_until(at_ms));
                None
            }
            Also::FewTries(_) | Also::FewTriesFrom(..) => {
                let n = facts.count;
                self.table
                    .change(key ^ PASSES, at_ms, evicted, |cell| cell.add(at_ms, n, window_ms, keep_ms));
                None
            }
            // Of whom it is not known where that was, nothing is said.
            Also::ThenElsewhere(..) if facts.is_at_home || facts.source.is_none() => None,
            Also::ThenFirst(_)
            | Also::Then(_)
            | Also::ThenWith(..)
            | Also::ThenWithAtLeast(..)
            | Also::ThenElsewhere(..) => {
                let with = self.part.and_then(|part| facts.member(part)).unwrap_or(UNKNOWN);
                let done = Done { at_ms, with, id: event.id };
                let lateness_ms = self.lateness_ms;
                let (over, before) = self.sequences.change(key, at_ms, evicted, |group| {
                    (group.note(done, lateness_ms), group.noted_before(at_ms))
                });
                let row = &*self.row;
                self.table.change_known(key, |cell| {
                    // What is counted up to one that nothing comes late for any more is over with it.
                    if let (Also::ThenFirst(_), Some(over_ms)) = (also, over) {
                        cell.clear_until(over_ms);
                    }
                    completed(row, cell, Completion::new(row, done, before))
                })?
            }
        }
    }

    /// It happened to the group, with a value of which tries may have been counted.
    fn worked(&mut self, done: Done, key: Key, evicted: &mut u64) -> Option<Reached> {
        let (row, lateness_ms) = (&*self.row, self.lateness_ms);
        self.sequences.change(key, done.at_ms, evicted, |group| {
            group.note(done, lateness_ms);
            group.worked(done, lateness_ms);
            led_to(row, group, done)
        })
    }

    /// Something was tried with a value: kept by itself, for what happens with the same value or another one.
    fn tried(&mut self, facts: &Facts<'_>, key: Key, who: u32, evicted: &mut u64) -> Option<Reached> {
        let (at_ms, window_ms, keep_ms) = (facts.at_ms, self.window_ms, self.keep_ms);
        let row = &*self.row;
        self.sequences.change(key, at_ms, evicted, |group| {
            group.tried(at_ms, who, facts.count, (window_ms, keep_ms));
            let later = group.noted(at_ms, at_ms.saturating_add(window_ms)).to_vec();
            later.into_iter().find_map(|done| led_to(row, group, done))
        })
    }

    /// What completed a sequence of the group at or after `at_ms`, for an event that comes after it.
    fn completed_after(&self, key: Key, at_ms: i64) -> Vec<Completion> {
        let Some(group) = self.sequences.get(key) else { return Vec::new() };
        let mut before = group.noted_before(at_ms);
        let mut all = Vec::new();
        for done in group.noted(at_ms, at_ms + self.window_ms) {
            all.push(Completion::new(&self.row, *done, before));
            before = Some(done.at_ms);
        }
        all
    }

    fn count(&mut self, facts: &Facts<'_>, key: Key, evicted: &mut u64) -> Option<Reached> {
        let (at_ms, window_ms, keep_ms) = (facts.at_ms, self.window_ms, self.keep_ms);
        let counts = self.row.counts;
        let value = self.part.and_then(|part| facts.member(part));
        let is_distinct = matches!(counts.of, Of::Distinct(_) | Of::Leaky(..));
        if is_distinct && value.is_none() {
            return None;
        }
        if let Also::ThenOf(..) = counts.also {
            return self.tried(facts, key, value.unwrap_or(UNKNOWN), evicted);
        }
        let n = match counts.of {
            Of::Mebibytes => {
                let bytes = if counts.when == When::Upload { facts.bytes_in } else { facts.bytes_out };
                u32::try_from(bytes.saturating_mul(u64::from(facts.count)) >> 10).unwrap_or(u32::MAX)
            }
            _ => facts.count,
        };
        let passes = match counts.also {
            Also::FewTries(_) | Also::FewTriesFrom(..) => {
                self.table.get(key ^ PASSES).map_or(0, |cell| cell.sum(at_ms, window_ms).n)
            }
            _ => 0,
        };
        // The other values have a cell of their own.
        let n_others = match counts.also {
            Also::FewTriesFrom(_, part, _) => {
                let other = facts.member(part).unwrap_or(UNKNOWN);
                self.table.change(key ^ OTHERS, at_ms, evicted, |cell| {
                    cell.add(at_ms, n, window_ms, keep_ms);
                    cell.meet(at_ms, other, keep_ms, false);
                    cell.distinct(at_ms, window_ms).n
                })
            }
            _ => 0,
        };
        let completions =
            if counts.also.is_sequence() { self.completed_after(key, at_ms) } else { Vec::new() };
        let remembers = self.part.is_some();
        let row = &*self.row;
        self.table.change(key, at_ms, evicted, |cell| {
            let leak = if let Of::Leaky(_, leak_ms) = counts.of { Some(i64::from(leak_ms)) } else { None };
            if leak.is_none() {
                cell.add(at_ms, n, window_ms, keep_ms);
            }
            if remembers {
                cell.meet(at_ms, value.unwrap_or(UNKNOWN), keep_ms, leak.is_some());
            }
            if counts.also.is_sequence() {
                return completions.into_iter().find_map(|done| completed(row, cell, done));
            }
            let sum = match counts.of {
                Of::Distinct(_) => {
                    let distinct = cell.distinct(at_ms, window_ms);
                    if distinct.n < u64::from(row.threshold) {
                        return None;
                    }
                    let events = cell.sum(at_ms, window_ms);
                    Sum {
                        n: distinct.n,
                        from_ms: events.from_ms.min(distinct.from_ms),
                        to_ms: distinct.to_ms,
                    }
                }
                Of::Leaky(..) => cell.leaked(u64::from(row.threshold), leak.unwrap_or(1)),
                Of::Events | Of::Mebibytes | Of::Each | Of::Special => cell.sum(at_ms, window_ms),
            };
            let holds = match counts.also {
                Also::Nothing | Also::Without(_) => true,
                Also::AtLeast(_, least) => is_spread(cell, at_ms, window_ms, least),
                Also::FewTriesFrom(_, _, least) if n_others < u64::from(least) => false,
                Also::FewTries(_) | Also::FewTriesFrom(..) => {
                    let tries = cell.sum(at_ms, window_ms).n;
                    // Many sources are not those of one office whose people log in: ordinary logins beside them hide
                    // nothing. Of those, one in three does not fail.
                    let is_unusual = match counts.also {
                        Also::FewTriesFrom(..) => passes <= tries * 2,
                        _ => passes * 10 <= tries,
                    };
                    tries <= sum.n * 2 && is_unusual
                }
                Also::Then(_)
                | Also::ThenFirst(_)
                | Also::ThenWith(..)
                | Also::ThenWithAtLeast(..)
                | Also::ThenElsewhere(..)
                | Also::ThenOf(..) => false,
            };
            if holds { step(row, &mut cell.reported, sum) } else { None }
        })
    }

    fn each(&self, event: &Event, facts: &Facts<'_>, group: &str) -> Finding {
        let row = &self.row;
        let entity = entity_of(row.counts.by, group);
        let whom = facts.grantee.map_or(String::new(), |grantee| format!(" to {grantee}"));
        finding(
            &row.info,
            event,
            Seen {
                id: finding_id(event.at, &[&row.info.id, &entity.to_string(), &event.id.to_string()]),
                summary: format!("{}{whom} ({}, by {group})", row.what, event.kind),
                entity,
                matched: None,
                counter: None,
                counted: None,
                severity: row.info.severity,
            },
        )
    }

    fn report(&self, event: &Event, group: &str, reached: Reached) -> Finding {
        let row = &self.row;
        let entity = entity_of(row.counts.by, group);
        let Reached { sum, window, step, by } = reached;
        let seen = if row.counts.of == Of::Mebibytes { sum.n >> 10 } else { sum.n };
        let started = time(window.saturating_mul(self.window_ms)).unwrap_or(event.at);
        let id = finding_id(
            started,
            &[&row.info.id, &entity.to_string(), &window.to_string(), &(step - 1).to_string()],
        );
        let is_full = matches!(row.counts.of, Of::Distinct(_) | Of::Leaky(..)) && seen >= MEMBERS_MAX as u64;
        let or_more = if is_full { " or more" } else { "" };
        let span = match row.counts.of {
            Of::Leaky(..) => u64::try_from((sum.to_ms - sum.from_ms) / 1_000).unwrap_or(0) + 1,
            _ => u64::from(row.window_s),
        };
        let found = finding(
            &row.info,
            event,
            Seen {
                id,
                summary: format!("{seen}{or_more} {} in {} ({})", row.what, length(span), entity.value),
                entity,
                matched: None,
                counter: Some(Counter {
                    what: row.what.clone(),
                    seen,
                    threshold: u64::from(row.threshold),
                    window_s: u64::from(row.window_s),
                }),
                counted: counted(row.counts.when, event, sum),
                severity: row.info.severity,
            },
        );
        // Where what completed it came first, an event that it counts reports it: the other one belongs to it too.
        Finding { linked: by.filter(|id| *id != event.id).into_iter().collect(), ..found }
    }
}

/// Something that completes a sequence, and since when events count for it.
#[derive(Debug, Clone, Copy)]
struct Completion {
    done: Done,
    since_ms: i64,
}

impl Completion {
    /// `before`: the time of the one before it.
    fn new(row: &Behaviour, done: Done, before: Option<i64>) -> Self {
        let start_ms = done.at_ms - i64::from(row.window_s) * 1_000;
        let since_ms = match (row.counts.also, before) {
            (Also::ThenFirst(_), Some(before_ms)) => start_ms.max(before_ms),
            _ => start_ms,
        };
        Self { done, since_ms }
    }
}

/// Was enough counted before it? To be asked when it comes, and for every event that comes later and counts for it.
fn completed(row: &Behaviour, cell: &mut Cell, completion: Completion) -> Option<Reached> {
    let Completion { done, since_ms } = completion;
    if let Also::ThenElsewhere(_, _, least) = row.counts.also {
        if cell.has_met(done.with) || cell.n_met_since(since_ms) < u64::from(least) {
            return None;
        }
    } else if done.with != UNKNOWN && !cell.has_met(done.with) {
        return None;
    }
    if let Also::ThenWithAtLeast(_, _, least) = row.counts.also
        && !cell.has_met(UNKNOWN)
        && cell.n_met_since(since_ms) < u64::from(least)
    {
        return None;
    }
    let sum = cell.until(done.at_ms, done.at_ms - since_ms);
    let reached = step(row, &mut cell.reported, sum)?;
    Some(Reached { by: Some(done.id), ..reached })
}

/// Was enough tried before it? To be asked as [`completed`].
fn led_to(row: &Behaviour, group: &mut Sequence, done: Done) -> Option<Reached> {
    let Also::ThenOf(_, _, least) = row.counts.also else { return None };
    let sum = group.tried_before(done, i64::from(row.window_s) * 1_000, least);
    let reached = step(row, &mut group.reported, sum)?;
    Some(Reached { by: Some(done.id), ..reached })
}

fn is_spread(cell: &Cell, at_ms: i64, window_ms: i64, least: u32) -> bool {
    cell.has_met(UNKNOWN) || cell.distinct(at_ms, window_ms).n >= u64::from(least)
}

/// The step if `sum` has reached the threshold, or has doubled once more, since the last report in this window.
fn step(row: &Behaviour, reported: &mut (i64, u8), sum: Sum) -> Option<Reached> {
    let unit = if row.counts.of == Of::Mebibytes { 1_024 } else { 1 };
    let threshold = u64::from(row.threshold.max(1)) * unit;
    if sum.n < threshold {
        return None;
    }
    // Steps are kept one higher so that zero is "nothing reported".
    let step = u8::try_from((sum.n / threshold).checked_ilog2()? + 1).unwrap_or(u8::MAX);
    let window = sum.to_ms.div_euclid(i64::from(row.window_s.max(1)) * 1_000);
    let last = *reported;
    if last.0 == window && last.1 >= step {
        return None;
    }
    // After a restart the state may know less than the first run did: an older window is never reported again.
    if last.1 != 0 && window < last.0 {
        return None;
    }
    *reported = (window, step);
    Some(Reached { sum, window, step, by: None })
}

fn time(ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms)
}

fn entity_of(by: By, group: &str) -> Entity {
    let kind = match by {
        By::Source => EntityKind::Ip,
        By::User => EntityKind::User,
        By::Endpoint | By::EndpointAgent | By::Entrance => EntityKind::Endpoint,
    };
    Entity::new(kind, group)
}

/// The events behind a count. For those that the application names by type, all of its category and outcome.
fn counted(when: When, event: &Event, sum: Sum) -> Option<CountedEvents> {
    let (category, outcome, status) = match when {
        When::LoginFailed | When::UnknownUser => {
            (Some(Category::Authentication), Some(Outcome::Failure), None)
        }
        When::LoginWorked => (Some(Category::Authentication), Some(Outcome::Success), None),
        When::Request | When::Page | When::Sensitive | When::DataOut => (None, None, None),
        When::Refused => (None, None, Some((400, 499))),
        When::NotFound => (None, None, Some((400, 404))),
        When::Unauthorized => (None, None, Some((401, 401))),
        When::Denied | When::UploadRefused => (Some(event.category), Some(Outcome::Failure), None),
        When::Allowed => (Some(event.category), Some(Outcome::Success), None),
        When::Upload
        | When::Csrf
        | When::Jwt
        | When::Ssrf
        | When::RateLimited
        | When::AdminGrant
        | When::SelfGrant => (Some(event.category), Some(event.outcome), None),
    };
    // A rule about "first this, then that" is completed by an event that it does not count.
    let category = match when {
        When::Denied if event.outcome == Outcome::Success => Some(Category::Authorization),
        _ => category,
    };
    Some(CountedEvents { from: time(sum.from_ms)?, to: time(sum.to_ms)?, category, outcome, status })
}
