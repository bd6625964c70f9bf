-- People. One row per issuer and subject of the e-ID.
CREATE TABLE account (
  id {uuid} PRIMARY KEY,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  name TEXT NOT NULL,
  person_number TEXT,
  birth_date TEXT,
  sex TEXT,
  phone TEXT,
  email TEXT,
  assurance BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  demo TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (issuer, subject)
);
CREATE INDEX account_demo ON account (demo) WHERE demo IS NOT NULL;

-- Organisations for which a person may act.
CREATE TABLE membership (
  account_id {uuid} NOT NULL REFERENCES account (id),
  tax_code TEXT NOT NULL,
  name TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (account_id, tax_code)
);

CREATE TABLE officer (
  id {uuid} PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  agency TEXT NOT NULL,
  roles BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  password TEXT,
  must_change BOOLEAN NOT NULL,
  totp {bytes},
  totp_step BIGINT,
  demo TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX officer_agency ON officer (agency, login);
CREATE INDEX officer_demo ON officer (demo) WHERE demo IS NOT NULL;

CREATE TABLE recovery_code (
  officer_id {uuid} NOT NULL REFERENCES officer (id),
  hash TEXT NOT NULL,
  PRIMARY KEY (officer_id, hash)
);

CREATE TABLE passkey (
  id {uuid} PRIMARY KEY,
  officer_id {uuid} NOT NULL REFERENCES officer (id),
  credential_id TEXT NOT NULL UNIQUE,
  credential TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT
);
CREATE INDEX passkey_officer ON passkey (officer_id);

-- Who is signed in. Of the token only its SHA-256 is known.
CREATE TABLE session (
  id {uuid} PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  account_id {uuid} REFERENCES account (id),
  officer_id {uuid} REFERENCES officer (id),
  tax_code TEXT,
  assurance BIGINT NOT NULL,
  method TEXT NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  idle_until BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX session_officer ON session (officer_id) WHERE officer_id IS NOT NULL;
CREATE INDEX session_expiry ON session (expires_at);

-- A sign-in that is under way: its state between two requests, sealed.
CREATE TABLE sign_in_step (
  token_hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state {bytes} NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_step_expiry ON sign_in_step (expires_at);

-- Tries per login name and per address.
CREATE TABLE sign_in_try (
  key TEXT PRIMARY KEY,
  tries BIGINT NOT NULL,
  since BIGINT NOT NULL,
  locked_until BIGINT NOT NULL
);
CREATE INDEX sign_in_try_since ON sign_in_try (since);

-- Keys of programs.
CREATE TABLE api_token (
  id {uuid} PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  account_id {uuid} REFERENCES account (id),
  officer_id {uuid} REFERENCES officer (id),
  label TEXT NOT NULL,
  roles BIGINT NOT NULL,
  read_only BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  seen_at BIGINT,
  revoked_at BIGINT
);
CREATE INDEX api_token_officer ON api_token (officer_id, created_at);

-- Who read whose data, and why. Rows are added, never changed.
CREATE TABLE access_log (
  id {uuid} PRIMARY KEY,
  at BIGINT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id {uuid},
  actor_name TEXT NOT NULL,
  agency TEXT NOT NULL,
  subject TEXT NOT NULL,
  dossier TEXT,
  purpose TEXT NOT NULL,
  what TEXT NOT NULL,
  request_id {uuid} NOT NULL
);
CREATE INDEX access_log_subject ON access_log (subject, at, id);
CREATE INDEX access_log_agency ON access_log (agency, at, id);

-- What happened to accounts and officers: sign-ins, factors, changes by administrators. Rows are added, never changed.
CREATE TABLE identity_event (
  id {uuid} PRIMARY KEY,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id {uuid},
  actor_name TEXT NOT NULL,
  target_id {uuid} NOT NULL,
  detail TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id {uuid} NOT NULL
);
CREATE INDEX identity_event_target ON identity_event (target_id, at, id);
