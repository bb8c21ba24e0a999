-- What a time stamp authority signed for a checkpoint (RFC 3161): what was asked, and its answer, as they were sent.
CREATE TABLE audit_timestamp (
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    at INTEGER NOT NULL,
    request BLOB NOT NULL,
    response BLOB NOT NULL,
    PRIMARY KEY (size, sha256)
);
