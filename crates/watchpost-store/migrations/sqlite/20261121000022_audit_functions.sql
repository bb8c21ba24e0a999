-- On PostgreSQL: functions that append to the audit log. A SQLite file has one writer, which does it itself.
SELECT 1;
