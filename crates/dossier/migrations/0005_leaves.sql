-- Where each entry of the log stands in the transparency log of this node. The transparency log is the truth: what a crash kept
-- from this table is read from there again.
CREATE TABLE dossier_leaf (
  dossier_id {uuid} NOT NULL,
  seq BIGINT NOT NULL,
  origin TEXT NOT NULL,
  leaf BIGINT NOT NULL,
  PRIMARY KEY (dossier_id, seq)
);

CREATE INDEX dossier_leaf_last ON dossier_leaf (origin, leaf);

-- The one job of a change; its kind had the name of the only one who wanted to know.
UPDATE job SET kind = 'dossier.changed' WHERE kind = 'insight.project';
