-- Whoever may ask for a second person could put any number of rows among the requests with SQL, under any names: those of
-- others went under in the list, and once fifty waited nobody could ask. Written so that it may be run again.

-- The login that asked, by its number; the server says it. 0 from before.
ALTER TABLE approval ADD COLUMN IF NOT EXISTS login_oid BIGINT NOT NULL DEFAULT 0;

-- A login adds requests as Watchpost writes them, and has 20 of each operation open, whatever names it writes under; an
-- operation is any word in SQL, so there are 400 of all. WP020 says that it has so many: nothing is wrong with the login. The
-- owner of the tables, as whom a team may work that has no logins, is held to that by the door alone.
CREATE OR REPLACE FUNCTION watchpost_approval_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    c_day CONSTANT BIGINT := 86400000000;
    v_now BIGINT := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
    v_same BIGINT;
    v_all BIGINT;
BEGIN
    NEW.login_oid := (SELECT CAST(oid AS BIGINT) FROM pg_roles WHERE rolname = session_user);
    IF pg_has_role(session_user, current_user, 'MEMBER') THEN
        RETURN NEW;
    END IF;
    IF NEW.id !~ '^[0-9a-f]{16}$' OR NEW.state <> 'waiting' OR NEW.carrier NOT IN ('approver', 'asker')
        OR NEW.matter NOT IN ('purge', 'mass_block', 'hold_release', 'signing_key', 'token_key', 'four_eyes')
        OR NEW.decided_by IS NOT NULL OR NEW.decided_at IS NOT NULL OR NEW.note IS NOT NULL OR NEW.outcome IS NOT NULL
        OR octet_length(concat(NEW.operation, NEW.request, NEW.summary, NEW.reason, NEW.asked_by)) > 65536
    THEN
        RAISE EXCEPTION 'this is no request for a second person: use Watchpost' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- As decimal numbers, which no time is too far off for.
    IF abs(CAST(NEW.asked_at AS NUMERIC) - v_now) > c_day
        OR CAST(NEW.expires_at AS NUMERIC) - NEW.asked_at NOT BETWEEN 0 AND c_day
    THEN
        RAISE EXCEPTION 'a request for a second person is of now and waits for a day: the clock of the machine is wrong'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- One after another, so that none is added beside the count, nor counted as things were before: whoever leaves a record
    -- takes this row first as well.
    UPDATE revision SET n = n + 1 WHERE tag = 'audit';
    SELECT COUNT(*) FILTER (WHERE operation = NEW.operation), COUNT(*) INTO v_same, v_all FROM approval
        WHERE login_oid = NEW.login_oid AND state IN ('waiting', 'granted', 'failed') AND expires_at > v_now;
    IF v_same >= 20 OR v_all >= 400 THEN
        RAISE EXCEPTION 'the login % has % requests open for %, and % of all: have some of them decided, or take them back with '
            '`watchpost approval withdraw ID`', session_user, v_same, left(NEW.operation, 60), v_all USING ERRCODE = 'WP020';
    END IF;
    RETURN NEW;
END
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION watchpost_approval_added() SET search_path = pg_catalog, %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION watchpost_approval_added() OWNER TO %I',
        (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('audit_head' AS regclass)));
    REVOKE ALL ON FUNCTION watchpost_approval_added() FROM PUBLIC;
END
$$;

DROP TRIGGER IF EXISTS watchpost_approval_added ON approval;
CREATE TRIGGER watchpost_approval_added BEFORE INSERT ON approval
    FOR EACH ROW EXECUTE FUNCTION watchpost_approval_added();
