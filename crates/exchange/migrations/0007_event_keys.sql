-- The field of an event's data by which events keep their order; NULL where the publisher gives the key.
ALTER TABLE event_type ADD COLUMN key_field TEXT;
