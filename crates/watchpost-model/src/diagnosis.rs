//! The steps of trying a connection, so that a failure names the exact step and what to do.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It works.
    Ok,
    /// It works with a reservation.
    Warning,
    /// It does not work.
    Failed,
    /// Not tried, because an earlier step failed.
    Skipped,
}

words!(StepState { Ok = "ok", Warning = "warning", Failed = "failed", Skipped = "skipped" });

/// One step: resolve the name, reach the port, TLS, log in, rights, version, schema ...
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CheckStep {
    /// Stable name: `resolve`, `connect`, `tls`, `login`, `rights`, `version`, `open`, `schema`.
    pub name: String,
    /// For people: `Reach redis.example:6379`.
    pub title: String,
    /// How it ended.
    pub state: StepState,
    /// What was seen: `Redis 7.0.15, 0.4 ms`, or the error.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A line that gives the Redis user of a connection what one use of it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AclLine {
    /// Stable name: `observe`, `process`, `contain`, `export`, `maintain`, `all`; `from_7_0`, `from_7_2`,
    /// `from_valkey_8_1` for what later servers know, where this one did not say its version.
    pub purpose: String,
    /// For people.
    pub title: String,
    /// To copy: `ACL SETUSER watchpost ...`.
    pub line: String,
}
