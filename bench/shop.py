"""A generated shop of any size for the benches, written with SQL straight into a warehouse.

Same numbers for the same size: everything comes from hashes. About 4.8 orders a customer who orders,
2.2 lines an order, one customer in seven without an order, 3 % of orders cancelled.
"""  # noqa: E501

from __future__ import annotations

from datetime import UTC, datetime

from regulars.warehouse.warehouse import Warehouse

AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)

STATEMENTS = (
    "CREATE OR REPLACE TEMP MACRO dice(seed, sides) AS (hash(seed) % sides)::BIGINT",
    """INSERT INTO products SELECT i::VARCHAR, 'Product ' || i, 'v' || i % 40, 'type' || i % 25,
         'c' || i % 60, NULL, NULL, NULL FROM range(1, 2001) t(i)""",
    """INSERT INTO product_tags SELECT i::VARCHAR, 'tag' || j, 'tag' || j
         FROM range(1, 2001) t(i), range(60) u(j) WHERE dice(i * 61 + j, 30) = 0""",
    """INSERT INTO customers (customer_no, customer_id, email, email_domain, language,
         account_status, email_subscription_status, added_at)
       SELECT i, (1000000 + i)::VARCHAR, 'c' || i || '@example.com',
         ['gmail.com', 'example.com', 'yahoo.co.jp', 'icloud.com'][1 + dice(i + 1, 4)],
         ['ja', 'en', 'en-US', NULL][1 + dice(i + 2, 4)],
         ['ENABLED', 'DISABLED', 'INVITED', NULL][1 + dice(i + 3, 4)],
         ['SUBSCRIBED', 'NOT_SUBSCRIBED', 'PENDING', NULL][1 + dice(i + 4, 4)],
         TIMESTAMP '2022-11-20' + INTERVAL (dice(i + 5, 126144000)) SECOND
       FROM range($n) t(i)""",
    """INSERT INTO customer_tags SELECT i, 't' || j, 't' || j
       FROM range($n) t(i), (SELECT unnest(range(40)) j) WHERE dice(i * 41 + j, (10 + j * 4)) = 0""",  # noqa: E501
    """INSERT INTO addresses SELECT i, c, c || '-' || dice(i + 7, 40),
         c || '-' || dice(i + 7, 40) || '-City' || dice(i + 8, 500), NULL, NULL, NULL
       FROM (SELECT i, ['JP', 'JP', 'US', 'DE', 'GB', 'CA'][1 + dice(i + 6, 6)] c
             FROM range($n) t(i))""",
    """INSERT INTO orders (order_id, customer_no, name, processed_at, cancelled_at, is_test,
         total_amount, refunded_amount, source_name, app_id)
       SELECT (100000000 + row_number() OVER ())::VARCHAR, i, NULL, placed,
         CASE WHEN dice(i * 131 + k, 33) = 0 THEN placed + INTERVAL 1 DAY END,
         dice(i * 137 + k, 500) = 0, 500 + dice(i * 139 + k, 20000), 0,
         ['web', 'pos', 'shop'][1 + dice(i * 149 + k, 3)], (500 + dice(i * 151 + k, 5))::VARCHAR
       FROM (SELECT i, k, TIMESTAMP '2022-11-20'
               + INTERVAL (dice(i * 157 + k, 126144000)) SECOND AS placed
             FROM (SELECT i, CASE WHEN dice(i + 9, 7) = 0 THEN 0
                     ELSE 1 + floor(power(1000.0 / (1 + dice(i + 10, 1000)), 0.75) * 2)::BIGINT
                   END AS wanted FROM range($n) t(i)),
               LATERAL unnest(range(wanted)) u(k))
       ORDER BY placed""",
    """INSERT INTO lines SELECT order_id, customer_no, processed_at,
         (1 + floor(2000 * power((dice(order_id || j, 100000)) / 100000.0, 3)))::BIGINT::VARCHAR AS p,
         NULL, NULL, 'v' || p::BIGINT % 40, NULL, 1 + dice(order_id || j || 'q', 3),
         200 + dice(order_id || j || 'a', 8000)
       FROM orders, range(4) t(j) WHERE j <= dice(order_id, 4)
       ORDER BY processed_at""",  # noqa: E501
    """UPDATE customers SET order_count = s.n, spent_amount = s.spent, first_order_at = s.first,
         last_order_at = s.last
       FROM (SELECT customer_no, count(*) n, sum(total_amount - refunded_amount) spent,
               min(processed_at) first, max(processed_at) last
             FROM orders WHERE NOT is_test AND cancelled_at IS NULL GROUP BY customer_no) s
       WHERE customers.customer_no = s.customer_no""",
)


#: Rows come by time; a load of Shopify's files lays them by customer and by product.
LAID = (
    ("ORDER BY placed", "ORDER BY i, placed"),
    ("ORDER BY processed_at", "ORDER BY p, processed_at"),
)


def fill(warehouse: Warehouse, customers: int, *, is_laid: bool = False) -> None:
    """Write a shop of this many customers into an empty warehouse, perhaps laid as by a load."""
    with warehouse.transaction() as cursor:
        for statement in STATEMENTS:
            cursor.execute(
                _laid(statement) if is_laid else statement,
                {"n": customers} if "$n" in statement else None,
            )
    warehouse.checkpoint()


def _laid(statement: str) -> str:
    for by_time, as_laid in LAID:
        statement = statement.replace(by_time, as_laid)
    return statement
