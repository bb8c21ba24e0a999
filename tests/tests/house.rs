//! The house keeps its shape: arrows point down, fences hold, files stay short, nothing forbidden slips in.
//!
//! The rules and why they are there are in `xtask/src/arrows.rs` and `xtask/src/tidy.rs`.

use anyhow::Result;
use xtask::{arrows, build, tidy};

#[test]
fn arrows_point_down_and_fences_hold() -> Result<()> {
    let metadata = build::metadata()?;
    assert!(
        metadata["packages"].as_array().is_some_and(|packages| packages.len() > 8),
        "cargo lists the workspace"
    );
    let complaints = arrows::complaints(&metadata);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

#[test]
fn every_file_is_tidy() -> Result<()> {
    let files = tidy::files()?;
    assert!(files.iter().any(|(path, _)| path == "Cargo.toml"), "git lists the workspace");
    let complaints: Vec<String> = files.iter().flat_map(|(path, text)| tidy::file(path, text)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}
