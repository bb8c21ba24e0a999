-- What a login could still do to the audit log with SQL: say that it did what its role may not, hold up everybody with a
-- record of nothing, tell of legal holds that are none.

-- May the login of the session do what takes this permission? The one table of permissions (Role::permissions), by the groups
-- of deploy/postgres-roles.sql; the owner of the tables and the engine may everything.
CREATE FUNCTION watchpost_login_may(p_permission TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (
            rolname IN (current_user, 'watchpost_engine', 'watchpost_admin')
            OR (rolname = 'watchpost_viewer' AND p_permission = 'view')
            OR (rolname = 'watchpost_analyst' AND p_permission IN ('view', 'triage', 'contain'))
            OR (rolname = 'watchpost_lead'
                AND p_permission IN ('view', 'triage', 'contain', 'maintain', 'report', 'audit'))
            OR (rolname = 'watchpost_auditor' AND p_permission IN ('view', 'report', 'audit'))
        )
    )
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
        -- What was refused, or failed, everybody says of itself; what was done, whoever may do it. What the log says of itself
        -- is checked above and by whoever hands over a checkpoint.
        IF v_client ->> 'r' IN ('started', 'success')
            AND v_client ->> 'a' NOT IN ('key.add', 'key.revoke', 'checkpoint.sign')
            AND NOT watchpost_login_may(v_client ->> 'p')
        THEN
            RAISE EXCEPTION 'this login does nothing that takes the permission %', v_client ->> 'p'
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

CREATE OR REPLACE FUNCTION watchpost_audit_append(p_records TEXT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- Nothing is no record, and does not hold up those who have one.
    IF jsonb_typeof(CAST(p_records AS JSONB)) IS DISTINCT FROM 'array'
        OR jsonb_array_length(CAST(p_records AS JSONB)) = 0
    THEN
        RAISE EXCEPTION 'there is no record to append' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM 1 FROM audit_head WHERE id = 1 FOR UPDATE;
    -- That a checkpoint was signed stands in the log together with the checkpoint only.
    IF EXISTS (
        SELECT 1 FROM jsonb_array_elements(CAST(p_records AS JSONB))
        WHERE CAST(value ->> 'leaf' AS JSONB) @> '{"a": "checkpoint.sign"}'
    ) THEN
        RAISE EXCEPTION 'no checkpoint is handed over with this record' USING ERRCODE = 'check_violation';
    END IF;
    RETURN watchpost_audit_write(p_records, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT));
END
$$;

-- Tables and functions are found in this schema, never in one that the caller made.
DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[
        'watchpost_login_may(text)', 'watchpost_audit_write(text, bigint)', 'watchpost_audit_append(text)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_name);
    END LOOP;
    EXECUTE format('ALTER FUNCTION watchpost_login_may(text) OWNER TO %I',
        (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('audit_head' AS regclass)));
END
$$;
