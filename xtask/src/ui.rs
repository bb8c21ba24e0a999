//! The front end: its packages and its build, each only when something changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// What the build of the front end reads, below `ui/`.
const SOURCES: [&str; 8] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// An npm command in `ui/`.
#[must_use]
pub fn npm(args: &[&str]) -> Command {
    let mut npm = shell::command("npm");
    npm.args(args).current_dir(directory());
    npm.env("npm_config_fund", "false")
        .env("npm_config_audit", "false")
        .env("npm_config_update_notifier", "false");
    npm
}

/// Installs the packages of the lock file unless exactly those were installed last time.
///
/// # Errors
/// When Node is missing or `npm ci` fails.
pub fn install() -> Result<()> {
    if !shell::has("npm") {
        bail!("npm is missing: install Node 20.19 or later, then run this again");
    }
    let lock =
        fs::read(directory().join("package-lock.json")).context("failed to read ui/package-lock.json")?;
    let stamp = directory().join("node_modules/.watchpost-installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    shell::run(&mut npm(&["ci"]))?;
    fs::write(&stamp, lock).context("failed to note what was installed")
}

/// Builds `ui/dist` unless it was built from exactly these sources.
///
/// # Errors
/// When the packages cannot be installed or the build fails.
pub fn build() -> Result<()> {
    install()?;
    let stamp = directory().join("node_modules/.watchpost-built");
    if fs::read_to_string(&stamp).is_ok_and(|built| Some(built) == fingerprint().ok()) {
        return Ok(());
    }
    shell::run(&mut npm(&["run", "build"]))?;
    fs::write(&stamp, fingerprint()?).context("failed to note what was built")
}

fn directory() -> PathBuf {
    shell::root().join("ui")
}

/// The sources and the page made from them: another page in `dist` counts as a change.
fn fingerprint() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for name in SOURCES {
        hash_tree(&directory().join(name), &mut hasher)?;
    }
    fs::read(directory().join("dist/index.html")).context("ui/dist is not built")?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_tree(path: &Path, hasher: &mut impl Hasher) -> Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash_tree(entry, hasher));
    }
    if path.is_file() {
        path.hash(hasher);
        fs::read(path)?.hash(hasher);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::hash::{DefaultHasher, Hasher};

    use super::hash_tree;

    #[test]
    fn content_names_and_absence_change_the_fingerprint() {
        let root = std::env::temp_dir().join(format!("watchpost-xtask-{}", std::process::id()));
        fs::create_dir_all(root.join("a")).unwrap();
        let look = || {
            let mut hasher = DefaultHasher::new();
            hash_tree(&root, &mut hasher).unwrap();
            hasher.finish()
        };
        let empty = look();
        fs::write(root.join("a/one"), "1").unwrap();
        let one = look();
        fs::write(root.join("a/one"), "2").unwrap();
        let changed = look();
        fs::rename(root.join("a/one"), root.join("a/two")).unwrap();
        let renamed = look();
        fs::remove_dir_all(&root).unwrap();
        assert!(empty != one && one != changed && changed != renamed, "{empty} {one} {changed} {renamed}");
    }
}
