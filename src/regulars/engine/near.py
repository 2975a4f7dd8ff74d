"""Near misses: who would join or leave a query by the smallest change of one value.

First the sets: for which customers does the answer hang on one filter alone. Then that filter's
bounds are moved out, or in, until enough of those customers are caught; only they are read and
measured one by one. Filters without a distance (texts, tags, sets) have no near misses. A segment
that the query names is gone into: its own filters have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from pyroaring import BitMap

from regulars.engine.context import Context
from regulars.engine.explain import Change, Own, own_and_change
from regulars.engine.lowered import Condition, Instants, Question, Range, Steps, Test, lower
from regulars.engine.opened import conditions, open_up, whole
from regulars.engine.sets import SetEvaluator
from regulars.language.shapes import Events, Figure, Rank, Value
from regulars.language.tree import Filter, Node
from regulars.warehouse.record import CustomerRecord

#: Customers read and measured for one filter and direction, at most.
MEASURED_MAX = 1000
#: The bounds move by 1, 4, 16 ... steps: twenty of them pass a trillion minor units.
_GROWTH = 4
_MOVES_MAX = 20

Reads = Callable[[Iterable[int]], list[CustomerRecord]]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One customer, what they have, and the change that would turn the filter and so the query."""

    customer_no: int
    customer_id: str
    own: Own
    change: Change


@dataclass(frozen=True, slots=True)
class NearMisses:
    """The customers closest to joining, or to leaving, through one filter; the closest first.

    `count` is how many hang on this filter alone, however far they are. `within` are the filters
    that name the segments in whose rules this one stands, the query's own first.
    """

    filter: Filter
    within: tuple[Filter, ...]
    joining: bool
    count: int
    customers: tuple[NearMiss, ...]


def near_misses(
    evaluator: SetEvaluator, read: Reads, tree: Node, context: Context, *, limit: int = 10
) -> list[NearMisses]:
    """Return for each filter with a distance who is closest to joining and closest to leaving.

    `read` gives the records of customers by number: `Warehouse.records`.
    """
    opened = open_up(tree, context)
    tree = whole(opened, context)
    members = evaluator.members(tree, context)
    places: dict[Filter, tuple[Filter, ...]] = {}
    for leaf, within in conditions(opened):
        places.setdefault(leaf, within)
    found = []
    for leaf, within in places.items():
        question, _ = lower(leaf, context)
        if not _has_distance(question):
            continue
        hang = evaluator.hang_on(tree, leaf, context)
        for joining in (True, False):
            who = hang - members if joining else hang & members
            near = _nearest(evaluator, question, who, context, limit)
            measured = _measured(leaf, read(near), context)[:limit] if near else []
            if measured:
                found.append(NearMisses(leaf, within, joining, len(who), tuple(measured)))
    return found


def _measured(leaf: Filter, records: list[CustomerRecord], context: Context) -> list[NearMiss]:
    found: list[tuple[Fraction, NearMiss]] = []
    for record in records:
        own, change = own_and_change(leaf, record, context)
        if change is not None and change.amount is not None:
            miss = NearMiss(record.customer_no, record.customer_id, own, change)
            found.append((Fraction(change.amount), miss))
    return [miss for _, miss in sorted(found, key=lambda one: (one[0], one[1].customer_no))]


def _nearest(
    evaluator: SetEvaluator, question: Question, who: BitMap, context: Context, limit: int
) -> BitMap:
    """Return few customers among whom the closest ones are."""
    inside = evaluator.answer(question, context)
    outer, inner = who - inside, who & inside

    def caught(steps: int) -> BitMap:
        near = outer & evaluator.answer(moved(question, steps), context)
        return near | (inner - evaluator.answer(moved(question, -steps), context))

    few, reach = BitMap(), 1
    for _ in range(_MOVES_MAX):
        few = caught(reach)
        if len(few) >= min(limit, len(who)):
            break
        reach *= _GROWTH
    low = reach // _GROWTH
    while len(few) > MEASURED_MAX and reach - low > 1:
        middle = (low + reach) // 2
        fewer = caught(middle)
        if len(fewer) < limit:
            low = middle
        else:
            few, reach = fewer, middle
    return BitMap(few[:MEASURED_MAX])


# -- bounds that move ------------------------------------------------------------------------------


def _has_distance(question: Question) -> bool:
    if isinstance(question.source, Events):
        return len(question.counts) + len(question.sums) == 1
    if isinstance(question.source, Value | Figure | Rank):
        return isinstance(question.test, Steps | Range | Instants)
    return False


def moved(question: Question, steps: int) -> Question:
    """Return the question with its bounds moved out by so many steps, or in where negative.

    A step is a minor unit of money, a piece, an order or a day.
    """
    if isinstance(question.source, Events):
        return replace(
            question, counts=_totals(question.counts, steps), sums=_totals(question.sums, steps)
        )
    return replace(question, test=_moved(question.test, steps))


def _totals(totals: tuple[Condition, ...], steps: int) -> tuple[Condition, ...]:
    """Move the bounds of a total; one that is negated catches more when its bounds move in."""
    return tuple(
        replace(one, test=_moved(one.test, -steps if one.negated else steps)) for one in totals
    )


def _moved(test: Test, steps: int) -> Test:
    match test:
        case Steps(low=low, high=high):
            return Steps(_by(low, -steps), _by(high, steps), test.scale)
        case Range(low=low, high=high):
            return replace(test, low=_by(low, Fraction(-steps)), high=_by(high, Fraction(steps)))
        case Instants():
            return Instants(
                _days_on(test.start, -steps),
                _days_on(test.end, steps),
                _days_on(test.first, -steps),
                _days_on(test.last, steps),
            )
    raise AssertionError(f"{test} has no bounds to move")


Number = TypeVar("Number", int, Fraction)


def _by(bound: Number | None, steps: Number) -> Number | None:
    return None if bound is None else bound + steps


def _days_on(instant: datetime | None, days: int) -> datetime | None:
    if instant is None:
        return None
    try:
        return instant + timedelta(days=days)
    except OverflowError:
        edge = datetime.max if days > 0 else datetime.min  # noqa: DTZ901 - the zone follows
        return edge.replace(tzinfo=instant.tzinfo)
