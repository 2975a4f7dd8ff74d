"""Features: what sets a segment apart from everybody, value by value.

Each figure is a share of customers, not of orders: one who bought tea ten times counts once.
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

from regulars.warehouse import Warehouse

# Who has which value. Counted orders only; `moments` tells the weekday and hour of an instant.
_HAVING: Final[Mapping[str, str]] = {
    "products": """
        SELECT l.customer_no, coalesce(p.title, l.title) AS value FROM lines l
        JOIN counted USING (order_id) LEFT JOIN products p USING (product_id)""",
    "types": """
        SELECT l.customer_no, p.product_type AS value FROM lines l
        JOIN counted USING (order_id) JOIN products p USING (product_id)""",
    "vendors": """
        SELECT l.customer_no, l.vendor AS value FROM lines l JOIN counted USING (order_id)""",
    "tags": "SELECT customer_no, tag AS value FROM customer_tags",
    "channels": "SELECT customer_no, source_name AS value FROM counted",
    "regions": "SELECT customer_no, coalesce(region_code, country_code) AS value FROM addresses",
    "weekdays": """
        SELECT customer_no, weekday AS value FROM counted
        JOIN moments ON moment = time_bucket(INTERVAL 15 MINUTES, processed_at)""",
    "hours": """
        SELECT customer_no, hour AS value FROM counted
        JOIN moments ON moment = time_bucket(INTERVAL 15 MINUTES, processed_at)""",
    "order_counts": """
        SELECT customer_no, CASE WHEN order_count >= 10 THEN '10+'
          ELSE CAST(order_count AS VARCHAR) END AS value FROM customers""",
}
KINDS: Final = tuple(_HAVING)

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
_COUNTED: Final = """
CREATE OR REPLACE TEMP VIEW counted AS
SELECT order_id, customer_no, processed_at, source_name FROM orders
WHERE customer_no IS NOT NULL AND NOT is_test AND cancelled_at IS NULL
"""
_MOMENTS: Final = "SELECT DISTINCT time_bucket(INTERVAL 15 MINUTES, processed_at) FROM orders"


@dataclass(frozen=True, slots=True)
class Feature:
    """One value, and how many customers have it."""

    value: str
    member_count: int
    everybody_count: int
    #: Of the segment's customers, and of everybody.
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


def features_of(
    warehouse: Warehouse,
    members: BitMap,
    everybody: BitMap,
    *,
    kind: str,
    zone: ZoneInfo,
    most: int = 20,
) -> list[Feature]:
    """Compare a segment with everybody by one kind of value; the largest differences first."""
    with warehouse.reader() as cursor:
        cursor.execute(_COUNTED)
        if kind in {"weekdays", "hours"}:
            _give_moments(cursor, zone)
        _give_everybody(cursor, members, everybody)
        cursor.execute(f"CREATE OR REPLACE TEMP VIEW held_values AS {_HAVING[kind]}")
        values: dict[str, Any] = {
            "members": len(members & everybody),
            "everybody": len(everybody),
            "most": most,
        }
        rows = cursor.execute(_COUNT, values).fetchall()
    whole_in, whole = max(len(members & everybody), 1), max(len(everybody), 1)
    return [
        Feature(str(value), inside, count, inside / whole_in, count / whole)
        for value, inside, count in rows
    ]


def _give_everybody(cursor: duckdb.DuckDBPyConnection, members: BitMap, everybody: BitMap) -> None:
    numbers = np.array(everybody.to_array(), np.uint32)
    inside = np.isin(numbers, np.array((members & everybody).to_array(), np.uint32))
    cursor.register("everybody", {"customer_no": numbers, "is_member": inside})


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
