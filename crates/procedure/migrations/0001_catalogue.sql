-- One row for each version of a procedure that was ever published to this node. Rows are never changed: an import that
-- finds something new adds a version (or, on the same day, a revision of it).
CREATE TABLE procedure_version (
    id {uuid} PRIMARY KEY,
    code TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    revision BIGINT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    import_id {uuid} NOT NULL,
    imported_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX procedure_version_key ON procedure_version (code, valid_from, revision);

-- Which version holds now, so that the catalogue is read without asking each code for its newest version.
CREATE TABLE procedure_current (
    code TEXT PRIMARY KEY,
    version_id {uuid} NOT NULL,
    hash TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    revision BIGINT NOT NULL
);

-- What each import did, with its findings.
CREATE TABLE procedure_import (
    id {uuid} PRIMARY KEY,
    at BIGINT NOT NULL,
    files TEXT NOT NULL,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    report TEXT NOT NULL
);
CREATE INDEX procedure_import_at ON procedure_import (at, id);
