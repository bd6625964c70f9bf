-- Of which moment of life and as known when a question was asked; none for now. A day or an instant as it is written, and microseconds.
ALTER TABLE registry_answer ADD COLUMN as_of TEXT;
ALTER TABLE registry_answer ADD COLUMN known_at BIGINT;
ALTER TABLE registry_question_run ADD COLUMN as_of TEXT;
ALTER TABLE registry_question_run ADD COLUMN known_at BIGINT;
