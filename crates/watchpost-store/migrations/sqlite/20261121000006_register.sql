-- What people do and no event shows, what they gave as proof, and the content of produced reports.

CREATE TABLE register_entry (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    closed_at INTEGER,
    owner TEXT NOT NULL,
    approver TEXT NOT NULL,
    result TEXT NOT NULL,
    -- Required facts that are empty.
    missing INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX register_by_kind ON register_entry (kind, opened_at, id);
CREATE INDEX register_by_subject ON register_entry (kind, subject, opened_at);

CREATE TABLE register_field (
    entry_id TEXT NOT NULL REFERENCES register_entry (id),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (entry_id, name)
);

CREATE TABLE proof (
    id TEXT PRIMARY KEY,
    framework TEXT NOT NULL,
    control TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX proof_by_framework ON proof (framework, given_at, id);

-- The canonical JSON of a report, so that it can be compared with a later one and checked against its hash.
CREATE TABLE report_content (
    report_id TEXT PRIMARY KEY REFERENCES report (id),
    sha256 TEXT NOT NULL,
    body TEXT NOT NULL
);
