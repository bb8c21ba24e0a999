//! `watchpost-ui-bench`: what the real window takes, on a virtual screen; `cargo xtask bench ui` builds it in release and
//! runs it.
//!
//! First on two weeks of simulated traffic: start, panels, scrolling, computing and memory when idle, memory after a flood.
//! Then on a large database: what the queue and the archive answer through the window's own bridge. Or, with `--soak`,
//! nothing but how large its page stays while millions of events come in. Times in the page are of the page's own clock;
//! WebDriver looks on, which makes nothing faster.
#![expect(clippy::print_stdout, reason = "a command line program that prints its figures")]

mod bundle;
mod page;
mod processes;
mod scale;
mod soak;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use watchpost_tests::{Home, Window};

use crate::processes::{Computed, Memory};

/// Starts that are measured, after one that warms the caches of the system.
const STARTS: usize = 5;
/// Visits of each panel after the first.
const VISITS: usize = 5;
/// Idle computing is looked at for so long.
const IDLE: Duration = Duration::from_secs(60);
/// Until the window has taken in a round of the flood.
const FLOOD_PATIENCE: Duration = Duration::from_secs(900);
/// Events of one round.
const ROUND: u32 = 50_000;

/// Each panel by its route, with what is there once it is drawn.
const PANELS: [(&str, &str); 12] = [
    ("overview", "[data-test=kpi-events]"),
    ("incidents", "[data-test=incident-row]"),
    ("events", "[data-test=event-row]"),
    ("entities", "main"),
    ("blocklist", "main"),
    ("rules", "main"),
    ("baselines", "main"),
    ("redis", "main"),
    ("maintenance", "main"),
    ("reports", "main"),
    ("audit", "main"),
    ("settings", "main"),
];

/// What the real window takes: start, panels, memory, computing, and answers from a large database.
#[derive(Debug, Parser)]
struct Args {
    /// Minutes of idling before memory is looked at again, at least one
    #[arg(long, default_value_t = 2)]
    idle_minutes: u32,
    /// Simulated events that come in while the window is open
    #[arg(long, default_value_t = 200_000)]
    flood: u32,
    /// Simulated events of a soak, about: nothing is looked at but memory, with the Overview and the Events that follow open
    /// by turns. Redis keeps all of them and needs the memory for it
    #[arg(long)]
    soak: Option<u32>,
    /// Events of the large database
    #[arg(long, default_value_t = 1_000_000)]
    events: u32,
    /// Incidents of the large database; 0 leaves it out
    #[arg(long, default_value_t = 100_000)]
    incidents: u32,
    /// The program that fills the large database: `store_bench`
    #[arg(long)]
    filler: PathBuf,
}

/// One line of the table.
fn say(what: &str, demanded: &str, measured: &str) {
    println!("{what:<52} {demanded:>20}   {measured}");
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    say("what", "demanded", "measured");
    if let Some(events) = args.soak {
        return Box::pin(soak::measure(events)).await;
    }
    bundle::measure()?;
    Box::pin(demo(&args)).await?;
    if args.incidents > 0 {
        Box::pin(scale::measure(&args.filler, args.events, args.incidents)).await?;
    }
    Ok(())
}

async fn demo(args: &Args) -> Result<()> {
    let home = Home::new("bench ui")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "14"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let mut window = starts(&home).await?;
    window.resize(1440, 900).await?;
    page::settle(&window).await?;
    Memory::of(window.pid()).say("with the Overview open");
    panels(&window).await?;
    page::scroll(&window, "events").await?;
    page::scroll(&window, "incidents").await?;
    page::visit(&window, "overview", PANELS[0].1).await?;
    idle(&window, args.idle_minutes.max(1)).await?;
    window.set_patience(FLOOD_PATIENCE);
    flood(&home, &window, args.flood).await?;
    window.close().await
}

/// From the start of the process to the Overview with its figures; returns the last window.
async fn starts(home: &Home) -> Result<Window> {
    Window::launch(home).await?.close().await?;
    let (mut usable, mut painted) = (Vec::new(), Vec::new());
    loop {
        let window = Window::launch(home).await?;
        let start = page::start(&window, PANELS[0].1).await?;
        usable.push(start.usable_ms);
        painted.extend(start.painted_ms);
        if usable.len() == STARTS {
            say("start to first paint, warm: median / worst", "-", &page::spread(painted));
            say("start to Overview with figures: median / worst", "<= 1000 ms", &page::spread(usable));
            return Ok(window);
        }
        window.close().await?;
    }
}

async fn panels(window: &Window) -> Result<()> {
    let mut later = vec![Vec::new(); PANELS.len()];
    let mut first = Vec::new();
    for (panel, drawn) in PANELS {
        first.push(page::visit(window, panel, drawn).await?);
    }
    for _ in 0..VISITS {
        for ((panel, drawn), took) in PANELS.iter().zip(&mut later) {
            took.push(page::visit(window, panel, drawn).await?);
        }
    }
    for (((panel, _), first), later) in PANELS.iter().zip(first).zip(later) {
        let measured = format!("{first:.0} ms, then {}", page::spread(later));
        say(&format!("to {panel}: the first time, then median / worst"), "-", &measured);
    }
    Ok(())
}

async fn idle(window: &Window, minutes: u32) -> Result<()> {
    let pid = window.pid();
    Memory::of(pid).say("after every panel was open");
    // What is measured is that nothing happens: there is no condition to wait for. In the first minute what went before is
    // still cleared up.
    for minute in 1..=minutes {
        let before = Computed::of(pid);
        tokio::time::sleep(IDLE).await;
        Computed::of(pid).since(&before).say(minute);
    }
    Memory::of(pid).say(&format!("after {minutes} min of idling"));
    Ok(())
}

/// Simulated traffic in rounds, each read, judged and shown before the next one comes.
async fn flood(home: &Home, window: &Window, events: u32) -> Result<()> {
    let rounds = events.div_ceil(ROUND);
    for round in 1..=rounds {
        let seed = (1_000 + round).to_string();
        // The simulator takes ten at the least.
        let many = ROUND.min(events - (round - 1) * ROUND).max(10).to_string();
        home.cli(["simulate", "--seed", &seed, "--days", "1", "--events-per-day", &many]).await?.ok()?;
        page::settle(window).await?;
        Memory::of(window.pid()).say(&format!("after round {round} of {rounds} of a flood"));
    }
    Ok(())
}
