//! Where the programs under test are, and building them when nobody has.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Set by `cargo xtask` once it has built everything: the directory that holds the programs.
const BUILT: &str = "WATCHPOST_BIN_DIR";

/// The programs under test.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The window, `watchpost-desktop`.
    pub desktop: PathBuf,
    /// The command line, `watchpost`.
    pub cli: PathBuf,
}

impl Binaries {
    /// The programs of this build, brought up to date first unless `cargo xtask` has just done so.
    ///
    /// The arguments are those of `cargo xtask`, so that a test run alone shares its compiled crates.
    ///
    /// # Errors
    /// When the build fails or a program is not where it should be.
    pub fn find() -> Result<Self> {
        let directory = match env::var_os(BUILT) {
            Some(directory) => PathBuf::from(directory),
            None => build()?,
        };
        let find = |name: &str| {
            let path = directory.join(name);
            if path.is_file() {
                return Ok(path);
            }
            bail!("{} does not exist; `cargo xtask test` builds it", path.display())
        };
        Ok(Self { desktop: find("watchpost-desktop")?, cli: find("watchpost")? })
    }
}

/// The root of the repository.
///
/// # Panics
/// Never: this crate lives one level below the root.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate lies below the root")
}

/// The directory cargo builds into: where this very program lies, without the profile.
///
/// # Errors
/// When this program was not started from a cargo target directory.
pub fn target_directory() -> Result<PathBuf> {
    let profile = profile_directory()?;
    Ok(profile.parent().context("the profile directory has no parent")?.to_owned())
}

fn profile_directory() -> Result<PathBuf> {
    let program = env::current_exe().context("failed to find this program")?;
    let directory = program.parent().context("this program has no directory")?;
    let in_deps = directory.file_name().is_some_and(|name| name == "deps");
    let profile = if in_deps { directory.parent().context("deps has no parent")? } else { directory };
    Ok(profile.to_owned())
}

fn build() -> Result<PathBuf> {
    let root = workspace_root();
    if !root.join("ui/dist/index.html").is_file() {
        bail!("ui/dist is not built; run `cargo xtask test` or `npm run build` in ui/");
    }
    let directory = profile_directory()?;
    let target = target_directory()?;
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--workspace", "--bins", "--examples"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .context("failed to run cargo")?;
    if !output.status.success() {
        bail!("the programs under test do not build:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(directory)
}
