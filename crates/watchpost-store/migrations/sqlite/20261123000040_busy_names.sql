-- The sums of events by source and by endpoint, in one row for an hour (3,600,000,000 us) and for a day (UTC): what the
-- Overview reads instead of the events. `names` is a JSON list of [name, events, failures], of endpoints with the calls and
-- failed calls as well, in the order of the names; `n` is how many there are. Of more than are kept there is no list.
CREATE TABLE IF NOT EXISTS busy_name (
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    kind TEXT NOT NULL,
    n INTEGER NOT NULL,
    names TEXT NOT NULL,
    PRIMARY KEY (width, start, kind)
);

-- Hours and days whose rows are not what the archive holds. Of any other hour they are, and an hour without rows has no
-- names. `turn` is another one each time that something changes.
CREATE TABLE IF NOT EXISTS busy_due (
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (width, start)
);

-- Every hour with events, from one to the next by the index of times: the rollups also know hours whose events are gone.
WITH RECURSIVE hour (start) AS (
    SELECT MIN(at) - ((MIN(at) % 3600000000) + 3600000000) % 3600000000 FROM event
    UNION ALL
    SELECT (SELECT MIN(e.at) - ((MIN(e.at) % 3600000000) + 3600000000) % 3600000000 FROM event e
        WHERE e.at >= hour.start + 3600000000)
    FROM hour WHERE hour.start IS NOT NULL
)
INSERT INTO busy_due (width, start, turn) SELECT 3600000000, start, 0 FROM hour WHERE start IS NOT NULL
ON CONFLICT (width, start) DO NOTHING;
INSERT INTO busy_due (width, start, turn)
SELECT DISTINCT 86400000000, start - ((start % 86400000000) + 86400000000) % 86400000000, 0
FROM busy_due WHERE width = 3600000000
ON CONFLICT (width, start) DO NOTHING;
