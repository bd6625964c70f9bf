-- What approved questions were asked, and how it went. Rows stay; an erasure takes the answer and the salt out of them.
CREATE TABLE registry_answer (
  id {uuid} NOT NULL PRIMARY KEY,
  question TEXT NOT NULL,
  version BIGINT NOT NULL,
  asked_by TEXT NOT NULL,
  dossier TEXT,
  asked_at BIGINT NOT NULL,
  -- answered, undecided, silent
  outcome TEXT NOT NULL,
  -- JSON; none unless answered, and none after an erasure.
  answer TEXT,
  -- Hex; with it, the answer and the sources the hash in the leaf can be made again.
  salt TEXT,
  -- Where it stands in the transparency log; none on a node without one.
  origin TEXT,
  leaf BIGINT
);

-- Which versions of which records an answer rests on, in the order of their names.
CREATE TABLE registry_answer_source (
  answer_id {uuid} NOT NULL,
  n BIGINT NOT NULL,
  registry TEXT NOT NULL,
  record_key TEXT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (answer_id, n)
);

CREATE INDEX registry_answer_source_record ON registry_answer_source (registry, record_key);
