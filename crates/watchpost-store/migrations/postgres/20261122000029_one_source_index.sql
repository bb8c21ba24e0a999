-- One index of events by their sources instead of two: sources come in no order, so each index of them had a page of its own
-- touched by the writing of each event. A source that is no address has no key; those are few, and the index of them costs
-- the other events nothing. Places of sources have the key too: events of a country, and sources without events, are found
-- by it.
ALTER TABLE source_place ADD COLUMN source_key BYTEA;
UPDATE source_place SET source_key =
    (SELECT e.source_key FROM event e WHERE e.source_ip = source_place.source LIMIT 1);
DELETE FROM source_place WHERE source_key IS NULL
    AND NOT EXISTS (SELECT 1 FROM event e WHERE e.source_ip = source_place.source);
DROP INDEX source_place_by_country;
CREATE INDEX source_place_by_country ON source_place (country, source_key);
DROP INDEX event_by_source_key;
DROP INDEX event_by_source;
CREATE INDEX event_by_source ON event (source_key, at, outcome) WHERE source_key IS NOT NULL;
CREATE INDEX event_by_other_source ON event (source_ip, at) WHERE source_key IS NULL AND source_ip IS NOT NULL;
