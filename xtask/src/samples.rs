//! `cargo xtask samples`: the reports in docs/samples, made from simulated traffic as a person would make them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{build, shell};

/// The traffic ends here, so that the period is a month of the calendar.
const UNTIL: &str = "2026-11-01";
const FROM: &str = "2026-10-01";
const TO: &str = "2026-11-01";
/// A visitor of the repository downloads them.
const BYTES_MAX: u64 = 300_000;

/// Makes the samples.
///
/// # Errors
/// When a program fails, or a sample is too large.
pub fn write() -> Result<()> {
    let home = Scratch::new()?;
    let program = build::programs()?.join("watchpost");
    let watchpost = |arguments: &[&str]| {
        let mut command = shell::command(&program);
        settle(&mut command, home.0.as_path());
        command.args(arguments);
        command
    };
    let traffic = ["simulate", "--seed", "7", "--days", "30", "--events-per-day", "400", "--users", "40"];
    shell::read(watchpost(&traffic).args(["--until", UNTIL]))?;
    shell::read(&mut watchpost(&["serve", "--until-idle"]))?;
    people(&watchpost)?;
    let out = home.0.as_path().join("out");
    let out_text = out.to_string_lossy().into_owned();
    for (framework, subject, formats) in
        [("soc2", None, "pdf,md"), ("incident", Some("2"), "pdf"), ("executive", None, "pdf")]
    {
        let mut command = watchpost(&["report", "generate", "--framework", framework, "--from", FROM]);
        command.args(["--to", TO, "--format", formats, "--out", &out_text]);
        command.args(subject.map(|subject| ["--subject", subject]).into_iter().flatten());
        let output = command.output().context("report generate")?;
        // 1 says that a control warns or fails, which it does: nobody backs up simulated traffic.
        ensure!(
            matches!(output.status.code(), Some(0 | 1 | 5 | 6)),
            "{framework}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let folder = shell::root().join("docs/samples");
    fs::create_dir_all(&folder).context("docs/samples")?;
    for entry in fs::read_dir(&out).context("the reports")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = name.split('-').next().unwrap_or(&name);
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::copy(&path, folder.join(format!("{kind}.{ending}"))).context("copying")?;
        ensure!(bytes <= BYTES_MAX, "{name} has {bytes} bytes");
        println!("docs/samples/{kind}.{ending}  {bytes} bytes");
    }
    Ok(())
}

/// What people do with what was found, so that the reports have something to judge.
fn people(watchpost: &impl Fn(&[&str]) -> Command) -> Result<()> {
    for number in ["1", "2", "3", "4"] {
        shell::read(&mut watchpost(&["incident", "take", number]))?;
    }
    let steps: [&[&str]; 6] = [
        &[
            "incident",
            "note",
            "2",
            "The payload reached the search; the query was parametrised, nothing came back.",
        ],
        &[
            "incident",
            "resolve",
            "1",
            "--verdict",
            "true_positive",
            "--reason",
            "Confirmed by the access log",
        ],
        &[
            "incident",
            "resolve",
            "3",
            "--verdict",
            "false_positive",
            "--reason",
            "Load test of the shop team",
        ],
        &["block", "add", "192.0.2.4", "--ttl", "7d", "--reason", "Attacks on the search"],
        &["config", "organisation", "Example Shop GmbH", "--reason", "Name of the samples"],
        &["audit", "verify"],
    ];
    for step in steps {
        shell::read(&mut watchpost(step))?;
    }
    Ok(())
}

/// A folder for the length of a job. Sockets live in it, and their paths may have 107 bytes.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("wp-xtask-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A home of its own, so that nothing of the person's is touched.
fn settle(command: &mut Command, home: &Path) {
    for (name, folder) in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_RUNTIME_DIR", "run"),
    ] {
        let path = home.join(folder);
        // What cannot be made is told by the program that needs it.
        let _ = fs::create_dir_all(&path);
        command.env(name, path);
    }
}
