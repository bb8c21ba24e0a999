//! How much code the page is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use watchpost_tests::workspace_root;

use crate::say;

pub(crate) fn measure() -> Result<()> {
    let dist = workspace_root().join("ui/dist");
    let page = fs::read_to_string(dist.join("index.html")).context("ui/dist is not built")?;
    let entries = fs::read_dir(dist.join("assets")).context("ui/dist/assets")?;
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let of_kind = |kind: &str| -> Vec<&PathBuf> {
        files.iter().filter(|path| path.extension().is_some_and(|end| end == kind)).collect()
    };
    let named = |path: &&PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| page.contains(name))
    };
    tell("scripts that the page names, gzip", of_kind("js").into_iter().filter(named))?;
    tell("all scripts, gzip", of_kind("js").into_iter())?;
    tell("all styles, gzip", of_kind("css").into_iter())
}

fn tell<'a>(what: &str, files: impl Iterator<Item = &'a PathBuf>) -> Result<()> {
    let (mut plain, mut packed) = (0, 0);
    for path in files {
        plain += fs::metadata(path)?.len();
        packed += gzip(path)?;
    }
    say(what, "-", &format!("{} kB of {} kB", packed / 1_000, plain / 1_000));
    Ok(())
}

fn gzip(path: &Path) -> Result<u64> {
    let output = Command::new("gzip").args(["-9", "-c"]).arg(path).stdin(Stdio::null()).output();
    let output = output.context("failed to run gzip")?;
    ensure!(output.status.success(), "gzip ended with {}", output.status);
    Ok(u64::try_from(output.stdout.len())?)
}
