-- What is no known action, or no permission, is not in the log: a blank behind the name of an operation made it one that takes
-- what its writer may, and it read like the operation.

-- What a record of this action takes. The operations are known (20261122000035); this is what else is recorded: what the
-- engine does by itself, and what is said about a request for two people, which takes what the request takes, and more than
-- looking. NULL for what nobody records.
CREATE OR REPLACE FUNCTION watchpost_record_takes(p_action TEXT, p_permission TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT COALESCE(watchpost_action_takes(p_action), CASE
        WHEN p_action IN ('approval_ask', 'approval_carry_out')
            THEN CASE p_permission WHEN 'view' THEN 'triage' ELSE p_permission END
        WHEN p_action = 'incident_open' THEN 'triage'
        WHEN p_action IN ('block_expire', 'block_restore', 'contain_expire', 'contain_restore', 'response_act') THEN 'contain'
        WHEN p_action IN ('backup_prune', 'database_migrate', 'database_prune') THEN 'maintain'
        -- What the log says of itself is checked where it is appended.
        WHEN p_action IN ('key.add', 'key.revoke', 'checkpoint.sign', 'erasure.done') THEN p_permission
    END)
$$;

-- May the login of the session record what takes this? The owner of the tables and the engine may everything.
CREATE OR REPLACE FUNCTION watchpost_login_records(p_takes TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_takes IS NOT NULL THEN watchpost_login_may(p_takes) ELSE EXISTS (
        SELECT 1 FROM pg_roles WHERE rolname IN (current_user, 'watchpost_engine')
        AND pg_has_role(session_user, oid, 'MEMBER')
    ) END
$$;

-- Refuses a record whose leaf is not canonical, or does not stand for what is handed over with it.
CREATE OR REPLACE FUNCTION watchpost_audit_refuse(p_record JSONB, p_client JSONB) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    IF watchpost_leaf_text(p_client) IS DISTINCT FROM p_record ->> 'leaf'
        OR p_client ->> 'v' <> '1' OR p_client ->> 'a' !~ '^[a-z0-9_.]{1,128}$'
        OR p_client ->> 'r' NOT IN ('started', 'success', 'failure', 'denied')
        OR p_client ->> 'p' NOT IN ('view', 'triage', 'contain', 'maintain', 'report', 'audit', 'admin')
        OR p_client ->> 't' !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$'
    THEN
        RAISE EXCEPTION 'the leaf of this record is not canonical' USING ERRCODE = 'check_violation';
    END IF;
    IF octet_length(decode(p_record ->> 'nonce', 'base64')) IS DISTINCT FROM 24 OR p_client ->> 'c' IS DISTINCT FROM encode(sha256(
        '\x02'::bytea || decode(p_record ->> 'nonce', 'base64') || decode(p_record ->> 'sealed', 'base64')), 'hex')
    THEN
        RAISE EXCEPTION 'the leaf does not commit to what is sealed' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM subject_key WHERE id = p_client ->> 'k' AND subject = p_client ->> 'by'
        AND substr(encode(sha256(convert_to('watchpost/kc', 'UTF8') || secret), 'hex'), 1, 32) = p_client ->> 'kc'
    ) OR NOT EXISTS (
        SELECT 1 FROM audit_name WHERE id = p_client ->> 'by' AND kind = 'actor' AND name = p_record ->> 'actor'
    ) OR NOT EXISTS (
        SELECT 1 FROM audit_name WHERE id = p_client ->> 'o' AND kind = 'object' AND name = p_record ->> 'object'
    ) OR NOT EXISTS (SELECT 1 FROM audit_name WHERE id = p_client ->> 'h' AND kind = 'host') THEN
        RAISE EXCEPTION 'the leaf is not of the person, key and object that are handed over'
            USING ERRCODE = 'check_violation';
    END IF;
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
        -- An action that is not known is said to be done by the engine and the owner alone.
        v_takes := watchpost_record_takes(v_client ->> 'a', v_client ->> 'p');
        -- What was refused, or failed, everybody says of itself; what was done, whoever may do it, by the permission that is
        -- said and by that which the action takes. What the log says of itself is checked above and by whoever hands over a
        -- checkpoint.
        IF v_client ->> 'r' IN ('started', 'success')
            AND v_client ->> 'a' NOT IN ('key.add', 'key.revoke', 'checkpoint.sign')
            AND NOT (watchpost_login_may(v_client ->> 'p') AND watchpost_login_records(v_takes))
        THEN
            RAISE EXCEPTION '%', CASE WHEN v_takes IS NULL THEN 'this login records no action that is not known'
                ELSE 'this login does nothing that takes the permission ' || CASE
                    WHEN watchpost_login_may(v_client ->> 'p') THEN v_takes ELSE v_client ->> 'p' END END
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
    FOREACH v_name IN ARRAY ARRAY[
        'watchpost_record_takes(text, text)', 'watchpost_login_records(text)', 'watchpost_audit_refuse(jsonb, jsonb)',
        'watchpost_audit_write(text, bigint)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_name);
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', v_name,
            (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('audit_head' AS regclass)));
    END LOOP;
END
$$;
