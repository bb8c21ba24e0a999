-- Threat lists: what is known about each, and its entries in parts, each a JSON list.
CREATE TABLE threat_list (name TEXT COLLATE "C" PRIMARY KEY, imported_at BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL);
CREATE TABLE threat_part (
    list TEXT COLLATE "C" NOT NULL REFERENCES threat_list (name),
    part BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (list, part)
);

-- What each incident contributes to each of its entities; `counted` is 0 while its verdict says that it was harmless.
CREATE TABLE entity_risk_part (
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    kind TEXT COLLATE "C" NOT NULL,
    entity_key TEXT COLLATE "C" NOT NULL,
    points DOUBLE PRECISION NOT NULL,
    at BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    PRIMARY KEY (incident_id, kind, entity_key)
);
CREATE INDEX entity_risk_part_by_entity ON entity_risk_part (kind, entity_key, at);

-- The sum of the counted parts, decayed to `at`. `place` orders entities as their scores do at any later time.
CREATE TABLE entity_risk (
    kind TEXT COLLATE "C" NOT NULL,
    entity_key TEXT COLLATE "C" NOT NULL,
    points DOUBLE PRECISION NOT NULL,
    at BIGINT NOT NULL,
    place DOUBLE PRECISION NOT NULL,
    incidents BIGINT NOT NULL,
    PRIMARY KEY (kind, entity_key)
);
CREATE INDEX entity_risk_by_place ON entity_risk (kind, place);

-- Why an incident's risk is what it is: the factors of its worst finding, a JSON list.
CREATE TABLE incident_risk (
    incident_id TEXT COLLATE "C" PRIMARY KEY REFERENCES incident (id),
    risk BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);

-- Earlier incidents of an entity by verdict.
CREATE INDEX incident_by_entity_verdict ON incident (entity_key, entity_kind, verdict);

-- The lock under which the risk of entities changes.
INSERT INTO counter (name, n) VALUES ('risk', 0);
