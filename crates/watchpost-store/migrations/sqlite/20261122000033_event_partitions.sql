-- On PostgreSQL: the archive of events in partitions by time. A SQLite file has no partitions.
SELECT 1;
