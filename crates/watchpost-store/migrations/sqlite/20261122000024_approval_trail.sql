-- On PostgreSQL: functions through which requests for two people move on and people are seen, and what the log takes. A
-- SQLite file has one writer, which looks at all of it itself.
SELECT 1;
