-- attach --
-- The staged file, readable inside this transaction.
ATTACH ? AS incoming (READ_ONLY);

-- fresh_customers --
-- The newest row of each customer, with the instant it was true.
CREATE TEMP TABLE fresh AS
SELECT *, greatest(updated_at, $as_of) AS told_at
FROM incoming.staged
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY updated_at DESC NULLS LAST) = 1;

-- number_customers --
-- Numbers for customers who are new, in the order of the file.
INSERT INTO customers (customer_no, customer_id)
SELECT (SELECT coalesce(max(customer_no) + 1, 0) FROM customers)
    + row_number() OVER (ORDER BY f.rowid) - 1,
  f.customer_id
FROM fresh AS f ANTI JOIN customers AS c ON c.customer_id = f.customer_id;

-- taken_customers --
-- Customers about whom nothing newer was told, and who are not gone since: their rows are replaced
-- as a whole.
CREATE TEMP TABLE taken AS
SELECT c.customer_no, c.abandoned_checkout_at, c.unseen_order_count, c.unseen_spent_amount,
  c.order_count, c.spent_amount, c.first_order_at, c.last_order_at, c.erased_at, f.*
FROM fresh AS f JOIN customers AS c ON c.customer_id = f.customer_id
WHERE NOT c.is_erased_forever
  AND (c.erased_at IS NULL OR f.told_at > c.erased_at)
  AND (c.profile_updated_at IS NULL OR f.told_at >= c.profile_updated_at);

-- late_customers --
-- Customers of whom something newer was told: their rows are merged field by field, as facts.
SELECT f.customer_id
FROM fresh AS f JOIN customers AS c ON c.customer_id = f.customer_id
WHERE NOT c.is_erased_forever AND f.told_at < c.profile_updated_at
  AND (c.erased_at IS NULL OR f.told_at > c.erased_at);

-- drop_taken_customers --
-- Before the newer rows are written.
DELETE FROM customers WHERE customer_no IN (SELECT customer_no FROM taken);

-- add_taken_customers --
-- The rows of the file.
INSERT INTO customers BY NAME
SELECT customer_no, customer_id, display_name, email,
  CASE WHEN contains(email, '@')
    THEN nullif(lower(trim(split_part(email, '@', -1))), '') END AS email_domain,
  phone, language, note, account_status, email_subscription_status, sms_subscription_status,
  product_subscription_status, predicted_spend_tier, rfm_group, added_at, abandoned_checkout_at,
  told_at AS profile_updated_at, told_at AS tags_updated_at, told_at AS consent_updated_at,
  unseen_order_count, unseen_spent_amount, order_count, spent_amount, first_order_at,
  last_order_at, shopify_order_count, shopify_spent_amount, erased_at,
  FALSE AS is_erased_forever
FROM taken
ORDER BY customer_no;

-- drop_taken_versions --
-- All was told at once now.
DELETE FROM customer_versions WHERE customer_no IN (SELECT customer_no FROM taken);

-- drop_taken_tag_marks --
-- The whole set is newer than these.
DELETE FROM customer_tag_marks WHERE customer_no IN (SELECT customer_no FROM taken);

-- drop_taken_tags --
-- Before the tags of the file are written.
DELETE FROM customer_tags WHERE customer_no IN (SELECT customer_no FROM taken);

-- add_taken_tags --
-- The tags of the file, each once whatever its letter case; the first spelling stays.
INSERT INTO customer_tags
SELECT t.customer_no, t.tag, coalesce(f.key, lower(t.tag))
FROM (
  SELECT customer_no, unnest(tags) AS tag, generate_subscripts(tags, 1) AS place FROM taken
) AS t
LEFT JOIN incoming.staged_folds AS f ON f.text = t.tag
QUALIFY row_number() OVER (PARTITION BY t.customer_no, coalesce(f.key, lower(t.tag)) ORDER BY place) = 1;

-- drop_taken_companies --
-- Before the companies of the file are written.
DELETE FROM customer_companies WHERE customer_no IN (SELECT customer_no FROM taken);

-- add_taken_companies --
-- The companies of the file.
INSERT INTO customer_companies
SELECT DISTINCT customer_no, company_id
FROM (SELECT customer_no, unnest(company_ids) AS company_id FROM taken)
WHERE company_id IS NOT NULL;

-- drop_taken_addresses --
-- Before the addresses of the file are written.
DELETE FROM addresses WHERE customer_no IN (SELECT customer_no FROM taken);

-- add_taken_addresses --
-- The addresses of the file, with the keys that places are compared by.
INSERT INTO addresses BY NAME
SELECT DISTINCT customer_no, country_code, region_code,
  CASE WHEN city <> '' THEN
    concat_ws('-', coalesce(region_code, country_code), city) END AS city_key,
  zip, latitude, longitude
FROM (
  SELECT t.customer_no, a.country_code, a.zip, a.latitude, a.longitude,
    CASE
      WHEN nullif(a.province_code, '') IS NULL THEN NULL
      WHEN a.country_code IS NULL OR starts_with(a.province_code, a.country_code || '-')
        THEN a.province_code
      ELSE a.country_code || '-' || a.province_code
    END AS region_code,
    regexp_replace(nfc_normalize(a.city), '[\s\x0b\x1c-\x1f\x{85}\p{Z}]+', '', 'g') AS city
  FROM incoming.staged_children AS a JOIN taken AS t ON t.customer_id = a.customer_id
  WHERE a.kind = 'MailingAddress'
);

-- drop_taken_metafields --
-- Before the metafields of the file are written.
DELETE FROM metafields WHERE customer_no IN (SELECT customer_no FROM taken);

-- add_taken_metafields --
-- The metafields of the file.
INSERT INTO metafields
SELECT DISTINCT t.customer_no, m.key, m.type, m.value
FROM incoming.staged_children AS m JOIN taken AS t ON t.customer_id = m.customer_id
WHERE m.kind = 'Metafield';

-- drop_taken_store_credit --
-- Before the accounts of the file are written.
DELETE FROM store_credit_accounts WHERE customer_no IN (SELECT customer_no FROM taken);

-- add_taken_store_credit --
-- The accounts of the file.
INSERT INTO store_credit_accounts BY NAME
SELECT t.customer_no, s.balance_amount, s.currency
FROM incoming.staged_children AS s JOIN taken AS t ON t.customer_id = s.customer_id
WHERE s.kind = 'StoreCreditAccount';

-- late_rows --
-- The rows that are merged as facts.
SELECT customer_id, told_at, display_name, email, phone, language, note, account_status,
  email_subscription_status, sms_subscription_status, product_subscription_status,
  predicted_spend_tier, rfm_group, added_at, shopify_order_count, shopify_spent_amount, tags,
  company_ids
FROM fresh WHERE customer_id IN (SELECT id FROM given_ids);

-- late_children --
-- Their addresses, metafields and store credit.
SELECT customer_id, kind, country_code, province_code, city, zip, latitude, longitude, key, type,
  value, CAST(balance_amount AS VARCHAR), currency
FROM incoming.staged_children WHERE customer_id IN (SELECT id FROM given_ids);

-- missing_customers --
-- Customers whom a full file does not list and of whom nothing newer was told.
SELECT customer_id FROM customers
WHERE deleted_at IS NULL AND profile_updated_at <= $as_of
  AND customer_id NOT IN (SELECT customer_id FROM incoming.staged);

-- living_customers --
-- How many customers there are before the missing ones are marked.
SELECT count(*) FROM customers WHERE deleted_at IS NULL;

-- all_nos --
-- Every customer, for keep_sums.
CREATE TEMP TABLE given_nos AS SELECT customer_no FROM customers;

-- fresh_orders --
-- The newest row of each order; a tombstone as new as the file keeps an order out.
CREATE TEMP TABLE fresh AS
SELECT s.*
FROM incoming.staged AS s
LEFT JOIN (
  SELECT id, max(deleted_at) AS deleted_at FROM tombstones WHERE kind = 'order' GROUP BY id
) AS t ON t.id = s.order_id
WHERE t.deleted_at IS NULL OR greatest(s.updated_at, $as_of) > t.deleted_at
QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC NULLS LAST) = 1;

-- number_buyers --
-- Numbers for buyers whom no customer file has told of yet.
INSERT INTO customers (customer_no, customer_id)
SELECT (SELECT coalesce(max(customer_no) + 1, 0) FROM customers)
    + row_number() OVER (ORDER BY f.place) - 1,
  f.customer_id
FROM (
  SELECT customer_id, min(rowid) AS place FROM fresh
  WHERE customer_id IS NOT NULL
  GROUP BY customer_id
) AS f ANTI JOIN customers AS c ON c.customer_id = f.customer_id;

-- owners --
-- Whose orders are kept under each id: the customer, or whom they were merged into.
CREATE TEMP TABLE owners AS
WITH RECURSIVE ends AS (
  SELECT customer_id, customer_no, merged_into_no FROM customers
  UNION ALL
  SELECT e.customer_id, c.customer_no, c.merged_into_no
  FROM ends AS e JOIN customers AS c ON c.customer_no = e.merged_into_no
)
SELECT customer_id, customer_no FROM ends WHERE merged_into_no IS NULL;

-- taken_orders --
-- Orders of the file that are as new as ours, or newer.
CREATE TEMP TABLE taken AS
SELECT f.*, w.customer_no, o.order_id IS NOT NULL AS is_known
FROM fresh AS f
LEFT JOIN orders AS o ON o.order_id = f.order_id
LEFT JOIN owners AS w ON w.customer_id = f.customer_id
WHERE o.order_id IS NULL OR o.updated_at IS NULL OR f.updated_at >= o.updated_at;

-- drop_taken_orders --
-- Before the newer rows are written.
DELETE FROM orders WHERE order_id IN (SELECT order_id FROM taken WHERE is_known);

-- drop_taken_lines --
-- Before the newer lines are written.
DELETE FROM lines WHERE order_id IN (SELECT order_id FROM taken WHERE is_known);

-- drop_taken_order_tags --
-- Before the newer tags are written.
DELETE FROM order_tags WHERE order_id IN (SELECT order_id FROM taken WHERE is_known);

-- drop_taken_codes --
-- Before the newer discount codes are written.
DELETE FROM order_discount_codes WHERE order_id IN (SELECT order_id FROM taken WHERE is_known);

-- fresh_refunds --
-- The newest telling of each refund in the file; refunds once told stay, so also those of late orders.
CREATE TEMP TABLE fresh_refunds AS
SELECT order_id, updated_at AS told_at, r.refund_id, r.refunded_at, r.amount
FROM (SELECT order_id, updated_at, unnest(refunds) AS r FROM fresh)
QUALIFY row_number() OVER (PARTITION BY r.refund_id ORDER BY updated_at DESC) = 1;

-- drop_fresh_refunds --
-- Refunds that the file tells anew.
DELETE FROM refunds WHERE EXISTS (
  FROM fresh_refunds AS f WHERE f.refund_id = refunds.refund_id AND f.told_at >= refunds.told_at
);

-- add_fresh_refunds --
-- The refunds of the file that are not told newer already.
INSERT INTO refunds BY NAME
SELECT f.* FROM fresh_refunds AS f ANTI JOIN refunds AS r ON r.refund_id = f.refund_id;

-- add_taken_orders --
-- The orders of the file, by customer and time: what is read together lies together.
INSERT INTO orders BY NAME
SELECT t.order_id, t.customer_no, t.name, t.processed_at, t.updated_at, t.cancelled_at, t.is_test,
  t.total_amount, coalesce(r.amount, 0) AS refunded_amount, t.source_name, t.app_id, t.location_id,
  t.referrer, t.utm_source, t.utm_medium, t.utm_campaign
FROM taken AS t
LEFT JOIN (
  SELECT order_id, sum(amount)::BIGINT AS amount FROM refunds GROUP BY order_id
) AS r ON r.order_id = t.order_id
ORDER BY t.customer_no, t.processed_at;

-- sum_late_refunds --
-- Orders that stay as stored but gained a refund.
UPDATE orders SET refunded_amount = s.amount
FROM (
  SELECT order_id, sum(amount)::BIGINT AS amount FROM refunds
  WHERE order_id IN (SELECT order_id FROM fresh_refunds)
  GROUP BY order_id
) AS s
WHERE orders.order_id = s.order_id AND orders.refunded_amount <> s.amount;

-- add_taken_lines --
-- The lines of the file, by product and time: product rules read a few products' lines. Sorting by
-- the number in the id takes half as long as by its text.
INSERT INTO lines BY NAME
SELECT l.order_id, t.customer_no, t.processed_at, l.product_id, l.variant_id, l.title, l.vendor,
  l.sku, l.quantity, l.amount
FROM incoming.staged_children AS l JOIN taken AS t ON t.order_id = l.order_id
ORDER BY TRY_CAST(l.product_id AS BIGINT), t.processed_at;

-- add_taken_order_tags --
-- The tags of the file, each once whatever its letter case.
INSERT INTO order_tags
SELECT t.order_id, t.tag, coalesce(f.key, lower(t.tag))
FROM (
  SELECT order_id, unnest(tags) AS tag, generate_subscripts(tags, 1) AS place FROM taken
) AS t
LEFT JOIN incoming.staged_folds AS f ON f.text = t.tag
QUALIFY row_number() OVER (PARTITION BY t.order_id, coalesce(f.key, lower(t.tag)) ORDER BY place) = 1;

-- add_taken_codes --
-- The discount codes of the file, each once whatever its letter case.
INSERT INTO order_discount_codes
SELECT t.order_id, t.code, coalesce(f.key, lower(t.code))
FROM (
  SELECT order_id, unnest(discount_codes) AS code, generate_subscripts(discount_codes, 1) AS place
  FROM taken
) AS t
LEFT JOIN incoming.staged_folds AS f ON f.text = t.code
QUALIFY row_number() OVER (PARTITION BY t.order_id, coalesce(f.key, lower(t.code)) ORDER BY place) = 1;

-- fresh_products --
-- The newest row of each product; a tombstone as new as the file keeps a product out.
CREATE TEMP TABLE fresh AS
SELECT s.*
FROM incoming.staged AS s
LEFT JOIN (
  SELECT id, max(deleted_at) AS deleted_at FROM tombstones WHERE kind = 'product' GROUP BY id
) AS t ON t.id = s.product_id
WHERE t.deleted_at IS NULL OR greatest(s.updated_at, $as_of) > t.deleted_at
QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY updated_at DESC NULLS LAST) = 1;

-- taken_products --
-- Products of the file that are as new as ours, or newer.
CREATE TEMP TABLE taken AS
SELECT f.*, p.product_id IS NOT NULL AS is_known
FROM fresh AS f
LEFT JOIN products AS p ON p.product_id = f.product_id
WHERE p.product_id IS NULL OR p.updated_at IS NULL OR f.updated_at >= p.updated_at;

-- drop_taken_products --
-- Before the newer rows are written.
DELETE FROM products WHERE product_id IN (SELECT product_id FROM taken WHERE is_known);

-- drop_taken_product_tags --
-- Before the newer tags are written.
DELETE FROM product_tags WHERE product_id IN (SELECT product_id FROM taken WHERE is_known);

-- drop_taken_collections --
-- Before the newer collections are written.
DELETE FROM product_collections WHERE product_id IN (SELECT product_id FROM taken WHERE is_known);

-- add_taken_products --
-- The products of the file.
INSERT INTO products BY NAME
SELECT product_id, title, vendor, product_type, category_id, category, updated_at,
  updated_at AS collections_at
FROM taken;

-- add_taken_product_tags --
-- The tags of the file, each once whatever its letter case.
INSERT INTO product_tags
SELECT t.product_id, t.tag, coalesce(f.key, lower(t.tag))
FROM (
  SELECT product_id, unnest(tags) AS tag, generate_subscripts(tags, 1) AS place FROM taken
) AS t
LEFT JOIN incoming.staged_folds AS f ON f.text = t.tag
QUALIFY row_number() OVER (PARTITION BY t.product_id, coalesce(f.key, lower(t.tag)) ORDER BY place) = 1;

-- add_taken_collections --
-- The collections of the file.
INSERT INTO product_collections
SELECT DISTINCT c.product_id, c.collection_id, c.title
FROM incoming.staged_children AS c JOIN taken AS t ON t.product_id = c.product_id;

-- count_fresh --
-- How many rows the file told, each id once.
SELECT count(*) FROM fresh;

-- count_taken --
-- How many of them were written.
SELECT count(*) FROM taken;
