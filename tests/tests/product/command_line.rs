//! The main job without the window.

use anyhow::Result;
use watchpost_tests::{Home, workspace_root};

/// `story.sh` is a script and not Rust so that a person can read it as the manual and run it by hand.
#[tokio::test]
async fn the_main_job_by_the_command_line_alone() -> Result<()> {
    let home = Home::new("the main job by the command line")?;
    let story = workspace_root().join("tests/story.sh");
    let told = home.run("sh", [story.as_os_str(), home.binaries().cli.as_os_str()]).await?.ok()?;
    assert!(told.contains("story: all of it works"), "the story ends early: {told}");
    Ok(())
}

/// What a report asks of decisions can be given: a reason in words.
#[tokio::test]
async fn jobs_take_a_reason() -> Result<()> {
    let home = Home::new("reasons of jobs")?;
    for job in ["retention", "cleanup", "optimize", "backup", "restore", "aggregate", "import"] {
        let told = home.cli([job, "--help"]).await?.ok()?;
        assert!(told.contains("--reason <TEXT>"), "{job}: {told}");
    }
    Ok(())
}

/// A gate that turns away what its rule matches leaves attacks unseen: whoever uses the rules is told, once.
#[tokio::test]
async fn a_gate_that_shuts_out_its_rule_is_told_where_the_rules_are_used() -> Result<()> {
    let home = Home::new("rules with a gap")?;
    let folder = home.work().join("own");
    std::fs::create_dir_all(&folder)?;
    let rule = "title: Own rule\nid: own.gap\nlevel: high\ntags: [attack.t1190]\nwatchpost:\n  family: custom\n  \
                confidence: 50\n  gate: [sesame]\n  match:\n    regex:\n      - open sesame\n      - say abrakadabra\n  \
                fires: [value: open sesame, value: open sesame 2, value: x open sesame]\n  \
                near_misses: [value: a, value: b, value: c]\n";
    std::fs::write(folder.join("own.yml"), rule)?;
    let path = folder.to_string_lossy().into_owned();
    let told = home.cli(["detect", "--stdin", "--rules", &path]).await?.stderr;
    assert_eq!(told.matches("own.yml:12: warning: the gate may turn away").count(), 1, "{told}");
    assert!(told.contains("say abrakadabra") && told.contains("WARN"), "{told}");
    Ok(())
}
