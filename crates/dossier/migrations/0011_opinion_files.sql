-- Files of opinions. At the node that answers they are of a question that waits (consultation_in); at the node that asked they are
-- of the question (consultation_out) and come in pieces, under the digest that the other node says they have.
ALTER TABLE dossier_upload ADD COLUMN consultation_id {uuid};

ALTER TABLE dossier_upload ADD COLUMN announced TEXT;

CREATE UNIQUE INDEX dossier_upload_announced ON dossier_upload (consultation_id, announced) WHERE announced IS NOT NULL;

CREATE INDEX dossier_upload_opinion ON dossier_upload (consultation_id, created_at) WHERE consultation_id IS NOT NULL;
