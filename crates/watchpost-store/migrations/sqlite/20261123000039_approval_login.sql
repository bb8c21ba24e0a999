-- The login at the database that asked for a second person. A SQLite file has no logins: there it stays 0.
ALTER TABLE approval ADD COLUMN login_oid INTEGER NOT NULL DEFAULT 0;
