"""Collecting what is wrong with a query text, with line, column and the marked characters.

Holds no rules of the language; the lexer, the parser and the checker report here.
"""

from __future__ import annotations

import bisect
import difflib
from collections.abc import Iterable

from regulars.errors import Problem, QueryError, all_of
from regulars.language.tree import NOWHERE, Span

# Long enough for any name of the language, short enough for one line of a page.
_SHOWN_MAX = 60


def shown(text: str) -> str:
    """Return `text` fit for a message: one line, no unprintable characters, not too long."""
    cut = text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
    return "".join(c if c.isprintable() else f"(U+{ord(c):04X})" for c in cut)


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that `word` was most likely meant to be, or None."""
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower()[:_SHOWN_MAX], list(by_lower), n=1, cutoff=0.72)
    return by_lower[found[0]] if found else None


class Reporter:
    """Gathers problems and notes about one text, in any order; sorts them by place at the end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self._told: set[tuple[str, int]] = set()
        self._line_starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]

    def report(
        self,
        code: str,
        template: str,
        span: Span,
        *,
        suggestion: str | None = None,
        **values: object,
    ) -> None:
        """Add a problem at `span`; an equal place and code is told once."""
        if (code, span.start) not in self._told:
            self._told.add((code, span.start))
            self.problems.append(self._made(code, template, span, suggestion, values))

    def note(
        self,
        code: str,
        template: str,
        span: Span,
        *,
        suggestion: str | None = None,
        **values: object,
    ) -> None:
        """Add something to know that does not stop the query from being used."""
        self.notes.append(self._made(code, template, span, suggestion, values))

    def add_problem(self, found: Problem, span: Span) -> None:
        """Add a problem that was made without a place."""
        self.report(
            found.code, found.template, span, suggestion=found.suggestion, **dict(found.values)
        )

    def refuse(self) -> None:
        """Raise QueryError when anything was reported."""
        if self.problems:
            raise QueryError(*all_of(sorted(self.problems, key=lambda p: p.start or 0)))

    def _made(
        self,
        code: str,
        template: str,
        span: Span,
        suggestion: str | None,
        values: dict[str, object],
    ) -> Problem:
        if not self.text:
            # A tree without its text: the place in that text is known, its line is not.
            place = (None, None) if span == NOWHERE else (span.start, span.end - span.start)
            return Problem(code, template, values, suggestion, start=place[0], length=place[1])
        line = bisect.bisect_right(self._line_starts, span.start)
        return Problem(
            code,
            template,
            values,
            suggestion,
            start=span.start,
            length=span.end - span.start,
            line=line,
            column=span.start - self._line_starts[line - 1],
        )
