-- Roles of a team on one PostgreSQL: who may do what, and an audit log that people add to, and neither change nor shorten.
--
-- Run it with psql in Watchpost's database, as the owner of its tables, after Watchpost has made them; and again after an
-- update that added some. It may be run any number of times, also while people work: it is one transaction, of which
-- others see all or nothing, and which waits until it gets the tables for a moment. It makes roles: an owner without
-- CREATEROLE has a superuser run it the first time. Whoever runs it, what it makes belongs to the owner of the tables.
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
-- whatever a client says. Reading what is sealed in it, its reasons and the legal holds takes the group of a lead, an auditor
-- or an admin.
--
-- What people change leaves a record in the same transaction, or is refused at its end; the engine and the owner are exempt,
-- and for legal holds the owner alone.
-- So nobody but `watchpost serve` logs in with a login of watchpost_engine.
--
-- What this is: people, engines and whoever steals their passwords cannot change the past, nor do what their role may not.
-- What it is not: a superuser can switch all of it off; `watchpost audit verify` and the memory of every console are what
-- finds that.

BEGIN;
-- What is not there yet is no news.
SET LOCAL client_min_messages = warning;

-- The tables that it is for, and who may run it: else nothing is begun.
DO $$
DECLARE
    -- The newest migration of the version that this script is of.
    c_schema CONSTANT BIGINT := 20261124000042;
    v_schema BIGINT;
    v_owner NAME;
BEGIN
    IF to_regclass('public.schema_version') IS NULL OR to_regclass('public.audit_head') IS NULL THEN
        RAISE EXCEPTION 'the database % has no tables of Watchpost in its schema public', current_database()
            USING HINT = 'Is it the right database? Open it once with Watchpost, as the owner of the tables, and run this '
                'script again. Nothing was changed.';
    END IF;
    SELECT pg_get_userbyid(relowner) INTO v_owner FROM pg_catalog.pg_class
        WHERE oid = CAST('public.audit_head' AS regclass);
    IF NOT pg_has_role(current_user, v_owner, 'USAGE') THEN
        RAISE EXCEPTION 'the tables belong to %, and % may not change who may do what with them', v_owner, current_user
            USING HINT = format('Run this script as %s or as a superuser. Nothing was changed.', v_owner),
                ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT MAX(version) INTO v_schema FROM public.schema_version;
    IF v_schema < c_schema THEN
        RAISE EXCEPTION 'the tables have schema %, and this script is for %', v_schema, c_schema
            USING HINT = format('Open the database once with the version of Watchpost that this script came with, as %s, '
                'and run it again. Nothing was changed.', v_owner);
    ELSIF v_schema IS DISTINCT FROM c_schema THEN
        RAISE EXCEPTION 'the tables have schema %, and this script is for %', v_schema, c_schema
            USING HINT = 'Run the script that came with the version of Watchpost that opened the database last. Nothing was '
                'changed.';
    END IF;
END
$$;

-- All tables whose triggers are made anew, or none: whoever holds one of them and waits for another goes first, and nobody
-- waits for this longer than a moment.
DO $$
DECLARE
    v_before TEXT := current_setting('lock_timeout');
    v_tries INTEGER := 0;
BEGIN
    PERFORM set_config('lock_timeout', '500ms', true);
    LOOP
        BEGIN
            LOCK TABLE public.incident, public.incident_entity, public.incident_event, public.incident_link,
                public.incident_note, public.incident_pause, public.incident_risk, public.incident_span,
                public.incident_step, public.incident_tag, public.incident_timeline, public.evidence, public.finding,
                public.suppression, public.suppressed_finding, public.entity_risk, public.entity_risk_part,
                public.bulk_action, public.bulk_item, public.block, public.containment, public.response_action,
                public.outbox, public.report, public.report_content, public.report_schedule, public.control_comment,
                public.proof, public.register_entry, public.register_field, public.approval, public.setting,
                public.allow_entry, public.threat_list, public.threat_part, public.job_run, public.event,
                public.source_place, public.rollup, public.busy_name, public.busy_due, public.sealed_field,
                public.legal_hold, public.audit_leaf, public.audit_checkpoint, public.audit_cosignature,
                public.audit_timestamp, public.audit_head
                IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            v_tries := v_tries + 1;
            IF v_tries >= 60 THEN
                RAISE EXCEPTION 'somebody uses the tables all the time: nothing was changed'
                    USING HINT = 'Run this script again when a long look at them, or a copy of them, has ended (pg_stat_activity '
                        'shows it).', ERRCODE = 'lock_not_available';
            END IF;
        END;
        PERFORM pg_sleep(0.3);
    END LOOP;
    PERFORM set_config('lock_timeout', v_before, true);
END
$$;

DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOREACH v_name IN ARRAY ARRAY['viewer', 'analyst', 'lead', 'auditor', 'admin', 'engine'] LOOP
        -- Who may make no roles may run this again all the same.
        CONTINUE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'watchpost_' || v_name);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'watchpost_' || v_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'there is no group watchpost_%, and % may make no roles', v_name, current_user
                    USING HINT = format('Have a superuser run this script once, or say ALTER ROLE %I CREATEROLE, and run it '
                        'again. Nothing was changed.', current_user), ERRCODE = 'insufficient_privilege';
        END;
    END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin,
    watchpost_engine;

-- What is Watchpost's in the schema: of the owner of its tables, and not of an extension. What others have there, such as
-- pg_stat_statements, stays as it is: the owner of the tables may not touch it.
DO $$
DECLARE
    c_groups CONSTANT TEXT := 'watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin, '
        'watchpost_engine';
    v_owner OID;
    v_tables TEXT;
    v_functions TEXT;
BEGIN
    SELECT relowner INTO v_owner FROM pg_catalog.pg_class WHERE oid = CAST('public.audit_head' AS regclass);
    SELECT string_agg(format('public.%I', c.relname), ', ') INTO v_tables FROM pg_catalog.pg_class c
        WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND c.relowner = v_owner AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = CAST('pg_catalog.pg_class' AS regclass)
            AND d.objid = c.oid AND d.deptype = 'e'
        );
    SELECT string_agg(CAST(CAST(p.oid AS regprocedure) AS TEXT), ', ') INTO v_functions FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = CAST('public' AS regnamespace) AND p.prokind <> 'p'
        AND p.proowner = v_owner AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = CAST('pg_catalog.pg_proc' AS regclass)
            AND d.objid = p.oid AND d.deptype = 'e'
        );
    IF v_functions IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', v_functions, c_groups);
    END IF;
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, %s', v_tables, c_groups);
    -- The one group of earlier versions of this script may do nothing any more: its members belong into one of these.
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'watchpost_team') THEN
        EXECUTE format('REVOKE ALL ON %s FROM watchpost_team', v_tables);
    END IF;
    -- Everybody looks.
    EXECUTE format('GRANT SELECT ON %s TO %s', v_tables, c_groups);
END
$$;

-- Functions that run as the owner are for those who are named below. In a database that was put back from a copy they are
-- everybody's until this.
DO $$
DECLARE
    v_name TEXT;
BEGIN
    FOR v_name IN
        SELECT CAST(CAST(p.oid AS regprocedure) AS TEXT) FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = CAST('public' AS regnamespace) AND p.prosecdef
            AND p.proname LIKE 'watchpost!_%' ESCAPE '!'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_name);
    END LOOP;
END
$$;

-- Whoever does not read what is sealed does not read the keys that open it either: the function gives a login those with
-- which it seals itself.
REVOKE SELECT ON audit_payload, subject_key FROM watchpost_viewer, watchpost_analyst;
-- The words of records say reasons, and holds whom they are about: for whoever may read the trail. The other columns are
-- what everybody's own work asks for.
REVOKE SELECT ON audit_record, legal_hold FROM watchpost_viewer, watchpost_analyst;
GRANT SELECT (seq, at, actor, action, object, permission, outcome, role, login) ON audit_record
    TO watchpost_viewer, watchpost_analyst;
-- What is asked of a second person, and why, names people.
REVOKE SELECT ON approval FROM watchpost_viewer;
GRANT SELECT (id, operation, matter, carrier, asked_by, asked_at, expires_at, state, decided_by, decided_at, outcome)
    ON approval TO watchpost_viewer;
REVOKE SELECT ON sealed_field, sealing_key FROM watchpost_viewer, watchpost_analyst, watchpost_auditor;
-- Everybody leaves records; what was refused is recorded too. Nobody writes the log but the functions.
GRANT EXECUTE ON FUNCTION watchpost_audit_head(text), watchpost_audit_append(text), watchpost_audit_partitions(),
    watchpost_audit_checkpoint(text, text, text, text, text), watchpost_subject_key(text, text, bytea)
    TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;
GRANT INSERT ON audit_name, audit_cosignature, health_sample TO watchpost_viewer, watchpost_analyst,
    watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;
GRANT INSERT ON audit_timestamp TO watchpost_lead, watchpost_auditor, watchpost_admin;
GRANT UPDATE ON revision TO watchpost_viewer, watchpost_analyst, watchpost_lead, watchpost_auditor, watchpost_admin,
    watchpost_engine;

-- Whoever may change something is there to be asked. Nobody writes the table: the function only says that somebody is there.
GRANT EXECUTE ON FUNCTION watchpost_person_seen(text) TO watchpost_analyst, watchpost_lead, watchpost_auditor,
    watchpost_admin, watchpost_engine;

-- Whoever works on incidents and contains. Deleted is only what an operation of theirs deletes.
GRANT INSERT, UPDATE ON incident, incident_entity, incident_event, incident_link, incident_note, incident_pause,
    incident_risk, incident_span, incident_step, incident_tag, incident_timeline, evidence, finding, suppression,
    suppressed_finding, entity_risk, entity_risk_part, bulk_action, bulk_item, block, containment, response_action, outbox
    TO watchpost_analyst, watchpost_lead, watchpost_admin, watchpost_engine;
GRANT DELETE ON incident_link, incident_note, incident_step, incident_tag
    TO watchpost_analyst, watchpost_lead, watchpost_admin, watchpost_engine;
GRANT UPDATE ON counter TO watchpost_analyst, watchpost_lead, watchpost_admin, watchpost_engine;

-- Whoever makes reports.
GRANT INSERT, UPDATE ON report, report_content, report_schedule, control_comment, proof, register_entry, register_field
    TO watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;
GRANT DELETE ON report_schedule, control_comment, register_field
    TO watchpost_lead, watchpost_auditor, watchpost_admin, watchpost_engine;

-- Whoever maintains. The counts by the hour (rollup_hour) nobody writes but the triggers of those by five minutes.
GRANT INSERT, UPDATE ON event, source_place, rollup, busy_due, job_run, job_position
    TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT DELETE ON event, source_place, busy_name, job_position TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT EXECUTE ON FUNCTION watchpost_event_partitions(text) TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT UPDATE ON health_sample TO watchpost_lead, watchpost_admin;
-- What is sealed of events: only whoever may reveal it reads it.
GRANT INSERT, DELETE ON sealed_field TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT INSERT ON sealing_key TO watchpost_lead, watchpost_admin, watchpost_engine;
GRANT INSERT, UPDATE ON legal_hold TO watchpost_lead, watchpost_admin, watchpost_engine;

-- Requests that wait for a second person: added by whoever may do one of them, so many at a time as a trigger of the table
-- lets, and moved on, never back, by the function.
GRANT INSERT ON approval TO watchpost_analyst, watchpost_lead, watchpost_admin;
GRANT EXECUTE ON FUNCTION watchpost_approval_move(text, text, text, text, text, text, bigint),
    watchpost_approval_records(text) TO watchpost_analyst, watchpost_lead, watchpost_admin;

-- Whoever sets things.
GRANT INSERT, UPDATE ON setting, allow_entry, threat_list, threat_part TO watchpost_admin, watchpost_engine;
GRANT DELETE ON allow_entry, threat_list, threat_part TO watchpost_admin, watchpost_engine;

-- The engine.
GRANT INSERT, UPDATE, DELETE ON lease, engine_state, health_sample TO watchpost_engine;
GRANT INSERT, UPDATE ON counter, lost_event TO watchpost_engine;
-- The sums of events by name: whoever removes events has them made anew, and the engine alone makes them.
GRANT INSERT ON busy_name TO watchpost_engine;
GRANT DELETE ON busy_due TO watchpost_engine;

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
-- A statement may name a partition of the log, or of the archive of events, instead of the whole. Those that are made later
-- have the same from the beginning.
DO $$
DECLARE
    v_name TEXT;
    v_whole REGCLASS;
BEGIN
    FOR v_name, v_whole IN
        SELECT format('%I.%I', n.nspname, c.relname), i.inhparent FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c
        ON c.oid = i.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE i.inhparent IN (CAST('audit_leaf' AS regclass), CAST('event' AS regclass))
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, watchpost_viewer, watchpost_analyst, watchpost_lead, '
            'watchpost_auditor, watchpost_admin, watchpost_engine', v_name);
        CONTINUE WHEN v_whole <> CAST('audit_leaf' AS regclass);
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

-- What people change leaves a record in the same transaction, also when they do it with SQL. Exempt are the engine, which
-- takes in events and finds things without one, and the owner; both by the login, which no client can set.
CREATE OR REPLACE FUNCTION watchpost_owes_record() RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT 1 FROM pg_roles r WHERE (r.rolname = 'watchpost_engine'
            OR r.oid = (SELECT relowner FROM pg_class WHERE oid = CAST('public.audit_head' AS regclass)))
        AND pg_has_role(session_user, r.oid, 'MEMBER')
    )
$$;
GRANT EXECUTE ON FUNCTION watchpost_owes_record() TO watchpost_viewer, watchpost_analyst, watchpost_lead,
    watchpost_auditor, watchpost_admin, watchpost_engine;

-- Holds are changed in no other way by the engine either.
CREATE OR REPLACE FUNCTION watchpost_not_owner() RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT pg_has_role(session_user,
        (SELECT relowner FROM pg_class WHERE oid = CAST('public.audit_head' AS regclass)), 'MEMBER')
$$;
GRANT EXECUTE ON FUNCTION watchpost_not_owner() TO watchpost_viewer, watchpost_analyst, watchpost_lead,
    watchpost_auditor, watchpost_admin, watchpost_engine;

-- At the end of the transaction: the newest record of the log is of this very transaction. Only the functions that append
-- can have made it, with the login of the session and the time of the server; whoever appended holds the head until the
-- end, so nobody else's can be the newest then.
CREATE OR REPLACE FUNCTION watchpost_leaves_record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM audit_head h JOIN audit_record r ON r.seq = h.size - 1
        WHERE h.id = 1 AND CAST(CAST(r.xmin AS TEXT) AS BIGINT) = txid_current() % 4294967296
    ) THEN
        RAISE EXCEPTION 'what changes % leaves a record in the same transaction: use Watchpost', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;

-- What jobs write in many transactions, none of which has a record of its own: while a job runs whose start this login
-- recorded.
CREATE OR REPLACE FUNCTION watchpost_of_a_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM job_run j JOIN audit_record r ON r.object = 'job/' || j.id
        -- Within a day of its start, as another clock says it: not all that this login ever did is looked through.
        AND r.at BETWEEN j.started_at - 86400000000 AND j.started_at + 86400000000
        WHERE j.state = 'running' AND r.login = CAST(session_user AS TEXT)
    ) THEN
        RAISE EXCEPTION 'only a job of this login changes %: use Watchpost', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;

-- A hold is placed and released, and nothing else; whoever placed it, by the trail or by the row, does not release it (the
-- approver of a request carries that out, with another login). Its record names it.
CREATE OR REPLACE FUNCTION watchpost_hold_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.released_at IS NOT NULL OR NEW.released_by IS NOT NULL OR NEW.release_reason IS NOT NULL THEN
            RAISE EXCEPTION 'a hold is placed before it is released' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.released_at IS NOT NULL OR NEW.released_at IS NULL
        OR (NEW.id, NEW.kind, NEW.value, NEW.reason, NEW.owner, NEW.placed_at, NEW.placed_by)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.value, OLD.reason, OLD.owner, OLD.placed_at, OLD.placed_by)
    THEN
        RAISE EXCEPTION 'a hold is released once, and changed in no other way' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF lower(btrim(OLD.placed_by)) = lower(CAST(session_user AS TEXT)) OR EXISTS (
        SELECT 1 FROM audit_record WHERE object = 'hold/' || OLD.id AND action = 'hold_add'
        AND login = CAST(session_user AS TEXT)
    ) THEN
        RAISE EXCEPTION 'a hold is released by somebody who did not place it' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION watchpost_hold_record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM audit_record WHERE object = 'hold/' || NEW.id AND outcome = 'success'
        AND action = CASE TG_OP WHEN 'INSERT' THEN 'hold_add' ELSE 'hold_release' END
        AND CAST(CAST(xmin AS TEXT) AS BIGINT) = txid_current() % 4294967296
    ) THEN
        RAISE EXCEPTION 'a hold that is placed or released leaves a record that names it: use Watchpost'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    -- Asked for each row and each statement of the engine: this first, because it costs next to nothing.
    c_owes CONSTANT TEXT := 'NOT pg_catalog.pg_has_role(session_user, ''watchpost_engine'', ''MEMBER'') '
        'AND public.watchpost_owes_record()';
    c_deferred CONSTANT TEXT := 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (' || c_owes;
    v_name TEXT;
BEGIN
    -- Not among them, because they are written without a record for good reason and hold no work of people: counter,
    -- revision, person, lease, engine_state, lost_event, health_sample, job_position, and what belongs to the log itself.
    FOREACH v_name IN ARRAY ARRAY[
        'incident', 'incident_entity', 'incident_event', 'incident_link', 'incident_note', 'incident_pause',
        'incident_risk', 'incident_span', 'incident_step', 'incident_tag', 'incident_timeline', 'evidence', 'finding',
        'suppression', 'suppressed_finding', 'entity_risk', 'entity_risk_part', 'bulk_action', 'bulk_item', 'block',
        'containment', 'response_action', 'outbox', 'report', 'report_content', 'report_schedule', 'control_comment',
        'proof', 'register_entry', 'register_field', 'approval', 'setting', 'allow_entry', 'threat_list', 'threat_part'
    ] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS watchpost_leaves_record ON public.%I', v_name);
        EXECUTE format('CREATE CONSTRAINT TRIGGER watchpost_leaves_record AFTER INSERT OR UPDATE OR DELETE ON public.%I '
            '%s) EXECUTE FUNCTION public.watchpost_leaves_record()', v_name, c_deferred);
    END LOOP;

    -- Whoever opens the database says of runs whose process is gone that they failed; everything else has a record.
    DROP TRIGGER IF EXISTS watchpost_leaves_record ON public.job_run;
    EXECUTE format('CREATE CONSTRAINT TRIGGER watchpost_leaves_record AFTER INSERT OR DELETE ON public.job_run '
        '%s) EXECUTE FUNCTION public.watchpost_leaves_record()', c_deferred);
    DROP TRIGGER IF EXISTS watchpost_leaves_record_of_change ON public.job_run;
    EXECUTE format('CREATE CONSTRAINT TRIGGER watchpost_leaves_record_of_change AFTER UPDATE ON public.job_run '
        '%s AND NOT (OLD.state = ''running'' AND NEW.state = ''failed'' AND NEW.id = OLD.id)) '
        'EXECUTE FUNCTION public.watchpost_leaves_record()', c_deferred);

    FOREACH v_name IN ARRAY ARRAY['event', 'source_place', 'rollup', 'busy_name', 'busy_due', 'sealed_field'] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS watchpost_of_a_job ON public.%I', v_name);
        EXECUTE format('CREATE TRIGGER watchpost_of_a_job AFTER INSERT OR UPDATE OR DELETE ON public.%I '
            'FOR EACH STATEMENT WHEN (%s) EXECUTE FUNCTION public.watchpost_of_a_job()', v_name, c_owes);
    END LOOP;

    DROP TRIGGER IF EXISTS watchpost_hold_guard ON public.legal_hold;
    EXECUTE format('CREATE TRIGGER watchpost_hold_guard BEFORE INSERT OR UPDATE ON public.legal_hold '
        'FOR EACH ROW WHEN (%s) EXECUTE FUNCTION public.watchpost_hold_guard()', 'public.watchpost_not_owner()');
    DROP TRIGGER IF EXISTS watchpost_leaves_record ON public.legal_hold;
    EXECUTE format('CREATE CONSTRAINT TRIGGER watchpost_leaves_record AFTER INSERT OR UPDATE ON public.legal_hold '
        'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (public.watchpost_not_owner()) '
        'EXECUTE FUNCTION public.watchpost_hold_record()');
END
$$;

-- A superuser may have run this: the owner of the tables can run it again, and nothing of it runs with a superuser's rights.
DO $$
DECLARE
    v_owner TEXT;
    v_name TEXT;
BEGIN
    SELECT r.rolname INTO v_owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
        WHERE c.oid = CAST('public.audit_head' AS regclass);
    FOREACH v_name IN ARRAY ARRAY[
        'append_only', 'head_forward', 'owes_record', 'not_owner', 'leaves_record', 'of_a_job', 'hold_guard', 'hold_record'
    ] LOOP
        EXECUTE format('ALTER FUNCTION public.%I() OWNER TO %I', 'watchpost_' || v_name, v_owner);
    END LOOP;
END
$$;

COMMIT;
