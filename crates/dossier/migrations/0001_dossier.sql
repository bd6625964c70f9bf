-- What lists show of a dossier, and the fold over its log. The log is the truth; this row is rewritten with each entry.
CREATE TABLE dossier (
  id {uuid} NOT NULL PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  agency TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  procedure_name TEXT NOT NULL,
  field TEXT NOT NULL,
  package TEXT NOT NULL,
  account {uuid},
  applicant_name TEXT NOT NULL,
  applicant_key TEXT NOT NULL,
  channel TEXT NOT NULL,
  status BIGINT NOT NULL,
  decision TEXT NOT NULL,
  money TEXT NOT NULL,
  delivery TEXT NOT NULL,
  submitted_at BIGINT NOT NULL,
  received_at BIGINT,
  due_at BIGINT,
  ended_at BIGINT,
  version BIGINT NOT NULL,
  state TEXT NOT NULL
);

CREATE INDEX dossier_newest ON dossier (agency, id);

CREATE INDEX dossier_status ON dossier (agency, status, id);

CREATE INDEX dossier_due ON dossier (agency, due_at, id) WHERE due_at IS NOT NULL;

CREATE INDEX dossier_account ON dossier (account, id) WHERE account IS NOT NULL;

CREATE INDEX dossier_applicant ON dossier (agency, applicant_key, id);

CREATE TABLE dossier_entry (
  dossier_id {uuid} NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (dossier_id, seq)
);

-- Open steps: the officers' queues.
CREATE TABLE dossier_task (
  dossier_id {uuid} NOT NULL,
  token BIGINT NOT NULL,
  node TEXT NOT NULL,
  role TEXT NOT NULL,
  agency TEXT NOT NULL,
  assignee {uuid},
  assignee_name TEXT,
  opened_at BIGINT NOT NULL,
  step_due_at BIGINT,
  -- By when the step or the whole dossier is due, whichever is earlier; far in the future while the clock stands.
  urgent_at BIGINT NOT NULL,
  PRIMARY KEY (dossier_id, token)
);

CREATE INDEX dossier_task_queue ON dossier_task (agency, role, urgent_at, dossier_id);

CREATE INDEX dossier_task_mine ON dossier_task (assignee, urgent_at, dossier_id) WHERE assignee IS NOT NULL;

CREATE TABLE dossier_consultation (
  dossier_id {uuid} NOT NULL,
  sent_by TEXT NOT NULL,
  sent_at BIGINT NOT NULL,
  agency TEXT NOT NULL,
  due_at BIGINT,
  ended_at BIGINT,
  PRIMARY KEY (dossier_id, sent_by, sent_at)
);

CREATE INDEX dossier_consultation_open ON dossier_consultation (agency, due_at, dossier_id) WHERE ended_at IS NULL;

CREATE TABLE dossier_draft (
  id {uuid} NOT NULL PRIMARY KEY,
  account {uuid} NOT NULL,
  procedure_code TEXT NOT NULL,
  package TEXT NOT NULL,
  answers TEXT NOT NULL,
  visited TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  dossier_id {uuid}
);

-- One open draft per person and procedure.
CREATE UNIQUE INDEX dossier_draft_open ON dossier_draft (account, procedure_code) WHERE dossier_id IS NULL;

CREATE TABLE dossier_upload (
  id {uuid} NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  draft_id {uuid},
  paper TEXT NOT NULL,
  name TEXT NOT NULL,
  declared_size BIGINT NOT NULL,
  received BIGINT NOT NULL,
  media_type TEXT,
  size BIGINT,
  pages BIGINT,
  sha256 TEXT,
  created_at BIGINT NOT NULL,
  finished_at BIGINT
);

CREATE INDEX dossier_upload_draft ON dossier_upload (draft_id, paper, created_at);

-- Pieces of an upload that is under way; gone when it is whole.
CREATE TABLE dossier_upload_part (
  upload_id {uuid} NOT NULL,
  start BIGINT NOT NULL,
  content {bytes} NOT NULL,
  PRIMARY KEY (upload_id, start)
);
