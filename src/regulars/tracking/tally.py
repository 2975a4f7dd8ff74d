"""What the orders and memberships of some customers come to, as arrays that add up.

Every figure of a tracking is a sum over its customers. So the tally of all customers is that of
those who changed and that of the others: an order that arrives is counted without counting the rest
again. Sums stay exact at any size: money is kept in two halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from regulars.tracking.figures import (
    POPULATIONS,
    Bridge,
    Figures,
    Population,
    PopulationFigures,
    Sums,
)
from regulars.tracking.runs import Column

_HALF_BITS = 28
_HALF = (1 << _HALF_BITS) - 1
#: Of an order: outside, joiner, leaver, stayer.
PARTS = 4


@dataclass(frozen=True, slots=True)
class Tally:
    """People: at start, now, ever, then the buyers of each population. Sums: per day and part."""

    people: Column
    #: Rows: orders, gross and refunded in low and high halves. Columns: `PARTS` of each day, then
    #: the orders by which their customer became a member.
    sums: Column

    @classmethod
    def of_nobody(cls, day_count: int) -> Tally:
        """Return the tally that changes nothing."""
        return cls(np.zeros(6, np.int64), np.zeros((5, day_count * PARTS + 1), np.int64))

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.people + other.people, self.sums + other.sums)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.people - other.people, self.sums - other.sums)

    @property
    def is_nothing(self) -> bool:
        """Whether adding it changes no figure."""
        return not (self.people.any() or self.sums.any())


def sums_of_cells(cells: Column, gross: Column, refunded: Column, size: int) -> Column:
    """Return the five rows of sums of the orders of each cell, exactly."""
    rows = [np.bincount(cells, minlength=size)]
    for amounts in (gross, refunded):
        rows.append(np.bincount(cells, amounts & _HALF, size))
        rows.append(np.bincount(cells, amounts >> _HALF_BITS, size))
    return np.array(rows).astype(np.int64)


def sums_of_columns(columns: Column) -> list[Sums]:
    """Return the sums of each column of five numbers."""
    return [
        Sums(orders, (high << _HALF_BITS) + low, (high_back << _HALF_BITS) + low_back)
        for orders, low, high, low_back, high_back in columns.T.tolist()
    ]


def figures_of(tally: Tally, days: Sequence[date]) -> Figures:
    """Return what a tracking shows."""
    at_start, now, ever, *buyers = (int(number) for number in tally.people)
    parts = tally.sums[:, :-1].reshape(5, len(days), PARTS)
    outside, joiners, leavers, stayers = (parts[:, :, number] for number in range(PARTS))
    by_day: dict[Population, Column] = {
        "order_time": joiners + stayers,
        "start": leavers + stayers,
        "ever": outside + joiners + leavers + stayers,
    }
    sizes: dict[Population, int] = {"order_time": ever, "start": at_start, "ever": ever}
    *bridge, joining = sums_of_columns(np.hstack([parts.sum(axis=1), tally.sums[:, -1:]]))
    totals = {name: sums_of_columns(by_day[name].sum(axis=1)[:, None])[0] for name in POPULATIONS}
    bought = dict(zip(POPULATIONS, buyers, strict=True))
    return Figures(
        at_start,
        now,
        ever,
        {
            name: PopulationFigures(
                sizes[name],
                bought[name],
                totals[name],
                tuple(sums_of_columns(by_day[name])),
            )
            for name in POPULATIONS
        },
        Bridge(outside=bridge[0], joiners=bridge[1], leavers=bridge[2], stayers=bridge[3]),
        joining,
        tuple(days),
    )
