"""Text → tokens with their places. Knows how words look, not what they mean.

Everything that cannot be a token is reported once and leaves a token that lets the parser go on, so
that all problems of a text are found in one reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from regulars.language import literals
from regulars.language.problems import Reporter, shown
from regulars.language.tree import Boolean, Literal, RelativeDay, Span, Text


class TokenKind(StrEnum):
    """What a token can be."""

    NAME = "name"
    KEYWORD = "keyword"
    VALUE = "value"
    OPERATOR = "operator"
    MARK = "mark"  # ( ) , :
    BAD = "bad"  # reported already
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text. `text` is in canonical spelling for keywords, operators and marks."""

    kind: TokenKind
    text: str
    span: Span
    value: Literal | None = None


KEYWORDS = frozenset(
    ("AND", "OR", "NOT", "IS", "NULL", "BETWEEN", "CONTAINS", "MATCHES", "NOT_MATCHES", "IN")
)
_OPERATORS = frozenset(("=", "!=", ">", ">=", "<", "<="))
_MEANT = {
    "==": "=",
    "===": "=",
    "<>": "!=",
    "=!": "!=",
    "!==": "!=",
    "=>": ">=",
    "=<": "<=",
    ">>": ">",
    "<<": "<",
    "≧": ">=",
    "≥": ">=",
    "≦": "<=",
    "≤": "<=",
    "≠": "!=",
}
_CONNECTORS = {"&&": "AND", "||": "OR", "!": "NOT", "&": "AND", "|": "OR"}
# Each opening quote that people type or paste, with what may close it.
_QUOTES = {
    '"': '"',
    "‘": "’‘'",
    "’": "’'",
    "‚": "’‘'",
    "“": '”“"',
    "”": '”"',
    "`": "`'",
    "´": "´'",
    "＇": "＇'",
    "＂": '＂"',
    "「": "」",
    "『": "』",
}
_PLAIN = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_PLAIN |= {"　": " ", "\u00a0": " ", "、": ",", "−": "-", "–": "-", "—": "-", "‐": "-"}

_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_NAME = re.compile(r"[^\W\d]\w*(?:\.[\w-]+)*")
_DIGITS = re.compile(r"[+-]?\d[\w.:-]*")
_SIGNS = re.compile(r"[=!<>]+|[≧≥≦≤≠]|&&|\|\||[&|]")
_COMMENT = re.compile(r"--[^\n]*|//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_CURRENCY = re.compile(r"[¥￥$€£] ?(?=\d)")
_NONSENSE = re.compile(r"[^\w\s()',:=!<>]+?(?=[\w\s()',:=!<>]|\Z)")
_DAY_WITH_TIME = re.compile(r"(?:today|yesterday)T\d", re.IGNORECASE)


def tokens_of(reporter: Reporter) -> list[Token]:
    """Read the reporter's text into tokens; the last is END."""
    return _Lexer(reporter).run()


class _Lexer:
    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.text = reporter.text
        # The same length as the text, with full-width signs as their ASCII ones.
        self.plain = "".join(_PLAIN.get(c, c) for c in self.text)
        self.at = 0
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        while self.at < len(self.text):
            if not (self.space() or self.quoted() or self.skipped() or self.word()):
                self.nonsense()
        self.tokens.append(Token(TokenKind.END, "", Span(len(self.text), len(self.text))))
        return self.tokens

    def space(self) -> bool:
        found = _SPACE.match(self.plain, self.at)
        if found is None:
            return False
        original = self.text[self.at : found.end()]
        if original != found.group():
            at = next(i for i, c in enumerate(original) if c in _PLAIN)
            span = Span(self.at + at, self.at + at + 1)
            self.reporter.report(
                "odd_space",
                "This space is not the ordinary one. Write a half-width space.",
                span,
                suggestion=" ",
            )
        self.at = found.end()
        return True

    def quoted(self) -> bool:
        opening = self.text[self.at]
        if opening == "'":
            self.ascii_quoted()
            return True
        if opening not in _QUOTES:
            return False
        start = self.at
        closers = _QUOTES[opening]
        ends = [i for i in (self.text.find(c, start + 1) for c in closers) if i >= 0]
        end = min(ends, default=len(self.text) - 1)
        content = self.text[start + 1 : end] if ends else self.text[start + 1 :]
        span = Span(start, end + 1)
        written = literals.quoted(content)
        self.reporter.report(
            "quote_character",
            "Text stands between straight single quotes here, not {quote}. Write {suggested}.",
            span,
            suggestion=written,
            quote=shown(opening),
            suggested=shown(written),
        )
        self.push(TokenKind.VALUE, span, value=Text(content))
        return True

    def ascii_quoted(self) -> None:
        start = self.at
        at = start + 1
        content: list[str] = []
        while at < len(self.text) and self.text[at] != "'":
            if self.text[at] == "\\" and at + 1 < len(self.text):
                at += 1
            content.append(self.text[at])
            at += 1
            if self.doubled(at, content):
                content.append("'")
                at += 2
        if at >= len(self.text):
            self.reporter.report(
                "text_not_closed",
                "This text has no closing quote. Put a ' where it ends.",
                Span(start, len(self.text)),
            )
            at -= 1
        value = "".join(content)
        self.check_characters(value, Span(start, at + 1))
        self.push(TokenKind.VALUE, Span(start, at + 1), value=Text(value))

    def doubled(self, at: int, content: list[str]) -> bool:
        """Report and accept a quote written twice inside a text, as SQL does."""
        twice = self.text[at : at + 2] == "''" and self.text[at + 2 : at + 3].isalnum()
        if not content or not twice:
            return False
        self.reporter.report(
            "quote_twice",
            "A quote inside a text is written with a backslash: \\'.",
            Span(at, at + 2),
            suggestion="\\'",
        )
        return True

    def check_characters(self, value: str, span: Span) -> None:
        odd = next((c for c in value if not literals.is_allowed_character(c)), None)
        if odd is not None:
            self.reporter.report(
                "character_not_allowed",
                "A text cannot hold the character {character}. Take it out.",
                span,
                character=f"U+{ord(odd):04X}",
            )

    def skipped(self) -> bool:
        """Take out what has no place in a condition but is easy to name: comments, money signs."""
        found = _COMMENT.match(self.plain, self.at)
        if found is not None:
            self.reporter.report(
                "comment",
                "A query holds no comments. Take this one out.",
                Span(self.at, found.end()),
                suggestion="",
            )
            self.at = found.end()
            return True
        found = _CURRENCY.match(self.plain, self.at)
        if found is None:
            return False
        self.reporter.report(
            "currency_sign",
            "Amounts are written without a currency sign: {example}.",
            Span(self.at, found.end()),
            suggestion="",
            example="amount_spent >= 30000",
        )
        self.at = found.end()
        return True

    def word(self) -> bool:
        mark = self.plain[self.at]
        if mark in "(),:":
            self.take(TokenKind.MARK, mark)
            return True
        for pattern, read in ((_DIGITS, self.digits), (_NAME, self.name), (_SIGNS, self.signs)):
            found = pattern.match(self.plain, self.at)
            if found is not None:
                read(found.group())
                return True
        return False

    def name(self, word: str) -> None:
        upper = word.upper()
        span = Span(self.at, self.at + len(word))
        if upper in KEYWORDS:
            self.take(TokenKind.KEYWORD, upper, length=len(word))
        elif word in ("true", "false"):
            self.take(TokenKind.VALUE, word, value=Boolean(word == "true"))
        elif word in ("today", "yesterday"):
            offset = RelativeDay(0 if word == "today" else -1, "d", word)
            self.take(TokenKind.VALUE, word, value=offset)
        elif _DAY_WITH_TIME.match(word):
            found = re.compile(r"[\w:]+").match(self.plain, self.at)
            self.bad_value(
                literals.day_with_time(), Span(self.at, found.end() if found else span.end)
            )
        else:
            self.take(TokenKind.NAME, word)

    def digits(self, word: str) -> None:
        value, problem = literals.read(word)
        if problem is not None:
            self.bad_value(problem, Span(self.at, self.at + len(word)))
        else:
            self.take(TokenKind.VALUE, word, value=value)

    def bad_value(self, problem: literals.BadLiteral, span: Span) -> None:
        word = self.text[span.start : span.end]
        self.reporter.report(
            problem.code,
            problem.template,
            span,
            suggestion=problem.suggestion,
            word=shown(word),
            suggested=shown(problem.suggestion or ""),
        )
        self.tokens.append(Token(TokenKind.BAD, word, span))
        self.at = span.end

    def signs(self, word: str) -> None:
        span = Span(self.at, self.at + len(word))
        connector = _CONNECTORS.get(word)
        meant = connector or _MEANT.get(word) or word
        if connector is None and meant not in _OPERATORS:
            self.nonsense(len(word))
            return
        if meant != word:
            self.reporter.report(
                "operator_spelling",
                "`{word}` is not part of the language. Did you mean {suggested}?",
                span,
                suggestion=meant,
                word=shown(word),
                suggested=meant,
            )
            kind = TokenKind.KEYWORD if connector else TokenKind.OPERATOR
            self.push(kind, span, meant)
        else:
            self.take(TokenKind.OPERATOR, word)

    def nonsense(self, length: int = 0) -> None:
        found = _NONSENSE.match(self.plain, self.at)
        end = self.at + (length or (found.end() - self.at if found else 1))
        span = Span(self.at, end)
        self.reporter.report(
            "unexpected",
            "`{word}` is unexpected here.",
            span,
            word=shown(self.text[self.at : end]),
        )
        self.push(TokenKind.BAD, span)

    def take(
        self, kind: TokenKind, text: str, *, length: int = 0, value: Literal | None = None
    ) -> None:
        """Add a token of the plain text, reporting where full-width signs were written."""
        span = Span(self.at, self.at + (length or len(text)))
        original = self.text[span.start : span.end]
        plain = self.plain[span.start : span.end]
        if original != plain:
            self.reporter.report(
                "full_width",
                "`{word}` is written in full-width characters. Write `{suggested}`.",
                span,
                suggestion=plain,
                word=shown(original),
                suggested=shown(plain),
            )
        self.push(kind, span, text, value=value)

    def push(
        self, kind: TokenKind, span: Span, text: str = "", *, value: Literal | None = None
    ) -> None:
        self.tokens.append(Token(kind, text, span, value))
        self.at = span.end
