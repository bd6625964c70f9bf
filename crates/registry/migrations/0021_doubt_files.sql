-- Files that show what a doubt says. Their content lies with the files of the node, named by these ids, and goes with the rows.
CREATE TABLE registry_doubt_file (
  id {uuid} NOT NULL PRIMARY KEY,
  doubt_id {uuid} NOT NULL,
  -- As its sender called it, without path or control characters.
  name TEXT NOT NULL,
  -- pdf, jpeg, png, webp, heic; as the content shows.
  format TEXT NOT NULL,
  size BIGINT NOT NULL,
  -- In hex, of the content.
  sha256 TEXT NOT NULL,
  put_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX registry_doubt_file_content ON registry_doubt_file (doubt_id, sha256);

-- The enterprise for which its representative spoke, as it was called then; empty for who spoke for themselves. Gone when the record
-- is erased.
ALTER TABLE registry_doubt ADD COLUMN enterprise_code TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_doubt ADD COLUMN enterprise_name TEXT NOT NULL DEFAULT '';
