"""Cohorts: customers by the month of their first order, and how they go on buying.

Looked at month after month, or order after order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap

from regulars.warehouse import Warehouse

By = Literal["month", "order"]

MONTHS_MAX: Final = 13
#: By → how many columns are told: the first month and a year after it, or the first twelve orders.
COLUMNS: Final[Mapping[By, int]] = {"month": MONTHS_MAX, "order": 12}

# Counted orders of the chosen customers, with the shop's month of each as a running number.
_BOUGHT: Final = """
WITH bought AS (
  SELECT customer_no, month, total_amount - refunded_amount AS amount,
    row_number() OVER (PARTITION BY customer_no ORDER BY processed_at, order_id) AS nth
  FROM orders JOIN chosen USING (customer_no)
  JOIN months ON moment = time_bucket(INTERVAL 15 MINUTES, processed_at)
  WHERE NOT is_test AND cancelled_at IS NULL
), started AS (SELECT customer_no, min(month) AS first FROM bought GROUP BY customer_no)
"""
_CELLS: Final[Mapping[By, str]] = {
    "month": """
SELECT first, month - first, count(DISTINCT customer_no), sum(amount)
FROM bought JOIN started USING (customer_no)
GROUP BY 1, 2 ORDER BY 1, 2
""",
    "order": """
SELECT first, nth - 1, count(*), sum(amount)
FROM bought JOIN started USING (customer_no)
GROUP BY 1, 2 ORDER BY 1, 2
""",
}
_MOMENTS: Final = "SELECT DISTINCT time_bucket(INTERVAL 15 MINUTES, processed_at) FROM orders"

Cells = dict[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers whose first counted order fell into one month."""

    #: Like 2026-03; empty for all of them together.
    month: str
    customer_count: int
    #: Who bought in the first month, one month later …; or who placed a first order, a second …
    #: None where that month has not begun.
    buyers: tuple[int | None, ...]
    #: Revenue up to and with that month or order, in minor units.
    revenue: tuple[int | None, ...]
    #: The customers that each figure is of: fewer in the sum of all where some months are to come.
    known: tuple[int, ...]


def cohorts(
    warehouse: Warehouse,
    members: BitMap,
    *,
    zone: ZoneInfo,
    this_month: tuple[int, int],
    by: By = "month",
) -> list[Cohort]:
    """Return the latest cohorts of these customers, the oldest first."""
    now = this_month[0] * 12 + this_month[1] - 1
    with warehouse.reader() as cursor:
        instants = [row[0] for row in cursor.execute(_MOMENTS).fetchall()]
        local = [instant.replace(tzinfo=UTC).astimezone(zone) for instant in instants]
        months = np.array([one.year * 12 + one.month - 1 for one in local], np.int64)
        moments = np.array(instants, "datetime64[us]")
        cursor.register("months", {"moment": moments, "month": months})
        cursor.register("chosen", {"customer_no": np.array(members.to_array(), np.uint32)})
        rows = cursor.execute(_BOUGHT + _CELLS[by]).fetchall()
    cells = {(first, later): (count, int(amount)) for first, later, count, amount in rows}
    firsts = sorted({first for first, _later in cells if first > now - MONTHS_MAX})
    return [_cohort(first, cells, now if by == "month" else None, COLUMNS[by]) for first in firsts]


def together(found: Sequence[Cohort]) -> Cohort:
    """Add cohorts up, each column over those that have reached it."""
    columns = range(len(found[0].buyers)) if found else range(0)
    reached = [[one for one in found if one.buyers[at] is not None] for at in columns]
    return Cohort(
        "",
        sum(one.customer_count for one in found),
        tuple(sum(one.buyers[at] or 0 for one in reached[at]) for at in columns),
        tuple(sum(one.revenue[at] or 0 for one in reached[at]) for at in columns),
        tuple(sum(one.customer_count for one in reached[at]) for at in columns),
    )


def _cohort(first: int, cells: Cells, now: int | None, columns: int) -> Cohort:
    buyers: list[int | None] = []
    revenue: list[int | None] = []
    total = 0
    for later in range(columns):
        if now is not None and first + later > now:
            buyers.append(None)
            revenue.append(None)
            continue
        count, amount = cells.get((first, later), (0, 0))
        total += amount
        buyers.append(count)
        revenue.append(total)
    name = f"{first // 12}-{first % 12 + 1:02}"
    whole = cells[first, 0][0]
    return Cohort(name, whole, tuple(buyers), tuple(revenue), (whole,) * columns)
