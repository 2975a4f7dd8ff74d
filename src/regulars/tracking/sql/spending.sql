-- What given customers spent in counted orders: the sum, and the sum of each customer's squared.
SELECT coalesce(sum(spent), 0)::DOUBLE, coalesce(sum(spent * spent), 0)
FROM (
  SELECT sum(total_amount - refunded_amount)::DOUBLE AS spent
  FROM orders
  WHERE NOT is_test AND cancelled_at IS NULL
    AND processed_at >= $starts_at AND processed_at < $ends_at
    AND customer_no IN (SELECT customer_no FROM given_customers)
  GROUP BY customer_no
)
