"""Counts the trackings of one shop, and keeps what it counted until something changes.

Figures are a function of the facts (`data_version`) and of the membership log (its size, for it
only grows); pages that ask every few seconds cost nothing while neither moved. Where few customers
were moved, only these are counted, as they were and as they are, and each tracking gets the
difference. Else the orders of all asked periods are read once and counted anew.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap

from regulars.tracking import queries
from regulars.tracking.before import Before
from regulars.tracking.breakdown import Breakdown, break_down
from regulars.tracking.counting import Attributed, People, attribute, people_of, tally
from regulars.tracking.figures import Figures, Population
from regulars.tracking.intervals import (
    Flips,
    Intervals,
    build,
    joined_flips,
    micros,
    no_flips,
)
from regulars.tracking.orders import Book, Orders, orders_of
from regulars.tracking.period import Period
from regulars.tracking.runs import Column, order_by
from regulars.tracking.tally import Tally, figures_of
from regulars.warehouse import Warehouse
from regulars.warehouse.columns import inside

#: Orders are read from this long before a period, to see which order a membership came from.
LOOK_BACK = timedelta(days=1)
#: More trackings than a shop shows at once.
FIGURES_KEPT = 500
BREAKDOWNS_KEPT = 200
#: With more customers changed at once (a day change, a load) counting all anew is quicker.
MENDED_MAX = 5_000

#: What the intervals of one log depend on besides: whose midnights, and who belonged before it.
_Sort = tuple[tuple[ZoneInfo, ...], Before | None]


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
    intervals: dict[_Sort, Intervals] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one tracking came to."""

    tally: Tally
    figures: Figures


class Counter:
    """The counting of one shop's warehouse; safe to use from several threads."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._lock = threading.RLock()
        self._version = -1
        self._log_size = 0
        self._merged: dict[int, int] = {}
        self._book: Book | None = None
        #: Each read up to `_log_size`.
        self._segments: dict[int, _Kept] = {}
        #: Each counted from the book and the intervals as they are.
        self._counted: dict[Asked, _Counted] = {}
        self._breakdowns: dict[tuple[Asked, Population], tuple[object, Breakdown]] = {}

    def figures(self, asked: Sequence[Asked]) -> list[Figures]:
        """Return the figures of each, in order."""
        with self._lock, self._warehouse.reader() as cursor:
            self._follow(cursor)
            known = {one: self._counted[one] for one in asked if one in self._counted}
            missing = [one for one in dict.fromkeys(asked) if one not in known]
            if missing:
                self._read(cursor, missing)
                orders = self._orders(cursor, missing)
                for one in missing:
                    known[one] = _counted(one, self._tally(one, orders, self._intervals(one)))
                    _keep(self._counted, one, known[one], FIGURES_KEPT)
            return [known[one].figures for one in asked]

    def breakdown(self, asked: Asked, population: Population) -> Breakdown:
        """Return the parts of one population's totals."""
        with self._lock, self._warehouse.reader() as cursor:
            state = self._follow(cursor)
            kept = self._breakdowns.get((asked, population))
            if kept is not None and kept[0] == state:
                return kept[1]
            # Row numbers last as long as the transaction, so the orders are read in this one.
            first, last = asked.bounds
            found = self._attribute(cursor, asked, _read_orders(cursor, first - LOOK_BACK, last))
            parts = break_down(cursor, found.rows_of(population), first, last)
            _keep(self._breakdowns, (asked, population), (state, parts), BREAKDOWNS_KEPT)
            return parts

    def buyers(self, asked: Sequence[tuple[Asked, Population]]) -> list[BitMap]:
        """Return who ordered, for counting overlaps; never shown."""
        with self._lock, self._warehouse.reader() as cursor:
            self._follow(cursor)
            orders = self._orders(cursor, [one for one, _ in asked])
            found = []
            for one, population in asked:
                theirs = self._attribute(cursor, one, orders)
                found.append(BitMap(theirs.customer_nos[theirs.of(population)].tolist()))
            return found

    def customers(self, asked: Sequence[Asked]) -> list[BitMap]:
        """Return who was ever a member in the period, for counting overlaps; never shown."""
        return self._people(asked, lambda people: people.ever)

    def members(self, asked: Asked) -> BitMap:
        """Return who belonged at the start (now, where that is to come); never shown."""
        return self._people([asked], lambda people: people.at_start)[0]

    def _people(self, asked: Sequence[Asked], which: Callable[[People], Column]) -> list[BitMap]:
        with self._lock, self._warehouse.reader() as cursor:
            self._follow(cursor)
            self._read(cursor, asked)
            found = []
            for one in asked:
                intervals = self._intervals(one)
                start, end = (micros(bound) for bound in one.bounds)
                chosen = which(people_of(intervals, start, end))
                found.append(BitMap(intervals.customer_nos[chosen].tolist()))
            return found

    def _tally(self, asked: Asked, orders: Orders, intervals: Intervals) -> Tally:
        start, end = (micros(bound) for bound in asked.bounds)
        return tally(orders, intervals, asked.period, start=start, end=end)[0]

    def _attribute(self, cursor: Any, asked: Asked, orders: Orders) -> Attributed:
        self._read(cursor, [asked])
        start, end = (micros(bound) for bound in asked.bounds)
        return attribute(orders, self._intervals(asked), start, end)

    # -- following the warehouse ---------------------------------------------------------------

    def _follow(self, cursor: Any) -> object:
        """Bring what is kept up to date; return the state that answers belong to."""
        # Asked before the cursor reads, so that what is kept can only be newer than its mark.
        version = self._warehouse.data_version
        ((log_size,),) = cursor.execute(queries.LOG_SIZE).fetchall()
        if (version, log_size) != (self._version, self._log_size):
            fresh = self._fresh_flips(cursor, log_size)
            touched = self._touched(cursor, version)
            customers = None if touched is None else _union(touched, fresh, self._merged)
            if customers is None or len(customers) > MENDED_MAX:
                self._forget(fresh, facts_moved=touched is None or len(touched) > 0)
            else:
                self._mend(cursor, fresh, customers)
            self._version, self._log_size = version, log_size
        return self._version, self._log_size

    def _touched(self, cursor: Any, version: int) -> frozenset[int] | None:
        """Return whose facts changed since the kept version; None where anything may have."""
        if version == self._version:
            return frozenset()
        merged = dict(cursor.execute(queries.MERGED).fetchall())
        merged = {number: _heir(number, merged) for number in merged}
        if merged == self._merged:
            return self._warehouse.touched_since(self._version)
        self._merged = merged
        for kept in self._segments.values():
            kept.intervals.clear()
        return None

    def _forget(self, fresh: Mapping[int, Flips], *, facts_moved: bool) -> None:
        """Take the new entries over and drop what they or new facts made stale."""
        for segment_id, flips in fresh.items():
            kept = self._segments[segment_id]
            kept.flips = joined_flips(kept.flips, flips)
            kept.intervals.clear()
        if facts_moved:
            self._book = None
            self._counted.clear()
        else:
            for one in [one for one in self._counted if one.segment_id in fresh]:
                del self._counted[one]

    def _mend(self, cursor: Any, fresh: Mapping[int, Flips], customers: Column) -> None:
        """Count these customers again, as they were and as they are, and keep the difference."""
        if self._book is None:
            self._forget(fresh, facts_moved=True)
            return
        before = self._tallies(self._book, customers)
        for segment_id, flips in fresh.items():
            self._add(self._segments[segment_id], flips, customers)
        self._book.take(
            customers, _read_orders(cursor, self._book.first, self._book.last, customers)
        )
        now = self._tallies(self._book, customers)
        for one in before.keys() | now.keys():
            nothing = Tally.of_nobody(one.period.day_count)
            change = now.get(one, nothing) - before.get(one, nothing)
            if not change.is_nothing:
                self._counted[one] = _counted(one, self._counted[one].tally + change)

    def _tallies(self, book: Book, customers: Column) -> dict[Asked, Tally]:
        """Return what these customers come to in the trackings that any of them was ever in."""
        orders = book.of(customers)
        theirs = {one: self._intervals(one).of(customers) for one in self._counted}
        return {
            one: self._tally(one, orders, intervals)
            for one, intervals in theirs.items()
            if len(intervals)
        }

    def _add(self, kept: _Kept, flips: Flips, customers: Column) -> None:
        """Add entries of a segment; only these customers' intervals are made anew."""
        kept.flips = joined_flips(kept.flips, flips)
        for sort, intervals in kept.intervals.items():
            zones, before = sort
            told = kept.flips if before is None else before.then(kept.flips)
            theirs = build(told.of(customers), zones, self._merged)
            kept.intervals[sort] = intervals.replaced(customers, theirs)

    # -- reading -------------------------------------------------------------------------------

    def _orders(self, cursor: Any, asked: Sequence[Asked]) -> Orders:
        """Return the orders of all these periods, which are read together."""
        first = min(one.bounds[0] for one in asked) - LOOK_BACK
        last = max(one.bounds[1] for one in asked)
        if self._book is None or not self._book.covers(first, last):
            if self._book is not None:
                first, last = min(first, self._book.first), max(last, self._book.last)
            self._book = Book(first, last, _read_orders(cursor, first, last))
        return self._book.all()

    def _read(self, cursor: Any, asked: Iterable[Asked]) -> None:
        """Read the log of the asked segments that were not read yet, in one pass over it."""
        wanted = {one.segment_id for one in asked if not one.is_frozen} - self._segments.keys()
        if wanted:
            found = _read_flips(cursor, wanted, 0, self._log_size)
            for segment_id in wanted:
                self._segments[segment_id] = _Kept(found.get(segment_id, no_flips()))

    def _fresh_flips(self, cursor: Any, log_size: int) -> dict[int, Flips]:
        """Return what the log has more of the segments that are kept."""
        if log_size == self._log_size or not self._segments:
            return {}
        return _read_flips(cursor, self._segments.keys(), self._log_size, log_size)

    def _intervals(self, asked: Asked) -> Intervals:
        kept = _Kept(no_flips()) if asked.is_frozen else self._segments[asked.segment_id]
        sort = tuple(dict.fromkeys((asked.period.zone, asked.zone))), asked.before
        if sort not in kept.intervals:
            flips = kept.flips if asked.before is None else asked.before.then(kept.flips)
            kept.intervals[sort] = build(flips, sort[0], self._merged)
        return kept.intervals[sort]


def _counted(asked: Asked, found: Tally) -> _Counted:
    return _Counted(found, figures_of(found, asked.period.days))


def _union(
    touched: frozenset[int], fresh: Mapping[int, Flips], merged: Mapping[int, int]
) -> Column:
    """Return all customers who changed, ascending; of merged ones those on both sides."""
    found = BitMap(touched)
    for flips in fresh.values():
        found.update(flips.customer_nos.tolist())
    heirs = {merged.get(number, number) for number in found}
    found.update(heirs)
    found.update(number for number, heir in merged.items() if heir in heirs)
    return np.array(found.to_array(), np.uint32)


def _read_orders(
    cursor: Any, first: datetime, last: datetime, customers: Column | None = None
) -> Orders:
    values: dict[str, object] = {"starts_at": inside(first), "ends_at": inside(last)}
    if customers is None:
        return orders_of(*cursor.execute(queries.ORDERS, values).fetchnumpy().values())
    values["customer_nos"] = customers.tolist()
    return orders_of(*cursor.execute(queries.ORDERS_OF, values).fetchnumpy().values())


def _read_flips(cursor: Any, segment_ids: Iterable[int], since: int, to: int) -> dict[int, Flips]:
    """Return the entries of each segment that has any in this stretch of the log."""
    known = sorted(segment_ids)
    values = {"since": since, "to": to, "segment_ids": known}
    rows, segments, *columns = cursor.execute(queries.FLIPS, values).fetchnumpy().values()
    # DuckDB gives rows as they were written, which costs less to look at than to ask for.
    if len(rows) and (np.diff(rows) < 0).any():
        written = np.argsort(rows)
        segments, columns = segments[written], [column[written] for column in columns]
    places = np.searchsorted(np.array(known), segments)
    order = order_by(places)
    bounds = np.searchsorted(places[order], np.arange(len(known) + 1))
    return {
        segment_id: Flips(*(column[order[low:high]] for column in columns))
        for segment_id, low, high in zip(known, bounds[:-1], bounds[1:], strict=True)
        if high > low
    }


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
