"""Counts the trackings of one shop, and keeps what it counted until something changes.

Figures are a function of the facts (`data_version`) and of the membership log (its size, for it
only grows); pages that ask every few seconds cost nothing while neither moved. Orders of all asked
periods are read once, the log is read from where it was read to last.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap

from regulars.tracking import queries
from regulars.tracking.before import Before
from regulars.tracking.breakdown import Breakdown, break_down
from regulars.tracking.counting import (
    Attributed,
    Orders,
    attribute,
    count,
    order_columns,
    people_of,
)
from regulars.tracking.figures import Figures, Population
from regulars.tracking.intervals import (
    Flips,
    Intervals,
    build,
    joined_flips,
    micros,
    no_flips,
)
from regulars.tracking.period import Period
from regulars.warehouse import Warehouse
from regulars.warehouse.columns import inside

#: Orders are read from this long before a period, to see which order a membership came from.
LOOK_BACK = timedelta(days=1)
#: More trackings than a shop shows at once.
FIGURES_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be counted."""

    segment_id: int
    period: Period
    #: The shop's zone now, which its day changes follow; the period keeps its own.
    zone: ZoneInfo
    #: A cancelled tracking stops here.
    ends_at: datetime | None = None
    #: Membership of the first day before the segment's log begins; or the members of a frozen list.
    before: Before | None = None
    #: The members are `before`'s and nobody joins or leaves.
    is_frozen: bool = False

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Return the first instant that counts, and the first one that does not."""
        first, last = self.period.starts_at, self.period.ends_at
        return first, min(last, max(first, self.ends_at or last))


@dataclass(slots=True)
class _Kept:
    """One segment's entries as read so far, and the intervals they amount to."""

    flips: Flips
    #: How much of the log has been read.
    read_to: int = 0
    intervals: dict[object, Intervals] = field(default_factory=dict)


class Counter:
    """The counting of one shop's warehouse; safe to use from several threads."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._lock = threading.RLock()
        self._version = -1
        self._log_size = 0
        self._merged: dict[int, int] = {}
        self._orders: tuple[datetime, datetime, Orders] | None = None
        self._segments: dict[int, _Kept] = {}
        self._figures: dict[Asked, tuple[object, Figures]] = {}
        self._breakdowns: dict[tuple[Asked, Population], tuple[object, Breakdown]] = {}

    def figures(self, asked: Sequence[Asked]) -> list[Figures]:
        """Return the figures of each, in order."""
        with self._lock, self._warehouse.reader() as cursor:
            return self._count(cursor, asked)

    def breakdown(self, asked: Asked, population: Population) -> Breakdown:
        """Return the parts of one population's totals."""
        with self._lock, self._warehouse.reader() as cursor:
            state = self._follow(cursor)
            kept = self._breakdowns.get((asked, population))
            if kept is not None and kept[0] == state:
                return kept[1]
            # Row numbers last as long as the transaction, so the orders are read in this one.
            self._orders = None
            found = self._attribute(cursor, asked)
            parts = break_down(cursor, found.orders.rows[found.of(population)], *asked.bounds)
            _keep(self._breakdowns, (asked, population), (state, parts), 200)
            return parts

    def buyers(self, asked: Sequence[tuple[Asked, Population]]) -> list[BitMap]:
        """Return who ordered, for counting overlaps; never shown."""
        with self._lock, self._warehouse.reader() as cursor:
            self._follow(cursor)
            self._read(cursor, [one for one, _ in asked])
            found = []
            for one, population in asked:
                orders = self._attribute(cursor, one)
                found.append(BitMap(orders.orders.customer_nos[orders.of(population)].tolist()))
            return found

    def customers(self, asked: Sequence[Asked]) -> list[BitMap]:
        """Return who was ever a member in the period, for counting overlaps; never shown."""
        with self._lock, self._warehouse.reader() as cursor:
            self._follow(cursor)
            self._read(cursor, asked)
            found = []
            for one in asked:
                start, end = (micros(bound) for bound in one.bounds)
                found.append(BitMap(people_of(self._intervals(one), start, end).ever.tolist()))
            return found

    def members(self, asked: Asked) -> BitMap:
        """Return who belonged at the start (now, where that is to come); never shown."""
        with self._lock, self._warehouse.reader() as cursor:
            self._follow(cursor)
            self._read(cursor, [asked])
            start, end = (micros(bound) for bound in asked.bounds)
            return BitMap(people_of(self._intervals(asked), start, end).at_start.tolist())

    def _count(self, cursor: Any, asked: Sequence[Asked]) -> list[Figures]:
        state = self._follow(cursor)
        stale = [one for one in dict.fromkeys(asked) if not self._is_kept(one, state)]
        if stale:
            self._read(cursor, stale)
            orders = self._orders_of(cursor, stale)
            for one in stale:
                start, end = (micros(bound) for bound in one.bounds)
                figures, _ = count(orders, self._intervals(one), one.period, start=start, end=end)
                _keep(self._figures, one, (state, figures), FIGURES_KEPT)
        return [self._figures[one][1] for one in asked]

    def _is_kept(self, asked: Asked, state: object) -> bool:
        kept = self._figures.get(asked)
        return kept is not None and kept[0] == state

    def _attribute(self, cursor: Any, asked: Asked) -> Attributed:
        self._read(cursor, [asked])
        start, end = (micros(bound) for bound in asked.bounds)
        return attribute(self._orders_of(cursor, [asked]), self._intervals(asked), start, end)

    def _follow(self, cursor: Any) -> object:
        """Forget what newer facts changed; return the state that answers belong to."""
        # Asked before the cursor reads, so that what is kept can only be newer than its mark.
        version = self._warehouse.data_version
        ((self._log_size,),) = cursor.execute(queries.LOG_SIZE).fetchall()
        if version != self._version:
            merged = dict(cursor.execute(queries.MERGED).fetchall())
            if merged != self._merged:
                self._merged = {number: _heir(number, merged) for number in merged}
                for kept in self._segments.values():
                    kept.intervals.clear()
            self._version, self._orders = version, None
        return self._version, self._log_size

    def _orders_of(self, cursor: Any, asked: Sequence[Asked]) -> Orders:
        first = min(one.bounds[0] for one in asked) - LOOK_BACK
        last = max(one.bounds[1] for one in asked)
        if self._orders is None or not (self._orders[0] <= first and last <= self._orders[1]):
            values = {"starts_at": inside(first), "ends_at": inside(last)}
            columns = cursor.execute(queries.ORDERS, values).fetchnumpy().values()
            self._orders = first, last, order_columns(*columns)
        return self._orders[2]

    def _read(self, cursor: Any, asked: Iterable[Asked]) -> None:
        """Read what the log has more of the asked segments, in one pass over it."""
        wanted = {one.segment_id for one in asked if not one.is_frozen}
        places = {
            one: self._segments[one].read_to if one in self._segments else 0 for one in wanted
        }
        for since in set(places.values()):
            if since < self._log_size:
                self._take(cursor, sorted(one for one in wanted if places[one] == since), since)

    def _take(self, cursor: Any, segment_ids: Sequence[int], since: int) -> None:
        values = {"since": since, "segment_ids": list(segment_ids)}
        rows, segments, *columns = cursor.execute(queries.FLIPS, values).fetchnumpy().values()
        # DuckDB gives rows as they were written, which costs less to look at than to ask for.
        if len(rows) and (np.diff(rows) < 0).any():
            written = np.argsort(rows)
            segments, columns = segments[written], [column[written] for column in columns]
        # Small numbers are sorted by counting, in a tenth of the time.
        places = np.searchsorted(np.array(segment_ids), segments).astype(np.uint16)
        order = np.argsort(places, kind="stable")
        numbers = np.arange(len(segment_ids))
        bounds = np.searchsorted(places[order], numbers)
        ends = np.searchsorted(places[order], numbers, "right")
        for segment_id, low, high in zip(segment_ids, bounds, ends, strict=True):
            new = Flips(*(column[order[low:high]] for column in columns))
            kept = self._segments.setdefault(segment_id, _Kept(no_flips()))
            kept.read_to = self._log_size
            if len(new):
                kept.flips = joined_flips(kept.flips, new)
                kept.intervals.clear()

    def _intervals(self, asked: Asked) -> Intervals:
        zones = tuple(dict.fromkeys((asked.period.zone, asked.zone)))
        if asked.is_frozen:
            kept = _Kept(no_flips())
        else:
            # A segment whose log has no entry yet has no members.
            kept = self._segments.setdefault(asked.segment_id, _Kept(no_flips(), self._log_size))
        key = zones, asked.before
        if key not in kept.intervals:
            flips = kept.flips if asked.before is None else asked.before.then(kept.flips)
            kept.intervals[key] = build(flips, zones, self._merged)
        return kept.intervals[key]


def counter_of(warehouse: Warehouse) -> Counter:
    """Return the one counter of a warehouse, so that all share what it keeps."""
    with _MAKING:
        found = _COUNTERS.get(warehouse)
        if found is None:
            found = _COUNTERS[warehouse] = Counter(warehouse)
        return found


_COUNTERS: weakref.WeakKeyDictionary[Warehouse, Counter] = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()


def _heir(number: int, merged: Mapping[int, int]) -> int:
    """Return who a merged customer is now, over several mergers."""
    seen = {number}
    while number in merged and merged[number] not in seen:
        number = merged[number]
        seen.add(number)
    return number


def _keep(kept: dict[Any, Any], key: object, value: object, most: int) -> None:
    """Keep a value as the newest; the oldest goes when there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
