//! The one list of operations. Tauri commands, HTTP routes, the CLI's JSON mode and the TypeScript bindings are
//! expanded from it; nothing else lists them.

/// Calls `$callback!` with every operation of the product.
///
/// Shape of an entry: `"about" name(Request) -> Reply: permission, effect, [provides], [invalidates];`, and before the
/// semicolon, where it may need a second person, who carries it out and why: `, Approver for Purge`. Behind the effect, where
/// a request may only try it, the member that says so: `Change unless rehearse_only`.
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
            "Tell when the events of a search happened and which values are frequent among them."
            event_figures(EventFiguresRequest) -> EventFigures: View, Read, [], [];
            "Say how a query is understood, or what is wrong with it and where."
            event_query(EventQueryRequest) -> EventQueryReply: View, Read, [], [];
            "Write the events of a search to a file."
            event_export(EventExport) -> EventExported: View, Change, [], [Audit];
            "Show a value that was sealed before its event was stored."
            event_reveal(EventReveal) -> EventRevealed: Maintain, Change, [], [Audit];
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

            "List the lines of an incident's timeline, from the newest back."
            incident_timeline(IncidentEarlier) -> TimelinePart: View, Read, [Incidents], [];
            "List the notes on an incident, from the newest back."
            incident_notes(IncidentEarlier) -> NotePart: View, Read, [Incidents], [];
            "List every event of an incident, newest first."
            incident_events(IncidentEventsRequest) -> IncidentEventList: View, Read, [Incidents, Events], [];
            "Hand an incident over to somebody, with what they have to know."
            incident_handover(IncidentHandover) -> Incident: Triage, Change, [], [Incidents, Audit];
            "Raise the severity of an incident, or call somebody in."
            incident_escalate(IncidentEscalate) -> Incident: Triage, Change, [], [Incidents, Audit, Status];
            "Stop the clocks of an incident: somebody else has to move first."
            incident_pause(IncidentPause) -> Incident: Triage, Change, [], [Incidents, Audit];
            "Let the clocks of an incident run again."
            incident_resume(IncidentRef) -> Incident: Triage, Change, [], [Incidents, Audit];
            "Merge incidents into another one; nothing is lost."
            incident_merge(IncidentMerge) -> Incident: Triage, Change, [], [Incidents, Audit, Status];
            "Take a merged incident out again."
            incident_split(IncidentSplit) -> Incident: Triage, Change, [], [Incidents, Audit, Status];
            "List incidents that resemble one, and why."
            incident_similar(IncidentSimilar) -> SimilarList: View, Read, [Incidents], [];
            "Check a step of an incident's playbook, or take the check back."
            incident_step_check(IncidentStepCheck) -> IncidentDetail: Triage, Change, [], [Incidents, Audit];
            "Do one thing to many incidents, in one transaction."
            incident_bulk(IncidentBulk) -> BulkOutcome: Triage, Change, [], [Incidents, Audit, Status];
            "Take a bulk action, or the change of one incident, back, once."
            incident_undo(IncidentUndo) -> BulkOutcome: Triage, Change, [], [Incidents, Audit, Status];
            "Tell what the verdicts say of each rule."
            rule_feedback(Nothing) -> RuleFeedbackList: View, Read, [Incidents], [];
            "Count what a suppression would have hidden."
            suppression_preview(SuppressionPreviewRequest) -> SuppressionPreview: View, Read, [Incidents], [];
            "Suppress findings for some time: they are kept and counted, and open nothing."
            suppression_add(SuppressionAdd) -> Suppression: Triage, Change, [], [Incidents, Audit];
            "List the suppressions with what they hid."
            suppression_list(Nothing) -> SuppressionList: View, Read, [Incidents], [];
            "List the findings that a suppression hid."
            suppression_findings(SuppressionFindings) -> SuppressedList: View, Read, [Incidents], [];
            "Take a suppression back."
            suppression_remove(SuppressionRemove) -> Suppression: Triage, Change, [], [Incidents, Audit];

            "List blocks and the allowlist."
            block_list(BlockListRequest) -> BlockList: View, Read, [Blocks], [];
            "Show what a block would do, without doing it."
            block_preview(BlockTrial) -> BlockPreview: View, Read, [Blocks, Events], [];
            "Block an address or a range for some time."
            block_add(BlockAdd) -> Block: Contain, Change, [], [Blocks, Incidents, Audit],
                Approver for MassBlock;
            "Take a block back."
            block_remove(BlockRemove) -> Block: Contain, Change, [], [Blocks, Incidents, Audit];
            "Add an address or a range that must never be blocked."
            allow_add(AllowAdd) -> BlockList: Admin, Change, [], [Blocks, Audit];
            "Remove an entry of the allowlist."
            allow_remove(AllowRemove) -> BlockList: Admin, Change, [], [Blocks, Audit];
            "Say whether an address is blocked, allowlisted or an own one, and by what."
            block_check(BlockCheck) -> BlockStanding: View, Read, [Blocks], [];

            "List revoked sessions, restricted users, isolated services and limited addresses."
            contain_list(ContainListRequest) -> ContainList: View, Read, [Blocks], [];
            "Show what a containment would do, without doing it."
            contain_preview(ContainCheck) -> ContainPreview: View, Read, [Blocks, Events], [];
            "Revoke a session, restrict a user, isolate a service, or limit the rate of an address."
            contain_add(ContainAdd) -> Containment: Contain, Change, [], [Blocks, Incidents, Audit];
            "Take a containment back."
            contain_remove(ContainRemove) -> Containment: Contain, Change, [], [Blocks, Incidents, Audit];

            "Read the response policy."
            response_policy_get(Nothing) -> ResponsePolicyView: View, Read, [Settings], [];
            "Change the response policy: what the engine does by itself."
            response_policy_put(ResponsePolicyPut) -> ResponsePolicyView: Admin, Change, [], [Settings, Audit];
            "Count and list what a response policy would have done over the last days."
            response_preview(ResponsePreviewRequest) -> ResponsePreview: View, Read, [Settings, Incidents, Blocks], [];
            "List automatic actions."
            response_list(ResponseListRequest) -> ResponseList: View, Read, [Blocks, Incidents], [];
            "Take an automatic action back."
            response_reverse(ResponseReverse) -> ResponseAction: Contain, Change, [], [Blocks, Incidents, Audit];
            "List the messages that wait to be delivered, and those before."
            outbox_list(Nothing) -> OutboxList: View, Read, [Blocks, Incidents], [];

            "List the entities with the highest risk now."
            entity_risk_top(EntityRiskRequest) -> EntityRiskPage: View, Read, [Incidents, Settings], [];
            "Show why an entity has its risk: its incidents, place, threat lists and assets."
            entity_risk_show(EntityRiskRef) -> EntityRiskDetail: View, Read, [Incidents, Settings], [];
            "Show where context comes from: location files, threat lists, assets, and how old they are."
            enrichment_get(Nothing) -> EnrichmentState: View, Read, [Settings], [];
            "Set the location and network files (MaxMind DB format)."
            location_put(LocationSettings) -> EnrichmentState: Admin, Change, [], [Settings, Audit];
            "List the keys that check the signatures of tokens."
            token_key_list(Nothing) -> TokenKeyList: View, Read, [Settings, Rules], [];
            "Add a key that checks the signatures of tokens; one of the same name is replaced."
            token_key_add(TokenKeyAdd) -> TokenKeyList: Admin, Change, [], [Settings, Rules, Audit],
                Asker for TokenKey;
            "Forget a key that checks the signatures of tokens."
            token_key_remove(TokenKeyRef) -> TokenKeyList: Admin, Change, [], [Settings, Rules, Audit],
                Asker for TokenKey;
            "Set how fast the risk of entities decays."
            risk_policy_put(RiskPolicy) -> EnrichmentState: Admin, Change, [], [Settings, Incidents, Audit];
            "List the threat lists with their age."
            threat_list_list(Nothing) -> ThreatListPage: View, Read, [Settings], [];
            "Show entries of a threat list."
            threat_list_show(ThreatListShowRequest) -> ThreatListShow: View, Read, [Settings], [];
            "Bring in a threat list from a file: text, CSV or STIX 2.1; one of the same name is replaced."
            threat_list_import(ThreatImport) -> ThreatImported: Admin, Change, [], [Settings, Audit];
            "Forget a threat list."
            threat_list_remove(ThreatListRef) -> ThreatListPage: Admin, Change, [], [Settings, Audit];
            "Say which threat lists name an address, a domain or a user agent."
            threat_check(ThreatCheckRequest) -> ThreatCheck: View, Read, [Settings], [];
            "List what matters more or less than the rest."
            asset_list(Nothing) -> AssetList: View, Read, [Settings], [];
            "Say how much an endpoint, a user or a network matters; the same pattern is replaced."
            asset_add(AssetRule) -> AssetList: Admin, Change, [], [Settings, Audit];
            "Forget what was said about a pattern."
            asset_remove(AssetRef) -> AssetList: Admin, Change, [], [Settings, Audit];

            "Read the health of Redis now."
            redis_health(Nothing) -> RedisHealth: View, Read, [Health], [];
            "Read stored health samples."
            redis_history(HealthHistoryRequest) -> HealthHistory: View, Read, [Health], [];
            "Tell where the lines of the health of Redis are, and how long its history is kept."
            health_policy_get(Nothing) -> HealthPolicyState: View, Read, [Settings], [];
            "Change the lines of the health of Redis, and how long its history is kept."
            health_policy_put(HealthPolicyPut) -> HealthPolicyState: Admin, Change, [], [Health, Settings, Audit];
            "Count the keys of Redis by pattern: memory, types, expiry, the largest."
            redis_patterns(PatternRequest) -> PatternCounts: Maintain, Read, [], [];

            "Bring in a log file."
            import_run(ImportRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Make synthetic traffic with attacks inside."
            simulate_run(SimulateRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what the retention job would archive and remove."
            retention_preview(RetentionRequest) -> JobReport: Maintain, Read, [], [];
            "Archive events past their days in Redis and remove them there."
            retention_run(RetentionRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what the optimise job, or the way back, would change."
            optimize_preview(OptimizeRequest) -> JobReport: Maintain, Read, [], [];
            "Compress payloads, give missing TTLs, trim indexes, return memory. Or the way back."
            optimize_run(OptimizeRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what an export of Redis would write."
            export_preview(ExportRequest) -> JobReport: Maintain, Read, [], [];
            "Write events in Redis, or every key, to a file."
            export_run(ExportRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what a backup of Redis would hold."
            backup_preview(BackupRequest) -> JobReport: Maintain, Read, [], [];
            "Write the keys of Redis to a backup."
            backup_run(BackupRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Check a backup and count what a restore would write."
            restore_preview(RestoreRequest) -> JobReport: Maintain, Read, [], [];
            "Rehearse a backup on a scratch server, and put its keys back."
            restore_run(RestoreRequest) -> JobRun: Maintain, Change unless rehearse_only, [], [Jobs, Audit],
                Asker for Purge;
            "Say what measuring the server would do."
            benchmark_preview(BenchmarkRequest) -> JobReport: Maintain, Read, [], [];
            "Measure how fast the server answers."
            benchmark_run(BenchmarkRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count what the clean-up would remove."
            cleanup_preview(Nothing) -> JobReport: Maintain, Read, [], [];
            "Remove what is past its days, left over in indexes, and old in the quarantine."
            cleanup_run(Nothing) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "Count the events of a period by type, and what the counts lack."
            aggregate_preview(AggregateRequest) -> JobReport: Maintain, Read, [], [];
            "Compare the counts of a period with the archive and bring them up to date."
            aggregate_run(AggregateRequest) -> JobRun: Maintain, Change, [], [Jobs, Audit];
            "List job runs."
            job_list(Nothing) -> JobList: View, Read, [Jobs], [];
            "Show one job run."
            job_get(JobRef) -> JobRun: View, Read, [Jobs], [];
            "Show when maintenance runs by itself, and how it went."
            job_plan(Nothing) -> JobPlanState: View, Read, [Jobs, Settings], [];
            "Choose when maintenance runs by itself."
            job_plan_put(JobPlanPut) -> JobPlanState: Maintain, Change, [], [Jobs, Settings, Audit];
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
            "Look at a request, an event or a value with the rules as they are: its decoded forms and what fires."
            rule_try(RuleTry) -> RuleTried: View, Read, [], [];
            "Replay archived events and say what other rules would change."
            rule_backtest(RuleBacktest) -> BacktestReport: Triage, Read, [], [];
            "Tell how far a replay is, by its ticket."
            rule_backtest_progress(ReportTicket) -> ReportProgress: Triage, Read, [], [];
            "Stop a replay, by its ticket: it answers with what it has replayed."
            rule_backtest_cancel(ReportTicket) -> ReportProgress: Triage, Local, [], [];
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

            "List the frameworks and the other kinds of reports."
            report_frameworks(Nothing) -> FrameworkList: View, Read, [], [];
            "Evaluate a framework over a period, or make another report, without writing it."
            report_preview(ReportRequest) -> ReportDocument: Report, Read, [Events, Incidents, Blocks, Audit], [];
            "Name files for a report in a folder, none of which is there."
            report_names(ReportNames) -> ReportTargets: Report, Read, [], [];
            "Make a report and write it to files."
            report_generate(ReportGenerate) -> ReportRecord: Report, Change, [], [Reports, Audit];
            "List produced reports."
            report_list(ReportPageRequest) -> ReportList: View, Read, [Reports], [];

            "Tell how far the making of a report is, by its ticket."
            report_progress(ReportTicket) -> ReportProgress: Report, Read, [], [];
            "Stop the making of a report, by its ticket: no file is left."
            report_cancel(ReportTicket) -> ReportProgress: Report, Local, [], [];
            "List the reports that are made by themselves."
            report_schedule_list(Nothing) -> ReportScheduleList: View, Read, [Reports], [];
            "Have a report made whenever a day, week, month or quarter has ended."
            report_schedule_add(ReportScheduleAdd) -> ReportSchedule: Report, Change, [], [Reports, Audit];
            "Stop having a report made by itself."
            report_schedule_remove(ReportScheduleRemove) -> ReportScheduleList: Report, Change, [], [Reports, Audit];
            "Keep a schedule without anything being made, or go on with it."
            report_schedule_pause(ReportSchedulePause) -> ReportSchedule: Report, Change, [], [Reports, Audit];
            "Make a scheduled report now, about the newest period that has ended."
            report_schedule_run(ReportScheduleRef) -> ReportSchedule: Report, Change, [], [Reports, Audit];
            "Say something about an exception of a control; the next reports show it."
            report_comment_add(ReportCommentAdd) -> ControlComment: Report, Change, [], [Reports, Audit];
            "List what was said about the controls of a framework."
            report_comment_list(ReportCommentsRequest) -> ReportCommentList: Report, Read, [Reports], [];
            "Take back what was said about a control; the trail keeps it."
            report_comment_withdraw(ReportCommentRef) -> ControlComment: Report, Change, [], [Reports, Audit];
            "Approve a report that somebody else made: it is final from then on."
            report_approve(ReportApprove) -> ReportRecord: Report, Change, [], [Reports, Audit];
            "Write a report that was made once more, saying how far it is now: draft, final, superseded."
            report_copy(ReportCopy) -> ReportCopied: Report, Change, [], [Audit];
            "Tell what changed from an earlier report to a later one."
            report_compare(ReportCompare) -> ReportChanges: Report, Read, [Reports], [];
            "Check a report file by itself and against the audit trail."
            report_verify(ReportVerify) -> ReportChecked: Report, Read, [Reports, Audit], [];
            "List the register of what people do and no event shows."
            register_list(RegisterRequest) -> RegisterList: Report, Read, [Reports], [];
            "Write an entry into the register."
            register_add(RegisterAdd) -> RegisterEntry: Report, Change, [], [Reports, Audit];
            "Change, approve or close an entry of the register."
            register_change(RegisterChange) -> RegisterEntry: Report, Change, [], [Reports, Audit];
            "Give evidence for a control: a statement, a file by its hash."
            proof_add(ProofAdd) -> Proof: Report, Change, [], [Reports, Audit];

            "List the audit trail."
            audit_page(AuditPageRequest) -> AuditPage: Audit, Read, [Audit], [];
            "Recompute the tree of the audit trail and check records and checkpoints, here and in other places."
            audit_verify(AuditVerify) -> AuditVerification: Audit, Check, [], [Audit, Status];
            "Tell how far a check of the audit trail is, by its ticket."
            audit_verify_progress(ReportTicket) -> ReportProgress: Audit, Read, [], [];
            "Stop a check of the audit trail, by its ticket."
            audit_verify_cancel(ReportTicket) -> ReportProgress: Audit, Local, [], [];
            "Tell what the audit trail is worth as evidence: witnesses, places, checks."
            audit_trust(Nothing) -> AuditTrust: Audit, Read, [Audit, Status], [];
            "Show one record of the audit trail with its leaf."
            audit_show(AuditRef) -> AuditDetail: Audit, Read, [Audit], [];
            "Count the records of the audit trail by actor, action, outcome, and tell what they are worth."
            audit_statistics(AuditStatisticsRequest) -> AuditFigures: Audit, Read, [Audit], [];
            "Prove that a record is in the audit trail, for somebody without it."
            audit_prove(AuditRef) -> AuditProof: Audit, Change, [], [Audit];
            "Export the audit trail to a folder that verifies without Watchpost."
            audit_export(AuditExport) -> AuditExported: Audit, Change, [], [Audit];
            "Sign the state of the audit trail now, and keep the checkpoint in the places."
            audit_checkpoint(Nothing) -> Checkpoint: Audit, Change, [], [Audit];
            "Make a request for a time stamp of the newest checkpoint (RFC 3161), for somebody to send."
            audit_timestamp_request(Nothing) -> AuditTimestampRequest: Audit, Change, [], [Audit];
            "Keep the answer of a time stamp authority with the checkpoint that it is about."
            audit_timestamp_keep(AuditTimestampKeep) -> AuditStamp: Audit, Change, [], [Audit];
            "Set where checkpoints are kept outside the database."
            audit_places_put(AuditPlacesPut) -> AuditTrust: Admin, Change, [], [Audit];
            "Take the audit trail as it is, although it does not continue what this console saw."
            audit_accept(AuditAccept) -> AuditTrust: Admin, Change, [], [Audit, Status];
            "Set a record of the audit trail apart whose writer sealed nothing that opens: an auditor or an admin does."
            audit_set_apart(AuditSetApart) -> SetApart: Audit, Change, [], [Audit, Status];

            "Tell for how long the content of audit records is kept, by class."
            audit_retention_get(Nothing) -> AuditRetention: View, Read, [Settings], [];
            "Set for how long the content of audit records is kept, by class."
            audit_retention_put(AuditRetentionPut) -> AuditRetention: Admin, Change, [], [Settings, Audit],
                Approver for Purge;
            "Count the audit records whose content is past its time."
            audit_purge_preview(AuditPurgeRequest) -> AuditPurged: Admin, Read, [], [];
            "Take the content of audit records away that are past their time; leaves and proofs stay."
            audit_purge(AuditPurge) -> AuditPurged: Admin, Change, [], [Audit, Status],
                Approver for Purge;

            "List the keys that sign the audit log."
            audit_key_list(Nothing) -> AuditKeys: Audit, Read, [Audit], [];
            "Sign the audit log with a new key, for which the one before vouches."
            audit_key_roll(AuditKeyRoll) -> AuditKeys: Admin, Change, [], [Audit, Status],
                Asker for SigningKey;
            "Set after how many days the status says that the key of a console is old."
            audit_key_age_put(AuditKeyAgePut) -> AuditTrust: Admin, Change, [], [Audit, Status];
            "Revoke a key of the audit log: what it signs from now on does not count."
            audit_key_revoke(AuditKeyRevoke) -> AuditKeys: Admin, Change, [], [Audit, Status],
                Approver for SigningKey;

            "Back the audit database up to a file, and check the copy by itself."
            database_backup(DatabaseBackup) -> DatabaseCopy: Maintain, Change, [], [Audit];
            "Check a backup of the audit database: its pages, and all of its trail."
            database_check(DatabaseBackupRef) -> DatabaseCopy: Maintain, Read, [], [];
            "Put a backup of the audit database to a new place, after it was checked."
            database_restore(DatabaseRestore) -> DatabaseCopy: Maintain, Change, [], [Audit];
            "Check the pages of the audit database, make its statistics anew, and fold its log."
            database_maintain(DatabaseMaintain) -> DatabaseMaintained: Maintain, Change, [], [Audit];
            "Write the tables of the audit database to a folder as JSON lines and CSV, without keys."
            database_export(DatabaseExport) -> DatabaseExported: Maintain, Change, [], [Audit];
            "Tell how the copies of the audit database stand: the newest one, the next one, the last rehearsal."
            database_copies(Nothing) -> DatabaseCopies: View, Read, [Jobs, Settings], [];
            "Copy the audit database into a folder, check the copy, and remove copies that are no longer kept."
            database_copy_run(DatabaseCopyRun) -> JobRun: Maintain, Change, [], [Jobs, Audit, Status];
            "Rehearse a copy of the audit database in a scratch place; nothing else is touched."
            database_rehearse_run(DatabaseRehearse) -> JobRun: Maintain, Check, [], [Jobs, Audit, Status];

            "List the legal holds, and the erasures that were done."
            privacy_list(Nothing) -> PrivacyList: Audit, Read, [Audit], [];
            "Tell where somebody is named: what an erasure would remove and change."
            privacy_preview(PrivacyRef) -> PrivacyLook: Maintain, Read, [], [];
            "Erase somebody: destroy the key, remove what is about the person, and look everywhere for what is left."
            privacy_erase(PrivacyErase) -> PrivacyErased: Maintain, Change, [],
                [Events, Incidents, Blocks, Jobs, Reports, Audit, Settings],
                Approver for Purge;
            "Write everything that is kept about somebody to a file, for that person."
            privacy_export(PrivacyExport) -> PrivacyExported: Report, Change, [], [Audit];
            "Place a legal hold: nothing about somebody is erased or removed by retention."
            hold_add(HoldAdd) -> LegalHold: Maintain, Change, [], [Audit];
            "Release a legal hold that somebody else placed."
            hold_release(HoldRelease) -> LegalHold: Maintain, Change, [], [Audit],
                Approver for HoldRelease;

            "List what waits for a second person, and what one person may do alone."
            approval_list(Nothing) -> ApprovalList: View, Read, [Audit, Settings], [];
            "Approve what somebody else asked for: it is carried out, once."
            approval_grant(ApprovalDecision) -> ApprovalGranted: View, Change, [],
                [Audit, Settings, Rules, Events, Incidents, Blocks, Jobs, Reports];
            "Say no to what somebody asked for."
            approval_refuse(ApprovalDecision) -> ApprovalRequest: View, Change, [], [Audit];
            "Withdraw what you asked for."
            approval_withdraw(ApprovalRef) -> ApprovalRequest: View, Change, [], [Audit];
            "Change what one person may do alone."
            approval_policy_put(ApprovalPolicyPut) -> ApprovalList: Admin, Change, [], [Audit, Settings],
                Approver for FourEyes;

            "List who has which role, and where it comes from."
            role_list(Nothing) -> RoleList: View, Read, [Settings], [];
            "Give somebody a role, where the database is a file."
            role_set(RoleSet) -> RoleList: Admin, Change, [], [Settings, Status, Audit];

            "Tell how the lock of the window is."
            window_lock_get(Nothing) -> WindowLock: View, Read, [Settings], [];
            "Lock the window now."
            window_lock_now(Nothing) -> WindowLock: View, Local, [], [];
            "Unlock the window with its passphrase."
            window_unlock(WindowUnlock) -> WindowLock: View, Local, [], [];
            "Set after how long without anybody the window locks, and the passphrase that opens it."
            window_lock_put(WindowLockPut) -> WindowLock: View, Local, [], [Settings, Audit];
            "Tell where the file of secrets is, whether secrets are kept in it, and whether it is open."
            secrets_file_get(Nothing) -> SecretsFileState: View, Read, [Status], [];
            "Open the file of secrets with its passphrase."
            secrets_file_open(SecretsFileOpen) -> SecretsFileState: View, Local, [],
                [Status, Connections, Audit];
            "Make the file of secrets; passwords and the signing key are kept in it from then on."
            secrets_file_make(SecretsFileMake) -> SecretsFileState: Admin, Local, [],
                [Status, Connections, Audit];
            "Lock the file of secrets with another passphrase."
            secrets_file_passphrase(SecretsFilePassphrase) -> SecretsFileState: Admin, Local, [], [Status, Audit];
            "Tell what is sealed of events before they are stored."
            sealing_get(Nothing) -> SealPolicy: View, Read, [Settings], [];
            "Change what is sealed of events before they are stored."
            sealing_put(SealingPut) -> SealPolicy: Admin, Change, [], [Settings, Audit];
            "Read the settings of the workspace."
            settings_get(Nothing) -> Settings: View, Read, [Settings], [];
            "Change the settings of the workspace."
            settings_put(SettingsChange) -> Settings: Admin, Change, [], [Settings, Audit],
                Approver for Purge;
        }
    };
}
