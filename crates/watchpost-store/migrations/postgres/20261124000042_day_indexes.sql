-- SQLite's indexes of names begin with the day of an event; here the partitions keep each index small. What an account did
-- in a category is counted from the index of the category, which has the account for that: one index less to write.
DROP INDEX event_by_account;
DROP INDEX event_by_category;
CREATE INDEX event_by_category ON event (category, at, id, outcome, actor) WHERE category <> 'api_usage';
