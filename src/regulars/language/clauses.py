"""One clause: a name with its operator and value, or a function with its parameters.

The part of the grammar between two connectors, in both forms. A clause that cannot be read whole is
reported and gives None.
"""

from __future__ import annotations

from dataclasses import dataclass

from regulars.language.catalogue import CATALOGUE, SYNONYMS, Attribute, Kind
from regulars.language.checker import Checker
from regulars.language.cursor import Cursor
from regulars.language.lexer import Token, TokenKind
from regulars.language.literals import quoted
from regulars.language.parameters import Parameters
from regulars.language.printer import print_query
from regulars.language.problems import Reporter, shown
from regulars.language.tree import (
    Boolean,
    Filter,
    Literal,
    Operator,
    Parameter,
    Span,
    Text,
)
from regulars.language.values import Values


@dataclass(frozen=True, slots=True)
class Subject:
    """What the clause is about: the name as in the catalogue, the metafield's key, the place."""

    name: str
    key: str | None
    span: Span

    @property
    def row(self) -> Attribute | None:
        """The catalogue's row, None for an unknown name."""
        return CATALOGUE.get(self.name)


class Clauses:
    """Reads clauses at the cursor."""

    def __init__(self, cursor: Cursor, reporter: Reporter, checker: Checker, dialect: str) -> None:
        self.cursor = cursor
        self.reporter = reporter
        self.checker = checker
        self.dialect = dialect
        self.values = Values(cursor, reporter)
        self.parameters = Parameters(cursor, reporter, self.values)

    def clause(self) -> Filter | None:
        """Read one clause that begins with a name."""
        subject = self._subject(self.cursor.step())
        if subject is None:
            return None
        token = self.cursor.now
        if token.kind is TokenKind.MARK and token.text == "(":
            return self._call(subject)
        return self._compared(subject)

    def _subject(self, token: Token) -> Subject | None:
        word = SYNONYMS.get(token.text, token.text)
        for prefix in ("customer.metafields", "customers.metafields"):
            if word.lower().startswith(prefix):
                self._metafield_form(token, word.split(".", 1)[1])
                word = word.split(".", 1)[1]
        if word.split(".")[0] == "metafields":
            parts = word.split(".")
            if len(parts) == 3 and all(parts):
                return Subject("metafields", ".".join(parts[1:]), token.span)
            self._metafield_form(token, None)
            self.cursor.skip_clause()
            return None
        if word not in CATALOGUE and word.lower() in CATALOGUE:
            self.reporter.report(
                "letter_case",
                "Names are written in small letters: {suggested}.",
                token.span,
                suggestion=word.lower(),
                suggested=word.lower(),
            )
            word = word.lower()
        return Subject(word, None, token.span)

    def _metafield_form(self, token: Token, meant: str | None) -> None:
        self.reporter.report(
            "metafield_form",
            "A metafield is written metafields.namespace.key, such as metafields.facts.birth_date.",
            token.span,
            suggestion=meant,
        )

    def _compared(self, subject: Subject) -> Filter | None:
        """Read what follows a name that has no brackets of its own."""
        token = self.cursor.now
        if token.kind is TokenKind.OPERATOR:
            return self._comparison(subject)
        if token.kind is not TokenKind.KEYWORD:
            self._operator_missing(subject)
            return None
        negated = False
        if token.text == "NOT" and self.cursor.ahead(1).text in ("CONTAINS", "MATCHES", "IN"):
            self.cursor.step()
            negated = True
        word = self.cursor.now.text
        readers = {
            "BETWEEN": self._between,
            "CONTAINS": self._contains,
            "IN": self._listed,
            "MATCHES": self._matches,
            "NOT_MATCHES": self._matches,
            "IS": self._null_test,
        }
        if word not in readers:
            self._operator_missing(subject)
            return None
        keyword = self.cursor.step()
        return readers[word](
            subject,
            Span(token.span.start, keyword.span.end),
            negated=negated or word == "NOT_MATCHES",
        )

    def _operator_missing(self, subject: Subject) -> None:
        token = self.cursor.now
        known = self.checker.known(subject.name, subject.span)
        row = subject.row
        if token.kind is TokenKind.END or token.text in ("AND", "OR", ")", ","):
            if row is not None and known:
                self.reporter.report(
                    "operator_missing",
                    "After `{name}` an operator and a value are missing. Example: `{example}`.",
                    subject.span,
                    name=shown(subject.name),
                    example=row.example,
                )
        elif token.kind is not TokenKind.BAD:
            self.reporter.report(
                "unexpected_word",
                "`{word}` is unexpected here. Join conditions with AND or OR.",
                token.span,
                word=shown(self.cursor.source(token)),
            )
        self.cursor.skip_clause()

    def _made(
        self,
        subject: Subject,
        operator: Operator,
        operator_span: Span,
        operands: tuple[tuple[Literal | None, Span], ...] = (),
        parameters: tuple[Parameter, ...] = (),
    ) -> Filter | None:
        """Build the filter and have it checked; None when a value could not be read."""
        values = tuple(value for value, _ in operands if value is not None)
        if len(values) < len(operands):
            self.checker.known(subject.name, subject.span)
            return None
        before = self.cursor.before
        end = before.span.end if before else operator_span.end
        built = Filter(
            subject.name,
            operator,
            values,
            parameters,
            subject.key,
            Span(subject.span.start, end),
            (subject.span, operator_span, *(span for _, span in operands)),
        )
        self.checker.check_filter(built)
        return built

    def _comparison(self, subject: Subject) -> Filter | None:
        token = self.cursor.step()
        now = self.cursor.now
        if now.kind is TokenKind.KEYWORD and now.text == "NULL":
            self._null_value(subject, token)
            return None
        operand = self.values.one(self._about(subject), subject.row)
        return self._made(subject, Operator(token.text), token.span, (operand,))

    def _null_value(self, subject: Subject, operator: Token) -> None:
        """Report `= NULL`, which other languages have."""
        test = "IS NOT NULL" if operator.text == "!=" else "IS NULL"
        null = self.cursor.step()
        self.checker.known(subject.name, subject.span)
        self.reporter.report(
            "null_compared",
            "NULL is not compared with `{operator}`. Write {suggested}.",
            Span(operator.span.start, null.span.end),
            suggestion=test,
            operator=operator.text,
            suggested=test,
        )

    def _between(self, subject: Subject, span: Span, *, negated: bool) -> Filter | None:
        del negated
        bounds = self.values.range(self._about(subject), subject.row)
        return self._made(subject, Operator.BETWEEN, span, bounds)

    def _contains(self, subject: Subject, span: Span, *, negated: bool) -> Filter | None:
        operator = Operator.NOT_CONTAINS if negated else Operator.CONTAINS
        return self._made(
            subject, operator, span, (self.values.one(self._about(subject), subject.row),)
        )

    def _listed(self, subject: Subject, span: Span, *, negated: bool) -> Filter | None:
        operator = Operator.NOT_IN if negated else Operator.IN
        return self._made(subject, operator, span, self.values.list(self._about(subject)))

    def _null_test(self, subject: Subject, span: Span, *, negated: bool) -> Filter | None:
        negated = self.cursor.take_keyword("NOT")
        if not self.cursor.take_keyword("NULL"):
            self.checker.known(subject.name, subject.span)
            self.reporter.report(
                "null_test_form",
                "After IS stands NULL or NOT NULL.",
                span,
                suggestion="IS NOT NULL" if negated else "IS NULL",
            )
            self.cursor.skip_clause()
            return None
        end = self.cursor.before.span.end if self.cursor.before else span.end
        operator = Operator.IS_NOT_NULL if negated else Operator.IS_NULL
        return self._made(subject, operator, Span(span.start, end))

    def _about(self, subject: Subject) -> str:
        return self.reporter.text[subject.span.start : subject.span.end]

    def _matches(self, subject: Subject, span: Span, *, negated: bool) -> Filter | None:
        if self.dialect == "previous":
            self.reporter.report(
                "matches_in_previous",
                "MATCHES belongs to the newer form. The previous form writes {example}.",
                span,
                example=f"{shown(subject.name)}(date: 2026-05-30) = true",
            )
        operator = Operator.NOT_MATCHES if negated else Operator.MATCHES
        if not self.cursor.at_mark("("):
            self.checker.known(subject.name, subject.span)
            self.reporter.report(
                "brackets_missing",
                "After MATCHES stand brackets with the parameters; () means any event.",
                span,
                suggestion=f"{operator} ()",
            )
            self.cursor.skip_clause()
            return None
        parameters = self.parameters.newer(subject.row)
        if parameters is None:
            self.checker.known(subject.name, subject.span)
            return None
        return self._made(subject, operator, span, parameters=parameters)

    def _call(self, subject: Subject) -> Filter | None:
        """Read a name with brackets: an anniversary or a function of the previous form."""
        row = subject.row
        if row is not None and row.kind is Kind.ANNIVERSARY:
            return self._anniversary(subject)
        if row is None or not row.is_function:
            if self.checker.known(subject.name, subject.span):
                self.reporter.report(
                    "not_a_function",
                    "`{name}` takes no brackets. Example: `{example}`.",
                    subject.span,
                    name=shown(subject.name),
                    example=row.example if row else "",
                )
            self.cursor.skip_clause()
            return None
        parameters = self.parameters.previous(row)
        return self._truth(subject, row, parameters)

    def _truth(
        self, subject: Subject, row: Attribute, parameters: tuple[Parameter, ...] | None
    ) -> Filter | None:
        """Read `= true` or `= false` after the brackets of the previous form."""
        operator, value = self.cursor.now, self.cursor.ahead(1)
        whole = Span(subject.span.start, operator.span.start)
        if operator.text not in ("=", "!=") or not isinstance(value.value, Boolean):
            self._truth_missing(whole)
            return None
        self.cursor.step()
        self.cursor.step()
        if parameters is None:
            return None
        yes = value.value.value == (operator.text == "=")
        span = Span(operator.span.start, value.span.end)
        built = self._made(
            subject, Operator.MATCHES if yes else Operator.NOT_MATCHES, span, parameters=parameters
        )
        if self.dialect == "matches" and built is not None:
            self.reporter.report(
                "previous_form",
                "This is the previous form of a function. The newer form writes {example}.",
                built.span,
                suggestion=print_query(built),
                example=row.example,
            )
        return built

    def _truth_missing(self, call: Span) -> None:
        before = self.cursor.before
        end = before.span.end if before else call.end
        source = self.reporter.text[call.start : end]
        self.reporter.report(
            "truth_missing",
            "In this form a function is compared with true or false. Add `= true`.",
            Span(call.start, end),
            suggestion=f"{source} = true",
        )
        self.cursor.skip_clause()

    def _anniversary(self, subject: Subject) -> Filter | None:
        self.cursor.step()
        named = self.cursor.now.text == "date" and self.cursor.ahead(1).text == ":"
        if named:
            self.cursor.step()
            self.cursor.step()
        token = self.cursor.now
        if not isinstance(token.value, Text) or self.cursor.ahead(1).text != ")":
            self._anniversary_form(subject)
            return None
        self.cursor.step()
        closing = self.cursor.step()
        parts = token.value.value.split(".")
        if parts[0] != "metafields" or len(parts) != 3 or not all(parts):
            self.reporter.report(
                "metafield_form",
                "A metafield is written metafields.namespace.key, such as"
                " metafields.facts.birth_date.",
                token.span,
            )
            self.cursor.skip_clause()
            return None
        whole = Span(subject.span.start, closing.span.end)
        self._anniversary_dialect(whole, token.value.value, named=named)
        return self._compared(Subject("anniversary", ".".join(parts[1:]), whole))

    def _anniversary_form(self, subject: Subject) -> None:
        self.reporter.report(
            "anniversary_form",
            "Between the brackets of anniversary stands one metafield: {example}.",
            subject.span,
            example="anniversary('metafields.facts.birth_date') = today",
        )
        self.cursor.skip_to_closing()
        self.cursor.take_mark(")")
        self.cursor.skip_clause()

    def _anniversary_dialect(self, whole: Span, metafield: str, *, named: bool) -> None:
        other = quoted(metafield) if named else f"date: {quoted(metafield)}"
        if self.dialect == ("matches" if named else "previous"):
            self.reporter.report(
                "anniversary_dialect",
                "In this form it is written {suggested}.",
                whole,
                suggestion=f"anniversary({other})",
                suggested=shown(f"anniversary({other})"),
            )
