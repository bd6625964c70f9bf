-- The versions of records. Rows are only ever added; an erasure takes the bodies out of them and nothing else.
CREATE TABLE registry_version (
  registry TEXT NOT NULL,
  record_id {uuid} NOT NULL,
  -- The number within the record, from 1.
  seq BIGINT NOT NULL,
  -- assert, correct, end, erase
  kind TEXT NOT NULL,
  -- What it says: holds, ends, void; none for an erasure.
  effect TEXT NOT NULL,
  -- Days or microseconds since 1970-01-01, as the registry counts.
  valid_from BIGINT,
  valid_to BIGINT,
  -- An instant of its own within the registry; later ones are later.
  recorded_at BIGINT NOT NULL,
  -- The version of the registry's folder that the body was written under.
  edition BIGINT NOT NULL,
  body TEXT,
  corrects BIGINT,
  actor_kind TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  agency TEXT NOT NULL,
  source TEXT NOT NULL,
  basis TEXT NOT NULL,
  dossier TEXT,
  PRIMARY KEY (record_id, seq)
);

CREATE UNIQUE INDEX registry_version_recorded ON registry_version (registry, recorded_at);

-- The timelines of records as they were known from one instant to another; a fold over the versions. What is known now has
-- known_to 9223372036854775807.
CREATE TABLE registry_segment (
  registry TEXT NOT NULL,
  record_id {uuid} NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_to BIGINT NOT NULL,
  known_from BIGINT NOT NULL,
  known_to BIGINT NOT NULL,
  -- The version that says so.
  seq BIGINT NOT NULL,
  ended BOOLEAN NOT NULL,
  begins BOOLEAN NOT NULL,
  PRIMARY KEY (registry, record_id, valid_from, known_from)
);

-- The values of key and filter fields through both times; a fold over the timelines.
CREATE TABLE registry_index (
  -- Which field of which registry: the first 63 bits of SHA-256 over `registry/field`.
  slot BIGINT NOT NULL,
  -- Ordered as bytes.
  value {bytes} NOT NULL,
  record_id {uuid} NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_to BIGINT NOT NULL,
  known_from BIGINT NOT NULL,
  known_to BIGINT NOT NULL,
  PRIMARY KEY (slot, value, record_id, valid_from, known_from)
);

CREATE INDEX registry_index_record ON registry_index (record_id, slot);

-- Where each version stands in the transparency log of this node. The log is the truth: what a crash kept from this table is read
-- from there again.
CREATE TABLE registry_leaf (
  registry TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  origin TEXT NOT NULL,
  leaf BIGINT NOT NULL,
  PRIMARY KEY (registry, recorded_at)
);

CREATE INDEX registry_leaf_last ON registry_leaf (origin, leaf);
