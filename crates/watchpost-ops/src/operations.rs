//! The one list of operations. Tauri commands, HTTP routes, the CLI's JSON mode and the TypeScript bindings are
//! expanded from it; nothing else lists them.

/// Calls `$callback!` with every operation of the product.
///
/// Shape of an entry: `"about" name(Request) -> Reply: permission, effect, [provides], [invalidates];`
#[macro_export]
macro_rules! for_each_operation {
    ($callback:ident) => {
        $callback! {
            "Tell how Redis, the database and the engine are."
            workspace_status(Nothing) -> WorkspaceStatus: View, Read, [Status], [];
            "List the saved connections."
            connection_list(Nothing) -> ConnectionList: View, Read, [Connections], [];
            "Take a connection URL apart."
            connection_parse(ConnectionParse) -> ParsedUrl: View, Read, [], [];
            "Try a connection and say exactly which step fails."
            connection_test(ConnectionDraft) -> ConnectionCheck: Admin, Read, [], [];
            "Save a connection; its passwords go to the OS keychain."
            connection_save(ConnectionDraft) -> Connection: Admin, Local, [], [Connections, Status];
            "Forget a connection and its passwords."
            connection_remove(ConnectionRef) -> ConnectionList: Admin, Local, [], [Connections, Status];
            "Choose the connection to start with: for the window, and for commands that name none."
            connection_choose(ConnectionRef) -> ConnectionList: View, Local, [], [Connections];
            "Open a connection and close the one that was open."
            connection_open(ConnectionRef) -> WorkspaceStatus: View, Local, [],
                [Status, Connections, Events, Incidents, Blocks, Jobs, Health, Reports, Audit, Settings];

            "Threat level, figures and charts of a period."
            overview(OverviewRequest) -> Overview: View, Read, [Events, Incidents, Blocks], [];
            "List events."
            event_page(EventPageRequest) -> EventPage: View, Read, [Events], [];
            "List keys that could not be read as events."
            quarantine_list(Nothing) -> QuarantineList: View, Read, [Events], [];

            "List incidents with counts by facet."
            incident_page(IncidentPageRequest) -> IncidentPage: View, Read, [Incidents], [];
            "Show one incident with everything on its page."
            incident_detail(IncidentRef) -> IncidentDetail: View, Read, [Incidents], [];
            "Take an incident: assign it to yourself and begin investigating."
            incident_take(IncidentRef) -> Incident: Triage, Change, [], [Incidents, Audit, Status];
            "Assign an incident to somebody or to nobody."
            incident_assign(IncidentAssign) -> Incident: Triage, Change, [], [Incidents, Audit];
            "Move an incident to another status."
            incident_status_set(IncidentStatusSet) -> Incident: Triage, Change, [], [Incidents, Audit, Status];
            "Judge an incident and resolve it."
            incident_resolve(IncidentResolve) -> Incident: Triage, Change, [], [Incidents, Audit, Status];
            "Write a note on an incident."
            incident_note(IncidentNote) -> IncidentDetail: Triage, Change, [], [Incidents, Audit];

            "List blocks and the allowlist."
            block_list(BlockListRequest) -> BlockList: View, Read, [Blocks], [];
            "Show what a block would do, without doing it."
            block_preview(BlockCheck) -> BlockPreview: View, Read, [Blocks, Events], [];
            "Block an address or a range for some time."
            block_add(BlockAdd) -> Block: Contain, Change, [], [Blocks, Incidents, Audit];
            "Take a block back."
            block_remove(BlockRemove) -> Block: Contain, Change, [], [Blocks, Incidents, Audit];
            "Add an address or a range that must never be blocked."
            allow_add(AllowAdd) -> BlockList: Admin, Change, [], [Blocks, Audit];
            "Remove an entry of the allowlist."
            allow_remove(AllowRemove) -> BlockList: Admin, Change, [], [Blocks, Audit];

            "Read the health of Redis now."
            redis_health(Nothing) -> RedisHealth: View, Read, [Health], [];
            "Read stored health samples."
            redis_history(HealthHistoryRequest) -> HealthHistory: View, Read, [Health], [];

            "Bring in a log file."
            import_run(ImportRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Make synthetic traffic with attacks inside."
            simulate_run(SimulateRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what the retention job would archive and remove."
            retention_preview(RetentionRequest) -> JobReport: Maintain, Read, [], [];
            "Archive events past their days in Redis and remove them there."
            retention_run(RetentionRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what the optimise job would change."
            optimize_preview(Nothing) -> JobReport: Maintain, Read, [], [];
            "Compress payloads, give missing TTLs, trim indexes, return memory."
            optimize_run(Nothing) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "List job runs."
            job_list(Nothing) -> JobList: View, Read, [Jobs], [];
            "Show one job run."
            job_get(JobRef) -> JobRun: View, Read, [Jobs], [];
            "Stop a running job; what it has done stays done."
            job_cancel(JobRef) -> JobRun: Maintain, Change, [], [Jobs, Audit];

            "List the detection rules, with what could not be loaded."
            rule_list(Nothing) -> RuleList: View, Read, [Rules], [];
            "Show one rule with its samples."
            rule_show(RuleRef) -> RuleDetail: View, Read, [Rules], [];
            "Load the rules directory again."
            rule_reload(Nothing) -> RuleList: Maintain, Local, [], [Rules, Status];
            "Run the samples of the rules."
            rule_test(RuleTest) -> RuleTestReport: View, Read, [], [];
            "Replay archived events and say what other rules would change."
            rule_backtest(RuleBacktest) -> BacktestReport: Triage, Read, [], [];
            "Copy Sigma rules into the rules directory."
            rule_import_sigma(RuleImportSigma) -> RuleImportReport: Admin, Change, [], [Rules, Audit];
            "Switch a rule, or change its threshold or window."
            rule_set(RuleChange) -> RuleDetail: Admin, Change, [], [Rules, Settings, Audit];
            "Choose the rules directory."
            rule_directory_set(RuleDirectorySet) -> RuleList: Admin, Change, [], [Rules, Settings, Audit];

            "Learn what is usual for users and endpoints from the archived events of a period."
            baseline_generate(BaselineRequest) -> Baseline: Report, Read, [Events], [];
            "Compare a baseline with that of a period: what changed, with numbers."
            baseline_compare(BaselineCompare) -> BaselineDrift: Report, Read, [Events], [];

            "List the compliance frameworks."
            report_frameworks(Nothing) -> FrameworkList: View, Read, [], [];
            "Evaluate a framework over a period."
            report_preview(ReportRequest) -> ReportDocument: Report, Read, [Events, Incidents, Blocks, Audit], [];
            "Evaluate a framework and write the report to files."
            report_generate(ReportGenerate) -> ReportRecord: Report, Change, [], [Reports, Audit];
            "List produced reports."
            report_list(Nothing) -> ReportList: View, Read, [Reports], [];

            "List the audit trail."
            audit_page(AuditPageRequest) -> AuditPage: Audit, Read, [Audit], [];
            "Recompute the tree of the audit trail and check every record and checkpoint."
            audit_verify(Nothing) -> AuditVerification: Audit, Change, [], [Audit];

            "Read the settings of the workspace."
            settings_get(Nothing) -> Settings: View, Read, [Settings], [];
            "Change the settings of the workspace."
            settings_put(Settings) -> Settings: Admin, Change, [], [Settings, Audit];
        }
    };
}
