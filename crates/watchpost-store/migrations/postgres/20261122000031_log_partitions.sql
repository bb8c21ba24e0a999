-- The leaves of the audit log in partitions by their numbers, a million each: what is written stays as it is, so the old ones
-- are never touched again, and only the newest one has pages and an index that change.
--
-- What is there becomes the first partition as it is; nothing is copied. `audit_leaf_rest` takes what no partition was made
-- for, so that the log never stops; the function below makes them ahead. Nobody but the owner has rights on a partition:
-- everybody goes through `audit_leaf`.

DO $$
DECLARE
    v_newest BIGINT;
    v_to TEXT;
    v_owner TEXT;
    v_bound BOOLEAN;
    v_grant RECORD;
    v_grantee TEXT;
BEGIN
    SELECT pg_get_userbyid(relowner) INTO STRICT v_owner FROM pg_class WHERE oid = CAST('audit_leaf' AS regclass);
    ALTER TABLE audit_leaf RENAME TO audit_leaf_first;
    ALTER INDEX audit_leaf_pkey RENAME TO audit_leaf_first_pkey;
    CREATE TABLE audit_leaf (seq BIGINT PRIMARY KEY, leaf BYTEA NOT NULL, hash BYTEA NOT NULL) PARTITION BY RANGE (seq);
    SELECT GREATEST(COALESCE(MAX(seq), 0), COALESCE((SELECT size FROM audit_head), 0)) INTO v_newest FROM audit_leaf_first;
    -- A number that no log reaches was put there by somebody; `audit verify` names it.
    v_to := CASE WHEN v_newest > 9000000000000000000 THEN 'MAXVALUE'
        ELSE CAST((v_newest / 1000000 + 1) * 1000000 AS TEXT) END;
    EXECUTE 'ALTER TABLE audit_leaf ATTACH PARTITION audit_leaf_first FOR VALUES FROM (MINVALUE) TO (' || v_to || ')';
    CREATE TABLE audit_leaf_rest PARTITION OF audit_leaf DEFAULT;
    EXECUTE format('ALTER TABLE audit_leaf OWNER TO %I', v_owner);
    EXECUTE format('ALTER TABLE audit_leaf_rest OWNER TO %I', v_owner);

    -- Who had rights on the table has them on the whole, and on no part of it.
    FOR v_grant IN
        SELECT a.grantee, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = CAST('audit_leaf_first' AS regclass) AND a.grantee <> c.relowner
    LOOP
        v_grantee := CASE v_grant.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grant.grantee)) END;
        EXECUTE format('GRANT %s ON audit_leaf TO %s', v_grant.privilege_type, v_grantee);
        EXECUTE format('REVOKE ALL ON audit_leaf_first FROM %s', v_grantee);
    END LOOP;

    -- What holds the owner too (deploy/postgres-roles.sql) is by statement, so it stands on the whole and on each part.
    SELECT EXISTS (
        SELECT 1 FROM pg_trigger
        WHERE tgrelid = CAST('audit_leaf_first' AS regclass) AND tgname = 'watchpost_append_only'
    ) INTO v_bound;
    IF v_bound THEN
        CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaf
            FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
        CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaf_rest
            FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
    END IF;
END
$$;

-- Makes the partition that the next record belongs into, and the one after it, if they are not there. Answers how many it
-- made. Who reads all of the log at this moment is not waited for: another call follows, and `audit_leaf_rest` takes what
-- comes until then.
CREATE FUNCTION watchpost_audit_partitions() RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    c_rows CONSTANT BIGINT := 1000000;
    v_whole REGCLASS := 'audit_leaf';
    v_schema TEXT;
    v_owner OID;
    v_bound BOOLEAN;
    v_from BIGINT;
    v_name TEXT;
    v_grantee OID;
    v_made BIGINT := 0;
BEGIN
    SELECT n.nspname, c.relowner INTO STRICT v_schema, v_owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = v_whole;
    SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = v_whole AND tgname = 'watchpost_append_only') INTO v_bound;
    FOR v_from IN
        SELECT (COALESCE((SELECT size FROM audit_head WHERE id = 1), 0) / c_rows + n) * c_rows FROM generate_series(0, 1) n
    LOOP
        v_name := format('%I.%I', v_schema, 'audit_leaf_from_' || v_from);
        -- The bounds stand in the catalogue as text: FOR VALUES FROM ('1000000') TO ('2000000').
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            CROSS JOIN LATERAL regexp_match(
                pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?([0-9]+|MINVALUE)''?\) TO \(''?([0-9]+|MAXVALUE)''?\)'
            ) AS bound
            WHERE i.inhparent = v_whole AND bound IS NOT NULL
            AND CASE WHEN bound[1] = 'MINVALUE' THEN TRUE ELSE CAST(bound[1] AS BIGINT) < v_from + c_rows END
            AND CASE WHEN bound[2] = 'MAXVALUE' THEN TRUE ELSE CAST(bound[2] AS BIGINT) > v_from END
        );
        -- What is in the rest stays there: its range gets no partition any more.
        CONTINUE WHEN EXISTS (SELECT 1 FROM audit_leaf_rest WHERE seq >= v_from AND seq < v_from + c_rows);
        BEGIN
            EXECUTE format('CREATE TABLE %s (LIKE %I.audit_leaf)', v_name, v_schema);
            -- Default privileges of the server may give others rights on new tables.
            FOR v_grantee IN
                SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
                WHERE c.oid = CAST(v_name AS regclass) AND a.grantee <> v_owner
            LOOP
                EXECUTE format('REVOKE ALL ON %s FROM %s', v_name,
                    CASE v_grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grantee)) END);
            END LOOP;
            IF v_bound THEN
                EXECUTE format('CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                    'FOR EACH STATEMENT EXECUTE FUNCTION %I.watchpost_append_only()', v_name, v_schema);
            END IF;
            EXECUTE format('ALTER TABLE %I.audit_leaf ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)',
                v_schema, v_name, v_from, v_from + c_rows);
            v_made := v_made + 1;
        EXCEPTION
            WHEN lock_not_available OR duplicate_table OR unique_violation THEN
                NULL; -- Somebody reads, or makes it too.
            WHEN insufficient_privilege THEN
                RAISE WARNING 'no partition of the audit log is made from record % on: %', v_from, SQLERRM;
        END;
    END LOOP;
    RETURN v_made;
END
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION watchpost_audit_partitions() SET search_path = pg_catalog, %I, pg_temp', current_schema());
    ALTER FUNCTION watchpost_audit_partitions() SET lock_timeout = '100ms';
    REVOKE ALL ON FUNCTION watchpost_audit_partitions() FROM PUBLIC;
    EXECUTE format('ALTER FUNCTION watchpost_audit_partitions() OWNER TO %I',
        (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('audit_leaf' AS regclass)));
END
$$;

SELECT watchpost_audit_partitions();
