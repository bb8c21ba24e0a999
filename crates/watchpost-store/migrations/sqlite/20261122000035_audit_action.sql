-- On PostgreSQL: which permission an action in the audit log takes. A SQLite file has no logins.
SELECT 1;
