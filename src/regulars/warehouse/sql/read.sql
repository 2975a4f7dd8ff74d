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

-- customers --
-- All columns of these customers.
SELECT * FROM customers WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- customer_tags --
-- Their tags, in Shopify's order.
SELECT customer_no, tag FROM customer_tags
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
ORDER BY customer_no, tag_key;

-- places --
-- Their addresses.
SELECT customer_no, country_code, region_code, city_key, latitude, longitude FROM addresses
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- companies --
-- Their companies.
SELECT customer_no, company_id FROM customer_companies
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- metafields --
-- Their metafields.
SELECT customer_no, key, type, value FROM metafields
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- store_credit --
-- Their store credit accounts.
SELECT customer_no, balance_amount, currency, next_expiry_at, last_credit_at
FROM store_credit_accounts
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- orders --
-- Their orders, oldest first, test orders too: a second condition would keep the index from being used.
SELECT customer_no, is_test, order_id, name, processed_at, cancelled_at, total_amount, source_name, app_id,
  location_id, referrer, utm_source, utm_medium, utm_campaign
FROM orders
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]))
ORDER BY customer_no, processed_at, order_id;

-- lines --
-- The lines of their orders, as stored.
SELECT order_id, product_id, variant_id, title, vendor, quantity, amount FROM lines
WHERE customer_no IN (SELECT unnest($nos::UINTEGER[]));

-- refunds --
-- The refunds of these orders, oldest first.
SELECT order_id, refunded_at, amount FROM refunds
WHERE order_id IN (SELECT unnest($orders::VARCHAR[]))
ORDER BY refunded_at, refund_id;

-- order_tags --
-- The tags of these orders.
SELECT order_id, tag_key FROM order_tags WHERE order_id IN (SELECT unnest($orders::VARCHAR[]));

-- order_discount_codes --
-- The discount codes of these orders.
SELECT order_id, code_key FROM order_discount_codes
WHERE order_id IN (SELECT unnest($orders::VARCHAR[]));

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
