-- Where a read stands in the transparency log of the node: its name and the place in it. NULL until it is there.
ALTER TABLE access_log ADD COLUMN log TEXT;
ALTER TABLE access_log ADD COLUMN leaf BIGINT;
CREATE INDEX access_log_bare ON access_log (at, id) WHERE leaf IS NULL;
CREATE INDEX access_log_leaf ON access_log (leaf) WHERE leaf IS NOT NULL;
CREATE INDEX access_log_request ON access_log (request_id);
