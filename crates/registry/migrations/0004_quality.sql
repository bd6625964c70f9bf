-- How far the judging of a registry has come. One row for each registry; whoever judges holds it.
CREATE TABLE registry_judged (
  registry TEXT NOT NULL PRIMARY KEY,
  -- Versions recorded up to here have been judged.
  upto BIGINT NOT NULL,
  -- The version of the folder that all records were judged by; 0: by none, all are to be judged.
  edition BIGINT NOT NULL,
  -- While all are judged: by which version, the last record that was, and how many were.
  sweeping BIGINT NOT NULL,
  swept {uuid},
  swept_count BIGINT NOT NULL
);

-- What is known of each record that was ever judged.
CREATE TABLE registry_standing (
  registry TEXT NOT NULL,
  record_id {uuid} NOT NULL PRIMARY KEY,
  -- Whether something holds of it, so that it counts.
  counts BOOLEAN NOT NULL,
  -- A hash over the keys by which it is found.
  keys {bytes} NOT NULL,
  -- When it has to be judged again without being written to: something begins or ends to hold, or grows old.
  again_at BIGINT
);

CREATE INDEX registry_standing_counts ON registry_standing (registry, record_id) WHERE counts;
CREATE INDEX registry_standing_again ON registry_standing (registry, again_at) WHERE again_at IS NOT NULL;

-- What ties records to each other and to people: values that are to be there once, keys of records elsewhere, personal numbers.
CREATE TABLE registry_tie (
  -- Which sort of tie, of which registry and rule.
  slot BIGINT NOT NULL,
  -- The first 16 bytes of SHA-256 over the value.
  value {bytes} NOT NULL,
  registry TEXT NOT NULL,
  record_id {uuid} NOT NULL,
  PRIMARY KEY (slot, value, record_id)
);

CREATE INDEX registry_tie_record ON registry_tie (record_id);

-- A record breaks a rule. Open or excused, there is one for each record and rule.
CREATE TABLE registry_finding (
  id {uuid} NOT NULL PRIMARY KEY,
  registry TEXT NOT NULL,
  record_id {uuid} NOT NULL,
  rule TEXT NOT NULL,
  dimension TEXT NOT NULL,
  -- open, mended, excused
  state TEXT NOT NULL,
  -- The version that broke it first.
  seq BIGINT NOT NULL,
  first_seen BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  -- A hash over the values that the rule looks at: an excuse is for these and no others.
  mark {bytes} NOT NULL,
  -- The officer who sees to it; the agency where there is none.
  owner {uuid},
  owner_name TEXT,
  -- When it was mended or excused, the version that mended it, and why and by whom it was excused.
  closed_at BIGINT,
  closed_seq BIGINT,
  excuse TEXT,
  excused_by TEXT
);

CREATE INDEX registry_finding_record ON registry_finding (record_id, rule);
CREATE INDEX registry_finding_due ON registry_finding (registry, state, due_at, id);
CREATE INDEX registry_finding_rule ON registry_finding (registry, state, rule, due_at, id);
CREATE INDEX registry_finding_dimension ON registry_finding (registry, state, dimension, due_at, id);
CREATE INDEX registry_finding_owner ON registry_finding (registry, state, owner, due_at, id);

-- What changed in which month, by measure: the sum up to a month is what stood at its end.
CREATE TABLE registry_count (
  registry TEXT NOT NULL,
  measure TEXT NOT NULL,
  -- Months since January of year 0.
  month BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (registry, measure, month)
);
