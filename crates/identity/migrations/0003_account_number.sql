-- Who signs in with a personal number: for telling people of what is proposed to them.
CREATE INDEX account_number ON account (person_number) WHERE person_number IS NOT NULL;
