//! What a person or a schedule can do: every operation, its permission, its audit record.
//!
//! This crate composes the event store, the audit database, the detection engine and the reports; shells (the window,
//! the command line, the daemon) build a request, hand it to [`door`], and show the answer. Deliberately absent: SQL,
//! Redis commands, detection logic, drawing; and anything of a particular shell.
#![warn(missing_docs)]

mod age_file;
pub mod analyze;
pub mod attention;
mod blocking;
pub mod codegen;
pub mod connections;
pub mod console;
pub mod contract;
pub mod door;
mod engine;
mod enrich;
mod erasures;
pub mod error;
mod error_map;
mod health_watch;
mod hearing;
mod hidden;
mod identity;
pub mod inspect;
mod jobs;
mod journal;
pub mod live;
mod locking;
mod making;
mod operations;
mod own_addresses;
mod paths;
mod perform;
mod playbooks;
pub mod replies;
mod respond;
mod roles;
pub mod rules;
mod sealing;
pub mod secrets;
mod setting;
mod signing;
mod status;
mod targets;
pub mod token_keys;
mod told;
mod two_people;
mod upheld;
mod upkeep;
mod witness;
mod workspace;

pub use identity::os_caller;
pub use paths::Paths;
pub use perform::is_without_tls;
pub use perform::reports::{checked_alone, report_targets};
pub use watchpost_store::{BundleChecked, BundleDepth, BundleProblem, check_bundle};

/// Directives for the log of a program: the library that runs Sigma rules says of every filter once more, wrongly, that it
/// fits no rule; what is wrong with rules is told by the list of their problems. That of the databases says each statement
/// that took a second; what waited in vain is told as an error.
pub const QUIET: &str = "rsigma_eval=error,rsigma_parser=error,sqlx::query=error";
