//! What the end-to-end tests stand on: a private desktop session, a fresh home, the real window under
//! WebDriver, and private Redis and PostgreSQL servers.
//!
//! Everything here starts its own servers in temporary directories and ends them when dropped, so tests can
//! run beside each other and beside whatever the machine runs. Every wait has a condition and a deadline.
//! Called by the tests of this crate, by `watchpost-shots`, which takes the pictures of every panel, and by
//! `watchpost-ui-bench`, which measures the window.
//!
//! ```no_run
//! # async fn story() -> anyhow::Result<()> {
//! use watchpost_tests::{Home, Window};
//!
//! let home = Home::new("a story")?;
//! home.cli(["simulate", "--seed", "7"]).await?.ok()?;
//! let window = Window::launch(&home).await?;
//! window.go("#/incidents").await?;
//! window.click("[role=row]").await?;
//! window.close().await?;
//! # Ok(())
//! # }
//! ```

mod binaries;
mod cli;
mod daemon;
mod home;
#[expect(dead_code, reason = "a file of another crate's tests, which uses all of it")]
#[path = "../../crates/watchpost-detect/tests/it/mmdb.rs"]
mod mmdb;
#[path = "../../crates/watchpost-redis/tests/it/port.rs"]
mod port;
mod postgres;
mod redis;
mod scenes;
mod screen;
mod seed;
mod session;
mod shots;
mod wait;
mod window;

pub use binaries::{Binaries, target_directory, workspace_root};
pub use cli::{Finished, Serving, Told};
pub use home::Home;
pub use postgres::Postgres;
pub use redis::Redis;
pub use session::Session;
pub use shots::{Shots, Size, Taken, Theme};
pub use wait::until;
pub use window::{Key, Window};
