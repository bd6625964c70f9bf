-- Which versions of records merges made, and their undoing: what subscribers are told of them. It says nothing of what records say.
CREATE TABLE registry_merge (
  -- The record that the merge ended, and the version that ends it or brings it back.
  record_id {uuid} NOT NULL,
  seq BIGINT NOT NULL,
  -- The record that stayed.
  stayed_id {uuid} NOT NULL,
  PRIMARY KEY (record_id, seq)
);

CREATE INDEX registry_merge_stayed ON registry_merge (stayed_id);

-- Merges in registries of other nodes, as their keepers tell of them; one that was taken back is not here any more.
CREATE TABLE registry_merge_elsewhere (
  registry TEXT NOT NULL,
  -- The record that went, under the keeper's id, and its key.
  record_id {uuid} NOT NULL,
  merged_key TEXT NOT NULL,
  -- The record that stayed.
  stayed_id {uuid} NOT NULL,
  stayed_key TEXT NOT NULL,
  -- The system that told of it.
  keeper TEXT NOT NULL,
  PRIMARY KEY (registry, record_id)
);

CREATE INDEX registry_merge_elsewhere_key ON registry_merge_elsewhere (registry, merged_key);
