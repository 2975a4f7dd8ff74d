"""Parameters between a function's brackets, in the newer form and in the previous one.

The previous form knows only `name: value`; what it means is decided here (decision 0002) and told
in a note where it could have been meant otherwise.
"""

from __future__ import annotations

from regulars.language.catalogue import Attribute, Kind
from regulars.language.cursor import Cursor
from regulars.language.lexer import Token, TokenKind
from regulars.language.literals import written
from regulars.language.problems import Reporter, shown
from regulars.language.tree import Operator, Parameter, RelativeDay, Span
from regulars.language.values import Placed, Values


class Parameters:
    """Reads parameters at the cursor, from the opening bracket to the closing one."""

    def __init__(self, cursor: Cursor, reporter: Reporter, values: Values) -> None:
        self.cursor = cursor
        self.reporter = reporter
        self.values = values

    def newer(self, row: Attribute | None) -> tuple[Parameter, ...] | None:
        """Read `(name op value, ...)`; None when one could not be read."""
        return self._all(row, previous=False)

    def previous(self, row: Attribute) -> tuple[Parameter, ...] | None:
        """Read `(name: value, ...)`; None when one could not be read."""
        found = self._all(row, previous=True)
        return None if found is None else _range_of_bounds(found)

    def _all(self, row: Attribute | None, *, previous: bool) -> tuple[Parameter, ...] | None:
        opening = self.cursor.step()
        found: list[Parameter | None] = []
        if self.cursor.take_mark(")"):
            return ()
        while True:
            found.append(self._one(row, previous=previous))
            if not self._comma():
                break
        if not self.cursor.take_mark(")"):
            self._not_closed(opening)
            found.append(None)
        kept = tuple(parameter for parameter in found if parameter is not None)
        return kept if len(kept) == len(found) else None

    def _comma(self) -> bool:
        token = self.cursor.now
        if self.cursor.report_thousands():
            return self._comma()
        if self.cursor.take_mark(","):
            return True
        if token.kind is TokenKind.KEYWORD and token.text in ("AND", "OR"):
            self.reporter.report(
                "comma_missing",
                "Between brackets parameters are joined by commas, and all of them must hold.",
                token.span,
                suggestion="," if token.text == "AND" else None,
            )
            self.cursor.step()
            return True
        return False

    def _not_closed(self, opening: Token) -> None:
        token = self.cursor.now
        if token.kind is TokenKind.END:
            self.reporter.report(
                "bracket_not_closed", "This bracket is not closed. Add `)`.", opening.span
            )
            return
        if token.kind is not TokenKind.BAD:
            self.reporter.report(
                "parameter_unexpected",
                "`{word}` is unexpected here. Parameters are joined by commas.",
                token.span,
                word=shown(self.cursor.source(token)),
            )
        self.cursor.skip_to_closing()
        self.cursor.take_mark(")")

    def _one(self, row: Attribute | None, *, previous: bool) -> Parameter | None:
        token = self.cursor.now
        if token.kind is not TokenKind.NAME:
            self._name_missing(token, row)
            return None
        self.cursor.step()
        read = self._previous_one if previous else self._newer_one
        made = read(token, row)
        if made is None and not self.cursor.at_mark(","):
            self.cursor.skip_parameter()
        return made

    def _name_missing(self, token: Token, row: Attribute | None) -> None:
        if token.kind is not TokenKind.BAD:
            self.reporter.report(
                "parameter_missing",
                "The name of a parameter is expected here. Example: `{example}`.",
                token.span,
                example=row.example if row else "orders_placed MATCHES (date >= -90d)",
            )
        self.cursor.skip_parameter()

    def _newer_one(self, name: Token, row: Attribute | None) -> Parameter | None:
        token = self.cursor.now
        about = self.cursor.source(name)
        if self.cursor.take_mark(":"):
            self.reporter.report(
                "colon",
                "In this form a parameter is compared with an operator, not with `:`.",
                token.span,
                suggestion=" =",
            )
            operator = Operator.EQ
            listed = self._value_or_list(name, row)
        elif token.kind is TokenKind.OPERATOR:
            self.cursor.step()
            operator = Operator(token.text)
            listed = self._value_or_list(name, row)
            operator = self._list_operator(operator, listed, token)
        elif self.cursor.take_keyword("BETWEEN"):
            operator = Operator.BETWEEN
            listed = self.values.range(about, row)
        else:
            return self._with_keyword(name, row)
        return _made(name, operator, token.span, listed)

    def _with_keyword(self, name: Token, row: Attribute | None) -> Parameter | None:
        """Read IN and CONTAINS, with NOT or without."""
        token = self.cursor.now
        about = self.cursor.source(name)
        negated = self.cursor.take_keyword("NOT")
        end = self.cursor.now.span.end
        if self.cursor.take_keyword("IN"):
            operator = Operator.NOT_IN if negated else Operator.IN
            return _made(name, operator, Span(token.span.start, end), self.values.list(about))
        if self.cursor.take_keyword("CONTAINS"):
            operator = Operator.NOT_CONTAINS if negated else Operator.CONTAINS
            listed = (self.values.one(about, row),)
            return _made(name, operator, Span(token.span.start, end), listed)
        if token.kind is not TokenKind.BAD:
            self.reporter.report(
                "parameter_operator_missing",
                "After the parameter `{name}` an operator and a value are missing.",
                name.span,
                name=shown(about),
            )
        return None

    def _value_or_list(self, name: Token, row: Attribute | None) -> tuple[Placed, ...]:
        if not self.cursor.at_mark("("):
            return (self.values.one(self.cursor.source(name), row),)
        listed = self.values.list(self.cursor.source(name))
        parameter = row.parameter(name.text) if row else None
        if parameter is not None and parameter.kind is Kind.POINT:
            return (self.values.point(listed),)
        return listed

    def _list_operator(
        self, operator: Operator, listed: tuple[Placed, ...], token: Token
    ) -> Operator:
        """Report a list after `=`: it is written with IN."""
        if len(listed) < 2:
            return operator
        meant = Operator.NOT_IN if operator is Operator.NE else Operator.IN
        self.reporter.report(
            "list_operator",
            "A list is compared with {suggested}, not with `{operator}`.",
            token.span,
            suggestion=str(meant),
            suggested=str(meant),
            operator=str(operator),
        )
        return meant

    def _previous_one(self, name: Token, row: Attribute | None) -> Parameter | None:
        token = self.cursor.now
        if token.kind is TokenKind.OPERATOR:
            self.reporter.report(
                "operator_in_previous",
                "In this form a parameter takes a colon, `{name}: value`. Other comparisons"
                " need MATCHES.",
                token.span,
                suggestion=":" if token.text == "=" else None,
                name=shown(name.text),
            )
            return None
        if not self.cursor.take_mark(":"):
            self.reporter.report(
                "parameter_operator_missing",
                "After the parameter `{name}` an operator and a value are missing.",
                name.span,
                name=shown(self.cursor.source(name)),
            )
            return None
        listed = self._value_or_list(name, row)
        operator = Operator.EQ if len(listed) == 1 else Operator.IN
        made = _made(name, operator, token.span, listed)
        return None if made is None or row is None else self._meant(made, row)

    def _meant(self, made: Parameter, row: Attribute) -> Parameter:
        """Give a parameter of the previous form its operator."""
        parameter = row.parameter(made.name)
        if parameter is None:
            return made
        if parameter.previous_only is not None:
            return _renamed(made, parameter.means, parameter.previous_only)
        value = made.operands[0]
        if parameter.kind is not Kind.DAY or not isinstance(value, RelativeDay):
            return made
        if value.word in ("today", "yesterday") or value.amount >= 0:
            return made
        self.reporter.note(
            "relative_day_reading",
            "`{written}` is read as “since that day”: {name} >= {value}. If the day itself is"
            " meant, write {name} = {value} with MATCHES.",
            made.span,
            suggestion=f"{made.name} = {written(value)}",
            written=f"{made.name}: {written(value)}",
            name=made.name,
            value=written(value),
        )
        return _renamed(made, made.name, Operator.GE)


def _renamed(made: Parameter, name: str, operator: Operator) -> Parameter:
    return Parameter(name, operator, made.operands, made.span, made.places, word=made.name)


def _made(
    name: Token, operator: Operator, operator_span: Span, listed: tuple[Placed, ...]
) -> Parameter | None:
    values = tuple(value for value, _ in listed if value is not None)
    if len(values) < len(listed):
        return None
    places = (name.span, operator_span, *(span for _, span in listed))
    span = Span(name.span.start, listed[-1][1].end)
    return Parameter(name.text, operator, values, span, places)


def _range_of_bounds(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Join `since: a, until: b` into one range, as a name stands once between brackets."""
    since = next((p for p in parameters if p.word == "since"), None)
    until = next((p for p in parameters if p.word == "until"), None)
    if since is None or until is None:
        return parameters
    bounds = (*since.operands, *until.operands)
    places = (since.places[0], since.places[1], since.places[2], until.places[2])
    span = Span(min(since.span.start, until.span.start), max(since.span.end, until.span.end))
    joined = Parameter(since.name, Operator.BETWEEN, bounds, span, places, word="since")
    return tuple(joined if p is since else p for p in parameters if p is not until)
