-- The log of some segments from one place to another.
SELECT
  rowid, segment_id, customer_no, epoch_us(happened_at) AS happened_at, joined, cause = 'order' AS by_order,
  cause = 'day_change' AS by_day
FROM membership_log
WHERE rowid >= $since AND rowid < $to AND segment_id IN (SELECT unnest($segment_ids::BIGINT[]))
