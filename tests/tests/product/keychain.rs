//! What the command line does with a real keychain: one entry, and plain words when it is locked or has lost its key.

use std::fs;

use anyhow::{Result, ensure};
use watchpost_tests::Home;

async fn show(home: &Home) -> Result<serde_json::Value> {
    home.cli(["--output", "json", "config", "secrets-file", "show"]).await?.json()
}

async fn home_with_a_password(name: &str) -> Result<(Home, [String; 7])> {
    let home = Home::new(name)?;
    home.session().await?;
    let password = home.work().join("password").to_string_lossy().into_owned();
    fs::write(&password, "planted-password-7f3a\n")?;
    let add =
        ["connect", "add", "shop", "--redis", "redis://127.0.0.1:1/0", "--redis-password-file", &password];
    let add = add.map(ToOwned::to_owned);
    let added = home.cli(&add).await?;
    ensure!(added.status.code() == Some(1), "it is saved and nothing listens: {}", added.stderr);
    Ok((home, add))
}

#[tokio::test]
async fn a_key_that_is_gone_from_the_keychain_asks_for_the_passwords_again() -> Result<()> {
    let (home, add) = home_with_a_password("keychain cleared").await?;
    home.cli(["audit", "checkpoint"]).await?.ok()?;
    let entries =
        home.run_in_session("secret-tool", &["search", "--all", "service", "watchpost"], "").await?;
    let entries = format!("{}{}", entries.stdout, entries.stderr);
    let names: Vec<&str> =
        entries.lines().filter_map(|line| line.trim().strip_prefix("attribute.username = ")).collect();
    ensure!(names.len() == 1 && names[0].starts_with("master-key/"), "{entries}");
    ensure!(!entries.contains("/redis") && !entries.contains("checkpoint-key/"), "{entries}");
    ensure!(show(&home).await?["state"] == "ready");

    home.run_in_session("secret-tool", &["clear", "service", "watchpost"], "").await?.ok()?;
    ensure!(show(&home).await?["state"] == "key_changed");
    let shown = home.cli(["config", "secrets-file", "show"]).await?.ok()?;
    ensure!(shown.contains("enter your passwords again") && shown.contains("shop"), "{shown}");
    let tried = home.cli(["connect", "test", "shop"]).await?;
    ensure!(tried.stderr.contains("cannot read the redis password"), "{}", tried.stderr);
    ensure!(tried.stderr.contains("enter your passwords again"), "{}", tried.stderr);

    // Without its password neither server was asked anything.
    let status = home.cli(["status", "-c", "shop"]).await?;
    let untried = status.stdout.matches("not tried: the connection is not open").count();
    ensure!(untried == 2 && !status.stdout.contains("down"), "{}", status.stdout);
    ensure!(status.stderr.contains("cannot read the redis password"), "{}", status.stderr);

    home.cli(&add).await?;
    ensure!(show(&home).await?["state"] == "ready");
    ensure!(home.data().join("config/secrets.sealed.1").is_file(), "what does not open is kept aside");
    Ok(())
}

#[tokio::test]
async fn a_damaged_file_of_sealed_secrets_is_named_and_told_once() -> Result<()> {
    let (home, _) = home_with_a_password("sealed file damaged").await?;
    let sealed = home.data().join("config/secrets.sealed");
    fs::write(&sealed, "{")?;
    let shown = home.cli(["config", "secrets-file", "show"]).await?;
    ensure!(shown.stdout.contains(&sealed.display().to_string()), "{}", shown.stdout);
    let status = home.cli(["status", "-c", "shop"]).await?;
    let told = status.stderr.matches("the file of sealed secrets does not open").count();
    ensure!(told == 1, "{told} times: {}", status.stderr);
    Ok(())
}

#[tokio::test]
async fn a_locked_keychain_is_said_to_be_locked() -> Result<()> {
    let (home, _) = home_with_a_password("keychain locked").await?;
    let collections = "array:objpath:/org/freedesktop/secrets/collection/login";
    let lock = [
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.Lock",
        collections,
    ];
    home.run_in_session("dbus-send", &lock, "").await?.ok()?;
    ensure!(show(&home).await?["state"] == "locked");
    let shown = home.cli(["config", "secrets-file", "show"]).await?.ok()?;
    ensure!(shown.contains("the keychain is locked"), "{shown}");
    let status = home.cli(["status", "-c", "shop"]).await?;
    ensure!(status.stdout.contains("locked - the keychain is locked"), "{}", status.stdout);
    Ok(())
}
