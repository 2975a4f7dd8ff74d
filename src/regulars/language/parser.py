"""Tokens → query tree: the grammar of both forms, by recursive descent.

Reads form, not meaning: whether a name exists and takes such a value is asked of `checker`. After a
mistake the parser goes on at the next AND, OR or bracket, so that one reading finds them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from regulars.errors import Problem
from regulars.language import clauses
from regulars.language.checker import Checker
from regulars.language.cursor import Cursor, Stop
from regulars.language.dialects import Dialect, dialect_named
from regulars.language.lexer import Token, TokenKind, tokens_of
from regulars.language.limits import DEPTH_MAX, NODES_MAX, TEXT_MAX, node_count
from regulars.language.problems import Reporter, shown
from regulars.language.tree import And, AtLeast, Node, Not, Number, Or, Span


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query that was read, with notes on how doubtful places were understood."""

    node: Node
    notes: tuple[Problem, ...]


def parse(text: str, dialect: str = "any", *, evaluable: bool = True) -> Node:
    """Read a query; raise QueryError with all of its problems.

    With `evaluable` unset, names that synchronised data cannot answer are noted, not refused.
    """
    return parse_with_notes(text, dialect, evaluable=evaluable).node


def parse_with_notes(text: str, dialect: str = "any", *, evaluable: bool = True) -> Parsed:
    """Read a query as `parse` does and also tell what could have been meant otherwise."""
    reporter = Reporter(text)
    if len(text) > TEXT_MAX:
        reporter.report(
            "text_too_long",
            "A query has at most {most} characters; this one has {count}.",
            Span(TEXT_MAX, len(text)),
            most=f"{TEXT_MAX:,}",
            count=f"{len(text):,}",
        )
        reporter.refuse()
    node = _Parser(reporter, dialect_named(dialect), evaluable=evaluable).query()
    reporter.refuse()
    if node is None:
        raise AssertionError("a query without a tree was not reported")
    return Parsed(node, tuple(sorted(reporter.notes, key=lambda note: note.start or 0)))


class _Parser:
    def __init__(self, reporter: Reporter, dialect: Dialect, *, evaluable: bool) -> None:
        self.reporter = reporter
        self.cursor = Cursor(tokens_of(reporter), reporter)
        checker = Checker(reporter, evaluable=evaluable)
        self.clauses = clauses.Clauses(self.cursor, reporter, checker, dialect)
        self.depth = 0

    def query(self) -> Node | None:
        """Read the whole text; None when a problem left nothing."""
        if self.cursor.now.kind is TokenKind.END:
            self.reporter.report(
                "empty_query",
                "The query is empty. Write a condition, such as {example}.",
                self.cursor.now.span,
                example="number_of_orders >= 3",
            )
            return None
        if self.whole_statement():
            return None
        try:
            return self.checked_size(self.all_of_it())
        except Stop:
            return None

    def all_of_it(self) -> Node | None:
        node = self.either()
        while self.cursor.now.kind is not TokenKind.END:
            if self.stray():
                following = self.either()
                node = node or following
        return node

    def stray(self) -> bool:
        """Report and step over what follows a condition; tell whether another one comes next."""
        token = self.cursor.now
        if token.text == ")" and token.kind is TokenKind.MARK:
            self.reporter.report(
                "bracket_not_opened", "This bracket closes nothing. Take it out.", token.span
            )
            self.cursor.step()
        else:
            self.unexpected(token)
            self.cursor.skip_clause()
        return self.cursor.take_keyword("AND") or self.cursor.take_keyword("OR")

    def unexpected(self, token: Token) -> None:
        if token.kind is TokenKind.BAD:
            return
        word = self.cursor.source(token)
        if self.cursor.report_thousands():
            return
        self.reporter.report(
            "unexpected_word",
            "`{word}` is unexpected here. Join conditions with AND or OR.",
            token.span,
            word=shown(word),
        )

    def whole_statement(self) -> bool:
        """Report a ShopifyQL statement around the condition."""
        first = self.cursor.now
        if first.kind is not TokenKind.NAME:
            return False
        if first.text.upper() not in ("FROM", "SHOW", "SELECT", "WHERE"):
            return False
        source = self.reporter.text
        where = source.upper().find("WHERE")
        rest = source[where + 5 :].strip() if where >= 0 else None
        self.reporter.report(
            "whole_statement",
            "Write only the condition, without FROM, SHOW and WHERE.",
            first.span,
            suggestion=rest or None,
        )
        return True

    def either(self) -> Node | None:
        """Read `a OR b OR c`."""
        parts = [self.both()]
        while self.cursor.take_keyword("OR"):
            parts.append(self.both())
        return _joined(Or, parts)

    def both(self) -> Node | None:
        """Read `a AND b AND c`; a condition that follows without AND is reported and read."""
        parts = [self.negated()]
        while self.cursor.take_keyword("AND"):
            parts.append(self.negated())
        return _joined(And, parts)

    def negated(self) -> Node | None:
        token = self.cursor.now
        if not self.cursor.take_keyword("NOT"):
            return self.primary()
        while self.cursor.now.text == "NOT" and self.cursor.now.kind is TokenKind.KEYWORD:
            self.reporter.report(
                "not_twice",
                "Two NOT in a row cancel each other out. Take both out, or use brackets.",
                self.cursor.now.span,
            )
            self.cursor.step()
        part = self.primary()
        return None if part is None else Not(part, Span(token.span.start, part.span.end))

    def primary(self) -> Node | None:
        token = self.cursor.now
        if token.kind is TokenKind.MARK and token.text == "(":
            return self.group()
        if self.at_least_ahead():
            return self.at_least()
        if token.kind is TokenKind.NAME:
            return self.clauses.clause()
        self.missing(token)
        return None

    def missing(self, token: Token) -> None:
        """Report that a condition should begin at `token`, and step over what cannot begin one."""
        before = self.cursor.before
        if token.kind is TokenKind.BAD:
            self.cursor.skip_clause()
        elif token.kind is TokenKind.END or token.text in ("AND", "OR", ")"):
            word = self.cursor.source(before) if before else ""
            self.reporter.report(
                "condition_missing",
                "A condition is missing after `{word}`."
                if before
                else "A condition is missing before `{word}`.",
                before.span if before else token.span,
                word=shown(word or self.cursor.source(token)),
            )
        else:
            self.reporter.report(
                "name_missing",
                "A condition begins with the name of an attribute, not with `{word}`."
                " Example: `{example}`.",
                token.span,
                word=shown(self.cursor.source(token)),
                example="number_of_orders >= 3",
            )
            self.cursor.skip_clause()

    def open_bracket(self) -> Token:
        token = self.cursor.step()
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.reporter.report(
                "too_deep",
                "Brackets can stand at most {most} deep. Split the rule into two segments.",
                token.span,
                most=DEPTH_MAX,
            )
            raise Stop
        return token

    def close_bracket(self, opening: Token) -> None:
        self.depth -= 1
        if self.cursor.take_mark(")"):
            return
        token = self.cursor.now
        if token.kind is not TokenKind.END:
            self.unexpected(token)
            self.cursor.skip_to_closing()
            if self.cursor.take_mark(")"):
                return
        self.reporter.report(
            "bracket_not_closed", "This bracket is not closed. Add `)`.", opening.span
        )

    def group(self) -> Node | None:
        opening = self.open_bracket()
        if self.cursor.now.text == ")" and self.cursor.now.kind is TokenKind.MARK:
            closing = self.cursor.step()
            self.depth -= 1
            self.reporter.report(
                "empty_group",
                "This group is empty. Put a condition between the brackets, or take them out.",
                Span(opening.span.start, closing.span.end),
            )
            return None
        node = self.either()
        self.close_bracket(opening)
        return node

    def at_least_ahead(self) -> bool:
        now, following = self.cursor.now, self.cursor.ahead(1)
        return (
            now.kind is TokenKind.NAME
            and now.text.upper() == "AT"
            and following.kind is TokenKind.NAME
            and following.text.upper() == "LEAST"
        )

    def at_least(self) -> Node | None:
        """Read `AT LEAST 2 OF (a, b, c)`."""
        first = self.cursor.step()
        self.cursor.step()
        number = self.cursor.now
        count = number.value
        if isinstance(count, Number) and count.is_whole:
            self.cursor.step()
        else:
            count = None
        of = self.cursor.now.text.upper() == "OF"
        if of:
            self.cursor.step()
        if count is None or not of or self.cursor.now.text != "(":
            self.at_least_form(first)
            return None
        opening = self.open_bracket()
        parts = [self.either()]
        while self.cursor.take_mark(","):
            parts.append(self.either())
        self.close_bracket(opening)
        return self.at_least_node(first, number, count, parts)

    def at_least_form(self, first: Token) -> None:
        self.reporter.report(
            "at_least_form",
            "Write AT LEAST, a whole number, OF and the conditions in brackets: {example}.",
            Span(first.span.start, self.cursor.now.span.start),
            example="AT LEAST 2 OF (a, b, c)",
        )
        self.cursor.skip_clause()

    def at_least_node(
        self, first: Token, number: Token, count: Number, parts: list[Node | None]
    ) -> Node | None:
        kept = tuple(part for part in parts if part is not None)
        if len(parts) < 2 or not 1 <= count.value <= len(parts):
            self.reporter.report(
                "at_least_count",
                "AT LEAST {count} OF needs two conditions or more, and a number from 1 to how"
                " many they are; here stand {parts}.",
                number.span,
                count=shown(number.text),
                parts=len(parts),
            )
            return None
        if len(kept) < len(parts):
            return None
        end = self.cursor.before.span.end if self.cursor.before else number.span.end
        return AtLeast(int(count.value), kept, Span(first.span.start, end))

    def checked_size(self, node: Node | None) -> Node | None:
        count = node_count(node) if node is not None else 0
        if count > NODES_MAX:
            self.reporter.report(
                "too_many_conditions",
                "A query has at most {most} conditions and groups; this one has {count}."
                " Split the rule into two segments.",
                Span(0, len(self.reporter.text)),
                most=NODES_MAX,
                count=count,
            )
        return node


def _joined(connector: type[And] | type[Or], parts: list[Node | None]) -> Node | None:
    kept = tuple(part for part in parts if part is not None)
    if len(kept) < 2:
        return kept[0] if kept else None
    return connector(kept, Span(kept[0].span.start, kept[-1].span.end))
