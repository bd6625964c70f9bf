-- How often each approved question was asked, by month and by how it went.
CREATE TABLE registry_asked (
  question TEXT NOT NULL,
  -- The first day of the month, legal time: 2026-11-01.
  month TEXT NOT NULL,
  -- answered, undecided, silent, refused
  outcome TEXT NOT NULL,
  times BIGINT NOT NULL,
  PRIMARY KEY (question, month, outcome)
);
