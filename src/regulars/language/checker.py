"""Whether a tree makes sense: names, operators, values and parameters against the catalogue.

Works on one filter as the parser reads it, and on whole trees that were built without a text.
"""

from __future__ import annotations

from collections import Counter

from regulars.language import fitting
from regulars.language.catalogue import (
    CATALOGUE,
    SYNONYMS,
    Attribute,
    Distance,
    Kind,
    ParameterRow,
    Unavailable,
)
from regulars.language.limits import DEPTH_MAX, LIST_MAX, NODES_MAX, depth, node_count
from regulars.language.literals import written
from regulars.language.problems import Reporter, nearest, shown
from regulars.language.tree import (
    NOWHERE,
    AtLeast,
    Boolean,
    Day,
    Filter,
    Literal,
    Moment,
    Node,
    Not,
    Number,
    Operator,
    Parameter,
    RelativeDay,
    Span,
    Text,
    filters_of,
)

_BY_OTHER_WORD = {word: row.name for row in CATALOGUE.values() for word in row.also}
_FUNCTION_OPERATORS = frozenset((Operator.MATCHES, Operator.NOT_MATCHES))
_MEANT_OPERATOR = {
    Operator.EQ: Operator.CONTAINS,
    Operator.NE: Operator.NOT_CONTAINS,
    Operator.CONTAINS: Operator.EQ,
    Operator.NOT_CONTAINS: Operator.NE,
    Operator.IN: Operator.EQ,
    Operator.NOT_IN: Operator.NE,
}


def check(node: Node, *, evaluable: bool = True) -> None:
    """Check a tree that was built without a text; raise QueryError with all of its problems."""
    reporter = Reporter("")
    checker = Checker(reporter, evaluable=evaluable)
    checker.check_size(node)
    for leaf in filters_of(node):
        checker.check_filter(leaf)
    reporter.refuse()


def check_shopify_ids(node: Node, text: str = "") -> None:
    """Raise QueryError for IDs that no shop at Shopify has: texts. `text` is the query's own."""
    reporter = Reporter(text)
    report_text_ids(node, reporter)
    reporter.refuse()


def report_text_ids(node: Node, reporter: Reporter) -> None:
    """Report each ID that is a text, as only an imported file has them."""
    for leaf in filters_of(node):
        row = CATALOGUE.get(leaf.attribute)
        _report_text_ids(leaf, row, reporter)
        for parameter in leaf.parameters:
            known = row.parameter(parameter.name) if row is not None else None
            _report_text_ids(parameter, known, reporter)


def _report_text_ids(
    leaf: Filter | Parameter, known: Attribute | ParameterRow | None, reporter: Reporter
) -> None:
    if known is None or known.kind not in (Kind.ID, Kind.ID_LIST):
        return
    for index, value in enumerate(leaf.operands):
        if isinstance(value, Text):
            reporter.report(
                "id_not_shopify",
                "IDs of Shopify are numbers, so nothing there has the ID {given}.",
                _place(leaf, index + 2),
                given=shown(written(value)),
            )


class Checker:
    """Reports what the filters of one query get wrong."""

    def __init__(self, reporter: Reporter, *, evaluable: bool = True) -> None:
        self.reporter = reporter
        self.evaluable = evaluable

    def check_size(self, node: Node) -> None:
        """Check the limits and the form of a tree."""
        if (found := depth(node)) > DEPTH_MAX:
            self.reporter.report(
                "too_deep",
                "Brackets can stand at most {most} deep. Split the rule into two segments.",
                NOWHERE,
                most=DEPTH_MAX,
                count=found,
            )
        if (found := node_count(node)) > NODES_MAX:
            self.reporter.report(
                "too_many_conditions",
                "A query has at most {most} conditions and groups; this one has {count}."
                " Split the rule into two segments.",
                NOWHERE,
                most=NODES_MAX,
                count=found,
            )
        self._check_groups(node)

    def _check_groups(self, node: Node) -> None:
        if isinstance(node, Filter):
            return
        if isinstance(node, Not):
            self._check_groups(node.part)
            return
        counted = not isinstance(node, AtLeast) or 1 <= node.count <= len(node.parts)
        if len(node.parts) < 2 or not counted:
            self.reporter.report(
                "group_size",
                "A group needs two conditions or more; here stand {parts}.",
                NOWHERE,
                parts=len(node.parts),
            )
        for part in node.parts:
            self._check_groups(part)

    def known(self, name: str, span: Span) -> bool:
        """Report a name that the catalogue does not have."""
        if name in CATALOGUE:
            return True
        meant = _BY_OTHER_WORD.get(name.lower()) or nearest(name, (*CATALOGUE, *SYNONYMS))
        meant = SYNONYMS.get(meant or "", meant)
        if meant is None:
            self.reporter.report(
                "unknown_attribute",
                'There is no attribute "{name}". See the list of attributes.',
                span,
                name=shown(name),
            )
        else:
            self.reporter.report(
                "unknown_attribute",
                'There is no attribute "{name}". Did you mean `{suggested}`?',
                span,
                suggestion=meant,
                name=shown(name),
                suggested=meant,
            )
        return False

    def check_filter(self, leaf: Filter) -> None:
        """Report what is wrong with one filter."""
        name_span = _place(leaf, 0)
        if not self.known(leaf.attribute, name_span):
            return
        row = CATALOGUE[leaf.attribute]
        if isinstance(row.source, Unavailable):
            tell = self.reporter.report if self.evaluable else self.reporter.note
            tell("not_available", row.source.reason, name_span)
        if leaf.operator not in row.operators:
            self._operator(leaf.operator, row.operators, row.name, _place(leaf, 1))
            return
        if self._count_of_operands(leaf, row.name):
            self._operands(leaf, row.kind, row.name, row.example, row.values)
            if row.kind is Kind.METAFIELD:
                self._metafield(leaf)
        if row.is_function:
            self._parameters(leaf, row)

    def _operator(
        self, operator: Operator, allowed: frozenset[Operator], name: str, span: Span
    ) -> None:
        listed = [str(one) for one in Operator if one in allowed]
        meant = _MEANT_OPERATOR.get(operator)
        suggestion = str(meant) if meant in allowed else None
        if len(listed) == 1:
            self.reporter.report(
                "operator_not_allowed",
                "`{name}` cannot use `{operator}`. Use {only}.",
                span,
                suggestion=suggestion or listed[0],
                name=name,
                operator=str(operator),
                only=listed[0],
            )
            return
        self.reporter.report(
            "operator_not_allowed",
            "`{name}` cannot use `{operator}`. Use {allowed} or {last}.",
            span,
            suggestion=suggestion,
            name=name,
            operator=str(operator),
            allowed=", ".join(listed[:-1]),
            last=listed[-1],
        )

    def _count_of_operands(self, leaf: Filter | Parameter, name: str) -> bool:
        """Report a filter with too few or too many values; only built trees can have that."""
        count = len(leaf.operands)
        if leaf.operator in (Operator.IN, Operator.NOT_IN):
            if 1 <= count <= LIST_MAX:
                return True
            self.reporter.report(
                "list_size",
                "A list has from 1 to {most} values; this one has {count}.",
                _place(leaf, 1),
                most=LIST_MAX,
                count=count,
            )
            return False
        wanted = {Operator.BETWEEN: 2, Operator.IS_NULL: 0, Operator.IS_NOT_NULL: 0}
        wanted |= dict.fromkeys(_FUNCTION_OPERATORS, 0)
        if count == wanted.get(leaf.operator, 1):
            return True
        self.reporter.report(
            "value_count",
            "`{name}` with {operator} takes {wanted} values; here stand {count}.",
            _place(leaf, 1),
            name=name,
            operator=str(leaf.operator),
            wanted=wanted.get(leaf.operator, 1),
            count=count,
        )
        return False

    def _operands(
        self,
        leaf: Filter | Parameter,
        kind: Kind,
        name: str,
        example: str,
        values: tuple[str, ...] = (),
    ) -> None:
        if kind is Kind.FUNCTION:
            return
        for index, value in enumerate(leaf.operands):
            found = fitting.fits(kind, value, name=name, example=example, values=values)
            if found is not None:
                self.reporter.add_problem(found, _place(leaf, index + 2))

    def _metafield(self, leaf: Filter) -> None:
        """Check what the operator of a metafield asks of its values."""
        kinds = {_kind_of(value) for value in leaf.operands}
        fitting_kinds = {
            Operator.CONTAINS: {"text", "number"},
            Operator.NOT_CONTAINS: {"text", "number"},
            Operator.EQ: {"text", "number", "day", "truth"},
            Operator.NE: {"text", "number", "day", "truth"},
        }.get(leaf.operator, {"number", "day"})
        if len(kinds) > 1 or not kinds <= fitting_kinds:
            self.reporter.report(
                "metafield_comparison",
                "A metafield is compared by {operator} with numbers or days of one kind, by"
                " CONTAINS with text or a number, by = and != with anything.",
                _place(leaf, 1),
                operator=str(leaf.operator),
            )

    def _parameters(self, leaf: Filter, row: Attribute) -> None:
        for parameter in leaf.parameters:
            known = row.parameter(parameter.name)
            if known is None or known.previous_only is not None:
                self._unknown_parameter(parameter, row)
                continue
            self._parameter(parameter, known, row)
        counts = Counter(parameter.name for parameter in leaf.parameters)
        for parameter in leaf.parameters[1:]:
            if counts[parameter.name] > 1 and parameter is not _first(leaf, parameter.name):
                self.reporter.report(
                    "parameter_twice",
                    "`{name}` stands twice between these brackets. Use BETWEEN for a range.",
                    parameter.span,
                    name=shown(parameter.name),
                )
        if isinstance(row.source, Distance):
            self._distance(leaf)

    def _parameter(self, parameter: Parameter, known: ParameterRow, row: Attribute) -> None:
        if parameter.operator not in known.operators:
            self._operator(parameter.operator, known.operators, known.name, _place(parameter, 1))
        elif self._count_of_operands(parameter, known.name):
            self._operands(parameter, known.kind, known.name, row.example)

    def _unknown_parameter(self, parameter: Parameter, row: Attribute) -> None:
        names = [known.name for known in row.parameters if known.previous_only is None]
        meant = nearest(parameter.name, names)
        self.reporter.report(
            "unknown_parameter",
            "`{function}` has no parameter `{name}`. Its parameters are {names}.",
            _place(parameter, 0),
            suggestion=meant,
            function=row.name,
            name=shown(parameter.name),
            names=", ".join(names),
        )

    def _distance(self, leaf: Filter) -> None:
        names = [parameter.name for parameter in leaf.parameters]
        far = [name for name in names if name in ("distance_km", "distance_mi")]
        if "coordinates" not in names or len(far) != 1:
            self.reporter.report(
                "distance_form",
                "`{name}` needs coordinates and one of distance_km and distance_mi."
                " Example: `{example}`.",
                leaf.span,
                name=leaf.attribute,
                example=CATALOGUE[leaf.attribute].example,
            )


def _first(leaf: Filter, name: str) -> Parameter:
    return next(parameter for parameter in leaf.parameters if parameter.name == name)


def _place(leaf: Filter | Parameter, index: int) -> Span:
    return leaf.places[index] if index < len(leaf.places) else leaf.span


def _kind_of(value: Literal) -> str:
    match value:
        case Text():
            return "text"
        case Number():
            return "number"
        case Boolean():
            return "truth"
        case Day() | Moment() | RelativeDay():
            return "day"
    return "point"
