// Generated from the list of operations by `cargo xtask codegen`. Do not edit.

export type AllowAdd = { 
/**
 * Address or CIDR range as typed.
 */
target: string, 
/**
 * Why; required.
 */
note: string, };

export type AllowEntry = { 
/**
 * The address or range.
 */
target: BlockTarget, 
/**
 * Why.
 */
note: string, 
/**
 * Who added it.
 */
added_by: string, 
/**
 * When.
 */
added_at: string, };

export type AllowRemove = { 
/**
 * The entry.
 */
target: string, };

export type AssetRule = { 
/**
 * What the pattern is about.
 */
kind: EntityKind, 
/**
 * Endpoint: a path with everything below it (`/admin`). User and session: a name, `*` for anything (`svc-*`).
 * Address: an address or a CIDR range.
 */
pattern: string, 
/**
 * For people: `critical asset`, `test network`.
 */
label: string, 
/**
 * 0.5 (matters little) to 2.0 (matters most); multiplies the risk of findings about it.
 */
weight: number, };

export type AttackFamily = "brute_force" | "sqli" | "nosqli" | "xss" | "traversal" | "rfi" | "cmdi" | "ssti" | "php" | "java" | "deserialization" | "xxe" | "ldap" | "ssrf" | "jwt" | "csrf" | "header_injection" | "redirect" | "upload" | "data_leak" | "excessive_requests" | "scanner" | "account_takeover" | "privilege_escalation" | "data_exfiltration" | "log_gap" | "threat_listed" | "kill_chain" | "custom";

export type AuditFilter = { 
/**
 * By this person.
 */
actor: string | null, 
/**
 * This action.
 */
action: string | null, 
/**
 * Words in action, object, actor or reason, case-insensitive.
 */
text: string | null, 
/**
 * Ended like this.
 */
outcome: AuditOutcome | null, };

export type AuditOutcome = "started" | "success" | "failure" | "denied";

export type AuditPage = { 
/**
 * The rows.
 */
rows: Array<AuditRecord>, 
/**
 * `before` of the next page, if there is one.
 */
next: number | null, 
/**
 * Leaves in the log.
 */
size: number, 
/**
 * The newest signed checkpoint.
 */
checkpoint: Checkpoint | null, };

export type AuditPageRequest = { 
/**
 * Which.
 */
filter: AuditFilter, 
/**
 * Older than this number.
 */
before: number | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type AuditRecord = { 
/**
 * Place in the log, from 0, without gaps.
 */
seq: number, 
/**
 * Time of the database.
 */
at: string, 
/**
 * Who.
 */
actor: string, 
/**
 * Through which shell.
 */
origin: string, 
/**
 * From which machine.
 */
host: string, 
/**
 * What.
 */
action: string, 
/**
 * On which resource.
 */
object: string, 
/**
 * Permission used.
 */
permission: string, 
/**
 * How it ended.
 */
outcome: AuditOutcome, 
/**
 * What changed.
 */
changes: Array<Change>, 
/**
 * Reason or error.
 */
reason: string | null, 
/**
 * Risk of the action, 0 to 100.
 */
risk: number, 
/**
 * RFC 6962 leaf hash, hex.
 */
leaf_hash: string, };

export type AuditVerification = { 
/**
 * Did everything hold?
 */
ok: boolean, 
/**
 * Leaves read.
 */
leaves: number, 
/**
 * Root recomputed from the leaves, base64.
 */
root: string, 
/**
 * Checkpoints checked.
 */
checkpoints: number, 
/**
 * First record that does not hold.
 */
first_bad_seq: number | null, 
/**
 * What was found, for people; empty if `ok`.
 */
problems: Array<string>, 
/**
 * What the evidence is worth.
 */
strength: EvidenceStrength, };

export type BacktestAgainst = "recorded" | "present";

export type BacktestReport = { 
/**
 * Events replayed.
 */
events: number, 
/**
 * There were more than one replay takes; these are the first.
 */
truncated: boolean, 
/**
 * What `before` means.
 */
against: BacktestAgainst, 
/**
 * Findings before.
 */
findings_before: number, 
/**
 * Findings after.
 */
findings_after: number, 
/**
 * Incidents before.
 */
incidents_before: number, 
/**
 * Incidents after.
 */
incidents_after: number, 
/**
 * By rule; those without any finding are left out.
 */
rules: Array<BacktestRow>, 
/**
 * What could not be loaded.
 */
problems: Array<RuleProblem>, };

export type BacktestRow = { 
/**
 * The rule.
 */
rule_id: string, 
/**
 * Findings with what is compared with.
 */
findings_before: number, 
/**
 * Findings with the rules under test.
 */
findings_after: number, 
/**
 * Incidents (entity and family) it is part of, before.
 */
incidents_before: number, 
/**
 * And after.
 */
incidents_after: number, };

export type Block = { 
/**
 * Identity.
 */
id: BlockId, 
/**
 * What is blocked.
 */
target: BlockTarget, 
/**
 * Why.
 */
reason: string, 
/**
 * Who blocked it.
 */
created_by: string, 
/**
 * When.
 */
created_at: string, 
/**
 * Until when.
 */
expires_at: string, 
/**
 * Where it stands.
 */
state: BlockState, 
/**
 * When and by whom it was taken back.
 */
removed_at: string | null, 
/**
 * By whom.
 */
removed_by: string | null, 
/**
 * The incident that it contains.
 */
incident: IncidentId | null, };

export type BlockAdd = { 
/**
 * Address or CIDR range as typed.
 */
target: string, 
/**
 * Why; required.
 */
reason: string, 
/**
 * For how long, in seconds: 60 to 31,536,000.
 */
ttl_s: number, 
/**
 * The incident that this contains.
 */
incident: number | null, };

export type BlockCheck = { 
/**
 * Address or CIDR range as typed.
 */
target: string, };

export type BlockId = string;

export type BlockList = { 
/**
 * The rows.
 */
blocks: Array<BlockRow>, 
/**
 * What must never be blocked.
 */
allowlist: Array<AllowEntry>, 
/**
 * Addresses of this machine and of the servers in use, which are never blocked either.
 */
own_addresses: Array<string>, };

export type BlockListRequest = { 
/**
 * In one of these states; empty means any.
 */
state: Array<BlockState>, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type BlockPreview = { 
/**
 * The target in canonical form.
 */
target: BlockTarget, 
/**
 * Why it would be refused, if it would.
 */
refusal: string | null, 
/**
 * Events of the target in the last 24 hours.
 */
events_24h: number, 
/**
 * Of these, not failed.
 */
successful_24h: number, 
/**
 * Users seen from there in that time.
 */
users_24h: Array<string>, 
/**
 * A block in force of the same target, else of a range that covers it.
 */
existing: Block | null, };

export type BlockRemove = { 
/**
 * Which.
 */
id: BlockId, 
/**
 * Why; required.
 */
reason: string, };

export type BlockRow = { 
/**
 * The block.
 */
block: Block, 
/**
 * Number of the incident that it contains.
 */
incident: number | null, 
/**
 * Remaining time of the key in Redis, seconds; absent if the key is not there or Redis does not answer.
 */
redis_ttl_s: number | null, };

export type BlockState = "pending" | "active" | "expired" | "removed" | "failed";

export type BlockTarget = string;

export type Caller = { 
/**
 * The person's name: the OS account in local mode.
 */
name: string, 
/**
 * What they may do.
 */
role: Role, 
/**
 * Through which shell.
 */
origin: Origin, 
/**
 * From which machine.
 */
host: string, };

export type Category = "authentication" | "authorization" | "data_access" | "configuration" | "api_usage";

export type CategoryCount = { 
/**
 * The category.
 */
category: Category, 
/**
 * The severity.
 */
severity: Severity, 
/**
 * Events.
 */
events: number, };

export type Change = { 
/**
 * Its name.
 */
field: string, 
/**
 * Before; `null` if it was not there.
 */
old: unknown, 
/**
 * After; `null` if it is gone.
 */
new: unknown, };

export type ChartData = { 
/**
 * Authentication events by outcome.
 */
authentication: Histogram, 
/**
 * Events by category.
 */
by_category: Histogram, 
/**
 * Incidents with evidence in the period, by severity.
 */
incidents_by_severity: Array<ReportSeverityCount>, };

export type CheckStep = { 
/**
 * Stable name: `resolve`, `connect`, `tls`, `login`, `rights`, `version`, `open`, `schema`.
 */
name: string, 
/**
 * For people: `Reach redis.example:6379`.
 */
title: string, 
/**
 * How it ended.
 */
state: StepState, 
/**
 * What was seen: `Redis 7.0.15, 0.4 ms`, or the error.
 */
detail: string, 
/**
 * What to do about it.
 */
hint: string | null, };

export type Checkpoint = { 
/**
 * Number of leaves.
 */
size: number, 
/**
 * RFC 6962 root hash, base64.
 */
root: string, 
/**
 * When it was signed.
 */
at: string, 
/**
 * The C2SP signed note.
 */
note: string, 
/**
 * Name of the key that signed it.
 */
key_name: string, };

export type Connection = { 
/**
 * Identity; the keychain entries are named after it.
 */
id: ConnectionId, 
/**
 * Name for people, unique.
 */
name: string, 
/**
 * The Redis.
 */
redis: RedisConnection, 
/**
 * The database.
 */
database: DatabaseConnection, 
/**
 * Every change asks for confirmation.
 */
production: boolean, };

export type ConnectionCheck = { 
/**
 * Did everything work?
 */
ok: boolean, 
/**
 * Steps on the Redis side.
 */
redis: Array<CheckStep>, 
/**
 * Steps on the database side.
 */
database: Array<CheckStep>, };

export type ConnectionDraft = { 
/**
 * Absent for a new connection.
 */
id: ConnectionId | null, 
/**
 * Name for people, unique.
 */
name: string, 
/**
 * The Redis.
 */
redis: RedisConnection, 
/**
 * The database.
 */
database: DatabaseConnection, 
/**
 * Every change asks for confirmation.
 */
production: boolean, 
/**
 * Password of the Redis user.
 */
redis_password: SecretInput, 
/**
 * Password of the database login.
 */
database_password: SecretInput, };

export type ConnectionId = string;

export type ConnectionList = { 
/**
 * The local workspace first, then by name.
 */
connections: Array<Connection>, 
/**
 * The open one.
 */
active: ConnectionId | null, 
/**
 * Whether secrets can be kept.
 */
secrets: SecretState, 
/**
 * What that means, for people; empty when ready.
 */
secrets_detail: string, };

export type ConnectionParse = { 
/**
 * The URL.
 */
url: string, };

export type ConnectionRef = { 
/**
 * Which.
 */
id: ConnectionId, };

export type ControlResult = { 
/**
 * The framework's own id.
 */
id: string, 
/**
 * In our words.
 */
title: string, 
/**
 * What the control wants.
 */
text: string, 
/**
 * How it came out.
 */
state: State, 
/**
 * Why, in one or two sentences.
 */
reason: string, 
/**
 * The question asked; `None` for a manual control.
 */
query: EvidenceQuery | null, 
/**
 * The rule in words; empty for a manual control.
 */
rule: string, 
/**
 * How many things were looked at.
 */
population: number, 
/**
 * How many of them are exceptions.
 */
exceptions: number, 
/**
 * What exactly was counted.
 */
basis: string, 
/**
 * Column names of `rows`.
 */
columns: Array<string>, 
/**
 * The evidence, each row as long as `columns`. Cells are as stored: attacker-written text included.
 */
rows: Array<Array<string>>, 
/**
 * What to do; empty when it passed or is manual.
 */
remedy: string, 
/**
 * What a person has to attest; set exactly for manual controls.
 */
attest: string | null, };

export type CountedEvents = { 
/**
 * Event time of the first one.
 */
from: string, 
/**
 * Event time of the last one.
 */
to: string, 
/**
 * Only of this category.
 */
category: Category | null, 
/**
 * Only with this outcome.
 */
outcome: Outcome | null, 
/**
 * Only answered with a status from the first to the second, both included.
 */
status: [number, number] | null, };

export type Counter = { 
/**
 * What was counted: `failed logins`, `requests`.
 */
what: string, 
/**
 * How many there were.
 */
seen: number, 
/**
 * How many it takes.
 */
threshold: number, 
/**
 * The window in seconds.
 */
window_s: number, };

export type DatabaseConnection = { "kind": "sqlite", 
/**
 * Path of the file.
 */
path: string | null, } | { "kind": "postgres", 
/**
 * Host name, address, or directory of the Unix socket.
 */
host: string, 
/**
 * Port.
 */
port: number, 
/**
 * Database name.
 */
database: string, 
/**
 * Login.
 */
username: string, 
/**
 * TLS; required if present.
 */
tls: TlsFiles | null, };

export type DecodedLayer = { 
/**
 * What made this form of the one before: `raw`, `percent`, `html`, `unicode`, `base64`, ...
 */
decoder: string, 
/**
 * The text in this form, at most 2,048 characters around the match.
 */
text: string, 
/**
 * The match in `text`, as character offsets `[start, end)`; `None` where it is not visible in this form.
 */
span: [number, number] | null, };

export type EngineState = "starting" | "running" | "behind" | "standby" | "down" | "stopped";

export type EngineStatus = { 
/**
 * What it is doing.
 */
state: EngineState, 
/**
 * For people: who holds the lease, what went wrong.
 */
detail: string, 
/**
 * Events processed.
 */
processed_total: number, 
/**
 * Events that were already known (delivered twice, imported twice).
 */
duplicates_total: number, 
/**
 * Events per minute over the last minute.
 */
events_per_min: number, 
/**
 * Events waiting in Redis.
 */
backlog: number | null, 
/**
 * Keys set aside because they could not be read.
 */
quarantined_total: number, 
/**
 * Entries of the detection tables dropped because a table was full.
 */
evicted_total: number, 
/**
 * Findings made.
 */
findings_total: number, 
/**
 * Rules that run.
 */
rules: number, 
/**
 * Documents of the rules directory that could not be used; `rule_list` says why.
 */
rule_problems: number, };

export type Enrichment = { 
/**
 * Where the source address is; absent without location data.
 */
place?: Place, 
/**
 * Threat lists that name something of the event.
 */
threats?: Array<ThreatMatch>, 
/**
 * What is known about the things and people involved.
 */
assets?: Array<AssetRule>, 
/**
 * Why the risk is what it is: the points add up to it.
 */
risk?: Array<RiskFactor>, };

export type Entity = { 
/**
 * Its kind.
 */
kind: EntityKind, 
/**
 * Its value, as reported.
 */
value: string, };

export type EntityCount = { 
/**
 * The entity.
 */
entity: Entity, 
/**
 * Number of events.
 */
events: number, };

export type EntityKind = "ip" | "user" | "session" | "endpoint";

export type ErrorCode = "validation" | "not_found" | "conflict" | "precondition" | "permission" | "unavailable" | "timeout" | "cancelled" | "schema_too_new" | "secret_store" | "internal";

export type Event = { 
/**
 * Identity; two events with one id are one event.
 */
id: EventId, 
/**
 * When it happened, UTC, kept to the millisecond.
 */
at: string, 
/**
 * What it is about.
 */
category: Category, 
/**
 * What happened, in the application's words: `login_failure`, `request`, `record_exported`. Lower snake case.
 */
type: string, 
/**
 * How bad the application thinks it is.
 */
severity: Severity, 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * Who: the user name or service account.
 */
actor: string | null, 
/**
 * Where from: an IP address in canonical text, or what the application gave if it is not one.
 */
source_ip: string | null, 
/**
 * Session id.
 */
session: string | null, 
/**
 * On what.
 */
resource: string | null, 
/**
 * Doing what.
 */
action: string | null, 
/**
 * How often, for a line such as "message repeated n times"; at least 1.
 */
count: number, 
/**
 * The HTTP exchange, where there was one.
 */
http: Http | null, 
/**
 * Anything else the application wants to say.
 */
details: unknown, 
/**
 * Free labels.
 */
tags: Array<string>, 
/**
 * Risk from 0 to 100, if the application scores it.
 */
risk: number | null, };

export type EventId = string;

export type EventPage = { 
/**
 * The rows.
 */
rows: Array<Event>, 
/**
 * Cursor of the next page, if there is one.
 */
next: string | null, };

export type EventPageRequest = { 
/**
 * In this period; absent means any time.
 */
period: Period | null, 
/**
 * One of these categories; empty means any.
 */
category: Array<Category>, 
/**
 * One of these severities; empty means any.
 */
severity: Array<Severity>, 
/**
 * Ended like this.
 */
outcome: Outcome | null, 
/**
 * About this entity.
 */
entity: Entity | null, 
/**
 * Words in type, actor, address, resource or request, case-insensitive.
 */
text: string | null, 
/**
 * Cursor of the page before.
 */
after: string | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type Evidence = { 
/**
 * The event as it was when the incident took it in.
 */
event: Event, 
/**
 * SHA-256 over the event's canonical JSON, hex.
 */
sha256: string, 
/**
 * The findings that this event completed.
 */
findings: Array<Finding>, 
/**
 * Is this a frozen copy? Otherwise it is the event of the archive, and the digest is of when it was linked.
 */
frozen?: boolean, };

export type EvidenceQuery = "authentication_events" | "brute_force_incidents" | "incidents_acknowledged" | "incidents_resolved" | "incidents_judged" | "incidents_assigned" | "blocks_justified" | "days_with_events" | "audit_records_named" | "audit_verifications" | "audit_checkpoints" | "retention_runs" | "configuration_changes" | "authorization_events" | "data_access_events" | "web_attack_incidents";

export type EvidenceStrength = "local_only" | "session_key";

export type FamilyCount = { 
/**
 * The family.
 */
value: AttackFamily, 
/**
 * How many.
 */
count: number, };

export type Figure = { 
/**
 * Stable name: `removed`, `archived`, `memory_before_bytes`.
 */
name: string, 
/**
 * For people.
 */
title: string, 
/**
 * The value.
 */
value: number, 
/**
 * Its unit.
 */
unit: Unit, };

export type Finding = { 
/**
 * Identity: derived from rule, event and group, so that a replay makes the same ids.
 */
id: FindingId, 
/**
 * The rule: `wp.sqli.tautology`.
 */
rule_id: string, 
/**
 * The rule's version.
 */
rule_version: number, 
/**
 * What the rule looks for, in a few words.
 */
rule_title: string, 
/**
 * The family.
 */
family: AttackFamily, 
/**
 * The event that completed it.
 */
event_id: EventId, 
/**
 * Event time of that event.
 */
at: string, 
/**
 * The entity it is grouped by.
 */
entity: Entity, 
/**
 * One sentence for the analyst.
 */
summary: string, 
/**
 * Where a signature matched.
 */
matched: MatchedField | null, 
/**
 * What a behaviour counted.
 */
counter: Counter | null, 
/**
 * The events behind that count.
 */
counted?: CountedEvents, 
/**
 * How bad.
 */
severity: Severity, 
/**
 * How sure, 0 to 100.
 */
confidence: number, 
/**
 * Severity, confidence and context as one number, 0 to 100; `enrichment.risk` says why.
 */
risk: number, 
/**
 * ATT&CK technique ids: `T1190`.
 */
attack: Array<string>, 
/**
 * OWASP Top 10 category: `A05:2025`.
 */
owasp: string | null, 
/**
 * Compliance controls that this is evidence for: `PCI DSS 6.4.2`.
 */
controls: Array<string>, 
/**
 * What is known beyond the event: place, threat lists, assets, the factors of the risk.
 */
enrichment?: Enrichment, };

export type FindingId = string;

export type FrameworkInfo = { 
/**
 * `soc2`.
 */
id: string, 
/**
 * For people.
 */
name: string, 
/**
 * Version of the framework file.
 */
version: string, 
/**
 * Number of controls.
 */
controls: number, };

export type FrameworkList = { 
/**
 * By name.
 */
frameworks: Array<FrameworkInfo>, };

export type FrameworkRef = { 
/**
 * Short stable name.
 */
id: string, 
/**
 * For people.
 */
name: string, 
/**
 * Edition.
 */
version: string, 
/**
 * What the report can and cannot show.
 */
note: string, };

export type HealthHistory = { 
/**
 * The samples.
 */
samples: Array<HealthSample>, };

export type HealthHistoryRequest = { 
/**
 * Which period.
 */
period: Period, 
/**
 * 1 to 1,000.
 */
points: number, };

export type HealthSample = { 
/**
 * When.
 */
at: string, 
/**
 * Bytes in use.
 */
memory_bytes: number | null, 
/**
 * Commands per second.
 */
ops_per_s: number | null, 
/**
 * Own round trip, milliseconds, median.
 */
latency_ms: number | null, 
/**
 * Keys expired per second.
 */
expired_per_s: number | null, 
/**
 * Events processed per minute.
 */
events_per_min: number | null, 
/**
 * Events waiting.
 */
backlog: number | null, };

export type HealthVerdict = "ok" | "warning" | "critical" | "unknown";

export type Histogram = { 
/**
 * Start of the first bucket.
 */
start: string, 
/**
 * Width of a bucket in seconds.
 */
bucket_s: number, 
/**
 * One series each, all of the same length.
 */
series: Array<Series>, };

export type Http = { 
/**
 * Request method, upper case as received.
 */
method: string, 
/**
 * Request path, raw.
 */
path: string, 
/**
 * Query string, raw, without `?`.
 */
query: string | null, 
/**
 * Request headers; names in lower case.
 */
headers: { [key in string]: string }, 
/**
 * Request body or the part of it that the application kept.
 */
body: string | null, 
/**
 * Response headers that the application kept; names in lower case.
 */
response_headers: { [key in string]: string }, 
/**
 * Response body or the part of it that the application kept.
 */
response_body: string | null, 
/**
 * Response status.
 */
status: number | null, 
/**
 * Response size in bytes.
 */
bytes: number | null, 
/**
 * Time to answer in milliseconds.
 */
duration_ms: number | null, };

export type ImportRequest = { 
/**
 * Path of the file; `.gz` is unpacked.
 */
path: string, 
/**
 * `combined`, `common`, `sshd`, `jsonl` or `ecs`.
 */
format: string, 
/**
 * Begin anew instead of where an interrupted import of the same file stopped.
 */
restart: boolean, };

export type Incident = { 
/**
 * Identity.
 */
id: IncidentId, 
/**
 * The number that people say: 1, 2, 3 ... without gaps.
 */
number: number, 
/**
 * One line: what and by whom.
 */
title: string, 
/**
 * The attack family of all its findings.
 */
family: AttackFamily, 
/**
 * The entity that its findings are grouped by.
 */
entity: Entity, 
/**
 * Highest severity among its findings.
 */
severity: Severity, 
/**
 * Highest confidence among its findings, 0 to 100.
 */
confidence: number, 
/**
 * Highest risk among its findings, 0 to 100.
 */
risk: number, 
/**
 * Where it stands.
 */
status: Status, 
/**
 * What it was.
 */
verdict: Verdict, 
/**
 * Why that verdict, from the closed list of it.
 */
verdict_cause?: VerdictCause, 
/**
 * Why that verdict, in the words of the person.
 */
verdict_reason: string | null, 
/**
 * Who works on it.
 */
assignee: string | null, 
/**
 * Number of findings folded in.
 */
finding_count: number, 
/**
 * Number of events of the attack, each as often as it happened ("message repeated n times" is n).
 */
event_count: number, 
/**
 * Event time of the first of them.
 */
first_seen: string, 
/**
 * Event time of the newest of them.
 */
last_seen: string, 
/**
 * When Watchpost opened it (engine time, starts the clocks).
 */
opened_at: string, 
/**
 * First action of a person.
 */
acknowledged_at: string | null, 
/**
 * When it was resolved, if it is.
 */
resolved_at: string | null, 
/**
 * Acknowledge by.
 */
acknowledge_due: string, 
/**
 * Resolve by.
 */
resolve_due: string, 
/**
 * The pause of its clocks, if they stand.
 */
paused?: Paused, 
/**
 * Seconds that its clocks stood, without the pause of now.
 */
paused_s?: number, 
/**
 * To whom it was escalated.
 */
escalated_to?: string, 
/**
 * Number of the incident that this one is merged into; such a one is in no list and no figure.
 */
merged_into?: number, 
/**
 * ATT&CK technique ids.
 */
attack: Array<string>, 
/**
 * Grows by one with every change; a change names the version it was made on.
 */
version: number, };

export type IncidentAssign = { 
/**
 * Which.
 */
number: number, 
/**
 * To whom; absent means to nobody.
 */
assignee: string | null, 
/**
 * The version that the person saw; absent means whatever it is now.
 */
version: number | null, };

export type IncidentDetail = { 
/**
 * The row.
 */
incident: Incident, 
/**
 * The rules that fired, each with its newest finding and how often.
 */
why: Array<RuleHit>, 
/**
 * Newest first, at most 200; `event_rows` tells how many there are, all of them can be paged through.
 */
evidence: Array<Evidence>, 
/**
 * Different events of the attack; `incident.event_count` counts a repeated one as often as it happened.
 */
event_rows: number, 
/**
 * All entities of its events with the number of events.
 */
entities: Array<EntityCount>, 
/**
 * Oldest first.
 */
notes: Array<Note>, 
/**
 * Oldest first.
 */
timeline: Array<TimelineEntry>, 
/**
 * Incidents that belong to it: steps of its chain, merged ones, duplicates.
 */
related: Array<RelatedIncident>, 
/**
 * Pauses of its clocks, oldest first.
 */
pauses: Array<Pause>, 
/**
 * Steps of the playbook that were checked.
 */
checks: Array<StepCheck>, 
/**
 * The playbook of its family with what was checked; absent when it was not asked for.
 */
playbook?: Playbook, };

export type IncidentFacets = { 
/**
 * By status.
 */
status: Array<StatusCount>, 
/**
 * By severity.
 */
severity: Array<SeverityCount>, 
/**
 * By family.
 */
family: Array<FamilyCount>, 
/**
 * By assignee; the empty name is nobody.
 */
assignee: Array<NameCount>, };

export type IncidentFilter = { 
/**
 * One of these states; empty means any.
 */
status: Array<Status>, 
/**
 * One of these severities; empty means any.
 */
severity: Array<Severity>, 
/**
 * One of these families; empty means any.
 */
family: Array<AttackFamily>, 
/**
 * Assigned to this person; the empty string means nobody.
 */
assignee: string | null, 
/**
 * Words in the title or the entity, case-insensitive.
 */
text: string | null, 
/**
 * With this entity as its own.
 */
entity: Entity | null, };

export type IncidentId = string;

export type IncidentNote = { 
/**
 * On which incident.
 */
number: number, 
/**
 * 1 to 10,000 characters.
 */
text: string, };

export type IncidentOrder = "newest" | "severity" | "due";

export type IncidentPage = { 
/**
 * The rows.
 */
rows: Array<Incident>, 
/**
 * Cursor of the next page, if there is one.
 */
next: string | null, 
/**
 * Incidents that match the filter.
 */
total: number, 
/**
 * Counts over everything that matches the filter apart from the facet's own condition.
 */
facets: IncidentFacets, };

export type IncidentPageRequest = { 
/**
 * Which.
 */
filter: IncidentFilter, 
/**
 * In which order.
 */
order: IncidentOrder, 
/**
 * Cursor of the page before.
 */
after: string | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type IncidentRef = { 
/**
 * The number that people say.
 */
number: number, };

export type IncidentResolve = { 
/**
 * Which.
 */
number: number, 
/**
 * What it was; not `unjudged`.
 */
verdict: Verdict, 
/**
 * Why; required.
 */
reason: string, 
/**
 * The version that the person saw.
 */
version: number | null, };

export type IncidentStatusSet = { 
/**
 * Which.
 */
number: number, 
/**
 * Where to.
 */
status: Status, 
/**
 * Why; required to reopen.
 */
reason: string | null, 
/**
 * The version that the person saw.
 */
version: number | null, };

export type JobId = string;

export type JobKind = "retention" | "optimize" | "import" | "simulate";

export type JobList = { 
/**
 * The rows, at most 100.
 */
runs: Array<JobRun>, };

export type JobProgress = { 
/**
 * Units done.
 */
done: number, 
/**
 * Units in all, if known.
 */
total: number | null, 
/**
 * What a unit is: `keys`, `bytes`, `events`.
 */
unit: string, 
/**
 * What it is doing, for people.
 */
step: string, };

export type JobRef = { 
/**
 * Which.
 */
id: JobId, };

export type JobReport = { 
/**
 * The figures, in the order to show them.
 */
figures: Array<Figure>, 
/**
 * Sentences for people: reasons, skipped things, warnings.
 */
notes: Array<string>, };

export type JobRun = { 
/**
 * Identity.
 */
id: JobId, 
/**
 * Which job.
 */
kind: JobKind, 
/**
 * How it stands.
 */
state: JobState, 
/**
 * With what parameters, for people: `days 7`, `access.log`.
 */
parameters: string, 
/**
 * Who started it.
 */
started_by: string, 
/**
 * When.
 */
started_at: string, 
/**
 * When it ended.
 */
ended_at: string | null, 
/**
 * How far it is or was.
 */
progress: JobProgress, 
/**
 * What it did.
 */
report: JobReport | null, 
/**
 * Why it failed.
 */
error: string | null, };

export type JobState = "running" | "done" | "cancelled" | "failed";

export type Kpi = { 
/**
 * Stable name: `events`, `auth_failures`, `incidents_opened`, `incidents_active`, `blocks_active`, `mtta_s`.
 */
name: string, 
/**
 * For people.
 */
title: string, 
/**
 * Of this period; `None` where there is nothing to measure.
 */
value: number | null, 
/**
 * Of the period before.
 */
previous: number | null, 
/**
 * Its unit.
 */
unit: Unit, 
/**
 * Its course over the period, oldest first, one value a bucket.
 */
series: Array<number>, };

export type LinkKind = "chain" | "similar" | "duplicate" | "merged";

export type LiveBatch = { 
/**
 * Counts up by one; a gap means that a batch was lost and everything should be fetched again.
 */
seq: number, 
/**
 * What became stale.
 */
changed: Array<Tag>, 
/**
 * How the workspace is.
 */
status: WorkspaceStatus, 
/**
 * Jobs that run, and those that ended since the last batch.
 */
jobs: Array<JobRun>, };

export type LogHead = { 
/**
 * Which log.
 */
id: string, 
/**
 * Number of records in its tree.
 */
size: number, 
/**
 * Root of its tree, SHA-256, hexadecimal.
 */
root: string, };

export type MatchedField = { 
/**
 * The field, in dotted form: `http.query`, `http.headers.user-agent`, `http.body`.
 */
field: string, 
/**
 * From raw to the form in which the rule matched; never empty.
 */
layers: Array<DecodedLayer>, };

export type Metric = { 
/**
 * Stable name: `memory_used_ratio`.
 */
name: string, 
/**
 * For people: `Memory use`.
 */
title: string, 
/**
 * The value; `None` is "n/a".
 */
value: number | null, 
/**
 * Its unit.
 */
unit: Unit, 
/**
 * Warning above this.
 */
warning: number | null, 
/**
 * Critical above this.
 */
critical: number | null, 
/**
 * What it means.
 */
verdict: HealthVerdict, 
/**
 * What it was computed from, or why it is not known.
 */
basis: string, };

export type NameCount = { 
/**
 * The name.
 */
value: string, 
/**
 * How many.
 */
count: number, };

export type Note = { 
/**
 * Identity.
 */
id: NoteId, 
/**
 * Who wrote it.
 */
author: string, 
/**
 * When.
 */
at: string, 
/**
 * Plain text.
 */
text: string, };

export type NoteId = string;

export type Nothing = Record<symbol, never>;

export type OpError = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * What happened, for people.
 */
message: string, 
/**
 * What to do about it.
 */
hint?: string, 
/**
 * Which field of the request is wrong.
 */
field?: string, 
/**
 * Where to find it in the log.
 */
trace_id?: string, };

export type Origin = "window" | "cli" | "http" | "schedule" | "engine";

export type Outcome = "success" | "failure" | "unknown";

export type Overview = { 
/**
 * Of which period.
 */
period: Period, 
/**
 * The state in one word.
 */
threat: ThreatLevel, 
/**
 * Why that word.
 */
threat_reason: string, 
/**
 * The tiles.
 */
kpis: Array<Kpi>, 
/**
 * Authentication by outcome.
 */
authentication: Histogram, 
/**
 * Events by category.
 */
by_category: Histogram, 
/**
 * Events by severity.
 */
by_severity: Histogram, 
/**
 * The table behind both.
 */
counts: Array<CategoryCount>, 
/**
 * Incidents with evidence in the period, oldest first, at most 200.
 */
incidents: Array<Incident>, 
/**
 * Sources with the most events, at most 10.
 */
top_sources: Array<TopEntity>, 
/**
 * Targets with the most events, at most 10.
 */
top_targets: Array<TopEntity>, };

export type OverviewRequest = { 
/**
 * Which period; absent means all the data there is.
 */
period: Period | null, 
/**
 * Number of buckets in the charts, 1 to 200.
 */
buckets: number, };

export type ParsedUrl = { 
/**
 * If it was a Redis URL.
 */
redis: RedisConnection | null, 
/**
 * If it was a database URL.
 */
database: DatabaseConnection | null, 
/**
 * The password in it.
 */
password: SecretInput, };

export type Part = { 
/**
 * How it is.
 */
state: PartState, 
/**
 * `Redis 7.0.15 on a private socket`, `SQLite`, or what went wrong.
 */
detail: string, 
/**
 * When it last answered.
 */
last_ok: string | null, };

export type PartState = "connected" | "down";

export type Pause = { 
/**
 * Why.
 */
reason: PauseReason, 
/**
 * In the words of the person.
 */
note: string, 
/**
 * Begin.
 */
from: string, 
/**
 * Who began it.
 */
started_by: string, 
/**
 * End; absent while it holds.
 */
until: string | null, 
/**
 * Who ended it: an analyst, or `engine` when the severity rose.
 */
ended_by: string | null, };

export type PauseReason = "waiting_for_customer" | "waiting_for_vendor" | "change_window" | "evidence_preservation" | "legal_hold";

export type Paused = { 
/**
 * Why.
 */
reason: PauseReason, 
/**
 * Since when.
 */
since: string, };

export type Period = { 
/**
 * First instant inside.
 */
from: string, 
/**
 * First instant after.
 */
to: string, };

export type Place = { 
/**
 * ISO 3166-1 alpha-2, upper case: `DE`.
 */
country?: string, 
/**
 * English name of the city.
 */
city?: string, 
/**
 * Latitude in degrees, -90 to 90. Present exactly when `lon` is.
 */
lat?: number, 
/**
 * Longitude in degrees, -180 to 180. Present exactly when `lat` is.
 */
lon?: number, 
/**
 * Number of the autonomous system.
 */
asn?: number, 
/**
 * Organisation behind that number.
 */
org?: string, };

export type Playbook = { 
/**
 * What it is for.
 */
title: string, 
/**
 * In the order in which they are done.
 */
steps: Array<PlaybookStep>, 
/**
 * Steps that are checked.
 */
done: number, };

export type PlaybookStep = { 
/**
 * Stable name.
 */
id: string, 
/**
 * What to do.
 */
title: string, 
/**
 * How, in a sentence or two.
 */
how: string, 
/**
 * The phase: `triage`, `contain`, `eradicate`, `recover`, `learn`.
 */
phase: string, 
/**
 * Who checked it; absent while it is open.
 */
checked_by: string | null, 
/**
 * When.
 */
checked_at: string | null, 
/**
 * What came out of it.
 */
note: string | null, };

export type QuarantineList = { 
/**
 * The rows, at most 200.
 */
rows: Array<Quarantined>, };

export type Quarantined = { 
/**
 * The Redis key.
 */
key: string, 
/**
 * Why it could not be read.
 */
reason: string, 
/**
 * When that was seen.
 */
at: string, };

export type RedisAddress = { "kind": "local" } | { "kind": "tcp", 
/**
 * Host name or address.
 */
host: string, 
/**
 * Port.
 */
port: number, 
/**
 * TLS, if used.
 */
tls: TlsFiles | null, } | { "kind": "unix", 
/**
 * Path of the socket.
 */
path: string, };

export type RedisConnection = { 
/**
 * Where.
 */
address: RedisAddress, 
/**
 * ACL user; `default` if absent.
 */
username: string | null, 
/**
 * Number of the logical database.
 */
database: number, 
/**
 * Prefix of all keys of the contract, with its trailing colon.
 */
prefix: string, };

export type RedisHealth = { 
/**
 * When it was read.
 */
at: string, 
/**
 * `Redis 7.0.15`, `Valkey 8.0.1`.
 */
server: string, 
/**
 * `master` or `replica`.
 */
role: string, 
/**
 * Seconds since the server started.
 */
uptime_s: number, 
/**
 * The worst verdict of `metrics`.
 */
verdict: HealthVerdict, 
/**
 * All metrics, those with thresholds first.
 */
metrics: Array<Metric>, 
/**
 * Number of keys and of keys with a TTL in the logical database.
 */
keys: number | null, 
/**
 * Keys with a TTL.
 */
keys_with_ttl: number | null, 
/**
 * Newest slow commands, newest first, arguments redacted.
 */
slowlog: Array<SlowCommand>, };

export type RelatedIncident = { 
/**
 * How.
 */
kind: LinkKind, 
/**
 * Does the link go from this incident to the other one? A merged incident points to its target, a step to its
 * chain, a duplicate to the one that is kept.
 */
outgoing: boolean, 
/**
 * The other one.
 */
incident: Incident, 
/**
 * Since when.
 */
at: string, 
/**
 * By whom.
 */
by: string, };

export type ReportDocument = { 
/**
 * Version of this shape.
 */
format: number, 
/**
 * Which framework.
 */
framework: FrameworkRef, 
/**
 * What it covers.
 */
scope: Scope, 
/**
 * How many controls came out how.
 */
summary: Summary, 
/**
 * The controls, in the order of the framework.
 */
controls: Array<ControlResult>, 
/**
 * The numbers behind the charts.
 */
charts: ChartData, };

export type ReportFile = { 
/**
 * In which format.
 */
format: ReportFormat, 
/**
 * Where it was written.
 */
path: string, 
/**
 * SHA-256 of the file, hex.
 */
sha256: string, 
/**
 * Size in bytes.
 */
bytes: number, };

export type ReportFormat = "pdf" | "csv" | "json" | "markdown";

export type ReportGenerate = { 
/**
 * Which framework.
 */
framework: string, 
/**
 * Which period.
 */
period: Period, 
/**
 * The files; at least one.
 */
files: Array<ReportTarget>, };

export type ReportId = string;

export type ReportList = { 
/**
 * The rows, at most 200.
 */
reports: Array<ReportRecord>, };

export type ReportRecord = { 
/**
 * Identity.
 */
id: ReportId, 
/**
 * Framework id.
 */
framework: string, 
/**
 * Its period.
 */
period: Period, 
/**
 * When it was made.
 */
made_at: string, 
/**
 * By whom.
 */
made_by: string, 
/**
 * SHA-256 of the canonical JSON, hex.
 */
content_sha256: string, 
/**
 * `12 pass, 1 warn, 0 fail, 2 no data, 3 manual`.
 */
summary: string, 
/**
 * Worst state: `pass`, `warn`, `fail`, `no_data`, `manual`.
 */
worst: string, 
/**
 * The files.
 */
files: Array<ReportFile>, };

export type ReportRequest = { 
/**
 * Which framework.
 */
framework: string, 
/**
 * Which period.
 */
period: Period, };

export type ReportSeverityCount = { 
/**
 * The severity.
 */
severity: Severity, 
/**
 * Incidents with evidence in the period.
 */
incidents: number, };

export type ReportTarget = { 
/**
 * In which format.
 */
format: ReportFormat, 
/**
 * Where to.
 */
path: string, };

export type RetentionRequest = { 
/**
 * Remove from Redis what is older than this many days, instead of the policy's days. 0 means everything that has
 * been processed.
 */
days: number | null, };

export type RetentionRule = { 
/**
 * The category.
 */
category: Category, 
/**
 * Days in Redis: after that the retention job archives and removes.
 */
redis_days: number, 
/**
 * Days in the database.
 */
archive_days: number, };

export type RiskFactor = { 
/**
 * What it is.
 */
kind: RiskFactorKind, 
/**
 * What it added; negative where it took away.
 */
points: number, 
/**
 * For people: `high`, `80 % sure`, `named by feodo`.
 */
detail: string, };

export type RiskFactorKind = "severity" | "confidence" | "answer" | "rule" | "asset" | "threat_list" | "history" | "limit";

export type Role = "viewer" | "analyst" | "lead" | "auditor" | "admin";

export type RuleBacktest = { 
/**
 * Events of this period of event time; absent means all that are archived.
 */
period: Period | null, 
/**
 * Rules of this directory instead of the present ones.
 */
directory: string | null, };

export type RuleChange = { 
/**
 * The rule.
 */
id: string, 
/**
 * On or off.
 */
enabled: boolean | null, 
/**
 * How many a behaviour takes.
 */
threshold: number | null, 
/**
 * In how many seconds.
 */
window_s: number | null, 
/**
 * Why; stands in the audit trail.
 */
reason: string | null, };

export type RuleDetail = { 
/**
 * As in the list.
 */
row: RuleRow, 
/**
 * More about it; may be empty.
 */
description: string, 
/**
 * ATT&CK techniques.
 */
attack: Array<string>, 
/**
 * OWASP Top 10 category.
 */
owasp: string | null, 
/**
 * Compliance controls.
 */
controls: Array<string>, 
/**
 * What else looks like it.
 */
falsepositives: Array<string>, 
/**
 * Samples that must fire.
 */
fires: unknown[], 
/**
 * Samples that must not.
 */
near_misses: unknown[], };

export type RuleDirectorySet = { 
/**
 * A directory of this machine; absent means `rules` in the data folder.
 */
directory: string | null, };

export type RuleHit = { 
/**
 * Number of findings of the rule.
 */
count: number, 
/**
 * The newest of them.
 */
newest: Finding, };

export type RuleImportFile = { 
/**
 * Its path below the one that was named.
 */
file: string, 
/**
 * Rules that it brings; with none it was not copied.
 */
rules: number, 
/**
 * What could not be used and why.
 */
problems: Array<RuleProblem>, };

export type RuleImportReport = { 
/**
 * The folder that the files were copied to.
 */
directory: string, 
/**
 * Rules that are there now.
 */
rules: number, 
/**
 * Files copied.
 */
copied: number, 
/**
 * File by file.
 */
files: Array<RuleImportFile>, };

export type RuleImportSigma = { 
/**
 * A file, or a directory that is looked through.
 */
path: string, };

export type RuleKind = "signature" | "behaviour" | "sigma" | "correlation" | "filter";

export type RuleList = { 
/**
 * The rules directory.
 */
directory: string, 
/**
 * When they were loaded.
 */
loaded_at: string, 
/**
 * In a fixed order: as shipped, then by file.
 */
rules: Array<RuleRow>, 
/**
 * What could not be used, and what is worth knowing.
 */
problems: Array<RuleProblem>, };

export type RuleProblem = { 
/**
 * The file, below the rules directory.
 */
file: string, 
/**
 * The line, from 1; 0 for the file as a whole.
 */
line: number, 
/**
 * The rule, where the document says which.
 */
rule_id: string | null, 
/**
 * One sentence.
 */
reason: string, 
/**
 * The rule runs all the same.
 */
is_warning: boolean, };

export type RuleRef = { 
/**
 * Its id.
 */
id: string, };

export type RuleRow = { 
/**
 * Identity.
 */
id: string, 
/**
 * Raised whenever what fires changes.
 */
version: number, 
/**
 * What it looks for.
 */
title: string, 
/**
 * How it works.
 */
kind: RuleKind, 
/**
 * The family of its findings.
 */
family: AttackFamily, 
/**
 * The severity of its findings.
 */
severity: Severity, 
/**
 * How sure, 0 to 100.
 */
confidence: number, 
/**
 * Does it run?
 */
enabled: boolean, 
/**
 * The file it comes from: below the rules directory, or among those that ship.
 */
file: string, 
/**
 * The line in that file, from 1.
 */
line: number, 
/**
 * It ships with the program.
 */
embedded: boolean, 
/**
 * It stands in the rules directory in place of one that ships.
 */
overrides: boolean, 
/**
 * How many a behaviour takes.
 */
threshold: number | null, 
/**
 * In how many seconds.
 */
window_s: number | null, 
/**
 * An administrator switched it or changed its threshold or window.
 */
adjusted: boolean, };

export type RuleTest = { 
/**
 * Only this one; absent means all that run.
 */
id: string | null, };

export type RuleTestFailure = { 
/**
 * The rule.
 */
rule_id: string, 
/**
 * The sample.
 */
sample: unknown, 
/**
 * It should have fired.
 */
should_fire: boolean, 
/**
 * What it fired on, if it should not have.
 */
summary: string | null, };

export type RuleTestReport = { 
/**
 * Rules tested.
 */
rules: number, 
/**
 * Samples run.
 */
samples: number, 
/**
 * Rules without any sample.
 */
untested: number, 
/**
 * Those that did not hold.
 */
failures: Array<RuleTestFailure>, 
/**
 * What could not even be loaded.
 */
problems: Array<RuleProblem>, };

export type Scope = { 
/**
 * Whose report it is.
 */
organisation: string, 
/**
 * The workspace or connection that was looked at.
 */
workspace: string, 
/**
 * The half-open period, UTC.
 */
period: Period, 
/**
 * When it was made.
 */
generated_at: string, 
/**
 * By whom.
 */
generated_by: string, 
/**
 * By which program and version.
 */
generator: string, 
/**
 * The audit log at that moment.
 */
log: LogHead, 
/**
 * Where the evidence comes from: event store, database, hosts.
 */
sources: Array<string>, };

export type SecretInput = { "kind": "keep" } | { "kind": "set", 
/**
 * The secret.
 */
value: string, } | { "kind": "clear" };

export type SecretState = "ready" | "locked" | "absent" | "timed_out";

export type Series = { 
/**
 * Its name: a category, a severity, an outcome.
 */
name: string, 
/**
 * One count a bucket.
 */
counts: Array<number>, };

export type Settings = { 
/**
 * Printed on reports.
 */
organisation: string, 
/**
 * Retention by category; all five categories.
 */
retention: Array<RetentionRule>, };

export type Severity = "info" | "low" | "medium" | "high" | "critical";

export type SeverityCount = { 
/**
 * The severity.
 */
value: Severity, 
/**
 * How many.
 */
count: number, };

export type SimulateRequest = { 
/**
 * With the same end, the same seed makes the same events.
 */
seed: number, 
/**
 * Days of traffic; 1 to 90.
 */
days: number, 
/**
 * End of the traffic; now if absent. The same seed and the same end make the same events.
 */
until: string | null, 
/**
 * Ordinary events per day, 10 to 1,000,000.
 */
events_per_day: number, 
/**
 * Users of the simulated application, 1 to 100,000.
 */
users: number, 
/**
 * File for the ground truth (JSON).
 */
truth_path: string | null, };

export type SlowCommand = { 
/**
 * When.
 */
at: string, 
/**
 * How long, in milliseconds.
 */
duration_ms: number, 
/**
 * Command and key; values are redacted.
 */
command: string, 
/**
 * Issued by Watchpost itself?
 */
own: boolean, };

export type State = "pass" | "manual" | "no_data" | "warn" | "fail";

export type Status = "open" | "investigating" | "contained" | "resolved" | "closed" | "reopened";

export type StatusCount = { 
/**
 * The status.
 */
value: Status, 
/**
 * How many.
 */
count: number, };

export type StepCheck = { 
/**
 * The step's id in the playbook.
 */
step: string, 
/**
 * Who.
 */
by: string, 
/**
 * When.
 */
at: string, 
/**
 * What came out of it.
 */
note: string | null, };

export type StepState = "ok" | "warning" | "failed" | "skipped";

export type Summary = { 
/**
 * Passed.
 */
pass: number, 
/**
 * Left to a person.
 */
manual: number, 
/**
 * Not judged for want of data.
 */
no_data: number, 
/**
 * Warned.
 */
warn: number, 
/**
 * Failed.
 */
fail: number, };

export type Tag = "status" | "connections" | "events" | "incidents" | "blocks" | "jobs" | "health" | "reports" | "audit" | "settings" | "rules";

export type ThreatKind = "ip" | "domain" | "user_agent";

export type ThreatLevel = "calm" | "guarded" | "elevated" | "severe";

export type ThreatMatch = { 
/**
 * The list.
 */
list: string, 
/**
 * Its confidence, 0 to 100.
 */
confidence: number, 
/**
 * What its entry names.
 */
kind: ThreatKind, 
/**
 * The entry that matched: `203.0.113.0/24`.
 */
entry: string, 
/**
 * The field of the event: `source_ip`, `http.headers.user-agent`.
 */
field: string, };

export type TimelineEntry = { 
/**
 * When.
 */
at: string, 
/**
 * Who: an analyst, or `engine`.
 */
actor: string, 
/**
 * What: `opened`, `finding`, `severity`, `assigned`, `handover`, `status`, `verdict`, `note`, `block`, `pause`,
 * `resume`, `escalated`, `merged`, `split`, `linked`, `step`, `undo`.
 */
kind: string, 
/**
 * For people.
 */
text: string, 
/**
 * Number of the merged incident that this line comes from; absent for the incident's own.
 */
from?: number, };

export type TlsFiles = { 
/**
 * Private certificate authority; the system's if absent.
 */
ca: string | null, 
/**
 * Client certificate.
 */
cert: string | null, 
/**
 * Client key.
 */
key: string | null, };

export type TopEntity = { 
/**
 * The entity.
 */
entity: Entity, 
/**
 * Events.
 */
events: number, 
/**
 * Events that failed.
 */
failures: number, 
/**
 * Active incidents about it.
 */
incidents: number, 
/**
 * Is it blocked now?
 */
blocked: boolean, };

export type Unit = "ratio" | "bytes" | "milliseconds" | "per_second" | "per_minute" | "count" | "seconds";

export type Verdict = "unjudged" | "true_positive" | "false_positive" | "benign_true_positive" | "duplicate";

export type VerdictCause = "attack_blocked" | "attack_failed" | "attack_succeeded" | "policy_violation" | "normal_traffic" | "bad_pattern" | "low_threshold" | "bad_data" | "pentest" | "own_scanner" | "load_test" | "approved_change" | "user_mistake" | "same_source" | "same_campaign" | "other";

export type WorkspaceStatus = { 
/**
 * Version of Watchpost.
 */
version: string, 
/**
 * Who is using this console.
 */
caller: Caller, 
/**
 * The open connection, if one is.
 */
connection: Connection | null, 
/**
 * Redis; absent when no connection is open.
 */
redis: Part | null, 
/**
 * The database.
 */
database: Part | null, 
/**
 * The engine.
 */
engine: EngineStatus, 
/**
 * Whether secrets can be kept, and what to do if not.
 */
secrets: SecretState, 
/**
 * Of what is shown: newest event in the archive.
 */
newest_event: string | null, 
/**
 * Incidents that need somebody.
 */
incidents_active: number, 
/**
 * Server time of this answer.
 */
at: string, 
/**
 * Offer to fill an empty workspace with demo data.
 */
offer_demo: boolean, };

