//! The system packages: which are needed, which are missing, and installing them on Debian and its children.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::shell;

/// What a package is needed for. Each purpose includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Compiling the window and starting it on a screen.
    Run,
    /// A virtual screen with a session, and the tests.
    Test,
}

/// One package by its Debian name, and how to see on another system that its content is there.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// The Debian name.
    pub name: &'static str,
    /// What needs it.
    pub purpose: Purpose,
    probe: Probe,
}

#[derive(Debug, Clone, Copy)]
enum Probe {
    Program(&'static str),
    Library(&'static str),
    /// Nothing that can be looked for cheaply; the build says it when it is missing.
    Trust,
}

const fn package(name: &'static str, purpose: Purpose, probe: Probe) -> Package {
    Package { name, purpose, probe }
}

/// Everything beyond Rust and Node.
pub const PACKAGES: [Package; 21] = [
    package("build-essential", Purpose::Run, Probe::Program("c++")),
    package("pkg-config", Purpose::Run, Probe::Program("pkg-config")),
    package("file", Purpose::Run, Probe::Program("file")),
    package("libwebkit2gtk-4.1-dev", Purpose::Run, Probe::Library("webkit2gtk-4.1")),
    package("librsvg2-dev", Purpose::Run, Probe::Library("librsvg-2.0")),
    package("libayatana-appindicator3-dev", Purpose::Run, Probe::Library("ayatana-appindicator3-0.1")),
    package("libxdo-dev", Purpose::Run, Probe::Trust),
    package("libssl-dev", Purpose::Run, Probe::Library("openssl")),
    package("redis-server", Purpose::Run, Probe::Program("redis-server")),
    package("fonts-dejavu", Purpose::Run, Probe::Trust),
    package("webkit2gtk-driver", Purpose::Test, Probe::Program("WebKitWebDriver")),
    package("xvfb", Purpose::Test, Probe::Program("Xvfb")),
    package("xauth", Purpose::Test, Probe::Program("xauth")),
    package("gnome-keyring", Purpose::Test, Probe::Program("gnome-keyring-daemon")),
    package("dbus-x11", Purpose::Test, Probe::Program("dbus-daemon")),
    package("libsecret-tools", Purpose::Test, Probe::Program("secret-tool")),
    package("poppler-utils", Purpose::Test, Probe::Program("pdftotext")),
    package("imagemagick", Purpose::Test, Probe::Program("convert")),
    package("xdotool", Purpose::Test, Probe::Program("xdotool")),
    package("postgresql", Purpose::Test, Probe::Trust),
    package("sqlite3", Purpose::Test, Probe::Program("sqlite3")),
];

/// The packages that are needed and not there. Quick: one `dpkg-query`, or a look along the search path.
#[must_use]
pub fn missing(purpose: Purpose) -> Vec<&'static str> {
    let wanted = PACKAGES.iter().filter(|package| package.purpose <= purpose);
    if !shell::has("dpkg-query") {
        return wanted.filter(|package| !present(package.probe)).map(|package| package.name).collect();
    }
    let wanted: Vec<&'static str> = wanted.map(|package| package.name).collect();
    let mut query = shell::command("dpkg-query");
    query.args(["--show", "--showformat", "${db:Status-Abbrev}\t${Package}\n"]).args(&wanted);
    // It fails when one is unknown to it, and still lists the others.
    let listed = query.output().map(|output| output.stdout).unwrap_or_default();
    let installed = installed(&String::from_utf8_lossy(&listed));
    wanted.into_iter().filter(|name| !installed.contains(*name)).collect()
}

fn installed(listing: &str) -> BTreeSet<String> {
    listing
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(status, _)| status.starts_with("ii"))
        .map(|(_, name)| name.to_owned())
        .collect()
}

fn present(probe: Probe) -> bool {
    match probe {
        Probe::Program(name) => shell::has(name),
        Probe::Library(name) => shell::command("pkg-config")
            .args(["--exists", name])
            .status()
            .is_ok_and(|status| status.success()),
        Probe::Trust => true,
    }
}

/// Installs what is missing, where that is possible without asking.
///
/// # Errors
/// When packages are missing and cannot be installed from here; the message holds the command to type.
pub fn ensure(purpose: Purpose) -> Result<()> {
    let missing = missing(purpose);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !shell::has("apt-get") {
        bail!(
            "this machine lacks what these Debian packages hold: {list}\n\
             Install what your system calls them, then run this again."
        );
    }
    let Some(prefix) = privilege() else {
        bail!(
            "system packages are missing. Type this, then run this again:\n  sudo apt-get install -y {list}"
        );
    };
    println!("Installing system packages: {list}");
    shell::run(apt(prefix).args(["update", "-qq"]))?;
    shell::run(apt(prefix).args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing))
}

/// What goes before a command that needs root: nothing, `sudo`, or `None` when neither works unasked.
fn privilege() -> Option<&'static [&'static str]> {
    if shell::read(shell::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Some(&[]);
    }
    let sudo =
        shell::command("sudo").args(["-n", "true"]).output().is_ok_and(|output| output.status.success());
    sudo.then_some(&["sudo", "-n"])
}

fn apt(prefix: &[&str]) -> std::process::Command {
    // `env`, because sudo drops variables.
    let words: Vec<&str> =
        prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).collect();
    let mut command = shell::command(words[0]);
    command.args(&words[1..]).args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, installed};

    #[test]
    fn only_fully_installed_packages_count() {
        let listing = "ii \txvfb\nun \tredis-server\nrc \tfile\niU \tpoppler-utils\nno tab here\n";
        assert_eq!(installed(listing).into_iter().collect::<Vec<_>>(), ["xvfb"]);
    }

    #[test]
    fn no_package_is_listed_twice() {
        let mut names: Vec<_> = PACKAGES.iter().map(|package| package.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PACKAGES.len());
    }
}
