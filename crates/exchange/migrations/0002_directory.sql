-- The directory at its operator. One row: what has changed, and up to what change the folder was published.
CREATE TABLE directory_state (
  id BIGINT PRIMARY KEY,
  revision BIGINT NOT NULL,
  published BIGINT NOT NULL
);

-- A member. `entry` is its entry in the directory, in JSON; `version` is what a change of it by the member must go on from.
CREATE TABLE directory_member (
  member TEXT PRIMARY KEY,
  entry TEXT NOT NULL,
  version BIGINT NOT NULL,
  last_change TEXT,
  updated_at BIGINT NOT NULL
);

-- What belongs to one member for ever: names of logs, keys, gateways, the member's own name.
CREATE TABLE directory_claim (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  member TEXT NOT NULL,
  PRIMARY KEY (kind, value)
);

-- An application to join. `document` is what the applicant signed, as it came.
CREATE TABLE directory_application (
  id {uuid} PRIMARY KEY,
  member TEXT NOT NULL,
  gateway TEXT NOT NULL,
  tls_key TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  endorsed BOOLEAN NOT NULL,
  invited BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  decided_at BIGINT,
  decided_by TEXT,
  reason TEXT,
  serial_number TEXT
);
CREATE INDEX directory_application_state ON directory_application (state, received_at, id);
-- A key waits in one application.
CREATE UNIQUE INDEX directory_application_key ON directory_application (tls_key) WHERE state = 'pending';

-- An invitation, by the hash of its code.
CREATE TABLE directory_invitation (
  code TEXT PRIMARY KEY,
  member TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

-- A certificate that the built-in CA issued.
CREATE TABLE directory_certificate (
  serial_number TEXT PRIMARY KEY,
  member TEXT NOT NULL,
  gateway TEXT NOT NULL,
  tls_key TEXT NOT NULL UNIQUE,
  pem TEXT NOT NULL,
  issued_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  invalid_since BIGINT,
  reason TEXT
);
CREATE INDEX directory_certificate_member ON directory_certificate (member, issued_at);
CREATE INDEX directory_certificate_revoked ON directory_certificate (expires_at) WHERE revoked_at IS NOT NULL;

-- What was done, by whom.
CREATE TABLE directory_act (
  id {uuid} PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  act TEXT NOT NULL,
  member TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX directory_act_member ON directory_act (member, id);
