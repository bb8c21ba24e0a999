-- Incidents, their second part: events with their weight, every event of an attack linked, merging, pauses, links,
-- playbooks, bulk actions and suppressions.

-- How often an event happened, and what the application answered.
ALTER TABLE event ADD COLUMN n INTEGER NOT NULL DEFAULT 1;
ALTER TABLE event ADD COLUMN status INTEGER;
UPDATE event SET n = MAX(1, COALESCE(json_extract(body, '$.count'), 1)), status = json_extract(body, '$.http.status');
CREATE INDEX event_by_session ON event (session, at) WHERE session IS NOT NULL;
-- Rollups count an event as often as it happened.
INSERT INTO rollup (bucket, category, severity, outcome, n)
SELECT at / 300000000 * 300000000, category, severity, outcome, SUM(n - 1) FROM event WHERE n > 1 GROUP BY 1, 2, 3, 4
ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup.n + excluded.n;

ALTER TABLE incident ADD COLUMN verdict_cause TEXT;
ALTER TABLE incident ADD COLUMN paused_since INTEGER;
ALTER TABLE incident ADD COLUMN pause_reason TEXT;
ALTER TABLE incident ADD COLUMN paused_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN escalated_to TEXT;
-- The incident that this one is merged into, and the end of that chain (itself when it is not merged).
ALTER TABLE incident ADD COLUMN merged_into TEXT REFERENCES incident (id);
ALTER TABLE incident ADD COLUMN root_id TEXT;
-- What the incident has of its own, while others are merged into it and its columns tell of all of them (JSON).
ALTER TABLE incident ADD COLUMN own TEXT;
UPDATE incident SET root_id = id;
UPDATE incident SET verdict_cause = 'other' WHERE verdict <> 'unjudged';
CREATE INDEX incident_by_root ON incident (root_id);
CREATE INDEX incident_by_ip ON incident (entity_ip, number);
CREATE INDEX incident_by_entity ON incident (entity_kind, entity_key, number);
CREATE INDEX incident_entity_by_key ON incident_entity (kind, entity_key);
CREATE INDEX finding_by_time ON finding (at);
CREATE INDEX finding_by_rule_time ON finding (rule_id, at);

-- Every event of an incident, with its digest at the time of linking.
CREATE TABLE incident_event (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    event_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (incident_id, event_id)
) WITHOUT ROWID;
CREATE INDEX incident_event_by_time ON incident_event (incident_id, at, event_id);
CREATE INDEX incident_event_by_event ON incident_event (event_id);
INSERT INTO incident_event (incident_id, event_id, at, n, sha256)
SELECT incident_id, event_id, at, MAX(1, COALESCE(json_extract(body, '$.count'), 1)), sha256 FROM evidence;
UPDATE incident SET event_count =
    COALESCE((SELECT SUM(x.n) FROM incident_event x WHERE x.incident_id = incident.id), 0);

-- What a behaviour is counting for an incident: later events that meet the conditions belong to it, up to `reach`.
CREATE TABLE incident_span (
    finding_id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    rule_id TEXT NOT NULL,
    entity_kind TEXT NOT NULL,
    entity_key TEXT NOT NULL,
    category TEXT,
    outcome TEXT,
    status_from INTEGER,
    status_to INTEGER,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    reach INTEGER NOT NULL,
    what TEXT NOT NULL,
    threshold INTEGER NOT NULL,
    -- Severity of its findings, and events linked by it.
    severity INTEGER NOT NULL,
    n INTEGER NOT NULL,
    raised INTEGER NOT NULL
);
CREATE INDEX incident_span_by_entity ON incident_span (entity_key, reach);
CREATE INDEX incident_span_by_incident ON incident_span (incident_id);

CREATE TABLE incident_link (
    from_id TEXT NOT NULL REFERENCES incident (id),
    to_id TEXT NOT NULL REFERENCES incident (id),
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (from_id, to_id, kind)
);
CREATE INDEX incident_link_by_target ON incident_link (to_id);

CREATE TABLE incident_pause (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    started_by TEXT NOT NULL,
    until_at INTEGER,
    ended_by TEXT
);
CREATE INDEX incident_pause_by_incident ON incident_pause (incident_id, n);

CREATE TABLE incident_step (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    step TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    note TEXT,
    PRIMARY KEY (incident_id, step)
);

CREATE TABLE bulk_action (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    undone_at INTEGER,
    undone_by TEXT
);
-- What an incident was before a bulk action, and the version that the action left.
CREATE TABLE bulk_item (
    bulk_id TEXT NOT NULL REFERENCES bulk_action (id),
    incident_id TEXT NOT NULL REFERENCES incident (id),
    version INTEGER NOT NULL,
    before TEXT NOT NULL,
    PRIMARY KEY (bulk_id, incident_id)
);

CREATE TABLE suppression (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    removed_at INTEGER,
    removed_by TEXT
);
CREATE INDEX suppression_by_expiry ON suppression (expires_at);

-- Findings that a suppression hid: kept and counted, in no incident.
CREATE TABLE suppressed_finding (
    id TEXT PRIMARY KEY,
    suppression_id TEXT NOT NULL REFERENCES suppression (id),
    event_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX suppressed_finding_by_suppression ON suppressed_finding (suppression_id, at, id);
