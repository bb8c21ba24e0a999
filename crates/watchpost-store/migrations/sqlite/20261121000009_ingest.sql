-- Only archived values are looked up by their key in Redis. Keys are in no order, so an index over all events made the
-- writing of each one touch a page of its own.
DROP INDEX event_by_redis_key;
CREATE INDEX event_by_redis_key ON event (redis_key_hash) WHERE archived_at IS NOT NULL;
