"""The SQL of revenue trackings: every query with a sentence above it. All values are bound.

Membership is the log replayed: of several entries at one instant the last written one decides. A
member *just before* an order is one whose last entry strictly earlier than it says joined.
"""

# The states a customer had in this segment, one per instant, until the period's end.
_STATES = """
WITH states AS (
  SELECT customer_no, happened_at, arg_max(joined, rowid) AS joined, any_value(cause) AS cause
  FROM membership_log
  WHERE segment_id = $segment_id AND happened_at < $ends_at
  GROUP BY customer_no, happened_at
),
people AS (
  SELECT
    customer_no,
    coalesce(arg_max(joined, happened_at) FILTER (happened_at <= $members_at), FALSE) AS in_start,
    coalesce(arg_max(joined, happened_at) FILTER (happened_at <= $starts_at), FALSE)
      OR coalesce(bool_or(joined) FILTER (happened_at > $starts_at), FALSE) AS in_ever,
    coalesce(arg_max(joined, happened_at), FALSE) AS in_now
  FROM states
  GROUP BY customer_no
)
"""

# Counted orders of the period by customers who were ever members, with how each order relates to
# its customer's membership. An order that changes membership at its own instant comes first.
_ATTRIBUTED = (
    _STATES
    + """,
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
"""
)

# How many members there were at the start, at the end (or now) and ever.
CUSTOMERS = (
    _STATES
    + """
SELECT
  count(*) FILTER (in_start) AS at_start,
  count(*) FILTER (in_now) AS at_end,
  count(*) FILTER (in_ever) AS ever
FROM people
"""
)

# Orders and money by day of the period and by relation to membership; then the buyers, who cannot
# be added up over days, as one row with day -1.
SUMS = (
    _ATTRIBUTED
    + """
SELECT
  day_no, in_start, at_order, is_joining, count(*), sum(total_amount)::HUGEINT,
  sum(refunded_amount)::HUGEINT, 0, 0, 0
FROM attributed ASOF JOIN (
  SELECT unnest($bounds::TIMESTAMP[]) AS bound, generate_subscripts($bounds::TIMESTAMP[], 1) - 1 AS day_no
) AS days ON attributed.processed_at >= days.bound
GROUP BY day_no, in_start, at_order, is_joining
UNION ALL
SELECT
  -1, FALSE, FALSE, FALSE, 0, 0, 0,
  count(DISTINCT customer_no) FILTER (at_order),
  count(DISTINCT customer_no) FILTER (in_start),
  count(DISTINCT customer_no)
FROM attributed
"""
)
