-- Names come in no order. An index that begins with one had a page of its own, anywhere in a file of gigabytes, touched by
-- the writing of each event; one that begins with the day of the event (UTC) is written where it grows. Who asks for a name
-- looks it up once a day that there is (the store keeps the statistics that SQLite needs to see that, see `KEPT` there).
-- What an account did in a category is counted from the index of the category, which has the account for that.
DROP INDEX event_by_source;
CREATE INDEX event_by_source ON event (at / 86400000000, source_key, at, outcome) WHERE source_key IS NOT NULL;
DROP INDEX event_by_other_source;
CREATE INDEX event_by_other_source ON event (at / 86400000000, source_ip, at)
    WHERE source_key IS NULL AND source_ip IS NOT NULL;
DROP INDEX event_by_actor;
CREATE INDEX event_by_actor ON event (at / 86400000000, actor, at) WHERE actor IS NOT NULL;
DROP INDEX event_by_session;
CREATE INDEX event_by_session ON event (at / 86400000000, session, at) WHERE session IS NOT NULL;
DROP INDEX event_by_account;
DROP INDEX event_by_category;
CREATE INDEX event_by_category ON event (category, at, id, outcome, actor) WHERE category <> 'api_usage';
