-- add_customers_by_id --
-- What webhooks name a customer by.
CREATE INDEX IF NOT EXISTS customers_by_id ON customers (customer_id);

-- add_customers_by_no --
-- What we name a customer by.
CREATE INDEX IF NOT EXISTS customers_by_no ON customers (customer_no);

-- add_orders_by_customer --
-- One customer's orders are found in any shop as quickly: an arriving order asks for them.
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_no);

-- add_lines_by_customer --
-- The same for the lines.
CREATE INDEX IF NOT EXISTS lines_by_customer ON lines (customer_no);

-- add_addresses_by_customer --
-- The same for what customers have several of.
CREATE INDEX IF NOT EXISTS addresses_by_customer ON addresses (customer_no);

-- add_tags_by_customer --
-- The same for tags.
CREATE INDEX IF NOT EXISTS tags_by_customer ON customer_tags (customer_no);

-- drop_customers_by_id --
-- Before a load: making it anew is quicker than adding millions of rows one by one.
DROP INDEX IF EXISTS customers_by_id;

-- drop_customers_by_no --
-- The same.
DROP INDEX IF EXISTS customers_by_no;

-- drop_addresses_by_customer --
-- The same for addresses.
DROP INDEX IF EXISTS addresses_by_customer;

-- drop_tags_by_customer --
-- The same for tags.
DROP INDEX IF EXISTS tags_by_customer;

-- drop_orders_by_customer --
-- The same for orders.
DROP INDEX IF EXISTS orders_by_customer;

-- drop_lines_by_customer --
-- The same for the lines.
DROP INDEX IF EXISTS lines_by_customer;
