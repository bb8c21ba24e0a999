//! The event store: the contract with the applications, the readers, blocks, health and maintenance of one Redis.
//!
//! Called by `watchpost-ops`, which alone decides what may be done and keeps the record. Deliberately absent: `KEYS`,
//! `MONITOR`, `FLUSH*`, `CONFIG SET` and every other command that blocks or reconfigures somebody's server; Redis
//! Cluster (the scripts change a hash, its index and the stream together).
//!
//! Losing an event is an event: whatever cannot be read goes to a bounded quarantine with its reason and is counted
//! ([`StoreCounters`]).
#![warn(missing_docs)]

mod blocks;
mod codec;
mod diagnose;
mod error;
mod health;
pub mod info;
mod keys;
mod link;
pub mod local;
pub mod optimize;
mod probe;
mod queue;
mod reply;
pub mod retention;
mod scripts;
pub mod stats;
mod store;
mod target;
mod walk;

pub use blocks::BlockRemoved;
pub use blocks::BlockWritten;
pub use blocks::StoredBlock;
pub use diagnose::diagnose;
pub use error::RedisError;
pub use probe::HealthProbe;
pub use queue::AdoptCursor;
pub use queue::Adopted;
pub use queue::Backlog;
pub use queue::StreamItem;
pub use store::BLOCK_MS_MAX;
pub use store::EventStore;
pub use store::QUARANTINE_MAX;
pub use store::StoreCounters;
pub use store::Written;
pub use target::RedisTarget;
pub use target::TargetAddress;
