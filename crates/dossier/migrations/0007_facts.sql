-- What registries said about the people of a draft, and what of it the person says is wrong; JSON by attribute. Asking and doubting
-- may happen at once, so each has its own column.
ALTER TABLE dossier_draft ADD COLUMN said TEXT NOT NULL DEFAULT '{}';

ALTER TABLE dossier_draft ADD COLUMN doubts TEXT NOT NULL DEFAULT '{}';
