//! `watchpost detect` and `watchpost analyze`: detection that leaves nothing behind.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::enrichment::AssetRule;
use watchpost_ops::analyze::{self, Analysis, Basis};
use watchpost_ops::console::Tenure;
use watchpost_ops::error::OpError;
use watchpost_ops::inspect::{self, Detail};

use crate::args::{Analyze, Cli, Command, Detect, Output};
use crate::session::Session;
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

/// `endpoint:/admin=1.5`.
pub(crate) fn asset(text: &str) -> Result<AssetRule, String> {
    let wrong = || format!("{text:?} is not of the form KIND:PATTERN=WEIGHT");
    let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (pattern, weight) = rest.rsplit_once('=').ok_or_else(wrong)?;
    Ok(AssetRule {
        kind: kind.parse().map_err(|error: watchpost_model::event::UnknownWord| error.to_string())?,
        pattern: pattern.to_owned(),
        label: pattern.chars().take(100).collect(),
        weight: weight.parse().map_err(|_| wrong())?,
    })
}

/// What `watchpost analyze` goes by: the workspace, if there is one and it is not left out, else what ships. With the
/// session that has it open.
pub(crate) async fn basis(cli: &Cli) -> anyhow::Result<(Basis, Option<Session>)> {
    let Command::Analyze(verb) = &cli.command else { unreachable!("only called for analyze") };
    let named = verb.rules.is_some() || !verb.token_key.is_empty();
    let rules = rules::with(verb.rules.as_deref(), &verb.token_key)?;
    if verb.defaults {
        return Ok((Basis::of_rules(rules), None));
    }
    let session = match Session::closed(cli, Tenure::Reader) {
        Ok(session) => session,
        // Without a home there is no workspace either.
        Err(problem) if cli.connection.is_none() => {
            tracing::info!(%problem, "there is no workspace");
            return Ok((Basis::of_rules(rules), None));
        }
        Err(problem) => return Err(problem.into()),
    };
    let connection = session.connection(cli)?;
    if cli.connection.is_none() && !session.console.has_database(&connection) {
        return Ok((Basis::of_rules(rules), None));
    }
    let instead = |problem: OpError| match problem.hint {
        Some(_) => problem,
        None => problem.hint("`--defaults` analyses without the workspace"),
    };
    session.console.open(connection).await.map_err(instead)?;
    match Basis::of_workspace(&session.console, named.then_some(rules)).await {
        Ok(basis) => Ok((basis, Some(session))),
        Err(problem) => {
            session.console.close().await;
            Err(problem.into())
        }
    }
}

/// Runs every rule over a log; true when there would be incidents.
pub(crate) async fn analyze(form: Output, verb: Analyze, basis: Basis) -> anyhow::Result<bool> {
    let context = analyze::Context {
        city: verb.city,
        asn: verb.asn,
        threats: verb.threats,
        threat_confidence: verb.confidence,
        assets: verb.asset,
    };
    let work = move || analyze::analyze(&verb.file, &verb.format, basis, context, SystemClock.now());
    let analysis = tokio::task::spawn_blocking(work).await??;
    let found = !analysis.incidents.is_empty();
    if form == Output::Json {
        output::json(&analysis)?;
        return Ok(found);
    }
    sources(&analysis)?;
    incidents(&analysis)?;
    output::line(format!(
        "{} events, {} lines without one, {} bad lines; {} incidents of {} sources would open",
        analysis.events,
        analysis.skipped,
        analysis.bad,
        analysis.incidents.len(),
        analysis.sources.len()
    ))?;
    for bad in &analysis.bad_lines {
        output::line(format!("  line {}: {}: {}", bad.line, bad.reason, bad.excerpt))?;
    }
    if analysis.bad > analysis.bad_lines.len() as u64 {
        output::line(format!("  and {} more", analysis.bad - analysis.bad_lines.len() as u64))?;
    }
    for (n, why) in [
        (analysis.repeated, "were there already, by their id: they add nothing"),
        (analysis.late, "came too late for behaviours to count them (over 10 min behind the newest)"),
        (analysis.future, "lie too far ahead for behaviours to count them (over 5 min)"),
    ] {
        if n > 0 {
            output::line(format!("{n} events {why}"))?;
        }
    }
    output::line(went_by(&analysis))?;
    if analysis.findings_left_out > 0 {
        output::line(format!(
            "{} findings more, of too many different sources to tell",
            analysis.findings_left_out
        ))?;
    }
    Ok(found)
}

/// What the analysis went by, in a line.
fn went_by(analysis: &Analysis) -> String {
    let basis = &analysis.basis;
    let Some(connection) = &basis.connection else {
        return format!("{} rules as they ship or as the flags say; no workspace was used", basis.rules);
    };
    format!(
        "{} rules, {} of them adjusted, and {} suppressions of the workspace {:?} ({} findings hidden); `--defaults` leaves it out",
        basis.rules, basis.adjusted, basis.suppressions, connection, analysis.findings_hidden
    )
}

/// Where the incidents come from, riskiest first.
fn sources(analysis: &Analysis) -> anyhow::Result<()> {
    output::table(
        ["SOURCE", "RISK", "SEVERITY", "WHERE", "LISTS", "INCIDENTS", "FIRST SEEN", "LAST SEEN", "FAMILIES"],
        analysis.sources.iter().map(|source| {
            let families: Vec<String> = source.families.iter().map(ToString::to_string).collect();
            let lists: Vec<&str> = source.threats.iter().map(|found| found.list.as_str()).collect();
            [
                source.address.clone(),
                source.risk.to_string(),
                source.severity.to_string(),
                source.place.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                if lists.is_empty() { "-".to_owned() } else { lists.join(", ") },
                source.incidents.to_string(),
                output::at(source.first_seen),
                output::at(source.last_seen),
                families.join(", "),
            ]
        }),
    )
}

/// The incidents in the order of their sources.
fn incidents(analysis: &Analysis) -> anyhow::Result<()> {
    let ranks: HashMap<&str, usize> =
        analysis.sources.iter().enumerate().map(|(rank, source)| (source.address.as_str(), rank)).collect();
    let mut ordered: Vec<&analyze::WouldOpen> = analysis.incidents.iter().collect();
    ordered.sort_by_cached_key(|incident| {
        incident
            .sources
            .keys()
            .filter_map(|source| ranks.get(source.as_str()))
            .min()
            .copied()
            .unwrap_or(usize::MAX)
    });
    output::table(
        [
            "SOURCE",
            "RISK",
            "SEVERITY",
            "FAMILY",
            "ENTITY",
            "FINDINGS",
            "EVENTS",
            "FIRST SEEN",
            "LAST SEEN",
            "FIRST RULE",
            "WHAT",
        ],
        ordered.into_iter().map(|incident| {
            let source = match incident.sources.len() {
                0 => "-".to_owned(),
                1 => incident.sources.keys().next().cloned().unwrap_or_default(),
                n => format!("{n} sources"),
            };
            [
                source,
                incident.risk.to_string(),
                incident.severity.to_string(),
                incident.family.to_string(),
                incident.entity.to_string(),
                incident.findings.to_string(),
                incident.events.to_string(),
                output::at(incident.first_seen),
                output::at(incident.last_seen),
                incident.example.rule_id.clone(),
                incident.example.summary.clone(),
            ]
        }),
    )
}
