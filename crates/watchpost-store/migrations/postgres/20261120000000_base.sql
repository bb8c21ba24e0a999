-- Times are microseconds since 1970, UTC. Ids are UUID text. Severity is its rank: info 0, low 1, medium 2, high 3,
-- critical 4. Addresses have a second, sortable form: the 16 bytes of their IPv6 or v4-mapped IPv6 form.

CREATE TABLE setting (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL
);

-- One counter for each kind of thing; grows with every transaction that changes one.
CREATE TABLE revision (tag TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL);
INSERT INTO revision (tag, n) VALUES
    ('audit', 0), ('blocks', 0), ('events', 0), ('health', 0), ('incidents', 0), ('jobs', 0), ('reports', 0), ('settings', 0);

-- Gapless numbers: the row is the lock.
CREATE TABLE counter (name TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL);
INSERT INTO counter (name, n) VALUES ('incident', 0);

CREATE TABLE lease (name TEXT COLLATE "C" PRIMARY KEY, holder TEXT COLLATE "C" NOT NULL, expires_at BIGINT NOT NULL);

-- The archive of events. `body` is the whole event; the columns beside it are for searching.
CREATE TABLE event (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C",
    source_ip TEXT COLLATE "C",
    source_key BYTEA,
    session TEXT COLLATE "C",
    endpoint TEXT COLLATE "C",
    redis_key TEXT COLLATE "C" NOT NULL,
    redis_key_hash BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    stored_at BIGINT NOT NULL,
    archived_at BIGINT,
    search TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX event_by_time ON event (at, id);
CREATE INDEX event_by_storing ON event (stored_at, at, id);
CREATE INDEX event_by_source ON event (source_ip, at, outcome);
CREATE INDEX event_by_source_key ON event (source_key, at);
CREATE INDEX event_by_actor ON event (actor, at);
CREATE INDEX event_by_redis_key ON event (redis_key_hash);

-- Events by five minutes of event time.
CREATE TABLE rollup (
    bucket BIGINT NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (bucket, category, severity, outcome)
);

CREATE TABLE incident (
    id TEXT COLLATE "C" PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    title TEXT COLLATE "C" NOT NULL,
    family TEXT COLLATE "C" NOT NULL,
    entity_kind TEXT COLLATE "C" NOT NULL,
    entity_value TEXT COLLATE "C" NOT NULL,
    entity_key TEXT COLLATE "C" NOT NULL,
    entity_ip BYTEA,
    severity BIGINT NOT NULL,
    confidence BIGINT NOT NULL,
    risk BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    active BIGINT NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    verdict_reason TEXT COLLATE "C",
    assignee TEXT COLLATE "C",
    finding_count BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    resolved_at BIGINT,
    acknowledge_due BIGINT NOT NULL,
    resolve_due BIGINT NOT NULL,
    -- The next clock to run out; the largest integer when none runs.
    due BIGINT NOT NULL,
    attack TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL
);
CREATE INDEX incident_by_group ON incident (family, entity_kind, entity_key, active, number);
CREATE INDEX incident_by_severity ON incident (severity, number);
CREATE INDEX incident_by_due ON incident (due, number);
CREATE INDEX incident_by_opened ON incident (opened_at);
CREATE INDEX incident_by_seen ON incident (last_seen);

CREATE TABLE finding (
    id TEXT COLLATE "C" PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    event_id TEXT COLLATE "C" NOT NULL,
    rule_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX finding_by_rule ON finding (incident_id, rule_id, at);
CREATE INDEX finding_by_event ON finding (incident_id, event_id);

-- Events as they were when an incident took them in.
CREATE TABLE evidence (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    event_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (incident_id, event_id)
);
CREATE INDEX evidence_by_time ON evidence (incident_id, at, event_id);
CREATE INDEX evidence_by_event ON evidence (event_id);

CREATE TABLE incident_entity (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    kind TEXT COLLATE "C" NOT NULL,
    entity_key TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (incident_id, kind, entity_key)
);

CREATE TABLE incident_note (
    id TEXT COLLATE "C" PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    at BIGINT NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL
);
CREATE INDEX incident_note_by_incident ON incident_note (incident_id, at);

CREATE TABLE incident_timeline (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL
);
CREATE INDEX incident_timeline_by_incident ON incident_timeline (incident_id, n);

CREATE TABLE block (
    id TEXT COLLATE "C" PRIMARY KEY,
    target TEXT COLLATE "C" NOT NULL,
    low BYTEA NOT NULL,
    high BYTEA NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    removed_at BIGINT,
    removed_by TEXT COLLATE "C",
    incident_id TEXT COLLATE "C"
);
CREATE UNIQUE INDEX block_in_force ON block (target) WHERE state IN ('pending', 'active');
CREATE INDEX block_by_time ON block (created_at, id);
CREATE INDEX block_by_incident ON block (incident_id);

CREATE TABLE allow_entry (
    target TEXT COLLATE "C" PRIMARY KEY,
    note TEXT COLLATE "C" NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    added_at BIGINT NOT NULL
);

CREATE TABLE health_sample (
    at BIGINT PRIMARY KEY,
    memory_bytes DOUBLE PRECISION,
    ops_per_s DOUBLE PRECISION,
    latency_ms DOUBLE PRECISION,
    expired_per_s DOUBLE PRECISION,
    events_per_min DOUBLE PRECISION,
    backlog DOUBLE PRECISION
);

CREATE TABLE job_run (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- The process that runs it and when it last said so.
    owner TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX job_run_by_time ON job_run (started_at, id);

CREATE TABLE report (
    id TEXT COLLATE "C" PRIMARY KEY,
    framework TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX report_by_time ON report (made_at, id);

-- The audit trail. `audit_leaf` is the authority and holds no personal data; it is never changed. `audit_record`,
-- `audit_payload`, `audit_name` and `subject_key` may be erased.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    log_id TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    -- Hashes of the complete subtrees from left to right, 32 bytes each.
    frontier BYTEA NOT NULL,
    -- Size at the newest checkpoint, its own leaf included.
    checkpoint_size BIGINT NOT NULL
);

CREATE TABLE audit_leaf (seq BIGINT PRIMARY KEY, leaf BYTEA NOT NULL, hash BYTEA NOT NULL);

CREATE TABLE audit_record (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    permission TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    search TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_record_by_time ON audit_record (at);
CREATE INDEX audit_record_by_actor ON audit_record (actor, seq);
CREATE INDEX audit_record_by_action ON audit_record (action, at);

CREATE TABLE audit_payload (seq BIGINT PRIMARY KEY, key_id TEXT COLLATE "C" NOT NULL, nonce BYTEA NOT NULL, sealed BYTEA NOT NULL);
CREATE INDEX audit_payload_by_key ON audit_payload (key_id);

CREATE TABLE audit_name (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    UNIQUE (kind, name)
);

CREATE TABLE subject_key (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL UNIQUE,
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE audit_checkpoint (
    size BIGINT PRIMARY KEY,
    root TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    key_name TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL
);
