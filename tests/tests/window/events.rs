//! The Events panel while events come in from outside of the window.

use anyhow::{Result, ensure};
use watchpost_tests::{Home, Key, Redis, Window};

const FIRST_ROW: &str = "[data-test=event-row]:first-child";

/// A home with a connection to a Redis of its own, which the command line can fill while the window shows it.
async fn connected(name: &str, redis: &Redis) -> Result<Home> {
    let mut home = Home::new(name)?;
    home.session().await?;
    let url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "shop", "--redis", &url]).await?.ok()?;
    home.cli(["connect", "use", "shop"]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "shop");
    Ok(home)
}

/// Requests of now, brought in by the command line, from each of these addresses to each of these paths.
async fn import(home: &Home, requests: &[(&str, &str)]) -> Result<()> {
    let now = home.run("date", ["-u", "+%d/%b/%Y:%H:%M:%S +0000"]).await?.ok()?;
    let lines: Vec<String> = requests
        .iter()
        .map(|(ip, path)| {
            format!("{ip} - - [{}] \"GET {path} HTTP/1.1\" 200 512 \"-\" \"curl/8.11.0\"\n", now.trim())
        })
        .collect();
    let log = home.work().join("now.log");
    std::fs::write(&log, lines.concat())?;
    home.cli(["import", "--restart", "--format", "combined", &log.to_string_lossy()]).await?.ok()?;
    Ok(())
}

async fn opened(home: &Home) -> Result<Window> {
    // The list holds what the engine had read when it was asked for, and does not move by itself.
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let window = Window::launch(home).await?;
    window.wait_for_text("[data-test=status-workspace]", "shop").await?;
    window.go("#/events").await?;
    Ok(window)
}

#[tokio::test]
async fn follow_mode_shows_what_comes_in() -> Result<()> {
    let redis = Redis::start().await?;
    let home = connected("follow mode", &redis).await?;
    import(&home, &[("198.51.100.1", "/begin")]).await?;
    let window = opened(&home).await?;
    for (number, period) in ["1h", "24h", "7d", "90d", "all"].into_iter().enumerate() {
        window.click(&format!("[data-test=period-{period}]")).await?;
        window.wait_for("[data-test=event-row]").await?;
        window.click("[data-test=events-follow][aria-pressed=false]").await?;
        let path = format!("/followed-{number}");
        import(&home, &[("198.51.100.2", &path)]).await?;
        window.wait_for_text(FIRST_ROW, &path).await?;
        ensure!(
            window.count("[data-test=events-follow-error]").await? == 0,
            "it says that it cannot follow {period}"
        );
        window.click("[data-test=events-follow][aria-pressed=true]").await?;
    }
    window.close().await
}

#[tokio::test]
async fn values_are_completed_beyond_the_frequent_ones() -> Result<()> {
    let redis = Redis::start().await?;
    let home = connected("completed values", &redis).await?;
    // Each address and each path three times, but for one.
    let often: Vec<(String, String)> = (0..90)
        .map(|n| (format!("198.51.100.{}", 1 + n % 30), format!("/often-{}", (n + n / 30) % 30)))
        .collect();
    let mut requests: Vec<(&str, &str)> =
        often.iter().map(|(ip, path)| (ip.as_str(), path.as_str())).collect();
    requests.push(("203.0.113.77", "/admin/rare"));
    import(&home, &requests).await?;
    let window = opened(&home).await?;
    let all = "return Number(document.querySelector('[data-test=events-count]')?.dataset.total) >= 91";
    window.wait_until("all events of the log", all).await?;
    for (typed, whole) in [("ip:203", "203.0.113.77"), ("endpoint:/ad", "/admin/rare")] {
        window.type_into("[data-test=event-search]", typed).await?;
        window.wait_for_text("[data-test=event-suggestion]", whole).await?;
        let rows = window.count("[data-test=event-row]").await?;
        ensure!(rows > 1, "the list stays while {typed} is written: {rows}");
        let route = window.route().await?;
        ensure!(!route.contains("q="), "half a value is not searched for: {route}");
        window.press(Key::Tab.to_string()).await?;
        let one = "return document.querySelectorAll('[data-test=event-row]').length === 1";
        window.wait_until("what the whole value finds", one).await?;
        window.click("[data-test=event-search-clear]").await?;
        window.wait_until("all again", all).await?;
    }

    // From the page of an entity back to the search that led there.
    window.go("#/events?q=ip%3A203.0.113.77").await?;
    window.go("#/entities/ip%3A203.0.113.77").await?;
    window.wait_for("[data-test=risk-card]").await?;
    window.press(Key::Escape.to_string()).await?;
    let search = "return location.hash.startsWith('#/events?q=ip')";
    window.wait_until("the search of before", search).await?;
    window.close().await
}
