"""Query tree → text, in either form, with as few brackets as keep the tree.

Reading the printed text gives an equal tree. What a form cannot say is refused, with all reasons.
"""

from __future__ import annotations

from regulars.language.catalogue import CATALOGUE, Kind
from regulars.language.checker import report_text_ids
from regulars.language.dialects import Dialect, dialect_named
from regulars.language.limits import (
    SHOPIFY_CLAUSES_MAX,
    SHOPIFY_TEXT_MAX,
    needs_brackets,
)
from regulars.language.literals import NAMED_DAYS, quoted, written
from regulars.language.problems import Reporter
from regulars.language.tree import (
    And,
    AtLeast,
    Filter,
    Literal,
    Node,
    Not,
    Operator,
    Parameter,
    RelativeDay,
    filters_of,
)


def print_query(node: Node, dialect: str = "matches") -> str:
    """Write a tree in the form "matches" or "previous" ("any" writes the first).

    Raises QueryError when the previous form cannot say a part of it.
    """
    reporter = Reporter("")
    text = _Printer(reporter, previous=dialect_named(dialect) is Dialect.PREVIOUS).node(node)
    reporter.refuse()
    return text


def print_for_shopify(node: Node, dialect: str = "matches") -> str:
    """Write a tree as Shopify takes it; raise QueryError with everything it would not take."""
    reporter = Reporter("")
    text = _Printer(reporter, previous=dialect_named(dialect) is Dialect.PREVIOUS).node(node)
    _beyond_shopify(node, reporter)
    report_text_ids(node, reporter)
    filters = filters_of(node)
    if len(filters) > SHOPIFY_CLAUSES_MAX:
        reporter.report(
            "shopify_too_many_clauses",
            "Shopify takes at most {most} conditions in a segment; this rule has {count}.",
            filters[SHOPIFY_CLAUSES_MAX].span,
            most=SHOPIFY_CLAUSES_MAX,
            count=len(filters),
        )
    if len(text) > SHOPIFY_TEXT_MAX:
        reporter.report(
            "shopify_too_long",
            "Shopify takes at most {most} characters in a segment; this rule has {count}.",
            node.span,
            most=f"{SHOPIFY_TEXT_MAX:,}",
            count=f"{len(text):,}",
        )
    reporter.refuse()
    return text


def _beyond_shopify(node: Node, reporter: Reporter) -> None:
    """Report every name and connector that Shopify's language does not have."""
    if isinstance(node, Filter):
        _filter_beyond_shopify(node, reporter)
        return
    if isinstance(node, AtLeast):
        reporter.report(
            "not_in_shopify",
            "Shopify's segment language has no {name}. Keep this rule here.",
            node.span,
            name="AT LEAST … OF",
        )
    for part in (node.part,) if isinstance(node, Not) else node.parts:
        _beyond_shopify(part, reporter)


def _filter_beyond_shopify(leaf: Filter, reporter: Reporter) -> None:
    row = CATALOGUE.get(leaf.attribute)
    names = [] if row is None or row.in_shopify else [(row.name, leaf.span)]
    for parameter in leaf.parameters:
        known = row.parameter(parameter.name) if row else None
        if known is not None and (
            not known.in_shopify
            or (known.kind is Kind.TEXT and parameter.operator in (Operator.IN, Operator.NOT_IN))
        ):
            names.append((f"{leaf.attribute} ({parameter.name})", parameter.span))
    for name, span in names:
        reporter.report(
            "not_in_shopify",
            "Shopify's segment language has no {name}. Keep this rule here.",
            span,
            name=name,
        )


class _Printer:
    def __init__(self, reporter: Reporter, *, previous: bool) -> None:
        self.reporter = reporter
        self.previous = previous

    def node(self, node: Node) -> str:
        if isinstance(node, Filter):
            return self.filter(node)
        if isinstance(node, Not):
            return f"NOT {self.within(node, node.part)}"
        if isinstance(node, AtLeast):
            return f"AT LEAST {node.count} OF ({', '.join(self.node(p) for p in node.parts)})"
        connector = " AND " if isinstance(node, And) else " OR "
        return connector.join(self.within(node, part) for part in node.parts)

    def within(self, outer: Node, part: Node) -> str:
        text = self.node(part)
        return f"({text})" if needs_brackets(outer, part) else text

    def filter(self, leaf: Filter) -> str:
        name = self.name(leaf)
        operator = leaf.operator
        if operator in (Operator.MATCHES, Operator.NOT_MATCHES):
            return self.call(name, leaf) if self.previous else self.matches(name, leaf)
        if operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
            return f"{name} {operator}"
        return f"{name} {self.comparison(operator, leaf.operands)}"

    def name(self, leaf: Filter) -> str:
        if leaf.attribute == "metafields":
            return f"metafields.{leaf.key}"
        if leaf.attribute == "anniversary":
            metafield = quoted(f"metafields.{leaf.key}")
            return (
                f"anniversary(date: {metafield})" if self.previous else f"anniversary({metafield})"
            )
        return leaf.attribute

    def comparison(self, operator: Operator, operands: tuple[Literal, ...]) -> str:
        values = [self.value(one) for one in operands]
        if operator is Operator.BETWEEN:
            return f"BETWEEN {values[0]} AND {values[1]}"
        if operator in (Operator.IN, Operator.NOT_IN):
            return f"{operator} ({', '.join(values)})"
        return f"{operator} {values[0]}"

    def value(self, literal: Literal) -> str:
        if not self.previous and isinstance(literal, RelativeDay) and literal.word in NAMED_DAYS:
            return written(RelativeDay(literal.amount, literal.unit))
        return written(literal)

    def matches(self, name: str, leaf: Filter) -> str:
        inside = ", ".join(
            f"{p.name} {self.comparison(p.operator, p.operands)}" for p in leaf.parameters
        )
        return f"{name} {leaf.operator} ({inside})"

    def call(self, name: str, leaf: Filter) -> str:
        inside = ", ".join(self.previous_parameter(p, leaf) for p in leaf.parameters)
        truth = "true" if leaf.operator is Operator.MATCHES else "false"
        return f"{name}({inside}) = {truth}"

    def previous_parameter(self, parameter: Parameter, leaf: Filter) -> str:
        values = [self.value(one) for one in parameter.operands]
        if parameter.word == "since" and parameter.operator is Operator.BETWEEN:
            return f"since: {values[0]}, until: {values[1]}"
        if parameter.word is not None:
            return f"{parameter.word}: {values[0]}"
        if parameter.operator is Operator.IN and len(values) > 1:
            return f"{parameter.name}: ({', '.join(values)})"
        if parameter.operator is not Operator.EQ or self.reads_otherwise(parameter):
            self.reporter.report(
                "not_in_previous_form",
                "The previous form cannot say `{part}` of {name}. It compares a parameter only"
                " by a colon; use the newer form (MATCHES).",
                parameter.span,
                part=f"{parameter.name} {self.comparison(parameter.operator, parameter.operands)}",
                name=leaf.attribute,
            )
        return f"{parameter.name}: {values[0]}"

    @staticmethod
    def reads_otherwise(parameter: Parameter) -> bool:
        """Whether `name: value` would be read as "since that day" (decision 0002)."""
        value = parameter.operands[0]
        return (
            isinstance(value, RelativeDay)
            and value.amount < 0
            and value.word not in ("today", "yesterday")
        )
