-- Whom an event named, and when the rule looks at them: each once for a rule, as a keyed hash and sealed.
CREATE TABLE proposal_awaited (
  rule TEXT NOT NULL,
  person_key TEXT NOT NULL,
  subject {bytes} NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (rule, person_key)
);

CREATE INDEX proposal_awaited_due ON proposal_awaited (rule, due_at);

-- Whether a run looks at whom events named, or at a list of an officer.
ALTER TABLE proposal_run ADD COLUMN by_events BOOLEAN NOT NULL DEFAULT FALSE;
