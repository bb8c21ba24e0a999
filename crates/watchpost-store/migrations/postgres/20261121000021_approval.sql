-- Four eyes: requests that wait for a second person, and who is there to be asked.
CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    matter TEXT NOT NULL,
    carrier TEXT NOT NULL,
    request TEXT NOT NULL,
    summary TEXT NOT NULL,
    reason TEXT,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    note TEXT,
    outcome TEXT
);
CREATE INDEX approval_by_time ON approval (asked_at, id);

-- People who changed something at a window or a command line. `name` is in lower case.
CREATE TABLE person (
    name TEXT PRIMARY KEY,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
