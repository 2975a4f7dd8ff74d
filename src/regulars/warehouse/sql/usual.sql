-- type --
-- The two product types in most orders.
SELECT product_type FROM lines JOIN products USING (product_id) WHERE product_type <> ''
GROUP BY product_type ORDER BY count(DISTINCT order_id) DESC, product_type LIMIT 2;

-- vendor --
-- The vendor in most lines.
SELECT vendor FROM lines WHERE vendor <> '' GROUP BY vendor ORDER BY count(*) DESC, vendor LIMIT 1;

-- product --
-- The product in most lines.
SELECT product_id FROM lines WHERE product_id IS NOT NULL
GROUP BY product_id ORDER BY count(*) DESC, product_id LIMIT 1;

-- source --
-- The campaign source of most orders.
SELECT utm_source FROM orders WHERE utm_source <> ''
GROUP BY utm_source ORDER BY count(*) DESC, utm_source LIMIT 1;

-- medium --
-- The campaign medium of most orders.
SELECT utm_medium FROM orders WHERE utm_medium <> ''
GROUP BY utm_medium ORDER BY count(*) DESC, utm_medium LIMIT 1;

-- campaign --
-- The campaign of most orders.
SELECT utm_campaign FROM orders WHERE utm_campaign <> ''
GROUP BY utm_campaign ORDER BY count(*) DESC, utm_campaign LIMIT 1;

-- channel --
-- The sales channel of most orders.
SELECT source_name FROM orders WHERE source_name <> ''
GROUP BY source_name ORDER BY count(*) DESC, source_name LIMIT 1;

-- code --
-- The discount code of most orders.
SELECT code FROM order_discount_codes GROUP BY code ORDER BY count(*) DESC, code LIMIT 1;

-- order_tag --
-- The tag of most orders.
SELECT tag FROM order_tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 1;

-- customer_tag --
-- The tag of most customers.
SELECT tag FROM customer_tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 1;

-- country --
-- The country of most customers.
SELECT country_code FROM addresses WHERE country_code <> ''
GROUP BY country_code ORDER BY count(DISTINCT customer_no) DESC, country_code LIMIT 1;

-- region --
-- The region of most customers.
SELECT region_code FROM addresses WHERE region_code <> ''
GROUP BY region_code ORDER BY count(DISTINCT customer_no) DESC, region_code LIMIT 1;
