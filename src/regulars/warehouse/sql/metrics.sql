-- before --
-- What each customer had ordered before an instant, of the orders that count.
SELECT customer_no, count(*) AS order_count,
  sum(total_amount - refunded_amount)::BIGINT AS spent_amount,
  epoch_us(min(processed_at)) AS first_at, epoch_us(max(processed_at)) AS last_at
FROM orders
WHERE NOT is_test AND cancelled_at IS NULL AND customer_no IS NOT NULL AND processed_at < $until
GROUP BY customer_no;

-- between --
-- The counted orders of a time, one row each.
SELECT customer_no, total_amount - refunded_amount AS amount, epoch_us(processed_at) AS ordered_at
FROM orders
WHERE NOT is_test AND cancelled_at IS NULL AND customer_no IS NOT NULL
  AND processed_at >= $since AND processed_at < $until;

-- size --
-- One more than the largest customer number.
SELECT coalesce(max(customer_no) + 1, 0)::BIGINT FROM customers;

-- first_order --
-- The instant of the oldest counted order.
SELECT min(processed_at) FROM orders WHERE NOT is_test AND cancelled_at IS NULL;

-- at_order_time --
-- Orders and money of a time by customers who were members the instant before.
SELECT count(*), coalesce(sum(total_amount - refunded_amount), 0)::BIGINT
FROM orders
SEMI JOIN membership_intervals AS held
  ON held.segment_id = $segment_id AND held.customer_no = orders.customer_no
  AND held.joined_at < orders.processed_at
  AND (held.left_at IS NULL OR held.left_at >= orders.processed_at)
WHERE NOT is_test AND cancelled_at IS NULL AND processed_at >= $since AND processed_at < $until;

-- forget --
-- Make room for days that are worked out anew.
DELETE FROM segment_days
WHERE segment_id = $segment_id AND shop_day >= $first AND shop_day <= $last;

-- keep --
-- Store the days of one segment.
INSERT INTO segment_days BY NAME SELECT * REPLACE (CAST(shop_day AS DATE) AS shop_day) FROM given_days;

-- days --
-- The stored days of one segment, oldest first.
SELECT shop_day, version, is_recorded, is_past_known, customer_count, buyer_count, repeat_count,
  order_count, spent_amount, mean_sum, gap_count, gap_seconds, day_order_count, day_amount
FROM segment_days
WHERE segment_id = $segment_id AND shop_day >= $first
ORDER BY shop_day;

-- last_days --
-- The newest stored day of each segment.
SELECT segment_id, max(shop_day) FROM segment_days GROUP BY segment_id;
