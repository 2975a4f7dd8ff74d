-- First orders of their customers against later ones. A customer with orders that we may not read has
-- ordered before. The kept first_order_at names the instant; of several orders then the first by id is
-- the first.
, firsts AS (
  SELECT orders.customer_no, min(orders.order_id) AS order_id
  FROM orders JOIN customers
    ON customers.customer_no = orders.customer_no AND customers.first_order_at = orders.processed_at
  WHERE NOT orders.is_test AND orders.cancelled_at IS NULL AND customers.unseen_order_count = 0
    AND orders.processed_at >= $starts_at AND orders.processed_at < $ends_at
    AND orders.customer_no IN (SELECT customer_no FROM chosen)
  GROUP BY orders.customer_no
)
SELECT
  firsts.order_id IS NOT NULL AS is_first, count(*), sum(total_amount)::HUGEINT,
  sum(refunded_amount)::HUGEINT
FROM chosen
LEFT JOIN firsts ON firsts.customer_no = chosen.customer_no AND firsts.order_id = chosen.order_id
GROUP BY is_first
