//! The real window under WebDriver: slow, few, one at a time (see .config/nextest.toml).

mod axe;
mod events;
mod figures;
mod lock;
mod smoke;
mod story;
mod triage;
mod windows;
