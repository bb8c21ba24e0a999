-- Legal holds, and the erasures that were done: what an older copy of this database has to do again. `mark` tells a name
-- again without keeping it.
CREATE TABLE legal_hold (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    placed_by TEXT NOT NULL,
    released_at BIGINT,
    released_by TEXT,
    release_reason TEXT
);
CREATE INDEX legal_hold_in_force ON legal_hold (kind, value) WHERE released_at IS NULL;

CREATE TABLE erasure (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    done_by TEXT NOT NULL,
    kind TEXT NOT NULL,
    mark TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    counts TEXT NOT NULL
);
CREATE INDEX erasure_by_time ON erasure (at, id);

-- Erasures so far: whoever remembers people outside of the tables (the detectors) forgets when it moves on.
INSERT INTO counter (name, n) VALUES ('erasure', 0);
