//! `cargo xtask doctor`: what this machine lacks, without changing anything.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::shell;

/// The oldest Node that builds the front end.
const NODE_MIN: (u32, u32) = (20, 19);

/// Prints one line per thing that is looked at; fails when something needed is missing.
///
/// # Errors
/// Never: what cannot be asked is missing.
pub fn run() -> Result<ExitCode> {
    let mut n_missing = 0;
    let mut tell = |name: &str, found: Option<String>, hint: &str| match found {
        Some(version) => println!("  ok       {name}: {version}"),
        None => {
            n_missing += 1;
            println!("  MISSING  {name}: {hint}");
        }
    };
    tell("cargo", version(&mut shell::cargo()), "install Rust");
    tell("rustfmt", version(shell::cargo().arg("fmt")), "rustup component add rustfmt");
    tell("clippy", version(shell::cargo().arg("clippy")), "rustup component add clippy");
    let node = version(&mut shell::command("node")).filter(|version| recent_enough(version));
    tell("node", node, "install Node 20.19 or later");
    tell("npm", version(&mut shell::command("npm")), "install Node with npm");
    let to_run = packages::missing(Purpose::Run);
    let mut to_test = packages::missing(Purpose::Test);
    to_test.retain(|name| !to_run.contains(name));
    for (missing, what) in [(to_run, "packages to run"), (to_test, "packages to test")] {
        let hint = format!("{}; `cargo xtask run` or `test` installs them", missing.join(" "));
        tell(what, missing.is_empty().then(|| "all there".to_owned()), &hint);
    }
    for (name, use_) in
        [("cargo-nextest", "a quicker `cargo xtask test`"), ("cargo-deny", "the dependency audit")]
    {
        match shell::find(name) {
            Some(_) => println!("  ok       {name}"),
            None => println!("  optional {name}: not installed; for {use_}"),
        }
    }
    match env::var("WAYLAND_DISPLAY").or_else(|_| env::var("DISPLAY")) {
        Ok(screen) => println!("  ok       screen {screen}"),
        Err(_) => println!("  note     no screen: `cargo xtask run` pictures the window on a virtual one"),
    }
    Ok(if n_missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn version(command: &mut Command) -> Option<String> {
    let text = shell::read(command.arg("--version")).ok()?;
    Some(text.lines().next()?.to_owned())
}

/// Whether a version such as `v20.20.2` is new enough.
fn recent_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= NODE_MIN,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::recent_enough;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert!(recent_enough("v20.19.0") && recent_enough("v22.1.0") && recent_enough("v100.0.0"));
        assert!(!recent_enough("v20.9.5") && !recent_enough("v18.20.0") && !recent_enough("unknown"));
    }
}
