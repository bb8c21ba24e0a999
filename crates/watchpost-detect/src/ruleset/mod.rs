//! The set of rules that an engine runs: what ships, what the team's directory adds or overrides, and what is off.
//!
//! Reading files is the caller's business; here text comes in ([`RuleFile`]) and a set goes out. A document that cannot
//! be used becomes a [`Problem`] with file, line and reason, and leaves all others running.

mod documents;
mod embedded;
mod format;
mod native;
mod near;
mod reason;
mod references;
mod sense;
mod sigma;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use self::documents::{Kind, Part};
pub use self::native::WINDOW_S_MAX;
use self::near::hint;
pub use self::near::nearest;
use self::references::References;
use self::sigma::{Loaded, Sigma};
use crate::bits::BITS_MAX;
use crate::check::TokenKeys;
use crate::rule::{RuleInfo, RuleKind, RuleSource};
use crate::rules::{Behaviour, Signature};
use crate::sigma::SigmaRules;
use crate::signature::Signatures;

/// A file of rules, read by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// Its path below the rules directory, for messages.
    pub name: String,
    /// YAML: one or several documents.
    pub text: String,
}

/// What sort of thing is wrong with a document: what thousands of problems are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The file cannot be read, or is no text.
    File,
    /// The text is no YAML.
    Yaml,
    /// The document is no rule, or lacks a part of one, or says something that no rule says.
    Form,
    /// The condition cannot be read, or names what is not there.
    Condition,
    /// A field, a modifier or a value of a selection.
    Selection,
    /// A regular expression.
    Expression,
    /// The aggregation at the end of a condition, which Sigma has taken out.
    Aggregation,
    /// It refers to rules that are not there.
    Reference,
    /// Another document has its id.
    Taken,
    /// It is for logs that Watchpost does not read by itself.
    OtherLogs,
    /// Its condition asks for selections that are not there.
    NeverFires,
    /// Fewer samples than prove it.
    Samples,
}

/// What is wrong with a document, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file, as in [`RuleFile::name`].
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: u64,
    /// The rule, where the document says which.
    pub rule_id: Option<String>,
    /// What sort of thing it is.
    pub kind: ProblemKind,
    /// One sentence.
    pub reason: String,
    /// The rule runs all the same.
    pub is_warning: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.is_warning { "warning: " } else { "" };
        f.write_str(&self.file)?;
        // 0 is the file as a whole.
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {what}{}", self.reason)?;
        self.rule_id.as_ref().map_or(Ok(()), |id| write!(f, " ({id})"))
    }
}

/// What an administrator changed on a rule without editing a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adjust {
    /// On or off, whatever its file says.
    pub enabled: Option<bool>,
    /// Another threshold for a behaviour; 0 is read as 1.
    pub threshold: Option<u32>,
    /// Another window for a behaviour, in seconds; 0 is read as 1.
    pub window_s: Option<u32>,
}

/// One rule of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What it says of itself.
    pub info: Arc<RuleInfo>,
    /// How it works.
    pub kind: RuleKind,
    /// Where it comes from.
    pub source: RuleSource,
    /// The line of its document, from 1.
    pub line: u64,
    /// Does it run?
    pub enabled: bool,
    /// It stands in the directory in place of one that ships.
    pub overrides: bool,
    /// How many events a behaviour takes, and in how many seconds.
    pub counts: Option<(u32, u32)>,
    /// Both switch and counts as its file has them, whatever was adjusted.
    pub own: Own,
}

/// What the file of a rule says of what can be adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// Does it run?
    pub enabled: bool,
    /// How many events a behaviour takes, and in how many seconds.
    pub counts: Option<(u32, u32)>,
}

/// How a rule runs.
#[derive(Debug, Clone)]
enum Body {
    Signature(Arc<Signature>),
    Behaviour(Arc<Behaviour>),
    Sigma(Arc<RuleInfo>, Sigma),
}

impl Body {
    fn info(&self) -> &Arc<RuleInfo> {
        match self {
            Self::Signature(signature) => &signature.info,
            Self::Behaviour(behaviour) => &behaviour.info,
            Self::Sigma(info, _) => info,
        }
    }

    const fn kind(&self) -> RuleKind {
        match self {
            Self::Signature(_) => RuleKind::Signature,
            Self::Behaviour(_) => RuleKind::Behaviour,
            Self::Sigma(_, Sigma::Detection(_)) => RuleKind::Sigma,
            Self::Sigma(_, Sigma::Correlation(_)) => RuleKind::Correlation,
            Self::Sigma(_, Sigma::Filter(_)) => RuleKind::Filter,
        }
    }
}

/// An immutable set of compiled rules.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    problems: Vec<Problem>,
    pub(crate) signatures: Signatures,
    pub(crate) behaviours: Vec<Arc<Behaviour>>,
    /// Only where there are any: an engine without Sigma rules pays nothing for them.
    pub(crate) sigma: Option<SigmaRules>,
    /// What the rules about tokens check signatures with.
    pub(crate) keys: Arc<TokenKeys>,
}

impl RuleSet {
    /// The text of a file that ships.
    #[must_use]
    pub fn embedded_text(file: &str) -> Option<&'static str> {
        embedded::FILES.iter().find(|(name, _)| *name == file).map(|(_, text)| *text)
    }

    /// What ships, unchanged; compiled once a process.
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<RuleSet>> = OnceLock::new();
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(Self::load(&[], &BTreeMap::new()))))
    }

    /// What ships, with the documents of `files` added or put in the place of those with the same id, and with what an
    /// administrator adjusted, by rule id. Never fails: see [`RuleSet::problems`].
    #[must_use]
    pub fn load(files: &[RuleFile], adjust: &BTreeMap<String, Adjust>) -> Self {
        let mut loader = Loader { adjust, entries: Vec::new(), by_id: HashMap::new(), problems: Vec::new() };
        for (name, text) in embedded::FILES {
            let file = RuleFile { name: (*name).to_owned(), text: (*text).to_owned() };
            loader.add(&file, RuleSource::Embedded((*name).to_owned()));
        }
        loader.add_all(files);
        loader.finish()
    }

    /// The documents of `files` alone, without what ships.
    #[must_use]
    pub fn only(files: &[RuleFile]) -> Self {
        let adjust = BTreeMap::new();
        let mut loader =
            Loader { adjust: &adjust, entries: Vec::new(), by_id: HashMap::new(), problems: Vec::new() };
        loader.add_all(files);
        loader.finish()
    }

    /// The same rules, which also check the signatures of tokens with `keys`.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<TokenKeys>) -> Self {
        self.keys = keys;
        self
    }

    /// The same documents, shipped and of `files`, with every rule on and nothing else adjusted: how their authors
    /// tried them.
    #[must_use]
    pub fn as_written(&self, files: &[RuleFile]) -> Self {
        let on = Adjust { enabled: Some(true), ..Adjust::default() };
        let off = self.rules.iter().filter(|rule| !rule.enabled);
        let adjust = off.map(|rule| (rule.info.id.clone(), on)).collect();
        Self::load(files, &adjust).with_keys(Arc::clone(&self.keys))
    }

    /// Every rule, those that are off included, in a fixed order: as shipped, then by file and document.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.info.id == id)
    }

    /// What could not be used, and what is worth knowing.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The longest window of a behaviour that is on, in seconds.
    #[must_use]
    pub fn longest_window_s(&self) -> u32 {
        self.behaviours.iter().map(|row| row.window_s).max().unwrap_or(0)
    }
}

struct Entry {
    body: Body,
    source: RuleSource,
    line: u64,
    references: References,
    enabled: bool,
    own_enabled: bool,
    overrides: bool,
}

struct Loader<'a> {
    adjust: &'a BTreeMap<String, Adjust>,
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    problems: Vec<Problem>,
}

impl Loader<'_> {
    fn add(&mut self, file: &RuleFile, source: RuleSource) {
        for part in documents::parts(file, &mut self.problems) {
            let outcome = match part.kind {
                Kind::Sigma(_) => {
                    for (body, enabled) in sigma::sigma(&part, &mut self.problems) {
                        let placed = self.place(&part, &source, body, enabled);
                        self.problems.extend(placed.err());
                    }
                    Ok(())
                }
                Kind::Native => {
                    let adjust = part.id.as_ref().and_then(|id| self.adjust.get(id));
                    // What ships has a test for this.
                    let told = matches!(source, RuleSource::Directory(_)).then_some(&mut self.problems);
                    native::native(&part, adjust, told)
                        .and_then(|(body, on)| self.place(&part, &source, body, on))
                }
                Kind::Switch(enabled) => self.switch(&part, enabled),
            };
            self.problems.extend(outcome.err());
        }
    }

    /// A document that is only `id` and `enabled`.
    fn switch(&mut self, part: &Part<'_>, enabled: bool) -> Result<(), Problem> {
        let at = part.id.as_ref().and_then(|id| self.by_id.get(id));
        let Some(&at) = at else {
            let id = part.id.as_deref().unwrap_or("");
            let near = hint(id, self.ids());
            let reason = format!("switches a rule that is not there (yet): the rule has to come first{near}");
            return Err(part.problem(ProblemKind::Reference, 0, reason));
        };
        self.entries[at].enabled = enabled;
        Ok(())
    }

    fn place(
        &mut self,
        part: &Part<'_>,
        source: &RuleSource,
        body: Body,
        enabled: bool,
    ) -> Result<(), Problem> {
        let id = body.info().id.clone();
        let is_shipped = matches!(source, RuleSource::Embedded(_));
        let n_samples = body.info().fires.len().min(body.info().near_misses.len());
        if !is_shipped && n_samples < 3 && matches!(body.kind(), RuleKind::Signature | RuleKind::Behaviour) {
            let reason =
                "fewer than three samples that fire, or than three near-misses: nothing proves this rule";
            let told = part.problem(ProblemKind::Samples, 0, reason);
            self.problems.push(Problem { is_warning: true, ..told });
        }
        let mut entry = Entry {
            references: References::of(part, &body),
            body,
            source: source.clone(),
            line: part.line,
            enabled,
            own_enabled: enabled,
            overrides: false,
        };
        let Some(&at) = self.by_id.get(&id) else {
            self.by_id.insert(id, self.entries.len());
            self.entries.push(entry);
            return Ok(());
        };
        let known = &self.entries[at];
        if is_shipped || matches!(known.source, RuleSource::Directory(_)) {
            return Err(part.problem(
                ProblemKind::Taken,
                0,
                format!("the id is taken by {}:{}", known.file(), known.line),
            ));
        }
        entry.overrides = true;
        self.entries[at] = entry;
        Ok(())
    }

    /// The ids of all rules so far, in their order.
    fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.body.info().id.as_str())
    }

    /// Rules that leave a value to one that is not there.
    fn unknown_yields(&self) -> Vec<Problem> {
        let mut told = Vec::new();
        for entry in &self.entries {
            let Body::Signature(signature) = &entry.body else { continue };
            let is_unknown = |name: &&String| name.contains('.') && !self.by_id.contains_key(name.as_str());
            for name in signature.yields.iter().filter(is_unknown) {
                told.push(Problem {
                    file: entry.file().to_owned(),
                    line: entry.references.line_of(name).unwrap_or(entry.line),
                    rule_id: Some(signature.info.id.clone()),
                    kind: ProblemKind::Reference,
                    reason: format!("yields to {name}, which is not there{}", hint(name, self.ids())),
                    is_warning: true,
                });
            }
        }
        told
    }

    fn add_all(&mut self, files: &[RuleFile]) {
        for file in files {
            self.add(file, RuleSource::Directory(file.name.clone()));
        }
    }

    fn finish(mut self) -> RuleSet {
        for (id, adjust) in self.adjust {
            let Some(&at) = self.by_id.get(id) else {
                let near = hint(id, self.ids());
                self.problems.push(Problem {
                    file: "settings".to_owned(),
                    line: 0,
                    rule_id: Some(id.clone()),
                    kind: ProblemKind::Reference,
                    reason: format!("adjusts a rule that is not there{near}"),
                    is_warning: true,
                });
                continue;
            };
            if let Some(enabled) = adjust.enabled {
                self.entries[at].enabled = enabled;
            }
        }
        self.problems.extend(self.unknown_yields());
        let mut signatures = Vec::new();
        let mut behaviours = Vec::new();
        let mut loaded = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.enabled) {
            match &entry.body {
                Body::Signature(_) if signatures.len() == BITS_MAX => {
                    self.problems.push(Problem {
                        file: entry.file().to_owned(),
                        line: entry.line,
                        rule_id: Some(entry.body.info().id.clone()),
                        kind: ProblemKind::Form,
                        reason: format!("there are more than {BITS_MAX} signatures; this one does not run"),
                        is_warning: false,
                    });
                    entry.enabled = false;
                }
                Body::Signature(signature) => signatures.push(Arc::clone(signature)),
                Body::Behaviour(behaviour) => behaviours.push(Arc::clone(behaviour)),
                Body::Sigma(info, sigma) => loaded.push(Loaded {
                    info: Arc::clone(info),
                    sigma: sigma.clone(),
                    file: entry.file().to_owned(),
                    line: entry.line,
                    references: entry.references.clone(),
                }),
            }
        }
        let mut refused = HashSet::new();
        let sigma = sigma::together(loaded, &mut self.problems, &mut refused);
        let kept = self.entries.into_iter().filter(|entry| !refused.contains(&entry.body.info().id));
        let rules = kept.map(Entry::listed).collect();
        RuleSet {
            rules,
            problems: self.problems,
            signatures: Signatures::new(signatures),
            behaviours,
            sigma,
            keys: Arc::default(),
        }
    }
}

impl Entry {
    fn file(&self) -> &str {
        let (RuleSource::Embedded(file) | RuleSource::Directory(file)) = &self.source;
        file
    }

    fn listed(self) -> Rule {
        let (counts, own_counts) = match &self.body {
            Body::Behaviour(behaviour) => {
                (Some((behaviour.threshold, behaviour.window_s)), Some(behaviour.own))
            }
            Body::Signature(_) | Body::Sigma(..) => (None, None),
        };
        Rule {
            info: Arc::clone(self.body.info()),
            kind: self.body.kind(),
            source: self.source,
            line: self.line,
            enabled: self.enabled,
            overrides: self.overrides,
            counts,
            own: Own { enabled: self.own_enabled, counts: own_counts },
        }
    }
}
