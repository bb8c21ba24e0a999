//! Printing: tables for people, JSON for programs, and nothing that can take over a terminal.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use watchpost_model::health::Unit;
use watchpost_model::text::visible;

/// Longest cell, in characters.
const CELL: usize = 300;
/// The same where several columns beside each other hold what came from outside.
const SHORT: usize = 80;

/// Writes a line. A reader that has gone away is no error: `watchpost ... | head` ends quietly.
pub(crate) fn line(text: impl AsRef<str>) -> anyhow::Result<()> {
    quiet(writeln!(io::stdout().lock(), "{}", text.as_ref()))
}

/// Writes a reply as JSON.
pub(crate) fn json(reply: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(reply)?)
}

/// Writes rows under headers. Every cell is made visible: logs are written by attackers, and terminals obey.
pub(crate) fn table<const N: usize>(
    headers: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // Names with their values need no heading, nor the blank line that an empty one is.
    if headers.iter().any(|header| !header.is_empty()) {
        table.set_header(headers);
    }
    let mut empty = true;
    for row in rows {
        empty = false;
        table.add_row(row.map(|text| cell(&text, CELL)));
    }
    if empty { line("nothing to show") } else { line(table.trim_fmt()) }
}

/// A text that came from outside, for one of many columns: one long value would make each row as wide. JSON has it whole.
pub(crate) fn short(text: &str) -> String {
    cell(text, SHORT)
}

/// A text made visible and cut to about `most` characters as they are shown: an escape is longer than what it stands for.
fn cell(text: &str, most: usize) -> String {
    let shown = visible(text, most);
    if shown.chars().count() <= most + 1 {
        return shown;
    }
    shown.chars().take(most).chain(['…']).collect()
}

fn quiet(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A text made visible, in one line: what went wrong names files and values of others, and a line feed in one of them makes no
/// line of its own.
pub(crate) fn one_line(text: &str) -> String {
    visible(text.trim_end(), 10_000)
}

/// As [`one_line`], with the lines that the text has: for what has several by itself, a hint and a usage.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(one_line).collect();
    lines.join("\n")
}

/// An instant to the second.
pub(crate) fn at(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A value in its unit; "n/a" if there is none.
pub(crate) fn value(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value else { return "n/a".to_owned() };
    match unit {
        Unit::Ratio => format!("{:.1} %", value * 100.0),
        Unit::Bytes => bytes(value),
        // A server takes microseconds for a command.
        Unit::Milliseconds if value.abs() < 1.0 => format!("{value:.4} ms"),
        Unit::Milliseconds => format!("{value:.2} ms"),
        Unit::PerSecond => format!("{value:.1}/s"),
        Unit::PerMinute => format!("{value:.0}/min"),
        Unit::Count => format!("{value:.0}"),
        Unit::Seconds => format!("{value:.0} s"),
    }
}

/// Bytes in binary units.
fn bytes(mut value: f64) -> String {
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value.abs() < 1024.0 {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::{SHORT, short};

    #[test]
    fn a_long_cell_is_cut_and_says_so() {
        assert_eq!(short("/api/orders"), "/api/orders");
        for text in ["x".repeat(4_096), "\u{202e}".repeat(4_096), "\u{1b}".repeat(SHORT)] {
            let cell = short(&text);
            assert!(cell.ends_with('…') && cell.chars().count() == SHORT + 1, "{cell}");
        }
    }
}
