//! Behaviours: counts over windows of event time, per source and per user.
//!
//! A count is reported when it reaches the threshold, and again whenever it has doubled. The identity of a report is the
//! rule, the group, the aligned window and the step, so a replay that starts elsewhere makes the same ids.

mod window;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome};
use watchpost_model::finding::{Counter, Finding};
use watchpost_model::place::Place;

use self::window::{Table, Window};
use crate::engine::{Config, Counters};
use crate::finding::{Seen, finding, finding_id};
use crate::rules::{Behaviour, Counted};

/// Most different users (or sources) that one group remembers.
const MEMBERS_MAX: usize = 256;
const SHORT_S: u32 = 600;
const LONG_S: u32 = 3_600;
const MINUTE_S: u32 = 60;

/// What was reported last, so that a step is reported once: aligned window and step of each behaviour.
type Reported = [(i64, u32); BEHAVIOURS_MAX];
const BEHAVIOURS_MAX: usize = 16;

/// Different members seen lately, by hash, with the time of the last.
#[derive(Debug, Default)]
struct Members(BTreeMap<u64, i64>);

impl Members {
    fn add(&mut self, name: &str, at_ms: i64, window_s: u32) {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let last = self.0.entry(hasher.finish()).or_insert(at_ms);
        *last = (*last).max(at_ms);
        if self.0.len() > MEMBERS_MAX {
            self.0.retain(|_, last| *last > at_ms - i64::from(window_s) * 1_000);
        }
        if self.0.len() > MEMBERS_MAX
            && let Some((&oldest, _)) = self.0.iter().min_by_key(|(member, last)| (**last, **member))
        {
            self.0.remove(&oldest);
        }
    }

    fn n_since(&self, at_ms: i64, window_s: u32) -> u64 {
        self.0.values().filter(|&&last| last > at_ms - i64::from(window_s) * 1_000).count() as u64
    }

    fn has(&self, name: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        self.0.contains_key(&hasher.finish())
    }
}

/// Failed logins of one source or of one user.
#[derive(Debug, Default)]
struct Failures {
    short: Window,
    long: Window,
    /// Users that the source tried, or sources that tried the user.
    others: Members,
    /// Failures of a user whose source is not known.
    has_unknown: bool,
    reported: Reported,
}

/// Requests of one source.
#[derive(Debug, Default)]
struct Requests {
    window: Window,
    reported: Reported,
}

/// The state of all behaviours.
#[derive(Debug)]
pub(crate) struct Behaviours {
    config: Config,
    sources: Table<Failures>,
    users: Table<Failures>,
    requests: Table<Requests>,
    newest_ms: i64,
}

impl Behaviours {
    pub(crate) fn new(config: Config) -> Self {
        let keep_ms = |window_s: u32| i64::from(window_s) * 1_000 + config.lateness_max.num_milliseconds();
        Self {
            config,
            sources: Table::new(config.login_groups_max, keep_ms(LONG_S)),
            users: Table::new(config.login_groups_max, keep_ms(LONG_S)),
            requests: Table::new(config.request_groups_max, keep_ms(MINUTE_S)),
            newest_ms: i64::MIN,
        }
    }

    pub(crate) fn n_groups(&self) -> usize {
        self.sources.len() + self.users.len() + self.requests.len()
    }

    pub(crate) fn tick(&mut self, _now: DateTime<Utc>) -> Vec<Finding> {
        Vec::new()
    }

    pub(crate) fn observe(
        &mut self,
        rows: &[Arc<Behaviour>],
        event: &Event,
        _place: Option<&Place>,
        findings: &mut Vec<Finding>,
        counters: &mut Counters,
    ) {
        let at_ms = event.at.timestamp_millis();
        if at_ms < self.newest_ms.saturating_sub(self.config.lateness_max.num_milliseconds()) {
            counters.events_late_total += 1;
            return;
        }
        self.newest_ms = self.newest_ms.max(at_ms);
        if is_login(event) {
            match event.outcome {
                Outcome::Failure => self.login_failed(rows, event, at_ms, findings, counters),
                Outcome::Success => self.login_succeeded(rows, event, at_ms, findings),
                Outcome::Unknown => {}
            }
        }
        if event.http.is_some() || event.category == Category::ApiUsage {
            self.requested(rows, event, at_ms, findings, counters);
        }
    }

    fn login_failed(
        &mut self,
        rows: &[Arc<Behaviour>],
        event: &Event,
        at_ms: i64,
        findings: &mut Vec<Finding>,
        counters: &mut Counters,
    ) {
        let (source, user) = (known(&event.source_ip), known(&event.actor));
        let count = event.count.max(1);
        if let Some(source) = source {
            let group = self.sources.touch(source, at_ms, &mut counters.groups_evicted_total);
            group.short.add(at_ms, SHORT_S, count, 0);
            group.long.add(at_ms, LONG_S, count, 0);
            if let Some(user) = user {
                group.others.add(user, at_ms, LONG_S);
            }
            let entity = Entity::new(EntityKind::Ip, source);
            let n_users = group.others.n_since(at_ms, LONG_S);
            for (nth, row) in rows.iter().enumerate().take(BEHAVIOURS_MAX) {
                let seen = match row.counted {
                    Counted::SourceFailures if row.window_s == SHORT_S => group.short.sums(at_ms, SHORT_S).0,
                    Counted::SourceFailures => group.long.sums(at_ms, LONG_S).0,
                    Counted::SprayedUsers => n_users,
                    _ => continue,
                };
                findings.extend(report(row, seen, &mut group.reported[nth], event, &entity));
            }
        }
        if let Some(user) = user {
            let group = self.users.touch(user, at_ms, &mut counters.groups_evicted_total);
            group.short.add(at_ms, SHORT_S, count, 0);
            match source {
                Some(source) => group.others.add(source, at_ms, SHORT_S),
                None => group.has_unknown = true,
            }
            if group.is_distributed(at_ms) {
                let entity = Entity::new(EntityKind::User, user);
                let seen = group.short.sums(at_ms, SHORT_S).0;
                for (nth, row) in rows
                    .iter()
                    .enumerate()
                    .take(BEHAVIOURS_MAX)
                    .filter(|(_, row)| row.counted == Counted::UserFailures)
                {
                    findings.extend(report(row, seen, &mut group.reported[nth], event, &entity));
                }
            }
        }
    }

    fn login_succeeded(
        &mut self,
        rows: &[Arc<Behaviour>],
        event: &Event,
        at_ms: i64,
        findings: &mut Vec<Finding>,
    ) {
        let (source, user) = (known(&event.source_ip), known(&event.actor));
        if let Some(source) = source
            && let Some(group) = self.sources.get_mut(source)
        {
            let entity = Entity::new(EntityKind::Ip, source);
            let seen = group.long.sums(at_ms, LONG_S).0;
            for (nth, row) in rows
                .iter()
                .enumerate()
                .take(BEHAVIOURS_MAX)
                .filter(|(_, row)| row.counted == Counted::SuccessAfterSource)
            {
                findings.extend(report(row, seen, &mut group.reported[nth], event, &entity));
            }
        }
        if let Some(user) = user
            && let Some(group) = self.users.get_mut(user)
            && group.is_distributed(at_ms)
            && source.is_none_or(|source| group.others.has(source))
        {
            let entity = Entity::new(EntityKind::User, user);
            let seen = group.short.sums(at_ms, SHORT_S).0;
            for (nth, row) in rows
                .iter()
                .enumerate()
                .take(BEHAVIOURS_MAX)
                .filter(|(_, row)| row.counted == Counted::SuccessAfterUser)
            {
                findings.extend(report(row, seen, &mut group.reported[nth], event, &entity));
            }
        }
    }

    fn requested(
        &mut self,
        rows: &[Arc<Behaviour>],
        event: &Event,
        at_ms: i64,
        findings: &mut Vec<Finding>,
        counters: &mut Counters,
    ) {
        let Some(source) = known(&event.source_ip) else { return };
        let count = event.count.max(1);
        let is_refused =
            event.http.as_ref().and_then(|http| http.status).is_some_and(|status| status / 100 == 4);
        let group = self.requests.touch(source, at_ms, &mut counters.groups_evicted_total);
        group.window.add(at_ms, MINUTE_S, count, if is_refused { count } else { 0 });
        let (all, refused) = group.window.sums(at_ms, MINUTE_S);
        let threshold = |counted| {
            rows.iter().find(|row| row.counted == counted).map_or(u64::MAX, |row| u64::from(row.threshold))
        };
        if all < threshold(Counted::Requests) && refused < threshold(Counted::RefusedRequests) {
            return;
        }
        let entity = Entity::new(EntityKind::Ip, source);
        for (nth, row) in rows.iter().enumerate().take(BEHAVIOURS_MAX) {
            let seen = match row.counted {
                Counted::Requests => all,
                Counted::RefusedRequests if is_refused => refused,
                _ => continue,
            };
            findings.extend(report(row, seen, &mut group.reported[nth], event, &entity));
        }
    }
}

impl Failures {
    /// A single source is the business of the source's own count.
    fn is_distributed(&self, at_ms: i64) -> bool {
        self.has_unknown || self.others.n_since(at_ms, SHORT_S) >= 2
    }
}

fn known(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty() && *value != "-")
}

/// Is the event an attempt to log in (or to pass a second factor)?
fn is_login(event: &Event) -> bool {
    event.category == Category::Authentication
        && ["login", "logon", "auth", "signin", "sign_in", "mfa", "password_check"]
            .iter()
            .any(|word| event.kind.contains(word))
        && !event.kind.contains("logout")
}

/// A finding if `seen` has reached the threshold, or has doubled once more, since the last one in this window.
fn report(
    row: &Behaviour,
    seen: u64,
    last: &mut (i64, u32),
    event: &Event,
    entity: &Entity,
) -> Option<Finding> {
    let threshold = u64::from(row.threshold);
    let step = (seen / threshold).checked_ilog2()?;
    let window = event.at.timestamp().div_euclid(i64::from(row.window_s));
    // Steps are kept one higher so that zero is "nothing reported".
    if last.0 == window && last.1 > step {
        return None;
    }
    // After a restart the state may know less than the first run did: an older window is never reported again.
    if last.1 != 0 && window < last.0 {
        return None;
    }
    *last = (window, step + 1);
    let started = DateTime::<Utc>::from_timestamp(window * i64::from(row.window_s), 0).unwrap_or(event.at);
    let parts = [row.info.id.as_str(), &entity.to_string(), &window.to_string(), &step.to_string()];
    Some(finding(
        &row.info,
        event,
        Seen {
            id: finding_id(started, &parts),
            entity: entity.clone(),
            summary: format!("{seen} {} in {} ({})", row.what, minutes(row.window_s), entity.value),
            matched: None,
            counter: Some(Counter {
                what: row.what.clone(),
                seen,
                threshold,
                window_s: u64::from(row.window_s),
            }),
            counted: None,
            severity: row.info.severity,
        },
    ))
}

fn minutes(window_s: u32) -> String {
    match window_s / 60 {
        1 => "a minute".to_owned(),
        60 => "an hour".to_owned(),
        n => format!("{n} minutes"),
    }
}
