-- Values that were taken out of events before they were stored: a mark stands in their place there. Sealed under the key of
-- the database; the event may be gone while its frozen copy is kept as evidence.
CREATE TABLE sealing_key (
    name TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE sealed_field (
    event_id TEXT NOT NULL,
    mark TEXT NOT NULL,
    kind TEXT NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (event_id, mark)
);
