-- Whether sources of archived events may be missing in source_place: 0 no, 1 yes, 2 they are being looked for.
INSERT INTO counter (name, n) VALUES ('source_gap', 0);
