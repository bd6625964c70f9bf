-- Orders that were asked after before they came: they are not carried out any more, however late they come.
CREATE TABLE registry_void_order (
  registry TEXT NOT NULL,
  client TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (registry, client, id)
);
