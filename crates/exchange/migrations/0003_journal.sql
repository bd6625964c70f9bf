-- Folds over the ledger: everything from here to the questions can be made anew from the log (`Journal::rebuild`).

-- How far the log is folded, and the root of its tree there: tables of another log are noticed. A node has one log.
CREATE TABLE journal_cursor (
  log TEXT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL,
  root TEXT NOT NULL
);

-- One row for each leaf that is a message. Neither query nor path behind the service code is here: numbers and names of persons
-- stand in them, and the record in the log has both for whoever may see it. Once the record is erased (`erasure`: the leaf that
-- says so), only `leaf` and `logged_at` are left.
CREATE TABLE journal_message (
  leaf BIGINT NOT NULL PRIMARY KEY,
  logged_at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  sent BOOLEAN,
  request_id {uuid},
  message_id TEXT,
  client TEXT,
  service TEXT,
  method TEXT,
  status BIGINT,
  at BIGINT,
  purpose TEXT,
  issue TEXT,
  user_id TEXT,
  erasure BIGINT
);

CREATE INDEX journal_message_time ON journal_message (logged_at, leaf);

-- What retention looks for; what is erased is not in it.
CREATE INDEX journal_message_kept ON journal_message (logged_at, leaf) WHERE service IS NOT NULL;

CREATE INDEX journal_message_client ON journal_message (client, logged_at, leaf);

CREATE INDEX journal_message_service ON journal_message (service, logged_at, leaf);

CREATE INDEX journal_message_request ON journal_message (request_id, leaf);

CREATE INDEX journal_message_id ON journal_message (message_id, logged_at, leaf);

-- One row for each leaf that is a read of personal data. As above once it is erased.
CREATE TABLE journal_read (
  leaf BIGINT NOT NULL PRIMARY KEY,
  logged_at BIGINT NOT NULL,
  at BIGINT,
  request_id {uuid},
  client TEXT,
  member TEXT,
  service TEXT,
  provider TEXT,
  action TEXT,
  purpose TEXT,
  issue TEXT,
  user_id TEXT,
  more BOOLEAN,
  erasure BIGINT
);

CREATE INDEX journal_read_request ON journal_read (request_id);

CREATE INDEX journal_read_provider ON journal_read (provider, at);

-- Whom a read was about, under the keyed hash of the person's number.
CREATE TABLE journal_subject (
  subject {bytes} NOT NULL,
  at BIGINT NOT NULL,
  leaf BIGINT NOT NULL,
  PRIMARY KEY (subject, at, leaf)
);

CREATE INDEX journal_subject_leaf ON journal_subject (leaf);

-- How many reads an agency made on a legal date, by purpose: what is told of hidden reads comes from here.
CREATE TABLE journal_read_day (
  day TEXT NOT NULL,
  member TEXT NOT NULL,
  purpose TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (day, member, purpose)
);

-- What was erased, by whom, on which ground.
CREATE TABLE journal_erasure (
  leaf BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  ground TEXT NOT NULL,
  leaves BIGINT NOT NULL
);

-- Not folds: questions of people about reads of their data. One that was asked here has `leaf` and `account`; where another
-- node's member has to answer, `agency` is blank and `member` is whom to ask. One that came from another node has neither leaf nor
-- account, and `member` is who passed it on.
CREATE TABLE journal_question (
  id {uuid} NOT NULL PRIMARY KEY,
  leaf BIGINT,
  account {uuid},
  asker TEXT NOT NULL,
  agency TEXT NOT NULL,
  member TEXT NOT NULL,
  request_id {uuid} NOT NULL,
  service TEXT NOT NULL,
  text TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  answer TEXT,
  answered_at BIGINT,
  answered_by TEXT,
  closed_at BIGINT,
  UNIQUE (leaf, account)
);

CREATE INDEX journal_question_agency ON journal_question (agency, state, due_at, id);

CREATE INDEX journal_question_account ON journal_question (account, asked_at, id);

-- Operational monitoring: a record for each message that passed, kept for some days, and what is drawn of them by the hour.
CREATE TABLE journal_operation (
  id {uuid} NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  client TEXT NOT NULL,
  service TEXT NOT NULL,
  record TEXT NOT NULL
);

CREATE INDEX journal_operation_time ON journal_operation (at, id);

-- `bucket`: durations from 2^bucket / 2 up to 2^bucket milliseconds; 0 is below one.
CREATE TABLE journal_operation_hour (
  hour BIGINT NOT NULL,
  service TEXT NOT NULL,
  side TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  n BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  millis BIGINT NOT NULL,
  PRIMARY KEY (hour, service, side, bucket)
);
