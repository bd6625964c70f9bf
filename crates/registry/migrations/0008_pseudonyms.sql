-- Which pseudonym stands for what, for whom: a pseudonym cannot be reckoned back, so whoever gave it looks here. Rows are made when a
-- pseudonym is first given, and go when the record that they speak of is erased.
CREATE TABLE registry_pseudonym (
  pseudonym TEXT NOT NULL PRIMARY KEY,
  -- The client of the exchange that it was given to; nobody else may use it.
  consumer TEXT NOT NULL,
  registry TEXT NOT NULL,
  -- What is behind it: the term of the field, or #record, #place.
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  -- What an erasure finds it by: the value, or the record.
  about TEXT NOT NULL,
  -- Of the key that it was made with.
  edition BIGINT NOT NULL,
  given_at BIGINT NOT NULL
);

CREATE INDEX registry_pseudonym_about ON registry_pseudonym (registry, about);
