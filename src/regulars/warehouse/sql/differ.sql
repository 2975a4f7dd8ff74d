-- note_customers --
-- What we have of the customers whose rows the file is about to replace.
CREATE TEMP TABLE noted AS
SELECT c.customer_no, c.customer_id AS id, c.language, c.account_status, c.email_subscription_status,
  c.sms_subscription_status, c.product_subscription_status, c.predicted_spend_tier, c.rfm_group,
  c.added_at, c.email, c.phone, c.display_name, c.note
FROM customers AS c
JOIN taken AS t ON t.customer_no = c.customer_no
WHERE c.profile_updated_at IS NOT NULL;

-- texts_of_customers --
-- Their sets of texts, a row for each text, with the place of its owner among the noted.
CREATE TEMP VIEW texts AS
SELECT n.rowid AS place, 'customer_tags' AS attribute, t.tag AS text, t.tag_key AS key
FROM customer_tags AS t JOIN noted AS n USING (customer_no);

-- differing_customers --
-- What is otherwise now that the file was taken over, one row per customer and attribute.
CREATE TEMP TABLE differing AS
SELECT id, attribute, ours, theirs FROM (
  SELECT n.id,
    unnest(['customer_language', 'customer_account_status', 'email_subscription_status',
      'sms_subscription_status', 'product_subscription_status', 'predicted_spend_tier', 'rfm_group',
      'customer_added_date', 'email', 'phone', 'display_name', 'note']) AS attribute,
    unnest([n.language, n.account_status, n.email_subscription_status, n.sms_subscription_status,
      n.product_subscription_status, n.predicted_spend_tier, n.rfm_group, n.added_at::VARCHAR,
      n.email, n.phone, n.display_name, n.note]) AS ours,
    unnest([c.language, c.account_status, c.email_subscription_status, c.sms_subscription_status,
      c.product_subscription_status, c.predicted_spend_tier, c.rfm_group, c.added_at::VARCHAR,
      c.email, c.phone, c.display_name, c.note]) AS theirs
  FROM noted AS n
  JOIN customers AS c ON c.customer_no = n.customer_no
  -- Almost all are as they were: they are passed over before anything is written as text.
  WHERE n.language IS DISTINCT FROM c.language
    OR n.account_status IS DISTINCT FROM c.account_status
    OR n.email_subscription_status IS DISTINCT FROM c.email_subscription_status
    OR n.sms_subscription_status IS DISTINCT FROM c.sms_subscription_status
    OR n.product_subscription_status IS DISTINCT FROM c.product_subscription_status
    OR n.predicted_spend_tier IS DISTINCT FROM c.predicted_spend_tier
    OR n.rfm_group IS DISTINCT FROM c.rfm_group
    OR n.added_at IS DISTINCT FROM c.added_at
    OR n.email IS DISTINCT FROM c.email
    OR n.phone IS DISTINCT FROM c.phone
    OR n.display_name IS DISTINCT FROM c.display_name
    OR n.note IS DISTINCT FROM c.note
)
WHERE ours IS DISTINCT FROM theirs;

-- note_orders --
-- What we have of the orders whose rows the file is about to replace.
CREATE TEMP TABLE noted AS
SELECT o.order_id AS id, o.customer_no, o.processed_at, o.cancelled_at, o.total_amount, o.refunded_amount,
  o.source_name, o.utm_source, o.utm_medium, o.utm_campaign
FROM orders AS o
JOIN taken AS t ON t.order_id = o.order_id;

-- texts_of_orders --
-- The same of orders.
CREATE TEMP VIEW texts AS
SELECT n.rowid AS place, 'order_tags' AS attribute, t.tag AS text, t.tag_key AS key
FROM order_tags AS t JOIN noted AS n ON n.id = t.order_id
UNION ALL
SELECT n.rowid, 'discount_codes', d.code, d.code_key
FROM order_discount_codes AS d JOIN noted AS n ON n.id = d.order_id;

-- differing_orders --
-- What is otherwise now that the file was taken over, one row per order and attribute.
CREATE TEMP TABLE differing AS
SELECT id, attribute, ours, theirs FROM (
  SELECT n.id,
    unnest(['customer', 'processed_at', 'cancelled_at', 'total_amount', 'refunded_amount', 'source',
      'utm_source', 'utm_medium', 'utm_campaign']) AS attribute,
    unnest([b.customer_id, n.processed_at::VARCHAR, n.cancelled_at::VARCHAR,
      n.total_amount::VARCHAR, n.refunded_amount::VARCHAR, n.source_name, n.utm_source,
      n.utm_medium, n.utm_campaign]) AS ours,
    unnest([c.customer_id, o.processed_at::VARCHAR, o.cancelled_at::VARCHAR,
      o.total_amount::VARCHAR, o.refunded_amount::VARCHAR, o.source_name, o.utm_source,
      o.utm_medium, o.utm_campaign]) AS theirs
  FROM noted AS n
  JOIN orders AS o ON o.order_id = n.id
  LEFT JOIN customers AS b ON b.customer_no = n.customer_no
  LEFT JOIN customers AS c ON c.customer_no = o.customer_no
  -- Almost all are as they were: they are passed over before anything is written as text.
  WHERE n.customer_no IS DISTINCT FROM o.customer_no
    OR n.processed_at IS DISTINCT FROM o.processed_at
    OR n.cancelled_at IS DISTINCT FROM o.cancelled_at
    OR n.total_amount IS DISTINCT FROM o.total_amount
    OR n.refunded_amount IS DISTINCT FROM o.refunded_amount
    OR n.source_name IS DISTINCT FROM o.source_name
    OR n.utm_source IS DISTINCT FROM o.utm_source
    OR n.utm_medium IS DISTINCT FROM o.utm_medium
    OR n.utm_campaign IS DISTINCT FROM o.utm_campaign
)
WHERE ours IS DISTINCT FROM theirs;

-- note_texts --
-- The sets of texts as we have them.
CREATE TEMP TABLE noted_texts AS FROM texts;

-- differing_texts --
-- The same for sets of texts: written out for those sets alone where a text came or went.
INSERT INTO differing
WITH sides AS (
  SELECT place, attribute, text, key, 1 AS side FROM noted_texts
  UNION ALL
  SELECT place, attribute, text, key, -1 FROM texts
),
turned AS (
  SELECT DISTINCT place, attribute FROM (
    SELECT place, attribute FROM sides GROUP BY place, attribute, text HAVING sum(side) <> 0
  )
),
written AS (
  SELECT place, attribute, string_agg(text, ', ' ORDER BY key) FILTER (side = 1) AS ours,
    string_agg(text, ', ' ORDER BY key) FILTER (side = -1) AS theirs
  FROM sides SEMI JOIN turned USING (place, attribute)
  GROUP BY place, attribute
)
SELECT n.id, attribute, ours, theirs FROM written JOIN noted AS n ON n.rowid = place;

-- count --
-- How many values were different.
SELECT count(*) FROM differing;

-- sample --
-- The first of them.
SELECT id, attribute, ours, theirs FROM differing ORDER BY id, attribute LIMIT $most;
