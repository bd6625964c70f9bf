-- Versions of merges recorded up to here have become events: those from before a registry told of them as well.
ALTER TABLE registry_announced ADD COLUMN merges_upto BIGINT NOT NULL DEFAULT 0;

-- Merges that hold and were decided before they were noted. What had been undone by then nobody has to be told.
INSERT INTO registry_merge (record_id, seq, stayed_id)
SELECT ended_id, ended_seq, CASE WHEN ended_id = one_id THEN other_id ELSE one_id END
FROM registry_pair
WHERE ended_id IS NOT NULL AND ended_seq IS NOT NULL
ON CONFLICT (record_id, seq) DO NOTHING;
