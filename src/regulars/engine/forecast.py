"""The days ahead without evaluating each of them: who turns on which day, in one pass over rows.

A bound such as `-30d` slides over the instants that the facts stand on. Each row is inside from one
day to another, so one pass over the rows tells every day on which a customer's answer turns. A
condition of another shape is evaluated at each midnight; what does not move is evaluated once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from regulars.engine.bitmaps import bitmap_of
from regulars.engine.context import Context
from regulars.engine.days import next_midnights
from regulars.engine.lowered import Condition, Instants, Question, Steps, lower, only
from regulars.engine.sets import SetEvaluator, at_least
from regulars.language.keys import mentions_time
from regulars.language.shapes import Events, Value
from regulars.language.tree import And, AtLeast, Filter, Node, Not, filters_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EVER = np.iinfo(np.int64)
_DATED = "processed_at"


@dataclass(frozen=True, slots=True)
class DayChange:
    """Who joins and who leaves at the first instant of a shop day."""

    day: date
    at: datetime
    joins: BitMap
    leaves: BitMap


@dataclass(frozen=True, slots=True)
class Window:
    """The instants that a condition keeps on each day, as microseconds; they never go back."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def calendar_ahead(
    evaluator: SetEvaluator,
    tree: Node,
    context: Context,
    *,
    days: int = 90,
    context_at: Callable[[datetime], Context] | None = None,
) -> list[DayChange]:
    """Return the days ahead on which time alone makes customers join or leave.

    `context_at` gives the surroundings of a later instant where named segments move with time too.
    """
    if context_at is None and not mentions_time(tree):
        return []
    midnights = next_midnights(context.as_of, context.zone, days)
    at = context_at or context.at
    contexts = [context, *(at(midnight) for _, midnight in midnights)]
    leaves = _Leaves(evaluator, tree, contexts, named_move=context_at is not None)
    before = leaves.members(tree)
    found = []
    for index, (day, midnight) in enumerate(midnights, start=1):
        if not leaves.step(index):
            continue
        members = leaves.members(tree)
        if members != before:
            found.append(DayChange(day, midnight, members - before, before - members))
        before = members
    return found


class _Leaves:
    """The members of each condition, day after day."""

    def __init__(
        self, evaluator: SetEvaluator, tree: Node, contexts: Sequence[Context], *, named_move: bool
    ) -> None:
        self._evaluator = evaluator
        self._contexts = contexts
        now = contexts[0]
        leaves = dict.fromkeys(filters_of(tree))
        self._sets = {leaf: evaluator.members(leaf, now) for leaf in leaves}
        self._universe = evaluator.universe(now)
        is_still = not evaluator.knows_later(now)
        self._turns: dict[Filter, dict[int, BitMap]] = {}
        self._asked: list[Filter] = []
        for leaf in leaves:
            moves = mentions_time(leaf) or (named_move and leaf.attribute == "segment")
            if not moves and is_still:
                continue
            turns = _turns(evaluator, leaf, contexts) if is_still else None
            if turns is None:
                self._asked.append(leaf)
            else:
                self._turns[leaf] = turns
        self._is_still = is_still

    def step(self, index: int) -> bool:
        """Go on to a day; return whether any condition's members changed."""
        changed = False
        if not self._is_still:
            universe = self._evaluator.universe(self._contexts[index])
            changed, self._universe = universe != self._universe, universe
        for leaf in self._asked:
            members = self._evaluator.members(leaf, self._contexts[index])
            changed = changed or members != self._sets[leaf]
            self._sets[leaf] = members
        for leaf, turns in self._turns.items():
            turned = turns.get(index)
            if turned is not None:
                self._sets[leaf] = self._sets[leaf] ^ (turned & self._universe)
                changed = True
        return changed

    def members(self, node: Node) -> BitMap:
        """Return the customers whom a node keeps on the day."""
        if isinstance(node, Filter):
            return self._sets[node]
        if isinstance(node, Not):
            return self._universe - self.members(node.part)
        sets = [self.members(part) for part in node.parts]
        if isinstance(node, AtLeast):
            return at_least(node.count, sets)
        return BitMap.intersection(*sets) if isinstance(node, And) else BitMap.union(*sets)


def _turns(
    evaluator: SetEvaluator, leaf: Filter, contexts: Sequence[Context]
) -> dict[int, BitMap] | None:
    """Return who turns at which day's beginning, by its index; None for other shapes."""
    questions = [lower(leaf, context)[0] for context in contexts]
    parted = [_parted(question) for question in questions]
    if any(one is None for one in parted):
        return None
    still, dates = zip(*(one for one in parted if one is not None), strict=True)
    if any(one != still[0] for one in still):
        return None
    window = _window(dates)
    rows = evaluator.dated_rows(still[0], int(window.starts[0]), int(window.ends[-1]))
    return _turning(still[0], window, rows)


def _parted(question: Question) -> tuple[Question, Instants] | None:
    """Take the one sliding bound out of a question; None where there is none to take."""
    source, test = question.source, question.test
    if isinstance(source, Value) and isinstance(test, Instants):
        return replace(question, test=Instants(None, None, None, None)), test
    if not isinstance(source, Events) or source.in_order:
        return None
    dated = [one for one in question.rows if one.column == _DATED]
    if len(dated) != 1 or dated[0].negated:
        return None
    others = tuple(one for one in question.rows if one is not dated[0])
    return replace(question, rows=others), only(Instants, dated[0].test)


def _window(dates: Sequence[Instants]) -> Window:
    starts = [_EVER.min if one.start is None else _microseconds(one.start) for one in dates]
    ends = [_EVER.max if one.end is None else _microseconds(one.end) for one in dates]
    return Window(np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64))


def _microseconds(instant: datetime) -> int:
    off = instant - _EPOCH
    return (off.days * 86_400 + off.seconds) * 1_000_000 + off.microseconds


def _turning(
    question: Question, window: Window, rows: dict[str, NDArray[Any]]
) -> dict[int, BitMap]:
    """Add up each customer's rows as they come into the window and go out of it again."""
    instants = rows["dated_at"].astype("datetime64[us]").astype(np.int64)
    # A row is inside from the first day that ends after it until the first that starts after it.
    first = np.searchsorted(window.ends, instants, side="right")
    last = np.searchsorted(window.starts, instants, side="right")
    kept = first < last
    names = [f"sum_{index}" for index in range(len(question.sums))]
    steps = [np.ones(int(kept.sum()), dtype=np.int64)]
    steps += [rows[name][kept].astype(np.int64) for name in names]
    customers = np.concatenate([rows["customer_no"][kept]] * 2).astype(np.int64)
    days = np.concatenate([first[kept], last[kept]])
    totals = [np.concatenate([one, -one]) for one in steps]
    return _flips(question, customers, days, totals)


def _flips(
    question: Question,
    customers: NDArray[np.int64],
    days: NDArray[np.int64],
    steps: Sequence[NDArray[np.int64]],
) -> dict[int, BitMap]:
    if not len(customers):
        return {}
    order = np.lexsort((days, customers))
    customers, days = customers[order], days[order]
    # Each customer's steps add up to nothing, so the running totals begin anew by themselves.
    running = [np.cumsum(one[order]) for one in steps]
    after = np.append((customers[1:] != customers[:-1]) | (days[1:] != days[:-1]), True)
    customers, days = customers[after], days[after]
    truths = _truths(question, [one[after] for one in running])
    begins = np.append(True, customers[1:] != customers[:-1])
    nothing = bool(_truths(question, [np.zeros(1, dtype=np.int64)] * len(steps))[0])
    before = np.where(begins, nothing, np.append(False, truths[:-1]))
    turned = (truths != before) & (days > 0)
    return {
        int(day): bitmap_of(customers[turned & (days == day)]) for day in np.unique(days[turned])
    }


def _truths(question: Question, totals: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Compare the totals: the number of rows, then the sums in order."""
    asked = [(one, totals[0]) for one in question.counts]
    asked += [(one, totals[1 + index]) for index, one in enumerate(question.sums)]
    if not asked:
        return totals[0] > 0
    truth = np.ones(len(totals[0]), dtype=np.bool_)
    for condition, total in asked:
        truth &= _holds(condition, total)
    return truth


def _holds(condition: Condition, total: NDArray[np.int64]) -> NDArray[np.bool_]:
    test = only(Steps, condition.test)
    low = _EVER.min if test.low is None else min(max(test.low, _EVER.min), _EVER.max)
    high = _EVER.max if test.high is None else min(max(test.high, _EVER.min), _EVER.max)
    # No total comes near the ends of int64, so a clamped bound keeps its meaning.
    inside = (total >= low) & (total <= high)
    return ~inside if condition.negated else inside
