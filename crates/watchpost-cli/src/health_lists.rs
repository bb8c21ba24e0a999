//! What stands around the metrics of `watchpost stats`: the number of keys, and the slow commands.

use watchpost_model::health::{RedisHealth, Unit};
use watchpost_model::text::visible;

use crate::output::{at, line, table, value};

/// Rows of the slow log that a table shows; JSON has all that were read.
const SLOW: usize = 10;

/// The number of keys, and how many of them end.
pub(crate) fn keys(health: &RedisHealth) -> anyhow::Result<()> {
    let Some(keys) = health.keys else { return line("keys: n/a") };
    let share = value(health.ttl_share, Unit::Ratio);
    let ending = health.keys_with_ttl.map_or_else(|| "n/a".to_owned(), |keys| keys.to_string());
    line(format!("keys: {keys}, with a TTL {ending} ({share})"))
}

/// The newest slow commands.
pub(crate) fn slow(health: &RedisHealth) -> anyhow::Result<()> {
    line("")?;
    if health.slowlog.is_empty() {
        return line("slow commands: none to show");
    }
    table(
        ["SLOW COMMANDS", "TOOK", "COMMAND", "BY"],
        health.slowlog.iter().take(SLOW).map(|slow| {
            [
                at(slow.at),
                value(Some(slow.duration_ms), Unit::Milliseconds),
                visible(&slow.command, 160),
                if slow.own { "Watchpost" } else { "others" }.to_owned(),
            ]
        }),
    )?;
    let more = health.slowlog.len().saturating_sub(SLOW);
    if more == 0 { Ok(()) } else { line(format!("{more} more with --output json")) }
}
