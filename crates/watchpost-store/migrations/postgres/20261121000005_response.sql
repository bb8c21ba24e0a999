-- What the sensors refuse besides addresses; `kind` is session, user, service or limit.
CREATE TABLE containment (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    per_min BIGINT,
    reason TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    removed_at BIGINT,
    removed_by TEXT COLLATE "C",
    incident_id TEXT COLLATE "C"
);
CREATE UNIQUE INDEX containment_in_force ON containment (kind, target) WHERE state IN ('pending', 'active');
CREATE INDEX containment_by_target ON containment (kind, target, created_at);
CREATE INDEX containment_by_time ON containment (created_at, id);

-- What is known of an address before it is blocked again.
CREATE INDEX block_by_target ON block (target, created_at);

-- Automatic actions. While `holds` is 1 the same action on the same target is not planned again for its incident.
CREATE TABLE response_action (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    incident_id TEXT COLLATE "C" NOT NULL,
    finding_id TEXT COLLATE "C" NOT NULL,
    rule_id TEXT COLLATE "C" NOT NULL,
    policy_rule TEXT COLLATE "C" NOT NULL,
    ttl_s BIGINT,
    factor BIGINT NOT NULL,
    per_min BIGINT,
    reason TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    planned_at BIGINT NOT NULL,
    decided_at BIGINT,
    expires_at BIGINT,
    effect TEXT COLLATE "C",
    reversed_at BIGINT,
    reversed_by TEXT COLLATE "C",
    holds BIGINT NOT NULL
);
CREATE UNIQUE INDEX response_action_holds ON response_action (incident_id, kind, target) WHERE holds = 1;
CREATE INDEX response_action_by_time ON response_action (planned_at, id);
CREATE INDEX response_action_by_state ON response_action (state, planned_at);

-- Messages to people, written with the action that asks for them and delivered by whatever drains them.
CREATE TABLE outbox (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    destination TEXT COLLATE "C" NOT NULL,
    incident_id TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    error TEXT COLLATE "C",
    ended_at BIGINT
);
CREATE INDEX outbox_by_state ON outbox (state, created_at, id);
CREATE INDEX outbox_by_time ON outbox (created_at, id);

CREATE TABLE incident_tag (
    incident_id TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (incident_id, tag)
);
