-- How far a registry was searched for records that may speak of the same, and by which model.
CREATE TABLE registry_linking (
  registry TEXT NOT NULL PRIMARY KEY,
  -- SHA-256 of linkage.toml and linkage.json; by others everything is looked at again.
  model TEXT NOT NULL,
  -- The instant of the last version that was looked at.
  recorded_at BIGINT NOT NULL
);

-- Two records that may speak of the same. What stands here says nothing of what they say.
CREATE TABLE registry_pair (
  id {uuid} NOT NULL PRIMARY KEY,
  registry TEXT NOT NULL,
  -- The smaller id, and the greater.
  one_id {uuid} NOT NULL,
  other_id {uuid} NOT NULL,
  -- How much speaks for it, in thousandths of a bit.
  weight BIGINT NOT NULL,
  -- Why, in words.
  reason_vi TEXT NOT NULL,
  reason_en TEXT NOT NULL,
  -- open, later, different, merged
  state TEXT NOT NULL,
  -- The record that a merge has ended, and the version that says so.
  ended_id {uuid},
  ended_seq BIGINT,
  -- One more with each decision.
  version BIGINT NOT NULL
);

CREATE UNIQUE INDEX registry_pair_records ON registry_pair (registry, one_id, other_id);
CREATE INDEX registry_pair_queue ON registry_pair (registry, state, weight, id);

-- What people decided about pairs. Rows are only ever added.
CREATE TABLE registry_pair_act (
  pair_id {uuid} NOT NULL,
  -- The version of the pair that it made.
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  -- same, different, later, undo
  what TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (pair_id, version)
);
