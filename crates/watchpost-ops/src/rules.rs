//! The rules of a workspace: what ships, what the rules directory adds, what was adjusted; loaded again when either
//! changes.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
pub use watchpost_detect::RuleSet;
use watchpost_detect::{Adjust, Problem, ProblemKind, RuleFile};

use crate::console::Workspace;
use crate::error::OpError;
use crate::secrets::Secrets;
use crate::setting;
use crate::token_keys;

/// The name of the setting.
pub(crate) const SETTING: &str = "rules";
/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Most files of a directory.
const FILES_MAX: usize = 20_000;
/// Most problems that are logged one by one when rules are loaded.
const PROBLEMS_LOGGED: usize = 20;
/// Deepest folder below the directory.
const DEPTH_MAX: usize = 8;

/// What is stored of the rules of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RuleSetting {
    /// Another directory than `rules` in the data folder.
    pub(crate) directory: Option<PathBuf>,
    /// By rule id.
    pub(crate) adjust: BTreeMap<String, Adjust>,
}

/// Path, time of change and length of each file: what tells that a directory was edited.
type Fingerprint = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// The files of rules below `directory`, in the order of their names; what cannot be read becomes a problem. A
/// directory that is not there holds none.
pub fn read_directory(directory: &Path) -> (Vec<RuleFile>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for (path, ..) in fingerprint(directory) {
        let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
        let mut report = |(line, reason): (u64, String)| {
            problems.push(Problem {
                file: name.clone(),
                line,
                rule_id: None,
                kind: ProblemKind::File,
                reason,
                is_warning: false,
            });
        };
        match read_file(&path) {
            Ok(text) => files.push(RuleFile { name, text }),
            Err(problem) => report(problem),
        }
    }
    (files, problems)
}

/// The text of a file of rules.
///
/// # Errors
/// Why it cannot be had: gone, no file, too long, no text; with the line, or 0 for the file as a whole.
pub(crate) fn read_file(path: &Path) -> Result<String, (u64, String)> {
    let no = |error: std::io::Error| (0, format!("cannot be read: {error}"));
    // Before it is opened: a pipe without a writer is waited for.
    if !std::fs::metadata(path).map_err(no)?.is_file() {
        return Err((0, "is no file of text but a folder, a pipe, a socket or a device".to_owned()));
    }
    let file = std::fs::File::open(path).map_err(no)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(no)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err((0, format!("longer than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count() as u64;
        (line, "is not text in UTF-8: save it in that encoding".to_owned())
    })
}

/// Every folder is looked through once, by its own name before that of a link: links may lead in a circle.
fn fingerprint(directory: &Path) -> Fingerprint {
    let mut all = Vec::new();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut folders = vec![(directory.to_owned(), 0)];
    let mut linked: VecDeque<(PathBuf, usize)> = VecDeque::new();
    while let Some((folder, depth)) = folders.pop().or_else(|| linked.pop_front()) {
        let is_new = std::fs::canonicalize(&folder).is_ok_and(|own| seen.insert(own));
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        if !is_new {
            continue;
        }
        let mut entries: Vec<std::fs::DirEntry> = entries.flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let is_rule = path
                .extension()
                .is_some_and(|ending| ["yml", "yaml"].iter().any(|known| ending.eq_ignore_ascii_case(known)));
            // Links are followed: a mounted directory of a cluster's configuration consists of them.
            let about = match std::fs::metadata(&path) {
                Ok(about) if about.is_dir() && depth < DEPTH_MAX => {
                    if is_link {
                        linked.push_back((path, depth + 1));
                    } else {
                        folders.push((path, depth + 1));
                    }
                    continue;
                }
                Ok(about) if about.is_dir() || !is_rule => continue,
                Ok(about) => Some(about),
                // A link that leads nowhere or to itself: reading it says which. Anything else is gone.
                Err(_) if is_link => None,
                Err(_) => continue,
            };
            if all.len() < FILES_MAX {
                // What is no file is told of when it is to be read.
                let file = about.filter(std::fs::Metadata::is_file);
                let changed = file.as_ref().and_then(|file| file.modified().ok());
                all.push((path, changed, file.map_or(0, |file| file.len())));
            }
        }
    }
    all.sort();
    all
}

/// What ships with the rules below `directory`.
#[must_use]
pub fn load(directory: &Path, adjust: &BTreeMap<String, Adjust>) -> (RuleSet, Vec<Problem>) {
    let (files, mut problems) = read_directory(directory);
    let set = RuleSet::load(&files, adjust);
    problems.extend_from_slice(set.problems());
    (set, problems)
}

/// As [`load`], but a directory that is not there is an error: for one that somebody named.
///
/// # Errors
/// `Unavailable` when there is no such directory.
pub fn load_named(directory: &Path) -> Result<(RuleSet, Vec<Problem>), OpError> {
    if !directory.is_dir() {
        return Err(OpError::unreadable("directory", directory, "there is no such directory"));
    }
    Ok(load(directory, &BTreeMap::new()))
}

/// Tells in the log which rules may miss what they are for, because their gate turns away what they match. These warnings
/// say that attacks go unseen; the list of rules has all.
pub fn tell_of_gaps(problems: &[Problem]) {
    let is_gap = |problem: &&Problem| problem.is_warning && problem.kind == ProblemKind::Expression;
    let mut gaps = problems.iter().filter(is_gap);
    for problem in gaps.by_ref().take(PROBLEMS_LOGGED) {
        tracing::warn!(%problem, "a rule may miss what it is for");
    }
    let more = gaps.count();
    if more > 0 {
        tracing::warn!(more, "rules may miss what they are for; `watchpost rules list` names them");
    }
}

pub use crate::perform::rules::{list_of, tested};

/// The rules as they were loaded last.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) set: Arc<RuleSet>,
    /// Those of the set and those of its files.
    pub(crate) problems: Arc<[Problem]>,
    pub(crate) directory: PathBuf,
    pub(crate) setting: RuleSetting,
    /// What signatures of tokens are checked with.
    pub(crate) keys: token_keys::Read,
    pub(crate) at: DateTime<Utc>,
    seen: Fingerprint,
}

/// Holds the rules of a workspace.
pub(crate) struct RuleDesk {
    /// `rules` in the data folder.
    default_directory: PathBuf,
    secrets: Secrets,
    /// Replaced whole; never held across an await.
    loaded: RwLock<Option<Loaded>>,
}

impl RuleDesk {
    pub(crate) fn new(default_directory: PathBuf, secrets: Secrets) -> Self {
        Self { default_directory, secrets, loaded: RwLock::new(None) }
    }

    /// What was loaded last.
    pub(crate) fn last(&self) -> Option<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The directory of a setting.
    pub(crate) fn directory(&self, setting: &RuleSetting) -> PathBuf {
        setting.directory.clone().unwrap_or_else(|| self.default_directory.clone())
    }

    /// Looks whether directory or setting changed and loads again if so (or if `force`d); true says that it did.
    pub(crate) async fn refresh(
        &self,
        workspace: &Workspace,
        force: bool,
    ) -> Result<(Loaded, bool), OpError> {
        let setting = setting(workspace).await?;
        let directory = self.directory(&setting);
        let last = self.last();
        let now = workspace.now();
        let seen = token_keys::seen(workspace.store()).await?;
        let keys = match last.as_ref().filter(|last| !force && last.keys.seen == seen) {
            Some(last) if !last.keys.is_stale(now) => last.keys.clone(),
            known => {
                let read = token_keys::read(seen, &self.secrets, workspace.connection().id, now).await;
                match known {
                    // Nothing came of looking again: what was loaded stays.
                    Some(last) if last.keys.rows == read.rows => {
                        token_keys::Read { at: now, ..last.keys.clone() }
                    }
                    _ => read,
                }
            }
        };
        let work = move || {
            let seen = fingerprint(&directory);
            if let Some(last) = last
                && !force
                && last.setting == setting
                && last.seen == seen
                && Arc::ptr_eq(&last.keys.keys, &keys.keys)
            {
                return (Loaded { keys, ..last }, false);
            }
            let (set, problems) = load(&directory, &setting.adjust);
            let set = Arc::new(set.with_keys(Arc::clone(&keys.keys)));
            (Loaded { set, problems: problems.into(), directory, setting, keys, at: now, seen }, true)
        };
        let (loaded, is_new) = tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| OpError::internal(format!("loading the rules: {error}")))?;
        if is_new {
            let mut refused = loaded.problems.iter().filter(|problem| !problem.is_warning);
            for problem in refused.by_ref().take(PROBLEMS_LOGGED) {
                tracing::warn!(%problem, "a rule cannot be used");
            }
            let more = refused.count();
            if more > 0 {
                tracing::warn!(more, "rules cannot be used; `watchpost rules list` names them");
            }
            tell_of_gaps(&loaded.problems);
        }
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        Ok((loaded, is_new))
    }
}

/// The stored setting, or the default.
pub(crate) async fn setting(workspace: &Workspace) -> Result<RuleSetting, OpError> {
    Ok(setting::read(workspace.store(), SETTING).await?.value)
}
