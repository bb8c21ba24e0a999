-- Times are microseconds since 1970, UTC. Ids are UUID text. Severity is its rank: info 0, low 1, medium 2, high 3,
-- critical 4. Addresses have a second, sortable form: the 16 bytes of their IPv6 or v4-mapped IPv6 form.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
);

-- One counter for each kind of thing; grows with every transaction that changes one.
CREATE TABLE revision (tag TEXT PRIMARY KEY, n INTEGER NOT NULL);
INSERT INTO revision (tag, n) VALUES
    ('audit', 0), ('blocks', 0), ('events', 0), ('health', 0), ('incidents', 0), ('jobs', 0), ('reports', 0), ('settings', 0);

-- Gapless numbers: the row is the lock.
CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
INSERT INTO counter (name, n) VALUES ('incident', 0);

CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at INTEGER NOT NULL);

-- The archive of events. `body` is the whole event; the columns beside it are for searching.
CREATE TABLE event (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    category TEXT NOT NULL,
    severity INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT,
    source_ip TEXT,
    source_key BLOB,
    session TEXT,
    endpoint TEXT,
    redis_key TEXT NOT NULL,
    redis_key_hash BLOB NOT NULL,
    digest BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    archived_at INTEGER,
    search TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX event_by_time ON event (at, id);
CREATE INDEX event_by_storing ON event (stored_at, at, id);
CREATE INDEX event_by_source ON event (source_ip, at, outcome);
CREATE INDEX event_by_source_key ON event (source_key, at);
CREATE INDEX event_by_actor ON event (actor, at);
CREATE INDEX event_by_redis_key ON event (redis_key_hash);

-- Events by five minutes of event time.
CREATE TABLE rollup (
    bucket INTEGER NOT NULL,
    category TEXT NOT NULL,
    severity INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (bucket, category, severity, outcome)
) WITHOUT ROWID;

CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    title TEXT NOT NULL,
    family TEXT NOT NULL,
    entity_kind TEXT NOT NULL,
    entity_value TEXT NOT NULL,
    entity_key TEXT NOT NULL,
    entity_ip BLOB,
    severity INTEGER NOT NULL,
    confidence INTEGER NOT NULL,
    risk INTEGER NOT NULL,
    status TEXT NOT NULL,
    active INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    verdict_reason TEXT,
    assignee TEXT,
    finding_count INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    resolved_at INTEGER,
    acknowledge_due INTEGER NOT NULL,
    resolve_due INTEGER NOT NULL,
    -- The next clock to run out; the largest integer when none runs.
    due INTEGER NOT NULL,
    attack TEXT NOT NULL,
    version INTEGER NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX incident_by_group ON incident (family, entity_kind, entity_key, active, number);
CREATE INDEX incident_by_severity ON incident (severity, number);
CREATE INDEX incident_by_due ON incident (due, number);
CREATE INDEX incident_by_opened ON incident (opened_at);
CREATE INDEX incident_by_seen ON incident (last_seen);

CREATE TABLE finding (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    event_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX finding_by_rule ON finding (incident_id, rule_id, at);
CREATE INDEX finding_by_event ON finding (incident_id, event_id);

-- Events as they were when an incident took them in.
CREATE TABLE evidence (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    event_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (incident_id, event_id)
);
CREATE INDEX evidence_by_time ON evidence (incident_id, at, event_id);
CREATE INDEX evidence_by_event ON evidence (event_id);

CREATE TABLE incident_entity (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    kind TEXT NOT NULL,
    entity_key TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (incident_id, kind, entity_key)
);

CREATE TABLE incident_note (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX incident_note_by_incident ON incident_note (incident_id, at);

CREATE TABLE incident_timeline (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX incident_timeline_by_incident ON incident_timeline (incident_id, n);

CREATE TABLE block (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    low BLOB NOT NULL,
    high BLOB NOT NULL,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    removed_at INTEGER,
    removed_by TEXT,
    incident_id TEXT
);
CREATE UNIQUE INDEX block_in_force ON block (target) WHERE state IN ('pending', 'active');
CREATE INDEX block_by_time ON block (created_at, id);
CREATE INDEX block_by_incident ON block (incident_id);

CREATE TABLE allow_entry (
    target TEXT PRIMARY KEY,
    note TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL
);

CREATE TABLE health_sample (
    at INTEGER PRIMARY KEY,
    memory_bytes REAL,
    ops_per_s REAL,
    latency_ms REAL,
    expired_per_s REAL,
    events_per_min REAL,
    backlog REAL
);

CREATE TABLE job_run (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- The process that runs it and when it last said so.
    owner TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX job_run_by_time ON job_run (started_at, id);

CREATE TABLE report (
    id TEXT PRIMARY KEY,
    framework TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX report_by_time ON report (made_at, id);

-- The audit trail. `audit_leaf` is the authority and holds no personal data; it is never changed. `audit_record`,
-- `audit_payload`, `audit_name` and `subject_key` may be erased.
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY,
    log_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    -- Hashes of the complete subtrees from left to right, 32 bytes each.
    frontier BLOB NOT NULL,
    -- Size at the newest checkpoint, its own leaf included.
    checkpoint_size INTEGER NOT NULL
);

CREATE TABLE audit_leaf (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hash BLOB NOT NULL);

CREATE TABLE audit_record (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    permission TEXT NOT NULL,
    outcome TEXT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX audit_record_by_time ON audit_record (at);
CREATE INDEX audit_record_by_actor ON audit_record (actor, seq);
CREATE INDEX audit_record_by_action ON audit_record (action, at);

CREATE TABLE audit_payload (seq INTEGER PRIMARY KEY, key_id TEXT NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX audit_payload_by_key ON audit_payload (key_id);

CREATE TABLE audit_name (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
);

CREATE TABLE subject_key (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL,
    key_name TEXT NOT NULL,
    reason TEXT NOT NULL
);
