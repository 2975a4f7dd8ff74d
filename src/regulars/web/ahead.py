"""What may come: who is close to joining or leaving a query, and what the days ahead do by themselves.

The same answers for the API and for pages; plain values, no words.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from regulars.engine import DayChange, NearMisses, calendar_ahead, near_misses
from regulars.errors import LimitError, problem
from regulars.language.keys import segment_names
from regulars.language.tree import Node
from regulars.office import Shop
from regulars.runtime import Runtime

#: A year, its leap day included.
DAYS_MAX = 366
#: Closest customers told for each condition and direction.
NEAR_MAX = 100


@dataclass(frozen=True, slots=True)
class Ahead:
    """Today's count, and each day that changes it if nothing but time happens."""

    today: date
    count: int
    days: Sequence[DayChange]

    @property
    def counts(self) -> list[int]:
        """How many match after each of the days."""
        found, count = [], self.count
        for one in self.days:
            count += len(one.joins) - len(one.leaves)
            found.append(count)
        return found


def close_ones(
    runtime: Runtime, shop: Shop, tree: Node, *, limit: int = 10, as_of: datetime | None = None
) -> list[NearMisses]:
    """Return who is closest to joining and to leaving, condition by condition."""
    if not 1 <= limit <= NEAR_MAX:
        template = "Ask for 1 to {most} customers per condition."
        raise LimitError(problem("limit_out_of_range", template, most=NEAR_MAX, field="limit"))
    context = runtime.context(shop, as_of)
    read = runtime.warehouse(shop).records
    return near_misses(runtime.evaluator(shop), read, tree, context, limit=limit)


def days_ahead(runtime: Runtime, shop: Shop, tree: Node, *, days: int = 90) -> Ahead:
    """Return the joins and leaves of the days ahead by time alone.

    Segments that the query names move with time too; other facts stay as they are.
    """
    if not 1 <= days <= DAYS_MAX:
        template = "A forecast reaches 1 to {most} days ahead."
        raise LimitError(problem("days_out_of_range", template, most=DAYS_MAX, field="days"))
    now = runtime.context(shop)
    evaluator = runtime.evaluator(shop)
    moving = segment_names(tree)
    found = calendar_ahead(
        evaluator,
        tree,
        now,
        days=days,
        context_at=(lambda at: runtime.context(shop, at)) if moving else None,
    )
    return Ahead(now.today, len(evaluator.members(tree, now)), found)
