//! `watchpost stats --patterns`: what is in Redis.

use clap::Args;
use watchpost_model::health::Unit;
use watchpost_model::text::visible;
use watchpost_ops::contract::{PatternCount, PatternRequest};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{at, line, table, value};
use crate::progress;
use crate::session::Session;
use crate::show::either;

/// What to count beside the health.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Count the keys by pattern instead: number, memory, types, encodings, expiry, the largest, and those that never expire. One paced pass over all keys.
    #[arg(long)]
    patterns: bool,
    /// Count this pattern too, as `SCAN ... MATCH` has it: `session:*`. Repeatable, up to 100.
    #[arg(long = "pattern", value_name = "PATTERN")]
    asked: Vec<String>,
}

impl Stats {
    pub(crate) const fn counts_keys(&self) -> bool {
        self.patterns || !self.asked.is_empty()
    }
}

pub(crate) async fn run(session: &Session, form: Output, wanted: Stats) -> anyhow::Result<bool> {
    let request = PatternRequest { patterns: wanted.asked };
    let counting = progress::looked(session.ask::<operation::redis_patterns>(request));
    let Some(counts) = Box::pin(counting).await? else { return Ok(true) };
    either(form, &counts, || {
        line(visible(&counts.node, 200))?;
        rows(&counts.patterns)?;
        if !counts.asked.is_empty() {
            line("")?;
            rows(&counts.asked)?;
        }
        line("")?;
        table(
            ["LARGEST KEYS", "MEMORY"],
            counts.largest.iter().map(|key| [visible(&key.key, 120), bytes(key.bytes)]),
        )?;
        if !counts.unending.is_empty() {
            line("")?;
            table(["KEYS WITHOUT AN EXPIRY"], counts.unending.iter().map(|key| [visible(key, 120)]))?;
        }
        counts.notes.iter().try_for_each(|note| line(visible(note, 400)))
    })?;
    Ok(false)
}

fn rows(counts: &[PatternCount]) -> anyhow::Result<()> {
    table(
        ["PATTERN", "KEYS", "MEMORY", "WITHOUT TTL", "TYPES", "ENCODINGS", "OLDEST", "NEWEST"],
        counts.iter().map(|row| {
            let time = |time: Option<_>| time.map_or_else(String::new, at);
            [
                visible(&row.pattern, 120),
                row.keys.to_string(),
                row.bytes.map_or_else(na, bytes),
                row.without_ttl.map_or_else(na, |n| n.to_string()),
                visible(&row.types, 80),
                visible(&row.encodings, 120),
                time(row.oldest),
                time(row.newest),
            ]
        }),
    )
}

/// The server does not tell.
fn na() -> String {
    "n/a".to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn bytes(bytes: u64) -> String {
    value(Some(bytes as f64), Unit::Bytes)
}
