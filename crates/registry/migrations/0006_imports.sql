-- A file that is being taken into a registry, or was. The place in it moves in the same transaction as the records before it, so that
-- nothing is taken twice and nothing is left out, whenever the run is broken off.
CREATE TABLE registry_import (
  registry TEXT NOT NULL,
  -- SHA-256 of the file.
  content TEXT NOT NULL,
  -- SHA-256 of the mapping and of the registry's version: with others the same file may be tried again.
  settings TEXT NOT NULL,
  -- Its name, without its folder.
  file TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  started_by TEXT NOT NULL,
  -- The bytes and the line after the last record that is kept.
  place_offset BIGINT NOT NULL,
  place_line BIGINT NOT NULL,
  -- The bytes of the report that tell of what is before that place.
  report_bytes BIGINT NOT NULL,
  -- Figures so far, in JSON.
  summary TEXT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (registry, content, settings)
);
