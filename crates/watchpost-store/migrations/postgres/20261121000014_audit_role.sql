-- The role that an action was done in, so that reports can hold it against what the role may do without opening each record.
-- Records made before have none: theirs is in the sealed part only.
ALTER TABLE audit_record ADD COLUMN role TEXT COLLATE "C";
