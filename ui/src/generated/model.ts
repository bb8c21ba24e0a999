export type Permission = "view" | "triage" | "contain" | "maintain" | "report" | "audit" | "admin";

export type Role = "viewer" | "analyst" | "lead" | "auditor" | "admin";

export type Origin = "window" | "cli" | "http" | "schedule" | "engine";

export interface Caller {
  name: string;
  role: Role;
  origin: Origin;
  host: string;
}

export type AuditOutcome = "started" | "success" | "failure" | "denied";

export interface Change {
  field: string;
  old: unknown;
  new: unknown;
}

export interface AuditRecord {
  seq: number;
  at: string;
  actor: string;
  origin: string;
  host: string;
  action: string;
  object: string;
  permission: string;
  outcome: AuditOutcome;
  changes: Array<Change>;
  reason: string | null;
  risk: number;
  leaf_hash: string;
}

export interface AuditFilter {
  actor: string | null;
  action: string | null;
  text: string | null;
  outcome: AuditOutcome | null;
}

export interface Checkpoint {
  size: number;
  root: string;
  at: string;
  note: string;
  key_name: string;
}

export type EvidenceStrength = "local_only" | "session_key";

export interface AuditVerification {
  ok: boolean;
  leaves: number;
  root: string;
  checkpoints: number;
  first_bad_seq: number | null;
  problems: Array<string>;
  strength: EvidenceStrength;
}

export type BlockTarget = string;

export interface AllowEntry {
  target: BlockTarget;
  note: string;
  added_by: string;
  added_at: string;
}

export type BlockState = "pending" | "active" | "expired" | "removed" | "failed";

export interface Block {
  id: BlockId;
  target: BlockTarget;
  reason: string;
  created_by: string;
  created_at: string;
  expires_at: string;
  state: BlockState;
  removed_at: string | null;
  removed_by: string | null;
  incident: IncidentId | null;
}

export interface BlockPreview {
  target: BlockTarget;
  refusal: string | null;
  events_24h: number;
  successful_24h: number;
  users_24h: Array<string>;
  existing: Block | null;
}

export type RedisAddress = { kind: "local" } | { kind: "tcp"; host: string; port: number; tls: TlsFiles | null } | { kind: "unix"; path: string };

export interface TlsFiles {
  ca: string | null;
  cert: string | null;
  key: string | null;
}

export interface RedisConnection {
  address: RedisAddress;
  username: string | null;
  database: number;
  prefix: string;
}

export type DatabaseConnection = { kind: "sqlite"; path: string | null } | { kind: "postgres"; host: string; port: number; database: string; username: string; tls: TlsFiles | null };

export interface Connection {
  id: ConnectionId;
  name: string;
  redis: RedisConnection;
  database: DatabaseConnection;
  production: boolean;
}

export type StepState = "ok" | "warning" | "failed" | "skipped";

export interface CheckStep {
  name: string;
  title: string;
  state: StepState;
  detail: string;
  hint: string | null;
}

export type Category = "authentication" | "authorization" | "data_access" | "configuration" | "api_usage";

export type Severity = "info" | "low" | "medium" | "high" | "critical";

export type Outcome = "success" | "failure" | "unknown";

export interface Http {
  method: string;
  path: string;
  query: string | null;
  headers: Record<string, string>;
  body: string | null;
  status: number | null;
  bytes: number | null;
  duration_ms: number | null;
}

export interface Event {
  id: EventId;
  at: string;
  category: Category;
  type: string;
  severity: Severity;
  outcome: Outcome;
  actor: string | null;
  source_ip: string | null;
  session: string | null;
  resource: string | null;
  action: string | null;
  count: number;
  http: Http | null;
  details: unknown;
  tags: Array<string>;
  risk: number | null;
}

export interface Quarantined {
  key: string;
  reason: string;
  at: string;
}

export type EntityKind = "ip" | "user" | "session" | "endpoint";

export interface Entity {
  kind: EntityKind;
  value: string;
}

export type EvidenceQuery = "authentication_events" | "brute_force_incidents" | "incidents_acknowledged" | "incidents_resolved" | "incidents_judged" | "incidents_assigned" | "blocks_justified" | "days_with_events" | "audit_records_named" | "audit_verifications" | "audit_checkpoints" | "retention_runs" | "configuration_changes" | "authorization_events" | "data_access_events" | "web_attack_incidents";

export interface EvidenceAnswer {
  query: EvidenceQuery;
  population: number;
  exceptions: number;
  columns: Array<string>;
  rows: Array<Array<string>>;
  basis: string;
}

export type AttackFamily = "brute_force" | "sqli" | "xss" | "traversal" | "cmdi" | "excessive_requests" | "scanner";

export interface DecodedLayer {
  decoder: string;
  text: string;
  span: [number, number] | null;
}

export interface MatchedField {
  field: string;
  layers: Array<DecodedLayer>;
}

export interface Counter {
  what: string;
  seen: number;
  threshold: number;
  window_s: number;
}

export interface Finding {
  id: FindingId;
  rule_id: string;
  rule_version: number;
  rule_title: string;
  family: AttackFamily;
  event_id: EventId;
  at: string;
  entity: Entity;
  summary: string;
  matched: MatchedField | null;
  counter: Counter | null;
  severity: Severity;
  confidence: number;
  risk: number;
  attack: Array<string>;
  owasp: string | null;
  controls: Array<string>;
}

export type HealthVerdict = "ok" | "warning" | "critical" | "unknown";

export type Unit = "ratio" | "bytes" | "milliseconds" | "per_second" | "per_minute" | "count" | "seconds";

export interface Metric {
  name: string;
  title: string;
  value: number | null;
  unit: Unit;
  warning: number | null;
  critical: number | null;
  verdict: HealthVerdict;
  basis: string;
}

export interface RedisHealth {
  at: string;
  server: string;
  role: string;
  uptime_s: number;
  verdict: HealthVerdict;
  metrics: Array<Metric>;
  keys: number | null;
  keys_with_ttl: number | null;
  slowlog: Array<SlowCommand>;
}

export interface SlowCommand {
  at: string;
  duration_ms: number;
  command: string;
  own: boolean;
}

export interface HealthSample {
  at: string;
  memory_bytes: number | null;
  ops_per_s: number | null;
  latency_ms: number | null;
  expired_per_s: number | null;
  events_per_min: number | null;
  backlog: number | null;
}

export type EventId = string;

export type FindingId = string;

export type IncidentId = string;

export type NoteId = string;

export type BlockId = string;

export type JobId = string;

export type ReportId = string;

export type ConnectionId = string;

export type Status = "open" | "investigating" | "contained" | "resolved" | "closed" | "reopened";

export type Verdict = "unjudged" | "true_positive" | "false_positive" | "benign_true_positive" | "duplicate";

export interface Incident {
  id: IncidentId;
  number: number;
  title: string;
  family: AttackFamily;
  entity: Entity;
  severity: Severity;
  confidence: number;
  risk: number;
  status: Status;
  verdict: Verdict;
  verdict_reason: string | null;
  assignee: string | null;
  finding_count: number;
  event_count: number;
  first_seen: string;
  last_seen: string;
  opened_at: string;
  acknowledged_at: string | null;
  resolved_at: string | null;
  acknowledge_due: string;
  resolve_due: string;
  attack: Array<string>;
  version: number;
}

export interface Evidence {
  event: Event;
  sha256: string;
  findings: Array<Finding>;
}

export interface Note {
  id: NoteId;
  author: string;
  at: string;
  text: string;
}

export interface TimelineEntry {
  at: string;
  actor: string;
  kind: string;
  text: string;
}

export interface IncidentDetail {
  incident: Incident;
  why: Array<RuleHit>;
  evidence: Array<Evidence>;
  entities: Array<EntityCount>;
  notes: Array<Note>;
  timeline: Array<TimelineEntry>;
}

export interface RuleHit {
  count: number;
  newest: Finding;
}

export interface EntityCount {
  entity: Entity;
  events: number;
}

export type IncidentOrder = "newest" | "severity" | "due";

export interface IncidentFilter {
  status: Array<Status>;
  severity: Array<Severity>;
  family: Array<AttackFamily>;
  assignee: string | null;
  text: string | null;
  entity: Entity | null;
}

export type JobKind = "retention" | "optimize" | "import" | "simulate";

export type JobState = "running" | "done" | "cancelled" | "failed";

export interface JobProgress {
  done: number;
  total: number | null;
  unit: string;
  step: string;
}

export interface Figure {
  name: string;
  title: string;
  value: number;
  unit: Unit;
}

export interface JobReport {
  figures: Array<Figure>;
  notes: Array<string>;
}

export interface JobRun {
  id: JobId;
  kind: JobKind;
  state: JobState;
  parameters: string;
  started_by: string;
  started_at: string;
  ended_at: string | null;
  progress: JobProgress;
  report: JobReport | null;
  error: string | null;
}

export type ThreatLevel = "calm" | "guarded" | "elevated" | "severe";

export interface Kpi {
  name: string;
  title: string;
  value: number | null;
  previous: number | null;
  unit: Unit;
  series: Array<number>;
}

export interface Histogram {
  start: string;
  bucket_s: number;
  series: Array<Series>;
}

export interface Series {
  name: string;
  counts: Array<number>;
}

export interface TopEntity {
  entity: Entity;
  events: number;
  failures: number;
  incidents: number;
  blocked: boolean;
}

export interface CategoryCount {
  category: Category;
  severity: Severity;
  events: number;
}

export interface Overview {
  period: Period;
  threat: ThreatLevel;
  threat_reason: string;
  kpis: Array<Kpi>;
  authentication: Histogram;
  by_category: Histogram;
  by_severity: Histogram;
  counts: Array<CategoryCount>;
  incidents: Array<Incident>;
  top_sources: Array<TopEntity>;
  top_targets: Array<TopEntity>;
}

export interface Period {
  from: string;
  to: string;
}

export interface RetentionRule {
  category: Category;
  redis_days: number;
  archive_days: number;
}

export type Nothing = Record<string, never>;

export type Effect = "read" | "local" | "change";

export type PartState = "connected" | "down";

export interface Part {
  state: PartState;
  detail: string;
  last_ok: string | null;
}

export type EngineState = "starting" | "running" | "behind" | "standby" | "down" | "stopped";

export interface EngineStatus {
  state: EngineState;
  detail: string;
  processed_total: number;
  duplicates_total: number;
  events_per_min: number;
  backlog: number | null;
  quarantined_total: number;
  evicted_total: number;
  findings_total: number;
}

export type SecretState = "ready" | "locked" | "absent" | "timed_out";

export interface WorkspaceStatus {
  version: string;
  caller: Caller;
  connection: Connection | null;
  redis: Part | null;
  database: Part | null;
  engine: EngineStatus;
  secrets: SecretState;
  newest_event: string | null;
  incidents_active: number;
  at: string;
  offer_demo: boolean;
}

export interface ConnectionList {
  connections: Array<Connection>;
  active: ConnectionId | null;
  secrets: SecretState;
  secrets_detail: string;
}

export type SecretInput = { kind: "keep" } | { kind: "set"; value: string } | { kind: "clear" };

export interface ConnectionDraft {
  id: ConnectionId | null;
  name: string;
  redis: RedisConnection;
  database: DatabaseConnection;
  production: boolean;
  redis_password: SecretInput;
  database_password: SecretInput;
}

export interface ConnectionParse {
  url: string;
}

export interface ParsedUrl {
  redis: RedisConnection | null;
  database: DatabaseConnection | null;
  password: SecretInput;
}

export interface ConnectionCheck {
  ok: boolean;
  redis: Array<CheckStep>;
  database: Array<CheckStep>;
}

export interface ConnectionRef {
  id: ConnectionId;
}

export interface OverviewRequest {
  period: Period | null;
  buckets: number;
}

export interface EventPageRequest {
  period: Period | null;
  category: Array<Category>;
  severity: Array<Severity>;
  outcome: Outcome | null;
  entity: Entity | null;
  text: string | null;
  after: string | null;
  limit: number;
}

export interface EventPage {
  rows: Array<Event>;
  next: string | null;
}

export interface IncidentPageRequest {
  filter: IncidentFilter;
  order: IncidentOrder;
  after: string | null;
  limit: number;
}

export interface IncidentPage {
  rows: Array<Incident>;
  next: string | null;
  total: number;
  facets: IncidentFacets;
}

export interface IncidentFacets {
  status: Array<StatusCount>;
  severity: Array<SeverityCount>;
  family: Array<FamilyCount>;
  assignee: Array<NameCount>;
}

export interface StatusCount {
  value: Status;
  count: number;
}

export interface SeverityCount {
  value: Severity;
  count: number;
}

export interface FamilyCount {
  value: AttackFamily;
  count: number;
}

export interface NameCount {
  value: string;
  count: number;
}

export interface IncidentRef {
  number: number;
}

export interface IncidentAssign {
  number: number;
  assignee: string | null;
  version: number | null;
}

export interface IncidentStatusSet {
  number: number;
  status: Status;
  reason: string | null;
  version: number | null;
}

export interface IncidentResolve {
  number: number;
  verdict: Verdict;
  reason: string;
  version: number | null;
}

export interface IncidentNote {
  number: number;
  text: string;
}

export interface BlockCheck {
  target: string;
}

export interface BlockAdd {
  target: string;
  reason: string;
  ttl_s: number;
  incident: number | null;
}

export interface BlockRemove {
  id: BlockId;
  reason: string;
}

export interface BlockListRequest {
  state: Array<BlockState>;
  limit: number;
}

export interface BlockList {
  blocks: Array<BlockRow>;
  allowlist: Array<AllowEntry>;
  own_addresses: Array<string>;
}

export interface BlockRow {
  block: Block;
  incident: number | null;
  redis_ttl_s: number | null;
}

export interface AllowAdd {
  target: string;
  note: string;
}

export interface AllowRemove {
  target: string;
}

export interface HealthHistoryRequest {
  period: Period;
  points: number;
}

export interface HealthHistory {
  samples: Array<HealthSample>;
}

export interface RetentionRequest {
  days: number | null;
}

export interface ImportRequest {
  path: string;
  format: string;
  restart: boolean;
}

export interface SimulateRequest {
  seed: number;
  days: number;
  events_per_day: number;
  users: number;
  truth_path: string | null;
}

export interface JobRef {
  id: JobId;
}

export interface JobList {
  runs: Array<JobRun>;
}

export interface FrameworkInfo {
  id: string;
  name: string;
  version: string;
  controls: number;
}

export interface FrameworkList {
  frameworks: Array<FrameworkInfo>;
}

export type ReportFormat = "pdf" | "csv" | "json" | "markdown";

export interface ReportRequest {
  framework: string;
  period: Period;
}

export interface ReportTarget {
  format: ReportFormat;
  path: string;
}

export interface ReportGenerate {
  framework: string;
  period: Period;
  files: Array<ReportTarget>;
}

export interface ReportFile {
  format: ReportFormat;
  path: string;
  sha256: string;
  bytes: number;
}

export interface ReportRecord {
  id: ReportId;
  framework: string;
  period: Period;
  made_at: string;
  made_by: string;
  content_sha256: string;
  summary: string;
  worst: string;
  files: Array<ReportFile>;
}

export interface ReportList {
  reports: Array<ReportRecord>;
}

export interface AuditPageRequest {
  filter: AuditFilter;
  before: number | null;
  limit: number;
}

export interface AuditPage {
  rows: Array<AuditRecord>;
  next: number | null;
  size: number;
  checkpoint: Checkpoint | null;
}

export interface Settings {
  organisation: string;
  retention: Array<RetentionRule>;
}

export interface QuarantineList {
  rows: Array<Quarantined>;
}

export type ReportDocument = unknown;

export interface OpError { code: string; message: string; hint: string | null; field: string | null; trace_id: string | null }

export interface LiveBatch { seq: number; changed: Array<Tag>; status: WorkspaceStatus; jobs: Array<JobRun> }

export type Tag = "status" | "connections" | "events" | "incidents" | "blocks" | "jobs" | "health" | "reports" | "audit" | "settings";
