-- How many answers of a dossier a registry should give, and how many of them the person had to type.
ALTER TABLE fact ADD COLUMN held BIGINT NOT NULL DEFAULT 0;

ALTER TABLE fact ADD COLUMN asked_again BIGINT NOT NULL DEFAULT 0;

-- The same of the dossiers received in a month.
ALTER TABLE figure ADD COLUMN held BIGINT NOT NULL DEFAULT 0;

ALTER TABLE figure ADD COLUMN asked_again BIGINT NOT NULL DEFAULT 0;
