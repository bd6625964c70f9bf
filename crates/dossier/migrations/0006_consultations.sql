-- Questions to agencies with a node of their own: what was asked, whether their node has it, and how it ended here. The log of the
-- dossier is the truth about opinions; this is about getting there.
CREATE TABLE consultation_out (
  id {uuid} NOT NULL PRIMARY KEY,
  dossier_id {uuid} NOT NULL,
  sent_by TEXT NOT NULL,
  sent_at BIGINT NOT NULL,
  -- The system of the exchange that was asked: nobody else may answer or fetch papers.
  system TEXT NOT NULL,
  -- The message as it was first made, JSON.
  question TEXT NOT NULL,
  delivery TEXT NOT NULL,
  tries BIGINT NOT NULL,
  next_at BIGINT,
  -- What was wrong last, JSON.
  problems TEXT NOT NULL,
  -- When and how it ended, JSON.
  ended TEXT
);

CREATE UNIQUE INDEX consultation_out_dossier ON consultation_out (dossier_id, sent_by, sent_at);

-- Questions that other nodes put to agencies of this one, and what their officers answered.
CREATE TABLE consultation_in (
  id {uuid} NOT NULL PRIMARY KEY,
  -- Who asks, and under which id of theirs: ids of strangers are nobody's but theirs.
  asker TEXT NOT NULL,
  question_id {uuid} NOT NULL,
  -- As which system of this node it was asked.
  system TEXT NOT NULL,
  agency TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  -- When an answer is due; far in the future without a limit.
  urgent_at BIGINT NOT NULL,
  question TEXT NOT NULL,
  ended TEXT,
  state TEXT NOT NULL,
  opinion TEXT,
  answered_at BIGINT,
  tries BIGINT NOT NULL,
  next_at BIGINT,
  problems TEXT NOT NULL
);

CREATE UNIQUE INDEX consultation_in_question ON consultation_in (asker, question_id);

CREATE INDEX consultation_in_open ON consultation_in (agency, urgent_at, id) WHERE state = 'open';

CREATE INDEX consultation_in_past ON consultation_in (agency, id) WHERE state <> 'open';
