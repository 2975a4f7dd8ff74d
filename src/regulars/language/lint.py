"""What a query probably does not mean: always true or false, doubled parts, missing-value traps.

Looks at the tree alone. Each finding names the part by its span, and says which customers to count
to see whom it concerns; counting them is the engine's. A note never stops a query from being saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
    Span,
    Text,
    filters_of,
)
from regulars.language.windows import claim_of, excludes, implies


@dataclass(frozen=True, slots=True)
class Finding:
    """A note, the query as it may have been meant, and the customers between the two."""

    note: Problem
    #: The whole query without the doubtful part, or with its remedy; None where there is none.
    meant: Node | None
    #: Who would join or leave by the remedy; without one, whom the doubtful query lets in or out;
    #: None where nobody is concerned.
    affected: Node | None


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


def lint(node: Node, text: str = "") -> tuple[Problem, ...]:
    """Return notes about parts of the tree that probably do not say what was meant.

    With the query's own `text` the notes tell line and column too.
    """
    return tuple(finding.note for finding in findings(node, text))


def findings(node: Node, text: str = "") -> tuple[Finding, ...]:
    """Return the notes of `lint`, each with the remedy and the customers that it concerns."""
    found = _Findings(node, text)
    for part in _walk(node):
        if isinstance(part, Filter):
            _single(part, found)
        elif isinstance(part, And | Or | AtLeast):
            _doubled(part, found)
            if not isinstance(part, AtLeast):
                _opposites(part, found)
                _following(part, found)
            if isinstance(part, And):
                _impossible(part, found)
            if isinstance(part, Or):
                _denials(part, found)
    _missing_values(node, found)
    return tuple(found.list)


class _Findings:
    """Gathers findings about one query; knows the whole tree, to put remedies into it."""

    def __init__(self, root: Node, text: str) -> None:
        self.root = root
        self.reporter = Reporter(text)
        self.list: list[Finding] = []

    def tell(
        self, code: str, template: str, about: Node, remedy: Node | None = None, **values: object
    ) -> None:
        """Add a note about a part; `remedy` stands in its place, None takes it out."""
        meant = replaced(self.root, about, remedy)
        self._add(code, template, about.span, meant, values)

    def tell_without(
        self, code: str, template: str, group: And | Or | AtLeast, index: int, **values: object
    ) -> None:
        """Add a note about one part of a group, whose remedy is to take that part out."""
        rest = (*group.parts[:index], *group.parts[index + 1 :])
        meant = replaced(self.root, group, _regrouped(group, rest))
        self._add(code, template, group.parts[index].span, meant, values)

    def tell_unsayable(
        self, code: str, template: str, about: Node, remedy: Node, **values: object
    ) -> None:
        """Add a note whose remedy can be counted and cannot be written in the language."""
        self.tell(code, template, about, remedy, **values)
        self.list[-1] = replace(self.list[-1], meant=None)

    def _add(
        self, code: str, template: str, span: Span, meant: Node | None, values: dict[str, object]
    ) -> None:
        self.reporter.note(code, template, span, suggestion=None, **values)
        if meant is not None:
            affected = difference(self.root, meant)
        else:
            affected = self.root if code == "always_true" else Not(self.root)
        self.list.append(Finding(self.reporter.notes[-1], meant, affected))


def other_reading(node: Node, note: Problem) -> Finding | None:
    """Return what a doubtful day means in its other reading: that day alone; None for other notes.

    `note` is one of `parse_with_notes`, `node` the tree that it came with.
    """
    for leaf in filters_of(node):
        for parameter in leaf.parameters:
            place = (parameter.span.start, parameter.span.end - parameter.span.start)
            if note.code != "relative_day_reading" or place != (note.start, note.length):
                continue
            that_day = replace(parameter, operator=Operator.EQ, word=None)
            parameters = tuple(that_day if p is parameter else p for p in leaf.parameters)
            meant = replaced(node, leaf, replace(leaf, parameters=parameters))
            return None if meant is None else Finding(note, meant, difference(node, meant))
    return None


def difference(one: Node, other: Node) -> Node:
    """Return the tree of those who are in one of two and not in the other."""
    return Or((And((other, Not(one))), And((one, Not(other)))))


def replaced(root: Node, target: Node, new: Node | None) -> Node | None:
    """Return the tree with `new` in the place of `target`, or without it; None when all is gone."""
    if root is target:
        return new
    if isinstance(root, Filter):
        return root
    if isinstance(root, Not):
        part = replaced(root.part, target, new)
        return None if part is None else Not(part, root.span)
    found = tuple(replaced(part, target, new) for part in root.parts)
    return _regrouped(root, tuple(part for part in found if part is not None))


def _regrouped(group: And | Or | AtLeast, parts: tuple[Node, ...]) -> Node | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    if isinstance(group, AtLeast):
        return AtLeast(min(group.count, len(parts)), parts, group.span)
    return type(group)(parts, group.span)


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


def _doubled(group: And | Or | AtLeast, found: _Findings) -> None:
    seen: set[_Signature] = set()
    for index, part in enumerate(group.parts):
        signature = _signature(part)
        if signature in seen:
            found.tell_without(
                "duplicate_branch",
                "`{part}` stands here twice. Once is enough.",
                group,
                index,
                part=shown(print_query(part)),
            )
        seen.add(signature)


def _opposites(node: And | Or, found: _Findings) -> None:
    signatures = {_signature(part) for part in node.parts}
    for part in node.parts:
        if _complement(_signature(part)) not in signatures:
            continue
        if isinstance(node, And):
            found.tell(
                "always_false",
                "Nobody can match: `{part}` is asked for together with its opposite.",
                node,
                part=shown(print_query(part)),
            )
        else:
            found.tell(
                "always_true",
                "Everybody matches: `{part}` is allowed and so is its opposite.",
                node,
                part=shown(print_query(part)),
            )
        return


#: Operators that name a thing, so that denying two of them is denying two things.
_NAMING = (Operator.EQ, Operator.IN, Operator.CONTAINS, Operator.MATCHES)


def _denials(node: Or, found: _Findings) -> None:
    """Note "not A or not B", which only leaves out who is both; "neither" was mostly meant."""
    same: dict[tuple[str, str | None], list[Node]] = {}
    for part in node.parts:
        inner = part.part if isinstance(part, Not) else part
        if not isinstance(inner, Filter):
            continue
        asked, negated = positive(inner)
        if asked.operator in _NAMING and negated != isinstance(part, Not):
            same.setdefault((inner.attribute, inner.key), []).append(part)
    for denials in same.values():
        if len({_signature(one) for one in denials}) < 2:
            continue
        rest = tuple(part for part in node.parts if part not in denials)
        neither = And(tuple(denials), node.span)
        found.tell(
            "not_a_or_not_b",
            "Whoever lacks one of them matches `{part}`. To leave out all of them, write AND.",
            node,
            Or((*rest, neither), node.span) if rest else neither,
            part=shown(" OR ".join(map(print_query, denials))),
        )


def _following(group: And | Or, found: _Findings) -> None:
    """Note a part that says nothing new beside another one."""
    claims = [claim_of(part) for part in group.parts]
    signatures = [_signature(part) for part in group.parts]
    for index, part in enumerate(group.parts):
        for place, other in enumerate(group.parts):
            if place == index or signatures[place] == signatures[index]:
                continue
            both = (place, index) if isinstance(group, And) else (index, place)
            first, last = (claims[at] for at in both)
            # Of two that say the same, the later one is superfluous.
            if implies(first, last) and not (place > index and implies(last, first)):
                found.tell_without(
                    "redundant",
                    "`{part}` changes nothing beside `{other}`.",
                    group,
                    index,
                    part=shown(print_query(part)),
                    other=shown(print_query(other)),
                )
                break


def _single(leaf: Filter, found: _Findings) -> None:
    row = CATALOGUE.get(leaf.attribute)
    compared = [
        (leaf.operator, leaf.operands),
        *((p.operator, p.operands) for p in leaf.parameters),
    ]
    for operator, operands in compared:
        if operator is Operator.BETWEEN and _reversed(operands):
            found.tell(
                "range_reversed",
                "The range runs backwards, so nothing lies in it. Put the smaller end first.",
                leaf,
                _turned(leaf),
            )
    if row is None or not row.never_missing or row.kind is not Kind.INTEGER:
        return
    bounds = _bounds(leaf)
    if bounds is not None and bounds.and_with(_Bounds(low=Decimal(0))).empty:
        found.tell(
            "always_false",
            "Nobody can match: `{part}` is never true.",
            leaf,
            part=shown(print_query(leaf)),
        )
    if bounds is not None and bounds.high is None and bounds.low is not None and _below(bounds):
        found.tell(
            "always_true",
            "Everybody matches: `{part}` is always true.",
            leaf,
            part=shown(print_query(leaf)),
        )


def _below(bounds: _Bounds) -> bool:
    return bounds.low is not None and (bounds.low < 0 or (bounds.low == 0 and not bounds.low_open))


def _turned(leaf: Filter) -> Filter:
    """Put the ends of every reversed range the right way round."""
    parameters = tuple(
        replace(one, operands=one.operands[::-1])
        if one.operator is Operator.BETWEEN and _reversed(one.operands)
        else one
        for one in leaf.parameters
    )
    operands = leaf.operands[::-1] if _reversed(leaf.operands) else leaf.operands
    return replace(leaf, operands=operands, parameters=parameters)


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


def _impossible(node: And, found: _Findings) -> None:
    """Note conditions that no customer meets together."""
    bounds: dict[tuple[str, str | None], _Bounds] = {}
    texts: dict[tuple[str, str | None], str] = {}
    claims = [claim_of(part) for part in node.parts]
    for index, part in enumerate(node.parts):
        name = (part.attribute, part.key) if isinstance(part, Filter) else ("", None)
        limits = _bounds(part) if isinstance(part, Filter) else None
        value = part.operands[0] if isinstance(part, Filter) and part.operands else None
        if limits is not None:
            bounds[name] = bounds.get(name, _Bounds()).and_with(limits)
            clash = bounds[name].empty and not limits.empty
        elif isinstance(value, Text) and isinstance(part, Filter) and _is_one_value(part):
            clash = texts.setdefault(name, value.value) != value.value
        else:
            clash = any(excludes(claims[index], other) for other in claims[:index])
        if clash:
            found.tell_without(
                "always_false",
                "Nobody can match: `{part}` cannot be true together with the conditions before it.",
                node,
                index,
                part=shown(print_query(part)),
            )


def _is_one_value(leaf: Filter) -> bool:
    row = CATALOGUE.get(leaf.attribute)
    one = row is not None and row.kind in (Kind.TEXT, Kind.ENUM)
    return one and leaf.operator is Operator.EQ


def _missing_values(node: Node, found: _Findings) -> None:
    """Note comparisons whose answer for customers without a value may surprise."""
    leaves = filters_of(node)
    tested = {
        (leaf.attribute, leaf.key)
        for leaf in leaves
        if leaf.operator in (Operator.IS_NULL, Operator.IS_NOT_NULL)
    }
    # Who asks for a range of days has said what about customers without one.
    bounded = {
        (leaf.attribute, leaf.key)
        for leaf in leaves
        if leaf.operator in (Operator.EQ, Operator.GT, Operator.GE, Operator.BETWEEN)
    }
    buyers_tested = any(leaf.attribute == "number_of_orders" for leaf in leaves)
    for leaf in leaves:
        row = CATALOGUE.get(leaf.attribute)
        if row is None or not row.can_be_missing or (leaf.attribute, leaf.key) in tested:
            continue
        if leaf.operator is Operator.NE and row.kind is not Kind.FUNCTION:
            _missing_included(leaf, found, testable=Operator.IS_NOT_NULL in row.operators)
        elif row.kind is Kind.DAY and leaf.operator in (Operator.LT, Operator.LE):
            if buyers_tested and leaf.attribute.endswith("order_date"):
                continue
            if (leaf.attribute, leaf.key) in bounded:
                continue
            found.tell(
                "missing_excluded",
                "`{part}` is false for customers without such a day. To take them in, add"
                " `OR {name} IS NULL`.",
                leaf,
                Or((leaf, Filter(leaf.attribute, Operator.IS_NULL, key=leaf.key))),
                part=shown(print_query(leaf)),
                name=leaf.attribute,
            )


def _missing_included(leaf: Filter, found: _Findings, *, testable: bool) -> None:
    part = print_query(leaf)
    present = Filter(leaf.attribute, Operator.IS_NOT_NULL, key=leaf.key)
    if testable:
        found.tell(
            "missing_included",
            "`{part}` is also true for customers without a value. To leave them out, add"
            " `AND {name} IS NOT NULL`.",
            leaf,
            And((leaf, present)),
            part=shown(part),
            name=part.split(" != ", 1)[0],
        )
    else:
        found.tell_unsayable(
            "missing_included",
            "`{part}` is also true for customers without a value.",
            leaf,
            And((leaf, present)),
            part=shown(part),
        )
