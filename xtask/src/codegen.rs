//! The TypeScript that is generated from the list of operations and committed.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{build, shell};

/// Where the generated files are committed.
const COMMITTED: &str = "ui/src/generated";

/// Writes the generated files over the committed ones.
///
/// # Errors
/// When the generator fails or a file cannot be written.
pub fn write() -> Result<()> {
    let fresh = generate()?;
    let directory = shell::root().join(COMMITTED);
    for name in stale(&fresh, &read_tree(&directory)?) {
        let path = directory.join(&name);
        match fresh.get(&name) {
            Some(content) => {
                fs::create_dir_all(path.parent().context("a file has a directory")?)?;
                fs::write(&path, content).with_context(|| format!("failed to write {COMMITTED}/{name}"))?;
                println!("wrote {COMMITTED}/{name}");
            }
            None => {
                fs::remove_file(&path)?;
                println!("removed {COMMITTED}/{name}");
            }
        }
    }
    Ok(())
}

/// Compares the committed files to what would be generated now.
///
/// # Errors
/// When one is stale, missing or left over; the message names them.
pub fn check() -> Result<()> {
    let stale = stale(&generate()?, &read_tree(&shell::root().join(COMMITTED))?);
    if !stale.is_empty() {
        bail!("stale in {COMMITTED}: {}; run `cargo xtask codegen` and commit", stale.join(", "));
    }
    println!("{COMMITTED} is fresh");
    Ok(())
}

/// Runs the generator, `codegen` among the examples of watchpost-ops, and returns what it wrote.
fn generate() -> Result<BTreeMap<String, Vec<u8>>> {
    // Selected as in `build`, so that it is compiled with the same dependencies.
    shell::run(shell::cargo().args(["build", "--quiet", "--workspace", "--example", "codegen"]))?;
    let out = env::temp_dir().join(format!("watchpost-codegen-{}", std::process::id()));
    fs::create_dir_all(&out)?;
    let written = shell::read(build::program("examples/codegen")?.arg(&out)).and_then(|_| read_tree(&out));
    fs::remove_dir_all(&out)?;
    let written = written?;
    if written.is_empty() {
        bail!("the generator wrote nothing");
    }
    Ok(written)
}

/// The names whose content differs, in order.
fn stale(fresh: &BTreeMap<String, Vec<u8>>, committed: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut names: Vec<&String> = fresh.keys().chain(committed.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().filter(|name| fresh.get(*name) != committed.get(*name)).cloned().collect()
}

fn read_tree(root: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open: Vec<PathBuf> = root.is_dir().then(|| root.to_owned()).into_iter().collect();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::stale;

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect()
    }

    #[test]
    fn changed_missing_and_left_over_files_are_stale() {
        let fresh = files(&[("same.ts", "a"), ("changed.ts", "b"), ("missing.ts", "c")]);
        let committed = files(&[("same.ts", "a"), ("changed.ts", "old"), ("left-over.ts", "d")]);
        assert_eq!(stale(&fresh, &committed), ["changed.ts", "left-over.ts", "missing.ts"]);
        assert!(stale(&fresh, &fresh).is_empty());
    }
}
