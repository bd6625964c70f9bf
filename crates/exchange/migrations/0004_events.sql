-- A kind of event that a subsystem of this node publishes.
CREATE TABLE event_type (
  id {uuid} NOT NULL PRIMARY KEY,
  provider TEXT NOT NULL,
  name TEXT NOT NULL,
  title_vi TEXT NOT NULL,
  title_en TEXT NOT NULL,
  sensitivity TEXT NOT NULL,
  retention_days BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  closed_at BIGINT,
  UNIQUE (provider, name)
);

-- The schema of each version, JSON Schema 2020-12 as text.
CREATE TABLE event_schema (
  type_id {uuid} NOT NULL,
  version BIGINT NOT NULL,
  document TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (type_id, version)
);

-- One row for each type. Whoever publishes writes to it first and holds it until the commit, so positions become visible in
-- their order and without gaps. `first` is the oldest position that is kept: `last` + 1 when there is none.
CREATE TABLE event_head (
  type_id {uuid} NOT NULL PRIMARY KEY,
  first_position BIGINT NOT NULL,
  last_position BIGINT NOT NULL,
  last_at BIGINT NOT NULL
);

-- The log. A position is never used again; an event that was withdrawn keeps its place without its data.
CREATE TABLE event (
  type_id {uuid} NOT NULL,
  position BIGINT NOT NULL,
  id {uuid} NOT NULL,
  producer_id TEXT NOT NULL,
  fingerprint {bytes} NOT NULL,
  order_key TEXT,
  version BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  data TEXT,
  PRIMARY KEY (type_id, position)
);

CREATE UNIQUE INDEX event_producer ON event (type_id, producer_id);

CREATE UNIQUE INDEX event_id ON event (id);

-- Who may read which type, up to where it has, and where it is told of news. `nudge_due`: a job of the kind events.nudge waits
-- or is in hand; changed only by those who hold the row of event_head.
CREATE TABLE event_subscription (
  id {uuid} NOT NULL PRIMARY KEY,
  type_id {uuid} NOT NULL,
  subscriber TEXT NOT NULL,
  state TEXT NOT NULL,
  purpose TEXT NOT NULL,
  legal_basis TEXT NOT NULL,
  key_prefix TEXT NOT NULL,
  acknowledged BIGINT NOT NULL,
  start_at_approval BOOLEAN NOT NULL,
  webhook TEXT,
  secret_generation BIGINT NOT NULL,
  nudge_due BOOLEAN NOT NULL,
  nudge_failures BIGINT NOT NULL,
  nudge_paused TEXT,
  nudged BIGINT NOT NULL,
  requested_at BIGINT NOT NULL,
  decided_at BIGINT,
  decided_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  acknowledged_at BIGINT,
  UNIQUE (type_id, subscriber)
);

CREATE INDEX event_subscription_recent ON event_subscription (requested_at, id);

CREATE INDEX event_subscription_subscriber ON event_subscription (subscriber, type_id);

-- Calls of webhooks. Nothing of what an event says.
CREATE TABLE event_delivery (
  id {uuid} NOT NULL PRIMARY KEY,
  subscription_id {uuid} NOT NULL,
  at BIGINT NOT NULL,
  position BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  status BIGINT,
  millis BIGINT NOT NULL
);

CREATE INDEX event_delivery_at ON event_delivery (at, id);

CREATE INDEX event_delivery_subscription ON event_delivery (subscription_id, at, id);

-- How far this node has followed event types of others: the cursor moves in the transaction of what the events did.
CREATE TABLE event_follow (
  name TEXT NOT NULL PRIMARY KEY,
  cursor TEXT NOT NULL,
  moved_at BIGINT NOT NULL
);
