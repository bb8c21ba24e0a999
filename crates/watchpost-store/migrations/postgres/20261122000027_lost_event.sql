-- What the engine could not look at as it should have: how much, by day (UTC, since 1970) and why.
CREATE TABLE lost_event (
    day BIGINT NOT NULL,
    kind TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (day, kind)
);
