//! Opening the window, or picturing it where there is no screen to open it on.

use std::env;

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::{build, shell, ui};

/// Installs, builds, and opens the window on the local workspace with the offer of demo data.
///
/// # Errors
/// When something is missing that cannot be installed, the build fails, or the window ends with a failure.
pub fn run() -> Result<()> {
    if !has_screen() {
        println!("There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set).");
        println!("Opening the window on a virtual one and picturing every panel instead.");
        return shots(&[]);
    }
    packages::ensure(Purpose::Run)?;
    ui::build()?;
    build::programs()?;
    shell::run(build::program("watchpost-desktop")?.env("WATCHPOST_DEMO", "offer"))
}

/// Pictures every panel of the real window; `args` go to `watchpost-shots`.
///
/// # Errors
/// When something is missing that cannot be installed, the build fails, or a panel does not render.
pub fn shots(args: &[String]) -> Result<()> {
    packages::ensure(Purpose::Test)?;
    ui::build()?;
    build::programs()?;
    shell::run(build::program("watchpost-shots")?.args(args))
}

fn has_screen() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
