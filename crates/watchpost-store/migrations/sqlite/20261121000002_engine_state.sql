-- What the detection engine remembers, written with the batch that it has just taken in. `until` is the storing time of
-- that batch: events stored later are not in it.
CREATE TABLE engine_state (
    name TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    body BLOB NOT NULL
);
