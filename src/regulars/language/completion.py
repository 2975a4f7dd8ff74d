"""What may stand at a place of a query text that is being written: names, operators, values.

Reads the text before the place leniently and never fails on it. Names of segments and values with
counts come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from regulars.language.catalogue import (
    CATALOGUE,
    SYNONYMS,
    Attribute,
    Kind,
    ParameterRow,
    Unavailable,
)
from regulars.language.lexer import Token, TokenKind, tokens_of
from regulars.language.literals import quoted, written_id
from regulars.language.places import place_rows
from regulars.language.problems import Reporter
from regulars.language.tree import Operator, Text

#: Asked for values: attribute, parameter or None, what is written so far → (value, count or None).
ValueSource = Callable[[str, str | None, str], Iterable[tuple[str, int | None]]]

# A list that a person can take in at a glance.
_MOST = 50
# What follows words that are no whole operator yet.
_FOLLOWING = {
    "NOT": ("CONTAINS", "MATCHES ()"),
    "IS": ("NULL", "NOT NULL"),
    "IS NOT": ("NULL",),
    "MATCHES": ("()",),
    "NOT_MATCHES": ("()",),
    "NOT MATCHES": ("()",),
}
_DAYS = ("today", "yesterday", "-7d", "-30d", "-90d", "-180d", "-12m")


@dataclass(frozen=True, slots=True)
class Completion:
    """One proposal: `text` replaces the characters from `start` to `end`.

    `kind` is one of attribute, function, operator, parameter, value, connector. `label_en` and
    `label_ja` tell what it is; `count` how many customers have the value, where known.
    """

    text: str
    kind: str
    start: int
    end: int
    label_en: str = ""
    label_ja: str = ""
    count: int | None = None


@dataclass(slots=True)
class _Level:
    """What was read since the last bracket, connector or comma on one level of brackets."""

    words: list[Token] = field(default_factory=list)
    #: The function whose parameters stand on this level; None between conditions.
    function: Attribute | None = None
    #: The parameter (or attribute) whose list of values stands on this level.
    listed: str | None = None


def complete(
    text: str,
    position: int,
    segments: Sequence[str] = (),
    values: ValueSource | None = None,
) -> list[Completion]:
    """Propose what may stand at `position` (in characters), best first, at most 50."""
    before = text[:position]
    tokens = tokens_of(Reporter(before))[:-1]
    partial = tokens.pop() if tokens and _is_partial(tokens[-1], before) else None
    start = partial.span.start if partial else position
    prefix = before[start:]
    level = _level(tokens)
    found = _Proposals(segments, values, prefix).at(level)
    return [
        Completion(one.text, one.kind, start, position, one.label_en, one.label_ja, one.count)
        for one in _fitting(found, prefix)
    ]


def _is_partial(token: Token, before: str) -> bool:
    """Whether the last token is still being written."""
    if token.span.end < len(before):
        return False
    written = before[token.span.start : token.span.end]
    if isinstance(token.value, Text):
        return len(written) < 2 or not written.endswith("'")
    return token.kind in (TokenKind.NAME, TokenKind.KEYWORD, TokenKind.VALUE, TokenKind.BAD)


def _level(tokens: list[Token]) -> _Level:
    """Find the innermost open bracket and what stands on its level."""
    levels = [_Level()]
    for token in tokens:
        level = levels[-1]
        if token.kind is TokenKind.MARK and token.text == "(":
            levels.append(_opened(level))
        elif token.kind is TokenKind.MARK and token.text == ")":
            if len(levels) > 1:
                levels.pop()
            levels[-1].words.append(token)
        elif token.text == "," and token.kind is TokenKind.MARK and level.listed is None:
            level.words.clear()
        elif token.kind is TokenKind.KEYWORD and token.text in ("AND", "OR"):
            _connect(level, token)
        else:
            level.words.append(token)
    return levels[-1]


def _opened(level: _Level) -> _Level:
    words = level.words
    last = words[-1] if words else None
    row = _row(words[0]) if words else None
    if last is not None and last.text in ("IN", "=", "!=", ":"):
        return _Level(function=level.function, listed=words[0].text)
    if last is None or row is None:
        return _Level()
    if row.is_function and (last is words[0] or last.text in ("MATCHES", "NOT_MATCHES")):
        return _Level(function=row)
    return _Level()


def _connect(level: _Level, token: Token) -> None:
    """Begin the next condition, unless the AND belongs to BETWEEN."""
    between = any(word.text == "BETWEEN" for word in level.words)
    bounded = any(word.text == "AND" for word in level.words)
    if between and token.text == "AND" and not bounded:
        level.words.append(token)
    else:
        level.words.clear()


def _row(token: Token) -> Attribute | None:
    if token.text.startswith("metafields."):
        return CATALOGUE["metafields"]
    return CATALOGUE.get(SYNONYMS.get(token.text, token.text))


def _fitting(found: Iterable[Completion], prefix: str) -> list[Completion]:
    """Keep what begins with the prefix, then what holds it; an exact match alone is no help."""
    wanted = prefix.strip("'").lower()
    starting: list[Completion] = []
    holding: list[Completion] = []
    for one in found:
        bare = one.text.strip("'").lower()
        if bare.startswith(wanted):
            starting.append(one)
        elif wanted and (
            wanted in bare or wanted in one.label_ja or wanted in one.label_en.lower()
        ):
            holding.append(one)
    return [*starting, *holding][:_MOST]


class _Proposals:
    def __init__(self, segments: Sequence[str], values: ValueSource | None, prefix: str) -> None:
        self.segments = segments
        self.values = values
        self.prefix = prefix

    def at(self, level: _Level) -> list[Completion]:
        words = level.words
        if level.listed is not None:
            return self.listed(level.function, level.listed)
        if level.function is not None:
            return self.parameters(level.function, words)
        if not words or (len(words) == 1 and words[0].text == "NOT"):
            return self.names(after_not=bool(words))
        if words[0].text == "NOT":
            words = words[1:]
        row = _row(words[0])
        if row is None:
            return []
        return self.after_name(row, words[1:])

    def names(self, *, after_not: bool) -> list[Completion]:
        found = [
            _made(
                row.name if row.kind is not Kind.METAFIELD else "metafields.",
                "function" if row.is_function else "attribute",
                row.label_en,
                row.label_ja,
            )
            for row in CATALOGUE.values()
            if not isinstance(row.source, Unavailable)
        ]
        words = ["("] if after_not else ["(", "NOT", "AT LEAST 2 OF ("]
        return [*found, *(_made(word, "connector") for word in words)]

    def after_name(self, row: Attribute, words: list[Token]) -> list[Completion]:
        texts = [word.text for word in words]
        if not texts:
            return self.operators(row.operators)
        if texts[0] == "BETWEEN" and len(texts) == 2:
            return [_made("AND", "connector")]
        following = _FOLLOWING.get(" ".join(texts))
        if following is not None:
            return [_made(word, "operator") for word in following]
        if _awaits_value(texts):
            return self.operands(row, row, None)
        return [_made("AND", "connector"), _made("OR", "connector")]

    def operators(self, operators: frozenset[Operator]) -> list[Completion]:
        calls = (Operator.MATCHES, Operator.NOT_MATCHES)
        return [
            _made(f"{one} ()" if one in calls else str(one), "operator")
            for one in Operator
            if one in operators
        ]

    def parameters(self, row: Attribute, words: list[Token]) -> list[Completion]:
        if not words:
            return [
                _made(known.name, "parameter", known.meaning_en, known.meaning_ja)
                for known in row.parameters
                if known.previous_only is None
            ]
        known = row.parameter(words[0].text)
        if known is None:
            return []
        texts = [word.text for word in words[1:]]
        if not texts:
            return self.operators(known.operators)
        if texts[0] == "BETWEEN" and len(texts) == 2:
            return [_made("AND", "connector")]
        if _awaits_value(texts) or texts == [":"]:
            return self.operands(row, known, known.name)
        return [_made(",", "connector"), _made(")", "connector")]

    def listed(self, row: Attribute | None, name: str) -> list[Completion]:
        known = row.parameter(name) if row is not None else None
        return self.operands(row, known, name) if row is not None and known is not None else []

    def operands(
        self, row: Attribute, known: Attribute | ParameterRow, parameter: str | None
    ) -> list[Completion]:
        if known.kind in (Kind.DAY, Kind.ANNIVERSARY):
            return [_made(word, "value") for word in _DAYS]
        if isinstance(known, Attribute) and known.kind is Kind.ENUM:
            return [_made(quoted(one), "value", *known.value_names[one]) for one in known.values]
        if known.name == "segment":
            return [_made(quoted(name), "value") for name in self.segments]
        spelled = written_id if known.kind in (Kind.ID, Kind.ID_LIST) else quoted
        given = self.values(row.name, parameter, self.prefix.strip("'")) if self.values else ()
        names = {code: labels for code, *labels in place_rows(row.name)} if known is row else {}
        # What the shop has comes first, with its counts; then the places it has no customer in.
        found = dict(given)
        found |= {code: None for code in names if code not in found}
        return [
            replace(_made(spelled(value), "value", *names.get(value, ())), count=count)
            for value, count in found.items()
        ]


def _awaits_value(texts: list[str]) -> bool:
    """Whether the words after a name end where a value belongs."""
    ends = ("=", "!=", ">", ">=", "<", "<=", "CONTAINS", "BETWEEN")
    return texts[-1] in ends or (texts[0] == "BETWEEN" and texts[-1] == "AND")


def _made(text: str, kind: str, label_en: str = "", label_ja: str = "") -> Completion:
    return Completion(text, kind, 0, 0, label_en, label_ja)
