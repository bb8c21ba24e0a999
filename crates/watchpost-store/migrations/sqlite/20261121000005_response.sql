-- What the sensors refuse besides addresses; `kind` is session, user, service or limit.
CREATE TABLE containment (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    per_min INTEGER,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    removed_at INTEGER,
    removed_by TEXT,
    incident_id TEXT
);
CREATE UNIQUE INDEX containment_in_force ON containment (kind, target) WHERE state IN ('pending', 'active');
CREATE INDEX containment_by_target ON containment (kind, target, created_at);
CREATE INDEX containment_by_time ON containment (created_at, id);

-- What is known of an address before it is blocked again.
CREATE INDEX block_by_target ON block (target, created_at);

-- Automatic actions. While `holds` is 1 the same action on the same target is not planned again for its incident.
CREATE TABLE response_action (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    policy_rule TEXT NOT NULL,
    ttl_s INTEGER,
    factor INTEGER NOT NULL,
    per_min INTEGER,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    decided_at INTEGER,
    expires_at INTEGER,
    effect TEXT,
    reversed_at INTEGER,
    reversed_by TEXT,
    holds INTEGER NOT NULL
);
CREATE UNIQUE INDEX response_action_holds ON response_action (incident_id, kind, target) WHERE holds = 1;
CREATE INDEX response_action_by_time ON response_action (planned_at, id);
CREATE INDEX response_action_by_state ON response_action (state, planned_at);

-- Messages to people, written with the action that asks for them and delivered by whatever drains them.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    severity INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    error TEXT,
    ended_at INTEGER
);
CREATE INDEX outbox_by_state ON outbox (state, created_at, id);
CREATE INDEX outbox_by_time ON outbox (created_at, id);

CREATE TABLE incident_tag (
    incident_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    PRIMARY KEY (incident_id, tag)
);
