//! The one build that everything else uses.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell;

/// How cargo is called wherever programs are needed.
///
/// `--workspace --bins --examples` and not `-p`: cargo picks the features of the dependencies by what is selected,
/// and examples make it count the test dependencies too, as `cargo nextest run --workspace` does. Any narrower
/// selection would compile the dependencies once more with other features.
pub const SELECTION: [&str; 3] = ["--workspace", "--bins", "--examples"];

/// Builds the window, the command line and the tools, and returns the directory that holds them.
///
/// # Errors
/// When the build fails.
pub fn programs() -> Result<PathBuf> {
    shell::run(shell::cargo().arg("build").args(SELECTION))?;
    directory()
}

/// The directory of the programs.
///
/// # Errors
/// When cargo does not say where it builds.
pub fn directory() -> Result<PathBuf> {
    Ok(target()?.join("debug"))
}

/// Where everything is built.
///
/// # Errors
/// When cargo does not say where it builds.
pub fn target() -> Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(target))
}

/// `cargo metadata` of this workspace, without dependencies.
///
/// # Errors
/// When cargo fails or writes something else.
pub fn metadata() -> Result<Value> {
    let text = shell::read(shell::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&text).context("cargo metadata wrote something that is not JSON")
}

/// One of the built programs.
///
/// # Errors
/// When cargo does not say where it builds.
pub fn program(name: &str) -> Result<Command> {
    let directory = directory()?;
    let mut command = shell::command(directory.join(name));
    command.env("WATCHPOST_BIN_DIR", directory);
    Ok(command)
}
