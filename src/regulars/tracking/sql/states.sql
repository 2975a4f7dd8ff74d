-- Membership is the log replayed: of several entries at one instant the last written one decides.
-- states: what a customer was in this segment, one row per instant, until the period's end.
-- people: the customers of the log by population.
WITH states AS (
  SELECT customer_no, happened_at, arg_max(joined, rowid) AS joined, arg_max(cause, rowid) AS cause
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
