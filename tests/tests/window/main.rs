//! The real window under WebDriver: slow, few, one at a time (see .config/nextest.toml).

mod smoke;
mod story;
mod triage;
