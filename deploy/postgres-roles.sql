-- Roles of a team on one PostgreSQL: an audit log that people can add to, and neither change nor shorten.
--
-- Run it with psql in Watchpost's database, as the owner of its tables, after Watchpost has made them; and again after an
-- update that added some. It may be run any number of times.
--
--     psql -v ON_ERROR_STOP=1 -d watchpost -f postgres-roles.sql
--     CREATE ROLE dana LOGIN PASSWORD '...' IN ROLE watchpost_team;
--
-- Each person, and each `watchpost serve`, gets a login of its own in the group watchpost_team: the trail takes the login
-- from the server. Nobody works as the owner; the owner logs in for updates of Watchpost only, which change tables.
--
-- What this is: people, engines and whoever steals their passwords cannot change the past. What it is not: a superuser
-- can switch all of it off; `watchpost audit verify` and the memory of every console are what finds that.

DO $$
BEGIN
    CREATE ROLE watchpost_team NOLOGIN;
EXCEPTION WHEN duplicate_object THEN
    NULL;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO watchpost_team;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, watchpost_team;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO watchpost_team;

-- The log: added to, and read.
REVOKE UPDATE, DELETE ON audit_leaf, audit_checkpoint, audit_cosignature FROM watchpost_team;
-- What stands beside it, and the keys that seal it: only an erasure removes these, and that is the owner's.
REVOKE UPDATE, DELETE ON audit_record, audit_payload, audit_name, subject_key FROM watchpost_team;
-- Erasures were done and holds were placed: neither is taken out of its list.
REVOKE UPDATE, DELETE ON erasure FROM watchpost_team;
REVOKE DELETE ON legal_hold FROM watchpost_team;
-- Its head is the number of the next record: it is moved on.
REVOKE DELETE ON audit_head FROM watchpost_team;
-- The schema is the owner's.
REVOKE INSERT, UPDATE, DELETE ON schema_version FROM watchpost_team;

-- Grants do not bind the owner; these do.
CREATE OR REPLACE FUNCTION watchpost_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE FUNCTION watchpost_head_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size < OLD.size OR NEW.log_id <> OLD.log_id OR NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'the head of the audit log only moves on'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS watchpost_append_only ON audit_leaf;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_checkpoint;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_cosignature;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_head;
CREATE TRIGGER watchpost_append_only BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_head_forward ON audit_head;
CREATE TRIGGER watchpost_head_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION watchpost_head_forward();
