-- Incidents, their second part: events with their weight, every event of an attack linked, merging, pauses, links,
-- playbooks, bulk actions and suppressions.

-- How often an event happened, and what the application answered.
ALTER TABLE event ADD COLUMN n BIGINT NOT NULL DEFAULT 1;
ALTER TABLE event ADD COLUMN status BIGINT;
UPDATE event SET n = GREATEST(1, COALESCE(NULLIF(CAST(CAST(body AS JSON) -> 'count' AS TEXT), 'null'), '1')::BIGINT), status = NULLIF(CAST(CAST(body AS JSON) -> 'http' -> 'status' AS TEXT), 'null')::BIGINT;
CREATE INDEX event_by_session ON event (session, at) WHERE session IS NOT NULL;
-- Rollups count an event as often as it happened.
INSERT INTO rollup (bucket, category, severity, outcome, n)
SELECT at / 300000000 * 300000000, category, severity, outcome, SUM(n - 1) FROM event WHERE n > 1 GROUP BY 1, 2, 3, 4
ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup.n + excluded.n;

ALTER TABLE incident ADD COLUMN verdict_cause TEXT COLLATE "C";
ALTER TABLE incident ADD COLUMN paused_since BIGINT;
ALTER TABLE incident ADD COLUMN pause_reason TEXT COLLATE "C";
ALTER TABLE incident ADD COLUMN paused_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN escalated_to TEXT COLLATE "C";
-- The incident that this one is merged into, and the end of that chain (itself when it is not merged).
ALTER TABLE incident ADD COLUMN merged_into TEXT COLLATE "C" REFERENCES incident (id);
ALTER TABLE incident ADD COLUMN root_id TEXT COLLATE "C";
-- What the incident has of its own, while others are merged into it and its columns tell of all of them (JSON).
ALTER TABLE incident ADD COLUMN own TEXT COLLATE "C";
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
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    event_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    n BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (incident_id, event_id)
);
CREATE INDEX incident_event_by_time ON incident_event (incident_id, at, event_id);
CREATE INDEX incident_event_by_event ON incident_event (event_id);
INSERT INTO incident_event (incident_id, event_id, at, n, sha256)
SELECT incident_id, event_id, at, GREATEST(1, COALESCE(NULLIF(CAST(CAST(body AS JSON) -> 'count' AS TEXT), 'null'), '1')::BIGINT), sha256 FROM evidence;
UPDATE incident SET event_count =
    COALESCE((SELECT SUM(x.n) FROM incident_event x WHERE x.incident_id = incident.id), 0);

-- What a behaviour is counting for an incident: later events that meet the conditions belong to it, up to `reach`.
CREATE TABLE incident_span (
    finding_id TEXT COLLATE "C" PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    rule_id TEXT COLLATE "C" NOT NULL,
    entity_kind TEXT COLLATE "C" NOT NULL,
    entity_key TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    status_from BIGINT,
    status_to BIGINT,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    reach BIGINT NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    threshold BIGINT NOT NULL,
    -- Severity of its findings, and events linked by it.
    severity BIGINT NOT NULL,
    n BIGINT NOT NULL,
    raised BIGINT NOT NULL
);
CREATE INDEX incident_span_by_entity ON incident_span (entity_key, reach);
CREATE INDEX incident_span_by_incident ON incident_span (incident_id);

CREATE TABLE incident_link (
    from_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    to_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    kind TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (from_id, to_id, kind)
);
CREATE INDEX incident_link_by_target ON incident_link (to_id);

CREATE TABLE incident_pause (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    reason TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    from_at BIGINT NOT NULL,
    started_by TEXT COLLATE "C" NOT NULL,
    until_at BIGINT,
    ended_by TEXT COLLATE "C"
);
CREATE INDEX incident_pause_by_incident ON incident_pause (incident_id, n);

CREATE TABLE incident_step (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    step TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C",
    PRIMARY KEY (incident_id, step)
);

CREATE TABLE bulk_action (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    undone_at BIGINT,
    undone_by TEXT COLLATE "C"
);
-- What an incident was before a bulk action, and the version that the action left.
CREATE TABLE bulk_item (
    bulk_id TEXT COLLATE "C" NOT NULL REFERENCES bulk_action (id),
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    version BIGINT NOT NULL,
    before TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (bulk_id, incident_id)
);

CREATE TABLE suppression (
    id TEXT COLLATE "C" PRIMARY KEY,
    scope TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    removed_at BIGINT,
    removed_by TEXT COLLATE "C"
);
CREATE INDEX suppression_by_expiry ON suppression (expires_at);

-- Findings that a suppression hid: kept and counted, in no incident.
CREATE TABLE suppressed_finding (
    id TEXT COLLATE "C" PRIMARY KEY,
    suppression_id TEXT COLLATE "C" NOT NULL REFERENCES suppression (id),
    event_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX suppressed_finding_by_suppression ON suppressed_finding (suppression_id, at, id);
