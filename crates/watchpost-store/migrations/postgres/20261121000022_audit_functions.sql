-- Appending to the audit log, as the owner of its tables: number, time and login are those of the server, whatever the
-- client says, and nobody else needs a right to write leaves or to move the head (deploy/postgres-roles.sql).

-- Moves the frontier of an RFC 6962 tree of `p_size` leaves on by one leaf.
CREATE FUNCTION watchpost_frontier_push(p_frontier BYTEA, p_size BIGINT, p_leaf BYTEA) RETURNS BYTEA
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_frontier BYTEA := p_frontier;
    v_node BYTEA := p_leaf;
    v_rest BIGINT := p_size;
BEGIN
    WHILE v_rest & 1 = 1 LOOP
        v_node := sha256('\x01'::bytea || substr(v_frontier, octet_length(v_frontier) - 31) || v_node);
        v_frontier := substr(v_frontier, 1, octet_length(v_frontier) - 32);
        v_rest := v_rest >> 1;
    END LOOP;
    RETURN v_frontier || v_node;
END
$$;

CREATE FUNCTION watchpost_frontier_root(p_frontier BYTEA) RETURNS BYTEA
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_root BYTEA;
    v_left BYTEA := p_frontier;
BEGIN
    IF octet_length(p_frontier) = 0 THEN
        RETURN sha256(''::bytea);
    END IF;
    v_root := substr(v_left, octet_length(v_left) - 31);
    v_left := substr(v_left, 1, octet_length(v_left) - 32);
    WHILE octet_length(v_left) > 0 LOOP
        v_root := sha256('\x01'::bytea || substr(v_left, octet_length(v_left) - 31) || v_root);
        v_left := substr(v_left, 1, octet_length(v_left) - 32);
    END LOOP;
    RETURN v_root;
END
$$;

-- Locks the head until the end of the transaction, and makes it in a new database.
CREATE FUNCTION watchpost_audit_head(p_log_id TEXT)
RETURNS TABLE (size BIGINT, frontier BYTEA, checkpoint_size BIGINT, log_id TEXT, at BIGINT)
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_head WHERE id = 1) THEN
        INSERT INTO audit_head (id, log_id, size, frontier, checkpoint_size) VALUES (1, p_log_id, 0, '', 0)
        ON CONFLICT (id) DO NOTHING;
    END IF;
    PERFORM 1 FROM audit_head WHERE id = 1 FOR UPDATE;
    RETURN QUERY SELECT h.size, h.frontier, h.checkpoint_size, CAST(h.log_id AS TEXT),
        CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) FROM audit_head h WHERE h.id = 1;
END
$$;

-- Writes records under the locked head. Only the functions below call it.
CREATE FUNCTION watchpost_audit_write(p_records TEXT, p_at BIGINT) RETURNS BIGINT
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
    IF v_login IS NULL THEN
        RAISE EXCEPTION 'the audit log has no name for the login %', session_user;
    END IF;
    v_time := to_char(TIMESTAMP 'epoch' + p_at * INTERVAL '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    FOR v_record IN SELECT value FROM jsonb_array_elements(CAST(p_records AS JSONB)) LOOP
        v_client := CAST(v_record ->> 'leaf' AS JSONB);
        IF jsonb_typeof(v_client) <> 'object' OR v_client ->> 'l' IS DISTINCT FROM CAST(v_head.log_id AS TEXT) THEN
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

-- Appends records: a JSON array of {leaf, actor, object, search, role, nonce, sealed}. Answers the number of the first.
CREATE FUNCTION watchpost_audit_append(p_records TEXT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM 1 FROM audit_head WHERE id = 1 FOR UPDATE;
    RETURN watchpost_audit_write(p_records, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT));
END
$$;

-- Keeps a signed checkpoint of the head as it is, with its record. Answers its time.
CREATE FUNCTION watchpost_audit_checkpoint(
    p_root TEXT, p_note TEXT, p_key_name TEXT, p_reason TEXT, p_record TEXT
) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_head audit_head%ROWTYPE;
    v_at BIGINT;
BEGIN
    SELECT * INTO STRICT v_head FROM audit_head WHERE id = 1 FOR UPDATE;
    v_at := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
    IF encode(watchpost_frontier_root(v_head.frontier), 'base64') <> p_root THEN
        RAISE EXCEPTION 'the checkpoint is not one of the audit log as it is' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason)
    VALUES (v_head.size, p_root, v_at, p_note, p_key_name, p_reason);
    PERFORM watchpost_audit_write(p_record, v_at);
    UPDATE audit_head SET checkpoint_size = size WHERE id = 1;
    RETURN v_at;
END
$$;

-- Tables and functions are found in this schema, never in one that the caller made.
DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[
        'watchpost_frontier_push(bytea, bigint, bytea)', 'watchpost_frontier_root(bytea)', 'watchpost_audit_head(text)',
        'watchpost_audit_write(text, bigint)', 'watchpost_audit_append(text)',
        'watchpost_audit_checkpoint(text, text, text, text, text)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_name);
    END LOOP;
END
$$;
