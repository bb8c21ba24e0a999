-- Values that were taken out of events before they were stored: a mark stands in their place there. Sealed under the key of
-- the database; the event may be gone while its frozen copy is kept as evidence.
CREATE TABLE sealing_key (
    name TEXT COLLATE "C" PRIMARY KEY,
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE sealed_field (
    event_id TEXT COLLATE "C" NOT NULL,
    mark TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    nonce BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (event_id, mark)
);
