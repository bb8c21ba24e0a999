//! Starting other programs, and saying so.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the repository.
///
/// # Panics
/// Never: this crate lives one level below the root.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies below the root")
}

/// A program, run in the root of the repository with nothing on its input.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Cargo, as a person would call it: without what the cargo that runs this program told it about itself, which
/// build scripts would otherwise take for a change.
#[must_use]
pub fn cargo() -> Command {
    let mut cargo = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let told = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if told {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a command with its output shown, after printing its command line.
///
/// # Errors
/// When it cannot be started or ends with a failure.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("failed to start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command in silence and returns its standard output.
///
/// # Errors
/// When it cannot be started or ends with a failure, with what it wrote.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("failed to start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program of this name can be started from the search path.
#[must_use]
pub fn has(program: &str) -> bool {
    find(program).is_some()
}

/// Where the search path finds a program.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// The command line as a person would type it: without the directories of the program and of the repository.
#[must_use]
pub fn shown(command: &Command) -> String {
    let root = format!("{}/", root().display());
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    std::iter::once(program)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().replace(&root, ""))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::{root, shown};
    use std::process::Command;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.arg("build").arg(root().join("ui"));
        assert_eq!(shown(&command), "cargo build ui");
    }
}
