-- What an applicant is told, once for each cause: an entry of the log, or a due date that passed.
CREATE TABLE dossier_notice (
  dossier_id {uuid} NOT NULL,
  kind TEXT NOT NULL,
  -- The entry of the log, or the due instant in microseconds.
  cause BIGINT NOT NULL,
  account {uuid} NOT NULL,
  code TEXT NOT NULL,
  at BIGINT NOT NULL,
  -- An instant that the notice names: a due date, a new date.
  named_at BIGINT,
  read_at BIGINT,
  PRIMARY KEY (dossier_id, kind, cause)
);

CREATE INDEX dossier_notice_newest ON dossier_notice (account, at, dossier_id);

CREATE INDEX dossier_notice_unread ON dossier_notice (account) WHERE read_at IS NULL;

-- What is late, of the whole node: for the daily look.
CREATE INDEX dossier_late ON dossier (due_at, id) WHERE due_at IS NOT NULL;
