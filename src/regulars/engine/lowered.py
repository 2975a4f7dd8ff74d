"""Filters with their literals turned into bounds, and their negation taken out.

Here a literal meets the shop's calendar and currency, once, for both evaluators: `date > -7d`
becomes a half-open range of UTC instants, `amount_spent >= 99.5` a closed range of minor units.
How a value is compared with a bound is written in each evaluator by itself.
A Question is hashable and says everything its answer depends on except data: it is the cache key.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TypeVar

from regulars.engine.context import Context as Surroundings
from regulars.engine.days import DAY, SECOND, day_end, day_start, local_instant, shift
from regulars.engine.rfm import RfmThresholds
from regulars.errors import QueryError, problem
from regulars.language.catalogue import CATALOGUE, folded
from regulars.language.rfm import SCORES, WITHOUT_ORDERS, pairs_of
from regulars.language.shapes import (
    Annual,
    Distance,
    Events,
    Figure,
    Kind,
    Labels,
    Metafield,
    NamedSet,
    ParameterRow,
    Rank,
    Role,
    Source,
    StoreCredit,
    Unavailable,
)
from regulars.language.tree import (
    Boolean,
    Day,
    Filter,
    Literal,
    Moment,
    Number,
    Operator,
    Parameter,
    Point,
    RelativeDay,
    Text,
)

#: Decimals of numbers that are no money: Shopify's decimal metafields have at most nine.
DECIMAL_SCALE = 9
#: Quotients are compared with fractions of at most twelve decimals, so that products stay exact.
FINEST = 12

Expected = TypeVar("Expected")

#: The negative operators and the positive one whose complement they are.
POSITIVE = {
    Operator.NE: Operator.EQ,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_MATCHES: Operator.MATCHES,
    Operator.IS_NULL: Operator.IS_NOT_NULL,
}


def only(kind: type[Expected], value: object) -> Expected:
    """Return the value, which has to be of this kind; anything else is our own mistake."""
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


KM_PER_MILE = Fraction("1.609344")


@dataclass(frozen=True, slots=True)
class Instants:
    """Instants from `start` up to, not including, `end`; None is unbounded.

    `first` and `last` are the same range in wall time, for values that are days without a zone:
    `first <= day at 00:00 < last`.
    """

    start: datetime | None
    end: datetime | None
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Steps:
    """Whole steps of 10 ** -`scale` from `low` to `high`, both included; None is unbounded."""

    low: int | None
    high: int | None
    scale: int

    @property
    def is_empty(self) -> bool:
        """Whether no number is inside, as for `number_of_orders = 1.5`."""
        return self.low is not None and self.high is not None and self.low > self.high


@dataclass(frozen=True, slots=True)
class Range:
    """Any fractions between two bounds, each included or not; None is unbounded."""

    low: Fraction | None
    high: Fraction | None
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Texts:
    """Any of these texts or ids, exactly."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A true-or-false metafield with this value."""

    value: bool


@dataclass(frozen=True, slots=True)
class Yearly:
    """Days of any year, as closed ranges of month * 100 + day."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Within `limit_km` of a point; the limit itself is included or not."""

    latitude: float
    longitude: float
    limit_km: float
    included: bool


@dataclass(frozen=True, slots=True)
class Named:
    """Membership in the named set."""

    name: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """Any of these (recency, frequency and spend together) scores, by the bounds of a day.

    A score is 1 and one more for each bound that is reached: of the last order, the number of
    orders and the amount spent.
    """

    pairs: tuple[tuple[int, int], ...]
    recency: tuple[datetime, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """There is a value."""


Test = Instants | Steps | Range | Texts | Flag | Yearly | Near | Named | Ranked | Present


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter: the test of one column of a row, or of a total over the kept rows."""

    name: str
    column: str
    test: Test
    negated: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A filter in its positive form, ready to be evaluated.

    `rows` keep rows of a function; `counts` and `sums` are compared over the kept rows. `contains`
    tells a list metafield's CONTAINS from a plain `=`. `today` is set where the answer moves with
    the day beside the bounds (days since the last order).
    """

    source: Source
    test: Test
    key: str | None = None
    rows: tuple[Condition, ...] = ()
    counts: tuple[Condition, ...] = ()
    sums: tuple[Condition, ...] = ()
    contains: bool = False
    today: date | None = None


def lower(filter_: Filter, context: Surroundings) -> tuple[Question, bool]:
    """Return the filter's positive form with bounds, and whether it asks for the complement.

    Raises QueryError for a filter that cannot be answered from synchronised data.
    """
    attribute = CATALOGUE[filter_.attribute]
    source = attribute.source
    if isinstance(source, Unavailable):
        raise QueryError(problem("not_available", source.reason))
    negated = filter_.operator in POSITIVE
    operator = POSITIVE.get(filter_.operator, filter_.operator)
    if operator is Operator.IS_NOT_NULL and not filter_.parameters:
        return Question(source, Present(), filter_.key), negated
    if isinstance(source, Rank):
        return _rank(filter_, source, operator, context, negated=negated)
    if isinstance(source, Distance):
        return Question(source, _near(filter_.parameters)), negated
    if isinstance(source, Events | StoreCredit):
        return _function(filter_, source, context), negated
    return _plain(filter_, source, operator, context), negated


def _plain(filter_: Filter, source: Source, operator: Operator, context: Surroundings) -> Question:
    operands = filter_.operands
    kind = CATALOGUE[filter_.attribute].kind
    if isinstance(source, NamedSet):
        return Question(source, Named(text_of(operands[0])))
    if isinstance(source, Labels):
        return Question(source, Texts((_label(operands[0], fold=source.fold),)))
    if isinstance(source, Metafield):
        contains = operator is Operator.CONTAINS
        test = metafield_test(operator, operands, context)
        return Question(source, test, filter_.key, contains=contains)
    if isinstance(source, Annual):
        return Question(source, yearly(operands, context), filter_.key)
    if isinstance(source, Figure):
        scale = context.money_scale if kind is Kind.MONEY else 0
        today = context.today if source.moves else None
        return Question(source, span(operator, operands, scale), today=today)
    return Question(source, test_of(kind, operator, operands, context))


def _rank(
    filter_: Filter, source: Rank, operator: Operator, context: Surroundings, *, negated: bool
) -> tuple[Question, bool]:
    """Turn a group or a score into bounds of the day; PROSPECTS are those without an order."""
    if source.of == "group":
        group = text_of(filter_.operands[0])
        if group == WITHOUT_ORDERS:
            return Question(source, Present()), not negated
        return Question(source, _ranked(group, context)), negated
    wanted = steps(operator, filter_.operands, 0)
    lowest, highest = SCORES
    low = lowest if wanted.low is None else max(lowest, wanted.low)
    high = highest if wanted.high is None else min(highest, wanted.high)
    return Question(source, _scored(source.of, low, high, context)), negated


def _ranked(group: str, context: Surroundings) -> Ranked:
    told = context.rfm_thresholds()
    return Ranked(
        pairs_of(group),
        _first_instants(told, context),
        tuple(bound + 1 for bound in told.frequency),
        tuple(bound + 1 for bound in told.monetary),
    )


def _first_instants(told: RfmThresholds, context: Surroundings) -> tuple[datetime, ...]:
    """Return the instants from which an order is above each threshold: the days after them."""
    return tuple(day_end(day, context.zone) or _NEVER for day in told.recency)


def _scored(of: str, low: int, high: int, context: Surroundings) -> Test:
    """Return the bounds of the figure itself between two scores, both included."""
    told = context.rfm_thresholds()
    if low > high:
        return Steps(1, 0, 0) if of != "recency" else Instants(_NEVER, _NEVER, None, None)
    lowest, highest = SCORES
    if of == "recency":
        starts = _first_instants(told, context)
        start = None if low == lowest else starts[low - 2]
        return Instants(start, None if high == highest else starts[high - 1], None, None)
    bounds = told.frequency if of == "frequency" else told.monetary
    least = None if low == lowest else bounds[low - 2] + 1
    return Steps(least, None if high == highest else bounds[high - 1], 0)


def _function(filter_: Filter, source: Source, context: Surroundings) -> Question:
    known = {row.name: row for row in CATALOGUE[filter_.attribute].parameters}
    lowered = [(known[given.name], given) for given in filter_.parameters]
    parts = [(row.role, _condition(row, given, context)) for row, given in lowered]

    def of(role: Role) -> tuple[Condition, ...]:
        return tuple(sorted((part for at, part in parts if at is role), key=lambda part: part.name))

    return Question(source, Present(), rows=of(Role.ROW), counts=of(Role.COUNT), sums=of(Role.SUM))


def sides(rows: Sequence[Condition]) -> tuple[list[Condition], list[Condition], list[Condition]]:
    """Return what the first line of a pair has to meet, what the later one, and what their days."""
    first, later, apart = [], [], []
    for one in rows:
        side, _, name = one.column.partition(".")
        if side == "first":
            first.append(replace(one, column=name))
        elif side == "then":
            later.append(replace(one, column=name))
        else:
            apart.append(one)
    return first, later, apart


def _condition(row: ParameterRow, given: Parameter, context: Surroundings) -> Condition:
    operator = POSITIVE.get(given.operator, given.operator)
    if row.fold:
        test: Test = Texts(tuple(sorted({folded(text_of(one)) for one in given.operands})))
    else:
        test = test_of(row.kind, operator, given.operands, context)
    return Condition(row.name, row.column, test, given.operator in POSITIVE)


def test_of(
    kind: Kind, operator: Operator, operands: Sequence[Literal], context: Surroundings
) -> Test:
    """Return the bounds of a positive comparison with a value of this kind."""
    if kind is Kind.DAY:
        return instants(operator, operands, context)
    if kind is Kind.MONEY:
        return steps(operator, operands, context.money_scale)
    if kind is Kind.INTEGER:
        return steps(operator, operands, 0)
    if kind is Kind.DECIMAL:
        return steps(operator, operands, DECIMAL_SCALE)
    return Texts(tuple(sorted({text_of(one) for one in operands})))


def metafield_test(operator: Operator, operands: Sequence[Literal], context: Surroundings) -> Test:
    """Return the bounds of a comparison whose kind is that of its literal."""
    literal = operands[0]
    if isinstance(literal, Boolean):
        return Flag(literal.value)
    if isinstance(literal, Number):
        return steps(operator, operands, DECIMAL_SCALE)
    if isinstance(literal, Text):
        return Texts((literal.value,))
    return instants(operator, operands, context)


def steps(operator: Operator, operands: Sequence[Literal], scale: int) -> Steps:
    """Return the whole steps of 10 ** -scale for which a positive comparison holds."""
    factor = 10**scale
    first, last = _number(operands[0]) * factor, _number(operands[-1]) * factor
    match operator:
        case Operator.EQ | Operator.IN | Operator.CONTAINS | Operator.BETWEEN:
            return Steps(_ceiling(first), _floor(last), scale)
        case Operator.GT:
            return Steps(_floor(first) + 1, None, scale)
        case Operator.GE:
            return Steps(_ceiling(first), None, scale)
        case Operator.LT:
            return Steps(None, _ceiling(first) - 1, scale)
        case Operator.LE:
            return Steps(None, _floor(first), scale)
    raise AssertionError(f"{operator} does not compare numbers")


def span(operator: Operator, operands: Sequence[Literal], scale: int) -> Range:
    """Return the fractions for which a positive comparison holds, scaled to minor units."""
    first, last = (round(_number(operands[at]) * 10**scale, FINEST) for at in (0, -1))
    match operator:
        case Operator.EQ | Operator.BETWEEN:
            return Range(first, last)
        case Operator.GT | Operator.GE:
            return Range(first, None, low_included=operator is Operator.GE)
        case Operator.LT | Operator.LE:
            return Range(None, first, high_included=operator is Operator.LE)
    raise AssertionError(f"{operator} does not compare numbers")


def _floor(number: Fraction) -> int:
    return number.numerator // number.denominator


def _ceiling(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)


def instants(  # noqa: PLR0911 - one line per operator
    operator: Operator, operands: Sequence[Literal], context: Surroundings
) -> Instants:
    """Return the instants for which a positive comparison with days or moments holds.

    `= d` is the whole day, `> d` starts with the next one, BETWEEN holds both days.
    """
    start, end, first, last = _stretch(operands[0], context)
    match operator:
        case Operator.EQ:
            return Instants(start, end, first, last)
        case Operator.BETWEEN:
            _, end, _, last = _stretch(operands[1], context)
            return Instants(start, end, first, last)
        case Operator.GT if end is None:
            return Instants(_NEVER, _NEVER, _NEVER_WALL, _NEVER_WALL)
        case Operator.GT:
            return Instants(end, None, last, None)
        case Operator.GE:
            return Instants(start, None, first, None)
        case Operator.LT:
            return Instants(None, start, None, first)
        case Operator.LE:
            return Instants(None, end, None, last)
    raise AssertionError(f"{operator} does not compare days")


_NEVER_WALL = datetime.max  # noqa: DTZ901
_NEVER = _NEVER_WALL.replace(tzinfo=UTC)


def _stretch(
    literal: Literal, context: Surroundings
) -> tuple[datetime, datetime | None, datetime, datetime | None]:
    """Return start and end of a day, or of a second, as instants and as wall times."""
    if isinstance(literal, Moment):
        wall = literal.value
        after = None if wall >= _NEVER_WALL - SECOND else wall + SECOND
        end = None if after is None else local_instant(wall, context.zone) + SECOND
        return local_instant(wall, context.zone), end, wall, after
    day = day_of(literal, context.today)
    first = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    last = None if day == date.max else first + DAY
    return day_start(day, context.zone), day_end(day, context.zone), first, last


def day_of(literal: Literal, today: date) -> date:
    """Return the calendar day a date literal stands for, on the given day of evaluation."""
    if isinstance(literal, RelativeDay):
        return shift(today, literal.amount, literal.unit)
    if isinstance(literal, Moment):
        return literal.value.date()
    if isinstance(literal, Day):
        return literal.value
    raise AssertionError(f"{literal} is no date")


def yearly(operands: Sequence[Literal], context: Surroundings) -> Yearly:
    """Return the days of the year between two days, or of one day, wrapping over new year.

    With a day relative to today the real stretch decides, so that a whole year and more is every
    day; between two absolute days only month and day do, as the years are ignored.
    """
    first, last = day_of(operands[0], context.today), day_of(operands[-1], context.today)
    relative = any(isinstance(one, RelativeDay) for one in operands)
    if relative and first > last:
        return Yearly(())
    if relative and last.toordinal() - first.toordinal() >= 365:
        return Yearly(((101, 1231),))
    low, high = first.month * 100 + first.day, last.month * 100 + last.day
    ends_in = last.year if relative else first.year + (low > high)
    if high == 228 and not calendar.isleap(ends_in):
        high = 229
    if low <= high:
        return Yearly(((low, high),))
    return Yearly(((101, high), (low, 1231)))


def _near(parameters: Sequence[Parameter]) -> Near:
    given = {one.name: one for one in parameters}
    point = given["coordinates"].operands[0]
    point = only(Point, point)
    limit = given.get("distance_km") or given["distance_mi"]
    distance = _number(limit.operands[0])
    if limit.name == "distance_mi":
        distance *= KM_PER_MILE
    included = limit.operator is not Operator.LT
    return Near(float(point.latitude), float(point.longitude), float(distance), included)


def _number(literal: Literal) -> Fraction:
    if isinstance(literal, Number):
        return Fraction(literal.value)
    raise AssertionError(f"{literal} is no number")


def text_of(literal: Literal) -> str:
    """Return a text as it is, and an id without a fraction."""
    if isinstance(literal, Text):
        return literal.value
    return str(int(_number(literal)))


def _label(literal: Literal, *, fold: bool) -> str:
    text = text_of(literal)
    return folded(text) if fold else text
