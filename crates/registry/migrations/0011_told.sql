-- How far subscribers have been told of the versions of a registry. One row for each registry that tells anybody.
CREATE TABLE registry_announced (
  registry TEXT NOT NULL PRIMARY KEY,
  -- Versions recorded up to here have become events.
  upto BIGINT NOT NULL,
  -- The version of the folder whose events are declared.
  edition BIGINT NOT NULL
);

-- What people of this node contest of registries of other nodes. The doubt itself is there; here is how it stands, as that node says.
CREATE TABLE registry_contested (
  registry TEXT NOT NULL,
  -- The doubt, as its registry names it.
  doubt {uuid} NOT NULL,
  -- The same again is the same: code of the dossier and attribute.
  told_as TEXT NOT NULL UNIQUE,
  label_vi TEXT NOT NULL,
  label_en TEXT NOT NULL,
  dossier TEXT NOT NULL,
  account {uuid},
  reason TEXT NOT NULL,
  filed TEXT NOT NULL,
  state TEXT NOT NULL,
  open BOOLEAN NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  answered_by TEXT NOT NULL,
  answered_at BIGINT,
  told_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (registry, doubt)
);

CREATE INDEX registry_contested_open ON registry_contested (registry, doubt) WHERE open;
CREATE INDEX registry_contested_account ON registry_contested (account, told_at);
CREATE INDEX registry_contested_dossier ON registry_contested (dossier);
-- The doubts of a dossier, for whoever looks at it.
CREATE INDEX registry_doubt_dossier ON registry_doubt (dossier) WHERE dossier IS NOT NULL;
