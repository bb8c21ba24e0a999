-- An index of the searched text of archived events by every three letters that follow each other. It holds the rows up to
-- `upto` (by rowid, the order of arrival) and is filled behind whoever writes; what came later is read row by row. `anchor_id`
-- is the id of the event in the row `upto`: where another one stands there, rows were numbered anew, and the index is made
-- anew as well.
CREATE TABLE event_text_mark (upto INTEGER NOT NULL, anchor_id TEXT NOT NULL);
INSERT INTO event_text_mark (upto, anchor_id) VALUES (0, '');

-- It keeps no text, no places and no sizes: only which rows hold three letters. Searched text is in lower case already.
CREATE VIRTUAL TABLE event_text USING fts5 (
    search,
    content = 'event',
    content_rowid = 'rowid',
    tokenize = 'trigram case_sensitive 1',
    detail = 'none',
    columnsize = 0
);
INSERT INTO event_text (event_text, rank) VALUES ('secure-delete', 1);
-- Parts are merged by whoever fills it, a little at a time, and not within the transaction that adds one.
INSERT INTO event_text (event_text, rank) VALUES ('automerge', 0);
INSERT INTO event_text (event_text, rank) VALUES ('usermerge', 8);

-- Whatever removes or changes an event does so in the index as well. The row `upto` is always there: else its number would
-- be given to a new event, which nobody would add.
CREATE TRIGGER event_text_removed AFTER DELETE ON event
WHEN OLD.rowid <= (SELECT upto FROM event_text_mark)
BEGIN
    INSERT INTO event_text (event_text, rowid, search) VALUES ('delete', OLD.rowid, OLD.search);
    UPDATE event_text_mark SET
        upto = COALESCE((SELECT MAX(rowid) FROM event WHERE rowid < OLD.rowid), 0),
        anchor_id = COALESCE((SELECT id FROM event WHERE rowid < OLD.rowid ORDER BY rowid DESC LIMIT 1), '')
    WHERE upto = OLD.rowid;
END;
CREATE TRIGGER event_text_changed AFTER UPDATE OF search ON event
WHEN OLD.search <> NEW.search AND OLD.rowid <= (SELECT upto FROM event_text_mark)
BEGIN
    INSERT INTO event_text (event_text, rowid, search) VALUES ('delete', OLD.rowid, OLD.search);
    INSERT INTO event_text (rowid, search) VALUES (NEW.rowid, NEW.search);
END;
