-- What other consoles signed for, with keys of their own: a C2SP cosignature of a checkpoint.
CREATE TABLE audit_cosignature (
    size BIGINT NOT NULL,
    key_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, key_name)
);
