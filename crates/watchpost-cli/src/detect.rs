//! `watchpost detect` and `watchpost analyze`: detection without a workspace.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_ops::analyze;
use watchpost_ops::inspect::{self, Detail};

use crate::args::{Analyze, Detect, Output};
use crate::{output, rules};

/// Longest line that is read; the rest of a longer one is passed over and the line is answered with an error.
const LINE_BYTES_MAX: u64 = 8 << 20;

/// How much of the input is read, and how much of the output is kept, at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Answers each line of standard input. Answers are kept together while more input is at hand and written before the
/// program waits for some, so that a pipe never waits.
pub(crate) fn run(verb: &Detect) -> anyhow::Result<ExitCode> {
    let detail = if verb.explain { Detail::Findings } else { Detail::Verdict };
    let rules = rules::with(verb.rules.as_deref(), &verb.token_key)?;
    let mut input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin().lock());
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        // What is at hand holds no whole line: the next read may wait.
        if !input.buffer().contains(&b'\n') && is_closed(out.flush())? {
            return Ok(ExitCode::SUCCESS);
        }
        if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LINE_BYTES_MAX {
            input.skip_until(b'\n')?;
            let told =
                r#"{"id":null,"detected":false,"categories":[],"error":"the line is longer than 8 MiB"}"#;
            if is_closed(out.write_all(told.as_bytes()).and_then(|()| out.write_all(b"\n")))? {
                return Ok(ExitCode::SUCCESS);
            }
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        let mut answer = serde_json::to_vec(&inspect::answer(&rules, text.trim_end(), detail))?;
        answer.push(b'\n');
        if is_closed(out.write_all(&answer))? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Has the reader of the answers gone? Any other failure is one.
fn is_closed(written: std::io::Result<()>) -> std::io::Result<bool> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(true),
        written => written.map(|()| false),
    }
}

/// Runs every rule over a log; true when there would be incidents.
pub(crate) fn analyze(form: Output, verb: &Analyze) -> anyhow::Result<bool> {
    let rules = rules::with(verb.rules.as_deref(), &verb.token_key)?;
    let analysis = analyze::analyze(&verb.file, &verb.format, rules, SystemClock.now())?;
    let found = !analysis.incidents.is_empty();
    if form == Output::Json {
        output::json(&analysis)?;
        return Ok(found);
    }
    output::table(
        ["SEVERITY", "FAMILY", "ENTITY", "FINDINGS", "FIRST SEEN", "LAST SEEN", "FIRST RULE", "WHAT"],
        analysis.incidents.iter().map(|incident| {
            [
                incident.severity.to_string(),
                incident.family.to_string(),
                incident.entity.value.clone(),
                incident.findings.to_string(),
                output::at(incident.first_seen),
                output::at(incident.last_seen),
                incident.example.rule_id.clone(),
                incident.example.summary.clone(),
            ]
        }),
    )?;
    output::line(format!(
        "{} events, {} lines without one, {} bad lines; {} incidents would open",
        analysis.events,
        analysis.skipped,
        analysis.bad,
        analysis.incidents.len()
    ))?;
    if analysis.findings_left_out > 0 {
        output::line(format!(
            "{} findings more, of too many different sources to tell",
            analysis.findings_left_out
        ))?;
    }
    Ok(found)
}
