-- The orders of one population, named by their rows, within the period.
WITH chosen AS MATERIALIZED (
  SELECT order_id, customer_no, processed_at, total_amount, refunded_amount, source_name
  FROM orders
  WHERE processed_at >= $starts_at AND processed_at < $ends_at
    AND rowid IN (SELECT row_no FROM given_rows)
)
