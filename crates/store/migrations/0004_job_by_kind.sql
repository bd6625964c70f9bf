-- The jobs of one kind in the order in which they are due: a thousand of another kind before them are not read.
CREATE INDEX job_of_kind ON job (kind, run_at) WHERE failed_at IS NULL;
