-- One row per dossier: what figures need of it, as of entry `seq` of its log. No personal data but the pseudonym `account`.
CREATE TABLE fact (
  dossier_id {uuid} NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  agency TEXT NOT NULL,
  field TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  channel TEXT NOT NULL,
  account {uuid},
  status BIGINT NOT NULL,
  running BOOLEAN NOT NULL,
  submitted_at BIGINT NOT NULL,
  received_at BIGINT,
  original_due_at BIGINT,
  due_at BIGINT,
  ended_at BIGINT,
  delivered_at BIGINT,
  outcome TEXT,
  working_minutes BIGINT,
  supplements BIGINT NOT NULL
);

-- Overdue is a question of the present instant: answered from these, up to a limit.
CREATE INDEX fact_running ON fact (due_at) WHERE running;

CREATE INDEX fact_running_agency ON fact (agency, due_at) WHERE running;

-- Counters of one month, kept by differences in the transaction that rewrites a fact. A month is year * 12 + month - 1.
CREATE TABLE figure (
  agency TEXT NOT NULL,
  month BIGINT NOT NULL,
  field TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  received BIGINT NOT NULL,
  online BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  post BIGINT NOT NULL,
  early BIGINT NOT NULL,
  on_time BIGINT NOT NULL,
  late BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  withdrawn BIGINT NOT NULL,
  stopped BIGINT NOT NULL,
  carried_late BIGINT NOT NULL,
  timed BIGINT NOT NULL,
  minutes BIGINT NOT NULL,
  PRIMARY KEY (agency, month, field, procedure_code)
);

CREATE INDEX figure_month ON figure (month);

-- How many dossiers decided in a month took `bucket` to `bucket + 1` working hours.
CREATE TABLE figure_duration (
  agency TEXT NOT NULL,
  month BIGINT NOT NULL,
  field TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (agency, month, field, procedure_code, bucket)
);

CREATE INDEX figure_duration_month ON figure_duration (month);

-- How things stand; one row for each service of an agency that ever had a dossier.
CREATE TABLE figure_standing (
  agency TEXT NOT NULL,
  field TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  waiting BIGINT NOT NULL,
  in_progress BIGINT NOT NULL,
  paused BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (agency, field, procedure_code)
);

-- Who used a service in a year, by pseudonym, with the number of their dossiers; so that people can be counted once.
CREATE TABLE figure_user (
  agency TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  year BIGINT NOT NULL,
  online BOOLEAN NOT NULL,
  account {uuid} NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (agency, procedure_code, year, online, account)
);

CREATE TABLE figure_people (
  agency TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  year BIGINT NOT NULL,
  online BOOLEAN NOT NULL,
  people BIGINT NOT NULL,
  PRIMARY KEY (agency, procedure_code, year, online)
);
