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
SELECT o.order_id, c.customer_id, o.processed_at, o.cancelled_at, o.total_amount, o.refunded_amount,
  o.source_name, o.utm_source, o.utm_medium, o.utm_campaign, g.tags, d.codes
FROM orders AS o
JOIN taken AS t ON t.order_id = o.order_id
LEFT JOIN customers AS c ON c.customer_no = o.customer_no
LEFT JOIN (
  SELECT order_id, string_agg(tag, ', ' ORDER BY tag_key) AS tags FROM order_tags GROUP BY order_id
) AS g ON g.order_id = o.order_id
LEFT JOIN (
  SELECT order_id, string_agg(code, ', ' ORDER BY code_key) AS codes FROM order_discount_codes
  GROUP BY order_id
) AS d ON d.order_id = o.order_id;

-- differing_orders --
-- What is otherwise now that the file was taken over, one row per order and attribute.
CREATE TEMP TABLE differing AS
SELECT id, attribute, ours, theirs FROM (
  SELECT n.order_id AS id,
    unnest(['customer', 'processed_at', 'cancelled_at', 'total_amount', 'refunded_amount', 'source',
      'utm_source', 'utm_medium', 'utm_campaign', 'order_tags', 'discount_codes']) AS attribute,
    unnest([n.customer_id, n.processed_at::VARCHAR, n.cancelled_at::VARCHAR,
      n.total_amount::VARCHAR, n.refunded_amount::VARCHAR, n.source_name, n.utm_source,
      n.utm_medium, n.utm_campaign, n.tags, n.codes]) AS ours,
    unnest([c.customer_id, o.processed_at::VARCHAR, o.cancelled_at::VARCHAR,
      o.total_amount::VARCHAR, o.refunded_amount::VARCHAR, o.source_name, o.utm_source,
      o.utm_medium, o.utm_campaign, g.tags, d.codes]) AS theirs
  FROM noted AS n
  JOIN orders AS o ON o.order_id = n.order_id
  LEFT JOIN customers AS c ON c.customer_no = o.customer_no
  LEFT JOIN (
    SELECT order_id, string_agg(tag, ', ' ORDER BY tag_key) AS tags FROM order_tags
    GROUP BY order_id
  ) AS g ON g.order_id = n.order_id
  LEFT JOIN (
    SELECT order_id, string_agg(code, ', ' ORDER BY code_key) AS codes FROM order_discount_codes
    GROUP BY order_id
  ) AS d ON d.order_id = n.order_id
  -- Almost all orders are as they were: they are passed over before anything is written as text.
  WHERE n.customer_id IS DISTINCT FROM c.customer_id
    OR n.processed_at IS DISTINCT FROM o.processed_at
    OR n.cancelled_at IS DISTINCT FROM o.cancelled_at
    OR n.total_amount IS DISTINCT FROM o.total_amount
    OR n.refunded_amount IS DISTINCT FROM o.refunded_amount
    OR n.source_name IS DISTINCT FROM o.source_name
    OR n.utm_source IS DISTINCT FROM o.utm_source
    OR n.utm_medium IS DISTINCT FROM o.utm_medium
    OR n.utm_campaign IS DISTINCT FROM o.utm_campaign
    OR n.tags IS DISTINCT FROM g.tags
    OR n.codes IS DISTINCT FROM d.codes
)
WHERE ours IS DISTINCT FROM theirs;

-- count --
-- How many values were different.
SELECT count(*) FROM differing;

-- sample --
-- The first of them.
SELECT id, attribute, ours, theirs FROM differing ORDER BY id, attribute LIMIT $most;
