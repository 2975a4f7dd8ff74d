"""Query tree → rows. A filter that rows cannot show becomes a row of text."""

from __future__ import annotations

from regulars.language import CATALOGUE, print_query
from regulars.language.catalogue import Kind
from regulars.language.tree import (
    And,
    AtLeast,
    Boolean,
    Filter,
    Literal,
    Node,
    Not,
    Number,
    Operator,
    Parameter,
    Point,
    RelativeDay,
    Text,
)
from regulars.web.editing.choices import AS_TEXT
from regulars.web.editing.rows import BEFORE_DAYS, IN_LAST_DAYS, Condition, Detail, Group, listed


def rows_of(tree: Node) -> Group:
    """Return the rows of a whole query; the root is always a group."""
    row = _row(tree)
    return row if isinstance(row, Group) else Group(parts=[row])


def _row(node: Node) -> Condition | Group:
    if isinstance(node, Filter):
        return _condition(node)
    if isinstance(node, Not):
        inner = _row(node.part)
        if isinstance(inner, Group) and not inner.negated:
            inner.negated = True
            return inner
        return Group(negated=True, parts=[inner])
    if isinstance(node, AtLeast):
        return Condition(text=print_query(node))
    joiner = "AND" if isinstance(node, And) else "OR"
    return Group(joiner, parts=[_row(part) for part in node.parts])


def _condition(leaf: Filter) -> Condition:
    row = CATALOGUE.get(leaf.attribute)
    as_text = Condition(text=print_query(leaf))
    if row is None or leaf.key is not None or row.kind in AS_TEXT:
        return as_text
    if row.kind is Kind.FUNCTION:
        details = [_detail(one) for one in leaf.parameters]
        if any(one is None for one in details) or leaf.operator in _NULL_TESTS:
            return as_text
        shown = [one for one in details if one is not None]
        return Condition(leaf.attribute, leaf.operator.value, details=shown)
    fields = _fields(leaf.operator, leaf.operands)
    if fields is None:
        return as_text
    operator, first, second = fields
    return Condition(leaf.attribute, operator, first, second)


_NULL_TESTS = {Operator.IS_NULL, Operator.IS_NOT_NULL}


def _detail(one: Parameter) -> Detail | None:
    fields = _fields(one.operator, one.operands)
    return None if fields is None else Detail(one.name, *fields)


def _fields(operator: Operator, operands: tuple[Literal, ...]) -> tuple[str, str, str] | None:
    """Return operator and one or two values as typed; None where rows have no form for them."""
    texts = [_plain(one) for one in operands]
    if operator in {Operator.IN, Operator.NOT_IN}:
        joined = ", ".join(texts)
        # A comma, an empty text or a space at its edge would not be read back.
        return (operator.value, joined, "") if listed(joined) == texts else None
    if any(isinstance(one, Point) for one in operands):
        return None
    if len(operands) != 1:
        first, second = (*texts, "", "")[:2]
        return operator.value, first, second
    return _compared(operator, operands[0])


def _compared(operator: Operator, first: Literal) -> tuple[str, str, str]:
    if isinstance(first, RelativeDay) and first.unit == "d" and first.amount < 0:
        relative = {Operator.GE: IN_LAST_DAYS, Operator.LT: BEFORE_DAYS}.get(operator)
        if relative:
            return relative, str(-first.amount), ""
    return operator.value, _plain(first), ""


def _plain(one: Literal) -> str:
    if isinstance(one, RelativeDay):
        is_today = one.amount == 0 and one.unit == "d"
        return "today" if is_today else f"{one.amount:+d}{one.unit}"
    if isinstance(one, Point):
        return f"({one.latitude}, {one.longitude})"
    if isinstance(one, Boolean):
        return "true" if one.value else "false"
    if isinstance(one, Number):
        return format(one.value, "f")
    if isinstance(one, Text):
        return one.value
    return one.value.isoformat()
