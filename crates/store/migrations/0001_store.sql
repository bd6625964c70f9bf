CREATE TABLE counter (
  scope TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);

CREATE TABLE job (
  id {uuid} NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT UNIQUE,
  payload TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  failed_at BIGINT,
  last_error TEXT
);

CREATE INDEX job_ready ON job (run_at) WHERE failed_at IS NULL;
