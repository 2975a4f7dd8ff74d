-- Counted orders of the period by customers who were ever members, with how each order relates to its
-- customer's membership. A member just before an order is one whose last state strictly earlier says
-- joined; an order that changes membership at its own instant comes before that change.
,
counted AS (
  SELECT order_id, customer_no, processed_at, total_amount, refunded_amount, source_name
  FROM orders
  WHERE NOT is_test AND cancelled_at IS NULL AND customer_no IS NOT NULL
    AND processed_at >= $starts_at AND processed_at < $ends_at
),
related AS (
  SELECT
    counted.order_id,
    any_value(counted.customer_no) AS customer_no,
    any_value(counted.processed_at) AS processed_at,
    any_value(total_amount) AS total_amount,
    any_value(refunded_amount) AS refunded_amount,
    any_value(source_name) AS source_name,
    coalesce(
      arg_max(joined, happened_at) FILTER (happened_at < processed_at), FALSE
    ) AS at_order,
    coalesce(
      arg_max(joined, happened_at) FILTER (happened_at <= processed_at), FALSE
    ) AS after_order
  FROM counted JOIN states ON states.customer_no = counted.customer_no
  GROUP BY counted.order_id
),
attributed AS MATERIALIZED (
  SELECT
    related.*,
    in_start,
    in_ever OR at_order AS in_ever,
    after_order AND NOT at_order AS is_joining
  FROM related JOIN people ON people.customer_no = related.customer_no
  WHERE in_ever OR at_order
)
