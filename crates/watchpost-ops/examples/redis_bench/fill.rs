//! What the servers of the bench hold.

use chrono::{Duration, SecondsFormat};
use watchpost_model::clock::{Clock, SystemClock};

use crate::Failure;
use crate::wire::{Wire, command};

const AT_ONCE: u64 = 1_000;
/// Endpoints in the keys of API events.
pub(crate) const ENDPOINTS: u64 = 40;

/// Which hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Six small fields.
    Small,
    /// The same, processed by an engine: what retention may take.
    Processed,
    /// With a payload of 65 to 200 bytes.
    Payload,
}

/// Writes `n` hashes of events of a hundred days ago, 70 % of them with a TTL.
pub(crate) fn fill(wire: &mut Wire, n: u64, kind: Kind) -> Result<(), Failure> {
    let begin = SystemClock.now() - Duration::days(100);
    for first in (0..n).step_by(usize::try_from(AT_ONCE)?) {
        let (mut bytes, mut commands) = (Vec::with_capacity(1 << 19), 0);
        for n in first..n.min(first + AT_ONCE) {
            let at = begin + Duration::milliseconds(i64::try_from(n)?);
            let (key, ms) = (key(n, at.timestamp_millis()), at.timestamp_millis());
            let (actor, source) = (format!("user{}", n % 5_000), format!("198.51.100.{}", n % 250));
            let resource = format!("/items/{}", n % 300);
            let (at, id) = (at.to_rfc3339_opts(SecondsFormat::Millis, true), format!("e{ms}"));
            let mut words =
                vec!["HSET", &key, "type", "login_failure", "severity", "medium", "outcome", "failure"];
            words.extend(["actor", &actor, "source_ip", &source, "resource", &resource]);
            let text = "the quick brown fox jumps over the lazy dog and runs on ".repeat(4);
            let length = usize::try_from(42 + n % 135)?;
            let payload = format!("{{\"details\":{{\"text\":\"{}\"}}}}", &text[..length]);
            match kind {
                Kind::Small => {}
                Kind::Processed => words.extend(["_q", "1-1"]),
                Kind::Payload => words.extend(["at", &at, "action", &id, "payload", &payload]),
            }
            command(&mut bytes, &words);
            commands += 1;
            if n % 10 < 7 {
                command(&mut bytes, &["PEXPIRE", &key, &(86_400_000 + n * 7).to_string()]);
                commands += 1;
            }
            if kind == Kind::Processed {
                command(
                    &mut bytes,
                    &["ZADD", &format!("security:index:{}", category(n)), &ms.to_string(), &key],
                );
                commands += 1;
            }
        }
        wire.pass(&bytes, commands)?;
    }
    Ok(())
}

fn key(n: u64, ms: i64) -> String {
    match n % 5 {
        0 => format!("security:auth:{ms}"),
        1 => format!("security:access:{ms}"),
        2 => format!("security:data:{ms}"),
        3 => format!("security:config:{ms}"),
        _ => format!("security:api:%2Fitems%2F{}:{ms}", (n / 5) % ENDPOINTS),
    }
}

const fn category(n: u64) -> &'static str {
    match n % 5 {
        0 => "authentication",
        1 => "authorization",
        2 => "data_access",
        3 => "configuration",
        _ => "api_usage",
    }
}

/// A hash of a million fields, or so many.
pub(crate) fn big_hash(wire: &mut Wire, fields: u64) -> Result<(), Failure> {
    for first in (0..fields).step_by(usize::try_from(AT_ONCE)?) {
        let names: Vec<String> = (first..fields.min(first + AT_ONCE)).map(|n| format!("field{n}")).collect();
        let mut words = vec!["HSET", "security:large"];
        words.extend(names.iter().flat_map(|name| [name.as_str(), "some value of it"]));
        let mut bytes = Vec::with_capacity(1 << 16);
        command(&mut bytes, &words);
        wire.pass(&bytes, 1)?;
    }
    Ok(())
}

/// Processed events of a day before the others, with payloads of a million bytes that are worth compressing.
pub(crate) fn large_events(wire: &mut Wire, n: u64) -> Result<(), Failure> {
    let begin = (SystemClock.now() - Duration::days(101)).timestamp_millis();
    let mut state = 1_u64;
    for n in 0..n {
        let key = format!("security:auth:{}", begin + i64::try_from(n)?);
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:016x}", state.rotate_left(32))
        };
        let text: String = (0..62_500).map(|_| noise()).collect();
        let payload = format!("{{\"details\":{{\"text\":\"{text}\"}}}}");
        wire.ask(&["HSET", &key, "type", "login_failure", "_q", "1-1", "payload", &payload])?;
    }
    Ok(())
}

/// Fifty patterns: the categories, the endpoints, and some that end in a digit.
pub(crate) fn patterns(n: usize) -> Vec<String> {
    let categories = ["auth", "access", "data", "config"].map(|name| format!("security:{name}:*"));
    let endpoints = (0..ENDPOINTS).map(|n| format!("security:api:%2Fitems%2F{n}:*"));
    let digits = (0..6).map(|n| format!("security:*{n}"));
    categories.into_iter().chain(endpoints).chain(digits).take(n).collect()
}
