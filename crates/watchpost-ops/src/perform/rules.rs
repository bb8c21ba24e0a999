//! The detection rules: looking, testing, replaying, importing, switching.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchpost_detect::{self as detect, Adjust, Config, Engine, RuleFile, RuleSource};
use watchpost_model::audit::{AuditOutcome, Change};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::period::Period;

use super::{at_this_machine, required};
use crate::blocking::off_the_runtime;
use crate::contract::{
    BacktestAgainst, BacktestReport, BacktestRow, Nothing, ReportProgress, ReportTicket, RuleBacktest,
    RuleChange, RuleDetail, RuleDirectorySet, RuleImportFile, RuleImportOutcome, RuleImportReport,
    RuleImportSigma, RuleKind, RuleList, RuleProblem, RuleRef, RuleRow, RuleTest, RuleTestFailure,
    RuleTestReport, RuleTrial, RuleTried, RuleTry,
};
use crate::door::Context;
use crate::enrich::{Freshness, Known, Listed};
use crate::error::{ErrorCode, OpError};
use crate::hidden::Hidden;
use crate::inspect;
use crate::rules::{self, Loaded, RuleSetting, SETTING};
use crate::setting::{self, json};

/// Different rules of incidents, and incidents, that a replay tells apart; findings beyond count as of known ones.
const SEEN_MAX: usize = 500_000;
/// Problems of the rules directory that are told at once.
const PROBLEMS_MAX: usize = 200;
/// Events a page of a replay.
const PAGE: u32 = 5_000;
/// Most that is tried at once.
const TRY_BYTES_MAX: usize = 1 << 20;
/// The folder of imported Sigma rules below the rules directory.
const SIGMA_FOLDER: &str = "sigma";

pub(crate) async fn rule_list(cx: Context, _: Nothing) -> Result<RuleList, OpError> {
    let workspace = cx.workspace()?;
    Ok(listed(&workspace.rules().refresh(&workspace, false).await?.0))
}

pub(crate) async fn rule_reload(cx: Context, _: Nothing) -> Result<RuleList, OpError> {
    let workspace = cx.workspace()?;
    Ok(listed(&workspace.rules().refresh(&workspace, true).await?.0))
}

pub(crate) async fn rule_show(cx: Context, request: RuleRef) -> Result<RuleDetail, OpError> {
    let workspace = cx.workspace()?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    detail(&loaded, &request.id).await
}

pub(crate) async fn rule_test(cx: Context, request: RuleTest) -> Result<RuleTestReport, OpError> {
    let workspace = cx.workspace()?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    if let Some(id) = &request.id {
        found(&loaded, id)?;
    }
    let id = request.id;
    off_the_runtime(move || tested(&loaded.set, &loaded.directory, &loaded.problems, id.as_deref())).await
}

/// Runs the samples of the rules that are on, or of one. A sample that does not hold is tried once more with every rule
/// of `directory` as it is written: rules lean on each other, and some may be off or counted otherwise on purpose.
#[must_use]
pub fn tested(
    set: &Arc<detect::RuleSet>,
    directory: &Path,
    problems: &[detect::Problem],
    id: Option<&str>,
) -> RuleTestReport {
    let report = set.test(id);
    let is_set = |rule: &detect::Rule| {
        rule.enabled != rule.own.enabled || rule.counts != rule.own.counts || !rule.enabled
    };
    let written = (!report.failures.is_empty() && set.rules().iter().any(is_set))
        .then(|| Arc::new(set.as_written(&rules::read_directory(directory).0)));
    let holds = |failure: &detect::SampleFailure| {
        written.as_ref().is_some_and(|written| {
            written.rule(&failure.rule_id).is_some_and(|rule| {
                written.findings_of(&rule.info, &failure.sample).is_empty() != failure.should_fire
            })
        })
    };
    let (by_setting, failures): (Vec<_>, Vec<_>) = report.failures.into_iter().partition(holds);
    RuleTestReport {
        rules: report.rules,
        samples: report.samples,
        untested: report.untested,
        failures: failures.into_iter().map(failed).collect(),
        by_setting: by_setting.into_iter().map(failed).collect(),
        problems: problems.iter().map(problem).collect(),
    }
}

fn failed(failure: detect::SampleFailure) -> RuleTestFailure {
    RuleTestFailure {
        rule_id: failure.rule_id,
        sample: serde_json::to_value(&failure.sample).unwrap_or_default(),
        should_fire: failure.should_fire,
        summary: failure.summary,
    }
}

pub(crate) async fn rule_set(cx: Context, request: RuleChange) -> Result<RuleDetail, OpError> {
    let workspace = cx.workspace()?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    let rule = found(&loaded, &request.id)?;
    checked_counts(rule, request.threshold, request.window_s)?;
    // What the file says anyway is no adjustment: the numbers of a later version shall count.
    let own = rule.own;
    let wanted = Adjust {
        enabled: request.enabled.filter(|is_on| *is_on != own.enabled),
        threshold: request.threshold.filter(|n| own.counts.map(|own| own.0) != Some(*n)),
        window_s: request.window_s.filter(|n| own.counts.map(|own| own.1) != Some(*n)),
    };
    let setting = setting::read::<RuleSetting>(workspace.store(), SETTING).await?;
    let mut after = setting.value.clone();
    let before = after.adjust.get(&request.id).copied().unwrap_or_default();
    if wanted == Adjust::default() {
        after.adjust.remove(&request.id);
    } else {
        after.adjust.insert(request.id.clone(), wanted);
    }
    let changes = vec![Change::new(&request.id, json(&before)?, json(&wanted)?)];
    let draft = cx.record(format!("rule/{}", request.id), changes, request.reason);
    setting.replace(workspace.store(), &after, draft).await?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    detail(&loaded, &request.id).await
}

fn checked_counts(rule: &detect::Rule, threshold: Option<u32>, window_s: Option<u32>) -> Result<(), OpError> {
    if rule.counts.is_none() && (threshold.is_some() || window_s.is_some()) {
        let message = format!("{} counts nothing: it has no threshold", rule.info.id);
        return Err(OpError::invalid("threshold", message));
    }
    if threshold == Some(0) || window_s == Some(0) {
        return Err(OpError::invalid("threshold", "threshold and window are at least 1"));
    }
    if window_s.is_some_and(|window_s| window_s > detect::WINDOW_S_MAX) {
        let days = detect::WINDOW_S_MAX / 86_400;
        return Err(OpError::invalid("window_s", format!("a window is at most {days} days")));
    }
    Ok(())
}

pub(crate) async fn rule_try(cx: Context, request: RuleTry) -> Result<RuleTried, OpError> {
    let workspace = cx.workspace()?;
    let text = required("text", &request.text, TRY_BYTES_MAX)?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    off_the_runtime(move || inspect::tried(&loaded.set, &text)).await?
}

pub(crate) async fn rule_directory_set(cx: Context, request: RuleDirectorySet) -> Result<RuleList, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let directory = request.directory.map(|path| existing(&path)).transpose()?;
    let setting = setting::read::<RuleSetting>(workspace.store(), SETTING).await?;
    let after = RuleSetting { directory, ..setting.value.clone() };
    let changes = vec![Change::new("directory", json(&setting.value.directory)?, json(&after.directory)?)];
    setting.replace(workspace.store(), &after, cx.record("rules", changes, None)).await?;
    Ok(listed(&workspace.rules().refresh(&workspace, false).await?.0))
}

fn existing(path: &str) -> Result<PathBuf, OpError> {
    let path = std::path::absolute(required("directory", path, 4_096)?)
        .map_err(|error| OpError::invalid("directory", error.to_string()))?;
    if path.is_dir() {
        return Ok(path);
    }
    Err(OpError::unreadable("directory", &path, "there is no such directory"))
}

pub(crate) async fn rule_backtest(cx: Context, request: RuleBacktest) -> Result<BacktestReport, OpError> {
    let workspace = cx.workspace()?;
    let (present, _) = workspace.rules().refresh(&workspace, false).await?;
    let now = workspace.now();
    let period = match request.period {
        Some(period) => super::events::checked(period)?,
        None => workspace
            .store()
            .events_span()
            .await?
            .unwrap_or_else(|| Period::ending(now, chrono::Duration::hours(24))),
    };
    let (candidate, problems, against) = match (request.directory, request.change) {
        (directory, change) if directory.is_some() || change.is_some() => {
            let path = match directory {
                Some(path) => {
                    at_this_machine(&cx)?;
                    existing(&path)?
                }
                None => present.directory.clone(),
            };
            let mut adjust = present.setting.adjust.clone();
            if let Some(change) = change {
                let rule = found(&present, &change.id)?;
                checked_counts(rule, change.threshold, change.window_s)?;
                let RuleTrial { id, enabled, threshold, window_s } = change;
                adjust.insert(id, Adjust { enabled, threshold, window_s });
            }
            let keys = Arc::clone(&present.keys.keys);
            let (set, problems) = off_the_runtime(move || rules::load(&path, &adjust)).await?;
            (Arc::new(set.with_keys(keys)), problems, BacktestAgainst::Present)
        }
        _ => (present.set.clone(), present.problems.to_vec(), BacktestAgainst::Recorded),
    };
    let making = cx.console.0.makings.begin(request.ticket)?;
    let filter = watchpost_store::EventFilter { period: Some(period), ..Default::default() };
    let total = workspace.store().event_count(&filter).await?;
    // What is suppressed is told neither before nor after: it opens nothing.
    let hidden = Arc::new(Hidden::over(workspace.store(), period, now).await?);
    let known = workspace.known(Freshness::Now).await?;
    let replay = |rules| Replay::new(rules, Arc::clone(&known), Arc::clone(&hidden));
    let mut after = replay(candidate);
    let mut before = (against == BacktestAgainst::Present).then(|| replay(present.set.clone()));
    let (mut events, mut cursor, mut truncated) = (0, None, false);
    loop {
        let page = workspace.store().events_in_order(period, cursor, PAGE).await?;
        let Some(last) = page.last() else { break };
        cursor = Some(watchpost_store::EventCursor::of(last));
        events += page.len() as u64;
        let is_last = page.len() < PAGE as usize;
        (after, before) = off_the_runtime(move || {
            let (mut after, mut before) = (after, before);
            for event in &page {
                after.observe(event, now);
                if let Some(before) = &mut before {
                    before.observe(event, now);
                }
            }
            (after, before)
        })
        .await?;
        truncated = !making.go_on("replaying", events, total.max(events)) && !is_last;
        if is_last || truncated {
            break;
        }
    }
    let after = after.tally;
    let before = match before {
        Some(replay) => replay.tally,
        None => {
            let recorded = workspace.store().findings_by_rule(period, hidden.scopes()).await?;
            Tally {
                incidents_total: recorded.incidents,
                rules: recorded
                    .rules
                    .into_iter()
                    .map(|row| (row.rule_id, (row.findings, row.incidents)))
                    .collect(),
                ..Tally::default()
            }
        }
    };
    Ok(compared(events, truncated, against, &before, &after, &problems))
}

pub(crate) async fn rule_backtest_progress(
    cx: Context,
    request: ReportTicket,
) -> Result<ReportProgress, OpError> {
    Ok(cx.console.0.makings.progress(&request.ticket))
}

pub(crate) async fn rule_backtest_cancel(
    cx: Context,
    request: ReportTicket,
) -> Result<ReportProgress, OpError> {
    Ok(cx.console.0.makings.cancel(&request.ticket))
}

/// One set of rules over a period.
struct Replay {
    engine: Engine,
    known: Arc<Known>,
    listed: Listed,
    hidden: Arc<Hidden>,
    tally: Tally,
}

/// What rules said.
#[derive(Default)]
struct Tally {
    /// Findings and incidents by rule.
    rules: BTreeMap<String, (u64, u64)>,
    /// Which rule spoke of which incident.
    seen: BTreeSet<(String, AttackFamily, Entity)>,
    incidents: BTreeSet<(AttackFamily, Entity)>,
    incidents_total: u64,
    hidden: u64,
}

impl Replay {
    fn new(rules: Arc<detect::RuleSet>, known: Arc<Known>, hidden: Arc<Hidden>) -> Self {
        let engine = Engine::with_rules(Config::default(), rules);
        Self { engine, known, listed: Listed::default(), hidden, tally: Tally::default() }
    }

    fn observe(&mut self, event: &Event, now: chrono::DateTime<chrono::Utc>) {
        let place = self.known.place(event);
        let mut findings = self.engine.observe_at(event, place.as_ref(), now);
        findings.extend(self.listed.fresh(&self.known, event));
        for finding in findings {
            if self.hidden.covers(&finding, event) {
                self.tally.hidden += 1;
            } else {
                self.tally.take(finding);
            }
        }
    }
}

impl Tally {
    fn take(&mut self, finding: Finding) {
        let row = self.rules.entry(finding.rule_id.clone()).or_default();
        row.0 += 1;
        if self.seen.len() < SEEN_MAX
            && self.seen.insert((finding.rule_id, finding.family, finding.entity.clone()))
        {
            row.1 += 1;
        }
        if self.incidents.len() < SEEN_MAX && self.incidents.insert((finding.family, finding.entity)) {
            self.incidents_total += 1;
        }
    }

    fn findings(&self) -> u64 {
        self.rules.values().map(|(findings, _)| findings).sum()
    }
}

fn compared(
    events: u64,
    truncated: bool,
    against: BacktestAgainst,
    before: &Tally,
    after: &Tally,
    problems: &[detect::Problem],
) -> BacktestReport {
    let ids: BTreeSet<&String> = before.rules.keys().chain(after.rules.keys()).collect();
    let row = |id: &String| {
        let (findings_before, incidents_before) = before.rules.get(id).copied().unwrap_or_default();
        let (findings_after, incidents_after) = after.rules.get(id).copied().unwrap_or_default();
        BacktestRow {
            rule_id: id.clone(),
            findings_before,
            findings_after,
            incidents_before,
            incidents_after,
        }
    };
    BacktestReport {
        events,
        truncated,
        against,
        findings_before: before.findings(),
        findings_after: after.findings(),
        incidents_before: before.incidents_total,
        incidents_after: after.incidents_total,
        findings_hidden: after.hidden,
        rules: ids.into_iter().map(row).collect(),
        problems: problems.iter().map(problem).collect(),
    }
}

pub(crate) async fn rule_import_sigma(
    cx: Context,
    request: RuleImportSigma,
) -> Result<RuleImportReport, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let source = PathBuf::from(required("path", &request.path, 4_096)?);
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    let target = loaded.directory.join(SIGMA_FOLDER);
    // The intent first: the effect is outside the database. What fails is recorded by the door.
    let changes = vec![Change::new("from", serde_json::Value::Null, json(&request.path)?)];
    let begun = cx.record_as(AuditOutcome::Started, "rules/sigma", changes, None);
    workspace.store().audit_append(begun).await?;
    let report = off_the_runtime(move || import(&source, &loaded, &target)).await??;
    let changes = [("files", report.copied), ("rules", report.rules)]
        .map(|(field, n)| Change::new(field, serde_json::Value::Null, n));
    workspace.store().audit_append(cx.record("rules/sigma", changes.to_vec(), None)).await?;
    workspace.rules().refresh(&workspace, true).await?;
    Ok(report)
}

/// Validates all files together with the rules that are there, and copies those that bring a rule.
fn import(source: &Path, loaded: &Loaded, target: &Path) -> Result<RuleImportReport, OpError> {
    let (files, unread) = if source.is_dir() {
        rules::read_directory(source)
    } else {
        std::fs::metadata(source).map_err(|error| OpError::unreadable("path", source, error))?;
        let text = rules::read_file(source)
            .map_err(|(_, problem)| OpError::invalid("path", format!("{}: {problem}", source.display())))?;
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (vec![RuleFile { name, text }], Vec::new())
    };
    if files.is_empty() && unread.is_empty() {
        return Err(OpError::invalid("path", format!("no .yml file below {}", source.display())));
    }
    // Those that are there already, but for the ones that are imported again.
    let (mut all, _) = rules::read_directory(&loaded.directory);
    let new: BTreeSet<String> = files.iter().map(|file| format!("{SIGMA_FOLDER}/{}", file.name)).collect();
    all.retain(|file| !new.contains(&file.name));
    all.extend(
        files
            .iter()
            .map(|file| RuleFile { name: format!("{SIGMA_FOLDER}/{}", file.name), text: file.text.clone() }),
    );
    let set = detect::RuleSet::load(&all, &loaded.setting.adjust);
    let mut report = RuleImportReport {
        directory: target.to_string_lossy().into_owned(),
        rules: 0,
        copied: 0,
        files: Vec::with_capacity(files.len()),
    };
    let mut n_rules: BTreeMap<&str, u64> = BTreeMap::new();
    for rule in set.rules() {
        if let RuleSource::Directory(file) = &rule.source {
            *n_rules.entry(file.as_str()).or_default() += 1;
        }
    }
    let mut problems: BTreeMap<&str, Vec<RuleProblem>> = BTreeMap::new();
    for told in set.problems() {
        let file = told.file.strip_prefix(SIGMA_FOLDER).and_then(|rest| rest.strip_prefix('/'));
        // Named as they are where they come from: what is refused is not copied.
        let file = file.unwrap_or(&told.file).to_owned();
        problems.entry(told.file.as_str()).or_default().push(RuleProblem { file, ..problem(told) });
    }
    for file in files {
        let name = format!("{SIGMA_FOLDER}/{}", file.name);
        let n = n_rules.get(name.as_str()).copied().unwrap_or(0);
        if n > 0 {
            write(&target.join(&file.name), &file.text)?;
            report.copied += 1;
            report.rules += n;
        }
        let problems = problems.remove(name.as_str()).unwrap_or_default();
        let outcome = RuleImportOutcome::of(n, &problems);
        report.files.push(RuleImportFile { file: file.name, outcome, rules: n, problems });
    }
    for told in unread {
        report.files.push(RuleImportFile {
            file: told.file.clone(),
            outcome: RuleImportOutcome::NotSupported,
            rules: 0,
            problems: vec![problem(&told)],
        });
    }
    Ok(report)
}

fn write(path: &Path, text: &str) -> Result<(), OpError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text)).map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("cannot write {}: {error}", path.display()))
    })
}

/// Work that takes a processor for a while.
fn found<'a>(loaded: &'a Loaded, id: &str) -> Result<&'a detect::Rule, OpError> {
    loaded
        .set
        .rule(id)
        .ok_or_else(|| OpError::not_found(format!("rule {id:?}")).hint("`watchpost rules list` shows them"))
}

fn problem(told: &detect::Problem) -> RuleProblem {
    RuleProblem {
        file: told.file.clone(),
        line: told.line,
        rule_id: told.rule_id.clone(),
        kind: told.kind.into(),
        reason: told.reason.clone(),
        is_warning: told.is_warning,
    }
}

fn row(rule: &detect::Rule, adjust: &BTreeMap<String, Adjust>) -> RuleRow {
    let (RuleSource::Embedded(file) | RuleSource::Directory(file)) = &rule.source;
    RuleRow {
        id: rule.info.id.clone(),
        version: rule.info.version,
        title: rule.info.title.clone(),
        kind: match rule.kind {
            detect::RuleKind::Signature => RuleKind::Signature,
            detect::RuleKind::Behaviour => RuleKind::Behaviour,
            detect::RuleKind::Sigma => RuleKind::Sigma,
            detect::RuleKind::Correlation => RuleKind::Correlation,
            detect::RuleKind::Filter => RuleKind::Filter,
        },
        family: rule.info.family,
        severity: rule.info.severity,
        confidence: rule.info.confidence,
        enabled: rule.enabled,
        file: file.clone(),
        line: rule.line,
        embedded: matches!(rule.source, RuleSource::Embedded(_)),
        overrides: rule.overrides,
        threshold: rule.counts.map(|(threshold, _)| threshold),
        window_s: rule.counts.map(|(_, window_s)| window_s),
        adjusted: adjust.contains_key(&rule.info.id),
        file_enabled: rule.own.enabled,
        file_threshold: rule.own.counts.map(|(threshold, _)| threshold),
        file_window_s: rule.own.counts.map(|(_, window_s)| window_s),
    }
}

/// The first problems, what was refused before what is only worth knowing.
fn first_problems(all: &[detect::Problem]) -> Vec<RuleProblem> {
    let (warnings, refused): (Vec<_>, Vec<_>) = all.iter().partition(|told| told.is_warning);
    refused.into_iter().chain(warnings).take(PROBLEMS_MAX).map(problem).collect()
}

fn listed(loaded: &Loaded) -> RuleList {
    RuleList {
        directory: loaded.directory.to_string_lossy().into_owned(),
        loaded_at: loaded.at,
        rules: loaded.set.rules().iter().map(|rule| row(rule, &loaded.setting.adjust)).collect(),
        problems: first_problems(&loaded.problems),
        problems_total: loaded.problems.len() as u64,
    }
}

/// The list of a set that belongs to no workspace.
#[must_use]
pub fn list_of(
    directory: &Path,
    set: &detect::RuleSet,
    problems: &[detect::Problem],
    at: chrono::DateTime<chrono::Utc>,
) -> RuleList {
    RuleList {
        directory: directory.to_string_lossy().into_owned(),
        loaded_at: at,
        rules: set.rules().iter().map(|rule| row(rule, &BTreeMap::new())).collect(),
        problems: problems.iter().map(problem).collect(),
        problems_total: problems.len() as u64,
    }
}

/// The document of a rule: from its line to the next `---`.
fn document(text: &str, line: u64) -> String {
    let first = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let is_end = |line: &&str| line.trim_end() == "---";
    let lines: Vec<&str> =
        text.lines().skip(first).skip_while(is_end).take_while(|line| !is_end(line)).collect();
    lines.join("\n")
}

async fn text_of(loaded: &Loaded, rule: &detect::Rule) -> Result<String, OpError> {
    let line = rule.line;
    match &rule.source {
        RuleSource::Embedded(file) => {
            Ok(document(detect::RuleSet::embedded_text(file).unwrap_or_default(), line))
        }
        RuleSource::Directory(file) => {
            let path = loaded.directory.join(file);
            let read =
                off_the_runtime(move || rules::read_file(&path).map(|text| document(&text, line))).await?;
            read.map_err(|(_, problem)| OpError::not_found(format!("{file}: {problem}")))
        }
    }
}

async fn detail(loaded: &Loaded, id: &str) -> Result<RuleDetail, OpError> {
    let rule = found(loaded, id)?;
    let samples = |all: &[detect::Sample]| all.iter().map(json).collect::<Result<Vec<_>, _>>();
    Ok(RuleDetail {
        row: row(rule, &loaded.setting.adjust),
        description: rule.info.description.clone(),
        attack: rule.info.attack.clone(),
        owasp: rule.info.owasp.clone(),
        controls: rule.info.controls.clone(),
        falsepositives: rule.info.falsepositives.clone(),
        text: text_of(loaded, rule).await?,
        fires: samples(&rule.info.fires)?,
        near_misses: samples(&rule.info.near_misses)?,
    })
}
