-- The key that a service asks of its caller: in which header it stands, and the key itself, sealed.
ALTER TABLE exchange_service ADD COLUMN credential_header TEXT;
ALTER TABLE exchange_service ADD COLUMN credential {bytes};
