"""The query tree: what a segment's text means, with the place in the text of every node.

Plain frozen data. Reading text is `parser`, meaning is `catalogue` and `checker`, writing text is
`printer`. Two trees are equal when they mean the same; spans do not take part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters of the query text."""

    start: int
    end: int


NOWHERE = Span(0, 0)


class Operator(StrEnum):
    """How a filter compares. The value is the canonical spelling."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    BETWEEN = "BETWEEN"
    CONTAINS = "CONTAINS"
    NOT_CONTAINS = "NOT CONTAINS"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"
    MATCHES = "MATCHES"
    NOT_MATCHES = "NOT MATCHES"


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text; `value` is unescaped."""

    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or decimal literal. Never a float: 0.1 stays 0.1."""

    value: Decimal

    @property
    def is_whole(self) -> bool:
        """Whether the number has no fraction."""
        return self.value == self.value.to_integral_value()


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day of the shop."""

    value: date


@dataclass(frozen=True, slots=True)
class Moment:
    """A second of the shop's local time (no zone inside)."""

    value: datetime


@dataclass(frozen=True, slots=True)
class RelativeDay:
    """A day counted from the day of evaluation: `today` is 0 d, `-7d`, `+1m`.

    `unit` is one of d, w, m, y. `yesterday` and `7_days_ago` read as offsets; `word` keeps the
    spelling so that the text prints back as written, and takes no part in equality.
    """

    amount: int
    unit: str
    word: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Point:
    """Latitude and longitude in decimal degrees."""

    latitude: Decimal
    longitude: Decimal


Literal = Text | Number | Boolean | Day | Moment | RelativeDay | Point


@dataclass(frozen=True, slots=True)
class Parameter:
    """One condition inside the brackets of a function: `date >= -30d`.

    `operands` holds one literal, two for BETWEEN, any number for IN and NOT IN.
    """

    name: str
    operator: Operator
    operands: tuple[Literal, ...]
    span: Span = field(default=NOWHERE, compare=False)
    #: Where the name, the operator and each operand stand; empty when not read from a text.
    places: tuple[Span, ...] = field(default=(), compare=False)
    #: The name written in the previous form, where it differs in meaning (`since: -30d`).
    word: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """One yes/no question about one customer.

    `attribute` is a name of the catalogue; for `metafields.facts.vip` it is "metafields" and
    `key` is "facts.vip"; for `anniversary('metafields.facts.birth_date')` it is "anniversary" and
    `key` is "facts.birth_date". `parameters` are those of a function (operator MATCHES or
    NOT MATCHES, or a null test). `operands` are empty for null tests and functions.
    """

    attribute: str
    operator: Operator
    operands: tuple[Literal, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    key: str | None = None
    span: Span = field(default=NOWHERE, compare=False)
    #: Where the name, the operator and each operand stand; empty when not read from a text.
    places: tuple[Span, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The customers that `part` leaves out."""

    part: Node
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """The customers in all of the parts; two parts or more."""

    parts: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """The customers in any of the parts; two parts or more."""

    parts: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The customers in at least `count` of the parts."""

    count: int
    parts: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False)


Node = And | Or | Not | AtLeast | Filter


def filters_of(node: Node) -> tuple[Filter, ...]:
    """Return every filter of the tree, from left to right, repeats included."""
    if isinstance(node, Filter):
        return (node,)
    if isinstance(node, Not):
        return filters_of(node.part)
    return tuple(leaf for part in node.parts for leaf in filters_of(part))
