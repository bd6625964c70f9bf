-- The package whose rules judge an upload: today's for a draft, that of the dossier for what a request asks for.
ALTER TABLE dossier_upload ADD COLUMN package TEXT;

-- What waits for an applicant: papers asked for, a fee to pay, a result to fetch.
CREATE INDEX dossier_waiting ON dossier (account, id) WHERE account IS NOT NULL AND status IN (5, 6, 9);
