//! A private desktop session: a virtual screen, a message bus, and an unlocked keyring.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::daemon::Daemon;
use crate::home::{HIDDEN, Home};
use crate::wait::until;

/// The virtual screen: large enough for every window size that is pictured.
const SCREEN: &str = "2560x1600x24";
/// What the keyring of a home is locked with. It guards nothing outside the temporary directory.
const KEYRING_PASSWORD: &str = "watchpost-tests";

/// How long the keyring may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// The bus itself, as somebody to ask.
const BUS: &str = "--dest=org.freedesktop.DBus";

/// The running session. The order of the fields is the order in which they end.
#[derive(Debug)]
pub struct Session {
    _keyring: Daemon,
    _bus: Daemon,
    _screen: Daemon,
    display: String,
    bus_address: String,
}

impl Session {
    /// Starts screen, bus and keyring, and waits until each one answers.
    pub(crate) async fn start(home: &Home) -> Result<Self> {
        let log = home.artefacts().join("session.log");
        let mut screen = Command::new("Xvfb");
        screen.args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]);
        let (screen, number) = Daemon::spawn_announcing("Xvfb", &mut screen, &log)?;
        let display = format!(":{number}");

        let mut environment = home.environment();
        environment.insert("DISPLAY".to_owned(), display.clone());
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let (bus, bus_address) =
            Daemon::spawn_announcing("dbus-daemon", apply(&mut bus, &environment), &log)?;
        environment.insert("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus_address.clone());

        let keyring = start_keyring(&environment, &log)?;
        let session = Self { _keyring: keyring, _bus: bus, _screen: screen, display, bus_address };
        session.wait_for_keyring(&environment).await?;
        Ok(session)
    }

    /// What a program needs to be part of this session, on top of its home.
    pub(crate) fn extend(&self, environment: &mut BTreeMap<String, String>) {
        environment.insert("DISPLAY".to_owned(), self.display.clone());
        environment.insert("GDK_BACKEND".to_owned(), "x11".to_owned());
        environment.insert("DBUS_SESSION_BUS_ADDRESS".to_owned(), self.bus_address.clone());
    }

    /// The X display, `:N`.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Waits until the default collection of the secret service is there and unlocked.
    async fn wait_for_keyring(&self, environment: &BTreeMap<String, String>) -> Result<()> {
        // First the name alone: any other question would make the bus start a second, locked, keyring.
        let owner = [BUS, "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"];
        let locked = [
            "--dest=org.freedesktop.secrets",
            "/org/freedesktop/secrets/aliases/default",
            "org.freedesktop.DBus.Properties.Get",
            "string:org.freedesktop.Secret.Collection",
            "string:Locked",
        ];
        until("the keyring", PATIENCE, || async { ask_bus(environment, &owner, "boolean true") }).await?;
        until("the keyring to be unlocked", PATIENCE, || async {
            ask_bus(environment, &locked, "boolean false")
        })
        .await
    }
}

/// Asks something on the session bus; fails with the answer when it is not the expected one.
fn ask_bus(environment: &BTreeMap<String, String>, question: &[&str], expect: &str) -> Result<()> {
    let mut ask = Command::new("dbus-send");
    ask.args(["--session", "--print-reply", "--reply-timeout=2000"]).args(question);
    let output =
        apply(&mut ask, environment).stdin(Stdio::null()).output().context("failed to run dbus-send")?;
    let answer = String::from_utf8_lossy(&output.stdout);
    if !answer.contains(expect) {
        bail!("{}{}", answer.trim(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Replaces the session and configuration of whoever runs the tests by those of the home.
pub(crate) fn apply<'a>(command: &'a mut Command, environment: &BTreeMap<String, String>) -> &'a mut Command {
    for name in HIDDEN {
        command.env_remove(name);
    }
    command.envs(environment)
}

fn start_keyring(environment: &BTreeMap<String, String>, log: &std::path::Path) -> Result<Daemon> {
    let mut password = tempfile::tempfile().context("failed to make a file for the keyring's password")?;
    password.write_all(KEYRING_PASSWORD.as_bytes())?;
    std::io::Seek::rewind(&mut password)?;
    let mut command = Command::new("gnome-keyring-daemon");
    command.args(["--foreground", "--unlock", "--components=secrets"]);
    Daemon::spawn_with_input("gnome-keyring-daemon", apply(&mut command, environment), password, log)
}
