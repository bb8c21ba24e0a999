//! Requests and replies of the operations: what crosses from a shell to the door and back.
//!
//! Deliberately absent: behaviour. Types of the domain live in `watchpost-model`; here are only the envelopes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::access::{Caller, Permission};
use watchpost_model::audit::{AuditFilter, AuditRecord, Checkpoint};
use watchpost_model::block::{AllowEntry, Block, BlockState};
use watchpost_model::connection::Connection;
use watchpost_model::diagnosis::CheckStep;
use watchpost_model::event::{Category, Entity, Event, Outcome, Quarantined, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::health::HealthSample;
use watchpost_model::ids::{BlockId, ConnectionId, JobId};
use watchpost_model::incident::{Incident, IncidentFilter, IncidentOrder, Status, Verdict};
use watchpost_model::job::JobRun;
use watchpost_model::period::Period;
use watchpost_model::policy::RetentionRule;
use watchpost_model::report::{ReportFormat, ReportRecord};
use watchpost_model::words;

/// A request without content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What a read shows and a change makes stale; the window re-fetches exactly that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// The workspace status.
    Status,
    /// Saved connections.
    Connections,
    /// Events in the archive.
    Events,
    /// Incidents.
    Incidents,
    /// Blocks and the allowlist.
    Blocks,
    /// Job runs.
    Jobs,
    /// Redis health.
    Health,
    /// Produced reports.
    Reports,
    /// The audit trail.
    Audit,
    /// Settings.
    Settings,
}

words!(Tag {
    Status = "status",
    Connections = "connections",
    Events = "events",
    Incidents = "incidents",
    Blocks = "blocks",
    Jobs = "jobs",
    Health = "health",
    Reports = "reports",
    Audit = "audit",
    Settings = "settings",
});

/// What an operation does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    Read,
    /// Changes something of this console only: saved connections.
    Local,
    /// Changes something in the workspace; needs a confirmation when the connection is marked production.
    Change,
}

words!(Effect { Read = "read", Local = "local", Change = "change" });

/// The state of one part of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Answers.
    Connected,
    /// Does not answer; being tried again.
    Down,
}

/// A part of the workspace as the status bar shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Part {
    /// How it is.
    pub state: PartState,
    /// `Redis 7.0.15 on a private socket`, `SQLite`, or what went wrong.
    pub detail: String,
    /// When it last answered.
    pub last_ok: Option<DateTime<Utc>>,
}

/// What the detection engine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EngineState {
    /// Rebuilding its windows from the archive.
    Starting,
    /// Up to date.
    Running,
    /// Working through a backlog.
    Behind,
    /// Another engine holds the lease on this database.
    Standby,
    /// Cannot work; `detail` says why; tries again.
    Down,
    /// Not started in this process.
    Stopped,
}

/// The engine in figures. Counters since it started in this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EngineStatus {
    /// What it is doing.
    pub state: EngineState,
    /// For people: who holds the lease, what went wrong.
    pub detail: String,
    /// Events processed.
    pub processed_total: u64,
    /// Events that were already known (delivered twice, imported twice).
    pub duplicates_total: u64,
    /// Events per minute over the last minute.
    pub events_per_min: f64,
    /// Events waiting in Redis.
    pub backlog: Option<u64>,
    /// Keys set aside because they could not be read.
    pub quarantined_total: u64,
    /// Entries of the detection tables dropped because a table was full.
    pub evicted_total: u64,
    /// Findings made.
    pub findings_total: u64,
}

/// Whether secrets can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// The OS keychain answers.
    Ready,
    /// There is a keychain and it is locked.
    Locked,
    /// There is none: secrets are kept for this session only.
    Absent,
    /// It did not answer in time.
    TimedOut,
}

/// Everything the status bar needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WorkspaceStatus {
    /// Version of Watchpost.
    pub version: String,
    /// Who is using this console.
    pub caller: Caller,
    /// The open connection, if one is.
    pub connection: Option<Connection>,
    /// Redis; absent when no connection is open.
    pub redis: Option<Part>,
    /// The database.
    pub database: Option<Part>,
    /// The engine.
    pub engine: EngineStatus,
    /// Whether secrets can be kept, and what to do if not.
    pub secrets: SecretState,
    /// Of what is shown: newest event in the archive.
    pub newest_event: Option<DateTime<Utc>>,
    /// Incidents that need somebody.
    pub incidents_active: u64,
    /// Server time of this answer.
    pub at: DateTime<Utc>,
    /// Offer to fill an empty workspace with demo data.
    pub offer_demo: bool,
}

/// The saved connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ConnectionList {
    /// The local workspace first, then by name.
    pub connections: Vec<Connection>,
    /// The open one.
    pub active: Option<ConnectionId>,
    /// Whether secrets can be kept.
    pub secrets: SecretState,
    /// What that means, for people; empty when ready.
    pub secrets_detail: String,
}

/// What to do with a secret. Never sent back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretInput {
    /// Leave what is stored.
    #[default]
    Keep,
    /// Store this.
    Set {
        /// The secret.
        value: String,
    },
    /// Forget what is stored.
    Clear,
}

impl std::fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Set { .. } => "Set(redacted)",
            Self::Clear => "Clear",
        })
    }
}

/// A connection as typed into the dialog. `connection.id` of a new one is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDraft {
    /// Absent for a new connection.
    pub id: Option<ConnectionId>,
    /// Name for people, unique.
    pub name: String,
    /// The Redis.
    pub redis: watchpost_model::connection::RedisConnection,
    /// The database.
    pub database: watchpost_model::connection::DatabaseConnection,
    /// Every change asks for confirmation.
    pub production: bool,
    /// Password of the Redis user.
    #[serde(default)]
    pub redis_password: SecretInput,
    /// Password of the database login.
    #[serde(default)]
    pub database_password: SecretInput,
}

/// A `redis://`, `rediss://`, `unix://` or `postgres://` URL to take apart; a password in it becomes a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectionParse {
    /// The URL.
    pub url: String,
}

impl std::fmt::Debug for ConnectionParse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionParse(redacted)")
    }
}

/// A URL taken apart; one of `redis` and `database` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ParsedUrl {
    /// If it was a Redis URL.
    pub redis: Option<watchpost_model::connection::RedisConnection>,
    /// If it was a database URL.
    pub database: Option<watchpost_model::connection::DatabaseConnection>,
    /// The password in it.
    pub password: SecretInput,
}

/// The result of trying a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectionCheck {
    /// Did everything work?
    pub ok: bool,
    /// Steps on the Redis side.
    pub redis: Vec<CheckStep>,
    /// Steps on the database side.
    pub database: Vec<CheckStep>,
}

/// A connection by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectionRef {
    /// Which.
    pub id: ConnectionId,
}

/// A period to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OverviewRequest {
    /// Which period; absent means all the data there is.
    pub period: Option<Period>,
    /// Number of buckets in the charts, 1 to 200.
    pub buckets: u32,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct EventPageRequest {
    /// In this period; absent means any time.
    pub period: Option<Period>,
    /// One of these categories; empty means any.
    pub category: Vec<Category>,
    /// One of these severities; empty means any.
    pub severity: Vec<Severity>,
    /// Ended like this.
    pub outcome: Option<Outcome>,
    /// About this entity.
    pub entity: Option<Entity>,
    /// Words in type, actor, address, resource or request, case-insensitive.
    pub text: Option<String>,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EventPage {
    /// The rows.
    pub rows: Vec<Event>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// One page of the queue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentPageRequest {
    /// Which.
    pub filter: IncidentFilter,
    /// In which order.
    pub order: IncidentOrder,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of the queue with the facets of the whole filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentPage {
    /// The rows.
    pub rows: Vec<Incident>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Incidents that match the filter.
    pub total: u64,
    /// Counts over everything that matches the filter apart from the facet's own condition.
    pub facets: IncidentFacets,
}

/// Counts by value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentFacets {
    /// By status.
    pub status: Vec<StatusCount>,
    /// By severity.
    pub severity: Vec<SeverityCount>,
    /// By family.
    pub family: Vec<FamilyCount>,
    /// By assignee; the empty name is nobody.
    pub assignee: Vec<NameCount>,
}

/// Incidents with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StatusCount {
    /// The status.
    pub value: Status,
    /// How many.
    pub count: u64,
}

/// Incidents of a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SeverityCount {
    /// The severity.
    pub value: Severity,
    /// How many.
    pub count: u64,
}

/// Incidents of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FamilyCount {
    /// The family.
    pub value: AttackFamily,
    /// How many.
    pub count: u64,
}

/// Incidents of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NameCount {
    /// The name.
    pub value: String,
    /// How many.
    pub count: u64,
}

/// An incident by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentRef {
    /// The number that people say.
    pub number: i64,
}

/// Assign an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentAssign {
    /// Which.
    pub number: i64,
    /// To whom; absent means to nobody.
    pub assignee: Option<String>,
    /// The version that the person saw; absent means whatever it is now.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Move an incident to another status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentStatusSet {
    /// Which.
    pub number: i64,
    /// Where to.
    pub status: Status,
    /// Why; required to reopen.
    pub reason: Option<String>,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Judge and resolve an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentResolve {
    /// Which.
    pub number: i64,
    /// What it was; not `unjudged`.
    pub verdict: Verdict,
    /// Why; required.
    pub reason: String,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Write a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentNote {
    /// On which incident.
    pub number: i64,
    /// 1 to 10,000 characters.
    pub text: String,
}

/// What would this block do?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockCheck {
    /// Address or CIDR range as typed.
    pub target: String,
}

/// Block an address or range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockAdd {
    /// Address or CIDR range as typed.
    pub target: String,
    /// Why; required.
    pub reason: String,
    /// For how long, in seconds: 60 to 31,536,000.
    pub ttl_s: u64,
    /// The incident that this contains.
    #[serde(default)]
    pub incident: Option<i64>,
}

/// Take a block back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockRemove {
    /// Which.
    pub id: BlockId,
    /// Why; required.
    pub reason: String,
}

/// Which blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct BlockListRequest {
    /// In one of these states; empty means any.
    pub state: Vec<BlockState>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// Blocks, newest first, and the allowlist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BlockList {
    /// The rows.
    pub blocks: Vec<BlockRow>,
    /// What must never be blocked.
    pub allowlist: Vec<AllowEntry>,
    /// Addresses of this machine and of the servers in use, which are never blocked either.
    pub own_addresses: Vec<String>,
}

/// A block and what Redis says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BlockRow {
    /// The block.
    pub block: Block,
    /// Number of the incident that it contains.
    pub incident: Option<i64>,
    /// Remaining time of the key in Redis, seconds; absent if the key is not there or Redis does not answer.
    pub redis_ttl_s: Option<i64>,
}

/// Add to the allowlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AllowAdd {
    /// Address or CIDR range as typed.
    pub target: String,
    /// Why; required.
    pub note: String,
}

/// Remove from the allowlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AllowRemove {
    /// The entry.
    pub target: String,
}

/// Samples of a period, thinned to at most `points`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HealthHistoryRequest {
    /// Which period.
    pub period: Period,
    /// 1 to 1,000.
    pub points: u32,
}

/// Stored samples, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthHistory {
    /// The samples.
    pub samples: Vec<HealthSample>,
}

/// Retention: preview or run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionRequest {
    /// Remove from Redis what is older than this many days, instead of the policy's days. 0 means everything that has
    /// been processed.
    pub days: Option<u32>,
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
    /// The same seed makes the same events.
    pub seed: u64,
    /// Days of traffic, ending now; 1 to 90.
    pub days: u32,
    /// Ordinary events per day, 10 to 1,000,000.
    pub events_per_day: u32,
    /// Users of the simulated application, 1 to 100,000.
    pub users: u32,
    /// File for the ground truth (JSON).
    pub truth_path: Option<String>,
}

impl Default for SimulateRequest {
    fn default() -> Self {
        Self { seed: 7, days: 7, events_per_day: 3_000, users: 120, truth_path: None }
    }
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

/// A framework that reports can be made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkInfo {
    /// `soc2`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Version of the framework file.
    pub version: String,
    /// Number of controls.
    pub controls: u32,
}

/// The frameworks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkList {
    /// By name.
    pub frameworks: Vec<FrameworkInfo>,
}

/// Evaluate a framework over a period without writing anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// Which framework.
    pub framework: String,
    /// Which period.
    pub period: Period,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportTarget {
    /// In which format.
    pub format: ReportFormat,
    /// Where to.
    pub path: String,
}

/// Produce a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportGenerate {
    /// Which framework.
    pub framework: String,
    /// Which period.
    pub period: Period,
    /// The files; at least one.
    pub files: Vec<ReportTarget>,
}

/// Produced reports, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportList {
    /// The rows, at most 200.
    pub reports: Vec<ReportRecord>,
}

/// One page of the trail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditPageRequest {
    /// Which.
    pub filter: AuditFilter,
    /// Older than this number.
    pub before: Option<i64>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of the trail, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<AuditRecord>,
    /// `before` of the next page, if there is one.
    pub next: Option<i64>,
    /// Leaves in the log.
    pub size: i64,
    /// The newest signed checkpoint.
    pub checkpoint: Option<Checkpoint>,
}

/// What the workspace is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Printed on reports.
    pub organisation: String,
    /// Retention by category; all five categories.
    pub retention: Vec<RetentionRule>,
}

/// Keys that could not be read as events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct QuarantineList {
    /// The rows, at most 200.
    pub rows: Vec<Quarantined>,
}

/// One operation of the product, for the palette, the documentation and the shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OperationSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, one sentence.
    pub about: &'static str,
    /// What it needs.
    pub permission: Permission,
    /// What it does to the world.
    pub effect: Effect,
    /// For a read: what it shows.
    pub provides: &'static [Tag],
    /// For a change: what it makes stale.
    pub invalidates: &'static [Tag],
}
