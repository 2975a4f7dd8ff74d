"""Whom a new day may move: everybody else's answers are the same as on the day before.

The bounds of a date slide from one day's to the other's, and only who has an order between the two
can turn; they are asked on both days. What is no question about orders is asked of everybody twice,
which costs little. Ranks move with everybody's figures and are not told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from regulars.engine.context import Context
from regulars.engine.events import numbers_orders
from regulars.engine.lowered import Condition, Instants, Question, lower, sides
from regulars.engine.sets import SetEvaluator
from regulars.language.shapes import Events
from regulars.language.tree import Filter

_DATED = "processed_at"

#: From an instant up to, not including, another.
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class _Dated:
    """A question about orders as it stands on both days."""

    before: Question
    now: Question


def turned(
    evaluator: SetEvaluator,
    leaves: Iterable[Filter],
    before: Context,
    now: Context,
    *,
    most: int,
) -> BitMap | None:
    """Return whom any of the filters may answer otherwise now than on an earlier day.

    Both days are asked of the facts as they are now: whoever is told of something that happened
    in between is counted in. None where that is not known, or where more than `most` have to be
    asked.
    """
    found = evaluator.came_between(before, now)
    dated: dict[str, list[_Dated]] = {}
    for leaf in leaves:
        (old, _), (new, _) = lower(leaf, before), lower(leaf, now)
        if old == new:
            continue
        if isinstance(new.source, Events):
            dated.setdefault(new.source.of, []).append(_Dated(old, new))
        else:
            found |= evaluator.answer(old, now) ^ evaluator.answer(new, now)
    # Each table by itself: fewer people are asked about their lines than about their orders.
    for alike in dated.values():
        some = _turned_rows(evaluator, list(dict.fromkeys(alike)), now, most)
        if some is None:
            return None
        found |= some
    return found if len(found) <= most else None


def _turned_rows(
    evaluator: SetEvaluator, dated: Sequence[_Dated], now: Context, most: int
) -> BitMap | None:
    stretches = _stretches(dated)
    asked = None if stretches is None else evaluator.ordered_between(stretches, now)
    if asked is None or len(asked) > most:
        return None
    if not asked:
        return asked
    questions = [question for one in dated for question in (one.before, one.now)]
    with evaluator.among(asked, questions, now, since=_since(questions)) as few:
        return BitMap.union(*(few.turned(one.before, one.now) for one in dated))


def _stretches(dated: Iterable[_Dated]) -> set[Stretch] | None:
    """Return what lies between the bounds of the two days; None where that is not all there is."""
    found: set[Stretch] = set()
    for one in dated:
        for old, new in zip(one.before.rows, one.now.rows, strict=True):
            if old == new:
                continue
            bounds = _slid(old, new)
            if bounds is None:
                return None
            found |= bounds
    return found


def _slid(old: Condition, new: Condition) -> set[Stretch] | None:
    first, last = old.test, new.test
    if not (isinstance(first, Instants) and isinstance(last, Instants)):
        return None
    if old.column.rpartition(".")[2] != _DATED:
        return None
    pairs = {(first.start, last.start), (first.end, last.end)}
    found = set()
    for start, end in pairs:
        if start == end:
            continue
        if start is None or end is None:
            return None
        found.add((min(start, end), max(start, end)))
    return found


def _since(questions: Iterable[Question]) -> datetime | None:
    """Return the instant before which no order matters to any of the questions, if there is one."""
    starts = [_start(question) for question in questions]
    known = [start for start in starts if start is not None]
    return min(known) if len(known) == len(starts) else None


def _start(question: Question) -> datetime | None:
    if numbers_orders(question):
        return None
    in_order = isinstance(question.source, Events) and question.source.in_order
    parts = sides(question.rows)[:2] if in_order else (question.rows,)
    starts = [_latest_start(part) for part in parts]
    known = [start for start in starts if start is not None]
    return min(known) if len(known) == len(starts) else None


def _latest_start(rows: Iterable[Condition]) -> datetime | None:
    starts = [
        one.test.start
        for one in rows
        if one.column == _DATED and not one.negated and isinstance(one.test, Instants)
    ]
    return max((start for start in starts if start is not None), default=None)
