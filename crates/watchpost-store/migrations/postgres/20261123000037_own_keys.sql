-- Each login seals what it records with keys of its own, one for each person that it writes under, and reads no others: with
-- one key for a person everybody who may leave records had to read all keys. Keys from before stay with what they opened.
-- Written so that it may be run again.

ALTER TABLE subject_key ADD COLUMN IF NOT EXISTS login_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE subject_key DROP CONSTRAINT IF EXISTS subject_key_subject_key;
CREATE UNIQUE INDEX IF NOT EXISTS subject_key_by_login ON subject_key (subject, login_id);

-- The key with which the login of the session seals records of a person: the one that it has, or the one that is handed over.
-- The login is that of the server, by its id in the trail.
CREATE OR REPLACE FUNCTION watchpost_subject_key(p_subject TEXT, p_id TEXT, p_secret BYTEA)
RETURNS TABLE (key_id TEXT, key_secret BYTEA)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_login TEXT;
BEGIN
    SELECT n.id INTO v_login FROM audit_name n WHERE n.kind = 'login' AND n.name = CAST(session_user AS TEXT);
    IF v_login IS NULL THEN
        RAISE EXCEPTION 'the audit log has no name for the login %', session_user;
    END IF;
    RETURN QUERY SELECT k.id, k.secret FROM subject_key k WHERE k.subject = p_subject AND k.login_id = v_login;
    IF FOUND THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM audit_name n WHERE n.id = p_subject AND n.kind = 'actor') THEN
        RAISE EXCEPTION 'a key is of a person whom the audit log names' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO subject_key (id, subject, secret, created_at, login_id)
    VALUES (p_id, p_subject, p_secret, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT), v_login)
    ON CONFLICT (subject, login_id) DO NOTHING;
    RETURN QUERY SELECT k.id, k.secret FROM subject_key k WHERE k.subject = p_subject AND k.login_id = v_login;
END
$$;

-- Who could make keys has them made; what a role may read of the table is said by deploy/postgres-roles.sql.
DO $$
DECLARE
    v_grantee OID;
BEGIN
    EXECUTE format('ALTER FUNCTION watchpost_subject_key(text, text, bytea) SET search_path = pg_catalog, %I, pg_temp',
        current_schema());
    EXECUTE format('ALTER FUNCTION watchpost_subject_key(text, text, bytea) OWNER TO %I',
        (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('audit_head' AS regclass)));
    REVOKE ALL ON FUNCTION watchpost_subject_key(text, text, bytea) FROM PUBLIC;
    FOR v_grantee IN
        SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = CAST('subject_key' AS regclass) AND a.grantee <> c.relowner AND a.privilege_type = 'INSERT'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION watchpost_subject_key(text, text, bytea) TO %s',
            CASE v_grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grantee)) END);
    END LOOP;
END
$$;
