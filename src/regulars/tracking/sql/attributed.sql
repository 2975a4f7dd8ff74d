-- Counted orders of the period by customers who were ever members, with how each order relates to its
-- customer's membership. A member just before an order is one whose last state strictly earlier says
-- joined. An order made its customer a member when the next state says joined, was caused by an order,
-- and is of the same instant, or within a day with no other order of the customer in between: the log
-- is dated when the order was told to us, a little after it was placed.
,
counted AS (
  SELECT
    order_id, customer_no, processed_at, total_amount, refunded_amount, source_name,
    lead(processed_at) OVER (PARTITION BY customer_no ORDER BY processed_at, order_id) AS next_order_at
  FROM orders
  WHERE NOT is_test AND cancelled_at IS NULL AND customer_no IS NOT NULL
    AND processed_at >= $starts_at AND processed_at < $ends_at
),
related AS (
  SELECT
    counted.order_id,
    any_value(counted.customer_no) AS customer_no,
    any_value(counted.processed_at) AS processed_at,
    any_value(next_order_at) AS next_order_at,
    any_value(total_amount) AS total_amount,
    any_value(refunded_amount) AS refunded_amount,
    any_value(source_name) AS source_name,
    coalesce(
      arg_max(joined, happened_at) FILTER (happened_at < processed_at), FALSE
    ) AS at_order,
    min(happened_at) FILTER (happened_at >= processed_at) AS next_at,
    arg_min(joined, happened_at) FILTER (happened_at >= processed_at) AS next_joined,
    arg_min(cause, happened_at) FILTER (happened_at >= processed_at) AS next_cause
  FROM counted JOIN states ON states.customer_no = counted.customer_no
  GROUP BY counted.order_id
),
attributed AS MATERIALIZED (
  SELECT
    order_id, related.customer_no, processed_at, total_amount, refunded_amount, source_name, at_order,
    in_start,
    in_ever OR at_order AS in_ever,
    NOT at_order AND coalesce(next_joined, FALSE) AND next_cause = 'order' AND (
      next_at = processed_at
      OR next_at <= processed_at + INTERVAL 1 DAY
        AND (next_order_at IS NULL OR next_order_at > next_at)
    ) AS is_joining
  FROM related JOIN people ON people.customer_no = related.customer_no
  WHERE in_ever OR at_order
)
