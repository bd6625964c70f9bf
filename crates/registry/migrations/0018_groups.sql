-- How often the values of columns are met that a linkage counts: of so many records, as each was when it was looked at.
CREATE TABLE registry_term (
  -- Which field of which registry.
  slot BIGINT NOT NULL,
  -- The first 16 bytes of SHA-256 over the value; nothing for all of them together.
  value {bytes} NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (slot, value)
);

-- As what a record is counted, so that it is counted out again when it says something else.
CREATE TABLE registry_counted (
  record_id {uuid} NOT NULL,
  slot BIGINT NOT NULL,
  value {bytes} NOT NULL,
  PRIMARY KEY (record_id, slot)
);

-- Pairs are followed from either record, and a record that a merge has ended leads to the other.
CREATE INDEX registry_pair_other ON registry_pair (other_id);
CREATE INDEX registry_pair_ended ON registry_pair (ended_id) WHERE ended_id IS NOT NULL;
