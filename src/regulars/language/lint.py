"""What a query probably does not mean: always true or false, doubled parts, missing-value traps.

Looks at the tree alone. Who is affected is the engine's to count; each note names the part by its
span. A note never stops a query from being saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from regulars.errors import Problem
from regulars.language.catalogue import CATALOGUE, Kind
from regulars.language.keys import filter_key, positive
from regulars.language.printer import print_query
from regulars.language.problems import Reporter, shown
from regulars.language.tree import (
    And,
    AtLeast,
    Day,
    Filter,
    Literal,
    Node,
    Not,
    Number,
    Operator,
    Or,
    RelativeDay,
    Text,
    filters_of,
)

# A part of a tree by its meaning: two parts with one signature have the same members.
_Signature = tuple[object, ...]
_ORDERED = (Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The numbers that a comparison lets through; None is without end."""

    low: Decimal | None = None
    low_open: bool = False
    high: Decimal | None = None
    high_open: bool = False

    def and_with(self, other: _Bounds) -> _Bounds:
        low, low_open = self.low, self.low_open
        if other.low is not None and (low is None or (other.low, other.low_open) > (low, low_open)):
            low, low_open = other.low, other.low_open
        high, high_open = self.high, self.high_open
        if other.high is not None and (
            high is None or (other.high, not other.high_open) < (high, not high_open)
        ):
            high, high_open = other.high, other.high_open
        return _Bounds(low, low_open, high, high_open)

    @property
    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        touching = self.low == self.high and (self.low_open or self.high_open)
        return self.low > self.high or touching


def lint(node: Node) -> tuple[Problem, ...]:
    """Return notes about parts of the tree that probably do not say what was meant."""
    reporter = Reporter("")
    for part in _walk(node):
        if isinstance(part, Filter):
            _single(part, reporter)
        elif isinstance(part, And | Or | AtLeast):
            _doubled(part.parts, reporter)
            if not isinstance(part, AtLeast):
                _opposites(part, reporter)
            if isinstance(part, And):
                _impossible(part, reporter)
    _missing_values(node, reporter)
    return tuple(reporter.notes)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Not):
        yield from _walk(node.part)
    elif not isinstance(node, Filter):
        for part in node.parts:
            yield from _walk(part)


def _signature(node: Node) -> _Signature:
    if isinstance(node, Filter):
        _, negated = positive(node)
        return ("filter", filter_key(node), negated)
    if isinstance(node, Not):
        return _complement(_signature(node.part))
    name = type(node).__name__ + str(getattr(node, "count", ""))
    return (name, frozenset(_signature(part) for part in node.parts))


def _complement(signature: _Signature) -> _Signature:
    if signature[0] == "filter":
        return ("filter", signature[1], not signature[2])
    return signature[1:] if signature[0] == "not" else ("not", *signature)


def _doubled(parts: Sequence[Node], reporter: Reporter) -> None:
    seen: set[_Signature] = set()
    for part in parts:
        signature = _signature(part)
        if signature in seen:
            reporter.note(
                "duplicate_branch",
                "`{part}` stands here twice. Once is enough.",
                part.span,
                part=shown(print_query(part)),
            )
        seen.add(signature)


def _opposites(node: And | Or, reporter: Reporter) -> None:
    signatures = {_signature(part) for part in node.parts}
    for part in node.parts:
        if _complement(_signature(part)) not in signatures:
            continue
        if isinstance(node, And):
            reporter.note(
                "always_false",
                "Nobody can match: `{part}` is asked for together with its opposite.",
                node.span,
                part=shown(print_query(part)),
            )
        else:
            reporter.note(
                "always_true",
                "Everybody matches: `{part}` is allowed and so is its opposite.",
                node.span,
                part=shown(print_query(part)),
            )
        return


def _single(leaf: Filter, reporter: Reporter) -> None:
    row = CATALOGUE.get(leaf.attribute)
    compared = [
        (leaf.operator, leaf.operands),
        *((p.operator, p.operands) for p in leaf.parameters),
    ]
    for operator, operands in compared:
        if operator is Operator.BETWEEN and _reversed(operands):
            reporter.note(
                "range_reversed",
                "The range runs backwards, so nothing lies in it. Put the smaller end first.",
                leaf.span,
            )
    if row is None or not row.never_missing or row.kind is not Kind.INTEGER:
        return
    bounds = _bounds(leaf)
    if bounds is not None and bounds.and_with(_Bounds(low=Decimal(0))).empty:
        reporter.note(
            "always_false",
            "Nobody can match: `{part}` is never true.",
            leaf.span,
            part=shown(print_query(leaf)),
        )
    if bounds is not None and bounds.high is None and bounds.low is not None and _below(bounds):
        reporter.note(
            "always_true",
            "Everybody matches: `{part}` is always true.",
            leaf.span,
            part=shown(print_query(leaf)),
        )


def _below(bounds: _Bounds) -> bool:
    return bounds.low is not None and (bounds.low < 0 or (bounds.low == 0 and not bounds.low_open))


def _reversed(operands: tuple[Literal, ...]) -> bool:
    match operands:
        case (Number(low), Number(high)):
            return low > high
        case (Day(first), Day(last)):
            return first > last
        case (RelativeDay(first_amount, unit), RelativeDay(last_amount, other)) if unit == other:
            return first_amount > last_amount
    return False


def _bounds(leaf: Filter) -> _Bounds | None:
    values = [value.value for value in leaf.operands if isinstance(value, Number)]
    if not values or len(values) != len(leaf.operands):
        return None
    first, last = values[0], values[-1]
    return {
        Operator.EQ: _Bounds(low=first, high=first),
        Operator.GT: _Bounds(low=first, low_open=True),
        Operator.GE: _Bounds(low=first),
        Operator.LT: _Bounds(high=first, high_open=True),
        Operator.LE: _Bounds(high=first),
        Operator.BETWEEN: _Bounds(low=first, high=last),
    }.get(leaf.operator)


def _impossible(node: And, reporter: Reporter) -> None:
    """Note conditions on one attribute that no value meets together."""
    bounds: dict[tuple[str, str | None], _Bounds] = {}
    texts: dict[tuple[str, str | None], str] = {}
    for part in node.parts:
        if not isinstance(part, Filter):
            continue
        name = (part.attribute, part.key)
        found = _bounds(part)
        value = part.operands[0] if part.operands else None
        clash = False
        if found is not None:
            bounds[name] = bounds.get(name, _Bounds()).and_with(found)
            clash = bounds[name].empty and not found.empty
        elif part.operator is Operator.EQ and isinstance(value, Text) and _has_one_value(part):
            clash = texts.setdefault(name, value.value) != value.value
        if clash:
            reporter.note(
                "always_false",
                "Nobody can match: `{part}` cannot be true together with the conditions before it.",
                part.span,
                part=shown(print_query(part)),
            )


def _has_one_value(leaf: Filter) -> bool:
    row = CATALOGUE.get(leaf.attribute)
    return row is not None and row.kind in (Kind.TEXT, Kind.ENUM)


def _missing_values(node: Node, reporter: Reporter) -> None:
    """Note comparisons whose answer for customers without a value may surprise."""
    leaves = filters_of(node)
    tested = {
        (leaf.attribute, leaf.key)
        for leaf in leaves
        if leaf.operator in (Operator.IS_NULL, Operator.IS_NOT_NULL)
    }
    buyers_tested = any(leaf.attribute == "number_of_orders" for leaf in leaves)
    for leaf in leaves:
        row = CATALOGUE.get(leaf.attribute)
        if row is None or not row.can_be_missing or (leaf.attribute, leaf.key) in tested:
            continue
        if leaf.operator is Operator.NE and row.kind is not Kind.FUNCTION:
            _missing_included(leaf, reporter, testable=Operator.IS_NOT_NULL in row.operators)
        elif row.kind is Kind.DAY and leaf.operator in (Operator.LT, Operator.LE):
            if buyers_tested and leaf.attribute.endswith("order_date"):
                continue
            reporter.note(
                "missing_excluded",
                "`{part}` is false for customers without such a day. To take them in, add"
                " `OR {name} IS NULL`.",
                leaf.span,
                part=shown(print_query(leaf)),
                name=leaf.attribute,
            )


def _missing_included(leaf: Filter, reporter: Reporter, *, testable: bool) -> None:
    part = print_query(leaf)
    if testable:
        reporter.note(
            "missing_included",
            "`{part}` is also true for customers without a value. To leave them out, add"
            " `AND {name} IS NOT NULL`.",
            leaf.span,
            part=shown(part),
            name=part.split(" != ", 1)[0],
        )
    else:
        reporter.note(
            "missing_included",
            "`{part}` is also true for customers without a value.",
            leaf.span,
            part=shown(part),
        )
