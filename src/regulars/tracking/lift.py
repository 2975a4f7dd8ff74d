"""Holdout lift: what those who got the tag bought more than those who were left out by chance.

Everybody who belonged at the start is compared as drawn, whether or not the tag reached them, over
the whole period: customers without orders count as 0. The interval is Welch's for two means with
unequal variances (B. L. Welch, Biometrika 34, 1947), the quantile of Student's t by the expansion
26.7.5 of Abramowitz and Stegun. Not corrected for looking often: it holds at the period's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from pyroaring import BitMap

from regulars.tracking import queries
from regulars.warehouse.columns import inside

#: The interval covers the true difference in 95 of 100 such measurements.
CONFIDENCE = 0.95
#: How surely the smallest detectable effect would be seen.
POWER = 0.8
#: With fewer customers on a side no interval is told.
CUSTOMERS_MIN = 2


@dataclass(frozen=True, slots=True)
class Spending:
    """What customers spent in minor units: how many they are, the mean and variance of each."""

    customers: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Lift:
    """Treated less held out, per customer, in minor units, with the bounds of the interval."""

    treated: Spending
    held_out: Spending
    difference: float
    low: float
    high: float


def spending(cursor: Any, customers: BitMap, start: datetime, end: datetime) -> Spending:
    """Return what these customers spent in [start, end); only sums leave this function."""
    count = len(customers)
    cursor.register("given_customers", {"customer_no": np.array(customers.to_array(), np.uint32)})
    try:
        values = {"starts_at": inside(start), "ends_at": inside(end)}
        ((total, squares),) = cursor.execute(queries.SPENDING, values).fetchall()
    finally:
        cursor.unregister("given_customers")
    mean = total / count if count else 0.0
    variance = (squares - count * mean * mean) / (count - 1) if count > 1 else 0.0
    return Spending(count, mean, max(variance, 0.0))


def lift(treated: Spending, held_out: Spending) -> Lift | None:
    """Return the difference with its interval; None where a side is too small."""
    if min(treated.customers, held_out.customers) < CUSTOMERS_MIN:
        return None
    parts = [one.variance / one.customers for one in (treated, held_out)]
    error = sqrt(sum(parts))
    degrees = sum(
        part**2 / (one.customers - 1) for part, one in zip(parts, (treated, held_out), strict=True)
    )
    freedom = sum(parts) ** 2 / degrees if degrees else float("inf")
    difference = treated.mean - held_out.mean
    reach = student(1 - (1 - CONFIDENCE) / 2, freedom) * error
    return Lift(treated, held_out, difference, difference - reach, difference + reach)


def smallest_effect(history: Spending, treated: int, held_out: int) -> float | None:
    """Return the smallest difference per customer that would be seen, from earlier spending."""
    if min(treated, held_out) < CUSTOMERS_MIN:
        return None
    normal = NormalDist()
    reach = normal.inv_cdf(1 - (1 - CONFIDENCE) / 2) + normal.inv_cdf(POWER)
    return reach * sqrt(history.variance * (1 / treated + 1 / held_out))


def student(share: float, freedom: float) -> float:
    """Return the quantile of Student's t.

    >>> round(student(0.975, 10), 3)
    2.228
    """
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
