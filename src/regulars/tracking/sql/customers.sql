-- How many members there were at the start, at the end (or now) and ever.
SELECT
  count(*) FILTER (in_start) AS at_start,
  count(*) FILTER (in_now) AS at_end,
  count(*) FILTER (in_ever) AS ever
FROM people
