"""Counts a tracking: orders in columns against membership intervals in columns. Pure arithmetic.

What belongs to what is decided here once, for every order of the period whose customer was ever a
member; figures and breakdown are sums over these columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from regulars.tracking.figures import POPULATIONS, Population
from regulars.tracking.intervals import OPEN, Intervals, micros
from regulars.tracking.orders import Orders
from regulars.tracking.period import Period
from regulars.tracking.runs import Column, begins, stretches
from regulars.tracking.tally import PARTS, Tally, sums_of_cells

#: The log is dated when an order was told to us, a little after it was placed.
TOLD_WITHIN = timedelta(days=1) // timedelta(microseconds=1)
_DAY = timedelta(days=1) // timedelta(microseconds=1)
#: How far Shopify's clock may be ahead of ours: a flip cannot be older than the order behind it.
CLOCKS_DIFFER = timedelta(minutes=2) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Attributed:
    """The orders of customers who were ever members, and how each relates to the membership."""

    orders: Orders
    #: Where they stand among `orders`.
    places: Column
    customer_nos: Column
    processed_at: Column
    in_start: Column
    at_order: Column
    is_joining: Column

    def chosen(self, which: Column) -> Attributed:
        """Return some of them."""
        return Attributed(
            self.orders,
            self.places[which],
            self.customer_nos[which],
            self.processed_at[which],
            self.in_start[which],
            self.at_order[which],
            self.is_joining[which],
        )

    def of(self, population: Population) -> Column:
        """Return which of them one population counts."""
        if population == "order_time":
            return self.at_order
        return self.in_start if population == "start" else np.ones(len(self.places), np.bool_)

    def rows_of(self, population: Population) -> Column:
        """Return the warehouse's rows of what one population counts."""
        return self.orders.rows[self.places[self.of(population)]]


@dataclass(frozen=True, slots=True)
class People:
    """Which intervals make their customers members: at the start, just before the end, ever."""

    at_start: Column
    now: Column
    ever: Column


@dataclass(frozen=True, slots=True)
class _Known:
    """Orders of the period by customers with a near interval, and where these intervals are."""

    orders: Orders
    places: Column
    customer_nos: Column
    processed_at: Column
    #: The place of the customer's first near interval, and of the customer among those with one.
    first_spell: Column
    person: Column

    def beside(self, which: Column, step: int) -> Column:
        """Return when the same customer ordered before or after these orders; else never.

        Looks at all orders that were read, those outside of the period too. Orders of the same
        instant are neither before nor after each other, so it does not matter how they are stored.
        """
        found = np.full(len(which), -OPEN if step < 0 else OPEN)
        active, places = np.arange(len(which)), self.places[which]
        while len(active):
            places = places + step
            inside = np.flatnonzero((places >= 0) & (places < len(self.orders)))
            active, places = active[inside], places[inside]
            same = self.orders.customer_nos[places] == self.customer_nos[which[active]]
            active, places = active[same], places[same]
            when = self.orders.processed_at[places]
            is_other = when != self.processed_at[which[active]]
            found[active[is_other]] = when[is_other]
            active, places = active[~is_other], places[~is_other]
        return found


def people_of(intervals: Intervals, start: int, end: int) -> People:
    """Return who belonged at the start, just before the end, and ever in between."""
    began = intervals.joined_at
    at_start = (began <= start) & (intervals.left_at > start)
    began_in_time = began < end
    now = began_in_time & (intervals.left_at >= end)
    return People(at_start, now, at_start | (began_in_time & (began > start)))


def attribute(orders: Orders, intervals: Intervals, start: int, end: int) -> Attributed:
    """Relate the orders of [start, end) to the membership; `orders` may reach further."""
    # Whoever left at the first instant was still a member just before an order of that instant.
    near = np.flatnonzero((intervals.joined_at < end) & (intervals.left_at >= start))
    spells = intervals.chosen(near)
    firsts = np.flatnonzero(begins(spells.customer_nos))
    known = _known(orders, spells.customer_nos[firsts], firsts, start, end)
    begun, at_order = _walk(known, spells)
    in_start = _any(_runs_at(spells, start), firsts)[known.person]
    ever = _any(spells.left_at > start, firsts)[known.person]
    next_spell = np.where(begun >= 0, begun + 1, known.first_spell)
    is_joining = _told_later(known, spells, next_spell) & ~at_order
    early = at_order & _told_earlier(known, spells, begun)
    at_order, is_joining = at_order & ~early, is_joining | early
    # Who left at the first instant belonged just before an order of that instant.
    belongs = in_start | at_order | is_joining | ever
    found = Attributed(
        orders,
        known.places,
        known.customer_nos,
        known.processed_at,
        in_start,
        at_order,
        is_joining,
    )
    return found if belongs.all() else found.chosen(np.flatnonzero(belongs))


def _known(orders: Orders, customer_nos: Column, firsts: Column, start: int, end: int) -> _Known:
    low, lengths = orders.stretch(customer_nos)
    places = stretches(low, lengths)
    person = np.repeat(np.arange(len(customer_nos), dtype=np.int32), lengths)
    when = orders.processed_at[places]
    inside = np.flatnonzero((when >= start) & (when < end))
    if len(inside) < len(places):
        places, person, when = places[inside], person[inside], when[inside]
    return _Known(orders, places, customer_nos[person], when, firsts[person], person)


def _runs_at(spells: Intervals, instant: int) -> Column:
    found: Column = (spells.joined_at <= instant) & (spells.left_at > instant)
    return found


def _any(which: Column, firsts: Column) -> Column:
    """Return of each customer whether any of the intervals is one of those."""
    if not len(firsts):
        return np.zeros(0, np.bool_)
    found: Column = np.logical_or.reduceat(which, firsts)
    return found


def _walk(known: _Known, spells: Intervals) -> tuple[Column, Column]:
    """Return each order's last interval that began before it, or -1, and whether it still ran.

    Goes from interval to interval of all orders at once; few customers have more than a few.
    """
    placed_at, customer_nos = known.processed_at, known.customer_nos
    place = known.first_spell.copy()
    begun = np.full(len(place), -1, np.int64)
    active = np.arange(len(place))
    while len(active):
        has_begun = spells.joined_at[place[active]] < placed_at[active]
        active = active[has_begun]
        begun[active] = place[active]
        following = place[active] + 1
        inside = following < len(spells)
        active, following = active[inside], following[inside]
        same = spells.customer_nos[following] == customer_nos[active]
        active = active[same]
        place[active] = following[same]
    at_order = begun >= 0
    at_order[at_order] = spells.left_at[begun[at_order]] >= placed_at[at_order]
    return begun, at_order


def _told_later(known: _Known, spells: Intervals, next_spell: Column) -> Column:
    """Return which orders their customer's next membership came from.

    It was caused by an order, and began at the order's instant, or within a day of it with no other
    order of the customer in between.
    """
    found = np.zeros(len(known.places), np.bool_)
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
    found[places] = at_once | (known.beside(places, 1) > joined_at)
    return found


def _told_earlier(known: _Known, spells: Intervals, begun: Column) -> Column:
    """Return which orders are dated a little after the membership that they caused."""
    found = np.zeros(len(known.places), np.bool_)
    places = np.flatnonzero(begun >= 0)
    spell = begun[places]
    ahead = known.processed_at[places] - spells.joined_at[spell]
    fits = spells.by_order[spell] & (ahead > 0) & (ahead <= CLOCKS_DIFFER)
    places, joined_at = places[fits], spells.joined_at[spell[fits]]
    found[places] = known.beside(places, -1) < joined_at - TOLD_WITHIN
    return found


def tally(
    orders: Orders, intervals: Intervals, period: Period, *, start: int, end: int
) -> tuple[Tally, Attributed]:
    """Count a tracking; `end` may lie before the period's end, where it was cancelled."""
    people = people_of(intervals, start, end)
    found = attribute(orders, intervals, start, end)
    cells = _day_of(found.processed_at, period) * PARTS + found.in_start * 2 + found.at_order
    sums = _sums(found, slice(None), cells, period.day_count * PARTS)
    joining = np.flatnonzero(found.is_joining)
    line = _sums(found, joining, np.zeros(len(joining), np.int64), 1)
    numbers = [
        np.count_nonzero(people.at_start),
        np.count_nonzero(people.now),
        _distinct(intervals.customer_nos[people.ever]),
        *(_distinct(found.customer_nos[found.of(name)]) for name in POPULATIONS),
    ]
    return Tally(np.array(numbers, np.int64), np.hstack([sums, line])), found


def _sums(found: Attributed, which: Any, cells: Column, size: int) -> Column:
    orders, places = found.orders, found.places[which]
    return sums_of_cells(cells, orders.total_amounts[places], orders.refunded_amounts[places], size)


def _day_of(instants: Column, period: Period) -> Column:
    """Return the number of each instant's day in the period, from 0.

    A day of 24 hours is a first guess that clock changes put wrong by a day at most.
    """
    bounds = np.array([micros(bound) for bound in (*period.day_bounds(), period.ends_at)])
    day: Column = np.minimum((instants - bounds[0]) // _DAY, period.day_count - 1)
    day += instants >= bounds[day + 1]
    day -= instants < bounds[day]
    return day


def _distinct(sorted_nos: Column) -> int:
    return int(np.count_nonzero(begins(sorted_nos)))
