-- Money paid back after the period's end for the chosen orders: it changes a finished tracking.
SELECT count(*), coalesce(sum(refunds.amount), 0)::HUGEINT, max(refunds.refunded_at)
FROM refunds JOIN chosen ON chosen.order_id = refunds.order_id
WHERE refunds.refunded_at >= $ends_at
