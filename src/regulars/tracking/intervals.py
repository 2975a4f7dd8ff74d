"""Membership intervals of one segment as columns: who belonged from when until when.

Built from the membership log, which only grows, so new entries are added to what is there. Two
rules put entries where they belong: time alone moves customers at the shop's midnight, however late
the day change ran; and where a customer was merged into another, both memberships are the other's.
Intervals are half-open, never empty, and do not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from regulars.engine.days import day_start, local_day
from regulars.tracking.runs import Column, begins, order_by, rows_of

#: Stands for "still a member": later than any instant.
OPEN = np.iinfo(np.int64).max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Flips:
    """Entries of the log in the order in which they were written. Instants are UTC microseconds."""

    customer_nos: Column
    happened_at: Column
    joined: Column
    #: Caused by an order, and caused by a new day.
    by_order: Column
    by_day: Column

    def __len__(self) -> int:
        return len(self.customer_nos)

    def chosen(self, which: Any) -> Flips:
        """Return some of them."""
        return Flips(
            self.customer_nos[which],
            self.happened_at[which],
            self.joined[which],
            self.by_order[which],
            self.by_day[which],
        )

    def of(self, customer_nos: Column) -> Flips:
        """Return the entries about these customers."""
        return self.chosen(np.isin(self.customer_nos, customer_nos))


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals ordered by customer and time."""

    customer_nos: Column
    joined_at: Column
    #: `OPEN` while the customer is a member.
    left_at: Column
    by_order: Column

    def __len__(self) -> int:
        return len(self.customer_nos)

    def chosen(self, which: Any) -> Intervals:
        """Return some of them."""
        return Intervals(
            self.customer_nos[which],
            self.joined_at[which],
            self.left_at[which],
            self.by_order[which],
        )

    def of(self, customer_nos: Column) -> Intervals:
        """Return those of these customers, whose numbers ascend."""
        return self.chosen(rows_of(self.customer_nos, customer_nos))

    def replaced(self, customer_nos: Column, theirs: Intervals) -> Intervals:
        """Return all, with `theirs` in place of these customers' own."""
        rest = self.chosen(~np.isin(self.customer_nos, customer_nos))
        places = np.searchsorted(rest.customer_nos, theirs.customer_nos)
        return Intervals(
            np.insert(rest.customer_nos, places, theirs.customer_nos),
            np.insert(rest.joined_at, places, theirs.joined_at),
            np.insert(rest.left_at, places, theirs.left_at),
            np.insert(rest.by_order, places, theirs.by_order),
        )


def micros(instant: datetime) -> int:
    """Return an instant as microseconds since 1970, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(value: int) -> datetime:
    """Return the instant of a number of microseconds."""
    return _EPOCH + timedelta(microseconds=int(value))


def no_flips() -> Flips:
    """Return no entries."""
    return flips_of([])


def flips_of(rows: Sequence[tuple[int, int, bool, bool, bool]]) -> Flips:
    """Return entries given one by one: customer, microseconds, joined, by order, by day."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    kinds = (np.uint32, np.int64, np.bool_, np.bool_, np.bool_)
    return Flips(*(np.array(one, kind) for one, kind in zip(columns, kinds, strict=True)))


def joined_flips(first: Flips, second: Flips) -> Flips:
    """Return entries one after the other."""
    names = ("customer_nos", "happened_at", "joined", "by_order", "by_day")
    return Flips(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))


def at_midnights(flips: Flips, zones: Sequence[ZoneInfo]) -> Flips:
    """Date what a new day caused at its midnight; of several zones the latest midnight counts."""
    if not flips.by_day.any():
        return flips
    instants = flips.happened_at[flips.by_day]
    first, last = instant_of(instants.min()), instant_of(instants.max())
    midnights = np.array(sorted({one for zone in zones for one in _midnights(first, last, zone)}))
    happened_at = flips.happened_at.copy()
    happened_at[flips.by_day] = midnights[np.searchsorted(midnights, instants, "right") - 1]
    return Flips(flips.customer_nos, happened_at, flips.joined, flips.by_order, flips.by_day)


def _midnights(first: datetime, last: datetime, zone: ZoneInfo) -> list[int]:
    """Return the starts of the zone's days that hold the instants from `first` to `last`."""
    begin, end = local_day(first, zone), local_day(last, zone)
    days = (begin + timedelta(days=number) for number in range((end - begin).days + 1))
    return [micros(day_start(day, zone)) for day in days]


def build(flips: Flips, zones: Sequence[ZoneInfo], merged: Mapping[int, int]) -> Intervals:
    """Return the intervals that entries amount to; an entry that changes nothing is passed over."""
    flips = at_midnights(flips, zones)
    order = order_by(flips.customer_nos)
    who, when = flips.customer_nos[order], flips.happened_at[order]
    joined, by_order = flips.joined[order], flips.by_order[order]
    first = begins(who)
    # An entry that midnight put before its customer's earlier entry follows that one at once.
    while len(late := np.flatnonzero(~first[1:] & (when[1:] < when[:-1])) + 1):
        when[late] = when[late - 1]
    changes = joined != (np.roll(joined, 1) & ~first)
    who, when, joined, by_order = who[changes], when[changes], joined[changes], by_order[changes]
    follows = np.zeros(len(who), np.bool_)
    follows[:-1] = who[1:] == who[:-1]
    left_at = np.where(follows, np.roll(when, -1), OPEN)
    kept = joined & (left_at > when)
    found = Intervals(who[kept], when[kept], left_at[kept], by_order[kept])
    return _merge(_without_seams(found), merged)


def _without_seams(intervals: Intervals) -> Intervals:
    """Return the intervals with those as one between which no time passed."""
    first = begins(intervals.customer_nos)
    first[1:] |= intervals.joined_at[1:] != intervals.left_at[:-1]
    if first.all():
        return intervals
    return Intervals(
        intervals.customer_nos[first],
        intervals.joined_at[first],
        intervals.left_at[np.roll(first, -1)],
        intervals.by_order[first],
    )


def _merge(intervals: Intervals, merged: Mapping[int, int]) -> Intervals:
    """Give the intervals of merged customers to whom they are now; their union is kept."""
    gone = np.isin(intervals.customer_nos, np.fromiter(merged, np.uint32, len(merged)))
    if not merged or not gone.any():
        return intervals
    heirs = {merged[int(number)] for number in intervals.customer_nos[gone]}
    touched = gone | np.isin(intervals.customer_nos, np.fromiter(heirs, np.uint32, len(heirs)))
    rows = sorted(
        (merged.get(int(number), int(number)), int(start), int(end), bool(by_order))
        for number, start, end, by_order in zip(
            intervals.customer_nos[touched],
            intervals.joined_at[touched],
            intervals.left_at[touched],
            intervals.by_order[touched],
            strict=True,
        )
    )
    union: list[tuple[int, int, int, bool]] = []
    for row in rows:
        if union and union[-1][0] == row[0] and row[1] <= union[-1][2]:
            number, start, end, by_order = union[-1]
            # Of two that began at once, either may have come from an order.
            by_order |= row[3] and row[1] == start
            union[-1] = (number, start, max(end, row[2]), by_order)
        else:
            union.append(row)
    columns = list(zip(*union, strict=True))
    kinds = (np.uint32, np.int64, np.int64, np.bool_)
    rest = (
        intervals.customer_nos[~touched],
        intervals.joined_at[~touched],
        intervals.left_at[~touched],
        intervals.by_order[~touched],
    )
    parts = [
        np.concatenate([kept, np.array(new, kind)])
        for kept, new, kind in zip(rest, columns, kinds, strict=True)
    ]
    order = np.lexsort((parts[1], parts[0]))
    return Intervals(*(part[order] for part in parts))
