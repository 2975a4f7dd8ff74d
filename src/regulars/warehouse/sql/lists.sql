-- take_keys --
-- The keys of a file, as segments.uploads wrote them.
CREATE OR REPLACE TEMP TABLE given_rows AS
SELECT line AS row_no, id_key, email_key, phone_key, reason, shown
FROM read_csv(
  $path, header = FALSE, auto_detect = FALSE, delim = ',', quote = '"', escape = '"', nullstr = '',
  columns = {
    line: 'BIGINT', id_key: 'VARCHAR', email_key: 'VARCHAR', phone_key: 'VARCHAR', reason: 'VARCHAR',
    shown: 'VARCHAR'
  }
);

-- take_waiting --
-- All rows of these lists that wait for their customer.
CREATE OR REPLACE TEMP TABLE given_rows AS
SELECT rowid AS row_no, list_id, id_key, email_key, phone_key
FROM list_rows
WHERE customer_no IS NULL AND removed_by IS NULL
  AND list_id IN (SELECT list_id FROM given_lists);

-- take_waiting_for --
-- The waiting rows of these lists that name one of these people.
CREATE OR REPLACE TEMP TABLE given_rows AS
SELECT rowid AS row_no, list_id, id_key, email_key, phone_key
FROM list_rows
WHERE customer_no IS NULL AND removed_by IS NULL
  AND list_id IN (SELECT list_id FROM given_lists)
  AND (
    id_key IN (SELECT id_key FROM given_people)
    OR email_key IN (SELECT email_key FROM given_people)
    OR phone_key IN (SELECT phone_key FROM given_people)
  );

-- kinds_given --
-- Which kinds of keys the given rows have.
SELECT count(email_key) > 0, count(phone_key) > 0 FROM given_rows;

-- fit --
-- Whom each given row stands for. The id decides where somebody has it, then the e-mail, then the
-- phone; two customers with one e-mail leave the row open. The id of a merged customer is the other's.
-- Customers' phones are brought to one form only where a row names one: that is the costly part.
CREATE OR REPLACE TEMP TABLE fitted_rows AS
WITH phoned AS (
  SELECT
    customer_no,
    CASE
      WHEN starts_with(phone, '+') THEN '+' || regexp_replace(phone, '[^0-9]', '', 'g')
      WHEN starts_with(phone, '00') THEN '+' || regexp_replace(phone[3:], '[^0-9]', '', 'g')
      WHEN starts_with(phone, '0')
        THEN '+' || $calling_code || regexp_replace(phone[2:], '[^0-9]', '', 'g')
      WHEN $calling_code = '1' AND length(regexp_replace(phone, '[^0-9]', '', 'g')) = 10
        THEN '+1' || regexp_replace(phone, '[^0-9]', '', 'g')
    END AS phone_key
  FROM customers
  WHERE deleted_at IS NULL AND phone IS NOT NULL AND $with_phones
),
ids AS (
  SELECT told.customer_id AS id_key, coalesce(kept.customer_no, told.customer_no) AS customer_no
  FROM customers AS told LEFT JOIN customers AS kept ON kept.customer_no = told.merged_into_no
  WHERE told.customer_id IN (SELECT id_key FROM given_rows)
    AND (told.deleted_at IS NULL OR (kept.customer_no IS NOT NULL AND kept.deleted_at IS NULL))
),
emails AS (
  SELECT lower(trim(email)) AS email_key, count(*) AS people_count, min(customer_no) AS customer_no
  FROM customers
  WHERE deleted_at IS NULL AND $with_emails
    AND lower(trim(email)) IN (SELECT email_key FROM given_rows)
  GROUP BY 1
),
phones AS (
  SELECT phone_key, count(*) AS people_count, min(customer_no) AS customer_no
  FROM phoned WHERE phone_key IN (SELECT phone_key FROM given_rows) GROUP BY phone_key
)
SELECT
  row_no,
  CASE
    WHEN ids.customer_no IS NOT NULL THEN ids.customer_no
    WHEN emails.people_count = 1 THEN emails.customer_no
    WHEN emails.people_count > 1 THEN NULL
    WHEN phones.people_count = 1 THEN phones.customer_no
  END AS customer_no,
  ids.customer_no IS NULL AND coalesce(emails.people_count, phones.people_count, 0) > 1
    AS is_ambiguous
FROM given_rows
LEFT JOIN ids ON ids.id_key = given_rows.id_key
LEFT JOIN emails ON emails.email_key = given_rows.email_key
LEFT JOIN phones ON phones.phone_key = given_rows.phone_key;

-- take_told --
-- The rows of a part by what they say, in a table whose size is known: it is what is kept in memory
-- while the earlier parts are read.
CREATE OR REPLACE TEMP TABLE told_rows AS
SELECT
  row_no, customer_no,
  coalesce(id_key, '') AS i, coalesce(email_key, '') AS e, coalesce(phone_key, '') AS p
FROM given_rows JOIN fitted_rows USING (row_no)
WHERE reason IS NULL;

-- find_alike --
-- The rows of a part that say again what one before them says, in it or in an earlier part: the first
-- of a customer, or of the same keys, counts. Earlier parts have one row each that counts.
CREATE OR REPLACE TEMP TABLE alike_rows AS
WITH same_people AS (
  SELECT customer_no, min(row_no) AS first_no FROM told_rows
  WHERE customer_no IS NOT NULL GROUP BY customer_no HAVING count(*) > 1
),
same_keys AS (
  SELECT i, e, p, min(row_no) AS first_no FROM told_rows
  WHERE customer_no IS NULL GROUP BY i, e, p HAVING count(*) > 1
)
SELECT row_no FROM told_rows JOIN same_people USING (customer_no) WHERE row_no > first_no
UNION ALL
SELECT row_no FROM told_rows JOIN same_keys USING (i, e, p)
WHERE customer_no IS NULL AND row_no > first_no
UNION ALL
SELECT row_no
FROM upload_rows AS earlier JOIN told_rows AS told ON told.customer_no = earlier.customer_no
WHERE upload_id = $upload_id AND outcome = 'matched'
UNION ALL
SELECT row_no
FROM upload_rows AS earlier
JOIN told_rows AS told
  ON i = coalesce(earlier.id_key, '') AND e = coalesce(earlier.email_key, '')
  AND p = coalesce(earlier.phone_key, '')
WHERE upload_id = $upload_id AND outcome IN ('not_found', 'ambiguous') AND told.customer_no IS NULL;

-- keep_checked --
-- Every row of a part of the file with its outcome.
INSERT INTO upload_rows
SELECT
  $upload_id, row_no,
  CASE
    WHEN reason IS NOT NULL THEN 'invalid'
    WHEN row_no IN (SELECT row_no FROM alike_rows) THEN 'duplicate'
    WHEN customer_no IS NOT NULL THEN 'matched'
    WHEN is_ambiguous THEN 'ambiguous'
    ELSE 'not_found'
  END,
  customer_no, id_key, email_key, phone_key, reason, shown
FROM given_rows JOIN fitted_rows USING (row_no);

-- count_checked --
-- Rows by outcome.
SELECT outcome, count(*) FROM upload_rows WHERE upload_id = $upload_id GROUP BY outcome;

-- checked_members --
-- The customers that a file names.
SELECT customer_no FROM upload_rows WHERE upload_id = $upload_id AND outcome = 'matched';

-- checked_page --
-- Rows that are no members, in the order of the file.
SELECT line, outcome, reason, shown, email_key, phone_key
FROM upload_rows
WHERE upload_id = $upload_id AND line > $after
  AND ($outcome IS NULL AND outcome NOT IN ('matched') OR outcome = $outcome)
ORDER BY line
LIMIT $most;

-- same_people --
-- The ids of customers who share an e-mail or a phone.
SELECT customer_id, lower(trim(email)) AS email_key, phone
FROM customers
WHERE deleted_at IS NULL
  AND (lower(trim(email)) IN (SELECT key FROM given_keys) OR phone IN (SELECT key FROM given_keys))
ORDER BY customer_no;

-- forget_checked --
-- An upload's checked rows are needed until it is applied or discarded.
DELETE FROM upload_rows WHERE upload_id = $upload_id;

-- waiting_kept --
-- How many waiting rows of a list stay, and how many the file would add, by their keys.
WITH listed AS (
  SELECT DISTINCT coalesce(id_key, '') AS i, coalesce(email_key, '') AS e, coalesce(phone_key, '') AS p
  FROM list_rows WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NULL
),
told AS (
  SELECT DISTINCT coalesce(id_key, '') AS i, coalesce(email_key, '') AS e, coalesce(phone_key, '') AS p
  FROM upload_rows WHERE upload_id = $upload_id AND outcome IN ('not_found', 'ambiguous')
)
SELECT
  (SELECT count(*) FROM listed), (SELECT count(*) FROM told),
  (SELECT count(*) FROM listed JOIN told USING (i, e, p));

-- forget_removed --
-- What the upload before the last took out cannot come back any more.
DELETE FROM list_rows WHERE list_id = $list_id AND removed_by IS NOT NULL;

-- take_out_unnamed_members --
-- Replacing: members whom the file does not name.
UPDATE list_rows SET removed_by = $upload_id
WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NOT NULL
  AND customer_no NOT IN (
    SELECT customer_no FROM upload_rows WHERE upload_id = $upload_id AND outcome = 'matched'
  );

-- take_out_unnamed_waiting --
-- Replacing: waiting rows that the file does not have.
UPDATE list_rows SET removed_by = $upload_id
WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NULL
  AND NOT EXISTS (
    FROM upload_rows AS told
    WHERE told.upload_id = $upload_id AND told.outcome IN ('not_found', 'ambiguous')
      AND coalesce(told.id_key, '') = coalesce(list_rows.id_key, '')
      AND coalesce(told.email_key, '') = coalesce(list_rows.email_key, '')
      AND coalesce(told.phone_key, '') = coalesce(list_rows.phone_key, '')
  );

-- take_out_named_members --
-- Removing: members whom the file names.
UPDATE list_rows SET removed_by = $upload_id
WHERE list_id = $list_id AND removed_by IS NULL
  AND customer_no IN (
    SELECT customer_no FROM upload_rows WHERE upload_id = $upload_id AND outcome = 'matched'
  );

-- take_out_named_waiting --
-- Removing: waiting rows that the file has as well.
UPDATE list_rows SET removed_by = $upload_id
WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NULL
  AND EXISTS (
    FROM upload_rows AS told
    WHERE told.upload_id = $upload_id AND told.outcome IN ('not_found', 'ambiguous')
      AND coalesce(told.id_key, '') = coalesce(list_rows.id_key, '')
      AND coalesce(told.email_key, '') = coalesce(list_rows.email_key, '')
      AND coalesce(told.phone_key, '') = coalesce(list_rows.phone_key, '')
  );

-- add_members --
-- Customers of the file who are not on the list.
INSERT INTO list_rows
SELECT $list_id, customer_no, NULL, NULL, NULL, $upload_id, NULL
FROM upload_rows
WHERE upload_id = $upload_id AND outcome = 'matched'
  AND customer_no NOT IN (
    SELECT customer_no FROM list_rows
    WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NOT NULL
  );

-- add_waiting --
-- Rows of the file that wait and are not on the list.
INSERT INTO list_rows
SELECT $list_id, NULL, id_key, email_key, phone_key, $upload_id, NULL
FROM upload_rows
WHERE upload_id = $upload_id AND outcome IN ('not_found', 'ambiguous')
  AND NOT EXISTS (
    FROM list_rows AS listed
    WHERE listed.list_id = $list_id AND listed.removed_by IS NULL AND listed.customer_no IS NULL
      AND coalesce(listed.id_key, '') = coalesce(upload_rows.id_key, '')
      AND coalesce(listed.email_key, '') = coalesce(upload_rows.email_key, '')
      AND coalesce(listed.phone_key, '') = coalesce(upload_rows.phone_key, '')
  );

-- take_back_added --
-- Undoing: what an upload brought goes, matched in the meantime or not.
DELETE FROM list_rows WHERE list_id = $list_id AND added_by = $upload_id;

-- bring_back_removed --
-- Undoing: what an upload took out comes back.
UPDATE list_rows SET removed_by = NULL WHERE list_id = $list_id AND removed_by = $upload_id;

-- settle_fitted --
-- Waiting rows whose customer is there now: the keys are forgotten.
UPDATE list_rows
SET customer_no = fitted_rows.customer_no, id_key = NULL, email_key = NULL, phone_key = NULL
FROM fitted_rows
WHERE fitted_rows.customer_no IS NOT NULL AND list_rows.rowid = fitted_rows.row_no;

-- newly_fitted --
-- Who came onto which list.
SELECT list_id, customer_no
FROM given_rows JOIN fitted_rows USING (row_no)
WHERE customer_no IS NOT NULL;

-- members --
-- The customers of a list.
SELECT DISTINCT customer_no FROM list_rows
WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NOT NULL;

-- follow_merges --
-- Rows of merged customers become the rows of those they were merged into.
UPDATE list_rows SET customer_no = customers.merged_into_no
FROM customers
WHERE customers.customer_no = list_rows.customer_no AND customers.merged_into_no IS NOT NULL
  AND list_rows.list_id = $list_id;

-- count_waiting --
-- Rows of a list that wait for their customer.
SELECT count(*) FROM list_rows WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NULL;

-- waiting_marks --
-- The first 32 bits of the MD5 of each waiting key: whether a customer may be waited for is asked for
-- each change of a customer, and has to cost nothing.
SELECT DISTINCT ('0x' || substr(md5(key), 1, 8))::UINTEGER AS mark
FROM (
  SELECT unnest([
    'id ' || id_key, 'email ' || email_key, 'phone ' || phone_key
  ]) AS key
  FROM list_rows
  WHERE customer_no IS NULL AND removed_by IS NULL
    AND list_id IN (SELECT list_id FROM given_lists)
)
WHERE key IS NOT NULL;

-- move --
-- A customer was merged into another: the rows of the one are the other's.
UPDATE list_rows SET customer_no = $kept_no WHERE customer_no = $removed_no;

-- erase --
-- A customer is to be forgotten for good.
DELETE FROM list_rows WHERE customer_no = $customer_no;

-- erase_log --
-- The same for who was on a list.
DELETE FROM list_log WHERE customer_no = $customer_no;

-- log --
-- Who came onto a list, or who went.
INSERT INTO list_log SELECT $list_id, customer_no, $at, $joined FROM given_flips;

-- changed_since --
-- What first happened to each customer of a list after an instant.
SELECT customer_no, arg_min(joined, rowid) AS joined FROM list_log
WHERE list_id = $list_id AND happened_at > $at
GROUP BY customer_no;

-- merged_into --
-- Whom these customers were merged into.
SELECT customer_no, merged_into_no FROM customers
WHERE customer_no IN (SELECT unnest($numbers)) AND merged_into_no IS NOT NULL;

-- list_page --
-- A list as a file: members by id, then waiting rows by their keys.
SELECT customers.customer_id AS id_key, NULL AS email_key, NULL AS phone_key
FROM list_rows JOIN customers ON customers.customer_no = list_rows.customer_no
WHERE list_id = $list_id AND removed_by IS NULL AND customers.deleted_at IS NULL
UNION ALL
SELECT id_key, email_key, phone_key FROM list_rows
WHERE list_id = $list_id AND removed_by IS NULL AND list_rows.customer_no IS NULL;

-- waiting_page --
-- The waiting rows of a list.
SELECT id_key, email_key, phone_key FROM list_rows
WHERE list_id = $list_id AND removed_by IS NULL AND customer_no IS NULL
ORDER BY ALL LIMIT $most;

-- drop_list --
-- A list that nobody has any more.
DELETE FROM list_rows WHERE list_id = $list_id;
