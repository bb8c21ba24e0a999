import type * as m from "./model";

export type OperationName = keyof Operations;

export interface OperationSpec { about: string; permission: string; effect: "read" | "local" | "change"; provides: readonly m.Tag[]; invalidates: readonly m.Tag[] }

export interface Operations {
  workspace_status: { request: m.Nothing; reply: m.WorkspaceStatus };
  connection_list: { request: m.Nothing; reply: m.ConnectionList };
  connection_parse: { request: m.ConnectionParse; reply: m.ParsedUrl };
  connection_test: { request: m.ConnectionDraft; reply: m.ConnectionCheck };
  connection_save: { request: m.ConnectionDraft; reply: m.Connection };
  connection_remove: { request: m.ConnectionRef; reply: m.ConnectionList };
  connection_open: { request: m.ConnectionRef; reply: m.WorkspaceStatus };
  overview: { request: m.OverviewRequest; reply: m.Overview };
  event_page: { request: m.EventPageRequest; reply: m.EventPage };
  quarantine_list: { request: m.Nothing; reply: m.QuarantineList };
  incident_page: { request: m.IncidentPageRequest; reply: m.IncidentPage };
  incident_detail: { request: m.IncidentRef; reply: m.IncidentDetail };
  incident_take: { request: m.IncidentRef; reply: m.Incident };
  incident_assign: { request: m.IncidentAssign; reply: m.Incident };
  incident_status_set: { request: m.IncidentStatusSet; reply: m.Incident };
  incident_resolve: { request: m.IncidentResolve; reply: m.Incident };
  incident_note: { request: m.IncidentNote; reply: m.IncidentDetail };
  block_list: { request: m.BlockListRequest; reply: m.BlockList };
  block_preview: { request: m.BlockCheck; reply: m.BlockPreview };
  block_add: { request: m.BlockAdd; reply: m.Block };
  block_remove: { request: m.BlockRemove; reply: m.Block };
  allow_add: { request: m.AllowAdd; reply: m.BlockList };
  allow_remove: { request: m.AllowRemove; reply: m.BlockList };
  redis_health: { request: m.Nothing; reply: m.RedisHealth };
  redis_history: { request: m.HealthHistoryRequest; reply: m.HealthHistory };
  import_run: { request: m.ImportRequest; reply: m.JobRun };
  simulate_run: { request: m.SimulateRequest; reply: m.JobRun };
  retention_preview: { request: m.RetentionRequest; reply: m.JobReport };
  retention_run: { request: m.RetentionRequest; reply: m.JobRun };
  optimize_preview: { request: m.Nothing; reply: m.JobReport };
  optimize_run: { request: m.Nothing; reply: m.JobRun };
  job_list: { request: m.Nothing; reply: m.JobList };
  job_get: { request: m.JobRef; reply: m.JobRun };
  job_cancel: { request: m.JobRef; reply: m.JobRun };
  report_frameworks: { request: m.Nothing; reply: m.FrameworkList };
  report_preview: { request: m.ReportRequest; reply: m.ReportDocument };
  report_generate: { request: m.ReportGenerate; reply: m.ReportRecord };
  report_list: { request: m.Nothing; reply: m.ReportList };
  audit_page: { request: m.AuditPageRequest; reply: m.AuditPage };
  audit_verify: { request: m.Nothing; reply: m.AuditVerification };
  settings_get: { request: m.Nothing; reply: m.Settings };
  settings_put: { request: m.Settings; reply: m.Settings };
}

export const operations: Readonly<Record<OperationName, OperationSpec>> = {
  workspace_status: { about: "Tell how Redis, the database and the engine are.", permission: "view", effect: "read", provides: ["status"], invalidates: [] },
  connection_list: { about: "List the saved connections.", permission: "view", effect: "read", provides: ["connections"], invalidates: [] },
  connection_parse: { about: "Take a connection URL apart.", permission: "view", effect: "read", provides: [], invalidates: [] },
  connection_test: { about: "Try a connection and say exactly which step fails.", permission: "admin", effect: "read", provides: [], invalidates: [] },
  connection_save: { about: "Save a connection; its passwords go to the OS keychain.", permission: "admin", effect: "local", provides: [], invalidates: ["connections", "status"] },
  connection_remove: { about: "Forget a connection and its passwords.", permission: "admin", effect: "local", provides: [], invalidates: ["connections", "status"] },
  connection_open: { about: "Open a connection and close the one that was open.", permission: "view", effect: "local", provides: [], invalidates: ["status", "connections", "events", "incidents", "blocks", "jobs", "health", "reports", "audit", "settings"] },
  overview: { about: "Threat level, figures and charts of a period.", permission: "view", effect: "read", provides: ["events", "incidents", "blocks"], invalidates: [] },
  event_page: { about: "List events.", permission: "view", effect: "read", provides: ["events"], invalidates: [] },
  quarantine_list: { about: "List keys that could not be read as events.", permission: "view", effect: "read", provides: ["events"], invalidates: [] },
  incident_page: { about: "List incidents with counts by facet.", permission: "view", effect: "read", provides: ["incidents"], invalidates: [] },
  incident_detail: { about: "Show one incident with everything on its page.", permission: "view", effect: "read", provides: ["incidents"], invalidates: [] },
  incident_take: { about: "Take an incident: assign it to yourself and begin investigating.", permission: "triage", effect: "change", provides: [], invalidates: ["incidents", "audit", "status"] },
  incident_assign: { about: "Assign an incident to somebody or to nobody.", permission: "triage", effect: "change", provides: [], invalidates: ["incidents", "audit"] },
  incident_status_set: { about: "Move an incident to another status.", permission: "triage", effect: "change", provides: [], invalidates: ["incidents", "audit", "status"] },
  incident_resolve: { about: "Judge an incident and resolve it.", permission: "triage", effect: "change", provides: [], invalidates: ["incidents", "audit", "status"] },
  incident_note: { about: "Write a note on an incident.", permission: "triage", effect: "change", provides: [], invalidates: ["incidents", "audit"] },
  block_list: { about: "List blocks and the allowlist.", permission: "view", effect: "read", provides: ["blocks"], invalidates: [] },
  block_preview: { about: "Show what a block would do, without doing it.", permission: "view", effect: "read", provides: ["blocks", "events"], invalidates: [] },
  block_add: { about: "Block an address or a range for some time.", permission: "contain", effect: "change", provides: [], invalidates: ["blocks", "incidents", "audit"] },
  block_remove: { about: "Take a block back.", permission: "contain", effect: "change", provides: [], invalidates: ["blocks", "incidents", "audit"] },
  allow_add: { about: "Add an address or a range that must never be blocked.", permission: "admin", effect: "change", provides: [], invalidates: ["blocks", "audit"] },
  allow_remove: { about: "Remove an entry of the allowlist.", permission: "admin", effect: "change", provides: [], invalidates: ["blocks", "audit"] },
  redis_health: { about: "Read the health of Redis now.", permission: "view", effect: "read", provides: ["health"], invalidates: [] },
  redis_history: { about: "Read stored health samples.", permission: "view", effect: "read", provides: ["health"], invalidates: [] },
  import_run: { about: "Bring in a log file.", permission: "maintain", effect: "change", provides: [], invalidates: ["jobs", "audit"] },
  simulate_run: { about: "Make synthetic traffic with attacks inside.", permission: "maintain", effect: "change", provides: [], invalidates: ["jobs", "audit"] },
  retention_preview: { about: "Count what the retention job would archive and remove.", permission: "maintain", effect: "read", provides: [], invalidates: [] },
  retention_run: { about: "Archive events past their days in Redis and remove them there.", permission: "maintain", effect: "change", provides: [], invalidates: ["jobs", "audit"] },
  optimize_preview: { about: "Count what the optimise job would change.", permission: "maintain", effect: "read", provides: [], invalidates: [] },
  optimize_run: { about: "Compress payloads, give missing TTLs, trim indexes, return memory.", permission: "maintain", effect: "change", provides: [], invalidates: ["jobs", "audit"] },
  job_list: { about: "List job runs.", permission: "view", effect: "read", provides: ["jobs"], invalidates: [] },
  job_get: { about: "Show one job run.", permission: "view", effect: "read", provides: ["jobs"], invalidates: [] },
  job_cancel: { about: "Stop a running job; what it has done stays done.", permission: "maintain", effect: "change", provides: [], invalidates: ["jobs", "audit"] },
  report_frameworks: { about: "List the compliance frameworks.", permission: "view", effect: "read", provides: [], invalidates: [] },
  report_preview: { about: "Evaluate a framework over a period.", permission: "report", effect: "read", provides: ["events", "incidents", "blocks", "audit"], invalidates: [] },
  report_generate: { about: "Evaluate a framework and write the report to files.", permission: "report", effect: "change", provides: [], invalidates: ["reports", "audit"] },
  report_list: { about: "List produced reports.", permission: "view", effect: "read", provides: ["reports"], invalidates: [] },
  audit_page: { about: "List the audit trail.", permission: "audit", effect: "read", provides: ["audit"], invalidates: [] },
  audit_verify: { about: "Recompute the tree of the audit trail and check every record and checkpoint.", permission: "audit", effect: "change", provides: [], invalidates: ["audit"] },
  settings_get: { about: "Read the settings of the workspace.", permission: "view", effect: "read", provides: ["settings"], invalidates: [] },
  settings_put: { about: "Change the settings of the workspace.", permission: "admin", effect: "change", provides: [], invalidates: ["settings", "audit"] },
};
