"""A place in the list of tokens: look, step, skip to where reading can go on."""

from __future__ import annotations

from regulars.language.lexer import Token, TokenKind
from regulars.language.problems import Reporter, shown
from regulars.language.tree import Number, Span


class Stop(Exception):
    """Ends the reading where going on would cost too much; the problems are reported by then."""


class Cursor:
    """Tokens with a reading position. The last token is END and is never passed."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        self._tokens = tokens
        self._reporter = reporter
        self._at = 0

    @property
    def now(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._at]

    @property
    def before(self) -> Token | None:
        """The token read last."""
        return self._tokens[self._at - 1] if self._at else None

    def ahead(self, steps: int) -> Token:
        """Return the token `steps` after the next one."""
        return self._tokens[min(self._at + steps, len(self._tokens) - 1)]

    def step(self) -> Token:
        """Read one token and return it."""
        token = self.now
        if token.kind is not TokenKind.END:
            self._at += 1
        return token

    def take_keyword(self, word: str) -> bool:
        """Read the keyword if it comes next."""
        if self.now.kind is TokenKind.KEYWORD and self.now.text == word:
            self.step()
            return True
        return False

    def at_mark(self, mark: str) -> bool:
        """Whether the mark comes next."""
        return self.now.kind is TokenKind.MARK and self.now.text == mark

    def take_mark(self, mark: str) -> bool:
        """Read the bracket, comma or colon if it comes next."""
        if self.at_mark(mark):
            self.step()
            return True
        return False

    def source(self, token: Token) -> str:
        """Return the token as the person wrote it."""
        return self._reporter.text[token.span.start : token.span.end]

    def skip_clause(self) -> None:
        """Skip to the next AND, OR or closing bracket of this level."""
        self._skip(connectors=True)

    def skip_parameter(self) -> None:
        """Skip to the next comma or closing bracket of this level."""
        self._skip(connectors=False, comma=True)

    def skip_to_closing(self) -> None:
        """Skip to the bracket that closes this level."""
        self._skip(connectors=False)

    def report_thousands(self) -> bool:
        """Report and step over the rest of a number that was written with commas: 1,000."""
        first = self.before
        if first is None or not self._is_thousands():
            return False
        while self._is_thousands():
            self.step()
            self.step()
        span = Span(first.span.start, self._tokens[self._at - 1].span.end)
        written = self._reporter.text[span.start : span.end].replace(",", "")
        self._reporter.report(
            "thousands",
            "A number has no thousands separators. Write {suggested}.",
            span,
            suggestion=written,
            suggested=shown(written),
        )
        return True

    def _is_thousands(self) -> bool:
        before, after = self.before, self.ahead(1)
        return (
            self.at_mark(",")
            and before is not None
            and isinstance(before.value, Number)
            and isinstance(after.value, Number)
            and before.span.end == self.now.span.start
            and self.now.span.end == after.span.start
            and after.span.end - after.span.start >= 3
        )

    def _skip(self, *, connectors: bool, comma: bool = False) -> None:
        depth = 0
        while self.now.kind is not TokenKind.END:
            token = self.now
            if depth == 0 and self._ends(token, connectors=connectors, comma=comma):
                return
            if token.kind is TokenKind.MARK and token.text in "()":
                depth += 1 if token.text == "(" else -1
            self.step()

    @staticmethod
    def _ends(token: Token, *, connectors: bool, comma: bool) -> bool:
        if token.kind is TokenKind.MARK:
            return token.text == ")" or (comma and token.text == ",")
        return connectors and token.kind is TokenKind.KEYWORD and token.text in ("AND", "OR")
