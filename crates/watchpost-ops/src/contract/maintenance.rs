//! Jobs and what they are asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::copies::{CopyEncryption, CopyKey};
use watchpost_model::event::Category;
use watchpost_model::ids::JobId;
use watchpost_model::job::JobRun;

/// Retention: preview or run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionRequest {
    /// Remove from Redis what is older than this many days, instead of the policy's days. 0 means everything that has
    /// been processed.
    pub days: Option<u32>,
    /// Begin at the beginning, also where a run with the same parameters was interrupted in the last 24 hours. A
    /// preview always does.
    pub restart: bool,
}

/// Optimisation: preview or run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizeRequest {
    /// The way back: write compressed payloads as they were, and keep events as large hashes again where the server's
    /// limits ask for it by now. Expiries that were given and index entries that were removed stay as they are.
    pub revert: bool,
}

/// Count the keys of Redis by pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct PatternRequest {
    /// Patterns to count beside those of the contract, as `SCAN ... MATCH` has them; at most 100.
    pub patterns: Vec<String>,
}

/// What is in Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PatternCounts {
    /// The server that was counted.
    pub node: String,
    /// By pattern of the contract; each key is in one.
    pub patterns: Vec<PatternCount>,
    /// By pattern that was asked for, in that order; a key may be in several.
    pub asked: Vec<PatternCount>,
    /// The largest keys, largest first.
    pub largest: Vec<LargeKey>,
    /// Keys that never expire and are not the product's own, at most 100.
    #[serde(default)]
    pub unending: Vec<String>,
    /// What a reader should know about the count.
    pub notes: Vec<String>,
}

/// The keys of one pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PatternCount {
    /// `security:auth:{ms}`, `(other keys)`, or as it was asked for.
    pub pattern: String,
    /// How many.
    pub keys: u64,
    /// Memory of value and key, as the server estimates it; absent where it does not tell, the notes say why.
    pub bytes: Option<u64>,
    /// How many never expire; absent where the server does not tell.
    pub without_ttl: Option<u64>,
    /// The names of a few of these that are not the product's own.
    #[serde(default)]
    pub unending: Vec<String>,
    /// Their types, most first: `hash 20, string 1`.
    pub types: String,
    /// Their encodings, most first: `listpack 20, hashtable 1`; in a database of over 100,000 keys those of each eighth key.
    #[serde(default)]
    pub encodings: String,
    /// Time of the oldest event, by its key.
    pub oldest: Option<DateTime<Utc>>,
    /// Time of the newest event.
    pub newest: Option<DateTime<Utc>>,
}

/// A key that takes much memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LargeKey {
    /// Its name.
    pub key: String,
    /// Memory of value and key.
    pub bytes: u64,
}

/// Bring in a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Path of the file; `.gz` is unpacked.
    pub path: String,
    /// `combined`, `common`, `sshd`, `jsonl` or `ecs`.
    pub format: String,
    /// Begin anew instead of where an interrupted import of the same file stopped.
    #[serde(default)]
    pub restart: bool,
}

/// Make synthetic traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct SimulateRequest {
    /// With the same end, the same seed makes the same events.
    pub seed: u64,
    /// Days of traffic; 1 to 90.
    pub days: u32,
    /// End of the traffic; now if absent. The same seed and the same end make the same events.
    pub until: Option<DateTime<Utc>>,
    /// Ordinary events per day, 10 to 1,000,000.
    pub events_per_day: u32,
    /// Users of the simulated application, 1 to 100,000.
    pub users: u32,
    /// File for the ground truth (JSON).
    pub truth_path: Option<String>,
}

impl Default for SimulateRequest {
    fn default() -> Self {
        Self { seed: 7, days: 7, until: None, events_per_day: 3_000, users: 120, truth_path: None }
    }
}

/// How an export of Redis is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A table for people and spreadsheets.
    Csv,
    /// One JSON array.
    Json,
    /// One JSON object a line; events in this form can be imported.
    Ndjson,
}

watchpost_model::words!(ExportFormat { Csv = "csv", Json = "json", Ndjson = "ndjson" });

/// Write what is in Redis to a file: preview or run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Events of these categories; empty means all.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// Events from this time on.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Events before this time.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
    /// Every key under the prefix instead, whatever it holds.
    #[serde(default)]
    pub all: bool,
    /// How it is written.
    pub format: ExportFormat,
    /// The file, on the machine where Watchpost runs.
    pub path: String,
    /// Replace a file that is there.
    #[serde(default)]
    pub force: bool,
}

/// Write the keys to a backup: preview or run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// The file, on the machine where Watchpost runs.
    pub path: String,
    /// Replace a file that is there.
    #[serde(default)]
    pub force: bool,
    /// The whole server instead, with all its databases, as the RDB file that a replica gets: the server forks for it.
    #[serde(default)]
    pub rdb: bool,
    /// For whom it is encrypted; it is not if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub encryption: Option<CopyEncryption>,
}

/// Put the keys of a backup back: preview or run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// The file, on the machine where Watchpost runs.
    pub path: String,
    /// Only rehearse it on a scratch server: the event store is not touched.
    #[serde(default)]
    pub rehearse_only: bool,
    /// Overwrite keys that are there with another value. They may be newer than the backup.
    #[serde(default)]
    pub replace: bool,
    /// What opens it, if it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<CopyKey>,
}

/// Measure the server: preview or run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct BenchmarkRequest {
    /// Operations of each step, 100 to 1,000,000.
    pub ops: u32,
    /// Size of a value, 1 to 16,384 bytes.
    pub value_bytes: u32,
    /// Commands in a pipeline, 2 to 100.
    pub pipeline: u32,
}

impl Default for BenchmarkRequest {
    fn default() -> Self {
        Self { ops: 20_000, value_bytes: 200, pipeline: 16 }
    }
}

/// Bring counts up to date: preview or run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AggregateRequest {
    /// From this time on; 30 days ago if absent.
    pub from: Option<DateTime<Utc>>,
    /// Before this time; now if absent.
    pub to: Option<DateTime<Utc>>,
}

/// A job run by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct JobRef {
    /// Which.
    pub id: JobId,
}

/// Job runs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobList {
    /// The rows, at most 100.
    pub runs: Vec<JobRun>,
}
