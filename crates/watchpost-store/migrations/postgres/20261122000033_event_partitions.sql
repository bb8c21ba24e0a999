-- The archive of events in partitions by the months of their time (UTC): a look at a period reads its months and no others,
-- and their indexes stay small. `event_rest` takes what no partition was made for, so that nothing that is written waits or
-- fails; the function below makes them ahead. Nobody but the owner has rights on a partition: everybody goes through `event`.
--
-- What is there is moved, in this transaction: it takes the room of the archive once more until it is done.

-- A partitioned table has no key without the time in it, so the ids stand here once more: one event is archived once, with
-- whatever time its id comes again. Nobody writes it but the trigger.
CREATE TABLE event_id (id TEXT COLLATE "C" PRIMARY KEY);

-- Keeps the ids. It names its table with its schema, and no operator that somebody else could have made: to set a path of
-- search would cost more than all the rest of it, for each event.
DO $do$
BEGIN
    EXECUTE format($make$
        CREATE FUNCTION watchpost_event_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $body$
        BEGIN
            IF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
                INSERT INTO %1$I.event_id (id) VALUES (NEW.id) ON CONFLICT (id) DO NOTHING;
                IF NOT FOUND THEN
                    RETURN NULL; -- It is archived, and stays as it is.
                END IF;
                RETURN NEW;
            END IF;
            IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
                -- Also of an event that an update moves to another month, before it is written there.
                DELETE FROM %1$I.event_id WHERE id OPERATOR(pg_catalog.=) OLD.id;
                RETURN OLD;
            END IF;
            IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
                TRUNCATE %1$I.event_id;
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the id of an event stays what it is' USING ERRCODE = 'check_violation';
        END
        $body$
    $make$, current_schema());
END
$do$;

-- Makes the partitions of this month and of the next one, and of those in which the given times lie (microseconds, with
-- commas), as far as these are of the last two years; answers how many of them are not there all the same. Whoever reads the
-- rest at this moment is waited for no longer than a tenth of a second: another call follows, and the rest takes what comes
-- until then. What the rest holds of a month goes into its partition, if it is little; a month of which it holds much stays
-- there.
CREATE FUNCTION watchpost_event_partitions(p_at TEXT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    c_most CONSTANT BIGINT := 10000;
    v_whole REGCLASS := 'event';
    v_schema TEXT;
    v_owner OID;
    v_at BIGINT[] := CAST(string_to_array(NULLIF(p_at, ''), ',') AS BIGINT[]);
    v_now TIMESTAMP := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC');
    v_month TIMESTAMP;
    v_from BIGINT;
    v_to BIGINT;
    v_part TEXT;
    v_name TEXT;
    v_grantee OID;
    v_missing BIGINT := 0;
BEGIN
    SELECT n.nspname, c.relowner INTO STRICT v_schema, v_owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = v_whole;
    FOR v_month IN
        SELECT m FROM generate_series(v_now - INTERVAL '24 months', v_now + INTERVAL '1 month', INTERVAL '1 month') m
    LOOP
        v_from := CAST(EXTRACT(EPOCH FROM v_month) * 1000000 AS BIGINT);
        v_to := CAST(EXTRACT(EPOCH FROM v_month + INTERVAL '1 month') * 1000000 AS BIGINT);
        CONTINUE WHEN v_month < v_now
            AND NOT EXISTS (SELECT 1 FROM unnest(v_at) AS a(at) WHERE a.at >= v_from AND a.at < v_to);
        v_part := to_char(v_month, '"event_"YYYY"_"MM');
        v_name := format('%I.%I', v_schema, v_part);
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = v_whole AND c.relname = v_part
        );
        BEGIN
            -- One after the other, so that a second writer finds what the first one made.
            EXECUTE format('LOCK TABLE ONLY %I.event IN SHARE UPDATE EXCLUSIVE MODE', v_schema);
            CONTINUE WHEN EXISTS (
                SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = v_whole AND c.relname = v_part
            );
            EXECUTE format('LOCK TABLE %I.event_rest IN ACCESS EXCLUSIVE MODE', v_schema);
            IF (SELECT COUNT(*) FROM
                (SELECT 1 FROM event_rest WHERE at >= v_from AND at < v_to LIMIT c_most + 1) held) > c_most
            THEN
                v_missing := v_missing + 1;
                CONTINUE;
            END IF;
            EXECUTE format('CREATE TABLE %s (LIKE %I.event INCLUDING DEFAULTS INCLUDING STORAGE)', v_name, v_schema);
            -- Default privileges of the server may give others rights on new tables.
            FOR v_grantee IN
                SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
                WHERE c.oid = CAST(v_name AS regclass) AND a.grantee <> v_owner
            LOOP
                EXECUTE format('REVOKE ALL ON %s FROM %s', v_name,
                    CASE v_grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grantee)) END);
            END LOOP;
            EXECUTE format('WITH moved AS (DELETE FROM %1$I.event_rest WHERE at >= %2$s AND at < %3$s RETURNING *) '
                'INSERT INTO %4$s SELECT * FROM moved', v_schema, v_from, v_to, v_name);
            -- Taking them out of the rest took their ids away.
            EXECUTE format('INSERT INTO %I.event_id (id) SELECT id FROM %s ON CONFLICT (id) DO NOTHING', v_schema, v_name);
            EXECUTE format('ALTER TABLE %I.event ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)',
                v_schema, v_name, v_from, v_to);
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN
                v_missing := v_missing + 1; -- Somebody reads.
            WHEN insufficient_privilege OR duplicate_table OR undefined_object OR invalid_schema_name THEN
                v_missing := v_missing + 1;
                RAISE WARNING 'no partition % of the archive of events is made: %', v_part, SQLERRM;
        END;
    END LOOP;
    RETURN v_missing;
END
$$;

DO $$
DECLARE
    v_owner TEXT;
    v_indexes TEXT[];
    v_triggers TEXT[];
    v_text TEXT;
    v_grant RECORD;
    v_grantee TEXT;
BEGIN
    LOCK TABLE event IN ACCESS EXCLUSIVE MODE;
    SELECT pg_get_userbyid(relowner) INTO STRICT v_owner FROM pg_class WHERE oid = CAST('event' AS regclass);
    -- As they are here: that of the text is there where the server has pg_trgm, and the triggers where
    -- deploy/postgres-roles.sql was run.
    SELECT array_agg(pg_get_indexdef(indexrelid) ORDER BY indexrelid) INTO v_indexes
    FROM pg_index WHERE indrelid = CAST('event' AS regclass) AND NOT indisprimary;
    SELECT array_agg(pg_get_triggerdef(oid) ORDER BY tgname) INTO v_triggers
    FROM pg_trigger WHERE tgrelid = CAST('event' AS regclass) AND NOT tgisinternal;
    ALTER TABLE event RENAME TO event_before;
    CREATE TABLE event (LIKE event_before INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY RANGE (at);
    CREATE TABLE event_rest PARTITION OF event DEFAULT;
    FOREACH v_text IN ARRAY ARRAY['TABLE event', 'TABLE event_rest', 'TABLE event_id', 'FUNCTION watchpost_event_once()',
        'FUNCTION watchpost_event_partitions(text)']
    LOOP
        EXECUTE format('ALTER %s OWNER TO %I', v_text, v_owner);
    END LOOP;
    EXECUTE format('ALTER FUNCTION watchpost_event_partitions(text) SET search_path = pg_catalog, %I, pg_temp',
        current_schema());
    ALTER FUNCTION watchpost_event_partitions(text) SET lock_timeout = '100ms';
    REVOKE ALL ON FUNCTION watchpost_event_partitions(text), watchpost_event_once() FROM PUBLIC;

    -- Who had rights on the table has them on the whole, and on no part of it; who writes has partitions made.
    FOR v_grant IN
        SELECT a.grantee, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = CAST('event_before' AS regclass) AND a.grantee <> c.relowner
    LOOP
        v_grantee := CASE v_grant.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grant.grantee)) END;
        EXECUTE format('GRANT %s ON event TO %s', v_grant.privilege_type, v_grantee);
        IF v_grant.privilege_type = 'INSERT' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION watchpost_event_partitions(text) TO %s', v_grantee);
        END IF;
    END LOOP;

    -- The months in which there is something; each asks the index.
    PERFORM watchpost_event_partitions((
        SELECT string_agg(CAST(first.at AS TEXT), ',')
        FROM generate_series(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') - INTERVAL '24 months',
            date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC'), INTERVAL '1 month') m
        CROSS JOIN LATERAL (
            SELECT e.at FROM event_before e WHERE e.at >= CAST(EXTRACT(EPOCH FROM m) * 1000000 AS BIGINT)
            AND e.at < CAST(EXTRACT(EPOCH FROM m + INTERVAL '1 month') * 1000000 AS BIGINT) ORDER BY e.at LIMIT 1
        ) first
    ));
    INSERT INTO event_id (id) SELECT id FROM event_before;
    INSERT INTO event SELECT * FROM event_before;
    DROP TABLE event_before;

    -- After the rows: an index that is made of all of them at once takes a fraction of the time.
    ALTER TABLE event ADD CONSTRAINT event_pkey PRIMARY KEY (id, at);
    FOREACH v_text IN ARRAY COALESCE(v_indexes, ARRAY[]::TEXT[]) LOOP
        EXECUTE v_text;
    END LOOP;
    FOREACH v_text IN ARRAY COALESCE(v_triggers, ARRAY[]::TEXT[]) LOOP
        EXECUTE v_text;
    END LOOP;
    CREATE TRIGGER watchpost_event_once BEFORE INSERT OR DELETE ON event
        FOR EACH ROW EXECUTE FUNCTION watchpost_event_once();
    CREATE TRIGGER watchpost_event_keeps_id BEFORE UPDATE OF id ON event
        FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION watchpost_event_once();
    CREATE TRIGGER watchpost_event_none AFTER TRUNCATE ON event
        FOR EACH STATEMENT EXECUTE FUNCTION watchpost_event_once();
    ANALYZE event;
    ANALYZE event_id;
END
$$;
