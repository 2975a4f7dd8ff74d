-- First orders of their customers against later ones, for one population. A customer with orders that
-- we may not read has ordered before.
, firsts AS (
  SELECT customer_no, min((processed_at, order_id)) AS first_order
  FROM orders
  WHERE NOT is_test AND cancelled_at IS NULL
    AND customer_no IN (SELECT customer_no FROM attributed)
  GROUP BY customer_no
)
SELECT
  coalesce(firsts.first_order = (attributed.processed_at, attributed.order_id), FALSE)
    AND coalesce(customers.unseen_order_count, 0) = 0 AS is_first,
  count(*), sum(total_amount)::HUGEINT, sum(refunded_amount)::HUGEINT
FROM attributed
LEFT JOIN firsts ON firsts.customer_no = attributed.customer_no
LEFT JOIN customers ON customers.customer_no = attributed.customer_no
WHERE CASE $population WHEN 'order_time' THEN at_order WHEN 'start' THEN in_start ELSE TRUE END
GROUP BY is_first
