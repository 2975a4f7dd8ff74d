-- known_events --
-- The deliveries among those given that this file already holds.
SELECT event_key FROM applied_events WHERE event_key IN (SELECT unnest($keys::VARCHAR[]));

-- next_customer_no --
-- Numbers are dense and never reused.
SELECT coalesce(max(customer_no) + 1, 0) FROM customers;

-- customers_by_id --
-- The stored state of the customers that a batch names.
SELECT customer_no, customer_id, profile_updated_at, tags_updated_at, consent_updated_at, erased_at,
  is_erased_forever, merged_into_no, display_name, email, phone, language, note, account_status,
  product_subscription_status, predicted_spend_tier, rfm_group, added_at,
  email_subscription_status, sms_subscription_status, shopify_order_count, shopify_spent_amount
FROM customers
WHERE customer_id IN (SELECT unnest($ids::VARCHAR[]));

-- customers_by_no --
-- The same by number, for those that a merge leads to.
SELECT customer_no, customer_id, profile_updated_at, tags_updated_at, consent_updated_at, erased_at,
  is_erased_forever, merged_into_no, display_name, email, phone, language, note, account_status,
  product_subscription_status, predicted_spend_tier, rfm_group, added_at,
  email_subscription_status, sms_subscription_status, shopify_order_count, shopify_spent_amount
FROM customers
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- figures_by_id --
-- What a batch of nothing but orders has to know of the customers that it names.
SELECT customer_no, customer_id, profile_updated_at, tags_updated_at, consent_updated_at, erased_at,
  is_erased_forever, merged_into_no, shopify_order_count, shopify_spent_amount
FROM customers
WHERE customer_id IN (SELECT unnest($ids::VARCHAR[]));

-- figures_by_no --
-- The same by number.
SELECT customer_no, customer_id, profile_updated_at, tags_updated_at, consent_updated_at, erased_at,
  is_erased_forever, merged_into_no, shopify_order_count, shopify_spent_amount
FROM customers
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- versions --
-- When each field of these customers was last told.
SELECT customer_no, display_name, email, phone, language, note, account_status,
  product_subscription_status, predicted_spend_tier, rfm_group, added_at,
  email_subscription_status, sms_subscription_status, shopify_order_count, shopify_spent_amount,
  tags, addresses, company_ids, metafields, store_credit
FROM customer_versions
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- tags --
-- The tags of these customers.
SELECT customer_no, tag, tag_key FROM customer_tags
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- tag_marks --
-- Single tags told after the whole set.
SELECT customer_no, tag, tag_key, is_given, told_at FROM customer_tag_marks
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_versions --
-- Before the newer ones are written.
DELETE FROM customer_versions WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_tags --
-- Before the newer ones are written.
DELETE FROM customer_tags WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_tag_marks --
-- Before the newer ones are written.
DELETE FROM customer_tag_marks WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_addresses --
-- A told set replaces the stored one.
DELETE FROM addresses WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_company_ids --
-- A told set replaces the stored one.
DELETE FROM customer_companies WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_metafields --
-- A told set replaces the stored one.
DELETE FROM metafields WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- drop_store_credit --
-- A told set replaces the stored one.
DELETE FROM store_credit_accounts WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- tombstones --
-- When these were deleted.
SELECT id, max(deleted_at) FROM tombstones
WHERE kind = $kind AND id IN (SELECT unnest($ids::VARCHAR[]))
GROUP BY id;

-- known_orders --
-- What is known about the orders that a batch names: their stored state, when they were deleted, and
-- how many refunds they have, which decides between two states of one second.
SELECT 'order' AS what, order_id, updated_at AS at, customer_no, cancelled_at IS NOT NULL, NULL
FROM orders WHERE order_id IN (SELECT unnest($ids::VARCHAR[]))
UNION ALL
SELECT 'refunds', order_id, NULL, NULL, NULL, count(*)
FROM refunds WHERE order_id IN (SELECT unnest($ids::VARCHAR[]))
GROUP BY order_id
UNION ALL
SELECT 'deleted', id, max(deleted_at), NULL, NULL, NULL
FROM tombstones WHERE kind = 'order' AND id IN (SELECT unnest($ids::VARCHAR[]))
GROUP BY id;

-- drop_orders --
-- Orders that are replaced or deleted.
DELETE FROM orders WHERE order_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_lines --
-- The lines of orders that are replaced or deleted.
DELETE FROM lines WHERE order_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_order_tags --
-- The tags of orders that are replaced or deleted.
DELETE FROM order_tags WHERE order_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_order_discount_codes --
-- The discount codes of orders that are replaced or deleted.
DELETE FROM order_discount_codes WHERE order_id IN (SELECT unnest($ids::VARCHAR[]));

-- refunded --
-- What was paid back on these orders.
SELECT order_id, sum(amount)::BIGINT FROM refunds
WHERE order_id IN (SELECT unnest($ids::VARCHAR[]))
GROUP BY order_id;

-- move_orders --
-- Orders of a customer who was merged into another.
UPDATE orders SET customer_no = m.kept_no FROM given_moves AS m WHERE customer_no = m.removed_no;

-- move_lines --
-- Lines of a customer who was merged into another.
UPDATE lines SET customer_no = m.kept_no FROM given_moves AS m WHERE customer_no = m.removed_no;

-- refunds_by_id --
-- The stored refunds among those that a batch names.
SELECT refund_id, order_id, refunded_at, amount, told_at FROM refunds
WHERE refund_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_refunds --
-- Refunds that are told anew.
DELETE FROM refunds WHERE refund_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_refunds_of_deleted --
-- Refunds of an order that was deleted after they were told.
DELETE FROM refunds
WHERE EXISTS (
  FROM (
    SELECT unnest($ids::VARCHAR[]) AS id, unnest($instants::TIMESTAMP[]) AS deleted_at
  ) AS gone
  WHERE gone.id = refunds.order_id AND refunds.told_at <= gone.deleted_at
);

-- sum_refunds --
-- What was paid back on these orders.
UPDATE orders SET refunded_amount = s.amount
FROM (
  SELECT g.id, coalesce(sum(r.amount), 0)::BIGINT AS amount
  FROM given_ids AS g LEFT JOIN refunds AS r ON r.order_id = g.id
  GROUP BY g.id
) AS s
WHERE orders.order_id = s.id AND orders.refunded_amount <> s.amount;

-- customers_of_orders --
-- Whose orders these are.
SELECT DISTINCT customer_no FROM orders
WHERE order_id IN (SELECT id FROM given_ids) AND customer_no IS NOT NULL;

-- keep_sums --
-- The kept sums of these customers, from their counted orders (not test, not cancelled) as they
-- stand now. A condition beside the customers' numbers would keep the index from being used.
UPDATE customers SET
  order_count = coalesce(s.order_count, 0), spent_amount = coalesce(s.spent_amount, 0),
  first_order_at = s.first_order_at, last_order_at = s.last_order_at
FROM given_nos AS g
LEFT JOIN (
  SELECT customer_no, count(*) FILTER (counts) AS order_count,
    sum(total_amount - refunded_amount) FILTER (counts)::BIGINT AS spent_amount,
    min(processed_at) FILTER (counts) AS first_order_at,
    max(processed_at) FILTER (counts) AS last_order_at
  FROM (
    SELECT *, NOT is_test AND cancelled_at IS NULL AS counts FROM orders
    WHERE customer_no IN (SELECT customer_no FROM given_nos)
  )
  GROUP BY customer_no
) AS s ON s.customer_no = g.customer_no
WHERE customers.customer_no = g.customer_no;

-- keep_unseen --
-- What Shopify counted of these customers, when it last told, beyond the orders that we hold of
-- that instant.
WITH told AS (
  SELECT c.customer_no, c.shopify_order_count, c.shopify_spent_amount,
    coalesce(v.shopify_order_count, c.profile_updated_at) AS count_at,
    coalesce(v.shopify_spent_amount, c.profile_updated_at) AS spent_at
  FROM customers AS c
  LEFT JOIN customer_versions AS v ON v.customer_no = c.customer_no
  WHERE c.customer_no IN (SELECT customer_no FROM given_nos)
),
held AS (
  SELECT told.customer_no,
    count(*) FILTER (
      o.processed_at <= told.count_at AND (o.cancelled_at IS NULL OR o.cancelled_at > told.count_at)
    ) AS order_count,
    coalesce(sum(o.total_amount) FILTER (
      o.processed_at <= told.spent_at AND (o.cancelled_at IS NULL OR o.cancelled_at > told.spent_at)
    ), 0) AS paid_amount
  FROM told JOIN orders AS o ON o.customer_no = told.customer_no
  WHERE NOT o.is_test
  GROUP BY told.customer_no
),
returned AS (
  SELECT told.customer_no, sum(r.amount) AS amount
  FROM told
  JOIN orders AS o ON o.customer_no = told.customer_no
  JOIN refunds AS r ON r.order_id = o.order_id AND r.refunded_at <= told.spent_at
  WHERE NOT o.is_test AND o.refunded_amount <> 0
    AND o.processed_at <= told.spent_at AND (o.cancelled_at IS NULL OR o.cancelled_at > told.spent_at)
  GROUP BY told.customer_no
)
UPDATE customers SET
  unseen_order_count =
    greatest(coalesce(told.shopify_order_count - coalesce(held.order_count, 0), 0), 0),
  unseen_spent_amount = greatest(coalesce(
    told.shopify_spent_amount - coalesce(held.paid_amount, 0) + coalesce(returned.amount, 0), 0), 0)
FROM told
LEFT JOIN held ON held.customer_no = told.customer_no
LEFT JOIN returned ON returned.customer_no = told.customer_no
WHERE customers.customer_no = told.customer_no;

-- products_by_id --
-- The stored products among those that a batch names.
SELECT product_id, updated_at, collections_at FROM products
WHERE product_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_products --
-- Products that are replaced or deleted.
DELETE FROM products WHERE product_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_product_tags --
-- The tags of products that are replaced or deleted.
DELETE FROM product_tags WHERE product_id IN (SELECT unnest($ids::VARCHAR[]));

-- drop_product_collections --
-- The collections of products that are replaced or deleted.
DELETE FROM product_collections WHERE product_id IN (SELECT unnest($ids::VARCHAR[]));
