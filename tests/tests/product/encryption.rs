//! What is encrypted by the command line: copies of the database, backups of Redis, and the file of secrets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use watchpost_tests::{Home, Redis};

/// The key pair of the examples of the age format; nothing else is locked with it.
const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn work(home: &Home, name: &str) -> String {
    home.work().join(name).to_string_lossy().into_owned()
}

/// The files below a folder that hold a text.
fn that_hold(folder: &Path, text: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(that_hold(&path, text)?);
        } else if path.is_file()
            && fs::read(&path)?.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_backup_is_encrypted_and_put_back_with_its_key_only() -> Result<()> {
    let home = Home::new("encrypted backup")?;
    let [copy, to, again, identity, recipients] =
        ["one.db.age", "two.db", "three.db", "key.txt", "who.txt"].map(|name| work(&home, name));
    fs::write(&identity, format!("# of the examples\n{SECRET}\n"))?;
    fs::write(&recipients, format!("# those who may read it\n\n{PUBLIC}\n"))?;
    home.cli(["config", "organisation", "Planted Organisation"]).await?.ok()?;
    let backup = ["--output", "json", "database", "backup", &copy, "--recipients-file", &recipients];
    let made = home.cli(backup).await?.json()?;
    ensure!(made["encryption"] == format!("for 1 recipient: {PUBLIC}"), "{made}");
    ensure!(fs::read(&copy)?.starts_with(b"age-encryption.org/v1\n"), "it is in the age format");
    ensure!(that_hold(&home.work(), "Planted Organisation")?.is_empty(), "it is nowhere beside the copy");

    let refused = home.cli(["database", "restore", &copy, "--to", &to]).await?;
    ensure!(refused.status.code() == Some(2), "{}", refused.stderr);
    ensure!(refused.stderr.contains("encrypted for 1 recipient"), "{}", refused.stderr);
    ensure!(refused.stderr.contains("--identity FILE"), "{}", refused.stderr);
    let restore = ["--output", "json", "database", "restore", &copy, "--to", &to, "--identity", &identity];
    let back = home.cli(restore).await?.json()?;
    ensure!(back["trail"]["root"] == made["trail"]["root"], "{back} is not {made}");
    let rehearsed = home.cli(["database", "rehearse", &copy]).await?;
    ensure!(rehearsed.status.code() == Some(1), "{}{}", rehearsed.stdout, rehearsed.stderr);
    let told = format!("{}{}", rehearsed.stdout, rehearsed.stderr);
    ensure!(told.contains("cannot be rehearsed"), "{told}");
    home.cli(["database", "rehearse", &copy, "--identity", &identity]).await?.ok()?;

    // Refused before anything is made: a secret key instead of a public one, a file that names nobody.
    let refused = home.cli(["database", "backup", &again, "--recipient", SECRET]).await?;
    ensure!(refused.status.code() == Some(2) && !refused.stderr.contains(SECRET), "{}", refused.stderr);
    fs::write(&recipients, "# nobody yet\n")?;
    let refused = home.cli(["database", "backup", &again, "--recipients-file", &recipients]).await?;
    ensure!(refused.status.code() == Some(2), "{}", refused.stderr);
    ensure!(!Path::new(&again).exists());
    Ok(())
}

/// A home with a connection to a server of its own, in which a value is planted.
async fn home_with_redis(name: &str) -> Result<(Redis, Home)> {
    let (redis, mut home) = (Redis::start().await?, Home::new(name)?);
    redis.ask(&["SET", "security:note", "planted in redis"])?;
    let url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "shop", "--redis", &url]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "shop");
    Ok((redis, home))
}

#[tokio::test]
async fn a_backup_of_redis_is_encrypted_and_restored_with_its_key_only() -> Result<()> {
    let (redis, home) = home_with_redis("encrypted backup of redis").await?;
    let [file, identity, recipients] =
        ["redis.wpbackup.age", "key.txt", "who.txt"].map(|name| work(&home, name));
    fs::write(&identity, format!("# of the examples\n{SECRET}\n"))?;
    fs::write(&recipients, format!("# those who may read it\n\n{PUBLIC}\n"))?;
    let refused = home.cli(["backup", &file, "--recipient", SECRET]).await?;
    ensure!(refused.status.code() == Some(2) && !refused.stderr.contains(SECRET), "{}", refused.stderr);
    ensure!(!Path::new(&file).exists(), "nothing is made for nobody");
    let told = home.cli(["backup", &file, "--recipients-file", &recipients]).await?.ok()?;
    ensure!(told.contains("for 1 recipient"), "{told}");
    let whole = fs::read(&file)?;
    ensure!(whole.starts_with(b"age-encryption.org/v1\n"), "it is in the age format");
    ensure!(that_hold(&home.work(), "WPBACKUP")?.is_empty(), "no plain backup is beside it");
    redis.ask(&["DEL", "security:note"])?;

    let refused = home.cli(["restore", &file, "--rehearse"]).await?;
    ensure!(refused.status.code() == Some(2), "{}", refused.stderr);
    ensure!(refused.stderr.contains("encrypted for 1 recipient"), "{}", refused.stderr);
    ensure!(refused.stderr.contains("--identity FILE"), "{}", refused.stderr);
    let rehearsed = home.cli(["restore", &file, "--rehearse", "--identity", &identity]).await?.ok()?;
    ensure!(rehearsed.contains("verified on"), "{rehearsed}");
    ensure!(rehearsed.contains("made here by"), "the SHA-256 is that of the file: {rehearsed}");
    ensure!(redis.ask(&["EXISTS", "security:note"])? == "0", "a rehearsal puts nothing back");
    home.cli(["restore", &file, "--identity", &identity]).await?.ok()?;
    ensure!(redis.ask(&["GET", "security:note"])? == "planted in redis");
    ensure!(that_hold(&home.data(), "planted in redis")?.is_empty(), "it was plain in memory only");

    // Altered in its middle, and cut off; then no backup at all.
    let mut altered = whole.clone();
    let last = altered.len() - 20;
    altered[last] ^= 1;
    for bytes in [&altered[..], &whole[..last]] {
        fs::write(&file, bytes)?;
        let refused = home.cli(["restore", &file, "--identity", &identity]).await?;
        ensure!(refused.status.code() == Some(1), "{}{}", refused.stdout, refused.stderr);
        ensure!(refused.stderr.contains("cannot be decrypted"), "{}", refused.stderr);
    }
    for bytes in ["WPBACKUP", "no backup"] {
        fs::write(&file, bytes)?;
        for verb in [&["restore", &file][..], &["restore", &file, "--dry-run"]] {
            let refused = home.cli(verb).await?;
            ensure!(refused.status.code() == Some(1), "{verb:?}: {}{}", refused.stdout, refused.stderr);
            ensure!(refused.stderr.contains("not a backup"), "{}", refused.stderr);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_of_a_whole_redis_is_encrypted_after_it_was_rehearsed() -> Result<()> {
    let (redis, home) = home_with_redis("encrypted copy of redis").await?;
    redis.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"])?;
    let [file, words] = ["redis.rdb.age", "words"].map(|name| work(&home, name));
    fs::write(&words, "correct horse battery staple\n")?;
    let told = home.cli(["backup", &file, "--rdb", "--passphrase-file", &words]).await?.ok()?;
    ensure!(told.contains("verified on") && told.contains("with a passphrase"), "{told}");
    ensure!(fs::read(&file)?.starts_with(b"age-encryption.org/v1\n"), "it is in the age format");
    for folder in [home.work(), home.data()] {
        ensure!(that_hold(&folder, "planted in redis")?.is_empty(), "no plain copy is left");
    }
    let refused = home.cli(["restore", &file, "--rehearse", "--passphrase-file", &words]).await?;
    ensure!(refused.status.code() == Some(1), "{}{}", refused.stdout, refused.stderr);
    ensure!(refused.stderr.contains("a redis-server starts with it"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test]
async fn a_file_of_secrets_keeps_passwords_and_the_signing_key() -> Result<()> {
    let mut home = Home::new("file of secrets")?;
    let [words, password] = ["words", "password"].map(|name| work(&home, name));
    fs::write(&words, "correct horse battery staple\n")?;
    let make = ["config", "secrets-file", "make"];
    let refused = home.cli(make).await?;
    ensure!(refused.status.code() == Some(2), "nobody can be asked: {}", refused.stderr);
    let made = home.cli(make.into_iter().chain(["--passphrase-file", &words])).await?.ok()?;
    ensure!(made.contains("config/secrets.age") && made.contains("it is open"), "{made}");
    let twice = home.cli(make.into_iter().chain(["--passphrase-file", &words])).await?;
    ensure!(twice.status.code() == Some(4), "it is there already: {}", twice.stderr);
    let shown = home.cli(["config", "secrets-file", "show"]).await?;
    ensure!(shown.status.code() == Some(1), "it is locked: {}{}", shown.stdout, shown.stderr);
    ensure!(shown.stdout.contains("WATCHPOST_SECRETS_PASSPHRASE_FILE"), "{}", shown.stdout);

    home.set_env("WATCHPOST_SECRETS_PASSPHRASE_FILE", &words);
    home.cli(["config", "secrets-file", "show"]).await?.ok()?;
    fs::write(&password, "planted-password-7f3a\n")?;
    let add =
        ["connect", "add", "shop", "--redis", "redis://127.0.0.1:1/0", "--redis-password-file", &password];
    let added = home.cli(add).await?;
    ensure!(added.status.code() == Some(1), "it is saved and nothing listens: {}", added.stderr);
    ensure!(that_hold(&home.data(), "planted-password-7f3a")?.is_empty(), "it stands in clear");

    // A key of one command signs in the next one.
    home.cli(["audit", "checkpoint"]).await?.ok()?;
    let keys = async || -> Result<serde_json::Value> {
        home.cli(["--output", "json", "audit", "key", "list"]).await?.json()
    };
    let before = keys().await?;
    ensure!(
        before["keys"].as_array().is_some_and(|keys| keys.len() == 1 && keys[0]["own"] == true),
        "{before}"
    );
    ensure!(keys().await? == before, "no key is made anew");

    // Locked: the status is shown all the same, and says why nothing is reached.
    home.set_env("WATCHPOST_SECRETS_PASSPHRASE_FILE", "");
    let status = home.cli(["status", "-c", "shop"]).await?;
    ensure!(status.status.code() == Some(3), "{}{}", status.stdout, status.stderr);
    for told in ["keychain", "not tried: the connection is not open"] {
        ensure!(status.stdout.contains(told), "{told}: {}", status.stdout);
    }
    ensure!(status.stderr.contains("cannot read the redis password"), "{}", status.stderr);
    // A connection that needs nothing of the file does not wait for it.
    home.cli(["connect", "add", "plain", "--redis", "redis://127.0.0.1:1/0"]).await?;
    let status = home.cli(["status", "-c", "plain"]).await?;
    ensure!(!status.stdout.contains("not tried"), "{}", status.stdout);
    // A file without a password in it is told as that.
    fs::write(&password, "\n")?;
    home.set_env("WATCHPOST_REDIS_PASSWORD_FILE", &password);
    let status = home.cli(["status", "-c", "plain"]).await?;
    ensure!(status.stderr.contains("the file is empty"), "{}", status.stderr);
    Ok(())
}

#[tokio::test]
async fn a_new_file_of_secrets_holds_what_the_keychain_held() -> Result<()> {
    let mut home = Home::new("keychain carried over")?;
    let [words, password] = ["words", "password"].map(|name| work(&home, name));
    fs::write(&words, "correct horse battery staple\n")?;
    fs::write(&password, "planted-password-7f3a\n")?;
    let shown = home.cli(["config", "secrets-file", "show"]).await?.ok()?;
    ensure!(shown.contains("there is no keychain"), "without a session: {shown}");

    home.session().await?;
    let shown = home.cli(["config", "secrets-file", "show"]).await?.ok()?;
    ensure!(shown.contains("a key of the keychain seals"), "{shown}");
    let add =
        ["connect", "add", "shop", "--redis", "redis://127.0.0.1:1/0", "--redis-password-file", &password];
    home.cli(add).await?;
    home.cli(["audit", "checkpoint"]).await?.ok()?;
    let keys = async |home: &Home| -> Result<serde_json::Value> {
        home.cli(["--output", "json", "audit", "key", "list"]).await?.json()
    };
    let before = keys(&home).await?;

    let make = ["config", "secrets-file", "make", "--passphrase-file", &words];
    let made = home.cli(make).await?.ok()?;
    for carried in ["the redis password of \"shop\"", "the key that signs the audit trail"] {
        let line = made.lines().find(|line| line.contains(carried));
        ensure!(line.is_some_and(|line| line.starts_with("carried over")), "{carried}: {made}");
    }
    home.set_env("WATCHPOST_SECRETS_PASSPHRASE_FILE", &words);
    ensure!(keys(&home).await? == before, "the key signs on, and none is made anew");
    let status = home.cli(["status", "-c", "shop"]).await?;
    ensure!(!status.stderr.contains("cannot read the redis password"), "{}", status.stderr);
    Ok(())
}
