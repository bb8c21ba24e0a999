-- What a login could still do with SQL: set a decided request back, make the others seem unknown, forge the approval of a
-- request, append a leaf that nobody can read, keep a checkpoint that nobody signed.

-- Anybody adds names and keys, so nobody adds one that a record of somebody else could not be made or read with.
ALTER TABLE audit_name ADD CHECK (id ~ '^[0-9a-f]{32}$') NOT VALID;
ALTER TABLE subject_key ADD CHECK (id ~ '^[0-9a-f]{32}$' AND octet_length(secret) = 32) NOT VALID;

-- The canonical text of what a client says about a record, as it is hashed: members in the order of their names, strings and
-- integers only. NULL if it is not of that form.
CREATE FUNCTION watchpost_leaf_text(p_leaf JSONB) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_name TEXT;
    v_facts TEXT := '';
BEGIN
    FOREACH v_name IN ARRAY ARRAY['a', 'by', 'c', 'h', 'k', 'kc', 'l', 'o', 'p', 'r', 't'] LOOP
        IF jsonb_typeof(p_leaf -> v_name) IS DISTINCT FROM 'string' THEN
            RETURN NULL;
        END IF;
    END LOOP;
    IF jsonb_typeof(p_leaf -> 'v') IS DISTINCT FROM 'number' THEN
        RETURN NULL;
    END IF;
    IF p_leaf ? 'f' THEN
        IF jsonb_typeof(p_leaf -> 'f') <> 'object' OR EXISTS (
            SELECT 1 FROM jsonb_each(p_leaf -> 'f') WHERE jsonb_typeof(value) NOT IN ('string', 'number')
            OR (jsonb_typeof(value) = 'number' AND CAST(value AS TEXT) !~ '^(0|-?[1-9][0-9]{0,17})$')
        ) THEN
            RETURN NULL;
        END IF;
        SELECT string_agg(CAST(to_json(key) AS TEXT) || ':' || CASE jsonb_typeof(value)
            WHEN 'string' THEN CAST(to_json(value #>> '{}') AS TEXT) ELSE CAST(value AS TEXT) END,
            ',' ORDER BY key COLLATE "C") INTO v_facts FROM jsonb_each(p_leaf -> 'f');
        v_facts := ',"f":{' || v_facts || '}';
    END IF;
    RETURN '{"a":' || CAST(to_json(p_leaf ->> 'a') AS TEXT) || ',"by":' || CAST(to_json(p_leaf ->> 'by') AS TEXT)
        || ',"c":' || CAST(to_json(p_leaf ->> 'c') AS TEXT) || v_facts
        || ',"h":' || CAST(to_json(p_leaf ->> 'h') AS TEXT) || ',"k":' || CAST(to_json(p_leaf ->> 'k') AS TEXT)
        || ',"kc":' || CAST(to_json(p_leaf ->> 'kc') AS TEXT) || ',"l":' || CAST(to_json(p_leaf ->> 'l') AS TEXT)
        || ',"o":' || CAST(to_json(p_leaf ->> 'o') AS TEXT) || ',"p":' || CAST(to_json(p_leaf ->> 'p') AS TEXT)
        || ',"r":' || CAST(to_json(p_leaf ->> 'r') AS TEXT) || ',"t":' || CAST(to_json(p_leaf ->> 't') AS TEXT)
        || ',"v":' || (p_leaf ->> 'v') || '}';
END
$$;

-- Refuses a record whose leaf is not canonical, or does not stand for what is handed over with it.
CREATE FUNCTION watchpost_audit_refuse(p_record JSONB, p_client JSONB) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    IF watchpost_leaf_text(p_client) IS DISTINCT FROM p_record ->> 'leaf'
        OR p_client ->> 'v' <> '1' OR char_length(p_client ->> 'a') > 128
        OR p_client ->> 'r' NOT IN ('started', 'success', 'failure', 'denied')
        OR p_client ->> 'p' !~ '^[a-z_]{1,32}$'
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

-- The signature itself is checked by whoever reads: the server knows no Ed25519. What is kept here is a note of the head as it
-- is, in the form of a signed note, by a key that the log knows and that was not revoked.
CREATE OR REPLACE FUNCTION watchpost_audit_checkpoint(
    p_root TEXT, p_note TEXT, p_key_name TEXT, p_reason TEXT, p_record TEXT
) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_head audit_head%ROWTYPE;
    v_at BIGINT;
    v_front TEXT;
    v_signature TEXT;
    v_key TEXT;
    v_client JSONB;
BEGIN
    SELECT * INTO STRICT v_head FROM audit_head WHERE id = 1 FOR UPDATE;
    v_at := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
    IF encode(watchpost_frontier_root(v_head.frontier), 'base64') IS DISTINCT FROM p_root THEN
        RAISE EXCEPTION 'the checkpoint is not one of the audit log as it is' USING ERRCODE = 'check_violation';
    END IF;
    v_front := 'watchpost.local/audit/' || v_head.log_id || E'\n' || v_head.size || E'\n' || p_root || E'\n\n'
        || U&'\2014' || ' ' || p_key_name || ' ';
    v_signature := substr(p_note, char_length(v_front) + 1);
    IF NOT coalesce(starts_with(p_note, v_front), FALSE) OR v_signature !~ '^[A-Za-z0-9+/]{91}=\n$' THEN
        RAISE EXCEPTION 'the checkpoint is not signed' USING ERRCODE = 'check_violation';
    END IF;
    -- A verifier key is its name, its id, and the key; the id stands before the signature.
    v_key := p_key_name || '+' || encode(substr(decode(rtrim(v_signature, E'\n'), 'base64'), 1, 4), 'hex') || '+';
    v_client := CAST(CAST(p_record AS JSONB) #>> '{0,leaf}' AS JSONB);
    IF jsonb_array_length(CAST(p_record AS JSONB)) <> 1 OR v_client ->> 'a' IS DISTINCT FROM 'checkpoint.sign'
        OR v_client #> '{f,root}' IS DISTINCT FROM to_jsonb(p_root)
        OR v_client #> '{f,size}' IS DISTINCT FROM to_jsonb(v_head.size)
        OR NOT coalesce(starts_with(v_client #>> '{f,key}', v_key), FALSE)
    THEN
        RAISE EXCEPTION 'the record is not that of the checkpoint' USING ERRCODE = 'check_violation';
    END IF;
    v_key := v_client #>> '{f,key}';
    IF NOT EXISTS (
        SELECT 1 FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq
        WHERE r.action = 'key.add' AND CAST(convert_from(l.leaf, 'UTF8') AS JSONB) #>> '{b,f,vkey}' = v_key
    ) OR EXISTS (
        SELECT 1 FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq
        WHERE r.action = 'key.revoke' AND CAST(convert_from(l.leaf, 'UTF8') AS JSONB) #>> '{b,f,vkey}' = v_key
    ) THEN
        RAISE EXCEPTION 'the log knows no key % that counts', p_key_name USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason)
    VALUES (v_head.size, p_root, v_at, p_note, p_key_name, p_reason);
    PERFORM watchpost_audit_write(p_record, v_at);
    UPDATE audit_head SET checkpoint_size = size WHERE id = 1;
    RETURN v_at;
END
$$;

-- Moves a request on, and never back: answers how many rows were in the state and in time, 0 or 1.
CREATE FUNCTION watchpost_approval_move(
    p_id TEXT, p_from TEXT, p_to TEXT, p_by TEXT, p_note TEXT, p_outcome TEXT, p_now BIGINT
) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_carrier TEXT;
    v_rows BIGINT;
BEGIN
    SELECT carrier INTO v_carrier FROM approval WHERE id = p_id FOR UPDATE;
    IF v_carrier IS NULL THEN
        RETURN 0;
    END IF;
    IF (p_from || ' ' || p_to || ' ' || v_carrier) NOT IN (
        'waiting granted approver', 'waiting refused approver', 'waiting withdrawn approver',
        'waiting granted asker', 'waiting refused asker', 'waiting withdrawn asker',
        'granted done approver', 'granted failed approver', 'failed granted approver', 'failed withdrawn approver',
        'granted done asker', 'granted withdrawn asker', 'done failed asker', 'failed done asker',
        'failed withdrawn asker'
    ) THEN
        RAISE EXCEPTION 'a request that is % does not become %', p_from, p_to
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE approval SET state = p_to, decided_by = COALESCE(p_by, decided_by),
        decided_at = CASE WHEN p_by IS NULL THEN decided_at ELSE p_now END, note = COALESCE(p_note, note),
        outcome = COALESCE(p_outcome, outcome)
    WHERE id = p_id AND state = p_from
        -- What was begun ends, however long it took.
        AND (expires_at > p_now OR (p_from IN ('granted', 'done') AND p_to <> 'granted'));
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END
$$;

-- The records of a request with what is sealed in them, also for those who may decide and read nothing else of that.
CREATE FUNCTION watchpost_approval_records(p_object TEXT)
RETURNS TABLE (
    seq BIGINT, leaf BYTEA, actor TEXT, action TEXT, key_id TEXT, nonce BYTEA, sealed BYTEA, secret BYTEA, subject TEXT
)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT r.seq, l.leaf, CAST(r.actor AS TEXT), CAST(r.action AS TEXT), CAST(p.key_id AS TEXT), p.nonce, p.sealed,
        k.secret, CAST(k.subject AS TEXT)
    FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq LEFT JOIN audit_payload p ON p.seq = r.seq
    LEFT JOIN subject_key k ON k.id = p.key_id
    WHERE r.action IN ('approval_ask', 'approval_grant', 'approval_refuse', 'approval_withdraw', 'approval_carry_out')
        AND r.object = p_object AND starts_with(p_object, 'approval/')
    ORDER BY r.seq
$$;

-- Somebody is there, now: nobody is made to seem away, or to have been there at another time.
CREATE FUNCTION watchpost_person_seen(p_name TEXT) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_now BIGINT := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
BEGIN
    IF char_length(p_name) NOT BETWEEN 1 AND 512 THEN
        RAISE EXCEPTION 'this is no name' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO person (name, first_at, last_at) VALUES (p_name, v_now, v_now)
    ON CONFLICT (name) DO UPDATE SET last_at = GREATEST(person.last_at, excluded.last_at);
END
$$;

-- Tables and functions are found in this schema, never in one that the caller made.
DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[
        'watchpost_leaf_text(jsonb)', 'watchpost_audit_refuse(jsonb, jsonb)', 'watchpost_audit_write(text, bigint)',
        'watchpost_audit_append(text)', 'watchpost_audit_checkpoint(text, text, text, text, text)',
        'watchpost_approval_move(text, text, text, text, text, text, bigint)', 'watchpost_approval_records(text)',
        'watchpost_person_seen(text)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_name);
    END LOOP;
END
$$;
