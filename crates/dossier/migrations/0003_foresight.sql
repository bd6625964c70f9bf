-- Lateness is seen before it happens: with each open step and each awaited answer stand the agency that decides, when the
-- dossier is due, and by when this must be done for what follows to fit.
ALTER TABLE dossier_task ADD COLUMN deciding TEXT NOT NULL DEFAULT '';

ALTER TABLE dossier_task ADD COLUMN due_at BIGINT;

ALTER TABLE dossier_task ADD COLUMN finish_by BIGINT;

ALTER TABLE dossier_consultation ADD COLUMN deciding TEXT NOT NULL DEFAULT '';

ALTER TABLE dossier_consultation ADD COLUMN dossier_due_at BIGINT;

ALTER TABLE dossier_consultation ADD COLUMN finish_by BIGINT;

-- What is open already: the due date itself is never too early; the next change of it sets the rest.
UPDATE dossier_task SET deciding = (SELECT d.agency FROM dossier d WHERE d.id = dossier_id),
  due_at = (SELECT d.due_at FROM dossier d WHERE d.id = dossier_id),
  finish_by = (SELECT d.due_at FROM dossier d WHERE d.id = dossier_id);

UPDATE dossier_consultation SET deciding = (SELECT d.agency FROM dossier d WHERE d.id = dossier_id),
  dossier_due_at = (SELECT d.due_at FROM dossier d WHERE d.id = dossier_id),
  finish_by = (SELECT d.due_at FROM dossier d WHERE d.id = dossier_id);

-- The leader's list: everything of the agency, whoever holds it, the most urgent first.
CREATE INDEX dossier_task_watch ON dossier_task (deciding, urgent_at, dossier_id);

CREATE INDEX dossier_consultation_watch ON dossier_consultation (deciding, finish_by, dossier_id) WHERE ended_at IS NULL;
