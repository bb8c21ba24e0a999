// Generated from the list of operations by `cargo xtask codegen`. Do not edit.

export type AclLine = { 
/**
 * Stable name: `observe`, `process`, `contain`, `export`, `maintain`, `all`; `from_7_0`, `from_7_2`,
 * `from_valkey_8_1` for what later servers know, where this one did not say its version.
 */
purpose: string, 
/**
 * For people.
 */
title: string, 
/**
 * To copy: `ACL SETUSER watchpost ...`.
 */
line: string, };

export type ActionCount = { 
/**
 * The action.
 */
action: ActionKind, 
/**
 * Done.
 */
done: number, 
/**
 * Skipped.
 */
skipped: number, };

export type ActionKind = "tag" | "notify" | "ticket" | "rate_limit" | "block_ip" | "revoke_session" | "restrict_user" | "isolate_service";

export type AggregateRequest = { 
/**
 * From this time on; 30 days ago if absent.
 */
from: string | null, 
/**
 * Before this time; now if absent.
 */
to: string | null, };

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

export type ApiUsage = { 
/**
 * Calls in the period; alerts on Redis, which have their category, are none.
 */
calls: number, 
/**
 * How they changed since the period before; `None` where there was nothing to compare with.
 */
change: KpiChange | null, 
/**
 * Calls that failed.
 */
failures: number, 
/**
 * Share of the calls that failed, from 0 to 1 with three digits behind the point; `None` without calls.
 */
failure_ratio: number | null, 
/**
 * Calls by outcome.
 */
over_time: Histogram, 
/**
 * Endpoints with the most calls, at most 10; their events and failures are calls.
 */
endpoints: Array<TopEntity>, };

export type Approval = { 
/**
 * Who; never the one who made it.
 */
by: string, 
/**
 * When.
 */
at: string, 
/**
 * What they say about it.
 */
note: string, 
/**
 * A C2SP signed note over the hash of the content with the console's key; `None` without a key.
 */
signed_note: string | null, };

export type ApprovalDecision = { 
/**
 * Which.
 */
id: string, 
/**
 * What is to stand in the audit trail about it.
 */
note?: string, };

export type ApprovalGranted = { 
/**
 * The request as it is now.
 */
approval: ApprovalRequest, 
/**
 * What the operation answered; absent if whoever asked carries it out.
 */
reply: unknown, };

export type ApprovalList = { 
/**
 * All that are open, then the newest 200 of those that are over; each the newest first.
 */
approvals: Array<ApprovalRequest>, 
/**
 * Rows that cannot be read: somebody wrote them past Watchpost, and an owner of the tables can delete them.
 */
unreadable: Array<UnreadableApproval>, 
/**
 * How many more there are, which the audit trail tells of.
 */
more: number, 
/**
 * What one person may do alone.
 */
policy: FourEyes, 
/**
 * People who did something in the last 90 days, at a window or a command line.
 */
people: Array<string>, 
/**
 * Whether it is in force.
 */
state: FourEyesState, 
/**
 * What that means, for people.
 */
detail: string, };

export type ApprovalPolicyPut = { 
/**
 * The new policy, whole.
 */
policy: FourEyes, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type ApprovalRef = { 
/**
 * Which.
 */
id: string, };

export type ApprovalRequest = { 
/**
 * Its id.
 */
id: string, 
/**
 * The operation.
 */
operation: string, 
/**
 * Why two people are needed.
 */
matter: Matter, 
/**
 * Who carries it out.
 */
carrier: Carrier, 
/**
 * The request, as JSON. Secrets are not in it.
 */
request: string, 
/**
 * What it would do, for people.
 */
summary: string, 
/**
 * Why, as whoever asks says.
 */
reason: string | null, 
/**
 * Who asks.
 */
asked_by: string, 
/**
 * When.
 */
asked_at: string, 
/**
 * Until when it can be approved and carried out.
 */
expires_at: string, 
/**
 * What became of it.
 */
state: ApprovalState, 
/**
 * Who decided.
 */
decided_by: string | null, 
/**
 * When.
 */
decided_at: string | null, 
/**
 * What they said.
 */
note: string | null, 
/**
 * How carrying it out ended.
 */
outcome: string | null, };

export type ApprovalState = "waiting" | "granted" | "done" | "failed" | "refused" | "withdrawn" | "expired";

export type AssetList = { 
/**
 * By kind and pattern.
 */
assets: Array<AssetRule>, };

export type AssetRef = { 
/**
 * The kind.
 */
kind: EntityKind, 
/**
 * The pattern.
 */
pattern: string, };

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

export type AttackFamily = "brute_force" | "sqli" | "nosqli" | "xss" | "traversal" | "rfi" | "cmdi" | "ssti" | "php" | "java" | "deserialization" | "xxe" | "ldap" | "ssrf" | "jwt" | "csrf" | "header_injection" | "redirect" | "upload" | "data_leak" | "excessive_requests" | "scanner" | "account_takeover" | "privilege_escalation" | "data_exfiltration" | "log_gap" | "threat_listed" | "kill_chain" | "custom" | "redis_health";

export type AuditAccept = { 
/**
 * Why that is right: a backup was put back, a test database was emptied.
 */
reason: string, };

export type AuditCount = { 
/**
 * The name.
 */
name: string, 
/**
 * Records.
 */
n: number, };

export type AuditDetail = { 
/**
 * The record.
 */
record: AuditRecord, 
/**
 * The leaf: the canonical JSON that is hashed.
 */
leaf: string, 
/**
 * Size of the newest checkpoint, if it covers the record.
 */
covered_by: number | null, 
/**
 * Number of the record that says that the content of this one was erased.
 */
erased_by: number | null, 
/**
 * The class whose retention took it; absent if a person was erased.
 */
purged?: RecordClass, 
/**
 * What its own writer got wrong, for people, where no record sets that apart; absent if nothing.
 */
own_fault?: string, 
/**
 * Number of the record that sets this one apart.
 */
set_apart_by?: number, };

export type AuditExport = { 
/**
 * The folder to make; it must not be there.
 */
directory: string, 
/**
 * Records from this instant on; the hashes of all are in it, whatever the period.
 */
from: string | null, 
/**
 * Records before this instant.
 */
to: string | null, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, 
/**
 * Makes it possible to ask how far it is and to stop it (`audit_verify_progress`, `audit_verify_cancel`).
 */
ticket?: string, };

export type AuditExported = { 
/**
 * The folder.
 */
directory: string, 
/**
 * Records in it.
 */
records: number, 
/**
 * Leaves in it.
 */
leaves: number, 
/**
 * Records of the log that its checkpoint stands for.
 */
size: number, 
/**
 * Root, base64.
 */
root: string, 
/**
 * The key that signed, as a C2SP verifier key.
 */
key: string, 
/**
 * SHA-256 of `SHA256SUMS`, which stands for all files.
 */
sha256: string, 
/**
 * Records in it that nobody can read and that no record sets apart, or that were altered, the first 50: the folder does
 * not verify.
 */
unreadable: Array<number>, 
/**
 * Newer records of the log, for which no checkpoint stands and which are not in it: this console had no key to sign.
 */
uncovered: number, };

export type AuditFigures = { 
/**
 * The figures.
 */
statistics: AuditStatistics, 
/**
 * What they are worth as evidence.
 */
trust: AuditTrust, };

export type AuditFilter = { 
/**
 * By this person, or with this login at the database.
 */
actor: string | null, 
/**
 * This action.
 */
action: string | null, 
/**
 * Words in action, object, actor, login or reason, case-insensitive.
 */
text: string | null, 
/**
 * Ended like this.
 */
outcome: AuditOutcome | null, 
/**
 * Written at this instant or later.
 */
from?: string, 
/**
 * Written before this instant.
 */
to?: string, };

export type AuditKey = { 
/**
 * Its name.
 */
name: string, 
/**
 * As a C2SP verifier key.
 */
vkey: string, 
/**
 * The record that added it.
 */
added: number, 
/**
 * The key that vouches for it, if it took the place of one.
 */
after: string | null, 
/**
 * The record that revoked it: checkpoints of more records do not count.
 */
revoked: number | null, 
/**
 * This console signs with it.
 */
own: boolean, };

export type AuditKeyAgePut = { 
/**
 * Days, up to 3,650; 0 says it never.
 */
days: number, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type AuditKeyRevoke = { 
/**
 * Its name.
 */
name: string, 
/**
 * Why; it stands in the audit trail.
 */
reason: string, };

export type AuditKeyRoll = { 
/**
 * Why; it stands in the audit trail.
 */
reason: string, };

export type AuditKeys = { 
/**
 * The rows.
 */
keys: Array<AuditKey>, };

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
 * Leaves that no checkpoint covers yet.
 */
uncovered: number, 
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

export type AuditPlace = { 
/**
 * What kind.
 */
kind: AuditPlaceKind, 
/**
 * Its path or address; empty for Redis.
 */
name: string, 
/**
 * The private certificate authority of a webhook.
 */
ca?: string, 
/**
 * It can be used, and what it holds fits the log.
 */
ok: boolean, 
/**
 * It counts as a second place: the private Redis of this account and a webhook of this machine do not.
 */
counts: boolean, 
/**
 * Size of the newest checkpoint in it, or that it took.
 */
size: number | null, 
/**
 * What is wrong, or what else there is to know, for people.
 */
detail: string, };

export type AuditPlaceKind = "folder" | "redis" | "webhook";

export type AuditPlaces = { 
/**
 * Folders: a share, a medium that is taken away. At most eight.
 */
folders: Array<string>, 
/**
 * The Redis that is watched.
 */
redis: boolean, 
/**
 * A service that is told each checkpoint.
 */
webhook?: AuditWebhook, };

export type AuditPlacesPut = { 
/**
 * All of them.
 */
places: AuditPlaces, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type AuditProof = { 
/**
 * Number of the record.
 */
seq: number, 
/**
 * Records of the log that the proof is about.
 */
size: number, 
/**
 * The key that signed, as a C2SP verifier key.
 */
key: string, 
/**
 * The proof: C2SP tlog-proof, with the leaf as extra data.
 */
text: string, };

export type AuditPurge = { 
/**
 * Of this class only.
 */
class?: RecordClass, 
/**
 * Why; it stands in the audit trail.
 */
reason: string, };

export type AuditPurgeRequest = { 
/**
 * Of this class only.
 */
class?: RecordClass, };

export type AuditPurged = { 
/**
 * By class; those that are kept for ever are not in it.
 */
classes: Array<RecordPurge>, };

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
 * The login at the database that wrote it, as its server says; absent where the database is a file.
 */
login?: string, 
/**
 * Through which shell.
 */
origin: string, 
/**
 * From which machine; with the account there if the person is known by a login at the database: `ws-7/anna`.
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
 * The reason that was given, or else the error.
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

export type AuditRef = { 
/**
 * Its number, from 0.
 */
seq: number, };

export type AuditRetention = { 
/**
 * The rules; each class once.
 */
rules: Array<RecordRule>, };

export type AuditRetentionPut = { 
/**
 * The classes to change; the others stay as they are.
 */
rules: Array<RecordRule>, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type AuditSetApart = { 
/**
 * Its number, as a check of the trail names it.
 */
seq: number, 
/**
 * Why; it stands in the audit trail.
 */
reason: string, };

export type AuditStamp = { 
/**
 * Records of the checkpoint.
 */
size: number, 
/**
 * When the authority saw it, by its own word.
 */
at: string, 
/**
 * The authority, as it names itself; absent if it does not.
 */
authority: string | null, 
/**
 * When its answer was kept.
 */
kept_at: string, };

export type AuditStatistics = { 
/**
 * Records.
 */
records: number, 
/**
 * Time of the first one.
 */
first_at: string | null, 
/**
 * Time of the last one.
 */
last_at: string | null, 
/**
 * Different actors.
 */
actors: number, 
/**
 * Different actions.
 */
actions: number, 
/**
 * Size of what is sealed.
 */
sealed_bytes: number, 
/**
 * Records whose content was erased.
 */
erased: number, 
/**
 * The most frequent actors, at most twenty.
 */
by_actor: Array<AuditCount>, 
/**
 * The most frequent logins at the database, at most twenty; none where it is a file.
 */
by_login: Array<AuditCount>, 
/**
 * The most frequent actions, at most twenty.
 */
by_action: Array<AuditCount>, 
/**
 * By outcome.
 */
by_outcome: Array<AuditCount>, 
/**
 * By permission used.
 */
by_permission: Array<AuditCount>, };

export type AuditStatisticsRequest = { 
/**
 * Those of this period; all if absent.
 */
period: Period | null, };

export type AuditTimestampKeep = { 
/**
 * The `TimeStampResp` of RFC 3161, DER in hex.
 */
response: string, };

export type AuditTimestampRequest = { 
/**
 * Records of the checkpoint.
 */
size: number, 
/**
 * SHA-256 of its signed note, hex: all that the authority gets to see.
 */
sha256: string, 
/**
 * The `TimeStampReq` of RFC 3161, DER in hex.
 */
request: string, };

export type AuditTrust = { 
/**
 * The log continues what this console and the places have seen, and the last check of this console found nothing.
 */
ok: boolean, 
/**
 * What does not fit; absent if `ok`.
 */
problem: string | null, 
/**
 * First record that it is about.
 */
first_bad_seq: number | null, 
/**
 * The problem is what the check of this time found, and nothing else: there is nothing to accept.
 */
failed_at?: string, 
/**
 * How strong the evidence is.
 */
strength: EvidenceStrength, 
/**
 * Consoles with keys of their own that signed for what they saw.
 */
witnesses: number, 
/**
 * Id of the log.
 */
log: string, 
/**
 * Leaves.
 */
size: number, 
/**
 * Root, base64.
 */
root: string, 
/**
 * The newest checkpoint.
 */
checkpoint: Checkpoint | null, 
/**
 * Name of the key with which this console signs; absent if it signs nothing.
 */
signer: string | null, 
/**
 * Days after which the status says that the key of this console is old; 0 says it never.
 */
key_days: number, 
/**
 * Since when this console watches this log.
 */
watched_since: string | null, 
/**
 * Records that an earlier check found good.
 */
verified_size: number | null, 
/**
 * When that was.
 */
verified_at: string | null, 
/**
 * When every record was read last.
 */
full_at: string | null, 
/**
 * The places.
 */
places: Array<AuditPlace>, 
/**
 * The newest time stamp of a checkpoint.
 */
stamp?: AuditStamp, };

export type AuditVerification = { 
/**
 * Did everything hold?
 */
ok: boolean, 
/**
 * Leaves of the log.
 */
leaves: number, 
/**
 * Leaves that were not read again, because an earlier check of this console found them good: the first ones.
 */
from: number, 
/**
 * Root recomputed from the leaves, base64.
 */
root: string, 
/**
 * Checkpoints that hold, with those that an earlier check of this console found good.
 */
checkpoints: number, 
/**
 * First record that does not hold.
 */
first_bad_seq: number | null, 
/**
 * The tile of 256 hashes that it stands in, as C2SP tlog-tiles names it: `tile/0/000`; none of a record that is missing
 * behind the newest one.
 */
first_bad_tile?: string, 
/**
 * What was found, for people; empty if `ok`.
 */
problems: Array<string>, 
/**
 * What is no problem and worth a look, of the records that were read: times that go back, purges by a clock that was
 * ahead; for people.
 */
warnings: Array<string>, 
/**
 * Records without content, by the erasure that took it.
 */
erased: Array<ErasedRecords>, 
/**
 * Records that another one sets apart, with what does not fit in them: they prove nothing, and the rest holds.
 */
set_apart: Array<SetApart>, 
/**
 * Of the problems those that a record's own writer made, and that can be set apart; at most as many as problems.
 */
own_faults: Array<OwnFault>, 
/**
 * Of the problems those of places outside the database in which something was altered: where these are all, the log
 * itself holds.
 */
altered: Array<string>, 
/**
 * What the evidence is worth.
 */
strength: EvidenceStrength, 
/**
 * Consoles with keys of their own that signed for what they saw.
 */
witnesses: number, 
/**
 * The newest time stamp of a checkpoint.
 */
stamp?: AuditStamp, 
/**
 * The check has no record: the server takes no changes at all, as a standby or by its settings.
 */
unrecorded: boolean, };

export type AuditVerify = { 
/**
 * Read every record, also those that an earlier check of this console found good.
 */
full: boolean, 
/**
 * Makes it possible to ask how far it is and to stop it.
 */
ticket?: string, };

export type AuditWebhook = { 
/**
 * Its address: `https://`, and `http://` for this machine only; without a name, a password, a query or a fragment.
 */
url: string, 
/**
 * PEM file of a private certificate authority; those of the system if absent.
 */
ca?: string, };

export type BacktestAgainst = "recorded" | "present";

export type BacktestReport = { 
/**
 * Events replayed.
 */
events: number, 
/**
 * It was stopped: these are the first events of the period.
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
 * Findings after that suppressions hide; they are in none of the other figures.
 */
findings_hidden: number, 
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

export type BackupRequest = { 
/**
 * The file, on the machine where Watchpost runs.
 */
path: string, 
/**
 * Replace a file that is there.
 */
force: boolean, 
/**
 * The whole server instead, with all its databases, as the RDB file that a replica gets: the server forks for it.
 */
rdb: boolean, 
/**
 * For whom it is encrypted; it is not if absent.
 */
encryption?: CopyEncryption, };

export type Baseline = { 
/**
 * 1; another number is not understood.
 */
version: number, 
/**
 * Event time of the first event that taught something.
 */
from: string, 
/**
 * Event time of the last one.
 */
to: string, 
/**
 * How many events taught something.
 */
events: number, 
/**
 * By name.
 */
users: Array<UserBaseline>, 
/**
 * By name.
 */
endpoints: Array<EndpointBaseline>, };

export type BaselineCompare = { 
/**
 * How it was.
 */
before: Baseline, 
/**
 * How it is: learned from the archived events of this period.
 */
period: Period, };

export type BaselineDrift = { 
/**
 * First and last event of the earlier baseline.
 */
before: [string, string], 
/**
 * First and last event of the later one.
 */
after: [string, string], 
/**
 * Events of the earlier and of the later one.
 */
events: [number, number], 
/**
 * Users first, then endpoints, by name.
 */
drifts: Array<Drift>, };

export type BaselineRequest = { 
/**
 * Event time.
 */
period: Period, };

export type BenchmarkRequest = { 
/**
 * Operations of each step, 100 to 1,000,000.
 */
ops: number, 
/**
 * Size of a value, 1 to 16,384 bytes.
 */
value_bytes: number, 
/**
 * Commands in a pipeline, 2 to 100.
 */
pipeline: number, };

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
 * How many there are, whatever was asked for at most.
 */
total: number, 
/**
 * How many of those are in force.
 */
in_force: number, 
/**
 * How many of those are not in force and should be: not confirmed yet, or failed.
 */
not_in_force: number, 
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
 * Made in this period; absent means any time.
 */
created?: Period, 
/**
 * In force at this instant, as the Overview counts active blocks; absent means that this does not matter.
 */
in_force_at?: string, 
/**
 * Of this address or range, of one that it lies in, or of something in it; absent means any.
 */
touching?: string, 
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

export type BlockStanding = { 
/**
 * The target in canonical form.
 */
target: BlockTarget, 
/**
 * How it stands.
 */
standing: Standing, 
/**
 * For people.
 */
detail: string, 
/**
 * The block that covers it: of exactly this target, else the narrowest range.
 */
block: Block | null, 
/**
 * The key in Redis that the sensors see.
 */
key: string | null, 
/**
 * Remaining time of that key in seconds; absent if it never ends or is not there.
 */
redis_ttl_s: number | null, 
/**
 * Whether Redis has that key; absent if Redis does not answer.
 */
in_redis: boolean | null, 
/**
 * The entry of the allowlist that it overlaps.
 */
allow: AllowEntry | null, 
/**
 * Blocks in force that lie inside of it and leave the rest of it free.
 */
inside_total: number, 
/**
 * The first ten of them by address.
 */
inside: Array<BlockTarget>, };

export type BlockState = "pending" | "active" | "expired" | "removed" | "failed";

export type BlockTarget = string;

export type BlockTerms = { 
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

export type BlockTrial = { 
/**
 * Address or CIDR range as typed.
 */
target: string, 
/**
 * The rest of the block; without it only the target is looked at.
 */
terms?: BlockTerms, };

export type BulkAction = { "do": "take" } | { "do": "assign", 
/**
 * To whom; absent means to nobody.
 */
assignee: string | null, } | { "do": "status", 
/**
 * Where to.
 */
status: Status, 
/**
 * Why; required to reopen.
 */
reason: string | null, } | { "do": "resolve", 
/**
 * What they were; not `unjudged`.
 */
verdict: Verdict, 
/**
 * Why, from the list of the verdict; absent means `other`.
 */
cause?: VerdictCause, 
/**
 * Why, in words; required with `other`.
 */
reason: string, } | { "do": "note", 
/**
 * The note.
 */
text: string, } | { "do": "suppress", 
/**
 * Why.
 */
reason: string, 
/**
 * For how many days, 1 to 90.
 */
days: number, };

export type BulkOutcome = { 
/**
 * Numbers of the incidents that were changed.
 */
changed: Array<number>, 
/**
 * Those that were not.
 */
skipped: Array<BulkSkipped>, 
/**
 * What takes it back, once; absent when nothing was changed and for an undo.
 */
undo: string | null, };

export type BulkSkipped = { 
/**
 * Its number.
 */
number: number, 
/**
 * Why, for people.
 */
reason: string, };

export type Cadence = "daily" | "weekly" | "monthly" | "quarterly";

export type Caller = { 
/**
 * The person's name: the login at the database, or the OS account where that is a file.
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
 * From which machine; with the OS account there if the name is a login: `ws-7/anna`.
 */
host: string, };

export type Carrier = "approver" | "asker";

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

export type ChangeUnit = "percent" | "times";

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
 * Events by day of the week (Monday first) and hour of the day (UTC): 7 rows of 24.
 */
by_hour: Array<Array<number>>, 
/**
 * Incidents active at the end of the period, by age.
 */
incidents_by_age: Array<ReportAgeCount>, 
/**
 * Incidents with evidence in the period, by severity.
 */
incidents_by_severity: Array<ReportSeverityCount>, };

export type CheckResult = { 
/**
 * What exactly was counted.
 */
basis: string, 
/**
 * Column names of `rows`.
 */
columns: Array<string>, 
/**
 * How many of them are exceptions.
 */
exceptions: number, 
/**
 * Its parameters.
 */
parameters: Array<Parameter>, 
/**
 * How many things were looked at.
 */
population: number, 
/**
 * The question asked.
 */
query: EvidenceQuery, 
/**
 * Why, in one or two sentences.
 */
reason: string, 
/**
 * The evidence, each row as long as `columns`. Cells are as stored: attacker-written text included.
 */
rows: Array<Array<string>>, 
/**
 * The rule in words.
 */
rule: string, 
/**
 * Members drawn by chance that anybody can draw again.
 */
sample: Sample, 
/**
 * How it came out; `None` if nothing of the kind happened and that is no lack of evidence.
 */
state: State | null, 
/**
 * The question as the database was asked it.
 */
text: string, 
/**
 * How many of them are within what is tolerated only.
 */
warnings: number, 
/**
 * What it looks at, in our words.
 */
what: string, };

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

export type ClockTime = string;

export type CommentId = string;

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
production: boolean, 
/**
 * Nothing is written to the Redis: events are read without the consumer group, and what would write is refused.
 */
observe: boolean, };

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
database: Array<CheckStep>, 
/**
 * What the user of the Redis needs for each use, to copy; none of the private Redis.
 */
acl: Array<AclLine>, };

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
 * Nothing is written to the Redis.
 */
observe: boolean, 
/**
 * Password of the Redis user.
 */
redis_password: SecretInput, 
/**
 * Password of the Sentinels, where there are any.
 */
sentinel_password: SecretInput, 
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

export type ContainAdd = { 
/**
 * What is to be contained.
 */
kind: ContainKind, 
/**
 * Which one: session id, user, service, address.
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
 * Requests a minute that a limit leaves: 1 to 100,000; 30 if absent. Only of a limit.
 */
per_min: number | null, 
/**
 * The incident that this contains.
 */
incident: number | null, };

export type ContainCheck = { 
/**
 * What is to be contained.
 */
kind: ContainKind, 
/**
 * Which one: session id, user, service, address.
 */
target: string, };

export type ContainKind = "session" | "user" | "service" | "limit";

export type ContainList = { 
/**
 * The rows.
 */
containments: Array<ContainRow>, 
/**
 * How many there are, whatever was asked for at most.
 */
total: number, };

export type ContainListRequest = { 
/**
 * One of these kinds; empty means any.
 */
kind: Array<ContainKind>, 
/**
 * In one of these states; empty means any.
 */
state: Array<BlockState>, 
/**
 * Of exactly this session, user, service or address; absent means any.
 */
target?: string, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type ContainPreview = { 
/**
 * What would be contained.
 */
kind: ContainKind, 
/**
 * The target in canonical form.
 */
target: string, 
/**
 * The key in Redis.
 */
key: string, 
/**
 * Why it would be refused, if it would.
 */
refusal: string | null, 
/**
 * Events of the target in the last 24 hours.
 */
events_24h: number, 
/**
 * Sessions among them.
 */
sessions_24h: number, 
/**
 * Users among them, most events first, at most 20.
 */
users_24h: Array<string>, 
/**
 * The one in force.
 */
existing: Containment | null, };

export type ContainRemove = { 
/**
 * Which.
 */
id: ContainmentId, 
/**
 * Why; required.
 */
reason: string, };

export type ContainRow = { 
/**
 * The containment.
 */
containment: Containment, 
/**
 * Number of the incident that it contains.
 */
incident: number | null, 
/**
 * Remaining time of the key in Redis, seconds; absent if the key is not there or Redis does not answer.
 */
redis_ttl_s: number | null, };

export type Containment = { 
/**
 * Identity.
 */
id: ContainmentId, 
/**
 * What is contained.
 */
kind: ContainKind, 
/**
 * Which one: session id, user, service, or address in canonical form.
 */
target: string, 
/**
 * Requests a minute; only of a limit.
 */
per_min: number | null, 
/**
 * Why.
 */
reason: string, 
/**
 * Who contained it.
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
 * When it was taken back.
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

export type ContainmentId = string;

export type ControlComment = { 
/**
 * When.
 */
at: string, 
/**
 * Who.
 */
by: string, 
/**
 * Control id.
 */
control: string, 
/**
 * Framework id.
 */
framework: string, 
/**
 * Identity.
 */
id: CommentId, 
/**
 * By what the row is known in later reports, where that tells it from all others: an account, a number, an id.
 */
key?: string, 
/**
 * The row of evidence that it is about, cell by cell; empty for the control as a whole.
 */
row: Array<string>, 
/**
 * What they say.
 */
text: string, };

export type ControlResult = { 
/**
 * What a person has to attest; set exactly for manual controls.
 */
attest: string | null, 
/**
 * The questions; empty for a manual control.
 */
checks: Array<CheckResult>, 
/**
 * What people say about its exceptions.
 */
comments?: Array<ControlComment>, 
/**
 * How many of them are exceptions.
 */
exceptions: number, 
/**
 * The framework's own id.
 */
id: string, 
/**
 * How many things were looked at, over all checks.
 */
population: number, 
/**
 * What people gave for it and still counts at the end of the period.
 */
proofs: Array<Proof>, 
/**
 * Why, in one or two sentences.
 */
reason: string, 
/**
 * What to do; empty when it passed or is manual.
 */
remedy: string, 
/**
 * How it came out.
 */
state: State, 
/**
 * What the control wants.
 */
text: string, 
/**
 * In our words.
 */
title: string, 
/**
 * How many of them are within what is tolerated only.
 */
warnings: number, };

export type CopyEncryption = { 
/**
 * Public keys (X25519, `age1...`), at most [`Self::RECIPIENTS_MAX`]. None with a passphrase.
 */
recipients: Array<string>, 
/**
 * The full path of the file that holds the passphrase, on the machine that makes the copy.
 */
passphrase_file?: string, };

export type CopyKey = { 
/**
 * The full path of an age identity file: a line `AGE-SECRET-KEY-1...` of each key.
 */
identity?: string, 
/**
 * The full path of the file that holds the passphrase.
 */
passphrase_file?: string, };

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

export type CountryCount = { 
/**
 * Two letters in upper case, or what the location file says instead; `None` where no place is known.
 */
country: string | null, 
/**
 * Events.
 */
events: number, 
/**
 * Events that failed.
 */
failures: number, 
/**
 * Different sources.
 */
sources: number, };

export type DatabaseBackup = { 
/**
 * The file to make; it must not be there.
 */
path: string, 
/**
 * Makes it possible to ask how far it is and to stop it (`audit_verify_progress`, `audit_verify_cancel`).
 */
ticket?: string, 
/**
 * For whom it is encrypted; it is not if absent.
 */
encryption?: CopyEncryption, };

export type DatabaseBackupRef = { 
/**
 * The file.
 */
path: string, 
/**
 * As for the backup.
 */
ticket?: string, 
/**
 * What opens it, if it is encrypted.
 */
key?: CopyKey, };

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

export type DatabaseCopies = { 
/**
 * `SQLite` or `PostgreSQL`.
 */
engine: string, 
/**
 * The folder of the plan.
 */
folder: string | null, 
/**
 * The run that made the newest copy.
 */
last: JobRun | null, 
/**
 * When the next one is to be made.
 */
next: Period | null, 
/**
 * The newest rehearsal of a newest copy that came to an end.
 */
rehearsal: JobRun | null, 
/**
 * When the next one is to be.
 */
next_rehearsal: Period | null, 
/**
 * What is wrong with them, for people.
 */
problem: string | null, };

export type DatabaseCopy = { 
/**
 * The file; of one that was put back on a server the name of the new database.
 */
path: string, 
/**
 * Its size.
 */
bytes: number, 
/**
 * Its SHA-256.
 */
sha256: string, 
/**
 * Newest migration in it.
 */
schema: number, 
/**
 * Erasures of people that were done again in it, because it is older than they are. Free text and sealed content were not
 * looked through for the names: they are erased once more in it.
 */
erased_again: number, 
/**
 * Erasures that were not, because a legal hold that is in force in it keeps the person.
 */
erasures_held: number, 
/**
 * Of a restored copy: records that this console saw of its log and that the copy does not have. Where it takes the
 * place of the database they are held against it, until a person takes it as it is.
 */
behind: number, 
/**
 * Why a copy that was just made of a PostgreSQL database was not checked, and is kept all the same. Then nothing is known
 * of its trail.
 */
unverified?: string, 
/**
 * When the copy was made, if it is byte for byte one that the audit trail of this connection names. Absent else, and of
 * one that was just made: then nothing says whether what its own trail does not cover, events among it, was altered.
 */
made_at?: string, 
/**
 * What checking all of its audit trail came to.
 */
trail: AuditVerification, 
/**
 * For whom it is encrypted, in words; absent if it is not.
 */
encryption?: string, };

export type DatabaseCopyRun = { 
/**
 * The folder; that of the plan if absent. Only there older copies are removed as the plan says.
 */
folder?: string, 
/**
 * For whom it is encrypted; as the plan says if absent.
 */
encryption?: CopyEncryption, };

export type DatabaseExport = { 
/**
 * The folder to make; it must not be there.
 */
directory: string, 
/**
 * As for the backup.
 */
ticket?: string, };

export type DatabaseExported = { 
/**
 * The folder: `TABLE.jsonl` and `TABLE.csv` of each, `LEFT_OUT`, `SHA256SUMS`.
 */
directory: string, 
/**
 * The tables.
 */
tables: Array<ExportedTable>, 
/**
 * What is not in the files, and why.
 */
left_out: Array<LeftOutTable>, 
/**
 * SHA-256 of `SHA256SUMS`.
 */
sha256: string, };

export type DatabaseMaintain = { 
/**
 * Write the file of SQLite anew, without its free pages; whoever writes waits meanwhile.
 */
compact: boolean, };

export type DatabaseMaintained = { 
/**
 * What is wrong with its pages, for people; nothing else was done then.
 */
problem: string | null, 
/**
 * SQLite's log was folded into the file; else somebody who reads stood in the way.
 */
folded: boolean, 
/**
 * How large it was.
 */
before: DatabaseSizes, 
/**
 * How large it is.
 */
after: DatabaseSizes, };

export type DatabaseRehearse = { 
/**
 * The file; the newest copy that the audit trail names if absent. Then it must not be older than the plan asks.
 */
path?: string, 
/**
 * What opens it, if it is encrypted; what the plan names if absent.
 */
key?: CopyKey, };

export type DatabaseRestore = { 
/**
 * The backup.
 */
path: string, 
/**
 * The file to make, of a copy of a SQLite database; it must not be there: nothing is ever overwritten.
 */
to: string, 
/**
 * Of a copy of a PostgreSQL database, and then `to` is empty: the name of the database to make on the server of this
 * connection; there must be none.
 */
database?: string, 
/**
 * As for the backup.
 */
ticket?: string, 
/**
 * What opens it, if it is encrypted.
 */
key?: CopyKey, };

export type DatabaseSizes = { 
/**
 * The file, or what the server keeps of the database.
 */
bytes: number, 
/**
 * SQLite's log beside the file.
 */
log_bytes: number, 
/**
 * Of the file: free pages, which are used again.
 */
free_bytes: number, };

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

export type DoubtedReport = { 
/**
 * Which; its record may not be readable, or not there.
 */
id: string, 
/**
 * What is otherwise.
 */
problems: Array<string>, };

export type Drift = { 
/**
 * The user or endpoint.
 */
entity: Entity, 
/**
 * What changed.
 */
kind: DriftKind, 
/**
 * How it was.
 */
before: string, 
/**
 * How it is.
 */
after: string, 
/**
 * The same as kinds and numbers: how it was and how it is.
 */
values: [DriftValue, DriftValue], 
/**
 * How much: a factor for volumes (never below 1), the share that moved in percent for hours, the number of new
 * values otherwise.
 */
size: number, 
/**
 * Of volumes and requests: they fell by that factor and did not rise.
 */
fell: boolean, };

export type DriftKind = "new" | "gone" | "hours" | "countries" | "agents" | "networks" | "volume" | "requests";

export type DriftUnit = "hour_requests" | "hour_kib" | "day_kib";

export type DriftValue = { "kind": "absent" } | { "kind": "events", 
/**
 * How many.
 */
n: number, } | { "kind": "values", 
/**
 * Which.
 */
values: Array<string>, } | { "kind": "hours", 
/**
 * 0 to 23, ascending.
 */
hours: Array<number>, } | { "kind": "usual", 
/**
 * The median.
 */
median: number, 
/**
 * Its median absolute deviation.
 */
deviation: number, 
/**
 * Of what.
 */
unit: DriftUnit, };

export type EndpointBaseline = { 
/**
 * The path with `*` for ids.
 */
endpoint: string, 
/**
 * Requests that were not refused.
 */
requests: number, 
/**
 * Requests per hour.
 */
hour_requests: Volume, 
/**
 * KiB sent per hour.
 */
hour_kib: Volume, };

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
 * Keys set aside because they could not be read; `null` while no engine works in this process.
 */
quarantined_total: number | null, 
/**
 * Entries of the detection tables dropped because a table was full; `null` as before.
 */
evicted_total: number | null, 
/**
 * Both together: what was not looked at as it should have been.
 */
lost_total: number | null, 
/**
 * Findings made.
 */
findings_total: number, 
/**
 * Rules that run; `null` where it is not known: beside the engine of another process, which may be on another
 * machine with a directory of its own. That process's status says it.
 */
rules: number | null, 
/**
 * Documents of the rules directory that could not be used; `rule_list` says why. `null` as `rules`.
 */
rule_problems: number | null, };

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

export type EnrichmentState = { 
/**
 * The location files that are set; none means that there is no location data.
 */
location: Array<LocationFile>, 
/**
 * Look-ups that led nowhere because a file is damaged, since this process read it.
 */
damaged_lookups: number, 
/**
 * Threat lists.
 */
threat_lists: number, 
/**
 * Entries in all of them.
 */
threat_entries: number, 
/**
 * Why the threat lists cannot be used; absent while they can.
 */
threat_problem: string | null, 
/**
 * Rules about assets.
 */
assets: number, 
/**
 * How fast the risk of entities decays.
 */
risk: RiskPolicy, };

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

export type EntityHistory = { 
/**
 * Attacks.
 */
true_positives: number, 
/**
 * Mistakes of a rule, and what was allowed.
 */
harmless: number, };

export type EntityKind = "ip" | "user" | "session" | "endpoint";

export type EntityRisk = { 
/**
 * The entity.
 */
entity: Entity, 
/**
 * Now, 0 to 100 with one decimal.
 */
score: number, 
/**
 * When it last gained some (event time).
 */
at: string, 
/**
 * Incidents that count against it.
 */
incidents: number, };

export type EntityRiskDetail = { 
/**
 * The entity with its score; 0 if no incident was about it.
 */
risk: EntityRisk, 
/**
 * What its incidents contribute, newest first, at most 100.
 */
contributions: Array<RiskContribution>, 
/**
 * How its earlier incidents were judged.
 */
history: EntityHistory, 
/**
 * Its course over the last 30 days, oldest first, as its incidents are judged now; empty without any.
 */
course: Array<RiskPoint>, 
/**
 * When the first stored event about it happened.
 */
first_seen: string | null, 
/**
 * When the last one did.
 */
last_seen: string | null, 
/**
 * Where it is, if it is an address and there is location data.
 */
place: Place | null, 
/**
 * Is there location data at all?
 */
has_location_data: boolean, 
/**
 * Threat lists that name it.
 */
threats: Array<ThreatMatch>, 
/**
 * What was said about it.
 */
assets: Array<AssetRule>, 
/**
 * How fast it decays.
 */
policy: RiskPolicy, 
/**
 * At which time.
 */
at: string, };

export type EntityRiskPage = { 
/**
 * The rows.
 */
rows: Array<EntityRiskRow>, 
/**
 * Is there location data at all?
 */
has_location_data: boolean, 
/**
 * How fast it decays.
 */
policy: RiskPolicy, 
/**
 * At which time.
 */
at: string, };

export type EntityRiskRef = { 
/**
 * Which.
 */
entity: Entity, };

export type EntityRiskRequest = { 
/**
 * Of what.
 */
kind: EntityKind, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type EntityRiskRow = { 
/**
 * The entity with its score.
 */
risk: EntityRisk, 
/**
 * Where it is, if it is an address and there is location data.
 */
place: Place | null, 
/**
 * Threat lists that name it.
 */
threats: Array<ThreatMatch>, };

export type EntryId = string;

export type EntryResult = "open" | "good" | "bad";

export type ErasedCount = { 
/**
 * What: a table of the database, or `trail`, `redis`.
 */
what: string, 
/**
 * Rows that are gone.
 */
removed: number, 
/**
 * Rows in which the name was replaced.
 */
changed: number, };

export type ErasedRecords = { 
/**
 * Number of the record that says so.
 */
record: number, 
/**
 * How many records it explains.
 */
n: number, 
/**
 * The class whose retention took it away; absent if a person was erased.
 */
class?: RecordClass, };

export type Erasure = { 
/**
 * Its id.
 */
id: string, 
/**
 * When.
 */
at: string, 
/**
 * By whom.
 */
by: string, 
/**
 * Kind of the name.
 */
kind: SubjectKind, 
/**
 * What stands where the name stood.
 */
pseudonym: string, 
/**
 * Number of its record in the trail.
 */
record: number, 
/**
 * What was erased.
 */
counts: Array<ErasedCount>, };

export type ErrorCode = "validation" | "not_found" | "conflict" | "precondition" | "permission" | "approval" | "unavailable" | "timeout" | "cancelled" | "schema_too_new" | "secret_store" | "internal";

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

export type EventExport = { 
/**
 * In this period; absent means any time.
 */
period: Period | null, 
/**
 * What must hold, in the query language.
 */
query: string | null, 
/**
 * Of times without an offset in the query, and of the times in the file, each with its offset: an IANA name; absent
 * means UTC.
 */
zone?: string, 
/**
 * How.
 */
format: EventFormat, 
/**
 * Fields of the query language, for CSV.
 */
columns: Array<string>, 
/**
 * Where to; a file there is replaced.
 */
path: string, };

export type EventExported = { 
/**
 * Where it is.
 */
path: string, 
/**
 * Events in it, newest first.
 */
rows: number, 
/**
 * Its size.
 */
bytes: number, 
/**
 * SHA-256 of it, hexadecimal.
 */
sha256: string, 
/**
 * Is every event that was found in it? An export ends after a million.
 */
complete: boolean, };

export type EventFacet = { 
/**
 * The field, as the query language names it.
 */
field: string, 
/**
 * At most ten, the most frequent first.
 */
values: Array<FacetCount>, };

export type EventField = { 
/**
 * Its name.
 */
name: string, 
/**
 * What it holds.
 */
about: string, 
/**
 * All values there are, where they are few.
 */
values: Array<string>, 
/**
 * Takes `>`, `<` and ranges.
 */
ordered: boolean, };

export type EventFigures = { 
/**
 * Of which period: the one that was asked for, or from the first to the last stored event.
 */
period: Period, 
/**
 * How many in the period.
 */
total: number, 
/**
 * When, by severity.
 */
histogram: Histogram, 
/**
 * The most frequent values of some fields.
 */
facets: Array<EventFacet>, 
/**
 * How many of the newest rows the facets count.
 */
facet_rows: number, 
/**
 * Do the facets count every row that was found?
 */
facets_complete: boolean, };

export type EventFiguresRequest = { 
/**
 * In this period; absent means from the first to the last stored event.
 */
period: Period | null, 
/**
 * What must hold, in the query language.
 */
query: string | null, 
/**
 * Of times without an offset in the query: an IANA name such as Europe/Berlin; absent means UTC.
 */
zone?: string, 
/**
 * Bars of the histogram, 1 to 120.
 */
buckets: number, 
/**
 * Fields of which to count the values; empty means those that a search is narrowed by.
 */
facets?: Array<string>, };

export type EventFormat = "csv" | "jsonl";

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
 * About this entity; a range stands for its addresses.
 */
entity: Entity | null, 
/**
 * Words in type, actor, address, resource or request, case-insensitive.
 */
text: string | null, 
/**
 * What must hold besides, in the query language (docs/search.md).
 */
query: string | null, 
/**
 * Of times without an offset in the query: an IANA name such as Europe/Berlin; absent means UTC.
 */
zone?: string, 
/**
 * Cursor of the page before.
 */
after: string | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type EventQueryReply = { 
/**
 * The query as it is understood; empty if it is not.
 */
canonical: string, 
/**
 * Why it is none.
 */
fault: QueryFault | null, 
/**
 * The fields that can be asked for; `header.NAME` and `details.NAME` come on top.
 */
fields: Array<EventField>, };

export type EventQueryRequest = { 
/**
 * The text.
 */
query: string, 
/**
 * Of times without an offset in the query: an IANA name such as Europe/Berlin; absent means UTC.
 */
zone?: string, };

export type EventReveal = { 
/**
 * The event.
 */
id: EventId, 
/**
 * The mark that stands in the place of the value, with or without its brackets: `password:1f0c3a9b-77de0142`.
 */
mark: string, 
/**
 * Why; it stands in the audit trail.
 */
reason: string, };

export type EventRevealed = { 
/**
 * What it is.
 */
kind: SealKind, 
/**
 * Where it stands in the event: `http.query`.
 */
field: string, 
/**
 * The value, as the application wrote it.
 */
value: string, };

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

export type EvidenceQuery = "authentication_events" | "authorization_events" | "data_access_events" | "events_named" | "events_complete" | "failure_runs" | "failures_reported" | "accounts_personal" | "brute_force_incidents" | "web_attack_incidents" | "incidents_acknowledged" | "incidents_resolved" | "incidents_judged" | "incidents_assigned" | "incidents_confirmed_open" | "incidents_complete" | "playbooks_followed" | "incidents_reviewed" | "false_positives" | "breach_decided" | "breach_clock" | "breach_told" | "breach_reasoned" | "evidence_intact" | "sensitive_data" | "blocks_justified" | "days_with_events" | "categories_reporting" | "feed_silence" | "lost_events" | "categories_registered" | "rules_fired" | "audit_records_named" | "audit_verifications" | "audit_verification_fresh" | "audit_verification_daily" | "audit_checkpoints" | "audit_complete" | "audit_signed" | "audit_explained" | "actors_personal" | "actions_granted" | "audit_protected" | "admins_approved" | "payloads_sealed" | "reports_traceable" | "retention_runs" | "retention_fresh" | "retention_limits" | "retention_policy" | "history_kept" | "encryption_known" | "configuration_changes" | "register_timely" | "register_closed" | "register_complete" | "register_approved" | "register_good" | "register_fresh" | "register_current" | "register_daily" | "register_gaps" | "register_field" | "controls_followed";

export type EvidenceStrength = "session_key" | "local_only" | "second_place" | "witnessed";

export type ExpiryTrend = { 
/**
 * A second, over the last 24 hours.
 */
per_s: number | null, 
/**
 * A second, over the 24 hours before.
 */
before_per_s: number | null, 
/**
 * In a sentence.
 */
text: string, };

export type ExportFormat = "csv" | "json" | "ndjson";

export type ExportRequest = { 
/**
 * Events of these categories; empty means all.
 */
categories: Array<Category>, 
/**
 * Events from this time on.
 */
from: string | null, 
/**
 * Events before this time.
 */
to: string | null, 
/**
 * Every key under the prefix instead, whatever it holds.
 */
all: boolean, 
/**
 * How it is written.
 */
format: ExportFormat, 
/**
 * The file, on the machine where Watchpost runs.
 */
path: string, 
/**
 * Replace a file that is there.
 */
force: boolean, };

export type ExportedTable = { 
/**
 * Its name.
 */
name: string, 
/**
 * How many rows.
 */
rows: number, };

export type FacetCount = { 
/**
 * The value, as the query language takes it.
 */
value: string, 
/**
 * How often.
 */
n: number, };

export type Fact = { 
/**
 * Stable name: `file`, `sha256`.
 */
name: string, 
/**
 * For people.
 */
title: string, 
/**
 * What it is.
 */
text: string, };

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
 * Further events that it took to complete it, one by one: what a correlation of Sigma counted, the newest 100.
 */
linked?: Array<EventId>, 
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

export type FourEyes = { 
/**
 * A second person is asked for, as soon as there is one.
 */
on: boolean, 
/**
 * Wider IPv4 ranges than this prefix length need two people to block: 24 is 256 addresses.
 */
prefix_v4: number, 
/**
 * The same of IPv6.
 */
prefix_v6: number, };

export type FourEyesState = "in_force" | "alone" | "off";

export type FrameworkInfo = { 
/**
 * `soc2`, `kpi`.
 */
id: string, 
/**
 * For people.
 */
name: string, 
/**
 * Version of the framework file; empty for other kinds.
 */
version: string, 
/**
 * Number of controls; 0 for other kinds.
 */
controls: number, 
/**
 * What kind of report it is.
 */
kind: ReportKind, 
/**
 * What has to be said besides the period, for people: `the number of the incident`.
 */
subject: string | null, 
/**
 * What it is for, in one sentence.
 */
about: string, };

export type FrameworkList = { 
/**
 * Frameworks by name, then the other kinds.
 */
frameworks: Array<FrameworkInfo>, 
/**
 * Framework files of the user that cannot be used: file, line and reason.
 */
broken: Array<string>, 
/**
 * The folder in which users put framework files.
 */
folder: string, };

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
 * What the report can and cannot show.
 */
note: string, 
/**
 * Edition.
 */
version: string, };

export type Gap = { 
/**
 * The control.
 */
control: string, 
/**
 * What is lacking.
 */
lacks: string, 
/**
 * What to do about it.
 */
remedy: string, };

export type Generations = { 
/**
 * Days, 0 to 1,000.
 */
daily: number, 
/**
 * Weeks, Monday first, 0 to 1,000.
 */
weekly: number, 
/**
 * Months, 0 to 1,000.
 */
monthly: number, };

export type HabitValue = { 
/**
 * The value.
 */
value: string, 
/**
 * How often it was begun with: changes to it from another value.
 */
count: number, 
/**
 * When it was begun with last.
 */
last: string, };

export type HealthAlert = { 
/**
 * Stable name of the metric: `memory_used_ratio`.
 */
metric: string, 
/**
 * For people: `Memory use`.
 */
title: string, 
/**
 * Which server.
 */
server: string, 
/**
 * Warning or critical.
 */
verdict: HealthVerdict, 
/**
 * Since when.
 */
since: string, 
/**
 * Since when it was worst: what names the finding.
 */
raised_at: string, 
/**
 * In a sentence: `used memory 114 % of maxmemory (critical from 85 %) since 10:02 UTC`.
 */
text: string, };

export type HealthForecast = { 
/**
 * Memory.
 */
memory: MemoryForecast, 
/**
 * Keys that expire.
 */
expiry: ExpiryTrend, };

export type HealthHistory = { 
/**
 * The samples.
 */
samples: Array<HealthSample>, 
/**
 * While Redis is down, what this console measured last, in full; absent if it has not since it was started.
 */
last?: RedisHealth, };

export type HealthHistoryRequest = { 
/**
 * Which period.
 */
period: Period, 
/**
 * 1 to 1,000.
 */
points: number, };

export type HealthLimit = { 
/**
 * Stable name of the metric: `memory_used_ratio`.
 */
metric: string, 
/**
 * Warning above this.
 */
warning: number | null, 
/**
 * Critical above this.
 */
critical: number | null, };

export type HealthLimitState = { 
/**
 * Stable name: `memory_used_ratio`.
 */
metric: string, 
/**
 * For people: `Memory use`.
 */
title: string, 
/**
 * The unit of its lines.
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
 * The built-in line for a warning.
 */
default_warning: number | null, 
/**
 * The built-in line for critical.
 */
default_critical: number | null, };

export type HealthPolicy = { 
/**
 * Lines that are not the built-in ones; each metric once.
 */
limits: Array<HealthLimit>, 
/**
 * Samples in a row, one every ten seconds, that it takes until an alert is raised or ends.
 */
samples: number, 
/**
 * How far below its line a measure must be for an alert to end, in percent of the line.
 */
margin_percent: number, 
/**
 * Hours after which samples become means of five minutes.
 */
average_after_h: number, 
/**
 * Days until these are removed.
 */
keep_days: number, };

export type HealthPolicyPut = { 
/**
 * From now on.
 */
policy: HealthPolicy, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type HealthPolicyState = { 
/**
 * As it is stored.
 */
policy: HealthPolicy, 
/**
 * The lines of every metric, as they hold.
 */
limits: Array<HealthLimitState>, };

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
 * Width of a bucket in seconds.
 */
bucket_s: number, 
/**
 * One series each, all of the same length.
 */
series: Array<Series>, 
/**
 * Start of the first bucket.
 */
start: string, };

export type HoldAdd = { 
/**
 * Kind of the name.
 */
kind: SubjectKind, 
/**
 * The name.
 */
subject: string, 
/**
 * Why: the case, the authority.
 */
reason: string, 
/**
 * Who answers for it.
 */
owner: string, };

export type HoldRelease = { 
/**
 * Its id.
 */
id: string, 
/**
 * Why.
 */
reason: string, };

export type HostPort = { 
/**
 * Host name or address.
 */
host: string, 
/**
 * Port.
 */
port: number, };

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

export type Identity = { 
/**
 * Is it one person?
 */
kind: IdentityKind, 
/**
 * The login at the database, as its server says it; absent where the database is a file.
 */
login: string | null, 
/**
 * The account of the operating system.
 */
account: string, 
/**
 * Why, for people.
 */
detail: string, 
/**
 * Why no role of the database holds this login back: the owner of the tables, the engine; absent where one does, and where
 * the database is a file.
 */
unbound?: string, };

export type IdentityKind = "personal" | "shared" | "unknown";

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

export type IncidentBulk = { 
/**
 * Which, by number; leave it empty to use the filter.
 */
numbers: Array<number>, 
/**
 * Which, by filter; with `expected`.
 */
filter: IncidentFilter | null, 
/**
 * How many the filter described when the person looked; refused if it is another number now.
 */
expected: number | null, 
/**
 * What.
 */
action: BulkAction, };

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
 * Entities of its events with the number of events, at most 200: its own one first, then the most frequent; `entity_rows`
 * tells how many there are.
 */
entities: Array<EntityCount>, 
/**
 * Different entities of its events.
 */
entity_rows: number, 
/**
 * Oldest first, the newest 200; `earlier_notes` leads to those before.
 */
notes: Array<Note>, 
/**
 * Cursor of the notes before those, if there are any.
 */
earlier_notes: string | null, 
/**
 * Oldest first, the newest 200; `earlier_timeline` leads to those before.
 */
timeline: Array<TimelineEntry>, 
/**
 * Cursor of the lines before those, if there are any.
 */
earlier_timeline: string | null, 
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
playbook?: Playbook, 
/**
 * Why the risk is what it is: the factors of the worst finding, whose points add up to it. Empty where it is not
 * known.
 */
risk: Array<RiskFactor>, };

export type IncidentEarlier = { 
/**
 * Of which incident.
 */
number: number, 
/**
 * Before this cursor, as `incident_detail` or the part after this one gave it; absent means the newest.
 */
before: string | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type IncidentEscalate = { 
/**
 * Which.
 */
number: number, 
/**
 * To this severity, which is higher.
 */
severity: Severity | null, 
/**
 * To this person or role: `lead`.
 */
to: string | null, 
/**
 * Why; required.
 */
reason: string, 
/**
 * The version that the person saw.
 */
version: number | null, };

export type IncidentEvent = { 
/**
 * Identity.
 */
id: EventId, 
/**
 * When it happened.
 */
at: string, 
/**
 * How often it happened, at least 1.
 */
count: number, 
/**
 * SHA-256 over the event's canonical JSON when it was linked, hex.
 */
sha256: string, 
/**
 * The event: the frozen copy, else as archived; absent when the retention of the archive has removed it.
 */
event: Event | null, 
/**
 * Is it the frozen copy?
 */
frozen: boolean, };

export type IncidentEventList = { 
/**
 * The rows.
 */
rows: Array<IncidentEvent>, 
/**
 * Cursor of the next page, if there is one.
 */
next: string | null, 
/**
 * Different events of the incident.
 */
total: number, 
/**
 * The same, each as often as it happened.
 */
occurrences: number, };

export type IncidentEventsRequest = { 
/**
 * Of which incident.
 */
number: number, 
/**
 * Cursor of the page before.
 */
after: string | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

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
 * About this entity, or with it among its events; a range stands for its addresses.
 */
entity: Entity | null, 
/**
 * Opened in this period, by the engine's time.
 */
opened?: Period, 
/**
 * Something happened to it in this period: by a person, or new findings.
 */
changed?: Period, 
/**
 * Began in this period, as the Overview counts new incidents: its first evidence is in it, by the time of the event.
 */
began?: Period, 
/**
 * Somebody acknowledged it, or nobody did yet.
 */
acknowledged?: boolean, 
/**
 * Active at this instant, as the Overview counts active incidents: it had begun and was not resolved.
 */
active_at?: string, 
/**
 * This event is of its attack, or of one that is merged into it.
 */
event?: EventId, };

export type IncidentHandover = { 
/**
 * Which.
 */
number: number, 
/**
 * To whom.
 */
to: string, 
/**
 * What they have to know; required.
 */
note: string, 
/**
 * The version that the person saw.
 */
version: number | null, };

export type IncidentId = string;

export type IncidentMerge = { 
/**
 * Which.
 */
numbers: Array<number>, 
/**
 * Into which; an active one.
 */
into: number, 
/**
 * Why; required.
 */
reason: string, };

export type IncidentNote = { 
/**
 * On which incident.
 */
number: number, 
/**
 * 1 to 10,000 characters.
 */
text: string, };

export type IncidentOrder = "newest" | "severity" | "due" | "urgency";

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

export type IncidentPause = { 
/**
 * Which.
 */
number: number, 
/**
 * Why, from the closed list.
 */
reason: PauseReason, 
/**
 * What exactly is waited for; required.
 */
note: string, 
/**
 * The version that the person saw.
 */
version: number | null, };

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
 * Why, from the closed list of the verdict; absent means `other`.
 */
cause?: VerdictCause, 
/**
 * Why, in words; may be empty with a cause that is not `other`.
 */
reason: string, 
/**
 * With the verdict `duplicate`: number of the incident that is kept.
 */
duplicate_of?: number, 
/**
 * The version that the person saw.
 */
version: number | null, };

export type IncidentSimilar = { 
/**
 * Which.
 */
number: number, 
/**
 * How many at most, 1 to 500.
 */
limit: number, };

export type IncidentSplit = { 
/**
 * Which; a merged one.
 */
number: number, 
/**
 * Why; required.
 */
reason: string, };

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

export type IncidentStepCheck = { 
/**
 * Of which incident.
 */
number: number, 
/**
 * The step's id.
 */
step: string, 
/**
 * Checked, or open again?
 */
done: boolean, 
/**
 * What came out of it.
 */
note: string | null, };

export type IncidentUndo = { 
/**
 * The token that the bulk action returned; of the change of one incident its number and the version that the change
 * left, `42@7`.
 */
undo: string, };

export type JobId = string;

export type JobKind = "retention" | "optimize" | "import" | "simulate" | "export" | "backup" | "restore" | "benchmark" | "cleanup" | "aggregate" | "database_backup" | "database_rehearsal";

export type JobList = { 
/**
 * The rows, at most 100.
 */
runs: Array<JobRun>, };

export type JobPlan = { 
/**
 * IANA name of the time zone of the hours: `Europe/Berlin`.
 */
time_zone: string, 
/**
 * The off-peak hours begin.
 */
from: ClockTime, 
/**
 * They end; on the next day, if that is not after their beginning.
 */
to: ClockTime, 
/**
 * The jobs.
 */
jobs: Array<PlannedJob>, };

export type JobPlanPut = { 
/**
 * The plan.
 */
plan: JobPlan, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type JobPlanState = { 
/**
 * The plan.
 */
plan: JobPlan, 
/**
 * The off-peak hours that it is now, if it is.
 */
open: Period | null, 
/**
 * Its jobs, in the same order.
 */
jobs: Array<PlannedState>, };

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
 * What is no number, in the order to show it. They stand in the audit trail too.
 */
facts: Array<Fact>, 
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
 * How it changed; `None` where there was nothing to compare with.
 */
change: KpiChange | null, 
/**
 * Its unit.
 */
unit: Unit, 
/**
 * Its course over the period, oldest first, one value a bucket.
 */
series: Array<number>, };

export type KpiChange = { 
/**
 * How much.
 */
by: number, 
/**
 * Of what.
 */
unit: ChangeUnit, };

export type LargeKey = { 
/**
 * Its name.
 */
key: string, 
/**
 * Memory of value and key.
 */
bytes: number, };

export type LeftOutTable = { 
/**
 * `table`, or `table.column`.
 */
name: string, 
/**
 * Why.
 */
why: string, };

export type LegalHold = { 
/**
 * Its id.
 */
id: string, 
/**
 * About whom.
 */
subject: Subject, 
/**
 * Why.
 */
reason: string, 
/**
 * Who answers for it.
 */
owner: string, 
/**
 * When it was placed.
 */
placed_at: string, 
/**
 * By whom.
 */
placed_by: string, 
/**
 * When it was released; in force if absent.
 */
released_at: string | null, 
/**
 * By whom.
 */
released_by: string | null, 
/**
 * Why.
 */
release_reason: string | null, };

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
jobs: Array<JobRun>, 
/**
 * The window is locked: nothing of the workspace is told.
 */
locked?: boolean, };

export type LocationFile = { 
/**
 * What it tells.
 */
role: LocationRole, 
/**
 * Where it is.
 */
path: string, 
/**
 * What its maker calls it.
 */
kind: string | null, 
/**
 * When it was made.
 */
built_at: string | null, 
/**
 * Its age in whole days.
 */
age_days: number | null, 
/**
 * Why it cannot be used; absent while it works.
 */
problem: string | null, };

export type LocationRole = "city" | "asn";

export type LocationSettings = { 
/**
 * Countries or cities; absolute path on the machine that runs the engine.
 */
city_file: string | null, 
/**
 * Autonomous systems; absolute path.
 */
asn_file: string | null, };

export type LogHead = { 
/**
 * Which log.
 */
id: string, 
/**
 * Root of its tree, SHA-256, hexadecimal.
 */
root: string, 
/**
 * Number of records in its tree.
 */
size: number, };

export type MatchedField = { 
/**
 * The field, in dotted form: `http.query`, `http.headers.user-agent`, `http.body`.
 */
field: string, 
/**
 * From raw to the form in which the rule matched; never empty.
 */
layers: Array<DecodedLayer>, };

export type Matter = "purge" | "mass_block" | "hold_release" | "signing_key" | "token_key" | "four_eyes";

export type MemoryForecast = { 
/**
 * In a word.
 */
outlook: MemoryOutlook, 
/**
 * When it is full.
 */
full_at: string | null, 
/**
 * Bytes a day that it grows by, by a straight line through its history; below zero it falls.
 */
bytes_per_day: number | null, 
/**
 * In a sentence: `at this rate memory is full in 9 days`.
 */
text: string, };

export type MemoryLimit = { 
/**
 * Bytes.
 */
bytes: number, 
/**
 * Of the machine, because the server has no limit of its own.
 */
of_machine: boolean, };

export type MemoryOutlook = "unknown" | "not_at_this_rate" | "full";

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

export type NodeHealth = { 
/**
 * Where it is.
 */
node: string, 
/**
 * `Redis 7.0.15`; empty if it does not answer.
 */
server: string, 
/**
 * How many slots it serves.
 */
slots: number, 
/**
 * Does it hold our events?
 */
own: boolean, 
/**
 * The worst verdict of `metrics`; critical if it does not answer.
 */
verdict: HealthVerdict, 
/**
 * Its own metrics.
 */
metrics: Array<Metric>, 
/**
 * Why it does not answer.
 */
problem: string | null, };

export type NotStarted = { 
/**
 * When that was.
 */
at: string, 
/**
 * Why, in words.
 */
why: string, 
/**
 * When it is tried again; absent if nobody knows when it is off-peak again.
 */
again: string | null, };

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

export type NotePart = { 
/**
 * The notes.
 */
rows: Array<Note>, 
/**
 * Cursor of the notes before these, if there are any.
 */
earlier: string | null, };

export type NotedMatch = { 
/**
 * The match.
 */
found: ThreatMatch, 
/**
 * The entry's note.
 */
note: string | null, };

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

export type OpeningFailed = { 
/**
 * Which.
 */
id: ConnectionId, 
/**
 * Its name.
 */
name: string, 
/**
 * Why, and what to do about it.
 */
error: OpError, };

export type OptimizeRequest = { 
/**
 * The way back: write compressed payloads as they were, and keep events as large hashes again where the server's
 * limits ask for it by now. Expiries that were given and index entries that were removed stay as they are.
 */
revert: boolean, };

export type Origin = "window" | "cli" | "http" | "schedule" | "engine";

export type OutboxId = string;

export type OutboxList = { 
/**
 * The messages, newest first, at most 500.
 */
messages: Array<OutboxMessage>, 
/**
 * How many wait to be delivered.
 */
waiting: number, };

export type OutboxMessage = { 
/**
 * Identity; what delivers may use it to deliver once.
 */
id: OutboxId, 
/**
 * `notify` or `ticket`.
 */
kind: ActionKind, 
/**
 * Channel or queue.
 */
destination: string, 
/**
 * The incident.
 */
incident: IncidentId, 
/**
 * Its number.
 */
number: number, 
/**
 * How bad.
 */
severity: Severity, 
/**
 * One line.
 */
subject: string, 
/**
 * Plain text.
 */
body: string, 
/**
 * Where it stands.
 */
state: OutboxState, 
/**
 * When it was written.
 */
created_at: string, 
/**
 * Tries so far.
 */
tries: number, 
/**
 * What the last try said.
 */
error: string | null, 
/**
 * When it was delivered, given up or taken back.
 */
ended_at: string | null, };

export type OutboxState = "pending" | "delivered" | "failed" | "withdrawn";

export type Outcome = "success" | "failure" | "unknown";

export type Overview = { 
/**
 * Of which period.
 */
period: Period, 
/**
 * When what is active was counted: at the end of the period, or now where that has not come yet.
 */
counted_at: string, 
/**
 * The state in one word.
 */
threat: ThreatLevel, 
/**
 * Why that word.
 */
threat_reason: string, 
/**
 * The severity of the active incidents that make the level; none without any.
 */
threat_severity: Severity | null, 
/**
 * How many of that severity are active.
 */
threat_incidents: number, 
/**
 * Number of the oldest of them.
 */
threat_oldest: number | null, 
/**
 * The tiles.
 */
kpis: Array<Kpi>, 
/**
 * Authentication by outcome.
 */
authentication: Histogram, 
/**
 * Use of interfaces.
 */
api: ApiUsage, 
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
top_targets: Array<TopEntity>, 
/**
 * Events with a source by its country, most events first, at most 300.
 */
by_country: Array<CountryCount>, 
/**
 * Is there a location file that says where sources are?
 */
has_location_data: boolean, };

export type OverviewRequest = { 
/**
 * Which period; absent means all the data there is.
 */
period: Period | null, 
/**
 * Number of buckets in the charts, 1 to 200.
 */
buckets: number, };

export type OwnFault = { 
/**
 * Its number.
 */
record: number, 
/**
 * What does not fit, for people.
 */
problem: string, };

export type Parameter = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its value.
 */
value: string, };

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
password: SecretInput, 
/**
 * The password of the Sentinels in it.
 */
sentinel_password: SecretInput, };

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
 * When it last was connected.
 */
last_ok: string | null, };

export type PartState = "connected" | "connecting" | "down";

export type PatternCount = { 
/**
 * `security:auth:{ms}`, `(other keys)`, or as it was asked for.
 */
pattern: string, 
/**
 * How many.
 */
keys: number, 
/**
 * Memory of value and key, as the server estimates it; absent where it does not tell, the notes say why.
 */
bytes: number | null, 
/**
 * How many never expire; absent where the server does not tell.
 */
without_ttl: number | null, 
/**
 * The names of a few of these that are not the product's own.
 */
unending: Array<string>, 
/**
 * Their types, most first: `hash 20, string 1`.
 */
types: string, 
/**
 * Their encodings, most first: `listpack 20, hashtable 1`; in a database of over 100,000 keys those of each eighth key.
 */
encodings: string, 
/**
 * Time of the oldest event, by its key.
 */
oldest: string | null, 
/**
 * Time of the newest event.
 */
newest: string | null, };

export type PatternCounts = { 
/**
 * The server that was counted.
 */
node: string, 
/**
 * By pattern of the contract; each key is in one.
 */
patterns: Array<PatternCount>, 
/**
 * By pattern that was asked for, in that order; a key may be in several.
 */
asked: Array<PatternCount>, 
/**
 * The largest keys, largest first.
 */
largest: Array<LargeKey>, 
/**
 * Keys that never expire and are not the product's own, at most 100.
 */
unending: Array<string>, 
/**
 * What a reader should know about the count.
 */
notes: Array<string>, };

export type PatternRequest = { 
/**
 * Patterns to count beside those of the contract, as `SCAN ... MATCH` has them; at most 100.
 */
patterns: Array<string>, };

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

export type PlannedJob = { 
/**
 * Which: one of [`Plan::KINDS`].
 */
kind: JobKind, 
/**
 * How often.
 */
rhythm: Rhythm, 
/**
 * Does it run?
 */
on: boolean, 
/**
 * Since when it runs in this rhythm; set by Watchpost. What was to run before that was not missed.
 */
since?: string, 
/**
 * Of backups and of copies of the database: the folder for the files, on the machine that runs the engine.
 */
folder?: string, 
/**
 * Of backups: so many of its own files stay in the folder, 1 to 1,000.
 */
keep?: number, 
/**
 * Of copies of the database: those of how many days, weeks and months stay in the folder; all of them if absent.
 */
generations?: Generations, 
/**
 * Of rehearsals: the newest copy of the database is not to be older than so many days, 1 to 1,000.
 */
max_age_days?: number, 
/**
 * Of backups and of copies of the database: for whom they are encrypted; they are not if absent.
 */
encryption?: CopyEncryption, 
/**
 * Of rehearsals: what opens encrypted copies.
 */
key?: CopyKey, };

export type PlannedState = { 
/**
 * Which.
 */
kind: JobKind, 
/**
 * The next hours in which it is to run; absent while it is off.
 */
next: Period | null, 
/**
 * Since when it is to have run and has not: in its hours nothing ran the engine, or it failed. It runs in the next
 * off-peak hours, whatever its rhythm.
 */
missed_since: string | null, 
/**
 * Its newest run by the plan.
 */
last: JobRun | null, 
/**
 * Why it was not started the last time it was tried; absent once it runs.
 */
not_started?: NotStarted, 
/**
 * It is due, and this job runs, in whichever console: it is started soon after that has ended.
 */
waits_for?: JobKind, };

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

export type PreviewedAction = { 
/**
 * Event time of the finding.
 */
at: string, 
/**
 * What.
 */
action: ActionKind, 
/**
 * On what.
 */
target: string, 
/**
 * For how long, in seconds.
 */
ttl_s: number | null, 
/**
 * How much longer than the first time.
 */
factor: number, 
/**
 * The rule of the policy.
 */
policy_rule: string, 
/**
 * The detection rule.
 */
rule_id: string, 
/**
 * The incident.
 */
incident: IncidentId, 
/**
 * Its number.
 */
number: number, 
/**
 * Why it would have been skipped.
 */
skipped: string | null, };

export type PrivacyErase = { 
/**
 * Kind of the name.
 */
kind: SubjectKind, 
/**
 * The name.
 */
subject: string, 
/**
 * Why; it stands in the audit trail and must not name the person.
 */
reason: string, };

export type PrivacyErased = { 
/**
 * The erasure.
 */
erasure: Erasure, 
/**
 * Every place that was looked at.
 */
residue: Array<Residue>, 
/**
 * The name was found nowhere that this console can reach, and each copy that the trail names and that is there was
 * read.
 */
clean: boolean, };

export type PrivacyExport = { 
/**
 * Kind of the name.
 */
kind: SubjectKind, 
/**
 * The name.
 */
subject: string, 
/**
 * The file to make; it must not be there.
 */
path: string, };

export type PrivacyExported = { 
/**
 * The file.
 */
path: string, 
/**
 * Its size.
 */
bytes: number, 
/**
 * Its SHA-256.
 */
sha256: string, 
/**
 * Events in it.
 */
events: number, 
/**
 * Rows of the other parts.
 */
rows: number, };

export type PrivacyList = { 
/**
 * Holds: those in force first.
 */
holds: Array<LegalHold>, 
/**
 * Erasures, the newest first. They do not say whom they were about.
 */
erasures: Array<Erasure>, };

export type PrivacyLook = { 
/**
 * Places where the name stands.
 */
places: Array<Residue>, 
/**
 * Columns of the database that were looked at.
 */
columns: number, 
/**
 * Sealed records that were opened.
 */
opened: number, 
/**
 * Holds in force that keep it.
 */
holds: Array<LegalHold>, };

export type PrivacyRef = { 
/**
 * Kind of the name.
 */
kind: SubjectKind, 
/**
 * The name: an account, an address. Each name of a person by itself.
 */
subject: string, };

export type Proof = { 
/**
 * Control id.
 */
control: string, 
/**
 * It says nothing from then on.
 */
expires_at: string, 
/**
 * The file, if there is one; the file itself stays where it is.
 */
file: ProofFile | null, 
/**
 * Framework id.
 */
framework: string, 
/**
 * When.
 */
given_at: string, 
/**
 * Who gave it.
 */
given_by: string, 
/**
 * Identity.
 */
id: ProofId, 
/**
 * Who answers for it.
 */
owner: string, 
/**
 * For which time it counts.
 */
period: Period, 
/**
 * What it says, in the person's words.
 */
statement: string, };

export type ProofAdd = { 
/**
 * Which framework.
 */
framework: string, 
/**
 * Which control.
 */
control: string, 
/**
 * For which time it counts.
 */
period: Period, 
/**
 * What it says.
 */
statement: string, 
/**
 * The file that shows it; it is read, hashed and left where it is.
 */
path?: string, 
/**
 * Who answers for it; the caller, if it is not said.
 */
owner?: string, 
/**
 * It says nothing from then on.
 */
expires_at: string, };

export type ProofFile = { 
/**
 * Its size.
 */
bytes: number, 
/**
 * Its name, without folders.
 */
name: string, 
/**
 * SHA-256, hexadecimal.
 */
sha256: string, };

export type ProofId = string;

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

export type QueryFault = { 
/**
 * The first character that is wrong, counted in characters from 0.
 */
at: number, 
/**
 * How many characters are wrong; 0 where something is missing.
 */
length: number, 
/**
 * What is wrong.
 */
message: string, 
/**
 * The same as kind and values.
 */
problem: QueryProblem, 
/**
 * What could stand there.
 */
expected: Array<string>, 
/**
 * What was probably meant, to be put in its place.
 */
suggestion: string | null, };

export type QueryProblem = { "kind": "too_long", 
/**
 * Characters that it may have.
 */
most: number, } | { "kind": "too_deep", 
/**
 * Levels that it may have.
 */
most: number, } | { "kind": "too_many", 
/**
 * Conditions that it may have.
 */
most: number, } | { "kind": "closes_nothing" } | { "kind": "not_closed" } | { "kind": "no_end" } | { "kind": "lone_minus" } | { "kind": "lone_keyword", 
/**
 * The keyword.
 */
text: string, } | { "kind": "no_condition" } | { "kind": "no_field", 
/**
 * What stands there.
 */
text: string, } | { "kind": "no_values" } | { "kind": "needs_value", 
/**
 * The field.
 */
field: string, } | { "kind": "not_compared", 
/**
 * The field.
 */
field: string, 
/**
 * How it was compared.
 */
sign: string, } | { "kind": "no_wildcard", 
/**
 * The field.
 */
field: string, } | { "kind": "no_value", 
/**
 * The field.
 */
field: string, 
/**
 * What stands there.
 */
text: string, } | { "kind": "no_word", 
/**
 * The field.
 */
field: string, 
/**
 * What stands there.
 */
text: string, } | { "kind": "no_address", 
/**
 * What stands there.
 */
text: string, } | { "kind": "no_network", 
/**
 * What stands there.
 */
text: string, } | { "kind": "nothing_beyond", 
/**
 * The field.
 */
field: string, 
/**
 * What stands there.
 */
text: string, } | { "kind": "range_reversed" } | { "kind": "period_reversed" } | { "kind": "no_severity" };

export type RecordClass = "security" | "access" | "privacy" | "reads" | "maintenance";

export type RecordPurge = { 
/**
 * Which records.
 */
class: RecordClass, 
/**
 * Those before this instant.
 */
before: string, 
/**
 * How many.
 */
records: number, 
/**
 * How many are as old and stay, because of a legal hold.
 */
held: number, 
/**
 * The first of them.
 */
first: number | null, 
/**
 * The last of them.
 */
last: number | null, 
/**
 * Number of the record that says so; absent in a preview, and where there was nothing.
 */
record: number | null, };

export type RecordRule = { 
/**
 * Which records.
 */
class: RecordClass, 
/**
 * Whole years; 0 keeps it for ever.
 */
years: number, };

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
tls: TlsFiles | null, } | { "kind": "cluster", 
/**
 * Nodes, best all of them.
 */
nodes: Array<HostPort>, 
/**
 * TLS, if used, to all nodes.
 */
tls: TlsFiles | null, } | { "kind": "unix", 
/**
 * Path of the socket.
 */
path: string, } | { "kind": "sentinel", 
/**
 * The Sentinels; best all of them.
 */
sentinels: Array<HostPort>, 
/**
 * The name under which they know the set.
 */
master: string, 
/**
 * ACL user of the Sentinels; `default` if absent. That of the servers is the connection's.
 */
sentinel_username: string | null, 
/**
 * TLS, if used, to the Sentinels and to the servers.
 */
tls: TlsFiles | null, };

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
 * Which server it is of, and how that was found: `10.0.0.7:6379, master of shop by Sentinel`.
 */
node: string, 
/**
 * `master` or `replica`.
 */
role: string, 
/**
 * Seconds since the server started.
 */
uptime_s: number | null, 
/**
 * The worst verdict of `metrics`.
 */
verdict: HealthVerdict, 
/**
 * All metrics, those with thresholds first; of a cluster over all primaries: sums of counts and sizes, the highest of
 * ratios and times.
 */
metrics: Array<Metric>, 
/**
 * The primaries of a cluster, each by itself; empty elsewhere.
 */
nodes: Array<NodeHealth>, 
/**
 * Number of keys and of keys with a TTL in the logical database.
 */
keys: number | null, 
/**
 * Keys with a TTL.
 */
keys_with_ttl: number | null, 
/**
 * Share of the keys with a TTL, 0 to 1; `None` where there are no keys or neither is known.
 */
ttl_share: number | null, 
/**
 * How much memory there is for it; absent where the server does not tell.
 */
memory_limit?: MemoryLimit, 
/**
 * Where memory and expiry are going, by the stored history.
 */
forecast?: HealthForecast, 
/**
 * Newest slow commands, newest first, arguments redacted.
 */
slowlog: Array<SlowCommand>, };

export type RegisterAdd = { 
/**
 * What it is about.
 */
kind: RegisterKind, 
/**
 * About whom or what.
 */
subject: string, 
/**
 * When it began; now, if it is not said.
 */
opened_at?: string, 
/**
 * Until when it has to be closed; by its kind, if it is not said.
 */
due_at?: string, 
/**
 * Whose it is; the writer's, if it is not said.
 */
owner?: string, 
/**
 * How it ended, if it has.
 */
result: EntryResult, 
/**
 * Further facts by name.
 */
fields: { [key in string]: string }, 
/**
 * Free text.
 */
note: string, };

export type RegisterChange = { 
/**
 * Which entry.
 */
id: EntryId, 
/**
 * The version that was looked at.
 */
version: number, 
/**
 * Close it with this result, or open it again.
 */
result?: EntryResult, 
/**
 * A new due time: an extension.
 */
due_at?: string, 
/**
 * Approve it: the caller becomes the approver.
 */
approve: boolean, 
/**
 * Facts to set; an empty value removes one.
 */
fields: { [key in string]: string }, 
/**
 * Why.
 */
reason: string, };

export type RegisterEntry = { 
/**
 * Identity.
 */
id: EntryId, 
/**
 * What it is about.
 */
kind: RegisterKind, 
/**
 * About whom or what: `incident/12`, `account/dana`, `host/db1`. No text of its own meaning is kept elsewhere.
 */
subject: string, 
/**
 * When it began: a request was received, a breach became known, a check was made.
 */
opened_at: string, 
/**
 * Until when it has to be closed.
 */
due_at: string, 
/**
 * When it was closed.
 */
closed_at: string | null, 
/**
 * Whose it is.
 */
owner: string, 
/**
 * Who approved it; has to be somebody else.
 */
approver: string, 
/**
 * How it ended.
 */
result: EntryResult, 
/**
 * Further facts by name; which ones a kind needs, [`RegisterKind::required`] says.
 */
fields: { [key in string]: string }, 
/**
 * Free text.
 */
note: string, 
/**
 * Who wrote the entry.
 */
written_by: string, 
/**
 * When.
 */
written_at: string, 
/**
 * Grows by one with every change.
 */
version: number, };

export type RegisterKind = "breach" | "subject_request" | "erasure_request" | "legal_hold" | "processing_record" | "data_class" | "encryption" | "restore_test" | "backup" | "follow_up" | "exception" | "account_approval" | "role_change" | "leaver" | "access_review" | "access_removal" | "disclosure" | "baseline_scan" | "drift" | "baseline" | "incident_review" | "change" | "playbook" | "exercise" | "user_report" | "privileged_account" | "log_reader" | "daily_review" | "clock_check" | "log_copy" | "planted_change" | "test_event" | "key_review" | "error_class" | "log_failure" | "logging_policy" | "capacity_check" | "archive_proof" | "criteria" | "consent";

export type RegisterList = { 
/**
 * The rows, at most 500.
 */
entries: Array<RegisterEntry>, };

export type RegisterRequest = { 
/**
 * Of this kind only.
 */
kind?: RegisterKind, 
/**
 * About this only: `incident/12`.
 */
subject?: string, };

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

export type ReportAgeCount = { 
/**
 * `under 1 day`.
 */
age: string, 
/**
 * Incidents.
 */
incidents: number, };

export type ReportApprove = { 
/**
 * Which report.
 */
id: ReportId, 
/**
 * What the second person says about it.
 */
note: string, };

export type ReportChanges = { 
/**
 * The earlier one.
 */
before: ReportRecord, 
/**
 * The later one.
 */
now: ReportRecord, 
/**
 * What to bear in mind, for people: the periods are not alike.
 */
notes: Array<string>, 
/**
 * Column names of `rows`.
 */
columns: Array<string>, 
/**
 * A line a control whose state or number of exceptions differs.
 */
rows: Array<Array<string>>, };

export type ReportChecked = { 
/**
 * SHA-256 of the file, hexadecimal.
 */
sha256: string, 
/**
 * The report that the trail knows under this hash.
 */
report: ReportRecord | null, 
/**
 * Of a final report: whose signature its approval has, and whether it holds; for people.
 */
signature: string | null, 
/**
 * Number of the audit record in which it stands.
 */
audit_seq: number | null, 
/**
 * How many figures and samples were checked; 0 for formats other than JSON.
 */
checked: number, 
/**
 * What does not hold, for people; empty if everything does.
 */
problems: Array<string>, };

export type ReportCommentAdd = { 
/**
 * Which framework.
 */
framework: string, 
/**
 * Which control.
 */
control: string, 
/**
 * The row of evidence: cell by cell, as the JSON or as the CSV has it, or only the cell by which it is known (its id, or
 * its first). Empty for the control as a whole.
 */
row: Array<string>, 
/**
 * The period whose evidence holds the row; without it, the newest report of the framework that was made.
 */
period?: Period, 
/**
 * What you say.
 */
text: string, };

export type ReportCommentList = { 
/**
 * The rows.
 */
comments: Array<ControlComment>, 
/**
 * How many older ones are not among them.
 */
left_out: number, };

export type ReportCommentRef = { 
/**
 * Which one.
 */
id: CommentId, };

export type ReportCommentsRequest = { 
/**
 * Which framework.
 */
framework: string, };

export type ReportCompare = { 
/**
 * The later report.
 */
id: ReportId, 
/**
 * The earlier one; without it the newest one of the same framework before.
 */
before?: ReportId, };

export type ReportCopied = { 
/**
 * Of which report.
 */
report: ReportRecord, 
/**
 * What was written.
 */
files: Array<ReportFile>, 
/**
 * Beside the JSON of a report whose approval is signed: what is needed to check the signature elsewhere.
 */
proof: ReportProof | null, };

export type ReportCopy = { 
/**
 * Which report.
 */
id: ReportId, 
/**
 * The files; at least one.
 */
files: Array<ReportTarget>, 
/**
 * The PDF as an archive copy.
 */
archive?: boolean, };

export type ReportDocument = { 
/**
 * The numbers behind the charts; `None` where none is drawn.
 */
charts: ChartData | null, 
/**
 * The controls, in the order of the framework.
 */
controls: Array<ControlResult>, 
/**
 * Version of this shape.
 */
format: number, 
/**
 * Which framework; for other kinds their own name.
 */
framework: FrameworkRef, 
/**
 * Controls that nothing shows.
 */
gaps: Array<Gap>, 
/**
 * What kind of report.
 */
kind: ReportKind, 
/**
 * What it was asked, by name.
 */
parameters: Array<Parameter>, 
/**
 * What it covers.
 */
scope: Scope, 
/**
 * Parts that are no controls.
 */
sections: Array<ReportSection>, 
/**
 * How many controls came out how.
 */
summary: Summary, 
/**
 * Its heading: `SOC 2 evidence report`.
 */
title: string, };

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
 * Which framework or kind.
 */
framework: string, 
/**
 * Which period.
 */
period: Period, 
/**
 * What the kind asks for besides.
 */
subject?: string, 
/**
 * The files; at least one.
 */
files: Array<ReportTarget>, 
/**
 * The PDF as an archive copy: PDF/A-3 with tags, the JSON and the CSV attached.
 */
archive?: boolean, 
/**
 * A name that the caller makes up, by which it can ask how far the making is and stop it.
 */
ticket?: string, 
/**
 * The report in whose place this one stands.
 */
supersedes?: ReportId, };

export type ReportId = string;

export type ReportKind = "framework" | "summary" | "incident" | "executive" | "kpi" | "redis" | "breach" | "access_review" | "subject_access";

export type ReportList = { 
/**
 * The rows.
 */
reports: Array<ReportRecord>, 
/**
 * How many fit in all, those of other pages included.
 */
total: number, 
/**
 * Reports that are not what the audit trail says of them, that cannot be read, or that are gone: their records were
 * changed behind the back of Watchpost. Of all reports, whichever are in `reports`.
 */
doubted?: Array<DoubtedReport>, };

export type ReportNames = { 
/**
 * Which framework or kind.
 */
framework: string, 
/**
 * Which period.
 */
period: Period, 
/**
 * What the kind asks for besides.
 */
subject?: string, 
/**
 * In which formats.
 */
formats: Array<ReportFormat>, 
/**
 * The folder.
 */
folder: string, };

export type ReportPageRequest = { 
/**
 * Of this framework or kind only.
 */
framework?: string, 
/**
 * This one only.
 */
id?: ReportId, 
/**
 * Those that come behind this one: older ones.
 */
before?: ReportId, 
/**
 * At most so many; 200 if it is not said, 10,000 at most.
 */
limit?: number, };

export type ReportProgress = { 
/**
 * What is done now, for people.
 */
step: string, 
/**
 * Steps done.
 */
done: number, 
/**
 * Steps in all.
 */
total: number, 
/**
 * Is it being made? Not, before it begins and once it has ended.
 */
running: boolean, };

export type ReportProof = { 
/**
 * The approval: a C2SP signed note over report, SHA-256 of its JSON, and who approved it, a line each.
 */
approval: string, 
/**
 * The Ed25519 public key as PEM.
 */
key: string, };

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
files: Array<ReportFile>, 
/**
 * What it was asked besides the period: an incident's number, a person.
 */
subject: string | null, 
/**
 * How far it is.
 */
status: ReportStatus, 
/**
 * The approval of a final one.
 */
approval: Approval | null, 
/**
 * The report in whose place this one stands.
 */
supersedes: ReportId | null, };

export type ReportRequest = { 
/**
 * Which framework or kind.
 */
framework: string, 
/**
 * Which period.
 */
period: Period, 
/**
 * What the kind asks for besides: an incident's number, a person or address.
 */
subject?: string, 
/**
 * A name that the caller makes up, by which it can ask how far the making is and stop it.
 */
ticket?: string, };

export type ReportSchedule = { 
/**
 * Identity.
 */
id: ScheduleId, 
/**
 * Which framework or kind.
 */
framework: string, 
/**
 * What the kind asks for besides.
 */
subject: string | null, 
/**
 * How often.
 */
cadence: Cadence, 
/**
 * In which formats.
 */
formats: Array<ReportFormat>, 
/**
 * The PDF as an archive copy.
 */
archive: boolean, 
/**
 * The folder of the machine that runs the engine, as an absolute path.
 */
folder: string, 
/**
 * Who set it up.
 */
made_by: string, 
/**
 * When.
 */
made_at: string, 
/**
 * When it is due next; nothing is made while it is paused.
 */
due_at: string, 
/**
 * Is it kept without anything being made?
 */
paused: boolean, 
/**
 * How it went the last time.
 */
last: ScheduleRun | null, };

export type ReportScheduleAdd = { 
/**
 * Which framework or kind.
 */
framework: string, 
/**
 * What the kind asks for besides.
 */
subject?: string, 
/**
 * How often.
 */
cadence: Cadence, 
/**
 * In which formats; at least one.
 */
formats: Array<ReportFormat>, 
/**
 * The PDF as an archive copy.
 */
archive?: boolean, 
/**
 * The folder for the files, as an absolute path on the machine that runs the engine.
 */
folder: string, 
/**
 * Why.
 */
reason?: string, };

export type ReportScheduleList = { 
/**
 * The rows, at most 500.
 */
schedules: Array<ReportSchedule>, 
/**
 * Ids of those that cannot be read: they were changed behind the back of Watchpost, and make nothing.
 */
unreadable?: Array<string>, };

export type ReportSchedulePause = { 
/**
 * Which one.
 */
id: ScheduleId, 
/**
 * Is nothing made from now on?
 */
paused: boolean, };

export type ReportScheduleRef = { 
/**
 * Which one.
 */
id: ScheduleId, };

export type ReportScheduleRemove = { 
/**
 * Its id; of one that cannot be read, as the list has it.
 */
id: string, };

export type ReportSection = { 
/**
 * What the table holds, in a few words; empty without a table.
 */
caption: string, 
/**
 * Column names of `rows`.
 */
columns: Array<string>, 
/**
 * Figures, each ready to print.
 */
figures: Array<Parameter>, 
/**
 * The table. Cells are as stored.
 */
rows: Array<Array<string>>, 
/**
 * Sentences.
 */
text: Array<string>, 
/**
 * Its heading.
 */
title: string, };

export type ReportSeverityCount = { 
/**
 * Incidents with evidence in the period.
 */
incidents: number, 
/**
 * The severity.
 */
severity: Severity, };

export type ReportStatus = "draft" | "final" | "superseded";

export type ReportTarget = { 
/**
 * In which format.
 */
format: ReportFormat, 
/**
 * Where to.
 */
path: string, 
/**
 * May a file that is there be replaced? Only where somebody was asked: by a save dialog, or with `--force`.
 */
replace?: boolean, };

export type ReportTargets = { 
/**
 * One a format.
 */
files: Array<ReportTarget>, };

export type ReportTicket = { 
/**
 * The ticket.
 */
ticket: string, };

export type ReportVerify = { 
/**
 * The file, in any format.
 */
path: string, 
/**
 * Check the signature of its approval with this key instead of asking an audit trail: for a file that was made elsewhere.
 */
proof?: ReportProof, };

export type Residue = { 
/**
 * Where: a table and column, a file, a server.
 */
place: string, 
/**
 * What was found.
 */
state: ResidueState, 
/**
 * Rows, or places in a file.
 */
n: number, 
/**
 * What it means, and what to do, for people.
 */
detail: string, };

export type ResidueState = "clean" | "unclear" | "out_of_reach" | "unread" | "found";

export type ResponseAction = { 
/**
 * Identity.
 */
id: ResponseId, 
/**
 * What.
 */
kind: ActionKind, 
/**
 * On what: address, session, user, service, tag, channel, queue.
 */
target: string, 
/**
 * Where it stands.
 */
state: ResponseState, 
/**
 * The incident.
 */
incident: IncidentId, 
/**
 * Its number.
 */
number: number, 
/**
 * The finding that led to it.
 */
finding: FindingId, 
/**
 * The detection rule of that finding.
 */
rule_id: string, 
/**
 * The rule of the policy.
 */
policy_rule: string, 
/**
 * For how long, in seconds; absent if it has no end.
 */
ttl_s: number | null, 
/**
 * How much longer than the first time: 1, 4 or 16.
 */
factor: number, 
/**
 * Requests a minute, of a rate limit.
 */
per_min: number | null, 
/**
 * The finding's sentence.
 */
reason: string, 
/**
 * What came of it, for people.
 */
detail: string, 
/**
 * When it was planned.
 */
planned_at: string, 
/**
 * When it was done, skipped or failed.
 */
decided_at: string | null, 
/**
 * Until when it stands for its incident: the same action on the same target is not planned again before.
 */
expires_at: string | null, 
/**
 * What it made: the id of the block, containment or message.
 */
effect: string | null, 
/**
 * When it was taken back.
 */
reversed_at: string | null, 
/**
 * By whom.
 */
reversed_by: string | null, };

export type ResponseId = string;

export type ResponseList = { 
/**
 * The rows.
 */
rows: Array<ResponseAction>, 
/**
 * `after` of the next page, if there is one.
 */
next: string | null, };

export type ResponseListRequest = { 
/**
 * In one of these states; empty means any.
 */
state: Array<ResponseState>, 
/**
 * One of these actions; empty means any.
 */
action: Array<ActionKind>, 
/**
 * For the incident of this number.
 */
incident: number | null, 
/**
 * `next` of the page before.
 */
after: string | null, 
/**
 * Rows, 1 to 500.
 */
limit: number, };

export type ResponseMode = "off" | "dry_run" | "on";

export type ResponsePolicy = { 
/**
 * Whether the engine acts.
 */
mode: ResponseMode, 
/**
 * All rules that match apply; of two steps with the same action and target the longer one counts.
 */
rules: Array<ResponseRule>, 
/**
 * Proxies, gateways, load balancers: never acted on automatically.
 */
trusted_proxies: Array<BlockTarget>, 
/**
 * Machines whose applications report events: never acted on automatically.
 */
sensors: Array<BlockTarget>, 
/**
 * Users who are never restricted automatically, such as those for emergencies.
 */
protected_users: Array<string>, 
/**
 * Whether private and reserved addresses may be acted on automatically.
 */
private_ranges: boolean, 
/**
 * Hours for which a target that a person released is left alone; 0 to 720.
 */
soft_allow_h: number, 
/**
 * Days in which an earlier containment makes a repeat offender; 1 to 365.
 */
repeat_days: number, 
/**
 * No automatic containment lasts longer, in seconds.
 */
ttl_max_s: number, 
/**
 * Findings about older events than this lead to nothing, in seconds: importing a log does not block anybody.
 */
age_max_s: number, 
/**
 * Automatic containments an hour; further ones are skipped, so that one bad rule cannot shut everybody out.
 */
contain_per_hour_max: number, };

export type ResponsePolicyPut = { 
/**
 * The whole policy.
 */
policy: ResponsePolicy, 
/**
 * Why; required.
 */
reason: string, };

export type ResponsePolicyView = { 
/**
 * The policy.
 */
policy: ResponsePolicy, 
/**
 * What the engine of this connection does.
 */
effective: ResponseMode, 
/**
 * Why that differs from the policy's mode; empty if it does not.
 */
detail: string, };

export type ResponsePreview = { 
/**
 * Event time of the first findings looked at.
 */
from: string, 
/**
 * Event time of the last findings looked at.
 */
to: string, 
/**
 * Findings looked at.
 */
findings: number, 
/**
 * Of these, how many a rule of the policy matches.
 */
matched: number, 
/**
 * Actions that would have been done.
 */
done: number, 
/**
 * Actions that would have been skipped.
 */
skipped: number, 
/**
 * By action.
 */
by_action: Array<ActionCount>, 
/**
 * The newest actions, newest first, at most 500.
 */
rows: Array<PreviewedAction>, };

export type ResponsePreviewRequest = { 
/**
 * The policy to try; the one in use if absent.
 */
policy: ResponsePolicy | null, 
/**
 * Over the findings of the last days: 1 to 90; 0 (not given) means 7.
 */
days: number, };

export type ResponseReverse = { 
/**
 * Which.
 */
id: ResponseId, 
/**
 * Why; required.
 */
reason: string, };

export type ResponseRule = { 
/**
 * Its name, unique in the policy; stands in every record of what it did.
 */
name: string, 
/**
 * Ids of detection rules; one that ends with `*` means all that begin so. Empty means any.
 */
rules: Array<string>, 
/**
 * Attack families; empty means any.
 */
families: Array<AttackFamily>, 
/**
 * At least this severe.
 */
severity_min: Severity, 
/**
 * At least this sure, 0 to 100.
 */
confidence_min: number, 
/**
 * What to do.
 */
steps: Array<ResponseStep>, };

export type ResponseState = "planned" | "dry_run" | "done" | "skipped" | "failed" | "reversed";

export type ResponseStep = { 
/**
 * What to do.
 */
action: ActionKind, 
/**
 * For how long the first time, in seconds; only of containments, which need it.
 */
ttl_s: number | null, 
/**
 * The label of `tag`; the channel of `notify` and the queue of `ticket` (`default` if absent); the service of
 * `isolate_service` (else the event's `details.service`).
 */
value: string | null, 
/**
 * Requests a minute that `rate_limit` leaves.
 */
per_min: number | null, };

export type RestoreRequest = { 
/**
 * The file, on the machine where Watchpost runs.
 */
path: string, 
/**
 * Only rehearse it on a scratch server: the event store is not touched.
 */
rehearse_only: boolean, 
/**
 * Overwrite keys that are there with another value. They may be newer than the backup.
 */
replace: boolean, 
/**
 * What opens it, if it is encrypted.
 */
key?: CopyKey, };

export type RetentionRequest = { 
/**
 * Remove from Redis what is older than this many days, instead of the policy's days. 0 means everything that has
 * been processed.
 */
days: number | null, 
/**
 * Begin at the beginning, also where a run with the same parameters was interrupted in the last 24 hours. A
 * preview always does.
 */
restart: boolean, };

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

export type Rhythm = { "every": "day" } | { "every": "week", 
/**
 * Which.
 */
on: WeekDay, } | { "every": "month", 
/**
 * Which, 1 to 28: every month has these.
 */
on: number, };

export type RiskContribution = { 
/**
 * The incident.
 */
incident: number, 
/**
 * Its title.
 */
title: string, 
/**
 * Its family.
 */
family: AttackFamily, 
/**
 * How it was judged.
 */
verdict: Verdict, 
/**
 * Does it count? Not when it was judged harmless or a duplicate.
 */
counts: boolean, 
/**
 * Points when they were earned.
 */
points: number, 
/**
 * When that was (event time).
 */
at: string, 
/**
 * Points that are left now; 0 where it does not count.
 */
left: number, };

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

export type RiskPoint = { 
/**
 * When.
 */
at: string, 
/**
 * The score, 0 to 100 with one decimal.
 */
score: number, };

export type RiskPolicy = { 
/**
 * Hours after which half of an entity's points are left, 1 to 8,760.
 */
half_life_h: number, };

export type Role = "viewer" | "analyst" | "lead" | "auditor" | "admin";

export type RoleList = { 
/**
 * Where the roles come from.
 */
source: RoleSource, 
/**
 * People with a role, by name.
 */
rows: Array<RoleRow>, 
/**
 * What everybody else is; absent if the database lets nobody else in.
 */
others: Role | null, 
/**
 * What that is worth, for people.
 */
detail: string, };

export type RoleRow = { 
/**
 * The account, or the login at the database.
 */
name: string, 
/**
 * What they may do.
 */
role: Role, };

export type RoleSet = { 
/**
 * The account.
 */
name: string, 
/**
 * What they may do from now on.
 */
role: Role, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type RoleSource = "groups" | "guard_rails";

export type RuleAdvice = "keep" | "tune" | "retire";

export type RuleBacktest = { 
/**
 * Events of this period of event time; absent means all that are archived.
 */
period: Period | null, 
/**
 * Rules of this directory instead of the present ones.
 */
directory: string | null, 
/**
 * One rule otherwise than it is set: what a change would do before it is made.
 */
change: RuleTrial | null, 
/**
 * A word by which to ask how far it is, and to stop it.
 */
ticket?: string, };

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
 * Its document as it stands in the file; empty where the file is gone.
 */
text: string, 
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

export type RuleFeedback = { 
/**
 * The rule.
 */
rule_id: string, 
/**
 * Incidents with findings of it, duplicates not counted.
 */
incidents: number, 
/**
 * Judged an attack.
 */
true_positive: number, 
/**
 * Judged a mistake of the rule.
 */
false_positive: number, 
/**
 * Judged right but allowed.
 */
benign_true_positive: number, 
/**
 * Judged at all.
 */
judged: number, 
/**
 * True positives of all judged, 0 to 1; absent while fewer than five are judged.
 */
precision: number | null, 
/**
 * What that suggests; absent while fewer than five are judged.
 */
advice: RuleAdvice | null, };

export type RuleFeedbackList = { 
/**
 * By rule id.
 */
rules: Array<RuleFeedback>, };

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
 * What became of it; `problems` say why.
 */
outcome: RuleImportOutcome, 
/**
 * Rules that it brings; with none it was not copied.
 */
rules: number, 
/**
 * What could not be used and why.
 */
problems: Array<RuleProblem>, };

export type RuleImportOutcome = "imported" | "not_applicable" | "not_supported";

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
 * What could not be used, then what is worth knowing; of thousands the first 200.
 */
problems: Array<RuleProblem>, 
/**
 * How many there are.
 */
problems_total: number, };

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
 * What sort of thing it is.
 */
kind: RuleProblemKind, 
/**
 * One sentence.
 */
reason: string, 
/**
 * The rule runs all the same.
 */
is_warning: boolean, };

export type RuleProblemKind = "file" | "yaml" | "form" | "condition" | "selection" | "expression" | "aggregation" | "reference" | "taken" | "other_logs" | "never_fires" | "samples";

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
adjusted: boolean, 
/**
 * Does it run, by its file?
 */
file_enabled: boolean, 
/**
 * How many a behaviour takes, by its file.
 */
file_threshold: number | null, 
/**
 * In how many seconds, by its file.
 */
file_window_s: number | null, };

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
 * Those that hold with every rule on and as its file has it, but not as rules are switched and adjusted now.
 */
by_setting: Array<RuleTestFailure>, 
/**
 * What could not even be loaded.
 */
problems: Array<RuleProblem>, };

export type RuleTrial = { 
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
window_s: number | null, };

export type RuleTried = { 
/**
 * What the text was taken for.
 */
tried_as: TriedAs, 
/**
 * Every value that was looked at, in every decoded form.
 */
fields: Array<MatchedField>, 
/**
 * One a rule that fires.
 */
findings: Array<Finding>, };

export type RuleTry = { 
/**
 * A request as it goes over the wire, its first line or target alone, an event in JSON, or a bare value; at most
 * 1 MiB.
 */
text: string, };

export type Sample = { 
/**
 * Column names of `rows`.
 */
columns: Array<string>, 
/**
 * Places in the population, from 0, in the order of the question.
 */
positions: Array<number>, 
/**
 * The members at these places.
 */
rows: Array<Array<string>>, 
/**
 * What the draw began with, 32 bytes, hexadecimal; how to draw is in [`crate::sample`].
 */
seed: string, };

export type ScheduleId = string;

export type ScheduleRun = { 
/**
 * When.
 */
at: string, 
/**
 * About which period.
 */
period: Period, 
/**
 * What was made; `None` if nothing could be.
 */
report: ReportId | null, 
/**
 * Why nothing could be made.
 */
error: string | null, };

export type Scope = { 
/**
 * Reports of the same kind, subject and period that were made before: each drew its own samples.
 */
earlier?: number, 
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
 * Whose report it is.
 */
organisation: string, 
/**
 * The half-open period, UTC.
 */
period: Period, 
/**
 * Where the evidence comes from: event store, database, hosts.
 */
sources: Array<string>, 
/**
 * The workspace or connection that was looked at.
 */
workspace: string, };

export type SealKind = "password" | "token" | "key" | "card" | "email" | "name" | "address" | "field";

export type SealPolicy = { 
/**
 * These kinds.
 */
kinds: Array<SealKind>, 
/**
 * And the values of fields, headers and parameters of these names.
 */
fields: Array<string>, };

export type SealingPut = { 
/**
 * What to seal from now on.
 */
policy: SealPolicy, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

export type SecretInput = { "kind": "keep" } | { "kind": "set", 
/**
 * The secret.
 */
value: string, } | { "kind": "clear" };

export type SecretState = "ready" | "locked" | "absent" | "denied" | "timed_out" | "key_changed" | "secret_altered" | "file_ready" | "file_locked" | "file_refused" | "file_missing" | "file_damaged" | "file_failed";

export type SecretsFileMake = { 
/**
 * Its passphrase, eight characters at least.
 */
passphrase: string, };

export type SecretsFileOpen = { 
/**
 * Its passphrase.
 */
passphrase: string, };

export type SecretsFilePassphrase = { 
/**
 * The one that it has.
 */
current: string, 
/**
 * The new one, eight characters at least.
 */
passphrase: string, };

export type SecretsFileState = { 
/**
 * Where it is, or would be.
 */
path: string, 
/**
 * Secrets are kept in it, and the keychain is not asked.
 */
used: boolean, 
/**
 * Whether it is open; absent where it is not used.
 */
state: SecretState | null, 
/**
 * The file that its passphrase is read from, if one was named at the start.
 */
passphrase_file: string | null, };

export type Series = { 
/**
 * One count a bucket.
 */
counts: Array<number>, 
/**
 * Its name: a category, a severity, an outcome.
 */
name: string, 
/**
 * All its counts together; absent in the charts of reports, whose content is hashed as it always was.
 */
total?: number, };

export type SetApart = { 
/**
 * Its number.
 */
record: number, 
/**
 * Number of the record that says so.
 */
by: number, 
/**
 * What does not fit, for people.
 */
problem: string, };

export type Settings = { 
/**
 * Printed on reports.
 */
organisation: string, 
/**
 * Retention by category; all five categories.
 */
retention: Array<RetentionRule>, };

export type SettingsChange = { 
/**
 * Printed on reports.
 */
organisation: string, 
/**
 * Retention by category; all five categories.
 */
retention: Array<RetentionRule>, 
/**
 * Why; it stands in the audit trail.
 */
reason?: string, };

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

export type SimilarIncident = { 
/**
 * The other one.
 */
incident: Incident, 
/**
 * How much, 1 to 100.
 */
score: number, 
/**
 * Why; the strongest reason first.
 */
because: Array<SimilarReason>, };

export type SimilarKind = "entity" | "rule" | "attack" | "network" | "agent";

export type SimilarList = { 
/**
 * The rows.
 */
rows: Array<SimilarIncident>, 
/**
 * How many of the rows are active.
 */
active: number, };

export type SimilarReason = { 
/**
 * What they share.
 */
kind: SimilarKind, 
/**
 * The value that they share, at most 80 characters of it.
 */
value: string, };

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

export type SkippedEntry = { 
/**
 * Line of a text or CSV file, number of the object in a STIX bundle; from 1.
 */
place: number, 
/**
 * Why.
 */
reason: string, };

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

export type Standing = "blocked" | "own" | "allowlisted" | "not_a_client" | "clear";

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

export type Subject = { 
/**
 * Kind of the name.
 */
kind: SubjectKind, 
/**
 * The name: as it was given, or the one spelling of an address.
 */
value: string, };

export type SubjectKind = "user" | "ip";

export type Summary = { 
/**
 * Failed.
 */
fail: number, 
/**
 * Left to a person.
 */
manual: number, 
/**
 * Not judged for want of data.
 */
no_data: number, 
/**
 * Passed.
 */
pass: number, 
/**
 * Warned.
 */
warn: number, };

export type SuppressedFinding = { 
/**
 * By which suppression.
 */
suppressed_by: SuppressionId, 
/**
 * When.
 */
at: string, 
/**
 * The finding.
 */
finding: Finding, };

export type SuppressedList = { 
/**
 * The rows.
 */
rows: Array<SuppressedFinding>, 
/**
 * Cursor of the next page, if there is one.
 */
next: string | null, };

export type Suppression = { 
/**
 * Identity.
 */
id: SuppressionId, 
/**
 * Which findings.
 */
scope: SuppressionScope, 
/**
 * Who answers for it.
 */
owner: string, 
/**
 * Why.
 */
reason: string, 
/**
 * Since when.
 */
created_at: string, 
/**
 * Who made it.
 */
created_by: string, 
/**
 * Until when.
 */
expires_at: string, 
/**
 * When it was taken back, if it was.
 */
removed_at: string | null, 
/**
 * Who took it back.
 */
removed_by: string | null, 
/**
 * Findings that it has hidden; they are kept and can be listed.
 */
hidden: number, 
/**
 * Event time of the newest of them.
 */
last_hidden: string | null, };

export type SuppressionAdd = { 
/**
 * Which findings.
 */
scope: SuppressionScope, 
/**
 * Who answers for it; the caller if absent.
 */
owner: string | null, 
/**
 * Why; required.
 */
reason: string, 
/**
 * Until when; at most 90 days from now.
 */
expires_at: string, };

export type SuppressionFindings = { 
/**
 * Which suppression.
 */
id: SuppressionId, 
/**
 * Cursor of the page before.
 */
after: string | null, 
/**
 * Rows, 1 to 500; 0 means 100.
 */
limit: number, };

export type SuppressionId = string;

export type SuppressionList = { 
/**
 * The rows, at most 500.
 */
rows: Array<Suppression>, 
/**
 * How many are in force.
 */
in_force: number, };

export type SuppressionPreview = { 
/**
 * Findings of the period.
 */
findings: number, 
/**
 * Of these it would have hidden.
 */
findings_hidden: number, 
/**
 * Incidents that would not have opened: it would have hidden every finding of them.
 */
incidents_hidden: number, 
/**
 * Incidents that would have been smaller.
 */
incidents_smaller: number, 
/**
 * Of the incidents that would not have opened, those judged an attack: a warning.
 */
true_positives_hidden: number, 
/**
 * Some of the incidents that would not have opened, newest first, at most 10.
 */
samples: Array<Incident>, };

export type SuppressionPreviewRequest = { 
/**
 * Which findings.
 */
scope: SuppressionScope, 
/**
 * Over how many past days, 1 to 365.
 */
days: number, };

export type SuppressionRemove = { 
/**
 * Which.
 */
id: SuppressionId, 
/**
 * Why; required.
 */
reason: string, };

export type SuppressionScope = { 
/**
 * Of this rule.
 */
rule?: string, 
/**
 * Of this attack family.
 */
family?: AttackFamily, 
/**
 * Grouped by this entity.
 */
entity?: Entity, 
/**
 * From this address or range (`203.0.113.7`, `203.0.113.0/24`, `2001:db8::/48`).
 */
network?: string, 
/**
 * On endpoints that begin with this.
 */
endpoint?: string, 
/**
 * Of this user.
 */
user?: string, };

export type Tag = "status" | "connections" | "events" | "incidents" | "blocks" | "jobs" | "health" | "reports" | "audit" | "settings" | "rules";

export type ThreatCheck = { 
/**
 * The value.
 */
value: string, 
/**
 * The lists that name it.
 */
matches: Array<NotedMatch>, 
/**
 * Where it is, if it is an address and there is location data.
 */
place: Place | null, };

export type ThreatCheckRequest = { 
/**
 * An address, a domain or a user agent.
 */
value: string, };

export type ThreatEntry = { 
/**
 * What it names.
 */
kind: ThreatKind, 
/**
 * An address, a CIDR range, a domain in lower case, or part of a user agent in lower case.
 */
value: string, 
/**
 * Not valid from then on.
 */
until?: string, 
/**
 * What the list says about it, at most 200 characters.
 */
note?: string, };

export type ThreatFormat = "text" | "csv" | "stix";

export type ThreatImport = { 
/**
 * The file.
 */
path: string, 
/**
 * Name of the list; that of the file if absent.
 */
name: string | null, 
/**
 * How much a match means, 0 to 100; from 75 on it is a finding of its own. 50 if absent.
 */
confidence: number | null, 
/**
 * How the file is written; guessed if absent.
 */
format: ThreatFormat | null, 
/**
 * What its values are; told from each value if absent. User agents must be named.
 */
kind: ThreatKind | null, };

export type ThreatImported = { 
/**
 * The list.
 */
list: ThreatList, 
/**
 * The first of what could not be used; `list.skipped` tells how many there were.
 */
reasons: Array<SkippedEntry>, };

export type ThreatKind = "ip" | "domain" | "user_agent";

export type ThreatLevel = "calm" | "guarded" | "elevated" | "severe";

export type ThreatList = { 
/**
 * Its name, unique.
 */
name: string, 
/**
 * How much a match means, 0 to 100.
 */
confidence: number, 
/**
 * How the file was written.
 */
format: ThreatFormat, 
/**
 * Name of the file, without its folders.
 */
source: string, 
/**
 * SHA-256 of the file, hex.
 */
sha256: string, 
/**
 * When it was brought in: the age of the data.
 */
imported_at: string, 
/**
 * By whom.
 */
imported_by: string, 
/**
 * Entries of each kind.
 */
addresses: number, 
/**
 * Entries of each kind.
 */
domains: number, 
/**
 * Entries of each kind.
 */
user_agents: number, 
/**
 * Entries of all kinds.
 */
total: number, 
/**
 * Lines or objects that could not be used.
 */
skipped: number, 
/**
 * Entries that occurred before in the same file.
 */
duplicates: number, };

export type ThreatListPage = { 
/**
 * By name.
 */
lists: Array<ThreatList>, 
/**
 * Time of this answer, to tell ages.
 */
at: string, };

export type ThreatListRef = { 
/**
 * The name.
 */
name: string, };

export type ThreatListShow = { 
/**
 * The list.
 */
list: ThreatList, 
/**
 * Entries in the order of its file.
 */
entries: Array<ThreatEntry>, };

export type ThreatListShowRequest = { 
/**
 * The name.
 */
name: string, 
/**
 * Entries to pass over.
 */
offset: number, 
/**
 * Entries, 1 to 500.
 */
limit: number, };

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

export type TimelinePart = { 
/**
 * The lines.
 */
rows: Array<TimelineEntry>, 
/**
 * Cursor of the lines before these, if there are any.
 */
earlier: string | null, };

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

export type TokenKeyAdd = { 
/**
 * What to call it; at most 80 characters.
 */
name: string, 
/**
 * Only for tokens whose `iss` claim is this, and for those without one. Absent: for all tokens.
 */
issuer: string | null, 
/**
 * The key.
 */
key: TokenKeyInput, };

export type TokenKeyInput = { "kind": "public", 
/**
 * PEM (`BEGIN PUBLIC KEY` or `BEGIN RSA PUBLIC KEY`).
 */
pem: string, } | { "kind": "secret", 
/**
 * The secret.
 */
value: string, } | { "kind": "file", 
/**
 * Absolute path.
 */
path: string, };

export type TokenKeyList = { 
/**
 * By name.
 */
keys: Array<TokenKeyRow>, };

export type TokenKeyRef = { 
/**
 * Its name.
 */
name: string, };

export type TokenKeyRow = { 
/**
 * Its name.
 */
name: string, 
/**
 * Where it comes from.
 */
source: TokenKeySource, 
/**
 * The issuer whose tokens it is for.
 */
issuer: string | null, 
/**
 * The file, for one that is read from there.
 */
path: string | null, 
/**
 * The algorithms that it checks; empty while it cannot be used.
 */
algorithms: Array<string>, 
/**
 * Why it cannot be used, or what is wrong with it although it works (then `algorithms` is not empty).
 */
problem: string | null, 
/**
 * When it was set.
 */
changed_at: string, };

export type TokenKeySource = "public" | "secret" | "file";

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

export type TrailStatus = { 
/**
 * It continues what this console has seen, the last check of this console found nothing, and no place was altered.
 */
ok: boolean, 
/**
 * For people.
 */
detail: string, 
/**
 * What was altered in a place of checkpoints, where that is all that is wrong: the log itself holds.
 */
altered?: string, 
/**
 * The key with which this console signs is old, for people.
 */
key_warning?: string, };

export type TriedAs = "request" | "event" | "value";

export type Unit = "ratio" | "bytes" | "milliseconds" | "per_second" | "per_minute" | "count" | "seconds";

export type UnreadableApproval = { 
/**
 * Its id, as whoever wrote it chose it; empty if it has none that can be read.
 */
id: string, 
/**
 * Which column cannot be read, and why.
 */
problem: string, };

export type UserBaseline = { 
/**
 * The user.
 */
user: string, 
/**
 * Events.
 */
events: number, 
/**
 * Different weekdays with events.
 */
weekdays: number, 
/**
 * Different weekend days with events.
 */
weekend_days: number, 
/**
 * On how many weekdays there were events in each of the 24 hours.
 */
weekday_hours: Array<number>, 
/**
 * On how many weekend days there were events in each of the 24 hours.
 */
weekend_hours: Array<number>, 
/**
 * Countries, where a location file was there.
 */
countries: Array<HabitValue>, 
/**
 * User agents without version numbers.
 */
agents: Array<HabitValue>, 
/**
 * Networks: /16 of IPv4, /32 of IPv6.
 */
networks: Array<HabitValue>, 
/**
 * KiB sent per day.
 */
day_kib: Volume, };

export type Verdict = "unjudged" | "true_positive" | "false_positive" | "benign_true_positive" | "duplicate";

export type VerdictCause = "attack_blocked" | "attack_failed" | "attack_succeeded" | "policy_violation" | "normal_traffic" | "bad_pattern" | "low_threshold" | "bad_data" | "pentest" | "own_scanner" | "load_test" | "approved_change" | "user_mistake" | "same_source" | "same_campaign" | "other";

export type Volume = { 
/**
 * Median.
 */
median: number, 
/**
 * Median absolute deviation from it.
 */
deviation: number, 
/**
 * The last periods, oldest first; at most 60.
 */
history: Array<number>, };

export type WeekDay = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";

export type WindowLock = { 
/**
 * Minutes without anybody after which it locks; absent while it never does.
 */
minutes: number | null, 
/**
 * It is locked.
 */
locked: boolean, 
/**
 * Seconds until a passphrase may be tried again.
 */
wait_s: number, 
/**
 * Why the passphrase is kept for this session only; empty if it is not.
 */
detail: string, 
/**
 * Why the keychain, or the file of secrets, did not say how the lock is: it is as was noted beside it. Absent if it did.
 */
unread?: SecretState, };

export type WindowLockPut = { 
/**
 * Minutes without anybody after which it locks, 1 to 480; absent means never.
 */
minutes: number | null, 
/**
 * The new passphrase; absent keeps the one that there is.
 */
passphrase: string | null, 
/**
 * The passphrase that there is.
 */
current: string | null, };

export type WindowUnlock = { 
/**
 * The passphrase.
 */
passphrase: string, };

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
 * How sure that is.
 */
identity: Identity, 
/**
 * The open connection, if one is.
 */
connection: Connection | null, 
/**
 * Name of the connection that is being opened, until it is or has failed.
 */
opening?: string, 
/**
 * While no connection is open: the one that was to be opened last, and why it is not.
 */
opening_failed?: OpeningFailed, 
/**
 * Redis; absent when no connection is open.
 */
redis: Part | null, 
/**
 * The database.
 */
database: Part | null, 
/**
 * The audit trail, as this console has seen it.
 */
trail: TrailStatus | null, 
/**
 * What is wrong with the copies of the database that the plan makes, for people; absent while nothing is.
 */
copies_problem?: string, 
/**
 * Archived events whose words are not in the index yet, at most: searches of them are slower. Absent while none wait
 * but those of the last moments.
 */
words_behind?: number, 
/**
 * What of Redis is over its line, and since when; absent while nothing is.
 */
health_alerts?: Array<HealthAlert>, 
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

