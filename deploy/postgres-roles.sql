-- Roles of a team on one PostgreSQL: who may do what, and an audit log that people add to, and neither change nor shorten.
--
-- Run it with psql in Watchpost's database, as the owner of its tables, after Watchpost has made them; and again after an
-- update that added some. It may be run any number of times. It makes roles: an owner without CREATEROLE has a superuser
-- run it.
--
--     psql -v ON_ERROR_STOP=1 -d watchpost -f postgres-roles.sql
--     CREATE ROLE dana LOGIN PASSWORD '...' IN ROLE watchpost_analyst;
--     CREATE ROLE serve LOGIN PASSWORD '...' IN ROLE watchpost_engine;
--
-- Each person gets a login of its own in one of the groups watchpost_viewer, watchpost_analyst, watchpost_lead,
-- watchpost_auditor, watchpost_admin; `watchpost serve` gets one in watchpost_engine. The windows of people leave the
-- engine to it. Nobody works as the owner; the owner logs in for updates of Watchpost, which change tables, and for
-- erasures, which take from beside the log.
--
-- The log is appended to by functions that run as the owner: number, time and login of a record are those of the server,
-- whatever a client says. Reading what is sealed in it takes the group of a lead, an auditor or an admin.
--
-- What this is: people, engines and whoever steals their passwords cannot change the past, nor do what their role may not.
-- What it is not: a superuser can switch all of it off; `watchpost audit verify` and the memory of every console are what
-- finds that.

DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOREACH v_name IN ARRAY ARRAY['viewer', 'analyst', 'lead', 'auditor', 'admin', 'engine'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'watchpost_' || v_name);
        EXCEPTION WHEN duplicate_object THEN
            NULL;
        END;
    END LOOP;
    -- The one group of earlier versions of this script may do nothing any more: its members belong into one of these.
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'watchpost_team') THEN
        EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM watchpost_team';
    END IF;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor,
    watchpost_admin, watchpost_engine;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, watchpost_viewer, watchpost_analyst, watchpost_lead,
    watchpost_auditor, watchpost_admin, watchpost_engine;
GRANT USAGE ON SCHEMA public TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin,
    watchpost_engine;

-- Everybody: looks, and leaves records; what was refused is recorded too. Nobody writes the log but the functions.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor,
    watchpost_admin, watchpost_engine;
REVOKE SELECT ON audit_payload FROM watchpost_viewer, watchpost_analyst;
REVOKE SELECT ON sealed_field, sealing_key FROM watchpost_viewer, watchpost_analyst, watchpost_auditor;
GRANT EXECUTE ON FUNCTION watchpost_audit_head(text), watchpost_audit_append(text), watchpost_audit_partitions(),
    watchpost_audit_checkpoint(text, text, text, text, text)
    TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;
GRANT INSERT ON audit_name, subject_key, audit_cosignature, health_sample TO watchpost_viewer, watchpost_analyst,
    watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;
GRANT INSERT ON audit_timestamp TO watchpost_lead, watchpost_auditor, watchpost_admin;
GRANT UPDATE ON revision TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin,
    watchpost_engine;

-- Whoever may change something is there to be asked. Nobody writes the table: the function only says that somebody is there.
GRANT EXECUTE ON FUNCTION watchpost_person_seen(text) TO watchpost_analyst, watchpost_lead, watchpost_auditor,
    watchpost_admin, watchpost_engine;

-- Whoever works on incidents and contains.
GRANT INSERT, UPDATE, DELETE ON incident, incident_entity, incident_event, incident_link, incident_note, incident_pause,
    incident_risk, incident_span, incident_step, incident_tag, incident_timeline, evidence, finding, suppression,
    suppressed_finding, entity_risk, entity_risk_part, bulk_action, bulk_item, block, containment, response_action, outbox
    TO watchpost_analyst, watchpost_lead, watchpost_admin, watchpost_engine;
GRANT UPDATE ON counter TO watchpost_analyst, watchpost_lead, watchpost_admin, watchpost_engine;

-- Whoever makes reports.
GRANT INSERT, UPDATE, DELETE ON report, report_content, report_schedule, control_comment, proof, register_entry,
    register_field TO watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;

-- Whoever maintains.
GRANT INSERT, UPDATE, DELETE ON event, source_place, rollup, job_run, job_position, health_sample
    TO watchpost_lead, watchpost_admin, watchpost_engine;
-- What is sealed of events: only whoever may reveal it reads it.
GRANT INSERT, DELETE ON sealed_field TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT INSERT ON sealing_key TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT INSERT, UPDATE ON legal_hold TO watchpost_lead, watchpost_admin, watchpost_engine;

-- Requests that wait for a second person: added by whoever may do one of them, and moved on, never back, by the function.
GRANT INSERT ON approval TO watchpost_analyst, watchpost_lead, watchpost_admin;
GRANT EXECUTE ON FUNCTION watchpost_approval_move(text, text, text, text, text, text, bigint),
    watchpost_approval_records(text) TO watchpost_analyst, watchpost_lead, watchpost_admin;

-- Whoever sets things.
GRANT INSERT, UPDATE, DELETE ON setting, allow_entry, threat_list, threat_part TO watchpost_admin, watchpost_engine;

-- The engine.
GRANT INSERT, UPDATE, DELETE ON lease, engine_state TO watchpost_engine;
GRANT INSERT, UPDATE ON counter, lost_event TO watchpost_engine;

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
-- A statement may name a partition of the log instead of the log. Those that are made later have the same from the beginning.
DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOR v_name IN
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c
        ON c.oid = i.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE i.inhparent = CAST('audit_leaf' AS regclass)
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, watchpost_viewer, watchpost_analyst, watchpost_lead, '
            'watchpost_auditor, watchpost_admin, watchpost_engine', v_name);
        EXECUTE format('DROP TRIGGER IF EXISTS watchpost_append_only ON %s', v_name);
        EXECUTE format('CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only()', v_name);
    END LOOP;
END
$$;
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_checkpoint;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_cosignature;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_timestamp;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_timestamp
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_append_only ON audit_head;
CREATE TRIGGER watchpost_append_only BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DROP TRIGGER IF EXISTS watchpost_head_forward ON audit_head;
CREATE TRIGGER watchpost_head_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION watchpost_head_forward();
