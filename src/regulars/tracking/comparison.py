"""Trackings side by side: one line each, by date or by day number, in one of five views. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from regulars.tracking.figures import Sums

Measure = Literal["revenue", "orders", "average"]
View = Literal["absolute", "per_customer", "per_day", "cumulative", "index"]

#: Values by label; None where a tracking has no such day, or no value on it.
Line = list[float | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One tracking to be compared: its days so far, and what per-customer values divide by."""

    name: str
    days: tuple[date, ...]
    sums: tuple[Sums, ...]
    customers: int


def compare(
    trackings: Sequence[Measured], measure: Measure, view: View, *, by_date: bool
) -> tuple[list[str], list[tuple[str, Line]]]:
    """Return the labels and one named line per tracking.

    By date the labels are the days of all of them, else the numbers of the days from 1.
    """
    lines = [(one, line_of(one, measure, view)) for one in trackings]
    if by_date:
        days = sorted({day for one in trackings for day in one.days})
        named = []
        for one, line in lines:
            values = dict(zip(one.days, line, strict=True))
            named.append((one.name, [values.get(day) for day in days]))
        return [day.isoformat() for day in days], named
    longest = max((len(one.days) for one in trackings), default=0)
    return [str(number) for number in range(1, longest + 1)], [
        (one.name, [*line, *[None] * (longest - len(line))]) for one, line in lines
    ]


def line_of(one: Measured, measure: Measure, view: View) -> Line:
    """Return one tracking's values, day by day.

    Cumulative adds orders and money up first, so that a mean is the mean until that day; per day
    divides that sum by the days until then. The index takes the first day with a value as 100.
    """
    if view == "per_day":
        totals = line_of(one, measure, "cumulative")
        if measure == "average":
            return totals
        return [value and value / number for number, value in enumerate(totals, 1)]
    if view == "cumulative":
        total, summed = Sums(), []
        for day in one.sums:
            total += day
            summed.append(total)
        return [_value(day, measure) for day in summed]
    values = [_value(day, measure) for day in one.sums]
    if view == "per_customer":
        return [
            None if value is None or not one.customers else value / one.customers
            for value in values
        ]
    if view == "index":
        base = next((value for value in values if value), None)
        return [None if value is None or not base else 100 * value / base for value in values]
    return values


def _value(sums: Sums, measure: Measure) -> float | None:
    if measure == "orders":
        return sums.orders
    if measure == "revenue":
        return sums.revenue_amount
    return sums.revenue_amount / sums.orders if sums.orders else None
