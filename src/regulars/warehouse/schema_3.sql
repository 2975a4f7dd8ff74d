-- Version 3: who was on an uploaded list, and when.
CREATE TABLE IF NOT EXISTS list_log (
  list_id BIGINT NOT NULL, customer_no UINTEGER NOT NULL, happened_at TIMESTAMP NOT NULL, joined BOOLEAN NOT NULL
);
