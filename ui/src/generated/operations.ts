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
  /** List blocks and the allowlist. */
  block_list: { request: model.BlockListRequest; reply: model.BlockList };
  /** Show what a block would do, without doing it. */
  block_preview: { request: model.BlockCheck; reply: model.BlockPreview };
  /** Block an address or a range for some time. */
  block_add: { request: model.BlockAdd; reply: model.Block };
  /** Take a block back. */
  block_remove: { request: model.BlockRemove; reply: model.Block };
  /** Add an address or a range that must never be blocked. */
  allow_add: { request: model.AllowAdd; reply: model.BlockList };
  /** Remove an entry of the allowlist. */
  allow_remove: { request: model.AllowRemove; reply: model.BlockList };
  /** Read the health of Redis now. */
  redis_health: { request: model.Nothing; reply: model.RedisHealth };
  /** Read stored health samples. */
  redis_history: { request: model.HealthHistoryRequest; reply: model.HealthHistory };
  /** Bring in a log file. */
  import_run: { request: model.ImportRequest; reply: model.JobRun };
  /** Make synthetic traffic with attacks inside. */
  simulate_run: { request: model.SimulateRequest; reply: model.JobRun };
  /** Count what the retention job would archive and remove. */
  retention_preview: { request: model.RetentionRequest; reply: model.JobReport };
  /** Archive events past their days in Redis and remove them there. */
  retention_run: { request: model.RetentionRequest; reply: model.JobRun };
  /** Count what the optimise job would change. */
  optimize_preview: { request: model.Nothing; reply: model.JobReport };
  /** Compress payloads, give missing TTLs, trim indexes, return memory. */
  optimize_run: { request: model.Nothing; reply: model.JobRun };
  /** List job runs. */
  job_list: { request: model.Nothing; reply: model.JobList };
  /** Show one job run. */
  job_get: { request: model.JobRef; reply: model.JobRun };
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
  /** Replay archived events and say what other rules would change. */
  rule_backtest: { request: model.RuleBacktest; reply: model.BacktestReport };
  /** Copy Sigma rules into the rules directory. */
  rule_import_sigma: { request: model.RuleImportSigma; reply: model.RuleImportReport };
  /** Switch a rule, or change its threshold or window. */
  rule_set: { request: model.RuleChange; reply: model.RuleDetail };
  /** Choose the rules directory. */
  rule_directory_set: { request: model.RuleDirectorySet; reply: model.RuleList };
  /** List the compliance frameworks. */
  report_frameworks: { request: model.Nothing; reply: model.FrameworkList };
  /** Evaluate a framework over a period. */
  report_preview: { request: model.ReportRequest; reply: model.ReportDocument };
  /** Evaluate a framework and write the report to files. */
  report_generate: { request: model.ReportGenerate; reply: model.ReportRecord };
  /** List produced reports. */
  report_list: { request: model.Nothing; reply: model.ReportList };
  /** List the audit trail. */
  audit_page: { request: model.AuditPageRequest; reply: model.AuditPage };
  /** Recompute the tree of the audit trail and check every record and checkpoint. */
  audit_verify: { request: model.Nothing; reply: model.AuditVerification };
  /** Read the settings of the workspace. */
  settings_get: { request: model.Nothing; reply: model.Settings };
  /** Change the settings of the workspace. */
  settings_put: { request: model.Settings; reply: model.Settings };
}

export type OperationName = keyof Operations;

export interface OperationSpec {
  about: string;
  permission: string;
  effect: 'read' | 'local' | 'change';
  provides: readonly model.Tag[];
  invalidates: readonly model.Tag[];
}

export const operations: Readonly<Record<OperationName, OperationSpec>> = {
  workspace_status: {
    about: "Tell how Redis, the database and the engine are.",
    permission: 'view',
    effect: 'read',
    provides: ['status'],
    invalidates: [],
  },
  connection_list: {
    about: "List the saved connections.",
    permission: 'view',
    effect: 'read',
    provides: ['connections'],
    invalidates: [],
  },
  connection_parse: {
    about: "Take a connection URL apart.",
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  connection_test: {
    about: "Try a connection and say exactly which step fails.",
    permission: 'admin',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  connection_save: {
    about: "Save a connection; its passwords go to the OS keychain.",
    permission: 'admin',
    effect: 'local',
    provides: [],
    invalidates: ['connections', 'status'],
  },
  connection_remove: {
    about: "Forget a connection and its passwords.",
    permission: 'admin',
    effect: 'local',
    provides: [],
    invalidates: ['connections', 'status'],
  },
  connection_choose: {
    about: "Choose the connection to start with: for the window, and for commands that name none.",
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: ['connections'],
  },
  connection_open: {
    about: "Open a connection and close the one that was open.",
    permission: 'view',
    effect: 'local',
    provides: [],
    invalidates: ['status', 'connections', 'events', 'incidents', 'blocks', 'jobs', 'health', 'reports', 'audit', 'settings'],
  },
  overview: {
    about: "Threat level, figures and charts of a period.",
    permission: 'view',
    effect: 'read',
    provides: ['events', 'incidents', 'blocks'],
    invalidates: [],
  },
  event_page: {
    about: "List events.",
    permission: 'view',
    effect: 'read',
    provides: ['events'],
    invalidates: [],
  },
  quarantine_list: {
    about: "List keys that could not be read as events.",
    permission: 'view',
    effect: 'read',
    provides: ['events'],
    invalidates: [],
  },
  incident_page: {
    about: "List incidents with counts by facet.",
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_detail: {
    about: "Show one incident with everything on its page.",
    permission: 'view',
    effect: 'read',
    provides: ['incidents'],
    invalidates: [],
  },
  incident_take: {
    about: "Take an incident: assign it to yourself and begin investigating.",
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_assign: {
    about: "Assign an incident to somebody or to nobody.",
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  incident_status_set: {
    about: "Move an incident to another status.",
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_resolve: {
    about: "Judge an incident and resolve it.",
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit', 'status'],
  },
  incident_note: {
    about: "Write a note on an incident.",
    permission: 'triage',
    effect: 'change',
    provides: [],
    invalidates: ['incidents', 'audit'],
  },
  block_list: {
    about: "List blocks and the allowlist.",
    permission: 'view',
    effect: 'read',
    provides: ['blocks'],
    invalidates: [],
  },
  block_preview: {
    about: "Show what a block would do, without doing it.",
    permission: 'view',
    effect: 'read',
    provides: ['blocks', 'events'],
    invalidates: [],
  },
  block_add: {
    about: "Block an address or a range for some time.",
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  block_remove: {
    about: "Take a block back.",
    permission: 'contain',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'incidents', 'audit'],
  },
  allow_add: {
    about: "Add an address or a range that must never be blocked.",
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'audit'],
  },
  allow_remove: {
    about: "Remove an entry of the allowlist.",
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['blocks', 'audit'],
  },
  redis_health: {
    about: "Read the health of Redis now.",
    permission: 'view',
    effect: 'read',
    provides: ['health'],
    invalidates: [],
  },
  redis_history: {
    about: "Read stored health samples.",
    permission: 'view',
    effect: 'read',
    provides: ['health'],
    invalidates: [],
  },
  import_run: {
    about: "Bring in a log file.",
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  simulate_run: {
    about: "Make synthetic traffic with attacks inside.",
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  retention_preview: {
    about: "Count what the retention job would archive and remove.",
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  retention_run: {
    about: "Archive events past their days in Redis and remove them there.",
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  optimize_preview: {
    about: "Count what the optimise job would change.",
    permission: 'maintain',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  optimize_run: {
    about: "Compress payloads, give missing TTLs, trim indexes, return memory.",
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  job_list: {
    about: "List job runs.",
    permission: 'view',
    effect: 'read',
    provides: ['jobs'],
    invalidates: [],
  },
  job_get: {
    about: "Show one job run.",
    permission: 'view',
    effect: 'read',
    provides: ['jobs'],
    invalidates: [],
  },
  job_cancel: {
    about: "Stop a running job; what it has done stays done.",
    permission: 'maintain',
    effect: 'change',
    provides: [],
    invalidates: ['jobs', 'audit'],
  },
  rule_list: {
    about: "List the detection rules, with what could not be loaded.",
    permission: 'view',
    effect: 'read',
    provides: ['rules'],
    invalidates: [],
  },
  rule_show: {
    about: "Show one rule with its samples.",
    permission: 'view',
    effect: 'read',
    provides: ['rules'],
    invalidates: [],
  },
  rule_reload: {
    about: "Load the rules directory again.",
    permission: 'maintain',
    effect: 'local',
    provides: [],
    invalidates: ['rules', 'status'],
  },
  rule_test: {
    about: "Run the samples of the rules.",
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  rule_backtest: {
    about: "Replay archived events and say what other rules would change.",
    permission: 'triage',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  rule_import_sigma: {
    about: "Copy Sigma rules into the rules directory.",
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['rules', 'audit'],
  },
  rule_set: {
    about: "Switch a rule, or change its threshold or window.",
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['rules', 'settings', 'audit'],
  },
  rule_directory_set: {
    about: "Choose the rules directory.",
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['rules', 'settings', 'audit'],
  },
  report_frameworks: {
    about: "List the compliance frameworks.",
    permission: 'view',
    effect: 'read',
    provides: [],
    invalidates: [],
  },
  report_preview: {
    about: "Evaluate a framework over a period.",
    permission: 'report',
    effect: 'read',
    provides: ['events', 'incidents', 'blocks', 'audit'],
    invalidates: [],
  },
  report_generate: {
    about: "Evaluate a framework and write the report to files.",
    permission: 'report',
    effect: 'change',
    provides: [],
    invalidates: ['reports', 'audit'],
  },
  report_list: {
    about: "List produced reports.",
    permission: 'view',
    effect: 'read',
    provides: ['reports'],
    invalidates: [],
  },
  audit_page: {
    about: "List the audit trail.",
    permission: 'audit',
    effect: 'read',
    provides: ['audit'],
    invalidates: [],
  },
  audit_verify: {
    about: "Recompute the tree of the audit trail and check every record and checkpoint.",
    permission: 'audit',
    effect: 'change',
    provides: [],
    invalidates: ['audit'],
  },
  settings_get: {
    about: "Read the settings of the workspace.",
    permission: 'view',
    effect: 'read',
    provides: ['settings'],
    invalidates: [],
  },
  settings_put: {
    about: "Change the settings of the workspace.",
    permission: 'admin',
    effect: 'change',
    provides: [],
    invalidates: ['settings', 'audit'],
  },
};
