"""What an evaluation is told besides the query: the instant, the calendar, the money, the sets.

Nothing here reads a clock, a shop or a setting; the caller passes everything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from pyroaring import BitMap

from regulars.engine import days
from regulars.engine.pasts import TreeByName, knows_no_list, no_trees
from regulars.engine.rfm import RfmSource, RfmThresholds, no_rfm

#: Who counts as everybody: all customers, or those with at least one counted order.
Universe = Literal["all", "buyers"]


def no_named_sets(of: str, name: str) -> BitMap:
    """Stand in for the named sets of a shop that has none; asking for one is our own mistake."""
    raise LookupError(f"no {of} named {name!r} was provided to this evaluation")


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one evaluation.

    `as_of` is an aware UTC instant: orders, refunds and cancellations after it are not seen.
    `named_set(of, name)` returns the members of a segment or list; it raises for an unknown name.
    `rfm` gives the thresholds of RFM scores: `SetEvaluator.rfm_thresholds`. Nothing after
    `facts_until` moves them, for looks ahead from an instant in the past. `named_tree(name)` gives
    a segment's query, or None, and `knows_list(name)` says whether it is known who was on a list at
    `as_of`; only whether a past is known depends on these.
    """

    as_of: datetime
    zone: ZoneInfo
    currency: str
    universe: Universe = "all"
    named_set: Callable[[str, str], BitMap] = no_named_sets
    rfm: RfmSource = no_rfm
    facts_until: datetime | None = None
    named_tree: TreeByName = no_trees
    knows_list: Callable[[str], bool] = knows_no_list

    def __post_init__(self) -> None:
        if self.as_of.utcoffset() is None:
            raise ValueError("as_of has to be an aware instant")
        if self.as_of.tzinfo is not UTC:
            object.__setattr__(self, "as_of", self.as_of.astimezone(UTC))

    @property
    def today(self) -> date:
        """The shop's calendar day at `as_of`."""
        return days.local_day(self.as_of, self.zone)

    @property
    def money_scale(self) -> int:
        """How many decimals the shop's currency has: 2 for USD, 0 for JPY."""
        return currency_scale(self.currency)

    def is_like(self, other: Context) -> bool:
        """Whether a query means the same here and there, wherever named sets come from."""
        return self._bare() == other._bare()

    def _bare(self) -> Context:
        bare = replace(self, named_set=no_named_sets, rfm=no_rfm)
        return replace(bare, named_tree=no_trees, knows_list=knows_no_list)

    def rfm_thresholds(self) -> RfmThresholds:
        """Return the thresholds of RFM scores that the shop's day began with."""
        began = days.day_start(self.today, self.zone)
        if self.facts_until is not None:
            began = min(began, self.facts_until + days.MICROSECOND)
        return self.rfm(began, self.zone)

    def at(self, as_of: datetime) -> Context:
        """Return the same surroundings at another instant."""
        return replace(self, as_of=as_of)

    def ahead(self, as_of: datetime) -> Context:
        """Return the surroundings of a later instant until which nothing but time happens."""
        return replace(self, as_of=as_of, facts_until=self.facts_until or self.as_of)


@functools.lru_cache(maxsize=512)
def currency_scale(currency: str) -> int:
    """Return the number of decimals of a currency's minor unit."""
    return int(get_currency_precision(currency))
