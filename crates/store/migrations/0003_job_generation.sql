-- How often the job was asked for again under its key: whoever finishes one asked for before leaves the newer one.
ALTER TABLE job ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
