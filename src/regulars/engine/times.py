"""What time alone does: which filters can change for a customer, and on which days.

Time changes an answer only at the shop's midnight, and only on days that a bound such as `-30d`
reaches a day the customer's facts stand on. Those days are listed exactly, not searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.engine.context import Context
from regulars.engine.customer import annual_day, compile_filter, read_date, read_instant
from regulars.engine.days import day_start, local_day, shift
from regulars.engine.view import View
from regulars.language.catalogue import CATALOGUE
from regulars.language.keys import mentions_time
from regulars.language.shapes import (
    Annual,
    Events,
    Figure,
    Metafield,
    Rank,
    StoreCredit,
    Value,
)
from regulars.language.tree import (
    And,
    AtLeast,
    Filter,
    Node,
    Not,
    Number,
    Or,
    RelativeDay,
    filters_of,
)

#: How far ahead flips are looked for; a birthday on 29 February comes round within it.
YEARS_AHEAD = 9
#: A shorter month clamps, so a bound counted in months may reach a day up to four days off.
_CLAMPED = range(-4, 6)


def _relative_days(filter_: Filter) -> Iterator[RelativeDay]:
    for operand in filter_.operands:
        if isinstance(operand, RelativeDay):
            yield operand
    for parameter in filter_.parameters:
        for operand in parameter.operands:
            if isinstance(operand, RelativeDay):
                yield operand


# -- one customer ----------------------------------------------------------------------------------


def turning_days(filter_: Filter, view: View, context: Context) -> set[date]:
    """Return every day after today on which this filter's answer may change for this customer."""
    source = CATALOGUE[filter_.attribute].source
    if isinstance(source, Figure) and source.moves:
        found = _figure_turns(filter_, source.name, view, context.zone)
    elif isinstance(source, Rank):
        # The orders of today make the thresholds of tomorrow; after that nothing moves them.
        found = {shift(context.today, 1, "d")}
    else:
        stands = set(_facts_days(filter_, view, context))
        found = {
            day
            for relative in set(_relative_days(filter_))
            for stand in stands
            for day in _reached(stand, relative)
        }
    today = context.today
    last = shift(today, YEARS_AHEAD, "y")
    return {day for day in found if today < day <= last}


def _reached(stand: date, relative: RelativeDay) -> Iterator[date]:
    """Return the days on which `relative` reaches or passes a day, and the few around them."""
    near = shift(stand, -relative.amount, relative.unit)
    around = _CLAMPED if relative.unit in {"m", "y"} else range(2)
    for off in around:
        number = near.toordinal() + off
        if 1 <= number <= date.max.toordinal():
            yield date.fromordinal(number)


def _figure_turns(filter_: Filter, name: str, view: View, zone: ZoneInfo) -> set[date]:
    first_wanted = name == "days_since_first_order"
    since = view.first_order_at if first_wanted else view.last_order_at
    if since is None:
        return set()
    start = local_day(since, zone)
    found = set()
    for operand in filter_.operands:
        if isinstance(operand, Number) and abs(operand.value) < 4_000_000:
            whole = int(operand.value)
            found |= {shift(start, whole + off, "d") for off in range(-1, 3)}
    return found


def _facts_days(filter_: Filter, view: View, context: Context) -> Iterator[date]:
    """Return the shop days that a filter's dates stand on."""
    source = CATALOGUE[filter_.attribute].source
    match source:
        case Annual():
            yield from _occurrences(filter_, view, context)
        case Metafield():
            yield from _metafield_days(filter_, view, context.zone)
        case _:
            for instant in _instants(source, view):
                yield local_day(instant, context.zone)


def _instants(source: object, view: View) -> Iterable[datetime]:
    match source:
        case Value(column="first_order_at"):
            return [view.first_order_at] if view.first_order_at else []
        case Value(column="last_order_at"):
            return [view.last_order_at] if view.last_order_at else []
        case Value(column=column):
            value = view.record.values.get(column)
            return [value] if isinstance(value, datetime) else []
        case Events():
            return [counted.order.processed_at for counted in view.orders]
        case StoreCredit():
            accounts = view.record.store_credit
            told = [at for one in accounts for at in (one.next_expiry_at, one.last_credit_at)]
            return [at for at in told if at is not None]
    return []


def _metafield_days(filter_: Filter, view: View, zone: ZoneInfo) -> Iterator[date]:
    type_, value = view.record.metafields.get(filter_.key or "", ("", ""))
    if type_ == "date" and (day := read_date(value)):
        yield day
    elif type_ == "date_time" and (instant := read_instant(value)):
        yield local_day(instant, zone)


def _occurrences(filter_: Filter, view: View, context: Context) -> Iterator[date]:
    day = annual_day(view.record, filter_.key or "", context.zone)
    if day is None:
        return
    year = context.today.year
    for one in range(max(1, year - 1), min(9998, year + YEARS_AHEAD) + 1):
        leap = one % 4 == 0 and (one % 100 != 0 or one % 400 == 0)
        yield date(one, day.month, 28 if day.day == 29 and day.month == 2 and not leap else day.day)


@dataclass(frozen=True, slots=True)
class Flips:
    """When the parts of a query change for one customer by time alone.

    Days are in the order of the nodes, depth first, the query itself first; None: not within
    YEARS_AHEAD years.
    """

    truths: tuple[bool, ...]
    days: tuple[date | None, ...]


def flips(tree: Node, view: View, context: Context) -> Flips:
    """Find for each node the next day whose midnight changes its answer, if nothing else happens.

    The facts stay as they stood at the context's instant; only the day moves on.
    """
    leaves = filters_of(tree)
    moving = [one for one in dict.fromkeys(leaves) if mentions_time(one)]
    answers = {one: compile_filter(one, context)(view) for one in dict.fromkeys(leaves)}
    now = tuple(_truths(tree, answers))
    found: list[date | None] = [None] * len(now)
    turning = {one: turning_days(one, view, context) for one in moving}
    for day in sorted(set().union(*turning.values())):
        later = context.ahead(day_start(day, context.zone))
        for one in moving:
            if day in turning[one]:
                answers[one] = compile_filter(one, later)(view)
        for index, truth in enumerate(_truths(tree, answers)):
            if found[index] is None and truth is not now[index]:
                found[index] = day
    return Flips(now, tuple(found))


def _truths(node: Node, answers: dict[Filter, bool]) -> list[bool]:
    """Return each node's answer, depth first."""
    if isinstance(node, Filter):
        return [answers[node]]
    if isinstance(node, Not):
        inner = _truths(node.part, answers)
        return [not inner[0], *inner]
    parts = [_truths(part, answers) for part in node.parts]
    heads = [part[0] for part in parts]
    return [joined(node, heads), *(truth for part in parts for truth in part)]


def joined(node: And | Or | AtLeast, truths: list[bool]) -> bool:
    """Join the answers of a node's parts."""
    if isinstance(node, AtLeast):
        return sum(truths) >= node.count
    return all(truths) if isinstance(node, And) else any(truths)


def next_midnight(context: Context) -> datetime:
    """Return the shop's next midnight: the next instant at which time can change anything."""
    return day_start(context.today + timedelta(days=1), context.zone)
