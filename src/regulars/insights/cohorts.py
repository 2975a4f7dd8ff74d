"""Cohorts: customers by the month of their first order, and how many buy again how much later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap

from regulars.warehouse import Warehouse

MONTHS_MAX: Final = 13

# Counted orders of the chosen customers, with the shop's month of each as a running number.
_CELLS: Final = """
WITH bought AS (
  SELECT customer_no, month, total_amount - refunded_amount AS amount
  FROM orders JOIN chosen USING (customer_no)
  JOIN months ON moment = time_bucket(INTERVAL 15 MINUTES, processed_at)
  WHERE NOT is_test AND cancelled_at IS NULL
), started AS (SELECT customer_no, min(month) AS first FROM bought GROUP BY customer_no)
SELECT first, month - first, count(DISTINCT customer_no), sum(amount)
FROM bought JOIN started USING (customer_no)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_MOMENTS: Final = "SELECT DISTINCT time_bucket(INTERVAL 15 MINUTES, processed_at) FROM orders"


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers whose first counted order fell into one month."""

    #: Like 2026-03.
    month: str
    customer_count: int
    #: Buyers in the first month, one month later …; None where that month has not begun.
    buyers: tuple[int | None, ...]
    #: Revenue up to and with that month, in minor units.
    revenue: tuple[int | None, ...]


def cohorts(
    warehouse: Warehouse, members: BitMap, *, zone: ZoneInfo, this_month: tuple[int, int]
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
        rows = cursor.execute(_CELLS).fetchall()
    cells = {(first, later): (count, int(amount)) for first, later, count, amount in rows}
    firsts = sorted({first for first, _later in cells if first > now - MONTHS_MAX})
    return [_cohort(first, cells, now) for first in firsts]


def _cohort(first: int, cells: dict[tuple[int, int], tuple[int, int]], now: int) -> Cohort:
    buyers: list[int | None] = []
    revenue: list[int | None] = []
    total = 0
    for later in range(MONTHS_MAX):
        if first + later > now:
            buyers.append(None)
            revenue.append(None)
            continue
        count, amount = cells.get((first, later), (0, 0))
        total += amount
        buyers.append(count)
        revenue.append(total)
    name = f"{first // 12}-{first % 12 + 1:02}"
    return Cohort(name, cells[first, 0][0], tuple(buyers), tuple(revenue))
