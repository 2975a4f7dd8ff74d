"""What a tracking counts: orders and money of a segment over a period, for three populations.

Exact: whole minor units, whole orders. A counted order is neither test nor cancelled; revenue is
what was paid less refunds; a member *at order time* was one at the instant just before the order.
Nothing here lists a customer: a tracking tells sums only. Counting is `counting`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

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


def _ratio(upper: int, lower: int) -> Fraction | None:
    return Fraction(upper, lower) if lower else None
