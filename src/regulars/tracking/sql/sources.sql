-- Where the orders came from.
SELECT
  coalesce(source_name, '') AS source, count(*), sum(total_amount)::HUGEINT,
  sum(refunded_amount)::HUGEINT
FROM chosen
GROUP BY source
ORDER BY count(*) DESC, source
