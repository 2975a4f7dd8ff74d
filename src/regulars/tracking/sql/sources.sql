-- Where the orders of one population came from.
SELECT
  coalesce(source_name, '') AS source, count(*), sum(total_amount)::HUGEINT,
  sum(refunded_amount)::HUGEINT
FROM attributed
WHERE CASE $population WHEN 'order_time' THEN at_order WHEN 'start' THEN in_start ELSE TRUE END
GROUP BY source
ORDER BY count(*) DESC, source
