-- What the last conformance check of a service found. One row for each service that has a description; a change of the
-- description or of the address takes it away.
CREATE TABLE exchange_check (
  service {uuid} NOT NULL PRIMARY KEY,
  checked_at BIGINT NOT NULL,
  rules TEXT NOT NULL,
  -- SHA-256 of the description that was checked, in hex.
  sha256 TEXT NOT NULL,
  must_kept BIGINT NOT NULL,
  must_broken BIGINT NOT NULL,
  should_broken BIGINT NOT NULL,
  -- The whole report, JSON.
  report TEXT NOT NULL
);
