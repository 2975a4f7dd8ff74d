"""Values after an operator: one, a range, a list, a point. Reports what is missing or unquoted."""

from __future__ import annotations

from decimal import Decimal

from regulars.language.catalogue import Attribute
from regulars.language.cursor import Cursor
from regulars.language.lexer import TokenKind
from regulars.language.literals import quoted
from regulars.language.problems import Reporter, nearest, shown
from regulars.language.tree import Literal, Number, Point, Span

Placed = tuple[Literal | None, Span]


class Values:
    """Reads values at the cursor. `about` is the name in the text, for messages."""

    def __init__(self, cursor: Cursor, reporter: Reporter) -> None:
        self.cursor = cursor
        self.reporter = reporter

    def one(self, about: str, row: Attribute | None = None) -> Placed:
        """Read one value."""
        token = self.cursor.now
        if token.kind is TokenKind.VALUE:
            self.cursor.step()
            return token.value, token.span
        if token.kind is TokenKind.BAD:
            self.cursor.step()
            return None, token.span
        if token.kind is TokenKind.NAME:
            return self._unquoted(row)
        self._missing(about, row)
        return None, token.span

    def _unquoted(self, row: Attribute | None) -> Placed:
        """Report words without quotes, all of them at once."""
        first = last = self.cursor.step()
        while self.cursor.now.kind is TokenKind.NAME:
            last = self.cursor.step()
        span = Span(first.span.start, last.span.end)
        word = self.reporter.text[span.start : span.end]
        if word.lower() in ("true", "false", "today", "yesterday"):
            self.reporter.report(
                "letter_case",
                "Names are written in small letters: {suggested}.",
                span,
                suggestion=word.lower(),
                suggested=word.lower(),
            )
            return None, span
        known = nearest(word, row.values) if row is not None else None
        written = quoted(known or word)
        self.reporter.report(
            "quotes_missing",
            "Text stands between single quotes: {suggested}.",
            span,
            suggestion=written,
            suggested=shown(written),
        )
        return None, span

    def _missing(self, about: str, row: Attribute | None) -> None:
        token, before = self.cursor.now, self.cursor.before
        if token.kind is TokenKind.END or token.text in ("AND", "OR", ")", ","):
            self.reporter.report(
                "value_missing",
                "After `{about}` a value is missing. Example: `{example}`.",
                before.span if before else token.span,
                about=shown(about + " " + self.cursor.source(before) if before else about),
                example=row.example if row else "number_of_orders >= 3",
            )
            return
        self.reporter.report(
            "value_expected",
            "A value is expected here, not `{word}`. Example: `{example}`.",
            token.span,
            word=shown(self.cursor.source(token)),
            example=row.example if row else "number_of_orders >= 3",
        )
        if token.text == "(":
            self.cursor.step()
            self.cursor.skip_to_closing()
        self.cursor.step()

    def range(self, about: str, row: Attribute | None = None) -> tuple[Placed, ...]:
        """Read `a AND b` after BETWEEN."""
        low = self.one(about, row)
        if not self.cursor.take_keyword("AND"):
            token = self.cursor.now
            self.reporter.report(
                "range_form",
                "BETWEEN takes two values joined by AND: {example}.",
                low[1],
                example="number_of_orders BETWEEN 2 AND 5",
            )
            return low, (None, token.span)
        return low, self.one(about, row)

    def list(self, about: str) -> tuple[Placed, ...]:
        """Read a bracketed list of values; empty lists are reported."""
        opening = self.cursor.now
        if not self.cursor.take_mark("("):
            self.reporter.report(
                "list_form",
                "After IN stands a list in brackets: {example}.",
                opening.span,
                example="(1012132033639, 2012162031638)",
            )
            self.cursor.skip_clause()
            return ((None, opening.span),)
        found = [self.one(about)]
        while self.cursor.take_mark(","):
            found.append(self.one(about))
        if not self.cursor.take_mark(")"):
            self.reporter.report(
                "bracket_not_closed", "This bracket is not closed. Add `)`.", opening.span
            )
            self.cursor.skip_to_closing()
            self.cursor.take_mark(")")
            found.append((None, opening.span))
        return tuple(found)

    def point(self, listed: tuple[Placed, ...]) -> Placed:
        """Make a point of a list of two numbers."""
        span = Span(listed[0][1].start, listed[-1][1].end)
        if any(value is None for value, _ in listed):
            return None, span
        numbers = [value.value for value, _ in listed if isinstance(value, Number)]
        if len(listed) != 2 or len(numbers) != 2 or not _on_earth(*numbers):
            self.reporter.report(
                "point_form",
                "A point is a latitude from -90 to 90 and a longitude from -180 to 180: {example}.",
                span,
                example="(35.6812, 139.7671)",
            )
            return None, span
        return Point(numbers[0], numbers[1]), span


def _on_earth(latitude: Decimal, longitude: Decimal) -> bool:
    return abs(latitude) <= 90 and abs(longitude) <= 180
