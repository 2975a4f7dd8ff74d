-- Counted orders with a customer. A row number names an order for as long as the
-- facts stay as they are.
SELECT
  rowid AS rows, customer_no, epoch_us(processed_at) AS processed_at, total_amount, refunded_amount
FROM orders
WHERE NOT is_test AND cancelled_at IS NULL AND customer_no IS NOT NULL
  AND processed_at >= $starts_at AND processed_at < $ends_at
