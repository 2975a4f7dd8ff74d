-- Money paid back after the period's end for orders of one population: it changes a finished tracking.
SELECT count(*), coalesce(sum(refunds.amount), 0)::HUGEINT, max(refunds.refunded_at)
FROM refunds JOIN attributed ON attributed.order_id = refunds.order_id
WHERE refunds.refunded_at >= $ends_at
  AND CASE $population WHEN 'order_time' THEN at_order WHEN 'start' THEN in_start ELSE TRUE END
