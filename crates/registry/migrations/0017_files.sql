-- Files whose rows a steward compares with the records of a registry. What stands here says nothing of what rows say; their number
-- and what came of them stay when the rows are removed.
CREATE TABLE registry_file (
  id {uuid} NOT NULL PRIMARY KEY,
  registry TEXT NOT NULL,
  -- As its owner called it; empty once the rows are removed.
  name TEXT NOT NULL,
  -- Why it may be compared, and what else was said of it.
  basis TEXT NOT NULL,
  note TEXT NOT NULL,
  -- SHA-256 in hex of the file; none once the rows are removed.
  sha256 TEXT,
  put_at BIGINT NOT NULL,
  put_by TEXT NOT NULL,
  -- The columns: a list of headings, and one of the fields that they are compared by, or null. JSON.
  headings TEXT NOT NULL,
  fields TEXT NOT NULL,
  -- columns, comparing, done, cancelled, removed
  state TEXT NOT NULL,
  total BIGINT NOT NULL,
  -- Rows that were compared.
  done BIGINT NOT NULL,
  -- What came of them.
  clear_rows BIGINT NOT NULL,
  possible_rows BIGINT NOT NULL,
  lone_rows BIGINT NOT NULL,
  unread_rows BIGINT NOT NULL,
  -- Of the clear ones, those about which nobody has decided.
  clear_left BIGINT NOT NULL,
  -- Rows that are a record as a person found, those of them that were taken together, and rows that are none.
  same_rows BIGINT NOT NULL,
  together_rows BIGINT NOT NULL,
  nobody_rows BIGINT NOT NULL,
  -- When the rows are removed by themselves.
  removes_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX registry_file_content ON registry_file (registry, sha256);
CREATE INDEX registry_file_list ON registry_file (registry, put_at, id);

-- The rows of a file, numbered from 1.
CREATE TABLE registry_file_row (
  file_id {uuid} NOT NULL,
  n BIGINT NOT NULL,
  -- The line (in a workbook the row) of the file.
  line BIGINT NOT NULL,
  -- The texts of its cells, JSON.
  cells TEXT NOT NULL,
  -- waiting, clear, possible, lone, unread
  state TEXT NOT NULL,
  -- What could not be read or compared, in words.
  flaw_vi TEXT NOT NULL,
  flaw_en TEXT NOT NULL,
  -- The likeliest record, and how much speaks for it in thousandths of a bit.
  best_id {uuid},
  weight BIGINT,
  -- What was decided: nothing, same, together, nobody; about which record, by whom and when.
  verdict TEXT NOT NULL,
  record_id {uuid},
  decided_by TEXT,
  decided_at BIGINT,
  -- One more with each decision.
  version BIGINT NOT NULL,
  PRIMARY KEY (file_id, n)
);

CREATE INDEX registry_file_row_state ON registry_file_row (file_id, state, n);

-- The records that a row may be, likeliest first.
CREATE TABLE registry_file_candidate (
  file_id {uuid} NOT NULL,
  n BIGINT NOT NULL,
  place BIGINT NOT NULL,
  record_id {uuid} NOT NULL,
  weight BIGINT NOT NULL,
  reason_vi TEXT NOT NULL,
  reason_en TEXT NOT NULL,
  PRIMARY KEY (file_id, n, place)
);

-- What people did with a file, and with which row. Those of rows go with the rows.
CREATE TABLE registry_file_act (
  id {uuid} NOT NULL PRIMARY KEY,
  file_id {uuid} NOT NULL,
  n BIGINT,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  -- put, columns, cancel, resume, together, apart, remove; of a row same, nobody, undo
  what TEXT NOT NULL,
  -- How many rows it was about.
  rows_of BIGINT NOT NULL
);

CREATE INDEX registry_file_act_of ON registry_file_act (file_id, n, at);
