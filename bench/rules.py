"""The 22 reference rules: in the segment language, and as SQL written by hand for the same tables.

The SQL is the plainest good one, the same text for DuckDB and PostgreSQL, under the same definitions:
counted orders only. Days are Tokyo days at the bench's instant; amounts are minor units of USD.
"""  # noqa: E501

from __future__ import annotations

COUNTED = "NOT o.is_test AND o.cancelled_at IS NULL"
LINES = (
    "FROM lines l JOIN orders o ON o.order_id = l.order_id AND NOT o.is_test"
    " AND o.cancelled_at IS NULL"
)

#: name → (query, SQL giving customer_no)
RULES: dict[str, tuple[str, str]] = {
    "R01 country and consent": (
        "customer_countries CONTAINS 'JP' AND email_subscription_status = 'SUBSCRIBED'",
        "SELECT customer_no FROM customers WHERE email_subscription_status = 'SUBSCRIBED' AND"  # noqa: ISC004
        " customer_no IN (SELECT customer_no FROM addresses WHERE country_code = 'JP')",
    ),
    "R02 tag": (
        "customer_tags CONTAINS 't17'",
        "SELECT customer_no FROM customer_tags WHERE tag_key = 't17'",
    ),
    "R03 not the tag, and consent": (
        "customer_tags NOT CONTAINS 't1' AND email_subscription_status = 'SUBSCRIBED'",
        "SELECT customer_no FROM customers c WHERE email_subscription_status = 'SUBSCRIBED' AND NOT"  # noqa: ISC004
        " EXISTS (SELECT 1 FROM customer_tags t WHERE t.customer_no = c.customer_no AND tag_key = 't1')",  # noqa: E501
    ),
    "R04 three orders": (
        "number_of_orders >= 3",
        "SELECT customer_no FROM customers WHERE order_count >= 3",
    ),
    "R05 spent between": (
        "amount_spent BETWEEN 100 AND 500",
        "SELECT customer_no FROM customers WHERE spent_amount BETWEEN 10000 AND 50000",
    ),
    "R06 no order for 90 days": (
        "last_order_date < -90d",
        "SELECT customer_no FROM customers WHERE last_order_at < '2026-08-21 15:00'",
    ),
    "R07 first order in a month": (
        "first_order_date BETWEEN 2025-03-01 AND 2025-03-31",
        "SELECT customer_no FROM customers WHERE first_order_at >= '2025-02-28 15:00'"  # noqa: ISC004
        " AND first_order_at < '2025-03-31 15:00'",
    ),
    "R08 product twice in 180 days": (
        "products_purchased MATCHES (id = 7, date >= -180d, count >= 2)",
        f"SELECT l.customer_no {LINES} WHERE l.product_id = '7' AND"  # noqa: ISC004
        " l.processed_at >= '2026-05-23 15:00' GROUP BY 1 HAVING count(DISTINCT l.order_id) >= 2",
    ),
    "R09 never a product tag": (
        "products_purchased NOT MATCHES (tag = 'tag5')",
        "SELECT c.customer_no FROM customers c WHERE NOT EXISTS (SELECT 1 FROM"  # noqa: ISC004
        f" (SELECT l.customer_no {LINES} WHERE l.product_id IN"
        " (SELECT product_id FROM product_tags WHERE tag_key = 'tag5')) b"
        " WHERE b.customer_no = c.customer_no)",
    ),
    "R10 bought A and not B": (
        "products_purchased MATCHES (id = 3) AND products_purchased NOT MATCHES (id = 4)",
        f"SELECT DISTINCT l.customer_no {LINES} WHERE l.product_id = '3' AND l.customer_no NOT IN"  # noqa: ISC004
        " (SELECT k.customer_no FROM lines k JOIN orders p ON p.order_id = k.order_id AND NOT"
        " p.is_test AND p.cancelled_at IS NULL WHERE k.product_id = '4')",
    ),
    "R11 vendor spend in a year": (
        "products_purchased MATCHES (vendor = 'v3', date >= -365d, sum_amount > 100)",
        f"SELECT l.customer_no {LINES} WHERE l.vendor = 'v3' AND"  # noqa: ISC004
        " l.processed_at >= '2025-11-19 15:00' GROUP BY 1 HAVING sum(l.amount) > 10000",
    ),
    "R12 average order value": (
        "average_order_value > 150",
        "SELECT customer_no FROM customers WHERE order_count > 0 AND"  # noqa: ISC004
        " spent_amount > 15000.0 * order_count",
    ),
    "R13 days between orders": (
        "average_days_between_orders < 30",
        "SELECT customer_no FROM customers WHERE order_count >= 2 AND"  # noqa: ISC004
        " CAST(last_order_at + INTERVAL '9 hours' AS DATE) -"
        " CAST(first_order_at + INTERVAL '9 hours' AS DATE) < 30 * (order_count - 1)",
    ),
    "R14 a gap over 180 days": (
        "orders_placed MATCHES (days_since_previous > 180)",
        "SELECT DISTINCT customer_no FROM (SELECT customer_no,"  # noqa: ISC004
        " CAST(processed_at + INTERVAL '9 hours' AS DATE) - lag(CAST(processed_at + INTERVAL"
        " '9 hours' AS DATE)) OVER (PARTITION BY customer_no ORDER BY processed_at, order_id) AS gap"  # noqa: E501
        f" FROM orders o WHERE {COUNTED}) g WHERE gap > 180",
    ),
    "R15 second order holds a tag": (
        "products_purchased MATCHES (number = 2, tag = 'tag9')",
        "SELECT DISTINCT l.customer_no FROM lines l JOIN (SELECT order_id, row_number() OVER"  # noqa: ISC004
        " (PARTITION BY customer_no ORDER BY processed_at, order_id) AS n"
        f" FROM orders o WHERE {COUNTED}) o ON o.order_id = l.order_id AND o.n = 2"
        " WHERE l.product_id IN (SELECT product_id FROM product_tags WHERE tag_key = 'tag9')",
    ),
    "R16 six attributes": (
        "(customer_language = 'ja' OR customer_language = 'en') AND (number_of_orders >= 2 AND"  # noqa: ISC004
        " amount_spent > 200 OR email_subscription_status = 'PENDING') AND NOT"
        " customer_account_status = 'DISABLED'",
        "SELECT customer_no FROM customers WHERE (language = 'ja' OR language = 'en') AND"  # noqa: ISC004
        " (order_count >= 2 AND spent_amount > 20000 OR email_subscription_status = 'PENDING')"
        " AND (account_status <> 'DISABLED' OR account_status IS NULL)",
    ),
    "R17 nested events": (
        "(products_purchased MATCHES (tag = 'tag2', date >= -365d) OR orders_placed MATCHES"  # noqa: ISC004
        " (source = 'pos', count >= 3)) AND NOT products_purchased MATCHES (vendor = 'v7')",
        f"SELECT customer_no FROM (SELECT l.customer_no {LINES} WHERE l.product_id IN (SELECT"  # noqa: ISC004
        " product_id FROM product_tags WHERE tag_key = 'tag2') AND l.processed_at >="
        " '2025-11-19 15:00' UNION SELECT customer_no FROM orders o WHERE source_name = 'pos' AND"
        f" {COUNTED} GROUP BY customer_no HAVING count(*) >= 3) a WHERE NOT EXISTS (SELECT 1 FROM"
        f" (SELECT l.customer_no {LINES} WHERE l.vendor = 'v7') b"
        " WHERE b.customer_no = a.customer_no)",
    ),
    "R18 two orders in 60 days": (
        "orders_placed MATCHES (date >= -60d, count >= 2)",
        f"SELECT customer_no FROM orders o WHERE {COUNTED} AND processed_at >= '2026-09-20 15:00'"  # noqa: ISC004
        " GROUP BY 1 HAVING count(*) >= 2",
    ),
    "R19 (R01 or R05) except R06": (
        "(customer_countries CONTAINS 'JP' AND email_subscription_status = 'SUBSCRIBED' OR"  # noqa: ISC004
        " amount_spent BETWEEN 100 AND 500) AND NOT last_order_date < -90d",
        "SELECT customer_no FROM customers WHERE (email_subscription_status = 'SUBSCRIBED' AND"  # noqa: ISC004
        " customer_no IN (SELECT customer_no FROM addresses WHERE country_code = 'JP') OR"
        " spent_amount BETWEEN 10000 AND 50000) AND (last_order_at >= '2026-08-21 15:00' OR"
        " last_order_at IS NULL)",
    ),
    "R20 spend through an app in a year": (
        "orders_placed MATCHES (app_id = 502, date >= -365d, sum_amount >= 300)",
        f"SELECT customer_no FROM orders o WHERE {COUNTED} AND app_id = '502' AND processed_at >="  # noqa: ISC004
        " '2025-11-19 15:00' GROUP BY 1 HAVING sum(total_amount - refunded_amount) >= 30000",
    ),
    "R21 domain and region": (
        "customer_email_domain = 'gmail.com' AND customer_regions CONTAINS 'jp-3'",
        "SELECT customer_no FROM customers WHERE email_domain = 'gmail.com' AND customer_no IN"  # noqa: ISC004
        " (SELECT customer_no FROM addresses WHERE lower(region_code) = 'jp-3')",
    ),
    "R22 three units of a tag in a year": (
        "products_purchased MATCHES (tag = 'tag11', date >= -365d, sum_quantity >= 3)",
        f"SELECT l.customer_no {LINES} WHERE l.product_id IN (SELECT product_id FROM product_tags"  # noqa: ISC004
        " WHERE tag_key = 'tag11') AND l.processed_at >= '2025-11-19 15:00'"
        " GROUP BY 1 HAVING sum(l.quantity) >= 3",
    ),
}
