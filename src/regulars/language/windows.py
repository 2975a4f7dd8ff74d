"""Which comparisons follow from one another: windows of days, and ranges of numbers.

Says only what is certain on every day of evaluation: -30d lies after -90d, and after -2m as well;
of -30d and -1m nothing is said. A comparison without a window is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from regulars.language.catalogue import CATALOGUE, Attribute, Kind, Role
from regulars.language.keys import filter_key
from regulars.language.tree import (
    Day,
    Filter,
    Literal,
    Node,
    Not,
    Number,
    Operator,
    Parameter,
    RelativeDay,
)

_COMPARISONS = frozenset(
    {Operator.EQ, Operator.GT, Operator.GE, Operator.LT, Operator.LE, Operator.BETWEEN}
)
_FUNCTIONS = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})
_NULL_TESTS = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
_VALUED = _COMPARISONS | {Operator.CONTAINS, Operator.IN}
#: n months are 30.436875 n days, give or take fewer than four.
_MONTH_DAYS, _MONTH_SLACK = Decimal("30.436875"), 4


@dataclass(frozen=True, slots=True)
class _Edge:
    """Where a window begins or ends: before a value, or after it."""

    #: "number", "date", "days" (from today) or "months" (from today).
    kind: str
    value: Decimal
    after: bool = False

    def is_at_most(self, other: _Edge) -> bool:
        """Whether this edge certainly lies before the other, or on it."""
        if self.kind == other.kind:
            return self._place() <= other._place()
        if {self.kind, other.kind} == {"days", "months"}:
            return self._days(_MONTH_SLACK) <= other._days(-_MONTH_SLACK)
        return False

    def _place(self) -> tuple[Decimal, bool]:
        # Between the end of one day and the start of the next lies nothing.
        if self.after and self.kind in ("date", "days"):
            return self.value + 1, False
        return self.value, self.after

    def _days(self, slack: int) -> Decimal:
        value, after = self._place()
        return value if self.kind == "days" else value * _MONTH_DAYS + slack + after


@dataclass(frozen=True, slots=True)
class _Window:
    """What lies between two edges; None is without end."""

    low: _Edge | None = None
    high: _Edge | None = None

    def holds(self, other: _Window) -> bool:
        """Whether everything in the other window certainly lies in this one."""
        return (
            self.low is None or (other.low is not None and self.low.is_at_most(other.low))
        ) and (self.high is None or (other.high is not None and other.high.is_at_most(self.high)))

    def is_apart_from(self, other: _Window) -> bool:
        """Whether nothing lies in both windows."""
        return (
            self.high is not None and other.low is not None and self.high.is_at_most(other.low)
        ) or (other.high is not None and self.low is not None and other.high.is_at_most(self.low))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a part says, as far as it can be compared: claims can follow from one another."""

    #: Attribute and key of a filter that tells apart customers with a value and without one.
    about: tuple[str, str | None] | None = None
    #: True for "has a value", False for "has none"; None where the part says more than that.
    present: bool | None = None
    #: Whether the part is false for customers without a value.
    needs_value: bool = False
    #: What the window is on; None where the part is no window.
    subject: object = None
    window: _Window = _Window()
    #: For functions: something in the window counts, or (negated) nothing does.
    function: bool = False
    negated: bool = False


def implies(one: Claim, other: Claim) -> bool:
    """Whether every customer of `one` is certainly one of `other`."""
    if one.subject is None or other.subject is None:
        return one.needs_value and other.present is True and one.about == other.about
    if one.subject != other.subject or one.negated != other.negated:
        return False
    if one.negated:
        return one.window.holds(other.window)
    return other.window.holds(one.window)


def excludes(one: Claim, other: Claim) -> bool:
    """Whether certainly no customer is in both."""
    if one.subject is None or other.subject is None:
        missing = (one.needs_value and other.present is False) or (
            other.needs_value and one.present is False
        )
        return missing and one.about == other.about
    if one.subject != other.subject:
        return False
    if not one.function:
        return one.window.is_apart_from(other.window)
    if one.negated == other.negated:
        return False
    some, none = (other, one) if one.negated else (one, other)
    return none.window.holds(some.window)


def claim_of(node: Node) -> Claim:
    """Return what a part of a query says."""
    if isinstance(node, Not):
        inner = claim_of(node.part)
        return replace(inner, negated=not inner.negated) if inner.function else Claim()
    row = CATALOGUE.get(node.attribute) if isinstance(node, Filter) else None
    if not isinstance(node, Filter) or row is None:
        return Claim()
    if node.operator in _FUNCTIONS:
        return _function_claim(node, row)
    about = (node.attribute, node.key)
    if node.operator in _NULL_TESTS:
        return Claim(about, present=node.operator is Operator.IS_NOT_NULL)
    needs_value = node.operator in _VALUED
    window = _window(node) if row.kind is not Kind.ANNIVERSARY else None
    if window is None:
        return Claim(about, needs_value=needs_value)
    # A metafield has the type of what it is compared with: a number says nothing about a day.
    edge = window.low or window.high
    subject = (about, edge is not None and edge.kind == "number")
    return Claim(about, None, needs_value, subject, window)


def _function_claim(leaf: Filter, row: Attribute) -> Claim:
    """Take the window of the days out of a function; the other parameters are its subject."""
    days = [p for p in leaf.parameters if p.name == "date"]
    rest = tuple(p for p in leaf.parameters if p.name != "date")
    known = [row.parameter(p.name) for p in rest]
    # More days can only bring more rows, and so only a larger count.
    grows = all(
        one is not None
        and (
            one.role is Role.ROW
            or (one.role is Role.COUNT and p.operator in (Operator.GT, Operator.GE))
        )
        for one, p in zip(known, rest, strict=True)
    )
    window = _window(days[0]) if days else _Window()
    if not grows or window is None:
        return Claim()
    subject = filter_key(Filter(leaf.attribute, Operator.MATCHES, (), rest, leaf.key))
    negated = leaf.operator is Operator.NOT_MATCHES
    return Claim(subject=subject, window=window, function=True, negated=negated)


def _window(leaf: Filter | Parameter) -> _Window | None:
    if leaf.operator not in _COMPARISONS:
        return None
    edges = [_edge(value) for value in leaf.operands]
    first, last = edges[0], edges[-1]
    if first is None or last is None:
        return None
    after = _Edge(last.kind, last.value, after=True)
    window = {
        Operator.GT: _Window(low=after),
        Operator.GE: _Window(low=first),
        Operator.LT: _Window(high=first),
        Operator.LE: _Window(high=after),
    }.get(leaf.operator, _Window(first, after))
    # Nothing lies in a range that runs backwards; another note says so.
    low, high = window.low, window.high
    if low is not None and high is not None and high.is_at_most(low):
        return None
    return window


def _edge(value: Literal) -> _Edge | None:
    match value:
        case Number(number):
            return _Edge("number", number)
        case Day(day):
            return _Edge("date", Decimal(day.toordinal()))
        case RelativeDay(amount, "d" | "w" as unit):
            return _Edge("days", Decimal(amount * (7 if unit == "w" else 1)))
        case RelativeDay(0, _):
            return _Edge("days", Decimal(0))
        case RelativeDay(amount, unit):
            return _Edge("months", Decimal(amount * (12 if unit == "y" else 1)))
    return None
