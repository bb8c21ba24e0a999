//! Logs into events, and made-up events with a known truth.
//!
//! Pure and streaming: a reader in, events out, one line in memory at a time. A bad line is a diagnosis and never ends
//! an import. Ids are derived from the source, the place and the text of a line, so importing again adds nothing.
//!
//! Deliberately absent: files, progress bars, Redis. `watchpost-ops` opens files and writes events.
#![warn(missing_docs)]

mod access;
mod ecs;
mod importer;
mod jsonl;
mod lines;
mod sim;
mod sshd;

pub use importer::{Import, ImportOptions, Importer, LogFormat, Parsed};
pub use lines::{LINE_BYTES_MAX, Line, Lines, open_reader};
pub use sim::{CampaignKind, CampaignTruth, Simulation, SimulationConfig, Truth};
