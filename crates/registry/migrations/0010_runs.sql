-- A question asked of many at once: who asked, and how far it is.
CREATE TABLE registry_question_run (
  id {uuid} NOT NULL PRIMARY KEY,
  question TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  purpose TEXT NOT NULL,
  dossier TEXT,
  asked_at BIGINT NOT NULL,
  total BIGINT NOT NULL,
  done BIGINT NOT NULL
);

-- What was put in and what came of it, a line each; gone some days after the last is answered.
CREATE TABLE registry_question_line (
  run_id {uuid} NOT NULL,
  -- From 1.
  n BIGINT NOT NULL,
  inputs TEXT NOT NULL,
  -- answered, undecided, silent; none before it was asked.
  outcome TEXT,
  answer TEXT,
  answer_id {uuid},
  PRIMARY KEY (run_id, n)
);
