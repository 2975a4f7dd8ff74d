-- tables --
-- Every table that says something about one customer: it names them by their number.
SELECT table_name FROM duckdb_columns()
WHERE NOT internal AND column_name = 'customer_no' AND table_name <> 'membership_intervals'
ORDER BY table_name;

-- rows --
-- All that one such table says about a customer.
SELECT * EXCLUDE (customer_no) FROM query_table($name) WHERE customer_no = $customer_no;

-- order_tables --
-- Every table that says more about an order.
SELECT table_name FROM duckdb_columns()
WHERE NOT internal AND column_name = 'order_id'
  AND table_name NOT IN (SELECT table_name FROM duckdb_columns() WHERE column_name = 'customer_no')
ORDER BY table_name;

-- order_rows --
-- All that one of these says about a customer's orders.
SELECT * FROM query_table($name)
WHERE order_id IN (SELECT order_id FROM orders WHERE customer_no = $customer_no);

-- blank_orders --
-- What an order could still say about a redacted person. Amounts and days stay: sums are right.
UPDATE orders SET name = NULL, referrer = NULL WHERE customer_no = $customer_no;

-- forget_checked --
-- Rows of files that are not applied yet.
DELETE FROM upload_rows WHERE customer_no = $customer_no;

-- forget_listed --
-- Keys under which the person waits on lists.
DELETE FROM list_rows WHERE customer_no = $customer_no;

-- forget_listed_before --
-- When the person was on lists.
DELETE FROM list_log WHERE customer_no = $customer_no;

-- called_by --
-- What a customer is called by.
SELECT email, phone, display_name FROM customers WHERE customer_no = $customer_no;

-- forget_keys_checked --
-- Rows of files under what a person is called by, of whom no customer was found.
DELETE FROM upload_rows WHERE id_key = $id OR list_contains($emails, email_key)
  OR list_contains($phones, phone_key);

-- forget_keys_listed --
-- Keys under which a person waits on lists who is no customer.
DELETE FROM list_rows WHERE customer_no IS NULL AND (
  id_key = $id OR list_contains($emails, email_key) OR list_contains($phones, phone_key));
