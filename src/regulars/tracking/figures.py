"""What a tracking counts: orders and money of a segment over a period, for three populations.

Exact: whole minor units, whole orders. A counted order is neither test nor cancelled; revenue is
what was paid less refunds; a member *at order time* was one at the instant just before the order.
Nothing here lists a customer: a tracking tells sums only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise, product
from typing import Any, Literal

from regulars.tracking import queries
from regulars.tracking.period import Period

MICROSECOND = timedelta(microseconds=1)

#: Who counts: members just before the order, members at the start, members at any time.
Population = Literal["order_time", "start", "ever"]
POPULATIONS: tuple[Population, ...] = ("order_time", "start", "ever")


@dataclass(frozen=True, slots=True)
class Sums:
    """Orders and money that add up, in minor units."""

    orders: int = 0
    gross_amount: int = 0
    refunded_amount: int = 0

    @property
    def revenue_amount(self) -> int:
        """Money paid less refunds."""
        return self.gross_amount - self.refunded_amount

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.orders + other.orders,
            self.gross_amount + other.gross_amount,
            self.refunded_amount + other.refunded_amount,
        )


@dataclass(frozen=True, slots=True)
class PopulationFigures:
    """The figures of one population: `customers` is what the ratios divide by."""

    customers: int
    buyers: int
    sums: Sums
    #: One Sums per day of the period, the first day first.
    days: tuple[Sums, ...]

    @property
    def average_order_amount(self) -> Fraction | None:
        """Revenue ÷ orders in minor units; None without orders."""
        return _ratio(self.sums.revenue_amount, self.sums.orders)

    @property
    def orders_per_customer(self) -> Fraction | None:
        """Orders ÷ customers, which may pass 1."""
        return _ratio(self.sums.orders, self.customers)

    @property
    def buyers_per_customer(self) -> Fraction | None:
        """Customers who ordered ÷ customers."""
        return _ratio(self.buyers, self.customers)

    @property
    def revenue_per_customer(self) -> Fraction | None:
        """Revenue ÷ customers in minor units."""
        return _ratio(self.sums.revenue_amount, self.customers)


@dataclass(frozen=True, slots=True)
class Bridge:
    """How the populations differ: start = stayers + leavers, order time = stayers + joiners.

    `outside` are orders of customers who were members at another time of the period only; so ever =
    stayers + leavers + joiners + outside.
    """

    stayers: Sums
    joiners: Sums
    leavers: Sums
    outside: Sums


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a tracking shows in its totals and plots."""

    customers_at_start: int
    #: Members now; after the period, members at its end.
    customers_now: int
    customers_ever: int
    populations: Mapping[Population, PopulationFigures]
    bridge: Bridge
    #: Orders by which their customer became a member; not part of order time.
    joining: Sums
    days: tuple[date, ...] = field(default=())


def count_figures(
    cursor: Any,
    segment_id: int,
    period: Period,
    *,
    members_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Figures:
    """Count a tracking over a warehouse cursor.

    `members_at` is the instant of the population at start when it is later than the period's first
    instant: a tracking made today, for today, begins with those who are members when it is made.
    `ends_at` cuts the counting short of the period's end: a cancelled tracking stops there.
    """
    values = bound_values(segment_id, period, members_at, ends_at)
    people = cursor.execute(queries.CUSTOMERS, values).fetchone()
    rows = cursor.execute(queries.SUMS, {**values, **_day_values(period)}).fetchall()
    return assemble(people, rows, period)


def assemble(
    people: tuple[int, int, int], rows: Iterable[tuple[Any, ...]], period: Period
) -> Figures:
    """Put the rows of `queries.SUMS` together."""
    at_start, at_end, ever = people
    cells: list[tuple[int, bool, bool, bool, Sums]] = []
    buyers = (0, 0, 0)
    for day_no, in_start, at_order, is_joining, orders, gross, refunded, *counted in rows:
        if day_no < 0:
            buyers = (counted[0], counted[1], counted[2])
        else:
            sums = Sums(orders, int(gross), int(refunded))
            cells.append((day_no, in_start, at_order, is_joining, sums))
    by_day: dict[Population, list[Sums]] = {
        name: [Sums()] * period.day_count for name in POPULATIONS
    }
    for day_no, in_start, at_order, _, sums in cells:
        by_day["ever"][day_no] += sums
        if at_order:
            by_day["order_time"][day_no] += sums
        if in_start:
            by_day["start"][day_no] += sums
    sizes: dict[Population, int] = {"order_time": ever, "start": at_start, "ever": ever}
    return Figures(
        at_start,
        at_end,
        ever,
        {
            name: PopulationFigures(sizes[name], who, _total(by_day[name]), tuple(by_day[name]))
            for name, who in zip(POPULATIONS, buyers, strict=True)
        },
        _bridge(cells),
        _total(sums for *_, is_joining, sums in cells if is_joining),
        tuple(period.days),
    )


def _bridge(cells: Sequence[tuple[int, bool, bool, bool, Sums]]) -> Bridge:
    parts = {cell: Sums() for cell in product((False, True), repeat=2)}
    for _, in_start, at_order, _, sums in cells:
        parts[in_start, at_order] += sums
    return Bridge(
        stayers=parts[True, True],
        joiners=parts[False, True],
        leavers=parts[True, False],
        outside=parts[False, False],
    )


def bound_values(
    segment_id: int,
    period: Period,
    members_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> dict[str, object]:
    """Return the values that every query of a tracking binds."""
    first, last = period.starts_at, period.ends_at
    return {
        "segment_id": segment_id,
        "starts_at": _naive(first),
        "ends_at": _naive(min(last, max(first, ends_at or last))),
        "members_at": _naive(max(first, members_at or first)),
    }


def _day_values(period: Period) -> dict[str, object]:
    """Return the shop's days as columns, each once per UTC day that it touches."""
    bounds = [_naive(bound) for bound in (*period.day_bounds(), period.ends_at)]
    rows = [
        (starts_at.date() + timedelta(days=shift), starts_at, ends_at, day_no)
        for day_no, (starts_at, ends_at) in enumerate(pairwise(bounds))
        for shift in range((ends_at - MICROSECOND).toordinal() - starts_at.toordinal() + 1)
    ]
    names = ("utc_days", "day_starts", "day_ends", "day_nos")
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))


def _naive(instant: datetime) -> datetime:
    """Return the instant as DuckDB keeps it: UTC without zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _total(parts: Iterable[Sums]) -> Sums:
    return sum(parts, Sums())


def _ratio(upper: int, lower: int) -> Fraction | None:
    return Fraction(upper, lower) if lower else None
