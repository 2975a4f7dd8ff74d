"""Features: what sets a segment apart from everybody, value by value.

Each figure is a share of customers, not of orders: one who bought tea ten times counts once. Where
orders are looked at, the share is of those who have such an order, so that a segment of buyers is
not told apart by the mere fact that it buys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from pyroaring import BitMap

from regulars.errors import InputError, problem
from regulars.warehouse import Warehouse

# Who has which value, by the counted orders that are looked at; `moments` tells the weekday and
# hour of an instant.
_OF_ORDERS: Final[Mapping[str, str]] = {
    "products": """
        SELECT l.customer_no, coalesce(p.title, l.title) AS value FROM lines l
        JOIN counted USING (order_id) LEFT JOIN products p USING (product_id)""",
    "types": """
        SELECT l.customer_no, p.product_type AS value FROM lines l
        JOIN counted USING (order_id) JOIN products p USING (product_id)""",
    "collections": """
        SELECT l.customer_no, c.title AS value FROM lines l
        JOIN counted USING (order_id) JOIN product_collections c USING (product_id)""",
    "vendors": """
        SELECT l.customer_no, l.vendor AS value FROM lines l JOIN counted USING (order_id)""",
    "product_tags": """
        SELECT l.customer_no, t.tag AS value FROM lines l
        JOIN counted USING (order_id) JOIN product_tags t USING (product_id)""",
    "channels": "SELECT customer_no, source_name AS value FROM counted",
    "discounts": """
        SELECT customer_no, code AS value FROM counted
        JOIN order_discount_codes USING (order_id)""",
    "weekdays": """
        SELECT customer_no, weekday AS value FROM counted
        JOIN moments ON moment = time_bucket(INTERVAL 15 MINUTES, processed_at)""",
    "hours": """
        SELECT customer_no, hour AS value FROM counted
        JOIN moments ON moment = time_bucket(INTERVAL 15 MINUTES, processed_at)""",
}
# Who has which value, whatever they ordered. Distributions tell the lower end of a step.
_OF_CUSTOMERS: Final[Mapping[str, str]] = {
    "tags": "SELECT customer_no, tag AS value FROM customer_tags",
    "regions": "SELECT customer_no, coalesce(region_code, country_code) AS value FROM addresses",
    "order_counts": """
        SELECT customer_no, CAST(least(order_count, 10) AS VARCHAR) AS value FROM customers""",
    "spend": """
        SELECT customer_no, CAST(step AS VARCHAR) AS value FROM customers
        ASOF JOIN steps ON greatest(spent_amount, 0) >= step""",
    "gaps": """
        SELECT customer_no, CAST(step AS VARCHAR) AS value FROM (
          SELECT customer_no, (epoch(last_order_at) - epoch(first_order_at)) / 86400
            / (order_count - 1) AS days FROM customers WHERE order_count > 1)
        ASOF JOIN steps ON days >= step""",
}
_HAVING: Final = {**_OF_ORDERS, **_OF_CUSTOMERS}
KINDS: Final = tuple(_HAVING)
#: Kinds that look at orders, so that one may say which of them.
KINDS_OF_ORDERS: Final = tuple(_OF_ORDERS)
#: Kinds whose values have an order of their own, and are all shown.
DISTRIBUTIONS: Final = ("weekdays", "hours", "order_counts", "spend", "gaps")

# Money in steps of 1, 2, 5 from a thousand smallest units on: ¥1,000 or $10. 0: spent nothing.
_SPEND_STEPS: Final = (0, 1, *(n * 10**power for power in range(3, 12) for n in (1, 2, 5)))
_GAP_STEPS: Final = (0, 1, 3, 7, 14, 30, 60, 90, 180, 365)
STEPS: Final[Mapping[str, tuple[int, ...]]] = {"spend": _SPEND_STEPS, "gaps": _GAP_STEPS}

_RANK: Final = "row_number() OVER (PARTITION BY customer_no ORDER BY processed_at, order_id)"
_RANK_FROM_LAST: Final = (
    "row_number() OVER (PARTITION BY customer_no ORDER BY processed_at DESC, order_id DESC)"
)
#: Which of a customer's counted orders are looked at.
_QUALIFY: Final[Mapping[str, str]] = {
    "all": "",
    "first": f"QUALIFY {_RANK} = 1",
    "second": f"QUALIFY {_RANK} = 2",
    "repeat": f"QUALIFY {_RANK} > 1",
    "latest": f"QUALIFY {_RANK_FROM_LAST} = 1",
}
ORDERS: Final = tuple(_QUALIFY)

_COUNTED: Final = """
CREATE OR REPLACE TEMP VIEW counted AS
SELECT order_id, customer_no, processed_at, source_name FROM orders
WHERE customer_no IS NOT NULL AND NOT is_test AND cancelled_at IS NULL
"""
# Customers by value, in the segment and among everybody; the largest difference of shares first.
_COUNT: Final = """
SELECT value, count(DISTINCT customer_no) FILTER (is_member), count(DISTINCT customer_no)
FROM held_values JOIN everybody USING (customer_no)
WHERE value IS NOT NULL AND value <> ''
GROUP BY value
ORDER BY abs(count(DISTINCT customer_no) FILTER (is_member) / greatest($members, 1)
  - count(DISTINCT customer_no) / greatest($everybody, 1)) DESC, value
LIMIT $most
"""
# Who is compared at all.
_WHOLE: Final = """
SELECT count(DISTINCT customer_no) FILTER (is_member), count(DISTINCT customer_no)
FROM {of} JOIN everybody USING (customer_no)
"""
_MOMENTS: Final = "SELECT DISTINCT time_bucket(INTERVAL 15 MINUTES, processed_at) FROM orders"


@dataclass(frozen=True, slots=True)
class Feature:
    """One value, and how many customers have it."""

    value: str
    member_count: int
    everybody_count: int
    #: Of the compared customers of the segment, and of all compared.
    member_share: float
    everybody_share: float

    @property
    def difference(self) -> float:
        """How much larger the share is in the segment."""
        return self.member_share - self.everybody_share

    @property
    def lift(self) -> float | None:
        """How many times as common it is; None where nobody has it."""
        return self.member_share / self.everybody_share if self.everybody_share else None


@dataclass(frozen=True, slots=True)
class Features:
    """A segment beside everybody, by one kind of value."""

    rows: list[Feature]
    #: How many are compared: all, or those who have such an order.
    member_count: int
    everybody_count: int


def features_of(
    warehouse: Warehouse,
    members: BitMap,
    everybody: BitMap,
    *,
    kind: str,
    zone: ZoneInfo,
    orders: str = "all",
    most: int = 20,
) -> Features:
    """Compare a segment with everybody by one kind of value; the largest differences first.

    Distributions come whole and in their own order. `orders` says which orders of a customer are
    looked at, for the kinds that look at orders.
    """
    _check(kind, orders)
    with warehouse.reader() as cursor:
        cursor.execute(_COUNTED + (_QUALIFY[orders] if kind in _OF_ORDERS else ""))
        _give_what_is_needed(cursor, kind, zone)
        _give_everybody(cursor, members, everybody)
        cursor.execute(f"CREATE OR REPLACE TEMP VIEW held_values AS {_HAVING[kind]}")
        whole_in, whole = _whole(cursor, kind)
        is_whole = kind in DISTRIBUTIONS
        values: dict[str, Any] = {
            "members": whole_in,
            "everybody": whole,
            "most": 100 if is_whole else most,
        }
        rows = cursor.execute(_COUNT, values).fetchall()
    found = [
        Feature(str(value), inside, count, inside / max(whole_in, 1), count / max(whole, 1))
        for value, inside, count in rows
    ]
    if is_whole:
        found.sort(key=lambda one: int(one.value))
    return Features(found, whole_in, whole)


def _check(kind: str, orders: str) -> None:
    for field, given, known in (("kind", kind, KINDS), ("orders", orders, ORDERS)):
        if given not in known:
            template = '"{given}" is not one of: {known}.'
            raise InputError(
                problem(
                    "unknown_choice", template, field=field, given=given, known=", ".join(known)
                )
            )


def _whole(cursor: duckdb.DuckDBPyConnection, kind: str) -> tuple[int, int]:
    of = "counted" if kind in _OF_ORDERS else "held_values" if kind == "gaps" else "customers"
    ((inside, count),) = cursor.execute(_WHOLE.format(of=of)).fetchall()
    return inside, count


def _give_everybody(cursor: duckdb.DuckDBPyConnection, members: BitMap, everybody: BitMap) -> None:
    numbers = np.array(everybody.to_array(), np.uint32)
    inside = np.isin(numbers, np.array((members & everybody).to_array(), np.uint32))
    cursor.register("everybody", {"customer_no": numbers, "is_member": inside})


def _give_what_is_needed(cursor: duckdb.DuckDBPyConnection, kind: str, zone: ZoneInfo) -> None:
    if kind in {"weekdays", "hours"}:
        _give_moments(cursor, zone)
    if kind in STEPS:
        cursor.register("steps", {"step": np.array(STEPS[kind], np.int64)})


def _give_moments(cursor: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> None:
    """Tell the shop's weekday and hour of each quarter of an hour in which something was bought."""
    instants = [row[0] for row in cursor.execute(_MOMENTS).fetchall()]
    local = [instant.replace(tzinfo=UTC).astimezone(zone) for instant in instants]
    cursor.register(
        "moments",
        {
            "moment": np.array(instants, "datetime64[us]"),
            "weekday": np.array([str(one.isoweekday()) for one in local], np.str_),
            "hour": np.array([f"{one.hour:02}" for one in local], np.str_),
        },
    )
