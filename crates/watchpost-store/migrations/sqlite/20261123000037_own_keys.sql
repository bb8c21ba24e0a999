-- The login at the database that a key is of. A SQLite file has no logins: there it stays empty, and a person has one key.
ALTER TABLE subject_key ADD COLUMN login_id TEXT NOT NULL DEFAULT '';
