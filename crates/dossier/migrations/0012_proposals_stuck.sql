-- What an officer must look at is found without walking through all proposals of a rule.
CREATE INDEX proposal_stuck ON proposal (rule, id) WHERE state = 'stuck';
