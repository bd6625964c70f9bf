-- A node whose log ended begins another, and its journal keeps both. What is called `leaf` in the tables of the journal is from now
-- on the number of the log times 2^40, and the leaf in it: the first log of a node has the number 0, so what is there stays as it is.

-- Two logs that were folded as one cannot be told apart any more: the folds are made anew from the logs that are there.
DELETE FROM journal_message WHERE (SELECT MIN(log) FROM journal_cursor) <> (SELECT MAX(log) FROM journal_cursor);

DELETE FROM journal_read WHERE (SELECT MIN(log) FROM journal_cursor) <> (SELECT MAX(log) FROM journal_cursor);

DELETE FROM journal_subject WHERE (SELECT MIN(log) FROM journal_cursor) <> (SELECT MAX(log) FROM journal_cursor);

DELETE FROM journal_read_day WHERE (SELECT MIN(log) FROM journal_cursor) <> (SELECT MAX(log) FROM journal_cursor);

DELETE FROM journal_erasure WHERE (SELECT MIN(log) FROM journal_cursor) <> (SELECT MAX(log) FROM journal_cursor);

DELETE FROM journal_cursor WHERE (SELECT MIN(log) FROM journal_cursor) <> (SELECT MAX(log) FROM journal_cursor);

-- The number of the log.
ALTER TABLE journal_cursor ADD COLUMN n BIGINT NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX journal_cursor_n ON journal_cursor (n);

-- Reads are counted for each log, so that one can be folded anew.
CREATE TABLE journal_read_day_of (
  day TEXT NOT NULL,
  member TEXT NOT NULL,
  purpose TEXT NOT NULL,
  log BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (day, member, purpose, log)
);

INSERT INTO journal_read_day_of (day, member, purpose, log, n) SELECT day, member, purpose, 0, n FROM journal_read_day;

DROP TABLE journal_read_day;

ALTER TABLE journal_read_day_of RENAME TO journal_read_day;
