"""Two hundred segments of one shop, made of some seventy conditions, with SQL for each.

Shops ask the same things again and again: who bought, how much, how long ago, with which consent.
A condition is a piece of a query and the same as a condition on `customers` in plain SQL.
"""

from __future__ import annotations

import random

from bench.rules import COUNTED, LINES

SEGMENTS = 200

Condition = tuple[str, str]


def _among(select: str) -> str:
    return f"customer_no IN ({select})"


def _conditions() -> list[Condition]:
    spent = (50, 100, 150, 200, 300, 500, 800, 1200)
    consents = ("SUBSCRIBED", "NOT_SUBSCRIBED", "PENDING")
    tags = "SELECT customer_no FROM customer_tags WHERE tag_key = "
    there = "SELECT customer_no FROM addresses WHERE country_code = "
    return [
        *((f"amount_spent >= {one}", f"spent_amount >= {one * 100}") for one in spent),
        *((f"number_of_orders >= {one}", f"order_count >= {one}") for one in (1, 2, 3, 5, 10)),
        *((f"last_order_date >= -{n}d", f"last_order_at >= '{at}'") for n, at in _STARTS.items()),
        *((f"email_subscription_status = '{one}'",) * 2 for one in consents),
        *((f"customer_language = '{one}'", f"language = '{one}'") for one in ("ja", "en")),
        *(
            (f"customer_tags CONTAINS 't{one}'", _among(f"{tags}'t{one}'"))
            for one in range(0, 30, 2)
        ),
        *(
            (f"customer_countries CONTAINS '{one}'", _among(f"{there}'{one}'"))
            for one in ("JP", "US", "DE")
        ),
        *_events(),
    ]


#: Days ago, and the instant at which that day began in Tokyo, for `bench.shop.AS_OF`.
_STARTS = {
    30: "2026-10-20 15:00",
    60: "2026-09-20 15:00",
    90: "2026-08-21 15:00",
    180: "2026-05-23 15:00",
    365: "2025-11-19 15:00",
}


def _events() -> list[Condition]:
    found: list[Condition] = []
    for days, start in _STARTS.items():
        for count in (1, 2):
            query = f"orders_placed MATCHES (date >= -{days}d, count >= {count})"
            counted = (
                f"SELECT customer_no FROM orders o WHERE {COUNTED} AND processed_at >= '{start}'"
                f" GROUP BY customer_no HAVING count(*) >= {count}"
            )
            found.append((query, _among(counted)))
    for number in range(1, 13):
        query = f"products_purchased MATCHES (tag = 'tag{number}', date >= -365d)"
        bought = (
            f"SELECT l.customer_no {LINES} WHERE l.product_id IN (SELECT product_id FROM"
            f" product_tags WHERE tag_key = 'tag{number}') AND l.processed_at >= '{_STARTS[365]}'"
        )
        found.append((query, _among(bought)))
    for number in range(1, 9):
        query = f"products_purchased MATCHES (vendor = 'v{number}', sum_amount > 100)"
        spent = (
            f"SELECT l.customer_no {LINES} WHERE l.vendor = 'v{number}' GROUP BY l.customer_no"
            " HAVING sum(l.amount) > 10000"
        )
        found.append((query, _among(spent)))
    return found


def _negated(sql: str) -> str:
    """Write the complement; only columns that may be missing need a word for it."""
    if sql.startswith(("customer_no", "spent_amount", "order_count")):
        return f"NOT ({sql})"
    return f"coalesce(NOT ({sql}), true)"


def suite(count: int = SEGMENTS) -> tuple[list[Condition], int]:
    """Return different segments as (query, SQL), and how many conditions they are made of."""
    chance = random.Random(5)
    conditions = _conditions()
    found: dict[str, str] = {}
    used: set[str] = set()
    while len(found) < count:
        parts = chance.sample(conditions, k=chance.choice([1, 2, 2, 3, 3, 4]))
        word = chance.choice([" AND ", " AND ", " OR "])
        texts, sqls = [], []
        for query, sql in parts:
            no = chance.random() < 0.2
            texts.append(f"NOT {query}" if no else query)
            sqls.append(_negated(sql) if no else f"({sql})")
            used.add(query)
        found[word.join(texts)] = f"SELECT customer_no FROM customers WHERE {word.join(sqls)}"
    return list(found.items()), len(used)
