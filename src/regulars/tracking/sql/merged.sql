-- Customers who were merged into others.
SELECT customer_no, merged_into_no FROM customers WHERE merged_into_no IS NOT NULL
