-- What a time stamp authority signed for a checkpoint (RFC 3161): what was asked, and its answer, as they were sent.
CREATE TABLE audit_timestamp (
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    at BIGINT NOT NULL,
    request BYTEA NOT NULL,
    response BYTEA NOT NULL,
    PRIMARY KEY (size, sha256)
);
