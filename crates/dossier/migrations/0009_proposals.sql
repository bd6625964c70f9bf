-- What was proposed to people before they asked. The log is the truth; this row is what lists and jobs need of it.
CREATE TABLE proposal (
  id {uuid} NOT NULL PRIMARY KEY,
  rule TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  acts BOOLEAN NOT NULL,
  -- Whom it is about: a keyed hash of the personal number, and the number sealed, for asking once more.
  subject_key TEXT NOT NULL,
  subject {bytes} NOT NULL,
  state TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  draft_id {uuid},
  version BIGINT NOT NULL,
  -- What registries are told by an act, sealed.
  plans {bytes}
);

-- Never twice for the same reason; what was overtaken and is so again is a new one.
CREATE UNIQUE INDEX proposal_once ON proposal (rule, subject_key) WHERE state <> 'overtaken';

CREATE INDEX proposal_draft ON proposal (draft_id) WHERE draft_id IS NOT NULL;

-- Who sees it: the person, or the parents of a child; keyed hashes of their numbers.
CREATE TABLE proposal_reader (
  person_key TEXT NOT NULL,
  proposal_id {uuid} NOT NULL,
  PRIMARY KEY (person_key, proposal_id)
);

CREATE INDEX proposal_reader_of ON proposal_reader (proposal_id);

CREATE TABLE proposal_entry (
  proposal_id {uuid} NOT NULL,
  seq BIGINT NOT NULL,
  entry TEXT NOT NULL,
  origin TEXT,
  leaf BIGINT,
  PRIMARY KEY (proposal_id, seq)
);

CREATE INDEX proposal_entry_bare ON proposal_entry (proposal_id, seq) WHERE leaf IS NULL;

-- The row by which a person's own wish and a run that would propose to them wait for each other.
CREATE TABLE proposal_person (
  person_key TEXT NOT NULL PRIMARY KEY,
  touched_at BIGINT NOT NULL
);

-- What people do not want to be proposed: one procedure, or everything (empty).
CREATE TABLE proposal_wish (
  person_key TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  said_at BIGINT NOT NULL,
  PRIMARY KEY (person_key, procedure_code)
);

CREATE TABLE proposal_run (
  id {uuid} NOT NULL PRIMARY KEY,
  rule TEXT NOT NULL,
  started_by TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  total BIGINT NOT NULL,
  -- The question that is being asked of those who are left, and how often it was.
  asked {uuid},
  round BIGINT NOT NULL,
  ended_at BIGINT
);

CREATE INDEX proposal_run_newest ON proposal_run (rule, id);

-- Whom a run looks at, and what came of each; without a word it waits.
CREATE TABLE proposal_candidate (
  run_id {uuid} NOT NULL,
  n BIGINT NOT NULL,
  subject {bytes} NOT NULL,
  -- Its line in the question that is being asked, and the answer that says yes.
  line BIGINT,
  answer_id {uuid},
  outcome TEXT,
  PRIMARY KEY (run_id, n)
);

CREATE INDEX proposal_candidate_open ON proposal_candidate (run_id, n) WHERE outcome IS NULL;

-- Counted as it happens, by legal month (year × 12 + month − 1).
CREATE TABLE proposal_count (
  rule TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  month BIGINT NOT NULL,
  what TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (rule, procedure_code, month, what)
);

CREATE TABLE proposal_run_count (
  run_id {uuid} NOT NULL,
  outcome TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (run_id, outcome)
);
