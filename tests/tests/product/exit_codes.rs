//! What the exit code says is the same for every verb.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use anyhow::{Result, ensure};
use watchpost_tests::{Home, until};

/// For what another process does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every verb that takes a file or a directory, with one that is not there.
#[tokio::test]
async fn a_file_that_is_not_there_is_the_same_for_every_verb() -> Result<()> {
    let home = Home::new("exit codes of files")?;
    let log = home.work().join("a.log");
    fs::write(&log, "203.0.113.7 - - [03/Nov/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n")?;
    let log = log.to_string_lossy().into_owned();
    let verbs: [&[&str]; 18] = [
        &["import", "--format", "common", "gone"],
        &["analyze", "--format", "common", "gone"],
        &["analyze", "--format", "common", "--rules", "gone", &log],
        &["analyze", "--format", "common", "--token-key", "gone", &log],
        &["analyze", "--format", "common", "--city", "gone", &log],
        &["analyze", "--format", "common", "--asn", "gone", &log],
        &["analyze", "--format", "common", "--threats", "gone", &log],
        &["detect", "--stdin", "--rules", "gone"],
        &["detect", "--stdin", "--token-key", "gone"],
        &["rules", "list", "--rules", "gone"],
        &["rules", "test", "--rules", "gone"],
        &["rules", "backtest", "--rules", "gone"],
        &["rules", "import-sigma", "gone"],
        &["threat", "import", "gone"],
        &["baseline", "compare", "gone"],
        &["config", "location", "--city", "gone"],
        &["config", "token-key", "add", "k", "--public", "gone"],
        &["config", "token-key", "add", "k", "--file", "gone"],
    ];
    for verb in verbs {
        let ended = home.cli(verb).await?;
        assert_eq!(ended.status.code(), Some(3), "{verb:?}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains("gone"), "{verb:?} names the file: {}", ended.stderr);
    }
    // What is there and is not what it should be is wrong usage.
    let wrong: [&[&str]; 3] = [
        &["analyze", "--format", "common", "--city", &log, &log],
        &["config", "location", "--city", &log],
        &["threat", "import", "--format", "stix", &log],
    ];
    for verb in wrong {
        let ended = home.cli(verb).await?;
        assert_eq!(ended.status.code(), Some(2), "{verb:?}: {}{}", ended.stdout, ended.stderr);
    }
    Ok(())
}

/// Without TLS, and with an authority for it.
#[tokio::test]
async fn a_database_without_tls_takes_no_certificates() -> Result<()> {
    let home = Home::new("sslmode and files")?;
    let add = async |query: &str, files: &[&str]| -> Result<String> {
        let url = format!("postgres://anna@db.example/trail?{query}");
        let add = ["connect", "add", "shop", "--redis", "redis://127.0.0.1:1/0", "--database", url.as_str()];
        let ended = home.cli([&add[..], files].concat()).await?;
        ensure!(ended.status.code() == Some(2), "{query} {files:?}: {}{}", ended.stdout, ended.stderr);
        Ok(ended.stderr)
    };
    let ca = ["--database-ca", "ca.pem"];
    let own = ["--database-cert", "me.pem", "--database-key", "me.key"];
    for (query, files) in [
        ("sslmode=disable", &ca[..]),
        ("sslmode=disable", &own[..]),
        ("sslmode=%64isable", &ca[..]),
        ("%73slmode=disable", &own[..]),
    ] {
        let said = add(query, files).await?;
        ensure!(said.contains("sslmode=disable uses no certificates"), "{query}: {said}");
    }
    let said = add("sslmode%3Ddisable", &ca[..]).await?;
    ensure!(said.contains("a PostgreSQL URL takes"), "{said}");
    Ok(())
}

/// What only the environment names is no flag that another one contradicts.
#[tokio::test]
async fn the_environment_is_no_flag() -> Result<()> {
    let mut home = Home::new("a connection by environment")?;
    home.set_env("WATCHPOST_CONNECTION", "local");
    let log = home.work().join("a.log");
    fs::write(&log, "203.0.113.7 - - [03/Nov/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n")?;
    let log = log.to_string_lossy().into_owned();
    let alone = home.cli(["analyze", "--format", "common", "--defaults", &log]).await?;
    assert_eq!(alone.status.code(), Some(0), "{}{}", alone.stdout, alone.stderr);
    let both = home.cli(["analyze", "-c", "local", "--format", "common", "--defaults", &log]).await?;
    assert_eq!(both.status.code(), Some(2), "{}{}", both.stdout, both.stderr);
    assert!(both.stderr.contains("--connection"), "{}", both.stderr);
    Ok(())
}

/// A second process sees the engine that another one runs, and sees when none does.
#[tokio::test]
async fn status_tells_of_the_engine_of_another_process() -> Result<()> {
    let home = Home::new("status of two processes")?;
    let engine = || async {
        let status = home.cli(["--output", "json", "status"]).await?.json()?;
        Ok::<_, anyhow::Error>(status["engine"]["state"].as_str().unwrap_or_default().to_owned())
    };
    let seen = |state: &'static str| {
        let looked = engine();
        async move {
            let now = looked.await?;
            ensure!(now == state, "the engine is {now}");
            Ok(())
        }
    };
    assert_eq!(engine().await?, "stopped", "nobody runs one");
    let daemon = home.start_cli(["serve", "--listen", "127.0.0.1:0"])?;
    until("another process to run the engine", PATIENCE, || seen("standby")).await?;
    let shown = home.cli(["status"]).await?.ok()?;
    assert!(shown.contains("running in another process"), "{shown}");
    // Rules of the same folder are known; what the other process counts is not.
    let rules = home.data().join("data/rules");
    fs::create_dir_all(&rules)?;
    fs::write(rules.join("own.yml"), "title: [\n")?;
    let status = home.cli(["--output", "json", "status"]).await?.json()?;
    assert_eq!(status["engine"]["rule_problems"], 1, "{status}");
    assert!(status["engine"]["evicted_total"].is_null(), "{status}");
    let shown = home.cli(["status"]).await?.ok()?;
    assert!(shown.contains("1 of its documents cannot be used"), "{shown}");
    drop(daemon);
    until("it to be gone, and its lease with it", PATIENCE, || seen("stopped")).await
}

/// The doctor goes on behind a database that cannot be opened.
#[tokio::test]
async fn the_doctor_tries_everything() -> Result<()> {
    let home = Home::new("the doctor")?;
    home.cli(["status"]).await?.ok()?;
    let sound = home.cli(["doctor"]).await?;
    assert_eq!(sound.status.code(), Some(0), "{}{}", sound.stdout, sound.stderr);
    let broken = home.work().join("broken.db");
    fs::write(&broken, "this is no database, and it is long enough to be read as one: no, no, no")?;
    let database = broken.to_string_lossy().into_owned();
    let added = home
        .cli(["connect", "add", "broken", "--redis", "redis://127.0.0.1:1/0", "--database", &database])
        .await?;
    assert_eq!(
        added.status.code(),
        Some(1),
        "it is saved and does not work: {}{}",
        added.stdout,
        added.stderr
    );
    let told = home.cli(["--connection", "broken", "doctor"]).await?;
    assert_eq!(told.status.code(), Some(1), "{}{}", told.stdout, told.stderr);
    let all = format!("{}{}", told.stdout, told.stderr);
    for part in ["does not open", "127.0.0.1:1", "broken.db"] {
        assert!(all.contains(part), "{part} is missing in: {all}");
    }
    // So does the status: that the database does not open is the state that was asked for.
    let told = home.cli(["--connection", "broken", "status"]).await?;
    assert_eq!(told.status.code(), Some(3), "{}{}", told.stdout, told.stderr);
    for part in [
        "broken",
        "down - the file is not a Watchpost database",
        "not known: the database is not open",
        "keychain",
    ] {
        assert!(told.stdout.contains(part), "{part} is missing in: {}", told.stdout);
    }
    assert!(told.stderr.contains("choose another file"), "{}", told.stderr);
    Ok(())
}

/// What a report found is told apart for those who build on it: nothing that could be judged is no success.
#[tokio::test]
async fn the_worst_state_of_a_report_is_its_exit_code() -> Result<()> {
    let home = Home::new("exit codes of reports")?;
    let listed = home.cli(["--output", "json", "report", "frameworks"]).await?.json()?;
    let own = listed["folder"].as_str().unwrap_or_default().to_owned();
    fs::create_dir_all(&own)?;
    // The archive of a new workspace has no events; its audit trail has the reports that were made before.
    let cases = [
        ("fails", "events_complete", "rule = { empty = \"fail\" }", 1),
        ("warns", "events_complete", "rule = { empty = \"warn\" }", 5),
        ("shows-nothing", "events_complete", "", 6),
        ("passes", "audit_complete", "", 0),
    ];
    for (id, query, rule, _) in cases {
        let text = format!(
            "id = {id:?}\nname = {id:?}\nversion = \"1\"\nnote = \"x\"\n[[control]]\nid = \"A\"\ntitle = \"x\"\n\
             text = \"x\"\nremedy = \"x\"\n[[control.check]]\nquery = {query:?}\n{rule}\n"
        );
        fs::write(std::path::Path::new(&own).join(format!("{id}.toml")), text)?;
    }
    let out = home.work().join("reports").to_string_lossy().into_owned();
    for (id, .., code) in cases {
        let period = ["--from", "2024-10-01", "--to", "2024-11-01", "--format", "json", "--out", &out];
        let ended = home.cli(["report", "generate", "--framework", id].into_iter().chain(period)).await?;
        assert_eq!(ended.status.code(), Some(code), "{id}: {}{}", ended.stdout, ended.stderr);
    }
    // What a file is called does not reach the terminal as it is.
    let hostile = "a\u{1b}[31m\u{202e}b";
    fs::write(std::path::Path::new(&own).join(format!("{hostile}.toml")), "id = 1")?;
    let verbs: [&[&str]; 3] = [
        &["report", "verify", hostile],
        &["report", "frameworks"],
        &[
            "report",
            "generate",
            "--framework",
            hostile,
            "--from",
            "2024-10-01",
            "--to",
            "2024-11-01",
            "--out",
            &out,
        ],
    ];
    for verb in verbs {
        let ended = home.cli(verb).await?;
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(told.contains("[31m"), "{verb:?} names it: {told:?}");
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{verb:?}: {told:?}");
    }
    // Neither does what the parser of the command line refuses, nor a line of its own in the name of a file.
    let refused: [(&[&str], i32); 3] = [
        (&["report", "generate", "--format", "a\u{1b}[31m\u{202e}b"], 2),
        (&["a\u{1b}[31mb"], 2),
        (&["report", "verify", "a\u{1b}[31m\nwatchpost: all is well"], 3),
    ];
    for (verb, code) in refused {
        let ended = home.cli(verb).await?;
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{verb:?}: {told:?}");
        assert!(told.contains("[31m"), "{verb:?} is named: {told:?}");
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{verb:?}: {told:?}");
        assert!(!told.lines().any(|line| line.starts_with("watchpost: all")), "{verb:?}: {told:?}");
    }
    let kind = ["report", "generate", "--framework", "kpi", "--from", "2024-10-01", "--to", "2024-11-01"];
    let taken = home.work().join("taken");
    fs::write(&taken, "a file")?;
    let taken = taken.to_string_lossy().into_owned();
    let ended = home.cli(kind.into_iter().chain(["--format", "json", "--out", &taken])).await?;
    assert_eq!(ended.status.code(), Some(3), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(&format!("watchpost: {taken} is no folder")), "{}", ended.stderr);
    let ended = home.cli(kind.into_iter().chain(["--format", "json", "--out", &out])).await?;
    assert_eq!(ended.status.code(), Some(0), "a kind that judges nothing: {}{}", ended.stdout, ended.stderr);
    Ok(())
}

/// What the parser of the command line refuses comes in the lines that it has: what is wrong, a hint, the usage.
#[tokio::test]
async fn a_wrong_command_line_is_told_in_its_lines_and_nothing_of_others_in_them() -> Result<()> {
    let mut home = Home::new("refused command lines")?;
    home.set_env("WATCHPOST_CONNECTION", "a\u{1b}[31mb\nwatchpost: all is well\u{202e}");
    let generate = ["report", "generate"].map(OsStr::new);
    let flag = [generate[0], generate[1], OsStr::new("--fromework"), OsStr::new("kpi")];
    let no_text = [OsStr::new("--connection"), OsStr::from_bytes(b"a\xff"), OsStr::new("status")];
    let cases: [(&[&OsStr], &[&str]); 3] = [
        (
            &flag,
            &["error: unexpected argument '--fromework' found", "--framework", "Usage: watchpost report"],
        ),
        (
            &generate,
            &[
                "error: the following required arguments",
                "  --framework <FRAMEWORK>",
                "Usage: watchpost report",
            ],
        ),
        (&no_text, &["error: invalid UTF-8", "For more information, try '--help'."]),
    ];
    for (line, parts) in cases {
        let ended = home.cli(line).await?;
        assert_eq!(ended.status.code(), Some(2), "{line:?}: {}", ended.stderr);
        for part in parts {
            let is_told = ended.stderr.lines().any(|told| told.contains(part));
            assert!(is_told, "{line:?}: {part} is missing in {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("\\n"), "{line:?} has lines of its own: {}", ended.stderr);
    }
    // The environment is somebody else's text as well.
    let verbs: [&[&str]; 4] = [&["--help"], &["serve", "--help"], &["report", "generate"], &["status"]];
    for verb in verbs {
        let ended = home.cli(verb).await?;
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{verb:?}: {told:?}");
        assert!(!told.lines().any(|line| line.trim().starts_with("watchpost: all")), "{verb:?}: {told:?}");
    }
    Ok(())
}
