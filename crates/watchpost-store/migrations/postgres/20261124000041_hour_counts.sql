-- The counts of `rollup` by the hour (`bucket` is its start, UTC): a chart of a month or a year reads a twelfth of the rows.
-- A trigger keeps them what the five minutes say, whoever writes these. A count of 0 may stand here, and says nothing. The
-- remainder of times before 1970 is negative, hence the two of them.
CREATE TABLE IF NOT EXISTS rollup_hour (
    bucket BIGINT NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (bucket, category, severity, outcome)
);

-- Nobody writes the table but this, once for a statement and in the order of the key, so that two writers do not wait for
-- each other.
CREATE OR REPLACE FUNCTION watchpost_rollup_hour() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
        SELECT bucket - ((bucket % 3600000000) + 3600000000) % 3600000000, category, severity, outcome,
            CAST(SUM(n) AS BIGINT)
        FROM come GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup_hour.n + excluded.n;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
        SELECT bucket - ((bucket % 3600000000) + 3600000000) % 3600000000, category, severity, outcome,
            CAST(SUM(n) AS BIGINT)
        FROM (SELECT bucket, category, severity, outcome, n FROM come
            UNION ALL SELECT bucket, category, severity, outcome, -n FROM gone) changed
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup_hour.n + excluded.n;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
        SELECT bucket - ((bucket % 3600000000) + 3600000000) % 3600000000, category, severity, outcome,
            -CAST(SUM(n) AS BIGINT)
        FROM gone GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup_hour.n + excluded.n;
    ELSE
        TRUNCATE rollup_hour;
    END IF;
    RETURN NULL;
END
$$;

-- It runs as the owner, and whoever reads the five minutes reads the hours.
DO $$
DECLARE
    v_owner TEXT := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('rollup' AS regclass));
    v_grantee OID;
BEGIN
    EXECUTE format('ALTER FUNCTION watchpost_rollup_hour() SET search_path = pg_catalog, %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION watchpost_rollup_hour() OWNER TO %I', v_owner);
    REVOKE ALL ON FUNCTION watchpost_rollup_hour() FROM PUBLIC;
    EXECUTE format('ALTER TABLE rollup_hour OWNER TO %I', v_owner);
    FOR v_grantee IN
        SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = CAST('rollup' AS regclass) AND a.grantee <> c.relowner AND a.privilege_type = 'SELECT'
    LOOP
        EXECUTE format('GRANT SELECT ON rollup_hour TO %s',
            CASE v_grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grantee)) END);
    END LOOP;
END
$$;

-- These wait until nobody writes counts any more, and nobody does until the hours are filled.
DROP TRIGGER IF EXISTS watchpost_rollup_hour_added ON rollup;
CREATE TRIGGER watchpost_rollup_hour_added AFTER INSERT ON rollup REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_rollup_hour();
DROP TRIGGER IF EXISTS watchpost_rollup_hour_changed ON rollup;
CREATE TRIGGER watchpost_rollup_hour_changed AFTER UPDATE ON rollup REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_rollup_hour();
DROP TRIGGER IF EXISTS watchpost_rollup_hour_removed ON rollup;
CREATE TRIGGER watchpost_rollup_hour_removed AFTER DELETE ON rollup REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_rollup_hour();
DROP TRIGGER IF EXISTS watchpost_rollup_hour_none ON rollup;
CREATE TRIGGER watchpost_rollup_hour_none AFTER TRUNCATE ON rollup
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_rollup_hour();

-- What was counted before; written so that it may be run again.
DELETE FROM rollup_hour;
INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
SELECT bucket - ((bucket % 3600000000) + 3600000000) % 3600000000, category, severity, outcome, CAST(SUM(n) AS BIGINT)
FROM rollup GROUP BY 1, 2, 3, 4;
