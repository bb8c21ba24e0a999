//! The figures of the audit database on SQLite: `cargo xtask bench store` builds and runs it.
//!
//! Fills a database through the store as the engine does, then asks it what the window asks, and appends to the trail and
//! verifies it. Beside each stands what the `sqlite3` shell takes for the same statement on the same file, in one run, so
//! that the ratios hold whatever the machine; the absolute figures are those of this machine. Without the shell its
//! columns stay empty.
//!
//! `store_bench [--events N] [--records N] [--folder DIR]`; what is in the folder already is not made again, and stays.
//! `store_bench fill FILE EVENTS INCIDENTS` only fills, with traffic until now: for the window, which shows it.

mod fill;
mod reads;
mod shell;
mod trail;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_store::{DatabaseTarget, Store};

use crate::shell::Shell;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A million; the demands are for ten.
const EVENTS: u32 = 1_000_000;
const RECORDS: u32 = 50_000;

/// That of the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One line of the table.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) demanded: &'static str,
    pub(crate) measured: String,
    /// What the shell does of the same, and how that compares.
    pub(crate) shell: Option<(String, String)>,
}

impl Figure {
    pub(crate) fn say(&self) -> Result<(), Failure> {
        let shell = self.shell.as_ref();
        let (shell, compares) =
            (shell.map_or("-", |shell| shell.0.as_str()), shell.map_or("-", |shell| shell.1.as_str()));
        say(&format!(
            "{:<46} {:>12} {:>20} {shell:>12} {compares:>13}",
            self.what, self.demanded, self.measured
        ))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|word| word == "fill").is_some() {
        let (Some(file), Some(events), Some(incidents)) =
            (arguments.next(), arguments.next(), arguments.next())
        else {
            return Err("fill takes a file, a number of events and one of incidents".into());
        };
        let store = open(Path::new(&file), Arc::new(SystemClock)).await?;
        let period = fill::until(SystemClock.now());
        fill::fill(&store, period, events.parse()?, incidents.parse()?).await?;
        store.close().await;
        return Ok(());
    }
    let (mut events, mut records, mut folder) = (EVENTS, RECORDS, None);
    while let Some(word) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{word} takes a value"))?;
        match word.as_str() {
            "--events" => events = value.parse()?,
            "--records" => records = value.parse()?,
            "--folder" => folder = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown argument {word}").into()),
        }
    }
    let scratch = tempfile::Builder::new().prefix("wp-store-").tempdir()?;
    let folder = folder.unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("store.db");

    head(&file)?;
    // The time of the traffic, so that nothing in it is of the future.
    let clock = Arc::new(ManualClock::new(fill::period()?.to));
    let store = open(&file, clock.clone()).await?;
    let filled = fill::fill(&store, fill::period()?, events, 0).await?;
    // Closed and opened again, so that the file is whole and the database knows what it learned of itself.
    store.close().await;
    fill::say(&filled, &file, scratch.path())?;
    let store = open(&file, clock).await?;
    let mut shell = Shell::open(&file)?;
    Box::pin(reads::measure(&store, shell.as_mut())).await?;
    drop(shell);
    Box::pin(trail::measure(&store, records, scratch.path())).await?;
    store.close().await;
    Ok(())
}

fn head(file: &Path) -> Result<(), Failure> {
    let shell = Shell::version().unwrap_or_else(|| "not installed".to_owned());
    say(&format!("SQLite, {}; sqlite3 shell: {shell}", file.display()))?;
    say("pages and Overviews: the first time / the median of five more")?;
    say(&format!("{:<46} {:>12} {:>20} {:>12} {:>13}", "what", "demanded", "measured", "shell", "ours to it"))
}

async fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Store, Failure> {
    let target = DatabaseTarget::Sqlite { path: file.to_owned() };
    Ok(Store::open(&target, clock).await?)
}

pub(crate) fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// What the shell does in a second, and how ours compares.
pub(crate) fn rates(ours: f64, shell: f64) -> (String, String) {
    (format!("{shell:.0}/s"), format!("{:.2} x speed", ours / shell))
}

/// What the shell takes, and how ours compares.
pub(crate) fn times(ours: f64, shell: f64) -> (String, String) {
    (format!("{} ms", ms(shell)), format!("{:.2} x time", ours / shell))
}

/// Seconds as milliseconds.
pub(crate) fn ms(seconds: f64) -> String {
    format!("{:.1}", seconds * 1_000.0)
}
