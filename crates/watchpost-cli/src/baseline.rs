//! `watchpost baseline`: what is usual for users and endpoints, and what changed since.

use std::path::PathBuf;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use watchpost_model::baseline::{Baseline, Drift, DriftKind};
use watchpost_model::period::Period;
use watchpost_ops::contract::{BaselineCompare, BaselineDrift, BaselineRequest};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{at, json, line, table};
use crate::session::Session;

/// What is usual for users and endpoints.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineVerb {
    /// Learn a baseline from the archived events of a period and write it to a file (JSON).
    Generate {
        /// The file; standard output if absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        period: Span,
    },
    /// Compare a baseline with the archived events of a period. Exit code 1 when something changed.
    ///
    /// Told are: users and endpoints that are new or gone; countries, user agents and networks that are new; at least
    /// 30 % of the activity at other hours; a volume or number of requests at least twice or at most half as large.
    Compare {
        /// A file of `watchpost baseline generate`.
        file: PathBuf,
        #[command(flatten)]
        period: Span,
    },
}

/// A period of event time.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Span {
    /// First day, or instant (RFC 3339). If absent, 30 days before the end.
    #[arg(long, value_parser = crate::period::parse_instant)]
    from: Option<DateTime<Utc>>,
    /// First day after, or instant (RFC 3339). If absent, now.
    #[arg(long, value_parser = crate::period::parse_instant)]
    to: Option<DateTime<Utc>>,
}

impl Span {
    fn period(self, now: DateTime<Utc>) -> Period {
        let to = self.to.unwrap_or(now);
        Period { from: self.from.unwrap_or(to - chrono::Duration::days(30)), to }
    }
}

/// Runs the verb; true means that something changed.
pub(crate) async fn run(session: &Session, form: Output, verb: BaselineVerb) -> anyhow::Result<bool> {
    match verb {
        BaselineVerb::Generate { out, period } => {
            let request = BaselineRequest { period: period.period(session.console.now()) };
            let baseline = session.ask::<operation::baseline_generate>(request).await?;
            let Some(path) = out else {
                json(&baseline)?;
                return Ok(false);
            };
            let text = serde_json::to_string_pretty(&baseline)?;
            std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
            if form == Output::Table {
                line(format!(
                    "{} users and {} endpoints from {} events, {} to {}, in {}",
                    baseline.users.len(),
                    baseline.endpoints.len(),
                    baseline.events,
                    at(baseline.from),
                    at(baseline.to),
                    path.display()
                ))?;
            }
            Ok(false)
        }
        BaselineVerb::Compare { file, period } => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let before: Baseline = serde_json::from_str(&text)
                .with_context(|| format!("{} is not a baseline", file.display()))?;
            let request = BaselineCompare { before, period: period.period(session.console.now()) };
            let drift = session.ask::<operation::baseline_compare>(request).await?;
            show(form, &drift)?;
            Ok(!drift.drifts.is_empty())
        }
    }
}

fn show(form: Output, drift: &BaselineDrift) -> anyhow::Result<()> {
    if form == Output::Json {
        return json(drift);
    }
    line(format!(
        "before: {} to {} ({} events); after: {} to {} ({} events)",
        at(drift.before.0),
        at(drift.before.1),
        drift.events.0,
        at(drift.after.0),
        at(drift.after.1),
        drift.events.1
    ))?;
    table(
        ["ENTITY", "WHAT", "BEFORE", "AFTER", "SIZE"],
        drift.drifts.iter().map(|drift| {
            [
                drift.entity.to_string(),
                drift.kind.to_string(),
                drift.before.clone(),
                drift.after.clone(),
                size(drift),
            ]
        }),
    )
}

/// `×3.1` of what rose, `÷3.1` of what fell; how many or how much of anything else.
fn size(drift: &Drift) -> String {
    match (drift.kind, drift.fell) {
        (DriftKind::Volume | DriftKind::Requests, false) => format!("×{}", drift.size),
        (DriftKind::Volume | DriftKind::Requests, true) => format!("÷{}", drift.size),
        _ => drift.size.to_string(),
    }
}
