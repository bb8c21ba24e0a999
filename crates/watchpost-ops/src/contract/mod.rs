//! Requests and replies of the operations: what crosses from a shell to the door and back.
//!
//! Deliberately absent: behaviour. Types of the domain live in `watchpost-model`; here are only the envelopes.

mod approval;
mod audit;
mod baseline;
mod block;
mod connection;
mod contain;
mod database;
mod enrichment;
mod event;
mod health;
mod identity;
mod incident;
mod incident_work;
mod maintenance;
mod plan;
mod privacy;
mod report;
mod response;
mod rule;
mod sealing;
mod secrets_file;
mod token_key;
mod window_lock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::access::{Caller, Permission};
use watchpost_model::approval::TwoPeople;
use watchpost_model::connection::Connection;
use watchpost_model::health_alert::HealthAlert;
use watchpost_model::policy::RetentionRule;
use watchpost_model::words;

pub use approval::{
    ApprovalDecision, ApprovalGranted, ApprovalList, ApprovalPolicyPut, ApprovalRef, FourEyesState,
};
pub use audit::{
    AuditAccept, AuditDetail, AuditExport, AuditExported, AuditFigures, AuditKey, AuditKeyAgePut,
    AuditKeyRevoke, AuditKeyRoll, AuditKeys, AuditPlace, AuditPlaceKind, AuditPlaces, AuditPlacesPut,
    AuditProof, AuditPurge, AuditPurgeRequest, AuditPurged, AuditRef, AuditRetention, AuditRetentionPut,
    AuditSetApart, AuditStatisticsRequest, AuditTimestampKeep, AuditTimestampRequest, AuditTrust,
    AuditVerify, AuditWebhook, TrailStatus,
};
pub use baseline::{BaselineCompare, BaselineDrift, BaselineRequest};
pub use block::{
    AllowAdd, AllowRemove, BlockAdd, BlockCheck, BlockList, BlockListRequest, BlockRemove, BlockRow,
    BlockTerms, BlockTrial,
};
pub use connection::{
    ConnectionCheck, ConnectionDraft, ConnectionList, ConnectionParse, ConnectionRef, OpeningFailed,
    ParsedUrl, SecretInput, SecretState,
};
pub use contain::{
    BlockStanding, ContainAdd, ContainCheck, ContainList, ContainListRequest, ContainRemove, ContainRow,
    Standing,
};
pub use database::{
    DatabaseBackup, DatabaseBackupRef, DatabaseCopies, DatabaseCopy, DatabaseCopyRun, DatabaseExport,
    DatabaseExported, DatabaseMaintain, DatabaseMaintained, DatabaseRehearse, DatabaseRestore, DatabaseSizes,
    ExportedTable, LeftOutTable,
};
pub use enrichment::{
    AssetList, AssetRef, EnrichmentState, EntityRiskDetail, EntityRiskPage, EntityRiskRef, EntityRiskRequest,
    EntityRiskRow, LocationFile, LocationRole, LocationSettings, NotedMatch, ThreatCheck, ThreatCheckRequest,
    ThreatImport, ThreatImported, ThreatListPage, ThreatListRef, ThreatListShow, ThreatListShowRequest,
};
pub use event::{
    AuditPage, AuditPageRequest, EventExport, EventExported, EventField, EventFiguresRequest, EventFormat,
    EventPage, EventPageRequest, EventQueryReply, EventQueryRequest, HealthHistory, HealthHistoryRequest,
    OverviewRequest, QuarantineList,
};
pub use health::{HealthLimitState, HealthPolicyPut, HealthPolicyState};
pub use identity::{Identity, IdentityKind, RoleList, RoleRow, RoleSet, RoleSource};
pub use incident::{
    FamilyCount, IncidentAssign, IncidentFacets, IncidentNote, IncidentPage, IncidentPageRequest,
    IncidentRef, IncidentResolve, IncidentStatusSet, NameCount, SeverityCount, StatusCount,
};
pub use incident_work::{
    IncidentBulk, IncidentEarlier, IncidentEscalate, IncidentEventList, IncidentEventsRequest,
    IncidentHandover, IncidentMerge, IncidentPause, IncidentSimilar, IncidentSplit, IncidentStepCheck,
    IncidentUndo, NotePart, RuleFeedbackList, SimilarList, SuppressedList, SuppressionAdd,
    SuppressionFindings, SuppressionList, SuppressionPreviewRequest, SuppressionRemove, TimelinePart,
};
pub use maintenance::{
    AggregateRequest, BackupRequest, BenchmarkRequest, ExportFormat, ExportRequest, ImportRequest, JobList,
    JobRef, LargeKey, OptimizeRequest, PatternCount, PatternCounts, PatternRequest, RestoreRequest,
    RetentionRequest, SimulateRequest,
};
pub use plan::{JobPlanPut, JobPlanState, NotStarted, PlannedState};
pub use privacy::{
    ERASURE, HoldAdd, HoldRelease, PrivacyErase, PrivacyErased, PrivacyExport, PrivacyExported, PrivacyList,
    PrivacyLook, PrivacyRef,
};
pub use report::{
    DoubtedReport, FrameworkInfo, FrameworkList, ProofAdd, RegisterAdd, RegisterChange, RegisterList,
    RegisterRequest, ReportApprove, ReportChanges, ReportChecked, ReportCommentAdd, ReportCommentList,
    ReportCommentRef, ReportCommentsRequest, ReportCompare, ReportCopied, ReportCopy, ReportGenerate,
    ReportList, ReportNames, ReportPageRequest, ReportProgress, ReportProof, ReportRequest,
    ReportScheduleAdd, ReportScheduleList, ReportSchedulePause, ReportScheduleRef, ReportScheduleRemove,
    ReportTarget, ReportTargets, ReportTicket, ReportVerify, SCHEDULE_ID_SHOWN_MAX,
};
pub use response::{
    ActionCount, OutboxList, PreviewedAction, ResponseList, ResponseListRequest, ResponsePolicyPut,
    ResponsePolicyView, ResponsePreview, ResponsePreviewRequest, ResponseReverse,
};
pub use rule::{
    BacktestAgainst, BacktestReport, BacktestRow, RuleBacktest, RuleChange, RuleDetail, RuleDirectorySet,
    RuleImportFile, RuleImportOutcome, RuleImportReport, RuleImportSigma, RuleKind, RuleList, RuleProblem,
    RuleProblemKind, RuleRef, RuleRow, RuleTest, RuleTestFailure, RuleTestReport, RuleTrial, RuleTried,
    RuleTry, TriedAs,
};
pub use sealing::{EventReveal, EventRevealed, SealingPut};
pub use secrets_file::{SecretsFileMake, SecretsFileOpen, SecretsFilePassphrase, SecretsFileState};
pub use token_key::{TokenKeyAdd, TokenKeyInput, TokenKeyList, TokenKeyRef, TokenKeyRow, TokenKeySource};
pub use window_lock::{WindowLock, WindowLockPut, WindowUnlock};

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
    /// The detection rules.
    Rules,
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
    Rules = "rules",
});

/// What an operation does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    Read,
    /// Changes something of this console only: saved connections.
    Local,
    /// Looks, and leaves the record that it did, and nothing else: needs no confirmation anywhere.
    Check,
    /// Changes something in the workspace; needs a confirmation when the connection is marked production.
    Change,
}

words!(Effect { Read = "read", Local = "local", Check = "check", Change = "change" });

impl Effect {
    /// Does the trail hold what was refused of it and what failed?
    #[must_use]
    pub const fn is_recorded(self) -> bool {
        match self {
            Self::Read | Self::Local => false,
            Self::Check | Self::Change => true,
        }
    }
}

/// The state of one part of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Answers.
    Connected,
    /// Was not heard of yet since the connection was opened: the first try has not ended.
    Connecting,
    /// Does not answer, or takes no changes; being tried again.
    Down,
}

/// A part of the workspace as the status bar shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Part {
    /// How it is.
    pub state: PartState,
    /// `Redis 7.0.15 on a private socket`, `SQLite`, or what went wrong.
    pub detail: String,
    /// When it last was connected.
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
    /// Not started in this process, and in no other one on this database.
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
    /// Keys set aside because they could not be read; `null` while no engine works in this process.
    pub quarantined_total: Option<u64>,
    /// Entries of the detection tables dropped because a table was full; `null` as before.
    pub evicted_total: Option<u64>,
    /// Both together: what was not looked at as it should have been.
    pub lost_total: Option<u64>,
    /// Findings made.
    pub findings_total: u64,
    /// Rules that run; `null` where it is not known: beside the engine of another process, which may be on another
    /// machine with a directory of its own. That process's status says it.
    pub rules: Option<u64>,
    /// Documents of the rules directory that could not be used; `rule_list` says why. `null` as `rules`.
    pub rule_problems: Option<u64>,
}

/// Everything the status bar needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WorkspaceStatus {
    /// Version of Watchpost.
    pub version: String,
    /// Who is using this console.
    pub caller: Caller,
    /// How sure that is.
    pub identity: Identity,
    /// The open connection, if one is.
    pub connection: Option<Connection>,
    /// Name of the connection that is being opened, until it is or has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub opening: Option<String>,
    /// While no connection is open: the one that was to be opened last, and why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub opening_failed: Option<OpeningFailed>,
    /// Redis; absent when no connection is open.
    pub redis: Option<Part>,
    /// The database.
    pub database: Option<Part>,
    /// The audit trail, as this console has seen it.
    pub trail: Option<TrailStatus>,
    /// What is wrong with the copies of the database that the plan makes, for people; absent while nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub copies_problem: Option<String>,
    /// Archived events whose words are not in the index yet, at most: searches of them are slower. Absent while none wait
    /// but those of the last moments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub words_behind: Option<u64>,
    /// What of Redis is over its line, and since when; absent while nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<HealthAlert>>", optional)]
    pub health_alerts: Vec<HealthAlert>,
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

/// What the workspace is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Printed on reports.
    pub organisation: String,
    /// Retention by category; all five categories.
    pub retention: Vec<RetentionRule>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            organisation: "Unnamed organisation".to_owned(),
            retention: watchpost_model::policy::default_retention(),
        }
    }
}

/// Change what the workspace is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// Printed on reports.
    pub organisation: String,
    /// Retention by category; all five categories.
    pub retention: Vec<RetentionRule>,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
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
    /// The member of its request with which it only tries, and is a check.
    pub check_if: Option<&'static str>,
    /// For a read: what it shows.
    pub provides: &'static [Tag],
    /// For a change: what it makes stale.
    pub invalidates: &'static [Tag],
    /// Whether it may need a second person, and who carries it out then.
    pub two_people: Option<TwoPeople>,
}

impl OperationSpec {
    /// What it does with this request: one that only tries is a check.
    #[must_use]
    pub fn effect_of(&self, request: &impl Serialize) -> Effect {
        let tries = |member: &str| serde_json::to_value(request).is_ok_and(|asked| asked[member] == true);
        if self.check_if.is_some_and(tries) { Effect::Check } else { self.effect }
    }

    /// What it does, as it stands after "may" and "may not": `list the audit trail`.
    #[must_use]
    pub fn deed(&self) -> String {
        let first = self.about.split([':', ';', '.']).next().unwrap_or_default();
        let mut letters = first.chars();
        let begin = letters.next().map(char::to_lowercase);
        begin.into_iter().flatten().chain(letters).collect()
    }
}
