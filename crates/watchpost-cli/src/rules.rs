//! `watchpost rules`: looking, testing, replaying, importing, switching.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_ops::Paths;
use watchpost_ops::contract::{
    BacktestAgainst, BacktestReport, Nothing, RuleBacktest, RuleChange, RuleDetail, RuleImportOutcome,
    RuleImportReport, RuleImportSigma, RuleList, RuleProblem, RuleProblemKind, RuleRef, RuleTestFailure,
    RuleTestReport, RuleTrial, RuleTried, RuleTry,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;
use watchpost_ops::rules::{self as directory, RuleSet};

use crate::args::{Last, Output};
use crate::session::Session;
use crate::{output, progress};

/// Rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// List what can fire, where it comes from, and what could not be loaded.
    List {
        /// Those that ship with those of this directory, instead of those of the connection.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
    /// Show one rule with its samples.
    Show {
        /// Its id.
        id: String,
    },
    /// Run the samples of the rules. Needs no connection; exit code 1 when one does not hold or a file is broken.
    Test {
        /// Only this rule.
        id: Option<String>,
        /// Directory of rules; without it, `rules` in the data folder.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
    /// Replay archived events and say what would be different. Changes nothing.
    Backtest {
        #[command(flatten)]
        last: Last,
        /// Rules of this directory, compared with the present ones; without it the present rules are compared with
        /// what is recorded.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Try this rule otherwise than it is set.
        #[arg(long, value_name = "ID")]
        change: Option<String>,
        /// With `--change`: switched off.
        #[arg(long, requires = "change")]
        off: bool,
        /// With `--change`: how many it takes.
        #[arg(long, requires = "change")]
        threshold: Option<u32>,
        /// With `--change`: in how many seconds.
        #[arg(long, requires = "change")]
        window: Option<u32>,
    },
    /// Look at a request, an event or a value: its decoded forms and what fires.
    Try {
        /// What to look at; `-` reads it from standard input.
        text: String,
    },
    /// Copy Sigma rules into the rules directory and say of each file what was loaded.
    ImportSigma {
        /// A file, or a directory that is looked through.
        path: PathBuf,
    },
    /// Load the rules directory again; a running engine does so by itself within seconds.
    Reload,
    /// Switch a rule on.
    Enable {
        /// Its id.
        id: String,
        /// Why; stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Switch a rule off.
    Disable {
        /// Its id.
        id: String,
        /// Why; stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Change the threshold or the window of a behaviour; without either, go back to what its file says.
    Set {
        /// Its id.
        id: String,
        /// How many it takes.
        #[arg(long)]
        threshold: Option<u32>,
        /// In how many seconds.
        #[arg(long)]
        window: Option<u32>,
        /// Why; stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

impl Rules {
    /// Can it be answered from files alone?
    pub(crate) const fn needs_no_workspace(&self) -> bool {
        matches!(self, Self::Test { .. } | Self::List { rules: Some(_) })
    }
}

/// What ships, with the rules of a directory if one is named; what cannot be used, and what may miss what it is for, is
/// told on standard error.
pub(crate) fn with(rules: Option<&Path>, token_keys: &[PathBuf]) -> Result<Arc<RuleSet>, OpError> {
    if rules.is_none() && token_keys.is_empty() {
        return Ok(RuleSet::embedded());
    }
    let (set, problems) = match rules {
        Some(rules) => directory::load_named(rules)?,
        None => (RuleSet::load(&[], &BTreeMap::new()), Vec::new()),
    };
    for problem in problems.iter().filter(|problem| !problem.is_warning) {
        tracing::error!(%problem, "a rule cannot be used");
    }
    directory::tell_of_gaps(&problems);
    let keys = watchpost_ops::token_keys::from_files(token_keys)?;
    Ok(Arc::new(set.with_keys(Arc::new(keys))))
}

/// A verb that needs no workspace; true means that something does not hold.
pub(crate) fn offline(form: Output, verb: &Rules) -> anyhow::Result<bool> {
    match verb {
        Rules::Test { id, rules } => {
            let place = match rules {
                Some(rules) => rules.clone(),
                None => Paths::from_environment()?.rules(),
            };
            let (set, problems) = match rules {
                Some(rules) => directory::load_named(rules)?,
                None => directory::load(&place, &BTreeMap::new()),
            };
            if let Some(id) = id
                && set.rule(id).is_none()
            {
                return Err(OpError::not_found(format!("rule {id:?}")).into());
            }
            let report = directory::tested(&Arc::new(set), &place, &problems, id.as_deref());
            tested(form, &report)
        }
        Rules::List { rules: Some(rules) } => {
            let (set, problems) = directory::load_named(rules)?;
            list(form, &directory::list_of(rules, &set, &problems, SystemClock.now()))?;
            Ok(problems.iter().any(|problem| !problem.is_warning))
        }
        _ => unreachable!("needs a workspace"),
    }
}

/// A verb on an open workspace; true means that something does not hold.
pub(crate) async fn run(session: &Session, form: Output, verb: Rules) -> anyhow::Result<bool> {
    match verb {
        Rules::List { .. } => list(form, &session.ask::<operation::rule_list>(Nothing {}).await?)?,
        Rules::Reload => {
            let rules = session.ask::<operation::rule_reload>(Nothing {}).await?;
            list(form, &rules)?;
            return Ok(rules.problems.iter().any(|problem| !problem.is_warning));
        }
        Rules::Show { id } => detail(form, &session.ask::<operation::rule_show>(RuleRef { id }).await?)?,
        Rules::Backtest { last, rules, change, off, threshold, window } => {
            let request = RuleBacktest {
                period: last.last.ending(session.console.now()),
                directory: rules.as_deref().map(absolute).transpose()?,
                change: change.map(|id| RuleTrial {
                    id,
                    enabled: off.then_some(false),
                    threshold,
                    window_s: window,
                }),
                ticket: Some(format!("backtest-{}", std::process::id())),
            };
            backtest(form, &progress::of_backtest(session, request).await?)?;
        }
        Rules::Try { text } => {
            let text = if text == "-" { std::io::read_to_string(std::io::stdin())? } else { text };
            return tried(form, &session.ask::<operation::rule_try>(RuleTry { text }).await?);
        }
        Rules::ImportSigma { path } => {
            let request = RuleImportSigma { path: absolute(&path)? };
            let report = session.ask::<operation::rule_import_sigma>(request).await?;
            imported(form, &report)?;
            return Ok(report.files.iter().any(|file| file.rules == 0));
        }
        Rules::Enable { id, reason } => switch(session, form, id, Some(true), reason).await?,
        Rules::Disable { id, reason } => switch(session, form, id, Some(false), reason).await?,
        Rules::Set { id, threshold, window, reason } => {
            let request = RuleChange { id, enabled: None, threshold, window_s: window, reason };
            detail(form, &session.ask::<operation::rule_set>(request).await?)?;
        }
        Rules::Test { .. } => unreachable!("needs no workspace"),
    }
    Ok(false)
}

async fn switch(
    session: &Session,
    form: Output,
    id: String,
    enabled: Option<bool>,
    reason: Option<String>,
) -> anyhow::Result<()> {
    // What else was changed of the rule stays.
    let now = session.ask::<operation::rule_show>(RuleRef { id: id.clone() }).await?.row;
    let request = RuleChange {
        id,
        enabled,
        threshold: now.threshold.filter(|_| now.adjusted),
        window_s: now.window_s.filter(|_| now.adjusted),
        reason,
    };
    detail(form, &session.ask::<operation::rule_set>(request).await?)
}

fn absolute(path: &Path) -> std::io::Result<String> {
    Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
}

fn list(form: Output, rules: &RuleList) -> anyhow::Result<()> {
    if form == Output::Json {
        return output::json(rules);
    }
    output::table(
        ["RULE", "VERSION", "KIND", "FAMILY", "SEVERITY", "CONFIDENCE", "", "FROM", "WHAT"],
        rules.rules.iter().map(|rule| {
            [
                rule.id.clone(),
                rule.version.to_string(),
                rule.kind.to_string(),
                rule.family.to_string(),
                rule.severity.to_string(),
                rule.confidence.to_string(),
                if rule.enabled { "" } else { "off" }.to_owned(),
                if rule.embedded { "shipped".to_owned() } else { format!("{}:{}", rule.file, rule.line) },
                rule.title.clone(),
            ]
        }),
    )?;
    output::line(format!("{} rules; directory {}", rules.rules.len(), rules.directory))?;
    problems(&rules.problems)?;
    let told = rules.problems.len() as u64;
    if rules.problems_total > told {
        let n = rules.problems_total;
        output::line(format!("of {n} problems the first {told} were looked at; --rules DIR tells of all"))?;
    }
    Ok(())
}

/// Most problems that are printed one by one; `--output json` has all of them.
const PROBLEMS_SHOWN: usize = 40;
/// From how many warnings of a kind on they are only counted.
const WARNINGS_SHOWN: usize = 10;

/// Errors first, each with its place; of thousands a part, and how many there are of each kind.
fn problems<'a>(all: impl IntoIterator<Item = &'a RuleProblem>) -> anyhow::Result<()> {
    let mut kinds: BTreeMap<(bool, RuleProblemKind), Vec<&RuleProblem>> = BTreeMap::new();
    for problem in all {
        kinds.entry((problem.is_warning, problem.kind)).or_default().push(problem);
    }
    let n_errors: usize = kinds.iter().filter(|((warns, _), _)| !warns).map(|(_, all)| all.len()).sum();
    let mut n_shown = 0;
    // Of every kind some, so that a thousand of one do not hide the only one of another.
    let n_each = (PROBLEMS_SHOWN / kinds.len().max(1)).max(3);
    let mut is_cut = false;
    for (&(is_warning, _), told) in &kinds {
        let n_most = match is_warning {
            true if told.len() > WARNINGS_SHOWN => 0,
            true => WARNINGS_SHOWN,
            false if n_errors <= PROBLEMS_SHOWN => PROBLEMS_SHOWN,
            false => n_each,
        };
        is_cut |= told.len() > n_most;
        for problem in told.iter().take(n_most) {
            one_problem(problem)?;
            n_shown += 1;
        }
    }
    if is_cut {
        let rows = kinds.iter().map(|(&(is_warning, kind), told)| {
            let what = if is_warning { "warning" } else { "refused" };
            let files: BTreeSet<&str> = told.iter().map(|problem| problem.file.as_str()).collect();
            [told.len().to_string(), files.len().to_string(), what.to_owned(), kind.describe().to_owned()]
        });
        output::table(["PROBLEMS", "FILES", "", "WHAT"], rows)?;
        let n_all: usize = kinds.values().map(Vec::len).sum();
        output::line(format!("{n_shown} of {n_all} problems are shown; --output json has all of them"))?;
    }
    Ok(())
}

fn one_problem(problem: &RuleProblem) -> anyhow::Result<()> {
    let what = if problem.is_warning { "warning" } else { "error" };
    let rule = problem.rule_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
    // 0 is the file as a whole.
    let line = if problem.line == 0 { String::new() } else { format!(":{}", problem.line) };
    let text = format!("{}{line}: {what}: {}{rule}", problem.file, problem.reason);
    output::line(watchpost_model::text::visible(&text, 2_000))
}

fn detail(form: Output, rule: &RuleDetail) -> anyhow::Result<()> {
    if form == Output::Json {
        return output::json(rule);
    }
    let row = &rule.row;
    let from = if row.embedded { "shipped" } else { "rules directory" };
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let facts = [
        ("title", row.title.clone()),
        ("kind", row.kind.to_string()),
        ("runs", if row.enabled { "yes" } else { "no" }.to_owned()),
        ("from", format!("{from}, {}:{}", row.file, row.line)),
        ("family", row.family.to_string()),
        ("severity", row.severity.to_string()),
        ("confidence", row.confidence.to_string()),
        ("threshold", row.threshold.map_or_else(|| "-".to_owned(), |count| count.to_string())),
        ("window", row.window_s.map_or_else(|| "-".to_owned(), |span| format!("{span} s"))),
        ("att&ck", or_dash(rule.attack.join(", "))),
        ("owasp", or_dash(rule.owasp.clone().unwrap_or_default())),
        ("controls", or_dash(rule.controls.join(", "))),
        ("description", or_dash(rule.description.clone())),
    ];
    output::table(["RULE", row.id.as_str()], facts.map(|(name, value)| [name.to_owned(), value]))?;
    for (name, samples) in [("fires on", &rule.fires), ("must not fire on", &rule.near_misses)] {
        for sample in samples {
            output::line(format!("{name} {}", watchpost_model::text::visible(&sample.to_string(), 400)))?;
        }
    }
    Ok(())
}

fn tested(form: Output, report: &RuleTestReport) -> anyhow::Result<bool> {
    let is_wrong = !report.failures.is_empty() || report.problems.iter().any(|problem| !problem.is_warning);
    if form == Output::Json {
        output::json(report)?;
        return Ok(is_wrong);
    }
    let told = |failure: &RuleTestFailure, why: &str| {
        let sample = watchpost_model::text::visible(&failure.sample.to_string(), 400);
        let what = if failure.should_fire { "does not fire on" } else { "fires on the near-miss" };
        output::line(format!("{} {what} {sample}{why}", failure.rule_id))
    };
    for failure in &report.failures {
        told(failure, "")?;
    }
    for failure in &report.by_setting {
        told(failure, " as rules are switched and adjusted; it holds as they are written")?;
    }
    problems(&report.problems)?;
    output::line(format!(
        "{} samples of {} rules, {} do not hold{}; {} rules without samples",
        report.samples,
        report.rules,
        report.failures.len(),
        match report.by_setting.len() {
            0 => String::new(),
            n => format!(" and {n} would with every rule on and unadjusted"),
        },
        report.untested
    ))?;
    Ok(is_wrong)
}

/// Prints what a trial came to; true when a rule fires.
fn tried(form: Output, told: &RuleTried) -> anyhow::Result<bool> {
    let fires = !told.findings.is_empty();
    if form == Output::Json {
        output::json(told)?;
        return Ok(fires);
    }
    output::table(
        ["FIELD", "DECODER", "TEXT"],
        told.fields.iter().flat_map(|field| {
            field.layers.iter().map(|layer| [field.field.clone(), layer.decoder.clone(), layer.text.clone()])
        }),
    )?;
    output::table(
        ["RULE", "SEVERITY", "WHAT"],
        told.findings
            .iter()
            .map(|finding| [finding.rule_id.clone(), finding.severity.to_string(), finding.summary.clone()]),
    )?;
    Ok(fires)
}

fn backtest(form: Output, report: &BacktestReport) -> anyhow::Result<()> {
    if form == Output::Json {
        return output::json(report);
    }
    let before = match report.against {
        BacktestAgainst::Recorded => "RECORDED",
        BacktestAgainst::Present => "PRESENT RULES",
    };
    let changed = |before: u64, after: u64| {
        let more = i128::from(after) - i128::from(before);
        if more == 0 { String::new() } else { format!("{more:+}") }
    };
    output::table(
        ["RULE", before, "REPLAYED", "FINDINGS", "INCIDENTS BEFORE", "AFTER"],
        report.rules.iter().map(|row| {
            [
                row.rule_id.clone(),
                row.findings_before.to_string(),
                row.findings_after.to_string(),
                changed(row.findings_before, row.findings_after),
                row.incidents_before.to_string(),
                row.incidents_after.to_string(),
            ]
        }),
    )?;
    output::line(format!(
        "{} events{}; findings {} -> {}, incidents {} -> {}",
        report.events,
        if report.truncated { " replayed, then stopped" } else { " replayed" },
        report.findings_before,
        report.findings_after,
        report.incidents_before,
        report.incidents_after
    ))?;
    if report.findings_hidden > 0 {
        output::line(format!("{} findings that suppressions hide are not counted", report.findings_hidden))?;
    }
    problems(&report.problems)
}

/// Most files that are told of one by one; `--output json` has all of them.
const FILES_SHOWN: usize = 40;

const fn told_outcome(outcome: RuleImportOutcome) -> &'static str {
    match outcome {
        RuleImportOutcome::Imported => "imported",
        RuleImportOutcome::NotApplicable => "not applicable (log source)",
        RuleImportOutcome::NotSupported => "not supported",
    }
}

fn imported(form: Output, report: &RuleImportReport) -> anyhow::Result<()> {
    if form == Output::Json {
        return output::json(report);
    }
    let n_of =
        |outcome: RuleImportOutcome| report.files.iter().filter(|file| file.outcome == outcome).count();
    if report.files.len() <= FILES_SHOWN {
        let rows = report.files.iter().map(|file| {
            let why = file.problems.iter().min_by_key(|told| told.is_warning);
            [
                watchpost_model::text::visible(&file.file, 200),
                told_outcome(file.outcome).to_owned(),
                file.rules.to_string(),
                why.map_or("", |told| told.kind.describe()).to_owned(),
            ]
        });
        output::table(["FILE", "WHAT BECAME OF IT", "RULES", "WHY"], rows)?;
    }
    problems(report.files.iter().flat_map(|file| &file.problems))?;
    // A file of comments has no problem, and brings nothing all the same.
    let silent = report.files.iter().filter(|file| file.rules == 0 && file.problems.is_empty());
    for file in silent.clone().take(WARNINGS_SHOWN) {
        let text = format!("{}: not copied, it holds no rule", file.file);
        output::line(watchpost_model::text::visible(&text, 2_000))?;
    }
    let n_more = silent.count().saturating_sub(WARNINGS_SHOWN);
    if n_more > 0 {
        output::line(format!("{n_more} files more hold no rule"))?;
    }
    output::line(format!(
        "{} files imported, {} not applicable (log source), {} not supported",
        n_of(RuleImportOutcome::Imported),
        n_of(RuleImportOutcome::NotApplicable),
        n_of(RuleImportOutcome::NotSupported)
    ))?;
    output::line(format!(
        "{} of {} files copied to {}; {} rules",
        report.copied,
        report.files.len(),
        report.directory,
        report.rules
    ))
}
