// Generated from the list of operations by `cargo xtask codegen`. Do not edit.

import type * as model from './model';

export interface Operations {
  /** Tell how Redis, the database and the engine are. */
  workspace_status: { request: model.Nothing; reply: model.WorkspaceStatus };
  /** List the saved connections. */
  connection_list: { request: model.Nothing; reply: model.ConnectionList };
  /** Take a connection URL apart. */
  connection_parse: { request: model.ConnectionParse; reply: model.ParsedUrl };
  /** Try a connection and say exactly which step fails. */
  connection_test: { request: model.ConnectionDraft; reply: model.ConnectionCheck };
  /** Save a connection; its passwords go to the OS keychain. */
  connection_save: { request: model.ConnectionDraft; reply: model.Connection };
  /** Forget a connection and its passwords. */
  connection_remove: { request: model.ConnectionRef; reply: model.ConnectionList };
  /** Choose the connection to start with: for the window, and for commands that name none. */
  connection_choose: { request: model.ConnectionRef; reply: model.ConnectionList };
  /** Open a connection and close the one that was open. */
  connection_open: { request: model.ConnectionRef; reply: model.WorkspaceStatus };
  /** Threat level, figures and charts of a period. */
  overview: { request: model.OverviewRequest; reply: model.Overview };
  /** List events. */
  event_page: { request: model.EventPageRequest; reply: model.EventPage };
  /** Tell when the events of a search happened and which values are frequent among them. */
  event_figures: { request: model.EventFiguresRequest; reply: model.EventFigures };
  /** Say how a query is understood, or what is wrong with it and where. */
  event_query: { request: model.EventQueryRequest; reply: model.EventQueryReply };
  /** Write the events of a search to a file. */
  event_export: { request: model.EventExport; reply: model.EventExported };
  /** Show a value that was sealed before its event was stored. */
  event_reveal: { request: model.EventReveal; reply: model.EventRevealed };
  /** List keys that could not be read as events. */
  quarantine_list: { request: model.Nothing; reply: model.QuarantineList };
  /** List incidents with counts by facet. */
  incident_page: { request: model.IncidentPageRequest; reply: model.IncidentPage };
  /** Show one incident with everything on its page. */
  incident_detail: { request: model.IncidentRef; reply: model.IncidentDetail };
  /** Take an incident: assign it to yourself and begin investigating. */
  incident_take: { request: model.IncidentRef; reply: model.Incident };
  /** Assign an incident to somebody or to nobody. */
  incident_assign: { request: model.IncidentAssign; reply: model.Incident };
  /** Move an incident to another status. */
  incident_status_set: { request: model.IncidentStatusSet; reply: model.Incident };
  /** Judge an incident and resolve it. */
  incident_resolve: { request: model.IncidentResolve; reply: model.Incident };
  /** Write a note on an incident. */
  incident_note: { request: model.IncidentNote; reply: model.IncidentDetail };
  /** List the lines of an incident's timeline, from the newest back. */
  incident_timeline: { request: model.IncidentEarlier; reply: model.TimelinePart };
  /** List the notes on an incident, from the newest back. */
  incident_notes: { request: model.IncidentEarlier; reply: model.NotePart };
  /** List every event of an incident, newest first. */
  incident_events: { request: model.IncidentEventsRequest; reply: model.IncidentEventList };
  /** Hand an incident over to somebody, with what they have to know. */
  incident_handover: { request: model.IncidentHandover; reply: model.Incident };
  /** Raise the severity of an incident, or call somebody in. */
  incident_escalate: { request: model.IncidentEscalate; reply: model.Incident };
  /** Stop the clocks of an incident: somebody else has to move first. */
  incident_pause: { request: model.IncidentPause; reply: model.Incident };
  /** Let the clocks of an incident run again. */
  incident_resume: { request: model.IncidentRef; reply: model.Incident };
  /** Merge incidents into another one; nothing is lost. */
  incident_merge: { request: model.IncidentMerge; reply: model.Incident };
  /** Take a merged incident out again. */
  incident_split: { request: model.IncidentSplit; reply: model.Incident };
  /** List incidents that resemble one, and why. */
  incident_similar: { request: model.IncidentSimilar; reply: model.SimilarList };
  /** Check a step of an incident's playbook, or take the check back. */
  incident_step_check: { request: model.IncidentStepCheck; reply: model.IncidentDetail };
  /** Do one thing to many incidents, in one transaction. */
  incident_bulk: { request: model.IncidentBulk; reply: model.BulkOutcome };
  /** Take a bulk action, or the change of one incident, back, once. */
  incident_undo: { request: model.IncidentUndo; reply: model.BulkOutcome };
  /** Tell what the verdicts say of each rule. */
  rule_feedback: { request: model.Nothing; reply: model.RuleFeedbackList };
  /** Count what a suppression would have hidden. */
  suppression_preview: { request: model.SuppressionPreviewRequest; reply: model.SuppressionPreview };
  /** Suppress findings for some time: they are kept and counted, and open nothing. */
  suppression_add: { request: model.SuppressionAdd; reply: model.Suppression };
  /** List the suppressions with what they hid. */
  suppression_list: { request: model.Nothing; reply: model.SuppressionList };
  /** List the findings that a suppression hid. */
  suppression_findings: { request: model.SuppressionFindings; reply: model.SuppressedList };
  /** Take a suppression back. */
  suppression_remove: { request: model.SuppressionRemove; reply: model.Suppression };
  /** List blocks and the allowlist. */
  block_list: { request: model.BlockListRequest; reply: model.BlockList };
  /** Show what a block would do, without doing it. */
  block_preview: { request: model.BlockTrial; reply: model.BlockPreview };
  /** Block an address or a range for some time. */
  block_add: { request: model.BlockAdd; reply: model.Block };
  /** Take a block back. */
  block_remove: { request: model.BlockRemove; reply: model.Block };
  /** Add an address or a range that must never be blocked. */
  allow_add: { request: model.AllowAdd; reply: model.BlockList };
  /** Remove an entry of the allowlist. */
  allow_remove: { request: model.AllowRemove; reply: model.BlockList };
  /** Say whether an address is blocked, allowlisted or an own one, and by what. */
  block_check: { request: model.BlockCheck; reply: model.BlockStanding };
  /** List revoked sessions, restricted users, isolated services and limited addresses. */
  contain_list: { request: model.ContainListRequest; reply: model.ContainList };
  /** Show what a containment would do, without doing it. */
  contain_preview: { request: model.ContainCheck; reply: model.ContainPreview };
  /** Revoke a session, restrict a user, isolate a service, or limit the rate of an address. */
  contain_add: { request: model.ContainAdd; reply: model.Containment };
  /** Take a containment back. */
  contain_remove: { request: model.ContainRemove; reply: model.Containment };
  /** Read the response policy. */
  response_policy_get: { request: model.Nothing; reply: model.ResponsePolicyView };
  /** Change the response policy: what the engine does by itself. */
  response_policy_put: { request: model.ResponsePolicyPut; reply: model.ResponsePolicyView };
  /** Count and list what a response policy would have done over the last days. */
  response_preview: { request: model.ResponsePreviewRequest; reply: model.ResponsePreview };
  /** List automatic actions. */
  response_list: { request: model.ResponseListRequest; reply: model.ResponseList };
  /** Take an automatic action back. */
  response_reverse: { request: model.ResponseReverse; reply: model.ResponseAction };
  /** List the messages that wait to be delivered, and those before. */
  outbox_list: { request: model.Nothing; reply: model.OutboxList };
  /** List the entities with the highest risk now. */
  entity_risk_top: { request: model.EntityRiskRequest; reply: model.EntityRiskPage };
  /** Show why an entity has its risk: its incidents, place, threat lists and assets. */
  entity_risk_show: { request: model.EntityRiskRef; reply: model.EntityRiskDetail };
  /** Show where context comes from: location files, threat lists, assets, and how old they are. */
  enrichment_get: { request: model.Nothing; reply: model.EnrichmentState };
  /** Set the location and network files (MaxMind DB format). */
  location_put: { request: model.LocationSettings; reply: model.EnrichmentState };
  /** List the keys that check the signatures of tokens. */
  token_key_list: { request: model.Nothing; reply: model.TokenKeyList };
  /** Add a key that checks the signatures of tokens; one of the same name is replaced. */
  token_key_add: { request: model.TokenKeyAdd; reply: model.TokenKeyList };
  /** Forget a key that checks the signatures of tokens. */
  token_key_remove: { request: model.TokenKeyRef; reply: model.TokenKeyList };
  /** Set how fast the risk of entities decays. */
  risk_policy_put: { request: model.RiskPolicy; reply: model.EnrichmentState };
  /** List the threat lists with their age. */
  threat_list_list: { request: model.Nothing; reply: model.ThreatListPage };
  /** Show entries of a threat list. */
  threat_list_show: { request: model.ThreatListShowRequest; reply: model.ThreatListShow };
  /** Bring in a threat list from a file: text, CSV or STIX 2.1; one of the same name is replaced. */
  threat_list_import: { request: model.ThreatImport; reply: model.ThreatImported };
  /** Forget a threat list. */
  threat_list_remove: { request: model.ThreatListRef; reply: model.ThreatListPage };
  /** Say which threat lists name an address, a domain or a user agent. */
  threat_check: { request: model.ThreatCheckRequest; reply: model.ThreatCheck };
  /** List what matters more or less than the rest. */
  asset_list: { request: model.Nothing; reply: model.AssetList };
  /** Say how much an endpoint, a user or a network matters; the same pattern is replaced. */
  asset_add: { request: model.AssetRule; reply: model.AssetList };
  /** Forget what was said about a pattern. */
  asset_remove: { request: model.AssetRef; reply: model.AssetList };
  /** Read the health of Redis now. */
  redis_health: { request: model.Nothing; reply: model.RedisHealth };
  /** Read stored health samples. */
  redis_history: { request: model.HealthHistoryRequest; reply: model.HealthHistory };
  /** Tell where the lines of the health of Redis are, and how long its history is kept. */
  health_policy_get: { request: model.Nothing; reply: model.HealthPolicyState };
  /** Change the lines of the health of Redis, and how long its history is kept. */
  health_policy_put: { request: model.HealthPolicyPut; reply: model.HealthPolicyState };
  /** Count the keys of Redis by pattern: memory, types, expiry, the largest. */
  redis_patterns: { request: model.PatternRequest; reply: model.PatternCounts };
  /** Bring in a log file. */
  import_run: { request: model.ImportRequest; reply: model.JobRun };
  /** Make synthetic traffic with attacks inside. */
  simulate_run: { request: model.SimulateRequest; reply: model.JobRun };
  /** Count what the retention job would archive and remove. */
  retention_preview: { request: model.RetentionRequest; reply: model.JobReport };
  /** Archive events past their days in Redis and remove them there. */
  retention_run: { request: model.RetentionRequest; reply: model.JobRun };
  /** Count what the optimise job, or the way back, would change. */
  optimize_preview: { request: model.OptimizeRequest; reply: model.JobReport };
  /** Compress payloads, give missing TTLs, trim indexes, return memory. Or the way back. */
  optimize_run: { request: model.OptimizeRequest; reply: model.JobRun };
  /** Count what an export of Redis would write. */
  export_preview: { request: model.ExportRequest; reply: model.JobReport };
  /** Write events in Redis, or every key, to a file. */
  export_run: { request: model.ExportRequest; reply: model.JobRun };
  /** Count what a backup of Redis would hold. */
  backup_preview: { request: model.BackupRequest; reply: model.JobReport };
  /** Write the keys of Redis to a backup. */
  backup_run: { request: model.BackupRequest; reply: model.JobRun };
  /** Check a backup and count what a restore would write. */
  restore_preview: { request: model.RestoreRequest; reply: model.JobReport };
  /** Rehearse a backup on a scratch server, and put its keys back. */
  restore_run: { request: model.RestoreRequest; reply: model.JobRun };
  /** Say what measuring the server would do. */
  benchmark_preview: { request: model.BenchmarkRequest; reply: model.JobReport };
  /** Measure how fast the server answers. */
  benchmark_run: { request: model.BenchmarkRequest; reply: model.JobRun };
  /** Count what the clean-up would remove. */
  cleanup_preview: { request: model.Nothing; reply: model.JobReport };
  /** Remove what is past its days, left over in indexes, and old in the quarantine. */
  cleanup_run: { request: model.Nothing; reply: model.JobRun };
  /** Count the events of a period by type, and what the counts lack. */
  aggregate_preview: { request: model.AggregateRequest; reply: model.JobReport };
  /** Compare the counts of a period with the archive and bring them up to date. */
  aggregate_run: { request: model.AggregateRequest; reply: model.JobRun };
  /** List job runs. */
  job_list: { request: model.Nothing; reply: model.JobList };
  /** Show one job run. */
  job_get: { request: model.JobRef; reply: model.JobRun };
  /** Show when maintenance runs by itself, and how it went. */
  job_plan: { request: model.Nothing; reply: model.JobPlanState };
  /** Choose when maintenance runs by itself. */
  job_plan_put: { request: model.JobPlanPut; reply: model.JobPlanState };
  /** Stop a running job; what it has done stays done. */
  job_cancel: { request: model.JobRef; reply: model.JobRun };
  /** List the detection rules, with what could not be loaded. */
  rule_list: { request: model.Nothing; reply: model.RuleList };
  /** Show one rule with its samples. */
  rule_show: { request: model.RuleRef; reply: model.RuleDetail };
  /** Load the rules directory again. */
  rule_reload: { request: model.Nothing; reply: model.RuleList };
  /** Run the samples of the rules. */
  rule_test: { request: model.RuleTest; reply: model.RuleTestReport };
  /** Look at a request, an event or a value with the rules as they are: its decoded forms and what fires. */
  rule_try: { request: model.RuleTry; reply: model.RuleTried };
  /** Replay archived events and say what other rules would change. */
  rule_backtest: { request: model.RuleBacktest; reply: model.BacktestReport };
  /** Tell how far a replay is, by its ticket. */
  rule_backtest_progress: { request: model.ReportTicket; reply: model.ReportProgress };
  /** Stop a replay, by its ticket: it answers with what it has replayed. */
  rule_backtest_cancel: { request: model.ReportTicket; reply: model.ReportProgress };
  /** Copy Sigma rules into the rules directory. */
  rule_import_sigma: { request: model.RuleImportSigma; reply: model.RuleImportReport };
  /** Switch a rule, or change its threshold or window. */
  rule_set: { request: model.RuleChange; reply: model.RuleDetail };
  /** Choose the rules directory. */
  rule_directory_set: { request: model.RuleDirectorySet; reply: model.RuleList };
  /** Learn what is usual for users and endpoints from the archived events of a period. */
  baseline_generate: { request: model.BaselineRequest; reply: model.Baseline };
  /** Compare a baseline with that of a period: what changed, with numbers. */
  baseline_compare: { request: model.BaselineCompare; reply: model.BaselineDrift };
  /** List the frameworks and the other kinds of reports. */
  report_frameworks: { request: model.Nothing; reply: model.FrameworkList };
  /** Evaluate a framework over a period, or make another report, without writing it. */
  report_preview: { request: model.ReportRequest; reply: model.ReportDocument };
  /** Name files for a report in a folder, none of which is there. */
  report_names: { request: model.ReportNames; reply: model.ReportTargets };
  /** Make a report and write it to files. */
  report_generate: { request: model.ReportGenerate; reply: model.ReportRecord };
  /** List produced reports. */
  report_list: { request: model.ReportPageRequest; reply: model.ReportList };
  /** Tell how far the making of a report is, by its ticket. */
  report_progress: { request: model.ReportTicket; reply: model.ReportProgress };
  /** Stop the making of a report, by its ticket: no file is left. */
  report_cancel: { request: model.ReportTicket; reply: model.ReportProgress };
  /** List the reports that are made by themselves. */
  report_schedule_list: { request: model.Nothing; reply: model.ReportScheduleList };
  /** Have a report made whenever a day, week, month or quarter has ended. */
  report_schedule_add: { request: model.ReportScheduleAdd; reply: model.ReportSchedule };
  /** Stop having a report made by itself. */
  report_schedule_remove: { request: model.ReportScheduleRemove; reply: model.ReportScheduleList };
  /** Keep a schedule without anything being made, or go on with it. */
  report_schedule_pause: { request: model.ReportSchedulePause; reply: model.ReportSchedule };
  /** Make a scheduled report now, about the newest period that has ended. */
  report_schedule_run: { request: model.ReportScheduleRef; reply: model.ReportSchedule };
  /** Say something about an exception of a control; the next reports show it. */
  report_comment_add: { request: model.ReportCommentAdd; reply: model.ControlComment };
  /** List what was said about the controls of a framework. */
  report_comment_list: { request: model.ReportCommentsRequest; reply: model.ReportCommentList };
  /** Take back what was said about a control; the trail keeps it. */
  report_comment_withdraw: { request: model.ReportCommentRef; reply: model.ControlComment };
  /** Approve a report that somebody else made: it is final from then on. */
  report_approve: { request: model.ReportApprove; reply: model.ReportRecord };
  /** Write a report that was made once more, saying how far it is now: draft, final, superseded. */
  report_copy: { request: model.ReportCopy; reply: model.ReportCopied };
  /** Tell what changed from an earlier report to a later one. */
  report_compare: { request: model.ReportCompare; reply: model.ReportChanges };
  /** Check a report file by itself and against the audit trail. */
  report_verify: { request: model.ReportVerify; reply: model.ReportChecked };
  /** List the register of what people do and no event shows. */
  register_list: { request: model.RegisterRequest; reply: model.RegisterList };
  /** Write an entry into the register. */
  register_add: { request: model.RegisterAdd; reply: model.RegisterEntry };
  /** Change, approve or close an entry of the register. */
  register_change: { request: model.RegisterChange; reply: model.RegisterEntry };
  /** Give evidence for a control: a statement, a file by its hash. */
  proof_add: { request: model.ProofAdd; reply: model.Proof };
  /** List the audit trail. */
  audit_page: { request: model.AuditPageRequest; reply: model.AuditPage };
  /** Recompute the tree of the audit trail and check records and checkpoints, here and in other places. */
  audit_verify: { request: model.AuditVerify; reply: model.AuditVerification };
  /** Tell how far a check of the audit trail is, by its ticket. */
  audit_verify_progress: { request: model.ReportTicket; reply: model.ReportProgress };
  /** Stop a check of the audit trail, by its ticket. */
  audit_verify_cancel: { request: model.ReportTicket; reply: model.ReportProgress };
  /** Tell what the audit trail is worth as evidence: witnesses, places, checks. */
  audit_trust: { request: model.Nothing; reply: model.AuditTrust };
  /** Show one record of the audit trail with its leaf. */
  audit_show: { request: model.AuditRef; reply: model.AuditDetail };
  /** Count the records of the audit trail by actor, action, outcome, and tell what they are worth. */
  audit_statistics: { request: model.AuditStatisticsRequest; reply: model.AuditFigures };
  /** Prove that a record is in the audit trail, for somebody without it. */
  audit_prove: { request: model.AuditRef; reply: model.AuditProof };
  /** Export the audit trail to a folder that verifies without Watchpost. */
  audit_export: { request: model.AuditExport; reply: model.AuditExported };
  /** Sign the state of the audit trail now, and keep the checkpoint in the places. */
  audit_checkpoint: { request: model.Nothing; reply: model.Checkpoint };
  /** Make a request for a time stamp of the newest checkpoint (RFC 3161), for somebody to send. */
  audit_timestamp_request: { request: model.Nothing; reply: model.AuditTimestampRequest };
  /** Keep the answer of a time stamp authority with the checkpoint that it is about. */
  audit_timestamp_keep: { request: model.AuditTimestampKeep; reply: model.AuditStamp };
  /** Set where checkpoints are kept outside the database. */
  audit_places_put: { request: model.AuditPlacesPut; reply: model.AuditTrust };
  /** Take the audit trail as it is, although it does not continue what this console saw. */
  audit_accept: { request: model.AuditAccept; reply: model.AuditTrust };
  /** Set a record of the audit trail apart whose writer sealed nothing that opens: an auditor or an admin does. */
  audit_set_apart: { request: model.AuditSetApart; reply: model.SetApart };
  /** Tell for how long the content of audit records is kept, by class. */
  audit_retention_get: { request: model.Nothing; reply: model.AuditRetention };
  /** Set for how long the content of audit records is kept, by class. */
  audit_retention_put: { request: model.AuditRetentionPut; reply: model.AuditRetention };
  /** Count the audit records whose content is past its time. */
  audit_purge_preview: { request: model.AuditPurgeRequest; reply: model.AuditPurged };
  /** Take the content of audit records away that are past their time; leaves and proofs stay. */
  audit_purge: { request: model.AuditPurge; reply: model.AuditPurged };
  /** List the keys that sign the audit log. */
  audit_key_list: { request: model.Nothing; reply: model.AuditKeys };
  /** Sign the audit log with a new key, for which the one before vouches. */
  audit_key_roll: { request: model.AuditKeyRoll; reply: model.AuditKeys };
  /** Set after how many days the status says that the key of a console is old. */
  audit_key_age_put: { request: model.AuditKeyAgePut; reply: model.AuditTrust };
  /** Revoke a key of the audit log: what it signs from now on does not count. */
  audit_key_revoke: { request: model.AuditKeyRevoke; reply: model.AuditKeys };
  /** Back the audit database up to a file, and check the copy by itself. */
  database_backup: { request: model.DatabaseBackup; reply: model.DatabaseCopy };
  /** Check a backup of the audit database: its pages, and all of its trail. */
  database_check: { request: model.DatabaseBackupRef; reply: model.DatabaseCopy };
  /** Put a backup of the audit database to a new place, after it was checked. */
  database_restore: { request: model.DatabaseRestore; reply: model.DatabaseCopy };
  /** Check the pages of the audit database, make its statistics anew, and fold its log. */
  database_maintain: { request: model.DatabaseMaintain; reply: model.DatabaseMaintained };
  /** Write the tables of the audit database to a folder as JSON lines and CSV, without keys. */
  database_export: { request: model.DatabaseExport; reply: model.DatabaseExported };
  /** Tell how the copies of the audit database stand: the newest one, the next one, the last rehearsal. */
  database_copies: { request: model.Nothing; reply: model.DatabaseCopies };
  /** Copy the audit database into a folder, check the copy, and remove copies that are no longer kept. */
  database_copy_run: { request: model.DatabaseCopyRun; reply: model.JobRun };
  /** Rehearse a copy of the audit database in a scratch place; nothing else is touched. */
  database_rehearse_run: { request: model.DatabaseRehearse; reply: model.JobRun };
  /** List the legal holds, and the erasures that were done. */
  privacy_list: { request: model.Nothing; reply: model.PrivacyList };
  /** Tell where somebody is named: what an erasure would remove and change. */
  privacy_preview: { request: model.PrivacyRef; reply: model.PrivacyLook };
  /** Erase somebody: destroy the key, remove what is about the person, and look everywhere for what is left. */
  privacy_erase: { request: model.PrivacyErase; reply: model.PrivacyErased };
  /** Write everything that is kept about somebody to a file, for that person. */
  privacy_export: { request: model.PrivacyExport; reply: model.PrivacyExported };
  /** Place a legal hold: nothing about somebody is erased or removed by retention. */
  hold_add: { request: model.HoldAdd; reply: model.LegalHold };
  /** Release a legal hold that somebody else placed. */
  hold_release: { request: model.HoldRelease; reply: model.LegalHold };
  /** List what waits for a second person, and what one person may do alone. */
  approval_list: { request: model.Nothing; reply: model.ApprovalList };
  /** Approve what somebody else asked for: it is carried out, once. */
  approval_grant: { request: model.ApprovalDecision; reply: model.ApprovalGranted };
  /** Say no to what somebody asked for. */
  approval_refuse: { request: model.ApprovalDecision; reply: model.ApprovalRequest };
  /** Withdraw what you asked for. */
  approval_withdraw: { request: model.ApprovalRef; reply: model.ApprovalRequest };
  /** Change what one person may do alone. */
  approval_policy_put: { request: model.ApprovalPolicyPut; reply: model.ApprovalList };
  /** List who has which role, and where it comes from. */
  role_list: { request: model.Nothing; reply: model.RoleList };
  /** Give somebody a role, where the database is a file. */
  role_set: { request: model.RoleSet; reply: model.RoleList };
  /** Tell how the lock of the window is. */
  window_lock_get: { request: model.Nothing; reply: model.WindowLock };
  /** Lock the window now. */
  window_lock_now: { request: model.Nothing; reply: model.WindowLock };
  /** Unlock the window with its passphrase. */
  window_unlock: { request: model.WindowUnlock; reply: model.WindowLock };
  /** Set after how long without anybody the window locks, and the passphrase that opens it. */
  window_lock_put: { request: model.WindowLockPut; reply: model.WindowLock };
  /** Tell where the file of secrets is, whether secrets are kept in it, and whether it is open. */
  secrets_file_get: { request: model.Nothing; reply: model.SecretsFileState };
  /** Open the file of secrets with its passphrase. */
  secrets_file_open: { request: model.SecretsFileOpen; reply: model.SecretsFileState };
  /** Make the file of secrets; passwords and the signing key are kept in it from then on. */
  secrets_file_make: { request: model.SecretsFileMake; reply: model.SecretsFileState };
  /** Lock the file of secrets with another passphrase. */
  secrets_file_passphrase: { request: model.SecretsFilePassphrase; reply: model.SecretsFileState };
  /** Tell what is sealed of events before they are stored. */
  sealing_get: { request: model.Nothing; reply: model.SealPolicy };
  /** Change what is sealed of events before they are stored. */
  sealing_put: { request: model.SealingPut; reply: model.SealPolicy };
  /** Read the settings of the workspace. */
  settings_get: { request: model.Nothing; reply: model.Settings };
  /** Change the settings of the workspace. */
  settings_put: { request: model.SettingsChange; reply: model.Settings };
}

export type OperationName = keyof Operations;

export interface OperationSpec {
  permission: string;
  effect: 'read' | 'local' | 'check' | 'change';
  check_if?: string;
  provides: readonly model.Tag[];
  invalidates: readonly model.Tag[];
}

export const operations: Readonly<Record<OperationName, OperationSpec>> = {
  workspace_status: {
    permission: 'view',
    effect: 'read',
    provides: ['status'],
    invalidates: [],
  },
  connection_list: {
    permission: 'view',
    effect: 'read',
    provides: ['connections'],
    invalidates: [],
  },
  connection_parse: {
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  connection_test: {
    permission: 'admin',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  connection_save: {
    permission: 'admin',
    effect: 'local',
    provides: [],
    invalidates: ['connections', 'status'],
  },
  connection_remove: {
    permission: 'admin',
    effect: 'local',
    provides: [],
    invalidates: ['connections', 'status'],
  },
  connection_choose: {
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: ['connections'],
  },
  connection_open: {
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: ['status', 'connections', 'events', 'incidents', 'blocks', 'jobs', 'health', 'reports', 'audit', 'settings'],
  },
  overview: {
    permission: 'view',
    effect: 'read',
    provides: ['events', 'incidents', 'blocks'],
    invalidates: [],
  },
  event_page: {
    permission: 'view',
    effect: 'read',
    provides: ['events'],
    invalidates: [],
  },
  event_figures: {
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  event_query: {
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  event_export: {
    permission: 'view',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  event_reveal: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  quarantine_list: {
    permission: 'view',
    effect: 'read',
    provides: ['events'],
    invalidates: [],
  },
  incident_page: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_detail: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_take: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_assign: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_status_set: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_resolve: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_note: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_timeline: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_notes: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_events: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents', 'events'],
    invalidates: [],
  },
  incident_handover: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_escalate: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_pause: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_resume: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_merge: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_split: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_similar: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_step_check: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_bulk: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_undo: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  rule_feedback: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  suppression_preview: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  suppression_add: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  suppression_list: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  suppression_findings: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  suppression_remove: {
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  block_list: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks'],
    invalidates: [],
  },
  block_preview: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks', 'events'],
    invalidates: [],
  },
  block_add: {
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  block_remove: {
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  allow_add: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'audit'],
  },
  allow_remove: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'audit'],
  },
  block_check: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks'],
    invalidates: [],
  },
  contain_list: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks'],
    invalidates: [],
  },
  contain_preview: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks', 'events'],
    invalidates: [],
  },
  contain_add: {
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  contain_remove: {
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  response_policy_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  response_policy_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  response_preview: {
    permission: 'view',
    effect: 'read',
    provides: ['settings', 'incidents', 'blocks'],
    invalidates: [],
  },
  response_list: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks', 'incidents'],
    invalidates: [],
  },
  response_reverse: {
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  outbox_list: {
    permission: 'view',
    effect: 'read',
    provides: ['blocks', 'incidents'],
    invalidates: [],
  },
  entity_risk_top: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents', 'settings'],
    invalidates: [],
  },
  entity_risk_show: {
    permission: 'view',
    effect: 'read',
    provides: ['incidents', 'settings'],
    invalidates: [],
  },
  enrichment_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  location_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  token_key_list: {
    permission: 'view',
    effect: 'read',
    provides: ['settings', 'rules'],
    invalidates: [],
  },
  token_key_add: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'rules', 'audit'],
  },
  token_key_remove: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'rules', 'audit'],
  },
  risk_policy_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'incidents', 'audit'],
  },
  threat_list_list: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  threat_list_show: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  threat_list_import: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  threat_list_remove: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  threat_check: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  asset_list: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  asset_add: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  asset_remove: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  redis_health: {
    permission: 'view',
    effect: 'read',
    provides: ['health'],
    invalidates: [],
  },
  redis_history: {
    permission: 'view',
    effect: 'read',
    provides: ['health'],
    invalidates: [],
  },
  health_policy_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  health_policy_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['health', 'settings', 'audit'],
  },
  redis_patterns: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  import_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  simulate_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  retention_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  retention_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  optimize_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  optimize_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  export_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  export_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  backup_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  backup_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  restore_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  restore_run: {
    permission: 'maintain',
    effect: 'change',
    check_if: 'rehearse_only',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  benchmark_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  benchmark_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  cleanup_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  cleanup_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  aggregate_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  aggregate_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  job_list: {
    permission: 'view',
    effect: 'read',
    provides: ['jobs'],
    invalidates: [],
  },
  job_get: {
    permission: 'view',
    effect: 'read',
    provides: ['jobs'],
    invalidates: [],
  },
  job_plan: {
    permission: 'view',
    effect: 'read',
    provides: ['jobs', 'settings'],
    invalidates: [],
  },
  job_plan_put: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'settings', 'audit'],
  },
  job_cancel: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  rule_list: {
    permission: 'view',
    effect: 'read',
    provides: ['rules'],
    invalidates: [],
  },
  rule_show: {
    permission: 'view',
    effect: 'read',
    provides: ['rules'],
    invalidates: [],
  },
  rule_reload: {
    permission: 'maintain',
    effect: 'local',
    provides: [],
    invalidates: ['rules', 'status'],
  },
  rule_test: {
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  rule_try: {
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  rule_backtest: {
    permission: 'triage',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  rule_backtest_progress: {
    permission: 'triage',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  rule_backtest_cancel: {
    permission: 'triage',
    effect: 'local',
    provides: [],
    invalidates: [],
  },
  rule_import_sigma: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['rules', 'audit'],
  },
  rule_set: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['rules', 'settings', 'audit'],
  },
  rule_directory_set: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['rules', 'settings', 'audit'],
  },
  baseline_generate: {
    permission: 'report',
    effect: 'read',
    provides: ['events'],
    invalidates: [],
  },
  baseline_compare: {
    permission: 'report',
    effect: 'read',
    provides: ['events'],
    invalidates: [],
  },
  report_frameworks: {
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  report_preview: {
    permission: 'report',
    effect: 'read',
    provides: ['events', 'incidents', 'blocks', 'audit'],
    invalidates: [],
  },
  report_names: {
    permission: 'report',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  report_generate: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_list: {
    permission: 'view',
    effect: 'read',
    provides: ['reports'],
    invalidates: [],
  },
  report_progress: {
    permission: 'report',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  report_cancel: {
    permission: 'report',
    effect: 'local',
    provides: [],
    invalidates: [],
  },
  report_schedule_list: {
    permission: 'view',
    effect: 'read',
    provides: ['reports'],
    invalidates: [],
  },
  report_schedule_add: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_schedule_remove: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_schedule_pause: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_schedule_run: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_comment_add: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_comment_list: {
    permission: 'report',
    effect: 'read',
    provides: ['reports'],
    invalidates: [],
  },
  report_comment_withdraw: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_approve: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_copy: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  report_compare: {
    permission: 'report',
    effect: 'read',
    provides: ['reports'],
    invalidates: [],
  },
  report_verify: {
    permission: 'report',
    effect: 'read',
    provides: ['reports', 'audit'],
    invalidates: [],
  },
  register_list: {
    permission: 'report',
    effect: 'read',
    provides: ['reports'],
    invalidates: [],
  },
  register_add: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  register_change: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  proof_add: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  audit_page: {
    permission: 'audit',
    effect: 'read',
    provides: ['audit'],
    invalidates: [],
  },
  audit_verify: {
    permission: 'audit',
    effect: 'check',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  audit_verify_progress: {
    permission: 'audit',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  audit_verify_cancel: {
    permission: 'audit',
    effect: 'local',
    provides: [],
    invalidates: [],
  },
  audit_trust: {
    permission: 'audit',
    effect: 'read',
    provides: ['audit', 'status'],
    invalidates: [],
  },
  audit_show: {
    permission: 'audit',
    effect: 'read',
    provides: ['audit'],
    invalidates: [],
  },
  audit_statistics: {
    permission: 'audit',
    effect: 'read',
    provides: ['audit'],
    invalidates: [],
  },
  audit_prove: {
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  audit_export: {
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  audit_checkpoint: {
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  audit_timestamp_request: {
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  audit_timestamp_keep: {
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  audit_places_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  audit_accept: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  audit_set_apart: {
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  audit_retention_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  audit_retention_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  audit_purge_preview: {
    permission: 'admin',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  audit_purge: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  audit_key_list: {
    permission: 'audit',
    effect: 'read',
    provides: ['audit'],
    invalidates: [],
  },
  audit_key_roll: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  audit_key_age_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  audit_key_revoke: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'status'],
  },
  database_backup: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  database_check: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  database_restore: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  database_maintain: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  database_export: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  database_copies: {
    permission: 'view',
    effect: 'read',
    provides: ['jobs', 'settings'],
    invalidates: [],
  },
  database_copy_run: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit', 'status'],
  },
  database_rehearse_run: {
    permission: 'maintain',
    effect: 'check',
    provides: [],
    invalidates: ['jobs', 'audit', 'status'],
  },
  privacy_list: {
    permission: 'audit',
    effect: 'read',
    provides: ['audit'],
    invalidates: [],
  },
  privacy_preview: {
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  privacy_erase: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['events', 'incidents', 'blocks', 'jobs', 'reports', 'audit', 'settings'],
  },
  privacy_export: {
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  hold_add: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  hold_release: {
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  approval_list: {
    permission: 'view',
    effect: 'read',
    provides: ['audit', 'settings'],
    invalidates: [],
  },
  approval_grant: {
    permission: 'view',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'settings', 'rules', 'events', 'incidents', 'blocks', 'jobs', 'reports'],
  },
  approval_refuse: {
    permission: 'view',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  approval_withdraw: {
    permission: 'view',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  approval_policy_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['audit', 'settings'],
  },
  role_list: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  role_set: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'status', 'audit'],
  },
  window_lock_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  window_lock_now: {
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: [],
  },
  window_unlock: {
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: [],
  },
  window_lock_put: {
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  secrets_file_get: {
    permission: 'view',
    effect: 'read',
    provides: ['status'],
    invalidates: [],
  },
  secrets_file_open: {
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: ['status', 'connections', 'audit'],
  },
  secrets_file_make: {
    permission: 'admin',
    effect: 'local',
    provides: [],
    invalidates: ['status', 'connections', 'audit'],
  },
  secrets_file_passphrase: {
    permission: 'admin',
    effect: 'local',
    provides: [],
    invalidates: ['status', 'audit'],
  },
  sealing_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  sealing_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
  settings_get: {
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  settings_put: {
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
};
