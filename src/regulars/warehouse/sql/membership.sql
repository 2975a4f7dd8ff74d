-- current --
-- Who belongs now, with the instant of the segment's last entry.
SELECT customer_no FROM membership_log
WHERE segment_id = ?
GROUP BY customer_no
HAVING sum(CASE WHEN joined THEN 1 ELSE -1 END) = 1;

-- latest --
-- When the segment's last entry happened.
SELECT max(happened_at) FROM membership_log WHERE segment_id = ?;

-- members_at --
-- Who belonged at an instant; an entry of that very instant counts.
SELECT customer_no FROM membership_log
WHERE segment_id = ? AND happened_at <= ?
GROUP BY customer_no
HAVING sum(CASE WHEN joined THEN 1 ELSE -1 END) = 1;

-- ever --
-- Who belonged at any time in [start, end).
SELECT DISTINCT customer_no FROM membership_intervals
WHERE segment_id = ? AND joined_at < ? AND (left_at IS NULL OR left_at > ?);

-- add_flips --
-- Append the flips of many customers, of one instant and cause.
INSERT INTO membership_log
SELECT segment_id, customer_no, ?, joined, ?, version FROM given_flips;

-- entries --
-- The newest entries first, a page at a time; the key of a page is its last rowid.
SELECT rowid, segment_id, customer_no, happened_at, joined, cause, version
FROM membership_log
WHERE ($segment_id IS NULL OR segment_id = $segment_id)
  AND ($customer_nos IS NULL OR list_contains($customer_nos, customer_no))
  AND ($since IS NULL OR happened_at >= $since)
  AND ($until IS NULL OR happened_at <= $until)
  AND ($cause IS NULL OR cause = $cause)
  AND ($joined IS NULL OR joined = $joined)
  AND ($before IS NULL OR rowid < $before)
ORDER BY rowid DESC
LIMIT $most;

-- flips_after --
-- What happened after an entry, in order, with the customers' own ids.
SELECT entry.rowid, entry.segment_id, customers.customer_id, entry.happened_at, entry.joined, entry.cause
FROM membership_log AS entry JOIN customers USING (customer_no)
WHERE entry.rowid > ?
ORDER BY entry.rowid
LIMIT ?;

-- last_key --
-- The newest entry.
SELECT coalesce(max(rowid), -1) FROM membership_log;
