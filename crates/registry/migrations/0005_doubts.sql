-- Somebody holds that what a record says is wrong.
CREATE TABLE registry_doubt (
  id {uuid} NOT NULL PRIMARY KEY,
  registry TEXT NOT NULL,
  record_id {uuid} NOT NULL,
  -- The field, and the version that said it.
  field TEXT NOT NULL,
  seq BIGINT NOT NULL,
  -- What is held to be wrong, what would be right, and what shows it; gone when the record is erased.
  wrong TEXT NOT NULL,
  proposed TEXT NOT NULL,
  evidence TEXT NOT NULL,
  -- person, officer, system, procedure; who by id, by name, and for which agency or system.
  reporter_kind TEXT NOT NULL,
  reporter_id {uuid},
  reporter TEXT NOT NULL,
  reporter_agency TEXT NOT NULL,
  dossier TEXT,
  -- received, acknowledged, asked; upheld, refused, withdrawn
  state TEXT NOT NULL,
  open BOOLEAN NOT NULL,
  received_at BIGINT NOT NULL,
  answer_due BIGINT NOT NULL,
  -- The clock that runs now: until it is acknowledged, then until it is answered.
  next_due BIGINT NOT NULL,
  acknowledged_at BIGINT,
  asked_at BIGINT,
  question TEXT NOT NULL,
  owner {uuid},
  owner_name TEXT,
  answered_at BIGINT,
  answered_by TEXT,
  answer TEXT NOT NULL,
  corrected_seq BIGINT,
  -- Whether the reporter has seen the newest of it.
  seen BOOLEAN NOT NULL
);

CREATE INDEX registry_doubt_due ON registry_doubt (registry, open, next_due, id);
CREATE INDEX registry_doubt_owner ON registry_doubt (registry, open, owner, next_due, id);
CREATE INDEX registry_doubt_record ON registry_doubt (record_id, id);
CREATE INDEX registry_doubt_reporter ON registry_doubt (reporter_id, id);

-- A random sample of the records of a registry, judged against papers or people.
CREATE TABLE registry_sample (
  id {uuid} NOT NULL PRIMARY KEY,
  registry TEXT NOT NULL,
  -- The same seed over the same records draws the same sample.
  seed BIGINT NOT NULL,
  wanted BIGINT NOT NULL,
  drawn_at BIGINT NOT NULL,
  drawn_by TEXT NOT NULL,
  -- How many were drawn, of how many; none before that is done.
  drawn BIGINT,
  of_records BIGINT,
  -- Records of it that were judged: right in every field that was looked at, or wrong in one.
  right_count BIGINT NOT NULL,
  wrong_count BIGINT NOT NULL
);

CREATE INDEX registry_sample_last ON registry_sample (registry, id);

CREATE TABLE registry_sample_item (
  sample {uuid} NOT NULL,
  -- The place in the order in which they are judged, from 1.
  n BIGINT NOT NULL,
  record_id {uuid} NOT NULL,
  -- The fields that were looked at and are wrong, with commas between; none while it is not judged.
  wrong TEXT,
  looked_at TEXT,
  judged_by TEXT,
  judged_at BIGINT,
  PRIMARY KEY (sample, n)
);

-- Safe proposals that were written for many records at once, so that they can be taken back together.
CREATE TABLE registry_batch (
  id {uuid} NOT NULL PRIMARY KEY,
  registry TEXT NOT NULL,
  rule TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  undone_at BIGINT
);

CREATE INDEX registry_batch_last ON registry_batch (registry, id);

CREATE TABLE registry_batch_item (
  batch {uuid} NOT NULL,
  record_id {uuid} NOT NULL,
  -- The version that was written, or was about to be when the process ended: its source names the batch.
  seq BIGINT NOT NULL,
  PRIMARY KEY (batch, record_id)
);
