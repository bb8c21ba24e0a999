-- Where the walk of a job is that has not come to its end: a later run with the same parameters goes on there.
CREATE TABLE job_position (
    job_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    parameters TEXT NOT NULL,
    -- The server, its logical database and the prefix.
    node TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX job_position_by_kind ON job_position (kind, updated_at);
