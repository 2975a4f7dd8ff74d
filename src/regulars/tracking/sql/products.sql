-- The products with the largest line totals (after line discounts, before refunds and shipping) in the
-- orders of one population.
SELECT
  coalesce(any_value(products.title), max_by(lines.title, lines.processed_at), '') AS title,
  lines.product_id, sum(lines.quantity)::BIGINT AS quantity,
  count(DISTINCT lines.order_id) AS orders, sum(lines.amount)::HUGEINT AS amount
FROM lines
JOIN attributed ON attributed.order_id = lines.order_id
LEFT JOIN products ON products.product_id = lines.product_id
WHERE CASE $population WHEN 'order_time' THEN at_order WHEN 'start' THEN in_start ELSE TRUE END
GROUP BY lines.product_id, CASE WHEN lines.product_id IS NULL THEN lines.title END
ORDER BY amount DESC, title
LIMIT $most
