//! Short fuzzing runs on the compiler that everything else is built with.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::build;
use crate::shell::{cargo, command, root, run};

/// What libFuzzer needs to see where an input leads. These are options of the stable compiler.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1";

/// Fuzzes each target for `seconds`, starting from the corpus in the tree; what is found new stays out of it.
///
/// # Errors
/// When a target does not build, or an input makes one panic: the input is kept under `fuzz` in the target directory.
pub fn fuzz(seconds: u32, only: Option<&str>) -> Result<()> {
    let folder = root().join("fuzz");
    // Beside what else is built, so that a fresh checkout finds the dependencies compiled.
    let built = build::target()?.join("fuzz");
    let host = host()?;
    let mut build = cargo();
    build
        .args(["build", "--release", "--bins", "--locked", "--target", &host, "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", &built)
        .env("RUSTFLAGS", FLAGS);
    run(&mut build)?;
    let targets: Vec<String> = names(&folder.join("fuzz_targets"))?
        .into_iter()
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| only.is_none_or(|only| only == name))
        .collect();
    if targets.is_empty() {
        bail!("no target of that name in {}", folder.join("fuzz_targets").display());
    }
    for target in targets {
        let found = built.join("found").join(&target);
        fs::create_dir_all(&found).with_context(|| format!("failed to create {}", found.display()))?;
        let mut fuzz = command(built.join(&host).join("release").join(&target));
        fuzz.arg(&found)
            .arg(folder.join("corpus").join(&target))
            .arg(format!("-max_total_time={seconds}"))
            .args([
                "-timeout=10",
                "-rss_limit_mb=2048",
                "-max_len=16384",
                "-print_final_stats=1",
                "-verbosity=0",
            ])
            .arg(format!("-artifact_prefix={}/{target}-", built.display()));
        run(&mut fuzz)?;
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .with_context(|| format!("failed to read {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// The machine that the compiler builds for by itself. Named explicitly, it keeps the flags away from build scripts.
fn host() -> Result<String> {
    let output = command("rustc").arg("-vV").output().context("failed to start `rustc -vV`")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}
