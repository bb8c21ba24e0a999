-- On PostgreSQL: the leaves of the audit log in partitions by their numbers. A SQLite file has no partitions.
SELECT 1;
