-- What passed in each minute of the last hours, without persons and paths: what members tell each other for the map. `client` is a
-- member; `bucket` as in journal_operation_hour; `refused`: the provider said no; `failed`: the exchange could not deliver.
CREATE TABLE journal_traffic (
  minute BIGINT NOT NULL,
  side TEXT NOT NULL,
  client TEXT NOT NULL,
  service TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  n BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  PRIMARY KEY (minute, side, client, service, bucket)
);
