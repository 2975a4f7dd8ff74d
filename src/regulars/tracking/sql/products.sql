-- The products with the largest line totals (after line discounts, before refunds and shipping).
SELECT
  coalesce(any_value(products.title), max_by(lines.title, lines.processed_at), '') AS title,
  lines.product_id, sum(lines.quantity)::BIGINT AS quantity,
  count(DISTINCT lines.order_id) AS orders, sum(lines.amount)::HUGEINT AS amount
FROM lines
JOIN chosen ON chosen.order_id = lines.order_id AND chosen.customer_no = lines.customer_no
LEFT JOIN products ON products.product_id = lines.product_id
WHERE lines.processed_at >= $starts_at AND lines.processed_at < $ends_at
GROUP BY lines.product_id, CASE WHEN lines.product_id IS NULL THEN lines.title END
ORDER BY amount DESC, title, lines.product_id
LIMIT $most
