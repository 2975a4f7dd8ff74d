"""Segment figures: sums over the orders of a set of customers at an instant, and kept days.

The sums of every customer are carried from day to day in arrays, so that a year of days costs one
pass over the orders. Which customers belong, and what a day is, the caller says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any, Final

import duckdb
import numpy as np
from pyroaring import BitMap

from regulars.warehouse.columns import Shape, given, inside, outside
from regulars.warehouse.sql import statements

_DAYS: Final[Shape] = {
    "segment_id": "whole",
    "shop_day": "text",
    "version": "whole",
    "is_recorded": "yes",
    "is_past_known": "yes",
    "customer_count": "whole",
    "buyer_count": "whole",
    "repeat_count": "whole",
    "order_count": "whole",
    "spent_amount": "whole",
    "mean_sum": "number",
    "gap_count": "whole",
    "gap_seconds": "number",
    "day_order_count": "whole",
    "day_amount": "whole",
}


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over customers, from which every mean follows. Money in minor units."""

    customer_count: int
    #: Customers with a counted order, and with two or more.
    buyer_count: int
    repeat_count: int
    order_count: int
    spent_amount: int
    #: Each buyer's own mean order, added up.
    mean_sum: float
    #: Times from one order of a customer to the next: how many, and how long together.
    gap_count: int
    gap_seconds: float


@dataclass(frozen=True, slots=True)
class SegmentDay:
    """One segment at the end of one shop day."""

    shop_day: date
    version: int
    #: By the membership log of that day; else worked out later by the rule.
    is_recorded: bool
    #: False where a condition looks at something whose past was not kept.
    is_past_known: bool
    sums: Sums
    #: Orders and money of the day by customers who were members.
    day_order_count: int
    day_amount: int


class CustomerSums:
    """What every customer has ordered up to an instant that only moves on."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, until: datetime) -> None:
        self._sql = statements("metrics")
        self._cursor = cursor
        self._until = until
        ((size,),) = cursor.execute(self._sql["size"]).fetchall()
        self._count = np.zeros(size, np.int64)
        self._spent = np.zeros(size, np.int64)
        self._first = np.zeros(size, np.int64)
        self._last = np.zeros(size, np.int64)
        rows = cursor.execute(self._sql["before"], {"until": inside(until)}).fetchnumpy()
        numbers = rows["customer_no"]
        self._count[numbers] = rows["order_count"]
        self._spent[numbers] = rows["spent_amount"]
        self._first[numbers] = rows["first_at"]
        self._last[numbers] = rows["last_at"]

    def move_on(self, until: datetime, members: BitMap) -> tuple[int, int]:
        """Take in the orders up to `until`; return how many, and how much, `members` ordered."""
        bounds = {"since": inside(self._until), "until": inside(until)}
        rows = self._cursor.execute(self._sql["between"], bounds).fetchnumpy()
        numbers, amounts, ordered = rows["customer_no"], rows["amount"], rows["ordered_at"]
        self._until = until
        if len(numbers) == 0:
            return 0, 0
        is_first = self._count[numbers] == 0
        self._first[numbers[is_first]] = np.iinfo(np.int64).max
        np.minimum.at(self._first, numbers, ordered)
        np.maximum.at(self._last, numbers, ordered)
        np.add.at(self._count, numbers, 1)
        np.add.at(self._spent, numbers, amounts)
        belongs = np.zeros(len(self._count), np.bool_)
        belongs[_numbers(members)] = True
        theirs = belongs[numbers]
        return int(theirs.sum()), int(amounts[theirs].sum())

    def of(self, members: BitMap) -> Sums:
        """Return the sums over a set of customers."""
        numbers = _numbers(members)
        count, spent = self._count[numbers], self._spent[numbers]
        buyers, repeat = count >= 1, count >= 2
        gaps = (self._last - self._first)[numbers][repeat]
        return Sums(
            customer_count=len(numbers),
            buyer_count=int(buyers.sum()),
            repeat_count=int(repeat.sum()),
            order_count=int(count.sum()),
            spent_amount=int(spent.sum()),
            mean_sum=float((spent[buyers] / count[buyers]).sum()),
            gap_count=int((count[repeat] - 1).sum()),
            gap_seconds=float(gaps.sum()) / 1e6,
        )


def at_order_time(
    cursor: duckdb.DuckDBPyConnection, segment_id: int, since: datetime, until: datetime
) -> tuple[int, int]:
    """Return orders and money of a time by customers who were members just before, by the log."""
    values = {"segment_id": segment_id, "since": inside(since), "until": inside(until)}
    ((count, amount),) = cursor.execute(statements("metrics")["at_order_time"], values).fetchall()
    return int(count), int(amount)


def first_order_at(cursor: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return when the oldest counted order was placed; None without orders."""
    ((instant,),) = cursor.execute(statements("metrics")["first_order"]).fetchall()
    return outside(instant) if instant is not None else None


def keep_days(
    cursor: duckdb.DuckDBPyConnection, segment_id: int, days: Sequence[SegmentDay]
) -> None:
    """Store days of one segment in place of what was stored for them."""
    if not days:
        return
    sql = statements("metrics")
    first, last = min(one.shop_day for one in days), max(one.shop_day for one in days)
    cursor.execute(sql["forget"], {"segment_id": segment_id, "first": first, "last": last})
    rows = [
        (
            segment_id,
            one.shop_day.isoformat(),
            one.version,
            one.is_recorded,
            one.is_past_known,
            *astuple(one.sums),
            one.day_order_count,
            one.day_amount,
        )
        for one in days
    ]
    with given(cursor, "given_days", _DAYS, rows):
        cursor.execute(sql["keep"])


def read_days(
    cursor: duckdb.DuckDBPyConnection, segment_id: int, first: date
) -> Sequence[SegmentDay]:
    """Return the stored days of a segment from a day on, oldest first."""
    values = {"segment_id": segment_id, "first": first}
    rows = cursor.execute(statements("metrics")["days"], values).fetchall()
    return [_day(row) for row in rows]


def last_days(cursor: duckdb.DuckDBPyConnection) -> dict[int, date]:
    """Return the newest stored day of each segment."""
    return dict(cursor.execute(statements("metrics")["last_days"]).fetchall())


def _day(row: tuple[Any, ...]) -> SegmentDay:
    shop_day, version, is_recorded, is_past_known, *sums, count, amount = row
    return SegmentDay(
        shop_day, version, is_recorded, is_past_known, Sums(*sums), int(count), int(amount)
    )


def _numbers(members: BitMap) -> np.ndarray[Any, np.dtype[np.uint32]]:
    return np.array(members.to_array(), np.uint32)
