-- A registry as this node keeps it. `last_recorded` is the instant of the newest version of any of its records: versions of one
-- registry have instants of their own, later ones later, so it is the place in the feed of changes too.
CREATE TABLE registry (
  code TEXT NOT NULL PRIMARY KEY,
  edition BIGINT NOT NULL,
  last_recorded BIGINT NOT NULL
);

-- Every version of its folder that was ever published. Rows are never changed.
CREATE TABLE registry_edition (
  registry TEXT NOT NULL,
  edition BIGINT NOT NULL,
  hash TEXT NOT NULL,
  files TEXT NOT NULL,
  published_at BIGINT NOT NULL,
  published_by TEXT NOT NULL,
  PRIMARY KEY (registry, edition)
);
