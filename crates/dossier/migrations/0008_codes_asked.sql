-- By which codes of enterprises, typed into a draft, registries were asked; JSON by field. Kept together with what they said.
ALTER TABLE dossier_draft ADD COLUMN numbers TEXT NOT NULL DEFAULT '{}';
