//! The event store: the contract with the applications, the readers, blocks, health and maintenance of one Redis.
//!
//! Called by `watchpost-ops`, which alone decides what may be done and keeps the record. Deliberately absent: `KEYS`,
//! `MONITOR`, `FLUSH*`, `CONFIG SET` and every other command that blocks or reconfigures somebody's server; in a Redis
//! Cluster a prefix without a hash tag (the scripts change a hash, its index and the stream together).
//!
//! # The contract with the applications
//!
//! | key (after the prefix) | type | holds |
//! |---|---|---|
//! | `auth:{ms}`, `access:{ms}`, `data:{ms}`, `config:{ms}` | hash | one event; `{ms}` is Unix milliseconds with an optional `-n` for ties |
//! | `api:{endpoint}:{ms}` | hash | one event; the endpoint percent-encoded (RFC 3986 unreserved characters stay) |
//! | `index:{category}` | sorted set | keys of events by their milliseconds |
//! | `events` | stream | the processing queue: entries with a field `key` |
//! | `blocked:{ip}`, `blocked:cidr:{cidr}` | string | JSON `{id, reason, by, until, incident}`, with TTL |
//! | `blocked:cidrs` | sorted set | blocked ranges by the Unix second of their end |
//! | `revoked:session:{id}`, `revoked:user:{id}`, `isolated:{service}`, `limited:{ip}` | string | JSON `{id, reason, by, until, incident}`, of a limit with `per_min`; with TTL |
//! | `quarantine`, `quarantine:reasons` | sorted set, hash | keys that cannot be read, by time, and why |
//!
//! Fields of an event: `id` (UUID), `at` (RFC 3339), `category`, `type`, `severity`, `outcome`, `actor`, `source_ip`,
//! `session`, `resource`, `action`, `count`, `risk`, `tags` (JSON array), `payload` (JSON `{http, details}`),
//! `payload_encoding` (absent or `zstd`). Only `type` is required of an application; the rest has defaults, and id, time
//! and category come from the key. `_q` is the queue's mark: the id of the stream entry. An application that puts its
//! events on the stream itself should set it in the same transaction; otherwise the engine may meet the event twice,
//! with one id.
//!
//! Losing an event is an event: whatever cannot be read goes to a bounded quarantine with its reason and is counted
//! ([`StoreCounters`]).
#![warn(missing_docs)]

mod append_only;
mod asked;
mod backlog;
pub mod backup;
pub mod benchmark;
mod blocks;
mod blocks_kept;
mod checkpoints;
pub mod cleanup;
mod cluster;
mod codec;
mod contain;
mod diagnose;
pub mod due;
mod encoding;
mod error;
pub mod export;
mod glob;
mod hashes;
mod health;
mod health_limits;
mod hints;
pub mod info;
mod keys;
mod known;
mod lacking;
mod large;
mod link;
pub mod local;
mod observe;
mod once;
pub mod optimize;
mod payload;
mod primaries;
mod probe;
mod queue;
mod released;
mod reply;
mod rest;
pub mod retention;
mod revert;
mod rights;
mod route;
mod scripts;
mod sentinel;
mod slow_log;
pub mod stats;
pub mod stop;
mod store;
mod target;
pub mod typed;
mod unread;
mod usage;
mod walk;
mod wire;
mod writes;

pub use backlog::Backlog;
pub use blocks::BlockRemoved;
pub use blocks::BlockWritten;
pub use blocks::StoredBlock;
pub use blocks_kept::blocks_metric;
pub use contain::ContainRemoved;
pub use contain::ContainWritten;
pub use contain::StoredContainment;
pub use diagnose::acl_lines;
pub use diagnose::diagnose;
pub use error::RedisError;
pub use health_limits::health_limits;
pub use hints::KeyHints;
pub use probe::HealthProbe;
pub use queue::AdoptCursor;
pub use queue::Adopted;
pub use queue::Delivered;
pub use queue::StreamItem;
pub use rest::health_of_the_rest;
pub use store::BLOCK_MS_MAX;
pub use store::EventStore;
pub use store::QUARANTINE_MAX;
pub use store::StoreCounters;
pub use store::Written;
pub use target::RedisTarget;
pub use target::SentinelAddress;
pub use target::TargetAddress;
pub use walk::WalkPosition;
pub use writes::Writes;
