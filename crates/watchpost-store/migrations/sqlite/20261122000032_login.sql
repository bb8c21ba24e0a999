-- The login at the database that wrote a record. A SQLite file has no logins: there it stays empty.
ALTER TABLE audit_record ADD COLUMN login TEXT;
