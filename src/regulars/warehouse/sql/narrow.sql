-- few --
-- Whom a reader looks at. In each copy below the name on the right still means the shop's own table.
CREATE TEMPORARY TABLE few AS SELECT customer_no FROM given_few;

-- customers --
-- The few themselves.
CREATE TEMPORARY TABLE customers AS
SELECT COLUMNS(lambda name: list_contains($columns, name)) FROM customers WHERE customer_no IN (SELECT customer_no FROM few);

-- customer_tags --
-- What belongs to them.
CREATE TEMPORARY TABLE customer_tags AS
SELECT * FROM customer_tags WHERE customer_no IN (SELECT customer_no FROM few);

-- addresses --
-- The same.
CREATE TEMPORARY TABLE addresses AS
SELECT * FROM addresses WHERE customer_no IN (SELECT customer_no FROM few);

-- customer_companies --
-- The same.
CREATE TEMPORARY TABLE customer_companies AS
SELECT * FROM customer_companies WHERE customer_no IN (SELECT customer_no FROM few);

-- metafields --
-- The same.
CREATE TEMPORARY TABLE metafields AS
SELECT * FROM metafields WHERE customer_no IN (SELECT customer_no FROM few);

-- store_credit_accounts --
-- The same.
CREATE TEMPORARY TABLE store_credit_accounts AS
SELECT * FROM store_credit_accounts WHERE customer_no IN (SELECT customer_no FROM few);

-- orders --
-- Their orders, from an instant on where one is given.
CREATE TEMPORARY TABLE orders AS
SELECT COLUMNS(lambda name: list_contains($columns, name)) FROM orders
WHERE customer_no IN (SELECT customer_no FROM few) AND processed_at >= $since;

-- lines --
-- The lines of those orders.
CREATE TEMPORARY TABLE lines AS
SELECT COLUMNS(lambda name: list_contains($columns, name)) FROM lines
WHERE customer_no IN (SELECT customer_no FROM few) AND processed_at >= $since;
