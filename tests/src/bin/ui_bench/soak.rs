//! A compressed soak: simulated traffic, by turns with the Overview and with the Events that follow on screen, and how large
//! the process of the page is meanwhile.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval, sleep};
use watchpost_tests::{Home, Window};

use crate::page;
use crate::processes::Memory;
use crate::{IDLE, PANELS, ROUND, say};

/// Until the window has taken in what came.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Between two looks at the memory while events come in.
const EVERY: Duration = Duration::from_secs(2);
/// Rounds after which the page holds what it may: its lists are full and its code is compiled.
const WARM: u32 = 3;

/// Simulates about so many events in rounds; of each, one half comes in with the Overview open and one with the Events.
pub(crate) async fn measure(events: u32) -> Result<()> {
    let home = Home::new("bench ui soak")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "1", "--events-per-day", "3000"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let mut window = Window::launch(&home).await?;
    window.set_patience(PATIENCE);
    window.resize(1440, 900).await?;
    let rounds = events.div_ceil(2 * ROUND).max(WARM + 1);
    say(&format!("a soak of {} events, two panels by turns:", rounds * 2 * ROUND), "", "");
    overview(&window).await?;
    let first = Memory::of(window.pid()).page_pss();
    let (mut warm, mut worst) = (first, first);
    for round in 1..=rounds {
        let peak = watched(&window, half(&home, &window, 2 * round)).await?;
        follow(&window).await?;
        let peak = peak.max(watched(&window, half(&home, &window, 2 * round + 1)).await?);
        overview(&window).await?;
        page::settle(&window).await?;
        let now = Memory::of(window.pid());
        if round == WARM {
            warm = now.page_pss();
        }
        worst = worst.max(peak);
        let when = format!("memory (PSS) after {} events", round * 2 * ROUND);
        say(&when, "-", &format!("{}; worst of its page {peak:.0} MB", now.told()));
    }
    // What is garbage by then is gone a while after the last of it came.
    sleep(IDLE).await;
    let last = Memory::of(window.pid()).page_pss();
    let measured = format!("{first:.0} / {warm:.0} / {last:.0} / {worst:.0} MB");
    say("its page: at first, warm, a minute after the soak, worst", "stays", &measured);
    let millions = f64::from((rounds - WARM) * 2 * ROUND) / 1e6;
    say(
        "growth of its page in a million events, once warm",
        "0 MB",
        &format!("{:+.1} MB", (last - warm) / millions),
    );
    window.close().await
}

/// One half of a round: simulated, read, judged and shown.
async fn half(home: &Home, window: &Window, seed: u32) -> Result<()> {
    let (seed, many) = ((1_000 + seed).to_string(), ROUND.to_string());
    home.cli(["simulate", "--seed", &seed, "--days", "1", "--events-per-day", &many]).await?.ok()?;
    page::settle(window).await
}

/// The page's largest memory in megabytes while something goes on.
async fn watched(window: &Window, work: impl Future<Output = Result<()>>) -> Result<f64> {
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut worst = 0.0_f64;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done.map(|()| worst),
            _ = looks.tick() => worst = worst.max(Memory::of(window.pid()).page_pss()),
        }
    }
}

async fn overview(window: &Window) -> Result<()> {
    page::visit(window, PANELS[0].0, PANELS[0].1).await?;
    Ok(())
}

/// The newest events, with more put before them as they come.
async fn follow(window: &Window) -> Result<()> {
    page::visit(window, "events", "[data-test=event-row]").await?;
    window.click("[data-test=events-follow][aria-pressed=false]").await?;
    window.wait_for("[data-test=events-follow][aria-pressed=true]").await?;
    Ok(())
}
