"""Recency, frequency, spend: the day's thresholds, and where one customer stands among all.

The thresholds are a function of the facts before an instant, the shop's midnight as a rule, so that
every evaluator is given the same ones and an order moves nobody but its own customer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from regulars.engine.days import local_day
from regulars.language.rfm import group_of

#: Four thresholds make five scores.
THRESHOLDS = 4
#: What nobody spends: the first customers of a shop have not spent much yet.
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RfmThresholds:
    """The thresholds of a day; a customer who is above k of them scores 1 + k.

    `customer_count` customers had a counted order before `at`; amounts are minor units.
    """

    at: datetime
    customer_count: int
    recency: tuple[date, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]


#: Gives the thresholds of an instant: of what had happened before it, in a zone's days.
RfmSource = Callable[[datetime, ZoneInfo], RfmThresholds]


def no_rfm(at: datetime, zone: ZoneInfo) -> RfmThresholds:  # noqa: ARG001 - stands for a source
    """Stand in for the thresholds of a shop that has none; asking for them is our own mistake."""
    raise LookupError("no RFM thresholds here: pass rfm=evaluator.rfm_thresholds to the Context")


@dataclass(frozen=True, slots=True)
class Standing:
    """One customer's scores and group, with the thresholds that gave them."""

    recency: int
    frequency: int
    monetary: int
    group: str
    thresholds: RfmThresholds


def standing(
    last_day: date, order_count: int, spent_amount: int, thresholds: RfmThresholds
) -> Standing:
    """Return where a customer with at least one counted order stands."""
    recency, frequency, monetary = (
        1 + sum(value > bound for bound in bounds)  # type: ignore[operator]
        for value, bounds in (
            (last_day, thresholds.recency),
            (order_count, thresholds.frequency),
            (spent_amount, thresholds.monetary),
        )
    )
    group = group_of(recency, frequency, monetary)
    return Standing(recency, frequency, monetary, group, thresholds)


def thresholds_of(
    at: datetime,
    zone: ZoneInfo,
    last_order_at: NDArray[Any],
    order_count: NDArray[Any],
    spent_amount: NDArray[Any],
) -> RfmThresholds:
    """Return the thresholds over the customers who had ordered before an instant."""
    count = len(order_count)
    if not count:
        # Whoever comes first is new: recent, with few orders and little spent.
        long_ago, few = (date.min,) * THRESHOLDS, (_LARGEST,) * THRESHOLDS
        return RfmThresholds(at, 0, long_ago, few, few)
    moments = _ends_of_fifths(last_order_at.astype("datetime64[us]"))
    days = tuple(local_day(one.item().replace(tzinfo=UTC), zone) for one in moments)
    frequency, monetary = (
        tuple(int(one) for one in _ends_of_fifths(values.astype(np.int64)))
        for values in (order_count, spent_amount)
    )
    return RfmThresholds(at, count, days, frequency, monetary)


def _ends_of_fifths(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values at which the first four fifths end, in order."""
    fifths = THRESHOLDS + 1
    places = [-(-part * len(values) // fifths) - 1 for part in range(1, fifths)]
    picked: NDArray[Any] = np.partition(values, places)[places]
    return picked


def write_thresholds(told: RfmThresholds) -> str:
    """Write thresholds as a text that `read_thresholds` reads."""
    return json.dumps(asdict(told), default=lambda value: value.isoformat())


def read_thresholds(text: str) -> RfmThresholds:
    """Read what `write_thresholds` wrote."""
    told = json.loads(text)
    return RfmThresholds(
        datetime.fromisoformat(told["at"]),
        told["customer_count"],
        tuple(date.fromisoformat(day) for day in told["recency"]),
        tuple(told["frequency"]),
        tuple(told["monetary"]),
    )
