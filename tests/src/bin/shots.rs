//! `watchpost-shots`: pictures of every panel of the real window on a virtual screen.
//!
//! Called by `cargo xtask shots` and, where there is no screen, by `cargo xtask run`.
#![expect(clippy::print_stdout, reason = "a command line program that says where its pictures are")]

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use watchpost_tests::{Shots, Size, Theme, target_directory};

/// Pictures of every panel of the real window, on a virtual screen and simulated traffic.
#[derive(Debug, Parser)]
struct Args {
    /// Directory of the pictures [default: shots in the target directory]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Window size; may be given several times
    #[arg(long = "size", value_name = "WxH", default_value = "1440x900")]
    sizes: Vec<Size>,
    /// Theme: dark, light or contrast; may be given several times [default: all]
    #[arg(long = "theme", value_name = "THEME")]
    themes: Vec<Theme>,
    /// Language of the window: en or de
    #[arg(long, default_value = "en")]
    language: String,
    /// Only pictures whose name begins so; may be given several times [default: all]
    #[arg(long = "only", value_name = "NAME")]
    only: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let out = match args.out {
        Some(out) => out,
        None => target_directory()?.join("shots"),
    };
    let themes =
        if args.themes.is_empty() { vec![Theme::Dark, Theme::Light, Theme::Contrast] } else { args.themes };
    let shots =
        Shots { out: out.clone(), sizes: args.sizes, themes, language: args.language, only: args.only };
    let taken = shots.take().await?;
    for picture in &taken.pictures {
        println!("{}", picture.display());
    }
    println!("{} pictures in {}", taken.pictures.len(), out.display());
    ensure!(taken.failed.is_empty(), "{} failed:\n{}", taken.failed.len(), taken.failed.join("\n"));
    Ok(())
}
