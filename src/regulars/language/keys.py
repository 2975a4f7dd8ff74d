"""The filter key: one name for one question, shared by every segment that asks it (law 4).

Two filters with the same key have the same members. Negation is not in the key: `=` and `!=` on the
same value are one key and a flag, so that one bitmap serves both.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

from regulars.language.catalogue import CATALOGUE, Figure, Kind, Rank
from regulars.language.shapes import Source, folded
from regulars.language.tree import (
    Boolean,
    Day,
    Filter,
    Literal,
    Moment,
    Node,
    Number,
    Operator,
    Parameter,
    Point,
    RelativeDay,
    Text,
    filters_of,
)

#: Raised whenever a filter's meaning changes, so that no old bitmap is taken for a new one.
MEANING_VERSION = 1

_POSITIVE = {
    Operator.NE: Operator.EQ,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NULL: Operator.IS_NOT_NULL,
    Operator.NOT_MATCHES: Operator.MATCHES,
}


def positive(leaf: Filter) -> tuple[Filter, bool]:
    """Return the filter without negation, and whether one was taken off.

    The complement of the returned filter's members is the filter's own when the flag is set.
    """
    operator = _POSITIVE.get(leaf.operator, leaf.operator)
    row = CATALOGUE.get(leaf.attribute)
    if row is not None and row.is_function and operator is Operator.IS_NOT_NULL:
        operator = Operator.MATCHES
    made = Filter(leaf.attribute, operator, leaf.operands, leaf.parameters, leaf.key)
    return made, leaf.operator in _POSITIVE


def filter_key(leaf: Filter) -> str:
    """Return the key of the filter's question, the same for the filter and its negation."""
    made, _ = positive(leaf)
    row = CATALOGUE.get(made.attribute)
    fold = row is not None and row.kind is Kind.TEXT_LIST
    operands = [_normal(value, fold=fold) for value in made.operands]
    parameters = sorted(_parameter(parameter, made.attribute) for parameter in made.parameters)
    parts = [
        str(MEANING_VERSION),
        made.attribute,
        made.key or "",
        str(made.operator),
        *operands,
        "(",
        *parameters,
    ]
    # The length before each part keeps ("ab", "c") and ("a", "bc") apart.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def mentions_time(node: Node) -> bool:
    """Whether time alone, at the shop's midnight, can change the members of the tree."""
    return any(_moves(leaf) for leaf in filters_of(node))


def mentions_ranks(node: Node) -> bool:
    """Whether the members of the tree move with the figures of all customers."""
    return any(isinstance(_source(leaf), Rank) for leaf in filters_of(node))


def _source(leaf: Filter) -> Source | None:
    row = CATALOGUE.get(leaf.attribute)
    return None if row is None else row.source


def _moves(leaf: Filter) -> bool:
    source = _source(leaf)
    if isinstance(source, Rank) or (isinstance(source, Figure) and source.moves):
        return True
    operands = [*leaf.operands, *(one for p in leaf.parameters for one in p.operands)]
    return any(isinstance(value, RelativeDay) for value in operands)


def segment_names(node: Node, of: str = "segment") -> tuple[str, ...]:
    """Return the names of the segments (or, with "csv_list", lists) that the tree mentions."""
    named = [
        value.value
        for leaf in filters_of(node)
        if leaf.attribute == of
        for value in leaf.operands
        if isinstance(value, Text)
    ]
    return tuple(dict.fromkeys(named))


def _parameter(parameter: Parameter, function: str) -> str:
    row = CATALOGUE.get(function)
    known = row.parameter(parameter.name) if row else None
    fold = known is not None and known.fold
    values = [_normal(value, fold=fold) for value in parameter.operands]
    if parameter.operator in (Operator.IN, Operator.NOT_IN):
        values = sorted(set(values))
    operator = parameter.operator
    if len(values) == 1 and operator in (Operator.IN, Operator.NOT_IN):
        operator = Operator.EQ if operator is Operator.IN else Operator.NE
    return "\x1f".join((parameter.name, str(operator), *values))


def _normal(value: Literal, *, fold: bool) -> str:
    """Write a value so that equal values are written alike: 1.50 as 1.5, -14d as -2w."""
    match value:
        case Text(text):
            text = f"text {folded(text) if fold else text}"
        case Number(number):
            text = f"number {_digits(number)}"
        case Boolean(truth):
            text = f"truth {truth}"
        case Day(day):
            text = f"day {day.isoformat()}"
        case Moment(instant):
            text = f"moment {instant.isoformat(timespec='seconds')}"
        case Point(latitude, longitude):
            text = f"point {_digits(latitude)} {_digits(longitude)}"
        case RelativeDay(amount, unit):
            text = _normal_offset(amount, unit)
    return text


def _digits(number: Decimal) -> str:
    """Write a number without trailing zeros, and zero without a sign."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if number == 0 else text


def _normal_offset(amount: int, unit: str) -> str:
    if unit in ("d", "w") or amount == 0:
        return f"days {amount * (7 if unit == 'w' else 1)}"
    return f"months {amount * (12 if unit == 'y' else 1)}"
