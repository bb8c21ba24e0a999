-- On PostgreSQL: what a login may say in the audit log. A SQLite file has no logins.
SELECT 1;
