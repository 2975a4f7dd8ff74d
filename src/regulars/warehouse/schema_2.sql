-- Version 2: what segments were like at the end of each day.
CREATE TABLE IF NOT EXISTS segment_days (
  segment_id BIGINT NOT NULL, shop_day DATE NOT NULL, version INTEGER NOT NULL, is_recorded BOOLEAN NOT NULL,
  is_past_known BOOLEAN NOT NULL, customer_count UINTEGER NOT NULL, buyer_count UINTEGER NOT NULL,
  repeat_count UINTEGER NOT NULL, order_count BIGINT NOT NULL, spent_amount BIGINT NOT NULL, mean_sum DOUBLE NOT NULL,
  gap_count BIGINT NOT NULL, gap_seconds DOUBLE NOT NULL, day_order_count BIGINT NOT NULL, day_amount BIGINT NOT NULL
);
