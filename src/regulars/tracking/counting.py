"""Counts a tracking: orders in columns against membership intervals in columns. Pure arithmetic.

What belongs to what is decided here once, for every order of the period whose customer was ever a
member; figures and breakdown are sums over these columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from regulars.tracking.figures import (
    POPULATIONS,
    Bridge,
    Figures,
    Population,
    PopulationFigures,
    Sums,
)
from regulars.tracking.intervals import OPEN, Column, Intervals, micros
from regulars.tracking.period import Period

#: The log is dated when an order was told to us, a little after it was placed.
TOLD_WITHIN = timedelta(days=1) // timedelta(microseconds=1)
#: How far Shopify's clock may be ahead of ours: a flip cannot be older than the order behind it.
CLOCKS_DIFFER = timedelta(minutes=2) // timedelta(microseconds=1)
#: Money is added up in two halves, so that sums of any size stay exact in floating point.
_HALF_BITS = 28
_HALF = (1 << _HALF_BITS) - 1


@dataclass(frozen=True, slots=True)
class Orders:
    """Counted orders (neither test nor cancelled, with a customer), the earliest first."""

    #: The row of the order in the warehouse, valid for one version of its facts.
    rows: Column
    customer_nos: Column
    processed_at: Column
    total_amounts: Column
    refunded_amounts: Column
    #: When the same customer ordered before and after, of all that were read; else never.
    previous_at: Column
    next_at: Column

    def __len__(self) -> int:
        return len(self.rows)

    def between(self, start: int, end: int) -> Orders:
        """Return the orders of [start, end), without copying."""
        low, high = np.searchsorted(self.processed_at, [start, end])
        return self.chosen(slice(int(low), int(high)))

    def chosen(self, which: Any) -> Orders:
        """Return some of them."""
        return Orders(
            self.rows[which],
            self.customer_nos[which],
            self.processed_at[which],
            self.total_amounts[which],
            self.refunded_amounts[which],
            self.previous_at[which],
            self.next_at[which],
        )


def order_columns(
    rows: Column,
    customer_nos: Column,
    processed_at: Column,
    total_amounts: Column,
    refunded_amounts: Column,
) -> Orders:
    """Put orders that were read in any order into time's, and each beside its neighbours."""
    # numpy sorts what is mostly sorted in less time than DuckDB.
    time = np.argsort(processed_at, kind="stable")
    customer_nos, processed_at = customer_nos[time], processed_at[time]
    order = np.argsort(customer_nos, kind="stable")
    when, first = processed_at[order], _begins(customer_nos[order])
    previous_at, next_at = np.empty_like(when), np.empty_like(when)
    previous_at[order] = np.where(first, -OPEN, np.roll(when, 1))
    next_at[order] = np.where(np.roll(first, -1), OPEN, np.roll(when, -1))
    return Orders(
        rows[time],
        customer_nos,
        processed_at,
        total_amounts[time],
        refunded_amounts[time],
        previous_at,
        next_at,
    )


@dataclass(frozen=True, slots=True)
class Attributed:
    """The orders of customers who were ever members, and how each relates to the membership."""

    orders: Orders
    in_start: Column
    at_order: Column
    is_joining: Column

    def of(self, population: Population) -> Column:
        """Return which of the orders one population counts."""
        if population == "order_time":
            return self.at_order
        return self.in_start if population == "start" else np.ones(len(self.orders), np.bool_)


@dataclass(frozen=True, slots=True)
class People:
    """The customers of a tracking by when they were members."""

    at_start: Column
    now: Column
    ever: Column


def people_of(intervals: Intervals, start: int, end: int) -> People:
    """Return who belonged at the start, just before the end, and ever in between."""
    began = intervals.joined_at
    in_start = (began <= start) & (intervals.left_at > start)
    until_end = (began < end) & (intervals.left_at >= end)
    ever = in_start | ((began > start) & (began < end))
    return People(
        intervals.customer_nos[in_start],
        intervals.customer_nos[until_end],
        _once(intervals.customer_nos[ever]),
    )


def attribute(orders: Orders, intervals: Intervals, start: int, end: int) -> Attributed:
    """Relate the orders of [start, end) to the membership; `orders` may reach further back."""
    inside = orders.between(start, end)
    # Whoever left at the first instant was still a member just before an order of that instant.
    near = (intervals.joined_at < end) & (intervals.left_at >= start)
    spells = Intervals(
        intervals.customer_nos[near],
        intervals.joined_at[near],
        intervals.left_at[near],
        intervals.by_order[near],
    )
    size = _size(inside.customer_nos, spells.customer_nos)
    first_spell = np.full(size, -1, np.int32)
    starts = np.flatnonzero(_begins(spells.customer_nos))
    first_spell[spells.customer_nos[starts]] = starts
    known = inside.chosen(np.flatnonzero(first_spell[inside.customer_nos] >= 0))
    begun, at_order = _walk(known, spells, first_spell)
    in_start = _was_member(known.customer_nos, spells, start, size)
    next_spell = np.where(begun >= 0, begun + 1, first_spell[known.customer_nos])
    is_joining = _told_later(known, spells, next_spell) & ~at_order
    early = at_order & _told_earlier(known, spells, begun)
    at_order, is_joining = at_order & ~early, is_joining | early
    belongs = in_start | at_order | _ever(known.customer_nos, spells, start, end, size)
    return Attributed(
        known.chosen(belongs), in_start[belongs], at_order[belongs], is_joining[belongs]
    )


def _walk(known: Orders, spells: Intervals, first_spell: Column) -> tuple[Column, Column]:
    """Return each order's last interval that began before it, or -1, and whether it still ran.

    Goes from interval to interval of all orders at once; few customers have more than a few.
    """
    place = first_spell[known.customer_nos].astype(np.int64)
    begun = np.full(len(known), -1, np.int64)
    active = np.arange(len(known))
    while len(active):
        has_begun = spells.joined_at[place[active]] < known.processed_at[active]
        active = active[has_begun]
        begun[active] = place[active]
        following = place[active] + 1
        inside = following < len(spells)
        active, following = active[inside], following[inside]
        same = spells.customer_nos[following] == known.customer_nos[active]
        active = active[same]
        place[active] = following[same]
    at_order = begun >= 0
    at_order[at_order] = spells.left_at[begun[at_order]] >= known.processed_at[at_order]
    return begun, at_order


def _was_member(customer_nos: Column, spells: Intervals, instant: int, size: int) -> Column:
    members = np.zeros(size, np.bool_)
    there = (spells.joined_at <= instant) & (spells.left_at > instant)
    members[spells.customer_nos[there]] = True
    found: Column = members[customer_nos]
    return found


def _ever(customer_nos: Column, spells: Intervals, start: int, end: int, size: int) -> Column:
    members = np.zeros(size, np.bool_)
    members[spells.customer_nos[(spells.left_at > start) & (spells.joined_at < end)]] = True
    found: Column = members[customer_nos]
    return found


def _told_later(known: Orders, spells: Intervals, next_spell: Column) -> Column:
    """Return which orders their customer's next membership came from.

    It was caused by an order, and began at the order's instant, or within a day of it with no other
    order of the customer in between.
    """
    found = np.zeros(len(known), np.bool_)
    inside = np.flatnonzero(next_spell < len(spells))
    following = next_spell[inside]
    waited = spells.joined_at[following] - known.processed_at[inside]
    fits = (
        (spells.customer_nos[following] == known.customer_nos[inside])
        & spells.by_order[following]
        & (waited >= 0)
        & (waited <= TOLD_WITHIN)
    )
    places, joined_at = inside[fits], spells.joined_at[following[fits]]
    at_once = joined_at == known.processed_at[places]
    found[places] = at_once | (known.next_at[places] > joined_at)
    return found


def _told_earlier(known: Orders, spells: Intervals, begun: Column) -> Column:
    """Return which orders are dated a little after the membership that they caused."""
    found = np.zeros(len(known), np.bool_)
    places = np.flatnonzero(begun >= 0)
    spell = begun[places]
    ahead = known.processed_at[places] - spells.joined_at[spell]
    fits = spells.by_order[spell] & (ahead > 0) & (ahead <= CLOCKS_DIFFER)
    places, joined_at = places[fits], spells.joined_at[spell[fits]]
    found[places] = known.previous_at[places] < joined_at - TOLD_WITHIN
    return found


def count(
    orders: Orders, intervals: Intervals, period: Period, *, start: int, end: int
) -> tuple[Figures, Attributed]:
    """Count a tracking; `end` may lie before the period's end, where it was cancelled."""
    people = people_of(intervals, start, end)
    found = attribute(orders, intervals, start, end)
    bounds = [micros(bound) for bound in period.day_bounds()]
    days = np.searchsorted(np.array(bounds), found.orders.processed_at, "right") - 1
    cell = (days * 2 + found.in_start) * 2 + found.at_order
    cells = sums_by(cell, found.orders, period.day_count * 4)
    by_day: dict[Population, list[Sums]] = {name: [] for name in POPULATIONS}
    bridge = [Sums()] * 4
    for day_no in range(period.day_count):
        outside, joiners, leavers, stayers = parts = cells[4 * day_no : 4 * day_no + 4]
        by_day["order_time"].append(joiners + stayers)
        by_day["start"].append(leavers + stayers)
        by_day["ever"].append(outside + joiners + leavers + stayers)
        bridge = [total + part for total, part in zip(bridge, parts, strict=True)]
    sizes: dict[Population, int] = {
        "order_time": len(people.ever),
        "start": len(people.at_start),
        "ever": len(people.ever),
    }
    figures = Figures(
        len(people.at_start),
        len(people.now),
        len(people.ever),
        {
            name: PopulationFigures(
                sizes[name],
                _distinct(found.orders.customer_nos[found.of(name)]),
                sum(by_day[name], Sums()),
                tuple(by_day[name]),
            )
            for name in POPULATIONS
        },
        Bridge(outside=bridge[0], joiners=bridge[1], leavers=bridge[2], stayers=bridge[3]),
        sums_of(found.orders.chosen(found.is_joining)),
        tuple(period.days),
    )
    return figures, found


def sums_of(orders: Orders) -> Sums:
    """Return what some orders add up to."""
    return Sums(len(orders), int(orders.total_amounts.sum()), int(orders.refunded_amounts.sum()))


def sums_by(cells: Column, orders: Orders, size: int) -> list[Sums]:
    """Return what the orders of each cell add up to, exactly."""
    counts = np.bincount(cells, minlength=size).tolist()
    gross = _exact(cells, orders.total_amounts, size)
    refunded = _exact(cells, orders.refunded_amounts, size)
    return [Sums(*parts) for parts in zip(counts, gross, refunded, strict=True)]


def _exact(cells: Column, amounts: Column, size: int) -> list[int]:
    low = np.bincount(cells, amounts & _HALF, size)
    high = np.bincount(cells, amounts >> _HALF_BITS, size)
    return [(int(upper) << _HALF_BITS) + int(lower) for upper, lower in zip(high, low, strict=True)]


def _distinct(customer_nos: Column) -> int:
    if not len(customer_nos):
        return 0
    seen = np.zeros(int(customer_nos.max()) + 1, np.bool_)
    seen[customer_nos] = True
    return int(np.count_nonzero(seen))


def _size(*columns: Sequence[int] | Column) -> int:
    return max((int(np.max(one)) + 1 for one in columns if len(one)), default=0)


def _once(sorted_nos: Column) -> Column:
    """Return each number once; `np.unique` would sort or hash what is sorted already."""
    found: Column = sorted_nos[_begins(sorted_nos)]
    return found


def _begins(sorted_nos: Column) -> Column:
    first = np.ones(len(sorted_nos), np.bool_)
    first[1:] = sorted_nos[1:] != sorted_nos[:-1]
    return first
