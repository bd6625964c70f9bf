-- What was ordered, by whom, and the version that it became: the same order has one effect, and can be taken back.
CREATE TABLE registry_order (
  registry TEXT NOT NULL,
  -- The system of the exchange that sent it; `here` for the node itself.
  client TEXT NOT NULL,
  id TEXT NOT NULL,
  -- SHA-256 in hex of what was ordered; empty once the record is erased.
  fingerprint TEXT NOT NULL,
  record_id {uuid} NOT NULL,
  seq BIGINT NOT NULL,
  -- The version that takes it back.
  back_seq BIGINT,
  PRIMARY KEY (registry, client, id)
);

CREATE INDEX registry_order_record ON registry_order (record_id);

-- The last number of each book.
CREATE TABLE registry_serial (
  -- As in registry_index: which field of which registry.
  slot BIGINT NOT NULL,
  -- The rest of the key.
  book TEXT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (slot, book)
);

-- Numbers of records that are erased, which may not be given to anybody else: SHA-256 of the number, and nothing of whose it was.
CREATE TABLE registry_retired (
  slot BIGINT NOT NULL,
  hash {bytes} NOT NULL,
  PRIMARY KEY (slot, hash)
);
