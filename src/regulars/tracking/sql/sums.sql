-- Orders and money by day of the period and by relation to membership; then the buyers, who cannot be
-- added up over days, as one row with day -1.
SELECT
  day_no, in_start, at_order, is_joining, count(*), sum(total_amount)::HUGEINT,
  sum(refunded_amount)::HUGEINT, 0, 0, 0
-- Each shop day stands once per UTC day that it touches, so that the join is by equality.
FROM attributed JOIN (
  SELECT
    unnest($utc_days::DATE[]) AS utc_day,
    unnest($day_starts::TIMESTAMP[]) AS starts_at,
    unnest($day_ends::TIMESTAMP[]) AS ends_at,
    unnest($day_nos::INTEGER[]) AS day_no
) AS days
  ON attributed.processed_at::DATE = days.utc_day
  AND attributed.processed_at >= days.starts_at AND attributed.processed_at < days.ends_at
GROUP BY day_no, in_start, at_order, is_joining
UNION ALL
SELECT
  -1, FALSE, FALSE, FALSE, 0, 0, 0,
  count(DISTINCT customer_no) FILTER (at_order),
  count(DISTINCT customer_no) FILTER (in_start),
  count(DISTINCT customer_no)
FROM attributed
