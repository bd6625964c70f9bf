-- Since when and until when papers or a payment were awaited, microseconds: JSON, [[from, until], …], oldest first; the last has no
-- end (null) while they still are.
ALTER TABLE fact ADD COLUMN pauses TEXT NOT NULL DEFAULT '[]';

-- Of facts from before it is known whether they are paused, not since when. That is enough for how things stand now.
UPDATE fact SET pauses = '[[' || CAST(COALESCE(received_at, submitted_at) AS TEXT) || ',null]]'
  WHERE ended_at IS NULL AND status IN (5, 6);

-- By how much what is in progress and what is paused grew in the month: what stood at its end is what stands now, less what
-- changed since.
ALTER TABLE figure ADD COLUMN in_progress_change BIGINT NOT NULL DEFAULT 0;

ALTER TABLE figure ADD COLUMN paused_change BIGINT NOT NULL DEFAULT 0;

-- One row. Whoever moves counters writes to it first, and so waits for whoever does the same. `whole`: the changes of all months
-- are there; where there are facts from before, `motcua rebuild` makes them so.
CREATE TABLE figure_turn (
  id BIGINT NOT NULL PRIMARY KEY,
  whole BOOLEAN NOT NULL
);

INSERT INTO figure_turn (id, whole) SELECT 1, NOT EXISTS (SELECT seq FROM fact);
