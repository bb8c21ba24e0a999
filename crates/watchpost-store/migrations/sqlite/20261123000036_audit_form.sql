-- On PostgreSQL: a record says a known action and permission. A SQLite file has no logins.
SELECT 1;
