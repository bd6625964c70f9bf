-- By what a record is found stands beside each part of its timeline, so that the index need not be searched by records: a second tree
-- of all its rows cost more than the first.
{only sqlite} ALTER TABLE registry_segment ADD COLUMN found {bytes} NOT NULL DEFAULT x'';

{only postgres} ALTER TABLE registry_segment ADD COLUMN found {bytes} NOT NULL DEFAULT '\x';

-- What ceased to be known without a change of its record, because a version of the registry's folder dropped a filter or writes its
-- values otherwise: no part of a timeline tells it, so nothing would erase it.
DELETE FROM registry_index WHERE known_to < 9223372036854775807
  AND NOT EXISTS (SELECT 1 FROM registry_segment s
    WHERE s.registry = (SELECT v.registry FROM registry_version v WHERE v.record_id = registry_index.record_id LIMIT 1)
      AND s.record_id = registry_index.record_id AND s.known_to < 9223372036854775807
      AND s.valid_from >= registry_index.valid_from AND s.valid_to <= registry_index.valid_to
      AND s.known_from < registry_index.known_to AND s.known_to > registry_index.known_from)
  AND NOT EXISTS (SELECT 1 FROM registry_index i
    WHERE i.slot = registry_index.slot AND i.value = registry_index.value AND i.record_id = registry_index.record_id
      AND i.known_to = 9223372036854775807);

-- Of each value the slot in eight bytes, its length in four, and itself.
{only sqlite} UPDATE registry_segment SET found = coalesce(
  (SELECT unhex(group_concat(printf('%016x%08x', f.slot, length(f.value)) || hex(f.value), '' ORDER BY f.slot, f.value)) FROM
    (SELECT DISTINCT i.slot, i.value FROM registry_index i
     WHERE i.record_id = registry_segment.record_id
       AND i.valid_from <= registry_segment.valid_from AND i.valid_to >= registry_segment.valid_to
       AND i.known_from < registry_segment.known_to AND i.known_to > registry_segment.known_from
       AND (i.known_to = 9223372036854775807 OR registry_segment.known_to < 9223372036854775807)) f), x'')
  WHERE NOT ended;

{only postgres} UPDATE registry_segment SET found = coalesce(
  (SELECT string_agg(int8send(f.slot) || int4send(length(f.value)) || f.value, CAST('' AS {bytes}) ORDER BY f.slot, f.value) FROM
    (SELECT DISTINCT i.slot, i.value FROM registry_index i
     WHERE i.record_id = registry_segment.record_id
       AND i.valid_from <= registry_segment.valid_from AND i.valid_to >= registry_segment.valid_to
       AND i.known_from < registry_segment.known_to AND i.known_to > registry_segment.known_from
       AND (i.known_to = 9223372036854775807 OR registry_segment.known_to < 9223372036854775807)) f), '\x')
  WHERE NOT ended;

DROP INDEX registry_index_record;
