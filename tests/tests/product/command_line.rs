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
