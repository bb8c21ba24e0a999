//! What is usual for each user and each endpoint, learned from their events, and what stands out against it.
//!
//! Cold start: nothing stands out before a user has [`crate::Config::baseline_events_min`] events on
//! [`crate::Config::baseline_days_min`] different days, or an endpoint as many days and 48 hours with requests. Failures
//! teach nothing: who fails to log in as somebody must not become usual. Hours are UTC. What stood out is learned too,
//! so that it is told once.

mod compare;
mod export;
mod profile;

use std::net::IpAddr;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Event, Outcome, Severity};
use watchpost_model::finding::Finding;
use watchpost_model::place::Place;

pub use self::compare::compare;
pub(crate) use self::profile::{EndpointProfile, UserProfile};
use crate::behaviour::facts::Facts;
use crate::behaviour::table::{Saved, Table, key_of};
use crate::behaviour::{Special, Unusual, length, unusual};
use crate::engine::Config;
use crate::rules::{Behaviour, By, Part, When};

/// Below this a day's volume of a user never stands out, in KiB.
const DAY_KIB_MIN: u64 = 50 << 10;
/// Below this an hour's requests for an endpoint never stand out.
const HOUR_REQUESTS_MIN: u64 = 600;
/// Hours with requests that an endpoint needs before one stands out.
const ENDPOINT_HOURS_MIN: usize = 48;
/// Characters of a user agent that are looked at.
const AGENT_CHARS_MAX: usize = 240;
/// A profile that has been quiet for so long is over: 90 days.
const KEEP_MS: i64 = 90 * DAY_MS;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// So much of a segment of an endpoint is kept.
const SEGMENT_CHARS_MAX: usize = 64;

/// The habits of users and endpoints.
#[derive(Debug)]
pub(crate) struct Baselines {
    users: Table<UserProfile>,
    endpoints: Table<EndpointProfile>,
    events_min: u32,
    days_min: u32,
    /// The endpoint at hand, without its numbers; kept to save an allocation.
    pattern: String,
}

/// As it stands in a saved state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedBaselines {
    users: Saved<UserProfile>,
    endpoints: Saved<EndpointProfile>,
}

/// One event about to be learned.
struct Lesson<'a> {
    event: &'a Event,
    facts: &'a Facts<'a>,
    place: Option<&'a Place>,
    rows: &'a Special,
}

impl Baselines {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            users: Table::new(config.profile_users_max, KEEP_MS),
            endpoints: Table::new(config.profile_endpoints_max, KEEP_MS),
            events_min: config.baseline_events_min,
            days_min: config.baseline_days_min,
            pattern: String::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.users.len() + self.endpoints.len()
    }

    /// Is the source in a network that is known of the user?
    pub(crate) fn is_at_home(&self, facts: &Facts<'_>) -> bool {
        let Some(source) = facts.source else { return false };
        let network = network(source);
        // As it is written, and as it is counted.
        [facts.user, facts.part(Part::User)]
            .into_iter()
            .flatten()
            .any(|user| self.users.get(key_of(&[user])).is_some_and(|profile| profile.networks.has(&network)))
    }

    /// Tells what stands out, then learns it.
    pub(crate) fn observe(
        &mut self,
        rows: &Special,
        event: &Event,
        facts: &Facts<'_>,
        place: Option<&Place>,
        findings: &mut Vec<Finding>,
        evicted: &mut u64,
    ) {
        let status = event.http.as_ref().and_then(|http| http.status).unwrap_or(0);
        let is_failure = event.outcome == Outcome::Failure;
        // Who is refused asked all the same: a flood of such requests is one.
        let is_refused = matches!(status, 401 | 403);
        if is_failure && !is_refused {
            return;
        }
        let lesson = Lesson { event, facts, place, rows };
        if let Some(user) = facts.user.filter(|_| !is_failure) {
            let (events_min, days_min) = (self.events_min, self.days_min);
            self.users.change(key_of(&[user]), facts.at_ms, evicted, |profile| {
                let is_known = profile.events >= events_min && profile.days() >= days_min;
                lesson.user(profile, user, is_known, days_min, findings);
            });
        }
        if facts.has(When::Request)
            && (status < 400 || is_refused)
            && let Some(endpoint) = facts.endpoint
        {
            let mut pattern = std::mem::take(&mut self.pattern);
            pattern_into(endpoint, &mut pattern);
            let days_min = i64::from(self.days_min);
            self.endpoints.change(key_of(&[&pattern]), facts.at_ms, evicted, |profile| {
                lesson.endpoint(profile, &pattern, days_min, findings);
            });
            self.pattern = pattern;
        }
    }

    pub(crate) fn save(&self) -> SavedBaselines {
        SavedBaselines { users: self.users.save(), endpoints: self.endpoints.save() }
    }

    pub(crate) fn restore(&mut self, saved: SavedBaselines) {
        self.users.restore(saved.users);
        self.endpoints.restore(saved.endpoints);
    }
}

impl Lesson<'_> {
    fn user(
        &self,
        profile: &mut UserProfile,
        user: &str,
        is_known: bool,
        days_min: u32,
        findings: &mut Vec<Finding>,
    ) {
        if profile.name.is_empty() {
            user.clone_into(&mut profile.name);
        }
        profile.events = profile.events.saturating_add(self.facts.count);
        profile.newest_ms = profile.newest_ms.max(self.facts.at_ms);
        findings.extend(self.hour(profile, is_known));
        findings.extend(self.country(profile, is_known));
        findings.extend(self.device(profile, is_known));
        findings.extend(self.volume(profile, is_known, days_min));
    }

    fn hour(&self, profile: &mut UserProfile, is_known: bool) -> Option<Finding> {
        let hour_of_all = self.facts.at_ms.div_euclid(HOUR_MS);
        if hour_of_all == profile.hour_of_all {
            return None;
        }
        let day = self.facts.at_ms.div_euclid(DAY_MS);
        let at = self.event.at;
        let is_weekend = at.weekday().number_from_monday() >= 6;
        let row = self.rows.hour.as_ref().filter(|_| is_known && profile.reported_day != day);
        let found = row.and_then(|row| {
            let (days, near) = profile.activity_near(is_weekend, at.hour() as usize);
            let percent = near * 100 / days.max(1);
            if percent >= u64::from(row.threshold) || days < 5 {
                return None;
            }
            profile.reported_day = day;
            let kind = if is_weekend { "weekend day" } else { "weekday" };
            Some(self.tell(
                row,
                Unusual {
                    entity: Entity::new(EntityKind::User, profile.name.as_str()),
                    summary: format!(
                        "{} is active at {:02}:{:02} UTC on a {kind}; usual is {}",
                        profile.name,
                        at.hour(),
                        at.minute(),
                        profile.usual_hours(is_weekend)
                    ),
                    counter: (percent, u64::from(row.threshold)),
                    identity: &[&day.to_string()],
                    severity: row.info.severity,
                },
            ))
        });
        profile.learn_hour(hour_of_all, day, is_weekend, at.hour() as usize);
        found
    }

    fn country(&self, profile: &mut UserProfile, is_known: bool) -> Option<Finding> {
        let country = self.place?.country.as_deref()?;
        let is_new = !profile.countries.is_empty() && !profile.countries.has(country);
        let usual = is_new.then(|| profile.countries.usual());
        profile.countries.learn(country, self.facts.at_ms);
        let row = self.rows.country.as_ref().filter(|_| is_known)?;
        let usual = usual?;
        Some(self.tell(
            row,
            Unusual {
                entity: Entity::new(EntityKind::User, profile.name.as_str()),
                summary: format!(
                    "{} comes from {country} for the first time; usual is {usual}",
                    profile.name
                ),
                counter: (0, u64::from(row.threshold)),
                identity: &[country],
                severity: row.info.severity,
            },
        ))
    }

    fn device(&self, profile: &mut UserProfile, is_known: bool) -> Option<Finding> {
        let source = self.facts.group_key(By::Source).unwrap_or(0);
        let mut is_new_network = false;
        if source != profile.last_source
            && let Some(network) = self.facts.network()
        {
            is_new_network = !profile.networks.is_empty() && !profile.networks.has(network);
            profile.networks.learn(network, self.facts.at_ms);
            profile.last_source = source;
        }
        let agent = self.facts.agent?;
        let raw = self.facts.agent_key()?;
        if raw == profile.last_agent {
            return None;
        }
        profile.last_agent = raw;
        // Agents are told apart by their family and kept as they are written, for people. What an older version learned
        // are families, which are their own family.
        let family = agent_family(agent);
        let written: String = agent.chars().take(AGENT_CHARS_MAX).collect();
        let known = profile.agents.position(|known| known == written || agent_family(known) == family);
        let is_new = known.is_none() && !profile.agents.is_empty();
        let usual = is_new.then(|| profile.agents.usual_as(agent_shown));
        match known {
            Some(nth) => profile.agents.learn_again(nth, &written, self.facts.at_ms),
            None => profile.agents.learn(&written, self.facts.at_ms),
        }
        let is_login = self.facts.has(When::LoginWorked);
        let row = self.rows.device.as_ref().filter(|_| is_known && is_login)?;
        let usual = usual?;
        let shown: String = agent.chars().take(80).collect();
        let (also, severity) = if is_new_network {
            (", in a network that is new too", row.info.severity.max(Severity::Medium))
        } else {
            ("", row.info.severity)
        };
        Some(self.tell(
            row,
            Unusual {
                entity: Entity::new(EntityKind::User, profile.name.as_str()),
                summary: format!(
                    "{} logs in with {shown} for the first time{also}; usual is {usual}",
                    profile.name
                ),
                counter: (0, u64::from(row.threshold)),
                identity: &[&family],
                severity,
            },
        ))
    }

    fn volume(&self, profile: &mut UserProfile, is_known: bool, days_min: u32) -> Option<Finding> {
        if self.facts.bytes_out == 0 {
            return None;
        }
        let day = self.facts.at_ms.div_euclid(DAY_MS);
        let kib = self.facts.bytes_out.saturating_mul(u64::from(self.facts.count)).div_ceil(1_024);
        let today = profile.day_kib.add(day, kib);
        let row = self.rows.volume.as_ref().filter(|_| is_known)?;
        let usual = profile.day_kib.usual(days_min as usize)?;
        let limit = usual.limit(u64::from(row.threshold), DAY_KIB_MIN);
        let step = profile.day_kib.step(today, limit)?;
        Some(self.tell(
            row,
            Unusual {
                entity: Entity::new(EntityKind::User, profile.name.as_str()),
                summary: format!(
                    "{} took out {} in a day; usual is {} (median of {} days, deviation {})",
                    profile.name,
                    size(today),
                    size(usual.median),
                    usual.n,
                    size(usual.deviation)
                ),
                counter: (today >> 10, limit >> 10),
                identity: &[&day.to_string(), &step.to_string()],
                severity: row.info.severity,
            },
        ))
    }

    fn endpoint(
        &self,
        profile: &mut EndpointProfile,
        pattern: &str,
        days_min: i64,
        findings: &mut Vec<Finding>,
    ) {
        let at_ms = self.facts.at_ms;
        if profile.name.is_empty() {
            pattern.clone_into(&mut profile.name);
            profile.first_ms = at_ms;
        }
        profile.newest_ms = profile.newest_ms.max(at_ms);
        profile.requests = profile.requests.saturating_add(u64::from(self.facts.count));
        let hour = at_ms.div_euclid(HOUR_MS);
        profile.hour_kib.add(hour, self.facts.bytes_out >> 10);
        let now = profile.hour_requests.add(hour, u64::from(self.facts.count));
        if now < HOUR_REQUESTS_MIN || at_ms - profile.first_ms < days_min * DAY_MS {
            return;
        }
        let Some(row) = self.rows.rate.as_ref() else { return };
        let Some(usual) = profile.hour_requests.usual(ENDPOINT_HOURS_MIN) else { return };
        let limit = usual.limit(u64::from(row.threshold), HOUR_REQUESTS_MIN);
        let Some(step) = profile.hour_requests.step(now, limit) else { return };
        findings.push(self.tell(row, Unusual {
            entity: Entity::new(EntityKind::Endpoint, pattern),
            summary: format!(
                "{now} requests for {pattern} in {}; usual is {} (median of {} hours with requests, deviation {})",
                length(3_600),
                usual.median,
                usual.n,
                usual.deviation
            ),
            counter: (now, limit),
            identity: &[&hour.to_string(), &step.to_string()],
            severity: row.info.severity,
        }));
    }

    fn tell(&self, row: &Behaviour, seen: Unusual<'_>) -> Finding {
        let day = self.facts.at_ms.div_euclid(DAY_MS) * DAY_MS;
        unusual(row, self.event, DateTime::<Utc>::from_timestamp_millis(day).unwrap_or(self.event.at), seen)
    }
}

/// KiB for people.
fn size(kib: u64) -> String {
    match kib {
        0..10_240 => format!("{kib} KiB"),
        10_240..10_485_760 => format!("{} MiB", kib >> 10),
        _ => format!("{} GiB", kib >> 20),
    }
}

/// A user agent without its version numbers, at most 160 characters: an update makes no other device of it.
pub(crate) fn agent_family(agent: &str) -> String {
    let mut family = String::with_capacity(agent.len().min(160));
    for ch in agent.chars().take(AGENT_CHARS_MAX) {
        let is_version = ch.is_ascii_digit() || (matches!(ch, '.' | '_') && family.ends_with(['/', ' ']));
        if !is_version && family.len() < 160 {
            family.push(ch);
        }
    }
    family
}

/// A user agent for people, without its version numbers: `Mozilla (X11; Linux x86_64) Firefox`.
fn agent_shown(agent: &str) -> String {
    let is_end = |ch: char| ch.is_whitespace() || matches!(ch, ';' | ',' | '(' | ')');
    let mut shown = String::with_capacity(agent.len());
    let mut rest = agent;
    while let Some(ch) = rest.chars().next() {
        let after = &rest[ch.len_utf8()..];
        let word = &after[..after.find(is_end).unwrap_or(after.len())];
        let is_number = word.starts_with(|first: char| first.is_ascii_digit())
            && word.chars().all(|ch| ch.is_ascii_digit() || matches!(ch, '.' | '_'));
        let is_version = match ch {
            '/' => word.is_empty() || word.starts_with(|first: char| first.is_ascii_digit()),
            ' ' | ':' => is_number,
            _ => false,
        };
        if is_version {
            rest = &after[word.len()..];
        } else {
            shown.push(ch);
            rest = after;
        }
    }
    shown
}

/// The network of an address: the first 16 bits of IPv4, the first 32 of IPv6; what is no address stands for itself.
pub(crate) fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, ..] = v4.octets();
            // By hand: it is made for about every event, and formatting takes more than the rest of it.
            let mut name = String::with_capacity(16);
            push_number(&mut name, a);
            name.push('.');
            push_number(&mut name, b);
            name.push_str(".0.0/16");
            name
        }
        Ok(IpAddr::V6(v6)) => {
            let [a, b, ..] = v6.segments();
            format!("{a:x}:{b:x}::/32")
        }
        Err(_) => address.chars().take(64).collect(),
    }
}

fn push_number(text: &mut String, n: u8) {
    for (from, digit) in [(100, n / 100), (10, n / 10 % 10), (0, n % 10)] {
        if n >= from {
            text.push(char::from(b'0' + digit));
        }
    }
}

/// An endpoint with `*` for each segment that is a number or an id: `/orders/*/items`.
fn pattern_into(endpoint: &str, pattern: &mut String) {
    pattern.clear();
    for (nth, segment) in endpoint.split('/').enumerate() {
        if nth > 0 {
            pattern.push('/');
        }
        let n_digits = segment.bytes().filter(u8::is_ascii_digit).count();
        let is_hex =
            segment.len() >= 16 && segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if n_digits > 0 && (is_hex || n_digits * 2 >= segment.len()) {
            pattern.push('*');
        } else if segment.len() <= SEGMENT_CHARS_MAX {
            pattern.push_str(segment);
        } else {
            pattern.extend(segment.chars().take(SEGMENT_CHARS_MAX));
        }
        if pattern.len() > 200 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_are_one_endpoint() {
        let check = |path: &str, expect: &str| {
            let mut pattern = String::new();
            pattern_into(path, &mut pattern);
            assert_eq!(pattern, expect);
        };
        check("/api/orders/1234/items", "/api/orders/*/items");
        check("/api/v1/users", "/api/*/users");
        check("/f/0f8fad5b-d9cb-469f-a165-70867728950e", "/f/*");
        check("/login", "/login");
        check("/", "/");
    }

    #[test]
    fn agents_are_shown_with_their_words() {
        let check = |agent: &str, expect: &str| assert_eq!(agent_shown(agent), expect);
        check("Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "Mozilla (X11; Linux x86_64) Firefox");
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Mozilla (Windows NT; Win64; x64; rv) Gecko Firefox",
        );
        check("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "Mozilla (Macintosh; Intel Mac OS X)");
        check("curl/8.5", "curl");
        // As an older version learned it.
        check("Mozilla/ (X; Linux x_) Firefox/", "Mozilla (X; Linux x_) Firefox");
        check("", "");
        check("é/1 /", "é ");
    }

    #[test]
    fn a_family_is_its_own_family() {
        for agent in ["Mozilla/5.0 (X11; Linux x86_64; rv:1.9) Firefox/128.0", "a 1.b/.2_3", "curl/8.5"] {
            let family = agent_family(agent);
            assert_eq!(agent_family(&family), family, "what was learned before stays known");
        }
    }

    #[test]
    fn an_update_is_no_other_device() {
        assert_eq!(agent_family("Mozilla/5.0 Firefox/128.0"), agent_family("Mozilla/5.0 Firefox/131.0.2"));
        assert_ne!(agent_family("curl/8.5"), agent_family("okhttp/4.9"));
        assert_eq!(network("203.0.113.9"), "203.0.0.0/16");
        for n in 0..=255_u8 {
            assert_eq!(network(&format!("{n}.{}.0.1", 255 - n)), format!("{n}.{}.0.0/16", 255 - n));
        }
        assert_eq!(network("::ffff:203.0.113.9"), "203.0.0.0/16");
        assert_eq!(network("2001:db8:1::1"), "2001:db8::/32");
    }
}
