-- universe_all --
-- Every customer who is in the shop's list.
SELECT customer_no FROM customers WHERE deleted_at IS NULL;

-- universe_buyers --
-- Customers with at least one order that is not cancelled.
SELECT customer_no FROM customers WHERE deleted_at IS NULL AND order_count > 0;

-- facts_until --
-- The latest instant that any fact mentions.
SELECT greatest(
  (SELECT max(greatest(processed_at, cancelled_at)) FROM orders),
  (SELECT max(refunded_at) FROM refunds),
  (SELECT max(greatest(profile_updated_at, tags_updated_at, consent_updated_at, added_at, erased_at))
   FROM customers),
  (SELECT max(deleted_at) FROM tombstones)
);

-- customer_ids --
-- Numbers to ids.
SELECT customer_no, customer_id FROM customers
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- customer_nos --
-- Ids to numbers.
SELECT customer_id, customer_no FROM customers
WHERE customer_id IN (SELECT unnest($ids::VARCHAR[]));

-- sheets --
-- Everything about these customers, one JSON text each, laid out as sheets.py reads it. A condition
-- beside the customers' numbers would keep an index from being used, so test orders go afterwards.
WITH own AS MATERIALIZED (
  SELECT * FROM orders WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
)
SELECT c.customer_no, json_array(
  c.customer_id,
  json_array(
    c.display_name, c.email, c.email_domain, c.phone, c.language, c.note, c.account_status,
    c.email_subscription_status, c.sms_subscription_status, c.product_subscription_status,
    c.predicted_spend_tier, c.rfm_group, epoch_us(c.added_at), epoch_us(c.abandoned_checkout_at),
    epoch_us(c.profile_updated_at), epoch_us(c.tags_updated_at), epoch_us(c.consent_updated_at),
    c.unseen_order_count, c.unseen_spent_amount, c.order_count, c.spent_amount,
    epoch_us(c.first_order_at), epoch_us(c.last_order_at), c.merged_into_no, epoch_us(c.deleted_at),
    c.shopify_order_count, c.shopify_spent_amount, epoch_us(c.erased_at), c.is_erased_forever
  ),
  v.told, t.told, a.told, b.told, m.told, s.told, o.told
)::VARCHAR
FROM customers AS c
LEFT JOIN (
  SELECT customer_no,
    json_array(epoch_us(shopify_order_count), epoch_us(shopify_spent_amount)) AS told
  FROM customer_versions WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
) AS v ON v.customer_no = c.customer_no
LEFT JOIN (
  SELECT customer_no, list(tag ORDER BY tag_key) AS told
  FROM customer_tags WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
  GROUP BY customer_no
) AS t ON t.customer_no = c.customer_no
LEFT JOIN (
  SELECT customer_no,
    list(json_array(country_code, region_code, city_key, latitude, longitude)) AS told
  FROM addresses WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
  GROUP BY customer_no
) AS a ON a.customer_no = c.customer_no
LEFT JOIN (
  SELECT customer_no, list(company_id) AS told
  FROM customer_companies WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
  GROUP BY customer_no
) AS b ON b.customer_no = c.customer_no
LEFT JOIN (
  SELECT customer_no, list(json_array(key, type, value)) AS told
  FROM metafields WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
  GROUP BY customer_no
) AS m ON m.customer_no = c.customer_no
LEFT JOIN (
  SELECT customer_no, list(json_array(
    balance_amount::VARCHAR, currency, epoch_us(next_expiry_at), epoch_us(last_credit_at)
  )) AS told
  FROM store_credit_accounts WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
  GROUP BY customer_no
) AS s ON s.customer_no = c.customer_no
LEFT JOIN (
  SELECT own.customer_no, list(json_array(
    order_id, own.name, epoch_us(own.processed_at), epoch_us(own.cancelled_at), own.total_amount,
    r.told, l.told, g.told, d.told, own.source_name, own.app_id, own.location_id, own.referrer,
    own.utm_source, own.utm_medium, own.utm_campaign
  ) ORDER BY own.processed_at, order_id) AS told
  FROM own
  LEFT JOIN (
    SELECT order_id,
      list(json_array(epoch_us(refunded_at), amount) ORDER BY refunded_at, refund_id) AS told
    FROM refunds WHERE order_id IN (SELECT order_id FROM own)
    GROUP BY order_id
  ) AS r USING (order_id)
  LEFT JOIN (
    SELECT order_id,
      list(json_array(product_id, variant_id, title, vendor, quantity, amount)) AS told
    FROM lines WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
    GROUP BY order_id
  ) AS l USING (order_id)
  LEFT JOIN (
    SELECT order_id, list(tag_key) AS told
    FROM order_tags WHERE order_id IN (SELECT order_id FROM own)
    GROUP BY order_id
  ) AS g USING (order_id)
  LEFT JOIN (
    SELECT order_id, list(code_key) AS told
    FROM order_discount_codes WHERE order_id IN (SELECT order_id FROM own)
    GROUP BY order_id
  ) AS d USING (order_id)
  WHERE NOT own.is_test
  GROUP BY own.customer_no
) AS o ON o.customer_no = c.customer_no
WHERE c.customer_no IN (SELECT unnest($nos::UINTEGER[]))
ORDER BY c.customer_no;

-- event_marks --
-- A number for each delivery that was applied (marks.py).
SELECT ('0x' || left(md5(event_key), 8))::UINTEGER AS mark FROM applied_events;

-- order_marks --
-- A number for each order of which anything is known: the order itself, a refund, its deletion.
SELECT ('0x' || left(md5(order_id), 8))::UINTEGER AS mark FROM orders
UNION ALL SELECT ('0x' || left(md5(order_id), 8))::UINTEGER FROM refunds
UNION ALL SELECT ('0x' || left(md5(id), 8))::UINTEGER FROM tombstones WHERE kind = 'order';

-- ordered_last --
-- Customers, whoever ordered last first.
SELECT customer_no FROM customers WHERE deleted_at IS NULL
ORDER BY last_order_at DESC NULLS LAST, customer_no DESC
LIMIT $most;

-- some_products --
-- As many products as are read at once.
SELECT product_id FROM products LIMIT $most;

-- products --
-- What is known about these products.
SELECT product_id, product_type, category_id FROM products
WHERE product_id IN (SELECT unnest($products::VARCHAR[]));

-- product_tags --
-- The tags of these products.
SELECT product_id, tag_key FROM product_tags
WHERE product_id IN (SELECT unnest($products::VARCHAR[]));

-- product_collections --
-- The collections of these products.
SELECT product_id, collection_id FROM product_collections
WHERE product_id IN (SELECT unnest($products::VARCHAR[]));

-- titles_product --
-- What these products are called; those that only orders know, as their newest line calls them.
SELECT id, coalesce(p.title, (
    SELECT arg_max(title, processed_at) FROM lines WHERE lines.product_id = id
  )) AS title
FROM given_ids LEFT JOIN products p ON p.product_id = id
WHERE title IS NOT NULL;

-- titles_category --
-- What these categories of products are called.
SELECT category_id, any_value(category) FROM products
WHERE category_id IN (SELECT id FROM given_ids) AND category IS NOT NULL
GROUP BY category_id;

-- titles_collection --
-- What these collections are called.
SELECT collection_id, any_value(title) FROM product_collections
WHERE collection_id IN (SELECT id FROM given_ids) AND title IS NOT NULL
GROUP BY collection_id;
