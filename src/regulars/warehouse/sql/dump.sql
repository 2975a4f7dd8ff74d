-- customers --
-- Customers under their ids.
SELECT c.* EXCLUDE (customer_no, merged_into_no), m.customer_id AS merged_into
FROM customers AS c LEFT JOIN customers AS m ON m.customer_no = c.merged_into_no
ORDER BY ALL;

-- customer_versions --
-- When each field was last told.
SELECT c.customer_id, v.* EXCLUDE (customer_no)
FROM customer_versions AS v JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- customer_tags --
-- Tags of customers.
SELECT c.customer_id, t.* EXCLUDE (customer_no)
FROM customer_tags AS t JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- customer_tag_marks --
-- Single tags told after the whole set.
SELECT c.customer_id, t.* EXCLUDE (customer_no)
FROM customer_tag_marks AS t JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- addresses --
-- Addresses of customers.
SELECT c.customer_id, a.* EXCLUDE (customer_no)
FROM addresses AS a JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- customer_companies --
-- Companies of customers.
SELECT c.customer_id, a.* EXCLUDE (customer_no)
FROM customer_companies AS a JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- metafields --
-- Metafields of customers.
SELECT c.customer_id, m.* EXCLUDE (customer_no)
FROM metafields AS m JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- store_credit_accounts --
-- Store credit of customers.
SELECT c.customer_id, s.* EXCLUDE (customer_no)
FROM store_credit_accounts AS s JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- orders --
-- Orders with whose they are.
SELECT o.* EXCLUDE (customer_no), c.customer_id
FROM orders AS o LEFT JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- order_tags --
-- Tags of orders.
SELECT * FROM order_tags ORDER BY ALL;

-- order_discount_codes --
-- Discount codes of orders.
SELECT * FROM order_discount_codes ORDER BY ALL;

-- lines --
-- Lines with whose they are.
SELECT l.* EXCLUDE (customer_no), c.customer_id
FROM lines AS l LEFT JOIN customers AS c USING (customer_no)
ORDER BY ALL;

-- refunds --
-- Refunds, told before their order or after.
SELECT * FROM refunds ORDER BY ALL;

-- products --
-- Products.
SELECT * FROM products ORDER BY ALL;

-- product_tags --
-- Tags of products.
SELECT * FROM product_tags ORDER BY ALL;

-- product_collections --
-- Collections of products.
SELECT * FROM product_collections ORDER BY ALL;

-- tombstones --
-- The latest deletion of each.
SELECT kind, id, max(deleted_at) FROM tombstones GROUP BY ALL ORDER BY ALL;
