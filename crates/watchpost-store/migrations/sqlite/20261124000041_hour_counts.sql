-- The counts of `rollup` by the hour (`bucket` is its start, UTC): a chart of a month or a year reads a twelfth of the rows.
-- Triggers keep them what the five minutes say, whoever writes these. A count of 0 may stand here, and says nothing. The
-- remainder of times before 1970 is negative, hence the two of them.
CREATE TABLE IF NOT EXISTS rollup_hour (
    bucket INTEGER NOT NULL,
    category TEXT NOT NULL,
    severity INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (bucket, category, severity, outcome)
) WITHOUT ROWID;

DROP TRIGGER IF EXISTS rollup_hour_added;
CREATE TRIGGER rollup_hour_added AFTER INSERT ON rollup
BEGIN
    INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
    VALUES (
        NEW.bucket - ((NEW.bucket % 3600000000) + 3600000000) % 3600000000,
        NEW.category, NEW.severity, NEW.outcome, NEW.n
    )
    ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup_hour.n + excluded.n;
END;

-- Of the number alone: nothing changes what it counts.
DROP TRIGGER IF EXISTS rollup_hour_changed;
CREATE TRIGGER rollup_hour_changed AFTER UPDATE OF n ON rollup
BEGIN
    INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
    VALUES (
        NEW.bucket - ((NEW.bucket % 3600000000) + 3600000000) % 3600000000,
        NEW.category, NEW.severity, NEW.outcome, NEW.n - OLD.n
    )
    ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup_hour.n + excluded.n;
END;

DROP TRIGGER IF EXISTS rollup_hour_removed;
CREATE TRIGGER rollup_hour_removed AFTER DELETE ON rollup
BEGIN
    INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
    VALUES (
        OLD.bucket - ((OLD.bucket % 3600000000) + 3600000000) % 3600000000,
        OLD.category, OLD.severity, OLD.outcome, -OLD.n
    )
    ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup_hour.n + excluded.n;
END;

-- What was counted before; written so that it may be run again.
DELETE FROM rollup_hour;
INSERT INTO rollup_hour (bucket, category, severity, outcome, n)
SELECT bucket - ((bucket % 3600000000) + 3600000000) % 3600000000, category, severity, outcome, SUM(n)
FROM rollup GROUP BY 1, 2, 3, 4;
