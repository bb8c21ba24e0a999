-- The login at the database that wrote a record, for searching: the server says it, whoever the client says it is. The leaf
-- says it too, by an id; `watchpost audit verify` holds one against the other.
ALTER TABLE audit_record ADD COLUMN login TEXT COLLATE "C";
UPDATE audit_record r SET login = n.name
FROM audit_leaf l JOIN audit_name n ON n.kind = 'login'
    AND n.id = substring(right(encode(l.leaf, 'escape'), 160) from '"d":"([0-9a-f]{32})","s":[0-9]+,"t":"[^"]*"\}$')
WHERE l.seq = r.seq;
ALTER TABLE audit_record ALTER COLUMN login SET DEFAULT CAST(session_user AS TEXT);
CREATE INDEX audit_record_by_login ON audit_record (login, seq);

-- A person is a login, not the account at a machine that somebody had there: who was known by an account is known by the
-- logins that the account came with.
INSERT INTO person (name, first_at, last_at)
SELECT lower(r.login), MIN(r.at), MAX(r.at) FROM audit_record r
WHERE r.login IS NOT NULL AND r.outcome = 'success' AND r.permission <> 'view'
    AND lower(r.actor) IN (SELECT name FROM person)
GROUP BY lower(r.login)
ON CONFLICT (name) DO UPDATE SET last_at = GREATEST(person.last_at, excluded.last_at);
DELETE FROM person p WHERE NOT EXISTS (SELECT 1 FROM audit_record r WHERE lower(r.login) = p.name);

-- A login says of itself that it is there, and of nobody else, whatever name it hands over.
CREATE OR REPLACE FUNCTION watchpost_person_seen(p_name TEXT) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_now BIGINT := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
    v_name TEXT := lower(regexp_replace(CAST(session_user AS TEXT), '\s', '', 'g'));
BEGIN
    INSERT INTO person (name, first_at, last_at) VALUES (v_name, v_now, v_now)
    ON CONFLICT (name) DO UPDATE SET last_at = GREATEST(person.last_at, excluded.last_at);
END
$$;
-- Replacing it took this from it; who may call it stays.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION watchpost_person_seen(text) SET search_path = pg_catalog, %I, pg_temp', current_schema());
END
$$;
