-- Orders and money by day of the period and by relation to membership; then the buyers, who cannot be
-- added up over days, as one row with day -1.
SELECT
  day_no, in_start, at_order, is_joining, count(*), sum(total_amount)::HUGEINT,
  sum(refunded_amount)::HUGEINT, 0, 0, 0
FROM attributed ASOF JOIN (
  SELECT
    unnest($bounds::TIMESTAMP[]) AS bound,
    generate_subscripts($bounds::TIMESTAMP[], 1) - 1 AS day_no
) AS days ON attributed.processed_at >= days.bound
GROUP BY day_no, in_start, at_order, is_joining
UNION ALL
SELECT
  -1, FALSE, FALSE, FALSE, 0, 0, 0,
  count(DISTINCT customer_no) FILTER (at_order),
  count(DISTINCT customer_no) FILTER (in_start),
  count(DISTINCT customer_no)
FROM attributed
