//! What no compiler and no linter finds. Each rule says why it is there.
//!
//! The checks are pure: a path and a text in, complaints out. The tests and `cargo xtask tidy` call them on every
//! file that git tracks or would track.

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::{arrows, build, shell};

/// Lines of code a file may have, its unit tests not counted.
const FILE_LINES_MAX: usize = 600;
/// Lines from which a component is mentioned: review decides.
const COMPONENT_LINES_NOTED: usize = 300;

/// A pattern that may not occur, where, and why.
struct Rule {
    pattern: &'static str,
    applies: fn(&str) -> bool,
    why: &'static str,
}

// The patterns are written in two parts, so that this file does not hold them.
const RULES: [Rule; 9] = [
    Rule {
        pattern: concat!("#[ig", "nore"),
        applies: |path| path.ends_with(".rs"),
        why: "a test that does not run proves nothing: assert today's behaviour instead",
    },
    Rule {
        pattern: concat!("#[tauri::", "command"),
        applies: |path| path.ends_with(".rs") && path != COMMANDS,
        why: "commands are expanded from the list of operations, in one file",
    },
    Rule {
        pattern: concat!("{@", "html"),
        applies: |path| path.starts_with("ui/src/") && path.ends_with(".svelte"),
        why: "events are written by attackers: text nodes only",
    },
    Rule {
        pattern: concat!(" style", "=\""),
        applies: |path| path.starts_with("ui/") && (path.ends_with(".svelte") || path.ends_with(".html")),
        why: "the content security policy drops inline styles: use a class or `style:`",
    },
    Rule {
        pattern: concat!("'@tauri", "-apps"),
        applies: |path| path.starts_with("ui/src/") && path != PLATFORM,
        why: "only ui/src/platform/tauri.ts knows the shell",
    },
    Rule {
        pattern: concat!("\"@tauri", "-apps"),
        applies: |path| path.starts_with("ui/src/") && path != PLATFORM,
        why: "only ui/src/platform/tauri.ts knows the shell",
    },
    Rule {
        pattern: concat!("WEBKIT", "_DISABLE_"),
        applies: |path| !path.ends_with(".md") && path != START,
        why: "tests and pictures show the window with the renderer that people get",
    },
    Rule {
        pattern: concat!("\"reso", "lved\": \"http"),
        applies: |path| path.ends_with("package-lock.json"),
        why: "the lock file may not tie the build to one registry: omit-lockfile-registry-resolved",
    },
    Rule { pattern: concat!("<<<<", "<<< "), applies: |_| true, why: "a merge was left unfinished" },
];

/// Where the commands of the window are expanded.
const COMMANDS: &str = "src-tauri/src/commands.rs";
/// Where the window settles how it is drawn: what people get.
const START: &str = "src-tauri/src/main.rs";
/// The one file of the front end that talks to the shell.
const PLATFORM: &str = "ui/src/platform/tauri.ts";

/// Prints every complaint and note; fails when there is a complaint.
///
/// # Errors
/// When git or cargo cannot be asked.
pub fn run() -> Result<ExitCode> {
    let files = files()?;
    for note in files.iter().filter_map(|(path, text)| note(path, text)) {
        println!("note: {note}");
    }
    let mut complaints: Vec<String> = files.iter().flat_map(|(path, text)| file(path, text)).collect();
    complaints.extend(arrows::complaints(&build::metadata()?));
    for complaint in &complaints {
        eprintln!("tidy: {complaint}");
    }
    if complaints.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Every text file of the project: its path below the root, its content.
///
/// # Errors
/// When a directory cannot be read.
pub fn files() -> Result<Vec<(String, String)>> {
    // The directory may belong to somebody else, as it does on many CI machines.
    let mut git = shell::command("git");
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let mut paths: Vec<String> = match shell::read(&mut git) {
        Ok(listed) => listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect(),
        // An unpacked archive, or a machine without git.
        Err(_) => walk(shell::root())?,
    };
    paths.sort_unstable();
    paths.dedup();
    // A file that is gone from the disk or is no text has nothing to check.
    let read = |path: String| fs::read_to_string(shell::root().join(&path)).ok().map(|text| (path, text));
    Ok(paths.into_iter().filter_map(read).collect())
}

/// The files below `root`, without what builds make (see .gitignore).
fn walk(root: &Path) -> Result<Vec<String>> {
    const MADE: [&str; 6] = [".git", "target", "node_modules", "dist", "gen", "shots"];
    let mut paths = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let made = MADE.iter().any(|name| entry.file_name() == *name);
            match entry.file_type()? {
                kind if kind.is_dir() && !made => open.push(entry.path()),
                kind if kind.is_file() => {
                    paths.push(entry.path().strip_prefix(root)?.to_string_lossy().into_owned())
                }
                _ => {}
            }
        }
    }
    Ok(paths)
}

/// What is wrong with one file; empty when nothing is.
#[must_use]
pub fn file(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for rule in RULES.iter().filter(|rule| (rule.applies)(path)) {
        for (idx, _) in text.lines().enumerate().filter(|(_, line)| line.contains(rule.pattern)) {
            complaints.push(format!("{path}:{}: `{}`: {}", idx + 1, rule.pattern.trim(), rule.why));
        }
    }
    for machine_path in machine_paths() {
        for (idx, _) in text.lines().enumerate().filter(|(_, line)| names(line, &machine_path)) {
            complaints.push(format!("{path}:{}: names {machine_path}, which only this machine has", idx + 1));
        }
    }
    let n_lines = code_lines(path, text);
    if n_lines > FILE_LINES_MAX {
        complaints.push(format!("{path} has {n_lines} lines of code; {FILE_LINES_MAX} is the most: part it"));
    }
    complaints
}

/// Something to look at in review.
fn note(path: &str, text: &str) -> Option<String> {
    let n_lines = text.lines().count();
    (path.ends_with(".svelte") && n_lines > COMPONENT_LINES_NOTED).then(|| {
        format!("{path} has {n_lines} lines; a component is easier to read below {COMPONENT_LINES_NOTED}")
    })
}

/// Lines of hand-written code; zero for tests, data and generated files.
fn code_lines(path: &str, text: &str) -> usize {
    let code = [".rs", ".ts", ".svelte"].iter().any(|extension| path.ends_with(extension));
    let exempt = path.contains("/tests/") || path.contains("/generated/") || path.ends_with(".test.ts");
    if !code || exempt {
        return 0;
    }
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// Directories that only the machine of this very run has.
fn machine_paths() -> Vec<String> {
    let mut paths = Vec::new();
    // A root such as `/app` is too common a word to look for.
    if shell::root().components().count() > 2 {
        paths.push(shell::root().display().to_string());
    }
    if let Ok(home) = env::var("HOME")
        && Path::new(&home).components().count() > 1
    {
        paths.extend([".cargo", ".rustup", ".cache", ".local", ".npm"].map(|name| format!("{home}/{name}")));
    }
    paths
}

/// Whether the line names the path itself, and not a longer name that begins like it.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let next = line[start + path.len()..].chars().next();
        next.is_none_or(|c| !(c.is_alphanumeric() || c == '-' || c == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::{FILE_LINES_MAX, RULES, file, names, note, walk};
    use crate::shell;

    #[test]
    fn every_rule_finds_its_pattern() {
        for rule in &RULES {
            let paths = ["ui/src/views/a.svelte", "crates/a/src/lib.rs", "ui/package-lock.json"];
            let path =
                paths.into_iter().find(|path| (rule.applies)(path)).expect("each rule applies somewhere");
            let found = file(path, &format!("first line\nx{}x\n", rule.pattern));
            assert!(
                found.iter().any(|complaint| complaint.contains(rule.why)),
                "{}: {found:?}",
                rule.pattern
            );
            assert!(found[0].starts_with(&format!("{path}:2:")), "{found:?}");
        }
    }

    #[test]
    fn the_exceptions_are_exceptions() {
        let setting = concat!("WEBKIT", "_DISABLE_COMPOSITING_MODE\n");
        assert!(file("src-tauri/src/main.rs", setting).is_empty());
        assert!(!file("tests/src/window.rs", setting).is_empty());
        assert!(file("src-tauri/src/commands.rs", concat!("#[tauri::", "command]\n")).is_empty());
        assert!(file("ui/src/platform/tauri.ts", concat!("from '@tauri", "-apps/api'\n")).is_empty());
    }

    #[test]
    fn without_git_the_same_files_are_found() {
        let walked = walk(shell::root()).unwrap();
        for path in ["Cargo.toml", "xtask/src/tidy.rs", ".config/nextest.toml"] {
            assert!(walked.iter().any(|walked| walked == path), "{path} is not in {walked:?}");
        }
        assert!(!walked.iter().any(|path| path.starts_with(".git/") || path.contains("node_modules/")));
    }

    #[test]
    fn long_files_are_told_without_their_tests() {
        let code = "fn a() {}\n".repeat(FILE_LINES_MAX);
        let tests = format!("{code}#[cfg(test)]\n{code}");
        assert!(file("crates/a/src/lib.rs", &tests).is_empty());
        assert_eq!(file("crates/a/src/lib.rs", &format!("{code}fn b() {{}}\n")).len(), 1);
        assert!(file("ui/src/generated/model.ts", &format!("{code}{code}")).is_empty());
        assert!(note("ui/src/a.svelte", &code).is_some());
    }

    #[test]
    fn paths_of_this_machine_are_told() {
        let root = shell::root().display().to_string();
        assert_eq!(file("docs/a.md", &format!("see {root}/docs\n")).len(), 1);
        assert!(names("cd /a/b", "/a/b") && names("/a/b/c", "/a/b"));
        assert!(!names("/a/bc", "/a/b"));
    }
}
