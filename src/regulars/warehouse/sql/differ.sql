-- note_customers --
-- What we have of the customers whose rows the file is about to replace.
CREATE TEMP TABLE noted AS
SELECT c.customer_no, c.customer_id, c.language, c.account_status, c.email_subscription_status,
  c.sms_subscription_status, c.product_subscription_status, c.predicted_spend_tier, c.rfm_group,
  c.added_at, c.email, c.phone, c.display_name, c.note, g.tags
FROM customers AS c
JOIN taken AS t ON t.customer_no = c.customer_no
LEFT JOIN (
  SELECT customer_no, string_agg(tag, ', ' ORDER BY tag_key) AS tags FROM customer_tags
  GROUP BY customer_no
) AS g ON g.customer_no = c.customer_no
WHERE c.profile_updated_at IS NOT NULL;

-- differing_customers --
-- What is otherwise now that the file was taken over, one row per customer and attribute.
CREATE TEMP TABLE differing AS
SELECT id, attribute, ours, theirs FROM (
  SELECT n.customer_id AS id,
    unnest(['customer_language', 'customer_account_status', 'email_subscription_status',
      'sms_subscription_status', 'product_subscription_status', 'predicted_spend_tier', 'rfm_group',
      'customer_added_date', 'email', 'phone', 'display_name', 'note', 'customer_tags']) AS attribute,
    unnest([n.language, n.account_status, n.email_subscription_status, n.sms_subscription_status,
      n.product_subscription_status, n.predicted_spend_tier, n.rfm_group, n.added_at::VARCHAR,
      n.email, n.phone, n.display_name, n.note, n.tags]) AS ours,
    unnest([c.language, c.account_status, c.email_subscription_status, c.sms_subscription_status,
      c.product_subscription_status, c.predicted_spend_tier, c.rfm_group, c.added_at::VARCHAR,
      c.email, c.phone, c.display_name, c.note, g.tags]) AS theirs
  FROM noted AS n
  JOIN customers AS c ON c.customer_no = n.customer_no
  LEFT JOIN (
    SELECT customer_no, string_agg(tag, ', ' ORDER BY tag_key) AS tags FROM customer_tags
    GROUP BY customer_no
  ) AS g ON g.customer_no = n.customer_no
)
WHERE ours IS DISTINCT FROM theirs;

-- note_orders --
-- What we have of the orders whose rows the file is about to replace.
CREATE TEMP TABLE noted AS
SELECT o.order_id, c.customer_id, o.processed_at, o.cancelled_at, o.total_amount, o.refunded_amount
FROM orders AS o
JOIN taken AS t ON t.order_id = o.order_id
LEFT JOIN customers AS c ON c.customer_no = o.customer_no;

-- differing_orders --
-- What is otherwise now that the file was taken over, one row per order and attribute.
CREATE TEMP TABLE differing AS
SELECT id, attribute, ours, theirs FROM (
  SELECT n.order_id AS id,
    unnest(['customer', 'processed_at', 'cancelled_at', 'total_amount', 'refunded_amount']) AS attribute,
    unnest([n.customer_id, n.processed_at::VARCHAR, n.cancelled_at::VARCHAR,
      n.total_amount::VARCHAR, n.refunded_amount::VARCHAR]) AS ours,
    unnest([c.customer_id, o.processed_at::VARCHAR, o.cancelled_at::VARCHAR,
      o.total_amount::VARCHAR, o.refunded_amount::VARCHAR]) AS theirs
  FROM noted AS n
  JOIN orders AS o ON o.order_id = n.order_id
  LEFT JOIN customers AS c ON c.customer_no = o.customer_no
)
WHERE ours IS DISTINCT FROM theirs;

-- count --
-- How many values were different.
SELECT count(*) FROM differing;

-- sample --
-- The first of them.
SELECT id, attribute, ours, theirs FROM differing ORDER BY id, attribute LIMIT $most;
