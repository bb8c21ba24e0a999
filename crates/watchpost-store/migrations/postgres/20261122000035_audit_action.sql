-- Which permission an action takes is not the client's to say: a login that only looks could say that it changed settings,
-- erased somebody, or placed a hold, with the permission to look.

-- The operations (operations.rs; a test holds the two against each other). Of what else is recorded, like the end of a block,
-- nothing is said here.
CREATE FUNCTION watchpost_action_takes(p_action TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_action IN (
            'approval_grant', 'approval_list', 'approval_refuse', 'approval_withdraw', 'asset_list',
            'audit_retention_get', 'block_check', 'block_list', 'block_preview', 'connection_choose', 'connection_list',
            'connection_open', 'connection_parse', 'contain_list', 'contain_preview', 'database_copies', 'enrichment_get',
            'entity_risk_show', 'entity_risk_top', 'event_export', 'event_figures', 'event_page', 'event_query',
            'health_policy_get', 'incident_detail', 'incident_events', 'incident_notes', 'incident_page',
            'incident_similar', 'incident_timeline', 'job_get', 'job_list', 'job_plan', 'outbox_list', 'overview',
            'quarantine_list', 'redis_health', 'redis_history', 'report_frameworks', 'report_list',
            'report_schedule_list', 'response_list', 'response_policy_get', 'response_preview', 'role_list',
            'rule_feedback', 'rule_list', 'rule_show', 'rule_test', 'rule_try', 'sealing_get', 'secrets_file_get',
            'secrets_file_open', 'settings_get', 'suppression_findings', 'suppression_list', 'suppression_preview',
            'threat_check', 'threat_list_list', 'threat_list_show', 'token_key_list', 'window_lock_get',
            'window_lock_now', 'window_lock_put', 'window_unlock', 'workspace_status'
        ) THEN 'view'
        WHEN p_action IN (
            'incident_assign', 'incident_bulk', 'incident_escalate', 'incident_handover', 'incident_merge',
            'incident_note', 'incident_pause', 'incident_resolve', 'incident_resume', 'incident_split',
            'incident_status_set', 'incident_step_check', 'incident_take', 'incident_undo', 'rule_backtest',
            'rule_backtest_cancel', 'rule_backtest_progress', 'suppression_add', 'suppression_remove'
        ) THEN 'triage'
        WHEN p_action IN (
            'block_add', 'block_remove', 'contain_add', 'contain_remove', 'response_reverse'
        ) THEN 'contain'
        WHEN p_action IN (
            'aggregate_preview', 'aggregate_run', 'backup_preview', 'backup_run', 'benchmark_preview', 'benchmark_run',
            'cleanup_preview', 'cleanup_run', 'database_backup', 'database_check', 'database_copy_run', 'database_export',
            'database_maintain', 'database_rehearse_run', 'database_restore', 'event_reveal', 'export_preview',
            'export_run', 'hold_add', 'hold_release', 'import_run', 'job_cancel', 'job_plan_put', 'optimize_preview',
            'optimize_run', 'privacy_erase', 'privacy_preview', 'redis_patterns', 'restore_preview', 'restore_run',
            'retention_preview', 'retention_run', 'rule_reload', 'simulate_run'
        ) THEN 'maintain'
        WHEN p_action IN (
            'baseline_compare', 'baseline_generate', 'privacy_export', 'proof_add', 'register_add', 'register_change',
            'register_list', 'report_approve', 'report_cancel', 'report_comment_add', 'report_comment_list',
            'report_comment_withdraw', 'report_compare', 'report_copy', 'report_generate', 'report_names',
            'report_preview', 'report_progress', 'report_schedule_add', 'report_schedule_pause', 'report_schedule_remove',
            'report_schedule_run', 'report_verify'
        ) THEN 'report'
        WHEN p_action IN (
            'audit_checkpoint', 'audit_export', 'audit_key_list', 'audit_page', 'audit_prove', 'audit_set_apart',
            'audit_show', 'audit_statistics', 'audit_timestamp_keep', 'audit_timestamp_request', 'audit_trust',
            'audit_verify', 'audit_verify_cancel', 'audit_verify_progress', 'privacy_list'
        ) THEN 'audit'
        WHEN p_action IN (
            'allow_add', 'allow_remove', 'approval_policy_put', 'asset_add', 'asset_remove', 'audit_accept',
            'audit_key_age_put', 'audit_key_revoke', 'audit_key_roll', 'audit_places_put', 'audit_purge',
            'audit_purge_preview', 'audit_retention_put', 'connection_remove', 'connection_save', 'connection_test',
            'health_policy_put', 'location_put', 'response_policy_put', 'risk_policy_put', 'role_set',
            'rule_directory_set', 'rule_import_sigma', 'rule_set', 'sealing_put', 'secrets_file_make',
            'secrets_file_passphrase', 'settings_put', 'threat_list_import', 'threat_list_remove', 'token_key_add',
            'token_key_remove'
        ) THEN 'admin'
    END
$$;

CREATE OR REPLACE FUNCTION watchpost_audit_write(p_records TEXT, p_at BIGINT) RETURNS BIGINT
LANGUAGE plpgsql AS $$
DECLARE
    v_head audit_head%ROWTYPE;
    v_first BIGINT;
    v_login TEXT;
    v_time TEXT;
    v_record JSONB;
    v_client JSONB;
    v_leaf BYTEA;
    v_hash BYTEA;
    v_takes TEXT;
BEGIN
    SELECT * INTO STRICT v_head FROM audit_head WHERE id = 1 FOR UPDATE;
    v_first := v_head.size;
    SELECT id INTO v_login FROM audit_name WHERE kind = 'login' AND name = CAST(session_user AS TEXT);
    IF v_login IS NULL OR v_login !~ '^[0-9a-f]{32}$' THEN
        RAISE EXCEPTION 'the audit log has no name for the login %', session_user;
    END IF;
    v_time := to_char(TIMESTAMP 'epoch' + p_at * INTERVAL '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    FOR v_record IN SELECT value FROM jsonb_array_elements(CAST(p_records AS JSONB)) LOOP
        v_client := CAST(v_record ->> 'leaf' AS JSONB);
        IF jsonb_typeof(v_client) IS DISTINCT FROM 'object'
            OR v_client ->> 'l' IS DISTINCT FROM CAST(v_head.log_id AS TEXT)
        THEN
            RAISE EXCEPTION 'this is no record of the audit log' USING ERRCODE = 'check_violation';
        END IF;
        -- What was lawfully taken from beside the leaves is said by whoever may take it.
        IF v_client ->> 'a' = 'erasure.done' AND NOT pg_has_role(session_user, current_user, 'MEMBER') THEN
            RAISE EXCEPTION 'only the owner of the tables erases' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- A key counts no more by the word of an admin, or of the engine for its own.
        IF v_client ->> 'a' = 'key.revoke' AND NOT EXISTS (
            SELECT 1 FROM pg_roles WHERE rolname IN (current_user, 'watchpost_admin', 'watchpost_engine')
            AND pg_has_role(session_user, oid, 'MEMBER')
        ) THEN
            RAISE EXCEPTION 'only an admin revokes keys' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- Another record is set apart by whoever audits.
        IF v_client ->> 'a' = 'audit_set_apart' AND v_client ->> 'r' = 'success' AND NOT EXISTS (
            SELECT 1 FROM pg_roles WHERE rolname IN (current_user, 'watchpost_auditor', 'watchpost_admin')
            AND pg_has_role(session_user, oid, 'MEMBER')
        ) THEN
            RAISE EXCEPTION 'only an auditor or an admin sets records apart' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- Whoever may only look says of nothing but such an operation that it was done.
        v_takes := COALESCE(watchpost_action_takes(v_client ->> 'a'),
            CASE v_client ->> 'p' WHEN 'view' THEN 'triage' ELSE v_client ->> 'p' END);
        -- What was refused, or failed, everybody says of itself; what was done, whoever may do it, by the permission that is
        -- said and by that which the action takes. What the log says of itself is checked above and by whoever hands over a
        -- checkpoint.
        IF v_client ->> 'r' IN ('started', 'success')
            AND v_client ->> 'a' NOT IN ('key.add', 'key.revoke', 'checkpoint.sign')
            AND NOT (watchpost_login_may(v_client ->> 'p') AND watchpost_login_may(v_takes))
        THEN
            RAISE EXCEPTION 'this login does nothing that takes the permission %',
                CASE WHEN watchpost_login_may(v_client ->> 'p') THEN v_takes ELSE v_client ->> 'p' END
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- That a hold was placed or released is said of one that is.
        IF v_client ->> 'a' IN ('hold_add', 'hold_release') AND v_client ->> 'r' = 'success' AND NOT EXISTS (
            SELECT 1 FROM legal_hold WHERE v_record ->> 'object' = 'hold/' || id
            AND COALESCE(v_client #>> '{f,hold}', id) = id
            AND (released_at IS NOT NULL) = (v_client ->> 'a' = 'hold_release')
        ) THEN
            RAISE EXCEPTION 'this record is of no legal hold' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- About a request for two people speaks whoever may do one of them.
        IF starts_with(v_record ->> 'object', 'approval/') AND NOT EXISTS (
            SELECT 1 FROM pg_roles
            WHERE rolname IN (current_user, 'watchpost_analyst', 'watchpost_lead', 'watchpost_admin')
            AND pg_has_role(session_user, oid, 'MEMBER')
        ) THEN
            RAISE EXCEPTION 'this login decides about no request' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM watchpost_audit_refuse(v_record, v_client);
        v_leaf := convert_to('{"b":' || (v_record ->> 'leaf') || ',"d":"' || v_login || '","s":' || v_head.size
            || ',"t":"' || v_time || '"}', 'UTF8');
        IF octet_length(v_leaf) > 4096 THEN
            RAISE EXCEPTION 'an audit leaf of % bytes is too long', octet_length(v_leaf)
                USING ERRCODE = 'check_violation';
        END IF;
        v_hash := sha256('\x00'::bytea || v_leaf);
        INSERT INTO audit_leaf (seq, leaf, hash) VALUES (v_head.size, v_leaf, v_hash);
        INSERT INTO audit_record (seq, at, actor, action, object, permission, outcome, search, role) VALUES (
            v_head.size, p_at, v_record ->> 'actor', v_client ->> 'a', v_record ->> 'object', v_client ->> 'p',
            v_client ->> 'r', v_record ->> 'search', v_record ->> 'role');
        INSERT INTO audit_payload (seq, key_id, nonce, sealed) VALUES (
            v_head.size, v_client ->> 'k', decode(v_record ->> 'nonce', 'base64'),
            decode(v_record ->> 'sealed', 'base64'));
        v_head.frontier := watchpost_frontier_push(v_head.frontier, v_head.size, v_hash);
        v_head.size := v_head.size + 1;
    END LOOP;
    UPDATE audit_head SET size = v_head.size, frontier = v_head.frontier WHERE id = 1;
    RETURN v_first;
END
$$;

-- Tables and functions are found in this schema, never in one that the caller made.
DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOREACH v_name IN ARRAY ARRAY['watchpost_action_takes(text)', 'watchpost_audit_write(text, bigint)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_name);
    END LOOP;
    EXECUTE format('ALTER FUNCTION watchpost_action_takes(text) OWNER TO %I',
        (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('audit_head' AS regclass)));
END
$$;
