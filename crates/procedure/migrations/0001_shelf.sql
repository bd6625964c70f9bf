CREATE TABLE package (
  hash TEXT NOT NULL PRIMARY KEY,
  code TEXT NOT NULL,
  version TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  files TEXT NOT NULL,
  in_force BOOLEAN NOT NULL,
  at BIGINT NOT NULL
);

CREATE INDEX package_code ON package (code, valid_from);
