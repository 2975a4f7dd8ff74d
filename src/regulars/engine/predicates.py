"""SQL comparisons: a column or expression against lowered bounds, as SQLGlot nodes.

Every predicate here is true or not true; `settled` turns "not true because missing" into false
where a negation follows. Values are bound; SQLGlot alone prints SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce

from sqlglot import exp

from regulars.engine.lowered import Instants, Range, Steps, Test, Texts

#: The largest number that a column holds.
INT64 = 2**63 - 1
#: No quotient of int64 money and counts is larger.
LARGEST = 2**63

BoundValue = str | int | bool | Decimal | datetime


class Binds:
    """The values of one statement, each bound under a name of its own."""

    def __init__(self) -> None:
        self.values: dict[str, BoundValue] = {}

    def __call__(self, value: BoundValue) -> exp.Expr:
        """Bind a value and return its place in the statement."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return exp.Placeholder(this=name)

    def instant(self, instant: datetime) -> exp.Expr:
        """Bind an aware instant as the tables keep it: UTC without zone."""
        return self(instant.astimezone(UTC).replace(tzinfo=None))


def column(name: str, table: str | None = None) -> exp.Column:
    """Name a column of the warehouse."""
    return exp.column(name, table)


def again(expression: exp.Expr) -> exp.Expr:
    """Return the same expression for another place of the statement; a column is made anew.

    SQLGlot's own copies are deep, and cost more than anything else in writing a statement.
    """
    if isinstance(expression, exp.Column):
        return column(expression.name, expression.table or None)
    return expression.copy()


def every(parts: Iterable[exp.Expr]) -> exp.Expr:
    """Join predicates by AND; none is true."""
    listed = list(parts)
    if not listed:
        return exp.true()
    return reduce(lambda left, right: exp.And(this=left, expression=right), listed)


def negate(predicate: exp.Expr) -> exp.Expr:
    """Return the exact complement of a predicate, true where it is missing."""
    return exp.Not(this=settled(predicate))


def settled(predicate: exp.Expr) -> exp.Expr:
    """Make a predicate false where it is missing."""
    return exp.Coalesce(this=predicate, expressions=[exp.false()])


def at_least(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Compare by >=."""
    return exp.GTE(this=left, expression=right)


def at_most(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Compare by <=."""
    return exp.LTE(this=left, expression=right)


def below(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Compare by <."""
    return exp.LT(this=left, expression=right)


def equal(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Compare by =."""
    return exp.EQ(this=left, expression=right)


def inside(subject: exp.Expr, test: Test, binds: Binds) -> exp.Expr:
    """Compare a column with instants, whole numbers or texts."""
    if isinstance(test, Instants):
        return between_instants(subject, test, binds)
    if isinstance(test, Steps):
        return between_steps(subject, test, binds)
    if isinstance(test, Texts):
        return one_of(subject, test.values, binds)
    raise AssertionError(f"{test} does not compare a column")


def between_instants(subject: exp.Expr, test: Instants, binds: Binds) -> exp.Expr:
    """Keep instants of a half-open range; without bounds, any instant there is."""
    parts: list[exp.Expr] = []
    if test.start is not None:
        parts.append(at_least(again(subject), binds.instant(test.start)))
    if test.end is not None:
        parts.append(below(again(subject), binds.instant(test.end)))
    return every(parts) if parts else present(subject)


def between_steps(subject: exp.Expr, test: Steps, binds: Binds) -> exp.Expr:
    """Keep whole numbers of a closed range."""
    low, high = test.low, test.high
    if test.is_empty or (low is not None and low > INT64) or (high is not None and high < -INT64):
        return exp.false()
    low = None if low is not None and low < -INT64 else low
    high = None if high is not None and high > INT64 else high
    if low is not None and low == high:
        return equal(subject, binds(low))
    parts: list[exp.Expr] = []
    if low is not None:
        parts.append(at_least(again(subject), binds(low)))
    if high is not None:
        parts.append(at_most(again(subject), binds(high)))
    return every(parts) if parts else present(subject)


def between_decimals(subject: exp.Expr, test: Steps, binds: Binds) -> exp.Expr:
    """Keep decimals of a closed range; the bounds are in steps of 10 ** -scale."""
    if test.is_empty:
        return exp.false()
    parts: list[exp.Expr] = []
    for bound, keep in ((test.low, at_least), (test.high, at_most)):
        if bound is None:
            continue
        clamped = max(-(10**36), min(10**36, bound))
        value = Decimal((int(clamped < 0), tuple(map(int, str(abs(clamped)))), -test.scale))
        parts.append(keep(again(subject), binds(value)))
    return every(parts) if parts else present(subject)


def ratio_inside(numerator: exp.Expr, denominator: exp.Expr, test: Range, binds: Binds) -> exp.Expr:
    """Keep quotients of whole numbers within a range, exactly: a / b >= p / q as a * q >= p * b.

    The denominator has to be positive.
    """
    parts: list[exp.Expr] = []
    for bound, included, toward in (
        (test.low, test.low_included, 1),
        (test.high, test.high_included, -1),
    ):
        if bound is None:
            continue
        if abs(bound) > LARGEST:
            if (bound > 0) == (toward > 0):
                return exp.false()
            continue
        left = exp.Mul(this=_huge(numerator), expression=binds(bound.denominator))
        right = exp.Mul(this=_huge(denominator), expression=binds(bound.numerator))
        larger, smaller = (left, right) if toward > 0 else (right, left)
        kind = exp.GTE if included else exp.GT
        parts.append(kind(this=exp.Paren(this=larger), expression=exp.Paren(this=smaller)))
    return every(parts)


def _huge(number: exp.Expr) -> exp.Expr:
    return exp.cast(again(number), "HUGEINT", dialect="duckdb", copy=False)


def one_of(subject: exp.Expr, values: Iterable[str], binds: Binds) -> exp.Expr:
    """Keep texts equal to one of the values; a value that no text can hold is left out."""
    sound = [value for value in values if is_storable(value)]
    if not sound:
        return exp.false()
    if len(sound) == 1:
        return equal(subject, binds(sound[0]))
    return exp.In(this=subject, expressions=[binds(value) for value in sound])


def place_among(subject: exp.Expr, values: Iterable[str], binds: Binds) -> exp.Expr:
    """Write the place of a text among others, from 1, as the column `place`."""
    texts = exp.Array(expressions=[binds(value) for value in values])
    return exp.alias_(exp.func("list_position", texts, subject), "place", copy=False)


def is_storable(value: str) -> bool:
    """Whether the value can be stored at all: a lone surrogate cannot."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def present(subject: exp.Expr) -> exp.Expr:
    """Keep rows that have a value."""
    return exp.Not(this=exp.Is(this=subject, expression=exp.null()))


def missing(subject: exp.Expr) -> exp.Expr:
    """Keep rows that have no value."""
    return exp.Is(this=subject, expression=exp.null())


def within(subject: exp.Expr, query: exp.Select) -> exp.Expr:
    """Keep rows whose value is among the query's."""
    return exp.In(this=subject, query=exp.Subquery(this=query))
