"""A segment on other days: who belonged on a past one, who is close now, what the days ahead bring.

Texts and rows for the segment's page; the figures come from the engine and from `ahead`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pyroaring import BitMap

from regulars.engine import NearMisses, RfmThresholds, unknown_past
from regulars.engine.days import local_day
from regulars.errors import InputError, problem
from regulars.language import CATALOGUE, describe, parse
from regulars.language.catalogue import Rank
from regulars.language.tree import Node, filters_of
from regulars.web import ahead
from regulars.web.api.shapes import instant_of
from regulars.web.deps import Visit
from regulars.web.explaining import change_text, name_in, own_text, placed, threshold_lines
from regulars.web.plots import plot_spec

#: How far ahead the page looks, and how many of the closest customers it names.
DAYS_AHEAD = 90
NAMED = 5


@dataclass(frozen=True)
class PastDay:
    """Who belonged at the end of a past day."""

    day: date
    as_of: datetime
    members: BitMap
    everybody: int
    #: Labels of what is only known as of now.
    unknown: Sequence[str]


@dataclass(frozen=True)
class CloseOne:
    """One customer who is close to a bound, in words."""

    customer_id: str
    name: str
    own: str
    change: str


@dataclass(frozen=True)
class CloseOnes:
    """The closest customers of one condition and direction."""

    condition: str
    joining: bool
    count: int
    customers: Sequence[CloseOne]


def past_day(visit: Visit, query: str, text: str) -> PastDay | None:
    """Return the members of the end of a day that is over; None where no day or today is asked for.

    Raises InputError for what is no day, and for days to come.
    """
    day = day_over(visit, text)
    if day is None:
        return None
    tree = parse(query)
    context = visit.runtime.context(visit.shop, end_of(visit, day))
    evaluator = visit.runtime.evaluator(visit.shop)
    return PastDay(
        day,
        context.as_of,
        evaluator.members(tree, context),
        len(evaluator.universe(context)),
        labels(unknown_past(tree, context), visit.language),
    )


def day_over(visit: Visit, text: str) -> date | None:
    """Return a day that is over; None where no day or today is asked for.

    Raises InputError for what is no day, and for days to come.
    """
    today = local_day(visit.now, visit.shop.zone)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        template = '"{text}" is not a day. Write one like 2026-11-21.'
        raise InputError(problem("not_a_day", template, text=text, field="as_of")) from None
    if day > today:
        template = "That day is still to come. Days ahead stand under What may come."
        raise InputError(problem("day_to_come", template, field="as_of"))
    return None if day == today else day


def end_of(visit: Visit, day: date) -> datetime:
    """Return the last instant of a day of the shop."""
    return instant_of(visit.shop, day.isoformat())


def labels(names: Iterable[str], language: str) -> Sequence[str]:
    """Return what attributes are called in a language."""
    rows = (CATALOGUE[name] for name in names)
    return [row.label_ja if language == "ja" else row.label_en for row in rows]


def what_may_come(visit: Visit, query: str) -> dict[str, Any]:
    """Return what the tab "What may come" shows: the closest customers, and the days ahead."""
    tree = parse(query)
    visit.note_look()
    groups = ahead.close_ones(visit.runtime, visit.shop, tree, limit=NAMED)
    told = ahead.days_ahead(visit.runtime, visit.shop, tree, days=DAYS_AHEAD)
    context = visit.runtime.context(visit.shop)
    return {
        "close": _close(visit, groups),
        "told": told,
        "days": list(zip(told.days, told.counts, strict=True)),
        "plot": _plot(visit, told) if told.days else None,
        "days_ahead": DAYS_AHEAD,
        "unknown": labels(unknown_past(tree, context), visit.language),
    }


def rfm_lines(visit: Visit, query: str) -> Sequence[str]:
    """Return today's thresholds of RFM scores in words; none where the rule has no such score."""
    told = _thresholds(visit, parse(query))
    return () if told is None else threshold_lines(told, visit.say)


def _thresholds(visit: Visit, tree: Node) -> RfmThresholds | None:
    if not any(isinstance(CATALOGUE[leaf.attribute].source, Rank) for leaf in filters_of(tree)):
        return None
    return visit.runtime.context(visit.shop).rfm_thresholds()


def _close(visit: Visit, groups: Sequence[NearMisses]) -> Sequence[CloseOnes]:
    names = _names(visit, groups)
    return [
        CloseOnes(
            _condition(visit, group),
            group.joining,
            group.count,
            [
                CloseOne(
                    one.customer_id,
                    names.get(one.customer_no) or one.customer_id,
                    own_text(one.own, visit.say),
                    change_text(one.change, visit.say),
                )
                for one in group.customers
            ],
        )
        for group in groups
    ]


def _condition(visit: Visit, group: NearMisses) -> str:
    sentence = describe(group.filter, visit.language, visit.shop.currency, visit.titles)
    segment = name_in(group.within[-1]) if group.within else None
    return placed(sentence, segment, visit.say)


def _names(visit: Visit, groups: Sequence[NearMisses]) -> Mapping[int, str]:
    numbers = {one.customer_no for group in groups for one in group.customers}
    records = visit.runtime.warehouse(visit.shop).records(numbers)
    return {
        one.customer_no: str(one.values.get("display_name") or one.values.get("email") or "")
        for one in records
    }


def _plot(visit: Visit, told: ahead.Ahead) -> dict[str, Any]:
    days = [visit.say.day(told.today), *(visit.say.day(one.day) for one in told.days)]
    return plot_spec("line", days, [(visit.say("Customers"), [told.count, *told.counts])])
