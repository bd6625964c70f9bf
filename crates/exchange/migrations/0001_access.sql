-- The information systems of the members of this node.
CREATE TABLE exchange_system (
  id {uuid} NOT NULL PRIMARY KEY,
  -- Its identifier: VN/GOV/H57/motcua.
  subsystem TEXT NOT NULL UNIQUE,
  -- The agency that answers for it, in the notation of Decision 20/2020/QĐ-TTg.
  agency TEXT NOT NULL,
  name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL,
  -- How it shows who it is: JSON. Of a token, its SHA-256 alone.
  sign_in TEXT NOT NULL,
  purpose TEXT,
  -- The one service to which all paths of the adapter's dialect belong.
  whole_service TEXT,
  version BIGINT NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX exchange_system_agency ON exchange_system (agency, subsystem);

-- What they offer.
CREATE TABLE exchange_service (
  id {uuid} NOT NULL PRIMARY KEY,
  -- Its identifier: VN/GOV/H57/motcua/hoso.
  service TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  agency TEXT NOT NULL,
  name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL,
  url TEXT NOT NULL,
  timeout_ms BIGINT NOT NULL,
  verify_certificate BOOLEAN NOT NULL,
  -- Why it is switched off, for callers.
  disabled TEXT,
  -- Where the numbers of persons stand: JSON.
  subjects TEXT NOT NULL,
  action TEXT NOT NULL,
  openapi {bytes},
  openapi_sha256 TEXT,
  openapi_title TEXT,
  openapi_version TEXT,
  version BIGINT NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX exchange_service_agency ON exchange_service (agency, service);

-- Grants as a side knows them: the provider's node keeps the log, the consumer's node a copy of it. A node that is both has both.
CREATE TABLE exchange_grant (
  id {uuid} NOT NULL,
  -- incoming: at the provider; outgoing: at the consumer.
  side TEXT NOT NULL,
  agency TEXT NOT NULL,
  consumer TEXT NOT NULL,
  provider TEXT NOT NULL,
  service TEXT NOT NULL,
  -- The fold over the log: JSON; the columns below are parts of it, for lists.
  file TEXT NOT NULL,
  seq BIGINT NOT NULL,
  phase TEXT NOT NULL,
  answer_due BIGINT,
  holds_from BIGINT,
  suspended_from BIGINT,
  ends_at BIGINT,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (id, side)
);

CREATE INDEX exchange_grant_list ON exchange_grant (side, changed_at, id);

CREATE INDEX exchange_grant_consumer ON exchange_grant (consumer, side, phase);

CREATE INDEX exchange_grant_due ON exchange_grant (side, answer_due) WHERE answer_due IS NOT NULL;

-- The log of a grant. Rows are only added.
CREATE TABLE exchange_grant_entry (
  grant_id {uuid} NOT NULL,
  side TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (grant_id, side, seq)
);

-- What the consumer's side has to tell the provider's node, in its order.
CREATE TABLE exchange_order (
  id {uuid} NOT NULL,
  grant_id {uuid} NOT NULL,
  -- From 1 for each grant, in the order in which they were given: a clock can stand still.
  n BIGINT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  -- waiting, taken, refused
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  tried_at BIGINT,
  -- Why it was not taken: problems, JSON.
  problems TEXT,
  PRIMARY KEY (grant_id, id)
);

CREATE UNIQUE INDEX exchange_order_grant ON exchange_order (grant_id, n);

-- One row: grows with each change of what the gateway has to know.
CREATE TABLE exchange_turn (
  id BIGINT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL
);

INSERT INTO exchange_turn (id, version) VALUES (1, 1);
