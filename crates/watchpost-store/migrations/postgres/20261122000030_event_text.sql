-- An index of the searched text of archived events by every three letters that follow each other, where the server has
-- pg_trgm and this login may take it into the database or use the one that is there. Elsewhere rows are read one by one.
-- The extension gets a schema of its own: nobody needs rights on its functions, for the index calls them.
DO $$
DECLARE
    v_schema TEXT;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
            CREATE SCHEMA IF NOT EXISTS watchpost_trgm;
            CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA watchpost_trgm;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'the text of events is searched without an index: %', SQLERRM;
    END;
    SELECT n.nspname INTO v_schema FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF v_schema IS NOT NULL THEN
        BEGIN
            EXECUTE format(
                'CREATE INDEX event_by_text ON event USING gin (search %I.gin_trgm_ops) WITH (fastupdate = on)', v_schema);
        EXCEPTION WHEN insufficient_privilege OR undefined_object THEN
            RAISE NOTICE 'the text of events is searched without an index: %', SQLERRM;
        END;
    END IF;
END
$$;
